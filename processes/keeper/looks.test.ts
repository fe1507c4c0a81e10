/** The safe look through the keeper's sockets: who may, what is on the record before a picture, and when it is over. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { readEntries, summarize } from '@lazaret/audit/reading.ts';

import { connectChannel } from '@lazaret/system/channel.ts';
import { layoutOf } from '@lazaret/system/layout.ts';
import type { Verdict } from '@lazaret/pacs/quarantine/contract.ts';
import { lookMs, Looks } from '@lazaret/pacs/quarantine/looks.ts';
import type { Parts } from '@lazaret/pacs/quarantine/parts.ts';
import type { Job, LookAnswer, RenderRequest, RenderedAnswer } from '@lazaret/pacs/quarantine/requests.ts';
import { startKeeper } from './keeper.ts';
import { arrive, cleanConclusion, sampleBytes } from './sample.ts';

const request: RenderRequest = { frame: 1, widthMax: 0, heightMax: 0, window: null, type: 'image/png', quality: 90 };
const reason = 'asked by the ward, phone 1234';

async function bench(t: TestContext) {
  const data = mkdtempSync(join(tmpdir(), 'lazaret-looks-'));
  const layout = layoutOf(data);
  const keeper = await startKeeper(layout, (error) => assert.fail(String(error)));
  const [association, inspector, web] = await Promise.all([layout.sockets.association, layout.sockets.inspector, layout.sockets.web].map((path) => connectChannel(path)));
  t.after(async () => {
    for (const channel of [association!, inspector!, web!]) channel.close();
    await keeper.stop();
    rmSync(data, { recursive: true, force: true });
  });
  return {
    layout,
    /** An object that was concluded so; its id. */
    async object(verdict: Verdict, name: string = verdict): Promise<string> {
      await association!.request('admit', await arrive(layout, sampleBytes(name)));
      const [job] = (await inspector!.request<Job[]>('claim', { max: 1 })) as [Job];
      await inspector!.request('conclude', { ...cleanConclusion(job.work), verdict });
      return job.work.objectId;
    },
    look: <Answer>(body: object): Promise<Answer> => web!.request<Answer>('look', body),
    open: (objectId: string, more: object = {}): Promise<LookAnswer> => web!.request('look', { do: 'open', objectId, person: 'ann', address: '10.0.0.7', roles: ['reviewer'], reason, ...more }),
    web: web!, inspector: inspector!,
    async record(): Promise<string[]> {
      const lines: string[] = [];
      for await (const { xml } of readEntries(layout.audit)) {
        const { event, types, who, description } = summarize(xml);
        lines.push(`${event}: ${types.join(', ')} by ${who.join(', ')}: ${description}`);
      }
      return lines;
    },
  };
}

test('a reason, then a picture of the held object that is marked; both ends of the look are on the record', async (t) => {
  const { object, open, look, inspector, record } = await bench(t);
  const objectId = await object('malformed');
  const { look: id, forMs } = await open(objectId);
  assert.equal(forMs, lookMs);
  const before = await record();
  assert.match(before.at(-2)!, /Emergency Override Started.*ann.*asked by the ward/);
  assert.match(before.at(-1)!, /DICOM Instances Accessed.*ann/);
  const picture = look<RenderedAnswer>({ do: 'frame', look: id, objectId, person: 'ann', request });
  const [job] = (await inspector.request<Job[]>('claim', { max: 1 })) as [Job & { kind: 'render' }];
  assert.deepEqual([job.kind, job.area, job.request.mark], ['render', 'quarantine', 'held']);
  const answer: RenderedAnswer = { outcome: 'rendered', text: '', type: 'image/png', width: 1, height: 1, frames: 1, base64: 'iVBO' };
  await inspector.request('rendered', { jobId: job.jobId, answer });
  assert.deepEqual(await picture, answer);
  await look({ do: 'close', look: id, objectId, person: 'ann' });
  assert.match((await record()).at(-1)!, /Emergency Override Stopped.*closed by the person/);
  await assert.rejects(look({ do: 'frame', look: id, objectId, person: 'ann', request }), { code: 'look-over' });
});

