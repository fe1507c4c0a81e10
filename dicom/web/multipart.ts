/**
 * multipart/related (RFC 2046 §5.1, RFC 2387; PS3.18 §8.6.1.2), streaming: bytes in, parts out. Nothing of a body is kept or copied.
 *
 * The delimiter begins with CR, which occurs nowhere else in it. So a chunk can end in the middle of at most one candidate, which is
 * remembered as a count of matched bytes; and verifying candidates from their front takes linear time however the bytes were chosen.
 */
import { isBoundary } from './mediatype.ts';

/** Header fields of one part, names in lower case. */
export type PartHeaders = ReadonlyMap<string, string>;

export interface MultipartSink {
  partBegin(headers: PartHeaders): void;
  /** A slice of the chunk that was pushed: valid as long as that chunk is. */
  partData(bytes: Uint8Array): void;
  partEnd(): void;
}

export interface MultipartLimits {
  /** A study of 20,000 instances in one message is as large as anyone sends; each part costs a file. */
  readonly partsMax: number;
  /** Header fields of one part: DICOM's are Content-Type, Content-Location, Content-ID and few more. */
  readonly headerBytesMax: number;
  readonly headerFieldsMax: number;
  /** Text before the first delimiter. RFC 2046 allows it, nobody in DICOM sends it. */
  readonly preambleBytesMax: number;
}
export const multipartLimits: MultipartLimits = { partsMax: 100_000, headerBytesMax: 4096, headerFieldsMax: 16, preambleBytesMax: 1024 };

export const multipartProblems = [
  'boundary-invalid', 'parts-exceeded', 'part-header-exceeded', 'part-header-invalid', 'preamble-exceeded', 'delimiter-invalid', 'message-truncated',
] as const;
export type MultipartProblemCode = (typeof multipartProblems)[number];

export class MultipartProblem extends Error {
  readonly code: MultipartProblemCode;
  /** Bytes of the message before the one that was wrong. */
  readonly offset: number;
  constructor(code: MultipartProblemCode, offset: number, message: string) {
    super(message);
    this.name = 'MultipartProblem';
    this.code = code;
    this.offset = offset;
  }
}

const CR = 13;
const LF = 10;
const DASH = 45;
const SPACE = 32;
const TAB = 9;

type State = 'preamble' | 'line' | 'headers' | 'body' | 'epilogue';

export class MultipartReader {
  readonly #delimiter: Uint8Array;
  /** Horspool: how far the window may move when its last byte is this one. */
  readonly #shift = new Uint8Array(256);
  /** 1 for bytes that the delimiter has somewhere. */
  readonly #member = new Uint8Array(256);
  readonly #sink: MultipartSink;
  readonly #limits: MultipartLimits;
  #state: State = 'preamble';
  /** Bytes of the delimiter that the end of the last chunk matched. The message begins as if after CRLF, so that its first delimiter needs none. */
  #matched = 2;
  /** Collected bytes of the line after a delimiter, or of a part's headers. */
  #text: number[] = [];
  #parts = 0;
  #preamble = 0;
  #offset = 0;

