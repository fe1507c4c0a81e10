/** Application segments and comments of JPEG: the ones that writers of images make, and how much room they may take. */
import type { Stream } from './stream.ts';

/** All comments of a frame. Writers leave their name; modalities a line of parameters. */
export const commentBytesMax = 4096;
/** All application segments of a frame: a photograph's Exif with its thumbnail takes up to 64 KiB, a colour profile a few KiB up to half a MiB in print. */
export const applicationBytesMax = 160 * 1024;
/** A segment with a name that is not in the table: vendors' own, of a few words. */
const unnamedBytesMax = 1024;

interface Application {
  readonly number: number;
  readonly name: string;
  readonly bytesMax: number;
}

const segmentBytesMax = 65_533;
/** By the name that the segment begins with, up to its zero. */
// prettier-ignore
const known: readonly Application[] = [
  { number: 0, name: 'JFIF\0', bytesMax: 14 + 3 * 255 * 255 },
  { number: 0, name: 'JFXX\0', bytesMax: segmentBytesMax }, // a thumbnail
  { number: 1, name: 'Exif\0', bytesMax: segmentBytesMax },
  { number: 1, name: 'http://ns.adobe.com/xap/1.0/\0', bytesMax: segmentBytesMax },
  { number: 1, name: 'http://ns.adobe.com/xmp/extension/\0', bytesMax: segmentBytesMax },
  { number: 2, name: 'ICC_PROFILE\0', bytesMax: segmentBytesMax },
  { number: 8, name: 'SPIFF\0', bytesMax: 32 }, // ITU-T T.84 Annex F
  { number: 8, name: 'mrfx', bytesMax: 5 }, // colour transform of JPEG-LS by its authors' codec
  { number: 12, name: 'Ducky', bytesMax: 1024 },
  { number: 13, name: 'Photoshop 3.0\0', bytesMax: segmentBytesMax },
  { number: 14, name: 'Adobe', bytesMax: 12 },
];

/** Null, or what the room of the segment says against it. */
export function applicationProblem(stream: Stream, number: number, at: number, length: number): string | null {
  const start = stream.copy(at, Math.min(length, 40));
  const application = known.find((each) => each.number === number && each.name.length <= length && [...each.name].every((letter, index) => start[index] === letter.charCodeAt(0)));
  if (application === undefined) return length > unnamedBytesMax ? `an application segment that no writer of images is known for has ${length} bytes` : null;
  if (application.name === 'JFIF\0') {
    const [across, down] = [stream.byte(at + 12), stream.byte(at + 13)];
    return length < 14 || length !== 14 + 3 * across * down ? 'its JFIF segment does not have the length that its thumbnail says' : null;
  }
  return length > application.bytesMax ? `its ${application.name.replace('\0', '')} segment has ${length} bytes` : null;
}

/** JFIF without a thumbnail and Adobe's: every byte of them has its meaning, so there is nothing to look into. */
export function isFixed(stream: Stream, number: number, at: number, length: number): boolean {
  return (number === 0 && length === 14 && stream.letters(at, 4) === 'JFIF') || (number === 14 && length === 12 && stream.letters(at, 5) === 'Adobe');
}
