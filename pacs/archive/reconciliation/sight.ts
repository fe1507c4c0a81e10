/**
 * What the choices of people do to the index: which instances wait out of sight, which come into sight and as whose, and how a study in sight gets another
 * identity. Everything here runs inside a transaction of the keeper.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { prepareAll } from '../../quarantine/database.ts';
import type { InstanceReport } from '../../quarantine/contract.ts';
import type { Digest } from '../../reception/contract.ts';
import { indexInstance, namesOf, restoreInstance, type ArchivedInstance, type Indexing, type Served } from '../admit.ts';
import { readMetadata, type Indexed } from '../metadata.ts';

/** A row of reconciliations. */
export interface ChoiceRow {
  readonly number: number;
  readonly id: string;
  readonly studyInstanceUID: string;
  /** "": about the whole study, however it came. */
  readonly import: string;
  readonly replacement: string | null;
  readonly received: string;
  readonly source: string;
  readonly person: string;
  readonly address: string;
  readonly reason: string;
  readonly at: number;
  readonly state: 'taking' | 'taken' | 'impossible' | 'ended';
  readonly problem: string;
  readonly instances: number;
}

/** `waiting`: it is in the archive and out of sight, until somebody says whose it is or until it is ready to be shown so. */
export type Admitting = Indexing | { readonly outcome: 'waiting'; /** Somebody has said whose it is: it is only not ready. */ readonly chosen: boolean };

const texts = {
  // A choice that turned out to be impossible does not take the place of one that is carried out.
  inForce: `SELECT * FROM reconciliations WHERE studyInstanceUID = ?1 AND (import = '' OR import = ?2) AND state <> 'ended' ORDER BY state = 'impossible', number DESC LIMIT 1`,
  own: `SELECT reconciliations.* FROM reconciledInstances JOIN reconciliations ON number = reconciliation WHERE digest = ? AND state = 'taken' ORDER BY number DESC LIMIT 1`,
  served: 'SELECT key, metadata FROM reconciledInstances WHERE digest = ? AND reconciliation = ?',
  seen: 'SELECT 1 FROM instances WHERE digest = ?',
  wait: `INSERT INTO withdrawnInstances (digest, objectId, studyInstanceUID, seriesInstanceUID, sopInstanceUID, reason, withdrawnAt, archived, waitsFor) VALUES (?, ?, ?, ?, ?, 'unreconciled', ?, ?, ?)
    ON CONFLICT DO UPDATE SET reason = excluded.reason, withdrawnAt = excluded.withdrawnAt, archived = excluded.archived, objectId = excluded.objectId, waitsFor = excluded.waitsFor`,
  withdrawn: 'SELECT archived, waitsFor FROM withdrawnInstances WHERE digest = ?',
  waitAgain: `UPDATE withdrawnInstances SET reason = 'unreconciled' WHERE digest = ?`,
  keep: `INSERT INTO reconciledInstances (digest, reconciliation, patches, metadata) VALUES (?, ?, ?, ?) ON CONFLICT (digest, reconciliation) DO UPDATE SET patches = excluded.patches, metadata = excluded.metadata`,
  point: `UPDATE documents SET reconciled = (SELECT key FROM instances JOIN reconciledInstances USING (digest) WHERE instances.instanceKey = documents.instanceKey AND reconciliation = ?2)
    WHERE instanceKey IN (SELECT instanceKey FROM studies JOIN series USING (studyKey) JOIN instances USING (seriesKey) WHERE studyInstanceUID = ?1)`,
  // Rows of earlier choices about a study, and of one that came to nothing.
  forgetEarlier: `DELETE FROM reconciledInstances WHERE reconciliation IN (SELECT number FROM reconciliations WHERE studyInstanceUID = ?1 AND number < ?2) AND NOT EXISTS (SELECT 1 FROM documents WHERE reconciled = key)
    AND digest IN (SELECT digest FROM reconciledInstances WHERE reconciliation = ?2 UNION ALL SELECT digest FROM studies JOIN series USING (studyKey) JOIN instances USING (seriesKey) WHERE studyInstanceUID = ?1)`,
  forget: 'DELETE FROM reconciledInstances WHERE reconciliation = ? AND NOT EXISTS (SELECT 1 FROM documents WHERE reconciled = key)',
  study: 'SELECT studyKey, patientName, referringPhysicianName, conflicts FROM studies WHERE studyInstanceUID = ?',
  firsts: `SELECT series.seriesKey, min(instanceKey) AS instanceKey FROM series JOIN instances USING (seriesKey) WHERE studyKey = ? GROUP BY series.seriesKey ORDER BY instanceKey`,
  one: `SELECT instances.bytes, sopInstanceUID, sopClassUID, transferSyntaxUID, seriesInstanceUID, studyInstanceUID, dataSetOffset, dataSetLength, chunks,
    CASE WHEN reconciled IS NULL THEN documents.metadata ELSE (SELECT metadata FROM reconciledInstances WHERE key = reconciled) END AS metadata
    FROM instances JOIN documents USING (instanceKey) JOIN series USING (seriesKey) JOIN studies USING (studyKey) WHERE instanceKey = ?`,
  setStudy: `UPDATE studies SET accessionNumber = ?, referringPhysicianName = ?, patientName = ?, patientID = ?, patientBirthDate = ?, patientSex = ?, studyID = ?, studyDescription = ?, conflicts = ? WHERE studyKey = ?`,
  setStudyAttributes: 'UPDATE studyAttributes SET attributes = ? WHERE studyKey = ?',
  removeName: 'DELETE FROM studyNames WHERE nameKind = ? AND name = ? AND studyKey = ?',
  addName: 'INSERT OR IGNORE INTO studyNames (nameKind, name, studyKey) VALUES (?, ?, ?)',
  removeTexts: 'DELETE FROM studyTexts WHERE rowid = ?',
  addTexts: 'INSERT INTO studyTexts (rowid, patientName, patientID, accessionNumber, referringPhysicianName, studyID, studyDescription) VALUES (?, ?, ?, ?, ?, ?, ?)',
  setSeries: 'UPDATE series SET attributes = ? WHERE seriesKey = ?',
  removeRequests: 'DELETE FROM requestAttributes WHERE seriesKey = ?',
  addRequest: 'INSERT INTO requestAttributes (seriesKey, scheduledProcedureStepID, requestedProcedureID) VALUES (?, ?, ?)',
} as const;

