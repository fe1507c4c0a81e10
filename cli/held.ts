/** What the commands about held objects share: which object is meant, and who says so. */
import { userInfo } from 'node:os';
import type { ListAnswer, ListRequest } from '@lazaret/pacs/quarantine/requests.ts';
import type { Channel } from '@lazaret/system/channel.ts';
import { Failure } from '@lazaret/system/failure.ts';

/** As many as the keeper gives at once: a beginning that fits more is too short. */
const pageMax = 200;

/** Who is recorded: the account of this terminal, and whoever says to sit there. */
export function personOf(values: { readonly as?: string }): string {
  const user = userInfo().username;
  return values.as === undefined || values.as.trim() === '' ? user : `${values.as.trim()} (at the terminal of ${user})`;
}

/** The object that begins with `word`; throws `object-unknown` or `object-ambiguous`. */
export async function wholeId(channel: Channel, word: string): Promise<string> {
  const start = word.toLowerCase();
  if (start.length === 32) return start;
  const answer = await channel.request<ListAnswer>('list', { states: [], text: start, limit: pageMax, after: null } satisfies ListRequest);
  const found = answer.entries.filter((entry) => entry.objectId.startsWith(start));
  if (found.length === 1) return found[0]!.objectId;
  throw new Failure('refused', found.length === 0 ? 'object-unknown' : 'object-ambiguous', found.length === 0 ? `No object begins with ${start}.` : `${found.length} objects begin with ${start}; give more digits.`);
}
