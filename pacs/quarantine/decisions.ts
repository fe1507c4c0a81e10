/** What people do to a held object (the rules are those of requests.ts, DecideRequest). */
import { existsSync, rmSync } from 'node:fs';
import { eventIDs, eventTypes, objectIDTypes } from '@lazaret/audit/codes.ts';
import type { AuditMessage, Code } from '@lazaret/audit/message.ts';
import { refused } from '@lazaret/system/failure.ts';
import { objectPath } from '@lazaret/system/layout.ts';
import { permitted, roles as allRoles, type Role } from '../access/actions.ts';
import type { Digest } from '../reception/contract.ts';
import { composeDisarmed, hashFile } from './compose.ts';
import { archiveFile, disarmedPath, finding, withdrawObject, withdrawnPath, type Conclusions } from './conclusion.ts';
import type { Group } from './commits.ts';
import { checkFields, checkObjectId, checkText } from './guards.ts';
import type { InstanceReport } from './contract.ts';
import type { KeptProposal, LedgerRow, Report } from './ledger.ts';
import type { Parts } from './parts.ts';
import { keeper, objectRecord } from './record.ts';
import type { DecideAnswer, DecideRequest } from './requests.ts';
import { transition } from './states.ts';

/** Enough for a paragraph; it is shown with the object for as long as it is kept. */
const reasonMax = 2_000;
const personMax = 128;

/** A request as it should be; throws `request-invalid`, `role-missing` or `reason-missing`. */
export function checkDecide(untrusted: unknown): DecideRequest {
  const value = checkFields(untrusted);
  const { decision } = value;
  if (decision !== 'release' && decision !== 'destroy') throw refused('request-invalid', 'a decision is release or destroy');
  if (!Array.isArray(value['roles'])) throw refused('request-invalid', 'roles is not a list');
  const given = value['roles'] as unknown[];
  const roles = allRoles.filter((role) => given.includes(role));
  if (!roles.some((role: Role) => permitted[role].includes('decide'))) throw refused('role-missing', 'deciding on held objects takes the role reviewer or security');
  const person = checkText(value['person'], 'person', personMax).trim();
  const reason = checkText(value['reason'], 'reason', reasonMax).trim();
  if (person === '') throw refused('request-invalid', 'a decision has a person');
  if (reason === '') throw refused('reason-missing', 'say why: the reason stays with the object and in the audit log');
  return { objectId: checkObjectId(value['objectId']), decision, person, roles, reason };
}

/** `done`: carry it out. `proposed`: keep it for a second person. Throws `role-missing`. */
export function weigh(row: Pick<LedgerRow, 'verdict'>, request: DecideRequest, earlier: readonly KeptProposal[]): 'done' | 'proposed' {
  if (request.decision === 'release' && row.verdict !== 'malicious') return 'done';
  const first = earlier.find((proposal) => proposal.decision === request.decision && proposal.person !== request.person);
  if (first === undefined) return 'proposed';
  if (request.decision === 'release' && !request.roles.includes('security') && !first.roles.includes('security')) {
    throw refused('role-missing', 'releasing what was found malicious takes two people, one of them with the role security; neither of you has it');
  }
  return 'done';
}

/** The file that a release archives, made before the transaction. */
interface Prepared {
  readonly from: string;
  readonly sha256: Digest;
  readonly bytes: number;
  readonly disarmed: readonly string[];
  readonly report: Report;
}

export class Decisions {
  readonly #parts: Parts;
  readonly #conclusions: Conclusions;

  constructor(parts: Parts, conclusions: Conclusions) {
    this.#parts = parts;
    this.#conclusions = conclusions;
  }

