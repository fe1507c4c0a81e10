/**
 * The writing end of the audit log: one process (the keeper) appends groups of messages, each durable before anything that it
 * tells of is acknowledged (promise 4).
 *
 * Entries are written in one write and made durable by fdatasync in the thread pool. Leaf hashes follow with the
 * next checkpoint: they are made again from the entries when a crash took them. A checkpoint signs the root once a second while
 * there is something new, and at the end.
 *
 * After a crash `open` continues from the last checkpoint: it reads what comes after it, checks it against the leaf hashes, and
 * cuts off a tail only where the last entry is incomplete (which was then never acknowledged); the cut bytes are set aside in a file,
 * and `recovered` says so. Anything else that is not as it was written is damage: it refuses to go on.
 *
 * What this cannot promise: whoever can write the data directory can also use the key in it. Against such a one a copy of a
 * checkpoint kept elsewhere helps (`audit verify` prints one).
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { closeSync, fdatasync, fdatasyncSync, fstatSync, ftruncateSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { makeFolder, replaceFile, statFile, syncFolder } from '@lazaret/system/durable.ts';
import { refused, unavailable } from '@lazaret/system/failure.ts';
import { encodeMessage } from './encode.ts';
import {
  checkpointsPath, decodeCheckpoint, encodeCheckpoint, entryBytesMax, frameEntry, frameLength, framingBytes, keyPath, leafBytes,
  publicKeyPath, segmentAt, segmentBytesMax, segmentsOf, type Checkpoint,
} from './files.ts';
import type { AuditMessage } from './message.ts';
import { leafHash, Tree } from './tree.ts';

const datasync = promisify(fdatasync);
/** At most one signature in this time: it costs as much as ten entries, and the leaf hashes cover the time between. */
const checkpointEveryMs = 1_000;

/** What `open` had to do, for the first message of the new run. Empty strings of text mean: nothing. */
export interface Recovered {
  /** Bytes of an incomplete last entry that were cut off, and the file that now holds them. */
  readonly tornBytes: number;
  readonly tornFile: string;
  /** Entries after the last checkpoint that were checked against their leaf hashes, or whose leaf hashes were made again. */
  readonly entriesChecked: number;
  readonly leavesMade: number;
}

export class AuditLog {
  readonly #folder: string;
  readonly #key: KeyObject;
  readonly #segmentMax: number;
  readonly #tree: Tree;
  readonly recovered: Recovered;
  #entries: number;
  #leaves: number;
  #bytes: number;
  readonly #checkpoints: number;
  #checkpointed: number;
  /** Records of entries since the last checkpoint: written with it. */
  #newLeaves: Buffer[] = [];
  #timer: NodeJS.Timeout | null = null;
  #failed: unknown = null;
  readonly #syncing = new Set<Promise<void>>();

  private constructor(folder: string, key: KeyObject, segmentMax: number, state: { tree: Tree; entries: number; leaves: number; bytes: number; checkpoints: number; checkpointed: number; recovered: Recovered }) {
    this.#folder = folder;
    this.#key = key;
    this.#segmentMax = segmentMax;
    this.#tree = state.tree;
    this.#entries = state.entries;
    this.#leaves = state.leaves;
    this.#bytes = state.bytes;
    this.#checkpoints = state.checkpoints;
    this.#checkpointed = state.checkpointed;
    this.recovered = state.recovered;
  }

  /** Opens the log in `folder`, made if it is not there. Rejects with `audit-damaged` when bytes are not as they were written. */
  static async open(folder: string, limits: { readonly segmentBytesMax: number } = { segmentBytesMax }): Promise<AuditLog> {
    await makeFolder(folder);
    const key = await openKey(folder);
    const checkpointFile = openSync(checkpointsPath(folder), 'a+', 0o600);
    const last = lastCheckpoint(folder, checkpointFile, createPublicKey(key));
    const segments = segmentsOf(folder);
    if (segments.length === 0 && last.size > 0) throw damaged(`its checkpoint counts ${last.size} entries, but there is no segment`);
    const segment = segments.at(-1) ?? segmentAt(folder, 0);
    const tree = Tree.of(last.size, last.peaks);
    // A segment may have been begun after the last checkpoint: what is unchecked can lie in more than one.
    const unchecked = segments.filter((each, index) => (segments[index + 1]?.first ?? Infinity) > last.size && each !== segment);
    let checked = 0;
    for (const each of unchecked) checked += readTail(each, tree, last.size, false).checked;
    const entries = openSync(segment.entries, 'a+', 0o600);
    const leaves = openSync(segment.leaves, 'a+', 0o600);
    if (segments.length === 0) await syncFolder(folder);
    if (tree.size < segment.first) throw damaged(`segment ${segment.entries} begins with entry ${segment.first}, but only ${tree.size} come before it`);
    const tail = readTail(segment, tree, last.size, true);
    let tornFile = '';
    if (tail.torn > 0) {
      tornFile = join(folder, `torn-${segment.first}-${tail.bytes}.bin`);
      await replaceFile(tornFile, readFileSync(segment.entries).subarray(tail.bytes));
      ftruncateSync(entries, tail.bytes);
      fdatasyncSync(entries);
    }
    ftruncateSync(leaves, (tree.size - tail.made.length - segment.first) * leafBytes);
    writeWhole(leaves, Buffer.concat(tail.made));
    return new AuditLog(folder, key, limits.segmentBytesMax, {
      tree, entries, leaves, bytes: tail.bytes, checkpoints: checkpointFile, checkpointed: last.size,
      recovered: { tornBytes: tail.torn, tornFile, entriesChecked: checked + tail.checked, leavesMade: tail.made.length },
    });
  }

