/**
 * What it costs to take an import of many objects out of sight and to bring it back: time, memory of the keeper, and how long other requests wait meanwhile.
 * `node processes/keeper/withdrawal.bench.ts [OBJECTS]`. A real keeper in a process of its own; the objects are small, as the keeper never looks into them.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { connectChannel, type Channel } from '@lazaret/system/channel.ts';
import { layoutOf } from '@lazaret/system/layout.ts';
import type { Conclusion } from '@lazaret/pacs/quarantine/contract.ts';
import type { Claimed, Job } from '@lazaret/pacs/quarantine/requests.ts';
import type { WithdrawalPreview, WithdrawalStatus } from '@lazaret/pacs/quarantine/withdrawalcontract.ts';
import type { Begun, FileFate } from '@lazaret/pacs/reception/media/contract.ts';
import { arrive, cleanConclusion, sampleBytes } from './sample.ts';

const objects = Number(process.argv[2] ?? 20_000);
const instancesOfSeries = 100;
const seriesOfStudy = 20;
const batch = 100;

const data = mkdtempSync(join(tmpdir(), 'lazaret-withdrawal-bench-'));
const layout = layoutOf(data);
const keeper = spawn(process.execPath, [join(import.meta.dirname, 'main.ts')], { env: { LAZARET_SETTINGS: JSON.stringify({ layout }) }, stdio: ['pipe', 'pipe', 'inherit'] });
await new Promise<void>((resolve) => keeper.stdout.once('data', () => resolve()));
const [importer, web, inspector, other] = await Promise.all([layout.sockets.importer, layout.sockets.web, layout.sockets.inspector, layout.sockets.association].map((path) => connectChannel(path))) as [Channel, Channel, Channel, Channel];

const statusOf = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(readFileSync(`/proc/${keeper.pid}/status`, 'utf8'))![1]) / 1024;
const say = (text: string): void => void process.stdout.write(`${text}\n`);

/** As the inspector says it of object `number` of the medium. */
function conclusionOf(work: Job & { kind: 'inspect' }, number: number): Conclusion {
  const made = cleanConclusion(work.work);
  const series = Math.floor(number / instancesOfSeries);
  const [studyInstanceUID, seriesInstanceUID] = [`2.25.1${Math.floor(series / seriesOfStudy)}`, `2.25.2${series}`];
  const metadata = { ...JSON.parse(made.instance!.metadata) as Record<string, unknown>, '00100020': { vr: 'LO', Value: [`P${Math.floor(series / seriesOfStudy)}`] }, '0020000D': { vr: 'UI', Value: [studyInstanceUID] }, '0020000E': { vr: 'UI', Value: [seriesInstanceUID] } };
  return { ...made, instance: { ...made.instance!, studyInstanceUID, seriesInstanceUID, metadata: JSON.stringify(metadata) } };
}

