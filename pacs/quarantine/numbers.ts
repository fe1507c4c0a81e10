/** From a time to a number of the ledger: numbers are given in the order of admission, and doors say when they received. */
import type { DatabaseSync } from 'node:sqlite';

/** An object is admitted some time after it began to arrive: 2 GiB over a slow line take hours, and many come meanwhile. */
const slackMs = 3_600_000;

/** A number below which nothing was received at `time` or later. Looks at some twenty rows. */
export function firstNumberSince(database: DatabaseSync, time: number): number {
  const bounds = database.prepare('SELECT coalesce(min(number), 1) AS low, coalesce(max(number), 0) + 1 AS high FROM ledger').get() as { low: number; high: number };
  const at = database.prepare('SELECT number, received_at FROM ledger WHERE number >= ? ORDER BY number LIMIT 1');
  let { low, high } = bounds;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const row = at.get(middle) as { number: number; received_at: number } | undefined;
    if (row === undefined || row.received_at >= time - slackMs) high = middle;
    else low = row.number + 1;
  }
  return low;
}
