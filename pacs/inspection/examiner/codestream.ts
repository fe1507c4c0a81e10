/**
 * The headers of compressed frames: what a decoder would believe about size, components and depth must be what the Image Pixel Module says
 * (CVE-2024-22373 and its kin began with two answers to that question). Nothing is decoded; RLE alone is walked to its end.
 */
import type { Codec } from '@lazaret/dicom/dataset/transfersyntaxes.ts';
import type { ByteSource } from '@lazaret/dicom/filemap/contract.ts';
import type { PixelShape } from './contentimage.ts';

/** The fragments of one frame, as ranges of the Data Set. */
export interface FrameBytes {
  readonly source: ByteSource;
  readonly ranges: readonly (readonly [offset: number, length: number])[];
}

/** More segments before the frame header than this are no image. */
const segmentsMax = 256;
const startBytesMax = 64;
/** Padding after the last marker: writers round up to words and to blocks. */
const endBytesMax = 4096;

/** Null when the frame can be what its codec and shape say; else what is wrong. */
export function codestreamProblem(codec: Codec, frame: FrameBytes, shape: PixelShape | null): string | null {
  const [offset, length] = frame.ranges[0]!;
  const start = frame.source.read(offset, Math.min(startBytesMax, length));
  const starting = startProblem(codec, start);
  if (starting !== null) return starting;
  switch (codec) {
    case 'jpeg':
    case 'jpeg-lossless':
    case 'jpeg-ls':
      return jpegProblem(frame, shape) ?? endProblem(frame);
    case 'jpeg-2000':
    case 'htj2k':
      return jpeg2000Problem(frame, shape) ?? endProblem(frame);
    case 'rle':
      return rleProblem(frame, shape);
    case 'uncompressed': {
      const bytes = frame.ranges.reduce((sum, [, range]) => sum + range, 0);
      const expected = shape === null ? bytes : Math.ceil((shape.rows * shape.columns * shape.bitsPerPixel) / 8);
      return bytes === expected + (expected % 2) ? null : `it has ${bytes} bytes where ${expected} are expected`;
    }
    default:
      return null;
  }
}

/** Null when a frame of the codec can begin like this. */
export function startProblem(codec: Codec, start: Uint8Array): string | null {
  const at = (position: number, ...values: number[]): boolean => values.every((value, index) => start[position + index] === value);
  switch (codec) {
    case 'jpeg':
    case 'jpeg-lossless':
    case 'jpeg-ls':
      return at(0, 0xff, 0xd8, 0xff) ? null : 'it does not begin with a JPEG start of image';
    case 'jpeg-2000':
    case 'htj2k':
      // A codestream (SIZ follows SOC), or the JP2 box that some modalities leave around it.
      return at(0, 0xff, 0x4f, 0xff, 0x51) || at(0, 0, 0, 0, 12, 0x6a, 0x50, 0x20, 0x20) ? null : 'it does not begin with a JPEG 2000 codestream';
    case 'jpeg-xl':
      return at(0, 0xff, 0x0a) || at(0, 0, 0, 0, 12, 0x4a, 0x58, 0x4c, 0x20) ? null : 'it does not begin with a JPEG XL codestream';
    case 'mpeg-2':
    case 'h264':
    case 'hevc':
      // An elementary stream, a program or transport stream, or MP4.
      return at(0, 0, 0, 1) || at(0, 0, 0, 0, 1) || at(0, 0x47) || at(4, 0x66, 0x74, 0x79, 0x70) ? null : 'it does not begin as a video stream';
    case 'rle':
      return start.length >= 64 ? null : 'it is shorter than an RLE header';
    default:
      return null;
  }
}

/** Finds the frame header (ITU-T T.81 §B.2.2; T.87 §C.2.2) in the first fragment. */
function jpegProblem(frame: FrameBytes, shape: PixelShape | null): string | null {
  const [offset, length] = frame.ranges[0]!;
  const { source } = frame;
  let at = 2;
  for (let segment = 0; segment < segmentsMax && at + 4 <= length; segment += 1) {
    const head = source.read(offset + at, 4);
    if (head[0] !== 0xff) return `there is no marker at byte ${at}`;
    const marker = head[1]!;
    if (marker === 0xff) {
      at += 1;
      continue;
    }
    const size = (head[2]! << 8) | head[3]!;
    const isFrame = (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc) || marker === 0xf7;
    if (isFrame) {
      if (size < 8 || at + 10 > length) return 'its frame header is cut off';
      const body = source.read(offset + at + 4, 6);
      return shapeProblem(shape, { rows: (body[1]! << 8) | body[2]!, columns: (body[3]! << 8) | body[4]!, samples: body[5]!, bits: body[0]! });
    }
    if (marker === 0xda) return 'there is a scan before any frame header';
    if (size < 2) return `the segment at byte ${at} has no length`;
    at += 2 + size;
  }
  // A very long comment or profile may reach into the next fragment; decoders go on there.
  return frame.ranges.length > 1 ? null : 'there is no frame header';
}

