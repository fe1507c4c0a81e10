/** Waveforms, spectra and the curves of old: as many bytes as their attributes say (PS3.3 C.10.9, C.8.14.4, C.10.2). */
import { tagText } from '@lazaret/dicom/dictionary/dictionary.ts';
import type { Reading } from './reading.ts';
import { vrCode } from './reading.ts';

const numberBytes = new Map([[vrCode('US'), 2], [vrCode('UL'), 4]]);

/** Value of US or UL, NaN where there is none. */
function unsigned(reading: Reading, index: number): number {
  if (index < 0) return Number.NaN;
  const size = numberBytes.get(reading.mapped.elements.vrs[index]!);
  if (size === undefined || reading.length(index) !== size) return Number.NaN;
  const bytes = reading.bytes(index);
  const view = new DataView(bytes.buffer, bytes.byteOffset, size);
  return size === 2 ? view.getUint16(0, reading.syntax?.littleEndian !== false) : view.getUint32(0, reading.syntax?.littleEndian !== false);
}

function compare(reading: Reading, index: number, name: string, expected: number): void {
  const actual = reading.length(index);
  if (actual === expected || actual === expected + (expected % 2)) return;
  reading.add('signal-length-wrong', index, `${name} take ${expected} bytes; ${actual} are there${actual > expected ? ', and nothing shows the rest' : ''}.`);
}

/** What has no size may have any: then nothing says which bytes are shown. */
function sayUndescribed(reading: Reading, index: number, text: string): void {
  if (reading.length(index) > 0) reading.add('signal-length-wrong', index, text);
}

/** (5400,1010) Waveform Data: channels × samples × bits. */
export function checkWaveform(reading: Reading, index: number): void {
  const sibling = reading.siblings(index);
  const [channels, samples, bits] = [unsigned(reading, sibling(0x003a0005)), unsigned(reading, sibling(0x003a0010)), unsigned(reading, sibling(0x54001004))];
  if (!(channels > 0 && samples > 0 && bits > 0 && bits % 8 === 0 && bits <= 64)) return sayUndescribed(reading, index, 'A waveform does not say how many samples it has.');
  if (reading.length(index) > 0) compare(reading, index, `${channels} channels of ${samples} samples of ${bits} bits`, (channels * samples * bits) / 8);
  // Samples may have fewer bits than room; converters of 12 bits leave the upper ones as they like.
  for (let stored = 1; stored < bits / 8; stored += 1) checkUpperBytes(reading, index, 'the upper bytes of a waveform', bits / 8, stored);
}

/** So many are put together: a program that needs more of them begins before. */
const upperBytesMax = 4 * 1024 * 1024;

/** The bytes of words of `width` above the lowest `stored` ones, put together and looked at as a part, where any is not zero. */
export function checkUpperBytes(reading: Reading, index: number, name: string, width = 2, stored = 1): void {
  const { elements } = reading.mapped;
  const [offset, length] = [elements.valueOffsets[index]!, elements.valueLengths[index]!];
  const count = Math.floor(Math.min(length, 2 * upperBytesMax) / width);
  const words = reading.bytes(index, 0, count * width);
  const littleEndian = reading.syntax?.littleEndian !== false;
  const bytes = new Uint8Array(count * (width - stored));
  let at = 0;
  let any = 0;
  for (let word = 0; word < words.length; word += width) {
    for (let upper = stored; upper < width; upper += 1) {
      const byte = words[littleEndian ? word + upper : word + width - 1 - upper]!;
      any |= byte;
      bytes[at] = byte;
      at += 1;
    }
  }
  if (any !== 0) reading.addPart({ at: { offset, length }, tag: tagText(elements.tags[index]!), name, bytes, numbers: true });
}

/** (5600,0020) Spectroscopy Data: a point of one or two floats for each data point of each voxel of each frame. */
export function checkSpectrum(reading: Reading, index: number): void {
  const sibling = reading.siblings(index);
  const [rows, columns, pointRows, pointColumns] = [0x00280010, 0x00280011, 0x00289001, 0x00289002].map((tag) => unsigned(reading, sibling(tag))) as [number, number, number, number];
  const frames = Number(reading.text(sibling(0x00280008)).trim() || '1');
  const components = reading.text(sibling(0x00289108)).trim() === 'COMPLEX' ? 2 : 1;
  const expected = rows * columns * pointRows * pointColumns * frames * components * 4;
  if (!Number.isFinite(expected)) return sayUndescribed(reading, index, 'A spectrum does not say how many points it has.');
  compare(reading, index, `${frames} frames of ${rows} × ${columns} spectra of ${pointRows} × ${pointColumns} points`, expected);
}

const curveBytes: readonly number[] = [2, 2, 4, 8, 4];

/** (50xx,3000) Curve Data, retired: points × the dimensions that have values. Those that a step describes have none. */
export function checkCurve(reading: Reading, index: number): void {
  const sibling = reading.siblings(index);
  const group = reading.mapped.elements.tags[index]! & 0xffff0000;
  const at = (element: number): number => sibling((group | element) >>> 0);
  const [dimensions, points, kind] = [unsigned(reading, at(0x0005)), unsigned(reading, at(0x0010)), unsigned(reading, at(0x0103))];
  const unit = curveBytes[kind];
  if (unit === undefined || !(dimensions > 0 && points > 0)) return sayUndescribed(reading, index, 'A curve does not say how many points it has.');
  const descriptor = at(0x0110);
  let described = dimensions;
  if (descriptor >= 0 && reading.length(descriptor) === dimensions * 2) {
    described = 0;
    for (let dimension = 0; dimension < dimensions; dimension += 1) if (reading.unsigned16(descriptor, dimension) === 1) described += 1;
  }
  compare(reading, index, `${points} points of a curve of ${described} dimensions`, points * described * unit);
}
