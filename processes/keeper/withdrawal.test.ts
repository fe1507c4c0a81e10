/** What people take out of sight, and bring back: exactly that, whatever happens in between. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test, type TestContext } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { readEntries, summarize } from '@lazaret/audit/reading.ts';
import { roles as allRoles, type Role } from '@lazaret/pacs/access/actions.ts';
import { unindexed } from '@lazaret/pacs/archive/safekeeping/verification.ts';
import type { Conclusion, LedgerEntry, Work } from '@lazaret/pacs/quarantine/contract.ts';
import type { Job } from '@lazaret/pacs/quarantine/requests.ts';
import type { Selection, WithdrawalPreview, WithdrawalStatus, WithdrawnObject } from '@lazaret/pacs/quarantine/withdrawalcontract.ts';
import type { Begun } from '@lazaret/pacs/reception/media/contract.ts';
import type { ReceivedObject } from '@lazaret/pacs/reception/contract.ts';
import { connectChannel, type Channel } from '@lazaret/system/channel.ts';
import { layoutOf, objectPath, type Layout } from '@lazaret/system/layout.ts';
import { startKeeper } from './keeper.ts';
import { arrive, cleanConclusion, dataSetOffset, digestOf, sampleBytes } from './sample.ts';

/** A keeper with an inspector whose signatures and words the test changes. */
class Bench {
  readonly layout: Layout;
  readonly #keeper: Awaited<ReturnType<typeof startKeeper>>;
  channels!: Readonly<Record<'association' | 'web' | 'terminal' | 'inspector' | 'importer', Channel>>;
  epoch = 'test 1';
  say: (work: Work) => Partial<Conclusion> = () => ({});
  inspected = 0;
  #stopped = false;

