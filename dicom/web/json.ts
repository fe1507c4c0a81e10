/**
 * The DICOM JSON Model (PS3.18 Annex F) of a mapped object's Data Set. The text is made by concatenation, and keys are eight hexadecimal
 * digits made from the tag, so nothing of the object can become a key.
 */
import { numberAt, Values } from '../dataset/values.ts';
import type { VR } from '../dataset/vrs.ts';
import type { MappedObject } from '../filemap/contract.ts';
import { Window } from '../filemap/window.ts';

export interface DicomJsonOptions {
  /** Binary values at least so long become a BulkDataURI "<offset>,<length>", a range of bytes in the object; shorter ones InlineBinary. */
  readonly bulkDataBytesMin?: number;
  /** Text and numbers longer than this become a BulkDataURI too (PS3.18 F.2.2 permits it): a list of values is for reading, not for 10 MB of coordinates. */
  readonly valueBytesMax?: number;
  /** RangeError where the text would pass it: a JavaScript string has 512 Mi characters at most, and metadata of a series is kept in memory. */
  readonly charactersMax?: number;
  /** Rows whose value is in no range of the object (deflated) and is too long to be inline are put here, and left out. */
  readonly omitted?: number[];
}

const bulkDataBytesMinByDefault = 1024;
const valueBytesMaxByDefault = 64 * 1024;
const charactersMaxByDefault = 64 * 1024 * 1024;
/** Without a range to point to, so much is inline. */
const inlineBytesMaxWhereDeflated = 64 * 1024;

const pixelTags = new Set([0x7fe00010, 0x7fe00008, 0x7fe00009]);
const specificCharacterSetTag = 0x00080005;
/** VRs for which PS3.18 Table F.2.3-1 and F.2.2 permit a BulkDataURI; other text is short in any sound object and stays a value. */
const bulkTextVRs = new Set(['DS', 'IS', 'LT', 'ST', 'UC', 'UT', 'FL', 'FD', 'SL', 'SS', 'UL', 'US', 'SV', 'UV']);

/** The Data Set as one JSON object. Group 2 and group lengths are left out (PS3.18 F.2.2); text is UTF-8, and Specific Character Set says so. */
export function writeDicomJson(mapped: MappedObject, options: DicomJsonOptions = {}): string {
  return new JsonWriter(new Values(mapped), options).write();
}

/** A sequence being written. */
interface OpenSequence {
  readonly row: number;
  /** Items begun so far. */
  begun: number;
  /** The Item begun last has no attribute yet. */
  empty: boolean;
}

class JsonWriter {
  readonly #values: Values;
  readonly #mapped: MappedObject;
  readonly #bulkDataBytesMin: number;
  readonly #valueBytesMax: number;
  readonly #charactersMax: number;
  readonly #omitted: number[] | undefined;
  readonly #inObject: boolean;
  readonly #window: Window;

  constructor(values: Values, options: DicomJsonOptions) {
    this.#values = values;
    this.#mapped = values.mapped;
    this.#bulkDataBytesMin = options.bulkDataBytesMin ?? bulkDataBytesMinByDefault;
    this.#valueBytesMax = options.valueBytesMax ?? valueBytesMaxByDefault;
    this.#charactersMax = options.charactersMax ?? charactersMaxByDefault;
    this.#omitted = options.omitted;
    this.#inObject = this.#mapped.dataSetSource === this.#mapped.source;
    this.#window = new Window(this.#mapped.dataSetSource);
  }

