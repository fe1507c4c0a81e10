import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import type { UploadLine } from './contract.ts';
import { UploadVolume } from './upload.ts';
import { isMissing, Unreached, Unreadable, type Entry } from './volume.ts';

function made(t: TestContext, lines: readonly UploadLine[], stallMs = 60_000) {
  const folder = mkdtempSync(join(tmpdir(), 'lazaret-upload-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'listing'), [{ files: lines.length }, ...lines].map((line) => `${JSON.stringify(line)}\n`).join(''));
  const volume = new UploadVolume(folder, 'disc', stallMs);
  return { folder, volume, entries: [...volume.entries()] };
}
async function read(volume: UploadVolume, entry: Entry): Promise<string> {
  let text = '';
  for await (const piece of volume.pieces(entry)) text += isMissing(piece) ? `(${piece.offset}+${piece.length}: ${piece.text})` : Buffer.from(piece).toString();
  return text;
}

test('files are listed before they come, and waited for', async (t) => {
  const { folder, volume, entries } = made(t, [['DICOM/IM1', 3, 5], ['../up\u0000.exe', 3, 0]]);
  assert.deepEqual(entries.map(({ path, bytes, modified }) => [path, bytes, modified]), [['DICOM/IM1', 3, 5], ['../up\ufffd.exe', 3, 0]]);
  const coming = read(volume, entries[0]!);
  writeFileSync(join(folder, '0.part'), 'on');
  await wait(120);
  writeFileSync(join(folder, '0.part'), 'one');
  renameSync(join(folder, '0.part'), join(folder, '0'));
  assert.equal(await coming, 'one');
});

test('what will not come is said; a link is not followed', async (t) => {
  const { folder, volume, entries } = made(t, [['a', 3, 0], ['b', 3, 0], ['c', 3, 0]]);
  writeFileSync(join(folder, '0.bad'), 'the drive cannot read it');
  assert.equal(await read(volume, entries[0]!), '(0+3: the drive cannot read it)');
  writeFileSync(join(folder, 'elsewhere'), 'secret');
  symlinkSync(join(folder, 'elsewhere'), join(folder, '1'));
  await assert.rejects(read(volume, entries[1]!), { code: 'ELOOP' });
  writeFileSync(join(folder, 'cancelled'), '');
  await assert.rejects(read(volume, entries[2]!), (error) => error instanceof Unreached);
});

test('where nothing comes any more, reading ends and can go on', async (t) => {
  const { volume, entries } = made(t, [['a', 3, 0]], 100);
  await assert.rejects(read(volume, entries[0]!), { code: 'upload-stalled', severity: 'unavailable' });
  assert.throws(() => new UploadVolume('/nonexistent', 'disc'), Unreadable);
});
