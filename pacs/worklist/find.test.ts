/** Questions to a real worklist (DCMTK wlmscpfs), and to peers that lie. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import { encodeCommandSet, noDataSet, withDataSet } from '@lazaret/dicom/dimse/commands.ts';
import { encodeDataSet } from '@lazaret/dicom/dataset/write.ts';
import { encodePDU, writeDataHeader, dataHeaderBytes } from '@lazaret/dicom/upperlayer/encode.ts';
import { applicationContextName } from '@lazaret/dicom/upperlayer/pdu.ts';
import { serverCertificate } from '../../processes/web/certificate.ts';
import { unlessInstalled } from '../../test/peers.ts';
import { startWorklist, type Order } from '../../test/worklist/peer.ts';
import { worklistItemsMax, type WorklistQuery } from './contract.ts';
import { askWorklist } from './find.ts';
import { limitsDefault, type WorklistLimits } from './limits.ts';

const skip = unlessInstalled('wlmscpfs', 'dump2dcm');
const query = (some: Partial<WorklistQuery>): WorklistQuery => ({ patientName: '', patientID: '', accessionNumber: '', ...some });
const plain = { tls: null, limits: limitsDefault };

test('DCMTK wlmscpfs: by name with a wild card, by Patient ID, by accession number; nothing is an answer, too', { skip }, async (t) => {
  const peer = { ...(await startWorklist(t)), ...plain };
  assert.deepEqual(await askWorklist(peer, null), { outcome: 'found', text: 'It answers.', items: [], cut: false });
  const byName = await askWorklist(peer, query({ patientName: 'LIND*' }));
  assert.deepEqual([byName.outcome, byName.text, byName.cut, byName.items.map(({ patientID }) => patientID).toSorted()], ['found', '', false, ['L-1001', 'L-1002']]);
  const byID = await askWorklist(peer, query({ patientID: 'L-1001' }));
  assert.deepEqual(byID.items, [{
    patientName: 'LINDGREN^MAJA', patientID: 'L-1001', issuerOfPatientID: 'HOSPITAL', patientBirthDate: '19671103', patientSex: 'F', accessionNumber: 'A26-0001', studyDescription: 'CT chest',
    requestedProcedureID: 'R0', modality: 'CT', scheduledDate: '20261124',
  }]);
  assert.deepEqual((await askWorklist(peer, query({ accessionNumber: 'A26-0003' }))).items.map(({ patientID }) => patientID), ['N-7']);
  assert.deepEqual(await askWorklist(peer, query({ patientID: 'NOBODY' })), { outcome: 'found', text: '', items: [], cut: false });
});

test('DCMTK wlmscpfs: answers in Latin-1 and UTF-8 are read as what they say, a question in UTF-8 is understood', { skip }, async (t) => {
  const peer = { ...(await startWorklist(t)), ...plain };
  const latin = await askWorklist(peer, query({ patientID: 'L-1002' }));
  assert.deepEqual(latin.items.map(({ patientName, studyDescription }) => [patientName, studyDescription]), [['LINDQVIST^ÅKE', 'CT Schädel']]);
  const cyrillic = await askWorklist(peer, query({ patientName: 'НОВИК*' }));
  assert.deepEqual(cyrillic.items.map(({ patientName }) => patientName), ['НОВИКОВА^АННА']);
});

test('DCMTK wlmscpfs that names no character set: a name that cannot be read without loss is not offered', { skip }, async (t) => {
  const peer = { ...(await startWorklist(t, undefined, ['-cs0'])), ...plain };
  const answer = await askWorklist(peer, query({ patientName: 'LIND*' }));
  assert.deepEqual([answer.items.map(({ patientID }) => patientID), answer.text], [['L-1001'], '1 answer of the worklist could not be read without loss and is not shown.']);
});

test('DCMTK wlmscpfs with more orders than people look through: the list is cut and the rest cancelled', { skip }, async (t) => {
  const many: Order[] = Array.from({ length: worklistItemsMax + 30 }, (_, index) => ({ name: `MANY^N${index}`, patientID: `M-${index}`, accession: `M${index}` }));
  const peer = { ...(await startWorklist(t, many)), ...plain };
  const answer = await askWorklist(peer, query({ patientName: 'MANY*' }));
  assert.deepEqual([answer.outcome, answer.items.length, answer.cut], ['found', worklistItemsMax, true]);
});

test('DCMTK wlmscpfs of another AE Title turns us away, with a sentence that says what to compare', { skip }, async (t) => {
  const peer = { ...(await startWorklist(t)), ...plain, calledAETitle: 'WRONG' };
  const answer = await askWorklist(peer, query({ patientID: 'L-1001' }));
  assert.equal(answer.outcome, 'failed');
  assert.match(answer.text, /turns us away.*AE Titles/);
});

test('by DICOM TLS: the peer is known by its authority and its name, and by nothing else', { skip }, async (t) => {
  const behind = await startWorklist(t);
  const folder = mkdtempSync(join(tmpdir(), 'lazaret-ris-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const { cert: certificate, key } = serverCertificate(join(folder, 'one'), 'ris.hospital', Date.now());
  const other = serverCertificate(join(folder, 'other'), 'ris.hospital', Date.now());
  const front = createTlsServer({ cert: certificate, key }, (socket) => {
    const inner = connect(behind.port, behind.host);
    socket.pipe(inner).pipe(socket);
    for (const each of [socket, inner]) each.on('error', () => { socket.destroy(); inner.destroy(); });
  }).listen(0, '127.0.0.1');
  front.on('tlsClientError', () => {});
  await new Promise((resolve) => { front.once('listening', resolve); });
  t.after(() => front.close());
  const peer = { ...behind, port: (front.address() as { port: number }).port, limits: limitsDefault };
  const by = (name: string, authorities: string) => askWorklist({ ...peer, tls: { name, authorities, certificate: null, key: null } }, query({ patientID: 'L-1001' }));
  assert.equal((await by('ris.hospital', certificate)).items.length, 1);
  for (const [name, authority] of [['other.hospital', certificate], ['ris.hospital', other.cert]] as const) {
    const answer = await by(name, authority);
    assert.deepEqual([answer.outcome, answer.items], ['failed', []]);
    assert.match(answer.text, /^No secure connection/);
  }
});

test('nobody there: said at once', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => { server.once('listening', resolve); });
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => { server.close(resolve); });
  const answer = await askWorklist({ host: '127.0.0.1', port, calledAETitle: 'RIS', callingAETitle: 'LAZARET', ...plain }, null);
  assert.deepEqual(answer, { outcome: 'failed', text: `No connection to the worklist at 127.0.0.1:${port}: ECONNREFUSED.`, items: [], cut: false });
});

// Peers that lie. Each says after the association request what `lie` sends.

const accepted = encodePDU({
  type: 'A-ASSOCIATE-AC', protocolVersion: 1, calledAETitle: 'RIS', callingAETitle: 'LAZARET', applicationContextName,
  presentationContexts: [{ id: 1, result: 0, transferSyntax: '1.2.840.10008.1.2.1' }, { id: 3, result: 0, transferSyntax: '1.2.840.10008.1.2.1' }],
  userInformation: { maximumLength: 16_384, implementationClassUID: '1.2.3', implementationVersionName: 'LIAR', roles: [], asynchronousOperations: null, userIdentityType: null },
});

function pdv(isCommand: boolean, bytes: Uint8Array, isLast = true, contextID = 1): Buffer {
  const whole = Buffer.alloc(dataHeaderBytes + bytes.length);
  writeDataHeader(whole, 0, contextID, isCommand, isLast, bytes.length);
  whole.set(bytes, dataHeaderBytes);
  return whole;
}
const response = (status: number, dataSet: boolean, more: object = {}): Buffer => pdv(true, encodeCommandSet({ CommandField: 0x8020, MessageIDBeingRespondedTo: 1, CommandDataSetType: dataSet ? withDataSet : noDataSet, Status: status, ...more }));
const pending = (name: string): Buffer => Buffer.concat([response(0xff00, true), pdv(false, encodeDataSet([{ tag: 0x00100010, vr: 'PN', value: [name] }, { tag: 0x00100020, vr: 'LO', value: ['1'] }], '1.2.840.10008.1.2.1'))]);

/** A server that accepts the association and then does `lie` with the socket when the question comes. */
async function liar(t: TestContext, lie: (socket: Socket) => void, limits: Partial<WorklistLimits> = {}, hello: Uint8Array = accepted) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('data', () => {
      socket.write(hello);
      socket.once('data', () => lie(socket));
    });
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => { server.once('listening', resolve); });
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as { port: number };
  return askWorklist({ host: '127.0.0.1', port, calledAETitle: 'RIS', callingAETitle: 'LAZARET', tls: null, limits: { ...limitsDefault, questionMs: 1_500, artimMs: 300, cancelMs: 300, connectMs: 500, ...limits } }, query({ patientName: 'A*' }));
}

