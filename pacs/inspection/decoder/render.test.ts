import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { inflateSync } from 'node:zlib';
import { encodeDataSet, type WritableElement } from '@lazaret/dicom/dataset/write.ts';
import { encodeFileMeta } from '@lazaret/dicom/fileset/part10.ts';
import type { RenderTask } from './contract.ts';
import { encodePNG, fittedSize, shrink } from './picture.ts';
import { renderFrame } from './render.ts';

const explicit = '1.2.840.10008.1.2.1';
const secondaryCapture = '1.2.840.10008.5.1.4.1.1.7';
const us = (tag: number, value: number): WritableElement => ({ tag, vr: 'US', value: Buffer.of(value & 0xff, value >> 8) });
const text = (tag: number, vr: string, value: string): WritableElement => ({ tag, vr, value: Buffer.from(value.length % 2 === 0 ? value : `${value} `, 'latin1') });

interface Form { readonly rows: number; readonly columns: number; readonly samples?: number; readonly bits?: number; readonly stored?: number; readonly signed?: boolean; readonly photometric?: string; readonly frames?: number; readonly more?: readonly WritableElement[] }

/** An image of nobody, as a file. */
function imageOf(t: TestContext, { rows, columns, samples = 1, bits = 8, stored = bits, signed = false, photometric = 'MONOCHROME2', frames = 1, more = [] }: Form, pixels: Uint8Array): string {
  const folder = mkdtempSync(join(tmpdir(), 'lazaret-render-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const elements = [
    text(0x00080016, 'UI', `${secondaryCapture}\0`), text(0x00080018, 'UI', '2.25.1\0'), us(0x00280002, samples), text(0x00280004, 'CS', photometric), text(0x00280008, 'IS', String(frames)),
    ...(samples > 1 ? [us(0x00280006, 0)] : []), us(0x00280010, rows), us(0x00280011, columns), us(0x00280100, bits), us(0x00280101, stored), us(0x00280102, stored - 1), us(0x00280103, signed ? 1 : 0),
    ...more, { tag: 0x7fe00010, vr: bits > 8 ? 'OW' : 'OB', value: Buffer.from(pixels.length % 2 === 0 ? pixels : [...pixels, 0]) },
  ].toSorted((one, other) => one.tag - other.tag);
  const path = join(folder, 'image.dcm');
  writeFileSync(path, Buffer.concat([encodeFileMeta({ mediaStorageSOPClassUID: secondaryCapture, mediaStorageSOPInstanceUID: '2.25.1', transferSyntaxUID: explicit }), encodeDataSet(elements, explicit)]));
  return path;
}

const task = (path: string, more: Partial<RenderTask> = {}): RenderTask => ({ kind: 'render', id: 1, path, sha256: createHash('sha256').update(readFileSync(path)).digest('hex'), frame: 1, widthMax: 0, heightMax: 0, window: null, type: 'image/png', quality: 90, ...more });

/** Samples of a PNG of ours: one IDAT, rows with filter 1. */
function samplesOf(png: Uint8Array, width: number, samples: number): number[] {
  const bytes = Buffer.from(png);
  const at = bytes.indexOf('IDAT');
  const rows = inflateSync(bytes.subarray(at + 4, at + 4 + bytes.readUInt32BE(at - 4)));
  const stride = width * samples + 1;
  const values: number[] = [];
  for (let row = 0; row * stride < rows.length; row += 1) {
    assert.equal(rows[row * stride], 1);
    for (let index = 1; index < stride; index += 1) values.push((rows[row * stride + index]! + (index <= samples ? 0 : values[values.length - samples]!)) & 0xff);
  }
  return values;
}

async function rendered(path: string, width: number, samples: number, more: Partial<RenderTask> = {}): Promise<number[]> {
  const { answer, picture } = await renderFrame(task(path, more));
  assert.equal(answer.outcome, 'rendered', answer.text);
  return samplesOf(picture, width, samples);
}

test('grey values span the picture from the least to the greatest, and upside down for MONOCHROME1', async (t) => {
  const pixels = Uint8Array.of(10, 20, 30, 110);
  assert.deepEqual(await rendered(imageOf(t, { rows: 2, columns: 2 }, pixels), 2, 1), [0, 26, 51, 255]);
  assert.deepEqual(await rendered(imageOf(t, { rows: 2, columns: 2, photometric: 'MONOCHROME1' }, pixels), 2, 1), [255, 230, 204, 0]);
});

test('a window is that of the object, or the one that is asked for; signed values of twelve bits with something above them are read as they are meant', async (t) => {
  // -1000, 0, 40, 1000 in twelve bits; above the high bit stands what an old overlay left there.
  const words = [-1000, 0, 40, 1000].map((value) => (value & 0xfff) | 0xa000);
  const pixels = new Uint8Array(Uint16Array.from(words).buffer);
  const form: Form = { rows: 2, columns: 2, bits: 16, stored: 12, signed: true, more: [text(0x00281050, 'DS', '40'), text(0x00281051, 'DS', '400')] };
  assert.deepEqual(await rendered(imageOf(t, form, pixels), 2, 1), [0, 102, 128, 255]);
  assert.deepEqual(await rendered(imageOf(t, form, pixels), 2, 1, { window: { center: 0.5, width: 2001 } }), [0, 128, 133, 255]);
});

test('one-bit pixels, frames that begin inside a byte, and the frame in the middle', async (t) => {
  const path = imageOf(t, { rows: 1, columns: 3, bits: 1, frames: 3 }, Uint8Array.of(0b11_010_101, 0b1));
  assert.deepEqual(await rendered(path, 3, 1), [255, 0, 255]);
  assert.deepEqual(await rendered(path, 3, 1, { frame: 0 }), [0, 255, 0]);
  const { answer } = await renderFrame(task(path, { frame: 4 }));
  assert.equal(answer.outcome, 'impossible');
  assert.match(answer.text, /3 frames/);
});

test('colours: red, green and blue; YBR; YBR with shared chroma; a palette', async (t) => {
  assert.deepEqual(await rendered(imageOf(t, { rows: 1, columns: 2, samples: 3, photometric: 'RGB' }, Uint8Array.of(255, 0, 0, 0, 0, 255)), 2, 3), [255, 0, 0, 0, 0, 255]);
  assert.deepEqual(await rendered(imageOf(t, { rows: 1, columns: 2, samples: 3, photometric: 'YBR_FULL' }, Uint8Array.of(76, 85, 255, 128, 128, 128)), 2, 3), [254, 0, 0, 128, 128, 128]);
  assert.deepEqual(await rendered(imageOf(t, { rows: 1, columns: 2, samples: 3, photometric: 'YBR_FULL_422' }, Uint8Array.of(10, 200, 128, 128)), 2, 3), [10, 10, 10, 200, 200, 200]);
  const tables = [0, 1, 2].flatMap((channel): WritableElement[] => [
    { tag: 0x00281101 + channel, vr: 'US', value: Buffer.of(2, 0, 5, 0, 16, 0) }, { tag: 0x00281201 + channel, vr: 'OW', value: Buffer.of(0, 10 * (channel + 1), 0, 200) },
  ]);
  // 4 is below the first entry and takes it, 9 is above the last.
  assert.deepEqual(await rendered(imageOf(t, { rows: 1, columns: 4, photometric: 'PALETTE COLOR', more: tables }, Uint8Array.of(4, 5, 6, 9)), 4, 3), [10, 20, 30, 10, 20, 30, 200, 200, 200, 200, 200, 200]);
});

test('what has no pixels, or not those that it says, is not shown, and a sentence says why', async (t) => {
  const { answer } = await renderFrame(task(imageOf(t, { rows: 4, columns: 4 }, new Uint8Array(4))));
  assert.equal(answer.outcome, 'impossible');
  assert.match(answer.text, /does not say how/);
});

test('of a file that changed there is no picture', async (t) => {
  const path = imageOf(t, { rows: 2, columns: 2 }, Uint8Array.of(1, 2, 3, 4));
  const { answer, picture } = await renderFrame(task(path, { sha256: '0'.repeat(64) }));
  assert.equal(answer.outcome, 'changed');
  assert.equal(picture.length, 0);
});

test('a picture fits into what is asked for, in proportion, and is never enlarged', () => {
  assert.deepEqual(fittedSize(512, 256, 128, 128), { width: 128, height: 64 });
  assert.deepEqual(fittedSize(100, 100, 500, 0), { width: 100, height: 100 });
  assert.deepEqual(fittedSize(5000, 2, 100, 100), { width: 100, height: 1 });
  const small = shrink({ width: 4, height: 2, samples: 1, pixels: Uint8Array.of(0, 100, 50, 50, 0, 100, 50, 50) }, 2, 1);
  assert.deepEqual([...small.pixels], [50, 50]);
  assert.deepEqual(samplesOf(encodePNG(small), 2, 1), [50, 50]);
});

test('JPEG is what it says', async (t) => {
  const { answer, picture } = await renderFrame(task(imageOf(t, { rows: 8, columns: 8 }, new Uint8Array(64).fill(7)), { type: 'image/jpeg' }));
  assert.equal(answer.outcome, 'rendered');
  assert.deepEqual([...picture.subarray(0, 3)], [0xff, 0xd8, 0xff]);
});
