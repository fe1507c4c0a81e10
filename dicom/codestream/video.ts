/**
 * A video: one elementary stream as it is, or in a program stream, a transport stream (ISO/IEC 13818-1) or an MP4 file (ISO/IEC 14496-12), which
 * are what PS3.5 §8.2.5 to §8.2.12 permit. Every packet, box, start code and NAL unit is gone over; pictures and sound are not decoded.
 */
import { Notes, type Expected, type Walk, type Walker } from './contract.ts';
import { NALUnits, type VideoCodec } from './nalunits.ts';
import { MPEG2Units } from './mpeg2units.ts';
import { walkMP4 } from './mp4.ts';
import { walkProgram } from './programstream.ts';
import { StartCodes } from './startcodes.ts';
import { windowBytes, type Stream } from './stream.ts';
import { packetBytes, walkTransport } from './transportstream.ts';
import { UserData } from './userdata.ts';

export interface VideoRules {
  readonly codec: VideoCodec;
  /** Units of a second view are permitted (Stereo High Profile). */
  readonly isStereo: boolean;
}

/** One video on its way: what containers push into and ask of. */
export class Video {
  readonly notes = new Notes();
  readonly user = new UserData(this.notes);
  readonly rules: VideoRules;
  readonly expected: Expected | null;
  readonly units: MPEG2Units | NALUnits;
  readonly codes: StartCodes;

  constructor(rules: VideoRules, expected: Expected | null) {
    this.rules = rules;
    this.expected = expected;
    this.units = rules.codec === 'mpeg-2' ? new MPEG2Units(this.notes, this.user, expected) : new NALUnits(this.notes, this.user, expected, rules.codec, rules.isStereo);
    this.codes = new StartCodes(this.units);
  }

  /** After the last byte: there must have been pictures, and nothing before the first start code. */
  finish(stream: Stream): void {
    this.codes.finish();
    if (this.codes.strayBytes > 0) this.notes.extra(0, stream.length, `${this.codes.strayBytes} bytes stand before its first picture`);
    if (this.notes.problems.length === 0 && (this.units.pictures === 0 || this.units.sequences === 0)) this.notes.invalid(0, stream.length, 'there are no pictures in it');
    this.user.finish(stream.length);
  }
}

export function walkVideo(rules: VideoRules): Walker {
  return (stream, expected): Walk => {
    const video = new Video(rules, expected);
    const end = containerOf(stream)(stream, video);
    video.finish(stream);
    return video.notes.done(end);
  };
}

type Container = (stream: Stream, video: Video) => number;

function containerOf(stream: Stream): Container {
  if (stream.letters(4, 4) === 'ftyp') return walkMP4;
  if (stream.byte(0) === 0x47 && (stream.length < 2 * packetBytes || stream.byte(packetBytes) === 0x47)) return walkTransport;
  if (stream.unsigned24(0) === 1 && stream.byte(3) >= 0xb9) return walkProgram;
  if (stream.unsigned24(0) === 1 || stream.unsigned32(0) === 1) return walkElementary;
  return (_, video) => {
    video.notes.invalid(0, Math.min(8, stream.length), 'it does not begin as a video stream');
    return 0;
  };
}

function walkElementary(stream: Stream, video: Video): number {
  for (let at = 0; at < stream.length;) {
    stream.look(at);
    const length = Math.min(windowBytes, stream.end - at);
    video.codes.push(stream.bytes, 0, length, at);
    at += length;
  }
  return stream.length;
}

