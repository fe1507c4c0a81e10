/** STOW-RS through the HTTPS server against the real keeper; the test takes the inspector's place at its socket. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { closeDelimiter, multipartType, partHead } from '@lazaret/dicom/web/multipart.ts';
import type { Conclusion, InstanceReport } from '@lazaret/pacs/quarantine/contract.ts';
import type { Job } from '@lazaret/pacs/quarantine/requests.ts';
import { stowLimits } from '@lazaret/pacs/reception/stow/limits.ts';
import { stowRoutes } from '@lazaret/pacs/reception/stow/routes.ts';
import { connectChannel, type Channel } from '@lazaret/system/channel.ts';
import { layoutOf, objectPath } from '@lazaret/system/layout.ts';
import type { Running } from '@lazaret/system/process.ts';
import { startKeeper } from '../keeper/keeper.ts';
import { startSampleServer, type Answer, type SampleServer } from './sample.ts';

const data = mkdtempSync(join(tmpdir(), 'lazaret-stow-'));
const layout = layoutOf(data);
let keeper: Running;
let door: Channel;
let inspector: Channel;
let server: SampleServer;
let sender: string;

before(async () => {
  keeper = await startKeeper(layout, (error) => { throw error; });
  door = await connectChannel(layout.sockets.web);
  inspector = await connectChannel(layout.sockets.inspector);
  const through = (name: string) => (body: unknown): Promise<unknown> => door.request(name, body);
  const answers = { admit: through('admit'), concluded: through('concluded') };
  server = await startSampleServer((parts) => stowRoutes({
    arriving: layout.arriving, keeper: parts.keeper, seriesOf: (study) => `${study}.1`,
    limits: { ...stowLimits, diskFreeBytesMin: 0, objectBytesMax: 100_000, concludeTimeoutMs: 1_500, underWayMax: 2 },
  }), answers);
  sender = await server.addToken('gateway', 'sender');
  void inspect();
});
after(async () => {
  await server.stop();
  inspector.close();
  door.close();
  await keeper.stop();
  rmSync(data, { recursive: true });
});

/** Objects of this test are a line of JSON that says what an inspector would find in them. */
interface Sample { readonly sop: string; readonly study: string; readonly verdict: Conclusion['verdict'] | 'never'; readonly readable?: boolean }
const sample = (fields: Partial<Sample> = {}): Buffer => Buffer.from(`${JSON.stringify({ sop: `1.2.${Math.floor(Math.random() * 1e15)}`, study: '1.2.3', verdict: 'clean', ...fields })}\n`);

async function inspect(): Promise<void> {
  for (;;) {
    const jobs = await inspector.request<Job[]>('claim', { max: 16 }).catch(() => null);
    if (jobs === null) return;
    for (const { work } of jobs) {
      const bytes = readFileSync(objectPath(layout.quarantine, work.objectId));
      assert.equal(createHash('sha256').update(bytes).digest('hex'), work.sha256);
      if (bytes[0] !== 0x7b) continue;
      const { sop, study, verdict, readable = true } = JSON.parse(bytes.toString()) as Sample;
      if (verdict === 'never') continue;
      const metadata = JSON.stringify({ '00080016': { vr: 'UI', Value: ['1.2.840.10008.5.1.4.1.1.2'] }, '00080018': { vr: 'UI', Value: [sop] }, '0020000D': { vr: 'UI', Value: [study] }, '0020000E': { vr: 'UI', Value: [`${study}.1`] } });
      const instance: InstanceReport = { sopClassUID: '1.2.840.10008.5.1.4.1.1.2', sopInstanceUID: sop, studyInstanceUID: study, seriesInstanceUID: `${study}.1`, transferSyntaxUID: '1.2.840.10008.1.2.1', metadata, dataSetOffset: 0, dataSetLength: bytes.length, frames: null, chunks: null };
      const findings = verdict === 'clean' ? [] : [{ code: 'program-found', offset: 0, length: 1, tag: '', engine: 'test', text: 'Something that runs <b>&' }];
      await inspector.request('conclude', { objectId: work.objectId, sha256: work.sha256, verdict, findings, disarmed: null, epoch: 'test', ms: 1, instance: readable ? instance : null } satisfies Conclusion);
    }
  }
}

const boundary = 'b0undary';
function message(parts: readonly Uint8Array[], type = 'application/dicom'): Buffer {
  return Buffer.concat([...parts.flatMap((part, index) => [partHead(boundary, [['Content-Type', type]], index === 0), part]), closeDelimiter(boundary)]);
}
const post = (path: string, body: Uint8Array, headers: Record<string, string> = {}): Promise<Answer> =>
  server.ask('POST', path, { authorization: `Bearer ${sender}`, 'content-type': multipartType('application/dicom', boundary), ...headers }, body);
const items = (answer: Answer, tag: string): Record<string, { Value?: unknown[] }>[] => (JSON.parse(answer.text)[tag]?.Value ?? []) as [];
const arrivingIsEmpty = (): void => assert.deepEqual(readdirSync(layout.arriving), []);

