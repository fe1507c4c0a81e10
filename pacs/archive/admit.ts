/**
 * The index's only writer: `indexInstance` when an object is archived, `withdrawInstance` when it must no longer be seen. The keeper
 * calls both synchronously inside its own transaction, with the move of the file and the ledger.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { broken } from '@lazaret/system/failure.ts';
import { prepareAll } from '../quarantine/database.ts';
import type { Digest, ObjectId } from '../reception/contract.ts';
import type { InstanceReport } from '../quarantine/contract.ts';
import { readMetadata, type Indexed } from './metadata.ts';
import { beginningsOf, nameKinds } from './names.ts';

/** An object as it is archived: found clean (or released), in the archive under its digest. */
export interface ArchivedInstance {
  readonly objectId: ObjectId;
  /** Of the file as archived, after disarming. */
  readonly digest: Digest;
  readonly bytes: number;
  readonly epoch: string;
  readonly disarmed: boolean;
  /** Milliseconds since 1970. */
  readonly archivedAt: number;
  readonly instance: InstanceReport;
}

/**
 * - `added`: a new row.
 * - `present`: the same bytes are indexed already; nothing changed. (Two arrivals may become the same file by disarming; a crash may repeat the call.)
 * - `superseded`: the same SOP Instance of the same Series was indexed with other bytes, which are out of sight now (`withdrawnInstances`). It takes a
 *   person to let a conflict pass, and this is what they then want. The earlier file stays.
 */
export interface Indexing {
  readonly outcome: 'added' | 'present' | 'superseded';
  readonly superseded: Digest | null;
  /** What this object says otherwise than the Study's first one, as sentences for people; the first one's word is kept. */
  readonly conflicts: readonly string[];
}

export type WithdrawalReason = 'damaged' | 'superseded' | 'stale' | 'withdrawn' | 'unreconciled';

/** A row of reconciledInstances: how an instance is served otherwise than it lies in the archive. */
export interface Served {
  readonly key: number;
  readonly metadata: string;
}

/** Most notes kept of one Study: enough to see what is wrong, not one for each of 2,000 slices. */
const conflictsMax = 32;

interface StudyRow {
  readonly studyKey: number; readonly studyDate: string; readonly accessionNumber: string; readonly patientName: string; readonly patientID: string;
  readonly patientBirthDate: string; readonly patientSex: string; readonly conflicts: string | null;
}
interface SeriesRow { readonly seriesKey: number; readonly modality: string }

/**
 * Adds an archived instance to the index. Throws `metadata-invalid` (refused) before it has written anything when the report's
 * metadata is not what it should be; the object then stays in quarantine. `served`: it is found and shown under another identity; what was received
 * is kept as it is, and comes back with the instance when that is withdrawn.
 */
