/**
 * What lies outside the Data Set and need not be kept: preamble, an irregular File Meta Information, padding and trailing bytes. The
 * Data Set itself is never touched (promise 3); the bytes as received stay in the vault.
 */
import { encodeFileMeta, fileMetaOffset, preambleBytes } from '@lazaret/dicom/fileset/part10.ts';
import { spanKinds, type MappedObject } from '@lazaret/dicom/filemap/contract.ts';

export interface Neutralised {
  readonly what: readonly string[];
  /** The new bytes before the Data Set. */
  readonly prefix: Uint8Array;
}

/** More after the Data Set than padding, a checksum or a stale image file directory is no accident of a writer. */
export const trailingBytesMax = 64 * 1024;

/** Problems of the File Meta Information that writing it anew mends. */
const mendable: ReadonlySet<string> = new Set(['meta-group-length-missing', 'meta-tag-unknown', 'meta-element-missing']);
/** A File Meta Information of a few hundred bytes is usual. */
const metaBytesMax = 8 * 1024;
const privateInformation = 0x00020102;

/** What has to go, or null when the object is as it should be, or has no Data Set that could be kept. */
export function neutralise(mapped: MappedObject): Neutralised | null {
  if (!mapped.hasPreamble || mapped.meta === null || mapped.dataSetLength === 0) return null;
  const what: string[] = [];
  if (mapped.source.read(0, preambleBytes).some((byte) => byte !== 0)) what.push('preamble');
  const metaWrong = mapped.problems.some((problem) => mendable.has(problem.code)) || mapped.dataSetOffset - fileMetaOffset > metaBytesMax || has(mapped, privateInformation);
  if (metaWrong) what.push('meta');
  for (const kind of ['trailing', 'padding'] as const) if (hasSpanAfter(mapped, kind)) what.push(kind);
  if (what.length === 0) return null;
  return { what, prefix: metaWrong ? newPrefix(mapped) : keptPrefix(mapped) };
}

function has(mapped: MappedObject, tag: number): boolean {
  const { tags, count } = mapped.elements;
  for (let index = 0; index < count && tags[index]! <= 0x0002ffff; index += 1) if (tags[index] === tag) return true;
  return false;
}

/** A pad byte after a deflate stream belongs to it (PS3.5 A.5); all else after the Data Set does not. */
function hasSpanAfter(mapped: MappedObject, kind: 'trailing' | 'padding'): boolean {
  const { spans } = mapped;
  const number = spanKinds.indexOf(kind);
  for (let row = spans.count - 1; row >= 0 && spans.offsets[row]! >= mapped.dataSetOffset + mapped.dataSetLength; row -= 1) {
    if (spans.kinds[row] === number) return true;
  }
  return false;
}

function keptPrefix(mapped: MappedObject): Uint8Array {
  const prefix = Uint8Array.from(mapped.source.read(0, mapped.dataSetOffset));
  prefix.fill(0, 0, preambleBytes);
  return prefix;
}

function newPrefix(mapped: MappedObject): Uint8Array {
  const meta = mapped.meta!;
  const aeTitle = meta.sourceApplicationEntityTitle.trim();
  return encodeFileMeta({
    mediaStorageSOPClassUID: meta.mediaStorageSOPClassUID,
    mediaStorageSOPInstanceUID: meta.mediaStorageSOPInstanceUID,
    transferSyntaxUID: mapped.transferSyntaxUID,
    ...(/^[\x20-\x5B\x5D-\x7E]{1,16}$/.test(aeTitle) ? { sourceApplicationEntityTitle: aeTitle } : {}),
  });
}
