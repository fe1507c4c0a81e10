/**
 * What the media process and whoever started it say to each other, as frames over the process's stdin and stdout.
 *
 *   parent → media   Order: open, then read, then credits
 *   media → parent   Opening, then Opened or Failed; then for each file, one for each credit, Reading and FileRead; Finished
 *
 * The media process decodes hostile bytes, so everything that it says is untrusted until `checkAnswer` has passed it.
 */
import { isDigest, isObjectId, type Digest, type ObjectId } from '../contract.ts';
import { directoryTextsMax, type DirectoryReport, type Medium } from './contract.ts';
import { entriesMax, mediumKinds, Notes, pathCharactersMax } from './volume.ts';

export type Order =
  /** `folder`: a path in its sandbox, of a medium or (`upload`) of an upload that may still be coming; else the descriptor 3, with its length. */
  | { readonly do: 'open'; readonly folder: string | null; readonly upload: boolean; readonly length: number; readonly label: string }
  /** Files that are not wanted: an earlier run has them. */
  | { readonly do: 'read'; readonly skip: readonly number[] }
  /** So many more files may be handed over. */
  | { readonly do: 'more'; readonly count: number };

/** It is there, and begins to look at the medium. */
export interface Opening {
  readonly say: 'opening';
}
export interface Opened {
  readonly say: 'opened';
  readonly medium: Medium;
  /** SHA-256 over paths, lengths and times: knows the medium again. */
  readonly listing: Digest;
  readonly files: number;
  readonly bytes: number;
}
/** Said before the first byte of a file is looked at: where the process dies over it, it is known which one it was. */
export interface Reading {
  readonly say: 'reading';
  readonly index: number;
  readonly path: string;
  readonly bytes: number;
}
export interface FileRead {
  readonly say: 'file';
  readonly index: number;
  readonly path: string;
  readonly bytes: number;
  /** `object` and `companion` and `directory` lie in arriving/ under `objectId`, unless `text` says why not. */
  readonly kind: 'object' | 'companion' | 'directory' | 'same' | 'link' | 'special' | 'unreadable' | 'unreached';
  readonly objectId: ObjectId | '';
  readonly sha256: Digest | '';
  readonly what: string;
  readonly text: string;
}
export interface Finished {
  readonly say: 'finished';
  readonly notes: readonly string[];
  readonly directories: readonly DirectoryReport[];
}
export interface Failed {
  readonly say: 'failed';
  readonly text: string;
}
export type Answer = Opening | Opened | Reading | FileRead | Finished | Failed;

const kinds = ['object', 'companion', 'directory', 'same', 'link', 'special', 'unreadable', 'unreached'] as const;
const textMax = 2_000;
const directoriesMax = 32;

class Wrong extends Error {}

/** What the media process said, made anew from what passed; null when it is none of the answers. */
export function checkAnswer(untrusted: unknown): Answer | null {
  try {
    const value = fields(untrusted);
    switch (value['say']) {
      case 'opening': return { say: 'opening' };
      case 'opened': return opened(value);
      case 'reading': return { say: 'reading', index: indexOf(value), path: text(value['path'], pathCharactersMax), bytes: count(value['bytes']) };
      case 'file': return fileRead(value);
      case 'finished': return {
        say: 'finished', notes: list(value['notes'], Notes.max + 1).map((note) => text(note, textMax)), directories: list(value['directories'], directoriesMax).map(directory),
      };
      case 'failed': return { say: 'failed', text: text(value['text'], textMax) };
      default: return null;
    }
  } catch (error) {
    if (error instanceof Wrong) return null;
    throw error;
  }
}

function opened(value: Record<string, unknown>): Opened {
  const { listing } = value;
  if (typeof listing !== 'string' || !isDigest(listing)) throw new Wrong();
  return { say: 'opened', medium: checkMedium(value['medium']), listing, files: count(value['files']), bytes: count(value['bytes']) };
}

/** Throws where it is no description of a medium. */
function checkMedium(untrusted: unknown): Medium {
  const value = fields(untrusted);
  const kind = mediumKinds.find((each) => each === value['kind']);
  if (kind === undefined) throw new Wrong();
  return { kind, label: text(value['label'], 200), identifier: text(value['identifier'], 200), bytes: count(value['bytes']) };
}

function fileRead(value: Record<string, unknown>): FileRead {
  const kind = kinds.find((each) => each === value['kind']);
  const index = indexOf(value);
  const { objectId, sha256 } = value;
  if (kind === undefined) throw new Wrong();
  if (typeof objectId !== 'string' || !(objectId === '' || isObjectId(objectId))) throw new Wrong();
  if (typeof sha256 !== 'string' || !(sha256 === '' || isDigest(sha256))) throw new Wrong();
  const handed = kind === 'object' || kind === 'companion' || kind === 'directory';
  if (handed !== (objectId !== '') || (handed && sha256 === '')) throw new Wrong();
  return { say: 'file', index, path: text(value['path'], pathCharactersMax), bytes: count(value['bytes']), kind, objectId, sha256, what: text(value['what'], 100), text: text(value['text'], textMax) };
}

function directory(untrusted: unknown): DirectoryReport {
  const value = fields(untrusted);
  const paths = (name: string): string[] => list(value[name], directoryTextsMax).map((path) => text(path, pathCharactersMax));
  return {
    path: text(value['path'], pathCharactersMax), listed: count(value['listed']), absent: paths('absent'), absentCount: count(value['absentCount']), unlisted: paths('unlisted'),
    unlistedCount: count(value['unlistedCount']), different: paths('different'), differentCount: count(value['differentCount']), problem: text(value['problem'], textMax),
  };
}

function indexOf(value: Record<string, unknown>): number {
  const index = count(value['index']);
  if (index > entriesMax) throw new Wrong();
  return index;
}
function fields(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Wrong();
  return value as Record<string, unknown>;
}
function list(value: unknown, max: number): unknown[] {
  if (!Array.isArray(value) || value.length > max) throw new Wrong();
  return value;
}
function count(value: unknown): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw new Wrong();
  return value as number;
}
/** Texts come from the medium: nothing in them steers a terminal. */
function text(value: unknown, max: number): string {
  if (typeof value !== 'string' || value.length > max) throw new Wrong();
  return value.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}]/gu, '\ufffd');
}
