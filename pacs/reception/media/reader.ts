/**
 * One media process from the outside: it is started on a medium, given orders, and its answers are checked. It decodes hostile bytes, so it may die at any
 * time; `next` then says how, and `at` which file it was reading.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { unavailable } from '@lazaret/system/failure.ts';
import { FrameReader, encodeFrame, type Frame } from '@lazaret/system/frames.ts';
import { checkAnswer, type Answer, type Opening, type Order, type Reading } from './protocol.ts';

export interface ReaderOptions {
  /** The command line of a media process in its sandbox. */
  readonly start: { readonly command: string; readonly args: readonly string[]; readonly env: Readonly<Record<string, string>> };
  /** A folder that it sees, of a medium or of an upload, or the open image or drive that it is given. */
  readonly medium: { readonly folder: string; readonly upload?: boolean } | { readonly descriptor: number; readonly length: number };
  /** What the medium is called where it says nothing itself. */
  readonly label: string;
  readonly log?: (line: string) => void;
  /** A process that owes an answer and gives none for so long is ended. */
  readonly silenceMs?: number;
}

/** A drive that tries a damaged sector again and again answers after minutes, or never. */
const silenceMsMax = 10 * 60_000;

/** What `next` gives; the rest only says how far it is. */
export type Said = Exclude<Answer, Opening | Reading>;

/** The process is gone; `message` says how, as the end of "the reader …". */
export class Died extends Error {
  /** It had not begun to look at the medium: whatever ended it, the medium did not. */
  readonly early: boolean;

  constructor(how: string, early: boolean) {
    super(how);
    this.early = early;
  }
}

export class Reader {
  /** What it says that it is reading; null before and between files. */
  at: Reading | null = null;
  readonly #child: ChildProcess;
  readonly #silenceMs: number;
  readonly #answers: Said[] = [];
  readonly #closed: Promise<void>;
  #wake: (() => void) | null = null;
  #gone: string | null = null;
  #interrupted = false;
  #begun = false;
  /** Answers that it may still give. */
  #owed = 1;

  /** Starts it, and has it list the medium: its first answer is Opened or Failed. */
  constructor({ start, medium, label, log, silenceMs = silenceMsMax }: ReaderOptions) {
    this.#silenceMs = silenceMs;
    this.#child = spawn(start.command, [...start.args], { env: { ...start.env }, stdio: ['pipe', 'pipe', 'pipe', 'descriptor' in medium ? medium.descriptor : 'ignore'] });
    this.#closed = new Promise((resolve) => void this.#child.once('close', () => resolve()).once('error', () => resolve()));
    const frames = new FrameReader();
    this.#child.stdout!.on('data', (chunk: Buffer) => {
      let pushed: Frame[];
      try {
        pushed = frames.push(chunk);
      } catch {
        this.#lost('gave something that is no answer');
        return;
      }
      for (const { header } of pushed) this.#heard(checkAnswer(header));
      this.#wake?.();
    });
    this.#child.stderr!.on('data', (chunk: Buffer) => log?.(chunk.toString('latin1').slice(0, 2000).replaceAll(/[^\x20-\x7e\n]/g, '?')));
    this.#child.stdin!.on('error', () => {});
    this.#child.on('error', () => this.#lost('could not be started'));
    // Not at its exit: what it said last may still be on the way then.
    this.#child.on('close', (code, signal) => this.#lost(signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`));
    const folder = 'folder' in medium;
    this.#order({ do: 'open', folder: folder ? medium.folder : null, upload: folder && medium.upload === true, length: folder ? 0 : medium.length, label });
  }

  /** Has it read all files but `skip`, at first `ahead` of them; the last answer is Finished or Failed. */
  read(skip: readonly number[], ahead: number): void {
    this.#order({ do: 'read', skip });
    this.more(ahead);
  }

  /** So many more files may be handed over. */
  more(count: number): void {
    this.#owed += count;
    this.#order({ do: 'more', count });
    this.#wake?.();
  }

  /** Its next answer. Rejects with Died once all that it said was heard, and with `import-interrupted`. */
  async next(): Promise<Said> {
    for (;;) {
      const answer = this.#answers.shift();
      if (answer !== undefined) return answer;
      if (this.#gone !== null) throw new Died(this.#gone, !this.#begun);
      if (this.#interrupted) throw unavailable('import-interrupted', '');
      await new Promise<void>((resolve) => {
        // A process that waits for leave to go on is silent by right.
        const timer = this.#owed > 0 ? setTimeout(() => this.#lost(`gave no answer for ${lengthOf(this.#silenceMs)}`), this.#silenceMs) : undefined;
        this.#wake = (): void => {
          clearTimeout(timer);
          this.#wake = null;
          resolve();
        };
      });
    }
  }

  interrupt(): void {
    this.#interrupted = true;
    this.#wake?.();
  }

  /** Ends it where it is not at its end, and waits until it is gone. */
  async close(): Promise<void> {
    this.#end();
    await this.#closed;
  }

  #heard(answer: Answer | null): void {
    if (this.#gone !== null) return;
    if (answer === null) this.#lost('gave something that is no answer');
    else if (answer.say === 'opening') this.#begun = true;
    else if (answer.say === 'reading') this.at = answer;
    else if (this.#owed === 0 && answer.say === 'file') this.#lost('gave more answers than it was asked for');
    else {
      if (answer.say === 'file') this.at = null;
      if (answer.say === 'file' || answer.say === 'opened') this.#owed -= 1;
      this.#answers.push(answer);
    }
  }

  #order(order: Order): void {
    if (this.#gone === null) this.#child.stdin!.write(encodeFrame(order));
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

function lengthOf(ms: number): string {
  return ms >= 60_000 ? `${Math.round(ms / 60_000)} minutes` : `${ms / 1_000} s`;
}