  constructor(layout: Layout, keeper: Awaited<ReturnType<typeof startKeeper>>) {
    this.layout = layout;
    this.#keeper = keeper;
  }
  static async start(t: TestContext, data = mkdtempSync(join(tmpdir(), 'lazaret-withdrawal-')), inspects = true): Promise<Bench> {
    const layout = layoutOf(data);
    const bench = new Bench(layout, await startKeeper(layout, (error) => assert.fail(String(error))));
    const names = ['association', 'web', 'terminal', 'inspector', 'importer'] as const;
    bench.channels = Object.fromEntries(await Promise.all(names.map(async (name) => [name, await connectChannel(layout.sockets[name])] as const))) as typeof bench.channels;
    await bench.hello(bench.epoch);
    if (inspects) bench.inspect();
    t.after(async () => {
      await bench.stop();
      rmSync(data, { recursive: true, force: true });
    });
    return bench;
  }
  hello(epoch: string): Promise<unknown> {
    this.epoch = epoch;
    return this.channels.inspector.request('hello', { sandbox: { strength: 'none', text: '' }, engines: [], epoch, examiners: 2 });
  }
  inspect(): void {
    void (async () => {
      while (!this.#stopped) for (const job of await this.channels.inspector.request<Job[]>('claim', { max: 8 })) await this.conclude(job);
    })().catch(() => {});
  }
  async conclude(job: Job): Promise<void> {
    assert.ok(job.kind === 'inspect');
    this.inspected += 1;
    await this.channels.inspector.request('conclude', { ...cleanConclusion(job.work), epoch: this.epoch, ...this.say(job.work) });
  }
  async send(text: string, source: Partial<ReceivedObject['source']> = {}, preamble = 0, sopInstanceUID?: string): Promise<string> {
    const received = await arrive(this.layout, sampleBytes(text, preamble), sopInstanceUID === undefined ? {} : { sopInstanceUID });
    await this.channels.association.request('admit', { ...received, source: { ...received.source, ...source } });
    return received.objectId;
  }
  async archived(text: string, source: Partial<ReceivedObject['source']> = {}, preamble = 0): Promise<LedgerEntry> {
    const entry = await this.concluded(await this.send(text, source, preamble));
    assert.equal(entry.state, 'archived');
    return entry;
  }
  concluded(objectId: string): Promise<LedgerEntry> {
    return this.channels.web.request<LedgerEntry>('concluded', { objectId, timeoutMs: 10_000 });
  }
  show(objectId: string): Promise<LedgerEntry> {
    return this.channels.web.request('show', { objectId });
  }
  async state(...entries: readonly { readonly objectId: string }[]): Promise<string[]> {
    return Promise.all(entries.map(async ({ objectId }) => (await this.show(objectId)).state));
  }
  preview(selection: Selection): Promise<WithdrawalPreview> {
    return this.channels.web.request('withdraw', { do: 'preview', selection });
  }
  async withdraw(selection: Selection, more: { person?: string; roles?: readonly Role[]; reason?: string } = {}): Promise<WithdrawalStatus> {
    const { id } = await this.order(selection, more);
    return this.until(id, 'withdrawn');
  }
  order(selection: Selection, more: { person?: string; roles?: readonly Role[]; reason?: string } = {}): Promise<WithdrawalStatus> {
    return this.channels.web.request('withdraw', { do: 'withdraw', selection, person: 'ann', roles: ['reviewer'], reason: 'the wrong disc', ...more });
  }
  async restore(id: string, more: { person?: string; roles?: readonly Role[]; objects?: readonly string[] } = {}): Promise<WithdrawalStatus> {
    await this.channels.web.request('withdraw', { do: 'restore', id, objects: [], person: 'ben', roles: ['reviewer'], reason: 'it was the right one', ...more });
    return this.until(id, ...(more.objects === undefined ? ['restored' as const] : ['withdrawn' as const, 'restored' as const]));
  }
  async until(id: string, ...states: readonly WithdrawalStatus['state'][]): Promise<WithdrawalStatus> {
    for (let tries = 0; tries < 2_000; tries += 1, await wait(10)) {
      const status = await this.channels.web.request<WithdrawalStatus>('withdraw', { do: 'status', id });
      if (states.includes(status.state)) return status;
    }
    throw new Error(`never: ${JSON.stringify(await this.channels.web.request('withdraw', { do: 'status', id }))}`);
  }
  async objects(id: string): Promise<readonly WithdrawnObject[]> {
    return (await this.channels.web.request<{ objects: WithdrawnObject[] }>('withdraw', { do: 'objects', id, after: 0, limit: 500 })).objects;
  }
  /** SOP Instances that searches find. */
  inSight(): number {
    const database = new DatabaseSync(this.layout.database, { readOnly: true });
    try {
      assert.deepEqual(unindexed(database), []);
      return (database.prepare('SELECT count(*) AS count FROM instances').get() as { count: number }).count;
    } finally {
      database.close();
    }
  }
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    for (const channel of Object.values(this.channels)) channel.close();
    await this.#keeper.stop();
  }
}

const these = (objects: readonly { readonly objectId: string }[]): Selection => ({ kind: 'objects', objects: objects.map(({ objectId }) => objectId) });
const source = (name: string): Selection => ({ kind: 'source', source: name, since: 0, until: Date.now() + 60_000 });

async function beginImport(bench: Bench, label: string): Promise<string> {
  const { id } = await bench.channels.importer.request<Begun>('import', {
    do: 'begin', medium: { kind: 'iso9660', label, identifier: '', bytes: 1 }, listing: digestOf(Buffer.from(label)), files: 10, bytes: 100, person: 'desk', address: 'here', upload: '',
  });
  return id;
}

