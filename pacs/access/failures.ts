/** Slows down guessing: who fails too often waits, longer each time. Kept in memory; a restart forgives. */

export interface FailureLimits {
  /** Failures before the first wait. A person who mistypes needs three or four. */
  readonly free: number;
  readonly firstWaitMs: number;
  readonly longestWaitMs: number;
  /** A key is forgotten this long after its last failure. */
  readonly forgetMs: number;
}

/** The same name from the same address. */
export const forNameAtAddress: FailureLimits = { free: 5, firstWaitMs: 15_000, longestWaitMs: 15 * 60_000, forgetMs: 60 * 60_000 };
/** One address with many names; behind one address may sit a whole ward. */
export const forAddress: FailureLimits = { free: 30, firstWaitMs: 15_000, longestWaitMs: 5 * 60_000, forgetMs: 60 * 60_000 };
/** One name from many addresses. High, because it lets a stranger lock somebody out. */
export const forName: FailureLimits = { free: 60, firstWaitMs: 15_000, longestWaitMs: 60_000, forgetMs: 60 * 60_000 };

/** An attacker chooses the keys, so their count is bounded; the oldest go first. */
const keysMax = 20_000;

/** Counts failures by key. */
export class Failures {
  readonly #limits: FailureLimits;
  readonly #now: () => number;
  readonly #keys = new Map<string, { count: number; last: number }>();

  constructor(limits: FailureLimits, now: () => number) {
    this.#limits = limits;
    this.#now = now;
  }

  /** Milliseconds that this key still has to wait; 0 when it may try. */
  waitMs(key: string): number {
    const entry = this.#keys.get(key);
    if (entry === undefined) return 0;
    const since = this.#now() - entry.last;
    if (since > this.#limits.forgetMs) {
      this.#keys.delete(key);
      return 0;
    }
    const over = entry.count - this.#limits.free;
    if (over < 0) return 0;
    return Math.max(0, Math.min(this.#limits.firstWaitMs * 2 ** Math.min(over, 20), this.#limits.longestWaitMs) - since);
  }

  failed(key: string): void {
    const count = (this.#keys.get(key)?.count ?? 0) + 1;
    // Deleted first so that the Map's order is that of the last failure.
    this.#keys.delete(key);
    this.#keys.set(key, { count, last: this.#now() });
    if (this.#keys.size > keysMax) this.#keys.delete(this.#keys.keys().next().value!);
  }

  succeeded(key: string): void {
    this.#keys.delete(key);
  }
}
