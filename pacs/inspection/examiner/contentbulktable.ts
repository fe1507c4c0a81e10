/** Tables that are little languages of their own, read to their end: segmented palettes (PS3.3 C.7.9.2) and ICC profiles (ISO 15076-1). */
import type { Reading } from './reading.ts';

/** A palette has at most so many entries (PS3.3 C.7.6.3.1.5). */
const entriesMax = 65536;
/** Profiles of monitors have some KiB, those of scanners with big tables up to 2 MiB. */
const profileBytesMax = 64 * 1024 * 1024;
/** ICC tag signatures that exist are about 60; private ones make a few more. */
const profileTagsMax = 1000;
/** Between and after the data of the tags; writers align to 4 and leave some room. */
const profileGapBytesMax = 1024;

/** Segments of a palette: discrete ones bring their entries, linear ones an end, indirect ones name earlier ones. */
export function checkSegmentedPalette(reading: Reading, index: number, descriptor: number): void {
  const length = reading.length(index);
  if (length === 0 || reading.length(descriptor) !== 6) return;
  const entries = reading.unsigned16(descriptor, 0) || entriesMax;
  const bits = reading.unsigned16(descriptor, 2);
  if (length > entriesMax * 8) {
    reading.add('table-length-wrong', index, `A segmented table of ${length} bytes is larger than any.`);
    return;
  }
  const bytes = reading.bytes(index);
  const wide = expandedEntries(bytes, 2, reading.syntax?.littleEndian !== false);
  // Tables of 8 bits may have segments of bytes.
  const found = wide === entries || bits > 8 ? wide : expandedEntries(bytes, 1, true);
  if (found !== entries) reading.add('table-length-wrong', index, found < 0 ? 'A segmented table is not made of segments to its end.' : `The segments of a table make ${found} entries; ${entries} are declared.`);
}

/** How many entries the segments make, or -1 where they are not whole. */
function expandedEntries(bytes: Uint8Array, unit: 1 | 2, littleEndian: boolean): number {
  const words = bytes.length / unit;
  const word = (at: number): number => (unit === 1 ? bytes[at]! : littleEndian ? bytes[at * 2]! | (bytes[at * 2 + 1]! << 8) : (bytes[at * 2]! << 8) | bytes[at * 2 + 1]!);
  /** Where a segment begins, as a byte, → its number; and how many entries those before it make. */
  const starts = new Map<number, number>();
  const before: number[] = [];
  let total = 0;
  let at = 0;
  while (at < words) {
    // A pad byte, or a word of zeros where a byte would do.
    if (at >= words - 1 && word(at) === 0) break;
    if (at + 2 > words) return -1;
    const start = at;
    const [opcode, count] = [word(at), word(at + 1)];
    let entries = count;
    if (opcode === 0) at += 2 + count;
    else if (opcode === 1 && before.length > 0) at += 3;
    else if (opcode === 2) {
      if (at + 4 > words) return -1;
      const offset = unit === 2 ? (word(at + 2) | (word(at + 3) << 16)) >>> 0 : word(at + 2) | (word(at + 3) << 8);
      const first = starts.get(offset);
      if (first === undefined || first + count > before.length) return -1;
      entries = (before[first + count] ?? total) - before[first]!;
      at += 4;
    } else return -1;
    if (at > words) return -1;
    starts.set(start * unit, before.length);
    before.push(total);
    total += entries;
    if (total > entriesMax) return total;
  }
  return total;
}

/** The header, the tag table and the data of the tags make up the whole of a profile. */
export function checkProfile(reading: Reading, index: number): void {
  const length = reading.length(index);
  if (length === 0) return;
  const wrong = length > profileBytesMax ? `it has ${length} bytes` : profileProblem(reading.bytes(index));
  if (wrong !== null) reading.add('profile-invalid', index, `The colour profile is none: ${wrong}.`);
}

function profileProblem(bytes: Uint8Array): string | null {
  if (bytes.length < 132) return `it has ${bytes.length} bytes`;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  // "acsp"
  if (view.getUint32(36) !== 0x61637370) return 'its signature is missing';
  const size = view.getUint32(0);
  const count = view.getUint32(128);
  if (size > bytes.length || size < 132) return `it says that it has ${size} bytes; ${bytes.length} are there`;
  if (count > profileTagsMax || 132 + count * 12 > size) return `it says that it has ${count} tags`;
  const ranges: [number, number][] = [[0, 132 + count * 12]];
  for (let tag = 0; tag < count; tag += 1) {
    const offset = view.getUint32(132 + tag * 12 + 4);
    const end = offset + view.getUint32(132 + tag * 12 + 8);
    if (end > size) return 'a tag points beyond its end';
    ranges.push([offset, end]);
  }
  ranges.sort(([one], [other]) => one - other);
  let covered = 0;
  let unexplained = 0;
  for (const [start, end] of [...ranges, [bytes.length, bytes.length] as const]) {
    for (let at = covered; at < start; at += 1) if (bytes[at] !== 0) unexplained += 1;
    covered = Math.max(covered, end);
  }
  return unexplained > profileGapBytesMax ? `${unexplained} bytes belong to none of its tags` : null;
}
