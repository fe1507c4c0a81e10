/** The real processes of Lazaret without a supervisor, each started again as soon as it is gone, so that a test can kill any of them at any moment. */
import { spawn, type ChildProcess } from 'node:child_process';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Layout } from '../../system/layout.ts';
import type { Settings } from '../../system/process.ts';

export const names = ['keeper', 'inspector', 'association'] as const;
export type Name = (typeof names)[number];

const root = join(import.meta.dirname, '..', '..');
/** A process that ended by itself twice within this time will not come up at all. */
const brokenMs = 300;
const lastWordsMax = 40;

export class Machines {
  readonly port: number;
  readonly #settings: Settings;
  readonly #children = new Map<Name, ChildProcess>();
  readonly #ready = new Map<Name, Promise<void>>();
  readonly #lastWords: string[] = [];
  /** Exits that no kill of ours explains: exit code and name. */
  readonly surprises: string[] = [];
  #stopping = false;
  kills = 0;

  private constructor(layout: Layout, port: number) {
    this.port = port;
    // Without a sandbox: what is killed must be the process itself, not the one that watches over it.
    this.#settings = {
      layout, host: '127.0.0.1', dimsePort: port, dimseTlsPort: 0, httpsPort: 0, aeTitle: 'LAZARET', sandbox: 'off', clamd: null, examiners: 2, decode: 'never', privateSOPClasses: [],
    };
  }

  static async start(layout: Layout): Promise<Machines> {
    const machines = new Machines(layout, await freePort());
    for (const name of names) machines.#start(name);
    await machines.allReady();
    return machines;
  }

  /** SIGKILL: no handler runs, nothing is flushed by the process itself. */
  kill(name: Name): void {
    const child = this.#children.get(name);
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    this.kills += 1;
    child.kill('SIGKILL');
  }

  async allReady(): Promise<void> {
    for (const name of names) await this.#ready.get(name);
  }

  lastWords(): string {
    return this.#lastWords.join('\n');
  }

  /** Ends them in the order of the supervisor. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const name of ['association', 'inspector', 'keeper'] as const) {
      const child = this.#children.get(name)!;
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await ended;
      if (child.exitCode !== 0) this.surprises.push(`${name} ended with ${child.exitCode ?? child.signalCode} when it was told to stop`);
    }
  }

  #start(name: Name): void {
    const began = Date.now();
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', join(root, 'processes', name, 'main.ts')], {
      cwd: root, env: { PATH: process.env['PATH'], LAZARET_SETTINGS: JSON.stringify(this.#settings) }, stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#children.set(name, child);
    createInterface({ input: child.stderr }).on('line', (line) => {
      this.#lastWords.push(`[${name}] ${line}`);
      if (this.#lastWords.length > lastWordsMax) this.#lastWords.shift();
    });
    child.stdin.on('error', () => {});
    this.#ready.set(name, new Promise((resolve) => {
      createInterface({ input: child.stdout }).once('line', () => resolve());
      child.once('exit', () => {
        // The promise of its successor is what counts then.
        resolve(this.#stopping ? undefined : new Promise<void>((again) => setImmediate(again)).then(() => this.#ready.get(name)));
      });
    }));
    child.once('exit', (code, signal) => {
      if (this.#stopping) return;
      // An inspector without a keeper has nothing to do and ends; it is started again with the keeper.
      if (signal !== 'SIGKILL' && name !== 'inspector') this.surprises.push(`${name} ended with ${code ?? signal}`);
      if (signal !== 'SIGKILL' && Date.now() - began < brokenMs) throw new Error(`${name} does not come up:\n${this.lastWords()}`);
      this.#start(name);
    });
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
