import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { listLengthMax, parametersMax, parseQuery, valueLengthMax, wildcardsMax, type Query, type QueryAttribute } from './query.ts';

const attributes: readonly QueryAttribute[] = [
  { tag: '00100010', keyword: 'PatientName', vr: 'PN' }, { tag: '00100020', keyword: 'PatientID', vr: 'LO' }, { tag: '0020000D', keyword: 'StudyInstanceUID', vr: 'UI' },
  { tag: '00080020', keyword: 'StudyDate', vr: 'DA' }, { tag: '00080030', keyword: 'StudyTime', vr: 'TM' }, { tag: '00080061', keyword: 'ModalitiesInStudy', vr: 'CS' },
  { tag: '00200011', keyword: 'SeriesNumber', vr: 'IS' }, { tag: '00400275', keyword: 'RequestAttributesSequence', vr: 'SQ' }, { tag: '00400009', keyword: 'ScheduledProcedureStepID', vr: 'SH' },
  { tag: '0040A032', keyword: 'ObservationDateTime', vr: 'DT' },
];
const lookup = (name: string): QueryAttribute | undefined => attributes.find((one) => one.tag === name || one.keyword === name);

function parsed(text: string): Query {
  const { query, problems } = parseQuery(new URLSearchParams(text), lookup);
  assert.deepEqual(problems, [], text);
  return query!;
}
function problemsOf(text: string): string[] {
  return parseQuery(new URLSearchParams(text), lookup).problems.map((one) => `${one.parameter}: ${one.text}`);
}
const matchingOf = (text: string): unknown => parsed(text).conditions[0]?.matching;

test('attributes are named by keyword, by tag in either case, and by a path', () => {
  assert.deepEqual(parsed('PatientID=1').conditions, parsed('00100020=1').conditions.map((one) => ({ ...one, name: 'PatientID' })));
  assert.equal(parsed('0020000d=1.2').conditions[0]!.path[0]!.keyword, 'StudyInstanceUID');
  const path = parsed('RequestAttributesSequence.00400009=X').conditions[0]!.path;
  assert.deepEqual(path.map((step) => step.tag), ['00400275', '00400009']);
  // A tag that nobody knows is still an attribute; a word that nobody knows is not.
  assert.equal(parsed('00190010=X').conditions[0]!.path[0]!.vr, 'UN');
  assert.deepEqual(parsed('foo=1&PatientID.foo=2').unknown, ['foo', 'PatientID.foo']);
});

test('matching by VR', () => {
  assert.deepEqual(matchingOf('PatientName=Muster^Maria'), { kind: 'single', value: 'Muster^Maria' });
  assert.deepEqual(matchingOf('PatientName=*mus**t?r*'), { kind: 'wildcard', pattern: '*mus*t?r*' });
  assert.deepEqual(matchingOf('PatientName='), { kind: 'universal' });
  assert.deepEqual(matchingOf('PatientName=**'), { kind: 'universal' });
  assert.deepEqual(matchingOf('StudyInstanceUID=1.2,1.3\\1.4'), { kind: 'any', of: ['1.2', '1.3', '1.4'].map((value) => ({ kind: 'single', value })) });
  assert.deepEqual(matchingOf('StudyInstanceUID=1.2,'), { kind: 'single', value: '1.2' });
  assert.deepEqual(matchingOf('ModalitiesInStudy=ct,MR'), { kind: 'any', of: [{ kind: 'single', value: 'CT' }, { kind: 'single', value: 'MR' }] });
  assert.deepEqual(matchingOf('PatientID=a,b\\c'), { kind: 'single', value: 'a,b\\c' });
  assert.deepEqual(matchingOf('multiplevaluematching=true&PatientID=a,b\\c*'), { kind: 'any', of: [{ kind: 'single', value: 'a,b' }, { kind: 'wildcard', pattern: 'c*' }] });
  assert.deepEqual(matchingOf('emptyvaluematching=true&PatientID=""'), { kind: 'empty' });
  assert.deepEqual(matchingOf('PatientID=""'), { kind: 'single', value: '""' });
  assert.deepEqual(matchingOf('SeriesNumber=007'), { kind: 'single', value: '7' });
});

