/**
 * Native pixels, palettes, lookup tables, profiles, overlays, waveforms, spectra and curves hold exactly as many bytes as their attributes say: what is too short makes readers
 * read beyond it, what is too long is room that no viewer shows (PS3.5 §8, PS3.3 C.7.6.3, C.9.2, C.11).
 */
import { checkUnusedBits } from './contentbulkbits.ts';
import { isEncapsulated } from './contentframes.ts';
import { checkCurve, checkSpectrum, checkUpperBytes, checkWaveform } from './contentbulksignal.ts';
import { checkProfile, checkSegmentedPalette } from './contentbulktable.ts';
import { Reading, vrCode } from './reading.ts';

const tags = {
  samplesPerPixel: 0x00280002, photometricInterpretation: 0x00280004, planarConfiguration: 0x00280006, numberOfFrames: 0x00280008,
  rows: 0x00280010, columns: 0x00280011, bitsAllocated: 0x00280100, bitsStored: 0x00280101, highBit: 0x00280102, pixelRepresentation: 0x00280103,
  pixelData: 0x7fe00010, floatPixelData: 0x7fe00008, doubleFloatPixelData: 0x7fe00009,
} as const;

/** Attributes whose VR, if it were another, would change what readers read: CVE-2026-5442 was Rows as UL. */
const unsignedShorts = [tags.samplesPerPixel, tags.planarConfiguration, tags.rows, tags.columns, tags.bitsAllocated, tags.bitsStored, tags.highBit, tags.pixelRepresentation];
/** No reader should be asked for more at once: 2 GiB is where 32 bit arithmetic ends. */
const frameBytesMax = 2 ** 31;

export interface PixelShape {
  readonly rows: number;
  readonly columns: number;
  readonly samples: number;
  readonly frames: number;
  readonly bitsAllocated: number;
  /** Bits of one pixel with all its samples as stored natively. */
  readonly bitsPerPixel: number;
}

/** The shape of the image at the top level, or null when there is none or it is not to be trusted (findings say why). */
export function checkImage(reading: Reading): PixelShape | null {
  const { elements, pixelData } = reading.mapped;
  let shape: PixelShape | null = null;
  if (pixelData >= 0) {
    shape = checkPixels(reading, pixelData, reading.mapped.fragments === null);
  }
  for (let index = 0; index < elements.count; index += 1) {
    const tag = elements.tags[index]!;
    if ((tag === tags.pixelData || tag === tags.floatPixelData || tag === tags.doubleFloatPixelData) && index !== pixelData) {
      if (elements.depths[index]! > 0) checkIcon(reading, index);
      else reading.add('pixel-attributes-invalid', index, 'There are two kinds of Pixel Data in one image: readers differ on which they show.');
    } else if (tag >= 0x00281101 && tag <= 0x00281104) checkPalette(reading, index, tag);
    else if ((tag >= 0x00281201 && tag <= 0x00281204) || (tag >= 0x00281221 && tag <= 0x00281224)) checkDescribed(reading, index, 0x00281100 | (tag & 0xf));
    else if (tag === 0x00283002) checkLookupTable(reading, index);
    else if (tag === 0x00283006) checkDescribed(reading, index, 0x00283002);
    else if (tag === 0x00282000) checkProfile(reading, index);
    else if (tag === 0x54001010) checkWaveform(reading, index);
    else if (tag === 0x56000020) checkSpectrum(reading, index);
    else if ((tag & 0xff01ffff) >>> 0 === 0x50003000) checkCurve(reading, index);
    else if ((tag & 0xff01ffff) >>> 0 === 0x60003000) checkOverlay(reading, index);
  }
  return shape;
}

