import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { connect } from 'node:tls';
import { json, type Route } from '@lazaret/pacs/access/routes.ts';
import { refused, unavailable } from '@lazaret/system/failure.ts';
import { startSampleServer, type SampleServer } from './sample.ts';
import { idleMs } from './sessions.ts';

const who: Route['handler'] = ({ actor, body }) => json(200, { actor, body });
const routes: readonly Route[] = [
  { method: 'GET', url: '/t/read', action: 'read', audience: 'service', handler: who },
  { method: 'POST', url: '/t/write', action: 'write-bytes', audience: 'service', body: 'stream', bodyBytesMax: 1000, handler: async ({ stream }) => { let bytes = 0; for await (const chunk of stream) bytes += (chunk as Buffer).length; return json(200, { bytes }); } },
  { method: 'POST', url: '/t/json', action: 'read', audience: 'service', body: 'json', bodyBytesMax: 100, handler: who },
  { method: 'POST', url: '/console/t/decide', action: 'decide', audience: 'console', body: 'json', handler: who },
  { method: 'GET', url: '/console/t/read', action: 'read', audience: 'console', handler: who },
  { method: 'GET', url: '/t/refused', action: 'sign-in', audience: 'service', handler: () => { throw refused('thing-wrong', 'it was wrong'); } },
  { method: 'GET', url: '/t/unavailable', action: 'sign-in', audience: 'service', handler: () => { throw unavailable('disk-full', 'no room'); } },
  { method: 'GET', url: '/t/broken', action: 'sign-in', audience: 'service', handler: () => { throw new Error('secret detail'); } },
  { method: 'GET', url: '/t/limited', action: 'sign-in', audience: 'service', requestsPerMinuteMax: 2, handler: who },
];
let server: SampleServer;
const tokens: Record<string, string> = {};

before(async () => {
  server = await startSampleServer(routes);
  await server.addUser('vera', ['viewer']);
  await server.addUser('rob', ['reviewer']);
  await server.addUser('gate', ['sender']);
  for (const role of ['viewer', 'sender', 'reviewer'] as const) tokens[role] = await server.addToken(role, role);
});
after(() => server.stop());

const bearer = (role: string): Record<string, string> => ({ authorization: `Bearer ${tokens[role]}` });
const jsonType = { 'content-type': 'application/json' };

test('nobody gets 401 and is told how; a browser is not shown its own dialogue', async () => {
  const program = await server.ask('GET', '/t/read');
  assert.equal(program.status, 401);
  assert.match(String(program.headers['www-authenticate']), /Bearer.*Basic/);
  assert.equal(program.headers['content-type'], 'application/problem+json; charset=utf-8');
  const browser = await server.ask('GET', '/t/read', { 'sec-fetch-mode': 'cors', 'sec-fetch-site': 'same-origin' });
  assert.doesNotMatch(String(browser.headers['www-authenticate']), /Basic/);
});

test('a token works as bearer and as Basic password, a user password as Basic; wrong ones do not', async () => {
  const basic = (name: string, password: string): Record<string, string> => ({ authorization: `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}` });
  assert.equal((await server.ask('GET', '/t/read', bearer('viewer'))).status, 200);
  assert.equal((await server.ask('GET', '/t/read', basic('x', tokens['viewer']!))).status, 200);
  assert.equal((await server.ask('GET', '/t/read', basic('vera', 'correct horse battery'))).status, 200);
  for (const wrong of [{ authorization: 'Bearer x' }, basic('vera', 'wrong'), basic('x', 'x'), { authorization: 'Digest x' }, { authorization: `Basic ${'A'.repeat(2000)}` }]) assert.equal((await server.ask('GET', '/t/read', wrong)).status, 401);
});

test('what a role does not have is refused before the body is read', async () => {
  assert.equal((await server.ask('POST', '/t/write', bearer('viewer'), 'x')).status, 403);
  assert.equal((await server.ask('GET', '/t/read', bearer('sender'))).status, 403);
  assert.deepEqual(JSON.parse((await server.ask('POST', '/t/write', { ...bearer('sender'), 'content-type': 'application/x-anything' }, 'four')).text), { bytes: 4 });
});

test('a token that is removed stops working at once for new connections and soon for remembered ones', async () => {
  const token = await server.addToken('gone', 'viewer');
  const headers = { authorization: `Bearer ${token}` };
  assert.equal((await server.ask('GET', '/t/read', headers)).status, 200);
  await server.store.handle({ do: 'token-remove', by: { kind: 'terminal', name: 't', roles: [], address: '' }, name: 'gone' }, 'terminal');
  server.clock.now += 15_001;
  assert.equal((await server.ask('GET', '/t/read', headers)).status, 401);
});

