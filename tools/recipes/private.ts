/** THREATS A3 and A9: what vendors' records, signals, tables and the unused bits of pixels hold, and what could be hidden there. All of it inert. */
import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { encode, header, itemHeader, withElements, withoutElements, type Element } from './encode.ts';
import * as inert from './inert.ts';
import { make, type Ingredients } from './make.ts';
import { grey16, identity, secondaryCapture, smallCT } from './objects.ts';
import { randomOf } from './phantom.ts';
import { csa, geProtocol, protocolLines } from './records.ts';
import { clean, disarmed, held, malformed, malicious, unscannable, type Expected, type Recipe } from './recipe.ts';

type Bytes = Uint8Array;
const acme: Element = ['0009,0010', 'LO', 'ACME 1.1'];

/** Bytes that mean nothing to anybody. */
export function noise(length: number, seed: number): Buffer {
  const random = randomOf(seed);
  return Buffer.from(Uint8Array.from({ length }, () => Math.floor(random() * 256)));
}

/** `inside` at `offset` of bytes that look like a record. */
function within(inside: Bytes, offset: number, length = offset + inside.length + 500): Buffer {
  const bytes = Buffer.from(noise(length + (length % 2), offset).map((byte) => 0x20 + (byte & 0x3f)));
  bytes.set(inside, offset);
  return bytes;
}

/** A small CT slice with more elements. */
function ct(name: string, threat: string, why: string, expected: Expected, more: () => readonly Element[], also: Partial<Ingredients> = {}): Recipe {
  return make({ name, threat, why, expected, elements: () => withElements(smallCT(name), ...more()), ...also });
}
function opaque(name: string, why: string, expected: Expected, value: () => Bytes, vr = 'OB'): Recipe {
  return ct(name, 'A3', why, expected, () => [acme, ['0009,1001', vr, value()]]);
}

/** A colour profile of one tag, with `gap` between the tag table and its data. */
function profile(gap: Bytes = Buffer.alloc(0)): Buffer {
  const data = Buffer.from('desc\0\0\0\0\0\0\0\x05ours\0\0\0\0', 'latin1');
  const bytes = Buffer.concat([Buffer.alloc(144), gap, data]);
  bytes.writeUInt32BE(bytes.length, 0);
  bytes.write('acsp', 36, 'latin1');
  bytes.writeUInt32BE(1, 128);
  bytes.write('desc', 132, 'latin1');
  bytes.writeUInt32BE(144 + gap.length, 136);
  bytes.writeUInt32BE(data.length, 140);
  return bytes;
}

/** A 12-lead ECG of a second, and nothing else. */
function ecg(name: string, threat: string, why: string, expected: Expected, data: (length: number) => Bytes): Recipe {
  return make({
    name, threat, why, expected, elements: () => withElements(identity(name, '1.2.840.10008.5.1.4.1.1.9.1.1', 'ECG'), ['5400,0100', 'SQ', [[
      ['003A,0004', 'CS', 'ORIGINAL'], ['003A,0005', 'US', 12], ['003A,0010', 'UL', 500], ['003A,001A', 'DS', '500'],
      ['5400,1004', 'US', 16], ['5400,1006', 'CS', 'SS'], ['5400,1010', 'OW', data(12 * 500 * 2)],
    ]]]),
  });
}

/** Grey values of 16 bits of which `stored` count. */
function grey(name: string, threat: string, why: string, expected: Expected, stored: number, values: (index: number) => number, more: readonly Element[] = [], signed = 0): Recipe {
  const pixels = (): Buffer => {
    const bytes = Buffer.alloc(64 * 64 * 2);
    for (let index = 0; index < 64 * 64; index += 1) bytes.writeUInt16LE(values(index) & 0xffff, index * 2);
    return bytes;
  };
  return make({ name, threat, why, expected, elements: () => withElements(smallCT(name), ...grey16(64, 64), ['0028,0101', 'US', stored], ['0028,0102', 'US', stored - 1], ['0028,0103', 'US', signed], ['7FE0,0010', 'OW', pixels()], ...more) });
}

/** Bits of some bytes, lowest first. */
function bitOf(bytes: Bytes, index: number): number {
  return ((bytes[(index >> 3) % bytes.length]! >> (index & 7)) & 1);
}

