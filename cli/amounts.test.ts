import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lengthOf, momentOf, parseMoment, sizeOf } from './amounts.ts';

test('moments are read as they are written, and nothing else is', () => {
  const time = new Date(2026, 10, 24, 9, 30).getTime();
  for (const text of ['2026-11-24 09:30', '2026-11-24T09:30:00', '20261124 09:30']) assert.equal(parseMoment(text), time);
  assert.equal(parseMoment(momentOf(time)), time);
  assert.equal(parseMoment('2026-11-24'), new Date(2026, 10, 24).getTime());
  assert.equal(parseMoment('2026-11-24T09:30Z'), Date.UTC(2026, 10, 24, 9, 30));
  for (const text of ['', 'yesterday', '24.11.2026', '11/24/2026', '2026-02-31', '2026-13-01', '2026-11-24 25:00']) assert.equal(parseMoment(text), null, text);
});

test('amounts have a unit that fits', () => {
  assert.equal(sizeOf(999), '999 bytes');
  assert.equal(sizeOf(525_312), '525 kB');
  assert.equal(sizeOf(2.5e12), '2.50 TB');
  assert.deepEqual([0.2, 59, 600, 7_200, 900_000].map(lengthOf), ['1 s', '59 s', '10 min', '2 h', '10 days']);
});
