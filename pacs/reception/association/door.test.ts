import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { encodeFileMeta } from '@lazaret/dicom/fileset/part10.ts';
import { encodePDU } from '@lazaret/dicom/upperlayer/encode.ts';
import { peer as program } from '../../../test/peers.ts';
import { unavailable } from '@lazaret/system/failure.ts';
import { Door, doorOptions } from './door.ts';
import { RawPeer, RecordingKeeper, anyone, ctImageStorage, dataPDU, echoCommand, explicitLittle, openDoor, requestOf, storeCommand, until, usualContexts } from './sample.ts';

const deadline = { timeout: 30_000 };
const dataSet = new Uint8Array(1000).fill(7);
const run = promisify(execFile);

/** Another peer stores well. */
async function storesWell(port: number): Promise<void> {
  const good = RawPeer.connect(port);
  assert.equal((await good.associate()).type, 'A-ASSOCIATE-AC');
  assert.equal((await good.store(storeCommand('1.2.9'), dataSet)).Status, 0);
  good.socket.destroy();
}

test('who is not known is refused with the standard’s reason, and that is on the record first', deadline, async (t) => {
  const { port, keeper } = await openDoor(t);
  keeper.known = null;
  const peer = RawPeer.connect(port);
  assert.deepEqual(await peer.associate(), { type: 'A-ASSOCIATE-RJ', result: 1, source: 1, reason: 3 });
  assert.equal(keeper.recorded.length, 1);
  assert.deepEqual([keeper.recorded[0]!.eventID.value, keeper.recorded[0]!.eventTypes[0]!.value], ['110113', '110126']);
  assert.equal(keeper.recorded[0]!.participants[0]!.networkAccessPoint, '127.0.0.1');
  keeper.known = { ...anyone, assetId: 'ct-2', aeTitle: 'CT2' };
  assert.deepEqual(await RawPeer.connect(port).associate(requestOf(usualContexts, 'CT2', 'OTHER')), { type: 'A-ASSOCIATE-RJ', result: 1, source: 1, reason: 7 });
  assert.deepEqual(await RawPeer.connect(port).associate({ ...requestOf(usualContexts), applicationContextName: '1.2.3' }), { type: 'A-ASSOCIATE-RJ', result: 1, source: 1, reason: 2 });
});

test('without the keeper nobody comes in, for now', deadline, async (t) => {
  const { port, keeper } = await openDoor(t);
  keeper.onAsset = () => {
    throw unavailable('channel-unavailable', 'gone');
  };
  assert.deepEqual(await RawPeer.connect(port).associate(), { type: 'A-ASSOCIATE-RJ', result: 2, source: 3, reason: 1 });
});

test('an address that tries one AE title after another is refused unheard', deadline, async (t) => {
  const { port, keeper } = await openDoor(t, { offencesPerMinuteMax: 3 });
  keeper.known = null;
  for (let index = 0; index < 3; index++) assert.equal((await RawPeer.connect(port, '127.0.0.2').associate()).type, 'A-ASSOCIATE-RJ');
  assert.match(keeper.recorded.at(-1)!.outcomeDescription!, /unheard for a minute/);
  keeper.known = anyone;
  assert.deepEqual(await RawPeer.connect(port, '127.0.0.2').associate(), { type: 'A-ASSOCIATE-RJ', result: 2, source: 3, reason: 2 });
  assert.equal(keeper.recorded.length, 3);
  await storesWell(port);
});

const request = encodePDU(requestOf(usualContexts));
/** The usual request with its second context changed to carry another ID. */
const duplicateIDs = request.slice();
duplicateIDs[duplicateIDs.indexOf(3, 140)] = 1;

