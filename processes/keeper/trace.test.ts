/** Where objects came from and who has seen them, as the keeper tells it; and that the index of accesses is what the audit log says. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test, type TestContext } from 'node:test';
import { eventIDs, objectIDTypes, roleIDs } from '@lazaret/audit/codes.ts';
import type { AuditMessage } from '@lazaret/audit/message.ts';
import { connectChannel, type Channel } from '@lazaret/system/channel.ts';
import { layoutOf, type Layout } from '@lazaret/system/layout.ts';
import type { LedgerEntry } from '@lazaret/pacs/quarantine/contract.ts';
import { accessesIn } from '@lazaret/pacs/quarantine/accesses.ts';
import type { Job, TraceAnswer, TraceRequest } from '@lazaret/pacs/quarantine/requests.ts';
import { startKeeper } from './keeper.ts';
import { arrive, cleanConclusion, ctImageStorage, sampleBytes } from './sample.ts';

interface Bench {
  readonly layout: Layout;
  readonly web: Channel;
  archive(text: string, batch: string): Promise<LedgerEntry>;
  trace(request: Partial<TraceRequest>): Promise<TraceAnswer>;
  stop(): Promise<void>;
}

async function start(t: TestContext, data = mkdtempSync(join(tmpdir(), 'lazaret-trace-'))): Promise<Bench> {
  const layout = layoutOf(data);
  const keeper = await startKeeper(layout, (error) => assert.fail(String(error)));
  const [association, inspector, web] = await Promise.all([layout.sockets.association, layout.sockets.inspector, layout.sockets.web].map((path) => connectChannel(path))) as [Channel, Channel, Channel];
  let stopped = false;
  const stop = async (): Promise<void> => {
    if (stopped) return;
    stopped = true;
    for (const channel of [association, inspector, web]) channel.close();
    await keeper.stop();
  };
  t.after(async () => {
    await stop();
    rmSync(data, { recursive: true, force: true });
  });
  return {
    layout, web, stop,
    async archive(text, batch) {
      await association.request('admit', await arrive(layout, sampleBytes(text), { batch }));
      const [job] = await inspector.request<Job[]>('claim', { max: 1 });
      assert.ok(job?.kind === 'inspect');
      await inspector.request('conclude', cleanConclusion(job.work));
      return web.request('show', { objectId: job.work.objectId });
    },
    trace: (request) => web.request('trace', { id: '', source: '', since: 0, until: 0, windowMs: 3_600_000, ...request } satisfies TraceRequest),
  };
}

/** As the doors for reading put an access on the record. */
function opened(person: string, study: string, instances: readonly string[], change: Partial<AuditMessage> = {}, url = '/dicomweb/studies/x'): AuditMessage {
  return {
    eventID: eventIDs.instancesAccessed, eventTypes: [], action: 'R', time: Date.now(), outcome: 0, participants: [{ userID: person, userIsRequestor: true, networkAccessPoint: '10.0.0.9' }],
    objects: [{ typeCode: 2, role: 3, idType: objectIDTypes.studyInstanceUID, id: study, details: [['Resource', 'frames'], ['URL', url]], sopClasses: [{ uid: ctImageStorage, count: Math.max(instances.length, 1), instances }] }], ...change,
  };
}

test('source, message, what came with it and near it; by object id, its beginning, SOP Instance UID and digest; by source', async (t) => {
  const bench = await start(t);
  const one = await bench.archive('one', 'association-1');
  const two = await bench.archive('two', 'association-1');
  const other = await bench.archive('other', 'association-2');
  for (const id of [one.objectId, one.objectId.slice(0, 9), one.sopInstanceUID, one.sha256, one.sha256.toUpperCase()]) {
    const { objects, messages, cut } = await bench.trace({ id });
    assert.deepEqual(objects.map(({ relation, objectId }) => [relation, objectId]), [['subject', one.objectId], ['message', two.objectId], ['source', other.objectId]]);
    assert.deepEqual(messages.map(({ source, objects: count }) => [source.batch, source.peer, source.callingAETitle, source.address, count]), [['association-1', 'ct-1', 'CT1', '127.0.0.1', 2], ['association-2', 'ct-1', 'CT1', '127.0.0.1', 1]]);
    assert.deepEqual(cut, []);
  }
  assert.equal((await bench.trace({ id: one.objectId, windowMs: 0 })).objects.length, 2);
  for (const source of ['ct-1', 'CT1', '127.0.0.1']) assert.equal((await bench.trace({ source, until: Date.now() + 1 })).objects.filter(({ relation }) => relation === 'subject').length, 3);
  assert.equal((await bench.trace({ source: 'ct-1', since: Date.now() + 1, until: Date.now() + 2 })).objects.length, 0);
  // A time alone: from whomever.
  const { objects, subjectCount } = await bench.trace({ since: 1, until: Date.now() + 1 });
  assert.deepEqual([objects.map(({ relation, objectId }) => [relation, objectId]), subjectCount], [[one, two, other].map(({ objectId }) => ['subject', objectId]), 3]);
  assert.equal((await bench.trace({ since: 1, until: one.receivedAt })).objects.length, 0);
  await assert.rejects(bench.trace({ id: '2.25.404' }), { code: 'object-unknown' });
  for (const wrong of [{}, { id: 'a', source: 'b' }, { id: 'x'.repeat(200) }, { id: one.objectId, windowMs: -1 }]) await assert.rejects(bench.trace(wrong), { code: 'request-invalid' });
});

