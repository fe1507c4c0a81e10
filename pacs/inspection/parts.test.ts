/** Parts that real examiners unpack, before a real clamd; and examiners and listeners that do it badly. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test, type TestContext } from 'node:test';
import { marker, startClamd } from '@lazaret/test/late/clamd.ts';
import { harmless, wrapped } from '@lazaret/test/late/wrapped.ts';
import type { Digest, ObjectId } from '../reception/contract.ts';
import type { Finding, Work } from '../quarantine/contract.ts';
import type { PartHead } from './assignment.ts';
import { clamdEngine, type ClamdTarget } from './engines/clamd.ts';
import type { Engine } from './engines/engine.ts';
import { Inspection } from './inspection.ts';
import { PartScan } from './parts.ts';
import { Pool } from './pool.ts';
import { verdictOf } from './verdict.ts';

const folder = mkdtempSync(join(tmpdir(), 'lazaret-parts-'));
after(() => rmSync(folder, { recursive: true, force: true }));

function given(name: string, bytes: Buffer): { readonly work: Work; readonly path: string } {
  const path = join(folder, name.replaceAll(/\W/g, '-'));
  writeFileSync(path, bytes);
  return { path, work: { objectId: '0'.repeat(32) as ObjectId, bytes: bytes.length, sha256: '' as Digest, sopClassUID: '', sopInstanceUID: '', transferSyntaxUID: '', peer: '' } };
}

function inspectionWith(t: TestContext, clamd: Engine<ClamdTarget>): Inspection {
  const pool = new Pool({ start: () => ({ command: process.execPath, args: [join(import.meta.dirname, '../../processes/examiner/main.ts')], env: {} }), examiners: 1, memoryBytesMax: 2 ** 30 });
  t.after(() => pool.close());
  return new Inspection(pool, clamd);
}
const ofClamd = (findings: readonly Finding[]): Finding[] => findings.filter(({ engine }) => engine === 'clamd');

test('clamd finds what it alone knows in each way of packing it, says where, and the tree of parts marks it', async (t) => {
  const clamd = await startClamd(t);
  if (clamd === null) return;
  const inspection = inspectionWith(t, clamdEngine(clamd.address));
  assert.match(await inspection.epoch(), /; clamd \S+ own signatures parts$/);
  for (const [how, [object, part]] of Object.entries(wrapped)) {
    const bytes = object(how, marker);
    assert.ok(!bytes.includes(marker), `${how}: the words must not stand in the file`);
    const { work, path } = given(how, bytes);
    const conclusion = await inspection.conclude(work, path);
    assert.equal(conclusion.verdict, 'malicious', `${how}: ${JSON.stringify(conclusion.findings)}`);
    const found = ofClamd(conclusion.findings).filter(({ text }) => text.startsWith('clamd recognises Lazaret.Inert.Late.UNOFFICIAL, in '));
    assert.ok(found.some(({ text }) => part.test(text)), `${how}: ${found.map(({ text }) => text).join('; ')}`);
    const map = await inspection.map(work, path, null);
    assert.ok(map.parts.some(({ name, codes }) => part.test(`in ${name}`) && codes.includes('malware-signature')), `${how}: ${JSON.stringify(map.parts)}`);
  }
});

test('clamd sees values as they stand from their first byte on', async (t) => {
  const targets: ClamdTarget[] = [];
  const inspection = inspectionWith(t, listening((target) => targets.push(target)));
  const { work, path } = given('a vendor', harmless()['a long value of a vendor']!);
  assert.equal(verdictOf((await inspection.examine(work, path, { dataSetDigest: false })).findings), 'clean');
  assert.deepEqual(targets.map(({ part }) => part?.name), [undefined, 'the value of (0029,1020)']);
  assert.equal(targets[1]!.part!.chunks, null, 'it is a range of the file');
});

test('objects with parts that nobody knows stay clean', async (t) => {
  const clamd = await startClamd(t);
  if (clamd === null) return;
  const inspection = inspectionWith(t, clamdEngine(clamd.address));
  for (const [how, bytes] of Object.entries(harmless())) {
    const { work, path } = given(`harmless ${how}`, bytes);
    assert.deepEqual((await inspection.examine(work, path, { dataSetDigest: false })).findings, [], how);
  }
});

test('a part that is over a limit of clamd holds the object, though the object itself is not', async (t) => {
  const clamd = await startClamd(t, ['StreamMaxLength 1M']);
  if (clamd === null) return;
  const inspection = inspectionWith(t, clamdEngine(clamd.address));
  const { work, path } = given('a large part', wrapped['a gzip stream in a value']![0]('large part', 'x'.repeat(1_000_000)));
  assert.ok(work.bytes < 100_000);
  const { verdict, findings } = await inspection.conclude(work, path);
  assert.equal(verdict, 'unscannable');
  assert.deepEqual(findings.map(({ engine, tag }) => [engine, tag]), [['clamd', '(0029,1020)']]);
  // It hangs up at its limit, and its answer may be lost in that.
  assert.match(findings[0]!.code, /^engine-(limit|failed)$/);
  assert.match(findings[0]!.text, /in a gzip stream$/);
});

test('where clamd dies between object and part the object is held', async (t) => {
  const clamd = await startClamd(t);
  if (clamd === null) return;
  const engine = clamdEngine(clamd.address);
  const dying: Engine<ClamdTarget> = { ...engine, async scan(target) {
    if (target.part !== undefined) clamd.kill();
    return engine.scan(target);
  } };
  const inspection = inspectionWith(t, dying);
  const { work, path } = given('a late death', harmless()['a gzip stream in a value']!);
  const { verdict, findings } = await inspection.conclude(work, path);
  assert.equal(verdict, 'unscannable');
  assert.ok(findings.every(({ code, engine: name }) => name === 'clamd' && /^engine-(failed|missing|timed-out)$/.test(code)), JSON.stringify(findings));
});

const finding = (code: string): Finding => ({ code, offset: 0, length: 0, tag: '', engine: 'clamd', text: 'found' });

/** An engine that hears each stream to its end, and says so where there is none. */
function listening(hear: (target: ClamdTarget) => unknown = () => null, found: readonly Finding[] = []): Engine<ClamdTarget> {
  return {
    name: 'clamd', version: () => ({ name: 'clamd', version: '1', signatures: '1', state: 'ready', text: '' }),
    async scan(target) {
      await hear(target);
      try {
        for await (const chunk of target.part?.chunks ?? []) void chunk;
      } catch {
        return [finding('engine-failed')];
      }
      return found;
    },
  };
}

