/**
 * Everything of the Data Set but its pixels, looked at from the first byte to the last: programs at any position, and what values begin as. What is
 * concealed further in is contentconcealed.ts's. A creator that nobody knows holds no object, since a third of all objects has private elements; what it may not
 * hold is anything that runs.
 *
 * Top-level Pixel Data is not among it: its length is exact or its codestreams are walked, and the rule pack looks at all of it.
 */
import { tagText } from '@lazaret/dicom/dictionary/dictionary.ts';
import { leavesOf, type Leaf } from '@lazaret/dicom/private/nested.ts';
import { packedBytesMin } from './concealed.ts';
import { beginsPacked, headerlessBytesMin, mayBeDeflate, unpackStart } from './contentbulkpacked.ts';
import { isDOSProgram, programBytes, programOverlapBytes, programsIn } from './contentbulkprogram.ts';
import { checkValueStart } from './contentmagic.ts';
import { besideElement, besideLeaf, checkPrivateValue, isPrivate } from './contentprivate.ts';
import type { Beside, ValuePlace } from './contentprivatevalue.ts';
import { readBytesMax } from './filesource.ts';
import { Budget } from './inside/contract.ts';
import { placeInDataSet } from './place.ts';
import { Reading, vrCode } from './reading.ts';

/** Windows of the search for programs, with their overlap: as much as a source reads without asking for memory. */
const searchBytes = 1024 * 1024;
/** Of a value that is longer than one read: what it begins as. */
const valueWindowBytes = 32 * 1024 * 1024;

/** Shorter values are only looked at where they begin as something does: objects have thousands of them. */
const longBytesMin = 160;

/** What the records of vendors may be unpacked to in all: a protocol is some 100 KiB, an exam card some MiB. */
const recordsBytesMax = 64 * 1024 * 1024;

const opaque: ReadonlySet<number> = new Set(['OB', 'OW', 'OD', 'OF', 'OL', 'OV', 'UN'].map(vrCode));
const sequence = vrCode('SQ');
const unknown = vrCode('UN');
const encapsulatedDocument = 0x00420011;

export function checkBulk(reading: Reading): void {
  searchPrograms(reading);
  const { elements, pixelData, dataSetSource, dataSetOffset } = reading.mapped;
  const budget = new Budget({ bytes: recordsBytesMax });
  let isMeta = true;
  for (let index = 0; index < elements.count; index += 1) {
    const length = elements.valueLengths[index]!;
    const tag = elements.tags[index]!;
    const vr = elements.vrs[index]!;
    // Group 2 in the Data Set is forbidden, and held; its offsets may be those of an inflated one.
    isMeta &&= tag < 0x00030000 && elements.valueOffsets[index]! + length <= dataSetOffset;
    const ofVendor = isPrivate(tag);
    // Long values are looked into whatever their VR says that they are.
    if (length < packedBytesMin || (length < headerlessBytesMin && !ofVendor && !opaque.has(vr))) continue;
    if (vr === sequence || tag === encapsulatedDocument) continue;
    if (tag < 0x00030000 && isMeta) {
      checkMetaStart(reading, index);
      continue;
    }
    if (index === pixelData) {
      // Fragments are walked; other pixels may begin as anything, too.
      if (reading.mapped.fragments === null) checkPixelsStart(reading, { tag, offset: elements.valueOffsets[index]!, length });
      continue;
    }
    // A sequence of undefined length was read by the reader, whatever VR it was declared as.
    if (index + 1 < elements.count && elements.parents[index + 1] === index) continue;
    const offset = elements.valueOffsets[index]!;
    if (ofVendor) checkRecord(reading, { tag, offset, length }, besideElement(reading, index), budget);
    if (length < longBytesMin && !isRemarkable(dataSetSource.read(offset, length))) continue;
    checkValue(reading, { tag, offset, length });
    if (vr === unknown) checkNested(reading, offset, length, budget);
  }
}

/** File Meta Information lies in the object, and most of it stays as it is. */
function checkMetaStart(reading: Reading, index: number): void {
  const { elements, source } = reading.mapped;
  const [offset, length] = [elements.valueOffsets[index]!, elements.valueLengths[index]!];
  const value = source.read(offset, Math.min(length, readBytesMax));
  if (isRemarkable(value)) unpackStart(reading, value, { at: { offset, length }, tag: tagText(elements.tags[index]!), outside: true, depth: 0 }, length <= readBytesMax);
}

