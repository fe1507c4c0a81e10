/** Other people's programs that judge ours. A test that needs one that is not installed is skipped by name, or fails where skipping is forbidden. */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { TestContext } from 'node:test';
import { repository } from './system.ts';

const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];

/** Where a program is, or null. */
export function programPath(name: string): string | null {
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path)) ?? null;
}

/** For node:test's `skip`: the reason when a program is missing. Throws where LAZARET_SKIP is `forbidden` (.ci/run). */
export function unlessInstalled(...programs: readonly string[]): string | false {
  const missing = programs.filter((name) => programPath(name) === null);
  if (missing.length === 0) return false;
  const reason = `not installed: ${missing.join(', ')}`;
  if (process.env['LAZARET_SKIP'] === 'forbidden') throw new Error(`${reason}, and skipping is forbidden`);
  return reason;
}

/**
 * Where a program is, for a test that needs just one: where it is missing the test is skipped under a name that the log shows and null comes back
 * (return at once), or, where LAZARET_SKIP is `forbidden`, the test fails.
 */
export function peer(t: TestContext, name: string): string | null {
  const path = programPath(name);
  if (path !== null) return path;
  const text = `SKIPPED PEER ${name}`;
  if (process.env['LAZARET_SKIP'] === 'forbidden') throw new Error(`${text}: it is not installed, and skipping is forbidden`);
  t.skip(text);
  process.stdout.write(`${text}\n`);
  return null;
}

/** pydicom's own test files, as Debian and pip install them. */
export function pydicomFiles(): string | null {
  return ['/usr/lib/python3/dist-packages/pydicom/data/test_files'].find((path) => existsSync(path)) ?? null;
}

/** A folder of public DICOM files, never part of the repository: LAZARET_CORPUS, else `shared/corpus` beside it. */
export function corpusFolder(): string | null {
  const path = process.env['LAZARET_CORPUS'] ?? join(repository, '..', 'shared', 'corpus');
  return existsSync(path) ? path : null;
}
