/** THREATS B1 to B13: objects that break or exhaust careless readers. */
import { deflateRawSync } from 'node:zlib';
import { encapsulate, encode, fileMeta, header, itemHeader, part10, transferSyntaxes, undefinedLength, withElements, withoutElements, type Element } from './encode.ts';
import { make, type Ingredients } from './make.ts';
import { ctSlice, secondaryCapture, smallCT, sopClasses } from './objects.ts';
import { renderSlice } from './phantom.ts';
import { clean, disarmed, held, malformed, uidOf, type Expected, type Recipe } from './recipe.ts';
import { rleFragment, rleFrame } from './rle.ts';

function broken(name: string, threat: string, why: string, change: (elements: readonly Element[]) => readonly (Element | Uint8Array)[], also: Partial<Ingredients> = {}): Recipe {
  return make({ name, threat, why, expected: malformed, elements: () => change(smallCT(name)), ...also });
}
const put = (...changes: readonly Element[]) => (elements: readonly Element[]): readonly Element[] => withElements(elements, ...changes);
/** Literal bytes after an element. */
const insert = (afterTag: string, bytes: () => Uint8Array) => (elements: readonly Element[]): readonly (Element | Uint8Array)[] => elements.flatMap((element) => (element[0] === afterTag ? [element, bytes()] : [element]));
/** Bad limits may be found as damage or as more than what is inspected. */
const damagedOrTooMuch: Expected = { verdicts: ['malformed', 'unscannable'], disarmed: [] };

function nestingBomb(levels: number): Uint8Array {
  const open = Buffer.concat([header('0008,1140', 'SQ', undefinedLength), itemHeader('FFFE,E000', undefinedLength)]);
  const close = Buffer.concat([itemHeader('FFFE,E00D', 0), itemHeader('FFFE,E0DD', 0)]);
  return Buffer.concat([...Array<Buffer>(levels).fill(open), ...Array<Buffer>(levels).fill(close)]);
}

/** A million and a half elements of no value in two private blocks of every odd group there is. */
function elementBomb(count: number): Uint8Array {
  const bytes = Buffer.alloc(count * 8);
  for (let index = 0; index < count; index++) {
    bytes.writeUInt16LE(0x3001 + 2 * Math.floor(index / 0xe000), index * 8);
    bytes.writeUInt16LE(0x1000 + (index % 0xe000), index * 8 + 2);
    bytes.write('LO', index * 8 + 4, 'latin1');
  }
  return bytes;
}

/** Zeros deflate to a thousandth. */
function deflateBomb(encoded: Uint8Array, inflatedBytes: number): Uint8Array {
  const bomb = Buffer.concat([encoded, header('FFFC,FFFC', 'OB', inflatedBytes), Buffer.alloc(inflatedBytes)]);
  const bytes = deflateRawSync(bomb);
  return bytes.length % 2 === 0 ? bytes : Buffer.concat([bytes, Buffer.alloc(1)]);
}
const deflateBombBytes = 96 * 1024 * 1024;

const frame = (): Buffer => rleFrame(renderSlice({ rows: 64, columns: 64, height: 0, seed: 3 }), 1, 2, 64);
const rle = (name: string, threat: string, why: string, pixels: () => Uint8Array, expected: Expected = malformed): Recipe =>
  make({ name, threat, why, syntax: 'rle', expected, elements: () => [...withoutElements(ctSlice({ name, index: 0, count: 1, size: 64 }), '7FE0,0010'), pixels()] });

/** JPEG: SOI, one frame header of the given size, an empty scan, EOI. */
function jpeg(rows: number, columns: number, precision = 8, components = 1): Buffer {
  const parts = Array.from({ length: components }, (_, index) => [index + 1, 0x11, 0]).flat();
  return Buffer.from([0xff, 0xd8, 0xff, 0xc0, 0, 8 + 3 * components, precision, rows >> 8, rows & 255, columns >> 8, columns & 255, components, ...parts,
    0xff, 0xda, 0, 6 + 2 * components, components, ...Array.from({ length: components }, (_, index) => [index + 1, 0]).flat(), 0, 63, 0, 0x55, 0xff, 0xd9]);
}
const jpegImage = (name: string, why: string, pixels: Uint8Array, expected: Expected = malformed): Recipe => make({
  name, threat: 'B9', why, syntax: 'jpegBaseline', expected,
  elements: () => [...withoutElements(secondaryCapture(name, { rows: 32, columns: 32 }, new Uint8Array()), '7FE0,0010'), encapsulate([pixels])],
});

