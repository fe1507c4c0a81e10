/**
 * The ledger's statements. Those of the hot path are written by hand and prepared once: building a query takes longer than running it.
 * Slow requests use kysely (listing.ts).
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { refused } from '@lazaret/system/failure.ts';
import { prepareAll } from './database.ts';
import type { Digest, ObjectId, ReceivedObject, Source } from '../reception/contract.ts';
import type { Disarmed, Finding, InstanceReport, LedgerEntry, Proposal, State, Verdict, Work } from './contract.ts';
import type { Person } from './people.ts';
import { answeredBy, askedOf } from './resend.ts';
import type { WithdrawnBy } from './withdrawalcontract.ts';
import { withdrawalStatements } from './withdrawalschema.ts';

/** A row as SQLite gives it, joined with its source. */
export interface LedgerRow {
  readonly number: number;
  readonly object_id: ObjectId;
  readonly state: 'waiting' | 'archived' | 'held' | 'destroyed';
  readonly bytes: number;
  readonly sha256: Digest;
  readonly received_at: number;
  readonly sop_class_uid: string;
  readonly sop_instance_uid: string;
  readonly transfer_syntax_uid: string;
  readonly verdict: Verdict | null;
  readonly disarmed: string;
  readonly findings: string;
  readonly epoch: string;
  readonly concluded_at: number | null;
  readonly archived_sha256: Digest | null;
  readonly archived_bytes: number | null;
  readonly damaged: 0 | 1;
  readonly patient_name: string;
  readonly patient_id: string;
  readonly study_instance_uid: string;
  readonly study_description: string;
  readonly modality: string;
  readonly audit_entry: number;
  readonly door: Source['door'];
  readonly peer: string;
  readonly address: string;
  readonly calling_ae_title: string;
  readonly called_ae_title: string;
  readonly batch: string;
}

/** What a conclusion, a decision or damage changes in a row. */
export interface Change {
  readonly state: LedgerRow['state'];
  readonly verdict: Verdict;
  readonly disarmed: readonly string[];
  readonly findings: readonly Finding[];
  readonly epoch: string;
  readonly concludedAt: number;
  readonly archived: { readonly sha256: Digest; readonly bytes: number } | null;
  readonly damaged: boolean;
  readonly sopClassUID: string;
  readonly sopInstanceUID: string;
  readonly person: Person;
  readonly auditEntry: number;
}

/** What a release of a held object starts from. */
export interface Report {
  readonly instance: InstanceReport;
  readonly disarmed: Disarmed | null;
}

const columns = `number, object_id, state, bytes, sha256, received_at, sop_class_uid, sop_instance_uid, transfer_syntax_uid, verdict, disarmed, findings, epoch, concluded_at,
  archived_sha256, archived_bytes, damaged, patient_name, patient_id, study_instance_uid, study_description, modality, audit_entry,
  door, peer, address, calling_ae_title, called_ae_title, batch`;
