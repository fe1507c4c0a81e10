/** The recipes themselves: other people's readers take the benign ones, and none of ours holds anything that could do harm. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { inflateRawSync } from 'node:zlib';
import { unlessInstalled } from '../../test/peers.ts';
import { run } from '../../test/system.ts';
import { benignRecipes, recipes } from './all.ts';
import { encode, part10, transferSyntaxes, undefinedLength, withElements } from './encode.ts';
import { dosHeader, eicar, elf, peHeader } from './inert.ts';
import { rleFrame } from './rle.ts';

test('DCMTK reads every benign recipe', { skip: unlessInstalled('dcmdump') }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'lazaret-recipes-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const recipe of benignRecipes) {
    const path = join(folder, `${recipe.name}.dcm`);
    writeFileSync(path, recipe.bytes());
    const dump = await run('dcmdump', ['-q', path]);
    assert.equal(dump.code, 0, `${recipe.name}: ${dump.stderr}`);
  }
});

test('dciodvfy finds no error in the CT slice and the report', { skip: unlessInstalled('dciodvfy') }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'lazaret-recipes-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const name of ['ct-512', 'report-4k']) {
    const path = join(folder, `${name}.dcm`);
    writeFileSync(path, recipes.find((recipe) => recipe.name === name)!.bytes());
    const verified = await run('dciodvfy', [path]);
    assert.deepEqual(verified.stderr.split('\n').filter((line) => line.startsWith('Error')), [], name);
  }
});

test('no two recipes are the same SOP Instance', () => {
  const uids = recipes.flatMap((recipe) => recipe.transfer?.().sopInstanceUID ?? []);
  assert.equal(new Set(uids).size, uids.length);
});

test('the test text of EICAR is in no file of this folder', () => {
  const text = eicar();
  assert.equal(text.length, 68);
  for (const name of readdirSync(import.meta.dirname)) assert.equal(readFileSync(join(import.meta.dirname, name)).includes(text), false, name);
});

test('programs are headers of nothing', () => {
  assert.equal(peHeader().readUInt16LE(6), 0, 'no sections');
  assert.equal(peHeader().readUInt32LE(24 + 16), 0, 'no entry point');
  assert.equal(elf().readUInt16LE(56), 0, 'no program headers');
  assert.equal(elf().readBigUInt64LE(24), 0n, 'no entry point');
  assert.equal(dosHeader(0x400).readUInt32LE(0x3c), 0x400);
});

test('the encoder writes what PS3.5 says: goldens by hand', () => {
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
  assert.equal(hex(encode([['0010,0010', 'PN', 'A^B']])), '10001000504e0400415e4220');
  assert.equal(hex(encode([['0010,0010', 'PN', 'A^B']], 'implicit')), '1000100004000000415e4220');
  assert.equal(hex(encode([['0028,0010', 'US', 512]], 'big')), '00280010555300020200');
  assert.equal(hex(encode([['0009,1001', 'OB', new Uint8Array([7])]])), '090001104f420000020000000700');
  assert.equal(hex(encode([['0008,1140', 'SQ', [[['0008,1150', 'UI', '1.2']]], { definedLength: true }]])), '0800401153510000' + '14000000' + 'feff00e00c000000' + '0800501155490400' + '312e3200');
  assert.equal(hex(encode([['0008,1140', 'SQ', [[]]]])), '0800401153510000' + 'ffffffff' + 'feff00e0ffffffff' + 'feff0de000000000' + 'feffdde000000000');
  assert.equal(undefinedLength, 0xffffffff);
});

test('RLE frames unpack to what went in', () => {
  const frame = Uint8Array.from({ length: 16 * 8 * 2 }, (_, index) => (index % 7 === 0 ? index : 3));
  const fragment = rleFrame(frame, 1, 2, 8);
  const segments = fragment.readUInt32LE(0);
  assert.equal(segments, 2);
  for (let segment = 0; segment < segments; segment++) {
    const [from, to] = [fragment.readUInt32LE(4 + 4 * segment), segment + 1 < segments ? fragment.readUInt32LE(8 + 4 * segment) : fragment.length];
    const plane = unpack(fragment.subarray(from, to), 128);
    assert.deepEqual(plane, Array.from({ length: 128 }, (_, pixel) => frame[pixel * 2 + (1 - segment)]));
  }
});

function unpack(bytes: Uint8Array, length: number): number[] {
  const out: number[] = [];
  for (let at = 0; out.length < length; ) {
    const control = bytes[at++]!;
    if (control < 128) for (let left = control + 1; left > 0; left--) out.push(bytes[at++]!);
    else if (control > 128) {
      for (let left = 257 - control; left > 0; left--) out.push(bytes[at]!);
      at++;
    }
  }
  return out;
}

test('group length and deflate are right in a whole file', () => {
  const file = part10({ transferSyntaxUID: transferSyntaxes.explicit, sopClassUID: '1.2', sopInstanceUID: '1.3', dataSet: encode(withElements([], ['0008,0060', 'CS', 'OT'])) });
  assert.equal(file.toString('latin1', 128, 132), 'DICM');
  assert.equal(file.readUInt16LE(144 + file.readUInt32LE(140)), 0x0008);
  const deflated = recipes.find((recipe) => recipe.name === 'ct-deflated')!.transfer!().dataSet;
  assert.equal(inflateRawSync(deflated).readUInt16LE(0), 0x0008);
});