  /** Resolves once durable. Throws `object-unknown`, `transition-invalid` for what is not held, and what `checkDecide` and `weigh` throw. */
  async decide(request: DecideRequest): Promise<DecideAnswer> {
    const { ledger, commits } = this.#parts;
    const row = heldRow(ledger.rowOf(request.objectId), request);
    this.#notWithdrawn(row, request);
    const outcome = weigh(row, request, ledger.proposals(request.objectId));
    const prepared = request.decision === 'release' ? await this.#prepare(row) : null;
    return commits.submit((group) => this.#step(group, request, outcome === 'done' ? prepared : null));
  }

  #step(group: Group, request: DecideRequest, prepared: Prepared | null): DecideAnswer {
    const { ledger } = this.#parts;
    // Looked at again: somebody else may have decided meanwhile.
    const row = heldRow(ledger.rowOf(request.objectId), request);
    this.#notWithdrawn(row, request);
    const proposals = ledger.proposals(request.objectId);
    const outcome = weigh(row, request, proposals);
    const first = proposals.find((proposal) => proposal.decision === request.decision && proposal.person !== request.person);
    if (outcome === 'proposed') {
      ledger.propose(row.object_id, { decision: request.decision, person: request.person, roles: request.roles, reason: request.reason, proposedAt: group.time });
      group.record.message(decisionMessage(group.time, row, request, eventTypes.proposal, null));
    } else if (request.decision === 'destroy') {
      this.#destroy(group, row, request, first!);
    } else {
      if (prepared === null) throw refused('decision-outdated', 'the object changed while this was decided; look again');
      this.#release(group, row, request, first ?? null, prepared);
    }
    return { outcome, entry: this.#conclusions.entry(ledger.rowOf(row.object_id)) };
  }

  /** What people withdrew has one way back, which looks at what else may have come between (withdrawal.ts). It can be destroyed. */
  #notWithdrawn(row: LedgerRow, request: DecideRequest): void {
    const by = request.decision === 'release' ? this.#parts.ledger.withdrawnBy(row.object_id) : null;
    if (by !== null) throw refused('decision-withdrawn', `${by.person} has withdrawn this object (withdrawal ${by.id.slice(0, 8)}): bring it back from there, alone or with the rest`);
  }

  /** What is released must still be the bytes that were inspected, and readable enough to be found again. */
  async #prepare(row: LedgerRow): Promise<Prepared> {
    const { ledger, layout } = this.#parts;
    if (row.damaged === 1) throw refused('digest-mismatch', 'the file no longer has the bytes that were received; it cannot be released. Ask for it to be sent again');
    const report = ledger.report(row.object_id);
    if (report === null) throw refused('instance-missing', 'the object could not be read far enough to be shown or found in the archive; export it instead');
    const original = objectPath(layout.quarantine, row.object_id);
    if (row.archived_sha256 !== null && row.archived_sha256 !== row.sha256) {
      const from = withdrawnPath(layout.quarantine, row.object_id);
      await checkDigest(from, row.archived_sha256);
      return { from, sha256: row.archived_sha256, bytes: row.archived_bytes!, disarmed: row.disarmed.split(','), report };
    }
    await checkDigest(original, row.sha256);
    const { disarmed } = report;
    if (disarmed === null) return { from: original, sha256: row.sha256, bytes: row.bytes, disarmed: [], report };
    const from = disarmedPath(layout.quarantine, row.object_id);
    const wrong = await composeDisarmed(original, row.bytes, disarmed, from);
    if (wrong !== null) throw refused('digest-mismatch', `the object cannot be disarmed: ${wrong}`);
    return { from, sha256: disarmed.sha256, bytes: disarmed.bytes, disarmed: disarmed.what, report };
  }

  #release(group: Group, row: LedgerRow, request: DecideRequest, first: KeptProposal | null, prepared: Prepared): void {
    const { ledger, handover, counts } = this.#parts;
    const superseded = handover.index({
      objectId: row.object_id, digest: prepared.sha256, bytes: prepared.bytes, epoch: row.epoch, disarmed: prepared.disarmed.length > 0, archivedAt: group.time, instance: prepared.report.instance,
    });
    const state = transition(transition(transition('held', 'release'), 'ready'), 'archive') as 'archived';
    ledger.change(row.object_id, {
      ...unchanged(row), state, disarmed: prepared.disarmed, archived: { sha256: prepared.sha256, bytes: prepared.bytes }, auditEntry: group.auditEntry,
    });
    ledger.dropReport(row.object_id);
    handover.forgetWithdrawal(prepared.sha256);
    if (superseded !== null) this.#supersede(group, row, superseded.digest, superseded.instance);
    this.#decided(group, row, request, first, eventTypes.release);
    archiveFile(this.#parts, group, row, prepared.from, prepared.sha256);
    group.after(() => counts.move('held', state));
  }

  /** The released object is seen instead of an earlier one of the same name: that one is held, whole, and can be released again. */
  #supersede(group: Group, by: LedgerRow, digest: Digest, instance: InstanceReport): void {
    const text = `The object ${by.object_id} with the same SOP Instance UID and other bytes was released and is seen instead of this one. Both are kept.`;
    for (const row of this.#parts.ledger.archivedUnder(digest)) {
      withdrawObject(this.#parts, group, row, 'superseded', 'malformed', [finding('instance-conflict', text)], row.epoch);
      this.#parts.ledger.keepReport(row.object_id, { instance, disarmed: null });
    }
  }

  #destroy(group: Group, row: LedgerRow, request: DecideRequest, first: KeptProposal): void {
    const { ledger, layout, settling, counts } = this.#parts;
    const state = transition('held', 'destroy') as 'destroyed';
    ledger.change(row.object_id, { ...unchanged(row), state, archived: null, auditEntry: group.auditEntry });
    ledger.dropReport(row.object_id);
    this.#decided(group, row, request, first, eventTypes.destruction);
    settling.moved(group, row.number, [objectPath(layout.quarantine, row.object_id)]);
    group.after(() => {
      removeFiles(layout.quarantine, row.object_id);
      counts.move('held', state);
    });
  }

  #decided(group: Group, row: LedgerRow, request: DecideRequest, first: KeptProposal | null, type: Code): void {
    this.#parts.ledger.decide(row.object_id, request.decision, request.person, first?.person ?? '', request.reason, group.time);
    group.record.message(decisionMessage(group.time, row, request, type, first));
  }
}

