/** Each reader gives back, byte for byte, what a recipe of another making put on a medium; and what programs of others made, where they are installed. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { fat16, iso, udf } from '@lazaret/tools/recipes/images.ts';
import { cleanDisc, slices, writeFolder, zip, type MediumFile } from '@lazaret/tools/recipes/media.ts';
import { programPath, unlessInstalled } from '@lazaret/test/peers.ts';
import { openFolder, openImage } from './open.ts';
import { isMissing, Unreadable, type Entry, type Volume } from './volume.ts';

const disc: readonly MediumFile[] = [...cleanDisc('readers', 3), { path: 'EMPTY', bytes: Buffer.alloc(0) }, { path: 'DEEP/ER/STILL/LARGE.BIN', bytes: Buffer.alloc(700_001, 'large ') }];
const longNames: readonly MediumFile[] = [...disc, { path: 'Ein sehr langer Ordner/wörter und mehr als zwölf.text', bytes: Buffer.from('long names\n') }];

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'lazaret-media-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

function opened(t: TestContext, image: Buffer): Volume {
  const path = join(folder(t), 'image');
  writeFileSync(path, image);
  const descriptor = openSync(path, 'r');
  t.after(() => closeSync(descriptor));
  return openImage(descriptor, image.length, 'image');
}

async function bytesOf(volume: Volume, entry: Entry): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const piece of volume.pieces(entry) as AsyncIterable<Uint8Array>) {
    if (isMissing(piece)) throw new Error(`${entry.path}: ${piece.text}`);
    parts.push(Buffer.from(piece));
  }
  return Buffer.concat(parts);
}

async function assertSame(volume: Volume, files: readonly MediumFile[], rename: (path: string) => string = (path) => path): Promise<void> {
  const found = new Map<string, Buffer>();
  for (const entry of volume.entries()) if (entry.kind === 'file') found.set(entry.path, await bytesOf(volume, entry));
  assert.deepEqual([...found.keys()].toSorted(), files.map(({ path }) => rename(path)).toSorted());
  for (const { path, bytes } of files) assert.ok(found.get(rename(path))!.equals(bytes), path);
}

const recipes: readonly (readonly [name: string, image: () => Buffer, kind: string, files: readonly MediumFile[]])[] = [
  ['ISO 9660', () => iso(disc, { joliet: false }), 'iso9660', disc],
  ['ISO 9660 with Joliet', () => iso(longNames), 'iso9660', longNames],
  ['UDF', () => udf(longNames), 'udf', longNames],
  ['UDF with a metadata partition', () => udf(longNames, { partition: 'metadata' }), 'udf', longNames],
  ['UDF with a virtual partition', () => udf(longNames, { partition: 'virtual' }), 'udf', longNames],
  ['FAT16', () => fat16(longNames), 'fat', longNames],
  ['FAT16 in a partition', () => fat16(longNames, { mbr: true }), 'fat', longNames],
  ['ZIP', () => zip(longNames), 'zip', longNames],
];
for (const [name, image, kind, files] of recipes) {
  test(`${name}: every file, byte for byte`, async (t) => {
    const volume = opened(t, image());
    assert.equal(volume.kind, kind);
    if (kind !== 'zip') assert.equal(volume.label, 'LAZARET');
    await assertSame(volume, files);
    assert.deepEqual(volume.notes.list(), []);
  });
}

test('a folder: every file, and what is none is told of and not followed', async (t) => {
  const path = folder(t);
  const outside = folder(t);
  writeFileSync(join(outside, 'secret'), 'not on the medium');
  writeFolder(path, longNames);
  symlinkSync(join(outside, 'secret'), join(path, 'IM000009'));
  symlinkSync(outside, join(path, 'folder'));
  symlinkSync('..', join(path, 'DEEP', 'up'));
  spawnSync('mkfifo', [join(path, 'pipe')]);
  const volume = openFolder(path, 'stick');
  const others = [...volume.entries()].filter((entry) => entry.kind !== 'file');
  assert.deepEqual(others.map(({ path: name, kind }) => [name, kind]).toSorted(), [['DEEP/up', 'link'], ['IM000009', 'link'], ['folder', 'link'], ['pipe', 'special']]);
  await assertSame(openFolder(path, 'stick'), longNames);
});

test('a file that is replaced by a link between listing and reading is not followed', async (t) => {
  const path = folder(t);
  writeFileSync(join(path, 'a'), 'was a file');
  const volume = openFolder(path, 'stick');
  const [entry] = [...volume.entries()];
  rmSync(join(path, 'a'));
  symlinkSync('/etc/passwd', join(path, 'a'));
  const pieces = [];
  for await (const piece of volume.pieces(entry!) as AsyncIterable<Uint8Array>) pieces.push(piece);
  assert.equal(pieces.length, 1);
  assert.ok(isMissing(pieces[0]!));
});

test('a file that only one list of names shows is found', async (t) => {
  const hidden = slices({ name: 'hidden', count: 1, folder: 'HIDDEN' });
  const volume = opened(t, iso(disc, { jolietOnly: hidden }));
  const paths = [...volume.entries()].map((entry) => entry.path);
  assert.ok(paths.some((path) => path.endsWith('HIDDEN/IM000001')));
});

test('folders that run in a circle are read once', async (t) => {
  const volume = opened(t, iso(disc, { circle: 'AGAIN', joliet: false }));
  await assertSame(volume, disc);
  assert.match(volume.notes.list().join(' '), /circle/);
});

test('a medium that ends early: what is there is given, what is not is named', async (t) => {
  const whole = iso(disc, { joliet: false });
  const volume = opened(t, whole.subarray(0, whole.length - 300_000));
  let missing = '';
  let whole_ = 0;
  for (const entry of volume.entries()) {
    for await (const piece of volume.pieces(entry) as AsyncIterable<Uint8Array>) {
      if (isMissing(piece)) missing += `${entry.path} ${(piece as { offset: number }).offset}`;
    }
    if (!missing.includes(entry.path)) whole_ += 1;
  }
  assert.match(missing, /^DEEP\/ER\/STILL\/LARGE\.BIN \d+$/);
  assert.equal(whole_, disc.length - 1);
  assert.match(volume.notes.list().join(' '), /the end is missing/);
});

test('what is no medium says what to do instead', (t) => {
  const named = (bytes: Buffer): (() => unknown) => () => opened(t, bytes);
  const exfat = Buffer.alloc(4_096);
  exfat.write('EXFAT   ', 3, 'latin1');
  assert.throws(named(exfat), (error) => error instanceof Unreadable && /exFAT.*import the folder/.test(error.message));
  assert.throws(named(Buffer.from('hello')), Unreadable);
  assert.throws(named(Buffer.alloc(0)), Unreadable);
  assert.throws(named(zip(disc).subarray(0, 5_000)), (error) => error instanceof Unreadable && /cut off/.test(error.message));
});

test('ZIP: what is wrong with an entry is told of it, and the rest is read', async (t) => {
  const good = Buffer.from('whole\n'.repeat(100));
  const volume = opened(t, zip([
    { path: '../../climbs', bytes: good }, { path: 'secret', bytes: good, quirk: { encrypted: true } }, { path: 'longer', bytes: Buffer.alloc(100_000), quirk: { length: 10 } },
    { path: 'shorter', bytes: good, quirk: { length: 90_000 } }, { path: 'sum', bytes: good, quirk: { crc: 1 } }, { path: 'method', bytes: good, quirk: { method: 14 } },
    { path: 'named', bytes: good, quirk: { localName: 'other' } }, { path: 'over', bytes: good, quirk: { at: 0 } }, { path: 'C:\\windows\\x', bytes: good },
  ]));
  const said: Record<string, string> = {};
  for (const entry of volume.entries()) {
    said[entry.path] = entry.problem;
    if (entry.problem === '') for await (const piece of volume.pieces(entry) as AsyncIterable<Uint8Array>) if (isMissing(piece)) said[entry.path] = (piece as unknown as { text: string }).text;
  }
  assert.equal(said['../../climbs'], '');
  assert.equal(said['C:/windows/x'], '');
  assert.match(said['secret']!, /encrypted/);
  assert.match(said['longer']!, /more than it says/);
  assert.match(said['shorter']!, /should have 90000/);
  assert.match(said['sum']!, /check sum/);
  assert.match(said['method']!, /LZMA/);
  assert.match(said['named']!, /disagree/);
  assert.match(said['over']!, /lies where another file lies|disagree/);
});

/** Programs that make images, and how. */
const makers: readonly (readonly [program: string, extra: readonly string[], make: (source: string, image: string) => readonly string[], rename?: (path: string) => string])[] = [
  ['genisoimage', [], (source, image) => ['-quiet', '-J', '-R', '-V', 'LAZARET', '-o', image, source]],
  ['genisoimage', ['UDF'], (source, image) => ['-quiet', '-udf', '-J', '-R', '-V', 'LAZARET', '-o', image, source]],
  ['xorriso', [], (source, image) => ['-as', 'mkisofs', '-quiet', '-R', '-iso-level', '3', '-V', 'LAZARET', '-o', image, source]],
];
for (const [program, extra, make] of makers) {
  test(`what ${[program, ...extra].join(' ')} makes is read`, { skip: unlessInstalled(program) }, async (t) => {
    const source = folder(t);
    writeFolder(source, longNames);
    const image = join(folder(t), 'image');
    const made = spawnSync(program, make(source, image));
    assert.equal(made.status, 0, made.stderr.toString());
    await assertSame(opened(t, readFileSync(image)), longNames);
  });
}

for (const [type, kibibytes] of [[12, 2_880], [16, 20_000], [32, 36_000]] as const) {
  test(`what mkfs.fat and mtools make as FAT${type} is read`, { skip: unlessInstalled('mkfs.fat', 'mcopy') }, async (t) => {
    const source = folder(t);
    const made = folder(t);
    writeFolder(source, longNames);
    const image = join(made, 'image');
    writeFileSync(image, Buffer.alloc(kibibytes * 1024));
    assert.equal(spawnSync(programPath('mkfs.fat')!, ['-F', String(type), ...(type === 32 ? ['-s', '1'] : []), '-n', 'LAZARET', image]).status, 0);
    mkdirSync(made, { recursive: true });
    const copied = spawnSync('sh', ['-c', 'mcopy -s -i "$0" "$1"/* ::', image, source], { env: { ...process.env, LC_ALL: 'C.UTF-8' } });
    assert.equal(copied.status, 0, copied.stderr.toString());
    await assertSame(opened(t, readFileSync(image)), longNames);
  });
}
