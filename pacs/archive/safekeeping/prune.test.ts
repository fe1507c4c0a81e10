import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { Pace } from './digesting.ts';
import { BackupFolder, type Blob } from './folder.ts';
import { decodeManifest, digestOfText, encodeList, encodeManifest, fingerprintOf, manifestBytesMax, manifestFormat, manifestName, sealedText, type Manifest, type SignedManifest } from './manifest.ts';
import { choose, Pruning, type Policy } from './prune.ts';
import { chooseManifest } from './restoration.ts';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const system = fingerprintOf(publicKey);
const pace = new Pace(() => Infinity);
const none: Policy = { newest: 0, daily: 0, weekly: 0, monthly: 0 };
const day = 86_400_000;

/** A folder with backups as they are made: backup `n` holds objects 1 to n, or those that `of` says. */
async function folderWith(t: TestContext, passphrase: string | null, times: readonly number[], of: (number: number) => readonly number[] = (number) => Array.from({ length: number }, (_, index) => index + 1)): Promise<{ readonly folder: BackupFolder; readonly blobs: ReadonlyMap<number, Blob> }> {
  const path = mkdtempSync(join(tmpdir(), 'lazaret-prune-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  const folder = await BackupFolder.forWriting(path, system, passphrase);
  const blobs = new Map<number, Blob>();
  let previous: Manifest['previous'] = null;
  for (const [index, madeAt] of times.entries()) {
    const number = index + 1;
    const listed = [];
    for (const object of of(number)) {
      const blob = blobs.get(object) ?? (await folder.putBytes(Buffer.from(`object ${object}`)));
      blobs.set(object, blob);
      listed.push({ area: 'archive' as const, name: blob.sha256, ...blob });
    }
    const rows = encodeList(listed);
    const lists = listed.length === 0 ? [] : [{ ...(await folder.putBytes(rows)), rows: listed.length }];
    const files = await Promise.all(['database/lazaret.sqlite', 'audit/key.pem', 'audit/key.pub.pem', 'audit/checkpoints.log'].map(async (name) => {
      const part = await folder.putBytes(Buffer.from(`${name} ${number}`));
      return { path: name, ...part, parts: [part] };
    }));
    const manifest: Manifest = {
      format: manifestFormat, number, previous, madeAt, publicKey: publicKey.export({ type: 'spki', format: 'der' }).toString('base64'), audit: { entries: number, root: createHash('sha256').digest('hex') }, objects: { count: listed.length, bytes: 1 }, lists, files, lacking: [],
    };
    const line = encodeManifest(manifest);
    const name = manifestName(number, madeAt);
    await folder.publish(name, Buffer.from(`${line}\n${sign(null, sealedText(digestOfText(line)), privateKey).toString('base64')}\n`));
    previous = { name, sha256: digestOfText(line) };
  }
  return { folder, blobs };
}
async function pruned(folder: BackupFolder, policy: Partial<Policy>, drilled: readonly string[] = [], really = true) {
  const pruning = new Pruning(folder, pace);
  try {
    const plan = await pruning.plan({ ...none, ...policy }, new Set(drilled));
    return { plan, ...(await pruning.carryOut(plan, really)) };
  } finally {
    pruning.close();
  }
}
async function manifestsOf(folder: BackupFolder): Promise<SignedManifest[]> {
  return Promise.all(folder.manifestNames().map(async (name) => decodeManifest(name, await folder.readManifest(name, manifestBytesMax))));
}
/** Every backup that is left has all of its bytes. */
async function assertWhole(folder: BackupFolder): Promise<void> {
  for (const { manifest } of await manifestsOf(folder)) {
    for (const blob of [...manifest.lists, ...manifest.files.flatMap(({ parts }) => parts)]) for await (const chunk of folder.read(blob, pace)) assert.ok(chunk.length > 0);
    for (const list of manifest.lists) for (const line of (await folder.readWhole(list, 1e6, pace)).toString().trim().split('\n')) assert.ok(folder.has({ sha256: line.split(' ')[1]!, bytes: Number(line.split(' ')[2]) }), line);
  }
}
const days = (...numbers: readonly number[]): number[] => numbers.map((number) => Date.UTC(2026, 0, 5) + number * day);

test('policies: the newest, and the newest of each day, week and month', async () => {
  const all = days(0, 0.5, 1, 8, 9, 40, 41, 41.2).map((madeAt, index) => ({ name: String(index), sha256: String(index), fingerprint: '', manifest: { madeAt } }) as unknown as SignedManifest);
  const kept = async (policy: Partial<Policy>, drilled: readonly string[] = []): Promise<string> => (await choose(all, { ...none, ...policy }, new Set(drilled), async () => true)).kept.map(({ manifest }) => manifest.name).join(' ');
  assert.equal(await kept({ newest: 3 }), '5 6 7');
  assert.equal(await kept({ newest: 100 }), '0 1 2 3 4 5 6 7');
  assert.equal(await kept({ daily: 3 }), '4 5 7');
  assert.equal(await kept({ weekly: 2 }), '4 7');
  assert.equal(await kept({ monthly: 12 }), '4 7');
  assert.equal(await kept({ newest: 1, daily: 2, monthly: 3 }), '4 5 7');
  assert.equal(await kept({ newest: 1 }, ['2']), '2 7', 'what a drill has restored');
});

test('the newest that is whole stays, whatever the policy says; where none is, nothing goes', async () => {
  const all = days(0, 1, 2, 3).map((madeAt, index) => ({ name: String(index), sha256: '', fingerprint: '', manifest: { madeAt } }) as unknown as SignedManifest);
  const plan = await choose(all, { ...none, newest: 1 }, new Set(), async ({ name }) => name < '2');
  assert.deepEqual([plan.kept.map(({ manifest }) => manifest.name), plan.removed.map(({ name }) => name), plan.broken], [['1', '2', '3'], ['0'], ['3', '2']]);
  await assert.rejects(choose(all, { ...none, newest: 1 }, new Set(), async () => false), { code: 'backup-damaged' });
});

for (const passphrase of [null, 'correct horse battery staple']) {
  test(`what goes, goes; what another backup needs stays, and the chain holds over the gap (${passphrase === null ? 'plain' : 'encrypted'})`, async (t) => {
    // Object 1 is in all of them; 2 only in the second; 3 from the third on.
    const { folder, blobs } = await folderWith(t, passphrase, days(0, 1, 2, 3), (number) => [[1], [1, 2], [1, 3], [1, 3, 4]][number - 1]!);
    const dry = await pruned(folder, { newest: 1 }, [], false);
    assert.deepEqual([dry.plan.removed.length, folder.manifestNames().length], [3, 4], 'a dry run changes nothing');
    // Three lists, four files of each of three, and object 2.
    assert.equal(dry.blobs, 16);
    const done = await pruned(folder, { newest: 2 });
    assert.deepEqual([done.plan.removed.length, done.blobs], [2, 11]);
    assert.deepEqual([1, 2, 3, 4].map((object) => folder.has(blobs.get(object)!)), [true, false, true, true]);
    await assertWhole(folder);
    const newest = await chooseManifest(folder, '', system);
    assert.equal(newest.manifest.number, 4);
    await assert.rejects(chooseManifest(folder, '1', system), { code: 'backup-missing' });
    assert.equal((await pruned(folder, { newest: 2 })).blobs, 0);
  });
}

test('ended in the middle, what is left is whole, and the next time takes the rest', async (t) => {
  const { folder } = await folderWith(t, null, days(0, 1, 2, 3, 4));
  for (let discards = 0; ; discards += 3) {
    let left = discards;
    const dying = Object.create(folder, { discard: { value: async (name: string) => { if (left-- <= 0) throw new Error('the power went'); await folder.discard(name); } } }) as BackupFolder;
    // Private fields live on the folder itself.
    for (const name of ['manifestNames', 'readManifest', 'readWhole', 'has', 'nameOf', 'retire', 'kept'] as const) Object.defineProperty(dying, name, { value: (folder[name] as (...args: unknown[]) => unknown).bind(folder) });
    const pruning = new Pruning(dying, pace);
    try {
      await pruning.carryOut(await pruning.plan({ ...none, newest: 1 }, new Set()), true);
      break;
    } catch (error) {
      assert.match(String(error), /the power went/);
    } finally {
      pruning.close();
    }
    await assertWhole(folder);
    assert.equal((await chooseManifest(folder, '', system)).manifest.number, 5);
  }
  assert.equal(folder.manifestNames().length, 1);
  await assertWhole(folder);
});

test('a list that cannot be read, a manifest that was changed: nothing is removed', async (t) => {
  const { folder } = await folderWith(t, null, days(0, 1, 2));
  const [, , newest] = await manifestsOf(folder);
  writeFileSync(folder.pathOf(newest!.manifest.lists[0]!.sha256), 'other bytes');
  const before = readdirSync(join(folder.path, 'objects'), { recursive: true }).length;
  await assert.rejects(pruned(folder, { newest: 1 }), { code: 'backup-damaged' });
  assert.deepEqual([folder.manifestNames().length, readdirSync(join(folder.path, 'objects'), { recursive: true }).length], [3, before]);
  writeFileSync(join(folder.path, 'manifests', folder.manifestNames()[0]!), '{}\n');
  await assert.rejects(pruned(folder, { newest: 2 }), { code: 'backup-damaged' });
  assert.equal(folder.manifestNames().length, 3);
});

test('one at a time in a folder; who ended without giving it back does not keep it', async (t) => {
  const { folder } = await folderWith(t, null, days(0));
  await assert.rejects(BackupFolder.forWriting(folder.path, system, null), { code: 'folder-busy' });
  await folder.release();
  const again = await BackupFolder.forWriting(folder.path, system, null);
  await again.release();
  assert.ok(!existsSync(join(folder.path, 'busy.json')));
  for (const left of ['', JSON.stringify({ host: hostname(), pid: 4_194_000, started: '1', what: 'a backup' }), JSON.stringify({ host: hostname(), pid: process.pid, started: 'earlier', what: 'a backup' })]) {
    writeFileSync(join(folder.path, 'busy.json'), left);
    await (await BackupFolder.forWriting(folder.path, system, null)).release();
  }
  writeFileSync(join(folder.path, 'busy.json'), JSON.stringify({ host: 'another machine', pid: 1, started: '', what: 'a backup' }));
  await assert.rejects(BackupFolder.forWriting(folder.path, system, null), /on another machine/);
});
