/**
 * The files of the audit log. Text where it can be, so that a person with `less` and `sha256sum` can follow it.
 *
 *   entries-000000000000.log   one line an entry: 8 hex digits (bytes of the XML), a space, the XML, "\n"
 *   leaves-000000000000.bin    one record an entry: 32 bits (bytes of the XML, big endian), 32 bytes (leaf hash of the XML)
 *   checkpoints.log            one line a checkpoint: JSON, signed
 *   key.pem, key.pub.pem       Ed25519
 *
 * The number in a name is that of the first entry (from 0). What is verified is only ever recomputed from entries; the leaf file
 * says which entry changed, and where the others now are; the checkpoints say that the leaf file itself was not changed.
 */
import { sign, verify, type KeyObject } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { hashBytes, peakCount, Tree } from './tree.ts';

/** A segment is closed at this size, so that each fits any medium and a copy of the newest is quick. */
export const segmentBytesMax = 64 * 1024 * 1024;
/** The longest message that is written: 200 instances with digests are some 60 KiB. Bounds what a reader takes into memory. */
export const entryBytesMax = 1024 * 1024;

export const framingBytes = 10; // 8 digits, space, line feed
export const leafBytes = 4 + hashBytes;

export interface Segment {
  readonly first: number;
  readonly entries: string;
  readonly leaves: string;
}

export function segmentAt(folder: string, first: number): Segment {
  const number = first.toString().padStart(12, '0');
  return { first, entries: join(folder, `entries-${number}.log`), leaves: join(folder, `leaves-${number}.bin`) };
}

/** Segments in order of their first entry. */
export function segmentsOf(folder: string): Segment[] {
  return readdirSync(folder)
    .map((name) => /^entries-(\d{12})\.log$/.exec(name)?.[1])
    .filter((number) => number !== undefined)
    .map(Number)
    .toSorted((a, b) => a - b)
    .map((first) => segmentAt(folder, first));
}

export const checkpointsPath = (folder: string): string => join(folder, 'checkpoints.log');
export const keyPath = (folder: string): string => join(folder, 'key.pem');
export const publicKeyPath = (folder: string): string => join(folder, 'key.pub.pem');

/** The frame around one entry's XML. */
export function frameEntry(xml: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(xml.length + framingBytes);
  frame.write(xml.length.toString(16).padStart(8, '0'), 0, 'latin1');
  frame[8] = 0x20;
  xml.copy(frame, 9);
  frame[frame.length - 1] = 0x0a;
  return frame;
}

/** Length of the XML that a frame at `offset` declares, or null where no frame begins. */
export function frameLength(bytes: Buffer, offset: number): number | null {
  const digits = bytes.toString('latin1', offset, offset + 8);
  if (!/^[0-9a-f]{8}$/.test(digits) || bytes[offset + 8] !== 0x20) return null;
  const length = Number.parseInt(digits, 16);
  return length <= entryBytesMax ? length : null;
}

export interface Checkpoint {
  /** How many entries the tree had. */
  readonly size: number;
  readonly root: Buffer;
  readonly peaks: readonly Buffer[];
  readonly time: number;
}

function signedText(size: number, root: Buffer, time: number): Buffer {
  return Buffer.from(`lazaret audit checkpoint 1\n${size}\n${root.toString('hex')}\n${time}\n`, 'latin1');
}

/** One line without its line feed. The peaks are not signed: they must fold to the root, which is. */
export function encodeCheckpoint(tree: Tree, time: number, key: KeyObject): string {
  const root = tree.root();
  return JSON.stringify({
    size: tree.size,
    root: root.toString('hex'),
    time,
    peaks: tree.peaks.map((peak) => peak.toString('hex')),
    signature: sign(null, signedText(tree.size, root, time), key).toString('base64'),
  });
}

/** The checkpoint of a line, or null when the line is not one that `key` has signed. */
export function decodeCheckpoint(line: string, key: KeyObject): Checkpoint | null {
  let value: { size: number; root: string; time: number; peaks: string[]; signature: string };
  try {
    value = JSON.parse(line) as typeof value;
    const { size, time } = value;
    if (!Number.isSafeInteger(size) || size < 0 || !Number.isSafeInteger(time) || !Array.isArray(value.peaks) || value.peaks.length !== peakCount(size)) return null;
    const root = Buffer.from(value.root, 'hex');
    const peaks = value.peaks.map((peak) => Buffer.from(peak, 'hex'));
    if (!verify(null, signedText(size, root, time), key, Buffer.from(value.signature, 'base64'))) return null;
    if (!Tree.of(size, peaks).root().equals(root)) return null;
    return { size, root, peaks, time };
  } catch {
    return null;
  }
}