test('out of sight, and back as it was: state, verdict, file, index, record', async (t) => {
  const bench = await Bench.start(t);
  const [one, two, other] = [await bench.archived('one', { peer: 'visitor' }), await bench.archived('two', { peer: 'visitor' }), await bench.archived('other')];
  const preview = await bench.preview(source('visitor'));
  assert.deepEqual([preview.objects, preview.waiting, preview.held, preview.patients, preview.studyCount, preview.studies[0]?.patientName], [2, 0, 0, 1, 1, 'Muster^Maria']);
  assert.equal(bench.inSight(), 3);
  const done = await bench.withdraw(source('visitor'));
  assert.deepEqual([done.fates, done.patients, done.studies, done.malicious], [{ taken: 2 }, 1, 1, 0]);
  assert.deepEqual(await bench.state(one, two, other), ['held', 'held', 'archived']);
  assert.equal(bench.inSight(), 1);
  const held = await bench.show(one.objectId);
  assert.deepEqual([held.verdict, held.findings, held.withdrawal?.person, held.withdrawal?.reason], ['clean', [], 'ann', 'the wrong disc']);
  assert.ok(!existsSync(objectPath(bench.layout.archive, one.sha256)) && existsSync(objectPath(bench.layout.quarantine, one.objectId)));
  await assert.rejects(bench.channels.web.request('recheck', { digest: one.sha256 }), { code: 'object-unknown' });
  // The same bytes sent again are known, and bring nothing back into sight.
  await bench.send('one', { batch: 'again' });
  assert.equal(bench.inSight(), 1);

  const inspected = bench.inspected;
  const back = await bench.restore(done.id);
  assert.deepEqual([back.fates, back.restore?.person], [{ restored: 2 }, 'ben']);
  assert.equal(bench.inspected, inspected, 'their verdict still counts');
  const again = await bench.show(one.objectId);
  assert.deepEqual([again.state, again.verdict, again.epoch, again.concludedAt, again.withdrawal], ['archived', 'clean', one.epoch, one.concludedAt, null]);
  assert.ok(existsSync(objectPath(bench.layout.archive, one.sha256)));
  assert.equal(bench.inSight(), 3);
  await assert.rejects(bench.restore(done.id), { code: 'withdrawal-empty' });
  const said = [];
  for await (const { xml } of readEntries(bench.layout.audit)) said.push(summarize(xml));
  for (const type of ['Withdrawal ordered by a person', 'Archived object taken out of sight', 'Bringing back of a withdrawal ordered by a person', 'Withdrawn object brought back']) assert.ok(said.some(({ types }) => types.includes(type)), type);
});

test('one medium: what it brought, what is in inspection and what is still to come is held; what was here before it is left, unless it is asked for', async (t) => {
  const bench = await Bench.start(t, undefined, false);
  const id = await beginImport(bench, 'DISC OF 2001');
  const medium = { door: 'media' as const, peer: 'DISC OF 2001', batch: id };
  const claim = async (): Promise<Job> => (await bench.channels.inspector.request<Job[]>('claim', { max: 1 }))[0]!;
  const before = await bench.send('known before');
  const first = await bench.send('first', medium);
  for (let jobs = 0; jobs < 2; jobs += 1) await bench.conclude(await claim());
  await bench.channels.importer.request('import', { do: 'files', id, files: [{ index: 0, path: 'A', bytes: 1, sha256: 'a'.repeat(64), fate: 'duplicate', objectId: before, what: '', text: '' }] });
  const [claimed, malformed] = [await bench.send('claimed', medium), await bench.send('malformed', medium)];
  const [job, second] = [await claim(), await claim()];
  const selection: Selection = { kind: 'import', import: id.slice(0, 8), known: false };
  const preview = await bench.preview(selection);
  assert.deepEqual([preview.objects, preview.waiting, preview.known, preview.what], [1, 2, 1, 'medium DISC OF 2001, imported by desk']);
  const { id: withdrawal } = await bench.withdraw(selection);
  await bench.conclude(job);
  bench.say = () => ({ verdict: 'malformed', findings: [{ code: 'value-invalid', offset: 0, length: 0, tag: '', engine: 'structure', text: '' }] });
  await bench.conclude(second);
  bench.say = () => ({});
  // Not even sent when it was ordered.
  const later = await bench.send('later', medium);
  await bench.conclude(await claim());
  assert.deepEqual(await bench.state(...[before, first, claimed, malformed, later].map((objectId) => ({ objectId }))), ['archived', 'held', 'held', 'held', 'held']);
  assert.equal((await bench.show(claimed)).verdict, 'clean');
  assert.equal((await bench.show(later)).withdrawal?.id, withdrawal);
  assert.equal((await bench.show(malformed)).withdrawal, null);
  assert.equal(bench.inSight(), 1);
  bench.inspect();
  const back = await bench.restore(withdrawal);
  assert.deepEqual(back.fates, { restored: 3, passed: 1 });
  assert.deepEqual(await bench.state(...[first, claimed, malformed, later].map((objectId) => ({ objectId }))), ['archived', 'archived', 'held', 'archived']);
  // It does not stand any more.
  assert.equal((await bench.archived('after all', medium)).state, 'archived');
  assert.deepEqual((await bench.withdraw({ kind: 'import', import: id, known: true })).fates, { taken: 5 });
  assert.equal((await bench.show(before)).state, 'held');
});

