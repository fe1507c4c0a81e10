/** Frame headers of JPEG XL (ISO/IEC 18181-1 Annex F): as far as it takes to know how many sections a frame has. */
import { skipExtensions, OutOfBits, type BitWindow } from './jpegxlheader.ts';

export interface ImageHeader {
  readonly rows: number;
  readonly columns: number;
  readonly bits: number;
  /** Extra channels. */
  readonly extras: number;
  readonly isXYB: boolean;
  readonly isGrey: boolean;
  readonly hasAnimation: boolean;
  readonly hasTimecodes: boolean;
  /** Null, or why nothing behind it can be followed. */
  readonly beyond: string | null;
}

export interface FrameHeader {
  readonly isLast: boolean;
  readonly rows: number;
  readonly columns: number;
  readonly passes: number;
  /** Side of a group in pixels. */
  readonly group: number;
}

const kinds = { regular: 0, low: 1, reference: 2, skipped: 3 } as const;
const usesLowFrame = 32;

export function readFrameHeader(bits: BitWindow, image: ImageHeader): FrameHeader {
  if (bits.bool()) return { isLast: true, rows: image.rows, columns: image.columns, passes: 1, group: 256 };
  const kind = bits.read(2);
  const isModular = bits.bool();
  const flags = bits.u64();
  const hasLow = Math.floor(flags / usesLowFrame) % 2 === 1;
  const isYCbCr = !image.isXYB && bits.bool();
  let upsampling = 1;
  if (!hasLow) {
    if (isYCbCr) bits.skip(6);
    upsampling = bits.u32([1, 0], [2, 0], [4, 0], [8, 0]);
    for (let extra = 0; extra < image.extras; extra += 1) bits.u32([1, 0], [2, 0], [4, 0], [8, 0]);
  }
  const group = isModular ? 128 * 2 ** bits.read(2) : 256;
  if (!isModular && image.isXYB) bits.skip(6);
  const passes = kind === kinds.reference ? 1 : readPasses(bits);
  let low = 0;
  let isWhole = true;
  let [rows, columns] = [image.rows, image.columns];
  if (kind === kinds.low) low = bits.u32([1, 0], [2, 0], [3, 0], [4, 0]);
  else {
    if (bits.bool()) {
      const side = (): number => bits.u32([0, 8], [256, 11], [2304, 14], [18_688, 30]);
      const corner = kind === kinds.reference ? [0, 0] : [side(), side()].map((packed) => (packed % 2 === 0 ? packed / 2 : -(packed + 1) / 2));
      columns = side();
      rows = side();
      isWhole = corner[0]! <= 0 && corner[1]! <= 0 && columns + corner[0]! >= image.columns && rows + corner[1]! >= image.rows;
    }
  }
  let isLast = true;
  const isShown = kind === kinds.regular || kind === kinds.skipped;
  let replaces = true;
  let duration = 0;
  if (isShown) {
    replaces = blending(bits, image, isWhole);
    for (let extra = 0; extra < image.extras; extra += 1) blending(bits, image, isWhole);
    if (image.hasAnimation) {
      duration = bits.u32([0, 0], [1, 0], [0, 8], [0, 32]);
      if (image.hasTimecodes) bits.skip(32);
    }
    isLast = bits.bool();
  } else isLast = false;
  let reference = 0;
  if (kind !== kinds.low && !isLast) reference = bits.read(2);
  // save_before_ct (F.2): asked where the frame can serve as reference before its colours are transformed.
  const canReference = !isLast && kind !== kinds.low && (duration === 0 || reference !== 0);
  if (kind === kinds.reference || (canReference && isShown && isWhole && replaces)) bits.skip(1);
  bits.skip(8 * bits.u32([0, 0], [0, 4], [16, 5], [48, 10]));
  restoration(bits, isModular);
  if (!skipExtensions(bits)) throw new OutOfBits();
  if (columns < 1 || rows < 1) throw new OutOfBits();
  const scale = upsampling * 8 ** low;
  return { isLast, rows: Math.ceil(rows / scale), columns: Math.ceil(columns / scale), passes, group };
}

function readPasses(bits: BitWindow): number {
  const passes = bits.u32([1, 0], [2, 0], [3, 0], [4, 3]);
  if (passes === 1) return 1;
  const steps = bits.u32([0, 0], [1, 0], [2, 0], [3, 1]);
  bits.skip(2 * (passes - 1));
  for (let step = 0; step < steps; step += 1) bits.u32([1, 0], [2, 0], [4, 0], [8, 0]);
  for (let step = 0; step < steps; step += 1) bits.u32([0, 0], [1, 0], [2, 0], [0, 3]);
  return passes;
}

/** True where the frame replaces what is beneath it. */
function blending(bits: BitWindow, image: ImageHeader, isWhole: boolean): boolean {
  const mode = bits.u32([0, 0], [1, 0], [2, 0], [3, 2]);
  if (image.extras > 0 && (mode === 2 || mode === 3)) {
    bits.u32([0, 0], [1, 0], [2, 0], [3, 3]);
  }
  if ((image.extras > 0 && (mode === 2 || mode === 3)) || mode === 4) bits.skip(1);
  if (mode !== 0 || !isWhole) bits.skip(2);
  return mode === 0;
}

/** Gaborish and the edge-preserving filter (Annex J), which may bring their weights. */
function restoration(bits: BitWindow, isModular: boolean): void {
  if (bits.bool()) return;
  if (bits.bool() && bits.bool()) bits.skip(16 * 6);
  const iterations = bits.read(2);
  if (iterations > 0) {
    if (!isModular && bits.bool()) bits.skip(16 * 8);
    if (bits.bool()) bits.skip(16 * 3 + 32);
    if (bits.bool()) {
      if (!isModular) bits.skip(16);
      bits.skip(16 * 3);
    }
    if (isModular) bits.skip(16);
  }
  if (!skipExtensions(bits)) throw new OutOfBits();
}

/** Entries of the table of contents (F.3). */
export function sectionsOf(header: FrameHeader): number {
  const groups = Math.ceil(header.rows / header.group) * Math.ceil(header.columns / header.group);
  if (groups === 1 && header.passes === 1) return 1;
  const low = header.group * 8;
  return 2 + Math.ceil(header.rows / low) * Math.ceil(header.columns / low) + groups * header.passes;
}
