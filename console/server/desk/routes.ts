/**
 * The desk page's requests: uploads, what became of them, whose they are, and small pictures of what came. Each takes the action `import`.
 */
import { json, problem, type Route, type RouteAnswer } from '@lazaret/pacs/access/routes.ts';
import type { Choice, IncomingStudy, LocalPatient } from '@lazaret/pacs/archive/reconciliation/contract.ts';
import type { LedgerEntry } from '@lazaret/pacs/quarantine/contract.ts';
import { pictureTypes, type RenderRequest, type RenderedAnswer } from '@lazaret/pacs/quarantine/requests.ts';
import type { ImportStatus, Receipt } from '@lazaret/pacs/reception/media/contract.ts';
import type { WorklistAnswer, WorklistRequest } from '@lazaret/pacs/worklist/contract.ts';
import { z } from 'zod';
import { api, noStore, route, type Keeper } from '../api.ts';
import { replacement } from '../replacement.ts';
import { linesBytesMax, linesMax, pieceBytesMax } from './limits.ts';
import type { Uploads, Uploader } from './uploads.ts';

export interface DeskDeps {
  readonly keeper: Keeper;
  readonly uploads: Uploads;
}

const idOf = (what: string) => z.string().regex(/^[0-9a-f]{32}$/, `is not the number of ${what}`);
const uploadParams = z.object({ upload: idOf('an upload') });
const fileParams = z.object({ upload: idOf('an upload'), file: z.string().regex(/^\d{1,7}$/, 'is not the number of a file').transform(Number) });
const importParams = z.object({ import: idOf('an import') });
const objectParams = z.object({ objectId: idOf('an object') });
const length = z.int().min(0);
const uploadBody = z.strictObject({
  name: z.string().trim().min(1).max(200), kind: z.enum(['files', 'image']), key: z.string().regex(/^[0-9a-f]{64}$/, 'is not a digest'), files: length.min(1), bytes: length,
}).refine(({ kind, files }) => kind === 'files' || files === 1, 'is an image of more than one file');
const linesBody = z.strictObject({ from: length, lines: z.array(z.tuple([z.string().min(1), length, z.number().min(0).max(8.64e15)])).max(linesMax) });
const spoilBody = z.strictObject({ text: z.string().trim().min(1).max(300) });
const pieceQuery = z.strictObject({ offset: z.string().regex(/^\d{1,16}$/, 'is not a number').transform(Number) });
/** The contract's `text` takes a name, an id, a date or an accession number: 64 characters in each of three groups at most. */
const patientsQuery = z.strictObject({ text: z.string().trim().min(1).max(200) });
const worklistQuery = z.strictObject({ name: z.string().trim().max(200).default(''), id: z.string().trim().max(64).default(''), accession: z.string().trim().max(16).default('') });
const studiesMax = 500;
const choicesBody = z.strictObject({ choices: z.array(z.strictObject({ studyInstanceUID: z.string().regex(/^[0-9.]{1,64}$/, 'is not a UID'), replacement: replacement.nullable() })).min(1).max(studiesMax) });

const patientsMax = 20;
const listMax = 50;
/** As large as the page shows it on a screen with two points a pixel. PNG, though it is twice as long: it is made in a third of the time, beside a disc that is being read. */
const picture: RenderRequest = { frame: 0, widthMax: 256, heightMax: 256, window: null, type: 'image/png', quality: 80 };

