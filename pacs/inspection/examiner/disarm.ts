/**
 * What lies outside the Data Set and need not be kept: preamble, an irregular File Meta Information, padding and trailing bytes. The
 * Data Set itself is never touched (promise 3); the bytes as received stay in the vault.
 */
import { encodeFileMeta, fileMetaOffset, preambleBytes } from '@lazaret/dicom/fileset/part10.ts';
import type { Identity } from './contentvalues.ts';
import { spanKinds, type ByteSource, type MappedObject } from '@lazaret/dicom/filemap/contract.ts';
import type { Reading } from './reading.ts';

export interface Neutralised {
  readonly what: readonly string[];
  /** The new bytes before the Data Set. */
  readonly prefix: Uint8Array;
}

/** More beside the Data Set than padding, a checksum or a stale image file directory is no accident of a writer. */
export const trailingBytesMax = 64 * 1024;
const padding = spanKinds.indexOf('padding');
const trailing = spanKinds.indexOf('trailing');

/** Problems of the File Meta Information that writing it anew mends. */
const mendable: ReadonlySet<string> = new Set(['meta-group-length-missing', 'meta-tag-unknown', 'meta-element-missing']);
const windowBytes = 1024 * 1024;
/** A File Meta Information of a few hundred bytes is usual. */
const metaBytesMax = 8 * 1024;
const metaValueBytesMax = 64;
const privateInformation = 0x00020102;

/** Length of the Data Set in the object. The pad byte after a deflate stream belongs to it (PS3.5 A.5). */
export function dataSetLengthOf(mapped: MappedObject): number {
  const { spans, dataSetOffset, dataSetLength } = mapped;
  const last = spans.count - 1;
  const isPadByte = mapped.dataSetSource !== mapped.source && last >= 0 && spans.kinds[last] === spanKinds.indexOf('padding') && spans.lengths[last] === 1 && spans.offsets[last] === dataSetOffset + dataSetLength;
  return isPadByte ? dataSetLength + 1 : dataSetLength;
}

/** What stands before and after the Data Set goes, but so much of it goes only with a question. Zeros are nothing. */
export function checkSurroundings(reading: Reading): void {
  const { spans, meta, dataSetOffset } = reading.mapped;
  if (meta !== null && dataSetOffset > trailingBytesMax) reading.addAt('meta-excess', 0, dataSetOffset, '', `${dataSetOffset} bytes stand before the Data Set; at most ${trailingBytesMax} are written anew without a question.`);
  for (let row = 0; row < spans.count; row += 1) {
    const length = spans.lengths[row]!;
    if ((spans.kinds[row] !== trailing && spans.kinds[row] !== padding) || length <= trailingBytesMax || isZero(reading.mapped.source, spans.offsets[row]!, length, spans.kinds[row] === padding ? 12 : 0)) continue;
    reading.addAt('trailing-excess', spans.offsets[row]!, length, '', `${length} bytes follow the Data Set; at most ${trailingBytesMax} are cut off without a question.`);
  }
}

/** Behind `skip` bytes, the header of an element. */
function isZero(source: ByteSource, offset: number, length: number, skip: number): boolean {
  for (let at = skip; at < length; at += windowBytes) {
    if (source.read(offset + at, Math.min(windowBytes, length - at)).some((byte) => byte !== 0)) return false;
  }
  return true;
}

/** What has to go, or null when the object is as it should be, or has no Data Set that could be kept. */
export function neutralise(mapped: MappedObject, identity: Identity | null): Neutralised | null {
  if (!mapped.hasPreamble || mapped.meta === null || mapped.dataSetLength === 0) return null;
  const what: string[] = [];
  if (mapped.source.read(0, preambleBytes).some((byte) => byte !== 0)) what.push('preamble');
  const metaWrong = mapped.problems.some((problem) => mendable.has(problem.code)) || mapped.dataSetOffset - fileMetaOffset > metaBytesMax || has(mapped, privateInformation) || hasLongMeta(mapped);
  if (metaWrong) what.push('meta');
  for (const kind of ['trailing', 'padding'] as const) if (hasSpanAfter(mapped, kind)) what.push(kind);
  if (what.length === 0) return null;
  const prefix = metaWrong ? newPrefix(mapped, identity) : keptPrefix(mapped);
  if (prefix === null) return null;
  return { what, prefix };
}

function has(mapped: MappedObject, tag: number): boolean {
  const { tags, count } = mapped.elements;
  for (let index = 0; index < count && tags[index]! <= 0x0002ffff; index += 1) if (tags[index] === tag) return true;
  return false;
}

/** A UID of 64 characters is the longest value that File Meta Information has; addresses of a sender (0002,0026) to (0002,0028) go with it. */
function hasLongMeta(mapped: MappedObject): boolean {
  const { tags, valueLengths, count } = mapped.elements;
  for (let index = 0; index < count && tags[index]! <= 0x0002ffff; index += 1) if (valueLengths[index]! > metaValueBytesMax) return true;
  return false;
}

function hasSpanAfter(mapped: MappedObject, kind: 'trailing' | 'padding'): boolean {
  const { spans } = mapped;
  const number = spanKinds.indexOf(kind);
  const end = mapped.dataSetOffset + dataSetLengthOf(mapped);
  for (let row = spans.count - 1; row >= 0 && spans.offsets[row]! >= end; row -= 1) {
    if (spans.kinds[row] === number) return true;
  }
  return false;
}

function keptPrefix(mapped: MappedObject): Uint8Array {
  const prefix = Uint8Array.from(mapped.source.read(0, mapped.dataSetOffset));
  prefix.fill(0, 0, preambleBytes);
  return prefix;
}

/** The UIDs of the Data Set are what counts. Null where it has none: such an object is held. */
function newPrefix(mapped: MappedObject, identity: Identity | null): Uint8Array | null {
  if (identity === null || !/^[0-9.]{1,64}$/.test(mapped.transferSyntaxUID)) return null;
  const aeTitle = mapped.meta!.sourceApplicationEntityTitle.trim();
  return encodeFileMeta({
    mediaStorageSOPClassUID: identity.sopClassUID,
    mediaStorageSOPInstanceUID: identity.sopInstanceUID,
    transferSyntaxUID: mapped.transferSyntaxUID,
    ...(/^[\x20-\x5B\x5D-\x7E]{1,16}$/.test(aeTitle) ? { sourceApplicationEntityTitle: aeTitle } : {}),
  });
}
