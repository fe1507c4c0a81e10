/**
 * Where an object came from, what came with it, and who has seen it or was sent it (docs/operations/late-detection.md). Asked when something was found:
 * the answer is who must be told and what must be looked at next. Reads the ledger and the index of the audit log (accesses.ts); changes nothing.
 */
import type { StatementSync } from 'node:sqlite';
import { refused } from '@lazaret/system/failure.ts';
import type { Accesses, AccessRow } from './accesses.ts';
import type { Finding } from './contract.ts';
import { prepareAll, type Migration } from './database.ts';
import { checkFields, checkText } from './guards.ts';
import { sourceOf, type LedgerRow } from './ledger.ts';
import { firstNumberSince } from './numbers.ts';
import type { Parts } from './parts.ts';
import { migrations as repeatMigrations, repeatsOf } from './repeats.ts';
import type { TraceAccess, TraceAnswer, TraceDecision, TraceMedium, TraceMessage, TraceObject, TraceRelation, TraceRequest } from './requests.ts';

/** What people can look through; a message of 2,000 slices is told by its number. */
const subjectsMax = 200;
const messageMax = 300;
const sourceMax = 200;
const accessesMax = 500;
const repeatsMax = 50;
/** Of one object; the same disc is brought more than once. */
const mediaMax = 20;
/** A day before and after is as far as "came near it" means anything. */
const windowMsMax = 24 * 3_600_000;
/** One association has one row; after 1,000 others a second one (ledger.ts). */
const sourceRowsNear = 4_000;

export const migrations: readonly Migration[] = [{
  name: 'trace-0001',
  // Numbers of sources rise with those of objects: the newest page takes nearly all of them.
  sql: 'CREATE INDEX ledger_by_source ON ledger (source);',
}, ...repeatMigrations];

/** A request as it should be; throws `request-invalid`. */
export function checkTrace(untrusted: unknown): TraceRequest {
  const value = checkFields(untrusted);
  const time = (name: string, most: number): number => {
    const found = value[name];
    if (!Number.isSafeInteger(found) || (found as number) < 0) throw refused('request-invalid', `${name} is not a time`);
    return Math.min(found as number, most);
  };
  const medium = checkText(value['import'] ?? '', 'import', 32).trim().toLowerCase();
  if (!/^(?:[0-9a-f]{8,32})?$/.test(medium)) throw refused('request-invalid', 'an import has an id of 32 hex digits; its first 8 are enough');
  const request = { import: medium, id: checkText(value['id'], 'id', 128).trim(), source: checkText(value['source'], 'source', 256).trim(), since: time('since', 8.64e15), until: time('until', 8.64e15), windowMs: time('windowMs', windowMsMax) };
  const named = [request.id, request.source, request.import].filter((word) => word !== '').length;
  if (named > 1 || (named === 0 && request.since >= request.until)) throw refused('request-invalid', 'say which object, which source, which import, or which time');
  return { ...request, id: /^[0-9a-f]+$/i.test(request.id) ? request.id.toLowerCase() : request.id };
}

const columns = `number, object_id, state, bytes, sha256, received_at, ledger.sop_class_uid, sop_instance_uid, verdict, findings, concluded_at, archived_sha256, patient_name, patient_id, study_instance_uid,
  study_description, modality, source, door, peer, address, calling_ae_title, called_ae_title, batch`;
