/** Which held object to look at first. */
import type { LedgerEntry } from '@lazaret/pacs/quarantine/contract.ts';

export interface Urgency {
  readonly level: 'act' | 'waiting' | 'routine';
  readonly short: string;
  readonly text: string;
}

/** Within this time of an examination somebody may be about to read it. */
const readingMs = 24 * 3600 * 1000;

/**
 * Malicious: the device that sent it may be infected, whatever becomes of the image. Otherwise an image that came today may be
 * needed now; older ones were missed by nobody so far.
 */
export function urgencyOf(entry: Pick<LedgerEntry, 'verdict' | 'receivedAt'>, now: number): Urgency {
  if (entry.verdict === 'malicious') return { level: 'act', short: 'Act now', text: 'Act now: the sender may be infected' };
  if (now - entry.receivedAt < readingMs) return { level: 'waiting', short: 'Soon: came today', text: 'It came today: somebody may be waiting for it' };
  return { level: 'routine', short: 'When you can', text: 'Decide when you can' };
}

const order = { act: 0, waiting: 1, routine: 2 } as const;

/** Most urgent first, and the longest waiting first among equals. */
export function byUrgency(entries: readonly LedgerEntry[], now: number): LedgerEntry[] {
  return entries.toSorted((one, other) => order[urgencyOf(one, now).level] - order[urgencyOf(other, now).level] || one.receivedAt - other.receivedAt);
}
