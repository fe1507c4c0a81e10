/**
 * The manifest of a backup: everything that belonged to the system at one moment, by digest and length, signed with the key of the audit log and
 * chained to the manifest before it.
 *
 * A manifest file: one line of JSON, one line with the signature. Of a million objects only their lists are named (5,000 numbers of the ledger in each, kept
 * like any other bytes), so that a manifest is small, a list that did not change is kept once, and the signature holds all of it.
 */
import { createHash, createPublicKey, verify, type KeyObject } from 'node:crypto';
import { refused } from '@lazaret/system/failure.ts';
import type { Digest } from '../../reception/contract.ts';
import type { Area } from './contract.ts';
import type { Blob } from './folder.ts';

export const manifestFormat = 'lazaret backup manifest 1';
/** Twenty thousand lists (a hundred million objects) are 3 MB, the database of those in pieces of 4 MiB some 15 MB. */
export const manifestBytesMax = 64 * 1024 * 1024;
export const listNumbers = 5_000;
/** A number of the ledger has at most two files, a line some 130 bytes. */
export const listBytesMax = 4 * 1024 * 1024;
/** Database and audit log are kept in pieces of this length: what did not change since the last backup is kept once. */
export const partBytes = 4 * 1024 * 1024;
/** What a disk of any hospital holds. */
const bytesMax = 2 ** 50;

/** A file of the data directory that is not an object. */
export interface KeptFile extends Blob {
  /** From the data directory on. */
  readonly path: string;
  readonly parts: readonly Blob[];
}
/** A file that the ledger says there is and whose bytes could not be had: it is damaged, and was told of. */
export interface Lacking extends Blob {
  readonly area: Area;
  readonly name: string;
  readonly text: string;
}
export interface ListedFile extends Blob {
  readonly area: Area;
  readonly name: string;
}
export interface List extends Blob {
  readonly rows: number;
}

export interface Manifest {
  readonly format: typeof manifestFormat;
  readonly number: number;
  readonly previous: { readonly name: string; readonly sha256: string } | null;
  /** Milliseconds since 1970. */
  readonly madeAt: number;
  /** SubjectPublicKeyInfo, DER, base64. */
  readonly publicKey: string;
  /** How long the audit log was, and its root. */
  readonly audit: { readonly entries: number; readonly root: string };
  readonly objects: { readonly count: number; readonly bytes: number };
  readonly lists: readonly List[];
  readonly files: readonly KeptFile[];
  readonly lacking: readonly Lacking[];
}

export interface SignedManifest {
  readonly name: string;
  /** Digest of the line of JSON. */
  readonly sha256: string;
  readonly manifest: Manifest;
  /** Of the key that has signed it. */
  readonly fingerprint: string;
}

