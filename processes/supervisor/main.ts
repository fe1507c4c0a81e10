/**
 * Starts, watches, restarts and stops the processes of processes.ts.
 *
 * SECURITY: reads nothing that came from outside except its own command line and configuration file. It is the one process
 * that may start others.
 */
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Failure } from '@lazaret/system/failure.ts';
import type { Layout } from '@lazaret/system/layout.ts';
import type { Settings } from '@lazaret/system/process.ts';
import { prepareSandboxes } from '@lazaret/system/sandbox.ts';
import { processes, type ProcessName } from '../../processes.ts';
import { settingsOf, usage } from './arguments.ts';
import { startChild, type Child } from './child.ts';
import { lockDataDirectory } from './lock.ts';
import { welcome } from './welcome.ts';

/** The keeper first: all others ask it. */
const afterKeeper: readonly ProcessName[] = ['inspector', 'association', 'web', 'importer', 'worklist'];
/** A process that ends again and again is started ever more slowly, at most this slowly. */
const backoffMsMax = 10_000;
/** A process that ran this long before it ended is started at once. */
const settledMs = 30_000;

class Supervisor {
  #settings: Settings;
  readonly #children = new Map<ProcessName, Child>();
  readonly #restarts = new Map<ProcessName, number>();
  #stopping = false;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  /** Everything up, or a Failure that says what is not. */
  async start(): Promise<void> {
    await this.#startOne('keeper');
    const rest = await Promise.allSettled(this.#afterKeeper().map((name) => this.#startOne(name)));
    for (const outcome of rest) {
      if (outcome.status === 'rejected') {
        await this.stop();
        throw outcome.reason;
      }
    }
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    // Doors first, then who works, then who remembers: nothing is admitted that nobody could record.
    await Promise.all((['association', 'web', 'importer', 'worklist'] as const).map((name) => this.#children.get(name)?.stop()));
    await this.#children.get('inspector')?.stop();
    await this.#children.get('keeper')?.stop();
  }

  children(): ReadonlyMap<ProcessName, Child> {
    return this.#children;
  }

  /** Nothing that is not configured runs. */
  #afterKeeper(): readonly ProcessName[] {
    return afterKeeper.filter((name) => name !== 'worklist' || (this.#settings.worklist ?? null) !== null);
  }

  async #startOne(name: ProcessName): Promise<void> {
    const started = Date.now();
    const child = await startChild(processes[name], this.#settings);
    this.#children.set(name, child);
    this.#keepPorts(child);
    this.#writeState();
    void child.exited.then((how) => this.#onExit(name, child, how, Date.now() - started));
  }

  /** A port that was free at the first start stays the same when the process is started again. */
  #keepPorts(child: Child): void {
    const port = (key: string, fallback: number): number => (child.ready[key] as { port?: number } | null | undefined)?.port ?? fallback;
    this.#settings = {
      ...this.#settings,
      dimsePort: port('dimse', this.#settings.dimsePort),
      dimseTlsPort: port('dimseTls', this.#settings.dimseTlsPort),
      httpsPort: port('https', this.#settings.httpsPort),
    };
  }

  async #onExit(name: ProcessName, child: Child, how: string, livedMs: number): Promise<void> {
    if (this.#stopping || this.#children.get(name) !== child) return;
    this.#children.delete(name);
    const restarts = livedMs > settledMs ? 0 : (this.#restarts.get(name) ?? 0);
    this.#restarts.set(name, restarts + 1);
    process.stderr.write(`[supervisor] ${name} ${how}; starting it again\n`);
    if (name === 'keeper') {
      // The others hold half-finished talks with a keeper that is gone: they begin anew with the next one.
      const others = this.#afterKeeper().map((other) => [other, this.#children.get(other)] as const);
      for (const [other] of others) this.#children.delete(other);
      await Promise.all(others.map(([, other]) => other?.stop()));
      await this.#again('keeper', restarts);
      await Promise.all(this.#afterKeeper().map((other) => this.#again(other, 0)));
    } else {
      await this.#again(name, restarts);
    }
  }

  /** Tries until it is up or we are told to stop. */
  async #again(name: ProcessName, restarts: number): Promise<void> {
    for (let attempt = restarts; !this.#stopping; attempt++) {
      if (attempt > 0) await new Promise((resolve) => setTimeout(resolve, Math.min(100 * 2 ** attempt, backoffMsMax)));
      if (this.#stopping) return;
      try {
        await this.#startOne(name);
        return;
      } catch (error) {
        process.stderr.write(`[supervisor] ${(error as Error).message}\n`);
      }
    }
  }

  /** For `doctor`: what runs, since when, how confined. */
  #writeState(): void {
    const path = join(this.#settings.layout.run, 'supervisor.json');
    const state = {
      pid: process.pid,
      node: process.version,
      host: this.#settings.host,
      processes: Object.fromEntries([...this.#children].map(([name, child]) => [name, {
        pid: child.pid, since: Date.now(), restarts: this.#restarts.get(name) ?? 0, ready: { ...child.ready, firstAdministratorCode: undefined }, confinement: { strength: child.confinement.strength, text: child.confinement.text },
      }])),
    };
    writeFileSync(`${path}.new`, JSON.stringify(state, null, 2), { mode: 0o600 });
    renameSync(`${path}.new`, path);
  }
}

function makeFolders(layout: Layout): void {
  const folders = [layout.data, layout.arriving, layout.quarantine, layout.archive, dirname(layout.database), layout.audit, layout.tls, layout.uploads, layout.run, ...Object.values(layout.sockets).map((path) => dirname(path))];
  for (const folder of folders) mkdirSync(folder, { recursive: true, mode: 0o700 });
}

async function main(): Promise<void> {
  if (process.argv.includes('--help')) {
    process.stdout.write(usage);
    return;
  }
  const settings = settingsOf(process.argv.slice(2), process.env);
  makeFolders(settings.layout);
  const unlock = await lockDataDirectory(settings.layout.run);
  prepareSandboxes();
  const supervisor = new Supervisor(settings);
  let stopping = false;
  const stop = async (): Promise<void> => {
    if (stopping) return;
    stopping = true;
    process.stderr.write('[supervisor] stopping\n');
    await supervisor.stop();
    rmSync(join(settings.layout.run, 'supervisor.json'), { force: true });
    unlock();
    process.exit(0);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void stop());
  await supervisor.start();
  process.stdout.write(welcome(settings, supervisor.children()));
}

try {
  await main();
} catch (error) {
  process.stderr.write(error instanceof Failure ? `${error.message}\n` : `This is a bug in Lazaret.\n${(error as Error).stack}\n`);
  process.exit(error instanceof Failure && error.severity === 'refused' ? 2 : 1);
}
