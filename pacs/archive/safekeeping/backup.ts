/**
 * Making a backup while the system works.
 *
 *   copy what the ledger names now → snapshot of ledger, index and record at one moment → copy what came meanwhile → lists, database, log, keys →
 *   manifest, sealed by the keeper → published by its name
 *
 * The snapshot is what counts: its manifest is published only when every file that the snapshot names is in the folder. An object that was destroyed in
 * between makes a new snapshot; one whose file is damaged is told to the keeper, which takes it out of sight, and makes a new snapshot, too. So what was
 * encrypted or rotten in the archive never becomes part of a backup, and what is in the folder already stays as it is.
 */
import { createHash } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { refused, unavailable } from '@lazaret/system/failure.ts';
import type { Layout } from '@lazaret/system/layout.ts';
import { cutAudit, type Cut } from './auditcut.ts';
import type { DamageOutcome, ExpectedFile, Snapshot } from './contract.ts';
import { openRegular, type Pace } from './digesting.ts';
import { expectedOf, placesOf, Rows } from './expected.ts';
import type { BackupFolder, Blob } from './folder.ts';
import { decodeManifest, digestOfText, encodeList, encodeManifest, isKeptPath, listNumbers, manifestBytesMax, manifestFormat, manifestName, partBytes, type KeptFile, type Lacking, type List, type ListedFile, type Manifest } from './manifest.ts';

/** Writes under way: the disk's queue, not the processor, is what many small files wait for. */
const parallel = 8;
/** Each round is short, since all but the newest objects are there: if so many do not suffice, something else is wrong. */
const roundsMax = 6;

/** What only the keeper can do. */
export interface Custody {
  snapshot(): Promise<Snapshot>;
  /** Puts the backup on the record and signs its manifest: Ed25519 over `sealedText` (manifest.ts), base64. */
  seal(manifest: string, counted: { readonly objects: number; readonly bytes: number; readonly findings: number }): Promise<string>;
  damaged(file: ExpectedFile): Promise<DamageOutcome>;
}

export interface BackupProgress {
  readonly phase: 'objects' | 'snapshot' | 'record';
  readonly files: number;
  readonly copied: number;
  readonly copiedBytes: number;
}

export interface Made {
  readonly name: string;
  readonly sha256: string;
  readonly objects: number;
  readonly bytes: number;
  /** New in this backup. */
  readonly copied: number;
  readonly copiedBytes: number;
  readonly damaged: readonly { readonly file: ExpectedFile; readonly inBackup: boolean }[];
  readonly lacking: readonly Lacking[];
  readonly files: readonly KeptFile[];
  readonly auditEntries: number;
}

export interface BackupOptions {
  readonly layout: Layout;
  readonly folder: BackupFolder;
  readonly custody: Custody;
  /** The live database, open for reading. */
  readonly database: DatabaseSync;
  readonly pace: Pace;
  onProgress?(progress: BackupProgress): void;
}

export async function makeBackup(options: BackupOptions): Promise<Made> {
  const run = new Run(options);
  await run.copyObjects(options.database);
  for (let round = 1; ; round += 1) {
    const snapshot = await options.custody.snapshot();
    const made = await run.finish(snapshot);
    if (made !== null) return made;
    if (round >= roundsMax) throw unavailable('backup-restless', `The system changed faster than it could be copied, ${roundsMax} times. What was copied stays in the folder: run it again.`);
  }
}

type Copied = 'there' | 'copied' | 'moved' | 'damaged';

class Run {
  readonly #options: BackupOptions;
  readonly #live: Rows;
  readonly #damaged = new Map<string, { readonly file: ExpectedFile; readonly inBackup: boolean }>();
  /** Damaged files that stay named by the ledger: bytes as received of something that was disarmed. */
  readonly #lacking = new Map<string, Lacking>();
  #files = 0;
  #copied = 0;
  #copiedBytes = 0;

  constructor(options: BackupOptions) {
    this.#options = options;
    this.#live = new Rows(options.database);
  }

