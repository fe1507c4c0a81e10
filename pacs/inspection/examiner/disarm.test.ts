/** What goes beside the Data Set, what is asked about first, and that nothing of group 2 can make writing it anew fail. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BytesSource } from '@lazaret/dicom/dataset/bytes.ts';
import { mapObject } from '@lazaret/dicom/filemap/map.ts';
import { encode, type Element, type Item } from '../../../tools/recipes/encode.ts';
import { make, type Ingredients } from '../../../tools/recipes/make.ts';
import { smallCT } from '../../../tools/recipes/objects.ts';
import { clean } from '../../../tools/recipes/recipe.ts';
import { checkIdentity } from './contentvalues.ts';
import { checkSurroundings, neutralise, trailingBytesMax } from './disarm.ts';
import { inflateRaw } from './inflate.ts';
import { Reading } from './reading.ts';

const work = { objectId: '', bytes: 0, sha256: '', sopClassUID: '', sopInstanceUID: '', transferSyntaxUID: '' } as unknown as ConstructorParameters<typeof Reading>[1];

function disarmed(also: Partial<Ingredients>): { readonly what: readonly string[] | null; readonly codes: string[]; readonly prefix: Uint8Array | null } {
  const bytes = make({ name: 'disarm', threat: '', why: '', expected: clean, elements: () => smallCT('disarm'), ...also }).bytes();
  const reading = new Reading(mapObject(new BytesSource(bytes), { inflateRaw }), work);
  checkSurroundings(reading);
  const neutralised = neutralise(reading.mapped, checkIdentity(reading));
  return { what: neutralised?.what ?? null, prefix: neutralised?.prefix ?? null, codes: [...new Set([...reading.mapped.problems, ...reading.findings].map(({ code }) => code))] };
}

/** Group 2 by hand, with the group length that is right. */
function group2(...elements: readonly Element[]): Partial<Ingredients> {
  const content = encode(elements as Item);
  return { metaBytes: () => Buffer.concat([encode([['0002,0000', 'UL', content.length]]), content]) };
}
const explicit: Element = ['0002,0010', 'UI', '1.2.840.10008.1.2.1'];
const names: readonly Element[] = [['0002,0002', 'UI', '1.2.840.10008.5.1.4.1.1.2'], ['0002,0003', 'UI', '2.25.7']];

test('an object as it should be keeps all its bytes', () => {
  assert.equal(disarmed({}).what, null);
});

test('a group 2 without the SOP Instance UID, or without either UID, is written anew from the Data Set', () => {
  for (const elements of [[names[0]!, explicit], [names[1]!, explicit], [explicit]]) {
    const { what, prefix } = disarmed(group2(...elements));
    assert.deepEqual(what, ['meta']);
    assert.ok(Buffer.from(prefix!).includes('1.2.840.10008.5.1.4.1.1.2'), 'the SOP Class of the Data Set');
  }
});

test('without a Transfer Syntax, or with one that is none, it is held for that and nothing is written', () => {
  for (const element of [null, ['0002,0010', 'UI', ''], ['0002,0010', 'UI', '1.2.x'], ['0002,0010', 'UI', '1.'.repeat(40)]] as (Element | null)[]) {
    const { what, codes } = disarmed(group2(...names, ...(element === null ? [] : [element])));
    assert.equal(what, null);
    assert.ok(codes.some((code) => code.startsWith('transfer-syntax-')), codes.join());
  }
});

test('no AE Title makes writing it anew fail', () => {
  for (const title of ['', ' ', 'A\\B', 'SIXTEEN_LETTERS_', 'SEVENTEEN_LETTERS', '\0\0', 'é', '\u0007', ' X ', '\t']) {
    const { what } = disarmed(group2(...names, explicit, ['0002,0016', 'AE', title]));
    assert.deepEqual(what, ['meta'], JSON.stringify(title));
  }
});

test('an object whose UIDs are missing or none is not written anew', () => {
  for (const tag of ['0008,0016', '0008,0018', '0020,000D', '0020,000E']) {
    for (const value of [null, '', 'x', '1.'.repeat(33)]) {
      const elements = (): Element[] => smallCT('disarm').flatMap((element): Element[] => (element[0] !== tag ? [element] : value === null ? [] : [[tag, 'UI', value]]));
      assert.equal(disarmed({ elements, ...group2(explicit) }).what, null, `${tag} ${value}`);
    }
  }
});

const noise = (length: number): Buffer => Buffer.alloc(length, 'not zero');

test('what follows is cut off; more than an accident leaves is asked about, unless it is zeros', () => {
  assert.deepEqual(disarmed({ trailing: () => noise(512) }).what, ['trailing']);
  assert.deepEqual(disarmed({ trailing: () => encode([['FFFC,FFFC', 'OB', noise(512)]]) }).what, ['padding']);
  const excess = (trailing: () => Uint8Array): boolean => disarmed({ trailing }).codes.includes('trailing-excess');
  assert.equal(excess(() => noise(trailingBytesMax)), false);
  assert.equal(excess(() => noise(trailingBytesMax + 2)), true);
  assert.equal(excess(() => Buffer.alloc(3 * 1024 * 1024)), false);
  assert.equal(excess(() => encode([['FFFC,FFFC', 'OB', noise(trailingBytesMax)]])), true);
  assert.equal(excess(() => encode([['FFFC,FFFC', 'OB', Buffer.alloc(3 * 1024 * 1024)]])), false);
});

const meta = (length: number): readonly Element[] => [['0002,0100', 'UI', '2.25.7'], ['0002,0102', 'OB', Buffer.alloc(length, 7)]];

test('a File Meta Information of any size is not waved through', () => {
  assert.deepEqual(disarmed({ meta: meta(300) }).what, ['meta']);
  assert.equal(disarmed({ meta: meta(300) }).codes.includes('meta-excess'), false);
  assert.equal(disarmed({ meta: meta(trailingBytesMax) }).codes.includes('meta-excess'), true);
});
