import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import { BytesSource } from '../dataset/bytes.ts';
import { deflatedExplicitVRLittleEndian, explicitVRBigEndian, explicitVRLittleEndian, implicitVRLittleEndian } from '../dataset/transfersyntaxes.ts';
import { encodeDataSet, type WritableElement, type WritableValue } from '../dataset/write.ts';
import { encodeFileMeta } from '../fileset/part10.ts';
import { fuzzTools } from '../filemap/fuzz.ts';
import { mapObject } from '../filemap/map.ts';
import { writeDicomJson, type DicomJsonOptions } from './json.ts';

type Json = Record<string, { vr: string; Value?: unknown[]; InlineBinary?: string; BulkDataURI?: string }>;

function bytesOf(elements: readonly WritableElement[], transferSyntaxUID: string): Uint8Array {
  const meta = encodeFileMeta({ mediaStorageSOPClassUID: '1.2.840.10008.5.1.4.1.1.7', mediaStorageSOPInstanceUID: '1.2.3', transferSyntaxUID });
  return Uint8Array.from([...meta, ...encodeDataSet(elements, transferSyntaxUID, { deflateRaw: deflateRawSync })]);
}

function json(elements: readonly WritableElement[], transferSyntaxUID: string = explicitVRLittleEndian, options: DicomJsonOptions = {}): Json {
  return JSON.parse(writeDicomJson(mapObject(new BytesSource(bytesOf(elements, transferSyntaxUID)), fuzzTools), options)) as Json;
}

/** Of one private element, whose VR is free. */
const valueOf = (vr: string, value: WritableValue, transferSyntaxUID?: string): Json[string] => json([{ tag: 0x00091001, vr, value }], transferSyntaxUID)['00091001']!;

test('PS3.18 F.2.3: each VR', () => {
  assert.deepEqual(valueOf('AE', ['CT1', 'CT2']), { vr: 'AE', Value: ['CT1', 'CT2'] });
  assert.deepEqual(valueOf('AT', [0x00181063]), { vr: 'AT', Value: ['00181063'] });
  assert.deepEqual(valueOf('DS', ['1.50', '+2', '.5', '1e3', '1,5']), { vr: 'DS', Value: [1.5, 2, 0.5, 1000, '1,5'] });
  assert.deepEqual(valueOf('IS', ['-7', '007', '1A']), { vr: 'IS', Value: [-7, 7, '1A'] });
  assert.deepEqual(valueOf('FL', [0.5]), { vr: 'FL', Value: [0.5] });
  assert.deepEqual(valueOf('FD', [Number.NaN, 0.1, Number.POSITIVE_INFINITY]), { vr: 'FD', Value: [null, 0.1, null] });
  assert.deepEqual(valueOf('SS', [-1]), { vr: 'SS', Value: [-1] });
  assert.deepEqual(valueOf('SV', [-5n, -(2n ** 63n)]), { vr: 'SV', Value: [-5, '-9223372036854775808'] });
  assert.deepEqual(valueOf('UV', [2n ** 64n - 1n]), { vr: 'UV', Value: ['18446744073709551615'] });
  assert.deepEqual(valueOf('OB', Uint8Array.of(1, 2, 3, 4)), { vr: 'OB', InlineBinary: 'AQIDBA==' });
  assert.deepEqual(valueOf('UN', Uint8Array.of(255, 254)), { vr: 'UN', InlineBinary: '//4=' });
  assert.deepEqual(valueOf('LT', ['a\\b']), { vr: 'LT', Value: ['a\\b'] });
  assert.deepEqual(valueOf('LO', ['a', '', 'b']), { vr: 'LO', Value: ['a', null, 'b'] });
  assert.deepEqual(valueOf('LO', []), { vr: 'LO' });
});

test('PN in its groups, empty ones left out', () => {
  assert.deepEqual(valueOf('PN', ['Yamada^Tarou==x', '=y']), { vr: 'PN', Value: [{ Alphabetic: 'Yamada^Tarou', Phonetic: 'x' }, { Ideographic: 'y' }] });
});

test('binary values are Little Endian in JSON, whatever the object has', () => {
  for (const uid of [explicitVRLittleEndian, explicitVRBigEndian]) {
    assert.equal(valueOf('OW', [0x0102, 0x0304], uid).InlineBinary, 'AgEEAw==', uid);
    assert.equal(valueOf('OF', [1], uid).InlineBinary, 'AACAPw==', uid);
    assert.deepEqual(valueOf('US', [258], uid).Value, [258], uid);
  }
});