const from = `SELECT ${columns} FROM ledger JOIN ledger_source USING (source)`;
const texts = {
  byObject: `${from} WHERE object_id >= ?1 AND object_id < ?1 || 'g' LIMIT ?2`,
  byDigest: `${from} WHERE sha256 = ?1 UNION ALL ${from} WHERE archived_sha256 = ?1 AND archived_sha256 <> sha256 LIMIT ?2`,
  byInstance: `${from} WHERE sop_instance_uid = ?1 LIMIT ?2`,
  bySource: `${from} WHERE number >= ?1 AND received_at >= ?2 AND received_at < ?3 AND ?4 IN (peer, calling_ae_title, address) ORDER BY number DESC LIMIT ?5`,
  countBySource: `SELECT count(*) AS count FROM ledger JOIN ledger_source USING (source) WHERE number >= ?1 AND received_at >= ?2 AND received_at < ?3 AND ?4 IN (peer, calling_ae_title, address)`,
  byTime: `${from} WHERE number >= ?1 AND received_at >= ?2 AND received_at < ?3 ORDER BY number DESC LIMIT ?4`,
  countByTime: 'SELECT count(*) AS count FROM ledger WHERE number >= ?1 AND received_at >= ?2 AND received_at < ?3',
  byImport: `${from} WHERE ledger.source IN (SELECT source FROM ledger_source WHERE batch = ?1 AND door = 'media') ORDER BY verdict IS NOT 'malicious', number LIMIT ?2`,
  countByImport: `SELECT count(*) AS count FROM ledger WHERE source IN (SELECT source FROM ledger_source WHERE batch = ?1 AND door = 'media')`,
  // pacs/imports keeps them; no earlier stage imports a later one, so they are only read here.
  imports: `SELECT number, id, state, medium, label, person, begun_at FROM import WHERE id >= ?1 AND id < ?1 || 'g' LIMIT 2`,
  importsOf: `SELECT DISTINCT import.number, id, state, medium, label, person, begun_at FROM import_file CROSS JOIN import USING (number) WHERE object_id = ? ORDER BY import.number DESC LIMIT ${mediaMax}`,
  fates: 'SELECT fate, count(*) AS count FROM import_file WHERE number = ? GROUP BY fate',
  infected: `SELECT path, sha256, text FROM import_file WHERE number = ? AND fate = 'infected' ORDER BY file LIMIT 50`,
  ofMessage: `${from} WHERE ledger.source IN (SELECT source FROM ledger_source WHERE source BETWEEN ?1 - ${sourceRowsNear} AND ?1 + ${sourceRowsNear} AND batch = ?2) ORDER BY number LIMIT ?3`,
  countOfMessage: `SELECT count(*) AS objects, min(received_at) AS first, max(received_at) AS last FROM ledger WHERE source IN (SELECT source FROM ledger_source WHERE source BETWEEN ?1 - ${sourceRowsNear} AND ?1 + ${sourceRowsNear} AND batch = ?2)`,
  nearby: `${from} WHERE number >= ?1 AND number < ?2 AND received_at >= ?3 AND received_at <= ?4 AND door = ?5 AND peer = ?6 AND address = ?7 AND calling_ae_title = ?8 AND batch <> ?9 ORDER BY abs(received_at - ?10) LIMIT ?11`,
  decisions: 'SELECT object_id, decision, person, second_person, reason, decided_at FROM ledger_decision WHERE object_id = ? ORDER BY decided_at',
} as const;

type Row = LedgerRow & { readonly source: number };
interface ImportRow { readonly number: number; readonly id: string; readonly state: string; readonly medium: string; readonly label: string; readonly person: string; readonly begun_at: number }

export class Trace {
  readonly #parts: Parts;
  readonly #accesses: Accesses;
  readonly #run: Readonly<Record<keyof typeof texts, StatementSync>>;

  constructor(parts: Parts, accesses: Accesses) {
    this.#parts = parts;
    this.#accesses = accesses;
    this.#run = prepareAll(parts.database, texts);
  }