const part: PartHead = { name: 'a part', offset: 10, length: 20, tag: '(0029,1020)', bytes: 4, verbatim: false };
const frame = (head: Partial<PartHead> | null): unknown => ({ id: 1, part: head === null ? null : { ...part, ...head } });
const nothing = Buffer.alloc(0);
const object = { path: join(folder, 'none'), work: { bytes: 100 } as Work };

const lies: Readonly<Record<string, readonly (readonly [head: unknown, payload: Buffer])[]>> = {
  'bytes of no part': [[frame(null), Buffer.alloc(4)]],
  'more bytes than it has': [[frame({}), nothing], [frame(null), Buffer.alloc(5)]],
  'a frame of a megabyte': [[frame({ bytes: 2_000_000 }), nothing], [frame(null), Buffer.alloc(1_000_000)]],
  'a frame of nothing': [[frame({}), nothing], [frame(null), nothing]],
  'another part before the end of one': [[frame({}), nothing], [frame(null), Buffer.alloc(3)], [frame({}), nothing]],
  'bytes with its beginning': [[frame({}), Buffer.alloc(4)]],
  'a place outside the object': [[frame({ offset: 90, length: 20 }), nothing]],
  'a range of another length': [[frame({ verbatim: true, bytes: 21 }), nothing]],
  'no bytes': [[frame({ bytes: 0 }), nothing]],
  'a length that is none': [[frame({ bytes: -1 }), nothing]],
  'markup as tag': [[frame({ tag: '<b>' }), nothing]],
  'a name without end': [[frame({ name: 'x'.repeat(10_000) }), nothing]],
  'no head': [[{ id: 1, part: 7 }, nothing]],
};
for (const [what, frames] of Object.entries(lies)) {
  test(`an examiner that gives ${what} is not listened to`, async () => {
    const scan = new PartScan(listening(), object);
    const answers = frames.map(([header, payload]) => scan.take(header, payload));
    assert.equal(typeof answers.at(-1), 'string');
    assert.ok(answers.slice(0, -1).every((answer) => answer === null));
    scan.abandon();
    await scan.end();
  });
}

const whole = (scan: PartScan): (Promise<void> | string | null)[] => [scan.take(frame({}), nothing), scan.take(frame(null), Buffer.alloc(4))];

test('more parts or bytes than the limits, or more time, hold the object, and the rest is not scanned', async () => {
  for (const [limits, code] of [[{ parts: 2 }, 'engine-limit'], [{ bytes: 8 }, 'engine-limit'], [{ timeMs: -1 }, 'engine-timed-out']] as const) {
    let heard = 0;
    const scan = new PartScan(listening(() => (heard += 1)), object, limits);
    for (let count = 0; count < 2; count += 1) whole(scan);
    assert.equal(scan.take(frame({}), nothing), null);
    assert.equal(heard, code === 'engine-limit' ? 2 : 0);
    // One that goes on has been taken over.
    if (code === 'engine-limit') assert.equal(scan.take(frame(null), Buffer.alloc(4)), 'there is no end of it');
    else scan.take(frame(null), Buffer.alloc(4));
    const found = await scan.end();
    assert.deepEqual(found.map((each) => each.finding.code), [code]);
    assert.equal(verdictOf(found.map((each) => each.finding)), 'unscannable');
  }
});

test('a part that breaks off was not scanned', async () => {
  const scan = new PartScan(listening(), object);
  scan.take(frame({}), nothing);
  scan.take(frame(null), Buffer.alloc(3));
  assert.deepEqual((await scan.end()).map((each) => each.finding.code), ['engine-failed']);
});

test('an examiner waits while clamd has enough in hand, and while it does not take the bytes', async () => {
  const { promise: opened, resolve: go } = Promise.withResolvers<void>();
  const scan = new PartScan(listening(() => opened), object);
  const many = [1, 2, 3, 4].flatMap(() => whole(scan));
  assert.ok(many.slice(0, 6).every((answer) => answer === null));
  assert.ok(many[6] instanceof Promise);
  const large = new PartScan(listening(() => opened), object);
  large.take(frame({ bytes: 8 * 256 * 1024 }), nothing);
  const waits = Array.from({ length: 8 }, () => large.take(frame(null), Buffer.alloc(256 * 1024)));
  assert.ok(waits.some((answer) => answer instanceof Promise));
  go();
  await Promise.all([...many, ...waits]);
  assert.deepEqual([await scan.end(), await large.end()], [[], []]);
});

test('what clamd finds in many parts is named some times, and one failure is enough', async () => {
  for (const [code, count] of [['malware-signature', 16], ['engine-failed', 1]] as const) {
    const scan = new PartScan(listening(() => null, [finding(code)]), object);
    for (let at = 0; at < 40; at += 1) await Promise.all(whole(scan));
    assert.ok((await scan.end()).length <= count + 4);
    assert.ok((await scan.end()).every((each) => each.finding.offset === 10 && each.finding.tag === '(0029,1020)'));
  }
});
