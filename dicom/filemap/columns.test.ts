import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkSpans } from './check.ts';
import { ElementColumns, MapRoom, SpanColumns } from './columns.ts';

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

test('a room used again holds the next object alone, and gives back the memory of a large one', () => {
  const room = new MapRoom();
  for (const rows of [3000, 500_000, 7, 3000]) {
    room.begin(rows * 8);
    assert.deepEqual([room.spans.count, room.elements.count], [0, 0]);
    for (let row = 0; row < rows; row += 1) {
      room.spans.add(row * 8, 8, rows % 7, rows, 0);
      room.elements.add(rows, row % 60_000, row * 8, row * 8 + 4, 4, 0, -1, row);
    }
    const [spans, elements] = [room.spans.table(), room.elements.table()];
    assert.equal(checkSpans(spans, rows * 8), null);
    assert.ok(spans.tags.every((tag) => tag === rows) && elements.tags.every((tag) => tag === rows) && elements.items.every((item, row) => item === row));
    if (rows < 500_000) assert.ok(spans.offsets.buffer.byteLength <= 400_000 * 22 && elements.tags.buffer.byteLength <= 200_000 * 39);
  }
});
