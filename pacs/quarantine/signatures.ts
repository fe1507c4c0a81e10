/**
 * Which signatures are current, and what that means for a verdict that was given with others (docs/operations/late-detection.md).
 *
 * A signature epoch is a list such as "structure 1; content 1; yara-x 1.2 rules 0123456789ab; clamd 1.4.6 27000": everything that had a say.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { InspectorStatus } from './requests.ts';

/**
 * Whether a verdict of epoch `verdict` still counts while `current` is what objects are inspected with: when everything that has a say now had
 * the same say then. An engine that is away for a moment makes nothing stale; one that came anew, or came back with other signatures, does, and so
 * does a rule pack that was rolled back. Nothing counts before an inspector has said what it works with.
 */
export function covers(verdict: string, current: string): boolean {
  if (current === '') return false;
  if (verdict === current) return true;
  const had = new Set(partsOf(verdict));
  return partsOf(current).every((part) => had.has(part));
}

function partsOf(epoch: string): string[] {
  return epoch.split(';').map((part) => part.trim()).filter((part) => part !== '');
}

/** What the inspectors that are connected say of themselves. The epoch outlives them: an inspector that is started again changes no signature. */
export class Signatures {
  /** By connection: an inspector that is gone has no state. */
  readonly #inspectors = new Map<AbortSignal, InspectorStatus>();
  readonly #listeners: (() => void)[] = [];
  #epoch = '';
  #changed = Promise.withResolvers<void>();

  hello(signal: AbortSignal, status: InspectorStatus): void {
    if (!this.#inspectors.has(signal)) signal.addEventListener('abort', () => this.#inspectors.delete(signal), { once: true });
    this.#inspectors.set(signal, status);
    const epoch = typeof status.epoch === 'string' ? status.epoch : '';
    if (epoch === '' || epoch === this.#epoch) return;
    this.#epoch = epoch;
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
    for (const listener of this.#listeners) listener();
  }

  /** "" until the first inspector has said it. */
  get epoch(): string {
    return this.#epoch;
  }
  get latest(): InspectorStatus | null {
    return [...this.#inspectors.values()].at(-1) ?? null;
  }
  /** How many objects can be looked into side by side. */
  get examiners(): number {
    return [...this.#inspectors.values()].reduce((sum, { examiners }) => sum + (Number.isSafeInteger(examiners) ? examiners : 0), 0);
  }
  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** The epoch, as soon as it is another one than `known` or the time is over. */
  async next(known: string, timeoutMs: number, signal: AbortSignal): Promise<string> {
    if (this.#epoch !== known || timeoutMs <= 0) return this.#epoch;
    const over = new AbortController();
    const gone = (): void => over.abort();
    signal.addEventListener('abort', gone, { once: true });
    await Promise.race([this.#changed.promise, wait(timeoutMs, undefined, { signal: over.signal, ref: false }).catch(() => {})]);
    signal.removeEventListener('abort', gone);
    over.abort();
    return this.#epoch;
  }
}
