/**
 * Every digest, both ways: each file that the ledger says there is, is read to its end; each file that is there must be one the ledger explains; and
 * what is archived must be what is found by searches. Only reads, beside a keeper that goes on working: whatever looks wrong is looked at
 * again with the ledger of that moment before it is a finding, since objects move while this runs.
 */
import { lstatSync, opendirSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { setImmediate as breathe, setTimeout as wait } from 'node:timers/promises';
import type { Layout } from '@lazaret/system/layout.ts';
import type { Area, ExpectedFile, FileFinding } from './contract.ts';
import { digestOf, type Pace } from './digesting.ts';
import { expectedOf, Known, pathOf, placesOf, Rows } from './expected.ts';

/** Files read side by side: one disk gets little faster by more, and live reads must come in between. */
const parallel = 4;
/** Named one by one up to this many; when more is wrong the archive is lost as a whole, and the rest is counted. */
export const findingsMax = 10_000;
/** An object that is being moved is in its new place within this. */
const movingMs = 300;
const looksMax = 3;

export interface Position {
  /** Every object of the ledger up to this number was read. */
  readonly number: number;
  readonly objects: number;
  readonly files: number;
  readonly bytes: number;
}

export interface VerificationOptions {
  readonly layout: Layout;
  /** Open for reading. */
  readonly database: DatabaseSync;
  readonly pace: Pace;
  /** Where an earlier run came to. */
  readonly from?: Position;
  readonly signal?: AbortSignal;
  onFinding(finding: FileFinding): void;
  /** After each page of the ledger, and often enough for people who watch. */
  onProgress?(position: Position, last: number): void;
}

/** Reads all that is kept. Resolves with how far it came; `signal` ends it early. */
export async function verifyFiles(options: VerificationOptions): Promise<Position & { readonly complete: boolean }> {
  const { layout, database, signal } = options;
  const ended = (): boolean => signal?.aborted === true;
  const rows = new Rows(database);
  const last = rows.last();
  const position = { ...(options.from ?? { number: 0, objects: 0, files: 0, bytes: 0 }) };
  while (!ended()) {
    const page = rows.after(position.number, last);
    if (page.length === 0) break;
    const files = page.flatMap(expectedOf);
    let next = 0;
    const work = async (): Promise<void> => {
      for (let file = files[next++]; file !== undefined && !ended(); file = files[next++]) {
        const finding = await checkFile(layout, rows, file, options.pace);
        // What was cut short says nothing of the file.
        if (ended()) return;
        if (finding !== null) options.onFinding(finding);
        position.files += 1;
        position.bytes += file.bytes;
        if (next % 64 === 0) options.onProgress?.(position, last);
      }
    };
    await Promise.all(Array.from({ length: parallel }, work));
    if (ended()) break;
    position.number = page.at(-1)!.number;
    position.objects += page.length;
    options.onProgress?.({ ...position }, last);
  }
  if (ended()) return { ...position, complete: false };
  for (const finding of unindexed(database)) options.onFinding(finding);
  for await (const finding of strangers(layout, database)) {
    if (ended()) return { ...position, complete: false };
    options.onFinding(finding);
  }
  return { ...position, number: last, complete: true };
}

/** One file that there must be: null when it is as it was kept, or is no longer expected by now. */
export async function checkFile(layout: Layout, rows: Rows, file: ExpectedFile, pace: Pace): Promise<FileFinding | null> {
  let wanted = file;
  for (let look = 1; ; look += 1) {
    const found = await digestOf(pathOf(layout, wanted), wanted.bytes, pace).catch((error: unknown) => ({ sha256: '', bytes: -1, error }));
    if (found !== null && found.sha256 === wanted.sha256) return null;
    // Its row may have moved on, and just before that its file.
    if (look < looksMax) await wait(movingMs);
    const row = rows.of(file.objectId);
    const again = row === null ? [] : expectedOf(row);
    const now = again.find(({ sha256 }) => sha256 === file.sha256) ?? again.find(({ area, name }) => area === file.area && name === file.name);
    if (now === undefined) return null;
    if (look < looksMax || now.area !== wanted.area || now.name !== wanted.name) {
      if (look > 2 * looksMax) return null;
      wanted = now;
      continue;
    }
    // A door's object that was just admitted is moved by its new name a moment later.
    if (row!.state === 'waiting') for (const place of placesOf(layout, wanted)) if ((await digestOf(place, wanted.bytes, pace).catch(() => null))?.sha256 === wanted.sha256) return null;
    return findingOf(wanted, found);
  }
}

function findingOf(file: ExpectedFile, found: { readonly sha256: string; readonly bytes: number; readonly error?: unknown } | null): FileFinding {
  const { area, name, objectId, sha256: expected } = file;
  const one = { area, name, objectId, expected };
  if (found === null) return { ...one, code: 'missing', found: '', text: `The file of ${file.bytes} bytes is not there.` };
  if (found.bytes < 0) return { ...one, code: 'changed', found: '', text: `The file cannot be read: ${String((found.error as NodeJS.ErrnoException).code ?? found.error)}.` };
  const length = found.bytes === file.bytes ? 'of the same length' : found.bytes > file.bytes ? `with more than the ${file.bytes} that were kept` : `${found.bytes} of ${file.bytes}`;
  return { ...one, code: 'changed', found: found.bytes > file.bytes ? '' : found.sha256, text: `The file has other bytes than those that were kept (${length}).` };
}

const disagreement = (text: string) => (row: Record<string, unknown>): FileFinding => ({
  code: 'unindexed', area: 'archive', name: String(row['digest']), objectId: String(row['object_id']), expected: String(row['digest']), found: '', text,
});

/** Where ledger and index disagree about what may be seen. What waits for somebody to say whose it is may not be. */
export function unindexed(database: DatabaseSync): FileFinding[] {
  const hidden = database.prepare(`SELECT object_id, archived_sha256 AS digest FROM ledger WHERE state = 'archived' AND NOT EXISTS (SELECT 1 FROM instances WHERE digest = archived_sha256)
    AND NOT EXISTS (SELECT 1 FROM withdrawnInstances WHERE digest = archived_sha256 AND reason = 'unreconciled') LIMIT ${findingsMax}`);
  const shown = database.prepare(`SELECT objectId AS object_id, digest FROM instances WHERE NOT EXISTS (SELECT 1 FROM ledger WHERE object_id = instances.objectId AND state = 'archived' AND archived_sha256 = digest)
    AND NOT EXISTS (SELECT 1 FROM ledger WHERE sha256 = digest AND archived_sha256 = digest AND state = 'archived') LIMIT ${findingsMax}`);
  return [
    ...hidden.all().map(disagreement('The ledger says that it is archived, and no search finds it.')),
    ...shown.all().map(disagreement('Searches find it, and the ledger does not say that it is archived.')),
  ];
}

/** Files that the ledger does not explain. Looked at twice, since a file may be moved between a look at the folder and one at the ledger. */
export async function* strangers(layout: Layout, database: DatabaseSync, pauseMs = 0): AsyncGenerator<FileFinding> {
  const known = new Known(database);
  for (const area of ['archive', 'quarantine'] as const) {
    for (const name of await foldersOf(layout[area])) {
      const suspects: { name: string; text: string }[] = [];
      const folder = join(layout[area], name);
      for (const entry of entriesOf(folder)) {
        const text = /^[0-9a-f]{2}$/.test(name) && entry.startsWith(name) ? known.stranger(area, entry) : 'This is no place where Lazaret puts files.';
        if (text !== '' && suspects.length < findingsMax) suspects.push({ name: entry, text });
      }
      if (suspects.length > 0) await wait(movingMs);
      for (const suspect of suspects) {
        const there = lstatSync(join(folder, suspect.name), { throwIfNoEntry: false });
        if (there === undefined || (/^[0-9a-f]{2}$/.test(name) && suspect.name.startsWith(name) && known.stranger(area, suspect.name) === '')) continue;
        yield { code: 'orphaned', area, name: join(name, suspect.name), objectId: '', expected: '', found: '', text: suspect.text };
      }
      if (pauseMs > 0) await wait(pauseMs);
      else await breathe();
    }
  }
}

function foldersOf(area: string): string[] {
  return entriesOf(area).toSorted();
}

function entriesOf(folder: string): string[] {
  const names: string[] = [];
  try {
    const open = opendirSync(folder);
    try {
      for (let entry = open.readSync(); entry !== null; entry = open.readSync()) names.push(entry.name);
    } finally {
      open.closeSync();
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw error;
  }
  return names;
}

/** For people: what is wrong with an object, and where. */
export function placeOf(layout: Layout, finding: { readonly area: Area; readonly name: string }): string {
  return finding.name.includes('/') ? join(layout[finding.area], finding.name) : pathOf(layout, finding);
}
