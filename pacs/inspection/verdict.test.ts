import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { problemKinds } from '@lazaret/dicom/filemap/problems.ts';
import { verdicts, type Finding } from '../quarantine/contract.ts';
import { verdictOf, verdictRow, verdictTable, withoutRepeats, worstFirst } from './verdict.ts';

const finding = (code: string): Finding => ({ code, offset: 0, length: 0, tag: '', engine: 'content', text: '' });

/** Every source of the inspection, and every rule of the pack. */
function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /\.(ts|yar)$/.test(entry.name) && !entry.name.endsWith('.test.ts') && entry.name !== 'verdict.ts')
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'));
}

/** Codes that a source gives to a finding: `add('code'`, `addAt('code'`, `finding('code'`, `#fail('code'`, `code: 'code'`, and rules' `code = "code"`. */
const given = /(?:\.add|\.addAt|\bfinding|#fail)\(\s*'([a-z0-9-]+)'|\bcode: '([a-z0-9-]+)'|\bcode = "([a-z0-9-]+)"/g;

test('every code that the inspection gives has a row', () => {
  const codes = new Set(sources(import.meta.dirname).flatMap((text) => [...text.matchAll(given)].map((match) => (match[1] ?? match[2] ?? match[3])!)));
  assert.ok(codes.has('pixels-too-long') && codes.has('executable-content') && codes.has('examiner-crashed'), 'the pattern finds codes');
  assert.deepEqual([...codes].filter((code) => !verdictTable.has(code)), []);
});

test('every problem of the reader has a row, and only notes are clean', () => {
  for (const [code, { grade }] of problemKinds) {
    const row = verdictTable.get(code);
    assert.ok(row !== undefined, code);
    assert.equal(row.verdict === 'clean', grade === 'note', code);
  }
});

test('what the keeper reports has a row', () => {
  const codes = new Set(sources(join(import.meta.dirname, '..', 'quarantine')).flatMap((text) => [...text.matchAll(/\bfinding\('([a-z0-9-]+)'/g)].map((match) => match[1]!)));
  assert.ok(codes.has('instance-conflict') && codes.has('file-missing'), 'the pattern finds codes');
  for (const code of codes) assert.notEqual(verdictTable.get(code)?.verdict ?? 'clean', 'clean', code);
});

test('each row says to people what it is, what it means and what to do', () => {
  for (const [code, row] of verdictTable) {
    assert.match(code, /^[a-z0-9]+(-[a-z0-9]+)+$/);
    assert.ok(verdicts.includes(row.verdict) && row.title.length > 3 && row.meaning.length > 3 && row.advice.length > 3, code);
  }
});

test('a code that nobody knows holds the object', () => {
  assert.equal(verdictRow('tomorrow-invented').verdict, 'unscannable');
  assert.equal(verdictOf([finding('tomorrow-invented')]), 'unscannable');
  assert.equal(verdictOf([finding('__proto__')]), 'unscannable');
});

test('malicious before unscannable before malformed before clean', () => {
  assert.equal(verdictOf([]), 'clean');
  assert.equal(verdictOf([finding('preamble-used')]), 'clean');
  assert.equal(verdictOf([finding('preamble-used'), finding('tag-duplicate')]), 'malformed');
  assert.equal(verdictOf([finding('tag-duplicate'), finding('engine-missing')]), 'unscannable');
  assert.equal(verdictOf([finding('tag-duplicate'), finding('engine-missing'), finding('malware-signature')]), 'malicious');
  assert.deepEqual(worstFirst([finding('tag-duplicate'), finding('malware-signature'), finding('engine-missing')]).map(({ code }) => code), ['malware-signature', 'engine-missing', 'tag-duplicate']);
});

test('what repeats at one place is said once, with how often; another place or rule is said by itself', () => {
  const told = (text: string, offset = 10, engine = 'content'): Finding => ({ code: 'container-content', offset, length: 5, tag: '(0029,1020)', engine, text });
  assert.deepEqual(withoutRepeats([told('A ZIP file.'), told('A ZIP file in it.'), told('A ZIP file.', 20), told('an entry (rule one)', 10, 'yara-x'), told('an entry (rule two)', 10, 'yara-x'), told('A third.')]).map(({ text }) => text),
    ['A ZIP file (and 2 more like it there).', 'A ZIP file.', 'an entry (rule one)', 'an entry (rule two)']);
});
