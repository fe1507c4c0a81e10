import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import type { AuditMessage } from '@lazaret/audit/message.ts';
import type { Actor } from './actions.ts';
import { firstAdministratorCode } from './firstadmin.ts';
import type { AccessAnswer, Credentials } from './requests.ts';
import { migrations } from './schema.ts';
import { AccessStore } from './store.ts';

interface World {
  readonly store: AccessStore;
  readonly database: DatabaseSync;
  readonly messages: AuditMessage[];
  readonly clock: { now: number };
}

function world(): World {
  const database = new DatabaseSync(':memory:');
  for (const migration of migrations) database.exec(migration.sql);
  const messages: AuditMessage[] = [];
  const clock = { now: 1_000_000 };
  const store = new AccessStore({ database, record: async (message) => { messages.push(message); }, now: () => clock.now });
  return { store, database, messages, clock };
}

/** An answer without its stamp, which is different each time. */
function bare(answer: AccessAnswer): unknown {
  return answer.outcome === 'known' ? { outcome: answer.outcome, actor: answer.actor } : answer;
}

const address = '192.0.2.7';
const authenticate = (credentials: Credentials, from = address): unknown => ({ do: 'authenticate', credentials, address: from, audience: 'viewer' });
const administrator: Actor = { kind: 'person', name: 'root', roles: ['administrator'], address };

test('the first administrator is made once, with the newest code only', async () => {
  const { store, messages, clock } = world();
  assert.deepEqual(await store.handle({ do: 'first-administrator' }, 'web'), { outcome: 'first-administrator', missing: true });
  const old = firstAdministratorCode(store)!;
  const code = firstAdministratorCode(store)!;
  const claim = (typed: string, password = 'a long enough phrase'): unknown => authenticate({ kind: 'code', code: typed, name: 'maria', password });
  assert.equal(((await store.handle(claim(old), 'web')) as AccessAnswer).outcome, 'unknown');
  await assert.rejects(store.handle(claim(code, 'short'), 'web'), { code: 'password-weak' });
  const answer = await store.handle(claim(` ${code.toLowerCase().replaceAll('-', ' ')}`), 'web');
  assert.deepEqual(bare(answer), { outcome: 'known', actor: { kind: 'person', name: 'maria', roles: ['administrator'], address } });
  assert.equal((await store.handle(claim(code), 'web')).outcome, 'unknown');
  assert.equal(firstAdministratorCode(store), undefined);
  assert.equal((await store.handle({ do: 'first-administrator' }, 'web') as { missing: boolean }).missing, false);
  assert.deepEqual(messages.map((message) => [message.eventID.value, message.outcome]), [['110114', 4], ['110113', 0], ['110114', 0], ['110114', 4]]);
  clock.now += 1;
});

test('a code is worth nothing after a day', async () => {
  const { store, clock } = world();
  const code = store.firstAdministratorCode()!;
  clock.now += 24 * 60 * 60_000 + 1;
  assert.equal((await store.handle(authenticate({ kind: 'code', code, name: 'maria', password: 'a long enough phrase' }), 'web')).outcome, 'unknown');
});

test('users: added, known by password, listed without it, removed; the last administrator stays', async () => {
  const { store, database, messages } = world();
  const add = (name: string, roles: string[]): Promise<AccessAnswer> => store.handle({ do: 'user-add', by: administrator, name, password: 'correct horse battery', roles }, 'terminal');
  await add('root1', ['administrator']);
  await add('eva', ['viewer', 'reviewer']);
  await assert.rejects(add('eva', ['viewer']), { code: 'name-taken' });
  const known = await store.handle(authenticate({ kind: 'password', name: 'eva', password: 'correct horse battery' }), 'web');
  assert.deepEqual(bare(known), { outcome: 'known', actor: { kind: 'person', name: 'eva', roles: ['viewer', 'reviewer'], address } });
  for (const [name, password] of [['eva', 'correct horse batterz'], ['nobody', 'correct horse battery'], ['eva', '']] as const) {
    assert.equal((await store.handle(authenticate({ kind: 'password', name, password }), 'web')).outcome, 'unknown');
  }
  const list = JSON.stringify(await store.handle({ do: 'user-list', by: administrator }, 'terminal'));
  assert.ok(!list.includes('argon2id'));
  const stored = database.prepare('SELECT password FROM users').all() as { password: string }[];
  assert.ok(stored.every((row) => row.password.startsWith('argon2id$')));
  await assert.rejects(store.handle({ do: 'user-remove', by: administrator, name: 'root1' }, 'web'), { code: 'administrator-last' });
  assert.ok(known.outcome === 'known');
  const still = (): Promise<AccessAnswer> => store.handle({ do: 'still', kind: 'person', name: 'eva', stamp: known.stamp }, 'web');
  assert.equal((await still()).outcome, 'known');
  await store.handle({ do: 'user-remove', by: administrator, name: 'eva' }, 'web');
  assert.equal((await still()).outcome, 'unknown');
  await add('eva', ['administrator']);
  assert.equal((await still()).outcome, 'unknown', 'another account of the same name does not revive a session');
  assert.ok(messages.filter((message) => message.eventID.value === '110113').length === 4);
});

