import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LedgerEntry } from './contract.ts';
import { resendText } from './resendtext.ts';

const entry = {
  objectId: 'a'.repeat(32), state: 'held', bytes: 1, sha256: 'b'.repeat(64), receivedAt: Date.UTC(2026, 10, 24, 9, 30), sopClassUID: '1.2', sopInstanceUID: '1.2.3', verdict: 'malformed', disarmed: [], findings: [], epoch: '', concludedAt: 1,
  source: { door: 'association', peer: 'ct-1', address: '10.0.0.4', callingAETitle: 'CT1', calledAETitle: 'LAZARET', batch: 'x' },
  patientName: 'Muster^Maria', patientID: 'P1', studyInstanceUID: '1.2.4', studyDescription: 'Head of Maria Muster', modality: 'CT', conflicts: [],
} as unknown as LedgerEntry;

test('says who, what, when and why, by UIDs and without the patient', () => {
  const { subject, body, mailto } = resendText(entry, [{ title: 'Pixels are missing', meaning: 'Part of it may be cut off.' }]);
  for (const words of ['CT1', 'ct-1', '10.0.0.4', '2026-11-24 09:30 UTC', '1.2.3', '1.2.4', 'C-STORE', 'Pixels are missing', 'cut off']) assert.ok(body.includes(words), words);
  for (const words of ['Muster', 'Maria', 'P1']) assert.ok(!`${subject}${body}${decodeURIComponent(mailto)}`.includes(words), words);
  assert.ok(mailto.startsWith('mailto:?subject=') && !mailto.includes('\n') && decodeURIComponent(mailto).includes(body));
  assert.ok(!body.includes('IT security'));
  assert.match(resendText({ ...entry, verdict: 'malicious' }, []).body, /IT security look at the system/);
});

test('what the sender wrote cannot turn or hide text', () => {
  const { body } = resendText({ ...entry, modality: 'C\u202eT\u0007\u001b[31m', source: { ...entry.source, peer: 'x\u200b\ny' } }, []);
  assert.doesNotMatch(body, /[\u202e\u0007\u001b\u200b]/);
  assert.ok(body.includes('xy'));
});
