import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure } from '@lazaret/system/failure.ts';
import { plainAddress, type Asset } from './lookup.ts';
import { checkAsset, findAsset, loopback } from './registry.ts';

const ct: Asset = { assetId: 'ct-2', name: 'CT 2', aeTitle: 'CT2', addresses: ['192.0.2.10', '198.51.100.0/24', '2001:db8::/32'], certificate: null, may: ['echo', 'store'] };
const pinned: Asset = { assetId: 'gateway', name: 'Gateway', aeTitle: 'GATE', addresses: [], certificate: 'ab'.repeat(32), may: ['store'] };

test('a whole asset passes, normalised', () => {
  assert.deepEqual(checkAsset({ ...ct, name: ' CT 2 ', may: ['store', 'echo', 'store'] }), ct);
  assert.deepEqual(checkAsset(pinned), pinned);
});

test('each bad field is refused and named', () => {
  const bad: readonly [keyof Asset, unknown, RegExp][] = [
    ['assetId', 'CT 2', /assetId/], ['assetId', 'loopback', /assetId/], ['name', '', /name/], ['name', 'a\u0007', /name/], ['aeTitle', 'SEVENTEEN_LETTERS', /aeTitle/],
    ['aeTitle', '   ', /aeTitle/], ['aeTitle', 'A\\B', /aeTitle/], ['addresses', ['10.0.0.0/33'], /addresses/], ['addresses', ['ct2.example'], /addresses/], ['addresses', ['1.2.3.4/8/8'], /addresses/],
    ['addresses', [], /proves nothing/], ['addresses', '10.0.0.1', /addresses/], ['certificate', 'AB'.repeat(32), /certificate/], ['may', [], /may/], ['may', ['delete'], /may/],
  ];
  for (const [field, value, text] of bad) {
    assert.throws(() => checkAsset({ ...ct, [field]: value }), (error) => error instanceof Failure && error.code === 'asset-invalid' && text.test(error.message), `${field} ${JSON.stringify(value)}`);
  }
  for (const value of [null, 'x', []]) assert.throws(() => checkAsset(value), Failure);
});

test('title and address together identify a peer; neither does alone', () => {
  const find = (callingAETitle: string, address: string, certificate: string | null = null) => findAsset([ct, pinned], { callingAETitle, address, certificate })?.assetId ?? null;
  assert.equal(find('CT2', '192.0.2.10'), 'ct-2');
  assert.equal(find('CT2', '::ffff:198.51.100.7'), 'ct-2');
  assert.equal(find('CT2', '2001:db8::1'), 'ct-2');
  assert.equal(find('CT2', '192.0.2.11'), null);
  assert.equal(find('CT3', '192.0.2.10'), null);
  assert.equal(find('CT2', 'nonsense'), null);
  assert.equal(find('GATE', '192.0.2.99', 'ab'.repeat(32)), 'gateway');
  assert.equal(find('GATE', '192.0.2.99', 'cd'.repeat(32)), null);
  assert.equal(find('GATE', '192.0.2.99'), null);
  assert.equal(find('CT2', '192.0.2.99', 'ab'.repeat(32)), null);
});

test('this machine is known without being registered; a registered title on it is the registered asset', () => {
  const local: Asset = { ...ct, assetId: 'local', addresses: ['127.0.0.1'], may: ['echo'] };
  assert.equal(findAsset([], { callingAETitle: 'ANY', address: '127.0.0.1', certificate: null }), loopback);
  assert.equal(findAsset([], { callingAETitle: 'ANY', address: '::1', certificate: null }), loopback);
  assert.equal(findAsset([local], { callingAETitle: 'CT2', address: '127.0.0.1', certificate: null }), local);
  assert.equal(findAsset([], { callingAETitle: 'ANY', address: '192.0.2.1', certificate: null }), null);
});

test('IPv4 behind a dual-stack socket', () => {
  assert.equal(plainAddress('::ffff:10.0.0.1'), '10.0.0.1');
  assert.equal(plainAddress('::1'), '::1');
});
