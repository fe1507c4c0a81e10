/**
 * What a new inspection of an archived object leads to. The sentence "only clean is clean" has two sides here: nothing is served on a verdict that is
 * stale, and no image is taken from those who treat patients because an engine had a bad day.
 */
import { existsSync } from 'node:fs';
import { eventIDs, eventTypes } from '@lazaret/audit/codes.ts';
import { Failure, refused, unavailable } from '@lazaret/system/failure.ts';
import { objectPath } from '@lazaret/system/layout.ts';
import type { Digest } from '../reception/contract.ts';
import { composeDisarmed } from './compose.ts';
import { archiveFile, disarmedPath, finding, withdrawnPath, withdrawObject } from './conclusion.ts';
import type { Group } from './commits.ts';
import type { Conclusion, Finding, Verdict } from './contract.ts';
import { sourceOf, type LedgerRow } from './ledger.ts';
import type { Parts } from './parts.ts';
import { keeper, objectRecord } from './record.ts';
import { transition } from './states.ts';

/**
 * - `renew`: clean over the same bytes, or found nothing that people did not know when they released it
 * - `disarm`: clean, but something outside the Data Set is to be neutralised now
 * - `withdraw`: not clean: out of sight
 * - `damaged`: other bytes than those that were archived: out of sight
 * - `again`: the examiner ended over it; that can be the object, or the machine
 * - `later`: an engine could not do its work, which says nothing of the object: it stays where it is and is not served
 */
export type Judgement = 'renew' | 'disarm' | 'withdraw' | 'damaged' | 'again' | 'later';

/** Of an engine that is away, broken, slow or out of date. `engine-limit` is not among them: that is about the object. */
const ofEngine: ReadonlySet<string> = new Set(['engine-missing', 'engine-failed', 'engine-timed-out', 'engine-outdated']);
/** Of an inspection that came to no end. */
const ofInspection: ReadonlySet<string> = new Set(['examiner-crashed', 'examiner-timed-out', 'examiner-memory', 'examiner-report', 'object-unreadable', 'conclusion-invalid']);

/** `row` is the object as it is archived, under `digest`. */
export function judge(row: Pick<LedgerRow, 'verdict' | 'findings'>, digest: Digest, conclusion: Conclusion): Judgement {
  if (conclusion.sha256 !== digest) return 'damaged';
  if (conclusion.verdict === 'clean') return conclusion.disarmed !== null && conclusion.instance !== null && row.verdict === 'clean' ? 'disarm' : 'renew';
  const known = row.verdict === 'clean' ? [] : releasedFindings(row);
  const left = conclusion.findings.filter((each) => !known.some((other) => isSame(each, other)));
  // A verdict without a finding is still a verdict.
  if (conclusion.findings.length === 0) return 'withdraw';
  if (left.length === 0) return 'renew';
  if (left.every(({ code }) => ofEngine.has(code))) return 'later';
  if (left.every(({ code }) => ofEngine.has(code) || ofInspection.has(code))) return 'again';
  return 'withdraw';
}

/** What people had before them when they released the object: the decision stands for that and for nothing else. */
function releasedFindings(row: Pick<LedgerRow, 'findings'>): readonly Finding[] {
  return JSON.parse(row.findings) as Finding[];
}

function isSame(one: Finding, other: Finding): boolean {
  if (one.code !== other.code || one.engine !== other.engine || one.offset !== other.offset || one.length !== other.length || one.tag !== other.tag) return false;
  // An engine's text names the rule or the signature: another one is another finding. Our own sentences may be worded anew.
  return one.engine === 'structure' || one.engine === 'content' || one.text === other.text;
}

/** Every object that is archived as this file, out of sight inside a transaction. The first keeps the file; the others have their bytes as received in the vault. */
export function withdrawAll(parts: Parts, group: Group, digest: Digest, reason: 'damaged' | 'stale', verdict: Verdict, findings: readonly Finding[], epoch: string): void {
  const rows = parts.ledger.archivedUnder(digest);
  const first = rows.find((row) => row.sha256 === digest) ?? rows[0];
  if (first === undefined) throw unavailable('object-withdrawn', 'the object was taken out of sight meanwhile');
  withdrawObject(parts, group, first, reason, verdict, findings, epoch);
  for (const row of rows) if (row !== first) withdrawTwin(parts, group, row, first, verdict, findings, epoch);
}

