import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { mapObject } from '../filemap/map.ts';
import { encodeFileMeta } from '../fileset/part10.ts';
import type { MappedObject, ReaderTools } from '../filemap/contract.ts';
import { BytesSource } from './bytes.ts';
import { changedTags, type Identity } from './identity.ts';
import { PatchedSource } from './patched.ts';
import { deflatedBytesMax } from './repacking.ts';
import { patchesMax, replaceIdentity, type Replaced } from './replace.ts';
import { deflatedExplicitVRLittleEndian, explicitVRLittleEndian } from './transfersyntaxes.ts';
import { writeDicomJson } from '../web/json.ts';
import { encodeText } from './textencoding.ts';
import { Values } from './values.ts';
import { encodeDataSet, type WritableElement } from './write.ts';

const local: Identity = { patientName: 'MUSTER^MARIA', patientID: '4711', issuerOfPatientID: 'HOUSE', patientBirthDate: '19700101', patientSex: 'F', accessionNumber: 'A9', studyDescription: 'Brought from elsewhere' };
const provenance = { dateTime: '20261124130000.000000+0000', system: 'Lazaret', source: 'DISC OF ST ELSEWHERE' };
const syntaxes = { implicit: '1.2.840.10008.1.2', explicit: '1.2.840.10008.1.2.1', big: '1.2.840.10008.1.2.2' } as const;
const noInflating = { inflateRaw: () => { throw new Error('nothing is deflated here'); } };
const inflateRaw: ReaderTools['inflateRaw'] = (source, offset, length) => {
  const { buffer, engine } = inflateRawSync(source.read(offset, length), { info: true }) as unknown as { buffer: Buffer; engine: { bytesWritten: number } };
  return { output: new BytesSource(buffer), consumed: engine.bytesWritten, ended: 'complete' };
};
const text = (tag: number, vr: string, ...values: string[]): WritableElement => ({ tag, vr, value: values });
const pixels = Uint8Array.from({ length: 2048 }, (_, index) => index & 0xff);

const foreign: readonly WritableElement[] = [
  text(0x00080016, 'UI', '1.2.840.10008.5.1.4.1.1.2'), text(0x00080018, 'UI', '2.25.3'), text(0x00080020, 'DA', '20260101'), text(0x00080050, 'SH', 'X1'), text(0x00081030, 'LO', 'Foreign head'),
  text(0x00100010, 'PN', 'MUSTERMANN^M'), text(0x00100020, 'LO', 'F-1'), text(0x00100030, 'DA', '19700101'), text(0x00100040, 'CS', 'O'), text(0x00101000, 'LO', 'OLD-1', 'OLD-2'),
  text(0x0020000d, 'UI', '2.25.1'), text(0x0020000e, 'UI', '2.25.2'),
  { tag: 0x00400275, vr: 'SQ', undefinedLength: true, value: [{ undefinedLength: true, elements: [text(0x00400009, 'SH', 'STEP'), text(0x00401001, 'SH', 'PROC')] }] },
  { tag: 0x7fe00010, vr: 'OW', value: pixels },
];

/** A file of these elements, sorted, in a transfer syntax. */
function file(syntax: keyof typeof syntaxes, elements: readonly WritableElement[]): Uint8Array {
  const uid = syntaxes[syntax];
  const meta = encodeFileMeta({ mediaStorageSOPClassUID: '1.2.840.10008.5.1.4.1.1.2', mediaStorageSOPInstanceUID: '2.25.3', transferSyntaxUID: uid });
  const body = encodeDataSet(elements.toSorted((one, other) => one.tag - other.tag), uid);
  return Buffer.concat([meta, body]);
}

