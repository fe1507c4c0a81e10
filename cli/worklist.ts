/** `./lazaret worklist`: orders of the hospital, as the import desk sees them when it says whose a medium is. */
import { userInfo } from 'node:os';
import { parseArgs, styleText } from 'node:util';
import type { WorklistAnswer, WorklistItem, WorklistRequest } from '@lazaret/pacs/worklist/contract.ts';
import { printable } from './audit.ts';
import type { Terminal } from './command.ts';
import { withKeeper } from './keeper.ts';

const usage = [
  'Usage: ./lazaret worklist NAME [--json]',
  '       ./lazaret worklist --patient-id ID | --accession NUMBER [--json]',
  'NAME is looked for from its beginning, family name first: lindg, "lindgren^m". * stands for anything, ? for one letter.',
  '',
].join('\n');

/** Exit 0: somebody answered (also with nothing), 1: nobody did or none is configured, 2: wrong use. */
export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  const asked = parse(args);
  if (typeof asked === 'string') {
    terminal.stderr.write(`${asked}\n${usage}`);
    return 2;
  }
  const answer = await withKeeper(terminal.data, (channel) => channel.request<WorklistAnswer>('worklist', asked.request));
  if (asked.json) terminal.stdout.write(`${JSON.stringify(answer)}\n`);
  else (answer.outcome === 'found' ? terminal.stdout : terminal.stderr).write(describe(answer));
  return answer.outcome === 'found' ? 0 : 1;
}

function parse(args: readonly string[]): { readonly request: WorklistRequest; readonly json: boolean } | string {
  let parsed;
  try {
    parsed = parseArgs({ args: [...args], allowPositionals: true, options: { json: { type: 'boolean', default: false }, 'patient-id': { type: 'string' }, accession: { type: 'string' } } });
  } catch (error) {
    return (error as Error).message;
  }
  const { positionals: [name, ...more], values } = parsed;
  if (more.length > 0) return `'${printable(more[0]!)}' is one word too many: write a name of several words as "family^given".`;
  const request = { patientName: nameOf(name ?? ''), patientID: values['patient-id'] ?? '', accessionNumber: values.accession ?? '', person: userInfo().username, address: 'terminal' };
  if (request.patientName + request.patientID + request.accessionNumber === '') return 'Say whom to look for.';
  return { request, json: values.json };
}

/** Matching is of the whole value (PS3.4 §C.2.2.2.1): people type its beginning. */
function nameOf(name: string): string {
  return name === '' || /[*?]/.test(name) ? name : `${name.trim()}*`;
}

function describe(answer: WorklistAnswer): string {
  if (answer.outcome !== 'found') return `${printable(answer.text)}\n`;
  const lines = answer.items.flatMap(itemLines);
  if (answer.items.length === 0) lines.push('No order fits.');
  if (answer.cut) lines.push(`These are ${answer.items.length} of more: ask more narrowly.`);
  if (answer.text !== '') lines.push(printable(answer.text));
  return `${lines.join('\n')}\n`;
}

function itemLines(item: WorklistItem): string[] {
  const said = (words: readonly string[]): string => words.filter((word) => word !== '').map(printable).join(' · ');
  return [
    `${styleText('bold', printable(item.patientName) || 'no name')}  ${said([item.patientID, item.issuerOfPatientID, dateOf(item.patientBirthDate), item.patientSex])}`,
    `    ${said([item.accessionNumber === '' ? '' : `accession ${item.accessionNumber}`, dateOf(item.scheduledDate), item.modality, item.studyDescription, item.requestedProcedureID])}`,
  ];
}

function dateOf(date: string): string {
  return date === '' ? '' : `${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6)}`;
}
