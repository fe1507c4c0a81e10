/**
 * Writes Data Sets for test objects, right or wrong, from readable tuples.
 *
 * This is an encoder of its own and shares nothing with dicom/: what judges a reader must not have the reader's opinions, and half of
 * the recipes are encodings that a correct writer refuses to make.
 */
import { deflateRawSync } from 'node:zlib';

/** What to get wrong on purpose. */
export interface Quirk {
  /** Value Length to declare instead of the true one. */
  readonly length?: number;
  /** Sequences and their items: undefined length with delimitation items (the default) or defined length. */
  readonly definedLength?: boolean;
  /** Leave an odd length odd. */
  readonly odd?: boolean;
}
export type Value = string | number | readonly number[] | readonly string[] | Uint8Array | readonly Item[];
/** `['0010,0010', 'PN', 'Muster^Anna']` */
export type Element = readonly [tag: string, vr: string, value: Value, quirk?: Quirk];
/** Elements in the order in which they are written; a Uint8Array goes in as it is. */
export type Item = readonly (Element | Uint8Array)[];
export type Encoding = 'implicit' | 'explicit' | 'big';

export const undefinedLength = 0xffffffff;
const longVRs = new Set(['OB', 'OD', 'OF', 'OL', 'OV', 'OW', 'SQ', 'SV', 'UC', 'UN', 'UR', 'UT', 'UV']);
const zeroPadded = new Set(['UI', 'OB', 'UN']);
const numberBytes: Readonly<Record<string, number>> = { US: 2, SS: 2, UL: 4, SL: 4, FL: 4, FD: 8, AT: 4, OW: 2, OL: 4, OF: 4, OD: 8, SV: 8, UV: 8 };

/** A Data Set or the content of an Item. */
export function encode(elements: Item, encoding: Encoding = 'explicit'): Buffer {
  return Buffer.concat(elements.map((element) => (element instanceof Uint8Array ? element : encodeElement(element, encoding))));
}

export function encodeElement([tag, vr, value, quirk = {}]: Element, encoding: Encoding): Buffer {
  if (vr === 'SQ') return encodeSequence(tag, value as readonly Item[], quirk, encoding);
  const bytes = pad(valueBytes(vr, value, encoding), vr, quirk.odd === true);
  return Buffer.concat([header(tag, vr, quirk.length ?? bytes.length, encoding), bytes]);
}

/** Tag, VR and length as they stand before a value. */
export function header(tag: string, vr: string, length: number, encoding: Encoding = 'explicit'): Buffer {
  const long = longVRs.has(vr) || !/^[A-Z]{2}$/.test(vr);
  const bytes = Buffer.alloc(encoding === 'implicit' || !long ? 8 : 12);
  writeTag(bytes, tag, encoding);
  if (encoding === 'implicit') bytes.writeUInt32LE(length, 4);
  else {
    bytes.write(vr, 4, 'latin1');
    if (long) write32(bytes, length, 8, encoding);
    else if (encoding === 'big') bytes.writeUInt16BE(length, 6);
    else bytes.writeUInt16LE(length, 6);
  }
  return bytes;
}

/** An Item, Item Delimitation Item or Sequence Delimitation Item: tag and length without VR. */
export function itemHeader(tag: string, length: number, encoding: Encoding = 'explicit'): Buffer {
  const bytes = Buffer.alloc(8);
  writeTag(bytes, tag, encoding);
  write32(bytes, length, 4, encoding);
  return bytes;
}

/** Encapsulated Pixel Data: the first fragment is the Basic Offset Table. */
export function encapsulate(fragments: readonly Uint8Array[], basicOffsetTable: readonly number[] = []): Buffer {
  const table = Buffer.alloc(basicOffsetTable.length * 4);
  basicOffsetTable.forEach((offset, index) => table.writeUInt32LE(offset, index * 4));
  const parts: Uint8Array[] = [header('7FE0,0010', 'OB', undefinedLength), itemHeader('FFFE,E000', table.length), table];
  for (const fragment of fragments) {
    const bytes = pad(Buffer.from(fragment), 'OB', false);
    parts.push(itemHeader('FFFE,E000', bytes.length), bytes);
  }
  parts.push(itemHeader('FFFE,E0DD', 0));
  return Buffer.concat(parts);
}

function encodeSequence(tag: string, items: readonly Item[], quirk: Quirk, encoding: Encoding): Buffer {
  const content: Uint8Array[] = items.map((item) => {
    const bytes = encode(item, encoding);
    return quirk.definedLength === true
      ? Buffer.concat([itemHeader('FFFE,E000', bytes.length, encoding), bytes])
      : Buffer.concat([itemHeader('FFFE,E000', undefinedLength, encoding), bytes, itemHeader('FFFE,E00D', 0, encoding)]);
  });
  if (quirk.definedLength !== true) content.push(itemHeader('FFFE,E0DD', 0, encoding));
  const bytes = Buffer.concat(content);
  const length = quirk.length ?? (quirk.definedLength === true ? bytes.length : undefinedLength);
  return Buffer.concat([header(tag, 'SQ', length, encoding), bytes]);
}

