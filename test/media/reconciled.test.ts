/** A disc from elsewhere, put under a local patient: through the command line and the web, and what other people's programs read of it. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { readEntries } from '@lazaret/audit/reading.ts';
import { fat16, iso } from '@lazaret/tools/recipes/images.ts';
import { cleanDisc, slices, type MediumFile } from '@lazaret/tools/recipes/media.ts';
import { recipes } from '@lazaret/tools/recipes/all.ts';
import { ctSlice, patients } from '@lazaret/tools/recipes/objects.ts';
import { withElements } from '@lazaret/tools/recipes/encode.ts';
import { fileOf } from '@lazaret/tools/recipes/series.ts';
import type { Receipt } from '@lazaret/pacs/reception/media/contract.ts';
import { peer } from '../peers.ts';
import { startSystem, type Ended, type System } from '../system.ts';
import { Media } from './medium.ts';

const [here, elsewhere, third] = patients as readonly [typeof patients[number], typeof patients[number], typeof patients[number]];
const media = new Media('reconciled');
const { folder } = media;
let system: System;
let study = '';
before(async () => {
  system = await startSystem(null);
  await system.lazaret('import', medium(slices({ name: 'local', count: 2, patient: here })));
});
after(async () => {
  await system.stop();
  rmSync(system.data, { recursive: true, force: true });
  rmSync(folder, { recursive: true, force: true });
});

const medium = (files: readonly MediumFile[] | Buffer, ending = ''): string => media.make(files, ending);
async function query(path: string): Promise<Record<string, { Value?: unknown[] }>[]> {
  const { status, body } = await system.ask(`/dicomweb${path}`);
  return status === 204 ? [] : JSON.parse(body.toString()) as Record<string, { Value?: unknown[] }>[];
}
const receiptIn = ({ stdout, stderr }: Ended): Receipt => {
  assert.notEqual(stdout, '', stderr);
  return JSON.parse(stdout) as Receipt;
};
/** Where the files of a multipart answer begin. */
function partsOf(body: Buffer): number[] {
  const starts: number[] = [];
  for (let at = body.indexOf('DICM'); at >= 0; at = body.indexOf('DICM', at + 1)) starts.push(at - 128);
  return starts;
}
const instancesOf = async (uid: string): Promise<string[]> => (await query(`/studies/${uid}/instances`)).map((one) => `/dicomweb/studies/${uid}/series/${String(one['0020000E']!.Value![0])}/instances/${String(one['00080018']!.Value![0])}`);
async function retrieved(path: string): Promise<{ readonly bytes: Buffer; readonly etag: string; readonly length: number }> {
  const { status, body, headers } = await system.ask(path, { headers: { accept: 'application/dicom; transfer-syntax=*' } });
  assert.equal(status, 200, body.toString());
  return { bytes: body, etag: String(headers['etag']), length: Number(headers['content-length']) };
}

