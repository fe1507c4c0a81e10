/** Undoing a bad day in the console, on the whole system: a medium is traced and withdrawn, held objects are decided on together, a sender is asked again, and it all comes back. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { build } from 'vite';
import type { Receipt } from '../../pacs/reception/media/contract.ts';
import { recipes } from '../../tools/recipes/all.ts';
import { infectedDisc, writeFolder } from '../../tools/recipes/media.ts';
import { stow } from '../conformance/web.ts';
import { entriesOf, settled } from '../ledger.ts';
import { peer } from '../peers.ts';
import { repository, startSystem } from '../system.ts';
import { axeFindings, launch, openPage, signIn } from './browser.ts';

const pictures = process.env['LAZARET_PICTURES'];
const reason = 'The disc belongs to another hospital, see the call of this morning.';

test('a medium is traced, withdrawn and brought back; its held objects are decided on together; a sender is asked again', { timeout: 300_000 }, async (t) => {
  const chromium = peer(t, 'chromium');
  if (chromium === null) return;
  await build({ configFile: join(repository, 'console/vite.config.ts'), logLevel: 'warn' });
  const system = await startSystem(t);
  await system.lazaret('user', 'add', 'root', '--role', 'administrator', '--json');
  const { password } = JSON.parse((await system.lazaret('user', 'add', 'm.lind', '--role', 'reviewer', '--json')).stdout) as { password: string };
  const folder = await mkdtemp(join(tmpdir(), 'lazaret-undo-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const disc = join(folder, 'DISC OF 2001');
  mkdirSync(disc);
  writeFolder(disc, infectedDisc('undo'));
  const asIs = (await system.lazaret('import', '--nothing')).stderr.includes('--as-is') ? ['--as-is'] : [];
  const receipt = JSON.parse((await system.lazaret('import', disc, ...asIs, '--json')).stdout) as Receipt;
  assert.deepEqual([receipt.archived, receipt.held], [6, 1]);
  const study = receipt.studies[0]!.studyInstanceUID;
  for (const name of ['truncated', 'text-like-code', 'nesting-1060']) await stow(system, [recipes.find((recipe) => recipe.name === name)!.bytes()]);
  await settled(system);
  // Somebody has looked at it.
  assert.equal((await system.ask(`/dicomweb/studies/${study}`, { headers: { accept: 'multipart/related; type="application/dicom"' } })).status, 200);
  const inSight = async (): Promise<number> => {
    const { body } = await system.ask(`/dicomweb/studies/${study}/instances`);
    return body.length === 0 ? 0 : (JSON.parse(body.toString()) as unknown[]).length;
  };
  assert.equal(await inSight(), 6);

  const browser = await launch(chromium);
  t.after(() => browser.close());
  const { page, faults } = await openPage(browser, system.https);
  const look = async (name: string): Promise<void> => {
    assert.deepEqual(await axeFindings(page), [], name);
    if (pictures === undefined) return;
    await mkdir(pictures, { recursive: true });
    await page.screenshot({ path: join(pictures, `undo-${name}.png`), fullPage: true });
  };
  await page.goto(`${system.https}/console/held?by=medium`);
  await page.waitForURL(/\/sign-in\?to=/);
  await signIn(page, 'm.lind', password);
  await page.locator('[data-row]').first().waitFor();
  // The medium with what is malicious is on top.
  assert.match((await page.locator('[data-row]').first().textContent()) ?? '', /DISC OF 2001/);
  await page.locator('[data-row]').first().click();
  await page.getByRole('link', { name: 'Known malicious software' }).waitFor();
  await look('held-by-medium');

  // A release of all of it takes nothing malicious along.
  await page.getByRole('button', { name: 'Release… all of DISC OF 2001' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('unless you tick it').waitFor();
  assert.ok(await dialog.getByRole('button', { name: 'Release 0 objects' }).isDisabled());
  await look('release-group');
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('radio', { name: 'By study' }).click();
  await page.waitForURL(/by=study/);
  await page.locator('[data-row]').first().waitFor();
  await look('held-by-study');

  // From the held object to its medium, and all of that out of sight.
  const entries = await entriesOf(system);
  const onDisc = entries.find(({ source, state }) => source.door === 'media' && state === 'held')!;
  assert.ok(onDisc !== undefined);
  await page.goto(`${system.https}/console/trace?id=${onDisc.objectId}`);
  await page.getByRole('heading', { name: 'The medium' }).waitFor();
  await page.getByText('VIEWER/VIEWER.EXE').waitFor();
  await page.getByRole('link', { name: 'DISC OF 2001' }).click();
  await page.waitForURL(/import=/);
  await page.getByRole('button', { name: 'Withdraw…' }).click();
  await dialog.getByText('opened it').first().waitFor();
  await look('withdraw-preview');
  await dialog.getByRole('textbox', { name: 'Reason' }).fill(reason);
  await dialog.getByRole('button', { name: 'Withdraw 6 objects' }).click();
  await dialog.getByText('6 objects cannot be found or opened any more').waitFor();
  assert.equal(await inSight(), 0);
  await look('withdrawn');
  await dialog.getByRole('button', { name: 'Close' }).click();
  await page.getByRole('heading', { name: 'Withdrawals' }).waitFor();
  await page.getByRole('button', { name: /^medium DISC OF 2001/ }).click();
  await look('withdrawals');
  await page.getByRole('button', { name: /^Bring back…/ }).click();
  await dialog.getByRole('textbox', { name: 'Reason' }).fill('It was the right disc after all, said the ward.');
  await look('bring-back');
  await dialog.getByRole('button', { name: 'Bring back 6 objects' }).click();
  await page.getByText('6 back').waitFor();
  assert.equal(await inSight(), 6);

  // Everything that came in a time, from whomever.
  await page.goto(`${system.https}/console/trace`);
  await page.getByLabel('Trace an object, a medium, a source or a time').selectOption('time');
  await page.getByRole('button', { name: 'Trace', exact: true }).click();
  await page.waitForURL(/since=.*until=/);
  await page.getByRole('heading', { name: 'The spread' }).waitFor();
  await page.getByRole('button', { name: 'Withdraw…' }).click();
  await dialog.getByText(/^Everything received /).waitFor();
  await dialog.getByRole('button', { name: /^Withdraw \d+ objects?$/ }).waitFor();
  await look('withdraw-time');
  await dialog.getByRole('button', { name: 'Cancel' }).click();

  // The sender of what is only damaged is asked again.
  const damaged = entries.find(({ verdict, source }) => verdict === 'malformed' && source.door === 'stow')!;
  await page.goto(`${system.https}/console/objects/${damaged.objectId}`);
  await page.getByRole('button', { name: 'Ask again…' }).click();
  assert.match(await page.getByRole('textbox', { name: 'Text of the request' }).inputValue(), new RegExp(damaged.sopInstanceUID.replaceAll('.', '\\.')));
  assert.match((await page.getByRole('link', { name: 'Write a mail' }).getAttribute('href')) ?? '', /^mailto:\?subject=/);
  await look('ask-again');
  await dialog.getByRole('button', { name: 'Close' }).click();
  await page.getByText('m.lind asked for it again').waitFor();
  assert.deepEqual(faults, []);
});
