/** The parent of a fuzz run: starts workers, kills one that hangs or grows, and then finds the one input that did it. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Said, WorkerOptions } from './worker.ts';

/** An input has some KiB: what takes longer, loops. Generous, because the machine may be busy. */
const silenceMs = 60_000;
/** A worker holds its seeds (some MiB), one object and what is unpacked of it. */
export const memoryBytesMax = 900 * 1024 * 1024;
/** Granted on top before the first word: a worker makes its seeds first. */
const startMs = 120_000;
const lookMs = 250;
/** A worker is renewed after so many, so that what it keeps does not add up. */
const stretch = 20_000;
/** A worker that ends says so within a step. */
const step = 64;

export interface Found {
  readonly number: number;
  readonly kind: 'broken' | 'difference' | 'hang' | 'memory' | 'ended';
  readonly text: string;
}

export interface FuzzRun {
  readonly count: number;
  readonly found: readonly Found[];
  readonly verdicts: Readonly<Record<string, number>>;
  readonly compared: number;
  readonly tolerated: number;
  readonly cpuMs: number;
  readonly memoryBytes: number;
}

export interface FuzzOptions {
  readonly seed: number;
  readonly count: number;
  readonly corpora?: boolean;
  readonly peerEvery?: number;
  /** Another program in the worker's place: the canaries of this file. */
  readonly worker?: string;
  readonly silenceMs?: number;
  readonly memoryBytesMax?: number;
  readonly foundMax?: number;
  say?(done: number): void;
}

/** Runs inputs `seed` to `seed + count - 1`; ends early when `foundMax` things were found. */
export async function fuzz(options: FuzzOptions): Promise<FuzzRun> {
  const total = { found: [] as Found[], verdicts: {} as Record<string, number>, compared: 0, tolerated: 0, cpuMs: 0, memoryBytes: 0 };
  const end = options.seed + options.count;
  let at = options.seed;
  while (at < end && total.found.length < (options.foundMax ?? 100)) {
    const count = Math.min(stretch, end - at);
    const part = await runWorker(at, count, step, options);
    if (!part.started) throw new Error(`a worker does not start: ${part.text}`);
    total.found.push(...part.found);
    total.memoryBytes = Math.max(total.memoryBytes, part.memoryBytes);
    if (part.done !== null) {
      for (const [verdict, number] of Object.entries(part.done.verdicts)) total.verdicts[verdict] = (total.verdicts[verdict] ?? 0) + number;
      total.compared += part.done.compared;
      total.tolerated += part.done.tolerated;
      total.cpuMs += part.done.cpuMs;
      at += count;
    } else {
      // It was somewhere in these: one by one, each in a process of its own, tells which.
      const last = Math.min(part.at + step, at + count);
      let number = part.at;
      for (; number < last; number += 1) {
        const single = await runWorker(number, 1, 1, options);
        if (single.done === null) {
          total.found.push({ number, kind: single.ended, text: single.text });
          break;
        }
      }
      if (number === last) total.found.push({ number: part.at, kind: part.ended, text: `${part.text}; not repeated by one input alone of ${part.at} to ${last - 1}` });
      at = Math.max(number + 1, part.at + 1);
    }
    options.say?.(at - options.seed);
  }
  return { count: at - options.seed, ...total };
}

interface Part {
  readonly found: readonly Found[];
  readonly done: Extract<Said, { kind: 'done' }> | null;
  readonly started: boolean;
  readonly at: number;
  readonly ended: 'hang' | 'memory' | 'ended';
  readonly text: string;
  readonly memoryBytes: number;
}

function runWorker(from: number, count: number, every: number, options: FuzzOptions): Promise<Part> {
  const workerOptions: WorkerOptions = { corpora: options.corpora ?? false, peerEvery: options.peerEvery ?? 0, step: every };
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', options.worker ?? join(import.meta.dirname, 'worker.ts'), String(from), String(count), JSON.stringify(workerOptions)], { stdio: ['ignore', 'pipe', 'pipe'] });
  const found: Found[] = [];
  let done: Part['done'] = null;
  let at = from;
  let started = false;
  let ended: Part['ended'] = 'ended';
  let memoryBytes = 0;
  let errors = '';
  let heard = performance.now();
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-2000);
  });
  createInterface({ input: child.stdout }).on('line', (line) => {
    heard = performance.now();
    const said = JSON.parse(line) as Said;
    started = true;
    if (said.kind === 'at') at = said.at;
    else if (said.kind === 'done') done = said;
    else found.push(said);
  });
  const watch = setInterval(() => {
    memoryBytes = Math.max(memoryBytes, residentBytes(child.pid));
    if (memoryBytes > (options.memoryBytesMax ?? memoryBytesMax)) ended = 'memory';
    else if (performance.now() - heard > (options.silenceMs ?? silenceMs) + (started ? 0 : startMs)) ended = 'hang';
    else return;
    child.kill('SIGKILL');
  }, lookMs);
  return new Promise((resolve) => {
    child.on('error', () => {});
    child.on('close', (code, signal) => {
      clearInterval(watch);
      const text = ended === 'hang' ? `nothing was heard for ${options.silenceMs ?? silenceMs} ms` : ended === 'memory' ? `${memoryBytes} bytes of memory` : `the worker ended with ${code ?? signal}: ${errors.trim().split('\n').slice(-4).join(' ')}`;
      resolve({ found, done, started, at, ended, text, memoryBytes });
    });
  });
}

/** Of a process of this machine; 0 where it cannot be told. */
function residentBytes(pid: number | undefined): number {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ')[1]) * 4096;
  } catch {
    return 0;
  }
}
