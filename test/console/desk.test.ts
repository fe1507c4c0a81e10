/** From disc to receipt in Chromium, on the whole system: a clean disc, an infected one, a damaged one, two patients, nothing on it, and an upload that is cut off. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { build } from 'vite';
import { iso } from '../../tools/recipes/images.ts';
import { cleanDisc, companions, infectedDisc, slices, zip } from '../../tools/recipes/media.ts';
import type { Patient } from '../../tools/recipes/objects.ts';
import { programPath, unlessInstalled } from '../peers.ts';
import { repository } from '../system.ts';
import { startWorklist } from '../worklist/peer.ts';
import { launch } from './browser.ts';
import { atDesk, give, openDesk, proper, receiptOf, signInAtDesk, tabTo, webProcesses, type Desk } from './desk.ts';

const skip = unlessInstalled('chromium');
const teardown: (() => unknown)[] = [];
let desk: Desk;
let browser: Browser;
before(async () => {
  if (skip !== false) return;
  await build({ configFile: join(repository, 'console/vite.config.ts'), logLevel: 'warn' });
  desk = await openDesk({ after: (work) => void teardown.unshift(work as () => unknown) });
  browser = await launch(programPath('chromium')!);
});
after(async () => {
  await browser?.close();
  for (const work of teardown) await work();
});

/** What has the focus: its id, or what it says. */
const focused = (page: Page): Promise<string> => page.evaluate(() => document.activeElement?.id || (document.activeElement?.textContent ?? ''));
const foreign = (name: string, id: string, birthDate = '19580312', sex: Patient['sex'] = 'F'): Patient => ({ name, id, birthDate, sex });
const archived = async (patientID: string): Promise<number> => {
  const answer = await desk.system.ask(`/dicomweb/studies?PatientID=${patientID}`, { headers: { accept: 'application/dicom+json' } });
  return answer.status === 200 ? (JSON.parse(answer.body.toString('utf8')) as unknown[]).length : 0;
};

/** Shown with pictures, then asked whose it is. */
async function opened(page: Page, name: string): Promise<void> {
  await page.getByRole('article', { name: `Disc ${name}` }).locator('figure img').first().waitFor();
  await page.getByRole('article', { name: `Disc ${name}` }).getByRole('link', { name: 'Say whose it is' }).click();
  await page.getByRole('heading', { name, exact: true }).waitFor();
}
async function broughtIn(page: Page, count: number): Promise<void> {
  await page.getByRole('button', { name: 'Bring in' }).click();
  await page.getByText('All is in.').waitFor();
  assert.equal(await page.getByRole('link', { name: 'Look at it' }).count(), count);
}
async function receipt(page: Page): Promise<void> {
  await page.getByRole('link', { name: /^Receipt/ }).first().click();
  await page.getByRole('img', { name: /QR code/ }).waitFor();
}

