/** Each walker goes to the end of what is right, and says what is wrong with the rest. Fixtures are made by tools/recipes. */
import assert from 'node:assert/strict';
import { deflateRawSync } from 'node:zlib';
import { test } from 'node:test';
import { box, joined, jp2, jpeg2000Parts, jpegParts, jpegXL, jpegXLContainer, segment, tilePart } from '../../tools/recipes/frames.ts';
import { annexB, h264Units, hevcUnits, mp4, mpeg2Stream, nextPacket, packet, pes, programStream, transportStream } from '../../tools/recipes/video.ts';
import { rleFragment, rleFrame } from '../../tools/recipes/rle.ts';
import { BytesSource } from '../dataset/bytes.ts';
import { transferSyntaxByUID } from '../dataset/transfersyntaxes.ts';
import { fuzzTools } from '../filemap/fuzz.ts';
import type { Expected, Walk } from './contract.ts';
import { roomProblem, walkerOf } from './frame.ts';
import { Stream } from './stream.ts';

const grey: Expected = { rows: 32, columns: 32, samples: 1, bitsAllocated: 8, bitsStored: 8 };
const video: Expected = { rows: 64, columns: 64, samples: 3, bitsAllocated: 8, bitsStored: 8 };
const jfif = Buffer.concat([Buffer.from('JFIF'), Buffer.from([0, 1, 1, 0, 0, 1, 0, 1, 0, 0])]);
const adobe = Buffer.concat([Buffer.from('Adobe'), Buffer.from([0, 100, 0, 0, 0, 0, 0])]);
const size = { rows: 32, columns: 32 };

/** Walks bytes cut into fragments of a length. */
function walk(syntax: string, bytes: Uint8Array, expected: Expected | null = grey, fragment = bytes.length): Walk {
  const ranges = Array.from({ length: Math.max(1, Math.ceil(bytes.length / fragment)) }, (_, index) => [index * fragment, Math.min(fragment, bytes.length - index * fragment)] as const);
  return walkerOf(transferSyntaxByUID.get(`1.2.840.10008.1.2.${syntax}`)!, fuzzTools)!(new Stream(new BytesSource(bytes), ranges), expected);
}

const plane = (): Buffer => rleFrame(Buffer.alloc(1024, 7), 1, 1, 32);
const tiled = jpeg2000Parts({ ...size, tile: 16 });