  write(): string {
    const { elements } = this.#mapped;
    const { count, tags, depths, parents, items } = elements;
    let out = '{';
    const open: OpenSequence[] = [];
    let emptyTop = true;
    for (let row = this.#values.metaRows; row < count; row += 1) {
      const tag = tags[row]!;
      while (open.length > depths[row]!) out += this.#closeSequence(open.pop()!, row);
      const sequence = open.at(-1);
      if (sequence !== undefined) {
        // A fault may have put an element where its sequence is not open; mapObject does not.
        if (sequence.row !== parents[row]) continue;
        while (sequence.begun <= items[row]!) {
          out += sequence.begun === 0 ? ',"Value":[{' : '},{';
          sequence.begun += 1;
          sequence.empty = true;
        }
      }
      if ((tag & 0xffff) === 0 || tag >>> 16 === 0x0002 || tag >>> 16 === 0xfffe) continue;
      const vr = this.#values.vr(row);
      if (vr === undefined) continue;
      const body = vr.kind === 'sequence' || this.#isOpened(row) ? null : this.#body(row, tag, vr);
      if (body === undefined) continue;
      const isFirst = sequence === undefined ? emptyTop : sequence.empty;
      if (sequence === undefined) emptyTop = false;
      else sequence.empty = false;
      out += `${isFirst ? '' : ','}"${hex(tag)}":{"vr":"${body === null ? 'SQ' : vr.code}"`;
      if (body === null) open.push({ row, begun: 0, empty: true });
      else out += `${body}}`;
      if (out.length > this.#charactersMax) throw new RangeError(`DICOM JSON of more than ${this.#charactersMax} characters`);
    }
    while (open.length > 0) out += this.#closeSequence(open.pop()!, count);
    return `${out}}`;
  }

  /** Whether a row that is not SQ was read as a sequence: UN of undefined length (CP-246) with elements in it. */
  #isOpened(row: number): boolean {
    return this.#mapped.elements.parents[row + 1] === row;
  }

  /** Ends the open Item and adds the empty ones after it, which no element tells of. `next` is the row after the last one inside. */
  #closeSequence(sequence: OpenSequence, next: number): string {
    let text = sequence.begun > 0 ? '}' : '';
    let count = sequence.begun;
    for (let more = this.#emptyItemsAtEnd(sequence.row, next - 1); more > 0; more -= 1) {
      text += count === 0 ? ',"Value":[{}' : ',{}';
      count += 1;
    }
    return count === 0 ? '}' : `${text}]}`;
  }

  /** Items without elements at the end of a sequence: what is left of its value after the last element in it is read as item headers. */
  #emptyItemsAtEnd(sequence: number, last: number): number {
    const { valueOffsets, valueLengths, parents } = this.#mapped.elements;
    const end = valueOffsets[sequence]! + valueLengths[sequence]!;
    let position = valueOffsets[sequence]!;
    if (last > sequence) {
      // The last element may be inside a sequence inside this one: what counts is where that ends.
      let child = last;
      while (parents[child]! > sequence) child = parents[child]!;
      position = valueOffsets[child]! + valueLengths[child]!;
    }
    const littleEndian = this.#values.isLittleEndian(sequence);
    let found = 0;
    while (position + 8 <= end) {
      const index = this.#window.at(position, 8);
      const { bytes } = this.#window;
      const view = new DataView(bytes.buffer, bytes.byteOffset + index, 8);
      if (view.getUint16(0, littleEndian) !== 0xfffe) break;
      if (view.getUint16(2, littleEndian) === 0xe000) found += 1;
      position += 8;
    }
    return found;
  }

  /** What follows `"vr":"XX"`; undefined to leave the element out. */
  #body(row: number, tag: number, vr: VR): string | undefined {
    const length = this.#mapped.elements.valueLengths[row]!;
    if (length === 0) return '';
    if (tag === specificCharacterSetTag) return ',"Value":["ISO_IR 192"]';
    const isPixels = pixelTags.has(tag);
    if (vr.kind === 'bytes') {
      if (isPixels || length >= this.#bulkDataBytesMin) return this.#bulk(row, length);
      return this.#inline(row);
    }
    if (length > this.#valueBytesMax && bulkTextVRs.has(vr.code)) return this.#bulk(row, length);
    if (vr.kind === 'text') return this.#texts(row, vr);
    return this.#numbers(row, vr);
  }

  #bulk(row: number, length: number): string | undefined {
    if (this.#inObject) return `,"BulkDataURI":"${this.#mapped.elements.valueOffsets[row]},${length}"`;
    if (length <= inlineBytesMaxWhereDeflated) return this.#inline(row);
    this.#omitted?.push(row);
    return undefined;
  }

  /** PS3.18 F.2.7: Little Endian, whatever the object has. */
  #inline(row: number): string {
    const bytes = this.#values.bytes(row);
    const unitBytes = this.#values.vr(row)?.unitBytes ?? 0;
    if (unitBytes < 2 || this.#values.isLittleEndian(row)) return `,"InlineBinary":"${base64(bytes)}"`;
    const swapped = new Uint8Array(bytes.length - (bytes.length % unitBytes));
    for (let index = 0; index < swapped.length; index += 1) swapped[index] = bytes[index - (index % unitBytes) + unitBytes - 1 - (index % unitBytes)]!;
    return `,"InlineBinary":"${base64(swapped)}"`;
  }

  #texts(row: number, vr: VR): string {
    const texts = this.#values.strings(row);
    if (texts.length === 0) return '';
    if (texts.length === 1 && texts[0] === '') return '';
    let out = ',"Value":[';
    for (let index = 0; index < texts.length; index += 1) {
      const text = texts[index]!;
      if (index > 0) out += ',';
      if (text === '') out += 'null';
      else if (vr.code === 'PN') out += personName(text);
      else if (vr.code === 'DS' || vr.code === 'IS') out += numberText(text);
      else out += JSON.stringify(text);
    }
    return `${out}]`;
  }

  #numbers(row: number, vr: VR): string {
    const bytes = this.#values.bytes(row);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const littleEndian = this.#values.isLittleEndian(row);
    let out = ',"Value":[';
    for (let offset = 0; offset + vr.unitBytes <= bytes.length; offset += vr.unitBytes) {
      if (offset > 0) out += ',';
      if (vr.code === 'SV') out += bigText(view.getBigInt64(offset, littleEndian));
      else if (vr.code === 'UV') out += bigText(view.getBigUint64(offset, littleEndian));
      else {
        const value = numberAt(view, offset, vr.code, littleEndian);
        if (vr.code === 'AT') out += `"${hex(value)}"`;
        // JSON has no NaN and no infinity; PS3.18 has no word for them.
        else out += Number.isFinite(value) ? `${Object.is(value, -0) ? '-0' : value}` : 'null';
      }
    }
    return `${out}]`;
  }
}

