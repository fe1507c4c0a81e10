/**
 * Decoding as evidence: where the policy asks for it, each compressed frame goes through a decoder in a sandboxed process of its own, which is
 * ended when a frame takes too long, too much memory, or does not come out as its attributes say. What every walker found sound and no
 * decoder can read would still fail at whoever looks at it; better here than there. Pixels are never changed, and none leave the process.
 */
import type { Finding, FrameTable } from '../quarantine/contract.ts';
import { DecoderProcess, defaultTimeoutMs, type DecoderOptions, type Settled } from './decoderprocess.ts';
import { decodedBytes, decodedBytesMax, encodedBytesMax, type DecodeAnswer, type DecodeTask, type PixelForm } from './decoder/contract.ts';

/** Whose compressed frames are decoded: nobody's, everybody's, or those of the peers that are named. */
export type DecodePolicy = 'never' | 'always' | readonly string[];

export function mustDecode(policy: DecodePolicy, peer: string): boolean {
  return policy === 'always' || (policy !== 'never' && policy.includes(peer));
}

/** Of one object so many frames are told; the rest is like them. */
const findingsMax = 8;
const textMax = 300;

/** One decoder process, started when it is first needed and again after each that was ended. Objects take turns. */
export class Decoding {
  readonly #options: DecoderOptions;
  #process: DecoderProcess<DecodeAnswer> | null = null;
  #turn: Promise<unknown> = Promise.resolve();
  #closed = false;
  #next = 1;

  constructor(options: DecoderOptions) {
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
      const settled = await this.#ask({ kind: 'decode', id: this.#next++, path, ranges, ...form }, length + decodedBytes(form));
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

  async #ask(task: DecodeTask, bytes: number): Promise<Settled<DecodeAnswer>> {
    this.#process ??= new DecoderProcess(this.#options, 0, ({ header }, id) => checkAnswer(header, id));
    const settled = await this.#process.ask(task, (this.#options.timeoutMs ?? defaultTimeoutMs)(bytes));
    if ('failed' in settled) {
      this.#process.end();
      this.#process = null;
    }
    return settled;
  }
}

function checkAnswer(untrusted: unknown, id: number): DecodeAnswer | null {
  const value = untrusted as Partial<DecodeAnswer> | null;
  if (typeof value !== 'object' || value === null || value.id !== id || typeof value.text !== 'string') return null;
  const outcome = (['decoded', 'undecoded', 'wrong'] as const).find((each) => each === value.outcome);
  return outcome === undefined ? null : { id, outcome, text: value.text.slice(0, textMax).replaceAll(/[^\x20-\x7e×]/g, '?') };
}
