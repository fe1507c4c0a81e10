/** What the content rules read an object by: its map, the values of its attributes, and a place for what they find. */
import { transferSyntaxByUID, type TransferSyntax } from '@lazaret/dicom/dataset/transfersyntaxes.ts';
import type { MappedObject } from '@lazaret/dicom/filemap/contract.ts';
import { tagText } from '@lazaret/dicom/dictionary/dictionary.ts';
import type { Finding, Work } from '../../quarantine/contract.ts';

/** Longest value that is read as text here: identifiers and numbers, never reports. */
const textBytesMax = 4096;
/** Of each code so many findings are kept. */
const findingsOfOneCodeMax = 16;
/** All parts of one object together. They are in memory until the engine has seen them; the examiner may use a gibibyte in all. */
export const partBytesMax = 128 * 1024 * 1024;
/** A PDF has some thousand streams; each part is a scan of its own. */
export const partsMax = 10_000;

/** Bytes that were made out of bytes of the object: an inflated stream, a decoded text, an entry of a container. */
export interface Part {
  /** What it is, for people: "the inflated protocol", "word/document.xml". Characters of the object must be made printable by whoever names it. */
  readonly name: string;
  /** Its own bytes: no view that the next read overwrites. */
  readonly bytes: Uint8Array;
  /** What it came out of, as offsets of the Data Set (`MappedObject.dataSetSource`), or of the object where `outside` says so. */
  readonly at: { readonly offset: number; readonly length: number };
  /** It came out of what stands before or after the Data Set. */
  readonly outside?: boolean;
  /** "(gggg,eeee)" of the element that holds it. */
  readonly tag?: string;
  /** What a rule may be excused for (engines/yara.ts); `other` where nothing is said. */
  readonly region?: 'text' | 'document' | 'other';
  /** How many parts it is inside of; 0 for one that came out of a value. */
  readonly depth?: number;
  /** It is what it came out of, byte for byte: an engine that was shown that need not be shown it again. */
  readonly verbatim?: boolean;
  /** Samples of a picture and other numbers, in which two bytes at the start mean nothing. */
  readonly numbers?: boolean;
  /** Decoded from a text that need not have been written for that: two bytes at the start may be there by chance. */
  readonly guessed?: boolean;
}

/** Two letters of a VR as the ElementTable stores them. */
export function vrCode(letters: string): number {
  return (letters.charCodeAt(0) << 8) | letters.charCodeAt(1);
}

export class Reading {
  readonly mapped: MappedObject;
  readonly work: Work;
  /** Undefined for one that the standard does not know. */
  readonly syntax: TransferSyntax | undefined;
  readonly findings: Finding[] = [];
  /** In the order in which they were found; those that are added while they are gone through are seen as well. */
  readonly parts: Part[] = [];
  #partBytes = 0;
  readonly #counts = new Map<string, number>();
  readonly #top = new Map<number, number>();
  readonly #items = new Map<string, Map<number, number>>();
  readonly #inflated: boolean;
  readonly #streams = new Set<string>();

  constructor(mapped: MappedObject, work: Work) {
    this.mapped = mapped;
    this.work = work;
    this.syntax = transferSyntaxByUID.get(mapped.transferSyntaxUID);
    this.#inflated = mapped.dataSetSource !== mapped.source;
    const { elements } = mapped;
    for (let index = 0; index < elements.count; index += 1) {
      if (elements.depths[index] === 0 && elements.tags[index]! > 0x0002ffff) this.#top.set(elements.tags[index]!, index);
    }
  }

  /** Index of a top-level element of the Data Set, or -1. */
  top(tag: number): number {
    return this.#top.get(tag) ?? -1;
  }

