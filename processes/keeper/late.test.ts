/** What a keeper does with archived objects when the signatures change: on access, in the background, and when something is found. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { readEntries, summarize } from '@lazaret/audit/reading.ts';
import { connectChannel, type Channel } from '@lazaret/system/channel.ts';
import { layoutOf, objectPath, type Layout } from '@lazaret/system/layout.ts';
import type { Running } from '@lazaret/system/process.ts';
import type { Conclusion, Finding, LedgerEntry, Work } from '@lazaret/pacs/quarantine/contract.ts';
import type { DecideAnswer, Job, RescanStatus } from '@lazaret/pacs/quarantine/requests.ts';
import { startKeeper } from './keeper.ts';
import { arrive, cleanConclusion, dataSetOffset, digestOf, sampleBytes } from './sample.ts';

const malware: Finding = { code: 'malware-signature', offset: 140, length: 4, tag: '', engine: 'yara-x', text: 'Marker (rule late_marker)' };

/** A keeper, and an inspector whose signatures the test changes. */
class Bench {
  readonly layout: Layout;
  readonly #keeper: Running;
  association!: Channel;
  web!: Channel;
  terminal!: Channel;
  #inspector!: Channel;
  epoch = 'test 1';
  /** What the inspector says of a piece of work; the areas it was given, in order. */
  say: (work: Work) => Partial<Conclusion> = () => ({});
  readonly given: string[] = [];
  #stopped = false;
  #answering: Promise<void> = Promise.resolve();

  private constructor(layout: Layout, keeper: Running) {
    this.layout = layout;
    this.#keeper = keeper;
  }
  static async start(t: TestContext, data = mkdtempSync(join(tmpdir(), 'lazaret-late-')), epoch = 'test 1'): Promise<Bench> {
    const layout = layoutOf(data);
    const bench = new Bench(layout, await startKeeper(layout, (error) => assert.fail(String(error))));
    [bench.association, bench.web, bench.terminal] = await Promise.all([layout.sockets.association, layout.sockets.web, layout.sockets.terminal].map((path) => connectChannel(path))) as [Channel, Channel, Channel];
    bench.epoch = epoch;
    await bench.connect();
    t.after(async () => {
      await bench.stop();
      rmSync(data, { recursive: true, force: true });
    });
    return bench;
  }
  async connect(): Promise<void> {
    this.#inspector = await connectChannel(this.layout.sockets.inspector);
    await this.hello(this.epoch);
  }
  hello(epoch: string): Promise<unknown> {
    this.epoch = epoch;
    return this.#inspector.request('hello', { sandbox: { strength: 'none', text: '' }, engines: [], epoch, examiners: 2 });
  }
  /** Takes work until it is told to stop. */
  inspect(): void {
    const inspector = this.#inspector;
    this.#answering = (async () => {
      while (!this.#stopped && inspector === this.#inspector) {
        const jobs = await inspector.request<Job[]>('claim', { max: 1 });
        for (const job of jobs) await this.conclude(job);
      }
    })().catch(() => {});
  }
  claim(): Promise<Job[]> {
    return this.#inspector.request<Job[]>('claim', { max: 1 });
  }
  async conclude(job: Job): Promise<void> {
    assert.ok(job.kind === 'inspect');
    this.given.push(`${job.area} ${job.work.objectId}`);
    await this.#inspector.request('conclude', { ...cleanConclusion(job.work), epoch: this.epoch, ...this.say(job.work) });
  }
  /** Takes the inspector away, as a crash does. */
  lose(): void {
    this.#inspector.close();
  }
  async archived(text: string, preamble = 0): Promise<LedgerEntry> {
    const received = await arrive(this.layout, sampleBytes(text, preamble));
    await this.association.request('admit', received);
    const entry = await this.web.request<LedgerEntry>('concluded', { objectId: received.objectId, timeoutMs: 5_000 });
    assert.equal(entry.state, 'archived');
    return entry;
  }
  show(objectId: string): Promise<LedgerEntry> {
    return this.web.request('show', { objectId });
  }
  rescan(what: RescanStatusRequest): Promise<RescanStatus | null> {
    return this.terminal.request('rescan', { since: 0, study: '', person: 'ann', ...what });
  }
  async until(holds: (status: RescanStatus | null) => boolean): Promise<RescanStatus> {
    for (let tries = 0; tries < 400; tries += 1, await wait(25)) {
      const status = await this.rescan({ do: 'status' });
      if (holds(status)) return status!;
    }
    throw new Error(`never: ${JSON.stringify(await this.rescan({ do: 'status' }))}`);
  }
  decide(objectId: string, decision: 'release' | 'destroy', person: string, roles: readonly string[]): Promise<DecideAnswer> {
    return this.web.request('decide', { objectId, decision, person, roles, reason: 'a false alarm' });
  }
  async alerts(): Promise<ReturnType<typeof summarize>[]> {
    const all = [];
    for await (const entry of readEntries(this.layout.audit)) all.push(summarize(entry.xml));
    return all.filter((summary) => summary.event === 'Security Alert');
  }
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    for (const channel of [this.association, this.web, this.terminal, this.#inspector]) channel.close();
    await this.#answering;
    await this.#keeper.stop();
  }
}
type RescanStatusRequest = { do: 'status' | 'start' | 'pause' | 'resume' | 'stop'; since?: number; study?: string };

