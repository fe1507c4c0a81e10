/**
 * Encapsulated Pixel Data (PS3.5 A.4): which fragments make which frame, that the offset tables say the same, and that each frame is
 * a stream of its codec from the first byte to the last. Lengths win over patterns: the tables are checked against the fragments that were
 * walked, never followed.
 */
import type { Expected, Walker } from '@lazaret/dicom/codestream/contract.ts';
import { walkerOf } from '@lazaret/dicom/codestream/frame.ts';
import { tagText } from '@lazaret/dicom/dictionary/dictionary.ts';
import type { Codec } from '@lazaret/dicom/dataset/transfersyntaxes.ts';
import { canStart, Codestreams } from './codestream.ts';
import type { PixelShape } from './contentimage.ts';
import { inflateRaw } from './inflate.ts';
import { vrCode, type Reading } from './reading.ts';

/** First and last fragment of each frame, as indices into `mapped.fragments`. */
export type FrameFragments = readonly (readonly [first: number, last: number])[];

/** One stream holds all frames (PS3.5 A.4.5 to A.4.10). */
const videoCodecs: readonly Codec[] = ['mpeg-2', 'h264', 'hevc'];
const pixelDataTag = 0x7fe00010;
const extendedTableTag = 0x7fe00001;
const extendedLengthsTag = 0x7fe00002;
const startBytesMax = 16;

/** Fragments of each frame, or null where the object does not let one tell (a finding says so) or is a video. */
export function checkFrames(reading: Reading, shape: PixelShape | null): FrameFragments | null {
  checkTablesBelong(reading);
  const walker = reading.syntax === undefined ? null : walkerOf(reading.syntax, { inflateRaw });
  if (walker === null) return null;
  checkIcons(reading, walker);
  const { fragments, pixelData } = reading.mapped;
  if (fragments === null || pixelData < 0) return null;
  const count = fragments.offsets.length;
  if (count === 0 || fragments.lengths.every((length) => length === 0)) {
    reading.add('fragments-unaccounted', pixelData, 'There are no fragments with pixels.');
    return null;
  }
  const expected = shape === null ? null : expectedOf(reading, pixelData, shape);
  const streams = new Codestreams(reading, walker, tagText(pixelDataTag));
  const isVideo = videoCodecs.includes(reading.syntax!.codec);
  const frames = isVideo ? [[0, count - 1] as const] : framesOf(reading, shape?.frames ?? count);
  for (const [index, [first, last]] of (frames ?? []).entries()) {
    const ranges: [number, number][] = [];
    for (let at = first; at <= last; at += 1) ranges.push([fragments.offsets[at]!, fragments.lengths[at]!]);
    streams.check(isVideo ? 'The video' : `Frame ${index + 1}`, ranges, expected);
  }
  streams.finish();
  return isVideo ? null : frames;
}

/** Extended Offset Tables point to the fragments of frames (PS3.3 C.7.6.3): what has none of those has no use for them, nor has an Item. */
function checkTablesBelong(reading: Reading): void {
  const { elements, fragments } = reading.mapped;
  const isVideo = reading.syntax !== undefined && videoCodecs.includes(reading.syntax.codec);
  for (let index = 0; index < elements.count; index += 1) {
    const tag = elements.tags[index]!;
    if ((tag !== extendedTableTag && tag !== extendedLengthsTag) || elements.valueLengths[index] === 0) continue;
    if (fragments === null || isVideo || elements.depths[index]! > 0) reading.add('extended-offset-table-wrong', index, 'There is an Extended Offset Table where no frames are in fragments of their own.');
  }
}

function expectedOf(reading: Reading, pixels: number, shape: Pick<PixelShape, 'rows' | 'columns' | 'samples' | 'bitsAllocated'>): Expected {
  const stored = reading.unsigned16(reading.siblings(pixels)(0x00280101));
  return { rows: shape.rows, columns: shape.columns, samples: shape.samples, bitsAllocated: shape.bitsAllocated, bitsStored: Number.isNaN(stored) ? 1 : stored };
}

/** Icons and other images inside Items, where they are encapsulated too: of one frame each. */
function checkIcons(reading: Reading, walker: Walker): void {
  const { elements, pixelData } = reading.mapped;
  const streams = new Codestreams(reading, walker, tagText(pixelDataTag));
  for (let index = 0; index < elements.count; index += 1) {
    if (elements.tags[index] !== pixelDataTag || index === pixelData || elements.depths[index] === 0 || elements.vrs[index] !== vrCode('OB')) continue;
    const ranges = itemsOf(reading, index);
    if (ranges === null) continue;
    const sibling = reading.siblings(index);
    const [rows, columns, bitsAllocated, samples] = [0x00280010, 0x00280011, 0x00280100, 0x00280002].map((tag) => reading.unsigned16(sibling(tag))) as [number, number, number, number];
    const shape = rows > 0 && columns > 0 && bitsAllocated > 0 ? { rows, columns, bitsAllocated, samples: samples > 0 ? samples : 1 } : null;
    if (ranges.length === 0) reading.add('fragments-unaccounted', index, 'There are no fragments with pixels.');
    else streams.check('An image inside an Item', ranges, shape === null ? null : expectedOf(reading, index, shape));
  }
  streams.finish();
}

