/** A backup is made while objects arrive; from it comes a system in which everything that was acknowledged before is as it was. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { layoutOf } from '../../system/layout.ts';
import { findInstance, retrieve, uidIn } from '../conformance/web.ts';
import { broken } from '../crash/invariants.ts';
import type { Sent } from '../crash/load.ts';
import { settled } from '../ledger.ts';
import { repository, run, startSystem, type Ended, type System } from '../system.ts';
import { send, sendSome } from './sending.ts';

function scratch(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'lazaret-recovery-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** `./lazaret` for a data directory on which nothing runs. */
function lazaret(data: string, ...args: string[]): Promise<Ended> {
  return run(process.execPath, [join(repository, 'cli/main.ts'), '--data', data, ...args]);
}

async function answersOf(system: System, sent: readonly Sent[]): Promise<{ readonly found: unknown; readonly bytes: string }[]> {
  const answers: { found: unknown; bytes: string }[] = [];
  for (const { sopInstanceUID } of sent) {
    const found = await findInstance(system, sopInstanceUID);
    assert.equal(found.length, 1, `${sopInstanceUID} is found`);
    const { status, body, headers } = await retrieve(system, { studyInstanceUID: uidIn(found[0]!, '0020000D'), seriesInstanceUID: uidIn(found[0]!, '0020000E'), sopInstanceUID });
    assert.equal(status, 200);
    const boundary = /boundary="?([^";]+)"?/.exec(headers['content-type'] ?? '')![1]!;
    // The addresses that an answer names are those of the server that gives it.
    answers.push({ found: JSON.parse(JSON.stringify(found).replaceAll(system.https, '')), bytes: body.toString('latin1').replaceAll(boundary, '') });
  }
  return answers;
}

test('a backup under load, restored: every object acknowledged before it is there byte for byte, and the record verifies', async (t) => {
  const system = await startSystem(t);
  const place = scratch(t);
  const folder = join(place, 'backup');
  const before = await sendSome(system, 'before', 48, 12);
  let ended = false;
  const during: Sent[] = [];
  const sending = send(system, 'during', during, () => ended);
  const first = await system.lazaret('backup', folder, '--json');
  assert.equal(first.code, 0, first.stdout + first.stderr);
  const sentDuring = during.filter(({ acknowledged }) => acknowledged).length;
  assert.ok(sentDuring > 0, 'objects arrived while the backup was made');
  ended = true;
  await sending;
  await settled(system);
  const clean = before.filter(({ hostile }) => !hostile);
  const wanted = await answersOf(system, clean);

  // The next one copies only what is new, and a study search answers the same.
  const second = JSON.parse((await system.lazaret('backup', folder, '--json')).stdout) as { copied: number; objects: number; sha256: string; key: string };
  assert.ok(second.copied < second.objects && second.objects >= before.length + sentDuring, JSON.stringify(second));
  const third = JSON.parse((await system.lazaret('backup', folder, '--json')).stdout) as { copied: number };
  assert.equal(third.copied, 0);
  const studies = await system.ask('/dicomweb/studies?PatientID=LZ-0001', { headers: { accept: 'application/dicom+json' } });
  const doctor = await system.lazaret('doctor', '--json');
  assert.match(doctor.stdout, /"topic":"backup","grade":"well"/);
  await system.stop();

  for (const [at, sent, name] of [['1', before, 'first'], ['', [...before, ...during], 'last']] as const) {
    const data = join(place, name);
    const restored = await lazaret(data, 'restore', folder, '--key', second.key.slice(0, 32), '--json', ...(at === '' ? [] : ['--at', at]));
    assert.equal(restored.code, 0, restored.stdout + restored.stderr);
    const again = await startSystem(t, { data });
    await settled(again);
    assert.deepEqual(await answersOf(again, clean), wanted);
    if (at === '') {
      const now = await again.ask('/dicomweb/studies?PatientID=LZ-0001', { headers: { accept: 'application/dicom+json' } });
      assert.deepEqual(JSON.parse(now.body.toString().replaceAll(again.https, '')), JSON.parse(studies.body.toString().replaceAll(system.https, '')));
    }
    const verified = await again.lazaret('verify', '--json');
    assert.equal(verified.code, 0, verified.stdout);
    const audited = await again.lazaret('audit', 'verify');
    assert.equal(audited.code, 0, audited.stdout);
    assert.match((await again.lazaret('audit', 'show', '--from', '0', '--json')).stdout, /System restored from a backup/);
    await again.stop();
    assert.deepEqual(await broken(layoutOf(data), sent), []);
  }
});

test('a restore only goes into an empty data directory, and says so', async (t) => {
  const place = scratch(t);
  const data = join(place, 'data');
  mkdirSync(data);
  writeFileSync(join(data, 'holiday.jpg'), 'not ours');
  const refused = await lazaret(data, 'restore', join(place, 'backup'));
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /is not empty \(holiday\.jpg\)/);
  const nothing = await lazaret(join(place, 'other'), 'restore', place);
  assert.equal(nothing.code, 1);
  assert.match(nothing.stderr, /holds no backup of Lazaret/);
  const foreign = await lazaret(data, 'backup', place);
  assert.equal(foreign.code, 1);
  assert.match(foreign.stderr, /There is no system in/);
});

test('a backup of a system that does not run, encrypted: nothing of a patient can be read in it, and it restores', async (t) => {
  const system = await startSystem(t);
  const place = scratch(t);
  const folder = join(place, 'sealed');
  const sent = await sendSome(system, 'sealed', 6, 3);
  await settled(system);
  await system.stop();
  const secret = join(place, 'passphrase');
  writeFileSync(secret, 'correct horse battery staple\n', { mode: 0o600 });
  const kept = join(place, 'kept');
  cpSync(system.data, kept, { recursive: true, filter: (source) => !source.endsWith('.sock') });
  const made = await lazaret(kept, 'backup', folder, '--passphrase-file', secret, '--json');
  assert.equal(made.code, 0, made.stderr);
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    assert.equal(statSync(join(entry.parentPath, entry.name)).mode & 0o077, 0, `${entry.name} is for its owner only`);
    if (!entry.isFile()) continue;
    const found = await run('grep', ['-c', '-a', '-E', 'Quarantotti|PRIVATE KEY|SQLite format|DICM', join(entry.parentPath, entry.name)]);
    assert.equal(found.stdout.trim(), '0', `${entry.name} can be read`);
  }
  assert.match((await lazaret(join(place, 'new'), 'restore', folder)).stderr, /is encrypted: give its passphrase/);
  const wrong = join(place, 'wrong');
  writeFileSync(wrong, 'correct horse battery stable\n');
  assert.match((await lazaret(join(place, 'new'), 'restore', folder, '--passphrase-file', wrong)).stderr, /This is not the passphrase/);
  // What an earlier restore has left when it was interrupted: a file cut short, one of another backup, and what is whole.
  const half = layoutOf(join(place, 'new', '.restoring'));
  for (const folderOf of [half.audit, join(half.archive, 'ab')]) mkdirSync(folderOf, { recursive: true });
  writeFileSync(join(half.audit, 'key.pem'), 'half');
  writeFileSync(join(half.archive, 'ab', `ab${'1'.repeat(62)}`), 'of another backup');
  const restored = await lazaret(join(place, 'new'), 'restore', folder, '--passphrase-file', secret);
  assert.equal(restored.code, 0, restored.stderr);
  assert.deepEqual(await broken(layoutOf(join(place, 'new')), sent), []);
});
