/**
 * A system from a backup, into an empty data directory.
 *
 *   manifest (signature, chain) → lists → every file, its digest checked on the way, into `.restoring` → database, record and files checked against each
 *   other → on the record → everything to its place, the database last
 *
 * The folder is taken for hostile: it may have been on a machine that was encrypted, or in somebody's bag. Nothing in it chooses a path or a length that was
 * not checked (manifest.ts), nothing is executed, and the database is opened only when its schema holds nothing that acts by itself.
 */
import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, renameSync, rmSync, statfsSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { AuditLog } from '@lazaret/audit/append.ts';
import { eventIDs, eventTypes, objectIDTypes, roleIDs } from '@lazaret/audit/codes.ts';
import { verifyLog } from '@lazaret/audit/verify.ts';
import { makeFolder, makeObjectFolders, syncFolder } from '@lazaret/system/durable.ts';
import { refused, unavailable } from '@lazaret/system/failure.ts';
import { layoutOf, objectPath, type Layout } from '@lazaret/system/layout.ts';
import { keeper } from '../../quarantine/record.ts';
import type { FileFinding } from './contract.ts';
import { digestOf, type Pace } from './digesting.ts';
import { expectedOf, Rows } from './expected.ts';
import { writeWhole, type BackupFolder, type Blob } from './folder.ts';
import { decodeList, decodeManifest, listBytesMax, manifestBytesMax, type KeptFile, type ListedFile, type SignedManifest } from './manifest.ts';
import { verifyFiles } from './verification.ts';

const parallel = 8;
/** Beside what is restored: the system must be able to work afterwards. */
const spareBytes = 256 * 1024 * 1024;
const workName = '.restoring';
/** What is moved to its place at the end. A start before the last one would find no database and make a new one, so that one is last. */
const movedInOrder = ['audit', 'tls', 'dicom-tls', 'quarantine', 'archive', 'database'] as const;

export interface RestoreOptions {
  readonly folder: BackupFolder;
  readonly signed: SignedManifest;
  /** The data directory; made if it is not there. */
  readonly data: string;
  readonly person: string;
  readonly pace: Pace;
  /** A rehearsal: nothing is written into the log of what was restored. */
  readonly rehearsal?: boolean;
  onProgress?(progress: { readonly phase: 'copying' | 'verifying'; readonly files: number; readonly bytes: number; readonly filesMax: number }): void;
}

export interface Restored {
  readonly manifest: SignedManifest;
  readonly objects: number;
  readonly bytes: number;
  readonly files: number;
  readonly auditEntries: number;
  readonly lacking: SignedManifest['manifest']['lacking'];
  readonly copyMs: number;
  readonly verifyMs: number;
}

/**
 * The manifest to restore: the newest, or the one whose number, name or digest begins with `at`. Checks its signature, and that every manifest before it is
 * the one that the next one was chained to. `key`: the fingerprint that its key must have (or begin with), "" for any.
 * Throws `backup-missing`, `backup-damaged`, `key-foreign`.
 */
