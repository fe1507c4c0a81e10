/** One private value as the rules of its vendor see it: its bytes, the elements beside it in its block, and what they say of it. */
import { tagText } from '@lazaret/dicom/dictionary/dictionary.ts';
import type { Range, VendorRecord } from '@lazaret/dicom/private/record.ts';
import { isBlank, solidBytes, type Budget } from './inside/contract.ts';
import { decodeXML, readXML, type XMLEvents } from './inside/xml.ts';
import type { Reading } from './reading.ts';

const nothing = (): void => undefined;
const noEvents: XMLEvents = { element: nothing, end: nothing, text: nothing, instruction: nothing, doctype: nothing };

/** Where a value lies in the Data Set, and what it is. */
export interface ValuePlace {
  readonly tag: number;
  readonly offset: number;
  readonly length: number;
}

/** The elements of the Item that a value lies in, or of the Data Set. */
export interface Beside {
  /** The value of one of them, valid until the next read; null where it is not there, or longer than a name or a number. */
  valueOf(tag: number): Uint8Array | null;
  readonly littleEndian: boolean;
}

/** Longest value that names or counts something. */
export const besideBytesMax = 4096;

export class PrivateValue {
  readonly place: ValuePlace;
  readonly budget: Budget;
  /** Its own memory: what is read beside it must not overwrite it. */
  readonly bytes: Buffer;
  readonly littleEndian: boolean;
  readonly #reading: Reading;
  readonly #beside: Beside;

  /** Only for a value of at most `readBytesMax` bytes. */
  constructor(reading: Reading, place: ValuePlace, beside: Beside, budget: Budget) {
    this.place = place;
    this.budget = budget;
    this.bytes = Buffer.from(reading.mapped.dataSetSource.read(place.offset, place.length));
    this.littleEndian = beside.littleEndian;
    this.#reading = reading;
    this.#beside = beside;
    budget.step(1 + (this.bytes.length >>> 6));
  }

  /** Text of the element of the same block with these last two digits, without padding; "" where there is none. */
  text(element: number): string {
    return textOf(this.#valueBeside(element));
  }

  /** 32 bit number of such an element, or null. */
  number(element: number): number | null {
    const bytes = this.#valueBeside(element);
    return bytes?.length === 4 ? new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, this.littleEndian) : null;
  }

  #valueBeside(element: number): Uint8Array | null {
    return this.#beside.valueOf(((this.place.tag & 0xffffff00) | element) >>> 0);
  }

  say(code: string, text: string, { offset, length }: Range = { offset: 0, length: this.bytes.length }): void {
    this.#reading.addAt(code, this.place.offset + offset, length, tagText(this.place.tag), text, true);
  }

  /** Says what lies in `ranges` of the value where that is more than `bytesMax`, and not nothing but zeros and blanks. */
  sayUnexplained(ranges: readonly Range[], bytesMax: number): void {
    const solid = ranges.filter(({ offset, length }) => solidBytes(this.bytes.subarray(offset, offset + length)) > 0);
    const total = solid.reduce((sum, { length }) => sum + length, 0);
    if (total <= bytesMax) return;
    const longest = solid.reduce((known, range) => (range.length > known.length ? range : known));
    this.say('private-residue', `${total} bytes belong to none of the entries of the vendor's record, and nothing in it says what they are.`, longest);
  }

  /** Says that so many bytes of what is packed or written in it, `what`, are none of it. */
  sayUnexplainedIn(what: string, count: number): void {
    this.say('private-residue', `${count} bytes of ${what} are none of it.`);
  }

  /** Reads the whole value, or the first `length` bytes of it. One that the grammar does not fit stays opaque, and has no values. */
  readAs(read: (bytes: Uint8Array) => VendorRecord | null, bytesMax: number, length = this.bytes.length): readonly Range[] {
    const record = read(this.bytes.subarray(0, length));
    if (record === null) return [];
    this.sayUnexplained(record.unexplained, bytesMax);
    return record.values;
  }

  /**
   * An XML document of a vendor, ended by NUL where it is: well-formed, without definitions, and with nothing behind it. One whose characters cannot be
   * known stays opaque. `what` is its name within a sentence.
   */
  checkXML(bytes: Buffer, what: string, bytesMax: number, events: Partial<XMLEvents> = {}): void {
    const isWide = bytes[0] === 0xff || bytes[0] === 0xfe;
    const nul = isWide ? -1 : bytes.indexOf(0);
    const behind = nul < 0 ? 0 : solidBytes(bytes.subarray(nul));
    if (behind > bytesMax) this.sayUnexplainedIn(what, behind);
    const decoded = decodeXML(nul < 0 ? bytes : bytes.subarray(0, nul));
    if ('problem' in decoded) return;
    let defines = false;
    const problem = readXML(decoded.text, this.budget, { ...noEvents, ...events, doctype: () => void (defines = true) });
    if (problem !== null) this.say('private-invalid', `${capital(what)} ${problem}.`);
    if (defines) this.say('document-active', `${capital(what)} has a document type with definitions (DOCTYPE), which no device writes.`);
  }
}

/** Whether bytes begin as an XML document does, in an encoding whose markup is that of ASCII. */
export function beginsXML(bytes: Buffer): boolean {
  let at = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  while (at < 16 && at < bytes.length && bytes[at] !== 0 && isBlank(bytes[at]!)) at += 1;
  return bytes[at] === 0x3c && (bytes[at + 1] === 0x3f || bytes[at + 1] === 0x21 || /[A-Za-z_]/.test(String.fromCharCode(bytes[at + 1] ?? 0)));
}

/** A text without its padding. */
export function textOf(bytes: Uint8Array | null): string {
  return bytes === null ? '' : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1').replace(/[\0 ]+$/, '').trim();
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
