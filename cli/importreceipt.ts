/** The receipt of an import as people read it at a terminal. Everything that comes from the medium is shown without control characters. */
import { styleText } from 'node:util';
import { verdictRow } from '@lazaret/pacs/inspection/verdict.ts';
import type { ImportStatus, Receipt, ReceiptIdentity } from '@lazaret/pacs/reception/media/contract.ts';
import { momentOf, sizeOf } from './amounts.ts';
import { printable } from './audit.ts';

/** More lines of one kind than this are counted; --json has all. */
const shownMax = 20;

export function receiptOf(receipt: Receipt): string {
  const { medium, fates } = receipt;
  const name = [medium.label, medium.identifier].filter((text) => text !== '').map(printable).join(' · ');
  const lines = [
    `${styleText('bold', 'Import')} ${receipt.id.slice(0, 8)}  ${name} (${medium.kind}, ${receipt.files} files, ${sizeOf(receipt.bytes)})`,
    `  by ${printable(receipt.person)}, ${momentOf(receipt.begunAt)}${receipt.state === 'settled' ? '' : ` — ${stateText[receipt.state]}`}`,
  ];
  if (receipt.problem !== '') lines.push(`  ${styleText('red', printable(receipt.problem))}`);
  lines.push('', styleText('green', `Came in: ${count(receipt.archived, 'object')}, ${count(receipt.patients, 'patient')}, ${receipt.studies.length === 1 ? '1 study' : `${receipt.studies.length} studies`}${receipt.duplicates > 0 ? ` (${receipt.duplicates} known before)` : ''}`));
  if (receipt.archived + receipt.held + receipt.waiting === 0) lines.push((fates.unreached ?? 0) > 0 ? '  No image was among the files that were read.' : '  There are no images on this medium.');
  for (const study of receipt.studies.slice(0, shownMax)) {
    lines.push(`  ${[printable(study.patientName) || 'no name', printable(study.patientID) || 'no Patient ID', printable(study.description), dateOf(study.date)].filter((text) => text !== '').join(' · ')}`);
    if (study.identity !== undefined) lines.push(`    ${identityOf(study.identity)}`);
    for (const series of study.series.slice(0, shownMax)) lines.push(`    ${printable(series.modality).padEnd(3)} ${String(series.instances).padStart(5)}  ${printable(series.description)}`);
    more(lines, study.series.length, '    ');
  }
  more(lines, receipt.studies.length, '  ');
  if (receipt.unreconciled > 0) lines.push('', styleText('yellow', `Not in sight yet, since nobody has said whose they are or that is being carried out: ${count(receipt.unreconciled, 'object')}`));
  if (receipt.waiting > 0) lines.push('', `Still being inspected: ${receipt.waiting}`);
  section(lines, receipt.held, 'Held', receipt.malicious > 0 ? 'red' : 'yellow', receipt.withheld, ({ path, objectId, code, text, verdict }) => `${printable(path)}  ${objectId.slice(0, 8)}  ${verdict}: ${code === '' ? '' : verdictRow(code).title}${text === '' ? '' : ` — ${printable(text)}`}`);
  section(lines, fates.infected ?? 0, 'Infected, left behind', 'red', receipt.infected, ({ path, what, text }) => `${printable(path)}  ${printable(what)} — ${printable(text)}`);
  section(lines, (fates.unreadable ?? 0) + (fates.refused ?? 0), 'Could not be read', 'yellow', receipt.unreadable, ({ path, text }) => `${printable(path)} — ${printable(text)}`);
  section(lines, fates.unreached ?? 0, 'Not read, since the import was stopped before', 'yellow', receipt.unreached, ({ path, text }) => `${printable(path)}${text === '' ? '' : ` — ${printable(text)}`}`);
  if ((fates.unreached ?? 0) > 0 && receipt.state === 'settled') lines.push('  Import the medium again to bring them in; what came in already is known then.');
  const left = (fates.left ?? 0) + (fates.unscanned ?? 0) + (fates.link ?? 0) + (fates.special ?? 0);
  section(lines, left, 'Left behind, since they are no images', 'dim', receipt.left, ({ path, what, text, fate, bytes }) => `${printable(path)}  ${printable(what)}${bytes > 0 ? `, ${sizeOf(bytes)}` : ''}${fate === 'unscanned' ? ' (could not be scanned)' : ''}${text === '' ? '' : ` — ${printable(text)}`}`);
  for (const directory of receipt.directories) {
    const odd = directory.absentCount + directory.unlistedCount + directory.differentCount;
    if (odd === 0 && directory.problem === '') continue;
    lines.push('', `${printable(directory.path)} lists ${directory.listed} objects${directory.problem === '' ? '' : ` (${printable(directory.problem)})`}:`);
    if (directory.absentCount > 0) lines.push(`  ${directory.absentCount} of them are not on the medium: ${some(directory.absent)}`);
    if (directory.unlistedCount > 0) lines.push(`  ${directory.unlistedCount} objects are on the medium and not in it; they were inspected like the rest: ${some(directory.unlisted)}`);
    if (directory.differentCount > 0) lines.push(`  ${directory.differentCount} files hold another object than it says: ${some(directory.different)}`);
  }
  for (const note of receipt.notes) lines.push('', `Note: ${printable(note)}`);
  if (receipt.held > 0) lines.push('', '`./lazaret quarantine list` and `show ID` say more about what is held.');
  if (receipt.state === 'interrupted') lines.push('', 'Start the same import again to go on.');
  return `${lines.join('\n')}\n`;
}