export async function chooseManifest(folder: BackupFolder, at: string, key: string): Promise<SignedManifest> {
  const names = folder.manifestNames();
  if (names.length === 0) throw refused('backup-missing', `${folder.path} holds no finished backup.`);
  const signed: SignedManifest[] = [];
  // Those that were retired are links of the chain, and nothing else any more.
  const retired = new Set(folder.prunedNames().filter((name) => !names.includes(name)));
  for (const name of [...names, ...retired].toSorted()) signed.push(decodeManifest(name, await folder.readManifest(name, manifestBytesMax)));
  for (const [index, one] of signed.entries()) {
    const before = signed[index - 1];
    // Older ones may have been removed by whoever keeps the folder; what is there must be what was there.
    if (before !== undefined && one.manifest.previous !== null && one.manifest.previous.name === before.name && one.manifest.previous.sha256 !== before.sha256) throw refused('backup-damaged', `The manifest ${before.name} is not the one that ${one.name} was made after: it was exchanged.`);
    if (before !== undefined && one.manifest.previous?.name !== before.name) throw refused('backup-damaged', `Between the manifests ${before.name} and ${one.name} one is missing, or one does not belong here: ${one.name} was made after ${one.manifest.previous?.name ?? 'none'}.`);
    if (one.fingerprint !== folder.system) throw refused('backup-damaged', `The manifest ${one.name} was signed by another key than that of the folder.`);
  }
  if (key !== '' && !folder.system.startsWith(key)) throw refused('key-foreign', `The backup was signed by the key ${folder.system}, not by ${key}….`);
  const whole = signed.filter(({ name }) => !retired.has(name));
  if (at === '') return whole.at(-1)!;
  const fits = whole.filter(({ name, sha256, manifest }) => String(manifest.number) === at || name === at || name.replace(/\.manifest$/, '') === at || (at.length >= 8 && sha256.startsWith(at)));
  if (fits.length !== 1) throw refused('backup-missing', `${fits.length === 0 ? 'No' : 'More than one'} manifest fits '${at}'. There are: ${whole.map(({ name }) => name.replace(/\.manifest$/, '')).join(', ')}.`);
  return fits[0]!;
}

/** Throws `data-not-empty` unless nothing of a system is there; an interrupted restore may be. */
export function checkEmpty(data: string): void {
  let names: string[];
  try {
    names = readdirSync(data);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw refused('data-not-empty', `${data} cannot be used as a folder: ${(error as Error).message}`);
  }
  // `run` holds nothing but sockets, and a disk of its own has a lost+found.
  const foreign = names.filter((name) => ![workName, 'run', 'lost+found'].includes(name));
  if (foreign.length > 0) throw refused('data-not-empty', `${data} is not empty (${foreign.slice(0, 5).join(', ')}). A backup is restored only into an empty data directory, so that nothing that is kept there can be lost: name another one with --data, or move this one away.`);
}

/** Restores, verifies and puts on the record. The caller holds the lock of the data directory. Rejects with what is wrong, and then nothing but `.restoring` is there. */
export async function restore(options: RestoreOptions): Promise<Restored> {
  const { folder, signed, data, pace } = options;
  const { manifest } = signed;
  checkEmpty(data);
  const began = performance.now();
  const work = layoutOf(join(data, workName));
  await makeFolder(work.data);
  const listed = await readLists(folder, signed, pace);
  checkSpace(work.data, signed);
  for (const area of [work.archive, work.quarantine]) await makeObjectFolders(area);
  for (const area of [work.audit, work.tls, work.dicomTls, dirname(work.database)]) await makeFolder(area);
  removeOthers(work, new Set([...manifest.files.map(({ path }) => join(work.data, path)), ...listed.map(({ area, name }) => objectPath(work[area], name))]));
  let files = 0;
  let bytes = 0;
  const tell = (phase: 'copying' | 'verifying'): void => options.onProgress?.({ phase, files, bytes, filesMax: listed.length + manifest.files.length });
  for (const file of manifest.files) {
    await bring(join(work.data, file.path), file, () => partsOf(folder, file, pace));
    files += 1;
    bytes += file.bytes;
    tell('copying');
  }
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let file = listed[next++]; file !== undefined; file = listed[next++]) {
      const own = file;
      await bring(objectPath(work[own.area], own.name), own, () => folder.read(own, pace));
      files += 1;
      bytes += own.bytes;
      if (files % 32 === 0) tell('copying');
    }
  };
  await Promise.all(Array.from({ length: parallel }, worker));
  await syncAll(work);
  const copyMs = performance.now() - began;

  const verifying = performance.now();
  tell('verifying');
  await verifyRestored(work, signed, listed, pace);
  const verifyMs = performance.now() - verifying;
  const auditEntries = options.rehearsal === true ? manifest.audit.entries : await putOnRecord(work, options);
  for (const area of movedInOrder) renameSync(join(work.data, area), join(data, area));
  await syncFolder(data);
  await rm(work.data, { recursive: true, force: true });
  return { manifest: signed, objects: listed.length, bytes, files, auditEntries, lacking: manifest.lacking, copyMs, verifyMs };
}