function read(bytes: Uint8Array): Values {
  const mapped = mapObject(new BytesSource(bytes), noInflating);
  assert.deepEqual(mapped.problems.map(({ code }) => code), []);
  return new Values(mapped);
}
function patch(bytes: Uint8Array, identity = local): { replaced: Replaced; after: Values; bytes: Uint8Array; before: MappedObject } {
  const before = mapObject(new BytesSource(bytes), noInflating);
  assert.deepEqual(before.problems.map(({ code }) => code), []);
  const replaced = replaceIdentity(before, identity, provenance);
  assert.ok(!('problem' in replaced), 'problem' in replaced ? replaced.problem : '');
  const source = new PatchedSource(before.source, replaced.patches);
  const patched = source.read(0, source.length);
  return { replaced, after: read(patched), bytes: patched, before };
}
/** Values of the elements in the Item that holds what was replaced last. */
function originals(values: Values): Record<string, string> {
  const sequence = values.find(0x04000561);
  const { tags, items, parents, count } = values.mapped.elements;
  let [last, modified] = [0, -1];
  for (let row = sequence + 1; row < count; row += 1) if (parents[row] === sequence) last = Math.max(last, items[row]!);
  modified = values.find(0x04000550, sequence, last);
  const found: Record<string, string> = {};
  for (let row = modified + 1; row < count; row += 1) if (parents[row] === modified) found[tags[row]!.toString(16).padStart(8, '0')] = values.strings(row).join('\\');
  assert.equal(values.strings(values.find(0x04000565, sequence, last)).join(), 'COERCE');
  assert.equal(values.strings(values.find(0x04000562, sequence, last)).join(), provenance.dateTime);
  return found;
}

for (const syntax of ['implicit', 'explicit', 'big'] as const) {
  test(`${syntax}: the local identity is in the object, the foreign one in its Original Attributes, all else as it was`, () => {
    const bytes = file(syntax, foreign);
    const { after, replaced, bytes: patched } = patch(bytes);
    const values = [0x00080050, 0x00081030, 0x00100010, 0x00100020, 0x00100021, 0x00100030, 0x00100040].map((tag) => after.string(tag));
    assert.deepEqual(values, ['A9', 'Brought from elsewhere', 'MUSTER^MARIA', '4711', 'HOUSE', '19700101', 'F']);
    for (const tag of [0x00400275, 0x00101000]) assert.equal(after.find(tag), -1);
    // The birth date is the same: it was not replaced.
    assert.deepEqual(originals(after), { '00080050': 'X1', '00081030': 'Foreign head', '00100010': 'MUSTERMANN^M', '00100020': 'F-1', '00100040': 'O', '00101000': 'OLD-1\\OLD-2', '00400275': '' });
    const pixelData = after.find(0x7fe00010);
    assert.deepEqual(Uint8Array.from(after.bytes(pixelData)), pixels);
    assert.deepEqual([after.string(0x0020000d), after.string(0x0020000e), after.string(0x00080018)], ['2.25.1', '2.25.2', '2.25.3']);
    assert.ok(Buffer.from(patched.subarray(-2048)).equals(bytes.subarray(-2048)));
    // Metadata say where the pixels lie in the file as it is stored.
    const metadata = JSON.parse(replaced.metadata) as Record<string, { BulkDataURI?: string; Value?: unknown[] }>;
    assert.equal(metadata['7FE00010']!.BulkDataURI, `${bytes.length - 2048},2048`);
    assert.deepEqual(metadata['00100020']!.Value, ['4711']);
    for (let index = 1; index < replaced.patches.length; index += 1) assert.ok(replaced.patches[index]!.offset > replaced.patches[index - 1]!.offset + replaced.patches[index - 1]!.length);
  });

  for (const undefinedLength of [false, true]) {
    test(`${syntax}: earlier changes stay in Original Attributes of ${undefinedLength ? 'undefined' : 'defined'} length`, () => {
      const earlier = { elements: [{ tag: 0x04000550, vr: 'SQ', value: [{ elements: [text(0x00100020, 'LO', 'FIRST')] }] }, text(0x04000565, 'CS', 'CORRECT')], undefinedLength };
      const { after } = patch(file(syntax, [...foreign, { tag: 0x04000561, vr: 'SQ', undefinedLength, value: [earlier] }]));
      const sequence = after.find(0x04000561);
      assert.equal(after.strings(after.find(0x04000565, sequence, 0)).join(), 'CORRECT');
      assert.equal(originals(after)['00100020'], 'F-1');
    });
  }

  test(`${syntax}: group lengths follow, one of a group that is gone goes`, () => {
    const groups = [0x0008, 0x0010, 0x0038];
    const elements = [...foreign, text(0x00380010, 'LO', 'VISIT')];
    const lengthOf = (of: readonly WritableElement[], group: number): number => encodeDataSet(of.filter(({ tag }) => tag >>> 16 === group && (tag & 0xffff) !== 0), syntaxes[syntax]).length;
    const { after } = patch(file(syntax, [...elements, ...groups.map((group): WritableElement => ({ tag: (group << 16) >>> 0, vr: 'UL', value: [lengthOf(elements, group)] }))]));
    const { tags, headerOffsets, valueOffsets, valueLengths, depths, count } = after.mapped.elements;
    for (const group of [0x0008, 0x0010]) {
      const row = after.find((group << 16) >>> 0);
      let next = row + 1;
      while (next < count && (depths[next]! > 0 || tags[next]! >>> 16 === group)) next += 1;
      assert.equal(new DataView(after.bytes(row).slice().buffer).getUint32(0, syntax !== 'big'), headerOffsets[next]! - valueOffsets[row]! - valueLengths[row]!);
    }
    assert.equal(after.find(0x00380000), -1);
  });
}

