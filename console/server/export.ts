/**
 * A held object for a supplier or a laboratory, encrypted (pacs/quarantine/exportfile.ts): one request, whose answer is the ZIP file as it is made. The passphrase is
 * made here and goes with the answer, once: to somebody who sees the object anyway. It is written nowhere.
 */
import { PassThrough } from 'node:stream';
import type { Route } from '@lazaret/pacs/access/routes.ts';
import { verdictRow } from '@lazaret/pacs/inspection/verdict.ts';
import type { LedgerEntry } from '@lazaret/pacs/quarantine/contract.ts';
import { checkBlanking, exportItem, overwrittenFindings, writeExport } from '@lazaret/pacs/quarantine/exportfile.ts';
import { newPassphrase } from '@lazaret/pacs/quarantine/exportpassphrase.ts';
import type { ExportRequest } from '@lazaret/pacs/quarantine/requests.ts';
import type { ObjectId } from '@lazaret/pacs/reception/contract.ts';
import { z } from 'zod';
import { destinationCharactersMax } from './answers.ts';
import { api, type Keeper, noStore, objectParams, reason } from './api.ts';

const exportBody = z.strictObject({
  reason,
  destination: z.string().trim().min(2, 'is missing: say who gets it').max(destinationCharactersMax),
  deIdentified: z.boolean(),
});

/** `quarantine`: the folder of held objects, which web reads and does not write. */
export function exportRoutes(keeper: Keeper, quarantine: string): Route[] {
  return [
    api('POST', 'objects/:objectId/export', 'decide', async ({ actor, params, body }) => {
      const objectId = objectParams.parse(params).objectId as ObjectId;
      const { reason, destination, deIdentified } = exportBody.parse(body);
      const item = await exportItem((name, asked) => keeper.request(name, asked), objectId, deIdentified, quarantine);
      if (deIdentified) checkBlanking([item]);
      const request: ExportRequest = { objectId, person: actor.name, address: actor.address, roles: actor.roles, reason, destination, form: deIdentified ? 'de-identified' : 'encrypted' };
      await keeper.request<LedgerEntry>('export', request);
      const passphrase = newPassphrase();
      const file = new PassThrough();
      // A file that cannot be finished ends as a broken answer: the browser then keeps nothing.
      void writeExport([item], { passphrase, deIdentified, person: actor.name, reason, destination, at: Date.now(), explain: verdictRow }, file).catch((error: unknown) => file.destroy(error as Error));
      return {
        status: 200,
        headers: {
          'content-type': 'application/zip', 'content-disposition': `attachment; filename="held-${objectId.slice(0, 8)}.zip"`, 'x-content-type-options': 'nosniff', 'content-security-policy': "default-src 'none'; sandbox", 'cross-origin-resource-policy': 'same-origin',
          'x-passphrase': passphrase, 'x-overwritten-findings': String(deIdentified ? overwrittenFindings(item).length : 0), ...noStore,
        },
        body: file,
      };
    }),
  ];
}
