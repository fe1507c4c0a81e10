/** Transport streams (ISO/IEC 13818-1 §2.4): packets of 188 bytes to the end; one program with one video, sound, and nothing private. */
import { headerOf } from './packetizedstream.ts';
import { checkPadding } from './padding.ts';
import type { Stream } from './stream.ts';
import type { Video } from './video.ts';

export const packetBytes = 188;
/** Packets in which the tables that say which packets are what must have come: they come several times a second. */
const tablePacketsMax = 20_000;
const nullPID = 0x1fff;
/** Network, service, event and time tables (ETSI EN 300 468 §5.1.3), which muxers add. */
const servicePIDs = new Set([0x01, 0x10, 0x11, 0x12, 0x14]);

/** ISO/IEC 13818-1 Table 2-34, and those that PS3.5 §8.2.12 names for sound. */
const videoTypes: Readonly<Record<string, readonly number[]>> = { 'mpeg-2': [0x01, 0x02], h264: [0x1b], hevc: [0x24] };
const stereoType = 0x20;
const soundTypes = new Set([0x03, 0x04, 0x0f, 0x11, 0x80, 0x81]);

type Kind = 'tables' | 'video' | 'sound';

/** One elementary stream on its way. */
interface Track {
  readonly kind: Kind;
  counter: number;
  /** Bytes that the open PES packet still has; Infinity where it does not say, -1 before the first. */
  left: number;
}

export function walkTransport(stream: Stream, video: Video): number {
  const { notes } = video;
  const tracks = new Map<number, Track>();
  for (const pid of [0, ...servicePIDs]) tracks.set(pid, { kind: 'tables', counter: -1, left: -1 });
  const wrong = findTracks(stream, video, tracks);
  if (wrong !== null) {
    notes.invalid(0, Math.min(packetBytes, stream.length), wrong);
    return 0;
  }
  let at = 0;
  for (; at + packetBytes <= stream.length; at += packetBytes) {
    const problem = packet(stream, video, tracks, at);
    if (problem === null) continue;
    notes.invalid(at, packetBytes, problem);
    return at;
  }
  checkPadding(stream, at, notes);
  return at;
}

/** Null, or why the walk ends at this packet. */
function packet(stream: Stream, video: Video, tracks: ReadonlyMap<number, Track>, at: number): string | null {
  // A packet seldom lies over the end of a window.
  if (at < stream.start || at + packetBytes > stream.end) stream.look(at);
  const whole = at + packetBytes <= stream.end;
  const bytes = whole ? stream.bytes : stream.copy(at, packetBytes);
  const base = whole ? at - stream.start : 0;
  if (bytes[base] !== 0x47) return `no packet begins at byte ${at}`;
  const [second, fourth] = [bytes[base + 1]!, bytes[base + 3]!];
  if ((second & 0x80) !== 0 || fourth >= 0x40) return `the packet at byte ${at} is damaged or scrambled`;
  const pid = ((second & 0x1f) << 8) | bytes[base + 2]!;
  const hasPayload = (fourth & 0x10) !== 0;
  let payload = 4;
  let isDiscontinuity = false;
  if ((fourth & 0x20) !== 0) {
    const length = bytes[base + 4]!;
    payload = 5 + length;
    if (payload > packetBytes || (!hasPayload && payload !== packetBytes)) return `the packet at byte ${at} has an adaptation field that does not fit`;
    if (length > 0) {
      isDiscontinuity = (bytes[base + 5]! & 0x80) !== 0;
      adaptation(video, bytes, base + 5, base + payload, at + 5);
    }
  } else if (!hasPayload) return `the packet at byte ${at} has neither payload nor adaptation field`;
  if (!hasPayload) return null;
  if (pid === nullPID) {
    const first = bytes[base + payload];
    for (let index = base + payload; index < base + packetBytes; index += 1) {
      if (bytes[index] === first && (first === 0 || first === 0xff)) continue;
      video.notes.extra(at, packetBytes, 'a null packet holds something');
      break;
    }
    return null;
  }
  const track = tracks.get(pid);
  if (track === undefined) {
    video.notes.extra(at, packetBytes, `packets of stream ${pid} belong to neither its video nor sound`);
    return null;
  }
  const counter = fourth & 15;
  if (track.counter >= 0 && !isDiscontinuity && counter !== ((track.counter + 1) & 15)) {
    // A packet that repeats the one before it is left out by decoders, whatever it holds.
    if (counter === track.counter) video.notes.extra(at, packetBytes, 'it has packets that decoders take for repeated ones');
    else return `packets before byte ${at} are missing`;
  }
  track.counter = counter;
  if (track.kind === 'tables') {
    video.user.add('stream tables', bytes.subarray(base + payload, base + packetBytes), packetBytes - payload, at + payload);
    return null;
  }
  return elementary(video, track, bytes, base, payload, (second & 0x40) !== 0, at);
}

