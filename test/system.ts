/**
 * Starts the whole of Lazaret as a person would, for black box tests: the supervisor on a data directory of its own and free ports.
 * Everything goes through the doors and the CLI; nothing of the product is imported but the layout of the data directory.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Role } from '../pacs/access/actions.ts';
import { layoutOf, type Layout } from '../system/layout.ts';

export const repository = join(import.meta.dirname, '..');

export interface SystemOptions {
  /** An existing data directory, which is then kept; otherwise a new one, removed at the end. */
  readonly data?: string;
  /** Further arguments for the supervisor. */
  readonly arguments?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Another copy of the program. */
  readonly program?: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface AskOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
  /** A bearer token; without one, that of a token with the roles viewer and sender; null sends none. */
  readonly token?: string | null;
}

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface System {
  readonly data: string;
  readonly layout: Layout;
  readonly dimse: { readonly host: string; readonly port: number };
  /** Origin, such as https://127.0.0.1:8443. */
  readonly https: string;
  /** The supervisor's process id; its children are in /proc. */
  readonly pid: number;
  /** What it has written to the terminal so far. */
  output(): string;
  /** Makes a token by the CLI (once for each name and role). */
  token(role: Role): Promise<string>;
  /** An HTTPS request that trusts the certificate of this system only. */
  ask(path: string, options?: AskOptions): Promise<Answer>;
  /** `./lazaret --data DIR …`. Does not throw on an exit code. */
  lazaret(...args: string[]): Promise<Ended>;
  /** Ends it by a signal and waits; answers the supervisor's exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** A start with empty caches on two busy cores takes about three seconds; certificates are made in it. */
const readyTimeoutMs = 60_000;
/** DESIGN §7: it ends cleanly within 10 s. */
const stopTimeoutMs = 15_000;

/** Starts a system; it ends with the test. */
export async function startSystem(t: Pick<TestContext, 'after'> | null, options: SystemOptions = {}): Promise<System> {
  const data = options.data ?? (await mkdtemp(join(tmpdir(), 'lazaret-test-')));
  const program = options.program ?? repository;
  const child = spawn(
    process.execPath,
    [join(program, 'processes/supervisor/main.ts'), '--data', data, '--dimse-port', '0', '--dimse-tls-port', '0', '--https-port', '0', ...(options.arguments ?? [])],
    { cwd: program, env: { ...process.env, ...options.environment }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let output = '';
  const collect = (chunk: Buffer): void => {
    output += chunk.toString('utf8');
  };
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  const exited = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));

  const stop = async (signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs);
    const code = await exited;
    clearTimeout(timer);
    return code;
  };
  t?.after(async () => {
    await stop();
    if (options.data === undefined) await rm(data, { recursive: true, force: true });
  });

  await untilReady(child, () => output);
  const layout = layoutOf(data);
  const https = /https:\/\/(?:\[[^\]]+\]|[^\s/:]+):\d+/.exec(output)?.[0];
  const dimse = /DIMSE\b[^\n]*?((?:\d{1,3}\.){3}\d{1,3}|\[[0-9a-fA-F:]+\]|localhost):(\d+)/i.exec(output);
  if (https === undefined || dimse === null) {
    await stop();
    throw new Error(`Lazaret said that it is ready but not where:\n${output}`);
  }
  const ca = await certificates(layout.tls);
  const tokens = new Map<Role, Promise<string>>();
  const lazaret = (...args: string[]): Promise<Ended> => run(process.execPath, [join(program, 'cli/main.ts'), '--data', data, ...args]);
  const token = (role: Role): Promise<string> => {
    const known = tokens.get(role);
    if (known !== undefined) return known;
    const made = makeToken(lazaret, role);
    tokens.set(role, made);
    return made;
  };
  return {
    data, layout, https, stop, lazaret, token,
    dimse: { host: dimse[1]!.replace(/^\[|\]$/g, ''), port: Number(dimse[2]) },
    pid: child.pid!,
    output: () => output,
    ask: async (path, ask = {}) => {
      const writes = (ask.method ?? 'GET') === 'POST' || ask.method === 'PUT';
      const bearer = ask.token === undefined ? await token(writes ? 'sender' : 'viewer') : ask.token;
      return askHttps(new URL(path, https), ca, ask, bearer);
    },
  };
}

function untilReady(child: ChildProcess, output: () => string): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`Lazaret was not ready within ${readyTimeoutMs / 1000} s:\n${output()}`));
    }, readyTimeoutMs);
    const look = (): void => {
      if (!output().includes('Lazaret is ready')) return;
      clearTimeout(timer);
      // The addresses stand on the lines below; the whole notice is one write.
      setTimeout(resolve, 100);
    };
    child.stdout!.on('data', look);
    child.once('exit', (code) => {
      clearTimeout(timer);
      reject(new Error(`Lazaret ended with ${code} before it was ready:\n${output()}`));
    });
  });
}

async function makeToken(lazaret: System['lazaret'], role: Role): Promise<string> {
  const ended = await lazaret('token', 'add', `test-${role}-${randomUUID()}`, '--role', role, '--json');
  if (ended.code !== 0) throw new Error(`lazaret token add ended with ${ended.code}: ${ended.stdout}${ended.stderr}`);
  const answer = JSON.parse(ended.stdout) as { token?: string };
  if (typeof answer.token !== 'string') throw new Error(`lazaret token add --json answered without a token: ${ended.stdout}`);
  return answer.token;
}

/** Every certificate that the web process keeps; its own is among them. */
async function certificates(folder: string): Promise<string[]> {
  const found: string[] = [];
  for (const name of await readdir(folder)) {
    const text = await readFile(join(folder, name), 'utf8');
    if (text.includes('BEGIN CERTIFICATE')) found.push(text);
  }
  return found;
}

function askHttps(url: URL, ca: string[], ask: AskOptions, token: string | null): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers: Record<string, string> = { ...ask.headers };
    if (token !== null) headers['authorization'] = `Bearer ${token}`;
    if (ask.body !== undefined) headers['content-length'] = String(typeof ask.body === 'string' ? Buffer.byteLength(ask.body) : ask.body.length);
    const request = httpsRequest(url, { method: ask.method ?? 'GET', headers, ca }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => resolve({
        status: response.statusCode!,
        headers: Object.fromEntries(Object.entries(response.headers).map(([name, value]) => [name, String(value)])),
        body: Buffer.concat(chunks),
      }));
    });
    request.on('error', reject);
    request.end(ask.body);
  });
}

/** Runs a program to its end and keeps what it wrote. */
export function run(program: string, args: readonly string[], options: { readonly cwd?: string; readonly environment?: Readonly<Record<string, string>>; readonly timeoutMs?: number } = {}): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: options.cwd ?? repository,
      env: { ...process.env, ...options.environment },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: options.timeoutMs ?? 120_000,
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => { stdout += chunk.toString('utf8'); });
    child.stderr.on('data', (chunk: Buffer) => { stderr += chunk.toString('utf8'); });
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code: code ?? (signal === null ? -1 : 128), stdout, stderr }));
  });
}
