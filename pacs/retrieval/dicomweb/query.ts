/** QIDO-RS: the Search transaction of the Studies Service (PS3.18 §10.6). */
import { parseQuery } from '@lazaret/dicom/web/query.ts';
import { problem, type Route, type RouteAnswer, type RouteRequest } from '../../access/routes.ts';
import type { Level } from '../../archive/attributes.ts';
import { lookupAttribute } from '../../archive/lookup.ts';
import { searchIn, type SearchResult } from '../../archive/search.ts';
import { chooseOffer } from './mediatypes.ts';
import { queried } from './recording.ts';
import { notAcceptable, notFound, pathOf, servicePath } from './resources.ts';
import type { RetrievalDependencies } from './dependencies.ts';

const resources: readonly (readonly [path: string, level: Level])[] = [
  ['/studies', 'study'],
  ['/series', 'series'],
  ['/instances', 'instance'],
  ['/studies/:studyInstanceUID/series', 'series'],
  ['/studies/:studyInstanceUID/instances', 'instance'],
  ['/studies/:studyInstanceUID/series/:seriesInstanceUID/instances', 'instance'],
];

export function searchRoutes(dependencies: RetrievalDependencies): Route[] {
  const { search } = searchIn(dependencies.database);

  const answer = async (request: RouteRequest, level: Level): Promise<RouteAnswer> => {
    const scope = pathOf(request.params);
    if (scope === null) return notFound('The path names something that is no UID.');
    if (chooseOffer([{ type: 'application/dicom+json', multipart: false, transferSyntaxUIDs: [] }], request.headers.accept, request.query.get('accept')) === null) return notAcceptable(['application/dicom+json']);
    const { query, problems } = parseQuery([...request.query].filter(([name]) => name !== 'accept'), lookupAttribute);
    if (query === null) return problem(400, 'query-invalid', `The search cannot be done: ${problems.map((one) => `${one.parameter}: ${one.text}`).join('; ')}.`);
    // Before anything is answered: who asked for what is itself on the record.
    await dependencies.record(queried(request, level, dependencies.now()));
    const found = search(level, scope.studyInstanceUID === '' ? {} : scope, query);
    const service = request.origin + servicePath;
    const notes = [...(found.more ? ['There are additional results that can be requested'] : []), ...found.notes];
    return {
      status: 200,
      headers: { 'content-type': 'application/dicom+json', ...(notes.length === 0 ? {} : { warning: notes.map((note) => `299 ${service}: ${note}`) }) },
      body: `[${found.results.map((one) => JSON.stringify({ ...one.attributes, '00081190': { vr: 'UR', Value: [retrieveURL(service, one)] } })).join(',')}]`,
    };
  };

  return resources.map(([path, level]) => ({ method: 'GET', url: servicePath + path, action: 'read', audience: 'service', handler: (request) => answer(request, level) }));
}

/** Retrieve URL (0008,1190) of a result, absolute as PS3.18 §10.6.3.3 wants it. */
function retrieveURL(service: string, { studyInstanceUID, seriesInstanceUID, sopInstanceUID }: SearchResult): string {
  return `${service}/studies/${studyInstanceUID}${seriesInstanceUID === null ? '' : `/series/${seriesInstanceUID}`}${sopInstanceUID === null ? '' : `/instances/${sopInstanceUID}`}`;
}
