/**
 * Compressed frames, walked to their end without being decoded. Each family of codecs has one walker of the same shape; what it cannot
 * follow without decoding stands in its own docstring.
 */
import type { Stream } from './stream.ts';

/** What the attributes of the image say a frame is (PS3.3 C.7.6.3). */
export interface Expected {
  readonly rows: number;
  readonly columns: number;
  readonly samples: number;
  readonly bitsAllocated: number;
  readonly bitsStored: number;
}

/**
 * - `invalid`: not as its standard says, cut off, or not what the attributes say.
 * - `extra`: room that no decoder makes pixels of, more than writers need.
 * - `unwalked`: of a form that is not followed to its end here, so that nobody knows what it holds.
 */
export type ProblemKind = 'invalid' | 'extra' | 'unwalked';

export interface CodestreamProblem {
  readonly kind: ProblemKind;
  /** Position in the frame, fragments joined, and length of what it is about. */
  readonly at: number;
  readonly length: number;
  /** The rest of a sentence that begins with the frame: "it is cut off". Never holds bytes of the frame. */
  readonly text: string;
}

/** A region within a frame that no pixel comes from, though it is permitted: to be looked at as a value is. */
export interface Part {
  /** "APP1", "COM", "box uuid", "SEI 5", "user_data". */
  readonly name: string;
  readonly at: number;
  readonly length: number;
  /** Its bytes, where other bytes lie between them: packets of a transport stream. */
  readonly bytes?: Uint8Array;
}

export interface Walk {
  /** First position after what a decoder takes, padding excluded. Where the walk was broken off, how far it came. */
  readonly end: number;
  readonly problems: readonly CodestreamProblem[];
  readonly parts: readonly Part[];
}

/** Walks one frame, or one video, from its first byte to its last. Never throws for what the bytes are; reads each byte at most a few times. */
export type Walker = (stream: Stream, expected: Expected | null) => Walk;

/** Of one frame so many problems are told: the first ones say what is wrong, the rest follow from them. */
const problemsMax = 8;
/** Of one frame so many parts are looked at; more are a problem of their own. A photograph has a dozen, an hour of video 200,000 captions of which these stand for all. */
export const partsMax = 4096;

/** What a walker notes on its way. */
export class Notes {
  readonly problems: CodestreamProblem[] = [];
  readonly parts: Part[] = [];

  invalid(at: number, length: number, text: string): void {
    this.#add({ kind: 'invalid', at, length, text });
  }

  extra(at: number, length: number, text: string): void {
    this.#add({ kind: 'extra', at, length, text });
  }

  unwalked(at: number, length: number, text: string): void {
    this.#add({ kind: 'unwalked', at, length, text });
  }

  /** Notes a region. False when there are too many (said once). */
  part(name: string, at: number, length: number, bytes?: Uint8Array): boolean {
    if (this.parts.length < partsMax) {
      this.parts.push(bytes === undefined ? { name, at, length } : { name, at, length, bytes });
      return true;
    }
    if (this.parts.length === partsMax && !this.problems.some((problem) => problem.text.startsWith('it has more than'))) this.extra(at, length, `it has more than ${partsMax} regions that are not pixels`);
    return false;
  }

  /** The walk as far as it came. */
  done(end: number): Walk {
    return { end, problems: this.problems, parts: this.parts };
  }

  #add(problem: CodestreamProblem): void {
    if (this.problems.length < problemsMax) this.problems.push(problem);
  }
}
