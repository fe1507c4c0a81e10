/**
 * Writing a Data Set in any Transfer Syntax of PS3.5 that is not compressed, or compressed by deflate.
 * Used where this product composes an object itself: DICOM JSON of STOW-RS, and test recipes. What arrives is never rewritten.
 */
import { transferSyntaxByUID } from './transfersyntaxes.ts';

/** An element to be written. Elements are written in the order given: PS3.5 §7.1 wants them in ascending order of their tags. */
export interface WritableElement {
  /** (group << 16 | element) >>> 0 */
  readonly tag: number;
  /** Two letters, or any two characters where a test needs them. */
  readonly vr: string;
  readonly value: WritableValue;
  /** Write a sequence with undefined length and delimitation items (PS3.5 §7.5.2). Fragments always have it. */
  readonly undefinedLength?: boolean;
  /** Leave an odd length odd, which PS3.5 §7.1.1 forbids: for test objects. */
  readonly unpadded?: boolean;
}

export interface WritableItem {
  readonly elements: readonly WritableElement[];
  readonly undefinedLength?: boolean;
}

/** Encapsulated Pixel Data (PS3.5 A.4). */
export interface WritableFragments {
  /** Value of the Basic Offset Table item: empty or one offset a frame. */
  readonly offsetTable: readonly number[];
  readonly fragments: readonly Uint8Array[];
}

/**
 * Bytes are written as they are, in the byte order of the Transfer Syntax. Strings are values to be joined by backslash, encoded as UTF-8:
 * the Data Set says ISO_IR 192 or uses ASCII. Numbers take the width of the VR; for AT a number is a tag.
 */
export type WritableValue = Uint8Array | readonly string[] | readonly number[] | readonly bigint[] | readonly WritableItem[] | WritableFragments;

/** Deeper than any object of the standard (the reader has the same limit); composed input may come from outside. */
export const writeDepthMax = 16;

/** PS3.5 Table 7.1-1: these have 2 reserved bytes and a 32 bit length in Explicit VR. */
const longLengthVRs = new Set(['OB', 'OD', 'OF', 'OL', 'OV', 'OW', 'SQ', 'SV', 'UC', 'UN', 'UR', 'UT', 'UV']);
/** Padded with NUL (PS3.5 §6.2), all else with a space. */
const nulPaddedVRs = new Set(['UI', 'OB', 'OD', 'OF', 'OL', 'OV', 'OW', 'UN', 'SQ']);

export interface WriteTools {
  /** Raw deflate (RFC 1951), needed for the deflated Transfer Syntaxes. */
  deflateRaw?(bytes: Uint8Array): Uint8Array;
}

/**
 * The elements as the bytes of a Data Set. Throws RangeError on an unknown Transfer Syntax, on a value that its VR or length field cannot hold,
 * and on nesting deeper than `writeDepthMax`.
 */
export function encodeDataSet(elements: readonly WritableElement[], transferSyntaxUID: string, tools: WriteTools = {}): Uint8Array {
  const transferSyntax = transferSyntaxByUID.get(transferSyntaxUID);
  if (transferSyntax === undefined) throw new RangeError(`${transferSyntaxUID} is not a Transfer Syntax of the standard`);
  const writer = new Writer(transferSyntax.explicitVR, transferSyntax.littleEndian);
  writeElements(writer, elements, 0);
  if (!transferSyntax.deflated) return writer.bytes();
  if (tools.deflateRaw === undefined) throw new RangeError(`${transferSyntaxUID} needs deflateRaw`);
  const deflated = tools.deflateRaw(writer.bytes());
  // PS3.5 A.5: padded with a NUL to even length.
  if (deflated.length % 2 === 0) return deflated;
  const padded = new Uint8Array(deflated.length + 1);
  padded.set(deflated);
  return padded;
}

function writeElements(writer: Writer, elements: readonly WritableElement[], depth: number): void {
  if (depth > writeDepthMax) throw new RangeError(`sequences nest deeper than ${writeDepthMax}`);
  for (const element of elements) writeElement(writer, element, depth);
}

function writeElement(writer: Writer, element: WritableElement, depth: number): void {
  const { tag, vr, value } = element;
  if (isFragments(value)) {
    writer.header(tag, vr, 0xffffffff, true);
    writer.itemHeader(0xfffee000, value.offsetTable.length * 4);
    for (const offset of value.offsetTable) writer.number('UL', offset);
    for (const fragment of value.fragments) {
      writer.itemHeader(0xfffee000, fragment.length + (fragment.length % 2));
      writer.raw(fragment);
      if (fragment.length % 2 === 1) writer.byte(0);
    }
    writer.itemHeader(0xfffee0dd, 0);
    return;
  }
  const start = writer.header(tag, vr, element.undefinedLength === true ? 0xffffffff : 0, longLengthVRs.has(vr));
  if (isItems(vr, value)) {
    for (const item of value) {
      const itemStart = writer.itemHeader(0xfffee000, item.undefinedLength === true ? 0xffffffff : 0);
      writeElements(writer, item.elements, depth + 1);
      if (item.undefinedLength === true) writer.itemHeader(0xfffee00d, 0);
      else writer.patchLength(itemStart, true);
    }
    if (element.undefinedLength === true) writer.itemHeader(0xfffee0dd, 0);
    else writer.patchLength(start, writer.hasLongLength(vr));
    return;
  }
  const from = writer.length;
  if (value instanceof Uint8Array) writer.raw(value);
  else writeValues(writer, vr, value as readonly (string | number | bigint)[]);
  if ((writer.length - from) % 2 === 1 && element.unpadded !== true) writer.byte(nulPaddedVRs.has(vr) ? 0x00 : 0x20);
  if (element.undefinedLength !== true) writer.patchLength(start, writer.hasLongLength(vr));
}

