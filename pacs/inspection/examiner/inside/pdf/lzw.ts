/** LZW as PDF and TIFF have it (ISO 32000-2 §7.4.4): codes of 9 to 12 bits, most significant bit first. */
import type { Budget } from '../contract.ts';
import { Output } from './output.ts';

const clear = 256;
const endOfData = 257;
const tableMax = 4096;

/** `early`: codes grow one code before they must, which is the default. */
export function unpackLZW(bytes: Buffer, early: boolean, budget: Budget, packed = bytes.length): { readonly bytes: Buffer; readonly consumed: number; readonly problem?: string } {
  const out = new Output(budget, packed);
  /** Each code is a code before it and one more byte. */
  const before = new Uint16Array(tableMax);
  const last = new Uint8Array(tableMax);
  const lengths = new Uint16Array(tableMax);
  for (let code = 0; code < 256; code += 1) {
    last[code] = code;
    lengths[code] = 1;
  }
  const text = new Uint8Array(tableMax);
  let [next, width, previous] = [258, 9, -1];
  let [bits, held] = [0, 0];
  for (let at = 0; at < bytes.length;) {
    while (held < width && at < bytes.length) {
      bits = ((bits << 8) | bytes[at++]!) & 0xffffff;
      held += 8;
    }
    if (held < width) break;
    const code = (bits >>> (held - width)) & (2 ** width - 1);
    held -= width;
    budget.step();
    if (code === endOfData) return { bytes: out.end(), consumed: at };
    if (code === clear) {
      [next, width, previous] = [258, 9, -1];
      continue;
    }
    if (code > next || (code >= next && previous < 0)) return { bytes: out.end(), consumed: bytes.length, problem: 'has a stream that cannot be unpacked' };
    // The code that is being made now: the one before, and its own first byte.
    const from = code < next ? code : previous;
    const length = lengths[from]!;
    let walk = from;
    for (let index = length - 1; index >= 0; index -= 1) {
      text[index] = last[walk]!;
      walk = before[walk]!;
    }
    out.append(text.subarray(0, length));
    if (code === next) out.push(text[0]!);
    if (previous >= 0 && next < tableMax) {
      before[next] = previous;
      last[next] = text[0]!;
      lengths[next] = lengths[previous]! + 1;
      next += 1;
    }
    const grown = next + (early ? 1 : 0);
    width = grown >= 2048 ? 12 : grown >= 1024 ? 11 : grown >= 512 ? 10 : 9;
    previous = code;
  }
  return { bytes: out.end(), consumed: bytes.length };
}
