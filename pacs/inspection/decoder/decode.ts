/** One frame from the file through its decoder. Runs only in the sandboxed decoder process: a codec is a parser of hostile bytes like any other. */
import { closeSync, openSync, readSync } from 'node:fs';
import { decoderOf, type DecodedFrame } from './codecs.ts';
import { decodedBytes, type DecodeAnswer, type DecodeTask } from './contract.ts';

/** Decodes and compares; never says what the pixels are. Rejects only where the file cannot be read. */
export async function decodeFrame(task: DecodeTask): Promise<DecodeAnswer> {
  const encoded = readRanges(task.path, task.ranges);
  const decode = await decoderOf(task.codec);
  let decoded: DecodedFrame | null;
  try {
    decoded = decode(encoded);
  } catch {
    // What the codec says of it may quote the object, and is about its insides.
    return { id: task.id, outcome: 'wrong', text: 'the decoder refuses it' };
  }
  if (decoded === null) return { id: task.id, outcome: 'undecoded', text: '' };
  const wrong = differenceOf(task, decoded);
  return wrong === null ? { id: task.id, outcome: 'decoded', text: '' } : { id: task.id, outcome: 'wrong', text: wrong };
}

function differenceOf(task: DecodeTask, decoded: DecodedFrame): string | null {
  if (decoded.rows !== task.rows || decoded.columns !== task.columns) return `it decodes to ${decoded.columns} × ${decoded.rows} pixels, its attributes say ${task.columns} × ${task.rows}`;
  if (decoded.samples !== task.samples) return `it decodes to ${decoded.samples} samples a pixel, its attributes say ${task.samples}`;
  if (decoded.precision > task.bitsAllocated) return `it decodes to ${decoded.precision} bits a sample, its attributes have room for ${task.bitsAllocated}`;
  // Eight bits may be stored in sixteen: the decoder gives as many bytes as the codestream's precision needs.
  const expected = decodedBytes({ ...task, bitsAllocated: decoded.precision });
  return decoded.bytes === expected ? null : `it decodes to ${decoded.bytes} bytes where ${expected} are expected`;
}

function readRanges(path: string, ranges: readonly number[]): Buffer {
  let length = 0;
  for (let at = 1; at < ranges.length; at += 2) length += ranges[at]!;
  // Of its own memory: the decoders take a buffer and an offset, and some ignore the offset.
  const bytes = Buffer.from(new ArrayBuffer(length));
  const file = openSync(path, 'r');
  try {
    let filled = 0;
    for (let at = 0; at < ranges.length; at += 2) {
      const end = filled + ranges[at + 1]!;
      for (let offset = ranges[at]!; filled < end; ) {
        const count = readSync(file, bytes, filled, end - filled, offset);
        if (count === 0) throw new Error('the file is shorter than the frame');
        filled += count;
        offset += count;
      }
    }
  } finally {
    closeSync(file);
  }
  return bytes;
}
