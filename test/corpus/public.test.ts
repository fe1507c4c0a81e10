/**
 * Public files, where they are on the machine: which of them are held, and why. The whole answer is held.txt, so that a change shows in
 * a diff; `LAZARET_UPDATE=1` writes it anew.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { corpusFolder, pydicomFiles } from '../peers.ts';
import { inspect, type Inspected } from './inspecting.ts';

const golden = join(import.meta.dirname, 'held.txt');
const sources = [['pydicom', pydicomFiles()], ['corpus', corpusFolder()]] as const;

/** `source/file: verdict code code`, sorted. */
function lineOf(source: string, folder: string, object: Inspected): string {
  const codes = [...new Set(object.findings.map((finding) => finding.code))].toSorted();
  return `${source}/${relative(folder, object.file)}: ${object.verdict} ${codes.join(' ')}`.trimEnd();
}

function linesOf(source: string): string[] {
  if (!existsSync(golden)) return [];
  return readFileSync(golden, 'utf8').split('\n').filter((line) => line.startsWith(`${source}/`));
}

for (const [source, folder] of sources) {
  test(`public files of ${source}: those that are held are those of held.txt`, { skip: folder === null ? `there is no such folder here` : false }, async () => {
    const { objects } = await inspect([folder!]);
    const now = objects.filter((object) => object.verdict !== 'clean').map((object) => lineOf(source, folder!, object)).toSorted();
    if (process.env['LAZARET_UPDATE'] === '1') {
      const others = sources.filter(([name]) => name !== source).flatMap(([name]) => linesOf(name));
      writeFileSync(golden, `${[...others, ...now].toSorted().join('\n')}\n`);
    }
    assert.deepEqual(now, linesOf(source).toSorted());
    assert.ok(objects.length - now.length > objects.length / 2, 'most public files conform');
    // Nobody hid anything in these: what is wrong with them is damage.
    assert.deepEqual(now.filter((line) => line.includes(': malicious')), []);
  });
}
