/** What is damaged, and which bytes would heal it. */
import type { DatabaseSync } from 'node:sqlite';
import type { Digest, ObjectId } from '../../reception/contract.ts';
import type { ArchivedInstance } from '../admit.ts';

/** The bytes that an object lacks, and where they go. */
export interface Wanted {
  readonly objectId: ObjectId;
  readonly sopInstanceUID: string;
  readonly patientName: string;
  readonly sha256: Digest;
  readonly bytes: number;
  /** `archive`: seen again at once, these very bytes had its verdict. `quarantine`: inspected anew. */
  readonly to: 'archive' | 'quarantine';
}

interface DamagedRow {
  readonly object_id: ObjectId;
  readonly sha256: Digest;
  readonly bytes: number;
  readonly sop_instance_uid: string;
  readonly patient_name: string;
  readonly released: 0 | 1;
}

const columns = `object_id, sha256, bytes, sop_instance_uid, patient_name,
  EXISTS (SELECT 1 FROM ledger_decision WHERE ledger_decision.object_id = ledger.object_id AND decision = 'release') AS released`;

/** Every damaged object, oldest first; with `prefix`, those whose id or whose archived digest begins so. */
export function damagedObjects(database: DatabaseSync, prefix = ''): Wanted[] {
  const rows = database.prepare(`SELECT ${columns} FROM ledger WHERE state = 'held' AND damaged = 1 ORDER BY number`).all() as unknown as DamagedRow[];
  return rows.map((row) => wantedFor(database, row)).filter((wanted) => wanted.objectId.startsWith(prefix) || wanted.sha256.startsWith(prefix));
}

export function wantedBy(database: DatabaseSync, objectId: string): Wanted | null {
  const row = database.prepare(`SELECT ${columns} FROM ledger WHERE object_id = ? AND state = 'held' AND damaged = 1`).get(objectId) as DamagedRow | undefined;
  return row === undefined ? null : wantedFor(database, row);
}

function wantedFor(database: DatabaseSync, row: DamagedRow): Wanted {
  const one = { objectId: row.object_id, sopInstanceUID: row.sop_instance_uid, patientName: row.patient_name };
  const archived = archivedBy(database, row.object_id);
  // A release was decided before the findings of that time, which the ledger no longer has: it is inspected and decided again.
  if (archived === null || row.released === 1) return { ...one, sha256: row.sha256, bytes: row.bytes, to: 'quarantine' };
  return { ...one, sha256: archived.digest, bytes: archived.bytes, to: 'archive' };
}

/** What the index knew of it before it was taken out of sight as damaged. */
export function archivedBy(database: DatabaseSync, objectId: string): ArchivedInstance | null {
  const row = database.prepare(`SELECT archived FROM withdrawnInstances WHERE objectId = ? AND reason = 'damaged' ORDER BY withdrawnAt DESC LIMIT 1`).get(objectId) as { archived: string } | undefined;
  return row === undefined ? null : JSON.parse(row.archived) as ArchivedInstance;
}
