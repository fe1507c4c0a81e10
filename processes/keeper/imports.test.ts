/** Imports as the keeper keeps them: who may say what, what survives, what is on record before anybody is answered. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { readEntries } from '@lazaret/audit/reading.ts';
import { connectChannel, type Channel } from '@lazaret/system/channel.ts';
import { layoutOf, type Layout } from '@lazaret/system/layout.ts';
import type { CompanionConclusion } from '@lazaret/pacs/quarantine/companion.ts';
import type { Claimed, Job } from '@lazaret/pacs/quarantine/requests.ts';
import type { Admission, ReceivedObject } from '@lazaret/pacs/reception/contract.ts';
import type { Begun, CompanionAnswer, FileFate, ImportStatus, Receipt } from '@lazaret/pacs/reception/media/contract.ts';
import { startKeeper } from './keeper.ts';
import { arrive, cleanConclusion, digestOf, sampleBytes } from './sample.ts';

interface Bench {
  readonly layout: Layout;
  readonly reader: Channel;
  readonly web: Channel;
  readonly inspector: Channel;
  stop(): Promise<void>;
}

async function start(t: TestContext, data = mkdtempSync(join(tmpdir(), 'lazaret-imports-'))): Promise<Bench> {
  const layout = layoutOf(data);
  const keeper = await startKeeper(layout, (error) => assert.fail(String(error)));
  const [reader, web, inspector] = await Promise.all([layout.sockets.importer, layout.sockets.web, layout.sockets.inspector].map((path) => connectChannel(path)));
  let stopped = false;
  const stop = async (): Promise<void> => {
    if (stopped) return;
    stopped = true;
    for (const channel of [reader, web, inspector]) channel!.close();
    await keeper.stop();
  };
  t.after(async () => {
    await stop();
    rmSync(data, { recursive: true, force: true });
  });
  return { layout, reader: reader!, web: web!, inspector: inspector!, stop };
}

const listing = 'c'.repeat(64);
const begin = { do: 'begin', medium: { kind: 'iso9660', label: 'KLINIK NORD', identifier: '42', bytes: 700_000_000 }, listing, files: 10, bytes: 1_000, person: 'desk', address: 'here', upload: '' };
const fate = (index: number, more: Partial<FileFate>): FileFate => ({ index, path: `DICOM/${index}`, bytes: 10, sha256: 'd'.repeat(64) as FileFate['sha256'], fate: 'left', objectId: '', what: 'text', text: '', ...more });
const end = { do: 'end', outcome: 'read', problem: '', notes: [], directories: [] };

async function companion(bench: Bench, id: string, bytes: Buffer, answer: (job: Job & { kind: 'companion' }) => Omit<CompanionConclusion, 'objectId'>): Promise<CompanionAnswer> {
  const received = await arrive(bench.layout, bytes);
  const asked = bench.reader.request<CompanionAnswer>('companion', { id, objectId: received.objectId, bytes: received.bytes, sha256: received.sha256, path: 'VIEWER.EXE' });
  const [job] = await bench.inspector.request<Job[]>('claim', { max: 1 });
  assert.equal(job!.kind, 'companion');
  assert.ok(existsSync(join(bench.layout.quarantine, 'companions', received.objectId)), 'it lies where examiners may read it');
  await bench.inspector.request('scanned', { objectId: received.objectId, ...answer(job as Job & { kind: 'companion' }) });
  const said = await asked;
  assert.ok(!existsSync(join(bench.layout.quarantine, 'companions', received.objectId)), 'it is gone before anybody is answered');
  assert.ok(!existsSync(join(bench.layout.arriving, received.objectId)));
  return said;
}

async function recorded(layout: Layout): Promise<string> {
  let xml = '';
  for await (const entry of readEntries(layout.audit)) xml += `${entry.xml}\n`;
  return xml;
}

test('from beginning to receipt: objects by their verdicts, the rest by its fate', async (t) => {
  const bench = await start(t);
  const { id, resumed, done } = await bench.reader.request<Begun>('import', begin);
  assert.deepEqual([resumed, done], [false, []]);
  const received: ReceivedObject = { ...(await arrive(bench.layout, sampleBytes('one'))), sopClassUID: '', sopInstanceUID: '' };
  const { objectId } = await bench.reader.request<Admission>('admit', { ...received, source: { ...received.source, door: 'media', peer: 'KLINIK NORD · 42', batch: id } });
  await bench.reader.request('import', { do: 'files', id, files: [fate(0, { fate: 'admitted', objectId }), fate(1, {}), fate(2, { fate: 'unreadable', text: 'bytes 0 to 9: the medium is damaged there' })] });
  const status = await bench.reader.request<ImportStatus>('import', { ...end, id });
  assert.deepEqual([status.state, status.waiting], ['inspecting', 1]);
  const [job] = await bench.inspector.request<Job[]>('claim', { max: 1 });
  await bench.inspector.request('conclude', cleanConclusion(job!.work, '2.25.77'));
  for (;;) {
    const now = await bench.web.request<ImportStatus>('import', { do: 'status', id });
    if (now.state === 'settled') break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const receipt = await bench.web.request<Receipt>('import', { do: 'receipt', id });
  assert.deepEqual([receipt.archived, receipt.held, receipt.patients, receipt.studies[0]!.patientName, receipt.studies[0]!.series[0]!.instances], [1, 0, 1, 'Muster^Maria', 1]);
  assert.deepEqual([receipt.left.length, receipt.unreadable.length], [1, 1]);
  const xml = await recorded(bench.layout);
  assert.match(xml, /csd-code="110107".*medium-begun.*KLINIK NORD/);
  assert.match(xml, /csd-code="110107".*medium-settled.*<MediaIdentifier><MediaType csd-code="110032"/);
});

test('an infected companion is an alert that names the medium, on record before the answer', async (t) => {
  const bench = await start(t);
  const { id } = await bench.reader.request<Begun>('import', begin);
  const bytes = Buffer.from('a viewer with something in it');
  const finding = { code: 'malware-signature', offset: 0, length: 1, tag: '', engine: 'yara-x', text: 'found it' };
  const said = await companion(bench, id, bytes, () => ({ sha256: digestOf(bytes), verdict: 'malicious', findings: [finding] }));
  assert.deepEqual([said.verdict, said.text], ['infected', 'yara-x: found it']);
  assert.match(await recorded(bench.layout), /csd-code="110113".*medium-infected.*KLINIK NORD/);
});

test('a companion is left behind as clean only when the engines saw its very bytes', async (t) => {
  const bench = await start(t);
  const { id } = await bench.reader.request<Begun>('import', begin);
  const bytes = Buffer.from('a viewer');
  assert.equal((await companion(bench, id, bytes, () => ({ sha256: digestOf(bytes), verdict: 'clean', findings: [] }))).verdict, 'clean');
  assert.equal((await companion(bench, id, bytes, () => ({ sha256: digestOf(Buffer.from('other')), verdict: 'clean', findings: [] }))).verdict, 'unscannable');
  assert.equal((await companion(bench, id, bytes, () => ({ sha256: digestOf(bytes), verdict: 'unscannable', findings: [] }))).verdict, 'unscannable');
});

test('an inspector that is lost while it scans a companion leaves it unscanned, and gone', async (t) => {
  const bench = await start(t);
  const { id } = await bench.reader.request<Begun>('import', begin);
  const received = await arrive(bench.layout, Buffer.from('ends inspectors'));
  const asked = bench.reader.request<CompanionAnswer>('companion', { id, objectId: received.objectId, bytes: received.bytes, sha256: received.sha256, path: 'x' });
  await bench.inspector.request<Job[]>('claim', { max: 1 });
  bench.inspector.close();
  assert.equal((await asked).verdict, 'unscannable');
  assert.deepEqual(readdirSync(join(bench.layout.quarantine, 'companions')), []);
});

test('links and lengths that are not as told are refused as companions', async (t) => {
  const bench = await start(t);
  const { id } = await bench.reader.request<Begun>('import', begin);
  const objectId = 'e'.repeat(32);
  const ask = (bytes: number): Promise<unknown> => bench.reader.request('companion', { id, objectId, bytes, sha256: 'f'.repeat(64), path: 'x' });
  await assert.rejects(ask(5), /not in the arriving area/);
  symlinkSync('/etc/passwd', join(bench.layout.arriving, objectId));
  await assert.rejects(ask(5), /not in the arriving area/);
  rmSync(join(bench.layout.arriving, objectId));
  writeFileSync(join(bench.layout.arriving, objectId), 'five!');
  await assert.rejects(ask(6), /not in the arriving area/);
});

test('what an import says is checked, and only a reader of media may say it', async (t) => {
  const bench = await start(t);
  const { id } = await bench.reader.request<Begun>('import', begin);
  const wrong: readonly Record<string, unknown>[] = [
    { ...begin, listing: 'x' }, { ...begin, medium: { kind: 'tape' } }, { ...begin, files: -1 }, { do: 'files', id, files: [fate(10, {})] }, { do: 'files', id, files: [fate(0, { fate: 'admitted' })] },
    { do: 'files', id, files: [fate(0, { objectId: 'a'.repeat(32) as FileFate['objectId'] })] }, { do: 'files', id, files: [{ ...fate(0, {}), fate: 'eaten' }] }, { do: 'files', id, files: [fate(0, { stops: 101 })] }, { do: 'files', id: '0'.repeat(32), files: [] }, { ...end, id, outcome: 'well' }, { do: 'else' },
  ];
  for (const body of wrong) await assert.rejects(bench.reader.request('import', body), JSON.stringify(body).slice(0, 120));
  for (const body of [begin, { do: 'files', id, files: [] }, { ...end, id }, { do: 'next' }]) await assert.rejects(bench.web.request('import', body), /no such request/);
});

test('who reads is gone: the import is interrupted, and goes on with what it had', async (t) => {
  const bench = await start(t);
  const other = await connectChannel(bench.layout.sockets.terminal);
  const { id } = await other.request<Begun>('import', begin);
  await other.request('import', { do: 'files', id, files: [fate(0, {}), fate(1, { fate: 'directory' }), fate(2, { fate: 'unreadable' }), fate(3, { fate: 'unreadable', stops: 2 })] });
  other.close();
  for (;;) {
    if ((await bench.web.request<ImportStatus>('import', { do: 'status', id })).state === 'interrupted') break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const again = await bench.reader.request<Begun>('import', begin);
  assert.deepEqual(again, { id, resumed: true, done: [0], stops: [[3, 2]] });
  assert.notEqual((await bench.reader.request<Begun>('import', { ...begin, listing: 'a'.repeat(64) })).id, id, 'another listing is another medium');
});

test('after a crash: reading is interrupted, uploads are asked for again, and no companion is left', async (t) => {
  const data = mkdtempSync(join(tmpdir(), 'lazaret-imports-'));
  const first = await start(t, data);
  const { id } = await first.reader.request<Begun>('import', begin);
  const upload = '1'.repeat(32);
  const asked = await first.web.request<{ id: string }>('import', { do: 'ask', upload, label: 'stick', person: 'desk', address: 'here' });
  const taken = await first.reader.request<Begun>('import', { ...begin, listing: 'b'.repeat(64), upload });
  assert.equal(taken.id, asked.id);
  await first.stop();
  mkdirSync(join(first.layout.quarantine, 'companions'), { recursive: true });
  writeFileSync(join(first.layout.quarantine, 'companions', 'left'), 'by a crash');
  const second = await start(t, data);
  assert.equal((await second.web.request<ImportStatus>('import', { do: 'status', id })).state, 'interrupted');
  assert.deepEqual(await second.reader.request('import', { do: 'next' }), { id: asked.id, upload, label: 'stick', person: 'desk', address: 'here' });
  assert.deepEqual(readdirSync(join(second.layout.quarantine, 'companions')), []);
});

test('of a large import the counts may be a moment old, its state never is', async (t) => {
  const bench = await start(t);
  const files = 20_000;
  const { id } = await bench.reader.request<Begun>('import', { ...begin, files });
  const status = (): Promise<ImportStatus> => bench.web.request('import', { do: 'status', id });
  for (let from = 0; from < files; from += 1_000) {
    await bench.reader.request('import', { do: 'files', id, files: Array.from({ length: 1_000 }, (_, index) => fate(from + index, {})) });
    const { done, state } = await status();
    assert.ok(done <= from + 1_000 && state === 'reading');
  }
  await bench.reader.request('import', { ...end, id });
  const { state, done } = await status();
  assert.deepEqual([state, done], ['settled', files]);
});

test('an open desk has the decoder of pictures started before a disc is put in, once a minute at most, and one who reads a disc does not', async (t) => {
  const bench = await start(t);
  const claim = bench.inspector.request<Claimed[]>('claim', { max: 4 });
  await bench.reader.request('import', { do: 'list', limit: 5 });
  await bench.web.request('import', { do: 'list', limit: 5 });
  await bench.web.request('import', { do: 'list', limit: 5 });
  assert.deepEqual(await claim, [{ kind: 'prepare' }]);
  const received = await arrive(bench.layout, sampleBytes('one'));
  const { objectId } = await bench.reader.request<Admission>('admit', { ...received, source: { ...received.source, door: 'media', batch: '' } });
  const jobs = await bench.inspector.request<Claimed[]>('claim', { max: 4 });
  assert.deepEqual(jobs.map((job) => (job.kind === 'inspect' ? job.work.objectId : job.kind)), [objectId]);
});