test('refused: a viewer, no reason, one word, what is not held, what was destroyed, nonsense', async (t) => {
  const { object, open, look, web, record } = await bench(t);
  const objectId = await object('malformed');
  for (const roles of [['viewer'], ['desk'], ['administrator'], [], 'reviewer', undefined]) await assert.rejects(open(objectId, { roles }), { code: 'role-missing' }, JSON.stringify(roles));
  for (const short of ['', '         ', 'because']) await assert.rejects(open(objectId, { reason: short }), { code: 'reason-missing' });
  await assert.rejects(open('0'.repeat(32)), { code: 'object-unknown' });
  await assert.rejects(open(await object('clean')), { code: 'transition-invalid' });
  for (const wrong of [{}, { do: 'frame' }, { do: 'open', objectId, person: '', roles: ['reviewer'], reason }, { do: 'open', objectId: '../x', person: 'ann', roles: ['reviewer'], reason }]) await assert.rejects(look(wrong), { code: 'request-invalid' });
  for (const person of ['ann', 'bob']) await web.request('decide', { objectId, decision: 'destroy', person, roles: ['reviewer'], reason });
  await assert.rejects(open(objectId), { code: 'object-destroyed' });
  assert.equal((await record()).some((line) => line.includes('Emergency Override')), false);
});

test('what was found malicious is looked at with the role security alone, and who tried without is on the record', async (t) => {
  const { object, open, record } = await bench(t);
  const objectId = await object('malicious');
  await assert.rejects(open(objectId), { code: 'role-missing' });
  assert.match((await record()).at(-1)!, /Use of Restricted Function.*ann.*look refused/);
  await open(objectId, { roles: ['security'] });
});

test('one break: neither another object, nor another person, nor after it was destroyed; and a held object has no other way to be rendered', async (t) => {
  const { object, open, look, web } = await bench(t);
  const [objectId, other] = [await object('malformed', 'one'), await object('malformed', 'two')];
  const { look: id } = await open(objectId);
  for (const wrong of [{ objectId: other, person: 'ann' }, { objectId, person: 'bob' }, { objectId, person: 'ann', look: 'x' }]) {
    await assert.rejects(look({ do: 'frame', look: id, request, ...wrong }), { code: 'look-over' });
    await assert.rejects(look({ do: 'close', look: id, ...wrong }), { code: 'look-over' });
  }
  await assert.rejects(web.request('render', { objectId, request }), { code: 'object-held' });
  for (const person of ['ann', 'bob']) await web.request('decide', { objectId, decision: 'destroy', person, roles: ['reviewer'], reason });
  await assert.rejects(look({ do: 'frame', look: id, objectId, person: 'ann', request }), { code: 'object-destroyed' });
});

test('after five minutes it is over by itself, and the record says so', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  const row = { object_id: 'a'.repeat(32), state: 'held', verdict: 'malformed', sha256: 'b'.repeat(64), sop_instance_uid: '', sop_class_uid: '', study_instance_uid: '', patient_id: '', patient_name: '' };
  const told: string[] = [];
  const parts = {
    ledger: { rowOf: () => row }, queue: { render: async () => ({ outcome: 'rendered' }) },
    commits: { submit: async (act: (group: object) => void) => act({ time: 0, auditEntry: 0, record: { message: (message: { eventTypes: { meaning: string }[] }) => told.push(message.eventTypes[0]?.meaning ?? '') } }) },
  } as unknown as Parts;
  const looks = new Looks(parts, { note: () => {} });
  const { look } = (await looks.handle({ do: 'open', objectId: row.object_id, person: 'ann', address: '', roles: ['reviewer'], reason })) as LookAnswer;
  const frame = { do: 'frame', look, objectId: row.object_id, person: 'ann', request };
  t.mock.timers.tick(lookMs - 1);
  await looks.handle(frame);
  t.mock.timers.tick(1);
  await assert.rejects(looks.handle(frame), { code: 'look-over' });
  assert.deepEqual(told, ['Emergency Override Started', '', 'Emergency Override Stopped']);
});
