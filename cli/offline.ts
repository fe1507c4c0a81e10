/** Work of the keeper where no server runs: it is started for the one request, confined as always, and ended again. */
import { existsSync, mkdirSync } from 'node:fs';
import { refused, Failure } from '@lazaret/system/failure.ts';
import type { Channel } from '@lazaret/system/channel.ts';
import type { Settings } from '@lazaret/system/process.ts';
import { processes } from '../processes.ts';
import { startChild } from '../processes/supervisor/child.ts';
import { lockDataDirectory } from '../processes/supervisor/lock.ts';
import { withKeeper } from './keeper.ts';

/** One that is up answers at once. */
const answerMs = 700;

/** The answer, and whether a server was running. Throws `data-missing` where nothing was ever kept, and the Failure of the work. */
export async function withKeeperAnyway<Answer>(settings: Settings, work: (channel: Channel) => Promise<Answer>): Promise<{ readonly answer: Answer; readonly running: boolean }> {
  const { layout } = settings;
  try {
    return { answer: await withKeeper(layout.data, work, answerMs), running: true };
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'channel-unavailable') throw error;
  }
  if (!existsSync(layout.database)) throw refused('data-missing', `Nothing is kept in ${layout.data} yet. Start Lazaret once (npm start -- --data ${layout.data}), or name another folder with --data.`);
  mkdirSync(layout.run, { recursive: true, mode: 0o700 });
  const unlock = await lockDataDirectory(layout.run);
  try {
    const keeper = await startChild(processes.keeper, settings);
    try {
      return { answer: await withKeeper(layout.data, work), running: false };
    } finally {
      await keeper.stop();
    }
  } finally {
    unlock();
  }
}
