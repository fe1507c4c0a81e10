/** Filters of PDF streams (ISO 32000-2 §7.4) that give back what was packed; pictures stay as they are. */
import { LimitReached, isBlank, type Budget } from '../contract.ts';
import { inflate } from '../deflate.ts';
import { unpackLZW } from './lzw.ts';
import { Output } from './output.ts';
import { predict, type Prediction } from './predictors.ts';

export interface Filter {
  readonly name: string;
  readonly prediction: Prediction;
  /** LZW: whether codes grow one code early. */
  readonly early: boolean;
  /** Crypt: the name of the crypt filter. */
  readonly crypt: string;
}

export interface Decoded {
  readonly bytes: Buffer;
  /** The filter of the picture that is left. */
  readonly picture: string | null;
  /** What filters did not take. */
  readonly rest: readonly Buffer[];
  /** Why it cannot be looked into, as the end of a sentence. */
  readonly problem: string | null;
  /** More than one part may have. */
  readonly limit: boolean;
}

/** Two are usual: ASCII85 around Flate or DCT. */
const filtersMax = 8;
const pictures: ReadonlySet<string> = new Set(['DCTDecode', 'JPXDecode', 'CCITTFaxDecode', 'JBIG2Decode']);
/** Short names are for inline images, and readers take them everywhere. */
const whole: Readonly<Record<string, string>> = { AHx: 'ASCIIHexDecode', A85: 'ASCII85Decode', LZW: 'LZWDecode', Fl: 'FlateDecode', RL: 'RunLengthDecode', CCF: 'CCITTFaxDecode', DCT: 'DCTDecode' };

interface Step { readonly bytes: Buffer; readonly consumed: number; readonly problem?: string; readonly limit?: boolean }

export function decode(packed: Buffer, filters: readonly Filter[], budget: Budget): Decoded {
  const rest: Buffer[] = [];
  let bytes = packed;
  const ended = (problem: string | null, picture: string | null = null, limit = false): Decoded => ({ bytes, picture, rest, problem, limit });
  if (filters.length > filtersMax) return ended(`has a stream with more than ${filtersMax} filters`);
  for (const [index, filter] of filters.entries()) {
    const name = whole[filter.name] ?? filter.name;
    if (pictures.has(name)) return index === filters.length - 1 ? ended(null, name) : ended('has a picture packed in a way that is not looked into');
    if (name === 'Crypt') {
      if (filter.crypt !== '' && filter.crypt !== 'Identity') return ended('has an encrypted stream');
      continue;
    }
    const step = run(name, bytes, filter, budget, packed.length);
    if (step === null) return ended('has a stream packed in a way that is not looked into');
    const left = bytes.subarray(step.consumed);
    if (left.some((byte) => !isBlank(byte))) rest.push(left);
    bytes = step.bytes;
    if (step.limit === true) return ended(null, null, true);
    if (step.problem !== undefined) return ended(step.problem);
  }
  return ended(null);
}

function run(name: string, bytes: Buffer, filter: Filter, budget: Budget, packed: number): Step | null {
  try {
    switch (name) {
      case 'FlateDecode': return predicted(flate(bytes, budget, packed), filter.prediction, budget);
      case 'LZWDecode': return predicted(unpackLZW(bytes, filter.early, budget, packed), filter.prediction, budget);
      case 'ASCIIHexDecode': return asciiHex(bytes, budget, packed);
      case 'ASCII85Decode': return ascii85(bytes, budget, packed);
      case 'RunLengthDecode': return runLength(bytes, budget, packed);
      default: return null;
    }
  } catch (error) {
    if (error instanceof LimitReached && budget.bytesLeft > 0) return { bytes: Buffer.alloc(0), consumed: bytes.length, limit: true };
    throw error;
  }
}

function predicted(step: Step, prediction: Prediction, budget: Budget): Step {
  if (prediction.predictor <= 1 || step.bytes.length === 0) return step;
  const bytes = predict(step.bytes, prediction, budget);
  return bytes === null ? { ...step, problem: 'has a stream packed in a way that is not looked into' } : { ...step, bytes };
}

