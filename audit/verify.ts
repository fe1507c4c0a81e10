/**
 * Verification of the log from its bytes alone: every entry is read again, every hash made again, and the tree compared with every
 * signed checkpoint. What is wrong is located: file, entry, offset, and where one byte explains it, that byte.
 *
 * Who says what: the entries are the record. The leaf hashes say of each entry whether it changed and how long it was, so that after a
 * removed or inserted byte the following entries are found again. The checkpoints, signed, say that entries and leaf hashes were not
 * changed together. Entries after the last checkpoint (at most a second's) have no leaf hash yet and are only checked to be whole.
 */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { checkpointsPath, decodeCheckpoint, frameLength, framingBytes, leafBytes, publicKeyPath, segmentsOf, type Checkpoint, type Segment } from './files.ts';
import { pinpoint } from './pinpoint.ts';
import { leafHash, Tree } from './tree.ts';

export interface AuditProblem {
  /** Closed list: entry-changed, entry-removed, bytes-inserted, entries-missing, leaf-changed, leaves-missing, bytes-unexplained, tail-incomplete, checkpoint-changed, checkpoint-mismatch, key-missing, segment-missing. */
  readonly code: string;
  readonly file: string;
  /** Number of the entry, or -1 where it is about none. */
  readonly entry: number;
  /** Byte offset in `file`, of the exact byte where it could be found, else of where the entry begins; -1 where it is about no byte. */
  readonly offset: number;
  readonly text: string;
}

export interface Verification {
  readonly entries: number;
  readonly root: string;
  readonly checkpoints: number;
  /** Size and root of the last signed checkpoint, to be kept elsewhere; null where there is none. */
  readonly last: { readonly size: number; readonly root: string; readonly time: number } | null;
  readonly problems: readonly AuditProblem[];
}

/** More than this and the log was not touched but lost; the first ones say where. */
const problemsMax = 100;

/** Verifies the log in `folder`. Safe while the keeper writes: an entry that is just being written is not yet a problem. */
export function verifyLog(folder: string): Verification {
  const problems: AuditProblem[] = [];
  const add = (problem: AuditProblem): void => {
    if (problems.length < problemsMax) problems.push(problem);
  };
  // The checkpoints first: entries that are appended meanwhile are then more, never fewer.
  const { checkpoints, lines } = readCheckpoints(folder, add);
  const tree = new Tree();
  const trusted = new Map(checkpoints.map((checkpoint) => [checkpoint.size, checkpoint]));
  let lastGood = 0;
  let mismatch = false;
  const counted = (): void => {
    const checkpoint = trusted.get(tree.size);
    if (checkpoint === undefined) return;
    if (checkpoint.root.equals(tree.root())) {
      lastGood = tree.size;
      return;
    }
    // The first one says where; the later ones all differ after it.
    if (!mismatch && problems.every((problem) => problem.entry < 0)) {
      add({ code: 'checkpoint-mismatch', file: checkpointsPath(folder), entry: lastGood, offset: -1, text: `The entries ${lastGood} to ${tree.size - 1} do not have the root that was signed: entries and their hashes were changed together.` });
    }
    mismatch = true;
  };
  const segments = segmentsOf(folder);
  if (segments.length > 0 && segments[0]!.first !== 0) add({ code: 'segment-missing', file: segments[0]!.entries, entry: 0, offset: -1, text: `The segments before entry ${segments[0]!.first} are gone.` });
  for (const [index, segment] of segments.entries()) {
    const next = segments[index + 1];
    verifySegment(segment, next?.first ?? null, tree, add, counted);
    if (next !== undefined && tree.size !== next.first) add({ code: 'segment-missing', file: next.entries, entry: tree.size, offset: -1, text: `The next segment begins with entry ${next.first}, but ${tree.size} is the next number.` });
  }
  const last = checkpoints.at(-1) ?? null;
  if (last !== null && last.size > tree.size) {
    add({ code: 'entries-missing', file: segments.at(-1)?.entries ?? folder, entry: tree.size, offset: -1, text: `A signed checkpoint counts ${last.size} entries, there are only ${tree.size}: the end was cut off.` });
  }
  return {
    entries: tree.size, root: tree.root().toString('hex'), checkpoints: lines, problems,
    last: last === null ? null : { size: last.size, root: last.root.toString('hex'), time: last.time },
  };
}

