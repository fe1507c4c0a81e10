import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isOdd, personName, plain } from './plain.ts';

test('honest text stays as it is, markup and spreadsheet formulas included', () => {
  for (const text of ['marked lesion<MPR Collection>', '=cmd|calc', '-0500', 'Müller', 'Nguyễn Thị', '山田 太郎', 'שלום', 'می‌خواهم']) assert.equal(plain(text), text);
});

test('controls, terminal escapes, overrides and invisible characters become a mark', () => {
  assert.equal(plain('a\u001b[31mb'), 'a\ufffd[31mb');
  assert.equal(plain('\u202egnp.exe\u202c'), '\ufffdgnp.exe\ufffd');
  assert.equal(plain('a\u200bb\ufeff\u2066\u0000\u0085\u007f\u{e0041}'), 'a\ufffdb\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd');
  assert.equal(plain('line\r\nnext\ttab'), 'line  next tab');
  assert.equal(plain('-\u200d-'), '-\ufffd-');
  assert.equal(plain('\ud800x'), '\ufffdx');
});

test('stacks of combining marks end, and length is bounded by characters', () => {
  assert.equal(plain(`z${'\u0301'.repeat(50)}`), `z${'\u0301'.repeat(4)}`);
  assert.equal(plain('😀'.repeat(500), 3), '😀😀😀…');
  assert.ok(isOdd('a\u202e'));
  assert.ok(!isOdd('long '.repeat(1000)));
});

test('Person Names are written as people write them', () => {
  assert.equal(personName('DOE^JANE'), 'DOE, JANE');
  assert.equal(personName('VAN DER BERG^ANNA^MARIA^DR^PhD'), 'VAN DER BERG, ANNA MARIA (DR, PhD)');
  assert.equal(personName('Yamada^Tarou=山田^太郎=やまだ^たろう'), 'Yamada, Tarou · 山田, 太郎');
  assert.equal(personName('^^^^'), '');
  assert.equal(personName(''), '');
});
