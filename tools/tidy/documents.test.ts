/** Documents print tables of the code; what they print must be what runs. `LAZARET_WRITE=1` writes them anew. */
import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { processes } from '../../processes.ts';
import { commands } from '@lazaret/cli/commands.ts';
import { verdictTable } from '@lazaret/pacs/inspection/verdict.ts';
import { benignRecipes, hostileRecipes } from '../recipes/all.ts';
import { filesOf, read, root } from './sources.ts';

function processTable(): string {
  const rows = Object.values(processes).map((row) => {
    const files = [row.reads.length > 0 ? `reads ${row.reads.map((name) => `\`${name}\``).join(', ')}` : '', row.writes.length > 0 ? `writes ${row.writes.map((name) => `\`${name}\``).join(', ')}` : ''].filter(Boolean).join('; ');
    return `| ${row.name} | ${row.hears} | ${files || 'none'} | ${row.network} | ${row.exec} | ${row.security} |`;
  });
  return ['| process | hears | files | network | starts programs | why |', '|---|---|---|---|---|---|', ...rows].join('\n');
}

function findingsTable(): string {
  const rows = [...verdictTable].map(([code, row]) => `| \`${code}\` | ${row.verdict} | ${row.title} | ${row.meaning} | ${row.advice} |`);
  return ['| code | verdict | what | what it means | what to do |', '|---|---|---|---|---|', ...rows].join('\n');
}

function recipesTable(): string {
  const threats = Map.groupBy(hostileRecipes, (recipe) => recipe.threat);
  const rows = [...threats].map(([threat, recipes]) => `| ${threat} | ${recipes.length} | ${[...new Set(recipes.flatMap((recipe) => recipe.expected.verdicts))].toSorted().join(', ')} | ${recipes.map((recipe) => recipe.name).join(', ')} |`);
  return [`${hostileRecipes.length} hostile recipes and ${benignRecipes.length} that conform:`, '', '| threat | recipes | verdict | names |', '|---|---:|---|---|', ...rows].join('\n');
}

/** What stands between two markers of a document is made from the table that the code uses. */
const generated: readonly (readonly [path: string, marker: string, make: () => string])[] = [
  ['ARCHITECTURE.md', 'processes', processTable],
  ['docs/inspection.md', 'findings', findingsTable],
  ['docs/inspection.md', 'recipes', recipesTable],
];

for (const [path, marker, make] of generated) {
  test(`${path}: ${marker} is what the code says`, () => {
    const text = read(path);
    const pattern = new RegExp(`(<!-- ${marker}:start -->\\n)[\\s\\S]*?(<!-- ${marker}:end -->)`);
    assert.match(text, pattern);
    const wanted = text.replace(pattern, (_, start: string, end: string) => `${start}${make()}\n${end}`);
    if (process.env['LAZARET_WRITE'] === '1') writeFileSync(join(root, path), wanted);
    else assert.equal(text, wanted, 'run this test once with LAZARET_WRITE=1');
  });
}

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
