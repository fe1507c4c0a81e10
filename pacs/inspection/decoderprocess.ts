/**
 * One decoder process in its sandbox, seen from outside: asked one thing at a time, ended when that takes too long or too much memory, or when it
 * says something that is no answer. Whoever asks checks what the answer says.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { FrameReader, encodeFrame, type Frame } from '@lazaret/system/frames.ts';
import { residentBytes } from '@lazaret/system/memory.ts';

export interface DecoderOptions {
  /** The command line of a decoder in its sandbox. */
  start(): { readonly command: string; readonly args: readonly string[]; readonly env: Readonly<Record<string, string>> };
  readonly memoryBytesMax: number;
  /** What it writes to stderr: for the administrator, not for the record. */
  log?(line: string): void;
  /** For tests of the limit. */
  readonly timeoutMs?: (bytes: number) => number;
}

/** Start of a process under load, and 2 MB/s: a hundredth of what the slowest codec does on one core. */
export const defaultTimeoutMs = (bytes: number): number => 15_000 + bytes / 2_000;
const memoryWatchMs = 100;
/** One that is not wanted any more before it was ready has so long to end by itself. */
const settingUpMs = 10_000;
/** An answer is one word and one sentence; the picture, where one is asked for, is its payload. */
const headerBytesMax = 4096;

export type Failed = { readonly failed: 'decoder-crashed' | 'decoder-timed-out' | 'decoder-memory'; readonly text: string };
export type Settled<Answer> = { readonly answer: Answer } | Failed;

export class DecoderProcess<Answer> {
  readonly #child: ChildProcess;
  readonly #options: DecoderOptions;
  readonly #reader: FrameReader;
  readonly #check: (frame: Frame, id: number) => Answer | null;
  #settle: ((settled: Settled<Answer>) => void) | null = null;
  #id = 0;
  #over: Failed | null = null;
  #ready = false;

  /** `check` makes an answer of what it said about the task `id`, or null where that is none. */
  constructor(options: DecoderOptions, payloadBytesMax: number, check: (frame: Frame, id: number) => Answer | null) {
    this.#options = options;
    this.#check = check;
    this.#reader = new FrameReader({ headerBytesMax, payloadBytesMax });
    const { command, args, env } = options.start();
    this.#child = spawn(command, [...args], { env: { ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child.stdout!.on('data', (chunk: Buffer) => this.#hear(chunk));
    this.#child.stderr!.on('data', (chunk: Buffer) => options.log?.(chunk.toString('latin1').slice(0, 2000).replaceAll(/[^\x20-\x7e\n]/g, '?')));
    this.#child.stdin!.on('error', () => {});
    this.#child.on('error', () => this.#end({ failed: 'decoder-crashed', text: 'the decoder could not be started.' }));
    this.#child.on('exit', (code, signal) => this.#end({ failed: 'decoder-crashed', text: signal === null ? `the decoder ended with exit code ${code}.` : `the decoder was ended by ${signal}.` }));
  }

  /** Never rejects. */
  ask(task: { readonly id: number }, timeoutMs: number): Promise<Settled<Answer>> {
    if (this.#over !== null) return Promise.resolve(this.#over);
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#end({ failed: 'decoder-timed-out', text: `it was not decoded within ${Math.round(timeoutMs / 1000)} s.` }), timeoutMs);
      const watch = setInterval(() => {
        if (this.#child.pid !== undefined && residentBytes(this.#child.pid) > this.#options.memoryBytesMax) {
          this.#end({ failed: 'decoder-memory', text: `decoding it took more than ${Math.round(this.#options.memoryBytesMax / 2 ** 20)} MiB of memory.` });
        }
      }, memoryWatchMs);
      this.#id = task.id;
      this.#settle = (settled) => {
        this.#settle = null;
        clearTimeout(timer);
        clearInterval(watch);
        resolve(settled);
      };
      this.#child.stdin!.write(encodeFrame(task));
    });
  }

  end(): void {
    this.#end({ failed: 'decoder-crashed', text: 'the decoder was ended.' });
  }

  #end(failed: Failed): void {
    if (this.#over !== null) return;
    this.#over = failed;
    // bwrap killed while it sets up leaves a half that waits for ever; a decoder that starts and hears nothing ends by itself.
    this.#child.stdin!.end();
    if (this.#ready) this.#child.kill('SIGKILL');
    else setTimeout(() => this.#child.kill('SIGKILL'), settingUpMs).unref();
    this.#settle?.(failed);
  }

  #hear(chunk: Buffer): void {
    let frames: Frame[];
    try {
      frames = this.#reader.push(chunk);
    } catch {
      this.#end({ failed: 'decoder-crashed', text: 'the decoder answered with something that is no answer.' });
      return;
    }
    for (const frame of frames) {
      if (!this.#ready && (frame.header as { ready?: unknown } | null)?.ready === true) {
        this.#ready = true;
        continue;
      }
      const answer = this.#settle === null ? null : this.#check(frame, this.#id);
      if (answer === null) this.#end({ failed: 'decoder-crashed', text: 'the decoder answered with something that is no answer.' });
      else this.#settle?.({ answer });
    }
  }
}