/** An object that became the same archived file by disarming. */
function withdrawTwin(parts: Parts, group: Group, row: LedgerRow, first: LedgerRow, verdict: Verdict, findings: readonly Finding[], epoch: string): void {
  const state = transition('archived', 'withdraw') as 'held';
  const text = `It was archived as the same file as object ${first.object_id}, which holds that file now: decide on that one. The bytes of this one are kept as they were received.`;
  parts.ledger.change(row.object_id, {
    state, verdict, disarmed: [], findings: [...findings, finding('instance-conflict', text)], epoch, concludedAt: group.time, archived: null, damaged: false, sopClassUID: row.sop_class_uid,
    sopInstanceUID: row.sop_instance_uid, person: personOf(row), auditEntry: group.auditEntry,
  });
  group.record.message({
    eventID: eventIDs.securityAlert, eventTypes: [eventTypes.withdrawal], action: 'U', time: group.time, outcome: 12, outcomeDescription: findings[0]?.text ?? verdict,
    participants: [{ ...keeper, userIsRequestor: true }], objects: [objectRecord(row.object_id, [['archived sha256', row.archived_sha256!], ['same file as', first.object_id], ['SOP Instance UID', row.sop_instance_uid]])],
  });
  group.after(() => parts.counts.move('archived', state));
}

/**
 * An archived object that is to be disarmed now: the new file takes its place, the file as it was goes back into the vault, and nobody sees a
 * difference in the Data Set (promise 3). False where the report of it is not true or the index cannot take it; then nothing was changed.
 */
export async function disarmArchived(parts: Parts, row: LedgerRow, conclusion: Conclusion): Promise<boolean> {
  const { layout, ledger, commits, handover } = parts;
  const { disarmed, instance } = conclusion;
  const digest = row.archived_sha256!;
  if (disarmed === null || instance === null || ledger.archivedUnder(digest).length > 1) return false;
  const from = objectPath(layout.archive, digest);
  const target = disarmedPath(layout.quarantine, row.object_id);
  if (disarmed.sha256 === digest || (await composeDisarmed(from, row.archived_bytes!, disarmed, target)) !== null) return false;
  try {
    await commits.submit((group) => {
      const now = ledger.rowOf(row.object_id);
      if (now.state !== 'archived' || now.archived_sha256 !== digest) throw unavailable('object-withdrawn', 'the object was taken out of sight meanwhile');
      handover.withdraw(digest, 'stale', group.time);
      handover.index({ objectId: row.object_id, digest: disarmed.sha256, bytes: disarmed.bytes, epoch: conclusion.epoch, disarmed: true, archivedAt: group.time, instance });
      handover.forgetWithdrawal(digest);
      transition('archived', 'disarm');
      ledger.change(row.object_id, {
        state: 'archived', verdict: 'clean', disarmed: [...new Set([...now.disarmed.split(',').filter((word) => word !== ''), ...disarmed.what])], findings: conclusion.findings, epoch: conclusion.epoch, concludedAt: group.time,
        archived: { sha256: disarmed.sha256, bytes: disarmed.bytes }, damaged: false, sopClassUID: instance.sopClassUID, sopInstanceUID: instance.sopInstanceUID, person: personOf(now), auditEntry: group.auditEntry,
      });
      group.record.concluded(sourceOf(now), {
        objectId: row.object_id, sha256: row.sha256, sopClassUID: instance.sopClassUID, sopInstanceUID: instance.sopInstanceUID, state: 'archived', verdict: 'clean', epoch: conclusion.epoch, archivedSha256: disarmed.sha256,
        codes: [`disarmed:${disarmed.what.join('+')}`, `dataset:${disarmed.dataSetSha256}`],
      });
      // In this order: after a crash in between, the file that the ledger still names is where it was.
      archiveFile(parts, group, row, target, disarmed.sha256);
      const vault = digest === row.sha256 ? objectPath(layout.quarantine, row.object_id) : withdrawnPath(layout.quarantine, row.object_id);
      if (existsSync(from)) group.rename(from, vault);
      parts.settling.moved(group, row.number, [from, vault]);
    });
    return true;
  } catch (error) {
    if (error instanceof Failure && error.severity === 'refused') return false;
    throw error;
  }
}

export function personOf(row: LedgerRow): { patientName: string; patientID: string; studyInstanceUID: string; studyDescription: string; modality: string } {
  return { patientName: row.patient_name, patientID: row.patient_id, studyInstanceUID: row.study_instance_uid, studyDescription: row.study_description, modality: row.modality };
}

/** Why an archived object cannot be said to be clean, for who asked for it. */
export function inconclusive(conclusion: Conclusion): Failure {
  return unavailable('inspection-inconclusive', `the object is to be inspected with current signatures before it is opened, and that is not possible now: ${conclusion.findings[0]?.text ?? 'an engine did not answer'}`);
}

export function notArchived(): Failure {
  return refused('object-unknown', 'nothing is archived under this digest');
}
