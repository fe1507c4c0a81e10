import assert from 'node:assert/strict';
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { test, type TestContext } from 'node:test';
import type { Actor } from '@lazaret/pacs/access/actions.ts';
import { checkRoute, type Route, type RouteAnswer, type RouteRequest } from '@lazaret/pacs/access/routes.ts';
import { broken, refused, unavailable } from '@lazaret/system/failure.ts';
import { consoleRoutes } from './routes.ts';

const actor: Actor = { kind: 'person', name: 'ann', roles: ['reviewer'], address: '::1' };
const objectId = 'ab'.repeat(16);

/** The routes over a keeper that writes down what it was asked; `answer` is its answer or what it throws. */
function served(answer: unknown = {}, pages?: string) {
  const asked: [string, unknown][] = [];
  const keeper = {
    request: async <Answer>(name: string, body: unknown): Promise<Answer> => {
      asked.push([name, body]);
      if (answer instanceof Error) throw answer;
      return answer as Answer;
    },
  };
  const routes = consoleRoutes(pages === undefined ? { keeper } : { keeper, pages });
  const ask = async (method: string, url: string, request: Partial<RouteRequest> = {}): Promise<RouteAnswer> => {
    const route = routes.find((each) => each.method === method && each.url === url) as Route;
    return route.handler({ actor, method: route.method, url, origin: '', params: {}, query: new URLSearchParams(), headers: {}, body: undefined, stream: Readable.from([]), signal: new AbortController().signal, ...request });
  };
  return { asked, ask, routes };
}

test('every route says what it does; only deciding, steering a rescan and the desk change something, and each takes the action for it', () => {
  for (const route of served().routes) {
    checkRoute(route);
    assert.equal(route.audience, 'console');
    assert.equal(route.action, route.url.startsWith('/console/api/desk/') ? 'import' : route.url.endsWith('/rescan') ? 'administer' : route.method === 'POST' ? 'decide' : route.url.startsWith('/console/api/') ? 'read' : 'sign-in');
  }
});

test('requests are handed on in the shape the keeper knows', async () => {
  const { asked, ask } = served();
  await ask('GET', '/console/api/objects', { query: new URLSearchParams('states=held,waiting&text=doe&limit=20&after=x') });
  await ask('GET', '/console/api/objects/:objectId', { params: { objectId } });
  await ask('GET', '/console/api/objects/:objectId/map', { params: { objectId } });
  await ask('GET', '/console/api/objects/:objectId/map', { params: { objectId }, query: new URLSearchParams('offset=16&length=32') });
  await ask('POST', '/console/api/objects/:objectId/decision', { params: { objectId }, body: { decision: 'release', reason: '  agreed by phone ' } });
  await ask('GET', '/console/api/status');
  await ask('GET', '/console/api/trace', { query: new URLSearchParams(`id=${objectId}&window=30`) });
  await ask('GET', '/console/api/trace', { query: new URLSearchParams('source=CT1&since=5&until=9') });
  await ask('GET', '/console/api/trace', { query: new URLSearchParams('since=5&until=9') });
  await ask('POST', '/console/api/rescan', { body: { do: 'pause' } });
  const reason = 'the wrong disc was read';
  await ask('POST', '/console/api/withdrawals', { body: { selection: { kind: 'study', study: '1.2' }, reason } });
  await ask('POST', '/console/api/withdrawals/:withdrawal/restore', { params: { withdrawal: objectId }, body: { reason } });
  await ask('POST', '/console/api/groups/decision', { body: { by: 'medium', key: 'x', decision: 'release', reason, named: [objectId], after: 3 } });
  await ask('POST', '/console/api/objects/:objectId/resend', { params: { objectId }, body: {} });
  await ask('GET', '/console/api/studies/:study/identity', { params: { study: '1.2' } });
  await ask('POST', '/console/api/studies/:study/identity', { params: { study: '1.2' }, body: { replacement: null, reason } });
  assert.deepEqual(asked, [
    ['list', { states: ['held', 'waiting'], text: 'doe', limit: 20, after: 'x' }], ['show', { objectId }], ['map', { objectId }], ['map', { objectId, window: { offset: 16, length: 32 } }],
    ['decide', { objectId, decision: 'release', reason: 'agreed by phone', person: 'ann', roles: ['reviewer'] }], ['status', null],
    ['trace', { id: objectId, source: '', import: '', since: 0, until: 0, windowMs: 1_800_000 }], ['trace', { id: '', source: 'CT1', import: '', since: 5, until: 9, windowMs: 3_600_000 }],
    ['trace', { id: '', source: '', import: '', since: 5, until: 9, windowMs: 3_600_000 }],
    ['rescan', { do: 'pause', since: 0, study: '', person: 'ann' }],
    ['withdraw', { do: 'withdraw', selection: { kind: 'study', study: '1.2' }, reason, person: 'ann', roles: ['reviewer'] }],
    ['withdraw', { do: 'restore', id: objectId, objects: [], reason, person: 'ann', roles: ['reviewer'] }],
    ['decideGroup', { by: 'medium', key: 'x', decision: 'release', reason, named: [objectId], after: 3, person: 'ann', roles: ['reviewer'] }],
    ['resend', { objectId, person: 'ann' }],
    ['reconcile', { do: 'study', studyInstanceUID: '1.2' }],
    ['reconcile', { do: 'change', studyInstanceUID: '1.2', choice: { studyInstanceUID: '1.2', replacement: null }, reason, person: 'ann', address: '::1' }],
  ]);
});

