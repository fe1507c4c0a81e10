/** What somebody should be told of before they ask: malicious software found where people open images, and on media of the last days. */
import type { DatabaseSync } from 'node:sqlite';
import type { StatusAnswer } from './requests.ts';

/** Each open console asks every ten seconds; going through what is held costs some milliseconds. */
const everyMs = 5_000;
/** Media of the last week: whoever brought them can still be found. */
const mediaMs = 7 * 24 * 3_600_000;

export class Alarms {
  readonly #late;
  readonly #media;
  readonly #name;
  #at = 0;
  #last: NonNullable<StatusAnswer['alarms']> = { late: 0, infectedMedia: 0, medium: '' };

  constructor(database: DatabaseSync) {
    // What was in the archive, and is held as malicious until somebody has decided.
    this.#late = database.prepare(`SELECT count(*) AS count FROM ledger WHERE state = 'held' AND verdict = 'malicious' AND archived_sha256 IS NOT NULL`);
    this.#media = database.prepare(`SELECT count(DISTINCT import.number) AS count, max(import.number) AS last FROM import_file INDEXED BY import_file_infected JOIN import USING (number) WHERE fate = 'infected' AND begun_at >= ?`);
    this.#name = database.prepare('SELECT id FROM import WHERE number = ?');
  }

  /** At most some seconds old. */
  now(time = Date.now()): NonNullable<StatusAnswer['alarms']> {
    if (time - this.#at < everyMs) return this.#last;
    const { count: late } = this.#late.get() as { count: number };
    const { count: infectedMedia, last } = this.#media.get(time - mediaMs) as { count: number; last: number | null };
    const medium = last === null ? '' : (this.#name.get(last) as { id: string }).id;
    this.#at = time;
    this.#last = { late, infectedMedia, medium };
    return this.#last;
  }
}
