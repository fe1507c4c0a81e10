/** No image is lost, none is overwritten, none that was changed is served. */
import assert from 'node:assert/strict';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { encode, part10, transferSyntaxes, withElements } from '../../tools/recipes/encode.ts';
import { smallCT, sopClasses } from '../../tools/recipes/objects.ts';
import { uidOf } from '../../tools/recipes/recipe.ts';
import { fileOf } from '../../tools/recipes/series.ts';
import { auditTellsOfDamage, entriesOf, settled } from '../ledger.ts';
import { Association, storeOne, type StoreRequest } from '../scu.ts';
import { startSystem, type System } from '../system.ts';
import { findInstance, multipart, partsOf, retrieve, stow, uidIn } from './web.ts';

function requestOf(name: string, pixel = 0): StoreRequest {
  const elements = withElements(smallCT(name), ['7FE0,0010', 'OW', Buffer.alloc(8192, pixel)]);
  return { sopClassUID: sopClasses.ct, sopInstanceUID: uidOf(`${name} 0`), transferSyntaxUID: transferSyntaxes.explicit, dataSet: encode(elements) };
}

async function served(system: System, sopInstanceUID: string) {
  const found = await findInstance(system, sopInstanceUID);
  assert.equal(found.length, 1);
  return retrieve(system, { studyInstanceUID: uidIn(found[0]!, '0020000D'), seriesInstanceUID: uidIn(found[0]!, '0020000E'), sopInstanceUID });
}

test('the same bytes again are a success that stores nothing twice', async (t) => {
  const system = await startSystem(t);
  const request = requestOf('twice');
  for (let time = 0; time < 3; time++) assert.equal((await storeOne(system.dimse, request)).status, 0);
  await settled(system);
  assert.equal((await entriesOf(system)).length, 1);
});

test('the same Data Set from another AE is the same object', async (t) => {
  const system = await startSystem(t);
  const request = requestOf('elsewhere');
  const contexts = [[request.sopClassUID, request.transferSyntaxUID]] as const;
  for (const callingAETitle of ['CT-ONE', 'CT-TWO']) {
    const association = await Association.open({ ...system.dimse, contexts, callingAETitle });
    assert.equal((await association.store(request)).status, 0);
    await association.release();
    await settled(system);
  }
  assert.equal((await entriesOf(system)).length, 1);
});

