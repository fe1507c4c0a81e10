/** Every question that pages ask again and again, with how often. */
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import type { State } from '@lazaret/pacs/quarantine/contract.ts';
import { windowBytesMax } from '../server/answers.ts';
import { api } from './api.ts';

/** Fast enough to see a study arrive, slow enough for ten open consoles. */
const livePollMs = 3_000;
const slowPollMs = 10_000;
/** The most that the keeper gives at once: batches are summed over whole pages. */
const pageEntries = 200;

export const sessionQuery = queryOptions({ queryKey: ['session'], queryFn: api.session, staleTime: 60_000 });
export const statusQuery = queryOptions({ queryKey: ['status'], queryFn: api.status, refetchInterval: slowPollMs });
export const entryQuery = (objectId: string) => queryOptions({ queryKey: ['object', objectId], queryFn: () => api.show(objectId), refetchInterval: slowPollMs });

export const listQuery = (states: readonly State[], text: string) =>
  infiniteQueryOptions({
    queryKey: ['list', states, text],
    queryFn: ({ pageParam }) => api.list(states, text, pageEntries, pageParam),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
    // All pages are asked again at each poll, so that nothing is shown twice or left out as new entries push old ones down.
    refetchInterval: (query) => ((query.state.data?.pages.length ?? 0) > 2 ? slowPollMs : livePollMs),
    placeholderData: (previous) => previous,
  });

/** Start of the window that holds the byte at `offset` with some bytes before it. */
export function windowStart(offset: number): number {
  return Math.max(0, Math.floor((offset - 64) / 2048) * 2048);
}
/** The bytes of an object never change, nor does its map. `start` is a multiple of 16, at most windowBytesMax before what is looked at. */
export const mapQuery = (objectId: string, start: number) =>
  queryOptions({ queryKey: ['map', objectId, start, windowBytesMax], queryFn: () => api.map(objectId, start), staleTime: Number.POSITIVE_INFINITY, gcTime: 5 * 60_000, placeholderData: (previous) => previous });
