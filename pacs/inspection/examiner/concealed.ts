/**
 * What is packed, or written in another alphabet, anywhere among bytes: gzip and zlib streams, base64 and hexadecimal text, text of 16 bit characters.
 * It looks the same among pixels, in a private value and behind the scan of a JPEG, so one search is for all of them.
 *
 * Not found, since nothing marks them: a deflate stream without a header among other bytes, and what was combined with a key.
 */
import { constants, inflateRawSync, zstdDecompressSync } from 'node:zlib';
import { beginsDeflate } from './deflatehead.ts';

/** A script of one line, or EICAR, is not shorter in base64; identifiers hold other characters. */
export const textRunBytesMin = 64;
/** A run of this length is a part of its own; shorter ones (digests, keys, words) are looked at together. */
const ownRunBytesMin = 160;
/** A command that does harm is longer. */
const wideCharactersMin = 24;
/** Every text of that length lies over one of these places. */
const wideStep = 2 * wideCharactersMin - 2;
/** The header of a gzip stream, and its end. */
export const packedBytesMin = 18;
/** In one view: an export with a thousand pictures in it has come across nobody yet. */
const streamsMax = 1024;
/** Runs that are looked at together, and what parts them. */
const gatheredBytesMax = 4 * 1024 * 1024;
const gap = Buffer.alloc(16);

export interface Concealed {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Where it begins in what was searched; of many together the first one. */
  readonly at: number;
  /** Text that need not have been written for that: two bytes at the start may be there by chance. */
  readonly guessed: boolean;
  /** gzip or zlib. */
  readonly packed: boolean;
  /** Many short texts together: not worth keeping once it was looked at. */
  readonly loose: boolean;
}

export interface Searched {
  /** How much a stream may still unpack to. */
  room(): number;
  /** Streams begin there or later: what a value begins with is looked at by `unpack`. */
  readonly from: number;
  /** What begins there or later belongs to the next window. */
  readonly end: number;
  /** There is more behind these bytes: a stream that reaches their end was not seen to its own. */
  readonly more: boolean;
}

/** Everything concealed in `bytes`, unpacked; `limit` where there is more of it than is unpacked. Nothing is kept between two calls. */
export function* concealedIn(bytes: Buffer, searched: Searched): Generator<Concealed | 'limit', void, void> {
  yield* gzipsIn(bytes, searched);
  yield* zlibsIn(bytes, searched);
  yield* zstdsIn(bytes, searched);
  yield* objectsIn(bytes, searched);
  yield* textRunsIn(bytes, searched.end);
  yield* wideTextsIn(bytes, searched.end);
}

/**
 * RFC 1952: magic, deflate, and no reserved flag, a compression hint and a system that exist. Readers do not ask for those: where they are others, it is one
 * if a stream begins behind the header.
 */
export function isGzip(bytes: Buffer, at = 0): boolean {
  if (at + packedBytesMin > bytes.length || bytes[at] !== 0x1f || bytes[at + 1] !== 0x8b || bytes[at + 2] !== 8) return false;
  if ((bytes[at + 3]! & 0xe0) === 0 && [0, 2, 4].includes(bytes[at + 8]!) && (bytes[at + 9]! <= 13 || bytes[at + 9] === 255)) return true;
  const body = gzipBodyAt(bytes, at);
  return body >= 0 && beginsDeflate(bytes, body);
}

/** Where the deflate stream begins after the header of RFC 1952, or -1. */
export function gzipBodyAt(bytes: Buffer, at: number): number {
  const flags = bytes[at + 3]!;
  let body = at + 10;
  if ((flags & 4) !== 0) body += 2 + (bytes[at + 10]! | (bytes[at + 11]! << 8));
  for (const named of [8, 16]) if ((flags & named) !== 0) body = bytes.indexOf(0, body) < 0 ? bytes.length : bytes.indexOf(0, body) + 1;
  if ((flags & 2) !== 0) body += 2;
  return body < bytes.length ? body : -1;
}

/** Checksum and length are not asked for, since those who unpack it need not ask either. Null where it is no deflate stream. */
export function inflatedFrom(bytes: Buffer, at: number, room: number, more = false): Buffer | 'limit' | null {
  try {
    const { buffer, engine } = inflateRawSync(bytes.subarray(at), { maxOutputLength: room, finishFlush: constants.Z_SYNC_FLUSH, info: true }) as unknown as { readonly buffer: Buffer; readonly engine: { readonly bytesWritten: number } };
    if (buffer.length === 0) return null;
    return more && at + engine.bytesWritten >= bytes.length ? 'limit' : buffer;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' ? 'limit' : null;
  }
}