// By STOW-RS the sender's own File Meta Information comes with it, so the file is another one; the Data Set is not.
test('the same Data Set by another door is the same object', async (t) => {
  const system = await startSystem(t);
  const request = requestOf('elsewhere');
  assert.equal((await storeOne(system.dimse, request)).status, 0);
  await settled(system);
  const answer = await stow(system, [part10(request)]);
  assert.equal(answer.status, 200, answer.body.toString('utf8', 0, 400));
  const counts = await settled(system);
  assert.equal(counts.held, 0, 'nothing of it is a conflict');
  assert.equal(counts.archived, 2, 'both arrivals are in the ledger');
  assert.equal((await findInstance(system, request.sopInstanceUID)).length, 1, 'and one instance in the archive');
  const files = (await readdir(system.layout.archive, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  assert.equal(files.length, 1, 'and one file');
});

test('the same SOP Instance UID with other pixels is held, and the first one stays', async (t) => {
  const system = await startSystem(t);
  const first = requestOf('conflict', 1);
  const second = requestOf('conflict', 2);
  assert.equal((await storeOne(system.dimse, first)).status, 0);
  await settled(system);
  await storeOne(system.dimse, second);
  const counts = await settled(system);
  assert.equal(counts.archived, 1);
  assert.equal(counts.held, 1);
  const held = (await entriesOf(system)).find((entry) => entry.state === 'held')!;
  assert.equal(held.conflicts.length, 1, 'it names the one that it conflicts with');
  const bytes = partsOf(await served(system, first.sopInstanceUID))[0]!;
  assert.ok(bytes.subarray(-first.dataSet.length).equals(Buffer.from(first.dataSet)), 'the first one is served as it was');
});

test('two conflicting objects in one association, one after the other: one at most is archived, none is lost', async (t) => {
  const system = await startSystem(t);
  const [first, second] = [requestOf('race', 1), requestOf('race', 2)];
  const association = await Association.open({ ...system.dimse, contexts: [[first.sopClassUID, first.transferSyntaxUID]] });
  for (const request of [first, second]) await association.store(request);
  await association.release();
  const counts = await settled(system);
  assert.equal(counts.archived + counts.held, 2);
  assert.equal(counts.archived <= 1, true);
});

for (const withPDU of [true, false]) {
  test(`an association that ${withPDU ? 'aborts' : 'breaks off'} in a Data Set leaves nothing, and its earlier objects stay`, async (t) => {
    const system = await startSystem(t);
    const [whole, half] = [requestOf('whole'), requestOf('half')];
    const association = await Association.open({ ...system.dimse, contexts: [[whole.sopClassUID, whole.transferSyntaxUID]] });
    assert.equal((await association.store(whole)).status, 0);
    association.storePartly(half, 5000);
    association.abort(withPDU);
    assert.equal((await storeOne(system.dimse, requestOf('next'))).status, 0, 'others do not notice');
    const counts = await settled(system);
    assert.equal(counts.archived, 2);
    assert.equal((await entriesOf(system)).some((entry) => entry.sopInstanceUID === half.sopInstanceUID), false);
    assert.deepEqual(await readdir(system.layout.arriving), [], 'nothing stays in the arriving area');
  });
}

test('a byte that was flipped on disk is refused and reported, never served', async (t) => {
  const system = await startSystem(t);
  const request = requestOf('flipped', 7);
  await storeOne(system.dimse, request);
  await settled(system);
  assert.equal((await served(system, request.sopInstanceUID)).status, 200);
  const file = (await readdir(system.layout.archive, { recursive: true, withFileTypes: true })).find((entry) => entry.isFile())!;
  const found = await findInstance(system, request.sopInstanceUID);
  const handle = await open(join(file.parentPath, file.name), 'r+');
  const { size } = await handle.stat();
  await handle.write(Buffer.from([0x55]), 0, 1, size - 100);
  await handle.close();
  const answer = await retrieve(system, { studyInstanceUID: uidIn(found[0]!, '0020000D'), seriesInstanceUID: uidIn(found[0]!, '0020000E'), sopInstanceUID: request.sopInstanceUID });
  assert.ok(answer.status >= 400, `answered ${answer.status}`);
  assert.equal(answer.body.includes(Buffer.alloc(200, 7)), false, 'none of its pixels go out');
  const audit = await system.lazaret('audit', 'show', '--xml');
  assert.ok(auditTellsOfDamage(audit.stdout), `the audit log tells of it: ${audit.stdout.slice(-1500)}`);
  const verify = await system.lazaret('audit', 'verify');
  assert.equal(verify.code, 0, verify.stdout + verify.stderr);
});

test('B5: a compressed body, a part too many, a length that lies: STOW-RS says no and goes on', async (t) => {
  const system = await startSystem(t);
  const { body, contentType } = multipart([fileOf(smallCT('b5'))]);
  const compressed = await system.ask('/dicomweb/studies', { method: 'POST', body: gzipSync(body), headers: { 'content-type': contentType, 'content-encoding': 'gzip' } });
  assert.ok(compressed.status >= 400 && compressed.status < 500, `gzip: ${compressed.status}`);
  const without = await system.ask('/dicomweb/studies', { method: 'POST', body, headers: { 'content-type': 'application/dicom' } });
  assert.ok(without.status >= 400 && without.status < 500, `not multipart: ${without.status}`);
  const cut = await system.ask('/dicomweb/studies', { method: 'POST', body: body.subarray(0, -60), headers: { 'content-type': contentType } });
  assert.ok(cut.status >= 400 && cut.status < 500, `cut: ${cut.status} ${cut.body.toString('utf8', 0, 300)}`);
  const good = await stow(system, [fileOf(smallCT('b5'))]);
  assert.equal(good.status, 200, good.body.toString('utf8', 0, 300));
});

test('no token, a wrong token, a viewer\'s token: nothing is stored', async (t) => {
  const system = await startSystem(t);
  const { body, contentType } = multipart([fileOf(smallCT('access'))]);
  for (const [token, status] of [[null, 401], ['wrong', 401], [await system.token('viewer'), 403]] as const) {
    const answer = await system.ask('/dicomweb/studies', { method: 'POST', body, headers: { 'content-type': contentType }, token });
    assert.equal(answer.status, status);
  }
  assert.equal((await entriesOf(system)).length, 0);
});

test('everything survives a restart', async (t) => {
  const system = await startSystem(t);
  const request = requestOf('restart');
  await storeOne(system.dimse, request);
  await settled(system);
  assert.equal(await system.stop(), 0);
  const again = await startSystem(t, { data: system.data });
  assert.equal((await served(again, request.sopInstanceUID)).status, 200);
  await again.stop();
});