test('what the object says already is not touched', () => {
  const same: Identity = { patientName: 'MUSTERMANN^M^^', patientID: 'F-1', issuerOfPatientID: '', patientBirthDate: '19700101', patientSex: 'O', accessionNumber: 'X1', studyDescription: '' };
  const { replaced } = patch(file('explicit', foreign.filter(({ tag }) => tag !== 0x00101000 && tag !== 0x00400275)), same);
  assert.deepEqual(replaced.patches, []);
});

const latin = (tag: number, vr: string, value: string): WritableElement => ({ tag, vr, value: encodeText(value, ['ISO_IR 100'], 'name')! });
const declared = text(0x00080005, 'CS', 'ISO_IR 100');
const beyond: Identity = { ...local, patientName: 'MÜLLER^ŁUCJA' };

test('a name beyond the basic letters: UTF-8 is declared where all other text is the same in it', () => {
  const { after } = patch(file('explicit', foreign), beyond);
  assert.equal(after.string(0x00080005), 'ISO_IR 192');
  assert.equal(after.string(0x00100010), 'MÜLLER^ŁUCJA');
  assert.equal(originals(after)['00080005'], '');
  // The foreign name itself is replaced: it is read by its own set where it is kept.
  const replaced = patch(file('explicit', [declared, ...foreign.filter(({ tag }) => tag !== 0x00100010), latin(0x00100010, 'PN', 'GRÜN^JÖRG')]), beyond);
  assert.equal(originals(replaced.after)['00100010'], 'GRÜN^JÖRG');
  assert.equal(originals(replaced.after)['00080005'], 'ISO_IR 100');
  // In its own set it can.
  const own = patch(file('explicit', [declared, ...foreign, latin(0x00080090, 'PN', 'GRÜN^JÖRG')]), { ...local, patientName: 'MÜLLER^JÖRG' });
  assert.deepEqual([own.after.string(0x00080005), own.after.string(0x00100010), own.after.string(0x00080090)], ['ISO_IR 100', 'MÜLLER^JÖRG', 'GRÜN^JÖRG']);
});

