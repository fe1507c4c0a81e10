/** The keeper's side: who may ask what, and what an untrusted worklist process may say. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AuditMessage } from '@lazaret/audit/message.ts';
import type { Question, WorklistAnswer } from './contract.ts';
import { checkRequest } from './guards.ts';
import { Questions } from './questions.ts';

const peer = { host: 'ris', port: 104, calledAETitle: 'RIS', callingAETitle: 'LAZARET' };
const item = { patientName: 'A^B', patientID: '1', issuerOfPatientID: '', patientBirthDate: '', patientSex: '', accessionNumber: '', studyDescription: '', requestedProcedureID: '', modality: '', scheduledDate: '' };
const found: WorklistAnswer = { outcome: 'found', text: '', items: [item], cut: false };
const asked = { patientName: 'A*', patientID: '', accessionNumber: '', person: 'm.lind', address: '10.0.0.9' };

function bench() {
  const messages: Omit<AuditMessage, 'time'>[] = [];
  const questions = new Questions(peer, async (message) => { messages.push(message); });
  return { questions, messages, process: new AbortController() };
}

test('a question reaches the process, its answer whoever asked, and the record says who asked for whom', async () => {
  const { questions, messages, process } = bench();
  const next = questions.next({ signal: process.signal });
  const answer = questions.ask(asked);
  const question = (await next)!;
  assert.deepEqual(question.query, { patientName: 'A*', patientID: '', accessionNumber: '' });
  questions.found({ id: question.id, answer: found }, { signal: process.signal });
  assert.deepEqual(await answer, found);
  const [message] = messages;
  assert.deepEqual([message?.eventID.value, message?.outcome, message?.outcomeDescription, message?.participants.map(({ userID }) => userID), message?.objects[0]?.details], ['110112', 0, '1 orders', ['m.lind', 'lazaret/worklist', 'RIS'], [['patientName', 'A*']]]);
});

test('two questions wait for their own answers, whichever comes first', async () => {
  const { questions, process } = bench();
  const call = { signal: process.signal };
  const answers = [questions.ask(asked), questions.echo()];
  const [first, second] = [await questions.next(call), await questions.next(call)] as [Question, Question];
  questions.found({ id: second.id, answer: { ...found, items: [] } }, call);
  questions.found({ id: first.id, answer: found }, call);
  assert.deepEqual((await Promise.all(answers)).map(({ items }) => items.length), [1, 0]);
});

test('a process that ends: whoever waits is told', async () => {
  const { questions, process } = bench();
  const answer = questions.ask(asked);
  await questions.next({ signal: process.signal });
  process.abort();
  assert.deepEqual([(await answer).outcome, /gave no answer/.test((await answer).text)], ['failed', true]);
});

test('another connection cannot answer for the process that took the question', async () => {
  const { questions, process } = bench();
  const answer = questions.ask(asked);
  const question = (await questions.next({ signal: process.signal }))!;
  questions.found({ id: question.id, answer: { ...found, items: [{ ...item, patientName: 'FALSE' }] } }, { signal: new AbortController().signal });
  questions.found({ id: question.id, answer: found }, { signal: process.signal });
  assert.equal((await answer).items[0]?.patientName, 'A^B');
});

for (const [what, wrong] of [
  ['another outcome', { ...found, outcome: 'unconfigured' }], ['no list', { ...found, items: 'x' }], ['more items than the limit', { ...found, items: Array(201).fill(item) }],
  ['an item without a field', { ...found, items: [{ ...item, modality: undefined }] }], ['a field that is too long', { ...found, items: [{ ...item, patientName: 'x'.repeat(195) }] }],
  ['a control character', { ...found, items: [{ ...item, patientName: 'A\u001b[2J' }] }], ['a date that is none', { ...found, items: [{ ...item, patientBirthDate: '<b>' }] }], ['a sex that is none', { ...found, items: [{ ...item, patientSex: 'X' }] }],
  ['a text that is too long', { ...found, text: 'x'.repeat(501) }],
] as const) {
  test(`an answer with ${what} is not believed`, async () => {
    const { questions, process } = bench();
    const answer = questions.ask(asked);
    const question = (await questions.next({ signal: process.signal }))!;
    assert.throws(() => questions.found({ id: question.id, answer: wrong }, { signal: process.signal }), { code: 'request-invalid' });
    assert.deepEqual(await answer, { outcome: 'failed', text: 'The worklist sent orders that cannot be shown.', items: [], cut: false });
  });
}

test('what an item has beside its fields goes no further', async () => {
  const { questions, process } = bench();
  const answer = questions.ask(asked);
  const question = (await questions.next({ signal: process.signal }))!;
  questions.found({ id: question.id, answer: { ...found, items: [{ ...item, html: '<script>' }] } }, { signal: process.signal });
  assert.deepEqual((await answer).items, [item]);
});

test('questions that are none are refused', () => {
  for (const wrong of [null, [], {}, { ...asked, patientName: 7 }, { ...asked, patientName: 'x'.repeat(195) }, { ...asked, patientName: 'A\\B' }, { ...asked, patientName: 'A\u0000' }, { ...asked, person: 'x'.repeat(129) }]) {
    assert.throws(() => checkRequest(wrong), { code: 'request-invalid' }, JSON.stringify(wrong));
  }
  for (const name of ['', '*', '?*', ' ^* ']) assert.throws(() => checkRequest({ ...asked, patientName: name }), { code: 'query-empty' }, name);
});

test('without a worklist nothing waits and nothing is recorded', async () => {
  const questions = new Questions(null, () => assert.fail('recorded'));
  assert.equal((await questions.ask(asked)).outcome, 'unconfigured');
  assert.equal((await questions.echo()).outcome, 'unconfigured');
});
