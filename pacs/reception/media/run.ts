/**
 * One import from the outside of the sandbox: starts a media process on the medium, has the keeper admit what it hands over and scan what stays behind, and
 * puts the fate of each file on record. `./lazaret import` and the importer process both work through this; neither looks at a byte of the medium.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Failure, unavailable } from '@lazaret/system/failure.ts';
import type { Admission, ReceivedObject } from '../contract.ts';
import type { Begun, CompanionAnswer, Fate, FileFate, ImportStatus } from './contract.ts';
import type { FileRead, Finished, Opened } from './protocol.ts';
import { Died, Reader, type ReaderOptions } from './reader.ts';

export interface RunOptions extends ReaderOptions {
  readonly person: string;
  readonly address: string;
  /** Of the desk page; "" from the command line. */
  readonly upload: string;
  readonly arriving: string;
  /** From `scratchIn`: the one folder that the media process can write. */
  readonly scratch: string;
  /** Asks the keeper (contract.ts). */
  readonly ask: <Answer>(request: string, body: unknown) => Promise<Answer>;
  readonly progress?: (progress: Progress) => void;
}

export interface Progress {
  readonly id: string;
  readonly opened: Opened;
  readonly resumed: boolean;
  done: number;
  doneBytes: number;
}

/**
 * Makes a folder inside the arriving area for one media process: a hostile medium that takes the process over must not reach what other doors are writing
 * there. `confine` the process with it in place of the whole area. ImportRun removes it; after a crash `sweepScratch` or the keeper does.
 */
export function scratchIn(arriving: string, by: 'media' | 'importer' = 'media'): string {
  const scratch = join(arriving, `${by}-${randomBytes(8).toString('hex')}`);
  mkdirSync(scratch, { mode: 0o700 });
  return scratch;
}
/** What an importer has left that was killed: what is in it was never admitted. There is one importer at a time. */
export function sweepScratch(arriving: string): void {
  for (const name of readdirSync(arriving)) if (name.startsWith('importer-')) rmSync(join(arriving, name), { recursive: true, force: true });
}

/** Files that the media process may be ahead of the keeper: each costs a commit, and commits are shared. */
const ahead = 32;
/** Fates go on record together. */
const batchMax = 200;
const batchMs = 150;
/** A file over which the reader died so often is skipped. The first time it may have been a full memory or somebody's kill. */
const deathsOfFileMax = 2;
/** With more such files a medium was made to keep us busy, or is none for us: the rest of it is left. */
const skippedMax = 8;
/** Readers that die over the list of files, or over no file that they named. */
const deathsElsewhereMax = 3;
/** All deaths over one medium: a reader that dies over each file once would have it listed as often as it has files. */
const deathsMax = 24;

/** What the keeper is told at the end. */
interface Ending {
  readonly outcome: 'read' | 'interrupted' | 'failed';
  readonly problem: string;
  readonly notes?: Finished['notes'];
  readonly directories?: Finished['directories'];
}
const interrupted = (problem = ''): Ending => ({ outcome: 'interrupted', problem });

export class ImportRun {
  readonly #options: RunOptions;
  #reader: Reader | null = null;
  #interrupted = false;
  #failure: Failure | Error | null = null;
  #batch: FileFate[] = [];
  #batchTimer: NodeJS.Timeout | null = null;
  #writing: Promise<void> = Promise.resolve();
  readonly #handed = new Set<string>();
  /** Files that have a fate, and those of them that every reader reads for itself. */
  readonly #seen = new Set<number>();
  readonly #directories = new Set<number>();
  readonly #deaths = { all: 0, elsewhere: 0, ofFile: new Map<number, number>() };
  #skipped = 0;
  #progress: Progress | null = null;

  constructor(options: RunOptions) {
    this.#options = options;
  }

  /**
   * Reads to the end; what was read is on record. Where a reader dies another one goes on, and a file over which that happens again is skipped.
   * Rejects where the medium cannot be read at all (`medium-unreadable`), where no reader can be started (`media-failed`), or the keeper is gone.
   */
  async run(): Promise<ImportStatus> {
    const { ask, person, address, upload, scratch } = this.#options;
    try {
      const opened = await this.#open();
      const begun = await ask<Begun>('import', { do: 'begin', medium: opened.medium, listing: opened.listing, files: opened.files, bytes: opened.bytes, person, address, upload });
      for (const index of begun.done) this.#seen.add(index);
      for (const [index, times] of begun.stops) this.#remember(index, times);
      this.#progress = { id: begun.id, opened, resumed: begun.resumed, done: this.#seen.size, doneBytes: 0 };
      this.#options.progress?.(this.#progress);
      return await this.#read(begun.id, opened);
    } finally {
      await this.#reader?.close();
      // What was handed over and nobody has taken up.
      rmSync(scratch, { recursive: true, force: true });
    }
  }

