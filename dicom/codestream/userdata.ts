/** What video streams carry beside pictures: supplemental information, user data, descriptors. Each is looked at as a value; all together are bounded. */
import type { Notes } from './contract.ts';

/** One piece: closed captions have some dozen bytes, an encoder's description of itself one to three thousand. */
const pieceBytesMax = 4096;
/** All of one video: so much, and so much of its length on top. Captions in each picture of an hour are some megabytes of some gigabytes. */
const bytesFree = 64 * 1024;
const ratioMax = 0.02;
/** Pieces that are remembered to know them again. */
const knownMax = 1024;

export class UserData {
  readonly #notes: Notes;
  readonly #known = new Set<string>();
  bytes = 0;

  constructor(notes: Notes) {
    this.#notes = notes;
  }

  /** One piece of user data; `content` may be less than its `length`. */
  add(name: string, content: Uint8Array, length: number, at: number): void {
    // The same piece comes again with each picture or table: once seen, it says nothing new.
    const key = String.fromCharCode(...content.subarray(0, pieceBytesMax));
    if (length <= pieceBytesMax && this.#known.has(key)) return;
    if (this.#known.size < knownMax) this.#known.add(key);
    this.bytes += length;
    if (length > pieceBytesMax) this.#notes.extra(at, length, `a piece of ${name} has ${length} bytes`);
    this.#notes.part(name, at, length, new Uint8Array(content));
  }

  /** Counts what is neither picture nor looked into. */
  count(length: number): void {
    this.bytes += length;
  }

  finish(streamLength: number): void {
    if (this.bytes > bytesFree + streamLength * ratioMax) this.#notes.extra(0, streamLength, `${this.bytes} of its ${streamLength} bytes belong to no picture and no sound`);
  }
}
