/**
 * What a value is packed as (gzip, zlib, zstd, deflate), and what is concealed in it. Each is made into a part that is looked at again. Everything is
 * bounded by the room that the object has left for parts.
 */
import { zstdDecompressSync } from 'node:zlib';
import { concealedIn, gzipBodyAt, inflatedFrom, isGzip, packedBytesMin } from './concealed.ts';
import { beginsDeflate } from './deflatehead.ts';
import { piecesIn } from './pieces.ts';
import type { Part, Reading } from './reading.ts';

/** gzip in base64 in gzip is somebody's export; more is a bomb or a joke. */
const partDepthMax = 4;
/** One stream: a protocol is some 100 KiB, the measurement tables of an ultrasound device 480 KB out of 1 KB. */
const streamBytesMax = 64 * 1024 * 1024;
/** A stream without a header that is shorter than this cannot be told from numbers. */
export const headerlessBytesMin = 64;

/** Where something is: a value, or a part that was made already. */
export type Place = Pick<Part, 'at' | 'tag' | 'outside'> & { readonly depth: number };

interface Found {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly guessed?: boolean;
}

/** How much a stream may unpack to, with what the object has left. */
export function roomOf(reading: Reading): number {
  return Math.max(1, Math.min(streamBytesMax, reading.partBytesLeft));
}

/** What `view`, the beginning of a value, is packed as. `whole`: the value ends where the view does. */
export function unpackStart(reading: Reading, view: Uint8Array, place: Place, whole: boolean): void {
  const bytes = Buffer.from(view.buffer, view.byteOffset, view.length);
  // Some writers put the length before the stream (GE's protocol block, Qt's qCompress).
  for (const at of [0, 4]) {
    const found = streamAt(bytes, at, roomOf(reading));
    if (found === null) continue;
    if (place.depth === 0) reading.noteStream(place.at.offset + at, place.outside === true);
    // What goes on after the window was not seen.
    addFound(reading, place, whole ? found : 'limit');
    if (found !== 'broken') break;
  }
}

export function addFound(reading: Reading, place: Place, found: Found | 'limit' | 'broken'): void {
  if (place.depth >= partDepthMax) reading.addAbout(place, 'part-limit', `Parts are packed inside each other more than ${partDepthMax} times.`);
  else if (found === 'limit') reading.addAbout(place, 'part-limit', 'More is packed into it than is looked at.');
  else if (found === 'broken') reading.addAbout(place, 'container-content', 'Something begins as a packed stream does and cannot be unpacked.');
  else reading.addPart({ ...place, name: found.name, bytes: found.bytes, guessed: found.guessed ?? false, depth: place.depth + 1 });
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
  if (isGzip(stream)) return gunzipped('a gzip stream', stream, room);
  // CM 8 with a window of up to 32 KiB, no preset dictionary, and a check of 5 bits (RFC 1950). The checksum is not asked for.
  const two = (stream[0]! << 8) | stream[1]!;
  if ((two & 0x8f20) === 0x0800 && two % 31 === 0) {
    const found = inflatedFrom(stream, 2, room);
    return found === null || found === 'limit' ? found : { name: 'a zlib stream', bytes: found, guessed: true };
  }
  if (stream.readUInt32LE(0) === 0xfd2fb528) return zstd(stream, room);
  if (/^BZh[1-9]1AY&SY$/.test(stream.toString('latin1', 0, 10)) || stream.readUInt32LE(0) === 0x184d2204) return 'broken';
  return at === 0 ? rawDeflate(stream, room) : null;
}

/**
 * Without a header the first block must have a whole head and unpack to something; a stream that goes on to the end of the value, or to zeros, is not
 * asked for, since who unpacks it need not care what follows.
 */
function rawDeflate(stream: Buffer, room: number): Found | 'limit' | null {
  if (!mayBeDeflate(stream)) return null;
  const found = inflatedFrom(stream, 0, room);
  return found === null || found === 'limit' ? found : { name: 'a deflate stream', bytes: found, guessed: true };
}

/** A look at the first bytes: whether an inflater would get on. */
export function mayBeDeflate(stream: Uint8Array): boolean {
  return stream.length >= headerlessBytesMin && !isText(stream.subarray(0, 32)) && beginsDeflate(stream, 0);
}

/** Lists of numbers and words are no streams: trying to inflate thousands of them would take long. */
function isText(start: Uint8Array): boolean {
  return start.every((byte) => (byte >= 0x20 && byte < 0x7f) || byte === 0x0a || byte === 0x0d || byte === 0x09);
}

function zstd(stream: Buffer, room: number): Found | 'limit' | 'broken' {
  try {
    return { name: 'a zstd stream', bytes: zstdDecompressSync(stream, { maxOutputLength: room }) };
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' ? 'limit' : 'broken';
  }
}

/** The stream after the header of RFC 1952. */
function gunzipped(name: string, bytes: Buffer, room: number): Found | 'limit' | 'broken' {
  const body = gzipBodyAt(bytes, 0);
  const found = body < 0 ? null : inflatedFrom(bytes, body, room);
  return found === null ? 'broken' : found === 'limit' ? found : { name, bytes: found };
}

/** A part may hold parts itself. */
export function unpackPart(reading: Reading, part: Part): void {
  const { at, tag = '', outside = false, depth = 0, numbers = false } = part;
  const place = { at, tag, outside, depth };
  if (!numbers) unpackStart(reading, part.bytes, place, true);
  unpackInside(reading, part.bytes, place, numbers ? 0 : 1);
}

/** What is concealed in some bytes, all of which are kept as parts. */
export function unpackInside(reading: Reading, view: Uint8Array, place: Place, from = 1): void {
  const searched = { room: () => roomOf(reading), from, end: view.length, more: false };
  const bytes = Buffer.from(view.buffer, view.byteOffset, view.length);
  for (const found of concealedIn(bytes, searched)) {
    addFound(reading, place, found === 'limit' ? found : { ...found, name: `${found.name} at byte ${found.at}` });
  }
  // What stands at the beginning was unpacked there.
  for (const found of piecesIn(bytes, searched.room)) {
    if (found === 'limit' || !found.packed || found.at >= from) addFound(reading, place, found === 'limit' ? found : { ...found, name: `${found.name} at byte ${found.at}` });
  }
}
