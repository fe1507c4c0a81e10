/** The checks of a payload: what comes out is a pack as contract.ts says, and nothing in it is a name or a number that anybody could trip over. */
import { createHash } from 'node:crypto';
import { refused } from '@lazaret/system/failure.ts';
import { changesMax, fileBytesMax, filesMax, partsMax, samplesMax, textMax, type Manifest, type Payload, type RuleTest, type Sample } from './contract.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Throws `rulepack-invalid` with the first thing that is wrong. */
export function checkPayload(untrusted: unknown): Payload {
  const value = fields(untrusted, 'the pack', ['manifest', 'files', 'tests', 'clean']);
  const manifest = checkManifest(value['manifest']);
  const files = list(value['files'], filesMax, 'files').map((each) => {
    const file = fields(each, 'a file', ['name', 'text']);
    const text = file['text'];
    if (typeof text !== 'string' || text.length > fileBytesMax) throw invalid(`a file is not text of at most ${fileBytesMax} characters`);
    return { name: fileName(file['name']), text };
  });
  checkFiles(manifest, files);
  const count = { samples: 0 };
  const tests = list(value['tests'], samplesMax, 'tests').map((each) => checkTest(each, count));
  if (new Set(tests.map(({ rule }) => rule)).size !== tests.length) throw invalid('a rule has two tests');
  return { manifest, files, tests, clean: samples(value['clean'], count) };
}

/** What the manifest says of the files is what they are, in the same order, each name once. */
function checkFiles(manifest: Manifest, files: Payload['files']): void {
  if (new Set(files.map(({ name }) => name)).size !== files.length) throw invalid('two files have the same name');
  const told = files.map(({ name, text }) => ({ name, bytes: Buffer.byteLength(text), sha256: sha256Of(text) }));
  if (JSON.stringify(told) !== JSON.stringify(manifest.files)) throw invalid('the files are not those of the manifest');
}

export function sha256Of(text: string | Uint8Array): string {
  return createHash('sha256').update(text).digest('hex');
}

function checkManifest(untrusted: unknown): Manifest {
  const value = fields(untrusted, 'the manifest', ['name', 'version', 'text', 'created', 'expires', 'rulesVersionMin', 'changelog', 'clean', 'files']);
  const name = plain(value['name'], 'name', 64);
  if (!/^[a-z0-9][a-z0-9-]{0,63}$/.test(name)) throw invalid('the name of a pack is made of a-z, 0-9 and -');
  return {
    name, version: number(value['version'], 'version', 1), text: plain(value['text'], 'text', 32), created: date(value['created'], 'created'),
    expires: value['expires'] === null ? null : date(value['expires'], 'expires'), rulesVersionMin: number(value['rulesVersionMin'], 'rulesVersionMin', 0),
    changelog: list(value['changelog'], changesMax, 'changelog').map((each) => {
      const change = fields(each, 'a change', ['version', 'text']);
      return { version: number(change['version'], 'version', 1), text: plain(change['text'], 'text', textMax) };
    }),
    clean: value['clean'] === null ? null : cleanOf(value['clean']),
    files: list(value['files'], filesMax, 'files').map((each) => {
      const file = fields(each, 'a file', ['name', 'bytes', 'sha256']);
      return { name: fileName(file['name']), bytes: number(file['bytes'], 'bytes', 0), sha256: plain(file['sha256'], 'sha256', 64) };
    }),
  };
}

function cleanOf(untrusted: unknown): Manifest['clean'] {
  const value = fields(untrusted, 'clean', ['files', 'bytes']);
  return { files: number(value['files'], 'files', 0), bytes: number(value['bytes'], 'bytes', 0) };
}

function checkTest(untrusted: unknown, count: { samples: number }): RuleTest {
  const value = fields(untrusted, 'a test', ['rule', 'finds', 'passes']);
  const rule = plain(value['rule'], 'rule', 128);
  const test = { rule, finds: samples(value['finds'], count), passes: samples(value['passes'], count) };
  if (test.finds.length === 0 || test.passes.length === 0) throw invalid(`the rule ${rule} is not tested: it needs a sample that it finds and one that it passes`);
  return test;
}

function samples(untrusted: unknown, count: { samples: number }): Sample[] {
  const all = list(untrusted, samplesMax, 'samples');
  if ((count.samples += all.length) > samplesMax) throw invalid(`more than ${samplesMax} samples`);
  return all.map((each): Sample => {
    const value = fields(each, 'a sample', ['name', 'region', 'parts']);
    const parts = list(value['parts'], partsMax, 'parts').map((part) => {
      if (typeof part !== 'string') throw invalid('a part of a sample is not text');
      return part;
    });
    const region = (['text', 'document', 'other'] as const).find((one) => one === value['region']);
    if (value['region'] !== undefined && region === undefined) throw invalid('there is no such region');
    return { name: plain(value['name'], 'name', textMax), ...(region === undefined ? {} : { region }), parts };
  });
}

export function invalid(text: string): Error {
  return refused('rulepack-invalid', `This is no rule pack that can be used: ${text}.`);
}

function fields(value: unknown, what: string, names: readonly string[]): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid(`${what} is not an object`);
  const unknown = Object.keys(value).find((name) => !names.includes(name));
  if (unknown !== undefined) throw invalid(`${what} has something that is not known: ${unknown.slice(0, 40).replaceAll(/[^\x20-\x7e]/g, '?')}`);
  return value as Fields;
}
function list(value: unknown, max: number, what: string): readonly unknown[] {
  if (!Array.isArray(value) || value.length > max) throw invalid(`${what} is not a list of at most ${max}`);
  return value;
}
/** Shown at terminals: no control characters. */
function plain(value: unknown, what: string, max: number): string {
  if (typeof value !== 'string' || value.length > max || /[\p{Cc}\p{Cf}]/u.test(value)) throw invalid(`${what} is not a line of at most ${max} characters`);
  return value;
}
function number(value: unknown, what: string, min: number): number {
  if (!Number.isSafeInteger(value) || (value as number) < min || (value as number) > 2 ** 40) throw invalid(`${what} is not a number from ${min}`);
  return value as number;
}
function date(value: unknown, what: string): string {
  if (typeof value !== 'string' || !/^\d{4}-\d{2}-\d{2}$/.test(value) || Number.isNaN(Date.parse(value))) throw invalid(`${what} is not a date such as 2026-11-24`);
  return value;
}
/** Files of a pack are never written to disk; their names are for messages alone, and still are nothing but names. */
function fileName(value: unknown): string {
  if (typeof value !== 'string' || !/^[a-z0-9][a-z0-9-]{0,60}\.yar$/.test(value)) throw invalid('a file has a name that is not made of a-z, 0-9 and -, ending in .yar');
  return value;
}
