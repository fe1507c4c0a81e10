/** Files that rot, are encrypted or disappear: named, never served, and healed from a backup that they could not spoil. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { objectPath } from '../../system/layout.ts';
import { findInstance, retrieve, uidIn } from '../conformance/web.ts';
import type { Sent } from '../crash/load.ts';
import { entriesOf, settled } from '../ledger.ts';
import { repository, startSystem, type Answer, type System } from '../system.ts';
import { sendSome } from './sending.ts';

const place = mkdtempSync(join(tmpdir(), 'lazaret-damage-'));
const folder = join(place, 'backup');
let system: System;
let sent: Sent[];

before(async () => {
  system = await startSystem(null);
  sent = await sendSome(system, 'damage', 30, 10);
  await settled(system);
  const made = await system.lazaret('backup', folder);
  assert.equal(made.code, 0, made.stdout + made.stderr);
});
after(async () => {
  await system.stop();
  if (process.env['LAZARET_SHOW'] === '1') process.stderr.write(system.output());
  rmSync(system.data, { recursive: true, force: true });
  rmSync(place, { recursive: true, force: true });
});

interface Line { readonly code: string; readonly area: string; readonly name: string; readonly objectId: string }

async function verify(): Promise<{ code: number; list: Line[] }> {
  const ended = await system.lazaret('verify', '--json');
  return { code: ended.code, list: (JSON.parse(ended.stdout) as { list: Line[] }).list };
}

async function pathOf(sopInstanceUID: string): Promise<{ readonly path: string; readonly objectId: string; readonly sha256: string }> {
  const entry = (await entriesOf(system, sopInstanceUID)).find((each) => each.sopInstanceUID === sopInstanceUID)!;
  return { path: objectPath(system.layout.archive, entry.sha256), objectId: entry.objectId, sha256: entry.sha256 };
}

async function wado(sopInstanceUID: string, places = whereabouts): Promise<Answer> {
  let where = places.get(sopInstanceUID);
  if (where === undefined) {
    const [found] = await findInstance(system, sopInstanceUID);
    where = { studyInstanceUID: uidIn(found!, '0020000D'), seriesInstanceUID: uidIn(found!, '0020000E') };
    places.set(sopInstanceUID, where);
  }
  return retrieve(system, { ...where, sopInstanceUID });
}
const whereabouts = new Map<string, { studyInstanceUID: string; seriesInstanceUID: string }>();

function flip(path: string, offset = 400): void {
  const bytes = readFileSync(path);
  bytes[offset] = bytes[offset]! ^ 1;
  writeFileSync(path, bytes);
}

test('flipped, cut off, missing, and belonging to nobody: verify names each, nothing of it is served, one command heals it', async () => {
  assert.deepEqual(await verify(), { code: 0, list: [] });
  const [flipped, cut, gone] = sent.filter(({ hostile }) => !hostile).map(({ sopInstanceUID }) => sopInstanceUID) as [string, string, string];
  const files = await Promise.all([flipped, cut, gone].map(pathOf));
  for (const uid of [flipped, cut, gone]) assert.equal((await wado(uid)).status, 200);
  flip(files[0]!.path);
  truncateSync(files[1]!.path, 1_000);
  unlinkSync(files[2]!.path);
  const stranger = join(system.layout.archive, 'ab', `ab${'0'.repeat(62)}`);
  writeFileSync(stranger, 'nobody knows this');
  // What is held is kept, too.
  const held = (await entriesOf(system)).find(({ state }) => state === 'held')!;
  flip(objectPath(system.layout.quarantine, held.objectId));

  const { code, list } = await verify();
  assert.equal(code, 1);
  assert.deepEqual(list.map((each) => `${each.code} ${each.area} ${each.objectId}`).toSorted(), [
    `changed archive ${files[0]!.objectId}`, `changed archive ${files[1]!.objectId}`, `changed quarantine ${held.objectId}`, `missing archive ${files[2]!.objectId}`, 'orphaned archive ',
  ].toSorted());
  for (const uid of [flipped, cut, gone]) assert.notEqual((await wado(uid)).status, 200, 'never served');
  const shown = await system.lazaret('audit', 'show', '--from', '0', '--json');
  assert.equal(shown.stdout.split('\n').filter((line) => line.includes('Archived file no longer has its digest')).length, 4);
  unlinkSync(stranger);

  // By its digest, and then everything else.
  const one = await system.lazaret('repair', folder, files[0]!.sha256.slice(0, 12), '--json');
  assert.equal(one.code, 0, one.stdout + one.stderr);
  assert.match(one.stdout, /"outcome":"archived"/);
  const rest = await system.lazaret('repair', folder);
  assert.equal(rest.code, 0, rest.stdout + rest.stderr);
  assert.match(rest.stdout, /3 objects were repaired/);
  await settled(system);
  for (const uid of [flipped, cut, gone]) assert.equal((await wado(uid)).status, 200);
  const again = (await entriesOf(system)).find(({ objectId }) => objectId === held.objectId)!;
  assert.deepEqual([again.state, again.verdict], ['held', held.verdict], 'what was held is inspected anew and held');
  assert.deepEqual(await verify(), { code: 0, list: [] });
  assert.match((await system.lazaret('repair', folder)).stdout, /Nothing is known to be damaged/);
});

test('an archive that was encrypted is noticed, does not reach the backup, and comes back from it', async () => {
  const clean = sent.filter(({ hostile }) => !hostile).map(({ sopInstanceUID }) => sopInstanceUID).slice(5, 12);
  const whole = await Promise.all(clean.map((uid) => wado(uid)));
  assert.deepEqual(whole.map(({ status }) => status), clean.map(() => 200));
  for (const uid of clean) {
    const { path } = await pathOf(uid);
    writeFileSync(path, randomBytes(readFileSync(path).length));
  }
  const made = await system.lazaret('backup', folder, '--json');
  assert.equal(made.code, 0, made.stderr);
  assert.equal((JSON.parse(made.stdout) as { copied: number }).copied, 0, 'nothing that was changed is copied');
  assert.equal((await verify()).list.filter(({ code }) => code === 'changed').length, clean.length);
  const elsewhere = await system.lazaret('backup', join(place, 'second'), '--json');
  assert.equal(elsewhere.code, 0, 'what is known to be damaged is not missed');
  const repaired = await system.lazaret('repair', folder);
  assert.equal(repaired.code, 0, repaired.stdout);
  for (const [index, uid] of clean.entries()) {
    const now = await wado(uid);
    assert.equal(now.status, 200);
    assert.equal(now.body.length, whole[index]!.body.length);
  }
  assert.equal((await verify()).code, 0);
});

test('a verification that is ended goes on with the next one', async () => {
  const child = spawn(process.execPath, [join(repository, 'cli/main.ts'), '--data', system.data, 'verify', '--rate', '0.001'], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => { said += chunk.toString(); });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  await wait(4_000);
  child.kill('SIGINT');
  assert.equal(await ended, 1);
  assert.match(said, /The same command goes on from there/);
  const rest = JSON.parse((await system.lazaret('verify', '--json')).stdout) as { resumed: boolean; findings: number };
  assert.deepEqual([rest.resumed, rest.findings], [true, 0]);
});

test('a file that is damaged when its first backup is made is told of, and the backup is made without it', async () => {
  const [uid] = sent.filter(({ hostile }) => !hostile).map(({ sopInstanceUID }) => sopInstanceUID).slice(15);
  const { path, objectId } = await pathOf(uid!);
  flip(path);
  const made = await system.lazaret('backup', join(place, 'third'), '--json');
  assert.equal(made.code, 1, made.stdout);
  const { damaged, lacking } = JSON.parse(made.stdout) as { damaged: { file: { objectId: string } }[]; lacking: unknown[] };
  assert.deepEqual([damaged.map(({ file }) => file.objectId), lacking], [[objectId], []]);
  const drill = await system.lazaret('drill', join(place, 'third'), '--scratch', place);
  assert.equal(drill.code, 0, drill.stdout + drill.stderr);
  assert.equal((await system.lazaret('repair', folder, objectId.slice(0, 8))).code, 0);
});

test('a backup that is killed goes on where it was, and what was there before stays whole', async () => {
  const target = join(place, 'killed');
  const blobs = (): number => (existsSync(join(target, 'objects')) ? readdirSync(join(target, 'objects'), { recursive: true }).length - 256 : 0);
  let done = 0;
  for (const more of [1, 5, 9]) {
    // Slow enough to be hit in the middle of the objects.
    const child = spawn(process.execPath, [join(repository, 'cli/main.ts'), '--data', system.data, 'backup', target, '--rate', '0.005'], { stdio: 'ignore' });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    while (blobs() < done + more && child.exitCode === null) await wait(20);
    child.kill('SIGKILL');
    assert.equal(await ended, null, 'it was killed, and had not ended');
    done = blobs();
  }
  assert.deepEqual(existsSync(join(target, 'manifests')) ? readdirSync(join(target, 'manifests')) : [], [], 'nothing that is not complete looks like a backup');
  const made = await system.lazaret('backup', target, '--json');
  assert.equal(made.code, 0, made.stdout + made.stderr);
  assert.deepEqual(readdirSync(join(target, 'partial')), []);
  assert.equal(existsSync(join(system.data, 'database', 'snapshot.sqlite')), false, 'no copy of the database is left behind');
  const drill = await system.lazaret('drill', target, '--scratch', place, '--json');
  assert.equal(drill.code, 0, drill.stdout + drill.stderr);
  const { objects, recorded, copyMs } = JSON.parse(drill.stdout) as { objects: number; recorded: boolean; copyMs: number };
  assert.deepEqual([objects, recorded, copyMs > 0], [sent.length, true, true]);
  assert.deepEqual(readdirSync(place).filter((name) => name.startsWith('lazaret-drill-')), [], 'the scratch folder is gone');
});

test('a backup that was tampered with is refused, with the place', async () => {
  const target = join(place, 'killed');
  const drill = async (): Promise<{ code: number; said: string }> => {
    const ended = await system.lazaret('drill', target, '--scratch', place);
    return { code: ended.code, said: ended.stdout + ended.stderr };
  };
  const { sha256 } = await pathOf(sent[0]!.sopInstanceUID);
  const blob = objectPath(join(target, 'objects'), sha256);
  flip(blob);
  let answer = await drill();
  assert.equal(answer.code, 1);
  assert.ok(answer.said.includes(blob) && /does not have the digest/.test(answer.said), answer.said);
  flip(blob);
  truncateSync(blob, 100);
  answer = await drill();
  assert.ok(answer.said.includes(`${blob} has 100 bytes`), answer.said);
  // The next backup brings it again; the archive has it.
  assert.equal((await system.lazaret('backup', target)).code, 0);
  assert.equal((await drill()).code, 0);

  const [first, second] = readdirSync(join(target, 'manifests')).toSorted() as [string, string];
  const path = join(target, 'manifests', second);
  const whole = readFileSync(path, 'utf8');
  writeFileSync(path, whole.replace('"number":2', '"number":3'));
  answer = await drill();
  assert.match(answer.said, /does not have the signature of its key/);
  writeFileSync(path, whole);
  unlinkSync(join(target, 'manifests', first));
  assert.equal((await drill()).code, 0, 'an old one may be thrown away');
  const foreign = await system.lazaret('drill', target, '--key', 'f'.repeat(64));
  assert.equal(foreign.code, 1);
  assert.match(foreign.stderr, /was signed by the key/);
  const other = await startSystem({ after: () => {} });
  try {
    const refused = await other.lazaret('backup', target);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /holds the backups of another system/);
  } finally {
    await other.stop();
    rmSync(other.data, { recursive: true, force: true });
  }
});
