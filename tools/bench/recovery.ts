/**
 * Recovery of 10,000 instances: a backup, a second one with nothing new, a drill and a restore into an empty directory, each by its command. What was restored is
 * compared with the system byte for byte, beside what the commands check themselves.
 */
import { createHash } from 'node:crypto';
import { createReadStream, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { layoutOf, type Layout } from '../../system/layout.ts';
import { settled } from '../../test/ledger.ts';
import { Association } from '../../test/scu.ts';
import { repository, run, startSystem, type System } from '../../test/system.ts';
import { encode, transferSyntaxes, withElements } from '../recipes/encode.ts';
import { ctSlice, sopClasses } from '../recipes/objects.ts';
import { marks } from './load.ts';

export const recoveryInstances = 10_000;
const parallel = 4;
/** The length of `marks`. */
const numbered = (run: string, index: number): string => `2.25.1${run}${String(index).padStart(marks.study.length - 6 - run.length, '0')}`;

/** CT slices of 525 KB, 500 in a study. */
async function fill(system: System, count: number): Promise<void> {
  const template = encode(withElements(ctSlice({ name: 'recovery', index: 0, count: 1, size: 512 }), ['0008,0018', 'UI', marks.instance(0)], ['0020,000D', 'UI', marks.study], ['0020,000E', 'UI', marks.series]));
  const [instance, study, series] = [marks.instance(0), marks.study, marks.series].map((mark) => template.indexOf(mark)) as [number, number, number];
  let next = 0;
  await Promise.all(Array.from({ length: parallel }, async () => {
    const association = await Association.open({ ...system.dimse, contexts: [[sopClasses.ct, transferSyntaxes.explicit]] });
    while (next < count) {
      const index = next;
      next += 1;
      const dataSet = Buffer.from(template);
      const sopInstanceUID = numbered('1', index);
      for (const [offset, uid] of [[instance, sopInstanceUID], [study, numbered('2', Math.floor(index / 500))], [series, numbered('3', Math.floor(index / 500))]] as const) dataSet.write(uid, offset, 'latin1');
      // No two have the same pixels.
      dataSet.writeUInt16LE(index % 1_000, dataSet.length - 2);
      const { status, comment } = await association.store({ sopClassUID: sopClasses.ct, sopInstanceUID, transferSyntaxUID: transferSyntaxes.explicit, dataSet });
      if (status !== 0) throw new Error(`C-STORE was answered by ${status} ${comment}`);
    }
    await association.release();
  }));
}

async function digestsOf(layout: Layout): Promise<string> {
  const lines: string[] = [];
  for (const entry of readdirSync(layout.archive, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const hash = createHash('sha256');
    for await (const piece of createReadStream(join(entry.parentPath, entry.name))) hash.update(piece as Buffer);
    lines.push(`${entry.name} ${hash.digest('hex')}`);
  }
  return lines.toSorted().join('\n');
}

/** One line. Needs three times what the instances have, 16 GB, and is gone afterwards. */
export async function recoveryLines(folder: string, say: (text: string) => void): Promise<string[]> {
  const system = await startSystem(null);
  const backup = join(folder, 'backup');
  const data = join(folder, 'restored');
  const seconds = (ms: number): string => (ms / 1_000).toFixed(1);
  const command = async (into: string, ...args: string[]): Promise<{ readonly ms: number; readonly objects: number; readonly bytes: number; readonly copied?: number; readonly copyMs?: number; readonly verifyMs?: number; readonly key?: string }> => {
    const { code, stdout, stderr } = await run(process.execPath, [join(repository, 'cli/main.ts'), '--data', into, ...args, '--json']);
    if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}: ${stdout}${stderr}`);
    say(`${args[0]}: ${stdout.slice(0, 400).trim()}`);
    return JSON.parse(stdout) as never;
  };
  try {
    say(`sending ${recoveryInstances} instances`);
    await fill(system, recoveryInstances);
    await settled(system, 600_000);
    const first = await command(system.data, 'backup', backup);
    const second = await command(system.data, 'backup', backup);
    const drill = await command(system.data, 'drill', backup, '--scratch', folder);
    const restored = await command(data, 'restore', backup, '--key', first.key!);
    await system.stop();
    const [was, is] = [await digestsOf(system.layout), await digestsOf(layoutOf(data))];
    if (was !== is || was.split('\n').length !== recoveryInstances) throw new Error('what was restored is not what was there');
    return [
      `Recovery, ${recoveryInstances.toLocaleString('en')} instances (${(first.bytes / 1e9).toFixed(2)} GB), all on one disk: a first backup while Lazaret runs takes ${seconds(first.ms)} s, one with nothing new ${seconds(second.ms)} s; a drill ${seconds(drill.ms)} s; a restore into an empty directory ${seconds(restored.ms)} s, of which copying ${seconds(restored.copyMs!)} s and verifying every digest, the database and the audit log ${seconds(restored.verifyMs!)} s. All ${recoveryInstances.toLocaleString('en')} files were the same byte for byte.`,
    ];
  } finally {
    await system.stop();
    for (const path of [system.data, backup, data]) rmSync(path, { recursive: true, force: true });
  }
}