function verifySegment(segment: Segment, endsBefore: number | null, tree: Tree, add: (problem: AuditProblem) => void, counted: () => void): void {
  // The leaf hashes first, for the same reason as the checkpoints.
  const leaves = existsSync(segment.leaves) ? readFileSync(segment.leaves) : Buffer.alloc(0);
  const bytes = readFileSync(segment.entries);
  const records = Math.floor(leaves.length / leafBytes);
  if (leaves.length % leafBytes !== 0 && endsBefore !== null) add({ code: 'leaf-changed', file: segment.leaves, entry: segment.first + records, offset: records * leafBytes, text: 'The file of leaf hashes does not end with a whole record.' });
  let offset = 0;
  for (let number = segment.first; ; number++) {
    const index = number - segment.first;
    const record = index < records ? { length: leaves.readUInt32BE(index * leafBytes), hash: leaves.subarray(index * leafBytes + 4, (index + 1) * leafBytes) } : null;
    const found = entryAt(bytes, offset);
    if (record === null) {
      if (offset === bytes.length) return;
      if (endsBefore !== null) {
        add(number < endsBefore
          ? { code: 'leaves-missing', file: segment.leaves, entry: number, offset: leaves.length, text: `The leaf hashes from entry ${number} on are gone.` }
          : { code: 'bytes-unexplained', file: segment.entries, entry: number, offset, text: `${bytes.length - offset} bytes follow the last entry of a closed segment.` });
        if (number >= endsBefore) return;
      }
      if (found === null) {
        const rest = bytes.length - offset;
        add({ code: 'tail-incomplete', file: segment.entries, entry: number, offset, text: `${rest} bytes at the end are no whole entry: a crash tore an entry that was never acknowledged (the next start sets it aside), or it was changed.` });
        return;
      }
      tree.push(leafHash(found));
      counted();
      offset += found.length + framingBytes;
      continue;
    }
    if (found !== null && found.length === record.length && leafHash(found).equals(record.hash)) {
      tree.push(Buffer.from(record.hash));
      counted();
      offset += found.length + framingBytes;
      continue;
    }
    // Something is wrong with this entry or with its record.
    const resumed = resume(bytes, offset, leaves, index, records);
    if (found !== null && resumed.shift === found.length - record.length && entryIsRecordedNext(bytes, offset + found.length + framingBytes, leaves, index + 1, records)) {
      locate(segment, number, bytes, offset, found, record, leaves, index, add);
    } else if (resumed.skipped === 0) {
      add({ code: 'bytes-inserted', file: segment.entries, entry: number, offset, text: `${resumed.offset - offset} bytes stand before entry ${number} that were never recorded.` });
    } else if (resumed.offset === offset && resumed.shift < 0 && resumed.skipped === 1) {
      add({ code: 'entry-removed', file: segment.entries, entry: number, offset, text: `Entry ${number} was removed: entry ${number + 1} stands in its place.` });
    } else {
      const region = bytes.subarray(offset, resumed.offset);
      const exact = pinpoint(region, record);
      add({
        code: 'entry-changed', file: segment.entries, entry: number, offset: offset + (exact?.offset ?? 0),
        text: exact === null ? `Entry ${number} was changed (${describeShift(resumed.shift)}); it begins at ${offset} and the next whole entry at ${resumed.offset}.` : `Entry ${number}: ${exact.text}`,
      });
      if (resumed.skipped > 1) add({ code: 'entry-changed', file: segment.entries, entry: number + 1, offset, text: `The entries ${number + 1} to ${number + resumed.skipped - 1} cannot be told apart from it.` });
    }
    // The tree goes on with the recorded hashes, so that a checkpoint can still vouch for the rest.
    for (let skipped = 0; skipped < resumed.skipped; skipped++) {
      tree.push(Buffer.from(leaves.subarray((index + skipped) * leafBytes + 4, (index + skipped + 1) * leafBytes)));
      counted();
    }
    number += resumed.skipped - 1;
    offset = resumed.offset;
    if (offset >= bytes.length && number - segment.first + 1 < records) {
      add({ code: 'entries-missing', file: segment.entries, entry: number + 1, offset: bytes.length, text: `The entries from ${number + 1} on are gone; there are leaf hashes of ${records - (number + 1 - segment.first)} more.` });
      return;
    }
  }
}

/** XML of a whole frame at `offset`, or null. */
function entryAt(bytes: Buffer, offset: number): Buffer | null {
  if (bytes.length - offset < framingBytes) return null;
  const length = frameLength(bytes, offset);
  if (length === null || offset + framingBytes + length > bytes.length || bytes[offset + 9 + length] !== 0x0a) return null;
  return bytes.subarray(offset + 9, offset + 9 + length);
}

function entryIsRecordedNext(bytes: Buffer, offset: number, leaves: Buffer, index: number, records: number): boolean {
  if (index >= records) return true;
  return isRecorded(bytes, offset, leaves, index);
}
function isRecorded(bytes: Buffer, offset: number, leaves: Buffer, index: number): boolean {
  const entry = entryAt(bytes, offset);
  return entry !== null && entry.length === leaves.readUInt32BE(index * leafBytes) && leafHash(entry).equals(leaves.subarray(index * leafBytes + 4, (index + 1) * leafBytes));
}

/** Farther than this from where it should be an entry is not looked for: whole entries were then removed or put in. */
const shiftMax = 64;
const skipMax = 1_000;

/**
 * Finds where recorded entries go on after a bad one at `offset`: first a little before or after where they should be (bytes were removed
 * or inserted), then wherever a line begins that is the start of a recorded entry.
 */
