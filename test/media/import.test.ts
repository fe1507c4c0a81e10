/** Media through the whole system: what a desk sees on a day, from the command line and through an upload. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { connectChannel } from '@lazaret/system/channel.ts';
import { summarize, readEntries } from '@lazaret/audit/reading.ts';
import { isImage, type ImportStatus, type Receipt, type UploadHead, type UploadLine } from '@lazaret/pacs/reception/media/contract.ts';
import { patients } from '@lazaret/tools/recipes/objects.ts';
import { fat16, iso, udf } from '@lazaret/tools/recipes/images.ts';
import { cleanDisc, companions, dicomdir, infectedDisc, sliceUID, slices, writeFolder, zip, type MediumFile } from '@lazaret/tools/recipes/media.ts';
import { repository, startSystem, type System } from '../system.ts';
import { Media } from './medium.ts';

let system: System;
const media = new Media('import');
const { folder } = media;
before(async () => { system = await startSystem(null); });
after(async () => {
  await system.stop();
  rmSync(system.data, { recursive: true, force: true });
  rmSync(folder, { recursive: true, force: true });
});

const medium = (files: readonly MediumFile[] | Buffer, ending = ''): string => media.make(files, ending);

async function imported(path: string): Promise<{ readonly code: number; readonly receipt: Receipt }> {
  const { code, stdout, stderr } = await system.lazaret('import', path, '--json');
  assert.notEqual(stdout, '', stderr);
  return { code, receipt: JSON.parse(stdout) as Receipt };
}

/** Nothing waits in the arriving area, and no companion lies anywhere. */
function assertNothingLeft(): void {
  assert.deepEqual(readdirSync(system.layout.arriving), []);
  assert.deepEqual(readdirSync(join(system.layout.quarantine, 'companions')), []);
}

async function alerts(): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of readEntries(system.layout.audit)) {
    const text = JSON.stringify(summarize(entry.xml)) + entry.xml;
    if (entry.xml.includes('csd-code="110113"')) found.push(text);
  }
  return found;
}

test('a clean disc: the images come in, the viewer stays behind, the receipt says both', async () => {
  const { code, receipt } = await imported(medium(iso(cleanDisc('clean', 6), { label: 'KLINIK NORD' }), '.iso'));
  assert.equal(code, 0);
  assert.equal(receipt.state, 'settled');
  assert.deepEqual([receipt.medium.kind, receipt.medium.label], ['iso9660', 'KLINIK NORD']);
  assert.deepEqual([receipt.archived, receipt.held, receipt.patients, receipt.studies.length], [6, 0, 1, 1]);
  assert.equal(receipt.studies[0]!.patientName, patients[0]!.name);
  assert.deepEqual(receipt.studies[0]!.series.map((series) => series.instances), [6]);
  assert.deepEqual(receipt.left.map(({ path, what }) => [path, what]).toSorted(), [
    ['AUTORUN.INF', 'autorun file'], ['INDEX.HTM', 'web page'], ['README.TXT', 'text'], ['VIEWER/VIEWER.EXE', 'Windows program'],
  ]);
  assert.ok(receipt.left.every(({ sha256 }) => /^[0-9a-f]{64}$/.test(sha256)));
  assert.deepEqual(receipt.directories.map(({ listed, absentCount, unlistedCount, differentCount }) => [listed, absentCount, unlistedCount, differentCount]), [[6, 0, 0, 0]]);
  const found = JSON.parse((await system.ask(`/dicomweb/studies?StudyInstanceUID=${receipt.studies[0]!.studyInstanceUID}`)).body.toString()) as unknown[];
  assert.equal(found.length, 1);
  assertNothingLeft();
});

test('the same again, as a folder, a stick, another disc and a ZIP file: all known, and success', async () => {
  const files = cleanDisc('clean', 6);
  for (const path of [medium(files), medium(fat16(files), '.img'), medium(udf(files), '.iso'), medium(zip(files), '.zip')]) {
    const { code, receipt } = await imported(path);
    assert.equal(code, 0, path);
    assert.deepEqual([receipt.archived, receipt.duplicates, receipt.left.length], [6, 6, 4], path);
  }
  assertNothingLeft();
});