  /** Throws `boundary-invalid` unless `boundary` is one by RFC 2046. */
  constructor(boundary: string, sink: MultipartSink, limits: MultipartLimits = multipartLimits) {
    if (!isBoundary(boundary)) throw new MultipartProblem('boundary-invalid', 0, 'the boundary is not one of 1 to 70 permitted characters');
    this.#delimiter = ascii(`\r\n--${boundary}`);
    const last = this.#delimiter.length - 1;
    this.#shift.fill(this.#delimiter.length);
    for (let index = 0; index < last; index++) this.#shift[this.#delimiter[index]!] = last - index;
    for (const byte of this.#delimiter) this.#member[byte] = 1;
    this.#sink = sink;
    this.#limits = limits;
  }

  /** Takes the next chunk of the message; calls the sink for what it holds. Throws MultipartProblem; the reader is then of no more use. */
  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length) {
      switch (this.#state) {
        case 'preamble':
        case 'body':
          at = this.#search(chunk, at);
          break;
        case 'line':
          at = this.#afterDelimiter(chunk, at);
          break;
        case 'headers':
          at = this.#headers(chunk, at);
          break;
        case 'epilogue':
          // RFC 2046: to be ignored. The door bounds the length of the whole message.
          at = chunk.length;
          break;
      }
    }
    this.#offset += chunk.length;
  }

  /** The message is over. Throws `message-truncated` unless its close delimiter was seen. */
  end(): void {
    if (this.#state !== 'epilogue') throw new MultipartProblem('message-truncated', this.#offset, 'the message ends before its close delimiter');
  }

  /** Number of parts begun so far. */
  get parts(): number {
    return this.#parts;
  }

  /** Hands on body bytes up to the next delimiter or the end of the chunk. Returns where to go on. */
  #search(chunk: Uint8Array, from: number): number {
    const delimiter = this.#delimiter;
    const length = delimiter.length;
    let at = from;
    if (this.#matched > 0) {
      let matched = this.#matched;
      while (matched < length && at < chunk.length && chunk[at] === delimiter[matched]) {
        matched += 1;
        at += 1;
      }
      if (matched === length) return this.#delimited(at);
      if (at === chunk.length) {
        this.#matched = matched;
        return at;
      }
      // No delimiter after all. The virtual CRLF before the message is no data; what matched of real bytes is.
      const virtual = this.#state === 'preamble' && this.#preamble === 0 ? Math.min(2, matched) : 0;
      this.#data(delimiter.subarray(virtual, matched));
      this.#matched = 0;
    }
    const start = at;
    const last = length - 1;
    const lastByte = delimiter[last]!;
    const shift = this.#shift;
    const member = this.#member;
    const stop = chunk.length - length;
    const stride = 8 * length;
    let window = start;
    /** Before this, shift by shift: where the bytes are those of a delimiter, looking ahead would be in vain. */
    let stepwise = start;
    while (window <= stop) {
      // Eight bytes, each a delimiter's length behind the one before: where none of them is in a delimiter, none lies in all that they cover. These
      // looks do not wait for each other, as each shift does for the last.
      while (window >= stepwise && window <= chunk.length - stride) {
        let at = window + last;
        let met = member[chunk[at]!]!;
        met |= member[chunk[at += length]!]!;
        met |= member[chunk[at += length]!]!;
        met |= member[chunk[at += length]!]!;
        met |= member[chunk[at += length]!]!;
        met |= member[chunk[at += length]!]!;
        met |= member[chunk[at += length]!]!;
        met |= member[chunk[at += length]!]!;
        if (met === 0) window += stride;
        else stepwise = window + stride;
      }
      if (window > stop) break;
      const byte = chunk[window + last]!;
      if (byte === lastByte && chunk[window] === CR && matches(chunk, window, delimiter)) {
        if (window > start) this.#data(chunk.subarray(start, window));
        return this.#delimited(window + length);
      }
      window += shift[byte]!;
    }
    // The rest is shorter than a delimiter. Only the last CR in it can begin one.
    const tail = chunk.lastIndexOf(CR);
    if (tail >= Math.max(start, stop + 1) && matches(chunk, tail, delimiter.subarray(0, chunk.length - tail))) {
      this.#matched = chunk.length - tail;
      if (tail > start) this.#data(chunk.subarray(start, tail));
    } else if (chunk.length > start) {
      this.#data(chunk.subarray(start));
    }
    return chunk.length;
  }

  #data(bytes: Uint8Array): void {
    if (this.#state === 'body') {
      if (bytes.length > 0) this.#sink.partData(bytes);
      return;
    }
    this.#preamble += bytes.length;
    if (this.#preamble > this.#limits.preambleBytesMax) throw new MultipartProblem('preamble-exceeded', this.#offset, `more than ${this.#limits.preambleBytesMax} bytes before the first part`);
  }

  #delimited(at: number): number {
    if (this.#state === 'body') this.#sink.partEnd();
    this.#matched = 0;
    this.#state = 'line';
    this.#text = [];
    return at;
  }

  /** After a delimiter come white space and CRLF, or two dashes. Anything else would be a line that only begins like it: refused, others would read it otherwise. */
  #afterDelimiter(chunk: Uint8Array, from: number): number {
    const text = this.#text;
    for (let at = from; at < chunk.length; at++) {
      const byte = chunk[at]!;
      text.push(byte);
      if (text[0] === DASH) {
        if (text.length === 1) continue;
        if (byte !== DASH) break;
        this.#state = 'epilogue';
        return at + 1;
      }
      const before = text[text.length - 2];
      if (byte === LF && before === CR) {
        this.#parts += 1;
        if (this.#parts > this.#limits.partsMax) throw new MultipartProblem('parts-exceeded', this.#offset + at, `more than ${this.#limits.partsMax} parts`);
        this.#state = 'headers';
        this.#text = [];
        return at + 1;
      }
      if (before === CR || (byte !== CR && byte !== SPACE && byte !== TAB) || text.length > 256) break;
      if (at + 1 === chunk.length) return chunk.length;
    }
    if (text.length === 1 && text[0] === DASH) return chunk.length;
    throw new MultipartProblem('delimiter-invalid', this.#offset + from, 'a boundary delimiter is followed by neither a line end nor two dashes');
  }

  #headers(chunk: Uint8Array, from: number): number {
    const text = this.#text;
    for (let at = from; at < chunk.length; at++) {
      text.push(chunk[at]!);
      const count = text.length;
      if (chunk[at] === LF && text[count - 2] === CR && (count === 2 || (text[count - 3] === LF && text[count - 4] === CR))) {
        const headers = this.#parseHeaders(String.fromCharCode(...text.slice(0, -2)), at);
        this.#state = 'body';
        this.#matched = 0;
        this.#sink.partBegin(headers);
        return at + 1;
      }
      if (count > this.#limits.headerBytesMax) throw new MultipartProblem('part-header-exceeded', this.#offset + at, `the header of a part has more than ${this.#limits.headerBytesMax} bytes`);
    }
    return chunk.length;
  }

  #parseHeaders(text: string, at: number): PartHeaders {
    const headers = new Map<string, string>();
    for (const line of text.split('\r\n')) {
      if (line === '') continue;
      // Visible characters, blanks and tabs only; no folding, which is obsolete and read differently by everyone.
      const match = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\x20-\x7e\t\x80-\xff]*)$/.exec(line);
      if (match === null) throw new MultipartProblem('part-header-invalid', this.#offset + at, 'a header field of a part is not "name: value"');
      const name = match[1]!.toLowerCase();
      if (headers.has(name)) throw new MultipartProblem('part-header-invalid', this.#offset + at, `a part says ${name} twice`);
      headers.set(name, match[2]!.trim());
      if (headers.size > this.#limits.headerFieldsMax) throw new MultipartProblem('part-header-exceeded', this.#offset + at, `a part has more than ${this.#limits.headerFieldsMax} header fields`);
    }
    return headers;
  }
}

function matches(bytes: Uint8Array, at: number, pattern: Uint8Array): boolean {
  for (let index = 0; index < pattern.length; index++) if (bytes[at + index] !== pattern[index]) return false;
  return true;
}

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** Content-Type of a multipart/related message whose parts are (or whose root is) of `type` (PS3.18 §8.6.1.2.1). */
export function multipartType(type: string, boundary: string): string {
  return `multipart/related; type="${type}"; boundary="${boundary}"`;
}

/** What stands before the body of a part: its delimiter and header fields. `first` leaves out the line end that closes the body before. */
export function partHead(boundary: string, headers: readonly (readonly [string, string])[], first: boolean): Uint8Array {
  return ascii(`${first ? '' : '\r\n'}--${boundary}\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`);
}

/** What stands after the body of the last part. */
export function closeDelimiter(boundary: string): Uint8Array {
  return ascii(`\r\n--${boundary}--\r\n`);
}

/** A boundary from random bytes (16 or more, so that no body holds it by chance or design). */
export function boundaryFrom(random: Uint8Array): string {
  return Array.from(random, (byte) => byte.toString(16).padStart(2, '0')).join('').slice(0, 70);
}
