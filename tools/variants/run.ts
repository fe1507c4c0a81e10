/** A run of the generator: every variant judged, and what came of it by place, payload, wrapping and Transfer Syntax. */
import { Judge, outcomeOf, type Outcome } from './judging.ts';
import { controlOf, variantOf, type Aim, type Variant, type Wanted } from './variant.ts';

export interface Miss {
  readonly seed: number;
  readonly place: string;
  readonly payload: string;
  readonly wrapping: string;
  readonly syntax: string;
  readonly bytes: number;
}

export interface Tally {
  total: number;
  held: number;
  disarmed: number;
  missed: number;
}

export interface Run {
  readonly seed: number;
  readonly count: number;
  /** By aim, then by what varies and its name. */
  readonly aims: Readonly<Record<Aim, Tally>>;
  readonly by: Readonly<Record<'place' | 'payload' | 'wrapping' | 'syntax', ReadonlyMap<string, Tally>>>;
  /** Of attacks. */
  readonly misses: readonly Miss[];
  /** What held them, by code: the first code of each object that decided. */
  readonly codes: ReadonlyMap<string, number>;
  /** Places that are held with harmless bytes as well: there it is the place that is refused. */
  readonly refused: ReadonlyMap<string, readonly [refused: number, tried: number]>;
}

const tally = (): Tally => ({ total: 0, held: 0, disarmed: 0, missed: 0 });
function count(into: Tally, outcome: Outcome): void {
  into.total += 1;
  into[outcome] += 1;
}

/** Judges `count` variants from `seed` on. `controls`: for so many of each place, also the same object with harmless bytes. */
export function runVariants({ seed, count: wantedCount, controls = 0, wanted = {}, judge, say = () => {} }: { readonly seed: number; readonly count: number; readonly controls?: number; readonly wanted?: Wanted; readonly judge: Judge; readonly say?: (done: number) => void }): Run {
  const aims = { attack: tally(), characters: tally(), beyond: tally() };
  const by = { place: new Map<string, Tally>(), payload: new Map<string, Tally>(), wrapping: new Map<string, Tally>(), syntax: new Map<string, Tally>() };
  const misses: Miss[] = [];
  const codes = new Map<string, number>();
  const refused = new Map<string, [number, number]>();
  for (let at = seed; at < seed + wantedCount; at += 1) {
    const variant = variantOf(at, wanted);
    const judged = judge.judge(variant.bytes);
    const outcome = outcomeOf(variant, judged);
    count(aims[variant.aim], outcome);
    if ((at - seed) % 500 === 499) say(at - seed + 1);
    if (variant.aim !== 'attack') continue;
    const names = namesOf(variant);
    for (const kind of ['place', 'payload', 'wrapping', 'syntax'] as const) {
      const known = by[kind].get(names[kind]) ?? tally();
      by[kind].set(names[kind], known);
      count(known, outcome);
    }
    if (outcome === 'missed') misses.push({ seed: at, ...names, bytes: variant.placed.length });
    for (const code of new Set(judged.findings.map((finding) => finding.code))) codes.set(code, (codes.get(code) ?? 0) + 1);
    const control = refused.get(names.place) ?? [0, 0];
    if (control[1] < controls) refused.set(names.place, [control[0] + (judge.judge(controlOf(variant)).verdict === 'clean' ? 0 : 1), control[1] + 1]);
  }
  return { seed, count: wantedCount, aims, by, misses, codes, refused };
}

export function namesOf({ place, payload, wrapping, base }: Variant): { readonly place: string; readonly payload: string; readonly wrapping: string; readonly syntax: string } {
  return { place: place.name, payload: payload.name, wrapping: wrapping.name, syntax: base.name };
}
