import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DatabaseSync } from 'node:sqlite';
import { Failure } from '@lazaret/system/failure.ts';
import { indexInstance, readArchived, renewVerdict, restoreInstance, withdrawInstance } from './admit.ts';
import { makeIndex, sampleInstance } from './sample.ts';

function counts(database: DatabaseSync): unknown {
  return {
    studies: database.prepare('SELECT studyInstanceUID AS uid, modalitiesInStudy AS modalities, numberOfSeries AS series, numberOfInstances AS instances FROM studies ORDER BY 1').all().map((row) => ({ ...row })),
    rows: (['series', 'instances', 'documents', 'studyModalities', 'studyNames', 'requestAttributes', 'withdrawnInstances'] as const).map((table) => `${table} ${String(database.prepare(`SELECT count(*) AS n FROM ${table}`).get()!['n'])}`),
  };
}

/** The counters, recounted: they must always agree with the rows. */
function assertTrue(database: DatabaseSync): void {
  const wrong = database.prepare(`SELECT studyInstanceUID FROM studies WHERE numberOfSeries <> (SELECT count(*) FROM series WHERE series.studyKey = studies.studyKey)
    OR numberOfInstances <> (SELECT count(*) FROM series JOIN instances USING (seriesKey) WHERE series.studyKey = studies.studyKey)`).all();
  assert.deepEqual(wrong, []);
  assert.deepEqual(database.prepare('SELECT seriesKey FROM series WHERE numberOfInstances <> (SELECT count(*) FROM instances WHERE instances.seriesKey = series.seriesKey)').all(), []);
  assert.equal(database.prepare('SELECT count(*) AS n FROM studyTexts').get()!['n'], database.prepare('SELECT count(*) AS n FROM studies').get()!['n']);
}

test('instances of two series of one study are counted, with the modalities', () => {
  const database = makeIndex();
  for (const [series, instance, modality] of [['1.1', '1.1.1', 'CT'], ['1.1', '1.1.2', 'CT'], ['1.2', '1.2.1', 'SR'], ['1.3', '1.3.1', 'CT']] as const) {
    assert.equal(indexInstance(database, sampleInstance({ study: '1', series, instance, attributes: { '00080060': modality } })).outcome, 'added');
  }
  assert.deepEqual(counts(database), {
    studies: [{ uid: '1', modalities: '\\CT\\SR\\', series: 3, instances: 4 }],
    rows: ['series 3', 'instances 4', 'documents 4', 'studyModalities 2', 'studyNames 4', 'requestAttributes 0', 'withdrawnInstances 0'],
  });
  assertTrue(database);
});

test('the same bytes twice change nothing', () => {
  const database = makeIndex();
  indexInstance(database, sampleInstance());
  const before = counts(database);
  assert.equal(indexInstance(database, sampleInstance()).outcome, 'present');
  assert.deepEqual(counts(database), before);
});

test('patient data that contradict the study are noted, the first word is kept', () => {
  const database = makeIndex();
  indexInstance(database, sampleInstance());
  const { conflicts } = indexInstance(database, sampleInstance({ instance: '2.25.1.1.2', attributes: { '00100020': 'P2', '00100010': 'MUSTER^MARIA' } }));
  assert.deepEqual(conflicts, ['patientID is "P2" in another object, "P1" is kept']);
  indexInstance(database, sampleInstance({ instance: '2.25.1.1.3', attributes: { '00100020': 'P2' } }));
  const row = database.prepare('SELECT patientID, conflicts FROM studies').get()!;
  assert.equal(row['patientID'], 'P1');
  assert.deepEqual(JSON.parse(row['conflicts'] as string), conflicts);
});

test('one SOP Instance UID in another study or series is found in both, and noted', () => {
  const database = makeIndex();
  indexInstance(database, sampleInstance({ study: '1', series: '1.1', instance: '9' }));
  const elsewhere = indexInstance(database, sampleInstance({ study: '2', series: '2.1', instance: '9' }));
  assert.equal(elsewhere.outcome, 'added');
  assert.match(elsewhere.conflicts.join(), /also in Series 1\.1 of Study 1/);
  // The same Series Instance UID in another study is another series.
  indexInstance(database, sampleInstance({ study: '2', series: '1.1', instance: '10' }));
  assert.equal(database.prepare('SELECT count(*) AS n FROM instances').get()!['n'], 3);
  assert.equal(database.prepare('SELECT count(*) AS n FROM series').get()!['n'], 3);
  assertTrue(database);
});

test('other bytes for an indexed SOP Instance supersede it; the earlier is kept out of sight', () => {
  const database = makeIndex();
  const earlier = sampleInstance();
  indexInstance(database, earlier);
  const later = sampleInstance({ attributes: { '00204000': 'sent again' } });
  assert.deepEqual(indexInstance(database, later), { outcome: 'superseded', superseded: earlier.digest, conflicts: [] });
  assert.equal(readArchived(database, earlier.digest), null);
  assert.deepEqual(readArchived(database, later.digest), later);
  assert.equal(database.prepare('SELECT reason FROM withdrawnInstances WHERE digest = ?').get(earlier.digest)!['reason'], 'superseded');
  assertTrue(database);
});

