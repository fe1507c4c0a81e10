/**
 * A rule pack: YARA-X rules with their own tests, versioned and signed, in one file.
 *
 *   lazaret-rulepack 1\n
 *   signature <algorithm> <key> <base64>\n        once for each key of its signer
 *   \n
 *   <payload: JSON, exactly as JSON.stringify(payload, null, 1) writes it>
 *
 * Signed are the words `lazaret-rulepack 1`, a zero byte and the payload's bytes, so a signature says nothing about any other kind of file. The payload is
 * read only once its signatures hold, and only in its one spelling: two readers cannot see two packs in it. docs/rules.md tells of it for people.
 */

/** Five thousand rules with tests are some 4 MB. */
export const packBytesMax = 8 * 1024 * 1024;
export const filesMax = 200;
export const fileBytesMax = 2 * 1024 * 1024;
/** Rules together with all their samples; each is one scan of some 100 KB at most. */
export const samplesMax = 20_000;
export const partsMax = 64;
export const sampleBytesMax = 256 * 1024;
export const changesMax = 100;
export const textMax = 500;

export interface Manifest {
  /** Packs of one name follow each other. */
  readonly name: string;
  /** Rises by at least one with each pack; an older one is never installed over a newer one. */
  readonly version: number;
  /** The version as people say it. */
  readonly text: string;
  /** Dates as YYYY-MM-DD. */
  readonly created: string;
  /** Not to be installed after this day; null: as long as its signer is trusted. */
  readonly expires: string | null;
  /** The `rulesVersion` (inspection.ts) that its rules need at least. */
  readonly rulesVersionMin: number;
  readonly changelog: readonly { readonly version: number; readonly text: string }[];
  /** The clean files in which its rules were seen to find nothing when it was published. */
  readonly clean: { readonly files: number; readonly bytes: number } | null;
  readonly files: readonly { readonly name: string; readonly bytes: number; readonly sha256: string }[];
}

/** Where a sample is thought to lie: the values of `place` in a rule's meta are about that. */
export type Region = 'text' | 'document' | 'other';

export interface Sample {
  readonly name: string;
  readonly region?: Region;
  /** recipe.ts: `text:…`, `hex:…`, `wide:…`, `base64:…`, `zeros:N`. In parts, so that no pack holds anything that is harmful. */
  readonly parts: readonly string[];
}
export interface RuleTest {
  readonly rule: string;
  /** The rule must find something in each of these, at least one. */
  readonly finds: readonly Sample[];
  /** Near misses, at least one: the rule must find nothing in them. */
  readonly passes: readonly Sample[];
}

export interface Payload {
  readonly manifest: Manifest;
  readonly files: readonly { readonly name: string; readonly text: string }[];
  readonly tests: readonly RuleTest[];
  /** Nothing in the pack may find anything in these. */
  readonly clean: readonly Sample[];
}

/** A pack that was read. */
export interface Pack extends Payload {
  /** Who signed it; of the pack that came with the program: "Lazaret". */
  readonly signer: string;
  /** Of the whole file; "" of the pack that came with the program. */
  readonly sha256: string;
}

/** What the engine compiles: all files, one after the other. */
export function sourceOf(pack: Payload): string {
  return pack.files.map(({ text }) => text).join('\n');
}
