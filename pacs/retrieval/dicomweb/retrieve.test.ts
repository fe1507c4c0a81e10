import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { after, test } from 'node:test';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { checkRoute } from '@lazaret/pacs/access/routes.ts';
import { Failure, unavailable } from '@lazaret/system/failure.ts';
import { objectPath } from '@lazaret/system/layout.ts';
import { withdrawInstance } from '../../archive/admit.ts';
import { archiveSample, type Sample } from '../../archive/sample.ts';
import { makeService, partsOf, type SampleService } from './sample.ts';

const services: SampleService[] = [];
after(() => services.forEach((one) => one.close()));
function service(overrides: Parameters<typeof makeService>[0] = {}): SampleService {
  const made = makeService(overrides);
  services.push(made);
  return made;
}
function flip({ archive }: Pick<SampleService, 'archive'>, digest: string, position: number): void {
  const file = openSync(objectPath(archive, digest), 'r+');
  const byte = Buffer.alloc(1);
  readSync(file, byte, 0, 1, position);
  byte[0]! ^= 0x80;
  writeSync(file, byte, 0, 1, position);
  closeSync(file);
}
const codeOf = (error: unknown): string => (error instanceof Failure ? error.code : String(error));
const base = '/dicomweb/studies/1/series/1.1/instances/1.1.1';

/** A study of two series with three instances in all. */
function study(): SampleService & { files: Map<string, Buffer>; digests: Map<string, string> } {
  const made = service();
  const files = new Map<string, Buffer>();
  const digests = new Map<string, string>();
  for (const [series, instance, number] of [['1.1', '1.1.2', '2'], ['1.1', '1.1.1', '1'], ['1.2', '1.2.1', '1']] as const) {
    const bytes = randomBytes(20_000 + Number(number));
    files.set(instance, bytes);
    digests.set(instance, archiveSample(made.archive, made.database, bytes, { study: '1', series, instance, attributes: { '00200013': number, '00200011': series.slice(2), '7FE00010': { vr: 'OW', BulkDataURI: '1000,64' }, '00091001': { vr: 'OB', BulkDataURI: '0,3' } } }).digest);
  }
  return { ...made, files, digests };
}

test('every route declares what it does', () => {
  for (const route of service().routes) {
    checkRoute(route);
    assert.equal(route.action, 'read');
    assert.equal(route.audience, 'service');
  }
});

test('studies, series and instances come as multipart, in order, with their own bytes', async () => {
  const { get, files, recorded } = study();
  for (const [url, uids] of [['/dicomweb/studies/1', ['1.1.1', '1.1.2', '1.2.1']], ['/dicomweb/studies/1/series/1.1', ['1.1.1', '1.1.2']], [base, ['1.1.1']]] as const) {
    const reply = await get(url, { accept: 'multipart/related; type="application/dicom"' });
    assert.equal(reply.status, 200);
    assert.equal(Number(reply.headers['content-length']), reply.body.length);
    const parts = partsOf(reply);
    assert.deepEqual(parts.map((part) => part.headers.get('content-location')!.split('/').at(-1)), uids);
    for (const [index, uid] of uids.entries()) assert.deepEqual(parts[index]!.body, files.get(uid));
    assert.equal(parts[0]!.headers.get('content-type'), 'application/dicom; transfer-syntax=1.2.840.10008.1.2.1');
  }
  assert.equal(recorded.length, 3);
});

test('one instance comes alone where that is asked for, with an ETag', async () => {
  const { get, files, digests } = study();
  const reply = await get(base, { accept: 'application/dicom' });
  assert.equal(reply.headers['content-type'], 'application/dicom; transfer-syntax=1.2.840.10008.1.2.1');
  assert.deepEqual(reply.body, files.get('1.1.1'));
  assert.equal(reply.headers['etag'], `"${digests.get('1.1.1')}"`);
  assert.equal((await get(base, { accept: 'application/dicom', 'if-none-match': reply.headers['etag'] })).status, 304);
  const head = await get(base, { accept: 'application/dicom' }, 'HEAD');
  assert.deepEqual([head.status, head.body.length, head.headers['content-length']], [200, 0, '20001']);
  assert.deepEqual((await get(`${base}?accept=application/dicom`, { accept: 'text/html' })).body, files.get('1.1.1'));
});

test('what cannot be given is 406 with what can', async () => {
  const { get } = study();
  for (const [url, accept] of [
    ['/dicomweb/studies/1', 'application/dicom'], ['/dicomweb/studies/1', 'multipart/related; type=application/dicom; transfer-syntax=1.2.840.10008.1.2.4.70'], [base, 'image/jpeg'], [base, 'application/dicom;q=0'],
    [`${base}/metadata`, 'application/dicom+xml'], ['/dicomweb/studies', 'multipart/related; type="application/dicom+xml"'],
  ] as const) {
    const reply = await get(url, { accept });
    assert.equal(reply.status, 406, accept);
    assert.match(reply.body.toString(), /There is: /);
  }
});

