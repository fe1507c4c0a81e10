import assert from 'node:assert/strict';
import { test } from 'node:test';
import { vrIndexByNumber, vrNumber } from '../dataset/vrs.ts';
import { transferSyntaxByUID, transferSyntaxes } from '../dataset/transfersyntaxes.ts';
import { attributeOf, tagOf, tagText, vrSetIndex, vrSets } from './dictionary.ts';
import { dictionaryTable } from './generated.ts';
import { storageSOPClassByUID, storageSOPClasses } from './sopclasses.ts';

test('an attribute is found by tag and by keyword', () => {
  assert.deepEqual(attributeOf(0x00100010), { tag: 0x00100010, keyword: 'PatientName', name: "Patient's Name", vrs: ['PN'], vm: '1', retired: false });
  assert.equal(tagOf('PatientName'), 0x00100010);
  assert.equal(tagOf('__proto__'), undefined);
  assert.equal(tagText(0x7fe00010), '(7FE0,0010)');
});

test('repeating groups match even groups only', () => {
  assert.equal(attributeOf(0x60123000)?.keyword, 'OverlayData');
  assert.equal(attributeOf(0x60133000), undefined);
  assert.equal(vrSetIndex(0x60133000), 0);
  assert.equal(attributeOf(0x002031ff)?.keyword, 'SourceImageIDs');
});

test('the reader\'s table agrees with the dictionary on each attribute', () => {
  for (const line of dictionaryTable.split('\n')) {
    const [pattern = '', vrList = ''] = line.split('|');
    // Digit 2: even, and no attribute of its own has such a tag.
    const tag = Number.parseInt(pattern.replaceAll('x', '2'), 16);
    const set = vrSets[vrSetIndex(tag)]!;
    for (const code of vrList.split('/')) assert.equal(set[vrIndexByNumber[vrNumber(code)]!], 1, `${pattern} ${code}`);
    assert.equal(set.reduce((sum, value) => sum + value, 0) - set[0]!, vrList.split('/').length, pattern);
  }
});

test('what the dictionary lacks has row 0; group lengths are UL', () => {
  for (const tag of [0x00090010, 0x0008fffe, 0xffffffff, 0]) assert.equal(vrSetIndex(tag) === 0 || (tag & 0xffff) === 0, true);
  assert.equal(vrSets[vrSetIndex(0x00080000)]![0], vrIndexByNumber[vrNumber('UL')]);
});

test('tables of UIDs have no duplicates and are complete in number', () => {
  assert.equal(transferSyntaxByUID.size, transferSyntaxes.length);
  assert.equal(storageSOPClassByUID.size, storageSOPClasses.length);
  assert.equal(transferSyntaxes.length, 63);
  assert.equal(storageSOPClasses.length, 208);
  for (const { uid } of [...transferSyntaxes, ...storageSOPClasses]) assert.match(uid, /^1\.2\.840\.10008\.[0-9.]+$/);
});

test('three Transfer Syntaxes deflate the whole Data Set, one is Big Endian, two are implicit', () => {
  assert.deepEqual(transferSyntaxes.filter(({ deflated }) => deflated).map(({ uid }) => uid), ['1.2.840.10008.1.2.1.99', '1.2.840.10008.1.2.4.95', '1.2.840.10008.1.2.4.205']);
  assert.deepEqual(transferSyntaxes.filter(({ littleEndian }) => !littleEndian).map(({ uid }) => uid), ['1.2.840.10008.1.2.2']);
  assert.deepEqual(transferSyntaxes.filter(({ explicitVR }) => !explicitVR).map(({ uid }) => uid), ['1.2.840.10008.1.2', '1.2.840.10008.1.20']);
});
