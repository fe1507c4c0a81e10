/** The console in real Chromium over sample objects: every page, size and scheme; the policy, axe, keys alone, what a hostile name does. */
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { after, test, type TestContext } from 'node:test';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { build } from 'vite';
import type { Actor } from '../../pacs/access/actions.ts';
import { unavailable } from '../../system/failure.ts';
import { peer } from '../peers.ts';
import { repository } from '../system.ts';
import { axeFindings, launch, openPage, serveConsole } from './browser.ts';
import { sampleKeeper } from './sample.ts';

let started: Promise<Browser> | null = null;
/** Chromium on pages built from the sources as they are; null, and the test skipped, where there is none. */
async function chromiumFor(t: TestContext): Promise<Browser | null> {
  const path = peer(t, 'chromium');
  if (path === null) return null;
  started ??= build({ configFile: join(repository, 'console/vite.config.ts'), logLevel: 'warn' }).then(() => launch(path));
  return started;
}
after(async () => { await (await started)?.close(); });

const reviewer: Actor = { kind: 'person', name: 'm.lind', roles: ['reviewer'], address: '127.0.0.1' };

/** A console over sample objects; skipped where there is no Chromium. */
async function sampled(t: TestContext, actor: () => Actor = () => reviewer) {
  const browser = await chromiumFor(t);
  if (browser === null) return null;
  const keeper = sampleKeeper(Date.now());
  const served = await serveConsole(keeper, actor);
  t.after(() => served.close());
  return { browser, keeper, origin: served.origin, path: (name: string): string => `${served.origin}/console/objects/${keeper.ids[name]}` };
}
/** Loaded: nothing says any more that it is loading. */
async function settled(page: Page): Promise<void> {
  await page.locator('h1').first().waitFor();
  await page.getByText('Loading', { exact: false }).first().waitFor({ state: 'detached' });
}

/** Where pictures go when somebody wants to look at them: `LAZARET_PICTURES=DIR`. */
const pictures = process.env['LAZARET_PICTURES'];

test('every page, in both schemes and sizes: no violation of the policy, no error, no request elsewhere, nothing for axe', async (t) => {
  const at = await sampled(t);
  if (at === null) return;
  if (pictures !== undefined) await mkdir(pictures, { recursive: true });
  const pages: [name: string, url: string][] = [
    ['arrivals', `${at.origin}/console/`], ['held', `${at.origin}/console/held`], ['held-medium', `${at.origin}/console/held?by=medium`], ['held-study', `${at.origin}/console/held?by=study`], ['object', at.path('pedicom')], ['malformed', at.path('truncated')], ['disarmed', at.path('disarmed')],
    ['trace', `${at.origin}/console/trace?id=${at.keeper.ids['pedicom']}`], ['trace-source', `${at.origin}/console/trace?source=CT_RAD_2`], ['trace-ask', `${at.origin}/console/trace`], ['trace-unknown', `${at.origin}/console/trace?id=${'0'.repeat(32)}`],
    ['odd', at.path('fragments-no-end')], ['destroyed', at.path('trailing-pe')], ['system', `${at.origin}/console/system`], ['unknown', `${at.origin}/console/objects/${'0'.repeat(32)}`], ['nowhere', `${at.origin}/console/nowhere`],
  ];
  for (const [size, scheme] of [['small', 'light'], ['large', 'dark']] as const) {
    const watched = await openPage(at.browser, at.origin, { size, scheme });
    for (const [name, url] of pages) {
      await watched.page.goto(url);
      await settled(watched.page);
      assert.deepEqual(await axeFindings(watched.page), [], `${name} ${scheme}`);
      if (pictures !== undefined) await watched.page.screenshot({ path: join(pictures, `${name}-${size}-${scheme}.png`) });
      assert.equal(await watched.page.evaluate(() => document.documentElement.scrollWidth > innerWidth), false, `${name} scrolls sideways at ${size}`);
    }
    for (const tab of ['All parts', 'Received → disarmed']) {
      await watched.page.goto(at.path('disarmed'));
      await watched.page.getByRole('tab', { name: tab }).click();
      assert.deepEqual(await axeFindings(watched.page), [], `${tab} ${scheme}`);
    }
    assert.deepEqual(watched.faults, [], scheme);
    await watched.close();
  }
});

