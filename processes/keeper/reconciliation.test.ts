/** Whose an import is, as the keeper keeps it: what waits, what comes into sight and as whose, what survives, and what an examiner cannot lie about. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test, type TestContext } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { readEntries } from '@lazaret/audit/reading.ts';
import { BytesSource } from '@lazaret/dicom/dataset/bytes.ts';
import { replaceIdentity } from '@lazaret/dicom/dataset/replace.ts';
import { encodeDataSet, type WritableElement } from '@lazaret/dicom/dataset/write.ts';
import { mapObject } from '@lazaret/dicom/filemap/map.ts';
import type { MappedObject } from '@lazaret/dicom/filemap/contract.ts';
import { encodeFileMeta } from '@lazaret/dicom/fileset/part10.ts';
import { writeDicomJson } from '@lazaret/dicom/web/json.ts';
import { connectChannel, type Channel } from '@lazaret/system/channel.ts';
import { layoutOf, objectPath, type Layout } from '@lazaret/system/layout.ts';
import { instancesIn } from '@lazaret/pacs/archive/instances.ts';
import { readerOf } from '@lazaret/pacs/archive/reading.ts';
import type { IncomingStudy, LocalPatient, Reconciliation, Replacement } from '@lazaret/pacs/archive/reconciliation/contract.ts';
import { servedBytes } from '@lazaret/pacs/archive/reconciliation/patching.ts';
import { unindexed } from '@lazaret/pacs/archive/safekeeping/verification.ts';
import type { Conclusion } from '@lazaret/pacs/quarantine/contract.ts';
import type { PatchAnswer } from '@lazaret/pacs/quarantine/patch.ts';
import type { Job } from '@lazaret/pacs/quarantine/requests.ts';
import type { Admission } from '@lazaret/pacs/reception/contract.ts';
import type { Begun, FileFate, ImportStatus, Receipt } from '@lazaret/pacs/reception/media/contract.ts';
import { startKeeper } from './keeper.ts';
import { arrive, digestOf } from './sample.ts';

const explicit = '1.2.840.10008.1.2.1';
const secondaryCapture = '1.2.840.10008.5.1.4.1.1.7';
const local: Replacement = { patientName: 'MUSTER^MARIA', patientID: '4711', issuerOfPatientID: 'HOUSE', patientBirthDate: '19700101', patientSex: 'F', accessionNumber: 'A9', studyDescription: '' };
const text = (tag: number, vr: string, value: string): WritableElement => ({ tag, vr, value: [value] });
const noInflating = { inflateRaw: () => { throw new Error('nothing is deflated here'); } };

/** A slice of a foreign study. */
function slice(number: number, study = '2.25.10'): Buffer {
  const uid = `${study}.1.${number}`;
  return Buffer.concat([
    encodeFileMeta({ mediaStorageSOPClassUID: secondaryCapture, mediaStorageSOPInstanceUID: uid, transferSyntaxUID: explicit }),
    encodeDataSet([
      text(0x00080016, 'UI', secondaryCapture), text(0x00080018, 'UI', uid), text(0x00080020, 'DA', '20260102'), text(0x00080050, 'SH', 'X1'), text(0x00080060, 'CS', 'CT'), text(0x0008103e, 'LO', 'Head'),
      text(0x00100010, 'PN', 'MUSTERMANN^M'), text(0x00100020, 'LO', 'F-1'), text(0x00100030, 'DA', '19700102'), text(0x00100040, 'CS', 'F'), text(0x0020000d, 'UI', study), text(0x0020000e, 'UI', `${study}.1`),
      text(0x00200013, 'IS', String(number)), { tag: 0x00280010, vr: 'US', value: [2] }, { tag: 0x7fe00010, vr: 'OW', value: Uint8Array.of(1, 2, 3, number) },
    ], explicit),
  ]);
}

function mapped(bytes: Uint8Array): MappedObject {
  const object = mapObject(new BytesSource(bytes), noInflating);
  assert.deepEqual(object.problems, []);
  return object;
}

interface Bench {
  readonly layout: Layout;
  readonly reader: Channel;
  readonly web: Channel;
  /** Answers jobs until it is told to stop; patches go through `lie`. */
  inspector: { lie: (answer: PatchAnswer) => PatchAnswer | null; patches: number; patchesMax: number };
  sql(query: string, ...parameters: string[]): Record<string, unknown>[];
  stop(): Promise<void>;
}

