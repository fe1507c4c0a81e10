/** `./lazaret withdraw`: everything of one medium, source or study out of sight at once, and back. Shows first what it would take and who has seen it. */
import { createInterface } from 'node:readline/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs, styleText } from 'node:util';
import type { Selection, WithdrawalPreview, WithdrawalStatus, WithdrawnObject, WithdrawRequest } from '@lazaret/pacs/quarantine/withdrawalcontract.ts';
import type { ObjectId } from '@lazaret/pacs/reception/contract.ts';
import type { Channel } from '@lazaret/system/channel.ts';
import { personAt } from './alone.ts';
import { momentOf, parseMoment, sizeOf } from './amounts.ts';
import { printable } from './audit.ts';
import type { Terminal } from './command.ts';
import { withKeeper } from './keeper.ts';
import { count, Progress } from './progress.ts';
import { table } from './quarantine.ts';

const usage = [
  'Usage: ./lazaret withdraw --import ID [--known]      all that a medium brought; --known: also what was here before it',
  '       ./lazaret withdraw --source NAME [--since DATE] [--until DATE]   (without --since: seven days)',
  '       ./lazaret withdraw --since DATE [--until DATE]       everything that was received then, from whomever',
  '       ./lazaret withdraw --study UID | ID…',
  '           --reason TEXT [--as PERSON] [--dry-run] [--yes] [--json]',
  '       ./lazaret withdraw --list | --show WITHDRAWAL [--json]',
  '       ./lazaret withdraw --restore WITHDRAWAL [ID…] --reason TEXT [--as PERSON] [--json]',
  'NAME: AE Title, asset, person, token, medium or address. An ID may be shortened to its first 8 digits.',
  '',
].join('\n');

const minuteMs = 60_000;
/** As far back as an incident is usually noticed. */
const sinceMs = 7 * 24 * 60 * minuteMs;
const listMax = 50;
const pageMax = 500;
const shownMax = 15;
const pollMs = 200;

interface Words {
  readonly import?: string;
  readonly known?: boolean;
  readonly source?: string;
  readonly since?: string;
  readonly until?: string;
  readonly study?: string;
  readonly reason?: string;
  readonly as?: string;
  readonly restore?: string;
  readonly show?: string;
  readonly list?: boolean;
  readonly json?: boolean;
  readonly yes?: boolean;
  readonly 'dry-run'?: boolean;
}

export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  let parsed;
  try {
    parsed = parseArgs({
      args: [...args], allowPositionals: true,
      options: {
        import: { type: 'string' }, known: { type: 'boolean' }, source: { type: 'string' }, since: { type: 'string' }, until: { type: 'string' }, study: { type: 'string' }, reason: { type: 'string' }, as: { type: 'string' },
        restore: { type: 'string' }, show: { type: 'string' }, list: { type: 'boolean' }, json: { type: 'boolean' }, yes: { type: 'boolean' }, 'dry-run': { type: 'boolean' },
      },
    });
  } catch (error) {
    terminal.stderr.write(`${(error as Error).message}\n${usage}`);
    return 2;
  }
  const words: Words = parsed.values;
  const ids = parsed.positionals;
  const asked = askedOf(words, ids, Date.now());
  if (typeof asked === 'string') {
    terminal.stderr.write(`${asked}\n${usage}`);
    return 2;
  }
  return withKeeper(terminal.data, async (channel) => {
    const ask = <Answer>(request: WithdrawRequest): Promise<Answer> => channel.request<Answer>('withdraw', request);
    if (words.list === true) return list(await ask<WithdrawalStatus[]>({ do: 'list', limit: listMax }), words, terminal);
    if (words.show !== undefined) return show(channel, words, terminal);
    const by = { person: personAt(words.as), roles: ['reviewer', 'security'], reason: words.reason ?? '' } as const;
    if (words.restore !== undefined) {
      const { id } = await ask<WithdrawalStatus>({ do: 'status', id: words.restore });
      const objects = await wholeOf(channel, ids);
      await ask<WithdrawalStatus>({ do: 'restore', id, objects, ...by });
      return follow(channel, id, words, terminal);
    }
    const preview = await ask<WithdrawalPreview>({ do: 'preview', selection: asked as Selection });
    if (words['dry-run'] === true) {
      terminal.stdout.write(words.json === true ? `${JSON.stringify(preview)}\n` : `${describe(preview)}Nothing was changed.\n`);
      return 0;
    }
    if (words.json !== true) terminal.stdout.write(describe(preview));
    if (words.json !== true && words.yes !== true && terminal.stdout.isTTY === true && !(await confirmed(preview))) {
      terminal.stdout.write('Nothing was changed.\n');
      return 1;
    }
    const { id } = await ask<WithdrawalStatus>({ do: 'withdraw', selection: preview.selection, ...by });
    return follow(channel, id, words, terminal);
  });
}