export class Sight {
  readonly #database: DatabaseSync;
  readonly #run: Readonly<Record<keyof typeof texts, StatementSync>>;
  readonly #importOf: (objectId: string) => string;

  /** `importOf`: the import whose choice an object waits for, or "". */
  constructor(database: DatabaseSync, importOf: (objectId: string) => string) {
    this.#database = database;
    this.#importOf = importOf;
    this.#run = prepareAll(database, texts);
    this.#run.removeTexts.setReadBigInts(true);
  }

  /** A clean (or released) object: into sight as what it came as, or as what was chosen; or it waits. Throws `metadata-invalid` like indexInstance. */
  admit(archived: ArchivedInstance): Admitting {
    const waitsFor = this.#importOf(archived.objectId);
    const choice = this.choiceFor(archived.digest, archived.instance.studyInstanceUID, waitsFor);
    const served = this.#servedBy(choice, archived.digest);
    if (this.#run.seen.get(archived.digest) !== undefined || (served !== 'missing' && (choice !== null || waitsFor === ''))) return indexInstance(this.#database, archived, served === 'missing' ? null : served);
    // As indexInstance would refuse it: what waits must be able to come into sight.
    readMetadata(archived.instance, archived.bytes);
    this.#run.wait.run(archived.digest, archived.objectId, archived.instance.studyInstanceUID, archived.instance.seriesInstanceUID, archived.instance.sopInstanceUID, archived.archivedAt, JSON.stringify(archived), waitsFor);
    return { outcome: 'waiting', chosen: choice !== null };
  }

  /** Brings back what was withdrawn, as whose it is now. Null where it was not withdrawn. */
  restore(digest: Digest, epoch: string): Admitting | null {
    const row = this.#run.withdrawn.get(digest) as { archived: string; waitsFor: string } | undefined;
    if (row === undefined) return null;
    const archived = JSON.parse(row.archived) as ArchivedInstance;
    const choice = this.choiceFor(digest, archived.instance.studyInstanceUID, row.waitsFor === '' ? this.#importOf(archived.objectId) : row.waitsFor);
    const served = this.#servedBy(choice, digest);
    if (served !== 'missing' && (choice !== null || row.waitsFor === '')) return restoreInstance(this.#database, digest, epoch, served);
    this.#run.waitAgain.run(digest);
    return { outcome: 'waiting', chosen: choice !== null };
  }

  /** The choice that says as whose an instance is shown, or null: as it came, or (where it waits for an import) nobody has said. */
  choiceFor(digest: Digest, studyInstanceUID: string, waitsFor: string): ChoiceRow | null {
    const choice = (this.#run.inForce.get(studyInstanceUID, waitsFor) as ChoiceRow | undefined) ?? null;
    // It may have come into sight by a later import of the same medium.
    const own = this.#run.own.get(digest) as ChoiceRow | undefined;
    return own !== undefined && (choice === null || (own.number > choice.number && choice.state !== 'taking')) ? own : choice;
  }

  #servedBy(choice: ChoiceRow | null, digest: Digest): Served | null | 'missing' {
    if (choice === null) return null;
    // All of a study gets its identity together.
    if (choice.state !== 'taken') return 'missing';
    if (choice.replacement === null) return null;
    return this.served(digest, choice.number) ?? 'missing';
  }

  served(digest: Digest, reconciliation: number): Served | null {
    return (this.#run.served.get(digest, reconciliation) as unknown as Served | undefined) ?? null;
  }

  /** Keeps how an instance is served under a choice; nothing is served so yet. */
  keep(digest: Digest, reconciliation: number, patches: string, metadata: string): void {
    this.#run.keep.run(digest, reconciliation, patches, metadata);
  }

  /** What a choice that was given up has left. */
  forget(reconciliation: number): void {
    this.#run.forget.run(reconciliation);
  }

  /** A study in sight, all of it, is from now on served as the choice says; its rows for searches are made anew. */
  reidentify(choice: ChoiceRow): void {
    const run = this.#run;
    const study = run.study.get(choice.studyInstanceUID) as { studyKey: number; patientName: string; referringPhysicianName: string; conflicts: string | null } | undefined;
    if (study === undefined) return;
    run.point.run(choice.studyInstanceUID, choice.number);
    const { studyKey } = study;
    let first: Indexed | null = null;
    for (const { seriesKey, instanceKey } of run.firsts.all(studyKey) as { seriesKey: number; instanceKey: number }[]) {
      const indexed = this.#indexed(instanceKey);
      first ??= indexed;
      run.setSeries.run(indexed.seriesAttributes(), seriesKey);
      run.removeRequests.run(seriesKey);
      for (const request of indexed.requests) run.addRequest.run(seriesKey, request.scheduledProcedureStepID, request.requestedProcedureID);
    }
    if (first === null) return;
    const { accessionNumber, referringPhysicianName, patientName, patientID, patientBirthDate, patientSex, studyID, studyDescription } = first.study;
    for (const [kind, name] of namesOf(study)) run.removeName.run(kind, name, studyKey);
    run.removeTexts.run(studyKey);
    run.setStudy.run(accessionNumber, referringPhysicianName, patientName, patientID, patientBirthDate, patientSex, studyID, studyDescription, withoutPatient(study.conflicts), studyKey);
    run.setStudyAttributes.run(first.studyAttributes(), studyKey);
    for (const [kind, name] of namesOf(first.study)) run.addName.run(kind, name, studyKey);
    run.addTexts.run(studyKey, patientName, patientID, accessionNumber, referringPhysicianName, studyID, studyDescription);
  }

  /** Once all instances of a choice are served so: what earlier choices about them have left. */
  forgetEarlier(choice: ChoiceRow): void {
    this.#run.forgetEarlier.run(choice.studyInstanceUID, choice.number);
  }

  #indexed(instanceKey: number): Indexed {
    const row = this.#run.one.get(instanceKey) as unknown as Omit<InstanceReport, 'chunks' | 'frames'> & { readonly bytes: number; readonly chunks: string | null };
    return readMetadata({ ...row, frames: null, chunks: row.chunks === null ? null : JSON.parse(row.chunks) as InstanceReport['chunks'] }, row.bytes);
  }
}

/** Notes about whose objects are: they were about other values. */
function withoutPatient(conflicts: string | null): string | null {
  if (conflicts === null) return null;
  const left = (JSON.parse(conflicts) as string[]).filter((note) => !/^(?:accessionNumber|patientName|patientID|patientBirthDate|patientSex) is /.test(note));
  return left.length === 0 ? null : JSON.stringify(left);
}
