/**
 * A pack put to the test: its own samples, each once where it should be found and once where it should not, and how fast its rules go over what is hardest
 * for them. Runs only in the sandbox, since a pack may come from a supplier that was taken over.
 */
import type { YaraEngine } from '../engines/yara.ts';
import { verdictTable } from '../verdict.ts';
import { sourceOf, type Payload, type Region, type Sample } from './contract.ts';
import { assemble } from './recipe.ts';

/** What one object has at least around what is hidden in it: a rule must not need it to stand at the start. */
const surroundings = Buffer.alloc(512);
/** The built-in pack goes over 1,500 MB/s. Under this the examiners would be held up, and objects held since they ran out of time. */
const megabytesPerSecondMin = 20;
const loadBytes = 4 * 1024 * 1024;
/** All that is said of one pack. */
const problemsMax = 50;

export interface Trial {
  readonly samples: number;
  readonly rules: readonly { readonly name: string; readonly code: string; readonly text: string }[];
  /** Of the slowest of the loads, in MB for each second of a processor. */
  readonly megabytesPerSecond: number;
  /** Nothing: the pack is as it says. */
  readonly problems: readonly string[];
}

/** `cpuMs`: how long the processor has worked on this so far. */
export function tryPack(pack: Payload, engine: YaraEngine, cpuMs: () => number): Trial {
  const { state, text } = engine.version();
  const rules = rulesIn(sourceOf(pack));
  if (state !== 'ready') return { samples: 0, rules, megabytesPerSecond: 0, problems: [text] };
  const problems = [...checkRules(pack, rules)];
  let samples = 0;
  const look = (sample: Sample): ReadonlySet<string> => {
    samples += 1;
    return found(engine, Buffer.concat([surroundings, assemble(sample), surroundings]), sample.region ?? 'other');
  };
  for (const test of pack.tests) {
    for (const sample of test.finds) if (!look(sample).has(test.rule)) problems.push(`${test.rule} does not find '${sample.name}'`);
    for (const sample of test.passes) if (look(sample).has(test.rule)) problems.push(`${test.rule} finds '${sample.name}', which it must not`);
  }
  for (const sample of pack.clean) for (const rule of look(sample)) problems.push(`${rule} finds the clean sample '${sample.name}'`);
  const megabytesPerSecond = problems.length > 0 ? 0 : speed(engine, cpuMs, problems);
  return { samples, rules, megabytesPerSecond, problems: problems.slice(0, problemsMax) };
}

/** The rules' names with what they say, out of their source: only for lists and checks, the engine has its own reader. */
export function rulesIn(source: string): Trial['rules'] {
  const heads = [...source.matchAll(/^[ \t]*((?:private|global)[ \t]+)*rule[ \t]+(\w{1,128})/gm)];
  return heads.map((head, index) => {
    const body = source.slice(head.index, heads[index + 1]?.index);
    const meta = (name: string): string => new RegExp(`^[ \\t]*${name}[ \\t]*=[ \\t]*"([^"\\n]{0,300})"`, 'm').exec(body)?.[1] ?? '';
    return { name: head[2]!, code: meta('code'), text: meta('text') };
  });
}

/** Each rule has a test and each test a rule; each says what it leads to. */
function* checkRules(pack: Payload, rules: Trial['rules']): Generator<string> {
  const names = new Set(rules.map(({ name }) => name));
  const tested = new Set(pack.tests.map(({ rule }) => rule));
  for (const { name, code, text } of rules) {
    if (!tested.has(name)) yield `${name} has no test`;
    if (verdictTable.get(code)?.verdict === undefined || verdictTable.get(code)!.verdict === 'clean') yield `${name} has no code that leads to a verdict (meta: code = "…")`;
    if (text === '') yield `${name} does not say what it finds (meta: text = "…")`;
  }
  for (const name of tested) if (!names.has(name)) yield `there is a test for ${name}, and no such rule`;
}

/** The rules that find something; a rule that finds is named in the finding, and an engine that did not finish counts as one. */
function found(engine: YaraEngine, bytes: Uint8Array, region: Region): ReadonlySet<string> {
  return new Set(engine.scan({ bytes, offset: 0, place: () => ({ tag: '', region }) }).map(({ code, text }) => /\(rule (\w+)\)$/.exec(text)?.[1] ?? code));
}

function speed(engine: YaraEngine, cpuMs: () => number, problems: string[]): number {
  let slowest = Number.POSITIVE_INFINITY;
  for (const [name, bytes] of loads()) {
    const before = cpuMs();
    const rules = found(engine, bytes, 'other');
    const rate = bytes.length / 1000 / Math.max(1, cpuMs() - before);
    slowest = Math.min(slowest, rate);
    for (const rule of rules) problems.push(rule.startsWith('engine-') ? `the rules do not get through ${name}: ${rule}` : `${rule} finds something in ${name}`);
    if (rate < megabytesPerSecondMin) problems.push(`the rules are too slow on ${name}: ${rate.toFixed(1)} MB/s of at least ${megabytesPerSecondMin}`);
    if (problems.length > 0) break;
  }
  return Math.round(slowest);
}

/** What images are like, what engines of patterns fear, and noise. The same each time. */
function* loads(): Generator<[name: string, bytes: Buffer]> {
  yield ['zeros', Buffer.alloc(loadBytes)];
  yield ['one letter', Buffer.alloc(loadBytes, 'a')];
  yield ['letters', Buffer.alloc(loadBytes, 'abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ 0123456789 ')];
  yield ['blanks and lines', Buffer.alloc(loadBytes, ' \t \r\n')];
  const noise = Buffer.alloc(loadBytes);
  const pixels = Buffer.alloc(loadBytes);
  let state = 0x2545f491;
  for (let at = 0; at + 4 <= loadBytes; at += 4) {
    // xorshift32: Marsaglia, Xorshift RNGs, 2003.
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    noise.writeInt32LE(state, at);
    pixels.writeUInt16LE(1024 + ((at >> 9) & 0x1ff) + (state & 0x1f), at);
    pixels.writeUInt16LE(1024 + ((at >> 9) & 0x1ff) + ((state >>> 8) & 0x1f), at + 2);
  }
  yield ['noise', noise];
  yield ['pixels', pixels];
}
