/** `lazaret inspect FILE_OR_FOLDER… [--json] [--map] [--decode]`: inspects without a server or data directory, in the same sandbox by the same rules. */
import { availableParallelism } from 'node:os';
import { parseArgs, styleText } from 'node:util';
import { processes } from '../processes.ts';
import { Failure } from '@lazaret/system/failure.ts';
import { layoutOf } from '@lazaret/system/layout.ts';
import type { Settings } from '@lazaret/system/process.ts';
import { confine, prepareSandboxes } from '@lazaret/system/sandbox.ts';
import { Decoding } from '@lazaret/pacs/inspection/decoding.ts';
import { Inspection } from '@lazaret/pacs/inspection/inspection.ts';
import { Pool, type Outcome } from '@lazaret/pacs/inspection/pool.ts';
import { verdictOf, verdictRow, worstFirst } from '@lazaret/pacs/inspection/verdict.ts';
import type { Verdict, Work } from '@lazaret/pacs/quarantine/contract.ts';
import type { Terminal } from './command.ts';
import { foundIn, visibleTo, type Found } from './files.ts';

const usage = 'Usage: ./lazaret inspect FILE_OR_FOLDER… [--json] [--map] [--decode]\n\n  --decode   also decodes compressed frames, each of which must come out as its attributes say\n';
/** Examiners that help: more than cores do not. */
const examinersMax = 8;
/** Results are told in the order of the files, so this many may wait for an earlier one. */
const aheadMax = 64;

export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  let parsed;
  try {
    parsed = parseArgs({ args: [...args], allowPositionals: true, options: { json: { type: 'boolean' }, map: { type: 'boolean' }, decode: { type: 'boolean' } } });
  } catch (error) {
    terminal.stderr.write(`${(error as Error).message}\n${usage}`);
    return 2;
  }
  const { values, positionals } = parsed;
  if (positionals.length === 0) {
    terminal.stderr.write(usage);
    return 2;
  }
  let files: Found[];
  try {
    files = positionals.flatMap(foundIn);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    terminal.stderr.write(`${error.message}\n`);
    return 2;
  }
  const settings = settingsFor(terminal.data);
  prepareSandboxes();
  const examiner = confine(processes.examiner, settings, { withoutData: true, reads: visibleTo(positionals) });
  const pool = new Pool({ start: () => examiner, examiners: Math.min(settings.examiners, Math.max(1, files.length)), memoryBytesMax: processes.examiner.memoryMiBMax * 1024 * 1024, log: (line) => terminal.stderr.write(line) });
  const decoderPlace = confine(processes.decoder, settings, { withoutData: true, reads: visibleTo(positionals) });
  const decoder = new Decoding({ start: () => decoderPlace, memoryBytesMax: processes.decoder.memoryMiBMax * 1024 * 1024, log: (line) => terminal.stderr.write(line) });
  try {
    const told = await inspectAll(new Inspection(pool, null, { decoder, policy: values.decode === true ? 'always' : 'never' }), files, { json: values.json === true, map: values.map === true }, terminal);
    if (values.json !== true) terminal.stdout.write(summary(told, examiner.text));
    return told.some(([verdict, count]) => verdict !== 'clean' && count > 0) ? 3 : 0;
  } finally {
    pool.close();
    decoder.close();
  }
}

/** No server is asked and no data directory touched; what such settings would say about them is not used. */
function settingsFor(data: string): Settings {
  return {
    layout: layoutOf(data), host: '127.0.0.1', dimsePort: 0, dimseTlsPort: 0, httpsPort: 0, aeTitle: '', sandbox: 'available', clamd: null,
    examiners: Math.min(examinersMax, availableParallelism()), decode: 'never', privateSOPClasses: [],
  };
}

interface Shown {
  readonly json: boolean;
  readonly map: boolean;
}

