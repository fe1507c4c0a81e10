/** The elements of a Data Set at its top level, as ranges of what they are read from. */
import { kindOf } from '../filemap/columns.ts';
import type { MappedObject } from '../filemap/contract.ts';
import type { Values } from './values.ts';

export interface TopElement {
  readonly row: number;
  readonly tag: number;
  /** From its header to the next element. */
  readonly start: number;
  readonly end: number;
}

/** Of the last element, in what its offset is in. */
export function endOf({ dataSetSource, source, dataSetOffset, dataSetLength, dataSetSpans }: MappedObject): number {
  if (dataSetSource === source) return dataSetOffset + dataSetLength;
  const { count = 0, kinds, offsets } = dataSetSpans ?? {};
  let end = dataSetSource.length;
  for (let row = count - 1; row >= 0 && (kinds![row] === kindOf.padding || kinds![row] === kindOf.trailing); row -= 1) end = offsets![row]!;
  return end;
}

/** In the order in which they stand, up to `end`. */
export function topElements(values: Values, end: number): readonly TopElement[] {
  const { count, tags, depths, headerOffsets } = values.mapped.elements;
  const top: { row: number; tag: number; start: number; end: number }[] = [];
  for (let row = values.metaRows; row < count; row += 1) {
    const start = headerOffsets[row]!;
    if (depths[row] !== 0 || start >= end) continue;
    const before = top.at(-1);
    if (before !== undefined) before.end = start;
    top.push({ row, tag: tags[row]!, start, end });
  }
  return top;
}