test('what is not DICOM, and what lies about its length, is aborted with a reason; others do not notice', deadline, async (t) => {
  const { port, keeper, files } = await openDoor(t);
  const contexts129 = encodePDU(requestOf(Array.from({ length: 129 }, (_, index) => ({ id: (index * 2 + 1) % 256, abstractSyntax: ctImageStorage, transferSyntaxes: [explicitLittle] }))));
  const early: readonly [string, Uint8Array][] = [
    ['an HTTP request', Buffer.from('GET / HTTP/1.1\r\nHost: pacs\r\n\r\n')],
    ['an A-ASSOCIATE-RQ of 4 GiB', Uint8Array.of(1, 0, 0xff, 0xff, 0xff, 0xff)],
    ['P-DATA before any association', dataPDU(1, true, true, Uint8Array.of(1, 2))],
    ['129 presentation contexts', contexts129],
    ['a context ID twice', duplicateIDs],
  ];
  for (const [name, bytes] of early) {
    const peer = RawPeer.connect(port);
    peer.send(bytes);
    assert.deepEqual(await peer.next(), { type: 'A-ABORT', source: 0, reason: 0 }, name);
  }
  const late: readonly [string, Uint8Array, number, number][] = [
    ['a P-DATA-TF of 4 GiB', Uint8Array.of(4, 0, 0xff, 0xff, 0xff, 0xff), 2, 6],
    ['one byte over what was announced', Uint8Array.of(4, 0, 0, 4, 0, 1), 2, 6],
    ['a PDV longer than its PDU', Uint8Array.of(4, 0, 0, 0, 0, 8, 0, 0, 0, 50, 3, 2, 1, 1), 2, 6],
    ['a PDV of a context never accepted', dataPDU(99, false, true, dataSet), 2, 6],
    ['a PDU of no type', Uint8Array.of(0x55, 0, 0, 0, 0, 0), 2, 1],
    ['a second A-ASSOCIATE-RQ', request, 2, 2],
    ['a Data Set without a command', dataPDU(3, false, true, dataSet), 0, 0],
    ['a command that is none', dataPDU(3, true, true, dataSet), 0, 0],
  ];
  for (const [name, bytes, source, reason] of late) {
    const peer = RawPeer.connect(port);
    await peer.associate();
    peer.send(bytes);
    assert.deepEqual(await peer.next(), { type: 'A-ABORT', source, reason }, name);
  }
  assert.equal(keeper.recorded.length, early.length + late.length);
  assert.deepEqual(files(), []);
  await storesWell(port);
});

test('who says nothing, trickles or falls silent is put out', deadline, async (t) => {
  const { port, keeper, files } = await openDoor(t, { artimTimeoutMs: 300, idleTimeoutMs: 400, throughputWindowMs: 400 });
  const silent = RawPeer.connect(port);
  assert.equal((await silent.next()).type, 'closed', 'nothing was sent');
  const trickling = RawPeer.connect(port);
  const timer = setInterval(() => trickling.socket.write(Uint8Array.of(1)), 50);
  while ((await trickling.next()).type !== 'closed');
  clearInterval(timer);
  const idle = RawPeer.connect(port);
  await idle.associate();
  assert.equal((await idle.next()).type, 'A-ABORT', 'nothing followed the association');
  const slow = RawPeer.connect(port);
  await slow.associate();
  slow.command(3, storeCommand('1.2.3'));
  slow.send(dataPDU(3, false, false, dataSet).subarray(0, 500));
  const drops = setInterval(() => slow.socket.write(Uint8Array.of(7)), 50);
  assert.equal((await slow.next()).type, 'A-ABORT', 'some bytes a second');
  clearInterval(drops);
  assert.deepEqual(files(), []);
  assert.match(keeper.recorded.at(-1)!.outcomeDescription!, /too slowly/);
});

test('two hundred half-open connections do not keep anyone out', deadline, async (t) => {
  const { port } = await openDoor(t, { halfOpenMax: 64 });
  const crowd = Array.from({ length: 200 }, () => RawPeer.connect(port));
  await storesWell(port);
  await Promise.all(crowd.slice(0, 100).map(async (peer) => assert.equal((await peer.next()).type, 'closed')));
  await storesWell(port);
  for (const peer of crowd) peer.socket.destroy();
});

