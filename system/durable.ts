/**
 * Durable files: the one place where Lazaret turns bytes into bytes that survive a power cut.
 *
 * A new file is durable after
 *
 *   openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)
 *   write(…) until all is written
 *   fdatasync(file)             the bytes and the length
 *   fsync(folder)               the entry that makes the file findable
 *
 * and a renamed one after renameat() and fsync() of both folders. What that cannot promise: a disk or a controller that
 * reports a flush as done while the bytes are still in a cache without power loses them all the same; a file system mounted
 * with barriers off does too; and after fsync() has once failed, Linux may have dropped the dirty pages and the next fsync()
 * says all is well. So a failed sync is never tried again here: it rejects, and who asked must treat the file as lost
 * (a door refuses the object, the keeper ends itself and recovers from what is on the disk).
 */
import { createHash, type Hash } from 'node:crypto';
import { constants, statfsSync, type Stats } from 'node:fs';
import { mkdir, open, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { unavailable } from './failure.ts';

/** Only the account that Lazaret runs under may read what it keeps. */
const fileMode = 0o600;
const folderMode = 0o700;

/** Syncs under way, by folder: `next` is shared by all who ask while `now` runs, since they ask after it began. */
const folderSyncs = new Map<string, { now: Promise<void>; next: Promise<void> | null }>();

/**
 * fsync() of a folder, covering every entry made or removed before the call. Callers that come while a sync runs share the
 * one after it, so many files that arrive at once cost few syncs.
 */
export function syncFolder(folder: string): Promise<void> {
  const running = folderSyncs.get(folder);
  if (running === undefined) return beginSync(folder);
  running.next ??= running.now.then(
    () => beginSync(folder),
    () => beginSync(folder),
  );
  return running.next;
}

function beginSync(folder: string): Promise<void> {
  const entry = { now: fsyncFolder(folder), next: null as Promise<void> | null };
  folderSyncs.set(folder, entry);
  const forget = (): void => {
    // A waiting `next` puts its own entry in when it begins, right after this.
    if (folderSyncs.get(folder) === entry) folderSyncs.delete(folder);
  };
  void entry.now.catch(() => {}).then(forget);
  return entry.now;
}

async function fsyncFolder(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * File systems whose journal writes the making of a file and its entry in the folder together, so that fdatasync of a file that was just
 * made brings the entry along: ext4, XFS, Btrfs; and tmpfs, where nothing is durable. On any other the folder must be synced, too, which costs
 * one more commit of the journal for each object. Numbers of statfs(2).
 */
const entriesFollowFiles: ReadonlySet<number> = new Set([0xef53, 0x58465342, 0x9123683e, 0x01021994]);

/** Whether fdatasync of a new file in `folder` makes its entry durable, too. */
export function entriesFollow(folder: string): boolean {
  return entriesFollowFiles.has(statfsSync(folder).type);
}

/** Makes a folder and its missing parents, mode 0700, each durable. */
export async function makeFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true, mode: folderMode });
  if (first === undefined) return;
  for (let made = folder; ; made = dirname(made)) {
    await syncFolder(dirname(made));
    if (made === first) return;
  }
}

export interface WrittenFile {
  readonly bytes: number;
  /** SHA-256 of all that was written, in hex. */
  readonly sha256: string;
}

/**
 * A new file that is hashed while it is written and durable once `finish` resolves. Refuses a name that exists. Call exactly
 * one of `finish` and `discard` at the end.
 */
export class NewFile {
  readonly #path: string;
  readonly #handle: FileHandle;
  readonly #hash: Hash = createHash('sha256');
  #bytes = 0;

  private constructor(path: string, handle: FileHandle) {
    this.#path = path;
    this.#handle = handle;
  }

  static async create(path: string): Promise<NewFile> {
    return new NewFile(path, await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, fileMode));
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Writes all chunks, in order; one call at a time. */
  async write(chunks: readonly Uint8Array[]): Promise<void> {
    let wanted = 0;
    for (const chunk of chunks) {
      this.#hash.update(chunk);
      wanted += chunk.length;
    }
    if (wanted === 0) return;
    let { bytesWritten } = await this.#handle.writev(chunks as Uint8Array[]);
    // A short write happens when the disk is nearly full: the rest goes piece by piece until the error itself comes.
    let before = 0;
    for (const chunk of chunks) {
      let done = Math.min(Math.max(bytesWritten - before, 0), chunk.length);
      before += chunk.length;
      while (done < chunk.length) {
        const answer = await this.#handle.write(chunk, done, chunk.length - done);
        if (answer.bytesWritten === 0) throw unavailable('disk-full', `nothing more can be written to ${this.#path}`);
        done += answer.bytesWritten;
        bytesWritten += answer.bytesWritten;
      }
    }
    this.#bytes += wanted;
  }

  /** Makes bytes and entry durable and closes the file. When it rejects, the file must be taken for lost. */
  async finish(): Promise<WrittenFile> {
    try {
      await Promise.all([this.#handle.datasync(), syncFolder(dirname(this.#path))]);
    } finally {
      await this.#handle.close();
    }
    return { bytes: this.#bytes, sha256: this.#hash.digest('hex') };
  }

  /** Closes and removes the file; used when what was to be written ended early. */
  async discard(): Promise<void> {
    await this.#handle.close().catch(() => {});
    await rm(this.#path, { force: true });
  }
}

/** Writes a small file whole, replacing an older one: after a crash there is the old one or the new one, never a mixture. */
export async function replaceFile(path: string, bytes: Uint8Array | string): Promise<void> {
  const fresh = `${path}.new`;
  await rm(fresh, { force: true });
  const handle = await open(fresh, 'wx', fileMode);
  try {
    await handle.writeFile(bytes);
    await handle.datasync();
  } finally {
    await handle.close();
  }
  await rename(fresh, path);
  await syncFolder(dirname(path));
}

/** What stat says, or null when there is no such file. */
export async function statFile(path: string): Promise<Stats | null> {
  try {
    return await stat(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** Makes the 256 folders of an area of objects (`objectPath` in layout.ts), so that none is made while objects arrive. */
export async function makeObjectFolders(area: string): Promise<void> {
  await makeFolder(area);
  let made = false;
  for (let first = 0; first < 256; first++) {
    const folder = join(area, first.toString(16).padStart(2, '0'));
    made = (await mkdir(folder, { recursive: true, mode: folderMode })) !== undefined || made;
  }
  if (made) await syncFolder(area);
}
