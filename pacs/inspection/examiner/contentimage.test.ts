/** Pixels, tables, overlays and signals: exactly as long as their attributes say. Each kind right, and by one byte or word wrong. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BytesSource } from '@lazaret/dicom/dataset/bytes.ts';
import { mapObject } from '@lazaret/dicom/filemap/map.ts';
import { withElements, withoutElements, type Element } from '../../../tools/recipes/encode.ts';
import { make } from '../../../tools/recipes/make.ts';
import { grey16, identity, secondaryCapture, smallCT, sopClasses } from '../../../tools/recipes/objects.ts';
import { clean } from '../../../tools/recipes/recipe.ts';
import { checkImage } from './contentimage.ts';
import { checkPart } from './contentmagic.ts';
import { inflateRaw } from './inflate.ts';
import { Reading } from './reading.ts';
import * as inert from '../../../tools/recipes/inert.ts';

const work = { objectId: '', bytes: 0, sha256: '', sopClassUID: '', sopInstanceUID: '', transferSyntaxUID: '' } as unknown as ConstructorParameters<typeof Reading>[1];
type Syntax = 'explicit' | 'implicit' | 'big' | 'deflated';

function codes(elements: readonly Element[], syntax: Syntax = 'explicit'): string[] {
  const bytes = make({ name: 'image', threat: '', why: '', expected: clean, elements: () => elements, syntax }).bytes();
  const reading = new Reading(mapObject(new BytesSource(bytes), { inflateRaw }), work);
  checkImage(reading);
  for (const part of reading.parts) checkPart(reading, part);
  return [...new Set(reading.findings.map(({ code }) => code))];
}

interface Shape {
  readonly rows: number;
  readonly columns: number;
  readonly bits: number;
  readonly samples?: number;
  readonly frames?: string;
  readonly photometric?: string;
}

function image({ rows, columns, bits, samples = 1, frames, photometric = 'MONOCHROME2' }: Shape, length: number): Element[] {
  return withElements(identity('shape', sopClasses.secondaryCapture, 'OT'),
    ['0028,0002', 'US', samples], ['0028,0004', 'CS', photometric], ...(samples > 1 ? [['0028,0006', 'US', 0] as Element] : []),
    ...(frames === undefined ? [] : [['0028,0008', 'IS', frames] as Element]), ['0028,0010', 'US', rows], ['0028,0011', 'US', columns],
    ['0028,0100', 'US', bits], ['0028,0101', 'US', bits], ['0028,0102', 'US', bits - 1], ['0028,0103', 'US', 0], ['7FE0,0010', bits > 8 ? 'OW' : 'OB', Buffer.alloc(length, 1)]);
}

const shapes: readonly (readonly [string, Shape, bytes: number])[] = [
  ['one frame of 8 bits', { rows: 6, columns: 10, bits: 8 }, 60],
  ['an odd number of bytes and their pad', { rows: 5, columns: 3, bits: 8 }, 16],
  ['Number of Frames empty', { rows: 6, columns: 10, bits: 8, frames: '' }, 60],
  ['frames of 16 bits', { rows: 5, columns: 3, bits: 16, frames: '7' }, 210],
  ['frames of one bit that end inside a byte', { rows: 17, columns: 33, bits: 1, frames: '3' }, 212],
  ['32 bits', { rows: 5, columns: 3, bits: 32 }, 60],
  ['64 bits', { rows: 5, columns: 3, bits: 64 }, 120],
  ['three samples', { rows: 4, columns: 4, bits: 8, samples: 3, photometric: 'RGB' }, 48],
  ['YBR_FULL, which shares nothing', { rows: 4, columns: 4, bits: 8, samples: 3, photometric: 'YBR_FULL' }, 48],
  ['YBR_FULL_422', { rows: 4, columns: 4, bits: 8, samples: 3, photometric: 'YBR_FULL_422' }, 32],
  ['YBR_PARTIAL_422', { rows: 4, columns: 4, bits: 8, samples: 3, photometric: 'YBR_PARTIAL_422', frames: '2' }, 64],
];
for (const [name, shape, length] of shapes) {
  test(`native pixels: ${name}`, () => {
    assert.deepEqual(codes(image(shape, length)), []);
    assert.deepEqual(codes(image(shape, length - 2)), ['pixels-too-short']);
    assert.deepEqual(codes(image(shape, length + 2)), ['pixels-too-long']);
    for (const syntax of ['implicit', 'deflated'] as const) assert.deepEqual(codes(image(shape, length), syntax), [], syntax);
  });
}

test('Number of Frames of zero, less, or no number', () => {
  for (const frames of ['0', '-1', '1.5', '4294967296', 'two']) assert.deepEqual(codes(image({ rows: 2, columns: 2, bits: 8, frames }, 4)), ['pixel-attributes-invalid'], frames);
});

test('floats are 32 and 64 bits, and there is one kind of Pixel Data', () => {
  const base = withoutElements(smallCT('floats'), '7FE0,0010', '0028,0101', '0028,0102', '0028,0103');
  assert.deepEqual(codes(withElements(base, ['0028,0100', 'US', 32], ['7FE0,0008', 'OF', Buffer.alloc(64 * 64 * 4)])), []);
  assert.deepEqual(codes(withElements(base, ['0028,0100', 'US', 64], ['7FE0,0009', 'OD', Buffer.alloc(64 * 64 * 8)])), []);
  assert.deepEqual(codes(withElements(base, ['0028,0100', 'US', 64], ['7FE0,0009', 'OD', Buffer.alloc(64 * 64 * 8 + 8)])), ['pixels-too-long']);
  assert.deepEqual(codes(withElements(smallCT('floats'), ['7FE0,0009', 'OD', Buffer.alloc(64 * 64 * 8)])), ['pixel-attributes-invalid']);
});

/** Twelve bits stored in sixteen. */
function twelve(value: (index: number) => number, more: readonly Element[] = [], signed = 0): Element[] {
  const pixels = Buffer.alloc(64 * 64 * 2);
  for (let index = 0; index < 64 * 64; index += 1) pixels.writeUInt16LE(value(index) & 0xffff, index * 2);
  return withElements(smallCT('twelve'), ...grey16(64, 64), ['0028,0101', 'US', 12], ['0028,0102', 'US', 11], ['0028,0103', 'US', signed], ['7FE0,0010', 'OW', pixels], ...more);
}
const program = inert.pe();
const nibbles = (index: number): number => index & 0xfff | ((((program[index >> 1] ?? 0) >> ((index & 1) * 4)) & 15) << 12);

