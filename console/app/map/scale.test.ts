import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fitLens, lensCellsMax, lensOnto, pinsOf, readable, scaleOf, trueToSize, zoomLens } from './scale.ts';

const piecesOf = (lengths: readonly number[]) => {
  let offset = 0;
  return lengths.map((length) => {
    const piece = { offset, length };
    offset += length;
    return piece;
  });
};

test('small parts stay visible beside a large one, and the whole fills the width', () => {
  const scale = scaleOf(piecesOf([128, 4, 300, 900, 524_288]), 1000, readable, 5);
  assert.equal(Math.round(scale.edges.at(-1)!), 1000);
  for (let index = 0; index < 5; index += 1) assert.ok(scale.edges[index + 1]! - scale.edges[index]! >= 5);
  assert.ok(scale.edges[5]! - scale.edges[4]! < 700, 'the pixels leave room for the rest');
});

test('true to size is true to size', () => {
  const scale = scaleOf(piecesOf([100, 300, 600]), 1000, trueToSize, 0);
  assert.deepEqual([...scale.edges].map(Math.round), [0, 100, 400, 1000]);
});

test('offsets and pixels lead to each other, in order, whatever the lengths', () => {
  fc.assert(fc.property(fc.array(fc.integer({ min: 1, max: 2 ** 40 }), { minLength: 1, maxLength: 200 }), fc.integer({ min: 200, max: 3000 }), fc.constantFrom(0.16, readable, trueToSize), fc.double({ min: 0, max: 1, noNaN: true }), (lengths, width, exponent, part) => {
    const pieces = piecesOf(lengths);
    const total = lengths.reduce((sum, length) => sum + length, 0);
    const scale = scaleOf(pieces, width, exponent, 3);
    const offset = Math.floor(part * (total - 1));
    const x = scale.toX(offset);
    assert.ok(x >= 0 && x <= width + 1e-6);
    assert.ok(scale.toX(Math.min(offset + 1, total)) >= x);
    const back = scale.toOffset(part * width);
    assert.ok(back >= 0 && back < total);
  }), { numRuns: 300 });
  const scale = scaleOf(piecesOf([10, 10]), 100, 1, 0);
  assert.equal(scale.toOffset(scale.toX(13) + 0.01), 13);
});

test('no pieces draw nothing and throw nothing', () => {
  const scale = scaleOf([], 500, 0.3, 5);
  assert.equal(scale.toX(10), 0);
  assert.equal(scale.toOffset(10), 0);
});

test('marks that would overlap become one', () => {
  const scale = scaleOf(piecesOf([1000]), 1000, 1, 0);
  assert.deepEqual(pinsOf([{ offset: 500 }, { offset: 0 }, { offset: 510 }], scale, 20).map((pin) => pin.findings), [[1], [0, 2]]);
});

test('a lens stays inside, follows the selection, and has limits', () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 5000 }), fc.double({ min: -10, max: 6000, noNaN: true }), fc.double({ min: 0, max: 6000, noNaN: true }), fc.nat(4999), (total, first, count, at) => {
    const cell = Math.min(at, total - 1);
    for (const lens of [fitLens(first, count, total), lensOnto(fitLens(first, count, total), cell, total), zoomLens(fitLens(first, count, total), 0.6, cell, total)]) {
      assert.ok(lens.first >= 0 && lens.count >= 1 && lens.count <= lensCellsMax && lens.first + lens.count <= total);
    }
    const onto = lensOnto(fitLens(first, count, total), cell, total);
    assert.ok(cell >= onto.first && cell < onto.first + onto.count);
  }));
  assert.ok(zoomLens({ first: 0, count: 10 }, 0.6, 5, 100).count < 10);
  assert.ok(zoomLens({ first: 0, count: 10 }, 1.6, 5, 100).count > 10);
});
