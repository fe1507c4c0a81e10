import assert from 'node:assert/strict';
import { test } from 'node:test';
import { roles, type Role } from '../access/actions.ts';
import { verdicts } from './contract.ts';
import { checkDecide, weigh } from './decisions.ts';
import type { KeptProposal } from './ledger.ts';
import type { DecideRequest } from './requests.ts';

const objectId = 'a'.repeat(32);
const request = (change: Partial<DecideRequest>): DecideRequest => checkDecide({ objectId, decision: 'release', person: 'bert', roles: ['reviewer'], reason: 'because', ...change });
const proposal = (change: Partial<KeptProposal>): KeptProposal => ({ decision: 'release', person: 'anna', roles: ['reviewer'], reason: 'because', proposedAt: 0, ...change });

test('who may decide: every role', () => {
  const may: readonly Role[] = ['reviewer', 'security'];
  for (const role of roles) {
    if (may.includes(role)) assert.equal(request({ roles: [role] }).person, 'bert');
    else assert.throws(() => request({ roles: [role] }), { code: 'role-missing' }, role);
  }
  assert.throws(() => request({ roles: [] }), { code: 'role-missing' });
  assert.throws(() => request({ roles: ['root' as Role] }), { code: 'role-missing' });
  assert.throws(() => request({ reason: ' \n' }), { code: 'reason-missing' });
  assert.throws(() => request({ person: '' }), { code: 'request-invalid' });
});

test('how many people it takes: every verdict and decision, first and second person, with and without the role security', () => {
  for (const verdict of verdicts) {
    for (const decision of ['release', 'destroy'] as const) {
      const alone = decision === 'release' && verdict !== 'malicious';
      assert.equal(weigh({ verdict }, request({ decision }), []), alone ? 'done' : 'proposed', `${verdict} ${decision} alone`);
      // The same person twice is one person; another decision is another matter.
      assert.equal(weigh({ verdict }, request({ decision }), [proposal({ decision, person: 'bert', roles: ['security'] })]), alone ? 'done' : 'proposed');
      assert.equal(weigh({ verdict }, request({ decision }), [proposal({ decision: decision === 'release' ? 'destroy' : 'release' })]), alone ? 'done' : 'proposed');
      for (const first of ['reviewer', 'security'] as const) {
        for (const second of ['reviewer', 'security'] as const) {
          const weighed = (): string => weigh({ verdict }, request({ decision, roles: [second] }), [proposal({ decision, roles: [first] })]);
          if (decision === 'release' && verdict === 'malicious' && first === 'reviewer' && second === 'reviewer') assert.throws(weighed, { code: 'role-missing' });
          else assert.equal(weighed(), 'done', `${verdict} ${decision} ${first} ${second}`);
        }
      }
    }
  }
});