function spectrum(name: string, why: string, expected: Expected, extra: number): Recipe {
  return make({
    name, threat: 'A9', why, expected, elements: () => withElements(identity(name, '1.2.840.10008.5.1.4.1.1.4.2', 'MR'),
      ['0028,0008', 'IS', '1'], ['0028,0010', 'US', 1], ['0028,0011', 'US', 1], ['0028,9001', 'UL', 1], ['0028,9002', 'UL', 512], ['0028,9108', 'CS', 'COMPLEX'], ['5600,0020', 'OF', Buffer.alloc(512 * 8 + extra, 1)]),
  });
}

/** Palette Color by segments: 100 entries by name, a ramp of 156. */
function segmented(name: string, threat: string, why: string, expected: Expected, extra: Bytes): Recipe {
  const words = [0, 100, ...Array.from({ length: 100 }, (_, index) => index * 256), 1, 156, 65535];
  const segments = (): Buffer => Buffer.concat([Buffer.from(Uint16Array.from(words).buffer), extra]);
  return make({
    name, threat, why, expected, elements: () => withElements(withoutElements(secondaryCapture(name, { rows: 32, columns: 32, photometric: 'PALETTE COLOR' }, noise(1024, 5))),
      ...['1101', '1102', '1103'].map((tag): Element => [`0028,${tag}`, 'US', [256, 0, 16]]), ...['1221', '1222', '1223'].map((tag): Element => [`0028,${tag}`, 'OW', segments()])),
  });
}

/** UN of defined length that holds a sequence, Implicit VR Little Endian inside. */
function unknownSequence(value: Bytes): (Element | Uint8Array)[] {
  const inside = encode([['0009,0010', 'LO', 'ACME 1.1'], ['0009,1002', 'OB', value]], 'implicit');
  const content = Buffer.concat([itemHeader('FFFE,E000', inside.length), inside]);
  return [header('0009,1001', 'UN', content.length), content];
}
function inUnknownSequence(name: string, threat: string, why: string, expected: Expected, value: () => Bytes): Recipe {
  return make({ name, threat, why, expected, elements: () => withElements(smallCT(name), acme).flatMap((element): (Element | Uint8Array)[] => (element[0] === acme[0] ? [element, ...unknownSequence(value())] : [element])) });
}

const wide = (text: string): Buffer => Buffer.from(text, 'utf16le');
const lines = (text: string): string => text.replaceAll(/.{76}/g, '$&\r\n');
const keyed = (bytes: Bytes, key: number): Buffer => Buffer.from(bytes.map((byte) => byte ^ key));
const pe = inert.pe;
/** So much that base64 of it is longer than any name. */
const bigPE = (): Buffer => Buffer.concat([pe(), Buffer.alloc(2048)]);

export const privateBenign: readonly Recipe[] = [
  ct('private-csa', 'benign', 'A CSA header with a protocol as text, as every Siemens MR object has two.', clean, () => [['0029,0010', 'LO', 'SIEMENS CSA HEADER'], ['0029,1020', 'OB', csa({ UsedPatientWeight: ['70.0  '], MrPhoenixProtocol: [`<XProtocol>\n{\n${protocolLines()}\n}\n`], EchoLinePosition: [], SliceArray: ['1', '2', '3'] })]]),
  ct('private-ge-protocol', 'benign', 'A protocol block of GE: gzip of text.', clean, () => [['0025,0010', 'LO', 'GEMS_SERS_01'], ['0025,101B', 'OB', geProtocol(Buffer.from(protocolLines()))]]),
  ct('private-zlib', 'benign', 'Measurement tables packed to a five hundredth, as an ultrasound device of Philips writes them.', clean, () => [['200D,0010', 'LO', 'Philips US Imaging DD 109'], ['200D,1009', 'OB', deflateSync(Buffer.alloc(480_000))]]),
  opaque('private-noise', 'A record of 300 KB that only its vendor can read.', clean, () => noise(300_000, 4)),
  opaque('private-base64', 'A picture as base64 in a private text.', clean, () => Buffer.from(`<icon>${lines(Buffer.concat([Buffer.from([0x42, 0x4d]), noise(4000, 8)]).toString('base64'))}</icon>`)),
  inUnknownSequence('private-unknown-sequence', 'benign', 'A sequence as UN of defined length: what became of it on the way through a system that did not know it.', clean, () => noise(600, 9)),
  rawData('raw-data', 'benign', 'Raw data of a scanner: nothing but a record of its vendor.', clean, () => noise(200_000, 12)),
  ecg('waveform', 'benign', 'An electrocardiogram.', clean, (length) => noise(length, 2)),
  ct('profile', 'benign', 'A colour profile of one tag.', clean, () => [['0028,2000', 'OB', profile()]]),
  segmented('palette-segmented', 'benign', 'A palette in segments: a list and a ramp.', clean, Buffer.alloc(0)),
  spectrum('spectrum', 'A spectrum of 512 complex points.', clean, 0),
  grey('bits-signed', 'benign', 'Twelve bits with a sign: the four above repeat it.', clean, 12, (index) => (index % 4096) - 2048, [], 1),
  grey('bits-overlay', 'benign', 'An overlay of the old kind in bit 15.', clean, 12, (index) => (index % 4096) | ((index % 3 === 0 ? 1 : 0) << 15), [['6000,0010', 'US', 64], ['6000,0011', 'US', 64], ['6000,0040', 'CS', 'G'], ['6000,0050', 'SS', [1, 1]], ['6000,0100', 'US', 16], ['6000,0102', 'US', 15]]),
  grey('bits-padding', 'benign', 'A padding value outside the stored bits, as scanners of old write it around the circle: it is looked at, not held.', clean, 12, (index) => (index % 64 < 8 ? -2000 : index % 4096)),
];