function shapeOf(reading: Reading, pixels: number): PixelShape | null {
  const { elements } = reading.mapped;
  const sibling = reading.siblings(pixels);
  for (const tag of unsignedShorts) {
    const index = sibling(tag);
    if (index >= 0 && (elements.vrs[index] !== vrCode('US') || reading.length(index) !== 2)) {
      reading.add('pixel-attributes-invalid', index, `An attribute that describes the pixels has ${reading.length(index)} bytes and a VR other than one US: readers differ on its value.`);
      return null;
    }
  }
  const number = (tag: number): number => reading.unsigned16(sibling(tag));
  const framesIndex = sibling(tags.numberOfFrames);
  const framesText = reading.text(framesIndex).trim();
  // Empty counts as absent: PS3.3 makes it type 1, old modalities send it empty.
  const frames = framesText === '' ? 1 : /^\+?\d{1,10}$/.test(framesText) ? Number(framesText) : Number.NaN;
  const rows = number(tags.rows);
  const columns = number(tags.columns);
  const samples = sibling(tags.samplesPerPixel) < 0 ? 1 : number(tags.samplesPerPixel);
  const bitsAllocated = number(tags.bitsAllocated);
  if (!(rows > 0 && columns > 0 && samples > 0 && bitsAllocated > 0)) {
    reading.add('pixel-attributes-missing', pixels, 'There are pixels, but Rows, Columns, Samples per Pixel or Bits Allocated is missing or zero.');
    return null;
  }
  if (!(frames >= 1 && frames <= 0x7fffffff)) {
    reading.add('pixel-attributes-invalid', framesIndex, 'Number of Frames is not a number of at least 1.');
    return null;
  }
  const bitsStored = number(tags.bitsStored);
  const highBit = number(tags.highBit);
  // Four were in retired kinds of colour (PS3.3 C.7.6.3.1.2); viewers show no fifth.
  const photometric = reading.text(sibling(tags.photometricInterpretation));
  if (samples > 4 || samples === 2 || (samples > 1 && /^(?:MONOCHROME|PALETTE)/.test(photometric))) {
    reading.add('pixel-attributes-invalid', pixels, `There are ${samples} Samples per Pixel, which its Photometric Interpretation has not.`);
    return null;
  }
  if (bitsAllocated > 64 || (bitsAllocated !== 1 && bitsAllocated !== 12 && bitsAllocated % 8 !== 0) || bitsStored > bitsAllocated || highBit >= bitsAllocated) {
    reading.add('pixel-attributes-invalid', pixels, `Bits Allocated ${bitsAllocated}, Bits Stored ${bitsStored} and High Bit ${highBit} do not fit together.`);
    return null;
  }
  // Bits outside the stored ones are looked at where pixels are as wide as images are (contentbulkbits.ts).
  if (bitsStored < bitsAllocated && bitsAllocated !== 8 && bitsAllocated !== 16 && bitsAllocated !== 32) {
    reading.add('pixel-attributes-invalid', pixels, `Of ${bitsAllocated} bits of a pixel ${bitsStored} count: no image has so much room in it.`);
    return null;
  }
  // PS3.3 C.7.6.3.1.2: these share the chroma of two pixels, so that natively three samples take the room of two.
  const subsampled = samples === 3 && bitsAllocated === 8 && /^YBR_(FULL|PARTIAL)_422$/.test(photometric);
  const bitsPerPixel = subsampled && reading.mapped.fragments === null ? 16 : samples * bitsAllocated;
  const frameBytes = (rows * columns * samples * bitsAllocated) / 8;
  if (frameBytes > frameBytesMax) {
    reading.add('pixel-attributes-invalid', pixels, `One frame would have ${Math.ceil(frameBytes)} bytes; at most ${frameBytesMax} are accepted.`);
    return null;
  }
  return { rows, columns, samples, frames, bitsAllocated, bitsPerPixel };
}

function checkPixels(reading: Reading, pixels: number, native: boolean): PixelShape | null {
  const shape = shapeOf(reading, pixels);
  if (shape === null || !native) return shape;
  const tag = reading.mapped.elements.tags[pixels]!;
  const bits = tag === tags.floatPixelData ? 32 : tag === tags.doubleFloatPixelData ? 64 : shape.bitsPerPixel;
  const expected = Math.ceil((shape.rows * shape.columns * shape.frames * bits) / 8);
  const actual = reading.length(pixels);
  if (actual === expected + (expected % 2)) {
    if (tag === tags.pixelData) checkUnusedBits(reading, pixels, shape);
    return { ...shape, bitsPerPixel: bits };
  }
  const size = `${shape.columns} × ${shape.rows} pixels of ${bits} bits in ${shape.frames} frame${shape.frames === 1 ? '' : 's'}`;
  if (actual < expected) reading.add('pixels-too-short', pixels, `${size} take ${expected} bytes; ${actual} are there.`);
  else reading.add('pixels-too-long', pixels, `${size} take ${expected} bytes; ${actual} are there, and no viewer shows the rest.`);
  return null;
}