function identityOf({ state, problem, servedAs, person, at }: ReceiptIdentity): string {
  if (state === 'waiting') return styleText('yellow', 'waits: nobody has said whose it is');
  const as = servedAs === null ? 'as it came' : `served as ${printable(servedAs.patientName)} · ${printable(servedAs.patientID)}${servedAs.accessionNumber === '' ? '' : ` · accession ${printable(servedAs.accessionNumber)}`}`;
  const said = `${as} (${printable(person)}, ${momentOf(at)})`;
  return state === 'taken' ? styleText('green', said) : state === 'taking' ? `${said}, being carried out` : styleText('red', `cannot be ${said}: ${printable(problem)}`);
}

const stateText: Readonly<Record<ImportStatus['state'], string>> = {
  asked: 'not begun', reading: 'being read', inspecting: 'being inspected', settled: 'done', interrupted: styleText('yellow', 'interrupted'), failed: styleText('red', 'failed'),
};

export function listOf(imports: readonly ImportStatus[]): string {
  if (imports.length === 0) return 'Nothing was imported yet.\n';
  return imports.map((each) => `${each.id.slice(0, 8)}  ${momentOf(each.begunAt)}  ${stateText[each.state].padEnd(12)} ${printable(each.medium.label)}: ${each.archived} in, ${each.held} held${(each.fates.infected ?? 0) > 0 ? `, ${each.fates.infected} infected` : ''}\n`).join('');
}

function section<Item>(lines: string[], total: number, title: string, colour: 'red' | 'yellow' | 'dim', items: readonly Item[], say: (item: Item) => string): void {
  if (total === 0) return;
  lines.push('', styleText(colour, `${title}: ${total}`));
  for (const item of items.slice(0, shownMax)) lines.push(`  ${say(item)}`);
  // Of some files not even the names are known.
  if (items.length > 0) more(lines, total, '  ');
}

function more(lines: string[], total: number, indent: string): void {
  if (total > shownMax) lines.push(`${indent}… and ${total - shownMax} more`);
}

function some(paths: readonly string[]): string {
  return `${paths.slice(0, 5).map(printable).join(', ')}${paths.length > 5 ? ', …' : ''}`;
}

function count(number: number, word: string): string {
  return `${number} ${word}${number === 1 ? '' : 's'}`;
}

function dateOf(date: string): string {
  return /^\d{8}$/.test(date) ? `${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6)}` : printable(date);
}
