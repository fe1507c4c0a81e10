/**
 * Every route of the running server × every role, as session and as token: what may be done is what the table of pacs/access says and nothing
 * else. The routes are those that the web process mounts; a route that is added is walked without a change here.
 */
import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { after, before, test } from 'node:test';
import { actions, permitted, roles, type Action, type Role } from '../../pacs/access/actions.ts';
import { decide } from '../../pacs/access/decide.ts';
import type { Asset } from '../../hospital/assets/lookup.ts';
import type { Route } from '../../pacs/access/routes.ts';
import { permits, services } from '../../pacs/reception/association/services.ts';
import { allRoutes } from '../../processes/web/routes.ts';
import { Sessions } from '../../processes/web/sessions.ts';
import { startSystem, type Answer, type System } from '../system.ts';

let system: System;
let database: DatabaseSync;
let routes: readonly Route[];
const cookies = new Map<string, string>();
const denied = new Set(['access-denied', 'sign-in-needed', 'origin-refused']);

before(async () => {
  system = await startSystem(null);
  const nobody = { request: () => Promise.reject(new Error('the walk asks the running server, not these handlers')) };
  database = new DatabaseSync(system.layout.database, { readOnly: true });
  routes = allRoutes({ keeper: nobody, sessions: new Sessions(Date.now), layout: system.layout, database, signatures: { accepts: () => false } });
  for (const role of roles) {
    const ended = await system.lazaret('user', 'add', `person-${role}`, '--role', role, '--json');
    const { name, password } = JSON.parse(ended.stdout) as { name: string; password: string };
    for (const page of ['viewer', 'console'] as const) {
      const answer = await system.ask('/sign-in', { method: 'POST', token: null, headers: { origin: system.https, 'content-type': 'application/json' }, body: JSON.stringify({ page, name, password }) });
      // A sender opens no page; everybody else opens both.
      assert.equal(answer.status, permitted[role].includes('read') ? 200 : 403, `${role} at ${page}`);
      if (answer.status === 200) cookies.set(`${page} ${role}`, answer.headers['set-cookie']!.split(';')[0]!);
    }
  }
});
after(async () => {
  database.close();
  await system.stop();
});

/** A path of the route with parameters that exist nowhere, so that what is allowed does nothing. */
const pathOf = (route: Route): string => route.url.replaceAll(/:\w+/g, '1.2.3').replace('*', 'nothing-here');

/** True when the server said that this one may not, whatever else it would have said. */
function wasDenied(answer: Answer): boolean {
  if (answer.status !== 401 && answer.status !== 403) return false;
  // A HEAD has no body to say why; no handler of ours answers these by itself.
  if (answer.body.length === 0) return true;
  return denied.has(String((JSON.parse(answer.body.toString('utf8')) as { title?: unknown }).title));
}

function ask(route: Route, headers: Record<string, string>, token: string | null): Promise<Answer> {
  const body = route.body === 'json' ? '{}' : undefined;
  return system.ask(pathOf(route), { method: route.method, token, headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) }, ...(body === undefined ? {} : { body }) });
}

test('there are routes of every kind of page and they all declare an action', () => {
  assert.ok(routes.length >= 20, `${routes.length} routes`);
  for (const route of routes) assert.ok(actions.includes(route.action), `${route.method} ${route.url}`);
  for (const audience of ['viewer', 'console', 'service']) assert.ok(routes.some((route) => route.audience === audience), audience);
});

test('nobody: only what is open to everyone', async () => {
  for (const route of routes) assert.equal(wasDenied(await ask(route, { origin: system.https }, null)), route.action !== 'sign-in', `${route.method} ${route.url}`);
});

for (const role of roles) {
  test(`a token of role ${role}`, async () => {
    const token = await system.token(role);
    for (const route of routes) {
      if (route.action === 'sign-in') continue;
      const allowed = route.audience !== 'console' && decide({ kind: 'token', name: 't', roles: [role], address: '' }, route.action).allowed;
      assert.equal(wasDenied(await ask(route, {}, token)), !allowed, `${route.method} ${route.url} (${route.action})`);
    }
  });

  for (const page of ['viewer', 'console'] as const) {
    test(`a person of role ${role} with a session of the ${page}`, async () => {
      const cookie = cookies.get(`${page} ${role}`);
      if (cookie === undefined) return;
      for (const route of routes) {
        // Signing out would end the session of this walk.
        if (route.action === 'sign-in') continue;
        const heard = (route.audience === 'console') === (page === 'console');
        const allowed = heard && permitted[role].includes(route.action);
        assert.equal(wasDenied(await ask(route, { cookie, origin: system.https }, null)), !allowed, `${route.method} ${route.url} (${route.action})`);
        if (route.method !== 'GET' && route.method !== 'HEAD') assert.ok(wasDenied(await ask(route, { cookie, origin: 'https://elsewhere.example' }, null)), `${route.method} ${route.url} from another origin`);
      }
    });
  }
}

test('a viewer writes nothing by any route', async () => {
  const writing: readonly Action[] = ['write-bytes', 'import', 'decide', 'administer', 'annotate'];
  const token = await system.token('viewer');
  for (const route of routes.filter((each) => writing.includes(each.action))) {
    assert.ok(wasDenied(await ask(route, {}, token)), `${route.method} ${route.url}`);
    assert.ok(wasDenied(await ask(route, { cookie: `${cookies.get('viewer viewer')!}; ${cookies.get('console viewer')!}`, origin: system.https }, null)), `${route.method} ${route.url}`);
  }
  // And what it may call changes nothing: reading methods only.
  const may = routes.filter((route) => route.action === 'read');
  assert.deepEqual(may.filter((route) => route.method !== 'GET' && route.method !== 'HEAD').map((route) => `${route.method} ${route.url}`), []);
});

test('DIMSE services: what an asset may is what its permissions amount to', () => {
  const permissions = ['echo', 'store', 'find', 'retrieve'] as const;
  for (let mask = 0; mask < 16; mask++) {
    const may = permissions.filter((_, index) => (mask >> index) & 1);
    const asset: Asset = { assetId: 'asset', name: 'Asset', aeTitle: 'ASSET', addresses: ['192.0.2.1'], certificate: null, may };
    for (const service of services) assert.equal(permits(asset, '192.0.2.1', service), may.includes(service.permission), `${service.name} with ${may.join(' ')}`);
  }
  const writing = services.filter((service) => service.action === 'write-bytes').map((service) => service.permission);
  assert.deepEqual(writing, ['store'], 'only an asset that may store writes by DIMSE');
});

test('methods that no route declares do nothing', async () => {
  const token = await system.token('administrator');
  const paths = new Set(routes.map(pathOf));
  for (const path of paths) {
    for (const method of ['PUT', 'DELETE', 'PATCH', 'TRACE', 'PROPFIND']) {
      if (routes.some((route) => pathOf(route) === path && route.method === method)) continue;
      assert.ok([400, 404, 405, 415].includes((await system.ask(path, { method, token })).status), `${method} ${path}`);
    }
  }
});

/** So that a new role is thought about here. */
test('the roles are those of this walk', () => assert.deepEqual([...roles], ['viewer', 'sender', 'desk', 'reviewer', 'security', 'administrator'] satisfies Role[]));
