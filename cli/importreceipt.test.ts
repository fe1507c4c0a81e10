import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import type { FileFate, Receipt } from '@lazaret/pacs/reception/media/contract.ts';
import type { Terminal } from './command.ts';
import { ImportProgress } from './importprogress.ts';
import { listOf, receiptOf } from './importreceipt.ts';

const sha256 = 'a'.repeat(64) as FileFate['sha256'];
const receipt: Receipt = {
  id: 'ab'.repeat(16), state: 'settled', medium: { kind: 'iso9660', label: 'KLINIK\u001b[2J NORD', identifier: '42', bytes: 700_000_000 }, person: 'desk', begunAt: 0, endedAt: 1, files: 9, bytes: 5_000_000, done: 9, doneBytes: 5_000_000,
  fates: { admitted: 5, duplicate: 1, left: 1, infected: 1, unreadable: 1 }, waiting: 0, archived: 5, held: 1, unreconciled: 0, malicious: 1, problem: '', at: 2, patients: 1, duplicates: 1,
  studies: [{ studyInstanceUID: '2.25.1', patientName: 'Quarantotti^Marina', patientID: 'LZ-0001', description: 'Head\u202e', date: '20260311', instances: 5, series: [{ seriesInstanceUID: '2.25.2', modality: 'CT', description: 'Axial', instances: 5 }] }],
  withheld: [{ objectId: 'cd'.repeat(16) as Receipt['withheld'][number]['objectId'], path: 'DICOM/IM6', verdict: 'malicious', code: 'malware-signature', text: 'found it', patientName: '', patientID: '' }],
  left: [{ index: 1, path: 'README.TXT', bytes: 12, sha256, fate: 'left', objectId: '', what: 'text', text: '' }],
  infected: [{ index: 2, path: 'VIEWER.EXE', bytes: 12, sha256, fate: 'infected', objectId: '', what: 'Windows program', text: 'yara-x: EICAR' }],
  unreadable: [{ index: 3, path: 'DICOM/IM9', bytes: 12, sha256: '', fate: 'unreadable', objectId: '', what: '', text: 'bytes 0 to 11: the medium is damaged there' }],
  unreached: [],
  directories: [{ path: 'DICOMDIR', listed: 7, absent: ['DICOM/GONE'], absentCount: 1, unlisted: [], unlistedCount: 0, different: [], differentCount: 0, problem: '' }], notes: ['A computer could be started from this medium (El Torito).'],
};

test('a receipt says what came in, what is held and why, what was infected, damaged and left behind', () => {
  const text = stripVTControlCharacters(receiptOf(receipt));
  for (const line of [
    'Came in: 5 objects, 1 patient, 1 study (1 known before)', 'Quarantotti^Marina · LZ-0001', '2026-03-11', 'CT      5  Axial', 'Held: 1', 'DICOM/IM6  cdcdcdcd  malicious: Known malicious software — found it', 'Infected, left behind: 1',
    'VIEWER.EXE  Windows program — yara-x: EICAR', 'Could not be read: 1', 'DICOM/IM9 — bytes 0 to 11: the medium is damaged there', 'README.TXT  text, 12 bytes', 'DICOMDIR lists 7 objects', '1 of them are not on the medium: DICOM/GONE', 'Note: A computer could be started',
  ]) assert.ok(text.includes(line), `${line}\n\n${text}`);
});

test('files that were not reached are told apart from those that could not be read', () => {
  const unreached: FileFate = { index: 4, path: 'DICOM/IM10', bytes: 12, sha256: '', fate: 'unreached', objectId: '', what: '', text: 'sending was stopped before it came' };
  const cancelled = stripVTControlCharacters(receiptOf({ ...receipt, unreadable: [], unreached: [unreached], fates: { admitted: 5, unreached: 1 } }));
  for (const line of ['Not read, since the import was stopped before: 1', 'DICOM/IM10 — sending was stopped before it came', 'Import the medium again to bring them in']) assert.ok(cancelled.includes(line), cancelled);
  assert.ok(!cancelled.includes('Could not be read'));
  const interrupted = stripVTControlCharacters(receiptOf({ ...receipt, state: 'interrupted', unreadable: [], archived: 0, held: 0, fates: { unreached: 380 } }));
  assert.match(interrupted, /Not read, since the import was stopped before: 380\n[^]*Start the same import again to go on/);
  assert.ok(!interrupted.includes('more'), 'their names are not known');
  assert.ok(!interrupted.includes('There are no images'), 'nobody knows');
});

test('nothing that comes from a medium steers the terminal', () => {
  // Colours are ours; what the label tried is gone.
  assert.ok(!receiptOf(receipt).includes('\u001b[2J'));
  assert.ok(!receiptOf(receipt).includes('\u202e'));
  assert.ok(!listOf([receipt]).includes('\u001b[2J'));
});

test('progress is shown to somebody who looks, and to nobody else', () => {
  const drawn = (isTTY: boolean, json: boolean): string => {
    let text = '';
    const stderr = Object.assign(new Writable({ write: (chunk: Buffer, _encoding, done) => { text += chunk.toString(); done(); } }), { isTTY, columns: 100 });
    const progress = new ImportProgress({ stdout: stderr, stderr, data: '' } as unknown as Terminal, json);
    progress.reading({ id: 'x', opened: { say: 'opened', medium: receipt.medium, listing: sha256 as never, files: 9, bytes: 5_000_000 }, resumed: false, done: 3, doneBytes: 2_000_000 });
    progress.verdicts(receipt);
    progress.clear();
    return text;
  };
  assert.match(drawn(true, false), /9 files, 5\.00 MB[\s\S]*3 of 9 files, 2\.00 MB at/);
  assert.equal(drawn(false, false), '');
  assert.equal(drawn(true, true), '');
});