test('a time: whoever sent it, what is in inspection too, and nothing from before or after it', async (t) => {
  const bench = await Bench.start(t, undefined, false);
  const claim = async (): Promise<Job> => (await bench.channels.inspector.request<Job[]>('claim', { max: 1 }))[0]!;
  const settle = async (objectId: string): Promise<string> => {
    await bench.conclude(await claim());
    return objectId;
  };
  const early = await settle(await bench.send('early', { peer: 'visitor' }));
  await wait(2);
  const since = Date.now();
  const [one, two] = [await settle(await bench.send('one', { peer: 'visitor', batch: 'one' })), await settle(await bench.send('two', { peer: 'ward', batch: 'two' }))];
  const inspected = await bench.send('in inspection', { peer: 'clinic', batch: 'three' });
  const job = await claim();
  await wait(2);
  const selection: Selection = { kind: 'time', since, until: Date.now() };
  const late = await bench.send('late', { peer: 'visitor' });
  const preview = await bench.preview(selection);
  assert.deepEqual([preview.objects, preview.waiting, preview.sources.map(({ source: { peer } }) => peer).toSorted()], [2, 1, ['clinic', 'visitor', 'ward']]);
  assert.match(preview.what, /^everything received \d{4}-\d\d-\d\dT\d\d:\d\d to .*\(UTC\)$/);
  const { id } = await bench.withdraw(selection);
  await bench.conclude(job);
  await bench.conclude(await claim());
  const states = (): Promise<string[]> => bench.state(...[early, one, two, inspected, late].map((objectId) => ({ objectId })));
  assert.deepEqual(await states(), ['archived', 'held', 'held', 'held', 'archived']);
  bench.inspect();
  await bench.restore(id);
  assert.deepEqual(await states(), ['archived', 'archived', 'archived', 'archived', 'archived']);
});

test('what is stale is inspected before it comes back, and only what is clean does', async (t) => {
  const bench = await Bench.start(t);
  const [good, bad] = [await bench.archived('good'), await bench.archived('bad')];
  const { id } = await bench.withdraw(these([good, bad]));
  await bench.hello('test 2');
  bench.say = (work) => (work.objectId === bad.objectId ? { verdict: 'malicious', findings: [{ code: 'malware-signature', offset: 0, length: 4, tag: '', engine: 'yara-x', text: 'late' }] } : {});
  const back = await bench.restore(id);
  assert.deepEqual(back.fates, { restored: 1, kept: 1 });
  assert.deepEqual(await bench.show(good.objectId).then(({ state, epoch }) => [state, epoch]), ['archived', 'test 2']);
  assert.deepEqual(await bench.show(bad.objectId).then(({ state, verdict, withdrawal }) => [state, verdict, withdrawal]), ['held', 'malicious', null]);
  assert.equal(bench.inSight(), 1);
});

