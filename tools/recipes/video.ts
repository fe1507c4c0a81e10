/**
 * Videos of two grey pictures of 64 by 64, as elementary streams that ffmpeg's encoders wrote (without their description of themselves), and
 * writers of the containers around them, so that recipes can put something into each.
 */
import { box } from './frames.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/\s/g, ''), 'hex');
const startCode = Buffer.from([0, 0, 0, 1]);

/** NAL units: sequence and picture parameter sets, an IDR slice, a P slice. */
export const h264Units: readonly Buffer[] = [
  hex('6764000aacd94426c044000003000400000300c83c489658'), hex('68ebe3cb22c0'), hex('658884002ffffef6aefcdc54a970eacbda58dcbdc3bd6941f00ff19405'), hex('419a216c42bffe388dc0'),
];
/** Video, sequence and picture parameter sets, an IDR slice, a trailing one. */
export const hevcUnits: readonly Buffer[] = [
  hex('40010c01ffff01600000030090000003000003001e959809'), hex('42010101600000030090000003000003001ea020810596566924caf0168080000003008000000c84'),
  hex('4401c172b42240'), hex('2801af1d80f7015bd6beccf0'), hex('0201d0097e10c63bfa84'),
];
/** What follows each start code: sequence, its extension, group, picture, its extension, four slices, and the second picture. */
const mpeg2Units = [
  'b304004013ffffe018', 'b5148a00010000', 'b800080040', '00000ffff8', 'b58ffff34180', '01535a529117294a445ca529117294a444', '02535a529117294a445ca529117294a444',
  '03535a529117294a445ca529117294a444', '04535a529117294a445ca529117294a444', '000057fffb80', 'b5811ff34180', '01527470', '02527470', '03527470', '04527470',
];
export const mpeg2Stream = hex(mpeg2Units.map((unit) => `000001${unit}`).join(''));

/** Annex B: a start code before each unit. */
export function annexB(units: readonly Uint8Array[]): Buffer {
  return Buffer.concat(units.flatMap((unit) => [startCode, unit]));
}

/** A PES packet (ISO/IEC 13818-1 §2.4.3.6) with a time stamp. */
export function pes(stream: number, payload: Uint8Array, isOpen = false): Buffer {
  const length = isOpen ? 0 : payload.length + 8;
  return Buffer.concat([Buffer.from([0, 0, 1, stream, length >> 8, length & 255, 0x80, 0x80, 5, 0x21, 0, 1, 0, 1]), payload]);
}

/** A program stream: pack header, system header, the video in PES packets, end. `more` stands before the end. */
export function programStream(video: Uint8Array, ...more: readonly Uint8Array[]): Buffer {
  return Buffer.concat([hex('000001ba 440004000401 00c353 f8'), hex('000001bb000980c3500021ffe0e0e8'), pes(0xe0, video), ...more, hex('000001b9')]);
}

/** A packet of a transport stream; a short payload is filled up by stuffing in the adaptation field. */
export function packet(pid: number, counter: number, payload: Uint8Array, isStart: boolean, stuffing = 0xff): Buffer {
  const left = 184 - payload.length;
  const head = Buffer.from([0x47, (isStart ? 0x40 : 0) | (pid >> 8), pid & 255, (left > 0 ? 0x30 : 0x10) | (counter & 15)]);
  const adaptation = left === 0 ? Buffer.alloc(0) : left === 1 ? Buffer.from([0]) : Buffer.concat([Buffer.from([left - 1, 0]), Buffer.alloc(left - 2, stuffing)]);
  return Buffer.concat([head, adaptation, payload]);
}

const videoPID = 0x100;
const mapPID = 0x1000;

function table(pid: number, content: readonly number[]): Buffer {
  // The checksum is that of nothing: players warn at most.
  const section = Buffer.from([0, content[0]!, 0xb0, content.length - 1 + 4, ...content.slice(1), 0, 0, 0, 0]);
  return packet(pid, 0, Buffer.concat([section, Buffer.alloc(184 - section.length, 0xff)]), true);
}

