/** A fixed part of the variants, judged: none may come out clean with its payload. And what shows that the judging can tell. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { bases } from './bases.ts';
import { fileOf, filler } from './draft.ts';
import { Judge, archivedOf, outcomeOf } from './judging.ts';
import { payloads } from './payloads.ts';
import { places } from './places.ts';
import { runVariants } from './run.ts';
import { controlOf, variantOf, type Variant } from './variant.ts';
import { wrappings } from './wrappings.ts';

const judge = new Judge();
after(() => judge.close());
const countInTest = 1000;
/** Attacks of these seeds that are known to come out clean: the list may only get shorter. `LAZARET_UPDATE=1` takes away what is held now. */
const knownPath = join(import.meta.dirname, 'missed.txt');
const known = readFileSync(knownPath, 'utf8').split('\n').filter((line) => /^\d/.test(line));

test('the clean object of every Transfer Syntax is clean: what is held is held for what was put in', () => {
  assert.equal(judge.engineState, 'ready');
  const held = bases.map((base) => [base.name, judge.judge(fileOf({ base, name: `base ${base.name}` }))] as const).filter(([, judged]) => judged.verdict !== 'clean' || judged.disarmed !== null);
  assert.deepEqual(held.map(([name, judged]) => `${name}: ${judged.findings.map(({ code, text }) => `${code} ${text}`).join('; ')}`), []);
});

test('a seed is the same bytes each time', () => {
  for (let seed = 1; seed <= 60; seed += 1) assert.ok(variantOf(seed).bytes.equals(variantOf(seed).bytes), `seed ${seed}`);
});

test('every place, payload, wrapping and Transfer Syntax occurs', () => {
  const seen = { places: new Set<string>(), payloads: new Set<string>(), wrappings: new Set<string>(), bases: new Set<string>() };
  for (let seed = 1; seed <= 3000; seed += 1) {
    const { place, payload, wrapping, base } = variantOf(seed);
    seen.places.add(place.name);
    seen.payloads.add(payload.name);
    seen.wrappings.add(wrapping.name);
    seen.bases.add(base.name);
  }
  assert.deepEqual(places.filter(({ name }) => !seen.places.has(name)).map(({ name }) => name), []);
  assert.equal(seen.payloads.size, payloads.length);
  assert.equal(seen.wrappings.size, wrappings.length);
  assert.equal(seen.bases.size, bases.length);
});

test('no attack comes out clean, but for those that are known to', () => {
  const run = runVariants({ seed: 1, count: countInTest, judge });
  assert.ok(run.aims.attack.total > countInTest / 2, `${run.aims.attack.total} attacks`);
  const missed = run.misses.map(({ seed, place, payload, wrapping, syntax }) => `${seed} ${payload}, ${wrapping}, ${place}, ${syntax}`);
  if (process.env['LAZARET_UPDATE'] === '1') writeFileSync(knownPath, `${readFileSync(knownPath, 'utf8').split('\n').filter((line) => !/^\d/.test(line) || missed.includes(line)).join('\n').trimEnd()}\n`);
  assert.deepEqual(missed.filter((line) => !known.includes(line)), []);
});

/** The first variant of a place, plain. */
const variantIn = (place: string): Variant => variantOf(1, { place, payload: 'pe', wrapping: 'plain', syntax: 'explicit' });

test('canary: a harmless value that is declared an attack is reported as missed', () => {
  const variant = variantIn('private value');
  const bytes = controlOf(variant);
  assert.equal(outcomeOf(variant, judge.judge(variant.bytes)), 'held');
  assert.equal(outcomeOf({ ...variant, bytes }, judge.judge(bytes)), 'missed');
});

test('canary: what is disarmed only counts when it is gone from the archived bytes', () => {
  const variant = variantIn('after the Data Set');
  const placed = filler(() => 0.3, 400);
  const bytes = fileOf(variant.place.put(variant.base, placed, () => 0.3, 'canary'));
  const judged = judge.judge(bytes);
  assert.deepEqual([judged.verdict, judged.disarmed?.what], ['clean', ['trailing']]);
  assert.equal(outcomeOf({ ...variant, placed, bytes }, judged), 'disarmed');
  // The same object, with a claim that something of the Data Set was cut off.
  const kept = archivedOf(bytes, judged.disarmed).subarray(-200);
  assert.equal(outcomeOf({ ...variant, placed: kept, bytes }, judged), 'missed');
});