for (const syntax of ['implicit', 'explicit', 'big'] as const) {
  for (const undefinedLength of [false, true]) {
    test(`${syntax}: other texts are written in UTF-8, too, also inside sequences of ${undefinedLength ? 'undefined' : 'defined'} length`, () => {
      const nest = (tag: number, elements: readonly WritableElement[]): WritableElement => ({ tag, vr: 'SQ', undefinedLength, value: [{ undefinedLength, elements: [text(0x00080100, 'SH', 'FIRST')] }, { undefinedLength, elements }] });
      const own = [text(0x00080005, 'CS', 'ISO_IR 101'), { tag: 0x00081030, vr: 'LO', value: encodeText('Łódź', ['ISO_IR 101'], 'values')! }];
      const elements = [
        declared, ...foreign, latin(0x00080090, 'PN', 'GRÜN^JÖRG'), latin(0x00104000, 'LT', 'Größe geprüft'), text(0x00090010, 'LO', 'MAKER'), latin(0x00091001, 'LO', 'prüfen'),
        nest(0x00081115, [nest(0x00081199, [latin(0x00080090, 'PN', 'WEIß^ÄNNE'), latin(0x0040a160, 'UT', 'Länge')]), latin(0x00204000, 'LT', 'Übersicht')]), nest(0x00089215, own),
      ];
      const bytes = file(syntax, elements);
      const { after, replaced } = patch(bytes, beyond);
      assert.deepEqual([after.string(0x00080005), after.string(0x00100010), after.string(0x00080090), after.string(0x00104000)], ['ISO_IR 192', 'MÜLLER^ŁUCJA', 'GRÜN^JÖRG', 'Größe geprüft']);
      // DICOM JSON is text: it says the same of everything that is not the patient's, at every depth.
      const [was, is] = [writeDicomJson(mapObject(new BytesSource(bytes), noInflating)), replaced.metadata].map((json) => JSON.parse(json) as Record<string, unknown>);
      for (const tag of Object.keys(was!)) if (!changedTags.has(tag)) assert.deepEqual(is![tag], was![tag], tag);
      assert.match(JSON.stringify(is!['00081115']), /WEIß\^ÄNNE.*Länge.*Übersicht/);
      assert.match(JSON.stringify(is!['00089215']), /Łódź/);
      // An Item with a set of its own keeps its bytes.
      assert.ok(Buffer.from(after.bytes(after.find(0x00081030, after.find(0x00089215), 1))).equals(Buffer.from(encodeText('Łódź', ['ISO_IR 101'], 'values')!)));
      assert.equal(originals(after)['00080005'], 'ISO_IR 100');
    });
  }
}

test('what cannot be written in UTF-8 without doubt is left alone, with a sentence', () => {
  const refused = (elements: readonly WritableElement[]): string => {
    const replaced = replaceIdentity(mapObject(new BytesSource(file('explicit', elements)), noInflating), beyond, provenance);
    assert.ok('problem' in replaced);
    return replaced.problem;
  };
  // A byte that the declared set does not define.
  assert.match(refused([text(0x00080005, 'CS', 'ISO_IR 126'), ...foreign, { tag: 0x00080090, vr: 'PN', value: Uint8Array.of(0x41, 0xff) }]), /MÜLLER\^ŁUCJA.*without doubt/);
  assert.match(refused([declared, ...foreign, latin(0x00104000, 'LT', 'ü'.repeat(65_534))]), /without doubt|character set/);
  // Far more places than the keeper takes patches, far apart.
  const many = Array.from({ length: 200 }, (_, index) => ({ elements: [{ tag: 0x00080070, vr: 'LO', value: encodeText('Prüf', ['ISO_IR 100'], 'values')! }, { tag: 0x0040a168, vr: 'OB', value: new Uint8Array(2_000 + 2 * (index % 2)) }] }));
  assert.match(refused([declared, ...foreign, { tag: 0x00081115, vr: 'SQ', value: many }]), /So much of its text/);
  // As many that are near are a few patches.
  const near = Array.from({ length: 200 }, () => ({ elements: [{ tag: 0x00080070, vr: 'LO', value: encodeText('Prüf', ['ISO_IR 100'], 'values')! }] }));
  assert.ok(patch(file('explicit', [declared, ...foreign, { tag: 0x00081115, vr: 'SQ', value: near }]), beyond).replaced.patches.length <= patchesMax);
});

const packing = { inflateRaw, deflateRaw: (bytes: Uint8Array) => deflateRawSync(bytes) };
function deflatedFile(elements: readonly WritableElement[]): Uint8Array {
  const meta = encodeFileMeta({ mediaStorageSOPClassUID: '1.2.840.10008.5.1.4.1.1.2', mediaStorageSOPInstanceUID: '2.25.3', transferSyntaxUID: deflatedExplicitVRLittleEndian });
  const packed = deflateRawSync(encodeDataSet(elements.toSorted((one, other) => one.tag - other.tag), explicitVRLittleEndian));
  return Buffer.concat([meta, packed, Buffer.alloc(packed.length % 2)]);
}

