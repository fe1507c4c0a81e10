/**
 * The importer: reads what the desk page uploaded, each upload through a media process of its own.
 *
 * SECURITY: it starts programs, so it holds nothing else: no network, no object, no byte of a medium. What media processes say is untrusted and checked
 * (pacs/reception/media/protocol.ts). It opens an upload only to hand its descriptor on.
 */
import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { processes } from '../../processes.ts';
import { connectChannel } from '@lazaret/system/channel.ts';
import { runProcess } from '@lazaret/system/process.ts';
import { confine } from '@lazaret/system/sandbox.ts';
import type { Asked, ImportStatus } from '@lazaret/pacs/reception/media/contract.ts';
import { ImportRun, scratchIn } from '@lazaret/pacs/reception/media/run.ts';

/** A second disc starts while the first is read; more would only share the two cores. */
const runsMax = 4;

await runProcess(async (settings) => {
  const { layout } = settings;
  const channel = await connectChannel(layout.sockets.importer);
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
    const scratch = scratchIn(layout.arriving);
    try {
      const only = imageIn(folder);
      if (only !== null) descriptor = openSync(only, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
      const run = new ImportRun({
        start: confine(processes.media, { ...settings, layout: { ...layout, arriving: scratch } }, descriptor === null ? { reads: [folder] } : {}),
        medium: descriptor === null ? { folder } : { descriptor, length: fstatSync(descriptor).size },
        label: asked.label, person: asked.person, address: asked.address, upload: asked.upload, arriving: layout.arriving, scratch,
        ask: (name, body) => channel.request(name, body), log: (line) => process.stderr.write(line),
      });
      runs.set(asked.id, run);
      const status = await run.run();
      if (status.state === 'inspecting' || status.state === 'settled') rmSync(folder, { recursive: true, force: true });
    } catch (error) {
      const problem = (error as Error).message;
      await channel.request<ImportStatus>('import', { do: 'end', id: asked.id, outcome: 'failed', problem: problem.slice(0, 1_000), notes: [], directories: [] }).catch(() => {});
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

/** The one file of an upload that is an image or a ZIP: alone in its folder, and named so. Everything else is a folder of files. */
function imageIn(folder: string): string | null {
  const names = readdirSync(folder);
  const path = join(folder, names[0] ?? '');
  return names.length === 1 && /\.(iso|img|udf|ima|bin|zip)$/i.test(names[0]!) && lstatSync(path).isFile() ? path : null;
}
