/** DCMTK's dcmdump as a third reader: many files in one process, tag, VR and length of each element as it prints them. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { differenceOf } from './listing.ts';

/** "  (0008,0016) UI =CTImageStorage    #  26, 1 SOPClassUID"; items and delimiters have VR "na". Texts are printed with their ends of lines. */
const elementLine = /^( *)\(([0-9a-f]{4}),([0-9a-f]{4})\) (\S\S) [\s\S]*?# *(\d+|u\/l), *\d+ \S.*$/gm;

/** Lines "depth tag length" of the elements of each object, group 2 left out; null for one that it does not read. */
export function dcmdumpListings(program: string, objects: readonly Buffer[]): (readonly string[] | null)[] {
  const folder = mkdtempSync(join(statSync('/dev/shm', { throwIfNoEntry: false })?.isDirectory() === true ? '/dev/shm' : tmpdir(), 'lazaret-dcmdump-'));
  try {
    return objects.map((bytes, index) => {
      const path = join(folder, `${index}`);
      writeFileSync(path, bytes);
      try {
        return linesOf(execFileSync(program, ['-q', path], { encoding: 'latin1', maxBuffer: 64 * 1024 * 1024, stdio: ['ignore', 'pipe', 'ignore'] }));
      } catch {
        return null;
      }
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function linesOf(text: string): string[] {
  return [...text.matchAll(elementLine)].flatMap(([, indent = '', group, element, vr, length]) => {
    if (group === 'fffe' || group === '0002') return [];
    return [`${indent.length / 4} ${group}${element} ${vr === 'SQ' || length === 'u/l' || vr === 'pi' ? '' : length}`];
  });
}

/** The first line in which our listing (listing.ts) and dcmdump's differ, as "ours | theirs"; null where there is none. */
export function differenceFromDcmdump(listing: readonly string[], theirs: readonly string[] | null): string | null {
  if (theirs === null) return `${listing[0]} | error`;
  const ours = listing.slice(1).map((line, at) => {
    const [path = '', vr, length] = line.split(' ');
    const parts = path.split('.');
    // Of what has an undefined length it prints none.
    return `${parts.length - 1} ${parts.at(-1)!.replace(/\[\d+\]$/, '')} ${vr === 'SQ' || theirs[at]?.endsWith(' ') === true ? '' : (length ?? theirs[at]?.split(' ')[2] ?? '')}`;
  });
  return differenceOf(ours, theirs);
}