test('new signatures make the archive due by themselves, newest first; what they find is out of sight with outcome 12, the rest is renewed', async (t) => {
  const bench = await Bench.start(t);
  bench.inspect();
  const entries = [];
  for (let number = 0; number < 5; number += 1) entries.push(await bench.archived(`object ${number}`));
  const bad = entries[2]!;
  bench.given.length = 0;
  bench.say = (work) => (work.objectId === bad.objectId ? { verdict: 'malicious', findings: [malware] } : {});
  await bench.hello('test 2');
  const status = await bench.until((now) => now?.state === 'done');
  assert.deepEqual([status.objects, status.withdrawn, status.reason, status.remaining?.objects], [5, 1, 'signatures', 0]);
  assert.deepEqual(bench.given, entries.toReversed().map(({ objectId }) => `archive ${objectId}`));
  const held = await bench.show(bad.objectId);
  assert.deepEqual([held.state, held.verdict, held.epoch], ['held', 'malicious', 'test 2']);
  assert.equal(existsSync(objectPath(bench.layout.archive, bad.sha256)), false);
  assert.ok(existsSync(objectPath(bench.layout.quarantine, bad.objectId)));
  assert.equal((await bench.show(entries[0]!.objectId)).epoch, 'test 2');
  const alert = (await bench.alerts()).find((one) => one.types.includes('Malicious software found in the archive by a later inspection'));
  assert.equal(alert?.outcome, '12');
  // The same signatures again, and one engine less: nothing is due.
  await bench.hello('test 2; other 1');
  await bench.until((now) => now?.state === 'done' && now.epoch === 'test 2; other 1');
  await bench.hello('test 2');
  assert.equal((await bench.rescan({ do: 'status' }))?.epoch, 'test 2; other 1');
});

test('two people release a false alarm back into the archive, and their decision stands until something else is found', async (t) => {
  const bench = await Bench.start(t);
  bench.inspect();
  const { objectId, sha256 } = await bench.archived('false alarm');
  bench.say = () => ({ verdict: 'malicious', findings: [malware] });
  await bench.hello('test 2');
  await bench.until((now) => now?.withdrawn === 1);
  assert.equal((await bench.decide(objectId, 'release', 'ann', ['reviewer'])).outcome, 'proposed');
  assert.equal((await bench.decide(objectId, 'release', 'sam', ['security'])).outcome, 'done');
  assert.ok(existsSync(objectPath(bench.layout.archive, sha256)));
  await bench.hello('test 3');
  await bench.until((now) => now?.state === 'done' && now.epoch === 'test 3');
  assert.deepEqual(await bench.show(objectId).then(({ state, epoch }) => [state, epoch]), ['archived', 'test 3']);
  bench.say = () => ({ verdict: 'malicious', findings: [malware, { ...malware, text: 'Another (rule another)' }] });
  await bench.hello('test 4');
  await bench.until((now) => now?.state === 'done' && now.epoch === 'test 4');
  assert.equal((await bench.show(objectId)).state, 'held');
});

test('an engine that fails takes nothing out of the archive: it is not served, tried again, and the run goes on when the engine does', async (t) => {
  const bench = await Bench.start(t);
  bench.inspect();
  const entry = await bench.archived('engine away');
  const failed: Finding = { code: 'engine-failed', offset: 0, length: 0, tag: '', engine: 'clamd', text: 'clamd: connection refused' };
  bench.say = () => ({ verdict: 'unscannable', findings: [failed] });
  await assert.rejects(bench.web.request('recheck', { digest: entry.sha256 }), { code: 'inspection-inconclusive', severity: 'unavailable' });
  await bench.hello('test 2');
  const status = await bench.until((now) => (now?.postponed ?? 0) > 0);
  assert.match(status.problem, /connection refused/);
  assert.equal((await bench.show(entry.objectId)).state, 'archived');
  bench.say = () => ({});
  await bench.rescan({ do: 'resume' });
  assert.equal((await bench.until((now) => now?.state === 'done')).objects, 1);
  assert.equal((await bench.show(entry.objectId)).epoch, 'test 2');
});

