/**
 * Uploads of the desk page: what a browser reads from a disc, a stick or a file goes to `uploads/<upload>`, in pieces that can be sent again.
 *
 * SECURITY: nothing is decoded, unpacked or started here, and no name that is sent becomes a name on disk. An upload belongs to who began it; for anybody else it
 * is not there. Its listing comes first, so how much will come is known, refused early and never exceeded.
 */
import { randomBytes } from 'node:crypto';
import { readdir, rm, statfs, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import type { UploadHead, UploadLine } from '@lazaret/pacs/reception/media/contract.ts';
import { refused, unavailable } from '@lazaret/system/failure.ts';
import type { Begin, UploadState } from '../deskanswers.ts';
import { bad, partial, UploadFolder, whole } from './folder.ts';
import { frameBytes, uploadLimits, type UploadLimits } from './limits.ts';
import { gathered, Source } from './streams.ts';
import { checkPath, stateOf, type Upload } from './upload.ts';

export interface UploadsDeps {
  readonly folder: string;
  readonly keeper: { request<Answer>(name: string, body: unknown): Promise<Answer> };
  readonly limits?: UploadLimits;
  readonly now?: () => number;
}
export interface Uploader {
  readonly name: string;
  readonly address: string;
}

/** The keeper is asked again at most so often: reading that was broken off while nothing came goes on then. */
const askMs = 5_000;
const sweepMs = 10_000;
const askLatestMs = 60 * 60_000;
/** Who cancels has broken off what was being sent; its end comes through in no time, or the connection is lost and never says so. */
const cancelWaitMs = 2_000;

export class Uploads {
  readonly #deps: UploadsDeps;
  readonly #limits: UploadLimits;
  readonly #now: () => number;
  readonly #open = new Map<string, Upload>();
  #ready: Promise<void> | null = null;
  #streams = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(deps: UploadsDeps) {
    this.#deps = deps;
    this.#limits = deps.limits ?? uploadLimits;
    this.#now = deps.now ?? Date.now;
  }

  /** Takes up what is in the folder, and looks after it from now on. */
  async start(): Promise<void> {
    await this.#loaded();
    this.#timer ??= setInterval(() => void this.sweep().catch(() => {}), sweepMs);
    this.#timer.unref();
  }
  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  /** A new upload, or the same one again where this person gave the same disc before. Throws where it is too much. */
  async begin(person: Uploader, asked: Begin): Promise<UploadState> {
    await this.#loaded();
    const known = [...this.#open.values()].find((upload) => upload.head.person === person.name && upload.head.key === asked.key && !upload.cancelled);
    if (known !== undefined) {
      // Read and removed a moment ago: given again, it is another import.
      if (!known.listing && (await exists(known.folder.path))) return stateOf(known);
      await this.#forget(known);
    }
    const limits = this.#limits;
    if (asked.files > limits.filesMax) throw refused('files-exceeded', `It holds ${asked.files} files; at most ${limits.filesMax} are taken at once. Give the folder with the images, or make an image or a ZIP file of it.`);
    if (asked.bytes > limits.bytesMax) throw refused('bytes-exceeded', `It is longer than the ${Math.floor(limits.bytesMax / 1024 ** 3)} GB that are taken at once. Give the folder with the images.`);
    const open = [...this.#open.values()].filter((upload) => !upload.cancelled);
    if (open.filter(({ head }) => head.person === person.name).length >= limits.openOfPersonMax) throw refused('uploads-exceeded', `${limits.openOfPersonMax} discs of yours are being sent. Wait until one is through, or cancel one.`);
    if (open.length >= limits.openMax) throw unavailable('uploads-exceeded', `${limits.openMax} discs are being sent by all desks together. Try again when one is through.`);
    await this.#requireSpace(asked.bytes);
    const id = randomBytes(16).toString('hex');
    const head: UploadHead = { person: person.name, ...asked, begunAt: this.#now() };
    const upload: Upload = {
      id, head, folder: new UploadFolder(this.#deps.folder, id), lengths: new Float64Array(asked.files), states: new Uint8Array(asked.files), writing: new Set(), requests: new Set(), listed: 0, listedBytes: 0, listedCharacters: 0, listing: true,
      importId: '', cancelled: false, touchedAt: this.#now(), askedAt: 0, asks: 0,
    };
    this.#open.set(id, upload);
    try {
      await upload.folder.make();
      await upload.folder.list(`${JSON.stringify(head)}\n`);
    } catch (error) {
      await this.#forget(upload);
      throw error;
    }
    return stateOf(upload);
  }

  /** The next lines of the listing, from number `from` on. After the last one the import is asked for. */
  async list(person: Uploader, id: string, from: number, lines: readonly UploadLine[]): Promise<UploadState> {
    const upload = await this.#of(person, id);
    if (!upload.listing || from + lines.length <= upload.listed) return stateOf(upload);
    if (from !== upload.listed) throw refused('offset-wrong', `${upload.listed} names are here`);
    if (from + lines.length > upload.head.files) throw refused('files-exceeded', 'There are more files than were announced. Give the disc again.');
    let text = '';
    let bytes = 0;
    for (const line of lines) {
      checkPath(line[0], this.#limits);
      bytes += line[1];
      text += `${JSON.stringify(line)}\n`;
    }
    if (upload.listedBytes + bytes > upload.head.bytes) throw refused('bytes-exceeded', 'The files are longer than was announced. Give the disc again.');
    if (upload.listedCharacters + text.length > this.#limits.listingBytesMax) throw refused('names-exceeded', 'The names of the files together are too long. Give the folder with the images, or make a ZIP file of it.');
    lines.forEach((line, index) => { upload.lengths[from + index] = line[1]; });
    upload.listed += lines.length;
    upload.listedBytes += bytes;
    upload.listedCharacters += text.length;
    upload.touchedAt = this.#now();
    await upload.folder.list(text);
    if (upload.listed === upload.head.files) {
      await upload.folder.listed();
      upload.listing = false;
      // Files without a byte need no sending.
      for (let number = 0; number < upload.lengths.length; number += 1) if (upload.lengths[number] === 0) await this.#write(upload, number, 0, null);
      if (upload.head.kind === 'files') await this.#ask(upload, person.address);
    }
    return stateOf(upload);
  }

  /** A piece of one file, from `offset` on. What was written of a piece that broke off stays: `state` says how much. */
  async piece(person: Uploader, id: string, number: number, offset: number, stream: Readable): Promise<UploadState> {
    const upload = await this.#receiving(person, id, number);
    if (upload.states[number] === whole) {
      stream.resume();
      return stateOf(upload);
    }
    await this.#streaming(upload, async () => {
      await this.#write(upload, number, offset, stream);
      await this.#advanced(upload, person.address);
    });
    return stateOf(upload);
  }

  /** Many whole files one after the other, each with its number and length before it (limits.ts). Those that were whole before it broke off stay. */
  async batch(person: Uploader, id: string, stream: Readable): Promise<UploadState> {
    const upload = await this.#receiving(person, id, 0);
    await this.#streaming(upload, async () => {
      await this.#unpack(upload, stream);
      await this.#advanced(upload, person.address);
    });
    return stateOf(upload);
  }

  /** A file that the browser cannot read from the medium. */
  async spoil(person: Uploader, id: string, number: number, text: string): Promise<UploadState> {
    const upload = await this.#receiving(person, id, number);
    if (upload.states[number] !== whole) {
      await upload.folder.spoil(number, text);
      upload.states[number] = bad;
    }
    await this.#advanced(upload, person.address);
    return stateOf(upload);
  }

  async state(person: Uploader, id: string): Promise<UploadState> {
    return stateOf(await this.#of(person, id));
  }

  async ofPerson(person: Uploader): Promise<UploadState[]> {
    await this.#loaded();
    return Promise.all([...this.#open.values()].filter((upload) => upload.head.person === person.name && !upload.listing && !upload.cancelled).map((upload) => stateOf(upload)));
  }

  /** What was sent stays and is read; what was not is told of on the receipt. Answers with how far it had come: what other requests are writing counts, and nothing after it. */
  async cancel(person: Uploader, id: string): Promise<UploadState> {
    const upload = await this.#of(person, id);
    const over = new AbortController();
    await Promise.race([Promise.all(upload.requests), wait(cancelWaitMs, null, { signal: over.signal })]);
    over.abort();
    await this.#cancel(upload);
    return stateOf(upload);
  }

  /** Uploads that were read are forgotten, those that nobody goes on with are cancelled, and reading that waits in vain is asked for. */
  async sweep(): Promise<void> {
    for (const upload of this.#open.values()) {
      if (!upload.listing && !(await exists(upload.folder.path))) this.#open.delete(upload.id);
      else if (this.#now() - upload.touchedAt > this.#limits.idleMs) {
        if (upload.cancelled) await this.#forget(upload);
        else await this.#cancel(upload);
      } else if (upload.importId !== '' && (upload.cancelled || upload.states.every((state) => state >= whole)) && this.#now() - upload.askedAt > Math.min(sweepMs * 2 ** upload.asks, askLatestMs)) {
        // Reading that ended without an end goes on. A medium at which it ends again and again is tried ever more seldom.
        upload.asks += 1;
        await this.#ask(upload, '');
      }
    }
  }

  async #requireSpace(bytes: number): Promise<void> {
    const { bavail, bsize } = await statfs(this.#deps.folder);
    let announced = 0;
    for (const upload of this.#open.values()) announced += upload.head.bytes;
    // Once here, once in the quarantine, until it was read.
    const needed = 2 * (announced + bytes) + this.#limits.diskFreeBytesMin;
    if (bavail * bsize < needed) throw unavailable('disk-full', `The server has no room for it: ${Math.ceil(needed / 1024 ** 2)} MB are needed, ${Math.floor((bavail * bsize) / 1024 ** 2)} MB are free. Tell whoever runs the server.`);
  }

  async #receiving(person: Uploader, id: string, number: number): Promise<Upload> {
    const upload = await this.#of(person, id);
    if (upload.listing) throw refused('listing-open', 'The list of files comes first.');
    if (upload.cancelled) throw refused('upload-cancelled', 'This upload was cancelled. Give the disc again.');
    if (number >= upload.lengths.length) throw refused('file-unknown', 'The list has no such file.');
    return upload;
  }

  async #streaming(upload: Upload, work: () => Promise<void>): Promise<void> {
    if (this.#streams >= this.#limits.streamsMax) throw unavailable('streams-exceeded', 'Many discs are being sent at once. It goes on by itself in a moment.');
    this.#streams += 1;
    const running = work();
    const over = running.catch(() => {});
    upload.requests.add(over);
    try {
      await running;
    } finally {
      upload.requests.delete(over);
      this.#streams -= 1;
    }
  }

  /** `stream` null: a file without a byte. */
  async #write(upload: Upload, number: number, offset: number, stream: AsyncIterable<Buffer> | null): Promise<void> {
    const length = upload.lengths[number]!;
    if (offset > length) throw refused('offset-wrong', 'The file is not so long.');
    if (upload.writing.has(number)) throw unavailable('file-busy', 'This file is being sent by another request.');
    upload.writing.add(number);
    let at = offset;
    try {
      const file = await upload.folder.openPart(number, offset);
      upload.states[number] = partial;
      try {
        for await (const chunk of stream === null ? [] : gathered(stream)) {
          if (at + chunk.length > length) throw refused('length-exceeded', `The file is longer than the ${length} bytes that were announced: it changed while it was sent. Give the disc again.`);
          await file.write(chunk, 0, chunk.length, at);
          at += chunk.length;
          upload.touchedAt = this.#now();
        }
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOSPC') throw unavailable('disk-full', 'The disk of the server is full. Tell whoever runs it; sending goes on by itself once there is room.', error);
        throw error;
      } finally {
        await file.close();
      }
      if (at < length) return;
      if (upload.cancelled) throw refused('upload-cancelled', 'This upload was cancelled. Give the disc again.');
      await upload.folder.finish(number);
      upload.states[number] = whole;
    } finally {
      upload.writing.delete(number);
    }
  }

  async #unpack(upload: Upload, stream: Readable): Promise<void> {
    const source = new Source(stream);
    for (;;) {
      const frame = await source.exactly(frameBytes);
      if (frame === null) return;
      const number = frame.readUInt32BE(0);
      const length = frame.readUInt32BE(4);
      if (number >= upload.lengths.length || length !== upload.lengths[number]) throw refused('length-wrong', 'A file is not as long as was announced: it changed while it was sent. Give the disc again.');
      if (upload.states[number] === whole) await source.skip(length);
      else await this.#write(upload, number, 0, source.next(length));
      if (upload.states[number] !== whole) throw refused('length-wrong', 'The batch ended in the middle of a file.');
    }
  }

  async #advanced(upload: Upload, address: string): Promise<void> {
    upload.asks = 0;
    const complete = upload.states.every((state) => state >= whole);
    if (complete || (upload.head.kind === 'files' && this.#now() - upload.askedAt > askMs)) await this.#ask(upload, address);
  }

  /** Tells the importer that there is something to read. Asked again it does no harm. */
  async #ask(upload: Upload, address: string): Promise<void> {
    upload.askedAt = this.#now();
    const { id } = await this.#deps.keeper.request<{ id: string }>('import', { do: 'ask', upload: upload.id, label: upload.head.name, person: upload.head.person, address: address === '' ? 'unknown' : address });
    if (upload.importId === id) return;
    upload.importId = id;
    await upload.folder.remember(id).catch(() => {});
  }

  async #cancel(upload: Upload): Promise<void> {
    if (upload.importId === '') return this.#forget(upload);
    await upload.folder.cancel();
    upload.cancelled = true;
    upload.touchedAt = this.#now();
    await this.#ask(upload, '');
  }

  async #forget(upload: Upload): Promise<void> {
    this.#open.delete(upload.id);
    await upload.folder.remove();
  }

  async #of(person: Uploader, id: string): Promise<Upload> {
    await this.#loaded();
    const upload = this.#open.get(id);
    if (upload === undefined || upload.head.person !== person.name) throw refused('upload-unknown', 'This upload is not here: it was read, cancelled, nobody went on with it for a day, or somebody else began it.');
    return upload;
  }

  #loaded(): Promise<void> {
    this.#ready ??= this.#load();
    return this.#ready;
  }

  async #load(): Promise<void> {
    for (const id of await readdir(this.#deps.folder).catch(() => [] as string[])) {
      const folder = new UploadFolder(this.#deps.folder, id);
      const found = /^[0-9a-f]{32}$/.test(id) ? await folder.read().catch(() => null) : null;
      if (found === null) {
        await rm(join(this.#deps.folder, id), { recursive: true, force: true });
        continue;
      }
      this.#open.set(id, {
        id, folder, head: found.head, lengths: found.lengths, states: found.states, writing: new Set(), requests: new Set(), listed: found.head.files, listedBytes: found.head.bytes, listedCharacters: 0, listing: false,
        importId: found.importId, cancelled: found.cancelled, touchedAt: found.touchedAt, askedAt: 0, asks: 0,
      });
    }
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(() => true, () => false);
}
