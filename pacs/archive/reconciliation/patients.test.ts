import assert from 'node:assert/strict';
import { test } from 'node:test';
import { indexInstance } from '../admit.ts';
import { makeIndex, sampleInstance } from '../sample.ts';
import { Patients } from './patients.ts';

function patients(): Patients {
  const database = makeIndex();
  const add = (study: string, name: string, id: string, birthDate: string, date: string, more: Record<string, unknown> = {}): void => {
    indexInstance(database, sampleInstance({ study, series: `${study}.1`, instance: `${study}.1.1`, attributes: { '00100010': name, '00100020': id, '00100030': birthDate, '00080020': date, '00080050': `A${study}`, ...more } }));
  };
  add('2.25.1', 'Muster^Maria', 'P1', '19700101', '20250101');
  add('2.25.2', 'Muster^Maria', 'P1', '19700101', '20260101');
  // The same patient before a marriage.
  add('2.25.3', 'Vorher^Maria', 'P1', '19700101', '20100101');
  add('2.25.4', 'Mustermann^Max', 'P12', '19600202', '20260601');
  add('2.25.5', 'Müller^Jörg', 'P3', '19550505', '20240101');
  add('2.25.6', 'Nobody^Known', '', '19550505', '20260701');
  add('2.25.7', 'Muster^Maria', 'P1', '19700101', '20240101', { '00100021': 'OTHER HOUSE' });
  return new Patients(database);
}

test('by beginnings of names, whatever case and accents; who has the newest study first', () => {
  assert.deepEqual(patients().find('muster', 10).map(({ patientID, issuerOfPatientID, lastStudyDate }) => [patientID, issuerOfPatientID, lastStudyDate]), [['P12', '', '20260601'], ['P1', '', '20260101'], ['P1', 'OTHER HOUSE', '20240101']]);
  assert.deepEqual(patients().find('maria mus', 10).map(({ patientID }) => patientID), ['P1', 'P1']);
  assert.deepEqual(patients().find('MULLER, jorg', 10).map(({ patientName }) => patientName), ['Müller^Jörg']);
  assert.equal(patients().find('uster', 10).length, 0);
});

test('by Patient ID, an exact one before longer ones, under the newest name', () => {
  const [first, , third] = patients().find('P1', 10);
  assert.deepEqual([first!.patientID, first!.patientName, first!.studies], ['P1', 'Muster^Maria', 3]);
  assert.equal(third!.patientID, 'P12');
  assert.equal(patients().find('P1', 1).length, 1);
});

test('by accession number and birth date as people write it; never without a Patient ID', () => {
  assert.deepEqual(patients().find('A2.25.5', 10).map(({ patientID }) => patientID), ['P3']);
  for (const words of ['19550505', '1955-05-05', '5.5.1955', '05/05/1955']) assert.deepEqual(patients().find(words, 10).map(({ patientID }) => patientID), ['P3'], words);
  for (const words of ['', '  ', '*', '?', '=', 'nobody', 'known', '\uFFFF', "'; DROP TABLE studies; --"]) assert.deepEqual(patients().find(words, 10), [], words);
});
