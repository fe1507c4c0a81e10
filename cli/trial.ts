/** A rule pack tried in the sandbox (processes/trial): started, bounded in time and memory, and what it says checked. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { processes } from '../processes.ts';
import type { NamedPack } from '@lazaret/pacs/inspection/rulepack/loading.ts';
import type { Trial } from '@lazaret/pacs/inspection/rulepack/trial.ts';
import { residentBytes } from '@lazaret/system/memory.ts';
import type { Settings } from '@lazaret/system/process.ts';
import { confine, programRoot } from '@lazaret/system/sandbox.ts';
import type { TrialRequest } from '../processes/trial/main.ts';
import type { Found } from './files.ts';

/** Compiling and testing takes some seconds; a file of some MB a tenth of one on a slow machine. */
const timeoutMs = (files: number, bytes: number): number => 90_000 + files * 500 + bytes / 5_000;
const memoryWatchMs = 200;
/** What is told of one file and of one pack. */
const toldMax = 20;
const lineMax = 64 * 1024;

export interface Tried extends Trial {
  readonly files: number;
  readonly bytes: number;
  /** Clean files in which something was found. */
  readonly matches: readonly { readonly file: string; readonly found: readonly string[] }[];
  readonly sandbox: string;
}

/** Tests a pack and looks for its rules in `clean`. Never rejects for what the pack does: that is a problem of the pack. */
export async function tryInSandbox(named: NamedPack | null, clean: readonly Found[], visible: readonly string[], settings: Settings, progress: (files: number) => void = () => {}): Promise<Tried> {
  const reads = [...(named === null ? [] : [named.pack, named.signers ?? '']), ...visible].filter((path) => path !== '' && existsSync(path));
  const confined = confine(processes.examiner, settings, { withoutData: true, reads: [...new Set(reads)], program: join(programRoot, 'processes', 'trial', 'main.ts') });
  const child = spawn(confined.command, [...confined.args], { env: { ...confined.env }, stdio: ['pipe', 'pipe', 'pipe'] });
  const bytes = clean.reduce((sum, file) => sum + file.bytes, 0);
  const problems: string[] = [];
  const end = (why: string): void => {
    problems.push(why);
    child.kill('SIGKILL');
  };
  const timer = setTimeout(() => end('the trial took too long'), timeoutMs(clean.length, bytes));
  const memory = setInterval(() => {
    if (child.pid !== undefined && residentBytes(child.pid) > processes.examiner.memoryMiBMax * 1024 * 1024) end('the trial took too much memory');
  }, memoryWatchMs);
  const exited = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(`could not be started: ${error.message}`));
    child.once('exit', (code, signal) => resolve(code === 0 ? '' : `ended with ${signal ?? `exit code ${code}`}`));
  });
  let complained = '';
  child.stderr.on('data', (chunk: Buffer) => { complained = `${complained}${chunk.toString('latin1')}`.slice(-500); });
  child.stdin.on('error', () => {});
  child.stdin.end(JSON.stringify({ named, files: clean.map(({ path, bytes: size }) => ({ path, bytes: size })) } satisfies TrialRequest));
  let trial: Trial | null = null;
  let done = false;
  const matches: Tried['matches'][number][] = [];
  let seen = 0;
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      const said = parse(line);
      if (said === null) {
        end('the trial answered with something that is no answer');
        break;
      }
      if (isTrial(said['trial'])) trial = said['trial'];
      done ||= said['done'] === true;
      const file = clean[seen];
      if (Array.isArray(said['found']) && file !== undefined) {
        progress((seen += 1));
        if (said['found'].length > 0) matches.push({ file: file.name, found: said['found'].slice(0, toldMax).map((text) => printable(String(text))) });
      }
    }
  } finally {
    clearTimeout(timer);
    clearInterval(memory);
  }
  const how = await exited;
  if (problems.length === 0 && (trial === null || !done || (trial.problems.length === 0 && seen !== clean.length))) {
    problems.push(`the trial ${how === '' ? 'ended early' : how}${complained === '' ? '' : `: ${printable(complained.split('\n').find((line) => /Error|Failure/.test(line)) ?? complained)}`}`);
  }
  const tried = trial ?? { samples: 0, rules: [], megabytesPerSecond: 0, problems: [] };
  return { ...tried, problems: [...tried.problems.map(printable), ...problems], files: seen, bytes, matches, sandbox: confined.text };
}

function parse(line: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = line.length > lineMax * 16 ? null : JSON.parse(line);
    return typeof value === 'object' ? (value as Readonly<Record<string, unknown>> | null) : null;
  } catch {
    return null;
  }
}

function isTrial(untrusted: unknown): untrusted is Trial {
  if (typeof untrusted !== 'object' || untrusted === null) return false;
  const { samples, rules, megabytesPerSecond, problems } = untrusted as Partial<Record<keyof Trial, unknown>>;
  return Number.isSafeInteger(samples) && typeof megabytesPerSecond === 'number' && Array.isArray(problems) && problems.every((each) => typeof each === 'string')
    && Array.isArray(rules) && rules.every((each: unknown) => typeof each === 'object' && each !== null && ['name', 'code', 'text'].every((key) => typeof (each as Record<string, unknown>)[key] === 'string'));
}

/** It quotes packs and files: what would steer a terminal is shown as ?. */
export function printable(text: string): string {
  return text.slice(0, 400).replaceAll(/[\p{Cc}\p{Cf}]/gu, '?');
}
