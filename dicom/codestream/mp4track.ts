/** One track of an MP4 file: what it holds and where its chunks are (ISO/IEC 14496-12 §8.5 to §8.7). */
import type { Box } from './boxes.ts';
import { fits } from './nalunits.ts';
import type { Stream } from './stream.ts';
import type { Video } from './video.ts';

export interface Track {
  readonly isVideo: boolean;
  /** Bytes of the length before each NAL unit. */
  readonly lengthBytes: number;
  readonly chunkOffsets: Float64Array;
  readonly chunkLengths: Float64Array;
  readonly chunkSamples: Uint32Array;
  /** Of all samples, or 0 where each has its own. */
  readonly sampleSize: number;
  readonly sampleSizes: Uint32Array | null;
}

/** Pictures of a day at 60 a second are five million. */
const samplesMax = 8_000_000;
const chunksMax = 2_000_000;

const videoEntries: Readonly<Record<string, readonly string[]>> = { h264: ['avc1', 'avc3'], hevc: ['hvc1', 'hev1'], 'mpeg-2': ['mp4v'] };
const soundEntries = new Set(['mp4a', 'ac-3', '.mp3', 'lpcm', 'sowt', 'twos', 'ipcm']);

/** The boxes are those inside `trak`; the text says what is wrong. */
export function readTrack(stream: Stream, video: Video, boxes: readonly Box[]): Track | string {
  const box = (type: string): Box | undefined => boxes.find((each) => each.type === type);
  const [description, sizes, map] = [box('stsd'), box('stsz'), box('stsc')];
  const offsets = box('stco') ?? box('co64');
  if (description === undefined || sizes === undefined || map === undefined || offsets === undefined) return 'a track of it lacks a table';
  if (stream.unsigned32(description.at + 4) !== 1) return 'a track of it has more than one description';
  const entry = { type: stream.letters(description.at + 12, 4), at: description.at + 8, length: stream.unsigned32(description.at + 8) };
  if (entry.length < 16 || entry.at + entry.length !== description.at + description.length) return 'the description of a track has a wrong length';
  const isVideo = (videoEntries[video.rules.codec] ?? []).includes(entry.type);
  if (!isVideo && !soundEntries.has(entry.type)) return `a track of it is neither the video of its Transfer Syntax nor sound ("${entry.type}")`;
  const sampleSize = stream.unsigned32(sizes.at + 4);
  const sampleCount = stream.unsigned32(sizes.at + 8);
  if (sampleCount < 0 || sampleCount > samplesMax || sizes.length !== 12 + (sampleSize === 0 ? 4 * sampleCount : 0)) return 'the sample sizes of a track have a wrong length';
  const sampleSizes = sampleSize === 0 ? new Uint32Array(sampleCount) : null;
  for (let sample = 0; sample < (sampleSizes?.length ?? 0); sample += 1) sampleSizes![sample] = stream.unsigned32(sizes.at + 12 + sample * 4);
  const wide = offsets.type === 'co64' ? 8 : 4;
  const count = stream.unsigned32(offsets.at + 4);
  if (count < 0 || count > chunksMax || offsets.length !== 8 + wide * count) return 'the chunk offsets of a track have a wrong length';
  const chunkOffsets = new Float64Array(count);
  for (let chunk = 0; chunk < count; chunk += 1) chunkOffsets[chunk] = wide === 8 ? stream.unsigned64(offsets.at + 8 + chunk * 8) : stream.unsigned32(offsets.at + 8 + chunk * 4);
  const chunkSamples = samplesOf(stream, map, count);
  if (typeof chunkSamples === 'string') return chunkSamples;
  const chunkLengths = new Float64Array(count);
  let sample = 0;
  for (let chunk = 0; chunk < count; chunk += 1) {
    if (sample + chunkSamples[chunk]! > sampleCount) return 'the chunks of a track hold more samples than it has';
    if (sampleSizes === null) chunkLengths[chunk] = chunkSamples[chunk]! * sampleSize;
    else for (let left = 0; left < chunkSamples[chunk]!; left += 1) chunkLengths[chunk] = chunkLengths[chunk]! + sampleSizes[sample + left]!;
    sample += chunkSamples[chunk]!;
  }
  if (sample !== sampleCount) return 'the chunks of a track hold fewer samples than it has';
  const lengthBytes = isVideo ? configuration(stream, video, entry.at + 8, entry.length - 8) : 0;
  if (typeof lengthBytes === 'string') return lengthBytes;
  return { isVideo, lengthBytes, chunkOffsets, chunkLengths, chunkSamples, sampleSize, sampleSizes };
}

