/** `./lazaret trace`: where an object came from, what came with it, who has seen it and where it was sent. */
import { parseArgs, styleText } from 'node:util';
import { verdictRow } from '@lazaret/pacs/inspection/verdict.ts';
import type { TraceAccess, TraceAnswer, TraceMessage, TraceObject, TraceRelation, TraceRequest } from '@lazaret/pacs/quarantine/requests.ts';
import { momentOf, parseMoment, sizeOf } from './amounts.ts';
import { printable } from './audit.ts';
import type { Terminal } from './command.ts';
import { withKeeper } from './keeper.ts';
import { table } from './quarantine.ts';

const usage = [
  'Usage: ./lazaret trace ID [--window MINUTES] [--json]',
  '       ./lazaret trace --import ID [--json]',
  '       ./lazaret trace --source AE [--since DATE] [--until DATE] [--json]',
  '       ./lazaret trace --since DATE [--until DATE] [--json]      everything that was received then, from whomever',
  'ID: object id (the first 8 digits are enough), SOP Instance UID or SHA-256. AE: AE Title, asset, person, token or address.',
  '',
].join('\n');

const minuteMs = 60_000;
/** What the same source sent an hour before and after. */
const windowMinutes = 60;
const windowMinutesMax = 24 * 60;
/** Without --since: as far back as an incident is usually noticed. */
const sinceMs = 7 * 24 * 60 * minuteMs;
/** More of one kind than this are counted; --json has all that the keeper gives. */
const shownMax = 20;

export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  const asked = parse(args, Date.now());
  if (typeof asked === 'string') {
    terminal.stderr.write(`${asked}\n${usage}`);
    return 2;
  }
  const answer = await withKeeper(terminal.data, (channel) => channel.request<TraceAnswer>('trace', asked.request));
  if (asked.json) terminal.stdout.write(`${JSON.stringify(answer)}\n`);
  else terminal.stdout.write(describe(answer, asked.request));
  return answer.objects.some(({ relation, state }) => relation === 'subject' && state === 'held') ? 3 : 0;
}

function parse(args: readonly string[], now: number): { readonly request: TraceRequest; readonly json: boolean } | string {
  let parsed;
  try {
    parsed = parseArgs({ args: [...args], allowPositionals: true, options: { json: { type: 'boolean', default: false }, source: { type: 'string' }, import: { type: 'string' }, since: { type: 'string' }, until: { type: 'string' }, window: { type: 'string' } } });
  } catch (error) {
    return (error as Error).message;
  }
  const { positionals: [id, ...more], values: { json, source, import: medium, since, until, window } } = parsed;
  if (more.length > 0) return `'${more[0]}' is one word too many.`;
  const named = [id, source, medium].filter((word) => word !== undefined).length;
  if (named > 1 || (named === 0 && since === undefined)) return 'Say which object, which source, which import, or since when.';
  if (medium !== undefined && !/^[0-9a-f]{8,32}$/i.test(medium)) return `'${printable(medium)}' is no import: \`./lazaret import --list\` names them.`;
  if ((id ?? medium) !== undefined && (since !== undefined || until !== undefined)) return '--since and --until go with --source or stand by themselves; of an object, --window says how far to look.';
  if (id === undefined && window !== undefined) return '--window goes with an object; of a source, --since and --until say how far to look.';
  if (id !== undefined && !/^(?:[0-9a-f]{8,64}|[0-9.]{1,64})$/i.test(id)) return `'${printable(id)}' is no object id, SOP Instance UID or SHA-256.`;
  if (window !== undefined && (!/^\d{1,4}$/.test(window) || Number(window) > windowMinutesMax)) return `--window takes minutes, at most ${windowMinutesMax}.`;
  const moments = { since: since === undefined ? now - sinceMs : parseMoment(since), until: until === undefined ? now + minuteMs : parseMoment(until) };
  if (moments.since === null || moments.until === null) return `${moments.since === null ? '--since' : '--until'} takes a date such as 2026-11-24 or "2026-11-24 09:30".`;
  return { json, request: { id: id ?? '', source: source ?? '', import: (medium ?? '').toLowerCase(), ...((id ?? medium) === undefined ? { since: moments.since, until: moments.until } : { since: 0, until: 0 }), windowMs: Number(window ?? windowMinutes) * minuteMs } };
}

