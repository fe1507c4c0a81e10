/** How fast verified reads and metadata are, without a network: `node pacs/retrieval/dicomweb/retrieve.bench.ts` or `benchRetrieval` from elsewhere. */
import { randomFillSync } from 'node:crypto';
import { archiveSample } from '../../archive/sample.ts';
import { callRoute, makeService, type SampleService } from './sample.ts';

export interface RetrievalBench {
  readonly instances: number;
  /** A whole study, MB/s by the clock, and CPU seconds a GB (all threads). */
  readonly wholeMBPerSecond: number;
  readonly wholeCpuSecondsPerGB: number;
  /** Metadata of a series of 200 slices: best of the rounds. */
  readonly metadataMs: number;
  readonly metadataBytes: number;
  readonly metadataGzipMs: number;
  /** Frames of single-frame slices, one request each. */
  readonly framesPerSecond: number;
}

const sliceBytes = 525 * 1024;
const octets = 'multipart/related; type=application/octet-stream; transfer-syntax=*';

export async function benchRetrieval(instances = 200): Promise<RetrievalBench> {
  const service = makeService();
  try {
    fill(service, instances);
    const url = '/dicomweb/studies/1';
    const whole = await best(3, () => drain(service, url));
    const plain = await best(5, () => drain(service, '/dicomweb/studies/1/series/1.1/metadata'));
    const packed = await best(5, () => drain(service, '/dicomweb/studies/1/series/1.1/metadata', { 'accept-encoding': 'gzip' }));
    const frames = await best(2, async () => {
      let bytes = 0;
      for (let number = 1; number <= instances; number += 1) bytes += await drain(service, `${url}/series/1.1/instances/1.1.${number}/frames/1`, { accept: octets });
      return bytes;
    });
    return {
      instances, wholeMBPerSecond: Math.round(whole.bytes / 1e3 / whole.ms), wholeCpuSecondsPerGB: round(whole.cpuMs / 1e3 / (whole.bytes / 1e9)),
      metadataMs: round(plain.ms), metadataBytes: plain.bytes, metadataGzipMs: round(packed.ms), framesPerSecond: Math.round(instances / frames.ms * 1000),
    };
  } finally {
    service.close();
  }
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

/** CT slices with metadata of about 6 KB. */
function fill({ archive, database }: SampleService, instances: number): void {
  const more = Object.fromEntries(Array.from({ length: 90 }, (_, index) => [`0019${(0x1000 + index).toString(16).toUpperCase()}`, { vr: 'LO', Value: [`private value ${index}`] }]));
  const bytes = Buffer.alloc(sliceBytes);
  for (let number = 1; number <= instances; number += 1) {
    randomFillSync(bytes, 0, 4096);
    archiveSample(archive, database, bytes, {
      study: '1', series: '1.1', instance: `1.1.${number}`, attributes: { ...more, '00200013': String(number), '7FE00010': { vr: 'OW', BulkDataURI: `1000,${512 * 512 * 2}` } },
      report: { frames: { kind: 'native', offset: 1000, frameLength: 512 * 512 * 2, count: 1, bitsPerPixel: 16 } },
    });
  }
}

/** Reads an answer to its end without keeping it. */
async function drain({ routes }: SampleService, url: string, headers: Readonly<Record<string, string>> = {}): Promise<number> {
  const { body } = await callRoute(routes, 'GET', url, headers);
  if (typeof body === 'string' || body instanceof Uint8Array) return body.length;
  let bytes = 0;
  if (body !== null && body !== undefined) for await (const chunk of body) bytes += (chunk as Uint8Array).length;
  return bytes;
}

async function best(rounds: number, work: () => Promise<number>): Promise<{ ms: number; cpuMs: number; bytes: number }> {
  let fastest = { ms: Number.POSITIVE_INFINITY, cpuMs: 0, bytes: 0 };
  for (let turn = 0; turn < rounds; turn += 1) {
    const start = performance.now();
    const cpuStart = process.cpuUsage();
    const bytes = await work();
    const ms = performance.now() - start;
    const cpu = process.cpuUsage(cpuStart);
    if (ms < fastest.ms) fastest = { ms, cpuMs: (cpu.user + cpu.system) / 1000, bytes };
  }
  return fastest;
}

if (import.meta.main) process.stdout.write(`${JSON.stringify(await benchRetrieval(Number(process.argv[2] ?? 200)), null, 2)}\n`);
