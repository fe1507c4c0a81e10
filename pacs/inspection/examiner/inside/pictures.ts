/**
 * Pictures within values: walked to their end, for what follows them is a part of its own and no pixel. What is packed in them as text or
 * profile is unpacked. The pixels themselves are not decoded.
 */
import { isBlank, type Inner, type Opening } from './contract.ts';
import { inflate } from './deflate.ts';

function* behind(bytes: Buffer, end: number): Generator<Inner, void, void> {
  const rest = bytes.subarray(Math.min(end, bytes.length));
  if (rest.some((byte) => !isBlank(byte))) yield { name: 'what follows', bytes: rest };
}

/** Markers without a length: TEM, RSTn, SOI (ITU-T T.81 Table B.1). */
const bare = (marker: number): boolean => marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8);

/** JPEG: segment by segment, entropy-coded data up to the next marker that ends it. */
export function* openJPEG({ bytes, budget }: Opening): Generator<Inner, void, void> {
  let at = 2;
  while (at + 2 <= bytes.length) {
    budget.step();
    if (bytes[at] !== 0xff) {
      // Entropy-coded data.
      const next = bytes.indexOf(0xff, at);
      if (next < 0) return;
      at = next;
      continue;
    }
    const marker = bytes[at + 1]!;
    if (marker === 0xff) at += 1;
    else if (marker === 0xd9) return yield* behind(bytes, at + 2);
    else if (marker === 0 || bare(marker)) at += 2;
    else {
      if (at + 4 > bytes.length) return;
      const length = bytes.readUInt16BE(at + 2);
      // Comments and what applications add; profiles and previews lie there.
      if ((marker >= 0xe1 && marker <= 0xef) || marker === 0xfe) {
        const content = bytes.subarray(at + 4, at + 2 + length);
        if (content.length > 64) yield { name: `segment ${marker.toString(16).toUpperCase()}`, bytes: content };
      }
      at += 2 + Math.max(2, length);
    }
  }
}

/** PNG: chunk by chunk (ISO/IEC 15948 §5). */
export function* openPNG({ bytes, budget, say }: Opening): Generator<Inner, void, void> {
  for (let at = 8; at + 12 <= bytes.length;) {
    budget.step();
    const length = bytes.readUInt32BE(at);
    const type = bytes.toString('latin1', at + 4, at + 8);
    const end = at + 12 + length;
    if (end > bytes.length || !/^[A-Za-z]{4}$/.test(type)) break;
    const content = bytes.subarray(at + 8, at + 8 + length);
    if (type === 'IEND') return yield* behind(bytes, end);
    if (type === 'zTXt' || type === 'iCCP' || type === 'iTXt') {
      // Keyword, NUL, method; iTXt has more texts before the compressed one.
      const from = type === 'iTXt' ? content.indexOf(0, content.indexOf(0, content.indexOf(0) + 3) + 1) + 1 : content.indexOf(0) + 2;
      const isPacked = type !== 'iTXt' || content[content.indexOf(0) + 1] === 1;
      if (isPacked && from > 1 && from < content.length) {
        const { output, ended } = inflate(content.subarray(from), 'zlib', budget);
        if (ended === 'limit') say('part-limit', 'has a text that unpacks to more than is looked at');
        if (output.length > 0) yield { name: `text ${type}`, bytes: output };
      }
    } else if (!/^(?:IHDR|IDAT|PLTE|tRNS|gAMA|cHRM|sRGB|pHYs|tIME|bKGD|hIST|sBIT|sPLT)$/.test(type) && length > 0) yield { name: `chunk ${type}`, bytes: content };
    at = end;
  }
}

/** Of a colour table, by the flags that announce it. */
function coloursBytes(flags: number): number {
  return (flags & 0x80) === 0 ? 0 : 3 * 2 ** ((flags & 7) + 1);
}

/** GIF: blocks and sub-blocks (GIF89a §15 ff.). */
export function* openGIF({ bytes, budget }: Opening): Generator<Inner, void, void> {
  if (bytes.length < 13) return;
  const blocks = (from: number): number => {
    let at = from;
    while (at < bytes.length && bytes[at] !== 0) {
      budget.step();
      at += 1 + bytes[at]!;
    }
    return at + 1;
  };
  let at = 13 + coloursBytes(bytes[10]!);
  while (at < bytes.length) {
    budget.step();
    const byte = bytes[at]!;
    if (byte === 0x3b) return yield* behind(bytes, at + 1);
    if (byte === 0x21) {
      const end = blocks(at + 2);
      const label = bytes[at + 1];
      if ((label === 0xfe || label === 0xff) && end - at > 64) yield { name: label === 0xfe ? 'a comment' : 'an extension', bytes: bytes.subarray(at + 2, end) };
      at = end;
    } else if (byte === 0x2c && at + 10 <= bytes.length) at = blocks(at + 11 + coloursBytes(bytes[at + 9]!));
    else return yield* behind(bytes, at);
  }
}

export function* openBMP({ bytes }: Opening): Generator<Inner, void, void> {
  if (bytes.length >= 6) yield* behind(bytes, bytes.readUInt32LE(2));
}
