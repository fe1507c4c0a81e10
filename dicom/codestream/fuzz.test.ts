/** Walkers over damaged frames, by seed: they do not throw, they end, and what they say lies inside the frame. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { joined, jp2, jpeg2000Parts, jpegParts, jpegXL, jpegXLContainer, box } from '../../tools/recipes/frames.ts';
import { annexB, h264Units, hevcUnits, mp4, mpeg2Stream, pes, programStream, transportStream } from '../../tools/recipes/video.ts';
import { rleFrame } from '../../tools/recipes/rle.ts';
import { deflateRawSync } from 'node:zlib';
import type { ByteSource } from '../filemap/contract.ts';
import { transferSyntaxByUID } from '../dataset/transfersyntaxes.ts';
import { fuzzTools, Random } from '../filemap/fuzz.ts';
import { partsMax, type Expected, type Walk } from './contract.ts';
import { walkerOf } from './frame.ts';
import { Stream } from './stream.ts';

const size = { rows: 32, columns: 32 };
const grey: Expected = { rows: 32, columns: 32, samples: 1, bitsAllocated: 8, bitsStored: 8 };
const video: Expected = { rows: 64, columns: 64, samples: 3, bitsAllocated: 8, bitsStored: 8 };

// prettier-ignore
const seeds: readonly (readonly [syntax: string, bytes: Uint8Array, expected: Expected])[] = [
  ['5', rleFrame(Buffer.alloc(1024, 7), 1, 1, 32), grey],
  ['8.1', deflateRawSync(Buffer.alloc(1024)), grey],
  ['4.50', joined(jpegParts({ ...size, restart: 1, components: 3 })), { ...grey, samples: 3 }],
  ['4.55', joined(jpegParts(size)), grey],
  ['4.70', joined(jpegParts({ ...size, lossless: true })), grey],
  ['4.80', joined(jpegParts({ ...size, isLS: true })), grey],
  ['4.90', joined(jpeg2000Parts({ ...size, tile: 16 })), grey],
  ['4.90', jp2(joined(jpeg2000Parts(size)), 32, 32, box('uuid', Buffer.alloc(20))), grey],
  ['4.201', joined(jpeg2000Parts({ ...size, isHT: true })), grey],
  ['4.110', jpegXL, grey],
  ['4.112', jpegXLContainer(box('Exif', Buffer.alloc(20))), grey],
  ['4.100', mpeg2Stream, video],
  ['4.100', programStream(mpeg2Stream, pes(0xc0, Buffer.alloc(64))), video],
  ['4.100', transportStream(2, mpeg2Stream), video],
  ['4.102', annexB([...h264Units.slice(0, 2), Buffer.from([6, 5, 2, 1, 2, 4, 3, 0xb5, 0, 0x31, 0x80]), ...h264Units.slice(2)]), video],
  ['4.102', transportStream(0x1b, annexB(h264Units)), video],
  ['4.102', mp4(h264Units), video],
  ['4.106', annexB(h264Units), video],
  ['4.107', annexB(hevcUnits), video],
  ['4.108', transportStream(0x24, annexB(hevcUnits)), video],
];

/** Counts what is read, and forgets what it gave: a view that is kept shows as other bytes. */
class CountingSource implements ByteSource {
  readonly #bytes: Uint8Array;
  readonly length: number;
  bytesRead = 0;
  #last = new Uint8Array(0);

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.length = bytes.length;
  }

  read(offset: number, length: number): Uint8Array {
    if (!(offset >= 0 && length >= 0 && offset + length <= this.length)) throw new RangeError(`range ${offset}+${length}`);
    this.#last.fill(0xaa);
    this.#last = this.#bytes.slice(offset, offset + length);
    this.bytesRead += length;
    return this.#last;
  }
}

