import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseQuery } from '@lazaret/dicom/web/query.ts';
import { Failure } from '@lazaret/system/failure.ts';
import { indexInstance, withdrawInstance } from './admit.ts';
import { indexedAttributes, type Level } from './attributes.ts';
import { lookupAttribute } from './lookup.ts';
import { makeIndex, sampleInstance } from './sample.ts';
import { offsetMax, resultsMax, searchIn, type SearchAnswer } from './search.ts';
import type { SearchScope } from './answers.ts';

/** Four patients, as different as matching needs them. */
const database = makeIndex();
const given: readonly (readonly [study: string, attributes: Record<string, unknown>, series: readonly (readonly [string, number])[]])[] = [
  ['1', { '00080020': '20260101', '00080030': '080000', '00080050': 'ACC[1]', '00080090': 'Arzt^Anna', '00100010': 'Müller^Jürgen', '00100020': 'P1', '00100030': '19500101', '00100040': 'M', '00200010': 'S1', '00081030': 'Thorax' }, [['CT', 2], ['SR', 1]]],
  ['2', { '00080020': '20260201', '00080030': '101530.25', '00080050': 'ACC2', '00080090': 'Arzt^Bert', '00100010': 'Mueller^Anna', '00100020': 'P2', '00100030': '19600101', '00100040': 'F', '00200010': 'S2', '00081030': 'Head' }, [['MR', 3]]],
  ['3', { '00080020': '20260301', '00080030': '235959', '00080050': 'acc3', '00080090': '', '00100010': 'Yamada^Tarou=山田^太郎=やまだ^たろう', '00100020': 'P3', '00100030': '', '00100040': '', '00200010': 'S3', '00081030': 'Head and neck' }, [['CR', 1]]],
  ['4', { '00080020': null, '00080030': null, '00080050': '', '00080090': null, '00100010': null, '00100020': 'P1', '00100030': null, '00100040': 'M', '00200010': null, '00081030': null }, [['CT', 1]]],
];
for (const [study, attributes, series] of given) {
  for (const [index, [modality, count]] of series.entries()) {
    for (let number = 1; number <= count; number += 1) {
      indexInstance(database, sampleInstance({ study, series: `${study}.${index + 1}`, instance: `${study}.${index + 1}.${number}`, attributes: {
        ...attributes, '00080060': modality, '00200011': String(10 - index), '00200013': String(count - number + 1), '0008103E': `${modality} series`, '00400244': '20260105', '00400245': '0930', '00180015': 'HEAD',
        '00400275': { vr: 'SQ', Value: [{ '00400009': { vr: 'SH', Value: [`SPS${study}a`] }, '00401001': { vr: 'SH', Value: [`RP${study}a`] } }, { '00400009': { vr: 'SH', Value: [`SPS${study}b`] }, '00401001': { vr: 'SH', Value: [`RP${study}b`] } }] },
        '00204000': `comment ${number}`, '7FE00010': { vr: 'OW', BulkDataURI: '1000,32' },
      } }));
    }
  }
}
const { search } = searchIn(database);

function find(level: Level, text: string, scope: SearchScope = {}): SearchAnswer {
  const { query, problems } = parseQuery(new URLSearchParams(text), lookupAttribute);
  assert.deepEqual(problems, []);
  return search(level, scope, query!);
}
const returned = (level: Level): string[] => indexedAttributes.filter((one) => one.level === level && one.required).map((one) => one.tag);
const studies = (text: string): string => find('study', text).results.map((one) => one.studyInstanceUID).join(' ');
const series = (text: string, scope?: SearchScope): string => find('series', text, scope).results.map((one) => one.seriesInstanceUID).join(' ');
const instances = (text: string, scope?: SearchScope): string => find('instance', text, scope).results.map((one) => one.sopInstanceUID).join(' ');

test('studies come newest first, those without a date last', () => {
  assert.equal(studies(''), '3 2 1 4');
});

test('study level matching, every key', () => {
  const expected: Readonly<Record<string, string>> = {
    'StudyInstanceUID=2': '2', 'StudyInstanceUID=1,3,9': '3 1', 'StudyInstanceUID=9': '',
    'StudyDate=20260201': '2', 'StudyDate=20260115-20260228': '2', 'StudyDate=20260201-': '3 2', 'StudyDate=-20260201': '2 1',
    'StudyTime=10': '2', 'StudyTime=101530.250000': '2', 'StudyTime=08-1016': '2 1', 'StudyTime=-12': '2 1',
    'AccessionNumber=ACC2': '2', 'AccessionNumber=acc2': '', 'AccessionNumber=ACC[1]': '1', 'AccessionNumber=ACC[*': '1', 'AccessionNumber=*CC?': '2', 'AccessionNumber=ACC*': '2 1', 'AccessionNumber=*3': '3',
    'ModalitiesInStudy=CT': '1 4', 'ModalitiesInStudy=sr': '1', 'ModalitiesInStudy=MR\\CR': '3 2', 'ModalitiesInStudy=M*': '2', 'ModalitiesInStudy=C?': '3 1 4', 'ModalitiesInStudy=T': '',
    'ReferringPhysicianName=arzt^anna': '1', 'ReferringPhysicianName=arzt*': '2 1', 'ReferringPhysicianName=*bert': '2',
    'PatientID=P1': '1 4', 'PatientID=P?': '3 2 1 4', 'PatientID=p1': '', 'PatientID=*2': '2',
    'StudyID=S2': '2', 'PatientBirthDate=19600101': '2', 'PatientBirthDate=19400101-19551231': '1', 'PatientSex=M': '1 4', 'StudyDescription=Head*': '3 2', 'StudyDescription=*neck': '3', 'StudyDescription=head': '',
    'PatientID=P1&ModalitiesInStudy=SR': '1', 'PatientName=*mueller*&StudyDate=20260101-20260201': '2',
  };
  for (const [text, uids] of Object.entries(expected)) assert.equal(studies(text), uids, text);
});

