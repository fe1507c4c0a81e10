/** One upload as the web process knows it while it comes. */
import type { UploadHead } from '@lazaret/pacs/reception/media/contract.ts';
import { refused } from '@lazaret/system/failure.ts';
import type { UploadState } from '../deskanswers.ts';
import { bad, partial, whole, type UploadFolder } from './folder.ts';
import type { UploadLimits } from './limits.ts';

/** Files in part that are told of: a page sends a few at a time. Of others the beginning is sent again. */
const partsMax = 64;

export interface Upload {
  readonly id: string;
  readonly head: UploadHead;
  readonly folder: UploadFolder;
  readonly lengths: Float64Array;
  readonly states: Uint8Array;
  /** Files that a request is writing. */
  readonly writing: Set<number>;
  /** Requests that bring bytes; each resolves at its end. */
  readonly requests: Set<Promise<void>>;
  /** Lines and bytes of the listing that are there. */
  listed: number;
  listedBytes: number;
  listedCharacters: number;
  listing: boolean;
  importId: string;
  cancelled: boolean;
  touchedAt: number;
  askedAt: number;
  /** How often it was asked for since something came: each time later. */
  asks: number;
}

/** Throws where a name leads somewhere else or is more than people read. */
export function checkPath(path: string, limits: UploadLimits): void {
  const name = JSON.stringify(path.slice(0, 80));
  if (path.length > limits.pathCharactersMax) throw refused('name-too-long', `The name ${name}… is longer than ${limits.pathCharactersMax} characters. Shorten it, or make an image or a ZIP file of the disc.`);
  const parts = path.split('/');
  if (parts.length > limits.depthMax) throw refused('folders-too-deep', `${name}… lies in more than ${limits.depthMax} folders. Give the folder with the images.`);
  if (path.includes('\0') || parts.some((part) => part === '' || part === '.' || part === '..')) throw refused('name-refused', `${name} is not the name of a file in the folder that was given. Rename it, or make an image or a ZIP file of the disc.`);
}

/** What a page is told. */
export async function stateOf(upload: Upload): Promise<UploadState> {
  const have: [number, number][] = [];
  const parts: [number, number][] = [];
  for (let number = 0; number < upload.states.length; number += 1) {
    const state = upload.states[number];
    if (state === partial && parts.length < partsMax) parts.push([number, await upload.folder.partBytes(number)]);
    if (state !== whole && state !== bad) continue;
    const last = have.at(-1);
    if (last !== undefined && last[1] === number - 1) last[1] = number;
    else have.push([number, number]);
  }
  const { name, kind, key, files, bytes, begunAt } = upload.head;
  return { upload: upload.id, import: upload.importId, name, kind, key, files, bytes, begunAt, listed: upload.listing ? upload.listed : files, have, parts };
}
