/** Tables of withdrawals. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Digest, ObjectId } from '../reception/contract.ts';
import { prepareAll, type Migration } from './database.ts';
import type { WithdrawalFate, WithdrawalState } from './withdrawalcontract.ts';

export const migrations: readonly Migration[] = [{
  name: 'withdrawal-0001',
  sql: `
CREATE TABLE withdrawal (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  -- JSON, Selection, and the same for people.
  selection TEXT NOT NULL,
  what TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('withdrawing', 'withdrawn', 'restoring', 'restored')),
  -- 1 until all of it is to be brought back: what arrives for it meanwhile is held.
  standing INTEGER NOT NULL,
  person TEXT NOT NULL,
  roles TEXT NOT NULL,
  reason TEXT NOT NULL,
  at INTEGER NOT NULL,
  -- Highest number of the ledger then.
  top INTEGER NOT NULL,
  patients INTEGER NOT NULL,
  studies INTEGER NOT NULL,
  restored_by TEXT NOT NULL DEFAULT '',
  restored_reason TEXT NOT NULL DEFAULT '',
  restored_at INTEGER,
  finished_at INTEGER
) STRICT;
CREATE INDEX withdrawal_open ON withdrawal (number) WHERE state IN ('withdrawing', 'restoring');

CREATE TABLE withdrawal_object (
  withdrawal INTEGER NOT NULL REFERENCES withdrawal,
  -- Of the ledger.
  number INTEGER NOT NULL,
  object_id TEXT NOT NULL,
  fate TEXT NOT NULL CHECK (fate IN ('due', 'waiting', 'taken', 'asked', 'returning', 'restored', 'kept', 'passed', 'failed')),
  -- 'seen' by searches before; 'unseen': archived, waiting for somebody to say whose it is; 'never' archived.
  sight TEXT NOT NULL DEFAULT 'never' CHECK (sight IN ('seen', 'unseen', 'never')),
  -- Its file in the archive, where it had one, and 1 where another object of this withdrawal holds that file.
  digest TEXT,
  bytes INTEGER,
  twin INTEGER NOT NULL DEFAULT 0,
  note TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (withdrawal, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX withdrawal_object_id ON withdrawal_object (object_id);
CREATE INDEX withdrawal_object_fate ON withdrawal_object (withdrawal, fate, twin, number);
CREATE INDEX withdrawal_object_digest ON withdrawal_object (digest) WHERE digest IS NOT NULL;
`,
}];

export interface Order {
  readonly number: number;
  readonly id: string;
  readonly selection: string;
  readonly what: string;
  readonly state: WithdrawalState;
  readonly standing: 0 | 1;
  readonly person: string;
  readonly roles: string;
  readonly reason: string;
  readonly at: number;
  readonly top: number;
  readonly patients: number;
  readonly studies: number;
  readonly restored_by: string;
  readonly restored_reason: string;
  readonly restored_at: number | null;
  readonly finished_at: number | null;
}
export interface Taken {
  readonly withdrawal: number;
  readonly number: number;
  readonly object_id: ObjectId;
  readonly fate: WithdrawalFate;
  readonly sight: 'seen' | 'unseen' | 'never';
  readonly digest: Digest | null;
  readonly bytes: number | null;
  readonly twin: 0 | 1;
  readonly note: string;
}

const texts = {
  add: `INSERT INTO withdrawal (id, selection, what, state, standing, person, roles, reason, at, top, patients, studies) VALUES (?, ?, ?, 'withdrawing', 1, ?, ?, ?, ?, ?, ?, ?)`,
  byNumber: 'SELECT * FROM withdrawal WHERE number = ?',
  byId: `SELECT * FROM withdrawal WHERE id >= ?1 AND id < ?1 || 'g' LIMIT 2`,
  newest: 'SELECT * FROM withdrawal ORDER BY number DESC LIMIT ?',
  open: `SELECT * FROM withdrawal WHERE state IN ('withdrawing', 'restoring') ORDER BY number`,
  standing: 'SELECT * FROM withdrawal WHERE standing = 1',
  finish: 'UPDATE withdrawal SET state = ?, finished_at = ? WHERE number = ?',
  restore: `UPDATE withdrawal SET state = 'restoring', standing = ?, restored_by = ?, restored_reason = ?, restored_at = ?, finished_at = NULL WHERE number = ?`,
  put: 'INSERT OR REPLACE INTO withdrawal_object (withdrawal, number, object_id, fate, sight, digest, bytes, twin, note) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
  // What was found in the meantime stays as a note.
  fate: 'UPDATE withdrawal_object SET fate = ?, note = ? WHERE withdrawal = ? AND number = ?',
  some: 'SELECT * FROM withdrawal_object WHERE withdrawal = ? AND fate = ? AND twin = ? ORDER BY number LIMIT ?',
  objects: 'SELECT * FROM withdrawal_object WHERE withdrawal = ? AND number > ? ORDER BY number LIMIT ?',
  one: 'SELECT * FROM withdrawal_object WHERE withdrawal = ? AND object_id = ?',
  fates: 'SELECT fate, count(*) AS count FROM withdrawal_object WHERE withdrawal = ? GROUP BY fate',
  malicious: `SELECT count(*) AS count FROM withdrawal_object CROSS JOIN ledger USING (object_id) WHERE withdrawal = ? AND fate IN ('due', 'waiting', 'taken', 'asked', 'returning', 'kept') AND verdict = 'malicious'`,
  under: `SELECT * FROM withdrawal_object WHERE object_id = ? AND fate IN ('waiting', 'returning')`,
  waiting: `SELECT withdrawal, object_id, fate FROM withdrawal_object WHERE fate IN ('waiting', 'returning') AND withdrawal IN (SELECT number FROM withdrawal WHERE standing = 1 OR state = 'restoring')`,
  others: `SELECT withdrawal.id, withdrawal_object.* FROM withdrawal_object JOIN withdrawal ON withdrawal.number = withdrawal AND standing = 1 WHERE object_id = ? AND withdrawal <> ? AND fate IN ('due', 'waiting', 'taken') LIMIT 1`,
  holding: `SELECT id, person, reason, at FROM withdrawal_object JOIN withdrawal ON withdrawal.number = withdrawal JOIN ledger USING (object_id) WHERE object_id = ? AND (fate IN ('taken', 'asked') OR (fate = 'kept' AND verdict = 'clean')) ORDER BY withdrawal DESC LIMIT 1`,
  byDigest: `SELECT withdrawal FROM withdrawal_object WHERE digest = ? AND fate = 'taken' LIMIT 1`,
  overtaken: `UPDATE withdrawal_object SET fate = 'due' WHERE withdrawal = ? AND fate = 'waiting' AND EXISTS (SELECT 1 FROM ledger WHERE ledger.object_id = withdrawal_object.object_id AND state = 'archived')`,
  ask: `UPDATE withdrawal_object SET fate = 'asked', note = '' WHERE withdrawal = ? AND fate IN ('taken', 'kept')`,
  askOne: `UPDATE withdrawal_object SET fate = 'asked', note = '' WHERE withdrawal = ? AND object_id = ? AND fate IN ('taken', 'kept')`,
  leave: `UPDATE withdrawal_object SET fate = 'passed', note = 'not taken any more: brought back before its turn' WHERE withdrawal = ? AND fate IN ('due', 'waiting', 'failed')`,
  top: 'SELECT coalesce(max(number), 0) AS top FROM ledger',
  place: 'UPDATE ledger SET state = ?, archived_sha256 = ?, archived_bytes = ?, audit_entry = ? WHERE object_id = ?',
} as const;

export type WithdrawalStatements = Readonly<Record<keyof typeof texts, StatementSync>>;
const prepared = new WeakMap<DatabaseSync, WithdrawalStatements>();

export function withdrawalStatements(database: DatabaseSync): WithdrawalStatements {
  let statements = prepared.get(database);
  if (statements === undefined) {
    statements = prepareAll(database, texts);
    prepared.set(database, statements);
  }
  return statements;
}
