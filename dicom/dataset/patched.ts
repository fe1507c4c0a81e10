/** An object of which some ranges are read with other bytes: what import reconciliation serves, without a second copy of the object. */
import type { ByteSource } from '../filemap/contract.ts';

/** Sorted by offset, without overlap, inside the object. A length of 0 inserts, no bytes remove. */
export interface BytePatch {
  readonly offset: number;
  readonly length: number;
  readonly bytes: Uint8Array;
}

/** A stretch of the patched object: bytes of the object itself (`stored`) or of a patch. */
interface Piece {
  readonly start: number;
  readonly length: number;
  readonly stored: number;
  readonly bytes: Uint8Array | null;
}

export class PatchedSource implements ByteSource {
  readonly length: number;
  readonly #source: ByteSource;
  readonly #pieces: readonly Piece[];

  constructor(source: ByteSource, patches: readonly BytePatch[]) {
    const pieces: Piece[] = [];
    let position = 0;
    let stored = 0;
    const add = (length: number, bytes: Uint8Array | null): void => {
      if (length > 0) pieces.push({ start: position, length, stored, bytes });
      position += length;
    };
    for (const { offset, length, bytes } of patches) {
      if (offset < stored || offset + length > source.length) throw new RangeError('patches overlap or are not inside the object');
      add(offset - stored, null);
      stored = offset;
      add(bytes.length, bytes);
      stored = offset + length;
    }
    add(source.length - stored, null);
    this.#source = source;
    this.#pieces = pieces;
    this.length = position;
  }

  read(offset: number, length: number): Uint8Array {
    if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(length) || offset < 0 || length < 0 || offset + length > this.length) {
      throw new RangeError(`range ${offset}+${length} is not inside ${this.length} bytes`);
    }
    if (length === 0) return new Uint8Array(0);
    let index = this.#pieceAt(offset);
    const first = this.#pieces[index]!;
    if (offset + length <= first.start + first.length) return this.#of(first, offset, length);
    const read = new Uint8Array(length);
    for (let done = 0; done < length; index += 1) {
      const piece = this.#pieces[index]!;
      const from = offset + done;
      const part = Math.min(length - done, piece.start + piece.length - from);
      read.set(this.#of(piece, from, part), done);
      done += part;
    }
    return read;
  }

  /** Where a range of the patched object lies in the object itself; null where any of it was patched in. */
  storedRange(offset: number, length: number): number | null {
    const piece = this.#pieces[this.#pieceAt(offset)];
    if (piece === undefined || piece.bytes !== null || offset + length > piece.start + piece.length) return null;
    return piece.stored + offset - piece.start;
  }

  #of(piece: Piece, offset: number, length: number): Uint8Array {
    const within = offset - piece.start;
    return piece.bytes === null ? this.#source.read(piece.stored + within, length) : piece.bytes.subarray(within, within + length);
  }

  #pieceAt(offset: number): number {
    let [low, high] = [0, this.#pieces.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.#pieces[middle]!.start <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

/** The same as a stream: `stored` is all bytes of the object in order. Copies nothing. */
export async function* applyPatches(stored: AsyncIterable<Uint8Array>, patches: readonly BytePatch[]): AsyncGenerator<Uint8Array> {
  let position = 0;
  let next = 0;
  /** Stored bytes up to here are not in the patched object. */
  let skipTo = 0;
  for await (const piece of stored) {
    const end = position + piece.length;
    let at = position;
    // One that begins where this piece ends belongs to the next, or to the end of all.
    while (next < patches.length && patches[next]!.offset < end) {
      const { offset, length, bytes } = patches[next]!;
      const from = Math.max(at, skipTo);
      if (offset > from) yield piece.subarray(from - position, offset - position);
      if (bytes.length > 0) yield bytes;
      skipTo = offset + length;
      at = offset;
      next += 1;
    }
    const from = Math.max(at, skipTo);
    if (from < end) yield piece.subarray(from - position);
    position = end;
  }
  for (; next < patches.length; next += 1) if (patches[next]!.bytes.length > 0) yield patches[next]!.bytes;
}
