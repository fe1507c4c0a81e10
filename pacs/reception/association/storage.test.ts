import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { encodeCommandSet, noDataSet } from '@lazaret/dicom/dimse/commands.ts';
import { encodePDU } from '@lazaret/dicom/upperlayer/encode.ts';
import { refused, unavailable, type Failure } from '@lazaret/system/failure.ts';
import { checkServices, type ServiceRow } from './services.ts';
import { RawPeer, ctImageStorage, dataPDU, echoCommand, explicitLittle, openDoor, requestOf, storeCommand, until, usualContexts } from './sample.ts';

const deadline = { timeout: 30_000 };
const dataSet = randomBytes(300_000);

test('C-ECHO, then an object: the file is prefix and Data Set as sent, its digest told, and admitted before the response', deadline, async (t) => {
  const { port, keeper, arriving } = await openDoor(t);
  let responded = false;
  keeper.onAdmit = () => assert.equal(responded, false);
  const peer = RawPeer.connect(port);
  assert.equal((await peer.associate()).type, 'A-ASSOCIATE-AC');
  peer.command(1, echoCommand);
  assert.deepEqual(await peer.response(), { AffectedSOPClassUID: '1.2.840.10008.1.1', CommandField: 0x8030, MessageIDBeingRespondedTo: 1, CommandDataSetType: noDataSet, Status: 0 });
  peer.command(3, storeCommand('1.2.3'));
  for (let at = 0; at < dataSet.length; at += 16000) peer.send(dataPDU(3, false, at + 16000 >= dataSet.length, dataSet.subarray(at, at + 16000)));
  const response = await peer.response();
  responded = true;
  assert.equal(response.Status, 0);
  assert.equal(response.AffectedSOPInstanceUID, '1.2.3');
  const [object] = keeper.admitted;
  const file = readFileSync(join(arriving, object!.objectId));
  assert.equal(file.length, object!.bytes);
  assert.equal(createHash('sha256').update(file).digest('hex'), object!.sha256);
  assert.ok(file.subarray(-dataSet.length).equals(dataSet));
  assert.ok(file.subarray(0, 128).equals(Buffer.alloc(128)));
  assert.equal(file.toString('latin1', 128, 132), 'DICM');
  const { sopClassUID, sopInstanceUID, transferSyntaxUID, source } = object!;
  assert.deepEqual([sopClassUID, sopInstanceUID, transferSyntaxUID], [ctImageStorage, '1.2.3', explicitLittle]);
  assert.deepEqual([source.door, source.peer, source.address, source.callingAETitle, source.calledAETitle], ['association', 'loopback', '127.0.0.1', 'CT2', 'LAZARET']);
  peer.send(encodePDU({ type: 'A-RELEASE-RQ' }));
  assert.equal((await peer.next()).type, 'A-RELEASE-RP');
});

test('each wrong request has its status and its words, nothing is kept, and the association goes on', deadline, async (t) => {
  const { port, keeper, files } = await openDoor(t);
  const peer = RawPeer.connect(port);
  await peer.associate();
  const cases: readonly [string, Parameters<typeof storeCommand>[1], Uint8Array | null, number, RegExp][] = [
    ['another SOP Class than the context', { AffectedSOPClassUID: '1.2.840.10008.5.1.4.1.1.4' }, dataSet, 0x0122, /presentation context/],
    ['a UID that is a path', { AffectedSOPInstanceUID: '../../etc/passwd' }, dataSet, 0x0117, /digits and dots/],
    ['no UID', { AffectedSOPInstanceUID: '' }, dataSet, 0x0212, /AffectedSOPInstanceUID/],
    ['no Data Set', { CommandDataSetType: noDataSet }, null, 0xc000, /without a Data Set/],
    ['an empty Data Set', {}, new Uint8Array(0), 0xc000, /empty/],
    ['C-FIND', { CommandField: 0x20 }, dataSet, 0x0211, /not offered/],
    ['C-ECHO in a storage context', { CommandField: 0x30, CommandDataSetType: noDataSet }, null, 0x0122, /not a service/],
  ];
  for (const [name, changes, bytes, status, text] of cases) {
    peer.command(3, storeCommand('1.2.3', changes));
    if (bytes !== null) peer.dataSet(3, bytes);
    const response = await peer.response();
    assert.equal(response.Status, status, name);
    assert.match(response.ErrorComment ?? '', text, name);
    assert.deepEqual(files(), [], name);
  }
  assert.equal(keeper.admitted.length, 0);
  assert.ok(keeper.recorded.some((message) => message.eventID.value === '110104' && message.outcome === 8));
  assert.equal((await peer.store(storeCommand('1.2.3'), dataSet)).Status, 0);
});

