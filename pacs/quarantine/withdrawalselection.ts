/**
 * What a withdrawal is about: a selection as a condition over the ledger, and what people must know of it before they say yes (WithdrawalPreview).
 *
 * Imports are remembered by pacs/imports and the index is kept by pacs/archive; both are only read here, by SQL, since no earlier stage imports a later one.
 */
import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import { refused } from '@lazaret/system/failure.ts';
import type { ObjectId, Source } from '../reception/contract.ts';
import { checkFields, checkText } from './guards.ts';
import { firstNumberSince } from './numbers.ts';
import type { PreviewAccess, PreviewStudy, Selection, WithdrawalPreview } from './withdrawalcontract.ts';

/** One order. A source of years has more: then its window is to be narrowed, since nobody can judge what they take. The insert is one transaction of a second. */
export const objectsMax = 250_000;
/** Named one by one. */
const namedMax = 500;
/** Lists for people. */
const studiesMax = 100;
const sourcesMax = 50;
const accessesMax = 200;

/** A selection as it should be; throws `request-invalid`. */
export function checkSelection(untrusted: unknown): Selection {
  const value = checkFields(untrusted);
  switch (value['kind']) {
    case 'import': {
      const id = checkText(value['import'], 'import', 32).toLowerCase();
      if (!/^[0-9a-f]{8,32}$/.test(id)) throw refused('request-invalid', 'an import has an id of 32 hex digits; its first 8 are enough');
      return { kind: 'import', import: id, known: value['known'] === true };
    }
    case 'source': {
      const source = checkText(value['source'], 'source', 256).trim();
      if (source === '') throw refused('request-invalid', 'say which source');
      return { kind: 'source', source, ...checkWindow(value) };
    }
    case 'time': return { kind: 'time', ...checkWindow(value) };
    case 'study': {
      const study = checkText(value['study'], 'study', 64);
      if (!/^[0-9.]{1,64}$/.test(study)) throw refused('request-invalid', 'study is not a UID');
      return { kind: 'study', study };
    }
    case 'objects': {
      const objects = value['objects'];
      if (!Array.isArray(objects) || objects.length === 0 || objects.length > namedMax) throw refused('request-invalid', `name 1 to ${namedMax} objects; of more, say which medium, source or study`);
      const words = objects.map((each) => checkText(each, 'an object id', 32).toLowerCase());
      if (!words.every((word) => /^[0-9a-f]{8,32}$/.test(word))) throw refused('request-invalid', 'an object id has 32 hex digits; its first 8 are enough');
      return { kind: 'objects', objects: [...new Set(words)] };
    }
    default: throw refused('request-invalid', 'a selection is of an import, a source, a time, a study or of objects');
  }
}

function checkWindow({ since, until }: Readonly<Record<string, unknown>>): { readonly since: number; readonly until: number } {
  if (!Number.isSafeInteger(since) || !Number.isSafeInteger(until) || (since as number) < 0 || (until as number) > 8.64e15) throw refused('request-invalid', 'since and until are times');
  if ((since as number) >= (until as number)) throw refused('request-invalid', 'since is not before until');
  return { since: since as number, until: until as number };
}

interface Condition {
  /** Over the columns of `ledger`. */
  readonly where: string;
  readonly parameters: readonly SQLInputValue[];
}
interface ImportRow { readonly number: number; readonly id: string; readonly medium: string; readonly label: string; readonly person: string }

/** With whole ids. Throws `import-unknown`, `import-ambiguous`, `object-unknown`, `object-ambiguous`. */
export function resolved(database: DatabaseSync, selection: Selection): Selection {
  if (selection.kind === 'import') return { ...selection, import: importOf(database, selection.import).id };
  return selection.kind === 'objects' ? { ...selection, objects: wholeIds(database, selection.objects) } : selection;
}

function importOf(database: DatabaseSync, id: string): ImportRow {
  const rows = database.prepare(`SELECT number, id, medium, label, person FROM import WHERE id >= ?1 AND id < ?1 || 'g' LIMIT 2`).all(id) as unknown as ImportRow[];
  if (rows.length > 1) throw refused('import-ambiguous', `several imports begin with ${id}; give more digits`);
  if (rows.length === 0) throw refused('import-unknown', `There is no import ${id}. \`./lazaret import --list\` names them.`);
  return rows[0]!;
}

