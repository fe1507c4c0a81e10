/**
 * The console's thin server: checks what the browser sends, asks the keeper, hands the answer on. Nothing is decided here but the
 * shape of requests; who may do what is decided before a handler runs (pacs/access), what may happen to an object is the keeper's.
 *
 * SECURITY: everything in the answers that came with an object (names, descriptions, findings' texts, bytes) is data of an unknown sender.
 * It leaves as JSON and base64 only; the pages show it as text (app/words/plain.ts).
 */
import { json, type Route } from '@lazaret/pacs/access/routes.ts';
import { states, type LedgerEntry } from '@lazaret/pacs/quarantine/contract.ts';
import type { DecideAnswer, DecideRequest, ListAnswer, ListRequest, MapAnswer, RescanRequest, RescanStatus, StatusAnswer, TraceAnswer, TraceRequest } from '@lazaret/pacs/quarantine/requests.ts';
import { z } from 'zod';
import { api, type Keeper, noStore, objectParams, reason } from './api.ts';
import { deskRoutes } from './desk/routes.ts';
import type { Uploads } from './desk/uploads.ts';
import { exportRoutes } from './export.ts';
import { identityRoutes } from './identity.ts';
import { lookRoutes } from './look.ts';
import { pageRoutes } from './pages.ts';
import { undoRoutes } from './undo.ts';
import { windowBytesMax, type SessionAnswer } from './answers.ts';

export type { Keeper };
export interface ConsoleDeps {
  readonly keeper: Keeper;
  /** Folder of the built pages; console/dist where it is not given. */
  readonly pages?: string;
  /** Of the desk page; where it is not given, there is no desk. */
  readonly uploads?: Uploads;
  /** Folder of held objects; where it is not given, nothing is exported. */
  readonly quarantine?: string;
}

/** Longest search text: a UID is at most 64 characters (PS3.5 §9.1), a person name 64 in each of three groups. */
const textCharactersMax = 200;
/** What the keeper gives at most in one answer (ListRequest). */
const listEntriesMax = 200;

const count = (most: number) => z.string().regex(/^\d{1,16}$/, 'is not a number').transform(Number).refine((value) => value <= most, `is more than ${most}`);
const listQuery = z.strictObject({
  states: z.string().optional().transform((text) => (text === undefined || text === '' ? [] : text.split(','))).pipe(z.array(z.enum(states))),
  text: z.string().max(textCharactersMax).default(''),
  limit: count(listEntriesMax).default(100),
  after: z.string().max(512).optional(),
  /** Only those of one group of held objects. */
  by: z.enum(['medium', 'study']).optional(),
  key: z.string().max(256).default(''),
});
const windowQuery = z.strictObject({ offset: count(Number.MAX_SAFE_INTEGER).optional(), length: count(windowBytesMax).optional() });
const traceQuery = z.strictObject({
  id: z.string().trim().max(64).default(''),
  source: z.string().trim().max(textCharactersMax).default(''),
  import: z.string().trim().max(32).default(''),
  since: count(Number.MAX_SAFE_INTEGER).default(0),
  until: count(Number.MAX_SAFE_INTEGER).default(0),
  /** Minutes. */
  window: count(24 * 60).default(60),
}).refine(({ id, source, import: medium, since, until }) => {
  const named = [id, source, medium].filter((word) => word !== '').length;
  return named === 1 || (named === 0 && since < until);
}, 'is for an object, for a source, for an import or for a time');
const rescanBody = z.strictObject({ do: z.enum(['start', 'pause', 'resume', 'stop']) });
const decisionBody = z.strictObject({
  decision: z.enum(['release', 'destroy']),
  reason,
});

/** Every route of the console: its JSON API under /console/api/ and its pages under /console/. */
export function consoleRoutes(deps: ConsoleDeps): Route[] {
  const { keeper } = deps;
  return [
    api('GET', 'session', 'read', ({ actor }) => json(200, { kind: actor.kind, name: actor.name, roles: actor.roles } satisfies SessionAnswer, noStore)),
    api('GET', 'objects', 'read', async ({ query }) => {
      const { after, by, key, ...rest } = listQuery.parse(Object.fromEntries(query));
      return json(200, await keeper.request<ListAnswer>('list', { ...rest, after: after ?? null, ...(by === undefined ? {} : { group: { by, key } }) } satisfies ListRequest), noStore);
    }),
    api('GET', 'objects/:objectId', 'read', async ({ params }) => json(200, await keeper.request<LedgerEntry>('show', objectParams.parse(params)), noStore)),
    api('GET', 'objects/:objectId/map', 'read', async ({ params, query }) => {
      const { objectId } = objectParams.parse(params);
      const { offset, length } = windowQuery.parse(Object.fromEntries(query));
      const window = offset === undefined ? null : { offset, length: length ?? windowBytesMax };
      return json(200, await keeper.request<MapAnswer>('map', window === null ? { objectId } : { objectId, window }), noStore);
    }),
    api('POST', 'objects/:objectId/decision', 'decide', async ({ actor, params, body }) => {
      const { objectId } = objectParams.parse(params);
      const { decision, reason } = decisionBody.parse(body);
      const request = { objectId: objectId as DecideRequest['objectId'], decision, reason, person: actor.name, roles: actor.roles };
      return json(200, await keeper.request<DecideAnswer>('decide', request satisfies DecideRequest), noStore);
    }),
    api('GET', 'trace', 'read', async ({ query }) => {
      const { window, ...rest } = traceQuery.parse(Object.fromEntries(query));
      return json(200, await keeper.request<TraceAnswer>('trace', { ...rest, windowMs: window * 60_000 } satisfies TraceRequest), noStore);
    }),
    api('POST', 'rescan', 'administer', async ({ actor, body }) => {
      const request = rescanBody.parse(body);
      return json(200, await keeper.request<RescanStatus | null>('rescan', { ...request, since: 0, study: '', person: actor.name } satisfies RescanRequest), noStore);
    }),
    api('GET', 'status', 'read', async () => json(200, await keeper.request<StatusAnswer>('status', null), noStore)),
    ...undoRoutes(keeper),
    ...identityRoutes(keeper),
    ...(deps.uploads === undefined ? [] : deskRoutes({ keeper, uploads: deps.uploads })),
    ...lookRoutes(keeper),
    ...(deps.quarantine === undefined ? [] : exportRoutes(keeper, deps.quarantine)),
    ...pageRoutes(deps.pages),
  ];
}
