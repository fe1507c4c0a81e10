/** Files beside the images of a medium, before a real examiner and a real clamd: what is packed in them clamd unpacks by itself, for nothing else does. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test, type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { marker, startClamd, type RunningClamd } from '@lazaret/test/late/clamd.ts';
import { gzipOf, tarOf, zipOf } from '@lazaret/tools/recipes/archives.ts';
import type { CompanionConclusion } from '../quarantine/companion.ts';
import type { Work } from '../quarantine/contract.ts';
import type { Digest, ObjectId } from '../reception/contract.ts';
import { scanCompanion } from './companion.ts';
import { clamdEngine } from './engines/clamd.ts';
import { Pool } from './pool.ts';

const folder = mkdtempSync(join(tmpdir(), 'lazaret-companions-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** What is scanned as companions are, one after the other. */
function scanner(t: TestContext, clamd: RunningClamd): (bytes: Buffer) => Promise<CompanionConclusion> {
  const pool = new Pool({ start: () => ({ command: process.execPath, args: [join(import.meta.dirname, '../../processes/examiner/main.ts')], env: {} }), examiners: 1, memoryBytesMax: 2 ** 30 });
  t.after(() => pool.close());
  const engine = clamdEngine(clamd.address);
  const path = join(folder, 'companion');
  return (bytes) => {
    writeFileSync(path, bytes);
    const work: Work = { objectId: '0'.repeat(32) as ObjectId, bytes: bytes.length, sha256: '' as Digest, sopClassUID: '', sopInstanceUID: '', transferSyntaxUID: '', peer: '' };
    return scanCompanion(pool, engine, work, path);
  };
}

const packed: Readonly<Record<string, (words: Buffer) => Buffer>> = {
  'a ZIP file': (data) => zipOf([{ name: 'READ.ME', data: Buffer.from('nothing') }, { name: 'viewer/setup.dll', data }]),
  'a ZIP file in a ZIP file': (data) => zipOf([{ name: 'inner.zip', data: zipOf([{ name: 'setup.dll', data }]) }]),
  'a gzip file': (data) => gzipOf(data, 'setup.dll'),
  'a packed tar file': (data) => gzipSync(tarOf([{ name: 'setup.dll', data }])),
};

test('clamd finds what it knows in packed companions, and calls others clean', async (t) => {
  const clamd = await startClamd(t);
  if (clamd === null) return;
  const scan = scanner(t, clamd);
  for (const [how, pack] of Object.entries(packed)) {
    const bytes = pack(Buffer.from(`${marker} `.repeat(20)));
    assert.ok(!bytes.includes(marker), `${how}: the words must not stand in the file`);
    const found = await scan(bytes);
    assert.equal(found.verdict, 'malicious', `${how}: ${JSON.stringify(found.findings)}`);
    assert.deepEqual(found.findings.map(({ engine, code }) => [engine, code]), [['clamd', 'malware-signature']], how);
    const other = await scan(pack(Buffer.from('words that nobody looks for '.repeat(20))));
    assert.deepEqual([other.verdict, other.findings], ['clean', []], how);
  }
});

test('a companion that clamd does not look through is not called clean', async (t) => {
  const clamd = await startClamd(t, ['MaxRecursion 4', 'MaxFiles 20', 'StreamMaxLength 2M']);
  if (clamd === null) return;
  const scan = scanner(t, clamd);
  const codesOf = async (bytes: Buffer): Promise<unknown> => {
    const { verdict, findings } = await scan(bytes);
    return [verdict, findings.map(({ engine, code }) => [engine, code])];
  };
  const limited = ['unscannable', [['clamd', 'engine-limit']]];
  assert.deepEqual(await codesOf([1, 2, 3, 4, 5, 6].reduce<Buffer>((data) => gzipSync(data), Buffer.from('packed often'))), limited);
  assert.deepEqual(await codesOf(zipOf(Array.from({ length: 40 }, (_, index) => ({ name: `${index}.txt`, data: Buffer.from(`page ${index}`) })))), limited);
  assert.deepEqual(await codesOf(Buffer.concat([zipOf([{ name: 'READ.ME', data: Buffer.from('nothing') }]), Buffer.alloc(4_000_000, 7)])), limited);
  clamd.kill();
  const { verdict } = await scan(packed['a ZIP file']!(Buffer.from('words that nobody looks for')));
  assert.equal(verdict, 'unscannable');
});
