/**
 * Decoding as evidence: where the policy asks for it, each compressed frame goes through a decoder in a sandboxed process of its own, which is
 * ended when a frame takes too long, too much memory, or does not come out as its attributes say. What every walker found sound and no
 * decoder can read would still fail at whoever looks at it; better here than there. Pixels are never changed, and none leave the process.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { FrameReader, encodeFrame, type Frame } from '@lazaret/system/frames.ts';
import { residentBytes } from '@lazaret/system/memory.ts';
import type { Finding, FrameTable } from '../quarantine/contract.ts';
import { decodedBytes, decodedBytesMax, encodedBytesMax, type DecodeAnswer, type DecodeTask, type PixelForm } from './decoder/contract.ts';

/** Whose compressed frames are decoded: nobody's, everybody's, or those of the peers that are named. */
export type DecodePolicy = 'never' | 'always' | readonly string[];

export function mustDecode(policy: DecodePolicy, peer: string): boolean {
  return policy === 'always' || (policy !== 'never' && policy.includes(peer));
}

export interface DecodingOptions {
  start(): { readonly command: string; readonly args: readonly string[]; readonly env: Readonly<Record<string, string>> };
  readonly memoryBytesMax: number;
  log?(line: string): void;
  /** For tests of the limit. */
  readonly timeoutMs?: (bytes: number) => number;
}

/** Start of a process under load, and 2 MB/s: a hundredth of what the slowest codec does on one core. */
const defaultTimeoutMs = (bytes: number): number => 15_000 + bytes / 2_000;
const memoryWatchMs = 100;
/** One that is not wanted any more before it was ready has so long to end by itself. */
const settingUpMs = 10_000;
/** Of one object so many frames are told; the rest is like them. */
const findingsMax = 8;
/** An answer is one word and one sentence. */
const answerBytesMax = 4096;
const textMax = 300;

type Settled = { readonly answer: DecodeAnswer } | { readonly failed: 'decoder-crashed' | 'decoder-timed-out' | 'decoder-memory'; readonly text: string };

/** One decoder process, started when it is first needed and again after each that was ended. Objects take turns. */
export class Decoding {
  readonly #options: DecodingOptions;
  #process: DecoderProcess | null = null;
  #turn: Promise<unknown> = Promise.resolve();
  #closed = false;
  #next = 1;

  constructor(options: DecodingOptions) {
    this.#options = options;
  }

  /** What decoding the frames of one object found; `moved` is added to their places, which are those of the file as archived. Never rejects. */
  decode(path: string, form: PixelForm, frames: FrameTable & { kind: 'encapsulated' }, moved: number): Promise<readonly Finding[]> {
    const turn = this.#turn.then(() => this.#decodeAll(path, form, frames.frames, moved));
    this.#turn = turn;
    return turn;
  }

  close(): void {
    this.#closed = true;
    this.#process?.end();
  }

  async #decodeAll(path: string, form: PixelForm, frames: readonly (readonly number[])[], moved: number): Promise<readonly Finding[]> {
    const findings: Finding[] = [];
    for (const [index, archived] of frames.entries()) {
      if (findings.length >= findingsMax || this.#closed) break;
      const ranges = archived.map((value, at) => (at % 2 === 0 ? value + moved : value));
      const length = ranges.reduce((sum, value, at) => sum + (at % 2 === 1 ? value : 0), 0);
      const note = (code: string, text: string): void => void findings.push({ code, offset: ranges[0]!, length, tag: '(7FE0,0010)', engine: 'decoder', text });
      if (length > encodedBytesMax || decodedBytes(form) > decodedBytesMax) {
        note('decoder-limit', `Frame ${index + 1} has ${length} bytes and ${decodedBytes(form)} pixels' bytes; at most ${encodedBytesMax} and ${decodedBytesMax} are decoded.`);
        break;
      }
      const settled = await this.#ask({ id: this.#next++, path, ranges, ...form }, length + decodedBytes(form));
      if ('failed' in settled) {
        note(settled.failed, `Frame ${index + 1}: ${settled.text}`);
        break;
      }
      const { outcome, text } = settled.answer;
      // There is no decoder for this form: the policy asks for what can be had.
      if (outcome === 'undecoded') break;
      if (outcome === 'wrong') {
        note('frame-undecodable', `Frame ${index + 1} cannot be decoded as its attributes say: ${text}.`);
        // It has met something wrong: it might have been taken over.
        this.#process?.end();
        this.#process = null;
      }
    }
    return findings;
  }

