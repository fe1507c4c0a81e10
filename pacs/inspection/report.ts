/**
 * The guard between an examiner and everyone else: a report is `untrusted` until it has passed here. Checked are shapes, sizes, grammars and
 * that every offset lies inside the object; the spans must account for every byte (the invariant of the file map, checked a second time).
 */
import { checkSpans } from '@lazaret/dicom/filemap/check.ts';
import { isDigest, type Digest } from '../reception/contract.ts';
import type { Disarmed, Finding, FrameTable, InstanceReport, Work } from '../quarantine/contract.ts';
import { deflatedPatchBytesMax, patchesMax, patchTextMax, type PatchAnswer } from '../quarantine/patch.ts';
import { fills, uidBytesMax, uidFill } from '../quarantine/overwriting.ts';
import { unpackedBytesMax, type Blanking, type MapAnswer, type MapPart, type MapSpan } from '../quarantine/requests.ts';
import { blankRangesMax, decodeSpans, drawnSpansMax, findingTextMax, findingsMax, windowBytesMax, givenBytesMax, type EngineStatus, type PartHead, type ExaminerHello, type Report, listedPartsMax, partNameMax } from './assignment.ts';
import { isDecodable, type PixelForm } from './decoder/contract.ts';

/** 20,000 frames with functional groups are some 30 MiB. */
const metadataBytesMax = 128 * 1024 * 1024;
/** What an unpacked object has of its File Meta Information beside its Data Set: a group length and a Transfer Syntax UID. */
const unpackedMetaBytes = 128;
const framesMax = 1_000_000;
/** PS3.10 §7.1: preamble, prefix and a File Meta Information. */
const prefixBytesMax = 64 * 1024;
const disarmable = ['preamble', 'meta', 'trailing', 'padding'];

class Wrong extends Error {}

function fields(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Wrong('not an object');
  return value as Record<string, unknown>;
}
function list(value: unknown, max: number): unknown[] {
  if (!Array.isArray(value) || value.length > max) throw new Wrong(`not a list of at most ${max}`);
  return value as unknown[];
}
function count(value: unknown, max: number): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0 || (value as number) > max) throw new Wrong(`a number outside 0 to ${max}`);
  return value as number;
}
function text(value: unknown, max: number, grammar?: RegExp): string {
  if (typeof value !== 'string' || value.length > max || (grammar !== undefined && !grammar.test(value))) throw new Wrong('a text that is too long or of another form');
  return value;
}
function digest(value: unknown): Digest {
  if (typeof value !== 'string' || !isDigest(value)) throw new Wrong('no digest');
  return value;
}

const codeGrammar = /^[a-z0-9]+(-[a-z0-9]+)*$/;
const tagGrammar = /^(\([0-9A-F]{4},[0-9A-F]{4}\))?$/;
const uidGrammar = /^[0-9.]{0,64}$/;

export type Checked = { readonly report: Report } | { readonly problem: string };

/** The report, made anew from what passed; or one sentence about what did not. */
export function checkReport(untrustedHeader: unknown, untrustedPayload: Uint8Array, id: number, work: Work): Checked {
  try {
    const payload = Buffer.from(untrustedPayload.buffer, untrustedPayload.byteOffset, untrustedPayload.length);
    const spansEnd = payload.length - count(fields(untrustedHeader)['metadataBytes'], payload.length);
    const report = checkFields(untrustedHeader, payload.subarray(spansEnd), id, work);
    const spans = decodeSpans(payload.subarray(0, spansEnd));
    if (spans === null) throw new Wrong('the spans are not whole');
    const wrong = checkSpans(spans, report.bytes);
    if (wrong !== null) throw new Wrong(wrong);
    return { report };
  } catch (error) {
    if (error instanceof Wrong) return { problem: error.message };
    throw error;
  }
}