test('clean objects: 200, each with its Retrieve URL', async () => {
  const uids = ['1.2.3.1', '1.2.3.2', '1.2.3.3', '1.2.3.4', '1.2.3.5'];
  const answer = await post('/dicomweb/studies', message(uids.map((sop) => sample({ sop }))));
  assert.equal(answer.status, 200, answer.text);
  assert.equal(answer.headers['content-type'], 'application/dicom+json; charset=utf-8');
  assert.deepEqual(items(answer, '00081199').map((item) => [item['00081155']!.Value![0], item['00081190']!.Value![0]]), uids.map((sop) => [sop, `${server.origin}/dicomweb/studies/1.2.3/series/1.2.3.1/instances/${sop}`]));
  assert.deepEqual(JSON.parse(answer.text)['00081190'].Value, [`${server.origin}/dicomweb/studies/1.2.3`]);
  arrivingIsEmpty();
});

test('a single object without multipart, and the same bytes again: both 200', async () => {
  const bytes = sample();
  for (let turn = 0; turn < 2; turn++) assert.equal((await post('/dicomweb/studies', bytes, { 'content-type': 'application/dicom' })).status, 200);
  arrivingIsEmpty();
});

test('a held object: 202, referenced without a Retrieve URL, with a warning and the words', async () => {
  const answer = await post('/dicomweb/studies', message([sample(), sample({ verdict: 'malicious' })]));
  assert.equal(answer.status, 202);
  assert.match(String(answer.headers['warning']), /1 of 2 objects is kept/);
  const [, held] = items(answer, '00081199');
  assert.equal(held!['00081190']!.Value, undefined);
  assert.deepEqual(held!['00081196']!.Value, [0xb007]);
  assert.match(String(held!['00991001']!.Value![0]), /^held as [0-9a-f]{32} \(malicious\): received whole and kept, nothing is lost/);
});

