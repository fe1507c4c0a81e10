/**
 * Encapsulated Pixel Data (PS3.5 A.4): which fragments make which frame, that the offset tables say the same, and that each frame begins
 * as its codec's streams do. Lengths win over patterns: the tables are checked against the fragments that were walked, never followed.
 */
import type { Codec } from '@lazaret/dicom/dataset/transfersyntaxes.ts';
import type { PixelShape } from './contentimage.ts';
import type { Reading } from './reading.ts';

/** First and last fragment of each frame, as indices into `mapped.fragments`. */
export type FrameFragments = readonly (readonly [first: number, last: number])[];

/** One stream holds all frames (PS3.5 A.4.5 to A.4.10). */
const videoCodecs: readonly Codec[] = ['mpeg-2', 'h264', 'hevc'];

const startBytesMax = 64;

/** Fragments of each frame, or null where the object does not let one tell (a finding says so) or is a video. */
export function checkFrames(reading: Reading, shape: PixelShape | null): FrameFragments | null {
  const { fragments, pixelData } = reading.mapped;
  if (fragments === null || pixelData < 0) return null;
  const codec = reading.syntax?.codec ?? 'native';
  const count = fragments.offsets.length;
  if (count === 0 || fragments.lengths.every((length) => length === 0)) {
    reading.add('fragments-unaccounted', pixelData, 'There are no fragments with pixels.');
    return null;
  }
  if (videoCodecs.includes(codec)) return null;
  const frames = framesOf(reading, shape?.frames ?? count);
  if (frames === null) return null;
  for (const [index, [first, last]] of frames.entries()) {
    let bytes = 0;
    for (let at = first; at <= last; at += 1) bytes += fragments.lengths[at]!;
    const start = reading.mapped.dataSetSource.read(fragments.offsets[first]!, Math.min(startBytesMax, fragments.lengths[first]!));
    const wrong = startProblem(codec, start, bytes, shape);
    if (wrong !== null) reading.addAt('codestream-invalid', fragments.offsets[first]!, fragments.lengths[first]!, '(7FE0,0010)', `Frame ${index + 1} is not what its Transfer Syntax says: ${wrong}.`, true);
  }
  return frames;
}

function framesOf(reading: Reading, frameCount: number): FrameFragments | null {
  const fragments = reading.mapped.fragments!;
  const count = fragments.offsets.length;
  const starts = tableStarts(reading);
  if (starts === 'wrong') return null;
  if (starts !== null) {
    if (starts.length !== frameCount) {
      reading.add('fragments-unaccounted', reading.mapped.pixelData, `The offset table points to ${starts.length} frames; Number of Frames says ${frameCount}.`);
      return null;
    }
    return starts.map((start, index) => [start, (starts[index + 1] ?? count) - 1] as const);
  }
  if (count === frameCount) return Array.from({ length: count }, (_, index) => [index, index] as const);
  if (frameCount === 1) return [[0, count - 1]];
  // Neither table nor one fragment a frame: frames start where the codec's start marker is.
  const codec = reading.syntax?.codec ?? 'native';
  const found: number[] = [];
  for (let index = 0; index < count; index += 1) {
    const start = reading.mapped.dataSetSource.read(fragments.offsets[index]!, Math.min(startBytesMax, fragments.lengths[index]!));
    if (startProblem(codec, start, fragments.lengths[index]!, null) === null) found.push(index);
  }
  if (found.length === frameCount && found[0] === 0 && codec !== 'rle' && codec !== 'deflate' && codec !== 'uncompressed') {
    return found.map((start, index) => [start, (found[index + 1] ?? count) - 1] as const);
  }
  reading.add('fragments-unaccounted', reading.mapped.pixelData, `${count} fragments cannot be told apart into ${frameCount} frames.`);
  return null;
}