function checkFields(untrusted: unknown, untrustedMetadata: Buffer, id: number, work: Work): Report {
  const value = fields(untrusted);
  if (value['id'] !== id) throw new Wrong('it is about another object');
  const bytes = count(value['bytes'], Number.MAX_SAFE_INTEGER);
  if (bytes !== work.bytes) throw new Wrong(`it speaks of ${bytes} bytes, the object has ${work.bytes}`);
  const disarmed = value['disarmed'] === null ? null : checkDisarmed(value['disarmed'], bytes);
  return {
    id,
    bytes,
    sha256: digest(value['sha256']),
    findings: list(value['findings'], findingsMax).map((finding) => checkFinding(finding, bytes)),
    disarmed,
    pixels: value['pixels'] === null ? null : checkPixels(value['pixels']),
    dataSetSha256: value['dataSetSha256'] === '' ? '' : digest(value['dataSetSha256']),
    instance: value['instance'] === null ? null : checkInstance(value['instance'], untrustedMetadata, disarmed?.bytes ?? bytes),
    map: value['map'] === null ? null : checkMap(value['map'], bytes),
    ...(value['patch'] === undefined ? {} : { patch: checkPatch(value['patch'], bytes) }),
  };
}

function checkPixels(untrusted: unknown): PixelForm {
  const value = fields(untrusted);
  const codec = text(value['codec'], 16);
  if (!isDecodable(codec)) throw new Wrong('pixels of a codec without decoder');
  return { codec, rows: count(value['rows'], 0xffff), columns: count(value['columns'], 0xffff), samples: count(value['samples'], 0xffff), bitsAllocated: count(value['bitsAllocated'], 64) };
}

function checkFinding(untrusted: unknown, bytes: number): Finding {
  const value = fields(untrusted);
  const offset = count(value['offset'], bytes);
  return {
    code: text(value['code'], 64, codeGrammar),
    offset,
    // A length may be a declared one that the object does not have.
    length: count(value['length'], Number.MAX_SAFE_INTEGER),
    tag: text(value['tag'], 11, tagGrammar),
    engine: text(value['engine'], 32, codeGrammar),
    text: printable(text(value['text'], 16 * findingTextMax)).slice(0, findingTextMax),
  };
}

/** Findings are our own words; control characters in them would be someone else's. */
function printable(words: string): string {
  return words.replaceAll(/[\p{Cc}\p{Cf}]/gu, '?');
}

function checkDisarmed(untrusted: unknown, bytes: number): Disarmed {
  const value = fields(untrusted);
  const what = list(value['what'], disarmable.length).map((word) => text(word, 16));
  if (what.length === 0 || what.some((word) => !disarmable.includes(word))) throw new Wrong('something else than preamble, meta, trailing and padding was neutralised');
  const prefix = Buffer.from(text(value['prefix'], Math.ceil(prefixBytesMax / 3) * 4), 'base64');
  // The vault keeps what the preamble was; what is archived begins as PS3.10 §7.1 says, whatever the examiner thinks.
  if (prefix.length < 132 || prefix.subarray(0, 128).some((byte) => byte !== 0) || prefix.toString('latin1', 128, 132) !== 'DICM') throw new Wrong('the new bytes before the Data Set are no preamble of zeros and DICM');
  const dataSetOffset = count(value['dataSetOffset'], bytes);
  const dataSetLength = count(value['dataSetLength'], bytes - dataSetOffset);
  if (count(value['bytes'], bytes + prefixBytesMax) !== prefix.length + dataSetLength) throw new Wrong('the disarmed object has another length than its parts');
  return { what, prefix: prefix.toString('base64'), dataSetOffset, dataSetLength, dataSetSha256: digest(value['dataSetSha256']), sha256: digest(value['sha256']), bytes: prefix.length + dataSetLength };
}

