/** What is searched for in opaque values: found at each position and in each wrapping, and not found in what is like it by chance. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { BytesSource } from '@lazaret/dicom/dataset/bytes.ts';
import { mapObject } from '@lazaret/dicom/filemap/map.ts';
import * as inert from '../../../tools/recipes/inert.ts';
import { randomOf } from '../../../tools/recipes/phantom.ts';
import { make } from '../../../tools/recipes/make.ts';
import { smallCT } from '../../../tools/recipes/objects.ts';
import { clean } from '../../../tools/recipes/recipe.ts';
import { withElements, type Element } from '../../../tools/recipes/encode.ts';
import { checkBulk } from './contentbulk.ts';
import { concealedParts } from './contentconcealed.ts';
import { checkPart } from './contentmagic.ts';
import { isDOSProgram, programOverlapBytes, programsIn } from './contentbulkprogram.ts';
import { inflateRaw } from './inflate.ts';
import { partBytesMax, partsMax, Reading } from './reading.ts';

const work = { objectId: '', bytes: 0, sha256: '', sopClassUID: '', sopInstanceUID: '', transferSyntaxUID: '' } as unknown as ConstructorParameters<typeof Reading>[1];

function readingOf(...more: readonly Element[]): Reading {
  const bytes = make({ name: 'bulk', threat: '', why: '', expected: clean, elements: () => withElements(smallCT('bulk'), ['0009,0010', 'LO', 'ACME 1.1'], ...more) }).bytes();
  return new Reading(mapObject(new BytesSource(bytes), { inflateRaw }), work);
}

/** As the examiner does, but for the engine. */
function look(reading: Reading): void {
  checkBulk(reading);
  for (const part of concealedParts(reading)) checkPart(reading, part);
  for (const part of reading.parts) checkPart(reading, part);
}

/** Codes that a private value leads to. */
function found(value: Uint8Array, vr = 'OB'): { readonly codes: string[]; readonly parts: string[]; readonly reading: Reading } {
  const reading = readingOf(['0009,1001', vr, value]);
  look(reading);
  return { codes: [...new Set(reading.findings.map(({ code }) => code))], parts: reading.parts.map(({ name }) => name), reading };
}

function noise(length: number, seed = 1): Buffer {
  const random = randomOf(seed);
  return Buffer.from(Uint8Array.from({ length }, () => Math.floor(random() * 256)));
}
function within(inside: Uint8Array, offset: number, length = offset + inside.length + 70_000): Buffer {
  const bytes = noise(length, offset + 1);
  bytes.set(inside, offset);
  return bytes;
}

test('a program is found at any position, and its place is said', () => {
  for (const program of [inert.pe(), Buffer.concat([inert.elf(), Buffer.alloc(64)]), inert.machO()]) {
    for (const offset of [0, 1, 4095, 4097, 65_535, 1_048_573]) {
      assert.deepEqual(programsIn(within(program, offset)).map(({ at }) => at), [offset]);
    }
  }
});

test('a Windows program under any key of one byte', () => {
  for (let key = 1; key < 256; key += 1) assert.equal(programsIn(within(inert.pe().map((byte) => byte ^ key), 777))[0]?.at, 777, `key ${key}`);
});

test('random bytes, ramps and text hold no program', () => {
  assert.deepEqual(programsIn(noise(8_000_000, 3)), []);
  assert.deepEqual(programsIn(Uint8Array.from({ length: 1_000_000 }, (_, index) => index * 23)), []);
  assert.deepEqual(programsIn(Buffer.from('MZ PE NE LX \u007fELF '.repeat(5000), 'latin1')), []);
  assert.deepEqual(programsIn(new Uint8Array(100_000)), []);
  for (let length = 0; length < 200; length += 1) assert.deepEqual(programsIn(inert.pe().subarray(0, Math.min(length, 128))), [], `${length} bytes`);
});

test('headers may begin up to the end that is given, so that windows which overlap miss none', () => {
  const bytes = within(inert.pe(), 5000);
  assert.equal(programsIn(bytes, 5000).length, 0);
  assert.equal(programsIn(bytes, 5001).length, 1);
  assert.ok(programOverlapBytes > 0x10000);
});

test('a DOS program only by numbers that agree', () => {
  const header = Buffer.alloc(64);
  header.write('MZ');
  header.writeUInt16LE(3, 4);
  header.writeUInt16LE(2, 8);
  header.writeUInt16LE(0x1c, 24);
  assert.equal(isDOSProgram(header), true);
  assert.equal(isDOSProgram(Buffer.from('MZ is how this text begins, and it is no program of any kind.')), false);
});

const big = Buffer.concat([inert.pe(), Buffer.alloc(1500)]);
const lines = (text: string): string => text.replaceAll(/.{76}/g, '$&\r\n');

