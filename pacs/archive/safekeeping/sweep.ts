/**
 * Reads everything that is kept, slowly, all the time: a file that rotted or was encrypted is found by us, and not by the person who needs the image. What is
 * found becomes damage at once: on the record, out of sight, until it is repaired from a backup.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { Parts } from '../../quarantine/parts.ts';
import { Pace } from './digesting.ts';
import { expectedOf, Rows } from './expected.ts';
import type { Safekeeping } from './station.ts';
import { checkFile, strangers, unindexed } from './verification.ts';

/** Ten terabytes in two weeks, and a twentieth of what one disk reads. */
const quietRate = 8 * 1024 * 1024;
/** While objects wait for their inspection. */
const busyRate = 1024 * 1024;
/** A system that was just started has other things to do. */
const firstMs = 2 * 60_000;
/** A small archive is not read all day. */
const passMsMin = 24 * 60 * 60_000;
const saveMs = 60_000;
/** Between two folders that are compared with the ledger. */
const folderMs = 200;
/** After a disk that cannot be read, or a ledger that cannot be written. */
const failedMs = 10 * 60_000;

export interface SweepOptions {
  readonly firstMs?: number;
  readonly bytesPerSecond?: number;
  readonly folderMs?: number;
}

export class Sweep {
  readonly #parts: Parts;
  readonly #safekeeping: Safekeeping;
  readonly #pace: Pace;
  readonly #stopping = new AbortController();
  readonly #folderMs: number;
  readonly #running: Promise<void>;
  #position = 0;
  #savedAt = 0;

  constructor(parts: Parts, safekeeping: Safekeeping, options: SweepOptions = {}) {
    this.#parts = parts;
    this.#safekeeping = safekeeping;
    this.#folderMs = options.folderMs ?? folderMs;
    const quiet = options.bytesPerSecond ?? quietRate;
    this.#pace = new Pace(() => {
      const { waiting, inspecting } = parts.counts.all();
      return waiting + inspecting > 0 ? Math.min(busyRate, quiet) : quiet;
    }, this.#stopping.signal);
    this.#running = this.#run(options.firstMs ?? firstMs);
  }

  async close(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(firstWaitMs: number): Promise<void> {
    const { signal } = this.#stopping;
    const { database } = this.#parts;
    await this.#sleep(firstWaitMs);
    while (!signal.aborted) {
      const before = this.#safekeeping.last().find(({ what }) => what === 'sweep');
      this.#position = this.#mark();
      // In the middle of a pass it goes on where it was; between two it waits.
      if (this.#position === 0 && before !== undefined && Date.now() - before.at < passMsMin) {
        await this.#sleep(passMsMin - (Date.now() - before.at));
        continue;
      }
      try {
        await this.#pass(new Rows(database));
      } catch (error) {
        if (signal.aborted) return;
        process.emitWarning(`the sweep was interrupted: ${String(error)}`);
        await this.#sleep(failedMs);
      }
    }
  }

  async #pass(rows: Rows): Promise<void> {
    const { layout, database } = this.#parts;
    const { signal } = this.#stopping;
    const began = Date.now();
    const last = rows.last();
    let [objects, bytes, findings] = [0, 0, 0];
    for (let page = rows.after(this.#position, last); page.length > 0; page = rows.after(this.#position, last)) {
      for (const row of page) {
        for (const file of expectedOf(row)) {
          if (signal.aborted) return this.#save();
          const found = await checkFile(layout, rows, file, this.#pace);
          // What was cut short says nothing of the file.
          if (signal.aborted) return this.#save();
          if (found !== null && found.code !== 'orphaned' && (await this.#safekeeping.damaged(found.area, found.name)) === 'marked') findings += 1;
          objects += 1;
          bytes += file.bytes;
        }
        this.#position = row.number;
        if (Date.now() - this.#savedAt > saveMs) await this.#save();
      }
    }
    findings += unindexed(database).length;
    for await (const stranger of strangers(layout, database, this.#folderMs)) {
      if (signal.aborted) return this.#save();
      findings += stranger.code === 'orphaned' ? 1 : 0;
    }
    this.#position = 0;
    await this.#save();
    await this.#safekeeping.note({ what: 'sweep', objects, bytes, findings, manifest: '', ms: Date.now() - began }, '', '');
  }

  #mark(): number {
    return (this.#parts.database.prepare(`SELECT value FROM ledger_mark WHERE name = 'swept'`).get() as { value: number } | undefined)?.value ?? 0;
  }

  async #save(): Promise<void> {
    this.#savedAt = Date.now();
    await this.#parts.commits.submit(() => void this.#parts.database.prepare(`INSERT OR REPLACE INTO ledger_mark (name, value) VALUES ('swept', ?)`).run(this.#position), 'soon');
  }

  async #sleep(ms: number): Promise<void> {
    await wait(ms, undefined, { signal: this.#stopping.signal, ref: false }).catch(() => {});
  }
}