/** Indices of the fragments where frames start by the Basic or Extended Offset Table; null when both are empty. */
function tableStarts(reading: Reading): number[] | null | 'wrong' {
  const { fragments, dataSetSource } = reading.mapped;
  const { offsets, basicOffsetTable } = fragments!;
  // Offsets count from the first byte after the table: the item header of the first fragment.
  const origin = offsets[0]! - 8;
  const positions = new Map<number, number>();
  const entries: number[] = [];
  const extended = reading.top(0x7fe00001);
  if (basicOffsetTable[1] > 0) {
    if (basicOffsetTable[1] % 4 !== 0) return 'wrong'; // The reader has said so.
    const bytes = dataSetSource.read(basicOffsetTable[0], basicOffsetTable[1]);
    for (let at = 0; at < bytes.length; at += 4) entries.push((bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0);
  } else if (extended >= 0) {
    const length = reading.length(extended);
    if (length % 8 !== 0) {
      reading.add('extended-offset-table-wrong', extended, 'The Extended Offset Table is not a list of 64 bit offsets.');
      return 'wrong';
    }
    const bytes = reading.bytes(extended);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let at = 0; at < length; at += 8) entries.push(Number(view.getBigUint64(at, true)));
  } else return null;
  for (let index = 0; index < offsets.length; index += 1) positions.set(offsets[index]! - 8 - origin, index);
  const starts = entries.map((entry) => positions.get(entry) ?? -1);
  if (starts[0] !== 0 || starts.some((start, index) => start < 0 || (index > 0 && start <= starts[index - 1]!))) {
    if (basicOffsetTable[1] === 0) reading.add('extended-offset-table-wrong', extended, 'The Extended Offset Table does not point to the fragments that are there.');
    else reading.addAt('offset-table-wrong', basicOffsetTable[0], basicOffsetTable[1], '(7FE0,0010)', 'The Basic Offset Table does not point to the fragments that are there.', true);
    return 'wrong';
  }
  return starts;
}

/** Null when a frame of `bytes` bytes that begins with `start` can be one of the codec. */
function startProblem(codec: Codec, start: Uint8Array, bytes: number, shape: PixelShape | null): string | null {
  const at = (...values: number[]): boolean => values.every((value, index) => start[index] === value);
  switch (codec) {
    case 'jpeg':
    case 'jpeg-lossless':
    case 'jpeg-ls':
      return at(0xff, 0xd8, 0xff) ? null : 'it does not begin with a JPEG start of image';
    case 'jpeg-2000':
    case 'htj2k':
      // A codestream (SIZ follows SOC), or the JP2 box that some modalities leave around it.
      return at(0xff, 0x4f, 0xff, 0x51) || at(0, 0, 0, 12, 0x6a, 0x50, 0x20, 0x20) ? null : 'it does not begin with a JPEG 2000 codestream';
    case 'jpeg-xl':
      return at(0xff, 0x0a) || at(0, 0, 0, 12, 0x4a, 0x58, 0x4c, 0x20) ? null : 'it does not begin with a JPEG XL codestream';
    case 'rle':
      return rleProblem(start, bytes, shape);
    case 'uncompressed': {
      const expected = shape === null ? bytes : Math.ceil((shape.rows * shape.columns * shape.bitsPerPixel) / 8);
      return bytes === expected + (expected % 2) ? null : `it has ${bytes} bytes where ${expected} are expected`;
    }
    default:
      return null;
  }
}

/** PS3.5 G.5: 16 numbers of 32 bits, the count of segments (one a byte of a pixel) and their offsets, the first of which is 64. */
function rleProblem(start: Uint8Array, bytes: number, shape: PixelShape | null): string | null {
  if (start.length < 64) return 'it is shorter than an RLE header';
  const view = new DataView(start.buffer, start.byteOffset, start.length);
  const segments = view.getUint32(0, true);
  if (segments < 1 || segments > 15) return `its RLE header counts ${segments} segments`;
  const wanted = shape === null ? segments : Math.ceil((shape.samples * shape.bitsAllocated) / 8);
  if (segments !== wanted) return `its RLE header counts ${segments} segments where the pixels have ${wanted} bytes`;
  let last = 0;
  for (let segment = 1; segment <= segments; segment += 1) {
    const offset = view.getUint32(segment * 4, true);
    if ((segment === 1 && offset !== 64) || offset <= last || offset > bytes) return 'the segments of its RLE header are not inside the frame, one after the other';
    last = offset;
  }
  return null;
}
