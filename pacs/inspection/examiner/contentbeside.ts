/**
 * Everything of the Data Set but its pixels, searched for what is too costly to look for among them (pieces.ts); and, in big endian objects, words as they stand
 * once somebody has turned them to little endian.
 */
import { rangesBesidePixels } from './contentbulk.ts';
import { addFound, roomOf } from './contentbulkpacked.ts';
import { followsKeyword } from './contentconcealed.ts';
import { declaredIn, documentTags, isStructured } from './inside/document.ts';
import { pairsIn, Pieces, smallWindowsIn } from './pieces.ts';
import { placeInDataSet } from './place.ts';
import { vrCode, type Part, type Reading } from './reading.ts';

/** What begins in a window and is no longer than this is seen whole. */
const overlapBytes = 64 * 1024;
/** With its overlap as much as a source reads without asking for memory. */
const windowBytes = 1024 * 1024 - overlapBytes;
/** Shorter values are numbers and names. */
const wordsBytesMin = 128;

export function* concealedBesidePixels(reading: Reading): Generator<Part, void, void> {
  const { dataSetSource } = reading.mapped;
  const gathered = new Pieces();
  const place = placeInDataSet(reading.mapped);
  const placeOf = (offset: number): Pick<Part, 'at' | 'tag' | 'outside'> => ({ at: { offset, length: 1 }, tag: place(offset).tag, outside: false });
  for (const { start, end, isDocument } of rangesOf(reading)) {
    for (let from = start; from < end; from += windowBytes) {
      const read = dataSetSource.read(from, Math.min(end - from, windowBytes + overlapBytes));
      const view = Buffer.from(read.buffer, read.byteOffset, read.length);
      for (const found of smallWindowsIn(view, () => roomOf(reading), Math.min(end - from, windowBytes))) {
        const offset = from + (found === 'limit' ? 0 : found.at);
        if (reading.isUnpacked(offset, false) || (isDocument && found !== 'limit' && followsKeyword(view, found.at))) continue;
        addFound(reading, { ...placeOf(offset), depth: 0 }, found === 'limit' ? found : { ...found, name: `${found.name} at byte ${offset}` });
      }
      if (isDocument) continue;
      const window = view.subarray(0, windowBytes);
      gathered.add(window, from);
      for (const found of pairsIn(window)) yield { ...placeOf(from + found.at), name: `${found.name} from byte ${from + found.at} on`, bytes: found.bytes, guessed: true };
    }
  }
  for (const found of gathered.readings()) yield { ...placeOf(found.at), name: found.name, bytes: found.bytes, guessed: true };
  yield* words(reading);
}

/** Text of a document that is taken apart by its own grammar comes in parts; a packed stream where it has none is no part of it. */
function* rangesOf(reading: Reading): Generator<{ readonly start: number; readonly end: number; readonly isDocument: boolean }> {
  const document = isStructured(declaredIn(reading)) ? reading.top(documentTags.document) : -1;
  for (const [start, end] of rangesBesidePixels(reading)) {
    const { valueOffsets, valueLengths } = reading.mapped.elements;
    const [from, to] = document < 0 ? [end, end] : [valueOffsets[document]!, valueOffsets[document]! + valueLengths[document]!];
    if (from < start || from >= end) yield { start, end, isDocument: false };
    else yield* [{ start, end: from, isDocument: false }, { start: from, end: to, isDocument: true }, { start: to, end, isDocument: false }];
  }
}

const wordVRs: ReadonlySet<number> = new Set(['OW', 'OL', 'OF', 'OD', 'OV', 'UN'].map(vrCode));

/** Values of words in a big endian object, each two bytes exchanged. */
function* words(reading: Reading): Generator<Part, void, void> {
  if (reading.syntax?.littleEndian !== false) return;
  const { elements, dataSetSource } = reading.mapped;
  const place = placeInDataSet(reading.mapped);
  for (let index = 0; index < elements.count; index += 1) {
    const [offset, length] = [elements.valueOffsets[index]!, elements.valueLengths[index]!];
    if (!wordVRs.has(elements.vrs[index]!) || length < wordsBytesMin) continue;
    for (let from = 0; from < length; from += windowBytes) {
      const view = dataSetSource.read(offset + from, Math.min(length - from, windowBytes + overlapBytes));
      const bytes = Buffer.from(view.subarray(0, view.length - (view.length % 2))).swap16();
      yield { name: `words from byte ${offset + from} on in little endian`, bytes, at: { offset, length }, tag: place(offset).tag, guessed: true };
    }
  }
}
