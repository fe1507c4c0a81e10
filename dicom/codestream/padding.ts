/** What may follow the last byte that a decoder takes: padding, and nothing else. */
import type { Notes } from './contract.ts';
import type { Stream } from './stream.ts';

/**
 * PS3.5 A.4 asks for one byte at most, to make the fragment even. Writers of blocks leave up to a few hundred; they are of one value
 * throughout, so that nothing can be said with them but their number.
 */
const paddingBytesMax = 4096;

/** Notes what follows `end` where it is no padding: zeros, or FF, which T.81 §B.1.1.2 permits before a marker and some writers put after the last. */
export function checkPadding(stream: Stream, end: number, notes: Notes): void {
  const left = stream.length - end;
  if (left <= 0) return;
  const value = stream.byte(end);
  // An end marker whose stream had an odd length is followed by what the writer had in its buffer: one byte says nothing.
  const padded = left === 1 || ((value === 0 || value === 0xff) && stream.skip(value, end, stream.length) === stream.length);
  if (!padded) notes.extra(end, left, `${left} bytes follow its end that no decoder looks at`);
  else if (left > paddingBytesMax) notes.extra(end, left, `${left} bytes of padding follow its end`);
}