async function start(t: TestContext, data = mkdtempSync(join(tmpdir(), 'lazaret-reconciliation-'))): Promise<Bench> {
  const layout = layoutOf(data);
  const keeper = await startKeeper(layout, (error) => assert.fail(String(error)));
  const [reader, web, channel] = await Promise.all([layout.sockets.importer, layout.sockets.web, layout.sockets.inspector].map((path) => connectChannel(path)));
  const database = new DatabaseSync(layout.database, { readOnly: true });
  const inspector: Bench['inspector'] = { lie: (answer) => answer, patches: 0, patchesMax: Infinity };
  let stopped = false;
  const answerAll = async (): Promise<void> => {
    while (!stopped) {
      for (const job of await channel!.request<Job[]>('claim', { max: 1 })) {
        if (job.kind === 'inspect') await channel!.request('conclude', conclusionOf(layout, job));
        if (job.kind !== 'patch') continue;
        inspector.patches += 1;
        if (inspector.patches > inspector.patchesMax) return;
        await channel!.request('patched', { jobId: job.jobId, answer: inspector.lie(answerOf(layout, job)) });
      }
    }
  };
  answerAll().catch(() => {});
  const stop = async (): Promise<void> => {
    if (stopped) return;
    stopped = true;
    database.close();
    for (const each of [reader, web, channel]) each!.close();
    await keeper.stop();
  };
  t.after(async () => {
    await stop();
    rmSync(data, { recursive: true, force: true });
  });
  return { layout, reader: reader!, web: web!, inspector, stop, sql: (query, ...parameters) => database.prepare(query).all(...parameters).map((row) => ({ ...row })) };
}

function conclusionOf(layout: Layout, job: Job & { kind: 'inspect' }): Conclusion {
  const object = mapped(readFileSync(job.area === 'archive' ? objectPath(layout.archive, job.work.sha256) : objectPath(layout.quarantine, job.work.objectId)));
  const metadata = writeDicomJson(object);
  const uid = (tag: string): string => (JSON.parse(metadata) as Record<string, { Value: string[] }>)[tag]!.Value[0]!;
  return {
    objectId: job.work.objectId, sha256: job.work.sha256, verdict: 'clean', findings: [], disarmed: null, epoch: 'test 1', ms: 1,
    instance: {
      sopClassUID: uid('00080016'), sopInstanceUID: uid('00080018'), studyInstanceUID: uid('0020000D'), seriesInstanceUID: uid('0020000E'), transferSyntaxUID: explicit, metadata,
      dataSetOffset: object.dataSetOffset, dataSetLength: object.dataSetLength, frames: { kind: 'native', offset: object.source.length - 4, frameLength: 4, count: 1, bitsPerPixel: 8 }, chunks: null,
    },
  };
}

/** As examiners do it. */
function answerOf(layout: Layout, job: Job & { kind: 'patch' }): PatchAnswer {
  const replaced = replaceIdentity(mapped(readFileSync(objectPath(layout.archive, job.work.sha256))), job.request.identity, job.request.provenance);
  if ('problem' in replaced) return { outcome: 'impossible', text: replaced.problem, patches: [], metadata: '' };
  return { outcome: 'patched', text: '', patches: replaced.patches.map(({ offset, length, bytes }) => ({ offset, length, bytes: Buffer.from(bytes).toString('base64') })), metadata: replaced.metadata };
}

