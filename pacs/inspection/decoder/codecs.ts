/**
 * The decoders, as WebAssembly and one in JavaScript. Each is given the bytes of one frame and answers with what it made of them, or throws what it
 * says is wrong. Loaded when first needed: a decoder process that has only met JPEG holds no JPEG 2000.
 */
import { createRequire } from 'node:module';
import type { Decodable } from './contract.ts';

export interface DecodedFrame {
  readonly rows: number;
  readonly columns: number;
  readonly samples: number;
  /** Bits of a sample as the codestream says. */
  readonly precision: number;
  /** Bytes that came out. */
  readonly bytes: number;
  /** Samples, those of a pixel side by side, two bytes (little-endian) where the precision is over 8. Valid until the next frame is decoded. */
  readonly pixels: Uint8Array;
}
/** Null: of a form that it does not decode. */
export type DecodeFrame = (encoded: Uint8Array) => DecodedFrame | null;

const require = createRequire(import.meta.url);

interface WasmDecoder {
  getEncodedBuffer(length: number): Uint8Array;
  decode(): void;
  getFrameInfo(): { readonly width: number; readonly height: number; readonly bitsPerSample: number; readonly componentCount: number };
  getDecodedBuffer(): Uint8Array;
  delete(): void;
}
interface WasmModule {
  getExceptionMessage?(error: unknown): string | readonly string[];
  readonly [decoder: string]: unknown;
}

/**
 * The glue of the packages prints what the codec says; nobody is to read what an object made it say. A new one for each: the glue makes its module of
 * it, and two modules in one object get in each other's way.
 */
const silent = (): object => ({ print: () => {}, printErr: () => {} });

async function wasm(path: string, name: string): Promise<DecodeFrame> {
  const made = require(path) as ((options: object) => Promise<WasmModule>) | { readonly default: (options: object) => Promise<WasmModule> };
  const module = await (typeof made === 'function' ? made : made.default)(silent());
  const Decoder = module[name] as new () => WasmDecoder;
  return (encoded) => {
    const decoder = new Decoder();
    try {
      decoder.getEncodedBuffer(encoded.length).set(encoded);
      decoder.decode();
      const { width, height, bitsPerSample, componentCount } = decoder.getFrameInfo();
      const pixels = decoder.getDecodedBuffer();
      // The decoder's memory is its own again when it is deleted.
      return { rows: height, columns: width, samples: componentCount, precision: bitsPerSample, bytes: pixels.length, pixels: pixels.slice() };
    } finally {
      decoder.delete();
    }
  };
}

/** Precision and process of the frame header (T.81 §B.2.2), which the walker has found sound before; null where there is none. */
function frameHeader(encoded: Uint8Array): { readonly code: number; readonly precision: number } | null {
  for (let at = 2; at + 9 < encoded.length && encoded[at] === 0xff; ) {
    const code = encoded[at + 1]!;
    if (code === 0xff) {
      at += 1;
      continue;
    }
    if (code >= 0xc0 && code <= 0xcf && code !== 0xc4 && code !== 0xc8 && code !== 0xcc) return { code, precision: encoded[at + 4]! };
    at += 2 + ((encoded[at + 2]! << 8) | encoded[at + 3]!);
  }
  return null;
}

async function jpeg(): Promise<DecodeFrame> {
  const decode = await wasm('@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasmjs', 'JPEGDecoder');
  const lossless = jpegLossless();
  return (encoded) => {
    const header = frameHeader(encoded);
    if (header?.code === 0xc3) return lossless(encoded);
    // Baseline, extended and progressive with Huffman coding, of 8 bits: what libjpeg-turbo is built for here.
    return header !== null && header.code <= 0xc2 && header.precision === 8 ? decode(encoded) : null;
  };
}

function jpegLossless(): DecodeFrame {
  const { Decoder } = require('jpeg-lossless-decoder-js') as { Decoder: new () => { decode(buffer: ArrayBuffer, offset: number, length: number): ArrayBuffer | ArrayBufferView; frame: { dimX: number; dimY: number; numComp: number; precision: number } } };
  return (encoded) => {
    if (frameHeader(encoded)?.code !== 0xc3) return null;
    const decoder = new Decoder();
    const { buffer, byteOffset, length } = encoded;
    const decoded = decoder.decode(buffer as ArrayBuffer, byteOffset, length);
    const { dimX, dimY, numComp, precision } = decoder.frame;
    const pixels = decoded instanceof ArrayBuffer ? new Uint8Array(decoded) : new Uint8Array(decoded.buffer, decoded.byteOffset, decoded.byteLength);
    return { rows: dimY, columns: dimX, samples: numComp, precision, bytes: pixels.length, pixels };
  };
}

const makers: Readonly<Record<Decodable, () => Promise<DecodeFrame>>> = {
  jpeg,
  'jpeg-lossless': jpeg,
  'jpeg-ls': () => wasm('@cornerstonejs/codec-charls/decodewasmjs', 'JpegLSDecoder'),
  'jpeg-2000': () => wasm('@cornerstonejs/codec-openjpeg/decodewasmjs', 'J2KDecoder'),
  htj2k: () => wasm('@cornerstonejs/codec-openjph/wasmjs', 'HTJ2KDecoder'),
};

/** By maker, since two codecs may share one and the glue of a package bears being loaded only once. */
const made = new Map<() => Promise<DecodeFrame>, Promise<DecodeFrame>>();

export function decoderOf(codec: Decodable): Promise<DecodeFrame> {
  const maker = makers[codec];
  const known = made.get(maker);
  if (known !== undefined) return known;
  const making = maker();
  made.set(maker, making);
  return making;
}
