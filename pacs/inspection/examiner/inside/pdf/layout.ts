/**
 * Which objects a PDF has, and what lies between them (ISO 32000-2 §7.5).
 *
 * Readers take the cross-reference table, or, where it is damaged, whatever looks like an object; which table is damaged they decide each in its
 * way. So no table is believed here: every place where an object could begin is read, those that an earlier revision left, those that no table
 * names, and those inside of strings, comments and streams. The last are no accident: a document that has them is read in two ways.
 */
import { isBlank, solidBytes, type Budget } from '../contract.ts';
import { isRegular, isWhite, readValue, skipBlank, valuesOf, type Value } from './tokens.ts';

/** A report has some hundred, a long one ten thousand. */
export const objectsMax = 200_000;
/** The comment that tells transfer programs that the file is binary has four bytes; producers write their name. */
const commentBytesMax = 256;
/** Line ends that writers forget to count. */
const lengthSlackBytes = 4;

export interface Stream { readonly start: number; readonly end: number }
export interface PDFObject {
  readonly number: number;
  readonly value: Value | null;
  readonly stream: Stream | null;
}

export interface Layout {
  /** Ranges that belong to nothing. */
  readonly gaps: readonly (readonly [start: number, end: number])[];
  /** Objects where readers that go by the structure see none. */
  readonly hidden: number;
  /** Streams whose length readers understand in two ways. */
  readonly ambiguous: number;
  /** Values that readers mend, each in its way. */
  readonly broken: number;
  /** Offset of the header, or -1. */
  readonly header: number;
}

/** Blanks between number, generation and `obj`; what has more of them is no object to anybody. */
const blanksMax = 256;
/** Of an object's number and its generation. */
const digitsMax = 10;

interface Header { readonly number: number; readonly next: number }

/** Places where objects begin (`N G obj`), also inside of strings, comments and streams: what a reference may mean. */
export class Places {
  readonly #headers = new Map<number, Header>();
  readonly #offsets = new Map<number, number[]>();

  constructor(bytes: Buffer, budget: Budget) {
    budget.step(bytes.length >>> 6);
    for (let found = bytes.indexOf('obj', 0, 'latin1'); found >= 0 && this.#headers.size <= objectsMax; found = bytes.indexOf('obj', found + 3, 'latin1')) {
      budget.step(4);
      const generation = before(bytes, found, isWhite, blanksMax);
      const between = before(bytes, generation, isDigit, digitsMax);
      const number = before(bytes, between, isWhite, blanksMax);
      const start = before(bytes, number, isDigit, digitsMax);
      if (generation === found || between === generation || number === between || start === number) continue;
      const header = { number: Number(bytes.toString('latin1', start, number)), next: found + 3 };
      this.#headers.set(start, header);
      const known = this.#offsets.get(header.number);
      if (known === undefined) this.#offsets.set(header.number, [header.next]);
      else known.push(header.next);
    }
  }

  get count(): number {
    return this.#headers.size;
  }
  get all(): IterableIterator<number> {
    return this.#headers.keys();
  }

  /** The header that begins at an offset. */
  at(offset: number): Header | undefined {
    return this.#headers.get(offset);
  }

