/**
 * One object on its way into the arriving area: written and hashed as it comes, in the pieces in which it comes. Writes are synchronous:
 * a write of some 128 KiB into the page cache costs less than handing it to a thread, and a disk that cannot keep up slows the sender by itself.
 */
import { createHash, type Hash } from 'node:crypto';
import { closeSync, constants, openSync, rmSync, statfsSync, writevSync } from 'node:fs';
import { join } from 'node:path';
import { unavailable, type Failure } from '@lazaret/system/failure.ts';
import type { Digest, ObjectId } from './contract.ts';

/** What a stored object's bytes wait for in memory before they go to the file: two reads of the network at most. */
const writeBytesMin = 128 * 1024;
/** Small pieces are views into reads of up to 64 KiB, which they keep alive. */
const writePiecesMax = 32;
/** How many bytes of one object are written between two looks at the free space. */
const diskCheckBytes = 32 * 1024 * 1024;

/** The folder that objects arrive in. */
export class ArrivingArea {
  readonly folder: string;
  readonly diskFreeBytesMin: number;

  constructor(folder: string, diskFreeBytesMin: number) {
    this.folder = folder;
    this.diskFreeBytesMin = diskFreeBytesMin;
  }

  /** Refuses early, while there is still room for what was already received and for the record of refusing. Throws `disk-full`. */
  requireFreeSpace(): void {
    const { bavail, bsize } = statfsSync(this.folder);
    if (bavail * bsize < this.diskFreeBytesMin) throw unavailable('disk-full', `the disk is nearly full: ${Math.floor((bavail * bsize) / 1024 ** 2)} MiB are free`);
  }
}

export interface Arrived {
  readonly bytes: number;
  readonly sha256: Digest;
}

export class Arrival {
  readonly objectId: ObjectId;
  readonly #path: string;
  readonly #area: ArrivingArea;
  readonly #hash: Hash = createHash('sha256');
  #descriptor: number;
  #pieces: Uint8Array[] = [];
  #pending = 0;
  #bytes = 0;
  #checkAt = diskCheckBytes;

  /** Creates the file. Throws `unavailable`. */
  constructor(area: ArrivingArea, objectId: ObjectId, prefix: Uint8Array) {
    this.objectId = objectId;
    this.#area = area;
    this.#path = join(area.folder, objectId);
    area.requireFreeSpace();
    try {
      this.#descriptor = openSync(this.#path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600);
    } catch (error) {
      throw failureOf(error);
    }
    if (prefix.length > 0) this.write(prefix);
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Takes bytes. `piece` must stay as it is until `finish` or `discard`. Throws `unavailable` when they cannot be written. */
  write(piece: Uint8Array): void {
    this.#hash.update(piece);
    this.#bytes += piece.length;
    this.#pieces.push(piece);
    this.#pending += piece.length;
    if (this.#pending >= writeBytesMin || this.#pieces.length >= writePiecesMax) this.#flush();
  }

  #flush(): void {
    if (this.#pending === 0) return;
    const pieces = this.#pieces;
    this.#pieces = [];
    try {
      let written = writevSync(this.#descriptor, pieces);
      // A short write: the disk is all but full, or a signal came. What is left goes again until the error itself comes.
      while (written < this.#pending) {
        this.#pending -= written;
        dropBytes(pieces, written);
        written = writevSync(this.#descriptor, pieces);
        if (written === 0) throw unavailable('disk-full', 'nothing more can be written to the arriving area');
      }
    } catch (error) {
      throw failureOf(error);
    }
    this.#pending = 0;
    if (this.#bytes >= this.#checkAt) {
      this.#checkAt = this.#bytes + diskCheckBytes;
      this.#area.requireFreeSpace();
    }
  }

  /** All bytes are in the file. The keeper makes it durable, side by side with the ledger, when it admits it. When this throws, the file is gone. */
  finish(): Arrived {
    try {
      this.#flush();
    } catch (error) {
      this.discard();
      throw failureOf(error);
    }
    closeSync(this.#descriptor);
    this.#descriptor = -1;
    return { bytes: this.#bytes, sha256: this.#hash.digest('hex') as Digest };
  }

  /** Removes the file. It was never acknowledged, so its removal need not be durable: what a crash leaves is discarded at the next start. */
  discard(): void {
    if (this.#descriptor !== -1) closeSync(this.#descriptor);
    this.#descriptor = -1;
    this.#pieces = [];
    rmSync(this.#path, { force: true });
  }
}

function dropBytes(pieces: Uint8Array[], count: number): void {
  let left = count;
  while (left > 0 && pieces.length > 0) {
    const first = pieces[0]!;
    if (first.length <= left) pieces.shift();
    else pieces[0] = first.subarray(left);
    left -= Math.min(left, first.length);
  }
}

const fullCodes = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

function failureOf(error: unknown): Failure {
  if ((error as Error).name === 'Failure') return error as Failure;
  const code = (error as NodeJS.ErrnoException).code ?? '';
  if (fullCodes.has(code)) return unavailable('disk-full', 'there is no space left for objects', error);
  return unavailable('arriving-unwritable', `the arriving area cannot be written: ${code}`, error);
}