test('what is not there is 404', async () => {
  const { get } = study();
  for (const url of ['/dicomweb/studies/9', '/dicomweb/studies/1/series/9', '/dicomweb/studies/1/series/1.2/instances/1.1.1', '/dicomweb/studies/1%2f', '/dicomweb/studies/9/metadata', `${base}/frames/1`, `${base}/bulkdata/0,4`, `${base}/bulkdata/0,20001`]) {
    assert.equal((await get(url)).status, 404, url);
  }
});

test('metadata are the reported ones with absolute paths to bulk data, plain and compressed', async () => {
  const { get } = study();
  const reply = await get('/dicomweb/studies/1/metadata', { accept: 'application/dicom+json' });
  assert.equal(reply.headers['content-type'], 'application/dicom+json');
  const dataSets = JSON.parse(reply.body.toString()) as Record<string, { Value?: unknown[]; BulkDataURI?: string }>[];
  assert.deepEqual(dataSets.map((one) => one['00080018']!.Value![0]), ['1.1.1', '1.1.2', '1.2.1']);
  assert.equal(dataSets[0]!['7FE00010']!.BulkDataURI, `${base}/bulkdata/1000,64`);
  assert.deepEqual(gunzipSync((await get('/dicomweb/studies/1/metadata', { 'accept-encoding': 'gzip' })).body), reply.body);
  assert.deepEqual(brotliDecompressSync((await get('/dicomweb/studies/1/metadata', { 'accept-encoding': 'gzip, br' })).body), reply.body);
  assert.deepEqual((await get('/dicomweb/studies/1/metadata', { 'accept-encoding': 'br;q=0, identity' })).body, reply.body);
  assert.equal((JSON.parse((await get(`${base}/metadata`)).body.toString()) as unknown[]).length, 1);
});

test('text of an object that looks like a link stays text', async () => {
  const { archive, database, get } = service();
  archiveSample(archive, database, randomBytes(100), { study: '1', series: '1.1', instance: '1.1.1', attributes: { '00104000': { vr: 'LT', Value: ['x","BulkDataURI":"1,2'] }, '00204000': { vr: 'LT', Value: ['"BulkDataURI":"1,2"'] } } });
  const [dataSet] = JSON.parse((await get(`${base}/metadata`)).body.toString()) as Record<string, { Value: unknown[] }>[];
  assert.equal(dataSet!['00104000']!.Value[0], 'x","BulkDataURI":"1,2');
  assert.equal(dataSet!['00204000']!.Value[0], '"BulkDataURI":"1,2"');
});

test('metadata of many instances are streamed', async () => {
  const { archive, database, get } = service();
  for (let number = 1; number <= 600; number += 1) archiveSample(archive, database, Buffer.from(`object ${number}`), { study: '1', series: '1.1', instance: `1.1.${number}`, attributes: { '00200013': String(number) } });
  for (const encoding of ['identity', 'gzip', 'br']) {
    const reply = await get('/dicomweb/studies/1/series/1.1/metadata', { 'accept-encoding': encoding });
    const text = encoding === 'gzip' ? gunzipSync(reply.body) : reply.body;
    assert.deepEqual((JSON.parse(text.toString()) as Record<string, { Value: number[] }>[]).map((one) => one['00200013']!.Value[0]), Array.from({ length: 600 }, (_, index) => index + 1));
  }
});

/** One instance whose pixels lie at `offset`. */
function pixels(bytes: Buffer, sample: Sample): SampleService {
  const made = service();
  archiveSample(made.archive, made.database, bytes, { study: '1', series: '1.1', instance: '1.1.1', ...sample });
  return made;
}
const octets = 'multipart/related; type=application/octet-stream; transfer-syntax=*';

test('native frames come as little endian octets', async () => {
  const bytes = randomBytes(500);
  const { get, recorded } = pixels(bytes, { report: { frames: { kind: 'native', offset: 100, frameLength: 32, count: 3, bitsPerPixel: 16 } } });
  const reply = await get(`${base}/frames/3,1`, { accept: octets });
  assert.deepEqual(partsOf(reply).map((part) => part.body), [bytes.subarray(164, 196), bytes.subarray(100, 132)]);
  assert.equal(partsOf(reply)[0]!.headers.get('content-type'), 'application/octet-stream; transfer-syntax=1.2.840.10008.1.2.1');
  assert.equal(partsOf(reply)[0]!.headers.get('content-location'), `${base}/frames/3`);
  assert.deepEqual((await get(`${base}/frames/2`, { accept: 'application/octet-stream' })).body, bytes.subarray(132, 164));
  assert.equal((await get(`${base}/frames/4`)).status, 404);
  for (const list of ['0', '1,', 'a', '1-2', '01', '1'.repeat(10)]) assert.equal((await get(`${base}/frames/${list}`)).status, 400, list);
  assert.equal((await get(`${base}/frames/1`, { accept: 'multipart/related; type=image/jpeg' })).status, 406);
  assert.equal(recorded.length, 2);
});

