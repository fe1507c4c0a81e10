/**
 * Renames need not be durable when an answer goes out: recovery looks in all places where a file can be. So that a start need not look for
 * a million files, the ledger keeps a number below which every archived and destroyed object is in its final place; it follows in the
 * background, after the folders were synced.
 */
import { dirname } from 'node:path';
import { syncFolder } from '@lazaret/system/durable.ts';
import type { Commits, Group } from './commits.ts';
import type { Ledger } from './ledger.ts';

/** Under load every pass syncs all folders; a start after a crash looks for at most the files of this time. */
const everyMs = 30_000;
/** Folders synced at once: the thread pool has four threads, and the audit log needs one of them. */
const parallelMax = 2;

export class Settling {
  readonly #ledger: Ledger;
  readonly #commits: Commits;
  /** Numbers whose files were moved since the last pass, and the folders that this changed. */
  #numbers = new Set<number>();
  #folders = new Set<string>();
  #highest = 0;
  /** Never less than what the ledger's file says. */
  #below: number;
  #timer: NodeJS.Timeout | null = null;
  #pass: Promise<void> | null = null;

  constructor(ledger: Ledger, commits: Commits) {
    this.#ledger = ledger;
    this.#commits = commits;
    this.#below = ledger.settledBelow();
  }

  /** Inside the transaction that archives or destroys number `number`, before it is committed. */
  moved(group: Group, number: number, paths: readonly string[]): void {
    if (number < this.#below) this.#ledger.lowerSettledBelow(number);
    // At once and not when the group is durable: a pass in the same group must not step over it. Too many of them do no harm.
    this.#numbers.add(number);
    group.after(() => {
      for (const path of paths) this.#folders.add(dirname(path));
      this.#later();
    });
  }
  /** Number of an object that was admitted, archived or destroyed: the mark follows the highest. */
  seen(number: number): void {
    this.#highest = Math.max(this.#highest, number);
  }
  /** A file found its final place outside a group (at admission and at recovery). */
  placed(paths: readonly string[]): void {
    for (const path of paths) this.#folders.add(dirname(path));
    this.#later();
  }

  #later(): void {
    if (this.#timer !== null || this.#pass !== null) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#pass = this.settle().finally(() => {
        this.#pass = null;
        if (this.#folders.size > 0) this.#later();
      });
      this.#pass.catch(() => {});
    }, everyMs).unref();
  }

  /** Syncs what was moved so far and raises the mark. */
  async settle(): Promise<void> {
    const folders = [...this.#folders];
    const numbers = this.#numbers;
    // What lies above was not moved yet or is waiting, and sets the mark back when it is moved.
    const upTo = this.#highest + 1;
    this.#folders = new Set();
    this.#numbers = new Set();
    try {
      for (let from = 0; from < folders.length; from += parallelMax) await Promise.all(folders.slice(from, from + parallelMax).map(syncFolder));
    } catch (error) {
      for (const folder of folders) this.#folders.add(folder);
      for (const number of numbers) this.#numbers.add(number);
      throw error;
    }
    await this.#commits.submit((group) => {
      let below = upTo;
      for (const number of this.#numbers) below = Math.min(below, number);
      if (below === this.#below) return;
      this.#ledger.setSettledBelow(below);
      this.#below = Math.max(this.#below, below);
      group.after(() => {
        this.#below = below;
      });
    }, 'soon');
  }

  async close(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#pass;
    await this.settle();
    if (this.#timer !== null) clearTimeout(this.#timer);
  }
}
