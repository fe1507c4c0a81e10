/**
 * The safe look at a held object: somebody who must decide breaks the glass with a reason, and for some minutes sees pictures that a decoder makes in its
 * sandbox. One object a look; the file never leaves. That the glass is broken is on the record before there is a picture
 * (PS3.15 §A.5.3.10 Security Alert: Emergency Override Started), and so is its end.
 */
import { randomUUID } from 'node:crypto';
import { eventIDs, eventTypes, objectIDTypes } from '@lazaret/audit/codes.ts';
import type { AuditMessage, Code } from '@lazaret/audit/message.ts';
import { Failure, refused, unavailable } from '@lazaret/system/failure.ts';
import { permitted, roles as allRoles, type Role } from '../access/actions.ts';
import type { ObjectId } from '../reception/contract.ts';
import type { Accesses } from './accesses.ts';
import { checkFields, checkObjectId, checkRenderRequest, checkText } from './guards.ts';
import { workOf, type LedgerRow } from './ledger.ts';
import type { Parts } from './parts.ts';
import { keeper, objectRecord } from './record.ts';
import type { LookAnswer, RenderedAnswer } from './requests.ts';

/** A series of hundreds of frames is looked through in this; a desk that was left open is not. */
export const lookMs = 5 * 60_000;
/** As the console asks for a decision: one word says nothing years later. */
export const lookReasonMin = 10;
const reasonMax = 2_000;
const personMax = 128;
/** People at their screens; each look costs an audit entry and nothing else. */
const looksMax = 64;

interface Look {
  readonly id: string;
  readonly objectId: ObjectId;
  readonly person: string;
  readonly until: number;
  readonly timer: NodeJS.Timeout;
}
interface Opening {
  readonly objectId: ObjectId;
  readonly person: string;
  readonly address: string;
  readonly roles: readonly Role[];
  readonly reason: string;
}

export class Looks {
  readonly #parts: Parts;
  readonly #accesses: Pick<Accesses, 'note'>;
  readonly #looks = new Map<string, Look>();
  readonly #lookMs: number;

  constructor(parts: Parts, accesses: Pick<Accesses, 'note'>, duration = lookMs) {
    this.#parts = parts;
    this.#accesses = accesses;
    this.#lookMs = duration;
  }

  /** `look` of web and terminal (requests.ts). */
  handle(untrusted: unknown): Promise<LookAnswer | RenderedAnswer | null> {
    const body = checkFields(untrusted);
    switch (body['do']) {
      case 'open': return this.#open(checkOpening(body));
      case 'frame': return this.#frame(body);
      case 'close': return this.#close(body);
      default: throw refused('request-invalid', 'a look is opened, shows frames and is closed');
    }
  }

