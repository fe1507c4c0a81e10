/** Each recipe, inspected as a file, gets the verdict that its row of the threat catalogue asks for. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, test } from 'node:test';
import { hostileRecipes, recipes } from '../../tools/recipes/all.ts';
import type { Recipe } from '../../tools/recipes/recipe.ts';
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

test('something held is told by the exit code', () => {
  assert.equal(code, 3);
});

test('nothing hostile is clean without being disarmed, and every threat has a recipe', () => {
  const rows = new Set(recipes.map((recipe) => recipe.threat));
  const wanted = ['A1', 'A2', 'A3', 'A4', 'A5', 'A6', 'A7', 'A11', 'A10', 'A12', ...Array.from({ length: 13 }, (_, index) => `B${index + 1}`), 'C1', 'C2', 'C3', 'C4', 'C5', 'C6', 'eicar'].filter((row) => row !== 'B5');
  assert.deepEqual(wanted.filter((row) => !rows.has(row)), [], 'B5 is about HTTP and stands in test/conformance');
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
