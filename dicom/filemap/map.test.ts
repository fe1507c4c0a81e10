/** Each problem of the closed list is shown by an object that has it, made from a sound one by one named damage. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import { BytesSource } from '../dataset/bytes.ts';
import { deflatedExplicitVRLittleEndian, explicitVRBigEndian, explicitVRLittleEndian, implicitVRLittleEndian } from '../dataset/transfersyntaxes.ts';
import { encodeDataSet, type WritableElement, type WritableItem } from '../dataset/write.ts';
import { encodeFileMeta } from '../fileset/part10.ts';
import { checkSpans } from './check.ts';
import { MapRoom } from './columns.ts';
import { spanKinds, type MappedObject, type ReaderTools } from './contract.ts';
import { readerLimits, type ReaderLimits } from './limits.ts';
import { mapObject } from './map.ts';
import { problemKinds, problemsOfOneCodeMax } from './problems.ts';
import { elementsText, mapText } from './text.ts';

const sopClassUID = '1.2.840.10008.5.1.4.1.1.7';
const jpegBaseline = '1.2.840.10008.1.2.4.50';

const tools: ReaderTools = {
  inflateRaw(source, offset, length, outputBytesMax) {
    const input = source.read(offset, length);
    const inflate = (finishFlush: number): { buffer: Uint8Array; engine: { bytesWritten: number } } => inflateRawSync(input, { maxOutputLength: outputBytesMax, info: true, finishFlush }) as never;
    try {
      const { buffer, engine } = inflate(constants.Z_FINISH);
      return { output: new BytesSource(buffer), consumed: engine.bytesWritten, ended: 'complete' };
    } catch (error) {
      const { code } = error as { code: string };
      if (code === 'ERR_BUFFER_TOO_LARGE') return { output: new BytesSource(new Uint8Array(0)), consumed: 0, ended: 'limit' };
      if (code === 'Z_BUF_ERROR') return { output: new BytesSource(inflate(constants.Z_SYNC_FLUSH).buffer), consumed: length, ended: 'truncated' };
      return { output: new BytesSource(new Uint8Array(0)), consumed: 0, ended: 'invalid' };
    }
  },
};

const identity: readonly WritableElement[] = [
  { tag: 0x00080016, vr: 'UI', value: [sopClassUID] },
  { tag: 0x00080018, vr: 'UI', value: ['1.2.3'] },
];
const pixels: WritableElement = { tag: 0x7fe00010, vr: 'OW', value: new Uint8Array(16) };

function meta(transferSyntaxUID: string): Uint8Array {
  return encodeFileMeta({ mediaStorageSOPClassUID: sopClassUID, mediaStorageSOPInstanceUID: '1.2.3', transferSyntaxUID });
}

function concat(...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

/** A sound object with these elements after its identity. */
function object(elements: readonly WritableElement[], transferSyntaxUID: string = explicitVRLittleEndian): Uint8Array {
  return concat(meta(transferSyntaxUID), encodeDataSet([...identity, ...elements], transferSyntaxUID, { deflateRaw: deflateRawSync }));
}

/** Bytes after the last element of a Data Set that is deflated with them. */
function inflatedWith(bytes: readonly number[]): Uint8Array {
  return concat(meta(deflatedExplicitVRLittleEndian), deflateRawSync(concat(encodeDataSet([...identity, pixels], explicitVRLittleEndian), bytes)));
}

/** Bytes right after the identity, in Explicit VR Little Endian. */
const raw = (...bytes: readonly number[]): Uint8Array => concat(object([]), bytes);

function map(bytes: Uint8Array, limits?: ReaderLimits): MappedObject {
  const mapped = mapObject(new BytesSource(bytes), tools, limits);
  assert.equal(checkSpans(mapped.spans, bytes.length), null);
  if (mapped.dataSetSpans !== undefined) assert.equal(checkSpans(mapped.dataSetSpans, mapped.dataSetSource.length), null);
  return mapped;
}

function codes(mapped: MappedObject): string[] {
  return [...new Set(mapped.problems.map(({ code }) => code))];
}

