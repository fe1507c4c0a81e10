/**
 * Which pack is in use. `rules/current.json` in the data directory names it; the keeper writes that file, everyone else reads it. Without one, or where the
 * program has come with a newer pack since, it is the program's own, unless somebody went back to an older one on purpose.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Layout } from '@lazaret/system/layout.ts';
import type { NamedPack } from './loading.ts';

/** An installed pack, or the program's own where `sha256` is "". */
export interface PackName {
  readonly sha256: string;
  readonly version: number;
  readonly text: string;
  readonly signer: string;
}

export interface CurrentPack extends PackName {
  /** Somebody went back to it: it stays in use although the program has a newer one. */
  readonly pinned: boolean;
  /** Milliseconds since 1970. */
  readonly since: number;
  readonly person: string;
  /** What a rollback leads to; null where there is nothing to go back to. */
  readonly previous: PackName | null;
}

export interface Choice {
  /** What LAZARET_RULES of an examiner must be: null for the program's own pack. */
  readonly named: NamedPack | null;
  /** As the keeper has it; null: nothing was ever installed. */
  readonly current: CurrentPack | null;
}

const pointerBytesMax = 16 * 1024;

export function pointerPath(layout: Layout): string {
  return join(layout.rules, 'current.json');
}
export function packPath(layout: Layout, sha256: string): string {
  return join(layout.rules, `${sha256}.rulepack`);
}

/** The pack to use. A pointer that cannot be read names a file that is not there: then nothing is clean, rather than judged by other rules than somebody chose. */
export function choosePack(layout: Layout, builtInVersion: number): Choice {
  let current: CurrentPack;
  try {
    const text = readFileSync(pointerPath(layout), 'utf8');
    if (text.length > pointerBytesMax) throw new Error('it is too large');
    current = checkCurrent(JSON.parse(text));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { named: null, current: null };
    return { named: { pack: `${pointerPath(layout)} (${(error as Error).message})`, signers: null, sha256: '' }, current: null };
  }
  if (current.sha256 === '' || (!current.pinned && current.version <= builtInVersion)) return { named: null, current };
  return { named: { pack: packPath(layout, current.sha256), signers: layout.ruleKeys, sha256: current.sha256 }, current };
}

function checkCurrent(untrusted: unknown): CurrentPack {
  const value = untrusted as CurrentPack;
  const isName = (each: PackName): boolean => /^([0-9a-f]{64})?$/.test(each.sha256) && Number.isSafeInteger(each.version) && typeof each.text === 'string' && typeof each.signer === 'string';
  if (typeof value !== 'object' || value === null || !isName(value) || (value.previous !== null && !isName(value.previous))) throw new Error('it is damaged');
  return value;
}