/** Raw data: an object whose content is its vendor's alone (PS3.3 A.37). */
function rawData(name: string, threat: string, why: string, expected: Expected, value: () => Bytes): Recipe {
  return make({ name, threat, why, expected, elements: () => withElements(identity(name, '1.2.840.10008.5.1.4.1.1.66', 'MR'), ['0008,9123', 'UI', '2.25.9'], ['7FE1,0010', 'LO', 'SIEMENS CSA NON-IMAGE'], ['7FE1,1010', 'OB', value()]) });
}

export const privateHostile: readonly Recipe[] = [
  opaque('private-pe-key', 'A program under a key of one byte, 10,000 bytes inside a record.', malicious, () => within(keyed(pe(), 0x5a), 10_000)),
  opaque('private-pe-far', 'A program of an unusual processor, without the text of its stub, 3 MB inside a record.', malicious, () => {
    const program = Buffer.from(pe());
    program.fill(0, 0x40, 128);
    program.writeUInt16LE(0x5064, 132);
    return within(program, 3_000_000);
  }),
  opaque('private-elf-far', 'A Linux program for a processor that few know, deep inside a record.', malicious, () => {
    const program = Buffer.from(inert.elf());
    program.writeUInt16LE(258, 18);
    return within(program, 70_001);
  }),
  opaque('private-dos', 'A DOS program: no second header, a few plausible numbers.', malicious, () => Buffer.concat([Buffer.from([0x4d, 0x5a, 0x40, 0, 3, 0, 0, 0, 2, 0, 0, 0, 255, 255, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0x1c, 0, 0, 0, 0, 0, 0, 0]), Buffer.alloc(1100)])),
  ct('private-ge-pe', 'A3', 'A program behind the text of a packed protocol.', malicious, () => [['0025,0010', 'LO', 'GEMS_SERS_01'], ['0025,101B', 'OB', geProtocol(Buffer.concat([Buffer.from(protocolLines()), pe()]))]]),
  opaque('private-gzip-inside', 'A program packed with gzip, somewhere in a record.', malicious, () => within(gzipSync(within(pe(), 100)), 5001)),
  opaque('private-gzip-cut', 'A packed program whose end is cut off: what unpacks it gives what is there.', malicious, () => Buffer.concat([noise(900, 2).map((byte) => byte & 0x3f), gzipSync(within(pe(), 100, 9000)).subarray(0, -600)])),
  opaque('private-gzip-named', 'A packed program with a name and a comment in the header.', malicious, () => {
    const packed = gzipSync(within(pe(), 100));
    return Buffer.concat([packed.subarray(0, 3), Buffer.from([0x18]), packed.subarray(4, 10), Buffer.from('a.exe\0nothing\0'), packed.subarray(10)]);
  }),
  opaque('private-zlib-pe', 'A program packed with zlib.', malicious, () => deflateSync(bigPE())),
  opaque('private-deflate-pe', 'A program packed with deflate, without any header.', malicious, () => deflateRawSync(within(pe(), 8000))),
  opaque('private-base64-pe', 'A program as base64 in lines, in a text.', malicious, () => Buffer.from(`<data>\r\n${lines(bigPE().toString('base64'))}\r\n</data>`), 'UT'),
  opaque('private-base64-wide', 'A program as base64 in 16 bit characters.', malicious, () => Buffer.concat([wide('cmd /e '), wide(bigPE().toString('base64'))])),
  opaque('private-hex-pe', 'A program as hexadecimal text.', malicious, () => Buffer.from(bigPE().toString('hex'))),
  opaque('private-twice', 'A program packed, written as base64, and packed again.', malicious, () => gzipSync(Buffer.from(gzipSync(within(pe(), 8000)).toString('base64')))),
  opaque('private-eicar-packed', 'The test text of the engines, packed.', malicious, () => gzipSync(Buffer.concat([Buffer.from(protocolLines()), inert.eicar()]))),
  opaque('private-six-times', 'Packed six times over: more than is looked into.', unscannable, () => [1, 2, 3, 4, 5, 6].reduce((bytes: Bytes) => gzipSync(bytes), Buffer.from(protocolLines()))),
  opaque('private-bomb', 'Two hundred MiB of zeros in 200 KB.', unscannable, () => gzipSync(Buffer.alloc(200 * 1024 * 1024))),
  opaque('private-gzip-broken', 'A packed stream that cannot be unpacked: nobody can say what is in it.', unscannable, () => Buffer.concat([gzipSync(noise(4000, 3)).subarray(0, 12), noise(4000, 6).map((byte) => byte | 7)])),
  opaque('private-bzip2', 'A packed stream of a kind that is not unpacked here.', unscannable, () => Buffer.concat([Buffer.from('BZh91AY&SY'), noise(500, 7)])),
  ct('private-csa-elf', 'A3', 'A Linux program as one item of a CSA header.', malicious, () => [['0029,0010', 'LO', 'SIEMENS CSA HEADER'], ['0029,1010', 'OB', csa({ Ok: ['1'], Data: [Buffer.concat([inert.elf(), Buffer.alloc(300)]).toString('latin1')] })]]),
  ct('private-csa-residue', 'A3', 'A CSA header, and 90 KB after its last entry.', malformed, () => [['0029,0010', 'LO', 'SIEMENS CSA HEADER'], ['0029,1010', 'OB', csa({ Ok: ['1'] }, noise(90_000, 1))]]),
  ct('private-csa-oversized', 'A3', 'A CSA header of 17 MiB, which no scanner writes.', unscannable, () => [['0029,0010', 'LO', 'SIEMENS CSA HEADER'], ['0029,1010', 'OB', csa({ Ok: ['1'] }, Buffer.alloc(17 * 1024 * 1024))]]),
  inUnknownSequence('private-unknown-sequence-pe', 'A3', 'A packed program in a sequence that is declared as one value of VR UN.', malicious, () => deflateSync(bigPE())),
  inUnknownSequence('private-unknown-sequence-zip', 'A3', 'A ZIP archive in a sequence that is declared as one value of VR UN.', held, inert.zip),
  rawData('raw-data-pe', 'A9', 'A program under a key in raw data.', malicious, () => within(keyed(pe(), 0xa5), 150_000)),
  ct('public-long-text', 'A9', 'A program as hexadecimal text in a name that may have 64 characters.', malicious, () => [['0008,1040', 'LO', bigPE().toString('hex')]]),
  ct('public-numbers', 'A9', 'A packed program as a list of floating point numbers.', malicious, () => {
    const packed = gzipSync(within(pe(), 3000));
    return [['0018,9605', 'FD', Buffer.concat([packed, Buffer.alloc((8 - (packed.length % 8)) % 8)])]];
  }),
  ecg('waveform-pe', 'A9', 'A program in the middle of a waveform.', malicious, (length) => within(keyed(pe(), 0x31), 4000, length)),
  ecg('waveform-long', 'A9', 'More samples than the waveform says.', malformed, (length) => noise(length + 4000, 2)),
  ecg('waveform-short', 'B6', 'Fewer samples than the waveform says.', malformed, (length) => noise(length - 200, 2)),
  ct('profile-gap', 'A9', 'A colour profile with 8 KB between its table and its tags.', malformed, () => [['0028,2000', 'OB', profile(noise(8192, 3))]]),
  ct('profile-not', 'A9', 'A colour profile that is none.', malformed, () => [['0028,2000', 'OB', noise(3000, 3)]]),
  ct('profile-beyond', 'B7', 'A tag of a colour profile points beyond its end.', malformed, () => {
    const bytes = profile();
    bytes.writeUInt32BE(0x7fffffff, 136);
    return [['0028,2000', 'OB', bytes]];
  }),
  segmented('palette-segmented-long', 'A9', 'A palette in segments, and bytes after the last entry.', malformed, noise(600, 4)),
  spectrum('spectrum-long', 'A spectrum with 4 KB more than its points take.', malformed, 4096),
  ct('curve-long', 'A9', 'A curve with more than its points.', malformed, () => [['5000,0005', 'US', 2], ['5000,0010', 'US', 10], ['5000,0103', 'US', 0], ['5000,3000', 'OW', Buffer.alloc(40 + 5000, 1)]]),
  ct('overlay-long', 'A9', 'An overlay with more than its bits.', malformed, () => [['6000,0010', 'US', 64], ['6000,0011', 'US', 64], ['6000,0040', 'CS', 'G'], ['6000,0050', 'SS', [1, 1]], ['6000,0100', 'US', 1], ['6000,0102', 'US', 0], ['6000,3000', 'OW', Buffer.alloc(512 + 3000, 5)]]),
  ct('icon-long', 'A9', 'An icon with more pixels than it has.', malformed, () => [['0088,0200', 'SQ', [[['0028,0002', 'US', 1], ['0028,0004', 'CS', 'MONOCHROME2'], ['0028,0010', 'US', 8], ['0028,0011', 'US', 8], ['0028,0100', 'US', 8], ['0028,0101', 'US', 8], ['0028,0102', 'US', 7], ['0028,0103', 'US', 0], ['7FE0,0010', 'OW', noise(900, 3)]]]]]),
  grey('bits-pe', 'A9', 'A program in the upper bytes of pixels of which the lower count.', malicious, 8, (index) => (index & 0xff) | ((pe()[index] ?? 0) << 8)),
  grey('bits-pe-nibbles', 'A9', 'A program in the four upper bits of pixels.', malicious, 12, (index) => (index & 0xfff) | ([0, 1, 2, 3].reduce((bits, bit) => bits | (bitOf(pe(), index * 4 + bit) << bit), 0) << 12)),
  make({ name: 'pixels-twice', threat: 'B6', why: 'Two kinds of Pixel Data in one image: readers differ on which they show.', expected: malformed, elements: () => withElements(smallCT('pixels-twice'), ['7FE0,0008', 'OF', Buffer.alloc(64 * 64 * 4)]) }),
  make({ name: 'html-behind', threat: 'A6', why: 'A page with a script, 6,000 bytes behind the Data Set.', expected: malicious, elements: () => smallCT('html-behind'), trailing: () => within(inert.html(), 6000) }),
  make({ name: 'gzip-behind', threat: 'A7', why: 'A packed program after the Data Set.', expected: malicious, elements: () => smallCT('gzip-behind'), trailing: () => gzipSync(within(pe(), 8000)) }),
  make({ name: 'padding-large', threat: 'A7', why: 'Data Set Trailing Padding of 100 KB that is no padding.', expected: malformed, elements: () => smallCT('padding-large'), trailing: () => encode([['FFFC,FFFC', 'OB', noise(100_000, 2)]]) }),
  make({ name: 'padding-large-zero', threat: 'A7', why: 'Data Set Trailing Padding of 100 KB of zeros: cut off.', expected: disarmed('padding'), elements: () => smallCT('padding-large-zero'), trailing: () => encode([['FFFC,FFFC', 'OB', Buffer.alloc(100_000)]]) }),
  make({ name: 'meta-large', threat: 'B10', why: 'A hundred KB of private information before the Data Set.', expected: malformed, overAssociation: clean, elements: () => smallCT('meta-large'), meta: [['0002,0100', 'UI', '2.25.7'], ['0002,0102', 'OB', noise(100_000, 2)]] }),
  make({ name: 'meta-pe-key', threat: 'B10', why: 'A program under a key in the private information of group 2.', expected: malicious, overAssociation: clean, elements: () => smallCT('meta-pe-key'), meta: [['0002,0100', 'UI', '2.25.7'], ['0002,0102', 'OB', keyed(pe(), 0x77)]] }),
];
