/**
 * The bad day, on the whole system. First that of 2001: a disc with an infected viewer and an infected object beside a clean study. Then the worse one, on which
 * the signature comes later: what was archived as clean, and opened, is found, traced to its medium and withdrawn, and the rest comes back.
 */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { readEntries, summarize } from '../../audit/reading.ts';
import { loadYara } from '../../pacs/inspection/engines/yaraaddon.ts';
import { payloadOf, rulesFolder } from '../../pacs/inspection/rulepack/builtin.ts';
import { encodePack } from '../../pacs/inspection/rulepack/pack.ts';
import { sha256Of } from '../../pacs/inspection/rulepack/payload.ts';
import type { RescanStatus, StatusAnswer, TraceAnswer } from '../../pacs/quarantine/requests.ts';
import type { WithdrawalPreview, WithdrawalStatus } from '../../pacs/quarantine/withdrawalcontract.ts';
import type { Receipt } from '../../pacs/reception/media/contract.ts';
import { connectChannel } from '../../system/channel.ts';
import { encode, part10, transferSyntaxes, withElements } from '../../tools/recipes/encode.ts';
import { eicar } from '../../tools/recipes/inert.ts';
import { iso } from '../../tools/recipes/images.ts';
import { cleanDisc, infectedDisc, slices, writeFolder, type MediumFile } from '../../tools/recipes/media.ts';
import { ctSlice, patients, sopClasses } from '../../tools/recipes/objects.ts';
import { uidOf } from '../../tools/recipes/recipe.ts';
import { entriesOf, settled } from '../ledger.ts';
import { startSystem, type System } from '../system.ts';

