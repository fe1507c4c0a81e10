/**
 * What is concealed in some bytes in forms that cost too much to look for among pixels, or would be found there by chance: zlib streams of unusual windows, base64
 * in pieces, hexadecimal digits in pairs.
 */
import { inflatedFrom, type Concealed } from './concealed.ts';
import { beginsDeflate } from './deflatehead.ts';

/** Words of a language are shorter. */
const pieceCharactersMin = 24;
/** The test text of the engines is longer, in base64. */
const textCharactersMin = 64;
/** Put together of one object. */
const textCharactersMax = 32 * 1024 * 1024;
/** As C, web addresses and listings write bytes. */
const pairs = /(?:(?:0x|\\x|%|=|&#x)?[0-9a-fA-F]{2}[ ,:;\-\r\n\t]{0,3}(?:=\r?\n)?){48,}/g;
const pairCharactersMin = 96;

function characters(allowed: RegExp): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, code) => (allowed.test(String.fromCharCode(code)) ? 1 : 0));
}
const base64 = characters(/[A-Za-z0-9+/_-]/);
const ofPairs = characters(/[0-9a-fA-F ,:;\-\r\n\tx\\%=&#]/);

/** Runs of at least so many characters. One of that length has a character at one of the places that are looked at. */
function* runsIn(bytes: Uint8Array, allowed: Uint8Array, least: number): Generator<readonly [start: number, end: number], void, void> {
  let before = 0;
  for (let probe = least - 1; probe < bytes.length; probe += least) {
    if (allowed[bytes[probe]!] === 0) continue;
    let start = probe;
    while (start > before && allowed[bytes[start - 1]!] === 1) start -= 1;
    let end = probe + 1;
    while (end < bytes.length && allowed[bytes[end]!] === 1) end += 1;
    before = end;
    if (end - start >= least) yield [start, end];
    probe = Math.max(probe, end - 1);
  }
}

/** Streams of RFC 1950 with a window smaller than 32 KiB that begin before `end`; the usual ones are looked for everywhere (concealed.ts). */
export function* smallWindowsIn(bytes: Buffer, room: () => number, end = bytes.length): Generator<Concealed | 'limit', void, void> {
  for (let at = 0; at < end; at += 1) {
    const first = bytes[at]!;
    if ((first & 0x8f) !== 0x08 || first === 0x78) continue;
    const second = bytes[at + 1]!;
    if ((second & 0x20) !== 0 || ((first << 8) | second) % 31 !== 0 || !beginsDeflate(bytes, at + 2)) continue;
    const found = inflatedFrom(bytes, at + 2, room());
    if (found !== null) yield found === 'limit' ? found : { name: 'a zlib stream', bytes: found, at, guessed: true, packed: true, loose: false };
  }
}

/** Bytes written as digits with something between them. */
export function* pairsIn(bytes: Buffer): Generator<Concealed, void, void> {
  for (const [start, end] of runsIn(bytes, ofPairs, pairCharactersMin)) {
    for (const { 0: found, index } of bytes.toString('latin1', start, end).matchAll(pairs)) yield { name: 'hexadecimal digits in pairs', bytes: Buffer.from(found.replaceAll(/0x|\\x|&#x|[^0-9a-fA-F]/g, ''), 'hex'), at: start + index, guessed: true, packed: false, loose: true };
  }
}

/** Pieces of base64, over the borders of values: what lies in between is left out, as those who put them together would leave it out. */
export class Pieces {
  readonly #texts: string[] = [];
  readonly #rests: string[] = [];
  #characters = 0;
  #at = 0;
  #end = 0;
  /** Nothing but line ends is between them: then they are found as they stand. */
  #isOne = true;

  /** The next bytes, which begin at `from`. */
  add(bytes: Buffer, from: number): void {
    for (const [index, end] of runsIn(bytes, base64, pieceCharactersMin)) {
      const piece = bytes.toString('latin1', index, end);
      if (!/[A-Za-z]/.test(piece) || this.#characters + piece.length > textCharactersMax) continue;
      const start = from + index;
      if (this.#texts.length === 0) this.#at = start;
      else if (start - this.#end > 2 || (start > this.#end && !/[\r\n]/.test(String.fromCharCode(bytes[index - 1] ?? 0)))) this.#isOne = false;
      this.#texts.push(piece);
      // What may be the rest of a text, which is shorter, or a word that follows.
      this.#rests.push(/^[^A-Za-z0-9+/_-]{1,4}([A-Za-z0-9+/_-]{1,23})(?![A-Za-z0-9+/_-])/.exec(bytes.toString('latin1', end, end + 32))?.[1] ?? '');
      this.#characters += piece.length;
      this.#end = start + piece.length;
    }
  }

  /** Decoded from each of the first four characters on, since letters before the text that matters shift it. */
  * readings(): Generator<Concealed, void, void> {
    const text = this.#texts.join('');
    if (this.#isOne || text.length < textCharactersMin || !/[A-Z]/.test(text) || !/[a-z]/.test(text)) return;
    const texts = [text, ...(this.#rests.some((rest) => rest !== '') ? [this.#texts.map((piece, index) => piece + this.#rests[index]!).join('')] : [])];
    for (const each of texts) {
      for (let from = 0; from < 4; from += 1) yield { name: 'base64 text in pieces, put together,', bytes: Buffer.from(each.slice(from), 'base64'), at: this.#at, guessed: true, packed: false, loose: true };
    }
  }
}

/** All of these in bytes that are in memory. */
export function* piecesIn(bytes: Buffer, room: () => number): Generator<Concealed | 'limit', void, void> {
  yield* smallWindowsIn(bytes, room);
  yield* pairsIn(bytes);
  const gathered = new Pieces();
  gathered.add(bytes, 0);
  yield* gathered.readings();
}
