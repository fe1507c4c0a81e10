/** What an export without the patient overwrites: nothing that says whose it is stays in the bytes, by pydicom and by search; and when it is refused. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import { BytesSource } from '@lazaret/dicom/dataset/bytes.ts';
import { encodeDataSet, type WritableElement } from '@lazaret/dicom/dataset/write.ts';
import { Values } from '@lazaret/dicom/dataset/values.ts';
import { deflatedExplicitVRLittleEndian, explicitVRBigEndian, explicitVRLittleEndian, implicitVRLittleEndian } from '@lazaret/dicom/dataset/transfersyntaxes.ts';
import { encodeFileMeta } from '@lazaret/dicom/fileset/part10.ts';
import { mapObject } from '@lazaret/dicom/filemap/map.ts';
import { pydicomFiles } from '../../../test/peers.ts';
import { recipes } from '../../../tools/recipes/all.ts';
import { unpackedBytesMax } from '../../quarantine/requests.ts';
import { blanksOf } from './blanking.ts';
import { leaving } from './leavingsample.ts';
import { inflateRaw } from './inflate.ts';

const secret = ['GEHEIM^ERIKA', 'GEHEIM', 'ERIKA', 'PID-77120', '19451231', 'A26-90411', 'Klinik am See', 'REFERRER^R', 'found by Dr. Meier', 'Straße 7'];

/** An object of nobody with all that it may say: at the top, nested, private, in binary, in an overlay. */
function object(transferSyntaxUID: string): Buffer {
  const text = (tag: number, vr: string, ...value: string[]): WritableElement => ({ tag, vr, value });
  const elements: WritableElement[] = [
    text(0x00080005, 'CS', 'ISO_IR 192'), text(0x00080016, 'UI', '1.2.840.10008.5.1.4.1.1.7'), text(0x00080018, 'UI', '2.25.77'), text(0x00080020, 'DA', '20261124'), text(0x00080050, 'SH', 'A26-90411'), text(0x00080060, 'CS', 'OT'),
    text(0x00080070, 'LO', 'Devices Ltd'), text(0x00080080, 'LO', 'Klinik am See'), text(0x00080090, 'PN', 'REFERRER^R'), text(0x00081010, 'SH', 'STATION 3'), text(0x00081090, 'LO', 'Model 5'),
    { tag: 0x00081140, vr: 'SQ', value: [{ elements: [text(0x00081155, 'UI', '2.25.78'), text(0x0040a123, 'PN', 'GEHEIM^ERIKA'), { tag: 0x00400100, vr: 'SQ', value: [{ elements: [text(0x00400007, 'LO', 'found by Dr. Meier')] }], undefinedLength: true }] }] },
    text(0x00090010, 'LO', 'DEVICES 1.0'), text(0x00091001, 'LO', 'GEHEIM'), { tag: 0x00091002, vr: 'OB', value: Buffer.concat([Buffer.from([1, 2, 3, 0]), Buffer.from('PID-77120'), Buffer.from('ERIKA', 'utf16le'), Buffer.from([0, 255, 0])]) },
    text(0x00100010, 'PN', 'GEHEIM^ERIKA'), text(0x00100020, 'LO', 'PID-77120'), text(0x00100030, 'DA', '19451231'), text(0x00100040, 'CS', 'F'), text(0x00101010, 'AS', '080Y'), text(0x00101030, 'DS', '61.5'), text(0x00101040, 'LO', 'Straße 7'), { tag: 0x001021c0, vr: 'US', value: [4] }, text(0x00104000, 'LT', 'found by Dr. Meier'),
    text(0x0020000d, 'UI', '2.25.79'), text(0x0020000e, 'UI', '2.25.80'), text(0x00204000, 'LT', 'found by Dr. Meier'),
    { tag: 0x00280002, vr: 'US', value: [1] }, { tag: 0x00280010, vr: 'US', value: [2] }, { tag: 0x00280011, vr: 'US', value: [2] }, { tag: 0x00280100, vr: 'US', value: [8] },
    { tag: 0x60003000, vr: 'OW', value: Buffer.from('GEHEIM overlay!!') }, { tag: 0x7fe00010, vr: 'OW', value: Buffer.from([1, 2, 3, 4]) },
  ];
  const tools = { deflateRaw: (bytes: Uint8Array) => deflateRawSync(bytes) };
  return Buffer.concat([encodeFileMeta({ mediaStorageSOPClassUID: '1.2.840.10008.5.1.4.1.1.7', mediaStorageSOPInstanceUID: '2.25.77', transferSyntaxUID }), encodeDataSet(elements, transferSyntaxUID, tools)]);
}

