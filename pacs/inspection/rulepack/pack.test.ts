/** What a pack must be to be taken: signed as it is by somebody trusted, written in one way, and without any name or number to trip over. */
import assert from 'node:assert/strict';
import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { rulesNamed } from './loading.ts';
import { packOf, payloadOf, rulesFolder } from './builtin.ts';
import { packBytesMax, type Payload } from './contract.ts';
import { encodePack, readPack } from './pack.ts';
import { assemble } from './recipe.ts';
import { keyID, signersOf, type Signer } from './signers.ts';

const folder = mkdtempSync(join(tmpdir(), 'lazaret-rulepack-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const one = generateKeyPairSync('ed25519');
const other = generateKeyPairSync('ed25519');
const later = generateKeyPairSync('ml-dsa-65');
const signer: Signer = { name: 'site', keys: [one.publicKey] };
const payload = payloadOf(rulesFolder);
const taken = { code: 'rulepack-unsigned' };

test('a signed pack is read back as it was written', () => {
  const pack = readPack(encodePack(payload, [one.privateKey]), [signer]);
  assert.equal(pack.signer, 'site');
  assert.deepEqual(pack.manifest, payload.manifest);
  assert.deepEqual(pack.files, packOf(rulesFolder).files);
  assert.match(pack.sha256, /^[0-9a-f]{64}$/);
});

test('refused: unsigned, signed by somebody else, or by a key that says that it is another', () => {
  assert.throws(() => readPack(encodePack(payload, []), [signer]), taken);
  assert.throws(() => readPack(encodePack(payload, [other.privateKey]), [signer]), taken);
  assert.throws(() => readPack(encodePack(payload, [one.privateKey]), []), taken);
  const renamed = encodePack(payload, [other.privateKey]).toString('latin1').replace(keyID(other.publicKey), keyID(one.publicKey));
  assert.throws(() => readPack(Buffer.from(renamed, 'latin1'), [signer]), taken);
});

test('refused: any byte changed, cut off or added', () => {
  const file = encodePack(payload, [one.privateKey]);
  const start = file.indexOf('\n\n') + 2;
  for (let at = start; at < file.length; at += 997) {
    const changed = Buffer.from(file);
    changed[at]! ^= 1;
    assert.throws(() => readPack(changed, [signer]), taken, `byte ${at}`);
  }
  assert.throws(() => readPack(file.subarray(0, -1), [signer]), taken);
  assert.throws(() => readPack(Buffer.concat([file, Buffer.from(' ')]), [signer]), taken);
});

test('a signer of two keys must have signed with both', () => {
  const both: Signer = { name: 'site', keys: [one.publicKey, later.publicKey] };
  assert.equal(readPack(encodePack(payload, [one.privateKey, later.privateKey]), [both]).signer, 'site');
  assert.throws(() => readPack(encodePack(payload, [one.privateKey]), [both]), taken);
  assert.throws(() => readPack(encodePack(payload, [later.privateKey]), [both]), taken);
});

test('a signature over the same bytes for another purpose is none', () => {
  const file = encodePack(payload, [one.privateKey]);
  const text = file.subarray(file.indexOf('\n\n') + 2);
  const head = `lazaret-rulepack 1\nsignature ed25519 ${keyID(one.publicKey)} ${sign(null, text, one.privateKey).toString('base64')}\n\n`;
  assert.throws(() => readPack(Buffer.concat([Buffer.from(head), text]), [signer]), taken);
});

/** Signed by somebody who is trusted and was taken over: what they write is checked all the same. */
function signed(text: string, key: KeyObject = one.privateKey): Buffer {
  const message = Buffer.concat([Buffer.from('lazaret-rulepack 1\0'), Buffer.from(text)]);
  return Buffer.from(`lazaret-rulepack 1\nsignature ed25519 ${keyID(one.publicKey)} ${sign(null, message, key).toString('base64')}\n\n${text}`);
}
const written = (change: (value: Payload & { manifest: Record<string, unknown> }) => unknown): string => JSON.stringify(change(structuredClone(payload) as never), null, 1);
const hostile: Readonly<Record<string, readonly [text: string, why: RegExp]>> = {
  'a key twice': [written((value) => value).replace('"version"', '"version": 9999,\n  "version"'), /one way/],
  'another spelling': [JSON.stringify(payload), /one way/],
  'no JSON': ['rule x { condition: true }', /no JSON/],
  'a file twice': [written((value) => ({ ...value, files: [...value.files, value.files[0]] })), /same name/],
  'a path as name': [written((value) => ({ ...value, files: [{ name: '../../etc/cron.d/a.yar', text: '' }] })), /a name that is not/],
  'a folder as name': [written((value) => ({ ...value, files: [{ name: 'a/b.yar', text: '' }] })), /a name that is not/],
  'other files than the manifest says': [written((value) => ({ ...value, files: value.files.slice(1) })), /not those of the manifest/],
  'another text than the manifest says': [written((value) => ({ ...value, files: value.files.map((file) => ({ ...file, text: `${file.text} ` })) })), /not those of the manifest/],
  'a version that is none': [written((value) => ({ ...value, manifest: { ...value.manifest, version: 1.5 } })), /version/],
  'a version without end': [written((value) => ({ ...value, manifest: { ...value.manifest, version: 2 ** 50 } })), /version/],
  'a text that steers a terminal': [written((value) => ({ ...value, manifest: { ...value.manifest, text: '\u001b[2J' } })), /text/],
  'something that is not known': [written((value) => ({ ...value, manifest: { ...value.manifest, run: 'x' } })), /not known/],
  'a rule without test': [written((value) => ({ ...value, tests: [{ ...value.tests[0], finds: [] }] })), /not tested/],
  'a rule tested twice': [written((value) => ({ ...value, tests: [value.tests[0], value.tests[0]] })), /two tests/],
};
for (const [how, [text, why]] of Object.entries(hostile)) {
  test(`refused although signed: ${how}`, () => assert.throws(() => readPack(signed(text), [signer]), (error: Error & { code?: string }) => error.code === 'rulepack-invalid' && why.test(error.message)));
}

test('refused: larger than any pack, and without looking into it', () => {
  assert.throws(() => readPack(Buffer.alloc(packBytesMax + 1), [signer]), { code: 'rulepack-invalid' });
  assert.throws(() => readPack(Buffer.from('lazaret-rulepack 1\n'.repeat(50)), [signer]), { code: 'rulepack-invalid' });
  assert.throws(() => assemble({ name: 'huge', parts: Array.from({ length: 60 }, () => 'zeros:200000') }), { code: 'rulepack-invalid' });
  assert.throws(() => assemble({ name: 'odd', parts: ['file:/etc/passwd'] }), { code: 'rulepack-invalid' });
});

test('signers are public keys in a folder, named by their files', () => {
  const keys = join(folder, 'keys');
  assert.deepEqual(signersOf(keys), [], 'no folder, nobody trusted beyond the program\'s own');
  mkdirSync(keys);
  const pem = (key: KeyObject): string => key.export({ type: key.type === 'public' ? 'spki' : 'pkcs8', format: 'pem' }) as string;
  writeFileSync(join(keys, 'supplier.pem'), pem(one.publicKey) + pem(later.publicKey));
  assert.deepEqual(signersOf(keys).map(({ name, keys: all }) => [name, all.length]), [['supplier', 2]]);
  const wrong: Readonly<Record<string, string>> = {
    'a private key': pem(other.privateKey), 'two of a kind': pem(one.publicKey) + pem(other.publicKey), 'a key of another kind': pem(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey), nothing: '',
  };
  for (const [how, text] of Object.entries(wrong)) {
    writeFileSync(join(keys, 'another.pem'), text);
    assert.throws(() => signersOf(keys), { code: 'signer-invalid' }, how);
  }
});

test('an examiner takes no pack that it cannot verify: it then has no rules, and nothing is clean', () => {
  const keys = join(folder, 'verified');
  mkdirSync(keys);
  writeFileSync(join(keys, 'site.pem'), one.publicKey.export({ type: 'spki', format: 'pem' }) as string);
  const path = join(folder, 'installed.rulepack');
  writeFileSync(path, encodePack(payload, [one.privateKey]));
  const named = (sha256: string): string => JSON.stringify({ pack: path, signers: keys, sha256 });
  assert.equal(rulesNamed(named('')).problem, null);
  assert.match(rulesNamed(named('0'.repeat(64))).problem!, /not the file that was installed/);
  assert.match(rulesNamed(JSON.stringify({ pack: join(folder, 'none'), signers: keys, sha256: '' })).problem!, /cannot be used/);
  assert.match(rulesNamed('{').problem!, /cannot be used/);
  writeFileSync(join(keys, 'another.pem'), 'no key');
  assert.equal(rulesNamed(named('')).problem, null, 'a file that is no key beside it keeps nothing from being read');
  rmSync(join(keys, 'site.pem'));
  assert.match(rulesNamed(named('')).problem!, /No signer that is trusted/, 'trust that was withdrawn is gone at once');
  assert.match(rulesNamed(undefined).signatures, /^rules \d+ [0-9a-f]{12}$/, 'without a name: the program\'s own');
});
