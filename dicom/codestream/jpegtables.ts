/** Tables of JPEG (T.81 §B.2.4): quantization, Huffman, arithmetic conditioning. Each segment holds whole tables and nothing else. */
import type { Stream } from './stream.ts';

/** Which tables there are so far, and the restart interval. */
export class Tables {
  restartInterval = 0;
  /** Restart markers that belong in the scan that is open. */
  restarts = 0;
  #huffman = 0;
  #quantization = 0;

  hasHuffman(kind: number, id: number): boolean {
    return id < 4 && ((this.#huffman >> (kind * 4 + id)) & 1) === 1;
  }
  defineHuffman(kind: number, id: number): void {
    this.#huffman |= 1 << (kind * 4 + id);
  }
  hasQuantization(id: number): boolean {
    return ((this.#quantization >> id) & 1) === 1;
  }
  defineQuantization(id: number): void {
    this.#quantization |= 1 << id;
  }
}

/** Reads a DQT, DHT or DAC segment whose content is `[at, at + length)`; null, or what is wrong. */
export function tableProblem(stream: Stream, code: number, at: number, length: number, tables: Tables): string | null {
  if (code === 0xdb) return quantization(stream, at, length, tables);
  if (code === 0xc4) return huffman(stream, at, length, tables);
  return length > 0 && length % 2 === 0 && length <= 32 ? null : 'its arithmetic conditioning has a wrong length';
}

function quantization(stream: Stream, from: number, length: number, tables: Tables): string | null {
  let at = from;
  while (at < from + length) {
    const kind = stream.byte(at);
    if (kind >> 4 > 1 || (kind & 15) > 3) return 'a quantization table is of a kind that is none';
    tables.defineQuantization(kind & 15);
    at += 1 + 64 * ((kind >> 4) + 1);
  }
  return at === from + length && length > 0 ? null : 'a quantization table has a wrong length';
}

function huffman(stream: Stream, from: number, length: number, tables: Tables): string | null {
  let at = from;
  while (at < from + length) {
    const kind = stream.byte(at);
    if (kind >> 4 > 1 || (kind & 15) > 3) return 'a Huffman table is of a kind that is none';
    if (at + 17 > from + length) return 'a Huffman table has a wrong length';
    let codes = 0;
    // Codes of each length must leave room for the longer ones, or decoders run past their tables (T.81 Annex C).
    let room = 1;
    for (let bits = 1; bits <= 16; bits += 1) {
      const count = stream.byte(at + bits);
      codes += count;
      room = room * 2 - count;
      if (room < 0) return 'a Huffman table has more codes than there can be';
    }
    if (codes > 256) return 'a Huffman table has more codes than there can be';
    tables.defineHuffman(kind >> 4, kind & 15);
    at += 17 + codes;
  }
  return at === from + length && length > 0 ? null : 'a Huffman table has a wrong length';
}
