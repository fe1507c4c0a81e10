/**
 * One object on its way into the arriving area: gathered into blocks, each of which is hashed and written at once. Writes are synchronous:
 * a write of some 256 KiB into the page cache costs less than handing it to a thread, and a disk that cannot keep up slows the sender by itself.
 */
import { createHash, type Hash } from 'node:crypto';
import { closeSync, constants, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { unavailable, type Failure } from '@lazaret/system/failure.ts';
import type { Digest, ObjectId } from './contract.ts';

/**
 * Bytes are copied into a block as they come, so that the 16 KiB that TLS gives at a time can be given back at once. Hash and write then take 16
 * times as much in one call; of 256 KiB the copy is still in the processor's cache.
 */
const blockBytes = 256 * 1024;
/** Blocks that wait for the next object: as many as objects usually come side by side. */
const idleBlocksMax = 8;
const idleBlocks: Uint8Array[] = [];
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
  #block: Uint8Array | null = null;
  /** Bytes in the block. */
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

  /** Takes bytes; `piece` is not needed any more when this returns. Throws `unavailable` when they cannot be written. */
  write(piece: Uint8Array): void {
    this.#bytes += piece.length;
    let rest = piece;
    while (rest.length > 0) {
      if (this.#pending === 0 && rest.length >= blockBytes) return this.#append(rest);
      this.#block ??= idleBlocks.pop() ?? Buffer.allocUnsafeSlow(blockBytes);
      const part = rest.length <= blockBytes - this.#pending ? rest : rest.subarray(0, blockBytes - this.#pending);
      this.#block.set(part, this.#pending);
      this.#pending += part.length;
      if (this.#pending === blockBytes) this.#flush();
      rest = rest.subarray(part.length);
    }
  }

  #flush(): void {
    if (this.#pending === 0) return;
    const gathered = this.#block!.subarray(0, this.#pending);
    this.#pending = 0;
    this.#append(gathered);
  }

  #append(bytes: Uint8Array): void {
    this.#hash.update(bytes);
    try {
      // A short write: the disk is all but full, or a signal came. What is left goes again until the error itself comes.
      for (let written = 0; written < bytes.length;) {
        const count = writeSync(this.#descriptor, bytes, written);
        if (count === 0) throw unavailable('disk-full', 'nothing more can be written to the arriving area');
        written += count;
      }
    } catch (error) {
      throw failureOf(error);
    }
    if (this.#bytes >= this.#checkAt) {
      this.#checkAt = this.#bytes + diskCheckBytes;
      this.#area.requireFreeSpace();
    }
  }

  #giveBack(): void {
    if (this.#block !== null && idleBlocks.length < idleBlocksMax) idleBlocks.push(this.#block);
    this.#block = null;
    this.#pending = 0;
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
    this.#giveBack();
    return { bytes: this.#bytes, sha256: this.#hash.digest('hex') as Digest };
  }

  /** Removes the file. It was never acknowledged, so its removal need not be durable: what a crash leaves is discarded at the next start. */
  discard(): void {
    if (this.#descriptor !== -1) closeSync(this.#descriptor);
    this.#descriptor = -1;
    this.#giveBack();
    rmSync(this.#path, { force: true });
  }
}

const fullCodes = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

function failureOf(error: unknown): Failure {
  if ((error as Error).name === 'Failure') return error as Failure;
  const code = (error as NodeJS.ErrnoException).code ?? '';
  if (fullCodes.has(code)) return unavailable('disk-full', 'there is no space left for objects', error);
  return unavailable('arriving-unwritable', `the arriving area cannot be written: ${code}`, error);
}
