/** A run in words: for a terminal, for who mends what was missed, and for the document. */
import type { Run, Tally } from './run.ts';

const percent = ({ total, missed }: Tally): string => (total === 0 ? 'n/a' : `${(Math.floor(((total - missed) * 10_000) / total) / 100).toFixed(2)} %`);

export function runText(run: Run): string {
  const lines: string[] = [`${run.count} variants, seeds ${run.seed} to ${run.seed + run.count - 1}`];
  for (const [aim, tally] of Object.entries(run.aims)) lines.push(`  ${aim.padEnd(11)} ${String(tally.total).padStart(6)}   held ${tally.held}, disarmed ${tally.disarmed}, clean ${tally.missed}   ${percent(tally)}`);
  for (const [kind, names] of Object.entries(run.by)) {
    lines.push('', `attacks by ${kind}:`);
    for (const [name, tally] of [...names].toSorted(([, one], [, other]) => other.missed / other.total - one.missed / one.total)) {
      const control = kind === 'place' ? run.refused.get(name) : undefined;
      lines.push(`  ${name.padEnd(42)} ${String(tally.total).padStart(5)}   held ${String(tally.held).padStart(5)}  disarmed ${String(tally.disarmed).padStart(4)}  missed ${String(tally.missed).padStart(4)}   ${percent(tally)}${control === undefined ? '' : `   harmless bytes held ${control[0]}/${control[1]}`}`);
    }
  }
  return lines.join('\n');
}

function counts(title: string, groups: ReadonlyMap<string, readonly unknown[]>): string[] {
  return ['', title, ...[...groups].toSorted(([, one], [, other]) => other.length - one.length).map(([name, list]) => `${String(list.length).padStart(6)}  ${name}`)];
}

/** The misses, by class first, each with a seed that replays it. */
export function missesText(run: Run): string {
  const classes = Map.groupBy(run.misses, (miss) => `${miss.place} | ${miss.payload} | ${miss.wrapping}`);
  const byPlace = Map.groupBy(run.misses, (miss) => miss.place);
  const byWrapping = Map.groupBy(run.misses, (miss) => miss.wrapping);
  const byPayload = Map.groupBy(run.misses, (miss) => miss.payload);
  return [
    `${run.misses.length} of ${run.aims.attack.total} attacks come out clean (${run.count} variants, seeds ${run.seed} to ${run.seed + run.count - 1}).`,
    'Replay: node tools/variants/main.ts --show --count 1 --seed N [--out FILE]',
    ...counts('By place:', byPlace), ...counts('By payload:', byPayload), ...counts('By wrapping:', byWrapping),
    '', 'By class (place | payload | wrapping): seeds, Transfer Syntaxes',
    ...[...classes].toSorted(([, one], [, other]) => other.length - one.length).map(([name, list]) => `${String(list.length).padStart(4)}  ${name}: ${list.slice(0, 4).map((miss) => `${miss.seed} (${miss.syntax}, ${miss.bytes} B)`).join(', ')}`),
    '',
  ].join('\n');
}
