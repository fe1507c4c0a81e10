/**
 * Conclusion: what becomes of an object after its inspection. Only `clean`, over the very bytes that were admitted and without a
 * conflict, leads into the archive (promise 2); the row, the index, the record and the file move together.
 */
import { existsSync, rmSync } from 'node:fs';
import { objectPath } from '@lazaret/system/layout.ts';
import { Failure, refused } from '@lazaret/system/failure.ts';
import { eventIDs, eventTypes } from '@lazaret/audit/codes.ts';
import type { Digest, ObjectId } from '../reception/contract.ts';
import { composeDisarmed } from './compose.ts';
import type { Group } from './commits.ts';
import type { Conclusion, Disarmed, Finding, InstanceReport, LedgerEntry, Verdict, Work } from './contract.ts';
import { checkConclusion, checkFields, checkObjectId } from './guards.ts';
import { sourceOf, type Change, type LedgerRow } from './ledger.ts';
import type { Parts } from './parts.ts';
import { personOf, type Person } from './people.ts';
import { keeper, objectRecord } from './record.ts';
import { repeatOf } from './repeat.ts';
import { transition } from './states.ts';

/** Where the disarmed file waits for its place in the archive, and where an archived file lies that was taken out of sight. */
export const disarmedPath = (quarantine: string, objectId: string): string => `${objectPath(quarantine, objectId)}.disarmed`;
export const withdrawnPath = (quarantine: string, objectId: string): string => `${objectPath(quarantine, objectId)}.withdrawn`;

/** A finding of the quarantine itself. */
export function finding(code: string, text: string): Finding {
  return { code, offset: 0, length: 0, tag: '', engine: 'quarantine', text };
}

/** A conclusion that is not what it should be says nothing of the object, so the object is not clean. */
function readConclusion(untrusted: unknown, work: Work): Conclusion {
  try {
    return checkConclusion(untrusted);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return {
      objectId: work.objectId, sha256: work.sha256, verdict: 'unscannable', findings: [finding('conclusion-invalid', `What the inspection said of this object cannot be taken: ${error.message}.`)],
      disarmed: null, epoch: '', ms: 0, instance: null,
    };
  }
}

/** As many Series as may arrive side by side. */
const peopleMax = 256;

/** A clean inspection of what is held all the same: the rows of pacs/inspection/verdict.ts, which the quarantine cannot import. */
function verdictOfReasons(findings: readonly Finding[]): Verdict {
  return findings.some(({ code }) => code === 'instance-conflict' || code === 'digest-mismatch') ? 'malformed' : 'unscannable';
}

/** Who knows what people have withdrawn before it was concluded (withdrawal.ts). */
export interface Cover {
  /** The order that a clean object must stay out of sight for, or null. */
  orderFor(row: LedgerRow, conclusion: Conclusion): number | null;
  /** An object was concluded, inside the transaction that says so. `order`: that for which it was held. */
  concluded(group: Group, row: LedgerRow, state: 'archived' | 'held', order: number | null): void;
}

