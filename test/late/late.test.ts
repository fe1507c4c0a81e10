/**
 * Late detection on the whole system, with ClamAV as the engine that learns something new: what was archived as clean, and opened, is out of sight
 * at once; the record says so with outcome 12; trace names source, message, what came with it and who opened it; people can undo a false alarm.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { readEntries, summarize } from '../../audit/reading.ts';
import { encode, part10, transferSyntaxes, withElements } from '../../tools/recipes/encode.ts';
import { ctSlice, sopClasses } from '../../tools/recipes/objects.ts';
import { uidOf } from '../../tools/recipes/recipe.ts';
import { connectChannel } from '../../system/channel.ts';
import type { RescanRequest, RescanStatus, TraceAnswer } from '../../pacs/quarantine/requests.ts';
import { stow } from '../conformance/web.ts';
import { entriesOf, settled } from '../ledger.ts';
import { Association } from '../scu.ts';
import { startSystem, type System } from '../system.ts';
import { marker, startClamd } from './clamd.ts';

const study = uidOf('late study');
const sopInstanceUIDs = [0, 1, 2].map((index) => uidOf(`late ${index}`));

/** A small CT slice of one series; one of them carries words that no engine knows yet. */
function slice(index: number, words = ''): Buffer {
  const elements = withElements(ctSlice({ name: 'late', index, count: 2_000, size: 16 }), ...(words === '' ? [] : [['0020,4000', 'LT', words] as const]));
  return part10({ sopClassUID: sopClasses.ct, sopInstanceUID: uidOf(`late ${index}`), transferSyntaxUID: transferSyntaxes.explicit, dataSet: encode(elements) });
}

async function seriesOf(system: System): Promise<string> {
  const found = JSON.parse((await system.ask(`/dicomweb/studies/${study}/series`)).body.toString()) as { '0020000E': { Value: string[] } }[];
  return found[0]!['0020000E'].Value[0]!;
}
async function instancesOf(system: System): Promise<string[]> {
  const found = JSON.parse((await system.ask(`/dicomweb/studies/${study}/instances`)).body.toString()) as { '00080018': { Value: string[] } }[];
  return found.map((each) => each['00080018'].Value[0]!).toSorted();
}
async function trace(system: System, ...words: string[]): Promise<TraceAnswer> {
  const ended = await system.lazaret('trace', ...words, '--json');
  assert.ok(ended.code === 0 || ended.code === 3, ended.stderr);
  return JSON.parse(ended.stdout) as TraceAnswer;
}
async function rescanDone(system: System, holds: (status: RescanStatus) => boolean = ({ state }) => state === 'done'): Promise<RescanStatus> {
  for (let tries = 0; tries < 600; tries += 1, await wait(50)) {
    const status = JSON.parse((await system.lazaret('rescan', 'status', '--json')).stdout) as RescanStatus | null;
    if (status !== null && holds(status)) return status;
  }
  throw new Error(`the rescan came to no end\n${system.output()}`);
}

