/** THREATS A10, A12 and the codecs of B8 and B9: what can be put into, between and behind compressed frames and videos, and frames that mislead decoders. */
import { deflateRawSync } from 'node:zlib';
import { encapsulate, encode, header, itemHeader, undefinedLength, withElements, withoutElements, type Element } from './encode.ts';
import { box, joined, jp2, jpeg2000Parts, jpegParts, jpegXL, jpegXLContainer, segment, tilePart } from './frames.ts';
import * as inert from './inert.ts';
import { make } from './make.ts';
import { secondaryCapture, sopClasses } from './objects.ts';
import { clean, held, malformed, malicious, unscannable, type Expected, type Recipe } from './recipe.ts';
import { rleFragment, rleFrame } from './rle.ts';
import { annexB, h264Units, hevcUnits, mp4, mpeg2Stream, nextPacket, packet, pes, programStream, transportStream } from './video.ts';

const size = { rows: 32, columns: 32 };
const none = Buffer.alloc(0);
const videoPhotographicImage = '1.2.840.10008.5.1.4.1.1.77.1.4.1';

interface Image {
  readonly samples?: 1 | 3;
  readonly photometric?: string;
  readonly bitsAllocated?: number;
  readonly more?: readonly Element[];
  /** Instead of one fragment without offset table. */
  readonly pixels?: () => Uint8Array;
  readonly expected?: Expected;
}

/** An image of 32 by 32 whose pixels are one frame in one fragment. */
function image(threat: string, name: string, why: string, syntax: string, frame: () => Uint8Array, { samples = 1, photometric = samples === 3 ? 'YBR_FULL_422' : 'MONOCHROME2', bitsAllocated = 8, more = [], pixels, expected = malformed }: Image = {}): Recipe {
  return make({
    name, threat, why, expected, syntax: 'jpegBaseline', transferSyntaxUID: `1.2.840.10008.1.2.${syntax}`,
    elements: () => {
      const base = withElements(secondaryCapture(name, { ...size, samples, photometric }, new Uint8Array()), ['0028,0100', 'US', bitsAllocated], ['0028,0101', 'US', bitsAllocated], ['0028,0102', 'US', bitsAllocated - 1], ...more);
      return [...withoutElements(base, '7FE0,0010'), pixels?.() ?? encapsulate([frame()])];
    },
  });
}

/** A video of two pictures of 64 by 64 in one fragment. */
function video(threat: string, name: string, why: string, syntax: string, stream: () => Uint8Array, expected: Expected = malformed): Recipe {
  return make({
    name, threat, why, expected, syntax: 'jpegBaseline', transferSyntaxUID: `1.2.840.10008.1.2.${syntax}`,
    elements: () => [
      ...withoutElements(withElements(secondaryCapture(name, { rows: 64, columns: 64, samples: 3, photometric: 'YBR_PARTIAL_420' }, new Uint8Array(), videoPhotographicImage), ['0008,0060', 'CS', 'XC'], ['0018,1063', 'DS', '40'], ['0028,0008', 'IS', '2'], ['0028,0009', 'AT', '0018,1063']), '7FE0,0010'),
      encapsulate([stream()]),
    ],
  });
}

