import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { textDecoding, type Delimiters } from './charsets.ts';

/** "Hong^Gildong" or "1B 24 42": text in quotes is ASCII, the rest is hexadecimal. */
function bytes(text: string): Uint8Array {
  const out: number[] = [];
  for (const [, quoted, hex] of text.matchAll(/"([^"]*)"|([0-9A-Fa-f]{2})/g)) out.push(...(quoted === undefined ? [Number.parseInt(hex!, 16)] : [...quoted].map((letter) => letter.charCodeAt(0))));
  return Uint8Array.from(out);
}

const name = (terms: readonly string[], text: string, delimiters: Delimiters = 'name'): string => textDecoding(terms).decode(bytes(text), delimiters);

test('PS3.5 Annex H: Japanese, with ISO-IR 6 and 87, and with 13 and 87', () => {
  assert.equal(
    name(['', 'ISO 2022 IR 87'], '"Yamada^Tarou=" 1B 24 42 3B 33 45 44 1B 28 42 "^" 1B 24 42 42 40 4F 3A 1B 28 42 "=" 1B 24 42 24 64 24 5E 24 40 1B 28 42 "^" 1B 24 42 24 3F 24 6D 24 26 1B 28 42'),
    'Yamada^Tarou=山田^太郎=やまだ^たろう',
  );
  assert.equal(
    name(['ISO 2022 IR 13', 'ISO 2022 IR 87'], 'D4 CF C0 DE "^" C0 DB B3 "=" 1B 24 42 3B 33 45 44 1B 28 4A "^" 1B 24 42 42 40 4F 3A 1B 28 4A "=" 1B 24 42 24 64 24 5E 24 40 1B 28 4A "^" 1B 24 42 24 3F 24 6D 24 26 1B 28 4A'),
    'ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう',
  );
});

test('PS3.5 Annex I: Korean; G1 is invoked anew after each delimiter', () => {
  assert.equal(name(['', 'ISO 2022 IR 149'], '"Hong^Gildong=" 1B 24 29 43 FB F3 "^" 1B 24 29 43 D1 CE D4 D7 "=" 1B 24 29 43 C8 AB "^" 1B 24 29 43 B1 E6 B5 BF'), 'Hong^Gildong=洪^吉洞=홍^길동');
  assert.equal(name(['', 'ISO 2022 IR 149'], '1B 24 29 43 FB F3 "^" D1 CE'), '洪^\uFFFD\uFFFD', 'without an escape after the delimiter the first set is active');
});

test('PS3.5 Annex J: Chinese in UTF-8 and GB18030', () => {
  assert.equal(name(['ISO_IR 192'], '"Wang^XiaoDong=" E7 8E 8B "^" E5 B0 8F E6 9D B1 "="'), 'Wang^XiaoDong=王^小東=');
  assert.equal(name(['GB18030'], '"Wang^XiaoDong=" CD F5 "^" D0 A1 B6 AB "="'), 'Wang^XiaoDong=王^小东=');
});

test('PS3.5 Annex K: Chinese in ISO 2022 IR 58', () => {
  assert.equal(name(['', 'ISO 2022 IR 58'], '"Zhang^XiaoDong=" 1B 24 29 41 D5 C5 "^" 1B 24 29 41 D0 A1 B6 AB "="'), 'Zhang^XiaoDong=张^小东=');
});

test('PS3.5 §6.1: JIS X 0212 in three bytes of escape', () => {
  assert.equal(name(['', 'ISO 2022 IR 159'], '1B 24 28 44 30 21 1B 28 42 "^x"'), '丂^x');
});

test('single-byte sets: one letter of each says which it is', () => {
  // prettier-ignore
  const letters: readonly (readonly [term: string, byte: string, text: string])[] = [
    ['ISO_IR 100', 'E9', 'é'], ['ISO_IR 101', 'B1', 'ą'], ['ISO_IR 109', 'B1', 'ħ'], ['ISO_IR 110', 'B1', 'ą'], ['ISO_IR 144', 'B4', 'Д'], ['ISO_IR 127', 'C7', 'ا'],
    ['ISO_IR 126', 'E1', 'α'], ['ISO_IR 138', 'E0', 'א'], ['ISO_IR 148', 'FD', 'ı'], ['ISO_IR 203', 'A4', '€'], ['ISO_IR 13', 'B1', 'ｱ'], ['ISO_IR 166', 'A1', 'ก'],
  ];
  for (const [term, byte, text] of letters) {
    assert.equal(name([term], byte), text, term);
    assert.equal(name([term.replace('ISO_IR', 'ISO 2022 IR')], byte), text, term);
  }
  assert.equal(name(['', 'ISO 2022 IR 126', 'ISO 2022 IR 144'], '1B 2D 46 E1 1B 2D 4C B4'), 'αД', 'two alphabets in one value');
});

