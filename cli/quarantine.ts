/** `./lazaret quarantine list | show | export | release | destroy`: the held objects, for people at a terminal. */
import { copyFile, chmod, constants, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseArgs, styleText } from 'node:util';
import { verdictRow } from '@lazaret/pacs/inspection/verdict.ts';
import type { LedgerEntry, ResendAsked } from '@lazaret/pacs/quarantine/contract.ts';
import type { DecideAnswer, GroupBy, ListAnswer, ListRequest, MapAnswer } from '@lazaret/pacs/quarantine/requests.ts';
import { resendText } from '@lazaret/pacs/quarantine/resendtext.ts';
import type { Channel } from '@lazaret/system/channel.ts';
import { Failure } from '@lazaret/system/failure.ts';
import { layoutOf, objectPath, type Layout } from '@lazaret/system/layout.ts';
import { momentOf, sizeOf } from './amounts.ts';
import { printable } from './audit.ts';
import type { Terminal } from './command.ts';
import { decideGroup, listGroups } from './groups.ts';
import { withKeeper } from './keeper.ts';
import { personOf, wholeId } from './held.ts';

const usage = [
  'Usage: ./lazaret quarantine list [--all] [TEXT] [--limit N] [--json]',
  '       ./lazaret quarantine list --by medium|study [--json]',
  '       ./lazaret quarantine show ID [--json]',
  '       ./lazaret quarantine look ID --reason TEXT --output FILE.png [--frame N] [--window CENTER,WIDTH] [--as PERSON]',
  '       ./lazaret quarantine export ID… --output FILE.zip --encrypt --reason TEXT [--for WHOM] [--de-identified] [--passphrase-file FILE] [--as PERSON]',
  '       ./lazaret quarantine export ID [--to FOLDER] [--reason TEXT] [--as PERSON]',
  '       ./lazaret quarantine release ID --reason TEXT [--as PERSON]',
  '       ./lazaret quarantine destroy ID --reason TEXT [--as PERSON]',
  '       ./lazaret quarantine release|destroy --medium KEY | --study UID --reason TEXT [--malicious ID,ID…] [--as PERSON] [--json]',
  '       ./lazaret quarantine ask ID [--as PERSON] [--json]      ask the sender for it again: the text to send',
  'An ID may be shortened to its first digits (at least 4).',
  '',
].join('\n');

const pageMax = 200;
/** Held objects that a shortened ID is looked for in. */
const searchedMax = 5_000;

interface Words {
  readonly json?: boolean;
  readonly all?: boolean;
  readonly limit?: string;
  readonly reason?: string;
  readonly as?: string;
  readonly to?: string;
  readonly by?: string;
  readonly medium?: string;
  readonly study?: string;
  readonly malicious?: string;
}

export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  // Its own words: a reason first, then a picture.
  if (args[0] === 'export' && args.some((word) => /^--(output|encrypt|de-identified|passphrase-file|for)\b/.test(word))) return (await import('./export.ts')).run(args.slice(1), terminal);
  if (args[0] === 'look') return (await import('./look.ts')).run(args.slice(1), terminal);
  let parsed;
  try {
    parsed = parseArgs({
      args: [...args], allowPositionals: true,
      options: { json: { type: 'boolean' }, all: { type: 'boolean' }, limit: { type: 'string' }, reason: { type: 'string' }, as: { type: 'string' }, to: { type: 'string' }, by: { type: 'string' }, medium: { type: 'string' }, study: { type: 'string' }, malicious: { type: 'string' } },
    });
  } catch (error) {
    terminal.stderr.write(`${(error as Error).message}\n${usage}`);
    return 2;
  }
  const { positionals: [what, word, ...more], values } = parsed;
  const wrong = misuse(what, word, more, values);
  if (wrong !== null) {
    terminal.stderr.write(`${wrong}\n${usage}`);
    return 2;
  }
  const layout = layoutOf(terminal.data);
  return withKeeper(terminal.data, async (channel) => {
    const json = values.json === true;
    if (what === 'list' && values.by !== undefined) return listGroups(channel, values.by as GroupBy, json, terminal);
    if (values.medium !== undefined || values.study !== undefined) {
      const named = await Promise.all((values.malicious ?? '').split(',').filter((id) => id !== '').map((id) => wholeId(channel, id)));
      return decideGroup(channel, {
        by: values.medium === undefined ? 'study' : 'medium', word: values.medium ?? values.study ?? '', decision: what as 'release' | 'destroy', named, person: personOf(values), reason: values.reason!, json,
      }, terminal);
    }
    if (what === 'list') return list(channel, word ?? '', values, terminal);
    const objectId = await wholeId(channel, word!);
    if (what === 'show') return show(channel, objectId, values, terminal);
    if (what === 'export') return exportObject(channel, layout, objectId, values, terminal);
    if (what === 'ask') return ask(channel, objectId, values, terminal);
    return decide(channel, what as 'release' | 'destroy', objectId, values, terminal);
  });
}

