/**
 * The DICOM File Format (PS3.10 §7.1): File Preamble, DICM prefix and File Meta Information,
 * written the way this product writes them in front of every Data Set that it stores.
 */

/** PS3.10 §7.1: 128 bytes that this product always writes as zero. */
export const preambleBytes = 128;

/** Preamble and "DICM": the File Meta Information starts here. */
export const fileMetaOffset = preambleBytes + 4;

/** Implementation Class UID (0002,0012) of this product: derived from a UUID made once, as PS3.5 B.2 permits. */
export const implementationClassUID = '2.25.186960984227683628422831315822404153153';

/** Implementation Version Name (0002,0013), at most 16 characters. */
export const implementationVersionName = 'LAZARET_0_1';

/** The identity of the object that follows, as PS3.10 Table 7.1-1 asks for. */
export interface FileMetaInput {
  readonly mediaStorageSOPClassUID: string;
  readonly mediaStorageSOPInstanceUID: string;
  readonly transferSyntaxUID: string;
  /** AE Title of the Application Entity that the object came from; at most 16 characters. */
  readonly sourceApplicationEntityTitle?: string;
}

/** PS3.5 §9.1 gives a UID 64 characters at most. */
const uidCharactersMax = 64;

/** PS3.5 §6.2: an AE has 16 characters at most. */
const aeTitleCharactersMax = 16;

/**
 * Preamble, prefix and File Meta Information, always Explicit VR Little Endian (PS3.10 §7.1). The Data Set follows directly.
 * Throws RangeError on values that do not fit: they come from a negotiated association or a checked header, so that is our bug.
 */
export function encodeFileMeta(input: FileMetaInput): Uint8Array {
  const uids: readonly (readonly [element: number, uid: string])[] = [
    [0x0002, input.mediaStorageSOPClassUID],
    [0x0003, input.mediaStorageSOPInstanceUID],
    [0x0010, input.transferSyntaxUID],
    [0x0012, implementationClassUID],
  ];
  const elements: Uint8Array[] = [otherByteElement(0x0001, Uint8Array.of(0x00, 0x01))];
  for (const [element, uid] of uids) {
    if (!/^[0-9.]{1,64}$/.test(uid)) throw new RangeError(`(0002,${element.toString(16).padStart(4, '0')}) must be a UID of 1 to ${uidCharactersMax} digits and dots`);
    elements.push(shortElement(element, 'UI', uid, 0x00));
  }
  elements.push(shortElement(0x0013, 'SH', implementationVersionName, 0x20));
  const aeTitle = input.sourceApplicationEntityTitle?.trim();
  if (aeTitle !== undefined && aeTitle !== '') {
    if (aeTitle.length > aeTitleCharactersMax || !/^[\x20-\x5B\x5D-\x7E]+$/.test(aeTitle)) throw new RangeError(`(0002,0016) must be an AE Title of at most ${aeTitleCharactersMax} characters`);
    elements.push(shortElement(0x0016, 'AE', aeTitle, 0x20));
  }
  const groupLength = elements.reduce((sum, element) => sum + element.length, 0);
  const groupLengthElement = shortHeader(0x0000, 'UL', 4, 4);
  new DataView(groupLengthElement.buffer).setUint32(8, groupLength, true);

  const file = new Uint8Array(fileMetaOffset + groupLengthElement.length + groupLength);
  file.set([0x44, 0x49, 0x43, 0x4d], preambleBytes);
  let offset = fileMetaOffset;
  for (const element of [groupLengthElement, ...elements]) {
    file.set(element, offset);
    offset += element.length;
  }
  return file;
}

/** Header of a group 2 element with a 16 bit length (PS3.5 Table 7.1-2), with room for the value. */
function shortHeader(element: number, vr: string, length: number, room: number): Uint8Array {
  const bytes = new Uint8Array(8 + room);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 0x0002, true);
  view.setUint16(2, element, true);
  bytes[4] = vr.charCodeAt(0);
  bytes[5] = vr.charCodeAt(1);
  view.setUint16(6, length, true);
  return bytes;
}

/** An element of characters, padded to even length with its VR's own pad byte (PS3.5 §6.2). */
function shortElement(element: number, vr: string, text: string, pad: number): Uint8Array {
  const length = text.length + (text.length % 2);
  const bytes = shortHeader(element, vr, length, length);
  for (let index = 0; index < text.length; index += 1) bytes[8 + index] = text.charCodeAt(index);
  if (text.length % 2 === 1) bytes[8 + text.length] = pad;
  return bytes;
}

/** File Meta Information Version has VR OB: 2 reserved bytes and a 32 bit length (PS3.5 Table 7.1-1). */
function otherByteElement(element: number, value: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(12 + value.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 0x0002, true);
  view.setUint16(2, element, true);
  bytes[4] = 0x4f;
  bytes[5] = 0x42;
  view.setUint32(8, value.length, true);
  bytes.set(value, 12);
  return bytes;
}
