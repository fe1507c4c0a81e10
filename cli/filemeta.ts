/** Reads the File Meta Information of a Part 10 file (PS3.10 §7.1): which object it is and where its Data Set begins. Nothing else of it is read. */
import { fstatSync, readSync } from 'node:fs';

/** Preamble, prefix and group 2 of real files are some 400 bytes; private information (0002,0102) may be longer. */
const metaBytesMax = 64 * 1024;
const metaOffset = 132;
/** VRs with a 32 bit length (PS3.5 §7.1.2). */
const longVRs = new Set(['OB', 'OD', 'OF', 'OL', 'OV', 'OW', 'SQ', 'SV', 'UC', 'UN', 'UR', 'UT', 'UV']);

export interface FileMetaInformation {
  readonly sopClassUID: string;
  readonly sopInstanceUID: string;
  readonly transferSyntaxUID: string;
  readonly dataSetOffset: number;
  readonly dataSetLength: number;
}

/** The meta information of an open file, or in one phrase why it has none that can be used. */
export function readFileMeta(descriptor: number): FileMetaInformation | string {
  const { size } = fstatSync(descriptor);
  const bytes = Buffer.alloc(Math.min(size, metaBytesMax));
  const length = readSync(descriptor, bytes, 0, bytes.length, 0);
  if (length < metaOffset + 8 || bytes.toString('latin1', 128, 132) !== 'DICM') return 'not a DICOM file: there is no DICM prefix';
  const values = new Map<number, string>();
  let at = metaOffset;
  // Group 2 is always Explicit VR Little Endian; it ends where another group begins.
  while (at + 8 <= length && bytes.readUInt16LE(at) === 2) {
    const element = bytes.readUInt16LE(at + 2);
    const isLong = longVRs.has(bytes.toString('latin1', at + 4, at + 6));
    if (isLong && at + 12 > length) return 'the File Meta Information ends in the middle';
    const valueLength = isLong ? bytes.readUInt32LE(at + 8) : bytes.readUInt16LE(at + 6);
    const valueAt = at + (isLong ? 12 : 8);
    if (valueAt + valueLength > length) return 'the File Meta Information ends in the middle or is longer than any that is known';
    if (valueLength <= 64) values.set(element, bytes.toString('latin1', valueAt, valueAt + valueLength).replace(/[\0 ]+$/, ''));
    at = valueAt + valueLength;
  }
  const [sopClassUID, sopInstanceUID, transferSyntaxUID] = [values.get(0x0002) ?? '', values.get(0x0003) ?? '', values.get(0x0010) ?? ''];
  for (const [name, uid] of [['SOP Class UID', sopClassUID], ['SOP Instance UID', sopInstanceUID], ['Transfer Syntax UID', transferSyntaxUID]] as const) {
    if (!/^[\x21-\x7e]{1,64}$/.test(uid)) return `the File Meta Information has no usable ${name}`;
  }
  if (at >= size) return 'there is no Data Set after the File Meta Information';
  return { sopClassUID, sopInstanceUID, transferSyntaxUID, dataSetOffset: at, dataSetLength: size - at };
}