test('tokens: shown once, stored as a digest, good as bearer and as Basic password', async () => {
  const { store, database } = world();
  const answer = await store.handle({ do: 'token-add', by: administrator, name: 'ct-1', role: 'sender' }, 'terminal');
  assert.ok(answer.outcome === 'token');
  assert.match(answer.token, /^lzr_[A-Za-z0-9_-]{43}$/);
  const rows = JSON.stringify(database.prepare('SELECT * FROM tokens').all());
  assert.ok(!rows.includes(answer.token));
  const actor = { kind: 'token', name: 'ct-1', roles: ['sender'], address };
  assert.deepEqual(bare(await store.handle(authenticate({ kind: 'token', token: answer.token }), 'web')), { outcome: 'known', actor });
  assert.deepEqual(bare(await store.handle(authenticate({ kind: 'basic', name: 'whoever', password: answer.token }), 'web')), { outcome: 'known', actor });
  assert.equal((await store.handle(authenticate({ kind: 'token', token: `${answer.token.slice(0, -1)}${answer.token.endsWith('A') ? 'B' : 'A'}` }), 'web')).outcome, 'unknown');
  await store.handle({ do: 'token-remove', by: administrator, name: 'ct-1' }, 'terminal');
  assert.equal((await store.handle(authenticate({ kind: 'token', token: answer.token }), 'web')).outcome, 'unknown');
});

test('guessing gets slower, for the right password too, and time forgives', async () => {
  const { store, clock } = world();
  await store.handle({ do: 'user-add', by: administrator, name: 'eva', password: 'correct horse battery', roles: ['viewer'] }, 'terminal');
  const attempt = (password: string, from?: string): Promise<AccessAnswer> => store.handle(authenticate({ kind: 'password', name: 'eva', password }, from), 'web');
  for (let index = 0; index < 5; index++) assert.deepEqual(await attempt('wrong'), { outcome: 'unknown', reason: 'the name or the secret is wrong', retryAfterMs: 0 });
  const locked = await attempt('correct horse battery');
  assert.ok(locked.outcome === 'unknown' && locked.retryAfterMs === 15_000);
  assert.equal((await attempt('correct horse battery', '192.0.2.8')).outcome, 'known', 'from elsewhere the person can still get in');
  clock.now += 15_000;
  assert.equal((await attempt('correct horse battery')).outcome, 'known');
});

test('who may not administer is refused at the keeper too', async () => {
  const { store } = world();
  for (const by of [{ ...administrator, roles: ['viewer'] }, { ...administrator, roles: [] }, { ...administrator, kind: 'token' }, { ...administrator, kind: 'terminal' }, { ...administrator, kind: 'anonymous' }]) {
    await assert.rejects(store.handle({ do: 'user-add', by, name: 'eve', password: 'correct horse battery', roles: ['administrator'] }, 'web'), { code: 'access-denied' });
  }
});

test('requests of the wrong shape are refused', async () => {
  const { store } = world();
  const wrong: readonly unknown[] = [
    null, [], 'x', {}, { do: 'constructor' }, { do: 'authenticate' }, { do: 'authenticate', credentials: { kind: 'constructor' }, address, audience: 'viewer' },
    authenticate({ kind: 'password', name: 'x'.repeat(257), password: '' }), { ...(authenticate({ kind: 'token', token: 'x' }) as object), audience: 'nobody' },
    { do: 'user-list' }, { do: 'user-list', by: { ...administrator, roles: ['god'] } },
    { do: 'token-add', by: administrator, name: '../x', role: 'viewer' }, { do: 'token-add', by: administrator, name: 'x', role: 'god' },
    { do: 'user-add', by: administrator, name: 'x', password: 'correct horse battery', roles: [] },
    { do: 'user-add', by: administrator, name: 'x', password: 'correct horse battery', roles: ['viewer', 'viewer'] },
  ];
  for (const request of wrong) await assert.rejects(store.handle(request, 'terminal'), (error: { severity?: string }) => error.severity === 'refused', JSON.stringify(request));
});
