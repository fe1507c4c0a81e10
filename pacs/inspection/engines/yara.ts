/**
 * YARA-X, embedded in the examiner, with the rule pack of `rules/`. Compiled once at the start of the process, without includes
 * (they would read files of this machine). Looks at bytes, not at files: the examiner gives it the original bytes and each unpacked part.
 */
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Finding } from '../../quarantine/contract.ts';
import type { EngineStatus } from '../assignment.ts';
import type { Engine } from './engine.ts';
import { loadYara, type YaraRules } from './yaraaddon.ts';

/** Where a match lies, as the file map says. */
export interface Place {
  readonly tag: string;
  /** `text`: a value that its VR makes text. `document`: an Encapsulated Document. */
  readonly region: 'text' | 'document' | 'other';
}

export interface YaraTarget {
  readonly bytes: Uint8Array;
  /** Added to the offsets of matches: where the bytes lie in the object. */
  readonly offset: number;
  place(offset: number): Place;
}

/** Runs where it is called, so its answers are there at once. */
export interface YaraEngine extends Engine<YaraTarget> {
  version(): EngineStatus;
  scan(target: YaraTarget): Finding[];
}

export const yaraName = 'yara-x';
/** The examiner is bounded from outside; this names the engine as the slow one. YARA-X looks at its clock now and then only. */
const scanTimeoutMs = 20_000;
/** The first few places say all; a file of nothing but headers must not fill the record. */
const matchesMax = 4;
/** Longest match of a rule of the pack: windows of a large object overlap by this. */
export const overlapBytes = 4096;

export const rulesFolder = join(import.meta.dirname, '..', 'rules');

/** Compiles the pack. Without the addon, or with a broken pack, the engine is missing or failing, and says so with every object. */
export function yaraEngine(folder: string = rulesFolder): YaraEngine {
  const source = readdirSync(folder).filter((name) => name.endsWith('.yar')).toSorted().map((name) => readFileSync(join(folder, name), 'utf8')).join('\n');
  const signatures = `rules ${createHash('sha256').update(source).digest('hex').slice(0, 12)}`;
  const loaded = loadYara();
  if (loaded.addon === null) return absent({ name: yaraName, version: '', signatures, state: 'missing', text: loaded.text }, 'engine-missing');
  let rules: YaraRules;
  try {
    rules = loaded.addon.compile(source, { enableIncludes: false });
  } catch (error) {
    return absent({ name: yaraName, version: loaded.version, signatures, state: 'failing', text: `the rule pack does not compile: ${(error as Error).message.split('\n')[0]}` }, 'engine-failed');
  }
  rules.setTimeout(scanTimeoutMs);
  rules.setMaxMatchesPerPattern(1000);
  rules.setMatchContextSize(0);
  const status: EngineStatus = { name: yaraName, version: loaded.version, signatures, state: 'ready', text: '' };
  return { name: yaraName, version: () => status, scan: (target) => scanWith(rules, target) };
}

function absent(status: EngineStatus, code: string): YaraEngine {
  return { name: yaraName, version: () => status, scan: () => [{ code, offset: 0, length: 0, tag: '', engine: yaraName, text: status.text }] };
}

function scanWith(rules: YaraRules, target: YaraTarget): Finding[] {
  let matched;
  try {
    matched = rules.scan(target.bytes);
  } catch (error) {
    return [{ code: 'engine-failed', offset: target.offset, length: target.bytes.length, tag: '', engine: yaraName, text: `YARA-X did not finish: ${(error as Error).message.split('\n')[0]}` }];
  }
  if (matched.length === 0) return [];
  const findings: Finding[] = [];
  for (const rule of matched) {
    const code = String(rule.meta['code'] ?? 'malware-signature');
    const text = `${String(rule.meta['text'] ?? rule.ruleIdentifier)} (rule ${rule.ruleIdentifier})`;
    const excused = rule.meta['place'] === 'outside-text' ? 'text' : rule.meta['place'] === 'outside-documents' ? 'document' : null;
    let count = 0;
    for (const match of rule.matches) {
      const offset = target.offset + match.offset;
      const place = target.place(offset);
      if (place.region === excused) continue;
      findings.push({ code, offset, length: match.length, tag: place.tag, engine: yaraName, text });
      if (++count === matchesMax) break;
    }
    // A rule that speaks of the file as a whole has no pattern to point at.
    if (rule.matches.length === 0) findings.push({ code, offset: target.offset, length: target.bytes.length, tag: '', engine: yaraName, text });
  }
  return findings;
}
