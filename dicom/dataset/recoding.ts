/**
 * All texts of an object in UTF-8, where a local identity cannot be written in the set that they are in: the bytes of each text that is not the same in UTF-8, and the
 * lengths of what it is in (PS3.5 §6.1, §7.1, §7.5).
 */
import type { MappedObject } from '../filemap/contract.ts';
import { lengthBytes } from './elementbytes.ts';
import { specificCharacterSetTag } from './identity.ts';
import type { Values } from './values.ts';

/** Longer text is not written anew: DICOM JSON would tell it as a range of the object. */
const textBytesMax = 64 * 1024;
/** A value with a length of 16 bits is no longer. */
const shortLengthMax = 0xfffe;

export interface Recoded {
  readonly offset: number;
  readonly length: number;
  readonly bytes: Uint8Array;
  /** Of the element at the top level that it is in. */
  readonly tag: number;
}

/**
 * Ranges of the Data Set with other bytes, none where all is the same in UTF-8; null where a text cannot be written anew without doubt. Left out are the elements
 * `except` at the top level, and Items with a Specific Character Set of their own, which do not depend on that of the object (PS3.5 §6.1.2.4).
 */
export function recoded(values: Values, except: ReadonlySet<number>): readonly Recoded[] | null {
  const { count, tags, depths, parents, items, valueOffsets, valueLengths } = values.mapped.elements;
  const own = new Set<string>();
  for (let row = values.metaRows; row < count; row += 1) if (depths[row]! > 0 && tags[row] === specificCharacterSetTag) own.add(`${parents[row]} ${items[row]}`);
  const changes: Recoded[] = [];
  const lengths = new Lengths(values);
  let top = 0;
  let grouped = false;
  for (let row = values.metaRows; row < count; row += 1) {
    if (depths[row] === 0) top = tags[row]!;
    // A group length inside an Item, retired twice over, would be wrong afterwards.
    else if ((tags[row]! & 0xffff) === 0) grouped = true;
    const vr = values.vr(row);
    const length = valueLengths[row]!;
    if (except.has(top) || length === 0 || vr?.characterSet !== true || hasOwn(row)) continue;
    if (isPlain(values.bytes(row, textBytesMax)) && length <= textBytesMax) continue;
    if (length > textBytesMax) return null;
    const text = values.decoding(row).decode(values.bytes(row), vr.code === 'PN' ? 'name' : vr.multiple ? 'values' : 'none').replace(/[ \0]+$/, '');
    if (text.includes('\uFFFD')) return null;
    const written = new TextEncoder().encode(text);
    const bytes = new Uint8Array(written.length + (written.length % 2)).fill(0x20);
    bytes.set(written);
    if (!lengths.grow(row, bytes.length - length)) return null;
    changes.push({ offset: valueOffsets[row]!, length, bytes, tag: top });
  }
  const fields = lengths.fields();
  return fields === null || (grouped && changes.length > 0) ? null : [...changes, ...fields];

  function hasOwn(row: number): boolean {
    for (let at = row; depths[at]! > 0; at = parents[at]!) if (own.has(`${parents[at]} ${items[at]}`)) return true;
    return false;
  }
}

/** No byte of 80 or more and no escape sequence. */
function isPlain(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte < 0x80 && byte !== 0x1b);
}

/** The length fields of elements, Items and sequences that hold what changes. */
class Lengths {
  readonly #values: Values;
  readonly #mapped: MappedObject;
  /** By offset of the field. */
  readonly #grown = new Map<number, { readonly bytes: number; readonly tag: number; readonly was: number; by: number }>();
  /** By sequence and Item: the first element, right behind the Item's header. */
  readonly #firsts = new Map<string, number>();

  constructor(values: Values) {
    this.#values = values;
    this.#mapped = values.mapped;
    const { count, depths, parents, items } = this.#mapped.elements;
    for (let row = values.metaRows; row < count; row += 1) {
      const key = `${parents[row]} ${items[row]}`;
      if (depths[row]! > 0 && !this.#firsts.has(key)) this.#firsts.set(key, row);
    }
  }

  /** False where a length is not written as it would have to be. */
  grow(row: number, by: number): boolean {
    const { depths, parents, items, headerOffsets, valueOffsets, valueLengths, tags } = this.#mapped.elements;
    const explicit = this.#mapped.encoding?.explicitVR === true;
    const vr = this.#values.vr(row)!;
    let top = row;
    while (depths[top]! > 0) top = parents[top]!;
    const tag = tags[top]!;
    const short = explicit && (valueOffsets[row]! - headerOffsets[row]!) === 8 && !vr.longLength;
    if (!this.#add(valueOffsets[row]! - (short ? 2 : 4), short ? 2 : 4, valueLengths[row]!, by, tag)) return false;
    for (let at = row; depths[at]! > 0; at = parents[at]!) {
      const parent = parents[at]!;
      const first = this.#firsts.get(`${parent} ${items[at]}`)!;
      if (!this.#add(headerOffsets[first]! - 4, 4, null, by, tag) || !this.#add(valueOffsets[parent]! - 4, 4, null, by, tag)) return false;
    }
    return true;
  }

  fields(): Recoded[] | null {
    const changes: Recoded[] = [];
    const littleEndian = this.#mapped.encoding?.littleEndian !== false;
    for (const [offset, { bytes, tag, was, by }] of this.#grown) {
      if (by === 0) continue;
      if (bytes === 2 && was + by > shortLengthMax) return null;
      const field = lengthBytes({ explicitVR: true, littleEndian }, was + by);
      changes.push({ offset, length: bytes, bytes: bytes === 4 ? field : littleEndian ? field.slice(0, 2) : field.slice(2), tag });
    }
    return changes;
  }

  #add(offset: number, bytes: 2 | 4, expected: number | null, by: number, tag: number): boolean {
    const known = this.#grown.get(offset);
    if (known !== undefined) {
      known.by += by;
      return true;
    }
    const field = this.#mapped.dataSetSource.read(offset, bytes);
    const view = new DataView(field.buffer, field.byteOffset, bytes);
    const littleEndian = this.#mapped.encoding?.littleEndian !== false;
    const was = bytes === 2 ? view.getUint16(0, littleEndian) : view.getUint32(0, littleEndian);
    // Of undefined length: a delimitation item ends it, wherever that is.
    if (was === 0xffffffff && bytes === 4 && expected === null) return true;
    if (expected !== null && was !== expected) return false;
    this.#grown.set(offset, { bytes, tag, was, by });
    return true;
  }
}
