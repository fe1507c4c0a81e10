/** The image header of JPEG XL (ISO/IEC 18181-1 Annex D): size and metadata, bit by bit, least significant first. */
import type { ImageHeader } from './jpegxlframe.ts';
import type { Stream } from './stream.ts';

/** The bits end inside a header. */
export class OutOfBits extends Error {}

export type Choice = readonly [base: number, bits: number];

export class BitWindow {
  readonly #stream: Stream;
  #at: number;

  constructor(stream: Stream, bit: number) {
    this.#stream = stream;
    this.#at = bit;
  }

  /** Up to 32 bits. Throws OutOfBits. */
  read(count: number): number {
    let value = 0;
    for (let bit = 0; bit < count; bit += 1) {
      const byte = this.#stream.byte(Math.floor(this.#at / 8));
      if (byte < 0) throw new OutOfBits();
      value += ((byte >>> (this.#at % 8)) & 1) * 2 ** bit;
      this.#at += 1;
    }
    return value;
  }

  bool(): boolean {
    return this.read(1) === 1;
  }

  /** U32(): two bits choose a base and a number of bits (B.2.2). */
  u32(...choices: readonly [Choice, Choice, Choice, Choice]): number {
    const [base, count] = choices[this.read(2)]!;
    return base + this.read(count);
  }

  /** U64() (B.2.3). */
  u64(): number {
    const selector = this.read(2);
    if (selector === 0) return 0;
    if (selector === 1) return 1 + this.read(4);
    if (selector === 2) return 17 + this.read(8);
    let value = this.read(12);
    let shift = 12;
    while (this.bool()) {
      if (shift === 60) return value + this.read(4) * 2 ** shift;
      value += this.read(8) * 2 ** shift;
      shift += 8;
    }
    return value;
  }

  enumeration(): number {
    return this.u32([0, 0], [1, 0], [2, 4], [18, 6]);
  }

  align(): void {
    this.#at = Math.ceil(this.#at / 8) * 8;
  }
  /** Throws OutOfBits where the bits end before. */
  skip(count: number): void {
    this.#at += count;
    if (this.#at > this.#stream.length * 8) throw new OutOfBits();
  }
  seek(byte: number): void {
    this.#at = byte * 8;
  }
  get bytePosition(): number {
    return Math.ceil(this.#at / 8);
  }
}

/** Longest extension, in bits: none is defined. */
const extensionBitsMax = 65_536;

/** Bits of extensions are passed over (B.3); false when there are more than any could have. */
export function skipExtensions(bits: BitWindow): boolean {
  const extensions = bits.u64();
  let total = 0;
  for (let left = extensions; left > 0; left = Math.floor(left / 2)) if (left % 2 === 1) total += bits.u64();
  if (total > extensionBitsMax) return false;
  bits.skip(total);
  return true;
}

const ratios = [[1, 1], [12, 10], [4, 3], [3, 2], [16, 9], [5, 4], [2, 1]] as const;

function size(bits: BitWindow): { readonly rows: number; readonly columns: number } {
  const small = bits.bool();
  const side = (): number => (small ? (bits.read(5) + 1) * 8 : bits.u32([1, 9], [1, 13], [1, 18], [1, 30]));
  const rows = side();
  const ratio = bits.read(3);
  if (ratio === 0) return { rows, columns: side() };
  const [over, under] = ratios[ratio - 1]!;
  return { rows, columns: Math.floor((rows * over) / under) };
}

function bitDepth(bits: BitWindow): number {
  if (bits.bool()) {
    const depth = bits.u32([32, 0], [16, 0], [24, 0], [1, 6]);
    bits.skip(4);
    return depth;
  }
  return bits.u32([8, 0], [10, 0], [12, 0], [1, 6]);
}

function name(bits: BitWindow): void {
  bits.skip(8 * bits.u32([0, 0], [0, 4], [16, 5], [48, 10]));
}

/** Alpha, depth, spot colours and the like: their number is what frames need. */
function extraChannel(bits: BitWindow): void {
  if (bits.bool()) return;
  const kind = bits.enumeration();
  bitDepth(bits);
  bits.u32([0, 0], [3, 0], [4, 0], [1, 3]);
  name(bits);
  if (kind === 0) bits.skip(1);
  if (kind === 2) bits.skip(64);
  if (kind === 5) bits.u32([1, 0], [0, 2], [3, 4], [19, 8]);
}

function customPoint(bits: BitWindow): void {
  for (let axis = 0; axis < 2; axis += 1) bits.u32([0, 19], [524_288, 19], [1_048_576, 20], [2_097_152, 21]);
}

/** Colour space, and whether a profile follows that has to be decoded to be passed over. */
function colour(bits: BitWindow): { readonly isGrey: boolean; readonly hasProfile: boolean } {
  if (bits.bool()) return { isGrey: false, hasProfile: false };
  const hasProfile = bits.bool();
  const space = bits.enumeration();
  if (!hasProfile) {
    if (space !== 2) {
      if (bits.enumeration() === 2) customPoint(bits);
      if (space !== 1 && bits.enumeration() === 2) for (let point = 0; point < 3; point += 1) customPoint(bits);
    }
    if (space !== 2) {
      if (bits.bool()) bits.skip(24);
      else bits.enumeration();
    }
    bits.enumeration();
  }
  return { isGrey: space === 1, hasProfile };
}

/** From behind the signature to the first frame, or to what cannot be passed over. Throws OutOfBits. */
export function readImageHeader(bits: BitWindow): ImageHeader {
  const { rows, columns } = size(bits);
  let depth = 8;
  let extras = 0;
  let isXYB = true;
  let isGrey = false;
  let hasAnimation = false;
  let hasTimecodes = false;
  let beyond: string | null = null;
  if (!bits.bool()) {
    const hasFields = bits.bool();
    if (hasFields) {
      bits.skip(3);
      if (bits.bool()) size(bits);
      const hasPreview = bits.bool();
      if (hasPreview) beyond = 'it has a preview';
      hasAnimation = !hasPreview && bits.bool();
      if (hasAnimation) {
        bits.u32([100, 0], [1000, 0], [1, 10], [1, 30]);
        bits.u32([1, 0], [1001, 0], [1, 8], [1, 10]);
        bits.u32([0, 0], [0, 3], [0, 16], [0, 32]);
        hasTimecodes = bits.bool();
      }
    }
    if (beyond === null) {
      depth = bitDepth(bits);
      bits.skip(1);
      extras = bits.u32([0, 0], [1, 0], [2, 4], [1, 12]);
      for (let channel = 0; channel < extras; channel += 1) extraChannel(bits);
      isXYB = bits.bool();
      const encoding = colour(bits);
      isGrey = encoding.isGrey;
      if (encoding.hasProfile) beyond = 'it has a colour profile, which is coded as pixels are';
      // Tone mapping: three half floats and a flag.
      if (hasFields && !bits.bool()) bits.skip(16 + 16 + 1 + 16);
      if (!skipExtensions(bits)) beyond ??= 'its header has extensions';
    }
  }
  if (beyond === null && !bits.bool()) {
    if (isXYB && !bits.bool()) bits.skip(16 * (9 + 3 + 4));
    const weights = bits.read(3);
    bits.skip(16 * (((weights & 1) === 0 ? 0 : 15) + ((weights & 2) === 0 ? 0 : 55) + ((weights & 4) === 0 ? 0 : 210)));
  }
  return { rows, columns, bits: depth, extras, isXYB, isGrey, hasAnimation, hasTimecodes, beyond };
}
