/**
 * Whether a deflate stream (RFC 1951) begins somewhere: read just far enough to tell it from bytes that are there by chance. Two bytes of a zlib header
 * occur some thirty times in the noise of a CT slice, and giving each of them to an inflater would take longer than everything else.
 */

/** Order in which the lengths of the code for code lengths are written (RFC 1951 §3.2.7). */
const lengthOrder = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15] as const;
/** Of a block with fixed codes so many symbols are followed: a fifth of all codes are references, and the first ones have nothing to refer to. */
const fixedSymbols = 96;
/** A block that ends before it has made so much is by chance: no script is so short. */
const madeBytesMin = 32;
/** Of lengths 257 to 285 and distances 0 to 29 (§3.2.5). */
const lengthExtra = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0] as const;
const lengthBase = [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258] as const;
const distanceBase = [1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577] as const;

class Bits {
  readonly #bytes: Uint8Array;
  #bit: number;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.#bit = at * 8;
  }

  /** -1 at the end. */
  take(count: number): number {
    let value = 0;
    for (let index = 0; index < count; index += 1) {
      const byte = this.#bytes[this.#bit >> 3];
      if (byte === undefined) return -1;
      value |= ((byte >> (this.#bit & 7)) & 1) << index;
      this.#bit += 1;
    }
    return value;
  }
}

/** False where no inflater would get on at `at`; true where the first block has a whole head and its first symbols can be followed. */
export function beginsDeflate(bytes: Uint8Array, at: number): boolean {
  const first = bytes[at];
  if (first === undefined || at + 2 >= bytes.length) return false;
  const type = (first >> 1) & 3;
  if (type === 0) return at + 5 <= bytes.length && (bytes[at + 1]! ^ bytes[at + 3]!) === 0xff && (bytes[at + 2]! ^ bytes[at + 4]!) === 0xff;
  if (type === 3) return false;
  const bits = new Bits(bytes, at);
  bits.take(3);
  return type === 1 ? followsFixed(bits) : hasDynamicHead(bits);
}

/** The codes of a block with its own: complete or of one code, as inflaters ask for; an end of block among them. */
function hasDynamicHead(bits: Bits): boolean {
  const literals = bits.take(5) + 257;
  const distances = bits.take(5) + 1;
  const count = bits.take(4) + 4;
  if (literals > 286 || distances > 30 || count < 4) return false;
  const lengths = new Uint8Array(19);
  for (let index = 0; index < count; index += 1) {
    const length = bits.take(3);
    if (length < 0) return false;
    lengths[lengthOrder[index]!] = length;
  }
  return isComplete(lengths, 7);
}

/** Kraft's sum is one. */
function isComplete(lengths: Uint8Array, most: number): boolean {
  let sum = 0;
  for (const length of lengths) if (length > 0) sum += 1 << (most - length);
  return sum === 1 << most;
}

function followsFixed(bits: Bits): boolean {
  let made = 0;
  for (let index = 0; index < fixedSymbols; index += 1) {
    const symbol = fixedSymbol(bits);
    if (symbol === 256) return made >= madeBytesMin;
    // Cut off by the end of what is looked at: it may go on.
    if (symbol < 0) return made > 0;
    if (symbol < 256) {
      made += 1;
      continue;
    }
    if (symbol > 285) return false;
    const length = lengthBase[symbol - 257]! + bits.take(lengthExtra[symbol - 257]!);
    const code = reversed(bits, 5);
    if (code < 0) return true;
    if (code > 29) return false;
    // It must refer to what is there.
    if (distanceBase[code]! + bits.take(code < 4 ? 0 : (code >> 1) - 1) > made) return false;
    made += length;
  }
  return true;
}

/** §3.2.6: 7 bits for 256 to 279, 8 for 0 to 143 and 280 to 287, 9 for 144 to 255. */
function fixedSymbol(bits: Bits): number {
  const seven = reversed(bits, 7);
  if (seven < 0) return -1;
  if (seven < 24) return 256 + seven;
  const eighth = bits.take(1);
  if (eighth < 0) return -1;
  const eight = (seven << 1) | eighth;
  if (eight < 192) return eight - 48;
  if (eight < 200) return eight - 192 + 280;
  const ninth = bits.take(1);
  return ninth < 0 ? -1 : ((eight << 1) | ninth) - 400 + 144;
}

/** Huffman codes are written from their highest bit. */
function reversed(bits: Bits, count: number): number {
  let value = 0;
  for (let index = 0; index < count; index += 1) {
    const bit = bits.take(1);
    if (bit < 0) return -1;
    value = (value << 1) | bit;
  }
  return value;
}