/** Icon Image Sequence and the like: small native images inside items. Those of private sequences follow their vendor's own rules. */
function checkIcon(reading: Reading, pixels: number): void {
  const { elements } = reading.mapped;
  for (let parent = elements.parents[pixels]!; parent >= 0; parent = elements.parents[parent]!) {
    if (((elements.tags[parent]! >>> 16) & 1) === 1) return;
  }
  // Encapsulated inside an item: the fragments are accounted for by the reader.
  if (reading.syntax?.encapsulated === true && isEncapsulated(reading, pixels)) return;
  const shape = shapeOf(reading, pixels);
  if (shape === null) return;
  const expected = Math.ceil((shape.rows * shape.columns * shape.frames * shape.bitsPerPixel) / 8);
  const actual = reading.length(pixels);
  if (actual < expected) reading.add('pixels-too-short', pixels, `An icon takes ${expected} bytes; ${actual} are there.`);
  else if (actual > expected + (expected % 2)) reading.add('pixels-too-long', pixels, `An icon takes ${expected} bytes; ${actual} are there.`);
  else if (elements.tags[pixels] === tags.pixelData) checkUnusedBits(reading, pixels, shape);
}

/** Descriptor [entries, first value, bits]; 0 entries means 65536 (PS3.3 C.7.6.3.1.5). */
function descriptor(reading: Reading, index: number): { readonly entries: number; readonly bits: number } | null {
  if (reading.length(index) !== 6) {
    if (reading.length(index) === 0) return null;
    reading.add('table-length-wrong', index, `The descriptor of a table has ${reading.length(index)} bytes and not 6.`);
    return null;
  }
  return { entries: reading.unsigned16(index, 0) || 65536, bits: reading.unsigned16(index, 2) };
}

function checkTable(reading: Reading, index: number, data: number): void {
  const described = descriptor(reading, index);
  if (described === null || data < 0) return;
  const actual = reading.length(data);
  const narrow = described.entries + (described.entries % 2);
  // Entries of 8 bits are stored two in a word, or by some one in a word.
  const permitted = described.bits <= 8 ? [described.entries, narrow, described.entries * 2] : [described.entries * 2];
  if (!permitted.includes(actual)) reading.add('table-length-wrong', data, `A table of ${described.entries} entries of ${described.bits} bits has ${actual} bytes.`);
  else if (described.bits <= 8 && actual > narrow) checkUpperBytes(reading, data, 'the upper bytes of a table of 8 bits');
}

/** Data of a table whose descriptor is not there, or empty: nothing says how many entries it has. */
function checkDescribed(reading: Reading, index: number, descriptorTag: number): void {
  const described = reading.siblings(index)(descriptorTag);
  if (reading.length(index) > 0 && (described < 0 || reading.length(described) === 0)) reading.add('table-length-wrong', index, 'A table does not say how many entries it has.');
}

/** Red, green, blue and alpha: data 0x100 after the descriptor, or the same in segments 0x120 after it. */
function checkPalette(reading: Reading, index: number, descriptorTag: number): void {
  const sibling = reading.siblings(index);
  checkTable(reading, index, sibling(descriptorTag + 0x100));
  const segments = sibling(descriptorTag + 0x120);
  if (segments >= 0) checkSegmentedPalette(reading, segments, index);
}

function checkLookupTable(reading: Reading, index: number): void {
  checkTable(reading, index, reading.siblings(index)(0x00283006));
}

/** One bit a pixel (PS3.3 C.9.2); the group is 6000 to 601E. */
function checkOverlay(reading: Reading, index: number): void {
  const { elements } = reading.mapped;
  const group = elements.tags[index]! & 0xffff0000;
  const sibling = reading.siblings(index);
  const rows = reading.unsigned16(sibling((group | 0x0010) >>> 0));
  const columns = reading.unsigned16(sibling((group | 0x0011) >>> 0));
  const frames = Number(reading.text(sibling((group | 0x0015) >>> 0)).trim() || '1');
  const actual = reading.length(index);
  if (!(rows > 0 && columns > 0 && frames >= 1)) {
    if (actual > 0) reading.add('overlay-length-wrong', index, 'An overlay does not say how large it is.');
    return;
  }
  const expected = Math.ceil((rows * columns * frames) / 8);
  if (actual < expected) reading.add('overlay-length-wrong', index, `An overlay of ${columns} × ${rows} bits takes ${expected} bytes; ${actual} are there.`);
  else if (actual > expected + (expected % 2)) reading.add('overlay-length-wrong', index, `An overlay of ${columns} × ${rows} bits takes ${expected} bytes; ${actual} are there, and no viewer shows the rest.`);
}
