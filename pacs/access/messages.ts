/** Audit messages about who signs in and whose account changes (PS3.15 §A.5.3.10 Security Alert, §A.5.3.11 User Authentication). */
import type { ActiveParticipant, AuditMessage, Code, ParticipantObject } from '@lazaret/audit/message.ts';
import type { Actor } from './actions.ts';

const dcm = (value: string, meaning: string): Code => ({ value, scheme: 'DCM', meaning });

const userIdentifier: Code = { value: '11', scheme: 'RFC-3881', meaning: 'User Identifier' };

/** The process that checked: PS3.15 wants the node that does the authentication beside the person. */
const authenticator: ActiveParticipant = { userID: 'lazaret/keeper', userIsRequestor: false, roleIDCodes: [dcm('110150', 'Application')] };

export type SignInWay = 'password' | 'one-time code' | 'token';

/** One attempt to sign in. `name` is as claimed: an attacker may have chosen it. */
export function signedIn(attempt: { time: number; name: string; address: string; way: SignInWay; audience: string; failure: string | null }): AuditMessage {
  return {
    eventID: dcm('110114', 'User Authentication'),
    eventTypes: [dcm('110122', 'Login')],
    action: 'E',
    time: attempt.time,
    // 4 (minor failure): the request may be repeated with corrected credentials.
    outcome: attempt.failure === null ? 0 : 4,
    outcomeDescription: attempt.failure === null ? `${attempt.way} at ${attempt.audience}` : `${attempt.way} at ${attempt.audience}: ${attempt.failure}`,
    participants: [{ userID: attempt.name, userIsRequestor: true, networkAccessPoint: attempt.address }, authenticator],
    objects: [],
  };
}

export function signedOut(leave: { time: number; name: string; address: string; audience: string }): AuditMessage {
  return {
    eventID: dcm('110114', 'User Authentication'), eventTypes: [dcm('110123', 'Logout')], action: 'E', time: leave.time, outcome: 0, outcomeDescription: leave.audience,
    participants: [{ userID: leave.name, userIsRequestor: true, networkAccessPoint: leave.address }, authenticator], objects: [],
  };
}

/** An account or token was made, changed or removed. */
export function accountChanged(change: { time: number; by: Actor; what: string; name: string; roles: readonly string[] }): AuditMessage {
  const subject: ParticipantObject = { typeCode: 1, role: 6, idType: userIdentifier, id: change.name, details: [['change', change.what], ['roles', change.roles.join(' ')]] };
  return {
    eventID: dcm('110113', 'Security Alert'),
    eventTypes: [dcm('110137', 'User security Attributes Changed')],
    action: 'E',
    time: change.time,
    outcome: 0,
    outcomeDescription: change.what,
    participants: [{ userID: change.by.name, userIsRequestor: true, networkAccessPoint: change.by.address }, authenticator],
    objects: [subject],
  };
}
