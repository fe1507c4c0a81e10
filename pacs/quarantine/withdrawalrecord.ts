/** What withdrawals put on the record: PS3.15 §A.5.3.10 Security Alert, Object Security Attributes Changed. */
import { eventIDs, eventTypes, objectIDTypes } from '@lazaret/audit/codes.ts';
import type { AuditMessage, Code, ParticipantObject } from '@lazaret/audit/message.ts';
import type { LedgerRow } from './ledger.ts';
import { keeper, objectRecord } from './record.ts';
import type { Order } from './withdrawalschema.ts';

/** As many patients as keep a message readable. */
const patientsMax = 50;

/** Somebody has ordered it: out of sight (`withdrawal`) or back (`restoral`), or it is carried out. */
export function orderMessage(order: Pick<Order, 'id' | 'what'>, type: Code, person: string, text: string, counted: readonly (readonly [string, string])[], time: number): AuditMessage {
  return {
    eventID: eventIDs.securityAlert, eventTypes: [eventTypes.objectSecurityAttributesChanged, type], action: 'E', time, outcome: 0, outcomeDescription: text,
    participants: person === '' ? [{ ...keeper, userIsRequestor: true }] : [{ userID: person, userIsRequestor: true }, keeper],
    objects: [{ typeCode: 2, role: 20, idType: objectIDTypes.batch, id: order.id, name: 'withdrawal', details: [['selection', order.what], ...counted] }],
  };
}

/** Some objects of it, in the group that moves them. */
export function objectsMessage(order: Pick<Order, 'id' | 'what'>, type: Code, person: string, text: string, rows: readonly LedgerRow[], time: number): AuditMessage {
  const patients = new Map(rows.filter((row) => row.patient_id !== '').map((row) => [row.patient_id, row.patient_name]));
  return {
    eventID: eventIDs.securityAlert, eventTypes: [eventTypes.objectSecurityAttributesChanged, type], action: 'U', time, outcome: 0, outcomeDescription: text,
    participants: [{ userID: person, userIsRequestor: true }, keeper],
    objects: [
      { typeCode: 2, role: 20, idType: objectIDTypes.batch, id: order.id, name: 'withdrawal', details: [['selection', order.what]] },
      ...rows.map((row) => objectRecord(row.object_id, [['sha256', row.sha256], ['SOP Instance UID', row.sop_instance_uid], ['verdict', row.verdict ?? '']])),
      ...[...patients].slice(0, patientsMax).map(([id, name]): ParticipantObject => ({ typeCode: 1, role: 1, idType: objectIDTypes.patientNumber, id, name })),
    ],
  };
}