export class Conclusions {
  readonly #parts: Parts;
  /** Who waits for an object to be concluded. */
  readonly #waiting = new Map<string, Set<() => void>>();
  readonly #people = new Map<string, Person>();
  cover: Cover | null = null;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /**
   * Refuses with `work-unknown` what the asker has not claimed; everything else leads to a state, since work that is given out again and
   * again would keep the inspectors from all other. Resolves once committed.
   */
  async conclude(untrusted: unknown, signal: AbortSignal): Promise<void> {
    const { queue, layout, ledger, commits } = this.#parts;
    const objectId = checkObjectId(checkFields(untrusted)['objectId']);
    const job = queue.leaseOf(objectId, signal);
    if (job === null) throw refused('work-unknown', `object ${objectId} was not claimed through this connection, or is concluded already`);
    let conclusion = readConclusion(untrusted, job.work);
    if (job.area === 'archive') {
      queue.rechecked(conclusion.objectId, conclusion);
      return;
    }
    const row = ledger.rowOf(conclusion.objectId);
    const reasons: Finding[] = [];
    if (conclusion.sha256 !== row.sha256) {
      reasons.push(finding('digest-mismatch', 'The bytes that were inspected are not the bytes that were received. The object may have been changed on the disk.'));
    } else {
      // A file that cannot be read here is found by the archive's own checks; the object is then held as a conflict.
      const repeat = await repeatOf(this.#parts, row, conclusion).catch(() => null);
      if (repeat !== null) conclusion = { ...conclusion, ...repeat };
    }
    if (reasons.length === 0 && conclusion.verdict === 'clean' && conclusion.disarmed !== null) {
      const wrong = await composeDisarmed(objectPath(layout.quarantine, row.object_id), row.bytes, conclusion.disarmed, disarmedPath(layout.quarantine, row.object_id));
      if (wrong !== null) reasons.push(finding('digest-mismatch', `The object could not be disarmed: ${wrong}.`));
    }
    if (conclusion.verdict === 'clean' && conclusion.instance === null) reasons.push(finding('instance-missing', 'The inspection found nothing wrong but did not say which instance this is.'));
    try {
      // What nobody waits for need not be durable yet: after a power failure the object is inspected again.
      const awaited = conclusion.verdict !== 'clean' || this.#waiting.has(objectId);
      await commits.submit((group) => this.#step(group, conclusion, reasons), awaited ? 'now' : 'soon');
    } catch (error) {
      if (error instanceof Failure && error.severity === 'unavailable') throw error;
      const failed = finding('index-failed', `The archive could not take this object: ${error instanceof Failure ? error.message : 'it is of a shape that was not expected'}.`);
      await commits.submit((group) => this.#step(group, { ...conclusion, instance: null }, [...reasons, failed]));
    }
  }

  /** The entry once the object is concluded, or as it is when the time is over. */
  async concluded(objectId: ObjectId, timeoutMs: number, signal: AbortSignal): Promise<LedgerEntry> {
    const { ledger } = this.#parts;
    const row = ledger.rowOf(objectId);
    if (row.state === 'waiting' && timeoutMs > 0) {
      await new Promise<void>((resolve) => {
        const waiters = this.#waiting.get(objectId) ?? new Set();
        const end = (): void => {
          clearTimeout(timer);
          waiters.delete(end);
          if (waiters.size === 0) this.#waiting.delete(objectId);
          resolve();
        };
        const timer = setTimeout(end, timeoutMs);
        signal.addEventListener('abort', end, { once: true });
        waiters.add(end);
        this.#waiting.set(objectId, waiters);
      });
    }
    return this.entry(ledger.rowOf(objectId));
  }

  entry(row: LedgerRow): LedgerEntry {
    return this.#parts.ledger.entry(row, row.state === 'waiting' && this.#parts.queue.isInspecting(row.object_id) ? 'inspecting' : row.state);
  }

  #step(group: Group, conclusion: Conclusion, reasons: readonly Finding[]): void {
    const { ledger } = this.#parts;
    const row = ledger.rowOf(conclusion.objectId);
    if (row.state !== 'waiting') throw refused('transition-invalid', `object ${row.object_id} is ${row.state}, not inspecting`);
    const sopInstanceUID = conclusion.instance?.sopInstanceUID ?? row.sop_instance_uid;
    // What became the archived file byte for byte is no conflict with it.
    const conflicts = ledger.conflicting(sopInstanceUID, row.sha256, row.number).filter((other) => conclusion.disarmed === null || ledger.rowOf(other).archived_sha256 !== conclusion.disarmed.sha256);
    // The inspection may have said the same of the bytes as we do.
    const findings = [...reasons, ...conclusion.findings.filter(({ code }) => !reasons.some((reason) => reason.code === code))];
    if (conflicts.length > 0) {
      findings.unshift(finding('instance-conflict', `Another object with the same SOP Instance UID and other bytes is kept already (${conflicts.join(', ')}). Both are kept; neither replaces the other by itself.`));
    }
    const clean = conclusion.verdict === 'clean' && reasons.length === 0 && conflicts.length === 0;
    // People have taken it away already: it stays clean, and out of sight.
    const order = clean ? (this.cover?.orderFor(row, conclusion) ?? null) : null;
    if (order !== null) {
      this.#hold(group, row, conclusion, 'clean', findings, order);
      return;
    }
    if (clean && this.#archive(group, row, conclusion, findings)) return;
    this.#hold(group, row, conclusion, conclusion.verdict === 'clean' ? verdictOfReasons(findings) : conclusion.verdict, findings);
  }

  /** False when the index refuses the report; nothing has been written then. */
  #archive(group: Group, row: LedgerRow, conclusion: Conclusion, findings: Finding[]): boolean {
    const { ledger, layout, handover } = this.#parts;
    const { disarmed } = conclusion;
    const instance = conclusion.instance!;
    const sha256 = disarmed?.sha256 ?? row.sha256;
    const bytes = disarmed?.bytes ?? row.bytes;
    try {
      handover.index({ objectId: row.object_id, digest: sha256, bytes, epoch: conclusion.epoch, disarmed: disarmed !== null, archivedAt: group.time, instance });
    } catch (error) {
      if (!(error instanceof Failure) || error.severity !== 'refused') throw error;
      findings.unshift(finding(error.code, `The index cannot take this object: ${error.message}`));
      return false;
    }
    const from = disarmed === null ? objectPath(layout.quarantine, row.object_id) : disarmedPath(layout.quarantine, row.object_id);
    const change = this.#change(group, row, conclusion, 'clean', findings, this.#personOfSeries(row.batch, instance));
    ledger.change(row.object_id, { ...change, state: 'archived', disarmed: disarmed?.what ?? [], archived: { sha256, bytes } });
    this.#recordConclusion(group, row, change, 'archived', sha256, disarmed);
    archiveFile(this.#parts, group, row, from, sha256);
    this.#end(group, row, transition(transition('inspecting', 'clear'), 'archive') as 'archived');
    return true;
  }

  #hold(group: Group, row: LedgerRow, conclusion: Conclusion, verdict: Verdict, findings: Finding[], order: number | null = null): void {
    const { ledger, layout } = this.#parts;
    const change = this.#change(group, row, conclusion, verdict, findings, personOf(conclusion.instance));
    const sameBytes = conclusion.sha256 === row.sha256;
    ledger.change(row.object_id, { ...change, state: 'held', damaged: !sameBytes });
    // A report about other bytes is of no use to a release.
    if (conclusion.instance !== null && sameBytes) ledger.keepReport(row.object_id, { instance: conclusion.instance, disarmed: conclusion.disarmed });
    this.#recordConclusion(group, row, change, 'held', row.sha256, null);
    group.after(() => rmSync(disarmedPath(layout.quarantine, row.object_id), { force: true }));
    this.#end(group, row, transition('inspecting', 'hold') as 'held', order);
  }

  /** Reading metadata costs more than all else here, and the slices of one Series that came together have the same patient. */
  #personOfSeries(batch: string, instance: InstanceReport): Person {
    const key = `${batch} ${instance.studyInstanceUID} ${instance.seriesInstanceUID}`;
    const known = this.#people.get(key);
    if (known !== undefined) return known;
    const person = personOf(instance);
    this.#people.set(key, person);
    if (this.#people.size > peopleMax) this.#people.delete(this.#people.keys().next().value!);
    return person;
  }

  #change(group: Group, row: LedgerRow, conclusion: Conclusion, verdict: Verdict, findings: readonly Finding[], person: Person): Change {
    const { instance } = conclusion;
    return {
      state: 'held', verdict, disarmed: [], findings, epoch: conclusion.epoch, concludedAt: group.time, archived: null, damaged: false, sopClassUID: instance?.sopClassUID ?? row.sop_class_uid,
      sopInstanceUID: instance?.sopInstanceUID ?? row.sop_instance_uid, person, auditEntry: group.auditEntry,
    };
  }

  #recordConclusion(group: Group, row: LedgerRow, change: Change, state: 'archived' | 'held', archivedSha256: string, disarmed: Disarmed | null): void {
    const codes = [...new Set(change.findings.map((each) => each.code))].slice(0, 20);
    if (disarmed !== null) codes.push(`disarmed:${disarmed.what.join('+')}`, `dataset:${disarmed.dataSetSha256}`);
    group.record.concluded(sourceOf(row), {
      objectId: row.object_id, sha256: row.sha256, sopClassUID: change.sopClassUID, sopInstanceUID: change.sopInstanceUID, state, verdict: change.verdict, codes, epoch: change.epoch, archivedSha256,
    });
  }

