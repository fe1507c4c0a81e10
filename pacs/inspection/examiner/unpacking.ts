/**
 * A deflated object (PS3.5 A.5) as one that is not: for an export without the patient, which overwrites single values. The Data Set stands unpacked where its
 * stream stood, and the File Meta Information names the Transfer Syntax of that.
 */
import { BytesSource } from '@lazaret/dicom/dataset/bytes.ts';
import { PatchedSource, type BytePatch } from '@lazaret/dicom/dataset/patched.ts';
import { explicitVRLittleEndian } from '@lazaret/dicom/dataset/transfersyntaxes.ts';
import { Values } from '@lazaret/dicom/dataset/values.ts';
import type { MappedObject } from '@lazaret/dicom/filemap/contract.ts';
import { mapObject } from '@lazaret/dicom/filemap/map.ts';
import { unpackedBytesMax } from '../../quarantine/requests.ts';
import { inflateRaw } from './inflate.ts';

/** What each deflated Transfer Syntax is without that. */
const undeflated: Readonly<Record<string, string>> = { '1.2.840.10008.1.2.1.99': explicitVRLittleEndian, '1.2.840.10008.1.2.4.95': '1.2.840.10008.1.2.4.94', '1.2.840.10008.1.2.4.205': '1.2.840.10008.1.2.4.204' };
const fileMetaInformationGroupLength = 0x00020000;
const transferSyntaxUID = 0x00020010;
/** UI has a length of 16 bits (PS3.5 §7.1.2), UL four bytes. */
const shortFieldBytes = 2;
const groupLengthBytes = 4;

export interface Unpacked {
  /** Of the object as received, in order. */
  readonly patches: readonly BytePatch[];
  /** The object with them. */
  readonly mapped: MappedObject;
}

/** The object unpacked, or a sentence that says why it cannot be. */
export function unpackedOf(packed: MappedObject): Unpacked | string {
  const { source, dataSetSource, dataSetOffset, dataSetLength, problems } = packed;
  const uid = undeflated[packed.transferSyntaxUID];
  const broken = problems.find(({ code }) => code.startsWith('deflate-'));
  if (uid === undefined || broken !== undefined) return `Its Data Set is deflated and cannot be unpacked to its end${broken === undefined ? '.' : `: ${broken.text}`}`;
  if (dataSetSource.length > unpackedBytesMax) return `Its Data Set is deflated and has ${dataSetSource.length} bytes unpacked; only up to ${unpackedBytesMax} are overwritten.`;
  const values = new Values(packed);
  const { valueOffsets, valueLengths } = packed.elements;
  const [length, syntax] = [values.find(fileMetaInformationGroupLength), values.find(transferSyntaxUID)];
  const written = Buffer.from(uid.padEnd(uid.length + (uid.length % 2), '\0'), 'latin1');
  if (syntax < 0 || syntax >= values.metaRows) return 'Its Data Set is deflated, and its File Meta Information does not say so in its place.';
  const field = Buffer.alloc(shortFieldBytes);
  field.writeUInt16LE(written.length);
  const patches: BytePatch[] = [{ offset: valueOffsets[syntax]! - shortFieldBytes, length: shortFieldBytes + valueLengths[syntax]!, bytes: Buffer.concat([field, written]) }];
  if (length >= 0 && length < syntax && valueLengths[length] === groupLengthBytes) {
    const bytes = Buffer.from(source.read(valueOffsets[length]!, groupLengthBytes));
    // One that is wrong stays wrong.
    bytes.writeUInt32LE((bytes.readUInt32LE() + written.length - valueLengths[syntax]!) >>> 0);
    patches.unshift({ offset: valueOffsets[length]!, length: groupLengthBytes, bytes });
  }
  // With the byte that pads the stream to an even length.
  const after = source.length - dataSetOffset - dataSetLength;
  patches.push({ offset: dataSetOffset, length: dataSetLength + (after === 1 ? 1 : 0), bytes: Buffer.from(dataSetSource.read(0, dataSetSource.length)) });
  const patched = new PatchedSource(source, patches);
  const mapped = mapObject(new BytesSource(patched.read(0, patched.length)), { inflateRaw });
  return { patches, mapped };
}
