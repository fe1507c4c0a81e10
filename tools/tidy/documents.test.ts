/** ARCHITECTURE.md prints the process table; what it prints must be what runs. `LAZARET_WRITE=1` writes it anew. */
import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { processes } from '../../processes.ts';
import { commands } from '@lazaret/cli/commands.ts';
import { filesOf, read, root } from './sources.ts';

function processTable(): string {
  const rows = Object.values(processes).map((row) => {
    const files = [row.reads.length > 0 ? `reads ${row.reads.map((name) => `\`${name}\``).join(', ')}` : '', row.writes.length > 0 ? `writes ${row.writes.map((name) => `\`${name}\``).join(', ')}` : ''].filter(Boolean).join('; ');
    return `| ${row.name} | ${row.hears} | ${files || 'none'} | ${row.network} | ${row.exec} | ${row.security} |`;
  });
  return ['| process | hears | files | network | starts programs | why |', '|---|---|---|---|---|---|', ...rows].join('\n');
}

test('ARCHITECTURE.md holds the process table of processes.ts', () => {
  const text = read('ARCHITECTURE.md');
  const pattern = /(<!-- processes:start -->\n)[\s\S]*?(<!-- processes:end -->)/;
  const wanted = text.replace(pattern, (_, start: string, end: string) => `${start}${processTable()}\n${end}`);
  if (process.env['LAZARET_WRITE'] === '1') writeFileSync(join(root, 'ARCHITECTURE.md'), wanted);
  else assert.equal(text, wanted, 'run this test once with LAZARET_WRITE=1');
});

test('links between documents lead somewhere', () => {
  const documents = filesOf().filter((path) => path.endsWith('.md'));
  const broken = documents.flatMap((path) => [...read(path).matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)]
    .map((match) => join(dirname(path), match[1]!))
    .filter((target) => !existsSync(join(root, target)))
    .map((target) => `${path} → ${target}`));
  assert.deepEqual(broken, []);
});

test('each command of the table has its module', () => {
  assert.deepEqual(commands.filter((command) => !existsSync(join(root, 'cli', command.module))).map((command) => command.name), []);
});

test('documents name no machine path and no registry', () => {
  const pattern = /\/(root|work)\/[\w-]|registry\.npmjs\.org|deb\.debian\.org/;
  assert.match('see /root/x', pattern, 'the canary');
  const wrong = filesOf().filter((path) => !path.startsWith('tools/tidy/') && !path.endsWith('.png') && pattern.test(read(path)));
  assert.deepEqual(wrong, []);
});
