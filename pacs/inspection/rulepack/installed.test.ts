/** Installing and going back, as the keeper does it: only forwards, only by the bytes that were named, each change on the record. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { AuditLog } from '@lazaret/audit/append.ts';
import { layoutOf, type Layout } from '@lazaret/system/layout.ts';
import { Commits } from '../../quarantine/commits.ts';
import { openDatabase } from '../../quarantine/database.ts';
import { choosePack, packPath, pointerPath, type CurrentPack } from './choice.ts';
import { migrations, RulePacks } from './installed.ts';

const folder = mkdtempSync(join(tmpdir(), 'lazaret-installed-'));
after(() => rmSync(folder, { recursive: true, force: true }));
let count = 0;

interface Opened {
  readonly packs: RulePacks;
  readonly layout: Layout;
  readonly log: AuditLog;
  again(): Promise<RulePacks>;
}
async function opened(): Promise<Opened> {
  const layout = layoutOf(join(folder, String((count += 1))));
  for (const path of [layout.audit, dirname(layout.database)]) mkdirSync(path, { recursive: true });
  const log = await AuditLog.open(layout.audit);
  const database = await openDatabase(layout.database, [migrations]);
  const commits = new Commits(database, log, (error) => { throw error; });
  after(async () => {
    await commits.idle();
    await log.close();
    commits.close();
    database.close();
  });
  const again = async (): Promise<RulePacks> => {
    const packs = new RulePacks(layout, database, commits);
    await packs.open();
    return packs;
  };
  return { packs: await again(), layout, log, again };
}
function install(version: number, content = `pack ${version}`): Readonly<Record<string, unknown>> {
  const bytes = Buffer.from(content);
  return { do: 'install', person: 'somebody (terminal)', version, text: `2026.${version}`, signer: 'site', sha256: createHash('sha256').update(bytes).digest('hex'), base64: bytes.toString('base64') };
}
const rollback = (builtIn = 1): Readonly<Record<string, unknown>> => ({ do: 'rollback', person: 'somebody (terminal)', builtIn });
const versionOf = (current: CurrentPack | null): number | undefined => current?.version;

test('packs follow each other, and each rollback leads to the one before, down to the program\'s own', async () => {
  const { packs, layout, log } = await opened();
  assert.equal(await packs.handle({ do: 'status', person: '' }), null);
  assert.deepEqual(choosePack(layout, 1), { named: null, current: null });
  for (const version of [5, 6, 8]) assert.equal(versionOf(await packs.handle(install(version))), version);
  assert.equal(choosePack(layout, 1).named!.pack, packPath(layout, install(8)['sha256'] as string));
  const back = await packs.handle(rollback());
  assert.deepEqual([back!.version, back!.pinned, back!.previous!.version], [6, true, 5]);
  assert.equal(versionOf(await packs.handle(rollback())), 5);
  const own = await packs.handle(rollback());
  assert.deepEqual([own!.sha256, own!.previous], ['', null]);
  assert.equal(choosePack(layout, 1).named, null);
  await assert.rejects(packs.handle(rollback()), { code: 'rulepack-none' });
  assert.equal(log.size, 6, 'each change is on the record, and what was refused changed nothing');
});

test('an older pack is never installed over a newer one, not even after a rollback', async () => {
  const { packs } = await opened();
  await packs.handle(install(5));
  await packs.handle(install(7));
  await assert.rejects(packs.handle(install(6)), { code: 'rulepack-older' });
  await assert.rejects(packs.handle(install(7)), { code: 'rulepack-older' });
  await assert.rejects(packs.handle(install(7, 'another pack 7')), { code: 'rulepack-older' });
  await packs.handle(rollback());
  await assert.rejects(packs.handle(install(6)), { code: 'rulepack-older' });
  await assert.rejects(packs.handle(install(7, 'another pack 7')), { code: 'rulepack-older' });
  assert.equal(versionOf(await packs.handle(install(7))), 7, 'what was gone back from may come again');
});

test('bytes that are not those that were named are not kept', async () => {
  const { packs, layout } = await opened();
  const wrong = { ...install(5), base64: Buffer.from('other').toString('base64') };
  await assert.rejects(packs.handle(wrong), { code: 'request-invalid' });
  await assert.rejects(packs.handle({ ...install(5), sha256: '../../audit/key' }), { code: 'request-invalid' });
  await assert.rejects(packs.handle({ ...install(5), version: -1 }), { code: 'request-invalid' });
  await assert.rejects(packs.handle({ do: 'remove', person: '' }), { code: 'request-invalid' });
  assert.ok(!existsSync(pointerPath(layout)));
});

test('a newer pack of the program is used instead, unless somebody went back to an older one', async () => {
  const { packs, layout } = await opened();
  await packs.handle(install(5));
  assert.equal(choosePack(layout, 4).named !== null, true);
  assert.equal(choosePack(layout, 6).named, null, 'the program has come with 6');
  const back = await packs.handle(rollback(6));
  assert.deepEqual([back!.version, back!.pinned], [5, true]);
  assert.equal(choosePack(layout, 6).named !== null, true);
});

test('the file that names the pack follows the record after an unclean end; a damaged one is no reason to use other rules', async () => {
  const { packs, layout, again } = await opened();
  await packs.handle(install(5));
  const pointer = readFileSync(pointerPath(layout), 'utf8');
  writeFileSync(pointerPath(layout), '{');
  assert.match(choosePack(layout, 1).named!.pack, /current\.json/, 'a file that is not there: nothing is clean');
  await again();
  assert.equal(readFileSync(pointerPath(layout), 'utf8'), pointer);
});

test('what two terminals ask at once is done one after the other', async () => {
  const { packs } = await opened();
  const outcomes = await Promise.allSettled([packs.handle(install(5)), packs.handle(install(5, 'another pack 5')), packs.handle(install(6))]);
  assert.deepEqual(outcomes.map(({ status }) => status), ['fulfilled', 'rejected', 'fulfilled']);
});
