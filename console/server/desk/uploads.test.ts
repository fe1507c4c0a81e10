import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { test, type TestContext } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import type { UploadLine } from '@lazaret/pacs/reception/media/contract.ts';
import type { UploadState } from '../deskanswers.ts';
import { uploadLimits, type UploadLimits } from './limits.ts';
import { Uploads } from './uploads.ts';

const ann = { name: 'ann', address: '::1' };
const ben = { name: 'ben', address: '::1' };
const importId = 'cd'.repeat(16);

function made(t: TestContext, limits: Partial<UploadLimits> = {}, folder = mkdtempSync(join(tmpdir(), 'lazaret-uploads-'))) {
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const asked: unknown[] = [];
  const clock = { now: 1_000_000 };
  const keeper = { request: async <Answer>(name: string, body: unknown): Promise<Answer> => { asked.push([name, body]); return { id: importId } as Answer; } };
  const uploads = new Uploads({ folder, keeper, limits: { ...uploadLimits, diskFreeBytesMin: 0, ...limits }, now: () => clock.now });
  return { uploads, folder, asked, clock };
}
const begin = (lengths: readonly number[], key = 'a'.repeat(64)) => ({ name: 'KLINIK NORD', kind: 'files' as const, key, files: lengths.length, bytes: lengths.reduce((sum, each) => sum + each, 0) });
const linesOf = (lengths: readonly number[]): UploadLine[] => lengths.map((bytes, index) => [`DICOM/IM${index}`, bytes, 0]);

async function listed(uploads: Uploads, lengths: readonly number[], key?: string, lines = linesOf(lengths)): Promise<UploadState> {
  const { upload } = await uploads.begin(ann, begin(lengths, key));
  return uploads.list(ann, upload, 0, lines);
}
function frame(number: number, bytes: Buffer, length = bytes.length): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(number, 0);
  head.writeUInt32BE(length, 4);
  return Buffer.concat([head, bytes]);
}
/** A body that comes in odd pieces. */
const body = (bytes: Buffer, size = 5): Readable => Readable.from(Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) => bytes.subarray(index * size, (index + 1) * size)));
/** A connection that is lost after its bytes. */
const lost = (bytes: Buffer): Readable => Readable.from((async function* () { yield bytes; throw new Error('aborted'); })());

test('small files in batches and a large one in pieces lie under their numbers, and the import is asked for with the listing', async (t) => {
  const { uploads, folder, asked } = made(t);
  const { upload } = await listed(uploads, [3, 0, 10]);
  assert.deepEqual(asked, [['import', { do: 'ask', upload, label: 'KLINIK NORD', person: 'ann', address: '::1' }]], 'reading begins beside sending');
  await uploads.batch(ann, upload, body(frame(0, Buffer.from('abc')), 2));
  await uploads.piece(ann, upload, 2, 0, body(Buffer.from('01234')));
  const state = await uploads.piece(ann, upload, 2, 5, body(Buffer.from('56789')));
  assert.deepEqual([state.have, state.parts, state.import], [[[0, 2]], [], importId]);
  const at = join(folder, upload);
  assert.deepEqual(readdirSync(at).toSorted(), ['0', '1', '2', 'import', 'listing']);
  assert.deepEqual(['0', '1', '2'].map((name) => readFileSync(join(at, name), 'utf8')), ['abc', '', '0123456789']);
  const [head, ...lines] = readFileSync(join(at, 'listing'), 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line) as unknown);
  assert.deepEqual([(head as { person: string }).person, lines], ['ann', linesOf([3, 0, 10])]);
  assert.equal(statSync(join(at, '0')).mode & 0o777, 0o600);
});

