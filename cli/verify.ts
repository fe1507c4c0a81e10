/**
 * `./lazaret verify`: every digest, both ways. Reads the files itself, beside a server that goes on working or without one; what it finds is told to the keeper, which
 * looks again, takes damaged images out of sight and puts it on the record.
 */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs, styleText } from 'node:util';
import type { DamageOutcome, FileFinding, SafekeepingRequest } from '@lazaret/pacs/archive/safekeeping/contract.ts';
import { Pace } from '@lazaret/pacs/archive/safekeeping/digesting.ts';
import { findingsMax, placeOf, verifyFiles, type Position } from '@lazaret/pacs/archive/safekeeping/verification.ts';
import type { StatusAnswer } from '@lazaret/pacs/quarantine/requests.ts';
import { connectChannel, type Channel } from '@lazaret/system/channel.ts';
import { replaceFile } from '@lazaret/system/durable.ts';
import { layoutOf, type Layout } from '@lazaret/system/layout.ts';
import { openForReading, personAt, withAnyKeeper } from './alone.ts';
import { printable } from './audit.ts';
import type { Terminal } from './command.ts';
import { count, duration, giveWay, Progress, rate, rateOf, size } from './progress.ts';

const usage = 'Usage: ./lazaret verify [--rate MB_PER_SECOND] [--anew] [--as PERSON] [--json]\n';
/** While objects wait for their inspection, whoever sends them comes first. */
const busyBytesPerSecond = 32_000_000;
const askEveryMs = 1_000;
const saveEveryMs = 5_000;
/** What was read longer ago says little about today. */
const resumeMsMax = 7 * 86_400_000;
const shownMax = 100;

interface Kept {
  readonly startedAt: number;
  readonly position: Position;
  readonly findings: readonly FileFinding[];
}

export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  let values;
  try {
    ({ values } = parseArgs({ args: [...args], options: { json: { type: 'boolean' }, anew: { type: 'boolean' }, rate: { type: 'string' }, as: { type: 'string' } } }));
  } catch (error) {
    terminal.stderr.write(`${(error as Error).message}\n${usage}`);
    return 2;
  }
  const bytesPerSecond = rateOf(values.rate);
  if (bytesPerSecond === null) {
    terminal.stderr.write(`--rate takes megabytes a second.\n${usage}`);
    return 2;
  }
  const json = values.json === true;
  const layout = layoutOf(terminal.data);
  const kept = join(layout.run, 'verification.json');
  const before = values.anew === true ? null : keptIn(kept);
  giveWay();
  const progress = new Progress(terminal, json);
  const findings: FileFinding[] = [...(before?.findings ?? [])];
  let more = 0;
  let at: Position = before?.position ?? { number: 0, objects: 0, files: 0, bytes: 0 };
  const startedAt = before?.startedAt ?? Date.now();
  let savedAt = Date.now();
  const watch = await watchLoad(layout);
  const ending = new AbortController();
  const end = (): void => ending.abort();
  process.once('SIGINT', end);
  process.once('SIGTERM', end);
  const database = openForReading(layout);
  let result;
  try {
    result = await verifyFiles({
      layout, database, pace: new Pace(() => Math.min(bytesPerSecond, watch.busy() ? busyBytesPerSecond : Infinity), ending.signal), signal: ending.signal, ...(before === null ? {} : { from: before.position }),
      onFinding: (finding) => {
        // Read twice when it was interrupted in the middle of a page.
        if (findings.some(({ code, area, name }) => code === finding.code && area === finding.area && name === finding.name)) return;
        if (findings.length < findingsMax) findings.push(finding);
        else more += 1;
      },
      onProgress: (position, last) => {
        // Only whole pages count as read.
        if (position.number !== at.number) at = { ...position };
        progress.show(() => `Verifying: ${count(position.files, 'file')}, ${size(position.bytes)}, ${rate(position.bytes - (before?.position.bytes ?? 0), progress.ms)}, ${Math.floor((100 * position.number) / Math.max(1, last))} %${findings.length > 0 ? `, ${findings.length} wrong` : ''}`);
        if (Date.now() - savedAt < saveEveryMs) return;
        savedAt = Date.now();
        void replaceFile(kept, JSON.stringify({ startedAt, position: at, findings } satisfies Kept)).catch(() => {});
      },
    });
  } finally {
    database.close();
    watch.end();
    process.off('SIGINT', end);
    process.off('SIGTERM', end);
    progress.end();
  }
  if (!result.complete) {
    await replaceFile(kept, JSON.stringify({ startedAt, position: at, findings } satisfies Kept));
    terminal.stderr.write(`Ended after ${count(at.files, 'file')}. The same command goes on from there.\n`);
    return 1;
  }
  rmSync(kept, { force: true });
  const wrong = findings.length + more;
  const recorded = await tell(terminal, layout, findings, { objects: result.files, bytes: result.bytes, findings: wrong, manifest: '', ms: Date.now() - startedAt }, personAt(values.as));
  const summary = { files: result.files, bytes: result.bytes, ms: Date.now() - startedAt, resumed: before !== null, findings: wrong, recorded: recorded === '', problem: recorded };
  if (json) terminal.stdout.write(`${JSON.stringify({ ...summary, list: findings })}\n`);
  else print(terminal, layout, findings, more, summary);
  return wrong > 0 || recorded !== '' ? 1 : 0;
}