/** Ten bytes of header do not occur by chance, and an object with a thousand of them is no record. */
function* gzipsIn(bytes: Buffer, { room, from, end, more }: Searched): Generator<Concealed | 'limit', void, void> {
  let count = 0;
  for (let at = bytes.indexOf('\x1f\x8b\x08', from, 'latin1'); at >= 0 && at < end; at = bytes.indexOf('\x1f\x8b\x08', at + 1, 'latin1')) {
    if (!isGzip(bytes, at)) continue;
    const body = gzipBodyAt(bytes, at);
    const found = body < 0 ? null : inflatedFrom(bytes, body, room(), more);
    if (found === null) continue;
    if (found === 'limit' || ++count > streamsMax) return void (yield 'limit');
    yield { name: 'a gzip stream', bytes: found, at, guessed: false, packed: true, loose: false };
  }
}

/** RFC 1950 with the window of 32 KiB that every packer has, at its four levels. */
const zlibHeads = ['\x78\x9c', '\x78\xda', '\x78\x01', '\x78\x5e'] as const;

function* zlibsIn(bytes: Buffer, { room, from, end, more }: Searched): Generator<Concealed | 'limit', void, void> {
  let count = 0;
  for (const head of zlibHeads) {
    for (let at = bytes.indexOf(head, from, 'latin1'); at >= 0 && at < end; at = bytes.indexOf(head, at + 1, 'latin1')) {
      if (!beginsDeflate(bytes, at + 2)) continue;
      const found = inflatedFrom(bytes, at + 2, room(), more);
      if (found === null) continue;
      if (found === 'limit' || ++count > streamsMax) return void (yield 'limit');
      // What follows a head by chance may unpack to some bytes of nothing.
      yield { name: 'a zlib stream', bytes: found, at, guessed: true, packed: true, loose: false };
    }
  }
}

/** RFC 8878 §3.1.1: its magic, and a frame header without the reserved bit. */
function* zstdsIn(bytes: Buffer, { room, from, end }: Searched): Generator<Concealed | 'limit', void, void> {
  let count = 0;
  for (let at = bytes.indexOf('\x28\xb5\x2f\xfd', from, 'latin1'); at >= 0 && at < end; at = bytes.indexOf('\x28\xb5\x2f\xfd', at + 1, 'latin1')) {
    if (at + packedBytesMin > bytes.length || (bytes[at + 4]! & 0x08) !== 0) continue;
    const found = unzstd(bytes.subarray(at), room());
    if (found === null) continue;
    if (found === 'limit' || ++count > streamsMax) return void (yield 'limit');
    yield { name: 'a zstd stream', bytes: found, at, guessed: false, packed: true, loose: false };
  }
}

/** Null where it is none. What there is of one that is cut off is given. */
function unzstd(bytes: Buffer, room: number): Buffer | 'limit' | null {
  try {
    const found = zstdDecompressSync(bytes, { maxOutputLength: room, finishFlush: constants.ZSTD_e_flush });
    return found.length === 0 ? null : found;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' ? 'limit' : null;
  }
}

/** PS3.10 §7.1: the prefix, the group length of the File Meta Information, and what is deflated behind it (PS3.5 A.5). */
function* objectsIn(bytes: Buffer, { room, end, more }: Searched): Generator<Concealed | 'limit', void, void> {
  let count = 0;
  for (let at = bytes.indexOf(objectHead, 0, 'latin1'); at >= 0 && at < end; at = bytes.indexOf(objectHead, at + 1, 'latin1')) {
    const body = at + objectHead.length + 4 <= bytes.length ? at + objectHead.length + 4 + bytes.readUInt32LE(at + objectHead.length) : bytes.length;
    if (body >= bytes.length || !beginsDeflate(bytes, body)) continue;
    const found = inflatedFrom(bytes, body, room(), more);
    if (found === null) continue;
    if (found === 'limit' || ++count > streamsMax) return void (yield 'limit');
    yield { name: 'a deflated Data Set', bytes: found, at, guessed: true, packed: true, loose: false };
  }
}
const objectHead = 'DICM\x02\0\0\0UL\x04\0';

const none = 0;
const upper = 1;
const lower = 2;
const digit = 4;
const sign = 8;
const lineEnd = 16;
const letters = new Uint8Array(256);
for (let code = 0x41; code <= 0x5a; code += 1) letters[code] = upper;
for (let code = 0x61; code <= 0x7a; code += 1) letters[code] = lower;
for (let code = 0x30; code <= 0x39; code += 1) letters[code] = digit;
for (const character of '+/=-_') letters[character.charCodeAt(0)] = sign;
letters[0x0a] = lineEnd;
letters[0x0d] = lineEnd;

/** Pieces that are looked at in one go. */
class Gathered {
  readonly #name: string;
  #parts: Uint8Array[] = [];
  #length = 0;
  #at = 0;

  constructor(name: string) {
    this.#name = name;
  }