function conditionOf(database: DatabaseSync, selection: Selection): Condition {
  switch (selection.kind) {
    // The importer gives the import's id to its objects as their batch.
    case 'import': {
      const brought = `source IN (SELECT source FROM ledger_source WHERE batch = ?1 AND door = 'media')`;
      return { where: selection.known ? `(${brought} OR object_id IN (SELECT object_id FROM import_file WHERE object_id <> '' AND import_file.number = (SELECT number FROM import WHERE id = ?1)))` : brought, parameters: [selection.import] };
    }
    case 'source': return {
      where: 'number >= ?1 AND received_at >= ?2 AND received_at < ?3 AND source IN (SELECT source FROM ledger_source WHERE ?4 IN (peer, calling_ae_title, address))',
      parameters: [firstNumberSince(database, selection.since), selection.since, selection.until, selection.source],
    };
    case 'time': return { where: 'number >= ?1 AND received_at >= ?2 AND received_at < ?3', parameters: [firstNumberSince(database, selection.since), selection.since, selection.until] };
    case 'study': return {
      where: `(object_id IN (SELECT objectId FROM studies CROSS JOIN series USING (studyKey) CROSS JOIN instances USING (seriesKey) WHERE studyInstanceUID = ?1 UNION ALL SELECT objectId FROM withdrawnInstances WHERE studyInstanceUID = ?1)
        OR (state <> 'archived' AND study_instance_uid = ?1))`,
      parameters: [selection.study],
    };
    case 'objects': return { where: `object_id IN (SELECT value FROM json_each(?1))`, parameters: [JSON.stringify(selection.objects)] };
  }
}

/** For people. */
export function wordsOf(database: DatabaseSync, selection: Selection): string {
  switch (selection.kind) {
    case 'import': {
      const row = importOf(database, selection.import);
      const medium = row.medium === '' ? { label: row.label, identifier: '' } : (JSON.parse(row.medium) as { label: string; identifier: string });
      const name = [medium.label, medium.identifier].filter((text) => text !== '').join(' · ') || 'without a name';
      return `medium ${name}, imported by ${row.person}${selection.known ? ', with what was here before it' : ''}`;
    }
    case 'source': return `source ${selection.source}, ${windowWords(selection)}`;
    case 'time': return `everything received ${windowWords(selection)}`;
    case 'study': return `study ${selection.study}`;
    case 'objects': return selection.objects.length === 1 ? `object ${selection.objects[0]}` : `${selection.objects.length} objects`;
  }
}

function windowWords({ since, until }: { readonly since: number; readonly until: number }): string {
  return `${new Date(since).toISOString().slice(0, 16)} to ${new Date(until).toISOString().slice(0, 16)} (UTC)`;
}

/** Notes which objects an order takes, inside its transaction: those that are archived or in inspection, and those that another order holds that still stands. */
export function selectInto(database: DatabaseSync, order: number, selection: Selection): number {
  const { where, parameters } = conditionOf(database, selection);
  const [order_, limit] = [`?${parameters.length + 1}`, `?${parameters.length + 2}`];
  const { changes } = database.prepare(`INSERT INTO withdrawal_object (withdrawal, number, object_id, fate) SELECT ${order_}, number, object_id, CASE state WHEN 'waiting' THEN 'waiting' ELSE 'due' END FROM ledger WHERE ${where}
    AND (state IN ('archived', 'waiting') OR (state = 'held' AND EXISTS (SELECT 1 FROM withdrawal_object AS other JOIN withdrawal ON withdrawal.number = other.withdrawal AND standing = 1
      WHERE other.object_id = ledger.object_id AND other.fate = 'taken'))) LIMIT ${limit}`).run(...parameters, order, objectsMax + 1);
  if (Number(changes) > objectsMax) throw refused('withdrawal-too-large', `That is more than ${objectsMax.toLocaleString('en')} objects. Narrow it: a shorter time (since, until), one medium, or one study.`);
  return Number(changes);
}

/** Patients and studies among what an order takes. */
export function countPeople(database: DatabaseSync, order: number): { patients: number; studies: number } {
  return database.prepare(`SELECT count(DISTINCT patient_id || char(10) || patient_name) AS patients, count(DISTINCT study_instance_uid) AS studies FROM withdrawal_object CROSS JOIN ledger USING (object_id)
    WHERE withdrawal = ? AND study_instance_uid <> ''`).get(order) as { patients: number; studies: number };
}