/** Right ones: name, Transfer Syntax, bytes, what the attributes say. */
const right: readonly (readonly [name: string, syntax: string, bytes: Uint8Array, expected: Expected])[] = [
  ['RLE', '5', plane(), grey],
  ['RLE, padded by whatever byte', '5', Buffer.concat([plane(), Buffer.from([0x20])]), grey],
  ['deflated', '8.1', deflateRawSync(Buffer.alloc(1024)), grey],
  ['deflated, one-bit frame that ends inside a byte', '8.1', deflateRawSync(Buffer.alloc(13)), { rows: 10, columns: 10, samples: 1, bitsAllocated: 1, bitsStored: 1 }],
  ['uncompressed', '1.98', Buffer.alloc(1024), grey],
  ['JPEG', '4.50', joined(jpegParts(size)), grey],
  ['JPEG, padded', '4.50', Buffer.concat([joined(jpegParts(size)), Buffer.alloc(1)]), grey],
  ['JPEG of three components', '4.50', joined(jpegParts({ ...size, components: 3 })), { ...grey, samples: 3 }],
  ['JPEG with restart markers', '4.50', joined(jpegParts({ ...size, restart: 1 })), grey],
  ['JPEG with JFIF, Adobe, a comment and fill bytes', '4.50', joined(jpegParts(size), {
    soi: [Buffer.alloc(0), Buffer.concat([segment(0xffe0, jfif), segment(0xffee, adobe), segment(0xfffe, Buffer.from('a modality'))])],
    sos: [Buffer.from([0xff]), Buffer.alloc(0)],
  }), grey],
  ['JPEG of 12 bits', '4.51', joined(jpegParts({ ...size, precision: 12 })), { ...grey, bitsAllocated: 16, bitsStored: 12 }],
  ['JPEG lossless', '4.70', joined(jpegParts({ ...size, lossless: true, precision: 16 })), { ...grey, bitsAllocated: 16, bitsStored: 16 }],
  ['JPEG-LS', '4.80', joined(jpegParts({ ...size, isLS: true })), grey],
  ['JPEG whose lines are said after its scan', '4.50', joined(new Map([...jpegParts({ ...size, rows: 32 })].map(([name, bytes]) => (name === 'sof' ? [name, withoutLines(bytes)] : [name, bytes]))), { eoi: [segment(0xffdc, Buffer.from([0, 32])), Buffer.alloc(0)] }), grey],
  ['JPEG 2000', '4.90', joined(jpeg2000Parts(size)), grey],
  ['JPEG 2000 in tiles', '4.90', joined(tiled), grey],
  ['JPEG 2000 whose last tile-part does not say its length', '4.90', joined(new Map([...jpeg2000Parts(size), ['tile0', tilePart(0, Buffer.alloc(3), 0)]])), grey],
  ['JPEG 2000 with its table of tile-parts and packets', '4.90', joined(new Map([...jpeg2000Parts(size), ['tile0', Buffer.concat([segment(0xff55, Buffer.from([0, 0x40, 0, 0, 0, 25])), tilePart(0, Buffer.alloc(3), 25, segment(0xff58, Buffer.from([0, 1, 1, 1])))])]])), grey],
  ['JPEG 2000 as JP2', '4.90', jp2(joined(jpeg2000Parts(size)), 32, 32), grey],
  ['JPEG 2000 as JP2 with a little metadata', '4.90', jp2(joined(jpeg2000Parts(size)), 32, 32, box('uuid', Buffer.alloc(48, 1))), grey],
  ['HTJ2K', '4.201', joined(jpeg2000Parts({ ...size, isHT: true })), grey],
  ['JPEG XL', '4.110', jpegXL, grey],
  ['JPEG XL in its container', '4.112', jpegXLContainer(), grey],
  ['MPEG-2', '4.100', mpeg2Stream, video],
  ['MPEG-2 in a program stream', '4.100', programStream(mpeg2Stream, pes(0xc0, Buffer.alloc(64, 0x55)), Buffer.from([0, 0, 1, 0xbe, 0, 4, 0xff, 0xff, 0xff, 0xff])), video],
  ['MPEG-2 in a transport stream', '4.100', transportStream(2, mpeg2Stream), video],
  ['H.264', '4.102', annexB(h264Units), video],
  ['H.264 in a transport stream', '4.102', transportStream(0x1b, annexB(h264Units), packet(0x1fff, 0, Buffer.alloc(184, 0xff), false)), video],
  ['H.264 in MP4', '4.102', mp4(h264Units), video],
  ['H.264 in MP4 whose writer left its name', '4.102', mp4(h264Units, { more: [box('free', Buffer.from('Written by a recipe'))] }), video],
  ['H.264 of whole macroblocks', '4.102', annexB(h264Units), { ...video, rows: 60 }],
  ['JPEG of fewer bits than are stored', '4.51', joined(jpegParts({ ...size, precision: 12 })), { ...grey, bitsAllocated: 16, bitsStored: 16 }],
  ['JPEG of eight bits of the extended process', '4.50', joined(new Map([...jpegParts(size)].map(([name, bytes]) => (name === 'sof' ? [name, Buffer.concat([Buffer.from([0xff, 0xc1]), bytes.subarray(2)])] : [name, bytes])))), grey],
  ['H.264 with a caption', '4.102', annexB([...h264Units.slice(0, 2), Buffer.from([6, 4, 3, 0xb5, 0, 0x31, 0x80]), ...h264Units.slice(2)]), video],
  ['HEVC', '4.107', annexB(hevcUnits), video],
  ['HEVC in a transport stream', '4.107', transportStream(0x24, annexB(hevcUnits)), video],
];

function withoutLines(header: Uint8Array): Buffer {
  const bytes = Buffer.from(header);
  bytes.writeUInt16BE(0, 5);
  return bytes;
}

test('what is right is walked to its end, in one fragment and in many', () => {
  for (const [name, syntax, bytes, expected] of right) {
    const whole = walk(syntax, bytes, expected);
    assert.deepEqual(whole.problems, [], name);
    assert.ok(whole.end >= bytes.length - 4 && whole.end <= bytes.length, `${name}: ${whole.end} of ${bytes.length}`);
    if (['5', '8.1', '1.98'].includes(syntax)) continue;
    for (const fragment of [1, 2, 7, 64]) assert.deepEqual(walk(syntax, bytes, expected, fragment), whole, `${name} in fragments of ${fragment}`);
  }
});

