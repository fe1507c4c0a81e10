/** The export of a held object: a call of its own, since its answer is a file. */
import { failureOf, RequestFailure, sessionOver } from '../api.ts';

export interface Exported {
  readonly file: Blob;
  readonly name: string;
  readonly passphrase: string;
  /** How much of what was found stands in bytes that were overwritten. */
  readonly overwrittenFindings: number;
}

/** Throws RequestFailure with a sentence that says why there is no file. A large object takes its time, so there is no limit on it. */
export async function exportObject(objectId: string, body: { readonly destination: string; readonly reason: string; readonly deIdentified: boolean }): Promise<Exported> {
  const response = await fetch(`/console/api/objects/${encodeURIComponent(objectId)}/export`, { method: 'POST', credentials: 'same-origin', cache: 'no-store', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }).catch(() => {
    throw new RequestFailure(0, 'server-unreachable', 'Lazaret does not answer; the connection or the server is down.');
  });
  if (response.status === 401) throw sessionOver();
  if (!response.ok) throw failureOf(response.status, await response.json().catch(() => null));
  const file = await response.blob().catch(() => {
    throw new RequestFailure(0, 'export-broken', 'The file broke off before it was whole; nothing of it was kept. Try again; if it stays so, look at the object in the file map.');
  });
  return { file, name: `held-${objectId.slice(0, 8)}.zip`, passphrase: response.headers.get('x-passphrase') ?? '', overwrittenFindings: Number(response.headers.get('x-overwritten-findings') ?? 0) };
}