export function previewOf(database: DatabaseSync, given: Selection): WithdrawalPreview {
  const selection = resolved(database, given);
  const { where, parameters } = conditionOf(database, selection);
  const all = <Row>(text: string): Row[] => database.prepare(text).all(...parameters) as Row[];
  const [totals] = all<Record<string, number>>(`SELECT sum(state = 'archived') AS objects, sum(CASE state WHEN 'archived' THEN archived_bytes ELSE 0 END) AS bytes, sum(state = 'waiting') AS waiting, sum(state = 'held') AS held,
    sum(state = 'destroyed') AS destroyed, sum(state = 'archived' AND verdict = 'malicious') AS malicious, sum(state = 'held' AND verdict = 'malicious') AS heldMalicious, count(*) AS total,
    count(DISTINCT CASE WHEN state = 'archived' THEN patient_id || char(10) || patient_name END) AS patients, count(DISTINCT CASE WHEN state = 'archived' THEN study_instance_uid END) AS studies FROM ledger WHERE ${where}`);
  const count = (name: string): number => totals?.[name] ?? 0;
  if (count('total') > objectsMax) throw refused('withdrawal-too-large', `That is more than ${objectsMax.toLocaleString('en')} objects. Narrow it: a shorter time (since, until), one medium, or one study.`);
  const objects = `SELECT number, object_id, sop_instance_uid, study_instance_uid, received_at, archived_sha256 FROM ledger WHERE ${where} AND state = 'archived'`;
  const [unseen] = all<{ count: number }>(`SELECT count(*) AS count FROM (${objects}) CROSS JOIN withdrawnInstances ON withdrawnInstances.digest = archived_sha256 AND reason = 'unreconciled'`);
  const [again] = all<{ count: number }>(`SELECT count(DISTINCT object_id) AS count FROM (${objects}) CROSS JOIN repeat_log USING (object_id) WHERE NOT EXISTS (SELECT 1 FROM ledger JOIN ledger_source USING (source) WHERE ledger.object_id = repeat_log.object_id AND ledger_source.peer = repeat_log.peer)`);
  const studies = all<PreviewStudy>(`SELECT study_instance_uid AS studyInstanceUID, min(study_description) AS description, min(modality) AS modality, min(patient_name) AS patientName, min(patient_id) AS patientID, count(*) AS objects
    FROM ledger WHERE ${where} AND state = 'archived' GROUP BY study_instance_uid ORDER BY objects DESC LIMIT ${studiesMax + 1}`);
  const sources = all<{ objects: number; first: number; last: number; door: Source['door']; peer: string; address: string; calling_ae_title: string; called_ae_title: string; batch: string }>(`SELECT door, peer, address, calling_ae_title,
    called_ae_title, batch, count(*) AS objects, min(received_at) AS first, max(received_at) AS last FROM (SELECT source, received_at FROM ledger WHERE ${where}) JOIN ledger_source USING (source) GROUP BY batch ORDER BY last DESC LIMIT ${sourcesMax + 1}`);
  const accesses = all<PreviewAccess>(`SELECT kind, person, address, destination, sum(count) AS count, min(first_at) AS first, max(last_at) AS last FROM (
      SELECT access_log.* FROM (SELECT study_instance_uid, min(received_at) AS since FROM (${objects}) GROUP BY study_instance_uid) CROSS JOIN access_log ON study = study_instance_uid AND last_at >= since
        WHERE study <> '' AND (instance = '' OR instance IN (SELECT sop_instance_uid FROM (${objects})))
      UNION ALL SELECT access_log.* FROM access_log WHERE kind = 'exported' AND instance IN (SELECT object_id FROM (${objects}))
    ) GROUP BY kind, person, address, destination ORDER BY last DESC LIMIT ${accessesMax + 1}`);
  const cut = ([['studies', studies, studiesMax], ['sources', sources, sourcesMax], ['accesses', accesses, accessesMax]] as const).filter(([, list, most]) => list.length > most).map(([name]) => name);
  return {
    selection, what: wordsOf(database, selection), objects: count('objects'), bytes: count('bytes'), unseen: unseen?.count ?? 0, waiting: count('waiting'), held: count('held'), destroyed: count('destroyed'), malicious: count('malicious'), heldMalicious: count('heldMalicious'),
    known: selection.kind === 'import' && !selection.known ? knownBefore(database, selection.import) : 0, alsoFrom: again?.count ?? 0, patients: count('patients'), studyCount: count('studies'), studies: studies.slice(0, studiesMax).map((row) => ({ ...row })),
    sources: sources.slice(0, sourcesMax).map(({ objects: number, first, last, ...row }) => ({
      source: { door: row.door, peer: row.peer, address: row.address, callingAETitle: row.calling_ae_title, calledAETitle: row.called_ae_title, batch: row.batch }, objects: number, first, last,
    })),
    accesses: accesses.slice(0, accessesMax).map((row) => ({ ...row })), cut,
  };
}

/** Objects on a medium that are kept under another source: it did not bring them. */
function knownBefore(database: DatabaseSync, id: string): number {
  return (database.prepare(`SELECT count(DISTINCT object_id) AS count FROM import_file CROSS JOIN ledger USING (object_id) CROSS JOIN ledger_source USING (source)
    WHERE object_id <> '' AND import_file.number = (SELECT number FROM import WHERE id = ?1) AND batch <> ?1 AND state = 'archived'`).get(id) as { count: number }).count;
}

/** Object ids by their beginnings. */
function wholeIds(database: DatabaseSync, words: readonly string[]): ObjectId[] {
  const find = database.prepare(`SELECT object_id FROM ledger WHERE object_id >= ?1 AND object_id < ?1 || 'g' LIMIT 2`);
  return words.map((word) => {
    const rows = find.all(word) as { object_id: ObjectId }[];
    if (rows.length !== 1) throw refused(rows.length === 0 ? 'object-unknown' : 'object-ambiguous', rows.length === 0 ? `There is no object ${word}.` : `Several objects begin with ${word}; give more digits.`);
    return rows[0]!.object_id;
  });
}
