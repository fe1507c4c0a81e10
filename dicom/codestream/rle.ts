/** RLE Compression (PS3.5 Annex G): decoded by count to the last byte of every plane. */
import { Notes, type Expected, type Walk } from './contract.ts';
import type { Stream } from './stream.ts';

const headerBytes = 64;
const segmentsMax = 15;

/**
 * One frame: a header of sixteen 32-bit numbers (G.5), then one segment for each byte of a composite pixel code, each of which unpacks to
 * exactly one plane (G.3). A segment may be followed by one zero byte to make it even; nothing else stands between or after segments.
 */
export function walkRLE(stream: Stream, expected: Expected | null): Walk {
  const notes = new Notes();
  // A.4.2: each frame is one fragment, since its offsets count from the fragment.
  if (stream.fragments !== 1) {
    notes.invalid(0, stream.length, `an RLE frame is one fragment, this one has ${stream.fragments}`);
    return notes.done(0);
  }
  if (stream.length < headerBytes) {
    notes.invalid(0, stream.length, 'it is shorter than an RLE header');
    return notes.done(0);
  }
  const segments = unsigned32(stream, 0);
  if (segments < 1 || segments > segmentsMax) {
    notes.invalid(0, 4, `its RLE header counts ${segments} segments`);
    return notes.done(0);
  }
  const wanted = expected === null ? segments : expected.samples * Math.ceil(expected.bitsAllocated / 8);
  if (segments !== wanted) {
    notes.invalid(0, 4, `its RLE header counts ${segments} segments where the pixels have ${wanted} bytes`);
    return notes.done(0);
  }
  const starts: number[] = [];
  for (let segment = 1; segment <= segments; segment += 1) starts.push(unsigned32(stream, segment * 4));
  if (starts[0] !== headerBytes || starts.some((start, index) => start > stream.length || (index > 0 && start <= starts[index - 1]!))) {
    notes.invalid(4, segments * 4, 'the segments of its RLE header are not inside the frame, one after the other');
    return notes.done(0);
  }
  const unused = 4 + segments * 4;
  if (stream.skip(0, unused, headerBytes) < headerBytes) notes.extra(unused, headerBytes - unused, 'offsets of its RLE header that belong to no segment are not zero');
  if (expected === null) return notes.done(stream.length);
  // One-bit pixels are packed, eight to a byte.
  const plane = expected.bitsAllocated === 1 ? Math.ceil((expected.rows * expected.columns) / 8) : expected.rows * expected.columns;
  let end = headerBytes;
  for (const [index, start] of starts.entries()) {
    const next = starts[index + 1] ?? stream.length;
    end = unpack(stream, start, next, plane, index + 1, notes);
    if (end < 0) return notes.done(start);
    const left = next - end;
    // One byte says nothing, whatever its value: writers leave what their buffer held.
    if (left > 1 && (left > paddingMax || stream.skip(0, end, next) < next)) notes.extra(end, left, `${left} bytes follow RLE segment ${index + 1} that belong to no run`);
  }
  return notes.done(end);
}

/** One byte makes a segment even (G.3.2); writers that align to four leave up to three zeros more. */
const paddingMax = 4;

/** Position after the run that fills the plane, or -1 when the runs do not fill it exactly (noted). */
function unpack(stream: Stream, start: number, next: number, plane: number, number: number, notes: Notes): number {
  let unpacked = 0;
  let at = start;
  while (unpacked < plane) {
    if (at >= next) {
      notes.invalid(start, next - start, `RLE segment ${number} unpacks to fewer than the ${plane} bytes of a plane`);
      return -1;
    }
    if (at < stream.start || at >= stream.end) stream.look(at);
    // As long as the window holds the controls, they are read from it directly: this is the inner loop.
    const { bytes } = stream;
    let index = at - stream.start;
    const last = Math.min(stream.end, next) - stream.start;
    while (index < last && unpacked < plane) {
      const control = bytes[index]!;
      if (control < 128) {
        unpacked += control + 1;
        index += control + 2;
      } else if (control > 128) {
        unpacked += 257 - control;
        index += 2;
      } else index += 1;
    }
    at = stream.start + index;
  }
  if (at > next) {
    notes.invalid(start, next - start, `the last run of RLE segment ${number} reaches beyond the segment`);
    return -1;
  }
  if (unpacked > plane) {
    notes.invalid(start, next - start, `RLE segment ${number} unpacks to more than the ${plane} bytes of a plane`);
    return -1;
  }
  return at;
}

function unsigned32(stream: Stream, at: number): number {
  return stream.byte(at) + stream.byte(at + 1) * 256 + stream.byte(at + 2) * 65536 + stream.byte(at + 3) * 16777216;
}
