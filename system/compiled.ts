/**
 * Node's compile cache for our own processes: without it each of them loads the TypeScript stripper and compiles everything anew, which takes
 * half a second of CPU and 30 MB of memory. An examiner that is started for every object that is held should not.
 *
 * What is in the cache is run, so only the one who owns the checkout fills it, and sandboxed processes get it read-only. A file that has changed
 * since is compiled as if there were no cache.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const root = dirname(import.meta.dirname);
const folder = join(root, 'node_modules', '.cache', 'lazaret', 'compiled');
/** Where a sandboxed process sees it. */
export const compiledMount = '/compiled';
const fillTimeoutMs = 60_000;

/** The folder to show to a sandboxed process, and where Node looks for it there (its name ends with the user's number); null where there is none. */
export function compiledCache(name: string, uidInside: number): { readonly source: string; readonly mount: string } | null {
  for (const place of [compiledMount, folder]) {
    try {
      for (const entry of readdirSync(join(place, name))) {
        if (!entry.startsWith(`${process.version}-`)) continue;
        const source = join(place, name, entry);
        // Outside a sandbox: nobody but the owner of the program may have written it.
        const status = statSync(source);
        if (place === folder && (status.uid !== statSync(root).uid || (status.mode & 0o022) !== 0)) continue;
        return { source, mount: join(compiledMount, name, entry.replace(/-\d+$/, `-${uidInside}`)) };
      }
    } catch {
      continue;
    }
  }
  return null;
}

export interface Compiled {
  readonly name: string;
  /** The program, as it will be named. */
  readonly entry: readonly string[];
  /** Flags of Node that it will run with: V8 takes cached code only with the same ones. */
  readonly flags: readonly string[];
}

/** Fills the caches when the sources are not those they were filled from. Where they cannot be written, all works without. */
export function fillCompiled(programs: readonly Compiled[]): void {
  const stamp = join(folder, 'sources');
  const now = sourcesDigest(programs);
  try {
    if (readFileSync(stamp, 'utf8') === now) return;
  } catch {
    // Not filled yet.
  }
  try {
    rmSync(folder, { recursive: true, force: true });
    for (const { name, entry, flags } of programs) {
      const cache = join(folder, name);
      mkdirSync(cache, { recursive: true, mode: 0o755 });
      // Without settings a main ends at once, after all that it imports was compiled. It must be the entry: that one is kept under another key.
      spawnSync(process.execPath, [...flags, ...entry], { env: { NODE_COMPILE_CACHE: cache }, stdio: 'ignore', timeout: fillTimeoutMs });
    }
    writeFileSync(stamp, now);
  } catch {
    // A checkout that belongs to somebody else: slower, and right.
  }
}

function sourcesDigest(programs: readonly Compiled[]): string {
  const digest = createHash('sha256').update(process.version).update(JSON.stringify(programs));
  const folders = ['audit', 'dicom', 'hospital', 'pacs', 'processes', 'system', 'console'].map((name) => join(root, name));
  for (let next = folders.pop(); next !== undefined; next = folders.pop()) {
    for (const entry of readdirSync(next, { withFileTypes: true })) {
      const path = join(next, entry.name);
      if (entry.isDirectory() && entry.name !== 'node_modules') folders.push(path);
      else if (entry.name.endsWith('.ts') && !entry.name.endsWith('.test.ts')) {
        const status = statSync(path);
        digest.update(`${path} ${status.size} ${status.mtimeMs}\n`);
      }
    }
  }
  return digest.digest('hex');
}