test('what is cut off anywhere is not right, but for padding', () => {
  for (const [name, syntax, bytes, expected] of right) {
    for (let length = 0; length < Math.min(whole(syntax, bytes, expected), bytes.length); length += Math.max(1, Math.floor(bytes.length / 97))) {
      // A video or a tile-part without a length may end after any picture or packet.
      if (isOpenEnded(name)) continue;
      assert.notDeepEqual(walk(syntax, bytes.subarray(0, length), expected).problems, [], `${name} of ${length} bytes`);
    }
  }
});
const whole = (syntax: string, bytes: Uint8Array, expected: Expected): number => walk(syntax, bytes, expected).end;
const isOpenEnded = (name: string): boolean => /^(MPEG|H\.264|HEVC)/.test(name) && !name.endsWith('MP4');

test('what the attributes say otherwise is not right', () => {
  for (const [name, syntax, bytes, expected] of right) {
    if (name.startsWith('RLE') || name.startsWith('deflated') || name.startsWith('uncompressed')) continue;
    assert.ok(walk(syntax, bytes, { ...expected, columns: expected.columns + 1 }).problems.some((problem) => problem.kind === 'invalid'), `${name}: columns`);
    assert.ok(walk(syntax, bytes, { ...expected, rows: expected.rows * 2 }).problems.some((problem) => problem.kind === 'invalid'), `${name}: rows`);
    if (!isOpenEnded(name) && !name.endsWith('MP4')) assert.ok(walk(syntax, bytes, { ...expected, samples: expected.samples + 1 }).problems.some((problem) => problem.kind === 'invalid'), `${name}: samples`);
  }
});

const bytes64 = Buffer.alloc(64, 0x41);
const jpeg = jpegParts(size);
const j2k = jpeg2000Parts(size);
const avc = annexB(h264Units);
const next = nextPacket(avc);
const after = (name: string, bytes: Uint8Array): Buffer => joined(jpeg, { [name]: [Buffer.alloc(0), bytes] });

