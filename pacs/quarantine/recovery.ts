/**
 * Recovery at the start: after a crash at any point each object is in one state and its file in the place of that state.
 *
 * The ledger decides. A file can lie where its last rename put it or where it was before: `waiting` in arriving, in quarantine, or (when the
 * transaction that archived it was lost) already in the archive; `archived` in the archive or still in quarantine; `destroyed` is removed
 * again. Rows whose audit entry did not reach the disk are put on the record now. A file that is missing is an alert and a held row, never silence;
 * only where the power failed before an object was acknowledged, so that its row is there and its file is not whole, the row is discarded as the file is.
 */
import { lstatSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { eventIDs, eventTypes } from '@lazaret/audit/codes.ts';
import type { AuditMessage } from '@lazaret/audit/message.ts';
import { objectPath } from '@lazaret/system/layout.ts';
import { isObjectId } from '../reception/contract.ts';
import { disarmedPath, finding, withdrawnPath } from './conclusion.ts';
import { removeFiles } from './decisions.ts';
import type { LedgerRow } from './ledger.ts';
import type { Parts } from './parts.ts';
import { nobody } from './people.ts';
import { keeper, objectRecord } from './record.ts';

/** A door that still writes changes its file; one that waits for its admission asks within seconds. What is older than this was given up. */
export const abandonedAfterMs = 15 * 60_000;
/** Named one by one up to this many; the rest is counted. */
const namedMax = 200;

export interface Recovery {
  readonly moved: number;
  readonly missing: readonly string[];
  readonly unrecorded: number;
  readonly abandoned: number;
  /** Objects in the ledger that were never acknowledged and whose files are not whole. */
  readonly discarded: readonly string[];
}

/** Puts everything in place before the first request is taken. Resolves once durable. */
export async function recover(parts: Parts): Promise<Recovery> {
  const { ledger, layout, log, commits, settling } = parts;
  let moved = 0;
  const missing: LedgerRow[] = [];
  const discarded: LedgerRow[] = [];
  const answered = ledger.answered();
  const unrecorded: LedgerRow[] = [];
  const look = (row: LedgerRow): void => {
    const outcome = place(parts, row);
    if (outcome === 'moved') moved += 1;
    if (outcome === 'missing') {
      const unanswered = row.state === 'waiting' && row.number > answered;
      (unanswered ? discarded : missing).push(row);
      if (unanswered) return;
    }
    if (row.audit_entry >= log.size) unrecorded.push(row);
    settling.seen(row.number);
  };
  for (const row of ledger.open()) look(row);
  for (const row of ledger.unsettled(ledger.settledBelow())) look(row);
  const abandoned = removeAbandoned(parts, Date.now() - abandonedAfterMs);
  const said = log.recovered.tornBytes > 0 || moved > 0 || missing.length > 0 || discarded.length > 0 || unrecorded.length > 0 || abandoned > 0;
  if (said) {
    await commits.submit((group) => {
      for (const row of missing) {
        ledger.change(row.object_id, {
          state: 'held', verdict: 'unscannable', disarmed: [], findings: [finding('file-missing', 'The file of this object is gone from the disk. It must be sent again.')], epoch: row.epoch,
          concludedAt: group.time, archived: null, damaged: true, sopClassUID: row.sop_class_uid, sopInstanceUID: row.sop_instance_uid, person: nobody, auditEntry: group.auditEntry,
        });
        if (row.state === 'archived') parts.handover.withdraw(row.archived_sha256!, 'damaged', group.time);
        group.after(() => parts.counts.move(row.state, 'held'));
      }
      for (const row of discarded) {
        ledger.discard(row.object_id);
        for (const path of [join(layout.arriving, row.object_id), objectPath(layout.quarantine, row.object_id)]) group.after(() => rmSync(path, { force: true }));
        group.after(() => parts.counts.move('waiting', null));
      }
      group.record.message(message(group.time, parts, recovery(), unrecorded));
    });
  }
  // From here on a file that is not whole is damage.
  await commits.submit(() => ledger.answerAll(), 'soon');
  await settling.settle();
  return recovery();

  function recovery(): Recovery {
    return { moved, missing: missing.map((row) => row.object_id), unrecorded: unrecorded.length, abandoned, discarded: discarded.map((row) => row.object_id) };
  }

  /** Where the file is, and where it belongs. */
  function place({ layout: { quarantine, archive } }: Parts, row: LedgerRow): 'there' | 'moved' | 'missing' {
    const vault = objectPath(quarantine, row.object_id);
    switch (row.state) {
      case 'waiting': {
        rmSync(disarmedPath(quarantine, row.object_id), { force: true });
        // Of an object that is inspected anew.
        rmSync(withdrawnPath(quarantine, row.object_id), { force: true });
        return bring(vault, [join(layout.arriving, row.object_id), objectPath(archive, row.sha256)], row.bytes);
      }
      case 'held':
        // One found damaged or missing has its alert already.
        if (row.damaged === 1) return 'there';
        if (row.archived_sha256 !== null && row.archived_sha256 !== row.sha256) return bring(withdrawnPath(quarantine, row.object_id), [objectPath(archive, row.archived_sha256)], row.archived_bytes!);
        return bring(vault, [join(layout.arriving, row.object_id), objectPath(archive, row.sha256)], row.bytes);
      case 'archived': {
        const from = [disarmedPath(quarantine, row.object_id), withdrawnPath(quarantine, row.object_id)];
        if (row.archived_sha256 === row.sha256) from.push(vault, join(layout.arriving, row.object_id));
        return bring(objectPath(archive, row.archived_sha256!), from, row.archived_bytes!);
      }
      case 'destroyed':
        removeFiles(quarantine, row.object_id);
        settling.placed([vault]);
        return 'there';
    }
  }

  function bring(to: string, from: readonly string[], bytes: number): 'there' | 'moved' | 'missing' {
    if (isFile(to, bytes)) return 'there';
    const found = from.find((path) => isFile(path, bytes));
    if (found === undefined) return 'missing';
    renameSync(found, to);
    settling.placed([found, to]);
    return 'moved';
  }
}

function isFile(path: string, bytes: number): boolean {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  return stat !== undefined && stat.isFile() && stat.size === bytes;
}

/** Removes files of the arriving area that no door will ask for any more: they were never acknowledged. Answers how many. */
export function removeAbandoned({ layout, ledger }: Pick<Parts, 'layout' | 'ledger'>, before: number): number {
  let removed = 0;
  for (const name of readdirSync(layout.arriving)) {
    const path = join(layout.arriving, name);
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat === undefined || stat.mtimeMs >= before || (isObjectId(name) && ledger.digestOf(name) !== null)) continue;
    rmSync(path, { force: true, recursive: true });
    removed += 1;
  }
  return removed;
}

