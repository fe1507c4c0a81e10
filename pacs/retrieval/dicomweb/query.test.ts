import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { indexInstance } from '../../archive/admit.ts';
import { sampleInstance } from '../../archive/sample.ts';
import { makeService } from './sample.ts';

const made = makeService();
after(() => made.close());
for (let number = 1; number <= 30; number += 1) {
  indexInstance(made.database, sampleInstance({ study: `1.${number}`, series: `1.${number}.1`, instance: `1.${number}.1.1`, attributes: { '00080020': `202601${String(number).padStart(2, '0')}`, '00100010': number % 2 === 0 ? 'Even^Eve' : 'Odd^Otto' } }));
}
const uid = (dataSet: Record<string, { Value: unknown[] }>, tag: string): unknown => dataSet[tag]!.Value[0];
async function list(url: string): Promise<Record<string, { Value: unknown[] }>[]> {
  const reply = await made.get(url);
  assert.equal(reply.status, 200);
  return JSON.parse(reply.body.toString()) as Record<string, { Value: unknown[] }>[];
}

test('the study list as a viewer asks for it', async () => {
  const page = await list('/dicomweb/studies?limit=5&offset=0&PatientName=*eve*&StudyDate=20260101-20260110&includefield=00081030%2C00080060&fuzzymatching=false');
  assert.deepEqual(page.map((one) => uid(one, '0020000D')), ['1.10', '1.8', '1.6', '1.4', '1.2']);
  assert.equal(uid(page[0]!, '00081190'), 'https://localhost:8443/dicomweb/studies/1.10');
});

test('all search resources answer, with the right URLs', async () => {
  for (const [url, count, retrieve] of [
    ['/dicomweb/studies?StudyInstanceUID=1.3', 1, '/studies/1.3'], ['/dicomweb/series?StudyInstanceUID=1.3', 1, '/studies/1.3/series/1.3.1'], ['/dicomweb/instances?StudyInstanceUID=1.3', 1, '/studies/1.3/series/1.3.1/instances/1.3.1.1'],
    ['/dicomweb/studies/1.3/series', 1, '/studies/1.3/series/1.3.1'], ['/dicomweb/studies/1.3/instances', 1, '/studies/1.3/series/1.3.1/instances/1.3.1.1'], ['/dicomweb/studies/1.3/series/1.3.1/instances', 1, '/studies/1.3/series/1.3.1/instances/1.3.1.1'],
    ['/dicomweb/studies/1.99/series', 0, ''], ['/dicomweb/studies', 30, '/studies/1.30'],
  ] as const) {
    const found = await list(url);
    assert.equal(found.length, count, url);
    if (count > 0) assert.equal(uid(found[0]!, '00081190'), `https://localhost:8443/dicomweb${retrieve}`, url);
  }
});

test('more results than asked for, and what was ignored, is said in a Warning', async () => {
  assert.equal((await made.get('/dicomweb/studies?limit=5')).headers['warning'], '299 https://localhost:8443/dicomweb: There are additional results that can be requested');
  assert.equal((await made.get('/dicomweb/studies')).headers['warning'], undefined);
  assert.match((await made.get('/dicomweb/studies?PatientComments=x')).headers['warning']!, /PatientComments/);
});

test('a search that is wrong is 400 with everything that is wrong', async () => {
  const reply = await made.get('/dicomweb/studies?limit=x&StudyDate=yesterday');
  assert.equal(reply.status, 400);
  assert.match(reply.body.toString(), /limit: .*StudyDate: /);
});

test('every search is on the record', async () => {
  made.recorded.length = 0;
  await made.get('/dicomweb/studies?PatientName=*eve*');
  await made.get('/dicomweb/studies?limit=x');
  assert.equal(made.recorded.length, 1);
  assert.deepEqual(made.recorded[0]!.eventID.value, '110112');
  assert.deepEqual(made.recorded[0]!.objects[0]!.details, [['Resource', 'study'], ['Query', 'PatientName=*eve*']]);
});

test('accept as a parameter is no attribute', async () => {
  assert.equal((await made.get('/dicomweb/studies?accept=application/dicom%2Bjson')).headers['warning'], undefined);
  assert.equal((await made.get('/dicomweb/studies?accept=application/dicom+json')).status, 200);
  assert.equal((await made.get('/dicomweb/studies?accept=text/html')).status, 406);
});
