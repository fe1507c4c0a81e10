/**
 * Encapsulated Pixel Data (PS3.5 A.4): which fragments make which frame, that the offset tables say the same, and that each frame begins
 * as its codec's streams do. Lengths win over patterns: the tables are checked against the fragments that were walked, never followed.
 */
import type { Codec } from '@lazaret/dicom/dataset/transfersyntaxes.ts';
import { codestreamProblem, startProblem } from './codestream.ts';
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
  if (videoCodecs.includes(codec)) {
    const start = reading.mapped.dataSetSource.read(fragments.offsets[0]!, Math.min(startBytesMax, fragments.lengths[0]!));
    const wrong = startProblem(codec, start);
    if (wrong !== null) reading.addAt('codestream-invalid', fragments.offsets[0]!, fragments.lengths[0]!, '(7FE0,0010)', `The video is not what its Transfer Syntax says: ${wrong}.`, true);
    return null;
  }
  const frames = framesOf(reading, shape?.frames ?? count);
  if (frames === null) return null;
  for (const [index, [first, last]] of frames.entries()) {
    const ranges: [number, number][] = [];
    for (let at = first; at <= last; at += 1) ranges.push([fragments.offsets[at]!, fragments.lengths[at]!]);
    const wrong = codestreamProblem(codec, { source: reading.mapped.dataSetSource, ranges }, shape);
    if (wrong !== null) reading.addAt('codestream-invalid', fragments.offsets[first]!, fragments.lengths[first]!, '(7FE0,0010)', `Frame ${index + 1} is not what its Transfer Syntax and attributes say: ${wrong}.`, true);
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
    if (startProblem(codec, start) === null) found.push(index);
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
