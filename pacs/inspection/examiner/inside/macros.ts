/** Source of macros, which is compressed in its streams (MS-OVBA 2.4.1), so that the engines see the text. */
import type { Budget } from './contract.ts';

/** Every module begins with `Attribute VB_Name`, and its first byte of flags says that eight literal bytes follow. */
const start = Buffer.from('\0Attribut', 'latin1');
/** A module of more source than this is looked at as far as this. */
const sourceBytesMax = 4 * 1024 * 1024;

/** The decompressed texts of a stream; none where it has no module. */
export function* decompressMacros(stream: Buffer, budget: Budget): Generator<Buffer, void, void> {
  for (let found = stream.indexOf(start); found >= 0; found = stream.indexOf(start, found + start.length)) {
    budget.step();
    // Before it: the signature byte 1 and two bytes of chunk header.
    if (found < 3 || stream[found - 3] !== 1) continue;
    const text = decompress(stream, found - 2, budget);
    budget.takeBytes(text.length);
    if (text.length > 0) yield text;
  }
}

function decompress(stream: Buffer, from: number, budget: Budget): Buffer {
  const chunks: Buffer[] = [];
  let length = 0;
  let at = from;
  while (at + 2 <= stream.length && length < sourceBytesMax) {
    budget.step(64);
    const header = stream.readUInt16LE(at);
    if (((header >> 12) & 7) !== 3) break;
    const end = Math.min(stream.length, at + (header & 0xfff) + 3);
    const chunk = (header & 0x8000) === 0 ? stream.subarray(at + 2, end) : expand(stream.subarray(at + 2, end));
    chunks.push(chunk);
    length += chunk.length;
    at = end;
  }
  return Buffer.concat(chunks);
}

/** One chunk: 4096 bytes at most; a copy has as many bits of offset as the position needs. */
function expand(packed: Buffer): Buffer {
  const out = Buffer.alloc(4096);
  let length = 0;
  for (let at = 0; at < packed.length;) {
    const flags = packed[at++]!;
    for (let bit = 0; bit < 8 && at < packed.length && length < out.length; bit += 1) {
      if (((flags >> bit) & 1) === 0) {
        out[length++] = packed[at++]!;
        continue;
      }
      if (at + 2 > packed.length) return out.subarray(0, length);
      const token = packed.readUInt16LE(at);
      at += 2;
      let bits = 4;
      while (2 ** bits < length) bits += 1;
      const offset = (token >> (16 - bits)) + 1;
      const count = (token & (0xffff >> bits)) + 3;
      if (offset > length) return out.subarray(0, length);
      for (let copied = 0; copied < count && length < out.length; copied += 1, length += 1) out[length] = out[length - offset]!;
    }
  }
  return out.subarray(0, length);
}
