/**
 * What is packed or written in another alphabet inside a value: gzip, zlib, zstd and deflate streams, base64 and hexadecimal text. Each is made
 * into a part that is looked at again. Everything is bounded by the room that the object has left for parts.
 */
import { constants, inflateRawSync, inflateSync, zstdDecompressSync } from 'node:zlib';
import type { Part, Reading } from './reading.ts';

/** gzip in base64 in gzip is somebody's export; more is a bomb or a joke. */
const partDepthMax = 4;
/** One stream: a protocol is some 100 KiB, the measurement tables of an ultrasound device 480 KB out of 1 KB. */
const streamBytesMax = 64 * 1024 * 1024;
/** A script of one line is not shorter; names and UIDs hold other characters, hashes and keys have up to 128. */
export const textRunBytesMin = 160;
/** The header of a gzip stream, and its end. */
export const packedBytesMin = 18;
/** Of one value: an export with a thousand pictures in it has come across nobody yet. */
const runsMax = 1024;

/** Where something is: a value, or a part that was made already. */
export type Place = Pick<Part, 'at' | 'tag' | 'outside'> & { readonly depth: number };

interface Found {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly guessed?: boolean;
}

/**
 * Finds what is packed in `view` and adds it to the parts of the object. A value that is too long for one view comes in windows:
 * `first` for the one that the value begins in, `whole` where there is no other.
 */
export function unpack(reading: Reading, view: Uint8Array, place: Place, { first, whole }: { readonly first: boolean; readonly whole: boolean } = { first: true, whole: true }): void {
  const bytes = Buffer.from(view.buffer, view.byteOffset, view.length);
  const room = (): number => Math.max(1, Math.min(streamBytesMax, reading.partBytesLeft));
  const add = (found: Found | 'limit' | 'broken' | null): void => {
    if (found === null) return;
    if (place.depth >= partDepthMax) reading.addAbout(place, 'part-limit', `Parts are packed inside each other more than ${partDepthMax} times.`);
    else if (found === 'limit') reading.addAbout(place, 'part-limit', 'More is packed into it than is looked at.');
    else if (found === 'broken') reading.addAbout(place, 'container-content', 'Something begins as a packed stream does and cannot be unpacked.');
    else reading.addPart({ ...place, ...found, depth: place.depth + 1 });
  };
  if (first) {
    // Some writers put the length before the stream (GE's protocol block, Qt's qCompress).
    for (const at of [0, 4]) {
      const found = streamAt(bytes, at, room());
      if (found === null) continue;
      // What goes on after the window was not seen.
      add(whole ? found : 'limit');
      if (found !== 'broken') break;
    }
  }
  for (const found of gzipsIn(bytes, first ? 5 : 0, room)) add(found);
  for (const found of textRunsIn(bytes)) add(found);
}

/** Whether a packed stream may begin there: a look at two bytes, since most objects have hundreds of short values. */
export function beginsPacked(start: Uint8Array, at: number): boolean {
  const two = (start[at]! << 8) | start[at + 1]!;
  // gzip; bzip2; lz4; zstd; zlib with a check that is right
  return two === 0x1f8b || two === 0x425a || two === 0x0422 || two === 0x28b5 || ((two & 0x8f20) === 0x0800 && two % 31 === 0);
}

function streamAt(bytes: Buffer, at: number, room: number): Found | 'limit' | 'broken' | null {
  if (bytes.length < at + packedBytesMin) return null;
  const stream = bytes.subarray(at);
  if (isGzip(stream)) return gunzipped('a gzip stream', stream, room, 'broken');
  // CM 8 with a window of up to 32 KiB, no preset dictionary, and a check of 5 bits (RFC 1950).
  const two = (stream[0]! << 8) | stream[1]!;
  if ((two & 0x8f20) === 0x0800 && two % 31 === 0) return inflated('a zlib stream', () => inflateSync(stream, { maxOutputLength: room, finishFlush: constants.Z_SYNC_FLUSH }), null);
  if (stream.readUInt32LE(0) === 0xfd2fb528) return inflated('a zstd stream', () => zstdDecompressSync(stream, { maxOutputLength: room }), 'broken');
  if (/^BZh[1-9]1AY&SY$/.test(stream.toString('latin1', 0, 10)) || stream.readUInt32LE(0) === 0x184d2204) return 'broken';
  return at === 0 ? rawDeflate(stream, room) : null;
}

/** Without a header only the whole speaks: the stream must end where the value does, but for a pad byte, and have been worth packing. */
function rawDeflate(stream: Buffer, room: number): Found | 'limit' | null {
  // The first block of a stream that a packer wrote has dynamic or fixed codes.
  const type = (stream[0]! >> 1) & 3;
  if (stream.length < textRunBytesMin || type === 0 || type === 3 || isText(stream.subarray(0, 32))) return null;
  try {
    const result = inflateRawSync(stream, { maxOutputLength: room, info: true }) as unknown as { readonly buffer: Buffer; readonly engine: { readonly bytesWritten: number } };
    return result.engine.bytesWritten >= stream.length - 2 && result.buffer.length >= stream.length ? { name: 'a deflate stream', bytes: result.buffer } : null;
  } catch {
    return null;
  }
}

/** Lists of numbers and words are no streams: trying to inflate thousands of them would take long. */
function isText(start: Uint8Array): boolean {
  return start.every((byte) => (byte >= 0x20 && byte < 0x7f) || byte === 0x0a || byte === 0x0d || byte === 0x09);
}