test('an examiner that ends over an object twice makes it unscannable; once does not', async (t) => {
  const bench = await Bench.start(t);
  bench.inspect();
  const [once, twice] = [await bench.archived('once'), await bench.archived('twice')];
  const crashed: Finding = { code: 'examiner-crashed', offset: 0, length: 0, tag: '', engine: 'examiner', text: 'The examiner ended.' };
  let crashes = 0;
  bench.say = ({ objectId }) => (objectId === twice.objectId || (objectId === once.objectId && crashes++ === 0) ? { verdict: 'unscannable', findings: [crashed] } : {});
  assert.deepEqual(await bench.web.request('recheck', { digest: once.sha256 }), { verdict: 'clean' });
  assert.deepEqual(await bench.web.request('recheck', { digest: twice.sha256 }), { verdict: 'unscannable' });
  assert.equal((await bench.show(twice.objectId)).state, 'held');
  assert.equal((await bench.alerts()).at(-1)?.outcome, '8');
});

test('other bytes than those archived are damage, whatever is found in them; a file that is gone too', async (t) => {
  const bench = await Bench.start(t);
  bench.inspect();
  const [changed, gone] = [await bench.archived('changed'), await bench.archived('gone')];
  bench.say = (work) => (work.objectId === changed.objectId ? { sha256: digestOf(Buffer.from('other bytes')) } : { verdict: 'unscannable', findings: [{ ...malware, code: 'object-unreadable' }] });
  rmSync(objectPath(bench.layout.archive, gone.sha256));
  for (const entry of [changed, gone]) {
    await bench.web.request('recheck', { digest: entry.sha256 });
    const held = await bench.show(entry.objectId);
    assert.equal(held.findings[0]!.code, 'digest-mismatch');
    await assert.rejects(bench.decide(entry.objectId, 'release', 'ann', ['reviewer', 'security']), { code: 'digest-mismatch' });
  }
});

test('a clean object that is to be disarmed now changes place with its disarmed file, the Data Set byte for byte the same', async (t) => {
  const bench = await Bench.start(t);
  bench.inspect();
  const bytes = sampleBytes('a preamble that was let through', 0x41);
  const entry = await bench.archived('a preamble that was let through', 0x41);
  const prefix = Buffer.concat([Buffer.alloc(128), Buffer.from('DICM')]);
  const dataSet = bytes.subarray(dataSetOffset);
  const file = Buffer.concat([prefix, dataSet]);
  const disarmed = { what: ['preamble'], prefix: prefix.toString('base64'), dataSetOffset, dataSetLength: dataSet.length, dataSetSha256: digestOf(dataSet), sha256: digestOf(file), bytes: file.length };
  bench.say = (work) => (work.sha256 === entry.sha256 ? { disarmed } : {});
  await bench.hello('test 2');
  await bench.until((now) => now?.state === 'done');
  const now = await bench.show(entry.objectId);
  assert.deepEqual([now.state, now.verdict, now.disarmed, now.epoch], ['archived', 'clean', ['preamble'], 'test 2']);
  assert.deepEqual(readFileSync(objectPath(bench.layout.archive, disarmed.sha256)), file);
  assert.deepEqual(readFileSync(objectPath(bench.layout.quarantine, entry.objectId)), bytes);
  assert.equal(existsSync(objectPath(bench.layout.archive, entry.sha256)), false);
  // A disarming that is not what it says leaves nothing in sight.
  const other = await bench.archived('another preamble', 0x42);
  bench.say = (work) => (work.objectId === other.objectId ? { disarmed } : {});
  assert.deepEqual(await bench.web.request('recheck', { digest: other.sha256 }), { verdict: 'unscannable' });
});

