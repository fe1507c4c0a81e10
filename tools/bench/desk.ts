/**
 * The import desk in Chromium: how soon the first picture of a disc is on the page after the first file was read, and how soon all of it is scanned after it was read.
 * The times are those of the file system, where files of the medium come and go, and of the page itself; browser and server share the machine.
 */
import { readdirSync, watch, type FSWatcher } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Browser } from 'playwright-core';
import type { ImportStatus } from '../../pacs/reception/media/contract.ts';
import { launch } from '../../test/console/browser.ts';
import { atDesk, give, openDesk } from '../../test/console/desk.ts';
import { programPath } from '../../test/peers.ts';
import type { Layout } from '../../system/layout.ts';
import { discOf, type Disc } from './disc.ts';
import { median } from './usage.ts';

/** Milliseconds since 1970; 0: not yet. */
interface Marks {
  given: number;
  /** The first file has been read and is handed over; it is archived. */
  read: number;
  archived: number;
  lastRead: number;
  lastArchived: number;
  settled: number;
  /** The page asks for the first picture; it is shown. */
  asked: number;
  shown: number;
}

const timeoutMs = 120_000;
const discSlices = 1_400;
const isObject = (name: string | null): boolean => /^[0-9a-f]{32}$/.test(name ?? '');

/** Writes down when files come and go, as the kernel tells it. */
class Watching {
  readonly marks: Marks = { given: 0, read: 0, archived: 0, lastRead: 0, lastArchived: 0, settled: 0, asked: 0, shown: 0 };
  readonly #watchers: FSWatcher[] = [];

  constructor(layout: Layout) {
    const { marks } = this;
    const seen = new Set<string>();
    const on = (folder: string, told: (name: string, now: number) => void): void => {
      this.#watchers.push(watch(folder, (_event, name) => told(name ?? '', Date.now())).on('error', () => {}));
    };
    on(layout.arriving, (name, now) => {
      // Its name appears when it was read, and again when the keeper takes it away.
      if (!isObject(name) || seen.has(name)) return;
      seen.add(name);
      marks.read ||= now;
      marks.lastRead = now;
    });
    for (const folder of readdirSync(layout.archive)) {
      on(join(layout.archive, folder), (_file, now) => {
        marks.archived ||= now;
        marks.lastArchived = now;
      });
    }
  }

  close(): void {
    for (const each of this.#watchers) each.close();
  }
}

/** One disc at a system of its own, which has just been started: also the decoder of pictures has not. */
async function measure(browser: Browser, disc: Disc, how: 'folder' | 'image', run: string): Promise<Marks> {
  const path = how === 'folder' ? disc.folder(run) : disc.image(run);
  const teardown: (() => unknown)[] = [];
  const t = { after: (work: () => unknown): void => void teardown.unshift(work) } as Parameters<typeof openDesk>[0];
  try {
    const desk = await openDesk(t);
    const { page } = await atDesk(t, browser, desk);
    await page.evaluate(() => {
      performance.setResourceTimingBufferSize(10_000);
      document.addEventListener('load', ({ target }) => {
        if (target instanceof HTMLImageElement && target.src.includes('/desk/pictures/')) (globalThis as { shown?: number }).shown ??= Date.now();
      }, true);
    });
    await wait(2_000);
    const watching = new Watching(desk.system.layout);
    const { marks } = watching;
    teardown.unshift(() => watching.close());
    marks.given = Date.now();
    await give(page, path, how === 'folder' ? 'folder' : 'file');
    for (const end = Date.now() + timeoutMs; marks.settled === 0; await wait(100)) {
      if (Date.now() > end) throw new Error(`the disc was not settled within ${timeoutMs / 1000} s`);
      if (marks.lastArchived === 0 || Date.now() - marks.lastArchived < 1_500) continue;
      const [status] = JSON.parse(await page.evaluate(async () => (await fetch('/console/api/desk/imports')).text())) as ImportStatus[];
      if (status?.state !== 'settled') continue;
      if (status.archived !== disc.slices) throw new Error(`${status.archived} of ${disc.slices} slices were archived`);
      marks.settled = status.endedAt ?? 0;
    }
    const seen = await page.evaluate(() => {
      const [first] = performance.getEntriesByType('resource').filter(({ name }) => name.includes('/desk/pictures/')) as PerformanceResourceTiming[];
      return { asked: performance.timeOrigin + (first?.startTime ?? 0), shown: (globalThis as { shown?: number }).shown ?? 0 };
    });
    return Object.assign(marks, seen);
  } finally {
    for (const work of teardown) await work();
  }
}

/** What is to be reached: the first picture after the first file was read, and all of the disc after it was read. */
const goals = { pictureS: 1, archivedS: 15 } as const;

/** One line for each way of giving a disc of 1,400 slices to the page: medians of the rounds. Empty where there is no Chromium. */
export async function deskLines(folder: string, rounds: number, say: (text: string) => void): Promise<string[]> {
  const program = programPath('chromium');
  if (program === null) return ['Skipped: the import desk, because Chromium is not installed.'];
  say(`making a disc of ${discSlices} slices`);
  const disc = discOf(folder, discSlices);
  const lines: string[] = [];
  for (const how of ['image', 'folder'] as const) {
    const found: Marks[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const browser = await launch(program);
      try {
        found.push(await measure(browser, disc, how, `desk ${how} ${round} ${process.pid}`));
      } finally {
        await browser.close();
      }
      say(`${how}: ${lineOf(how, disc, found.slice(-1))}`);
    }
    lines.push(lineOf(how, disc, found));
  }
  return lines;
}

function lineOf(how: 'folder' | 'image', disc: Disc, rounds: readonly Marks[]): string {
  const seconds = (from: keyof Marks, to: keyof Marks): string => median(rounds.map((marks) => (marks[to] - marks[from]) / 1_000)).toFixed(1);
  return `Import desk, ${disc.slices} slices (${Math.round(disc.bytes / 1e6)} MB) as ${how === 'image' ? 'an ISO image' : 'a folder'}, in Chromium on the same machine: from the first file read, ${seconds('read', 'archived')} s to the first archived, ${seconds('read', 'asked')} s until the page asks for a picture, ${seconds('read', 'shown')} s until it is shown (goal: ${goals.pictureS} s); ${seconds('lastRead', 'lastArchived')} s from the last file read to the last archived (goal: ${goals.archivedS} s); ${seconds('given', 'settled')} s in all.`;
}
