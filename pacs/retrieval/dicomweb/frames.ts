/** Byte ranges of frames and what stands in the way of serving them as they lie: bit packing and byte order. */
import type { FrameTable } from '../../quarantine/contract.ts';
import type { ArchiveReader } from '../../archive/reading.ts';
import type { StoredInstance } from '../../archive/instances.ts';
import { explicitVRBigEndian } from './mediatypes.ts';

/** Most frames of one request; a list is a part of the URL, which is at most 4 KiB. */
export const framesMax = 2000;

/** Frame numbers of a list such as `1,2,5` (from 1), or null where it is none. */
export function parseFrameList(text: string): readonly number[] | null {
  if (!/^[1-9]\d{0,8}(?:,[1-9]\d{0,8})*$/.test(text)) return null;
  const numbers = text.split(',').map(Number);
  return numbers.length <= framesMax ? numbers : null;
}

export function frameCount(table: FrameTable): number {
  return table.kind === 'native' ? table.count : table.frames.length;
}

export interface FrameBytes {
  readonly bytes: number;
  readonly body: AsyncIterable<Uint8Array>;
}

/** The bytes of a frame (from 1): native little endian, or the codestream with its fragments joined. */
export function readFrame(reader: ArchiveReader, instance: StoredInstance, table: FrameTable, number: number): FrameBytes {
  if (table.kind === 'encapsulated') {
    const fragments = table.frames[number - 1]!;
    let bytes = 0;
    for (let index = 1; index < fragments.length; index += 2) bytes += fragments[index]!;
    return { bytes, body: readFragments(reader, instance, fragments) };
  }
  // Frames of single bits may end inside a byte: their length is then no whole number of bytes.
  const bits = Math.round(table.frameLength * 8);
  if (bits % 8 !== 0) return readPacked(reader, instance, table.offset, bits, number);
  const body = reader.range(instance, table.offset + (number - 1) * table.frameLength, table.frameLength);
  const width = (instance.bitsAllocated ?? 8) / 8;
  const swapped = instance.transferSyntaxUID === explicitVRBigEndian && (width === 2 || width === 4 || width === 8);
  return { bytes: table.frameLength, body: swapped ? swapBytes(body, width) : body };
}

async function* readFragments(reader: ArchiveReader, instance: StoredInstance, fragments: readonly number[]): AsyncGenerator<Uint8Array> {
  for (let index = 0; index + 1 < fragments.length; index += 2) yield* reader.range(instance, fragments[index]!, fragments[index + 1]!);
}

/**
 * A frame of single bits that does not begin at a byte: frames are packed one after the other without padding (PS3.5 §8.1.1),
 * the first pixel in the least significant bit (PS3.5 §8.2). Shifted so that it begins with the first bit of the first byte.
 */
function readPacked(reader: ArchiveReader, instance: StoredInstance, offset: number, bits: number, number: number): FrameBytes {
  const firstBit = (number - 1) * bits;
  const firstByte = Math.floor(firstBit / 8);
  const shift = firstBit % 8;
  const bytes = Math.ceil(bits / 8);
  const covering = Math.ceil((shift + bits) / 8);
  return { bytes, body: shiftBits(reader.range(instance, offset + firstByte, covering), shift, bits) };
}

async function* shiftBits(packed: AsyncIterable<Uint8Array>, shift: number, bits: number): AsyncGenerator<Uint8Array> {
  const covering: Uint8Array[] = [];
  for await (const chunk of packed) covering.push(chunk);
  const source = covering.length === 1 ? covering[0]! : Buffer.concat(covering);
  const shifted = new Uint8Array(Math.ceil(bits / 8));
  for (let index = 0; index < shifted.length; index += 1) shifted[index] = (source[index]! >> shift) | (((source[index + 1] ?? 0) << (8 - shift)) & 0xff);
  // Bits of the next frame do not belong here.
  if (bits % 8 !== 0) shifted[shifted.length - 1]! &= (1 << (bits % 8)) - 1;
  yield shifted;
}

/** Values of `width` bytes the other way round. Copies: the bytes that come in may be shared. */
export async function* swapBytes(bytes: AsyncIterable<Uint8Array>, width: number): AsyncGenerator<Uint8Array> {
  let rest = Buffer.alloc(0);
  for await (const chunk of bytes) {
    const all = Buffer.concat([rest, chunk]);
    const whole = all.length - (all.length % width);
    rest = Buffer.from(all.subarray(whole));
    if (whole === 0) continue;
    const values = all.subarray(0, whole);
    if (width === 2) values.swap16();
    else if (width === 4) values.swap32();
    else values.swap64();
    yield values;
  }
  if (rest.length > 0) yield rest;
}
