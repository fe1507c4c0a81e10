/**
 * The parts of one object on their way from an examiner to clamd: the examiner unpacked them, they go on unread. Each is a stream of its own, since clamd
 * goes by how something begins. How many, how large and how long is bounded here, outside of the sandbox; whatever was not scanned is a finding that holds
 * the object. What the examiner says of a part is untrusted until it was checked (report.ts).
 */
import { PassThrough } from 'node:stream';
import type { Finding, Work } from '../quarantine/contract.ts';
import type { MapAnswer, MapPart } from '../quarantine/requests.ts';
import { givenBytesMax, givenPartsMax, listedPartsMax, partFrameBytesMax, type PartHead } from './assignment.ts';
import { clamdName, type ClamdTarget } from './engines/clamd.ts';
import type { Engine } from './engines/engine.ts';
import type { PartTaker } from './pool.ts';
import { checkPart } from './report.ts';

/** Parts of one object that clamd has in hand: small ones would otherwise each wait for the answer to the last. */
const atOnce = 4;
/** From the first part to the last answer. A gibibyte at 4 MB/s. */
const timeMsMax = 5 * 60_000;
/** Bytes of a part that wait for clamd. */
const waitingBytesMax = 1024 * 1024;
/** Parts with malicious software in them that are named; the object is held for the first. */
const namedMax = 16;

export interface PartLimits {
  readonly parts?: number;
  readonly bytes?: number;
  readonly timeMs?: number;
}

export interface FoundInPart {
  readonly part: PartHead;
  readonly finding: Finding;
}

export class PartScan implements PartTaker {
  readonly #clamd: Engine<ClamdTarget>;
  readonly #object: { readonly path: string; readonly work: Work };
  readonly #limits: Required<PartLimits>;
  readonly #found: FoundInPart[] = [];
  readonly #running = new Set<Promise<void>>();
  #open: { readonly feed: PassThrough; left: number } | null = null;
  #count = 0;
  #bytes = 0;
  #since = 0;
  /** Nothing more is scanned: an answer is missing, or there are enough. */
  #isDone = false;
  #isOver = false;

  constructor(clamd: Engine<ClamdTarget>, object: { readonly path: string; readonly work: Work }, { parts = givenPartsMax, bytes = givenBytesMax, timeMs = timeMsMax }: PartLimits = {}) {
    this.#clamd = clamd;
    this.#object = object;
    this.#limits = { parts, bytes, timeMs };
  }

  take(untrusted: unknown, payload: Buffer): Promise<void> | string | null {
    // An examiner that keeps to the limits says one thing more than they permit, and is silent then.
    if (this.#isOver) return 'there is no end of it';
    const checked = checkPart(untrusted, this.#object.work.bytes);
    if ('problem' in checked) return checked.problem;
    const { part } = checked;
    if (part === null) return this.#goOn(payload);
    if (this.#open !== null) return 'a part begins before the last one has ended';
    if (payload.length > 0) return 'it comes with bytes';
    return this.#begin(part);
  }

  abandon(): void {
    this.#isDone = true;
    this.#open?.feed.destroy();
    this.#open = null;
  }

  /** What clamd found in the parts, and what kept it from looking at one. After the report; never rejects. */
  async end(): Promise<readonly FoundInPart[]> {
    if (this.#open !== null) {
      this.#add({ name: 'a part', offset: 0, length: this.#object.work.bytes, tag: '', bytes: 0, verbatim: false }, 'engine-failed', 'A part of the object broke off: clamd has not seen all of it.');
      this.abandon();
    }
    await Promise.all(this.#running);
    return this.#found;
  }

  #begin(part: PartHead): Promise<void> | null {
    this.#count += 1;
    this.#bytes += part.bytes;
    if (this.#count === 1) this.#since = performance.now();
    if (this.#count > this.#limits.parts || this.#bytes > this.#limits.bytes) {
      this.#isOver = true;
      this.#add(part, 'engine-limit', `More is packed into the object than clamd is given (${this.#limits.parts} parts, ${this.#limits.bytes} bytes).`);
      return null;
    }
    if (!this.#isDone && performance.now() - this.#since > this.#limits.timeMs) this.#add(part, 'engine-timed-out', `clamd took longer than ${Math.round(this.#limits.timeMs / 1000)} s for the parts of the object.`);
    if (part.verbatim) {
      if (!this.#isDone) this.#scan(part, null);
    } else {
      const feed = new PassThrough({ highWaterMark: waitingBytesMax });
      // It ends early where clamd does; the scan says so.
      feed.on('error', () => {});
      this.#open = { feed, left: part.bytes };
      if (this.#isDone) feed.destroy();
      else this.#scan(part, feed);
    }
    return this.#running.size < atOnce ? null : Promise.race(this.#running);
  }

  #goOn(payload: Buffer): Promise<void> | string | null {
    if (this.#open === null) return 'bytes of no part';
    const { feed } = this.#open;
    if (payload.length === 0 || payload.length > Math.min(partFrameBytesMax, this.#open.left)) return 'more bytes than the part has, or none';
    this.#open.left -= payload.length;
    const isLast = this.#open.left === 0;
    if (isLast) this.#open = null;
    if (feed.destroyed) return null;
    const isTaken = feed.write(payload);
    if (isLast) feed.end();
    if (isTaken) return null;
    return new Promise((resolve) => {
      for (const event of ['drain', 'close']) feed.once(event, resolve);
    });
  }

  #scan(part: PartHead, chunks: PassThrough | null): void {
    const { path, work } = this.#object;
    const scan = (async () => {
      const findings = await this.#clamd.scan({ path, bytes: work.bytes, part: { ...part, chunks } });
      // Whatever clamd did not want to hear has no other reader.
      chunks?.destroy();
      for (const { code, text } of findings) this.#add(part, code, text);
    })();
    this.#running.add(scan);
    void scan.finally(() => this.#running.delete(scan));
  }

  #add(part: PartHead, code: string, text: string): void {
    const { offset, length, tag } = part;
    // One part that was not scanned holds the object; the others would only take time.
    if (code.startsWith('engine-')) {
      if (!this.#found.some(({ finding }) => finding.code.startsWith('engine-'))) this.#found.push({ part, finding: { code, offset, length, tag, engine: clamdName, text } });
      this.#isDone = true;
      return;
    }
    this.#found.push({ part, finding: { code, offset, length, tag, engine: clamdName, text } });
    if (this.#found.length >= namedMax) this.#isDone = true;
  }
}

/** The tree of parts with what clamd found in them: parts that are not in it (values as they stand, frames, texts) are added where something was found. */
export function withFound(map: MapAnswer, found: readonly FoundInPart[]): MapAnswer {
  const parts: MapPart[] = [...map.parts];
  for (const { part, finding } of found) {
    const { name, offset, length, tag, bytes } = part;
    const known = parts.findIndex((each) => each.name === name && each.offset === offset && each.length === length);
    if (known >= 0) parts[known] = { ...parts[known]!, codes: [...new Set([...parts[known]!.codes, finding.code])] };
    else {
      if (parts.length >= listedPartsMax) parts.pop();
      parts.unshift({ name, depth: 0, bytes, offset, length, tag, codes: [finding.code] });
    }
  }
  return { ...map, parts, partCount: Math.max(map.partCount, parts.length), findings: [...map.findings, ...found.map(({ finding }) => finding)] };
}