const lies: readonly (readonly [what: string, lie: (socket: Socket) => void, said: RegExp])[] = [
  ['says nothing', () => {}, /did not finish its answer within/],
  ['closes', (socket) => socket.destroy(), /closed the connection|connection was lost/],
  ['aborts', (socket) => socket.write(encodePDU({ type: 'A-ABORT', source: 2, reason: 0 })), /aborted/],
  ['asks for release instead of answering', (socket) => socket.write(encodePDU({ type: 'A-RELEASE-RQ' })), /ended the association before/],
  ['sends something that is no PDU', (socket) => socket.write('HTTP/1.1 200 OK\r\n\r\n'), /gave no answer/],
  ['declares a PDU of 4 GiB', (socket) => socket.write(Buffer.from('0400ffffffff', 'hex')), /gave no answer/],
  ['answers on a context that was not accepted', (socket) => socket.write(pdv(true, encodeCommandSet({ CommandField: 0x8020, MessageIDBeingRespondedTo: 1, CommandDataSetType: noDataSet, Status: 0 }), true, 7)), /gave no answer/],
  ['answers another message', (socket) => socket.write(response(0, false, { MessageIDBeingRespondedTo: 9 })), /something else than was asked/],
  ['answers with a C-STORE request', (socket) => socket.write(pdv(true, encodeCommandSet({ CommandField: 1, MessageID: 1, CommandDataSetType: noDataSet }))), /something else than was asked/],
  ['announces an answer and sends none', (socket) => socket.write(response(0xff00, false)), /announced an answer and sent none/],
  ['sends a data set before any command', (socket) => socket.write(pdv(false, new Uint8Array(8))), /is no answer/],
  ['sends a command set of garbage', (socket) => socket.write(pdv(true, new Uint8Array(40).fill(0xff))), /is no answer/],
  ['refuses with a comment', (socket) => socket.write(response(0xa700, false, { ErrorComment: 'database is down' })), /Out of Resources.*"database is down"/],
  ['sends an answer without end', (socket) => {
    socket.write(response(0xff00, true));
    const piece = pdv(false, new Uint8Array(16_000), false);
    const more = (): void => { while (!socket.destroyed && socket.write(piece)); };
    socket.on('drain', more);
    more();
  }, /more than \d+ bytes, which is not taken/],
  ['sends answers without end', (socket) => {
    const some = Buffer.concat(Array.from({ length: 50 }, (_, index) => pending(`A^${index}`)));
    const more = (): void => { while (!socket.destroyed && socket.write(some)); };
    socket.on('drain', more);
    more();
  }, /does not stop when it is asked to|went on after \d+ answers/],
];

