import assert from 'node:assert/strict';
import { test } from 'node:test';
import { barShare, trunksOf } from './tree.ts';

test('a branch goes on where a sister follows on the same level', () => {
  const depths = (...all: number[]) => all.map((depth) => ({ depth }));
  assert.deepEqual(trunksOf(depths(1, 2, 3, 2, 1)), [true, true, false, false, false]);
  assert.deepEqual(trunksOf(depths(1, 2, 1, 2)), [true, false, false, false]);
  assert.deepEqual(trunksOf([]), []);
});

test('a bar is never empty, and the largest fills its width', () => {
  assert.equal(barShare(100, 100), 1);
  assert.ok(barShare(0, 100) > 0);
  assert.ok(barShare(25, 100) === 0.5);
});
