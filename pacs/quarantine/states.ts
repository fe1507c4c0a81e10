/**
 * What may happen to an object, and nothing else (DESIGN §3). A pair that is not in the table is an error of whoever asked.
 *
 * `arriving` is before the ledger: a file that a door writes. `inspecting` is a claim that lives in the memory of the keeper; the
 * ledger's file says `waiting`, so that a crash gives the object back by itself. `cleared` lies inside one transaction.
 */
import { refused } from '@lazaret/system/failure.ts';
import type { State } from './contract.ts';

export const events = [
  'admit', // durable and on the record
  'claim', // an inspector took it
  'return', // the inspector is gone without an answer
  'clear', // verdict clean over the same bytes, no conflict
  'hold', // anything else
  'archive', // file and index are in place
  'release', // people decided
  'ready', // what was released goes the way of what was cleared
  'destroy', // two people decided
  'disarm', // archived, and newer rules neutralise more of what is outside the Data Set
  'repair', // found damaged, and the very bytes of its verdict were brought from a backup
  'heal', // the same, and bringing back, for what has no verdict that counts: it is inspected anew
  'withdraw', // archived, and then damaged on disk, found to be not clean by newer signatures, or taken out of sight by people
  'restore', // taken out of sight by people, and brought back by people: with the verdict that it had, which still counts
] as const;
export type Event = (typeof events)[number];

export const transitions: Readonly<Record<State, Readonly<Partial<Record<Event, State>>>>> = {
  arriving: { admit: 'waiting' },
  waiting: { claim: 'inspecting' },
  inspecting: { return: 'waiting', clear: 'cleared', hold: 'held' },
  cleared: { archive: 'archived' },
  archived: { disarm: 'archived', withdraw: 'held' },
  held: { release: 'released', destroy: 'destroyed', repair: 'cleared', heal: 'waiting', restore: 'cleared' },
  released: { ready: 'cleared' },
  destroyed: {},
};

/** The state after an event. Throws `transition-invalid` for a pair that is not in the table. */
export function transition(state: State, event: Event): State {
  const next = transitions[state][event];
  if (next === undefined) throw refused('transition-invalid', `an object that is ${state} cannot ${event}`);
  return next;
}