const jpeg = (put: Parameters<typeof joined>[1] = {}): Buffer => joined(jpegParts(size), put);
const j2k = (put: Parameters<typeof joined>[1] = {}): Buffer => joined(jpeg2000Parts(size), put);
const tile = (part: Uint8Array): Buffer => joined(new Map([...jpeg2000Parts(size), ['tile0', part]]));
const after = (bytes: Uint8Array): readonly [Uint8Array, Uint8Array] => [none, bytes];
const flat = (): Buffer => rleFrame(Buffer.alloc(1024, 7), 1, 1, 32);
const avc = (): Buffer => annexB(h264Units);
/** Units with one put between the parameter sets and the pictures. */
const among = (unit: Uint8Array): Buffer => annexB([...h264Units.slice(0, 2), unit, ...h264Units.slice(2)]);
/** Supplemental information of one message. */
function supplemental(type: number, payload: Uint8Array): Buffer {
  const length = [...Array.from({ length: Math.floor(payload.length / 255) }, () => 0xff), payload.length % 255];
  return Buffer.concat([Buffer.from([6, type, ...length]), escaped(payload), Buffer.from([0x80])]);
}
/** No start code may occur in a unit: 00 00 03 stands for 00 00. */
function escaped(bytes: Uint8Array): Buffer {
  const out: number[] = [];
  let zeros = 0;
  for (const byte of bytes) {
    if (zeros >= 2 && byte <= 3) {
      out.push(3);
      zeros = 0;
    }
    out.push(byte);
    zeros = byte === 0 ? zeros + 1 : 0;
  }
  return Buffer.from(out);
}

function numbers64(values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 8);
  values.forEach((value, index) => bytes.writeBigUInt64LE(BigInt(value), index * 8));
  return bytes;
}

/** Two frames of JPEG with an Extended Offset Table. */
function withOffsets(name: string, why: string, offsets: readonly number[], lengths: readonly number[], expected: Expected): Recipe {
  const frame = (): Buffer => Buffer.concat([jpeg(), Buffer.alloc(jpeg().length % 2)]);
  return image('B8', name, why, '4.50', frame, {
    expected,
    more: [['0028,0008', 'IS', '2'], ['0008,0016', 'UI', sopClasses.multiframeByte], ['7FE0,0001', 'OV', numbers64(offsets)], ['7FE0,0002', 'OV', numbers64(lengths)]],
    pixels: () => encapsulate([frame(), frame()]),
  });
}
const frameLength = jpeg().length + (jpeg().length % 2);

/** A JPEG icon in an Icon Image Sequence of a JPEG image. */
function withIcon(name: string, why: string, icon: () => Uint8Array, expected: Expected): Recipe {
  const item = (): Buffer => {
    const content = Buffer.concat([encode([['0028,0002', 'US', 1], ['0028,0004', 'CS', 'MONOCHROME2'], ['0028,0010', 'US', 32], ['0028,0011', 'US', 32], ['0028,0100', 'US', 8], ['0028,0101', 'US', 8], ['0028,0102', 'US', 7], ['0028,0103', 'US', 0]]), encapsulate([icon()])]);
    return Buffer.concat([header('0088,0200', 'SQ', undefinedLength), itemHeader('FFFE,E000', undefinedLength), content, itemHeader('FFFE,E00D', 0), itemHeader('FFFE,E0DD', 0)]);
  };
  return image('A10', name, why, '4.50', jpeg, { expected, pixels: () => Buffer.concat([item(), encapsulate([jpeg()])]) });
}

