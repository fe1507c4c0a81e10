/** What the door asks of the keeper. An interface, because it is the whole of what this door relies on. */
import type { AuditMessage } from '@lazaret/audit/message.ts';
import type { Asset, PeerIdentity } from '@lazaret/hospital/assets/lookup.ts';
import { connectChannel, type Channel } from '@lazaret/system/channel.ts';
import type { Admission, ReceivedObject } from '../contract.ts';

export interface Keeper {
  asset(peer: PeerIdentity): Promise<Asset | null>;
  admit(object: ReceivedObject): Promise<Admission>;
  record(message: AuditMessage): Promise<void>;
}

/** How long a request waits for a keeper that is being restarted before the sender is told to try again. */
const reconnectTimeoutMs = 3_000;

/** The keeper behind its socket. A channel that broke is opened again by the next request; what was under way fails and is not repeated. */
export class KeeperLink implements Keeper {
  readonly #path: string;
  #channel: Promise<Channel> | null = null;

  constructor(path: string) {
    this.#path = path;
  }

  /** Waits for the keeper at start-up, when processes come up in any order. */
  async open(timeoutMs: number): Promise<void> {
    await this.#connect(timeoutMs);
  }
  async asset(peer: PeerIdentity): Promise<Asset | null> {
    return (await this.#connect()).request<Asset | null>('asset', peer);
  }
  async admit(object: ReceivedObject): Promise<Admission> {
    return (await this.#connect()).request<Admission>('admit', object);
  }
  async record(message: AuditMessage): Promise<void> {
    await (await this.#connect()).request('record', message);
  }
  async close(): Promise<void> {
    (await this.#channel?.catch(() => null))?.close();
  }

  #connect(timeoutMs: number = reconnectTimeoutMs): Promise<Channel> {
    if (this.#channel !== null) return this.#channel;
    const opening = connectChannel(this.#path, timeoutMs);
    this.#channel = opening;
    const forget = (): void => {
      if (this.#channel === opening) this.#channel = null;
    };
    opening.then((channel) => channel.closed.then(forget), forget);
    return opening;
  }
}
