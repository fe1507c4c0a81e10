/**
 * One object on its way into the arriving area: written and hashed as it comes, in the pieces in which it comes. Writes are synchronous:
 * a write of some 128 KiB into the page cache costs less than handing it to a thread, and a disk that cannot keep up slows the sender by itself.
 */
import { createHash, type Hash } from 'node:crypto';
import { closeSync, constants, fdatasync, openSync, rmSync, statfsSync, writevSync } from 'node:fs';
import { join } from 'node:path';
import { syncFolder } from '@lazaret/system/durable.ts';
import { unavailable, type Failure } from '@lazaret/system/failure.ts';
import type { Digest, ObjectId } from '../contract.ts';
import { diskCheckBytes, writeBytesMin, writePiecesMax } from './limits.ts';

/**
 * File systems whose journal writes the making of a file and its entry in the folder together, so that fdatasync of a file that was just
 * made brings the entry along: ext4, XFS, Btrfs; and tmpfs, where nothing is durable. On any other the folder is synced, too, which costs
 * one more commit of the journal for each object. Numbers of statfs(2).
 */
const entriesFollowFiles: ReadonlySet<number> = new Set([0xef53, 0x58465342, 0x9123683e, 0x01021994]);

/** The folder that objects arrive in. */
export class ArrivingArea {
  readonly folder: string;
  readonly diskFreeBytesMin: number;
  readonly #entriesFollow: boolean;

  constructor(folder: string, diskFreeBytesMin: number) {
    this.folder = folder;
    this.diskFreeBytesMin = diskFreeBytesMin;
    this.#entriesFollow = entriesFollowFiles.has(statfsSync(folder).type);
  }

  /** Makes the entries durable that were made before the call. */
  sync(): Promise<void> {
    return this.#entriesFollow ? Promise.resolve() : syncFolder(this.folder);
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
  readonly #folderSync: Promise<void>;
  #descriptor: number;
  #pieces: Uint8Array[] = [];
  #pending = 0;
  #bytes = 0;
  #checkAt = diskCheckBytes;

  /** Creates the file and starts to make its entry durable, which goes on while the data come. Throws `unavailable`. */
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
    this.#folderSync = area.sync();
    this.#folderSync.catch(() => {});
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

  /** Makes bytes and entry durable. When it rejects, the file is gone. */
  async finish(): Promise<Arrived> {
    try {
      this.#flush();
      await Promise.all([datasync(this.#descriptor), this.#folderSync]);
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

function datasync(descriptor: number): Promise<void> {
  return new Promise((resolve, reject) => fdatasync(descriptor, (error) => (error === null ? resolve() : reject(error))));
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