test('a disc under a local patient: found and served as theirs, and the bytes that came are in the archive', async (t) => {
  const disc = cleanDisc('foreign', 4, elsewhere);
  const done = await system.lazaret('import', medium(iso(disc, { label: 'ST ELSEWHERE' }), '.iso'), '--patient', here.id, '--json');
  assert.equal(done.code, 0, done.stderr);
  const receipt = receiptIn(done);
  assert.deepEqual([receipt.archived, receipt.unreconciled, receipt.studies.length], [4, 0, 1]);
  assert.deepEqual([receipt.studies[0]!.patientID, receipt.studies[0]!.identity!.state, receipt.studies[0]!.identity!.servedAs!.patientName], [elsewhere.id, 'taken', here.name]);
  study = receipt.studies[0]!.studyInstanceUID;
  assert.match((await system.lazaret('import', '--receipt', receipt.id)).stdout, new RegExp(`served as ${here.name.replace('^', '\\^')}`));

  // QIDO: the local patient has it, the foreign one is not known.
  assert.deepEqual((await query(`/studies?PatientID=${elsewhere.id}`)).length, 0);
  const found = (await query(`/studies?PatientID=${here.id}`)).find((one) => one['0020000D']!.Value![0] === study)!;
  assert.deepEqual([(found['00100010']!.Value![0] as { Alphabetic: string }).Alphabetic, found['00100030']!.Value![0], found['00201208']!.Value![0]], [here.name, here.birthDate, 4]);
  // An attribute that only the metadata hold, at the instance level.
  const [deep] = await query(`/studies/${study}/instances?includefield=all`);
  assert.ok(deep!['04000561'] !== undefined);

  const paths = await instancesOf(study);
  assert.equal(paths.length, 4);
  const [path] = paths as [string];
  const whole = await retrieved(path);
  assert.equal(whole.length, whole.bytes.length);
  const metadata = (JSON.parse((await system.ask(`${path}/metadata`)).body.toString()) as Record<string, { Value?: unknown[] }>[])[0]!;
  assert.deepEqual(metadata['00100020']!.Value, [here.id]);
  const original = disc.find(({ bytes }) => bytes.includes(Buffer.from(path.slice(path.lastIndexOf('/') + 1))) && bytes.length > 4_000)!.bytes;
  assert.ok(!whole.bytes.equals(original));
  const digest = createHash('sha256').update(original).digest('hex');
  assert.ok(readFileSync(join(system.layout.archive, digest.slice(0, 2), digest)).equals(original), 'the archive holds what was on the disc');
  // Pixels are those of the disc: a frame, and all of them in the study as multipart.
  const frame = await system.ask(`${path}/frames/1`, { headers: { accept: 'application/octet-stream; transfer-syntax=*' } });
  assert.equal(frame.status, 200);
  for (const bytes of [original, whole.bytes]) assert.ok(bytes.subarray(-frame.body.length).equals(frame.body));
  const all = await system.ask(`/dicomweb/studies/${study}`, { headers: { accept: 'multipart/related; type="application/dicom"; transfer-syntax=*' } });
  assert.equal(Number(all.headers['content-length']), all.body.length);
  assert.ok(partsOf(all.body).some((start) => all.body.subarray(start, start + whole.bytes.length).equals(whole.bytes)));
  assert.equal((await system.ask(path, { headers: { accept: 'application/dicom; transfer-syntax=*', 'if-none-match': whole.etag } })).status, 304);

  const file = join(folder, 'served.dcm');
  writeFileSync(file, whole.bytes);
  if (peer(t, 'dcmdump') === null) return;
  const said = execFileSync('dcmdump', [file], { encoding: 'utf8' });
  for (const word of [here.id, here.name, elsewhere.id, elsewhere.name, 'COERCE']) assert.ok(said.includes(word), said);
});

test('to another patient and back: the ETag changes each time, and in the end it is what was on the disc', async () => {
  const [path] = await instancesOf(study) as [string];
  const first = await retrieved(path);
  const refused = await system.lazaret('reconcile', study, '--patient', here.id);
  assert.equal(refused.code, 2, 'a reason is asked for');
  await system.lazaret('import', medium(slices({ name: 'third', count: 1, patient: third })));
  const changed = await system.lazaret('reconcile', study, '--patient', third.id, '--reason', 'the label was of somebody else', '--accession', 'A-77', '--json');
  assert.equal(changed.code, 0, changed.stderr);
  const second = await retrieved(path);
  assert.notEqual(second.etag, first.etag);
  assert.equal((await query(`/studies?PatientID=${third.id}&AccessionNumber=A-77`)).length, 1);
  assert.equal((await query(`/studies?PatientID=${here.id}`)).length, 1);
  const back = await system.lazaret('reconcile', study, '--back', '--reason', 'nobody knows them');
  assert.equal(back.code, 0, back.stderr);
  const last = await retrieved(path);
  const digest = createHash('sha256').update(last.bytes).digest('hex');
  assert.ok(readdirSync(join(system.layout.archive, digest.slice(0, 2))).includes(digest));
  assert.equal(last.etag, `"${digest}"`);
  assert.equal((await query(`/studies?PatientID=${elsewhere.id}`)).length, 1);
  const history = (await system.lazaret('reconcile', study, '--history', '--json')).stdout.trim().split('\n').map((line) => JSON.parse(line) as { replacement: { patientID: string } | null; reason: string });
  assert.deepEqual(history.map(({ replacement }) => replacement?.patientID ?? null), [null, third.id, here.id]);
});