/** JPEG 2000: SOC and a SIZ of the given size, then nothing. */
function jpeg2000(rows: number, columns: number): Buffer {
  const siz = Buffer.alloc(43);
  siz.writeUInt16BE(0xff51, 0);
  siz.writeUInt16BE(41, 2);
  [columns, rows, 0, 0, columns, rows, 0, 0].forEach((value, index) => siz.writeUInt32BE(value, 6 + index * 4));
  siz.writeUInt16BE(1, 38);
  siz.set([7, 1, 1], 40);
  return Buffer.concat([Buffer.from([0xff, 0x4f]), siz, Buffer.from([0xff, 0xd9, 0])]);
}

const meta = (name: string, why: string, metaBytes: NonNullable<Ingredients['metaBytes']>, expected: Expected): Recipe =>
  make({ name, threat: 'B10', why, expected, overAssociation: null, metaBytes, elements: () => smallCT(name) });
const repaired: Expected = { verdicts: ['clean', 'malformed'], disarmed: ['meta'] };

/** Four gibibytes asked for in twelve bytes. */
const tinyOverrunBytes = (): Uint8Array => part10({ transferSyntaxUID: transferSyntaxes.explicit, sopClassUID: sopClasses.ct, sopInstanceUID: uidOf('length-4gib'), dataSet: header('0009,1001', 'OB', 0xfffffff0), meta: new Uint8Array() });
const tinyOverrun: Recipe = { name: 'length-4gib', threat: 'B1', why: 'A file of 144 bytes that declares a value of four gibibytes.', expected: held, bytes: tinyOverrunBytes, transfer: null, doors: ['stow'] };

