/** The files that a person named on the command line, with folders walked. */
import { readdirSync, realpathSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { refused } from '@lazaret/system/failure.ts';

export interface Found {
  /** As named by the person, and below it. */
  readonly name: string;
  /** Real path: no symbolic link in it. */
  readonly path: string;
  readonly bytes: number;
}

/** More files than this named one by one are shown to the examiner by their folders: each is one mount. */
const mountsMax = 64;

/** A file, or the regular files of a folder and all below it, sorted. Symbolic links inside folders are not followed. Throws `path-unreadable`. */
export function foundIn(name: string): Found[] {
  const path = realOf(name);
  const status = statSync(path);
  if (status.isFile()) return [{ name, path, bytes: status.size }];
  if (!status.isDirectory()) throw refused('path-unreadable', `${name} is neither a file nor a folder`);
  const found: Found[] = [];
  const folders = [{ name, path }];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    let entries;
    try {
      entries = readdirSync(folder.path, { withFileTypes: true });
    } catch (error) {
      throw refused('path-unreadable', `${folder.name} cannot be read: ${(error as Error).message}`);
    }
    for (const entry of entries) {
      const inside = { name: join(folder.name, entry.name), path: join(folder.path, entry.name) };
      if (entry.isDirectory()) folders.push(inside);
      else if (entry.isFile()) found.push({ ...inside, bytes: statSync(inside.path).size });
    }
  }
  return found.toSorted((one, other) => (one.name < other.name ? -1 : 1));
}

/** What an examiner must see to read them. */
export function visibleTo(names: readonly string[]): string[] {
  const paths = [...new Set(names.map(realOf))];
  return paths.length <= mountsMax ? paths : [...new Set(paths.map((path) => (statSync(path).isDirectory() ? path : dirname(path))))];
}

function realOf(name: string): string {
  try {
    return realpathSync(name);
  } catch {
    throw refused('path-unreadable', `${name} is not there or cannot be read`);
  }
}
