import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test, type TestContext } from 'node:test';
import { verifyLog } from '@lazaret/audit/verify.ts';
import { readEntries, summarize } from '@lazaret/audit/reading.ts';
import { connectChannel, type Channel } from '@lazaret/system/channel.ts';
import { encodeFrame } from '@lazaret/system/frames.ts';
import { layoutOf, objectPath, type Layout } from '@lazaret/system/layout.ts';
import type { Running } from '@lazaret/system/process.ts';
import type { Admission, ReceivedObject } from '@lazaret/pacs/reception/contract.ts';
import type { Conclusion, LedgerEntry, Work } from '@lazaret/pacs/quarantine/contract.ts';
import type { DecideAnswer, Job, ListAnswer, StatusAnswer } from '@lazaret/pacs/quarantine/requests.ts';
import { startKeeper } from './keeper.ts';
import { arrive, cleanConclusion, dataSetOffset, digestOf, sampleBytes } from './sample.ts';

interface Bench {
  readonly layout: Layout;
  readonly association: Channel;
  readonly inspector: Channel;
  readonly web: Channel;
  readonly terminal: Channel;
  admit(received: ReceivedObject): Promise<Admission>;
  /** Admits and takes the one job. */
  admitted(bytes: Buffer, more?: { sopInstanceUID?: string }): Promise<Work>;
  claim(): Promise<Work>;
  conclude(conclusion: Conclusion): Promise<LedgerEntry>;
  show(objectId: string): Promise<LedgerEntry>;
  decide(objectId: string, decision: 'release' | 'destroy', person: string, roles?: readonly string[]): Promise<DecideAnswer>;
  restart(): Promise<Bench>;
  stop(): Promise<void>;
}

async function start(t: TestContext, data = mkdtempSync(join(tmpdir(), 'lazaret-keeper-'))): Promise<Bench> {
  const layout = layoutOf(data);
  const keeper: Running = await startKeeper(layout, (error) => assert.fail(String(error)));
  const [association, inspector, web, terminal] = await Promise.all([layout.sockets.association, layout.sockets.inspector, layout.sockets.web, layout.sockets.terminal].map((path) => connectChannel(path)));
  let stopped = false;
  const bench: Bench = {
    layout, association: association!, inspector: inspector!, web: web!, terminal: terminal!,
    admit: (received) => association!.request('admit', received),
    async admitted(bytes, more = {}) {
      await bench.admit(await arrive(layout, bytes, more));
      return bench.claim();
    },
    async claim() {
      const [job] = await inspector!.request<Job[]>('claim', { max: 1 });
      return job!.work;
    },
    async conclude(conclusion) {
      await inspector!.request('conclude', conclusion);
      return bench.show(conclusion.objectId);
    },
    show: (objectId) => web!.request('show', { objectId }),
    decide: (objectId, decision, person, roles = ['reviewer']) => web!.request('decide', { objectId, decision, person, roles, reason: 'because' }),
    async restart() {
      await bench.stop();
      return start(t, data);
    },
    async stop() {
      if (stopped) return;
      stopped = true;
      for (const channel of [association!, inspector!, web!, terminal!]) channel.close();
      await keeper.stop();
    },
  };
  t.after(async () => {
    await bench.stop();
    rmSync(data, { recursive: true, force: true });
  });
  return bench;
}

function move(from: string, to: string): void {
  writeFileSync(to, readFileSync(from));
  rmSync(from);
}

async function summaries(layout: Layout): Promise<ReturnType<typeof summarize>[]> {
  const all = [];
  for await (const entry of readEntries(layout.audit)) all.push(summarize(entry.xml));
  return all;
}

test('a clean object is admitted, inspected, archived under its digest and on the record', async (t) => {
  const bench = await start(t);
  const bytes = sampleBytes('one');
  const work = await bench.admitted(bytes);
  assert.equal((await bench.show(work.objectId)).state, 'inspecting');
  const entry = await bench.conclude(cleanConclusion(work));
  assert.equal(entry.state, 'archived');
  assert.equal(entry.patientName, 'Muster^Maria');
  assert.deepEqual(readFileSync(objectPath(bench.layout.archive, work.sha256)), bytes);
  assert.equal(existsSync(objectPath(bench.layout.quarantine, work.objectId)), false);
  const status = await bench.terminal.request<StatusAnswer>('status', null);
  assert.equal(status.counts.archived, 1);
  assert.equal(status.counts.inspecting, 0);
  await bench.stop();
  const verification = verifyLog(bench.layout.audit);
  assert.deepEqual(verification.problems, []);
  const types = (await summaries(bench.layout)).flatMap((summary) => summary.types);
  for (const type of ['Application Start', 'Admitted to quarantine', 'Inspection concluded', 'Application Stop']) assert.ok(types.includes(type), type);
});