/** The payload of a packet of video or sound. */
function elementary(video: Video, track: Track, bytes: Uint8Array, base: number, from: number, isStart: boolean, at: number): string | null {
  let payload = from;
  if (isStart) {
    if (track.left > 0 && track.left !== Number.POSITIVE_INFINITY) return `a packet of its streams is cut off at byte ${at}`;
    const head = bytes.subarray(base + payload, base + packetBytes);
    const id = head[3] ?? 0;
    const fits = track.kind === 'video' ? id >= 0xe0 && id <= 0xef : (id >= 0xc0 && id <= 0xdf) || id === 0xbd || id === 0xfd;
    if (head[0] !== 0 || head[1] !== 0 || head[2] !== 1 || !fits) return `no packet of its streams begins at byte ${at + payload}`;
    const header = headerOf(head);
    if (typeof header === 'string') return header;
    if (payload + header.length > packetBytes) return 'a packet header is longer than the packet that holds it';
    if (header.extra > 0) video.user.add('packet header', head.subarray(9, header.length), header.length - 9, at + payload + 9);
    const declared = (head[4]! << 8) | head[5]!;
    track.left = declared === 0 ? Number.POSITIVE_INFINITY : declared + 6 - header.length;
    payload += header.length;
  }
  const length = packetBytes - payload;
  if (track.left < 0) return `a stream begins in the middle at byte ${at}`;
  if (length > track.left) video.notes.extra(at, packetBytes, `${length - track.left} bytes follow a packet of its streams`);
  const taken = Math.min(length, track.left);
  if (track.kind === 'video') video.codes.push(bytes, base + payload, base + payload + taken, at + payload);
  track.left -= taken;
  return null;
}

/** Fields of an adaptation field (§2.4.3.4), then FF to its end. */
function adaptation(video: Video, bytes: Uint8Array, from: number, end: number, at: number): void {
  const flags = bytes[from]!;
  let index = from + 1;
  if ((flags & 0x10) !== 0) index += 6;
  if ((flags & 0x08) !== 0) index += 6;
  if ((flags & 0x04) !== 0) index += 1;
  if ((flags & 0x02) !== 0 && index < end) {
    const length = bytes[index]!;
    video.user.add('private data', bytes.subarray(index + 1, Math.min(end, index + 1 + length)), length, at + index + 1 - from);
    index += 1 + length;
  }
  if ((flags & 0x01) !== 0 && index < end) index += 1 + bytes[index]!;
  for (; index < end; index += 1) {
    if (bytes[index] === 0xff) continue;
    video.notes.extra(at, end - from, 'the stuffing of a packet holds something');
    return;
  }
}

/** Program association and program map (§2.4.4): which PID is what. Null, or what is wrong. */
function findTracks(stream: Stream, video: Video, tracks: Map<number, Track>): string | null {
  let mapPID = -1;
  for (let at = 0, packets = 0; at + packetBytes <= stream.length && packets < tablePacketsMax; at += packetBytes, packets += 1) {
    if (stream.byte(at) !== 0x47) return `no packet begins at byte ${at}`;
    const pid = stream.unsigned16(at + 1) & 0x1fff;
    if ((pid !== 0 && pid !== mapPID) || (stream.byte(at + 1) & 0x40) === 0) continue;
    const bytes = stream.copy(at, packetBytes);
    const from = (bytes[3]! & 0x20) === 0 ? 4 : 5 + bytes[4]!;
    const table = from + 1 + (bytes[from] ?? packetBytes);
    const length = ((bytes[table + 1]! & 0x0f) << 8) | bytes[table + 2]!;
    const end = table + 3 + length;
    if (!(end <= packetBytes) || length < 9) return 'its tables of streams do not fit into one packet';
    if (pid === 0) {
      for (let row = table + 8; row + 8 <= end; row += 4) {
        if (((bytes[row]! << 8) | bytes[row + 1]!) === 0) continue;
        const program = ((bytes[row + 2]! & 0x1f) << 8) | bytes[row + 3]!;
        if (mapPID >= 0 && program !== mapPID) return 'it holds more than one program';
        mapPID = program;
      }
      continue;
    }
    const types = [...(videoTypes[video.rules.codec] ?? []), ...(video.rules.isStereo ? [stereoType] : [])];
    let row = table + 12 + (((bytes[table + 10]! & 0x0f) << 8) | bytes[table + 11]!);
    let hasVideo = false;
    for (; row + 5 <= end - 4; row += 5 + (((bytes[row + 3]! & 0x0f) << 8) | bytes[row + 4]!)) {
      const type = bytes[row]!;
      const track = ((bytes[row + 1]! & 0x1f) << 8) | bytes[row + 2]!;
      const kind = types.includes(type) ? 'video' : soundTypes.has(type) ? 'sound' : null;
      if (kind === null) return `it has a stream of type ${type.toString(16).toUpperCase()}, which is neither the video of its Transfer Syntax nor sound`;
      if (kind === 'video' && hasVideo && !video.rules.isStereo) return 'it has two videos';
      hasVideo ||= kind === 'video';
      tracks.set(track, { kind, counter: -1, left: -1 });
    }
    if (!hasVideo) return 'it has no video of its Transfer Syntax';
    tracks.set(mapPID, { kind: 'tables', counter: -1, left: -1 });
    return null;
  }
  return 'nothing in it says which of its packets are the video';
}
