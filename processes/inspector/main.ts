/**
 * The inspector: claims work from the keeper, has examiners read it, and tells the keeper the verdict.
 *
 * SECURITY: it never looks into an object. What it hears from examiners is untrusted and checked (pacs/inspection/report.ts); what it says to the
 * keeper decides what may enter the archive, so it holds nothing else: no file that it could write, no network but a configured clamd.
 */
import { join } from 'node:path';
import { processes } from '../../processes.ts';
import { connectChannel } from '@lazaret/system/channel.ts';
import { runProcess } from '@lazaret/system/process.ts';
import { confine } from '@lazaret/system/sandbox.ts';
import { objectPath } from '@lazaret/system/layout.ts';
import { companionsFolder } from '@lazaret/pacs/quarantine/companion.ts';
import { scanCompanion } from '@lazaret/pacs/inspection/companion.ts';
import { clamdEngine, clamdOptions } from '@lazaret/pacs/inspection/engines/clamd.ts';
import { Decoding } from '@lazaret/pacs/inspection/decoding.ts';
import { RulesInUse } from './rules.ts';
import { Inspection } from '@lazaret/pacs/inspection/inspection.ts';
import { Rendering } from '@lazaret/pacs/inspection/rendering.ts';
import { Pool } from '@lazaret/pacs/inspection/pool.ts';
import type { Claimed, Job } from '@lazaret/pacs/quarantine/requests.ts';

/** While the queue is empty the keeper holds a claim for 20 s; after a failure of the connection we ask again at this pace. */
const engineWatchMs = 60_000;
/** Jobs in hand for each examiner where clamd has a say: it is slower than they are. */
const waitingForClamdMax = 16;

await runProcess(async (settings) => {
  const row = processes.examiner;
  const rules = new RulesInUse(settings, (line) => process.stderr.write(line));
  const { examiner } = rules;
  const pool = new Pool({
    start: rules.start,
    examiners: settings.examiners,
    memoryBytesMax: row.memoryMiBMax * 1024 * 1024,
    log: (line) => process.stderr.write(line),
  });
  const confined = confine(processes.decoder, settings);
  const decoder = new Decoding({ start: () => confined, memoryBytesMax: processes.decoder.memoryMiBMax * 1024 * 1024, log: (line) => process.stderr.write(line) });
  const clamd = settings.clamd === null ? null : clamdEngine(settings.clamd, clamdOptions(settings.clamd));
  const rendering = new Rendering({ start: () => confined, memoryBytesMax: processes.decoder.memoryMiBMax * 1024 * 1024, log: (line) => process.stderr.write(line) });
  const inspection = new Inspection(pool, clamd, { decoder, policy: settings.decode });
  await pool.ready();
  const channel = await connectChannel(settings.layout.sockets.inspector);
  const path = (job: Exclude<Job, { kind: 'companion' }>): string => (job.area === 'archive' ? objectPath(settings.layout.archive, job.work.sha256) : objectPath(settings.layout.quarantine, job.work.objectId));
  const hello = async (): Promise<void> => {
    await channel.request('hello', { sandbox: { strength: examiner.strength, text: examiner.text }, engines: await inspection.engines(), epoch: await inspection.epoch(), examiners: settings.examiners, rules: rules.status, clamd: settings.clamd !== null ? 'configured' : settings.withoutClamd === true ? 'none' : 'unsaid' });
  };
  await hello();

  // Objects that examiners are done with may wait for clamd; more of them than these would only be kept from other inspectors.
  const inHandMax = clamd === null ? Number.POSITIVE_INFINITY : Math.max(settings.examiners, 1) * waitingForClamdMax;
  let inHand = 0;
  let stopping = false;
  let wake: (() => void) | null = null;
  const claims = (async () => {
    while (!stopping) {
      const room = Math.min(pool.room, inHandMax - inHand);
      if (room <= 0) {
        await new Promise<void>((resolve) => { wake = resolve; });
        wake = null;
        continue;
      }
      const jobs = await channel.request<Claimed[]>('claim', { max: room });
      inHand += jobs.length;
      for (const job of jobs) {
        void carryOut(job).finally(() => {
          inHand -= 1;
          wake?.();
        });
      }
    }
  })();

  async function carryOut(job: Claimed): Promise<void> {
    if (job.kind === 'prepare') {
      rendering.warm();
      return;
    }
    if (job.kind === 'map') {
      const map = await inspection.map(job.work, path(job), job.window, job.blank === true);
      await channel.request('mapped', { jobId: job.jobId, map });
      return;
    }
    if (job.kind === 'patch') {
      await channel.request('patched', { jobId: job.jobId, answer: await inspection.patch(job.work, path(job), job.request) });
      return;
    }
    if (job.kind === 'render') {
      const answer = await rendering.render(job.work, path(job), job.request, job.area === 'archive').catch(() => null);
      await channel.request('rendered', { jobId: job.jobId, answer });
      return;
    }
    if (job.kind === 'companion') {
      await channel.request('scanned', await scanCompanion(pool, clamd, job.work, join(companionsFolder(settings.layout.quarantine), job.work.objectId)));
      return;
    }
    await channel.request('conclude', await inspection.conclude(job.work, path(job)));
  }

  // A connection that ends takes our claims with it; the supervisor starts us again, and the keeper gives the work out anew.
  const failed = (error: unknown): void => {
    if (stopping) return;
    process.stderr.write(`${(error as Error)?.message ?? String(error)}\n`);
    process.exit(1);
  };
  claims.catch(failed);
  process.on('unhandledRejection', failed);
  void channel.closed.then(() => failed(new Error('the keeper closed the connection')));
  // Engines change: clamd gets new signatures, or goes away.
  const watch = setInterval(() => void inspection.changed().then((changed) => (changed ? hello() : undefined)).catch(failed), engineWatchMs);

  rules.watch(pool, () => void hello().catch(failed));

  return {
    ready: { sandbox: examiner.strength, text: examiner.text, examiners: settings.examiners, program: join('processes', 'inspector') },
    async stop() {
      stopping = true;
      clearInterval(watch);
      rules.close();
      wake?.();
      pool.close();
      decoder.close();
      rendering.close();
      channel.close();
      await Promise.resolve();
    },
  };
});
