/** Memory of everything that `npm start` starts, when it has had nothing to do for a minute. */
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { memoryOfTree } from '../../system/memory.ts';
import { repository } from '../../test/system.ts';
import type { Row } from './report.ts';
import { memoryByProcess } from './usage.ts';

const restMs = 60_000;
const readyTimeoutMs = 60_000;
const stopTimeoutMs = 15_000;
const megabytesMax = 500;

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(0);

export async function memoryRow(folder: string, say: (text: string) => void, notes: string[]): Promise<Row> {
  const data = join(folder, 'at-rest');
  mkdirSync(data);
  say(`memory: waiting ${restMs / 1000} s after the start`);
  // The second start of a program: the first fills Node's caches, as after each update.
  await (await start(data)).stop();
  const { pid, stop } = await start(data);
  try {
    await wait(restMs);
    const { processes, proportionalBytes, residentBytes } = memoryOfTree(pid);
    if (proportionalBytes === null) throw new Error('the kernel does not let us see what processes share');
    const parts = [...memoryByProcess(pid)].toSorted(([, one], [, other]) => other - one).map(([name, bytes]) => `${name} ${megabytes(bytes)}`);
    notes.push(`Memory at rest is the sum of the proportional set sizes (\`Pss\` of /proc/PID/smaps_rollup) of the ${processes} processes under \`npm start\`, npm and the sandboxes' own processes included: a page that several share, as the program of Node, counts once in all. MB: ${parts.join(', ')}. The sum of their resident set sizes, which counts such a page anew in each, is ${megabytes(residentBytes)} MB. \`./lazaret doctor\` says both of a system that runs.`);
    return { work: `memory of all processes at rest, ${restMs / 1000} s after \`npm start\``, figures: { Lazaret: proportionalBytes / 1e6 }, unit: 'MB', ratio: null, target: megabytesMax, atMost: true, targetText: `at most ${megabytesMax} MB`, cpuMs: {}, where: {}, idle: null };
  } finally {
    await stop();
  }
}

/** Through npm, as a person would. Its own output is not needed, and its end is that of its whole group. */
async function start(data: string): Promise<{ readonly pid: number; stop(): Promise<void> }> {
  const child = spawn('npm', ['start', '--', '--data', data, '--dimse-port', '0', '--dimse-tls-port', '0', '--https-port', '0'], { cwd: repository, stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    // npm ends before those that it started do; these hold its output open.
    await Promise.race([new Promise((resolve) => child.stdout.once('close', resolve)), wait(stopTimeoutMs, null, { ref: false })]);
  };
  await new Promise<void>((resolve, reject) => {
    let output = '';
    const timer = setTimeout(() => reject(new Error(`npm start was not ready within ${readyTimeoutMs / 1000} s:\n${output}`)), readyTimeoutMs);
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString('utf8');
      if (!output.includes('Lazaret is ready')) return;
      clearTimeout(timer);
      resolve();
    });
    void exited.then(() => reject(new Error(`npm start ended before it was ready:\n${output}`)));
  });
  return { pid: child.pid!, stop };
}