test('dates and times: single values, ranges, open ranges, values cut short', () => {
  assert.deepEqual(matchingOf('StudyDate=20260102'), { kind: 'single', value: '20260102' });
  assert.deepEqual(matchingOf('StudyDate=20260102-20260131'), { kind: 'range', from: '20260102', to: '20260131' });
  assert.deepEqual(matchingOf('StudyDate=20260102-'), { kind: 'range', from: '20260102', to: null });
  assert.deepEqual(matchingOf('StudyDate=-20260102'), { kind: 'range', from: null, to: '20260102' });
  assert.deepEqual(matchingOf('StudyDate=-'), { kind: 'universal' });
  assert.deepEqual(matchingOf('StudyTime=10'), { kind: 'range', from: '100000.000000', to: '105959.999999' });
  assert.deepEqual(matchingOf('StudyTime=1030-1115'), { kind: 'range', from: '103000.000000', to: '111559.999999' });
  assert.deepEqual(matchingOf('StudyTime=103000.123456'), { kind: 'single', value: '103000.123456' });
  assert.deepEqual(matchingOf('StudyTime=103000.5'), { kind: 'range', from: '103000.500000', to: '103000.599999' });
  assert.deepEqual(matchingOf('ObservationDateTime=2026010210-20260103'), { kind: 'range', from: '20260102100000.000000', to: '20260103235959.999999' });
});

test('what is returned, and how much', () => {
  const query = parsed('includefield=00081030,PatientName&includefield=all&limit=25&offset=50&fuzzymatching=true');
  assert.equal(query.includeAll, true);
  assert.deepEqual(query.includeFields.map((path) => path[0]!.tag), ['00081030', '00100010']);
  assert.deepEqual([query.limit, query.offset, query.fuzzyMatching], [25, 50, true]);
  assert.deepEqual([parsed('').limit, parsed('').offset, parsed('').fuzzyMatching, parsed('').includeAll], [null, 0, false, false]);
});

test('every wrong parameter is named with what is wrong', () => {
  assert.deepEqual(problemsOf('limit=-1&offset=x&fuzzymatching=1&StudyDate=2026-01-02&StudyTime=25&StudyInstanceUID=abc&SeriesNumber=1*&RequestAttributesSequence=x'), [
    'limit: is not a whole number from 0 upwards', 'offset: is not a whole number from 0 upwards', 'fuzzymatching: is neither true nor false',
    'StudyDate: "2026-01-02" is not a date YYYYMMDD or a range of two', 'StudyTime: "25" is not a time HHMMSS.FFFFFF, cut short where you like, or a range of two',
    'StudyInstanceUID: "abc" is not a UID', 'SeriesNumber: "1*" is not a whole number', 'RequestAttributesSequence: is a sequence: name the attribute inside it, as in sequence.attribute',
  ]);
  assert.match(problemsOf('PatientID=a%00b')[0]!, /control character/);
  assert.match(problemsOf('StudyDate=20261301')[0]!, /not a date/);
  assert.match(problemsOf('StudyDate=20260202-20260101')[0]!, /ends before it begins/);
  assert.match(problemsOf('PatientID=1&00100020=2')[0]!, /twice/);
  assert.match(problemsOf('limit=1&limit=2')[0]!, /twice/);
  assert.match(problemsOf('includefield=nosuchthing')[0]!, /not a tag/);
});

test('bounds: parameters, lengths, lists, wild cards, depth', () => {
  assert.match(problemsOf(Array.from({ length: parametersMax + 1 }, (_, index) => `x${index}=1`).join('&'))[0]!, /more than 64 parameters/);
  assert.match(problemsOf(`PatientID=${'x'.repeat(valueLengthMax + 1)}`)[0]!, /characters/);
  assert.match(problemsOf(`StudyInstanceUID=${Array.from({ length: listLengthMax + 1 }, () => '1.2').join(',')}`)[0]!, /list has 201/);
  assert.match(problemsOf(`PatientID=${'a*'.repeat(wildcardsMax + 1)}`)[0]!, /wild cards/);
  assert.match(problemsOf(`includefield=${Array.from({ length: 300 }, () => '00100010').join(',')}`)[0]!, /more than 256/);
  assert.match(problemsOf('00400275.00400275.00400275.00400275.00400009=1')[0]!, /sequences/);
});

test('any parameters give a query or problems, never an exception', () => {
  const name = fc.oneof(fc.constantFrom(...attributes.map((one) => one.keyword), 'includefield', 'limit', 'offset', 'fuzzymatching', 'multiplevaluematching'), fc.string());
  fc.assert(fc.property(fc.array(fc.tuple(name, fc.string()), { maxLength: 8 }), (parameters) => {
    const { query, problems } = parseQuery(parameters, lookup);
    assert.equal(query === null, problems.length > 0);
  }), { numRuns: 500 });
});