const item = (...elements: readonly WritableElement[]): WritableItem => ({ elements });
const sequence = (...items: readonly WritableItem[]): WritableElement => ({ tag: 0x00081140, vr: 'SQ', value: items });
const openSequence = (...items: readonly WritableItem[]): WritableElement => ({ ...sequence(...items), undefinedLength: true });
const encapsulated = (...fragments: readonly Uint8Array[]): WritableElement => ({ tag: 0x7fe00010, vr: 'OB', value: { offsetTable: [], fragments } });

function nested(levels: number): WritableElement {
  let inner = sequence(item());
  for (let level = 1; level < levels; level += 1) inner = sequence(item(inner));
  return inner;
}

/** Writes `bytes` over the object at the only place where `pattern` is. */
function patched(target: Uint8Array, pattern: readonly number[], bytes: readonly number[]): Uint8Array {
  const copy = target.slice();
  const at = copy.findIndex((_, index) => pattern.every((byte, offset) => copy[index + offset] === byte));
  assert.ok(at >= 0, 'the pattern is there');
  copy.set(bytes, at);
  return copy;
}

const ITEM = [0xfe, 0xff, 0x00, 0xe0];
const ITEM_END = [0xfe, 0xff, 0x0d, 0xe0, 0, 0, 0, 0];
const SEQUENCE_END = [0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0];
const UNDEFINED = [0xff, 0xff, 0xff, 0xff];
const few: ReaderLimits = { ...readerLimits, elementsMax: 12, itemsMax: 3, depthMax: 2 };

test('a sound object has no problem, in each encoding', () => {
  const elements: readonly WritableElement[] = [
    { tag: 0x00080000, vr: 'UL', value: [42] },
    openSequence({ elements: [identity[0]!], undefinedLength: true }, item(), { elements: [], undefinedLength: true }),
    { tag: 0x00090010, vr: 'LO', value: ['LAZARET'] },
    { tag: 0x00091001, vr: 'OB', value: new Uint8Array(4) },
    { tag: 0x00091002, vr: 'SQ', value: [item()], undefinedLength: true },
    { tag: 0x00280010, vr: 'US', value: [2] },
    { tag: 0x60003000, vr: 'OW', value: new Uint8Array(2) },
    pixels,
    { tag: 0xfffcfffc, vr: 'OB', value: new Uint8Array(8) },
  ];
  for (const uid of [explicitVRLittleEndian, implicitVRLittleEndian, explicitVRBigEndian, deflatedExplicitVRLittleEndian]) {
    // Group lengths come first in their group.
    const mapped = map(concat(meta(uid), encodeDataSet([elements[0]!, ...identity, ...elements.slice(1)], uid, { deflateRaw: deflateRawSync })));
    assert.deepEqual(mapped.problems, [], uid);
    assert.equal(mapped.elements.count, 7 + 11, uid);
    assert.equal(mapped.elements.tags[mapped.pixelData], 0x7fe00010);
    const inner = mapped.dataSetSpans ?? mapped.spans;
    assert.equal(spanKinds[inner.kinds.at(-1)!], 'padding');
  }
});

test('encapsulated Pixel Data: fragments, an empty and a full Basic Offset Table', () => {
  const offsetTable = [0, 12];
  const value = { offsetTable, fragments: [new Uint8Array(4), new Uint8Array(6)] };
  const mapped = map(object([{ tag: 0x7fe00010, vr: 'OB', value }], jpegBaseline));
  assert.deepEqual(mapped.problems, []);
  assert.deepEqual([...mapped.fragments!.lengths], [4, 6]);
  assert.equal(mapped.fragments!.basicOffsetTable[1], 8);
  assert.deepEqual(map(object([encapsulated(new Uint8Array(4))], jpegBaseline)).problems, []);
});

test('UN of undefined length is Implicit VR Little Endian inside, in Big Endian too (CP-246)', () => {
  const inner = encodeDataSet([{ tag: 0x00081155, vr: 'UI', value: ['1.2'] }], implicitVRLittleEndian);
  for (const uid of [explicitVRLittleEndian, explicitVRBigEndian]) {
    const head = encodeDataSet([{ tag: 0x00091010, vr: 'UN', value: [], undefinedLength: true }], uid);
    const bytes = concat(object([{ tag: 0x00090010, vr: 'LO', value: ['LAZARET'] }], uid), head, ITEM, UNDEFINED, inner, ITEM_END, SEQUENCE_END);
    const mapped = map(bytes);
    assert.deepEqual(mapped.problems, [], uid);
    assert.equal(mapped.elements.tags.at(-1), 0x00081155);
    assert.equal(mapped.elements.depths.at(-1), 1);
  }
});

