import assert from 'node:assert/strict';
import { test } from 'node:test';
import { giveBack } from './chunk.ts';

test('a chunk with memory of its own is gone', () => {
  const chunk = Buffer.allocUnsafeSlow(65_536);
  giveBack(chunk);
  assert.equal(chunk.length, 0);
  giveBack(chunk);
});

test('a view into a larger buffer is left alone: its memory is not only its own', () => {
  const whole = Buffer.alloc(10, 1);
  for (const view of [whole.subarray(0, 9), whole.subarray(1), Buffer.from('pooled')]) {
    const before = Buffer.from(view);
    giveBack(view);
    assert.ok(view.equals(before));
  }
  const shared = new Uint8Array(new SharedArrayBuffer(4));
  giveBack(shared);
  assert.equal(shared.length, 4);
});
