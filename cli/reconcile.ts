/** `./lazaret reconcile`: whose a study is. What is served and found changes; the bytes that were received stay as they are. */
import { parseArgs, styleText } from 'node:util';
import type { Channel } from '@lazaret/system/channel.ts';
import type { LocalPatient, Reconciliation, Replacement } from '@lazaret/pacs/archive/reconciliation/contract.ts';
import { momentOf } from './amounts.ts';
import { printable } from './audit.ts';
import type { Terminal } from './command.ts';
import { withKeeper } from './keeper.ts';
import { dateOf, lineOf, localPatient, operator } from './patient.ts';

const usage = [
  'Usage: ./lazaret reconcile STUDY --patient ID --reason TEXT [--accession NUMBER] [--description TEXT] [--json]',
  '       ./lazaret reconcile STUDY --back --reason TEXT [--json]    as it was received (also: take what waits as it is)',
  '       ./lazaret reconcile STUDY --history [--json]               who said so, when and why',
  '       ./lazaret reconcile --find TEXT [--json]                   local patients by name, Patient ID, birth date or accession number',
  'STUDY is a Study Instance UID. Exit 0: done; 1: it cannot be, with the reason; 2: wrong use.',
  '',
].join('\n');
const options = {
  patient: { type: 'string' }, accession: { type: 'string' }, description: { type: 'string' }, reason: { type: 'string' }, find: { type: 'string' }, back: { type: 'boolean' }, history: { type: 'boolean' }, json: { type: 'boolean' },
} as const;
const pollMs = 100;
const listed = 50;

export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  let parsed;
  try {
    parsed = parseArgs({ args: [...args], allowPositionals: true, options });
  } catch (error) {
    terminal.stderr.write(`${(error as Error).message}\n${usage}`);
    return 2;
  }
  const { values, positionals: [study, ...more] } = parsed;
  const wanted = [values.patient !== undefined, values.back === true, values.history === true, values.find !== undefined].filter(Boolean).length;
  if (wanted !== 1 || more.length > 0 || (study === undefined) !== (values.find !== undefined) || (study !== undefined && !/^[0-9.]{1,64}$/.test(study))) {
    terminal.stderr.write(usage);
    return 2;
  }
  if ((values.patient !== undefined || values.back === true) && (values.reason ?? '').trim() === '') {
    terminal.stderr.write(`Say why with --reason: it stays with the study and in the audit log.\n${usage}`);
    return 2;
  }
  const json = values.json === true;
  const print = <Item>(items: readonly Item[], say: (item: Item) => string, none: string): number => {
    terminal.stdout.write(json ? items.map((item) => `${JSON.stringify(item)}\n`).join('') : items.length === 0 ? none : items.map((item) => `${say(item)}\n`).join(''));
    return 0;
  };
  return withKeeper(terminal.data, async (channel) => {
    if (values.find !== undefined) return print(await channel.request<LocalPatient[]>('reconcile', { do: 'patients', text: values.find, limit: listed }), patientLine, 'No patient here fits.\n');
    if (values.history === true) return print(await history(channel, study!), historyLine, 'Nobody has said whose this study is: it is as it was received, or not here.\n');
    const replacement = values.back === true ? null : { ...(await localPatient(channel, values.patient!)), accessionNumber: values.accession ?? '', studyDescription: values.description ?? '' };
    const { id } = await channel.request<Reconciliation>('reconcile', { do: 'change', studyInstanceUID: study, choice: { studyInstanceUID: study, replacement }, reason: values.reason, ...operator() });
    return tell(await carriedOut(channel, study!, id), json, terminal);
  });
}

function history(channel: Channel, studyInstanceUID: string): Promise<Reconciliation[]> {
  return channel.request('reconcile', { do: 'history', studyInstanceUID });
}

/** What people wait for is seconds; the choice is kept whatever becomes of this terminal. */
async function carriedOut(channel: Channel, study: string, id: string): Promise<Reconciliation> {
  for (;;) {
    const one = (await history(channel, study)).find((each) => each.id === id)!;
    if (one.state !== 'taking') return one;
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

function tell(one: Reconciliation, json: boolean, terminal: Terminal): number {
  if (json) terminal.stdout.write(`${JSON.stringify(one)}\n`);
  else if (one.state === 'taken') terminal.stdout.write(`${one.instances} ${one.instances === 1 ? 'object is' : 'objects are'} served ${one.replacement === null ? 'as received' : `as those of ${lineOf(one.replacement)}`}. What was received stays as it is.\n`);
  else terminal.stderr.write(one.state === 'ended' ? 'Somebody else chose otherwise meanwhile: see --history.\n' : `It cannot be: ${printable(one.problem)} The study stays as it was.\n`);
  return one.state === 'taken' ? 0 : 1;
}

function patientLine(patient: LocalPatient): string {
  return `${lineOf(patient)}  ${styleText('dim', `${patient.studies} ${patient.studies === 1 ? 'study' : 'studies'}${patient.lastStudyDate === '' ? '' : `, the last of ${dateOf(patient.lastStudyDate)}`}`)}`;
}

function identityOf(replacement: Replacement | null): string {
  return replacement === null ? 'as received' : lineOf(replacement);
}

function historyLine(one: Reconciliation): string {
  const state = one.state === 'taken' ? `${one.instances} objects` : one.state === 'impossible' ? `impossible: ${printable(one.problem)}` : one.state === 'taking' ? 'being carried out' : 'another choice came first';
  return `${momentOf(one.at)}  ${printable(one.person)}${one.import === '' ? '' : ` (import ${one.import.slice(0, 8)})`}: ${identityOf(one.replacement)}, received as ${lineOf(one.received)}${one.reason === '' ? '' : ` — ${printable(one.reason)}`}  [${state}]`;
}
