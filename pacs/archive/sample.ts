/** Invented archived instances for tests and benches of the archive and of retrieval. No patient of these exists. */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { objectPath } from '@lazaret/system/layout.ts';
import type { Digest, ObjectId } from '../reception/contract.ts';
import type { InstanceReport } from '../quarantine/contract.ts';
import { indexInstance, type ArchivedInstance } from './admit.ts';
import { wholeBytesMax } from './metadata.ts';
import { migrations } from './schema.ts';

/** Puts bytes into an archive folder and its index, as the keeper does: named by their digest, chunk digests where they are many. */
export function archiveSample(archive: string, database: DatabaseSync, bytes: Uint8Array, sample: Sample = {}): ArchivedInstance {
  const digest = sha256(bytes);
  const path = objectPath(archive, digest);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
  const size = 1024 * 1024;
  const chunks = bytes.length <= wholeBytesMax ? null : { size, digests: Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) => sha256(bytes.subarray(index * size, (index + 1) * size))) };
  const archived = sampleInstance({ ...sample, digest, bytes: bytes.length, report: { chunks, dataSetOffset: 0, dataSetLength: bytes.length, ...sample.report } });
  indexInstance(database, archived);
  return archived;
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** An index as the keeper makes it, in memory or in a file. */
export function makeIndex(path = ':memory:'): DatabaseSync {
  const database = new DatabaseSync(path);
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
  for (const { sql } of migrations) database.exec(sql);
  return database;
}

export interface Sample {
  readonly study?: string;
  readonly series?: string;
  readonly instance?: string;
  readonly sopClassUID?: string;
  readonly transferSyntaxUID?: string;
  /** Values by tag: text becomes a value of the VR below, other things are taken as the DICOM JSON attribute. */
  readonly attributes?: Readonly<Record<string, unknown>>;
  readonly digest?: string;
  readonly bytes?: number;
  readonly epoch?: string;
  readonly archivedAt?: number;
  readonly report?: Partial<InstanceReport>;
}

const vrs: Readonly<Record<string, string>> = {
  '00080016': 'UI', '00080018': 'UI', '00080020': 'DA', '00080030': 'TM', '00080050': 'SH', '00080060': 'CS', '00080090': 'PN', '00081030': 'LO', '0008103E': 'LO', '00100010': 'PN',
  '00100020': 'LO', '00100030': 'DA', '00100040': 'CS', '00180015': 'CS', '0020000D': 'UI', '0020000E': 'UI', '00200010': 'SH', '00200011': 'IS', '00200013': 'IS', '00280008': 'IS', '00280010': 'US', '00280011': 'US',
  '00280100': 'US', '00400244': 'DA', '00400245': 'TM',
};

/** One attribute of the DICOM JSON Model from plain text. */
export function attributeOf(tag: string, value: unknown): unknown {
  if (typeof value !== 'string') return value;
  const vr = vrs[tag] ?? 'LO';
  if (value === '') return { vr };
  if (vr === 'PN') {
    const [Alphabetic, Ideographic, Phonetic] = value.split('=');
    return { vr, Value: [{ ...(Alphabetic ? { Alphabetic } : {}), ...(Ideographic ? { Ideographic } : {}), ...(Phonetic ? { Phonetic } : {}) }] };
  }
  return { vr, Value: value.split('\\').map((one) => (vr === 'US' || vr === 'IS' ? Number(one) : one)) };
}

/** An archived CT slice, or whatever `sample` makes of it. Same input, same output. */
export function sampleInstance(sample: Sample = {}): ArchivedInstance {
  const { study = '2.25.1', series = '2.25.1.1', instance = '2.25.1.1.1', sopClassUID = '1.2.840.10008.5.1.4.1.1.2', transferSyntaxUID = '1.2.840.10008.1.2.1', attributes = {} } = sample;
  const all: Record<string, unknown> = {
    '00080016': sopClassUID, '00080018': instance, '00080020': '20260102', '00080030': '101500', '00080050': 'A1', '00080060': 'CT', '00080090': 'Referrer^Rita', '00081030': 'Head routine',
    '0008103E': 'Axial 5 mm', '00100010': 'Muster^Maria', '00100020': 'P1', '00100030': '19700101', '00100040': 'F', '0020000D': study, '0020000E': series, '00200010': 'S1', '00200011': '1',
    '00200013': '1', '00280010': '4', '00280011': '4', '00280100': '16', ...attributes,
  };
  const dataSet = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null).toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([tag, value]) => [tag, attributeOf(tag, value)]));
  const metadata = JSON.stringify(dataSet);
  const digest = sample.digest ?? createHash('sha256').update(metadata).digest('hex');
  return {
    objectId: digest.slice(0, 32) as ObjectId, digest: digest as Digest, bytes: sample.bytes ?? 4096, epoch: sample.epoch ?? 'yara-x 1 rules 1', disarmed: false, archivedAt: sample.archivedAt ?? 1_767_000_000_000,
    instance: {
      sopClassUID, sopInstanceUID: instance, studyInstanceUID: study, seriesInstanceUID: series, transferSyntaxUID, metadata, dataSetOffset: 332, dataSetLength: 3764, frames: null, chunks: null, ...sample.report,
    },
  };
}
