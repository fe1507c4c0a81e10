/** Bodies of requests in the pieces that are written. */
import type { Readable } from 'node:stream';
import { refused } from '@lazaret/system/failure.ts';
import { pieceBytesMax } from './limits.ts';

const writeBytesMin = 256 * 1024;

/** A body as the pieces that are asked for. */
export class Source {
  readonly #iterator: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);
  #taken = 0;

  constructor(stream: Readable) {
    this.#iterator = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  }

  /** Null at the end; a body that ends inside is refused. */
  async exactly(length: number): Promise<Buffer | null> {
    const pieces: Buffer[] = [];
    for await (const piece of this.next(length)) pieces.push(piece);
    const bytes = Buffer.concat(pieces);
    if (bytes.length !== 0 && bytes.length !== length) throw refused('length-wrong', 'The batch ended in the middle of a file.');
    return bytes.length === 0 ? null : bytes;
  }

  async skip(length: number): Promise<void> {
    for (let left = length; left > 0;) {
      const { done, value } = await this.next(left).next();
      if (done === true) return;
      left -= value.length;
    }
  }

  /** At most `length` bytes. */
  async *next(length: number): AsyncGenerator<Buffer> {
    for (let left = length; left > 0;) {
      if (this.#rest.length === 0) {
        const { done, value } = await this.#iterator.next();
        if (done === true) return;
        this.#rest = value;
        if ((this.#taken += value.length) > pieceBytesMax) throw refused('body-length-exceeded', 'The batch is too long.');
      }
      const piece = this.#rest.subarray(0, left);
      this.#rest = this.#rest.subarray(piece.length);
      left -= piece.length;
      yield piece;
    }
  }
}

/** Reads of the network are 16 to 64 KiB; writes of more cost less. */
export async function* gathered(stream: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let pieces: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const piece of stream) {
      pieces.push(piece);
      bytes += piece.length;
      if (bytes < writeBytesMin) continue;
      yield Buffer.concat(pieces);
      pieces = [];
      bytes = 0;
    }
  } catch (error) {
    // What came before the connection broke is kept.
    if (bytes > 0) yield Buffer.concat(pieces);
    throw error;
  }
  if (bytes > 0) yield Buffer.concat(pieces);
}
