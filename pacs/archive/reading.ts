/**
 * Verified reads of archived files. No byte leaves here that does not belong to the digest the verdict was given for: files up to
 * wholeBytesMax are read into memory whole and checked, larger ones chunk by chunk. What is checked is what is in memory, and that is
 * what is served: nothing is concluded from the time or size of a file.
 */
import { createHash, webcrypto } from 'node:crypto';
import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { Failure, refused, unavailable } from '@lazaret/system/failure.ts';
import { objectPath } from '@lazaret/system/layout.ts';
import type { Verdict } from '../quarantine/contract.ts';
import type { Digest } from '../reception/contract.ts';
import type { StoredInstance } from './instances.ts';
import { applyPatches } from './reconciliation/patching.ts';
import { wholeBytesMax } from './metadata.ts';

/** Checked bytes kept in memory for the next frame of the same file. */
const cachedBytesMax = 64 * 1024 * 1024;
/** Below this a digest is cheaper here than in another thread. */
const inlineDigestBytesMax = 64 * 1024;

export interface ReadingTools {
  /** Folder of archived files. */
  readonly archive: string;
  /** Whether a file may still be seen. It is asked before each piece that is served: what is taken out of sight is not served to its end. */
  isArchived?(digest: Digest): boolean;
  /** Whether a verdict of this signature epoch may still be served. */
  acceptable(epoch: string): boolean;
  /** Asks the keeper to have a stale verdict renewed. */
  recheck(digest: Digest): Promise<{ readonly verdict: Verdict }>;
  /** Tells the keeper that an archived file no longer has its digest. `found` is the digest that it (or a chunk of it) has now, or "". */
  damage(digest: Digest, found: string): Promise<void>;
}

/** Yields checked bytes in order. Throws `digest-mismatch` or `file-missing` (unavailable) in place of the first byte that is not what it was. */
export type VerifiedBytes = AsyncIterable<Uint8Array>;

export interface ArchiveReader {
  /** Throws `verdict-stale` where the instance may not be served (any more). Renews a stale verdict before it answers. */
  admit(instance: StoredInstance): Promise<void>;
  /** All of it as it is served: checked, and then with the patches of its reconciliation, where it has one. */
  whole(instance: StoredInstance): VerifiedBytes;
  /** The bytes [offset, offset + length) of the stored file, which frames and bulk data are served from. Throws `range-invalid` where they are not all inside the file. Views may be shared: do not change them. */
  range(instance: StoredInstance, offset: number, length: number): VerifiedBytes;
}

/** A reader of one archive. Readers share nothing. */
export function readerOf(tools: ReadingTools): ArchiveReader {
  const cache = new Map<Digest, Uint8Array>();
  let cachedBytes = 0;
  /** Reads under way: frames of one file are asked for together. */
  const reading = new Map<Digest, Promise<Uint8Array>>();
  const rechecking = new Map<Digest, Promise<{ readonly verdict: Verdict }>>();

  const remember = (digest: Digest, bytes: Uint8Array): void => {
    cache.set(digest, bytes);
    cachedBytes += bytes.length;
    for (const [oldest, old] of cache) {
      if (cachedBytes <= cachedBytesMax) break;
      cache.delete(oldest);
      cachedBytes -= old.length;
    }
  };

  const stillArchived = (digest: Digest): void => {
    if (tools.isArchived?.(digest) !== false) return;
    cachedBytes -= cache.get(digest)?.length ?? 0;
    cache.delete(digest);
    throw unavailable('object-withdrawn', `the object ${digest} was taken out of sight while it was read`);
  };
  /** Checked bytes, as long as they may be seen. */
  const visible = async function* (digest: Digest, bytes: VerifiedBytes): AsyncGenerator<Uint8Array> {
    for await (const piece of bytes) {
      stillArchived(digest);
      yield piece;
    }
  };

  const readCached = (instance: StoredInstance): Promise<Uint8Array> => {
    const known = cache.get(instance.digest);
    if (known !== undefined) {
      cache.delete(instance.digest);
      cache.set(instance.digest, known);
      return Promise.resolve(known);
    }
    let underway = reading.get(instance.digest);
    if (underway === undefined) {
      underway = readWhole(tools, instance).then((bytes) => {
        remember(instance.digest, bytes);
        return bytes;
      }).finally(() => reading.delete(instance.digest));
      reading.set(instance.digest, underway);
    }
    return underway;
  };

  const stored = async function* (instance: StoredInstance): AsyncGenerator<Uint8Array> {
    stillArchived(instance.digest);
    if (instance.bytes > wholeBytesMax) return yield* visible(instance.digest, readChunks(tools, instance, 0, instance.bytes));
    const bytes = cache.get(instance.digest) ?? await readWhole(tools, instance);
    stillArchived(instance.digest);
    yield bytes;
  };

  return {
    async admit(instance) {
      if (tools.acceptable(instance.epoch)) return;
      let underway = rechecking.get(instance.digest);
      if (underway === undefined) {
        underway = tools.recheck(instance.digest).finally(() => rechecking.delete(instance.digest));
        rechecking.set(instance.digest, underway);
      }
      const { verdict } = await underway;
      if (verdict !== 'clean') throw unavailable('verdict-stale', `the object was inspected again before it was served and is ${verdict}: it is held`);
    },
    whole: (instance) => (instance.patches === null ? stored(instance) : applyPatches(stored(instance), instance.patches)),
    async* range(instance, offset, length) {
      if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(length) || offset < 0 || length < 0 || offset + length > instance.bytes) {
        throw refused('range-invalid', `bytes ${offset} to ${offset + length} are not inside the ${instance.bytes} bytes of the object`);
      }
      if (length === 0) return;
      stillArchived(instance.digest);
      if (instance.bytes > wholeBytesMax) return yield* visible(instance.digest, readChunks(tools, instance, offset, length));
      const bytes = await readCached(instance);
      stillArchived(instance.digest);
      yield bytes.subarray(offset, offset + length);
    },
  };
}