test('a byte 5C inside a character of GBK, GB18030 or Shift JIS is no delimiter', () => {
  assert.deepEqual(name(['GBK'], '81 5C 5C "x"', 'values').split('\\'), ['乗', 'x']);
  assert.deepEqual(name(['GB18030'], '81 5C 5C "x"', 'values').split('\\'), ['乗', 'x']);
  assert.deepEqual(name(['ISO_IR 13'], '83 5C 5C "x"', 'values').split('\\'), ['ソ', 'x'], 'quirk: Shift JIS under ISO_IR 13');
  assert.equal(name(['', 'ISO 2022 IR 87'], '1B 24 42 30 5C 1B 28 42 5C "x"', 'values').split('\\').length, 2, 'second byte of JIS X 0208');
});

test('JIS X 0201 has a yen sign at 5C, but not where it separates values', () => {
  assert.equal(name(['ISO_IR 13'], 'B1 5C', 'none'), 'ｱ¥');
  assert.equal(name(['ISO_IR 13'], 'B1 5C B1', 'values'), 'ｱ\\ｱ');
});

test('an escape that is not declared switches nothing', () => {
  assert.equal(name(['ISO_IR 100'], '1B 24 42 3B 33'), '\uFFFD$B;3');
  assert.equal(name(['', 'ISO 2022 IR 149'], '1B 24 42 3B 33'), '\uFFFD$B;3');
  assert.equal(name(['', 'ISO 2022 IR 87'], '"a" 1B'), 'a\uFFFD', 'an escape at the end');
});

test('what no set defines becomes U+FFFD', () => {
  assert.equal(name([], 'E9'), '\uFFFD', 'the default repertoire has 7 bits');
  assert.equal(name(['ISO_IR 192'], 'C0 AF'), '\uFFFD\uFFFD', 'an overlong form');
  assert.equal(name(['', 'ISO 2022 IR 87'], '1B 24 42 3B'), '\uFFFD', 'half a character');
  assert.equal(name(['ISO 2022 IR 149'], 'FB'), '\uFFFD');
});

test('unknown terms are told and decoded as the default repertoire; near misses are understood', () => {
  assert.deepEqual(textDecoding(['ISO_IR 999']).unknownTerms, ['ISO_IR 999']);
  assert.equal(name(['ISO_IR 999'], '41 E9'), 'A\uFFFD');
  assert.equal(name(['ISO-IR 100'], 'E9'), 'é');
  assert.equal(name(['iso_ir100'], 'E9'), 'é');
});

test('any bytes under any terms give text and never throw', () => {
  const term = fc.constantFrom('', 'ISO_IR 6', 'ISO_IR 100', 'ISO_IR 13', 'ISO_IR 192', 'GBK', 'GB18030', 'ISO 2022 IR 87', 'ISO 2022 IR 159', 'ISO 2022 IR 149', 'ISO 2022 IR 58', 'ISO 2022 IR 13', 'nonsense');
  const escapes = fc.constantFrom([0x1b, 0x24, 0x42], [0x1b, 0x24, 0x28, 0x44], [0x1b, 0x24, 0x29, 0x43], [0x1b, 0x28, 0x42], [0x5c], [0x5e], [0x0a]);
  const chunk = fc.oneof(escapes, fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 6 }));
  fc.assert(
    fc.property(fc.array(term, { maxLength: 3 }), fc.array(chunk, { maxLength: 12 }), fc.constantFrom<Delimiters>('none', 'values', 'name'), (terms, chunks, delimiters) => {
      const input = Uint8Array.from(chunks.flat());
      const text = textDecoding(terms).decode(input, delimiters);
      assert.ok(text.length <= input.length * 2);
    }),
    { numRuns: 500 },
  );
});
