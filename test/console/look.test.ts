/** The safe look in real Chromium on the whole system: the glass, pictures from the sandbox, keys and fingers, and what is refused. */
import assert from 'node:assert/strict';
import { mkdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { build } from 'vite';
import { recipes } from '../../tools/recipes/all.ts';
import { stow } from '../conformance/web.ts';
import { entriesOf, settled } from '../ledger.ts';
import { peer } from '../peers.ts';
import { repository, startSystem } from '../system.ts';
import { axeFindings, launch, openHeld } from './browser.ts';

const pictures = process.env['LAZARET_PICTURES'];

/** Several frames in an object that is malformed for a reserved byte before its Pixel Data, which can be shown all the same. */
function malformedFrames(): Uint8Array {
  const bytes = Buffer.from(recipes.find((recipe) => recipe.name === 'multiframe-word')!.bytes());
  const at = bytes.lastIndexOf(Buffer.from('e07f1000', 'hex'));
  assert.ok(at > 0 && bytes[at + 4] === 0x4f, 'explicit OB or OW');
  bytes[at + 6] = 1;
  return bytes;
}

test('break the glass, look through the frames, and it is over when it is closed', async (t) => {
  const chromium = peer(t, 'chromium');
  if (chromium === null) return;
  await build({ configFile: join(repository, 'console/vite.config.ts'), logLevel: 'warn' });
  const system = await startSystem(t);
  await system.lazaret('user', 'add', 'root', '--role', 'administrator', '--json');
  const passwords: Record<string, string> = {};
  for (const [name, role] of [['m.lind', 'reviewer'], ['v.iewer', 'viewer']] as const) passwords[name] = (JSON.parse((await system.lazaret('user', 'add', name, '--role', role, '--json')).stdout) as { password: string }).password;
  for (const name of ['text-like-code', 'pedicom', 'truncated']) await stow(system, [recipes.find((recipe) => recipe.name === name)!.bytes()]);
  await stow(system, [malformedFrames()]);
  await settled(system);
  const entries = await entriesOf(system);
  const held = entries.filter((entry) => entry.state === 'held');
  const malicious = held.find((entry) => entry.verdict === 'malicious')!;
  const shown: string[] = [];
  let frames = 0;

  const browser = await launch(chromium);
  t.after(() => browser.close());
  const signedIn = (name: string) => openHeld(browser, system.https, name, passwords[name]!);
  const { page, faults } = await signedIn('m.lind');
  const picture = async (name: string): Promise<void> => {
    if (pictures === undefined) return;
    await mkdir(pictures, { recursive: true });
    await page.screenshot({ path: join(pictures, `look-${name}.png`), fullPage: true });
  };
  for (const entry of held.filter(({ verdict }) => verdict !== 'malicious')) {
    await page.goto(`${system.https}/console/objects/${entry.objectId}`);
    const glass = page.getByRole('button', { name: 'Break the glass and look' });
    await glass.waitFor();
    assert.equal(await glass.isDisabled(), true, 'a reason first');
    await page.getByLabel('Why must you see it?').fill('ward asks');
    assert.equal(await glass.isDisabled(), true, 'one that says something');
    await page.getByLabel('Why must you see it?').fill('ward 3 asks whose it is');
    assert.deepEqual(await axeFindings(page), []);
    // By keyboard alone.
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByText('HELD – not for diagnosis.').waitFor();
    await page.locator('figure[data-state="shown"], figure[data-state="failed"]').waitFor();
    assert.deepEqual(await axeFindings(page), []);
    shown.push((await page.locator('figure[data-state]').getAttribute('data-state'))!);
    await picture(`${entry.verdict}-${entry.objectId.slice(0, 4)}`);
    if (shown.at(-1) === 'failed') assert.match(await page.locator('figure[data-state]').innerText(), /It cannot be shown as a picture\. \S+/);
    else {
      const size = await page.locator('figure canvas').evaluate((canvas) => [(canvas as HTMLCanvasElement).width, (canvas as HTMLCanvasElement).height]);
      assert.ok(size[0]! > 100 && size[1]! > 20, String(size));
      // The mark is in the pixels: the first one is of the band.
      const corner = await page.locator('figure canvas').evaluate((canvas) => [...(canvas as HTMLCanvasElement).getContext('2d')!.getImageData(0, 0, 1, 1).data]);
      assert.deepEqual(corner, [235, 235, 235, 255]);
    }
    const slider = page.getByRole('slider', { name: 'Frame', exact: true });
    if (await slider.count() > 0) {
      frames += 1;
      const first = await page.locator('figure figcaption').innerText();
      await slider.focus();
      await page.keyboard.press('ArrowRight');
      await page.locator('figure[data-state="shown"]').waitFor();
      assert.notEqual(await page.locator('figure figcaption').innerText(), first);
      await page.keyboard.press('Home');
      await page.getByText(/^Frame 1 of /).waitFor();
      assert.ok((await slider.boundingBox())!.height >= 44, 'for fingers');
    }
    await page.getByRole('button', { name: 'Close it again' }).click();
    await page.getByText('You closed it.').waitFor();
    await glass.waitFor();
  }
  assert.equal(frames, 1);
  assert.ok(shown.includes('shown') && shown.includes('failed'), JSON.stringify(held.map(({ verdict }) => verdict)));
  await page.goto(`${system.https}/console/objects/${malicious.objectId}`);
  await page.getByText('only somebody with the role security may look at it').waitFor();
  assert.deepEqual(faults, []);

  // A session that has ended leads to the sign-in page, and back.
  await page.goto(`${system.https}/console/objects/${held.find(({ verdict }) => verdict !== 'malicious')!.objectId}`);
  await page.getByLabel('Why must you see it?').fill('ward 3 asks whose it is');
  await page.route('**/look', async (route) => {
    await page.context().clearCookies();
    await route.continue();
  });
  await page.getByRole('button', { name: 'Break the glass and look' }).click();
  await page.waitForURL(/\/sign-in\?to=%2Fconsole%2Fobjects%2F/);

  const viewer = await signedIn('v.iewer');
  await viewer.page.goto(`${system.https}/console/objects/${held[0]!.objectId}`);
  await viewer.page.getByText('that takes the role').first().waitFor();
  assert.equal(await viewer.page.getByRole('button', { name: 'Break the glass and look' }).count(), 0);
  const asked = await viewer.page.evaluate(async (id) => (await fetch(`/console/api/objects/${id}/look`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ reason: 'I would like to see it' }) })).status, held[0]!.objectId);
  assert.equal(asked, 403);
  const audit = await system.lazaret('audit', 'show');
  assert.match(audit.stdout, /Emergency Override Started[^]*m\.lind[^]*ward 3 asks whose it is/);
  assert.match(audit.stdout, /Emergency Override Stopped/);
});