async function inspectAll(inspection: Inspection, files: readonly Found[], shown: Shown, terminal: Terminal): Promise<[Verdict, number][]> {
  const counts = new Map<Verdict, number>([['clean', 0], ['malformed', 0], ['unscannable', 0], ['malicious', 0]]);
  const running: Promise<Outcome>[] = [];
  let started = 0;
  for (const [index, found] of files.entries()) {
    for (; started < files.length && started < index + aheadMax; started += 1) {
      const next = files[started]!;
      const outcome = inspection.examine(workOf(next), next.path, { dataSetDigest: true, map: shown.map });
      outcome.catch(() => {});
      running.push(outcome);
    }
    const outcome = await running[index]!;
    const verdict = verdictOf(outcome.findings);
    counts.set(verdict, counts.get(verdict)! + 1);
    progress(terminal, '');
    terminal.stdout.write(shown.json ? `${JSON.stringify(jsonOf(found, outcome, verdict, shown.map))}\n` : peopleOf(found, outcome, verdict, shown.map));
    if (index + 1 < files.length) progress(terminal, `${index + 1} of ${files.length} inspected`);
  }
  progress(terminal, '');
  return [...counts];
}

function workOf(found: Found): Work {
  return { objectId: '' as Work['objectId'], bytes: found.bytes, sha256: '' as Work['sha256'], sopClassUID: '', sopInstanceUID: '', transferSyntaxUID: '', peer: '' };
}

/** One line on a terminal that the next one takes the place of. Scripts see nothing. */
function progress(terminal: Terminal, text: string): void {
  if (terminal.stderr.isTTY === true) terminal.stderr.write(`\r\u001b[K${text}`);
}

function jsonOf(found: Found, outcome: Outcome, verdict: Verdict, map: boolean): Record<string, unknown> {
  const { report } = outcome;
  return {
    file: found.name, verdict, disarmed: verdict === 'clean' ? (report?.disarmed?.what ?? []) : [], findings: worstFirst(outcome.findings),
    sha256: report?.sha256 ?? '', dataSetSha256: report?.dataSetSha256 ?? '', bytes: found.bytes, ms: outcome.ms,
    ...(map ? { spans: report?.map?.spans ?? [] } : {}),
  };
}

const colours: Readonly<Record<Verdict, 'green' | 'yellow' | 'red' | 'magenta'>> = { clean: 'green', malformed: 'yellow', unscannable: 'magenta', malicious: 'red' };

function peopleOf(found: Found, outcome: Outcome, verdict: Verdict, map: boolean): string {
  const { report } = outcome;
  const word = styleText(colours[verdict], verdict.padEnd(11));
  const disarmed = verdict === 'clean' && report?.disarmed !== null && report?.disarmed !== undefined ? `  (neutralised outside the Data Set: ${report.disarmed.what.join(', ')})` : '';
  const lines = [`${word} ${printable(found.name)}${disarmed}`];
  const told = new Set<string>();
  for (const finding of worstFirst(outcome.findings)) {
    const row = verdictRow(finding.code);
    const where = finding.length === 0 ? '' : ` at byte ${finding.offset}${finding.tag === '' ? '' : ` ${finding.tag}`}`;
    lines.push(`            ${styleText('bold', row.title)} [${finding.code}${where}, ${finding.engine}]`, `            ${printable(finding.text)}`);
    if (told.has(row.advice)) continue;
    told.add(row.advice);
    lines.push(styleText('dim', `            ${row.meaning} ${row.advice}`));
  }
  if (map) for (const span of report?.map?.spans ?? []) lines.push(`            ${String(span.offset).padStart(10)} ${String(span.length).padStart(10)}  ${span.kind.padEnd(12)} ${span.tag} ${span.vr} ${span.keyword}`.trimEnd());
  return `${lines.join('\n')}\n`;
}

/** File names come from media and senders: what would steer the terminal is shown as ?. */
function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}]/gu, '?');
}

function summary(counts: readonly (readonly [Verdict, number])[], sandbox: string): string {
  const parts = counts.filter(([, count]) => count > 0).map(([verdict, count]) => styleText(colours[verdict], `${count} ${verdict}`));
  return `\n${parts.length === 0 ? 'no files' : parts.join(', ')}   (examined in: ${sandbox})\n`;
}
