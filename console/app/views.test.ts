import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LedgerEntry } from '@lazaret/pacs/quarantine/contract.ts';
import { byUrgency, urgencyOf } from './held/urgency.ts';
import { choicesOf } from './object/decisions.ts';
import { concernsOf } from './status/concerns.ts';
import { age, size } from './words/amounts.ts';
import { whyHeld } from './words/findings.ts';
import { keywordInWords } from './words/kinds.ts';
import { batchesOf } from './arrivals/batches.ts';

const now = Date.UTC(2026, 10, 24, 3, 0);
function entry(change: Partial<LedgerEntry> & { batch?: string }): LedgerEntry {
  const { batch = '', ...rest } = change;
  return {
    objectId: '0'.repeat(32) as LedgerEntry['objectId'], state: 'held', bytes: 100, sha256: '0'.repeat(64) as LedgerEntry['sha256'],
    source: { door: 'association', peer: 'CT', address: '10.0.0.1', callingAETitle: 'CT', calledAETitle: 'LAZARET', batch }, receivedAt: now - 60_000, sopClassUID: '', sopInstanceUID: '',
    verdict: 'malformed', disarmed: [], findings: [], epoch: '', concludedAt: null, patientName: '', patientID: '', studyInstanceUID: '', studyDescription: '', modality: '', conflicts: [], ...rest,
  };
}

test('what came together is one row, summed', () => {
  const batches = batchesOf([
    entry({ batch: 'a', receivedAt: 5, patientID: '1', patientName: 'A' }), entry({ batch: 'b', receivedAt: 4 }),
    entry({ batch: 'a', receivedAt: 3, patientID: '1', patientName: 'A', verdict: 'clean', state: 'archived', disarmed: ['preamble'] }),
    entry({ objectId: '1'.repeat(32) as LedgerEntry['objectId'] }), entry({ objectId: '2'.repeat(32) as LedgerEntry['objectId'] }),
  ]);
  assert.deepEqual(batches.map((batch) => batch.entries.length), [2, 1, 1, 1]);
  const [first] = batches;
  assert.deepEqual({ states: first!.states, verdicts: first!.verdicts, bytes: first!.bytes, firstAt: first!.firstAt, lastAt: first!.lastAt, patients: first!.patients.length, disarmed: first!.disarmed }, { states: { held: 1, archived: 1 }, verdicts: { malformed: 1, clean: 1 }, bytes: 200, firstAt: 3, lastAt: 5, patients: 1, disarmed: 1 });
});

test('malicious first, then what came today, then the rest, the longest waiting on top', () => {
  const order = byUrgency([entry({ patientID: 'old', receivedAt: now - 3 * 86_400_000 }), entry({ patientID: 'new' }), entry({ patientID: 'earlier', receivedAt: now - 7_200_000 }), entry({ patientID: 'bad', verdict: 'malicious', receivedAt: now - 9 * 86_400_000 })], now);
  assert.deepEqual(order.map((each) => each.patientID), ['bad', 'earlier', 'new', 'old']);
  assert.equal(urgencyOf(entry({ receivedAt: now + 5_000 }), now).level, 'waiting');
});

test('one reviewer releases what is malformed; malicious and destroying take two; nobody confirms a proposal of their own', () => {
  const ann = { kind: 'person', name: 'ann', roles: ['reviewer'] } as const;
  const proposals = [{ decision: 'destroy', person: 'ann', reason: 'a reason', proposedAt: now }] as const;
  const shown = (changed: Partial<LedgerEntry>, session: Parameters<typeof choicesOf>[1]) => choicesOf(entry(changed), session).map(({ step, enabled }) => [step, enabled]);
  assert.deepEqual(shown({}, ann), [['alone', true], ['propose', true]]);
  assert.deepEqual(shown({ verdict: 'malicious' }, ann), [['propose', true], ['propose', true]]);
  assert.deepEqual(shown({ proposals }, ann), [['alone', true], ['confirm', false]]);
  assert.deepEqual(shown({ proposals }, { ...ann, name: 'ben', roles: ['security'] }), [['alone', true], ['confirm', true]]);
  assert.deepEqual(shown({}, { ...ann, roles: ['viewer', 'administrator'] }), [['alone', false], ['propose', false]]);
  assert.deepEqual(shown({ state: 'archived' }, ann), [['alone', false], ['propose', false]]);
  assert.match(choicesOf(entry({ verdict: 'malicious' }), ann)[0]!.sentence, /role security/);
});

