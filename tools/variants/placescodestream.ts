/** Encapsulated Pixel Data: inside a codestream, behind it, and between fragments. */
import { deflateRawSync } from 'node:zlib';
import { header, itemHeader, undefinedLength } from '../recipes/encode.ts';
import { rleFragment } from '../recipes/rle.ts';
import { encapsulatedBases, frameOf, pixelData, type Base } from './bases.ts';
import { filledUp } from './draft.ts';
import { tinyFrame, tinyPixels, type TinyFrame } from './frames.ts';
import { below, pick, type Random } from './payloads.ts';
import type { Place } from './place.ts';

const even = (bytes: Uint8Array): Buffer => filledUp(bytes, 2);
const item = (bytes: Uint8Array): Buffer => Buffer.concat([itemHeader('FFFE,E000', even(bytes).length), even(bytes)]);
/** Encapsulated Pixel Data of items as they are given: the offset table first. */
const items = (...parts: readonly Uint8Array[]): Buffer => Buffer.concat([header('7FE0,0010', 'OB', undefinedLength), ...parts, itemHeader('FFFE,E0DD', 0)]);

const holding = (...frames: readonly TinyFrame[]): Base[] => encapsulatedBases.filter((base) => (frames as readonly unknown[]).includes(base.frame));
const jpegs = holding('baseline', 'extended', 'progressive', 'lossless', 'lossless14', 'jpegLS', 'jpegLSNear');
const jpegs2000 = holding('jpeg2000', 'jpeg2000Lossy', 'htj2k');
/** What can hide within one segment. */
const segmentBytesMax = 65_000;

/** A marker segment with the payload after a few bytes of what such segments begin with. */
function segment(marker: number, payload: Buffer, random: Random): Buffer {
  const label = pick(random, ['', 'Exif\0\0', 'ICC_PROFILE\0\u0001\u0001', 'http://ns.adobe.com/xap/1.0/\0', 'JFXX\0\u0010']);
  const bytes = Buffer.concat([Buffer.from(marker === 0xfe ? '' : label, 'latin1'), payload]);
  return Buffer.concat([Buffer.from([0xff, marker, (bytes.length + 2) >> 8, (bytes.length + 2) & 0xff]), bytes]);
}
function inserted(bytes: Buffer, at: number, more: Uint8Array): Buffer {
  return Buffer.concat([bytes.subarray(0, at), more, bytes.subarray(at)]);
}
const inFrame = (name: string, bases: readonly Base[], change: (frame: Buffer, payload: Buffer, random: Random, base: Base) => Buffer, bytesMax = segmentBytesMax): Place => ({
  name, bases, bytesMax, isInside: true, isPixels: true, put: (base, payload, random, object) => ({ base, name: object, pixels: pixelData(base, [change(frameOf(base), payload, random, base)]) }),
});
const inItems = (name: string, change: (frame: Buffer, payload: Buffer, random: Random) => readonly Uint8Array[]): Place => ({
  name, bases: encapsulatedBases, isInside: true, isPixels: true, put: (base, payload, random, object) => ({ base, name: object, pixels: items(...change(frameOf(base), payload, random)) }),
});

/** A JP2 or JPEG XL box. */
function box(type: string, content: Uint8Array): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(content.length + 8, 0);
  head.write(type, 4, 'latin1');
  return Buffer.concat([head, content]);
}
const uuid = Buffer.from('be7acfcb97a942e89c71999491e3afac', 'hex');
function randomBox(payload: Buffer, random: Random): Buffer {
  const type = pick(random, ['uuid', 'xml ', 'free', 'url ', 'jp2i', 'abcd']);
  return box(type, type === 'uuid' ? Buffer.concat([uuid, payload]) : payload);
}

/** JPEG XL in its container (ISO/IEC 18181-2): signature, file type, and then boxes. */
const jpegXLContainer = (codestream: Buffer, more: Buffer): Buffer => Buffer.concat([
  Buffer.from('0000000c4a584c200d0a870a', 'hex'), box('ftyp', Buffer.from('jxl \0\0\0\0jxl ', 'latin1')), more, box('jxlc', codestream),
]);

/** A NAL unit of supplemental enhancement information, user data unregistered (H.264 §7.3.2.3, D.1.7; HEVC the same with two header bytes). */
function sei(payload: Buffer, isHEVC: boolean): Buffer {
  const sizes = Buffer.concat([Buffer.alloc(Math.floor((payload.length + 16) / 255), 0xff), Buffer.from([(payload.length + 16) % 255])]);
  const raw = Buffer.concat([Buffer.from([5]), sizes, uuid, payload, Buffer.from([0x80])]);
  const escaped: number[] = [];
  let zeros = 0;
  for (const byte of raw) {
    if (zeros >= 2 && byte <= 3) {
      escaped.push(3);
      zeros = 0;
    }
    escaped.push(byte);
    zeros = byte === 0 ? zeros + 1 : 0;
  }
  return Buffer.concat([Buffer.from(isHEVC ? [0, 0, 0, 1, 0x4e, 1] : [0, 0, 0, 1, 6]), Buffer.from(escaped)]);
}

