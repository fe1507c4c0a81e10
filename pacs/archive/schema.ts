/**
 * Tables of the archive's index. The keeper runs the migrations and is the only writer; web reads.
 *
 * The index holds only what may be seen: an instance that is damaged or was superseded leaves it for `withdrawnInstances`, and a
 * Series or Study that loses its last instance leaves with it. So no search has to remember to hide anything.
 *
 * Patients are attributes of Studies: two objects of one Study that disagree about the patient are then visible as such
 * (`studies.conflicts`), instead of being merged or split by a Patient ID that may be wrong.
 */

/** One step of the schema; run once, in order, inside a transaction. Never change one that was published, add another. */
export interface Migration {
  readonly name: string;
  readonly sql: string;
}

export const migrations: readonly Migration[] = [
  {
    name: 'archive-0001',
    sql: `
CREATE TABLE studies (
  studyKey INTEGER PRIMARY KEY,
  studyInstanceUID TEXT NOT NULL UNIQUE,
  -- Matching columns: '' where the attribute is absent or empty, so that one comparison serves all. Dates are YYYYMMDD,
  -- times HHMMSS.FFFFFF; names are folded (names.ts), everything else is as sent.
  studyDate TEXT NOT NULL,
  studyTime TEXT NOT NULL,
  accessionNumber TEXT NOT NULL,
  referringPhysicianName TEXT NOT NULL,
  patientName TEXT NOT NULL,
  patientID TEXT NOT NULL,
  patientBirthDate TEXT NOT NULL,
  patientSex TEXT NOT NULL,
  studyID TEXT NOT NULL,
  studyDescription TEXT NOT NULL,
  -- Backslash before, between and after: '\\CT\\SR\\'.
  modalitiesInStudy TEXT NOT NULL,
  numberOfSeries INTEGER NOT NULL,
  numberOfInstances INTEGER NOT NULL,
  -- JSON list of what later objects said otherwise about the patient or the study; the first object's word is kept.
  conflicts TEXT,
  archivedAt INTEGER NOT NULL
) STRICT;
-- Searches go through it from the newest: what they match most often is in it, so that they need not look at the rows.
CREATE INDEX studiesByDate ON studies (studyDate, studyKey, studyTime, patientName, referringPhysicianName, patientSex, modalitiesInStudy);
CREATE INDEX studiesByTime ON studies (studyTime, studyDate);
CREATE INDEX studiesByAccessionNumber ON studies (accessionNumber, studyDate);
CREATE INDEX studiesByPatientID ON studies (patientID, studyDate);
CREATE INDEX studiesByBirthDate ON studies (patientBirthDate, studyDate);
CREATE INDEX studiesByStudyID ON studies (studyID, studyDate);

-- What a result shows: DICOM JSON of the Patient and Study attributes of the first object (attributes.ts). Apart, so that
-- many rows that are only compared fit into few pages.
CREATE TABLE studyAttributes (
  studyKey INTEGER PRIMARY KEY REFERENCES studies,
  attributes TEXT NOT NULL
) STRICT;

-- Trigrams of the text columns, rowid = studyKey: finds '*NAME*' without reading every Study. Holds no text itself.
CREATE VIRTUAL TABLE studyTexts USING fts5 (
  patientName, patientID, accessionNumber, referringPhysicianName, studyID, studyDescription,
  tokenize = 'trigram', content = '', contentless_delete = 1, detail = column
);

-- Folded names from each of their words on (names.ts): "smith anna" and "anna". Finds whole names and beginnings of names and words.
-- nameKind: 1 Patient's Name, 2 Referring Physician's Name.
CREATE TABLE studyNames (
  nameKind INTEGER NOT NULL,
  name TEXT NOT NULL,
  studyKey INTEGER NOT NULL,
  PRIMARY KEY (nameKind, name, studyKey)
) STRICT, WITHOUT ROWID;

CREATE TABLE studyModalities (
  modality TEXT NOT NULL,
  studyDate TEXT NOT NULL,
  studyKey INTEGER NOT NULL,
  numberOfSeries INTEGER NOT NULL,
  PRIMARY KEY (modality, studyDate, studyKey)
) STRICT, WITHOUT ROWID;

CREATE TABLE series (
  seriesKey INTEGER PRIMARY KEY,
  studyKey INTEGER NOT NULL REFERENCES studies,
  seriesInstanceUID TEXT NOT NULL,
  modality TEXT NOT NULL,
  seriesNumber INTEGER,
  seriesDescription TEXT NOT NULL,
  bodyPartExamined TEXT NOT NULL,
  performedProcedureStepStartDate TEXT NOT NULL,
  performedProcedureStepStartTime TEXT NOT NULL,
  numberOfInstances INTEGER NOT NULL,
  attributes TEXT NOT NULL,
  archivedAt INTEGER NOT NULL
) STRICT;
-- The same Series Instance UID in two Studies is against the standard, and happens: each is found in its own Study.
CREATE UNIQUE INDEX seriesByUID ON series (seriesInstanceUID, studyKey);
CREATE INDEX seriesByStudy ON series (studyKey, seriesNumber);
CREATE INDEX seriesByModality ON series (modality);
CREATE INDEX seriesByStepStart ON series (performedProcedureStepStartDate);

-- Items of the Request Attributes Sequence (0040,0275).
CREATE TABLE requestAttributes (
  seriesKey INTEGER NOT NULL REFERENCES series,
  scheduledProcedureStepID TEXT NOT NULL,
  requestedProcedureID TEXT NOT NULL
) STRICT;
CREATE INDEX requestAttributesBySeries ON requestAttributes (seriesKey);
CREATE INDEX requestAttributesByStep ON requestAttributes (scheduledProcedureStepID);
CREATE INDEX requestAttributesByProcedure ON requestAttributes (requestedProcedureID);

-- Signature epochs: the versions of everything that had a say in a verdict.
CREATE TABLE epochs (
  epochKey INTEGER PRIMARY KEY,
  epoch TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE instances (
  instanceKey INTEGER PRIMARY KEY,
  seriesKey INTEGER NOT NULL REFERENCES series,
  sopInstanceUID TEXT NOT NULL,
  sopClassUID TEXT NOT NULL,
  transferSyntaxUID TEXT NOT NULL,
  instanceNumber INTEGER,
  rows INTEGER,
  columns INTEGER,
  bitsAllocated INTEGER,
  numberOfFrames INTEGER,
  objectId TEXT NOT NULL,
  -- Of the file as archived; also its name in the archive.
  digest TEXT NOT NULL UNIQUE,
  bytes INTEGER NOT NULL,
  epochKey INTEGER NOT NULL REFERENCES epochs,
  -- 1 where bytes outside the Data Set were neutralised.
  disarmed INTEGER NOT NULL,
  archivedAt INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX instancesByUID ON instances (sopInstanceUID, seriesKey);
CREATE INDEX instancesBySeries ON instances (seriesKey, instanceNumber);

-- What only reading needs; apart, so that a search does not drag it through the cache.
CREATE TABLE documents (
  instanceKey INTEGER PRIMARY KEY REFERENCES instances,
  -- DICOM JSON as the inspection reported it, valid JSON.
  metadata TEXT NOT NULL,
  dataSetOffset INTEGER NOT NULL,
  dataSetLength INTEGER NOT NULL,
  -- JSON of InstanceReport.frames and .chunks, or NULL.
  frames TEXT,
  chunks TEXT
) STRICT;

-- Instances that were archived and must not be seen: their bytes stay, with all that is known of them.
CREATE TABLE withdrawnInstances (
  digest TEXT NOT NULL PRIMARY KEY,
  objectId TEXT NOT NULL,
  studyInstanceUID TEXT NOT NULL,
  seriesInstanceUID TEXT NOT NULL,
  sopInstanceUID TEXT NOT NULL,
  reason TEXT NOT NULL CHECK (reason IN ('damaged', 'superseded', 'stale')),
  withdrawnAt INTEGER NOT NULL,
  -- JSON of the ArchivedInstance (admit.ts) that brings it back.
  archived TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX withdrawnInstancesByUID ON withdrawnInstances (sopInstanceUID);
`,
  },
  {
    // Two more reasons: 'withdrawn', by people (pacs/quarantine/withdrawal.ts), and 'unreconciled', waiting for somebody to say whose it is (reconciliation/contract.ts).
    name: 'archive-0002',
    sql: `
CREATE TABLE withdrawnInstancesAnew (
  digest TEXT NOT NULL PRIMARY KEY,
  objectId TEXT NOT NULL,
  studyInstanceUID TEXT NOT NULL,
  seriesInstanceUID TEXT NOT NULL,
  sopInstanceUID TEXT NOT NULL,
  reason TEXT NOT NULL CHECK (reason IN ('damaged', 'superseded', 'stale', 'withdrawn', 'unreconciled')),
  withdrawnAt INTEGER NOT NULL,
  archived TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO withdrawnInstancesAnew SELECT digest, objectId, studyInstanceUID, seriesInstanceUID, sopInstanceUID, reason, withdrawnAt, archived FROM withdrawnInstances;
DROP TABLE withdrawnInstances;
ALTER TABLE withdrawnInstancesAnew RENAME TO withdrawnInstances;
CREATE INDEX withdrawnInstancesByUID ON withdrawnInstances (sopInstanceUID);
CREATE INDEX withdrawnInstancesByStudy ON withdrawnInstances (studyInstanceUID, reason);
`,
  },
  {
    name: 'archive-0003',
    sql: `
-- The import whose choice an instance waits for; it stays when the reason becomes another one, so that nothing that is brought back passes by the choice.
ALTER TABLE withdrawnInstances ADD COLUMN waitsFor TEXT NOT NULL DEFAULT '';
CREATE INDEX withdrawnInstancesWaiting ON withdrawnInstances (waitsFor, studyInstanceUID) WHERE reason = 'unreconciled';

-- Whose a study is, as people said (reconciliation/contract.ts). The newest row of a study that is about an import or about all of it ('') is in force.
CREATE TABLE reconciliations (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  studyInstanceUID TEXT NOT NULL,
  import TEXT NOT NULL,
  -- JSON of Replacement, or NULL: as received.
  replacement TEXT,
  -- JSON of IncomingStudy.received.
  received TEXT NOT NULL,
  -- Where the values that are replaced came from, for Original Attributes.
  source TEXT NOT NULL,
  person TEXT NOT NULL,
  address TEXT NOT NULL,
  reason TEXT NOT NULL,
  at INTEGER NOT NULL,
  -- 'ended': another choice took its place before it was carried out.
  state TEXT NOT NULL CHECK (state IN ('taking', 'taken', 'impossible', 'ended')),
  problem TEXT NOT NULL DEFAULT '',
  instances INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX reconciliationsByStudy ON reconciliations (studyInstanceUID, number);
CREATE INDEX reconciliationsByImport ON reconciliations (import, number) WHERE import <> '';
CREATE INDEX reconciliationsOpen ON reconciliations (state) WHERE state = 'taking';

-- What of an archived file is served otherwise than it lies there, whether it is in sight or not.
CREATE TABLE reconciledInstances (
  key INTEGER PRIMARY KEY,
  digest TEXT NOT NULL UNIQUE,
  reconciliation INTEGER NOT NULL REFERENCES reconciliations,
  -- JSON, Patch[].
  patches TEXT NOT NULL,
  -- DICOM JSON as served.
  metadata TEXT NOT NULL
) STRICT;
CREATE INDEX reconciledInstancesOf ON reconciledInstances (reconciliation);

-- NULL for all that is served as it lies there: no lookup then, so that nothing becomes slower for them.
ALTER TABLE documents ADD COLUMN reconciled INTEGER REFERENCES reconciledInstances;
CREATE INDEX documentsReconciled ON documents (reconciled) WHERE reconciled IS NOT NULL;
`,
  },
  {
    // A study gets another identity while it goes on being served under the one it has: until all of it is ready, an instance has a row for each.
    name: 'archive-0004',
    sql: `
DROP TABLE reconciledInstances;
CREATE TABLE reconciledInstances (
  key INTEGER PRIMARY KEY,
  digest TEXT NOT NULL,
  reconciliation INTEGER NOT NULL REFERENCES reconciliations,
  patches TEXT NOT NULL,
  metadata TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX reconciledInstancesByDigest ON reconciledInstances (digest, reconciliation);
CREATE INDEX reconciledInstancesOf ON reconciledInstances (reconciliation);
`,
  },
];
