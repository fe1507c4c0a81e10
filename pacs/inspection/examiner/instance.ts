/** What everyone after inspection works from: identity, metadata as DICOM JSON, and where the frames are in the file as archived. */
import type { MappedObject } from '@lazaret/dicom/filemap/contract.ts';
import { writeDicomJson } from '@lazaret/dicom/web/json.ts';
import type { FrameTable, InstanceReport } from '../../quarantine/contract.ts';
import type { Content } from './content.ts';
import type { Identity } from './contentvalues.ts';
import { dataSetLengthOf } from './disarm.ts';
import { chunkBytes } from './pass.ts';

/** `dataSetOffset` is where the Data Set begins in the file as archived: disarming may have moved it. */
export function instanceReport(mapped: MappedObject, identity: Identity, content: Content, dataSetOffset: number, chunks: readonly string[]): InstanceReport {
  const moved = dataSetOffset - mapped.dataSetOffset;
  return {
    sopClassUID: uidOrNone(identity.sopClassUID),
    sopInstanceUID: uidOrNone(identity.sopInstanceUID),
    studyInstanceUID: uidOrNone(identity.studyInstanceUID),
    seriesInstanceUID: uidOrNone(identity.seriesInstanceUID),
    transferSyntaxUID: uidOrNone(mapped.transferSyntaxUID),
    metadata: metadataOf(mapped, moved),
    dataSetOffset,
    dataSetLength: dataSetLengthOf(mapped),
    frames: mapped.dataSetSource === mapped.source ? frameTable(mapped, content, moved) : null,
    chunks: chunks.length === 0 ? null : { size: chunkBytes, digests: chunks },
  };
}

/** Of a held object it may be anything; the guard outside takes nothing else for a UID, and would throw the whole report away. */
function uidOrNone(uid: string): string {
  return /^[0-9.]{1,64}$/.test(uid) ? uid : '';
}

/**
 * Ranges of values that are not in the metadata point into the file as archived. In JSON a quotation mark inside a value is escaped, so
 * the pattern cannot occur in one.
 */
function metadataOf(mapped: MappedObject, moved: number): string {
  const metadata = writeDicomJson(mapped);
  if (moved === 0) return metadata;
  return metadata.replaceAll(/"BulkDataURI":"(\d+),(\d+)"/g, (_, offset: string, length: string) => `"BulkDataURI":"${Number(offset) + moved},${length}"`);
}

function frameTable(mapped: MappedObject, content: Content, moved: number): FrameTable | null {
  const { shape, frames } = content;
  const { fragments, elements, pixelData } = mapped;
  if (pixelData < 0) return null;
  if (fragments === null) {
    if (shape === null) return null;
    return { kind: 'native', offset: elements.valueOffsets[pixelData]! + moved, frameLength: (shape.rows * shape.columns * shape.bitsPerPixel) / 8, count: shape.frames, bitsPerPixel: shape.bitsPerPixel };
  }
  if (frames === null) return null;
  const ranges = frames.map(([first, last]) => {
    const range: number[] = [];
    for (let at = first; at <= last; at += 1) range.push(fragments.offsets[at]! + moved, fragments.lengths[at]!);
    return range;
  });
  return { kind: 'encapsulated', frames: ranges };
}