test('the same in XML when only that is asked for, with everything escaped', async () => {
  const answer = await post('/dicomweb/studies', message([sample({ verdict: 'malformed' })]), { accept: 'application/dicom+xml' });
  assert.equal(answer.headers['content-type'], 'application/dicom+xml; charset=utf-8');
  assert.match(answer.text, /<DicomAttribute tag="00081199" vr="SQ" keyword="ReferencedSOPSequence"><Item number="1">.*runs &#60;b&#62;&#38;/s);
});

test('an object that cannot be read: 409, Other Failures with C000', async () => {
  const answer = await post('/dicomweb/studies', message([sample({ verdict: 'malformed', readable: false })]));
  assert.equal(answer.status, 409);
  assert.deepEqual(items(answer, '0008119A').map((item) => item['00081197']!.Value), [[0xc000]]);
});

test('an object of another study than the address says: failed with A900, the rest is stored', async () => {
  const answer = await post('/dicomweb/studies/1.2.3', message([sample(), sample({ study: '1.2.4', sop: '1.2.4.7' })]));
  assert.equal(answer.status, 202);
  assert.deepEqual(items(answer, '00081198').map((item) => [item['00081155']!.Value, item['00081197']!.Value]), [[['1.2.4.7'], [0xa900]]]);
  assert.equal((await post('/dicomweb/studies/1.2.x', message([sample()]))).status, 400);
});

test('an inspection that is not over in time: kept, and the answer comes', async () => {
  const answer = await post('/dicomweb/studies', message([sample(), sample({ verdict: 'never' })]));
  assert.equal(answer.status, 202);
  assert.match(answer.text, /its inspection is not over/);
});

test('an object over the limit fails alone; a part of another type fails alone', async () => {
  const long = await post('/dicomweb/studies', message([sample(), Buffer.alloc(100_001)]));
  assert.equal(long.status, 202);
  assert.deepEqual(items(long, '0008119A').map((item) => item['00081197']!.Value), [[0xa700]]);
  assert.equal((await post('/dicomweb/studies', message([sample()], 'text/html'))).status, 409);
  arrivingIsEmpty();
});

test('messages that are none of ours are refused with the reason', async () => {
  const body = message([sample()]);
  const cases: readonly (readonly [number, string, Buffer, Record<string, string>])[] = [
    [415, 'media-type-unsupported', body, { 'content-type': 'application/octet-stream' }],
    [415, 'media-type-unsupported', body, { 'content-type': multipartType('application/dicom+xml', boundary) }],
    [415, 'content-encoding-unsupported', body, { 'content-encoding': 'gzip' }],
    [415, 'request-invalid', body, { 'content-type': 'x' }],
    [400, 'boundary-invalid', body, { 'content-type': 'multipart/related; type="application/dicom"' }],
    [400, 'message-truncated', body, { 'content-type': multipartType('application/dicom', 'another') }],
    [400, 'message-truncated', body.subarray(0, -6), {}],
    [400, 'delimiter-invalid', Buffer.concat([body.subarray(0, -4), Buffer.from('xx')]), {}],
    [400, 'message-empty', Buffer.from(`--${boundary}--`), {}],
  ];
  for (const [status, code, bytes, headers] of cases) {
    const answer = await post('/dicomweb/studies', bytes, headers);
    assert.deepEqual([answer.status, JSON.parse(answer.text).title], [status, code]);
  }
  arrivingIsEmpty();
});

const jsonInstance = (fields: object = {}): object => ({ '00080016': { vr: 'UI', Value: ['1.2.840.10008.5.1.4.1.1.7'] }, '00080018': { vr: 'UI', Value: ['1.2.9.1'] }, '0020000D': { vr: 'UI', Value: ['1.2.9'] }, ...fields });
function jsonMessage(instances: unknown, bulk: readonly (readonly [string, string, Uint8Array])[] = []): Buffer {
  return Buffer.concat([
    partHead(boundary, [['Content-Type', 'application/dicom+json']], true), Buffer.from(typeof instances === 'string' ? instances : JSON.stringify(instances)),
    ...bulk.flatMap(([name, value, bytes]) => [partHead(boundary, [['Content-Type', 'application/octet-stream'], [name, value]], false), bytes]), closeDelimiter(boundary),
  ]);
}
const postJson = (body: Uint8Array, path = '/dicomweb/studies'): Promise<Answer> => post(path, body, { 'content-type': multipartType('application/dicom+json', boundary) });

test('DICOM JSON with bulk data of the same message becomes a Part 10 object in the quarantine', async () => {
  const pixels = Buffer.from('pixels!!');
  const answer = await postJson(jsonMessage([jsonInstance({ '7FE00010': { vr: 'OW', BulkDataURI: 'cid:a@b' } })], [['Content-ID', '<a@b>', pixels]]));
  // The inspector of this test reads only its own samples; that it was admitted under its UIDs is what counts here.
  assert.equal(answer.status, 202);
  assert.match(answer.text, /1\.2\.9\.1/);
  const objectId = /[0-9a-f]{32}/.exec(answer.text)![0];
  const bytes = readFileSync(objectPath(layout.quarantine, objectId));
  assert.equal(bytes.toString('latin1', 128, 132), 'DICM');
  assert.ok(bytes.includes(pixels));
  arrivingIsEmpty();
});

test('DICOM JSON that is wrong: the message or the one instance', async () => {
  const bulk = { '7FE00010': { vr: 'OW', BulkDataURI: '/b/1' } };
  const whole: readonly (readonly [number, string, Buffer])[] = [
    [400, 'json-invalid', jsonMessage('[{')],
    [400, 'json-name-repeated', jsonMessage('[{"00080018":{"vr":"UI"},"00080018":{"vr":"UI"}}]')],
    [400, 'bulk-unnamed', jsonMessage([jsonInstance()], [['Content-Location', '/b/1', Buffer.alloc(2)]])],
    [400, 'bulk-repeated', jsonMessage([jsonInstance({ ...bulk, '00091001': { vr: 'OB', BulkDataURI: '/b/1' } })], [['Content-Location', '/b/1', Buffer.alloc(2)]])],
    [400, 'bulk-nameless', jsonMessage([jsonInstance()], [['X', 'y', Buffer.alloc(2)]])],
  ];
  for (const [status, code, body] of whole) {
    const answer = await postJson(body);
    assert.deepEqual([answer.status, JSON.parse(answer.text).title], [status, code]);
  }
  const outside = await postJson(jsonMessage([jsonInstance({ '7FE00010': { vr: 'OW', BulkDataURI: 'https://example.org/x' } })]));
  assert.equal(outside.status, 409);
  assert.deepEqual(items(outside, '00081198').map((item) => [item['00081155']!.Value, item['00081197']!.Value]), [[['1.2.9.1'], [0xc000]]]);
  const other = await postJson(jsonMessage([jsonInstance()]), '/dicomweb/studies/1.2.8');
  assert.deepEqual(items(other, '00081198').map((item) => item['00081197']!.Value), [[0xa900]]);
  arrivingIsEmpty();
});

test('a sender that goes away in the middle of an object leaves nothing behind', async () => {
  await new Promise<void>((resolve) => {
    const request = httpsRequest({ host: '127.0.0.1', port: server.port, path: '/dicomweb/studies', method: 'POST', ca: server.cert, servername: 'localhost', agent: false, headers: { host: `localhost:${server.port}`, authorization: `Bearer ${sender}`, 'content-type': multipartType('application/dicom', boundary), 'content-length': 1_000_000 } });
    request.on('error', () => resolve());
    request.write(Buffer.concat([partHead(boundary, [['Content-Type', 'application/dicom']], true), Buffer.alloc(50_000)]), () => setTimeout(() => request.destroy(), 100));
  });
  for (let turn = 0; turn < 50 && readdirSync(layout.arriving).length > 0; turn++) await new Promise((resolve) => setTimeout(resolve, 20));
  arrivingIsEmpty();
});

test('a viewer may not send', async () => {
  const viewer = await server.addToken('viewer', 'viewer');
  assert.equal((await post('/dicomweb/studies', message([sample()]), { authorization: `Bearer ${viewer}` })).status, 403);
});
