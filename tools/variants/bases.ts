/** The clean object that a variant begins with: one for each Transfer Syntax that an object can be written in here. */
import { deflateRawSync } from 'node:zlib';
import { encapsulate, withElements, withoutElements, type Element, type Encoding } from '../recipes/encode.ts';
import { secondaryCapture, sopClasses } from '../recipes/objects.ts';
import { tiny, tinyFrame, tinyPixels, tinyVideo, type TinyFrame } from './frames.ts';

export interface Base {
  readonly name: string;
  readonly uid: string;
  readonly encoding: Encoding;
  readonly isDeflated: boolean;
  /** The frame that its Pixel Data holds; null where that is native. */
  readonly frame: TinyFrame | 'deflated-frame' | null;
  readonly isVideo: boolean;
}

const native = (name: string, uid: string, encoding: Encoding, isDeflated = false): Base => ({ name, uid, encoding, isDeflated, frame: null, isVideo: false });
const encapsulated = (name: string, suffix: string, frame: Base['frame'], isVideo = false): Base => ({ name, uid: `1.2.840.10008.1.2.${suffix}`, encoding: 'explicit', isDeflated: false, frame, isVideo });

export const nativeBases: readonly Base[] = [
  native('implicit', '1.2.840.10008.1.2', 'implicit'),
  native('explicit', '1.2.840.10008.1.2.1', 'explicit'),
  native('big endian', '1.2.840.10008.1.2.2', 'big'),
  native('deflated', '1.2.840.10008.1.2.1.99', 'explicit', true),
];

export const encapsulatedBases: readonly Base[] = [
  encapsulated('encapsulated uncompressed', '1.98', 'native'),
  encapsulated('deflated frames', '8.1', 'deflated-frame'),
  encapsulated('RLE', '5', 'rle'),
  encapsulated('JPEG baseline', '4.50', 'baseline'),
  encapsulated('JPEG extended', '4.51', 'extended'),
  encapsulated('JPEG spectral selection', '4.53', 'progressive'),
  encapsulated('JPEG progressive', '4.55', 'progressive'),
  encapsulated('JPEG lossless', '4.57', 'lossless14'),
  encapsulated('JPEG lossless SV1', '4.70', 'lossless'),
  encapsulated('JPEG-LS', '4.80', 'jpegLS'),
  encapsulated('JPEG-LS near-lossless', '4.81', 'jpegLSNear'),
  encapsulated('JPEG 2000 lossless', '4.90', 'jpeg2000'),
  encapsulated('JPEG 2000', '4.91', 'jpeg2000Lossy'),
  encapsulated('JPEG 2000 part 2 lossless', '4.92', 'jpeg2000'),
  encapsulated('JPEG 2000 part 2', '4.93', 'jpeg2000Lossy'),
  encapsulated('HTJ2K lossless', '4.201', 'htj2k'),
  encapsulated('HTJ2K RPCL', '4.202', 'htj2k'),
  encapsulated('HTJ2K', '4.203', 'htj2k'),
  encapsulated('JPEG XL lossless', '4.110', 'jpegXL'),
  encapsulated('JPEG XL', '4.112', 'jpegXLLossy'),
  ...['4.100', '4.100.1', '4.101', '4.101.1'].map((suffix) => encapsulated(`MPEG-2 ${suffix}`, suffix, 'mpeg2', true)),
  ...['4.102', '4.102.1', '4.103', '4.103.1', '4.104', '4.104.1', '4.105', '4.105.1', '4.106', '4.106.1'].map((suffix) => encapsulated(`H.264 ${suffix}`, suffix, suffix.endsWith('.1') ? 'h264' : 'mp4', true)),
  encapsulated('HEVC main', '4.107', 'hevc', true),
  encapsulated('HEVC main 10', '4.108', 'hevc', true),
];
export const bases: readonly Base[] = [...nativeBases, ...encapsulatedBases];

/** The bytes of its frame. */
export function frameOf(base: Base): Buffer {
  if (base.frame === null) return tinyPixels();
  return base.frame === 'deflated-frame' ? deflateRawSync(tinyPixels()) : tinyFrame(base.frame);
}

/** A Secondary Capture of the base's picture, without its Pixel Data. `name` makes the UIDs. */
export function imageElements(base: Base, name: string): Element[] {
  const { rows, columns } = base.isVideo ? tinyVideo : tiny;
  const image = base.isVideo
    ? withElements(secondaryCapture(name, { rows, columns, samples: 3, photometric: 'YBR_PARTIAL_420' }, new Uint8Array(), sopClasses.multiframeColour),
      ['0018,1063', 'DS', '40'], ['0028,0008', 'IS', String(tinyVideo.frames)], ['0028,0009', 'AT', ['0018,1063']])
    : secondaryCapture(name, { rows, columns }, new Uint8Array());
  return withoutElements(image, '7FE0,0010');
}

/** Pixel Data of the base from the fragments of its frames. */
export function pixelData(base: Base, fragments: readonly Uint8Array[] = [frameOf(base)]): Uint8Array | Element {
  return base.frame === null ? ['7FE0,0010', 'OB', fragments[0]!] : encapsulate(fragments);
}
