/** What the Held page asks about groups, and the request to a sender. */
import { queryOptions } from '@tanstack/react-query';
import type { LedgerEntry, ResendAsked } from '@lazaret/pacs/quarantine/contract.ts';
import type { GroupBy, GroupDecisionAnswer, GroupsAnswer, ListAnswer } from '@lazaret/pacs/quarantine/requests.ts';
import { ask } from '../api.ts';
import { post } from '../trace/requests.ts';

const pollMs = 5_000;
const objectsMax = 200;
/** Each file is read once more before it is released. */
const decisionTimeoutMs = 120_000;

export const groupsQuery = (by: GroupBy) => queryOptions({ queryKey: ['groups', by], queryFn: () => ask<GroupsAnswer>(`groups?${new URLSearchParams({ by })}`), refetchInterval: pollMs });
export const groupObjectsQuery = (by: GroupBy, key: string, open: boolean) => queryOptions({
  queryKey: ['list', 'group', by, key], queryFn: () => ask<ListAnswer>(`objects?${new URLSearchParams({ states: 'held', limit: String(objectsMax), by, key })}`), enabled: open, refetchInterval: pollMs,
});

export interface GroupOutcome {
  readonly done: number;
  readonly proposed: number;
  readonly left: GroupDecisionAnswer['left'];
}
/** Decides on all of a group, some at a time; `onProgress` hears after each of them how far it is. */
export async function decideGroup(request: { readonly by: GroupBy; readonly key: string; readonly decision: 'release' | 'destroy'; readonly reason: string; readonly named: readonly string[] }, onProgress: (outcome: GroupOutcome) => void): Promise<GroupOutcome> {
  let outcome: GroupOutcome = { done: 0, proposed: 0, left: [] };
  for (let after: number | null = 0; after !== null; ) {
    const answer: GroupDecisionAnswer = await post<GroupDecisionAnswer>('groups/decision', { ...request, after }, decisionTimeoutMs);
    outcome = { done: outcome.done + answer.done, proposed: outcome.proposed + answer.proposed, left: [...outcome.left, ...answer.left] };
    after = answer.next;
    onProgress(outcome);
  }
  return outcome;
}

export const askSender = (entry: LedgerEntry): Promise<ResendAsked> => post(`objects/${entry.objectId}/resend`, {});
