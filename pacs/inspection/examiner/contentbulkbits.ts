/**
 * Bits of native pixels that no viewer shows: those outside Bits Stored (PS3.5 §8.1.1). Real objects have zeros there, the sign again, or an overlay
 * of the old kind (PS3.5 §8.1.2). Anything else is taken out of the pixels, put together to bytes and looked at as a part: room for a program is
 * not held, a program in it is. All pixels are looked at, four bytes at a time.
 */
import type { PixelShape } from './contentimage.ts';
import type { Reading } from './reading.ts';
import { bytesOfBits, maskOf, storedBitsOf, unusedOf, type PixelWords } from './unusedbits.ts';

/** One window of pixels. */
const windowBytes = 1024 * 1024;
/** So many bytes of hidden bits are put together: a program that needs more of them begins before. */
const hiddenBytesMax = 4 * 1024 * 1024;

export function checkUnusedBits(reading: Reading, pixels: number, shape: PixelShape): void {
  const { bitsAllocated } = shape;
  if (bitsAllocated !== 8 && bitsAllocated !== 16 && bitsAllocated !== 32) return;
  const stored = storedBitsOf(reading, reading.siblings(pixels), bitsAllocated);
  const { bitsStored, highBit } = stored;
  if (highBit >= bitsAllocated) return;
  const overlays = overlayBits(reading, bitsAllocated);
  const unused = unusedOf(stored).filter((bit) => !overlays.includes(bit));
  const values = new PixelValues(reading, pixels, bitsAllocated);
  if (unused.length > 0 && values.anyBit(maskOf(unused)) && !values.repeatSign(maskOf(unused.filter((bit) => bit > highBit)), highBit, maskOf(unused.filter((bit) => bit < highBit)))) {
    values.hide(unused, 'the unused bits of the pixels');
  }
  for (const bit of overlays) if (bit > highBit || bit <= highBit - bitsStored) values.hide([bit], 'an overlay in the unused bits of the pixels');
}

/** Overlays without data of their own name the bit of the pixels that they are in (PS3.3 C.9.2, retired). */
function overlayBits(reading: Reading, bitsAllocated: number): number[] {
  const bits: number[] = [];
  for (let group = 0x6000; group <= 0x601e; group += 2) {
    const at = (element: number): number => reading.top(((group << 16) | element) >>> 0);
    if (at(0x3000) < 0 && reading.unsigned16(at(0x0100)) === bitsAllocated) {
      const bit = reading.unsigned16(at(0x0102));
      if (bit < bitsAllocated && !bits.includes(bit)) bits.push(bit);
    }
  }
  return bits;
}

/** All words, one over the other. */
function joined(words: Int32Array): number {
  let all = 0;
  let at = 0;
  for (const end = words.length - 3; at < end; at += 4) all |= words[at]! | words[at + 1]! | words[at + 2]! | words[at + 3]!;
  for (; at < words.length; at += 1) all |= words[at]!;
  return all;
}

/** Each bit that anywhere is not as the one beneath it. */
function changed(words: Int32Array): number {
  let all = 0;
  for (let at = 0; at < words.length; at += 1) all |= words[at]! ^ (words[at]! << 1);
  return all;
}

/** For windows that do not begin at a multiple of 4, or are big-endian. */
const copied = Buffer.alloc(windowBytes);

class PixelValues {
  readonly #reading: Reading;
  readonly #pixels: number;
  readonly #bits: number;
  readonly #swapped: boolean;

  constructor(reading: Reading, pixels: number, bits: number) {
    this.#reading = reading;
    this.#pixels = pixels;
    this.#bits = bits;
    // What we run on is little-endian.
    this.#swapped = reading.syntax?.littleEndian === false && bits > 8;
  }

  /** Bytes of the pixels in whole words of 4; what is left at the end is filled up with zeros. */
  * #windows(): Generator<Int32Array> {
    const length = this.#reading.length(this.#pixels);
    for (let from = 0; from < length; from += windowBytes) {
      const size = Math.min(windowBytes, length - from);
      const view = this.#reading.bytes(this.#pixels, from, size);
      // Typed arrays of words must begin at a multiple of their size; also, the filled-up end is longer than the view.
      if (view.byteOffset % 4 === 0 && size % 4 === 0 && !this.#swapped) yield new Int32Array(view.buffer, view.byteOffset, size / 4);
      else {
        copied.set(view);
        copied.fill(0, size, Math.ceil(size / 4) * 4);
        const whole = copied.subarray(0, Math.ceil(size / 4) * 4);
        if (this.#swapped && this.#bits === 16) whole.swap16();
        else if (this.#swapped) whole.swap32();
        yield new Int32Array(whole.buffer, whole.byteOffset, whole.length / 4);
      }
    }
  }

  /** A mask of one pixel, for as many as there are in a word. */
  #wide(mask: number): number {
    return this.#bits === 32 ? mask : this.#bits === 16 ? mask | (mask << 16) : mask | (mask << 8) | (mask << 16) | (mask << 24);
  }

  /** True when any pixel has one of the bits of `mask`. */
  anyBit(mask: number): boolean {
    const wide = this.#wide(mask);
    for (const words of this.#windows()) if ((joined(words) & wide) !== 0) return true;
    return false;
  }

  /** True when in each pixel the bits of `above` are all as bit `sign`, or 0, and none of `below` is set. */
  repeatSign(above: number, sign: number, below: number): boolean {
    if (below !== 0 && this.anyBit(below)) return false;
    // Where nothing but the sign is above, each bit is as the one beneath it: two pixels of 16 bits at a time.
    const all = this.#bits === 32 ? ~((2 << sign) - 1) >>> 0 : ((1 << this.#bits) - 1) & ~((2 << sign) - 1);
    if (above === all && this.#changesNowhere(this.#wide(above))) return true;
    for (const values of this.#values()) {
      for (let at = 0; at < values.length; at += 1) {
        const value = values[at]!;
        const high = (value & above) >>> 0;
        if (high !== 0 && (high !== above || ((value >>> sign) & 1) === 0)) return false;
      }
    }
    return true;
  }

  #changesNowhere(wide: number): boolean {
    for (const words of this.#windows()) if ((changed(words) & wide) !== 0) return false;
    return true;
  }

  * #values(): Generator<PixelWords> {
    for (const { buffer, byteOffset, byteLength } of this.#windows()) {
      yield this.#bits === 8 ? new Uint8Array(buffer, byteOffset, byteLength) : this.#bits === 16 ? new Uint16Array(buffer, byteOffset, byteLength / 2) : new Uint32Array(buffer, byteOffset, byteLength / 4);
    }
  }

  /** Puts `bits` of each pixel together to bytes, first bit lowest and first bit highest, as parts of the object. */
  hide(bits: readonly number[], name: string): void {
    const length = Math.floor((this.#reading.length(this.#pixels) * bits.length) / this.#bits);
    const size = Math.min(length, hiddenBytesMax);
    if (size === 0) return;
    const { any, lowest, highest } = bytesOfBits(this.#values(), bits, size);
    if (!any) return;
    const { elements } = this.#reading.mapped;
    const place = { at: { offset: elements.valueOffsets[this.#pixels]!, length: elements.valueLengths[this.#pixels]! }, tag: '(7FE0,0010)' };
    this.#reading.addPart({ ...place, name, bytes: lowest });
    // Of whole bytes the two are the same.
    if (bits.length % 8 !== 0 || bits.some((bit, index) => bit !== bits[0]! + index)) this.#reading.addPart({ ...place, name: `${name}, read the other way`, bytes: highest });
  }
}
