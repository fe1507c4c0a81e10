import type { ByteSource } from './contract.ts';

/** Bytes that one read of the source fetches: large enough that a call costs little a byte, small enough that skipping over Pixel Data reads little. */
const windowBytes = 64 * 1024;

/** A moving view over a source, or one over all of it where it is in memory: `at(offset, length)` says where in `bytes` they are. Nothing is copied or kept. */
export class Window {
  readonly source: ByteSource;
  bytes: Uint8Array = new Uint8Array(0);
  #start = 0;
  #end = 0;

  constructor(source: ByteSource) {
    this.source = source;
    const { bytes } = source;
    if (bytes === undefined || bytes === null) return;
    this.bytes = bytes;
    this.#end = source.length;
  }

  /**
   * Index in `bytes` of `offset`, with at least `length` bytes after it. The caller has checked that they are inside the source.
   * `ahead` is how much to fetch where it has to be fetched: little, where what follows is going to be skipped.
   */
  at(offset: number, length: number, ahead: number = windowBytes): number {
    if (offset < this.#start || offset + length > this.#end) this.#move(offset, length, ahead);
    return offset - this.#start;
  }

  #move(offset: number, length: number, ahead: number): void {
    const wanted = Math.min(Math.max(ahead, length), this.source.length - offset);
    this.bytes = this.source.read(offset, wanted);
    this.#start = offset;
    this.#end = offset + wanted;
  }

  /** Offset of the first byte of a range that is not zero, or its end; a window at a time. */
  firstNonZero(offset: number, length: number): number {
    let position = offset;
    const end = offset + length;
    while (position < end) {
      const step = Math.min(windowBytes, end - position);
      const index = this.at(position, step);
      for (let i = 0; i < step; i += 1) if (this.bytes[index + i] !== 0) return position + i;
      position += step;
    }
    return end;
  }
}
