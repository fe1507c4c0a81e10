/** The PDF reader against vectors of the standard, and against ways to show it something else than other readers see. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { ascii85, asciiHex, lzw, pdfOf, report, runLength, type PDFOptions, type PDFPart } from '../../../../../tools/recipes/pdfs.ts';
import { Budget, type Inner } from '../contract.ts';
import { decode, type Filter } from './filters.ts';
import { openPDF } from './pdf.ts';
import { predict } from './predictors.ts';
import { readValue, valuesOf, type Value } from './tokens.ts';

function open(bytes: Buffer): { readonly inners: readonly Inner[]; readonly said: string } {
  const said: string[] = [];
  const inners = [...openPDF({ bytes, budget: new Budget(), say: (code, text) => said.push(`${code}: ${text}`) })];
  return { inners, said: said.join('\n') };
}
const said = (parts: readonly PDFPart[], options: PDFOptions = {}): string => open(pdfOf(parts, options)).said;
const value = (text: string): Value | null => readValue(Buffer.from(text, 'latin1'), 0, new Budget()).value;

test('values are read as the standard has them (ISO 32000-2 §7.3)', () => {
  assert.deepEqual(value('/A#42#43'), { type: 'name', text: 'ABC' });
  assert.deepEqual(value('(a\\(b\\)(c)\\101\\\nd)'), { type: 'string', text: 'a(b)(c)Ad' });
  assert.deepEqual(value('<48 65 6C6c6F7>'), { type: 'string', text: 'Hellop' });
  assert.deepEqual(value('12 0 R'), { type: 'reference', number: 12 });
  assert.equal(value('-.5'), -0.5);
  assert.deepEqual(value('[1 2 3 0 R % comment ]\n true]'), { type: 'array', items: [1, 2, { type: 'reference', number: 3 }, { type: 'word', text: 'true' }] });
  assert.deepEqual(valuesOf(value('<</A 1/A 2/B<</C[<</D(x)>>]>>>>'), 'A'), [1, 2]);
});

test('a value without end ends with its object', () => {
  const read = readValue(Buffer.from('<< /A [1 2 /S /Launch endobj'), 0, new Budget());
  assert.equal(read.broken, true);
  assert.match(JSON.stringify(read.value), /Launch/);
});

const filter = (name: string): Filter => ({ name, prediction: { predictor: 1, columns: 1, colors: 1, bits: 8 }, early: true, crypt: '' });

test('LZW: the example of the standard (§7.4.4.2)', () => {
  const { bytes, problem } = decode(Buffer.from('800b6050220c0c8501', 'hex'), [filter('LZWDecode')], new Budget());
  assert.equal(problem, null);
  assert.deepEqual([...bytes], [45, 45, 45, 45, 45, 65, 45, 45, 45, 66]);
});

test('filters undo what was done, in any order of them', () => {
  const ways: Readonly<Record<string, (bytes: Uint8Array) => Buffer>> = { ASCIIHexDecode: asciiHex, ASCII85Decode: ascii85, RunLengthDecode: runLength, LZWDecode: lzw, FlateDecode: (bytes) => deflateSync(bytes) };
  fc.assert(fc.property(fc.uint8Array({ minLength: 1, maxLength: 700 }), fc.array(fc.constantFrom(...Object.keys(ways)), { maxLength: 4 }), (data, names) => {
    const packed = names.toReversed().reduce<Buffer>((bytes, name) => ways[name]!(bytes), Buffer.from(data));
    const decoded = decode(packed, names.map(filter), new Budget());
    assert.equal(decoded.problem, null);
    assert.equal(decoded.bytes.equals(Buffer.from(data)), true, names.join());
    assert.deepEqual(decoded.rest, []);
  }), { numRuns: 200, seed: 11 });
});

test('predictors: PNG and TIFF rows', () => {
  const png = Buffer.from([0, 1, 2, 3, 1, 1, 1, 1, 2, 1, 1, 1, 3, 1, 1, 1, 4, 1, 1, 1]);
  assert.deepEqual([...predict(png, { predictor: 15, columns: 3, colors: 1, bits: 8 }, new Budget())!], [1, 2, 3, 1, 2, 3, 2, 3, 4, 2, 3, 4, 3, 4, 5]);
  assert.deepEqual([...predict(Buffer.from([1, 1, 1, 5, 1, 1]), { predictor: 2, columns: 3, colors: 1, bits: 8 }, new Budget())!], [1, 2, 3, 5, 6, 7]);
  assert.deepEqual([...predict(Buffer.from([0x11, 0x11]), { predictor: 2, columns: 4, colors: 1, bits: 4 }, new Budget())!], [0x12, 0x34]);
  assert.equal(predict(Buffer.from([9, 1, 2, 3]), { predictor: 15, columns: 3, colors: 1, bits: 8 }, new Budget()), null);
  assert.equal(predict(Buffer.alloc(4), { predictor: 12, columns: Number.NaN, colors: 1, bits: 8 }, new Budget()), null);
});

test('links, forms and empty places are no activity', () => {
  const quiet: readonly string[] = [
    '/AcroForm << /Fields [] /DA (/Helv 0 Tf) >>', '/Names << /EmbeddedFiles << /Names [] >> /Dests << /Names [(a) [3 0 R /Fit]] >> >>', '/OpenAction [3 0 R /FitH 800]', '/OpenAction << /S /GoTo /D [3 0 R /Fit] >>',
    '/OpenAction << /S /Named /N /FirstPage >>', '/AA << >>', '/URI << /Base (https://example.org/) >>', '/Names << /JavaScript 9 0 R >>', '/Lang (JavaScript) /Title (/Launch)', '/PageLabels << /Nums [0 << /S /D >>] >>', '/Metadata 7 0 R',
  ];
  for (const catalog of quiet) assert.equal(said(report({ catalog })), '', catalog);
  for (const address of ['https://example.org/', 'mailto:a@example.org', 'tel:+1', 'page.html', '#top']) assert.equal(said(report({ page: `/Annots [<< /Subtype /Link /A << /S /URI /URI (${address}) >> >>]` })), '', address);
});

test('addresses that are none of the web are told, however they are written', () => {
  for (const address of ['(file:///c:/x)', '(FILE:x)', '(j\\141vascript:1)', '<6A6176617363726970743A31>', '(\\\\\\\\host\\\\x)', '(//host/x)', '(ms-msdt:/id x)', '(java\\nscript:1)', '(\\376\\377\\000f\\000i\\000l\\000e\\000:)', '(data:text/html,x)']) {
    assert.match(said(report({ page: `/Annots [<< /Subtype /Link /A << /S /URI /URI ${address} >> >>]` })), /no address of the web/, address);
  }
});

test('an action that begins by itself and opens an address by its next action', () => {
  const chain = report({ catalog: '/OpenAction 6 0 R', more: ['<< /S /GoTo /D [3 0 R /Fit] /Next [7 0 R] >>', '<< /S /GoTo /D [3 0 R /Fit] /Next << /S /URI /URI (https://example.org/) >> >>'] });
  assert.match(said(chain), /opened without a click/);
  assert.match(said(report({ page: '/AA << /O << /S /URI /URI (https://example.org/) >> >>' })), /opened without a click/);
  const circle = report({ catalog: '/OpenAction 6 0 R', more: ['<< /S /GoTo /D [3 0 R /Fit] /Next 6 0 R >>'] });
  assert.equal(said(circle), '');
});

test('the length of a stream is what follows it says', () => {
  const data = Buffer.from('q Q q Q q Q');
  assert.equal(said(report({ more: [{ dictionary: '', data, length: String(data.length + 1) }] })), '', 'a line end that was counted');
  assert.match(said(report({ more: [{ dictionary: '', data, length: '3' }] })), /not as long as they say/);
  assert.match(said(report({ more: [{ dictionary: '', data, length: '99999' }] })), /not as long as they say/);
  assert.match(said(report({ more: [{ dictionary: '', data, length: '9 0 R' }] })), /not as long as they say/);
  assert.match(said(report({ more: [{ dictionary: '', data: Buffer.from('a\nendstream b') }] })), /not as long as they say/);
});

test('what lies before, between and behind the objects is a part, and a few bytes of it no question', () => {
  const behind = open(pdfOf(report(), { after: 'x'.repeat(30) }));
  assert.equal(behind.said, '');
  assert.equal(behind.inners.at(-1)!.bytes.toString(), 'x'.repeat(30));
  assert.match(said(report(), { after: 'x'.repeat(300) }), /part-unaccounted: holds 300 bytes/);
  assert.match(said(report(), { before: 'x'.repeat(300) }), /part-unaccounted: holds 300 bytes/);
  assert.match(said(report(), { between: `%${'x'.repeat(3000)}\n` }), /part-unaccounted/);
  assert.equal(said(report(), { after: Buffer.alloc(500) }), '', 'padding');
});

test('an object that says its filter by another object', () => {
  const packed = deflateSync('9 0 << /S /Launch >>');
  assert.match(said(report({ more: [{ dictionary: '/Type /ObjStm /N 1 /First 4 /Filter 7 0 R', data: packed }, '[/FlateDecode]'] })), /document-launches/);
  assert.match(said(report({ more: [{ dictionary: '/Filter 7 0 R', data: packed }, '/FlateDecode'] }), { revision: new Map([[7, '/LZWDecode']]) }), /described in two ways/);
});