  async #ask(task: DecodeTask, bytes: number): Promise<Settled> {
    this.#process ??= new DecoderProcess(this.#options);
    const settled = await this.#process.ask(task, (this.#options.timeoutMs ?? defaultTimeoutMs)(bytes));
    if ('failed' in settled) {
      this.#process.end();
      this.#process = null;
    }
    return settled;
  }
}

class DecoderProcess {
  readonly #child: ChildProcess;
  readonly #options: DecodingOptions;
  readonly #reader = new FrameReader({ headerBytesMax: answerBytesMax, payloadBytesMax: 0 });
  #settle: ((settled: Settled) => void) | null = null;
  #id = 0;
  #over: Settled | null = null;
  #ready = false;

  constructor(options: DecodingOptions) {
    this.#options = options;
    const { command, args, env } = options.start();
    this.#child = spawn(command, [...args], { env: { ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child.stdout!.on('data', (chunk: Buffer) => this.#hear(chunk));
    this.#child.stderr!.on('data', (chunk: Buffer) => options.log?.(chunk.toString('latin1').slice(0, 2000).replaceAll(/[^\x20-\x7e\n]/g, '?')));
    this.#child.stdin!.on('error', () => {});
    this.#child.on('error', () => this.#end({ failed: 'decoder-crashed', text: 'the decoder could not be started.' }));
    this.#child.on('exit', (code, signal) => this.#end({ failed: 'decoder-crashed', text: signal === null ? `the decoder ended with exit code ${code}.` : `the decoder was ended by ${signal}.` }));
  }

  ask(task: DecodeTask, timeoutMs: number): Promise<Settled> {
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

  #end(settled: Settled): void {
    if (this.#over !== null) return;
    this.#over = settled;
    // bwrap killed while it sets up leaves a half that waits for ever; a decoder that starts and hears nothing ends by itself.
    this.#child.stdin!.end();
    if (this.#ready) this.#child.kill('SIGKILL');
    else setTimeout(() => this.#child.kill('SIGKILL'), settingUpMs).unref();
    this.#settle?.(settled);
  }

  #hear(chunk: Buffer): void {
    let frames: Frame[];
    try {
      frames = this.#reader.push(chunk);
    } catch {
      this.#end({ failed: 'decoder-crashed', text: 'the decoder answered with something that is no answer.' });
      return;
    }
    for (const { header } of frames) {
      if (!this.#ready && (header as { ready?: unknown } | null)?.ready === true) {
        this.#ready = true;
        continue;
      }
      const answer = checkAnswer(header, this.#id);
      if (answer === null || this.#settle === null) this.#end({ failed: 'decoder-crashed', text: 'the decoder answered with something that is no answer.' });
      else this.#settle({ answer });
    }
  }
}

function checkAnswer(untrusted: unknown, id: number): DecodeAnswer | null {
  const value = untrusted as Partial<DecodeAnswer> | null;
  if (typeof value !== 'object' || value === null || value.id !== id || typeof value.text !== 'string') return null;
  const outcome = (['decoded', 'undecoded', 'wrong'] as const).find((each) => each === value.outcome);
  return outcome === undefined ? null : { id, outcome, text: value.text.slice(0, textMax).replaceAll(/[^\x20-\x7e×]/g, '?') };
}