test('two patients on one disc: refused before anything is in sight, and each study is said by itself', async () => {
  const one = slices({ name: 'two, first', count: 2, patient: elsewhere, folder: 'DICOM/PA000001' });
  const two = slices({ name: 'two, second', count: 1, patient: patients[3]!, folder: 'DICOM/PA000002' });
  const refused = await system.lazaret('import', medium(fat16([...one, ...two]), '.img'), '--patient', here.id, '--json');
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /studies of 2 patients.*Nothing of it is in sight/s);
  const receipt = receiptIn(refused);
  assert.deepEqual([receipt.archived, receipt.unreconciled], [3, 3]);
  for (const { studyInstanceUID, identity } of receipt.studies) {
    assert.equal(identity!.state, 'waiting');
    assert.deepEqual(await query(`/studies?StudyInstanceUID=${studyInstanceUID}`), []);
  }
  const [first, second] = receipt.studies as readonly [Receipt['studies'][number], Receipt['studies'][number]];
  assert.equal((await system.lazaret('reconcile', first.studyInstanceUID, '--patient', here.id, '--reason', 'asked at the desk')).code, 0);
  assert.equal((await system.lazaret('reconcile', second.studyInstanceUID, '--back', '--reason', 'as it is')).code, 0);
  assert.equal((await query(`/studies?StudyInstanceUID=${first.studyInstanceUID}&PatientID=${here.id}`)).length, 1);
  assert.equal((await query(`/studies?StudyInstanceUID=${second.studyInstanceUID}&PatientID=${second.patientID}`)).length, 1);
});

test('who is not known, or not alone under that ID, is said before the medium is read', async () => {
  const path = medium(slices({ name: 'never read', count: 1, patient: elsewhere }));
  const unknown = await system.lazaret('import', path, '--patient', 'NOBODY');
  assert.equal(unknown.code, 1);
  assert.match(unknown.stderr, /No patient has the ID NOBODY here.*reconcile --find/);
  await system.lazaret('import', medium(slices({ name: 'same id', count: 1, patient: { ...patients[3]!, id: third.id } })));
  const ambiguous = await system.lazaret('import', path, '--patient', third.id);
  assert.equal(ambiguous.code, 1);
  assert.match(ambiguous.stderr, /that of several patients/);
  assert.equal((await system.lazaret('import', path, '--patient', here.id, '--as-is')).code, 2);
  const found = await system.lazaret('reconcile', '--find', here.name.slice(0, 6).toLowerCase());
  assert.match(found.stdout, new RegExp(here.id));
});

test('as it is: in sight under its own identity at once', async () => {
  const done = await system.lazaret('import', medium(slices({ name: 'as it is', count: 1, patient: elsewhere })), '--as-is', '--json');
  assert.equal(done.code, 0, done.stderr);
  assert.equal((await query(`/studies?StudyInstanceUID=${receiptIn(done).studies[0]!.studyInstanceUID}&PatientID=${elsewhere.id}`)).length, 1);
});

