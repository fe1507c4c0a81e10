/**
 * Compressed frames: each is walked to its end (dicom/codestream), and what it holds beside pixels is looked at as a value is. What a decoder
 * would believe about size, components and depth must be what the Image Pixel Module says: CVE-2024-22373 and its kin began with two answers.
 */
import type { Codec } from '@lazaret/dicom/dataset/transfersyntaxes.ts';
import type { Expected, ProblemKind, Walker } from '@lazaret/dicom/codestream/contract.ts';
import { roomProblem } from '@lazaret/dicom/codestream/frame.ts';
import { Stream, type Ranges } from '@lazaret/dicom/codestream/stream.ts';
import type { Reading } from './reading.ts';

const codes: Readonly<Record<ProblemKind, string>> = { invalid: 'codestream-invalid', extra: 'codestream-extra', unwalked: 'codestream-unwalked' };
/** Parts that are looked at one by one; those of a video or a slide that come after them are joined first. */
const singlePartsMax = 512;
const joinedBytesMax = 1024 * 1024;
/** The same comment stands in every frame: parts up to this length are looked at once. */
const knownBytesMax = 512;

/** The frames of one object, as they are gone through. */
export class Codestreams {
  readonly #reading: Reading;
  readonly #walker: Walker;
  readonly #tag: string;
  readonly #known = new Set<string>();
  #parts = 0;
  #joined: { bytes: Uint8Array; filled: number; at: { offset: number; length: number } } | null = null;

  constructor(reading: Reading, walker: Walker, tag: string) {
    this.#reading = reading;
    this.#walker = walker;
    this.#tag = tag;
  }

  /** Walks one frame; `name` begins the sentence of what is found: "Frame 3". */
  check(name: string, ranges: Ranges, expected: Expected | null): void {
    const stream = new Stream(this.#reading.mapped.dataSetSource, ranges);
    const walk = this.#walker(stream, expected);
    for (const problem of walk.problems) {
      const text = problem.kind === 'unwalked' ? `${name} cannot be followed to its end: ${problem.text}.` : problem.kind === 'extra' ? `${name} has room that no pixels come from: ${problem.text}.` : `${name} is not what its Transfer Syntax and attributes say: ${problem.text}.`;
      this.#reading.addAt(codes[problem.kind], stream.place(problem.at), Math.max(0, Math.min(problem.length, stream.length - problem.at)), this.#tag, text, true);
    }
    const room = roomProblem(stream, expected);
    if (room !== null && walk.problems.length === 0) this.#reading.addAt('codestream-extra', ranges[0]![0], ranges[0]![1], this.#tag, `${name} is larger than its pixels could make it: ${room}.`, true);
    if (walk.problems.length === 0 && stream.lastFragment > 0 && stream.lastFragment >= walk.end) this.#reading.addAt('codestream-extra', stream.place(stream.lastFragment), stream.length - stream.lastFragment, this.#tag, `${name} ends before its last fragment begins.`, true);
    for (const part of walk.parts) this.#part(part.name, part.bytes ?? stream.copy(part.at, part.length), { offset: stream.place(part.at), length: part.length });
  }

  /** After the last frame. */
  finish(): void {
    if (this.#joined !== null) this.#reading.addPart({ name: 'what frames hold beside pixels', bytes: this.#joined.bytes.slice(0, this.#joined.filled), at: this.#joined.at, tag: this.#tag });
    this.#joined = null;
  }

  #part(name: string, bytes: Uint8Array, at: { offset: number; length: number }): void {
    if (bytes.length <= knownBytesMax) {
      const key = String.fromCharCode(...bytes);
      if (this.#known.has(key)) return;
      if (this.#known.size < 4 * singlePartsMax) this.#known.add(key);
    }
    this.#parts += 1;
    if (this.#parts <= singlePartsMax || bytes.length > joinedBytesMax / 4) {
      this.#reading.addPart({ name: `${name} of a frame`, bytes, at, tag: this.#tag });
      return;
    }
    if (this.#joined !== null && this.#joined.filled + bytes.length + 1 > joinedBytesMax) this.finish();
    this.#joined ??= { bytes: new Uint8Array(joinedBytesMax), filled: 0, at };
    this.#joined.bytes.set(bytes, this.#joined.filled);
    this.#joined.filled += bytes.length + 1;
  }
}

/** True when a frame of the codec can begin like this: where neither a table nor the number of fragments says where frames begin. */
export function canStart(codec: Codec, start: Uint8Array): boolean {
  const at = (...values: number[]): boolean => values.every((value, index) => start[index] === value);
  switch (codec) {
    case 'jpeg':
    case 'jpeg-lossless':
    case 'jpeg-ls':
      return at(0xff, 0xd8, 0xff);
    case 'jpeg-2000':
    case 'htj2k':
      // A codestream (SIZ follows SOC), or the JP2 box that some modalities leave around it.
      return at(0xff, 0x4f, 0xff, 0x51) || at(0, 0, 0, 12, 0x6a, 0x50, 0x20, 0x20);
    case 'jpeg-xl':
      return at(0xff, 0x0a) || at(0, 0, 0, 12, 0x4a, 0x58, 0x4c, 0x20);
    default:
      return false;
  }
}
