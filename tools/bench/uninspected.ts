/** A copy of the program whose examiner inspects nothing, to measure what inspection costs. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from '../../test/system.ts';
import { lazaret, type Peer } from './peers.ts';

/** Starts it. `folder` must have room for all of the program. */
export async function uninspected(folder: string): Promise<Peer> {
  const copy = join(folder, 'uninspected');
  mkdirSync(copy);
  for (const name of readdirSync(repository)) {
    // The links between workspaces are relative, so they stay within the copy.
    if (name !== '.git') execFileSync('cp', ['-a', '--reflink=auto', join(repository, name), copy]);
  }
  const main = join(copy, 'processes/examiner/main.ts');
  rmSync(main);
  // In its place, since a sandbox does not show the tools.
  copyFileSync(join(import.meta.dirname, 'uninspectedexaminer.ts'), main);
  return { ...(await lazaret(copy)), name: 'Lazaret without inspection' };
}
