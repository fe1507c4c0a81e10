import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytesOf, hexOffset, hexRows } from './hex.ts';

const span = (offset: number, length: number, kind: string) => ({ offset, length, kind, tag: '', keyword: '', path: '', vr: '' });

test('rows show each byte once, in hexadecimal and ASCII, cut where the look changes', () => {
  const bytes = new TextEncoder().encode('MZ\0\x7f the rest of it, and more');
  const rows = hexRows(bytes, 120, [span(0, 128, 'preamble'), span(128, 4, 'prefix'), span(132, 900, 'meta')], [{ offset: 120, length: 2 }], { offset: 128, length: 4 });
  assert.deepEqual(rows.map((row) => row.offset), [112, 128, 144]);
  const [first, second] = rows;
  assert.deepEqual(first!.runs.map(({ offset, hex, ascii, family, finding }) => [offset, hex, ascii, family, finding]), [[120, '4d 5a', 'MZ', 'preamble', 0], [122, '00 7f 20 74 68 65', '·· the', 'preamble', -1]]);
  assert.deepEqual(second!.runs.map(({ ascii, selected, half }) => [ascii, selected, half]), [[' res', true, false], ['t of', false, true], [' it, and', false, false]]);
  assert.equal(rows.flatMap((row) => row.runs.map((run) => run.ascii)).join('').length, bytes.length);
});

test('a finding without length marks the byte where it is', () => {
  const [row] = hexRows(new Uint8Array(4), 0, [span(0, 4, 'value')], [{ offset: 2, length: 0 }], null);
  assert.deepEqual(row!.runs.map((run) => run.finding), [-1, 0, -1]);
});

test('what is not base64 gives no bytes; offsets have eight digits or more', () => {
  assert.equal(bytesOf('***').byteLength, 0);
  assert.deepEqual([...bytesOf('AP8=')], [0, 255]);
  assert.equal(hexOffset(255), '000000ff');
  assert.equal(hexOffset(2 ** 33), '200000000');
  assert.deepEqual(hexRows(new Uint8Array(0), 0, [], [], null), []);
});