/** A transport stream with one video; `type` is its stream type (ISO/IEC 13818-1 Table 2-34). `more` are packets after it. */
export function transportStream(type: number, video: Uint8Array, ...more: readonly Uint8Array[]): Buffer {
  const packets = [
    table(0, [0x00, 0, 1, 0xc1, 0, 0, 0, 1, 0xe0 | (mapPID >> 8), mapPID & 255]),
    table(mapPID, [0x02, 0, 1, 0xc1, 0, 0, 0xe0 | (videoPID >> 8), videoPID & 255, 0xf0, 0, type, 0xe0 | (videoPID >> 8), videoPID & 255, 0xf0, 0]),
  ];
  const bytes = pes(0xe0, video, true);
  for (let at = 0, counter = 0; at < bytes.length; at += 184, counter += 1) packets.push(packet(videoPID, counter, bytes.subarray(at, at + 184), at === 0));
  return Buffer.concat([...packets, ...more]);
}
/** Continuity counter and PID of the next packet of that video. */
export function nextPacket(video: Uint8Array): { readonly pid: number; readonly counter: number } {
  return { pid: videoPID, counter: Math.ceil(pes(0xe0, video, true).length / 184) };
}

const number32 = (...values: readonly number[]): Buffer => Buffer.concat(values.map((value) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}));

const sized = (unit: Uint8Array): Buffer => Buffer.concat([Buffer.from([unit.length >> 8, unit.length & 255]), unit]);

export interface MP4 {
  /** Boxes after the movie. */
  readonly more?: readonly Uint8Array[];
  /** In the media data, behind the samples. */
  readonly unplayed?: Uint8Array;
  readonly columns?: number;
}

/** An MP4 file with one H.264 track; each unit after the parameter sets is a sample. */
export function mp4(units: readonly Uint8Array[], { more = [], unplayed = new Uint8Array(), columns = 64 }: MP4 = {}): Buffer {
  const samples = units.slice(2).map((unit) => Buffer.concat([number32(unit.length), unit]));
  const [sequence, picture] = [units[0]!, units[1]!];
  const configuration = box('avcC', Buffer.from([1, 100, 0, 10, 0xff, 0xe1]), sized(sequence), Buffer.from([1]), sized(picture));
  const entry = box('avc1', Buffer.alloc(6), Buffer.from([0, 1]), Buffer.alloc(16), Buffer.from([columns >> 8, columns & 255, 0, 64]), number32(0x480000, 0x480000, 0), Buffer.from([0, 1]), Buffer.alloc(32), Buffer.from([0, 24, 0xff, 0xff]), configuration);
  const movie = (offset: number): Buffer => box('moov',
    box('mvhd', Buffer.alloc(100)),
    box('trak', box('tkhd', Buffer.alloc(84)), box('mdia', box('mdhd', Buffer.alloc(24)), box('hdlr', Buffer.from('\0\0\0\0\0\0\0\0vide\0\0\0\0\0\0\0\0\0\0\0\0video\0', 'latin1')),
      box('minf', box('vmhd', Buffer.alloc(12)), box('dinf', box('dref', number32(0, 1), box('url ', number32(1)))),
        box('stbl', box('stsd', number32(0, 1), entry), box('stts', number32(0, 1, samples.length, 1)), box('stsc', number32(0, 1, 1, samples.length, 1)),
          box('stsz', number32(0, 0, samples.length, ...samples.map((sample) => sample.length))), box('stco', number32(0, 1, offset)))))));
  const type = box('ftyp', Buffer.from('isom\0\0\0\0isomiso2avc1mp41', 'latin1'));
  const offset = type.length + movie(0).length + 8;
  return Buffer.concat([type, movie(offset), box('mdat', ...samples, unplayed), ...more]);
}