/** Damage, in the order of the list of problems. More codes than one may follow from one damage; the first is what the case is for. */
// prettier-ignore
const cases: readonly (readonly [expected: string, bytes: () => Uint8Array, limits?: ReaderLimits])[] = [
  ['object-empty', () => new Uint8Array(0)],
  ['not-dicom', () => new TextEncoder().encode('<html>this is no object</html>')],
  ['preamble-missing', () => object([pixels]).slice(132)],
  ['preamble-used', () => concat([1], object([pixels]).slice(1))],
  ['meta-missing', () => encodeDataSet(identity, implicitVRLittleEndian)],
  ['meta-encoding', () => concat(new Uint8Array(128), [0x44, 0x49, 0x43, 0x4d], encodeDataSet([{ tag: 0x00020010, vr: 'UI', value: [implicitVRLittleEndian] }, ...identity], implicitVRLittleEndian))],
  ['meta-group-length-missing', () => concat(object([]).slice(0, 132), object([]).slice(144))],
  ['meta-group-length-wrong', () => patched(object([]), [0x55, 0x4c, 4, 0], [0x55, 0x4c, 4, 0, 2])],
  ['meta-tag-unknown', () => patched(object([]), [2, 0, 0x13, 0], [2, 0, 0x14, 0])],
  ['meta-element-missing', () => patched(object([]), [2, 0, 0x12, 0], [2, 0, 0x13, 0])],
  ['meta-uid-mismatch', () => concat(meta(explicitVRLittleEndian), encodeDataSet([identity[0]!, { tag: 0x00080018, vr: 'UI', value: ['1.2.4'] }], explicitVRLittleEndian))],
  ['transfer-syntax-missing', () => patched(object([]), [2, 0, 0x10, 0], [2, 0, 0x11, 0])],
  ['transfer-syntax-unknown', () => concat(meta('1.2.840.113619.5.2'), encodeDataSet(identity, implicitVRLittleEndian))],
  ['transfer-syntax-mismatch', () => concat(meta(explicitVRLittleEndian), encodeDataSet(identity, implicitVRLittleEndian))],
  ['transfer-syntax-mismatch', () => concat(meta(implicitVRLittleEndian), encodeDataSet(identity, explicitVRLittleEndian))],
  ['transfer-syntax-mismatch', () => concat(meta(explicitVRLittleEndian), encodeDataSet(identity, explicitVRBigEndian))],
  ['deflate-invalid', () => concat(meta(deflatedExplicitVRLittleEndian), [0xff, 0xff, 0xff, 0xff])],
  ['deflate-truncated', () => object([pixels], deflatedExplicitVRLittleEndian).slice(0, -8)],
  ['deflate-limit', () => object([pixels], deflatedExplicitVRLittleEndian), { ...readerLimits, inflatedBytesMax: 32 }],
  ['trailing-inflated', () => inflatedWith([0x4d, 0x5a, 0x90, 0, 3, 0, 0, 0])],
  ['trailing-inflated', () => inflatedWith([0xfc, 0xff, 0xfc, 0xff, 0x4f, 0x42, 0, 0, 2, 0, 0, 0, 0x4d, 0x5a])],
  ['data-set-empty', () => meta(explicitVRLittleEndian)],
  ['header-truncated', () => raw(0x10, 0, 0x10, 0)],
  ['header-truncated', () => raw(0x10, 0, 0x10, 0, 0x55, 0x54, 0, 0)],
  ['length-exceeds-container', () => raw(0x10, 0, 0x10, 0, 0x50, 0x4e, 0xff, 0)],
  ['length-exceeds-container', () => raw(0x09, 0, 0x01, 0x10, 0x4f, 0x42, 0, 0, 0xf0, 0xff, 0xff, 0xff)],
  ['length-exceeds-container', () => patched(object([sequence(item(identity[0]!))]), [0x53, 0x51, 0, 0, 42], [0x53, 0x51, 0, 0, 32])],
  ['length-odd', () => object([{ tag: 0x00100020, vr: 'LO', value: ['123'], unpadded: true }])],
  ['length-undefined', () => raw(0x09, 0, 0x01, 0x10, 0x4f, 0x42, 0, 0, ...UNDEFINED, ...SEQUENCE_END)],
  ['length-not-a-multiple', () => object([{ tag: 0x00080008, vr: 'CS', value: [] }, { tag: 0x00189073, vr: 'FD', value: new Uint8Array(6) }])],
  ['vr-unknown', () => raw(0x10, 0, 0x10, 0, 0x3f, 0x3f, 0, 0)],
  ['vr-unknown', () => object([{ tag: 0x00100010, vr: 'ZZ', value: new Uint8Array(4) }])],
  ['vr-mismatch', () => object([{ tag: 0x00280010, vr: 'UL', value: [2] }])],
  ['vr-mismatch', () => object([{ tag: 0x00080000, vr: 'OB', value: new Uint8Array(4) }])],
  ['vr-other', () => object([{ tag: 0x00100020, vr: 'SH', value: ['1'] }])],
  ['reserved-not-zero', () => patched(object([{ tag: 0x00420011, vr: 'OB', value: new Uint8Array(2) }]), [0x42, 0, 0x11, 0, 0x4f, 0x42, 0], [0x42, 0, 0x11, 0, 0x4f, 0x42, 1])],
  ['tag-duplicate', () => object([{ tag: 0x00100010, vr: 'PN', value: ['A'] }, { tag: 0x00100010, vr: 'PN', value: ['B'] }])],
  ['tag-unordered', () => object([{ tag: 0x00100010, vr: 'PN', value: ['A'] }, { tag: 0x00080060, vr: 'CS', value: ['OT'] }])],
  ['tag-unknown', () => object([{ tag: 0x0010fffe, vr: 'LO', value: ['A'] }])],
  ['group-forbidden', () => object([{ tag: 0xffff0010, vr: 'LO', value: ['A'] }])],
  ['group-forbidden', () => concat(meta(explicitVRLittleEndian), encodeDataSet([{ tag: 0x00050010, vr: 'LO', value: ['A'] }, ...identity], explicitVRLittleEndian))],
  ['group-2-in-data-set', () => object([{ tag: 0x00020010, vr: 'UI', value: ['1'] }])],
  ['group-length-not-four-bytes', () => object([{ tag: 0x00090000, vr: 'OB', value: new Uint8Array(512) }])],
  ['private-element-reserved', () => object([{ tag: 0x00090001, vr: 'LO', value: ['A'] }])],
  ['private-creator-missing', () => object([{ tag: 0x00090010, vr: 'LO', value: ['A'] }, { tag: 0x00091101, vr: 'LO', value: ['A'] }])],
  ['padding-misplaced', () => object([sequence(item({ tag: 0xfffcfffc, vr: 'OB', value: new Uint8Array(2) }))])],
  ['padding-used', () => object([{ tag: 0xfffcfffc, vr: 'OB', value: Uint8Array.of(0, 1) }])],
  ['trailing-bytes', () => concat(object([pixels]), [0x4d, 0x5a, 0x90, 0, 3, 0, 0, 0])],
  ['trailing-bytes', () => concat(object([pixels], implicitVRLittleEndian), [0x4d, 0x5a, 0x90, 0, 3, 0, 0, 0])],
  ['trailing-bytes', () => concat(object([pixels]), [0])],
  ['trailing-bytes', () => concat(object([]), new Uint8Array(100))],
  ['trailing-bytes', () => concat(object([{ tag: 0xfffcfffc, vr: 'OB', value: new Uint8Array(2) }]), [1, 2])],
  ['trailing-bytes', () => concat(object([pixels], deflatedExplicitVRLittleEndian), new Uint8Array(8))],
  ['uid-invalid', () => object([{ tag: 0x0020000d, vr: 'UI', value: ['1.2/../3'] }])],
  ['uid-invalid', () => object([{ tag: 0x0020000e, vr: 'UI', value: ['1'.repeat(66)] }])],
  ['item-expected', () => raw(0x08, 0, 0x40, 0x11, 0x53, 0x51, 0, 0, 8, 0, 0, 0, 0x10, 0, 0x10, 0, 0, 0, 0, 0)],
  ['item-stray', () => raw(...ITEM, 0, 0, 0, 0)],
  ['delimiter-stray', () => raw(...SEQUENCE_END)],
  ['delimiter-stray', () => raw(0x08, 0, 0x40, 0x11, 0x53, 0x51, 0, 0, ...UNDEFINED, ...ITEM_END, ...SEQUENCE_END)],
  ['delimiter-stray', () => raw(0x08, 0, 0x40, 0x11, 0x53, 0x51, 0, 0, 8, 0, 0, 0, ...SEQUENCE_END)],
  ['delimiter-length', () => patched(object([openSequence(item())]), [0xfe, 0xff, 0xdd, 0xe0, 0], [0xfe, 0xff, 0xdd, 0xe0, 4])],
  ['item-delimiter-missing', () => raw(0x08, 0, 0x40, 0x11, 0x53, 0x51, 0, 0, ...UNDEFINED, ...ITEM, ...UNDEFINED, ...SEQUENCE_END)],
  ['item-delimiter-missing', () => raw(0x08, 0, 0x40, 0x11, 0x53, 0x51, 0, 0, ...UNDEFINED, ...ITEM, ...UNDEFINED, ...ITEM, 0, 0, 0, 0, ...SEQUENCE_END)],
  ['sequence-delimiter-missing', () => raw(0x08, 0, 0x40, 0x11, 0x53, 0x51, 0, 0, ...UNDEFINED)],
  ['sequence-delimiter-missing', () => raw(0x08, 0, 0x40, 0x11, 0x53, 0x51, 0, 0, ...UNDEFINED, 0x10, 0, 0x10, 0, 0x50, 0x4e, 0, 0)],
  ['sequence-delimiter-missing', () => object([encapsulated(new Uint8Array(4))], jpegBaseline).slice(0, -8)],
  ['pixels-not-encapsulated', () => object([pixels], jpegBaseline)],
  ['pixels-encapsulated', () => object([encapsulated(new Uint8Array(4))])],
  ['fragment-malformed', () => concat(object([encapsulated(new Uint8Array(0))], jpegBaseline).slice(0, -16), ITEM, UNDEFINED, SEQUENCE_END)],
  ['length-exceeds-container', () => concat(object([encapsulated(new Uint8Array(0))], jpegBaseline).slice(0, -16), ITEM, [0xf0, 0xff, 0xff, 0xff], SEQUENCE_END)],
  ['offset-table-malformed', () => concat(object([encapsulated()], jpegBaseline).slice(0, -16), ITEM, [2, 0, 0, 0, 0, 0], SEQUENCE_END)],
  ['offset-table-wrong', () => object([{ tag: 0x7fe00010, vr: 'OB', value: { offsetTable: [0, 4], fragments: [new Uint8Array(4), new Uint8Array(4)] } }], jpegBaseline)],
  ['depth-limit', () => object([nested(3)]), few],
  ['element-limit', () => object([sequence(item(identity[0]!, identity[1]!), item(identity[0]!, identity[1]!))]), few],
  ['item-limit', () => object([sequence(item(), item(), item(), item())]), few],
  ['item-limit', () => raw(...SEQUENCE_END, ...ITEM_END, ...SEQUENCE_END, ...ITEM_END), few],
  ['item-limit', () => object([encapsulated(new Uint8Array(0), new Uint8Array(0), new Uint8Array(0))], jpegBaseline), few],
];