test('a clean disc: put in, seen, given to a patient who is known here, in sight under that identity, on paper', { skip }, async (t) => {
  const { page, faults } = await atDesk(t, browser, desk);
  assert.match(page.url(), /\/console\/desk$/, 'who sits at the desk begins there');
  await proper(page, 'put-in');
  await give(page, desk.medium('KLINIK NORD', cleanDisc('clean', 12, foreign('Quarantotti^Marina', 'NB-1001'))));
  await opened(page, 'KLINIK NORD');
  await page.getByRole('heading', { name: /Who is Quarantotti, Marina here/ }).waitFor();
  const best = page.getByRole('article', { name: /Quarantotti, Marina, born 12 Mar 1958.*4711-08/ });
  await best.getByText('Fits best').waitFor();
  assert.ok(await page.getByRole('button', { name: 'Bring in' }).isDisabled(), 'nothing is chosen for anybody');
  await best.getByRole('row', { name: /Number/ }).getByText('different').waitFor();
  await best.getByRole('row', { name: /Born/ }).getByText('same').waitFor();
  await page.getByRole('article', { name: /Quarantotti, Mario/ }).getByText(/Look twice: the name and the date of birth and the sex/).waitFor();
  await proper(page, 'whose');
  assert.equal(await archived('4711-08'), 1, 'out of sight until somebody has chosen');
  await best.getByRole('button', { name: /It is this one/ }).click();
  await page.getByText(/Comes in as/).waitFor();
  await proper(page, 'chosen');
  await broughtIn(page, 1);
  await proper(page, 'in');
  assert.equal(await archived('4711-08'), 2);
  assert.equal(await archived('NB-1001'), 0);
  const viewer = await page.getByRole('link', { name: 'Look at it' }).getAttribute('href');
  assert.match(viewer ?? '', /^\/viewer\?StudyInstanceUIDs=[0-9.]+$/);
  await receipt(page);
  await page.getByText('12 clean images. Nothing harmful was found on the disc.').waitFor();
  await page.getByText(/as Quarantotti, Marina, number 4711-08.*On the disc: Quarantotti, Marina, number NB-1001.*said by p\.arnim/).waitFor();
  await page.getByText('The disc’s viewer and what belongs to it stay on the disc').waitFor();
  await proper(page, 'receipt');
  assert.equal((await receiptOf(page)).archived, 12);
  // On paper: one sheet, nothing but the receipt.
  await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
  assert.ok(!(await page.getByRole('button', { name: 'Print' }).isVisible()));
  assert.ok(!(await page.getByRole('navigation', { name: 'Console' }).isVisible()));
  assert.equal((await page.pdf({ format: 'A4', preferCSSPageSize: true })).toString('latin1').match(/\/Type\s*\/Page\b/g)?.length, 1);
  assert.equal(await page.evaluate(() => getComputedStyle(document.body).backgroundColor), 'rgb(255, 255, 255)');
  assert.deepEqual(faults, []);
});

test('an infected disc on a small screen: the alert names it at once, the clean study still comes in', { skip }, async (t) => {
  const { page, faults } = await atDesk(t, browser, desk, 390);
  await proper(page, 'put-in-390');
  await give(page, desk.medium('PRAXIS SUED', infectedDisc('infected')));
  const alert = page.getByRole('alert').filter({ hasText: 'Malicious software on “PRAXIS SUED”' });
  await alert.getByText(/VIEWER\/VIEWER\.EXE/).waitFor();
  await alert.getByText(/DICOM\/PA000002\/IM000001/).waitFor();
  await proper(page, 'infected-390');
  await opened(page, 'PRAXIS SUED');
  await page.getByRole('heading', { name: /Who is/ }).waitFor();
  await proper(page, 'whose-390');
  await page.getByRole('button', { name: /^As it came/ }).click();
  await broughtIn(page, 1);
  await receipt(page);
  await page.getByText('This disc carries malicious software.').waitFor();
  await page.getByText('Known malicious software').waitFor();
  await proper(page, 'receipt-390');
  const { archived: came, malicious, infected } = await receiptOf(page);
  assert.deepEqual([came, malicious, infected.map(({ path }) => path)], [6, 1, ['VIEWER/VIEWER.EXE']]);
  assert.deepEqual(faults, []);
});

test('a damaged disc, as an image: what is whole comes in, what is not is named with its place', { skip }, async (t) => {
  const { page, faults } = await atDesk(t, browser, desk);
  const whole = iso(slices({ name: 'desk damaged', count: 5, patient: foreign('Ankerson^Signe', 'NB-1003', '19840607') }), { joliet: false, label: 'KRATZER' });
  await give(page, desk.medium('kratzer.iso', whole.subarray(0, whole.length - 6_000)), 'file');
  await page.getByRole('heading', { name: '1 file could not be read' }).waitFor();
  await opened(page, 'KRATZER');
  await page.getByText(/IM000005: bytes \d+ to \d+: the medium ends/).waitFor();
  await page.getByText(/Nobody here fits/).waitFor();
  await proper(page, 'damaged');
  await page.getByRole('button', { name: /^Later/ }).click();
  await page.getByText('All of it stays out of sight for now.').waitFor();
  await receipt(page);
  await page.getByRole('heading', { name: /Could not be read 1/ }).waitFor();
  await page.getByRole('heading', { name: /out of sight until somebody says whose it is/ }).waitFor();
  await proper(page, 'receipt-damaged');
  assert.equal(await archived('NB-1003'), 0);
  // Another day: it waits in the list.
  await page.goto(`${desk.system.https}/console/desk`);
  await page.getByRole('link', { name: /KRATZER.*Say whose it is/ }).click();
  await page.getByRole('button', { name: /^As it came/ }).click();
  await broughtIn(page, 1);
  assert.equal(await archived('NB-1003'), 1);
  assert.deepEqual(faults, []);
});

