/**
 * Readers that die: killed over a file, silent, out of memory over the list of files. Real media processes in their sandboxes, ended by kill -9, by silence
 * and by a heap that is too small; the rest of the medium comes in all the same.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, openSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { readEntries } from '@lazaret/audit/reading.ts';
import { connectChannel, type Channel } from '@lazaret/system/channel.ts';
import type { Settings } from '@lazaret/system/process.ts';
import { confine } from '@lazaret/system/sandbox.ts';
import type { ImportStatus, Receipt, UploadHead, UploadLine } from '@lazaret/pacs/reception/media/contract.ts';
import { ImportRun, scratchIn, type RunOptions } from '@lazaret/pacs/reception/media/run.ts';
import { dicomdir, slices, sliceUID, writeFolder, zip, type MediumFile } from '@lazaret/tools/recipes/media.ts';
import { processes } from '../../processes.ts';
import { repository, startSystem, type System } from '../system.ts';
import { Media } from './medium.ts';

let system: System;
let web: Channel;
let terminal: Channel;
const media = new Media('stopped');
before(async () => {
  system = await startSystem(null);
  [web, terminal] = await Promise.all([connectChannel(system.layout.sockets.web), connectChannel(system.layout.sockets.terminal)]);
});
after(async () => {
  web.close();
  terminal.close();
  await system.stop();
  rmSync(system.data, { recursive: true, force: true });
  rmSync(media.folder, { recursive: true, force: true });
});

/** The media processes that write into the data directory of this system: node inside its sandbox, not bwrap around it. */
const readers = (): number[] => processesOf('media');
function processesOf(name: string): number[] {
  return readdirSync('/proc').filter((each) => /^\d+$/.test(each)).map(Number).filter((pid) => {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'latin1');
      return command.startsWith(process.execPath) && command.includes(`processes/${name}/main.ts`) && command.includes(system.data);
    } catch {
      return false;
    }
  });
}
/** Ends a reader by kill -9 exactly while it has the file of that name open. */
async function killOver(name: string): Promise<void> {
  for (;; await wait(1)) {
    for (const pid of readers()) {
      if (!opened(pid).some((path) => path.endsWith(`/${name}`))) continue;
      process.kill(pid, 'SIGKILL');
      while (readers().includes(pid)) await wait(5);
      return;
    }
  }
}
function opened(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((descriptor) => readlinkSync(`/proc/${pid}/fd/${descriptor}`));
  } catch {
    return [];
  }
}

async function settled(id: string): Promise<Receipt> {
  for (;;) {
    const { state } = await web.request<ImportStatus>('import', { do: 'status', id });
    if (state === 'settled' || state === 'failed') return web.request<Receipt>('import', { do: 'receipt', id });
    await wait(50);
  }
}

/** An upload as web writes it: listed, and whole but for files of length -1, which have not come. */
async function upload(files: readonly (MediumFile & { readonly length?: number })[]): Promise<{ readonly id: string; readonly folder: string }> {
  const name = randomBytes(16).toString('hex');
  const folder = join(system.layout.uploads, name);
  const head: UploadHead = { person: 'desk', name: 'from elsewhere', kind: 'files', key: '', files: files.length, bytes: 0, begunAt: 0 };
  writeFolder(folder, [
    { path: 'listing', bytes: Buffer.from([head, ...files.map(({ path, bytes, length = bytes.length }): UploadLine => [path, Math.abs(length), 0])].map((line) => `${JSON.stringify(line)}\n`).join('')) },
    ...files.flatMap(({ bytes, length = 0 }, number) => (length < 0 ? [] : [{ path: String(number), bytes }])),
  ]);
  for (const [number, { bytes, length = bytes.length }] of files.entries()) if (length > bytes.length) truncateSync(join(folder, String(number)), length);
  return { folder, ...(await web.request<{ id: string }>('import', { do: 'ask', upload: name, label: 'from elsewhere', person: 'desk', address: '127.0.0.1' })) };
}

async function recorded(id: string): Promise<string> {
  let xml = '';
  for await (const entry of readEntries(system.layout.audit)) if (entry.xml.includes(id)) xml += entry.xml;
  return xml;
}

/** So long that it is open for some hundred milliseconds: a file with a hole, which takes no room until it is read. */
const slowBytes = 400_000_000;
const skipped = /^reading it stopped the reader 2 times \(it .+\), so it was skipped$/;

