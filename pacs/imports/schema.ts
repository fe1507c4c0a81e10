/** Tables of imports: each medium that was read, and what became of each file on it. The keeper writes them. */
import type { Migration } from '../quarantine/database.ts';

export const migrations: readonly Migration[] = [
  {
    name: 'imports-0001',
    sql: `
CREATE TABLE import (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  state TEXT NOT NULL CHECK (state IN ('asked', 'reading', 'inspecting', 'settled', 'interrupted', 'failed')),
  -- JSON, Medium; '' while nobody has looked at it.
  medium TEXT NOT NULL,
  -- Digest of paths, lengths and times: knows the medium again.
  listing TEXT NOT NULL,
  files INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  person TEXT NOT NULL,
  address TEXT NOT NULL,
  -- Folder of the desk page, or ''.
  upload TEXT NOT NULL,
  label TEXT NOT NULL,
  begun_at INTEGER NOT NULL,
  ended_at INTEGER,
  problem TEXT NOT NULL DEFAULT '',
  -- JSON: string[] and DirectoryReport[].
  notes TEXT NOT NULL DEFAULT '[]',
  directories TEXT NOT NULL DEFAULT '[]',
  -- JSON, Receipt, once settled.
  receipt TEXT
) STRICT;
CREATE INDEX import_listing ON import (listing, number);
CREATE INDEX import_open ON import (state) WHERE state NOT IN ('settled', 'failed');

CREATE TABLE import_file (
  number INTEGER NOT NULL REFERENCES import,
  file INTEGER NOT NULL,
  path TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  fate TEXT NOT NULL,
  object_id TEXT NOT NULL,
  what TEXT NOT NULL,
  text TEXT NOT NULL,
  PRIMARY KEY (number, file)
) STRICT, WITHOUT ROWID;
-- From an object back to the media that it came on.
CREATE INDEX import_object ON import_file (object_id) WHERE object_id <> '';
`,
  },
  {
    // Its clean objects wait out of sight until somebody says whose they are (pacs/archive/reconciliation).
    name: 'imports-0002',
    sql: 'ALTER TABLE import ADD COLUMN waits INTEGER NOT NULL DEFAULT 0;',
  },
  {
    // The console's status asks for them all the time (pacs/quarantine/alarms.ts).
    name: 'imports-0003',
    sql: `CREATE INDEX import_file_infected ON import_file (number) WHERE fate = 'infected';`,
  },
  {
    // How often reading it stopped the reader: kept, so that an import that goes on after a restart does not begin to count anew.
    name: 'imports-0004',
    sql: `ALTER TABLE import_file ADD COLUMN stops INTEGER NOT NULL DEFAULT 0;
CREATE INDEX import_file_stops ON import_file (number) WHERE stops > 0;`,
  },
];
