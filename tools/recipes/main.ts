/**
 * Writes test objects to a folder: `node tools/recipes/main.ts DIR [--benign | --hostile] [--ct N] [--series N] [--sr N] [--list]`
 *
 * Hostile ones are inert, but scanners of the machine may take an interest in them: that is what they are for.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { benignRecipes, hostileRecipes, recipes } from './all.ts';
import { writeReports, writeSeries } from './series.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { benign: { type: 'boolean' }, hostile: { type: 'boolean' }, ct: { type: 'string' }, series: { type: 'string' }, sr: { type: 'string' }, list: { type: 'boolean' } },
});
const chosen = values.benign === true ? benignRecipes : values.hostile === true ? hostileRecipes : values.ct === undefined && values.sr === undefined ? recipes : [];
if (values.list === true) {
  for (const recipe of chosen) process.stdout.write(`${recipe.threat.padEnd(7)} ${recipe.name.padEnd(28)} ${recipe.expected.verdicts.join('|').padEnd(12)} ${recipe.why}\n`);
} else {
  const folder = positionals[0];
  if (folder === undefined) {
    process.stderr.write('Usage: node tools/recipes/main.ts DIR [--benign | --hostile] [--ct N] [--series N] [--sr N] [--list]\n');
    process.exit(2);
  }
  mkdirSync(folder, { recursive: true });
  for (const recipe of chosen) writeFileSync(join(folder, `${recipe.name}.dcm`), recipe.bytes());
  let written = chosen.length;
  if (values.ct !== undefined) written += writeSeries(join(folder, 'ct'), { slices: Number(values.ct), series: Number(values.series ?? 1) }).length;
  if (values.sr !== undefined) written += writeReports(join(folder, 'sr'), { count: Number(values.sr), name: 'reports' }).length;
  process.stdout.write(`${written} objects in ${folder}\n`);
}
