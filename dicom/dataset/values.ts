/** Reading values of a mapped object: text by Specific Character Set, numbers by VR and byte order. Everything is total. */
import { vrSetIndex, vrSets } from '../dictionary/dictionary.ts';
import type { MappedObject } from '../filemap/contract.ts';
import { Window } from '../filemap/window.ts';
import { textDecoding, type Delimiters, type TextDecoding } from './charsets.ts';
import { explicitVRBigEndian } from './transfersyntaxes.ts';
import { vrIndexByNumber, vrNumber, vrs as allVRs, type VR } from './vrs.ts';

const specificCharacterSetTag = 0x00080005;

/** Of one value so much is read: longer text is bulk data. */
export const valueBytesMax = 1024 * 1024;

const UN = vrNumber('UN');
/** 1 + index in the table, as the dictionary's rows have it. */
const LO = vrIndexByNumber[vrNumber('LO')] ?? 0;
/** Leading spaces are not significant in these, trailing ones in none (PS3.5 Table 6.2-1). */
export const leadingSpaceVRs: ReadonlySet<string> = new Set(['AE', 'CS', 'DS', 'IS', 'LO', 'PN', 'SH']);

/** Values of one object. Rows are indices in its ElementTable. */
export class Values {
  readonly mapped: MappedObject;
  /** The first so many rows are the File Meta Information: their offsets are into the object, even where the Data Set is inflated. */
  readonly metaRows: number;
  /** On the Data Set. What was looked at there moves with the next value. */
  readonly window: Window;
  readonly #metaWindow: Window;
  readonly #littleEndian: boolean;
  readonly #topLevel = new Map<number, number>();
  /** Decodings by (sequence row, item), which is what a Specific Character Set inside an Item is for. */
  readonly #decodings = new Map<number, Map<number, TextDecoding>>();
  /** The one of the whole object, where no Item has its own. */
  readonly #everywhere: TextDecoding | null;

