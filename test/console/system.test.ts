/** The console on the whole system: what arrives by STOW is there, held with its reason and its file map; a person signs in and decides. */
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { test } from 'node:test';
import { join } from 'node:path';
import { build } from 'vite';
import { recipes } from '../../tools/recipes/all.ts';
import { stow } from '../conformance/web.ts';
import { entriesOf, settled } from '../ledger.ts';
import { peer } from '../peers.ts';
import { repository, startSystem } from '../system.ts';
import { axeFindings, launch, openPage } from './browser.ts';

const pictures = process.env['LAZARET_PICTURES'];
const sent = ['ct-512', 'pedicom', 'truncated', 'preamble-tiff', 'trailing-zeros', 'trailing-pe', 'text-like-code', 'nesting-1060', 'zip-nested'];

test('sign in, see why it is held and where in its bytes, release it with a reason', async (t) => {
  const chromium = peer(t, 'chromium');
  if (chromium === null) return;
  await build({ configFile: join(repository, 'console/vite.config.ts'), logLevel: 'warn' });
  const system = await startSystem(t);
  // With an administrator the sign-in page asks for a name, not for the one-time code.
  await system.lazaret('user', 'add', 'root', '--role', 'administrator', '--json');
  const added = await system.lazaret('user', 'add', 'm.lind', '--role', 'reviewer', '--json');
  const { password } = JSON.parse(added.stdout) as { password: string };
  for (const name of sent) await stow(system, [recipes.find((recipe) => recipe.name === name)!.bytes()]);
  await settled(system);
  const entries = await entriesOf(system);
  const malformed = entries.find((entry) => entry.verdict === 'malformed');
  assert.ok(malformed !== undefined, JSON.stringify(entries.map(({ verdict, state }) => [verdict, state])));

  const browser = await launch(chromium);
  t.after(() => browser.close());
  const { page, faults } = await openPage(browser, system.https);
  const picture = async (name: string): Promise<void> => {
    if (pictures === undefined) return;
    await mkdir(pictures, { recursive: true });
    await page.screenshot({ path: join(pictures, `system-${name}.png`) });
  };
  await page.goto(`${system.https}/console/held`);
  await page.waitForURL(/\/sign-in\?to=/);
  await page.getByLabel('Name', { exact: true }).fill('m.lind');
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'Held' }).waitFor();
  await page.locator('[data-row]').first().waitFor();
  assert.equal(await page.locator('[data-row]').count(), entries.filter((entry) => entry.state === 'held').length);
  await picture('held');
  let insides = 0;
  for (const entry of entries) {
    await page.goto(`${system.https}/console/objects/${entry.objectId}`);
    await page.getByRole('slider').waitFor();
    await page.getByText(/^Bytes \d/).waitFor();
    assert.deepEqual(await axeFindings(page), [], entry.objectId);
    await picture(`${entry.verdict}-${entry.objectId.slice(0, 4)}`);
    const inside = page.getByRole('tab', { name: /^Inside/ });
    if (await inside.count() === 0) continue;
    // A program in a ZIP file in a ZIP file: the tree names it.
    await inside.click();
    const row = page.getByRole('row', { name: /evil\.exe/ });
    await row.getByText('A program is inside').waitFor();
    assert.deepEqual(await axeFindings(page), [], 'inside');
    await picture('inside');
    insides += 1;
  }
  assert.equal(insides, 1);
  await page.goto(`${system.https}/console/system`);
  await page.getByRole('heading', { name: 'Engines' }).waitFor();
  await picture('status');
  await page.goto(`${system.https}/console/arrivals`);
  await page.locator('[data-row]').first().waitFor();
  await picture('arrivals');

  await page.goto(`${system.https}/console/objects/${malformed.objectId}`);
  await page.getByRole('button', { name: 'Release…' }).click();
  await page.getByRole('textbox', { name: 'Reason' }).fill('Seen with the radiologist on call, complete enough.');
  await page.getByRole('button', { name: 'Release', exact: true }).click();
  await page.getByText('Released. It is on its way to the archive.').waitFor();
  assert.match((await entriesOf(system)).find((entry) => entry.objectId === malformed.objectId)?.state ?? '', /^(released|cleared|archived)$/);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.waitForURL(/\/sign-in/);
  assert.deepEqual(faults, []);
});
