/**
 * Frames whose codec is plain packing (RLE, deflate), as their bytes are once unpacked: what is written in them is seen by nobody who looks at
 * the file. One at a time, since they are as large as images are; the walkers have found them sound before.
 */
import { inflateRawSync } from 'node:zlib';
import type { MappedObject } from '@lazaret/dicom/filemap/contract.ts';
import type { FrameFragments } from './contentframes.ts';
import type { PixelShape } from './contentimage.ts';
import type { Reading } from './reading.ts';

/** A larger frame is looked at as it is packed only; none of these codecs is used for such. */
const frameBytesMax = 256 * 1024 * 1024;

export interface UnpackedFrame {
  readonly bytes: Uint8Array;
  /** They stand in the file as they are. */
  readonly isStored: boolean;
  /** From 1. */
  readonly number: number;
  readonly at: { readonly offset: number; readonly length: number };
}

export function* unpackedFrames(reading: Reading, shape: PixelShape | null, frames: FrameFragments | null): Generator<UnpackedFrame, void, void> {
  const { mapped, syntax } = reading;
  const isStored = syntax?.codec === 'uncompressed';
  const unpack = syntax?.codec === 'rle' ? unpackRLE : syntax?.codec === 'deflate' ? inflate : isStored ? (bytes: Uint8Array): Uint8Array => bytes : null;
  if (unpack === null || shape === null || frames === null || mapped.fragments === null) return;
  const frameBytes = shape.rows * shape.columns * shape.samples * Math.ceil(shape.bitsAllocated / 8);
  if (frameBytes > frameBytesMax) return;
  for (const [index, [first, last]] of frames.entries()) {
    // Packed, it may be a little longer than it is; much longer is something else, of which the walker has spoken.
    const packed = packedFrame(mapped, [first, last], 2 * frameBytesMax);
    if (packed === null) return;
    const bytes = unpack(packed, shape);
    if (bytes !== null) yield { bytes, isStored, number: index + 1, at: { offset: mapped.fragments.offsets[first]!, length: packed.length } };
  }
}

/** The bytes of one frame of encapsulated Pixel Data as they are coded, fragments joined; null where they are more than `bytesMax`. */
export function packedFrame(mapped: MappedObject, [first, last]: FrameFragments[number], bytesMax: number): Uint8Array | null {
  const { offsets, lengths } = mapped.fragments!;
  let length = 0;
  for (let at = first; at <= last; at += 1) length += lengths[at]!;
  if (length > bytesMax) return null;
  const parts: Uint8Array[] = [];
  for (let at = first; at <= last; at += 1) parts.push(new Uint8Array(mapped.dataSetSource.read(offsets[at]!, lengths[at]!)));
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
}

function inflate(bytes: Uint8Array, shape: PixelShape): Uint8Array | null {
  try {
    return inflateRawSync(bytes, { maxOutputLength: Math.ceil((shape.rows * shape.columns * shape.samples * shape.bitsAllocated) / 8) + 2 });
  } catch {
    return null;
  }
}

/**
 * PS3.5 Annex G, plane by plane: samples one after the other, the bytes of each from the highest to the lowest; given back lowest first. Runs that
 * are not there leave zeros.
 */
export function unpackRLE(bytes: Uint8Array, { rows, columns, samples, bitsAllocated }: Pick<PixelShape, 'rows' | 'columns' | 'samples' | 'bitsAllocated'>): Uint8Array {
  const width = Math.ceil(bitsAllocated / 8);
  const plane = rows * columns;
  const pixels = new Uint8Array(plane * samples * width);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let segment = 0; segment < samples * width && 8 + segment * 4 <= bytes.length; segment += 1) {
    const start = view.getUint32(4 + segment * 4, true);
    const target = Math.floor(segment / width) * plane * width + (width - 1 - (segment % width));
    unpackSegment(bytes, start, pixels, target, width, target + plane * width);
  }
  return pixels;
}

/** The runs from `start` on (PS3.5 G.3.1), as every `step`th byte from `target` up to `end`. What a literal run lacks is zero. */
function unpackSegment(bytes: Uint8Array, start: number, pixels: Uint8Array, target: number, step: number, end: number): void {
  const { length } = bytes;
  let at = start;
  let to = target;
  while (to < end && at < length) {
    const control = bytes[at]!;
    at += 1;
    if (control < 128) {
      const stop = Math.min(to + (control + 1) * step, end);
      const there = Math.min(stop, to + (length - at) * step);
      for (let from = at; to < there; to += step) pixels[to] = bytes[from++]!;
      to = stop;
      at += control + 1;
    } else if (control > 128) {
      const stop = Math.min(to + (257 - control) * step, end);
      const value = at < length ? bytes[at]! : 0;
      if (value === 0) to = stop;
      else for (; to < stop; to += step) pixels[to] = value;
      at += 1;
    }
  }
}
