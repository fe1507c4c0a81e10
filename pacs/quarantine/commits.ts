/**
 * Grouped commits: what is asked while a commit runs joins the next one, so many objects share one sync of the ledger and one of
 * the audit log. An answer to somebody who waits goes out only when everything that it tells of is durable.
 *
 *   BEGIN → every step of the group → audit written → files renamed → COMMIT → fdatasync of WAL, audit log and new files, all at once → answers
 *
 * A step runs inside the transaction and does nothing but statements; what touches files or memory it leaves in `rename`, `sync` and
 * `after`, so that a group can be rolled back and tried again without the step that failed.
 *
 * COMMIT itself does not sync (`synchronous=NORMAL`): the WAL is synced here, in the thread pool, side by side with the rest, which is one wait for
 * the disk and not three, and the process goes on reading meanwhile. What SQLite syncs for its own sake (a WAL that begins anew, a checkpoint) stays.
 */
import { closeSync, fdatasync, openSync, renameSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import type { AuditLog } from '@lazaret/audit/append.ts';
import { Failure, unavailable } from '@lazaret/system/failure.ts';
import { GroupRecord } from './record.ts';

const datasync = promisify(fdatasync);

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
  /** A file that must be durable before the answers go out; `descriptor` is closed by then, also when the group fails. */
  sync(descriptor: number): void;
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
  /** The WAL is there as long as the database is open. */
  readonly #wal: number;
  readonly #begin;
  readonly #commit;
  readonly #rollback;

  /** `fatal` ends the process: after it nothing is known about what is durable but by recovery. */
  constructor(database: DatabaseSync, log: AuditLog, fatal: (error: unknown) => void) {
    this.#database = database;
    this.#log = log;
    this.#fatal = fatal;
    // Made before the first COMMIT of ours: a migration has written through it.
    this.#wal = openSync(`${database.location()!}-wal`, 'r');
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

  /** After `idle`, before the database is closed. */
  close(): void {
    closeSync(this.#wal);
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
      const members = this.#now.splice(0, groupStepsMax);
      const durable = members.length > 0 ? this.#commitOrEnd(members, true) : Promise.resolve(true);
      // While the disk works for those who wait, the rest has its turn.
      if (this.#soonDue) {
        const rest = this.#soon.splice(0, groupStepsMax);
        this.#soonDue = this.#soon.length > 0;
        if (rest.length > 0 && !(await this.#commitOrEnd(rest, false))) return;
      }
      if (!(await durable)) return;
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
    const files: number[] = [];
    const group: Group = {
      time: Date.now(),
      auditEntry: this.#log.size,
      record: new GroupRecord(),
      rename: (from, to) => void renames.push([from, to]),
      sync: (descriptor) => void files.push(descriptor),
      after: (action) => void after.push(action),
    };
    const answers: unknown[] = [];
    this.#begin.run();
    for (const [index, member] of members.entries()) {
      try {
        answers.push(member.step(group));
      } catch (error) {
        this.#rollback.run();
        for (const file of files) closeSync(file);
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
      for (const file of files) closeSync(file);
      for (const member of members) member.reject(error instanceof Failure ? error : unavailable('ledger-unavailable', `the ledger cannot be written: ${String(error)}`, error));
      // The record may already tell of what did not happen: it has to tell that, too.
      if (this.#log.size > group.auditEntry) await this.#log.append([group.record.undone(group.time, group.auditEntry, this.#log.size)]);
      return;
    }
    if (durable) await Promise.all([recorded, datasync(this.#wal), ...files.map(syncAndClose)]);
    for (const action of after) action();
    for (const [index, member] of members.entries()) member.resolve(answers[index]);
  }

  #undo(renames: readonly [from: string, to: string][]): void {
    if (this.#database.isTransaction) this.#rollback.run();
    for (const [from, to] of renames.toReversed()) renameSync(to, from);
  }
}

async function syncAndClose(descriptor: number): Promise<void> {
  try {
    await datasync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Primary result codes that say that a statement was given what it cannot take: TOOBIG, CONSTRAINT, MISMATCH, RANGE. */
const wrongStatement: readonly number[] = [18, 19, 20, 25];

/** SQLite's own errors (disk full, I/O) are the environment's; anything else is ours. */
function unexpected(error: unknown): unknown {
  const { code, errcode } = error as { code?: string; errcode?: number };
  return code === 'ERR_SQLITE_ERROR' && !wrongStatement.includes((errcode ?? 0) & 0xff) ? unavailable('ledger-unavailable', `the ledger cannot be used: ${String(error)}`, error) : error;
}
