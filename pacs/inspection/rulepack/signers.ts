/**
 * Whose rule packs are taken. A signer has one public key, or two of different kinds (Ed25519 and ML-DSA), and then both must have signed: a pack stays
 * sound when one of the two kinds is broken. Those of this program are here; a site adds its own or its supplier's as `rule-keys/<name>.pem` in the
 * data directory and withdraws trust by taking the file away (docs/decisions/0013-whose-rules-are-taken.md: why, and how keys are changed).
 */
import { createHash, createPublicKey, sign, verify, type KeyObject } from 'node:crypto';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { refused } from '@lazaret/system/failure.ts';

export interface Signer {
  readonly name: string;
  readonly keys: readonly KeyObject[];
}

/** PEM of the keys that releases of Lazaret's own packs are signed with, by the name of the signer. None yet: no release key has been made. */
const programSigners: readonly { readonly name: string; readonly pem: string }[] = [];

/** Nobody trusts more suppliers than this. */
const signersMax = 32;
const pemBytesMax = 32 * 1024;
const algorithms: readonly string[] = ['ed25519', 'ml-dsa-44', 'ml-dsa-65', 'ml-dsa-87'];
/** Comes before what is signed, so that a signature over anything else never fits. */
const domain = Buffer.from('lazaret-rulepack 1\0');

/**
 * The signers of the program and of a folder of PEM files; a folder that is not there has none. A file that is none throws `signer-invalid`, or goes to
 * `wrong`: an examiner takes the other keys, since a key put there wrongly must not keep every image from being read.
 */
export function signersOf(folder: string | null, wrong: (error: unknown) => void = (error) => { throw error; }): Signer[] {
  const own = programSigners.map(({ name, pem }) => ({ name, keys: keysOf(name, pem) }));
  if (folder === null) return own;
  let names: string[];
  try {
    names = readdirSync(folder).filter((name) => name.endsWith('.pem')).toSorted();
  } catch {
    return own;
  }
  if (names.length > signersMax) throw refused('signer-invalid', `${folder} holds more than ${signersMax} keys`);
  const added: Signer[] = [];
  for (const file of names) {
    try {
      added.push(signerIn(folder, file, own));
    } catch (error) {
      wrong(error);
    }
  }
  return [...own, ...added];
}

function signerIn(folder: string, file: string, own: readonly Signer[]): Signer {
  const path = join(folder, file);
  const name = file.slice(0, -'.pem'.length);
  if (!/^[a-z0-9][a-z0-9-]{0,39}$/.test(name) || own.some((signer) => signer.name === name)) throw refused('signer-invalid', `${path}: a signer's file is named by it, in a-z, 0-9 and -, and no name is used twice`);
  if (statSync(path).size > pemBytesMax) throw refused('signer-invalid', `${path} is too large for a public key`);
  return { name, keys: keysOf(path, readFileSync(path, 'latin1')) };
}

function keysOf(path: string, pem: string): KeyObject[] {
  if (pem.includes('PRIVATE KEY')) throw refused('signer-invalid', `${path} holds a private key: it must not be here. Keep it where packs are signed, make a new one if others could read it, and put the public key here`);
  const blocks = pem.match(/-----BEGIN PUBLIC KEY-----[^-]+-----END PUBLIC KEY-----/g) ?? [];
  let keys: KeyObject[];
  try {
    keys = blocks.map((block) => createPublicKey(block));
  } catch {
    throw refused('signer-invalid', `${path} cannot be read as a public key`);
  }
  const kinds = keys.map((key) => key.asymmetricKeyType ?? '');
  if (keys.length < 1 || keys.length > 2 || kinds.some((kind) => !algorithms.includes(kind)) || new Set(kinds.map((kind) => kind.slice(0, 2))).size !== keys.length) {
    throw refused('signer-invalid', `${path} must hold the public key of one signer: Ed25519, ML-DSA, or one of each`);
  }
  return keys;
}

/** Names a key: the first 16 hex digits of the SHA-256 of its SubjectPublicKeyInfo. */
export function keyID(key: KeyObject): string {
  return createHash('sha256').update(key.export({ type: 'spki', format: 'der' })).digest('hex').slice(0, 16);
}

export interface Signature {
  readonly algorithm: string;
  readonly key: string;
  readonly bytes: Buffer;
}

export function signWith(key: KeyObject, publicKey: KeyObject, payload: Uint8Array): Signature {
  return { algorithm: key.asymmetricKeyType ?? '', key: keyID(publicKey), bytes: sign(null, Buffer.concat([domain, payload]), key) };
}

/** The signer all of whose keys have signed, or null. */
export function signerOf(payload: Uint8Array, signatures: readonly Signature[], signers: readonly Signer[]): Signer | null {
  const message = Buffer.concat([domain, payload]);
  const holds = (key: KeyObject): boolean => {
    const signature = signatures.find((each) => each.key === keyID(key) && each.algorithm === key.asymmetricKeyType);
    return signature !== undefined && verify(null, message, key, signature.bytes);
  };
  return signers.find((signer) => signer.keys.every(holds)) ?? null;
}
