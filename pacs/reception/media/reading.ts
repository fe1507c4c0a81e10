/**
 * From a volume to files in the arriving area: every regular file is looked at, objects and companions are written and hashed on the way, DICOMDIRs
 * are set against what is there. Runs only in the sandboxed media process.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { Failure } from '@lazaret/system/failure.ts';
import type { Digest, ObjectId } from '../contract.ts';
import { Arrival, type ArrivingArea } from '../arrival.ts';
import { isLater, type DirectoryReport, type Medium } from './contract.ts';
import { MediumError } from './device.ts';
import { compareDirectory, directoryBytesMax, plainPath, readDirectory } from './directory.ts';
import type { FileRead, Finished, Opened, Reading } from './protocol.ts';
import { isDirectory, isObject, sniffBytes, whatIs } from './sniff.ts';
import { isMissing, placeOf, Unreached, type Entry, type Missing, type Piece, type Volume } from './volume.ts';

/**
 * Files of an honest medium do not share their bytes, and what does (hard links) is read once. A medium whose files together are longer than this many
 * times itself was made to keep us busy.
 */
const overlapMax = 4;
const overlapFree = 1024 ** 3;
/** Damaged places of a file that are named. */
const placesMax = 16;
const directoriesMax = 32;

/** A file on its way into the arriving area. */
interface Coming {
  readonly kind: 'object' | 'companion' | 'directory';
  readonly start: Buffer;
  /** The content of a DICOMDIR. */
  readonly kept: Buffer[] | null;
  readonly arrival: Arrival;
}

interface Listing {
  readonly entry: Entry;
  readonly index: number;
}

export class MediaReading {
  readonly #volume: Volume;
  readonly #area: ArrivingArea;
  readonly #deviceBytes: number;
  readonly #entries: Entry[] = [];
  readonly #files = new Set<string>();
  readonly #objects = new Map<string, string>();
  readonly #directories: DirectoryReport[] = [];
  readonly #contents: { readonly path: string; readonly bytes: Buffer }[] = [];
  readonly #known = new Map<string, string>();
  #readBytes = 0;

  /** `deviceBytes`: length of an image or drive; 0 for a folder. */
  constructor(volume: Volume, area: ArrivingArea, deviceBytes: number) {
    this.#volume = volume;
    this.#area = area;
    this.#deviceBytes = deviceBytes;
  }

