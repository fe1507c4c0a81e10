/**
 * What is concealed anywhere in an object, pixels included: the whole Data Set and the File Meta Information go by in windows. What is packed becomes a part of
 * the object; texts of a few characters are given out to be looked at and forgotten, since an image may hold megabytes that read as such by chance.
 */
import { declaredIn, isStructured } from './inside/document.ts';
import { placeInDataSet, placeInObject } from './place.ts';
import { addFound, roomOf } from './contentbulkpacked.ts';
import { concealedIn } from './concealed.ts';
import type { Part, Reading } from './reading.ts';
import type { UnpackedFrame } from './unpackedframes.ts';
import { storedBitsOf, unusedBits } from './unusedbits.ts';

const windowBytes = 8 * 1024 * 1024;
/** What begins in a window and is no longer than this is seen whole. */
const overlapBytes = 64 * 1024;
const encapsulatedDocument = '(0042,0011)';

export function* concealedParts(reading: Reading): Generator<Part, void, void> {
  const { source, dataSetSource, dataSetOffset, dataSetLength, meta } = reading.mapped;
  const isInflated = dataSetSource !== source;
  if (meta !== null) yield* inRange(reading, source, 0, dataSetOffset, true);
  yield* inRange(reading, dataSetSource, isInflated ? 0 : dataSetOffset, isInflated ? dataSetSource.length : dataSetOffset + dataSetLength, false);
}

/** The same for a frame that was unpacked. */
export function* concealedInFrame(reading: Reading, frame: UnpackedFrame): Generator<Part, void, void> {
  const bytes = Buffer.from(frame.bytes.buffer, frame.bytes.byteOffset, frame.bytes.length);
  const place = { at: frame.at, tag: '(7FE0,0010)', outside: false, depth: 0 };
  for (const found of concealedIn(bytes, { room: () => roomOf(reading), from: 0, end: bytes.length, more: false })) {
    if (found === 'limit') addFound(reading, place, found);
    else if (!found.loose) addFound(reading, place, { ...found, name: `${found.name} at byte ${found.at} of frame ${frame.number} once it is unpacked` });
    else yield { ...place, name: `${found.name} in frame ${frame.number}`, bytes: found.bytes, guessed: true };
  }
}

/** What stands in the bits of such a frame that nobody shows. */
export function* unusedInFrame(reading: Reading, frame: UnpackedFrame, bitsAllocated: number): Generator<Part, void, void> {
  for (const bytes of unusedBits(frame, storedBitsOf(reading, (tag) => reading.top(tag), bitsAllocated))) {
    yield { name: `the unused bits of frame ${frame.number}`, bytes, at: frame.at, tag: '(7FE0,0010)', guessed: true };
  }
}

function* inRange(reading: Reading, source: Reading['mapped']['source'], start: number, end: number, outside: boolean): Generator<Part, void, void> {
  const isOpened = isStructured(declaredIn(reading));
  const placeOf = outside ? placeInObject(reading.mapped) : placeInDataSet(reading.mapped);
  for (let from = start; from < end; from += windowBytes) {
    const length = Math.min(end - from, windowBytes + overlapBytes);
    const view = source.read(from, length);
    const more = from + length < end;
    for (const found of concealedIn(Buffer.from(view.buffer, view.byteOffset, view.length), { room: () => roomOf(reading), from: 0, end: more ? windowBytes : length, more })) {
      const offset = from + (found === 'limit' ? 0 : found.at);
      if (found !== 'limit' && !found.loose && reading.isUnpacked(offset, outside)) continue;
      const { tag } = placeOf(offset);
      const place = { at: { offset, length: found === 'limit' ? length : 1 }, tag, outside, depth: 0 };
      // What a document's own grammar takes apart comes in parts; a stream where it has none is no part of it.
      if (isOpened && tag === encapsulatedDocument && found !== 'limit' && (!found.packed || followsKeyword(view, found.at))) continue;
      if (found === 'limit') addFound(reading, place, found);
      else if (!found.loose) addFound(reading, place, { ...found, name: `${found.name} at byte ${offset}` });
      else yield { ...place, name: `${found.name} from byte ${offset} on`, bytes: found.bytes, guessed: true };
    }
  }
}

/** PDF: the data of a stream begins behind its keyword and a line end (ISO 32000-1 §7.3.8.1). */
export function followsKeyword(view: Uint8Array, at: number): boolean {
  return /stream(?:\r\n|\n|\r)$/.test(Buffer.from(view.buffer, view.byteOffset, at).toString('latin1', Math.max(0, at - 8)));
}
