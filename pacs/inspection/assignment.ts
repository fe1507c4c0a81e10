/**
 * What an inspector and its examiners say to each other, as frames (system/frames.ts) over the examiner's stdin and stdout.
 *
 *   examiner → inspector   ExaminerHello, once, when it is ready
 *   inspector → examiner   Assignment, several may wait in the pipe
 *   examiner → inspector   PartFrames, where the assignment asks for them: what was unpacked, for an engine of another process (parts.ts)
 *   examiner → inspector   ReportHeader with the span table and the metadata as payload, one an assignment, in order
 *
 * The examiner decodes hostile bytes, so everything in a Report is untrusted until report.ts has checked it.
 */
import type { SpanTable } from '@lazaret/dicom/filemap/contract.ts';
import { beginFrame, encodeFrame } from '@lazaret/system/frames.ts';
import type { Disarmed, Finding, InstanceReport, Work } from '../quarantine/contract.ts';
import type { PatchAnswer, PatchRequest } from '../quarantine/patch.ts';
import type { InspectorStatus, MapAnswer } from '../quarantine/requests.ts';
import type { PixelForm } from './decoder/contract.ts';

export interface Assignment {
  readonly id: number;
  readonly path: string;
  readonly work: Work;
  /** Hash the Data Set even where nothing has to be disarmed: `lazaret inspect` shows it. */
  readonly dataSetDigest: boolean;
  /** Also describe the spans for people, and the bytes of a window. */
  readonly map: { readonly window: { readonly offset: number; readonly length: number } | null; readonly blank?: boolean } | null;
  /** A file beside the images of a medium: the engines look at it, the rules for objects do not (examiner/companion.ts). */
  readonly companion?: boolean;
  /** Another engine looks at the parts of the object, too: they are told as PartFrames before the report. */
  readonly parts?: boolean;
  /** Only this: how the object is served under another identity (examiner/patching.ts). It was inspected before. */
  readonly patch?: PatchRequest;
}

export type EngineStatus = InspectorStatus['engines'][number];

export interface ExaminerHello {
  readonly ready: true;
  readonly engines: readonly EngineStatus[];
}

export interface Report {
  readonly id: number;
  /** Of the bytes that were read. */
  readonly sha256: string;
  readonly bytes: number;
  readonly findings: readonly Finding[];
  readonly instance: InstanceReport | null;
  readonly disarmed: Disarmed | null;
  readonly dataSetSha256: string;
  /** What the compressed frames must decode to; null where they are not compressed or no decoder takes them. */
  readonly pixels: PixelForm | null;
  readonly map: MapAnswer | null;
  /** Where it was asked for. */
  readonly patch?: PatchAnswer;
}

/**
 * A Report as it goes through the pipe. Metadata are megabytes of quotation marks where an object is dense with elements, and as text of the header each of them
 * would be escaped and read again: so they go as bytes, behind the spans.
 */
export interface ReportHeader extends Omit<Report, 'instance'> {
  readonly instance: Omit<InstanceReport, 'metadata'> | null;
  /** So many bytes at the end of the payload are the metadata of the instance, in UTF-8. */
  readonly metadataBytes: number;
}

/** Spans of a million elements, and as many characters of metadata as DICOM JSON is written, each of three bytes. */
export const reportPayloadBytesMax = 256 * 1024 * 1024;

/** The payload in parts, one after the other. */
export function packReport({ instance, ...report }: Report, spans: Uint8Array): { readonly header: ReportHeader; readonly payload: readonly Uint8Array[] } {
  if (instance === null) return { header: { ...report, instance, metadataBytes: 0 }, payload: [spans] };
  const { metadata: text, ...rest } = instance;
  const metadata = Buffer.from(text, 'utf8');
  return { header: { ...report, instance: rest, metadataBytes: metadata.length }, payload: [spans, metadata] };
}

/** Reports of most objects are written in one piece: each write wakes the reader up. */
const wholeFrameBytesMax = 256 * 1024;

/** A Report as pieces to write, one after the other; those of a large one are not copied into one. */
export function reportFrames(report: Report, spans: Uint8Array): readonly Uint8Array[] {
  const { header, payload } = packReport(report, spans);
  const bytes = payload.reduce((sum, part) => sum + part.length, 0);
  return bytes > wholeFrameBytesMax ? [beginFrame(header, bytes), ...payload] : [encodeFrame(header, Buffer.concat(payload))];
}

/** A part of an object begins (`part`), or goes on (null); the payload is bytes of it. One part is whole before the next one begins. */
export interface PartFrame {
  readonly id: number;
  readonly part: PartHead | null;
}

export interface PartHead {
  /** What it is, for people: "part notes.txt of the ZIP file in (0042,0011)". */
  readonly name: string;
  /** What it came out of, as a range of the object. */
  readonly offset: number;
  readonly length: number;
  readonly tag: string;
  /** How many bytes follow in this frame and those after it. */
  readonly bytes: number;
  /** It is that range of the object, byte for byte, and no bytes follow: whoever wants them reads the file. */
  readonly verbatim: boolean;
}

/** Bytes of a part in one frame. */
export const partFrameBytesMax = 256 * 1024;
/** Parts of one object that other engines look at; the examiner itself unpacks up to 30,000, and a film of an ultrasound device has some hundred frames. */
export const givenPartsMax = 40_000;
/** All of them together: 600 frames of a colour film of 900 × 600 points. */
export const givenBytesMax = 1024 * 1024 * 1024;

/** A taken-over or confused examiner could report without end; people read a few dozen findings. */
export const findingsMax = 200;
/** Longest text of a finding: two sentences with numbers. */
export const findingTextMax = 500;
/** Ranges that an export without the patient overwrites in one object: a large structured report has 50,000 texts. */
export const blankRangesMax = 100_000;
/** Window of the hex view. */
export const windowBytesMax = 4096;
/** Spans drawn in one map for people. */
export const drawnSpansMax = 4000;

/** Parts listed in one map for people; those in which something was found come first. */
export const listedPartsMax = 300;
/** Longest name of a part: a path within containers within containers is longer than anybody reads. */
export const partNameMax = 200;

const spanBytes = 8 + 8 + 4 + 1 + 1;

/** The columns one after the other, little-endian as every machine that we run on. */
export function encodeSpans(spans: SpanTable): Uint8Array {
  const { count } = spans;
  const bytes = new Uint8Array(count * spanBytes);
  let offset = 0;
  for (const column of [spans.offsets, spans.lengths, spans.tags, spans.kinds, spans.depths]) {
    const used = new Uint8Array(column.buffer, column.byteOffset, count * column.BYTES_PER_ELEMENT);
    bytes.set(used, offset);
    offset += used.length;
  }
  return bytes;
}

/** Null when the payload is not a whole number of spans. The values are as untrusted as before. */
export function decodeSpans(payload: Uint8Array): SpanTable | null {
  if (payload.length % spanBytes !== 0) return null;
  const count = payload.length / spanBytes;
  // Copied, because typed arrays of 8 byte numbers must start at a multiple of 8.
  const bytes = new Uint8Array(payload).buffer;
  return {
    count,
    offsets: new Float64Array(bytes, 0, count),
    lengths: new Float64Array(bytes, count * 8, count),
    tags: new Uint32Array(bytes, count * 16, count),
    kinds: new Uint8Array(bytes, count * 20, count),
    depths: new Uint8Array(bytes, count * 21, count),
  };
}