test('an upload whose reader is killed over one file twice: that file is skipped and named, the rest comes in', async () => {
  const [one, two, three] = slices({ name: 'killed', count: 3, size: 32 });
  const { id, folder } = await upload([one!, { path: 'DICOM/PA000001/DEADLY', bytes: Buffer.from('bytes'), length: slowBytes }, two!, three!]);
  await killOver('1');
  await killOver('1');
  const receipt = await settled(id);
  assert.deepEqual([receipt.state, receipt.archived, receipt.held, receipt.done], ['settled', 3, 0, 4]);
  assert.deepEqual(receipt.unreadable.map(({ path, fate }) => [path, fate]), [['DICOM/PA000001/DEADLY', 'unreadable']]);
  assert.match(receipt.unreadable[0]!.text, skipped);
  assert.match(await recorded(id), /medium-settled.*1 unreadable/s);
  assert.ok(!existsSync(folder), 'it was read to its end');
});

test('killed once, a file is read all the same', async () => {
  const { id } = await upload([{ path: 'LARGE', bytes: Buffer.from('bytes'), length: slowBytes }, ...slices({ name: 'killed once', count: 2, size: 32 })]);
  await killOver('0');
  const receipt = await settled(id);
  assert.deepEqual([receipt.archived, receipt.unreadable.length, receipt.problem], [2, 0, '']);
});

test('what stopped a reader is known after a restart of the importer: the second time is the second time, and what was skipped stays so', async () => {
  const files = slices({ name: 'restarted', count: 2, size: 32 });
  const { id } = await upload([files[0]!, { path: 'DEADLY', bytes: Buffer.from('bytes'), length: slowBytes }, { path: 'SLOW', bytes: Buffer.from('other'), length: slowBytes }, files[1]!]);
  const left: string[] = [];
  const restart = async (): Promise<void> => {
    const importers = processesOf('importer');
    assert.ok(importers.length > 0);
    left.push(...readdirSync(system.layout.arriving));
    for (const pid of importers) process.kill(pid, 'SIGKILL');
    while (processesOf('importer').some((pid) => importers.includes(pid))) await wait(5);
  };
  await killOver('1');
  // On record before another reader opens it.
  while ((await web.request<ImportStatus>('import', { do: 'status', id })).fates.unreadable !== 1) await wait(5);
  await restart();
  await killOver('1');
  while (!readers().some((pid) => opened(pid).some((path) => path.endsWith('/2')))) await wait(1);
  await restart();
  const receipt = await settled(id);
  assert.deepEqual([receipt.archived, receipt.done, receipt.unreadable.map(({ path }) => path)], [2, 4, ['DEADLY']]);
  assert.match(receipt.unreadable[0]!.text, skipped);
  assert.equal(left.length, 2);
  assert.deepEqual(readdirSync(system.layout.arriving).filter((name) => left.includes(name)), [], 'nothing is left of the importers that were killed');
});

test('from the command line the same, with a table of contents that is still set against what is there', async () => {
  const files = slices({ name: 'killed at the terminal', count: 3, size: 32 });
  const path = media.make([{ path: 'DICOMDIR', bytes: dicomdir([...files, { path: 'DICOM/GONE', bytes: Buffer.alloc(0) }].map((file) => ({ path: file.path, sopInstanceUID: file.bytes.length === 0 ? '2.25.404' : sliceUID(file) }))) }, ...files]);
  writeFileSync(join(path, 'DEADLY'), 'bytes');
  truncateSync(join(path, 'DEADLY'), slowBytes);
  const child = spawn(process.execPath, [join(repository, 'cli/main.ts'), '--data', system.data, 'import', path, '--json'], { cwd: repository, stdio: ['ignore', 'pipe', 'ignore'] });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => { said += chunk.toString(); });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  await killOver('DEADLY');
  await killOver('DEADLY');
  assert.equal(await ended, 1);
  const receipt = JSON.parse(said) as Receipt;
  assert.deepEqual([receipt.state, receipt.archived, receipt.done], ['settled', 3, 5]);
  assert.deepEqual(receipt.unreadable.map(({ path: name }) => name), ['DEADLY']);
  assert.deepEqual(receipt.directories.map(({ absent }) => absent), [['DICOM/GONE']]);
});