/** The object as it leaves, and what the job says. */
function blanked(bytes: Uint8Array) {
  const answer = blanksOf(mapObject(new BytesSource(bytes), { inflateRaw }));
  return { answer, copy: leaving(bytes, answer) };
}

function deflatedOf(elements: readonly WritableElement[], after: Uint8Array = Buffer.alloc(0)): Buffer {
  const stream = encodeDataSet(elements, deflatedExplicitVRLittleEndian, { deflateRaw: (bytes: Uint8Array) => deflateRawSync(bytes) });
  return Buffer.concat([encodeFileMeta({ mediaStorageSOPClassUID: '1.2.840.10008.5.1.4.1.1.7', mediaStorageSOPInstanceUID: '2.25.77', transferSyntaxUID: deflatedExplicitVRLittleEndian }), stream, after]);
}

function stays(copy: Buffer, wanted: readonly string[]): string[] {
  return wanted.filter((text) => copy.includes(Buffer.from(text)) || copy.includes(Buffer.from(text, 'utf16le')));
}

for (const [name, transferSyntaxUID] of [['Explicit VR', explicitVRLittleEndian], ['Implicit VR', implicitVRLittleEndian], ['Big Endian', explicitVRBigEndian]] as const) {
  test(`${name}: nothing that says whose it is stays in the bytes, every offset and all structure does`, () => {
    const bytes = object(transferSyntaxUID);
    assert.deepEqual(stays(bytes, secret), secret, 'the canary: it is all there before');
    const { answer, copy } = blanked(bytes);
    assert.equal(answer.outcome, 'blanked', answer.text);
    assert.deepEqual(stays(copy, secret), []);
    assert.deepEqual(stays(copy, ['Devices Ltd', 'Model 5', 'DEVICES 1.0', '2.25.77', '2.25.78', '2.25.80', 'ISO_IR 192']), ['Devices Ltd', 'Model 5', 'ISO_IR 192']);
    const [before, after] = [bytes, copy].map((each) => mapObject(new BytesSource(each), { inflateRaw }));
    assert.deepEqual(after!.problems.map(({ code }) => code), before!.problems.map(({ code }) => code));
    const [was, is] = [new Values(before!), new Values(after!)];
    assert.deepEqual([is.string(0x00120062), is.strings(is.find(0x00120063))], ['YES', ['PS3.15 2024b Basic Profile', 'Pixels not cleaned']]);
    assert.equal(is.string(0x00020003), is.string(0x00080018), 'the same UID became the same');
    // Room was made for it in values that are empty now: what comes after it has not moved, nor has what comes before those.
    assert.equal(copy.length, bytes.length);
    for (const tag of [0x00080016, 0x0020000d, 0x7fe00010]) assert.equal(after!.elements.valueOffsets[is.find(tag)], before!.elements.valueOffsets[was.find(tag)]);
    assert.equal(after!.elements.count, before!.elements.count + 2);
    assert.deepEqual(copy.subarray(-4), bytes.subarray(-4), 'Pixel Data');
  });
}

test('deflated: it leaves unpacked, as Explicit VR, with nothing that says whose it is; what follows the stream is searched, too', () => {
  const bytes = object(deflatedExplicitVRLittleEndian);
  for (const [name, packed] of [['as it is', bytes], ['with a trailer', Buffer.concat([bytes, Buffer.from('made for GEHEIM^ERIKA, PID-77120')])]] as const) {
    const { answer, copy } = blanked(packed);
    assert.equal(answer.outcome, 'blanked', answer.text);
    assert.deepEqual(stays(copy, [...secret, '2.25.77', '2.25.79']), [], name);
    const after = mapObject(new BytesSource(copy), { inflateRaw });
    assert.equal(after.transferSyntaxUID, explicitVRLittleEndian);
    assert.deepEqual(after.problems.map(({ code }) => code).toSorted(), mapObject(new BytesSource(packed), { inflateRaw }).problems.map(({ code }) => code).toSorted(), name);
    const values = new Values(after);
    assert.deepEqual([values.string(0x00120062), values.string(0x00080070), values.string(0x00020003)], ['YES', 'Devices Ltd', values.string(0x00080018)]);
    // What is the same as of an object that was never deflated.
    assert.ok(copy.includes(blanked(object(explicitVRLittleEndian)).copy.subarray(-400)), name);
  }
});