for (const [expected, bytes, limits] of cases) {
  test(`${expected} is seen`, () => {
    const mapped = map(bytes(), limits);
    assert.ok(codes(mapped).includes(expected), `found ${codes(mapped).join(', ') || 'nothing'}`);
    for (const problem of mapped.problems) {
      assert.ok(problemKinds.has(problem.code));
      assert.ok(problem.offset >= 0 && problem.offset + problem.length <= Math.max(mapped.source.length, mapped.dataSetSource.length), problem.code);
    }
  });
}

test('each code of the list has a case', () => {
  const shown = new Set(cases.map(([code]) => code));
  assert.deepEqual([...problemKinds.keys()].filter((code) => !shown.has(code)), []);
});

test('what stops the reader leaves the rest unexplained, and nothing of it is taken for trailing', () => {
  const mapped = map(concat(object([]), [0x10, 0, 0x20, 0, 0x01, 0x02, 0x03, 0x04, 5, 6, 7, 8]));
  assert.equal(spanKinds[mapped.spans.kinds.at(-1)!], 'unexplained');
  assert.deepEqual(codes(mapped), ['vr-unknown']);
});

test('no value is read: a declared length of 4 GiB allocates nothing, and Pixel Data of 3 GiB is not touched', () => {
  const head = object([{ tag: 0x00280010, vr: 'US', value: [2] }]);
  const length = 3 * 1024 * 1024 * 1024;
  const bytes = concat(head, [0xe0, 0x7f, 0x10, 0, 0x4f, 0x57, 0, 0, 0, 0, 0, 0xc0]);
  let furthest = 0;
  const source = {
    length: bytes.length + length,
    read(offset: number, wanted: number): Uint8Array {
      assert.ok(wanted <= 64 * 1024, 'a window at a time');
      furthest = Math.max(furthest, offset + wanted);
      const window = new Uint8Array(wanted);
      if (offset < bytes.length) window.set(bytes.subarray(offset, offset + wanted));
      return window;
    },
  };
  const mapped = mapObject(source, tools);
  assert.deepEqual(mapped.problems, []);
  assert.equal(checkSpans(mapped.spans, source.length), null);
  assert.equal(spanKinds[mapped.spans.kinds.at(-1)!], 'pixels');
  assert.ok(furthest <= 128 * 1024);
});

