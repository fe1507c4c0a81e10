/**
 * One frame as a picture for people (PS3.4 N.2, in its simple cases: rescale, window, palette, colour spaces). It is a picture to recognise an image by and to
 * judge a held one safely, not one to diagnose on: no presentation states, no overlays, no calibration.
 */
import { createHash } from 'node:crypto';
import { mapObject } from '@lazaret/dicom/filemap/map.ts';
import type { Work } from '../../quarantine/contract.ts';
import { checkFrames } from '../examiner/contentframes.ts';
import { checkImage } from '../examiner/contentimage.ts';
import { FileSource } from '../examiner/filesource.ts';
import { inflateRaw } from '../examiner/inflate.ts';
import { Reading } from '../examiner/reading.ts';
import type { RenderAnswer, RenderTask } from './contract.ts';
import { encodeJPEG, encodePNG, fittedSize, shrink, type Picture } from './picture.ts';
import { marked } from './mark.ts';
import { Impossible, samplesOf, type Samples } from './samples.ts';

const nobody: Work = { objectId: '' as Work['objectId'], bytes: 0, sha256: '' as Work['sha256'], sopClassUID: '', sopInstanceUID: '', transferSyntaxUID: '', peer: '' };

/** Renders; what the object lacks is the answer's text. Throws only for what a decoder throws. */
export async function renderFrame(task: RenderTask): Promise<{ readonly answer: RenderAnswer; readonly picture: Uint8Array }> {
  const source = new FileSource(task.path);
  try {
    if (digestOf(source) !== task.sha256) return { answer: { id: task.id, outcome: 'changed', text: '', width: 0, height: 0, frames: 0 }, picture: new Uint8Array(0) };
    const mapped = mapObject(source, { inflateRaw });
    const reading = new Reading(mapped, nobody);
    const shape = mapped.pixelData < 0 ? null : checkImage(reading);
    if (shape === null) throw new Impossible(mapped.pixelData < 0 ? 'The object has no pixels that can be read: it is a report or a document, or it is cut off before them.' : 'The object does not say how its pixels are to be read.');
    const frame = task.frame === 0 ? Math.floor(shape.frames / 2) : task.frame - 1;
    if (frame >= shape.frames) throw new Impossible(`The object has ${shape.frames} frames.`);
    const fragments = checkFrames(reading, shape);
    const samples = await samplesOf(reading, shape, fragments, frame);
    const full = pictureOf(reading, samples, task.window);
    const { width, height } = fittedSize(full.width, full.height, task.widthMax, task.heightMax);
    const fitted = shrink(full, width, height);
    const small = task.mark === 'held' ? marked(fitted) : fitted;
    const picture = task.type === 'image/png' ? encodePNG(small) : encodeJPEG(small, task.quality);
    return { answer: { id: task.id, outcome: 'rendered', text: '', width: small.width, height: small.height, frames: shape.frames }, picture };
  } catch (error) {
    if (!(error instanceof Impossible)) throw error;
    return { answer: { id: task.id, outcome: 'impossible', text: error.message, width: 0, height: 0, frames: 0 }, picture: new Uint8Array(0) };
  } finally {
    source.close();
  }
}

/** Has the loops over pixels compiled before there is a picture that somebody waits for: the first one takes twice as long without. */
export function rehearse(): void {
  const values = Uint16Array.from({ length: rehearsedSide * rehearsedSide }, (_, index) => index & 0xfff);
  const pixels = windowed(values, { slope: 1, intercept: -1024 }, { center: 40, width: 400 }, false);
  encodePNG(shrink({ width: rehearsedSide, height: rehearsedSide, samples: 1, pixels }, rehearsedSide / 2, rehearsedSide / 2));
}
const rehearsedSide = 512;

const hashedBytes = 4 * 1024 * 1024;

function digestOf(source: FileSource): string {
  const hash = createHash('sha256');
  const room = Buffer.allocUnsafe(Math.min(hashedBytes, source.length));
  for (let offset = 0; offset < source.length; offset += room.length) {
    const window = room.subarray(0, Math.min(room.length, source.length - offset));
    source.readInto(window, offset);
    hash.update(window);
  }
  return hash.digest('hex');
}