test('what is not of that shape never reaches the keeper', async () => {
  const { asked, ask } = served();
  const wrong: [string, string, Partial<RouteRequest>][] = [
    ['GET', '/console/api/objects', { query: new URLSearchParams('states=dropped') }],
    ['GET', '/console/api/objects', { query: new URLSearchParams('limit=201') }],
    ['GET', '/console/api/objects', { query: new URLSearchParams(`text=${'a'.repeat(201)}`) }],
    ['GET', '/console/api/objects', { query: new URLSearchParams('more=1') }],
    ['GET', '/console/api/objects/:objectId', { params: { objectId: '../../etc/passwd' } }],
    ['GET', '/console/api/objects/:objectId/map', { params: { objectId }, query: new URLSearchParams('offset=-1') }],
    ['GET', '/console/api/objects/:objectId/map', { params: { objectId }, query: new URLSearchParams('offset=0&length=4097') }],
    ['POST', '/console/api/objects/:objectId/decision', { params: { objectId }, body: { decision: 'release', reason: '          ' } }],
    ['POST', '/console/api/objects/:objectId/decision', { params: { objectId }, body: { decision: 'forget', reason: 'long enough a reason' } }],
    ['POST', '/console/api/objects/:objectId/decision', { params: { objectId }, body: { decision: 'release', reason: 'long enough a reason', person: 'somebody else' } }],
    ['POST', '/console/api/objects/:objectId/decision', { params: { objectId }, body: null }],
    ['GET', '/console/api/trace', {}],
    ['GET', '/console/api/trace', { query: new URLSearchParams('since=9&until=9') }],
    ['GET', '/console/api/trace', { query: new URLSearchParams('since=9') }],
    ['GET', '/console/api/trace', { query: new URLSearchParams(`id=a&import=${'ab'.repeat(16)}`) }],
    ['GET', '/console/api/groups', { query: new URLSearchParams('by=patient') }],
    ['POST', '/console/api/groups/decision', { body: { by: 'medium', key: 'x', decision: 'release', reason: 'long enough a reason', named: ['all'], after: 0 } }],
    ['POST', '/console/api/groups/decision', { body: { by: 'medium', key: 'x', decision: 'release', reason: 'short', named: [], after: 0 } }],
    ['POST', '/console/api/withdrawals', { body: { selection: { kind: 'all' }, reason: 'long enough a reason' } }],
    ['POST', '/console/api/withdrawals', { body: { selection: { kind: 'study', study: '1.2' }, reason: 'long enough a reason', person: 'somebody else' } }],
    ['POST', '/console/api/withdrawals/:withdrawal/restore', { params: { withdrawal: '../x' }, body: { reason: 'long enough a reason' } }],
    ['POST', '/console/api/objects/:objectId/resend', { params: { objectId }, body: { person: 'somebody else' } }],
    ['GET', '/console/api/studies/:study/identity', { params: { study: '../1' } }],
    ['POST', '/console/api/studies/:study/identity', { params: { study: '1.2' }, body: { replacement: null, reason: 'short' } }],
    ['POST', '/console/api/studies/:study/identity', { params: { study: '1.2' }, body: { replacement: { patientName: 'A' }, reason: 'long enough a reason' } }],
    ['POST', '/console/api/studies/:study/identity', { params: { study: '1.2' }, body: { replacement: null, reason: 'long enough a reason', person: 'somebody else' } }],
    ['GET', '/console/api/trace', { query: new URLSearchParams('id=a&source=b') }],
    ['GET', '/console/api/trace', { query: new URLSearchParams('id=a&window=1441') }],
    ['POST', '/console/api/rescan', { body: { do: 'status' } }],
    ['POST', '/console/api/rescan', { body: { do: 'start', person: 'somebody else' } }],
  ];
  for (const [method, url, request] of wrong) assert.equal((await ask(method, url, request)).status, 400, JSON.stringify(request));
  assert.deepEqual(asked, []);
});

test('the keeper refusing, being away and failing are told apart', async () => {
  const status = async (error: Error): Promise<number> => (await served(error).ask('GET', '/console/api/status')).status;
  assert.equal(await status(refused('object-unknown', 'none')), 404);
  assert.equal(await status(refused('decision-forbidden', 'no')), 409);
  assert.equal(await status(unavailable('channel-closed', 'away')), 503);
  await assert.rejects(served(broken('ledger-damaged', 'our bug')).ask('GET', '/console/api/status'));
});

test('pages come from memory by exact name, under a strict policy; names that are no file cannot leave the folder', async (t: TestContext) => {
  const folder = await mkdtemp(join(tmpdir(), 'lazaret-console-'));
  t.after(() => rm(folder, { recursive: true }));
  await mkdir(join(folder, 'dist/assets'), { recursive: true });
  await writeFile(join(folder, 'secret.html'), 'secret');
  const { ask } = served({}, join(folder, 'dist'));
  assert.equal((await ask('GET', '/console/')).status, 503, 'not built yet');
  await writeFile(join(folder, 'dist/index.html'), 'the page');
  await writeFile(join(folder, 'dist/assets/a.js'), 'the script');
  const rebuilt = served({}, join(folder, 'dist'));
  const get = (name: string): Promise<RouteAnswer> => rebuilt.ask('GET', '/console/*', { params: { '*': name } });
  const text = async (name: string): Promise<string> => new TextDecoder().decode((await get(name)).body as Uint8Array);
  assert.equal(await text('assets/a.js'), 'the script');
  assert.equal(await text('objects/123'), 'the page');
  assert.equal(await text('../secret.html'), 'the page');
  assert.equal((await get('assets/../../secret.html')).status, 404);
  assert.equal((await rebuilt.ask('GET', '/console')).status, 308);
  const policy = String((await get('x')).headers?.['content-security-policy']);
  assert.match(policy, /default-src 'none'.*require-trusted-types-for 'script'/);
  assert.doesNotMatch(policy, /unsafe/);
});
