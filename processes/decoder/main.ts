/**
 * The decoder: turns compressed frames into pixels and says whether they came out as declared. The pixels go nowhere.
 *
 * SECURITY: assume that it can be taken over by a frame: codecs are where images have broken into systems before. It has no network, no file but
 * objects to read, nothing to write; all it can say is yes or no about the one frame that it was given, and after a no it is ended.
 */
import { FrameReader, encodeFrame } from '@lazaret/system/frames.ts';
import type { DecodeTask } from '@lazaret/pacs/inspection/decoder/contract.ts';
import { decodeFrame } from '@lazaret/pacs/inspection/decoder/decode.ts';

const reader = new FrameReader();
let last = Promise.resolve();

async function answer(task: DecodeTask): Promise<void> {
  process.stdout.write(encodeFrame(await decodeFrame(task)));
}

process.stdin.on('data', (chunk: Buffer) => {
  for (const frame of reader.push(chunk)) {
    last = last.then(() => answer(frame.header as DecodeTask));
  }
});
process.stdin.on('end', () => process.exit(0));
process.stdout.write(encodeFrame({ ready: true }));
