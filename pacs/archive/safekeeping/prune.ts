/**
 * Older backups go, by number or by day, week and month. What stays can be restored as before, byte for byte.
 *
 *   which manifests stay → every list of those read, every name that they need noted → the others retired (`pruned/`) → bytes that nobody needs removed
 *
 * In this order an end at any moment leaves manifests that have all their bytes, and perhaps bytes that no manifest needs: the next time takes those away. Retired
 * manifests are kept, small as they are: they are the links of the chain between those that stay.
 *
 * The newest backup that is whole stays, whatever the policy says, and so does the newest one that a drill has restored.
 */
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { refused } from '@lazaret/system/failure.ts';
import type { Pace } from './digesting.ts';
import type { BackupFolder, Blob } from './folder.ts';
import { decodeList, decodeManifest, listBytesMax, manifestBytesMax, type SignedManifest } from './manifest.ts';

export interface Policy {
  /** The newest so many. */
  readonly newest: number;
  /** The newest of each of the last so many days, weeks and months that have one. UTC; weeks begin on Monday. */
  readonly daily: number;
  readonly weekly: number;
  readonly monthly: number;
}

export interface Plan {
  readonly kept: readonly { readonly manifest: SignedManifest; readonly why: readonly string[] }[];
  readonly removed: readonly SignedManifest[];
  /** Newer than the newest that is whole, and not whole: they stay, and somebody should know. */
  readonly broken: readonly string[];
}
export interface Pruned {
  /** Files that no backup needs any more. */
  readonly blobs: number;
  readonly bytes: number;
}

const dayMs = 86_400_000;

/** Which of the manifests stay, oldest first, and why. Pure but for `isWhole`, which is asked for as few as needed. */
export async function choose(all: readonly SignedManifest[], policy: Policy, drilled: ReadonlySet<string>, isWhole: (manifest: SignedManifest) => Promise<boolean>): Promise<Plan> {
  const why = new Map<SignedManifest, string[]>();
  const keep = (manifest: SignedManifest, reason: string): void => {
    const reasons = why.get(manifest) ?? [];
    if (!reasons.includes(reason)) reasons.push(reason);
    why.set(manifest, reasons);
  };
  const newestFirst = all.toReversed();
  for (const manifest of newestFirst.slice(0, policy.newest)) keep(manifest, 'newest');
  const periods = [['day', policy.daily, dayOf], ['week', policy.weekly, weekOf], ['month', policy.monthly, monthOf]] as const;
  for (const [name, most, of] of periods) {
    const seen = new Set<string>();
    for (const manifest of newestFirst) {
      const period = of(manifest.manifest.madeAt);
      if (seen.has(period) || seen.size >= most) continue;
      seen.add(period);
      keep(manifest, name);
    }
  }
  const tested = newestFirst.find(({ sha256 }) => drilled.has(sha256));
  if (tested !== undefined) keep(tested, 'restored by a drill');
  const broken: string[] = [];
  let whole: SignedManifest | null = null;
  for (const manifest of newestFirst) {
    if (await isWhole(manifest)) {
      whole = manifest;
      break;
    }
    broken.push(manifest.name);
    keep(manifest, 'not whole');
  }
  if (whole === null) throw refused('backup-damaged', `None of the ${all.length} backups has all of its files. Nothing was removed: see what became of the folder.`);
  keep(whole, 'newest that is whole');
  return { kept: all.filter((manifest) => why.has(manifest)).map((manifest) => ({ manifest, why: why.get(manifest)! })), removed: all.filter((manifest) => !why.has(manifest)), broken };
}

function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}
function weekOf(time: number): string {
  // 1 January 1970 was a Thursday.
  return String(Math.floor((time / dayMs + 3) / 7));
}
function monthOf(time: number): string {
  return new Date(time).toISOString().slice(0, 7);
}

/** A folder that something is removed from. Memory stays small whatever its size: what is needed is noted in a database of its own, on disk. */
export class Pruning {
  readonly #folder: BackupFolder;
  readonly #pace: Pace;
  readonly #needed: DatabaseSync;
  readonly #add: StatementSync;
  readonly #has: StatementSync;

