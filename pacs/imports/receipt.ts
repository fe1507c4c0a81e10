/** What a receipt says, from the files of an import, the ledger and the index. */
import type { DatabaseSync } from 'node:sqlite';
import type { ArchivedInstance } from '../archive/admit.ts';
import { parseDataSet } from '../archive/metadata.ts';
import { textOf } from '../archive/reconciliation/incoming.ts';
import type { Finding } from '../quarantine/contract.ts';
import { receiptLinesMax, type FileFate, type ImportStatus, type Receipt, type ReceiptHeld, type ReceiptIdentity, type ReceiptStudy } from '../reception/media/contract.ts';

interface StudyRow {
  readonly studyInstanceUID: string;
  readonly studyDate: string;
  readonly studyDescription: string;
  readonly patientName: string;
  readonly patientID: string;
  readonly seriesInstanceUID: string;
  readonly modality: string;
  readonly seriesDescription: string;
  readonly instances: number;
}
interface WaitingRow extends Omit<StudyRow, 'studyDate' | 'seriesDescription'> {
  /** JSON of one instance of the Series (pacs/archive/admit.ts). */
  readonly archived: string;
}
interface HeldRow {
  readonly object_id: string;
  readonly path: string;
  readonly verdict: string | null;
  readonly state: string;
  readonly findings: string;
  readonly patient_name: string;
  readonly patient_id: string;
}

const texts = {
  // Through the digest, since that is what the index is found by.
  studies: `SELECT studyInstanceUID, studyDate, min(ledger.study_description) AS studyDescription, min(ledger.patient_name) AS patientName, min(ledger.patient_id) AS patientID, seriesInstanceUID,
      series.modality AS modality, seriesDescription, count(*) AS instances
    FROM (SELECT DISTINCT object_id FROM import_file WHERE number = ? AND object_id <> '') CROSS JOIN ledger USING (object_id)
      CROSS JOIN instances ON instances.digest = ledger.archived_sha256 CROSS JOIN series USING (seriesKey) CROSS JOIN studies USING (studyKey)
    WHERE ledger.state = 'archived' GROUP BY seriesKey ORDER BY studies.studyKey, seriesNumber, seriesKey`,
  // Out of sight; what they say of themselves is in the report that brings them back.
  waiting: `SELECT studyInstanceUID, seriesInstanceUID, min(ledger.study_description) AS studyDescription, min(ledger.patient_name) AS patientName, min(ledger.patient_id) AS patientID, min(ledger.modality) AS modality, archived, count(*) AS instances
    FROM (SELECT DISTINCT object_id FROM import_file WHERE number = ? AND object_id <> '') CROSS JOIN ledger USING (object_id) CROSS JOIN withdrawnInstances ON digest = archived_sha256
    WHERE ledger.state = 'archived' AND reason = 'unreconciled' GROUP BY studyInstanceUID, seriesInstanceUID`,
  identity: `SELECT state, problem, replacement, person, at FROM reconciliations WHERE studyInstanceUID = ?1 AND (import = '' OR import = ?2) AND state <> 'ended' ORDER BY state = 'impossible' AND import = '', number DESC LIMIT 1`,
  // What an earlier import of the same files has brought in.
  inForce: `SELECT state, problem, replacement, person, at FROM reconciliations WHERE studyInstanceUID = ? AND state = 'taken' ORDER BY number DESC LIMIT 1`,
  held: `SELECT DISTINCT ledger.object_id, min(path) AS path, verdict, state, findings, patient_name, patient_id FROM import_file CROSS JOIN ledger USING (object_id)
    WHERE import_file.number = ? AND state IN ('held', 'destroyed') GROUP BY ledger.object_id ORDER BY ledger.number LIMIT ?`,
  files: `SELECT file AS "index", path, bytes, sha256, fate, object_id AS objectId, what, text FROM import_file WHERE number = ? AND fate = ? ORDER BY file LIMIT ?`,
} as const;

export class Receipts {
  readonly #run;

  constructor(database: DatabaseSync) {
    this.#run = { studies: database.prepare(texts.studies), waiting: database.prepare(texts.waiting), identity: database.prepare(texts.identity), inForce: database.prepare(texts.inForce), held: database.prepare(texts.held), files: database.prepare(texts.files) };
  }

