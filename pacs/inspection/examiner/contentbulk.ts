/**
 * Opaque values, looked at from the first byte to the last: programs at any position, and what is packed or written in another alphabet. A creator
 * that nobody knows holds no object, since a third of all objects has private elements; what it may not hold is anything that runs.
 *
 * Top-level Pixel Data is not among them: its length is exact and the rule pack looks at all of it. Encapsulated documents have rules of their own.
 */
import { tagText } from '@lazaret/dicom/dictionary/dictionary.ts';
import { leavesOf } from '@lazaret/dicom/private/nested.ts';
import { unpack } from './contentbulkpacked.ts';
import { isDOSProgram, programBytes, programOverlapBytes, programsIn } from './contentbulkprogram.ts';
import { checkValueStart } from './contentmagic.ts';
import { checkPrivateValue, isPrivate } from './contentprivate.ts';
import { readBytesMax } from './filesource.ts';
import { Reading, vrCode } from './reading.ts';

/** The smallest program that any system starts has 45 bytes, and its header is looked for with the 64 that its kind has. */
const valueBytesMin = 40;
/** Windows of what is longer than one read. */
const windowBytes = 32 * 1024 * 1024;

const opaque: ReadonlySet<number> = new Set(['OB', 'OW', 'OD', 'OF', 'OL', 'OV', 'UN'].map(vrCode));
/** Texts without a limit of their own; the others are too short or have a grammar of digits. */
const texts: ReadonlySet<number> = new Set(['LT', 'ST', 'UC', 'UR', 'UT'].map(vrCode));
const sequence = vrCode('SQ');
const unknown = vrCode('UN');
const encapsulatedDocument = 0x00420011;

export function checkBulk(reading: Reading): void {
  const { elements, pixelData } = reading.mapped;
  for (let index = 0; index < elements.count; index += 1) {
    const length = elements.valueLengths[index]!;
    if (length < valueBytesMin) continue;
    const tag = elements.tags[index]!;
    const vr = elements.vrs[index]!;
    if (vr === sequence || index === pixelData || tag === encapsulatedDocument || tag < 0x00030000) continue;
    if (!isPrivate(tag) && !opaque.has(vr) && !texts.has(vr)) continue;
    // A sequence of undefined length was read by the reader, whatever VR it was declared as.
    if (index + 1 < elements.count && elements.parents[index + 1] === index) continue;
    const offset = elements.valueOffsets[index]!;
    if (isPrivate(tag)) checkPrivateValue(reading, index);
    checkValue(reading, { tag, offset, length });
    if (vr === unknown) checkNested(reading, offset, length);
  }
}

/** UN of defined length whose value is Items: Implicit VR Little Endian inside (PS3.5 §6.2.2 note). Each value in it starts where one does. */
function checkNested(reading: Reading, offset: number, length: number): void {
  if (length > readBytesMax) return;
  const { dataSetSource } = reading.mapped;
  const start = dataSetSource.read(offset, 4);
  if (start[0] !== 0xfe || start[1] !== 0xff || start[2] !== 0x00 || start[3] !== 0xe0) return;
  for (const leaf of leavesOf(dataSetSource.read(offset, length)) ?? []) {
    if (leaf.length < 4) continue;
    const bytes = dataSetSource.read(offset + leaf.offset, leaf.length);
    checkValueStart(reading, bytes, leaf.tag, offset + leaf.offset, leaf.length);
    if (leaf.length >= valueBytesMin) unpack(reading, bytes, { at: { offset: offset + leaf.offset, length: leaf.length }, tag: tagText(leaf.tag), depth: 0 }, { first: true, whole: true });
  }
}

function checkValue(reading: Reading, { tag, offset, length }: { readonly tag: number; readonly offset: number; readonly length: number }): void {
  if (length < valueBytesMin) return;
  const { dataSetSource } = reading.mapped;
  const whole = length <= readBytesMax;
  const step = whole ? length : windowBytes;
  const place = { at: { offset, length }, tag: tagText(tag), depth: 0 };
  for (let from = 0; from < length; from += step) {
    const view = dataSetSource.read(offset + from, Math.min(length - from, whole ? length : windowBytes + programOverlapBytes));
    if (from === 0 && isDOSProgram(view)) reading.addAt('executable-content', offset, length, place.tag, 'The value begins as a DOS program does.', true);
    for (const program of programsIn(view, step)) {
      reading.addAt('executable-content', offset + from + program.at, programBytes, place.tag, `The value holds ${program.name}.`, true);
    }
    unpack(reading, view, place, { first: from === 0, whole });
  }
}
