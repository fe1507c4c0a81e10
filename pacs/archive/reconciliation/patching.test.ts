import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BytesSource } from '@lazaret/dicom/dataset/bytes.ts';
import { PatchedSource } from '@lazaret/dicom/dataset/patched.ts';
import type { Patch } from './contract.ts';
import { applyPatches, servedBytes } from './patching.ts';

const stored = Uint8Array.from({ length: 40 }, (_, index) => index);
const patch = (offset: number, length: number, ...bytes: number[]): Patch => ({ offset, length, bytes: Buffer.from(bytes).toString('base64') });

async function served(patches: readonly Patch[], pieceBytes: number): Promise<Buffer> {
  async function* pieces(): AsyncGenerator<Uint8Array> {
    for (let offset = 0; offset < stored.length; offset += pieceBytes) yield stored.subarray(offset, offset + pieceBytes);
  }
  const chunks: Uint8Array[] = [];
  for await (const chunk of applyPatches(pieces(), patches)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

test('patched as they pass, however the bytes come in pieces, it is what the patched object reads as', async () => {
  const cases: readonly (readonly Patch[])[] = [
    [], [patch(0, 0, 99)], [patch(40, 0, 99, 98)], [patch(5, 3)], [patch(5, 3, 1), patch(10, 0, 7, 7, 7), patch(39, 1)], [patch(0, 40, 1)], [patch(3, 30, 200), patch(34, 6, 201, 202, 203, 204, 205, 206, 207)],
    [patch(8, 0, 1), patch(9, 0, 2), patch(10, 10, 3), patch(21, 0, 4)],
  ];
  for (const patches of cases) {
    const expected = new PatchedSource(new BytesSource(stored), patches.map(({ offset, length, bytes }) => ({ offset, length, bytes: Buffer.from(bytes, 'base64') })));
    for (const pieceBytes of [1, 2, 3, 7, 8, 39, 40]) {
      const found = await served(patches, pieceBytes);
      assert.ok(found.equals(Buffer.from(expected.read(0, expected.length))), `${JSON.stringify(patches)} in pieces of ${pieceBytes}`);
      assert.equal(found.length, servedBytes(stored.length, patches));
    }
  }
  assert.equal(servedBytes(40, null), 40);
});