  /** True when every file that the database names is in the folder (or known to be lacking). */
  async copyObjects(database: DatabaseSync, onPage: (number: number, files: readonly ExpectedFile[]) => Promise<void> = async () => {}): Promise<boolean> {
    const rows = new Rows(database);
    const last = rows.last();
    let whole = true;
    this.#files = 0;
    for (let after = 0; ; ) {
      const page = rows.after(after, last);
      if (page.length === 0) break;
      const files = page.flatMap(expectedOf);
      let next = 0;
      const work = async (): Promise<void> => {
        for (let file = files[next++]; file !== undefined; file = files[next++]) {
          const outcome = await this.#copy(file);
          if (outcome === 'moved' || outcome === 'damaged') whole = false;
          this.#files += 1;
          if (next % 32 === 0) this.#tell('objects');
        }
      };
      await Promise.all(Array.from({ length: parallel }, work));
      await onPage(page.at(-1)!.number, files);
      after = page.at(-1)!.number;
    }
    this.#tell('objects');
    return whole;
  }

  async #copy(file: ExpectedFile): Promise<Copied> {
    const { folder, layout, pace, custody } = this.#options;
    if (folder.has(file)) return 'there';
    if (this.#lacking.has(keyOf(file))) return 'there';
    for (const place of placesOf(layout, file)) {
      const source = await openRegular(place);
      if (source === null) continue;
      try {
        if (!(await folder.put(file, source, pace))) continue;
        this.#copied += 1;
        this.#copiedBytes += file.bytes;
        return 'copied';
      } finally {
        await source.close();
      }
    }
    // Nowhere are these bytes. Destroyed or moved on meanwhile, or damaged?
    const row = this.#live.of(file.objectId);
    const still = row === null ? [] : expectedOf(row);
    if (!still.some(({ sha256 }) => sha256 === file.sha256)) return 'moved';
    const outcome = await custody.damaged(file);
    if (outcome === 'whole') return 'moved';
    this.#damaged.set(keyOf(file), { file, inBackup: false });
    const now = this.#live.of(file.objectId);
    if (now !== null && expectedOf(now).some(({ sha256 }) => sha256 === file.sha256)) {
      this.#lacking.set(keyOf(file), { area: file.area, name: file.name, sha256: file.sha256, bytes: file.bytes, text: 'It was missing or changed when the backup was made, and no earlier backup in this folder has it.' });
    }
    return 'damaged';
  }

