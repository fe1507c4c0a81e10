/** A deflate stream of any packer is recognised by its head, and noise is not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { constants, deflateRawSync } from 'node:zlib';
import { randomOf } from '../../../tools/recipes/phantom.ts';
import { beginsDeflate } from './deflatehead.ts';

const { Z_DEFAULT_STRATEGY, Z_FILTERED, Z_FIXED, Z_HUFFMAN_ONLY, Z_RLE } = constants;

test('what a packer wrote is recognised, whatever it packed and however', () => {
  const random = randomOf(11);
  const noise = (length: number, values: number): Buffer => Buffer.from(Uint8Array.from({ length }, () => Math.floor(random() * values)));
  for (let round = 0; round < 120; round += 1) {
    const length = 40 + Math.floor(random() * 3000);
    for (const content of [noise(length, 256), noise(length, 16), Buffer.alloc(length, 7), Buffer.from('set gantry 1\r\n'.repeat(length)).subarray(0, length)]) {
      for (const strategy of [Z_DEFAULT_STRATEGY, Z_FILTERED, Z_FIXED, Z_HUFFMAN_ONLY, Z_RLE]) {
        for (const level of [0, 1, 9]) assert.ok(beginsDeflate(Buffer.concat([Buffer.from([1, 2, 3]), deflateRawSync(content, { level, strategy })]), 3), `level ${level}, strategy ${strategy}, ${length} bytes`);
      }
    }
  }
});

test('noise is taken for a stream once in some hundred places, and what ends too early never', () => {
  const random = randomOf(12);
  const bytes = Uint8Array.from({ length: 200_000 }, () => Math.floor(random() * 256));
  let count = 0;
  for (let at = 0; at < bytes.length; at += 1) if (beginsDeflate(bytes, at)) count += 1;
  assert.ok(count < bytes.length / 300, `${count} of ${bytes.length}`);
  for (const start of [[], [1], [0x4b, 0x4c], [7, 7, 7], [0, 5, 0, 0xfb, 0xff]]) assert.equal(beginsDeflate(Uint8Array.from(start.slice(0, 2)), 0), false);
});