function misuse(what: string | undefined, word: string | undefined, more: readonly string[], values: Words): string | null {
  if (what === undefined || !['list', 'show', 'export', 'release', 'destroy', 'ask'].includes(what)) return 'Say what to do with the quarantine.';
  if (more.length > 0) return `'${more[0]}' is one word too many.`;
  if (values.limit !== undefined && !/^[1-9]\d{0,5}$/.test(values.limit)) return '--limit takes a count.';
  if (values.by !== undefined && (what !== 'list' || word !== undefined || values.all === true || !['medium', 'study'].includes(values.by))) return '--by medium or --by study goes with list alone.';
  if (what === 'list') return null;
  if (values.medium !== undefined || values.study !== undefined) {
    if (what !== 'release' && what !== 'destroy') return '--medium and --study go with release and destroy.';
    if (word !== undefined || (values.medium !== undefined && values.study !== undefined)) return 'Say one group.';
    if (!/^(?:[0-9a-f]{4,32}(?:,[0-9a-f]{4,32})*)?$/i.test(values.malicious ?? '')) return '--malicious takes the IDs of objects, with a comma between.';
    return (values.reason ?? '').trim() === '' ? 'Say why with --reason: it stays with each object and in the audit log.' : null;
  }
  if (word === undefined || !/^[0-9a-f]{4,32}$/i.test(word)) return 'Say which object: its ID has 32 hex digits, the first few are enough.';
  if ((what === 'release' || what === 'destroy') && (values.reason ?? '').trim() === '') return `Say why with --reason: it stays with the object and in the audit log.`;
  return null;
}

async function list(channel: Channel, text: string, values: Words, { stdout }: Terminal): Promise<number> {
  const wanted = Number(values.limit ?? (values.json === true ? searchedMax : 50));
  const states: ListRequest['states'] = values.all === true ? [] : ['held'];
  const entries: LedgerEntry[] = [];
  let counts: ListAnswer['counts'] | null = null;
  for (let after: string | null = null; entries.length < wanted; ) {
    const answer: ListAnswer = await channel.request<ListAnswer>('list', { states, text, limit: Math.min(pageMax, wanted - entries.length), after } satisfies ListRequest);
    entries.push(...answer.entries);
    counts = answer.counts;
    after = answer.next;
    if (after === null) break;
  }
  const held = counts?.held ?? 0;
  if (values.json === true) {
    for (const entry of entries) stdout.write(`${JSON.stringify(entry)}\n`);
  } else if (entries.length === 0) {
    stdout.write(text === '' ? 'Nothing is held.\n' : `Nothing ${values.all === true ? 'kept' : 'held'} fits '${text}'.\n`);
  } else {
    for (const entry of entries) stdout.write(`${brief(entry)}\n`);
    const waiting = (counts?.waiting ?? 0) + (counts?.inspecting ?? 0);
    stdout.write(`\n${held} held${waiting > 0 ? `, ${waiting} still being inspected` : ''}. \`./lazaret quarantine show ID\` says more.\n`);
  }
  return held > 0 ? 3 : 0;
}

