/** `./lazaret repair DIR [ID…]`: brings back, object by object, what was damaged in the archive and is whole in a backup. */
import { createPublicKey, randomBytes } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs, styleText } from 'node:util';
import { publicKeyPath } from '@lazaret/audit/files.ts';
import type { RepairOutcome, SafekeepingRequest } from '@lazaret/pacs/archive/safekeeping/contract.ts';
import { unbounded } from '@lazaret/pacs/archive/safekeeping/digesting.ts';
import { BackupFolder } from '@lazaret/pacs/archive/safekeeping/folder.ts';
import { fingerprintOf } from '@lazaret/pacs/archive/safekeeping/manifest.ts';
import { damagedObjects, type Wanted } from '@lazaret/pacs/archive/safekeeping/repairs.ts';
import { chooseManifest } from '@lazaret/pacs/archive/safekeeping/restoration.ts';
import type { Channel } from '@lazaret/system/channel.ts';
import { NewFile } from '@lazaret/system/durable.ts';
import { Failure, refused } from '@lazaret/system/failure.ts';
import { layoutOf, type Layout } from '@lazaret/system/layout.ts';
import { openForReading, passphraseIn, personAt, withAnyKeeper } from './alone.ts';
import { printable } from './audit.ts';
import type { Terminal } from './command.ts';
import { count, Progress } from './progress.ts';

const usage = 'Usage: ./lazaret repair DIR [ID…] [--passphrase-file FILE] [--as PERSON] [--json]\nAn ID is that of an object or the SHA-256 of its file; the first digits (at least 4) are enough. Without one, everything that is known to be damaged.\n';

interface Outcome {
  readonly objectId: string;
  readonly sha256: string;
  readonly outcome: RepairOutcome | 'failed';
  readonly text: string;
}

export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  let parsed;
  try {
    parsed = parseArgs({ args: [...args], allowPositionals: true, options: { json: { type: 'boolean' }, as: { type: 'string' }, 'passphrase-file': { type: 'string' } } });
  } catch (error) {
    terminal.stderr.write(`${(error as Error).message}\n${usage}`);
    return 2;
  }
  const { positionals: [word, ...ids], values } = parsed;
  if (word === undefined || ids.some((id) => !/^[0-9a-f]{4,64}$/i.test(id))) {
    terminal.stderr.write(usage);
    return 2;
  }
  const layout = layoutOf(terminal.data);
  const passphrase = await passphraseIn(values['passphrase-file']);
  const json = values.json === true;
  const progress = new Progress(terminal, json);
  const outcomes: Outcome[] = [];
  await withAnyKeeper(terminal.data, async (channel) => {
    const folder = await BackupFolder.forReading(resolve(word), passphrase);
    const own = fingerprintOf(createPublicKey(readFileSync(publicKeyPath(layout.audit))));
    if (folder.system !== own) throw refused('folder-foreign', `${folder.path} holds the backups of another system, whose key is ${folder.system.slice(0, 16)}….`);
    const signed = await chooseManifest(folder, '', own);
    for (const wanted of chosen(layout, ids)) {
      progress.show(() => `Repairing: ${count(outcomes.length, 'object')} done`);
      outcomes.push(await repair(channel, layout, folder, wanted, `${signed.name} in ${folder.path}`, personAt(values.as)));
    }
  }).finally(() => progress.end());
  const failed = outcomes.filter(({ outcome }) => outcome === 'failed').length;
  if (json) {
    for (const outcome of outcomes) terminal.stdout.write(`${JSON.stringify(outcome)}\n`);
  } else if (outcomes.length === 0) {
    terminal.stdout.write('Nothing is known to be damaged. `./lazaret verify` reads everything and says what is.\n');
  } else {
    for (const { objectId, outcome, text } of outcomes) {
      const what = outcome === 'archived' ? styleText('green', 'seen again') : outcome === 'waiting' ? styleText('green', 'inspected anew') : styleText('red', 'not repaired');
      terminal.stdout.write(`${objectId}  ${what}${text === '' ? '' : `\n  ${printable(text)}`}\n`);
    }
    terminal.stdout.write(`\n${count(outcomes.length - failed, 'object was', 'objects were')} repaired${failed > 0 ? `, ${failed} could not be: try another backup, or ask the senders to send them again` : ''}.\n`);
  }
  return failed > 0 ? 1 : 0;
}

function chosen(layout: Layout, ids: readonly string[]): Wanted[] {
  const database = openForReading(layout);
  try {
    if (ids.length === 0) return damagedObjects(database);
    const found = new Map<string, Wanted>();
    for (const id of ids) {
      const fits = damagedObjects(database, id.toLowerCase());
      if (fits.length === 0) throw refused('object-whole', `No object that begins with ${id} is known to be damaged. \`./lazaret verify\` finds out what is.`);
      if (fits.length > 1) throw refused('object-ambiguous', `${fits.length} damaged objects begin with ${id}; give more digits.`);
      found.set(fits[0]!.objectId, fits[0]!);
    }
    return [...found.values()];
  } finally {
    database.close();
  }
}

/** The bytes come into the arriving area under a name that no door gives; the keeper checks them again and takes them from there. */
async function repair(channel: Channel, layout: Layout, folder: BackupFolder, wanted: Wanted, manifest: string, person: string): Promise<Outcome> {
  const { objectId, sha256 } = wanted;
  const name = `repair-${randomBytes(16).toString('hex')}`;
  const path = join(layout.arriving, name);
  try {
    const file = await NewFile.create(path);
    try {
      for await (const chunk of folder.read(wanted, unbounded)) await file.write([chunk]);
    } catch (error) {
      await file.discard();
      throw error;
    }
    await file.finish();
    const { outcome } = await channel.request<{ outcome: RepairOutcome }>('safekeeping', { do: 'repair', objectId, file: name, manifest, person } satisfies SafekeepingRequest);
    return { objectId, sha256, outcome, text: '' };
  } catch (error) {
    rmSync(path, { force: true });
    if (error instanceof Failure && error.severity !== 'broken' && error.code !== 'channel-closed') return { objectId, sha256, outcome: 'failed', text: error.message };
    throw error;
  }
}
