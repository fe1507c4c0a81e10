/**
 * Reading the DICOM JSON that an inspection reported. It comes from an examiner, which may have been taken over: nothing here
 * trusts more than that it is text. What is wrong is `metadata-invalid`, before anything was written.
 */
import { refused } from '@lazaret/system/failure.ts';
import type { InstanceReport } from '../quarantine/contract.ts';
import { isDigest } from '../reception/contract.ts';
import { requestAttributeKeys, keptTags } from './attributes.ts';
import { foldName, matchingTextMax } from './names.ts';

/** One attribute of the DICOM JSON Model (PS3.18 §F.2.2). */
export interface JSONAttribute {
  readonly vr?: unknown;
  readonly Value?: unknown;
  readonly BulkDataURI?: unknown;
  readonly InlineBinary?: unknown;
}
export type JSONDataSet = Readonly<Record<string, JSONAttribute | undefined>>;

/** Longest metadata of one object, in UTF-16 units: an enhanced multi-frame object of 30,000 frames has about 60 MiB; SQLite takes 1 GB. */
export const metadataLengthMax = 128 * 1024 * 1024;
/** Longest JSON of one attribute that the index keeps for answers, in UTF-16 units; what is longer (comments, code sequences gone wild) is in the metadata only. */
const keptAttributeLengthMax = 16 * 1024;
/** Most Items of the Request Attributes Sequence that are matched; real ones have a handful. */
const requestItemsMax = 64;

/** Files up to this are read and checked whole; larger ones need digests of their parts. */
export const wholeBytesMax = 8 * 1024 * 1024;
/** Smallest part: 16 KiB would make 130,000 digests of 2 GiB. */
const chunkBytesMin = 64 * 1024;

/** What the index takes of one object. Column values are '' or null where the object has none. */
export interface Indexed {
  readonly study: {
    readonly studyDate: string; readonly studyTime: string; readonly accessionNumber: string; readonly referringPhysicianName: string;
    readonly patientName: string; readonly patientID: string; readonly patientBirthDate: string; readonly patientSex: string;
    readonly studyID: string; readonly studyDescription: string;
  };
  readonly series: {
    readonly modality: string; readonly seriesNumber: number | null; readonly seriesDescription: string; readonly bodyPartExamined: string;
    readonly performedProcedureStepStartDate: string; readonly performedProcedureStepStartTime: string;
  };
  readonly requests: readonly { readonly scheduledProcedureStepID: string; readonly requestedProcedureID: string }[];
  readonly instance: { readonly instanceNumber: number | null; readonly rows: number | null; readonly columns: number | null; readonly bitsAllocated: number | null; readonly numberOfFrames: number | null };
  /** Kept attributes as DICOM JSON. Only made when a Study or Series is new. */
  studyAttributes(): string;
  seriesAttributes(): string;
}

/** Parses and checks the metadata of a report. `bytes` is the length of the file that its bulk data must lie in. */
export function readMetadata(report: InstanceReport, bytes: number): Indexed {
  const dataSet = parseDataSet(report.metadata);
  checkUID(dataSet, '0020000D', report.studyInstanceUID);
  checkUID(dataSet, '0020000E', report.seriesInstanceUID);
  checkUID(dataSet, '00080018', report.sopInstanceUID);
  checkUID(dataSet, '00080016', report.sopClassUID);
  checkBulkData(dataSet, bytes);
  checkChunks(report.chunks, bytes);
  return {
    study: {
      studyDate: dateOf(dataSet, '00080020'), studyTime: timeOf(dataSet, '00080030'), accessionNumber: textOf(dataSet, '00080050'),
      referringPhysicianName: nameOf(dataSet, '00080090'), patientName: nameOf(dataSet, '00100010'), patientID: textOf(dataSet, '00100020'),
      patientBirthDate: dateOf(dataSet, '00100030'), patientSex: textOf(dataSet, '00100040'), studyID: textOf(dataSet, '00200010'), studyDescription: textOf(dataSet, '00081030'),
    },
    series: {
      modality: textOf(dataSet, '00080060'), seriesNumber: integerOf(dataSet, '00200011'), seriesDescription: textOf(dataSet, '0008103E'), bodyPartExamined: textOf(dataSet, '00180015'),
      performedProcedureStepStartDate: dateOf(dataSet, '00400244'), performedProcedureStepStartTime: timeOf(dataSet, '00400245'),
    },
    requests: itemsOf(dataSet, '00400275').slice(0, requestItemsMax).map((item) => ({
      scheduledProcedureStepID: textOf(item, requestAttributeKeys[0].tag), requestedProcedureID: textOf(item, requestAttributeKeys[1].tag),
    })),
    instance: {
      instanceNumber: integerOf(dataSet, '00200013'), rows: integerOf(dataSet, '00280010'), columns: integerOf(dataSet, '00280011'),
      bitsAllocated: integerOf(dataSet, '00280100'), numberOfFrames: integerOf(dataSet, '00280008'),
    },
    studyAttributes: () => keep(dataSet, keptTags.study),
    seriesAttributes: () => keep(dataSet, keptTags.series),
  };
}

