/**
 * The importer: reads what the desk page uploaded, each upload through a media process of its own.
 *
 * SECURITY: it starts programs, so it holds nothing else: no network, no object, no byte of a medium. What media processes say is untrusted and checked
 * (pacs/reception/media/protocol.ts). It opens an upload only to hand its descriptor on.
 */
import { closeSync, constants, fstatSync, openSync, readSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { processes } from '../../processes.ts';
import { connectChannel } from '@lazaret/system/channel.ts';
import { runProcess } from '@lazaret/system/process.ts';
import { confine } from '@lazaret/system/sandbox.ts';
import type { Asked, ImportStatus, UploadHead } from '@lazaret/pacs/reception/media/contract.ts';
import { ImportRun, scratchIn, sweepScratch } from '@lazaret/pacs/reception/media/run.ts';

/** Most of them wait for a browser to send: reading itself shares the cores. */
const runsMax = 8;
/** The first line of a listing: a name and some numbers. */
const headBytesMax = 8 * 1024;

await runProcess(async (settings) => {
  const { layout } = settings;
  const channel = await connectChannel(layout.sockets.importer);
  sweepScratch(layout.arriving);
  const runs = new Map<string, ImportRun>();
  let stopping = false;
  let wake: (() => void) | null = null;
  const failed = (error: unknown): void => {
    if (stopping) return;
    process.stderr.write(`${(error as Error)?.message ?? String(error)}\n`);
    process.exit(1);
  };

  async function take(asked: Asked): Promise<void> {
    const folder = join(layout.uploads, asked.upload);
    let descriptor: number | null = null;
    const scratch = scratchIn(layout.arriving, 'importer');
    try {
      if (headOf(folder).kind === 'image') descriptor = openSync(join(folder, '0'), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
      const run = new ImportRun({
        start: confine(processes.media, { ...settings, layout: { ...layout, arriving: scratch } }, descriptor === null ? { reads: [folder] } : {}),
        medium: descriptor === null ? { folder, upload: true } : { descriptor, length: fstatSync(descriptor).size },
        label: asked.label, person: asked.person, address: asked.address, upload: asked.upload, arriving: layout.arriving, scratch,
        ask: (name, body) => channel.request(name, body), log: (line) => process.stderr.write(line),
      });
      runs.set(asked.id, run);
      const status = await run.run();
      if (status.state !== 'interrupted') rmSync(folder, { recursive: true, force: true });
    } catch (error) {
      const { code, message } = error as { code?: string; message: string };
      // What is no medium does not become one by reading it again.
      if (code === 'medium-unreadable') rmSync(folder, { recursive: true, force: true });
      // Where no reader can be started, nothing is wrong with the medium: it is asked for again.
      const outcome = code === 'media-failed' || code === 'import-interrupted' ? 'interrupted' : 'failed';
      await channel.request<ImportStatus>('import', { do: 'end', id: asked.id, outcome, problem: message.slice(0, 1_000), notes: [], directories: [] }).catch(() => {});
    } finally {
      runs.delete(asked.id);
      rmSync(scratch, { recursive: true, force: true });
      if (descriptor !== null) closeSync(descriptor);
      wake?.();
    }
  }

  const loop = (async () => {
    while (!stopping) {
      const asked = await channel.request<Asked | null>('import', { do: 'next' });
      if (asked === null || runs.has(asked.id)) {
        if (asked !== null) await new Promise<void>((resolve) => setTimeout(resolve, 100));
        continue;
      }
      void take(asked);
      if (runs.size >= runsMax) await new Promise<void>((resolve) => { wake = resolve; });
      wake = null;
    }
  })();
  loop.catch(failed);
  void channel.closed.then(() => failed(new Error('the keeper closed the connection')));
  return {
    ready: { program: join('processes', 'importer') },
    async stop() {
      stopping = true;
      for (const run of runs.values()) run.interrupt();
      channel.close();
      await Promise.resolve();
    },
  };
});

/** What web wrote about an upload (pacs/reception/media/contract.ts). Throws where there is none. */
function headOf(folder: string): UploadHead {
  const descriptor = openSync(join(folder, 'listing'), constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const bytes = Buffer.alloc(headBytesMax);
    return JSON.parse(bytes.toString('utf8', 0, readSync(descriptor, bytes)).split('\n', 1)[0]!) as UploadHead;
  } finally {
    closeSync(descriptor);
  }
}