/** SIZ (ITU-T T.800 §A.5.1), directly after SOC, or inside the jp2c box. */
function jpeg2000Problem(frame: FrameBytes, shape: PixelShape | null): string | null {
  const [offset, length] = frame.ranges[0]!;
  const head = Buffer.from(frame.source.read(offset, Math.min(length, endBytesMax)));
  const start = head.indexOf(Buffer.from([0xff, 0x4f, 0xff, 0x51]));
  if (start < 0 || start + 43 > head.length) return 'its size header is missing';
  const size = head.subarray(start);
  return shapeProblem(shape, {
    columns: size.readUInt32BE(8) - size.readUInt32BE(16),
    rows: size.readUInt32BE(12) - size.readUInt32BE(20),
    samples: size.readUInt16BE(40),
    bits: (size[42]! & 0x7f) + 1,
  });
}

function shapeProblem(shape: PixelShape | null, coded: { readonly rows: number; readonly columns: number; readonly samples: number; readonly bits: number }): string | null {
  if (shape === null) return null;
  // Zero rows: a DNL segment says how many after the first scan (T.81 §B.2.5).
  if (coded.columns !== shape.columns || (coded.rows !== shape.rows && coded.rows !== 0)) return `it is coded as ${coded.columns} × ${coded.rows}, the image says ${shape.columns} × ${shape.rows}`;
  if (coded.samples !== shape.samples) return `it is coded with ${coded.samples} components, the image says ${shape.samples}`;
  if (coded.bits > shape.bitsAllocated) return `it is coded with ${coded.bits} bits, the image has room for ${shape.bitsAllocated}`;
  return null;
}

/** The end of image marker is the last thing but padding; what follows it no decoder looks at. */
function endProblem(frame: FrameBytes): string | null {
  const [offset, length] = frame.ranges.at(-1)!;
  const taken = Math.min(length, endBytesMax);
  const tail = frame.source.read(offset + length - taken, taken);
  let end = tail.length;
  while (end > 2 && tail[end - 1] === 0) end -= 1;
  if (tail[end - 2] === 0xff && tail[end - 1] === 0xd9) return null;
  // Padding with FF, which T.81 §B.1.1.2 permits before a marker and some writers put after the last one.
  while (end > 2 && tail[end - 1] === 0xff) end -= 1;
  return tail[end - 2] === 0xff && tail[end - 1] === 0xd9 ? null : 'its last bytes are not the end of an image: it is cut off, or something follows it';
}

/**
 * PS3.5 Annex G: 16 numbers of 32 bits, the count of segments (one a byte of a pixel) and their offsets, the first of which is 64. Each segment
 * is walked: it must unpack to the bytes of one plane, and not run beyond its end.
 */
function rleProblem(frame: FrameBytes, shape: PixelShape | null): string | null {
  if (frame.ranges.length !== 1) return 'an RLE frame is one fragment, this one has more';
  const [offset, length] = frame.ranges[0]!;
  const header = frame.source.read(offset, 64);
  const view = new DataView(header.buffer, header.byteOffset, header.length);
  const segments = view.getUint32(0, true);
  if (segments < 1 || segments > 15) return `its RLE header counts ${segments} segments`;
  const wanted = shape === null ? segments : Math.ceil((shape.samples * shape.bitsAllocated) / 8);
  if (segments !== wanted) return `its RLE header counts ${segments} segments where the pixels have ${wanted} bytes`;
  const starts: number[] = [];
  for (let segment = 1; segment <= segments; segment += 1) starts.push(view.getUint32(segment * 4, true));
  if (starts[0] !== 64 || starts.some((start, index) => start > length || (index > 0 && start <= starts[index - 1]!))) return 'the segments of its RLE header are not inside the frame, one after the other';
  if (shape === null) return null;
  // One-bit pixels are packed, eight to a byte.
  const plane = shape.bitsAllocated === 1 ? Math.ceil((shape.rows * shape.columns) / 8) : shape.rows * shape.columns;
  for (const [index, start] of starts.entries()) {
    const end = starts[index + 1] ?? length;
    const unpacked = unpackedLength(frame.source, offset + start, end - start, plane);
    if (unpacked !== plane) return `RLE segment ${index + 1} unpacks to ${unpacked < plane ? 'fewer' : 'more'} than the ${plane} bytes of a plane`;
  }
  return null;
}

const pieceBytes = 256 * 1024;

/** Bytes that a PackBits segment stands for, without making them; stops past `max`. What follows the last one is padding. */
function unpackedLength(source: ByteSource, offset: number, length: number, max: number): number {
  let unpacked = 0;
  let at = 0;
  let piece = source.read(offset, Math.min(pieceBytes, length));
  let pieceStart = 0;
  while (at < length && unpacked < max) {
    if (at >= pieceStart + piece.length) {
      pieceStart = at;
      piece = source.read(offset + at, Math.min(pieceBytes, length - at));
    }
    const control = piece[at - pieceStart]!;
    if (control < 128) {
      // A literal run that the segment does not hold ends with it.
      unpacked += Math.min(control + 1, length - at - 1);
      at += control + 2;
    } else if (control > 128) {
      if (at + 1 >= length) break;
      unpacked += 257 - control;
      at += 2;
    } else at += 1;
  }
  return unpacked;
}
