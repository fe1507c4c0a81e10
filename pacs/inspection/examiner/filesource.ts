/**
 * The bytes of one object from its file, without holding a large one in memory.
 *
 * Up to 16 MiB the whole object is read once into one buffer that lives as long as the process: one read serves digest, map and engines,
 * and no memory is given back and asked for again. Larger objects are read in windows.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { ByteSource } from '@lazaret/dicom/filemap/contract.ts';
import { unavailable } from '@lazaret/system/failure.ts';

/** A CT slice is 0.5 MiB, a mammogram 30 MiB; 16 MiB holds nearly all objects and keeps an idle examiner small. */
export const wholeBytesMax = 16 * 1024 * 1024;
/** One window; the element walk moves forward, so one at a time mostly suffices and two serve tables that point back. */
const windowBytes = 1024 * 1024;
/** Longest single read: a value that is text of this length is read in one piece, a longer one is not read at all. */
export const readBytesMax = 64 * 1024 * 1024;

let whole: Buffer = Buffer.allocUnsafeSlow(1024 * 1024);

export class FileSource implements ByteSource {
  readonly length: number;
  /** The whole object, or null when it is too large for that. Valid until the next FileSource is opened. */
  readonly bytes: Buffer | null;
  readonly #descriptor: number;
  #windows: { start: number; bytes: Buffer }[] = [];

  /** Opens an object. Throws `object-unreadable`. */
  constructor(path: string) {
    try {
      this.#descriptor = openSync(path, 'r');
    } catch (error) {
      throw unavailable('object-unreadable', 'the file of the object cannot be opened', error);
    }
    const status = fstatSync(this.#descriptor);
    this.length = status.isFile() ? status.size : 0;
    this.bytes = this.length <= wholeBytesMax ? this.#readWhole() : null;
  }

  #readWhole(): Buffer {
    if (whole.length < this.length) whole = Buffer.allocUnsafeSlow(Math.min(wholeBytesMax, 2 ** Math.ceil(Math.log2(this.length))));
    const bytes = whole.subarray(0, this.length);
    this.#fill(bytes, 0);
    return bytes;
  }

  read(offset: number, length: number): Uint8Array {
    if (!(offset >= 0 && length >= 0 && offset + length <= this.length) || !Number.isSafeInteger(offset) || !Number.isSafeInteger(length)) {
      throw new RangeError(`range ${offset}+${length} is not inside ${this.length} bytes`);
    }
    if (this.bytes !== null) return this.bytes.subarray(offset, offset + length);
    for (const window of this.#windows) {
      if (offset >= window.start && offset + length <= window.start + window.bytes.length) return window.bytes.subarray(offset - window.start, offset - window.start + length);
    }
    if (length > readBytesMax) throw new RangeError(`a read of ${length} bytes; at most ${readBytesMax} are read in one piece`);
    if (length > windowBytes) {
      const bytes = Buffer.allocUnsafeSlow(length);
      this.#fill(bytes, offset);
      return bytes;
    }
    // The oldest window's memory is used again.
    const window = this.#windows.length < 2 ? { start: 0, bytes: Buffer.allocUnsafeSlow(windowBytes) } : this.#windows.shift()!;
    window.start = offset;
    const room = Buffer.from(window.bytes.buffer, window.bytes.byteOffset, Math.min(windowBytes, this.length - offset));
    this.#fill(room, offset);
    this.#windows.push({ start: offset, bytes: room });
    return room.subarray(0, length);
  }

  /** Reads `[offset, offset + into.length)` into memory of the caller: one pass over a large object. */
  readInto(into: Buffer, offset: number): void {
    this.#fill(into, offset);
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #fill(into: Buffer, offset: number): void {
    let done = 0;
    while (done < into.length) {
      const count = readSync(this.#descriptor, into, done, into.length - done, offset + done);
      if (count === 0) throw unavailable('object-unreadable', `the file ended at byte ${offset + done} although it has ${this.length} bytes`);
      done += count;
    }
  }
}
