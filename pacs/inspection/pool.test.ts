/** The pool with examiners that misbehave in every way: each becomes a finding about the object that was read, and about no other. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { encodeDataSet } from '@lazaret/dicom/dataset/write.ts';
import { encodeFileMeta } from '@lazaret/dicom/fileset/part10.ts';
import type { Digest, ObjectId } from '../reception/contract.ts';
import type { Work } from '../quarantine/contract.ts';
import { Inspection } from './inspection.ts';
import { Pool, type PoolOptions, type Task } from './pool.ts';
import { verdictOf } from './verdict.ts';

const folder = mkdtempSync(join(tmpdir(), 'lazaret-pool-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const root = join(import.meta.dirname, '..', '..');
const syntax = '1.2.840.10008.1.2.1';

/** A small object; `change` makes it something else. */
function task(name: string, change: (bytes: Buffer) => Buffer = (bytes) => bytes): Task {
  const uid = (element: number, value: string): { tag: number; vr: string; value: string[] } => ({ tag: element, vr: 'UI', value: [value] });
  const sopClassUID = '1.2.840.10008.5.1.4.1.1.66';
  const dataSet = encodeDataSet([uid(0x00080016, sopClassUID), uid(0x00080018, '1.2.3'), { tag: 0x00100010, vr: 'PN', value: [name] }, uid(0x0020000d, '1.2.4'), uid(0x0020000e, '1.2.5')], syntax);
  const bytes = change(Buffer.concat([encodeFileMeta({ mediaStorageSOPClassUID: sopClassUID, mediaStorageSOPInstanceUID: '1.2.3', transferSyntaxUID: syntax }), dataSet]));
  const path = join(folder, name);
  writeFileSync(path, bytes);
  const work: Work = { objectId: '0'.repeat(32) as ObjectId, bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') as Digest, sopClassUID: '', sopInstanceUID: '', transferSyntaxUID: '', peer: 'ct-1' };
  return { path, work, dataSetDigest: false, map: null };
}

const real = { command: process.execPath, args: [join(root, 'processes/examiner/main.ts')], env: {} };

/** An examiner of a few lines: says hello, then does `act` with each assignment (`assignment.path` names the object). */
function scripted(act: string): PoolOptions['start'] {
  const source = `
    const frame = (header, payload = Buffer.alloc(0)) => { const text = Buffer.from(JSON.stringify(header)); const head = Buffer.alloc(8); head.writeUInt32BE(text.length, 0); head.writeUInt32BE(payload.length, 4); process.stdout.write(Buffer.concat([head, text, payload])); };
    let kept = Buffer.alloc(0);
    process.stdin.on('data', (chunk) => {
      kept = Buffer.concat([kept, chunk]);
      while (kept.length >= 8 && kept.length >= 8 + kept.readUInt32BE(0)) {
        const assignment = JSON.parse(kept.subarray(8, 8 + kept.readUInt32BE(0)));
        kept = kept.subarray(8 + kept.readUInt32BE(0));
        ${act}
      }
    });
    frame({ ready: true, engines: [] });`;
  return () => ({ command: process.execPath, args: ['-e', source], env: {} });
}

function pool(options: Partial<PoolOptions>): Pool {
  const made = new Pool({ start: () => real, examiners: 2, memoryBytesMax: 2 ** 30, ...options });
  after(() => made.close());
  return made;
}

test('objects are read, a malicious one is found, and what waits behind it is read by another', async () => {
  const examined = pool({});
  const eicar = ['X5O!P%@AP[4', 'PZX54(P^)7CC)7}$EICAR', '-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*'];
  const tasks = Array.from({ length: 12 }, (_, index) => task(`object-${index}`, index === 3 ? (bytes) => Buffer.concat([bytes, Buffer.from(`${eicar[0]}\\${eicar[1]}${eicar[2]}`)]) : undefined));
  const outcomes = await Promise.all(tasks.map((each) => examined.examine(each)));
  assert.deepEqual(outcomes.map(({ findings }) => verdictOf(findings)), tasks.map((_, index) => (index === 3 ? 'malicious' : 'clean')));
  assert.equal(outcomes[0]!.report!.instance!.sopInstanceUID, '1.2.3');
});

test('bytes that are not those that were received are held', async () => {
  const changed = task('changed');
  const inspection = new Inspection(pool({ examiners: 1 }), null);
  const conclusion = await inspection.conclude({ ...changed.work, sha256: 'cd'.repeat(32) as Digest }, changed.path);
  assert.equal(conclusion.verdict, 'malformed');
  assert.deepEqual(conclusion.findings.map(({ code }) => code), ['digest-mismatch']);
  assert.match(await inspection.epoch(), /^structure \d+; content \d+; yara-x /);
});

test('what lies outside the Data Set is neutralised, and the Data Set is kept byte for byte', async () => {
  const given = task('text-in-preamble', (bytes) => Buffer.concat([Buffer.from('a vendor signs here'), bytes.subarray(19), Buffer.alloc(8)]));
  const { report, findings } = await pool({ examiners: 1 }).examine(given);
  assert.deepEqual(findings, []);
  assert.deepEqual(report!.disarmed!.what, ['preamble', 'trailing']);
  const { prefix, dataSetOffset, dataSetLength, dataSetSha256, sha256 } = report!.disarmed!;
  const dataSet = readFileSync(given.path).subarray(dataSetOffset, dataSetOffset + dataSetLength);
  assert.equal(createHash('sha256').update(dataSet).digest('hex'), dataSetSha256);
  assert.equal(createHash('sha256').update(Buffer.from(prefix, 'base64')).update(dataSet).digest('hex'), sha256);
});

const misbehaviour: Readonly<Record<string, readonly [act: string, code: string, options?: Partial<PoolOptions>]>> = {
  'it crashes': ['process.exit(3);', 'examiner-crashed'],
  'it hangs': ['', 'examiner-timed-out', { timeoutMs: () => 300 }],
  'it takes memory without end': ['globalThis.hoard ??= []; setInterval(() => hoard.push(Buffer.alloc(8e6, 1)), 1);', 'examiner-memory', { memoryBytesMax: 160 * 1024 * 1024 }],
  'it answers with something that is no frame': ["process.stdout.write(Buffer.alloc(64, 0xff));", 'examiner-report'],
  'it answers with something that is no JSON': ["process.stdout.write(Buffer.concat([Buffer.from([0, 0, 0, 1, 0, 0, 0, 0]), Buffer.from('?')]));", 'examiner-report'],
  'it says clean without having read': ['frame({ id: assignment.id, findings: [], bytes: assignment.work.bytes, sha256: assignment.work.sha256, instance: null, metadataBytes: 0, disarmed: null, dataSetSha256: "", map: null });', 'examiner-report'],
  'it gives parts that nobody asked for': ['frame({ id: assignment.id, part: null }, Buffer.alloc(8));', 'examiner-report'],
  'it answers about another object': ['frame({ id: assignment.id + 1, findings: [], bytes: assignment.work.bytes });', 'examiner-report'],
};
for (const [how, [act, code, options]] of Object.entries(misbehaviour)) {
  test(`held when ${how}`, async () => {
    const { report, findings } = await pool({ examiners: 1, start: scripted(act), ...options }).examine(task('misread'));
    assert.equal(report, null);
    assert.deepEqual(findings.map((finding) => finding.code), [code]);
    assert.equal(verdictOf(findings), 'unscannable');
  });
}

test('a crash is about the object that was read; those behind it are read again', async () => {
  const start = scripted(`if (assignment.path.endsWith('bad')) process.exit(1); setTimeout(() => frame({ id: assignment.id, findings: [], bytes: assignment.work.bytes }), 1);`);
  const examined = pool({ examiners: 1, start });
  const outcomes = await Promise.all([task('bad'), task('good-1')].map((each) => examined.examine(each)));
  assert.deepEqual(outcomes.map(({ findings }) => findings[0]?.code), ['examiner-crashed', 'examiner-report'], 'the second one was read, if badly');
});

test('a renewal loses no object: what is being read is read to its end, what waits goes to the new examiners', async () => {
  const examined = pool({ examiners: 1 });
  const asked = Array.from({ length: 6 }, (_, index) => examined.examine(task(`before-${index}`)));
  let accepted = 0;
  await examined.renew(() => real, () => ((accepted += 1), null));
  const outcomes = await Promise.all([...asked, ...Array.from({ length: 3 }, (_, index) => examined.examine(task(`after-${index}`)))]);
  assert.equal(accepted, 1);
  assert.deepEqual(outcomes.map(({ findings }) => verdictOf(findings)), Array.from({ length: 9 }, () => 'clean'));
  assert.match(outcomes[8]!.engines[0]!.signatures, /^rules /, 'each outcome says what looked at it');
});

test('a renewal that does not start or is not accepted changes nothing', async () => {
  const examined = pool({ examiners: 1 });
  await examined.ready();
  await assert.rejects(examined.renew(() => ({ command: join(folder, 'no-such-program'), args: [], env: {} }), () => null), { code: 'renewal-failed' });
  await assert.rejects(examined.renew(() => real, () => 'its rules do not compile'), /its rules do not compile/);
  assert.equal(verdictOf((await examined.examine(task('still-read'))).findings), 'clean');
});

test('when no examiner can be started the caller is told, and nothing is clean', async () => {
  const examined = pool({ start: () => ({ command: join(folder, 'no-such-program'), args: [], env: {} }) });
  await assert.rejects(examined.examine(task('unread')), { code: 'examiner-unavailable' });
});