  /** What stopped readers before a restart counts: a file that was skipped stays so, or it would be tried again at each start. */
  #remember(index: number, times: number): void {
    this.#deaths.ofFile.set(index, times);
    if (times < deathsOfFileMax) return;
    this.#skipped += 1;
    this.#seen.add(index);
  }

  /** Stops reading; `run` ends with what was read so far on record. */
  interrupt(): void {
    this.#interrupted = true;
    this.#reader?.interrupt();
  }

  /** Starts a reader that lists the medium. */
  async #open(): Promise<Opened> {
    for (let deaths = 1; ; deaths += 1) {
      const reader = new Reader(this.#options);
      this.#reader = reader;
      if (this.#interrupted) reader.interrupt();
      try {
        const answer = await reader.next();
        if (answer.say === 'failed') throw new Failure('refused', 'medium-unreadable', answer.text);
        if (answer.say === 'opened') return answer;
        throw new Died('answered out of turn', false);
      } catch (error) {
        if (!(error instanceof Died)) throw error;
        await reader.close();
        if (error.early) throw unavailable('media-failed', `The program that reads media cannot be started: it ${error.message}.`, error);
        this.#log(`over the list of files: it ${error.message}`);
        if (deaths >= deathsElsewhereMax) throw new Failure('refused', 'medium-unreadable', `It cannot be read: listing its files stopped the reader ${deaths} times (it ${error.message}).`);
      }
    }
  }

  async #read(id: string, opened: Opened): Promise<ImportStatus> {
    let ending: Ending | null = null;
    while (ending === null) {
      const over: Ending | Died = await this.#pass(id, opened);
      ending = over instanceof Died ? await this.#outlive(id, opened, over) : over;
    }
    await this.#flush(id).catch((error: Error) => { this.#failure ??= error; });
    const failure = this.#failure;
    const outcome = failure === null ? ending.outcome : 'interrupted';
    const problem = ending.problem === '' && failure !== null && (failure as Failure).severity !== 'refused' ? failure.message : ending.problem;
    return this.#options.ask<ImportStatus>('import', { do: 'end', id, outcome, problem, notes: ending.notes ?? [], directories: ending.directories ?? [] });
  }

  /** What one reader reads, with the fate of all of it: to the end of the medium, to what breaks it off, or to its death. */
  async #pass(id: string, opened: Opened): Promise<Ending | Died> {
    const reader = this.#reader!;
    const running = new Set<Promise<void>>();
    reader.read([...this.#seen].filter((index) => !this.#directories.has(index)), ahead);
    const hear = async (): Promise<Ending | Died> => {
      for (;;) {
        const answer = await reader.next();
        if (answer.say === 'finished') return { outcome: 'read', problem: '', notes: answer.notes, directories: answer.directories };
        if (answer.say === 'failed') return interrupted(answer.text);
        if (answer.say !== 'file' || !this.#isOpen(answer.index, opened) || this.#handed.has(answer.objectId)) return new Died('answered out of turn', false);
        const again = this.#seen.has(answer.index);
        this.#seen.add(answer.index);
        this.#directories.delete(answer.index);
        const settled: Promise<void> = this.#settle(id, opened, answer).then((fate) => this.#told(id, { ...answer, ...fate }, again), (error: Error) => {
          this.#failure ??= error;
          reader.interrupt();
        }).finally(() => running.delete(settled));
        running.add(settled);
      }
    };
    const over = await hear().catch((error: unknown) => (error instanceof Died ? error : interrupted()));
    await Promise.all(running);
    return over;
  }

  /** No fate yet, or a directory, which is set against the medium by the reader that comes to its end. */
  #isOpen(index: number, opened: Opened): boolean {
    return index < opened.files && (!this.#seen.has(index) || this.#directories.has(index));
  }

  /** After the death of a reader: null where another one goes on. */
  async #outlive(id: string, opened: Opened, died: Died): Promise<Ending | null> {
    await this.#reader!.close();
    if (this.#failure !== null || this.#interrupted) return interrupted();
    const { at } = this.#reader!;
    const { scratch } = this.#options;
    rmSync(scratch, { recursive: true, force: true });
    mkdirSync(scratch, { mode: 0o700 });
    this.#log(`over ${at === null ? 'no file' : at.path}: it ${died.message}`);
    this.#deaths.all += 1;
    if (at === null || !this.#isOpen(at.index, opened)) this.#deaths.elsewhere += 1;
    else {
      const times = (this.#deaths.ofFile.get(at.index) ?? 0) + 1;
      this.#deaths.ofFile.set(at.index, times);
      const skipped = times >= deathsOfFileMax;
      const fate: FileFate = { ...at, sha256: '', fate: 'unreadable', objectId: '', what: '', text: `reading it stopped the reader ${skipped ? `${times} times ` : ''}(it ${died.message})${skipped ? ', so it was skipped' : ''}`, stops: times };
      const again = this.#seen.has(at.index);
      if (skipped) {
        this.#skipped += 1;
        this.#seen.add(at.index);
        this.#directories.delete(at.index);
        this.#told(id, fate, again);
      } else if (!again) {
        // Its fate until the next reader knows better. On record before that one opens it.
        this.#batch.push(fate);
        await this.#flush(id).catch((error: Error) => { this.#failure ??= error; });
        if (this.#failure !== null) return interrupted();
      }
    }
    const all = this.#seen.size === opened.files;
    const tooMany = this.#skipped >= skippedMax ? `${this.#skipped} of its files stopped the reader` : this.#deaths.elsewhere >= deathsElsewhereMax || this.#deaths.all >= deathsMax ? `it stopped the reader ${this.#deaths.all} times (the last time it ${died.message})` : '';
    if (all && this.#deaths.elsewhere >= deathsElsewhereMax) return { outcome: 'read', problem: '', notes: ['Whether all is there that its own table of contents (DICOMDIR) lists is not known: comparing the two stopped the reader.'] };
    if (!all && tooMany !== '') return this.#givenUp(tooMany);
    try {
      const again = await this.#open();
      return again.listing === opened.listing && again.files === opened.files ? null : interrupted('It is not the medium that it was, or was changed while it was read. Import it again.');
    } catch (error) {
      return (error as Failure).code === 'medium-unreadable' ? this.#givenUp((error as Error).message) : interrupted((error as Error).message);
    }
  }

  #givenUp(why: string): Ending {
    return this.#seen.size === 0 ? { outcome: 'failed', problem: `It cannot be read: ${why}.` } : { outcome: 'read', problem: `Reading was given up: ${why}. What came in before is kept; the rest was not looked at.` };
  }

  /** What becomes of a file; it is in the arriving area no more afterwards. Rejects where going on makes no sense. */
  async #settle(id: string, opened: Opened, file: FileRead): Promise<Pick<FileFate, 'fate' | 'objectId' | 'text'>> {
    if (file.objectId === '') return { fate: file.kind as Fate, objectId: '', text: file.text };
    this.#handed.add(file.objectId);
    const { scratch, arriving } = this.#options;
    try {
      renameSync(join(scratch, file.objectId), join(arriving, file.objectId));
    } catch (error) {
      throw unavailable('media-failed', `the media process did not write what it says (${(error as NodeJS.ErrnoException).code ?? 'error'})`, error);
    }
    try {
      return file.kind === 'object' ? await this.#admit(id, opened, file) : await this.#companion(id, file);
    } catch (error) {
      // Whatever lies there under that name: a process that was taken over may have made anything of it.
      rmSync(join(arriving, file.objectId), { force: true, recursive: true });
      throw error;
    }
  }

  async #companion(id: string, file: FileRead): Promise<Pick<FileFate, 'fate' | 'objectId' | 'text'>> {
    const { verdict, text } = await this.#options.ask<CompanionAnswer>('companion', { id, objectId: file.objectId, bytes: file.bytes, sha256: file.sha256, path: file.path });
    const fate = verdict === 'infected' ? 'infected' : verdict === 'unscannable' ? 'unscanned' : file.kind === 'directory' ? 'directory' : 'left';
    return { fate, objectId: '', text };
  }

  async #admit(id: string, { medium }: Opened, file: FileRead): Promise<Pick<FileFate, 'fate' | 'objectId' | 'text'>> {
    const received: ReceivedObject = {
      objectId: file.objectId as ReceivedObject['objectId'], bytes: file.bytes, sha256: file.sha256 as ReceivedObject['sha256'], sopClassUID: '', sopInstanceUID: '', transferSyntaxUID: '',
      source: { door: 'media', peer: [medium.label, medium.identifier].filter((text) => text !== '').join(' · ').slice(0, 200) || 'medium', address: this.#options.address.slice(0, 200), callingAETitle: '', calledAETitle: '', batch: id },
      receivedAt: Date.now(),
    };
    try {
      const { outcome, objectId } = await this.#options.ask<Admission>('admit', received);
      return { fate: outcome, objectId, text: '' };
    } catch (error) {
      rmSync(join(this.#options.arriving, file.objectId), { force: true, recursive: true });
      // A full disk or a keeper that is gone is not about this file.
      if (!(error instanceof Failure) || error.severity !== 'refused') throw error;
      return { fate: 'refused', objectId: '', text: error.message };
    }
  }

  /** `again`: a later reader has read it once more. */
  #told(id: string, { index, path, bytes, sha256, fate, objectId, what, text, stops = 0 }: FileFate, again: boolean): void {
    this.#batch.push({ index, path, bytes, sha256, fate, objectId, what, text, ...(stops === 0 ? {} : { stops }) });
    if (fate === 'directory') this.#directories.add(index);
    const progress = this.#progress!;
    if (!again) {
      progress.done += 1;
      progress.doneBytes += bytes;
    }
    this.#options.progress?.(progress);
    this.#reader!.more(1);
    if (this.#batch.length >= batchMax) void this.#flush(id).catch(() => {});
    else this.#batchTimer ??= setTimeout(() => void this.#flush(id).catch(() => {}), batchMs);
  }

  #flush(id: string): Promise<void> {
    if (this.#batchTimer !== null) clearTimeout(this.#batchTimer);
    this.#batchTimer = null;
    const files = this.#batch.splice(0);
    if (files.length > 0) this.#writing = this.#writing.then(() => this.#options.ask('import', { do: 'files', id, files }));
    return this.#writing;
  }

  #log(text: string): void {
    this.#options.log?.(`The reader of a medium stopped ${text.replaceAll(/[^\x20-\x7e]/g, '?')}\n`);
  }
}