test('a new object overtakes the rescan, which takes an idle examiner only and leaves one free', async (t) => {
  const bench = await Bench.start(t);
  bench.inspect();
  for (let number = 0; number < 4; number += 1) await bench.archived(`old ${number}`);
  bench.lose();
  await bench.connect();
  await bench.hello('test 2');
  const [first] = await bench.claim();
  assert.equal(first?.kind === 'inspect' && first.area, 'archive');
  // Two examiners, one of them with an old object: the other one waits for what is sent.
  const second = bench.claim();
  const early = await Promise.race([second, wait(600).then(() => null)]);
  assert.equal(early, null);
  const received = await arrive(bench.layout, sampleBytes('live'));
  await bench.association.request('admit', received);
  const [live] = await second;
  assert.deepEqual([live?.kind === 'inspect' && live.area, live?.kind === 'inspect' && live.work.objectId], ['quarantine', received.objectId]);
  // While new objects are in hand, one more old object is not given out.
  const third = bench.claim();
  await bench.conclude(first!);
  assert.equal(await Promise.race([third, wait(600).then(() => null)]), null);
  await bench.conclude(live!);
  const [next] = await third;
  assert.equal(next?.kind === 'inspect' && next.area, 'archive');
});

test('a run can be narrowed, paused and resumed, and goes on after the keeper was started again', async (t) => {
  const data = mkdtempSync(join(tmpdir(), 'lazaret-late-'));
  let bench = await Bench.start(t, data);
  bench.inspect();
  const entries = [];
  for (let number = 0; number < 6; number += 1) entries.push(await bench.archived(`object ${number}`));
  await assert.rejects(bench.rescan({ do: 'pause' }), { code: 'rescan-absent' });
  assert.equal((await bench.rescan({ do: 'start', study: '2.25.99' }))?.state, 'running');
  assert.equal((await bench.until((now) => now?.state === 'done')).objects, 0);
  bench.lose();
  await bench.connect();
  await bench.rescan({ do: 'start', study: '2.25.1' });
  const [job] = await bench.claim();
  await bench.conclude(job!);
  await bench.rescan({ do: 'pause' });
  assert.equal(await Promise.race([bench.claim(), wait(400).then(() => null)]), null);
  await bench.stop();
  bench = await Bench.start(t, data);
  assert.equal((await bench.rescan({ do: 'status' }))?.state, 'paused');
  bench.inspect();
  await wait(300);
  assert.equal(bench.given.length, 0);
  await bench.rescan({ do: 'resume' });
  const done = await bench.until((now) => now?.state === 'done');
  assert.equal(bench.given.length, 5);
  assert.equal(done.objects, 6);
  assert.equal(done.person, 'ann');
  assert.ok(job?.kind === 'inspect' && !bench.given.some((given) => given.endsWith(job.work.objectId)));
});

test('what is asked for again while it is inspected for nobody is inspected once; without an inspector the asker is told to come back', async (t) => {
  const bench = await Bench.start(t);
  bench.inspect();
  const entry = await bench.archived('wanted');
  bench.lose();
  await bench.connect();
  await bench.hello('test 2');
  const [job] = await bench.claim();
  const asked = bench.web.request('recheck', { digest: entry.sha256 });
  await bench.conclude(job!);
  assert.deepEqual(await asked, { verdict: 'clean' });
  bench.lose();
  await wait(50);
  await assert.rejects(bench.web.request('recheck', { digest: entry.sha256, waitMs: 50 }), { code: 'verdict-pending', severity: 'unavailable' });
  // It went on: the next inspector gets it, and who asks again finds it done.
  await bench.connect();
  bench.inspect();
  assert.deepEqual(await bench.web.request('recheck', { digest: entry.sha256 }), { verdict: 'clean' });
});

test('two objects that became one archived file leave together, and the bytes of both are kept', async (t) => {
  const bench = await Bench.start(t);
  const prefix = Buffer.concat([Buffer.alloc(128), Buffer.from('DICM')]);
  const dataSet = sampleBytes('twin').subarray(dataSetOffset);
  const file = Buffer.concat([prefix, dataSet]);
  const disarmed = { what: ['preamble'], prefix: prefix.toString('base64'), dataSetOffset, dataSetLength: dataSet.length, dataSetSha256: digestOf(dataSet), sha256: digestOf(file), bytes: file.length };
  const clean = cleanConclusion({ sopInstanceUID: '2.25.5', bytes: file.length } as Work);
  bench.say = () => ({ disarmed, instance: clean.instance });
  bench.inspect();
  const [one, two] = [await bench.archived('twin', 0x41), await bench.archived('twin', 0x42)];
  bench.say = () => ({ verdict: 'malicious', findings: [malware] });
  assert.deepEqual(await bench.web.request('recheck', { digest: disarmed.sha256 }), { verdict: 'malicious' });
  for (const entry of [one, two]) {
    assert.equal((await bench.show(entry.objectId)).state, 'held');
    assert.ok(existsSync(objectPath(bench.layout.quarantine, entry.objectId)));
  }
  assert.equal(existsSync(objectPath(bench.layout.archive, disarmed.sha256)), false);
});