export function sealedText(sha256: string): Buffer {
  return Buffer.from(`${manifestFormat}\n${sha256}\n`, 'latin1');
}
export function digestOfText(bytes: string | Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
/** SHA-256 of a public key as DER: what people compare. */
export function fingerprintOf(publicKey: KeyObject): string {
  return digestOfText(publicKey.export({ type: 'spki', format: 'der' }));
}
export function manifestName(number: number, madeAt: number): string {
  return `${String(number).padStart(6, '0')}-${new Date(madeAt).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z.manifest`;
}

/** The line that is signed. */
export function encodeManifest(manifest: Manifest): string {
  return JSON.stringify(manifest);
}

/** A manifest from a folder that is not trusted: signature first, then every field. Throws `backup-damaged`. */
export function decodeManifest(name: string, bytes: Buffer): SignedManifest {
  const wrong = (what: string): Error => refused('backup-damaged', `The manifest ${name} ${what}.`);
  const end = bytes.indexOf(0x0a);
  if (end < 0) throw wrong('is not complete');
  const line = bytes.subarray(0, end);
  const sha256 = digestOfText(line);
  let value: unknown;
  try {
    value = JSON.parse(line.toString('utf8'));
  } catch {
    throw wrong('is no JSON');
  }
  const manifest = check(value, wrong);
  let key: KeyObject;
  try {
    key = createPublicKey({ key: Buffer.from(manifest.publicKey, 'base64'), type: 'spki', format: 'der' });
  } catch {
    throw wrong('names no key');
  }
  const signature = Buffer.from(bytes.toString('latin1', end + 1, end + 1 + 200).trim(), 'base64');
  if (key.asymmetricKeyType !== 'ed25519' || !verify(null, sealedText(sha256), key, signature)) throw wrong('does not have the signature of its key: it was changed');
  if (name !== manifestName(manifest.number, manifest.madeAt)) throw wrong(`was signed as ${manifestName(manifest.number, manifest.madeAt)}: it was renamed`);
  return { name, sha256, manifest, fingerprint: fingerprintOf(key) };
}

/** What a file of the data directory may be called, beside objects. Whatever else a backup names is refused. */
const paths = /^(?:database\/lazaret\.sqlite|audit\/(?:entries-\d{12}\.log|leaves-\d{12}\.bin|checkpoints\.log|key\.pem|key\.pub\.pem|torn-\d{1,15}-\d{1,15}\.bin)|(?:tls|dicom-tls)\/[A-Za-z0-9][A-Za-z0-9_-]{0,63}(?:\.[A-Za-z0-9_-]{1,32}){0,3})$/;

export function isKeptPath(path: string): boolean {
  return paths.test(path);
}

type Wrong = (what: string) => Error;

function check(untrusted: unknown, wrong: Wrong): Manifest {
  const value = fields(untrusted, wrong);
  if (value['format'] !== manifestFormat) throw wrong('has another format: it may be of a newer Lazaret');
  const previous = value['previous'] === null ? null : fields(value['previous'], wrong);
  const audit = fields(value['audit'], wrong);
  const objects = fields(value['objects'], wrong);
  const files = list(value['files'], wrong).map((each): KeptFile => {
    const file = fields(each, wrong);
    const path = file['path'];
    if (typeof path !== 'string' || !isKeptPath(path)) throw wrong(`names a file that no backup holds: ${JSON.stringify(path)?.slice(0, 200)}`);
    const kept = { path, ...blob(file, wrong), parts: list(file['parts'], wrong).map((part) => blob(fields(part, wrong), wrong)) };
    if (kept.parts.some((part) => part.bytes > partBytes) || kept.parts.reduce((sum, part) => sum + part.bytes, 0) !== kept.bytes) throw wrong(`has parts of ${path} that are not its length`);
    return kept;
  });
  if (new Set(files.map(({ path }) => path)).size !== files.length) throw wrong('names a file twice');
  for (const needed of ['database/lazaret.sqlite', 'audit/key.pem', 'audit/key.pub.pem', 'audit/checkpoints.log']) if (!files.some(({ path }) => path === needed)) throw wrong(`does not name ${needed}`);
  const madeAt = count(value['madeAt'], wrong);
  if (madeAt > 8.64e15) throw wrong('has no time');
  if (typeof value['publicKey'] !== 'string' || value['publicKey'].length > 1_000) throw wrong('names no key');
  return {
    format: manifestFormat, number: count(value['number'], wrong), madeAt, publicKey: value['publicKey'],
    previous: previous === null ? null : { name: text(previous['name'], wrong), sha256: digest(previous['sha256'], wrong) },
    audit: { entries: count(audit['entries'], wrong), root: digest(audit['root'], wrong) },
    objects: { count: count(objects['count'], wrong), bytes: count(objects['bytes'], wrong) },
    lists: list(value['lists'], wrong).map((each): List => {
      const one = fields(each, wrong);
      return { ...blob(one, wrong), rows: count(one['rows'], wrong) };
    }),
    files,
    lacking: list(value['lacking'], wrong).map((each): Lacking => {
      const one = fields(each, wrong);
      return { ...listed(one, wrong), text: text(one['text'], wrong) };
    }),
  };
}

function listed(value: Readonly<Record<string, unknown>>, wrong: Wrong): ListedFile {
  const { area } = value;
  const name = text(value['name'], wrong);
  const one = blob(value, wrong);
  if (area !== 'archive' && area !== 'quarantine') throw wrong('names an object of no area');
  if (area === 'archive' ? name !== one.sha256 : !/^[0-9a-f]{32}(?:\.withdrawn)?$/.test(name)) throw wrong('names an object as none is named');
  return { area, name, ...one };
}

function fields(value: unknown, wrong: Wrong): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong('has a field of another kind');
  return value as Readonly<Record<string, unknown>>;
}
function list(value: unknown, wrong: Wrong): readonly unknown[] {
  if (!Array.isArray(value)) throw wrong('has a field that is no list');
  return value as unknown[];
}
function count(value: unknown, wrong: Wrong): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0 || (value as number) > bytesMax * 8) throw wrong('has a number that cannot be');
  return value as number;
}
function text(value: unknown, wrong: Wrong): string {
  if (typeof value !== 'string' || value.length > 2_000) throw wrong('has a text that cannot be');
  return value;
}
function digest(value: unknown, wrong: Wrong): string {
  if (typeof value !== 'string' || !/^[0-9a-f]{64}$/.test(value)) throw wrong('has a digest that is none');
  return value;
}
function blob(value: Readonly<Record<string, unknown>>, wrong: Wrong): Blob {
  const bytes = count(value['bytes'], wrong);
  if (bytes > bytesMax) throw wrong('has a length that cannot be');
  return { sha256: digest(value['sha256'], wrong), bytes };
}

/** Lines of a list: `a <sha256> <bytes>` for the archive, `q <name> <sha256> <bytes>` for the quarantine. */
export function encodeList(files: readonly ListedFile[]): Buffer {
  return Buffer.from(files.map(({ area, name, sha256, bytes }) => (area === 'archive' ? `a ${sha256} ${bytes}\n` : `q ${name} ${sha256} ${bytes}\n`)).join(''), 'latin1');
}

/** Throws `backup-damaged` for a line that is not as it should be. */
export function decodeList(bytes: Buffer, rows: number): ListedFile[] {
  const lines = bytes.toString('latin1').split('\n');
  if (lines.pop() !== '' || lines.length !== rows) throw refused('backup-damaged', 'A list of the backup does not have as many lines as its manifest says.');
  return lines.map((line): ListedFile => {
    const archive = /^a ([0-9a-f]{64}) (\d{1,15})$/.exec(line);
    if (archive !== null) return { area: 'archive', name: archive[1]!, sha256: archive[1] as Digest, bytes: Number(archive[2]) };
    const vault = /^q ([0-9a-f]{32}(?:\.withdrawn)?) ([0-9a-f]{64}) (\d{1,15})$/.exec(line);
    if (vault === null) throw refused('backup-damaged', `A list of the backup has a line that names no object: ${JSON.stringify(line.slice(0, 200))}.`);
    return { area: 'quarantine', name: vault[1]!, sha256: vault[2] as Digest, bytes: Number(vault[3]) };
  });
}