test('the same bytes again are a success and stored once, in the same group too', async (t) => {
  const bench = await start(t);
  const bytes = sampleBytes('twin');
  const twins = await Promise.all([arrive(bench.layout, bytes), arrive(bench.layout, bytes)]);
  const answers = await Promise.all(twins.map((twin) => bench.admit(twin)));
  assert.deepEqual(answers.map((answer) => answer.outcome).toSorted(), ['admitted', 'duplicate']);
  const kept = answers.find((answer) => answer.outcome === 'admitted')!.objectId;
  assert.ok(answers.every((answer) => answer.objectId === kept));
  for (const twin of twins) assert.equal(existsSync(join(bench.layout.arriving, twin.objectId)), false);
  // A door that lost the answer asks again with the same object.
  assert.deepEqual(await bench.admit(twins.find((twin) => twin.objectId === kept)!), { outcome: 'admitted', objectId: kept });
  assert.ok(existsSync(objectPath(bench.layout.quarantine, kept)));
  const work = await bench.claim();
  await bench.conclude(cleanConclusion(work));
  const late = await bench.admit(await arrive(bench.layout, bytes));
  assert.deepEqual(late, { outcome: 'duplicate', objectId: kept });
});

test('other bytes under the same SOP Instance UID are both kept, the later held, whichever is inspected first', async (t) => {
  const bench = await start(t);
  const sopInstanceUID = '2.25.77';
  const first = await bench.admitted(sampleBytes('first'), { sopInstanceUID });
  const second = await bench.admitted(sampleBytes('second'), { sopInstanceUID });
  const held = await bench.conclude(cleanConclusion(second));
  assert.equal(held.state, 'held');
  assert.equal(held.verdict, 'malformed');
  assert.equal(held.findings[0]!.code, 'instance-conflict');
  assert.deepEqual(held.conflicts, [first.objectId]);
  assert.equal((await bench.conclude(cleanConclusion(first))).state, 'archived');
  assert.ok(existsSync(objectPath(bench.layout.quarantine, second.objectId)));
  // One whose UID the door was not told comes earlier and is inspected later than its rival.
  const quiet = await bench.admitted(sampleBytes('quiet'), { sopInstanceUID: '' });
  const loud = await bench.admitted(sampleBytes('loud'), { sopInstanceUID: '2.25.78' });
  assert.equal((await bench.conclude(cleanConclusion(loud))).state, 'archived');
  const late = await bench.conclude(cleanConclusion(quiet, '2.25.78'));
  assert.equal(late.state, 'held');
  assert.equal(late.findings[0]!.code, 'instance-conflict');
});

test('everything but clean over the same bytes is held', async (t) => {
  const bench = await start(t);
  for (const verdict of ['malicious', 'malformed', 'unscannable'] as const) {
    const work = await bench.admitted(sampleBytes(verdict));
    const entry = await bench.conclude({ ...cleanConclusion(work), verdict, findings: [{ code: 'malware-signature', offset: 0, length: 4, tag: '', engine: 'yara-x', text: 'x' }] });
    assert.equal(entry.state, 'held');
    assert.equal(entry.verdict, verdict);
  }
  const other = await bench.admitted(sampleBytes('other bytes'));
  const mismatch = await bench.conclude({ ...cleanConclusion(other), sha256: digestOf(Buffer.from('not those')) });
  assert.equal(mismatch.state, 'held');
  assert.equal(mismatch.findings[0]!.code, 'digest-mismatch');
  await assert.rejects(bench.decide(other.objectId, 'release', 'anna'), { code: 'digest-mismatch' });
  const unnamed = await bench.admitted(sampleBytes('no instance'));
  assert.equal((await bench.conclude({ ...cleanConclusion(unnamed), instance: null })).state, 'held');
  const unindexable = await bench.admitted(sampleBytes('bad metadata'));
  const conclusion = cleanConclusion(unindexable);
  const refused = await bench.conclude({ ...conclusion, instance: { ...conclusion.instance!, metadata: 'not JSON' } });
  assert.equal(refused.state, 'held');
  assert.equal(refused.findings[0]!.code, 'metadata-invalid');
  // A report that cannot be taken must not come back to the inspectors for ever.
  for (const [index, wrong] of [{ sopInstanceUID: '1'.repeat(100_000) }, { metadata: 7 }, { dataSetOffset: -1 }, { frames: 'none' }].entries()) {
    const strange = await bench.admitted(sampleBytes(`strange ${index}`));
    const clean = cleanConclusion(strange);
    const entry = await bench.conclude({ ...clean, instance: { ...clean.instance!, ...wrong } as unknown as Conclusion['instance'] });
    assert.equal(entry.state, 'held', JSON.stringify(entry));
  }
});