test('an infected disc: the clean study comes in, the object is held, the viewer is an alert that names the disc', async () => {
  const { code, receipt } = await imported(medium(iso(infectedDisc('infected'), { label: 'DISC OF 2001' }), '.iso'));
  assert.equal(code, 3);
  assert.deepEqual([receipt.archived, receipt.held, receipt.malicious], [6, 1, 1]);
  assert.deepEqual(receipt.infected.map(({ path }) => path), ['VIEWER/VIEWER.EXE']);
  assert.match(receipt.infected[0]!.text, /EICAR/);
  assert.deepEqual(receipt.withheld.map(({ path, verdict }) => [path, verdict]), [['DICOM/PA000002/IM000001', 'malicious']]);
  assert.ok((await alerts()).some((text) => text.includes('medium-infected') && text.includes('DISC OF 2001') && text.includes('110032')));
  assertNothingLeft();
});

test('a damaged disc: what is whole comes in, what is not is named with its place', async () => {
  const whole = iso(slices({ name: 'damaged', count: 5, patient: patients[2]! }), { joliet: false });
  const { code, receipt } = await imported(medium(whole.subarray(0, whole.length - 6_000), '.iso'));
  assert.equal(code, 1);
  assert.deepEqual([receipt.archived, receipt.held], [4, 0]);
  assert.deepEqual(receipt.unreadable.map(({ path }) => path), ['DICOM/PA000001/IM000005']);
  assert.match(receipt.unreadable[0]!.text, /^bytes \d+ to \d+: the medium ends/);
  assertNothingLeft();
});

test('two patients on one disc, and a directory that is wrong about it', async () => {
  const one = slices({ name: 'two, first', count: 2, patient: patients[1]!, folder: 'DICOM/PA000001' });
  const two = slices({ name: 'two, second', count: 2, patient: patients[3]!, folder: 'DICOM/PA000002' });
  const listed = [
    { path: 'DICOM/PA000001/IM000001', sopInstanceUID: sliceUID(one[0]!) }, { path: 'DICOM/PA000001/IM000002', sopInstanceUID: '2.25.404' }, { path: 'DICOM/PA000001/IM000003', sopInstanceUID: '2.25.405' },
    { path: 'DICOM/PA000002/IM000001', sopInstanceUID: sliceUID(two[0]!) },
  ];
  const { code, receipt } = await imported(medium([...one, ...two, { path: 'DICOMDIR', bytes: dicomdir(listed) }]));
  assert.equal(code, 0);
  assert.deepEqual([receipt.archived, receipt.patients, receipt.studies.length], [4, 2, 2]);
  const [directory] = receipt.directories;
  assert.deepEqual([directory!.absent, directory!.different, directory!.unlisted], [['DICOM/PA000001/IM000003'], ['DICOM/PA000001/IM000002'], ['dicom/pa000002/im000002']]);
});

test('a disc with nothing on it says so; what is no medium says what to do', async () => {
  const nothing = await imported(medium(iso(companions()), '.iso'));
  assert.equal(nothing.code, 1);
  assert.deepEqual([nothing.receipt.archived, nothing.receipt.left.length], [0, 4]);
  assert.match((await system.lazaret('import', '--receipt', nothing.receipt.id)).stdout, /There are no images on this medium/);
  const other = await system.lazaret('import', medium(Buffer.from('hello\n'), '.txt'));
  assert.equal(other.code, 1);
  assert.match(other.stderr, /no image of a disc or stick/);
  assert.equal((await system.lazaret('import', join(folder, 'absent'))).code, 1);
  assert.equal((await system.lazaret('import')).code, 2);
});

test('a receipt is kept: the same later by its first digits, and in the list', async () => {
  const { receipt } = await imported(medium(slices({ name: 'kept', count: 1 })));
  const again = await system.lazaret('import', '--receipt', receipt.id.slice(0, 10), '--json');
  assert.deepEqual(JSON.parse(again.stdout), receipt);
  assert.match((await system.lazaret('import', '--list')).stdout, new RegExp(receipt.id.slice(0, 8)));
});