  /** How many entries there are. */
  get size(): number {
    return this.#tree.size;
  }
  root(): Buffer {
    return this.#tree.root();
  }

  /**
   * Appends messages in order. They are written when it returns and durable when the promise resolves; with `durable` false they are
   * durable only with the next ones that are, or with the next checkpoint. Throws `audit-unavailable` with nothing written when the disk
   * has no room, and for good after a sync has failed.
   */
  append(messages: readonly AuditMessage[], durable = true): Promise<void> {
    if (this.#failed !== null) throw unavailable('audit-unavailable', 'the audit log failed earlier and is closed', this.#failed);
    if (messages.length === 0) return Promise.resolve();
    const frames: Buffer[] = [];
    const leaves: Buffer[] = [];
    for (const message of messages) {
      const xml = Buffer.from(encodeMessage(message), 'utf8');
      if (xml.length > entryBytesMax) throw refused('message-length-exceeded', `an audit message of ${xml.length} bytes; at most ${entryBytesMax} are taken`);
      frames.push(frameEntry(xml));
      leaves.push(leafRecord(xml));
    }
    if (this.#bytes >= this.#segmentMax) this.#rotate();
    const bytes = Buffer.concat(frames);
    try {
      writeWhole(this.#entries, bytes);
    } catch (error) {
      // Nothing of the group may stay, or a group that was refused would be on the record.
      ftruncateSync(this.#entries, this.#bytes);
      throw unavailable('audit-unavailable', 'the audit log cannot be written', error);
    }
    this.#bytes += bytes.length;
    for (const leaf of leaves) this.#tree.push(leaf.subarray(4));
    this.#newLeaves.push(...leaves);
    this.#timer ??= setTimeout(() => this.#checkpointLater(), checkpointEveryMs).unref();
    if (!durable) return Promise.resolve();
    const synced = datasync(this.#entries).catch((error: unknown) => {
      this.#failed = error;
      throw unavailable('audit-unavailable', 'the audit log could not be made durable', error);
    });
    this.#syncing.add(synced);
    void synced.catch(() => {}).then(() => this.#syncing.delete(synced));
    return synced;
  }

  /** Signs the root of all entries and makes it durable. */
  checkpoint(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#checkpointed === this.#tree.size) return;
    // A checkpoint never counts an entry that could still be lost.
    fdatasyncSync(this.#entries);
    this.#writeLeaves();
    fdatasyncSync(this.#leaves);
    writeWhole(this.#checkpoints, Buffer.from(`${encodeCheckpoint(this.#tree, Date.now(), this.#key)}\n`));
    fdatasyncSync(this.#checkpoints);
    this.#checkpointed = this.#tree.size;
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#syncing);
    if (this.#failed === null) this.checkpoint();
    if (this.#timer !== null) clearTimeout(this.#timer);
    for (const file of [this.#entries, this.#leaves, this.#checkpoints]) closeSync(file);
  }

  /** The same without blocking the process for three syncs: the tree is taken as it is now, the files follow in the thread pool. */
  #checkpointLater(): void {
    this.#timer = null;
    const tree = this.#tree.copy();
    if (this.#failed !== null || this.#checkpointed === tree.size) return;
    const line = Buffer.from(`${encodeCheckpoint(tree, Date.now(), this.#key)}\n`);
    try {
      this.#writeLeaves();
    } catch (error) {
      this.#failed = error;
      return;
    }
    const synced = Promise.all([datasync(this.#entries), datasync(this.#leaves)])
      .then(() => {
        // `checkpoint` may have been called meanwhile and have counted more.
        if (this.#checkpointed >= tree.size) return undefined;
        writeWhole(this.#checkpoints, line);
        this.#checkpointed = tree.size;
        return datasync(this.#checkpoints);
      })
      .catch((error: unknown) => {
        this.#failed = error;
      });
    this.#syncing.add(synced);
    void synced.then(() => this.#syncing.delete(synced));
  }

  #writeLeaves(): void {
    const leaves = this.#newLeaves;
    this.#newLeaves = [];
    writeWhole(this.#leaves, Buffer.concat(leaves));
  }

  #rotate(): void {
    this.checkpoint();
    closeSync(this.#entries);
    closeSync(this.#leaves);
    const segment = segmentAt(this.#folder, this.#tree.size);
    this.#entries = openSync(segment.entries, 'ax', 0o600);
    this.#leaves = openSync(segment.leaves, 'ax', 0o600);
    const folder = openSync(this.#folder, 'r');
    fdatasyncSync(folder);
    closeSync(folder);
    this.#bytes = 0;
  }
}

function leafRecord(xml: Buffer): Buffer {
  const record = Buffer.allocUnsafe(leafBytes);
  record.writeUInt32BE(xml.length, 0);
  leafHash(xml).copy(record, 4);
  return record;
}

function writeWhole(file: number, bytes: Buffer): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done, bytes.length - done);
}

function damaged(what: string): Error {
  return unavailable('audit-damaged', `The audit log is not as it was written: ${what}. \`./lazaret audit verify\` says what changed and where.`);
}

async function openKey(folder: string): Promise<KeyObject> {
  if ((await statFile(keyPath(folder))) === null) {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    await replaceFile(publicKeyPath(folder), publicKey.export({ type: 'spki', format: 'pem' }));
    await replaceFile(keyPath(folder), privateKey.export({ type: 'pkcs8', format: 'pem' }));
  }
  return createPrivateKey(readFileSync(keyPath(folder)));
}

/** Longest line of checkpoints.log: 53 peaks of 64 digits and the rest. */
const checkpointBytesMax = 8 * 1024;

function lastCheckpoint(folder: string, file: number, key: KeyObject): Checkpoint {
  const size = fstatSync(file).size;
  const from = Math.max(0, size - 2 * checkpointBytesMax);
  const tail = Buffer.alloc(size - from);
  readSync(file, tail, 0, tail.length, from);
  const whole = tail.lastIndexOf(0x0a) + 1;
  // A line that a crash tore was of a checkpoint nobody has seen yet.
  if (whole < tail.length) ftruncateSync(file, from + whole);
  const line = tail.toString('utf8', 0, whole).trimEnd().split('\n').at(-1) ?? '';
  if (line === '') return { size: 0, root: new Tree().root(), peaks: [], time: 0 };
  const checkpoint = decodeCheckpoint(line, key);
  if (checkpoint === null) throw damaged(`the last line of ${checkpointsPath(folder)} is not signed by its key`);
  return checkpoint;
}

/**
 * Reads the entries of one segment from number `from` on into `tree`. Where `open` (the last segment, which a crash may have torn),
 * an incomplete last entry is counted in `torn` and missing leaf records come back in `made`.
 */
function readTail(segment: { first: number; entries: string; leaves: string }, tree: Tree, from: number, open: boolean): { bytes: number; torn: number; checked: number; made: Buffer[] } {
  const bytes = readFileSync(segment.entries);
  const leaves = readFileSync(segment.leaves);
  const records = Math.floor(leaves.length / leafBytes);
  let offset = 0;
  let number = segment.first;
  let checked = 0;
  const made: Buffer[] = [];
  while (offset < bytes.length) {
    const length = bytes.length - offset < 9 ? null : frameLength(bytes, offset);
    const end = length === null ? Infinity : offset + framingBytes + length;
    if (end > bytes.length) {
      if (!open || !isTorn(bytes, offset, length) || number < from) throw damaged(`entry ${number} in ${segment.entries} at ${offset} cannot be read`);
      return { bytes: offset, torn: bytes.length - offset, checked, made };
    }
    if (bytes[end - 1] !== 0x0a) throw damaged(`entry ${number} in ${segment.entries} at ${offset} has no end`);
    if (number >= from) {
      const record = leafRecord(bytes.subarray(offset + 9, end - 1));
      const known = number - segment.first;
      if (known < records && !leaves.subarray(known * leafBytes, (known + 1) * leafBytes).equals(record)) throw damaged(`entry ${number} in ${segment.entries} at ${offset} does not have its hash`);
      if (known >= records) made.push(record);
      tree.push(record.subarray(4));
      checked += 1;
    }
    offset = end;
    number += 1;
  }
  if (number < from && open) throw damaged(`a checkpoint counts ${from} entries, but ${segment.entries} ends after entry ${number}`);
  return { bytes: offset, torn: 0, checked, made };
}

/** The start of a frame and no more, or what a file system leaves of a write that it had made room for only: zeros. */
function isTorn(bytes: Buffer, offset: number, length: number | null): boolean {
  if (length !== null) return true;
  const rest = bytes.subarray(offset);
  if (rest.length < 9) return /^[0-9a-f]*$/.test(rest.toString('latin1', 0, Math.min(rest.length, 8)));
  return rest.every((byte) => byte === 0);
}