export const breaking: readonly Recipe[] = [
  tinyOverrun,
  broken('length-overrun', 'B1', 'The last value is declared longer than the file.', put(['7FE0,0010', 'OW', Buffer.alloc(8192), { length: 0x7ffffffe }])),
  broken('length-overrun-item', 'B1', 'A value in an Item is declared longer than the Item.', put(['0008,1140', 'SQ', [[['0008,1150', 'UI', '1.2.3', { length: 4000 }]]], { definedLength: true }])),
  broken('truncated', 'B1', 'The last 200 bytes of the pixels are missing.', put(['7FE0,0010', 'OW', Buffer.alloc(8192 - 200), { length: 8192 }])),
  broken('nesting-1060', 'B2', 'One thousand and sixty sequences in each other: more than most stacks hold.', insert('0008,1090', () => nestingBomb(1060)), { expected: damagedOrTooMuch }),
  broken('nesting-100000', 'B2', 'A hundred thousand sequences in each other.', insert('0008,1090', () => nestingBomb(100_000)), { expected: damagedOrTooMuch }),
  broken('elements-1500000', 'B3', 'A million and a half empty elements in 12 MB.', insert('0028,1055', () => elementBomb(1_500_000)), { expected: damagedOrTooMuch }),
  broken('items-2000000', 'B3', 'Two million empty Items in one sequence.', insert('0008,1090', () => Buffer.concat([header('0008,1140', 'SQ', 16_000_000), Buffer.alloc(16_000_000).fill(itemHeader('FFFE,E000', 0))])), { expected: damagedOrTooMuch }),
  make({ name: 'deflate-bomb', threat: 'B4', why: 'A deflated Data Set that grows a thousandfold.', syntax: 'deflated', expected: damagedOrTooMuch, elements: () => smallCT('deflate-bomb'), dataSet: (encoded) => deflateBomb(encoded, deflateBombBytes) }),
  make({ name: 'deflate-bomb-jpip', threat: 'B4', why: 'The same under JPIP Referenced Deflate, which is a deflated Data Set too.', syntax: 'deflated', transferSyntaxUID: '1.2.840.10008.1.2.4.95', expected: damagedOrTooMuch, overAssociation: damagedOrTooMuch, elements: () => withoutElements(smallCT('deflate-bomb-jpip'), '7FE0,0010'), dataSet: (encoded) => deflateBomb(encoded, deflateBombBytes) }),
  make({ name: 'deflate-damaged', threat: 'B4', why: 'A deflate stream that breaks off.', syntax: 'deflated', expected: damagedOrTooMuch, elements: () => smallCT('deflate-damaged'), dataSet: (encoded) => deflateRawSync(encoded).subarray(0, 2000) }),
  broken('rows-ul', 'B6', 'Rows as UL: a reader that takes the VR from the file reads four bytes where it expects two.', put(['0028,0010', 'UL', 64])),
  broken('rows-60000', 'B6', 'Rows say 60,000; there are pixels for two.', put(['0028,0010', 'US', 60_000], ['7FE0,0010', 'OW', Buffer.alloc(512)])),
  broken('bits-stored', 'B6', 'More Bits Stored than Bits Allocated.', put(['0028,0101', 'US', 24], ['0028,0102', 'US', 23])),
  broken('high-bit', 'B6', 'High Bit beyond Bits Allocated.', put(['0028,0102', 'US', 40])),
  broken('samples-3', 'B6', 'Three Samples per Pixel of a monochrome image.', put(['0028,0002', 'US', 3])),
  broken('frames-negative', 'B6', 'Minus one frames.', put(['0028,0008', 'IS', '-1'])),
  broken('frames-zero', 'B6', 'No frames.', put(['0028,0008', 'IS', '0'])),
  broken('frames-overflow', 'B6', 'Two thousand million frames: times the size of one, the product wraps to what is there.', put(['0028,0008', 'IS', '2147483647'])),
  broken('pixels-short', 'B6', 'Two rows fewer than the attributes say.', put(['7FE0,0010', 'OW', Buffer.alloc(64 * 62 * 2)])),
  broken('pixels-long', 'B6', 'Eight kilobytes more than the attributes say.', put(['7FE0,0010', 'OW', Buffer.alloc(64 * 64 * 2 + 8192)])),
  broken('palette-short', 'B7', 'A palette of 65,536 entries by its descriptor and 512 bytes by its data.', (elements) => withElements(elements, ['0028,0004', 'CS', 'PALETTE COLOR'], ['0028,0103', 'US', 0],
    ...['1101', '1102', '1103'].map((tag): Element => [`0028,${tag}`, 'US', [0, 0, 16]]), ...['1201', '1202', '1203'].map((tag): Element => [`0028,${tag}`, 'OW', Buffer.alloc(512)]))),
  broken('overlay-short', 'B7', 'An overlay of 4,096 by 4,096 with eight bytes of data.', put(['6000,0010', 'US', 4096], ['6000,0011', 'US', 4096], ['6000,0040', 'CS', 'G'], ['6000,0050', 'SS', [1, 1]], ['6000,0100', 'US', 1], ['6000,0102', 'US', 0], ['6000,3000', 'OW', Buffer.alloc(8)])),
  rle('fragments-no-end', 'B8', 'No Sequence Delimitation Item after the fragments.', () => encapsulate([frame()]).subarray(0, -8)),
  rle('fragments-end-length', 'B8', 'A Sequence Delimitation Item with a length, and bytes behind it.', () => Buffer.concat([encapsulate([frame()]).subarray(0, -8), itemHeader('FFFE,E0DD', 64), Buffer.alloc(64)]), held),
  rle('fragment-overrun', 'B8', 'A fragment longer than what is left.', () => Buffer.concat([encapsulate([frame()]).subarray(0, -8), itemHeader('FFFE,E000', 0x7ffffff0), Buffer.alloc(16)])),
  rle('fragment-two-bytes', 'B8', 'A last fragment of two bytes that belongs to no frame.', () => encapsulate([frame(), Buffer.alloc(2)])),
  rle('fragments-not-items', 'B8', 'Something else than an Item among the fragments.', () => Buffer.concat([encapsulate([frame()]).subarray(0, -8), encode([['0010,0010', 'PN', 'Not^Here']]), itemHeader('FFFE,E0DD', 0)])),
  rle('offset-table-odd', 'B8', 'A Basic Offset Table of six bytes.', () => Buffer.concat([header('7FE0,0010', 'OB', undefinedLength), itemHeader('FFFE,E000', 6), Buffer.alloc(6), encapsulate([frame()]).subarray(20)])),
  rle('offset-table-beyond', 'B8', 'A Basic Offset Table that points behind the fragments.', () => encapsulate([frame()], [0x7fffff00])),
  rle('rle-sixteen-segments', 'B9', 'An RLE header with sixteen segments for two byte planes.', () => encapsulate([rleFragment([frame().subarray(64)], undefined, 16)])),
  rle('rle-offset-beyond', 'B9', 'An RLE segment that starts behind its fragment.', () => encapsulate([rleFragment([Buffer.alloc(100), Buffer.alloc(100)], [64, 0xfffffff0])])),
  rle('rle-short', 'B9', 'RLE segments that end before the frame is full.', () => encapsulate([rleFragment([Buffer.from([0x81, 0]), Buffer.from([0x81, 0])])]), { verdicts: ['malformed', 'unscannable'], disarmed: [] }),
  jpegImage('jpeg-size', 'The JPEG is 4,096 by 4,096, the image says 32 by 32.', jpeg(4096, 4096)),
  jpegImage('jpeg-components', 'The JPEG has three components, the image one.', jpeg(32, 32, 8, 3)),
  jpegImage('jpeg-precision', 'The JPEG has 12 bits, the image eight.', jpeg(32, 32, 12)),
  jpegImage('jpeg-not', 'Encapsulated data that is no JPEG at all.', Buffer.alloc(256, 0x41)),
  make({ name: 'jpeg2000-size', threat: 'B9', why: 'A JPEG 2000 codestream of 65,535 squared in an image of 32 by 32.', syntax: 'jpegBaseline', transferSyntaxUID: '1.2.840.10008.1.2.4.90', expected: malformed, elements: () => [...withoutElements(secondaryCapture('jpeg2000-size', { rows: 32, columns: 32 }, new Uint8Array()), '7FE0,0010'), encapsulate([jpeg2000(65_535, 65_535)])] }),
  meta('meta-no-length', 'No File Meta Information Group Length: seen in one file of a hundred.', (usual) => fileMeta(usual).subarray(12), repaired),
  meta('meta-wrong-length', 'A File Meta Information Group Length that lies.', (usual) => Buffer.concat([encode([['0002,0000', 'UL', 4]]), fileMeta(usual).subarray(12)]), repaired),
  meta('meta-huge-length', 'A group length of four gibibytes.', (usual) => Buffer.concat([encode([['0002,0000', 'UL', 0xfffffff0]]), fileMeta(usual).subarray(12)]), repaired),
  meta('meta-duplicate', 'Two Transfer Syntax UIDs: readers differ in which they take.', (usual) => Buffer.concat([fileMeta(usual), encode([['0002,0010', 'UI', transferSyntaxes.implicit]])]), malformed),
  meta('meta-no-syntax', 'No Transfer Syntax UID.', (usual) => encode([['0002,0000', 'UL', 14], ['0002,0001', 'OB', new Uint8Array([0, 1])], ['0002,0002', 'UI', usual.sopClassUID]]), held),
  meta('meta-implicit', 'File Meta Information in Implicit VR.', (usual) => encode([['0002,0002', 'UI', usual.sopClassUID], ['0002,0003', 'UI', usual.sopInstanceUID], ['0002,0010', 'UI', usual.transferSyntaxUID]], 'implicit'), held),
  make({ name: 'syntax-unknown', threat: 'B10', why: 'A Transfer Syntax that nobody knows.', transferSyntaxUID: '1.2.3.4.5.6', expected: held, overAssociation: null, elements: () => smallCT('syntax-unknown') }),
  make({ name: 'syntax-lie', threat: 'B10', why: 'Declares Explicit VR and is Implicit.', syntax: 'implicit', transferSyntaxUID: transferSyntaxes.explicit, expected: malformed, elements: () => smallCT('syntax-lie') }),
  make({ name: 'syntax-lie-endian', threat: 'B10', why: 'Declares little endian and is big.', syntax: 'big', transferSyntaxUID: transferSyntaxes.explicit, expected: malformed, elements: () => smallCT('syntax-lie-endian') }),
  broken('group-2-inside', 'B10', 'Elements of group 2 in the Data Set, after group 8.', insert('0008,1090', () => encode([['0002,0010', 'UI', transferSyntaxes.big]]))),
  broken('vr-unknown', 'B11', 'A VR that does not exist.', insert('0008,1090', () => Buffer.concat([header('0009,0010', 'QQ', 4).subarray(0, 6), Buffer.from([4, 0]), Buffer.from('ABCD')]))),
  broken('vr-blank', 'B11', 'Two spaces as VR.', insert('0008,1090', () => Buffer.concat([header('0009,0010', 'LO', 4).fill('  ', 4, 6), Buffer.from('ABCD')]))),
  broken('vr-not-the-elements', 'B11', 'Patient ID as OB.', put(['0010,0020', 'OB', Buffer.from('LZ-0001 ')])),
  broken('vr-reserved', 'B11', 'Reserved bytes after an OB that are not zero.', insert('0008,1090', () => Buffer.concat([Buffer.from(header('0009,1001', 'OB', 4)).fill(0x41, 6, 8), Buffer.from('ABCD')]))),
  broken('length-odd', 'B11', 'A value of odd length.', put(['0010,4000', 'LT', 'odd', { odd: true }])),
  broken('items-endless', 'B13', 'A sequence of undefined length that never ends.', insert('0008,1090', () => Buffer.concat([header('0008,1140', 'SQ', undefinedLength), itemHeader('FFFE,E000', 0), itemHeader('FFFE,E000', 0)])), { expected: malformed }),
  broken('delimiter-stray', 'B13', 'An Item Delimitation Item where no Item is.', insert('0008,1090', () => itemHeader('FFFE,E00D', 0))),
  make({ name: 'empty-object', threat: 'B12', why: 'File Meta Information and no Data Set.', expected: malformed, overAssociation: null, elements: () => [] }),
];

/** Kept out of the list above: they are rows of the threats that end well. */
export const harmlessRows: readonly Recipe[] = [
  broken('window-zero', 'B12', 'A Window Width of zero and an empty Pixel Spacing: an image is an image.', put(['0028,1051', 'DS', '0'], ['0028,0030', 'DS', '']), { expected: clean }),
  meta('meta-private', 'Private Information in group 2 that means nothing to us.', (usual) => fileMeta(usual, [['0002,0016', 'AE', 'ELSEWHERE']]), disarmed()),
];
