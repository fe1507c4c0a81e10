/** Whose an archived study is, changed and taken back in real Chromium on the whole system: by keyboard, with a reason, on the record; and who may not. */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { build } from 'vite';
import type { Receipt } from '../../pacs/reception/media/contract.ts';
import { slices } from '../../tools/recipes/media.ts';
import { patients } from '../../tools/recipes/objects.ts';
import { entriesOf } from '../ledger.ts';
import { Media } from '../media/medium.ts';
import { peer } from '../peers.ts';
import { repository, startSystem } from '../system.ts';
import { axeFindings, launch, openPage, signIn } from './browser.ts';

const pictures = process.env['LAZARET_PICTURES'];
const [here, elsewhere] = patients as readonly [typeof patients[number], typeof patients[number]];
const family = (name: string): string => name.split('^')[0]!;

test('a study is put under another patient and back, by keyboard, with both identities side by side', { timeout: 300_000 }, async (t) => {
  const chromium = peer(t, 'chromium');
  if (chromium === null) return;
  await build({ configFile: join(repository, 'console/vite.config.ts'), logLevel: 'warn' });
  const system = await startSystem(t);
  const media = new Media('study');
  t.after(() => rmSync(media.folder, { recursive: true, force: true }));
  const passwords: Record<string, string> = {};
  for (const [name, role] of [['root', 'administrator'], ['m.lind', 'reviewer'], ['v.iewer', 'viewer']] as const) passwords[name] = (JSON.parse((await system.lazaret('user', 'add', name, '--role', role, '--json')).stdout) as { password: string }).password;
  await system.lazaret('import', media.make(slices({ name: 'known here', count: 1, patient: here })), '--as-is');
  const receipt = JSON.parse((await system.lazaret('import', media.make(slices({ name: 'brought along', count: 3, patient: elsewhere })), '--as-is', '--json')).stdout) as Receipt;
  const study = receipt.studies[0]!.studyInstanceUID;
  const foundUnder = async (patientID: string): Promise<boolean> => {
    const { body } = await system.ask(`/dicomweb/studies?StudyInstanceUID=${study}&PatientID=${encodeURIComponent(patientID)}`);
    return body.length > 0 && (JSON.parse(body.toString()) as unknown[]).length === 1;
  };
  assert.deepEqual([await foundUnder(elsewhere.id), await foundUnder(here.id)], [true, false]);

  const browser = await launch(chromium);
  t.after(() => browser.close());
  const signedIn = async (name: string, path: string) => {
    const opened = await openPage(browser, system.https);
    await opened.page.goto(`${system.https}/console/${path}`);
    await signIn(opened.page, name, passwords[name]!);
    return opened;
  };
  const object = (await entriesOf(system)).find(({ studyInstanceUID }) => studyInstanceUID === study)!;
  const { page, faults } = await signedIn('m.lind', `objects/${object.objectId}`);
  const look = async (name: string): Promise<void> => {
    assert.deepEqual(await axeFindings(page), [], name);
    if (pictures === undefined) return;
    await mkdir(pictures, { recursive: true });
    await page.screenshot({ path: join(pictures, `study-${name}.png`), fullPage: true });
  };
  const focused = (): Promise<string> => page.evaluate(() => document.activeElement?.textContent?.trim() ?? '');

  await page.getByRole('link', { name: 'Under whom the study is shown' }).click();
  await page.getByRole('heading', { name: 'Whose it is' }).waitFor();
  await page.getByText('It is shown as it was received').waitFor();
  await page.getByText('Nobody yet').waitFor();
  await look('as-received');
  assert.equal(await page.getByRole('button', { name: /^Undo/ }).count(), 0, 'there is nothing to undo');

  // By keyboard from here on.
  await page.getByRole('button', { name: 'Change whose it is…' }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Whose is it?' }).waitFor();
  assert.equal(await focused(), 'Whose is it?');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Control+A');
  await page.keyboard.type(family(here.name));
  const card = page.getByRole('article').filter({ hasText: here.id });
  await card.waitFor();
  await card.getByText('As received').first().waitFor();
  await look('search');
  await card.getByRole('button', { name: /^It is this one/ }).focus();
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('table').waitFor();
  const confirm = dialog.getByRole('button', { name: 'Change whose it is' });
  assert.equal(await confirm.isDisabled(), true, 'a reason first');
  // Escape leaves everything as it is.
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  await card.getByRole('button', { name: /^It is this one/ }).focus();
  await page.keyboard.press('Enter');
  await dialog.getByLabel('Reason').fill('The patient said so at the desk, see the referral.');
  await look('confirm');
  await confirm.focus();
  await page.keyboard.press('Enter');
  await dialog.waitFor({ state: 'detached' });
  await page.getByText('It is shown as that of').waitFor();
  assert.equal(await focused(), 'Whose it is');
  await page.getByText('3 objects').waitFor();
  await look('changed');
  assert.deepEqual([await foundUnder(elsewhere.id), await foundUnder(here.id)], [false, true]);
  assert.match((await system.lazaret('reconcile', study, '--history')).stdout, /m\.lind.*see the referral/);

  await page.getByRole('button', { name: /^Undo/ }).focus();
  await page.keyboard.press('Enter');
  await dialog.getByRole('heading', { name: 'Back to what was received' }).waitFor();
  await dialog.getByLabel('Reason').fill('It was the other one of the two.');
  await look('undo');
  await dialog.getByRole('button', { name: 'Show it as received' }).focus();
  await page.keyboard.press('Enter');
  await page.getByText('It is shown as it was received').waitFor();
  assert.deepEqual([await foundUnder(elsewhere.id), await foundUnder(here.id)], [true, false]);
  assert.equal(await page.getByRole('list').filter({ hasText: 'see the referral' }).getByRole('listitem').count(), 2);
  assert.match((await system.lazaret('audit', 'show')).stdout, /m\.lind/);
  assert.deepEqual(faults, []);

  const viewer = await signedIn('v.iewer', `studies/${study}`);
  await viewer.page.getByText('A reviewer can change whose it is.').waitFor();
  assert.equal(await viewer.page.getByRole('button', { name: /Change whose it is/ }).count(), 0);
  const refused = await viewer.page.evaluate(async (uid) => (await fetch(`/console/api/studies/${uid}/identity`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ replacement: null, reason: 'I would like to have it so' }) })).status, study);
  assert.equal(refused, 403);
  await viewer.page.goto(`${system.https}/console/studies/1.2.3`);
  await viewer.page.getByText('This study cannot be shown').waitFor();
  assert.deepEqual(await axeFindings(viewer.page), []);
});
