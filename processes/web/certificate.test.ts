import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { serverCertificate } from './certificate.ts';

const folder = mkdtempSync(join(tmpdir(), 'lazaret-tls-'));
after(() => rmSync(folder, { recursive: true }));
const now = Date.now();

test('made at first start for this host, kept afterwards, renewed before it ends', () => {
  const made = serverCertificate(folder, '2001:db8::7', now);
  const parsed = new X509Certificate(made.cert);
  for (const name of ['localhost', hostname().toLowerCase()]) assert.equal(parsed.checkHost(name), name);
  for (const address of ['127.0.0.1', '::1', '2001:db8::7']) assert.ok(parsed.checkIP(address), address);
  assert.equal(parsed.checkHost('example.org'), undefined);
  assert.equal(parsed.ca, false);
  assert.equal(parsed.publicKey.asymmetricKeyDetails?.namedCurve, 'prime256v1');
  assert.ok(parsed.verify(parsed.publicKey));
  assert.deepEqual(parsed.keyUsage, ['1.3.6.1.5.5.7.3.1']);
  assert.ok(made.selfSigned);
  assert.equal(statSync(join(folder, 'server.key')).mode & 0o777, 0o600);
  assert.equal(serverCertificate(folder, '127.0.0.1', now).fingerprint, made.fingerprint);
  assert.notEqual(serverCertificate(folder, '127.0.0.1', made.validTo - 1000).fingerprint, made.fingerprint);
});

test('a pair that does not fit is not used', () => {
  const other = mkdtempSync(join(tmpdir(), 'lazaret-tls-'));
  writeFileSync(join(folder, 'server.key'), serverCertificate(other, 'localhost', now).key);
  rmSync(other, { recursive: true });
  assert.throws(() => serverCertificate(folder, 'localhost', now), { code: 'certificate-unusable' });
});
