/** Tables of the ledger. */
import type { Generated } from 'kysely';
import type { State, Verdict } from './contract.ts';
import type { Migration } from './database.ts';
import { migrations as resendMigrations } from './resend.ts';
import { migrations as withdrawalMigrations } from './withdrawalschema.ts';

export interface LedgerTables {
  ledger: {
    /** Order of admission. */
    number: Generated<number>;
    object_id: string;
    /** `inspecting` is never written (states.ts). */
    state: Exclude<State, 'arriving' | 'inspecting' | 'cleared' | 'released'>;
    bytes: number;
    sha256: string;
    source: number;
    received_at: number;
    sop_class_uid: string;
    /** As the door was told; once inspected, the object's own. */
    sop_instance_uid: string;
    transfer_syntax_uid: string;
    verdict: Verdict | null;
    /** Words with a comma between, or "". */
    disarmed: string;
    /** JSON, Finding[]. */
    findings: string;
    epoch: string;
    concluded_at: number | null;
    /** Name of its file in the archive; null while it has none. */
    archived_sha256: string | null;
    archived_bytes: number | null;
    /** 1 when the file no longer has its digest: the object then no longer counts as kept. */
    damaged: number;
    patient_name: string;
    patient_id: string;
    study_instance_uid: string;
    study_description: string;
    modality: string;
    /** Number of the first audit entry that may tell of its last change. */
    audit_entry: number;
  };
  ledger_source: { source: Generated<number>; door: string; peer: string; address: string; calling_ae_title: string; called_ae_title: string; batch: string };
  /** What a release needs, for held objects only: JSON, { instance, disarmed }. */
  ledger_report: { object_id: string; report: string };
  ledger_proposal: { object_id: string; decision: string; person: string; roles: string; reason: string; proposed_at: number };
  ledger_decision: { object_id: string; decision: string; person: string; second_person: string; reason: string; decided_at: number };
  /**
   * `settled_below`: every archived or destroyed object with a lower number has its file in place, durably.
   * `answered`: objects up to this number were acknowledged to their senders, so their files were whole.
   */
  ledger_mark: { name: string; value: number };
}

export const migrations: readonly Migration[] = [
  {
    name: 'ledger-0001',
    sql: `
CREATE TABLE ledger_source (
  source INTEGER PRIMARY KEY, door TEXT NOT NULL, peer TEXT NOT NULL, address TEXT NOT NULL, calling_ae_title TEXT NOT NULL, called_ae_title TEXT NOT NULL, batch TEXT NOT NULL
) STRICT;

CREATE TABLE ledger (
  number INTEGER PRIMARY KEY,
  object_id TEXT NOT NULL UNIQUE,
  state TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  source INTEGER NOT NULL REFERENCES ledger_source,
  received_at INTEGER NOT NULL,
  sop_class_uid TEXT NOT NULL,
  sop_instance_uid TEXT NOT NULL,
  transfer_syntax_uid TEXT NOT NULL,
  verdict TEXT,
  disarmed TEXT NOT NULL DEFAULT '',
  findings TEXT NOT NULL DEFAULT '[]',
  epoch TEXT NOT NULL DEFAULT '',
  concluded_at INTEGER,
  archived_sha256 TEXT,
  archived_bytes INTEGER,
  damaged INTEGER NOT NULL DEFAULT 0,
  patient_name TEXT NOT NULL DEFAULT '',
  patient_id TEXT NOT NULL DEFAULT '',
  study_instance_uid TEXT NOT NULL DEFAULT '',
  study_description TEXT NOT NULL DEFAULT '',
  modality TEXT NOT NULL DEFAULT '',
  audit_entry INTEGER NOT NULL
) STRICT;
CREATE INDEX ledger_sha256 ON ledger (sha256);
CREATE INDEX ledger_instance ON ledger (sop_instance_uid);
-- Only what was disarmed has another digest in the archive: an index of random digests is what an insert costs most.
CREATE INDEX ledger_archived ON ledger (archived_sha256) WHERE archived_sha256 <> sha256;
CREATE INDEX ledger_open ON ledger (state, number) WHERE state <> 'archived';

CREATE TABLE ledger_report (object_id TEXT PRIMARY KEY REFERENCES ledger (object_id), report TEXT NOT NULL) STRICT;
CREATE TABLE ledger_proposal (
  object_id TEXT NOT NULL REFERENCES ledger (object_id), decision TEXT NOT NULL, person TEXT NOT NULL, roles TEXT NOT NULL, reason TEXT NOT NULL, proposed_at INTEGER NOT NULL,
  PRIMARY KEY (object_id, decision)
) STRICT;
CREATE TABLE ledger_decision (
  object_id TEXT NOT NULL REFERENCES ledger (object_id), decision TEXT NOT NULL, person TEXT NOT NULL, second_person TEXT NOT NULL, reason TEXT NOT NULL, decided_at INTEGER NOT NULL
) STRICT;
CREATE TABLE ledger_mark (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
INSERT INTO ledger_mark (name, value) VALUES ('settled_below', 1);
`,
  },
  {
    name: 'ledger-0002',
    sql: `INSERT INTO ledger_mark (name, value) SELECT 'answered', coalesce(max(number), 0) FROM ledger;`,
  },
  ...withdrawalMigrations,
  ...resendMigrations,
];