for (const [name, value] of Object.entries({
  'gzip at the start': () => gzipSync(within(inert.pe(), 9)),
  'gzip after a length': () => Buffer.concat([Buffer.from([1, 2, 3, 4]), gzipSync(within(inert.pe(), 9))]),
  'gzip anywhere': () => within(gzipSync(within(inert.pe(), 9, 3000)), 12_345),
  'gzip followed by what looks like another': () => Buffer.concat([noise(33), gzipSync(within(inert.pe(), 9, 3000)), Buffer.from([0x1f, 0x8b, 8, 0, 1, 1, 1, 1, 2, 3, 0xff, 0xff])]),
  'zlib': () => deflateSync(big),
  'zlib after a length': () => Buffer.concat([Buffer.from([0, 0, 9, 0]), deflateSync(big)]),
  'deflate without a header': () => deflateRawSync(within(inert.pe(), 9, 4000)),
  'base64 in lines': () => Buffer.from(`x="${lines(big.toString('base64'))}"`),
  'base64 for addresses': () => Buffer.from(big.toString('base64url')),
  'base64 of 16 bit characters': () => Buffer.from(`x ${big.toString('base64')}`, 'utf16le'),
  'hexadecimal': () => Buffer.from(big.toString('hex')),
  'hexadecimal of 16 bit characters': () => Buffer.from(big.toString('hex').toUpperCase(), 'utf16le'),
  'base64 of gzip of base64': () => Buffer.from(gzipSync(Buffer.from(within(inert.pe(), 9, 4000).toString('base64'))).toString('base64')),
})) {
  test(`a program in ${name} is found`, () => {
    for (const vr of ['OB', 'UN', 'UT']) assert.deepEqual(found(value(), vr).codes, ['executable-content'], vr);
  });
}

test('what is packed and harmless is looked at and holds nothing', () => {
  assert.deepEqual(found(gzipSync(Buffer.from('set X 1\n'.repeat(1000)))), { ...found(gzipSync(Buffer.from('set X 1\n'.repeat(1000)))), codes: [], parts: ['a gzip stream'] });
  assert.deepEqual(found(deflateSync(Buffer.alloc(480_000))).codes, []);
  assert.deepEqual(found(Buffer.from(lines(noise(9000, 4).toString('base64')))).codes, []);
  assert.deepEqual(found(noise(1_000_000, 5)), { ...found(noise(1_000_000, 5)), codes: [], parts: [] });
  assert.deepEqual(found(Buffer.from('-'.repeat(5000))).parts, [], 'a ruler is no base64');
});

test('what cannot be unpacked, or is packed too deep or too large, is said', () => {
  assert.deepEqual(found(Buffer.concat([gzipSync(noise(900)).subarray(0, 10), Buffer.alloc(500, 0xff)])).codes, ['container-content']);
  assert.deepEqual(found(Buffer.concat([Buffer.from('BZh91AY&SY'), noise(300)])).codes, ['container-content']);
  const six = [1, 2, 3, 4, 5, 6].reduce((bytes: Uint8Array) => gzipSync(bytes), Buffer.from('x'.repeat(5000)));
  assert.deepEqual(found(six).codes, ['part-limit']);
  const bomb = gzipSync(Buffer.alloc(partBytesMax / 2 + 1));
  const { codes, reading } = found(bomb);
  assert.deepEqual(codes, ['part-limit']);
  assert.ok(reading.partBytesLeft > partBytesMax - 100_000, 'nothing of it is kept');
});

test('a thousand decoys do not hide what comes after them', () => {
  const decoy = gzipSync(Buffer.from('x')).subarray(0, 12);
  const { codes } = found(Buffer.concat([Buffer.from([0]), ...Array.from({ length: 1100 }, () => Buffer.concat([decoy, Buffer.alloc(8, 0xff)])), gzipSync(inert.pe())]));
  assert.deepEqual(codes, ['executable-content']);
});

test('parts are bounded in number', () => {
  const reading = readingOf();
  const part = { name: 'x', bytes: new Uint8Array(0), at: { offset: 0, length: 0 } };
  for (let count = 0; count < partsMax; count += 1) assert.ok(reading.addPart(part));
  assert.equal(reading.addPart(part), false);
  assert.deepEqual(reading.findings.map(({ code }) => code), ['part-limit']);
});

test('public values are searched whatever they are; of Pixel Data what is packed or written in it, and programs are left to the rule pack', () => {
  const searched: readonly Element[] = [['0028,2000', 'OB', inert.pe()], ['0040,A160', 'UT', lines(big.toString('base64'))], ['0020,4000', 'LT', big.toString('hex')]];
  for (const element of searched) {
    const reading = readingOf(element);
    look(reading);
    assert.deepEqual([...new Set(reading.findings.map(({ code }) => code))], ['executable-content'], element[0]);
  }
  const pixels = (inside: Uint8Array): string[] => {
    const bytes = noise(64 * 64 * 2);
    bytes.set(inside, 777);
    const reading = readingOf(['7FE0,0010', 'OW', bytes]);
    look(reading);
    return [...new Set(reading.findings.map(({ code }) => code))];
  };
  assert.deepEqual(pixels(inert.pe()), []);
  for (const inside of [gzipSync(big), deflateSync(big), Buffer.from(big.toString('base64')), Buffer.from(`abc${big.toString('base64')}`), Buffer.from(big.subarray(0, 600).toString('hex'))]) assert.deepEqual(pixels(inside), ['executable-content']);
});