/** Wrong ones, and the kind of what is said. */
const wrong: readonly (readonly [name: string, kind: string, syntax: string, bytes: Uint8Array, expected: Expected])[] = [
  ['RLE with bytes between segments', 'extra', '5', rleFragment([Buffer.concat([plane().subarray(64), bytes64]), plane().subarray(64)]), { ...grey, bitsAllocated: 16 }],
  ['RLE with bytes behind', 'extra', '5', Buffer.concat([plane(), bytes64]), grey],
  ['RLE with numbers in offsets that are not used', 'extra', '5', Buffer.concat([plane().subarray(0, 60), Buffer.from([1, 2, 3, 4]), plane().subarray(64)]), grey],
  ['RLE whose last run is too long', 'invalid', '5', Buffer.concat([plane().subarray(0, 64), Buffer.alloc(18, Buffer.from([0x82, 7]))]), grey],
  ['deflated with bytes behind', 'extra', '8.1', Buffer.concat([deflateRawSync(Buffer.alloc(1024)), bytes64]), grey],
  ['deflated to too much', 'invalid', '8.1', deflateRawSync(Buffer.alloc(4096)), grey],
  ['deflated to too little', 'invalid', '8.1', deflateRawSync(Buffer.alloc(1000)), grey],
  ['uncompressed with bytes behind', 'extra', '1.98', Buffer.alloc(1026), grey],
  ['JPEG with bytes behind', 'extra', '4.50', after('eoi', bytes64), grey],
  ['JPEG with another JPEG behind', 'extra', '4.50', after('eoi', joined(jpeg)), grey],
  ['JPEG with much padding', 'extra', '4.50', after('eoi', Buffer.alloc(8192)), grey],
  ['JPEG with a long segment that nobody knows', 'extra', '4.50', after('soi', segment(0xffe5, Buffer.alloc(2000, 1))), grey],
  ['JPEG with comments without end', 'extra', '4.50', after('soi', Buffer.concat([1, 2, 3].map(() => segment(0xfffe, Buffer.alloc(2000, 0x20))))), grey],
  ['JPEG with a JFIF segment that is too long', 'extra', '4.50', after('soi', segment(0xffe0, Buffer.concat([jfif, bytes64]))), grey],
  ['JPEG with fill bytes without end', 'extra', '4.50', after('soi', Buffer.alloc(3000, 0xff)), grey],
  ['JPEG with a TEM marker', 'invalid', '4.50', after('soi', Buffer.from([0xff, 0x01])), grey],
  ['JPEG with bytes between segments', 'invalid', '4.50', after('sof', bytes64), grey],
  ['JPEG with two frame headers', 'invalid', '4.50', after('sof', jpeg.get('sof')!), grey],
  ['JPEG with two scans of one component', 'invalid', '4.50', after('data', Buffer.concat([jpeg.get('sos')!, jpeg.get('data')!])), grey],
  ['JPEG with a restart marker and no interval', 'invalid', '4.50', after('data', Buffer.from([0xff, 0xd0, 0x3f])), grey],
  ['JPEG with a restart marker left out', 'invalid', '4.50', Buffer.concat([joined(jpegParts({ ...size, restart: 1 })).subarray(0, -5), Buffer.from([0xff, 0xd9])]), grey],
  ['JPEG with the process of another syntax', 'invalid', '4.70', joined(jpeg), grey],
  ['JPEG with a table that has too many codes', 'invalid', '4.50', joined(new Map([...jpeg, ['dht', segment(0xffc4, Buffer.from([0, 3, ...Array.from({ length: 15 }, () => 0), 1, 2, 3]))]])), grey],
  ['JPEG without the table that its scan uses', 'invalid', '4.50', joined(new Map([...jpeg].filter(([name]) => name !== 'dht'))), grey],
  ['JPEG with a table longer than what it holds', 'invalid', '4.50', joined(new Map([...jpeg, ['dqt', segment(0xffdb, Buffer.alloc(100))]])), grey],
  ['JPEG of fewer bits than are stored', 'invalid', '4.51', joined(jpeg), { ...grey, bitsAllocated: 16, bitsStored: 12 }],
  ['JPEG-LS with a mapping that nobody knows', 'invalid', '4.80', joined(jpegParts({ ...size, isLS: true }), { soi: [Buffer.alloc(0), segment(0xfff8, Buffer.alloc(40, 9))] }), grey],
  ['JPEG 2000 with bytes behind', 'extra', '4.90', Buffer.concat([joined(j2k), bytes64]), grey],
  ['JPEG 2000 with bytes between tile-parts', 'invalid', '4.90', joined(tiled, { tile1: [bytes64, Buffer.alloc(0)] }), grey],
  ['JPEG 2000 with a tile that is missing', 'invalid', '4.90', joined(new Map([...tiled].filter(([name]) => name !== 'tile3'))), grey],
  ['JPEG 2000 with a tile that cannot be', 'invalid', '4.90', joined(new Map([...j2k, ['tile0', tilePart(7, Buffer.alloc(3))]])), grey],
  ['JPEG 2000 with a marker among packets', 'invalid', '4.90', joined(new Map([...j2k, ['tile0', tilePart(0, Buffer.from([0, 0xff, 0x93, 0]))]])), grey],
  ['JPEG 2000 with a tile-part beyond the end', 'invalid', '4.90', joined(new Map([...j2k, ['tile0', tilePart(0, Buffer.alloc(3), 4000)]])), grey],
  ['JPEG 2000 with comments without end', 'extra', '4.90', joined(j2k, { qcd: [Buffer.alloc(0), segment(0xff64, Buffer.concat([Buffer.from([0, 1]), Buffer.alloc(5000, 0x20)]))] }), grey],
  ['JPEG 2000 with a marker that nobody knows', 'invalid', '4.90', joined(j2k, { qcd: [Buffer.alloc(0), segment(0xff70, bytes64)] }), grey],
  ['JPEG 2000 with packets that its table does not count', 'invalid', '4.90', joined(new Map([...j2k, ['tile0', tilePart(0, Buffer.alloc(64), 14 + 7 + 64, segment(0xff58, Buffer.from([0, 1, 1])))]])), grey],
  ['HTJ2K under the syntax without it', 'invalid', '4.90', joined(jpeg2000Parts({ ...size, isHT: true })), grey],
  ['JP2 with much metadata', 'extra', '4.90', jp2(joined(j2k), 32, 32, box('xml ', Buffer.alloc(5000, 0x20))), grey],
  ['JP2 with a box that nobody knows', 'extra', '4.90', jp2(joined(j2k), 32, 32, box('evil', bytes64)), grey],
  ['JP2 with a second codestream', 'extra', '4.90', Buffer.concat([jp2(joined(j2k), 32, 32), box('jp2c', joined(j2k))]), grey],
  ['JPEG XL with bytes behind', 'extra', '4.110', Buffer.concat([jpegXL, bytes64]), grey],
  ['JPEG XL with much metadata', 'extra', '4.110', jpegXLContainer(box('Exif', Buffer.alloc(100_000))), grey],
  ['JPEG XL with a box that nobody knows', 'extra', '4.110', jpegXLContainer(box('evil', bytes64)), grey],
  ['MPEG-2 with much user data', 'extra', '4.100', Buffer.concat([mpeg2Stream, Buffer.from([0, 0, 1, 0xb2]), Buffer.alloc(5000, 0x41)]), video],
  ['MPEG-2 with a start code of a container', 'invalid', '4.100', Buffer.concat([mpeg2Stream, Buffer.from([0, 0, 1, 0xbd]), bytes64]), video],
  ['MPEG-2 with a header that is too long', 'extra', '4.100', Buffer.concat([mpeg2Stream, Buffer.from([0, 0, 1, 0xb8]), bytes64]), video],
  ['a program stream with a private stream', 'extra', '4.100', programStream(mpeg2Stream, Buffer.from([0, 0, 1, 0xbf, 0, 4, 1, 2, 3, 4])), video],
  ['a program stream with padding that holds something', 'extra', '4.100', programStream(mpeg2Stream, Buffer.from([0, 0, 1, 0xbe, 0, 4, 1, 2, 3, 4])), video],
  ['a program stream with bytes behind its end', 'extra', '4.100', Buffer.concat([programStream(mpeg2Stream), bytes64]), video],
  ['H.264 with a unit that nobody reads', 'extra', '4.102', annexB([...h264Units, Buffer.concat([Buffer.from([24]), bytes64])]), video],
  ['H.264 with much user data', 'extra', '4.102', annexB([...h264Units.slice(0, 2), Buffer.concat([Buffer.from([6, 5, ...Array.from({ length: 20 }, () => 0xff), 0]), Buffer.alloc(5100, 0x41), Buffer.from([0x80])]), ...h264Units.slice(2)]), video],
  ['H.264 with filler that holds something', 'extra', '4.102', annexB([...h264Units, Buffer.concat([Buffer.from([12]), bytes64, Buffer.from([0x80])])]), video],
  ['H.264 with bytes before its first picture', 'extra', '4.102', Buffer.concat([Buffer.from([0, 0, 0, 1]), h264Units[0]!, Buffer.from([0, 0, 0, 1, 31]), bytes64, annexB(h264Units)]), video],
  ['no pictures', 'invalid', '4.102', annexB(h264Units.slice(0, 2)), video],
  ['HEVC with a unit of another layer', 'extra', '4.107', annexB([...hevcUnits, Buffer.concat([Buffer.from([2, 0x09]), bytes64])]), video],
  ['HEVC under the syntax of H.264', 'invalid', '4.102', transportStream(0x24, annexB(hevcUnits)), video],
  ['a transport stream with a stream that nobody plays', 'extra', '4.102', transportStream(0x1b, avc, packet(0x222, 0, bytes64, true)), video],
  ['a transport stream with null packets that hold something', 'extra', '4.102', transportStream(0x1b, avc, packet(0x1fff, 0, Buffer.concat([bytes64, Buffer.alloc(120)]), false)), video],
  ['a transport stream with stuffing that holds something', 'extra', '4.102', transportStream(0x1b, avc, packet(next.pid, next.counter, Buffer.alloc(10), false, 0x41)), video],
  ['a transport stream with packets that decoders leave out', 'extra', '4.102', transportStream(0x1b, avc, packet(next.pid, next.counter - 1, Buffer.alloc(184, 0x41), false)), video],
  ['a transport stream with packets missing', 'invalid', '4.102', transportStream(0x1b, avc, packet(next.pid, next.counter + 3, Buffer.alloc(184, 0x41), false)), video],
  ['a transport stream that loses its rhythm', 'invalid', '4.102', Buffer.concat([transportStream(0x1b, avc), Buffer.alloc(188, 0x41)]), video],
  ['MP4 with media data that no track plays', 'extra', '4.102', mp4(h264Units, { unplayed: bytes64 }), video],
  ['MP4 with free space that holds something', 'extra', '4.102', mp4(h264Units, { more: [box('free', Buffer.alloc(300, 0x41))] }), video],
  ['MP4 with a box that nobody knows', 'extra', '4.102', mp4(h264Units, { more: [box('evil', bytes64)] }), video],
  ['MP4 in fragments', 'unwalked', '4.102', mp4(h264Units, { more: [box('moof', bytes64)] }), video],
  ['MP4 of another width than its pictures', 'invalid', '4.102', mp4(h264Units, { columns: 128 }), video],
  ['no video at all', 'invalid', '4.102', Buffer.alloc(4096, 0x41), video],
];