function checkInstance(untrusted: unknown, untrustedMetadata: Buffer, archivedBytes: number): InstanceReport {
  const value = fields(untrusted);
  const dataSetOffset = count(value['dataSetOffset'], archivedBytes);
  const chunks = value['chunks'] === null ? null : checkChunks(value['chunks'], archivedBytes);
  return {
    sopClassUID: text(value['sopClassUID'], 64, uidGrammar),
    sopInstanceUID: text(value['sopInstanceUID'], 64, uidGrammar),
    studyInstanceUID: text(value['studyInstanceUID'], 64, uidGrammar),
    seriesInstanceUID: text(value['seriesInstanceUID'], 64, uidGrammar),
    transferSyntaxUID: text(value['transferSyntaxUID'], 64, uidGrammar),
    metadata: text(untrustedMetadata.toString('utf8'), metadataBytesMax, /^\{/),
    dataSetOffset,
    dataSetLength: count(value['dataSetLength'], archivedBytes - dataSetOffset),
    frames: value['frames'] === null ? null : checkFrames(value['frames'], archivedBytes),
    chunks,
  };
}

function checkChunks(untrusted: unknown, archivedBytes: number): NonNullable<InstanceReport['chunks']> {
  const value = fields(untrusted);
  const size = count(value['size'], archivedBytes);
  const digests = list(value['digests'], framesMax).map(digest);
  if (size === 0 || digests.length !== Math.ceil(archivedBytes / size)) throw new Wrong('the chunks do not cover the object');
  return { size, digests };
}

function checkFrames(untrusted: unknown, archivedBytes: number): FrameTable {
  const value = fields(untrusted);
  if (value['kind'] === 'native') {
    const offset = count(value['offset'], archivedBytes);
    const frameCount = count(value['count'], 0x7fffffff);
    const bitsPerPixel = count(value['bitsPerPixel'], 0xffff);
    const frameLength = Number(value['frameLength']);
    // Frames of one-bit pixels need not end on a byte.
    if (!(frameLength > 0) || !Number.isInteger(frameLength * 8) || offset + Math.ceil(frameLength * frameCount) > archivedBytes) throw new Wrong('the frames do not lie inside the object');
    return { kind: 'native', offset, frameLength, count: frameCount, bitsPerPixel };
  }
  if (value['kind'] !== 'encapsulated') throw new Wrong('frames of an unknown kind');
  let room = framesMax * 2;
  const frames = list(value['frames'], framesMax).map((untrustedRange) => {
    const range = list(untrustedRange, room);
    room -= range.length;
    if (range.length === 0 || range.length % 2 !== 0) throw new Wrong('a frame without ranges');
    const checked: number[] = [];
    for (let at = 0; at < range.length; at += 2) {
      const offset = count(range[at], archivedBytes);
      checked.push(offset, count(range[at + 1], archivedBytes - offset));
    }
    return checked;
  });
  return { kind: 'encapsulated', frames };
}

function checkMap(untrusted: unknown, bytes: number): MapAnswer {
  const value = fields(untrusted);
  const spans = list(value['spans'], drawnSpansMax).map((untrustedSpan): MapSpan => {
    const span = fields(untrustedSpan);
    const offset = count(span['offset'], bytes);
    return {
      offset,
      length: count(span['length'], bytes - offset),
      kind: text(span['kind'], 16, codeGrammar),
      tag: text(span['tag'], 11, tagGrammar),
      keyword: text(span['keyword'], 80, /^[A-Za-z0-9]*$/),
      path: text(span['path'], 1000, /^[0-9A-F(),.[\]]*$/),
      vr: text(span['vr'], 2, /^[A-Z]*$/),
    };
  });
  const parts = list(value['parts'], listedPartsMax).map((untrustedPart): MapPart => {
    const part = fields(untrustedPart);
    const offset = count(part['offset'], bytes);
    return {
      name: printable(text(part['name'], partNameMax)),
      depth: count(part['depth'], 64),
      bytes: count(part['bytes'], Number.MAX_SAFE_INTEGER),
      offset,
      length: count(part['length'], bytes - offset),
      tag: text(part['tag'], 11, tagGrammar),
      codes: list(part['codes'], findingsMax).map((code) => text(code, 64, codeGrammar)),
    };
  });
  return { bytes, spans, parts, partCount: count(value['partCount'], Number.MAX_SAFE_INTEGER), findings: list(value['findings'], findingsMax).map((finding) => checkFinding(finding, bytes)), window: value['window'] === null ? null : checkWindow(value['window'], bytes), ...(value['blank'] === undefined ? {} : { blank: checkBlanking(value['blank'], bytes) }) };
}

function checkBlanking(untrusted: unknown, received: number): Blanking {
  const value = fields(untrusted);
  const unpacked = value['unpacked'] === undefined ? null : checkPatches(value['unpacked'], received, unpackedBytesMax + unpackedMetaBytes);
  const bytes = (unpacked ?? []).reduce((sum, patch) => sum - patch.length + Buffer.byteLength(patch.bytes, 'base64'), received);
  const outcome = (['blanked', 'impossible'] as const).find((each) => each === value['outcome']);
  const untrustedRanges = list(value['ranges'], blankRangesMax * 3);
  if (outcome === undefined || untrustedRanges.length % 3 !== 0) throw new Wrong('ranges that are none');
  const ranges: number[] = [];
  let end = 0;
  for (let at = 0; at < untrustedRanges.length; at += 3) {
    const offset = count(untrustedRanges[at], bytes);
    if (offset < end) throw new Wrong('ranges that are not in order or overlap');
    const length = count(untrustedRanges[at + 1], bytes - offset);
    end = offset + length;
    const fill = count(untrustedRanges[at + 2], fills.length - 1);
    if (fill === uidFill && length > uidBytesMax) throw new Wrong('a UID that is too long for one');
    ranges.push(offset, length, fill);
  }
  return { outcome, text: printable(text(value['text'], findingTextMax)), ranges, patches: checkPatches(value['patches'], bytes), elements: count(value['elements'], Number.MAX_SAFE_INTEGER), ...(unpacked === null ? {} : { unpacked }) };
}

function checkPatch(untrusted: unknown, bytes: number): PatchAnswer {
  const value = fields(untrusted);
  const outcome = (['patched', 'impossible'] as const).find((each) => each === value['outcome']);
  if (outcome === undefined) throw new Wrong('an answer without outcome');
  const patches = checkPatches(value['patches'], bytes);
  return { outcome, text: printable(text(value['text'], patchTextMax)), patches, metadata: text(value['metadata'], metadataBytesMax, outcome === 'patched' ? /^\{/ : /^$/) };
}

/** What is allowed of which object, the keeper checks. */
function checkPatches(untrusted: unknown, bytes: number, patchedMax = deflatedPatchBytesMax): PatchAnswer['patches'] {
  let [end, room] = [0, patchedMax];
  return list(untrusted, patchesMax).map((untrustedPatch) => {
    const patch = fields(untrustedPatch);
    const offset = count(patch['offset'], bytes);
    if (offset < end) throw new Wrong('patches that are not in order or overlap');
    const length = count(patch['length'], bytes - offset);
    end = offset + length;
    const encoded = text(patch['bytes'], Math.ceil(patchedMax / 3) * 4, /^[A-Za-z0-9+/]*={0,2}$/);
    room -= Buffer.byteLength(encoded, 'base64');
    if (room < 0) throw new Wrong(`patches of more than ${patchedMax} bytes`);
    return { offset, length, bytes: encoded };
  });
}

function checkWindow(untrusted: unknown, bytes: number): NonNullable<MapAnswer['window']> {
  const value = fields(untrusted);
  return { offset: count(value['offset'], bytes), base64: text(value['base64'], Math.ceil(windowBytesMax / 3) * 4, /^[A-Za-z0-9+/=]*$/) };
}

/** A PartFrame about an object of `bytes` bytes, made anew from what passed; or one sentence about what did not. */
export function checkPart(untrusted: unknown, bytes: number): { readonly part: PartHead | null } | { readonly problem: string } {
  try {
    const frame = fields(untrusted);
    if (frame['part'] === null) return { part: null };
    const part = fields(frame['part']);
    const offset = count(part['offset'], bytes);
    const length = count(part['length'], bytes - offset);
    // More than the limit is a part, too: it is said of the object that it has it.
    const own = count(part['bytes'], 2 * givenBytesMax + bytes);
    const verbatim = part['verbatim'] === true;
    if (own === 0 || (verbatim && own !== length)) throw new Wrong('a part without bytes, or of other bytes than its own');
    return { part: { name: printable(text(part['name'], partNameMax)), offset, length, tag: text(part['tag'], 11, tagGrammar), bytes: own, verbatim } };
  } catch (error) {
    if (error instanceof Wrong) return { problem: error.message };
    throw error;
  }
}

/** Null when the first words of an examiner are no hello. */
export function checkHello(untrusted: unknown): ExaminerHello | null {
  try {
    const value = fields(untrusted);
    if (value['ready'] !== true) return null;
    const engines = list(value['engines'], 8).map((untrustedEngine): EngineStatus => {
      const engine = fields(untrustedEngine);
      const state = (['ready', 'missing', 'failing'] as const).find((each) => each === engine['state']);
      if (state === undefined) throw new Wrong('an engine without state');
      return { name: text(engine['name'], 32, codeGrammar), version: text(engine['version'], 64), signatures: text(engine['signatures'], 64), state, text: printable(text(engine['text'], findingTextMax)) };
    });
    return { ready: true, engines };
  } catch (error) {
    if (error instanceof Wrong) return null;
    throw error;
  }
}