const texts = {
  byId: `SELECT ${columns} FROM ledger JOIN ledger_source USING (source) WHERE object_id = ?`,
  byArchived: `SELECT ${columns} FROM ledger JOIN ledger_source USING (source) WHERE sha256 = ?1 AND archived_sha256 = ?1 AND state = 'archived'
    UNION ALL SELECT ${columns} FROM ledger JOIN ledger_source USING (source) WHERE archived_sha256 = ?1 AND archived_sha256 <> sha256 AND state = 'archived'`,
  // What is damaged is not kept: the sender who still has it may heal it.
  kept: `SELECT object_id FROM ledger WHERE sha256 = ? AND state <> 'destroyed' AND damaged = 0 LIMIT 1`,
  known: 'SELECT sha256 FROM ledger WHERE object_id = ?',
  addSource: 'INSERT INTO ledger_source (door, peer, address, calling_ae_title, called_ae_title, batch) VALUES (?, ?, ?, ?, ?, ?)',
  add: `INSERT INTO ledger (object_id, state, bytes, sha256, source, received_at, sop_class_uid, sop_instance_uid, transfer_syntax_uid, audit_entry) VALUES (?, 'waiting', ?, ?, ?, ?, ?, ?, ?, ?)`,
  // An earlier one that is still kept, or a later one that was quicker into the archive.
  conflicting: `SELECT object_id FROM ledger WHERE sop_instance_uid = ?1 AND sha256 <> ?2 AND state <> 'destroyed' AND (number < ?3 OR state = 'archived') LIMIT 16`,
  sameInstance: `SELECT object_id FROM ledger WHERE sop_instance_uid = ?1 AND sop_instance_uid <> '' AND sha256 <> ?2 AND state <> 'destroyed' LIMIT 16`,
  change: `UPDATE ledger SET state = ?, verdict = ?, disarmed = ?, findings = ?, epoch = ?, concluded_at = ?, archived_sha256 = ?, archived_bytes = ?, damaged = ?,
    sop_class_uid = ?, sop_instance_uid = ?, patient_name = ?, patient_id = ?, study_instance_uid = ?, study_description = ?, modality = ?, audit_entry = ? WHERE object_id = ?`,
  renew: 'UPDATE ledger SET epoch = ?, concluded_at = ?, audit_entry = ? WHERE object_id = ?',
  waitingAfter: `SELECT number, object_id, bytes, sha256, sop_class_uid, sop_instance_uid, transfer_syntax_uid, peer FROM ledger JOIN ledger_source USING (source) WHERE state = 'waiting' AND number > ? ORDER BY number LIMIT ?`,
  counts: 'SELECT state, count(*) AS count FROM ledger GROUP BY state',
  open: `SELECT ${columns} FROM ledger JOIN ledger_source USING (source) WHERE state IN ('waiting', 'held')`,
  unsettled: `SELECT ${columns} FROM ledger JOIN ledger_source USING (source) WHERE number >= ? AND state IN ('archived', 'destroyed')`,
  mark: 'SELECT value FROM ledger_mark WHERE name = ?',
  lowerMark: 'UPDATE ledger_mark SET value = min(value, ?) WHERE name = ?',
  setMark: 'UPDATE ledger_mark SET value = ? WHERE name = ?',
  raiseMark: 'UPDATE ledger_mark SET value = max(value, ?) WHERE name = ?',
  answerAll: `UPDATE ledger_mark SET value = (SELECT coalesce(max(number), 0) FROM ledger) WHERE name = 'answered'`,
  discard: `DELETE FROM ledger WHERE object_id = ? AND state = 'waiting'`,
  keepReport: 'INSERT OR REPLACE INTO ledger_report (object_id, report) VALUES (?, ?)',
  report: 'SELECT report FROM ledger_report WHERE object_id = ?',
  dropReport: 'DELETE FROM ledger_report WHERE object_id = ?',
  proposals: 'SELECT decision, person, roles, reason, proposed_at FROM ledger_proposal WHERE object_id = ?',
  propose: 'INSERT OR REPLACE INTO ledger_proposal (object_id, decision, person, roles, reason, proposed_at) VALUES (?, ?, ?, ?, ?, ?)',
  dropProposals: 'DELETE FROM ledger_proposal WHERE object_id = ?',
  decided: 'INSERT INTO ledger_decision (object_id, decision, person, second_person, reason, decided_at) VALUES (?, ?, ?, ?, ?, ?)',
} as const;

export interface KeptProposal extends Proposal {
  readonly roles: readonly string[];
}

const nothing = (): void => {};

/** Sources of this many batches are remembered; an older one that comes again gets a second row, which is harmless. */
const sourcesMax = 1_000;