test('a lost connection keeps what came; the same disc given again goes on, after a restart of the server too', async (t) => {
  const { uploads, folder } = made(t);
  const lengths = [4, 4, 10];
  const { upload } = await listed(uploads, lengths);
  await assert.rejects(uploads.batch(ann, upload, lost(Buffer.concat([frame(0, Buffer.from('aaaa')), frame(1, Buffer.from('bb'), 4)]))));
  await assert.rejects(uploads.piece(ann, upload, 2, 0, lost(Buffer.from('0123'))));
  const again = await uploads.begin(ann, begin(lengths));
  assert.deepEqual([again.upload, again.have, again.parts], [upload, [[0, 0]], [[1, 2], [2, 4]]]);
  const restarted = made(t, {}, folder).uploads;
  const known = await restarted.begin(ann, begin(lengths));
  assert.deepEqual([known.upload, known.have, known.parts, known.import], [upload, [[0, 0]], [[1, 2], [2, 4]], importId]);
  assert.deepEqual((await restarted.ofPerson(ann)).map((each) => each.upload), [upload]);
  await assert.rejects(restarted.piece(ann, upload, 2, 3, body(Buffer.from('x'))), { code: 'offset-wrong', message: /4 bytes/ });
  await restarted.piece(ann, upload, 2, 4, body(Buffer.from('456789')));
  const whole = await restarted.batch(ann, upload, body(Buffer.concat([frame(0, Buffer.from('aaaa')), frame(1, Buffer.from('bbbb'))])));
  assert.deepEqual(whole.have, [[0, 2]]);
  assert.equal(readFileSync(join(folder, upload, '2'), 'utf8'), '0123456789');
});

test('an upload belongs to who began it', async (t) => {
  const { uploads } = made(t);
  const { upload } = await listed(uploads, [1]);
  for (const work of [uploads.state(ben, upload), uploads.piece(ben, upload, 0, 0, body(Buffer.from('x'))), uploads.batch(ben, upload, body(Buffer.from('x'))), uploads.list(ben, upload, 0, []), uploads.cancel(ben, upload), uploads.spoil(ben, upload, 0, 'x')]) {
    await assert.rejects(work, { code: 'upload-unknown' });
  }
  assert.deepEqual(await uploads.ofPerson(ben), []);
  assert.notEqual((await uploads.begin(ben, begin([1]))).upload, upload, 'the same disc of somebody else is another upload');
});

test('names are data: those that lead somewhere are refused with what to do, all others change nothing on disk', async (t) => {
  const { uploads, folder } = made(t);
  for (const [index, [path, code]] of ([
    ['../../../etc/passwd', 'name-refused'], ['/etc/passwd', 'name-refused'], ['a/./b', 'name-refused'], ['a//b', 'name-refused'], ['a\0b', 'name-refused'], ['a/'.repeat(64) + 'b', 'folders-too-deep'], ['n'.repeat(1_001), 'name-too-long'],
  ] as const).entries()) {
    await assert.rejects(listed(uploads, [1], String(index).repeat(64), [[path, 1, 0]]), { severity: 'refused', code, message: /(Rename|Shorten|Give)/ }, path.slice(0, 20));
    await uploads.cancel(ann, (await uploads.begin(ann, begin([1], String(index).repeat(64)))).upload);
  }
  // Reserved names, names that differ in case only, and names of our own files.
  const names = ['CON', 'aux.txt', 'IM1', 'im1', 'listing', 'cancelled', '0', '0.part', 'C:\\autorun.inf', '\u202egpj.exe', '~', '-rf', '$(reboot)', 'ü\u0308'];
  const { upload } = await listed(uploads, names.map(() => 1), 'f'.repeat(64), names.map((name): UploadLine => [name, 1, 0]));
  await uploads.batch(ann, upload, body(Buffer.concat(names.map((_, number) => frame(number, Buffer.from([number]))))));
  assert.deepEqual(readdirSync(join(folder, upload)).toSorted(), [...names.map((_, number) => String(number)), 'import', 'listing'].toSorted());
});

