/** Audit messages of retrieval and search (PS3.15 §A.5.3.6 DICOM Instances Accessed, §A.5.3.10 Query). One for each request. */
import { eventIDs, objectIDTypes } from '@lazaret/audit/codes.ts';
import type { AuditMessage, ParticipantObject } from '@lazaret/audit/message.ts';
import type { StoredInstance } from '../../archive/instances.ts';
import type { RouteRequest } from '../../access/routes.ts';

/** Instances named one by one; of more, the message tells Study, SOP Class and number. */
const namedInstancesMax = 64;

export function instancesAccessed(request: RouteRequest, instances: readonly StoredInstance[], what: string, time: number): AuditMessage {
  const studies = Map.groupBy(instances, (one) => one.studyInstanceUID);
  const objects: ParticipantObject[] = [];
  for (const [studyInstanceUID, ofStudy] of studies) {
    const classes = Map.groupBy(ofStudy, (one) => one.sopClassUID);
    objects.push({
      typeCode: 2, role: 3, idType: objectIDTypes.studyInstanceUID, id: studyInstanceUID, details: [['Resource', what], ['URL', pathOf(request)]],
      sopClasses: [...classes].map(([uid, ofClass]) => ({ uid, count: ofClass.length, instances: instances.length <= namedInstancesMax ? ofClass.map((one) => one.sopInstanceUID) : [] })),
    });
  }
  for (const patientID of new Set(instances.map((one) => one.patientID))) objects.push({ typeCode: 1, role: 1, idType: objectIDTypes.patientNumber, id: patientID });
  return { eventID: eventIDs.instancesAccessed, eventTypes: [], action: 'R', time, outcome: 0, participants: [requestor(request)], objects };
}

export function queried(request: RouteRequest, resource: string, time: number): AuditMessage {
  return {
    eventID: eventIDs.query, eventTypes: [], action: 'E', time, outcome: 0, participants: [requestor(request)],
    // Role 24: query.
    objects: [{ typeCode: 2, role: 24, idType: objectIDTypes.uri, id: pathOf(request), details: [['Resource', resource], ['Query', request.query.toString()]] }],
  };
}

function requestor({ actor }: RouteRequest): AuditMessage['participants'][number] {
  return { userID: actor.name, userIsRequestor: true, networkAccessPoint: actor.address };
}

function pathOf(request: RouteRequest): string {
  return request.url.split('?', 1)[0]!;
}
