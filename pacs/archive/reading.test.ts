import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, readSync, rmSync, symlinkSync, truncateSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Failure } from '@lazaret/system/failure.ts';
import { objectPath } from '@lazaret/system/layout.ts';
import { instancesIn, type StoredInstance } from './instances.ts';
import { readerOf, type ArchiveReader, type VerifiedBytes } from './reading.ts';
import { archiveSample, makeIndex } from './sample.ts';

const archive = mkdtempSync(join(tmpdir(), 'lazaret-reading-'));
after(() => rmSync(archive, { recursive: true, force: true }));
const MiB = 1024 * 1024;

let number = 0;
/** Archives bytes and gives what reading them needs. */
function archived(bytes: Uint8Array): { instance: StoredInstance; reader: ArchiveReader; reported: [string, string][] } {
  number += 1;
  const database = makeIndex();
  const { digest } = archiveSample(archive, database, bytes, { instance: `1.${number}` });
  const reported: [string, string][] = [];
  const reader = readerOf({ archive, acceptable: () => true, recheck: async () => ({ verdict: 'clean' }), damage: async (of, found) => { reported.push([of, found]); } });
  const instance = instancesIn(database).under({ studyInstanceUID: '2.25.1' })[0]!;
  assert.equal(instance.digest, digest);
  return { instance, reader, reported };
}

async function collect(bytes: VerifiedBytes): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const chunk of bytes) all.push(chunk);
  return Buffer.concat(all);
}
/** What came out before the failure, and the failure. */
async function fails(bytes: VerifiedBytes): Promise<{ served: Buffer; code: string; severity: string }> {
  const all: Uint8Array[] = [];
  try {
    for await (const chunk of bytes) all.push(chunk);
  } catch (error) {
    if (error instanceof Failure) return { served: Buffer.concat(all), code: error.code, severity: error.severity };
    throw error;
  }
  throw new Error('was served whole');
}
function flip({ digest }: StoredInstance, position: number): void {
  const file = openSync(objectPath(archive, digest), 'r+');
  const byte = Buffer.alloc(1);
  readSync(file, byte, 0, 1, position);
  byte[0]! ^= 1;
  writeSync(file, byte, 0, 1, position);
  closeSync(file);
}

test('a small file is read whole, in ranges and to its last byte', async () => {
  const bytes = randomBytes(300_000);
  const { instance, reader, reported } = archived(bytes);
  assert.deepEqual(await collect(reader.whole(instance)), bytes);
  for (const [offset, length] of [[0, 1], [299_999, 1], [100, 5000], [0, 300_000], [300_000, 0]] as const) assert.deepEqual(await collect(reader.range(instance, offset, length)), bytes.subarray(offset, offset + length));
  assert.deepEqual(reported, []);
});

test('a large file is read chunk by chunk, in ranges across chunks too', async () => {
  const bytes = randomBytes(9 * MiB + 12_345);
  const { instance, reader } = archived(bytes);
  assert.ok(instance.chunks !== null);
  assert.deepEqual(await collect(reader.whole(instance)), bytes);
  for (const [offset, length] of [[0, 1], [MiB - 1, 2], [MiB, MiB], [MiB + 5, 3 * MiB], [9 * MiB + 12_344, 1], [9 * MiB - 1, 12_346]] as const) assert.deepEqual(await collect(reader.range(instance, offset, length)), bytes.subarray(offset, offset + length), `${offset} ${length}`);
});

test('one flipped bit anywhere in a small file: not one byte is served, whole or in part, and the keeper is told', async () => {
  for (const position of [0, 150_000, 299_999]) {
    const { instance, reader, reported } = archived(randomBytes(300_000));
    flip(instance, position);
    for (const bytes of [reader.whole(instance), reader.range(instance, 10, 10), reader.range(instance, position, 1)]) {
      assert.deepEqual(await fails(bytes), { served: Buffer.alloc(0), code: 'digest-mismatch', severity: 'unavailable' });
    }
    assert.equal(reported.length, 3);
    assert.equal(reported[0]![0], instance.digest);
    assert.match(reported[0]![1], /^[0-9a-f]{64}$/);
    assert.notEqual(reported[0]![1], instance.digest);
  }
});

test('one flipped bit in a large file: no byte of its chunk is served; other chunks still are', async () => {
  const bytes = randomBytes(9 * MiB);
  const { instance, reader, reported } = archived(bytes);
  flip(instance, 4 * MiB + 77);
  const whole = await fails(reader.whole(instance));
  assert.deepEqual([whole.code, whole.served.length], ['digest-mismatch', 4 * MiB]);
  assert.deepEqual(whole.served, bytes.subarray(0, 4 * MiB));
  assert.equal((await fails(reader.range(instance, 5 * MiB - 1, 1))).served.length, 0);
  assert.equal((await fails(reader.range(instance, 4 * MiB - 1, 2))).served.length, 1);
  assert.deepEqual(await collect(reader.range(instance, 5 * MiB, 100)), bytes.subarray(5 * MiB, 5 * MiB + 100));
  assert.equal(reported.length, 3);
});