test('big endian frames and bulk data are turned round', async () => {
  const bytes = Buffer.from([0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]);
  const { get } = pixels(bytes, { transferSyntaxUID: '1.2.840.10008.1.2.2', attributes: { '7FE00010': { vr: 'OW', BulkDataURI: '3,8' }, '00660016': { vr: 'OF', BulkDataURI: '3,4' } }, report: { frames: { kind: 'native', offset: 3, frameLength: 4, count: 2, bitsPerPixel: 16 } } });
  assert.deepEqual(partsOf(await get(`${base}/frames/2`, { accept: octets }))[0]!.body, Buffer.from([6, 5, 8, 7]));
  assert.deepEqual(partsOf(await get(`${base}/bulkdata/3,8`))[0]!.body, Buffer.from([2, 1, 4, 3, 6, 5, 8, 7]));
  assert.deepEqual((await get(`${base}/bulkdata/3,4`, { accept: 'application/octet-stream' })).body, Buffer.from([4, 3, 2, 1]));
});

test('frames of single bits begin with a byte', async () => {
  // Three frames of 3 × 3 pixels: 101010101 111100001 000000001, packed from the least significant bit on.
  const bits = [...'101010101111100001000000001'].map(Number);
  const packed = Buffer.alloc(4);
  for (const [index, bit] of bits.entries()) packed[index >> 3]! |= bit << (index & 7);
  const { get } = pixels(packed, { attributes: { '00280010': '3', '00280011': '3', '00280100': '1' }, report: { frames: { kind: 'native', offset: 0, frameLength: 9 / 8, count: 3, bitsPerPixel: 1 } } });
  const bodies = partsOf(await get(`${base}/frames/1,2,3`, { accept: octets })).map((part) => part.body);
  for (const [frame, body] of bodies.entries()) {
    const expected = Buffer.alloc(2);
    for (let index = 0; index < 9; index += 1) expected[index >> 3]! |= bits[frame * 9 + index]! << (index & 7);
    assert.deepEqual(body, expected, `frame ${frame + 1}`);
  }
});

test('encapsulated frames come with their fragments joined, as octets or under their own media type', async () => {
  const bytes = Buffer.from('....aaaa....bb....cccccc....');
  const { get } = pixels(bytes, { transferSyntaxUID: '1.2.840.10008.1.2.4.90', attributes: { '7FE00010': { vr: 'OB', BulkDataURI: '0,28' } }, report: { frames: { kind: 'encapsulated', frames: [[4, 4, 12, 2], [18, 6]] } } });
  const joined = [Buffer.from('aaaabb'), Buffer.from('cccccc')];
  for (const [accept, type] of [[octets, 'application/octet-stream'], ['multipart/related; type="image/jp2"', 'image/jp2'], ['multipart/related; type="image/*"', 'image/jp2'], ['*/*', 'image/jp2'], ['multipart/related; type=image/jp2;q=0.5, multipart/related; type=application/octet-stream', 'application/octet-stream']] as const) {
    const parts = partsOf(await get(`${base}/frames/1,2`, { accept }));
    assert.deepEqual(parts.map((part) => part.body), joined, accept);
    assert.equal(parts[0]!.headers.get('content-type'), `${type}; transfer-syntax=1.2.840.10008.1.2.4.90`, accept);
  }
  assert.deepEqual((await get(`${base}/frames/2`, { accept: 'image/jp2' })).body, joined[1]);
  assert.equal((await get(`${base}/frames/1,2`, { accept: 'image/jp2' })).status, 406);
  assert.equal((await get(`${base}/frames/1`, { accept: 'multipart/related; type=application/octet-stream; transfer-syntax=1.2.840.10008.1.2.1' })).status, 406);
  // Encapsulated Pixel Data as bulk data are its frames: the items around them mean nothing outside the Data Set.
  assert.deepEqual(partsOf(await get(`${base}/bulkdata/0,28`)).map((part) => part.body), joined);
});

test('frames of a large object are cut out of its chunks', async () => {
  const bytes = randomBytes(10 * 1024 * 1024);
  const frameLength = 1_300_000;
  const made = pixels(bytes, { report: { frames: { kind: 'native', offset: 77, frameLength, count: 8, bitsPerPixel: 8 } } });
  const reply = await made.get(`${base}/frames/8,2`, { accept: octets });
  assert.deepEqual(partsOf(reply).map((part) => part.body.equals(bytes.subarray(...(part.headers.get('content-location')!.endsWith('8') ? [77 + 7 * frameLength, 77 + 8 * frameLength] : [77 + frameLength, 77 + 2 * frameLength])))), [true, true]);
});