export function indexInstance(database: DatabaseSync, archived: ArchivedInstance, served: Served | null = null): Indexing {
  const report = archived.instance;
  const indexed = readMetadata(served === null ? report : { ...report, metadata: served.metadata }, archived.bytes);
  const run = statementsOf(database);
  if (run.instanceByDigest.get(archived.digest) !== undefined) return { outcome: 'present', superseded: null, conflicts: [] };

  const conflicts: string[] = [];
  let study = run.study.get(report.studyInstanceUID) as StudyRow | undefined;
  if (study !== undefined) conflicts.push(...differences(study, indexed));
  let series = study && (run.series.get(report.seriesInstanceUID, study.studyKey) as SeriesRow | undefined);
  let superseded: Digest | null = null;
  for (const other of run.instancesByUID.all(report.sopInstanceUID) as { seriesKey: number; digest: Digest; studyInstanceUID: string; seriesInstanceUID: string }[]) {
    if (other.seriesKey === series?.seriesKey) {
      superseded = other.digest;
    } else {
      conflicts.push(`SOP Instance ${report.sopInstanceUID} is also in Series ${other.seriesInstanceUID} of Study ${other.studyInstanceUID}`);
    }
  }
  if (superseded !== null) {
    withdrawInstance(database, superseded, 'superseded', archived.archivedAt);
    // The Study and Series may have gone with their only instance.
    study = run.study.get(report.studyInstanceUID) as StudyRow | undefined;
    series = study && (run.series.get(report.seriesInstanceUID, study.studyKey) as SeriesRow | undefined);
  }

  study ??= addStudy(run, archived, indexed);
  series ??= addSeries(run, archived, indexed, study);
  const { instanceNumber, rows, columns, bitsAllocated, numberOfFrames } = indexed.instance;
  const { lastInsertRowid: instanceKey } = run.addInstance.run(
    series.seriesKey, report.sopInstanceUID, report.sopClassUID, report.transferSyntaxUID, instanceNumber, rows, columns, bitsAllocated, numberOfFrames,
    archived.objectId, archived.digest, archived.bytes, epochKeyOf(run, archived.epoch), archived.disarmed ? 1 : 0, archived.archivedAt,
  );
  run.addDocument.run(
    instanceKey, report.metadata, report.dataSetOffset, report.dataSetLength,
    report.frames === null ? null : JSON.stringify(report.frames), report.chunks === null ? null : JSON.stringify(report.chunks), served?.key ?? null,
  );
  run.countInSeries.run(1, series.seriesKey);
  run.countInStudy.run(1, study.studyKey);
  if (conflicts.length > 0) noteConflicts(run, study, conflicts);
  return { outcome: superseded === null ? 'added' : 'superseded', superseded, conflicts };
}

/** Takes an instance out of the index, keeping all that brings it back. Returns what was indexed, or null where the digest is not. */
export function withdrawInstance(database: DatabaseSync, digest: Digest, reason: WithdrawalReason, withdrawnAt: number): InstanceReport | null {
  const run = statementsOf(database);
  const archived = readArchived(database, digest);
  if (archived === null) return null;
  const { instanceKey, seriesKey, studyKey, modality, studyDate } = run.withdrawable.get(digest) as { instanceKey: number; seriesKey: number; studyKey: number; modality: string; studyDate: string };
  run.addWithdrawn.run(digest, archived.objectId, archived.instance.studyInstanceUID, archived.instance.seriesInstanceUID, archived.instance.sopInstanceUID, reason, withdrawnAt, JSON.stringify(archived));
  run.removeDocument.run(instanceKey);
  run.removeInstance.run(instanceKey);
  run.countInSeries.run(-1, seriesKey);
  run.countInStudy.run(-1, studyKey);
  if ((run.seriesCount.get(seriesKey) as { count: number }).count > 0) return archived.instance;
  run.removeRequests.run(seriesKey);
  run.removeSeries.run(seriesKey);
  countModality(run, studyKey, studyDate, modality, -1);
  if ((run.studyCount.get(studyKey) as { count: number }).count > 0) return archived.instance;
  const names = run.names.get(studyKey) as { patientName: string; referringPhysicianName: string };
  for (const [kind, name] of namesOf(names)) run.removeName.run(kind, name, studyKey);
  run.removeTexts.run(studyKey);
  // The full-text index keeps what was deleted under row numbers that no JavaScript number holds, and every statement that is run after it would report them.
  run.blankStudyAttributes.run(studyKey);
  run.removeStudyAttributes.run(studyKey);
  run.removeStudy.run(studyKey);
  return archived.instance;
}

/** Puts a withdrawn instance back, for example after its file was restored or found clean again. Null where it was not withdrawn. */
export function restoreInstance(database: DatabaseSync, digest: Digest, epoch: string, served: Served | null = null): Indexing | null {
  const run = statementsOf(database);
  const row = run.withdrawn.get(digest) as { archived: string } | undefined;
  if (row === undefined) return null;
  run.removeWithdrawn.run(digest);
  return indexInstance(database, { ...(JSON.parse(row.archived) as ArchivedInstance), epoch }, served);
}

