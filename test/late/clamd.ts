/** A real clamd that knows one signature of our own: an inert sentence, found nowhere else. */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { clamdEngine } from '../../pacs/inspection/engines/clamd.ts';
import { peer } from '../peers.ts';

export const marker = 'an inert sentence that an engine learns about late';

export interface RunningClamd {
  /** A file for `--config` that names its socket. */
  readonly configuration: string;
  readonly address: { readonly socket: string };
  /** Ends it in the middle of whatever it does. */
  kill(): void;
}

/** Starts it, with `more` lines in its configuration. Null, and the test skipped, where there is no clamd. */
export async function startClamd(t: TestContext, more: readonly string[] = []): Promise<RunningClamd | null> {
  const program = peer(t, 'clamd');
  if (program === null) return null;
  const folder = mkdtempSync(join(tmpdir(), 'lazaret-clamd-'));
  const signatures = join(folder, 'signatures');
  mkdirSync(signatures);
  writeFileSync(join(signatures, 'own.ndb'), `Lazaret.Inert.Late:0:*:${Buffer.from(marker).toString('hex')}\n`);
  const socket = join(folder, 'clamd.sock');
  const lines = ['Foreground yes', `LocalSocket ${socket}`, `DatabaseDirectory ${signatures}`, ...(process.getuid?.() === 0 ? ['User root'] : []), 'SelfCheck 3600', 'AlertExceedsMax yes', ...more];
  writeFileSync(join(folder, 'clamd.conf'), `${lines.join('\n')}\n`);
  const child = spawn(program, ['--config-file', join(folder, 'clamd.conf')], { stdio: 'ignore' });
  t.after(() => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });
  for (let tries = 0; (await clamdEngine({ socket }).version()).state !== 'ready'; tries += 1) {
    if (tries > 300) throw new Error('clamd did not start');
    await wait(100);
  }
  const configuration = join(folder, 'lazaret.json');
  writeFileSync(configuration, JSON.stringify({ clamd: { socket } }));
  return { configuration, address: { socket }, kill: () => child.kill('SIGKILL') };
}
