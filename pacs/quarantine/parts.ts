/** What the stations of the quarantine share. The keeper makes one of these. */
import type { DatabaseSync } from 'node:sqlite';
import type { AuditLog } from '@lazaret/audit/append.ts';
import type { Layout } from '@lazaret/system/layout.ts';
import type { Digest, ObjectId } from '../reception/contract.ts';
import type { Commits } from './commits.ts';
import type { InstanceReport, State } from './contract.ts';
import type { Ledger } from './ledger.ts';
import type { Queue } from './queue.ts';
import type { Settling } from './settling.ts';

/**
 * The archive's index, given to the quarantine because a stage imports no later one. All are called inside a transaction
 * and throw a Failure before they have written anything.
 */
export interface Handover {
  /**
   * Answers which earlier instance of the same UID and Series this one took out of sight: null for none. Only a release can do that,
   * since a conflict is held before it comes here.
   */
  index(instance: { objectId: ObjectId; digest: Digest; bytes: number; epoch: string; disarmed: boolean; archivedAt: number; instance: InstanceReport }): { readonly digest: Digest; readonly instance: InstanceReport } | null;
  /** Takes out of sight; gives back what was indexed, or null where it was not. */
  withdraw(digest: Digest, reason: 'damaged' | 'stale', time: number): InstanceReport | null;
  /** Takes out of sight by decision of people; says whether searches saw it before, or whether it waited for somebody to say whose it is. Null: it was not in the archive's tables. */
  hide(digest: Digest, time: number): { readonly sight: 'seen' | 'unseen'; readonly instance: InstanceReport } | null;
  /** Undoes `hide`: as it was, with the epoch of its verdict. */
  show(digest: Digest, sight: 'seen' | 'unseen', epoch: string): void;
  /** What is indexed under a digest, or null. */
  find(digest: Digest): InstanceReport | null;
  renew(digest: Digest, epoch: string): void;
  /** What was withdrawn is seen again. */
  forgetWithdrawal(digest: Digest): void;
}

export interface Parts {
  readonly layout: Layout;
  readonly database: DatabaseSync;
  readonly ledger: Ledger;
  readonly log: AuditLog;
  readonly commits: Commits;
  readonly queue: Queue;
  readonly counts: Counts;
  readonly settling: Settling;
  readonly handover: Handover;
}

/** How many objects are in each state, kept as they move: counting a million rows for each look at the console would be slow. */
export class Counts {
  readonly #counts: Record<State, number> = { arriving: 0, waiting: 0, inspecting: 0, cleared: 0, archived: 0, held: 0, released: 0, destroyed: 0 };

  constructor(ledger: Ledger) {
    for (const { state, count } of ledger.counts()) this.#counts[state] = count;
  }
  move(from: State | null, to: State | null): void {
    if (from !== null) this.#counts[from] -= 1;
    if (to !== null) this.#counts[to] += 1;
  }
  all(): Readonly<Record<State, number>> {
    return { ...this.#counts };
  }
}
