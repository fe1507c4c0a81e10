/** Resources of the Studies Service (PS3.18 §10.1, Table 10.1-1): from a path to what is there. */
import { problem, type RouteAnswer, type RouteRequest } from '../../access/routes.ts';
import type { InstancePath } from '../../archive/instances.ts';
import type { StoredInstance } from '../../archive/instances.ts';

/** Where DICOMweb is. */
export const servicePath = '/dicomweb';

/** The UIDs of a path, or null where one is no UID: nothing can be there then. */
export function pathOf(params: RouteRequest['params']): InstancePath | null {
  const { studyInstanceUID, seriesInstanceUID, sopInstanceUID } = params;
  for (const uid of [studyInstanceUID, seriesInstanceUID, sopInstanceUID]) if (uid !== undefined && !/^[0-9.]{1,64}$/.test(uid)) return null;
  return {
    studyInstanceUID: studyInstanceUID ?? '',
    ...(seriesInstanceUID === undefined ? {} : { seriesInstanceUID }),
    ...(sopInstanceUID === undefined ? {} : { sopInstanceUID }),
  };
}

/** Absolute path of an archived instance. */
export function instancePath(instance: Pick<StoredInstance, 'studyInstanceUID' | 'seriesInstanceUID' | 'sopInstanceUID'>): string {
  return `${servicePath}/studies/${instance.studyInstanceUID}/series/${instance.seriesInstanceUID}/instances/${instance.sopInstanceUID}`;
}

export function notFound(text: string): RouteAnswer {
  return problem(404, 'resource-unknown', text);
}

/** 406: says what there would be. */
export function notAcceptable(types: readonly string[]): RouteAnswer {
  return problem(406, 'media-type-unacceptable', `None of the media types of Accept can be given. There is: ${[...new Set(types)].join(', or ')}. This server does not change transfer syntaxes: objects are served as they were inspected.`);
}