/** A short value is looked into only where something begins in it that could be unpacked. */
function isRemarkable(value: Uint8Array): boolean {
  return beginsPacked(value, 0) || beginsPacked(value, 4) || (value[0] === 0x4d && value[1] === 0x5a) || beginsItems(value) || mayBeDeflate(value);
}

function beginsItems(start: Uint8Array): boolean {
  return start[0] === 0xfe && start[1] === 0xff && start[2] === 0x00 && start[3] === 0xe0;
}

/** Programs anywhere between the first element and the last, also where one lies over the borders of values. */
function searchPrograms(reading: Reading): void {
  const { dataSetSource } = reading.mapped;
  const place = placeInDataSet(reading.mapped);
  const step = searchBytes - programOverlapBytes;
  for (const [start, end] of rangesBesidePixels(reading)) {
    for (let from = start; from < end; from += step) {
      const view = dataSetSource.read(from, Math.min(end - from, searchBytes));
      for (const program of programsIn(view, step)) {
        reading.addAt('executable-content', from + program.at, programBytes, place(from + program.at).tag, `The value holds ${program.name}.`, true);
      }
    }
  }
}

/** Of the Data Set, as offsets of its source. */
export function rangesBesidePixels(reading: Reading): [start: number, end: number][] {
  const { elements, pixelData, dataSetSource, source, dataSetOffset, dataSetLength } = reading.mapped;
  const isInflated = dataSetSource !== source;
  const start = isInflated ? 0 : dataSetOffset;
  const end = isInflated ? dataSetSource.length : dataSetOffset + dataSetLength;
  if (pixelData < 0) return [[start, end]];
  const pixels = elements.valueOffsets[pixelData]!;
  return [[start, pixels], [pixels + elements.valueLengths[pixelData]!, end]];
}

/** UN of defined length whose value is Items: Implicit VR Little Endian inside (PS3.5 §6.2.2 note). Each value in it starts where one does. */
function checkNested(reading: Reading, offset: number, length: number, budget: Budget): void {
  const { dataSetSource } = reading.mapped;
  if (length > readBytesMax || !beginsItems(dataSetSource.read(offset, 4))) return;
  const leaves = leavesOf(dataSetSource.read(offset, length)) ?? [];
  const items = new Map<number, Map<number, Leaf>>();
  for (const leaf of leaves) items.set(leaf.item, (items.get(leaf.item) ?? new Map<number, Leaf>()).set(leaf.tag, leaf));
  for (const leaf of leaves) {
    if (isPrivate(leaf.tag)) checkRecord(reading, { ...leaf, offset: offset + leaf.offset }, besideLeaf(reading, offset, items.get(leaf.item)!), budget);
  }
  checkInside(reading, offset, leaves);
}

/** A record of a vendor, and the values in it. */
function checkRecord(reading: Reading, place: ValuePlace, beside: Beside, budget: Budget): void {
  checkInside(reading, place.offset, checkPrivateValue(reading, place, beside, budget).map((range) => ({ ...range, tag: place.tag })));
}

/** Values inside of the value at `offset`, by their places in it. */
function checkInside(reading: Reading, offset: number, leaves: readonly ValuePlace[]): void {
  const { dataSetSource } = reading.mapped;
  for (const leaf of leaves) {
    if (leaf.length < packedBytesMin) continue;
    const start = dataSetSource.read(offset + leaf.offset, Math.min(leaf.length, longBytesMin));
    checkValueStart(reading, start, leaf.tag, offset + leaf.offset, leaf.length);
    if (leaf.length >= longBytesMin || isRemarkable(start)) checkValue(reading, { ...leaf, offset: offset + leaf.offset });
  }
}

/** A program whose bytes are those of an image begins where it does; further in the rule pack looks. */
function checkPixelsStart(reading: Reading, place: ValuePlace): void {
  const { tag, offset, length } = place;
  const start = reading.mapped.dataSetSource.read(offset, Math.min(length, programOverlapBytes));
  checkValueStart(reading, start, tag, offset, length);
  for (const program of programsIn(start, 1)) reading.addAt('executable-content', offset, programBytes, tagText(tag), `The pixels are ${program.name}.`, true);
  checkValue(reading, place);
}

function checkValue(reading: Reading, { tag, offset, length }: ValuePlace): void {
  const { dataSetSource } = reading.mapped;
  const whole = length <= readBytesMax;
  const place = { at: { offset, length }, tag: tagText(tag), depth: 0 };
  const view = dataSetSource.read(offset, whole ? length : valueWindowBytes);
  if (isDOSProgram(view)) reading.addAt('executable-content', offset, length, place.tag, 'The value begins as a DOS program does.', true);
  unpackStart(reading, view, place, whole);
}