function resume(bytes: Buffer, offset: number, leaves: Buffer, index: number, records: number): { offset: number; shift: number; skipped: number } {
  const length = leaves.readUInt32BE(index * leafBytes);
  const expected = offset + framingBytes + length;
  if (index + 1 >= records) {
    // The last recorded one: entries without a leaf hash may follow it at the next line.
    const at = bytes.indexOf(0x0a, Math.max(offset, expected - shiftMax));
    const end = at < 0 ? bytes.length : at + 1;
    return { offset: end, shift: end - expected, skipped: 1 };
  }
  for (let distance = 0; distance <= shiftMax; distance++) {
    for (const at of distance === 0 ? [expected] : [expected - distance, expected + distance]) {
      if (at >= offset && at < bytes.length && isRecorded(bytes, at, leaves, index + 1)) return { offset: at, shift: at - expected, skipped: 1 };
    }
  }
  for (let skipped = 0; skipped <= skipMax && index + skipped < records; skipped++) {
    if (skipped > 0 && isRecorded(bytes, offset, leaves, index + skipped)) return { offset, shift: offset - expected, skipped };
    const start = Buffer.from(`${leaves.readUInt32BE((index + skipped) * leafBytes).toString(16).padStart(8, '0')} <AuditMessage`);
    for (let at = bytes.indexOf(start, offset); at >= 0; at = bytes.indexOf(start, at + 1)) {
      if (isRecorded(bytes, at, leaves, index + skipped)) return { offset: at, shift: at - expected, skipped };
    }
  }
  return { offset: bytes.length, shift: bytes.length - expected, skipped: records - index };
}

/** An entry that frames well, between good ones, and does not have its hash: the entry changed, or its record did. */
function locate(segment: Segment, number: number, bytes: Buffer, offset: number, found: Buffer, record: { length: number; hash: Buffer }, leaves: Buffer, index: number, add: (problem: AuditProblem) => void): void {
  const actual = leafHash(found);
  const differing = [...actual].filter((byte, at) => byte !== record.hash[at]).length;
  if (differing <= 1 || (differing === 0 && found.length !== record.length)) {
    // Another entry has a wholly different hash: one byte of difference is a change of the record.
    const at = differing === 0 ? [0, 1, 2, 3].find((each) => leaves[index * leafBytes + each] !== [found.length >>> 24, (found.length >>> 16) & 255, (found.length >>> 8) & 255, found.length & 255][each]) ?? 0 : 4 + [...actual].findIndex((byte, each) => byte !== record.hash[each]);
    add({ code: 'leaf-changed', file: segment.leaves, entry: number, offset: index * leafBytes + at, text: `The leaf hash of entry ${number} was changed; the entry itself is as it was.` });
    actual.copy(leaves, index * leafBytes + 4);
    return;
  }
  const region = bytes.subarray(offset, offset + found.length + framingBytes);
  const exact = pinpoint(region, record);
  add({
    code: 'entry-changed', file: segment.entries, entry: number, offset: offset + (exact?.offset ?? 0),
    text: exact === null ? `Entry ${number} does not have the hash that was recorded for it; more than one byte was changed in it.` : `Entry ${number}: ${exact.text}`,
  });
}

function describeShift(shift: number): string {
  if (shift === 0) return 'no byte more or less';
  return shift > 0 ? `${shift} bytes more than recorded` : `${-shift} bytes fewer than recorded`;
}

function readCheckpoints(folder: string, add: (problem: AuditProblem) => void): { checkpoints: Checkpoint[]; lines: number } {
  const file = checkpointsPath(folder);
  if (!existsSync(file)) return { checkpoints: [], lines: 0 };
  let key: KeyObject;
  try {
    key = createPublicKey(readFileSync(publicKeyPath(folder)));
  } catch {
    add({ code: 'key-missing', file: publicKeyPath(folder), entry: -1, offset: -1, text: 'The public key cannot be read, so no checkpoint can be checked.' });
    return { checkpoints: [], lines: 0 };
  }
  const bytes = readFileSync(file);
  const checkpoints: Checkpoint[] = [];
  let lines = 0;
  for (let offset = 0; offset < bytes.length; ) {
    const end = bytes.indexOf(0x0a, offset);
    // A line without an end is being written, or a crash tore it; the next start cuts it off.
    if (end < 0) break;
    const checkpoint = decodeCheckpoint(bytes.toString('utf8', offset, end), key);
    lines += 1;
    if (checkpoint === null) add({ code: 'checkpoint-changed', file, entry: -1, offset, text: `Line ${lines} is not as it was signed.` });
    else if (checkpoint.size <= (checkpoints.at(-1)?.size ?? -1)) add({ code: 'checkpoint-changed', file, entry: -1, offset, text: `Line ${lines} counts no more entries than the one before it.` });
    else checkpoints.push(checkpoint);
    offset = end + 1;
  }
  return { checkpoints, lines };
}