for (const [what, lie, said] of lies) {
  test(`a peer that ${what}: an answer that says so`, async (t) => {
    const answer = await liar(t, lie);
    assert.deepEqual([answer.outcome, answer.items], ['failed', []]);
    assert.match(answer.text, said);
  });
}

test('a peer that accepts something else than was proposed', async (t) => {
  const hello = encodePDU({
    type: 'A-ASSOCIATE-AC', protocolVersion: 1, calledAETitle: 'RIS', callingAETitle: 'LAZARET', applicationContextName,
    presentationContexts: [{ id: 1, result: 0, transferSyntax: '1.2.840.10008.1.2.1.99' }],
    userInformation: { maximumLength: 16_384, implementationClassUID: '1.2.3', implementationVersionName: 'LIAR', roles: [], asynchronousOperations: null, userIdentityType: null },
  });
  assert.match((await liar(t, () => {}, {}, hello)).text, /not proposed/);
});

test('a peer that answers byte by byte is read all the same', async (t) => {
  const answer = await liar(t, (socket) => {
    const bytes = Buffer.concat([pending('A^B'), pending('A^C'), response(0, false)]);
    let at = 0;
    const next = (): void => {
      if (at < bytes.length && !socket.destroyed) socket.write(bytes.subarray(at, ++at), next);
    };
    next();
  });
  assert.deepEqual(answer.items.map(({ patientName }) => patientName), ['A^B', 'A^C']);
});

const broken: readonly (readonly [what: string, dataSet: Uint8Array])[] = [
  ['a length that reaches beyond the answer', Buffer.from('10001000504eff7f4142', 'hex')],
  ['control characters in the name', encodeDataSet([{ tag: 0x00100010, vr: 'PN', value: ['A\u001b[31mB'] }], '1.2.840.10008.1.2.1')],
  ['nobody', encodeDataSet([{ tag: 0x00080050, vr: 'SH', value: ['A1'] }], '1.2.840.10008.1.2.1')],
  ['a sequence in a sequence in a sequence …', nested(12)],
  ['bytes after the last element', Buffer.concat([encodeDataSet([{ tag: 0x00100010, vr: 'PN', value: ['A^B'] }], '1.2.840.10008.1.2.1'), Buffer.from([1, 2, 3])])],
];

function nested(depth: number): Uint8Array {
  let elements: Parameters<typeof encodeDataSet>[0] = [{ tag: 0x00100010, vr: 'PN', value: ['A^B'] }];
  for (let level = 0; level < depth; level += 1) elements = [{ tag: 0x00400100, vr: 'SQ', value: [{ elements }] }];
  return encodeDataSet(elements, '1.2.840.10008.1.2.1');
}

for (const [what, dataSet] of broken) {
  test(`an answer with ${what} is not offered, the one beside it is`, async (t) => {
    const answer = await liar(t, (socket) => socket.write(Buffer.concat([response(0xff00, true), pdv(false, dataSet), pending('A^GOOD'), response(0, false)])));
    assert.deepEqual([answer.outcome, answer.items.map(({ patientName }) => patientName)], ['found', ['A^GOOD']]);
    assert.match(answer.text, /^1 answer of the worklist could not be read/);
  });
}
