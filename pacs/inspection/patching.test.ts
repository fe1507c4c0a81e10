/** What an identity writes into an object passes the engines: real examiners, and a real clamd where there is one. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test, type TestContext } from 'node:test';
import { marker, startClamd } from '@lazaret/test/late/clamd.ts';
import { recipes } from '@lazaret/tools/recipes/all.ts';
import { eicar } from '@lazaret/tools/recipes/inert.ts';
import type { Digest, ObjectId } from '../reception/contract.ts';
import type { Work } from '../quarantine/contract.ts';
import type { PatchAnswer } from '../quarantine/patch.ts';
import { clamdEngine, type ClamdTarget } from './engines/clamd.ts';
import type { Engine } from './engines/engine.ts';
import { Inspection } from './inspection.ts';
import { Pool } from './pool.ts';

const folder = mkdtempSync(join(tmpdir(), 'lazaret-patching-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const local = { patientName: 'MUSTER^MARIA', patientID: '4711', issuerOfPatientID: 'HOUSE', patientBirthDate: '19700101', patientSex: 'F', accessionNumber: 'A9', studyDescription: 'Brought from elsewhere' };
const provenance = { dateTime: '20261124130000.000000+0000', system: 'Lazaret', source: 'DISC' };

function inspectionWith(t: TestContext, clamd: Engine<ClamdTarget> | null): Inspection {
  const pool = new Pool({ start: () => ({ command: process.execPath, args: [join(import.meta.dirname, '../../processes/examiner/main.ts')], env: {} }), examiners: 1, memoryBytesMax: 2 ** 30 });
  t.after(() => pool.close());
  return new Inspection(pool, clamd);
}

async function patched(inspection: Inspection, name: string, identity: Partial<typeof local>): Promise<PatchAnswer> {
  const bytes = recipes.find((recipe) => recipe.name === name)!.bytes();
  const path = join(folder, name);
  writeFileSync(path, bytes);
  const work: Work = { objectId: '0'.repeat(32) as ObjectId, bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') as Digest, sopClassUID: '', sopInstanceUID: '', transferSyntaxUID: '', peer: '' };
  return (await inspection.patch(work, path, { identity: { ...local, ...identity }, provenance }))!;
}

test('a name that is known to be malicious is not written into anything, deflated or not', async (t) => {
  const inspection = inspectionWith(t, null);
  for (const name of ['ct-512', 'ct-deflated']) {
    const clean = await patched(inspection, name, {});
    assert.deepEqual([clean.outcome, clean.text], ['patched', ''], name);
    assert.ok(clean.patches.length > 0);
    const harmful = await patched(inspection, name, { patientName: eicar().toString('latin1') });
    assert.equal(harmful.outcome, 'impossible', name);
    assert.match(harmful.text, /^What would be written into the object was not found clean, in \(0010,0010\): .*EICAR/i, name);
    assert.deepEqual([harmful.patches, harmful.metadata], [[], '']);
  }
});

test('clamd looks at what is written, too; where it does not answer, nothing is', async (t) => {
  const away = inspectionWith(t, { name: 'clamd', version: async () => ({ name: 'clamd', version: '', signatures: '', state: 'missing', text: 'gone' }), scan: async () => [{ code: 'engine-failed', offset: 0, length: 0, tag: '', engine: 'clamd', text: 'clamd does not answer' }] });
  assert.match((await patched(away, 'ct-512', {})).text, /clamd does not answer/);
  const clamd = await startClamd(t);
  if (clamd === null) return;
  const inspection = inspectionWith(t, clamdEngine(clamd.address));
  assert.equal((await patched(inspection, 'ct-512', {})).outcome, 'patched');
  assert.match((await patched(inspection, 'ct-512', { studyDescription: marker.toString() })).text, /not found clean: clamd recognises Lazaret\.Inert\.Late/);
});
