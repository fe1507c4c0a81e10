import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { Deadline } from './deadline.ts';

test('time does not run while it is held, by any of those who hold it, and runs on after', async () => {
  let reached = 0;
  const { promise, resolve } = Promise.withResolvers<void>();
  const deadline = new Deadline(() => {
    reached += 1;
    resolve();
  });
  const [first, second] = [deadline.hold(), deadline.hold()];
  deadline.start(1);
  deadline.extend(1);
  first();
  await wait(20);
  assert.equal(reached, 0);
  second();
  await promise;
  assert.equal(reached, 1);
});

test('what was stopped is not reached, whatever is released or added then', async () => {
  const deadline = new Deadline(() => assert.fail('reached'));
  deadline.start(5);
  const release = deadline.hold();
  deadline.stop();
  release();
  deadline.extend(1);
  await wait(20);
});