  draw(number: number, status: ImportStatus, kept: { readonly notes: string; readonly directories: string }, at: number): Receipt {
    const { studies, patients } = this.studies(number, status.id);
    const files = (...fates: readonly string[]): FileFate[] => fates.flatMap((fate) => this.#run.files.all(number, fate, receiptLinesMax) as unknown as FileFate[]).slice(0, receiptLinesMax);
    return {
      ...status, at, studies, patients, duplicates: status.fates.duplicate ?? 0,
      withheld: (this.#run.held.all(number, receiptLinesMax) as unknown as HeldRow[]).map(heldOf), left: files('left', 'unscanned', 'link', 'special'), infected: files('infected'), unreadable: files('unreadable', 'refused'), unreached: files('unreached'),
      directories: JSON.parse(kept.directories) as Receipt['directories'], notes: JSON.parse(kept.notes) as string[],
    };
  }

  /** In sight or waiting, with whose they are by now. */
  studies(number: number, id: string): Pick<Receipt, 'studies' | 'patients'> {
    const studies = new Map<string, ReceiptStudy & { instances: number; series: { seriesInstanceUID: string; modality: string; description: string; instances: number }[] }>();
    const waiting = (this.#run.waiting.all(number) as unknown as WaitingRow[]).map(seriesOf);
    for (const row of [...(this.#run.studies.all(number) as unknown as StudyRow[]), ...waiting]) {
      let study = studies.get(row.studyInstanceUID);
      if (study === undefined) {
        study = { studyInstanceUID: row.studyInstanceUID, patientName: row.patientName, patientID: row.patientID, description: row.studyDescription, date: row.studyDate, instances: 0, series: [] };
        studies.set(row.studyInstanceUID, study);
      }
      study.instances += row.instances;
      study.series.push({ seriesInstanceUID: row.seriesInstanceUID, modality: row.modality, description: row.seriesDescription, instances: row.instances });
    }
    const waits = new Set(waiting.map(({ studyInstanceUID }) => studyInstanceUID));
    return {
      studies: [...studies.values()].map((study) => {
        const identity = this.#identityOf(study.studyInstanceUID, id, waits.has(study.studyInstanceUID));
        return identity === null ? study : { ...study, identity };
      }),
      patients: new Set([...studies.values()].map((study) => `${study.patientID}\n${study.patientName}`)).size,
    };
  }

  #identityOf(studyInstanceUID: string, id: string, waits: boolean): ReceiptIdentity | null {
    const row = (this.#run.identity.get(studyInstanceUID, id) ?? (waits ? undefined : this.#run.inForce.get(studyInstanceUID))) as { state: 'taking' | 'taken' | 'impossible'; problem: string; replacement: string | null; person: string; at: number } | undefined;
    if (row === undefined) return waits ? { state: 'waiting', problem: '', servedAs: null, person: '', at: 0 } : null;
    const replacement = row.replacement === null ? null : JSON.parse(row.replacement) as NonNullable<ReceiptIdentity['servedAs']>;
    const servedAs = replacement === null ? null : { patientName: replacement.patientName, patientID: replacement.patientID, issuerOfPatientID: replacement.issuerOfPatientID, accessionNumber: replacement.accessionNumber };
    return { state: row.state === 'taken' && waits ? 'taking' : row.state, problem: row.problem, servedAs, person: row.person, at: row.at };
  }
}

function seriesOf({ archived, ...row }: WaitingRow): StudyRow {
  const { instance } = JSON.parse(archived) as ArchivedInstance;
  const dataSet = parseDataSet(instance.metadata);
  return { ...row, studyDate: textOf(dataSet, '00080020'), seriesDescription: textOf(dataSet, '0008103E') };
}

function heldOf(row: HeldRow): ReceiptHeld {
  const findings = JSON.parse(row.findings) as Finding[];
  return {
    objectId: row.object_id as ReceiptHeld['objectId'], path: row.path, verdict: row.state === 'destroyed' ? 'destroyed' : (row.verdict ?? ''), code: findings[0]?.code ?? '', text: findings[0]?.text ?? '',
    patientName: row.patient_name, patientID: row.patient_id,
  };
}