  /** Throws `object-unknown` where there is nothing of that name, `object-ambiguous` where the beginning of an id is not enough. */
  trace(request: TraceRequest): TraceAnswer {
    const cut = new Set<TraceAnswer['cut'][number]>();
    const imported = (request.import ?? '') === '' ? null : this.#importOf(request.import!);
    const subjects = imported === null ? this.#subjects(request) : (this.#run.byImport.all(imported.id, subjectsMax + 1) as unknown as Row[]);
    if (subjects.length > subjectsMax) cut.add('subjects');
    const rows = subjects.slice(0, subjectsMax);
    const found = new Map<string, { row: Row; relation: TraceRelation }>(rows.map((row) => [row.object_id, { row, relation: 'subject' }]));
    const messages = new Map<string, TraceMessage & { readonly index: number }>();
    for (const row of rows) {
      if (this.#message(messages, row)) continue;
      const together = this.#run.ofMessage.all(row.source, row.batch, messageMax + 1) as unknown as Row[];
      if (together.length > messageMax) cut.add('message');
      for (const other of together.slice(0, messageMax)) if (!found.has(other.object_id)) found.set(other.object_id, { row: other, relation: 'message' });
    }
    if (request.id !== '' && rows.length > 0) this.#near(rows, request.windowMs, found, cut);
    const objects = [...found.values()].toSorted((one, other) => order.indexOf(one.relation) - order.indexOf(other.relation) || one.row.number - other.row.number);
    for (const { row } of objects) this.#message(messages, row);
    return {
      objects: objects.map(({ row, relation }) => ({ ...objectOf(row, relation, messages.get(row.batch)!.index), withdrawal: row.state === 'held' ? this.#parts.ledger.withdrawnBy(row.object_id) : null })),
      messages: [...messages.values()].map(({ source, first, last, objects: count }) => ({ source, first, last, objects: count })),
      accesses: this.#accessesTo(rows, cut),
      decisions: rows.flatMap((row) => this.#decisions(row)),
      repeats: rows.flatMap((row) => repeatsOf(this.#parts.database, row.object_id, repeatsMax).map((repeat) => ({ objectId: row.object_id, ...repeat }))),
      media: this.#media(rows, imported), subjectCount: subjects.length <= subjectsMax ? subjects.length : this.#count(request, imported),
      cut: [...cut],
    };
  }

  #importOf(id: string): ImportRow {
    const rows = this.#run.imports.all(id) as unknown as ImportRow[];
    if (rows.length === 1) return rows[0]!;
    throw rows.length === 0 ? refused('import-unknown', `There is no import ${id}. \`./lazaret import --list\` names them.`) : refused('import-ambiguous', `several imports begin with ${id}; give more digits`);
  }

  #count({ since, until, source }: TraceRequest, imported: ImportRow | null): number {
    const first = firstNumberSince(this.#parts.database, since);
    const row = imported !== null ? this.#run.countByImport.get(imported.id) : source === '' ? this.#run.countByTime.get(first, since, until) : this.#run.countBySource.get(first, since, until, source);
    return (row as { count: number }).count;
  }

  /** The media that subjects came on: what else was on them must be looked at. */
  #media(rows: readonly Row[], imported: ImportRow | null): TraceMedium[] {
    const found = new Map<number, ImportRow>(imported === null ? [] : [[imported.number, imported]]);
    for (const row of rows) {
      if (found.size >= mediaMax) break;
      for (const each of this.#run.importsOf.all(row.object_id) as unknown as ImportRow[]) found.set(each.number, each);
    }
    return [...found.values()].toSorted((one, other) => other.number - one.number).slice(0, mediaMax).map((row) => {
      const medium = row.medium === '' ? { kind: '', label: row.label, identifier: '' } : (JSON.parse(row.medium) as { kind: string; label: string; identifier: string });
      return {
        import: row.id, name: [medium.label, medium.identifier].filter((text) => text !== '').join(' · '), kind: medium.kind, person: row.person, at: row.begun_at, state: row.state,
        fates: Object.fromEntries((this.#run.fates.all(row.number) as { fate: string; count: number }[]).map(({ fate, count }) => [fate, count])),
        infected: (this.#run.infected.all(row.number) as unknown as TraceMedium['infected'][number][]).map((each) => ({ ...each })),
      };
    });
  }

  #subjects(request: TraceRequest): Row[] {
    const { id, source, since, until } = request;
    if (id === '') {
      const first = firstNumberSince(this.#parts.database, since);
      return ((source === '' ? this.#run.byTime.all(first, since, until, subjectsMax + 1) : this.#run.bySource.all(first, since, until, source, subjectsMax + 1)) as unknown as Row[]).toReversed();
    }
    let rows: Row[] = [];
    if (/^[0-9a-f]{64}$/.test(id)) rows = this.#run.byDigest.all(id, subjectsMax + 1) as unknown as Row[];
    else if (/^[0-9a-f]{8,32}$/.test(id)) rows = this.#run.byObject.all(id, 2) as unknown as Row[];
    if (rows.length === 0 && /^[0-9.]{1,64}$/.test(id)) rows = this.#run.byInstance.all(id, subjectsMax + 1) as unknown as Row[];
    else if (rows.length > 1 && id.length < 32) throw refused('object-ambiguous', `several objects begin with ${id}; give more digits`);
    if (rows.length === 0) throw refused('object-unknown', 'There is no object with this id, SOP Instance UID or SHA-256. An id may be shortened to its first digits (at least 8).');
    return rows;
  }

  /** What the same source sent shortly before and after, and other objects of the same name. */
  #near(rows: readonly Row[], windowMs: number, found: Map<string, { row: Row; relation: TraceRelation }>, cut: Set<TraceAnswer['cut'][number]>): void {
    const row = rows[0]!;
    if (row.sop_instance_uid !== '') {
      for (const other of this.#run.byInstance.all(row.sop_instance_uid, subjectsMax) as unknown as Row[]) if (!found.has(other.object_id)) found.set(other.object_id, { row: other, relation: 'copy' });
    }
    if (windowMs === 0) return;
    const [since, until] = [row.received_at - windowMs, row.received_at + windowMs];
    const { database } = this.#parts;
    const near = this.#run.nearby.all(
      firstNumberSince(database, since), firstNumberSince(database, until + windowMsMax), since, until, row.door, row.peer, row.address, row.calling_ae_title, row.batch, row.received_at, sourceMax + 1,
    ) as unknown as Row[];
    if (near.length > sourceMax) cut.add('source');
    for (const other of near.slice(0, sourceMax)) if (!found.has(other.object_id)) found.set(other.object_id, { row: other, relation: 'source' });
  }

  /** Makes the message of a row known. True where it was. */
  #message(messages: Map<string, TraceMessage & { readonly index: number }>, row: Row): boolean {
    if (messages.has(row.batch)) return true;
    const { objects, first, last } = this.#run.countOfMessage.get(row.source, row.batch) as { objects: number; first: number; last: number };
    messages.set(row.batch, { source: sourceOf(row), first, last, objects, index: messages.size });
    return false;
  }

  #accessesTo(rows: readonly Row[], cut: Set<TraceAnswer['cut'][number]>): TraceAccess[] {
    const found = new Map<string, { access: AccessRow; objectIds: TraceObject['objectId'][] }>();
    for (const row of rows) {
      const accesses = [...this.#accesses.ofInstance(row.study_instance_uid, this.#seriesOf(row), row.sop_instance_uid, row.received_at, accessesMax), ...this.#accesses.exportsOf(row.object_id, accessesMax)];
      for (const access of accesses) {
        const key = JSON.stringify([access.kind, access.study, access.series, access.instance, access.person, access.address, access.destination, access.what, access.first_at]);
        const known = found.get(key);
        if (known === undefined) found.set(key, { access, objectIds: [row.object_id] });
        else known.objectIds.push(row.object_id);
      }
    }
    const all = [...found.values()].toSorted((one, other) => other.access.last_at - one.access.last_at);
    if (all.length > accessesMax) cut.add('accesses');
    return all.slice(0, accessesMax).map(({ access, objectIds }) => ({
      kind: access.kind, person: access.person, address: access.address, destination: access.destination, what: access.what, first: access.first_at, last: access.last_at, count: access.count,
      studyInstanceUID: access.study, objectIds, auditEntry: access.audit_entry,
    }));
  }

  /** The ledger does not know Series: the index does, and the report of what is held. */
  #seriesOf(row: Row): string {
    const { ledger, handover } = this.#parts;
    if (row.state === 'archived' && row.archived_sha256 !== null) return handover.find(row.archived_sha256)?.seriesInstanceUID ?? '';
    return ledger.report(row.object_id)?.instance.seriesInstanceUID ?? '';
  }

  #decisions(row: Row): TraceDecision[] {
    return (this.#run.decisions.all(row.object_id) as { decision: string; person: string; second_person: string; reason: string; decided_at: number }[]).map(({ decision, person, second_person: second, reason, decided_at: at }) => ({
      objectId: row.object_id, decision, persons: [second, person].filter((name) => name !== ''), reason, at,
    }));
  }
}

const order: readonly TraceRelation[] = ['subject', 'copy', 'message', 'source'];

function objectOf(row: Row, relation: TraceRelation, message: number): TraceObject {
  const findings = JSON.parse(row.findings) as Finding[];
  return {
    relation, objectId: row.object_id, state: row.state, verdict: row.verdict, codes: [...new Set(findings.map(({ code }) => code))].slice(0, 20), sha256: row.sha256, archivedSha256: row.archived_sha256 ?? '',
    sopInstanceUID: row.sop_instance_uid, studyInstanceUID: row.study_instance_uid, studyDescription: row.study_description, modality: row.modality, patientName: row.patient_name, patientID: row.patient_id,
    bytes: row.bytes, receivedAt: row.received_at, concludedAt: row.concluded_at, withdrawn: row.state === 'held' && row.archived_sha256 !== null, message,
  };
}
