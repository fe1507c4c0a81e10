/** What reconciliation puts on the record: PS3.15 §A.5.3.8 Import, with whose a study was and whose it is from now on. */
import { eventIDs, eventTypes, objectIDTypes } from '@lazaret/audit/codes.ts';
import type { AuditMessage } from '@lazaret/audit/message.ts';
import { keeper } from '../../quarantine/record.ts';
import type { IncomingStudy, Replacement } from './contract.ts';
import type { ChoiceRow } from './sight.ts';

export function chosenMessage(choice: ChoiceRow, change: boolean, time: number): AuditMessage {
  const received = JSON.parse(choice.received) as IncomingStudy['received'];
  const replacement = choice.replacement === null ? null : JSON.parse(choice.replacement) as Replacement;
  const text = replacement === null ? (change ? 'A study is served as it was received again.' : 'An imported study is taken as it is.') : `${change ? 'A study' : 'An imported study'} is served under a local identity.`;
  return {
    eventID: eventIDs.import, eventTypes: [eventTypes.reconciliation], action: 'U', time, outcome: 0, outcomeDescription: choice.reason === '' ? text : `${text} ${choice.reason}`,
    participants: [{ userID: choice.person, userIsRequestor: true, networkAccessPoint: choice.address }, keeper],
    objects: [
      { ...study(choice, [['received accession number', received.accessionNumber], ...(replacement === null ? [] : [['accession number', replacement.accessionNumber] as const])]), name: choice.source },
      ...(received.patientID === '' ? [] : [patient(received, 'received')]),
      ...(replacement === null ? [] : [patient(replacement, 'served')]),
    ],
  };
}

export function takenMessage(choice: ChoiceRow, instances: number, time: number): AuditMessage {
  return {
    eventID: eventIDs.import, eventTypes: [eventTypes.reconciliation], action: 'C', time, outcome: 0, outcomeDescription: `${instances} ${instances === 1 ? 'instance' : 'instances'} in sight as ${choice.person} chose`,
    participants: [{ ...keeper, userIsRequestor: true }], objects: [study(choice, [['instances', String(instances)]])],
  };
}

export function impossibleMessage(choice: ChoiceRow, problem: string, time: number): AuditMessage {
  return {
    eventID: eventIDs.import, eventTypes: [eventTypes.reconciliation], action: 'U', time, outcome: 4, outcomeDescription: problem,
    participants: [{ ...keeper, userIsRequestor: true }], objects: [study(choice, [['person', choice.person]])],
  };
}

function study(choice: ChoiceRow, details: readonly (readonly [string, string])[]): AuditMessage['objects'][number] {
  return { typeCode: 2, role: 3, idType: objectIDTypes.studyInstanceUID, id: choice.studyInstanceUID, details: [['reconciliation', choice.id], ...(choice.import === '' ? [] : [['import', choice.import] as const]), ...details] };
}

function patient(identity: { readonly patientID: string; readonly patientName: string; readonly issuerOfPatientID: string }, what: string): AuditMessage['objects'][number] {
  return { typeCode: 1, role: 1, idType: objectIDTypes.patientNumber, id: identity.patientID, name: identity.patientName, details: [['identity', what], ...(identity.issuerOfPatientID === '' ? [] : [['issuer', identity.issuerOfPatientID] as const])] };
}
