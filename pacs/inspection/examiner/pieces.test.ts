import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateSync } from 'node:zlib';
import { noise } from '@lazaret/tools/recipes/private.ts';
import { piecesIn } from './pieces.ts';
import { unusedBits } from './unusedbits.ts';

const words = Buffer.from('an inert sentence that stands for something that would run, and some more of it so that it is long enough');
const found = (bytes: Buffer): string[] => [...piecesIn(bytes, () => 1_000_000)].flatMap((each) => (each === 'limit' || !Buffer.from(each.bytes).includes(words) ? [] : [each.name]));
const base64 = Buffer.from(`${words.toString()} and again ${words.toString()}.`).toString('base64');

test('base64 in pieces is put together, whatever stands between them and wherever it begins', () => {
  for (const between of [' ', '\\', '", "', '\0\0\x09\x10LO\x18\0']) assert.deepEqual(new Set(found(Buffer.from(base64.replaceAll(/.{24}/g, `$&${between}`), 'latin1'))), new Set(['base64 text in pieces, put together,']), JSON.stringify(between));
  assert.ok(found(Buffer.from(`abcdefghijklmnopqrstuvwxyz ${base64.slice(0, 40)} ${base64.slice(40)}`)).length > 0, 'letters before it shift it');
});

test('hexadecimal digits in pairs are, in each way of writing them', () => {
  for (const pair of ['$& ', '0x$&, ', '\\x$&', '%$&', '$&:', '$&\r\n']) assert.deepEqual(found(Buffer.from(words.toString('hex').replaceAll(/../g, pair))), ['hexadecimal digits in pairs'], pair);
});

test('a zlib stream is unpacked whatever its window', () => {
  for (let windowBits = 9; windowBits < 15; windowBits += 1) assert.deepEqual(found(Buffer.concat([Buffer.alloc(33, 0xee), deflateSync(words.toString().repeat(3), { windowBits })])), ['a zlib stream'], `${windowBits} bits`);
});

test('prose, lists of numbers and noise have no pieces, and what stands in lines is found as it stands', () => {
  for (const text of ['No acute haemorrhage; ventricles and sulci are appropriate for age. '.repeat(40), '12.5\\-3.25\\0.125\\'.repeat(200), `${base64}\r\n${base64}`]) assert.deepEqual([...piecesIn(Buffer.from(text), () => 1000)], []);
  assert.deepEqual([...piecesIn(noise(200_000, 5).map((byte) => byte | 0x80) as Buffer, () => 1000)].filter((each) => each === 'limit' || each.loose), []);
});

test('bits that are not stored are put together to bytes, the sign and zeros are none', () => {
  const frame = (values: readonly number[]): Parameters<typeof unusedBits>[0] => ({ bytes: new Uint8Array(Uint16Array.from(values).buffer), isStored: false, number: 1, at: { offset: 0, length: 0 } });
  const upper = (bits: number): { bitsAllocated: number; bitsStored: number; highBit: number } => ({ bitsAllocated: 16, bitsStored: bits, highBit: bits - 1 });
  assert.deepEqual(Buffer.from(unusedBits(frame([...words].map((byte, index) => (byte << 8) | (index & 0xff))), upper(8))[0]!), words);
  assert.deepEqual(unusedBits(frame([1, 2, 3, 0xff]), upper(8)), []);
  assert.deepEqual(unusedBits(frame([0xfff1, 0x0007, 0xf800]), upper(12)), []);
  assert.equal(unusedBits(frame([0x8001, 0x0007]), upper(12)).length, 2);
});
