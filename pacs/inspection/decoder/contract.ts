/** What an inspector and a decoder say to each other: one task at a time, as frames (system/frames.ts) over the decoder's stdin and stdout. */
import type { Codec } from '@lazaret/dicom/dataset/transfersyntaxes.ts';
import type { RenderRequest } from '../../quarantine/requests.ts';

/** Codecs that have a decoder. RLE is decoded by its walker already; 12 bit JPEG, JPEG XL and video have none. */
export const decodable = ['jpeg', 'jpeg-lossless', 'jpeg-ls', 'jpeg-2000', 'htj2k'] as const satisfies readonly Codec[];
export type Decodable = (typeof decodable)[number];

/** What a compressed frame must become. */
export interface PixelForm {
  readonly codec: Decodable;
  readonly rows: number;
  readonly columns: number;
  readonly samples: number;
  readonly bitsAllocated: number;
}

export interface DecodeTask extends PixelForm {
  readonly kind: 'decode';
  readonly id: number;
  readonly path: string;
  /** Fragments of one frame in the file: offset, length, offset, length, … */
  readonly ranges: readonly number[];
}

export interface DecodeAnswer {
  readonly id: number;
  /** `decoded`: to the declared size. `undecoded`: there is no decoder for this form. `wrong`: `text` ends a sentence that begins with the frame. */
  readonly outcome: 'decoded' | 'undecoded' | 'wrong';
  readonly text: string;
}

export interface RenderTask extends RenderRequest {
  readonly kind: 'render';
  readonly id: number;
  readonly path: string;
  /** What the file must have: a picture is served of nothing else. */
  readonly sha256: string;
}

/** The picture itself is the payload. */
export interface RenderAnswer {
  readonly id: number;
  /** `impossible`: `text` says what the object lacks. `changed`: the file has another digest. */
  readonly outcome: 'rendered' | 'impossible' | 'changed';
  readonly text: string;
  readonly width: number;
  readonly height: number;
  readonly frames: number;
}

/** Largest picture that is handed on. */
export const pictureBytesMax = 32 * 1024 * 1024;

/** A frame of this many bytes, compressed, is read in one piece: a whole-slide tile has 100 KB, a mammogram 20 MB. */
export const encodedBytesMax = 256 * 1024 * 1024;
/** WebAssembly has 2 GiB; a decoder needs the result and some times as much beside it. */
export const decodedBytesMax = 256 * 1024 * 1024;

export function isDecodable(codec: string): codec is Decodable {
  return (decodable as readonly string[]).includes(codec);
}

/** Bytes of the frame once it is decoded: samples take whole bytes (PS3.5 §8.1.1). */
export function decodedBytes({ rows, columns, samples, bitsAllocated }: PixelForm): number {
  return rows * columns * samples * Math.ceil(bitsAllocated / 8);
}
