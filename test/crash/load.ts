/** Senders that do not give up: they send objects over associations that break, and remember what was acknowledged. */
import { setTimeout as wait } from 'node:timers/promises';
import { encode, transferSyntaxes, withElements } from '../../tools/recipes/encode.ts';
import { pe } from '../../tools/recipes/inert.ts';
import { ctSlice, sopClasses } from '../../tools/recipes/objects.ts';
import { uidOf } from '../../tools/recipes/recipe.ts';
import { Association, type StoreRequest } from '../scu.ts';

/** Every so many objects one has an inert program header in a private element: it must never be archived. Each costs a fresh examiner. */
const hostileEvery = 16;
/** And one is sent a second time although it was acknowledged. */
const repeatEvery = 5;
/** Between two objects of a sender: the inspection, killed again and again, must come after. */
const pauseMs = 60;

export interface Sent {
  readonly sopInstanceUID: string;
  readonly hostile: boolean;
  /** Answered with status 0000. */
  acknowledged: boolean;
  attempts: number;
}

export class Load {
  readonly sent: Sent[] = [];
  /** Statuses other than success, for the report: all of them must be failures that ask to send again. */
  readonly refusals = new Map<number, number>();
  readonly #port: number;
  readonly #senders: Promise<void>[];
  #stopping = false;

  constructor(port: number, senders: number) {
    this.#port = port;
    this.#senders = Array.from({ length: senders }, (_, sender) => this.#send(sender));
  }

  /** Resolves when every sender has had its last object acknowledged. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#senders);
  }

  async #send(sender: number): Promise<void> {
    let association: Association | null = null;
    for (let index = 0; !this.#stopping; index++, await wait(pauseMs)) {
      const { request, sent } = objectOf(sender, index);
      this.sent.push(sent);
      for (let repeats = index % repeatEvery === 0 ? 2 : 1; repeats > 0; ) {
        sent.attempts += 1;
        try {
          association ??= await Association.open({ host: '127.0.0.1', port: this.#port, callingAETitle: `CRASH${sender}`, contexts: [[sopClasses.ct, transferSyntaxes.explicit]] });
          const { status } = await association.store(request);
          if (status === 0) {
            sent.acknowledged = true;
            repeats -= 1;
            continue;
          }
          this.refusals.set(status, (this.refusals.get(status) ?? 0) + 1);
        } catch {
          association?.abort(false);
          association = null;
        }
        await wait(25);
      }
    }
    await association?.release().catch(() => {});
  }
}

function objectOf(sender: number, index: number): { request: StoreRequest; sent: Sent } {
  const hostile = index % hostileEvery === hostileEvery - 1;
  const name = `crash ${sender} ${index}`;
  const base = withElements(ctSlice({ name, index: 0, count: 1, size: 16 }), ['0008,0018', 'UI', uidOf(name)]);
  const elements = hostile ? withElements(base, ['0009,0010', 'LO', 'LAZARET TEST'], ['0009,1001', 'OB', pe()]) : base;
  return {
    request: { sopClassUID: sopClasses.ct, sopInstanceUID: uidOf(name), transferSyntaxUID: transferSyntaxes.explicit, dataSet: encode(elements) },
    sent: { sopInstanceUID: uidOf(name), hostile, acknowledged: false, attempts: 0 },
  };
}
