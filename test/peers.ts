/**
 * The programs of others that judge us (DCMTK, Orthanc, …). A test that wants one asks for it here: where it is not installed the
 * test is skipped under a name that the log shows, and where skipping is forbidden (CI) the test fails instead.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { TestContext } from 'node:test';

/** Debian puts servers in /usr/sbin, which is not on everybody's PATH. */
const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];

/** Path of a program, or null. Skips nothing. */
export function findPeer(name: string): string | null {
  for (const folder of folders) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      continue;
    }
  }
  return null;
}

/**
 * Path of the peer's program. Where it is absent: skips the test (return at once when null comes back), or throws when
 * LAZARET_SKIP=forbidden.
 */
export function peer(t: TestContext, name: string): string | null {
  return present(t, name, findPeer(name));
}

/** The Python interpreter that can import `module` (such as pydicom), by the rules of `peer`. */
export function pythonPeer(t: TestContext, module: string): string | null {
  const python = findPeer('python3');
  const found = python !== null && spawnSync(python, ['-c', `import ${module}`], { stdio: 'ignore' }).status === 0;
  return present(t, module, found ? python : null);
}

function present(t: TestContext, name: string, path: string | null): string | null {
  if (path !== null) return path;
  const text = `SKIPPED PEER ${name}`;
  if (process.env['LAZARET_SKIP'] === 'forbidden') throw new Error(`${text}: it is not installed, and skipping is forbidden`);
  t.skip(text);
  process.stdout.write(`${text}\n`);
  return null;
}
