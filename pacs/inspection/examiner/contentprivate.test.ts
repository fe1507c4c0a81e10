/** Private elements by their creator: the block that was reserved, in the Item that reserved it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BytesSource } from '@lazaret/dicom/dataset/bytes.ts';
import { mapObject } from '@lazaret/dicom/filemap/map.ts';
import { withElements, type Element } from '../../../tools/recipes/encode.ts';
import { make } from '../../../tools/recipes/make.ts';
import { smallCT } from '../../../tools/recipes/objects.ts';
import { csa } from '../../../tools/recipes/private.ts';
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