function describe(answer: TraceAnswer, request: TraceRequest): string {
  const of = (relation: TraceRelation): readonly TraceObject[] => answer.objects.filter((object) => object.relation === relation);
  const subjects = of('subject');
  const lines: string[] = [];
  if (request.id === '') {
    const from = (request.import ?? '') !== '' ? `Import ${printable(answer.media?.[0]?.import ?? '')}` : `${request.source === '' ? 'Everything received' : `From ${printable(request.source)},`} ${momentOf(request.since)} to ${momentOf(request.until)}`;
    lines.push(styleText('bold', `${from}: ${counted(answer.subjectCount ?? subjects.length, 'object')}${answer.cut.includes('subjects') ? `, ${subjects.length} of them here` : ''}`), ...mediaLines(answer));
    if (subjects.length === 0) return `${lines.join('\n')}\n`;
    for (const [index, message] of answer.messages.entries()) {
      const ours = subjects.filter((object) => object.message === index);
      if (ours.length > 0) lines.push('', `  ${messageWords(message)}`, ...listOf(ours).map((line) => `  ${line}`));
    }
  } else {
    for (const subject of subjects) lines.push(...subjectLines(subject, answer.messages[subject.message]!), '');
    lines.push(...section(`Came with it, in the same ${subjects[0] === undefined || answer.messages[subjects[0].message]?.source.door !== 'stow' ? 'association' : 'message'}`, of('message'), answer.cut.includes('message')));
    lines.push(...section(`From the same source within ${Math.round(request.windowMs / minuteMs)} minutes`, of('source'), answer.cut.includes('source')));
    lines.push(...section('Has the same SOP Instance UID', of('copy'), false));
    lines.push(...mediaLines(answer));
  }
  if (answer.repeats.length > 0) {
    lines.push('', styleText('bold', 'The same bytes were sent again'));
    for (const { objectId, source, at } of answer.repeats.slice(0, shownMax)) lines.push(`  ${objectId.slice(0, 8)}  ${momentOf(at)}  by ${printable(source.peer)} (${printable(source.address)}), ${doorWords[source.door]} ${source.batch}`);
  }
  lines.push('', styleText('bold', 'Opened, taken out or sent'), ...accessLines(answer));
  const decisions = new Map(answer.decisions.map((each) => [JSON.stringify([each.decision, each.persons, each.reason]), each]));
  for (const { objectId, decision, persons, reason, at } of decisions.values()) lines.push('', `${decisionWords[decision] ?? decision} (${sharing(answer, decision, reason, objectId)}) by ${persons.map(printable).join(' and ')}, ${momentOf(at)}: ${printable(reason)}`);
  return `${lines.join('\n').replaceAll(/\n{3,}/g, '\n\n')}\n`;
}

/** A decision that many objects share is told once. */
function sharing(answer: TraceAnswer, decision: string, reason: string, objectId: string): string {
  const number = answer.decisions.filter((each) => each.decision === decision && each.reason === reason).length;
  return number === 1 ? objectId.slice(0, 8) : counted(number, 'object');
}

const decisionWords: Readonly<Record<string, string>> = { release: 'Released', destroy: 'Destroyed', withdraw: 'Withdrawn', restore: 'Brought back' };

/** The media that it came on: what else was on them, and what stayed behind. */
function mediaLines({ media = [] }: TraceAnswer): string[] {
  if (media.length === 0) return [];
  return ['', styleText('bold', media.length === 1 ? 'The medium' : 'Media'), ...media.flatMap(({ import: id, name, person, at, fates, infected }) => [
    `  ${printable(name) || 'without a name'}, import ${id.slice(0, 8)} by ${printable(person)}, ${momentOf(at)}: ${Object.entries(fates).map(([fate, number]) => `${number} ${fate}`).join(', ') || 'nothing read'}`,
    ...infected.map(({ path, text }) => `    ${styleText('red', 'infected, left behind')}  ${printable(path)}: ${printable(text)}`),
    `    Its receipt: ./lazaret import --receipt ${id.slice(0, 8)}    Take all of it out of sight: ./lazaret withdraw --import ${id.slice(0, 8)} --reason …`,
  ])];
}

