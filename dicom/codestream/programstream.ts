/** Program streams (ISO/IEC 13818-1 §2.5, ISO/IEC 11172-1) and bare PES packets: one video, any sound, and nothing private. */
import { headerOf } from './packetizedstream.ts';
import type { Stream } from './stream.ts';
import type { Video } from './video.ts';

/** Longest system header or stream map: a few streams of a few bytes. */
const headerBytesMax = 512;

/** From the first start code to the end; where it stops, a problem says why. */
export function walkProgram(stream: Stream, video: Video): number {
  const { notes } = video;
  let at = 0;
  let videoId = -1;
  while (at < stream.length) {
    if (stream.unsigned24(at) !== 1) {
      // Zeros may stand before any start code.
      const next = stream.skip(0, at, stream.length);
      if (next === stream.length) return at;
      if (next - at < 2 || stream.byte(next) !== 1) {
        notes.invalid(at, Math.min(16, stream.length - at), `no packet begins at byte ${at}`);
        return at;
      }
      at = next - 2;
    }
    const id = stream.byte(at + 3);
    if (id === 0xb9) return ended(stream, video, at + 4);
    if (id === 0xba) {
      const length = packLength(stream, at);
      if (length < 0) {
        notes.invalid(at, 4, `the pack at byte ${at} has a header that is none`);
        return at;
      }
      at += length;
      continue;
    }
    const length = stream.unsigned16(at + 4);
    const end = at + 6 + length;
    if (length < 0 || end > stream.length) {
      notes.invalid(at, stream.length - at, 'it is cut off inside a packet');
      return at;
    }
    if (id === 0xbb || id === 0xbc) {
      video.user.add('program header', stream.copy(at + 6, Math.min(length, headerBytesMax)), length, at + 6);
    } else if (id === 0xbe) {
      // MPEG-1 has a 0F before its padding.
      const from = stream.byte(at + 6) === 0x0f ? at + 7 : at + 6;
      if (stream.skip(0xff, from, end) < end) notes.extra(at, length, 'a padding packet holds something');
    } else if (id >= 0xe0 && id <= 0xef && (videoId < 0 || id === videoId)) {
      videoId = id;
      const header = pesHeader(stream, video, at, end);
      if (header < 0) return at;
      push(stream, video, at + header, end);
    } else if ((id >= 0xc0 && id <= 0xdf) || id === 0xbd) {
      if (pesHeader(stream, video, at, end) < 0) return at;
    } else {
      notes.extra(at, 6 + length, `it has a packet of stream ${id.toString(16).toUpperCase()}, which is neither its video nor sound`);
      if (id < 0xbc) return at;
    }
    at = end;
  }
  return at;
}

function ended(stream: Stream, video: Video, at: number): number {
  if (stream.skip(0, at, stream.length) < stream.length && stream.length - at > 1) video.notes.extra(at, stream.length - at, `${stream.length - at} bytes follow its end`);
  return at;
}

function packLength(stream: Stream, at: number): number {
  const fifth = stream.byte(at + 4);
  if (fifth >> 4 === 2) return stream.byte(at + 11) < 0 ? -1 : 12;
  if (fifth >> 6 !== 1) return -1;
  const stuffing = stream.byte(at + 13);
  if (stuffing < 0) return -1;
  const length = 14 + (stuffing & 7);
  return at + length <= stream.length && stream.skip(0xff, at + 14, at + length) === at + length ? length : -1;
}

/** Length of the header of the PES packet, or -1 (noted). */
function pesHeader(stream: Stream, video: Video, at: number, end: number): number {
  const header = headerOf(stream.copy(at, Math.min(end - at, 9 + 255)));
  if (typeof header === 'string' || at + header.length > end) {
    video.notes.invalid(at, Math.min(64, end - at), typeof header === 'string' ? header : 'a packet is shorter than its header');
    return -1;
  }
  if (header.extra > 0) video.user.add('packet header', stream.copy(at + 9, header.length - 9), header.length - 9, at + 9);
  return header.length;
}

function push(stream: Stream, video: Video, from: number, until: number): void {
  for (let at = from; at < until;) {
    if (at < stream.start || at >= stream.end) stream.look(at);
    const length = Math.min(stream.end, until) - at;
    video.codes.push(stream.bytes, at - stream.start, at - stream.start + length, at);
    at += length;
  }
}