/** All of a small file, checked. */
async function readWhole(tools: ReadingTools, instance: StoredInstance): Promise<Uint8Array> {
  const file = await openArchived(tools, instance);
  let bytes: Uint8Array;
  try {
    bytes = await readExactly(tools, instance, file, 0, instance.bytes);
  } finally {
    await file.close();
  }
  const found = await digestOf(bytes);
  if (found !== instance.digest) throw await damaged(tools, instance, found);
  return bytes;
}

/** The chunks that cover a range, each checked before any of it is yielded; the next one is read meanwhile. */
async function* readChunks(tools: ReadingTools, instance: StoredInstance, offset: number, length: number): AsyncGenerator<Uint8Array> {
  const { chunks } = instance;
  if (chunks === null) throw unavailable('digest-missing', `the object has ${instance.bytes} bytes and no digests of its parts: it cannot be checked as it is read`);
  const file = await openArchived(tools, instance);
  const read = async (index: number): Promise<Uint8Array> => {
    const start = index * chunks.size;
    const bytes = await readExactly(tools, instance, file, start, Math.min(chunks.size, instance.bytes - start));
    const found = await digestOf(bytes);
    if (found !== chunks.digests[index]) throw await damaged(tools, instance, found);
    return bytes;
  };
  let next: Promise<Uint8Array> | null = null;
  try {
    const last = Math.floor((offset + length - 1) / chunks.size);
    for (let index = Math.floor(offset / chunks.size); index <= last; index += 1) {
      const bytes = await (next ?? read(index));
      next = index < last ? read(index + 1) : null;
      // Its failure is met by the next turn, which never comes when the reader goes away.
      next?.catch(() => {});
      const start = index * chunks.size;
      yield bytes.subarray(Math.max(0, offset - start), Math.min(bytes.length, offset + length - start));
    }
  } finally {
    await next?.catch(() => {});
    await file.close();
  }
}

async function openArchived(tools: ReadingTools, instance: StoredInstance): Promise<FileHandle> {
  try {
    return await open(objectPath(tools.archive, instance.digest), constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'ELOOP') throw unavailable('file-unreadable', `the archived object ${instance.digest} cannot be opened: ${String(code)}`, error);
    throw unavailable('file-missing', `the archived object ${instance.digest} is not where it was put${await report(tools, instance, '')}`);
  }
}

/** Exactly these bytes; a file that ends before is damaged. */
async function readExactly(tools: ReadingTools, instance: StoredInstance, file: FileHandle, position: number, length: number): Promise<Uint8Array> {
  const bytes = Buffer.allocUnsafeSlow(length);
  let done = 0;
  while (done < length) {
    let bytesRead: number;
    try {
      ({ bytesRead } = await file.read(bytes, done, length - done, position + done));
    } catch (error) {
      throw unavailable('file-unreadable', `the archived object ${instance.digest} cannot be read: ${String((error as NodeJS.ErrnoException).code)}`, error);
    }
    if (bytesRead === 0) throw await damaged(tools, instance, createHash('sha256').update(bytes.subarray(0, done)).digest('hex'));
    done += bytesRead;
  }
  return bytes;
}

/** SHA-256 in hex; of much data in a thread of the pool, so that several requests use several cores. */
async function digestOf(bytes: Uint8Array): Promise<string> {
  if (bytes.length <= inlineDigestBytesMax) return createHash('sha256').update(bytes).digest('hex');
  return Buffer.from(await webcrypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>)).toString('hex');
}

async function damaged(tools: ReadingTools, instance: StoredInstance, found: string): Promise<Failure> {
  return unavailable('digest-mismatch', `the archived object ${instance.digest} is damaged: its bytes have another digest${await report(tools, instance, found)}`);
}

/** Tells the keeper. What the user agent gets does not depend on whether that worked. */
async function report(tools: ReadingTools, instance: StoredInstance, found: string): Promise<string> {
  try {
    await tools.damage(instance.digest, found);
    return '';
  } catch (error) {
    return ` (and the keeper could not be told: ${error instanceof Error ? error.message : String(error)})`;
  }
}