function message(time: number, { log }: Parts, recovery: Recovery, unrecorded: readonly LedgerRow[]): AuditMessage {
  const { tornBytes, tornFile, leavesMade } = log.recovered;
  const parts = [
    tornBytes > 0 ? `${tornBytes} bytes of an incomplete audit entry, never acknowledged, were cut off and kept in ${tornFile}` : '',
    leavesMade > 0 ? `${leavesMade} leaf hashes of the audit log were made again` : '',
    recovery.moved > 0 ? `${recovery.moved} files were brought to their places` : '',
    recovery.abandoned > 0 ? `${recovery.abandoned} files that no door had admitted were removed` : '',
    recovery.missing.length > 0 ? `${recovery.missing.length} files are gone` : '',
    recovery.discarded.length > 0 ? `${recovery.discarded.length} objects whose senders were not told yet that they had arrived are not whole and were discarded` : '',
    recovery.unrecorded > 0 ? `${recovery.unrecorded} changes are in the ledger whose audit entries did not reach the disk; they are named here` : '',
  ].filter((text) => text !== '');
  return {
    eventID: recovery.missing.length > 0 ? eventIDs.securityAlert : eventIDs.applicationActivity, eventTypes: [eventTypes.recovery], action: 'E', time, outcome: recovery.missing.length > 0 ? 12 : 0,
    outcomeDescription: `After an unclean end: ${parts.join('; ')}.`, participants: [{ ...keeper, userIsRequestor: true }],
    objects: [
      ...recovery.missing.slice(0, namedMax).map((objectId) => objectRecord(objectId, [['recovery', 'file missing']])),
      ...recovery.discarded.slice(0, namedMax).map((objectId) => objectRecord(objectId, [['recovery', 'never acknowledged, discarded']])),
      ...unrecorded.slice(0, namedMax).map((row) => objectRecord(row.object_id, [['recovery', `unrecorded change: ${row.state}`], ['sha256', row.sha256], ['verdict', row.verdict ?? '']])),
    ],
  };
}
