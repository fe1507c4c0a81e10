/** Every row of PS3.15 Table E.1-1: an object that has each attribute, at the top and inside sequences, leaves without what any of them said. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BytesSource } from '@lazaret/dicom/dataset/bytes.ts';
import { explicitVRLittleEndian, implicitVRLittleEndian } from '@lazaret/dicom/dataset/transfersyntaxes.ts';
import { Values } from '@lazaret/dicom/dataset/values.ts';
import { vrByCode, vrCode } from '@lazaret/dicom/dataset/vrs.ts';
import { encodeDataSet, type WritableElement } from '@lazaret/dicom/dataset/write.ts';
import { confidentialityAction, confidentialityActions, confidentialityRows, type ConfidentialityAction } from '@lazaret/dicom/dictionary/confidentiality.ts';
import { attributeOf, tagText } from '@lazaret/dicom/dictionary/dictionary.ts';
import { mapObject } from '@lazaret/dicom/filemap/map.ts';
import { encodeFileMeta } from '@lazaret/dicom/fileset/part10.ts';
import { blanksOf, kept } from './blanking.ts';
import { inflateRaw } from './inflate.ts';
import { leaving } from './leavingsample.ts';

const instance = '1.3.12.2.1107.5.77';
/** A tag of each row; of a repeating group the attribute that the row is about. */
const rows = confidentialityRows.map(({ pattern, action }) => ({ tag: Number.parseInt(pattern === '50xxxxxx' ? '50003000' : pattern.replaceAll('x', '0'), 16), action }));
/** Command Sets are not in objects; File Meta Information has its own place; a whole document is refused. */
const inDataSets = rows.filter(({ tag }) => tag >>> 16 !== 0x0000 && tag >>> 16 !== 0x0002 && tag !== 0x00420011);

const texts: Readonly<Record<string, string>> = { DA: '19450203', TM: '112233.4', DT: '19450203112233', AS: '077Y', CS: 'MARK', DS: '61.5', IS: '61', PN: 'MARK^ONE', AE: 'MARKAE' };
function elementOf(tag: number): WritableElement {
  const vr = vrOf(tag);
  const { kind, unitBytes } = vrByCode.get(vr)!;
  if (kind === 'sequence') return { tag, vr, value: [{ elements: inItem, undefinedLength: tag % 2 === 0 }], undefinedLength: tag % 3 === 0 };
  if (vr === 'UI') return { tag, vr, value: [tag === 0x00080018 ? instance : `1.2.3.${tag}`] };
  if (kind === 'text') return { tag, vr, value: [texts[vr] ?? 'MARK of it'] };
  return { tag, vr, value: Buffer.alloc(Math.max(unitBytes, 4) * 4, 'MARK') };
}
function vrOf(tag: number): string {
  const [vr] = attributeOf(tag)!.vrs;
  return vr!;
}
/** What sequences hold: a number, a code, names and UIDs, of which the profile itself names only some. */
const inItem: readonly WritableElement[] = [
  { tag: 0x00080100, vr: 'SH', value: ['MARK'] }, { tag: 0x00081150, vr: 'UI', value: ['1.2.840.10008.5.1.4.1.1.2'] }, { tag: 0x00081155, vr: 'UI', value: [instance] }, { tag: 0x00280010, vr: 'US', value: [77] },
  { tag: 0x0040a010, vr: 'CS', value: ['CODE'] }, { tag: 0x0040a160, vr: 'UT', value: ['MARK'] }, { tag: 0x00403abc, vr: 'UN', value: Buffer.from('MARK\x01\x02') },
];

function file(transferSyntaxUID: string): Buffer {
  const every = inDataSets.map(({ tag }) => elementOf(tag));
  // Two sequences that the profile does not name, one inside the other.
  const nested = { tag: 0x00081115, vr: 'SQ', value: [{ elements: [{ tag: 0x00081199, vr: 'SQ', value: [{ elements: every.filter(({ tag }) => tag >>> 16 > 8 && tag >>> 16 < 0xfff0) }] }] }] };
  const elements = [...every, nested, { tag: 0x00080016, vr: 'UI', value: ['1.2.840.10008.5.1.4.1.1.2'] }, { tag: 0x00090010, vr: 'LO', value: ['MARK'] }, { tag: 0x00091001, vr: 'FD', value: [77] }, { tag: 0x00091002, vr: 'UI', value: ['1.2.3.4'] }] as WritableElement[];
  return Buffer.concat([encodeFileMeta({ mediaStorageSOPClassUID: '1.2.840.10008.5.1.4.1.1.2', mediaStorageSOPInstanceUID: instance, transferSyntaxUID }), encodeDataSet(elements.toSorted((one, other) => one.tag - other.tag), transferSyntaxUID)]);
}
function valuesOf(bytes: Uint8Array): Values {
  return new Values(mapObject(new BytesSource(bytes), { inflateRaw }));
}