export const placesCodestream: readonly Place[] = [
  inItems('further fragment', (frame, payload) => [item(new Uint8Array()), item(frame), item(payload)]),
  inItems('further fragment, before', (frame, payload) => [item(new Uint8Array()), item(payload), item(frame)]),
  inItems('offset table', (frame, payload) => [item(filledUp(payload, 4)), item(frame)]),
  inItems('offset table, after the first entry', (frame, payload) => [item(Buffer.concat([Buffer.alloc(4), filledUp(payload, 4)])), item(frame)]),
  inItems('between fragments', (frame, payload) => [item(new Uint8Array()), even(payload), item(frame)]),
  inItems('before the sequence delimiter', (frame, payload) => [item(new Uint8Array()), item(frame), even(payload)]),
  inItems('instead of a codestream', (_, payload) => [item(new Uint8Array()), item(payload)]),
  inFrame('behind a codestream', encapsulatedBases, (frame, payload) => Buffer.concat([frame, payload])),
  inFrame('behind a codestream, later', encapsulatedBases, (frame, payload, random) => Buffer.concat([frame, Buffer.alloc(1 + below(random, 2000)), payload])),
  { name: 'extended offset table', bases: encapsulatedBases, put: (base, payload, _, name) => ({ base, name, elements: [['7FE0,0001', 'OV', filledUp(payload, 8)], ['7FE0,0002', 'OV', Buffer.alloc(filledUp(payload, 8).length)]] }) },
  inFrame('JPEG application segment', jpegs, (frame, payload, random) => inserted(frame, 2, segment(0xe0 + below(random, 16), payload, random))),
  inFrame('JPEG comment', jpegs, (frame, payload, random) => inserted(frame, 2, segment(0xfe, payload, random))),
  inFrame('JPEG table that nothing uses', jpegs.filter((base) => base.uid !== '1.2.840.10008.1.2.4.80' && base.uid !== '1.2.840.10008.1.2.4.81'), (frame, payload, random) => inserted(frame, 2, segment(pick(random, [0xdb, 0xc4]), payload, () => 0))),
  inFrame('JPEG unknown segment', jpegs, (frame, payload, random) => inserted(frame, 2, segment(pick(random, [0xf0, 0xf5, 0xfd, 0x02, 0xbf]), payload, random))),
  inFrame('before the JPEG end', jpegs, (frame, payload) => inserted(frame, frame.lastIndexOf(Buffer.from([0xff, 0xd9])), payload)),
  inFrame('JPEG scan after the last', jpegs, (frame, payload) => inserted(frame, frame.lastIndexOf(Buffer.from([0xff, 0xd9])), Buffer.concat([Buffer.from('ffda0008010100000000', 'hex'), payload]))),
  inFrame('JPEG 2000 comment', jpegs2000, (frame, payload) => {
    const bytes = Buffer.concat([Buffer.from([0, 0]), payload]);
    return inserted(frame, 2 + 2 + frame.readUInt16BE(4), Buffer.concat([Buffer.from([0xff, 0x64, (bytes.length + 2) >> 8, (bytes.length + 2) & 0xff]), bytes]));
  }),
  inFrame('before the JPEG 2000 end', jpegs2000, (frame, payload) => inserted(frame, frame.length - 2, payload)),
  inFrame('JP2 box', holding('jpeg2000'), (_, payload, random) => Buffer.concat([tinyFrame('jp2'), randomBox(payload, random)])),
  inFrame('JP2 box, before the codestream', holding('jpeg2000'), (_, payload, random) => {
    const file = tinyFrame('jp2');
    return inserted(file, file.indexOf('jp2c') - 4, randomBox(payload, random));
  }),
  inFrame('JPEG XL box', holding('jpegXL', 'jpegXLLossy'), (frame, payload, random) => jpegXLContainer(frame, box(pick(random, ['Exif', 'xml ', 'jumb', 'brob', 'free', 'abcd']), payload))),
  inFrame('RLE segment too many', holding('rle'), (frame, payload) => rleFragment([frame.subarray(64), payload])),
  inFrame('RLE gap before the segment', holding('rle'), (frame, payload) => {
    const gap = rleFragment([frame.subarray(64)], [64 + payload.length], 1);
    return inserted(gap, 64, payload);
  }),
  inFrame('RLE header', holding('rle'), (frame, payload) => {
    const changed = Buffer.from(frame);
    changed.set(payload.subarray(0, 56), 8);
    return changed;
  }, 56),
  { name: 'among deflated pixels', isInside: true, isPixels: true, bases: encapsulatedBases.filter((base) => base.frame === 'deflated-frame' || base.frame === 'rle'), put: (base, payload, random, name) => {
    const pixels = tinyPixels();
    pixels.set(payload.subarray(0, 900), below(random, 100));
    return { base, name, pixels: pixelData(base, [base.frame === 'rle' ? rleFragment([literals(pixels)]) : deflateRawSync(pixels)]) };
  }, bytesMax: 900 },
  inFrame('MPEG-2 user data', holding('mpeg2'), (frame, payload) => {
    const at = frame.indexOf(Buffer.from([0, 0, 1, 0xb8]));
    return inserted(frame, Math.max(at, 0), Buffer.concat([Buffer.from([0, 0, 1, 0xb2]), payload]));
  }),
  inFrame('H.264 or HEVC message', holding('h264', 'hevc'), (frame, payload, _, base) => inserted(frame, 0, sei(payload, base.frame === 'hevc'))),
  inFrame('MP4 box', holding('mp4'), (frame, payload, random) => {
    const extra = box(pick(random, ['free', 'skip', 'uuid', 'udta', 'meta', 'abcd']), payload);
    return random() < 0.5 ? Buffer.concat([frame, extra]) : inserted(frame, frame.readUInt32BE(0), extra);
  }),
];

/** RLE of literal runs only, row by row: the pixels stand in the file as they are, but for a byte of length each row. */
function literals(pixels: Buffer): Buffer {
  return Buffer.concat(Array.from({ length: 32 }, (_, row) => Buffer.concat([Buffer.from([31]), pixels.subarray(row * 32, row * 32 + 32)])));
}
