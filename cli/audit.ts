/** `./lazaret audit verify | show`: reads the log's files, whether the server runs or not. */
import { existsSync } from 'node:fs';
import { parseArgs, styleText } from 'node:util';
import { layoutOf } from '@lazaret/system/layout.ts';
import { readEntries, summarize } from '@lazaret/audit/reading.ts';
import { verifyLog } from '@lazaret/audit/verify.ts';
import type { Terminal } from './command.ts';

const usage = 'Usage: ./lazaret audit verify [--json] | show [--from N] [--last N] [--xml] [--json]\n';
/** What fits a screen or two. */
const lastDefault = 50;

export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  let parsed;
  try {
    parsed = parseArgs({ args: [...args], allowPositionals: true, options: { json: { type: 'boolean' }, xml: { type: 'boolean' }, from: { type: 'string' }, last: { type: 'string' } } });
  } catch (error) {
    terminal.stderr.write(`${(error as Error).message}\n${usage}`);
    return 2;
  }
  const { positionals, values } = parsed;
  const folder = layoutOf(terminal.data).audit;
  const [what, ...more] = positionals;
  const counts = [values.from, values.last].filter((value) => value !== undefined);
  if (more.length > 0 || (what !== 'verify' && what !== 'show') || counts.some((value) => !/^\d{1,15}$/.test(value))) {
    terminal.stderr.write(usage);
    return 2;
  }
  if (!existsSync(folder)) {
    terminal.stderr.write(`There is no audit log in ${terminal.data}. Is --data right?\n`);
    return 1;
  }
  if (what === 'verify') return verify(folder, values.json === true, terminal);
  return show(folder, values, terminal);
}

function verify(folder: string, json: boolean, { stdout }: Terminal): number {
  const result = verifyLog(folder);
  if (json) {
    stdout.write(`${JSON.stringify(result)}\n`);
  } else if (result.problems.length === 0) {
    stdout.write(`${styleText('green', 'The audit log is as it was written.')}\n${result.entries} entries, ${result.checkpoints} signed checkpoints.\n`);
    const unsigned = result.entries - (result.last?.size ?? 0);
    // The newest second: each is whole, but nothing vouches for it yet.
    if (unsigned > 0) stdout.write(`The newest ${unsigned === 1 ? 'entry is' : `${unsigned} entries are`} not signed yet; that takes a second while Lazaret runs.\n`);
    if (result.last !== null) {
      stdout.write(`Last checkpoint, ${new Date(result.last.time).toISOString()}: ${result.last.size} entries, root\n  ${result.last.root}\nA copy of that line kept elsewhere proves later that nothing before it was changed, even by somebody who had this machine.\n`);
    }
  } else {
    stdout.write(`${styleText('red', `The audit log is NOT as it was written: ${result.problems.length} ${result.problems.length === 1 ? 'place' : 'places'}.`)}\n`);
    for (const problem of result.problems) {
      const where = [problem.entry >= 0 ? `entry ${problem.entry}` : '', problem.offset >= 0 ? `byte ${problem.offset}` : ''].filter((text) => text !== '').join(', ');
      stdout.write(`\n  ${problem.code}${where === '' ? '' : `, ${where}`}\n  ${problem.file}\n  ${problem.text}\n`);
    }
    stdout.write('\nKeep a copy of the whole folder before anything else is done with it. All other entries are as they were written.\n');
  }
  return result.problems.length === 0 ? 0 : 1;
}

async function show(folder: string, values: { from?: string; last?: string; xml?: boolean; json?: boolean }, { stdout }: Terminal): Promise<number> {
  const last = values.from === undefined ? Number(values.last ?? lastDefault) : Number(values.last ?? Infinity);
  let kept: { number: number; xml: string }[] = [];
  for await (const entry of readEntries(folder, Number(values.from ?? 0))) {
    kept.push(entry);
    if (values.from === undefined && kept.length > 2 * last) kept = kept.slice(-last);
    if (values.from !== undefined && kept.length >= last) break;
  }
  for (const { number, xml } of values.from === undefined ? (last === 0 ? [] : kept.slice(-last)) : kept) {
    if (values.xml === true) stdout.write(`${xml}\n`);
    else if (values.json === true) stdout.write(`${JSON.stringify({ number, ...summarize(xml) })}\n`);
    else stdout.write(line(number, xml));
  }
  return 0;
}

function line(number: number, xml: string): string {
  const summary = summarize(xml);
  const colour = summary.outcome === '0' ? 'green' : summary.outcome === '4' ? 'yellow' : 'red';
  const first = `${String(number).padStart(8)}  ${summary.time}  ${styleText(colour, summary.event)}${summary.types.length > 0 ? `: ${summary.types.join(', ')}` : ''}  by ${summary.who.map(printable).join(', ')}`;
  const rest = [summary.description, ...summary.what.slice(0, 5), summary.what.length > 5 ? `… ${summary.what.length - 5} more` : ''].filter((text) => text !== '');
  return `${[first, ...rest.map((text) => `${' '.repeat(10)}${printable(text)}`)].join('\n')}\n`;
}

/** What somebody else chose must not move the cursor of a terminal. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`);
}
