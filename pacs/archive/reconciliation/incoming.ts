/** What an import has brought, study by study, for people who say whose it is. Only reads. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { prepareAll } from '../../quarantine/database.ts';
import type { Digest } from '../../reception/contract.ts';
import type { ArchivedInstance } from '../admit.ts';
import type { JSONDataSet } from '../metadata.ts';
import type { IncomingSeries, IncomingStudy, Reconciliation, Replacement } from './contract.ts';
import type { ChoiceRow } from './sight.ts';

interface InstanceRow {
  readonly digest: Digest;
  readonly objectId: string;
  readonly studyInstanceUID: string;
  readonly seriesInstanceUID: string;
}

const inOrder = 'ORDER BY ledger.number';
const texts = {
  // In the order in which they were admitted, which is mostly that of the slices.
  waiting: `SELECT digest, objectId, studyInstanceUID, seriesInstanceUID FROM withdrawnInstances JOIN ledger ON object_id = objectId WHERE reason = 'unreconciled' AND waitsFor = ? ${inOrder}`,
  waitingByDigest: `SELECT digest, objectId, studyInstanceUID, seriesInstanceUID FROM withdrawnInstances WHERE digest = ? AND reason = 'unreconciled' AND waitsFor <> ?`,
  seen: `SELECT digest, objectId, studyInstanceUID, seriesInstanceUID FROM studies CROSS JOIN series USING (studyKey) CROSS JOIN instances USING (seriesKey) CROSS JOIN ledger ON object_id = objectId WHERE studyInstanceUID = ? ${inOrder}`,
  firstSeen: 'SELECT metadata FROM studies CROSS JOIN series USING (studyKey) CROSS JOIN instances USING (seriesKey) CROSS JOIN documents USING (instanceKey) WHERE studyInstanceUID = ? ORDER BY instanceKey LIMIT 1',
  firstWaiting: `SELECT archived FROM withdrawnInstances WHERE studyInstanceUID = ? AND reason = 'unreconciled' LIMIT 1`,
  archived: 'SELECT archived FROM withdrawnInstances WHERE digest = ?',
  // As it was received, whatever is served.
  metadata: 'SELECT metadata FROM instances JOIN documents USING (instanceKey) WHERE digest = ?',
  chosen: `SELECT * FROM reconciliations WHERE number IN (SELECT max(number) FROM reconciliations WHERE import = ? AND state <> 'ended' GROUP BY studyInstanceUID)`,
  changed: `SELECT * FROM reconciliations WHERE studyInstanceUID = ? AND import = '' AND number > ? AND state <> 'ended' ORDER BY number DESC LIMIT 1`,
  history: 'SELECT * FROM reconciliations WHERE studyInstanceUID = ? ORDER BY number DESC LIMIT 500',
} as const;

type Received = IncomingStudy['received'];

export class Incoming {
  readonly #run: Readonly<Record<keyof typeof texts, StatementSync>>;

  constructor(database: DatabaseSync) {
    this.#run = prepareAll(database, texts);
  }

  /** `duplicates`: what the medium holds and an earlier import of it has brought. */
  studies(importId: string, duplicates: readonly Digest[]): IncomingStudy[] {
    const waiting = Map.groupBy(this.waiting(importId, duplicates), ({ studyInstanceUID }) => studyInstanceUID);
    const choices = new Map((this.#run.chosen.all(importId) as unknown as ChoiceRow[]).map((choice) => [choice.studyInstanceUID, choice]));
    return [...new Set([...waiting.keys(), ...choices.keys()])].map((studyInstanceUID) => {
      const rows = waiting.get(studyInstanceUID) ?? [];
      const choice = choices.get(studyInstanceUID) ?? null;
      const inForce = choice === null ? null : ((this.#run.changed.get(studyInstanceUID, choice.number) as ChoiceRow | undefined) ?? choice);
      // What is in sight of the study is a part of it only where it came in by a choice about this import.
      const all = inForce?.state === 'taken' ? [...(this.#run.seen.all(studyInstanceUID) as unknown as InstanceRow[]), ...rows] : rows;
      return {
        studyInstanceUID, state: inForce === null ? 'waiting' : inForce.state === 'impossible' ? 'impossible' : inForce.state === 'taken' && rows.length === 0 ? 'taken' : 'taking', problem: inForce?.problem ?? '',
        received: choice === null ? this.#receivedOf(rows[0]!.digest) : JSON.parse(choice.received) as Received,
        replacement: inForce === null || inForce.replacement === null ? null : JSON.parse(inForce.replacement) as Replacement,
        instances: all.length, series: this.#seriesOf(all),
      };
    });
  }

  /** Instances that wait for this import, or for another import of the same files. */
  waiting(importId: string, duplicates: readonly Digest[]): InstanceRow[] {
    return [...(this.#run.waiting.all(importId) as unknown as InstanceRow[]), ...duplicates.flatMap((digest) => (this.#run.waitingByDigest.get(digest, importId) as unknown as InstanceRow | undefined) ?? [])];
  }

  /** What a study says of itself as it was received; null where there is none of it. */
  received(studyInstanceUID: string): Received | null {
    const seen = this.#run.firstSeen.get(studyInstanceUID) as { metadata: string } | undefined;
    if (seen !== undefined) return receivedOf(seen.metadata);
    const waiting = this.#run.firstWaiting.get(studyInstanceUID) as { archived: string } | undefined;
    return waiting === undefined ? null : receivedOf((JSON.parse(waiting.archived) as ArchivedInstance).instance.metadata);
  }

  history(studyInstanceUID: string): Reconciliation[] {
    return (this.#run.history.all(studyInstanceUID) as unknown as ChoiceRow[]).map(reconciliationOf);
  }

  #receivedOf(digest: Digest): Received {
    return receivedOf(this.#metadata(digest));
  }

  #metadata(digest: Digest): string {
    const waiting = this.#run.archived.get(digest) as { archived: string } | undefined;
    return waiting === undefined ? (this.#run.metadata.get(digest) as { metadata: string }).metadata : (JSON.parse(waiting.archived) as ArchivedInstance).instance.metadata;
  }

  #seriesOf(rows: readonly InstanceRow[]): IncomingSeries[] {
    return [...Map.groupBy(rows, ({ seriesInstanceUID }) => seriesInstanceUID)].map(([seriesInstanceUID, ofSeries]) => {
      const middle = ofSeries[Math.floor(ofSeries.length / 2)]!;
      const dataSet = JSON.parse(this.#metadata(middle.digest)) as JSONDataSet;
      return { seriesInstanceUID, modality: textOf(dataSet, '00080060'), description: textOf(dataSet, '0008103E'), instances: ofSeries.length, picture: dataSet['00280010'] === undefined ? '' : middle.objectId };
    });
  }
}

export function reconciliationOf(choice: ChoiceRow): Reconciliation {
  return {
    id: choice.id, studyInstanceUID: choice.studyInstanceUID, import: choice.import, replacement: choice.replacement === null ? null : JSON.parse(choice.replacement) as Replacement,
    received: JSON.parse(choice.received) as Received, person: choice.person, reason: choice.reason, at: choice.at, instances: choice.instances, state: choice.state, problem: choice.problem,
  };
}

export function receivedOf(metadata: string): Received {
  const dataSet = JSON.parse(metadata) as JSONDataSet;
  return {
    patientName: textOf(dataSet, '00100010'), patientID: textOf(dataSet, '00100020'), issuerOfPatientID: textOf(dataSet, '00100021'), patientBirthDate: textOf(dataSet, '00100030'), patientSex: textOf(dataSet, '00100040'),
    accessionNumber: textOf(dataSet, '00080050'), studyDescription: textOf(dataSet, '00081030'), studyDate: textOf(dataSet, '00080020'),
  };
}

/** Longest text that is shown: PS3.5 §6.2 has 64 characters; more is for nobody to read. */
const textMax = 200;

/** The first value, of a name its first component group. */
export function textOf(dataSet: JSONDataSet, tag: string): string {
  const value: unknown = Array.isArray(dataSet[tag]?.Value) ? (dataSet[tag].Value as unknown[])[0] : undefined;
  const text = typeof value === 'object' && value !== null ? Object.values(value).find((group) => typeof group === 'string' && group !== '') : value;
  return typeof text === 'string' ? text.trim().slice(0, textMax).replaceAll(/[\p{Cc}\p{Cf}\p{Cs}]/gu, '\uFFFD') : '';
}
