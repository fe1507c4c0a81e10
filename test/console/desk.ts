/** The desk as a person meets it: a system with somebody signed in at it, media to give to the browser, and what every page must be. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import type { Receipt } from '../../pacs/reception/media/contract.ts';
import { ctSlice, type Patient } from '../../tools/recipes/objects.ts';
import { fileOf } from '../../tools/recipes/series.ts';
import { writeFolder, type MediumFile } from '../../tools/recipes/media.ts';
import { stow } from '../conformance/web.ts';
import { settled } from '../ledger.ts';
import { startSystem, type System, type SystemOptions } from '../system.ts';
import { axeFindings, openPage, type Watched, signIn } from './browser.ts';

const pictures = process.env['LAZARET_PICTURES'];

/** Known here before any disc comes. */
export const locals: readonly Patient[] = [
  { name: 'Quarantotti^Marina', id: '4711-08', birthDate: '19580312', sex: 'F' }, { name: 'Quarantotti^Mario', id: '2203-11', birthDate: '19850312', sex: 'M' }, { name: 'Brigantin^Tommaso', id: '9002-33', birthDate: '19710923', sex: 'M' },
];

export interface Desk {
  readonly system: System;
  readonly password: string;
  /** A folder with these files, or a file: what stands at the end of the path is what the page calls it. */
  medium(name: string, files: readonly MediumFile[] | Buffer): string;
}

export async function openDesk(t: Pick<TestContext, 'after'>, options: SystemOptions & { readonly known?: boolean } = {}): Promise<Desk> {
  const system = await startSystem(t, options);
  const folder = mkdtempSync(join(tmpdir(), 'lazaret-desk-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  await system.lazaret('user', 'add', 'root', '--role', 'administrator', '--json');
  const { password } = JSON.parse((await system.lazaret('user', 'add', 'p.arnim', '--role', 'desk', '--json')).stdout) as { password: string };
  if (options.known !== false) {
    await stow(system, locals.map((patient, index) => fileOf(ctSlice({ name: `local ${index}`, index: 0, count: 1, size: 64, patient }))));
    await settled(system);
  }
  let made = 0;
  return {
    system, password,
    medium(name, files) {
      const path = join(folder, String((made += 1)), name);
      mkdirSync(join(path, '..'), { recursive: true });
      if (Buffer.isBuffer(files)) writeFileSync(path, files);
      else writeFolder(path, files);
      return path;
    },
  };
}

/** Somebody signs in and is at the desk. */
export async function atDesk(t: Pick<TestContext, 'after'>, browser: Browser, desk: Desk, width = 1280): Promise<Watched> {
  const watched = await openPage(browser, desk.system.https);
  t.after(() => watched.close());
  await watched.page.setViewportSize({ width, height: width < 600 ? 844 : 900 });
  await watched.page.goto(`${desk.system.https}/console/`);
  await signInAtDesk(watched.page, desk);
  await watched.page.getByRole('heading', { name: 'Import a disc' }).waitFor();
  return watched;
}
export async function signInAtDesk(page: Page, { password }: Desk): Promise<void> {
  await page.waitForURL(/\/sign-in\?to=/);
  await signIn(page, 'p.arnim', password);
}

export async function give(page: Page, path: string, how: 'folder' | 'file' = 'folder'): Promise<void> {
  await page.locator(`[data-give=${how}]`).setInputFiles(path);
}

/** No finding of axe, nothing wider than the screen, targets for fingers; and a picture where pictures are wanted. */
export async function proper(page: Page, name: string): Promise<void> {
  // Numbers move on while a disc is read; what is measured here does not.
  assert.deepEqual(await axeFindings(page), [], name);
  const { wide, small } = await page.evaluate(() => ({
    wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    small: [...document.querySelectorAll<HTMLElement>('main button, main a, main summary, main input:not([hidden])')].filter((each) => each.offsetParent !== null && getComputedStyle(each).display !== 'inline' && each.getBoundingClientRect().height < 44).map((each) => each.outerHTML.slice(0, 120)),
  }));
  assert.ok(wide <= 0, `${name}: ${wide} pixels wider than the screen`);
  assert.deepEqual(small, [], name);
  if (pictures === undefined) return;
  mkdirSync(pictures, { recursive: true });
  await page.screenshot({ path: join(pictures, `desk-${name}.png`) });
  await page.screenshot({ path: join(pictures, `full-${name}.png`), fullPage: true });
}

/** The receipt that the page shows, from the server. */
export function receiptOf(page: Page): Promise<Receipt> {
  const id = /desk\/([0-9a-f]{32})/.exec(page.url())?.[1] ?? '';
  return page.evaluate(async (path) => (await fetch(path)).json() as Promise<Receipt>, `/console/api/desk/imports/${id}/receipt`);
}

/** Presses Tab until what has the focus is called so. */
export async function tabTo(page: Page, name: RegExp): Promise<void> {
  for (let count = 0; count < 60; count += 1) {
    const text = await page.evaluate(() => (document.activeElement as HTMLElement | null)?.textContent ?? '');
    if (name.test(text) && (await page.evaluate(() => /^(A|BUTTON|SUMMARY)$/.test(document.activeElement?.tagName ?? '')))) return;
    await page.keyboard.press('Tab');
  }
  assert.fail(`Tab does not lead to ${name}`);
}

/** Process ids of the web process and what confines it. */
export function webProcesses(system: System): number[] {
  const parents = new Map<number, { parent: number; command: string }>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'latin1');
      parents.set(Number(name), { parent: Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]), command: readFileSync(`/proc/${name}/cmdline`, 'latin1') });
    } catch {
      // It ended meanwhile.
    }
  }
  const isOurs = (pid: number): boolean => {
    for (let at: number | undefined = pid; at !== undefined && at > 1; at = parents.get(at)?.parent) if (at === system.pid) return true;
    return false;
  };
  return [...parents].filter(([pid, { command }]) => command.includes('processes/web/main.ts') && isOurs(pid)).map(([pid]) => pid);
}