  /** Offsets behind `N G obj`: the last ones, where one number is used without end. */
  of(number: number): readonly number[] {
    return (this.#offsets.get(number) ?? []).slice(-16);
  }
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}

/** Where a run of bytes that ends before `end` begins. */
function before(bytes: Buffer, end: number, belongs: (byte: number | undefined) => boolean, max: number): number {
  let at = end;
  while (at > 0 && end - at < max && belongs(bytes[at - 1])) at -= 1;
  return at;
}

/** Goes through the file from its first byte to its last; objects and trailers are given to `see` as they come. */
export function readLayout(bytes: Buffer, text: string, places: Places, budget: Budget, see: (object: PDFObject) => void): Layout {
  const gaps: [number, number][] = [];
  const visited = new Set<number>();
  let [hidden, ambiguous, broken] = [0, 0, 0];
  const head = bytes.subarray(0, 1024).indexOf('%PDF-', 0, 'latin1');
  /** Blanks do not end what belongs to nothing: a page in front of the header has words. */
  let isOpen = false;
  const gap = (start: number, end: number): void => {
    const last = gaps.at(-1);
    if (isOpen && last !== undefined) last[1] = end;
    else gaps.push([start, end]);
    isOpen = true;
  };
  const object = (at: number): number => {
    visited.add(at);
    isOpen = false;
    const header = places.at(at)!;
    const read = readValue(bytes, header.next, budget);
    if (read.broken) broken += 1;
    const after = skipBlank(bytes, read.next);
    budget.step((after - read.next) >>> 4);
    let stream: Stream | null = null;
    let end = read.next;
    if (isWord(bytes, after, 'stream') && read.value !== null && typeof read.value !== 'number' && read.value.type === 'dictionary') {
      const extent = streamAt(bytes, after, read.value, places, budget);
      stream = extent.stream;
      end = extent.next;
      if (extent.ambiguous) ambiguous += 1;
    }
    const close = skipBlank(bytes, end);
    budget.step((close - end) >>> 4);
    if (isWord(bytes, close, 'endobj')) end = close + 6;
    see({ number: header.number, value: read.value, stream });
    return end;
  };

  let at = 0;
  while (at < bytes.length) {
    budget.step();
    const byte = bytes[at]!;
    if (isBlank(byte)) {
      const start = at;
      while (at < bytes.length && isBlank(bytes[at]!)) at += 1;
      budget.step((at - start) >>> 4);
    } else if (byte === 0x25) {
      const start = at;
      while (at < bytes.length && bytes[at] !== 10 && bytes[at] !== 13) at += 1;
      if (at - start > commentBytesMax) gap(start, at);
    } else if (byte >= 0x30 && byte <= 0x39) {
      if (places.at(at) !== undefined) at = object(at);
      else {
        const start = at;
        while (at < bytes.length && bytes[at]! >= 0x30 && bytes[at]! <= 0x39) at += 1;
        gap(start, at);
      }
    } else if (isWord(bytes, at, 'xref')) {
      isOpen = false;
      at = tableEnd(text, at + 4, budget);
    } else if (isWord(bytes, at, 'startxref')) {
      isOpen = false;
      at = numberEnd(bytes, at + 9);
    } else if (isWord(bytes, at, 'trailer')) {
      isOpen = false;
      const read = readValue(bytes, at + 7, budget);
      if (read.broken) broken += 1;
      see({ number: -1, value: read.value, stream: null });
      at = Math.max(read.next, at + 7);
    } else {
      gap(at, at + 1);
      at += 1;
    }
  }
  for (const place of places.all) {
    if (visited.has(place)) continue;
    hidden += 1;
    object(place);
  }
  return { gaps: gaps.filter(([start, end]) => solidBytes(bytes.subarray(start, end)) > 0), hidden, ambiguous, broken, header: head };
}

function isWord(bytes: Buffer, at: number, word: string): boolean {
  if (at + word.length > bytes.length) return false;
  for (let index = 0; index < word.length; index += 1) if (bytes[at + index] !== word.charCodeAt(index)) return false;
  return !isRegular(bytes[at + word.length]);
}

const tableLine = /[\0\t\n\f\r ]{0,64}\d{1,20}[\0\t\n\f\r ]{1,64}\d{1,20}(?:[\0\t\n\f\r ]{1,64}[nf](?![a-z]))?(?![\0\t\n\f\r ]{0,64}obj)/y;

/** Past the subsections and entries of a cross-reference table. */
function tableEnd(text: string, from: number, budget: Budget): number {
  let at = from;
  for (;;) {
    budget.step();
    tableLine.lastIndex = at;
    const found = tableLine.exec(text);
    if (found === null) return at;
    at += found[0].length;
  }
}

function numberEnd(bytes: Buffer, from: number): number {
  let at = skipBlank(bytes, from);
  while (at < bytes.length && bytes[at]! >= 0x30 && bytes[at]! <= 0x39) at += 1;
  return at;
}

interface Extent { readonly stream: Stream; readonly next: number; readonly ambiguous: boolean }

const endWord = 'endstream';

/** Data of a stream: by its length where `endstream` follows there, else up to `endstream`. */
function streamAt(bytes: Buffer, keyword: number, dictionary: Value, places: Places, budget: Budget): Extent {
  let start = keyword + 6;
  while (bytes[start] === 0x20 || bytes[start] === 0x09) start += 1;
  if (bytes[start] === 13) start += 1;
  if (bytes[start] === 10) start += 1;
  const found = bytes.indexOf(endWord, start, 'latin1');
  const searched = found < 0 ? bytes.length : found;
  budget.step(1 + ((searched - start) >>> 8));
  const lengths = lengthsOf(dictionary, places, bytes, budget);
  for (const length of lengths) {
    const end = start + length;
    if (end > bytes.length) continue;
    let close = end;
    while (close < end + lengthSlackBytes && isWhite(bytes[close])) close += 1;
    if (!isWord(bytes, close, endWord) && bytes.toString('latin1', close, close + endWord.length) !== endWord) continue;
    // A stream that holds the word itself ends there for readers that search for it.
    return { stream: { start, end }, next: close + endWord.length, ambiguous: searched < end };
  }
  let end = searched;
  if (end > start && bytes[end - 1] === 10) end -= 1;
  if (end > start && bytes[end - 1] === 13) end -= 1;
  const near = lengths.some((length) => Math.abs(start + length - end) <= lengthSlackBytes);
  return { stream: { start, end }, next: found < 0 ? bytes.length : found + endWord.length, ambiguous: !near || found < 0 };
}

/** What the length may be: said directly, or by an object, of which there may be several. */
function lengthsOf(dictionary: Value, places: Places, bytes: Buffer, budget: Budget): number[] {
  const lengths: number[] = [];
  for (const value of valuesOf(dictionary, 'Length')) {
    if (typeof value === 'number') lengths.push(value);
    else if (value.type === 'reference') {
      for (const offset of places.of(value.number)) {
        const read = readValue(bytes, offset, budget);
        if (typeof read.value === 'number') lengths.push(read.value);
      }
    }
  }
  return lengths.filter((length) => Number.isInteger(length) && length >= 0);
}
