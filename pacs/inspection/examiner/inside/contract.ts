/**
 * What an opener is: one file for one kind of container or document, all of one shape. It gets bytes and gives, one after the other, what is
 * inside of them; what it finds wrong it says in plain words. Parts are given one at a time so that only one path of them is in memory.
 */

/** What an opener may say; each has a row in verdict.ts. */
export type Said =
  | 'document-active' | 'document-launches' | 'document-disguised' | 'document-unscannable' | 'document-content'
  | 'container-content' | 'container-unscannable' | 'part-unaccounted' | 'part-limit' | 'executable-content' | 'script-content';

/** Something inside: an entry, a stream, a decoded text. */
export interface Inner {
  /** "part notes.txt", "stream 12": printable already (`printable`). */
  readonly name: string;
  /** Its own memory or a view of what it came out of; neither is written to. */
  readonly bytes: Buffer;
  /** MIME type that what it came out of declares, where it does. */
  readonly declared?: string;
  /** False for what the container gives a meaning of its own, such as a list of objects. */
  readonly opened?: boolean;
  /** Samples of a picture and other numbers, in which two bytes mean nothing. */
  readonly numbers?: boolean;
}

export interface Opening {
  readonly bytes: Buffer;
  readonly budget: Budget;
  /** `say('document-active', 'has a script')` becomes "The PDF document in (0042,0011) has a script." */
  say(code: Said, predicate: string): void;
}

export type Opener = (opening: Opening) => Generator<Inner, void, void>;

/** Levels of containers in containers. A letter in an e-mail in an archive is three; nothing of medicine is five. */
export const depthMax = 5;
/** All that is unpacked from one object, also what is dropped again. The examiner may use a gibibyte in all. */
export const unpackedBytesMax = 384 * 1024 * 1024;
/** One part: an A4 page in colour at 600 dpi is 104 MB. */
export const partBytesMax = 112 * 1024 * 1024;
/** Deflate cannot do better than 1 : 1032, so that what is beyond is packed more than once for no other reason than size. */
export const ratioMax = 1100;
/** Below this nobody is hurt, whatever the ratio. */
export const ratioFreeBytes = 4 * 1024 * 1024;
/** A PDF of a thousand pages has some thousand streams; each part is a scan of its own. */
export const innersMax = 20_000;
/** Tokens, sectors, entries, lines: what takes about a tenth of a microsecond to a microsecond. Instead of a clock, so that a verdict is the same on every machine. */
export const stepsMax = 20_000_000;
/** Bytes without a place that are an accident of a writer: they are scanned as everything else, and not worth a question. */
export const slackBytesMax = 64;

/** The object as a whole is over a limit: nothing more of it is unpacked. */
export class LimitReached extends Error {}

/** What is left for one object, however its parts lie in each other. */
export class Budget {
  #inners = innersMax;
  #bytes: number;
  #steps: number;

  constructor({ bytes = unpackedBytesMax, steps = stepsMax }: { readonly bytes?: number; readonly steps?: number } = {}) {
    this.#bytes = bytes;
    this.#steps = steps;
  }

  get bytesLeft(): number {
    return this.#bytes;
  }

  step(count = 1): void {
    this.#steps -= count;
    if (this.#steps < 0) throw new LimitReached(`takes more steps to look through than an object may`);
  }

  /** Before or after memory is filled with them; `roomFor` says how many it may be. */
  takeBytes(count: number): void {
    this.#bytes -= count;
    if (this.#bytes < 0) throw new LimitReached(`unpacks to more than an object may`);
  }

  takeInner(): void {
    this.#inners -= 1;
    if (this.#inners < 0) throw new LimitReached(`has more than ${innersMax} parts`);
  }

  /** Most bytes that `packed` bytes may become. */
  roomFor(packed: number): number {
    return Math.max(0, Math.min(partBytesMax, this.#bytes, Math.max(ratioFreeBytes, packed * ratioMax)));
  }
}

/** Names from inside an object are shown to people and written into logs: ASCII, on one line, and short. */
export function printable(text: string): string {
  const plain = text.replaceAll(/[^\x20-\x7e]/g, '?');
  return plain.length <= 60 ? plain : `${plain.slice(0, 40)}…${plain.slice(-19)}`;
}

/** NUL, tab, line feed, form feed, carriage return, space. */
export function isBlank(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09 || byte === 0 || byte === 0x0c;
}

/** How many bytes of a range are anything but blank. */
export function solidBytes(bytes: Uint8Array): number {
  let count = 0;
  for (let at = 0; at < bytes.length; at += 1) if (!isBlank(bytes[at]!)) count += 1;
  return count;
}
