import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { IncomingStudy, LocalPatient, PatientIdentity } from '@lazaret/pacs/archive/reconciliation/contract.ts';
import { candidatesOf, differencesOf, fit, marked, patientsOf, warnings } from './candidates.ts';
import { discsOf } from './sending/disc.ts';
import { pieceOf, planOf, sentOf } from './sending/plan.ts';
import { cancelledWords, dateOf, kindOf, remaining } from './words.ts';

const someone = (change: Partial<PatientIdentity> = {}): PatientIdentity => ({ patientName: 'Quarantotti^Marina', patientID: 'NB-1', issuerOfPatientID: '', patientBirthDate: '19580312', patientSex: 'F', ...change });
const local = (change: Partial<LocalPatient> = {}): LocalPatient => ({ ...someone({ patientID: '4711' }), studies: 1, lastStudyDate: '', ...change });

test('who fits: name, date of birth and number weigh, writing does not', () => {
  assert.ok(fit(someone(), someone({ patientName: 'QUARANTOTTI MARINA', patientID: '9' })) >= 7);
  assert.ok(fit(someone({ patientName: 'Mueller-Lüdenscheid^Änne' }), someone({ patientName: 'MUELLER LUDENSCHEID^ANNE' })) >= 7);
  assert.ok(fit(someone(), someone({ patientBirthDate: '19850312' })) < 5, 'another date of birth is hardly ever the same person');
  assert.ok(fit(someone(), someone({ patientName: 'Feluca^Dario', patientID: '9' })) < 5);
  const ranked = candidatesOf(someone(), [local({ patientName: 'Quarantotti^Mario', patientID: '1', patientBirthDate: '19850312', patientSex: 'M' }), local(), local()], []);
  assert.deepEqual(ranked.map(({ identity }) => identity.patientID), ['4711', '1'], 'each once, best first');
  const [order] = candidatesOf(someone(), [], [{ ...someone({ patientID: '4711' }), accessionNumber: 'A1', studyDescription: 'Head', requestedProcedureID: 'R', modality: 'CT', scheduledDate: '20260203' }]);
  assert.deepEqual([order!.from, order!.order, order!.identity.accessionNumber], ['worklist', 'Head, planned for 3 Feb 2026, order A1', 'A1']);
});

test('what differs is said in words and marked where it is', () => {
  const here = someone({ patientName: 'QUARANTOTTI^Maria', patientBirthDate: '', patientID: '4711', patientSex: 'M' });
  assert.deepEqual(differencesOf(someone(), here).map(({ what, verdict }) => [what, verdict]), [['Name', 'different'], ['Born', 'not known here'], ['Sex', 'different'], ['Number', 'different']]);
  assert.equal(differencesOf(someone(), someone({ patientName: 'MARINA^QUARANTOTTI' }))[0]!.verdict, 'written differently');
  assert.deepEqual(marked('Quarantotti, Marina', 'QUARANTOTTI, Maria').filter(({ differs }) => differs).map(({ text }) => text), ['Marina']);
  assert.deepEqual(warnings(someone(), here), ['the name', 'the sex']);
  assert.deepEqual(warnings(someone(), someone({ patientID: 'another' })), []);
});

test('studies of one patient are one question, those of two are two', () => {
  const study = (received: PatientIdentity): IncomingStudy => ({ studyInstanceUID: '1', state: 'waiting', problem: '', received: { ...received, accessionNumber: '', studyDescription: '', studyDate: '' }, replacement: null, instances: 1, series: [] });
  assert.deepEqual(patientsOf([study(someone()), study(someone({ patientName: 'QUARANTOTTI^MARINA' })), study(someone({ patientBirthDate: '19580313' }))]).map(({ studies }) => studies.length), [2, 1]);
});

test('folders are discs, images are discs of their own, loose files are one; what is likely an image is sent first', () => {
  const file = (path: string, bytes = 1): File => Object.defineProperty(new File([new Uint8Array(bytes)], path.split('/').at(-1)!), 'webkitRelativePath', { value: path.includes('/') ? path : '' });
  const discs = discsOf([file('CD/VIEWER/V.EXE'), file('CD/DICOM/IM1'), file('OTHER/IM1'), file('a.iso'), file('b.ZIP'), file('one.dcm'), file('two')]);
  assert.deepEqual(discs.map(({ name, kind, files }) => [name, kind, files.map(({ path }) => path)]), [
    ['CD', 'files', ['DICOM/IM1', 'VIEWER/V.EXE']], ['OTHER', 'files', ['IM1']], ['a.iso', 'image', ['a.iso']], ['b.ZIP', 'image', ['b.ZIP']], ['2 files', 'files', ['one.dcm', 'two']],
  ]);
});

test('small files go together, large ones in pieces, and nothing that is there goes again', () => {
  const MiB = 1024 ** 2;
  const lengths = [...Array.from({ length: 1_000 }, () => 100_000), 20 * MiB, 10];
  const fresh = planOf(lengths, { have: [], parts: [] });
  const batches = fresh.filter((job) => job.kind === 'batch');
  assert.ok(batches[0]!.bytes <= MiB / 2, 'the first is small: something is to be seen soon');
  assert.ok(batches.every(({ bytes, numbers }) => bytes <= 8 * MiB && numbers.length <= 500));
  assert.deepEqual(batches.flatMap(({ numbers }) => numbers).toSorted((one, other) => one - other), [...Array(1_000).keys(), 1_001]);
  const [large] = fresh.filter((job) => job.kind === 'large');
  assert.deepEqual(pieceOf(large!, 16 * MiB), [16 * MiB, 20 * MiB]);
  const rest = planOf(lengths, { have: [[0, 998]], parts: [[1_000, 5 * MiB]] });
  assert.deepEqual(rest.map((job) => (job.kind === 'large' ? [job.number, job.offset] : job.numbers)), [[1_000, 5 * MiB], [999, 1_001]]);
  assert.deepEqual(sentOf(lengths, { have: [[0, 998]], parts: [[1_000, 5 * MiB]] }), { files: 999, bytes: 999 * 100_000 + 5 * MiB });
});

test('words that need no training', () => {
  assert.deepEqual([kindOf('DX'), kindOf('ZZ'), kindOf('')], ['X-ray', 'ZZ', 'Images']);
  assert.deepEqual([dateOf('20091231'), dateOf('2009'), dateOf('20091399')], ['31 Dec 2009', '', '']);
  assert.deepEqual([remaining(3), remaining(34), remaining(200), remaining(Number.NaN)], ['a few seconds left', 'about 40 s left', 'about 4 min left', '']);
});

test('what is said of a cancelled disc is what became of it', () => {
  assert.equal(cancelledWords({ import: '', sentFiles: 0, files: 1 }), 'Cancelled. Nothing of it is kept.');
  assert.equal(cancelledWords({ import: '5', sentFiles: 0, files: 60 }), 'Cancelled. What had been sent is scanned, and stays out of sight.');
  assert.equal(cancelledWords({ import: '5', sentFiles: 6, files: 60 }), 'Cancelled. 6 of 60 files had been sent; they are scanned, and stay out of sight.');
});