/** Notes that an instance was found clean again under another epoch. Returns false where the digest is not indexed. */
export function renewVerdict(database: DatabaseSync, digest: Digest, epoch: string): boolean {
  const run = statementsOf(database);
  return run.setEpoch.run(epochKeyOf(run, epoch), digest).changes === 1;
}

/** Everything the index knows of one archived file, as it was given; null where the digest is not indexed. */
export function readArchived(database: DatabaseSync, digest: Digest): ArchivedInstance | null {
  const row = statementsOf(database).archived.get(digest) as Record<string, string | number | null> | undefined;
  if (row === undefined) return null;
  return {
    objectId: row['objectId'] as ObjectId, digest, bytes: row['bytes'] as number, epoch: row['epoch'] as string, disarmed: row['disarmed'] === 1, archivedAt: row['archivedAt'] as number,
    instance: {
      sopClassUID: row['sopClassUID'] as string, sopInstanceUID: row['sopInstanceUID'] as string, studyInstanceUID: row['studyInstanceUID'] as string,
      seriesInstanceUID: row['seriesInstanceUID'] as string, transferSyntaxUID: row['transferSyntaxUID'] as string, metadata: row['metadata'] as string,
      dataSetOffset: row['dataSetOffset'] as number, dataSetLength: row['dataSetLength'] as number,
      frames: row['frames'] === null ? null : JSON.parse(row['frames'] as string) as InstanceReport['frames'],
      chunks: row['chunks'] === null ? null : JSON.parse(row['chunks'] as string) as InstanceReport['chunks'],
    },
  };
}

function epochKeyOf(run: Statements, epoch: string): number | bigint {
  const known = run.epoch.get(epoch) as { epochKey: number } | undefined;
  return known?.epochKey ?? run.addEpoch.run(epoch).lastInsertRowid;
}

function addStudy(run: Statements, archived: ArchivedInstance, indexed: Indexed): StudyRow {
  const { studyDate, studyTime, accessionNumber, referringPhysicianName, patientName, patientID, patientBirthDate, patientSex, studyID, studyDescription } = indexed.study;
  const studyKey = Number(run.addStudy.run(
    archived.instance.studyInstanceUID, studyDate, studyTime, accessionNumber, referringPhysicianName, patientName, patientID, patientBirthDate, patientSex, studyID, studyDescription,
    archived.archivedAt,
  ).lastInsertRowid);
  run.addStudyAttributes.run(studyKey, indexed.studyAttributes());
  for (const [kind, name] of namesOf(indexed.study)) run.addName.run(kind, name, studyKey);
  run.addTexts.run(studyKey, patientName, patientID, accessionNumber, referringPhysicianName, studyID, studyDescription);
  return { ...indexed.study, studyKey, conflicts: null };
}

/** Rows of studyNames. */
export function namesOf(study: { readonly patientName: string; readonly referringPhysicianName: string }): readonly (readonly [kind: number, name: string])[] {
  return [
    ...beginningsOf(study.patientName).map((name) => [nameKinds['patientName']!, name] as const),
    ...beginningsOf(study.referringPhysicianName).map((name) => [nameKinds['referringPhysicianName']!, name] as const),
  ];
}

function addSeries(run: Statements, archived: ArchivedInstance, indexed: Indexed, study: StudyRow): SeriesRow {
  const { modality, seriesNumber, seriesDescription, bodyPartExamined, performedProcedureStepStartDate, performedProcedureStepStartTime } = indexed.series;
  const seriesKey = Number(run.addSeries.run(
    study.studyKey, archived.instance.seriesInstanceUID, modality, seriesNumber, seriesDescription, bodyPartExamined,
    performedProcedureStepStartDate, performedProcedureStepStartTime, indexed.seriesAttributes(), archived.archivedAt,
  ).lastInsertRowid);
  for (const request of indexed.requests) run.addRequest.run(seriesKey, request.scheduledProcedureStepID, request.requestedProcedureID);
  countModality(run, study.studyKey, study.studyDate, modality, 1);
  return { seriesKey, modality };
}

