/**
 * The decoder: turns compressed frames into pixels and says whether they came out as declared, and makes small pictures for people to look at.
 *
 * SECURITY: assume that it can be taken over by an object: codecs are where images have broken into systems before. It has no network, no file but
 * objects to read, nothing to write; all that it can do is lie about what it was asked, or hand out another picture. Its answers are checked, and
 * after anything but success it is ended.
 */
import { FrameReader, encodeFrame } from '@lazaret/system/frames.ts';
import type { DecodeTask, RenderTask } from '@lazaret/pacs/inspection/decoder/contract.ts';
import { decodeFrame } from '@lazaret/pacs/inspection/decoder/decode.ts';
import { rehearse, renderFrame } from '@lazaret/pacs/inspection/decoder/render.ts';

const reader = new FrameReader();
let last = Promise.resolve();
let asked = false;
/** One that was started for something has it by then. */
const rehearseAfterMs = 100;

async function answer(task: DecodeTask | RenderTask): Promise<void> {
  if (task.kind === 'decode') {
    process.stdout.write(encodeFrame(await decodeFrame(task)));
    return;
  }
  const rendered = await renderFrame(task);
  process.stdout.write(encodeFrame(rendered.answer, rendered.picture));
}

process.stdin.on('data', (chunk: Buffer) => {
  asked = true;
  for (const frame of reader.push(chunk)) last = last.then(() => answer(frame.header as DecodeTask | RenderTask));
});
process.stdin.on('end', () => process.exit(0));
process.stdout.write(encodeFrame({ ready: true }));
// Started while somebody is at the desk, before there is anything to show.
setTimeout(() => {
  if (!asked) rehearse();
}, rehearseAfterMs).unref();
