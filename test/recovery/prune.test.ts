/**
 * Older backups go: what the policy keeps restores byte for byte, the last one that can be restored is not given up, and a pruning that is killed half-way
 * leaves backups that are whole. Days pass by a clock that is set forward for the command alone.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { layoutOf } from '../../system/layout.ts';
import { settled } from '../ledger.ts';
import { repository, run, startSystem, type Ended } from '../system.ts';
import { sendSome } from './sending.ts';

interface Made {
  readonly name: string;
  readonly sha256: string;
  /** Objects as they were when it was made: path and digest. */
  readonly objects: ReadonlyMap<string, string>;
}

const dayMs = 86_400_000;
const main = join(repository, 'cli/main.ts');
const place = mkdtempSync(join(tmpdir(), 'lazaret-prune-'));
let data = '';
const folder = join(place, 'backup');
const made: Made[] = [];

/** `./lazaret` so many days from now, on a data directory on which nothing runs. */
function lazaret(days: number, ...args: string[]): Promise<Ended> {
  const clock = `const { now } = Date; const ahead = ${days * dayMs}; Date.now = () => now() + ahead; globalThis.Date = class extends Date { constructor(...parts) { parts.length === 0 ? super(now() + ahead) : super(...parts); } };`;
  return run(process.execPath, ['--import', `data:text/javascript,${encodeURIComponent(clock)}`, main, '--data', data, ...args]);
}
function objectsOf(at: string): Map<string, string> {
  const { archive, quarantine } = layoutOf(at);
  const found = new Map<string, string>();
  for (const root of [archive, quarantine]) {
    for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name);
      found.set(relative(at, path), createHash('sha256').update(readFileSync(path)).digest('hex'));
    }
  }
  return found;
}
const manifests = (): string[] => readdirSync(join(folder, 'manifests')).toSorted();
const blobs = (): string[] => readdirSync(join(folder, 'objects'), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name)).toSorted();
const keptOf = ({ stdout }: Ended): string[] => (JSON.parse(stdout) as { kept: { name: string }[] }).kept.map(({ name }) => name).toSorted();

async function assertRestores(backup: Made): Promise<void> {
  const into = join(place, `restored ${randomBytes(4).toString('hex')}`);
  const restored = await run(process.execPath, [main, '--data', into, 'restore', folder, '--at', backup.sha256, '--json']);
  assert.equal(restored.code, 0, restored.stdout + restored.stderr);
  assert.deepEqual(objectsOf(into), backup.objects);
  const verified = await run(process.execPath, [main, '--data', into, 'audit', 'verify']);
  assert.equal(verified.code, 0, verified.stdout + verified.stderr);
  rmSync(into, { recursive: true, force: true });
}

/** The newest of each of the last so many periods, as docs/operations says it: for dates as 2026-01-31. */
function newestOf(names: readonly string[], most: number, periodOf: (date: Date) => string): string[] {
  const last = new Map<string, string>();
  for (const name of names) {
    const [, year, month, day] = /-(\d{4})(\d{2})(\d{2})T/.exec(name)!;
    last.set(periodOf(new Date(`${year}-${month}-${day}T00:00:00Z`)), name);
  }
  return [...last.values()].slice(-most);
}
const day = (date: Date): string => date.toISOString().slice(0, 10);
const month = (date: Date): string => date.toISOString().slice(0, 7);
/** Its Monday. */
const week = (date: Date): string => day(new Date(date.getTime() - ((date.getUTCDay() + 6) % 7) * dayMs));

before(async () => {
  const system = await startSystem(null);
  ({ data } = system);
  const backup = async (work: Promise<Ended>): Promise<void> => {
    const { code, stdout, stderr } = await work;
    assert.equal(code, 0, stdout + stderr);
    const { name, sha256 } = JSON.parse(stdout) as Made;
    made.push({ name, sha256, objects: objectsOf(data) });
  };
  await sendSome(system, 'first', 8, 4);
  await settled(system);
  await backup(system.lazaret('backup', folder, '--json'));
  await sendSome(system, 'second', 8, 4);
  await settled(system);
  await backup(system.lazaret('backup', folder, '--json'));
  await system.stop();
  for (const days of [1, 2, 2.01, 9, 16, 50, 51]) await backup(lazaret(days, 'backup', folder, '--json'));
});
after(() => {
  for (const path of [place, data]) rmSync(path, { recursive: true, force: true });
});