export const benignCodestreams: readonly Recipe[] = [
  image('benign', 'frame-jpeg', 'A JPEG with JFIF, a comment and a restart interval.', '4.50', () => joined(jpegParts({ ...size, restart: 4 }), { soi: after(segment(0xfffe, Buffer.from('Phantom 1.0'))) }), { expected: clean }),
  image('benign', 'frame-jpeg-colour', 'A JPEG of three components.', '4.50', () => joined(jpegParts({ ...size, components: 3 })), { expected: clean, samples: 3 }),
  image('benign', 'frame-jpeg-photograph', 'A JPEG with what cameras write: Exif and an ICC profile.', '4.50', () => jpeg({ soi: after(Buffer.concat([segment(0xffe1, Buffer.concat([Buffer.from('Exif\0\0MM\0*\0\0\0\b'), Buffer.alloc(200)])), segment(0xffe2, Buffer.concat([Buffer.from('ICC_PROFILE\0'), Buffer.alloc(500)]))])) }), { expected: clean }),
  image('benign', 'frame-jpeg-fragments', 'One JPEG in four fragments.', '4.50', jpeg, { expected: clean, pixels: () => encapsulate([0, 1, 2, 3].map((part) => jpeg().subarray(part * 50, part === 3 ? undefined : part * 50 + 50))) }),
  image('benign', 'frame-jpeg-lossless', 'JPEG lossless of 16 bits.', '4.70', () => joined(jpegParts({ ...size, lossless: true, precision: 16 })), { expected: clean, bitsAllocated: 16 }),
  image('benign', 'frame-jpeg-ls', 'JPEG-LS.', '4.80', () => joined(jpegParts({ ...size, isLS: true })), { expected: clean }),
  image('benign', 'frame-jpeg-2000', 'JPEG 2000 in four tiles.', '4.90', () => joined(jpeg2000Parts({ ...size, tile: 16 })), { expected: clean }),
  image('benign', 'frame-jp2', 'JPEG 2000 in the file format that the standard does not ask for and some modalities leave around it.', '4.90', () => jp2(j2k(), 32, 32, box('uuid', Buffer.alloc(48, 7))), { expected: clean }),
  image('benign', 'frame-htj2k', 'High-throughput JPEG 2000.', '4.201', () => joined(jpeg2000Parts({ ...size, isHT: true })), { expected: clean }),
  image('benign', 'frame-jpeg-xl', 'JPEG XL.', '4.110', () => jpegXL, { expected: clean }),
  image('benign', 'frame-deflated', 'A deflated frame.', '8.1', () => deflateRawSync(Buffer.alloc(1024, 7)), { expected: clean }),
  video('benign', 'video-mpeg2', 'MPEG-2 in a program stream with sound.', '4.100', () => programStream(mpeg2Stream, pes(0xc0, Buffer.alloc(64, 0x55))), clean),
  video('benign', 'video-h264', 'H.264 in MP4.', '4.102', () => mp4(h264Units), clean),
  video('benign', 'video-h264-stream', 'H.264 in a transport stream, with a caption.', '4.102', () => transportStream(0x1b, among(supplemental(4, Buffer.from('\u00b5\0\u0031GA94', 'latin1')))), clean),
  video('benign', 'video-hevc', 'HEVC in a transport stream.', '4.107', () => transportStream(0x24, annexB(hevcUnits)), clean),
  withOffsets('offsets-extended', 'An Extended Offset Table with its lengths.', [0, frameLength + 8], [frameLength, frameLength], clean),
  withIcon('icon-jpeg', 'A compressed icon in a compressed image.', jpeg, clean),
];

