/**
 * DICOMDIR (PS3.3 Annex F, PS3.10 §8): a directory that climbs out of its medium or points in circles is not sound. Lazaret itself opens no file by
 * what a directory says; lower case and long names are common on real media and do no harm.
 */
import type { Reading } from './reading.ts';

const tags = { firstRecord: 0x00041200, lastRecord: 0x00041202, nextRecord: 0x00041400, fileID: 0x00041500, lowerRecord: 0x00041420, records: 0x00041220 } as const;

export function checkDirectory(reading: Reading): void {
  const sequence = reading.top(tags.records);
  if (sequence < 0) return;
  const { elements } = reading.mapped;
  /** Offset of each record's item in the file, which is what records point to each other by. */
  const records = new Map<number, { next: number; lower: number }>();
  let current: { next: number; lower: number } | null = null;
  let item = -1;
  for (let index = sequence + 1; index < elements.count && elements.depths[index]! > elements.depths[sequence]!; index += 1) {
    if (elements.parents[index] !== sequence) continue;
    if (elements.items[index] !== item) {
      item = elements.items[index]!;
      current = { next: 0, lower: 0 };
      records.set(elements.headerOffsets[index]! - 8, current);
    }
    const tag = elements.tags[index];
    if (tag === tags.nextRecord) current!.next = unsigned32(reading, index);
    else if (tag === tags.lowerRecord) current!.lower = unsigned32(reading, index);
    else if (tag === tags.fileID) checkFileID(reading, index);
  }
  checkRecords(reading, sequence, records);
}

function unsigned32(reading: Reading, index: number): number {
  if (reading.length(index) !== 4) return 0;
  const bytes = reading.bytes(index);
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, reading.syntax?.littleEndian !== false);
}

/** Windows opens the device whatever folder it is asked for in. */
const devices = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i;

/** PS3.10 §8.2: up to eight components, each a plain name. */
function checkFileID(reading: Reading, index: number): void {
  const components = reading.text(index).split('\\').map((component) => component.trim());
  const wrong = components.some((component) => component === '.' || component === '..' || component === '' || /[/:*?"<>|\0-\x1f]/.test(component) || devices.test(component));
  if (components.join('') !== '' && wrong) reading.add('directory-invalid', index, 'A Referenced File ID is not a plain path inside the medium.');
}

/** Each record that is pointed to exists, and is pointed to once. */
function checkRecords(reading: Reading, sequence: number, records: ReadonlyMap<number, { readonly next: number; readonly lower: number }>): void {
  const seen = new Set<number>();
  const first = reading.top(tags.firstRecord);
  const pointers = first < 0 ? [] : [unsigned32(reading, first)];
  for (const { next, lower } of records.values()) pointers.push(next, lower);
  for (const pointer of pointers) {
    if (pointer === 0) continue;
    if (!records.has(pointer)) {
      reading.add('directory-invalid', sequence, 'A record points to a place where no record is.');
      return;
    }
    if (seen.has(pointer)) {
      reading.add('directory-invalid', sequence, 'Two records point to the same one: the directory runs in a circle or has two branches in one.');
      return;
    }
    seen.add(pointer);
  }
}
