/** Audit messages that other processes hand over (`record`), checked before they reach the log. */
import type { ActiveParticipant, AuditMessage, Code, ParticipantObject } from '@lazaret/audit/message.ts';
import { refused } from '@lazaret/system/failure.ts';
import { checkFields, checkText } from './guards.ts';

const textMax = 4_096;
const listMax = 1_000;
/** Names and details together: the log takes entries of at most 1 MiB. */
const messageCharactersMax = 400_000;

function list(value: unknown, name: string): readonly unknown[] {
  if (value === undefined) return [];
  if (!Array.isArray(value) || value.length > listMax) throw refused('request-invalid', `${name} is not a list of at most ${listMax}`);
  return value;
}
function optional(value: unknown, name: string): string | undefined {
  return value === undefined ? undefined : checkText(value, name, textMax);
}
function code(untrusted: unknown): Code {
  const value = checkFields(untrusted);
  return { value: checkText(value['value'], 'code', 64), scheme: checkText(value['scheme'], 'scheme', 64), meaning: checkText(value['meaning'], 'meaning', 256) };
}
function oneOf<const Values extends readonly unknown[]>(value: unknown, values: Values, name: string): Values[number] {
  if (!values.includes(value)) throw refused('request-invalid', `${name} has no such value`);
  return value;
}

/** A message as audit/message.ts wants it; throws `request-invalid`. */
export function checkMessage(untrusted: unknown): AuditMessage {
  const value = checkFields(untrusted);
  const time = value['time'];
  if (!Number.isSafeInteger(time) || (time as number) < 0 || (time as number) > 8.64e15) throw refused('request-invalid', 'time is not a time');
  const outcomeDescription = optional(value['outcomeDescription'], 'outcomeDescription');
  const message: AuditMessage = {
    eventID: code(value['eventID']), eventTypes: list(value['eventTypes'], 'eventTypes').map(code), action: oneOf(value['action'], ['C', 'R', 'U', 'D', 'E'], 'action'), time: time as number,
    outcome: oneOf(value['outcome'], [0, 4, 8, 12], 'outcome'), ...(outcomeDescription === undefined ? {} : { outcomeDescription }),
    participants: list(value['participants'], 'participants').map(participant), objects: list(value['objects'], 'objects').map(object),
  };
  if (JSON.stringify(message).length > messageCharactersMax) throw refused('message-length-exceeded', 'the audit message is too long');
  return message;
}

function participant(untrusted: unknown): ActiveParticipant {
  const value = checkFields(untrusted);
  const alternativeUserID = optional(value['alternativeUserID'], 'alternativeUserID');
  const networkAccessPoint = optional(value['networkAccessPoint'], 'networkAccessPoint');
  return {
    userID: checkText(value['userID'], 'userID', textMax), userIsRequestor: value['userIsRequestor'] === true, roleIDCodes: list(value['roleIDCodes'], 'roleIDCodes').map(code),
    ...(alternativeUserID === undefined ? {} : { alternativeUserID }), ...(networkAccessPoint === undefined ? {} : { networkAccessPoint }),
  };
}

function object(untrusted: unknown): ParticipantObject {
  const value = checkFields(untrusted);
  const name = optional(value['name'], 'name');
  const { role } = value;
  if (!Number.isSafeInteger(role) || (role as number) < 1 || (role as number) > 99) throw refused('request-invalid', 'role is not one of PS3.15');
  return {
    typeCode: oneOf(value['typeCode'], [1, 2], 'typeCode'), role: role as number, idType: code(value['idType']), id: checkText(value['id'], 'id', textMax), ...(name === undefined ? {} : { name }),
    details: list(value['details'], 'details').map((detail) => {
      const [type, text] = list(detail, 'detail');
      return [checkText(type, 'detail', 256), checkText(text, 'detail', 64 * 1024)] as const;
    }),
    sopClasses: list(value['sopClasses'], 'sopClasses').map((each) => {
      const sopClass = checkFields(each);
      const count = sopClass['count'];
      if (!Number.isSafeInteger(count)) throw refused('request-invalid', 'count is not a count');
      return { uid: checkText(sopClass['uid'], 'uid', 256), count: count as number, instances: list(sopClass['instances'], 'instances').map((uid) => checkText(uid, 'uid', 256)) };
    }),
  };
}