test('a session of the viewer is nothing in the console, nor the other way round', async () => {
  const viewer = await server.signIn('viewer', 'rob');
  const console_ = await server.signIn('console', 'rob');
  assert.match(viewer, /^__Host-lazaret-viewer=/);
  assert.match(console_, /^__Secure-lazaret-console=/);
  assert.equal((await server.ask('GET', '/t/read', { cookie: viewer })).status, 200);
  assert.equal((await server.ask('GET', '/console/t/read', { cookie: console_ })).status, 200);
  assert.equal((await server.ask('GET', '/console/t/read', { cookie: viewer })).status, 401);
  assert.equal((await server.ask('GET', '/t/read', { cookie: console_ })).status, 401);
  const renamed = `__Secure-lazaret-console=${viewer.split('=')[1]}`;
  assert.equal((await server.ask('GET', '/console/t/read', { cookie: renamed })).status, 401);
  assert.equal((await server.ask('GET', '/t/read', { cookie: `${viewer}; ${viewer}` })).status, 401, 'sent twice');
  assert.equal((await server.ask('GET', '/console/t/read', bearer('reviewer'))).status, 401, 'the console takes no tokens');
});

test('with a session, only a page of ours may change anything', async () => {
  const cookie = await server.signIn('console', 'rob');
  const decide = (headers: Record<string, string>): Promise<number> => server.ask('POST', '/console/t/decide', { cookie, ...jsonType, ...headers }, '{}').then((answer) => answer.status);
  assert.equal(await decide({ origin: server.origin }), 200);
  assert.equal(await decide({ 'sec-fetch-site': 'same-origin' }), 200);
  assert.equal(await decide({}), 403);
  assert.equal(await decide({ origin: 'https://evil.example' }), 403);
  assert.equal(await decide({ origin: 'null' }), 403);
  assert.equal(await decide({ origin: `https://localhost:1` }), 403);
  assert.equal(await decide({ origin: server.origin, 'sec-fetch-site': 'same-site' }), 403);
  assert.equal((await server.ask('GET', '/console/t/read', { cookie, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' })).status, 403);
});

test('a session ends: by sign-out, when idle, when the account goes', async () => {
  const read = (cookie: string): Promise<number> => server.ask('GET', '/t/read', { cookie }).then((answer) => answer.status);
  const out = await server.signIn('viewer', 'vera');
  const answer = await server.ask('POST', '/sign-out', { cookie: out, origin: server.origin });
  assert.equal(answer.status, 204);
  assert.match(String(answer.headers['set-cookie']), /Max-Age=0/);
  assert.equal(await read(out), 401);
  const idle = await server.signIn('viewer', 'vera');
  server.clock.now += idleMs + 1;
  assert.equal(await read(idle), 401);
  await server.addUser('soon', ['viewer']);
  const gone = await server.signIn('viewer', 'soon');
  await server.store.handle({ do: 'user-remove', by: { kind: 'terminal', name: 't', roles: [], address: '' }, name: 'soon' }, 'terminal');
  server.clock.now += 15_001;
  assert.equal(await read(gone), 401);
});

test('signing in: wrong, without origin, without the right to open a page, as first administrator', async () => {
  const post = (body: unknown, headers: Record<string, string> = { origin: server.origin }) => server.ask('POST', '/sign-in', { ...jsonType, ...headers }, JSON.stringify(body));
  assert.equal((await post({ page: 'viewer', name: 'vera', password: 'wrong' })).status, 403);
  assert.equal((await post({ page: 'viewer', name: 'vera', password: 'correct horse battery' }, {})).status, 403);
  assert.equal((await post({ page: 'viewer', name: 'gate', password: 'correct horse battery' })).status, 403);
  assert.equal((await post({ page: 'elsewhere', name: 'vera', password: 'x' })).status, 400);
  assert.equal((await post({ page: 'viewer', name: 'vera', password: 'x', __proto__x: 1 })).status, 400);
  const code = server.store.firstAdministratorCode()!;
  assert.deepEqual(JSON.parse((await server.ask('GET', '/sign-in/state')).text), { firstAdministratorMissing: true });
  assert.equal((await post({ page: 'console', name: 'root', password: 'short', code })).status, 400);
  const made = await post({ page: 'console', name: 'root', password: 'correct horse battery', code });
  assert.equal(made.status, 200);
  assert.match(String(made.headers['set-cookie']), /^__Secure-lazaret-console=[\w-]{43}; Path=\/console; HttpOnly; Secure; SameSite=Strict$/);
  assert.equal((await post({ page: 'console', name: 'root2', password: 'correct horse battery', code })).status, 403);
});

test('bodies: over their limit, unexpected, not JSON, with __proto__', async () => {
  assert.equal((await server.ask('POST', '/t/write', bearer('sender'), 'x'.repeat(1001))).status, 413);
  assert.equal((await server.ask('POST', '/t/json', { ...bearer('viewer'), ...jsonType }, JSON.stringify('x'.repeat(200)))).status, 413);
  assert.equal((await server.ask('GET', '/t/read', { ...bearer('viewer') }, 'x')).status, 413);
  for (const wrong of ['{', '{"__proto__":{"a":1}}', '{"constructor":{"prototype":{}}}']) assert.equal((await server.ask('POST', '/t/json', { ...bearer('viewer'), ...jsonType }, wrong)).status, 400, wrong);
  assert.equal((await server.ask('POST', '/t/json', { ...bearer('viewer'), 'content-type': 'text/xml' }, '<x/>')).status, 415);
});

test('failures are problem details; our own bugs say nothing and are logged', async () => {
  const answers = await Promise.all(['refused', 'unavailable', 'broken'].map((name) => server.ask('GET', `/t/${name}`)));
  assert.deepEqual(answers.map((answer) => [answer.status, JSON.parse(answer.text).title]), [[400, 'thing-wrong'], [503, 'disk-full'], [500, 'request-failed']]);
  assert.ok(!answers[2]!.text.includes('secret'));
  assert.ok(server.logged.some((line) => line.includes('secret detail')));
  assert.equal((await server.ask('GET', '/nowhere')).status, 404);
  assert.equal((await server.ask('GET', '/t/read', { host: 'a b' })).status, 400);
});

test('a limited route counts', async () => {
  const statuses = [];
  for (let index = 0; index < 3; index++) statuses.push((await server.ask('GET', '/t/limited')).status);
  assert.deepEqual(statuses, [200, 200, 429]);
});

test('many wrong tokens from one address are no longer looked at; one that is known goes on working', async () => {
  const known = { authorization: `Bearer ${tokens['viewer']}` };
  assert.equal((await server.ask('GET', '/t/read', known)).status, 200);
  const before = server.messages.length;
  const statuses = new Set<number>();
  for (let index = 0; index < 130; index++) statuses.add((await server.ask('GET', '/t/read', { authorization: `Bearer wrong${index}` })).status);
  assert.deepEqual([...statuses].toSorted(), [401, 429]);
  assert.ok(server.messages.length - before <= 121);
  assert.equal((await server.ask('GET', '/t/read', known)).status, 200);
  server.clock.now += 61_000;
  assert.equal((await server.ask('GET', '/t/read', { authorization: 'Bearer wrong' })).status, 401);
});

test('a strict policy is on everything, the sign-in page has its own', async () => {
  const api = await server.ask('GET', '/t/read', bearer('viewer'));
  assert.match(String(api.headers['content-security-policy']), /default-src 'none'/);
  assert.equal(api.headers['cache-control'], 'no-store');
  assert.equal(api.headers['x-content-type-options'], 'nosniff');
  const page = await server.ask('GET', '/sign-in?to=/console/');
  assert.match(String(page.headers['content-security-policy']), /script-src 'self'.*require-trusted-types-for/);
  assert.ok(page.text.includes('One-time code'));
  assert.equal((await server.ask('GET', '/sign-in', { 'if-none-match': page.headers.etag! })).status, 304);
});

test('TLS below 1.2 is refused', async () => {
  const version = (maxVersion: 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3') => new Promise<string | null>((resolve, reject) => {
    const socket = connect({ port: server.port, host: '127.0.0.1', ca: server.cert, servername: 'localhost', minVersion: 'TLSv1', maxVersion, ciphers: 'DEFAULT@SECLEVEL=0' }, () => { resolve(socket.getProtocol()); socket.end(); });
    socket.on('error', reject);
  });
  assert.equal(await version('TLSv1.2'), 'TLSv1.2');
  assert.equal(await version('TLSv1.3'), 'TLSv1.3');
  await assert.rejects(version('TLSv1.1'));
});

test('a route without a declaration does not start', async () => {
  const { action: _, ...undeclared } = routes[0]!;
  await assert.rejects(startSampleServer([undeclared as Route]), { code: 'route-undeclared' });
});
