/** Asking the sender of a held object for it again: on the record, and kept with the object (resend.ts). */
import { eventIDs, eventTypes } from '@lazaret/audit/codes.ts';
import { refused } from '@lazaret/system/failure.ts';
import type { ResendAsked } from './contract.ts';
import { checkFields, checkObjectId, checkText } from './guards.ts';
import { sourceOf } from './ledger.ts';
import type { Parts } from './parts.ts';
import { keeper, objectRecord, peerOf } from './record.ts';
import { noteAsked } from './resend.ts';

/** Notes that the sender of a held object is asked for it again. Resolves once it is on the record. Throws `transition-invalid` for what is not held. */
export function askAgain(parts: Parts, untrusted: unknown): Promise<ResendAsked> {
  const value = checkFields(untrusted);
  const objectId = checkObjectId(value['objectId']);
  const person = checkText(value['person'], 'person', 128).trim();
  if (person === '') throw refused('request-invalid', 'a request has a person');
  return parts.commits.submit((group) => {
    const row = parts.ledger.rowOf(objectId);
    if (row.state !== 'held') throw refused('transition-invalid', `the object is ${row.state}, not held: nobody needs to send it again`);
    noteAsked(parts.database, row, person, group.time);
    group.record.message({
      eventID: eventIDs.securityAlert, eventTypes: [eventTypes.resendAsked], action: 'E', time: group.time, outcome: 0, outcomeDescription: `The sender of an object found ${row.verdict} is asked to send it again`,
      participants: [{ userID: person, userIsRequestor: true }, keeper, { ...peerOf(sourceOf(row)), userIsRequestor: false }], objects: [objectRecord(objectId, [['sha256', row.sha256], ['SOP Instance UID', row.sop_instance_uid]])],
    });
    return { person, at: group.time, answers: [], sameBytesAt: null };
  });
}
