/** What a receipt says, from the files of an import, the ledger and the index. */
import type { DatabaseSync } from 'node:sqlite';
import type { Finding } from '../quarantine/contract.ts';
import { receiptLinesMax, type FileFate, type ImportStatus, type Receipt, type ReceiptHeld, type ReceiptStudy } from '../reception/media/contract.ts';

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
  held: `SELECT DISTINCT ledger.object_id, min(path) AS path, verdict, state, findings, patient_name, patient_id FROM import_file CROSS JOIN ledger USING (object_id)
    WHERE import_file.number = ? AND state IN ('held', 'destroyed') GROUP BY ledger.object_id ORDER BY ledger.number LIMIT ?`,
  files: `SELECT file AS "index", path, bytes, sha256, fate, object_id AS objectId, what, text FROM import_file WHERE number = ? AND fate = ? ORDER BY file LIMIT ?`,
} as const;

export class Receipts {
  readonly #run;

  constructor(database: DatabaseSync) {
    this.#run = { studies: database.prepare(texts.studies), held: database.prepare(texts.held), files: database.prepare(texts.files) };
  }

  draw(number: number, status: ImportStatus, kept: { readonly notes: string; readonly directories: string }, at: number): Receipt {
    const studies = this.#studies(number);
    const files = (...fates: readonly string[]): FileFate[] => fates.flatMap((fate) => this.#run.files.all(number, fate, receiptLinesMax) as unknown as FileFate[]).slice(0, receiptLinesMax);
    return {
      ...status, at, studies, patients: new Set(studies.map((study) => `${study.patientID}\n${study.patientName}`)).size, duplicates: status.fates.duplicate ?? 0,
      withheld: (this.#run.held.all(number, receiptLinesMax) as unknown as HeldRow[]).map(heldOf), left: files('left', 'unscanned', 'link', 'special'), infected: files('infected'), unreadable: files('unreadable', 'refused'),
      directories: JSON.parse(kept.directories) as Receipt['directories'], notes: JSON.parse(kept.notes) as string[],
    };
  }

  #studies(number: number): ReceiptStudy[] {
    const studies = new Map<string, ReceiptStudy & { instances: number; series: { seriesInstanceUID: string; modality: string; description: string; instances: number }[] }>();
    for (const row of this.#run.studies.all(number) as unknown as StudyRow[]) {
      let study = studies.get(row.studyInstanceUID);
      if (study === undefined) {
        study = { studyInstanceUID: row.studyInstanceUID, patientName: row.patientName, patientID: row.patientID, description: row.studyDescription, date: row.studyDate, instances: 0, series: [] };
        studies.set(row.studyInstanceUID, study);
      }
      study.instances += row.instances;
      study.series.push({ seriesInstanceUID: row.seriesInstanceUID, modality: row.modality, description: row.seriesDescription, instances: row.instances });
    }
    return [...studies.values()];
  }
}

function heldOf(row: HeldRow): ReceiptHeld {
  const findings = JSON.parse(row.findings) as Finding[];
  return {
    objectId: row.object_id as ReceiptHeld['objectId'], path: row.path, verdict: row.state === 'destroyed' ? 'destroyed' : (row.verdict ?? ''), code: findings[0]?.code ?? '', text: findings[0]?.text ?? '',
    patientName: row.patient_name, patientID: row.patient_id,
  };
}