function heldRow(row: LedgerRow, request: DecideRequest): LedgerRow {
  if (row.state !== 'held') throw refused('transition-invalid', `the object is ${row.state}, not held: there is nothing to ${request.decision}`);
  return row;
}

async function checkDigest(path: string, sha256: string): Promise<void> {
  if (!existsSync(path) || (await hashFile(path)) !== sha256) throw refused('digest-mismatch', 'the file no longer has the bytes that were inspected; it cannot be released');
}

/** Every file that an object can have in the vault. */
export function removeFiles(quarantine: string, objectId: string): void {
  for (const path of [objectPath(quarantine, objectId), disarmedPath(quarantine, objectId), withdrawnPath(quarantine, objectId)]) rmSync(path, { force: true });
}

function unchanged(row: LedgerRow): Omit<Parameters<Parts['ledger']['change']>[1], 'state' | 'archived' | 'auditEntry'> {
  return {
    verdict: row.verdict!, disarmed: row.disarmed === '' ? [] : row.disarmed.split(','), findings: JSON.parse(row.findings) as [], epoch: row.epoch, concludedAt: row.concluded_at!, damaged: row.damaged === 1,
    sopClassUID: row.sop_class_uid, sopInstanceUID: row.sop_instance_uid,
    person: { patientName: row.patient_name, patientID: row.patient_id, studyInstanceUID: row.study_instance_uid, studyDescription: row.study_description, modality: row.modality },
  };
}

/** PS3.15 §A.5.3.10 Security Alert, Object Security Attributes Changed; a destruction is §A.5.3.6 with the action Delete. */
function decisionMessage(time: number, row: LedgerRow, request: DecideRequest, type: Code, first: KeptProposal | null): AuditMessage {
  const destroyed = type === eventTypes.destruction;
  return {
    eventID: destroyed ? eventIDs.instancesAccessed : eventIDs.securityAlert,
    eventTypes: destroyed ? [type] : [eventTypes.objectSecurityAttributesChanged, type],
    action: destroyed ? 'D' : 'E', time, outcome: 0,
    outcomeDescription: `${request.decision} of an object found ${row.verdict}: ${request.reason}`,
    participants: [
      { userID: request.person, userIsRequestor: true },
      ...(first === null ? [] : [{ userID: first.person, userIsRequestor: true }]),
      keeper,
    ],
    objects: [
      { ...objectRecord(row.object_id, [['sha256', row.sha256], ['SOP Instance UID', row.sop_instance_uid], ['decision', request.decision], ...(first === null ? [] : [['first reason', first.reason] as const])]) },
      ...(row.patient_id === '' ? [] : [{ typeCode: 1 as const, role: 1, idType: objectIDTypes.patientNumber, id: row.patient_id, name: row.patient_name }]),
    ],
  };
}