test('unused bits: zeros, the sign, an overlay, a padding value are let by; a program in them is not', () => {
  for (const syntax of ['explicit', 'big', 'implicit', 'deflated'] as const) {
    assert.deepEqual(codes(twelve((index) => index & 0xfff), syntax), [], syntax);
    assert.deepEqual(codes(twelve((index) => (index & 0xfff) - 2048, [], 1), syntax), [], syntax);
    assert.deepEqual(codes(twelve((index) => (index % 9 === 0 ? -2000 : index & 0xfff)), syntax), [], syntax);
    assert.deepEqual(codes(twelve((index) => (index & 0xfff) | 0x8000, [['6000,0010', 'US', 64], ['6000,0011', 'US', 64], ['6000,0100', 'US', 16], ['6000,0102', 'US', 15]]), syntax), [], syntax);
    assert.deepEqual(codes(twelve(nibbles), syntax), ['executable-content'], syntax);
  }
});

/** A program in bit 15. */
const inOverlay = (index: number): number => (index & 0xfff) | ((((program[index >> 3] ?? 0) >> (index & 7)) & 1) << 15);

test('a program in an overlay of the old kind, one bit a pixel', () => {
  assert.deepEqual(codes(twelve(inOverlay, [['6000,0010', 'US', 64], ['6000,0011', 'US', 64], ['6000,0100', 'US', 16], ['6000,0102', 'US', 15]])), ['executable-content']);
});

const overlay = (length: number, frames?: string): Element[] => withElements(smallCT('overlay'), ['6002,0010', 'US', 9], ['6002,0011', 'US', 7], ...(frames === undefined ? [] : [['6002,0015', 'IS', frames] as Element]), ['6002,3000', 'OW', Buffer.alloc(length)]);

