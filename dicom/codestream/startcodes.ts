/** Finds start codes (00 00 01) in an elementary stream that comes in pieces: fragments, or payloads of packets. */

/** What a video stream is made of, as the pieces go by. */
export interface UnitReader {
  /** How many bytes of a unit are wanted, by its first byte. */
  wanted(first: number): number;
  /** A whole unit without its start code and without the zeros after it: its first bytes, how long it is, and where it begins in the frame. */
  unit(head: Uint8Array, length: number, at: number): void;
}

export const headBytesMax = 64 * 1024;

const nearBytes = 32;
/** A search by the platform goes on to the end of `bytes`: it is worth it where most of them are ours. */
const searchBytesMin = 16 * 1024;

function nextZero(bytes: Uint8Array, from: number, to: number): number {
  if (to - from >= searchBytesMin) {
    const found = bytes.indexOf(0, from);
    return found < 0 || found > to ? to : found;
  }
  let index = from;
  while (index < to && bytes[index] !== 0) index += 1;
  return index;
}

export class StartCodes {
  readonly #reader: UnitReader;
  readonly #head = new Uint8Array(headBytesMax);
  #collected = 0;
  #wanted = 0;
  /** Bytes of the open unit; -1 before the first start code. */
  #length = -1;
  #at = 0;
  /** Zeros that have just gone by: they belong to the unit only if no start code follows. */
  #zeros = 0;
  /** Bytes other than zero before the first start code. */
  strayBytes = 0;

  constructor(reader: UnitReader) {
    this.#reader = reader;
  }

  /** The next piece: `bytes[from, to)`, which lies at `at` in the frame. */
  push(bytes: Uint8Array, from: number, to: number, at: number): void {
    let index = from;
    while (index < to) {
      const start = index;
      const near = Math.min(to, index + nearBytes);
      while (index < near && bytes[index] !== 0) index += 1;
      if (index === near && near < to) index = nextZero(bytes, near, to);
      if (index > start) {
        if (this.#zeros >= 2 && bytes[start] === 1) {
          this.#next(at + start - from + 1);
          index = start + 1;
          continue;
        }
        this.#take(bytes, start, index);
      }
      while (index < to && bytes[index] === 0) {
        this.#zeros += 1;
        index += 1;
      }
    }
  }

  finish(): void {
    if (this.#length >= 0) this.#reader.unit(this.#head.subarray(0, this.#collected), this.#length, this.#at);
    this.#length = -1;
  }

  #next(at: number): void {
    if (this.#length >= 0) this.#reader.unit(this.#head.subarray(0, this.#collected), this.#length, this.#at);
    this.#length = 0;
    this.#collected = 0;
    this.#wanted = 1;
    this.#zeros = 0;
    this.#at = at;
  }

  #take(bytes: Uint8Array, from: number, to: number): void {
    if (this.#length < 0) {
      this.strayBytes += to - from;
      this.#zeros = 0;
      return;
    }
    if (this.#zeros > 0) {
      if (this.#length === 0) this.#wanted = Math.min(headBytesMax, this.#reader.wanted(0));
      for (let left = Math.min(this.#zeros, this.#wanted - this.#collected); left > 0; left -= 1) {
        this.#head[this.#collected] = 0;
        this.#collected += 1;
      }
      this.#length += this.#zeros;
      this.#zeros = 0;
    }
    if (this.#length === 0) this.#wanted = Math.min(headBytesMax, this.#reader.wanted(bytes[from]!));
    const taken = Math.min(to - from, this.#wanted - this.#collected);
    if (taken > 0) {
      this.#head.set(bytes.subarray(from, from + taken), this.#collected);
      this.#collected += taken;
    }
    this.#length += to - from;
  }
}