test('problems of one code are bounded', () => {
  const many = Array.from({ length: 500 }, (_, index): WritableElement => ({ tag: (0x00100010 + (index % 2)) >>> 0, vr: 'LO', value: ['1'], unpadded: true }));
  const mapped = map(object(many));
  assert.equal(mapped.problems.filter(({ code }) => code === 'length-odd').length, problemsOfOneCodeMax);
});

test('a problem names where it is', () => {
  const mapped = map(object([sequence(item(), item({ tag: 0x00081155, vr: 'UI', value: ['1.2'], unpadded: true }))]));
  assert.equal(mapped.problems[0]?.path, '(0008,1140)[1].(0008,1155)');
  assert.equal(mapped.problems[0]?.tag, '(0008,1155)');
});

test('checkSpans refuses a gap, an overlap, an empty span, a wrong end and an unknown kind', () => {
  const { spans, source } = map(object([pixels]));
  const changed = (change: (copy: { offsets: Float64Array; lengths: Float64Array; kinds: Uint8Array }) => void): string | null => {
    const copy = { ...spans, offsets: spans.offsets.slice(), lengths: spans.lengths.slice(), kinds: spans.kinds.slice() };
    change(copy);
    return checkSpans(copy, source.length);
  };
  assert.equal(changed(() => undefined), null);
  assert.match(changed((copy) => void (copy.offsets[2]! += 2))!, /gap/);
  assert.match(changed((copy) => void (copy.offsets[2]! -= 2))!, /overlaps/);
  assert.match(changed((copy) => void (copy.lengths[2] = 0))!, /length 0/);
  assert.match(changed((copy) => void (copy.lengths[2] = Number.NaN))!, /length NaN/);
  assert.match(changed((copy) => void (copy.kinds[2] = 99))!, /kind/);
  assert.match(checkSpans(spans, source.length + 1)!, /end at/);
  assert.match(checkSpans(spans, source.length - 1)!, /past/);
  assert.match(checkSpans({ ...spans, count: spans.count + 1 }, source.length)!, /columns/);
});

test('objects read one after the other into one room have the maps that each has alone', () => {
  const room = new MapRoom();
  for (const elements of [[pixels], [], [sequence(...Array.from({ length: 300 }, () => item(...identity))), pixels], []]) {
    const source = new BytesSource(object(elements));
    assert.equal(mapText(mapObject(source, tools, undefined, room)), mapText(mapObject(source, tools)));
    assert.equal(elementsText(mapObject(source, tools, undefined, room)), elementsText(mapObject(source, tools)));
  }
});
