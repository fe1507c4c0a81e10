/**
 * Pictures of single frames for people: thumbnails, rendered images (PS3.18 §10.4.1.1.3), and the look at a held object. Made by a decoder in its sandbox
 * from the file as it is kept, after its digest was checked; what comes out is a picture and nothing else, whatever went in.
 */
import { unavailable } from '@lazaret/system/failure.ts';
import type { Frame } from '@lazaret/system/frames.ts';
import type { Work } from '../quarantine/contract.ts';
import type { PictureType, RenderRequest, RenderedAnswer } from '../quarantine/requests.ts';
import { pictureBytesMax, type RenderAnswer, type RenderTask } from './decoder/contract.ts';
import { DecoderProcess, defaultTimeoutMs, type DecoderOptions } from './decoderprocess.ts';

const textMax = 300;
/** One that nobody has asked for so long gives its memory back. */
const idleMs = 10 * 60_000;

interface Rendered {
  readonly answer: RenderAnswer;
  readonly picture: Buffer;
}

export class Rendering {
  readonly #options: DecoderOptions;
  #process: DecoderProcess<Rendered> | null = null;
  #idle: NodeJS.Timeout | null = null;
  #turn: Promise<unknown> = Promise.resolve();
  #next = 1;
  /** Of the picture that is being made. */
  #type: PictureType = 'image/png';

  constructor(options: DecoderOptions) {
    this.#options = options;
  }

  /** `trusted`: found clean before, so that its decoder may be used again. Rejects with `digest-mismatch` where the file is not what was kept. */
  render(work: Work, path: string, request: RenderRequest, trusted: boolean): Promise<RenderedAnswer> {
    const turn = this.#turn.then(() => this.#render(work, path, request, trusted));
    this.#turn = turn.catch(() => {});
    return turn;
  }

  /** Starts a decoder where none runs, and keeps it for a while: what is wanted next need not wait for it. */
  warm(): void {
    if (this.#process === null) this.#process = this.#started();
    else this.#rest();
  }

  close(): void {
    if (this.#idle !== null) clearTimeout(this.#idle);
    this.#process?.end();
  }

  #started(): DecoderProcess<Rendered> {
    this.#rest();
    return new DecoderProcess(this.#options, pictureBytesMax, (frame, id) => checkRendered(frame, id, this.#type));
  }

  /** Begins to count idle time anew. */
  #rest(): void {
    if (this.#idle !== null) clearTimeout(this.#idle);
    this.#idle = setTimeout(() => {
      this.#turn = this.#turn.then(() => {
        this.#process?.end();
        this.#process = null;
      });
    }, idleMs).unref();
  }

  async #render(work: Work, path: string, request: RenderRequest, trusted: boolean): Promise<RenderedAnswer> {
    const task: RenderTask = { kind: 'render', id: this.#next++, path, sha256: work.sha256, ...request };
    this.#type = request.type;
    this.#process ??= this.#started();
    const settled = await this.#process.ask(task, (this.#options.timeoutMs ?? defaultTimeoutMs)(work.bytes));
    if ('failed' in settled || !trusted || settled.answer.answer.outcome !== 'rendered') {
      this.#process.end();
      this.#process = null;
    }
    this.#rest();
    const nothing = { outcome: 'impossible', type: request.type, width: 0, height: 0, frames: 0, base64: '' } as const;
    if ('failed' in settled) return { ...nothing, text: `The picture cannot be made: ${settled.text}` };
    const { answer, picture } = settled.answer;
    if (answer.outcome === 'changed') throw unavailable('digest-mismatch', 'the file is not what was kept');
    if (answer.outcome === 'impossible') return { ...nothing, text: answer.text };
    return { outcome: 'rendered', text: '', type: request.type, width: answer.width, height: answer.height, frames: answer.frames, base64: picture.toString('base64') };
  }
}

const starts = { 'image/png': [0x89, 0x50, 0x4e, 0x47], 'image/jpeg': [0xff, 0xd8, 0xff] } as const;
const sideMax = 65_535;

function checkRendered({ header, payload }: Frame, id: number, type: PictureType): Rendered | null {
  const value = header as Partial<RenderAnswer> | null;
  if (typeof value !== 'object' || value === null || value.id !== id || typeof value.text !== 'string') return null;
  const outcome = (['rendered', 'impossible', 'changed'] as const).find((each) => each === value.outcome);
  if (outcome === undefined) return null;
  for (const side of [value.width, value.height]) if (!Number.isInteger(side) || side! < 0 || side! > sideMax) return null;
  if (!Number.isInteger(value.frames) || value.frames! < 0) return null;
  // A browser is told the type and not to guess; that it begins as one keeps honest mistakes visible.
  if (outcome === 'rendered' && !starts[type].every((byte, at) => payload[at] === byte)) return null;
  const answer: RenderAnswer = { id, outcome, text: value.text.slice(0, textMax).replaceAll(/[^\x20-\x7e]/g, '?'), width: value.width!, height: value.height!, frames: value.frames! };
  return { answer, picture: outcome === 'rendered' ? Buffer.from(payload) : Buffer.alloc(0) };
}
