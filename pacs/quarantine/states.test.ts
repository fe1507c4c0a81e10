import assert from 'node:assert/strict';
import { test } from 'node:test';
import { states, type State } from './contract.ts';
import { events, transition, type Event } from './states.ts';

/** DESIGN §3, written a second time: what is not here must be refused. */
const permitted: readonly (readonly [State, Event, State])[] = [
  ['arriving', 'admit', 'waiting'],
  ['waiting', 'claim', 'inspecting'],
  ['inspecting', 'return', 'waiting'],
  ['inspecting', 'clear', 'cleared'],
  ['inspecting', 'hold', 'held'],
  ['cleared', 'archive', 'archived'],
  ['archived', 'disarm', 'archived'],
  ['archived', 'withdraw', 'held'],
  ['held', 'release', 'released'],
  ['held', 'destroy', 'destroyed'],
  ['held', 'repair', 'cleared'],
  ['held', 'heal', 'waiting'],
  ['held', 'restore', 'cleared'],
  ['released', 'ready', 'cleared'],
];

for (const state of states) {
  for (const event of events) {
    const row = permitted.find(([from, what]) => from === state && what === event);
    test(`${state}, ${event}: ${row === undefined ? 'refused' : row[2]}`, () => {
      if (row === undefined) assert.throws(() => transition(state, event), { code: 'transition-invalid', severity: 'refused' });
      else assert.equal(transition(state, event), row[2]);
    });
  }
}

test('only what was cleared, released, repaired or brought back comes into the archive, and nothing comes back from being destroyed', () => {
  const into = states.flatMap((state) => events.filter((event) => permitted.some(([from, what, to]) => from === state && what === event && to === 'cleared')).map((event) => `${state} ${event}`));
  assert.deepEqual(into, ['inspecting clear', 'held repair', 'held restore', 'released ready']);
  assert.ok(!permitted.some(([from]) => from === 'destroyed'));
});
