/**
 * What every reader of a medium gives: what is on it, and the bytes of each file. One file a reader, one shape (STYLE 14).
 *
 * A medium is as hostile as an object: readers run in the sandboxed media process only, take no declared number on trust, loop over what they have
 * and not over what they are told, and go on after damage. A name is a text for people; no reader opens anything by it.
 */

export const mediumKinds = ['folder', 'iso9660', 'udf', 'fat', 'zip'] as const;
export type MediumKind = (typeof mediumKinds)[number];

/** A run of bytes on the medium. `offset` -1: bytes that were never written and read as zeros. */
export interface Extent {
  readonly offset: number;
  readonly length: number;
}

export interface Entry {
  /** Names with / between them, as the medium has them. */
  readonly path: string;
  readonly bytes: number;
  /** Milliseconds since 1970; 0 where the medium does not say. */
  readonly modified: number;
  /** `link` and `special` (a device, a pipe, a socket, another file system) are told of and never followed. */
  readonly kind: 'file' | 'link' | 'special';
  /** Where its bytes are, in order; empty for readers that have other ways. */
  readonly extents: readonly Extent[];
  /** Why it cannot be read at all, or "". */
  readonly problem: string;
}

export function entryOf(path: string, bytes: number, modified: number, kind: Entry['kind'], extents: readonly Extent[], problem: string): Entry {
  return { path, bytes, modified, kind, extents, problem };
}

/** The same for two entries whose bytes are the same ones; "" where a reader names no places, and for empty files. */
export function placeOf({ extents, bytes }: Entry): string {
  if (bytes === 0 || extents.length === 0 || extents.length > placesMax) return '';
  let place = '';
  let end = -2;
  for (const { offset, length } of extents) {
    // Two file systems over the same bytes may cut them in different pieces.
    if (offset !== end) place += `${place === '' ? '' : ' '}${offset}`;
    end = offset < 0 ? -2 : offset + length;
  }
  return `${place}=${bytes}`;
}
/** A file in more pieces is not compared. */
const placesMax = 256;

/** Bytes that the medium does not give. */
export interface Missing {
  readonly offset: number;
  readonly length: number;
  readonly text: string;
}
export type Piece = Uint8Array | Missing;

export function isMissing(piece: Piece): piece is Missing {
  return !(piece instanceof Uint8Array);
}

export interface Volume {
  readonly kind: MediumKind;
  /** What the medium is called; "" where it has no name. */
  readonly label: string;
  /** Serial number or what else tells it from another of the same name; "" where there is none. */
  readonly identifier: string;
  /** What is odd about it, one sentence each; complete once `entries` is at its end. */
  readonly notes: Notes;
  entries(): Iterable<Entry>;
  /** The bytes of a file in order, in pieces. A piece of at least `pieceBytes` is valid until the next one; smaller ones stay. */
  pieces(entry: Entry): Iterable<Piece> | AsyncIterable<Piece>;
  close(): void;
}

/** Reading pieces of this size keeps optical drives streaming; it is over what Arrival gathers, so one buffer serves. */
export const pieceBytes = 256 * 1024;

/** More files than any medium for exchange holds: a 100 GB disc full of 4 KB reports has 25 million, a full CD of CT slices 1,400. */
export const entriesMax = 200_000;
/** Folders in folders: PS3.10 §8.2 permits 8, ISO 9660 8, people 20. */
export const depthMax = 64;
/** Runs of bytes of all files together: a stick in pieces has some hundred thousand. Each costs memory. */
export const extentsMax = 1_000_000;
/** Lists of files together are a small part of a medium; those that lie over one another are read over and over, and end here. */
export function listBytesMax(deviceBytes: number): number {
  return 2 * deviceBytes + 64 * 1024 * 1024;
}
/** Longest path that is kept for people. */
export const pathCharactersMax = 1_000;

/** Sentences about a medium: as many as people read, the rest is counted. */
export class Notes {
  static readonly max = 100;
  readonly #texts: string[] = [];
  #more = 0;

  add(text: string): void {
    if (this.#texts.includes(text)) return;
    if (this.#texts.length < Notes.max) this.#texts.push(text);
    else this.#more += 1;
  }
  list(): string[] {
    return this.#more === 0 ? [...this.#texts] : [...this.#texts, `${this.#more} more of this kind.`];
  }
}

/** A medium that cannot be read as what it seems to be; `text` is for people. */
export class Unreadable extends Error {}

/** A file that will not come, since somebody stopped sending: nothing is wrong with the medium. */
export class Unreached extends Error {}

/** A name as part of a path: what would make two names of one, or steer a terminal, is replaced. */
export function nameOf(text: string): string {
  const name = text.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}/]/gu, '\ufffd').slice(0, 255);
  return name === '' ? '\ufffd' : name;
}
export function pathOf(folder: string, name: string): string {
  const path = folder === '' ? nameOf(name) : `${folder}/${nameOf(name)}`;
  return path.length <= pathCharactersMax ? path : `${path.slice(0, pathCharactersMax - 1)}…`;
}