test('names match without case, accents and delimiters, in every component group', () => {
  const expected: Readonly<Record<string, string>> = {
    'PatientName=MULLER^JURGEN': '1', 'PatientName=müller jürgen': '1', 'PatientName=muller': '', 'PatientName=muller*': '1', 'PatientName=*ller*': '2 1', 'PatientName=*jurgen': '1', 'PatientName=*AN*': '2',
    'PatientName=山田*': '3', 'PatientName=*太郎': '3', 'PatientName=やまだ^たろう': '3', 'PatientName=Yamada^Tarou=山田^太郎': '3', 'PatientName=Yamada=X': '', 'PatientName=?amada*': '3',
  };
  for (const [text, uids] of Object.entries(expected)) assert.equal(studies(text), uids, text);
  // Fuzzy: words begin words, in any order.
  assert.equal(studies('PatientName=jur mul&fuzzymatching=true'), '1');
  assert.equal(studies('PatientName=*anna*&fuzzymatching=true'), '2');
  assert.equal(studies('PatientName=uller&fuzzymatching=true'), '');
  assert.equal(studies('PatientName=taro&fuzzymatching=true'), '3');
  assert.equal(studies('PatientName=^&fuzzymatching=true'), '3 2 1 4');
});

test('empty and multiple values', () => {
  assert.equal(studies('PatientName=""&emptyvaluematching=true'), '4');
  assert.equal(studies('StudyDate=""&emptyvaluematching=true'), '4');
  assert.equal(studies('PatientID=P2\\P3&multiplevaluematching=true'), '3 2');
  assert.equal(studies('PatientName=*anna*\\yama*&multiplevaluematching=true'), '3 2');
});

test('series level matching, in a study and across all', () => {
  assert.equal(series('', { studyInstanceUID: '1' }), '1.2 1.1');
  assert.equal(series('', { studyInstanceUID: '9' }), '');
  const expected: Readonly<Record<string, string>> = {
    'Modality=CT': '4.1 1.1', 'Modality=ct,sr': '4.1 1.2 1.1', 'SeriesInstanceUID=1.2': '1.2', 'SeriesNumber=9': '1.2', 'SeriesDescription=CT*': '4.1 1.1', 'BodyPartExamined=HEAD&Modality=MR': '2.1',
    'PerformedProcedureStepStartDate=20260105&Modality=CR': '3.1', 'PerformedProcedureStepStartDate=20270101-': '', 'PerformedProcedureStepStartTime=0930&Modality=CR': '3.1', 'PerformedProcedureStepStartTime=10-': '',
    'RequestAttributesSequence.ScheduledProcedureStepID=SPS2a': '2.1', '00400275.00401001=RP3b': '3.1', '00400275.00401001=RP1*': '1.2 1.1',
    // Both in one Item, or not at all.
    '00400275.00401001=RP1a&00400275.00400009=SPS1a': '1.2 1.1', '00400275.00401001=RP1a&00400275.00400009=SPS1b': '',
    'PatientID=P1': '4.1 1.2 1.1', 'PatientName=*muller*': '1.2 1.1', 'PatientName=*muller*&Modality=SR': '1.2', 'StudyInstanceUID=2': '2.1', 'ModalitiesInStudy=SR': '1.2 1.1',
  };
  for (const [text, uids] of Object.entries(expected)) assert.equal(series(text), uids, text);
  assert.equal(series('Modality=SR', { studyInstanceUID: '1' }), '1.2');
});

test('instance level matching, in a series, in a study and across all', () => {
  assert.equal(instances('', { studyInstanceUID: '2', seriesInstanceUID: '2.1' }), '2.1.3 2.1.2 2.1.1');
  assert.equal(instances('', { studyInstanceUID: '1' }), '1.2.1 1.1.2 1.1.1');
  assert.equal(instances('', { studyInstanceUID: '2', seriesInstanceUID: '1.1' }), '');
  assert.equal(instances('SOPInstanceUID=1.1.2'), '1.1.2');
  assert.equal(instances('SOPInstanceUID=1.1.2,2.1.1'), '2.1.1 1.1.2');
  assert.equal(instances('SOPInstanceUID=1.1.2', { studyInstanceUID: '2' }), '');
  assert.equal(instances('InstanceNumber=3'), '2.1.1');
  assert.equal(instances('SOPClassUID=1.2.840.10008.5.1.4.1.1.2&PatientID=P3'), '3.1.1');
  assert.equal(instances('SOPClassUID=1.2.3'), '');
  assert.equal(instances('PatientName=*taro*'), '3.1.1');
  assert.equal(instances('Modality=SR'), '1.2.1');
});

