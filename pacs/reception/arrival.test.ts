import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Arrival, ArrivingArea } from './arrival.ts';
import type { ObjectId } from './contract.ts';

const folder = mkdtempSync(join(tmpdir(), 'lazaret-arrival-'));
const area = new ArrivingArea(folder, 0);
after(() => rmSync(folder, { recursive: true }));

const newId = (): ObjectId => randomBytes(16).toString('hex') as ObjectId;

/** Writes `pieces`, each from memory that is overwritten as soon as it was taken. */
function take(pieces: readonly Uint8Array[], prefix = new Uint8Array()): Arrival {
  const arrival = new Arrival(area, newId(), prefix);
  for (const piece of pieces) {
    const lent = new Uint8Array(piece);
    arrival.write(lent);
    lent.fill(0xee);
  }
  return arrival;
}

test('what came is in the file, and its digest, in pieces of any size: each is needed only while it is taken', () => {
  const block = 256 * 1024;
  for (const sizes of [[], [0], [1], [block], [block - 1, 1, 1], [block - 1, 2, block + 5], [3 * block + 7], [5, 3 * block, 5], [block, block, 0, 9], Array.from({ length: 40 }, () => 16_384), Array.from({ length: 900 }, (_, index) => index)]) {
    const pieces = sizes.map((size) => randomBytes(size));
    const prefix = randomBytes(13);
    const whole = Buffer.concat([prefix, ...pieces]);
    const arrival = take(pieces, prefix);
    assert.equal(arrival.bytes, whole.length);
    const arrived = arrival.finish();
    assert.deepEqual(arrived, { bytes: whole.length, sha256: createHash('sha256').update(whole).digest('hex') });
    assert.ok(readFileSync(join(folder, arrival.objectId)).equals(whole), `${sizes.length} pieces`);
    arrival.discard();
  }
});

test('objects that come side by side and one after the other do not mix', () => {
  const contents = Array.from({ length: 12 }, () => Array.from({ length: 30 }, () => randomBytes(16_384)));
  for (let turn = 0; turn < 2; turn++) {
    const arrivals = contents.map(() => new Arrival(area, newId(), new Uint8Array()));
    for (let at = 0; at < 30; at++) arrivals.forEach((arrival, index) => arrival.write(contents[index]![at]!));
    arrivals.forEach((arrival, index) => {
      if (index % 3 === 2) return arrival.discard();
      arrival.finish();
      assert.ok(readFileSync(join(folder, arrival.objectId)).equals(Buffer.concat(contents[index]!)));
    });
  }
});

test('a discarded arrival leaves nothing, also after it was finished', () => {
  for (const name of readdirSync(folder)) rmSync(join(folder, name));
  take([randomBytes(300_000)]).discard();
  const finished = take([randomBytes(10)]);
  finished.finish();
  finished.discard();
  assert.deepEqual(readdirSync(folder), []);
});

test('without room nothing is begun', () => {
  assert.throws(() => new Arrival(new ArrivingArea(folder, Number.MAX_SAFE_INTEGER), newId(), new Uint8Array()), { code: 'disk-full', severity: 'unavailable' });
  assert.deepEqual(readdirSync(folder), []);
});
