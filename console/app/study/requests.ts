/** What the page of a study asks. */
import { queryOptions } from '@tanstack/react-query';
import type { Reconciliation, Replacement, StudyIdentity } from '@lazaret/pacs/archive/reconciliation/contract.ts';
import { ask } from '../api.ts';

const movingMs = 500;
const quietMs = 10_000;

export const identityQuery = (study: string) =>
  queryOptions({ queryKey: ['study', study], queryFn: () => ask<StudyIdentity>(`studies/${encodeURIComponent(study)}/identity`), retry: false, refetchInterval: (query) => (query.state.data?.history[0]?.state === 'taking' ? movingMs : quietMs) });

/** Null: back to what was received. */
export const change = (study: string, replacement: Replacement | null, reason: string): Promise<Reconciliation> =>
  ask<Reconciliation>(`studies/${encodeURIComponent(study)}/identity`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ replacement, reason }) });

/** The choice that the study is served under, or undefined: as it was received, since nobody has said otherwise. */
export function inForce({ history }: StudyIdentity): Reconciliation | undefined {
  return history.find(({ state }) => state === 'taken');
}
