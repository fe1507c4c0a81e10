/** One request of an upload: an answer, or why there is none and whether trying again makes sense. */
import type { UploadState } from '../../../server/deskanswers.ts';
import { failureOf, RequestFailure } from '../../api.ts';

/** A piece of 8 MB takes 70 s over a line of 1 Mbit/s. */
const timeoutMs = 5 * 60_000;

/** Rejects with a RequestFailure. `status` 0: no answer. Never leaves the page: what is being sent would be lost. */
export async function wire(path: string, init: RequestInit, signal: AbortSignal): Promise<UploadState> {
  let response: Response;
  try {
    response = await fetch(`/console/api/desk/uploads${path}`, { credentials: 'same-origin', cache: 'no-store', ...init, signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]) });
  } catch {
    throw new RequestFailure(0, 'server-unreachable', 'The connection is lost.');
  }
  const body: unknown = await response.json().catch(() => null);
  if (response.ok && body !== null) return body as UploadState;
  if (response.ok) throw new RequestFailure(0, 'server-unreachable', 'The connection is lost.');
  if (response.status === 401) throw new RequestFailure(401, 'session-over', 'You are signed out.');
  throw failureOf(response.status, body);
}

export const post = (value: unknown): RequestInit => ({ method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) });
export const bytesBody = (method: 'POST' | 'PUT', body: Blob): RequestInit => ({ method, headers: { 'content-type': 'application/octet-stream' }, body });

/** It may go better by itself: no connection, a server that starts again or is full, a session that somebody renews in another tab. */
export function passes(error: unknown): boolean {
  return error instanceof RequestFailure && (error.status === 0 || error.status === 401 || error.status === 429 || error.status >= 500);
}
