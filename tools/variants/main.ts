/**
 * Makes attack variants and has each judged.
 *
 * node tools/variants/main.ts [--count 10000] [--seed 1] [--misses FILE] [--place P] [--payload P] [--wrapping W] [--syntax S] [--show] [--out FILE]
 *
 * `--show` prints what was found in each; with `--count 1 --seed N` that is a replay; `--out` keeps its bytes. Exit 1 when an attack was missed.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Judge, outcomeOf } from './judging.ts';
import { missesText, runText } from './report.ts';
import { runVariants, namesOf } from './run.ts';
import { variantOf, type Wanted } from './variant.ts';

const { values } = parseArgs({ options: {
  count: { type: 'string', default: '10000' }, seed: { type: 'string', default: '1' }, misses: { type: 'string' }, out: { type: 'string' }, show: { type: 'boolean' },
  place: { type: 'string' }, payload: { type: 'string' }, wrapping: { type: 'string' }, syntax: { type: 'string' },
} });
const [seed, count] = [Number(values.seed), Number(values.count)];
const wanted: Wanted = Object.fromEntries((['place', 'payload', 'wrapping', 'syntax'] as const).flatMap((name) => (values[name] === undefined ? [] : [[name, values[name]]])));
const judge = new Judge();
try {
  if (judge.engineState !== 'ready') throw new Error(`YARA-X is ${judge.engineState}: everything would be unscannable`);
  if (values.show === true) {
    for (let at = seed; at < seed + count; at += 1) {
      const variant = variantOf(at, wanted);
      const judged = judge.judge(variant.bytes);
      console.log(JSON.stringify({ seed: at, aim: variant.aim, ...namesOf(variant), outcome: outcomeOf(variant, judged), verdict: judged.verdict, disarmed: judged.disarmed?.what ?? [], findings: judged.findings.map(({ code, tag, text }) => `${code} ${tag} ${text}`) }, null, 1));
      if (values.out !== undefined) writeFileSync(values.out, variant.bytes);
    }
  } else {
    const run = runVariants({ seed, count, controls: 12, wanted, judge, say: (done) => process.stderr.write(`\r${done}`) });
    process.stderr.write('\r');
    console.log(runText(run));
    if (values.misses !== undefined) writeFileSync(values.misses, missesText(run));
    process.exitCode = run.misses.length === 0 ? 0 : 1;
  }
} finally {
  judge.close();
}