  constructor(mapped: MappedObject) {
    this.mapped = mapped;
    this.window = new Window(mapped.dataSetSource);
    this.#metaWindow = mapped.dataSetSource === mapped.source ? this.window : new Window(mapped.source);
    this.#littleEndian = mapped.encoding?.littleEndian ?? mapped.transferSyntaxUID !== explicitVRBigEndian;
    const { count, depths, tags, parents, items, headerOffsets } = mapped.elements;
    let meta = 0;
    while (meta < count && tags[meta]! >>> 16 === 0x0002 && headerOffsets[meta]! < mapped.dataSetOffset && (meta === 0 || headerOffsets[meta]! > headerOffsets[meta - 1]!)) meta += 1;
    this.metaRows = meta;
    for (let row = 0; row < count; row += 1) {
      const tag = tags[row]!;
      // The first of duplicates, which are a fault anyway.
      if (depths[row] === 0 && !this.#topLevel.has(tag)) this.#topLevel.set(tag, row);
      if (tag === specificCharacterSetTag) {
        const byItem = this.#decodings.get(parents[row]!) ?? new Map<number, TextDecoding>();
        this.#decodings.set(parents[row]!, byItem);
        if (!byItem.has(items[row]!)) byItem.set(items[row]!, textDecoding(this.#plainStrings(row)));
      }
    }
    this.#everywhere = [...this.#decodings.keys()].every((parent) => parent < 0) ? (this.#decodings.get(-1)?.get(0) ?? textDecoding([])) : null;
  }

  /** Row of a tag at the top level, in the File Meta Information (group 2) or in Item `item` of sequence `parent`; -1 where there is none. */
  find(tag: number, parent = -1, item = 0): number {
    if (parent < 0) return this.#topLevel.get(tag) ?? -1;
    const { tags, parents, items, depths, count } = this.mapped.elements;
    const depth = depths[parent]!;
    for (let row = parent + 1; row < count && depths[row]! > depth; row += 1) {
      if (parents[row] !== parent) continue;
      if (items[row]! > item) break;
      if (items[row] === item && tags[row] === tag) return row;
    }
    return -1;
  }

  /**
   * VR by which to read a row. For UN of an attribute that the dictionary knows it is the dictionary's (PS3.5 §6.2.2, note): senders that do not
   * know an attribute write UN. Sequences stay UN: their Items have not been read. Undefined where the number is no VR (never in what mapObject made).
   */
  vr(row: number): VR | undefined {
    const { vrs, tags } = this.mapped.elements;
    const number = vrs[row] ?? 0;
    const vr = allVRs[vrIndexByNumber[number]! - 1];
    if (number !== UN) return vr;
    const tag = tags[row]!;
    const element = tag & 0xffff;
    const implied = (tag >>> 16) & 1 ? (element >= 0x10 && element <= 0xff ? LO : 0) : (vrSets[vrSetIndex(tag)]?.[0] ?? 0);
    const known = allVRs[implied - 1];
    return known === undefined || known.kind === 'sequence' ? vr : known;
  }

  /** The first bytes of a value; the view is valid until the next call of this object. */
  bytes(row: number, bytesMax: number = valueBytesMax): Uint8Array {
    const { valueOffsets, valueLengths } = this.mapped.elements;
    const length = Math.min(valueLengths[row] ?? 0, bytesMax);
    if (length <= 0) return new Uint8Array(0);
    const window = row < this.metaRows ? this.#metaWindow : this.window;
    const index = window.at(valueOffsets[row]!, length);
    return window.bytes.subarray(index, index + length);
  }

  /** The values of an element of text, without padding; one value for VRs that have one. Empty for an empty element, and for one that is no text. */
  strings(row: number): string[] {
    const vr = this.vr(row);
    if (vr === undefined || vr.kind !== 'text') return [];
    const text = this.#text(row, vr);
    if (text === '') return [];
    const texts = vr.multiple ? text.split('\\') : [text];
    return texts.map((value) => trimmed(value, vr.code));
  }

  /** First value of a top-level element as text, "" where there is none. */
  string(tag: number): string {
    const row = this.find(tag);
    return row < 0 ? '' : (this.strings(row)[0] ?? '');
  }

  /** Values of a numeric element: binary ones, and DS and IS where they are numbers (NaN where not). AT gives tags. Whole values only. */
  numbers(row: number): number[] {
    const vr = this.vr(row);
    if (vr === undefined) return [];
    if (vr.code === 'DS' || vr.code === 'IS') return this.strings(row).map((text) => (text === '' ? Number.NaN : Number(text)));
    if (vr.kind !== 'number' && vr.kind !== 'tag') return [];
    const bytes = this.bytes(row);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const littleEndian = this.isLittleEndian(row);
    const values: number[] = [];
    for (let offset = 0; offset + vr.unitBytes <= bytes.length; offset += vr.unitBytes) values.push(numberAt(view, offset, vr.code, littleEndian));
    return values;
  }

  /** First value of a top-level numeric element, or undefined. */
  number(tag: number): number | undefined {
    const row = this.find(tag);
    const value = row < 0 ? undefined : this.numbers(row)[0];
    return value === undefined || Number.isNaN(value) ? undefined : value;
  }

  /** Byte order of a value: UN holds Little Endian in Big Endian too (CP-246). */
  isLittleEndian(row: number): boolean {
    const { vrs, parents } = this.mapped.elements;
    if (this.#littleEndian || row < this.metaRows || vrs[row] === UN) return true;
    for (let parent = parents[row] ?? -1; parent >= 0; parent = parents[parent] ?? -1) if (vrs[parent] === UN) return true;
    return false;
  }

  /** The decoding in force at a row: of its Item, else of what contains that (PS3.5 §7.5.3). */
  decoding(row: number): TextDecoding {
    if (this.#everywhere !== null) return this.#everywhere;
    const { parents, items } = this.mapped.elements;
    let at = row;
    for (;;) {
      const parent = parents[at] ?? -1;
      const found = this.#decodings.get(parent)?.get(parent < 0 ? 0 : items[at]!);
      if (found !== undefined) return found;
      if (parent < 0) return textDecoding([]);
      at = parent;
    }
  }

  #text(row: number, vr: VR): string {
    const bytes = this.bytes(row);
    const delimiters: Delimiters = vr.code === 'PN' ? 'name' : vr.multiple ? 'values' : 'none';
    return withoutPadding((vr.characterSet ? this.decoding(row) : textDecoding([])).decode(bytes, delimiters));
  }

  /** Of Specific Character Set itself, which is CS: the default repertoire. */
  #plainStrings(row: number): string[] {
    return withoutPadding(textDecoding([]).decode(this.bytes(row, 1024), 'values'))
      .split('\\')
      .map((term) => term.trim());
  }
}

function withoutPadding(text: string): string {
  let end = text.length;
  while (end > 0 && (text.charCodeAt(end - 1) === 0x20 || text.charCodeAt(end - 1) === 0)) end -= 1;
  return end === text.length ? text : text.slice(0, end);
}

function trimmed(text: string, vr: string): string {
  const tail = withoutPadding(text);
  if (!leadingSpaceVRs.has(vr)) return tail;
  let start = 0;
  while (start < tail.length && tail.charCodeAt(start) === 0x20) start += 1;
  return start === 0 ? tail : tail.slice(start);
}

/** One binary value. 64 bit integers beyond 2^53 lose precision here; DICOM JSON writes them from the bytes. */
export function numberAt(view: DataView, offset: number, vr: string, littleEndian: boolean): number {
  switch (vr) {
    case 'US':
      return view.getUint16(offset, littleEndian);
    case 'SS':
      return view.getInt16(offset, littleEndian);
    case 'UL':
      return view.getUint32(offset, littleEndian);
    case 'SL':
      return view.getInt32(offset, littleEndian);
    case 'FL':
      return view.getFloat32(offset, littleEndian);
    case 'FD':
      return view.getFloat64(offset, littleEndian);
    case 'SV':
      return Number(view.getBigInt64(offset, littleEndian));
    case 'UV':
      return Number(view.getBigUint64(offset, littleEndian));
    case 'AT':
      return ((view.getUint16(offset, littleEndian) << 16) | view.getUint16(offset + 2, littleEndian)) >>> 0;
    default:
      return Number.NaN;
  }
}