function valueBytes(vr: string, value: Value, encoding: Encoding): Buffer {
  if (value instanceof Uint8Array) return vr === 'OW' && encoding === 'big' ? Buffer.from(value).swap16() : Buffer.from(value);
  if (typeof value === 'string') return vr === 'AT' ? attributeTags([value], encoding) : Buffer.from(value, 'utf8');
  const values = typeof value === 'number' ? [value] : (value as readonly (number | string)[]);
  if (vr === 'AT') return attributeTags(values as readonly string[], encoding);
  const width = numberBytes[vr];
  if (width === undefined) return Buffer.from(values.join('\\'), 'utf8');
  const bytes = Buffer.alloc(width * values.length);
  values.forEach((each, index) => writeNumber(bytes, vr, Number(each), index * width));
  if (encoding === 'big') for (let at = 0; at < bytes.length; at += width) bytes.subarray(at, at + width).reverse();
  return bytes;
}

function writeNumber(bytes: Buffer, vr: string, value: number, at: number): void {
  switch (vr) {
    case 'US': case 'OW': return void bytes.writeUInt16LE(value, at);
    case 'SS': return void bytes.writeInt16LE(value, at);
    case 'UL': case 'OL': return void bytes.writeUInt32LE(value, at);
    case 'SL': return void bytes.writeInt32LE(value, at);
    case 'FL': case 'OF': return void bytes.writeFloatLE(value, at);
    case 'FD': case 'OD': return void bytes.writeDoubleLE(value, at);
    case 'SV': return void bytes.writeBigInt64LE(BigInt(value), at);
    default: return void bytes.writeBigUInt64LE(BigInt(value), at);
  }
}

function attributeTags(tags: readonly string[], encoding: Encoding): Buffer {
  return Buffer.concat(tags.map((tag) => {
    const bytes = Buffer.alloc(4);
    writeTag(bytes, tag, encoding);
    return bytes;
  }));
}

function pad(bytes: Buffer, vr: string, odd: boolean): Buffer {
  return bytes.length % 2 === 0 || odd ? bytes : Buffer.concat([bytes, Buffer.from([zeroPadded.has(vr) ? 0 : 0x20])]);
}

function writeTag(bytes: Buffer, tag: string, encoding: Encoding): void {
  const [group, element] = tag.split(',').map((part) => Number.parseInt(part, 16)) as [number, number];
  if (encoding === 'big') {
    bytes.writeUInt16BE(group, 0);
    bytes.writeUInt16BE(element, 2);
  } else {
    bytes.writeUInt16LE(group, 0);
    bytes.writeUInt16LE(element, 2);
  }
}

function write32(bytes: Buffer, value: number, at: number, encoding: Encoding): void {
  if (encoding === 'big') bytes.writeUInt32BE(value, at);
  else bytes.writeUInt32LE(value, at);
}

/** Elements with others put in their place, or added, in the order of their tags. */
export function withElements(base: readonly Element[], ...changes: readonly Element[]): Element[] {
  const byTag = new Map(base.map((element) => [element[0].toUpperCase(), element]));
  for (const element of changes) byTag.set(element[0].toUpperCase(), element);
  return [...byTag.values()].toSorted((one, other) => (one[0].toUpperCase() < other[0].toUpperCase() ? -1 : 1));
}
export function withoutElements(base: readonly Element[], ...tags: readonly string[]): Element[] {
  return base.filter(([tag]) => !tags.includes(tag));
}

export const transferSyntaxes = {
  implicit: '1.2.840.10008.1.2',
  explicit: '1.2.840.10008.1.2.1',
  deflated: '1.2.840.10008.1.2.1.99',
  big: '1.2.840.10008.1.2.2',
  jpegBaseline: '1.2.840.10008.1.2.4.50',
  rle: '1.2.840.10008.1.2.5',
} as const;

export interface Part10 {
  readonly preamble?: Uint8Array;
  readonly transferSyntaxUID: string;
  readonly sopClassUID: string;
  readonly sopInstanceUID: string;
  readonly dataSet: Uint8Array;
  /** After the Data Set. */
  readonly trailing?: Uint8Array;
  /** Instead of the right File Meta Information (PS3.10 §7.1). */
  readonly meta?: Uint8Array;
}

/** Implementation Class UID of the recipes: nobody's, by PS3.5 §B.2. */
const implementationClassUID = '2.25.160394372158923146402139046234978921';

/** The File Meta Information of PS3.10 §7.1. */
export function fileMeta(file: Pick<Part10, 'transferSyntaxUID' | 'sopClassUID' | 'sopInstanceUID'>, more: readonly Element[] = []): Buffer {
  const content = encode(withElements([
    ['0002,0001', 'OB', new Uint8Array([0, 1])],
    ['0002,0002', 'UI', file.sopClassUID],
    ['0002,0003', 'UI', file.sopInstanceUID],
    ['0002,0010', 'UI', file.transferSyntaxUID],
    ['0002,0012', 'UI', implementationClassUID],
    ['0002,0013', 'SH', 'RECIPES'],
  ], ...more));
  return Buffer.concat([encode([['0002,0000', 'UL', content.length]]), content]);
}

/** A whole file. */
export function part10(file: Part10): Buffer {
  const preamble = Buffer.alloc(128);
  if (file.preamble !== undefined) preamble.set(file.preamble.subarray(0, 128));
  return Buffer.concat([preamble, Buffer.from('DICM'), file.meta ?? fileMeta(file), file.dataSet, file.trailing ?? new Uint8Array()]);
}

/** A Data Set under Deflated Explicit VR Little Endian (PS3.5 §A.5), padded to even length. */
export function deflate(dataSet: Uint8Array): Buffer {
  return pad(deflateRawSync(dataSet), 'OB', false);
}
