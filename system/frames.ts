/**
 * Messages between our own processes: a JSON header and, where bytes are needed, a binary payload.
 *
 *   u32 BE header length | u32 BE payload length | header (UTF-8 JSON) | payload
 *
 * The reader is used on both sides of the sandbox, so it trusts nothing: lengths are checked before anything is kept.
 */
import { refused } from './failure.ts';

/** Metadata of an enhanced multi-frame object with 20,000 frames is some 30 MiB of DICOM JSON; a quarter of a gibibyte bounds a mad one. */
export const headerBytesMax = 256 * 1024 * 1024;
/** A span table of 1,000,000 spans is 22 MB. */
export const payloadBytesMax = 64 * 1024 * 1024;

const prefixBytes = 8;
const empty = Buffer.alloc(0);

export interface Frame {
  readonly header: unknown;
  readonly payload: Buffer;
}

/** One frame as bytes. */
export function encodeFrame(header: unknown, payload: Uint8Array = empty): Buffer {
  return encode(header, payload.length, payload);
}

/** A frame without its payload: whoever writes it writes so many bytes after it. For large ones, which need not be copied for that. */
export function beginFrame(header: unknown, payloadBytes: number): Buffer {
  return encode(header, payloadBytes, empty);
}

function encode(header: unknown, payloadBytes: number, payload: Uint8Array): Buffer {
  const text = Buffer.from(JSON.stringify(header), 'utf8');
  const frame = Buffer.allocUnsafe(prefixBytes + text.length + payload.length);
  frame.writeUInt32BE(text.length, 0);
  frame.writeUInt32BE(payloadBytes, 4);
  text.copy(frame, prefixBytes);
  frame.set(payload, prefixBytes + text.length);
  return frame;
}

/** Collects chunks of a stream and gives back whole frames. Throws `refused` on a frame over its limits or a header that is not JSON. */
export class FrameReader {
  #chunks: Buffer[] = [];
  #kept = 0;
  #wanted = prefixBytes;
  readonly #headerMax: number;
  readonly #payloadMax: number;

  constructor(limits: { headerBytesMax?: number; payloadBytesMax?: number } = {}) {
    this.#headerMax = limits.headerBytesMax ?? headerBytesMax;
    this.#payloadMax = limits.payloadBytesMax ?? payloadBytesMax;
  }

  /** Takes a chunk; returns the frames that it completes, oldest first. */
  push(chunk: Buffer): Frame[] {
    const frames: Frame[] = [];
    this.#chunks.push(chunk);
    this.#kept += chunk.length;
    // Joined only once enough is there, so a frame that comes in many chunks is copied once, not once a chunk.
    while (this.#kept >= this.#wanted) {
      const bytes = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks);
      const headerLength = bytes.readUInt32BE(0);
      const payloadLength = bytes.readUInt32BE(4);
      if (headerLength > this.#headerMax || payloadLength > this.#payloadMax) {
        throw refused('frame-length-exceeded', `a frame declares ${headerLength} + ${payloadLength} bytes; at most ${this.#headerMax} + ${this.#payloadMax} are taken`);
      }
      const total = prefixBytes + headerLength + payloadLength;
      if (bytes.length < total) {
        this.#chunks = [bytes];
        this.#wanted = total;
        break;
      }
      frames.push({
        header: parseHeader(bytes.toString('utf8', prefixBytes, prefixBytes + headerLength)),
        payload: bytes.subarray(prefixBytes + headerLength, total),
      });
      const rest = bytes.subarray(total);
      this.#chunks = rest.length > 0 ? [rest] : [];
      this.#kept = rest.length;
      this.#wanted = prefixBytes;
    }
    return frames;
  }
}

function parseHeader(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw refused('frame-header-invalid', 'the header of a frame is not JSON');
  }
}
