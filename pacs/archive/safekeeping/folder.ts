/**
 * The folder of a backup:
 *
 *   lazaret-backup.json            what it is, whose, how it is encrypted
 *   objects/<aa>/<sha256>          bytes, each kept once, never written again
 *   manifests/<number>-<time>.manifest   what belonged to the system at one moment, signed (manifest.ts)
 *   pruned/                        manifests of backups that were removed: the links of the chain between those that stay (prune.ts)
 *   partial/                       what is being written
 *   busy.json                      who works in it (busy.ts)
 *
 * A file in `objects` is complete: it was hashed while it was copied, made durable under another name, and then renamed. So a backup that was interrupted
 * at any point goes on where it was, and a file that was changed in the archive can only ever come beside the good one, under its own name, never over it.
 *
 * Whoever reads a backup does not trust it: names are made from digests and never taken from it, lengths are known before reading, links are not
 * followed, and no byte is passed on for good before its digest was right.
 */
import { createHash, randomBytes, type Hash } from 'node:crypto';
import { lstatSync, readdirSync } from 'node:fs';
import { open, opendir, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeFolder, makeObjectFolders, replaceFile, syncFolder } from '@lazaret/system/durable.ts';
import { Failure, refused, unavailable } from '@lazaret/system/failure.ts';
import { objectPath } from '@lazaret/system/layout.ts';
import { occupy } from './busy.ts';
import { chunksOf, openRegular, type Pace } from './digesting.ts';
import { bare, coatFor, newEncryption, type Coat, type Encryption } from './sealing.ts';

export const backupFormat = 'lazaret backup 1';
const markerName = 'lazaret-backup.json';
/** A marker has some 400 bytes. */
const markerBytesMax = 16 * 1024;

interface Marker {
  readonly format: string;
  /** Fingerprint of the key that signs its manifests. */
  readonly system: string;
  readonly encryption: Encryption | null;
}

const manifestNames = /^\d{6}-\d{8}T\d{6}Z\.manifest$/;

/** One kept run of bytes. */
export interface Blob {
  readonly sha256: string;
  readonly bytes: number;
}

export class BackupFolder {
  readonly path: string;
  readonly system: string;
  readonly encrypted: boolean;
  readonly #coat: Coat;
  readonly #touched = new Set<string>();
  #giveBack: () => Promise<void> = async () => {};

  private constructor(path: string, marker: Marker, coat: Coat) {
    this.path = path;
    this.system = marker.system;
    this.encrypted = marker.encryption !== null;
    this.#coat = coat;
  }