test('the picture of the spread is walked with arrow keys; a node shows its path, and the tables what belongs to it', async (t) => {
  const at = await sampled(t);
  if (at === null) return;
  const { page, faults, close } = await openPage(at.browser, at.origin);
  await page.goto(at.path('pedicom'));
  await settled(page);
  await page.getByRole('link', { name: /Trace it/ }).click();
  await page.getByRole('heading', { name: 'The spread' }).waitFor();
  const focused = (): Promise<string> => page.evaluate(() => document.activeElement?.querySelector('title')?.textContent ?? '');
  await page.getByRole('button', { name: /^Source: Import desk/ }).focus();
  for (const expected of [/^Came in: DICOM association/, /^Objects: NOVÁK, PETR, Malicious, taken out of the archive/, /^Opened, taken out or sent: /]) {
    await page.keyboard.press('ArrowRight');
    assert.match(await focused(), expected);
  }
  const rows = (): Promise<number> => page.locator('section[aria-labelledby=accesses] tbody tr').count();
  assert.equal(await rows(), 3);
  await page.keyboard.press('Enter');
  assert.equal(await rows(), 1);
  assert.deepEqual(await axeFindings(page), []);
  await page.keyboard.press('Escape');
  assert.equal(await rows(), 3);
  await page.getByLabel('Trace an object, a medium, a source or a time').selectOption('source');
  await page.getByRole('searchbox', { name: 'AE Title, name or address' }).fill('CT_RAD_2');
  await page.keyboard.press('Enter');
  await page.waitForURL(/source=CT_RAD_2/);
  await page.getByRole('button', { name: /^Source: CT scanner 2/ }).waitFor();
  assert.deepEqual(faults, []);
  await close();
});

test('from the list of arrivals to a decision with keys alone', async (t) => {
  const at = await sampled(t);
  if (at === null) return;
  const { page, faults, close } = await openPage(at.browser, at.origin);
  const press = async (...keys: string[]): Promise<void> => { for (const key of keys) await page.keyboard.press(key); };
  const tabTo = async (what: string): Promise<void> => {
    for (let count = 0; count < 60; count += 1) {
      await press('Tab');
      if (await page.evaluate((text) => `${document.activeElement?.getAttribute('role') ?? ''} ${document.activeElement?.textContent ?? ''}`.includes(text), what)) return;
    }
    assert.fail(`no way to ${what} by the Tab key`);
  };
  await page.goto(`${at.origin}/console/`);
  await settled(page);
  await press('/');
  await page.keyboard.type('okafor');
  await page.getByText('MORENO').waitFor({ state: 'detached' });
  await tabTo('1 object from');
  await press('Enter', 'ArrowDown', 'Enter');
  await page.getByRole('heading', { name: 'OKAFOR, CHIDI' }).waitFor();
  await settled(page);
  await page.getByRole('slider').waitFor();

  await tabTo('slider');
  const place = (): Promise<string | null> => page.getByRole('slider').getAttribute('aria-valuetext');
  assert.match((await place()) ?? '', /Unexplained/);
  await press('Home');
  assert.match((await place()) ?? '', /File Preamble, 128 bytes at offset 0/);
  await press('ArrowRight');
  assert.match((await place()) ?? '', /DICM/);
  await press('n');
  await page.waitForFunction(() => document.querySelector('[role=slider]')?.getAttribute('aria-valuetext')?.includes('Unexplained'));
  await press('Enter');
  assert.match((await page.evaluate(() => document.activeElement?.getAttribute('aria-label'))) ?? '', /^Bytes \d+ to/);

  await tabTo('Release…');
  await press('Enter');
  const confirm = page.getByRole('button', { name: 'Release', exact: true });
  assert.equal(await confirm.isDisabled(), true, 'no decision without a reason');
  await press('Tab');
  await page.getByRole('textbox', { name: 'Reason' }).focus();
  await page.keyboard.type('Seen with the radiologist on call, the images are complete enough.');
  assert.deepEqual(await axeFindings(page), []);
  await tabTo('Release');
  if (await page.evaluate(() => document.activeElement?.textContent === 'Cancel')) await press('Tab');
  await press('Enter');
  await page.getByText('Released. It is on its way to the archive.').waitFor();
  assert.deepEqual(faults, []);
  await close();
});

