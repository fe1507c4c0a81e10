/**
 * One import from the outside of the sandbox: starts a media process on the medium, has the keeper admit what it hands over and scan what stays behind, and
 * puts the fate of each file on record. `./lazaret import` and the importer process both work through this; neither looks at a byte of the medium.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Failure, unavailable } from '@lazaret/system/failure.ts';
import { FrameReader, encodeFrame, type Frame } from '@lazaret/system/frames.ts';
import type { Admission, ReceivedObject } from '../contract.ts';
import type { Begun, CompanionAnswer, Fate, FileFate, ImportStatus } from './contract.ts';
import { checkAnswer, type Answer, type FileRead, type Finished, type Opened, type Order } from './protocol.ts';

export interface RunOptions {
  /** The command line of a media process in its sandbox. */
  readonly start: { readonly command: string; readonly args: readonly string[]; readonly env: Readonly<Record<string, string>> };
  /** A folder that it sees, of a medium or of an upload, or the open image or drive that it is given. */
  readonly medium: { readonly folder: string; readonly upload?: boolean } | { readonly descriptor: number; readonly length: number };
  /** What the medium is called where it says nothing itself. */
  readonly label: string;
  readonly person: string;
  readonly address: string;
  /** Of the desk page; "" from the command line. */
  readonly upload: string;
  readonly arriving: string;
  /** From `scratchIn`: the one folder that the media process can write. */
  readonly scratch: string;
  /** Asks the keeper (contract.ts). */
  readonly ask: <Answer>(request: string, body: unknown) => Promise<Answer>;
  readonly log?: (line: string) => void;
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
 * there. `confine` the process with it in place of the whole area. ImportRun removes it; after a crash the keeper's sweep does.
 */
export function scratchIn(arriving: string): string {
  const scratch = join(arriving, `media-${randomBytes(8).toString('hex')}`);
  mkdirSync(scratch, { mode: 0o700 });
  return scratch;
}

/** Files that the media process may be ahead of the keeper: each costs a commit, and commits are shared. */
const ahead = 32;
/** Fates go on record together. */
const batchMax = 200;
const batchMs = 150;
/** A drive that tries a damaged sector again and again answers after minutes, or never. */
const silenceMs = 10 * 60_000;

export class ImportRun {
  readonly #options: RunOptions;
  readonly #child: ChildProcess;
  readonly #answers: Answer[] = [];
  #wake: (() => void) | null = null;
  #gone: string | null = null;
  #interrupted = false;
  #batch: FileFate[] = [];
  #batchTimer: NodeJS.Timeout | null = null;
  #writing: Promise<void> = Promise.resolve();
  readonly #handed = new Set<string>();
  #progress: Progress | null = null;
  readonly #closed: Promise<void>;

