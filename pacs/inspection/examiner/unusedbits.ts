/**
 * Bits of pixels outside Bits Stored (PS3.5 §8.1.1), in pixels that lie in memory: frames that are packed, or lie in fragments without being compressed. Native
 * pixels are looked at in windows (contentbulkbits.ts). Zeros and the sign again are what real objects have; anything else is put together to bytes.
 */
import type { Reading } from './reading.ts';
import type { UnpackedFrame } from './unpackedframes.ts';

export interface StoredBits {
  readonly bitsAllocated: number;
  readonly bitsStored: number;
  readonly highBit: number;
}
export type PixelWords = Uint8Array | Uint16Array | Uint32Array;

const tags = { bitsStored: 0x00280101, highBit: 0x00280102 } as const;

/** `find`: the element of a tag beside the pixels, or -1. What is not said is as readers take it: all bits, the lowest ones. */
export function storedBitsOf(reading: Reading, find: (tag: number) => number, bitsAllocated: number): StoredBits {
  const bitsStored = reading.unsigned16(find(tags.bitsStored)) || bitsAllocated;
  const saidHighBit = reading.unsigned16(find(tags.highBit));
  return { bitsAllocated, bitsStored, highBit: saidHighBit + 1 >= bitsStored ? saidHighBit : bitsStored - 1 };
}

/** The numbers of the bits that are not stored, the lowest first. */
export function unusedOf({ bitsAllocated, bitsStored, highBit }: StoredBits): number[] {
  return Array.from({ length: bitsAllocated }, (_, bit) => bit).filter((bit) => bit > highBit || bit <= highBit - bitsStored);
}

export function maskOf(bits: readonly number[]): number {
  return bits.reduce((mask, bit) => (mask | (1 << bit)) >>> 0, 0);
}

/** `bits` of each pixel put together to at most `size` bytes, the first one lowest and the first one highest; `any` where one of them is set. */
export function bytesOfBits(windows: Iterable<PixelWords>, bits: readonly number[], size: number): { readonly any: boolean; readonly lowest: Uint8Array; readonly highest: Uint8Array } {
  const lowest = new Uint8Array(size);
  const highest = new Uint8Array(size);
  let at = 0;
  let any = 0;
  loop: for (const values of windows) {
    for (const value of values) {
      for (let index = 0; index < bits.length; index += 1) {
        // The highest bit of a pixel comes first where the first is the highest.
        const low = (value >>> bits[index]!) & 1;
        const high = (value >>> bits[bits.length - 1 - index]!) & 1;
        const byte = at >>> 3;
        if (byte >= size) break loop;
        any |= low;
        lowest[byte]! |= low << (at & 7);
        highest[byte]! |= high << (7 - (at & 7));
        at += 1;
      }
    }
  }
  return { any: any !== 0, lowest, highest };
}

/** The bits of a frame as bytes, both ways; none where there is nothing in them. */
export function unusedBits(frame: UnpackedFrame, stored: StoredBits): readonly Uint8Array[] {
  const { bitsAllocated, bitsStored, highBit } = stored;
  const unused = unusedOf(stored);
  if (unused.length === 0 || (bitsAllocated !== 8 && bitsAllocated !== 16 && bitsAllocated !== 32) || highBit >= bitsAllocated || highBit + 1 < bitsStored) return [];
  const values = wordsOf(frame.bytes, bitsAllocated);
  const mask = maskOf(unused);
  const above = maskOf(unused.filter((bit) => bit > highBit));
  let isSign = true;
  let any = 0;
  for (const value of values) {
    const bits = (value & mask) >>> 0;
    any |= bits;
    if (bits !== 0 && (bits !== above || ((value >>> highBit) & 1) === 0)) isSign = false;
  }
  if (any === 0 || isSign) return [];
  const { lowest, highest } = bytesOfBits([values], unused, Math.floor((values.length * unused.length) / 8));
  return [lowest, highest];
}

/** What we run on is little-endian. Typed arrays of words must begin at a multiple of their size. */
function wordsOf(frame: Uint8Array, bitsAllocated: 8 | 16 | 32): PixelWords {
  const width = bitsAllocated / 8;
  const { buffer, byteOffset, byteLength } = frame.byteOffset % width === 0 ? frame : frame.slice();
  const count = Math.floor(byteLength / width);
  return width === 1 ? new Uint8Array(buffer, byteOffset, count) : width === 2 ? new Uint16Array(buffer, byteOffset, count) : new Uint32Array(buffer, byteOffset, count);
}
