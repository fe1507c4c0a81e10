/** The laws of ARCHITECTURE.md and the habits of the code, as tests. Each one is first shown something that it must refuse. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { test } from 'node:test';
import { isPermitted, mayImport, partOf } from './imports.ts';
import { filesOf, importsOf, isSource, isTest, read, root, type Import } from './sources.ts';

const files = filesOf();
const sources = files.filter(isSource);
const texts = new Map(sources.map((path) => [path, read(path)]));
const imports: readonly Import[] = sources.flatMap((path) => importsOf(path, texts.get(path)!));

test('law 1: imports follow the table', () => {
  assert.equal(isPermitted('pacs/reception/stow/receive.ts', 'pacs/archive/reading.ts'), false, 'the canary: reception must not see the archive');
  assert.equal(isPermitted('hospital/assets/match.ts', 'pacs/access/decide.ts'), false, 'the canary: hospital must not see the PACS');
  const wrong = imports.filter((one) => one.to !== null && !isTest(one.from) && !isPermitted(one.from, one.to));
  assert.deepEqual(wrong.map((one) => `${one.from} imports ${one.to}`), []);
});

test('law 1: every part has a row', () => {
  const parts = new Set(sources.filter((path) => path.includes('/')).map(partOf));
  assert.deepEqual([...parts].filter((part) => !(part in mayImport)), []);
});

test('law 1: what is imported exists', () => {
  const missing = imports.filter((one) => one.to !== null && !existsSync(join(root, one.to)));
  assert.deepEqual(missing.map((one) => `${one.from} imports ${one.to}`), []);
});

test('law 1: no cycles between files', () => {
  const graph = new Map<string, string[]>();
  for (const one of imports) if (one.to !== null && !one.typeOnly) graph.set(one.from, [...(graph.get(one.from) ?? []), one.to]);
  assert.deepEqual(cycles(new Map([['a', ['b']], ['b', ['a']]])), ['a > b > a'], 'the canary');
  assert.deepEqual(cycles(graph), []);
});

function cycles(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (node: string, path: readonly string[]): void => {
    if (path.includes(node)) {
      found.push([...path.slice(path.indexOf(node)), node].join(' > '));
      return;
    }
    if (done.has(node)) return;
    for (const next of graph.get(node) ?? []) visit(next, [...path, node]);
    done.add(node);
  };
  for (const node of graph.keys()) visit(node, []);
  return found;
}

test('dicom/ is pure: no platform, no dependency, no clock, no randomness', () => {
  const impure = /\b(Buffer|process|setTimeout|setInterval|fetch|require)\s*[.(]|\bDate\.now|\bnew Date\(\)|\bMath\.random|\bperformance\./;
  assert.match('const now = Date.now()', impure, 'the canary');
  const inside = sources.filter((path) => path.startsWith('dicom/') && !isTest(path) && !/\/(fuzz|bench)[^/]*\.ts$/.test(path));
  for (const path of inside) {
    const foreign = importsOf(path, texts.get(path)!).filter((one) => one.to === null);
    assert.deepEqual(foreign.map((one) => one.specifier), [], path);
    const code = withoutComments(texts.get(path)!);
    assert.doesNotMatch(code, impure, path);
  }
});

function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/(^|\s)\/\/.*$/gm, '$1');
}

test('only main files, the CLI and system/ touch the environment', () => {
  const touching = /\bprocess\.(env|argv|exit)\b/;
  const allowed = (path: string): boolean => /(^|\/)main\.ts$/.test(path) || /^(system|cli|tools|test)\//.test(path) || path.endsWith('.mjs') || path.endsWith('.config.ts') || isTest(path) || /\/(fuzz|bench)[^/]*\.ts$|\.(fuzz|bench)\.ts$/.test(path);
  const wrong = sources.filter((path) => !allowed(path) && touching.test(withoutComments(texts.get(path)!)));
  assert.deepEqual(wrong, []);
});

test('files can be read in one sitting', () => {
  const long = sources.filter((path) => !/generated/.test(path) && texts.get(path)!.split('\n').length > 600);
  assert.deepEqual(long, []);
});

test('names: nothing is called util, helper, common, manager or service', () => {
  const wrong = files.filter((path) => /(^|[/.-])(utils?|helpers?|common|managers?|misc)([/.-]|$)/i.test(path));
  assert.deepEqual(wrong, []);
});

test('names: UID keeps its capitals', () => {
  const pattern = /\b[a-z]\w*(Instance|Class|Syntax)Uids?\b/;
  assert.match('sopInstanceUid', pattern, 'the canary');
  const wrong = sources.filter((path) => !path.startsWith('tools/tidy/') && pattern.test(texts.get(path)!));
  assert.deepEqual(wrong, []);
});

test('every dependency has its reason in DEPENDENCIES.md', () => {
  const reasons = read('DEPENDENCIES.md');
  const manifests = files.filter((path) => /(^|\/)package\.json$/.test(path));
  const names = manifests.flatMap((path) => {
    const manifest = JSON.parse(read(path)) as Record<string, Record<string, string> | undefined>;
    return ['dependencies', 'devDependencies', 'optionalDependencies'].flatMap((kind) => Object.keys(manifest[kind] ?? {}));
  });
  assert.deepEqual(names.filter((name) => !reasons.includes(`\`${name}\``)), []);
});

test('versions are pinned exactly', () => {
  for (const path of files.filter((one) => /(^|\/)package\.json$/.test(one))) {
    const manifest = JSON.parse(read(path)) as Record<string, Record<string, string> | undefined>;
    for (const kind of ['dependencies', 'devDependencies', 'optionalDependencies']) {
      for (const [name, version] of Object.entries(manifest[kind] ?? {})) assert.match(version, /^\d+\.\d+\.\d+$/, `${path}: ${name}`);
    }
  }
});

test('nothing harmful is stored: no EICAR string, no executable', () => {
  const eicar = ['X5O!P%@AP[4', 'PZX54(P^)7CC)7}$'].join('\\');
  const wrong = files.filter((path) => {
    const bytes = read(path);
    return bytes.includes(eicar) || bytes.startsWith('MZ') || bytes.startsWith('\u007fELF');
  });
  assert.deepEqual(wrong, []);
});

test('no source is dead: each is imported, run or a test', () => {
  const entry = /(^|\/)(main\.ts|package\.mjs|setup\.mjs|vite\.config\.ts)$|\.test\.tsx?$|(^|\/)(fuzz|bench)[^/]*\.ts$|\.(fuzz|bench)\.ts$|^cli\/|^console\/app\/main\.tsx$|\.d\.ts$/;
  const used = new Set(imports.map((one) => one.to));
  // A program that a test starts by its path is named by it.
  const named = (path: string): boolean => [...texts].some(([other, text]) => other !== path && dirname(other) === dirname(path) && text.includes(`'${basename(path)}'`));
  const dead = sources.filter((path) => !entry.test(path) && !used.has(path) && !named(path));
  assert.deepEqual(dead, []);
});