test('./lazaret quarantine look writes a picture for its owner alone, and says why there is none', async (t) => {
  const system = await startSystem(t);
  for (const name of ['text-like-code', 'pedicom']) await stow(system, [recipes.find((recipe) => recipe.name === name)!.bytes()]);
  await settled(system);
  const held = (await entriesOf(system)).filter((entry) => entry.state === 'held');
  const output = join(system.data, 'look.png');
  for (const wrong of [[], [held[0]!.objectId], [held[0]!.objectId, '--output', output], [held[0]!.objectId, '--output', 'x.jpg', '--reason', 'ward asks'], [held[0]!.objectId, '--output', output, '--reason', 'ward asks', '--window', '40']]) {
    assert.equal((await system.lazaret('quarantine', 'look', ...wrong)).code, 2, wrong.join(' '));
  }
  const short = await system.lazaret('quarantine', 'look', held[0]!.objectId, '--output', output, '--reason', 'ward');
  assert.deepEqual([short.code, /at least 10 characters/.test(short.stderr)], [1, true], short.stderr);
  const said: string[] = [];
  for (const [index, entry] of held.entries()) {
    const path = join(system.data, `look-${index}.png`);
    const ended = await system.lazaret('quarantine', 'look', entry.objectId.slice(0, 12), '--output', path, '--reason', 'ward 3 asks whose it is');
    said.push(`${ended.stdout}${ended.stderr}`);
    if (ended.code !== 0) {
      assert.match(ended.stderr, /^There is no picture: \S+/);
      continue;
    }
    assert.equal((await readFile(path)).subarray(1, 4).toString(), 'PNG');
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    // A file that is there already is nobody's to overwrite.
    assert.equal((await system.lazaret('quarantine', 'look', entry.objectId, '--output', path, '--reason', 'ward 3 asks whose it is')).code, 1);
  }
  assert.ok(said.some((text) => text.includes('marked as held')), said.join('\n'));
});
