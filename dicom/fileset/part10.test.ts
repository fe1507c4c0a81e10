import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeFileMeta, fileMetaOffset, implementationClassUID, implementationVersionName } from './part10.ts';

const input = { mediaStorageSOPClassUID: '1.2.840.10008.5.1.4.1.1.2', mediaStorageSOPInstanceUID: '1.2.3', transferSyntaxUID: '1.2.840.10008.1.2.1', sourceApplicationEntityTitle: 'CT1' };

test('the preamble is zero, the prefix is DICM, and the group length is that of the group', () => {
  const bytes = encodeFileMeta(input);
  assert.ok(bytes.subarray(0, 128).every((byte) => byte === 0));
  assert.equal(String.fromCharCode(...bytes.subarray(128, 132)), 'DICM');
  const view = new DataView(bytes.buffer);
  assert.equal(view.getUint32(fileMetaOffset + 8, true), bytes.length - fileMetaOffset - 12);
  const text = String.fromCharCode(...bytes);
  for (const value of [implementationClassUID, implementationVersionName, 'CT1', '1.2.3\0']) assert.ok(text.includes(value), value);
  assert.equal(bytes.length % 2, 0);
});

test('our own UID is a UUID-derived one, our version name fits', () => {
  assert.match(implementationClassUID, /^2\.25\.[1-9]\d{0,38}$/);
  assert.ok(BigInt(implementationClassUID.slice(5)) < 1n << 128n);
  assert.ok(implementationVersionName.length <= 16);
});

test('an empty AE Title is left out', () => {
  assert.equal(encodeFileMeta({ ...input, sourceApplicationEntityTitle: '  ' }).length, encodeFileMeta(input).length - 12);
});

test('what is no UID and no AE Title is refused', () => {
  for (const uid of ['', '1.2/../3', '1'.repeat(65), '1.2\0']) assert.throws(() => encodeFileMeta({ ...input, mediaStorageSOPInstanceUID: uid }), RangeError, uid);
  for (const title of ['A'.repeat(17), 'A\\B', 'Ä']) assert.throws(() => encodeFileMeta({ ...input, sourceApplicationEntityTitle: title }), RangeError, title);
});
