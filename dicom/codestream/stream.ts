/**
 * The fragments of one frame as one run of bytes, seen through a window: a frame may have any number of fragments and any length, and is
 * never joined in memory.
 */
import type { ByteSource } from '../filemap/contract.ts';

/** Ranges of a source, in order: the fragments of a frame. */
export type Ranges = readonly (readonly [offset: number, length: number])[];

/** Bytes that one look fetches: a window of the source, which keeps two of a mebibyte. */
export const windowBytes = 512 * 1024;
const nearBytes = 32;
const nothing = new Uint8Array(0);

export class Stream {
  readonly source: ByteSource;
  /** Bytes of all ranges together. */
  readonly length: number;
  readonly fragments: number;
  /** Position of the last fragment that is not empty. */
  readonly lastFragment: number;
  /** The window: `bytes[0]` is the byte at position `start`. It never goes over the end of a fragment. */
  bytes: Uint8Array = nothing;
  start = 0;
  end = 0;
  readonly #ranges: Ranges;
  /** Position of each range's first byte; only made where there is more than one. */
  readonly #starts: Float64Array | null;

  constructor(source: ByteSource, ranges: Ranges) {
    this.source = source;
    this.#ranges = ranges;
    this.fragments = ranges.length;
    if (ranges.length === 1) {
      this.#starts = null;
      this.lastFragment = 0;
      this.length = ranges[0]![1];
      return;
    }
    this.#starts = new Float64Array(ranges.length);
    let length = 0;
    let last = 0;
    for (let row = 0; row < ranges.length; row += 1) {
      this.#starts[row] = length;
      if (ranges[row]![1] > 0) last = length;
      length += ranges[row]![1];
    }
    this.length = length;
    this.lastFragment = last;
  }

  /** The byte at a position, or -1 past the end. */
  byte(at: number): number {
    if (at < this.start || at >= this.end) {
      if (at < 0 || at >= this.length) return -1;
      this.look(at);
    }
    return this.bytes[at - this.start]!;
  }

  /** Big endian numbers; -1 where they reach past the end. */
  unsigned16(at: number): number {
    if (at < 0 || at + 2 > this.length) return -1;
    return (this.byte(at) << 8) | this.byte(at + 1);
  }
  unsigned24(at: number): number {
    return at < 0 || at + 3 > this.length ? -1 : this.unsigned16(at) * 256 + this.byte(at + 2);
  }
  unsigned32(at: number): number {
    return at < 0 || at + 4 > this.length ? -1 : this.unsigned16(at) * 65536 + this.unsigned16(at + 2);
  }
  unsigned64(at: number): number {
    return at < 0 || at + 8 > this.length ? -1 : this.unsigned32(at) * 4294967296 + this.unsigned32(at + 4);
  }

  /** Moves the window to a position inside the stream. */
  look(at: number): void {
    let row = 0;
    if (this.#starts !== null) {
      let above = this.#starts.length;
      while (above - row > 1) {
        const middle = (row + above) >>> 1;
        if (this.#starts[middle]! <= at) row = middle;
        else above = middle;
      }
    }
    const [offset, length] = this.#ranges[row]!;
    const inside = at - (this.#starts === null ? 0 : this.#starts[row]!);
    const wanted = Math.min(windowBytes, length - inside);
    this.bytes = this.source.read(offset + inside, wanted);
    this.start = at;
    this.end = at + wanted;
  }

  /** Position of the first byte of this value in `[at, until)`, or -1. */
  find(value: number, at: number, until: number): number {
    let position = at;
    while (position < until) {
      if (position < this.start || position >= this.end) this.look(position);
      const { bytes } = this;
      let index = position - this.start;
      // A call costs as much as looking at a few dozen bytes: where the value is frequent, looking is cheaper.
      const near = Math.min(index + nearBytes, bytes.length);
      while (index < near && bytes[index] !== value) index += 1;
      if (index === near && near < bytes.length) index = bytes.indexOf(value, near);
      if (index >= 0 && index < bytes.length) return this.start + index < until ? this.start + index : -1;
      position = this.end;
    }
    return -1;
  }

  /** Position of the first byte in `[at, until)` that has another value, or `until`. */
  skip(value: number, at: number, until: number): number {
    let position = at;
    while (position < until) {
      if (position < this.start || position >= this.end) this.look(position);
      const last = Math.min(this.end, until) - this.start;
      for (let index = position - this.start; index < last; index += 1) if (this.bytes[index] !== value) return this.start + index;
      position = this.start + last;
    }
    return until;
  }

  /** A copy of a few bytes: fewer where the stream ends. */
  copy(at: number, length: number): Uint8Array {
    const wanted = Math.max(0, Math.min(length, this.length - at));
    const copied = new Uint8Array(wanted);
    for (let index = 0; index < wanted;) {
      const position = at + index;
      if (position < this.start || position >= this.end) this.look(position);
      const piece = this.bytes.subarray(position - this.start, Math.min(this.end - this.start, position - this.start + wanted - index));
      copied.set(piece, index);
      index += piece.length;
    }
    return copied;
  }

  /** Four letters as text, for boxes; other bytes as dots. */
  letters(at: number, length: number): string {
    return String.fromCharCode(...this.copy(at, length).map((byte) => (byte >= 0x20 && byte < 0x7f ? byte : 0x2e)));
  }

  /** The ranges of the source that `[at, at + length)` lies in. */
  ranges(at: number, length: number): Ranges {
    const found: (readonly [number, number])[] = [];
    let start = 0;
    for (const [offset, size] of this.#ranges) {
      const [from, to] = [Math.max(at, start), Math.min(at + length, start + size)];
      if (from < to) found.push([offset + from - start, to - from]);
      start += size;
    }
    return found;
  }

  /** Where a position of the stream lies in the source. */
  place(at: number): number {
    if (this.length === 0) return this.#ranges[0]?.[0] ?? 0;
    const position = Math.max(0, Math.min(at, this.length - 1));
    if (this.#starts === null) return this.#ranges[0]![0] + position;
    let row = this.#starts.length - 1;
    while (this.#starts[row]! > position) row -= 1;
    return this.#ranges[row]![0] + position - this.#starts[row]!;
  }
}