/** Parses metadata to a Data Set, which is a JSON object with tags as keys. */
export function parseDataSet(metadata: string): JSONDataSet {
  if (metadata.length > metadataLengthMax) throw refused('metadata-invalid', `the metadata has ${metadata.length} characters, at most ${metadataLengthMax} are kept`);
  let parsed: unknown;
  try {
    parsed = JSON.parse(metadata);
  } catch {
    throw refused('metadata-invalid', 'the metadata is not JSON');
  }
  if (!isRecord(parsed)) throw refused('metadata-invalid', 'the metadata is not a Data Set');
  return parsed as JSONDataSet;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function checkUID(dataSet: JSONDataSet, tag: string, reported: string): void {
  // Also refuses UIDs that are no UIDs: they become parts of URLs (PS3.5 §9.1, leniently: components may begin with 0, as some do).
  if (!/^[0-9.]{1,64}$/.test(reported)) throw refused('metadata-invalid', `(${tag.slice(0, 4)},${tag.slice(4)}) is not a UID`);
  if (first(dataSet, tag) !== reported) throw refused('metadata-invalid', `(${tag.slice(0, 4)},${tag.slice(4)}) of the metadata is not the UID that was reported`);
}

/**
 * Every BulkDataURI must be "offset,length" inside the file: web turns it into a URL of its own, and nothing else may reach a viewer
 * (a URI of an attacker's choice would make it fetch). Iterative: the depth is the object's.
 */
function checkBulkData(dataSet: JSONDataSet, bytes: number): void {
  const open: JSONDataSet[] = [dataSet];
  for (let one = open.pop(); one !== undefined; one = open.pop()) {
    for (const tag in one) {
      const attribute = one[tag];
      if (!/^[0-9A-F]{8}$/.test(tag) || !isRecord(attribute)) throw refused('metadata-invalid', 'an attribute of the metadata is not named by its tag');
      if (attribute.BulkDataURI !== undefined && parseBulkDataURI(attribute.BulkDataURI, bytes) === null) throw refused('metadata-invalid', `the bulk data of ${tag} is not a range of the file`);
      if (attribute.vr === 'SQ' && Array.isArray(attribute.Value)) for (const item of attribute.Value) if (isRecord(item)) open.push(item as JSONDataSet);
    }
  }
}

/** The byte range of a reported BulkDataURI, or null where it is not one that lies in the file. */
export function parseBulkDataURI(uri: unknown, bytes: number): { offset: number; length: number } | null {
  const match = typeof uri === 'string' ? /^(\d{1,15}),(\d{1,15})$/.exec(uri) : null;
  if (match === null) return null;
  const [offset, length] = [Number(match[1]), Number(match[2])];
  return offset + length <= bytes ? { offset, length } : null;
}

/** Reading checks larger files by their chunks (reading.ts): without sound ones they could never be served. */
function checkChunks(chunks: InstanceReport['chunks'], bytes: number): void {
  if (chunks === null) {
    if (bytes > wholeBytesMax) throw refused('metadata-invalid', `the object has ${bytes} bytes and no digests of its parts`);
    return;
  }
  const sound = Number.isSafeInteger(chunks.size) && chunks.size >= chunkBytesMin && chunks.size <= wholeBytesMax
    && chunks.digests.length === Math.ceil(bytes / chunks.size) && chunks.digests.every((digest) => isDigest(digest));
  if (!sound) throw refused('metadata-invalid', 'the digests of the parts do not cover the object');
}

function keep(dataSet: JSONDataSet, tags: readonly string[]): string {
  const parts: string[] = [];
  for (const tag of tags) {
    const attribute = dataSet[tag];
    if (attribute === undefined || attribute.BulkDataURI !== undefined) continue;
    const text = JSON.stringify(attribute);
    if (text.length <= keptAttributeLengthMax) parts.push(`"${tag}":${text}`);
  }
  return `{${parts.join(',')}}`;
}

function first(dataSet: JSONDataSet, tag: string): unknown {
  const value = dataSet[tag]?.Value;
  return Array.isArray(value) ? value[0] : undefined;
}

function itemsOf(dataSet: JSONDataSet, tag: string): readonly JSONDataSet[] {
  const value = dataSet[tag]?.Value;
  return Array.isArray(value) ? value.filter(isRecord) as JSONDataSet[] : [];
}

/** First value as text. The index matches on the first value only; at these levels VM is 1. */
function textOf(dataSet: JSONDataSet, tag: string): string {
  const value = first(dataSet, tag);
  return typeof value === 'string' ? value.trim().slice(0, matchingTextMax) : typeof value === 'number' ? String(value) : '';
}

function integerOf(dataSet: JSONDataSet, tag: string): number | null {
  const value = first(dataSet, tag);
  const number = typeof value === 'string' ? Number(value.trim() || Number.NaN) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) ? number : null;
}

function nameOf(dataSet: JSONDataSet, tag: string): string {
  const value = first(dataSet, tag);
  if (!isRecord(value)) return '';
  return foldName([value['Alphabetic'], value['Ideographic'], value['Phonetic']].filter((group) => typeof group === 'string'));
}

/** YYYYMMDD, also of the retired YYYY.MM.DD (PS3.5 §6.2); '' for what is no date. */
function dateOf(dataSet: JSONDataSet, tag: string): string {
  const digits = textOf(dataSet, tag).replaceAll('.', '');
  return /^\d{8}$/.test(digits) ? digits : '';
}

/** HHMMSS.FFFFFF with what is left out as zeros, also of the retired HH:MM:SS; '' for what is no time. */
function timeOf(dataSet: JSONDataSet, tag: string): string {
  const match = /^(\d{2}(?:\d{2}){0,2})(?:\.(\d{1,6}))?$/.exec(textOf(dataSet, tag).replaceAll(':', ''));
  return match === null ? '' : `${match[1]!.padEnd(6, '0')}.${(match[2] ?? '').padEnd(6, '0')}`;
}
