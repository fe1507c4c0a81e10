/**
 * Grouped commits: what is asked while a commit runs joins the next one, so many objects share one sync of the ledger and one of
 * the audit log. An answer to somebody who waits goes out only when both are durable.
 *
 *   BEGIN → every step of the group → audit written, its fdatasync begun in the thread pool → files renamed → COMMIT → both durable → answers
 *
 * A step runs inside the transaction and does nothing but statements; what touches files or memory it leaves in `rename` and
 * `after`, so that a group can be rolled back and tried again without the step that failed.
 */
import { renameSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import type { AuditLog } from '@lazaret/audit/append.ts';
import { Failure, unavailable } from '@lazaret/system/failure.ts';
import { GroupRecord } from './record.ts';

/** Bounds the time a group holds the process; at 2,000 objects a second a group has some twenty. */
const groupStepsMax = 256;
/**
 * A step that nobody waits for waits this long for others of its kind. Rows of neighbours lie on the same pages, so twenty conclusions together write
 * half of what they write one by one; and the admissions, for which a door waits, go ahead of them.
 */
const companyMs = 25;

/**
 * `now`: somebody waits for the answer, which means durable. `soon`: a step of our own that would be done again after a power failure
 * (a conclusion: the object is then `waiting` again). Such steps make groups of their own, committed without a sync; the next `now` syncs
 * them too, since both files are written in order.
 */
export type Urgency = 'now' | 'soon';

export interface Group {
  readonly time: number;
  /** Number of the first audit entry of this group. */
  readonly auditEntry: number;
  readonly record: GroupRecord;
  /** Renames a file just before COMMIT; undone when the group is rolled back. */
  rename(from: string, to: string): void;
  /** Runs once the group is durable, before the answers. */
  after(action: () => void): void;
}
export type Step<Answer> = (group: Group) => Answer;

interface Waiting {
  readonly step: Step<unknown>;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: unknown) => void;
}

export class Commits {
  readonly #database: DatabaseSync;
  readonly #log: AuditLog;
  readonly #fatal: (error: unknown) => void;
  /** Steps by urgency, oldest first. */
  #now: Waiting[] = [];
  #soon: Waiting[] = [];
  /** Those that nobody waits for have waited long enough. */
  #soonDue = false;
  #running: Promise<void> | null = null;
  #timer: NodeJS.Timeout | null = null;
  #synchronous = true;
  readonly #begin;
  readonly #commit;
  readonly #rollback;

  /** `fatal` ends the process: after it nothing is known about what is durable but by recovery. */
  constructor(database: DatabaseSync, log: AuditLog, fatal: (error: unknown) => void) {
    this.#database = database;
    this.#log = log;
    this.#fatal = fatal;
    this.#begin = database.prepare('BEGIN IMMEDIATE');
    this.#commit = database.prepare('COMMIT');
    this.#rollback = database.prepare('ROLLBACK');
  }