test('what was released as malicious and is withdrawn takes a second person and security to bring back', async (t) => {
  const bench = await Bench.start(t);
  bench.say = () => ({ verdict: 'malicious', findings: [{ code: 'script-content', offset: 0, length: 4, tag: '', engine: 'content', text: 'a false alarm' }] });
  const objectId = await bench.send('false alarm');
  await bench.concluded(objectId);
  for (const [person, role] of [['ann', 'reviewer'], ['sam', 'security']]) await bench.channels.web.request('decide', { objectId, decision: 'release', person, roles: [role], reason: 'seen' });
  assert.equal((await bench.show(objectId)).state, 'archived');
  const { id, malicious } = await bench.withdraw(these([{ objectId }]));
  assert.equal(malicious, 1);
  await assert.rejects(bench.restore(id, { person: 'ann' }), { code: 'second-person-needed' });
  await assert.rejects(bench.restore(id, { person: 'ben' }), { code: 'role-missing' });
  await assert.rejects(bench.restore(id, { person: 'ann', objects: [objectId] }), { code: 'second-person-needed' });
  assert.equal((await bench.show(objectId)).state, 'held');
  assert.deepEqual((await bench.restore(id, { person: 'sam', roles: ['security'] })).fates, { restored: 1 });
  assert.equal((await bench.show(objectId)).state, 'archived');
});

test('who may: every role; a reason, a person and a selection that holds something', async (t) => {
  const bench = await Bench.start(t);
  const entry = await bench.archived('one');
  for (const role of allRoles) {
    if (role === 'reviewer' || role === 'security') continue;
    await assert.rejects(bench.order(these([entry]), { roles: [role] }), { code: 'role-missing' }, role);
  }
  await assert.rejects(bench.order(these([entry]), { reason: ' ' }), { code: 'reason-missing' });
  await assert.rejects(bench.order(source('nobody')), { code: 'withdrawal-empty' });
  await assert.rejects(bench.order({ kind: 'import', import: 'ab'.repeat(16), known: false }), { code: 'import-unknown' });
  await assert.rejects(bench.order({ kind: 'objects', objects: ['ab'.repeat(16)] }), { code: 'object-unknown' });
  for (const wrong of [{ kind: 'source', source: 'x', since: 2, until: 1 }, { kind: 'time', since: 2, until: 2 }, { kind: 'time', since: 2 }, { kind: 'study', study: 'x' }, { kind: 'objects', objects: [] }, { kind: 'all' }]) await assert.rejects(bench.order(wrong as Selection), { code: 'request-invalid' });
  await assert.rejects(bench.until('abcdefabcdef'), { code: 'withdrawal-unknown' });
  assert.deepEqual(await bench.state(entry), ['archived']);
});

test('two orders over the same object: it comes back when both are brought back; a part can come back by itself', async (t) => {
  const bench = await Bench.start(t);
  const [one, two] = [await bench.archived('one'), await bench.archived('two')];
  const first = await bench.withdraw(these([one, two]));
  const second = await bench.withdraw(these([one]));
  assert.deepEqual((await bench.restore(first.id, { objects: [two.objectId] })).state, 'withdrawn');
  assert.deepEqual(await bench.state(one, two), ['held', 'archived']);
  assert.deepEqual((await bench.restore(first.id)).fates, { restored: 1, kept: 1 });
  assert.match((await bench.objects(first.id))[0]!.note, new RegExp(`withdrawal ${second.id.slice(0, 8)} holds it`));
  assert.equal((await bench.show(one.objectId)).state, 'held');
  assert.deepEqual((await bench.restore(second.id)).fates, { restored: 1 });
  assert.equal((await bench.show(one.objectId)).state, 'archived');
});

