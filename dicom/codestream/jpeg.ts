/**
 * JPEG (ITU-T T.81) and JPEG-LS (T.87): every marker segment, every scan, from SOI to EOI.
 *
 * Entropy-coded data is followed from marker to marker: byte or bit stuffing, restart markers in their order and number. It is not decoded:
 * whether a scan holds more code than its pixels need is bounded by the size of the frame (frame.ts), not counted.
 */
import { Notes, type Expected, type Walk, type Walker } from './contract.ts';
import { applicationBytesMax, applicationProblem, commentBytesMax, isFixed } from './jpegapplication.ts';
import { readFrame, readScan, restartsOf, type JPEGFrame } from './jpegframe.ts';
import { tableProblem, Tables } from './jpegtables.ts';
import { checkPadding } from './padding.ts';
import type { Stream } from './stream.ts';

export interface JPEGRules {
  /** Markers of the frame headers that the Transfer Syntax permits (T.81 Table B.1; T.87 §C.1.1). */
  readonly frames: readonly number[];
  readonly isLS: boolean;
  /** Several frames, first a DHP (T.81 Annex J). */
  readonly isHierarchical: boolean;
}

/** Segments of one frame: a photograph has some forty, a progressive one with tables before each scan a few hundred. */
const segmentsMax = 1024;
/** Each scan makes a decoder go over the whole image once more; progressive writers make 10 to 14, and one component has 63 bands of some bits at most. */
const scansMax = 128;
/** Of JPEG-LS: eleven bytes for the thresholds; a mapping table makes colours of samples, which DICOM leaves to its own palettes. */
const presetBytesMax = 4096;
/** Tables before one scan, which has some 3 KiB of them at most: what is defined once more was of no use before. */
const tableBytesMax = 8 * 1024;
/** Fill bytes (T.81 §B.1.1.2) at one place and in all. */
const fillBytesMax = 1024;

// prettier-ignore
const marker = { soi: 0xd8, eoi: 0xd9, sos: 0xda, dqt: 0xdb, dnl: 0xdc, dri: 0xdd, dhp: 0xde, exp: 0xdf, dht: 0xc4, dac: 0xcc, lse: 0xf8, com: 0xfe } as const;

export function walkJPEG(rules: JPEGRules): Walker {
  return (stream, expected) => new JPEGWalk(stream, expected, rules).run();
}

class JPEGWalk {
  readonly #stream: Stream;
  readonly #expected: Expected | null;
  readonly #rules: JPEGRules;
  readonly #notes = new Notes();
  readonly #tables = new Tables();
  #at = 0;
  #frame: JPEGFrame | null = null;
  #hierarchy = false;
  #scans = 0;
  #fill = 0;
  #applicationBytes = 0;
  #commentBytes = 0;
  #presetBytes = 0;
  #tableBytes = 0;
  /** Components that a scan has coded; in sequential and lossless processes each one once. */
  readonly #coded = new Set<number>();

  constructor(stream: Stream, expected: Expected | null, rules: JPEGRules) {
    this.#stream = stream;
    this.#expected = expected;
    this.#rules = rules;
  }

