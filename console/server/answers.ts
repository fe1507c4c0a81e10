/** What the console's server and its pages agree on beyond the keeper's own contract. Pure: both sides import it. */
import type { Actor, Role } from '@lazaret/pacs/access/actions.ts';

/** Who is signed in. */
export interface SessionAnswer {
  readonly kind: Actor['kind'];
  readonly name: string;
  readonly roles: readonly Role[];
}

/** Bytes of one window of the hex view: what the keeper's `map` gives at most. */
export const windowBytesMax = 4096;
/** A reason is read years later by somebody who was not there: one word says nothing, a page is not read. */
export const reasonCharactersMin = 10;
export const reasonCharactersMax = 1000;
/** Who gets an export: a name and a place. */
export const destinationCharactersMax = 200;
