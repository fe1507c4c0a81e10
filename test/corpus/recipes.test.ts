/** Each recipe, inspected as a file, gets the verdict that its row of the threat catalogue asks for. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, test } from 'node:test';
import { hostileRecipes, recipes } from '../../tools/recipes/all.ts';
import type { Recipe } from '../../tools/recipes/recipe.ts';
import { repository } from '../system.ts';
import { inspect, type Inspected } from './inspecting.ts';

const folder = mkdtempSync(join(tmpdir(), 'lazaret-recipes-'));
let code = -1;
let found = new Map<string, Inspected>();

before(async () => {
  for (const recipe of recipes) writeFileSync(join(folder, `${recipe.name}.dcm`), recipe.bytes());
  const inspected = await inspect([folder]);
  code = inspected.code;
  found = new Map(inspected.objects.map((object) => [basename(object.file, '.dcm'), object]));
});
after(() => rmSync(folder, { recursive: true, force: true }));

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

function differences(recipe: Recipe, object: Inspected | undefined): string[] {
  if (object === undefined) return ['no line about it'];
  const wrong: string[] = [];
  const told = object.findings.map((finding) => `${finding.code} (${finding.engine}) at ${finding.offset}: ${finding.text}`).join('; ');
  if (!recipe.expected.verdicts.includes(object.verdict as never)) wrong.push(`verdict ${object.verdict}, expected ${recipe.expected.verdicts.join(' or ')}. ${told}`);
  if (object.verdict === 'clean' && object.disarmed.join() !== recipe.expected.disarmed.join()) wrong.push(`disarmed [${object.disarmed.join()}], expected [${recipe.expected.disarmed.join()}]`);
  if (object.verdict !== 'clean' && object.findings.length === 0) wrong.push('held without a reason');
  return wrong;
}

test('every recipe gets its verdict', () => {
  const lines = recipes.flatMap((recipe) => differences(recipe, found.get(recipe.name)).map((wrong) => `${recipe.threat.padEnd(6)} ${recipe.name}: ${wrong}\n         (${recipe.why})`));
  assert.equal(lines.length, 0, `${lines.length} of ${recipes.length} recipes are judged otherwise:\n${lines.join('\n')}`);
});

/** Rows of the catalogue that are about something else than an object: where each is tested, or why there is nothing to test. */
const withoutRecipe: Readonly<Record<string, readonly [file: string, word: RegExp]>> = {
  A13: ['test/media/import.test.ts', /infectedDisc/],
  B5: ['test/conformance/integrity.test.ts', /B5: a compressed body/],
  C8: ['docs/inspection.md', /registers no address scheme/],
};

test('something held is told by the exit code', () => {
  assert.equal(code, 3);
});

test('nothing hostile is clean without being disarmed, and every threat has a recipe', () => {
  const rows = new Set(recipes.map((recipe) => recipe.threat));
  const catalogue = ([['A', 13], ['B', 13], ['C', 9]] as const).flatMap(([letter, count]) => Array.from({ length: count }, (_, index) => `${letter}${index + 1}`));
  assert.deepEqual([...catalogue, 'eicar'].filter((row) => !rows.has(row)), Object.keys(withoutRecipe));
  for (const [row, [file, word]] of Object.entries(withoutRecipe)) assert.match(readFileSync(join(repository, file), 'utf8'), word, row);
  for (const recipe of hostileRecipes) assert.ok(!(recipe.overStow ?? recipe.expected).verdicts.includes('clean') || recipe.expected.disarmed.length > 0, recipe.name);
});

test('the digests are those of the file and of the Data Set as it was', () => {
  for (const recipe of recipes) {
    const object = found.get(recipe.name);
    if (object === undefined || object.verdict !== 'clean') continue;
    assert.equal(object.sha256, sha256(recipe.bytes()), recipe.name);
    const transfer = recipe.transfer?.();
    // Over an association the bytes after the Data Set travel with it; they are not part of it.
    if (transfer !== undefined && !recipe.expected.disarmed.some((what) => what === 'trailing' || what === 'padding')) assert.equal(object.dataSetSha256, sha256(transfer.dataSet), recipe.name);
  }
});

test('names are used once, and each recipe is the same bytes each time', () => {
  assert.equal(new Set(recipes.map((recipe) => recipe.name)).size, recipes.length);
  for (const recipe of recipes.filter((_, index) => index % 9 === 0)) assert.equal(sha256(recipe.bytes()), sha256(recipe.bytes()), recipe.name);
});