function brief(entry: LedgerEntry): string {
  const first = entry.findings[0];
  const withdrawal = entry.withdrawal ?? null;
  const why = withdrawal !== null ? `by ${printable(withdrawal.person)}: ${printable(withdrawal.reason)}` : entry.state === 'held' && first !== undefined ? verdictRow(first.code).title : '';
  const who = [entry.patientName, entry.patientID].filter((text) => text !== '').map(printable).join(', ') || 'patient unknown';
  return [
    `${entry.objectId.slice(0, 8)}  ${styleText(colourOf(entry), (withdrawal !== null ? 'withdrawn' : entry.state === 'held' ? entry.verdict ?? 'held' : entry.state).padEnd(11))}  ${why || '—'}`,
    `          ${[who, entry.modality, printable(entry.studyDescription)].filter((text) => text !== '').join(' · ')}`,
    `          from ${printable(entry.source.peer)} (${printable(entry.source.address)}), ${momentOf(entry.receivedAt)}, ${sizeOf(entry.bytes)}`,
  ].join('\n');
}

async function show(channel: Channel, objectId: string, values: Words, { stdout }: Terminal): Promise<number> {
  const entry = await channel.request<LedgerEntry>('show', { objectId });
  if (values.json === true) stdout.write(`${JSON.stringify(entry)}\n`);
  else stdout.write(describe(entry));
  return entry.state === 'held' ? 3 : 0;
}

function describe(entry: LedgerEntry): string {
  const lines = [
    `Object ${entry.objectId}`,
    `  ${styleText(colourOf(entry), entry.state)}${entry.verdict === null ? '' : `, found ${entry.verdict}`}${entry.concludedAt === null ? '' : ` on ${momentOf(entry.concludedAt)}`}`,
    '',
    ...table([
      ['Patient', [entry.patientName, entry.patientID].filter((text) => text !== '').join(', ') || 'not known'],
      ['Study', [entry.studyDescription, entry.modality, entry.studyInstanceUID].filter((text) => text !== '').join(' · ') || 'not known'],
      ['SOP Instance', entry.sopInstanceUID || 'not known'],
      ['Came from', `${entry.source.peer} (${entry.source.address}) by ${entry.source.door}${entry.source.callingAETitle === '' ? '' : `, AE Title ${entry.source.callingAETitle}`}, ${momentOf(entry.receivedAt)}`],
      ['Size', `${sizeOf(entry.bytes)} (${entry.bytes} bytes)`],
      ['SHA-256', entry.sha256],
      ['Inspected by', entry.epoch || 'not inspected yet'],
      ...(entry.disarmed.length === 0 ? [] : [['Disarmed', entry.disarmed.join(', ')] as const]),
      ...(entry.conflicts.length === 0 ? [] : [['Conflicts with', entry.conflicts.join(', ')] as const]),
    ]),
  ];
  if (entry.findings.length > 0) lines.push('', 'Why:');
  // One code may be found a hundred times; what it means is said once.
  const said = new Set<string>();
  for (const finding of entry.findings) {
    const row = verdictRow(finding.code);
    const where = finding.length > 0 ? ` at bytes ${finding.offset} to ${finding.offset + finding.length - 1}${finding.tag === '' ? '' : ` in ${finding.tag}`}` : finding.tag === '' ? '' : ` in ${finding.tag}`;
    lines.push(`  ${styleText('bold', row.title)} (${finding.code}, ${finding.engine})${where}`, `    ${printable(finding.text)}`);
    if (said.has(finding.code)) continue;
    said.add(finding.code);
    lines.push(`    What it means: ${row.meaning}`, `    What to do: ${row.advice}`);
  }
  if ((entry.withdrawal ?? null) !== null) {
    const { id, person, reason, at } = entry.withdrawal!;
    lines.push('', `${printable(person)} has withdrawn it on ${momentOf(at)}: ${printable(reason)}`, `  Bring it back: ./lazaret withdraw --restore ${id.slice(0, 8)} ${entry.objectId.slice(0, 8)} --reason …`);
  }
  if ((entry.answerTo ?? null) !== null) lines.push('', `It came after the sender was asked for object ${entry.answerTo!.slice(0, 8)} again.`);
  if ((entry.asked ?? null) !== null) {
    const { person, at, answers, sameBytesAt } = entry.asked!;
    lines.push('', `${printable(person)} asked the sender for it again on ${momentOf(at)}.`);
    for (const answer of answers) lines.push(`  ${momentOf(answer.at)} came ${answer.objectId.slice(0, 8)}: ${answer.state}${answer.clean ? ', nothing found in it' : ', not clean either'}`);
    if (sameBytesAt !== null) lines.push(`  ${momentOf(sameBytesAt)} the very same bytes came again.`);
    if (answers.length === 0 && sameBytesAt === null) lines.push('  Nothing came since.');
  }
  for (const proposal of entry.proposals ?? []) {
    lines.push('', `${printable(proposal.person)} proposed to ${proposal.decision} it on ${momentOf(proposal.proposedAt)}: ${printable(proposal.reason)}`, '  It takes a second person with the same decision.');
  }
  return `${lines.join('\n')}\n`;
}

