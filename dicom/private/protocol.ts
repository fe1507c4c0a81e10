/**
 * GE's protocol data block, (0025,xx1B) of GEMS_SERS_01: how an MR scanner was set, as text in a gzip stream. No published standard; described by GDCM and dcm2niix
 * from files.
 *
 *   length       4 bytes, little endian: of the stream. Missing where a block begins with the stream.
 *   gzip         RFC 1952, one member, of a file named "Ex421Ser8Scan1"
 *   a pad byte   where the length is odd
 *
 * In the stream stand lines of `KEY "VALUE"`, in some releases `set KEY "VALUE"`; since release 24 it is an XML document.
 */
import type { Range } from './record.ts';

export interface ProtocolBlock {
  /** Where the gzip stream begins: 0 or 4. */
  readonly streamAt: number;
  /** How long it is said to be; null where nothing says so. */
  readonly declared: number | null;
}

/** The block that `bytes` are, or null where they are none. Whether the stream is as long as it is said to be is for whoever unpacks it. */
export function readProtocolBlock(bytes: Uint8Array): ProtocolBlock | null {
  if (isGzip(bytes, 0)) return { streamAt: 0, declared: null };
  if (!isGzip(bytes, 4)) return null;
  return { streamAt: 4, declared: new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true) };
}

/** Magic and deflate, the only method there is. */
function isGzip(bytes: Uint8Array, at: number): boolean {
  return bytes.length >= at + 18 && bytes[at] === 0x1f && bytes[at + 1] === 0x8b && bytes[at + 2] === 8;
}

/** Keys are words of capitals, digits and underscores of some dozen characters. */
const keyBytesMax = 64;
/** One line of real protocols is some hundred characters long. */
const lineBytesMax = 64 * 1024;

const [lineFeed, carriageReturn, tab, space, quote] = [0x0a, 0x0d, 0x09, 0x20, 0x22];

/**
 * Lines of an unpacked protocol that are none of it, or null where it does not begin with one: then it is a text of another kind. Never throws, and looks at
 * each byte a bounded number of times.
 */
export function linesBesideProtocol(text: Uint8Array): readonly Range[] | null {
  const beside: Range[] = [];
  let found = 0;
  let at = 0;
  while (at < text.length) {
    const next = text.indexOf(lineFeed, at);
    const end = next < 0 ? text.length : next;
    const last = beside.at(-1);
    if (isSetting(text, at, end)) found += 1;
    else if (!isBlank(text, at, end)) {
      if (found === 0) return null;
      // Lines that follow each other are one range.
      if (last !== undefined && last.offset + last.length + 1 === at) beside[beside.length - 1] = { offset: last.offset, length: end - last.offset };
      else beside.push({ offset: at, length: end - at });
    }
    at = end + 1;
  }
  return found === 0 ? null : beside;
}

/** `KEY "VALUE"`, perhaps with `set ` before it and blanks after it. The value is text: no control character but a tab. */
function isSetting(text: Uint8Array, start: number, lineEnd: number): boolean {
  if (lineEnd - start > lineBytesMax) return false;
  let end = lineEnd;
  while (end > start && isBlankByte(text[end - 1]!)) end -= 1;
  let at = start;
  if (text[at] === 0x73 && text[at + 1] === 0x65 && text[at + 2] === 0x74 && text[at + 3] === space) at += 4;
  const key = at;
  while (at < end && isKeyByte(text[at]!)) at += 1;
  if (at === key || at - key > keyBytesMax) return false;
  const gap = at;
  while (at < end && (text[at] === space || text[at] === tab)) at += 1;
  if (at === gap) return false;
  if (end - at < 2 || text[at] !== quote || text[end - 1] !== quote) return false;
  for (let index = at; index < end; index += 1) if (text[index]! < space && text[index] !== tab) return false;
  return true;
}

function isKeyByte(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a) || byte === 0x5f || byte === 0x2e || byte === 0x2d;
}

function isBlankByte(byte: number): boolean {
  return byte === space || byte === tab || byte === carriageReturn || byte === 0;
}

function isBlank(text: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) if (!isBlankByte(text[at]!)) return false;
  return true;
}