/** As `./lazaret import` runs it, with other limits. */
async function imported(medium: RunOptions['medium'], more: Partial<RunOptions>, memoryMiBMax = processes.media.memoryMiBMax): Promise<ImportStatus> {
  const scratch = scratchIn(system.layout.arriving);
  const settings = { layout: { ...system.layout, arriving: scratch }, sandbox: 'available' } as Settings;
  return new ImportRun({
    start: confine({ ...processes.media, memoryMiBMax }, settings, 'folder' in medium ? { reads: [medium.folder] } : {}), medium, label: 'medium', person: 'desk', address: 'here', upload: '', arriving: system.layout.arriving, scratch,
    ask: (name, body) => terminal.request(name, body), ...more,
  }).run();
}

test('a reader that hangs over a file is ended, and the file is skipped', async () => {
  // A file that does not come keeps the reader silent, as a drive does that tries a sector for ever.
  const files = slices({ name: 'silent', count: 3, size: 32 });
  const folder = media.make([{ path: 'listing', bytes: Buffer.from([{ files: 3 }, ...files.map(({ path, bytes }): UploadLine => [path, bytes.length, 0])].map((line) => `${JSON.stringify(line)}\n`).join('')) }, { path: '0', bytes: files[0]!.bytes }, { path: '2', bytes: files[2]!.bytes }]);
  const { id } = await imported({ folder, upload: true }, { silenceMs: 3_000 });
  const receipt = await settled(id);
  assert.deepEqual([receipt.archived, receipt.unreadable.map(({ path }) => path)], [2, [files[1]!.path]]);
  assert.match(receipt.unreadable[0]!.text, /gave no answer for 3 s/);
});

test('with too many such files the rest is given up: what came in is kept, and it is said', async () => {
  const files = slices({ name: 'given up', count: 11, size: 32 });
  const come = [0, 9];
  const folder = media.make([{ path: 'listing', bytes: Buffer.from([{ files: 11 }, ...files.map(({ path, bytes }): UploadLine => [path, bytes.length, 0])].map((line) => `${JSON.stringify(line)}\n`).join('')) }, ...come.map((number) => ({ path: String(number), bytes: files[number]!.bytes }))]);
  const { id } = await imported({ folder, upload: true }, { silenceMs: 1_500 });
  const receipt = await settled(id);
  assert.deepEqual([receipt.state, receipt.archived, receipt.unreadable.length, receipt.fates.unreached], ['settled', 1, 8, 2]);
  assert.match(await recorded(id), /medium-settled.*2 not read, since the import was stopped/s);
  assert.match(receipt.problem, /^Reading was given up: 8 of its files stopped the reader/);
});

test('an upload that somebody stopped: what had not come is named as not read, not as unreadable', async () => {
  const files = slices({ name: 'cancelled', count: 4, size: 32 });
  const { id, folder } = await upload(files.map((file, number) => (number < 2 ? file : { ...file, bytes: Buffer.alloc(0), length: -1 })));
  writeFileSync(join(folder, 'cancelled'), '');
  const receipt = await settled(id);
  assert.deepEqual([receipt.state, receipt.archived, receipt.done, receipt.files], ['settled', 2, 2, 4]);
  assert.deepEqual([receipt.fates.unreadable, receipt.fates.unreached, receipt.unreached.map(({ path }) => path)], [undefined, 2, [files[2]!.path, files[3]!.path]]);
  assert.match((await system.lazaret('import', '--receipt', id)).stdout, /Not read, since the import was stopped before: 2\n[^]*Import the medium again/);
});

test('a medium over whose list of files the reader dies is no medium: said after three attempts', async () => {
  const path = media.make(zip(Array.from({ length: 60_000 }, (_, number) => ({ path: `FOLDER WITH A LONG NAME/${'x'.repeat(100)}${number}`, bytes: Buffer.alloc(0) }))), '.zip');
  const descriptor = openSync(path, 'r');
  const log: string[] = [];
  try {
    await assert.rejects(imported({ descriptor, length: statSync(path).size }, { log: (line) => log.push(line) }, 12), { code: 'medium-unreadable', message: /listing its files stopped the reader 3 times/ });
  } finally {
    closeSync(descriptor);
  }
  assert.equal(log.filter((line) => line.startsWith('The reader of a medium stopped over the list of files')).length, 3);
  assert.deepEqual(readdirSync(system.layout.arriving), []);
});

test('a program that cannot be started is not blamed on the medium', async () => {
  await assert.rejects(imported({ folder: media.make(slices({ name: 'unread', count: 1, size: 32 })) }, { start: { command: '/bin/false', args: [], env: {} } }), { code: 'media-failed' });
});
