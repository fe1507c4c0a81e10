import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';
import { segmentsOf } from '@lazaret/audit/files.ts';
import { connectChannel, type Channel } from '@lazaret/system/channel.ts';
import { layoutOf } from '@lazaret/system/layout.ts';
import type { Running } from '@lazaret/system/process.ts';
import type { Conclusion, LedgerEntry, Work } from '@lazaret/pacs/quarantine/contract.ts';
import type { Job } from '@lazaret/pacs/quarantine/requests.ts';
import { arrive, cleanConclusion, sampleBytes } from '../processes/keeper/sample.ts';
import { startKeeper } from '../processes/keeper/keeper.ts';
import { run as asset } from './asset.ts';
import { run as audit } from './audit.ts';
import type { Run } from './command.ts';
import { run as quarantine } from './quarantine.ts';

const data = mkdtempSync(join(tmpdir(), 'lazaret-cli-'));
const layout = layoutOf(data);
let keeper: Running;
let door: Channel;
let inspector: Channel;

before(async () => {
  keeper = await startKeeper(layout, (error) => assert.fail(String(error)));
  door = await connectChannel(layout.sockets.association);
  inspector = await connectChannel(layout.sockets.inspector);
});
after(async () => {
  door.close();
  inspector.close();
  await keeper.stop();
  rmSync(data, { recursive: true, force: true });
});

async function call(command: Run, ...args: string[]): Promise<{ code: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const stdout = new Writable({ write: (chunk: Buffer, _, done) => { out += chunk.toString(); done(); } });
  const stderr = new Writable({ write: (chunk: Buffer, _, done) => { err += chunk.toString(); done(); } });
  const code = await command(args, { stdout, stderr, data });
  return { code, out: stripVTControlCharacters(out), err };
}

async function hold(name: string, change: Partial<Conclusion>): Promise<Work> {
  await door.request('admit', await arrive(layout, sampleBytes(name)));
  const [job] = await inspector.request<Job[]>('claim', { max: 1 });
  await inspector.request('conclude', { ...cleanConclusion(job!.work), verdict: 'malformed', findings: [{ code: 'pixels-too-short', offset: 10, length: 4, tag: '(7FE0,0010)', engine: 'content', text: 'half is missing \u001b[2J' }], ...change });
  return job!.work;
}

test('what is held is listed with the reason in plain words, and the exit code says that something is', async () => {
  assert.deepEqual(await call(quarantine, 'list'), { code: 0, out: 'Nothing is held.\n', err: '' });
  const work = await hold('short', {});
  const listed = await call(quarantine, 'list');
  assert.equal(listed.code, 3);
  assert.match(listed.out, /malformed +Pixels are missing/);
  assert.match(listed.out, /Muster\^Maria, P1/);
  const shown = await call(quarantine, 'show', work.objectId.slice(0, 12));
  assert.equal(shown.code, 3);
  for (const words of [/What it means:/, /What to do:/, /bytes 10 to 13 in \(7FE0,0010\)/, /ct-1 \(127\.0\.0\.1\)/]) assert.match(shown.out, words);
  // What an object says must not move the cursor of a terminal.
  assert.ok(shown.out.includes('half is missing \\u{1b}[2J'));
  const [line] = (await call(quarantine, 'list', '--json')).out.trim().split('\n');
  assert.equal((JSON.parse(line!) as LedgerEntry).objectId, work.objectId);
  const released = await call(quarantine, 'release', work.objectId.slice(0, 8), '--reason', 'the sender confirms it');
  assert.equal(released.code, 0, released.err);
  assert.match((await call(quarantine, 'show', work.objectId)).out, /archived/);
});

test('destroying takes two people, and each says why', async () => {
  const work = await hold('bad', { verdict: 'malicious' });
  const id = work.objectId.slice(0, 10);
  assert.equal((await call(quarantine, 'destroy', id)).code, 2);
  const proposed = await call(quarantine, 'destroy', id, '--reason', 'not wanted', '--as', 'anna');
  assert.equal(proposed.code, 3);
  assert.match((await call(quarantine, 'show', id)).out, /anna .*proposed to destroy it/);
  assert.equal((await call(quarantine, 'destroy', id, '--reason', 'still not wanted', '--as', 'anna')).code, 3);
  assert.equal((await call(quarantine, 'destroy', id, '--reason', 'agreed', '--as', 'bert')).code, 0);
  await assert.rejects(call(quarantine, 'release', id, '--reason', 'too late'), { code: 'transition-invalid' });
});