const folder = mkdtempSync(join(tmpdir(), 'lazaret-badday-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const skip = loadYara().addon === null;
const since = (start: number): string => `${((performance.now() - start) / 1_000).toFixed(2)} s`;

interface Alert extends ReturnType<typeof summarize> { readonly xml: string }
async function alerts(system: System): Promise<Alert[]> {
  const found: Alert[] = [];
  for await (const { xml } of readEntries(system.layout.audit)) if (xml.includes('csd-code="110113"')) found.push({ ...summarize(xml), xml });
  return found;
}
async function status(system: System): Promise<StatusAnswer> {
  const channel = await connectChannel(system.layout.sockets.terminal);
  try {
    return await channel.request<StatusAnswer>('status', null);
  } finally {
    channel.close();
  }
}
/** As nobody waits for a choice of whose it is. */
async function imported(system: System, path: string): Promise<{ readonly code: number; readonly receipt: Receipt }> {
  const asIs = (await system.lazaret('import', '--nothing')).stderr.includes('--as-is') ? ['--as-is'] : [];
  const { code, stdout, stderr } = await system.lazaret('import', path, ...asIs, '--json');
  assert.notEqual(stdout, '', stderr);
  return { code, receipt: JSON.parse(stdout) as Receipt };
}
async function instancesOf(system: System, study: string): Promise<string[]> {
  const { body } = await system.ask(`/dicomweb/studies/${study}/instances`);
  return body.length === 0 ? [] : (JSON.parse(body.toString()) as { '00080018': { Value: string[] } }[]).map((each) => each['00080018'].Value[0]!).toSorted();
}

test('the 2001 day: the infected viewer and object are found, nothing of them crosses, the alert is there, the clean study is served', { timeout: 240_000 }, async (t) => {
  const system = await startSystem(t);
  const path = join(folder, '2001.iso');
  writeFileSync(path, iso(infectedDisc('bad day'), { label: 'DISC OF 2001' }));
  const start = performance.now();
  const { code, receipt } = await imported(system, path);
  t.diagnostic(`read, inspected and settled after ${since(start)}`);
  assert.equal(code, 3);
  assert.deepEqual([receipt.archived, receipt.held, receipt.malicious, receipt.infected.map((file) => file.path)], [6, 1, 1, ['VIEWER/VIEWER.EXE']]);
  // On the record, with the name of the disc, and where people look.
  const told = await alerts(system);
  assert.ok(told.some(({ types, outcome, xml }) => types.includes('Malicious software on a medium') && outcome === '8' && xml.includes('DISC OF 2001')));
  assert.ok(told.some(({ types, outcome }) => types.includes('Inspection concluded') && outcome === '8'));
  const { counts, alarms } = await status(system);
  assert.deepEqual([counts.held, alarms], [1, { late: 0, infectedMedia: 1, medium: receipt.id }]);
  assert.equal((await system.lazaret('quarantine', 'list')).code, 3);
  assert.match((await system.lazaret('quarantine', 'list', '--by', 'medium')).stdout, /1 object: .*1 malicious[\s\S]*DISC OF 2001/);

  // Not one byte of it is anywhere but in the vault, and the clean study is served byte for byte.
  const study = receipt.studies[0]!.studyInstanceUID;
  assert.equal((await instancesOf(system, study)).length, 6);
  const all = await system.ask(`/dicomweb/studies/${study}`, { headers: { accept: 'multipart/related; type="application/dicom"' } });
  assert.equal(all.status, 200);
  assert.ok(!all.body.includes(eicar()));
  const [bad] = (await entriesOf(system)).filter(({ state }) => state === 'held');
  assert.ok(bad !== undefined);
  assert.deepEqual(await instancesOf(system, bad.studyInstanceUID), []);
  const traced = JSON.parse((await system.lazaret('trace', bad.objectId, '--json')).stdout) as TraceAnswer;
  assert.deepEqual(traced.media?.map(({ infected }) => infected.map((file) => file.path)), [['VIEWER/VIEWER.EXE']]);
  assert.match(traced.media![0]!.name, /^DISC OF 2001/);
  assert.equal((await system.lazaret('audit', 'verify')).code, 0);
  t.diagnostic(`all of it looked at after ${since(start)}`);
});

const marker = 'lazaret inert marker that a rule learns about late';
const { privateKey, publicKey } = generateKeyPairSync('ed25519');

/** The built-in rules and one more, signed. */
function pack(): string {
  const builtIn = payloadOf(rulesFolder);
  const text = `rule late_marker {\n  meta:\n    code = "malware-signature"\n    text = "a marker learnt late"\n  strings:\n    $a = "${marker}"\n  condition:\n    $a\n}\n`;
  const files = [...builtIn.files, { name: 'zz-late.yar', text }];
  const path = join(folder, 'late.rulepack');
  writeFileSync(path, encodePack({
    ...builtIn, files,
    manifest: { ...builtIn.manifest, version: builtIn.manifest.version + 1_000, text: 'late', files: files.map((file) => ({ name: file.name, bytes: Buffer.byteLength(file.text), sha256: sha256Of(file.text) })) },
    tests: [...builtIn.tests, { rule: 'late_marker', finds: [{ name: 'a marker', parts: [`text:${marker}`] }], passes: [{ name: 'none', parts: ['text:lazaret inert marker'] }] }],
  }, [privateKey]));
  return path;
}

test('the day on which the signature comes late: found, traced to the medium, withdrawn, the archive verifies, and the rest comes back', { timeout: 300_000, skip }, async (t) => {
  const system = await startSystem(t);
  mkdirSync(system.layout.ruleKeys, { recursive: true });
  writeFileSync(join(system.layout.ruleKeys, 'site.pem'), publicKey.export({ type: 'spki', format: 'pem' }) as string);
  const carrier: MediumFile = {
    path: 'DICOM/PA000002/IM000001',
    bytes: part10({ sopClassUID: sopClasses.ct, sopInstanceUID: uidOf('badday carrier 0'), transferSyntaxUID: transferSyntaxes.explicit, dataSet: encode(withElements(ctSlice({ name: 'badday carrier', index: 0, count: 1, size: 16 }), ['0020,4000', 'LT', marker])) }),
  };
  const medium = join(folder, 'late');
  mkdirSync(medium);
  writeFolder(medium, [...cleanDisc('late day', 6), carrier]);
  const { receipt } = await imported(system, medium);
  assert.deepEqual([receipt.archived, receipt.held, receipt.infected.length], [7, 0, 0], 'nobody knew better');
  const other = join(folder, 'other');
  mkdirSync(other);
  writeFolder(other, slices({ name: 'other day', count: 3, patient: patients[2]! }));
  const { receipt: well } = await imported(system, other);
  const carried = receipt.studies.find(({ instances }) => instances === 1)!.studyInstanceUID;
  const clean = receipt.studies.find(({ instances }) => instances === 6)!.studyInstanceUID;
  const whole = { headers: { accept: 'multipart/related; type="application/dicom"' } };
  const opened = await system.ask(`/dicomweb/studies/${carried}`, whole);
  assert.equal(opened.status, 200);
  const before = await system.ask(`/dicomweb/studies/${clean}`, whole);

  const start = performance.now();
  const updated = await system.lazaret('rules', 'update', pack());
  assert.equal(updated.code, 0, `${updated.stdout}${updated.stderr}${system.output()}`);
  for (let tries = 0; ; tries += 1, await wait(100)) {
    const rescan = JSON.parse((await system.lazaret('rescan', 'status', '--json')).stdout) as RescanStatus | null;
    if (rescan?.state === 'done' && rescan.withdrawn === 1) break;
    assert.ok(tries < 600, `the rescan came to no end\n${JSON.stringify(rescan)}\n${system.output()}`);
  }
  t.diagnostic(`found ${since(start)} after the rules came`);
  const late = (await alerts(system)).filter(({ types }) => types.includes('Malicious software found in the archive by a later inspection'));
  assert.deepEqual(late.map(({ outcome }) => outcome), ['12']);
  for (let tries = 0; (await status(system)).alarms?.late !== 1; tries += 1, await wait(500)) assert.ok(tries < 60, 'the console tells of it');
  assert.notEqual((await system.ask(`/dicomweb/studies/${carried}`, whole)).status, 200);

  // From the object to the medium, and from there to everything on it and everybody who has seen it.
  const [bad] = (await entriesOf(system)).filter(({ state }) => state === 'held');
  const [from] = (JSON.parse((await system.lazaret('trace', bad!.objectId, '--json')).stdout) as TraceAnswer).media!;
  assert.equal(from?.import, receipt.id);
  const all = JSON.parse((await system.lazaret('trace', '--import', from.import.slice(0, 10), '--json')).stdout) as TraceAnswer;
  assert.deepEqual([all.subjectCount, all.objects[0]?.objectId, all.objects[0]?.verdict], [7, bad!.objectId, 'malicious']);
  assert.ok(all.accesses.some(({ kind, person }) => kind === 'opened' && person.startsWith('test-viewer-')));
  const preview = JSON.parse((await system.lazaret('withdraw', '--import', from.import, '--dry-run', '--json')).stdout) as WithdrawalPreview;
  assert.deepEqual([preview.objects, preview.held, preview.heldMalicious, preview.patients, preview.studyCount], [6, 1, 1, 1, 1]);
  assert.ok(preview.accesses.some(({ kind, person }) => kind === 'opened' && person.startsWith('test-viewer-')));
  assert.equal((await system.lazaret('withdraw', '--import', from.import)).code, 2, 'not without a reason');

  const ordered = performance.now();
  const ended = await system.lazaret('withdraw', '--import', from.import.slice(0, 8), '--reason', 'a signature that came late found something on it', '--as', 'ann', '--json');
  assert.equal(ended.code, 0, ended.stderr);
  t.diagnostic(`withdrawn ${since(ordered)} after it was ordered`);
  const { id, fates } = JSON.parse(ended.stdout) as WithdrawalStatus;
  assert.deepEqual(fates, { taken: 6 });
  assert.deepEqual(await instancesOf(system, clean), []);
  assert.notEqual((await system.ask(`/dicomweb/studies/${clean}`, whole)).status, 200);
  assert.equal((await instancesOf(system, well.studies[0]!.studyInstanceUID)).length, 3, 'other media stay');
  // Read again, the medium brings nothing of it back into sight.
  assert.equal((await imported(system, medium)).receipt.archived, 0);
  assert.deepEqual(await instancesOf(system, clean), []);
  const verified = await system.lazaret('verify', '--json');
  assert.equal(verified.code, 0, verified.stdout);
  assert.equal((await system.lazaret('audit', 'verify')).code, 0);
  assert.match((await system.lazaret('withdraw', '--list')).stdout, new RegExp(`${id.slice(0, 8)}[\\s\\S]*6 out of sight[\\s\\S]*a signature that came late`));

  const back = await system.lazaret('withdraw', '--restore', id.slice(0, 8), '--reason', 'the images themselves are clean', '--as', 'ben', '--json');
  assert.equal(back.code, 0, back.stdout + back.stderr);
  assert.deepEqual((JSON.parse(back.stdout) as WithdrawalStatus).fates, { restored: 6 });
  await settled(system);
  const again = await system.ask(`/dicomweb/studies/${clean}`, whole);
  assert.equal(again.status, 200);
  assert.equal(partsOf(again), partsOf(before), 'byte for byte what was there before');
  assert.equal((await entriesOf(system)).find(({ objectId }) => objectId === bad!.objectId)?.state, 'held', 'what is malicious does not come back with it');
  assert.equal((await system.lazaret('verify', '--json')).code, 0);
});

function partsOf({ headers, body }: { readonly headers: Readonly<Record<string, string>>; readonly body: Buffer }): string {
  return body.toString('latin1').replaceAll(/boundary="?([^";]+)"?/.exec(headers['content-type'] ?? '')![1]!, '');
}

test('what is being served when it is withdrawn is not served to its end', { timeout: 240_000 }, async (t) => {
  const system = await startSystem(t);
  const medium = join(folder, 'serving');
  mkdirSync(medium);
  writeFolder(medium, slices({ name: 'serving', count: 60, size: 512 }));
  const { receipt } = await imported(system, medium);
  assert.equal(receipt.archived, 60);
  const study = receipt.studies[0]!.studyInstanceUID;
  const token = await system.token('viewer');
  const url = new URL(`/dicomweb/studies/${study}`, system.https);
  const served = await new Promise<{ readonly bytes: number; readonly complete: boolean }>((resolve, reject) => {
    // The certificate is not what this is about.
    const asked = request(url, { rejectUnauthorized: false, headers: { authorization: `Bearer ${token}`, accept: 'multipart/related; type="application/dicom"' } }, (response) => {
      let bytes = 0;
      let ordered = false;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (ordered) return;
        ordered = true;
        response.pause();
        void (async () => {
          const { code, stdout, stderr } = await system.lazaret('withdraw', '--study', study, '--reason', 'while somebody is reading it', '--json');
          assert.equal(code, 0, stdout + stderr);
          response.resume();
        })().catch(reject);
      });
      response.on('error', () => {});
      response.on('close', () => resolve({ bytes, complete: response.complete }));
    });
    asked.on('error', reject);
    asked.end();
  });
  t.diagnostic(`${(served.bytes / 1e6).toFixed(1)} MB of 31.5 had been sent`);
  assert.equal(served.complete, false);
  assert.ok(served.bytes < 25e6, `${served.bytes} bytes were served`);
  assert.deepEqual(await instancesOf(system, study), []);
});
