/**
 * AuditMessage → XML of the schema in PS3.15 §A.5.1, on one line: the log is a file of lines that people can search.
 *
 * Everything that can come from outside (AE Titles, names, UIDs as told) goes through `attribute` or `text`: markup is escaped, and
 * characters that XML 1.0 cannot hold (section 2.2 there) become U+FFFD, so no sender can break a line or close an element.
 */
import type { ActiveParticipant, AuditMessage, Code, ParticipantObject } from './message.ts';

/** PS3.15 §A.5.2.7: 4, application server process. */
const auditSource = '<AuditSourceIdentification AuditSourceID="lazaret"><AuditSourceTypeCode csd-code="4"/></AuditSourceIdentification>';

/** One line of XML without a line break at its end. */
export function encodeMessage(message: AuditMessage): string {
  let xml = `<AuditMessage><EventIdentification EventActionCode="${message.action}" EventDateTime="${new Date(message.time).toISOString()}" EventOutcomeIndicator="${message.outcome}">`;
  xml += code('EventID', message.eventID);
  for (const type of message.eventTypes) xml += code('EventTypeCode', type);
  if (message.outcomeDescription !== undefined) xml += `<EventOutcomeDescription>${text(message.outcomeDescription)}</EventOutcomeDescription>`;
  xml += '</EventIdentification>';
  for (const participant of message.participants) xml += activeParticipant(participant);
  xml += auditSource;
  for (const object of message.objects) xml += participantObject(object);
  return `${xml}</AuditMessage>`;
}

function activeParticipant(participant: ActiveParticipant): string {
  let xml = `<ActiveParticipant UserID="${attribute(participant.userID)}"`;
  if (participant.alternativeUserID !== undefined) xml += ` AlternativeUserID="${attribute(participant.alternativeUserID)}"`;
  xml += ` UserIsRequestor="${participant.userIsRequestor}"`;
  const point = participant.networkAccessPoint;
  // §A.5.2.3: type 1 a machine name, 2 an IP address.
  if (point !== undefined && point !== '') xml += ` NetworkAccessPointID="${attribute(point)}" NetworkAccessPointTypeCode="${isAddress(point) ? 2 : 1}"`;
  const roles = participant.roleIDCodes ?? [];
  if (roles.length === 0 && participant.mediaType === undefined) return `${xml}/>`;
  xml += '>';
  for (const role of roles) xml += code('RoleIDCode', role);
  if (participant.mediaType !== undefined) xml += `<MediaIdentifier>${code('MediaType', participant.mediaType)}</MediaIdentifier>`;
  return `${xml}</ActiveParticipant>`;
}

function participantObject(object: ParticipantObject): string {
  let xml = `<ParticipantObjectIdentification ParticipantObjectID="${attribute(object.id)}" ParticipantObjectTypeCode="${object.typeCode}" ParticipantObjectTypeCodeRole="${object.role}">`;
  xml += code('ParticipantObjectIDTypeCode', object.idType);
  // The schema wants a name or a query; an empty name says that there is none.
  xml += `<ParticipantObjectName>${text(object.name ?? '')}</ParticipantObjectName>`;
  for (const [type, value] of object.details ?? []) {
    xml += `<ParticipantObjectDetail type="${attribute(type)}" value="${Buffer.from(value, 'utf8').toString('base64')}"/>`;
  }
  for (const sopClass of object.sopClasses ?? []) {
    xml += `<SOPClass UID="${attribute(sopClass.uid)}" NumberOfInstances="${sopClass.count}">`;
    for (const instance of sopClass.instances) xml += `<Instance UID="${attribute(instance)}"/>`;
    xml += '</SOPClass>';
  }
  return `${xml}</ParticipantObjectIdentification>`;
}

function code(element: string, value: Code): string {
  return `<${element} csd-code="${attribute(value.value)}" codeSystemName="${attribute(value.scheme)}" originalText="${attribute(value.meaning)}"/>`;
}

function isAddress(point: string): boolean {
  return /^[0-9.]+$/.test(point) || point.includes(':');
}

/** What may stand in an attribute or between tags without being looked at twice. */
const plain = /^[\x20\x21\x23-\x25\x28-\x3b\x3d\x3f-\x7e]*$/;
// oxlint-disable-next-line no-control-regex -- these are the characters that XML 1.0 cannot hold
const impossible = /[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g;

function attribute(value: string): string {
  return plain.test(value) ? value : escape(value);
}
function text(value: string): string {
  return plain.test(value) ? value : escape(value);
}
function escape(value: string): string {
  return value
    .toWellFormed()
    .replace(impossible, '\ufffd')
    .replace(/[&<>"'\p{Cc}\u2028\u2029]/gu, (character) => `&#${character.charCodeAt(0)};`);
}
