/** Which files there must be, by the ledger alone. Backup, verification, sweep and restore all ask here, so that they cannot disagree. */
import { join } from 'node:path';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { objectPath, type Layout } from '@lazaret/system/layout.ts';
import type { Digest, ObjectId } from '../../reception/contract.ts';
import type { Area, ExpectedFile } from './contract.ts';

export interface KeptRow {
  readonly number: number;
  readonly object_id: ObjectId;
  readonly state: 'waiting' | 'archived' | 'held' | 'destroyed';
  readonly bytes: number;
  readonly sha256: Digest;
  readonly archived_sha256: Digest | null;
  readonly archived_bytes: number | null;
  readonly damaged: 0 | 1;
}

/** Rows read at once: some milliseconds of the database. */
export const pageRows = 1_000;
const columns = 'number, object_id, state, bytes, sha256, archived_sha256, archived_bytes, damaged';

/** Reads rows of the ledger in the order of admission. */
export class Rows {
  readonly #page: StatementSync;
  readonly #one: StatementSync;
  readonly #last: StatementSync;

  constructor(database: DatabaseSync) {
    this.#page = database.prepare(`SELECT ${columns} FROM ledger WHERE number > ? AND number <= ? ORDER BY number LIMIT ${pageRows}`);
    this.#one = database.prepare(`SELECT ${columns} FROM ledger WHERE object_id = ?`);
    this.#last = database.prepare('SELECT coalesce(max(number), 0) AS last FROM ledger');
  }
  after(number: number, upTo = Number.MAX_SAFE_INTEGER): KeptRow[] {
    return this.#page.all(number, upTo) as unknown as KeptRow[];
  }
  of(objectId: string): KeptRow | null {
    return (this.#one.get(objectId) as KeptRow | undefined) ?? null;
  }
  last(): number {
    return (this.#last.get() as { last: number }).last;
  }
}

/** The files of one object. What is known to be damaged is not expected. */
export function expectedOf(row: KeptRow): ExpectedFile[] {
  const { object_id: objectId, number } = row;
  const received: ExpectedFile = { area: 'quarantine', name: objectId, sha256: row.sha256, bytes: row.bytes, objectId, number };
  const archived = (area: Area, name: string): ExpectedFile => ({ area, name, sha256: row.archived_sha256!, bytes: row.archived_bytes!, objectId, number });
  // What was disarmed has two files: the one that is shown, and the bytes as received.
  const two = row.archived_sha256 !== null && row.archived_sha256 !== row.sha256;
  switch (row.state) {
    case 'waiting': return [received];
    case 'archived': return two ? [archived('archive', row.archived_sha256!), received] : [archived('archive', row.archived_sha256!)];
    case 'held':
      if (row.damaged === 1) return two ? [received] : [];
      return two ? [received, archived('quarantine', `${objectId}.withdrawn`)] : [received];
    case 'destroyed': return [];
  }
}

export function pathOf(layout: Layout, file: Pick<ExpectedFile, 'area' | 'name'>): string {
  return objectPath(layout[file.area], file.name);
}

/** Where the bytes of an object may lie while it moves on: a backup takes them from wherever they have the right digest. */
export function placesOf(layout: Layout, file: ExpectedFile): string[] {
  const { archive, quarantine, arriving } = layout;
  return [...new Set([
    pathOf(layout, file), objectPath(archive, file.sha256), objectPath(quarantine, file.objectId), `${objectPath(quarantine, file.objectId)}.withdrawn`,
    `${objectPath(quarantine, file.objectId)}.disarmed`, join(arriving, file.objectId),
  ])];
}

/** Whether the ledger explains a file of an area. */
export class Known {
  readonly #archived: StatementSync;
  readonly #row: StatementSync;

  constructor(database: DatabaseSync) {
    this.#archived = database.prepare(`SELECT 1 FROM ledger WHERE sha256 = ?1 AND archived_sha256 = ?1 AND state = 'archived'
      UNION ALL SELECT 1 FROM ledger WHERE archived_sha256 = ?1 AND archived_sha256 <> sha256 AND state = 'archived' LIMIT 1`);
    this.#row = database.prepare('SELECT state FROM ledger WHERE object_id = ?');
  }

  /** "" when it is explained, else a sentence. */
  stranger(area: Area, name: string): string {
    if (area === 'archive') return this.#archived.get(name) === undefined ? 'No object is archived under this name: nothing shows this file, and nothing checked it.' : '';
    const objectId = /^([0-9a-f]{32})(?:\.withdrawn|\.disarmed)?$/.exec(name)?.[1];
    if (objectId === undefined) return 'This is no name that Lazaret gives.';
    const row = this.#row.get(objectId) as { state: string } | undefined;
    if (row === undefined) return 'No object of the ledger has this name.';
    return row.state === 'destroyed' ? 'This object was destroyed by the decision of two people, and its file is here.' : '';
  }
}