test('of two objects with one file both go, and both come back; a third one does not bring it into sight meanwhile', async (t) => {
  const bench = await Bench.start(t);
  const plain = sampleBytes('twin');
  const prefix = Buffer.concat([Buffer.alloc(128), Buffer.from('DICM')]);
  const dataSet = plain.subarray(dataSetOffset);
  bench.say = (work) => (work.sha256 === digestOf(plain) ? {} : {
    disarmed: { what: ['preamble'], prefix: prefix.toString('base64'), dataSetOffset, dataSetLength: dataSet.length, dataSetSha256: digestOf(dataSet), sha256: digestOf(plain), bytes: plain.length },
  });
  const sop = '2.25.4711';
  const first = await bench.concluded(await bench.send('twin', {}, 0, sop));
  const second = await bench.concluded(await bench.send('twin', { batch: 'b' }, 0x41, sop));
  assert.deepEqual([first.state, second.state], ['archived', 'archived']);
  const { id } = await bench.withdraw(these([second]));
  assert.deepEqual(await bench.state(first, second), ['held', 'held']);
  assert.equal(bench.inSight(), 0);
  const third = await bench.concluded(await bench.send('twin', { batch: 'c' }, 0x42, sop));
  assert.equal(third.state, 'held');
  assert.equal(bench.inSight(), 0);
  assert.deepEqual((await bench.restore(id)).fates, { restored: 2 });
  assert.deepEqual(await bench.state(first, second), ['archived', 'archived']);
  assert.equal(bench.inSight(), 1);
});

test('the same image in another envelope, disarmed into the file that was taken away, stays out of sight with it', async (t) => {
  const bench = await Bench.start(t);
  const plain = sampleBytes('envelope');
  const dataSet = plain.subarray(dataSetOffset);
  bench.say = (work) => (work.sha256 === digestOf(plain) ? {} : {
    disarmed: { what: ['preamble'], prefix: plain.subarray(0, dataSetOffset).toString('base64'), dataSetOffset, dataSetLength: dataSet.length, dataSetSha256: digestOf(dataSet), sha256: digestOf(plain), bytes: plain.length },
  });
  const first = await bench.concluded(await bench.send('envelope', {}, 0, '2.25.4712'));
  const { id } = await bench.withdraw(these([first]));
  const second = await bench.concluded(await bench.send('envelope', { batch: 'b' }, 0x41, '2.25.4712'));
  assert.deepEqual([second.state, second.verdict, second.withdrawal?.id], ['held', 'clean', id]);
  assert.equal(bench.inSight(), 0);
  assert.deepEqual((await bench.restore(id)).fates, { restored: 2 }, JSON.stringify(await bench.objects(id)));
  assert.deepEqual(await bench.state(first, second), ['archived', 'archived']);
  assert.equal(bench.inSight(), 1);
});

test('something in its place, a file that is gone, and what was decided meanwhile are told and left', async (t) => {
  const bench = await Bench.start(t);
  const [replaced, gone, destroyed, well] = [await bench.archived('replaced'), await bench.archived('gone'), await bench.archived('destroyed'), await bench.archived('well')];
  const { id } = await bench.withdraw(these([replaced, gone, destroyed, well]));
  // There is one way back, and it looks at all of this.
  await assert.rejects(bench.channels.web.request('decide', { objectId: well.objectId, decision: 'release', person: 'ann', roles: ['reviewer'], reason: 'please' }), { code: 'decision-withdrawn' });
  const newer = await bench.send('replaced by this', {}, 0, replaced.sopInstanceUID);
  assert.equal((await bench.concluded(newer)).state, 'held');
  await bench.channels.web.request('decide', { objectId: newer, decision: 'release', person: 'ann', roles: ['reviewer'], reason: 'the right one' });
  for (const person of ['ann', 'ben']) await bench.channels.web.request('decide', { objectId: destroyed.objectId, decision: 'destroy', person, roles: ['reviewer'], reason: 'not ours' });
  rmSync(objectPath(bench.layout.quarantine, gone.objectId));
  const back = await bench.restore(id);
  assert.deepEqual(back.fates, { restored: 1, kept: 2, passed: 1 });
  assert.deepEqual(await bench.state(replaced, gone, destroyed, well), ['held', 'held', 'destroyed', 'archived']);
  assert.equal(bench.inSight(), 2);
});

