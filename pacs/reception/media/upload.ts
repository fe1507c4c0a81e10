/**
 * An upload of the desk page (contract.ts), read while it is coming: what is there already is read, and the next file is waited for. No name of the medium is
 * a name here: files are opened by their number in the listing.
 */
import { closeSync, constants, existsSync, fstatSync, openSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { unavailable } from '@lazaret/system/failure.ts';
import type { UploadHead } from './contract.ts';
import { piecesOf } from './folder.ts';
import { depthMax, entriesMax, entryOf, Notes, pathOf, pieceBytes, Unreached, Unreadable, type Entry, type Piece, type Volume } from './volume.ts';

/** How often it is looked whether the next file is there: a person does not notice it, and it costs one call. */
const lookMs = 40;
/** Nothing came for so long: somebody else's disc takes the place until more comes. A drive that tries a damaged sector again is silent for 10 to 15 s. */
const stallMs = 20_000;
/** Longest listing that is read: web takes less (console/server/desk). */
const listingBytesMax = 64 * 1024 * 1024;

export class UploadVolume implements Volume {
  readonly kind = 'folder';
  readonly label: string;
  readonly identifier = '';
  readonly notes = new Notes();
  readonly #root: string;
  readonly #stallMs: number;
  readonly #numbers = new WeakMap<Entry, number>();
  readonly #large = Buffer.allocUnsafeSlow(pieceBytes);

  /** Throws Unreadable where there is no upload. */
  constructor(root: string, label: string, stallAfterMs = stallMs) {
    this.#root = root;
    this.label = label;
    this.#stallMs = stallAfterMs;
    if (!existsSync(join(root, 'listing'))) throw new Unreadable('The upload is gone.');
  }

  *entries(): Generator<Entry> {
    const path = join(this.#root, 'listing');
    if (statSync(path).size > listingBytesMax) throw new Unreadable('The list of the upload is too long.');
    const [first = '', ...lines] = readFileSync(path, 'utf8').split('\n');
    const head = JSON.parse(first) as UploadHead;
    for (const [number, line] of lines.entries()) {
      if (line === '' || number >= Math.min(head.files, entriesMax)) return;
      const [name, bytes, modified] = JSON.parse(line) as [string, number, number];
      const entry = entryOf(name.split('/').slice(0, depthMax).reduce(pathOf, ''), bytes, modified, 'file', [], '');
      this.#numbers.set(entry, number);
      yield entry;
    }
  }

  async *pieces(entry: Entry): AsyncGenerator<Piece> {
    const number = this.#numbers.get(entry);
    if (number === undefined) return;
    const path = join(this.#root, String(number));
    const missing = await this.#arrived(path);
    if (missing !== '') {
      yield { offset: 0, length: entry.bytes, text: missing };
      return;
    }
    const descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      if (!fstatSync(descriptor).isFile()) yield { offset: 0, length: entry.bytes, text: 'it is no file' };
      else yield* piecesOf(descriptor, entry.bytes, this.#large);
    } finally {
      closeSync(descriptor);
    }
  }

  /** "" once the file is there whole; else why the browser could not read it. Throws Unreached where it will not come, `upload-stalled` where nothing comes any more. */
  async #arrived(path: string): Promise<string> {
    let seen = '';
    for (let since = performance.now(); !existsSync(path); await wait(lookMs)) {
      const bad = `${path}.bad`;
      if (existsSync(bad)) return readFileSync(bad, 'utf8').slice(0, 500);
      if (existsSync(join(this.#root, 'cancelled'))) throw new Unreached('sending was stopped before it came');
      const now = `${statSync(this.#root).mtimeMs} ${statSync(`${path}.part`, { throwIfNoEntry: false })?.size ?? 0}`;
      if (now !== seen) since = performance.now();
      seen = now;
      if (performance.now() - since > this.#stallMs) throw unavailable('upload-stalled', 'The upload stopped. It goes on where it was when the rest is sent.');
    }
    return '';
  }

  close(): void {}
}
