/** `./lazaret backup DIR`: an incremental, verified, signed backup, made while the system works or while it does not run. */
import { createPublicKey } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, realpathSync } from 'node:fs';
import { resolve, sep } from 'node:path';
import { parseArgs, styleText } from 'node:util';
import { publicKeyPath } from '@lazaret/audit/files.ts';
import { makeBackup, type Custody, type Made } from '@lazaret/pacs/archive/safekeeping/backup.ts';
import type { DamageOutcome, SafekeepingRequest, Snapshot } from '@lazaret/pacs/archive/safekeeping/contract.ts';
import { Pace } from '@lazaret/pacs/archive/safekeeping/digesting.ts';
import { BackupFolder } from '@lazaret/pacs/archive/safekeeping/folder.ts';
import { fingerprintOf } from '@lazaret/pacs/archive/safekeeping/manifest.ts';
import { refused } from '@lazaret/system/failure.ts';
import { layoutOf, type Layout } from '@lazaret/system/layout.ts';
import { openForReading, passphraseIn, personAt, withAnyKeeper } from './alone.ts';
import type { Terminal } from './command.ts';
import { policyOf, prune } from './prune.ts';
import { count, duration, giveWay, Progress, rate, rateOf, size } from './progress.ts';

const usage = [
  'Usage: ./lazaret backup DIR [--passphrase-file FILE] [--rate MB_PER_SECOND] [--as PERSON] [--json]',
  '       ./lazaret backup DIR --prune KEEP | [--daily N] [--weekly N] [--monthly N] [--dry-run]     removes older backups, makes none',
  '',
].join('\n');
const shownMax = 50;

export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  let parsed;
  try {
    parsed = parseArgs({ args: [...args], allowPositionals: true, options: { json: { type: 'boolean' }, rate: { type: 'string' }, as: { type: 'string' }, 'passphrase-file': { type: 'string' }, prune: { type: 'string' }, daily: { type: 'string' }, weekly: { type: 'string' }, monthly: { type: 'string' }, 'dry-run': { type: 'boolean' } } });
  } catch (error) {
    terminal.stderr.write(`${(error as Error).message}\n${usage}`);
    return 2;
  }
  const { positionals: [word, ...more], values } = parsed;
  const bytesPerSecond = rateOf(values.rate);
  const policy = policyOf(values);
  const wrong = typeof policy === 'string' ? policy : values['dry-run'] === true && policy === null ? '--dry-run goes with --prune, --daily, --weekly or --monthly.' : '';
  if (word === undefined || more.length > 0 || bytesPerSecond === null || wrong !== '') {
    terminal.stderr.write(`${wrong}${wrong === '' ? '' : '\n'}${usage}`);
    return 2;
  }
  const layout = layoutOf(terminal.data);
  const json = values.json === true;
  const path = apart(word, layout);
  const passphrase = await passphraseIn(values['passphrase-file']);
  const person = personAt(values.as);
  if (policy !== null && typeof policy !== 'string') return prune(terminal, path, passphrase, policy, { dryRun: values['dry-run'] === true, json, person, bytesPerSecond });
  giveWay();
  const progress = new Progress(terminal, json);
  const made = await withAnyKeeper(terminal.data, async (channel) => {
    const ask = <Answer>(request: SafekeepingRequest): Promise<Answer> => channel.request<Answer>('safekeeping', request);
    const folder = await BackupFolder.forWriting(path, fingerprintOf(createPublicKey(readFileSync(publicKeyPath(layout.audit)))), passphrase);
    const custody: Custody = {
      snapshot: () => ask<Snapshot>({ do: 'snapshot' }),
      seal: async (manifest, counted) => (await ask<{ signature: string }>({ do: 'seal', manifest, ...counted, ms: progress.ms, person, folder: path })).signature,
      damaged: async ({ area, name }) => (await ask<{ outcome: DamageOutcome }>({ do: 'damaged', area, name })).outcome,
    };
    const database = openForReading(layout);
    try {
      return { folder, ...(await makeBackup({
        layout, folder, custody, database, pace: new Pace(() => bytesPerSecond),
        onProgress: ({ phase, files, copied, copiedBytes }) => progress.show(() => (phase === 'record' ? 'Backup: ledger, index and audit log…' : `Backup: ${count(files, 'file')} looked at, ${count(copied, 'file')} copied, ${size(copiedBytes)}, ${rate(copiedBytes, progress.ms)}`)),
      })) };
    } finally {
      database.close();
      await folder.release();
    }
  }).finally(() => progress.end());
  const { folder } = made;
  const secrets = made.files.map((file) => file.path).filter((each) => /key/.test(each) && !/pub/.test(each));
  if (json) {
    const { files, folder: _folder, ...rest } = made;
    terminal.stdout.write(`${JSON.stringify({ ...rest, folder: path, encrypted: folder.encrypted, key: folder.system, ms: progress.ms, files: files.map((file) => ({ path: file.path, bytes: file.bytes, sha256: file.sha256 })), secrets })}\n`);
  } else {
    print(terminal, path, folder, made, secrets, progress.ms);
  }
  return made.damaged.length > 0 || made.lacking.length > 0 ? 1 : 0;
}

function print({ stdout }: Terminal, path: string, folder: BackupFolder, made: Made, secrets: readonly string[], ms: number): void {
  stdout.write([
    `${styleText('green', 'The backup is complete and verified.')}`,
    `${count(made.objects, 'file')} of objects, ${size(made.bytes)}; new in it: ${count(made.copied, 'file')}, ${size(made.copiedBytes)}, in ${duration(ms)} (${rate(made.copiedBytes, ms)}).`,
    `The audit log up to entry ${made.auditEntries}, ledger, index, people and tokens as they were at that moment.`,
    '',
    `  Manifest  ${made.name}`,
    `  SHA-256   ${made.sha256}`,
    `  Key       ${folder.system}`,
    '',
    'Keep these lines elsewhere: with them a restore can tell this backup from one that somebody else has made.',
    `In ${path} are images and names of patients and these secrets: ${[...secrets, 'the digests of passwords and tokens'].join(', ')}.`,
    folder.encrypted ? 'All of it is encrypted; without the passphrase nobody can restore it.' : 'They are NOT encrypted: guard the folder as you guard the archive, or begin one with --passphrase-file.',
    '',
  ].join('\n'));
  if (made.damaged.length + made.lacking.length === 0) return;
  stdout.write(`\n${styleText('red', `${count(made.damaged.length, 'file was', 'files were')} damaged or missing and did not go into the backup:`)}\n`);
  for (const { file, inBackup } of made.damaged.slice(0, shownMax)) stdout.write(`  object ${file.objectId}, ${file.area} ${file.name}${inBackup ? ' (an earlier backup in this folder has its bytes)' : ''}\n`);
  if (made.damaged.length > shownMax) stdout.write(`  … and ${made.damaged.length - shownMax} more\n`);
  stdout.write('Damaged images are out of sight and on the record. `./lazaret repair` brings back what a backup has.\n');
}

/** The real path of the folder, which must lie apart from what it is to save. */
function apart(word: string, layout: Layout): string {
  const path = resolve(word);
  if (!existsSync(layout.database)) throw refused('data-missing', `There is no system in ${layout.data}. Is --data right?`);
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw refused('folder-unreadable', `${path} cannot be made: ${(error as Error).message}`);
  }
  const [real, data] = [realpathSync(path), realpathSync(layout.data)];
  if (real === data || real.startsWith(data + sep) || data.startsWith(real + sep)) throw refused('folder-foreign', `${real} and the data directory ${data} lie inside each other. A backup belongs on another disk, best on another machine.`);
  return real;
}
