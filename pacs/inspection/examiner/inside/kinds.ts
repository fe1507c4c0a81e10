/** What some bytes are, by how they begin (and, for ISO 9660 and tar, by what stands at a fixed place). */

export type Kind = 'pdf' | 'zip' | 'gzip' | 'tar' | 'compound' | 'rtf' | 'page' | 'jpeg' | 'png' | 'gif' | 'bmp' | 'xml' | 'stl' | 'obj' | 'mtl' | 'sealed';

export interface Recognised {
  readonly kind: Kind;
  /** With its article, as it stands in a sentence. */
  readonly name: string;
  /** Holds files; `document`: an office document. Where DICOM has no place for them they are held whatever is inside. */
  readonly holds: 'files' | 'document' | 'nothing';
}

const kinds: Readonly<Record<Exclude<Kind, 'sealed'>, Recognised>> = {
  pdf: { kind: 'pdf', name: 'the PDF document', holds: 'document' },
  zip: { kind: 'zip', name: 'the ZIP file', holds: 'files' },
  gzip: { kind: 'gzip', name: 'the gzip stream', holds: 'nothing' },
  tar: { kind: 'tar', name: 'the tar file', holds: 'files' },
  compound: { kind: 'compound', name: 'the OLE document', holds: 'document' },
  rtf: { kind: 'rtf', name: 'the RTF document', holds: 'nothing' },
  page: { kind: 'page', name: 'the web page', holds: 'nothing' },
  jpeg: { kind: 'jpeg', name: 'the JPEG picture', holds: 'nothing' },
  png: { kind: 'png', name: 'the PNG picture', holds: 'nothing' },
  gif: { kind: 'gif', name: 'the GIF picture', holds: 'nothing' },
  bmp: { kind: 'bmp', name: 'the BMP picture', holds: 'nothing' },
  xml: { kind: 'xml', name: 'the XML document', holds: 'nothing' },
  stl: { kind: 'stl', name: 'the STL model', holds: 'nothing' },
  obj: { kind: 'obj', name: 'the OBJ model', holds: 'nothing' },
  mtl: { kind: 'mtl', name: 'the MTL materials', holds: 'nothing' },
};

export function kindNamed(kind: Exclude<Kind, 'sealed'>): Recognised {
  return kinds[kind];
}

/** Containers that are known and not opened: what is in them cannot be seen. */
const sealed: readonly (readonly [name: string, start: string, at?: number])[] = [
  ['the 7z file', '7z\xbc\xaf\x27\x1c'],
  ['the RAR file', 'Rar!\x1a\x07'],
  ['the Windows cabinet', 'MSCF\0\0\0\0'],
  ['the XZ file', '\xfd7zXZ\0'],
  ['the bzip2 file', 'BZh91AY&SY'],
  ['the Zstandard file', '\x28\xb5\x2f\xfd'],
  ['the LZ4 file', '\x04\x22\x4d\x18'],
  ['the Zstandard file of an early version', '\x22\xb5\x2f\xfd'],
  ['the Zstandard file of an early version', '\x23\xb5\x2f\xfd'],
  ['the Zstandard file of an early version', '\x24\xb5\x2f\xfd'],
  ['the Zstandard file of an early version', '\x25\xb5\x2f\xfd'],
  ['the Zstandard file of an early version', '\x26\xb5\x2f\xfd'],
  ['the Zstandard file of an early version', '\x27\xb5\x2f\xfd'],
  ['the LZ4 file of an early version', '\x02\x21\x4c\x18'],
  ['the LZIP file', 'LZIP\x01'],
  ['the compressed file (.Z)', '\x1f\x9d\x90'],
  ['the LZH file', '-lh5-', 2],
  ['the ACE file', '**ACE**', 7],
  ['the cpio file', '070701'],
  ['the cpio file', '070707'],
  ['the library (ar)', '!<arch>\n'],
  ['the WIM image', 'MSWIM\0\0\0'],
  ['the disc image (VHD)', 'conectix'],
  ['the disc image (VHDX)', 'vhdxfile'],
  ['the disc image (QCOW)', 'QFI\xfb'],
  ['the disc image (VMDK)', 'KDMV'],
  ['the disc image (ISO 9660)', 'CD001', 0x8001],
  ['the Windows help file', 'ITSF\x03\0\0\0'],
  ['the OneNote document', '\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d'],
  ['the Outlook folder', '!BDN'],
  ['the Windows shell cabinet', 'ISc('],
];

const starts: readonly (readonly [kind: Exclude<Kind, 'sealed'>, start: string])[] = [
  ['zip', 'PK\x03\x04'],
  ['zip', 'PK\x05\x06'],
  ['zip', 'PK\x07\x08PK\x03\x04'],
  ['gzip', '\x1f\x8b\x08'],
  ['compound', '\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1'],
  ['rtf', '{\\rt'],
  ['jpeg', '\xff\xd8\xff'],
  ['png', '\x89PNG\r\n\x1a\n'],
  ['gif', 'GIF87a'],
  ['gif', 'GIF89a'],
];

/** First bytes of any start: most values are decided by one look. */
const first = new Uint8Array(256);
for (const [, start] of starts) first[start.charCodeAt(0)] = 1;
for (const [, start, at = 0] of sealed) if (at === 0) first[start.charCodeAt(0)] = 1;

/** Shortest that is looked at: an end of central directory is 22 bytes, a gzip header with its checksum 18. */
export const recognisedBytesMin = 18;
/** PDF readers look for the header in the first KiB. */
export const headerBytes = 1024;

function isAt(bytes: Buffer, text: string, at = 0): boolean {
  if (bytes.length < at + text.length) return false;
  for (let index = 0; index < text.length; index += 1) if (bytes[at + index] !== text.charCodeAt(index)) return false;
  return true;
}

/** Null for what nobody opens. Pictures and compressed streams among them are told apart from numbers by more than two bytes. */
export function recognise(bytes: Buffer): Recognised | null {
  if (bytes.length < recognisedBytesMin) return null;
  if (first[bytes[0]!] === 1) {
    for (const [kind, start] of starts) if (isAt(bytes, start)) return kinds[kind];
  }
  for (const [name, start, at = 0] of sealed) {
    // The block size of bzip2 is a digit.
    const begins = isAt(bytes, start, at) || (start.startsWith('BZh') && isAt(bytes, 'BZh') && isAt(bytes, '1AY&SY', 4));
    if (begins) return { kind: 'sealed', name, holds: 'files' };
  }
  if (isAt(bytes, 'ustar', 257)) return kinds.tar;
  const pdf = bytes.subarray(0, headerBytes).indexOf('%PDF-', 0, 'latin1');
  if (pdf >= 0) return kinds.pdf;
  if (isAt(bytes, 'BM') && bytes.length > 54 && bytes.readUInt32LE(6) === 0 && bytes.readUInt32LE(14) < 200 && bytes.readUInt32LE(2) <= bytes.length + 2 && bytes.readUInt32LE(2) > 54) return kinds.bmp;
  if (/^[\0\s\xef\xbb\xbf]{0,16}<(?:!doctype\s+html|html[\s>]|script[\s>]|svg[\s>])/i.test(bytes.toString('latin1', 0, 64))) return kinds.page;
  return null;
}