  #end(group: Group, row: LedgerRow, state: 'archived' | 'held', order: number | null = null): void {
    this.cover?.concluded(group, row, state, order);
    group.after(() => {
      this.#parts.queue.finish(row.object_id);
      this.#parts.counts.move('inspecting', state);
      for (const wake of this.#waiting.get(row.object_id) ?? []) wake();
    });
  }
}

/** Moves a file into the archive, inside the transaction that says so. */
export function archiveFile(parts: Parts, group: Group, row: LedgerRow, from: string, sha256: Digest): void {
  const to = objectPath(parts.layout.archive, sha256);
  // Where it is there already (two objects became the same file by disarming) it has the same bytes: the name is their digest. It stays, since
  // a group that is rolled back would take away what another object needs.
  if (existsSync(to)) {
    group.after(() => rmSync(disarmedPath(parts.layout.quarantine, row.object_id), { force: true }));
    return;
  }
  group.rename(from, to);
  parts.settling.moved(group, row.number, [from, to]);
}

/** Takes an archived object out of sight, inside a transaction: its row is held, its file goes back into the vault. */
export function withdrawObject(parts: Parts, group: Group, row: LedgerRow, reason: 'damaged' | 'stale' | 'superseded', verdict: Verdict, findings: readonly Finding[], epoch: string): void {
  const { ledger, layout, handover, counts } = parts;
  const digest = row.archived_sha256!;
  // What was superseded has left the index already.
  const instance: InstanceReport | null = reason === 'superseded' ? null : handover.withdraw(digest, reason, group.time);
  const state = transition('archived', 'withdraw') as 'held';
  ledger.change(row.object_id, {
    state, verdict, disarmed: row.disarmed === '' ? [] : row.disarmed.split(','), findings, epoch, concludedAt: group.time, archived: { sha256: digest, bytes: row.archived_bytes! },
    damaged: reason === 'damaged', sopClassUID: row.sop_class_uid, sopInstanceUID: row.sop_instance_uid,
    person: { patientName: row.patient_name, patientID: row.patient_id, studyInstanceUID: row.study_instance_uid, studyDescription: row.study_description, modality: row.modality }, auditEntry: group.auditEntry,
  });
  if (instance !== null) ledger.keepReport(row.object_id, { instance, disarmed: null });
  const from = objectPath(layout.archive, digest);
  const to = digest === row.sha256 ? objectPath(layout.quarantine, row.object_id) : withdrawnPath(layout.quarantine, row.object_id);
  if (existsSync(from)) group.rename(from, to);
  group.record.message({
    eventID: eventIDs.securityAlert, eventTypes: reason === 'damaged' ? [eventTypes.damage] : reason === 'stale' && verdict === 'malicious' ? [eventTypes.lateDetection, eventTypes.withdrawal] : [eventTypes.withdrawal], action: 'U', time: group.time,
    // Malicious software was where people open images: nothing worse happens here. What only cannot be looked into any more is not that.
    outcome: reason === 'superseded' ? 0 : reason === 'damaged' || verdict === 'malicious' ? 12 : 8,
    outcomeDescription: findings[0]?.text ?? reason, participants: [{ ...keeper, userIsRequestor: true }],
    objects: [objectRecord(row.object_id, [['archived sha256', digest], ['codes', findings.map((each) => each.code).join(' ')], ['SOP Instance UID', row.sop_instance_uid], ['verdict', verdict]])],
  });
  group.after(() => counts.move('archived', state));
}