test('what is returned by default has the required attributes of each level', () => {
  const study = find('study', 'StudyInstanceUID=1').results[0]!.attributes;
  for (const tag of returned('study')) assert.ok(tag in study, tag);
  assert.deepEqual(study['00201206'], { vr: 'IS', Value: [2] });
  assert.deepEqual(study['00201208'], { vr: 'IS', Value: [3] });
  assert.deepEqual(study['00080061'], { vr: 'CS', Value: ['CT', 'SR'] });
  assert.deepEqual(study['00100010'], { vr: 'PN', Value: [{ Alphabetic: 'Müller^Jürgen' }] });
  assert.deepEqual(study['00080056'], { vr: 'CS', Value: ['ONLINE'] });
  assert.deepEqual(Object.keys(study), Object.keys(study).toSorted());
  const one = find('series', '', { studyInstanceUID: '1' }).results[1]!.attributes;
  for (const tag of returned('series')) assert.ok(tag in one, tag);
  assert.deepEqual(one['00201209'], { vr: 'IS', Value: [2] });
  assert.ok(!('00100010' in one), 'the study is given in the URL');
  assert.ok('00100010' in find('series', '').results[0]!.attributes || '00100020' in find('series', '').results[0]!.attributes, 'across studies, the study is returned');
  const instance = find('instance', '', { studyInstanceUID: '1', seriesInstanceUID: '1.1' }).results[0]!.attributes;
  for (const tag of returned('instance')) assert.ok(tag in instance, tag);
  assert.deepEqual([instance['00280010'], instance['00083002']], [{ vr: 'US', Value: [4] }, { vr: 'UI', Value: ['1.2.840.10008.1.2.1'] }]);
});

test('includefield brings more, up to everything, and never bulk data', () => {
  const scope = { studyInstanceUID: '1', seriesInstanceUID: '1.1' };
  assert.ok(!('00204000' in find('instance', '', scope).results[0]!.attributes));
  assert.deepEqual(find('instance', 'includefield=00204000', scope).results[0]!.attributes['00204000'], { vr: 'LO', Value: ['comment 2'] });
  const all = find('instance', 'includefield=all', scope).results[0]!.attributes;
  assert.ok('00400275' in all && !('7FE00010' in all));
  assert.ok('00180015' in find('series', 'includefield=BodyPartExamined', { studyInstanceUID: '1' }).results[0]!.attributes);
  assert.ok('00100010' in find('series', 'includefield=PatientName', { studyInstanceUID: '1' }).results[0]!.attributes);
});

test('paging is complete and without repeats, and says when there is more', () => {
  for (const text of ['', 'PatientID=P?', 'ModalitiesInStudy=CT,MR,CR']) {
    const pages: string[] = [];
    for (let offset = 0; ; offset += 1) {
      const { results, more } = find('study', `${text}&limit=1&offset=${offset}`);
      pages.push(...results.map((one) => one.studyInstanceUID));
      if (!more) break;
    }
    assert.equal(pages.join(' '), studies(text));
  }
  assert.deepEqual(find('study', 'limit=0').results, []);
  assert.equal(find('study', `limit=${resultsMax.study * 10}`).results.length, 4);
  assert.deepEqual(find('study', 'offset=100').results, []);
  assert.throws(() => find('study', `offset=${offsetMax + 1}`), (error) => error instanceof Failure && error.code === 'offset-exceeded');
});

test('what cannot be matched is ignored and said', () => {
  assert.deepEqual(find('study', 'PatientComments=x&InstanceNumber=1&00191001=y&nonsense=1').notes, [
    'These parameters are no attributes and were ignored: nonsense', 'Matching on these attributes is not supported here and was ignored: PatientComments, InstanceNumber, 00191001',
  ]);
});

test('text of a query is never SQL, a full-text expression or a pattern of another kind', () => {
  for (const value of ["' OR 1=1 --", '"', '""*', 'a" OR "b', '[a-z]*', '*[^x]*', '*" AND "*', '{patientID} : x*', 'NEAR(a b)*', '%', '_*', '😀😀😀*']) {
    for (const name of ['PatientName', 'PatientID', 'AccessionNumber', 'StudyDescription', 'ModalitiesInStudy']) {
      for (const fuzzy of ['true', 'false']) assert.equal(studies(`${name}=${encodeURIComponent(value)}&fuzzymatching=${fuzzy}`), '', `${name} ${value}`);
    }
  }
});

test('a withdrawn instance is not found at any level', () => {
  const own = makeIndex();
  const one = sampleInstance();
  indexInstance(own, one);
  withdrawInstance(own, one.digest, 'damaged', 1);
  for (const level of ['study', 'series', 'instance'] as const) {
    assert.deepEqual(searchIn(own).search(level, {}, parseQuery([['PatientName', '*muster*']], lookupAttribute).query!).results, []);
  }
});
