import assert from 'node:assert/strict';
import { appendFileSync, cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before as beforeAll, test } from 'node:test';
import fc from 'fast-check';
import { AuditLog } from './append.ts';
import { eventIDs } from './codes.ts';
import { encodeMessage } from './encode.ts';
import { checkpointsPath, leafBytes, segmentsOf } from './files.ts';
import type { AuditMessage } from './message.ts';
import { readEntries, summarize } from './reading.ts';
import { leafHash, Tree } from './tree.ts';
import { verifyLog } from './verify.ts';

const root = mkdtempSync(join(tmpdir(), 'lazaret-audit-'));
after(() => rmSync(root, { recursive: true, force: true }));
const good = join(root, 'good');
let copies = 0;

function message(number: number): AuditMessage {
  return { eventID: eventIDs.query, eventTypes: [], action: 'E', time: 1_700_000_000_000 + number, outcome: 0, outcomeDescription: `message ${number}`, participants: [], objects: [] };
}

beforeAll(async () => {
  const log = await AuditLog.open(good, { segmentBytesMax: 2_000 });
  for (let group = 0; group < 6; group++) {
    await log.append([message(group * 3), message(group * 3 + 1), message(group * 3 + 2)]);
    if (group % 2 === 1) log.checkpoint();
  }
  await log.close();
});

function copy(): string {
  const folder = join(root, `copy-${copies++}`);
  cpSync(good, folder, { recursive: true });
  return folder;
}

/** Where each entry of the good log is. */
function places(): { file: string; entry: number; offset: number; length: number }[] {
  return segmentsOf(good).flatMap((segment) => {
    let offset = 0;
    return readFileSync(segment.entries, 'latin1').split('\n').slice(0, -1).map((line, index) => {
      const place = { file: segment.entries.slice(good.length), entry: segment.first + index, offset, length: line.length + 1 };
      offset += line.length + 1;
      return place;
    });
  });
}

test('a log as it was written verifies, over several segments', () => {
  const verification = verifyLog(good);
  assert.deepEqual(verification.problems, []);
  assert.equal(verification.entries, 18);
  assert.equal(verification.last?.size, 18);
  assert.equal(verification.last?.root, verification.root);
  assert.ok(segmentsOf(good).length >= 3);
});

test('the tree is that of RFC 6962', () => {
  const leaves = Array.from({ length: 9 }, (_, index) => leafHash(Buffer.of(index)));
  const naive = (list: Buffer[]): Buffer => {
    if (list.length === 1) return list[0]!;
    let split = 1;
    while (split * 2 < list.length) split *= 2;
    return nodeOf(naive(list.slice(0, split)), naive(list.slice(split)));
  };
  for (let size = 1; size <= leaves.length; size++) {
    const tree = new Tree();
    for (const leaf of leaves.slice(0, size)) tree.push(leaf);
    assert.deepEqual(tree.root(), naive(leaves.slice(0, size)), `size ${size}`);
  }
  // The first vector of the certificate transparency reference tests: the leaf hash of no bytes.
  assert.equal(leafHash(Buffer.alloc(0)).toString('hex'), '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d');
});

function nodeOf(left: Buffer, right: Buffer): Buffer {
  const tree = new Tree();
  tree.push(left);
  tree.push(right);
  return tree.root();
}

for (const kind of ['changed', 'removed', 'inserted'] as const) {
  test(`one byte ${kind} anywhere is found, and located to the entry`, () => {
    const all = places();
    fc.assert(
      fc.property(fc.nat(all.length - 1), fc.double({ min: 0, max: 0.999, noNaN: true }), fc.integer({ min: 1, max: 255 }), (which, fraction, byte) => {
        const place = all[which]!;
        const within = Math.floor(fraction * place.length);
        const folder = copy();
        const path = folder + place.file;
        const bytes = readFileSync(path);
        const at = place.offset + within;
        const next = bytes[at]! ^ byte;
        if (kind === 'changed') bytes[at] = next;
        const damaged = kind === 'changed' ? bytes : kind === 'removed' ? Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)]) : Buffer.concat([bytes.subarray(0, at), Buffer.of(byte), bytes.subarray(at)]);
        writeFileSync(path, damaged);
        const { problems } = verifyLog(folder);
        rmSync(folder, { recursive: true });
        assert.ok(problems.length > 0, `nothing found at ${path} ${at}`);
        const named = problems.find((problem) => problem.file.endsWith(place.file) && problem.entry === place.entry);
        // An inserted byte before the first byte of an entry is as well one after the end of the entry before.
        const before = problems.find((problem) => problem.file.endsWith(place.file) && problem.entry === place.entry - 1 && within === 0);
        assert.ok(named ?? before, `not located: ${JSON.stringify(problems)} for entry ${place.entry}, ${within} of ${place.length}`);
        if (named !== undefined && kind === 'changed' && within > 8 && within < place.length - 1) assert.equal(named.offset, at);
      }),
      { numRuns: 25 },
    );
  });
}

test('a byte changed in the leaf hashes is told from one changed in the entries', () => {
  const segment = segmentsOf(good)[1]!;
  for (const within of [0, 3, 4, 20, 35]) {
    const folder = copy();
    const path = segmentsOf(folder)[1]!.leaves;
    const bytes = readFileSync(path);
    bytes[leafBytes + within]! ^= 1;
    writeFileSync(path, bytes);
    const { problems } = verifyLog(folder);
    assert.equal(problems.length, 1, JSON.stringify(problems));
    assert.equal(problems[0]!.code, 'leaf-changed');
    assert.equal(problems[0]!.entry, segment.first + 1);
    assert.equal(problems[0]!.offset, leafBytes + within);
  }
});