test('sequences: nested ones, none, and empty Items in any place', () => {
  const inner: WritableElement = { tag: 0x00080100, vr: 'SH', value: ['A'] };
  for (const undefinedLength of [false, true]) {
    for (const uid of [explicitVRLittleEndian, implicitVRLittleEndian, explicitVRBigEndian]) {
      const item = (...elements: readonly WritableElement[]) => ({ elements, undefinedLength });
      const sequence = (...items: readonly ReturnType<typeof item>[]): WritableElement => ({ tag: 0x00081140, vr: 'SQ', value: items, undefinedLength });
      const a = { '00080100': { vr: 'SH', Value: ['A'] } };
      assert.deepEqual(json([sequence()], uid), { '00081140': { vr: 'SQ' } });
      assert.deepEqual(json([sequence(item())], uid), { '00081140': { vr: 'SQ', Value: [{}] } });
      assert.deepEqual(json([sequence(item(), item(inner), item(), item())], uid), { '00081140': { vr: 'SQ', Value: [{}, a, {}, {}] } });
      const nested = sequence(item(inner, sequence(item(inner), item())), item());
      assert.deepEqual(json([nested, { tag: 0x00100020, vr: 'LO', value: ['1'] }], uid), {
        '00081140': { vr: 'SQ', Value: [{ ...a, '00081140': { vr: 'SQ', Value: [a, {}] } }, {}] },
        '00100020': { vr: 'LO', Value: ['1'] },
      });
    }
  }
});

test('long binary values are ranges of the object, Pixel Data always', () => {
  const data = new Uint8Array(1024).fill(7);
  const elements: readonly WritableElement[] = [{ tag: 0x00420011, vr: 'OB', value: data }, { tag: 0x7fe00010, vr: 'OW', value: Uint8Array.of(1, 2) }];
  const bytes = bytesOf(elements, explicitVRLittleEndian);
  const result = json(elements);
  const [offset, length] = result['00420011']!.BulkDataURI!.split(',').map(Number);
  assert.deepEqual(bytes.subarray(offset, offset! + length!), data);
  assert.equal(result['7FE00010']!.BulkDataURI, `${bytes.length - 2},2`);
  assert.match(json([{ tag: 0x0066002d, vr: 'UT', value: ['x'.repeat(70_000)] }])['0066002D']!.BulkDataURI!, /^\d+,70000$/);
});

function document(bytes: number): WritableElement[] {
  return [{ tag: 0x00420011, vr: 'OB', value: new Uint8Array(bytes) }];
}

test('in a deflated Data Set there is no range: inline, or left out and told', () => {
  const omitted: number[] = [];
  assert.ok(json(document(2048), deflatedExplicitVRLittleEndian, { omitted })['00420011']!.InlineBinary);
  assert.deepEqual(omitted, []);
  assert.deepEqual(json(document(70_000), deflatedExplicitVRLittleEndian, { omitted }), {});
  assert.equal(omitted.length, 1);
});

test('text is UTF-8 and says so; the File Meta Information and group lengths are not in it', () => {
  const result = json([{ tag: 0x00080000, vr: 'UL', value: [10] }, { tag: 0x00080005, vr: 'CS', value: ['ISO_IR 100'] }, { tag: 0x00100010, vr: 'PN', value: Uint8Array.of(0xc4, 0x20) }]);
  assert.deepEqual(result, { '00080005': { vr: 'CS', Value: ['ISO_IR 192'] }, '00100010': { vr: 'PN', Value: [{ Alphabetic: 'Ä' }] } });
});

test('nothing of the object becomes a key, and what is in text stays text', () => {
  const result = json([{ tag: 0x00100010, vr: 'PN', value: ['__proto__^"},{<script>'] }]);
  assert.deepEqual(Object.keys(result), ['00100010']);
  assert.deepEqual(result['00100010']!.Value, [{ Alphabetic: '__proto__^"},{<script>' }]);
});

test('a text that would grow past its limit is refused', () => {
  assert.throws(() => json([{ tag: 0x001021b0, vr: 'LT', value: ['x'.repeat(200)] }], explicitVRLittleEndian, { charactersMax: 100 }), RangeError);
});
