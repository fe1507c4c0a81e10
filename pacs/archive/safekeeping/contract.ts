/** What backup, restore, verification and repair talk about, between the terminal and the keeper. */
import type { Digest, ObjectId } from '../../reception/contract.ts';

export type Area = 'archive' | 'quarantine';

/** A file that the ledger says there is. */
export interface ExpectedFile {
  readonly area: Area;
  /** In the archive its digest, in the quarantine the object id, with `.withdrawn` after it for an archived file that was taken out of sight. */
  readonly name: string;
  readonly sha256: Digest;
  readonly bytes: number;
  readonly objectId: ObjectId;
  readonly number: number;
}

/**
 * - `missing`: the ledger says it, and there is no such file
 * - `changed`: the file has other bytes than those that were kept
 * - `orphaned`: a file that the ledger does not explain
 * - `unindexed`: archived by the ledger and not found by any search, or found and not archived
 */
export type FindingCode = 'missing' | 'changed' | 'orphaned' | 'unindexed';

export interface FileFinding {
  readonly code: FindingCode;
  readonly area: Area;
  readonly name: string;
  /** "" where nobody knows. */
  readonly objectId: string;
  readonly expected: string;
  /** Digest of what is there, or "". */
  readonly found: string;
  readonly text: string;
}

/** What happened last of each kind, for `status` and `doctor`. */
export interface Safekept {
  readonly what: 'backup' | 'verification' | 'sweep' | 'drill';
  readonly at: number;
  readonly objects: number;
  readonly bytes: number;
  /** What was wrong. */
  readonly findings: number;
  /** Of a backup or drill: the digest of the manifest; else "". */
  readonly manifest: string;
  readonly ms: number;
}

/** The state of the system at one moment: a copy of the database, and how long the audit log was then. */
export interface Snapshot {
  /** Beside the database; removed when the backup is sealed or its asker is gone. */
  readonly name: string;
  readonly bytes: number;
  readonly entries: number;
  readonly root: string;
  /** Of the key that signs: SubjectPublicKeyInfo, DER, base64. */
  readonly publicKey: string;
}

/**
 * The request `safekeeping` of the terminal.
 *
 * | do       | more                                             | answer |
 * |----------|--------------------------------------------------|--------|
 * | snapshot |                                                  | Snapshot |
 * | seal     | { manifest, objects, bytes, findings, ms, person, folder } | { signature }: on the record, signed with the key of the audit log |
 * | damaged  | { area, name }                                   | { outcome: marked, known or whole }: looked at again here first |
 * | note     | { what: verification or drill, … as Safekept, person, folder } | null, once it is on the record |
 * | pruning  | { removed: names of manifests, person, folder }  | null, once it is on the record that they go |
 * | drilled  |                                                  | { manifest }: digest of the one that the last good drill has restored, or "" |
 * | repair   | { objectId, file, manifest, person }             | { outcome: archived or waiting } |
 */
export type SafekeepingRequest =
  | { readonly do: 'snapshot' }
  | ({ readonly do: 'seal'; readonly person: string; readonly folder: string } & Omit<Safekept, 'what' | 'at'>)
  | { readonly do: 'damaged'; readonly area: Area; readonly name: string }
  | ({ readonly do: 'note'; readonly what: 'verification' | 'drill'; readonly person: string; readonly folder: string } & Omit<Safekept, 'what' | 'at'>)
  | { readonly do: 'pruning'; readonly removed: readonly string[]; readonly person: string; readonly folder: string }
  | { readonly do: 'drilled' }
  | { readonly do: 'repair'; readonly objectId: ObjectId; readonly file: string; readonly manifest: string; readonly person: string };

export type DamageOutcome = 'marked' | 'known' | 'whole';
export type RepairOutcome = 'archived' | 'waiting';