let listings = 0;
async function begin(bench: Bench, waits = true): Promise<string> {
  listings += 1;
  const medium = { kind: 'iso9660', label: 'DISC OF ST ELSEWHERE', identifier: '42', bytes: 1_000 };
  return (await bench.reader.request<Begun>('import', { do: 'begin', medium, listing: listings.toString(16).padStart(64, '0'), files: 10, bytes: 1_000, person: 'desk', address: 'here', upload: '', waits })).id;
}
let files = 0;
async function bring(bench: Bench, id: string, ...objects: readonly Buffer[]): Promise<string[]> {
  const ids: string[] = [];
  for (const bytes of objects) {
    const received = { ...(await arrive(bench.layout, bytes)), sopClassUID: '', sopInstanceUID: '' };
    const admission = await bench.reader.request<Admission>('admit', { ...received, source: { ...received.source, door: 'media', peer: 'DISC', batch: id } });
    files += 1;
    const fate: FileFate = { index: files % 10, path: `DICOM/${files}`, bytes: bytes.length, sha256: digestOf(bytes), fate: admission.outcome, objectId: admission.objectId, what: '', text: '' };
    await bench.reader.request('import', { do: 'files', id, files: [fate] });
    ids.push(admission.objectId);
    await until(async () => (await bench.web.request<{ state: string }>('show', { objectId: admission.objectId })).state === 'archived');
  }
  return ids;
}
async function until(is: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 1_000; tries += 1) {
    if (await is()) return;
    await wait(10);
  }
  assert.fail('it did not come to that');
}
const incoming = (bench: Bench, id: string): Promise<IncomingStudy[]> => bench.web.request('reconcile', { do: 'incoming', import: id });
const history = (bench: Bench, study = '2.25.10'): Promise<Reconciliation[]> => bench.web.request('reconcile', { do: 'history', studyInstanceUID: study });
function take(bench: Bench, id: string, replacement: Replacement | null = local, study = '2.25.10'): Promise<IncomingStudy[]> {
  return bench.web.request('reconcile', { do: 'take', import: id, choices: [{ studyInstanceUID: study, replacement }], person: 'anna', address: 'desk-1' });
}
function change(bench: Bench, replacement: Replacement | null, study = '2.25.10'): Promise<Reconciliation> {
  return bench.web.request('reconcile', { do: 'change', studyInstanceUID: study, choice: { studyInstanceUID: study, replacement }, person: 'rosa', address: '', reason: 'the wrong one' });
}
const settled = (bench: Bench, state: string, study = '2.25.10'): Promise<void> => until(async () => (await history(bench, study))[0]?.state === state);
const studies = (bench: Bench): Record<string, unknown>[] => bench.sql('SELECT patientName, patientID, accessionNumber, numberOfInstances, conflicts FROM studies ORDER BY studyInstanceUID');

/** What WADO-RS would give of an instance, parsed. */
async function served(bench: Bench, sopInstanceUID: string): Promise<{ object: MappedObject; metadata: Record<string, { Value?: unknown[] }>; bytes: Buffer }> {
  const database = new DatabaseSync(bench.layout.database, { readOnly: true });
  try {
    const instances = instancesIn(database);
    const [one] = instances.under({ studyInstanceUID: '2.25.10', seriesInstanceUID: '2.25.10.1', sopInstanceUID });
    assert.ok(one !== undefined);
    const reader = readerOf({ archive: bench.layout.archive, acceptable: () => true, recheck: async () => ({ verdict: 'clean' }), damage: async () => {} });
    const pieces: Uint8Array[] = [];
    for await (const piece of reader.whole(one)) pieces.push(piece);
    const bytes = Buffer.concat(pieces);
    assert.equal(bytes.length, servedBytes(one.bytes, one.patches));
    return { object: mapped(bytes), metadata: JSON.parse(instances.metadata(one.instanceKey)!) as Record<string, { Value?: unknown[] }>, bytes };
  } finally {
    database.close();
  }
}
async function recorded(layout: Layout): Promise<string> {
  let xml = '';
  for await (const entry of readEntries(layout.audit)) xml += `${entry.xml}\n`;
  return xml;
}

