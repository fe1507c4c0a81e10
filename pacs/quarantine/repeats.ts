/**
 * Who else sent the same bytes: they were kept already, so the ledger has no row of that arrival, but whoever traces an object must know that a second
 * source has it. One row for an object and a message.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { ObjectId, Source } from '../reception/contract.ts';
import type { Migration } from './database.ts';

export const migrations: readonly Migration[] = [{
  name: 'repeat-log-0001',
  sql: `
CREATE TABLE repeat_log (
  object_id TEXT NOT NULL,
  batch TEXT NOT NULL,
  door TEXT NOT NULL,
  peer TEXT NOT NULL,
  address TEXT NOT NULL,
  calling_ae_title TEXT NOT NULL,
  called_ae_title TEXT NOT NULL,
  received_at INTEGER NOT NULL,
  PRIMARY KEY (object_id, batch)
) STRICT, WITHOUT ROWID;
`,
}];

const prepared = new WeakMap<DatabaseSync, { readonly add: StatementSync; readonly of: StatementSync }>();

function statementsOf(database: DatabaseSync) {
  let statements = prepared.get(database);
  if (statements === undefined) {
    statements = {
      add: database.prepare('INSERT OR IGNORE INTO repeat_log (object_id, batch, door, peer, address, calling_ae_title, called_ae_title, received_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)'),
      of: database.prepare('SELECT * FROM repeat_log WHERE object_id = ? ORDER BY received_at LIMIT ?'),
    };
    prepared.set(database, statements);
  }
  return statements;
}

/** The bytes of an object that is kept came again. Inside the transaction that says so to the sender. */
export function noteRepeat(database: DatabaseSync, objectId: ObjectId, source: Source, receivedAt: number): void {
  statementsOf(database).add.run(objectId, source.batch, source.door, source.peer, source.address, source.callingAETitle, source.calledAETitle, receivedAt);
}

/** Oldest first. */
export function repeatsOf(database: DatabaseSync, objectId: ObjectId, limit: number): { readonly source: Source; readonly at: number }[] {
  return (statementsOf(database).of.all(objectId, limit) as { batch: string; door: Source['door']; peer: string; address: string; calling_ae_title: string; called_ae_title: string; received_at: number }[]).map((row) => ({
    source: { door: row.door, peer: row.peer, address: row.address, callingAETitle: row.calling_ae_title, calledAETitle: row.called_ae_title, batch: row.batch }, at: row.received_at,
  }));
}
