/**
 * The bytes of an image file or a drive by an open descriptor, read-only. The process that reads a medium is given the descriptor and no path: it can
 * open nothing else.
 */
import { closeSync, readSync } from 'node:fs';
import type { ByteSource } from '@lazaret/dicom/filemap/contract.ts';
import { pieceBytes, type Extent, type Missing, type Piece } from './volume.ts';

/** What is read and cannot be given: outside the medium, or damaged. */
export class MediumError extends Error {
  readonly offset: number;
  constructor(offset: number, text: string) {
    super(text);
    this.offset = offset;
  }
}

/** Structures of file systems are read in windows of this size. */
const windowBytes = 64 * 1024;
/** Longest structure that is read in one piece: a folder of 4,000 files has half a mebibyte. */
const readBytesMax = 64 * 1024 * 1024;
/** The smallest piece that a drive gives or refuses: what is around a damaged one may be whole. */
const sectorBytes = 2048;
/** A drive tries each damaged sector for seconds: after so many in one file the rest of it is given up. */
const badSectorsMax = 16;

export class Device implements ByteSource {
  readonly length: number;
  readonly #descriptor: number;
  #window: Buffer = Buffer.alloc(0);
  #windowAt = 0;
  readonly #large = Buffer.allocUnsafeSlow(pieceBytes);

  constructor(descriptor: number, length: number) {
    this.#descriptor = descriptor;
    this.length = length;
  }

  /** The bytes [offset, offset + length), in memory of their own. Throws MediumError. */
  read(offset: number, length: number): Buffer {
    if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(length) || offset < 0 || length < 0 || offset + length > this.length) throw new MediumError(offset, `it points to byte ${offset}, and the medium has ${this.length}`);
    if (length > readBytesMax) throw new MediumError(offset, `a structure of ${length} bytes is larger than any that is read`);
    if (offset < this.#windowAt || offset + length > this.#windowAt + this.#window.length) {
      if (length > windowBytes) return this.#fill(Buffer.allocUnsafe(length), offset);
      const size = Math.min(windowBytes, this.length - offset);
      let window: Buffer;
      try {
        window = this.#fill(Buffer.allocUnsafe(size), offset);
      } catch {
        // The damage may lie behind what is wanted.
        return this.#fill(Buffer.allocUnsafe(length), offset);
      }
      this.#window = window;
      this.#windowAt = offset;
    }
    return Buffer.from(this.#window.subarray(offset - this.#windowAt, offset - this.#windowAt + length));
  }

  /** All bytes of a file that lies in these extents; `bytes` is its length. Never throws. */
  *pieces(extents: readonly Extent[], bytes: number): Generator<Piece> {
    let at = 0;
    let bad = 0;
    for (const extent of extents) {
      for (let done = 0; done < extent.length && at < bytes;) {
        const want = Math.min(pieceBytes, extent.length - done, bytes - at);
        let piece: Piece | null = null;
        let given = want;
        if (extent.offset < 0) piece = Buffer.alloc(want);
        else if (extent.offset + done >= this.length) {
          yield { offset: at, length: bytes - at, text: `the medium ends before byte ${at} of it` };
          return;
        } else {
          const size = Math.min(want, this.length - extent.offset - done);
          given = size;
          piece = this.#whole(extent.offset + done, size);
          if (piece === null) {
            // Sector by sector around the damage.
            given = Math.min(sectorBytes - ((extent.offset + done) % sectorBytes), size);
            piece = this.#whole(extent.offset + done, given) ?? { offset: at, length: given, text: 'the medium is damaged there' };
            if (piece instanceof Uint8Array === false && (bad += 1) >= badSectorsMax) {
              yield { offset: at, length: bytes - at, text: `the medium is damaged there; after ${badSectorsMax} damaged sectors the rest was not tried` };
              return;
            }
          }
        }
        yield piece;
        done += given;
        at += given;
      }
    }
    if (at < bytes) yield { offset: at, length: bytes - at, text: `the medium names no place for what follows byte ${at}` };
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #whole(offset: number, length: number): Buffer | null {
    try {
      return this.#fill(length === pieceBytes ? this.#large : Buffer.allocUnsafe(length), offset);
    } catch {
      return null;
    }
  }

  #fill(into: Buffer, offset: number): Buffer {
    let done = 0;
    while (done < into.length) {
      let count: number;
      try {
        count = readSync(this.#descriptor, into, done, into.length - done, offset + done);
      } catch (error) {
        throw new MediumError(offset + done, `the medium cannot be read at byte ${offset + done} (${(error as NodeJS.ErrnoException).code ?? 'error'})`);
      }
      if (count === 0) throw new MediumError(offset + done, `the medium ends at byte ${offset + done}`);
      done += count;
    }
    return into;
  }
}

export function missing(offset: number, length: number, text: string): Missing {
  return { offset, length, text };
}