test('two patients on one disc cannot be mistaken for one', { skip }, async (t) => {
  const { page, faults } = await atDesk(t, browser, desk);
  const files = [
    ...slices({ name: 'desk two a', count: 3, patient: foreign('Brigantin^Tomaso', 'NB-1004', '19710923', 'M'), folder: 'DICOM/PA000001', size: 128 }),
    ...slices({ name: 'desk two b', count: 4, patient: foreign('Feluca^Dario', 'NB-1005', '19930118', 'M'), folder: 'DICOM/PA000002', size: 128 }),
  ];
  await give(page, desk.medium('zwei.zip', zip(files)), 'file');
  await opened(page, 'zwei');
  await page.getByText('2 different patients are on this disc.').waitFor();
  const first = page.getByRole('region', { name: 'Patient 1 of 2' });
  const second = page.getByRole('region', { name: 'Patient 2 of 2' });
  await first.getByRole('row', { name: /Name.*Brigantin, Tomaso.*Brigantin, Tommaso.*different/ }).waitFor();
  assert.deepEqual(await first.getByRole('row', { name: /Name/ }).locator('mark').allTextContents(), ['Tomaso', 'Tommaso']);
  await proper(page, 'two-patients');
  await first.getByRole('button', { name: /It is this one/ }).click();
  await page.getByText('Choose for one more patient.').waitFor();
  assert.ok(await page.getByRole('button', { name: 'Bring in' }).isDisabled());
  await second.getByRole('button', { name: /^As it came/ }).click();
  await broughtIn(page, 2);
  assert.deepEqual([await archived('9002-33'), await archived('NB-1005'), await archived('NB-1004')], [2, 1, 0]);
  await receipt(page);
  await proper(page, 'receipt-two');
  assert.deepEqual(faults, []);
});

test('a disc with nothing on it, dropped on the page; a file that is no medium says what to do', { skip }, async (t) => {
  const { page, faults } = await atDesk(t, browser, desk);
  const image = iso(companions(), { label: 'LEER' }).toString('base64');
  const drop = await page.evaluateHandle(async (base64) => {
    const data = new DataTransfer();
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    data.items.add(new File([bytes], 'leer.iso'));
    return data;
  }, image);
  await page.getByRole('region', { name: /drop it here/ }).dispatchEvent('drop', { dataTransfer: drop });
  const card = page.getByRole('article', { name: 'Disc LEER' });
  await card.getByText('No images found').waitFor();
  await card.getByRole('link', { name: 'Receipt' }).click();
  await page.getByText('Read to its end: no image is on it.').waitFor();
  await proper(page, 'receipt-nothing');
  await page.getByRole('link', { name: 'Next disc' }).click();
  await give(page, desk.medium('GEPACKT', [...companions(), { path: 'portal.zip', bytes: zip(slices({ name: 'desk packed', count: 1 })) }]));
  await page.getByRole('article', { name: 'Disc GEPACKT' }).getByRole('link', { name: 'Receipt' }).click();
  await page.getByText(/A ZIP file is on it: images inside do not come in with the disc/).waitFor();
  await page.getByRole('link', { name: 'The disc' }).click();
  await page.getByText(/A ZIP file is on it/).waitFor();
  await page.getByRole('link', { name: 'All discs' }).click();
  await give(page, desk.medium('brief.iso', Buffer.from('no disc at all')), 'file');
  await page.getByRole('alert').filter({ hasText: /no image of a disc or stick/ }).waitFor();
  await proper(page, 'no-medium');
  assert.deepEqual(faults, []);
});