test('what engines learn later is out of sight at once, on the record with outcome 12, and traced to source, message and readers', { timeout: 240_000 }, async (t) => {
  const clamd = await startClamd(t);
  if (clamd === null) return;
  const data = mkdtempSync(join(tmpdir(), 'lazaret-late-'));
  t.after(() => rmSync(data, { recursive: true, force: true }));
  let system = await startSystem(t, { data });
  const stored = await stow(system, [slice(0), slice(1, marker), slice(2)]);
  assert.equal(stored.status, 200, stored.body.toString());
  // Something else from a scanner, which has nothing to do with it but to be there.
  const association = await Association.open({ ...system.dimse, callingAETitle: 'SCANNER', contexts: [[sopClasses.ct, transferSyntaxes.explicit]] }).catch(() => null);
  association?.abort(false);
  await settled(system);
  assert.deepEqual(await instancesOf(system), sopInstanceUIDs.toSorted());
  const series = await seriesOf(system);
  const url = (index: number): string => `/dicomweb/studies/${study}/series/${series}/instances/${sopInstanceUIDs[index]}`;
  const whole = { accept: 'application/dicom' };
  const opened = await system.ask(url(1), { headers: whole });
  assert.equal(opened.status, 200);
  assert.equal((await system.ask(`${url(1)}/frames/1`, { headers: { accept: 'multipart/related; type="application/octet-stream"' } })).status, 200);
  const [entry] = (await entriesOf(system)).filter(({ sopInstanceUID }) => sopInstanceUID === sopInstanceUIDs[1]);
  assert.equal(entry?.state, 'archived');
  assert.equal(await system.stop(), 0);

  // From now on ClamAV has a say, and it knows those words. The verdicts of before do not count any more: not one byte is served on them.
  system = await startSystem(t, { data, arguments: ['--config', clamd.configuration] });
  const pulled = await system.ask(url(1), { headers: whole });
  assert.notEqual(pulled.status, 200);
  assert.ok(!pulled.body.includes(marker));
  await rescanDone(system, ({ state, epoch }) => state === 'done' && epoch.includes('clamd'));
  assert.deepEqual(await instancesOf(system), [sopInstanceUIDs[0], sopInstanceUIDs[2]].toSorted());
  for (const gone of [url(1), `${url(1)}/metadata`, `${url(1)}/frames/1`]) assert.equal((await system.ask(gone, { headers: { accept: '*/*' } })).status, 404, gone);
  for (const index of [0, 2]) assert.equal((await system.ask(url(index), { headers: whole })).status, 200);
  const all = await system.ask(`/dicomweb/studies/${study}`, { headers: { accept: 'multipart/related; type="application/dicom"' } });
  assert.equal(all.status, 200);
  assert.ok(!all.body.includes(marker));
  const held = (await entriesOf(system)).find(({ objectId }) => objectId === entry.objectId);
  assert.deepEqual([held?.state, held?.verdict, held?.findings[0]?.code], ['held', 'malicious', 'malware-signature']);

  const alerts = [];
  for await (const { xml } of readEntries(system.layout.audit)) if (xml.includes('csd-code="110113"')) alerts.push(summarize(xml));
  const alert = alerts.filter(({ types }) => types.includes('Malicious software found in the archive by a later inspection'));
  assert.equal(alert.length, 1);
  assert.equal(alert[0]!.outcome, '12');
  assert.equal((await system.lazaret('audit', 'verify')).code, 0);

  for (const id of [entry.objectId, entry.objectId.slice(0, 10), sopInstanceUIDs[1]!, entry.sha256]) {
    const answer = await trace(system, id);
    const subject: TraceAnswer['objects'][number] | undefined = answer.objects[0];
    assert.equal(subject?.objectId, entry.objectId);
    assert.equal(subject.withdrawn, true);
    const message = answer.messages[subject.message];
    assert.deepEqual([message?.source.door, message?.source.batch, message?.objects], ['stow', entry.source.batch, 3]);
    assert.match(message!.source.peer, /^test-sender-/);
    assert.deepEqual(answer.objects.filter(({ relation }) => relation === 'message').map(({ sopInstanceUID }) => sopInstanceUID).toSorted(), [sopInstanceUIDs[0], sopInstanceUIDs[2]].toSorted());
    const readers: TraceAnswer['accesses'] = answer.accesses.filter(({ kind, objectIds }) => kind === 'opened' && objectIds.includes(entry.objectId));
    assert.ok(readers.some(({ person, what }) => person.startsWith('test-viewer-') && what === 'instances'));
    assert.ok(readers.some(({ person, what }) => person.startsWith('test-viewer-') && what === 'frames'));
  }
  assert.equal((await trace(system, '--source', entry.source.peer)).objects.filter(({ relation }) => relation === 'subject').length, 3);
  const shown = await system.lazaret('trace', entry.objectId);
  assert.equal(shown.code, 3);
  for (const words of ['taken out of the archive', 'STOW-RS message', 'test-sender-', 'test-viewer-', 'opened']) assert.ok(shown.stdout.includes(words), `${words} in\n${shown.stdout}`);
  assert.equal((await system.lazaret('trace', '2.25.1')).code, 1);
  assert.equal((await system.lazaret('trace')).code, 2);

  // A false alarm: two people, and it is where it was.
  assert.equal((await system.lazaret('quarantine', 'release', entry.objectId, '--reason', 'a false alarm', '--as', 'ann')).code, 3);
  assert.equal((await system.lazaret('quarantine', 'release', entry.objectId, '--reason', 'agreed', '--as', 'ben')).code, 0);
  assert.deepEqual((await system.ask(url(1), { headers: whole })).body, opened.body);
  // And stays there: the same finding does not take it away again.
  assert.equal((await system.lazaret('rescan', '--study', study)).code, 0);
  assert.equal((await system.ask(url(1), { headers: whole })).status, 200);
  assert.deepEqual((await trace(system, entry.objectId)).decisions.map(({ decision, persons }) => [decision, persons.length]), [['release', 2]]);
});

test('the keeper killed in the middle of a rescan: it goes on where it was, and what is sent meanwhile overtakes it', { timeout: 300_000 }, async (t) => {
  const system = await startSystem(t);
  const count = 120;
  for (let from = 0; from < count; from += 40) {
    const stored = await stow(system, Array.from({ length: 40 }, (_, index) => slice(from + index)));
    assert.equal(stored.status, 200, stored.body.toString('utf8', 0, 400));
  }
  await settled(system);
  const channel = await connectChannel(system.layout.sockets.terminal);
  const ask = (what: RescanRequest['do']): Promise<RescanStatus | null> => channel.request('rescan', { do: what, since: 0, study: '', person: 'ann' } satisfies RescanRequest);
  const started = (await ask('start'))!;
  assert.equal(started.state, 'running');
  // Sent while the rescan runs: it is archived before the old ones are done.
  const live = await stow(system, [slice(1_000)]);
  assert.equal(live.status, 200);
  let before = started;
  while (before.state === 'running' && before.objects === 0) {
    await wait(2);
    before = (await ask('status'))!;
  }
  assert.equal(before.state, 'running', 'the new object overtook the old ones');
  process.kill(keeperOf(system), 'SIGKILL');
  channel.close();
  const done = await rescanDone(system, ({ run, state }) => run === started.run && state === 'done');
  const entries = await entriesOf(system);
  assert.ok(entries.length >= count);
  // Inspected again, every one of them, and still there.
  for (const entry of entries.filter(({ receivedAt }) => receivedAt < started.startedAt)) {
    assert.equal(entry.state, 'archived');
    assert.ok((entry.concludedAt ?? 0) >= started.startedAt, entry.objectId);
  }
  t.diagnostic(`${before.objects} of ${count} were done at the kill, ${done.objects} are counted at the end`);
});

function keeperOf(system: System): number {
  for (const name of readdirSync('/proc').filter((each) => /^\d+$/.test(each))) {
    try {
      const parent = /\nPPid:\t(\d+)/.exec(readFileSync(`/proc/${name}/status`, 'utf8'))?.[1];
      if (Number(parent) === system.pid && readFileSync(`/proc/${name}/cmdline`, 'utf8').includes('processes/keeper')) return Number(name);
    } catch {
      // It ended while we looked.
    }
  }
  throw new Error('there is no keeper');
}
