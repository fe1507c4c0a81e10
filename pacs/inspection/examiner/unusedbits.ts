/**
 * Bits outside Bits Stored of frames that are packed, or lie in fragments without being compressed: what contentbulkbits.ts looks at in native pixels, frame by
 * frame. Zeros and the sign again are what real objects have; anything else is put together to bytes.
 */
import type { UnpackedFrame } from './unpackedframes.ts';

export interface StoredBits {
  readonly bitsAllocated: number;
  readonly bitsStored: number;
  readonly highBit: number;
}

/** The bits as bytes, the first one lowest and the first one highest; none where there is nothing in them. */
export function unusedBits({ bytes }: UnpackedFrame, { bitsAllocated, bitsStored, highBit }: StoredBits): readonly Uint8Array[] {
  const width = bitsAllocated / 8;
  const unused = Array.from({ length: bitsAllocated }, (_, bit) => bit).filter((bit) => bit > highBit || bit <= highBit - bitsStored);
  if (unused.length === 0 || (width !== 1 && width !== 2 && width !== 4) || highBit >= bitsAllocated || highBit + 1 < bitsStored) return [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const count = Math.floor(bytes.length / width);
  const valueAt = (index: number): number => (width === 1 ? view.getUint8(index) : width === 2 ? view.getUint16(index * 2, true) : view.getUint32(index * 4, true));
  const mask = unused.reduce((all, bit) => (all | (1 << bit)) >>> 0, 0);
  const above = unused.reduce((all, bit) => (bit > highBit ? (all | (1 << bit)) >>> 0 : all), 0);
  let isSign = true;
  let any = 0;
  for (let index = 0; index < count; index += 1) {
    const value = valueAt(index);
    const bits = (value & mask) >>> 0;
    any |= bits;
    if (bits !== 0 && (bits !== above || ((value >>> highBit) & 1) === 0)) isSign = false;
  }
  if (any === 0 || isSign) return [];
  const lowest = new Uint8Array(Math.floor((count * unused.length) / 8));
  const highest = new Uint8Array(lowest.length);
  let at = 0;
  for (let index = 0; index < count; index += 1) {
    const value = valueAt(index);
    for (let bit = 0; bit < unused.length && at >> 3 < lowest.length; bit += 1, at += 1) {
      lowest[at >> 3]! |= ((value >>> unused[bit]!) & 1) << (at & 7);
      highest[at >> 3]! |= ((value >>> unused[unused.length - 1 - bit]!) & 1) << (7 - (at & 7));
    }
  }
  return [lowest, highest];
}