function pictureOf(reading: Reading, samples: Samples, window: RenderTask['window']): Picture {
  const photometric = reading.text(reading.top(0x00280004));
  const { rows, columns, values } = samples;
  const base = { width: columns, height: rows };
  if (samples.samples === 3) return { ...base, samples: 3, pixels: toRGB(samples, photometric) };
  if (samples.samples !== 1) throw new Impossible(`Images of ${samples.samples} samples a pixel are not shown here.`);
  if (photometric === 'PALETTE COLOR') return { ...base, samples: 3, pixels: throughPalette(reading, values) };
  return { ...base, samples: 1, pixels: windowed(values, modality(reading), window ?? windowOf(reading), photometric === 'MONOCHROME1') };
}

/** Rescale Slope and Intercept (PS3.3 C.11.1). */
function modality(reading: Reading): { readonly slope: number; readonly intercept: number } {
  const slope = Number(reading.text(reading.top(0x00281053)) || Number.NaN);
  const intercept = Number(reading.text(reading.top(0x00281052)) || Number.NaN);
  return Number.isFinite(slope) && Number.isFinite(intercept) && slope !== 0 ? { slope, intercept } : { slope: 1, intercept: 0 };
}

/** The first window that the object names, or null. */
function windowOf(reading: Reading): RenderTask['window'] {
  const center = Number.parseFloat(reading.text(reading.top(0x00281050)));
  const width = Number.parseFloat(reading.text(reading.top(0x00281051)));
  return Number.isFinite(center) && width >= 1 ? { center, width } : null;
}

/** PS3.3 C.11.2.1.2.1, linear; without a window from the least to the greatest value. */
function windowed(values: Samples['values'], { slope, intercept }: ReturnType<typeof modality>, window: RenderTask['window'], inverted: boolean): Uint8Array {
  let [low, high] = [0, 0];
  if (window !== null) {
    low = window.center - 0.5 - (window.width - 1) / 2;
    high = window.center - 0.5 + (window.width - 1) / 2;
  } else {
    [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const value of values) {
      const real = value * slope + intercept;
      if (real < low) low = real;
      if (real > high) high = real;
    }
  }
  const scale = high > low ? 255 / (high - low) : 0;
  const pixels = new Uint8Array(values.length);
  for (let index = 0; index < values.length; index += 1) {
    const real = values[index]! * slope + intercept;
    const grey = real <= low ? 0 : real > high ? 255 : (real - low) * scale;
    pixels[index] = Math.round(inverted ? 255 - grey : grey);
  }
  return pixels;
}

function clamp(value: number): number {
  return value < 0 ? 0 : value > 255 ? 255 : value;
}

/** RGB as it is, YBR (PS3.3 C.7.6.3.1.2) converted unless the decoder has done so. */
function toRGB({ values, isRGB }: Samples, photometric: string): Uint8Array {
  let shift = 0;
  for (const value of values) while (value >> shift > 255) shift += 1;
  const pixels = new Uint8Array(values.length);
  const converts = !isRGB && photometric.startsWith('YBR_');
  for (let index = 0; index + 2 < values.length; index += 3) {
    const [one, two, three] = [values[index]! >> shift, values[index + 1]! >> shift, values[index + 2]! >> shift];
    if (!converts) pixels.set([one, two, three], index);
    else {
      pixels[index] = clamp(one + 1.402 * (three - 128));
      pixels[index + 1] = clamp(one - 0.344136 * (two - 128) - 0.714136 * (three - 128));
      pixels[index + 2] = clamp(one + 1.772 * (two - 128));
    }
  }
  return pixels;
}

/** Palette Color Lookup Tables (PS3.3 C.7.6.3.1.5 and .6); segmented ones are not expanded. */
function throughPalette(reading: Reading, values: Samples['values']): Uint8Array {
  const pixels = new Uint8Array(values.length * 3);
  for (let channel = 0; channel < 3; channel += 1) {
    const described = reading.top(0x00281101 + channel);
    const table = reading.top(0x00281201 + channel);
    if (described < 0 || table < 0) throw new Impossible('The colours of the image are in a form that is not shown here.');
    const entries = reading.unsigned16(described, 0) || 65_536;
    const first = reading.unsigned16(described, 1);
    const wide = reading.unsigned16(described, 2) > 8 || reading.length(table) >= entries * 2;
    const bytes = reading.bytes(table).slice();
    for (let index = 0; index < values.length; index += 1) {
      const entry = Math.min(Math.max(values[index]! - first, 0), entries - 1);
      // Of sixteen bits the upper eight.
      pixels[index * 3 + channel] = wide ? bytes[entry * 2 + (reading.syntax?.littleEndian === false ? 0 : 1)] ?? 0 : bytes[entry] ?? 0;
    }
  }
  return pixels;
}