test('from the medium into sight: it waits, somebody says whose it is, and it is found and served as that', async (t) => {
  const bench = await start(t);
  const id = await begin(bench);
  const objectIds = await bring(bench, id, slice(1), slice(2), slice(3));
  assert.deepEqual(studies(bench), []);
  const [study] = await incoming(bench, id);
  assert.deepEqual([study!.state, study!.received.patientID, study!.received.studyDate, study!.instances, study!.series.length, study!.series[0]!.modality, study!.series[0]!.picture], ['waiting', 'F-1', '20260102', 3, 1, 'CT', objectIds[1]]);
  assert.equal((await bench.web.request<ImportStatus>('import', { do: 'status', id })).unreconciled, 3);
  assert.deepEqual(unindexed(new DatabaseSync(bench.layout.database, { readOnly: true })), [], 'a verification finds nothing wrong');

  const [taking] = await take(bench, id);
  assert.ok(['taking', 'taken'].includes(taking!.state));
  assert.match(await recorded(bench.layout), /csd-code="110107".*reconciliation.*anna/, 'it is on the record before the answer');
  await settled(bench, 'taken');
  assert.deepEqual(studies(bench), [{ patientName: '=muster maria=', patientID: '4711', accessionNumber: 'A9', numberOfInstances: 3, conflicts: null }]);
  const { object, metadata, bytes } = await served(bench, '2.25.10.1.2');
  assert.deepEqual(metadata['00100020']!.Value, ['4711']);
  const pixels = { vr: 'OW', BulkDataURI: `${slice(2).length - 4},4` };
  assert.deepEqual({ ...(JSON.parse(writeDicomJson(object)) as object), '7FE00010': pixels }, metadata, 'metadata are those of the object that is served, and their ranges those of the one that is stored');
  assert.deepEqual([...bytes.subarray(-4)], [1, 2, 3, 2]);
  // The archive has the bytes that came.
  assert.ok(readFileSync(objectPath(bench.layout.archive, digestOf(slice(2)))).equals(slice(2)));
  const receipt = await bench.web.request<Receipt>('import', { do: 'receipt', id });
  assert.deepEqual([receipt.unreconciled, receipt.studies[0]!.patientID, receipt.studies[0]!.identity?.state, receipt.studies[0]!.identity?.servedAs?.patientID, receipt.studies[0]!.identity?.person], [0, 'F-1', 'taken', '4711', 'anna']);
  const [patient] = await bench.web.request<LocalPatient[]>('reconcile', { do: 'patients', text: 'maria mus', limit: 10 });
  assert.deepEqual(patient, { patientName: 'MUSTER^MARIA', patientID: '4711', issuerOfPatientID: 'HOUSE', patientBirthDate: '19700101', patientSex: 'F', studies: 1, lastStudyDate: '20260102' });
  for (const words of ['4711', 'A9', '01.01.1970']) assert.equal((await bench.web.request<LocalPatient[]>('reconcile', { do: 'patients', text: words, limit: 10 })).length, 1, words);
  await assert.rejects(take(bench, id), /nothing waits/);
});

test('a slice that comes after the choice follows by itself', async (t) => {
  const bench = await start(t);
  const id = await begin(bench);
  await bring(bench, id, slice(1));
  await take(bench, id);
  await settled(bench, 'taken');
  await bring(bench, id, slice(2));
  await until(() => studies(bench)[0]?.['numberOfInstances'] === 2);
  assert.deepEqual(studies(bench)[0], { patientName: '=muster maria=', patientID: '4711', accessionNumber: 'A9', numberOfInstances: 2, conflicts: null });
  assert.equal((await history(bench))[0]!.instances, 2);
});

test('as it is: into sight unchanged', async (t) => {
  const bench = await start(t);
  const id = await begin(bench);
  await bring(bench, id, slice(1), slice(2));
  await take(bench, id, null);
  await settled(bench, 'taken');
  assert.deepEqual([studies(bench)[0]!['patientID'], bench.inspector.patches], ['F-1', 0]);
  assert.ok((await served(bench, '2.25.10.1.1')).bytes.equals(slice(1)));
  await bring(bench, id, slice(3));
  assert.equal(studies(bench)[0]!['numberOfInstances'], 3);
});

test('an import that nobody is asked about comes into sight as before', async (t) => {
  const bench = await start(t);
  await bring(bench, await begin(bench, false), slice(1));
  assert.equal(studies(bench)[0]!['patientID'], 'F-1');
});

test('the keeper ends in the middle: what was chosen is carried out after the start', async (t) => {
  const data = mkdtempSync(join(tmpdir(), 'lazaret-reconciliation-'));
  const bench = await start(t, data);
  const id = await begin(bench);
  await bring(bench, id, ...Array.from({ length: 5 }, (_, index) => slice(index)));
  bench.inspector.patchesMax = 2;
  await take(bench, id);
  await until(() => bench.sql('SELECT count(*) AS n FROM reconciledInstances')[0]!['n'] === 2);
  assert.deepEqual(studies(bench), [], 'nothing of the study is in sight before all of it is ready');
  await bench.stop();
  const again = await start(t, data);
  await settled(again, 'taken');
  assert.deepEqual([studies(again)[0]!['numberOfInstances'], studies(again)[0]!['patientID']], [5, '4711']);
  assert.equal(again.inspector.patches, 3, 'what was answered is not asked again');
});