  constructor(folder: BackupFolder, pace: Pace) {
    this.#folder = folder;
    this.#pace = pace;
    // An empty name: a temporary file that SQLite removes by itself.
    this.#needed = new DatabaseSync('');
    this.#needed.exec('PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; CREATE TABLE needed (name TEXT PRIMARY KEY) STRICT, WITHOUT ROWID; CREATE TABLE listed (sha256 TEXT PRIMARY KEY) STRICT, WITHOUT ROWID');
    this.#add = this.#needed.prepare('INSERT OR IGNORE INTO needed (name) VALUES (?)');
    this.#has = this.#needed.prepare('SELECT 1 FROM needed WHERE name = ?');
  }
  close(): void {
    this.#needed.close();
  }

  /** Throws `backup-damaged` for a manifest that cannot be read: nobody knows then what it needs. */
  async plan(policy: Policy, drilled: ReadonlySet<string>): Promise<Plan> {
    const all: SignedManifest[] = [];
    for (const name of this.#folder.manifestNames()) {
      const signed = decodeManifest(name, await this.#folder.readManifest(name, manifestBytesMax));
      if (signed.fingerprint !== this.#folder.system) throw refused('backup-damaged', `The manifest ${name} was signed by another key than that of the folder.`);
      all.push(signed);
    }
    if (all.length === 0) throw refused('backup-missing', `${this.#folder.path} holds no finished backup.`);
    const plan = await choose(all, policy, drilled, (manifest) => this.#isWhole(manifest));
    // Before anything is removed: a list that cannot be read ends it here.
    for (const { manifest, why } of plan.kept) await this.#note(manifest, why.includes('not whole'));
    return plan;
  }

  /** Retires the manifests and removes what nobody needs. Without `really` it only counts. */
  async carryOut(plan: Plan, really: boolean, onProgress: (done: Pruned) => void = () => {}): Promise<Pruned> {
    if (really) for (const { name } of plan.removed) await this.#folder.retire(name);
    let [blobs, bytes] = [0, 0];
    for await (const { name, bytes: size } of this.#folder.kept()) {
      if (this.#has.get(name) !== undefined) continue;
      if (really) await this.#folder.discard(name);
      blobs += 1;
      bytes += size;
      if (blobs % 256 === 0) onProgress({ blobs, bytes });
    }
    return { blobs, bytes };
  }

  async #isWhole(manifest: SignedManifest): Promise<boolean> {
    try {
      for (const blob of this.#direct(manifest)) if (!this.#folder.has(blob)) return false;
      for (const list of manifest.manifest.lists) for (const file of decodeList(await this.#folder.readWhole(list, listBytesMax, this.#pace), list.rows)) if (!this.#folder.has(file)) return false;
      return true;
    } catch {
      return false;
    }
  }

  /** Of one that is not whole what can be known is noted. */
  async #note(manifest: SignedManifest, lenient: boolean): Promise<void> {
    for (const { sha256 } of this.#direct(manifest)) this.#add.run(this.#folder.nameOf(sha256));
    for (const list of manifest.manifest.lists) {
      if (this.#needed.prepare('INSERT OR IGNORE INTO listed (sha256) VALUES (?)').run(list.sha256).changes === 0) continue;
      try {
        for (const { sha256 } of decodeList(await this.#folder.readWhole(list, listBytesMax, this.#pace), list.rows)) this.#add.run(this.#folder.nameOf(sha256));
      } catch (error) {
        if (!lenient) throw error;
        throw refused('backup-damaged', `A list of ${manifest.name} cannot be read, so nobody knows which files it needs. Nothing was removed. Move that manifest away if it is of no use.`);
      }
    }
  }

  #direct(manifest: SignedManifest): Blob[] {
    return [...manifest.manifest.lists, ...manifest.manifest.files.flatMap(({ parts }) => parts)];
  }
}
