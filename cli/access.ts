/** Asks the keeper's terminal socket about accounts and tokens, for `token` and `user`. */
import type { AccessAnswer, AccessRequest } from '@lazaret/pacs/access/requests.ts';
import { terminal } from '@lazaret/pacs/access/store.ts';
import { withKeeper } from './keeper.ts';

/** A request without `by`: the terminal is who asks, and the keeper knows that by the socket. */
type Plain<Request> = Request extends { readonly by: unknown } ? Omit<Request, 'by'> : Request;

/** One request. Rejects with a Failure for people: nothing runs, or the keeper refused. */
export async function askAccess(data: string, request: Plain<AccessRequest>): Promise<AccessAnswer> {
  return withKeeper(data, (channel) => channel.request<AccessAnswer>('access', { ...request, by: terminal }));
}

/** Columns as wide as their widest cell. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) => `${row.map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column]!))).join('  ')}\n`).join('');
}

export function dateOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 16).replace('T', ' ');
}
