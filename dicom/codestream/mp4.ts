/**
 * MP4 files (ISO/IEC 14496-12, -14, -15): every box; the chunks of its tracks cover the media data without gap and overlap; each sample of the
 * video is NAL units to its last byte. Fragmented files (moof) are not followed: nothing in DICOM makes them.
 */
import { readBoxes, type Box, type BoxRules } from './boxes.ts';
import type { Stream } from './stream.ts';
import { readTrack, type Track } from './mp4track.ts';
import type { Video } from './video.ts';

/** Boxes of fragmented files. */
const fragmented = new Set(['moof', 'mvex', 'mfra', 'sidx', 'styp', 'emsg']);
const rules: BoxRules = {
  required: ['ftyp', 'moov'], allowed: ['mdat', 'free', 'skip', 'wide'],
  supers: ['moov', 'trak', 'mdia', 'minf', 'dinf', 'stbl', 'edts'],
  inner: ['mvhd', 'tkhd', 'mdhd', 'hdlr', 'vmhd', 'smhd', 'dref', 'stsd', 'stts', 'stss', 'ctts', 'cslg', 'stsc', 'stsz', 'stco', 'co64', 'elst', 'iods', 'sgpd', 'sbgp', 'sdtp', 'tref', 'udta', 'meta', 'free', 'skip'],
};
/** Longest content of boxes that hold no tables: names of brands and handlers, what the writer says of itself. */
const boxBytesMax: Readonly<Record<string, number>> = { ftyp: 128, mvhd: 128, tkhd: 128, mdhd: 64, hdlr: 256, vmhd: 16, smhd: 16, dref: 256, elst: 4096, iods: 256, udta: 1024, meta: 1024, tref: 64, cslg: 64, stsd: 8192, sgpd: 4096 };
/** Boxes whose content means nothing to pictures: looked at as values. */
const told = new Set(['hdlr', 'udta', 'dref', 'ftyp', 'stsd', 'iods', 'sgpd', 'tref', 'meta']);
/** Writers leave their name in free space. */
const freeBytesMax = 256;
const chunksMax = 2_000_000;

/** Position after the last box; where something does not fit, a problem says what. */
export function walkMP4(stream: Stream, video: Video): number {
  const { notes } = video;
  let isFragmented = false;
  const boxes = readBoxes(stream, notes, {
    ...rules,
    other: ({ type }) => {
      isFragmented ||= fragmented.has(type);
      return fragmented.has(type);
    },
  });
  if (isFragmented) notes.unwalked(0, stream.length, 'it is a fragmented MP4 file');
  const data: Box[] = [];
  for (const box of boxes) {
    const most = boxBytesMax[box.type];
    if (most !== undefined && box.length > most) notes.extra(box.at, box.length, `its box "${box.type}" has ${box.length} bytes`);
    if (told.has(box.type)) video.user.add(`box ${box.type}`, stream.copy(box.at, Math.min(box.length, 4096)), box.length, box.at);
    if (box.type === 'mdat') data.push(box);
    else if (['free', 'skip', 'wide'].includes(box.type) && stream.skip(0, box.at, box.at + box.length) < box.at + box.length) {
      if (box.length > freeBytesMax) notes.extra(box.at, box.length, `its free space of ${box.length} bytes holds something`);
      else video.user.add(`box ${box.type}`, stream.copy(box.at, box.length), box.length, box.at);
    }
  }
  const last = boxes.filter((box) => box.depth === 0).at(-1);
  const end = last === undefined ? 0 : last.at + last.length;
  if (notes.problems.some((problem) => problem.kind !== 'extra')) return end;
  const tracks: Track[] = [];
  for (const [index, box] of boxes.entries()) {
    if (box.type !== 'trak' || box.depth !== 1) continue;
    const rest = boxes.slice(index + 1);
    const after = rest.findIndex((other) => other.depth <= 1);
    const track = readTrack(stream, video, after < 0 ? rest : rest.slice(0, after));
    if (typeof track === 'string') {
      notes.invalid(box.at, box.length, track);
      return end;
    }
    tracks.push(track);
  }
  if (tracks.filter((track) => track.isVideo).length !== 1) {
    notes.invalid(0, stream.length, 'it does not have one video of its Transfer Syntax');
    return end;
  }
  cover(stream, video, tracks, data);
  for (const track of tracks) if (track.isVideo) samples(stream, video, track);
  return end;
}

/** What lies in the media data belongs to a chunk: otherwise nothing plays it. */
function cover(stream: Stream, video: Video, tracks: readonly Track[], data: readonly Box[]): void {
  const { notes } = video;
  const count = tracks.reduce((sum, track) => sum + track.chunkOffsets.length, 0);
  if (count > chunksMax) return notes.unwalked(0, stream.length, `it has ${count} chunks`);
  const order = Array.from({ length: count }, (_, index) => index);
  const offsets = new Float64Array(count);
  const lengths = new Float64Array(count);
  let row = 0;
  for (const track of tracks) {
    offsets.set(track.chunkOffsets, row);
    lengths.set(track.chunkLengths, row);
    row += track.chunkOffsets.length;
  }
  order.sort((one, other) => offsets[one]! - offsets[other]!);
  let next = 0;
  for (const box of data) {
    let at = box.at;
    const end = box.at + box.length;
    while (next < count && offsets[order[next]!]! < end) {
      const chunk = order[next]!;
      if (lengths[chunk] === 0) {
        next += 1;
        continue;
      }
      // Zeros between chunks align them.
      if (offsets[chunk]! < at || stream.skip(0, at, offsets[chunk]!) < offsets[chunk]!) break;
      at = offsets[chunk]!;
      at += lengths[chunk]!;
      next += 1;
    }
    if (at > end) return notes.invalid(box.at, box.length, 'a chunk of its tracks reaches beyond the media data');
    if (at < end && stream.skip(0, at, end) < end) return notes.extra(at, end - at, `its media data has bytes from ${at} on that no track plays`);
  }
  return next < count ? notes.invalid(0, stream.length, 'a chunk of its tracks lies outside the media data, or over another') : undefined;
}

/** Every sample of the video: lengths and NAL units. */
function samples(stream: Stream, video: Video, track: Track): void {
  const units = video.units;
  let sample = 0;
  for (const [chunk, offset] of track.chunkOffsets.entries()) {
    let at = offset;
    for (let left = track.chunkSamples[chunk]!; left > 0; left -= 1) {
      const size = track.sampleSize > 0 ? track.sampleSize : track.sampleSizes![sample]!;
      sample += 1;
      const end = at + size;
      while (at < end) {
        const length = track.lengthBytes === 4 ? stream.unsigned32(at) : track.lengthBytes === 2 ? stream.unsigned16(at) : stream.byte(at);
        const from = at + track.lengthBytes;
        if (length < 0 || from + length > end) return video.notes.invalid(at, Math.max(0, end - at), `sample ${sample} of its video is not made of NAL units`);
        units.unit(stream.copy(from, Math.min(length, units.wanted(stream.byte(from)))), length, from);
        at = from + length;
      }
    }
  }
  return undefined;
}