test('a keeper that refuses, fails or dies: a status that tells the sender whether to try again, and no success', deadline, async (t) => {
  const { port, keeper, files } = await openDoor(t);
  const peer = RawPeer.connect(port);
  await peer.associate();
  const cases: readonly [Failure, number, number][] = [
    [refused('object-invalid', 'no'), 0xc000, 0],
    [unavailable('disk-full', 'full'), 0xa700, 0],
    [unavailable('ledger-unwritable', 'ledger'), 0x0110, 0],
    [unavailable('channel-unavailable', 'gone'), 0x0110, 0],
    // It may have been admitted before the keeper died: the file is left to the keeper's recovery.
    [unavailable('channel-closed', 'gone'), 0x0110, 1],
  ];
  for (const [failure, status, left] of cases) {
    keeper.onAdmit = () => Promise.reject(failure);
    assert.equal((await peer.store(storeCommand('1.2.3'), dataSet)).Status, status, failure.code);
    assert.equal(files().length, left, failure.code);
  }
  keeper.onAdmit = () => {};
  assert.equal((await peer.store(storeCommand('1.2.3'), dataSet)).Status, 0);
});

test('a disk that is nearly full refuses before anything is written', deadline, async (t) => {
  const { port, keeper, files } = await openDoor(t, { diskFreeBytesMin: Number.MAX_SAFE_INTEGER });
  const peer = RawPeer.connect(port);
  await peer.associate();
  const response = await peer.store(storeCommand('1.2.3'), dataSet);
  assert.equal(response.Status, 0xa700);
  assert.match(response.ErrorComment!, /nearly full/);
  assert.deepEqual([files(), keeper.admitted], [[], []]);
});

test('an object over the limit is dropped as it comes and answered; one without end is aborted', deadline, async (t) => {
  const { port, files, keeper } = await openDoor(t, { objectBytesMax: 100_000 });
  const peer = RawPeer.connect(port);
  await peer.associate();
  const response = await peer.store(storeCommand('1.2.3'), dataSet.subarray(0, 150_000));
  assert.equal(response.Status, 0xa700);
  assert.match(response.ErrorComment!, /over 100000 bytes/);
  assert.deepEqual(files(), []);
  assert.equal((await peer.store(storeCommand('1.2.4'), dataSet.subarray(0, 50_000))).Status, 0);
  peer.command(3, storeCommand('1.2.5'));
  peer.send(dataPDU(3, false, false, dataSet.subarray(0, 250_000)));
  assert.equal((await peer.next()).type, 'A-ABORT');
  assert.equal(keeper.admitted.length, 1);
  assert.equal(files().length, 1);
});

for (const [name, end] of [
  ['A-ABORT', (peer: RawPeer) => peer.send(encodePDU({ type: 'A-ABORT', source: 0, reason: 0 }))],
  ['a lost connection', (peer: RawPeer) => peer.socket.destroy()],
] as const) {
  test(`${name} in the middle of an object: no file, no admission, and the loss on the record`, deadline, async (t) => {
    const { port, keeper, files } = await openDoor(t);
    const peer = RawPeer.connect(port);
    await peer.associate();
    peer.command(3, storeCommand('1.2.3'));
    peer.send(dataPDU(3, false, false, dataSet.subarray(0, 200_000)));
    await until(() => files().length === 1);
    end(peer);
    await until(() => keeper.recorded.length === 1);
    assert.deepEqual(files(), []);
    assert.equal(keeper.admitted.length, 0);
    assert.match(keeper.recorded[0]!.outcomeDescription!, /not received whole/);
    assert.deepEqual(keeper.recorded[0]!.objects[0]!.sopClasses, [{ uid: ctImageStorage, count: 1, instances: ['1.2.3'] }]);
  });
}

