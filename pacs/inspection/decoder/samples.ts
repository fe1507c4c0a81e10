/** The stored samples of one frame, native or compressed, as numbers. */
import { inflateRawSync } from 'node:zlib';
import type { FrameFragments } from '../examiner/contentframes.ts';
import type { PixelShape } from '../examiner/contentimage.ts';
import type { Reading } from '../examiner/reading.ts';
import { packedFrame, unpackRLE } from '../examiner/unpackedframes.ts';
import { decoderOf } from './codecs.ts';
import { decodedBytesMax, encodedBytesMax, isDecodable } from './contract.ts';

export interface Samples {
  readonly rows: number;
  readonly columns: number;
  readonly samples: number;
  /** Row by row, the samples of a pixel side by side. */
  readonly values: Int32Array | Uint8Array | Uint16Array | Float32Array | Float64Array;
  /** A decoder has made red, green and blue of what was coded otherwise. */
  readonly isRGB: boolean;
}

/** What keeps an object from being shown, as a sentence for people. */
export class Impossible extends Error {}

/** Reads `frame` (from 0). Throws `Impossible`. */
export async function samplesOf(reading: Reading, shape: PixelShape, fragments: FrameFragments | null, frame: number): Promise<Samples> {
  const { mapped } = reading;
  const native = (shape.rows * shape.columns * shape.bitsPerPixel) / 8;
  if (native > decodedBytesMax) throw new Impossible('The image is larger than is shown here.');
  if (mapped.fragments === null) {
    const offset = mapped.elements.valueOffsets[mapped.pixelData]!;
    if (shape.bitsAllocated === 1) return bitsOf(reading, shape, offset, frame);
    return valuesOf(reading, shape, Uint8Array.from(mapped.dataSetSource.read(offset + frame * native, native)));
  }
  if (fragments === null || fragments[frame] === undefined) throw new Impossible('The frames of the object cannot be told apart, or are a video.');
  const bytes = packedFrame(mapped, fragments[frame], encodedBytesMax);
  if (bytes === null) throw new Impossible('The frame is larger than is shown here.');
  const codec = reading.syntax?.codec ?? 'native';
  if (codec === 'rle') return valuesOf(reading, { ...shape, bitsPerPixel: shape.samples * shape.bitsAllocated }, unpackRLE(bytes, shape), true);
  if (codec === 'uncompressed') return valuesOf(reading, shape, bytes);
  if (codec === 'deflate') return valuesOf(reading, shape, inflateRawSync(bytes, { maxOutputLength: native + 2 }));
  if (!isDecodable(codec)) throw new Impossible('Images in this Transfer Syntax are not shown here.');
  const decoded = (await decoderOf(codec))(new Uint8Array(bytes));
  if (decoded === null) throw new Impossible('Images of this kind of JPEG are not shown here.');
  if (decoded.rows !== shape.rows || decoded.columns !== shape.columns || decoded.samples !== shape.samples) throw new Impossible('The frame does not decode to what its attributes say.');
  const signed = reading.unsigned16(reading.top(0x00280103)) === 1;
  const values = decoded.precision <= 8 ? (signed ? Int32Array.from(new Int8Array(decoded.pixels.buffer, decoded.pixels.byteOffset, decoded.pixels.length)) : decoded.pixels)
    : signed ? Int32Array.from(new Int16Array(aligned(decoded.pixels, 2))) : new Uint16Array(aligned(decoded.pixels, 2));
  if (values.length !== shape.rows * shape.columns * shape.samples) throw new Impossible('The frame does not decode to what its attributes say.');
  return { rows: shape.rows, columns: shape.columns, samples: shape.samples, values, isRGB: codec === 'jpeg' || codec === 'jpeg-2000' || codec === 'htj2k' };
}

/** A buffer of its own, of whole numbers of `size` bytes. */
function aligned(bytes: Uint8Array, size: number): ArrayBuffer {
  return bytes.slice(0, bytes.length - (bytes.length % size)).buffer as ArrayBuffer;
}

