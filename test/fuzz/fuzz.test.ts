/** A short run of the fuzzer, and bugs put in that it must find. The long runs are `main.ts`. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { mapObject } from '@lazaret/dicom/filemap/map.ts';
import { bases } from '../../tools/variants/bases.ts';
import { fileOf } from '../../tools/variants/draft.ts';
import { Checks, type Mapper } from './checks.ts';
import { dcmdumpListings, differenceFromDcmdump } from './dcmdump.ts';
import { differenceOf, listingOf } from './listing.ts';
import { minimised } from './minimise.ts';
import { inputOf } from './mutators.ts';
import { Pydicom, pydicomVersion } from './pydicom.ts';
import { seedObjects } from './seeds.ts';
import { isTolerated, tolerances } from './tolerances.ts';
import { fuzz } from './watchdog.ts';
import { peer } from '../peers.ts';

const seeds = seedObjects(false);
const checks = new Checks();
after(() => checks.close());
const inputs = 1000;

test('a number is the same input each time', () => {
  for (let number = 1; number <= 200; number += 1) assert.ok(inputOf(seeds, number).equals(inputOf(seeds, number)), String(number));
});

test('nothing of what must hold is broken', () => {
  const verdicts = new Map<string, number>();
  for (let number = 1; number <= inputs; number += 1) {
    const { broken, verdict } = checks.check(inputOf(seeds, number), number);
    assert.equal(broken, null, `input ${number}`);
    verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1);
  }
  assert.ok((verdicts.get('clean') ?? 0) > inputs / 50, 'too few are clean: other readers would have nothing to compare');
});

/** The first input up to a number that a reader with a bug in it fails on. */
function firstBroken(mapper: Mapper): number {
  const watched = new Checks(mapper);
  try {
    for (let number = 1; number <= inputs; number += 1) if (watched.check(inputOf(seeds, number), number).broken !== null) return number;
    return 0;
  } finally {
    watched.close();
  }
}

const short: Mapper = (source, tools, limits) => {
  const mapped = mapObject(source, tools, limits);
  if (!mapped.problems.some(({ code }) => code === 'length-exceeds-container')) return mapped;
  const lengths = mapped.spans.lengths.slice();
  lengths[lengths.length - 1]! -= 1;
  return { ...mapped, spans: { ...mapped.spans, lengths } };
};

test('canary: a map that leaves the last byte of an object with a fault out is found, and made small', () => {
  const number = firstBroken(short);
  assert.notEqual(number, 0);
  const watched = new Checks(short);
  const input = inputOf(seeds, number);
  const small = minimised(input, (bytes) => watched.check(bytes, 1).broken !== null);
  assert.notEqual(watched.check(small, 1).broken, null);
  assert.ok(small.length < input.length, `${small.length} of ${input.length} bytes`);
  watched.close();
});

test('canary: a map that throws is found', () => {
  assert.notEqual(firstBroken((source, tools, limits) => {
    const mapped = mapObject(source, tools, limits);
    if (mapped.problems.some(({ code }) => code === 'delimiter-stray')) throw new Error('canary');
    return mapped;
  }), 0);
});

/** What pydicom reads otherwise than `mapper` among the clean objects of every Transfer Syntax. */
async function differences(mapper: Mapper): Promise<string[]> {
  const pydicom = new Pydicom();
  try {
    const found: string[] = [];
    for (const base of bases) {
      const bytes = fileOf({ base, name: base.name, elements: [['0008,1140', 'SQ', [[['0008,1150', 'UI', '1.2'], ['0008,1155', 'UI', '1.3']], [['0008,1150', 'UI', '1.4']]]]] });
      const difference = differenceOf(listingOf(bytes, mapper), await pydicom.list(bytes));
      if (difference !== null && !isTolerated(difference)) found.push(`${base.name}: ${difference}`);
    }
    return found;
  } finally {
    pydicom.close();
  }
}

const withPydicom = pydicomVersion() === null ? 'pydicom is not installed' : false;

test('pydicom reads the clean objects of every Transfer Syntax as we do', { skip: withPydicom }, async () => {
  assert.deepEqual(await differences(mapObject), []);
});

test('canary: a value that is read one byte too far is a difference', { skip: withPydicom }, async () => {
  const found = await differences((source, tools, limits) => {
    const mapped = mapObject(source, tools, limits);
    const valueLengths = mapped.elements.valueLengths.map((length, row) => (mapped.elements.tags[row] === 0x00100020 ? length - 1 : length));
    return { ...mapped, elements: { ...mapped.elements, valueLengths } };
  });
  assert.equal(found.length, bases.length);
});

test('clean ones of the mutated are read by pydicom and dcmdump as we read them', { skip: withPydicom }, async (t) => {
  const dcmdump = peer(t, 'dcmdump');
  if (dcmdump === null) return;
  const pydicom = new Pydicom();
  const objects: { number: number; bytes: Buffer }[] = [];
  for (let number = 1; objects.length < 40; number += 1) {
    const { archived } = checks.check(inputOf(seeds, number), 1);
    if (archived !== null) objects.push({ number, bytes: archived });
  }
  const found: string[] = [];
  const third = dcmdumpListings(dcmdump, objects.map(({ bytes }) => bytes));
  for (const [index, { number, bytes }] of objects.entries()) {
    const ours = listingOf(bytes);
    for (const difference of [differenceOf(ours, await pydicom.list(bytes)), differenceFromDcmdump(ours, third[index] ?? null)]) {
      if (difference !== null && !isTolerated(difference)) found.push(`${number}: ${difference}`);
    }
  }
  pydicom.close();
  assert.deepEqual(found, []);
});

test('what is tolerated says why', () => {
  for (const { why } of tolerances) assert.ok(why.length > 40, why);
  assert.equal(isTolerated('00100010 PN 4 1 | 00100010 PN 6 2'), false);
});

/** A worker that does something bad at its third input. */
function badWorker(folder: string, what: string): string {
  const path = join(folder, 'worker.mjs');
  writeFileSync(path, `
    const [from, count, options] = [Number(process.argv[2]), Number(process.argv[3]), JSON.parse(process.argv[4])];
    const say = (said) => process.stdout.write(JSON.stringify(said) + '\\n');
    const kept = [];
    for (let number = from; number < from + count; number += 1) {
      if ((number - from) % options.step === 0) say({ kind: 'at', at: number });
      await new Promise((resolve) => setTimeout(resolve, 5));
      if (number === 3) { ${what} }
    }
    say({ kind: 'done', verdicts: { clean: count }, compared: 0, tolerated: 0, cpuMs: 0 });
  `);
  return path;
}

for (const [kind, what] of [['hang', 'for (;;) {}'], ['ended', 'process.abort();'], ['memory', 'for (;;) { kept.push(Buffer.alloc(8 << 20, 1)); await new Promise((resolve) => setTimeout(resolve, 10)); }']] as const) {
  test(`canary: a worker that does this is ended and the input named: ${kind}`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'lazaret-fuzz-canary-'));
    try {
      const run = await fuzz({ seed: 1, count: 6, worker: badWorker(folder, what), silenceMs: kind === 'hang' ? 3000 : 60_000, memoryBytesMax: 300 * 1024 * 1024 });
      assert.deepEqual(run.found.map((found) => [found.number, found.kind]), [[3, kind]]);
      assert.equal(run.count, 6);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
}
