/** What becomes of an object: the examiner's own code, in this process, without the sandbox around it. For test objects only. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { statSync } from 'node:fs';
import { examine } from '@lazaret/pacs/inspection/examiner/examine.ts';
import { yaraEngine, type YaraEngine } from '@lazaret/pacs/inspection/engines/yara.ts';
import { verdictOf } from '@lazaret/pacs/inspection/verdict.ts';
import type { Disarmed, Finding, Verdict, Work } from '@lazaret/pacs/quarantine/contract.ts';
import type { Variant } from './variant.ts';

export interface Judged {
  readonly verdict: Verdict;
  readonly findings: readonly Finding[];
  readonly disarmed: Disarmed | null;
}

const work = { objectId: '', bytes: 0, sha256: '', sopClassUID: '', sopInstanceUID: '', transferSyntaxUID: '', peer: '' } as unknown as Work;

/** Memory where the system has a file system of it: variants are never stored. */
function folderInMemory(): string {
  const memory = statSync('/dev/shm', { throwIfNoEntry: false })?.isDirectory() === true ? '/dev/shm' : tmpdir();
  return mkdtempSync(join(memory, 'lazaret-variants-'));
}

export class Judge {
  readonly #engine: YaraEngine;
  readonly #folder = folderInMemory();
  readonly #path = join(this.#folder, 'object');

  constructor(engine: YaraEngine = yaraEngine()) {
    this.#engine = engine;
  }

  /** "ready", or why no rule can match: then everything is unscannable and nothing is shown. */
  get engineState(): string {
    return this.#engine.version().state;
  }

  judge(bytes: Uint8Array): Judged {
    writeFileSync(this.#path, bytes);
    const { report } = examine({ id: 1, path: this.#path, work: { ...work, bytes: bytes.length }, dataSetDigest: false, map: null }, this.#engine);
    const verdict = verdictOf(report.findings);
    // What is no instance is not archived (inspection.ts).
    return { verdict: verdict === 'clean' && report.instance === null ? 'malformed' : verdict, findings: report.findings, disarmed: report.disarmed };
  }

  close(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** The bytes that would stand in the archive. */
export function archivedOf(bytes: Uint8Array, disarmed: Disarmed | null): Buffer {
  const whole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return disarmed === null ? whole : Buffer.concat([Buffer.from(disarmed.prefix, 'base64'), whole.subarray(disarmed.dataSetOffset, disarmed.dataSetOffset + disarmed.dataSetLength)]);
}

/** So much of what was placed is looked for in the archived bytes: more than any two files share by chance. */
const tracedBytes = 64;

export type Outcome = 'held' | 'disarmed' | 'missed';

/** Held; or clean with the payload proven gone from the bytes that would be archived; or missed. */
export function outcomeOf(variant: Variant, judged: Judged): Outcome {
  if (judged.verdict !== 'clean') return 'held';
  if (judged.disarmed === null || variant.place.isOutside !== true) return 'missed';
  return archivedOf(variant.bytes, judged.disarmed).includes(variant.placed.subarray(0, tracedBytes)) ? 'missed' : 'disarmed';
}
