/** From a volume to the arriving area: what is read, in which order, what damage and lies come to. The volume is made up, so that a drive can fail where we want. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { dicomdir, sliceUID, slices } from '@lazaret/tools/recipes/media.ts';
import { ArrivingArea } from '../arrival.ts';
import { compareDirectory, readDirectory } from './directory.ts';
import type { FileRead } from './protocol.ts';
import { checkAnswer } from './protocol.ts';
import { MediaReading } from './reading.ts';
import { isObject, whatIs } from './sniff.ts';
import { entryOf, Notes, type Entry, type Missing, type Piece, type Volume } from './volume.ts';

interface Made {
  readonly entry: Entry;
  readonly pieces: readonly Piece[];
}

class MadeUp implements Volume {
  readonly kind = 'iso9660';
  readonly label = 'made up';
  readonly identifier = '1';
  readonly notes = new Notes();
  readonly #files: readonly Made[];
  constructor(files: readonly Made[]) {
    this.#files = files;
  }
  entries(): Entry[] {
    return this.#files.map(({ entry }) => entry);
  }
  pieces(entry: Entry): readonly Piece[] {
    return this.#files.find((file) => file.entry === entry)!.pieces;
  }
  close(): void {}
}

const image = slices({ name: 'reading', count: 1, size: 32 })[0]!.bytes;
const file = (path: string, bytes: Buffer, at: number, pieces: readonly Piece[] = [bytes]): Made => ({ entry: entryOf(path, bytes.length, 0, 'file', [{ offset: at, length: bytes.length }], ''), pieces });

async function readAll(t: TestContext, files: readonly Made[], deviceBytes = 1_000_000): Promise<{ readonly read: FileRead[]; readonly folder: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'lazaret-reading-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const reading = new MediaReading(new MadeUp(files), new ArrivingArea(folder, 0), deviceBytes);
  assert.equal(reading.open().files, files.length);
  const read: FileRead[] = [];
  for await (const each of reading.files(new Set())) if (each.say === 'file') read.push(each);
  return { read, folder };
}

test('images come first, in the order in which they lie; then what is beside them', async (t) => {
  const { read, folder } = await readAll(t, [file('VIEWER.EXE', Buffer.from('MZ viewer'), 0), file('B', image, 9_000), file('A', Buffer.from(image).fill(1, 4_000), 20_000), file('first', image, 100)]);
  assert.deepEqual(read.map(({ path, kind }) => [path, kind]), [['first', 'object'], ['B', 'object'], ['A', 'object'], ['VIEWER.EXE', 'companion']]);
  assert.ok(readFileSync(join(folder, read[0]!.objectId)).equals(image));
});

test('a file with a hole does not come in: its places are named, and nothing of it is left in the arriving area', async (t) => {
  const hole = (offset: number): Missing => ({ offset, length: 2_048, text: 'the medium is damaged there' });
  const { read, folder } = await readAll(t, [file('hole', image, 0, [image.subarray(0, 2_048), hole(2_048), hole(4_096), image.subarray(6_144)]), file('whole', image, 50_000)]);
  assert.deepEqual(read.map(({ kind }) => kind), ['unreadable', 'object']);
  assert.equal(read[0]!.text, 'bytes 2048 to 6143: the medium is damaged there');
  assert.deepEqual(readdirSync(folder), [read[1]!.objectId]);
});

test('names for the same bytes are read once; files that lie over one another are given up', async (t) => {
  const two = await readAll(t, [file('one', image, 100), file('two', image, 100)]);
  assert.deepEqual(two.read.map(({ kind }) => kind), ['object', 'same']);
  const large = (path: string, at: number): Made => ({ entry: entryOf(path, 2 ** 30, 0, 'file', [{ offset: at, length: 2 ** 30 }], ''), pieces: [image] });
  const over = await readAll(t, [large('one', 1), large('two', 2), large('three', 3)], 1_000);
  assert.deepEqual(over.read.map(({ kind }) => kind), ['object', 'unreadable', 'unreadable']);
  assert.match(over.read[1]!.text, /lie over one another/);
});

test('an object is known by its content, with and without a preamble; programs, texts and random bytes are none', () => {
  assert.equal(isObject(image), true);
  assert.equal(isObject(image.subarray(132)), true, 'group 2 without a preamble');
  const at = image.indexOf(Buffer.from([8, 0, 0x16, 0]));
  assert.equal(isObject(image.subarray(at)), true, 'a bare Data Set');
  for (const other of [Buffer.from('MZ\x90\0 program'), Buffer.from('hello, this is text that goes on for a while'), Buffer.alloc(600), Buffer.alloc(600, 0xff), Buffer.from([8, 0]), Buffer.alloc(0)]) assert.equal(isObject(other), false, other.toString('latin1', 0, 8));
  assert.equal(whatIs('setup', Buffer.from('MZ\x90\0')), 'Windows program');
  assert.equal(whatIs('AUTORUN.INF;1', Buffer.from('[autorun]')), 'autorun file');
  assert.equal(whatIs('x', Buffer.alloc(0)), 'empty file');
});

test('a DICOMDIR is a hint: case, versions and dots do not matter, what differs is told', () => {
  const [one, two] = slices({ name: 'directory', count: 2, size: 16 });
  const bytes = dicomdir([{ path: one!.path, sopInstanceUID: sliceUID(one!) }, { path: two!.path, sopInstanceUID: '2.25.1' }, { path: 'DICOM/GONE', sopInstanceUID: '2.25.2' }]);
  const content = readDirectory(bytes);
  assert.deepEqual(content.listed.map(({ path }) => path), [one!.path, two!.path, 'DICOM/GONE']);
  const objects = new Map([[one!.path.toLowerCase(), sliceUID(one!)], [two!.path.toLowerCase(), sliceUID(two!)], ['dicom/more', '2.25.3']]);
  const report = compareDirectory('DICOMDIR', content, new Set(objects.keys()), objects);
  assert.deepEqual([report.absent, report.different, report.unlisted], [['DICOM/GONE'], [two!.path], ['dicom/more']]);
  assert.deepEqual(readDirectory(Buffer.from('no directory')).listed, []);
});

test('what the media process says is checked', () => {
  const sha256 = 'a'.repeat(64);
  const good: FileRead = { say: 'file', index: 0, path: 'A', bytes: 1, kind: 'object', objectId: 'b'.repeat(32) as FileRead['objectId'], sha256: sha256 as FileRead['sha256'], what: '', text: '' };
  assert.deepEqual(checkAnswer(good), good);
  const wrong: Record<string, unknown>[] = [
    { ...good, objectId: '../../etc/passwd' }, { ...good, objectId: '' }, { ...good, kind: 'link' }, { ...good, sha256: '' }, { ...good, index: -1 }, { ...good, index: 1e9 }, { ...good, bytes: 0.5 }, { ...good, path: 'x'.repeat(9_999) },
    { ...good, path: 7 }, { ...good, say: 'else' }, { say: 'opened', medium: { kind: 'tape' }, listing: sha256, files: 1, bytes: 1 }, { say: 'finished', notes: 'x', directories: [] }, { say: 'finished', notes: [], directories: [{}] },
  ];
  const reading = { say: 'reading', index: 7, path: 'A', bytes: 1 };
  assert.deepEqual(checkAnswer(reading), reading);
  wrong.push({ ...reading, index: -1 }, { ...reading, index: 1e9 }, { ...reading, path: null }, { say: 'reading' });
  for (const answer of wrong) assert.equal(checkAnswer(answer), null, JSON.stringify(answer).slice(0, 100));
  assert.equal(checkAnswer(null), null);
  assert.equal((checkAnswer({ ...good, path: 'a\u001b[2Jb\u202ec' }) as FileRead).path, 'a\ufffd[2Jb\ufffdc', 'nothing steers a terminal');
});
