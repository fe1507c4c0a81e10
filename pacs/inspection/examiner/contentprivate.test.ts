/** Private elements by their creator: the block that was reserved, in the Item that reserved it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BytesSource } from '@lazaret/dicom/dataset/bytes.ts';
import { mapObject } from '@lazaret/dicom/filemap/map.ts';
import { encode, itemHeader, withElements, type Element } from '../../../tools/recipes/encode.ts';
import { make } from '../../../tools/recipes/make.ts';
import { smallCT } from '../../../tools/recipes/objects.ts';
import { blob, blobs, csa, examCard, geProtocol, kretzVolume, movie, parameterFile, protocolLines } from '../../../tools/recipes/records.ts';
import { clean } from '../../../tools/recipes/recipe.ts';
import { checkBulk } from './contentbulk.ts';
import { inflateRaw } from './inflate.ts';
import { Reading } from './reading.ts';

const work = { objectId: '', bytes: 0, sha256: '', sopClassUID: '', sopInstanceUID: '', transferSyntaxUID: '' } as unknown as ConstructorParameters<typeof Reading>[1];

function findings(...more: readonly Element[]): string[] {
  const bytes = make({ name: 'private', threat: '', why: '', expected: clean, elements: () => withElements(smallCT('private'), ...more) }).bytes();
  const reading = new Reading(mapObject(new BytesSource(bytes), { inflateRaw }), work);
  checkBulk(reading);
  return reading.findings.map(({ code, tag }) => `${code} ${tag}`);
}

const siemens: Element = ['0029,0010', 'LO', 'SIEMENS CSA HEADER'];
const residue = (): Buffer => csa({ Ok: ['1'] }, Buffer.alloc(5000, 3));

test('a record that ends where its last entry does, with some room, passes', () => {
  assert.deepEqual(findings(siemens, ['0029,1010', 'OB', csa({ Ok: ['1'], More: ['2', '3'] })]), []);
  assert.deepEqual(findings(siemens, ['0029,1010', 'OB', csa({ Ok: ['1'] }, Buffer.alloc(4000, 3))]), []);
  assert.deepEqual(findings(siemens, ['0029,1010', 'OB', csa({ Ok: ['1'] }, Buffer.alloc(100_000))]), [], 'zeros are nothing');
});

test('a record with much behind its last entry is named, wherever the block is', () => {
  assert.deepEqual(findings(siemens, ['0029,1010', 'OB', residue()]), ['private-residue (0029,1010)']);
  assert.deepEqual(findings(['0029,00E1', 'LO', 'SIEMENS CSA HEADER'], ['0029,E120', 'UN', residue()]), ['private-residue (0029,E120)']);
  assert.deepEqual(findings(['0040,0275', 'SQ', [[], [siemens, ['0029,1010', 'OB', residue()]]]]), ['private-residue (0029,1010)']);
});

test('another creator, a block that nobody reserved and a record that cannot be read are opaque, and hold nothing', () => {
  assert.deepEqual(findings(['0029,0010', 'LO', 'ACME 1.1'], ['0029,1010', 'OB', residue()]), []);
  assert.deepEqual(findings(siemens, ['0029,1110', 'OB', residue()]), []);
  assert.deepEqual(findings(['0029,1010', 'OB', residue()]), []);
  assert.deepEqual(findings(siemens, ['0040,0275', 'SQ', [[['0029,1010', 'OB', residue()]]]]), [], 'a creator reserves in its own Item');
  const more = residue();
  more.writeUInt32LE(999, 8);
  assert.deepEqual(findings(siemens, ['0029,1010', 'OB', more]), [], 'entries that are not there');
});

test('larger than any that its vendor writes', () => {
  assert.deepEqual(findings(siemens, ['0029,1010', 'OB', csa({ Ok: ['1'] }, Buffer.alloc(16 * 1024 * 1024))]), ['private-oversized (0029,1010)']);
});

const ge: Element = ['0025,0010', 'LO', 'GEMS_SERS_01'];
const protocol = (count = 900): Buffer => Buffer.from(protocolLines(count));
const behind = (length: number): Buffer => Buffer.alloc(length, 0xa7);

test('GE: a protocol passes with some bytes behind it, and in another block', () => {
  assert.deepEqual(findings(ge, ['0025,101B', 'OB', geProtocol(protocol())]), []);
  assert.deepEqual(findings(ge, ['0025,101B', 'OB', geProtocol(protocol(), { after: behind(60) })]), []);
  assert.deepEqual(findings(['0025,0020', 'LO', 'GEMS_SERS_01'], ['0025,201B', 'UN', geProtocol(protocol())]), []);
});

test('GE: more behind the stream than slack, another length or checksum, and what is no protocol', () => {
  assert.deepEqual(findings(ge, ['0025,101B', 'OB', geProtocol(protocol(), { after: behind(66) })]), ['private-residue (0025,101B)']);
  assert.deepEqual(findings(ge, ['0025,101B', 'OB', geProtocol(protocol(), { declared: 0x7fffffff })]), ['private-invalid (0025,101B)']);
  assert.deepEqual(findings(ge, ['0025,101B', 'OB', geProtocol(protocol(), { damaged: true })]), ['private-invalid (0025,101B)']);
  assert.deepEqual(findings(ge, ['0025,101B', 'OB', geProtocol(Buffer.concat([protocol(), Buffer.alloc(70, 1)]))]), ['private-residue (0025,101B)']);
  assert.deepEqual(findings(ge, ['0025,101B', 'OB', geProtocol(Buffer.from('no lines of a protocol '.repeat(99)))]), [], 'text of a kind that nobody described is opaque');
});

test('GE: volumes and times of frames', () => {
  const volume = (after: Buffer): readonly Element[] => [['7FE1,0010', 'LO', 'KRETZ_US'], ['7FE1,1001', 'OB', kretzVolume([], after)]];
  assert.deepEqual(findings(...volume(Buffer.alloc(0))), []);
  assert.deepEqual(findings(...volume(behind(66))), ['private-residue (7FE1,1001)']);
  assert.deepEqual(findings(...movie(20, Buffer.alloc(160), behind(400))), []);
  assert.deepEqual(findings(...movie(20, behind(260), behind(400))), ['private-residue (7FE1,1043)']);
  assert.deepEqual(findings(...movie(40, behind(160), behind(400))), ['private-invalid (7FE1,1043)']);
});

test('Philips: blobs by what they say that they are', () => {
  const file = (gap = 0, after = 0): Buffer => parameterFile([['A', 'integer', Array.from({ length: 50 }, (_, index) => index)]], behind(gap), behind(after));
  assert.deepEqual(findings(...blobs(blob('PDF_PREP_PARS', 'IEEE_PDF', file()), blob('ExamCardBlob', '', examCard()))), []);
  assert.deepEqual(findings(...blobs(blob('PDF_PREP_PARS', 'IEEE_PDF', file(4098)))), ['private-residue (2005,1044)']);
  assert.deepEqual(findings(...blobs(blob('PDF_PREP_PARS', 'IEEE_PDF', file(0, 4098)))), ['private-residue (2005,1044)']);
  assert.deepEqual(findings(...blobs(blob('PDF_PREP_PARS', 'IEEE_PDF', file(), 99_999))), ['private-invalid (2005,1044)']);
  assert.deepEqual(findings(...blobs(blob('PDF_PREP_PARS', 'IEEE_PDF', behind(500)))), [], 'a file that cannot be read is opaque');
  assert.deepEqual(findings(...blobs(blob('ExamCardBlob', '', Buffer.concat([examCard(), behind(4098)])))), ['private-residue (2005,1044)']);
  assert.deepEqual(findings(...blobs(blob('ExamCardBlob', '', Buffer.from(examCard().toString().replace('</ExamCardBlob>', '!</ExamCardBlob>'))))), ['private-invalid (2005,1044)']);
});

test('in a sequence that a system on the way made one value of VR UN, an element is known by the creator in its Item', () => {
  const data = parameterFile([['A', 'integer', [1]]], Buffer.alloc(0), behind(4098));
  const content = encode(blob('PDF_PREP_PARS', 'IEEE_PDF', data), 'implicit');
  const unknown = (creator: string): readonly Element[] => [['2005,0010', 'LO', creator], ['2005,1032', 'UN', Buffer.concat([itemHeader('FFFE,E000', content.length), content])]];
  assert.deepEqual(findings(...unknown('Philips MR Imaging DD 002')), ['private-residue (2005,1044)']);
  assert.deepEqual(findings(...unknown('anything')), ['private-residue (2005,1044)'], 'the creator of the Item counts');
});

test('the records of an object together are bounded', () => {
  const big = (): Buffer => geProtocol(Buffer.alloc(24 * 1024 * 1024, 'A "B"\n'));
  const found = findings(ge, ['0025,101B', 'OB', big()], ['0025,0011', 'LO', 'GEMS_SERS_01'], ['0025,111B', 'OB', big()], ['0025,0012', 'LO', 'GEMS_SERS_01'], ['0025,121B', 'OB', big()]);
  assert.ok(found.some((line) => line === 'part-limit (0025,121B)'), found.join());
});