async function decide(channel: Channel, decision: 'release' | 'destroy', objectId: string, values: Words, { stdout }: Terminal): Promise<number> {
  // Who can open the terminal's socket has the service account; what is recorded is who says to have decided, and at whose terminal.
  const answer = await channel.request<DecideAnswer>('decide', { objectId, decision, person: personOf(values), roles: ['reviewer', 'security'], reason: values.reason });
  if (values.json === true) stdout.write(`${JSON.stringify(answer)}\n`);
  else if (answer.outcome === 'proposed') stdout.write(`Proposed. It is carried out when a second person decides the same: ./lazaret quarantine ${decision} ${objectId.slice(0, 8)} --reason … --as PERSON\n`);
  else stdout.write(decision === 'release' ? `Released: the object is in the archive and can be seen.\n` : `Destroyed: its bytes are gone, what is known of it stays on the record.\n`);
  return answer.outcome === 'proposed' ? 3 : 0;
}

/** Puts it on the record and prints what to send. */
async function ask(channel: Channel, objectId: string, values: Words, { stdout }: Terminal): Promise<number> {
  await channel.request<ResendAsked>('resend', { objectId, person: personOf(values) });
  const entry = await channel.request<LedgerEntry>('show', { objectId });
  const text = resendText(entry, [...new Set(entry.findings.map(({ code }) => code))].map((code) => verdictRow(code)));
  if (values.json === true) stdout.write(`${JSON.stringify({ objectId, ...text })}\n`);
  else stdout.write(`${styleText('bold', text.subject)}\n\n${text.body}\n${styleText('dim', 'It is on the record that the sender is asked. What then comes from there under the same SOP Instance UID is shown with this object.')}\n`);
  return 0;
}

async function exportObject(channel: Channel, layout: Layout, objectId: string, values: Words, { stdout }: Terminal): Promise<number> {
  const entry = await channel.request<LedgerEntry>('export', { objectId, person: personOf(values), reason: values.reason ?? 'none given' });
  const stem = resolve(values.to ?? '.', objectId);
  const map = await channel.request<MapAnswer>('map', { objectId, window: null }).catch((error: unknown) => {
    if (error instanceof Failure && error.severity !== 'broken') return { unavailable: error.message };
    throw error;
  });
  await copyFile(objectPath(layout.quarantine, objectId), `${stem}.quarantined`, constants.COPYFILE_EXCL);
  await chmod(`${stem}.quarantined`, 0o600);
  const report = { entry, explanations: Object.fromEntries([...new Set(entry.findings.map(({ code }) => code))].map((code) => [code, verdictRow(code)])), map };
  await writeFile(`${stem}.report.json`, `${JSON.stringify(report, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
  if (values.json === true) stdout.write(`${JSON.stringify({ object: `${stem}.quarantined`, report: `${stem}.report.json` })}\n`);
  else {
    stdout.write([
      styleText('red', `WARNING: ${stem}.quarantined is the object as it was received, found ${entry.verdict}.`),
      'It may harm any computer on which it is opened, and it may name a patient. Do not open it with a viewer, do not send it by mail,',
      'do not put it on a share; carry it to whoever examines it, and remove it afterwards. That you exported it is in the audit log.',
      `What was found, and its file map: ${stem}.report.json`,
      '',
    ].join('\n'));
  }
  return 0;
}

function colourOf(entry: LedgerEntry): 'green' | 'yellow' | 'red' | 'blue' {
  if (entry.state === 'archived') return 'green';
  if (entry.state === 'held') return entry.verdict === 'malicious' ? 'red' : 'yellow';
  return 'blue';
}

/** Names and what belongs to them, in two columns. */
export function table(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, text]) => `  ${name.padEnd(width)}  ${printable(text)}`);
}