export class Ledger {
  readonly #run: Readonly<Record<keyof typeof texts, StatementSync>>;
  /** Filled only with sources of committed groups. */
  readonly #sources = new Map<string, number>();
  readonly #withdrawnBy: StatementSync;
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#run = prepareAll(database, texts);
    this.#database = database;
    this.#withdrawnBy = withdrawalStatements(database).holding;
  }

  row(objectId: string): LedgerRow | null {
    return (this.#run.byId.get(objectId) as LedgerRow | undefined) ?? null;
  }
  /** Throws `object-unknown`. */
  rowOf(objectId: string): LedgerRow {
    const row = this.row(objectId);
    if (row === null) throw refused('object-unknown', `there is no object ${objectId}`);
    return row;
  }
  archivedUnder(digest: string): LedgerRow[] {
    return this.#run.byArchived.all(digest) as unknown as LedgerRow[];
  }
  digestOf(objectId: string): string | null {
    return (this.#run.known.get(objectId) as { sha256: string } | undefined)?.sha256 ?? null;
  }
  keptAs(sha256: string): ObjectId | null {
    return (this.#run.kept.get(sha256) as { object_id: ObjectId } | undefined)?.object_id ?? null;
  }

  /** `committed` must be called when the group is durable. */
  add(received: ReceivedObject, auditEntry: number): { readonly number: number; readonly committed: () => void } {
    const { source } = received;
    const key = `${source.door}\n${source.peer}\n${source.address}\n${source.callingAETitle}\n${source.calledAETitle}\n${source.batch}`;
    let sourceKey = this.#sources.get(key);
    let committed = nothing;
    if (sourceKey === undefined) {
      sourceKey = Number(this.#run.addSource.run(source.door, source.peer, source.address, source.callingAETitle, source.calledAETitle, source.batch).lastInsertRowid);
      const made = sourceKey;
      committed = () => {
        this.#sources.set(key, made);
        if (this.#sources.size > sourcesMax) this.#sources.delete(this.#sources.keys().next().value!);
      };
    }
    const { lastInsertRowid } = this.#run.add.run(
      received.objectId, received.bytes, received.sha256, sourceKey, received.receivedAt, received.sopClassUID, received.sopInstanceUID, received.transferSyntaxUID, auditEntry,
    );
    return { number: Number(lastInsertRowid), committed };
  }

  /** Objects that stand in the way of this one: the same SOP Instance UID, other bytes. */
  conflicting(sopInstanceUID: string, sha256: string, number: number): ObjectId[] {
    if (sopInstanceUID === '') return [];
    return (this.#run.conflicting.all(sopInstanceUID, sha256, number) as { object_id: ObjectId }[]).map((row) => row.object_id);
  }

  change(objectId: string, change: Change): void {
    this.#run.change.run(
      change.state, change.verdict, change.disarmed.join(','), JSON.stringify(change.findings), change.epoch, change.concludedAt, change.archived?.sha256 ?? null, change.archived?.bytes ?? null,
      change.damaged ? 1 : 0, change.sopClassUID, change.sopInstanceUID, change.person.patientName, change.person.patientID, change.person.studyInstanceUID, change.person.studyDescription,
      change.person.modality, change.auditEntry, objectId,
    );
  }
  renew(objectId: string, epoch: string, time: number, auditEntry: number): void {
    this.#run.renew.run(epoch, time, auditEntry, objectId);
  }

  waitingAfter(number: number, limit: number): { number: number; work: Work }[] {
    return (this.#run.waitingAfter.all(number, limit) as unknown as LedgerRow[]).map((row) => ({ number: row.number, work: workOf(row) }));
  }
  counts(): { state: LedgerRow['state']; count: number }[] {
    return this.#run.counts.all() as { state: LedgerRow['state']; count: number }[];
  }
  open(): Iterable<LedgerRow> {
    return this.#run.open.iterate() as unknown as Iterable<LedgerRow>;
  }
  unsettled(from: number): Iterable<LedgerRow> {
    return this.#run.unsettled.iterate(from) as unknown as Iterable<LedgerRow>;
  }
  settledBelow(): number {
    return (this.#run.mark.get('settled_below') as { value: number }).value;
  }
  lowerSettledBelow(number: number): void {
    this.#run.lowerMark.run(number, 'settled_below');
  }
  setSettledBelow(number: number): void {
    this.#run.setMark.run(number, 'settled_below');
  }
  /** Objects up to this number were acknowledged. */
  answered(): number {
    return (this.#run.mark.get('answered') as { value: number }).value;
  }
  raiseAnswered(number: number): void {
    this.#run.raiseMark.run(number, 'answered');
  }
  /** After recovery everything that is left counts as acknowledged. */
  answerAll(): void {
    this.#run.answerAll.run();
  }
  /** Forgets an object that was never acknowledged and whose file is not whole. */
  discard(objectId: string): void {
    this.#run.discard.run(objectId);
  }

  keepReport(objectId: string, report: Report): void {
    this.#run.keepReport.run(objectId, JSON.stringify(report));
  }
  report(objectId: string): Report | null {
    const row = this.#run.report.get(objectId) as { report: string } | undefined;
    return row === undefined ? null : (JSON.parse(row.report) as Report);
  }
  dropReport(objectId: string): void {
    this.#run.dropReport.run(objectId);
  }

  proposals(objectId: string): KeptProposal[] {
    return (this.#run.proposals.all(objectId) as { decision: 'release' | 'destroy'; person: string; roles: string; reason: string; proposed_at: number }[]).map((row) => ({
      decision: row.decision, person: row.person, roles: row.roles.split(' ').filter((role) => role !== ''), reason: row.reason, proposedAt: row.proposed_at,
    }));
  }
  propose(objectId: string, proposal: KeptProposal): void {
    this.#run.propose.run(objectId, proposal.decision, proposal.person, proposal.roles.join(' '), proposal.reason, proposal.proposedAt);
  }
  decide(objectId: string, decision: string, person: string, secondPerson: string, reason: string, time: number): void {
    this.#run.dropProposals.run(objectId);
    this.#run.decided.run(objectId, decision, person, secondPerson, reason, time);
  }

  /** The withdrawal that a held object is out of sight for, or null. */
  withdrawnBy(objectId: string): WithdrawnBy | null {
    const row = this.#withdrawnBy.get(objectId) as WithdrawnBy | undefined;
    return row === undefined ? null : { ...row };
  }

  /** The row as people see it. `state` is what the keeper knows better than the file: `inspecting`. */
  entry(row: LedgerRow, state: State = row.state): LedgerEntry {
    const conflicts = row.state === 'archived' ? [] : (this.#run.sameInstance.all(row.sop_instance_uid, row.sha256) as { object_id: ObjectId }[]).map((other) => other.object_id);
    return {
      objectId: row.object_id, state, bytes: row.bytes, sha256: row.sha256, source: sourceOf(row), receivedAt: row.received_at,
      sopClassUID: row.sop_class_uid, sopInstanceUID: row.sop_instance_uid, verdict: row.verdict, disarmed: row.disarmed === '' ? [] : row.disarmed.split(','),
      findings: JSON.parse(row.findings) as Finding[], epoch: row.epoch, concludedAt: row.concluded_at, patientName: row.patient_name, patientID: row.patient_id,
      studyInstanceUID: row.study_instance_uid, studyDescription: row.study_description, modality: row.modality, conflicts,
      asked: row.state === 'held' ? askedOf(this.#database, row) : null, answerTo: row.state === 'held' ? answeredBy(this.#database, row) : null,
      withdrawal: row.state === 'held' ? this.withdrawnBy(row.object_id) : null,
      proposals: row.state === 'held' ? this.proposals(row.object_id).map(({ decision, person, reason, proposedAt }) => ({ decision, person, reason, proposedAt })) : [],
    };
  }
}

export function sourceOf(row: LedgerRow): Source {
  return { door: row.door, peer: row.peer, address: row.address, callingAETitle: row.calling_ae_title, calledAETitle: row.called_ae_title, batch: row.batch };
}

export function workOf(row: Pick<LedgerRow, 'object_id' | 'bytes' | 'sha256' | 'sop_class_uid' | 'sop_instance_uid' | 'transfer_syntax_uid' | 'peer'>): Work {
  return { objectId: row.object_id, bytes: row.bytes, sha256: row.sha256, sopClassUID: row.sop_class_uid, sopInstanceUID: row.sop_instance_uid, transferSyntaxUID: row.transfer_syntax_uid, peer: row.peer };
}
