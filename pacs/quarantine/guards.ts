/** Checks of what other processes send. A message that fails is refused whole; nothing is repaired. */
import { refused } from '@lazaret/system/failure.ts';
import { isDigest, isObjectId, type Digest, type ObjectId, type ReceivedObject, type Source } from '../reception/contract.ts';
import type { CompanionConclusion } from './companion.ts';
import { pictureTypes, type RenderRequest } from './requests.ts';
import { verdicts, type Conclusion, type Disarmed, type Finding, type InstanceReport } from './contract.ts';

/** What a person reads, not what an attacker wants to store: more findings than this add nothing. */
export const findingsMax = 1_000;
const textMax = 2_000;
/** UIDs have at most 64 characters (PS3.5 §9.1), AE Titles 16; a door may be told longer ones and passes on at most this. */
const nameMax = 256;

type Fields = Readonly<Record<string, unknown>>;

function fields(value: unknown, what: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw refused('request-invalid', `${what} is not an object`);
  return value as Fields;
}
function text(value: Fields, name: string, max = nameMax): string {
  const found = value[name];
  if (typeof found !== 'string' || found.length > max) throw refused('request-invalid', `${name} is not text of at most ${max} characters`);
  return found;
}
function count(value: Fields, name: string): number {
  const found = value[name];
  if (!Number.isSafeInteger(found) || (found as number) < 0) throw refused('request-invalid', `${name} is not a count`);
  return found as number;
}
function digest(value: Fields, name: string): Digest {
  const found = value[name];
  if (typeof found !== 'string' || !isDigest(found)) throw refused('request-invalid', `${name} is not a SHA-256`);
  return found;
}

export function checkObjectId(value: unknown): ObjectId {
  if (typeof value !== 'string' || !isObjectId(value)) throw refused('request-invalid', 'an object id has 32 hex digits');
  return value;
}
export function checkDigest(value: unknown): Digest {
  return digest({ digest: value }, 'digest');
}
export function checkFields(value: unknown): Fields {
  return fields(value, 'the request');
}
export function checkText(value: unknown, name: string, max: number): string {
  return text({ [name]: value }, name, max);
}

const doors: readonly Source['door'][] = ['association', 'stow', 'media', 'terminal'];

export function checkReceived(untrusted: unknown): ReceivedObject {
  const value = fields(untrusted, 'a received object');
  const source = fields(value['source'], 'source');
  const door = doors.find((each) => each === source['door']);
  if (door === undefined) throw refused('request-invalid', 'source.door is unknown');
  return {
    objectId: checkObjectId(value['objectId']), bytes: count(value, 'bytes'), sha256: digest(value, 'sha256'),
    sopClassUID: text(value, 'sopClassUID'), sopInstanceUID: text(value, 'sopInstanceUID'), transferSyntaxUID: text(value, 'transferSyntaxUID'),
    source: {
      door, peer: text(source, 'peer'), address: text(source, 'address'), callingAETitle: text(source, 'callingAETitle'), calledAETitle: text(source, 'calledAETitle'), batch: text(source, 'batch'),
    },
    receivedAt: count(value, 'receivedAt'),
  };
}

export function checkConclusion(untrusted: unknown): Conclusion {
  const value = fields(untrusted, 'a conclusion');
  const verdict = verdicts.find((each) => each === value['verdict']);
  if (verdict === undefined) throw refused('request-invalid', 'there is no such verdict');
  if (!Array.isArray(value['findings'])) throw refused('request-invalid', 'findings is not a list');
  return {
    objectId: checkObjectId(value['objectId']), sha256: digest(value, 'sha256'), verdict, findings: value['findings'].slice(0, findingsMax).map(checkFinding),
    disarmed: value['disarmed'] === null ? null : checkDisarmed(value['disarmed']), epoch: text(value, 'epoch', textMax), ms: Number(value['ms']) || 0,
    instance: value['instance'] === null ? null : checkInstance(value['instance']),
  };
}

/** What the engines said of a companion; throws like the others. */
export function checkScanned(untrusted: unknown): CompanionConclusion {
  const value = fields(untrusted, 'a conclusion');
  const verdict = verdicts.find((each) => each === value['verdict']);
  if (verdict === undefined || !Array.isArray(value['findings'])) throw refused('request-invalid', 'there is no such conclusion');
  return { objectId: checkObjectId(value['objectId']), sha256: digest(value, 'sha256'), verdict, findings: value['findings'].slice(0, findingsMax).map(checkFinding) };
}

