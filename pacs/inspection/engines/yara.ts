/**
 * YARA-X, embedded in the examiner, with a rule pack: the one that came with the program, or one that was installed. Compiled once at the start of the
 * process, without includes (they would read files of this machine). Looks at bytes, not at files: the examiner gives it the original bytes and each
 * unpacked part. A large object goes by in windows that overlap, so a rule must not ask for the size of the file or for a place in it.
 */
import type { Finding } from '../../quarantine/contract.ts';
import type { EngineStatus } from '../assignment.ts';
import { packOf, rulesFolder } from '../rulepack/builtin.ts';
import { rulesOf, type Rules } from '../rulepack/loading.ts';
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
/** Farthest apart that what belongs to one match of a rule may lie: windows of a large object overlap by this. */
export const overlapBytes = 64 * 1024;
/**
 * YARA-X remembers so many matches of a pattern and no more. Where all of them are excused by their place, others behind them are not known of: then not
 * everything was looked at, or an author of malicious software would write a harmless text of nothing but matches before it.
 */
const rememberedMax = 10_000;

/** Compiles the rules. Without the addon, or with rules that do not compile, the engine is missing or failing, and says so with every object. */
export function yaraEngine(given: Rules = rulesOf(packOf(rulesFolder)), timeoutMs: number = scanTimeoutMs): YaraEngine {
  const rules = compileRules(given, timeoutMs);
  return 'absent' in rules ? absent(rules.absent, rules.code) : rules;
}

function compileRules({ source, signatures, text, problem }: Rules, timeoutMs: number): YaraEngine | { readonly absent: EngineStatus; readonly code: string } {
  const loaded = loadYara();
  if (loaded.addon === null) return { absent: { name: yaraName, version: '', signatures, state: 'missing', text: loaded.text }, code: 'engine-missing' };
  const failing = (why: string): { absent: EngineStatus; code: string } => ({ absent: { name: yaraName, version: loaded.version, signatures, state: 'failing', text: why.slice(0, 400) }, code: 'engine-failed' });
  if (problem !== null) return failing(problem);
  let rules: YaraRules;
  try {
    rules = loaded.addon.compile(source, { enableIncludes: false });
  } catch (error) {
    return failing(`the rule pack does not compile: ${(error as Error).message.split('\n')[0]}`);
  }
  rules.setTimeout(timeoutMs);
  rules.setMaxMatchesPerPattern(rememberedMax);
  rules.setMatchContextSize(0);
  const status: EngineStatus = { name: yaraName, version: loaded.version, signatures, state: 'ready', text };
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
    const message = (error as Error).message.split('\n')[0]!;
    return [{ code: /time/i.test(message) ? 'engine-timed-out' : 'engine-failed', offset: target.offset, length: target.bytes.length, tag: '', engine: yaraName, text: `YARA-X did not finish: ${message.slice(0, 200)}` }];
  }
  if (matched.length === 0) return [];
  const findings: Finding[] = [];
  for (const rule of matched) {
    const code = String(rule.meta['code'] ?? 'malware-signature');
    const text = `${String(rule.meta['text'] ?? rule.ruleIdentifier)} (rule ${rule.ruleIdentifier})`;
    const excused = rule.meta['place'] === 'outside-text' ? 'text' : rule.meta['place'] === 'outside-documents' ? 'document' : null;
    let count = 0;
    const remembered = new Map<string, number>();
    for (const match of rule.matches) {
      const offset = target.offset + match.offset;
      remembered.set(match.identifier, (remembered.get(match.identifier) ?? 0) + 1);
      const place = target.place(offset);
      if (place.region === excused) continue;
      findings.push({ code, offset, length: match.length, tag: place.tag, engine: yaraName, text });
      if (++count === matchesMax) break;
    }
    if (count === 0 && [...remembered.values()].some((matches) => matches >= rememberedMax)) {
      findings.push({ code: 'engine-limit', offset: target.offset, length: target.bytes.length, tag: '', engine: yaraName, text: `The rule ${rule.ruleIdentifier} matches so often that not every place was looked at.` });
    }
    // A rule that speaks of the file as a whole has no pattern to point at.
    if (rule.matches.length === 0) findings.push({ code, offset: target.offset, length: target.bytes.length, tag: '', engine: yaraName, text });
  }
  return findings;
}
