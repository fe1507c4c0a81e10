/** What the pages ask of the console's server, and what becomes of a request that fails. */
import type { LedgerEntry, State } from '@lazaret/pacs/quarantine/contract.ts';
import type { DecideAnswer, ListAnswer, MapAnswer, RescanStatus, StatusAnswer } from '@lazaret/pacs/quarantine/requests.ts';
import { windowBytesMax, type SessionAnswer } from '../server/answers.ts';
import type { Decision } from './object/decisions.ts';

/** A request that came to nothing. `status` 0: no answer at all. */
export class RequestFailure extends Error {
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string, message: string) {
    super(message);
    this.name = 'RequestFailure';
    this.status = status;
    this.code = code;
  }
}

const requestTimeoutMs = 20_000;
/** The map is made afresh by an examiner that may be busy with what arrives. */
const mapTimeoutMs = 60_000;

export async function ask<Answer>(path: string, init: RequestInit = {}, timeoutMs = requestTimeoutMs): Promise<Answer> {
  let response: Response;
  try {
    response = await fetch(`/console/api/${path}`, { credentials: 'same-origin', cache: 'no-store', ...init, signal: AbortSignal.timeout(timeoutMs) });
  } catch {
    throw new RequestFailure(0, 'server-unreachable', 'Lazaret does not answer. Objects already received are safe; the connection or the server is down.');
  }
  if (response.status === 401) throw sessionOver();
  const body: unknown = await response.json().catch(() => null);
  if (response.ok) return body as Answer;
  throw failureOf(response.status, body);
}

/** The session has ended: away to sign in, and back. */
export function sessionOver(): RequestFailure {
  signIn();
  return new RequestFailure(401, 'session-over', 'Your session is over. Sign in again.');
}

/** What an answer that is none says of itself (RFC 9457). */
export function failureOf(status: number, body: unknown): RequestFailure {
  const { code, title, detail } = (body ?? {}) as { code?: unknown; title?: unknown; detail?: unknown };
  const named = typeof title === 'string' ? title : typeof code === 'string' ? code : 'request-failed';
  return new RequestFailure(status, named, typeof detail === 'string' ? detail : `The server answered ${status}.`);
}

let leaving = false;
let mustStay: () => boolean = () => false;
/** While `busy` says so, the end of a session does not take the page away: something in it would be lost. */
export function stayWhile(busy: () => boolean): void {
  mustStay = busy;
}
/** To the sign-in page and back to where we are. */
function signIn(): void {
  if (leaving || mustStay()) return;
  leaving = true;
  location.assign(`/sign-in?to=${encodeURIComponent(location.pathname + location.search)}`);
}

/** Ends the session, then to the sign-in page. */
export async function leave(): Promise<void> {
  await fetch('/console/sign-out', { method: 'POST', credentials: 'same-origin' }).catch(() => undefined);
  signIn();
}

export const api = {
  session: () => ask<SessionAnswer>('session'),
  list: (states: readonly State[], text: string, limit: number, after: string | null) => {
    const query = new URLSearchParams({ states: states.join(','), text, limit: String(limit) });
    if (after !== null) query.set('after', after);
    return ask<ListAnswer>(`objects?${query}`);
  },
  show: (objectId: string) => ask<LedgerEntry>(`objects/${encodeURIComponent(objectId)}`),
  map: (objectId: string, offset: number) => ask<MapAnswer>(`objects/${encodeURIComponent(objectId)}/map?offset=${offset}&length=${windowBytesMax}`, {}, mapTimeoutMs),
  decide: (objectId: string, decision: Decision, reason: string) =>
    ask<DecideAnswer>(`objects/${encodeURIComponent(objectId)}/decision`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ decision, reason }) }),
  rescan: (what: 'start' | 'pause' | 'resume' | 'stop') => ask<RescanStatus | null>('rescan', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ do: what }) }),
  status: () => ask<StatusAnswer>('status'),
};
