import assert from 'node:assert/strict';
import { test } from 'node:test';
import { actions, permitted, roles, type Action, type Actor, type Role } from './actions.ts';
import { decide } from './decide.ts';
import { checkRoute } from './routes.ts';

const kinds: readonly Actor['kind'][] = ['person', 'token', 'peer', 'anonymous', 'terminal'];

/** Every kind × role × action, against the table and the three rules above it. */
test('the whole table', () => {
  for (const kind of kinds) {
    for (const role of roles) {
      for (const action of actions) {
        const decision = decide({ kind, name: 'x', roles: [role], address: '' }, action);
        assert.equal(decision.allowed, expected(kind, role, action), `${kind} ${role} ${action}`);
        assert.notEqual(decision.reason, '');
      }
    }
  }
});

function expected(kind: Actor['kind'], role: Role, action: Action): boolean {
  if (action === 'sign-in' || kind === 'terminal') return true;
  if (kind === 'anonymous') return false;
  if (kind !== 'person' && (action === 'import' || action === 'decide' || action === 'administer')) return false;
  return permitted[role].includes(action);
}

test('several roles add up, none gives nothing, an unknown one gives nothing', () => {
  const person = (...names: string[]): Actor => ({ kind: 'person', name: 'x', roles: names as Role[], address: '' });
  assert.equal(decide(person('administrator', 'sender'), 'write-bytes').allowed, true);
  assert.equal(decide(person('administrator', 'sender'), 'decide').allowed, false);
  assert.equal(decide(person(), 'read').allowed, false);
  assert.equal(decide(person('constructor', '__proto__'), 'read').allowed, false);
});

test('a route that leaves something out is refused', () => {
  const route = { method: 'GET', url: '/x', action: 'read', audience: 'viewer', handler: () => ({ status: 200 }) };
  checkRoute(route);
  for (const wrong of [{ action: undefined }, { action: 'anything' }, { audience: undefined }, { method: 'FETCH' }, { url: 'x' }, { handler: null }, { body: 'stream' }]) {
    assert.throws(() => checkRoute({ ...route, ...wrong }), { code: 'route-undeclared' });
  }
});
