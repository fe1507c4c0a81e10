/**
 * One upload on disk: `uploads/<upload>` as pacs/reception/media/contract.ts has it. Every name in it is made here, from numbers; nothing that a browser says
 * becomes one. What there is can be read back from the folder after a restart.
 */
import { createReadStream } from 'node:fs';
import { constants, mkdir, open, readdir, rename, rm, writeFile, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { UploadHead, UploadLine } from '@lazaret/pacs/reception/media/contract.ts';
import { refused, unavailable } from '@lazaret/system/failure.ts';

/** What is here of a file of the listing; 0: nothing. */
export const partial = 1;
export const whole = 2;
export const bad = 3;

const create = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
const append = constants.O_WRONLY | constants.O_NOFOLLOW;

export class UploadFolder {
  readonly path: string;

  constructor(uploads: string, upload: string) {
    this.path = join(uploads, upload);
  }

  async make(): Promise<void> {
    await onDisk(mkdir(this.path, { mode: 0o700 }));
  }

  /** Adds lines to the listing while it is being written. */
  async list(text: string): Promise<void> {
    await onDisk(writeFile(join(this.path, 'listing.part'), text, { flag: 'a', mode: 0o600 }));
  }

  async listed(): Promise<void> {
    await onDisk(rename(join(this.path, 'listing.part'), join(this.path, 'listing')));
  }

  /** Opens the part of a file to be written from `offset` on; what is there must be as long. */
  async openPart(number: number, offset: number): Promise<FileHandle> {
    const path = join(this.path, `${number}.part`);
    if (offset === 0) {
      await onDisk(rm(path, { force: true }));
      return onDisk(open(path, create, 0o600));
    }
    const file = await onDisk(open(path, append));
    try {
      const stat = await file.stat();
      if (!stat.isFile() || stat.size !== offset) throw refused('offset-wrong', `${stat.size} bytes of this file are here`);
      return file;
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  async partBytes(number: number): Promise<number> {
    try {
      const file = await open(join(this.path, `${number}.part`), constants.O_RDONLY | constants.O_NOFOLLOW);
      try {
        return (await file.stat()).size;
      } finally {
        await file.close();
      }
    } catch {
      return 0;
    }
  }

  async dropPart(number: number): Promise<void> {
    await rm(join(this.path, `${number}.part`), { force: true });
  }

  async finish(number: number): Promise<void> {
    await onDisk(rename(join(this.path, `${number}.part`), join(this.path, String(number))));
  }

  /** Why a file will not come. */
  async spoil(number: number, text: string): Promise<void> {
    await this.dropPart(number);
    await this.#say(`${number}.bad`, text);
  }

  async cancel(): Promise<void> {
    await this.#say('cancelled', '');
  }

  async remember(importId: string): Promise<void> {
    await this.#say('import', importId);
  }

  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }

  /** Null where the listing never became whole: then nothing of the medium is here. */
  async read(): Promise<{ head: UploadHead; lengths: Float64Array; states: Uint8Array; importId: string; cancelled: boolean; touchedAt: number } | null> {
    const names = await readdir(this.path).catch(() => [] as string[]);
    if (!names.includes('listing')) return null;
    let head: UploadHead | null = null;
    let lengths = new Float64Array(0);
    let number = 0;
    for await (const line of createInterface({ input: createReadStream(join(this.path, 'listing'), 'utf8') })) {
      if (head === null) {
        head = JSON.parse(line) as UploadHead;
        lengths = new Float64Array(head.files);
      } else if (number < lengths.length) lengths[number++] = (JSON.parse(line) as UploadLine)[1];
    }
    if (head === null) return null;
    const states = new Uint8Array(lengths.length);
    let importId = '';
    for (const name of names) {
      const [, digits = '', ending = ''] = /^(\d+)(\.part|\.bad)?$/.exec(name) ?? [];
      const at = Number(digits);
      if (digits !== '' && at < states.length) states[at] = Math.max(states[at]!, ending === '' ? whole : ending === '.bad' ? bad : partial);
    }
    const file = await open(join(this.path, 'listing'), constants.O_RDONLY | constants.O_NOFOLLOW);
    const touchedAt = (await file.stat()).mtimeMs;
    await file.close();
    if (names.includes('import')) importId = (await readText(join(this.path, 'import'))).slice(0, 32);
    return { head, lengths, states, importId, cancelled: names.includes('cancelled'), touchedAt };
  }

  async #say(name: string, text: string): Promise<void> {
    await rm(join(this.path, name), { force: true });
    // Whole at once for whoever looks: the reader waits for the name.
    await onDisk(writeFile(join(this.path, `${name}.new`), text, { flag: 'w', mode: 0o600 }));
    await onDisk(rename(join(this.path, `${name}.new`), join(this.path, name)));
  }
}

async function readText(path: string): Promise<string> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const buffer = Buffer.alloc(64);
    const { bytesRead } = await file.read(buffer, 0, 64, 0);
    return buffer.toString('latin1', 0, bytesRead);
  } finally {
    await file.close();
  }
}

async function onDisk<Value>(work: Promise<Value>): Promise<Value> {
  try {
    return await work;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw refused('upload-unknown', 'This upload is no longer here: it was read, cancelled, or nobody went on with it for a day.');
    if (code === 'ENOSPC' || code === 'EDQUOT') throw unavailable('disk-full', 'The disk of the server is full. Tell whoever runs it; sending goes on by itself once there is room.', error);
    throw unavailable('upload-failed', `The server could not write the upload (${code ?? 'error'}). It is tried again.`, error);
  }
}