test('overlays have one bit a pixel, of all frames together', () => {
  assert.deepEqual(codes(overlay(8)), []);
  assert.deepEqual(codes(overlay(32, '4')), []);
  assert.deepEqual(codes(overlay(6)), ['overlay-length-wrong']);
  assert.deepEqual(codes(overlay(10)), ['overlay-length-wrong']);
});

function palette(segments: readonly number[], entries = 16): Element[] {
  return withElements(withoutElements(secondaryCapture('palette', { rows: 4, columns: 4, photometric: 'PALETTE COLOR' }, Buffer.alloc(16))),
    ['0028,1101', 'US', [entries, 0, 16]], ['0028,1221', 'OW', Buffer.from(Uint16Array.from(segments).buffer)]);
}

test('segmented palettes: lists, ramps and repetitions, to the last entry', () => {
  assert.deepEqual(codes(palette([0, 4, 1, 2, 3, 4, 1, 12, 99])), []);
  assert.deepEqual(codes(palette([0, 4, 1, 2, 3, 4, 1, 4, 99, 2, 2, 0, 0])), [], 'the two segments again');
  for (const wrong of [[0, 4, 1, 2, 3, 4, 1, 11, 99], [0, 4, 1, 2, 3, 4, 1, 12, 99, 7, 7, 7], [0, 40, 1, 2], [1, 16, 5], [3, 16, 5], [0, 8, 1, 2, 3, 4, 5, 6, 7, 8, 2, 1, 6, 0], [0, 8, 1, 2, 3, 4, 5, 6, 7, 8, 2, 2, 0, 0]]) {
    assert.deepEqual(codes(palette(wrong)), ['table-length-wrong'], wrong.join());
  }
  assert.deepEqual(codes(palette(Array.from({ length: 262_000 }, () => 0), 16)), ['table-length-wrong'], 'a hundred thousand empty segments');
});

function wave(channels: number, samples: number, bits: number, length: number): Element[] {
  return withElements(identity('wave', '1.2.840.10008.5.1.4.1.1.9.1.2', 'ECG'), ['5400,0100', 'SQ', [[['003A,0005', 'US', channels], ['003A,0010', 'UL', samples], ['5400,1004', 'US', bits], ['5400,1010', bits > 8 ? 'OW' : 'OB', Buffer.alloc(length)]]]]);
}

test('waveforms: channels, samples and bits', () => {
  for (const syntax of ['explicit', 'implicit', 'big'] as const) {
    assert.deepEqual(codes(wave(3, 5, 8, 15), syntax), [], 'and the pad byte');
    assert.deepEqual(codes(wave(12, 500, 16, 12_000), syntax), []);
    assert.deepEqual(codes(wave(12, 500, 16, 12_002), syntax), ['signal-length-wrong']);
    assert.deepEqual(codes(wave(12, 500, 16, 11_998), syntax), ['signal-length-wrong']);
    assert.deepEqual(codes(wave(0, 500, 16, 12_000), syntax), ['signal-length-wrong']);
  }
});

const icon = (length: number): readonly Element[] => [['0028,0002', 'US', 1], ['0028,0004', 'CS', 'MONOCHROME2'], ['0028,0010', 'US', 2], ['0028,0011', 'US', length / 2], ['0028,0100', 'US', 8], ['0028,0101', 'US', 8], ['0028,0102', 'US', 7], ['0028,0103', 'US', 0], ['7FE0,0010', 'OB', Buffer.alloc(length)]];

test('an attribute of the pixels in an Item is of that Item, in a sequence of many', () => {
  assert.deepEqual(codes(withElements(smallCT('icons'), ['0088,0200', 'SQ', [icon(4), icon(6), icon(8), icon(2)]])), []);
  assert.deepEqual(codes(withElements(smallCT('icons'), ['0088,0200', 'SQ', [icon(4), [...icon(6).slice(0, -1), ['7FE0,0010', 'OB', Buffer.alloc(100)]], icon(8)]])), ['pixels-too-long']);
});