  /** Null when something that the snapshot names could not be had any more: then another snapshot is needed. */
  async finish(snapshot: Snapshot): Promise<Made | null> {
    const { layout, folder, custody } = this.#options;
    this.#tell('snapshot');
    const path = join(layout.database, '..', snapshot.name);
    // Nobody else has it open, and nothing may be written beside it.
    const database = new DatabaseSync(new URL(`${pathToFileURL(path).href}?immutable=1`), { readOnly: true });
    const listing = new Listing(folder);
    try {
      const [check] = database.prepare('PRAGMA quick_check(1)').all() as { quick_check: string }[];
      if (check?.quick_check !== 'ok') throw unavailable('database-damaged', `The database is damaged (${check?.quick_check}). No backup was made of it; the earlier ones in the folder are as they were.`);
      const whole = await this.copyObjects(database, (number, files) => listing.add(number, files, this.#lacking));
      if (!whole) return null;
      await listing.end();
    } finally {
      database.close();
    }
    this.#tell('record');
    const files: KeptFile[] = [await this.#keep({ source: path, path: 'database/lazaret.sqlite', bytes: statSync(path).size })];
    for (const cut of [...(await cutAudit(layout.audit, snapshot.entries)), ...keysIn(layout.tls, 'tls'), ...keysIn(layout.dicomTls, 'dicom-tls')]) files.push(await this.#keep(cut));
    await folder.settle();
    return this.#publish(custody, snapshot, listing, files);
  }

  async #publish(custody: Custody, snapshot: Snapshot, { lists, objects, bytes }: Listing, files: readonly KeptFile[]): Promise<Made> {
    const { folder } = this.#options;
    const lacking = [...this.#lacking.values()];
    const before = folder.manifestNames().at(-1);
    const previous = before === undefined ? null : decodeManifest(before, await folder.readManifest(before, manifestBytesMax));
    const madeAt = Date.now();
    const manifest: Manifest = {
      format: manifestFormat, number: (previous?.manifest.number ?? 0) + 1, previous: previous === null ? null : { name: previous.name, sha256: previous.sha256 }, madeAt, publicKey: snapshot.publicKey,
      audit: { entries: snapshot.entries, root: snapshot.root }, objects: { count: objects, bytes }, lists, files, lacking,
    };
    const line = encodeManifest(manifest);
    const sha256 = digestOfText(line);
    const signature = await custody.seal(sha256, { objects, bytes, findings: this.#damaged.size });
    const name = manifestName(manifest.number, madeAt);
    const whole = Buffer.from(`${line}\n${signature}\n`);
    // What cannot be read again must not be published as a backup.
    decodeManifest(name, whole);
    await folder.publish(name, whole);
    return { name, sha256, objects, bytes, copied: this.#copied, copiedBytes: this.#copiedBytes, damaged: [...this.#damaged.values()].map(({ file }) => ({ file, inBackup: folder.has(file) })), lacking, files, auditEntries: snapshot.entries };
  }

  /** A file that changes from backup to backup, in parts. */
  async #keep(cut: Cut): Promise<KeptFile> {
    const { folder } = this.#options;
    const source = await openRegular(cut.source);
    if (source === null) throw unavailable('file-missing', `${cut.source} is not there: without it no backup can be restored.`);
    const parts: Blob[] = [];
    const hash = createHash('sha256');
    try {
      const buffer = Buffer.allocUnsafeSlow(Math.max(1, Math.min(partBytes, cut.bytes)));
      for (let done = 0; done < cut.bytes; ) {
        const wanted = Math.min(partBytes, cut.bytes - done);
        let filled = 0;
        while (filled < wanted) {
          const { bytesRead } = await source.read(buffer, filled, wanted - filled, done + filled);
          if (bytesRead === 0) throw unavailable('file-changed', `${cut.source} became shorter while it was copied`);
          filled += bytesRead;
        }
        await this.#options.pace.spend(filled);
        const piece = Buffer.from(buffer.subarray(0, filled));
        hash.update(piece);
        parts.push(await folder.putBytes(piece));
        done += filled;
      }
    } finally {
      await source.close();
    }
    return { path: cut.path, sha256: hash.digest('hex'), bytes: cut.bytes, parts };
  }

  #tell(phase: BackupProgress['phase']): void {
    this.#options.onProgress?.({ phase, files: this.#files, copied: this.#copied, copiedBytes: this.#copiedBytes });
  }
}

/** The lists of a manifest, written as the ledger is gone through. */
class Listing {
  readonly #folder: BackupFolder;
  readonly lists: List[] = [];
  objects = 0;
  bytes = 0;
  #rows: ListedFile[] = [];
  #group = 0;

  constructor(folder: BackupFolder) {
    this.#folder = folder;
  }

  async add(_number: number, files: readonly ExpectedFile[], lacking: ReadonlyMap<string, unknown>): Promise<void> {
    for (const file of files) {
      // By number and not by count: a list stays the same when objects before it are gone.
      const group = Math.floor(file.number / listNumbers);
      if (group !== this.#group) await this.end();
      this.#group = group;
      if (lacking.has(keyOf(file))) continue;
      this.#rows.push({ area: file.area, name: file.name, sha256: file.sha256, bytes: file.bytes });
      this.objects += 1;
      this.bytes += file.bytes;
    }
  }

  async end(): Promise<void> {
    if (this.#rows.length === 0) return;
    this.lists.push({ ...(await this.#folder.putBytes(encodeList(this.#rows))), rows: this.#rows.length });
    this.#rows = [];
  }
}

function keyOf(file: { readonly area: string; readonly name: string; readonly sha256: string }): string {
  return `${file.area} ${file.name} ${file.sha256}`;
}

/** Certificates and keys, as far as their names are such as these files have. */
function keysIn(folder: string, area: string): Cut[] {
  let names: string[];
  try {
    names = readdirSync(folder).toSorted();
  } catch {
    return [];
  }
  return names.flatMap((name): Cut[] => {
    const stat = statSync(join(folder, name), { throwIfNoEntry: false });
    if (stat === undefined || !stat.isFile()) return [];
    if (!isKeptPath(`${area}/${name}`)) throw refused('file-unexpected', `${join(folder, name)} has a name that no backup takes: rename it or move it away.`);
    return [{ source: join(folder, name), path: `${area}/${name}`, bytes: stat.size }];
  });
}