function print({ stdout }: Terminal, layout: Layout, findings: readonly FileFinding[], more: number, summary: { readonly files: number; readonly bytes: number; readonly ms: number; readonly problem: string }): void {
  const read = `${count(summary.files, 'file')} of objects, ${size(summary.bytes)}, in ${duration(summary.ms)} (${rate(summary.bytes, summary.ms)})`;
  if (findings.length === 0) {
    stdout.write(`${styleText('green', 'Everything that is kept is as it was kept, and nothing else is there.')}\n${read}.\n`);
  } else {
    stdout.write(`${styleText('red', `${count(findings.length + more, 'thing is', 'things are')} NOT as they were kept.`)}\n${read}.\n`);
    for (const finding of findings.slice(0, shownMax)) {
      stdout.write(`\n  ${styleText('bold', finding.code)}${finding.objectId === '' ? '' : `  object ${finding.objectId}`}\n  ${printable(placeOf(layout, finding))}\n  ${finding.text}\n`);
      if (finding.found !== '') stdout.write(`  kept as ${finding.expected}\n  is now  ${finding.found}\n`);
    }
    if (findings.length + more > shownMax) stdout.write(`\n  … and ${findings.length + more - shownMax} more; --json names ${findings.length} of them.\n`);
    if (findings.some(({ code }) => code === 'changed' || code === 'missing')) stdout.write('\nDamaged images are out of sight. `./lazaret repair BACKUP` brings their bytes back from a backup, one by one.\nMany at once are no rotten disk: think of an intruder who encrypts, and take this machine off the network first.\n');
  }
  if (summary.problem !== '') stdout.write(`${styleText('red', 'This could not be put on the record')}: ${summary.problem}\n`);
}

/** "" when everything is on the record, else why not. */
async function tell(terminal: Terminal, layout: Layout, findings: readonly FileFinding[], counted: { objects: number; bytes: number; findings: number; manifest: string; ms: number }, person: string): Promise<string> {
  try {
    await withAnyKeeper(terminal.data, async (channel) => {
      for (const { code, area, name } of findings) {
        if (code !== 'changed' && code !== 'missing') continue;
        await channel.request<{ outcome: DamageOutcome }>('safekeeping', { do: 'damaged', area, name } satisfies SafekeepingRequest);
      }
      await channel.request('safekeeping', { do: 'note', what: 'verification', ...counted, person, folder: layout.data } satisfies SafekeepingRequest);
    });
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}

function keptIn(path: string): Kept | null {
  try {
    const kept = JSON.parse(readFileSync(path, 'utf8')) as Kept;
    return Date.now() - kept.startedAt < resumeMsMax && Number.isSafeInteger(kept.position.number) && Array.isArray(kept.findings) ? kept : null;
  } catch {
    return null;
  }
}

/** Whether objects wait for their inspection, asked once a second; never, where nothing runs. */
async function watchLoad(layout: Layout): Promise<{ busy(): boolean; end(): void }> {
  let channel: Channel | null = await connectChannel(layout.sockets.terminal, 200).catch(() => null);
  if (channel === null) return { busy: () => false, end: () => {} };
  let busy = false;
  const timer = setInterval(() => {
    channel?.request<StatusAnswer>('status', null).then(({ counts }) => {
      busy = counts.waiting + counts.inspecting > 0;
    }, () => {
      channel = null;
      busy = false;
    });
  }, askEveryMs);
  return {
    busy: () => busy,
    end: () => {
      clearInterval(timer);
      channel?.close();
    },
  };
}