  close(): void {
    for (const { timer } of this.#looks.values()) clearTimeout(timer);
    this.#looks.clear();
  }

  /** Throws `role-missing` (which is recorded), `reason-missing`, `transition-invalid`, `object-unknown`. */
  async #open(opening: Opening): Promise<LookAnswer> {
    const row = this.#held(opening.objectId);
    if (!opening.roles.some((role) => permitted[role].includes('decide'))) throw refused('role-missing', 'Looking at held objects takes the role reviewer or security.');
    if (opening.reason.length < lookReasonMin) throw refused('reason-missing', `Say why in at least ${lookReasonMin} characters: it goes on the record.`);
    if (row.verdict === 'malicious' && !opening.roles.includes('security')) {
      const failure = refused('role-missing', 'What was found malicious is looked at by somebody with the role security alone.');
      await this.#record((time) => message(time, row, opening, eventTypes.useOfRestrictedFunction, 4, `look refused: ${failure.message}`));
      throw failure;
    }
    for (const look of this.#looks.values()) if (look.objectId === opening.objectId && look.person === opening.person) this.#forget(look);
    if (this.#looks.size >= looksMax) throw unavailable('looks-exhausted', 'Too many held objects are being looked at. Try again in a few minutes.');
    await this.#record((time) => message(time, row, opening, eventTypes.emergencyOverrideStarted, 0, `look at a held object found ${row.verdict}: ${opening.reason}`), (time) => opened(time, row, opening));
    const until = Date.now() + this.#lookMs;
    const look: Look = { id: randomUUID(), objectId: opening.objectId, person: opening.person, until, timer: setTimeout(() => void this.#end(look, 'its time was over').catch(() => {}), this.#lookMs).unref() };
    this.#looks.set(look.id, look);
    return { look: look.id, until, forMs: this.#lookMs };
  }

  /** One frame, marked as held. Throws `look-over` where there is no such look of this person at this object, or its time is over. */
  async #frame(body: Readonly<Record<string, unknown>>): Promise<RenderedAnswer> {
    const look = this.#of(body);
    const row = this.#held(look.objectId);
    const request = checkRenderRequest(body['request']);
    return this.#parts.queue.render(workOf(row), 'quarantine', { ...request, mark: 'held' });
  }

  async #close(body: Readonly<Record<string, unknown>>): Promise<null> {
    await this.#end(this.#of(body), 'closed by the person');
    return null;
  }

  #of(body: Readonly<Record<string, unknown>>): Look {
    const look = this.#looks.get(checkText(body['look'], 'look', 64));
    // Another object or another person's look is as none: one break, one object, one person.
    if (look === undefined || look.objectId !== checkObjectId(body['objectId']) || look.person !== checkText(body['person'], 'person', personMax) || look.until <= Date.now()) {
      throw new Failure('refused', 'look-over', 'This look is over. Say again why you need to see it.');
    }
    return look;
  }

  #held(objectId: ObjectId): LedgerRow {
    const row = this.#parts.ledger.rowOf(objectId);
    if (row.state === 'destroyed') throw refused('object-destroyed', 'The object was destroyed: there is nothing left to look at.');
    if (row.state !== 'held') throw refused('transition-invalid', `The object is ${row.state}, not held.`);
    return row;
  }

  async #end(look: Look, how: string): Promise<void> {
    if (!this.#looks.has(look.id)) return;
    this.#forget(look);
    const row = this.#parts.ledger.rowOf(look.objectId);
    await this.#record((time) => message(time, row, { person: look.person, address: '' }, eventTypes.emergencyOverrideStopped, 0, `look at a held object ended: ${how}`));
  }

  #forget(look: Look): void {
    clearTimeout(look.timer);
    this.#looks.delete(look.id);
  }

  async #record(...makers: readonly ((time: number) => AuditMessage)[]): Promise<void> {
    await this.#parts.commits.submit((group) => {
      for (const make of makers) {
        const made = make(group.time);
        group.record.message(made);
        this.#accesses.note(made, group.auditEntry);
      }
    });
  }
}

function checkOpening(body: Readonly<Record<string, unknown>>): Opening {
  const given = Array.isArray(body['roles']) ? (body['roles'] as unknown[]) : [];
  const person = checkText(body['person'], 'person', personMax).trim();
  if (person === '') throw refused('request-invalid', 'a look has a person');
  return {
    objectId: checkObjectId(body['objectId']), person, address: checkText(body['address'] ?? '', 'address', personMax), roles: allRoles.filter((role) => given.includes(role)),
    reason: checkText(body['reason'], 'reason', reasonMax).trim(),
  };
}

function message(time: number, row: LedgerRow, { person, address }: Pick<Opening, 'person' | 'address'>, type: Code, outcome: 0 | 4, text: string): AuditMessage {
  return {
    eventID: eventIDs.securityAlert, eventTypes: [type], action: 'E', time, outcome, outcomeDescription: text,
    participants: [{ userID: person, userIsRequestor: true, ...(address === '' ? {} : { networkAccessPoint: address }) }, keeper],
    objects: [objectRecord(row.object_id, [['sha256', row.sha256], ['SOP Instance UID', row.sop_instance_uid]]), ...(row.patient_id === '' ? [] : [{ typeCode: 1 as const, role: 1, idType: objectIDTypes.patientNumber, id: row.patient_id, name: row.patient_name }])],
  };
}

/** PS3.15 §A.5.3.6: what the trace shows as seen. */
function opened(time: number, row: LedgerRow, { person, address }: Opening): AuditMessage {
  return {
    eventID: eventIDs.instancesAccessed, eventTypes: [], action: 'R', time, outcome: 0,
    participants: [{ userID: person, userIsRequestor: true, ...(address === '' ? {} : { networkAccessPoint: address }) }, keeper],
    objects: [{
      typeCode: 2, role: 3, idType: row.study_instance_uid === '' ? objectIDTypes.object : objectIDTypes.studyInstanceUID, id: row.study_instance_uid === '' ? row.object_id : row.study_instance_uid,
      details: [['Resource', 'safe look at a held object']], ...(row.sop_instance_uid === '' ? {} : { sopClasses: [{ uid: row.sop_class_uid, count: 1, instances: [row.sop_instance_uid] }] }),
    }],
  };
}