const quantile = (times: readonly number[], share: number): string => (times.toSorted((one, another) => one - another)[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0).toFixed(0);

/** Runs `work` while others ask and send, and tells what they waited. */
async function measured<Value>(what: string, work: () => Promise<Value>): Promise<Value> {
  const reads: number[] = [];
  const sends: number[] = [];
  const now = { over: false, memory: 0, sent: 0 };
  const asking = (async () => {
    for (; !now.over; await wait(5)) {
      const start = performance.now();
      await web.request('import', { do: 'list', limit: 1 });
      reads.push(performance.now() - start);
      now.memory = Math.max(now.memory, statusOf('VmRSS'));
    }
  })();
  const sending = (async () => {
    for (; !now.over; await wait(20)) {
      const received = await arrive(layout, sampleBytes(`${what} ${now.sent += 1}`));
      const start = performance.now();
      await other.request('admit', received);
      sends.push(performance.now() - start);
    }
  })();
  const start = performance.now();
  const value = await work();
  const ms = performance.now() - start;
  now.over = true;
  await Promise.all([asking, sending]);
  say(`${what.padEnd(12)} ${(ms / 1000).toFixed(1)} s; keeper ${now.memory.toFixed(0)} MiB; meanwhile ${reads.length} reads, p50 ${quantile(reads, 0.5)} ms, p95 ${quantile(reads, 0.95)} ms, longest ${quantile(reads, 1)} ms; ${sends.length} objects admitted, p50 ${quantile(sends, 0.5)} ms, p95 ${quantile(sends, 0.95)} ms, longest ${quantile(sends, 1)} ms`);
  return value;
}

try {
  await inspector.request('hello', { sandbox: { strength: 'none', text: '' }, engines: [], epoch: 'test 1', examiners: 2 });
  const numbers = new Map<string, number>();
  const inspecting = (async () => {
    for (;;) {
      const jobs = await inspector.request<Claimed[]>('claim', { max: 64 });
      await Promise.all(jobs.map((job) => (job.kind === 'inspect' ? inspector.request('conclude', conclusionOf(job, numbers.get(job.work.objectId) ?? 0)) : null)));
    }
  })().catch(() => {});
  const { id } = await importer.request<Begun>('import', { do: 'begin', medium: { kind: 'iso9660', label: 'BENCH', identifier: '1', bytes: 4_000_000_000 }, listing: 'a'.repeat(64), files: objects, bytes: objects, person: 'bench', address: 'here', upload: '' });
  const start = performance.now();
  for (let from = 0; from < objects; from += batch) {
    const files = await Promise.all(Array.from({ length: Math.min(batch, objects - from) }, async (_, at): Promise<FileFate> => {
      const received = await arrive(layout, sampleBytes(`object ${from + at}`));
      numbers.set(received.objectId, from + at);
      await importer.request('admit', { ...received, source: { ...received.source, door: 'media', peer: 'BENCH', batch: id } });
      return { index: from + at, path: `DICOM/${from + at}`, bytes: received.bytes, sha256: received.sha256, fate: 'admitted', objectId: received.objectId, what: '', text: '' };
    }));
    await importer.request('import', { do: 'files', id, files });
  }
  await importer.request('import', { do: 'end', id, outcome: 'read', problem: '', notes: [], directories: [] });
  while ((await web.request<{ state: string }>('import', { do: 'status', id })).state !== 'settled') await wait(200);
  say(`${objects} objects imported in ${((performance.now() - start) / 1000).toFixed(0)} s; keeper ${statusOf('VmRSS').toFixed(0)} MiB`);
  const selection = { kind: 'import', import: id, known: false };
  const preview = await measured('preview', () => web.request<WithdrawalPreview>('withdraw', { do: 'preview', selection }));
  if (preview.objects !== objects) throw new Error(`the preview names ${preview.objects} objects`);
  const until = async (withdrawal: string, state: string): Promise<WithdrawalStatus> => {
    for (;; await wait(100)) {
      const now = await web.request<WithdrawalStatus>('withdraw', { do: 'status', id: withdrawal });
      if (now.state === state) return now;
    }
  };
  const order = await measured('order', () => web.request<WithdrawalStatus>('withdraw', { do: 'withdraw', selection, person: 'bench', roles: ['security'], reason: 'measured' }));
  await measured('withdrawal', () => until(order.id, 'withdrawn'));
  await measured('restore', async () => {
    await web.request('withdraw', { do: 'restore', id: order.id, objects: [], person: 'bench', roles: ['security'], reason: 'measured' });
    const { fates } = await until(order.id, 'restored');
    if (fates.restored !== objects) throw new Error(JSON.stringify(fates));
  });
  say(`keeper at most ${statusOf('VmHWM').toFixed(0)} MiB`);
  for (const channel of [importer, web, inspector, other]) channel.close();
  await inspecting;
} finally {
  keeper.stdin.end();
  await new Promise((resolve) => keeper.once('exit', resolve));
  rmSync(data, { recursive: true, force: true });
}
