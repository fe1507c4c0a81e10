/** Readers on media that somebody made to harm them: damage by seed everywhere, and numbers that lie. They end, give no more than they say, and throw nothing but Unreadable. */
import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { fat16, iso, udf } from '@lazaret/tools/recipes/images.ts';
import { slices, zip, type MediumFile } from '@lazaret/tools/recipes/media.ts';
import { randomOf } from '@lazaret/tools/recipes/phantom.ts';
import { openImage } from './open.ts';
import { entriesMax, isMissing, Unreadable } from './volume.ts';

const files: readonly MediumFile[] = [
  ...slices({ name: 'hostile', count: 2, size: 16 }), { path: 'A/B/C/D/deep.bin', bytes: Buffer.alloc(9_000, 'deep') }, { path: 'A/B/other long name.text', bytes: Buffer.from('other') }, { path: 'A/EMPTY', bytes: Buffer.alloc(0) },
];
const rounds = 250;
/** Interesting numbers for a length, a place or a count. */
const numbers = [0, 1, 2, 0x7f, 0x80, 0xff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff];

/** An image file that is damaged in place and healed again. */
class Patient {
  readonly whole: Buffer;
  readonly path: string;
  readonly #descriptor: number;
  /** Places that are not zero: nothing reads the others. */
  readonly #places: number[] = [];

  constructor(t: TestContext, whole: Buffer) {
    this.whole = whole;
    const folder = mkdtempSync(join(tmpdir(), 'lazaret-hostile-'));
    this.path = join(folder, 'image');
    this.#descriptor = openSync(this.path, 'w+');
    writeSync(this.#descriptor, whole);
    const content = files.map(({ bytes }) => bytes.subarray(600, 616)).filter((bytes) => bytes.length > 0);
    for (let at = 0; at < whole.length; at += 16) {
      const piece = whole.subarray(at, at + 16);
      if (piece.some((byte) => byte !== 0) && !content.some((bytes) => bytes.equals(piece))) this.#places.push(at);
    }
    t.after(() => {
      closeSync(this.#descriptor);
      rmSync(folder, { recursive: true, force: true });
    });
  }

  hurt(random: () => number): readonly (readonly [at: number, was: Buffer])[] {
    const count = 1 + Math.floor(random() * 4);
    return Array.from({ length: count }, () => {
      const at = Math.min(this.whole.length - 8, this.#places[Math.floor(random() * this.#places.length)]! + Math.floor(random() * 16));
      const bytes = Buffer.alloc(4);
      const value = random() < 0.5 ? numbers[Math.floor(random() * numbers.length)]! : Math.floor(random() * 0x100000000);
      if (random() < 0.8) bytes.writeUInt32LE(value);
      else bytes.writeUInt32BE(value);
      const size = 1 + Math.floor(random() * 4);
      writeSync(this.#descriptor, bytes, 0, size, at);
      return [at, this.whole.subarray(at, at + size)] as const;
    });
  }

  heal(wounds: readonly (readonly [at: number, was: Buffer])[]): void {
    for (const [at, was] of wounds) writeSync(this.#descriptor, was, 0, was.length, at);
  }
}

/** Reads all of it; answers how many entries there were. */
async function readAll(path: string, length: number): Promise<number> {
  const descriptor = openSync(path, 'r');
  try {
    let volume;
    try {
      volume = openImage(descriptor, length, 'image');
    } catch (error) {
      if (error instanceof Unreadable) return 0;
      throw error;
    }
    let entries = 0;
    let budget = length * 4 + 1_000_000;
    for (const entry of volume.entries()) {
      entries += 1;
      assert.ok(entries <= entriesMax + 16);
      assert.ok(entry.path.length <= 1_100 && !/[\0-\x1f]/.test(entry.path), JSON.stringify(entry.path));
      assert.ok(Number.isSafeInteger(entry.bytes) && entry.bytes >= 0, `${entry.path}: ${entry.bytes}`);
      if (entry.kind !== 'file' || entry.problem !== '') continue;
      let given = 0;
      for await (const piece of volume.pieces(entry) as AsyncIterable<Uint8Array>) {
        given += piece.length;
        if (!isMissing(piece)) budget -= piece.length;
        // MediaReading ends such a medium (overlapMax); here it is enough that each file gives what it says and no more.
        if (budget < 0) break;
      }
      assert.ok(given <= entry.bytes || (volume.kind === 'zip' && given <= entry.bytes * 2), `${entry.path} gave ${given} of ${entry.bytes}`);
      if (budget < 0) break;
    }
    assert.ok(volume.notes.list().length <= 101);
    return entries;
  } finally {
    closeSync(descriptor);
  }
}

const media: readonly (readonly [name: string, image: () => Buffer, rounds: number])[] = [
  ['ISO 9660 with Joliet', () => iso(files), rounds], ['UDF', () => udf(files), rounds], ['UDF with a metadata partition', () => udf(files, { partition: 'metadata' }), rounds],
  ['UDF with a virtual partition', () => udf(files, { partition: 'virtual' }), rounds], ['FAT16', () => fat16(files), rounds], ['ZIP', () => zip(files), rounds * 2],
];
for (const [index, [name, image, count]] of media.entries()) {
  test(`${name}: ${count} times damaged by seed`, async (t) => {
    const patient = new Patient(t, image());
    assert.ok((await readAll(patient.path, patient.whole.length)) >= files.length, 'the canary: whole, it is read');
    const random = randomOf(20_260_311 + index);
    for (let round = 0; round < count; round += 1) {
      const wounds = patient.hurt(random);
      try {
        await readAll(patient.path, patient.whole.length);
      } catch (error) {
        throw new Error(`round ${round}, damaged at ${wounds.map(([at]) => at).join(', ')}: ${(error as Error).stack}`, { cause: error });
      }
      patient.heal(wounds);
    }
  });

  test(`${name}: cut off anywhere`, async (t) => {
    const patient = new Patient(t, image());
    const random = randomOf(7 + index);
    for (let round = 0; round < 40; round += 1) await readAll(patient.path, Math.floor(random() * patient.whole.length));
  });
}

test('ISO 9660: folders that lie over one another without end are given up, and what was listed before is given', async (t) => {
  const image = iso(files, { joliet: false });
  // Every sector of the root says that it is a folder of 16 MiB which begins a sector later than the last one said.
  const root = image.readUInt32LE(16 * 2048 + 158);
  const record = Buffer.from(image.subarray(root * 2048, root * 2048 + 34));
  const folders = Buffer.alloc(3_000 * 2048);
  for (let sector = 0; sector < 3_000; sector += 1) {
    for (let slot = 0; slot < 59; slot += 1) {
      record.writeUInt32LE(root + ((sector * 59 + slot * 7) % 3_000), 2);
      record.writeUInt32LE(16 * 1024 * 1024, 10);
      record[33] = 65 + (slot % 26);
      record.copy(folders, sector * 2048 + slot * 34);
    }
  }
  const whole = Buffer.concat([image.subarray(0, root * 2048), folders]);
  whole.writeUInt32LE(16 * 1024 * 1024, 16 * 2048 + 166);
  const patient = new Patient(t, whole);
  assert.equal(await readAll(patient.path, whole.length), 0, 'there are no files, and it ends');
});
