/**
 * JPEG XL (ISO/IEC 18181): the boxes of the container, the image header, and each frame by its table of contents, whose sizes lead to the end.
 *
 * Sections of frames are entropy-coded throughout and not decoded. So is an embedded ICC profile and the order of a permuted table: behind
 * those nothing can be followed, and the frame is `unwalked`.
 */
import { readBoxes, type Box } from './boxes.ts';
import { Notes, type Expected, type Walk } from './contract.ts';
import { readFrameHeader, sectionsOf, type ImageHeader } from './jpegxlframe.ts';
import { BitWindow, OutOfBits, readImageHeader } from './jpegxlheader.ts';
import { checkPadding } from './padding.ts';
import { Stream } from './stream.ts';

const boxed = [0, 0, 0, 12, 0x4a, 0x58, 0x4c, 0x20, 0x0d, 0x0a, 0x87, 0x0a] as const;
/** Exif, XMP and the like of one image. */
const metadataBytesMax = 64 * 1024;
/** One DICOM frame is one picture; layers and low-resolution frames before it are a few. */
const framesMax = 64;
/** What a JPEG file would be made of again (ISO/IEC 18181-2 §9.11): its tables and application segments, packed. */
const reconstructionBytesMax = 64 * 1024;
/** Sections of one frame: a picture of 65,535 squared has 65,536 groups, in up to eleven passes. */
const sectionsMax = 1_000_000;

export function walkJPEGXL(stream: Stream, expected: Expected | null): Walk {
  const notes = new Notes();
  if (!boxed.every((byte, index) => stream.byte(index) === byte)) return notes.done(codestream(stream, expected, notes, -1));
  const boxes = readBoxes(stream, notes, { required: ['JXL ', 'ftyp', 'jxlc', 'jbrd', 'jxll', 'jxli'], allowed: ['jxlp', 'Exif', 'xml '], supers: [], inner: [] });
  const parts: Box[] = [];
  let metadata = 0;
  for (const box of boxes) {
    if (box.type === 'jxlc') parts.push(box);
    // Each part begins with its number.
    else if (box.type === 'jxlp') parts.push({ ...box, at: box.at + Math.min(4, box.length), length: Math.max(0, box.length - 4) });
    else if (box.type === 'Exif' || box.type === 'xml ' || box.type === 'jbrd') {
      metadata += box.type === 'jbrd' ? 0 : box.length;
      notes.part(`box ${box.type}`, box.at, box.length);
      if (box.type === 'jbrd' && box.length > reconstructionBytesMax) notes.extra(box.at, box.length, `its box "jbrd" has ${box.length} bytes`);
      if (metadata > metadataBytesMax) notes.extra(box.at, box.length, `it has ${metadata} bytes of boxes that no pixels come from`);
    } else if (box.length > 64) notes.extra(box.at, box.length, `its box "${box.type}" has ${box.length} bytes`);
  }
  const last = boxes.at(-1);
  if (parts.length === 0) notes.invalid(0, stream.length, 'its container holds no codestream');
  else codestream(new Stream(stream.source, parts.flatMap((part) => stream.ranges(part.at, part.length))), expected, notes, parts[0]!.at);
  return notes.done(last === undefined ? 0 : last.at + last.length);
}

/** Position after the last frame, or 0 where it is broken off (noted). `boxAt` is where the codestream lies in its container; -1 where it is all there is. */
function codestream(stream: Stream, expected: Expected | null, notes: Notes, boxAt: number): number {
  const base = Math.max(0, boxAt);
  const bits = new BitWindow(stream, 16);
  try {
    if (stream.unsigned16(0) !== 0xff0a) {
      notes.invalid(base, 2, 'it does not begin with a JPEG XL codestream');
      return 0;
    }
    const image = readImageHeader(bits);
    const wrong = shapeProblem(image, expected);
    if (wrong !== null) {
      notes.invalid(base, 16, wrong);
      return 0;
    }
    if (image.beyond !== null) {
      notes.unwalked(base + bits.bytePosition, stream.length - bits.bytePosition, image.beyond);
      return 0;
    }
    for (let frame = 0; frame < framesMax; frame += 1) {
      bits.align();
      const header = readFrameHeader(bits, image);
      const count = sectionsOf(header);
      if (count > sectionsMax) {
        notes.invalid(base + bits.bytePosition, 1, `a frame of it has ${count} sections`);
        return 0;
      }
      if (bits.read(1) === 1) {
        notes.unwalked(base + bits.bytePosition, stream.length - bits.bytePosition, 'its table of contents is permuted');
        return 0;
      }
      bits.align();
      let length = 0;
      for (let section = 0; section < count; section += 1) length += bits.u32([0, 10], [1024, 14], [17_408, 22], [4_211_712, 30]);
      bits.align();
      const end = bits.bytePosition + length;
      if (end > stream.length) {
        notes.invalid(base + bits.bytePosition, stream.length - bits.bytePosition, 'it is cut off inside a frame');
        return 0;
      }
      bits.seek(end);
      if (!header.isLast) continue;
      if (boxAt < 0) checkPadding(stream, end, notes);
      else if (end < stream.length) notes.extra(base + end, stream.length - end, `${stream.length - end} bytes follow its last frame`);
      return end;
    }
    notes.invalid(base + bits.bytePosition, 1, `it has more than ${framesMax} frames`);
  } catch (error) {
    // Out of bits: the one error that bytes can cause here.
    if (!(error instanceof OutOfBits)) throw error;
    notes.invalid(base, stream.length, 'it is cut off inside a header');
  }
  return 0;
}

function shapeProblem(image: ImageHeader, expected: Expected | null): string | null {
  if (expected === null) return null;
  if (image.columns !== expected.columns || image.rows !== expected.rows) return `it is coded as ${image.columns} × ${image.rows}, the image says ${expected.columns} × ${expected.rows}`;
  const samples = image.isGrey ? 1 : 3;
  if (samples !== expected.samples) return `it is coded with ${samples} components, the image says ${expected.samples}`;
  if (image.bits > expected.bitsAllocated) return `it is coded with ${image.bits} bits, the image has room for ${expected.bitsAllocated}`;
  return null;
}