test('only who claimed an object concludes it, once; a lost inspector gives it back', async (t) => {
  const bench = await start(t);
  const work = await bench.admitted(sampleBytes('claimed'));
  const stranger = await connectChannel(bench.layout.sockets.inspector);
  await assert.rejects(stranger.request('conclude', cleanConclusion(work)), { code: 'work-unknown' });
  bench.inspector.close();
  const [job] = await stranger.request<Job[]>('claim', { max: 4 });
  assert.equal(job!.work.objectId, work.objectId);
  await stranger.request('conclude', cleanConclusion(work));
  await assert.rejects(stranger.request('conclude', cleanConclusion(work)), { code: 'work-unknown' });
  stranger.close();
});

test('a disarmed object is archived with the Data Set byte for byte; the original stays in the vault', async (t) => {
  const bench = await start(t);
  const bytes = sampleBytes('preamble full of things', 0x41);
  const dataSet = bytes.subarray(dataSetOffset);
  const prefix = Buffer.concat([Buffer.alloc(128), Buffer.from('DICM')]);
  const file = Buffer.concat([prefix, dataSet]);
  const disarmed = { what: ['preamble'], prefix: prefix.toString('base64'), dataSetOffset, dataSetLength: dataSet.length, dataSetSha256: digestOf(dataSet), sha256: digestOf(file), bytes: file.length };
  const work = await bench.admitted(bytes);
  const entry = await bench.conclude({ ...cleanConclusion(work), disarmed });
  assert.equal(entry.state, 'archived');
  assert.deepEqual(entry.disarmed, ['preamble']);
  assert.deepEqual(readFileSync(objectPath(bench.layout.archive, disarmed.sha256)), file);
  assert.deepEqual(readFileSync(objectPath(bench.layout.quarantine, work.objectId)), bytes);
  const lies = [
    { ...disarmed, dataSetSha256: digestOf(file) }, { ...disarmed, sha256: digestOf(dataSet) }, { ...disarmed, bytes: 1 }, { ...disarmed, dataSetLength: dataSet.length + 1 },
    { ...disarmed, prefix: bytes.subarray(0, 132).toString('base64') },
  ];
  for (const [index, lie] of lies.entries()) {
    const again = await bench.admitted(Buffer.concat([Buffer.alloc(128, index + 1), Buffer.from('DICM'), dataSet]));
    const held = await bench.conclude({ ...cleanConclusion(again), disarmed: lie });
    assert.equal(held.state, 'held', JSON.stringify(lie));
    assert.equal(held.findings.some((finding) => finding.code === 'digest-mismatch'), true);
  }
});