test('requests that do not wait for their answers are answered one by one, in order', deadline, async (t) => {
  const { port, keeper } = await openDoor(t);
  keeper.onAdmit = () => new Promise((resolve) => setTimeout(resolve, 20));
  const peer = RawPeer.connect(port);
  await peer.associate();
  const all: Uint8Array[] = [];
  for (let id = 1; id <= 5; id++) {
    all.push(dataPDU(3, true, true, encodeCommandSet(storeCommand(`1.2.${id}`, { MessageID: id }))), dataPDU(3, false, true, dataSet.subarray(0, 1000)));
  }
  peer.send(Buffer.concat([...all, encodePDU({ type: 'A-RELEASE-RQ' })]));
  for (let id = 1; id <= 5; id++) assert.deepEqual(await peer.response().then((response) => [response.MessageIDBeingRespondedTo, response.Status]), [id, 0]);
  assert.equal((await peer.next()).type, 'A-RELEASE-RP');
  assert.deepEqual(keeper.admitted.map((object) => object.sopInstanceUID), ['1.2.1', '1.2.2', '1.2.3', '1.2.4', '1.2.5']);
});

test('private SOP Classes are taken when configured, and only then', deadline, async (t) => {
  const contexts = [{ id: 1, abstractSyntax: '1.3.12.2.1107.5.9.1', transferSyntaxes: [explicitLittle] }];
  for (const [configured, result] of [[[], 3], [['1.3.12.2.1107.5.9.1'], 0]] as const) {
    const { port } = await openDoor(t, {}, configured);
    const answer = await RawPeer.connect(port).associate(requestOf(contexts));
    assert.equal(answer.type === 'A-ASSOCIATE-AC' && answer.presentationContexts[0]!.result, result);
  }
});

test('an asset may do what it was given, no more', deadline, async (t) => {
  const { port, keeper } = await openDoor(t);
  keeper.known = { assetId: 'ws', name: 'Workstation', aeTitle: 'CT2', addresses: ['127.0.0.1'], certificate: null, may: ['echo', 'find'] };
  const answer = await RawPeer.connect(port).associate(requestOf(usualContexts));
  assert.deepEqual(answer.type === 'A-ASSOCIATE-AC' && answer.presentationContexts.map((context) => context.result), [0, 1]);
});

test('a service that declares no action does not start', () => {
  assert.throws(() => checkServices([{ name: 'C-STORE', commandField: 1, permission: 'store' } as unknown as ServiceRow]), /declares no action/);
});

test('a large object is never whole in memory', { timeout: 120_000 }, async (t) => {
  const { port, keeper } = await openDoor(t);
  const peer = RawPeer.connect(port);
  await peer.associate();
  const piece = dataPDU(3, false, false, randomBytes(120_000));
  peer.command(3, storeCommand('1.2.3'));
  let peak = 0;
  const before = process.memoryUsage.rss();
  const count = 2_500;
  for (let index = 0; index < count; index++) {
    if (!peer.socket.write(piece)) await new Promise((resolve) => peer.socket.once('drain', resolve));
    peak = Math.max(peak, process.memoryUsage.rss());
  }
  peer.send(dataPDU(3, false, true, new Uint8Array(2)));
  assert.equal((await peer.response()).Status, 0);
  assert.ok(keeper.admitted[0]!.bytes > 300e6);
  assert.ok(peak - before < 150e6, `memory grew by ${Math.round((peak - before) / 1e6)} MB`);
});
