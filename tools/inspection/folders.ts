/** Every file of some folders, inspected: how many are held, disarmed, and why. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Judge } from '../variants/judging.ts';

export interface FolderCounts {
  readonly folder: string;
  files: number;
  bytes: number;
  held: number;
  disarmed: number;
  readonly verdicts: Map<string, number>;
  /** Of held ones: in how many a code occurs. */
  readonly codes: Map<string, number>;
  ms: number;
}

/** What is larger is read into memory by nobody but the server, which reads in windows. */
const fileBytesMax = 512 * 1024 * 1024;

export function countFolder(folder: string, judge: Judge): FolderCounts {
  const counts: FolderCounts = { folder, files: 0, bytes: 0, held: 0, disarmed: 0, verdicts: new Map(), codes: new Map(), ms: 0 };
  const paths = statSync(folder).isFile() ? [folder] : readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name)).toSorted();
  for (const path of paths) {
    if (statSync(path).size > fileBytesMax || statSync(path).size === 0) continue;
    const bytes = readFileSync(path);
    const start = performance.now();
    const { verdict, findings, disarmed } = judge.judge(bytes);
    counts.ms += performance.now() - start;
    counts.files += 1;
    counts.bytes += bytes.length;
    counts.verdicts.set(verdict, (counts.verdicts.get(verdict) ?? 0) + 1);
    if (verdict === 'clean') counts.disarmed += disarmed === null ? 0 : 1;
    else {
      counts.held += 1;
      for (const code of new Set(findings.map((finding) => finding.code))) counts.codes.set(code, (counts.codes.get(code) ?? 0) + 1);
    }
  }
  return counts;
}