test('pydicom reads the result, and finds no value of the identifying elements of the recipes anywhere in it', { skip: pydicomFiles() === null ? 'pydicom is not installed' : false }, (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'lazaret-blank-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const names = ['ct-512', 'multiframe-word', 'report-4k', 'ct-deflated'];
  for (const name of names) {
    const bytes = recipes.find((recipe) => recipe.name === name)!.bytes();
    const { answer, copy } = blanked(bytes);
    assert.equal(answer.outcome, 'blanked', `${name}: ${answer.text}`);
    writeFileSync(join(folder, `${name}.before`), bytes);
    writeFileSync(join(folder, `${name}.after`), copy);
  }
  const program = `
import sys, pydicom
KEPT = {0x00080005, 0x00080070, 0x00081090, 0x00181020, 0x00181210, 0x00280a02, 0x00120062, 0x00120063}
def walk(ds):
    for element in ds:
        if element.VR == 'SQ':
            for item in element.value: yield from walk(item)
        else: yield element
for name in sys.argv[2:]:
    before = pydicom.dcmread(f'{sys.argv[1]}/{name}.before')
    after = pydicom.dcmread(f'{sys.argv[1]}/{name}.after')
    raw = open(f'{sys.argv[1]}/{name}.after', 'rb').read()
    count = 0
    for element in walk(before):
        if element.tag in KEPT or element.VR not in ('PN', 'LO', 'SH', 'LT', 'ST', 'UT', 'DA', 'TM', 'DT', 'AS', 'AE') or element.value is None: continue
        values = element.value if element.VM > 1 else [element.value]
        for value in values:
            text = str(value).strip()
            if len(text) < 4: continue
            count += 1
            assert text.encode('utf-8') not in raw, (name, element)
    assert count > 5, (name, count)
    for element in walk(after):
        if element.tag not in KEPT and element.VR in ('PN', 'LO', 'LT', 'DA', 'TM', 'SH'): assert set(str(element.value)) <= set(' X') or str(element.value) in ('20000101', '000000.000000'[:len(str(element.value))]), (name, element)
    assert str(after.PatientName).strip() == '' and after.StudyInstanceUID.startswith('2.25.') and after.StudyInstanceUID != before.StudyInstanceUID
    assert after.file_meta.MediaStorageSOPInstanceUID == after.SOPInstanceUID and after.PatientIdentityRemoved == 'YES' and len(after.DeidentificationMethod) == 2
    if 'PixelData' in before: assert after.PixelData == before.PixelData
print('read')
`;
  const ran = spawnSync('/usr/bin/python3', ['-c', program, folder, ...names], { encoding: 'utf8' });
  assert.equal(ran.stdout, 'read\n', ran.stderr);
});

test('whatever a recipe does to an object, overwriting adds no fault to it: sequences under another VR, icons of fragments, values of odd lengths', () => {
  let count = 0;
  for (const recipe of recipes) {
    const bytes = recipe.bytes();
    const before = mapObject(new BytesSource(bytes), { inflateRaw });
    const answer = blanksOf(before);
    if (answer.outcome === 'impossible') continue;
    count += 1;
    const known = new Set(before.problems.map(({ code }) => code));
    const after = mapObject(new BytesSource(leaving(bytes, answer)), { inflateRaw });
    assert.deepEqual(after.problems.filter(({ code }) => !known.has(code)), [], recipe.name);
    assert.equal(new Values(after).string(0x00120062), before.encoding === undefined ? '' : 'YES', recipe.name);
  }
  assert.ok(count > 300, `${count} recipes`);
});

test('where what stands in it cannot be known, nothing is overwritten and a sentence says why', () => {
  const bytes = object(explicitVRLittleEndian);
  for (const [what, wrong, said] of [
    ['cut off in a value', bytes.subarray(0, bytes.length - 3), /accounted for/], ['no DICOM', Buffer.from('MZ not DICOM at all, but a text of some length that nobody can map'), /accounted for/],
    ['a document', Buffer.concat([encodeFileMeta({ mediaStorageSOPClassUID: '1.2.840.10008.5.1.4.1.1.104.1', mediaStorageSOPInstanceUID: '2.25.1', transferSyntaxUID: explicitVRLittleEndian }), encodeDataSet([{ tag: 0x00420011, vr: 'OB', value: Buffer.from('%PDF-1.4') }], explicitVRLittleEndian)]), /whole document/],
    ['a deflate stream that is cut off', object(deflatedExplicitVRLittleEndian).subarray(0, 400), /deflated and cannot be unpacked to its end: /],
    ['more than is unpacked', deflatedOf([{ tag: 0x7fe00010, vr: 'OW', value: randomBytes(unpackedBytesMax) }]), /bytes unpacked; only up to/],
    ['deflated, with a document', deflatedOf([{ tag: 0x00420011, vr: 'OB', value: Buffer.from('%PDF-1.4') }]), /whole document/],
  ] as const) {
    const { answer } = blanked(wrong);
    assert.deepEqual([answer.outcome, answer.ranges], ['impossible', []], what);
    assert.match(answer.text, said, what);
  }
});