test('kill -9 at any moment between the choice and its end: the next start carries it out, nothing is seen twice or under two names', { timeout: 240_000 }, async (t) => {
  const data = mkdtempSync(join(tmpdir(), 'lazaret-reconciliation-'));
  const count = 40;
  const first = await start(t, data);
  const id = await begin(first);
  await bring(first, id, ...Array.from({ length: count }, (_, index) => slice(index)));
  await first.stop();
  const program = join(data, 'run.mts');
  writeFileSync(program, [
    `const { startKeeper } = await import(${JSON.stringify(join(import.meta.dirname, 'keeper.ts'))});`, `const { layoutOf } = await import(${JSON.stringify(join(import.meta.dirname, '../../system/layout.ts'))});`,
    `await startKeeper(layoutOf(${JSON.stringify(data)}), (error) => { throw error; });`, `process.stdout.write('ready');`,
  ].join('\n'));
  const layout = layoutOf(data);
  /** Chooses of a keeper in a process of its own, answers so many of its jobs, and kills it. */
  const killed = async (choose: (web: Channel) => Promise<unknown>, answered: number): Promise<void> => {
    const child = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] });
    const gone = new Promise((resolve) => child.once('exit', resolve));
    await new Promise((resolve) => child.stdout.once('data', resolve));
    const [web, inspector] = await Promise.all([connectChannel(layout.sockets.web), connectChannel(layout.sockets.inspector)]);
    await choose(web);
    for (let left = answered; left > 0;) {
      for (const job of await inspector.request<Job[]>('claim', { max: 1 })) {
        if (job.kind === 'patch') await inspector.request('patched', { jobId: job.jobId, answer: answerOf(layout, job) });
        left -= 1;
      }
    }
    child.kill('SIGKILL');
    await gone;
    web.close();
    inspector.close();
  };
  const nothing = (): Promise<void> => Promise.resolve();
  await killed((web) => web.request('reconcile', { do: 'take', import: id, choices: [{ studyInstanceUID: '2.25.10', replacement: local }], person: 'anna', address: '' }), 0);
  await killed(nothing, 7);
  await killed(nothing, 20);
  const second = await start(t, data);
  await settled(second, 'taken');
  assert.deepEqual([studies(second)[0]!['numberOfInstances'], studies(second)[0]!['patientID'], studies(second)[0]!['conflicts']], [count, '4711', null]);
  await second.stop();
  const other = { ...local, patientID: '0815' };
  await killed((web) => web.request('reconcile', { do: 'change', studyInstanceUID: '2.25.10', choice: { replacement: other }, person: 'rosa', address: '', reason: 'wrong' }), 15);
  const third = await start(t, data);
  await settled(third, 'taken');
  assert.deepEqual([studies(third)[0]!['numberOfInstances'], studies(third)[0]!['patientID'], studies(third).length], [count, '0815', 1]);
  assert.deepEqual(third.sql('SELECT count(*) AS n FROM documents WHERE reconciled IS NULL'), [{ n: 0 }]);
  assert.deepEqual((await served(third, '2.25.10.1.3')).metadata['00100020']!.Value, ['0815']);
});

