/**
 * The safe look at a held object (pacs/quarantine/looks.ts): a reason, then pictures. All of it is a POST under the action `decide`: nothing of a held object is
 * got by an address that somebody might send to somebody else.
 */
import { json, problem, type Route } from '@lazaret/pacs/access/routes.ts';
import type { LookAnswer, RenderRequest, RenderedAnswer } from '@lazaret/pacs/quarantine/requests.ts';
import { z } from 'zod';
import { api, type Keeper, noStore, objectParams, reason } from './api.ts';

const openBody = z.strictObject({
  reason,
});
/** A screen's worth: a picture to judge by, not to read. */
const sideMax = 1_600;
const frameBody = z.strictObject({
  look: z.uuid(),
  /** From 1; 0: the one in the middle. */
  frame: z.number().int().min(0).max(0x7fffffff),
  window: z.strictObject({ center: z.number(), width: z.number().min(1) }).nullable(),
});
const closeBody = z.strictObject({ look: z.uuid() });

export function lookRoutes(keeper: Keeper): Route[] {
  return [
    api('POST', 'objects/:objectId/look', 'decide', async ({ actor, params, body }) => {
      const { objectId } = objectParams.parse(params);
      const { reason } = openBody.parse(body);
      return json(200, await keeper.request<LookAnswer>('look', { do: 'open', objectId, person: actor.name, address: actor.address, roles: actor.roles, reason }), noStore);
    }),
    api('POST', 'objects/:objectId/look/frame', 'decide', async ({ actor, params, body }) => {
      const { objectId } = objectParams.parse(params);
      const { look, frame, window } = frameBody.parse(body);
      const request: RenderRequest = { frame, widthMax: sideMax, heightMax: sideMax, window, type: 'image/png', quality: 90 };
      const answer = await keeper.request<RenderedAnswer>('look', { do: 'frame', look, objectId, person: actor.name, request });
      if (answer.outcome !== 'rendered') return problem(409, 'picture-impossible', answer.text);
      const bytes = Buffer.from(answer.base64, 'base64');
      return {
        status: 200,
        headers: {
          'content-type': 'image/png', 'content-length': bytes.length, 'x-content-type-options': 'nosniff', 'content-security-policy': "default-src 'none'; sandbox", 'cross-origin-resource-policy': 'same-origin',
          'x-frames': answer.frames, ...noStore,
        },
        body: bytes,
      };
    }),
    api('POST', 'objects/:objectId/look/close', 'decide', async ({ actor, params, body }) => {
      const { objectId } = objectParams.parse(params);
      return json(200, await keeper.request<null>('look', { do: 'close', look: closeBody.parse(body).look, objectId, person: actor.name }), noStore);
    }),
  ];
}
