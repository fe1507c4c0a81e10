/**
 * The media process: reads one medium and writes what is on it into the arriving area.
 *
 * SECURITY: it decodes file systems and archives that somebody else made. Assume that it can be taken over: it has no network, no socket, starts nothing, sees
 * one folder (or one open descriptor and no path at all) and can write nothing but arriving objects, which are inspected like all others. It ends with its medium.
 */
import { FrameReader, encodeFrame } from '@lazaret/system/frames.ts';
import type { Settings } from '@lazaret/system/process.ts';
import { ArrivingArea } from '@lazaret/pacs/reception/arrival.ts';
import { openFolder, openImage, openUpload } from '@lazaret/pacs/reception/media/open.ts';
import type { Answer, Order } from '@lazaret/pacs/reception/media/protocol.ts';
import { MediaReading } from '@lazaret/pacs/reception/media/reading.ts';
import { Unreadable } from '@lazaret/pacs/reception/media/volume.ts';

/** As at the other doors: what is under way needs room, and so does the record of refusing. */
const diskFreeBytesMin = 1024 ** 3;
/** The medium as an open file: the third after stdin, stdout and stderr. */
const mediumDescriptor = 3;

const settings = JSON.parse(process.env['LAZARET_SETTINGS'] ?? '') as Settings;
const orders = new FrameReader();
let credits = 0;
let wake: (() => void) | null = null;
let reading: MediaReading | null = null;

function say(answer: Answer): void {
  process.stdout.write(encodeFrame(answer));
}

function open({ folder, upload, length, label }: Order & { do: 'open' }): void {
  say({ say: 'opening' });
  const volume = folder === null ? openImage(mediumDescriptor, length, label) : upload ? openUpload(folder, label) : openFolder(folder, label);
  const listed = new MediaReading(volume, new ArrivingArea(settings.layout.arriving, diskFreeBytesMin), length);
  say(listed.open());
  reading = listed;
}

async function read(skip: readonly number[]): Promise<void> {
  for await (const file of reading!.files(new Set(skip))) {
    say(file);
    if (file.say === 'file') credits -= 1;
    while (credits <= 0) await new Promise<void>((resolve) => { wake = resolve; });
  }
  say(reading!.finish(skip.length === 0));
}

function fail(error: unknown): void {
  const known = error instanceof Unreadable || (error as { severity?: string }).severity !== undefined;
  if (!known) process.stderr.write(`${(error as Error)?.stack ?? String(error)}\n`);
  // Our bug, met over a file: whoever started this process sees which one that was, and goes on without it.
  if (!known && reading !== null) process.exit(1);
  say({ say: 'failed', text: known ? (error as Error).message : `The medium could not be read: ${(error as Error)?.message ?? 'an error'}.` });
}

process.stdin.on('data', (chunk: Buffer) => {
  for (const frame of orders.push(chunk)) {
    const order = frame.header as Order;
    if (order.do === 'more') {
      credits += order.count;
      wake?.();
    } else if (order.do === 'open') {
      try {
        open(order);
      } catch (error) {
        fail(error);
      }
    } else read(order.skip).catch(fail);
  }
});
process.stdin.on('end', () => process.exit(0));