test('why it is held is the worst finding in words; without one a sentence all the same', () => {
  const finding = { code: 'engine-missing', offset: 0, length: 0, tag: '', engine: 'clamd', text: '' };
  assert.equal(whyHeld(entry({ findings: [finding] })).title, 'An engine is missing');
  assert.equal(whyHeld(entry({ findings: [finding, { ...finding, code: 'preamble-used' }] })).more, 0);
  assert.notEqual(whyHeld(entry({ findings: [{ ...finding, code: 'of-tomorrow' }] })).title, '');
  assert.notEqual(whyHeld(entry({})).title, '');
});

test('what needs care is said; a system that is well has nothing to say', () => {
  const counts = { arriving: 0, waiting: 0, inspecting: 0, cleared: 0, archived: 0, held: 0, released: 0, destroyed: 0 };
  const inspector = { sandbox: { strength: 'namespaces', text: '' }, engines: [{ name: 'yara-x', version: '1', signatures: '', state: 'ready', text: '' }], epoch: 'e', examiners: 2 } as const;
  const well = { counts, inspector, audit: { entries: 1, root: 'r' }, disk: { freeBytes: 1e12, totalBytes: 2e12 } } as const;
  assert.deepEqual(concernsOf(well), []);
  const levels = (change: Partial<Parameters<typeof concernsOf>[0]>) => concernsOf({ ...well, ...change }).map((concern) => concern.level);
  assert.deepEqual(levels({ alarms: { late: 1, infectedMedia: 0, medium: '' } }), ['care']);
  assert.deepEqual(levels({ alarms: { late: 2, infectedMedia: 1, medium: 'ab' } }), ['care', 'care']);
  assert.deepEqual(levels({ inspector: null }), ['stop']);
  assert.deepEqual(levels({ inspector: { ...inspector, engines: [{ ...inspector.engines[0], state: 'missing' }] } }), ['stop']);
  assert.deepEqual(levels({ inspector: { ...inspector, engines: [], sandbox: { strength: 'none', text: '' }, examiners: 0 } }), ['stop', 'stop', 'stop']);
  assert.deepEqual(levels({ inspector: { ...inspector, sandbox: { strength: 'permission-model', text: '' } } }), ['care']);
  assert.deepEqual(levels({ disk: { freeBytes: 5e9, totalBytes: 1e12 } }), ['care']);
  assert.deepEqual(levels({ disk: { freeBytes: 5e8, totalBytes: 1e12 } }), ['stop']);
  assert.deepEqual(levels({ counts: { ...counts, waiting: 5000 } }), ['care']);
});

test('sizes, ages and keywords as people say them', () => {
  assert.deepEqual([0, 1, 523, 4200, 538_000, 5 * 1024 ** 3].map(size), ['0 bytes', '1 byte', '523 bytes', '4.1 KB', '525 KB', '5.0 GB']);
  assert.deepEqual([-5, 59_000, 240_000, 11_520_000, 50_000_000, 5 * 86_400_000].map(age), ['just now', 'just now', '4 min', '3 h 12 min', '13 h', '5 days']);
  assert.deepEqual(['SOPInstanceUID', 'PatientName', 'PixelData', 'KVP'].map(keywordInWords), ['SOP Instance UID', 'Patient Name', 'Pixel Data', 'KVP']);
});
