import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unavailable } from '@lazaret/system/failure.ts';
import type { RenderRequest, RenderedAnswer } from '../../quarantine/requests.ts';
import { archiveSample } from '../../archive/sample.ts';
import { makeService } from './sample.ts';

const base = '/dicomweb/studies/1/series/1.1/instances/1.1.1';

function serviceOf(t: { after(action: () => void): void }, answer: (request: RenderRequest) => Promise<Partial<RenderedAnswer>> | Partial<RenderedAnswer>) {
  const asked: RenderRequest[] = [];
  const service = makeService({
    render: async (_, request) => {
      asked.push(request);
      return { outcome: 'rendered', text: '', type: request.type, width: 1, height: 1, frames: 3, base64: Buffer.from('picture').toString('base64'), ...(await answer(request)) };
    },
  });
  archiveSample(service.archive, service.database, Buffer.alloc(20_000, 1), { study: '1', series: '1.1', instance: '1.1.1', attributes: { '00280010': { vr: 'US', Value: [4] } } });
  t.after(() => service.close());
  return { ...service, asked };
}

test('a picture is JPEG unless PNG is asked for, and access to it is on the record', async (t) => {
  const { get, asked, recorded } = serviceOf(t, () => ({}));
  const reply = await get(`${base}/rendered`);
  assert.equal(reply.status, 200);
  assert.equal(reply.headers['content-type'], 'image/jpeg');
  assert.equal(reply.body.toString(), 'picture');
  assert.deepEqual(asked[0], { frame: 0, widthMax: 0, heightMax: 0, window: null, type: 'image/jpeg', quality: 90 });
  assert.equal(recorded.length, 1);
  assert.equal((await get(`${base}/rendered`, { accept: 'image/png' })).headers['content-type'], 'image/png');
  assert.equal((await get(`${base}/rendered`, { accept: 'image/gif' })).status, 406);
});

test('a thumbnail is small, and a Study and a Series have one', async (t) => {
  const { get, asked } = serviceOf(t, () => ({}));
  for (const url of [`${base}/thumbnail`, '/dicomweb/studies/1/thumbnail', '/dicomweb/studies/1/series/1.1/thumbnail', `${base}/frames/2/thumbnail`]) assert.equal((await get(url)).status, 200, url);
  assert.deepEqual(asked.map(({ frame, widthMax }) => [frame, widthMax]), [[0, 128], [0, 128], [0, 128], [2, 128]]);
});

test('window, viewport and quality are taken as the standard writes them, and refused otherwise', async (t) => {
  const { get, asked } = serviceOf(t, () => ({}));
  assert.equal((await get(`${base}/frames/3/rendered?window=40,400,linear&viewport=200,100&quality=50`)).status, 200);
  assert.deepEqual(asked[0], { frame: 3, widthMax: 200, heightMax: 100, window: { center: 40, width: 400 }, type: 'image/jpeg', quality: 50 });
  for (const query of ['window=40', 'window=40,0', 'window=a,b', 'window=40,400,sigmoid', 'viewport=0', 'viewport=1,2,3,4,5,6', 'quality=0', 'quality=101', 'quality=x']) {
    assert.equal((await get(`${base}/rendered?${query}`)).status, 400, query);
  }
  assert.equal(asked.length, 1);
});

test('what cannot be shown is said, and two frames are not one picture', async (t) => {
  const { get } = serviceOf(t, ({ frame }) => ({ outcome: 'impossible', text: frame === 9 ? 'The object has 3 frames.' : 'The object has no pixels.' }));
  assert.equal((await get(`${base}/rendered`)).status, 406);
  assert.equal((await get(`${base}/frames/9/rendered`)).status, 404);
  assert.equal((await get(`${base}/frames/1,2/rendered`)).status, 406);
  assert.equal((await get(`${base}/frames/x/rendered`)).status, 400);
  assert.equal((await get('/dicomweb/studies/9/rendered')).status, 404);
});

test('of a file that changed nothing is shown, and the keeper is told', async (t) => {
  const { get, damaged } = serviceOf(t, () => Promise.reject(unavailable('digest-mismatch', 'changed')));
  assert.equal((await get(`${base}/rendered`).catch(() => ({ status: 503 }))).status >= 500, true);
  assert.equal(damaged.length, 1);
});