function hex(tag: number): string {
  return tag.toString(16).toUpperCase().padStart(8, '0');
}

/** PS3.18 F.2.2: SV and UV are numbers, or strings where a number would lose digits. */
function bigText(value: bigint): string {
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? `${value}` : `"${value}"`;
}

/** DS and IS as they stand where they are JSON numbers ("1.50" stays so), as numbers where only JSON's grammar differs ("+1", ".5"), else as strings. */
function numberText(text: string): string {
  if (/^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d{1,2})?$/.test(text)) return text;
  if (/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,2})?$/.test(text)) {
    const value = Number(text);
    if (Number.isFinite(value)) return `${value}`;
  }
  return JSON.stringify(text);
}

/** PS3.18 F.2.2: the component groups of a PN; empty ones are left out. */
function personName(text: string): string {
  const groups = text.split('=');
  let out = '';
  for (const [index, name] of ['Alphabetic', 'Ideographic', 'Phonetic'].entries()) {
    const group = groups[index];
    if (group !== undefined && group !== '') out += `${out === '' ? '' : ','}"${name}":${JSON.stringify(group.trimEnd())}`;
  }
  return `{${out}}`;
}

const base64Digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

function base64(bytes: Uint8Array): string {
  let out = '';
  let index = 0;
  for (; index + 2 < bytes.length; index += 3) {
    const triple = (bytes[index]! << 16) | (bytes[index + 1]! << 8) | bytes[index + 2]!;
    out += base64Digits[triple >>> 18]! + base64Digits[(triple >>> 12) & 63]! + base64Digits[(triple >>> 6) & 63]! + base64Digits[triple & 63]!;
  }
  if (index + 1 === bytes.length) out += `${base64Digits[bytes[index]! >>> 2]!}${base64Digits[(bytes[index]! & 3) << 4]!}==`;
  else if (index + 2 === bytes.length) out += `${base64Digits[bytes[index]! >>> 2]!}${base64Digits[((bytes[index]! & 3) << 4) | (bytes[index + 1]! >>> 4)]!}${base64Digits[(bytes[index + 1]! & 15) << 2]!}=`;
  return out;
}