/** The fragments of an element inside an Item, without the offset table; null where it has a length and so none. */
function itemsOf(reading: Reading, index: number): (readonly [number, number])[] | null {
  if (!isEncapsulated(reading, index)) return null;
  const { elements, dataSetSource } = reading.mapped;
  const value = elements.valueOffsets[index]!;
  const ranges: (readonly [number, number])[] = [];
  const end = value + elements.valueLengths[index]!;
  for (let at = value; at + 8 <= end;) {
    const head = dataSetSource.read(at, 8);
    const length = (head[4]! | (head[5]! << 8) | (head[6]! << 16) | (head[7]! << 24)) >>> 0;
    if (head[0] !== 0xfe || head[1] !== 0xff || head[2] !== 0 || head[3] !== 0xe0 || at + 8 + length > end) break;
    if (at > value) ranges.push([at + 8, length]);
    at += 8 + length;
  }
  return ranges;
}

/** Whether Pixel Data inside an Item is in fragments. Only an undefined length makes them; the reader has followed them to their end. */
export function isEncapsulated(reading: Reading, index: number): boolean {
  const { elements, dataSetSource } = reading.mapped;
  const value = elements.valueOffsets[index]!;
  return value - elements.headerOffsets[index]! >= 12 && dataSetSource.read(value - 4, 4).every((byte) => byte === 0xff);
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
    if (canStart(codec, start)) found.push(index);
  }
  if (found.length === frameCount && found[0] === 0) {
    return found.map((start, index) => [start, (found[index + 1] ?? count) - 1] as const);
  }
  reading.add('fragments-unaccounted', reading.mapped.pixelData, `${count} fragments cannot be told apart into ${frameCount} frames.`);
  return null;
}

/** Indices of the fragments where frames start by the Basic or Extended Offset Table; null when both are empty. */
function tableStarts(reading: Reading): number[] | null | 'wrong' {
  const { basicOffsetTable } = reading.mapped.fragments!;
  const extended = extendedStarts(reading);
  if (basicOffsetTable[1] === 0 || extended === 'wrong') return extended;
  if (basicOffsetTable[1] % 4 !== 0) return 'wrong'; // The reader has said so.
  const bytes = reading.mapped.dataSetSource.read(basicOffsetTable[0], basicOffsetTable[1]);
  const entries: number[] = [];
  for (let at = 0; at < bytes.length; at += 4) entries.push((bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0);
  const starts = startsOf(reading, entries);
  if (starts === null || (extended !== null && extended.join() !== starts.join())) {
    reading.addAt('offset-table-wrong', basicOffsetTable[0], basicOffsetTable[1], tagText(pixelDataTag), starts === null ? 'The Basic Offset Table does not point to the fragments that are there.' : 'The Basic Offset Table and the Extended Offset Table point to different fragments.', true);
    return 'wrong';
  }
  return starts;
}

/** Extended Offset Table and its lengths (PS3.3 C.7.6.3.1.8): each frame is one fragment, of that length or one byte more. */
function extendedStarts(reading: Reading): number[] | null | 'wrong' {
  const table = reading.top(extendedTableTag);
  const lengths = reading.top(extendedLengthsTag);
  if (table < 0 || reading.length(table) === 0) {
    if (lengths < 0 || reading.length(lengths) === 0) return null;
    reading.add('extended-offset-table-wrong', lengths, 'There are Extended Offset Table Lengths, and no Extended Offset Table.');
    return 'wrong';
  }
  const wrong = (index: number, text: string): 'wrong' => {
    reading.add('extended-offset-table-wrong', index, text);
    return 'wrong';
  };
  if (reading.length(table) % 8 !== 0) return wrong(table, 'The Extended Offset Table is not a list of 64 bit offsets.');
  const starts = startsOf(reading, numbers64(reading, table));
  if (starts === null) return wrong(table, 'The Extended Offset Table does not point to the fragments that are there.');
  if (lengths < 0) return starts;
  if (reading.length(lengths) !== reading.length(table)) return wrong(lengths, 'The Extended Offset Table Lengths are not as many as the offsets.');
  const there = reading.mapped.fragments!.lengths;
  const differs = numbers64(reading, lengths).some((length, frame) => {
    const fragment = there[starts[frame]!]!;
    return (length !== fragment && length !== fragment - 1) || (starts[frame + 1] ?? there.length) !== starts[frame]! + 1;
  });
  return differs ? wrong(lengths, 'The Extended Offset Table Lengths are not those of the frames that are there.') : starts;
}

function numbers64(reading: Reading, index: number): number[] {
  const bytes = reading.bytes(index);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const numbers: number[] = [];
  for (let at = 0; at < bytes.length; at += 8) numbers.push(Number(view.getBigUint64(at, true)));
  return numbers;
}

/** The fragments at these offsets, which count from the item header of the first one; null where they are not fragments from the first on, in order. */
function startsOf(reading: Reading, entries: readonly number[]): number[] | null {
  const { offsets } = reading.mapped.fragments!;
  const positions = new Map<number, number>();
  for (let index = 0; index < offsets.length; index += 1) positions.set(offsets[index]! - offsets[0]!, index);
  const starts = entries.map((entry) => positions.get(entry) ?? -1);
  return starts[0] !== 0 || starts.some((start, index) => start < 0 || (index > 0 && start <= starts[index - 1]!)) ? null : starts;
}