test('where the hospital has a worklist, a planned examination is offered, and the disc comes in under its order', { skip: skip || unlessInstalled('wlmscpfs', 'dump2dcm') }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'lazaret-configured-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'lazaret.json'), JSON.stringify({ worklist: await startWorklist(t) }));
  const planned = await openDesk(t, { known: false, arguments: ['--config', join(folder, 'lazaret.json')] });
  const { page, faults } = await atDesk(t, browser, planned);
  await give(page, planned.medium('AUSWAERTS', cleanDisc('planned', 2, foreign('LINDGREN^MAJA', 'NB-1009', '19671103'))));
  await opened(page, 'AUSWAERTS');
  const order = page.getByRole('article', { name: /LINDGREN, MAJA.*L-1001/ });
  await order.getByText('Planned here: CT chest, planned for 24 Nov 2026, order A26-0001').waitFor();
  await proper(page, 'planned');
  await order.getByRole('button', { name: /It is this one/ }).click();
  await broughtIn(page, 1);
  const found = await planned.system.ask('/dicomweb/studies?AccessionNumber=A26-0001&PatientID=L-1001', { headers: { accept: 'application/dicom+json' } });
  assert.equal(found.status, 200);
  await receipt(page);
  await page.getByText(/as LINDGREN, MAJA, number L-1001, order A26-0001/).waitFor();
  assert.deepEqual(faults, []);
});

test('with the keyboard alone, from the desk to the receipt', { skip }, async (t) => {
  const { page } = await atDesk(t, browser, desk);
  const path = desk.medium('TASTEN', cleanDisc('keyboard', 3, foreign('Quarantotti^Marina', 'NB-1006')));
  // Asked for before Tab is pressed: Chromium learns of it with a delay, and opens a window of its own until then.
  const chooser = page.waitForEvent('filechooser', { timeout: 60_000 });
  await tabTo(page, /^Choose disc or folder$/);
  await page.keyboard.press('Enter');
  await (await chooser).setFiles(path);
  await page.getByRole('article', { name: 'Disc TASTEN' }).getByRole('link', { name: 'Say whose it is' }).waitFor();
  await tabTo(page, /^Say whose it is.*TASTEN/);
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: /It is this one.*Marina/ }).first().waitFor();
  assert.equal(await focused(page), 'content', 'the keyboard goes on in the new page, not at the head of the window');
  await tabTo(page, /^It is this one.*Marina/);
  await page.keyboard.press('Enter');
  await tabTo(page, /^Bring in/);
  await page.keyboard.press('Enter');
  await page.getByText('All is in.').waitFor();
  assert.equal(await focused(page), 'Receipt', 'it stands where the button was that was pressed');
  await page.keyboard.press('Enter');
  await page.getByRole('img', { name: /QR code/ }).waitFor();
});

test('the same disc once more: it is said that all of it is here', { skip }, async (t) => {
  const { page } = await atDesk(t, browser, desk);
  const files = cleanDisc('twice', 3, foreign('Quarantotti^Marina', 'NB-1010'));
  await give(page, desk.medium('ERSTE', files));
  await opened(page, 'ERSTE');
  await page.getByRole('button', { name: /It is this one.*Marina/ }).first().click();
  await broughtIn(page, 1);
  await page.getByRole('link', { name: 'All discs' }).click();
  await give(page, desk.medium('ZWEITE', files));
  const card = page.getByRole('article', { name: 'Disc ZWEITE' });
  await card.getByText('3 clean images, here before').waitFor();
  await card.getByRole('link', { name: /^Receipt/ }).click();
  await page.getByText(/as Quarantotti, Marina, number 4711-08.*On the disc: Quarantotti, Marina, number NB-1010.*said by p\.arnim/).waitFor();
  await page.getByText('3 images of these were here before, byte for byte.').waitFor();
  await page.getByRole('link', { name: 'The disc' }).click();
  await page.getByRole('heading', { name: 'All of it is in the archive' }).waitFor();
  await proper(page, 'here-before');
});

