/** Where a byte lies: the element that it belongs to, and whether its value is text. */
import { tagText } from '@lazaret/dicom/dictionary/dictionary.ts';
import { spanKinds, type MappedObject } from '@lazaret/dicom/filemap/contract.ts';
import type { Place } from '../engines/yara.ts';
import type { Part } from './reading.ts';

const encapsulatedDocument = 0x00420011;
const nowhere: Place = { tag: '', region: 'other' };

/** A range of the Data Set (or, `outside`, of the object) as one of the object: what lies inside a deflated Data Set has none of its own. */
export function rangeInObject(mapped: MappedObject, { at, outside = false }: Pick<Part, 'at' | 'outside'>): Part['at'] {
  if (mapped.dataSetSource === mapped.source || outside) return { offset: at.offset, length: at.length };
  return { offset: mapped.dataSetOffset, length: mapped.dataSetLength };
}

/** Of a byte of the object. `documents`: whether its Encapsulated Document is one of those that may hold containers. */
export function placeInObject(mapped: MappedObject, documents = true): (offset: number) => Place {
  const { spans, source, dataSetSource, dataSetOffset } = mapped;
  const ofElement = dataSetSource === source ? placeInDataSet(mapped, documents) : null;
  return (offset) => {
    const row = lastAtOrBefore(spans.offsets, spans.count, offset);
    if (row < 0) return nowhere;
    const tag = spans.tags[row]!;
    const kind = spanKinds[spans.kinds[row]!];
    if (kind !== 'value') return { tag: tag === 0 ? '' : tagText(tag), region: tag === encapsulatedDocument && documents ? 'document' : 'other' };
    // Numbers are values, too, and no text.
    return ofElement !== null && offset >= dataSetOffset ? ofElement(offset) : { tag: tagText(tag), region: 'text' };
  };
}

const textVRs: ReadonlySet<number> = new Set(['AE', 'AS', 'CS', 'DA', 'DS', 'DT', 'IS', 'LO', 'LT', 'PN', 'SH', 'ST', 'TM', 'UC', 'UI', 'UR', 'UT'].map((vr) => (vr.charCodeAt(0) << 8) | vr.charCodeAt(1)));

/** Of a byte of the inflated Data Set. The offsets that findings carry are those of the deflate stream: inside it there are none. */
export function placeInDataSet(mapped: MappedObject, documents = true): (offset: number) => Place {
  const { elements } = mapped;
  // Elements of the File Meta Information have offsets of the object, not of the Data Set.
  let first = 0;
  while (first < elements.count && elements.tags[first]! <= 0x0002ffff) first += 1;
  const headers = elements.headerOffsets.subarray(first, elements.count);
  return (offset) => {
    const row = lastAtOrBefore(headers, headers.length, offset);
    if (row < 0) return nowhere;
    const index = first + row;
    const tag = elements.tags[index]!;
    const isPrivate = ((tag >>> 16) & 1) === 1;
    return { tag: tagText(tag), region: tag === encapsulatedDocument && documents ? 'document' : !isPrivate && textVRs.has(elements.vrs[index]!) ? 'text' : 'other' };
  };
}

function lastAtOrBefore(offsets: Float64Array, count: number, offset: number): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (offsets[middle]! <= offset) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