export function deskRoutes({ keeper, uploads }: DeskDeps): Route[] {
  const ask = <Answer>(body: unknown): Promise<Answer> => keeper.request<Answer>('import', body);
  return [
    api('GET', 'desk/uploads', 'import', async ({ actor }) => json(200, await uploads.ofPerson(uploader(actor)), noStore)),
    api('POST', 'desk/uploads', 'import', async ({ actor, body }) => json(200, await uploads.begin(uploader(actor), uploadBody.parse(body)), noStore)),
    api('GET', 'desk/uploads/:upload', 'import', async ({ actor, params }) => json(200, await uploads.state(uploader(actor), uploadParams.parse(params).upload), noStore)),
    route({ method: 'DELETE', path: 'desk/uploads/:upload', action: 'import' }, async ({ actor, params }) => json(200, await uploads.cancel(uploader(actor), uploadParams.parse(params).upload), noStore)),
    route({ method: 'POST', path: 'desk/uploads/:upload/listing', action: 'import', body: 'json', bodyBytesMax: linesBytesMax }, async ({ actor, params, body }) => {
      const { from, lines } = linesBody.parse(body);
      return json(200, await uploads.list(uploader(actor), uploadParams.parse(params).upload, from, lines), noStore);
    }),
    route({ method: 'POST', path: 'desk/uploads/:upload/batch', action: 'import', body: 'stream', bodyBytesMax: pieceBytesMax }, async ({ actor, params, stream }) =>
      json(200, await uploads.batch(uploader(actor), uploadParams.parse(params).upload, stream), noStore)),
    route({ method: 'PUT', path: 'desk/uploads/:upload/files/:file', action: 'import', body: 'stream', bodyBytesMax: pieceBytesMax }, async ({ actor, params, query, stream }) => {
      const { upload, file } = fileParams.parse(params);
      return json(200, await uploads.piece(uploader(actor), upload, file, pieceQuery.parse(Object.fromEntries(query)).offset, stream), noStore);
    }),
    api('POST', 'desk/uploads/:upload/files/:file/unreadable', 'import', async ({ actor, params, body }) => {
      const { upload, file } = fileParams.parse(params);
      return json(200, await uploads.spoil(uploader(actor), upload, file, spoilBody.parse(body).text), noStore);
    }),
    api('GET', 'desk/imports', 'import', async () => json(200, await ask<ImportStatus[]>({ do: 'list', limit: listMax }), noStore)),
    api('GET', 'desk/imports/:import', 'import', async ({ params }) => json(200, await ask<ImportStatus>({ do: 'status', id: importParams.parse(params).import }), noStore)),
    api('GET', 'desk/imports/:import/receipt', 'import', async ({ params }) => json(200, await ask<Receipt>({ do: 'receipt', id: importParams.parse(params).import }), noStore)),
    api('GET', 'desk/imports/:import/studies', 'import', async ({ params }) => json(200, await keeper.request<IncomingStudy[]>('reconcile', { do: 'incoming', import: importParams.parse(params).import }), noStore)),
    api('POST', 'desk/imports/:import/choices', 'import', async ({ actor, params, body }) => {
      const choices: readonly Choice[] = choicesBody.parse(body).choices;
      return json(200, await keeper.request<IncomingStudy[]>('reconcile', { do: 'take', import: importParams.parse(params).import, choices, person: actor.name, address: actor.address }), noStore);
    }),
    api('GET', 'desk/patients', 'import', async ({ query }) =>
      json(200, await keeper.request<LocalPatient[]>('reconcile', { do: 'patients', text: patientsQuery.parse(Object.fromEntries(query)).text, limit: patientsMax }), noStore)),
    api('GET', 'desk/worklist', 'import', async ({ actor, query }) => {
      const { name, id, accession } = worklistQuery.parse(Object.fromEntries(query));
      return json(200, await keeper.request<WorklistAnswer>('worklist', { patientName: name, patientID: id, accessionNumber: accession, person: actor.name, address: actor.address } satisfies WorklistRequest), noStore);
    }),
    api('GET', 'desk/pictures/:objectId', 'import', async ({ params }) => showPicture(keeper, objectParams.parse(params).objectId)),
  ];
}

/** Who asks, without what else is known of them. */
function uploader({ name, address }: Uploader): Uploader {
  return { name, address };
}

/** Only of what was found clean and is archived: what is held is looked at elsewhere, on the record. */
async function showPicture(keeper: Keeper, objectId: string): Promise<RouteAnswer> {
  const { state } = await keeper.request<LedgerEntry>('show', { objectId });
  if (state !== 'archived') return problem(404, 'picture-absent', 'There is no picture of it: it is not in the archive.');
  const answer = await keeper.request<RenderedAnswer>('render', { objectId, request: picture });
  if (answer.outcome !== 'rendered' || !pictureTypes.includes(answer.type)) return problem(404, 'picture-absent', `There is no picture of it: ${answer.text}`);
  const bytes = Buffer.from(answer.base64, 'base64');
  return {
    status: 200,
    headers: {
      'content-type': answer.type, 'content-length': bytes.length, 'x-content-type-options': 'nosniff', 'content-security-policy': "default-src 'none'; sandbox", 'cross-origin-resource-policy': 'same-origin',
      'content-disposition': 'inline', ...noStore,
    },
    body: bytes,
  };
}
