/** Routes of undoing: withdrawals, decisions for a whole medium or study, and asking a sender again. Reading takes `read`, everything else `decide`. */
import { json, type Route } from '@lazaret/pacs/access/routes.ts';
import type { ResendAsked } from '@lazaret/pacs/quarantine/contract.ts';
import type { GroupDecision, GroupDecisionAnswer, GroupsAnswer } from '@lazaret/pacs/quarantine/requests.ts';
import type { WithdrawalPreview, WithdrawalStatus, WithdrawnObject, WithdrawRequest } from '@lazaret/pacs/quarantine/withdrawalcontract.ts';
import { z } from 'zod';
import { api, type Keeper, noStore, objectId, reason } from './api.ts';

/** As many as the page shows; the terminal has the rest. */
const listMax = 50;
const objectsMax = 500;
const namedMax = 500;
/** What a source can be called (guards of the quarantine). */
const sourceCharactersMax = 256;

const longId = z.string().regex(/^[0-9a-f]{32}$/, 'is not an id: 32 hexadecimal digits');
const time = z.int().min(0).max(8.64e15);
const selection = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('import'), import: longId, known: z.boolean() }),
  z.strictObject({ kind: z.literal('source'), source: z.string().trim().min(1).max(sourceCharactersMax), since: time, until: time }),
  z.strictObject({ kind: z.literal('time'), since: time, until: time }),
  z.strictObject({ kind: z.literal('study'), study: z.string().regex(/^[0-9.]{1,64}$/, 'is not a UID') }),
  z.strictObject({ kind: z.literal('objects'), objects: z.array(objectId).min(1).max(objectsMax) }),
]);
const previewBody = z.strictObject({ selection });
const withdrawBody = z.strictObject({ selection, reason });
const restoreBody = z.strictObject({ reason, objects: z.array(objectId).max(objectsMax).default([]) });
const withdrawalParams = z.strictObject({ withdrawal: longId });
const by = z.enum(['medium', 'study']);
const groupsQuery = z.strictObject({ by });
const groupBody = z.strictObject({ by, key: z.string().max(sourceCharactersMax), decision: z.enum(['release', 'destroy']), reason, named: z.array(objectId).max(namedMax), after: z.int().min(0) });
const resendParams = z.strictObject({ objectId });
const nothing = z.strictObject({});

export function undoRoutes(keeper: Keeper): Route[] {
  const withdraw = <Answer>(request: WithdrawRequest): Promise<Answer> => keeper.request<Answer>('withdraw', request);
  return [
    api('GET', 'withdrawals', 'read', async () => json(200, await withdraw<WithdrawalStatus[]>({ do: 'list', limit: listMax }), noStore)),
    api('GET', 'withdrawals/:withdrawal', 'read', async ({ params }) => json(200, await withdraw<WithdrawalStatus>({ do: 'status', id: withdrawalParams.parse(params).withdrawal }), noStore)),
    api('GET', 'withdrawals/:withdrawal/objects', 'read', async ({ params }) => json(200, await withdraw<{ objects: WithdrawnObject[] }>({ do: 'objects', id: withdrawalParams.parse(params).withdrawal, after: 0, limit: objectsMax }), noStore)),
    // A question that only who may act on the answer asks: it names who has opened what.
    api('POST', 'withdrawals/preview', 'decide', async ({ body }) => json(200, await withdraw<WithdrawalPreview>({ do: 'preview', ...previewBody.parse(body) }), noStore)),
    api('POST', 'withdrawals', 'decide', async ({ actor, body }) => json(200, await withdraw<WithdrawalStatus>({ do: 'withdraw', ...withdrawBody.parse(body), person: actor.name, roles: actor.roles }), noStore)),
    api('POST', 'withdrawals/:withdrawal/restore', 'decide', async ({ actor, params, body }) => {
      const request = restoreBody.parse(body);
      return json(200, await withdraw<WithdrawalStatus>({ do: 'restore', id: withdrawalParams.parse(params).withdrawal, ...request, person: actor.name, roles: actor.roles }), noStore);
    }),
    api('GET', 'groups', 'read', async ({ query }) => json(200, await keeper.request<GroupsAnswer>('groups', groupsQuery.parse(Object.fromEntries(query))), noStore)),
    api('POST', 'groups/decision', 'decide', async ({ actor, body }) => {
      const request: GroupDecision = { ...groupBody.parse(body), person: actor.name, roles: actor.roles };
      return json(200, await keeper.request<GroupDecisionAnswer>('decideGroup', request), noStore);
    }),
    api('POST', 'objects/:objectId/resend', 'decide', async ({ actor, params, body }) => {
      nothing.parse(body ?? {});
      return json(200, await keeper.request<ResendAsked>('resend', { ...resendParams.parse(params), person: actor.name }), noStore);
    }),
  ];
}
