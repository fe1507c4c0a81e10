/** Other people's programs send to us, and read back what we serve. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { benignRecipes } from '../../tools/recipes/all.ts';
import { writeSeries } from '../../tools/recipes/series.ts';
import { entriesOf, settled } from '../ledger.ts';
import { startOrthanc } from '../orthanc.ts';
import { pydicomFiles, unlessInstalled } from '../peers.ts';
import { run, startSystem, type System } from '../system.ts';
import { findInstance, partsOf, retrieve, stow, uidIn } from './web.ts';

function temporary(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'lazaret-peers-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes every archived instance, as WADO-RS serves it, to a folder. */
async function retrieveAll(system: System, folder: string): Promise<number> {
  let count = 0;
  for (const entry of (await entriesOf(system)).filter((one) => one.state === 'archived')) {
    const found = await findInstance(system, entry.sopInstanceUID);
    assert.equal(found.length, 1, `${entry.sopInstanceUID} is archived and QIDO-RS finds ${found.length}`);
    const answer = await retrieve(system, { studyInstanceUID: uidIn(found[0]!, '0020000D'), seriesInstanceUID: uidIn(found[0]!, '0020000E'), sopInstanceUID: entry.sopInstanceUID });
    assert.equal(answer.status, 200, `WADO-RS of ${entry.sopInstanceUID}: ${answer.body.toString('utf8', 0, 200)}`);
    writeFileSync(join(folder, `${String(count++).padStart(4, '0')}.dcm`), partsOf(answer)[0]!);
  }
  return count;
}

test('DCMTK: echoscu and storescu of a series', { skip: unlessInstalled('echoscu', 'storescu') }, async (t) => {
  const system = await startSystem(t);
  const folder = temporary(t);
  const paths = writeSeries(folder, { slices: 12, size: 128 });
  const port = String(system.dimse.port);
  const echo = await run('echoscu', ['-aec', 'LAZARET', system.dimse.host, port]);
  assert.equal(echo.code, 0, echo.stderr);
  const store = await run('storescu', ['-aec', 'LAZARET', system.dimse.host, port, ...paths]);
  assert.equal(store.code, 0, store.stderr);
  const counts = await settled(system);
  assert.equal(counts.archived, 12);
  const series = JSON.parse((await system.ask('/dicomweb/series?Modality=CT', { headers: { accept: 'application/dicom+json' } })).body.toString('utf8')) as Record<string, { Value?: unknown[] }>[];
  assert.equal(series.length, 1);
  assert.equal(series[0]!['00201209']?.Value?.[0], 12, 'Number of Series Related Instances');
});

test('pydicom and dciodvfy read back what WADO-RS serves', { skip: unlessInstalled('dciodvfy', 'dcmdump', 'python3') }, async (t) => {
  const system = await startSystem(t);
  const folder = temporary(t);
  for (const recipe of benignRecipes) await stow(system, [recipe.bytes()]);
  await settled(system);
  const count = await retrieveAll(system, folder);
  assert.equal(count, benignRecipes.length);
  const files = readdirSync(folder).map((name) => join(folder, name));
  const script = 'import sys,pydicom\nfor p in sys.argv[1:]:\n    d=pydicom.dcmread(p); str(d); assert d.file_meta.TransferSyntaxUID\nprint(len(sys.argv)-1)';
  const python = await run('/usr/bin/python3', ['-W', 'ignore', '-c', script, ...files]);
  assert.equal(python.code, 0, python.stderr);
  for (const file of files) {
    const dump = await run('dcmdump', ['-q', file]);
    assert.equal(dump.code, 0, `${file}: ${dump.stderr}`);
  }
  // dciodvfy judges IODs and not only encodings; the whole CT slice has to please it entirely.
  const slice = benignRecipes.find((recipe) => recipe.name === 'ct-512')!.transfer!();
  const entry = (await entriesOf(system)).find((one) => one.sopInstanceUID === slice.sopInstanceUID)!;
  const found = await findInstance(system, entry.sopInstanceUID);
  const answer = await retrieve(system, { studyInstanceUID: uidIn(found[0]!, '0020000D'), seriesInstanceUID: uidIn(found[0]!, '0020000E'), sopInstanceUID: entry.sopInstanceUID });
  const path = join(folder, 'slice.dcm');
  writeFileSync(path, partsOf(answer)[0]!);
  const verified = await run('dciodvfy', [path]);
  assert.deepEqual(verified.stderr.split('\n').filter((line) => line.startsWith('Error')), []);
});

test('Orthanc sends to us by C-STORE', { skip: unlessInstalled('Orthanc') }, async (t) => {
  const system = await startSystem(t);
  const orthanc = await startOrthanc(t, { lazaret: ['LAZARET', system.dimse.host, system.dimse.port] });
  const folder = temporary(t);
  writeSeries(folder, { slices: 6, size: 128 });
  for (const name of readdirSync(join(folder, '001'))) await orthanc.json('/instances', { method: 'POST', body: readFileSync(join(folder, '001', name)) });
  assert.equal(typeof (await orthanc.json('/modalities/lazaret/echo', { method: 'POST', body: '{}' })), 'object');
  const studies = (await orthanc.json('/studies')) as string[];
  const answer = (await orthanc.json('/modalities/lazaret/store', { method: 'POST', body: JSON.stringify({ Resources: studies, Synchronous: true }) })) as { InstancesCount?: number; FailedInstancesCount?: number };
  assert.equal(answer.FailedInstancesCount, 0);
  const counts = await settled(system);
  assert.equal(counts.archived, 6);
});

test('pydicom\'s files by storescu end in the archive, or held with reasons', { skip: pydicomFiles() === null ? 'there is no such folder here' : unlessInstalled('storescu') }, async (t) => {
  const system = await startSystem(t);
  const files = readdirSync(pydicomFiles()!, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  let stored = 0;
  const refused: string[] = [];
  for (const file of files) {
    // DCMTK refuses some itself: damaged files and what is no Composite Instance. -xf would need a profile for each; -R proposes what the file is.
    const sent = await run('storescu', ['-R', '-aec', 'LAZARET', system.dimse.host, String(system.dimse.port), file]);
    if (sent.code === 0) stored++;
    else refused.push(`${file}: ${sent.stderr.trim().split('\n').slice(0, 2).join(' | ')}`);
  }
  assert.ok(stored > 60, `only ${stored} of ${files.length} could be sent:\n${refused.join('\n')}`);
  await settled(system);
  const entries = await entriesOf(system);
  for (const entry of entries) {
    if (entry.state === 'archived') assert.equal(entry.verdict, 'clean');
    else {
      assert.equal(entry.state, 'held');
      assert.ok(entry.findings.length > 0 || entry.conflicts.length > 0, `${entry.sopInstanceUID} is held without a reason`);
      assert.notEqual(entry.verdict, 'malicious', `${entry.sopInstanceUID}: ${entry.findings.map((finding) => finding.code).join()}`);
    }
  }
  assert.ok(entries.filter((entry) => entry.state === 'archived').length > entries.length / 2);
});
