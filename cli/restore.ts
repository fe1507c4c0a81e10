/** `./lazaret restore DIR`: a system from a backup, into an empty data directory. */
import { resolve } from 'node:path';
import { parseArgs, styleText } from 'node:util';
import { Pace } from '@lazaret/pacs/archive/safekeeping/digesting.ts';
import { BackupFolder } from '@lazaret/pacs/archive/safekeeping/folder.ts';
import { checkEmpty, chooseManifest, restore, type Restored } from '@lazaret/pacs/archive/safekeeping/restoration.ts';
import { lockDataDirectory } from '@lazaret/processes/supervisor/lock.ts';
import { makeFolder } from '@lazaret/system/durable.ts';
import { layoutOf } from '@lazaret/system/layout.ts';
import { passphraseIn, personAt } from './alone.ts';
import type { Terminal } from './command.ts';
import { count, duration, Progress, rate, size } from './progress.ts';

const usage = 'Usage: ./lazaret restore DIR [--at MANIFEST] [--key FINGERPRINT] [--passphrase-file FILE] [--as PERSON] [--json] [--data DIR]\n';

export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  let parsed;
  try {
    parsed = parseArgs({ args: [...args], allowPositionals: true, options: { json: { type: 'boolean' }, at: { type: 'string' }, key: { type: 'string' }, as: { type: 'string' }, 'passphrase-file': { type: 'string' } } });
  } catch (error) {
    terminal.stderr.write(`${(error as Error).message}\n${usage}`);
    return 2;
  }
  const { positionals: [word, ...more], values } = parsed;
  const key = (values.key ?? '').toLowerCase();
  if (word === undefined || more.length > 0 || !/^[0-9a-f]{0,64}$/.test(key) || (values.key !== undefined && key.length < 16)) {
    terminal.stderr.write(values.key !== undefined && word !== undefined ? `--key takes at least the first 16 digits of the fingerprint that \`backup\` printed.\n${usage}` : usage);
    return 2;
  }
  const { data } = terminal;
  // Before anything is read: the wrong data directory is the likeliest mistake.
  checkEmpty(data);
  const folder = await BackupFolder.forReading(resolve(word), await passphraseIn(values['passphrase-file']));
  const signed = await chooseManifest(folder, values.at ?? '', key);
  const json = values.json === true;
  const progress = new Progress(terminal, json);
  const { run: sockets } = layoutOf(data);
  await makeFolder(sockets);
  const unlock = await lockDataDirectory(sockets);
  let restored: Restored;
  try {
    restored = await restore({
      folder, signed, data, person: personAt(values.as), pace: new Pace(() => Infinity),
      onProgress: ({ phase, files, bytes, filesMax }) => progress.show(() => (phase === 'verifying' ? 'Verifying what was restored…' : `Restoring: ${count(files, 'file')} of ${filesMax.toLocaleString('en')}, ${size(bytes)}, ${rate(bytes, progress.ms)}`)),
    });
  } finally {
    progress.end();
    unlock();
  }
  if (json) terminal.stdout.write(`${JSON.stringify(summaryOf(restored, progress.ms))}\n`);
  else print(terminal, restored, progress.ms, values.key !== undefined);
  return restored.lacking.length > 0 ? 1 : 0;
}

export function summaryOf({ manifest: { name, sha256, fingerprint, manifest }, ...rest }: Restored, ms: number): Record<string, unknown> {
  return { name, sha256, key: fingerprint, madeAt: manifest.madeAt, ...rest, copyMs: Math.round(rest.copyMs), verifyMs: Math.round(rest.verifyMs), ms };
}

function print({ stdout, data }: Terminal, restored: Restored, ms: number, keyGiven: boolean): void {
  const { manifest: { name, fingerprint, manifest } } = restored;
  stdout.write([
    `${styleText('green', `The system of ${new Date(manifest.madeAt).toISOString()} is restored and verified.`)}`,
    `${count(restored.objects, 'file')} of objects, ${size(restored.bytes)}, in ${duration(ms)}: copied in ${duration(restored.copyMs)}, every digest, the database and the audit log checked in ${duration(restored.verifyMs)}.`,
    `That it was restored from ${name} is in its audit log, entry ${restored.auditEntries - 1}.`,
    keyGiven ? '' : `The backup says that its key is ${fingerprint}. Compare that with what \`backup\` printed; with --key a restore does.`,
    `What was sent after the backup was made is not here: senders keep their images for some days, ask them to send again.`,
    `Start it: npm start -- --data ${data}`,
    '',
  ].filter((line, index, all) => line !== '' || index === all.length - 1).join('\n'));
  if (restored.lacking.length === 0) return;
  stdout.write(`\n${styleText('red', `${count(restored.lacking.length, 'file was', 'files were')} damaged when the backup was made and not in it:`)}\n`);
  for (const { area, name: file } of restored.lacking.slice(0, 50)) stdout.write(`  ${area} ${file}\n`);
}