async function readLists(folder: BackupFolder, { manifest }: SignedManifest, pace: Pace): Promise<ListedFile[]> {
  const listed: ListedFile[] = [];
  for (const list of manifest.lists) listed.push(...decodeList(await folder.readWhole(list, listBytesMax, pace), list.rows));
  const names = new Set<string>();
  for (const { area, name } of listed) names.add(`${area} ${name}`);
  // Two objects that became one file by disarming name it twice.
  const once = listed.filter(({ area, name }) => names.delete(`${area} ${name}`));
  if (listed.length !== manifest.objects.count) throw refused('backup-damaged', `The lists of the backup name ${listed.length} files, its manifest says ${manifest.objects.count}.`);
  return once;
}

function checkSpace(data: string, { manifest }: SignedManifest): void {
  const disk = statfsSync(data);
  const free = disk.bavail * disk.bsize;
  const needed = manifest.objects.bytes + manifest.files.reduce((sum, file) => sum + file.bytes, 0) + spareBytes;
  if (free < needed) throw unavailable('disk-full', `The backup takes ${(needed / 1e9).toFixed(1)} GB, and only ${(free / 1e9).toFixed(1)} GB are free for ${data}.`);
}

/** What an interrupted restore of another manifest has left. */
function removeOthers(work: Layout, wanted: ReadonlySet<string>): void {
  for (const entry of readdirSync(work.data, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isDirectory() && !wanted.has(path)) rmSync(path, { force: true });
  }
}

async function* partsOf(folder: BackupFolder, file: KeptFile, pace: Pace): AsyncGenerator<Buffer> {
  for (const part of file.parts) yield* folder.read(part, pace);
}

/** Writes one file; what an interrupted restore has written is kept where it has its digest. */
async function bring(path: string, blob: Blob, source: () => AsyncIterable<Buffer>): Promise<void> {
  const there = lstatSync(path, { throwIfNoEntry: false });
  if (there !== undefined) {
    if (there.isFile() && there.size === blob.bytes && (await digestOf(path, blob.bytes))?.sha256 === blob.sha256) return;
    await rm(path, { recursive: true, force: true });
  }
  const file = await open(path, 'wx', 0o600);
  const hash = createHash('sha256');
  try {
    for await (const chunk of source()) {
      hash.update(chunk);
      await writeWhole(file, chunk);
    }
    if (hash.digest('hex') !== blob.sha256) throw refused('backup-damaged', `The parts of ${path.slice(path.lastIndexOf('/') + 1)} are whole and do not make the file that the manifest names.`);
    await file.datasync();
  } catch (error) {
    await file.close();
    await rm(path, { force: true });
    throw error;
  }
  await file.close();
}

async function syncAll(work: Layout): Promise<void> {
  for (const area of [work.archive, work.quarantine]) {
    for (const name of readdirSync(area)) await syncFolder(join(area, name));
    await syncFolder(area);
  }
  for (const folder of [work.audit, work.tls, work.dicomTls, dirname(work.database), work.data]) await syncFolder(folder);
}