test('what waits for somebody to say whose it is goes too, and comes back to where it was', async (t) => {
  const bench = await Bench.start(t);
  const entry = await bench.archived('unreconciled');
  await bench.stop();
  const writing = new DatabaseSync(bench.layout.database);
  // As the archive has it for the desk (reconciliation/contract.ts).
  const { withdrawInstance } = await import('@lazaret/pacs/archive/admit.ts');
  withdrawInstance(writing, entry.sha256, 'unreconciled', 1);
  writing.close();
  const again = await Bench.start(t, bench.layout.data);
  const reason = (): unknown => {
    const database = new DatabaseSync(bench.layout.database, { readOnly: true });
    try {
      return database.prepare('SELECT reason FROM withdrawnInstances WHERE digest = ?').get(entry.sha256)?.['reason'];
    } finally {
      database.close();
    }
  };
  assert.equal(reason(), 'unreconciled');
  assert.equal((await again.preview(these([entry]))).unseen, 1);
  const { id } = await again.withdraw(these([entry]));
  assert.deepEqual([reason(), ...(await again.state(entry))], ['withdrawn', 'held']);
  await again.restore(id);
  assert.deepEqual([reason(), ...(await again.state(entry))], ['unreconciled', 'archived']);
  await again.stop();
});

test('kill -9 in the middle, out and back: the next start goes on, and nothing is lost or seen twice', { timeout: 240_000 }, async (t) => {
  const data = mkdtempSync(join(tmpdir(), 'lazaret-withdrawal-'));
  const count = 600;
  const first = await Bench.start(t, data);
  for (let from = 0; from < count; from += 100) await Promise.all(Array.from({ length: 100 }, async (_, index) => first.concluded(await first.send(`object ${from + index}`, { peer: 'visitor' }))));
  await first.stop();
  const program = join(data, 'run.mts');
  writeFileSync(program, [
    `const { startKeeper } = await import(${JSON.stringify(join(import.meta.dirname, 'keeper.ts'))});`, `const { layoutOf } = await import(${JSON.stringify(join(import.meta.dirname, '../../system/layout.ts'))});`,
    `await startKeeper(layoutOf(${JSON.stringify(data)}), (error) => { throw error; });`, `process.stdout.write('ready');`,
  ].join('\n'));
  /** Orders something of a keeper in a process of its own and kills it after a while. */
  const killed = async (order: (web: Channel) => Promise<unknown>, ms: number): Promise<void> => {
    const child = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] });
    await new Promise((resolve) => child.stdout.once('data', resolve));
    const web = await connectChannel(layoutOf(data).sockets.web);
    await order(web);
    await wait(ms);
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('exit', resolve));
    web.close();
  };
  const order = { person: 'ann', roles: ['reviewer'], reason: 'the wrong disc' };
  let id = '';
  await killed(async (web) => {
    ({ id } = await web.request<WithdrawalStatus>('withdraw', { do: 'withdraw', selection: source('visitor'), ...order }));
  }, 15);
  const second = await Bench.start(t, data);
  const early = await second.channels.web.request<WithdrawalStatus>('withdraw', { do: 'status', id });
  t.diagnostic(`after the kill: ${JSON.stringify(early.fates)}`);
  assert.deepEqual((await second.until(id, 'withdrawn')).fates, { taken: count });
  assert.equal(second.inSight(), 0);
  await second.stop();
  await killed((web) => web.request('withdraw', { do: 'restore', id, objects: [], ...order }), 5);
  const third = await Bench.start(t, data);
  const status = await third.until(id, 'restored');
  assert.deepEqual(status.fates, { restored: count });
  assert.equal(third.inSight(), count);
  await third.stop();
});