test('one reviewer releases what is malformed; what is malicious, and any destruction, takes two', async (t) => {
  const bench = await start(t);
  const malformed = await bench.admitted(sampleBytes('malformed'));
  await bench.conclude({ ...cleanConclusion(malformed), verdict: 'malformed' });
  await assert.rejects(bench.decide(malformed.objectId, 'release', 'vera', ['viewer']), { code: 'role-missing' });
  await assert.rejects(bench.decide(malformed.objectId, 'release', 'adam', ['administrator']), { code: 'role-missing' });
  await assert.rejects(bench.web.request('decide', { objectId: malformed.objectId, decision: 'release', person: 'anna', roles: ['reviewer'], reason: ' ' }), { code: 'reason-missing' });
  assert.equal((await bench.decide(malformed.objectId, 'release', 'anna')).outcome, 'done');
  assert.equal((await bench.show(malformed.objectId)).state, 'archived');
  assert.ok(existsSync(objectPath(bench.layout.archive, malformed.sha256)));
  await assert.rejects(bench.decide(malformed.objectId, 'destroy', 'anna'), { code: 'transition-invalid' });

  const malicious = await bench.admitted(sampleBytes('malicious'));
  await bench.conclude({ ...cleanConclusion(malicious), verdict: 'malicious' });
  assert.equal((await bench.decide(malicious.objectId, 'release', 'anna')).outcome, 'proposed');
  assert.equal((await bench.decide(malicious.objectId, 'release', 'anna', ['security'])).outcome, 'proposed');
  const proposed = await bench.show(malicious.objectId);
  assert.equal(proposed.proposals?.[0]?.person, 'anna');
  assert.equal((await bench.decide(malicious.objectId, 'release', 'bert')).outcome, 'done');

  const worse = await bench.admitted(sampleBytes('worse'));
  await bench.conclude({ ...cleanConclusion(worse), verdict: 'malicious' });
  assert.equal((await bench.decide(worse.objectId, 'release', 'anna')).outcome, 'proposed');
  await assert.rejects(bench.decide(worse.objectId, 'release', 'bert'), { code: 'role-missing' });
  assert.equal((await bench.decide(worse.objectId, 'destroy', 'anna')).outcome, 'proposed');
  assert.equal((await bench.decide(worse.objectId, 'destroy', 'bert')).outcome, 'done');
  assert.equal((await bench.show(worse.objectId)).state, 'destroyed');
  assert.equal(existsSync(objectPath(bench.layout.quarantine, worse.objectId)), false);
  // What was destroyed is not kept: the same bytes are admitted again, and inspected again.
  assert.equal((await bench.admit(await arrive(bench.layout, sampleBytes('worse')))).outcome, 'admitted');
});

test('a release of bytes that changed on the disk is refused', async (t) => {
  const bench = await start(t);
  const work = await bench.admitted(sampleBytes('changed later'));
  await bench.conclude({ ...cleanConclusion(work), verdict: 'malformed' });
  const path = objectPath(bench.layout.quarantine, work.objectId);
  const bytes = readFileSync(path);
  bytes[140]! ^= 1;
  writeFileSync(path, bytes);
  await assert.rejects(bench.decide(work.objectId, 'release', 'anna'), { code: 'digest-mismatch' });
});

test('a damaged archived file goes out of sight with an alert, and the sender can heal it', async (t) => {
  const bench = await start(t);
  const bytes = sampleBytes('to be damaged');
  const work = await bench.admitted(bytes);
  await bench.conclude(cleanConclusion(work));
  await assert.rejects(bench.web.request('damage', { digest: work.sha256, found: '' }), { code: 'digest-matches' });
  const path = objectPath(bench.layout.archive, work.sha256);
  truncateSync(path, bytes.length - 1);
  await bench.web.request('damage', { digest: work.sha256, found: '' });
  const entry = await bench.show(work.objectId);
  assert.equal(entry.state, 'held');
  assert.equal(entry.findings[0]!.code, 'digest-mismatch');
  assert.equal(existsSync(path), false);
  assert.equal(statSync(objectPath(bench.layout.quarantine, work.objectId)).size, bytes.length - 1);
  const database = new DatabaseSync(bench.layout.database, { readOnly: true });
  assert.equal(database.prepare('SELECT count(*) AS count FROM instances').get()!['count'], 0);
  database.close();
  const healed = await bench.admitted(bytes, { sopInstanceUID: work.sopInstanceUID });
  assert.notEqual(healed.objectId, work.objectId);
  assert.equal((await bench.conclude(cleanConclusion(healed))).state, 'archived');
  const alert = (await summaries(bench.layout)).find((summary) => summary.types.includes('Archived file no longer has its digest'));
  assert.equal(alert?.outcome, '12');
});