test('a withdrawn instance leaves nothing to be found, and comes back whole', () => {
  const database = makeIndex();
  const one = sampleInstance({ report: { frames: { kind: 'encapsulated', frames: [[8, 4, 20, 6]] }, chunks: { size: 1_048_576, digests: ['a'.repeat(64)] } }, attributes: {
    '00400275': { vr: 'SQ', Value: [{ '00400009': { vr: 'SH', Value: ['SPS1'] }, '00401001': { vr: 'SH', Value: ['RP1'] } }, {}] } } });
  const before = makeIndex();
  indexInstance(before, one);
  indexInstance(database, one);
  assert.deepEqual(withdrawInstance(database, one.digest, 'damaged', 5), one.instance);
  assert.deepEqual(counts(database), { studies: [], rows: ['series 0', 'instances 0', 'documents 0', 'studyModalities 0', 'studyNames 0', 'requestAttributes 0', 'withdrawnInstances 1'] });
  assertTrue(database);
  assert.equal(withdrawInstance(database, one.digest, 'damaged', 5), null);
  assert.equal(restoreInstance(database, one.digest, 'later epoch')?.outcome, 'added');
  assert.deepEqual(readArchived(database, one.digest), { ...one, epoch: 'later epoch' });
  assert.deepEqual(counts(database), counts(before));
});

test('many studies go out of sight one after the other, each with its last instance, and statements go on working', () => {
  const database = makeIndex();
  const all = Array.from({ length: 40 }, (_, index) => sampleInstance({ study: `7.${index}`, series: `7.${index}.1`, instance: `7.${index}.1.1` }));
  for (const one of all) indexInstance(database, one);
  for (const one of all) {
    database.exec('BEGIN');
    assert.notEqual(withdrawInstance(database, one.digest, 'stale', 5), null);
    database.prepare('UPDATE epochs SET epoch = epoch').run();
    database.prepare('COMMIT').run();
  }
  for (const one of all) assert.equal(restoreInstance(database, one.digest, 'rules 2')?.outcome, 'added');
  assertTrue(database);
});

test('a verdict is renewed', () => {
  const database = makeIndex();
  const one = sampleInstance();
  indexInstance(database, one);
  assert.equal(renewVerdict(database, one.digest, 'rules 2'), true);
  assert.equal(readArchived(database, one.digest)!.epoch, 'rules 2');
});

test('metadata that is not what it should be is refused before anything is written', () => {
  const bad: readonly (readonly [string, Parameters<typeof sampleInstance>[0]])[] = [
    ['not JSON', { report: { metadata: '{' } }],
    ['a list', { report: { metadata: '[]' } }],
    ['another UID than reported', { report: { sopInstanceUID: '1.2.3' } }],
    ['another study than reported', { report: { studyInstanceUID: '1.2.3' } }],
    ['a UID that would lead elsewhere in a URL', { instance: '../1' }],
    ['bulk data of somewhere else', { attributes: { '7FE00010': { vr: 'OW', BulkDataURI: 'https://example.org/' } } }],
    ['bulk data past the end', { bytes: 100, attributes: { '7FE00010': { vr: 'OW', BulkDataURI: '90,11' } } }],
    ['such bulk data inside a sequence', { attributes: { '00081140': { vr: 'SQ', Value: [{ '00420011': { vr: 'OB', BulkDataURI: '//x' } }] } } }],
    ['more than 8 MiB without digests of its parts', { bytes: 8 * 1024 * 1024 + 1 }],
    ['digests of parts that do not cover it', { bytes: 9 * 1024 * 1024, report: { chunks: { size: 1024 * 1024, digests: Array.from({ length: 8 }, () => 'a'.repeat(64)) } } }],
    ['parts of no size', { report: { chunks: { size: 0, digests: [] } } }],
    ['a key that is no tag', { attributes: { constructor: { vr: 'LO' } } }],
  ];
  for (const [name, sample] of bad) {
    const database = makeIndex();
    assert.throws(() => indexInstance(database, sampleInstance(sample)), (error) => error instanceof Failure && error.code === 'metadata-invalid' && error.severity === 'refused', name);
    assert.equal(database.prepare('SELECT count(*) AS n FROM studies').get()!['n'], 0, name);
  }
});

test('attributes of other types than they should be do not break the index', () => {
  const database = makeIndex();
  for (const [index, value] of [{ vr: 'PN', Value: ['text'] }, { vr: 'PN', Value: 5 }, { vr: 'PN', Value: [null] }, { vr: 'PN', Value: [{ Alphabetic: 7 }] }, { vr: 'PN', Value: [{ Alphabetic: 'x'.repeat(100_000) }] }].entries()) {
    indexInstance(database, sampleInstance({ study: `1.${index}`, series: `1.${index}.1`, instance: `1.${index}.1.1`, attributes: { '00100010': value, '00080020': 'not a date', '00080030': '9', '00200013': { vr: 'IS', Value: [1.5] } } }));
  }
  assert.equal(database.prepare("SELECT count(*) AS n FROM studies WHERE studyDate = '' AND studyTime = '' AND length(patientName) <= 256").get()!['n'], 5);
});
