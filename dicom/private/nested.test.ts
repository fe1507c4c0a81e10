/** Sequences inside values of VR UN. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { leavesOf } from './nested.ts';

const bytes = (hex: string): Uint8Array => Uint8Array.from(hex.replaceAll(/\s/g, '').match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
const item = (length: string): string => `feff00e0 ${length}`;
const value = '08000001 04000000 41424344';

test('the values of Items of defined and undefined length', () => {
  const both = bytes(`${item('0c000000')} ${value} ${item('ffffffff')} ${value} feff0de0 00000000`);
  assert.deepEqual(leavesOf(both), [{ tag: 0x00080100, offset: 16, length: 4, item: 1 }, { tag: 0x00080100, offset: 36, length: 4, item: 2 }]);
  assert.deepEqual(leavesOf(bytes(item('00000000'))), []);
});

test('sequences within: of undefined length, and of defined length by their first Item', () => {
  const undefinedOne = bytes(`${item('ffffffff')} 40000001 ffffffff ${item('ffffffff')} ${value} feff0de0 00000000 feffdde0 00000000 feff0de0 00000000`);
  assert.deepEqual(leavesOf(undefinedOne)?.map(({ tag }) => tag), [0x00080100]);
  const definedOne = bytes(`${item('1c000000')} 40000001 14000000 ${item('0c000000')} ${value}`);
  assert.deepEqual(leavesOf(definedOne)?.map(({ offset }) => offset), [32]);
});

test('what is not Items to the last byte is none', () => {
  for (const wrong of [
    `${item('0c000000')} ${value} 00`, // a byte too many
    `${item('0d000000')} ${value}`, // an Item longer than what holds it
    `${item('0c000000')} 08000001 05000000 41424344`, // a value longer than its Item
    `${item('ffffffff')} ${value}`, // no delimitation item
    `${item('08000000')} feff00e0 00000000`, // an Item in an Item
    '08000001 04000000 41424344', // no Item
  ]) assert.equal(leavesOf(bytes(wrong)), null, wrong);
});

const deep = (levels: number): Uint8Array => {
  const open = bytes(`${item('ffffffff')} 40000001 ffffffff`);
  const close = bytes('feffdde0 00000000 feff0de0 00000000');
  const all = new Uint8Array(levels * 32);
  for (let level = 0; level < levels; level += 1) {
    all.set(open, level * 16);
    all.set(close, levels * 16 + level * 16);
  }
  return all;
};

test('depth is bounded, and deep nesting does not recurse', () => {
  assert.deepEqual(leavesOf(deep(10)), []);
  assert.equal(leavesOf(deep(17)), null);
  assert.equal(leavesOf(deep(20_000)), null);
});
