/** Which signatures are current (DESIGN "On access"): an object that was inspected with others is inspected again before it is served. */
import type { StatusAnswer } from '@lazaret/pacs/quarantine/requests.ts';
import type { Keeper } from './authentication.ts';

/** Signatures change a few times a day; a file is served with the older verdict at most this long after a change. */
const askEveryMs = 5_000;

export class SignatureEpoch {
  readonly #keeper: Keeper;
  readonly #timer: NodeJS.Timeout;
  /** "" until the inspector has said what it works with: then nothing is accepted without asking. */
  #current = '';

  constructor(keeper: Keeper) {
    this.#keeper = keeper;
    this.#timer = setInterval(() => void this.refresh(), askEveryMs).unref();
    void this.refresh();
  }

  accepts(epoch: string): boolean {
    return epoch === this.#current;
  }

  async refresh(): Promise<void> {
    try {
      const status = await this.#keeper.request<StatusAnswer>('status', null);
      // An inspector that is away for a moment changes no signature.
      if (status.inspector !== null) this.#current = status.inspector.epoch;
    } catch {
      // A keeper that is gone ends this process; one that is busy is asked again.
    }
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