test('two people: one proposes, cannot confirm, the other can; a viewer can do neither and is told why', async (t) => {
  let actor: Actor = reviewer;
  const at = await sampled(t, () => actor);
  if (at === null) return;
  const { page, close } = await openPage(at.browser, at.origin);
  const open = async (as: Actor): Promise<void> => {
    actor = as;
    await page.goto(at.path('pedicom'));
    await settled(page);
    await page.getByRole('heading', { name: 'Decision' }).waitFor();
  };
  const decide = async (button: string): Promise<void> => {
    await page.getByRole('button', { name: `${button}…` }).click();
    await page.getByRole('textbox', { name: 'Reason' }).fill('Clean copy has arrived from the sender');
    await page.getByRole('button', { name: button, exact: true }).click();
  };
  await open({ ...reviewer, name: 'looker', roles: ['viewer'] });
  await page.getByText('that takes the role reviewer or security').first().waitFor();
  assert.equal(await page.getByRole('button', { name: 'Propose to destroy…' }).isDisabled(), true);
  await open(reviewer);
  await decide('Propose to destroy');
  await page.getByText('You proposed this. Somebody else must confirm it.', { exact: true }).waitFor();
  assert.equal(await page.getByRole('button', { name: 'Confirm: destroy…' }).isDisabled(), true);
  await open({ ...reviewer, name: 'd.haas' });
  await page.getByText('Clean copy has arrived from the sender').waitFor();
  await decide('Confirm: destroy');
  await page.getByText('Destroyed.', { exact: true }).waitFor();
  await close();
});

test('names with markup, overrides and escapes are text with marks in it', async (t) => {
  const at = await sampled(t);
  if (at === null) return;
  const { page, faults, close } = await openPage(at.browser, at.origin);
  await page.goto(at.path('fragments-no-end'));
  await settled(page);
  const text = await page.evaluate(() => document.body.textContent ?? '');
  assert.ok(text.includes('<script>alert(1)</script>'));
  // oxlint-disable-next-line no-control-regex -- exactly these must not be there
  assert.doesNotMatch(text, /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/u);
  assert.equal(await page.locator('script:not([src])').count(), 0);
  assert.deepEqual(faults, []);
  await close();
});

test('a keeper that is away, a session that is over: said, with what to do', async (t) => {
  let away = false;
  let actor: Actor = reviewer;
  const browser = await chromiumFor(t);
  if (browser === null) return;
  const keeper = sampleKeeper(Date.now());
  const served = await serveConsole({ request: async <Answer>(name: string, body: unknown) => {
    if (away) throw unavailable('channel-closed', 'The keeper is being restarted.');
    return keeper.request<Answer>(name, body);
  } }, () => actor);
  t.after(() => served.close());
  const { page, close } = await openPage(browser, served.origin);
  away = true;
  await page.goto(`${served.origin}/console/held`);
  await page.getByText('The held objects cannot be shown').waitFor();
  await page.getByText('The keeper is being restarted.').first().waitFor();
  assert.deepEqual(await axeFindings(page), []);
  away = false;
  await page.getByRole('button', { name: 'Try again' }).first().click();
  await page.getByRole('link', { name: 'Known malicious software' }).waitFor();
  actor = { ...reviewer, kind: 'anonymous' };
  await page.waitForURL(/\/sign-in\?to=%2Fconsole%2Fheld/);
  await close();
});
