/** Finding archived instances by their UIDs, with what is needed to read them. Runs in processes that only read. */
import type { DatabaseSync } from 'node:sqlite';
import type { FrameTable, InstanceReport } from '../quarantine/contract.ts';
import type { Digest } from '../reception/contract.ts';
import type { Patch } from './reconciliation/contract.ts';

/** An archived file and what is known of it. */
export interface StoredInstance {
  readonly instanceKey: number;
  readonly studyInstanceUID: string;
  readonly seriesInstanceUID: string;
  readonly sopInstanceUID: string;
  readonly sopClassUID: string;
  readonly transferSyntaxUID: string;
  readonly digest: Digest;
  readonly bytes: number;
  /** Signature epoch of its verdict. */
  readonly epoch: string;
  readonly rows: number | null;
  readonly columns: number | null;
  readonly bitsAllocated: number | null;
  readonly patientID: string;
  /** Digests of its parts, for files over wholeBytesMax (reading.ts). */
  readonly chunks: InstanceReport['chunks'];
  /** Where it is served under another identity than it came with: which of its bytes are served otherwise, and of which row that is; else null. */
  readonly patches: readonly Patch[] | null;
  readonly reconciled: number | null;
}

export interface InstancePath {
  readonly studyInstanceUID: string;
  readonly seriesInstanceUID?: string;
  readonly sopInstanceUID?: string;
}

export interface Instances {
  /** In the order of Series and Instance Numbers; empty where there are none. */
  under(path: InstancePath): readonly StoredInstance[];
  metadata(instanceKey: number): string | null;
  frames(instanceKey: number): FrameTable | null;
}

const selected = `SELECT instances.instanceKey, studyInstanceUID, seriesInstanceUID, sopInstanceUID, sopClassUID, transferSyntaxUID, instances.digest, bytes, epoch, rows, columns, bitsAllocated, patientID, chunks, reconciled, patches
  FROM studies CROSS JOIN series USING (studyKey) CROSS JOIN instances USING (seriesKey) CROSS JOIN documents USING (instanceKey) CROSS JOIN epochs USING (epochKey) LEFT JOIN reconciledInstances ON reconciledInstances.key = reconciled WHERE studyInstanceUID = ?`;

/** Metadata as they are served: as the inspection reported them, or under the identity that people chose. */
export const servedMetadata = 'SELECT CASE WHEN reconciled IS NULL THEN metadata ELSE (SELECT metadata FROM reconciledInstances WHERE key = reconciled) END AS metadata FROM documents WHERE instanceKey = ?';

/** Lookups through a connection that is open for reading. */
export function instancesIn(database: DatabaseSync): Instances {
  const order = 'ORDER BY seriesNumber, series.seriesKey, instanceNumber, instanceKey';
  const ofStudy = database.prepare(`${selected} ${order}`);
  const ofSeries = database.prepare(`${selected} AND seriesInstanceUID = ? ${order}`);
  // By its own UID first: a Series of thousands is not gone through for one.
  const one = database.prepare(`${selected.replace(/FROM .* WHERE/s, 'FROM instances CROSS JOIN series USING (seriesKey) CROSS JOIN studies USING (studyKey) CROSS JOIN documents USING (instanceKey) CROSS JOIN epochs USING (epochKey) LEFT JOIN reconciledInstances ON reconciledInstances.key = reconciled WHERE')} AND seriesInstanceUID = ? AND sopInstanceUID = ?`);
  const metadata = database.prepare(servedMetadata);
  const frames = database.prepare('SELECT frames FROM documents WHERE instanceKey = ?');
  return {
    under({ studyInstanceUID, seriesInstanceUID, sopInstanceUID }) {
      const rows = seriesInstanceUID === undefined ? ofStudy.all(studyInstanceUID)
        : sopInstanceUID === undefined ? ofSeries.all(studyInstanceUID, seriesInstanceUID) : one.all(studyInstanceUID, seriesInstanceUID, sopInstanceUID);
      return rows.map((row) => ({ ...row, chunks: row['chunks'] === null ? null : JSON.parse(row['chunks'] as string) as StoredInstance['chunks'], patches: row['patches'] === null ? null : JSON.parse(row['patches'] as string) as StoredInstance['patches'] }) as unknown as StoredInstance);
    },
    metadata: (instanceKey) => (metadata.get(instanceKey)?.['metadata'] as string | undefined) ?? null,
    frames(instanceKey) {
      const text = frames.get(instanceKey)?.['frames'] as string | null | undefined;
      return text === null || text === undefined ? null : JSON.parse(text) as FrameTable;
    },
  };
}
