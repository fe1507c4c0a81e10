/** The sources of this repository and what they import, for the tests that hold the laws. */
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

const skipped = new Set(['node_modules', 'dist', '.git', '.cache']);

/** Every file of the work tree, as a path from the root. */
export function filesOf(folder = root): string[] {
  const files: string[] = [];
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (skipped.has(entry.name)) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) files.push(...filesOf(path));
    else if (entry.isFile()) files.push(relative(root, path));
  }
  return files.toSorted();
}

export interface Import {
  readonly from: string;
  /** As written. */
  readonly specifier: string;
  /** Path from the root for our own files; null for packages and node:*. */
  readonly to: string | null;
  readonly typeOnly: boolean;
}

const importPattern = /(?:^|\n)\s*(?:import|export)\s+(type\s+)?(?:[^'";]*?\s+from\s+)?['"]([^'"\n]+)['"]|import\(\s*['"]([^'"\n]+)['"]\s*\)/g;

/** Imports of one source text. `from` is its path from the root. */
export function importsOf(from: string, text: string): Import[] {
  return [...text.matchAll(importPattern)].map((match) => {
    const specifier = (match[2] ?? match[3])!;
    return { from, specifier, to: target(from, specifier), typeOnly: match[1] !== undefined };
  });
}

function target(from: string, specifier: string): string | null {
  if (specifier.startsWith('.')) return normalize(join(dirname(from), specifier));
  if (specifier.startsWith('@lazaret/')) return specifier.slice('@lazaret/'.length);
  return null;
}

export function read(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

export function isSource(path: string): boolean {
  return /\.(ts|tsx|mjs)$/.test(path);
}

export function isTest(path: string): boolean {
  return /\.test\.tsx?$/.test(path) || path.startsWith('test/');
}