function subjectLines(object: TraceObject, message: TraceMessage): string[] {
  const { source } = message;
  const by = object.withdrawal ?? null;
  const now = by !== null ? `withdrawn by ${by.person} on ${momentOf(by.at)} (withdrawal ${by.id.slice(0, 8)}): ${by.reason}` : object.withdrawn ? `taken out of the archive${object.concludedAt === null ? '' : ` on ${momentOf(object.concludedAt)}`}, held` : object.state;
  const why = object.codes.map((code) => verdictRow(code).title).slice(0, 3).join('; ');
  return [
    styleText('bold', `Object ${object.objectId}`),
    ...table([
      ['State', `${now}${object.verdict === null ? '' : `, found ${object.verdict}`}${why === '' ? '' : `: ${why}`}`],
      ['Patient', [object.patientName, object.patientID].filter((text) => text !== '').join(', ') || 'not known'],
      ['Study', [object.studyDescription, object.modality, object.studyInstanceUID].filter((text) => text !== '').join(' · ') || 'not known'],
      ['SOP Instance', object.sopInstanceUID || 'not known'],
      ['SHA-256', object.sha256],
      ...(object.archivedSha256 === '' || object.archivedSha256 === object.sha256 ? [] : [['as archived', object.archivedSha256] as const]),
      ['Came from', `${source.peer}${source.callingAETitle === '' ? '' : `, AE Title ${source.callingAETitle}`}, address ${source.address}`],
      ['in', `${doorWords[source.door]} ${source.batch}: ${counted(message.objects, 'object')}, ${momentOf(message.first)} to ${momentOf(message.last)}`],
      ['Received', `${momentOf(object.receivedAt)}, ${sizeOf(object.bytes)}`],
    ]),
  ];
}

const doorWords: Readonly<Record<TraceMessage['source']['door'], string>> = { association: 'association', stow: 'STOW-RS message', media: 'medium', terminal: 'import at the terminal' };

function messageWords({ source, first, last, objects }: TraceMessage): string {
  const names = [source.peer, source.callingAETitle === '' || source.callingAETitle === source.peer ? '' : source.callingAETitle, source.address].filter((text) => text !== '').map(printable).join(', ');
  return `${doorWords[source.door]} ${source.batch} from ${names}: ${counted(objects, 'object')}, ${momentOf(first)} to ${momentOf(last)}`;
}

function section(title: string, objects: readonly TraceObject[], cut: boolean): string[] {
  if (objects.length === 0) return title.startsWith('Has') ? [] : ['', styleText('bold', title), '  nothing'];
  return ['', styleText('bold', `${title}: ${cut ? 'more than ' : ''}${counted(objects.length, 'object')}`), ...listOf(objects)];
}

/** What is not clean first: those are to be looked at. */
function listOf(objects: readonly TraceObject[]): string[] {
  const sorted = objects.toSorted((one, other) => Number(isWell(one)) - Number(isWell(other)) || one.receivedAt - other.receivedAt);
  const lines = sorted.slice(0, shownMax).map((object) => {
    const state = object.state === 'held' ? (object.withdrawal ?? null) !== null ? 'withdrawn' : `${object.verdict ?? 'held'}, held` : object.state;
    const who = [object.patientName, object.patientID].filter((text) => text !== '').map(printable).join(', ') || 'patient unknown';
    return `  ${object.objectId.slice(0, 8)}  ${styleText(isWell(object) ? 'green' : object.verdict === 'malicious' ? 'red' : 'yellow', state.padEnd(18))}  ${momentOf(object.receivedAt)}  ${[who, object.modality, printable(object.studyDescription)].filter((text) => text !== '').join(' · ')}`;
  });
  if (sorted.length > shownMax) lines.push(`  … and ${sorted.length - shownMax} more; --json names them`);
  return lines;
}
const isWell = ({ state }: TraceObject): boolean => state === 'archived';

function accessLines(answer: TraceAnswer): string[] {
  if (answer.accesses.length === 0) return ['  by nobody that is on the record'];
  const lines = answer.accesses.slice(0, shownMax * 2).map((access) => `  ${accessWords(access)}`);
  if (answer.accesses.length > lines.length || answer.cut.includes('accesses')) lines.push('  … and more; --json names them');
  return lines;
}

function accessWords(access: TraceAccess): string {
  const who = `${printable(access.person)}${access.address === '' ? '' : ` (${printable(access.address)})`}`;
  const when = access.count === 1 ? momentOf(access.last) : `${counted(access.count, 'time')}, ${momentOf(access.first)} to ${momentOf(access.last)}`;
  const did = access.kind === 'sent' ? `sent to ${printable(access.destination)}` : access.kind;
  return `${did.padEnd(8)}  ${who}  ${when}  ${printable(access.what)}  (audit entry ${access.auditEntry})`;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