function checkFinding(untrusted: unknown): Finding {
  const value = fields(untrusted, 'a finding');
  const cut = (name: string): string => text({ [name]: typeof value[name] === 'string' ? value[name].slice(0, textMax) : value[name] }, name, textMax);
  return { code: text(value, 'code'), offset: count(value, 'offset'), length: count(value, 'length'), tag: text(value, 'tag'), engine: text(value, 'engine'), text: cut('text') };
}

/** 128 bytes, DICM and a File Meta Information; PS3.10 §7.1 knows nothing in it that would be longer. */
const prefixBytesMax = 64 * 1024;

function checkDisarmed(untrusted: unknown): Disarmed {
  const value = fields(untrusted, 'disarmed');
  const { what } = value;
  if (!Array.isArray(what) || !what.every((word) => typeof word === 'string' && /^[a-z-]{1,32}$/.test(word))) throw refused('request-invalid', 'disarmed.what is not a list of words');
  return {
    what: what as string[], prefix: text(value, 'prefix', Math.ceil(prefixBytesMax / 3) * 4), dataSetOffset: count(value, 'dataSetOffset'), dataSetLength: count(value, 'dataSetLength'),
    dataSetSha256: digest(value, 'dataSetSha256'), sha256: digest(value, 'sha256'), bytes: count(value, 'bytes'),
  };
}

function checkInstance(untrusted: unknown): InstanceReport {
  const value = fields(untrusted, 'instance');
  return {
    sopClassUID: text(value, 'sopClassUID'), sopInstanceUID: text(value, 'sopInstanceUID'), studyInstanceUID: text(value, 'studyInstanceUID'), seriesInstanceUID: text(value, 'seriesInstanceUID'),
    transferSyntaxUID: text(value, 'transferSyntaxUID'), metadata: text(value, 'metadata', Infinity), dataSetOffset: count(value, 'dataSetOffset'), dataSetLength: count(value, 'dataSetLength'),
    frames: checkFrames(value['frames']), chunks: checkChunks(value['chunks']),
  };
}

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;

/** Frames of one bit a pixel need not end with a byte (PS3.5 §8.1.1): their length is a number of eighths. */
function eighths(value: Readonly<Record<string, unknown>>, name: string): number {
  const number = value[name];
  if (typeof number !== 'number' || !Number.isSafeInteger(number * 8) || number < 0) throw refused('request-invalid', `${name} is not a length in bits`);
  return number;
}

function checkFrames(untrusted: unknown): InstanceReport['frames'] {
  if (untrusted === null) return null;
  const value = fields(untrusted, 'frames');
  if (value['kind'] === 'native') {
    return { kind: 'native', offset: count(value, 'offset'), frameLength: eighths(value, 'frameLength'), count: count(value, 'count'), bitsPerPixel: count(value, 'bitsPerPixel') };
  }
  const { frames } = value;
  if (value['kind'] !== 'encapsulated' || !Array.isArray(frames)) throw refused('request-invalid', 'frames is no table of frames');
  // Pairs of offset and length.
  if (!frames.every((frame) => Array.isArray(frame) && frame.length % 2 === 0 && frame.every(isCount))) throw refused('request-invalid', 'a frame is not a list of fragments');
  return { kind: 'encapsulated', frames: frames as number[][] };
}

function checkChunks(untrusted: unknown): InstanceReport['chunks'] {
  if (untrusted === null) return null;
  const value = fields(untrusted, 'chunks');
  const { digests } = value;
  if (!Array.isArray(digests) || !digests.every((each) => typeof each === 'string' && isDigest(each))) throw refused('request-invalid', 'chunks.digests is not a list of SHA-256');
  const size = count(value, 'size');
  if (size === 0) throw refused('request-invalid', 'chunks.size is 0');
  return { size, digests: digests as string[] };
}

const sideMax = 8_192;

export function checkRenderRequest(untrusted: unknown): RenderRequest {
  const value = fields(untrusted, 'a request for a picture');
  const within = (name: string, max: number): number => {
    const number = count(value, name);
    if (number > max) throw refused('request-invalid', `${name} is at most ${max}`);
    return number;
  };
  const type = pictureTypes.find((each) => each === value['type']);
  if (type === undefined) throw refused('request-invalid', 'there is no such type of picture');
  let window: RenderRequest['window'] = null;
  if (value['window'] !== null) {
    const { center, width } = fields(value['window'], 'a window');
    if (!Number.isFinite(center) || !Number.isFinite(width) || (width as number) < 1) throw refused('request-invalid', 'a window has a center and a width of at least 1');
    window = { center: center as number, width: width as number };
  }
  return { frame: within('frame', 0x7fffffff), widthMax: within('widthMax', sideMax), heightMax: within('heightMax', sideMax), window, type, quality: Math.max(1, within('quality', 100)) };
}