test('another identity for a study in sight, and back to what was received', async (t) => {
  const bench = await start(t);
  const id = await begin(bench);
  await bring(bench, id, slice(1), slice(2));
  await take(bench, id);
  await settled(bench, 'taken');
  const first = await served(bench, '2.25.10.1.1');
  await assert.rejects(bench.web.request('reconcile', { do: 'change', studyInstanceUID: '2.25.10', choice: { replacement: null }, person: 'rosa', reason: ' ' }), /say why/);
  const other = { ...local, patientName: 'BEISPIEL^BEATE', patientID: '0815', accessionNumber: '' };
  const changed = await change(bench, other);
  assert.deepEqual([changed.received.patientID, changed.person, changed.reason], ['F-1', 'rosa', 'the wrong one']);
  await settled(bench, 'taken');
  assert.deepEqual(studies(bench), [{ patientName: '=beispiel beate=', patientID: '0815', accessionNumber: '', numberOfInstances: 2, conflicts: null }]);
  const second = await served(bench, '2.25.10.1.1');
  assert.deepEqual(second.metadata['00100020']!.Value, ['0815']);
  assert.ok(!second.bytes.equals(first.bytes));
  assert.deepEqual((await bench.web.request<LocalPatient[]>('reconcile', { do: 'patients', text: 'muster', limit: 10 })), [], 'nothing is left under the former identity');

  await change(bench, null);
  await settled(bench, 'taken');
  assert.deepEqual([studies(bench)[0]!['patientName'], studies(bench)[0]!['patientID'], studies(bench)[0]!['accessionNumber']], ['=mustermann m=', 'F-1', 'X1']);
  assert.ok((await served(bench, '2.25.10.1.1')).bytes.equals(slice(1)));
  assert.equal(bench.sql('SELECT count(*) AS n FROM reconciledInstances')[0]!['n'], 0);
  assert.deepEqual((await history(bench)).map(({ replacement, import: of, instances }) => [replacement?.patientID ?? null, of === '' ? 'all' : 'import', instances]), [[null, 'all', 2], ['0815', 'all', 2], ['4711', 'import', 2]]);
  // What comes later of the study goes the same way.
  await change(bench, other);
  await settled(bench, 'taken');
  await bring(bench, id, slice(3));
  await until(() => studies(bench)[0]?.['numberOfInstances'] === 3);
  assert.equal(studies(bench)[0]!['conflicts'], null);
});

test('what is taken out of sight and brought back has the identity that was chosen', async (t) => {
  const bench = await start(t);
  const id = await begin(bench);
  await bring(bench, id, slice(1), slice(2));
  await take(bench, id);
  await settled(bench, 'taken');
  const before = (await served(bench, '2.25.10.1.1')).bytes;
  const withdraw = async (body: object, state: string): Promise<string> => {
    const { id: order } = await bench.web.request<{ id: string }>('withdraw', { person: 'rosa', roles: ['reviewer'], reason: 'looked at again', ...body });
    await until(async () => (await bench.web.request<{ state: string }>('withdraw', { do: 'status', id: order })).state === state);
    return order;
  };
  const selection = { kind: 'study', study: '2.25.10' };
  const order = await withdraw({ do: 'withdraw', selection }, 'withdrawn');
  assert.deepEqual(studies(bench), []);
  await withdraw({ do: 'restore', id: order, objects: [] }, 'restored');
  assert.deepEqual(studies(bench)[0], { patientName: '=muster maria=', patientID: '4711', accessionNumber: 'A9', numberOfInstances: 2, conflicts: null });
  assert.ok((await served(bench, '2.25.10.1.1')).bytes.equals(before));

  // Taken away while it waits, and chosen for when it is back.
  const second = await begin(bench);
  await bring(bench, second, slice(1, '2.25.20'));
  const other = await withdraw({ do: 'withdraw', selection: { kind: 'import', import: second, known: false } }, 'withdrawn');
  await assert.rejects(take(bench, second, local, '2.25.20'), /nothing waits/);
  await withdraw({ do: 'restore', id: other, objects: [] }, 'restored');
  assert.equal((await incoming(bench, second))[0]!.state, 'waiting');
  await take(bench, second, local, '2.25.20');
  await settled(bench, 'taken', '2.25.20');
  assert.equal(studies(bench).length, 2);
});

const lies: readonly (readonly [what: string, lie: (answer: PatchAnswer) => PatchAnswer])[] = [
  ['patches that overlap', (answer) => ({ ...answer, patches: [...answer.patches, answer.patches[0]!] })],
  ['a patch outside the Data Set', (answer) => ({ ...answer, patches: [{ offset: 0, length: 1, bytes: '' }, ...answer.patches] })],
  ['a patch in the pixels', (answer) => ({ ...answer, patches: [...answer.patches, { offset: slice(1).length - 2, length: 1, bytes: 'AA==' }] })],
  ['more bytes than an identity has', (answer) => ({ ...answer, patches: [{ ...answer.patches[0]!, bytes: Buffer.alloc(300 * 1024).toString('base64') }, ...answer.patches.slice(1)] })],
  ['another SOP Instance UID', (answer) => ({ ...answer, metadata: answer.metadata.replace('2.25.10.1.1', '2.25.10.1.9') })],
  ['another series', (answer) => ({ ...answer, metadata: answer.metadata.replace('"0020000E":{"vr":"UI","Value":["2.25.10.1"]}', '"0020000E":{"vr":"UI","Value":["2.25.6"]}') })],
  ['another patient than was chosen', (answer) => ({ ...answer, metadata: answer.metadata.replace('"4711"', '"4712"') })],
  ['a description that nobody asked to change', (answer) => ({ ...answer, metadata: answer.metadata.replace('"Head"', '"Foot"') })],
  ['metadata that are none', (answer) => ({ ...answer, metadata: '{' })],
];
for (const [what, lie] of lies) {
  test(`an examiner that says ${what} is not believed`, async (t) => {
    const bench = await start(t);
    const id = await begin(bench);
    await bring(bench, id, slice(1));
    bench.inspector.lie = lie;
    await take(bench, id);
    await settled(bench, 'impossible');
    assert.deepEqual(studies(bench), []);
    assert.equal(bench.inspector.patches, 3);
    const [study] = await incoming(bench, id);
    assert.equal(study!.state, 'impossible');
    assert.match(study!.problem, /could not be read for it/);
    // Another choice is open to them.
    bench.inspector.lie = (answer) => answer;
    await take(bench, id);
    await settled(bench, 'taken');
    assert.equal(studies(bench)[0]!['patientID'], '4711');
  });
}