test('what is wrong is told, as what it is', () => {
  for (const [name, kind, syntax, bytes, expected] of wrong) {
    const { problems } = walk(syntax, bytes, expected);
    assert.ok(problems.some((problem) => problem.kind === kind), `${name}: ${JSON.stringify(problems)}`);
    for (const problem of problems) assert.ok(problem.at >= 0 && problem.length >= 0 && problem.at + problem.length <= bytes.length, `${name}: ${JSON.stringify(problem)}`);
  }
});

test('what lies beside pixels is handed out to be looked at', () => {
  const comment = walk('4.50', after('soi', segment(0xfffe, Buffer.from('MZ and more'))));
  assert.deepEqual(comment.parts, [{ name: 'COM', at: 6, length: 11 }]);
  const caption = walk('4.102', annexB([...h264Units.slice(0, 2), Buffer.from([6, 5, 4, 0x4d, 0x5a, 1, 2, 0x80]), ...h264Units.slice(2)]), video);
  assert.deepEqual(caption.parts.map(({ name, bytes }) => [name, [...bytes!]]), [['SEI 5', [0x4d, 0x5a, 1, 2]]]);
});

test('a frame larger than its pixels could make it is told', () => {
  assert.equal(roomProblem(new Stream(new BytesSource(new Uint8Array(8)), [[0, 100_000]]), grey), null);
  assert.match(roomProblem(new Stream(new BytesSource(new Uint8Array(8)), [[0, 1_000_000]]), grey)!, /1000000 bytes/);
});

