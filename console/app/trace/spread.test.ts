import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TraceAccess, TraceAnswer, TraceObject } from '@lazaret/pacs/quarantine/requests.ts';
import { columnMax, pathOf, spreadOf } from './spread.ts';

let number = 0;
function object(change: Partial<TraceObject>): TraceObject {
  number += 1;
  return {
    relation: 'subject', objectId: number.toString(16).padStart(32, '0') as TraceObject['objectId'], state: 'held', verdict: 'malicious', codes: [], sha256: '' as TraceObject['sha256'], archivedSha256: '', sopInstanceUID: '',
    studyInstanceUID: '1.2', studyDescription: '', modality: 'CT', patientName: 'DOE^JANE', patientID: '1', bytes: 1, receivedAt: 1, concludedAt: 2, withdrawn: true, message: 0, ...change,
  };
}
const message = { source: { door: 'stow', peer: 'desk', address: '10.0.0.1', callingAETitle: '', calledAETitle: '', batch: 'b' }, first: 1, last: 2, objects: 3 } as const;
function access(change: Partial<TraceAccess>): TraceAccess {
  return { kind: 'opened', person: 'ann', address: '10.0.0.2', destination: '', what: 'frames', first: 1, last: 2, count: 3, studyInstanceUID: '1.2', objectIds: [], auditEntry: 1, ...change };
}
const answerOf = (change: Partial<TraceAnswer>): TraceAnswer => ({ objects: [], messages: [message], accesses: [], decisions: [], repeats: [], cut: [], ...change });

test('an object stands between its message and who opened it; what came with it is grouped by what became of it', () => {
  const subject = object({});
  const others = [object({ relation: 'message', state: 'archived', verdict: 'clean', withdrawn: false }), object({ relation: 'message', state: 'archived', verdict: 'clean', withdrawn: false }), object({ relation: 'message', verdict: 'malformed', withdrawn: false })];
  const spread = spreadOf(answerOf({ objects: [subject, ...others], accesses: [access({ objectIds: [subject.objectId] }), access({ objectIds: [subject.objectId], what: 'instances' }), access({ kind: 'sent', destination: 'PACS2', objectIds: [subject.objectId] })] }));
  assert.deepEqual(spread.nodes.map(({ column, title }) => [column, title]), [
    [0, 'desk'], [1, 'DICOMweb (STOW-RS)'], [2, 'DOE, JANE'], [2, '2 objects that came with it'], [2, '1 object that came with it'], [3, 'ann'], [3, 'PACS2'],
  ]);
  const [, , one, , , ann] = spread.nodes;
  assert.match(one!.detail, /Malicious, taken out of the archive/);
  assert.match(ann!.detail, /^opened 6 times/);
  assert.equal(spread.edges.filter(({ strong }) => strong).length, 4);
  const path = pathOf(spread, ann!.key);
  assert.deepEqual([path.size, path.has(one!.key), path.has(spread.nodes[4]!.key)], [4, true, false]);
});

test('a column never holds more than fits; what is left out is one row with its number, and still leads on', () => {
  const subjects = Array.from({ length: 40 }, () => object({}));
  const accesses = subjects.map(({ objectId }, index) => access({ person: `reader ${index}`, objectIds: [objectId] }));
  const spread = spreadOf(answerOf({ objects: subjects, accesses }));
  for (const column of [0, 1, 2, 3]) assert.ok(spread.nodes.filter((node) => node.column === column).length <= columnMax);
  const rest = spread.nodes.find(({ key }) => key === 'rest 3');
  assert.equal(rest?.title, 'and 31 more');
  assert.equal(rest.accesses.size, 31);
  for (const { from, to } of spread.edges) for (const key of [from, to]) assert.ok(spread.nodes.some((node) => node.key === key), key);
});

test('a second source that sent the same bytes leads to the object, too', () => {
  const subject = object({});
  const spread = spreadOf(answerOf({ objects: [subject], repeats: [{ objectId: subject.objectId, source: { ...message.source, peer: 'another desk', batch: 'c' }, at: 5 }] }));
  assert.deepEqual(spread.nodes.filter(({ column }) => column === 0).map(({ title }) => title), ['desk', 'another desk']);
  assert.equal(spread.edges.filter(({ to }) => to === `object ${subject.objectId}`).length, 2);
});

test('names that came with objects are shown harmless', () => {
  const spread = spreadOf(answerOf({ objects: [object({ patientName: 'A\u202eB' })], messages: [{ ...message, source: { ...message.source, peer: 'x\u001b[2J' } }] }));
  for (const { title } of spread.nodes) assert.doesNotMatch(title, /[\u001b\u202e]/);
});
