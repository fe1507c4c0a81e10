/** Reading files to their end at a bounded rate, and what digest they have. */
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { unavailable } from '@lazaret/system/failure.ts';

export const chunkBytes = 1024 * 1024;
/** Debts shorter than this are not slept off: a timer is no more exact. */
const sleepMsMin = 20;
/** After a pause of the machine nothing is caught up. */
const creditMs = 250;

/** So many bytes a second at most; `rate` is asked again for each piece, Infinity for as fast as it goes. */
export class Pace {
  readonly #rate: () => number;
  readonly #halt: AbortSignal | undefined;
  #due = 0;

  /** `halt`: reading ends with `reading-halted`, in the middle of a file, too. */
  constructor(rate: () => number, halt?: AbortSignal) {
    this.#rate = rate;
    this.#halt = halt;
  }

  async spend(bytes: number): Promise<void> {
    if (this.#halt?.aborted === true) throw unavailable('reading-halted', 'the reading was ended');
    const rate = this.#rate();
    if (rate === Infinity) return;
    const now = Date.now();
    this.#due = Math.max(this.#due, now - creditMs) + (bytes / rate) * 1_000;
    if (this.#due - now > sleepMsMin) await wait(this.#due - now);
  }
}

export const unbounded = new Pace(() => Infinity);

export interface Digested {
  readonly sha256: string;
  readonly bytes: number;
}

/**
 * SHA-256 of a regular file, read to at most `bytesMax` + 1: what is longer is another file anyhow. Null where there is none; symbolic links count
 * as none. Rejects where it cannot be read.
 */
export async function digestOf(path: string, bytesMax: number, pace: Pace = unbounded): Promise<Digested | null> {
  const file = await openRegular(path);
  if (file === null) return null;
  try {
    const hash = createHash('sha256');
    let bytes = 0;
    for await (const chunk of chunksOf(file, bytesMax + 1, pace)) {
      hash.update(chunk);
      bytes += chunk.length;
    }
    return { sha256: hash.digest('hex'), bytes };
  } finally {
    await file.close();
  }
}

/** A regular file that is no link, or null where there is none. */
export async function openRegular(path: string): Promise<FileHandle | null> {
  let file: FileHandle;
  try {
    // O_NONBLOCK: a named pipe in the place of a file must not make us wait for a writer.
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ELOOP' || code === 'ENOTDIR' || code === 'ENXIO') return null;
    throw error;
  }
  if ((await file.stat()).isFile()) return file;
  await file.close();
  return null;
}

/** The first `bytesMax` bytes in pieces; a piece is good until the next one is asked for. */
export async function* chunksOf(file: FileHandle, bytesMax: number, pace: Pace = unbounded): AsyncGenerator<Buffer> {
  const buffer = Buffer.allocUnsafeSlow(Math.max(1, Math.min(chunkBytes, bytesMax)));
  for (let done = 0; done < bytesMax; ) {
    const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.length, bytesMax - done), done);
    if (bytesRead === 0) return;
    done += bytesRead;
    await pace.spend(bytesRead);
    yield buffer.subarray(0, bytesRead);
  }
}
