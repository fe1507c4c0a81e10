/** Runs of the inspection of the archive, as the database keeps them (rescan.ts carries them out). */
import type { DatabaseSync } from 'node:sqlite';
import { eventIDs, eventTypes } from '@lazaret/audit/codes.ts';
import type { AuditMessage } from '@lazaret/audit/message.ts';
import { refused } from '@lazaret/system/failure.ts';
import type { Migration } from './database.ts';
import { checkFields, checkText } from './guards.ts';
import { keeper } from './record.ts';
import type { RescanRequest } from './requests.ts';
import { covers } from './signatures.ts';

export const migrations: readonly Migration[] = [{
  name: 'rescan-0001',
  sql: `
CREATE TABLE rescan (
  run INTEGER PRIMARY KEY,
  -- 'signatures' or 'person'
  reason TEXT NOT NULL,
  person TEXT NOT NULL,
  -- Signatures: what is not covered by this epoch is due. Person: what was concluded before started_at is due.
  epoch TEXT NOT NULL,
  since INTEGER NOT NULL,
  study TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('running', 'paused', 'done', 'stopped')),
  started_at INTEGER NOT NULL,
  finished_at INTEGER,
  -- Every object with this number or a higher one was gone through.
  below INTEGER NOT NULL,
  objects INTEGER NOT NULL DEFAULT 0,
  bytes INTEGER NOT NULL DEFAULT 0,
  withdrawn INTEGER NOT NULL DEFAULT 0,
  postponed INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX rescan_open ON rescan (state, run) WHERE state IN ('running', 'paused');
`,
}];

export interface Run {
  readonly run: number; readonly reason: 'signatures' | 'person'; readonly person: string; epoch: string; readonly since: number; readonly study: string;
  state: 'running' | 'paused' | 'done' | 'stopped'; readonly started_at: number; finished_at: number | null; below: number; objects: number; bytes: number; withdrawn: number; postponed: number;
}

/** A request as it should be; throws `request-invalid`. */
export function checkRescan(untrusted: unknown): RescanRequest {
  const value = checkFields(untrusted);
  const what = (['status', 'start', 'pause', 'resume', 'stop'] as const).find((each) => each === value['do']);
  if (what === undefined) throw refused('request-invalid', 'do is status, start, pause, resume or stop');
  const since = value['since'] ?? 0;
  if (!Number.isSafeInteger(since) || (since as number) < 0) throw refused('request-invalid', 'since is not a time');
  const study = checkText(value['study'] ?? '', 'study', 64);
  if (!/^[0-9.]*$/.test(study)) throw refused('request-invalid', 'study is not a UID');
  return { do: what, since: since as number, study, person: checkText(value['person'] ?? '', 'person', 128) };
}

const due = `number >= ?1 AND number < ?2 AND state = 'archived' AND epoch <> ?3 AND concluded_at < ?4 AND (?5 = '' OR study_instance_uid = ?5)`;

/** Statements of runs, prepared once. */
export function statementsOf(database: DatabaseSync) {
  return {
    slice: database.prepare(`SELECT object_id FROM ledger WHERE ${due} ORDER BY number DESC`),
    count: database.prepare(`SELECT epoch, count(*) AS objects, sum(archived_bytes) AS bytes FROM ledger WHERE ${due} AND received_at >= ?6 GROUP BY epoch`),
    top: database.prepare('SELECT coalesce(max(number), 0) AS top FROM ledger'),
    open: database.prepare(`SELECT * FROM rescan WHERE state IN ('running', 'paused') ORDER BY run DESC`),
    last: database.prepare('SELECT * FROM rescan ORDER BY run DESC LIMIT 1'),
    add: database.prepare(`INSERT INTO rescan (reason, person, epoch, since, study, state, started_at, below) VALUES (?, ?, ?, ?, ?, 'running', ?, ?)`),
    save: database.prepare('UPDATE rescan SET epoch = ?, state = ?, finished_at = ?, below = ?, objects = ?, bytes = ?, withdrawn = ?, postponed = ? WHERE run = ?'),
  };
}

/** PS3.15 §A.5.3.1 Application Activity: what became of a run. `person` "": the keeper itself. */
export function runMessage(time: number, person: string, text: string): AuditMessage {
  return {
    eventID: eventIDs.applicationActivity, eventTypes: [eventTypes.rescan], action: 'E', time, outcome: 0, outcomeDescription: text,
    participants: [...(person === '' ? [] : [{ userID: person, userIsRequestor: true }]), { ...keeper, userIsRequestor: person === '' }], objects: [],
  };
}

/** Which objects a run is about: their numbers below `top`, looked through in slices. */
export type Scope = Pick<Run, 'reason' | 'epoch' | 'since' | 'study' | 'started_at'>;

/** What the statements take in place of `epoch` and `started_at`: the other kind of run has no such bound. */
export function bounds(scope: Scope): readonly [epoch: string, before: number, study: string] {
  return scope.reason === 'signatures' ? [scope.epoch, Number.MAX_SAFE_INTEGER, scope.study] : ['', scope.started_at, scope.study];
}

/** Whether a row that is archived is still to be inspected. */
export function isDue(scope: Scope, row: { readonly state: string; readonly received_at: number; readonly study_instance_uid: string; readonly epoch: string; readonly concluded_at: number | null }): boolean {
  if (row.state !== 'archived' || row.received_at < scope.since || (scope.study !== '' && row.study_instance_uid !== scope.study)) return false;
  return scope.reason === 'signatures' ? !covers(row.epoch, scope.epoch) : (row.concluded_at ?? 0) < scope.started_at;
}