/** What must hold of a system that may be started: DESIGN's invariants after a crash, from the files alone. */
async function verifyRestored(work: Layout, { manifest }: SignedManifest, listed: readonly ListedFile[], pace: Pace): Promise<void> {
  const log = verifyLog(work.audit);
  const [problem] = log.problems;
  if (problem !== undefined) throw refused('backup-damaged', `The audit log in the backup is not as it was written: ${problem.text} (${problem.code})`);
  if (log.entries !== manifest.audit.entries || log.root !== manifest.audit.root) throw refused('backup-damaged', `The audit log in the backup has ${log.entries} entries with the root ${log.root}, its manifest says ${manifest.audit.entries} with ${manifest.audit.root}.`);
  const key = readFileSync(join(work.audit, 'key.pub.pem'), 'utf8').replaceAll(/-----[^\n]*-----|\s/g, '');
  if (key !== manifest.publicKey) throw refused('backup-damaged', 'The public key of the audit log in the backup is not the one that its manifest was signed with.');

  const database = openRestored(work.database);
  try {
    const findings: FileFinding[] = [];
    await verifyFiles({ layout: work, database, pace, onFinding: (finding) => void findings.push(finding) });
    const lacking = new Set(manifest.lacking.map(({ area, name }) => `${area} ${name}`));
    const wrong = findings.filter(({ code, area, name }) => !(code === 'missing' && lacking.has(`${area} ${name}`)));
    if (wrong[0] !== undefined) throw refused('backup-damaged', `${wrong.length} things do not fit in the restored system; the first: ${wrong[0].area} ${wrong[0].name}: ${wrong[0].text}`);
    const rows = new Rows(database);
    let expected = 0;
    for (let page = rows.after(0); page.length > 0; page = rows.after(page.at(-1)!.number)) expected += new Set(page.flatMap(expectedOf).map(({ area, name }) => `${area} ${name}`)).size;
    if (expected < listed.length) throw refused('backup-damaged', `The backup names ${listed.length} files of objects, its ledger only ${expected}.`);
  } finally {
    database.close();
  }
}

/** A database file that nobody here has written: nothing in it may act when it is opened. */
function openRestored(path: string): DatabaseSync {
  let database: DatabaseSync;
  try {
    database = new DatabaseSync(path, { readOnly: true, allowExtension: false });
    database.exec('PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; PRAGMA mmap_size=0');
    const schema = database.prepare('SELECT type, name, sql FROM sqlite_schema').all() as { type: string; name: string; sql: string | null }[];
    for (const { type, name, sql } of schema) {
      if (type !== 'table' && type !== 'index') throw refused('backup-damaged', `The database in the backup holds the ${type} ${JSON.stringify(name)}; Lazaret makes none.`);
      if (/^\s*CREATE\s+VIRTUAL/i.test(sql ?? '') && !/^\s*CREATE VIRTUAL TABLE \w+ USING fts5\b/i.test(sql ?? '')) throw refused('backup-damaged', `The database in the backup holds the virtual table ${JSON.stringify(name)}; Lazaret makes none of its kind.`);
    }
    const [check] = database.prepare('PRAGMA integrity_check(1)').all() as { integrity_check: string }[];
    if (check?.integrity_check !== 'ok') throw refused('backup-damaged', `The database in the backup is damaged: ${check?.integrity_check}.`);
    const [foreign] = database.prepare('PRAGMA foreign_key_check').all();
    if (foreign !== undefined) throw refused('backup-damaged', `The database in the backup has a row of ${String(foreign['table'])} that belongs to nothing.`);
  } catch (error) {
    if ((error as { code?: string }).code === 'ERR_SQLITE_ERROR') throw refused('backup-damaged', `The database in the backup cannot be read: ${(error as Error).message}.`);
    throw error;
  }
  return database;
}

/** In the restored log, after all that was in it: what came after the backup was made is not in this system, and this says so. Answers its length. */
async function putOnRecord(work: Layout, { signed, folder, person }: RestoreOptions): Promise<number> {
  const { manifest } = signed;
  const log = await AuditLog.open(work.audit);
  try {
    await log.append([{
      eventID: eventIDs.import, eventTypes: [eventTypes.restoration], action: 'C', time: Date.now(), outcome: manifest.lacking.length > 0 ? 4 : 0,
      outcomeDescription: `This system was restored from a backup of ${new Date(manifest.madeAt).toISOString()}: ${manifest.objects.count} files, the log up to entry ${manifest.audit.entries}. What was admitted or decided after that is not in it.`,
      participants: [{ userID: person, userIsRequestor: true }, { ...keeper, roleIDCodes: [roleIDs.destination] }],
      objects: [{
        typeCode: 2, role: 3, idType: objectIDTypes.batch, id: signed.name, name: 'backup manifest',
        details: [['manifest sha256', signed.sha256], ['folder', folder.path], ['key', signed.fingerprint], ['lacking', String(manifest.lacking.length)]],
      }],
    }]);
    return log.size;
  } finally {
    await log.close();
  }
}