test('damage: nothing of a damaged object is served, in any way', async () => {
  const { digests, get, damaged, files, ...made } = study();
  flip(made, digests.get('1.1.2')!, 7000);
  const two = '/dicomweb/studies/1/series/1.1/instances/1.1.2';
  for (const [url, accept] of [[two, '*/*'], [two, 'application/dicom'], [`${two}/bulkdata/1000,64`, '*/*'], [`${two}/bulkdata/0,3`, 'application/octet-stream']] as const) {
    await assert.rejects(get(url, { accept }), (error) => codeOf(error) === 'digest-mismatch', url);
  }
  // The answer was begun: it breaks off before the damaged object, short of its length.
  const reply = await get('/dicomweb/studies/1');
  assert.equal(codeOf(reply.broken), 'digest-mismatch');
  assert.ok(reply.body.length < Number(reply.headers['content-length']));
  assert.ok(reply.body.includes(files.get('1.1.1')!));
  assert.ok(!reply.body.includes(files.get('1.1.2')!.subarray(0, 64)));
  assert.equal(damaged.length, 5);
  assert.equal(damaged[0]![0], digests.get('1.1.2'));
  // The keeper withdraws it; the rest is served again.
  withdrawInstance(made.database, damaged[0]![0] as never, 'damaged', 1);
  assert.deepEqual(partsOf(await get('/dicomweb/studies/1')).map((part) => part.body), [files.get('1.1.1'), files.get('1.2.1')]);
  assert.equal((await get(two)).status, 404);
});

test('a damaged frame of a large object is not served, others are', async () => {
  const bytes = randomBytes(9 * 1024 * 1024);
  const made = pixels(bytes, { report: { frames: { kind: 'native', offset: 0, frameLength: 1024 * 1024, count: 9, bitsPerPixel: 8 } } });
  const [row] = made.database.prepare('SELECT digest FROM instances').all();
  flip(made, row!['digest'] as string, 3 * 1024 * 1024 + 9);
  await assert.rejects(made.get(`${base}/frames/4`, { accept: octets }), (error) => codeOf(error) === 'digest-mismatch');
  assert.deepEqual(partsOf(await made.get(`${base}/frames/5`, { accept: octets }))[0]!.body, bytes.subarray(4 * 1024 * 1024, 5 * 1024 * 1024));
});

test('without a record nothing is served', async () => {
  const made = service({ record: async () => { throw unavailable('keeper-unavailable', 'the keeper is away'); } });
  archiveSample(made.archive, made.database, randomBytes(2000), { study: '1', series: '1.1', instance: '1.1.1', attributes: { '7FE00010': { vr: 'OW', BulkDataURI: '1000,64' } }, report: { frames: { kind: 'native', offset: 1000, frameLength: 32, count: 2, bitsPerPixel: 16 } } });
  for (const url of ['/dicomweb/studies', '/dicomweb/studies/1', '/dicomweb/studies/1/series', `${base}`, `${base}/metadata`, `${base}/frames/1`, `${base}/bulkdata/1000,64`]) {
    await assert.rejects(made.get(url), (error) => codeOf(error) === 'keeper-unavailable', url);
  }
});

test('the record says who read what of whom', async () => {
  const { get, recorded } = study();
  await get('/dicomweb/studies/1');
  assert.deepEqual(recorded[0], {
    eventID: { value: '110103', scheme: 'DCM', meaning: 'DICOM Instances Accessed' }, eventTypes: [], action: 'R', time: 1_767_000_000_000, outcome: 0,
    participants: [{ userID: 'reader', userIsRequestor: true, networkAccessPoint: '127.0.0.1' }],
    objects: [
      { typeCode: 2, role: 3, idType: { value: '110180', scheme: 'DCM', meaning: 'Study Instance UID' }, id: '1', details: [['Resource', 'instances'], ['URL', '/dicomweb/studies/1']], sopClasses: [{ uid: '1.2.840.10008.5.1.4.1.1.2', count: 3, instances: ['1.1.1', '1.1.2', '1.2.1'] }] },
      { typeCode: 1, role: 1, idType: { value: '2', scheme: 'RFC-3881', meaning: 'Patient Number' }, id: 'P1' },
    ],
  });
});

test('a stale verdict that is not renewed as clean keeps the object back', async () => {
  const made = service({ acceptable: () => false, recheck: async () => ({ verdict: 'malicious' }) });
  archiveSample(made.archive, made.database, randomBytes(100), { study: '1', series: '1.1', instance: '1.1.1' });
  await assert.rejects(made.get(base), (error) => codeOf(error) === 'verdict-stale');
  assert.equal(made.recorded.length, 0);
});