/** Eight pixels a byte, the first in the lowest bit (PS3.5 §8.1.1); frames follow one another bit by bit. */
function bitsOf(reading: Reading, shape: PixelShape, offset: number, frame: number): Samples {
  const count = shape.rows * shape.columns;
  const from = frame * count;
  const bytes = reading.mapped.dataSetSource.read(offset + (from >> 3), ((from + count + 7) >> 3) - (from >> 3));
  const values = new Uint8Array(count);
  for (let index = 0; index < count; index += 1) {
    const bit = (from & 7) + index;
    values[index] = (bytes[bit >> 3]! >> (bit & 7)) & 1;
  }
  return { rows: shape.rows, columns: shape.columns, samples: 1, values, isRGB: false };
}

/** Native bytes to numbers: byte order, high bit and sign (PS3.5 §8.1.1), planes side by side. */
function valuesOf(reading: Reading, shape: PixelShape, bytes: Uint8Array, planar = false): Samples {
  const { rows, columns, samples, bitsAllocated } = shape;
  const count = rows * columns * samples;
  const base = { rows, columns, samples, isRGB: false };
  const tag = reading.mapped.elements.tags[reading.mapped.pixelData]!;
  if (samples === 3 && shape.bitsPerPixel === 16) return { ...base, values: spread422(bytes, rows * columns) };
  if (reading.syntax?.littleEndian === false && bitsAllocated > 8) reverse(bytes, bitsAllocated / 8);
  if (tag === 0x7fe00008) return { ...base, values: new Float32Array(aligned(bytes, 4)) };
  if (tag === 0x7fe00009) return { ...base, values: new Float64Array(aligned(bytes, 8)) };
  if (bitsAllocated !== 8 && bitsAllocated !== 16 && bitsAllocated !== 32) throw new Impossible(`Images of ${bitsAllocated} bits a sample are not shown here.`);
  const stored = reading.unsigned16(reading.top(0x00280101));
  const high = reading.unsigned16(reading.top(0x00280102));
  const signed = reading.unsigned16(reading.top(0x00280103)) === 1;
  const raw = bitsAllocated === 8 ? bytes : bitsAllocated === 16 ? new Uint16Array(aligned(bytes, 2)) : new Uint32Array(aligned(bytes, 4));
  if (raw.length < count) throw new Impossible('Pixels are missing.');
  const bits = Number.isNaN(stored) ? bitsAllocated : stored;
  const up = 32 - 1 - (Number.isNaN(high) ? bits - 1 : high);
  const down = 32 - bits;
  const values = new Int32Array(count);
  const planes = planar || (samples > 1 && reading.unsigned16(reading.top(0x00280006)) === 1);
  const size = rows * columns;
  for (let index = 0; index < count; index += 1) {
    const word = raw[planes ? (index % samples) * size + Math.floor(index / samples) : index]!;
    // To the top, so that what lies above the high bit falls off, and down again with or without the sign.
    values[index] = signed ? (word << up) >> down : (word << up) >>> down;
  }
  return { ...base, values };
}

function reverse(bytes: Uint8Array, size: number): void {
  for (let at = 0; at + size <= bytes.length; at += size) bytes.subarray(at, at + size).reverse();
}

/** Y, Y, Cb, Cr for two pixels (PS3.3 C.7.6.3.1.2). */
function spread422(bytes: Uint8Array, pixels: number): Uint8Array {
  const values = new Uint8Array(pixels * 3);
  for (let pixel = 0; pixel < pixels; pixel += 1) {
    const at = (pixel >> 1) * 4;
    values[pixel * 3] = bytes[at + (pixel & 1)]!;
    values[pixel * 3 + 1] = bytes[at + 2]!;
    values[pixel * 3 + 2] = bytes[at + 3]!;
  }
  return values;
}
