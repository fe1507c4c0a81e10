import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { Failure, unavailable } from '@lazaret/system/failure.ts';
import type { StoredInstance } from '../../archive/instances.ts';
import type { ArchiveReader } from '../../archive/reading.ts';
import { renewVerdicts } from './renewal.ts';

const instances = (count: number): StoredInstance[] => Array.from({ length: count }, (_, index) => ({ digest: String(index), epoch: index % 2 === 0 ? 'old' : 'new' }) as unknown as StoredInstance);
const readerThat = (admit: ArchiveReader['admit']): ArchiveReader => ({ admit }) as unknown as ArchiveReader;
const isNew = (epoch: string): boolean => epoch === 'new';

test('only what is stale is inspected again, and then looked up again', async () => {
  const asked: string[] = [];
  const reader = readerThat(async ({ digest }) => void asked.push(digest));
  assert.equal(await renewVerdicts(reader, () => true, instances(4)), 'current');
  assert.deepEqual(asked, []);
  assert.equal(await renewVerdicts(reader, isNew, instances(6)), 'changed');
  assert.deepEqual(asked, ['0', '2', '4']);
});

test('one that is not clean any more leaves the others; when none is left, nothing is served', async () => {
  const reader = readerThat(async ({ digest }) => {
    if (digest === '2') throw unavailable('verdict-stale', 'it is held');
    if (digest === '4') throw unavailable('object-replaced', 'it was disarmed');
  });
  assert.equal(await renewVerdicts(reader, isNew, instances(6)), 'changed');
  await assert.rejects(renewVerdicts(reader, isNew, [instances(3)[2]!]), (error) => error instanceof Failure && error.code === 'verdict-stale');
});

test('what takes longer than a person waits is answered with how far it is and when to ask again; the work goes on', async () => {
  let done = 0;
  const reader = readerThat(async () => {
    await wait(20);
    done += 1;
  });
  const answer = await renewVerdicts(reader, () => false, instances(40), 50);
  assert.ok(typeof answer === 'object');
  assert.equal(answer.status, 503);
  assert.match(String(answer.body), /verdict-pending.* of 40 objects were inspected again/);
  assert.ok(Number(answer.headers?.['retry-after']) >= 1);
  const then = done;
  await wait(60);
  assert.ok(done > then);
});

test('an inspection that is not possible is said, and nothing is served', async () => {
  const reader = readerThat(async () => { throw unavailable('inspection-inconclusive', 'clamd does not answer'); });
  const answer = await renewVerdicts(reader, () => false, instances(3));
  assert.ok(typeof answer === 'object');
  assert.equal(answer.status, 503);
  assert.match(String(answer.body), /inspection-inconclusive.*clamd does not answer/);
});
