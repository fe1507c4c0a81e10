/** Predictors of Flate and LZW (ISO 32000-2 §7.4.4.4): PNG's, chosen row by row, and TIFF's. */
import type { Budget } from '../contract.ts';

export interface Prediction {
  readonly predictor: number;
  readonly columns: number;
  readonly colors: number;
  readonly bits: number;
}

/** Null for parameters that no reader could use. */
export function predict(bytes: Buffer, { predictor, columns, colors, bits }: Prediction, budget: Budget): Buffer | null {
  if (![columns, colors, bits].every((value) => Number.isInteger(value) && value > 0) || columns > 1_000_000 || colors > 64 || ![1, 2, 4, 8, 16].includes(bits)) return null;
  const rowBytes = Math.ceil((columns * colors * bits) / 8);
  const pixelBytes = Math.max(1, (colors * bits) >>> 3);
  budget.step(bytes.length >>> 6);
  budget.takeBytes(bytes.length);
  if (predictor === 2) return tiff(bytes, rowBytes, colors, bits);
  return predictor >= 10 && predictor <= 15 ? png(bytes, rowBytes, pixelBytes) : null;
}

function png(bytes: Buffer, rowBytes: number, pixelBytes: number): Buffer | null {
  const rows = Math.ceil(bytes.length / (rowBytes + 1));
  const out = Buffer.alloc(Math.max(0, bytes.length - rows));
  for (let row = 0; row < rows; row += 1) {
    const from = row * (rowBytes + 1);
    const type = bytes[from]!;
    if (type > 4) return null;
    const to = row * rowBytes;
    const length = Math.min(rowBytes, bytes.length - from - 1);
    for (let index = 0; index < length; index += 1) {
      const left = index >= pixelBytes ? out[to + index - pixelBytes]! : 0;
      const up = row > 0 ? out[to + index - rowBytes]! : 0;
      const corner = row > 0 && index >= pixelBytes ? out[to + index - rowBytes - pixelBytes]! : 0;
      const guess = type === 0 ? 0 : type === 1 ? left : type === 2 ? up : type === 3 ? (left + up) >>> 1 : paeth(left, up, corner);
      out[to + index] = bytes[from + 1 + index]! + guess;
    }
  }
  return out;
}

function paeth(left: number, up: number, corner: number): number {
  const [toLeft, toUp, toCorner] = [Math.abs(up - corner), Math.abs(left - corner), Math.abs(left + up - 2 * corner)];
  return toLeft <= toUp && toLeft <= toCorner ? left : toUp <= toCorner ? up : corner;
}

/** Each sample is the difference to the one before it in its row, in as many bits as it has. */
function tiff(bytes: Buffer, rowBytes: number, colors: number, bits: number): Buffer {
  const out = Buffer.from(bytes);
  for (let row = 0; row < out.length; row += rowBytes) {
    const end = Math.min(out.length, row + rowBytes);
    if (bits === 8) for (let at = row + colors; at < end; at += 1) out[at] = out[at]! + out[at - colors]!;
    else if (bits === 16) for (let at = row + 2 * colors; at + 1 < end; at += 2) out.writeUInt16BE((out.readUInt16BE(at) + out.readUInt16BE(at - 2 * colors)) & 0xffff, at);
    else addSamples(out.subarray(row, end), colors, bits);
  }
  return out;
}

/** 1, 2 or 4 bits a sample. */
function addSamples(row: Buffer, colors: number, bits: number): void {
  const mask = 2 ** bits - 1;
  const before = new Uint8Array(colors);
  const samples = Math.floor((row.length * 8) / bits);
  for (let sample = 0; sample < samples; sample += 1) {
    const shift = 8 - bits - ((sample * bits) & 7);
    const at = (sample * bits) >>> 3;
    const value = ((row[at]! >>> shift) + before[sample % colors]!) & mask;
    before[sample % colors] = value;
    row[at] = (row[at]! & ~(mask << shift)) | (value << shift);
  }
}
