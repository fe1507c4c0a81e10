import { spanKinds, type SpanTable } from './contract.ts';

/**
 * The invariant of the file map, to be checked by whoever receives one from a process it does not trust: spans are sorted,
 * have no gap and no overlap, sum to the length of the object, and their kinds are known.
 * Returns null, or one sentence about the first span that breaks it.
 */
export function checkSpans(spans: SpanTable, length: number): string | null {
  const { count, offsets, lengths, kinds, tags, depths } = spans;
  if (!Number.isSafeInteger(count) || count < 0) return `span count ${count} is not a count`;
  if (offsets.length !== count || lengths.length !== count || kinds.length !== count || tags.length !== count || depths.length !== count) return `span columns do not all have ${count} rows`;
  let end = 0;
  for (let row = 0; row < count; row += 1) {
    const offset = offsets[row] ?? Number.NaN;
    const spanLength = lengths[row] ?? Number.NaN;
    if (!Number.isSafeInteger(spanLength) || spanLength <= 0) return `span ${row} at ${offset} has length ${spanLength}`;
    if (offset > end) return `span ${row} starts at ${offset} and leaves a gap after ${end}`;
    if (offset !== end) return `span ${row} starts at ${offset} and overlaps what ends at ${end}`;
    if ((kinds[row] ?? 0xff) >= spanKinds.length) return `span ${row} has no known kind`;
    end = offset + spanLength;
    if (end > length) return `span ${row} ends at ${end}, past the object's ${length} bytes`;
  }
  if (end !== length) return `spans end at ${end}, the object at ${length}`;
  return null;
}
