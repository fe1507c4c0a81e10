/** The audit messages of this door (PS3.15 §A.5.3): who was refused, what was attempted, which object did not arrive. Admissions are the keeper's to record. */
import { eventIDs, eventTypes, objectIDTypes, roleIDs } from '@lazaret/audit/codes.ts';
import type { AuditMessage, Code } from '@lazaret/audit/message.ts';

/** One side of an association, as far as it is known. */
export interface Peers {
  readonly address: string;
  readonly callingAETitle: string;
  readonly calledAETitle: string;
  readonly batch: string;
}

const violation: Code = { value: 'association-violation', scheme: '99LAZARET', meaning: 'Association ended for breaking the protocol' };

/** A peer that is not known, or not allowed: Security Alert, Node Authentication (PS3.15 Table A.5.3.11-1). */
export function associationRefused(peers: Peers, time: number, why: string): AuditMessage {
  return alert(peers, time, eventTypes.nodeAuthentication, 4, why);
}

/** A peer broke the protocol; the association was ended. */
export function associationViolated(peers: Peers, time: number, why: string): AuditMessage {
  return alert(peers, time, violation, 4, why);
}

function alert(peers: Peers, time: number, eventType: Code, outcome: 4 | 8, why: string): AuditMessage {
  return {
    eventID: eventIDs.securityAlert, eventTypes: [eventType], action: 'E', time, outcome, outcomeDescription: why,
    participants: participants(peers),
    objects: [{ typeCode: 2, role: 3, idType: objectIDTypes.nodeID, id: peers.address, name: peers.callingAETitle }],
  };
}

/** An object was announced and is not kept: DICOM Instances Transferred with a failure (PS3.15 Table A.5.3.7-1). */
export function transferFailed(peers: Peers, time: number, object: { readonly sopClassUID: string; readonly sopInstanceUID: string }, why: string): AuditMessage {
  return {
    eventID: eventIDs.instancesTransferred, eventTypes: [], action: 'C', time, outcome: 8, outcomeDescription: why,
    participants: participants(peers),
    objects: [{
      typeCode: 2, role: 3, idType: objectIDTypes.batch, id: peers.batch,
      sopClasses: [{ uid: object.sopClassUID, count: 1, instances: [object.sopInstanceUID] }],
    }],
  };
}

function participants(peers: Peers): AuditMessage['participants'] {
  return [
    { userID: peers.callingAETitle === '' ? peers.address : peers.callingAETitle, userIsRequestor: true, roleIDCodes: [roleIDs.source], networkAccessPoint: peers.address },
    { userID: peers.calledAETitle === '' ? 'association' : peers.calledAETitle, userIsRequestor: false, roleIDCodes: [roleIDs.destination] },
  ];
}