/** stsc: from which chunk on each chunk has how many samples. */
function samplesOf(stream: Stream, map: Box, chunks: number): Uint32Array | string {
  const rows = stream.unsigned32(map.at + 4);
  if (rows < 0 || map.length !== 8 + 12 * rows || rows > chunks + 1) return 'the chunks of a track are described by a table of a wrong length';
  const samples = new Uint32Array(chunks);
  for (let row = 0; row < rows; row += 1) {
    const [first, each] = [stream.unsigned32(map.at + 8 + row * 12), stream.unsigned32(map.at + 12 + row * 12)];
    const next = row + 1 < rows ? stream.unsigned32(map.at + 20 + row * 12) : chunks + 1;
    if (first < 1 || next <= first || next > chunks + 1 || (row === 0 && first !== 1) || each > samplesMax) return 'the chunks of a track are not described in order';
    samples.fill(each, first - 1, next - 1);
  }
  return samples;
}

/** Visual sample entry (§12.1.3) and the decoder configuration in it (ISO/IEC 14496-15): bytes of each NAL unit's length. Parameter sets are read as units. */
function configuration(stream: Stream, video: Video, at: number, length: number): number | string {
  const { expected, rules } = video;
  if (length < 78) return 'the description of its video has a wrong length';
  const [columns, rows] = [stream.unsigned16(at + 24), stream.unsigned16(at + 26)];
  if (expected !== null && (!fits(columns, expected.columns) || !fits(rows, expected.rows))) return `it is coded as ${columns} × ${rows}, the image says ${expected.columns} × ${expected.rows}`;
  const end = at + length;
  for (let from = at + 78; from + 8 <= end;) {
    const size = stream.unsigned32(from);
    const type = stream.letters(from + 4, 4);
    if (size < 8 || from + size > end) return 'the description of its video has a wrong length';
    if (type === (rules.codec === 'h264' ? 'avcC' : 'hvcC')) return rules.codec === 'h264' ? avc(stream, video, from + 8, from + size) : hevc(stream, video, from + 8, from + size);
    from += size;
  }
  return 'the description of its video has no decoder configuration';
}

function avc(stream: Stream, video: Video, from: number, end: number): number | string {
  let at = from + 5;
  for (const mask of [31, 255]) {
    const count = stream.byte(at) & mask;
    at += 1;
    for (let unit = 0; unit < count; unit += 1) {
      const length = stream.unsigned16(at);
      if (length < 0 || at + 2 + length > end) return 'the decoder configuration of its video is cut off';
      video.units.unit(stream.copy(at + 2, length), length, at + 2);
      at += 2 + length;
    }
  }
  // High profiles add four bytes, and extensions that nobody writes.
  return at === end || at + 4 === end ? (stream.byte(from + 4) & 3) + 1 : 'the decoder configuration of its video is longer than what it holds';
}

function hevc(stream: Stream, video: Video, from: number, end: number): number | string {
  let at = from + 23;
  for (let arrays = stream.byte(from + 22); arrays > 0; arrays -= 1) {
    const count = stream.unsigned16(at + 1);
    at += 3;
    for (let unit = 0; unit < count; unit += 1) {
      const length = stream.unsigned16(at);
      if (length < 0 || at + 2 + length > end) return 'the decoder configuration of its video is cut off';
      video.units.unit(stream.copy(at + 2, length), length, at + 2);
      at += 2 + length;
    }
  }
  return at === end ? (stream.byte(from + 21) & 3) + 1 : 'the decoder configuration of its video is longer than what it holds';
}
