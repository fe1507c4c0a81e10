/** What one group of commits puts on the record: objects of the same association or request share a message (PS3.15 §A.5.3). */
import { eventIDs, eventTypes, objectIDTypes, roleIDs } from '@lazaret/audit/codes.ts';
import type { ActiveParticipant, AuditMessage, Code, Outcome, ParticipantObject } from '@lazaret/audit/message.ts';
import type { Source } from '../reception/contract.ts';
import type { Verdict } from './contract.ts';

/** Keeps a message under some 80 KiB. */
const objectsMax = 200;

/** The keeper as participant. */
export const keeper: ActiveParticipant = { userID: 'lazaret/keeper', userIsRequestor: false, roleIDCodes: [roleIDs.application] };

export interface RecordedObject {
  readonly objectId: string;
  readonly sha256: string;
  readonly sopClassUID: string;
  readonly sopInstanceUID: string;
}
export interface RecordedConclusion extends RecordedObject {
  readonly state: 'archived' | 'held';
  readonly verdict: Verdict;
  /** Codes of the findings and what was disarmed, for the record. */
  readonly codes: readonly string[];
  readonly epoch: string;
  readonly archivedSha256: string;
}

interface Batch<Item> {
  readonly source: Source;
  readonly items: Item[];
}

export class GroupRecord {
  readonly #admissions = new Map<string, Batch<RecordedObject>>();
  readonly #duplicates = new Map<string, Batch<RecordedObject & { readonly of: string }>>();
  readonly #conclusions = new Map<string, Batch<RecordedConclusion>>();
  readonly #messages: AuditMessage[] = [];

  admitted(source: Source, object: RecordedObject): void {
    add(this.#admissions, source.batch, source, object);
  }
  /** `of`: the object that has the same bytes. */
  duplicate(source: Source, object: RecordedObject, of: string): void {
    add(this.#duplicates, source.batch, source, { ...object, of });
  }
  concluded(source: Source, conclusion: RecordedConclusion): void {
    add(this.#conclusions, `${conclusion.verdict} ${conclusion.state} ${source.batch}`, source, conclusion);
  }
  message(message: AuditMessage): void {
    this.#messages.push(message);
  }

  messages(time: number): AuditMessage[] {
    return [
      ...pieces(this.#admissions, (batch) => transfer(batch, time, eventTypes.admission, (object) => `sha256 ${object.sha256}`)),
      ...pieces(this.#duplicates, (batch) => transfer(batch, time, eventTypes.duplicate, (object) => `sha256 ${object.sha256}; kept as ${object.of}`)),
      ...pieces(this.#conclusions, (batch) => conclusions(batch, time)),
      ...this.#messages,
    ];
  }

  /** Entries [from, to) were written, and then the ledger could not be. */
  undone(time: number, from: number, to: number): AuditMessage {
    return {
      eventID: eventIDs.applicationActivity, eventTypes: [eventTypes.recovery], action: 'E', time, outcome: 8,
      outcomeDescription: `What entries ${from} to ${to - 1} tell of was not carried out: the ledger could not be written. Nothing of it was acknowledged.`,
      participants: [keeper], objects: [],
    };
  }
}

function add<Item>(batches: Map<string, Batch<Item>>, key: string, source: Source, item: Item): void {
  const batch = batches.get(key);
  if (batch === undefined) batches.set(key, { source, items: [item] });
  else batch.items.push(item);
}

function pieces<Item>(batches: ReadonlyMap<string, Batch<Item>>, make: (batch: Batch<Item>) => AuditMessage): AuditMessage[] {
  const messages: AuditMessage[] = [];
  for (const { source, items } of batches.values()) {
    for (let from = 0; from < items.length; from += objectsMax) messages.push(make({ source, items: items.slice(from, from + objectsMax) }));
  }
  return messages;
}

/** PS3.15 §A.5.3.7 DICOM Instances Transferred. The Study is not known yet: nobody has looked into the objects. */
function transfer<Item extends RecordedObject>(batch: Batch<Item>, time: number, type: Code, say: (item: Item) => string): AuditMessage {
  return {
    eventID: eventIDs.instancesTransferred, eventTypes: [type], action: 'C', time, outcome: 0,
    participants: [peerOf(batch.source), { ...keeper, roleIDCodes: [roleIDs.destination] }],
    objects: [objectOf(batch.source, batch.items, say)],
  };
}

/** A verdict is Import (§A.5.3.8 in spirit: from outside into what people see) when it lets in, Security Alert (§A.5.3.10) when it does not. */
function conclusions(batch: Batch<RecordedConclusion>, time: number): AuditMessage {
  const { verdict, state, epoch } = batch.items[0]!;
  const outcome: Outcome = state === 'archived' ? 0 : verdict === 'malicious' ? 8 : 4;
  return {
    eventID: state === 'archived' ? eventIDs.import : eventIDs.securityAlert, eventTypes: [eventTypes.conclusion], action: state === 'archived' ? 'C' : 'E', time, outcome,
    outcomeDescription: `${verdict}, ${state}, by ${epoch}`,
    participants: [{ ...keeper, userIsRequestor: true }, { ...peerOf(batch.source), userIsRequestor: false }],
    objects: [objectOf(batch.source, batch.items, (item) => {
      const as = item.state === 'archived' && item.archivedSha256 !== item.sha256 ? `; archived as ${item.archivedSha256}` : '';
      return `sha256 ${item.sha256}${as}${item.codes.length > 0 ? `; ${item.codes.join(' ')}` : ''}`;
    })],
  };
}

export function peerOf(source: Source): ActiveParticipant {
  const titles = source.callingAETitle === '' ? {} : { alternativeUserID: `AETITLE=${source.callingAETitle}` };
  return { userID: source.peer, ...titles, userIsRequestor: true, roleIDCodes: [roleIDs.source], networkAccessPoint: source.address };
}

function objectOf<Item extends RecordedObject>(source: Source, items: readonly Item[], say: (item: Item) => string): ParticipantObject {
  const classes = new Map<string, string[]>();
  for (const item of items) {
    const instances = classes.get(item.sopClassUID);
    if (instances === undefined) classes.set(item.sopClassUID, [item.sopInstanceUID]);
    else instances.push(item.sopInstanceUID);
  }
  return {
    typeCode: 2, role: 3, idType: objectIDTypes.batch, id: source.batch, name: source.door,
    details: items.map((item) => [item.objectId, say(item)] as const),
    sopClasses: [...classes].map(([uid, instances]) => ({ uid, count: instances.length, instances })),
  };
}

/** One object and what people did to it. */
export function objectRecord(objectId: string, details: readonly (readonly [string, string])[]): ParticipantObject {
  return { typeCode: 2, role: 3, idType: objectIDTypes.object, id: objectId, details };
}