test('what is too much is refused before it comes', async (t) => {
  const { uploads } = made(t, { filesMax: 3, bytesMax: 100, openOfPersonMax: 2, openMax: 3, listingBytesMax: 200 });
  await assert.rejects(uploads.begin(ann, begin([1, 1, 1, 1])), { code: 'files-exceeded', message: /ZIP/ });
  await assert.rejects(uploads.begin(ann, begin([101])), { code: 'bytes-exceeded' });
  const one = await uploads.begin(ann, begin([1, 2], 'b'.repeat(64)));
  await assert.rejects(uploads.list(ann, one.upload, 0, linesOf([1, 2, 3])), { code: 'files-exceeded' });
  await assert.rejects(uploads.list(ann, one.upload, 0, linesOf([1, 3])), { code: 'bytes-exceeded' });
  await assert.rejects(uploads.list(ann, one.upload, 1, linesOf([1])), { code: 'offset-wrong' });
  await assert.rejects(uploads.list(ann, one.upload, 0, [['n'.repeat(250), 1, 0]]), { code: 'names-exceeded' });
  await assert.rejects(uploads.piece(ann, one.upload, 0, 0, body(Buffer.from('x'))), { code: 'listing-open' });
  await uploads.begin(ann, begin([1], 'c'.repeat(64)));
  await assert.rejects(uploads.begin(ann, begin([1], 'd'.repeat(64))), { code: 'uploads-exceeded', message: /cancel one/ });
  await uploads.begin(ben, begin([1]));
  await assert.rejects(uploads.begin({ name: 'eve', address: '' }, begin([1])), { code: 'uploads-exceeded', severity: 'unavailable' });
  await assert.rejects(made(t, { diskFreeBytesMin: 2 ** 60 }).uploads.begin(ann, begin([1])), { code: 'disk-full', message: /free/ });
  const busy = made(t, { streamsMax: 0 }).uploads;
  const { upload } = await listed(busy, [1]);
  await assert.rejects(busy.piece(ann, upload, 0, 0, body(Buffer.from('x'))), { code: 'streams-exceeded', severity: 'unavailable' });
});

test('bytes beyond what was announced, unknown files and torn batches are refused', async (t) => {
  const { uploads, folder } = made(t);
  const { upload } = await listed(uploads, [4, 4]);
  await assert.rejects(uploads.piece(ann, upload, 0, 0, body(Buffer.from('12345'))), { code: 'length-exceeded' });
  await assert.rejects(uploads.piece(ann, upload, 0, 9, body(Buffer.from('1'))), { code: 'offset-wrong' });
  await assert.rejects(uploads.piece(ann, upload, 2, 0, body(Buffer.from('1'))), { code: 'file-unknown' });
  await assert.rejects(uploads.batch(ann, upload, body(frame(7, Buffer.from('1234')))), { code: 'length-wrong' });
  await assert.rejects(uploads.batch(ann, upload, body(frame(0, Buffer.from('12345')))), { code: 'length-wrong' });
  await assert.rejects(uploads.batch(ann, upload, body(Buffer.from('123'))), { code: 'length-wrong' });
  assert.ok(!existsSync(join(folder, upload, '0')));
  // A link that somebody else put there is not written through.
  const outside = join(folder, 'outside');
  writeFileSync(outside, '');
  rmSync(join(folder, upload, '1.part'), { force: true });
  symlinkSync(outside, join(folder, upload, '1.part'));
  await assert.rejects(uploads.piece(ann, upload, 1, 1, body(Buffer.from('234'))), { code: 'upload-failed' });
  await uploads.piece(ann, upload, 1, 0, body(Buffer.from('1234')));
  assert.equal(readFileSync(outside, 'utf8'), '');
});

test('cancelling waits for what is being written: the answer counts it, and what never ends does not count later', async (t) => {
  const { uploads, folder } = made(t);
  const { upload } = await listed(uploads, [4, 4, 4]);
  const { promise: cut, resolve: broken } = Promise.withResolvers<void>();
  const writing = async (id: string): Promise<void> => { while (!existsSync(join(folder, id, '0.part')) && !existsSync(join(folder, id, '0'))) await wait(1); };
  // Two files have come, the third is on the way when the connection breaks.
  const sending = uploads.batch(ann, upload, Readable.from((async function* () { yield Buffer.concat([frame(0, Buffer.from('abcd')), frame(1, Buffer.from('efgh'))]); await cut; yield frame(2, Buffer.from('ij'), 4); throw new Error('aborted'); })()));
  await writing(upload);
  const cancelled = uploads.cancel(ann, upload);
  broken();
  await assert.rejects(sending, /aborted/);
  assert.deepEqual((await cancelled).have, [[0, 1]]);
  const other = await listed(uploads, [4], 'b'.repeat(64));
  const { promise: stalled, resolve: go } = Promise.withResolvers<void>();
  const late = uploads.batch(ann, other.upload, Readable.from((async function* () { yield frame(0, Buffer.from('ab'), 4); await stalled; yield Buffer.from('cd'); })()));
  await writing(other.upload);
  assert.deepEqual((await uploads.cancel(ann, other.upload)).have, [], 'it is not waited for without end');
  go();
  await assert.rejects(late, { code: 'upload-cancelled' });
  assert.ok(!existsSync(join(folder, other.upload, '0')));
});

