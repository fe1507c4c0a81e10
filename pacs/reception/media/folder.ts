/** A folder: a mounted disc or stick, or a copy of one. Links are told of and never followed; devices, pipes and other file systems are not entered. */
import { closeSync, constants, fstatSync, lstatSync, openSync, opendirSync, readSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { depthMax, entriesMax, Notes, pathOf, pieceBytes, Unreadable, type Entry, type Piece, type Volume } from './volume.ts';

/** As on optical media (device.ts): what is around a damaged sector may be whole. */
const sectorBytes = 4096;
const badSectorsMax = 16;

export class FolderVolume implements Volume {
  readonly kind = 'folder';
  readonly label: string;
  readonly identifier = '';
  readonly notes = new Notes();
  readonly #root: string;
  readonly #places = new WeakMap<Entry, { readonly path: string; readonly stat: Stats }>();
  readonly #large = Buffer.allocUnsafeSlow(pieceBytes);

  /** Throws Unreadable where there is no folder. */
  constructor(root: string, label: string) {
    this.#root = root;
    this.label = label;
    if (lstatSync(root, { throwIfNoEntry: false })?.isDirectory() !== true) throw new Unreadable('There is no folder of that name.');
  }

  *entries(): Generator<Entry> {
    const { dev } = lstatSync(this.#root);
    const folders = [{ path: '', real: this.#root, depth: 0 }];
    let count = 0;
    for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
      for (const name of this.#names(folder.real, folder.path)) {
        if ((count += 1) > entriesMax) {
          this.notes.add(`It holds more than ${entriesMax} files and folders; what comes after them was not looked at.`);
          return;
        }
        const real = join(folder.real, name);
        const path = pathOf(folder.path, name);
        let stat: Stats | undefined;
        try {
          stat = lstatSync(real, { throwIfNoEntry: false });
        } catch (error) {
          this.notes.add(`${path} cannot be looked at (${codeOf(error)}).`);
        }
        if (stat === undefined) continue;
        if (stat.isDirectory()) {
          if (stat.dev !== dev) yield special(path, 'another file system begins here; it was not entered');
          else if (folder.depth >= depthMax) this.notes.add(`${path} lies deeper than ${depthMax} folders; it was not entered.`);
          else folders.push({ path, real, depth: folder.depth + 1 });
        } else if (stat.isSymbolicLink()) yield { ...special(path, 'a link; links are not followed'), kind: 'link' };
        else if (!stat.isFile()) yield special(path, 'no file but a device, a pipe or a socket');
        else {
          const entry: Entry = { path, bytes: stat.size, modified: Math.floor(stat.mtimeMs), kind: 'file', extents: [], problem: '' };
          this.#places.set(entry, { path: real, stat });
          yield entry;
        }
      }
    }
  }

  *#names(real: string, path: string): Generator<string> {
    let folder;
    try {
      folder = opendirSync(real);
    } catch (error) {
      this.notes.add(`The folder ${path === '' ? 'itself' : path} cannot be opened (${codeOf(error)}); what is in it was not looked at.`);
      return;
    }
    const names: string[] = [];
    try {
      for (let next = folder.readSync(); next !== null && names.length <= entriesMax; next = folder.readSync()) names.push(next.name);
    } catch (error) {
      this.notes.add(`The folder ${path === '' ? 'itself' : path} cannot be read to its end (${codeOf(error)}).`);
    } finally {
      folder.closeSync();
    }
    yield* names.toSorted();
  }

  *pieces(entry: Entry): Generator<Piece> {
    const place = this.#places.get(entry);
    if (place === undefined) return;
    let descriptor: number;
    try {
      // Between the listing and now a link or a pipe may have taken its place.
      descriptor = openSync(place.path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    } catch (error) {
      yield { offset: 0, length: entry.bytes, text: `it cannot be opened (${codeOf(error)})` };
      return;
    }
    try {
      const stat = fstatSync(descriptor);
      if (!stat.isFile() || stat.dev !== place.stat.dev || stat.ino !== place.stat.ino) {
        yield { offset: 0, length: entry.bytes, text: 'another file took its place while it was read' };
        return;
      }
      yield* piecesOf(descriptor, entry.bytes, this.#large);
    } finally {
      closeSync(descriptor);
    }
  }

  close(): void {}
}

/** The bytes of an open file, those around damaged places too. `large` holds `pieceBytes` and is used for each whole piece. */
export function* piecesOf(descriptor: number, bytes: number, large: Buffer): Generator<Piece> {
  let bad = 0;
  for (let at = 0; at < bytes;) {
    let want = Math.min(pieceBytes, bytes - at);
    let count = once(descriptor, at, want, large);
    if (count === null) {
      want = Math.min(sectorBytes - (at % sectorBytes), bytes - at);
      count = once(descriptor, at, want, large);
    }
    if (count === null) {
      if ((bad += 1) >= badSectorsMax) {
        yield { offset: at, length: bytes - at, text: `the medium is damaged there; after ${badSectorsMax} damaged places the rest was not tried` };
        return;
      }
      yield { offset: at, length: want, text: 'the medium is damaged there' };
      at += want;
      continue;
    }
    if (count.length === 0) {
      yield { offset: at, length: bytes - at, text: `the file ended at byte ${at} although it has ${bytes}` };
      return;
    }
    yield count;
    at += count.length;
  }
}

function once(descriptor: number, offset: number, length: number, large: Buffer): Buffer | null {
  const into = length === pieceBytes ? large : Buffer.allocUnsafe(length);
  try {
    const count = readSync(descriptor, into, 0, length, offset);
    // A part of the large buffer must not be mistaken for a piece that stays.
    return count === pieceBytes || into !== large ? into.subarray(0, count) : Buffer.from(into.subarray(0, count));
  } catch {
    return null;
  }
}

function special(path: string, problem: string): Entry {
  return { path, bytes: 0, modified: 0, kind: 'special', extents: [], problem };
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'error';
}