test('an export is on the record, for its owner only, and overwrites nothing', async () => {
  const work = await hold('to look at', { verdict: 'unscannable' });
  const folder = mkdtempSync(join(data, 'export-'));
  // There is no examiner here: the file map is what is missing from the report, and the export says so.
  inspector.close();
  inspector = await connectChannel(layout.sockets.inspector);
  const answer = inspector.request<Job[]>('claim', { max: 1 }).then(([job]) => inspector.request('mapped', { jobId: job!.kind === 'map' ? job!.jobId : '', map: { bytes: 1, spans: [], findings: [], window: null, parts: [], partCount: 0 } }));
  const exported = await call(quarantine, 'export', work.objectId, '--to', folder, '--as', 'anna');
  await answer;
  assert.equal(exported.code, 0, exported.err);
  assert.match(exported.out, /WARNING/);
  const file = join(folder, `${work.objectId}.quarantined`);
  assert.deepEqual(readFileSync(file), sampleBytes('to look at'));
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.ok(existsSync(join(folder, `${work.objectId}.report.json`)));
  const record = await call(audit, 'show', '--last', '3');
  assert.match(record.out, /Export {2}by anna/);
});

test('wrong words are wrong use', async () => {
  for (const words of [[], ['nothing'], ['show'], ['show', 'xyz'], ['release', 'abcd'], ['list', 'a', 'b'], ['list', '--limit', '0'], ['list', '--unknown']]) assert.equal((await call(quarantine, ...words)).code, 2, words.join(' '));
  for (const words of [[], ['add', 'CT'], ['remove'], ['list', 'x']]) assert.equal((await call(asset, ...words)).code, 2, words.join(' '));
  for (const words of [[], ['verify', 'x'], ['show', '--last', 'x']]) assert.equal((await call(audit, ...words)).code, 2, words.join(' '));
  await assert.rejects(call(quarantine, 'show', 'abcd1234'), { code: 'object-unknown' });
});

test('assets are registered, listed and removed; a bad one is refused with every reason', async () => {
  assert.equal((await call(asset, 'add', 'CT 2, ground floor', '--ae', 'CT2', '--address', '10.1.2.3,10.1.2.4', '--may', 'echo,store')).code, 0);
  const listed = await call(asset, 'list');
  assert.match(listed.out, /ct-2-ground-floor +CT 2, ground floor +CT2 +10\.1\.2\.3 10\.1\.2\.4 +echo store/);
  const found = await door.request<{ assetId: string } | null>('asset', { callingAETitle: 'CT2', address: '10.1.2.4', certificate: null });
  assert.equal(found?.assetId, 'ct-2-ground-floor');
  assert.equal(await door.request('asset', { callingAETitle: 'CT2', address: '10.1.2.5', certificate: null }), null);
  await assert.rejects(call(asset, 'add', 'x', '--ae', 'X', '--may', 'fly'), { code: 'asset-invalid' });
  assert.equal((await call(asset, 'remove', 'ct-2-ground-floor')).code, 0);
  await assert.rejects(call(asset, 'remove', 'ct-2-ground-floor'), { code: 'asset-unknown' });
});

test('audit verify says that all is as it was written, and where it is not', async () => {
  // What was written within the last second is not signed yet.
  for (let signed = 0; signed === 0; await wait(50)) signed = (JSON.parse((await call(audit, 'verify', '--json')).out) as { checkpoints: number }).checkpoints;
  const good = await call(audit, 'verify');
  assert.equal(good.code, 0, good.out);
  const { entries } = segmentsOf(layout.audit)[0]!;
  const bytes = readFileSync(entries);
  // A copy: the keeper goes on writing to the log itself.
  const other = mkdtempSync(join(data, 'copy-'));
  cpSync(layout.audit, layoutOf(other).audit, { recursive: true });
  const at = bytes.indexOf('Application Start');
  bytes[at]! ^= 1;
  writeFileSync(segmentsOf(layoutOf(other).audit)[0]!.entries, bytes);
  let out = '';
  const code = await audit(['verify'], { stdout: new Writable({ write: (chunk: Buffer, _, done) => { out += chunk.toString(); done(); } }), stderr: process.stderr, data: other });
  assert.equal(code, 1);
  assert.match(out, new RegExp(`entry 0, byte ${at}\\b`));
});