/** One Series more or less of a modality: keeps ModalitiesInStudy and NumberOfStudyRelatedSeries true. */
function countModality(run: Statements, studyKey: number, studyDate: string, modality: string, change: 1 | -1): void {
  if (modality !== '') {
    run.countModality.run(modality, studyDate, studyKey, change);
    run.removeModality.run(modality, studyDate, studyKey);
  }
  run.countSeries.run(change, studyKey);
}

const compared = ['studyDate', 'accessionNumber', 'patientName', 'patientID', 'patientBirthDate', 'patientSex'] as const;

/** The standard wants these equal in all objects of a Study (PS3.3 §A.1.2.2); where they are not, people must see it. */
function differences(study: StudyRow, indexed: Indexed): string[] {
  const found: string[] = [];
  for (const name of compared) {
    const [kept, other] = [study[name], indexed.study[name]];
    if (kept !== other) found.push(`${name} is "${other}" in another object, "${kept}" is kept`);
  }
  return found;
}

function noteConflicts(run: Statements, study: StudyRow, conflicts: readonly string[]): void {
  const notes = new Set(study.conflicts === null ? [] : JSON.parse(study.conflicts) as string[]);
  const before = notes.size;
  for (const conflict of conflicts) if (notes.size < conflictsMax) notes.add(conflict);
  if (notes.size > before) run.setConflicts.run(JSON.stringify([...notes]), study.studyKey);
}