test('a file changed after it was read is checked again unless its bytes are in memory', async () => {
  const bytes = randomBytes(100_000);
  const { instance, reader } = archived(bytes);
  await collect(reader.whole(instance));
  flip(instance, 5);
  assert.equal((await fails(reader.whole(instance))).code, 'digest-mismatch');
  const other = archived(bytes);
  assert.deepEqual(await collect(other.reader.range(other.instance, 0, 10)), bytes.subarray(0, 10));
  flip(other.instance, 5);
  // The checked bytes themselves are what is served from memory.
  assert.deepEqual(await collect(other.reader.range(other.instance, 0, 10)), bytes.subarray(0, 10));
});

test('a file that is gone, cut short or replaced by a link is not served, and the keeper is told', async () => {
  const gone = archived(randomBytes(1000));
  unlinkSync(objectPath(archive, gone.instance.digest));
  assert.equal((await fails(gone.reader.whole(gone.instance))).code, 'file-missing');
  assert.deepEqual(gone.reported, [[gone.instance.digest, '']]);

  for (const length of [1000, 9 * MiB]) {
    const short = archived(randomBytes(length));
    truncateSync(objectPath(archive, short.instance.digest), length - 1);
    assert.equal((await fails(short.reader.range(short.instance, length - 10, 5))).code, 'digest-mismatch');
    assert.equal(short.reported.length, 1);
  }

  const bytes = randomBytes(1000);
  const linked = archived(bytes);
  const path = objectPath(archive, linked.instance.digest);
  unlinkSync(path);
  symlinkSync('/etc/passwd', path);
  assert.equal((await fails(linked.reader.whole(linked.instance))).code, 'file-missing');
});

test('a keeper that cannot be told does not make damage served', async () => {
  const { instance } = archived(randomBytes(1000));
  flip(instance, 1);
  const reader = readerOf({ archive, acceptable: () => true, recheck: async () => ({ verdict: 'clean' }), damage: async () => { throw new Error('no keeper'); } });
  assert.equal((await fails(reader.whole(instance))).code, 'digest-mismatch');
});

test('ranges outside the file are refused', async () => {
  const { instance, reader } = archived(randomBytes(1000));
  for (const [offset, length] of [[-1, 5], [0, 1001], [1000, 1], [Number.NaN, 1], [0.5, 1], [2 ** 53, 1]] as const) assert.equal((await fails(reader.range(instance, offset, length))).code, 'range-invalid');
});

test('a stale verdict is renewed before the object is served, once for all who wait; what is no longer clean is not served', async () => {
  const { instance } = archived(randomBytes(1000));
  let asked = 0;
  let verdict: 'clean' | 'malicious' = 'clean';
  const reader = readerOf({ archive, acceptable: (epoch) => epoch !== instance.epoch, recheck: async () => { asked += 1; return { verdict }; }, damage: async () => {} });
  await Promise.all([reader.admit(instance), reader.admit(instance)]);
  assert.equal(asked, 1);
  await reader.admit({ ...instance, epoch: 'another' });
  assert.equal(asked, 1);
  verdict = 'malicious';
  await assert.rejects(reader.admit(instance), (error) => error instanceof Failure && error.code === 'verdict-stale');
});

test('many frames asked for together read the file once', async () => {
  const bytes = randomBytes(2 * MiB);
  const { instance, reader } = archived(bytes);
  const frames = await Promise.all(Array.from({ length: 16 }, (_, index) => collect(reader.range(instance, index * 1000, 1000))));
  assert.deepEqual(Buffer.concat(frames), bytes.subarray(0, 16_000));
});

test('a reader that goes away in the middle leaves nothing open', async () => {
  const { instance, reader } = archived(randomBytes(9 * MiB));
  for await (const chunk of reader.whole(instance)) {
    assert.equal(chunk.length, MiB);
    break;
  }
});

test('what is taken out of sight is not served from memory, and not to its end', async () => {
  let archivedStill = true;
  const bytes = randomBytes(9 * MiB);
  const small = archived(bytes.subarray(0, 100_000));
  const large = archived(bytes);
  const reader = readerOf({ archive, isArchived: () => archivedStill, acceptable: () => true, recheck: async () => ({ verdict: 'clean' }), damage: async () => {} });
  await collect(reader.range(small.instance, 0, 10));
  const chunks = reader.whole(large.instance)[Symbol.asyncIterator]();
  assert.equal((await chunks.next()).value?.length, MiB);
  archivedStill = false;
  await assert.rejects(Promise.resolve(chunks.next()), { code: 'object-withdrawn' });
  for (const read of [reader.range(small.instance, 0, 10), reader.whole(small.instance), reader.whole(large.instance)]) {
    assert.deepEqual(await fails(read), { served: Buffer.alloc(0), code: 'object-withdrawn', severity: 'unavailable' });
  }
});
