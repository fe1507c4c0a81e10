/** What imports put on the record: PS3.15 §A.5.3.8 Import with the medium as source, §A.5.3.10 Security Alert for what a medium carried. */
import { eventIDs, eventTypes, mediaTypes, objectIDTypes, roleIDs } from '@lazaret/audit/codes.ts';
import type { ActiveParticipant, AuditMessage, Code, Outcome, ParticipantObject } from '@lazaret/audit/message.ts';
import { keeper } from '../quarantine/record.ts';
import type { ImportStatus, Medium, Receipt } from '../reception/media/contract.ts';

/** As many studies as keep a message readable; the receipt has all. */
const studiesMax = 200;

/** A CD holds at most 900 MB; what is larger and has a disc's file system is a DVD or a Blu-ray disc. */
const discBytesMax = 900e6;

/** CID 405. A folder says nothing of what it lies on. */
function mediaTypeOf(medium: Medium): Code {
  if (medium.kind === 'iso9660' || medium.kind === 'udf') return medium.bytes <= discBytesMax ? mediaTypes.cd : mediaTypes.dvd;
  return medium.kind === 'fat' ? mediaTypes.usb : mediaTypes.uri;
}

export function nameOfMedium(medium: Medium): string {
  return [medium.label, medium.identifier].filter((text) => text !== '').join(' · ') || 'medium without a name';
}

function participants(medium: Medium, person: string, address: string): ActiveParticipant[] {
  return [
    { userID: person, userIsRequestor: true, networkAccessPoint: address },
    { ...keeper, roleIDCodes: [roleIDs.destination] },
    { userID: nameOfMedium(medium), userIsRequestor: false, roleIDCodes: [roleIDs.sourceMedia], mediaType: mediaTypeOf(medium) },
  ];
}

function batch(id: string, medium: Medium, details: readonly (readonly [string, string])[]): ParticipantObject {
  return { typeCode: 2, role: 3, idType: objectIDTypes.batch, id, name: 'media', details: [['medium', `${medium.kind} ${nameOfMedium(medium)}`], ...details] };
}

export function begunMessage(id: string, medium: Medium, person: string, address: string, files: number, resumed: boolean, time: number): AuditMessage {
  return {
    eventID: eventIDs.import, eventTypes: [eventTypes.mediumBegun], action: 'E', time, outcome: 0, outcomeDescription: `${resumed ? 'Reading goes on' : 'Reading begins'}: ${files} files are listed`,
    participants: participants(medium, person, address), objects: [batch(id, medium, [])],
  };
}

/** When every verdict is there: what came in, as Studies and patients. */
export function settledMessage(receipt: Receipt, address: string, time: number): AuditMessage {
  const { medium, fates } = receipt;
  const infected = fates.infected ?? 0;
  const outcome: Outcome = receipt.malicious + infected > 0 ? 8 : receipt.held + (fates.unreadable ?? 0) + (fates.unreached ?? 0) + (fates.refused ?? 0) > 0 ? 4 : 0;
  const patients = new Map(receipt.studies.map((study) => [study.patientID, study.patientName]));
  return {
    eventID: eventIDs.import, eventTypes: [eventTypes.mediumSettled], action: 'C', time, outcome, outcomeDescription: summaryOf(receipt),
    participants: participants(medium, receipt.person, address),
    objects: [
      batch(receipt.id, medium, Object.entries(fates).map(([fate, number]) => [fate, String(number)] as const)),
      ...receipt.studies.slice(0, studiesMax).map((study): ParticipantObject => ({
        typeCode: 2, role: 3, idType: objectIDTypes.studyInstanceUID, id: study.studyInstanceUID, name: study.description, details: [['instances', String(study.instances)]],
      })),
      ...[...patients].slice(0, studiesMax).map(([id, name]): ParticipantObject => ({ typeCode: 1, role: 1, idType: objectIDTypes.patientNumber, id, name })),
    ],
  };
}

export function summaryOf(status: ImportStatus): string {
  const { fates } = status;
  const parts = [
    `${status.archived} objects in the archive`, status.held > 0 ? `${status.held} held (${status.malicious} malicious)` : '', (fates.duplicate ?? 0) > 0 ? `${fates.duplicate} of them known before` : '',
    (fates.left ?? 0) > 0 ? `${fates.left} files left behind` : '', (fates.infected ?? 0) > 0 ? `${fates.infected} infected files left behind` : '', (fates.unscanned ?? 0) > 0 ? `${fates.unscanned} left behind that could not be scanned` : '',
    (fates.unreadable ?? 0) > 0 ? `${fates.unreadable} unreadable` : '', (fates.unreached ?? 0) > 0 ? `${fates.unreached} not read, since the import was stopped` : '', (fates.refused ?? 0) > 0 ? `${fates.refused} refused` : '',
  ];
  return parts.filter((part) => part !== '').join(', ');
}

/** Malicious software on a medium, in a file that stays behind: nothing of it came in, and whoever brought the medium has it on theirs. */
export function infectedMessage(id: string, medium: Medium, person: string, address: string, file: { readonly path: string; readonly sha256: string; readonly bytes: number }, text: string, time: number): AuditMessage {
  return {
    eventID: eventIDs.securityAlert, eventTypes: [eventTypes.mediumInfected], action: 'E', time, outcome: 8, outcomeDescription: `Malicious software on the medium ${nameOfMedium(medium)}; the file stayed behind: ${text}`,
    participants: [{ ...keeper, userIsRequestor: true }, ...participants(medium, person, address).filter((each) => each.userID !== keeper.userID).map((each) => ({ ...each, userIsRequestor: false }))],
    objects: [batch(id, medium, [['file', file.path], ['sha256', file.sha256], ['bytes', String(file.bytes)], ['found', text]])],
  };
}
