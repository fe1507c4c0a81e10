/** Commands that need a keeper whether Lazaret runs or not: the running one, or one of their own for as long as they take. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { DatabaseSync } from 'node:sqlite';
import { startKeeper } from '@lazaret/processes/keeper/keeper.ts';
import { lockDataDirectory } from '@lazaret/processes/supervisor/lock.ts';
import { connectChannel, type Channel } from '@lazaret/system/channel.ts';
import { makeFolder } from '@lazaret/system/durable.ts';
import { Failure, refused } from '@lazaret/system/failure.ts';
import { layoutOf, type Layout } from '@lazaret/system/layout.ts';

/** A keeper that runs answers at once. */
const runningMs = 500;
/** A supervisor is there: its keeper may be on its way up. */
const startingMs = 15_000;

/**
 * Connects to the keeper of a data directory. Where none runs, takes the lock of the supervisor and runs one in this process (no door, no inspector), which
 * recovers as at any start. Throws `data-missing` where there is no system, and what a start would throw.
 */
export async function withAnyKeeper<Answer>(data: string, work: (channel: Channel, running: boolean) => Promise<Answer>): Promise<Answer> {
  const layout = layoutOf(data);
  if (!existsSync(layout.database)) throw refused('data-missing', `There is no system in ${data}. Is --data right?`);
  const running = await connectChannel(layout.sockets.terminal, runningMs).catch(() => null);
  if (running !== null) return finish(running, (channel) => work(channel, true));
  await makeFolder(layout.run);
  let unlock: () => void;
  try {
    unlock = await lockDataDirectory(layout.run);
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'data-in-use') throw error;
    return finish(await connectChannel(layout.sockets.terminal, startingMs), (channel) => work(channel, true));
  }
  try {
    const keeper = await startKeeper(layout, (error) => {
      process.stderr.write(`the keeper ended: ${(error as Error)?.stack ?? String(error)}\n`);
      process.exit(1);
    });
    try {
      return await finish(await connectChannel(layout.sockets.terminal), (channel) => work(channel, false));
    } finally {
      await keeper.stop();
    }
  } finally {
    unlock();
  }
}

async function finish<Answer>(channel: Channel, work: (channel: Channel) => Promise<Answer>): Promise<Answer> {
  try {
    return await work(channel);
  } finally {
    channel.close();
  }
}

/** The database, for reading beside whoever writes. */
export function openForReading(layout: Layout): DatabaseSync {
  if (!existsSync(layout.database)) throw refused('data-missing', `There is no system in ${layout.data}. Is --data right?`);
  return new DatabaseSync(layout.database, { readOnly: true, timeout: 5_000 });
}

/** Who is at the terminal, for the record. */
export function personAt(as: string | undefined): string {
  const user = userInfo().username;
  return as === undefined || as.trim() === '' ? user : `${as.trim()} (at the terminal of ${user})`;
}

/** The first line of a file: a passphrase on the command line would be seen by every user of the machine. */
export async function passphraseIn(path: string | undefined): Promise<string | null> {
  if (path === undefined) return null;
  try {
    return (await readFile(path === '-' ? '/dev/stdin' : path, 'utf8')).split(/\r?\n/)[0]!;
  } catch (error) {
    throw refused('passphrase-missing', `The passphrase cannot be read from ${path}: ${(error as Error).message}`);
  }
}
