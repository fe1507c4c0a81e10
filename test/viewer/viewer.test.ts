/** The viewer as a person meets it: sign in, study list, a CT series on the screen; under its policy, without a request to anywhere else. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { chromium, type Browser, type Page } from 'playwright-core';
import { writeSeries } from '../../tools/recipes/series.ts';
import { stow } from '../conformance/web.ts';
import { openPage } from '../console/browser.ts';
import { programPath, unlessInstalled } from '../peers.ts';
import { repository, startSystem, type System } from '../system.ts';

const packaged = existsSync(join(repository, 'viewer/dist/index.html'));
const skip = unlessInstalled('chromium') || (packaged ? false : 'the viewer is not packaged here: npm start does it');
if (!packaged && process.env['LAZARET_SKIP'] === 'forbidden') throw new Error('the viewer is not packaged, and skipping is forbidden');

/** WebGL by software: the pictures must be real ones on a machine without a graphics card. */
const flags = ['--no-sandbox', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-quic', '--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader'];
/** OHIF's bundle is 17 MB and the renderer is a processor that others use too. */
const patienceMs = 90_000;

let system: System;
let browser: Browser;
const folder = mkdtempSync(join(tmpdir(), 'lazaret-viewer-'));

before(async () => {
  if (skip !== false) return;
  system = await startSystem(null);
  const files = writeSeries(folder, { slices: 6, size: 256, name: 'viewer' }).map((path) => readFileSync(path));
  const answer = await stow(system, files);
  assert.equal(answer.status, 200, answer.body.toString('utf8', 0, 500));
  browser = await chromium.launch({ executablePath: programPath('chromium')!, headless: true, args: flags });
});
after(async () => {
  await browser?.close();
  await system?.stop();
  rmSync(folder, { recursive: true });
});

async function addUser(...roles: string[]): Promise<{ name: string; password: string }> {
  const ended = await system.lazaret('user', 'add', `person-${roles.join('-')}`, ...roles.flatMap((role) => ['--role', role]), '--json');
  assert.equal(ended.code, 0, ended.stderr);
  return JSON.parse(ended.stdout) as { name: string; password: string };
}

async function signIn(page: Page, { name, password }: { name: string; password: string }): Promise<void> {
  // While there is no administrator, the page offers to make one first.
  await page.waitForLoadState('networkidle');
  if (await page.locator('#to-sign-in').isVisible()) await page.click('#to-sign-in');
  await page.fill('#name', name);
  await page.fill('#password', password);
  await page.click('#sign-in [type=submit]');
}

/** How many different grey values the viewport shows: a blank or broken one shows one or two. */
async function greyValues(page: Page): Promise<number> {
  const shot = await page.locator('.cornerstone-canvas').first().screenshot();
  return page.evaluate(async (base64) => {
    const bitmap = await createImageBitmap(new Blob([Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))], { type: 'image/png' }));
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    const context = canvas.getContext('2d')!;
    context.drawImage(bitmap, 0, 0);
    const { data } = context.getImageData(0, 0, bitmap.width, bitmap.height);
    const seen = new Set<number>();
    for (let at = 0; at < data.length; at += 4) if (data[at] === data[at + 1] && data[at] === data[at + 2]) seen.add(data[at]!);
    return seen.size;
  }, shot.toString('base64'));
}

test('from the sign-in page to a CT series on the screen', { skip }, async () => {
  const origin = system.https.replace('127.0.0.1', 'localhost');
  const watched = await openPage(browser, origin);
  const { page } = watched;
  await page.goto(`${origin}/`);
  assert.equal(page.url(), `${origin}/sign-in?to=%2F`);
  await signIn(page, await addUser('viewer'));
  await page.waitForURL(`${origin}/`, { timeout: patienceMs });
  await page.getByText('Head series 1').first().waitFor({ timeout: patienceMs });

  const studies = await page.evaluate(async () => (await fetch('/dicomweb/studies')).json()) as Record<string, { Value: string[] }>[];
  assert.equal(studies.length, 1);
  await page.goto(`${origin}/viewer?StudyInstanceUIDs=${studies[0]!['0020000D']!.Value[0]}`);
  await page.locator('.cornerstone-canvas').first().waitFor({ timeout: patienceMs });
  let greys = 0;
  for (const until = Date.now() + patienceMs; greys < 16 && Date.now() < until;) {
    await page.waitForTimeout(500);
    greys = await greyValues(page);
  }
  assert.ok(greys >= 16, `the viewport shows ${greys} grey values`);
  if (process.env['LAZARET_PICTURES'] !== undefined) await page.screenshot({ path: join(process.env['LAZARET_PICTURES'], 'viewer.png') });

  // The page cannot even ask the console, though it is the same origin.
  const outcome = await page.evaluate(() => fetch('/console/api/objects').then((answer) => `answered ${answer.status}`, () => 'blocked'));
  assert.equal(outcome, 'blocked');
  const violations = watched.faults.splice(0);
  assert.deepEqual(violations.filter((fault) => !/\/console\/api\/objects/.test(fault)), []);
  assert.notEqual(violations.length, 0, 'the watch itself works: it saw the request that was blocked on purpose');
  await watched.close();
});

test('a session of the viewer, or none, gets nothing from the console, and a dead session leads back to sign-in', { skip }, async () => {
  const origin = system.https.replace('127.0.0.1', 'localhost');
  const watched = await openPage(browser, origin);
  const { page } = watched;
  await page.goto(`${origin}/sign-in?to=${encodeURIComponent('//example.org/')}`);
  await signIn(page, await addUser('viewer', 'reviewer'));
  await page.waitForURL(`${origin}/`, { timeout: patienceMs });
  const answer = await page.context().request.get(`${origin}/console/api/objects`, { headers: { 'sec-fetch-site': 'same-origin' } });
  assert.equal(answer.status(), 401);
  await page.context().clearCookies();
  await page.reload();
  await page.waitForURL(/\/sign-in\?to=/, { timeout: patienceMs });
  await watched.close();
});

test('no address in the page’s own address is fetched', { skip }, async () => {
  const origin = system.https.replace('127.0.0.1', 'localhost');
  const watched = await openPage(browser, origin);
  const { page } = watched;
  await page.goto(`${origin}/`);
  await signIn(page, await addUser('viewer', 'security'));
  await page.waitForURL(`${origin}/`, { timeout: patienceMs });
  for (const path of ['/viewer/dicomjson?url=https://example.org/x.json', '/?configUrl=https://example.org/c.json', '/viewer/dicomwebproxy?url=https://example.org/x', '/?customization=https://example.org/c']) {
    await page.goto(`${origin}${path}`);
    await page.waitForTimeout(2_000);
  }
  // The viewer may say that it refuses an address; nobody may ask for one.
  assert.deepEqual(watched.faults.filter((fault) => fault.startsWith('outside') || (fault.includes('example.org') && !fault.includes('refusing to load'))), []);
  await watched.close();
});
