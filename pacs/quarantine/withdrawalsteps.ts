/**
 * One object out of sight, and back. Both run inside a transaction of the keeper and leave every file where recovery looks for it.
 *
 * Its verdict and findings stay what inspection said: that people took it away is told by the tables of withdrawals alone. So bringing back is
 * nothing but the same rows and the same file in their places again.
 */
import { existsSync, rmSync } from 'node:fs';
import { broken } from '@lazaret/system/failure.ts';
import { objectPath } from '@lazaret/system/layout.ts';
import { archiveFile, withdrawnPath } from './conclusion.ts';
import type { Group } from './commits.ts';
import { workOf, type LedgerRow } from './ledger.ts';
import type { Parts } from './parts.ts';
import { covers } from './signatures.ts';
import { transition } from './states.ts';
import type { WithdrawalFate } from './withdrawalcontract.ts';
import { withdrawalStatements, type Order, type Taken } from './withdrawalschema.ts';

/** Takes one object of an order out of sight, and with it every object that is the same archived file. Answers the rows that went. */
export function take(parts: Parts, group: Group, order: Order, objectId: string): LedgerRow[] {
  const { ledger, handover, database } = parts;
  const run = withdrawalStatements(database);
  const row = ledger.rowOf(objectId);
  // It went with another one that is the same file.
  if ((run.one.get(order.number, objectId) as Taken | undefined)?.fate !== 'due') return [];
  if (row.state === 'held') {
    // Another order holds it already: bringing that one back must not bring this one's objects back.
    const other = run.others.get(objectId, order.number) as Taken | undefined;
    if (other?.fate === 'taken') run.put.run(order.number, row.number, objectId, 'taken', other.sight, other.digest, other.bytes, other.twin, '');
    else run.fate.run('passed', 'held already, by its own verdict', order.number, row.number);
    return [];
  }
  if (row.state === 'waiting') {
    run.fate.run('waiting', '', order.number, row.number);
    return [];
  }
  if (row.state === 'destroyed') {
    run.fate.run('passed', 'destroyed', order.number, row.number);
    return [];
  }
  const digest = row.archived_sha256!;
  const bytes = row.archived_bytes!;
  const rows = ledger.archivedUnder(digest);
  const main = rows.find((each) => each.sha256 === digest) ?? row;
  const hidden = handover.hide(digest, group.time);
  for (const each of rows) {
    const twin = each !== main && each.object_id !== main.object_id;
    run.put.run(order.number, each.number, each.object_id, 'taken', hidden?.sight ?? 'never', digest, bytes, twin ? 1 : 0, each.object_id === objectId ? '' : `the same archived file as object ${objectId}`);
    // The file is kept by one of them; the others have their bytes as received in the vault.
    run.place.run(transition('archived', 'withdraw'), twin ? null : digest, twin ? null : bytes, group.auditEntry, each.object_id);
    ledger.decide(each.object_id, 'withdraw', order.person, '', order.reason, group.time);
    group.after(() => parts.counts.move('archived', 'held'));
  }
  if (hidden !== null) ledger.keepReport(main.object_id, { instance: hidden.instance, disarmed: null });
  const from = objectPath(parts.layout.archive, digest);
  const to = digest === main.sha256 ? objectPath(parts.layout.quarantine, main.object_id) : withdrawnPath(parts.layout.quarantine, main.object_id);
  if (existsSync(from)) group.rename(from, to);
  return rows;
}

/** What became of an object that was asked back. `returned`: its row, where it is in sight now. */
export interface Return {
  readonly fate: WithdrawalFate;
  readonly note: string;
  readonly returned: LedgerRow | null;
}

/** Brings one object back, or sends it to be inspected with current signatures before it is. `epoch`: the current one. */
export function bringBack(parts: Parts, group: Group, order: Order, taken: Taken, epoch: string): Return {
  const { ledger, database, handover, layout } = parts;
  const run = withdrawalStatements(database);
  const row = ledger.rowOf(taken.object_id);
  const end = (fate: WithdrawalFate, note: string, returned: LedgerRow | null = null): Return => {
    run.fate.run(fate, note, order.number, taken.number);
    return { fate, note, returned };
  };
  if (row.state !== 'held') return end('passed', row.state === 'destroyed' ? 'destroyed meanwhile' : `${row.state} by another decision`);
  const other = run.others.get(row.object_id, order.number) as { id: string } | undefined;
  if (other !== undefined) return end('kept', `withdrawal ${other.id.slice(0, 8)} holds it, too: bring that one back`);
  if (row.damaged === 1) return end('kept', 'its file was found damaged: repair it from a backup, or ask for it to be sent again');
  // The conclusion looks for objects in its place by itself.
  if (taken.sight === 'never' || taken.digest === null || (row.verdict === 'clean' && !covers(row.epoch, epoch))) return inspectAnew(parts, group, order, row, end);
  const conflict = ledger.conflicting(row.sop_instance_uid, row.sha256, row.number).map((objectId) => ledger.rowOf(objectId)).find(({ state, archived_sha256: digest }) => state === 'archived' && digest !== taken.digest);
  if (conflict !== undefined) return end('kept', `object ${conflict.object_id} with the same SOP Instance UID and other bytes is in the archive by now: decide between the two`);
  const { digest } = taken;
  if (taken.twin === 1) {
    if (ledger.archivedUnder(digest).length === 0) return end('kept', 'the file that it was archived as is not in the archive');
  } else {
    const from = digest === row.sha256 ? objectPath(layout.quarantine, row.object_id) : withdrawnPath(layout.quarantine, row.object_id);
    if (!existsSync(from) && !existsSync(objectPath(layout.archive, digest))) return end('kept', 'its file is gone from the disk: repair it from a backup, or ask for it to be sent again');
    handover.show(digest, taken.sight, row.epoch);
    archiveFile(parts, group, row, from, digest);
  }
  const state = transition(transition('held', 'restore'), 'archive') as 'archived';
  run.place.run(state, digest, taken.bytes, group.auditEntry, row.object_id);
  ledger.dropReport(row.object_id);
  ledger.decide(row.object_id, 'restore', order.restored_by, '', order.restored_reason, group.time);
  group.after(() => parts.counts.move('held', state));
  return end('restored', '', row);
}

/** Its verdict was given with other signatures, or it never came as far as the archive: it takes the way of what arrives. */
function inspectAnew(parts: Parts, group: Group, order: Order, row: LedgerRow, end: (fate: WithdrawalFate, note: string) => Return): Return {
  const { ledger, handover, layout, queue, counts, database } = parts;
  const vault = objectPath(layout.quarantine, row.object_id);
  if (!existsSync(vault)) return end('kept', 'its file is gone from the disk: repair it from a backup, or ask for it to be sent again');
  if (row.archived_sha256 !== null) handover.forgetWithdrawal(row.archived_sha256);
  ledger.dropReport(row.object_id);
  ledger.decide(row.object_id, 'restore', order.restored_by, '', order.restored_reason, group.time);
  const state = transition('held', 'heal') as 'waiting';
  withdrawalStatements(database).place.run(state, null, null, group.auditEntry, row.object_id);
  const again = ledger.row(row.object_id);
  if (again === null) throw broken('ledger-row', `${row.object_id} is gone`);
  group.after(() => {
    // As it was archived; the bytes as received are inspected, and disarmed anew.
    rmSync(withdrawnPath(layout.quarantine, row.object_id), { force: true });
    counts.move('held', state);
    queue.add(row.number, workOf(again));
  });
  return end('returning', 'inspected with current signatures first');
}