  /** Goes through the whole medium once, without reading files. */
  open(): Opened {
    const digest = createHash('sha256');
    let bytes = 0;
    for (const entry of this.#list()) {
      this.#entries.push(entry);
      digest.update(`${entry.kind}\0${entry.path}\0${entry.bytes}\0${entry.modified}\n`);
      if (entry.kind === 'file') {
        bytes += entry.bytes;
        this.#files.add(plainPath(entry.path));
      }
    }
    const { kind, label, identifier } = this.#volume;
    digest.update(`${kind}\0${label}\0${identifier}`);
    const listing = digest.digest('hex') as Digest;
    const medium: Medium = { kind, label: label.slice(0, 100), identifier: identifier === '' ? listing.slice(0, 16) : identifier.slice(0, 100), bytes: this.#deviceBytes };
    return { say: 'opened', medium, listing, files: this.#entries.length, bytes };
  }

  /** What the reader lists, as far as it can. */
  *#list(): Generator<Entry> {
    try {
      yield* this.#volume.entries();
    } catch (error) {
      if (!(error instanceof MediumError)) throw error;
      this.#volume.notes.add(`Its list of files cannot be read to the end: ${error.message}.`);
    }
  }

  /** Each file once, but those in `skip`: first what may be images, in the order in which it lies on the medium, then the rest. Before each it says which. Throws only what ends all (`disk-full`). */
  async *files(skip: ReadonlySet<number>): AsyncGenerator<Reading | FileRead> {
    const places = this.#entries.map((entry, index): Listing => ({ entry, index }));
    const startOf = ({ entry }: Listing): number => entry.extents[0]?.offset ?? 0;
    const order = (one: Listing, other: Listing): number => startOf(one) - startOf(other) || one.index - other.index;
    const [early, late] = [places.filter(({ entry }) => !isLater(entry.path)).toSorted(order), places.filter(({ entry }) => isLater(entry.path)).toSorted(order)];
    for (const { entry, index } of [...early, ...late]) {
      if (skip.has(index)) continue;
      const file = { index, path: entry.path, bytes: entry.bytes };
      yield { say: 'reading', ...file };
      yield { say: 'file', ...file, ...(await this.#file(entry)) };
    }
  }

  /** After the last file. */
  finish(complete: boolean): Finished {
    // A run that goes on after an interruption has not seen all objects; what it would call unlisted or different may be wrong.
    for (const { path, bytes } of this.#contents) this.#directories.push(compareDirectory(path, readDirectory(bytes), this.#files, complete ? this.#objects : new Map()));
    return { say: 'finished', notes: this.#volume.notes.list(), directories: this.#directories };
  }

  async #file(entry: Entry): Promise<Pick<FileRead, 'kind' | 'objectId' | 'sha256' | 'what' | 'text'>> {
    if (entry.kind !== 'file') return told(entry.kind, entry.problem);
    if (entry.problem !== '') return told('unreadable', entry.problem);
    const key = placeOf(entry);
    if (key !== '') {
      const same = this.#known.get(key);
      if (same !== undefined) return told('same', `the same bytes as ${same}`);
      this.#known.set(key, entry.path);
    }
    if (entry.extents.length > 0) {
      this.#readBytes += entry.bytes;
      if (this.#readBytes > this.#deviceBytes * overlapMax + overlapFree) return told('unreadable', `the files of this medium together are longer than ${overlapMax} times the medium: they lie over one another`);
    }
    return this.#read(entry);
  }

  async #read(entry: Entry): Promise<Pick<FileRead, 'kind' | 'objectId' | 'sha256' | 'what' | 'text'>> {
    const bad: Missing[] = [];
    const early: Buffer[] = [];
    let earlyBytes = 0;
    let coming: Coming | null = null;
    try {
      for await (const piece of this.#volume.pieces(entry) as AsyncIterable<Piece>) {
        if (isMissing(piece)) {
          if (bad.length < placesMax) bad.push(piece);
          continue;
        }
        // A file with a hole is no longer the file: what is behind the hole is read to say where the damage ends.
        if (bad.length > 0) continue;
        if (coming !== null) this.#take(coming, piece);
        else {
          early.push(earlyBytes === 0 && piece.length >= sniffBytes ? (piece as Buffer) : Buffer.from(piece));
          earlyBytes += piece.length;
          if (earlyBytes >= sniffBytes) coming = this.#begin(entry, early);
        }
      }
      coming ??= this.#begin(entry, early);
      const { kind, start, arrival } = coming;
      const what = kind === 'object' ? 'image or document' : kind === 'directory' ? 'directory of the medium' : whatIs(entry.path, start);
      if (bad.length > 0) {
        arrival.discard();
        return { ...told('unreadable', placesOf(bad)), what };
      }
      const { sha256 } = arrival.finish();
      if (kind === 'object') this.#objects.set(plainPath(entry.path), instanceOf(start));
      if (kind === 'directory') this.#directory(entry, coming.kept);
      return { kind, objectId: arrival.objectId, sha256, what, text: '' };
    } catch (error) {
      coming?.arrival.discard();
      if ((error as Failure).severity !== undefined) throw error;
      if (error instanceof Unreached) return told('unreached', error.message);
      return told('unreadable', error instanceof Error ? error.message : 'it cannot be read');
    }
  }

  /** Decides by its first bytes what a file is, and begins to write it. */
  #begin(entry: Entry, early: readonly Buffer[]): Coming {
    const start = Buffer.from(Buffer.concat(early).subarray(0, sniffBytes * 8));
    const kind = isDirectory(entry.path, start) ? 'directory' : isObject(start) ? 'object' : 'companion';
    const kept: Buffer[] | null = kind === 'directory' && entry.bytes <= directoryBytesMax && this.#contents.length < directoriesMax ? [] : null;
    const coming: Coming = { kind, start, kept, arrival: new Arrival(this.#area, randomBytes(16).toString('hex') as ObjectId, new Uint8Array(0)) };
    for (const piece of early) this.#take(coming, piece);
    return coming;
  }

  #take({ arrival, kept }: Coming, piece: Uint8Array): void {
    arrival.write(piece);
    kept?.push(Buffer.from(piece));
  }

  #directory(entry: Entry, kept: Buffer[] | null): void {
    if (kept !== null) this.#contents.push({ path: entry.path, bytes: Buffer.concat(kept) });
    else if (this.#directories.length < directoriesMax) {
      this.#directories.push({ path: entry.path, listed: 0, absent: [], absentCount: 0, unlisted: [], unlistedCount: 0, different: [], differentCount: 0, problem: 'it is too large, or one of too many' });
    }
  }
}

function told(kind: FileRead['kind'], text: string): Pick<FileRead, 'kind' | 'objectId' | 'sha256' | 'what' | 'text'> {
  return { kind, objectId: '', sha256: '', what: '', text };
}

function placesOf(bad: readonly Missing[]): string {
  const runs: { offset: number; end: number; text: string }[] = [];
  for (const { offset, length, text } of bad) {
    const last = runs.at(-1);
    if (last !== undefined && last.end === offset && last.text === text) last.end += length;
    else runs.push({ offset, end: offset + length, text });
  }
  return runs.map(({ offset, end, text }) => `bytes ${offset} to ${end - 1}: ${text}`).join('; ').slice(0, 1_500);
}

/** Media Storage SOP Instance UID (0002,0003) of what begins so, or "". The file itself says which instance it is, and inspection has the last word. */
function instanceOf(start: Buffer): string {
  if (start.toString('latin1', 128, 132) !== 'DICM') return '';
  for (let at = 132; at + 8 <= start.length && start.readUInt16LE(at) === 2;) {
    const long = /^(OB|UN|OW|SQ|UT)$/.test(start.toString('latin1', at + 4, at + 6));
    if (long && at + 12 > start.length) return '';
    const length = long ? start.readUInt32LE(at + 8) : start.readUInt16LE(at + 6);
    const value = at + (long ? 12 : 8);
    if (value + length > start.length) return '';
    if (start.readUInt16LE(at + 2) === 3) return start.toString('latin1', value, value + length).replace(/[\0 ]+$/, '');
    at = value + length;
  }
  return '';
}