test('one address has so many associations and no more; another one has its own', deadline, async (t) => {
  const { port } = await openDoor(t, { associationsPerAddressMax: 2 });
  const [first, second] = [RawPeer.connect(port), RawPeer.connect(port)];
  await first.associate();
  await second.associate();
  assert.deepEqual(await RawPeer.connect(port).associate(), { type: 'A-ASSOCIATE-RJ', result: 2, source: 3, reason: 2 });
  assert.equal((await RawPeer.connect(port, '127.0.0.3').associate()).type, 'A-ASSOCIATE-AC');
});

test('connections over the cap are closed at once', deadline, async (t) => {
  const { port } = await openDoor(t, { connectionsMax: 1 });
  const first = RawPeer.connect(port);
  await first.associate();
  assert.equal((await RawPeer.connect(port).next()).type, 'closed');
});

test('stopping finishes what is being admitted, answers it, and ends the rest', deadline, async (t) => {
  const { door, port, keeper } = await openDoor(t);
  let admit: (() => void) | null = null;
  keeper.onAdmit = () => new Promise((resolve) => (admit = resolve));
  const [busy, idle] = [RawPeer.connect(port), RawPeer.connect(port)];
  await busy.associate();
  await idle.associate();
  const response = busy.store(storeCommand('1.2.3'), dataSet);
  await until(() => admit !== null);
  const stopped = door.stop();
  assert.equal((await idle.next()).type, 'A-ABORT');
  admit!();
  assert.equal((await response).Status, 0);
  assert.equal((await busy.next()).type, 'A-ABORT');
  await stopped;
});

/** A certificate and key of its own authority, made for this run. */
function makeCertificate(openssl: string, folder: string, name: string): { readonly certificate: string; readonly key: string; readonly digest: string } {
  const [key, certificate] = [join(folder, `${name}.key`), join(folder, `${name}.pem`)];
  execFileSync(openssl, ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key, '-out', certificate, '-subj', `/CN=${name}`, '-days', '2'], { stdio: 'ignore' });
  const pem = readFileSync(certificate, 'utf8');
  return { certificate: pem, key: readFileSync(key, 'utf8'), digest: createHash('sha256').update(new X509Certificate(pem).raw).digest('hex') };
}