for (const [name, syntax] of [['Explicit VR', explicitVRLittleEndian], ['Implicit VR', implicitVRLittleEndian]] as const) {
  test(`${name}: every attribute of the table is empty, a dummy or another UID, as its action says, at every depth`, () => {
    const bytes = file(syntax);
    const before = valuesOf(bytes);
    const answer = blanksOf(before.mapped);
    assert.equal(answer.outcome, 'blanked', answer.text);
    const copy = leaving(bytes, answer);
    const after = valuesOf(copy);
    const added = new Set([after.find(0x00120062), after.find(0x00120063)]);
    const pairs = Array.from({ length: after.mapped.elements.count }, (_, row) => row).filter((row) => !added.has(row));
    assert.equal(pairs.length, before.mapped.elements.count);
    const seen = new Map<number, number>();
    for (const [row, now] of pairs.entries()) {
      const tag = before.mapped.elements.tags[row]!;
      assert.equal(after.mapped.elements.tags[now], tag);
      const around = parents(before, row).map(confidentialityAction).filter((action) => action !== null && action !== 'X/Z/U*');
      const removed = around.some((action) => !action!.includes('D'));
      const action = removed ? 'X' : (confidentialityAction(tag) ?? (around.length > 0 ? 'D' : null));
      if (vrCode(before.mapped.elements.vrs[row]!) === 'SQ' || action === null) continue;
      const [was, is] = [Buffer.from(before.bytes(row)), Buffer.from(after.bytes(now))];
      if (tag !== 0x00080005) check(action, vrCode(before.mapped.elements.vrs[row]!), was, is, tagText(tag));
      seen.set(tag, (seen.get(tag) ?? 0) + 1);
    }
    for (const { tag } of inDataSets) if (vrOf(tag) !== 'SQ' && tag !== 0xfffcfffc) assert.ok(seen.get(tag)! >= (tag >>> 16 > 8 && tag >>> 16 < 0xfff0 ? 2 : 1), tagText(tag));
    for (const mark of ['MARK', '1.2.3.', instance, '19450203', '112233', '077Y', '61.5']) assert.ok(bytes.includes(mark) && !copy.includes(mark), mark);
    assert.equal(after.string(0x00020003), after.string(0x00080018));
  });
}

function parents({ mapped: { elements } }: Values, row: number): number[] {
  const tags: number[] = [];
  for (let at = elements.parents[row]!; at >= 0; at = elements.parents[at]!) tags.push(elements.tags[at]!);
  return tags;
}

function check(action: ConfidentialityAction, vr: string, was: Buffer, is: Buffer, what: string): void {
  const text = is.toString('latin1').replace(/[ \0]+$/, '');
  if (action === 'X' || action === 'Z' || action === 'X/Z') assert.equal(text, '', `${what} ${action}`);
  else if (vr === 'UI' && was.toString('latin1').startsWith('1.2.840.10008.')) assert.deepEqual(is, was);
  else if (vr === 'UI') assert.match(text, /^2\.25\.[1-9][0-9.]*$/, `${what} ${action}`);
  else {
    assert.notDeepEqual(is, was, `${what} ${action}`);
    if (vrByCode.get(vr)!.kind === 'text') assert.match(text, { DA: /^20000101$/, TM: /^000000/, DT: /^20000101000000/, AS: /^000Y$/, DS: /^0+$/, IS: /^0+$/ }[vr] ?? /^X+$/, `${what} ${action} ${vr}`);
  }
}

test('the table is whole, its attributes are those of the dictionary, and what is kept is none of them', () => {
  assert.equal(rows.length, 620);
  assert.deepEqual(confidentialityActions.map((action) => rows.filter((row) => row.action === action).length), [383, 42, 92, 54, 11, 22, 6, 8, 2]);
  assert.deepEqual(rows.filter(({ tag }) => attributeOf(tag) === undefined && tag >>> 16 !== 0), []);
  for (const tag of kept) assert.equal(confidentialityAction(tag), null, tagText(tag));
  for (const tag of [0x00090010, 0x00091001, 0x50120010, 0x60023000]) assert.equal(confidentialityAction(tag), 'X');
});