test('a file that the browser cannot read is told of, and what is cancelled is read as far as it came', async (t) => {
  const { uploads, folder, asked } = made(t);
  const { upload } = await listed(uploads, [4, 4]);
  assert.deepEqual((await uploads.spoil(ann, upload, 1, 'the drive cannot read it')).have, [[1, 1]]);
  assert.equal(readFileSync(join(folder, upload, '1.bad'), 'utf8'), 'the drive cannot read it');
  asked.length = 0;
  assert.deepEqual((await uploads.cancel(ann, upload)).have, [[1, 1]], 'how far it had come');
  assert.ok(existsSync(join(folder, upload, 'cancelled')));
  assert.equal(asked.length, 1, 'the importer is told');
  await assert.rejects(uploads.piece(ann, upload, 0, 0, body(Buffer.from('1234'))), { code: 'upload-cancelled' });
  assert.notEqual((await uploads.begin(ann, begin([4, 4]))).upload, upload, 'it can be given again');
});

test('an image is asked for when it is whole; an upload without a listing leaves nothing', async (t) => {
  const { uploads, folder, asked } = made(t);
  const image = await uploads.begin(ann, { ...begin([6]), kind: 'image', name: 'disc.iso' });
  await uploads.list(ann, image.upload, 0, [['disc.iso', 6, 0]]);
  await uploads.piece(ann, image.upload, 0, 0, body(Buffer.from('012')));
  assert.deepEqual(asked, []);
  await uploads.piece(ann, image.upload, 0, 3, body(Buffer.from('345')));
  assert.equal(asked.length, 1);
  const { upload } = await uploads.begin(ann, begin([1], 'b'.repeat(64)));
  await uploads.cancel(ann, upload);
  assert.ok(!existsSync(join(folder, upload)));
});

test('reading that ended without an end is asked for again, ever more seldom', async (t) => {
  const { uploads, clock, asked } = made(t);
  const { upload } = await listed(uploads, [4]);
  await uploads.batch(ann, upload, body(frame(0, Buffer.from('1234'))));
  asked.length = 0;
  for (let second = 0; second < 3_600; second += 10) {
    clock.now += 10_000;
    await uploads.sweep();
  }
  assert.ok(asked.length >= 5 && asked.length <= 10, `${asked.length} times in an hour`);
});

test('after a day nobody goes on: what came is read, and at a start what is no upload is removed', async (t) => {
  const { uploads, folder, clock, asked } = made(t);
  const { upload } = await listed(uploads, [4, 4]);
  const { upload: unlisted } = await uploads.begin(ann, begin([1], 'b'.repeat(64)));
  clock.now += uploadLimits.idleMs + 1;
  asked.length = 0;
  await uploads.sweep();
  assert.ok(existsSync(join(folder, upload, 'cancelled')));
  assert.equal(asked.length, 1);
  assert.ok(!existsSync(join(folder, unlisted)));
  mkdirSync(join(folder, 'e'.repeat(32)));
  writeFileSync(join(folder, 'stray'), '');
  rmSync(join(folder, upload), { recursive: true });
  await uploads.sweep();
  await assert.rejects(uploads.state(ann, upload), { code: 'upload-unknown' }, 'read and removed by the importer');
  assert.deepEqual(await made(t, {}, folder).uploads.ofPerson(ann), []);
  assert.deepEqual(readdirSync(folder), []);
});
