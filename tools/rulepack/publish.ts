/** From a folder of rules with tests to a signed pack. What finds anything in clean files cannot be published: there is no way past the check. */
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { foundIn, visibleTo } from '@lazaret/cli/files.ts';
import { tryInSandbox, type Tried } from '@lazaret/cli/trial.ts';
import { payloadOf } from '@lazaret/pacs/inspection/rulepack/builtin.ts';
import type { Manifest } from '@lazaret/pacs/inspection/rulepack/contract.ts';
import { encodePack, readPack } from '@lazaret/pacs/inspection/rulepack/pack.ts';
import { signersOf } from '@lazaret/pacs/inspection/rulepack/signers.ts';
import { refused } from '@lazaret/system/failure.ts';
import { layoutOf } from '@lazaret/system/layout.ts';
import type { Settings } from '@lazaret/system/process.ts';

/** Fewer clean files say nothing about what rules find by mistake. */
export const cleanFilesMin = 100;

export interface Published {
  readonly file: Buffer;
  readonly manifest: Manifest;
  readonly tried: Tried;
}

/** The private keys of a PEM file: Ed25519, ML-DSA, or one of each. */
export function privateKeysOf(pem: string): KeyObject[] {
  const blocks = pem.match(/-----BEGIN PRIVATE KEY-----[^-]+-----END PRIVATE KEY-----/g) ?? [];
  if (blocks.length === 0 || blocks.length > 2) throw refused('signer-invalid', 'A signer has one private key or two: Ed25519, ML-DSA, or one of each.');
  return blocks.map((block) => createPrivateKey(block));
}

/**
 * Signs the rules of `folder` with `keys`. Throws `rulepack-unpublished` with the reasons where a test fails, a rule finds something in a file of `clean`
 * or these are too few, and `rulepack-invalid` where it is no pack.
 */
export async function publish(folder: string, keys: readonly KeyObject[], clean: readonly string[], filesMin: number = cleanFilesMin): Promise<Published> {
  const files = clean.flatMap(foundIn);
  if (files.length < filesMin) throw refused('rulepack-unpublished', `The rules must be seen to find nothing in at least ${filesMin} clean files; these are ${files.length}.`);
  const payload = payloadOf(folder, { files: files.length, bytes: files.reduce((sum, { bytes }) => sum + bytes, 0) });
  const file = encodePack(payload, keys);
  const place = mkdtempSync(join(tmpdir(), 'lazaret-publish-'));
  try {
    const signers = join(place, 'keys');
    const path = join(place, 'pack');
    mkdirSync(signers);
    writeFileSync(join(signers, 'publisher.pem'), publicPEM(keys));
    writeFileSync(path, file);
    // What will be read where it is installed is read here first, by the same code.
    const { manifest } = readPack(file, signersOf(signers));
    const tried = await tryInSandbox({ pack: path, signers, sha256: '' }, files, visibleTo(clean), settings());
    const reasons = [...tried.problems, ...tried.matches.map(({ file: name, found }) => `${name}: ${found.join('; ')}`)];
    if (reasons.length > 0) throw refused('rulepack-unpublished', `The rule pack is not published:\n${reasons.map((reason) => `  ${reason}`).join('\n')}`);
    return { file, manifest, tried };
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

export function publicPEM(keys: readonly KeyObject[]): string {
  return keys.map((key) => createPublicKey(key).export({ type: 'spki', format: 'pem' }) as string).join('');
}

function settings(): Settings {
  return {
    layout: layoutOf(tmpdir()), host: '127.0.0.1', dimsePort: 0, dimseTlsPort: 0, httpsPort: 0, aeTitle: '', sandbox: 'available', clamd: null,
    examiners: availableParallelism(), decode: 'never', privateSOPClasses: [],
  };
}
