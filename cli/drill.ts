/** `./lazaret drill DIR`: a restore rehearsed in a scratch folder, with its times. A backup that was never restored is a hope. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs, styleText } from 'node:util';
import type { SafekeepingRequest } from '@lazaret/pacs/archive/safekeeping/contract.ts';
import { Pace } from '@lazaret/pacs/archive/safekeeping/digesting.ts';
import { BackupFolder } from '@lazaret/pacs/archive/safekeeping/folder.ts';
import { chooseManifest, restore, type Restored } from '@lazaret/pacs/archive/safekeeping/restoration.ts';
import { connectChannel } from '@lazaret/system/channel.ts';
import { layoutOf } from '@lazaret/system/layout.ts';
import { passphraseIn, personAt } from './alone.ts';
import type { Terminal } from './command.ts';
import { count, duration, giveWay, Progress, rate, rateOf, size } from './progress.ts';
import { summaryOf } from './restore.ts';

const usage = 'Usage: ./lazaret drill DIR [--at MANIFEST] [--key FINGERPRINT] [--scratch FOLDER] [--passphrase-file FILE] [--rate MB_PER_SECOND] [--as PERSON] [--json]\n';

export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  let parsed;
  try {
    parsed = parseArgs({
      args: [...args], allowPositionals: true,
      options: { json: { type: 'boolean' }, at: { type: 'string' }, key: { type: 'string' }, as: { type: 'string' }, scratch: { type: 'string' }, rate: { type: 'string' }, 'passphrase-file': { type: 'string' } },
    });
  } catch (error) {
    terminal.stderr.write(`${(error as Error).message}\n${usage}`);
    return 2;
  }
  const { positionals: [word, ...more], values } = parsed;
  const bytesPerSecond = rateOf(values.rate);
  const key = (values.key ?? '').toLowerCase();
  if (word === undefined || more.length > 0 || bytesPerSecond === null || !/^[0-9a-f]{0,64}$/.test(key)) {
    terminal.stderr.write(usage);
    return 2;
  }
  giveWay();
  const json = values.json === true;
  const path = resolve(word);
  const folder = await BackupFolder.forReading(path, await passphraseIn(values['passphrase-file']));
  const signed = await chooseManifest(folder, values.at ?? '', key);
  const progress = new Progress(terminal, json);
  const scratch = mkdtempSync(join(resolve(values.scratch ?? tmpdir()), 'lazaret-drill-'));
  // Images of patients must not stay behind in a scratch folder.
  const remove = (): void => rmSync(scratch, { recursive: true, force: true });
  const interrupted = (): void => {
    remove();
    process.exit(1);
  };
  process.once('SIGINT', interrupted);
  process.once('SIGTERM', interrupted);
  let restored: Restored | null = null;
  let failure: Error | null = null;
  try {
    restored = await restore({
      folder, signed, data: join(scratch, 'data'), person: personAt(values.as), rehearsal: true, pace: new Pace(() => bytesPerSecond),
      onProgress: ({ phase, files, bytes, filesMax }) => progress.show(() => (phase === 'verifying' ? 'Drill: verifying…' : `Drill: ${count(files, 'file')} of ${filesMax.toLocaleString('en')}, ${size(bytes)}, ${rate(bytes, progress.ms)}`)),
    });
  } catch (error) {
    failure = error as Error;
  } finally {
    progress.end();
    remove();
    process.off('SIGINT', interrupted);
    process.off('SIGTERM', interrupted);
  }
  const findings = failure === null ? restored!.lacking.length : 1;
  const recorded = await note(terminal.data, { objects: restored?.objects ?? 0, bytes: restored?.bytes ?? 0, findings, manifest: signed.sha256, ms: progress.ms }, personAt(values.as), path);
  if (failure !== null) {
    if (json) terminal.stdout.write(`${JSON.stringify({ name: signed.name, sha256: signed.sha256, failed: failure.message, recorded })}\n`);
    else terminal.stdout.write(`${styleText('red', 'This backup cannot be restored.')}\n${failure.message}\nWhat was restored of it was removed again. Older ones may be whole: --at NUMBER rehearses one of them.\n`);
    return 1;
  }
  if (json) terminal.stdout.write(`${JSON.stringify({ ...summaryOf(restored!, progress.ms), recorded })}\n`);
  else print(terminal, restored!, progress.ms, recorded);
  return findings > 0 ? 1 : 0;
}

function print({ stdout }: Terminal, restored: Restored, ms: number, recorded: boolean): void {
  const { manifest: { name, manifest } } = restored;
  stdout.write([
    `${styleText('green', 'The backup can be restored.')}`,
    `${name}, of ${new Date(manifest.madeAt).toISOString()}: ${count(restored.objects, 'file')} of objects, ${size(restored.bytes)}, the audit log up to entry ${restored.auditEntries}.`,
    `  copied in    ${duration(restored.copyMs).padStart(8)}   ${rate(restored.bytes, restored.copyMs)}`,
    `  verified in  ${duration(restored.verifyMs).padStart(8)}   every digest, ledger against index, database, audit log`,
    `  in all       ${duration(ms).padStart(8)}`,
    `Nothing was started, and the scratch folder was removed.${recorded ? ' The drill is on the record.' : ' Lazaret does not run here, so the drill is not on the record.'}`,
    '',
  ].join('\n'));
  if (restored.lacking.length > 0) stdout.write(`${styleText('red', `${count(restored.lacking.length, 'file is', 'files are')} not in the backup: they were damaged when it was made.`)}\n`);
}

/** On the record of the system at hand, when one runs: a drill is often done on another machine. */
async function note(data: string, counted: { objects: number; bytes: number; findings: number; manifest: string; ms: number }, person: string, folder: string): Promise<boolean> {
  const channel = await connectChannel(layoutOf(data).sockets.terminal, 500).catch(() => null);
  if (channel === null) return false;
  try {
    await channel.request('safekeeping', { do: 'note', what: 'drill', ...counted, person, folder } satisfies SafekeepingRequest);
    return true;
  } finally {
    channel.close();
  }
}
