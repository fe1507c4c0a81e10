import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import { deflatedExplicitVRLittleEndian, explicitVRBigEndian, explicitVRLittleEndian, implicitVRLittleEndian } from './transfersyntaxes.ts';
import { encodeDataSet, writeDepthMax, type WritableElement } from './write.ts';

const hex = (bytes: Uint8Array): string => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
/** Compares with hexadecimal digits; spaces are for reading. */
function assertBytes(actual: Uint8Array, expected: string): void {
  assert.equal(hex(actual), expected.replaceAll(' ', ''));
}

const rows: WritableElement = { tag: 0x00280010, vr: 'US', value: [512] };

function sequence(undefinedLength: boolean): WritableElement {
  return { tag: 0x00081140, vr: 'SQ', undefinedLength, value: [{ elements: [rows], undefinedLength }] };
}

/** The value alone, in Implicit VR Little Endian. */
function valueOf(element: WritableElement): string {
  return hex(encodeDataSet([element], implicitVRLittleEndian)).slice(16);
}

function numbers(vr: string, value: readonly number[] | readonly bigint[]): string {
  return valueOf({ tag: 0x00090010, vr, value });
}

test('PS3.5 §7.1: the header forms', () => {
  assertBytes(encodeDataSet([rows], explicitVRLittleEndian), '2800100055530200 0002');
  assertBytes(encodeDataSet([rows], explicitVRBigEndian), '0028001055530002 0200');
  assertBytes(encodeDataSet([rows], implicitVRLittleEndian), '2800100002000000 0002');
  assertBytes(encodeDataSet([{ tag: 0x00420011, vr: 'OB', value: Uint8Array.of(1) }], explicitVRLittleEndian), '420011004f42000002000000 0100');
});

test('PS3.5 §7.5: sequences with a length and without', () => {
  assertBytes(encodeDataSet([sequence(false)], implicitVRLittleEndian), '0800401112000000 feff00e00a000000 28001000020000000002');
  assertBytes(encodeDataSet([sequence(true)], implicitVRLittleEndian), '08004011ffffffff feff00e0ffffffff 28001000020000000002 feff0de000000000 feffdde000000000');
});

test('numbers take the width of their VR, an AT its two halves', () => {
  assert.equal(numbers('AT', [0x00181063]), '18006310');
  assert.equal(numbers('SS', [-1]), 'ffff');
  assert.equal(numbers('SL', [-2]), 'feffffff');
  assert.equal(numbers('FL', [1]), '0000803f');
  assert.equal(numbers('FD', [1]), '000000000000f03f');
  assert.equal(numbers('UV', [1n]), '0100000000000000');
  assert.equal(numbers('SV', [-1n]), 'ffffffffffffffff');
  assert.equal(numbers('DS', [1.5, 2]), '312e355c3220');
});

test('text is padded with a space, UI with NUL, and only where it is not told otherwise', () => {
  assert.equal(valueOf({ tag: 0x00100020, vr: 'LO', value: ['1'] }), '3120');
  assert.equal(valueOf({ tag: 0x00080018, vr: 'UI', value: ['1'] }), '3100');
  assert.equal(valueOf({ tag: 0x00100020, vr: 'LO', value: ['1'], unpadded: true }), '31');
});

test('a deflated Data Set has even length', () => {
  for (let length = 0; length < 20; length += 1) {
    const bytes = encodeDataSet([{ tag: 0x00100020, vr: 'LO', value: ['x'.repeat(length)] }], deflatedExplicitVRLittleEndian, { deflateRaw: deflateRawSync });
    assert.equal(bytes.length % 2, 0);
  }
});

test('what cannot be written is refused', () => {
  assert.throws(() => encodeDataSet([], '1.2.3'), /not a Transfer Syntax/);
  assert.throws(() => encodeDataSet([], deflatedExplicitVRLittleEndian), /needs deflateRaw/);
  assert.throws(() => encodeDataSet([{ tag: 0x00100020, vr: 'LO', value: ['x'.repeat(65_536)] }], explicitVRLittleEndian), /does not fit/);
  assert.throws(() => encodeDataSet([{ tag: 0x00100020, vr: 'LO', value: [1] }], explicitVRLittleEndian), /does not hold numbers/);
  let deep: WritableElement = { tag: 0x00081140, vr: 'SQ', value: [] };
  for (let level = 0; level <= writeDepthMax; level += 1) deep = { tag: 0x00081140, vr: 'SQ', value: [{ elements: [deep] }] };
  assert.throws(() => encodeDataSet([deep], explicitVRLittleEndian), /deeper/);
});