function writeValues(writer: Writer, vr: string, values: readonly (string | number | bigint)[]): void {
  const first = values[0];
  if (first === undefined) return;
  if (typeof first === 'string' || vr === 'DS' || vr === 'IS') {
    writer.raw(new TextEncoder().encode(values.map(String).join('\\')));
    return;
  }
  for (const value of values) writer.number(vr, value as number | bigint);
}

function isFragments(value: WritableValue): value is WritableFragments {
  return 'fragments' in value;
}

function isItems(vr: string, value: WritableValue): value is readonly WritableItem[] {
  if (value instanceof Uint8Array || !Array.isArray(value)) return false;
  return vr === 'SQ' || typeof value[0] === 'object';
}

/** Growing bytes with the two header forms of PS3.5 §7.1. */
class Writer {
  #bytes = new Uint8Array(4096);
  #view = new DataView(this.#bytes.buffer);
  length = 0;
  readonly #explicitVR: boolean;
  readonly #littleEndian: boolean;

  constructor(explicitVR: boolean, littleEndian: boolean) {
    this.#explicitVR = explicitVR;
    this.#littleEndian = littleEndian;
  }

  bytes(): Uint8Array {
    return this.#bytes.slice(0, this.length);
  }

  byte(value: number): void {
    this.#room(1);
    this.#bytes[this.length++] = value;
  }

  raw(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  hasLongLength(vr: string): boolean {
    return !this.#explicitVR || longLengthVRs.has(vr);
  }

  /** Writes the header and returns the offset where the value starts. */
  header(tag: number, vr: string, length: number, long: boolean): number {
    this.#room(12);
    this.#tag(tag);
    if (this.#explicitVR) {
      this.#bytes[this.length++] = vr.charCodeAt(0);
      this.#bytes[this.length++] = vr.charCodeAt(1);
      if (!long) {
        this.#view.setUint16(this.length, length, this.#littleEndian);
        this.length += 2;
        return this.length;
      }
      this.#view.setUint16(this.length, 0, this.#littleEndian);
      this.length += 2;
    }
    this.#view.setUint32(this.length, length, this.#littleEndian);
    this.length += 4;
    return this.length;
  }

  itemHeader(tag: number, length: number): number {
    this.#room(8);
    this.#tag(tag);
    this.#view.setUint32(this.length, length, this.#littleEndian);
    this.length += 4;
    return this.length;
  }

  patchLength(valueStart: number, long: boolean): void {
    const length = this.length - valueStart;
    if (length >= (long ? 0xffffffff : 0x10000)) throw new RangeError(`value of ${length} bytes does not fit its length field`);
    if (long) this.#view.setUint32(valueStart - 4, length, this.#littleEndian);
    else this.#view.setUint16(valueStart - 2, length, this.#littleEndian);
  }

  number(vr: string, value: number | bigint): void {
    this.#room(8);
    const littleEndian = this.#littleEndian;
    const number = Number(value);
    switch (vr) {
      case 'AT':
        this.#tag(number);
        return;
      case 'OB':
      case 'UN':
        this.#bytes[this.length++] = number;
        return;
      case 'US':
      case 'OW':
        this.#view.setUint16(this.length, number, littleEndian);
        this.length += 2;
        return;
      case 'SS':
        this.#view.setInt16(this.length, number, littleEndian);
        this.length += 2;
        return;
      case 'UL':
      case 'OL':
        this.#view.setUint32(this.length, number, littleEndian);
        this.length += 4;
        return;
      case 'SL':
        this.#view.setInt32(this.length, number, littleEndian);
        this.length += 4;
        return;
      case 'FL':
      case 'OF':
        this.#view.setFloat32(this.length, number, littleEndian);
        this.length += 4;
        return;
      case 'FD':
      case 'OD':
        this.#view.setFloat64(this.length, number, littleEndian);
        this.length += 8;
        return;
      case 'SV':
        this.#view.setBigInt64(this.length, BigInt(value), littleEndian);
        this.length += 8;
        return;
      case 'UV':
      case 'OV':
        this.#view.setBigUint64(this.length, BigInt(value), littleEndian);
        this.length += 8;
        return;
      default:
        throw new RangeError(`VR ${vr} does not hold numbers`);
    }
  }

  #tag(tag: number): void {
    this.#view.setUint16(this.length, tag >>> 16, this.#littleEndian);
    this.#view.setUint16(this.length + 2, tag & 0xffff, this.#littleEndian);
    this.length += 4;
  }

  #room(bytes: number): void {
    if (this.length + bytes <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.length + bytes));
    grown.set(this.#bytes.subarray(0, this.length));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}
