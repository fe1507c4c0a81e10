/** The server's certificate: made on first start when there is none, self-signed, so that nothing ever goes over the wire in clear. */
import { createHash, createPrivateKey, generateKeyPairSync, randomBytes, sign, X509Certificate } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { unavailable } from '@lazaret/system/failure.ts';

export interface ServerCertificate {
  readonly key: string;
  readonly cert: string;
  /** SHA-256 of the certificate (DER) in hex: what a person compares when the browser warns. */
  readonly fingerprint: string;
  readonly validTo: number;
  readonly selfSigned: boolean;
}

/** Browsers refuse more than 398 days of a public CA; a certificate that people accepted by hand should not change each year. Apple's limit for such is 825. */
const validDays = 820;
/** Renewed when less than this is left. */
const renewDays = 30;

/**
 * Reads `server.key` and `server.pem` of the folder, or makes them: ECDSA P-256, names of this host and its addresses. A pair that somebody
 * else put there is taken as it is; one of ours that ends soon is made again. Throws `certificate-unusable` when there is one that cannot be used.
 */
export function serverCertificate(folder: string, host: string, now: number): ServerCertificate {
  const keyFile = join(folder, 'server.key');
  const certFile = join(folder, 'server.pem');
  if (existsSync(keyFile) && existsSync(certFile)) {
    const found = readPair(readFileSync(keyFile, 'utf8'), readFileSync(certFile, 'utf8'));
    if (!found.selfSigned || found.validTo - now > renewDays * 86_400_000) return found;
  }
  const made = makePair(namesOf(host), now);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  write(keyFile, made.key);
  write(certFile, made.cert);
  return readPair(made.key, made.cert);
}

function write(path: string, text: string): void {
  writeFileSync(`${path}.new`, text, { mode: 0o600 });
  chmodSync(`${path}.new`, 0o600);
  renameSync(`${path}.new`, path);
}

function readPair(key: string, cert: string): ServerCertificate {
  try {
    const parsed = new X509Certificate(cert);
    if (!parsed.checkPrivateKey(createPrivateKey(key))) throw new Error('the key does not belong to the certificate');
    return { key, cert, fingerprint: createHash('sha256').update(parsed.raw).digest('hex'), validTo: Date.parse(parsed.validTo), selfSigned: parsed.subject === parsed.issuer && parsed.verify(parsed.publicKey) };
  } catch (error) {
    throw unavailable('certificate-unusable', `server.key and server.pem in the tls folder cannot be used: ${(error as Error).message}. Replace or remove them both.`, error);
  }
}

/** All that a browser on this machine or its network may call this server. */
function namesOf(host: string): readonly string[] {
  const names = new Set(['localhost', '127.0.0.1', '::1', hostname().toLowerCase()]);
  if (host !== '0.0.0.0' && host !== '::') names.add(host);
  else for (const list of Object.values(networkInterfaces())) for (const each of list ?? []) if (!each.address.includes('%')) names.add(each.address);
  return [...names].filter((name) => isIP(name) !== 0 || /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/i.test(name));
}

/** A self-signed certificate (RFC 5280), ECDSA P-256 with SHA-256. Only this one shape is written, so the DER for it stands here. */
function makePair(names: readonly string[], now: number): { key: string; cert: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const signature = sequence(oid('2a8648ce3d040302')); // ecdsa-with-SHA256
  const name = sequence(der(0x31, sequence(oid('550403'), der(0x0c, Buffer.from('Lazaret'))))); // commonName
  const serial = randomBytes(16);
  serial[0] = (serial[0]! & 0x3f) | 0x40; // positive, 127 bits
  const extensions = sequence(
    // Not a certification authority: whoever trusts it trusts this server and nothing that it could sign.
    extension('551d13', true, sequence()), // basicConstraints
    extension('551d0f', true, der(0x03, Buffer.of(7, 0x80))), // keyUsage: digitalSignature
    extension('551d25', false, sequence(oid('2b06010505070301'))), // extKeyUsage: serverAuth
    extension('551d11', false, sequence(...names.map(generalName))), // subjectAltName
    extension('551d0e', false, der(0x04, createHash('sha1').update(spki).digest())), // subjectKeyIdentifier
  );
  const tbs = sequence(
    der(0xa0, der(0x02, Buffer.of(2))), // version 3
    der(0x02, serial), signature, name, sequence(time(now - 86_400_000), time(now + validDays * 86_400_000)), name, spki, der(0xa3, extensions),
  );
  const cert = sequence(tbs, signature, der(0x03, Buffer.of(0), sign('sha256', tbs, privateKey)));
  return { key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), cert: `-----BEGIN CERTIFICATE-----\n${cert.toString('base64').match(/.{1,64}/g)!.join('\n')}\n-----END CERTIFICATE-----\n` };
}

/** Tag, length, value. */
function der(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const value = Buffer.concat(content);
  const length = value.length < 0x80 ? [value.length] : value.length < 0x100 ? [0x81, value.length] : [0x82, value.length >> 8, value.length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...length), value]);
}
function sequence(...content: readonly Uint8Array[]): Buffer {
  return der(0x30, ...content);
}
function oid(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, 'hex'));
}
function extension(id: string, critical: boolean, value: Buffer): Buffer {
  return sequence(oid(id), ...(critical ? [der(0x01, Buffer.of(0xff))] : []), der(0x04, value));
}
/** UTCTime until 2049, as RFC 5280 §4.1.2.5 wants. */
function time(ms: number): Buffer {
  const text = new Date(ms).toISOString().replace(/[-:T]|\.\d+/g, '');
  return ms < Date.UTC(2050, 0) ? der(0x17, Buffer.from(text.slice(2))) : der(0x18, Buffer.from(text));
}
function generalName(name: string): Buffer {
  return isIP(name) === 0 ? der(0x82, Buffer.from(name)) : der(0x87, addressBytes(name));
}
function addressBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split('.').map(Number));
  const [before = '', after] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const groups = (text: string): number[] => (text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16)));
  const [head, tail] = [groups(before), groups(after ?? '')];
  const all = [...head, ...Array.from({ length: 8 - head.length - tail.length }, () => 0), ...tail];
  return Buffer.from(all.flatMap((group) => [group >> 8, group & 0xff]));
}
