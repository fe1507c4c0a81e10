/** A report from a taken-over examiner: each lie is refused. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { spanKinds } from '@lazaret/dicom/filemap/contract.ts';
import { FrameReader } from '@lazaret/system/frames.ts';
import type { Digest, ObjectId } from '../reception/contract.ts';
import type { Work } from '../quarantine/contract.ts';
import { decodeSpans, encodeSpans, packReport, reportFrames, type Report } from './assignment.ts';
import { checkHello, checkReport } from './report.ts';

const digest = 'ab'.repeat(32) as Digest;
const work: Work = { objectId: '0'.repeat(32) as ObjectId, bytes: 1000, sha256: digest, sopClassUID: '', sopInstanceUID: '', transferSyntaxUID: '', peer: 'ct-1' };
const spansOf = (...rows: [offset: number, length: number][]): Uint8Array => encodeSpans({
  count: rows.length, offsets: Float64Array.from(rows.map(([offset]) => offset)), lengths: Float64Array.from(rows.map(([, length]) => length)),
  kinds: new Uint8Array(rows.length).fill(spanKinds.indexOf('value')), tags: new Uint32Array(rows.length), depths: new Uint8Array(rows.length),
});
const whole = spansOf([0, 400], [400, 600]);
const prefix = Buffer.concat([Buffer.alloc(128), Buffer.from('DICM'), Buffer.alloc(68)]);
const instance = {
  sopClassUID: '1.2', sopInstanceUID: '1.2.3', studyInstanceUID: '1.2.4', seriesInstanceUID: '1.2.5', transferSyntaxUID: '1.2.840.10008.1.2.1', metadata: '{}',
  dataSetOffset: 200, dataSetLength: 800, frames: { kind: 'native', offset: 300, frameLength: 350, count: 2, bitsPerPixel: 16 }, chunks: null,
};
const disarmed = { what: ['preamble'], prefix: prefix.toString('base64'), dataSetOffset: 200, dataSetLength: 800, dataSetSha256: digest, sha256: digest, bytes: 1000 };
const report = { id: 7, sha256: digest, bytes: 1000, findings: [{ code: 'tag-duplicate', offset: 10, length: 4, tag: '(0010,0010)', engine: 'structure', text: 'twice' }], instance, disarmed: null, dataSetSha256: '', pixels: { codec: 'jpeg-ls', rows: 2, columns: 2, samples: 1, bitsAllocated: 8 }, map: null };

type Changes = Readonly<Record<string, unknown>>;
/** As it comes out of the pipe. */
const told = (changes: Changes, spans = whole): Parameters<typeof checkReport> => {
  const { header, payload } = packReport({ ...report, ...changes } as unknown as Report, spans);
  return [JSON.parse(JSON.stringify(header)), Buffer.concat(payload), 7, work];
};
const problemOf = (changes: Changes, spans = whole): string | null => {
  const checked = checkReport(...told(changes, spans));
  return 'problem' in checked ? checked.problem : null;
};

test('a true report passes, and comes out as it went in', () => {
  const checked = checkReport(...told({ disarmed }));
  assert.deepEqual(checked, { report: { ...report, disarmed } });
});

test('spans that do not account for every byte are refused', () => {
  for (const spans of [spansOf(), spansOf([0, 999]), spansOf([0, 400], [401, 599]), spansOf([0, 500], [400, 600]), spansOf([0, 1001]), whole.subarray(1)]) assert.notEqual(problemOf({}, spans), null);
});

// Each guard with something that it refuses.
const lies: Readonly<Record<string, Changes>> = {
  'about another object': { id: 8 },
  'another length': { bytes: 999 },
  'no digest': { sha256: 'AB'.repeat(32) },
  'findings without end': { findings: Array.from({ length: 201 }, () => report.findings[0]) },
  'a finding outside the object': { findings: [{ ...report.findings[0], offset: 1001 }] },
  'a finding with a path as code': { findings: [{ ...report.findings[0], code: '../x' }] },
  'a finding with markup as tag': { findings: [{ ...report.findings[0], tag: '<b>' }] },
  'a UID with a path in it': { instance: { ...instance, sopInstanceUID: '../../etc' } },
  'a UID that is too long': { instance: { ...instance, studyInstanceUID: '1'.repeat(65) } },
  'metadata that is no object': { instance: { ...instance, metadata: '[1]' } },
  'a Data Set beyond the end': { instance: { ...instance, dataSetLength: 801 } },
  'frames beyond the end': { instance: { ...instance, frames: { ...instance.frames, count: 3 } } },
  'fragments beyond the end': { instance: { ...instance, frames: { kind: 'encapsulated', frames: [[900, 101]] } } },
  'half a fragment': { instance: { ...instance, frames: { kind: 'encapsulated', frames: [[900]] } } },
  'frames of an unknown kind': { instance: { ...instance, frames: { kind: 'other' } } },
  'chunks that do not cover the object': { instance: { ...instance, chunks: { size: 100, digests: [digest] } } },
  'a Data Set that was neutralised': { disarmed: { ...disarmed, what: ['dataSet'] } },
  'a preamble that is not zero': { disarmed: { ...disarmed, prefix: Buffer.concat([Buffer.from('MZ'), prefix.subarray(2)]).toString('base64') } },
  'a prefix that is no Part 10': { disarmed: { ...disarmed, prefix: Buffer.alloc(200).toString('base64') } },
  'a disarmed length that does not add up': { disarmed: { ...disarmed, bytes: 1001 } },
  'a kept Data Set outside the object': { disarmed: { ...disarmed, dataSetOffset: 300 } },
  'a negative number': { instance: { ...instance, dataSetOffset: -1 } },
  'a number that is text': { bytes: '1000' },
  'pixels of a codec that nobody decodes': { pixels: { ...report.pixels, codec: 'native' } },
  'pixels without end': { pixels: { ...report.pixels, rows: 65_536 } },
  'findings that are no list': { findings: { length: 0 } },
};
for (const [lie, changes] of Object.entries(lies)) {
  test(`refused: ${lie}`, () => assert.notEqual(problemOf(changes), null));
}