  /** Runs a step in the next group; resolves with its answer once that is durable, for `soon` once it is committed. */
  submit<Answer>(step: Step<Answer>, urgency: Urgency = 'now'): Promise<Answer> {
    const answer = new Promise<Answer>((resolve, reject) => {
      (urgency === 'now' ? this.#now : this.#soon).push({ step, resolve: resolve as (answer: unknown) => void, reject });
    });
    if (urgency === 'now') this.#start();
    else if (this.#soon.length >= groupStepsMax) this.#startSoon();
    else this.#timer ??= setTimeout(() => this.#startSoon(), companyMs);
    return answer;
  }

  /** Resolves when nothing is waiting any more. */
  async idle(): Promise<void> {
    while (this.#running !== null || this.#now.length > 0 || this.#soon.length > 0) {
      this.#startSoon();
      await this.#running;
    }
  }

  #startSoon(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#soonDue = true;
    this.#start();
  }

  #start(): void {
    // Not at once but after what has already arrived on the sockets was read: that joins the first group.
    this.#running ??= new Promise<void>((resolve) => setImmediate(resolve)).then(() => this.#drain()).finally(() => {
      this.#running = null;
      if (this.#now.length > 0 || this.#soonDue) this.#start();
    });
  }

  async #drain(): Promise<void> {
    while (this.#now.length > 0 || this.#soonDue) {
      if (this.#now.length > 0 && !(await this.#commitOrEnd(this.#now.splice(0, groupStepsMax), true))) return;
      if (!this.#soonDue) continue;
      const members = this.#soon.splice(0, groupStepsMax);
      this.#soonDue = this.#soon.length > 0;
      if (members.length > 0 && !(await this.#commitOrEnd(members, false))) return;
    }
  }

  /** False when nothing more may be committed. */
  async #commitOrEnd(members: Waiting[], durable: boolean): Promise<boolean> {
    try {
      await this.#commitGroup(members, durable);
      return true;
    } catch (error) {
      for (const member of members) member.reject(error);
      this.#fatal(error);
      return false;
    }
  }

  async #commitGroup(members: Waiting[], durable: boolean): Promise<void> {
    const renames: [from: string, to: string][] = [];
    const after: (() => void)[] = [];
    const group: Group = {
      time: Date.now(),
      auditEntry: this.#log.size,
      record: new GroupRecord(),
      rename: (from, to) => void renames.push([from, to]),
      after: (action) => void after.push(action),
    };
    const answers: unknown[] = [];
    this.#sync(durable);
    this.#begin.run();
    for (const [index, member] of members.entries()) {
      try {
        answers.push(member.step(group));
      } catch (error) {
        this.#rollback.run();
        member.reject(error instanceof Failure ? error : unexpected(error));
        const rest = members.toSpliced(index, 1);
        return rest.length > 0 ? this.#commitGroup(rest, durable) : undefined;
      }
    }
    let recorded: Promise<void>;
    let renamed = 0;
    try {
      recorded = this.#log.append(group.record.messages(group.time), durable);
      recorded.catch(() => {});
      for (const [from, to] of renames) {
        renameSync(from, to);
        renamed += 1;
      }
      this.#commit.run();
    } catch (error) {
      this.#undo(renames.slice(0, renamed));
      for (const member of members) member.reject(error instanceof Failure ? error : unavailable('ledger-unavailable', `the ledger cannot be written: ${String(error)}`, error));
      // The record may already tell of what did not happen: it has to tell that, too.
      if (this.#log.size > group.auditEntry) await this.#log.append([group.record.undone(group.time, group.auditEntry, this.#log.size)]);
      return;
    }
    await recorded;
    for (const action of after) action();
    for (const [index, member] of members.entries()) member.resolve(answers[index]);
  }

  /** In WAL mode FULL syncs the log at each COMMIT, NORMAL only at checkpoints; neither can tear a transaction. */
  #sync(durable: boolean): void {
    if (durable === this.#synchronous) return;
    this.#database.exec(durable ? 'PRAGMA synchronous = FULL' : 'PRAGMA synchronous = NORMAL');
    this.#synchronous = durable;
  }

  #undo(renames: readonly [from: string, to: string][]): void {
    if (this.#database.isTransaction) this.#rollback.run();
    for (const [from, to] of renames.toReversed()) renameSync(to, from);
  }
}

/** Primary result codes that say that a statement was given what it cannot take: TOOBIG, CONSTRAINT, MISMATCH, RANGE. */
const wrongStatement: readonly number[] = [18, 19, 20, 25];

/** SQLite's own errors (disk full, I/O) are the environment's; anything else is ours. */
function unexpected(error: unknown): unknown {
  const { code, errcode } = error as { code?: string; errcode?: number };
  return code === 'ERR_SQLITE_ERROR' && !wrongStatement.includes((errcode ?? 0) & 0xff) ? unavailable('ledger-unavailable', `the ledger cannot be used: ${String(error)}`, error) : error;
}