test('what cannot be written stays out of sight with a sentence; a change that cannot leaves the study as it is', async (t) => {
  const bench = await start(t);
  const id = await begin(bench);
  await bring(bench, id, slice(1), slice(2));
  bench.inspector.lie = () => ({ outcome: 'impossible', text: 'It is deflated.', patches: [], metadata: '' });
  await take(bench, id);
  await settled(bench, 'impossible');
  assert.deepEqual([(await incoming(bench, id))[0]!.problem, studies(bench).length], ['It is deflated.', 0]);
  await take(bench, id, null);
  await settled(bench, 'taken');
  await change(bench, local);
  await settled(bench, 'impossible');
  assert.equal(studies(bench)[0]!['patientID'], 'F-1');
  assert.ok((await served(bench, '2.25.10.1.1')).bytes.equals(slice(1)));
});

test('a file that is not what was archived is damage, and the rest of the study does not wait for it', async (t) => {
  const bench = await start(t);
  const id = await begin(bench);
  await bring(bench, id, slice(1), slice(2));
  const path = objectPath(bench.layout.archive, digestOf(slice(1)));
  chmodSync(path, 0o600);
  writeFileSync(path, slice(7));
  let first = true;
  bench.inspector.lie = (answer) => {
    if (!answer.metadata.includes('2.25.10.1.7')) return answer;
    first = false;
    return null;
  };
  await take(bench, id);
  await settled(bench, 'taken');
  assert.deepEqual([first, studies(bench)[0]!['numberOfInstances']], [false, 1]);
  assert.equal(bench.sql(`SELECT reason FROM withdrawnInstances`)[0]!['reason'], 'damaged');
});

test('the same medium read again: what waits from the first time can be taken through the second', async (t) => {
  const bench = await start(t);
  await bring(bench, await begin(bench), slice(1));
  const id = await begin(bench);
  await bring(bench, id, slice(1));
  const [study] = await incoming(bench, id);
  assert.deepEqual([study!.state, study!.instances], ['waiting', 1]);
  await take(bench, id);
  await settled(bench, 'taken');
  assert.equal(studies(bench)[0]!['patientID'], '4711');
});

test('values that DICOM does not hold are refused before anything is changed', async (t) => {
  const bench = await start(t);
  const id = await begin(bench);
  await bring(bench, id, slice(1));
  for (const [wrong, why] of [
    [{ patientID: '' }, /a name and a Patient ID/], [{ patientName: 'A\\B' }, /does not permit/], [{ patientName: 'A=B' }, /letters alone/], [{ patientID: 'x'.repeat(65) }, /more than 64/], [{ accessionNumber: 'x'.repeat(17) }, /more than 16/],
    [{ patientBirthDate: '1.1.1970' }, /YYYYMMDD/], [{ patientSex: 'X' }, /M, F or O/], [{ patientName: 'A\u0000' }, /does not permit/],
  ] as const) await assert.rejects(take(bench, id, { ...local, ...wrong }), why);
  await assert.rejects(take(bench, id, local, '2.25.99'), /nothing waits/);
  await assert.rejects(change(bench, local, '2.25.99'), /no study/);
  assert.deepEqual(await history(bench), []);
});
