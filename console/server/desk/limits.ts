/** How much of an upload is taken, and why not more. Pure: the page checks against the same numbers before it begins. */

export interface UploadLimits {
  readonly filesMax: number;
  readonly bytesMax: number;
  readonly pathCharactersMax: number;
  readonly depthMax: number;
  readonly listingBytesMax: number;
  readonly openOfPersonMax: number;
  readonly openMax: number;
  readonly streamsMax: number;
  readonly idleMs: number;
  readonly diskFreeBytesMin: number;
}

export const uploadLimits: UploadLimits = {
  /** A DVD full of CT slices has 9,000 files, a stick with ten studies and a viewer 60,000. The medium's own limit is 200,000 (volume.ts). */
  filesMax: 100_000,
  /** A Blu-ray disc of four layers. */
  bytesMax: 128 * 1024 ** 3,
  /** As readers of media keep them (volume.ts). */
  pathCharactersMax: 1_000,
  depthMax: 64,
  /** The names of all files together: 100,000 of 200 bytes and some. */
  listingBytesMax: 24 * 1024 ** 2,
  /** A desk of one person has a few drives; each open upload may fill the disk. */
  openOfPersonMax: 8,
  openMax: 32,
  /** Bodies that are written at once; a browser opens six connections. */
  streamsMax: 32,
  /** Somebody who broke off comes back on the same day, or the disc is put in again. */
  idleMs: 24 * 60 * 60_000,
  /** As at the other doors: what is under way needs room, and so does the record of refusing. */
  diskFreeBytesMin: 1024 ** 3,
};

/** Lines of a listing in one request: a quarter of a megabyte of JSON with long names. */
export const linesMax = 1_000;
export const linesBytesMax = 1_500_000;
/** One request's worth of a file, or of many small ones: repeating it after a lost connection costs a second or two. */
export const pieceBytesMax = 64 * 1024 ** 2;
/** Before each file in a batch: its number and its length, 4 bytes each, most significant first. */
export const frameBytes = 8;
