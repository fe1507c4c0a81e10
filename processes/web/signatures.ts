/** Which signatures are current (DESIGN "On access"): an object that was inspected with others is inspected again before it is served. */
import { setTimeout as wait } from 'node:timers/promises';
import { covers } from '@lazaret/pacs/quarantine/signatures.ts';
import type { Keeper } from './authentication.ts';

/** The keeper answers when the signatures change, so this bounds nothing but the life of one question. */
const askedMs = 30_000;
/** After a failure; a keeper that is gone ends this process. */
const againMs = 1_000;

export class SignatureEpoch {
  readonly #keeper: Keeper;
  #stopped = false;
  /** "" until the inspector has said what it works with: then nothing is accepted without asking. */
  #current = '';
  /** Epochs that were compared with the current one: the archive has few. */
  readonly #accepted = new Map<string, boolean>();

  constructor(keeper: Keeper) {
    this.#keeper = keeper;
    void this.#follow();
  }

  accepts(epoch: string): boolean {
    let accepted = this.#accepted.get(epoch);
    if (accepted === undefined) {
      accepted = covers(epoch, this.#current);
      this.#accepted.set(epoch, accepted);
    }
    return accepted;
  }

  async #follow(): Promise<void> {
    while (!this.#stopped) {
      try {
        const epoch = await this.#keeper.request<string>('epoch', { known: this.#current, timeoutMs: askedMs });
        if (epoch !== this.#current) {
          this.#current = epoch;
          this.#accepted.clear();
        }
      } catch {
        await wait(againMs, undefined, { ref: false });
      }
    }
  }

  stop(): void {
    this.#stopped = true;
  }
}
