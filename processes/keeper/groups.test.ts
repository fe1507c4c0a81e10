/** Held objects together: by medium and study, decided on as a group without one of them slipping through, and asked for again. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { LedgerEntry, Verdict } from '@lazaret/pacs/quarantine/contract.ts';
import type { GroupDecision, GroupDecisionAnswer, GroupsAnswer, Job, ListAnswer } from '@lazaret/pacs/quarantine/requests.ts';
import type { Source } from '@lazaret/pacs/reception/contract.ts';
import { connectChannel, type Channel } from '@lazaret/system/channel.ts';
import { layoutOf } from '@lazaret/system/layout.ts';
import { startKeeper } from './keeper.ts';
import { arrive, cleanConclusion, sampleBytes } from './sample.ts';

interface Bench {
  readonly web: Channel;
  held(text: string, verdict: Verdict, batch: string, sopInstanceUID?: string, peer?: string, door?: Source['door']): Promise<LedgerEntry>;
  groups(by: 'medium' | 'study'): Promise<GroupsAnswer>;
  decide(request: Partial<GroupDecision>): Promise<GroupDecisionAnswer>;
}

async function start(t: TestContext): Promise<Bench> {
  const layout = layoutOf(mkdtempSync(join(tmpdir(), 'lazaret-groups-')));
  const keeper = await startKeeper(layout, (error) => assert.fail(String(error)));
  const [association, inspector, web] = await Promise.all([layout.sockets.association, layout.sockets.inspector, layout.sockets.web].map((path) => connectChannel(path))) as [Channel, Channel, Channel];
  t.after(async () => {
    for (const channel of [association, inspector, web]) channel.close();
    await keeper.stop();
    rmSync(layout.data, { recursive: true, force: true });
  });
  return {
    web,
    async held(text, verdict, batch, sopInstanceUID, peer, door = 'association') {
      const received = await arrive(layout, sampleBytes(text), { batch, ...(sopInstanceUID === undefined ? {} : { sopInstanceUID }) });
      await association.request('admit', peer === undefined ? received : { ...received, source: { ...received.source, peer, door } });
      const [job] = await inspector.request<Job[]>('claim', { max: 1 });
      assert.ok(job?.kind === 'inspect');
      const code = { malicious: 'malware-signature', malformed: 'value-invalid', unscannable: 'container-content', clean: '' }[verdict];
      await inspector.request('conclude', { ...cleanConclusion(job.work), verdict, findings: verdict === 'clean' ? [] : [{ code, offset: 0, length: 1, tag: '', engine: 'content', text: '' }] });
      return web.request<LedgerEntry>('show', { objectId: received.objectId });
    },
    groups: (by) => web.request('groups', { by }),
    decide: (request) => web.request('decideGroup', { by: 'medium', key: 'one', decision: 'release', named: [], after: 0, person: 'ann', roles: ['reviewer'], reason: 'seen', ...request }),
  };
}

test('by medium and by study, what is malicious first; the list of one group', async (t) => {
  const bench = await start(t);
  await bench.held('a', 'malicious', 'one');
  await bench.held('b', 'malformed', 'one');
  await bench.held('c', 'unscannable', 'two');
  const { groups, held, more } = await bench.groups('medium');
  assert.deepEqual([held, more, groups.map(({ key, objects, malicious, malformed, unscannable, codes }) => [key, objects, malicious, malformed, unscannable, codes.toSorted()])], [
    3, false, [['one', 2, 1, 1, 0, ['malware-signature', 'value-invalid']], ['two', 1, 0, 0, 1, ['container-content']]],
  ]);
  assert.deepEqual((await bench.groups('study')).groups.map(({ key, objects, patients, patientName }) => [key, objects, patients, patientName]), [['2.25.1', 3, 1, 'Muster^Maria']]);
  const list = (group: unknown): Promise<ListAnswer> => bench.web.request('list', { states: ['held'], text: '', limit: 10, after: null, group });
  assert.deepEqual([(await list({ by: 'medium', key: 'one' })).entries.length, (await list({ by: 'study', key: '2.25.1' })).entries.length, (await list({ by: 'study', key: '' })).entries.length], [2, 3, 0]);
  await assert.rejects(bench.groups('patient' as 'medium'), { code: 'request-invalid' });
});

test('a release of a group takes nothing malicious along that was not named; what did not go is named with the reason', async (t) => {
  const bench = await start(t);
  const bad = await bench.held('bad', 'malicious', 'one');
  const [first, second] = [await bench.held('first', 'malformed', 'one'), await bench.held('second', 'unscannable', 'one')];
  const other = await bench.held('other', 'malformed', 'two');
  const state = async (entry: LedgerEntry): Promise<string> => (await bench.web.request<LedgerEntry>('show', { objectId: entry.objectId })).state;
  await assert.rejects(bench.decide({ roles: ['viewer'] }), { code: 'role-missing' });
  await assert.rejects(bench.decide({ reason: '' }), { code: 'reason-missing' });
  const released = await bench.decide({});
  assert.deepEqual([released.done, released.proposed, released.left.map(({ objectId, code }) => [objectId, code]), released.next], [2, 0, [[bad.objectId, 'malicious-unnamed']], null]);
  assert.deepEqual(await Promise.all([bad, first, second, other].map(state)), ['held', 'archived', 'archived', 'held']);
  // Named, it still takes two people and security.
  assert.deepEqual(await bench.decide({ named: [bad.objectId] }), { done: 0, proposed: 1, left: [], next: null });
  assert.equal((await bench.decide({ named: [bad.objectId], person: 'ben' })).left[0]?.code, 'role-missing');
  assert.equal((await bench.decide({ named: [bad.objectId], person: 'sam', roles: ['security'] })).done, 1);
  assert.equal(await state(bad), 'archived');
});

test('destroying a group takes two people for each of its objects, page by page', async (t) => {
  const bench = await start(t);
  for (let number = 0; number < 70; number += 1) await bench.held(`object ${number}`, 'malformed', 'one');
  const all = async (person: string): Promise<readonly number[]> => {
    let [done, proposed] = [0, 0];
    for (let after: number | null = 0; after !== null; ) {
      const answer: GroupDecisionAnswer = await bench.decide({ decision: 'destroy', person, after });
      done += answer.done;
      proposed += answer.proposed;
      after = answer.next;
    }
    return [done, proposed];
  };
  assert.deepEqual(await all('ann'), [0, 70]);
  assert.deepEqual(await all('ann'), [0, 70], 'the same person twice is one person');
  assert.deepEqual(await all('ben'), [70, 0]);
  assert.deepEqual((await bench.groups('medium')).groups, []);
});

test('asked again: what the same source then sends under that name is the answer, and nothing else is', async (t) => {
  const bench = await start(t);
  const old = await bench.held('damaged', 'malformed', 'one', '2.25.7');
  const show = (objectId: string): Promise<LedgerEntry> => bench.web.request('show', { objectId });
  assert.equal(old.asked, null);
  await bench.web.request('resend', { objectId: old.objectId, person: 'ann' });
  assert.deepEqual(await show(old.objectId).then(({ asked }) => [asked?.person, asked?.answers]), ['ann', []]);
  const stranger = await bench.held('of somebody else', 'clean', 'two', '2.25.7', 'stranger');
  const unrelated = await bench.held('unrelated', 'malformed', 'two', '2.25.8');
  const answer = await bench.held('sent anew', 'clean', 'three', '2.25.7');
  assert.deepEqual([stranger.answerTo, unrelated.answerTo, answer.answerTo, answer.state], [null, null, old.objectId, 'held']);
  const { asked } = await show(old.objectId);
  assert.deepEqual(asked?.answers.map(({ objectId, clean, state }) => [objectId, clean, state]), [[answer.objectId, true, 'held']]);
  await bench.held('not well either', 'malformed', 'four', '2.25.7');
  assert.deepEqual((await show(old.objectId)).asked?.answers.map(({ clean }) => clean), [false, true]);
  await bench.web.request('decide', { objectId: answer.objectId, decision: 'release', person: 'ann', roles: ['reviewer'], reason: 'the answer' });
  await assert.rejects(bench.web.request('resend', { objectId: answer.objectId, person: 'ann' }), { code: 'transition-invalid' });
});

test('what came on a medium is answered by any other medium: a new copy has another label', async (t) => {
  const bench = await start(t);
  const old = await bench.held('scratched', 'malformed', 'one', '2.25.7', 'KLINIK · 2026-1', 'media');
  await bench.web.request('resend', { objectId: old.objectId, person: 'ann' });
  const sent = await bench.held('by network', 'clean', 'two', '2.25.7', 'stranger');
  const copy = await bench.held('written anew', 'clean', 'three', '2.25.7', 'KLINIK NEU · 2026-2', 'media');
  assert.deepEqual([sent.answerTo, copy.answerTo], [null, old.objectId]);
  assert.deepEqual((await bench.web.request<LedgerEntry>('show', { objectId: old.objectId })).asked?.answers.map(({ objectId }) => objectId), [copy.objectId]);
});
