/** Runs `lazaret inspect --json` over files and reads what it says. */
import { join } from 'node:path';
import { repository, run } from '../system.ts';

export interface Inspected {
  readonly file: string;
  readonly verdict: string;
  readonly disarmed: readonly string[];
  readonly findings: readonly { readonly code: string; readonly offset: number; readonly length: number; readonly tag: string; readonly engine: string; readonly text: string }[];
  readonly sha256: string;
  readonly dataSetSha256: string;
  readonly bytes: number;
  readonly ms: number;
}

/** Everything under the paths. Throws when the command itself fails. */
export async function inspect(paths: readonly string[], timeoutMs = 900_000): Promise<{ readonly code: number; readonly objects: readonly Inspected[] }> {
  const ended = await run(process.execPath, [join(repository, 'cli/main.ts'), 'inspect', ...paths, '--json'], { timeoutMs });
  if (ended.code !== 0 && ended.code !== 3) throw new Error(`lazaret inspect ended with ${ended.code}\n${ended.stdout.slice(-2000)}\n${ended.stderr}`);
  const objects = ended.stdout.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as Inspected);
  return { code: ended.code, objects };
}
