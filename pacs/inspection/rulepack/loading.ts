/** From a pack to what the engine compiles, and from what the inspector names in an examiner's environment to that. */
import { readFileSync, statSync } from 'node:fs';
import { builtInSigner, packOf, rulesFolder } from './builtin.ts';
import { packBytesMax, sourceOf, type Pack } from './contract.ts';
import { readPack } from './pack.ts';
import { sha256Of } from './payload.ts';
import { signersOf } from './signers.ts';

export interface Rules {
  readonly source: string;
  /** For the epoch: "rules 7 0123456789ab", version and digest of the source. */
  readonly signatures: string;
  /** For people. */
  readonly text: string;
  /** Why there are none that could be used; then nothing is clean. */
  readonly problem: string | null;
}

/** An examiner's variable LAZARET_RULES, as JSON: a pack, the folder of trusted keys, and the digest that the pack must have; "" for any. */
export interface NamedPack {
  readonly pack: string;
  readonly signers: string | null;
  readonly sha256: string;
}

export function rulesOf(pack: Pack): Rules {
  const source = sourceOf(pack);
  const { version, text, created } = pack.manifest;
  const whose = pack.signer === builtInSigner ? 'that came with Lazaret' : `signed by ${pack.signer}`;
  return { source, signatures: `rules ${version} ${sha256Of(source).slice(0, 12)}`, text: `rule pack ${text} of ${created}, ${whose}`, problem: null };
}

/** What `LAZARET_RULES` names; the program's own pack without it. Never throws: rules that cannot be had are a `problem`. */
export function rulesNamed(variable: string | undefined): Rules {
  try {
    if (variable === undefined || variable === '') return rulesOf(packOf(rulesFolder));
    return rulesOf(readNamed(JSON.parse(variable) as NamedPack));
  } catch (error) {
    return { source: '', signatures: 'rules none', text: '', problem: `the rule pack cannot be used: ${(error as Error).message}` };
  }
}

/** Verified by its signature, and by its digest where it is known. Throws as `readPack` and `signersOf` do. */
export function readNamed({ pack, signers, sha256 }: NamedPack): Pack {
  if (statSync(pack).size > packBytesMax) throw new Error(`${pack} is larger than any rule pack`);
  const read = readPack(readFileSync(pack), signersOf(signers, () => {}));
  if (sha256 !== '' && read.sha256 !== sha256) throw new Error('it is not the file that was installed');
  return read;
}
