/** Whose an archived study is: as it was received, as it is served, who said so; and another choice. Reading takes `read`, choosing `decide`. */
import { json, type Route } from '@lazaret/pacs/access/routes.ts';
import type { Reconciliation, StudyIdentity } from '@lazaret/pacs/archive/reconciliation/contract.ts';
import { z } from 'zod';
import { api, type Keeper, noStore, reason } from './api.ts';
import { replacement } from './replacement.ts';

const studyParams = z.strictObject({ study: z.string().regex(/^[0-9.]{1,64}$/, 'is not a UID') });
/** Null: back to what was received. */
const changeBody = z.strictObject({ replacement: replacement.nullable(), reason });

export function identityRoutes(keeper: Keeper): Route[] {
  return [
    api('GET', 'studies/:study/identity', 'read', async ({ params }) => json(200, await keeper.request<StudyIdentity>('reconcile', { do: 'study', studyInstanceUID: studyParams.parse(params).study }), noStore)),
    api('POST', 'studies/:study/identity', 'decide', async ({ actor, params, body }) => {
      const studyInstanceUID = studyParams.parse(params).study;
      const change = changeBody.parse(body);
      const asked = { do: 'change', studyInstanceUID, choice: { studyInstanceUID, replacement: change.replacement }, reason: change.reason, person: actor.name, address: actor.address };
      return json(200, await keeper.request<Reconciliation>('reconcile', asked), noStore);
    }),
  ];
}
