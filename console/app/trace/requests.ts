/** What the Trace page asks: traces, withdrawals, and what a withdrawal would take. */
import { queryOptions } from '@tanstack/react-query';
import type { TraceAnswer } from '@lazaret/pacs/quarantine/requests.ts';
import type { Selection, WithdrawalPreview, WithdrawalStatus, WithdrawnObject } from '@lazaret/pacs/quarantine/withdrawalcontract.ts';
import { ask } from '../api.ts';

const pollMs = 10_000;
const movingMs = 500;
/** A preview goes through the ledger, the index and the record. */
const previewTimeoutMs = 60_000;
const dayMs = 24 * 3_600_000;
/** As far back as an incident is usually noticed. */
export const daysUsual = 7;

export interface Traced {
  readonly id: string;
  readonly source: string;
  readonly import: string;
  readonly days: number;
  /** Milliseconds since 1970; null: it is not about a time alone. */
  readonly window: { readonly since: number; readonly until: number } | null;
}

export function post<Answer>(path: string, body: unknown, timeoutMs?: number): Promise<Answer> {
  return ask<Answer>(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }, timeoutMs);
}

/** The window of a source ends a minute from now: what arrives while one looks belongs to it. */
export function windowOf(days: number, now = Date.now()): { readonly since: number; readonly until: number } {
  return { since: now - days * dayMs, until: now + 60_000 };
}

export const traceQuery = (traced: Traced) => queryOptions({
  queryKey: ['trace', traced.id, traced.source, traced.import, traced.days, traced.window],
  queryFn: () => {
    const { since, until } = traced.window ?? windowOf(traced.days);
    const query = traced.window !== null ? { since: String(since), until: String(until) } : traced.source !== '' ? { source: traced.source, since: String(since), until: String(until) } : traced.import !== '' ? { import: traced.import } : { id: traced.id };
    return ask<TraceAnswer>(`trace?${new URLSearchParams(query as Record<string, string>)}`);
  },
  refetchInterval: pollMs, retry: false,
});

export const isMoving = (status: WithdrawalStatus): boolean => status.state === 'withdrawing' || status.state === 'restoring';
export const withdrawalsQuery = queryOptions({ queryKey: ['withdrawals'], queryFn: () => ask<readonly WithdrawalStatus[]>('withdrawals'), refetchInterval: (query) => (query.state.data?.some(isMoving) === true ? movingMs : pollMs) });
export const withdrawalQuery = (id: string) => queryOptions({ queryKey: ['withdrawals', id], queryFn: () => ask<WithdrawalStatus>(`withdrawals/${id}`), enabled: id !== '', refetchInterval: (query) => (query.state.data !== undefined && !isMoving(query.state.data) ? pollMs : movingMs) });
export const withdrawnQuery = (id: string, state: string) => queryOptions({ queryKey: ['withdrawals', id, 'objects', state], queryFn: () => ask<{ readonly objects: readonly WithdrawnObject[]; readonly next: number | null }>(`withdrawals/${id}/objects`) });
/** As it is now: what somebody agrees to must not be of minutes ago. */
export const previewQuery = (selection: Selection, open: boolean) => queryOptions({ queryKey: ['preview', selection], queryFn: () => post<WithdrawalPreview>('withdrawals/preview', { selection }, previewTimeoutMs), enabled: open, staleTime: 0, gcTime: 0, retry: false });

export const withdraw = (selection: Selection, reason: string): Promise<WithdrawalStatus> => post('withdrawals', { selection, reason });
export const restore = (id: string, reason: string): Promise<WithdrawalStatus> => post(`withdrawals/${id}/restore`, { reason });