  /** The elements of the same Data Set or Item as `index`, by tag. Each Item is gone through once, however often it is asked for. */
  siblings(index: number): (tag: number) => number {
    const { elements } = this.mapped;
    const depth = elements.depths[index]!;
    if (depth === 0) return (tag) => this.top(tag);
    const parent = elements.parents[index]!;
    const item = elements.items[index]!;
    const key = `${parent} ${item}`;
    let found = this.#items.get(key);
    if (found === undefined) {
      found = new Map<number, number>();
      this.#items.set(key, found);
      // What is deeper than this one lies between the elements of the same Item.
      const isInside = (at: number): boolean => elements.depths[at]! > depth || (elements.parents[at] === parent && elements.items[at] === item);
      let first = index;
      while (first > parent + 1 && isInside(first - 1)) first -= 1;
      for (let at = first; at < elements.count && isInside(at); at += 1) if (elements.depths[at] === depth) found.set(elements.tags[at]!, at);
    }
    return (tag) => found.get(tag) ?? -1;
  }

  bytes(index: number, from = 0, length = this.mapped.elements.valueLengths[index]! - from): Uint8Array {
    return this.mapped.dataSetSource.read(this.mapped.elements.valueOffsets[index]! + from, length);
  }

  length(index: number): number {
    return this.mapped.elements.valueLengths[index]!;
  }

  /** Text of an identifier: padding removed, "" where it is absent or longer than any identifier. */
  text(index: number): string {
    if (index < 0) return '';
    const length = this.length(index);
    if (length > textBytesMax) return '';
    const bytes = this.bytes(index);
    let end = bytes.length;
    while (end > 0 && (bytes[end - 1] === 0 || bytes[end - 1] === 0x20)) end -= 1;
    let text = '';
    for (let at = 0; at < end; at += 1) text += String.fromCharCode(bytes[at]!);
    return text;
  }

  /** 16 bit number at a position of a value, or NaN. */
  unsigned16(index: number, position = 0): number {
    if (index < 0 || this.length(index) < position * 2 + 2) return Number.NaN;
    const bytes = this.bytes(index, position * 2, 2);
    return this.syntax?.littleEndian === false ? (bytes[0]! << 8) | bytes[1]! : bytes[0]! | (bytes[1]! << 8);
  }

  /** Room that is left for parts: whoever unpacks bounds the output by it. */
  get partBytesLeft(): number {
    return partBytesMax - this.#partBytes;
  }

  /** Gives a part to the engines and to the rules of content. False, with a finding, where the object has more of them than are looked at. */
  addPart(part: Part): boolean {
    if (this.parts.length >= partsMax || part.bytes.length > this.partBytesLeft) {
      this.addAbout(part, 'part-limit', `More is packed into the object than is looked at (${partsMax} parts, ${partBytesMax} bytes).`);
      return false;
    }
    this.#partBytes += part.bytes.length;
    this.parts.push(part);
    return true;
  }

  /** Notes that the packed stream which begins there was unpacked (or said to be broken), so that a search need not do it again. */
  noteStream(offset: number, outside: boolean): void {
    this.#streams.add(`${outside} ${offset}`);
  }

  isUnpacked(offset: number, outside: boolean): boolean {
    return this.#streams.has(`${outside} ${offset}`);
  }

  /** Notes a finding about a part: its place is that of what it came out of. */
  addAbout({ at, tag = '', outside = false }: Pick<Part, 'at' | 'tag' | 'outside'>, code: string, text: string, engine = 'content'): void {
    this.addAt(code, at.offset, at.length, tag, text, !outside, engine);
  }

  /** Notes a finding about an element (its value) or, with -1, about the object. */
  add(code: string, index: number, text: string): void {
    const { elements } = this.mapped;
    if (index < 0) this.addAt(code, 0, 0, '', text);
    else this.addAt(code, elements.valueOffsets[index]!, elements.valueLengths[index]!, tagText(elements.tags[index]!), text, true);
  }

  /** Notes a finding about a range of the object, or of its inflated Data Set. */
  addAt(code: string, offset: number, length: number, tag: string, text: string, inDataSet = false, engine = 'content'): void {
    const count = this.#counts.get(code) ?? 0;
    this.#counts.set(code, count + 1);
    if (count >= findingsOfOneCodeMax) return;
    const mapped = this.mapped;
    // Offsets that people see are those of the file; what is inside a deflated Data Set has none of its own.
    const place = inDataSet && this.#inflated ? { offset: mapped.dataSetOffset, length: mapped.dataSetLength, text: `${text} (byte ${offset} of the inflated Data Set)` } : { offset, length, text };
    this.findings.push({ code, tag, engine, ...place });
  }
}