const statementTexts = {
  instanceByDigest: 'SELECT 1 FROM instances WHERE digest = ?',
  study: 'SELECT studyKey, studyDate, accessionNumber, patientName, patientID, patientBirthDate, patientSex, conflicts FROM studies WHERE studyInstanceUID = ?',
  series: 'SELECT seriesKey, modality FROM series WHERE seriesInstanceUID = ? AND studyKey = ?',
  instancesByUID: 'SELECT instances.seriesKey, digest, studyInstanceUID, seriesInstanceUID FROM instances JOIN series USING (seriesKey) JOIN studies USING (studyKey) WHERE sopInstanceUID = ?',
  addStudy: `INSERT INTO studies (studyInstanceUID, studyDate, studyTime, accessionNumber, referringPhysicianName, patientName, patientID, patientBirthDate, patientSex, studyID, studyDescription,
    modalitiesInStudy, numberOfSeries, numberOfInstances, archivedAt) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '', 0, 0, ?)`,
  addStudyAttributes: 'INSERT INTO studyAttributes (studyKey, attributes) VALUES (?, ?)',
  addTexts: 'INSERT INTO studyTexts (rowid, patientName, patientID, accessionNumber, referringPhysicianName, studyID, studyDescription) VALUES (?, ?, ?, ?, ?, ?, ?)',
  addSeries: `INSERT INTO series (studyKey, seriesInstanceUID, modality, seriesNumber, seriesDescription, bodyPartExamined, performedProcedureStepStartDate, performedProcedureStepStartTime,
    numberOfInstances, attributes, archivedAt) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?)`,
  addRequest: 'INSERT INTO requestAttributes (seriesKey, scheduledProcedureStepID, requestedProcedureID) VALUES (?, ?, ?)',
  epoch: 'SELECT epochKey FROM epochs WHERE epoch = ?',
  addEpoch: 'INSERT INTO epochs (epoch) VALUES (?)',
  addInstance: `INSERT INTO instances (seriesKey, sopInstanceUID, sopClassUID, transferSyntaxUID, instanceNumber, rows, columns, bitsAllocated, numberOfFrames, objectId, digest, bytes, epochKey, disarmed, archivedAt)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  addDocument: 'INSERT INTO documents (instanceKey, metadata, dataSetOffset, dataSetLength, frames, chunks, reconciled) VALUES (?, ?, ?, ?, ?, ?, ?)',
  countInSeries: 'UPDATE series SET numberOfInstances = numberOfInstances + ? WHERE seriesKey = ?',
  countInStudy: 'UPDATE studies SET numberOfInstances = numberOfInstances + ? WHERE studyKey = ?',
  countModality: 'INSERT INTO studyModalities (modality, studyDate, studyKey, numberOfSeries) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET numberOfSeries = numberOfSeries + excluded.numberOfSeries',
  removeModality: 'DELETE FROM studyModalities WHERE modality = ? AND studyDate = ? AND studyKey = ? AND numberOfSeries < 1',
  countSeries: `UPDATE studies SET numberOfSeries = numberOfSeries + ?1, modalitiesInStudy = coalesce((SELECT '\\' || group_concat(modality, '\\') || '\\' FROM
    (SELECT modality FROM series WHERE studyKey = ?2 AND modality <> '' GROUP BY modality ORDER BY modality)), '') WHERE studyKey = ?2`,
  setConflicts: 'UPDATE studies SET conflicts = ? WHERE studyKey = ?',
  withdrawable: 'SELECT instanceKey, instances.seriesKey, series.studyKey, modality, studyDate FROM instances JOIN series USING (seriesKey) JOIN studies USING (studyKey) WHERE digest = ?',
  archived: `SELECT instances.*, epochs.epoch, series.seriesInstanceUID, studies.studyInstanceUID, metadata, dataSetOffset, dataSetLength, frames, chunks
    FROM instances JOIN documents USING (instanceKey) JOIN epochs USING (epochKey) JOIN series USING (seriesKey) JOIN studies USING (studyKey) WHERE digest = ?`,
  addWithdrawn: `INSERT INTO withdrawnInstances (digest, objectId, studyInstanceUID, seriesInstanceUID, sopInstanceUID, reason, withdrawnAt, archived) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET reason = excluded.reason, withdrawnAt = excluded.withdrawnAt, archived = excluded.archived`,
  withdrawn: 'SELECT archived FROM withdrawnInstances WHERE digest = ?',
  removeWithdrawn: 'DELETE FROM withdrawnInstances WHERE digest = ?',
  removeDocument: 'DELETE FROM documents WHERE instanceKey = ?',
  removeInstance: 'DELETE FROM instances WHERE instanceKey = ?',
  removeRequests: 'DELETE FROM requestAttributes WHERE seriesKey = ?',
  removeSeries: 'DELETE FROM series WHERE seriesKey = ?',
  addName: 'INSERT INTO studyNames (nameKind, name, studyKey) VALUES (?, ?, ?)',
  names: 'SELECT patientName, referringPhysicianName FROM studies WHERE studyKey = ?',
  removeName: 'DELETE FROM studyNames WHERE nameKind = ? AND name = ? AND studyKey = ?',
  removeTexts: 'DELETE FROM studyTexts WHERE rowid = ?',
  blankStudyAttributes: `INSERT OR REPLACE INTO studyAttributes (studyKey, attributes) VALUES (?, '')`,
  removeStudyAttributes: 'DELETE FROM studyAttributes WHERE studyKey = ?',
  removeStudy: 'DELETE FROM studies WHERE studyKey = ?',
  seriesCount: 'SELECT numberOfInstances AS count FROM series WHERE seriesKey = ?',
  studyCount: 'SELECT numberOfInstances AS count FROM studies WHERE studyKey = ?',
  setEpoch: 'UPDATE instances SET epochKey = ? WHERE digest = ?',
} as const;
type Statements = Readonly<Record<keyof typeof statementTexts, StatementSync>>;

const prepared = new WeakMap<DatabaseSync, Statements>();

/** Statements are prepared once for each database: preparing costs more than running. */
function statementsOf(database: DatabaseSync): Statements {
  const known = prepared.get(database);
  if (known !== undefined) return known;
  if (!database.isOpen) throw broken('index-closed', 'the index is used after it was closed');
  const statements = prepareAll(database, statementTexts);
  statements.removeTexts.setReadBigInts(true);
  prepared.set(database, statements);
  return statements;
}
