/** A route of the console's JSON API, and what becomes of a request that comes to nothing. */
import { Failure } from '@lazaret/system/failure.ts';
import type { Action } from '@lazaret/pacs/access/actions.ts';
import { problem, type Route, type RouteAnswer, type RouteRequest } from '@lazaret/pacs/access/routes.ts';
import type { ObjectId } from '@lazaret/pacs/reception/contract.ts';
import { z } from 'zod';
import { reasonCharactersMax, reasonCharactersMin } from './answers.ts';

/** The keeper as the console sees it: a Channel (system/channel.ts) or anything that answers the same requests. */
export interface Keeper {
  request<Answer>(name: string, body: unknown): Promise<Answer>;
}

/** What several routes take. */
export const objectId = z.string().regex(/^[0-9a-f]{32}$/, 'is not an object id: 32 hexadecimal digits').transform((text) => text as ObjectId);
export const objectParams = z.strictObject({ objectId });
/** Of whatever somebody answers for with their name. */
export const reason = z.string().trim().min(reasonCharactersMin, `is too short: at least ${reasonCharactersMin} characters, it goes on the record`).max(reasonCharactersMax);

/** Answers name patients: no cache keeps them. */
export const noStore = { 'cache-control': 'no-store' };

export type Handler = (request: RouteRequest) => Promise<RouteAnswer> | RouteAnswer;

/** A GET without a body, a POST with one in JSON. */
export function api(method: 'GET' | 'POST', path: string, action: Action, handler: Handler): Route {
  return route({ method, path, action, body: method === 'POST' ? 'json' : 'none' }, handler);
}

export function route({ path, ...rest }: Pick<Route, 'method' | 'action' | 'body' | 'bodyBytesMax'> & { readonly path: string }, handler: Handler): Route {
  return {
    ...rest,
    url: `/console/api/${path}`,
    audience: 'console',
    handler: async (request) => {
      try {
        return await handler(request);
      } catch (error) {
        return answerFailure(error);
      }
    },
  };
}

/** The HTTP status for a request that came to nothing, with a sentence for the person who made it. Our own bugs are thrown on. */
function answerFailure(error: unknown): RouteAnswer {
  if (error instanceof z.ZodError) {
    return problem(400, 'request-invalid', error.issues.map((issue) => `${issue.path.join('.') || 'the request'} ${issue.message}`).join('; '));
  }
  if (!(error instanceof Failure) || error.severity === 'broken') throw error;
  if (error.severity === 'unavailable') return problem(503, error.code, error.message, { 'retry-after': 3 });
  if (error.code === 'role-missing') return problem(403, error.code, error.message);
  if (error.code === 'reason-missing') return problem(400, error.code, error.message);
  if (/-(unknown|missing|absent|not-found)$/.test(error.code)) return problem(404, error.code, error.message);
  return problem(409, error.code, error.message);
}