test('deflated, and in a character set that cannot hold the name: served in UTF-8 and deflated again, as pydicom reads it; back again to the byte', async (t) => {
  const polish = { ...here, id: 'PL-7', name: 'ŁUCZAK^ŻANETA' };
  const local = fileOf(withElements(ctSlice({ name: 'polish', index: 0, count: 1, size: 16, patient: { ...polish, name: 'X' } }), ['0008,0005', 'CS', 'ISO_IR 192'], ['0010,0010', 'PN', polish.name]));
  assert.equal((await system.lazaret('import', medium([{ path: 'A', bytes: local }]))).code, 0);
  const packed = recipes.find(({ name }) => name === 'ct-deflated')!.bytes() as Buffer;
  // The texts of the recipes are in ISO_IR 100.
  const latin = fileOf(withElements(ctSlice({ name: 'latin', index: 0, count: 1, size: 16, patient: elsewhere }), ['0008,0090', 'PN', Buffer.from('GR\xdcN^J\xd6RG', 'latin1')], ['0020,4000', 'LT', Buffer.from('Gr\xf6\xdfe gepr\xfcft', 'latin1')]));
  const python = peer(t, 'python3');
  for (const bytes of [packed, latin]) {
    const imported = receiptIn(await system.lazaret('import', medium([{ path: 'B', bytes }]), '--as-is', '--json'));
    const uid = imported.studies[0]!.studyInstanceUID;
    const [path] = await instancesOf(uid) as [string];
    const received = await retrieved(path);
    const done = await system.lazaret('reconcile', uid, '--patient', polish.id, '--reason', 'it is theirs', '--json');
    assert.equal(done.code, 0, done.stdout + done.stderr);
    const served = await retrieved(path);
    assert.equal(served.length, served.bytes.length);
    assert.equal((await query(`/studies?PatientID=${polish.id}&StudyInstanceUID=${uid}`)).length, 1);
    const [metadata] = JSON.parse((await system.ask(`${path}/metadata`)).body.toString()) as [Record<string, { Value?: unknown[] }>];
    assert.deepEqual(metadata['00100010']!.Value, [{ Alphabetic: polish.name }]);
    if (python !== null) {
      for (const [name, content] of [['was.dcm', received.bytes], ['is.dcm', served.bytes]] as const) writeFileSync(join(folder, name), content);
      const program = `
import pydicom, sys
was, now = (pydicom.dcmread(sys.argv[1] + name) for name in ('/was.dcm', '/is.dcm'))
assert str(now.PatientName) == sys.argv[2] and now.PatientID == 'PL-7' and now.SpecificCharacterSet == 'ISO_IR 192', now
assert now.PixelData == was.PixelData and now.file_meta.TransferSyntaxUID == was.file_meta.TransferSyntaxUID
for word in ('ReferringPhysicianName', 'ImageComments', 'SeriesDescription'): assert str(now.get(word)) == str(was.get(word)), word
kept = now[0x04000561].value[-1][0x04000550].value[0]
assert str(kept.PatientName) == str(was.PatientName) and kept.PatientID == was.PatientID
print('read', now.get('ReferringPhysicianName'))
`;
      const said = execFileSync('/usr/bin/python3', ['-W', 'ignore', '-c', program, folder, polish.name], { encoding: 'utf8' });
      assert.match(said, bytes === latin ? /^read GRÜN\^JÖRG/ : /^read/);
    }
    assert.equal((await system.lazaret('reconcile', uid, '--back', '--reason', 'it was not')).code, 0);
    assert.ok((await retrieved(path)).bytes.equals(received.bytes));
  }
});

test('what people type is inspected, too: a description that is known from programs is not written into anything, and the study stays as it was', async () => {
  const imported = receiptIn(await system.lazaret('import', medium(slices({ name: 'typed', count: 1, patient: elsewhere })), '--as-is', '--json'));
  const uid = imported.studies[0]!.studyInstanceUID;
  const words = ['This program', 'cannot be run', 'in DOS mode'].join(' ');
  const refused = await system.lazaret('reconcile', uid, '--patient', here.id, '--description', words, '--reason', 'a try');
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /It cannot be: What would be written into the object was not found clean, in \(0008,1030\)/);
  assert.equal((await query(`/studies?StudyInstanceUID=${uid}&PatientID=${elsewhere.id}`)).length, 1);
});

test('who said whose it is, is on the record, and everything verifies', async () => {
  let said = 0;
  for await (const entry of readEntries(system.layout.audit)) if (entry.xml.includes('csd-code="110107"') && entry.xml.includes('reconciliation')) said += 1;
  assert.ok(said >= 8, `${said} entries`);
  for (const command of ['audit', 'verify'] as const) {
    const { code, stdout, stderr } = await system.lazaret(...(command === 'audit' ? ['audit', 'verify'] : ['verify']));
    assert.equal(code, 0, stdout + stderr);
  }
});