  /** Opens the folder to write to it, making it where it is not there or empty; it is to be released at the end. Throws `folder-busy` while another process writes to it, and `folder-foreign` for one that holds anything else, or the backups of another system. */
  static async forWriting(path: string, system: string, passphrase: string | null): Promise<BackupFolder> {
    let names: string[] = [];
    try {
      names = readdirSync(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw refused('folder-unreadable', `${path} cannot be used as a folder: ${(error as Error).message}`);
    }
    if (!names.includes(markerName)) {
      // A first backup may have ended before its marker was in place.
      if (names.some((name) => name !== `${markerName}.new` && name !== 'lost+found')) throw refused('folder-foreign', `${path} is not empty and holds no backup of Lazaret. Give it a folder of its own.`);
      await makeFolder(path);
      const made = passphrase === null ? { encryption: null, coat: bare } : await newEncryption(passphrase);
      const marker: Marker = { format: backupFormat, system, encryption: made.encryption };
      await replaceFile(join(path, markerName), `${JSON.stringify(marker, null, 2)}\n`);
    }
    const folder = await BackupFolder.forReading(path, passphrase);
    if (folder.system !== system) throw refused('folder-foreign', `${path} holds the backups of another system, whose key is ${folder.system.slice(0, 16)}…. Give this one a folder of its own.`);
    folder.#giveBack = await occupy(path, 'A backup or its pruning');
    await makeObjectFolders(join(path, 'objects'));
    await makeFolder(join(path, 'manifests'));
    await rm(join(path, 'partial'), { recursive: true, force: true });
    await makeFolder(join(path, 'partial'));
    return folder;
  }

  /** Throws `backup-missing`, `passphrase-missing`, `passphrase-wrong` or `backup-damaged`. */
  static async forReading(path: string, passphrase: string | null): Promise<BackupFolder> {
    const marker = await readMarker(path);
    if (marker.encryption === null) return new BackupFolder(path, marker, bare);
    if (passphrase === null) throw refused('passphrase-missing', `${path} is encrypted: give its passphrase with --passphrase-file FILE.`);
    return new BackupFolder(path, marker, await coatFor(marker.encryption, passphrase));
  }

  /** Others may write to it. */
  release(): Promise<void> {
    return this.#giveBack();
  }

  /** What bytes are called in this folder. */
  nameOf(sha256: string): string {
    return this.#coat.nameOf(sha256);
  }

  pathOf(sha256: string): string {
    return objectPath(join(this.path, 'objects'), this.#coat.nameOf(sha256));
  }

  /** Whether these bytes are here, by name and length. Whether they are as they were written is what a drill finds out. */
  has({ sha256, bytes }: Blob): boolean {
    const stat = lstatSync(this.pathOf(sha256), { throwIfNoEntry: false });
    return stat !== undefined && stat.isFile() && stat.size === this.#coat.lengthOf(bytes);
  }

  /** Copies bytes from a file, hashed on the way. False, with nothing kept, where they are not these bytes any more. */
  async put(blob: Blob, source: FileHandle, pace: Pace): Promise<boolean> {
    const meter = new Meter();
    return this.#keep(blob, meter.through(chunksOf(source, blob.bytes + 1, pace)), () => meter.sha256() === blob.sha256 && meter.bytes === blob.bytes);
  }

  async putBytes(bytes: Buffer): Promise<Blob> {
    const blob = { sha256: createHash('sha256').update(bytes).digest('hex'), bytes: bytes.length };
    if (!this.has(blob)) await this.#keep(blob, once(bytes), () => true);
    return blob;
  }

  async #keep(blob: Blob, source: AsyncIterable<Buffer>, isRight: () => boolean): Promise<boolean> {
    const name = this.#coat.nameOf(blob.sha256);
    const fresh = join(this.path, 'partial', `${name}.${randomBytes(4).toString('hex')}`);
    const file = await open(fresh, 'wx', 0o600);
    try {
      for await (const chunk of this.#coat.seal(name, source)) await writeWhole(file, chunk);
      if (isRight()) await file.datasync();
    } catch (error) {
      await file.close();
      await rm(fresh, { force: true });
      throw error;
    }
    await file.close();
    if (!isRight()) {
      await rm(fresh, { force: true });
      return false;
    }
    const to = this.pathOf(blob.sha256);
    await rename(fresh, to);
    this.#touched.add(dirname(to));
    return true;
  }

  /** Makes durable that what was put so far is found under its name. */
  async settle(): Promise<void> {
    for (const folder of this.#touched) await syncFolder(folder);
    this.#touched.clear();
  }

  /** The bytes of a blob. Throws `backup-damaged` with the place, at the latest after the last byte: keep nothing of them before the end. */
  async* read({ sha256, bytes }: Blob, pace: Pace): AsyncGenerator<Buffer> {
    const path = this.pathOf(sha256);
    const file = await openRegular(path).catch((error: unknown) => {
      throw unavailable('backup-unreadable', `${path} cannot be read: ${String((error as NodeJS.ErrnoException).code)}`, error);
    });
    if (file === null) throw refused('backup-damaged', `${path} is missing from the backup.`);
    try {
      const length = this.#coat.lengthOf(bytes);
      const { size } = await file.stat();
      if (size !== length) throw refused('backup-damaged', `${path} has ${size} bytes and not ${length}.`);
      const meter = new Meter();
      yield* meter.through(this.#coat.open(this.#coat.nameOf(sha256), chunksOf(file, length, pace)));
      if (meter.bytes !== bytes || meter.sha256() !== sha256) throw refused('backup-damaged', `${path} does not have the digest that it was written with (${sha256}).`);
    } catch (error) {
      if (error instanceof Failure) throw error;
      throw unavailable('backup-unreadable', `${path} cannot be read: ${String((error as NodeJS.ErrnoException).code ?? error)}`, error);
    } finally {
      await file.close();
    }
  }

  async readWhole(blob: Blob, bytesMax: number, pace: Pace): Promise<Buffer> {
    if (blob.bytes > bytesMax) throw refused('backup-damaged', `The backup says that a list has ${blob.bytes} bytes; none has more than ${bytesMax}.`);
    const chunks: Buffer[] = [];
    for await (const chunk of this.read(blob, pace)) chunks.push(Buffer.from(chunk));
    return Buffer.concat(chunks);
  }

  /** Names of the manifests, oldest first. */
  manifestNames(): string[] {
    try {
      return readdirSync(join(this.path, 'manifests')).filter((name) => manifestNames.test(name)).toSorted();
    } catch (error) {
      throw refused('backup-missing', `${this.path} holds no finished backup: ${(error as Error).message}`);
    }
  }

  /** Names of the manifests that were retired, oldest first. */
  prunedNames(): string[] {
    try {
      return readdirSync(join(this.path, 'pruned')).filter((name) => manifestNames.test(name)).toSorted();
    } catch {
      return [];
    }
  }

  /** A backup is gone as soon as its manifest has left; its bytes may go then. */
  async retire(name: string): Promise<void> {
    await makeFolder(join(this.path, 'pruned'));
    await rename(join(this.path, 'manifests', name), join(this.path, 'pruned', name));
    await syncFolder(join(this.path, 'pruned'));
    await syncFolder(join(this.path, 'manifests'));
  }

  /** Every file that holds bytes, whoever needs it. Files of other names are not ours and stay. */
  async* kept(): AsyncGenerator<{ readonly name: string; readonly bytes: number }> {
    for (const folder of readdirSync(join(this.path, 'objects')).filter((each) => /^[0-9a-f]{2}$/.test(each)).toSorted()) {
      for await (const entry of await opendir(join(this.path, 'objects', folder))) {
        if (!entry.isFile() || !/^[0-9a-f]{64}$/.test(entry.name) || !entry.name.startsWith(folder)) continue;
        const stat = lstatSync(join(this.path, 'objects', folder, entry.name), { throwIfNoEntry: false });
        if (stat !== undefined) yield { name: entry.name, bytes: stat.size };
      }
    }
  }
  async discard(name: string): Promise<void> {
    await rm(objectPath(join(this.path, 'objects'), name), { force: true });
  }

  /** Also of one that was retired. */
  async readManifest(name: string, bytesMax: number): Promise<Buffer> {
    let path = join(this.path, 'manifests', name);
    let file = await openRegular(path);
    if (file === null) {
      path = join(this.path, 'pruned', name);
      file = await openRegular(path);
    }
    if (file === null) throw refused('backup-missing', `There is no manifest ${name} in ${this.path}.`);
    try {
      const { size } = await file.stat();
      if (size > this.#coat.lengthOf(bytesMax)) throw refused('backup-damaged', `${path} has ${size} bytes; a manifest has at most ${bytesMax}.`);
      const chunks: Buffer[] = [];
      for await (const chunk of this.#coat.open(name, chunksOf(file, size))) chunks.push(Buffer.from(chunk));
      return Buffer.concat(chunks);
    } finally {
      await file.close();
    }
  }

  /** The moment at which a backup is there: its manifest gets its name. Refuses a name that exists. */
  async publish(name: string, bytes: Buffer): Promise<void> {
    await this.settle();
    const path = join(this.path, 'manifests', name);
    if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) throw unavailable('manifest-exists', `${path} is there already`);
    const sealed: Buffer[] = [];
    for await (const chunk of this.#coat.seal(name, once(bytes))) sealed.push(chunk);
    await replaceFile(path, Buffer.concat(sealed));
  }
}

async function readMarker(path: string): Promise<Marker> {
  const file = await openRegular(join(path, markerName)).catch(() => null);
  if (file === null) throw refused('backup-missing', `${path} holds no backup of Lazaret: ${markerName} is not there.`);
  let value: Partial<Marker> | null;
  try {
    const chunks: Buffer[] = [];
    for await (const chunk of chunksOf(file, markerBytesMax)) chunks.push(Buffer.from(chunk));
    value = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Partial<Marker> | null;
  } catch {
    value = null;
  } finally {
    await file.close();
  }
  if (typeof value !== 'object' || value?.format !== backupFormat || typeof value.system !== 'string' || !/^[0-9a-f]{64}$/.test(value.system)) {
    throw refused('backup-damaged', `${join(path, markerName)} does not say that this is a backup that can be read here.`);
  }
  return { format: value.format, system: value.system, encryption: value.encryption ?? null };
}

/** Hashes and counts what goes through. */
class Meter {
  readonly #hash: Hash = createHash('sha256');
  #digest: string | null = null;
  bytes = 0;

  async* through(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of source) {
      this.#hash.update(chunk);
      this.bytes += chunk.length;
      yield chunk;
    }
  }
  sha256(): string {
    this.#digest ??= this.#hash.digest('hex');
    return this.#digest;
  }
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}

export async function writeWhole(file: FileHandle, bytes: Buffer): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done);
    if (bytesWritten === 0) throw unavailable('disk-full', 'nothing more can be written to the disk');
    done += bytesWritten;
  }
}
