/** An entry of the log back as the value that it was written from: the inverse of encode.ts, and of nothing else. */
import { decodeReferences } from './reading.ts';
import type { ActiveParticipant, AuditMessage, Code, ParticipantObject } from './message.ts';

/** The message, or null where the text is not what encode.ts writes. Characters that XML cannot hold come back as U+FFFD. */
export function parseMessage(xml: string): AuditMessage | null {
  let event: { action: string; time: string; outcome: string } | null = null;
  let eventID: Code | null = null;
  let description: string | undefined;
  const eventTypes: Code[] = [];
  const participants: { -readonly [Key in keyof ActiveParticipant]: ActiveParticipant[Key] }[] = [];
  const objects: (Omit<ParticipantObject, 'details' | 'sopClasses'> & { name: string; details: [string, string][]; sopClasses: { uid: string; count: number; instances: string[] }[] })[] = [];
  let text = '';
  for (const [, closes, name, attributes, words] of xml.matchAll(/<(\/?)([A-Za-z]+)((?:\s+[A-Za-z-]+="[^"]*")*)\s*\/?>|([^<]+)/g)) {
    if (words !== undefined) {
      text = decodeReferences(words);
      continue;
    }
    if (closes === '/') {
      if (name === 'EventOutcomeDescription') description = text;
      if (name === 'ParticipantObjectName' && objects.length > 0) objects.at(-1)!.name = text;
      text = '';
      continue;
    }
    text = '';
    const value = attributesOf(attributes ?? '');
    const object = objects.at(-1);
    const participant = participants.at(-1);
    switch (name) {
      case 'EventIdentification':
        event = { action: value('EventActionCode'), time: value('EventDateTime'), outcome: value('EventOutcomeIndicator') };
        break;
      case 'EventID':
        eventID = codeOf(value);
        break;
      case 'EventTypeCode':
        eventTypes.push(codeOf(value));
        break;
      case 'ActiveParticipant': {
        const [alternativeUserID, networkAccessPoint] = [value('AlternativeUserID'), value('NetworkAccessPointID')];
        participants.push({
          userID: value('UserID'), userIsRequestor: value('UserIsRequestor') === 'true', ...(alternativeUserID === '' ? {} : { alternativeUserID }), ...(networkAccessPoint === '' ? {} : { networkAccessPoint }),
        });
        break;
      }
      case 'RoleIDCode':
        if (participant !== undefined) participant.roleIDCodes = [...(participant.roleIDCodes ?? []), codeOf(value)];
        break;
      case 'ParticipantObjectIdentification':
        objects.push({
          typeCode: value('ParticipantObjectTypeCode') === '1' ? 1 : 2, role: Number(value('ParticipantObjectTypeCodeRole')), id: value('ParticipantObjectID'), idType: { value: '', scheme: '', meaning: '' }, name: '', details: [], sopClasses: [],
        });
        break;
      case 'ParticipantObjectIDTypeCode':
        if (object !== undefined) objects[objects.length - 1] = { ...object, idType: codeOf(value) };
        break;
      case 'ParticipantObjectDetail':
        object?.details.push([value('type'), Buffer.from(value('value'), 'base64').toString('utf8')]);
        break;
      case 'SOPClass':
        object?.sopClasses.push({ uid: value('UID'), count: Number(value('NumberOfInstances')), instances: [] });
        break;
      case 'Instance':
        object?.sopClasses.at(-1)?.instances.push(value('UID'));
        break;
    }
  }
  const time = Date.parse(event?.time ?? '');
  if (event === null || eventID === null || !Number.isFinite(time) || !/^[CRUDE]$/.test(event.action) || !/^(?:0|4|8|12)$/.test(event.outcome)) return null;
  return {
    eventID, eventTypes, action: event.action as AuditMessage['action'], time, outcome: Number(event.outcome) as AuditMessage['outcome'], ...(description === undefined ? {} : { outcomeDescription: description }), participants, objects,
  };
}

type Attribute = (name: string) => string;

function attributesOf(text: string): Attribute {
  const values = new Map([...text.matchAll(/([A-Za-z-]+)="([^"]*)"/g)].map(([, name, value]) => [name!, decodeReferences(value!)]));
  return (name) => values.get(name) ?? '';
}

function codeOf(value: Attribute): Code {
  return { value: value('csd-code'), scheme: value('codeSystemName'), meaning: value('originalText') };
}