/** Null, or what does not hold. */
function broken(syntax: string, bytes: Uint8Array, expected: Expected | null, cut: number): string | null {
  const source = new CountingSource(bytes);
  const ranges = cut > 0 && cut < bytes.length ? [[0, cut], [cut, bytes.length - cut]] as const : [[0, bytes.length]] as const;
  let walk: Walk;
  try {
    walk = walkerOf(transferSyntaxByUID.get(`1.2.840.10008.1.2.${syntax}`)!, fuzzTools)!(new Stream(source, ranges), expected);
  } catch (error) {
    return `threw ${(error as Error).stack}`;
  }
  if (walk.end < 0 || walk.end > bytes.length) return `ends at ${walk.end} of ${bytes.length}`;
  if (walk.parts.length > partsMax) return `${walk.parts.length} parts`;
  for (const part of [...walk.parts, ...walk.problems]) if (!(part.at >= 0 && part.length >= 0)) return `a place at ${part.at} of ${part.length}`;
  for (const part of walk.parts) if (part.at + part.length > bytes.length) return `a part at ${part.at} of ${part.length}`;
  // Small frames are read again at each jump; what matters is that it is not with the square of their length.
  if (source.bytesRead > 400 * (bytes.length + 4096)) return `${source.bytesRead} bytes read of ${bytes.length}`;
  return null;
}

const telling: readonly (readonly number[])[] = [
  [0xff, 0xd8], [0xff, 0xd9], [0xff, 0xda], [0xff, 0x00], [0xff, 0xff, 0xff], [0xff, 0x90], [0xff, 0x93], [0, 0, 1], [0, 0, 1, 0xb3], [0, 0, 1, 0xba], [0, 0, 0, 0], [0xff, 0xff, 0xff, 0xff], [0x7f, 0xff, 0xff, 0xff],
  [0x47, 0x40, 0, 0x10], [0, 0, 0, 1, 0x6d, 0x64, 0x61, 0x74], [0, 0, 0, 8], [0x80], [0xff, 0xc4], [0xff, 0x58], [0x73, 0x74, 0x73, 0x7a],
];

function damaged(frame: Uint8Array, random: Random): Uint8Array {
  let bytes = [...frame];
  for (let left = 1 + random.below(4); left > 0; left -= 1) {
    const at = random.below(bytes.length + 1);
    switch (random.below(6)) {
      case 0:
        if (at < bytes.length) bytes[at] = random.below(256);
        break;
      case 1:
        for (const [index, byte] of random.pick(telling).entries()) if (at + index < bytes.length) bytes[at + index] = byte;
        break;
      case 2:
        bytes.splice(at, 0, ...random.pick(telling));
        break;
      case 3:
        bytes.splice(at, random.below(12));
        break;
      case 4:
        bytes = random.below(3) === 0 ? bytes.slice(0, at) : [...bytes.slice(0, at), ...bytes.slice(Math.max(0, at - random.below(60)))];
        break;
      default:
        if (at < bytes.length) bytes[at] = bytes[at]! ^ (1 << random.below(8));
    }
  }
  return Uint8Array.from(bytes);
}

test('damaged frames: no walker throws, each ends, and says things about the frame', () => {
  for (const [index, [syntax, bytes, expected]] of seeds.entries()) {
    for (let round = 0; round < 400; round += 1) {
      const seed = index * 100_003 + round;
      const random = new Random(seed);
      const mutant = damaged(bytes, random);
      assert.equal(broken(syntax, mutant, random.below(4) === 0 ? null : expected, random.below(mutant.length + 1)), null, `${syntax}, seed ${seed}`);
    }
  }
});

test('the canary: a walker that throws is noticed', () => {
  assert.match(broken('1', new Uint8Array(4), grey, 0) ?? '', /TypeError/);
});

test('any bytes at all, after any start', () => {
  fc.assert(
    fc.property(fc.nat(seeds.length - 1), fc.nat(80), fc.uint8Array({ maxLength: 600 }), (index, kept, rest) => {
      const [syntax, bytes, expected] = seeds[index]!;
      return broken(syntax, Buffer.concat([bytes.subarray(0, kept), rest]), expected, 0) === null;
    }),
    { numRuns: 3000, seed: 20_261_124 },
  );
});

test('whatever follows a frame is told, unless it is padding', () => {
  fc.assert(
    fc.property(fc.nat(10), fc.uint8Array({ minLength: 2, maxLength: 200 }).filter((bytes) => new Set(bytes).size > 1), (index, rest) => {
      const [syntax, bytes, expected] = seeds[index]!;
      if (syntax === '5' && rest.length <= 4 && rest.every((byte) => byte === 0)) return true;
      const walk = walkerOf(transferSyntaxByUID.get(`1.2.840.10008.1.2.${syntax}`)!, fuzzTools)!(new Stream(new CountingSource(Buffer.concat([bytes, rest])), [[0, bytes.length + rest.length]]), expected);
      return walk.problems.length > 0;
    }),
    { numRuns: 2000, seed: 20_261_124 },
  );
});