test('frames larger than a window are walked as small ones are', () => {
  // Stuffed FF at every other byte, so that one lies over the end of each window, whichever way it falls.
  for (const shift of [0, 1]) {
    const data = Buffer.concat([Buffer.alloc(shift, 0x55), Buffer.alloc(3 * 1024 * 1024, Buffer.from([0xff, 0]))]);
    const large = joined(new Map([...jpeg, ['data', data]]));
    assert.deepEqual(walk('4.50', large), { end: large.length, problems: [], parts: [] });
    assert.match(walk('4.50', Buffer.concat([large.subarray(0, -2), Buffer.from([0xff, 1, 0xff, 0xd9])])).problems[0]!.text, /FF01/);
    const tilePartOf = (packets: Uint8Array): Buffer => joined(new Map([...j2k, ['tile0', tilePart(0, packets)]]));
    assert.deepEqual(walk('4.90', tilePartOf(data)).problems, []);
    assert.match(walk('4.90', tilePartOf(Buffer.concat([data, Buffer.from([0xff, 0x90, 0])]))).problems[0]!.text, /FF90/);
  }
  const rows = 1500;
  const plane16 = Buffer.alloc(rows * 2048 * 2);
  for (let at = 0; at < plane16.length; at += 1) plane16[at] = (at * 7919) >>> 9;
  const frame = rleFrame(plane16, 1, 2, rows);
  const expected = { rows, columns: 2048, samples: 1, bitsAllocated: 16, bitsStored: 16 };
  assert.ok(frame.length > 3 * 1024 * 1024);
  assert.deepEqual(walk('5', frame, expected).problems, []);
  assert.match(walk('5', frame, { ...expected, rows: rows + 1 }).problems[0]!.text, /fewer/);
});
