/**
 * Finds the one byte that was changed, removed or inserted in an entry of which only the hash is left: every single-byte repair is tried
 * until one gives the recorded hash. A quarter of a million hashes for a kilobyte, so only short entries are tried.
 */
import { framingBytes } from './files.ts';
import { leafHash } from './tree.ts';

/** About two seconds of work at most. */
const triesMax = 1_500_000;

export interface Exact {
  /** Within the region. */
  readonly offset: number;
  readonly text: string;
}

/** `region` is the bytes of the frame as they are now. Null when no single byte explains it, or when trying would take too long. */
export function pinpoint(region: Buffer, record: { readonly length: number; readonly hash: Buffer }): Exact | null {
  const frameBytes = record.length + framingBytes;
  const head = Buffer.from(`${record.length.toString(16).padStart(8, '0')} `);
  switch (region.length - frameBytes) {
    case 0: return changed(region, head, record);
    case 1: return inserted(region, head, record);
    case -1: return removed(region, head, record);
    default: return null;
  }
}

function changed(region: Buffer, head: Buffer, record: { length: number; hash: Buffer }): Exact | null {
  const body = Buffer.from(region.subarray(9, -1));
  if (leafHash(body).equals(record.hash)) {
    const at = region.at(-1) === 0x0a ? [...head].findIndex((byte, each) => region[each] !== byte) : region.length - 1;
    return at < 0 ? null : { offset: at, text: `the byte at ${at} of its line, outside the message, was changed` };
  }
  if (!region.subarray(0, 9).equals(head) || body.length * 255 > triesMax) return null;
  for (let at = 0; at < body.length; at++) {
    const now = body[at]!;
    for (let byte = 0; byte < 256; byte++) {
      if (byte === now) continue;
      body[at] = byte;
      if (leafHash(body).equals(record.hash)) return { offset: 9 + at, text: `one byte was changed, from ${name(byte)} to ${name(now)}, ${at + 1} bytes into the message` };
    }
    body[at] = now;
  }
  return null;
}

function inserted(region: Buffer, head: Buffer, record: { length: number; hash: Buffer }): Exact | null {
  for (let at = 0; at < region.length; at++) {
    const frame = Buffer.concat([region.subarray(0, at), region.subarray(at + 1)]);
    if (frame.subarray(0, 9).equals(head) && frame.at(-1) === 0x0a && leafHash(frame.subarray(9, -1)).equals(record.hash)) return { offset: at, text: `one byte, ${name(region[at]!)}, was inserted ${at} bytes into its line` };
  }
  return null;
}

function removed(region: Buffer, head: Buffer, record: { length: number; hash: Buffer }): Exact | null {
  const frameBytes = record.length + framingBytes;
  // Without its end or a byte of its length the message itself is whole.
  for (let at = 0; at < 9; at++) {
    const frame = Buffer.concat([region.subarray(0, at), head.subarray(at, at + 1), region.subarray(at)]);
    if (frame.subarray(0, 9).equals(head) && leafHash(frame.subarray(9, -1)).equals(record.hash)) return { offset: at, text: `one byte, ${name(head[at]!)}, was removed from its length` };
  }
  if (leafHash(region.subarray(9)).equals(record.hash)) return { offset: region.length, text: 'the line feed at its end was removed' };
  if (record.length * 256 > triesMax || !region.subarray(0, 9).equals(head)) return null;
  const body = Buffer.alloc(frameBytes - framingBytes);
  for (let at = 0; at < body.length; at++) {
    region.copy(body, 0, 9, 9 + at);
    region.copy(body, at + 1, 9 + at, region.length - 1);
    for (let byte = 0; byte < 256; byte++) {
      body[at] = byte;
      if (leafHash(body).equals(record.hash)) return { offset: 9 + at, text: `one byte, ${name(byte)}, was removed ${at} bytes into the message` };
    }
  }
  return null;
}

function name(byte: number): string {
  const hex = `0x${byte.toString(16).padStart(2, '0')}`;
  return byte > 0x20 && byte < 0x7f ? `${hex} (${String.fromCharCode(byte)})` : hex;
}
