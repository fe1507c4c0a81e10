import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkSpans } from './check.ts';
import { ElementColumns, SpanColumns } from './columns.ts';

test('rows keep their values however often the columns grow', () => {
  for (const bytesInAll of [0, 10, 5000 * 8, 1e9]) {
    const spans = new SpanColumns(bytesInAll);
    const elements = new ElementColumns(bytesInAll);
    for (let row = 0; row < 5000; row += 1) {
      spans.add(row * 8, 8, row % 7, row, row % 5);
      elements.add(row, row % 60_000, row * 8, row * 8 + 4, 4, row % 16, row - 1, row * 3);
    }
    const table = spans.table();
    assert.equal(checkSpans(table, 5000 * 8), null);
    const made = elements.table();
    for (let row = 0; row < 5000; row += 1) {
      assert.deepEqual([table.kinds[row], table.tags[row], table.depths[row]], [row % 7, row, row % 5]);
      assert.deepEqual([made.tags[row], made.vrs[row], made.headerOffsets[row], made.valueOffsets[row], made.valueLengths[row], made.depths[row], made.parents[row], made.items[row]], [row, row % 60_000, row * 8, row * 8 + 4, 4, row % 16, row - 1, row * 3]);
    }
  }
});

test('what was read decides how much is allocated: a dense beginning before much else asks for eight times what it holds, at most', () => {
  const spans = new SpanColumns(2 ** 40);
  const elements = new ElementColumns(2 ** 40);
  for (let row = 0; row < 3000; row += 1) {
    spans.add(row * 8, 8, 0, row, 0);
    elements.add(row, 0, row * 8, row * 8, 0, 0, -1, 0);
  }
  assert.ok(spans.table().offsets.buffer.byteLength <= 3000 * 8 * 22);
  assert.ok(elements.table().tags.buffer.byteLength <= 3000 * 8 * 39);
});

test('even density takes one growth and little room that stays empty', () => {
  const rows = 200_000;
  const spans = new SpanColumns(rows * 10);
  for (let row = 0; row < rows; row += 1) spans.add(row * 10, 10, 0, row, 0);
  assert.ok(spans.table().offsets.buffer.byteLength <= rows * 22 * 1.25);
});
