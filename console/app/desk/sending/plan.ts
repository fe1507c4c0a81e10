/** Which requests a disc is sent in: many small files in one, a large one in pieces. */
import type { UploadState } from '../../../server/deskanswers.ts';

/** A file from so many bytes on is sent in pieces of its own. */
const largeBytes = 4 * 1024 ** 2;
/** One request: repeating it after a lost connection costs a second or two, and thousands of small files cost no thousands of requests. */
const requestBytes = 8 * 1024 ** 2;
const batchFilesMax = 500;
/** The first one is small: what is on the disc is to be seen soon. */
const firstBytes = 512 * 1024;

export interface Batch {
  readonly kind: 'batch';
  readonly numbers: readonly number[];
  readonly bytes: number;
}
export interface Large {
  readonly kind: 'large';
  readonly number: number;
  readonly bytes: number;
  /** So many are there. */
  readonly offset: number;
}
export type Job = Batch | Large;

/** Everything of `lengths` that the server does not have, in order. */
export function planOf(lengths: readonly number[], state: Pick<UploadState, 'have' | 'parts'>): Job[] {
  const have = new Uint8Array(lengths.length);
  for (const [from, to] of state.have) have.fill(1, from, to + 1);
  const parts = new Map(state.parts);
  const jobs: Job[] = [];
  let numbers: number[] = [];
  let bytes = 0;
  let most = firstBytes;
  const close = (): void => {
    if (numbers.length > 0) jobs.push({ kind: 'batch', numbers, bytes });
    if (numbers.length > 0) most = Math.min(most * 2, requestBytes);
    numbers = [];
    bytes = 0;
  };
  for (const [number, length] of lengths.entries()) {
    if (have[number] === 1) continue;
    if (length >= largeBytes) {
      jobs.push({ kind: 'large', number, bytes: length, offset: Math.min(parts.get(number) ?? 0, length) });
      continue;
    }
    if (numbers.length >= batchFilesMax || (numbers.length > 0 && bytes + length > most)) close();
    numbers.push(number);
    bytes += length;
  }
  close();
  return jobs;
}

/** The next piece of a large file. */
export function pieceOf({ bytes }: Large, offset: number): readonly [from: number, to: number] {
  return [offset, Math.min(offset + requestBytes, bytes)];
}

export function sentOf(lengths: readonly number[], { have, parts }: Pick<UploadState, 'have' | 'parts'>): { files: number; bytes: number } {
  let files = 0;
  let bytes = 0;
  for (const [from, to] of have) {
    for (let number = from; number <= to; number += 1) {
      files += 1;
      bytes += lengths[number] ?? 0;
    }
  }
  for (const [, count] of parts) bytes += count;
  return { files, bytes };
}