  constructor(options: RunOptions) {
    this.#options = options;
    const { command, args, env } = options.start;
    this.#child = spawn(command, [...args], { env: { ...env }, stdio: ['pipe', 'pipe', 'pipe', 'descriptor' in options.medium ? options.medium.descriptor : 'ignore'] });
    this.#closed = new Promise((resolve) => void this.#child.once('close', () => resolve()).once('error', () => resolve()));
    const reader = new FrameReader();
    this.#child.stdout!.on('data', (chunk: Buffer) => {
      let frames: Frame[];
      try {
        frames = reader.push(chunk);
      } catch {
        this.#lost('answered with something that is no answer');
        return;
      }
      for (const frame of frames) {
        const answer = checkAnswer(frame.header);
        if (answer === null) this.#lost('answered with something that is no answer');
        else this.#answers.push(answer);
      }
      this.#wake?.();
    });
    this.#child.stderr!.on('data', (chunk: Buffer) => options.log?.(chunk.toString('latin1').slice(0, 2000).replaceAll(/[^\x20-\x7e\n]/g, '?')));
    this.#child.stdin!.on('error', () => {});
    this.#child.on('error', () => this.#lost('could not be started'));
    this.#child.on('exit', (code, signal) => this.#lost(signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`));
  }

  /** Reads to the end; what was read is on record. Rejects where the medium cannot be read at all (`medium-unreadable`) or the keeper is gone. */
  async run(): Promise<ImportStatus> {
    const { ask, medium, label } = this.#options;
    try {
      this.#order({ do: 'open', folder: 'folder' in medium ? medium.folder : null, upload: 'folder' in medium && medium.upload === true, length: 'folder' in medium ? 0 : medium.length, label });
      const opened = await this.#next();
      if (opened.say === 'failed') throw new Failure('refused', 'medium-unreadable', opened.text);
      if (opened.say !== 'opened') throw unavailable('media-failed', 'the media process answered out of turn');
      const begun = await ask<Begun>('import', {
        do: 'begin', medium: opened.medium, listing: opened.listing, files: opened.files, bytes: opened.bytes, person: this.#options.person, address: this.#options.address, upload: this.#options.upload,
      });
      const progress: Progress = { id: begun.id, opened, resumed: begun.resumed, done: begun.done.length, doneBytes: 0 };
      this.#progress = progress;
      this.#options.progress?.(progress);
      return await this.#read(begun, opened);
    } finally {
      await this.#clear();
    }
  }

  /** Stops reading; `run` ends with what was read so far on record. */
  interrupt(): void {
    this.#interrupted = true;
    this.#wake?.();
  }

  async #read(begun: Begun, opened: Opened): Promise<ImportStatus> {
    const { ask } = this.#options;
    const seen = new Set<number>(begun.done);
    const running = new Set<Promise<void>>();
    let failure: unknown = null;
    let finished: Finished | null = null;
    let problem = '';
    this.#order({ do: 'read', skip: begun.done });
    this.#order({ do: 'more', count: ahead });
    while (failure === null && !this.#interrupted) {
      let answer: Answer;
      try {
        answer = await this.#next();
      } catch (error) {
        problem = (error as Error).message;
        break;
      }
      if (answer.say === 'finished') {
        finished = answer;
        break;
      }
      if (answer.say === 'failed') {
        problem = answer.text;
        break;
      }
      if (answer.say !== 'file' || answer.index >= opened.files || seen.has(answer.index) || this.#handed.has(answer.objectId)) {
        problem = 'The media process answered out of turn.';
        break;
      }
      seen.add(answer.index);
      const settled: Promise<void> = this.#settle(begun.id, opened, answer).then((fate) => this.#told(begun.id, answer, fate), (error: unknown) => { failure ??= error; this.#wake?.(); }).finally(() => running.delete(settled));
      running.add(settled);
    }
    await Promise.all(running);
    await this.#flush(begun.id).catch((error: unknown) => { failure ??= error; });
    if (failure !== null && (failure as Failure).severity !== 'refused') problem ||= (failure as Error).message;
    return ask<ImportStatus>('import', {
      do: 'end', id: begun.id, outcome: finished !== null && failure === null ? 'read' : 'interrupted', problem, notes: finished?.notes ?? [], directories: finished?.directories ?? [],
    });
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

  #told(id: string, file: FileRead, { fate, objectId, text }: Pick<FileFate, 'fate' | 'objectId' | 'text'>): void {
    this.#batch.push({ index: file.index, path: file.path, bytes: file.bytes, sha256: file.sha256, fate, objectId, what: file.what, text });
    const progress = this.#progress!;
    progress.done += 1;
    progress.doneBytes += file.bytes;
    this.#options.progress?.(progress);
    this.#order({ do: 'more', count: 1 });
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

  /** What the media process handed over and nobody has taken up is removed. */
  async #clear(): Promise<void> {
    this.#end();
    await this.#closed;
    rmSync(this.#options.scratch, { recursive: true, force: true });
  }

  #order(order: Order): void {
    if (this.#gone === null) this.#child.stdin!.write(encodeFrame(order));
  }

  async #next(): Promise<Answer> {
    for (;;) {
      const answer = this.#answers.shift();
      if (answer !== undefined) return answer;
      if (this.#gone !== null) throw unavailable('media-failed', `The process that reads the medium ${this.#gone}. What was read so far is kept; start the import again to go on.`);
      if (this.#interrupted) throw unavailable('import-interrupted', '');
      await new Promise<void>((resolve) => {
        const timer = setTimeout(() => this.#lost('gave no answer for ten minutes'), silenceMs);
        this.#wake = (): void => {
          clearTimeout(timer);
          this.#wake = null;
          resolve();
        };
      });
    }
  }

  #lost(how: string): void {
    this.#gone ??= how;
    this.#end();
    this.#wake?.();
  }

  #end(): void {
    this.#gone ??= 'was ended';
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.stdin!.end();
      // bwrap killed while it sets up leaves a half that waits for ever; the process ends by itself when it hears nothing.
      setTimeout(() => this.#child.kill('SIGKILL'), 1_000).unref();
    }
  }
}