test('links do not lead out of a medium', async () => {
  const path = medium(slices({ name: 'links', count: 1 }));
  const outside = medium(slices({ name: 'outside', count: 3 }));
  symlinkSync(outside, join(path, 'DICOM', 'more'));
  symlinkSync(join(outside, 'DICOM/PA000001/IM000001'), join(path, 'IM000002'));
  const { receipt } = await imported(path);
  assert.deepEqual([receipt.archived, receipt.fates.link], [1, 2]);
});

test('an import that is interrupted goes on where it was', async () => {
  const path = medium(slices({ name: 'interrupted', count: 400, size: 96 }));
  const child = spawn(process.execPath, [join(repository, 'cli/main.ts'), '--data', system.data, 'import', path, '--json'], { cwd: repository, stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => { said += chunk.toString(); });
  const gone = new Promise<number | null>((resolve) => child.once('close', resolve));
  const terminal = await connectChannel(system.layout.sockets.terminal);
  for (;;) {
    const [newest] = await terminal.request<ImportStatus[]>('import', { do: 'list', limit: 1 });
    if (newest !== undefined && newest.files === 400 && newest.done > 20) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  child.kill('SIGINT');
  assert.equal(await gone, 1);
  const first = JSON.parse(said) as Receipt;
  terminal.close();
  assert.equal(first.state, 'interrupted');
  assert.ok(first.done < 400);
  assert.deepEqual([first.fates.unreached, first.fates.unreadable], [400 - first.done, undefined]);
  const { code, receipt } = await imported(path);
  assert.equal(code, 0);
  assert.equal(receipt.id, first.id);
  assert.deepEqual([receipt.archived, receipt.done, receipt.held, receipt.fates.unreached], [400, 400, 0, undefined]);
  assertNothingLeft();
});

test('an upload of the desk page is read by the importer and removed', async () => {
  const web = await connectChannel(system.layout.sockets.web);
  const settled = async (id: string): Promise<Receipt> => {
    for (;;) {
      const status = await web.request<ImportStatus>('import', { do: 'status', id });
      if (status.state === 'settled' || status.state === 'failed') return web.request<Receipt>('import', { do: 'receipt', id });
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  const ask = async (files: readonly MediumFile[]): Promise<{ upload: string; receipt: Receipt }> => {
    const upload = randomBytes(16).toString('hex');
    // As web writes it (pacs/reception/media/contract.ts): numbers for names.
    const image = files.length === 1 && isImage(files[0]!.path);
    const head: UploadHead = { person: 'desk', name: 'Klinik Süd', kind: image ? 'image' : 'files', key: '', files: files.length, bytes: 0, begunAt: 0 };
    writeFolder(join(system.layout.uploads, upload), [
      { path: 'listing', bytes: Buffer.from([head, ...files.map(({ path, bytes }): UploadLine => [path, bytes.length, 0])].map((line) => `${JSON.stringify(line)}\n`).join('')) },
      ...files.map(({ bytes }, number) => ({ path: String(number), bytes })),
    ]);
    const { id } = await web.request<{ id: string }>('import', { do: 'ask', upload, label: 'Klinik Süd', person: 'desk', address: '127.0.0.1' });
    return { upload, receipt: await settled(id) };
  };
  const tree = await ask(cleanDisc('upload', 3, patients[3]!));
  assert.deepEqual([tree.receipt.state, tree.receipt.archived, tree.receipt.left.length, tree.receipt.person, tree.receipt.medium.label], ['settled', 3, 4, 'desk', 'Klinik Süd']);
  const image = await ask([{ path: 'disc.iso', bytes: iso(cleanDisc('upload image', 2, patients[3]!)) }]);
  assert.deepEqual([image.receipt.state, image.receipt.archived, image.receipt.medium.kind], ['settled', 2, 'iso9660']);
  const wrong = await ask([{ path: 'disc.iso', bytes: Buffer.from('no disc') }]);
  assert.deepEqual([wrong.receipt.state, wrong.receipt.archived], ['failed', 0]);
  assert.ok(!existsSync(join(system.layout.uploads, tree.upload)));
  // The page may start a medium and ask about it; what a reader of media says is not for it to say.
  await assert.rejects(web.request('import', { do: 'begin' }), /no such request/);
  web.close();
  assertNothingLeft();
});

test('everything is on the record', async () => {
  const { code, stdout } = await system.lazaret('audit', 'verify');
  assert.equal(code, 0, stdout);
});