  run(): Walk {
    const { length } = this.#stream;
    if (this.#stream.unsigned16(0) !== 0xffd8) return this.#broken(0, 2, 'it does not begin with a JPEG start of image');
    this.#at = 2;
    for (let segment = 0; segment < segmentsMax; segment += 1) {
      const code = this.#marker();
      if (code < 0) return this.#notes.done(this.#at);
      const from = this.#at;
      if (code === marker.eoi) {
        this.#at += 2;
        this.#finish();
        return this.#notes.done(this.#at);
      }
      // Stand-alone markers have no place here (T.81 Table B.1): SOI, RSTm, TEM, reserved ones.
      if (code === marker.soi || (code >= 0xd0 && code <= 0xd7) || code < 0xc0) return this.#broken(from, 2, `the marker FF${hex(code)} at byte ${from} has no place there`);
      const size = this.#stream.unsigned16(from + 2);
      if (size < 2) return this.#broken(from, 4, size < 0 ? 'it is cut off inside a marker segment' : `the segment at byte ${from} has no length`);
      if (from + 2 + size > length) return this.#broken(from, length - from, `the segment at byte ${from} is longer than the frame`);
      this.#at = from + 2 + size;
      const wrong = this.#segment(code, from + 4, size - 2);
      if (wrong !== null) return this.#broken(from, size + 2, wrong);
      if (code === marker.sos && !this.#entropy(from)) return this.#notes.done(this.#at);
    }
    return this.#broken(this.#at, 2, `it has more than ${segmentsMax} marker segments`);
  }

  /** The code of the marker at the position, which moves over fill bytes to its FF. */
  #marker(): number {
    const { length } = this.#stream;
    if (this.#stream.byte(this.#at) !== 0xff) {
      if (this.#at >= length) this.#notes.invalid(length, 0, 'it is cut off: there is no end of image');
      else this.#notes.invalid(this.#at, 1, `there is no marker at byte ${this.#at}`);
      return -1;
    }
    const last = this.#stream.skip(0xff, this.#at, length) - 1;
    this.#fill += last - this.#at;
    if (this.#fill > fillBytesMax) this.#notes.extra(this.#at, last - this.#at, `${this.#fill} fill bytes stand before its markers`);
    this.#at = last;
    const code = this.#stream.byte(last + 1);
    if (code <= 0) this.#notes.invalid(last, 1, code < 0 ? 'it is cut off: there is no end of image' : `there is no marker at byte ${last}`);
    return code <= 0 ? -1 : code;
  }

  /** Null, or what is wrong with a marker segment. */
  #segment(code: number, at: number, length: number): string | null {
    const stream = this.#stream;
    if (code >= 0xe0 && code <= 0xef) {
      this.#applicationBytes += length;
      if (!isFixed(stream, code - 0xe0, at, length)) this.#notes.part(`APP${code - 0xe0}`, at, length);
      const problem = applicationProblem(stream, code - 0xe0, at, length);
      if (problem !== null) this.#notes.extra(at, length, problem);
      if (this.#applicationBytes > applicationBytesMax) this.#notes.extra(at, length, `its application segments have ${this.#applicationBytes} bytes`);
      return null;
    }
    if (this.#isFrame(code)) return this.#frameHeader(code, at, length);
    switch (code) {
      case marker.com:
        this.#commentBytes += length;
        this.#notes.part('COM', at, length);
        if (this.#commentBytes > commentBytesMax) this.#notes.extra(at, length, `its comments have ${this.#commentBytes} bytes`);
        return null;
      case marker.dqt:
      case marker.dht:
      case marker.dac:
        this.#tableBytes += length;
        if (this.#tableBytes > tableBytesMax) this.#notes.extra(at, length, `the tables before a scan have ${this.#tableBytes} bytes`);
        return this.#rules.isLS ? `the marker FF${hex(code)} has no place in JPEG-LS` : tableProblem(stream, code, at, length, this.#tables);
      case marker.lse:
        this.#presetBytes += length;
        if (this.#presetBytes > presetBytesMax) this.#notes.extra(at, length, `its preset parameters have ${this.#presetBytes} bytes`);
        return this.#rules.isLS ? presetProblem(stream, at, length) : 'the marker FFF8 has no place in it';
      case marker.dri:
        // T.87 §C.2.5 permits three and four bytes, for large images.
        if (length !== 2 && !(this.#rules.isLS && (length === 3 || length === 4))) return 'its restart interval has a wrong length';
        this.#tables.restartInterval = length === 2 ? stream.unsigned16(at) : length === 3 ? stream.unsigned24(at) : stream.unsigned32(at);
        return null;
      case marker.dnl:
        return this.#lines(at, length);
      case marker.dhp:
        if (!this.#rules.isHierarchical || this.#hierarchy) return 'a hierarchical progression has no place in it';
        this.#hierarchy = true;
        return null;
      case marker.exp:
        return this.#hierarchy && length === 1 ? null : 'an expansion has no place in it';
      case marker.sos:
        return this.#scanHeader(at, length);
      default:
        return `the marker FF${hex(code)} is reserved`;
    }
  }

  #isFrame(code: number): boolean {
    return (code >= 0xc0 && code <= 0xcf && code !== marker.dht && code !== 0xc8 && code !== marker.dac) || code === 0xf7;
  }

  #frameHeader(code: number, at: number, length: number): string | null {
    if (!this.#rules.frames.includes(code)) return `its frame header, FF${hex(code)}, is of another kind than its Transfer Syntax permits`;
    if (this.#frame !== null && !this.#hierarchy) return 'it has two frame headers';
    const frame = readFrame(this.#stream, code, at, length);
    if (typeof frame === 'string') return frame;
    this.#frame = frame;
    this.#coded.clear();
    // The frames of a hierarchy have sizes of their own; its DHP is not read further: those Transfer Syntaxes are retired.
    return this.#hierarchy ? null : shapeProblem(frame, this.#expected);
  }

  /** DNL (T.81 §B.2.5): after the first scan, with the rows that the image has. */
  #lines(at: number, length: number): string | null {
    if (this.#frame === null || this.#scans !== 1 || length !== 2) return 'a number of lines stands where none belongs';
    const rows = this.#stream.unsigned16(at);
    if (rows === 0 || (this.#frame.rows !== 0 && this.#frame.rows !== rows)) return `its number of lines, ${rows}, is not that of its frame header`;
    this.#frame.rows = rows;
    return this.#expected !== null && this.#expected.rows !== rows ? `it is coded with ${rows} lines, the image says ${this.#expected.rows}` : null;
  }

  #scanHeader(at: number, length: number): string | null {
    if (this.#frame === null) return 'there is a scan before any frame header';
    this.#scans += 1;
    this.#tableBytes = 0;
    if (this.#scans > scansMax) return `it has more than ${scansMax} scans`;
    const scan = readScan(this.#stream, this.#frame, at, length, this.#tables);
    if (typeof scan === 'string') return scan;
    for (const component of scan) {
      if (this.#frame.isSequential && this.#coded.has(component)) return 'a component is coded twice';
      this.#coded.add(component);
    }
    this.#tables.restarts = this.#rules.isLS ? Number.POSITIVE_INFINITY : restartsOf(this.#frame, scan, this.#tables.restartInterval);
    return null;
  }

  /** Over the entropy-coded data of a scan, to the marker after it. False where it is broken off (noted). */
  #entropy(scanAt: number): boolean {
    const stream = this.#stream;
    const { length } = stream;
    const stuffedBelow = this.#rules.isLS ? 0x80 : 1;
    const { restartInterval, restarts } = this.#tables;
    let restart = 0;
    let at = this.#at;
    for (;;) {
      const found = stream.find(0xff, at, length);
      if (found < 0 || found + 1 >= length) {
        this.#at = length;
        this.#notes.invalid(scanAt, length - scanAt, 'it is cut off inside a scan');
        return false;
      }
      const next = stream.byte(found + 1);
      if (next < stuffedBelow) at = found + 2;
      else if (next === 0xff) {
        this.#fill += 1;
        at = found + 1;
      } else if (next >= 0xd0 && next <= 0xd7) {
        if (restartInterval === 0 || next !== 0xd0 + (restart & 7)) {
          this.#at = found;
          this.#notes.invalid(found, 2, restartInterval === 0 ? 'it has a restart marker and no restart interval' : 'its restart markers are not in sequence');
          return false;
        }
        restart += 1;
        at = found + 2;
      } else {
        this.#at = found;
        if (found === scanAt + 2 + stream.unsigned16(scanAt + 2)) this.#notes.invalid(found, 2, 'a scan has no data');
        if (Number.isFinite(restarts) && restart !== restarts) this.#notes.invalid(scanAt, found - scanAt, `a scan has ${restart} restart markers where ${restarts} belong`);
        return true;
      }
    }
  }

  #finish(): void {
    const frame = this.#frame;
    if (this.#fill > fillBytesMax) this.#notes.extra(0, this.#at, `${this.#fill} fill bytes stand before its markers`);
    if (frame === null || this.#scans === 0) this.#notes.invalid(0, this.#at, 'there is no image in it');
    else if (frame.rows === 0) this.#notes.invalid(0, this.#at, 'nothing says how many lines it has');
    else if (frame.components.some((component) => !this.#coded.has(component.id))) this.#notes.invalid(0, this.#at, 'a component is in no scan');
    checkPadding(this.#stream, this.#at, this.#notes);
  }

  #broken(at: number, length: number, text: string): Walk {
    this.#notes.invalid(at, Math.max(0, Math.min(length, this.#stream.length - at)), text);
    return this.#notes.done(at);
  }
}

/** LSE (T.87 §C.2.4): coding parameters, a mapping table or its continuation, or the size of a large image. */
function presetProblem(stream: Stream, at: number, length: number): string | null {
  const id = stream.byte(at);
  if (id === 1) return length === 11 ? null : 'its preset parameters have a wrong length';
  if (id === 2 || id === 3) return length >= 3 ? null : 'a mapping table has a wrong length';
  return 'its preset parameters are of a kind that no decoder knows';
}

function shapeProblem(frame: JPEGFrame, expected: Expected | null): string | null {
  if (expected === null) return null;
  // Zero rows: a DNL segment says how many after the first scan (T.81 §B.2.5).
  if (frame.columns !== expected.columns || (frame.rows !== expected.rows && frame.rows !== 0)) return `it is coded as ${frame.columns} × ${frame.rows}, the image says ${expected.columns} × ${expected.rows}`;
  if (frame.components.length !== expected.samples) return `it is coded with ${frame.components.length} components, the image says ${expected.samples}`;
  if (frame.precision > expected.bitsAllocated) return `it is coded with ${frame.precision} bits, the image has room for ${expected.bitsAllocated}`;
  // Fewer bits than are stored are common and harmless, unless decoders make bytes of them where readers expect words.
  if (frame.precision <= 8 && expected.bitsStored > 8) return `it is coded with ${frame.precision} bits, the image says ${expected.bitsStored}`;
  return null;
}

function hex(code: number): string {
  return code.toString(16).toUpperCase().padStart(2, '0');
}
