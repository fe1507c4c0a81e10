/** Objects that conform, some of them in ways that careless software takes for damage: none may be held. */
import { deflateRawSync } from 'node:zlib';
import { encapsulate, encode, header, itemHeader, undefinedLength, withElements, withoutElements, type Element } from './encode.ts';
import { make } from './make.ts';
import { staleTIFF } from './inert.ts';
import { containerItem, ctSlice, grey16, identity, patients, report, secondaryCapture, smallCT, smallReport, sopClasses, textItem } from './objects.ts';
import { randomOf, renderSlice } from './phantom.ts';
import { clean, disarmed, type Recipe } from './recipe.ts';
import { rleFrame } from './rle.ts';

const threat = 'benign';
const elementsOf = (list: readonly Element[]) => () => list;

/** Smooth colours with a moving disc: what an ultrasound cine looks like to a parser. */
function colourFrame(rows: number, columns: number, frame: number): Uint8Array {
  const pixels = new Uint8Array(rows * columns * 3);
  for (let at = 0; at < rows * columns; at++) {
    const [x, y] = [at % columns, Math.floor(at / columns)];
    const inside = Math.hypot(x - columns / 2 - frame * 3, y - rows / 2) < rows / 4;
    pixels.set(inside ? [230, 120 + frame * 8, 60] : [x % 200, y % 200, (x + y) % 200], at * 3);
  }
  return pixels;
}

/** YBR_FULL_422: two luminances, then the Cb and Cr they share (PS3.3 C.7.6.3.1.2): two thirds of the usual length. */
function ybr422(rows: number, columns: number, frames: number): Uint8Array {
  const pixels = new Uint8Array(rows * columns * 2 * frames);
  for (let pair = 0; pair < pixels.length / 4; pair++) pixels.set([(pair * 3) % 220, (pair * 3 + 1) % 220, 120 + (pair % 16), 136 - (pair % 16)], pair * 4);
  return pixels;
}

const bits = (length: number, seed: number): Uint8Array => {
  const random = randomOf(seed);
  return Uint8Array.from({ length }, () => Math.floor(random() * 256));
};

function multiframe(name: string, sopClassUID: string, frames: number, image: Parameters<typeof secondaryCapture>[1], pixels: Uint8Array): Element[] {
  return withElements(
    secondaryCapture(name, image, pixels, sopClassUID),
    ['0018,1063', 'DS', '40'],
    ['0020,0020', 'CS', ''],
    ['0028,0008', 'IS', String(frames)],
    ['0028,0009', 'AT', ['0018,1063']],
    ['0028,0301', 'CS', 'NO'],
    ['2050,0020', 'CS', 'IDENTITY'],
  );
}

/** Containers in containers; each is an Item of the Content Sequence of the one above. */
function nestedReport(name: string, levels: number): Element[] {
  let item = textItem('Finding', 'The innermost finding.');
  for (let level = 1; level < levels; level++) item = containerItem(`Level ${levels - level}`, [item]);
  return report(name, [item]);
}

const overlay = (rows: number, columns: number): Element[] => [
  ['6000,0010', 'US', rows],
  ['6000,0011', 'US', columns],
  ['6000,0040', 'CS', 'G'],
  ['6000,0050', 'SS', [1, 1]],
  ['6000,0100', 'US', 1],
  ['6000,0102', 'US', 0],
  ['6000,3000', 'OW', bits((rows * columns) / 8, 6)],
];

/** The shape of a Siemens CSA header: SV10, four bytes, the count of tags, and then named values. */
function csaHeader(): Uint8Array {
  const bytes = Buffer.alloc(16 + 84 * 3);
  bytes.set(Buffer.from('SV10\x04\x03\x02\x01', 'latin1'));
  bytes.writeUInt32LE(3, 8);
  bytes.writeUInt32LE(77, 12);
  ['EchoLinePosition', 'SliceThickness', 'MeasuredFourierLines'].forEach((name, index) => {
    bytes.write(name, 16 + 84 * index, 'latin1');
    bytes.writeInt32LE(1, 16 + 84 * index + 64);
    bytes.write('IS', 16 + 84 * index + 68, 'latin1');
    bytes.writeInt32LE(77, 16 + 84 * index + 80);
  });
  return bytes;
}

