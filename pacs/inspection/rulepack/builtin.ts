/** The pack that comes with the program, from the files of `rules/`. It is trusted as the program is; `tools/rulepack` makes a signed pack of the same files. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Manifest, Pack, Payload, RuleTest, Sample } from './contract.ts';
import { checkPayload, sha256Of } from './payload.ts';

export const rulesFolder = join(import.meta.dirname, '..', 'rules');
export const builtInSigner = 'Lazaret';

/** A pack from a folder: `pack.json`, `*.yar`, and for the tests `*.tests.json` beside them and `clean.json`. Throws `rulepack-invalid`. */
export function packOf(folder: string, signer: string = builtInSigner, clean: Manifest['clean'] = null): Pack {
  return { ...checkPayload(payloadOf(folder, clean)), signer, sha256: '' };
}

export function payloadOf(folder: string, clean: Manifest['clean'] = null): Payload {
  const names = readdirSync(folder).toSorted();
  const json = (name: string): unknown => JSON.parse(readFileSync(join(folder, name), 'utf8'));
  const files = names.filter((name) => name.endsWith('.yar')).map((name) => ({ name, text: readFileSync(join(folder, name), 'utf8') }));
  const told = json('pack.json') as Omit<Manifest, 'clean' | 'files'>;
  const { name, version, text, created, expires, rulesVersionMin, changelog } = told;
  return {
    manifest: { name, version, text, created, expires, rulesVersionMin, changelog, clean, files: files.map((file) => ({ name: file.name, bytes: Buffer.byteLength(file.text), sha256: sha256Of(file.text) })) },
    files,
    tests: names.filter((file) => file.endsWith('.tests.json')).flatMap((file) => json(file) as RuleTest[]),
    clean: names.includes('clean.json') ? (json('clean.json') as Sample[]) : [],
  };
}
