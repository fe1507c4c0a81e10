import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isNumber, isPlain, JsonText } from './jsontext.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

test('what is written piece by piece is one text, counted in characters of a string, and the next one begins empty', () => {
  for (const value of ['ACME', 'a "quoted" \\ name\n', 'Müller', '山田^太郎', '\u{1F9B4}', '\ud800', 'x'.repeat(100_000), '']) {
    const out = new JsonText();
    out.byte(0x5b);
    out.string(value);
    out.ascii(',"');
    out.hex(0x7fe00010);
    out.byte(0x22);
    out.byte(0x5d);
    const count = out.characters;
    const text = out.end();
    assert.equal(text, `[${JSON.stringify(value)},"7FE00010"]`);
    assert.equal(count, text.length);
  }
});

test('base64 of any length is that of everybody else', () => {
  for (let length = 0; length < 70; length += 1) {
    const bytes = Uint8Array.from({ length }, (_, index) => (index * 151 + length) & 0xff);
    const out = new JsonText();
    out.base64(bytes);
    assert.equal(out.end(), Buffer.from(bytes).toString('base64'));
  }
});

test('bytes are copied only where JSON has them as they are', () => {
  for (let byte = 0; byte < 256; byte += 1) {
    const stands = byte < 0x80 && JSON.stringify(String.fromCharCode(byte)) === `"${String.fromCharCode(byte)}"`;
    const found = isPlain(Uint8Array.of(0x41, byte, 0x42), 0, 3, false);
    assert.ok(stands || !found, `byte ${byte}`);
    if (byte >= 0x20 && byte < 0x7f) assert.equal(found, stands);
    assert.equal(isPlain(Uint8Array.of(0x41, byte), 0, 2, true), found || byte === 0x5c);
  }
  const long = 'A'.repeat(1000);
  const out = new JsonText();
  out.copy(bytesOf(`..${long}..`), 2, 1002);
  out.copy(bytesOf('xyz'), 1, 2);
  out.quoted(bytesOf(long), 0, 999);
  out.attribute(0x00100010, 'PN', true);
  out.attribute(0xfffdabcd, 'LO', false);
  assert.equal(out.end(), `${long}y"${long.slice(1)}""00100010":{"vr":"PN","FFFDABCD":{"vr":"LO"`);
});

test('a number is what the grammar of JSON says, with at most two digits of exponent', () => {
  const grammar = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d{1,2})?$/;
  const letters = ['0', '1', '9', '-', '+', '.', 'e', 'E', ' '];
  // All texts of up to five of these characters.
  let texts = [''];
  for (let length = 0; length <= 5; length += 1) {
    for (const text of texts) assert.equal(isNumber(bytesOf(text), 0, text.length), grammar.test(text), text);
    texts = texts.flatMap((text) => letters.map((letter) => text + letter));
  }
  for (const text of ['1e123', '1e12', '-0.50E-07', '12345678901234567890.5']) assert.equal(isNumber(bytesOf(text), 0, text.length), grammar.test(text), text);
});
