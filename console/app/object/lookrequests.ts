/** What the safe look asks of the server: its own calls, since a picture is no JSON. */
import type { LookAnswer, RenderRequest } from '@lazaret/pacs/quarantine/requests.ts';
import { failureOf, RequestFailure, sessionOver } from '../api.ts';

/** A decoder is started for each picture of a held object and may be busy with a large frame. */
const timeoutMs = 60_000;

/** Throws RequestFailure with a sentence that says why it came to nothing. */
async function post(objectId: string, what: string, body: unknown, signal?: AbortSignal): Promise<Response> {
  const timeout = AbortSignal.timeout(timeoutMs);
  const response = await fetch(`/console/api/objects/${encodeURIComponent(objectId)}/look${what}`, {
    method: 'POST', credentials: 'same-origin', cache: 'no-store', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body), signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
  }).catch(() => {
    throw new RequestFailure(0, 'server-unreachable', 'Lazaret does not answer; the connection or the server is down.');
  });
  if (response.ok) return response;
  if (response.status === 401) throw sessionOver();
  throw failureOf(response.status, await response.json().catch(() => null));
}

/** `until` by this machine's clock, which need not be the server's. */
export async function openLook(objectId: string, reason: string): Promise<LookAnswer> {
  const answer = (await (await post(objectId, '', { reason })).json()) as LookAnswer;
  return { ...answer, until: Date.now() + answer.forMs };
}

export async function closeLook(objectId: string, look: string): Promise<void> {
  await post(objectId, '/close', { look });
}

/** One frame as a picture, and how many frames there are. */
export async function frameOf(objectId: string, look: string, frame: number, window: RenderRequest['window'], signal: AbortSignal): Promise<{ readonly picture: Blob; readonly frames: number }> {
  const response = await post(objectId, '/frame', { look, frame, window }, signal);
  return { picture: await response.blob(), frames: Number(response.headers.get('x-frames')) };
}

/** Windows that people judge a CT by; other images show what they say of themselves, or all that is in them. */
export const presets: readonly { readonly name: string; readonly window: RenderRequest['window']; readonly only?: 'CT' }[] = [
  { name: 'As the image says', window: null },
  { name: 'Soft tissue', window: { center: 40, width: 400 }, only: 'CT' },
  { name: 'Lung', window: { center: -600, width: 1_500 }, only: 'CT' },
  { name: 'Bone', window: { center: 480, width: 2_500 }, only: 'CT' },
  { name: 'Brain', window: { center: 40, width: 80 }, only: 'CT' },
];