test('a stale verdict is renewed by a new inspection; a late detection takes the object out of sight', async (t) => {
  const bench = await start(t);
  const work = await bench.admitted(sampleBytes('stale'));
  await bench.conclude(cleanConclusion(work));
  const clean = bench.web.request('recheck', { digest: work.sha256 });
  const [job] = await bench.inspector.request<Job[]>('claim', { max: 1 });
  assert.equal(job?.kind === 'inspect' && job.area, 'archive');
  await bench.inspector.request('conclude', { ...cleanConclusion(job!.work), epoch: 'test 2' });
  assert.deepEqual(await clean, { verdict: 'clean' });
  assert.equal((await bench.show(work.objectId)).epoch, 'test 2');
  const late = bench.web.request('recheck', { digest: work.sha256 });
  const again = await bench.claim();
  await bench.inspector.request('conclude', { ...cleanConclusion(again), epoch: 'test 3', verdict: 'malicious' });
  assert.deepEqual(await late, { verdict: 'malicious' });
  assert.equal((await bench.show(work.objectId)).state, 'held');
  assert.ok(existsSync(objectPath(bench.layout.quarantine, work.objectId)));
  await bench.decide(work.objectId, 'release', 'anna', ['security']);
  assert.equal((await bench.decide(work.objectId, 'release', 'bert')).outcome, 'done');
  assert.ok(existsSync(objectPath(bench.layout.archive, work.sha256)));
});

test('what a door announces wrongly is refused and nothing is kept of it', async (t) => {
  const bench = await start(t);
  const received = await arrive(bench.layout, sampleBytes('announced'));
  await assert.rejects(bench.admit({ ...received, bytes: received.bytes + 1 }), { code: 'object-length' });
  await assert.rejects(bench.admit({ ...received, objectId: '../../../../etc/passwd' as ReceivedObject['objectId'] }), { code: 'request-invalid' });
  await assert.rejects(bench.admit({ ...received, sha256: 'x' as ReceivedObject['sha256'] }), { code: 'request-invalid' });
  await assert.rejects(bench.admit({ ...received, objectId: 'a'.repeat(32) as ReceivedObject['objectId'] }), { code: 'object-missing' });
  const link = { ...received, objectId: 'b'.repeat(32) as ReceivedObject['objectId'] };
  symlinkSync(join(bench.layout.arriving, received.objectId), join(bench.layout.arriving, link.objectId));
  await assert.rejects(bench.admit(link), { code: 'object-missing' });
  // The others in the same group are not touched by the one that is refused.
  const answers = await Promise.allSettled([bench.admit({ ...received, bytes: 1 }), bench.admit(received)]);
  assert.deepEqual(answers.map((answer) => answer.status), ['rejected', 'fulfilled']);
  assert.equal((await bench.terminal.request<StatusAnswer>('status', null)).counts.waiting, 1);
});

test('a socket answers its own table of requests and ends the connection at anything else', async (t) => {
  const bench = await start(t);
  const forbidden: readonly (readonly [string, string])[] = [
    [bench.layout.sockets.association, 'decide'], [bench.layout.sockets.association, 'claim'], [bench.layout.sockets.association, 'list'], [bench.layout.sockets.inspector, 'admit'],
    [bench.layout.sockets.inspector, 'decide'], [bench.layout.sockets.web, 'assets'], [bench.layout.sockets.web, 'conclude'], [bench.layout.sockets.web, 'safekeeping'], [bench.layout.sockets.terminal, 'conclude'], [bench.layout.sockets.importer, 'decide'], [bench.layout.sockets.importer, 'list'],
    [bench.layout.sockets.terminal, 'constructor'], [bench.layout.sockets.web, '__proto__'],
  ];
  for (const [path, name] of forbidden) {
    assert.equal(statSync(path).mode & 0o777, 0o600);
    const socket = connect(path);
    const ended = new Promise((resolve) => socket.on('close', resolve));
    socket.write(encodeFrame({ id: 1, name, body: {} }));
    await ended;
  }
});