test('deflated: one patch is the Data Set packed anew, of even length; inside, all else is as it was', () => {
  for (const more of [[], [text(0x00080070, 'LO', 'A')], [text(0x00080070, 'LO', 'MAKER OF'), declared, latin(0x00080090, 'PN', 'GRÜN^JÖRG')], [text(0x0008103e, 'LO', 'one more')]]) {
    const bytes = deflatedFile([...foreign, ...more]);
    const before = mapObject(new BytesSource(bytes), packing);
    assert.deepEqual(before.problems, []);
    const replaced = replaceIdentity(before, beyond, provenance, packing);
    assert.ok(!('problem' in replaced), 'problem' in replaced ? replaced.problem : '');
    assert.deepEqual(replaced.patches.map(({ offset, length }) => [offset, length]), [[before.dataSetOffset, bytes.length - before.dataSetOffset]]);
    const source = new PatchedSource(before.source, replaced.patches);
    assert.equal(source.length % 2, 0);
    const after = new Values(mapObject(new BytesSource(source.read(0, source.length)), packing));
    assert.deepEqual(after.mapped.problems, []);
    assert.deepEqual([0x00080050, 0x00100010, 0x00100020, 0x0020000d].map((tag) => after.string(tag)), ['A9', 'MÜLLER^ŁUCJA', '4711', '2.25.1']);
    assert.deepEqual(Uint8Array.from(after.bytes(after.find(0x7fe00010))), pixels);
    assert.equal(originals(after)['00100020'], 'F-1');
    assert.deepEqual((JSON.parse(replaced.metadata) as Record<string, { Value: unknown }>)['00100020']!.Value, ['4711']);
  }
});

test('deflated and large, or without the means: impossible, with the numbers', () => {
  const noise = createHash('shake256', { outputLength: 1_200_000 }).digest();
  const large = mapObject(new BytesSource(deflatedFile([...foreign.filter(({ tag }) => tag !== 0x7fe00010), { tag: 0x7fe00010, vr: 'OW', value: noise }])), packing);
  assert.ok(large.dataSetLength > deflatedBytesMax);
  const refused = replaceIdentity(large, local, provenance, packing);
  assert.ok('problem' in refused && refused.problem.includes(String(large.dataSetLength)) && refused.problem.includes(String(deflatedBytesMax)));
  const without = replaceIdentity(mapObject(new BytesSource(deflatedFile(foreign)), packing), local, provenance);
  assert.ok('problem' in without && /deflated/.test(without.problem));
});

test('text is written in a set only where it is read back the same', () => {
  for (const [terms, word] of [[['ISO_IR 144'], 'Иванов'], [['ISO_IR 126'], 'Διονυσιος'], [['ISO_IR 13'], 'ﾔﾏﾀﾞ'], [['GB18030'], '王小东'], [['ISO_IR 192'], '山田'], [['ISO_IR 109'], 'Ĝoro']] as const) {
    assert.ok(encodeText(word, terms, 'name') !== null, `${terms.join()} ${word}`);
  }
  assert.equal(encodeText('Ł', ['ISO_IR 100'], 'name'), null);
  assert.equal(encodeText('~', ['ISO_IR 13'], 'name'), null);
  assert.equal(encodeText('é', [], 'name'), null);
});

test('every attribute that may change is in the list that the outside of the sandbox goes by', () => {
  assert.ok(['00080005', '00100010', '00100020', '00400275', '04000561', '0040A370'].every((tag) => changedTags.has(tag)));
  for (const uid of ['00080016', '00080018', '0020000D', '0020000E', '7FE00010']) assert.ok(!changedTags.has(uid));
});

test('a patched object is read across its patches, and says where its bytes are stored', () => {
  const source = new PatchedSource(new BytesSource(Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7)), [{ offset: 1, length: 2, bytes: Uint8Array.of(9, 9, 9) }, { offset: 5, length: 0, bytes: Uint8Array.of(8) }, { offset: 7, length: 1, bytes: new Uint8Array(0) }]);
  assert.deepEqual([...source.read(0, source.length)], [0, 9, 9, 9, 3, 4, 8, 5, 6]);
  assert.deepEqual([...source.read(3, 4)], [9, 3, 4, 8]);
  assert.equal(source.storedRange(4, 2), 3);
  assert.equal(source.storedRange(3, 2), null);
  assert.equal(source.storedRange(7, 2), 5);
  assert.throws(() => source.read(5, 5), RangeError);
  assert.throws(() => new PatchedSource(new BytesSource(new Uint8Array(4)), [{ offset: 1, length: 2, bytes: new Uint8Array(0) }, { offset: 2, length: 1, bytes: new Uint8Array(0) }]), RangeError);
});
