/** One process that the supervisor watches: started from its row, ready when it says so, ended in time. */
import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { ProcessRow } from '../../processes.ts';
import { unavailable } from '@lazaret/system/failure.ts';
import type { Settings } from '@lazaret/system/process.ts';
import { confine, type Confinement } from '@lazaret/system/sandbox.ts';

/** A process on a busy machine is up within a second or two; one that is not after this never will be. */
const readyTimeoutMs = 30_000;
/** Doors end first, then the inspector, then the keeper: each has this long, and the whole must be down within 10 s. */
const endTimeoutMs = 2_500;
const killTimeoutMs = 3_000;

export interface Child {
  readonly name: string;
  readonly pid: number;
  readonly ready: Readonly<Record<string, unknown>>;
  readonly confinement: Pick<Confinement, 'strength' | 'text'>;
  readonly exited: Promise<string>;
  /** The end of its stdin, SIGTERM and SIGKILL after the time-outs; resolves when it is gone. */
  stop(): Promise<void>;
}

/** Starts a process and resolves once it is ready. Rejects `process-failed` with its last words when it ends or says nothing. */
export async function startChild(row: ProcessRow, settings: Settings): Promise<Child> {
  const confinement = confine(row, settings);
  const child = spawn(confinement.command, [...confinement.args], {
    env: { ...confinement.env },
    stdio: ['pipe', 'pipe', 'pipe'],
    // Its own group: a terminal's Ctrl-C reaches the supervisor alone, which then stops all in order.
    detached: true,
  });
  const lastWords: string[] = [];
  createInterface({ input: child.stderr! }).on('line', (line) => {
    lastWords.push(line);
    if (lastWords.length > 20) lastWords.shift();
    process.stderr.write(`[${row.name}] ${line}\n`);
  });
  const exited = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(`could not be started: ${error.message}`));
    child.once('exit', (code, signal) => resolve(signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`));
  });
  const ready = await firstReadyLine(row.name, child, exited, lastWords);
  return {
    name: row.name,
    pid: child.pid!,
    ready,
    confinement,
    exited,
    async stop() {
      // bwrap does not pass SIGTERM on, it ends and takes the process with it; the end of stdin reaches the process itself.
      child.stdin?.end();
      const timers = [setTimeout(() => child.kill('SIGTERM'), endTimeoutMs), setTimeout(() => child.kill('SIGKILL'), killTimeoutMs)];
      await exited;
      for (const timer of timers) clearTimeout(timer);
    },
  };
}

function firstReadyLine(name: string, child: ChildProcess, exited: Promise<string>, lastWords: readonly string[]): Promise<Readonly<Record<string, unknown>>> {
  return new Promise((resolve, reject) => {
    const fail = (how: string): void => {
      clearTimeout(timer);
      child.kill('SIGKILL');
      reject(unavailable('process-failed', `The process '${name}' ${how}.${lastWords.length > 0 ? ` Its last words: ${lastWords.slice(-5).join(' | ')}` : ''}`));
    };
    const timer = setTimeout(() => fail(`was not ready within ${readyTimeoutMs / 1000} s`), readyTimeoutMs);
    createInterface({ input: child.stdout! }).on('line', (line) => {
      const message = readyOf(line);
      if (message === null) process.stdout.write(`[${name}] ${line}\n`);
      else {
        clearTimeout(timer);
        resolve(message);
      }
    });
    void exited.then((how) => fail(`${how} before it was ready`));
  });
}

function readyOf(line: string): Readonly<Record<string, unknown>> | null {
  if (!line.startsWith('{"ready":')) return null;
  try {
    return (JSON.parse(line) as { ready: Record<string, unknown> }).ready;
  } catch {
    return null;
  }
}