test('an upload that is cut off half-way goes on: the server dies, the window is closed, another disc comes in between', { skip }, async (t) => {
  const { page } = await atDesk(t, browser, desk);
  const count = 160;
  const path = desk.medium('LANG', slices({ name: 'desk cut', count, size: 256, patient: foreign('Feluca^Dario', 'NB-1007', '19930118', 'M') }));
  const slow = await page.context().newCDPSession(page);
  await slow.send('Network.enable');
  // 20 MB at 1.5 MB/s.
  await slow.send('Network.emulateNetworkConditions', { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: 1_500_000 });
  await give(page, path);
  const card = page.getByRole('article', { name: 'Disc LANG' });
  const sent = async (): Promise<number> => Number((/(\d+) of 160 sent/.exec((await card.textContent()) ?? '') ?? [])[1] ?? 0);
  await page.waitForFunction(() => Number((/(\d+) of 160 sent/.exec(document.body.textContent ?? '') ?? [])[1] ?? 0) > 20);
  // Pictures are there while it is still being sent.
  await card.locator('figure img').first().waitFor();
  assert.ok((await sent()) < count);
  await proper(page, 'sending');
  for (const pid of webProcesses(desk.system)) process.kill(pid, 'SIGKILL');
  await card.getByText(/The connection is lost|You are signed out/).first().waitFor();
  // Sessions end with the web process: signing in elsewhere lets it go on here.
  await card.getByRole('heading', { name: 'You are signed out' }).waitFor({ timeout: 60_000 });
  await proper(page, 'cut-off');
  const other = await page.context().newPage();
  await other.goto(`${desk.system.https}/console/desk`);
  await signInAtDesk(other, desk);
  await other.getByText(/Not sent to the end: \d+ of 160 files are here/).waitFor();
  await proper(other, 'unfinished');
  const before = await sent();
  await page.waitForFunction((least) => Number((/(\d+) of 160 sent/.exec(document.body.textContent ?? '') ?? [])[1] ?? 0) > least, before);
  // The window goes; the same disc given again goes on where it was.
  await page.close({ runBeforeUnload: false });
  let sentAgain = 0;
  other.on('request', (request) => { if (request.url().endsWith('/batch')) sentAgain += Number(request.headers()['content-length'] ?? 0); });
  await give(other, path);
  const again = other.getByRole('article', { name: 'Disc LANG', exact: true });
  await again.getByRole('link', { name: 'Say whose it is' }).waitFor({ timeout: 60_000 });
  await again.getByText('Scanned', { exact: true }).waitFor({ timeout: 60_000 });
  await again.getByRole('link', { name: 'Say whose it is' }).click();
  await other.getByRole('button', { name: /^As it came/ }).click();
  await broughtIn(other, 1);
  await receipt(other);
  const { archived: came, unreadable, duplicates } = await receiptOf(other);
  assert.deepEqual([came, unreadable, duplicates], [count, [], 0]);
  assert.ok(sentAgain < count * 256 * 256 * 2, 'what was there is not sent again');
  assert.deepEqual(existsSync(desk.system.layout.uploads) ? readdirSync(desk.system.layout.uploads) : [], []);
});

test('sending can be stopped: what came is told of, what did not is too', { skip }, async (t) => {
  const { page } = await atDesk(t, browser, desk);
  const slow = await page.context().newCDPSession(page);
  await slow.send('Network.enable');
  await slow.send('Network.emulateNetworkConditions', { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: 500_000 });
  await give(page, desk.medium('HALT', slices({ name: 'desk cancelled', count: 60, size: 256, patient: foreign('Feluca^Dario', 'NB-1008', '19930118', 'M') })));
  const card = page.getByRole('article', { name: 'Disc HALT' });
  await page.waitForFunction(() => Number((/(\d+) of 60 sent/.exec(document.body.textContent ?? '') ?? [])[1] ?? 0) > 1);
  await card.getByRole('button', { name: 'Cancel' }).click();
  await card.getByRole('button', { name: 'Stop sending' }).click();
  await card.getByText(/^Cancelled\. \d+ of 60 files had been sent/).waitFor();
  await card.getByRole('heading', { name: /^\d+ files? (was|were) not read$/ }).waitFor({ timeout: 60_000 });
  await card.getByText('The import was stopped before these files were read. Import the disc again to bring them in').waitFor();
  assert.equal(await card.getByText(/could not be read/).count(), 0, 'nothing is wrong with the disc');
  await card.getByRole('link', { name: /^Receipt/ }).click();
  await page.getByRole('heading', { name: /^Not read \d+$/ }).waitFor();
  assert.equal(await page.getByRole('heading', { name: /^Could not be read/ }).count(), 0);
});