test('metadata are what stands behind the spans, in any script, and never more than there is', () => {
  const metadata = '{"00100010":{"vr":"PN","Value":[{"Alphabetic":"M\u00fcller","Ideographic":"\u5c71\u7530"}]}}';
  const [header, payload] = told({ instance: { ...instance, metadata } });
  const checked = checkReport(header, payload, 7, work);
  assert.equal('report' in checked && checked.report.instance!.metadata, metadata);
  for (const metadataBytes of [undefined, -1, 0.5, '2', payload.length + 1, 0, 44]) assert.ok('problem' in checkReport({ ...(header as object), metadataBytes }, payload, 7, work), String(metadataBytes));
});

test('a report of any size goes through the pipe in one frame', () => {
  for (const name of ['a', 'é'.repeat(500_000)]) {
    const metadata = `{"00100010":{"vr":"PN","Value":[{"Alphabetic":"${name}"}]}}`;
    const bytes = Buffer.concat(reportFrames({ ...report, instance: { ...instance, metadata } } as unknown as Report, whole));
    const [frame, ...others] = new FrameReader().push(bytes);
    assert.equal(others.length, 0);
    const checked = checkReport(frame!.header, frame!.payload, 7, work);
    assert.deepEqual(checked, { report: { ...report, instance: { ...instance, metadata } } });
  }
});

test('control characters in a finding do not get through', () => {
  const checked = checkReport(...told({ findings: [{ ...report.findings[0], text: 'a\u001b[2Jb\u202e' }] }));
  assert.equal('report' in checked && checked.report.findings[0]!.text, 'a?[2Jb?');
});

test('spans survive the pipe, at any alignment', () => {
  const shifted = new Uint8Array(whole.length + 1);
  shifted.set(whole, 1);
  assert.deepEqual(decodeSpans(shifted.subarray(1)), decodeSpans(whole));
});

test('the first words of an examiner must be a hello', () => {
  const engine = { name: 'yara-x', version: '1', signatures: 'rules 1', state: 'ready', text: '' };
  assert.deepEqual(checkHello({ ready: true, engines: [engine] }), { ready: true, engines: [engine] });
  for (const wrong of [null, 7, {}, { ready: true }, { ready: true, engines: [{ ...engine, state: 'perfect' }] }, { ready: true, engines: [{ ...engine, name: 'a b' }] }]) assert.equal(checkHello(wrong), null);
});

test('patches are in order, inside the object, bounded, and said in words that are ours', () => {
  const patch = { outcome: 'patched', text: '', patches: [{ offset: 10, length: 4, bytes: 'AAAA' }, { offset: 14, length: 0, bytes: '' }], metadata: '{}' };
  const wrong = (changes: Changes): string | null => problemOf({ patch: { ...patch, ...changes } });
  assert.equal(wrong({}), null);
  assert.equal(wrong({ outcome: 'impossible', text: 'no', patches: [], metadata: '' }), null);
  for (const changes of [
    { outcome: 'done' }, { patches: [...patch.patches].toReversed() }, { patches: [{ offset: 998, length: 4, bytes: '' }] }, { patches: [{ offset: -1, length: 0, bytes: '' }] }, { patches: [{ offset: 1, length: 0, bytes: 'not base64!' }] },
    { patches: [{ offset: 1, length: 0, bytes: Buffer.alloc(1281 * 1024).toString('base64') }] }, { patches: Array.from({ length: 129 }, (_, offset) => ({ offset, length: 0, bytes: '' })) }, { metadata: 'x' }, { text: 'x'.repeat(501) },
    { outcome: 'impossible', metadata: '{}' },
  ]) assert.notEqual(wrong(changes), null, JSON.stringify(changes).slice(0, 80));
  const checked = checkReport(...told({ patch: { ...patch, outcome: 'impossible', text: 'a\u001b[31mb', patches: [], metadata: '' } }));
  assert.equal('report' in checked ? checked.report.patch?.text : '', 'a?[31mb');
});

test('what an export overwrites lies inside the object, unpacked where it was deflated', () => {
  const map = { bytes: 1000, spans: [], findings: [], window: null, parts: [], partCount: 0 };
  const blank = { outcome: 'blanked', text: '', ranges: [1_400, 12, 0], patches: [{ offset: 1_490, length: 2, bytes: '' }], elements: 1, unpacked: [{ offset: 400, length: 500, bytes: Buffer.alloc(1_000).toString('base64') }] };
  const wrong = (changes: Changes): string | null => problemOf({ map: { ...map, blank: { ...blank, ...changes } } });
  assert.equal(wrong({}), null);
  for (const changes of [
    { unpacked: undefined }, { unpacked: [{ offset: 400, length: 601, bytes: '' }] }, { unpacked: 'all' }, { ranges: [1_400, 101, 0] }, { ranges: [1_400, 12] }, { ranges: [1_400, 12, 9] }, { ranges: [0, 65, 8] }, { ranges: [10, 4, 0, 12, 4, 0] },
    { patches: [{ offset: 1_500, length: 1, bytes: '' }] }, { outcome: 'done' }, { unpacked: [{ offset: 0, length: 0, bytes: Buffer.alloc(17 * 1024 * 1024).toString('base64') }] },
  ]) assert.notEqual(wrong(changes), null, JSON.stringify(changes).slice(0, 80));
});
