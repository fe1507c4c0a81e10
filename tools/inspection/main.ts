/**
 * What the inspection is worth, in numbers.
 *
 * node tools/inspection/main.ts [FOLDER…] [--variants 10000] [--seed 1] [--write]
 *
 * Counts the files of the folders by verdict and code, measures how fast each kind of object goes and how fast 500 rules do, and has the variants
 * of tools/variants judged. `--write` puts it into docs/inspection-measured.md. All in this process, without the sandbox. Exit 1 when an attack is missed.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { Judge } from '../variants/judging.ts';
import { runVariants, type Run, type Tally } from '../variants/run.ts';
import { countFolder, type FolderCounts } from './folders.ts';
import { inspectionSpeeds, rulesSpeed, type SpeedRow } from './speed.ts';

const { values, positionals } = parseArgs({ allowPositionals: true, options: { variants: { type: 'string', default: '10000' }, seed: { type: 'string', default: '1' }, write: { type: 'boolean', default: false } } });

const number = (value: number): string => value.toLocaleString('en-GB', { maximumFractionDigits: value < 10 ? 2 : 0 });
const many = (counts: ReadonlyMap<string, number>): string => [...counts].toSorted(([, one], [, other]) => other - one).map(([name, count]) => `${count} ${name}`).join(', ') || 'none';
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string => [`| ${head.join(' | ')} |`, `|${head.map(() => '---').join('|')}|`, ...rows.map((row) => `| ${row.join(' | ')} |`)].join('\n');
const caught = ({ total, missed }: Tally): string => `${(Math.floor(((total - missed) * 10_000) / Math.max(1, total)) / 100).toFixed(2)} %`;

function folderTable(folders: readonly FolderCounts[]): string {
  return table(['folder', 'files', 'MB', 'clean', 'of these disarmed', 'held', 'by verdict', 'by code', 'MB/s'], folders.map((one) => [
    basename(one.folder), number(one.files), number(one.bytes / 1e6), number(one.files - one.held), number(one.disarmed), number(one.held), many(one.verdicts), many(one.codes), number(one.bytes / 1e3 / Math.max(1, one.ms))]));
}
function speedTable(rows: readonly SpeedRow[], rules: number | null): string {
  return table(['work, one core', 'bytes', 'a second of CPU', 'verdict'], [...rows.map((row) => [row.work, number(row.bytes), `${number(row.megabytesPerSecond)} MB`, row.verdict]), ['500 rules over pixels (YARA-X alone)', '33,554,432', rules === null ? 'engine missing' : `${number(rules)} GB`, '']]);
}
function tallyTable(what: string, tallies: ReadonlyMap<string, Tally>): string {
  return table([what, 'attacks', 'held', 'disarmed', 'missed', 'caught'], [...tallies].toSorted(([one], [other]) => one.localeCompare(other)).map(([name, tally]) => [name, number(tally.total), number(tally.held), number(tally.disarmed), number(tally.missed), caught(tally)]));
}
function variantText({ aims, by, misses, count, seed }: Run): string {
  return [
    `${number(count)} variants (seeds ${seed} to ${seed + count - 1}): ${number(aims.attack.total)} attacks, of which ${number(aims.attack.held)} are held, ${number(aims.attack.disarmed)} disarmed (the payload is proven gone from the bytes that would be archived) and ${number(misses.length)} missed: ${caught(aims.attack)} caught.`,
    `${number(aims.characters.total)} are scripts as characters of a text attribute: ${number(aims.characters.missed)} are clean, as intended; nothing runs them there, and they are shown escaped.`,
    `${number(aims.beyond.total)} are beyond any inspection (exclusive or, encryption, reversed bytes, bits spread over pixels, a deflate stream without a header among other bytes, text in pieces among pixels): ${number(aims.beyond.held + aims.beyond.disarmed)} were caught all the same, by the place. For the rest: nothing that could undo them gets in, no file of the archive can be run, and each object can be traced and pulled.`,
    '', tallyTable('place', by.place), '', tallyTable('payload', by.payload), '', tallyTable('wrapping', by.wrapping), '', tallyTable('Transfer Syntax', by.syntax),
  ].join('\n');
}

const judge = new Judge();
try {
  if (judge.engineState !== 'ready') throw new Error(`YARA-X is ${judge.engineState}: everything would be unscannable`);
  const machine = `${cpus().length} × ${cpus()[0]!.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}, Node ${process.versions.node}`;
  const busy = loadavg()[0]! / cpus().length > 0.3 ? ` The machine was busy with something else (load ${loadavg()[0]!.toFixed(1)}): rates are lower than they could be.` : '';
  const text = [
    `\`node tools/inspection/main.ts ${['FOLDER…', `--variants ${values.variants}`, `--seed ${values.seed}`].join(' ')}\` on ${machine}.${busy} In one process, without the sandbox.`,
    ...(positionals.length === 0 ? [] : ['', '## Public files', '', 'A DICOMDIR is sound and no instance; here it counts as malformed, since nothing of it is archived, and in inspection.md as clean.', '', folderTable(positionals.map((folder) => countFolder(folder, judge)))]),
    '', '## Speed', '', speedTable(inspectionSpeeds(judge), rulesSpeed()),
  ];
  const run = runVariants({ seed: Number(values.seed), count: Number(values.variants), judge, say: (done) => process.stderr.write(`\r${done}`) });
  process.stderr.write('\r');
  const whole = [...text, '', '## Variants', '', variantText(run)].join('\n');
  console.log(whole);
  if (values.write) {
    const path = join(import.meta.dirname, '../../docs/inspection-measured.md');
    writeFileSync(path, readFileSync(path, 'utf8').replace(/(<!-- measured:start -->\n)[\s\S]*?(<!-- measured:end -->)/, (_, start: string, end: string) => `${start}${whole}\n${end}`));
  }
  process.exitCode = run.misses.length === 0 ? 0 : 1;
} finally {
  judge.close();
}
