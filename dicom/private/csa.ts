/**
 * Siemens' CSA headers: tables of named values that nearly every Siemens MR object carries in (0029,xx10) and (0029,xx20), up to some hundred KiB
 * with the protocol as text. No published standard; described by the NiBabel project from files.
 *
 *   "SV10" 4 bytes      only in the second version
 *   count, 77           32 bit each
 *   for each tag        name 64 bytes, multiplicity 4, VR 4, type 4, items 4, a mark of 77 or 205
 *     for each item     four numbers of 4 bytes, of which one gives the length (in the second version three do, and one is a mark); the bytes, padded to a multiple of 4
 */

import { restFrom, type Range, type VendorRecord } from './record.ts';

export interface CSATag {
  /** Printable ASCII up to its first NUL. */
  readonly name: string;
  /** Values that are not empty. */
  readonly items: readonly Range[];
}

export interface CSAHeader {
  readonly version: 1 | 2;
  readonly tags: readonly CSATag[];
  /** Numbers before items that are not what they are in all others. */
  readonly odd: readonly Range[];
  /** First byte after the last tag. */
  readonly end: number;
}

/** Real headers have about 100 tags ... */
const tagsMax = 1000;
/** ... and at most some hundred items each, most of them empty. */
const itemsMax = 10_000;
const nameBytes = 64;
const tagBytes = 84;
const itemBytes = 16;
const marks: readonly number[] = [77, 205];

/** The header that `bytes` begin with, or null where they are none that can be read to its last tag. Never throws. */
export function readCSA(bytes: Uint8Array): CSAHeader | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const word = (at: number): number => view.getInt32(at, true);
  // "SV10" as a number.
  const version = bytes.length >= 8 && word(0) === 0x30315653 ? 2 : 1;
  let at = version === 2 ? 8 : 0;
  if (at + 8 > bytes.length) return null;
  const count = word(at);
  if (count < 1 || count > tagsMax || !marks.includes(word(at + 4))) return null;
  at += 8;
  const tags: CSATag[] = [];
  const odd: Range[] = [];
  /** In the first version each length is given with this added. */
  let excess = 0;
  for (let number = 0; number < count; number += 1) {
    if (at + tagBytes > bytes.length) return null;
    const name = nameOf(bytes, at);
    const itemCount = word(at + 76);
    if (name === '' || itemCount < 0 || itemCount > itemsMax || !marks.includes(word(at + 80))) return null;
    if (number === 0) excess = itemCount;
    at += tagBytes;
    const items: Range[] = [];
    for (let item = 0; item < itemCount; item += 1) {
      if (at + itemBytes > bytes.length) return null;
      const length = version === 2 ? word(at + 4) : word(at) - excess;
      if (version === 2 && (word(at) !== length || word(at + 12) !== length || !marks.includes(word(at + 8)))) odd.push({ offset: at, length: itemBytes });
      at += itemBytes;
      if (length < 0 || length > bytes.length - at) return null;
      if (length > 0) items.push({ offset: at, length });
      at += Math.ceil(length / 4) * 4;
    }
    tags.push({ name, items });
  }
  return at > bytes.length ? null : { version, tags, odd, end: at };
}

/** The same as every vendor's record is given. What a header has between its items is at most three bytes of padding. */
export function readCSARecord(bytes: Uint8Array): VendorRecord | null {
  const header = readCSA(bytes);
  return header === null ? null : { values: header.tags.flatMap(({ items }) => items), unexplained: [...header.odd, ...restFrom(header.end, bytes.length)] };
}

/** Behind the NUL is whatever the writer's memory held. */
function nameOf(bytes: Uint8Array, at: number): string {
  let name = '';
  for (let index = at; index < at + nameBytes && bytes[index] !== 0; index += 1) {
    if (bytes[index]! < 0x20 || bytes[index]! > 0x7e) return '';
    name += String.fromCharCode(bytes[index]!);
  }
  return name;
}
