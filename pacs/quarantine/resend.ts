/**
 * Asking the sender again: that it was asked is kept with the object, and whatever the same source then sends under the same SOP Instance UID is shown as the
 * answer. It replaces nothing by itself: people look at both. A medium that is written anew has another label and identifier: of what came on one, any medium is
 * the same source.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { ObjectId } from '../reception/contract.ts';
import type { Finding, LedgerEntry, ResendAnswer, ResendAsked } from './contract.ts';
import { prepareAll, type Migration } from './database.ts';

export const migrations: readonly Migration[] = [{
  name: 'resend-0001',
  sql: `
CREATE TABLE resend_request (
  object_id TEXT PRIMARY KEY REFERENCES ledger (object_id),
  sop_instance_uid TEXT NOT NULL,
  peer TEXT NOT NULL,
  person TEXT NOT NULL,
  asked_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX resend_request_instance ON resend_request (sop_instance_uid) WHERE sop_instance_uid <> '';
`,
}];

const texts = {
  ask: 'INSERT OR REPLACE INTO resend_request (object_id, sop_instance_uid, peer, person, asked_at) VALUES (?, ?, ?, ?, ?)',
  asked: 'SELECT person, asked_at AS at FROM resend_request WHERE object_id = ?',
  answers: `SELECT object_id, state, verdict, findings, received_at FROM ledger JOIN ledger_source USING (source) WHERE sop_instance_uid = ?1 AND sop_instance_uid <> '' AND object_id <> ?2 AND received_at >= ?3 AND (peer = ?4 OR (door = 'media' AND ?5 = 'media')) ORDER BY number DESC LIMIT 10`,
  again: 'SELECT max(received_at) AS at FROM repeat_log WHERE object_id = ? AND received_at >= ?',
  question: `SELECT object_id FROM resend_request CROSS JOIN ledger USING (object_id) CROSS JOIN ledger_source USING (source)
    WHERE resend_request.sop_instance_uid = ?1 AND resend_request.sop_instance_uid <> '' AND object_id <> ?2 AND (resend_request.peer = ?3 OR (door = 'media' AND ?5 = 'media')) AND asked_at <= ?4 ORDER BY asked_at DESC LIMIT 1`,
} as const;
const prepared = new WeakMap<DatabaseSync, Readonly<Record<keyof typeof texts, StatementSync>>>();
/** What is looked at of a row of the ledger. */
interface Row { readonly object_id: ObjectId; readonly sop_instance_uid: string; readonly peer: string; readonly door: string; readonly received_at: number }

function statementsOf(database: DatabaseSync): Readonly<Record<keyof typeof texts, StatementSync>> {
  let statements = prepared.get(database);
  if (statements === undefined) {
    statements = prepareAll(database, texts);
    prepared.set(database, statements);
  }
  return statements;
}

/** Inside the transaction that puts it on the record. */
export function noteAsked(database: DatabaseSync, row: Row, person: string, time: number): void {
  statementsOf(database).ask.run(row.object_id, row.sop_instance_uid, row.peer, person, time);
}

/** What was asked of a held object's sender, and what came since; null: nothing was. */
export function askedOf(database: DatabaseSync, row: Row): ResendAsked | null {
  const run = statementsOf(database);
  const asked = run.asked.get(row.object_id) as { person: string; at: number } | undefined;
  if (asked === undefined) return null;
  const answers = (run.answers.all(row.sop_instance_uid, row.object_id, asked.at, row.peer, row.door) as { object_id: ObjectId; state: LedgerEntry['state']; verdict: LedgerEntry['verdict']; findings: string; received_at: number }[]).map((each): ResendAnswer => ({
    objectId: each.object_id, state: each.state, at: each.received_at,
    // Held for nothing but standing beside this one.
    clean: each.verdict === 'clean' || (each.verdict !== null && (JSON.parse(each.findings) as Finding[]).every(({ code }) => code === 'instance-conflict')),
  }));
  const again = run.again.get(row.object_id, asked.at) as { at: number | null };
  return { ...asked, answers, sameBytesAt: again.at };
}

/** The object that this one is the answer for, or null. */
export function answeredBy(database: DatabaseSync, row: Row): ObjectId | null {
  const found = statementsOf(database).question.get(row.sop_instance_uid, row.object_id, row.peer, row.received_at, row.door) as { object_id: ObjectId } | undefined;
  return found?.object_id ?? null;
}
