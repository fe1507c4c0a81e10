/**
 * Every Transfer Syntax of the standard (PS3.6 Table A-1, edition 2025e; encodings of PS3.5 §10 and Annex A), retired ones too.
 */

/** How a frame of Pixel Data is coded. `native` has no codec; `jpip`, `smpte`, `mime` and `xml` carry no frame in the Data Set. */
export type Codec =
  | 'native'
  | 'uncompressed'
  | 'deflate'
  | 'rle'
  | 'jpeg'
  | 'jpeg-lossless'
  | 'jpeg-ls'
  | 'jpeg-2000'
  | 'htj2k'
  | 'jpeg-xl'
  | 'mpeg-2'
  | 'h264'
  | 'hevc'
  | 'jpip'
  | 'smpte'
  | 'mime'
  | 'xml';

export interface TransferSyntax {
  readonly uid: string;
  readonly name: string;
  /** Each element carries its VR. */
  readonly explicitVR: boolean;
  readonly littleEndian: boolean;
  /** The whole Data Set is one raw deflate stream (PS3.5 A.5, A.7, A.12). */
  readonly deflated: boolean;
  /** Pixel Data at the top level is a sequence of fragments (PS3.5 A.4). */
  readonly encapsulated: boolean;
  readonly codec: Codec;
  readonly retired: boolean;
}

type Row = readonly [uid: string, vr: 'implicit' | 'explicit', byteOrder: 'little' | 'big', form: 'native' | 'deflated' | 'encapsulated', codec: Codec, retired: boolean, name: string];