test('a policy keeps the newest of days, weeks and months; a dry run changes nothing; what stays restores as it was', async () => {
  assert.equal(manifests().length, 9);
  assert.ok(made[0]!.objects.size < made[1]!.objects.size, 'the first backup is of fewer objects');
  const names = manifests();
  const wanted = [...new Set([...names.slice(-1), ...newestOf(names, 3, day), ...newestOf(names, 4, week), ...newestOf(names, 9, month)])].toSorted();
  assert.ok(wanted.length < names.length);
  const words = ['backup', folder, '--prune', '1', '--daily', '3', '--weekly', '4', '--monthly', '9', '--json'] as const;
  const bytes = blobs();
  const dry = await lazaret(51, ...words, '--dry-run');
  assert.equal(dry.code, 0, dry.stderr);
  assert.deepEqual([keptOf(dry), manifests(), blobs()], [wanted, names, bytes]);
  const done = await lazaret(51, ...words);
  assert.equal(done.code, 0, done.stderr);
  assert.deepEqual([keptOf(done), manifests()], [wanted, wanted]);
  const { blobs: freed } = JSON.parse(done.stdout) as { blobs: number };
  assert.ok(freed > 0);
  assert.equal(blobs().length, bytes.length - freed);
  for (const backup of made) {
    if (wanted.includes(backup.name)) await assertRestores(backup);
    else {
      const gone = await run(process.execPath, [main, '--data', join(place, 'gone'), 'restore', folder, '--at', backup.sha256]);
      assert.equal(gone.code, 1, `${backup.name} is gone`);
    }
  }
  const record = (await lazaret(51, 'audit', 'show', '--from', '0', '--json')).stdout;
  for (const { name } of made) assert.equal(new RegExp(`Backups are removed by their policy: [^"]*${name}`).test(record), !wanted.includes(name), name);
});

test('a policy that keeps nothing is no policy', async () => {
  const { code, stderr } = await lazaret(51, 'backup', folder, '--prune', '0');
  assert.equal(code, 2);
  assert.match(stderr, /A policy keeps something/);
});

test('killed half-way, it leaves backups that restore, and the next time takes the rest', async () => {
  // Bytes of backups that were broken off: nobody needs them, and there are enough to be killed among.
  const left = 30_000;
  for (let number = 0; number < left; number += 1) {
    const name = createHash('sha256').update(`left ${number}`).digest('hex');
    writeFileSync(join(folder, 'objects', name.slice(0, 2), name), 'left');
  }
  const all = blobs().length;
  const newest = made.at(-1)!;
  const child = spawn(process.execPath, [main, '--data', data, 'backup', folder, '--prune', '1', '--json'], { stdio: 'ignore' });
  const gone = new Promise<NodeJS.Signals | null>((resolve) => child.once('close', (_code, signal) => resolve(signal)));
  // Its manifests are retired and bytes are being removed.
  while (child.exitCode === null && blobs().length > all - 200) await wait(5);
  child.kill('SIGKILL');
  assert.equal(await gone, 'SIGKILL', 'it was killed before its end');
  const half = blobs().length;
  assert.ok(half > 1_000 && half < all, `${half} of ${all} are left`);
  assert.deepEqual(manifests(), [newest.name]);
  await assertRestores(newest);
  const again = await lazaret(51, 'backup', folder, '--prune', '1', '--json');
  assert.equal(again.code, 0, again.stdout + again.stderr);
  assert.deepEqual(keptOf(again), [newest.name]);
  assert.ok(blobs().length < 200);
  await assertRestores(newest);
});

test('the last backup that can be restored stays, and where none can be, nothing goes', async () => {
  const whole = made.at(-1)!;
  const known = new Set(blobs());
  const later = await lazaret(60, 'backup', folder, '--json');
  assert.equal(later.code, 0, later.stderr);
  // Bytes that only the newer one needs are lost.
  rmSync(blobs().find((path) => !known.has(path))!);
  const kept = await lazaret(60, 'backup', folder, '--prune', '1', '--json');
  assert.equal(kept.code, 1, 'somebody should know');
  assert.deepEqual([keptOf(kept).length, manifests().length], [2, 2]);
  assert.deepEqual((JSON.parse(kept.stdout) as { broken: string[] }).broken, [(JSON.parse(later.stdout) as Made).name]);
  await assertRestores(whole);
  // And bytes of an object that every backup holds.
  const [path] = whole.objects.keys();
  const digest = whole.objects.get(path!)!;
  rmSync(blobs().find((each) => each.endsWith(digest))!);
  const [names, bytes] = [manifests(), blobs()];
  const refused = await lazaret(60, 'backup', folder, '--prune', '1');
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /None of the 2 backups has all of its files\. Nothing was removed/);
  assert.deepEqual([manifests(), blobs()], [names, bytes]);
});
