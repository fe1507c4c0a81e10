/**
 * Fuzzing of the inspection: mutated objects through reader, rules and report, and what is called clean through other readers as well.
 *
 * node test/fuzz/main.ts [--count 1000000] [--seed 1] [--corpus] [--peer-every 1] [--dcmdump 500] [--out FOLDER]
 * node test/fuzz/main.ts --replay NUMBER [--corpus] [--out FOLDER]     what one input does, made as small as it still does it
 *
 * A number is an input of this revision, with or without `--corpus`. Exit 1 when something was found.
 */
import { writeFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { programPath } from '../peers.ts';
import { Checks } from './checks.ts';
import { dcmdumpListings, differenceFromDcmdump } from './dcmdump.ts';
import { differenceOf, listingOf } from './listing.ts';
import { minimised } from './minimise.ts';
import { inputOf } from './mutators.ts';
import { Pydicom, pydicomVersion } from './pydicom.ts';
import { seedObjects } from './seeds.ts';
import { isTolerated } from './tolerances.ts';
import { fuzz, type Found } from './watchdog.ts';

const { values } = parseArgs({ options: { count: { type: 'string', default: '1000000' }, seed: { type: 'string', default: '1' }, corpus: { type: 'boolean', default: false }, 'peer-every': { type: 'string', default: '1' }, dcmdump: { type: 'string', default: '500' }, replay: { type: 'string' }, out: { type: 'string' } } });
const corpora = values.corpus;

/** What one input does, in this process: not for one that hangs. */
async function replay(number: number): Promise<boolean> {
  const checks = new Checks();
  const pydicom = new Pydicom();
  try {
    const input = inputOf(seedObjects(corpora), number);
    const { broken, archived, verdict } = checks.check(input, 0);
    const difference = archived === null ? null : differenceOf(listingOf(archived), await pydicom.list(archived));
    console.log(JSON.stringify({ number, bytes: input.length, verdict, broken, difference }, null, 1));
    const small = broken === null ? input : minimised(input, (bytes) => checks.check(bytes, 0).broken !== null);
    if (broken !== null) console.log(`${small.length} bytes do the same: ${checks.check(small, 0).broken}\n${small.subarray(0, 2048).toString('hex')}`);
    if (values.out !== undefined) {
      mkdirSync(values.out, { recursive: true });
      writeFileSync(join(values.out, `${number}`), input);
      writeFileSync(join(values.out, `${number}.small`), small);
      if (archived !== null) writeFileSync(join(values.out, `${number}.archived`), archived);
    }
    return broken === null && (difference === null || isTolerated(difference));
  } finally {
    checks.close();
    pydicom.close();
  }
}

/** The first clean ones of the run, as dcmdump reads them. */
function compareWithDcmdump(program: string, wanted: number): { readonly compared: number; readonly found: Found[] } {
  const seeds = seedObjects(corpora);
  const checks = new Checks();
  const numbers: number[] = [];
  const objects: Buffer[] = [];
  for (let number = Number(values.seed); number < Number(values.seed) + Number(values.count) && objects.length < wanted; number += 1) {
    const { archived } = checks.check(inputOf(seeds, number), 1);
    if (archived === null) continue;
    numbers.push(number);
    objects.push(archived);
  }
  checks.close();
  const found: Found[] = [];
  for (const [index, theirs] of dcmdumpListings(program, objects).entries()) {
    const difference = differenceFromDcmdump(listingOf(objects[index]!), theirs);
    if (difference !== null && !isTolerated(difference)) found.push({ number: numbers[index]!, kind: 'difference', text: `dcmdump: ${difference}` });
  }
  return { compared: objects.length, found };
}

if (values.replay !== undefined) process.exitCode = (await replay(Number(values.replay))) ? 0 : 1;
else {
  const version = pydicomVersion();
  const run = await fuzz({ seed: Number(values.seed), count: Number(values.count), corpora, peerEvery: version === null ? 0 : Number(values['peer-every']), say: (done) => process.stderr.write(`\r${done}`) });
  process.stderr.write('\r');
  const dcmdump = programPath('dcmdump');
  const third = dcmdump === null ? { compared: 0, found: [] } : compareWithDcmdump(dcmdump, Number(values.dcmdump));
  for (const { number, kind, text } of [...run.found, ...third.found]) console.log(`${number} ${kind}: ${text}`);
  console.log(`${run.count} inputs: ${Object.entries(run.verdicts).map(([verdict, count]) => `${count} ${verdict || 'broken'}`).join(', ')}`);
  console.log(`${run.compared} clean ones read by pydicom ${version ?? '(missing)'}, ${run.tolerated} of them tolerated; ${third.compared} by dcmdump${dcmdump === null ? ' (missing)' : ''}`);
  console.log(`${run.found.length + third.found.length} findings; ${(run.cpuMs / 1000).toFixed(0)} s of CPU, ${(run.memoryBytes / 1e6).toFixed(0)} MB at most`);
  process.exitCode = run.found.length + third.found.length === 0 ? 0 : 1;
}
