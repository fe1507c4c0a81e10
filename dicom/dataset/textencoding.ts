/**
 * Text to bytes in a Specific Character Set (PS3.5 §6.1): the inverse of charsets.ts as far as one value can be written without code extensions.
 */
import { textDecoding, type Delimiters } from './charsets.ts';

const utf8 = new TextEncoder();
/** By the first term of (0008,0005): the bytes of the characters beyond the default repertoire. */
const tables = new Map<string, ReadonlyMap<string, readonly number[]>>();
/** Combinations of terms in use are few (charsets.ts). */
const tablesMax = 16;

/**
 * The bytes of a text, unpadded; null where these terms cannot write it. What comes back is what `textDecoding` reads as the same text.
 * Of several sets only the first is written in: no escape sequences.
 */
export function encodeText(text: string, terms: readonly string[], delimiters: Delimiters): Uint8Array | null {
  const decoding = textDecoding(terms);
  const bytes = encode(text, terms);
  return bytes !== null && decoding.decode(bytes, delimiters) === text ? bytes : null;
}

/** Only characters of the default repertoire, ISO-IR 6, without control characters. */
export function isPlainText(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text);
}

function encode(text: string, terms: readonly string[]): Uint8Array | null {
  if (isPlainText(text)) return Uint8Array.from(text, (character) => character.charCodeAt(0));
  const first = (terms[0] ?? '').trim().toUpperCase();
  if (first === 'ISO_IR 192') return utf8.encode(text);
  const table = tableOf(terms, first === 'GB18030' || first === 'GBK');
  const bytes: number[] = [];
  for (const character of text) {
    const code = character.charCodeAt(0);
    if (code < 0x80 && character.length === 1) bytes.push(code);
    else {
      const found = table.get(character);
      if (found === undefined) return null;
      bytes.push(...found);
    }
  }
  return Uint8Array.from(bytes);
}

/** Made by decoding every byte (of GBK every pair): so it cannot disagree with what reads it. */
function tableOf(terms: readonly string[], pairs: boolean): ReadonlyMap<string, readonly number[]> {
  const key = terms.join('\\');
  const known = tables.get(key);
  if (known !== undefined) return known;
  const decoding = textDecoding(terms);
  const table = new Map<string, readonly number[]>();
  const add = (...bytes: readonly number[]): void => {
    const text = decoding.decode(Uint8Array.from(bytes), 'none');
    if ([...text].length === 1 && text !== '\uFFFD' && !table.has(text)) table.set(text, bytes);
  };
  if (pairs) for (let lead = 0x81; lead <= 0xfe; lead += 1) for (let trail = 0x40; trail <= 0xfe; trail += 1) add(lead, trail);
  else for (let byte = 0xa0; byte <= 0xff; byte += 1) add(byte);
  if (tables.size >= tablesMax) tables.clear();
  tables.set(key, table);
  return table;
}
