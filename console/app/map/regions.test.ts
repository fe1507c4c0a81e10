import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { MapSpan } from '@lazaret/pacs/quarantine/requests.ts';
import { spanKinds } from '@lazaret/dicom/filemap/contract.ts';
import { cellsOf, familyOf, indexAt, regionsMax, regionsOf } from './regions.ts';

/** Spans of these lengths one after the other. */
function spansFrom(parts: readonly (readonly [kind: string, length: number, tag?: string])[]): MapSpan[] {
  let offset = 0;
  return parts.map(([kind, length, tag = '']) => {
    const span = { offset, length, kind, tag, keyword: '', path: tag, vr: '' };
    offset += length;
    return span;
  });
}
const anySpans = fc.array(fc.tuple(fc.constantFrom(...spanKinds, 'a kind of tomorrow'), fc.integer({ min: 1, max: 600_000 }), fc.constantFrom('', '(0008,0005)', '(0009,1001)', '(7FE0,0010)')), { maxLength: 600 }).map(spansFrom);

test('elements of odd groups are private with their headers; unknown kinds are shown as unexplained', () => {
  const [header, value, item, unknown] = spansFrom([['header', 8, '(0009,1001)'], ['value', 8, '(0008,0005)'], ['item', 8, '(7FE0,0010)'], ['a kind of tomorrow', 1]]);
  assert.deepEqual([header, value, item, unknown].map((span) => familyOf(span!)), ['private', 'elements', 'pixels', 'unexplained']);
});

test('regions cover all bytes in order, and are few', () => {
  fc.assert(fc.property(anySpans, (spans) => {
    const regions = regionsOf(spans);
    let offset = 0;
    for (const region of regions) {
      assert.equal(region.offset, offset);
      offset += region.length;
    }
    assert.equal(offset, spans.reduce((sum, span) => sum + span.length, 0));
    const alone = regions.filter((region) => ['preamble', 'trailing', 'unexplained'].includes(region.family)).length;
    assert.ok(regions.length <= Math.max(regionsMax, 2 * alone + 1), `${regions.length} regions`);
  }), { numRuns: 200 });
});

test('what is unexplained or after the end is never drawn together with something else', () => {
  const spans = spansFrom([...Array.from({ length: 400 }, (_, index): [string, number, string] => ['value', 10, index % 2 === 0 ? '(0008,0005)' : '(0009,0010)']), ['unexplained', 3], ['trailing', 1]]);
  const regions = regionsOf(spans, 20);
  assert.deepEqual(regions.slice(-2).map(({ family, length, mixed }) => [family, length, mixed]), [['unexplained', 3, false], ['trailing', 1, false]]);
});

test('a cell is an element with its header; cells cover what spans cover', () => {
  const cells = cellsOf(spansFrom([['preamble', 128], ['prefix', 4], ['header', 8, '(0008,0005)'], ['value', 10, '(0008,0005)'], ['header', 8, '(0008,0008)'], ['header', 12, '(7FE0,0010)'], ['pixels', 1000, '(7FE0,0010)']]));
  assert.deepEqual(cells.map(({ length, headerLength, span }) => [span.kind, length, headerLength]), [['preamble', 128, 0], ['prefix', 4, 0], ['value', 18, 8], ['header', 8, 8], ['pixels', 1012, 12]]);
  fc.assert(fc.property(anySpans, (spans) => assert.equal(cellsOf(spans).reduce((sum, cell) => sum + cell.length, 0), spans.reduce((sum, span) => sum + span.length, 0))), { numRuns: 100 });
});

test('every byte is found in its piece', () => {
  const spans = spansFrom([['preamble', 128], ['prefix', 4], ['meta', 1], ['value', 20]]);
  for (let offset = 0; offset < 153; offset += 1) {
    const span = spans[indexAt(spans, offset)]!;
    assert.ok(offset >= span.offset && offset < span.offset + span.length);
  }
  assert.equal(indexAt([], 0), -1);
  assert.equal(indexAt(spans, 9999), 3);
});
