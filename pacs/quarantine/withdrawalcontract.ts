/**
 * Withdrawals: people take everything of one medium, source, study or a few objects out of sight at once, and can bring it back until it is destroyed.
 *
 * | request  | socket        | body                                                     | answer |
 * |----------|---------------|----------------------------------------------------------|--------|
 * | withdraw | web, terminal | { do: 'preview', selection }                             | WithdrawalPreview: what it would take, and who has seen it; changes nothing |
 * | withdraw | web, terminal | { do: 'withdraw', selection, person, roles, reason }     | WithdrawalStatus, once it is durable which objects it takes; the work goes on (`withdrawing`) |
 * | withdraw | web, terminal | { do: 'restore', id, objects, person, roles, reason }    | WithdrawalStatus; `objects` empty: all that it took |
 * | withdraw | web, terminal | { do: 'status', id }                                     | WithdrawalStatus |
 * | withdraw | web, terminal | { do: 'list', limit }                                    | WithdrawalStatus[], newest first |
 * | withdraw | web, terminal | { do: 'objects', id, after, limit }                      | { objects: WithdrawnObject[], next }: each with what became of it |
 *
 * A withdrawal only takes away, so one person who may decide is enough. Bringing back takes the same, with a reason; where anything in it was found
 * malicious it takes somebody else than who withdrew it, and one of the two has the role security, as any release of such an object does.
 */
import type { Role } from '../access/actions.ts';
import type { ObjectId, Source } from '../reception/contract.ts';
import type { State, Verdict } from './contract.ts';

export type Selection =
  /** What this import brought; `known`: also what was on the medium and had come from elsewhere before. */
  | { readonly kind: 'import'; readonly import: string; readonly known: boolean }
  /** AE Title, asset, person, token, medium or address; received in [since, until), milliseconds since 1970. */
  | { readonly kind: 'source'; readonly source: string; readonly since: number; readonly until: number }
  /** All that was received in [since, until), from whomever. */
  | { readonly kind: 'time'; readonly since: number; readonly until: number }
  | { readonly kind: 'study'; readonly study: string }
  /** Object ids; the first 8 digits are enough. */
  | { readonly kind: 'objects'; readonly objects: readonly string[] };

export type WithdrawRequest =
  | { readonly do: 'preview'; readonly selection: Selection }
  | { readonly do: 'withdraw'; readonly selection: Selection; readonly person: string; readonly roles: readonly Role[]; readonly reason: string }
  | { readonly do: 'restore'; readonly id: string; readonly objects: readonly ObjectId[]; readonly person: string; readonly roles: readonly Role[]; readonly reason: string }
  | { readonly do: 'status'; readonly id: string }
  | { readonly do: 'list'; readonly limit: number }
  | { readonly do: 'objects'; readonly id: string; readonly after: number; readonly limit: number };

export interface PreviewStudy {
  readonly studyInstanceUID: string;
  readonly description: string;
  readonly modality: string;
  readonly patientName: string;
  readonly patientID: string;
  readonly objects: number;
}
export interface PreviewAccess {
  readonly kind: 'opened' | 'sent' | 'exported';
  readonly person: string;
  readonly address: string;
  readonly destination: string;
  readonly count: number;
  readonly first: number;
  readonly last: number;
}
export interface WithdrawalPreview {
  /** As it was understood: ids whole. */
  readonly selection: Selection;
  /** For people: "medium DISC OF 2001, imported by anna". */
  readonly what: string;
  /** That would go out of sight, and their bytes. */
  readonly objects: number;
  readonly bytes: number;
  /** Of `objects`: out of sight already since nobody has said yet whose they are. */
  readonly unseen: number;
  /** In inspection: would be held instead of archived. */
  readonly waiting: number;
  /** Held already, and destroyed: nothing is to be done about them. */
  readonly held: number;
  readonly destroyed: number;
  /** Found malicious, among `objects`: it was released all the same, and takes a second person to be brought back. */
  readonly malicious: number;
  /** Found malicious, among `held`. */
  readonly heldMalicious: number;
  /** On the medium, and here before it from another source: not taken unless `known` is asked for. */
  readonly known: number;
  /** Of `objects`: sent by another source, too, before or after. */
  readonly alsoFrom: number;
  readonly patients: number;
  readonly studyCount: number;
  /** Those with most objects. */
  readonly studies: readonly PreviewStudy[];
  readonly sources: readonly { readonly source: Source; readonly objects: number; readonly first: number; readonly last: number }[];
  /** Who has opened, taken out or was sent any of it. Newest first. */
  readonly accesses: readonly PreviewAccess[];
  readonly cut: readonly ('studies' | 'sources' | 'accesses')[];
}

/**
 * `due`: to be taken. `waiting`: in inspection, will be held. `taken`: out of sight. `asked`: to be brought back. `returning`: being inspected with current
 * signatures before it is. `restored`: back. `kept`: not brought back, since it is not clean or something stands in its place. `passed`: not of this
 * withdrawal any more (released, destroyed or found not clean by itself). `failed`: could not be taken.
 */
export const withdrawalFates = ['due', 'waiting', 'taken', 'asked', 'returning', 'restored', 'kept', 'passed', 'failed'] as const;
export type WithdrawalFate = (typeof withdrawalFates)[number];
export type WithdrawalState = 'withdrawing' | 'withdrawn' | 'restoring' | 'restored';

export interface WithdrawalStatus {
  readonly id: string;
  readonly selection: Selection;
  readonly what: string;
  readonly state: WithdrawalState;
  readonly person: string;
  readonly reason: string;
  readonly at: number;
  /** How many objects have which fate. */
  readonly fates: Readonly<Partial<Record<WithdrawalFate, number>>>;
  readonly objects: number;
  readonly patients: number;
  readonly studies: number;
  /** Found malicious among those that it holds. */
  readonly malicious: number;
  /** The last time that somebody brought it back. */
  readonly restore: { readonly person: string; readonly reason: string; readonly at: number } | null;
  readonly finishedAt: number | null;
  /** Why it does not get on, or "". */
  readonly problem: string;
}
export interface WithdrawnObject {
  readonly objectId: ObjectId;
  readonly number: number;
  readonly fate: WithdrawalFate;
  readonly note: string;
  readonly state: State;
  readonly verdict: Verdict | null;
  readonly patientName: string;
  readonly patientID: string;
  readonly studyDescription: string;
}

/** What an entry of the ledger says of a withdrawal that holds it. */
export interface WithdrawnBy {
  readonly id: string;
  readonly person: string;
  readonly reason: string;
  readonly at: number;
}