function rleColour(name: string): (Element | Uint8Array)[] {
  const fragments = [0, 1, 2].map((frame) => rleFrame(colourFrame(48, 64, frame), 3, 1, 48));
  const offsets = fragments.map((_, index) => fragments.slice(0, index).reduce((sum, fragment) => sum + 8 + fragment.length, 0));
  const elements = multiframe(name, sopClasses.multiframeColour, 3, { rows: 48, columns: 64, samples: 3, photometric: 'RGB' }, new Uint8Array());
  return [...withoutElements(elements, '7FE0,0010', '2050,0020'), encapsulate(fragments, offsets)];
}

/** ISO 2022 escapes of Japanese names (PS3.5 Annex H.3.1), as bytes. */
const japaneseName = Buffer.from('Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B', 'latin1');

export const benign: readonly Recipe[] = [
  make({ name: 'ct-512', threat, why: 'A CT slice as most of the archive is.', expected: clean, elements: () => ctSlice({ name: 'ct-512', index: 5, count: 12 }) }),
  make({ name: 'ct-implicit', threat, why: 'The default Transfer Syntax: VRs come from the dictionary.', syntax: 'implicit', expected: clean, elements: () => ctSlice({ name: 'ct-implicit', index: 2, count: 12, size: 256 }) }),
  make({ name: 'ct-big-endian', threat, why: 'Explicit VR Big Endian is retired and still arrives.', syntax: 'big', expected: clean, elements: () => ctSlice({ name: 'ct-big-endian', index: 3, count: 12, size: 128 }) }),
  make({ name: 'ct-deflated', threat, why: 'A deflated Data Set.', syntax: 'deflated', expected: clean, elements: () => ctSlice({ name: 'ct-deflated', index: 4, count: 12, size: 128 }) }),
  make({
    name: 'ct-rle', threat, why: 'RLE: 16-bit samples in two byte planes.', syntax: 'rle', expected: clean,
    elements: () => {
      const slice = ctSlice({ name: 'ct-rle', index: 6, count: 12, size: 128 });
      return [...withoutElements(slice, '7FE0,0010'), encapsulate([rleFrame(renderSlice({ rows: 128, columns: 128, height: 0.1, seed: 6 }), 1, 2, 128)])];
    },
  }),
  make({ name: 'colour-rle-frames', threat, why: 'Three RLE frames with a filled Basic Offset Table.', syntax: 'rle', expected: clean, elements: () => rleColour('colour-rle-frames') }),
  make({ name: 'report-4k', threat, why: 'A structured report, the other half of the archive by count.', expected: clean, elements: () => smallReport('report-4k') }),
  make({ name: 'report-nested', threat, why: 'A report nested as deep as content trees get (15 levels), which is under the limit.', expected: clean, elements: () => nestedReport('report-nested', 15) }),
  make({ name: 'multiframe-word', threat, why: 'Ten 16-bit frames.', expected: clean, elements: () => withElements(
    multiframe('multiframe-word', sopClasses.multiframeWord, 10, { rows: 96, columns: 96 }, Buffer.concat(Array.from({ length: 10 }, (_, index) => renderSlice({ rows: 96, columns: 96, height: index / 10 - 0.5, seed: index })))),
    ...grey16(96, 96), ['0028,1052', 'DS', '0'], ['0028,1053', 'DS', '1'], ['0028,1054', 'LO', 'US'],
  ).map((element): Element => (element[0] === '7FE0,0010' ? [element[0], 'OW', element[2]] : element)) }),
  make({ name: 'bits-33x17', threat, why: 'One bit a pixel, frames that do not end on a byte: the length rounds up once, not for each frame.', expected: clean, elements: () => multiframe('bits-33x17', sopClasses.multiframeBit, 3, { rows: 17, columns: 33, bits: 1 }, bits(Math.ceil((17 * 33 * 3) / 8), 1)) }),
  make({ name: 'ybr-full-422', threat, why: 'Native YBR_FULL_422 has two thirds of the length that samples times bits would say.', expected: clean, elements: () => withElements(multiframe('ybr-full-422', sopClasses.multiframeColour, 2, { rows: 48, columns: 64, samples: 3, photometric: 'YBR_FULL_422' }, ybr422(48, 64, 2))).filter(([tag]) => tag !== '2050,0020') }),
  make({ name: 'odd-pixel-length', threat, why: 'An odd number of pixel bytes and the pad byte that the standard asks for.', expected: clean, elements: () => secondaryCapture('odd-pixel-length', { rows: 7, columns: 9 }, bits(63, 2)) }),
  make({ name: 'overlay', threat, why: 'A graphic overlay in group 6000.', expected: clean, elements: () => withElements(smallCT('overlay'), ...overlay(64, 64)) }),
  make({ name: 'private-vendor', threat, why: 'Private blocks of two vendors: a CSA header, numbers, a private sequence.', expected: clean, elements: () => withElements(smallCT('private-vendor'),
    ['0009,0010', 'LO', 'GEMS_IDEN_01'], ['0009,1001', 'LO', 'GE_GENESIS_FF'], ['0009,1027', 'SL', 1767225600],
    ['0029,0010', 'LO', 'SIEMENS CSA HEADER'], ['0029,1008', 'CS', 'IMAGE NUM 4'], ['0029,1010', 'OB', csaHeader()],
    ['2001,0010', 'LO', 'Philips Imaging DD 001'], ['2001,105F', 'SQ', [[['2001,0010', 'LO', 'Philips Imaging DD 001'], ['2001,1032', 'FL', 1.5]]]]) }),
  make({ name: 'private-large', threat, why: 'A private value of 120 KB, as vendor workstations keep their protocols.', expected: clean, elements: () => withElements(smallCT('private-large'),
    ['0029,0010', 'LO', 'SIEMENS MEDCOM HEADER'], ['0029,1020', 'OB', Buffer.from('<protocol name="head" kv="120"/>\n'.repeat(3800))]) }),
  make({ name: 'name-utf8', threat, why: 'Names in UTF-8: Greek, Chinese, with the diacritics of Zurich.', expected: clean, elements: () => withElements(smallCT('name-utf8'), ['0008,0005', 'CS', 'ISO_IR 192'], ['0010,0010', 'PN', 'Wang^XiaoDong=王^小東'], ['0008,0090', 'PN', 'Διονυσιος^Müller-Ærø']) }),
  make({ name: 'name-japanese', threat, why: 'A Japanese name with ISO 2022 escapes in three component groups.', expected: clean, elements: () => withElements(smallCT('name-japanese'), ['0008,0005', 'CS', ['', 'ISO 2022 IR 87']], ['0010,0010', 'PN', japaneseName]) }),
  make({ name: 'text-like-code', threat: 'C4', why: 'Text that looks like formulas and markup is text: a quarter of all files has some.', expected: clean, elements: () => withElements(smallCT('text-like-code'), ['0008,103E', 'LO', 'Sag>Tra(-2.8) <MPR>'], ['0008,0201', 'SH', '-0500'], ['0018,1030', 'LO', '=1+2;@SUM +LPH'], ['0020,4000', 'LT', "marked lesion <b>left</b>; ' OR 1=1 -- %s %n ${jndi:x}"]) }),
  make({ name: 'preamble-tiff', threat: 'A8', why: 'A TIFF header in the preamble that points nowhere: left over from a recompression.', expected: disarmed('preamble'), overAssociation: clean, preamble: staleTIFF, elements: () => smallCT('preamble-tiff') }),
  make({ name: 'preamble-text', threat: 'A1', why: 'A vendor that signs the preamble. One file in fifteen has a preamble that is not zero.', expected: disarmed('preamble'), overAssociation: clean, preamble: () => Buffer.from('GE Medical Systems/DICOM'), elements: () => smallCT('preamble-text') }),
  make({ name: 'trailing-padding-zero', threat: 'A7', why: 'Data Set Trailing Padding (FFFC,FFFC) of zeros.', expected: disarmed('padding'), elements: () => smallCT('trailing-padding-zero'), trailing: () => encode([['FFFC,FFFC', 'OB', Buffer.alloc(126)]]) }),
  make({ name: 'trailing-padding-tiff', threat: 'A7', why: 'Trailing padding with the directory of a former TIFF file in it: true of three quarters of such padding.', expected: disarmed('padding'), elements: () => smallCT('trailing-padding-tiff'), trailing: () => encode([['FFFC,FFFC', 'OB', Buffer.from([8, 0, 0, 1, 3, 0, 1, 0, 0, 0, 0, 2, 0, 0, 1, 1, 3, 0])]]) }),
  make({ name: 'deflate-checksum', threat: 'A7', why: 'Eight bytes of CRC and length after the deflate stream, as gzip would have: three of eight deflated files.', syntax: 'deflated', expected: disarmed('trailing'), elements: () => smallCT('deflate-checksum'), dataSet: (encoded) => deflateRawSync(encoded), trailing: () => Buffer.from([0x2d, 0x1c, 0x4e, 0x9a, 0x30, 0x21, 0, 0]) }),
  make({ name: 'sequence-defined-length', threat, why: 'Sequences and Items of defined length.', expected: clean, elements: () => withElements(smallCT('sequence-defined-length'),
    ['0008,1140', 'SQ', [[['0008,1150', 'UI', sopClasses.ct], ['0008,1155', 'UI', '2.25.1']], []], { definedLength: true }]) }),
  make({ name: 'sequence-unknown-vr', threat: 'B11', why: 'A sequence as UN of undefined length, which is encoded as Implicit VR inside (CP-246).', expected: clean, elements: () => withElements(smallCT('sequence-unknown-vr'), ['0009,0010', 'LO', 'ACME 1.1']).flatMap((element): (Element | Uint8Array)[] => (element[0] === '0009,0010'
    ? [element, header('0009,1001', 'UN', undefinedLength), itemHeader('FFFE,E000', undefinedLength), encode([['0008,0100', 'SH', 'X1']], 'implicit'), itemHeader('FFFE,E00D', 0), itemHeader('FFFE,E0DD', 0)]
    : [element])) }),
  make({ name: 'group-lengths', threat: 'A2', why: 'Retired Group Length elements, right ones.', expected: clean, elements: () => withElements(smallCT('group-lengths')).flatMap((element, index, all): Element[] => {
    const group = element[0].slice(0, 4);
    if (index > 0 && all[index - 1]![0].startsWith(group)) return [element];
    return [[`${group},0000`, 'UL', encode(all.filter(([tag]) => tag.startsWith(group))).length], element];
  }) }),
  make({ name: 'palette-colour', threat: 'B7', why: 'Palette Color with tables of exactly the length that their descriptors say.', expected: clean, elements: () => withElements(withoutElements(secondaryCapture('palette-colour', { rows: 32, columns: 32, photometric: 'PALETTE COLOR' }, bits(1024, 5))),
    ...['1101', '1102', '1103'].map((tag): Element => [`0028,${tag}`, 'US', [256, 0, 16]]),
    ...['1201', '1202', '1203'].map((tag): Element => [`0028,${tag}`, 'OW', bits(512, Number(tag))])) }),
  make({ name: 'empty-values', threat: 'B12', why: 'Empty values where values should be: common, and no danger to who reads with care.', expected: clean, elements: () => withElements(smallCT('empty-values'), ['0028,0030', 'DS', ''], ['0028,1051', 'DS', '0'], ['0008,0005', 'CS', ''], ['0010,0010', 'PN', '']) }),
  make({ name: 'empty-sequences', threat: 'B13', why: 'Sequences of no Items and Items of no elements: a reader must go on, and on.', expected: clean, elements: () => withElements(smallCT('empty-sequences'), ['0008,1110', 'SQ', []], ['0008,1111', 'SQ', [], { definedLength: true }], ['0008,1115', 'SQ', [[], [], []]], ['0008,1140', 'SQ', [[], []], { definedLength: true }]) }),
  make({ name: 'charset-escapes', threat: 'C6', why: 'Escapes that are not closed and a backslash as second byte of a character: shown with care, not held.', expected: clean, elements: () => withElements(smallCT('charset-escapes'), ['0008,0005', 'CS', ['', 'ISO 2022 IR 87']], ['0010,0010', 'PN', Buffer.from('Yamada^Tarou=\x1b$B;3ED^', 'latin1')], ['0008,0090', 'PN', Buffer.from([0x41, 0xff, 0xfe, 0xc0, 0xaf, 0x42])]) }),
  make({ name: 'charset-undeclared', threat: 'C6', why: 'A character set that does not exist: characters alone never hold an object.', expected: clean, elements: () => withElements(smallCT('charset-undeclared'), ['0008,0005', 'CS', 'ISO_IR 9999']) }),
  make({ name: 'other-patient', threat, why: 'Another patient, a second study: the study list has more than one row.', expected: clean, elements: elementsOf(withElements(identity('other-patient', sopClasses.basicTextSR, 'SR', patients[3], 'Second opinion'), ['0008,1111', 'SQ', []], ['0040,A040', 'CS', 'CONTAINER'], ['0040,A043', 'SQ', [[['0008,0100', 'SH', '18748-4'], ['0008,0102', 'SH', 'LN'], ['0008,0104', 'LO', 'Diagnostic imaging report']]]], ['0040,A050', 'CS', 'SEPARATE'], ['0040,A372', 'SQ', []], ['0040,A491', 'CS', 'COMPLETE'], ['0040,A493', 'CS', 'UNVERIFIED'], ['0040,A730', 'SQ', [textItem('Report', 'Agreed.')]])) }),
];
