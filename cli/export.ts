/** `./lazaret quarantine export ID… --output FILE.zip --encrypt`: held objects for a supplier or a laboratory, encrypted, on the record before a byte leaves. */
import { readFileSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseArgs, styleText } from 'node:util';
import { verdictRow } from '@lazaret/pacs/inspection/verdict.ts';
import type { ObjectId } from '@lazaret/pacs/reception/contract.ts';
import type { LedgerEntry } from '@lazaret/pacs/quarantine/contract.ts';
import { checkBlanking, exportItem, exportObjectsMax, overwrittenFindings, writeExport, type ExportItem } from '@lazaret/pacs/quarantine/exportfile.ts';
import { checkPassphrase, newPassphrase } from '@lazaret/pacs/quarantine/exportpassphrase.ts';
import type { ExportRequest } from '@lazaret/pacs/quarantine/requests.ts';
import { layoutOf } from '@lazaret/system/layout.ts';
import type { Terminal } from './command.ts';
import { personOf, wholeId } from './held.ts';
import { withKeeper } from './keeper.ts';

const usage = [
  'Usage: ./lazaret quarantine export ID… --output FILE.zip --encrypt --reason TEXT [--for WHOM] [--de-identified] [--passphrase-file FILE] [--as PERSON] [--json]',
  'Without --passphrase-file a passphrase is made and shown once. Without --output, one object is copied as it is: ./lazaret quarantine export ID --to FOLDER.',
  '',
].join('\n');

/** Exit 0: the file is whole. 1: nothing is left of it, with a sentence why. 2: wrong use. */
export async function run(args: readonly string[], { data, stdout, stderr }: Terminal): Promise<number> {
  let parsed;
  try {
    parsed = parseArgs({
      args: [...args], allowPositionals: true,
      options: {
        output: { type: 'string' }, encrypt: { type: 'boolean' }, 'de-identified': { type: 'boolean' }, reason: { type: 'string' }, for: { type: 'string' }, 'passphrase-file': { type: 'string' }, as: { type: 'string' }, json: { type: 'boolean' },
      },
    });
  } catch (error) {
    stderr.write(`${(error as Error).message}\n${usage}`);
    return 2;
  }
  const { positionals, values } = parsed;
  const wrong = values.encrypt !== true ? 'A file for somebody else is encrypted: say --encrypt.' : positionals.length === 0 || !positionals.every((word) => /^[0-9a-f]{4,32}$/i.test(word)) ? 'Say which objects: an ID has 32 hex digits, the first few are enough.'
    : positionals.length > exportObjectsMax ? `At most ${exportObjectsMax} objects go into one file.` : values.output === undefined || !values.output.toLowerCase().endsWith('.zip') ? 'Say where to with --output FILE.zip.'
      : (values.reason ?? '').trim() === '' ? 'Say why with --reason: it goes on the record and into the file.' : null;
  if (wrong !== null) {
    stderr.write(`${wrong}\n${usage}`);
    return 2;
  }
  const given = values['passphrase-file'];
  const passphrase = given === undefined ? newPassphrase() : checkPassphrase(readFileSync(resolve(given), 'utf8').replace(/\r?\n$/, ''));
  const path = resolve(values.output!);
  const deIdentified = values['de-identified'] === true;
  const destination = values.for?.trim() ?? `file ${path}`;
  const { quarantine } = layoutOf(data);
  return withKeeper(data, async (channel) => {
    const ids = [...new Set(await Promise.all(positionals.map((word) => wholeId(channel, word))))];
    const person = personOf(values);
    const items: ExportItem[] = [];
    for (const objectId of ids) items.push(await exportItem((name, body) => channel.request(name, body), objectId as ObjectId, deIdentified, quarantine));
    if (deIdentified) checkBlanking(items);
    // Somebody else's file is not written over; and nothing is on the record as exported that could not have been written.
    const file = await open(path, 'wx', 0o600);
    try {
      for (const { entry: { objectId } } of items) {
        await channel.request<LedgerEntry>('export', { objectId, person, address: 'terminal', reason: values.reason, destination, form: deIdentified ? 'de-identified' : 'encrypted' } satisfies Omit<ExportRequest, 'roles' | 'reason'> & { readonly reason: unknown });
      }
      await writeExport(items, { passphrase, deIdentified, person, reason: values.reason!, destination, at: Date.now(), explain: explained }, file.createWriteStream());
    } catch (error) {
      await file.close().catch(() => {});
      await rm(path, { force: true });
      throw error;
    }
    if (values.json === true) stdout.write(`${JSON.stringify({ output: path, objects: ids, deIdentified, ...(given === undefined ? { passphrase } : {}) })}\n`);
    else stdout.write(told(path, ids.length, deIdentified, given === undefined ? passphrase : null, deIdentified ? items.reduce((sum, item) => sum + overwrittenFindings(item).length, 0) : 0));
    return 0;
  });
}

function explained(code: string): { readonly title: string; readonly meaning: string; readonly advice: string } {
  const { title, meaning, advice } = verdictRow(code);
  return { title, meaning, advice };
}

function told(path: string, count: number, deIdentified: boolean, passphrase: string | null, lost: number): string {
  return [
    `${path}: ${count === 1 ? '1 object' : `${count} objects`}, encrypted with AES-256${deIdentified ? ', what says whose it is overwritten' : ''}.`,
    ...(passphrase === null ? [] : [`Passphrase: ${styleText('bold', passphrase)}`, 'It is shown this once and kept nowhere. Tell it to the addressee by another way than the file: by phone, not by the same mail.']),
    ...(lost === 0 ? [] : [`${lost === 1 ? 'One finding is' : `${lost} findings are`} in bytes that were overwritten: who gets the file cannot look at what was found there. findings.txt says where.`]),
    deIdentified ? 'Pixel Data are as they were: look whether a name is burned into the image before you send it.' : 'It may name a patient. Who may have it is for the data protection officer to say; --de-identified overwrites what can be.',
    'It opens with 7-Zip, WinZip or Keka, not with what Windows brings along. That you exported it is in the audit log.',
    '',
  ].join('\n');
}