/** The selection, null where nothing is selected but something else asked for, or what is wrong. */
function askedOf(words: Words, ids: readonly string[], now: number): Selection | string | null {
  const others = [words.list === true, words.show !== undefined, words.restore !== undefined].filter(Boolean).length;
  const timed = words.since !== undefined || words.until !== undefined;
  const selections = [words.import !== undefined, words.source !== undefined || timed, words.study !== undefined, ids.length > 0 && words.restore === undefined].filter(Boolean).length;
  if (others + selections !== 1) return 'Say one thing to withdraw, or one withdrawal.';
  for (const id of ids) if (!/^[0-9a-f]{8,32}$/i.test(id)) return `'${printable(id)}' is no object id.`;
  if (timed && words.source === undefined && words.since === undefined) return 'Say since when: without a source, all that was received from then on is meant.';
  if (words.known === true && words.import === undefined) return '--known goes with --import.';
  const changes = words.list !== true && words.show === undefined && words['dry-run'] !== true;
  if (changes && (words.reason ?? '').trim() === '') return 'Say why with --reason: it stays with the withdrawal and in the audit log. (--dry-run only shows what would go.)';
  if (others > 0) return null;
  if (words.import !== undefined) return { kind: 'import', import: words.import, known: words.known === true };
  if (words.study !== undefined) return { kind: 'study', study: words.study };
  if (words.source === undefined && !timed) return { kind: 'objects', objects: ids.map((id) => id.toLowerCase()) };
  const since = words.since === undefined ? now - sinceMs : parseMoment(words.since);
  const until = words.until === undefined ? now + minuteMs : parseMoment(words.until);
  if (since === null || until === null) return `${since === null ? '--since' : '--until'} takes a date such as 2026-11-24 or "2026-11-24 09:30".`;
  return words.source === undefined ? { kind: 'time', since, until } : { kind: 'source', source: words.source, since, until };
}

/** Whole ids of objects that a withdrawal holds. */
async function wholeOf(channel: Channel, words: readonly string[]): Promise<ObjectId[]> {
  if (words.length === 0) return [];
  const preview = await channel.request<WithdrawalPreview>('withdraw', { do: 'preview', selection: { kind: 'objects', objects: words.map((word) => word.toLowerCase()) } } satisfies WithdrawRequest);
  return (preview.selection as Selection & { kind: 'objects' }).objects as ObjectId[];
}

async function confirmed(preview: WithdrawalPreview): Promise<boolean> {
  const lines = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return /^(y|yes)$/i.test((await lines.question(`Take ${count(preview.objects, 'object')} out of sight? It can be brought back. [y/N] `)).trim());
  } finally {
    lines.close();
  }
}

function describe(preview: WithdrawalPreview): string {
  const names = preview.studies.slice(0, shownMax).map(({ patientName, patientID, description, modality, objects }) => `  ${[[patientName, patientID].filter((text) => text !== '').map(printable).join(', ') || 'patient unknown', modality, printable(description), count(objects, 'object')].filter((text) => text !== '').join(' · ')}`);
  if (preview.studyCount > names.length) names.push(`  … and ${preview.studyCount - names.length} more studies`);
  const seen = preview.accesses.slice(0, shownMax).map((access) => {
    const did = access.kind === 'sent' ? `sent to ${printable(access.destination)}, by` : access.kind === 'exported' ? 'taken out of the vault by' : 'opened by';
    return `  ${did} ${printable(access.person)}${access.address === '' ? '' : ` (${printable(access.address)})`}, ${access.count === 1 ? '' : `${count(access.count, 'time')}, last `}${momentOf(access.last)}`;
  });
  if (preview.accesses.length > seen.length) seen.push('  … and more; --json names them');
  const rows: (readonly [string, string])[] = [
    ['Goes out of sight', `${count(preview.objects, 'object')} (${sizeOf(preview.bytes)}) of ${count(preview.patients, 'patient')}, ${count(preview.studyCount, 'study', 'studies')}`],
    ...(preview.unseen === 0 ? [] : [['of these', `${preview.unseen} wait for somebody to say whose they are, and are not seen yet`] as const]),
    ...(preview.waiting === 0 ? [] : [['Is held instead', `${count(preview.waiting, 'object')} in inspection`] as const]),
    ...(preview.held === 0 ? [] : [['Held already', `${count(preview.held, 'object')}${preview.heldMalicious > 0 ? `, ${preview.heldMalicious} of them malicious` : ''}: nothing changes for them`] as const]),
    ...(preview.malicious === 0 ? [] : [['Malicious', `${count(preview.malicious, 'object')} of these, released before; bringing them back takes somebody else`] as const]),
    ...(preview.known === 0 ? [] : [['Stays', `${count(preview.known, 'object')} that ${preview.known === 1 ? 'was' : 'were'} on the medium and here before it (--known takes them, too)`] as const]),
    ...(preview.alsoFrom === 0 ? [] : [['Also sent', `${preview.alsoFrom} of them by another source, too`] as const]),
  ];
  return [
    styleText('bold', printable(preview.what)), ...table(rows), '',
    ...(names.length === 0 ? [] : [styleText('bold', 'Studies'), ...names, '']),
    styleText('bold', 'Who has seen it, and where it went'), ...(seen.length === 0 ? ['  nobody, as far as the record goes'] : seen), '', '',
  ].join('\n');
}