function flate(bytes: Buffer, budget: Budget, packed: number): Step {
  // Writers put a line end before the stream now and then; readers skip it.
  let from = 0;
  while (from < 2 && from < bytes.length && (bytes[from] === 10 || bytes[from] === 13)) from += 1;
  const zlib = inflate(bytes.subarray(from), 'zlib', budget, packed);
  if (zlib.ended === 'limit') return { bytes: zlib.output, consumed: bytes.length, limit: true };
  if (zlib.ended !== 'invalid') return { bytes: zlib.output, consumed: from + zlib.consumed };
  // Readers pass over a wrong checksum, and over a wrong header.
  for (const skip of [2, 0]) {
    const raw = inflate(bytes.subarray(from + skip), 'raw', budget, packed);
    if (raw.ended === 'limit') return { bytes: raw.output, consumed: bytes.length, limit: true };
    if (raw.ended === 'complete') return { bytes: raw.output, consumed: Math.min(bytes.length, from + skip + raw.consumed + 4) };
  }
  return bytes.length === 0 ? { bytes, consumed: 0 } : { bytes: Buffer.alloc(0), consumed: bytes.length, problem: 'has a stream that cannot be unpacked' };
}

const digits = Int8Array.from({ length: 256 }, (_, byte) => '0123456789abcdef'.indexOf(String.fromCharCode(byte).toLowerCase()));

function asciiHex(bytes: Buffer, budget: Budget, packed: number): Step {
  budget.step(bytes.length >>> 4);
  const out = new Output(budget, packed);
  let half = -1;
  let at = 0;
  for (; at < bytes.length && bytes[at] !== 0x3e; at += 1) {
    const digit = digits[bytes[at]!]!;
    if (digit < 0) {
      if (!isBlank(bytes[at]!)) return { bytes: out.end(), consumed: bytes.length, problem: 'has a stream that cannot be unpacked' };
    } else if (half < 0) half = digit;
    else {
      out.push(half * 16 + digit);
      half = -1;
    }
  }
  if (half >= 0) out.push(half * 16);
  return { bytes: out.end(), consumed: Math.min(bytes.length, at + 1) };
}

function ascii85(bytes: Buffer, budget: Budget, packed: number): Step {
  budget.step(bytes.length >>> 4);
  const out = new Output(budget, packed);
  let at = bytes.toString('latin1', 0, 2) === '<~' ? 2 : 0;
  let [group, count] = [0, 0];
  for (; at < bytes.length && bytes[at] !== 0x7e; at += 1) {
    const byte = bytes[at]!;
    if (isBlank(byte)) continue;
    if (byte === 0x7a && count === 0) {
      for (let zero = 0; zero < 4; zero += 1) out.push(0);
      continue;
    }
    if (byte < 0x21 || byte > 0x75) return { bytes: out.end(), consumed: bytes.length, problem: 'has a stream that cannot be unpacked' };
    group = group * 85 + byte - 0x21;
    count += 1;
    if (count < 5) continue;
    for (let shift = 24; shift >= 0; shift -= 8) out.push(Math.floor(group / 2 ** shift) & 0xff);
    [group, count] = [0, 0];
  }
  for (let missing = count; missing > 0 && missing < 5; missing += 1) group = group * 85 + 84;
  for (let index = 0; index < count - 1; index += 1) out.push(Math.floor(group / 2 ** (24 - 8 * index)) & 0xff);
  // The end is ~> with blanks allowed between.
  let end = at;
  while (end < bytes.length && bytes[end] !== 0x3e && (bytes[end] === 0x7e || isBlank(bytes[end]!))) end += 1;
  return { bytes: out.end(), consumed: Math.min(bytes.length, end + 1) };
}

function runLength(bytes: Buffer, budget: Budget, packed: number): Step {
  const out = new Output(budget, packed);
  let at = 0;
  while (at < bytes.length) {
    budget.step();
    const length = bytes[at]!;
    if (length === 128) return { bytes: out.end(), consumed: at + 1 };
    if (length < 128) {
      out.append(bytes.subarray(at + 1, at + 2 + length));
      at += 2 + length;
    } else {
      if (at + 1 < bytes.length) out.repeat(bytes[at + 1]!, 257 - length);
      at += 2;
    }
  }
  return { bytes: out.end(), consumed: bytes.length };
}