function inflated(name: string, run: () => Buffer, otherwise: 'broken' | null): Found | 'limit' | 'broken' | null {
  try {
    const bytes = run();
    return bytes.length === 0 ? null : { name, bytes };
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' ? 'limit' : otherwise;
  }
}

/** RFC 1952: magic, deflate, no reserved flag, a compression hint and a system that exist. */
function isGzip(bytes: Buffer, at = 0): boolean {
  return at + 18 <= bytes.length && bytes[at] === 0x1f && bytes[at + 1] === 0x8b && bytes[at + 2] === 8 && (bytes[at + 3]! & 0xe0) === 0 && [0, 2, 4].includes(bytes[at + 8]!) && (bytes[at + 9]! <= 13 || bytes[at + 9] === 255);
}

/** The stream after the header of RFC 1952; checksum and length are not asked for, since those who unpack it need not ask either. */
function gunzipped(name: string, bytes: Buffer, room: number, otherwise: 'broken' | null): Found | 'limit' | 'broken' | null {
  const flags = bytes[3]!;
  let at = 10;
  if ((flags & 4) !== 0) at += 2 + (bytes[10]! | (bytes[11]! << 8));
  for (const named of [8, 16]) if ((flags & named) !== 0) at = bytes.indexOf(0, at) < 0 ? bytes.length : bytes.indexOf(0, at) + 1;
  if ((flags & 2) !== 0) at += 2;
  if (at >= bytes.length) return otherwise;
  return inflated(name, () => inflateRawSync(bytes.subarray(at), { maxOutputLength: room, finishFlush: constants.Z_SYNC_FLUSH }), otherwise);
}

export function hasGzip(value: Uint8Array): boolean {
  return Buffer.from(value.buffer, value.byteOffset, value.length).includes('\x1f\x8b\x08', 0, 'latin1');
}

/** gzip streams that begin somewhere inside: ten bytes of header do not occur by chance, and an object with a thousand of them is no record. */
function* gzipsIn(bytes: Buffer, from: number, room: () => number): Generator<Found | 'limit'> {
  let count = 0;
  for (let at = bytes.indexOf('\x1f\x8b\x08', from, 'latin1'); at >= 0; at = bytes.indexOf('\x1f\x8b\x08', at + 1, 'latin1')) {
    if (!isGzip(bytes, at)) continue;
    count += 1;
    if (count > runsMax) return void (yield 'limit');
    const found = gunzipped(`a gzip stream at byte ${at} of the value`, bytes.subarray(at), room(), null);
    if (found !== null && found !== 'broken') yield found;
  }
}

const none = 0;
const base64Letter = 1;
const hexLetter = 2;
const lineEnd = 3;
const letters = new Uint8Array(256);
for (const character of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=-_') letters[character.charCodeAt(0)] = base64Letter;
for (const character of '0123456789abcdefABCDEF') letters[character.charCodeAt(0)] = hexLetter;
letters[0x0a] = lineEnd;
letters[0x0d] = lineEnd;

/** Long runs of base64 or hexadecimal text, decoded; also those that are written in 16 bit characters. */
function* textRunsIn(bytes: Buffer): Generator<Found | 'limit'> {
  let count = 0;
  for (const step of [1, 2] as const) {
    const span = textRunBytesMin * step;
    for (let probe = span / 2; probe < bytes.length; probe += span / 2) {
      if (letters[bytes[probe]!] === none || (step === 2 && (probe + 1 >= bytes.length || bytes[probe + 1] !== 0))) continue;
      const [start, end] = runAround(bytes, probe, step);
      if (end - start < span) continue;
      probe = Math.max(probe, end - (end % step) - span / 2);
      const run = step === 1 ? bytes.toString('latin1', start, end) : bytes.toString('utf16le', start, end);
      const decoded = decodedRun(run);
      if (decoded === null) continue;
      count += 1;
      if (count > runsMax) return void (yield 'limit');
      yield { name: `${decoded.hex ? 'hexadecimal' : 'base64'} text at byte ${start} of the value`, bytes: decoded.bytes, guessed: true };
    }
  }
}

function runAround(bytes: Buffer, probe: number, step: 1 | 2): [start: number, end: number] {
  const isIn = (at: number): boolean => letters[bytes[at]!] !== none && (step === 1 || bytes[at + 1] === 0);
  let start = probe;
  while (start - step >= 0 && isIn(start - step)) start -= step;
  let end = probe;
  while (end + step <= bytes.length && isIn(end)) end += step;
  return [start, end];
}

/** Null for a run that is text of another kind: one letter over and over, as rulers and empty tables are. */
function decodedRun(run: string): { readonly bytes: Uint8Array; readonly hex: boolean } | null {
  const plain = run.replaceAll(/[\r\n]/g, '');
  if (/^(.)\1*$/.test(plain)) return null;
  const hex = /^[0-9a-fA-F]+$/.test(plain);
  const bytes = Buffer.from(plain, hex ? 'hex' : 'base64');
  return bytes.length < textRunBytesMin / 2 ? null : { bytes, hex };
}

/** A part may hold parts itself. */
export function unpackPart(reading: Reading, part: Part): void {
  const { at, tag = '', outside = false, depth = 0 } = part;
  unpack(reading, part.bytes, { at, tag, outside, depth });
}
