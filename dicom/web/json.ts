/**
 * The DICOM JSON Model (PS3.18 Annex F) of a mapped object's Data Set. Keys are eight hexadecimal digits made from the
 * tag, so nothing of the object can become a key.
 */
import { leadingSpaceVRs, numberAt, valueBytesMax, Values } from '../dataset/values.ts';
import type { VR } from '../dataset/vrs.ts';
import type { MappedObject } from '../filemap/contract.ts';
import { isNumber, isPlain, JsonText } from './jsontext.ts';

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
  readonly #out = new JsonText();

  constructor(values: Values, options: DicomJsonOptions) {
    this.#values = values;
    this.#mapped = values.mapped;
    this.#bulkDataBytesMin = options.bulkDataBytesMin ?? bulkDataBytesMinByDefault;
    this.#valueBytesMax = options.valueBytesMax ?? valueBytesMaxByDefault;
    this.#charactersMax = options.charactersMax ?? charactersMaxByDefault;
    this.#omitted = options.omitted;
    this.#inObject = this.#mapped.dataSetSource === this.#mapped.source;
  }

  write(): string {
    const { elements } = this.#mapped;
    const { count, tags, depths, parents, items } = elements;
    const out = this.#out;
    out.byte(brace);
    const open: OpenSequence[] = [];
    let emptyTop = true;
    for (let row = this.#values.metaRows; row < count; row += 1) {
      const tag = tags[row]!;
      while (open.length > depths[row]!) this.#closeSequence(open.pop()!, row);
      const sequence = open.length === 0 ? undefined : open[open.length - 1];
      if (sequence !== undefined) {
        // A fault may have put an element where its sequence is not open; mapObject does not.
        if (sequence.row !== parents[row]) continue;
        while (sequence.begun <= items[row]!) {
          out.ascii(sequence.begun === 0 ? ',"Value":[{' : '},{');
          sequence.begun += 1;
          sequence.empty = true;
        }
      }
      if ((tag & 0xffff) === 0 || tag >>> 16 === 0x0002 || tag >>> 16 === 0xfffe) continue;
      const vr = this.#values.vr(row);
      if (vr === undefined) continue;
      const isSequence = vr.kind === 'sequence' || this.#isOpened(row);
      if (!isSequence && this.#isOmitted(row, tag, vr)) continue;
      const isFirst = sequence === undefined ? emptyTop : sequence.empty;
      if (sequence === undefined) emptyTop = false;
      else sequence.empty = false;
      out.attribute(tag, isSequence ? 'SQ' : vr.code, isFirst);
      if (isSequence) open.push({ row, begun: 0, empty: true });
      else {
        this.#body(row, tag, vr);
        out.byte(braceEnd);
      }
      if (out.characters > this.#charactersMax) throw new RangeError(`DICOM JSON of more than ${this.#charactersMax} characters`);
    }
    while (open.length > 0) this.#closeSequence(open.pop()!, count);
    out.byte(braceEnd);
    return out.end();
  }

  /** Whether a row that is not SQ was read as a sequence: UN of undefined length (CP-246) with elements in it. */
  #isOpened(row: number): boolean {
    return this.#mapped.elements.parents[row + 1] === row;
  }

  /** Ends the open Item and adds the empty ones after it, which no element tells of. `next` is the row after the last one inside. */
  #closeSequence(sequence: OpenSequence, next: number): void {
    const out = this.#out;
    if (sequence.begun > 0) out.byte(braceEnd);
    let count = sequence.begun;
    for (let more = this.#emptyItemsAtEnd(sequence.row, next - 1); more > 0; more -= 1) {
      out.ascii(count === 0 ? ',"Value":[{}' : ',{}');
      count += 1;
    }
    out.ascii(count === 0 ? '}' : ']}');
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
    if (position + 8 > end) return 0;
    const littleEndian = this.#values.isLittleEndian(sequence);
    let found = 0;
    while (position + 8 <= end) {
      const index = this.#values.window.at(position, 8);
      const { bytes } = this.#values.window;
      const [group, element] = littleEndian
        ? [bytes[index]! | (bytes[index + 1]! << 8), bytes[index + 2]! | (bytes[index + 3]! << 8)]
        : [(bytes[index]! << 8) | bytes[index + 1]!, (bytes[index + 2]! << 8) | bytes[index + 3]!];
      if (group !== 0xfffe) break;
      if (element === 0xe000) found += 1;
      position += 8;
    }
    return found;
  }

  /** Whether a value is in no range of the object (deflated) and too long to be inline; then it is noted. */
  #isOmitted(row: number, tag: number, vr: VR): boolean {
    const length = this.#mapped.elements.valueLengths[row]!;
    if (this.#inObject || length <= inlineBytesMaxWhereDeflated || !this.#isBulk(length, tag, vr)) return false;
    this.#omitted?.push(row);
    return true;
  }

  #isBulk(length: number, tag: number, vr: VR): boolean {
    if (tag === specificCharacterSetTag) return false;
    if (vr.kind === 'bytes') return length >= this.#bulkDataBytesMin || pixelTags.has(tag);
    return length > this.#valueBytesMax && bulkTextVRs.has(vr.code);
  }

  /** What follows `"vr":"XX"`. */
  #body(row: number, tag: number, vr: VR): void {
    const out = this.#out;
    const length = this.#mapped.elements.valueLengths[row]!;
    if (length === 0) return;
    if (tag === specificCharacterSetTag) out.ascii(',"Value":["ISO_IR 192"]');
    else if (this.#isBulk(length, tag, vr)) {
      if (this.#inObject) out.ascii(`,"BulkDataURI":"${this.#mapped.elements.valueOffsets[row]},${length}"`);
      else this.#inline(row);
    } else if (vr.kind === 'bytes') this.#inline(row);
    else if (vr.kind === 'text') this.#texts(row, length, vr);
    else this.#numbers(row, vr);
  }

  /** PS3.18 F.2.7: Little Endian, whatever the object has. */
  #inline(row: number): void {
    const bytes = this.#values.bytes(row);
    const unitBytes = this.#values.vr(row)?.unitBytes ?? 0;
    let inline = bytes;
    if (unitBytes >= 2 && !this.#values.isLittleEndian(row)) {
      inline = new Uint8Array(bytes.length - (bytes.length % unitBytes));
      for (let index = 0; index < inline.length; index += 1) inline[index] = bytes[index - (index % unitBytes) + unitBytes - 1 - (index % unitBytes)]!;
    }
    this.#out.ascii(',"InlineBinary":"');
    this.#out.base64(inline);
    this.#out.byte(quote);
  }

  #texts(row: number, length: number, vr: VR): void {
    // What lies in a window at once, is ASCII and needs no escape is copied as it stands.
    const size = Math.min(length, valueBytesMax);
    const index = this.#values.window.at(this.#mapped.elements.valueOffsets[row]!, size);
    const { bytes } = this.#values.window;
    const end = withoutPadding(bytes, index, index + size);
    if (isPlain(bytes, index, end, vr.multiple) && (!vr.characterSet || !this.#values.decoding(row).isRoman)) this.#plainTexts(bytes, index, end, vr);
    else this.#decodedTexts(row, vr);
  }

  /** What `#decodedTexts` writes of the same bytes. */
  #plainTexts(bytes: Uint8Array, start: number, end: number, vr: VR): void {
    if (start === end) return;
    const out = this.#out;
    const isPadded = leadingSpaceVRs.has(vr.code);
    out.ascii(',"Value":[');
    for (let from = start; ;) {
      let to = vr.multiple ? from : end;
      while (to < end && bytes[to] !== backslash) to += 1;
      const last = withoutPadding(bytes, from, to);
      let first = from;
      if (isPadded) while (first < last && bytes[first] === 0x20) first += 1;
      if (first === last) out.ascii('null');
      else if (vr.code === 'PN') this.#plainName(bytes, first, last);
      else if (vr.code === 'DS' || vr.code === 'IS') this.#plainNumber(bytes, first, last);
      else out.quoted(bytes, first, last);
      if (to >= end) break;
      out.byte(comma);
      from = to + 1;
    }
    out.byte(bracketEnd);
  }

  #plainNumber(bytes: Uint8Array, start: number, end: number): void {
    const out = this.#out;
    if (isNumber(bytes, start, end)) return out.copy(bytes, start, end);
    let text = '';
    for (let at = start; at < end; at += 1) text += String.fromCharCode(bytes[at]!);
    const number = numberOf(text);
    if (number === null) out.quoted(bytes, start, end);
    else out.ascii(number);
  }

  /** PS3.18 F.2.2: the component groups of a PN; empty ones are left out. */
  #plainName(bytes: Uint8Array, start: number, end: number): void {
    const out = this.#out;
    out.byte(brace);
    let isFirst = true;
    let from = start;
    for (const name of nameGroups) {
      if (from > end) break;
      let to = from;
      while (to < end && bytes[to] !== equals) to += 1;
      if (to > from) {
        if (!isFirst) out.byte(comma);
        isFirst = false;
        out.ascii(name);
        out.quoted(bytes, from, withoutPadding(bytes, from, to));
      }
      from = to + 1;
    }
    out.byte(braceEnd);
  }

  #decodedTexts(row: number, vr: VR): void {
    const out = this.#out;
    const texts = this.#values.strings(row);
    if (texts.length === 0 || (texts.length === 1 && texts[0] === '')) return;
    out.ascii(',"Value":[');
    for (let index = 0; index < texts.length; index += 1) {
      const text = texts[index]!;
      if (index > 0) out.byte(comma);
      if (text === '') out.ascii('null');
      else if (vr.code === 'PN') this.#name(text);
      else if (vr.code === 'DS' || vr.code === 'IS') {
        const number = numberOf(text);
        if (number === null) out.string(text);
        else out.ascii(number);
      } else out.string(text);
    }
    out.byte(bracketEnd);
  }

  #name(text: string): void {
    const out = this.#out;
    const groups = text.split('=');
    out.byte(brace);
    let isFirst = true;
    for (const [index, name] of nameGroups.entries()) {
      const group = groups[index];
      if (group === undefined || group === '') continue;
      if (!isFirst) out.byte(comma);
      isFirst = false;
      out.ascii(name);
      out.string(group.trimEnd());
    }
    out.byte(braceEnd);
  }

  #numbers(row: number, vr: VR): void {
    const out = this.#out;
    const bytes = this.#values.bytes(row);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const littleEndian = this.#values.isLittleEndian(row);
    out.ascii(',"Value":[');
    for (let offset = 0; offset + vr.unitBytes <= bytes.length; offset += vr.unitBytes) {
      if (offset > 0) out.byte(comma);
      if (vr.code === 'SV') out.ascii(bigText(view.getBigInt64(offset, littleEndian)));
      else if (vr.code === 'UV') out.ascii(bigText(view.getBigUint64(offset, littleEndian)));
      else {
        const value = numberAt(view, offset, vr.code, littleEndian);
        if (vr.code === 'AT') {
          out.byte(quote);
          out.hex(value);
          out.byte(quote);
        }
        // JSON has no NaN and no infinity; PS3.18 has no word for them.
        else out.ascii(Number.isFinite(value) ? (Object.is(value, -0) ? '-0' : `${value}`) : 'null');
      }
    }
    out.byte(bracketEnd);
  }
}

const [quote, comma, equals, backslash, bracketEnd, brace, braceEnd] = [0x22, 0x2c, 0x3d, 0x5c, 0x5d, 0x7b, 0x7d] as const;
const nameGroups = ['"Alphabetic":', '"Ideographic":', '"Phonetic":'] as const;

/** Where a text ends without the spaces and zeros that make it longer (PS3.5 §6.2). */
function withoutPadding(bytes: Uint8Array, start: number, end: number): number {
  let last = end;
  while (last > start && (bytes[last - 1] === 0x20 || bytes[last - 1] === 0)) last -= 1;
  return last;
}

/** PS3.18 F.2.2: SV and UV are numbers, or strings where a number would lose digits. */
function bigText(value: bigint): string {
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? `${value}` : `"${value}"`;
}

/** DS and IS as they stand where they are JSON numbers ("1.50" stays so), as numbers where only JSON's grammar differs ("+1", ".5"), else null: a string. */
function numberOf(text: string): string | null {
  if (/^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d{1,2})?$/.test(text)) return text;
  if (/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,2})?$/.test(text)) {
    const value = Number(text);
    if (Number.isFinite(value)) return `${value}`;
  }
  return null;
}
