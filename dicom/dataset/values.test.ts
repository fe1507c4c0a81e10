import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { encodeFileMeta } from '../fileset/part10.ts';
import { fuzzTools } from '../filemap/fuzz.ts';
import { mapObject } from '../filemap/map.ts';
import { BytesSource } from './bytes.ts';
import { explicitVRBigEndian, explicitVRLittleEndian, implicitVRLittleEndian } from './transfersyntaxes.ts';
import { Values } from './values.ts';
import { encodeDataSet, type WritableElement } from './write.ts';

const latin = (text: string): Uint8Array => Uint8Array.from(text, (letter) => letter.charCodeAt(0));

function valuesOf(elements: readonly WritableElement[], transferSyntaxUID: string = explicitVRLittleEndian): Values {
  const meta = encodeFileMeta({ mediaStorageSOPClassUID: '1.2.840.10008.5.1.4.1.1.7', mediaStorageSOPInstanceUID: '1.2.3', transferSyntaxUID });
  return new Values(mapObject(new BytesSource(Uint8Array.from([...meta, ...encodeDataSet(elements, transferSyntaxUID)])), fuzzTools));
}

test('padding and spaces that are not significant are trimmed (PS3.5 §6.2)', () => {
  const values = valuesOf([
    { tag: 0x00080008, vr: 'CS', value: latin('ORIGINAL \\ PRIMARY ') },
    { tag: 0x00080018, vr: 'UI', value: latin('1.2.3\0') },
    { tag: 0x00081030, vr: 'LO', value: latin('  Chest  ') },
    { tag: 0x00102000, vr: 'LO', value: latin('padded\0\0') },
    { tag: 0x001021b0, vr: 'LT', value: latin('  indented\\not split ') },
  ]);
  assert.deepEqual(values.strings(values.find(0x00080008)), ['ORIGINAL', 'PRIMARY']);
  assert.equal(values.string(0x00080018), '1.2.3');
  assert.equal(values.string(0x00081030), 'Chest');
  assert.equal(values.string(0x00102000), 'padded');
  assert.deepEqual(values.strings(values.find(0x001021b0)), ['  indented\\not split']);
  assert.equal(values.string(0x00100020), '', 'absent');
  assert.equal(values.string(0x00020010), explicitVRLittleEndian, 'the File Meta Information too');
});

test('numbers of each VR, in both byte orders', () => {
  const elements: readonly WritableElement[] = [
    { tag: 0x00189073, vr: 'FD', value: [0.1] },
    { tag: 0x00280009, vr: 'AT', value: [0x00181063] },
    { tag: 0x00280010, vr: 'US', value: [512, 65535] },
    { tag: 0x00280030, vr: 'DS', value: ['0.5', 'x'] },
    { tag: 0x00281055, vr: 'LO', value: ['5'] },
    { tag: 0x00409211, vr: 'SS', value: [-3] },
  ];
  for (const uid of [explicitVRLittleEndian, implicitVRLittleEndian, explicitVRBigEndian]) {
    const values = valuesOf(elements, uid);
    assert.equal(values.number(0x00189073), 0.1);
    assert.equal(values.number(0x00280009), 0x00181063);
    assert.deepEqual(values.numbers(values.find(0x00280010)), [512, 65535]);
    assert.deepEqual(values.numbers(values.find(0x00280030)), [0.5, Number.NaN]);
    assert.deepEqual(values.numbers(values.find(0x00281055)), [], 'text is no number');
  }
});

test('US or SS in Implicit VR goes by Pixel Representation', () => {
  for (const [representation, smallest] of [[0, 65534], [1, -2]] as const) {
    const values = valuesOf([{ tag: 0x00280103, vr: 'US', value: [representation] }, { tag: 0x00280106, vr: 'SS', value: [-2] }], implicitVRLittleEndian);
    assert.equal(values.number(0x00280106), smallest);
  }
});

test('an Item has its own Specific Character Set, or that of what contains it (PS3.5 §7.5.3)', () => {
  const name: WritableElement = { tag: 0x00100010, vr: 'PN', value: Uint8Array.of(0xe1, 0x20) };
  const values = valuesOf([
    { tag: 0x00080005, vr: 'CS', value: ['ISO_IR 126'] },
    { tag: 0x00081140, vr: 'SQ', value: [{ elements: [{ tag: 0x00080005, vr: 'CS', value: ['ISO_IR 100'] }, name] }, { elements: [name] }] },
    name,
  ]);
  const sequence = values.find(0x00081140);
  assert.deepEqual(values.strings(values.find(0x00100010, sequence, 0)), ['á']);
  assert.deepEqual(values.strings(values.find(0x00100010, sequence, 1)), ['α']);
  assert.equal(values.string(0x00100010), 'α');
  assert.equal(values.find(0x00100010, sequence, 2), -1);
});

test('UN of a public attribute is read by the dictionary (PS3.5 §6.2.2)', () => {
  const values = valuesOf([{ tag: 0x00100010, vr: 'UN', value: latin('Example^Person') }, { tag: 0x00091001, vr: 'UN', value: latin('opaque') }]);
  assert.equal(values.string(0x00100010), 'Example^Person');
  assert.deepEqual(values.strings(values.find(0x00091001)), []);
});

const charsetFiles = '/usr/lib/python3/dist-packages/pydicom/data/charset_files';

test('names of the public character set files', { skip: !existsSync(charsetFiles) }, () => {
  // prettier-ignore
  const names = {
    chrArab: 'قباني^لنزار', chrFren: 'Buc^Jérôme', chrGerm: 'Äneas^Rüdiger', chrGreek: 'Διονυσιος', chrH31: 'Yamada^Tarou=山田^太郎=やまだ^たろう', chrH32: 'ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう',
    chrHbrw: 'שרון^דבורה', chrI2: 'Hong^Gildong=洪^吉洞=홍^길동', chrJapMulti: 'やまだ^たろう', chrKoreanMulti: '김희중', chrRuss: 'Люкceмбypг', chrX1: 'Wang^XiaoDong=王^小東=', chrX2: 'Wang^XiaoDong=王^小东=',
  };
  for (const [file, name] of Object.entries(names)) {
    const values = new Values(mapObject(new BytesSource(readFileSync(`${charsetFiles}/${file}.dcm`)), fuzzTools));
    assert.equal(values.string(0x00100010), name, file);
  }
});