// prettier-ignore
const rows: readonly Row[] = [
  ['1.2.840.10008.1.2', 'implicit', 'little', 'native', 'native', false, 'Implicit VR Little Endian'],
  ['1.2.840.10008.1.2.1', 'explicit', 'little', 'native', 'native', false, 'Explicit VR Little Endian'],
  ['1.2.840.10008.1.2.1.98', 'explicit', 'little', 'encapsulated', 'uncompressed', false, 'Encapsulated Uncompressed Explicit VR Little Endian'],
  ['1.2.840.10008.1.2.1.99', 'explicit', 'little', 'deflated', 'native', false, 'Deflated Explicit VR Little Endian'],
  ['1.2.840.10008.1.2.2', 'explicit', 'big', 'native', 'native', true , 'Explicit VR Big Endian'],
  ['1.2.840.10008.1.2.4.50', 'explicit', 'little', 'encapsulated', 'jpeg', false, 'JPEG Baseline (Process 1)'],
  ['1.2.840.10008.1.2.4.51', 'explicit', 'little', 'encapsulated', 'jpeg', false, 'JPEG Extended (Process 2 and 4)'],
  ['1.2.840.10008.1.2.4.52', 'explicit', 'little', 'encapsulated', 'jpeg', true , 'JPEG Extended (Process 3 and 5)'],
  ['1.2.840.10008.1.2.4.53', 'explicit', 'little', 'encapsulated', 'jpeg', true , 'JPEG Spectral Selection, Non-Hierarchical (Process 6 and 8)'],
  ['1.2.840.10008.1.2.4.54', 'explicit', 'little', 'encapsulated', 'jpeg', true , 'JPEG Spectral Selection, Non-Hierarchical (Process 7 and 9)'],
  ['1.2.840.10008.1.2.4.55', 'explicit', 'little', 'encapsulated', 'jpeg', true , 'JPEG Full Progression, Non-Hierarchical (Process 10 and 12)'],
  ['1.2.840.10008.1.2.4.56', 'explicit', 'little', 'encapsulated', 'jpeg', true , 'JPEG Full Progression, Non-Hierarchical (Process 11 and 13)'],
  ['1.2.840.10008.1.2.4.57', 'explicit', 'little', 'encapsulated', 'jpeg-lossless', false, 'JPEG Lossless, Non-Hierarchical (Process 14)'],
  ['1.2.840.10008.1.2.4.58', 'explicit', 'little', 'encapsulated', 'jpeg-lossless', true , 'JPEG Lossless, Non-Hierarchical (Process 15)'],
  ['1.2.840.10008.1.2.4.59', 'explicit', 'little', 'encapsulated', 'jpeg', true , 'JPEG Extended, Hierarchical (Process 16 and 18)'],
  ['1.2.840.10008.1.2.4.60', 'explicit', 'little', 'encapsulated', 'jpeg', true , 'JPEG Extended, Hierarchical (Process 17 and 19)'],
  ['1.2.840.10008.1.2.4.61', 'explicit', 'little', 'encapsulated', 'jpeg', true , 'JPEG Spectral Selection, Hierarchical (Process 20 and 22)'],
  ['1.2.840.10008.1.2.4.62', 'explicit', 'little', 'encapsulated', 'jpeg', true , 'JPEG Spectral Selection, Hierarchical (Process 21 and 23)'],
  ['1.2.840.10008.1.2.4.63', 'explicit', 'little', 'encapsulated', 'jpeg', true , 'JPEG Full Progression, Hierarchical (Process 24 and 26)'],
  ['1.2.840.10008.1.2.4.64', 'explicit', 'little', 'encapsulated', 'jpeg', true , 'JPEG Full Progression, Hierarchical (Process 25 and 27)'],
  ['1.2.840.10008.1.2.4.65', 'explicit', 'little', 'encapsulated', 'jpeg-lossless', true , 'JPEG Lossless, Hierarchical (Process 28)'],
  ['1.2.840.10008.1.2.4.66', 'explicit', 'little', 'encapsulated', 'jpeg-lossless', true , 'JPEG Lossless, Hierarchical (Process 29)'],
  ['1.2.840.10008.1.2.4.70', 'explicit', 'little', 'encapsulated', 'jpeg-lossless', false, 'JPEG Lossless, Non-Hierarchical, First-Order Prediction (Process 14 [Selection Value 1])'],
  ['1.2.840.10008.1.2.4.80', 'explicit', 'little', 'encapsulated', 'jpeg-ls', false, 'JPEG-LS Lossless Image Compression'],
  ['1.2.840.10008.1.2.4.81', 'explicit', 'little', 'encapsulated', 'jpeg-ls', false, 'JPEG-LS Lossy (Near-Lossless) Image Compression'],
  ['1.2.840.10008.1.2.4.90', 'explicit', 'little', 'encapsulated', 'jpeg-2000', false, 'JPEG 2000 Image Compression (Lossless Only)'],
  ['1.2.840.10008.1.2.4.91', 'explicit', 'little', 'encapsulated', 'jpeg-2000', false, 'JPEG 2000 Image Compression'],
  ['1.2.840.10008.1.2.4.92', 'explicit', 'little', 'encapsulated', 'jpeg-2000', false, 'JPEG 2000 Part 2 Multi-component Image Compression (Lossless Only)'],
  ['1.2.840.10008.1.2.4.93', 'explicit', 'little', 'encapsulated', 'jpeg-2000', false, 'JPEG 2000 Part 2 Multi-component Image Compression'],
  ['1.2.840.10008.1.2.4.94', 'explicit', 'little', 'native', 'jpip', false, 'JPIP Referenced'],
  ['1.2.840.10008.1.2.4.95', 'explicit', 'little', 'deflated', 'jpip', false, 'JPIP Referenced Deflate'],
  ['1.2.840.10008.1.2.4.100', 'explicit', 'little', 'encapsulated', 'mpeg-2', false, 'MPEG2 Main Profile / Main Level'],
  ['1.2.840.10008.1.2.4.100.1', 'explicit', 'little', 'encapsulated', 'mpeg-2', false, 'Fragmentable MPEG2 Main Profile / Main Level'],
  ['1.2.840.10008.1.2.4.101', 'explicit', 'little', 'encapsulated', 'mpeg-2', false, 'MPEG2 Main Profile / High Level'],
  ['1.2.840.10008.1.2.4.101.1', 'explicit', 'little', 'encapsulated', 'mpeg-2', false, 'Fragmentable MPEG2 Main Profile / High Level'],
  ['1.2.840.10008.1.2.4.102', 'explicit', 'little', 'encapsulated', 'h264', false, 'MPEG-4 AVC/H.264 High Profile / Level 4.1'],
  ['1.2.840.10008.1.2.4.102.1', 'explicit', 'little', 'encapsulated', 'h264', false, 'Fragmentable MPEG-4 AVC/H.264 High Profile / Level 4.1'],
  ['1.2.840.10008.1.2.4.103', 'explicit', 'little', 'encapsulated', 'h264', false, 'MPEG-4 AVC/H.264 BD-compatible High Profile / Level 4.1'],
  ['1.2.840.10008.1.2.4.103.1', 'explicit', 'little', 'encapsulated', 'h264', false, 'Fragmentable MPEG-4 AVC/H.264 BD-compatible High Profile / Level 4.1'],
  ['1.2.840.10008.1.2.4.104', 'explicit', 'little', 'encapsulated', 'h264', false, 'MPEG-4 AVC/H.264 High Profile / Level 4.2 For 2D Video'],
  ['1.2.840.10008.1.2.4.104.1', 'explicit', 'little', 'encapsulated', 'h264', false, 'Fragmentable MPEG-4 AVC/H.264 High Profile / Level 4.2 For 2D Video'],
  ['1.2.840.10008.1.2.4.105', 'explicit', 'little', 'encapsulated', 'h264', false, 'MPEG-4 AVC/H.264 High Profile / Level 4.2 For 3D Video'],
  ['1.2.840.10008.1.2.4.105.1', 'explicit', 'little', 'encapsulated', 'h264', false, 'Fragmentable MPEG-4 AVC/H.264 High Profile / Level 4.2 For 3D Video'],
  ['1.2.840.10008.1.2.4.106', 'explicit', 'little', 'encapsulated', 'h264', false, 'MPEG-4 AVC/H.264 Stereo High Profile / Level 4.2'],
  ['1.2.840.10008.1.2.4.106.1', 'explicit', 'little', 'encapsulated', 'h264', false, 'Fragmentable MPEG-4 AVC/H.264 Stereo High Profile / Level 4.2'],
  ['1.2.840.10008.1.2.4.107', 'explicit', 'little', 'encapsulated', 'hevc', false, 'HEVC/H.265 Main Profile / Level 5.1'],
  ['1.2.840.10008.1.2.4.108', 'explicit', 'little', 'encapsulated', 'hevc', false, 'HEVC/H.265 Main 10 Profile / Level 5.1'],
  ['1.2.840.10008.1.2.4.110', 'explicit', 'little', 'encapsulated', 'jpeg-xl', false, 'JPEG XL Lossless'],
  ['1.2.840.10008.1.2.4.111', 'explicit', 'little', 'encapsulated', 'jpeg-xl', false, 'JPEG XL JPEG Recompression'],
  ['1.2.840.10008.1.2.4.112', 'explicit', 'little', 'encapsulated', 'jpeg-xl', false, 'JPEG XL'],
  ['1.2.840.10008.1.2.4.201', 'explicit', 'little', 'encapsulated', 'htj2k', false, 'High-Throughput JPEG 2000 Image Compression (Lossless Only)'],
  ['1.2.840.10008.1.2.4.202', 'explicit', 'little', 'encapsulated', 'htj2k', false, 'High-Throughput JPEG 2000 with RPCL Options Image Compression (Lossless Only)'],
  ['1.2.840.10008.1.2.4.203', 'explicit', 'little', 'encapsulated', 'htj2k', false, 'High-Throughput JPEG 2000 Image Compression'],
  ['1.2.840.10008.1.2.4.204', 'explicit', 'little', 'native', 'jpip', false, 'JPIP HTJ2K Referenced'],
  ['1.2.840.10008.1.2.4.205', 'explicit', 'little', 'deflated', 'jpip', false, 'JPIP HTJ2K Referenced Deflate'],
  ['1.2.840.10008.1.2.5', 'explicit', 'little', 'encapsulated', 'rle', false, 'RLE Lossless'],
  ['1.2.840.10008.1.2.6.1', 'explicit', 'little', 'native', 'mime', true , 'RFC 2557 MIME encapsulation'],
  ['1.2.840.10008.1.2.6.2', 'explicit', 'little', 'native', 'xml', true , 'XML Encoding'],
  ['1.2.840.10008.1.2.7.1', 'explicit', 'little', 'native', 'smpte', false, 'SMPTE ST 2110-20 Uncompressed Progressive Active Video'],
  ['1.2.840.10008.1.2.7.2', 'explicit', 'little', 'native', 'smpte', false, 'SMPTE ST 2110-20 Uncompressed Interlaced Active Video'],
  ['1.2.840.10008.1.2.7.3', 'explicit', 'little', 'native', 'smpte', false, 'SMPTE ST 2110-30 PCM Digital Audio'],
  ['1.2.840.10008.1.2.8.1', 'explicit', 'little', 'encapsulated', 'deflate', false, 'Deflated Image Frame Compression'],
  ['1.2.840.10008.1.20', 'implicit', 'little', 'native', 'native', true , 'Papyrus 3 Implicit VR Little Endian'],
];

/** All Transfer Syntaxes in the order of their UIDs. */
export const transferSyntaxes: readonly TransferSyntax[] = rows.map(([uid, vr, byteOrder, form, codec, retired, name]) => ({
  uid,
  name,
  explicitVR: vr === 'explicit',
  littleEndian: byteOrder === 'little',
  deflated: form === 'deflated',
  encapsulated: form === 'encapsulated',
  codec,
  retired,
}));

/** The same, by UID. */
export const transferSyntaxByUID: ReadonlyMap<string, TransferSyntax> = new Map(transferSyntaxes.map((transferSyntax) => [transferSyntax.uid, transferSyntax]));

export const implicitVRLittleEndian = '1.2.840.10008.1.2';
export const explicitVRLittleEndian = '1.2.840.10008.1.2.1';
export const explicitVRBigEndian = '1.2.840.10008.1.2.2';
export const deflatedExplicitVRLittleEndian = '1.2.840.10008.1.2.1.99';