test('a second source that sends the same bytes is named, although its arrival left no object', async (t) => {
  const bench = await start(t);
  const entry = await bench.archive('twice', 'association-1');
  const association = await connectChannel(bench.layout.sockets.association);
  for (let times = 0; times < 2; times += 1) await association.request('admit', await arrive(bench.layout, sampleBytes('twice'), { batch: 'association-9' }));
  association.close();
  const { repeats } = await bench.trace({ id: entry.objectId });
  assert.deepEqual(repeats.map(({ objectId, source }) => [objectId, source.batch, source.peer]), [[entry.objectId, 'association-9', 'ct-1']]);
});

test('who opened it: those who asked for it, for its Series or its Study, and nobody else; where it was sent', async (t) => {
  const bench = await start(t);
  const entry = await bench.archive('seen', 'association-1');
  const study = entry.studyInstanceUID;
  const record = (message: AuditMessage): Promise<unknown> => bench.web.request('record', message);
  await record(opened('ann', study, [entry.sopInstanceUID]));
  await record(opened('ann', study, [entry.sopInstanceUID], { time: Date.now() + 10 }));
  await record(opened('ben', study, [], {}, `/dicomweb/studies/${study}`));
  await record(opened('cas', study, [], {}, `/dicomweb/studies/${study}/series/2.25.2/metadata`));
  await record(opened('not: another series', study, [], {}, `/dicomweb/studies/${study}/series/2.25.3`));
  await record(opened('not: another instance', study, ['2.25.9']));
  await record(opened('not: another study', '2.25.8', [entry.sopInstanceUID]));
  await record(opened('not: refused', study, [entry.sopInstanceUID], { outcome: 8 }));
  await record(opened('not: before it came', study, [entry.sopInstanceUID], { time: entry.receivedAt - 1_000 }));
  await record(opened('', study, [entry.sopInstanceUID], {
    eventID: eventIDs.instancesTransferred, participants: [{ userID: 'lazaret/association', userIsRequestor: true, roleIDCodes: [roleIDs.source] }, { userID: 'PACS2', userIsRequestor: false, roleIDCodes: [roleIDs.destination], networkAccessPoint: '10.0.0.7' }],
  }));
  const { accesses } = await bench.trace({ id: entry.objectId });
  const seen = accesses.map(({ kind, person, destination, count }) => `${kind} ${person} ${destination} ${count}`).toSorted();
  assert.deepEqual(seen, ['opened ann  2', 'opened ben  1', 'opened cas  1', 'sent lazaret/association PACS2 at 10.0.0.7 1']);
  assert.ok(accesses.every(({ objectIds }) => objectIds.length === 1 && objectIds[0] === entry.objectId));
});

test('the index is made again from the audit log where a crash, or an older version, left it behind; nothing is counted twice', async (t) => {
  const data = mkdtempSync(join(tmpdir(), 'lazaret-trace-'));
  let bench = await start(t, data);
  const entry = await bench.archive('indexed', 'association-1');
  for (let time = 0; time < 3; time += 1) await bench.web.request('record', opened('ann', entry.studyInstanceUID, [entry.sopInstanceUID], { time: Date.now() + time }));
  const before = (await bench.trace({ id: entry.objectId })).accesses.map(({ person, count, first, last }) => ({ person, count, first, last }));
  assert.equal(before[0]?.count, 3);
  for (const change of ['DELETE FROM access_log', 'SELECT 1']) {
    await bench.stop();
    const database = new DatabaseSync(bench.layout.database);
    database.exec(`${change}; UPDATE ledger_mark SET value = 0 WHERE name = 'access_entries'`);
    database.close();
    bench = await start(t, data);
    assert.deepEqual((await bench.trace({ id: entry.objectId })).accesses.map(({ person, count, first, last }) => ({ person, count, first, last })), before, change);
  }
});

test('what is no access is none: admissions, failures, queries', () => {
  const message = opened('ann', '1.2', ['1.2.3']);
  assert.equal(accessesIn(message).length, 1);
  for (const change of [{ outcome: 4 }, { action: 'D' }, { eventID: eventIDs.query }, { eventID: eventIDs.instancesTransferred }, { eventID: eventIDs.securityAlert }] as const) assert.deepEqual(accessesIn({ ...message, ...change }), []);
});