/** Waits until it is carried out, with progress. */
async function follow(channel: Channel, id: string, words: Words, terminal: Terminal): Promise<number> {
  const progress = new Progress(terminal, words.json === true);
  let status: WithdrawalStatus;
  for (;;) {
    status = await channel.request<WithdrawalStatus>('withdraw', { do: 'status', id } satisfies WithdrawRequest);
    if (status.state === 'withdrawn' || status.state === 'restored') break;
    const { fates, problem } = status;
    progress.show(() => (status.state === 'withdrawing'
      ? `Taking out of sight: ${count(fates.taken ?? 0, 'object')}, ${fates.due ?? 0} left${problem === '' ? '' : `; ${problem}, it will be tried again`}`
      : `Bringing back: ${count(fates.restored ?? 0, 'object')}, ${(fates.asked ?? 0) + (fates.returning ?? 0)} left${(fates.returning ?? 0) > 0 ? ', some are inspected with current signatures first' : ''}${problem === '' ? '' : `; ${problem}, it will be tried again`}`));
    await wait(pollMs);
  }
  progress.end();
  if (words.json === true) terminal.stdout.write(`${JSON.stringify(status)}\n`);
  else terminal.stdout.write(`${headOf(status)}\n${status.state === 'withdrawn' ? `Bring it back with: ./lazaret withdraw --restore ${id.slice(0, 8)} --reason …\n` : ''}`);
  if (words.json !== true && words.restore !== undefined && (status.fates.kept ?? 0) > 0) terminal.stdout.write(`What was not brought back, and why: ./lazaret withdraw --show ${id.slice(0, 8)}\n`);
  if ((status.fates.failed ?? 0) > 0) return 1;
  return words.restore !== undefined && (status.fates.kept ?? 0) > 0 ? 3 : 0;
}

function headOf(status: WithdrawalStatus): string {
  const { fates } = status;
  const parts = [
    [fates.taken, 'out of sight'], [fates.waiting, 'in inspection, will be held'], [fates.due, 'still to go'], [fates.asked, 'to be brought back'], [fates.returning, 'being inspected before they come back'], [fates.restored, 'back'],
    [fates.kept, 'not brought back'], [fates.passed, 'decided on by themselves'], [fates.failed, 'could not be taken'],
  ].filter(([number]) => (number ?? 0) !== 0).map(([number, words]) => `${number} ${words}`);
  const colour = status.state === 'restored' ? 'green' : 'yellow';
  return [
    `${status.id.slice(0, 8)}  ${styleText(colour, status.state.padEnd(11))}  ${printable(status.what)}: ${parts.join(', ') || 'nothing yet'}`,
    `          ${momentOf(status.at)} by ${printable(status.person)}: ${printable(status.reason)}`,
    ...(status.restore === null ? [] : [`          brought back ${momentOf(status.restore.at)} by ${printable(status.restore.person)}: ${printable(status.restore.reason)}`]),
    ...(status.problem === '' ? [] : [`          ${styleText('red', printable(status.problem))}`]),
  ].join('\n');
}

function list(all: readonly WithdrawalStatus[], words: Words, { stdout }: Terminal): number {
  if (words.json === true) for (const status of all) stdout.write(`${JSON.stringify(status)}\n`);
  else stdout.write(all.length === 0 ? 'Nothing was ever withdrawn.\n' : `${all.map(headOf).join('\n')}\n`);
  return 0;
}

async function show(channel: Channel, words: Words, { stdout }: Terminal): Promise<number> {
  const status = await channel.request<WithdrawalStatus>('withdraw', { do: 'status', id: words.show! } satisfies WithdrawRequest);
  if (words.json !== true) stdout.write(`${headOf(status)}\n\n`);
  else stdout.write(`${JSON.stringify(status)}\n`);
  for (let after: number | null = 0; after !== null; ) {
    const page: { objects: WithdrawnObject[]; next: number | null } = await channel.request('withdraw', { do: 'objects', id: status.id, after, limit: pageMax } satisfies WithdrawRequest);
    for (const object of page.objects) {
      if (words.json === true) stdout.write(`${JSON.stringify(object)}\n`);
      else stdout.write(`  ${object.objectId.slice(0, 8)}  ${object.fate.padEnd(9)}  ${[[object.patientName, object.patientID].filter((text) => text !== '').map(printable).join(', ') || 'patient unknown', printable(object.studyDescription), object.note].filter((text) => text !== '').join(' · ')}\n`);
    }
    after = page.next;
  }
  return 0;
}