test('after a start everything is where its state says, whatever the crash left', async (t) => {
  let bench = await start(t);
  const works: Work[] = [];
  for (const name of ['a', 'b', 'c']) works.push(await bench.admitted(sampleBytes(name)));
  await bench.conclude(cleanConclusion(works[0]!));
  await bench.conclude({ ...cleanConclusion(works[1]!), verdict: 'malformed' });
  const { layout } = bench;
  await bench.stop();
  // The renames did not reach the disk, or did without their transaction.
  move(objectPath(layout.quarantine, works[1]!.objectId), join(layout.arriving, works[1]!.objectId));
  move(objectPath(layout.quarantine, works[2]!.objectId), objectPath(layout.archive, works[2]!.sha256));
  move(objectPath(layout.archive, works[0]!.sha256), objectPath(layout.quarantine, works[0]!.objectId));
  const database = new DatabaseSync(layout.database);
  database.exec(`UPDATE ledger_mark SET value = 1 WHERE name = 'settled_below'`);
  database.close();
  bench = await bench.restart();
  assert.ok(existsSync(objectPath(layout.archive, works[0]!.sha256)));
  assert.ok(existsSync(objectPath(layout.quarantine, works[1]!.objectId)));
  assert.ok(existsSync(objectPath(layout.quarantine, works[2]!.objectId)));
  assert.equal((await bench.claim()).objectId, works[2]!.objectId);
  // A file that is gone is said and held, not forgotten.
  const { objectId } = works[1]!;
  await bench.stop();
  rmSync(objectPath(layout.quarantine, objectId));
  bench = await bench.restart();
  const entry = await bench.show(objectId);
  assert.equal(entry.state, 'held');
  assert.equal(entry.findings[0]!.code, 'file-missing');
  assert.equal((await bench.terminal.request<ListAnswer>('list', { states: ['held'], text: '', limit: 10, after: null })).entries.length, 1);
});

test('what a power failure leaves of an object whose sender was not told is discarded; what was acknowledged never is', async (t) => {
  let bench = await start(t);
  const works: Work[] = [];
  for (const name of ['told', 'last', 'cut']) works.push(await bench.admitted(sampleBytes(name)));
  const { layout } = bench;
  await bench.stop();
  // The ledger reached the disk and the file did not: as if the answer to the last two had not gone out yet, one of them being whole.
  const database = new DatabaseSync(layout.database);
  database.exec(`UPDATE ledger_mark SET value = 1 WHERE name = 'answered'`);
  database.close();
  for (const work of [works[0]!, works[2]!]) truncateSync(objectPath(layout.quarantine, work.objectId), 10);
  bench = await bench.restart();
  const told = await bench.show(works[0]!.objectId);
  assert.equal(told.state, 'held');
  assert.equal(told.findings[0]!.code, 'file-missing');
  assert.equal((await bench.claim()).objectId, works[1]!.objectId);
  await assert.rejects(bench.show(works[2]!.objectId), { code: 'object-unknown' });
  assert.ok(!existsSync(objectPath(layout.quarantine, works[2]!.objectId)));
  assert.equal((await bench.terminal.request<StatusAnswer>('status', {})).counts.waiting, 0);
  // Its sender sends it again.
  assert.equal((await bench.admit(await arrive(layout, sampleBytes('cut')))).outcome, 'admitted');
  // On the record by name; and from now on everything that is there counts as told.
  const { objectId } = await bench.claim();
  const said: string[] = [];
  for await (const entry of readEntries(layout.audit)) said.push(entry.xml);
  assert.match(said.join(), /not told yet that they had arrived/);
  await bench.stop();
  truncateSync(objectPath(layout.quarantine, objectId), 10);
  bench = await bench.restart();
  assert.equal((await bench.show(objectId)).findings[0]!.code, 'file-missing');
});

test('lists page from the newest, by state and by what a person remembers', async (t) => {
  const bench = await start(t);
  for (let number = 0; number < 5; number++) {
    const work = await bench.admitted(sampleBytes(`list ${number}`));
    await bench.conclude({ ...cleanConclusion(work), verdict: number === 2 ? 'malicious' : 'malformed', findings: number === 2 ? [{ code: 'executable-content', offset: 1, length: 1, tag: '', engine: 'content', text: '100%' }] : [] });
  }
  const ask = (request: object): Promise<ListAnswer> => bench.terminal.request('list', { states: ['held'], text: '', limit: 2, after: null, ...request });
  const seen: string[] = [];
  for (let after: string | null = null; ; ) {
    const page: ListAnswer = await ask({ after });
    seen.push(...page.entries.map((entry) => entry.objectId));
    after = page.next;
    if (after === null) break;
  }
  assert.equal(new Set(seen).size, 5);
  assert.equal((await ask({ text: 'executable-content' })).entries.length, 1);
  assert.equal((await ask({ text: '100%' })).entries.length, 1);
  assert.equal((await ask({ text: '%' })).entries.length, 1);
  assert.equal((await ask({ text: 'muster' })).entries.length, 2);
  assert.equal((await ask({ text: 'CT1' })).entries.length, 2);
  await assert.rejects(ask({ limit: 0 }), { code: 'request-invalid' });
  await assert.rejects(ask({ states: ['good'] }), { code: 'request-invalid' });
});