export const codestreams: readonly Recipe[] = [
  image('A10', 'jpeg-behind-pe', 'A program behind the end of a JPEG image, inside its fragment.', '4.50', () => jpeg({ eoi: after(inert.pe()) }), { expected: held }),
  image('A10', 'jpeg-behind-text', 'Some words behind the end of a JPEG image.', '4.50', () => jpeg({ eoi: after(Buffer.from('nobody shows what stands here')) })),
  image('A10', 'jpeg-behind-jpeg', 'A second JPEG image behind the first one.', '4.50', () => jpeg({ eoi: after(jpeg()) })),
  image('A10', 'jpeg-application-elf', 'A program in an application segment, where decoders pass over it.', '4.50', () => jpeg({ soi: after(segment(0xffe9, inert.elf())) }), { expected: malicious }),
  image('A10', 'jpeg-exif-pe', 'A program in Exif.', '4.50', () => jpeg({ soi: after(segment(0xffe1, Buffer.concat([Buffer.from('Exif\0\0'), inert.pe()]))) }), { expected: malicious }),
  image('A10', 'jpeg-application-large', 'Sixty kilobytes in an application segment that no writer is known for.', '4.50', () => jpeg({ soi: after(segment(0xffe9, Buffer.alloc(60_000, 0x41))) })),
  image('A10', 'jpeg-comment-eicar', 'EICAR in a comment.', '4.50', () => jpeg({ soi: after(segment(0xfffe, inert.eicar())) }), { expected: malicious }),
  image('A10', 'jpeg-comment-page', 'A web page in a comment.', '4.50', () => jpeg({ soi: after(segment(0xfffe, inert.html())) }), { expected: held }),
  image('A10', 'jpeg-comment-zip', 'A ZIP archive in a comment.', '4.50', () => jpeg({ soi: after(segment(0xfffe, inert.zip())) }), { expected: held }),
  image('A10', 'jpeg-comments', 'Five comments of two kilobytes.', '4.50', () => jpeg({ soi: after(Buffer.concat(Array.from({ length: 5 }, () => segment(0xfffe, Buffer.alloc(2000, 0x42))))) })),
  image('A10', 'jpeg-thumbnail', 'A JFIF segment that is longer than its thumbnail.', '4.50', () => jpeg({ soi: after(segment(0xffe0, Buffer.concat([Buffer.from('JFIF'), Buffer.from([0, 1, 1, 0, 0, 1, 0, 1, 0, 0]), Buffer.alloc(500, 0x43)]))) })),
  image('A10', 'jpeg-between', 'Bytes between two marker segments.', '4.50', () => jpeg({ sof: after(Buffer.from('between')) })),
  image('A10', 'jpeg-fragment-more', 'A program as a second fragment of the one frame.', '4.50', jpeg, { expected: held, pixels: () => encapsulate([jpeg(), inert.pe()]) }),
  image('A10', 'jpeg-fragment-zeros', 'A fragment of zeros after the last one.', '4.50', jpeg, { pixels: () => encapsulate([jpeg(), Buffer.alloc(64)]) }),
  image('A10', 'jpeg-bloated', 'A frame of a megabyte for a thousand pixels: decoders stop after the last one.', '4.50', () => jpeg({ data: after(Buffer.alloc(1_000_000, 0x3f)) })),
  image('A10', 'jpeg-ls-application', 'A program in an application segment of JPEG-LS.', '4.80', () => joined(jpegParts({ ...size, isLS: true }), { soi: after(segment(0xffe9, inert.elf())) }), { expected: malicious }),
  image('A10', 'jpeg-ls-behind', 'Bytes behind the end of JPEG-LS.', '4.80', () => joined(jpegParts({ ...size, isLS: true }), { eoi: after(Buffer.from('nobody shows what stands here')) })),
  image('A10', 'jpeg-2000-behind', 'Bytes behind the end of a JPEG 2000 codestream.', '4.90', () => j2k({ eoc: after(Buffer.from('nobody shows what stands here')) })),
  image('A10', 'jpeg-2000-gap', 'Bytes between the last tile-part and the end.', '4.90', () => j2k({ eoc: [Buffer.from('between'), none] })),
  image('A10', 'jpeg-2000-comment-elf', 'A program in a comment of JPEG 2000.', '4.90', () => j2k({ qcd: after(segment(0xff64, Buffer.concat([Buffer.from([0, 0]), inert.elf()]))) }), { expected: held }),
  image('A10', 'jpeg-2000-comment-pe', 'A Windows program in a comment of JPEG 2000.', '4.90', () => j2k({ qcd: after(segment(0xff64, Buffer.concat([Buffer.from([0, 0]), inert.pe()]))) }), { expected: malicious }),
  image('A10', 'jpeg-2000-packets', 'A tile-part of 20 MB of what could be packets.', '4.90', () => tile(tilePart(0, Buffer.alloc(20_000_000, 0x44)))),
  image('A10', 'jp2-uuid-elf', 'A program in a box that decoders pass over.', '4.90', () => jp2(j2k(), 32, 32, box('uuid', inert.elf())), { expected: malicious }),
  image('A10', 'jp2-xml', 'Twenty kilobytes of XML in a box.', '4.90', () => jp2(j2k(), 32, 32, box('xml ', Buffer.alloc(20_000, 0x20)))),
  image('A10', 'jp2-unknown', 'A box of a type that no standard has.', '4.90', () => jp2(j2k(), 32, 32, box('hide', Buffer.from('in here')))),
  image('A10', 'jp2-behind', 'A box behind the codestream.', '4.90', () => Buffer.concat([jp2(j2k(), 32, 32), box('xml ', Buffer.alloc(4000, 0x20))])),
  image('A10', 'htj2k-behind', 'Bytes behind the end of a high-throughput codestream.', '4.201', () => joined(jpeg2000Parts({ ...size, isHT: true }), { eoc: after(Buffer.from('nobody shows what stands here')) })),
  image('A10', 'jpeg-xl-behind', 'Bytes behind the last frame of JPEG XL.', '4.110', () => Buffer.concat([jpegXL, Buffer.from('nobody shows what stands here')])),
  image('A10', 'jpeg-xl-exif-pe', 'A program in the Exif box of JPEG XL.', '4.112', () => jpegXLContainer(box('Exif', inert.pe())), { expected: malicious }),
  image('A10', 'jpeg-xl-unknown', 'A box of a type that no standard has, in JPEG XL.', '4.112', () => jpegXLContainer(box('hide', Buffer.from('in here')))),
  image('A10', 'rle-between', 'Bytes between two RLE segments.', '5', () => rleFragment([Buffer.concat([flat().subarray(64), Buffer.from('nobody shows this')]), flat().subarray(64)]), { bitsAllocated: 16 }),
  image('A10', 'rle-behind', 'A program behind the last RLE segment.', '5', () => Buffer.concat([flat(), inert.pe()]), { expected: held }),
  image('A10', 'rle-header', 'Words in the offsets of an RLE header that belong to no segment.', '5', () => Buffer.concat([flat().subarray(0, 8), Buffer.alloc(56, 'unseen..'), flat().subarray(64)])),
  image('A10', 'deflated-behind', 'Bytes behind a deflated frame.', '8.1', () => Buffer.concat([deflateRawSync(Buffer.alloc(1024, 7)), Buffer.from('nobody shows this')])),
  withIcon('icon-behind', 'Bytes behind the end of a compressed icon.', () => jpeg({ eoi: after(Buffer.from('nobody shows what stands here')) }), malformed),
  withIcon('icon-application-elf', 'A program in an application segment of a compressed icon.', () => jpeg({ soi: after(segment(0xffe9, inert.elf())) }), malicious),

  video('A12', 'video-not', 'Something else under the Transfer Syntax of a video.', '4.102', () => Buffer.alloc(4096, 0x45)),
  video('A12', 'video-size', 'H.264 pictures of 64 by 64 in an MP4 file that says 128.', '4.102', () => mp4(h264Units, { columns: 128 })),
  video('A12', 'video-other-codec', 'HEVC under the Transfer Syntax of H.264.', '4.102', () => transportStream(0x24, annexB(hevcUnits))),
  video('A12', 'h264-user-data-elf', 'A program in supplemental information.', '4.102', () => among(supplemental(5, Buffer.concat([Buffer.alloc(16, 1), inert.pe()]))), malicious),
  video('A12', 'h264-user-data-large', 'Twenty kilobytes of supplemental information.', '4.102', () => among(supplemental(5, Buffer.alloc(20_000, 0x46)))),
  video('A12', 'h264-unit-unspecified', 'A NAL unit of a type that decoders leave out.', '4.102', () => among(Buffer.concat([Buffer.from([0x18]), Buffer.alloc(300, 0x47)]))),
  video('A12', 'h264-filler', 'Filler data that fills with words.', '4.102', () => among(Buffer.concat([Buffer.from([12]), Buffer.alloc(300, 'unseen'), Buffer.from([0x80])]))),
  video('A12', 'hevc-layer', 'A unit of a layer that is not shown.', '4.107', () => annexB([...hevcUnits, Buffer.concat([Buffer.from([2, 0x09]), Buffer.alloc(300, 0x48)])])),
  video('A12', 'mpeg2-user-data', 'A program in user data of MPEG-2.', '4.100', () => Buffer.concat([mpeg2Stream, Buffer.from([0, 0, 1, 0xb2]), inert.elf().fill(0x49, 7, 64)]), malicious),
  video('A12', 'mpeg2-user-data-large', 'Ten kilobytes of user data.', '4.100', () => Buffer.concat([mpeg2Stream, Buffer.from([0, 0, 1, 0xb2]), Buffer.alloc(10_000, 0x4a)])),
  video('A12', 'program-stream-private', 'A private stream beside video and sound.', '4.100', () => programStream(mpeg2Stream, Buffer.from([0, 0, 1, 0xbf, 0, 6]), Buffer.from('hidden'))),
  video('A12', 'program-stream-padding', 'A padding packet that pads with words.', '4.100', () => programStream(mpeg2Stream, Buffer.from([0, 0, 1, 0xbe, 0, 6]), Buffer.from('hidden'))),
  video('A12', 'transport-stream-private', 'Packets of a stream that no table names.', '4.102', () => transportStream(0x1b, avc(), packet(0x222, 0, Buffer.alloc(184, 0x4b), true))),
  video('A12', 'transport-stream-null', 'Null packets that hold words.', '4.102', () => transportStream(0x1b, avc(), packet(0x1fff, 0, Buffer.alloc(184, 'hidden'), false))),
  video('A12', 'transport-stream-stuffing', 'Stuffing that holds words.', '4.102', () => transportStream(0x1b, avc(), packet(nextPacket(avc()).pid, nextPacket(avc()).counter, Buffer.alloc(10), false, 0x4c))),
  video('A12', 'transport-stream-repeated', 'Packets numbered as repeated ones, which decoders leave out, with other bytes.', '4.102', () => transportStream(0x1b, avc(), packet(nextPacket(avc()).pid, nextPacket(avc()).counter - 1, Buffer.alloc(184, 0x4d), false))),
  video('A12', 'mp4-unplayed', 'Media data that belongs to no track.', '4.102', () => mp4(h264Units, { unplayed: Buffer.alloc(2000, 0x4e) })),
  video('A12', 'mp4-free', 'Free space that holds a program.', '4.102', () => mp4(h264Units, { more: [box('free', inert.pe())] }), held),
  video('A12', 'mp4-uuid', 'A box of a vendor behind the movie.', '4.102', () => mp4(h264Units, { more: [box('uuid', Buffer.alloc(600, 0x4f))] })),
  video('A12', 'mp4-fragmented', 'A fragmented MP4 file, which is not followed.', '4.102', () => mp4(h264Units, { more: [box('moof', Buffer.alloc(64))] }), unscannable),
  video('A12', 'video-behind', 'Bytes behind the last box of a movie.', '4.102', () => Buffer.concat([mp4(h264Units), Buffer.alloc(600, 0x50)])),

  withOffsets('offsets-extended-lengths', 'Extended Offset Table Lengths that are not those of the frames.', [0, frameLength + 8], [frameLength, 4096], malformed),
  withOffsets('offsets-extended-beyond', 'An Extended Offset Table that points behind the fragments.', [0, 2 ** 40], [frameLength, frameLength], malformed),
  image('B8', 'offsets-disagree', 'A Basic and an Extended Offset Table that point to different fragments.', '4.50', jpeg, { more: [['0028,0008', 'IS', '2'], ['0008,0016', 'UI', sopClasses.multiframeByte], ['7FE0,0001', 'OV', numbers64([0, 2 * (frameLength + 8)])]], pixels: () => encapsulate([jpeg(), jpeg(), jpeg()], [0, frameLength + 8]) }),

  image('B9', 'jpeg-tem', 'A marker without a length where a segment belongs: one decoder went round in circles over it.', '4.50', () => jpeg({ soi: after(Buffer.from([0xff, 0x01])) })),
  image('B9', 'jpeg-table-codes', 'A Huffman table with more codes of one bit than there are.', '4.50', () => joined(new Map([...jpegParts(size), ['dht', segment(0xffc4, Buffer.from([0, 3, ...Array.from({ length: 15 }, () => 0), 1, 2, 3]))]]))),
  image('B9', 'jpeg-table-missing', 'A scan that uses a table that is not there.', '4.50', () => joined(new Map([...jpegParts(size)].filter(([name]) => name !== 'dht')))),
  image('B9', 'jpeg-process', 'Progressive JPEG under the Transfer Syntax of Baseline.', '4.50', () => joined(new Map([...jpegParts(size)].map(([name, bytes]) => (name === 'sof' ? [name, Buffer.concat([Buffer.from([0xff, 0xc2]), bytes.subarray(2)])] : [name, bytes]))))),
  image('B9', 'jpeg-scans', 'Two hundred scans of one component: each costs a decoder a whole image.', '4.55', () => jpegOfScans(200)),
  image('B9', 'jpeg-restart', 'Restart markers out of sequence.', '4.50', () => joined(jpegParts({ ...size, restart: 4 }), { data: after(Buffer.from([0xff, 0xd7, 0x3f])) })),
  image('B9', 'jpeg-cut', 'A JPEG that ends inside its scan.', '4.50', () => jpeg().subarray(0, -3)),
  image('B9', 'jpeg-2000-tiles', 'A size header that makes a thousand tiles, of which there is one.', '4.90', manyTiles),
  image('B9', 'jpeg-2000-tile-beyond', 'A tile-part that is declared beyond the end of the codestream.', '4.90', () => tile(tilePart(0, Buffer.alloc(3), 0x7fffffff))),
  image('B9', 'jpeg-2000-tile-number', 'A tile-part of a tile that there is not.', '4.90', () => tile(tilePart(4000, Buffer.alloc(3)))),
  image('B9', 'jpeg-2000-marker', 'A marker among packets, where the decoders resume that lost their way.', '4.90', () => tile(tilePart(0, Buffer.from([0, 0xff, 0x93, 0])))),
  image('B9', 'htj2k-unsaid', 'High-throughput coding under the Transfer Syntax of JPEG 2000.', '4.90', () => joined(jpeg2000Parts({ ...size, isHT: true }))),
  image('B9', 'jpeg-xl-size', 'JPEG XL of another size than the image says.', '4.110', () => jpegXL, { more: [['0028,0010', 'US', 64]] }),
  image('B9', 'deflated-bomb', 'A deflated frame that grows to sixteen megabytes.', '8.1', () => deflateRawSync(Buffer.alloc(16 * 1024 * 1024))),
  image('B9', 'deflated-short', 'A deflated frame of fewer pixels than the image says.', '8.1', () => deflateRawSync(Buffer.alloc(1000))),
];

/** Progressive: a frame header of that process, and scans of the first coefficient alone. */
function jpegOfScans(count: number): Buffer {
  const parts = jpegParts(size);
  const scan = Buffer.concat([parts.get('sos')!.subarray(0, -3), Buffer.alloc(3), parts.get('data')!]);
  const frame = Buffer.concat([Buffer.from([0xff, 0xc2]), parts.get('sof')!.subarray(2)]);
  return joined(new Map([...parts, ['sof', frame], ['sos', Buffer.concat(Array.from({ length: count }, () => scan))], ['data', none]]));
}

function manyTiles(): Buffer {
  const codestream = Buffer.from(j2k());
  // XTsiz and YTsiz of the size header.
  codestream.writeUInt32BE(1, 2 + 4 + 18);
  codestream.writeUInt32BE(1, 2 + 4 + 22);
  return codestream;
}