test('DICOM TLS: the keeper is asked with the certificate’s digest; without a certificate nobody is heard; TLS 1.1 is refused', deadline, async (t) => {
  const openssl = program(t, 'openssl');
  if (openssl === null) return;
  const folder = mkdtempSync(join(tmpdir(), 'lazaret-tls-'));
  const server = makeCertificate(openssl, folder, 'server');
  const client = makeCertificate(openssl, folder, 'client');
  const keeper = new RecordingKeeper();
  const asked: (string | null)[] = [];
  keeper.asset = (peer?: { readonly certificate: string | null }) => {
    asked.push(peer!.certificate);
    return Promise.resolve({ ...anyone, certificate: peer!.certificate });
  };
  const door = new Door(doorOptions({
    host: '127.0.0.1', port: 0, tls: { port: 0, certificate: server.certificate, key: server.key, trusted: null }, aeTitle: 'LAZARET', arriving: folder, privateSOPClasses: [], keeper, limits: { diskFreeBytesMin: 0 },
  }));
  await door.open();
  t.after(async () => {
    await door.stop();
    rmSync(folder, { recursive: true });
  });
  const { port } = door.dimseTls!;
  const open = (options: object): RawPeer => new RawPeer(connectTls({ host: '127.0.0.1', port, ca: server.certificate, checkServerIdentity: () => undefined, ...options }));
  const known = open({ cert: client.certificate, key: client.key });
  assert.equal((await known.associate()).type, 'A-ASSOCIATE-AC');
  assert.equal((await known.store(storeCommand('1.2.3'), dataSet)).Status, 0);
  assert.deepEqual(asked, [client.digest]);
  assert.equal((await open({}).next()).type, 'closed');
  assert.equal((await open({ cert: client.certificate, key: client.key, minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1' }).next()).type, 'closed');
  const plain = RawPeer.connect(port);
  plain.send(request);
  assert.equal((await plain.next()).type, 'closed');
  assert.equal(asked.length, 1);
});

/** An element in Explicit VR Little Endian with a 16 bit length. */
const element = (group: number, tag: number, vr: string, value: string): Buffer => {
  const text = value.length % 2 === 0 ? value : `${value}${vr === 'UI' ? '\0' : ' '}`;
  const head = Buffer.alloc(8);
  head.writeUInt16LE(group, 0);
  head.writeUInt16LE(tag, 2);
  head.write(vr, 4, 'latin1');
  head.writeUInt16LE(text.length, 6);
  return Buffer.concat([head, Buffer.from(text, 'latin1')]);
};

/** A small CT object as Part 10, its Data Set the least that DCMTK sends. */
function writeObject(folder: string, number: number): string {
  const uid = `2.25.77.${number}`;
  const path = join(folder, `${number}.dcm`);
  const meta = encodeFileMeta({ mediaStorageSOPClassUID: ctImageStorage, mediaStorageSOPInstanceUID: uid, transferSyntaxUID: explicitLittle });
  writeFileSync(path, Buffer.concat([meta, element(8, 0x16, 'UI', ctImageStorage), element(8, 0x18, 'UI', uid), element(0x10, 0x10, 'PN', 'Lazaret^Test'), element(0x20, 0x0d, 'UI', '2.25.77')]));
  return path;
}

async function withDCMTK(t: TestContext, tool: string, act: (path: string, port: string, keeper: RecordingKeeper, folder: string) => Promise<void>): Promise<void> {
  const path = program(t, tool);
  if (path === null) return;
  const { port, keeper } = await openDoor(t);
  const folder = mkdtempSync(join(tmpdir(), 'lazaret-dcmtk-'));
  t.after(() => rmSync(folder, { recursive: true }));
  await act(path, String(port), keeper, folder);
}

test('DCMTK echoscu verifies', deadline, (t) => withDCMTK(t, 'echoscu', async (path, port) => {
  await run(path, ['--repeat', '3', '127.0.0.1', port]);
}));

test('DCMTK storescu and dcmsend store with every presentation context they can propose', deadline, async (t) => {
  for (const [tool, options] of [['storescu', ['--propose-lossless']], ['storescu', ['--propose-implicit', '--max-pdu', '4096']], ['dcmsend', ['--max-send-pdu', '131072']]] as const) {
    await withDCMTK(t, tool, async (path, port, keeper, folder) => {
      const files = [1, 2, 3].map((number) => writeObject(folder, number));
      await run(path, [...options, '127.0.0.1', port, ...files]);
      assert.deepEqual(keeper.admitted.map((object) => object.sopInstanceUID), ['2.25.77.1', '2.25.77.2', '2.25.77.3']);
    });
  }
});

test('DCMTK says that a refused object was refused', deadline, (t) => withDCMTK(t, 'storescu', async (path, port, keeper, folder) => {
  keeper.onAdmit = () => Promise.reject(unavailable('disk-full', 'full'));
  const { stderr } = await run(path, ['-v', '--no-halt', '127.0.0.1', port, writeObject(folder, 1)]).catch((error: unknown) => error as { stderr: string });
  assert.match(stderr, /OutOfResources/i);
}));

test('an echo is enough to keep an association', deadline, async (t) => {
  const { port } = await openDoor(t, { idleTimeoutMs: 600 });
  const peer = RawPeer.connect(port);
  await peer.associate();
  for (let index = 0; index < 4; index++) {
    await new Promise((resolve) => setTimeout(resolve, 300));
    peer.command(1, echoCommand);
    assert.equal((await peer.response()).Status, 0);
  }
});