  /** What is full is given back. */
  *add(bytes: Uint8Array, at: number): Generator<Concealed, void, void> {
    if (this.#length === 0) this.#at = at;
    this.#parts.push(bytes, gap);
    this.#length += bytes.length + gap.length;
    if (this.#length >= gatheredBytesMax) yield* this.take();
  }

  *take(): Generator<Concealed, void, void> {
    if (this.#length === 0) return;
    yield { name: this.#name, bytes: Buffer.concat(this.#parts), at: this.#at, guessed: true, packed: false, loose: true };
    this.#parts = [];
    this.#length = 0;
  }
}

/**
 * Runs of base64 or hexadecimal text, decoded. A run may have begun before the text that matters: letters in front of it shift what it decodes to, so
 * base64 is read from each of its first four characters on, and hexadecimal digits from the first two.
 */
function* textRunsIn(bytes: Buffer, last: number): Generator<Concealed, void, void> {
  const gathered = new Gathered('texts in base64 or hexadecimal digits, decoded,');
  // A run of that length has a byte at one of these places.
  for (let probe = textRunBytesMin - 1; probe < bytes.length; probe += textRunBytesMin) {
    if (letters[bytes[probe]!] === none) continue;
    let start = probe;
    while (start > 0 && letters[bytes[start - 1]!] !== none) start -= 1;
    let end = probe + 1;
    while (end < bytes.length && letters[bytes[end]!] !== none) end += 1;
    if (end - start < textRunBytesMin) continue;
    if (start >= last) break;
    probe = Math.max(probe, end - 1);
    for (const { plain, hex } of textsOf(bytes, start, end)) {
      const readings = readingsOf(plain, hex);
      const isOwn = plain.length >= ownRunBytesMin;
      if (isOwn) yield { name: hex ? 'hexadecimal text' : 'base64 text', bytes: readings[0]!, at: start, guessed: true, packed: false, loose: false };
      for (const reading of readings.slice(isOwn ? 1 : 0)) yield* gathered.add(reading, start);
    }
  }
  yield* gathered.take();
}

/**
 * The texts of a run without its line ends. Characters of one class are no base64: rulers, words, and the pixels of a picture that happen to lie between
 * two letters. What follows "=" is another text.
 */
function* textsOf(bytes: Buffer, start: number, end: number): Generator<{ readonly plain: string; readonly hex: boolean }, void, void> {
  let classes = 0;
  for (let at = start; at < end; at += 1) classes |= letters[bytes[at]!]!;
  classes &= upper | lower | digit;
  if (classes === upper || classes === lower || classes === digit || classes === 0) return;
  for (const plain of bytes.toString('latin1', start, end).replaceAll(/[\r\n]/g, '').split(/=+/)) {
    if (plain.length < textRunBytesMin) continue;
    const digits = plain.match(hexRuns);
    // Letters before or after hexadecimal digits: both readings are possible.
    if (digits?.[0].length !== plain.length) yield { plain, hex: false };
    for (const run of digits ?? []) yield { plain: run, hex: true };
  }
}

const hexRuns = new RegExp(`[0-9a-fA-F]{${textRunBytesMin},}`, 'g');

function readingsOf(plain: string, hex: boolean): readonly Buffer[] {
  return hex ? [0, 1].map((from) => Buffer.from(plain.slice(from), 'hex')) : [0, 1, 2, 3].map((from) => Buffer.from(plain.slice(from), 'base64'));
}

/** Text of 16 bit characters, of either byte order, as 8 bit ones: the low bytes stand apart by one, zeros between. */
function* wideTextsIn(bytes: Buffer, last: number): Generator<Concealed, void, void> {
  const gathered = new Gathered('text of 16 bit characters');
  for (let probe = wideStep; probe + 1 < bytes.length; probe += wideStep) {
    if (bytes[probe] !== 0 && bytes[probe + 1] !== 0) continue;
    const first = bytes[probe] === 0 ? probe + 1 : probe;
    if (!isWide(bytes, first)) continue;
    let start = first;
    while (start >= 2 && isWide(bytes, start - 2)) start -= 2;
    let end = first;
    while (isWide(bytes, end + 2)) end += 2;
    if ((end - start) / 2 + 1 < wideCharactersMin) continue;
    if (start >= last) break;
    probe = Math.max(probe, end);
    const text = Buffer.allocUnsafe((end - start) / 2 + 1);
    for (let at = 0; at < text.length; at += 1) text[at] = bytes[start + at * 2]!;
    yield* gathered.add(text, start);
  }
  yield* gathered.take();
}

/** A printable character or line end, with a zero on a side. */
function isWide(bytes: Buffer, at: number): boolean {
  const byte = bytes[at];
  if (byte === undefined || byte > 0x7e || (byte < 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09)) return false;
  return bytes[at - 1] === 0 || bytes[at + 1] === 0;
}
