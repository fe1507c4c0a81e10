/** `./lazaret backup DIR --prune KEEP`, or by day, week and month: older backups go, what stays can be restored as before. */
import { createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { styleText } from 'node:util';
import { publicKeyPath } from '@lazaret/audit/files.ts';
import type { SafekeepingRequest } from '@lazaret/pacs/archive/safekeeping/contract.ts';
import { Pace } from '@lazaret/pacs/archive/safekeeping/digesting.ts';
import { BackupFolder } from '@lazaret/pacs/archive/safekeeping/folder.ts';
import { fingerprintOf } from '@lazaret/pacs/archive/safekeeping/manifest.ts';
import { Pruning, type Plan, type Policy, type Pruned } from '@lazaret/pacs/archive/safekeeping/prune.ts';
import { layoutOf } from '@lazaret/system/layout.ts';
import { withAnyKeeper } from './alone.ts';
import type { Terminal } from './command.ts';
import { count, giveWay, Progress, size } from './progress.ts';

export interface PruneWords {
  readonly prune?: string;
  readonly daily?: string;
  readonly weekly?: string;
  readonly monthly?: string;
}

/** The policy that the words ask for; null: they ask for none; a sentence where they are wrong. */
export function policyOf(words: PruneWords): Policy | string | null {
  const given = [words.prune, words.daily, words.weekly, words.monthly];
  if (given.every((word) => word === undefined)) return null;
  if (given.some((word) => word !== undefined && !/^\d{1,4}$/.test(word))) return '--prune, --daily, --weekly and --monthly take how many to keep.';
  const [newest, daily, weekly, monthly] = given.map((word) => Number(word ?? 0)) as [number, number, number, number];
  if (newest + daily + weekly + monthly === 0) return 'A policy keeps something.';
  return { newest, daily, weekly, monthly };
}

export async function prune(terminal: Terminal, path: string, passphrase: string | null, policy: Policy, options: { readonly dryRun: boolean; readonly json: boolean; readonly person: string; readonly bytesPerSecond: number }): Promise<number> {
  const layout = layoutOf(terminal.data);
  const progress = new Progress(terminal, options.json);
  giveWay();
  return withAnyKeeper(terminal.data, async (channel) => {
    const ask = <Answer>(request: SafekeepingRequest): Promise<Answer> => channel.request<Answer>('safekeeping', request);
    const folder = await BackupFolder.forWriting(path, fingerprintOf(createPublicKey(readFileSync(publicKeyPath(layout.audit)))), passphrase);
    const pruning = new Pruning(folder, new Pace(() => options.bytesPerSecond));
    try {
      const { manifest } = await ask<{ manifest: string }>({ do: 'drilled' });
      progress.show(() => 'Reading the lists of the backups that stay…');
      const plan = await pruning.plan(policy, new Set(manifest === '' ? [] : [manifest]));
      if (!options.dryRun) await ask({ do: 'pruning', removed: plan.removed.map(({ name }) => name), person: options.person, folder: path });
      const pruned = await pruning.carryOut(plan, !options.dryRun, (done) => progress.show(() => `Removed: ${count(done.blobs, 'file')}, ${size(done.bytes)}`));
      progress.end();
      if (options.json) terminal.stdout.write(`${JSON.stringify({ kept: plan.kept.map(({ manifest: { name, sha256 }, why }) => ({ name, sha256, why })), removed: plan.removed.map(({ name, sha256 }) => ({ name, sha256 })), broken: plan.broken, ...pruned, dryRun: options.dryRun })}\n`);
      else print(terminal, plan, pruned, options.dryRun);
      return plan.broken.length > 0 ? 1 : 0;
    } finally {
      progress.end();
      pruning.close();
      await folder.release();
    }
  });
}

const stem = (name: string): string => name.replace(/\.manifest$/, '');

function print({ stdout }: Terminal, plan: Plan, pruned: Pruned, dryRun: boolean): void {
  stdout.write([
    ...plan.kept.map(({ manifest: { name }, why }) => `${styleText('green', 'stays')}  ${stem(name)}  ${why.join(', ')}`),
    ...plan.removed.map(({ name }) => `${styleText('yellow', dryRun ? 'would go' : 'gone')}  ${stem(name)}`), '',
    `${dryRun ? 'Would free' : 'Freed'} ${size(pruned.bytes)} in ${count(pruned.blobs, 'file')}.${dryRun ? ' Nothing was changed.' : ''}`, '',
  ].join('\n'));
  if (plan.broken.length > 0) stdout.write(styleText('red', `Not all files of ${plan.broken.map(stem).join(', ')} are there. An older backup that is whole was kept beside it; make a new one, and find out what became of the folder.\n`));
}
