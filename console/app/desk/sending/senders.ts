/** All discs that this page is sending, outside of what is drawn: going to another page of the console does not stop them. */
import { useSyncExternalStore } from 'react';
import { stayWhile } from '../../api.ts';
import type { Disc } from './disc.ts';
import { Sender, type Sending } from './sender.ts';

const senders = new Map<number, Sender>();
const listeners = new Set<() => void>();
let shown: readonly Sending[] = [];

function changed(): void {
  shown = [...senders.values()].map(({ state }) => state).toReversed();
  for (const listener of listeners) listener();
}

export function send(disc: Disc): void {
  const sender = new Sender(disc, changed);
  senders.set(sender.state.number, sender);
  changed();
  void sender.run();
}
export function cancelSending(number: number): Promise<void> {
  return senders.get(number)?.cancel() ?? Promise.resolve();
}
/** No more to be told of. */
export function dismiss(number: number): void {
  senders.delete(number);
  changed();
}
export function hurry(): void {
  for (const sender of senders.values()) sender.hurry();
}

/** Newest first. */
export function useSendings(): readonly Sending[] {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, () => shown);
}

export function isActive({ phase }: Sending): boolean {
  return phase === 'preparing' || phase === 'sending' || phase === 'waiting';
}

/** Leaving would stop them: the browser asks before it lets go, and the end of a session does not take the page away. */
const busy = (): boolean => shown.some(isActive);
stayWhile(busy);
if (typeof window !== 'undefined') {
  window.addEventListener('beforeunload', (event) => { if (busy()) event.preventDefault(); });
  window.addEventListener('online', hurry);
}