test('an entry and its hash changed together are caught by the signed checkpoint', () => {
  const folder = copy();
  const segment = segmentsOf(folder)[0]!;
  const bytes = readFileSync(segment.entries);
  const xml = bytes.subarray(9, bytes.indexOf(0x0a));
  xml[xml.indexOf('message 0')]! ^= 1;
  writeFileSync(segment.entries, bytes);
  const leaves = readFileSync(segment.leaves);
  leafHash(xml).copy(leaves, 4);
  writeFileSync(segment.leaves, leaves);
  const { problems } = verifyLog(folder);
  assert.equal(problems[0]?.code, 'checkpoint-mismatch');
  assert.equal(problems[0]?.entry, 0);
});

test('removed entries, a removed end, a removed segment and a changed checkpoint are found', () => {
  const all = places();
  const middle = copy();
  const second = all[1]!;
  const path = middle + second.file;
  const bytes = readFileSync(path);
  writeFileSync(path, Buffer.concat([bytes.subarray(0, second.offset), bytes.subarray(second.offset + second.length)]));
  assert.deepEqual(verifyLog(middle).problems.map(({ code, entry }) => ({ code, entry })), [{ code: 'entry-removed', entry: 1 }]);

  const end = copy();
  const last = segmentsOf(end).at(-1)!;
  truncateSync(last.entries, 0);
  truncateSync(last.leaves, 0);
  assert.equal(verifyLog(end).problems[0]?.code, 'entries-missing');

  const gone = copy();
  const first = segmentsOf(gone)[0]!;
  rmSync(first.entries);
  assert.equal(verifyLog(gone).problems[0]?.code, 'segment-missing');

  const signed = copy();
  const lines = readFileSync(checkpointsPath(signed), 'utf8');
  writeFileSync(checkpointsPath(signed), lines.replace('"size":6', '"size":7'));
  assert.equal(verifyLog(signed).problems[0]?.code, 'checkpoint-changed');

  const inserted = copy();
  const entries = readFileSync(inserted + second.file);
  const line = entries.subarray(all[0]!.offset, all[0]!.length);
  writeFileSync(inserted + second.file, Buffer.concat([entries.subarray(0, second.offset), line, entries.subarray(second.offset)]));
  assert.deepEqual(verifyLog(inserted).problems.map(({ code, entry }) => ({ code, entry })), [{ code: 'bytes-inserted', entry: 1 }]);
});

test('a torn last entry is set aside, said, and the log goes on', async () => {
  for (const keep of [1, 8, 9, 30, 200]) {
    const folder = copy();
    const log = await AuditLog.open(folder, { segmentBytesMax: 10_000 });
    await log.append([message(100)]);
    // A crash: nothing is closed. The next entry reaches the disk in part.
    const segment = segmentsOf(folder).at(-1)!;
    const size = readFileSync(segment.entries).length;
    await log.append([message(101)]);
    truncateSync(segment.entries, size + keep);
    const again = await AuditLog.open(folder);
    assert.equal(again.recovered.tornBytes, keep);
    assert.equal(readFileSync(again.recovered.tornFile).length, keep);
    assert.equal(again.size, 19);
    await again.append([message(102)]);
    await again.close();
    const verification = verifyLog(folder);
    assert.deepEqual(verification.problems, []);
    assert.equal(verification.entries, 20);
  }
});

test('a damaged tail is not taken for a torn one', async () => {
  const folder = copy();
  const segment = segmentsOf(folder).at(-1)!;
  appendFileSync(segment.entries, 'zzzzzzzz <AuditMessage/>\n');
  await assert.rejects(AuditLog.open(folder), { code: 'audit-damaged' });
  const cut = copy();
  truncateSync(segmentsOf(cut).at(-1)!.entries, 5);
  await assert.rejects(AuditLog.open(cut), { code: 'audit-damaged' });
});

test('zeros that a file system left at the end are a torn entry', async () => {
  const folder = copy();
  appendFileSync(segmentsOf(folder).at(-1)!.entries, Buffer.alloc(300));
  const log = await AuditLog.open(folder);
  assert.equal(log.recovered.tornBytes, 300);
  await log.close();
  assert.deepEqual(verifyLog(folder).problems, []);
});

test('nothing that a sender can choose breaks out of its place in the XML', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const xml = encodeMessage({ ...message(0), outcomeDescription: text, participants: [{ userID: text, userIsRequestor: true }] });
      assert.ok(!/[\n\r]/.test(xml));
      assert.equal(xml.match(/<ActiveParticipant /g)?.length, 1);
      assert.equal(xml.match(/</g)?.length, xml.match(/>/g)?.length);
      assert.doesNotMatch(xml, /\p{Cc}/u);
      assert.ok(xml.isWellFormed());
    }),
  );
  assert.equal(summarize(encodeMessage({ ...message(0), outcomeDescription: 'a <b> & "c"' })).description, 'a <b> & "c"');
});

test('entries are read back in order, from any number', async () => {
  const numbers: number[] = [];
  for await (const entry of readEntries(good, 7)) numbers.push(entry.number);
  assert.deepEqual(numbers, [7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17]);
  assert.ok(readdirSync(good).includes('checkpoints.log'));
});
