/** A held object handed to a specialist, in real Chromium on the whole system: encrypted, on the record first, the passphrase shown once; and who is refused. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { BlobReader, BlobWriter, configure, TextWriter, ZipReader, type FileEntry } from '@zip.js/zip.js';
import { build } from 'vite';
import { recipes } from '../../tools/recipes/all.ts';
import { stow } from '../conformance/web.ts';
import { entriesOf, settled } from '../ledger.ts';
import { peer } from '../peers.ts';
import { repository, startSystem } from '../system.ts';
import { axeFindings, launch, openHeld } from './browser.ts';

const pictures = process.env['LAZARET_PICTURES'];
configure({ useWebWorkers: false });

test('export encrypted from the page of a held object', async (t) => {
  const chromium = peer(t, 'chromium');
  if (chromium === null) return;
  await build({ configFile: join(repository, 'console/vite.config.ts'), logLevel: 'warn' });
  const system = await startSystem(t);
  const passwords: Record<string, string> = {};
  for (const [name, role] of [['root', 'administrator'], ['m.lind', 'reviewer'], ['v.iewer', 'viewer']] as const) passwords[name] = (JSON.parse((await system.lazaret('user', 'add', name, '--role', role, '--json')).stdout) as { password: string }).password;
  const sent = recipes.find((recipe) => recipe.name === 'icon-long')!.bytes();
  await stow(system, [sent]);
  await stow(system, [recipes.find((recipe) => recipe.name === 'pedicom')!.bytes()]);
  await settled(system);
  const held = (await entriesOf(system)).filter(({ state }) => state === 'held');
  const malformed = held.find(({ verdict }) => verdict === 'malformed')!;
  const malicious = held.find(({ verdict }) => verdict === 'malicious')!;

  const browser = await launch(chromium);
  t.after(() => browser.close());
  const signedIn = (name: string) => openHeld(browser, system.https, name, passwords[name]!);
  const { page, faults } = await signedIn('m.lind');
  await page.goto(`${system.https}/console/objects/${malformed.objectId}`);
  await page.getByRole('button', { name: 'Export encrypted…' }).click();
  const make = page.getByRole('button', { name: 'Make the file' });
  await page.getByLabel('Who gets it?').fill('Supplier, service desk');
  assert.equal(await make.isDisabled(), true, 'a reason first');
  await page.getByLabel('Why?').fill('they must mend the writer');
  await page.getByRole('checkbox').uncheck();
  assert.deepEqual(await axeFindings(page), []);
  const [download] = await Promise.all([page.waitForEvent('download'), make.click()]);
  await page.getByRole('heading', { name: 'The file is made' }).waitFor();
  assert.deepEqual(await axeFindings(page), []);
  if (pictures !== undefined) {
    await mkdir(pictures, { recursive: true });
    await page.screenshot({ path: join(pictures, 'export-made.png') });
  }
  assert.equal(download.suggestedFilename(), `held-${malformed.objectId.slice(0, 8)}.zip`);
  const passphrase = /[A-Z2-9]{5}(?:-[A-Z2-9]{5}){4}/.exec(await page.getByRole('dialog').innerText())![0];
  const zip = new ZipReader(new BlobReader(new Blob([await readFile(await download.path())])));
  const entries = (await zip.getEntries()) as FileEntry[];
  assert.ok(entries.every(({ encrypted }) => encrypted));
  const entry = (name: string): FileEntry => entries.find(({ filename }) => filename.endsWith(name))!;
  const object = await entry('object.quarantined').getData(new BlobWriter(), { password: passphrase });
  assert.deepEqual(Buffer.from(await object.arrayBuffer()), Buffer.from(await readFile(join(system.layout.quarantine, malformed.objectId.slice(0, 2), malformed.objectId))));
  assert.match(await entry('manifest.json').getData(new TextWriter(), { password: passphrase }), /Supplier, service desk/);
  await assert.rejects(() => entry('manifest.json').getData(new TextWriter(), { password: 'WRONG-WRONG-WRONG-WRONG-WRONG' }));
  await zip.close();
  await page.getByRole('button', { name: 'I have the passphrase' }).click();
  assert.doesNotMatch(await page.content(), new RegExp(passphrase), 'shown once');
  assert.match((await system.lazaret('audit', 'show')).stdout, /Export[^]*m\.lind/);

  // De-identified, as it is offered first: nothing in the file says whose it is, and pydicom reads that it was de-identified.
  await page.getByRole('button', { name: 'Export encrypted…' }).click();
  await page.getByLabel('Who gets it?').fill('Laboratory');
  await page.getByLabel('Why?').fill('what writes such files');
  assert.equal(await page.getByRole('checkbox').isChecked(), true);
  const [second] = await Promise.all([page.waitForEvent('download'), make.click()]);
  await page.getByRole('heading', { name: 'The file is made' }).waitFor();
  const password = /[A-Z2-9]{5}(?:-[A-Z2-9]{5}){4}/.exec(await page.getByRole('dialog').innerText())![0];
  const other = new ZipReader(new BlobReader(new Blob([await readFile(await second.path())])));
  const parts = new Map<string, Buffer>();
  for (const part of (await other.getEntries()) as FileEntry[]) parts.set(part.filename.split('/').at(-1)!, Buffer.from(await (await part.getData(new BlobWriter(), { password })).arrayBuffer()));
  await other.close();
  for (const [name, bytes] of parts) for (const said of [malformed.patientName, malformed.patientID, malformed.sopInstanceUID, malformed.studyInstanceUID]) assert.ok(said.length > 4 && !bytes.includes(said), `${name}: ${said}`);
  if (peer(t, 'python3') !== null) {
    const path = join(system.data, 'leaving.dcm');
    await writeFile(path, parts.get('object.quarantined')!);
    const program = 'import pydicom, sys; o = pydicom.dcmread(sys.argv[1]); print(o.PatientIdentityRemoved, "; ".join(o.DeidentificationMethod), repr(str(o.PatientName)), o.SOPInstanceUID[:5], o.file_meta.MediaStorageSOPInstanceUID == o.SOPInstanceUID)';
    assert.equal(execFileSync('/usr/bin/python3', ['-W', 'ignore', '-c', program, path], { encoding: 'utf8' }), "YES PS3.15 2024b Basic Profile; Pixels not cleaned '' 2.25. True\n");
  }
  await page.getByRole('button', { name: 'I have the passphrase' }).click();

  await page.goto(`${system.https}/console/objects/${malicious.objectId}`);
  await page.getByText('only somebody with the role security may take it out').waitFor();
  assert.deepEqual(faults, []);
  const wanted = { reason: 'I would like to have it', destination: 'home', deIdentified: false };
  const ask = (opened: typeof page, id: string) => opened.evaluate(async ([objectId, body]) => (await fetch(`/console/api/objects/${objectId}/export`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })).status, [id, wanted] as const);
  assert.equal(await ask(page, malicious.objectId), 403, 'a reviewer does not take out what is malicious');
  const viewer = await signedIn('v.iewer');
  assert.equal(await viewer.page.getByRole('button', { name: 'Export encrypted…' }).count(), 0);
  assert.equal(await ask(viewer.page, malformed.objectId), 403);
});
