import assert from 'node:assert/strict';
import { test } from 'node:test';
import { privateElementOf } from './creators.ts';

test('an element is known by its creator and its place in the block, whichever block that is', () => {
  assert.equal(privateElementOf('SIEMENS CSA HEADER', 0x00291020)?.form, 'csa');
  assert.equal(privateElementOf('SIEMENS CSA HEADER', 0x0029ff20)?.form, 'csa');
  assert.equal(privateElementOf('GEMS_SERS_01', 0x0025101b)?.form, 'protocol');
  assert.equal(privateElementOf('KRETZ_US', 0x7fe11101)?.form, 'volume');
  assert.equal(privateElementOf('Philips MR Imaging DD 002', 0x20051144)?.form, 'blob');
  assert.equal(privateElementOf('SIEMENS CSA HEADER', 0x00291021), null);
  assert.equal(privateElementOf('SIEMENS CSA HEADER', 0x00311020), null);
  assert.equal(privateElementOf('ACME', 0x00291020), null);
  assert.equal(privateElementOf('', 0x00291020), null);
});
