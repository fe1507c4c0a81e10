/**
 * THREATS A2, A3, A6, A9 and A10, written by hand with the rules at hand: headers that loaders take and signatures do not, packed streams and texts in forms that
 * decoders take and searches do not, and places that no attribute accounts for. All of it inert.
 */
import { deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { zipOf } from './archives.ts';
import { deflate, encapsulate, encode, fileMeta, part10, transferSyntaxes, withElements, withoutElements, type Element, type Item } from './encode.ts';
import { box, joined, jpegParts, jpeg2000Parts, jpegXLContainer, segment } from './frames.ts';
import * as inert from './inert.ts';
import { make, type Ingredients } from './make.ts';
import { ctSlice, grey16, identity, secondaryCapture, smallCT, sopClasses } from './objects.ts';
import { pdfOf, report } from './pdfs.ts';
import { noise } from './private.ts';
import { blob, blobs, csa, geProtocol, parameterFile, protocolLines } from './records.ts';
import { clean, disarmed, held, malformed, malicious, unscannable, type Expected, type Recipe } from './recipe.ts';
import { rleFragment } from './rle.ts';
import { annexB, h264Units } from './video.ts';

type Bytes = Uint8Array;
export const acme: Element = ['0009,0010', 'LO', 'ACME 1.1'];
const side = 64;

/** What no search finds: the upper half of the bytes. */
export const residue = (length: number): Buffer => Buffer.from(noise(length, 31).map((byte) => 0x80 | byte));
/** `inside` among bytes that look like a record. */
export const within = (inside: Bytes, before = 1500, behind = 600): Buffer => Buffer.concat([residue(before), inside, residue(behind)]);

/** A program whose optional header is longer than usual, and whose DOS header says nothing but where the other one is: loaders ask for no more. */
export function barePE(headerAt = 0x80): Buffer {
  const header = Buffer.concat([inert.peHeader(), Buffer.alloc(512)]);
  header.writeUInt16LE(0x1f0, 20);
  // Text in between, so that what packs it has something to do.
  const bytes = Buffer.concat([Buffer.from(protocolLines(4000)).subarray(0, headerAt), Buffer.alloc(Math.max(0, headerAt - protocolLines(4000).length)), header]);
  bytes.write('MZ', 0, 'latin1');
  bytes.writeUInt32LE(headerAt, 0x3c);
  return bytes;
}
/** Linux looks at the first four bytes, the kind, the machine and the size of a program header, and at none of the rest of the identification. */
function bareELF(): Buffer {
  const bytes = Buffer.concat([inert.elf(64, 1), Buffer.alloc(200)]);
  bytes.fill(0xa5, 4, 16);
  bytes.writeUInt32LE(0, 20);
  return bytes;
}
/** An archive of a packed program whose entries need a version that no signature knows; readers do not look at it. */
function oddZip(): Buffer {
  const bytes = zipOf([{ name: 'a.exe', data: Buffer.concat([inert.pe(), noise(900, 32)]) }]);
  for (const [signature, at] of [['PK\x03\x04', 4], ['PK\x01\x02', 4], ['PK\x01\x02', 6]] as const) bytes[bytes.indexOf(signature, 0, 'latin1') + at] = 0x0b;
  return bytes;
}

export function object(name: string, threat: string, why: string, expected: Expected, more: () => readonly Element[], also: Partial<Ingredients> = {}): Recipe {
  return make({ name, threat, why, expected, elements: () => withElements(smallCT(name), ...more()), ...also });
}
export const record = (name: string, why: string, expected: Expected, value: () => Bytes, vr = 'OB'): Recipe => object(name, 'A3', why, expected, () => [acme, ['0009,1001', vr, value()]]);

/** A grey image of bytes, each of which is a pixel. */
function bytesAsPixels(name: string, why: string, expected: Expected, bytes: () => Bytes): Recipe {
  const pixels = (): Buffer => Buffer.concat([bytes(), noise(side * side, 33)]).subarray(0, side * side);
  return make({ name, threat: 'A9', why, expected, elements: () => secondaryCapture(name, { rows: side, columns: side }, pixels()) });
}

/** Sixteen bits of which eight count; what stands in the others is seen by nobody. */
function halfUsed(name: string, why: string, syntax: string | null, pixels: (upper: Bytes) => Bytes): Recipe {
  const upper = (): Buffer => Buffer.concat([barePE(), Buffer.alloc(side * side)]).subarray(0, side * side);
  return make({
    name, threat: 'A9', why, expected: malicious, ...(syntax === null ? {} : { syntax: 'rle', transferSyntaxUID: syntax }),
    elements: () => [...withoutElements(withElements(smallCT(name), ...grey16(side, side), ['0028,0101', 'US', 8], ['0028,0102', 'US', 7], ['0028,0103', 'US', 0]), '7FE0,0010'), pixels(upper())],
  });
}
export const interleaved = (upper: Bytes): Buffer => Buffer.from(Uint8Array.from({ length: upper.length * 2 }, (_, index) => (index % 2 === 0 ? (index * 7) & 0xff : upper[index >> 1]!)));
/** Literal runs so short that no header lies in one. */
function shortRuns(plane: Bytes): Buffer {
  const out: number[] = [];
  for (let at = 0; at < plane.length; at += 8) out.push(7, ...plane.subarray(at, at + 8));
  return Buffer.from(out);
}

export function jpegImage(name: string, threat: string, why: string, expected: Expected, frame: () => Bytes, more: readonly Element[] = [], uid: string = transferSyntaxes.jpegBaseline): Recipe {
  return make({
    name, threat, why, expected, syntax: 'jpegBaseline', transferSyntaxUID: uid,
    elements: () => [...withoutElements(withElements(secondaryCapture(name, { rows: 32, columns: 32 }, new Uint8Array()), ...more), '7FE0,0010'), encapsulate([frame()])],
  });
}
export const jpeg = (data: Bytes = new Uint8Array()): Buffer => joined(jpegParts({ rows: 32, columns: 32 }), { data: [new Uint8Array(), data] });
/** FF among the code of a scan is followed by a zero. */
const stuffed = (bytes: Bytes): Buffer => Buffer.from([...bytes].flatMap((byte) => (byte === 0xff ? [0xff, 0] : [byte])));

export const icon = (pixels: Bytes): Item => [['0028,0002', 'US', 1], ['0028,0004', 'CS', 'MONOCHROME2'], ['0028,0010', 'US', 8], ['0028,0011', 'US', 8], ['0028,0100', 'US', 8], ['0028,0101', 'US', 8], ['0028,0102', 'US', 7], ['0028,0103', 'US', 0], ['7FE0,0010', 'OB', pixels]];
const document = (bytes: Bytes, type: string): Item => [['0042,0010', 'ST', 'Annex'], ['0042,0011', 'OB', bytes], ['0042,0012', 'LO', type]];
export const inDocument = (name: string, why: string, type: string, bytes: () => Bytes): Recipe => make({
  name, threat: 'A11', why, expected: held,
  elements: () => withElements(identity(name, sopClasses.encapsulatedPDF, 'DOC'), ['0008,0064', 'CS', 'WSD'], ['0028,0301', 'CS', 'YES'], ['0040,A043', 'SQ', []], ['0042,0010', 'ST', 'Report'], ['0042,0011', 'OB', bytes()], ['0042,0012', 'LO', type]),
});
const pieces = (text: string, length: number): string[] => text.match(new RegExp(`.{1,${length}}`, 'g')) ?? [];
const program = (): string => Buffer.concat([barePE(), Buffer.alloc(600)]).toString('base64');

/** A whole DICOM file whose Data Set is deflated, with a program in it. */
function deflatedFile(): Buffer {
  const elements = withElements(smallCT('inner'), acme, ['0009,1001', 'OB', barePE()]);
  const names = { transferSyntaxUID: transferSyntaxes.deflated, sopClassUID: sopClasses.ct, sopInstanceUID: '2.25.77' };
  return part10({ ...names, dataSet: deflate(encode(elements)), meta: fileMeta(names) });
}

/** Four partitions at byte 446 and 55 AA at byte 510 of the file. */
function diskImage(): Recipe {
  const partition = Buffer.from([0x80, 1, 1, 0, 0x0c, 0xfe, 0xff, 0xff, 0, 8, 0, 0, 0, 0, 1, 0]);
  const mark = Buffer.concat([partition, Buffer.alloc(48), Buffer.from([0x55, 0xaa])]);
  const recipe = (fill: number): Recipe => object('disk-image', 'A6', 'A disk image: the partitions and the mark of a boot sector where they belong.', held, () => [['0008,0001', 'UN', Buffer.concat([Buffer.alloc(fill), mark])]], { overAssociation: { verdicts: ['clean', ...held.verdicts], disarmed: [] } });
  const at = Buffer.from(recipe(0).bytes()).indexOf(mark);
  return recipe(446 - at + ((446 - at) % 2));
}

export const byHandBenign: readonly Recipe[] = [
  jpegImage('icon-native', 'benign', 'An icon that is not compressed in an object that is.', clean, () => jpeg(), [['0088,0200', 'SQ', [icon(noise(64, 34))]]]),
  record('private-base64-short', 'Digests and names as base64, each of its own.', clean, () => Buffer.from(Array.from({ length: 40 }, (_, index) => noise(21, 40 + index).toString('base64')).join('; ')), 'UT'),
];

export const byHandHostile: readonly Recipe[] = [
  record('private-pe-bare', 'A program whose second header lies 128 KiB behind the first, and is longer than usual.', malicious, () => barePE(0x20000)),
  record('private-elf-bare', 'A Linux program with an identification that only the loader takes, inside a record.', malicious, () => within(bareELF())),
  bytesAsPixels('pixels-pe', 'A program whose bytes are the pixels of an image, each of them.', malicious, () => barePE()),
  bytesAsPixels('pixels-pe-inside', 'A program among the pixels of an image.', malicious, () => Buffer.concat([noise(777, 35), barePE()])),
  bytesAsPixels('pixels-elf', 'A Linux program whose bytes are the pixels of an image.', malicious, bareELF),
  bytesAsPixels('pixels-ne', 'A 16 bit Windows program as the pixels of an image, with a DOS header that says nothing else.', malicious, () => {
    const bytes = barePE();
    bytes.write('NE\x05\x01', 0x80, 'latin1');
    return bytes;
  }),
  jpegImage('jpeg-scan-pe', 'A10', 'A program behind the last pixel of a scan, before its end.', malicious, () => jpeg(stuffed(barePE()))),
  make({ name: 'private-zip-version', threat: 'A6', why: 'An archive of a packed program whose entries say a version that no writer uses, inside a record.', expected: held, elements: () => withElements(ctSlice({ name: 'private-zip-version', index: 0, count: 1, size: 192, description: 'Recipe private-zip-version' }), acme, ['0009,1001', 'OB', within(oddZip())]) }),
  make({ name: 'zip-last', threat: 'A6', why: 'The same at the end of the file, where readers of archives begin, and said to be on another disk.', expected: held, elements: () => withElements(smallCT('zip-last'), ['7FE1,0010', 'LO', 'ACME 1.1'], ['7FE1,1010', 'OB', (() => {
    const bytes = oddZip();
    bytes[bytes.indexOf('PK\x05\x06', 0, 'latin1') + 4] = 1;
    return within(bytes, 1500, 0);
  })()]) }),
  record('private-zlib-window', 'A program packed with zlib and a window of 4 KiB, inside a record.', malicious, () => within(deflateSync(inert.pe(), { windowBits: 12 }))),
  record('private-gzip-hint', 'A program packed with gzip, by a system and with a hint that do not exist, inside a record.', malicious, () => {
    const packed = gzipSync(inert.pe());
    packed.set([1, 0x20], 8);
    return within(packed);
  }),
  record('private-zstd-inside', 'A program packed with zstd, inside a record.', malicious, () => within(zstdCompressSync(barePE(0x4000)))),
  record('private-lzma', 'The header of an LZMA stream, inside a record.', held, () => within(Buffer.concat([Buffer.from([0x5d, 0, 0, 0x80, 0, ...Array.from({ length: 8 }, () => 0xff), 0]), residue(500)]))),
  record('private-lzip', 'The header of a lzip file, inside a record.', held, () => within(Buffer.concat([Buffer.from('LZIP\x01\x0c\0', 'latin1'), residue(500)]))),
  record('private-dicom-deflated', 'A DICOM file in a value, deflated, with a program in it.', malicious, deflatedFile),
  record('private-base64-spaces', 'A program as base64 in pieces of 40 characters with blanks between them.', malicious, () => Buffer.from(pieces(program(), 40).join(' ')), 'UT'),
  record('private-base64-values', 'A program as base64, forty characters in each value of a list.', malicious, () => Buffer.from(pieces(program(), 40).join('\\')), 'UC'),
  object('private-base64-elements', 'A3', 'A program as base64, sixty characters in each of many elements.', malicious, () => [acme, ...pieces(program(), 60).slice(0, 200).map((piece, index): Element => [`0009,10${index.toString(16).padStart(2, '0')}`, 'LO', piece])]),
  record('private-hex-spaces', 'A program as hexadecimal digits in pairs.', malicious, () => Buffer.from(barePE().toString('hex').replaceAll(/../g, '$& ')), 'UT'),
  object('document-nested', 'A6', 'An archive of a packed program as an Encapsulated Document in an Item, where no reader shows documents.', held, () => [['0042,0013', 'SQ', [document(zipOf([{ name: 'a.exe', data: inert.pe() }]), 'application/pdf')]]]),
  object('document-nested-pdf', 'A11', 'A PDF document with a script in an Item.', held, () => [['0042,0013', 'SQ', [document(pdfOf(report({ catalog: '/OpenAction << /S /JavaScript /JS (app.alert\\(1\\)) >>' })), 'application/pdf')]]]),
  object('document-nested-gzip', 'A3', 'A packed program as an Encapsulated Document in an Item.', held, () => [['0042,0013', 'SQ', [document(gzipSync(inert.pe()), 'text/plain')]]]),
  object('document-elsewhere', 'A6', 'An archive as the document of an image, which has none.', held, () => document(oddZip(), '') as readonly Element[]),
  inDocument('document-text-7z', 'An archive 300 bytes inside a document that says that it is text.', 'text/plain', () => Buffer.concat([residue(300), inert.sevenZip(), residue(900)])),
  inDocument('document-text-none', 'Numbers as a document that says that it is text.', 'text/plain', () => noise(4000, 37)),
  inDocument('document-pdf-rar', 'A RAR archive in a stream of a PDF document, where programs that unpack look for one in the first mebibytes of any file.', 'application/pdf', () => pdfOf(report({ more: [{ dictionary: '', data: Buffer.concat([residue(300), inert.rar(), residue(900)]) }] }))),
  jpegImage('icon-native-long', 'A9', 'An icon that is not compressed, in an object that is, with more pixels than it has.', malformed, () => jpeg(), [['0088,0200', 'SQ', [icon(residue(3000))]]]),
  object('offsets-native', 'A9', 'An Extended Offset Table for pixels that have no fragments.', malformed, () => [['7FE0,0001', 'OV', residue(3200)]]),
  object('spectrum-undescribed', 'A9', 'A spectrum of which nothing says how many points it has.', malformed, () => [['5600,0020', 'OF', residue(8000)]]),
  object('table-undescribed', 'A9', 'A lookup table without a descriptor.', malformed, () => [['0028,3000', 'SQ', [[['0028,3006', 'OW', residue(9000)]]]]]),
  object('palette-undescribed', 'A9', 'A palette without a descriptor.', malformed, () => [['0028,1201', 'OW', residue(9000)]]),
  object('curve-undescribed', 'A9', 'A curve of which nothing says how many points it has.', malformed, () => [['5000,3000', 'OW', residue(9000)]]),
  object('pixels-64-bit', 'A9', 'Eight bits of each pixel of 64 count.', malformed, () => [['0028,0100', 'US', 64], ['0028,0101', 'US', 8], ['0028,0102', 'US', 7], ['7FE0,0010', 'OW', residue(side * side * 8)]]),
  object('samples-8', 'A9', 'Eight samples in each pixel of a grey image.', malformed, () => [['0028,0002', 'US', 8], ['7FE0,0010', 'OW', residue(side * side * 16)]]),
  object('samples-grey', 'A9', 'Three samples in each pixel of a grey image.', malformed, () => [['0028,0002', 'US', 3], ['0028,0006', 'US', 0], ['7FE0,0010', 'OW', residue(side * side * 6)]]),
  object('encrypted-attributes', 'A9', 'Attributes that are encrypted in the object: nobody can say what is in them.', unscannable, () => [['0400,0500', 'SQ', [[['0400,0510', 'UI', '1.2.840.10008.1.2.1'], ['0400,0520', 'OB', residue(900)]]]]]),
  object('date-long', 'A9', 'Thousands of digits as one date.', malformed, () => [['0008,0022', 'DA', '0123456789'.repeat(900)]]),
  object('uid-list-long', 'A9', 'Thousands of digits and dots as the UID of another object.', malformed, () => [['0008,1140', 'SQ', [[['0008,1150', 'UI', '1.2.840.10008.5.1.4.1.1.2'], ['0008,1155', 'UI', `1.2\\${'1.2'.repeat(3000)}`]]]]]),
  make({ name: 'bits-unsaid', threat: 'A9', why: 'A program in the upper bytes of pixels that do not say where their bits end.', expected: held, elements: () => withElements(withoutElements(smallCT('bits-unsaid'), '0028,0102'), ['0028,0101', 'US', 8], ['7FE0,0010', 'OW', interleaved(Buffer.concat([barePE(), Buffer.alloc(side * side)]).subarray(0, side * side))]) }),
  halfUsed('bits-rle', 'A program in the bytes of RLE pixels that do not count, in runs of eight.', transferSyntaxes.rle, (upper) => encapsulate([rleFragment([shortRuns(upper), shortRuns(Buffer.alloc(side * side, 9))])])),
  halfUsed('bits-uncompressed', 'The same in fragments that are not compressed.', '1.2.840.10008.1.2.1.98', (upper) => encapsulate([interleaved(upper)])),
  make({ name: 'big-endian-words', threat: 'A9', why: 'A program as words of a big endian object: who turns them to little endian has it as it runs.', expected: malicious, syntax: 'big', elements: () => withElements(smallCT('big-endian-words'), acme, ['0009,1001', 'OW', barePE()]) }),
  jpegImage('jpeg-xl-reconstruction', 'A10', 'What another file would be made from, without pixels of its own, in a JPEG XL container.', malformed, () => jpegXLContainer(box('jbrd', residue(90_000))), [], '1.2.840.10008.1.2.4.110'),
  jpegImage('jpeg-2000-lengths', 'A10', 'A table of packet lengths for no packets in the main header of JPEG 2000.', malformed, () => joined(jpeg2000Parts({ rows: 32, columns: 32 }), { qcd: [new Uint8Array(), segment(0xff57, residue(30_000))] }), [], '1.2.840.10008.1.2.4.90'),
  jpegImage('jpeg-2000-progressions', 'A10', 'Changes of progression that are none, in JPEG 2000.', malformed, () => joined(jpeg2000Parts({ rows: 32, columns: 32 }), { qcd: [new Uint8Array(), segment(0xff5f, residue(30_001))] }), [], '1.2.840.10008.1.2.4.90'),
  jpegImage('jpeg-ls-table', 'A10', 'A mapping table for no samples in JPEG-LS.', malformed, () => joined(jpegParts({ rows: 32, columns: 32, isLS: true }), { sof: [new Uint8Array(), segment(0xfff8, Buffer.concat([Buffer.from([2, 1, 1]), residue(30_000)]))] }), [], '1.2.840.10008.1.2.4.80'),
  object('ge-protocol-extra', 'A3', 'Forty KB in the header of the stream of a GE protocol.', malformed, () => {
    const packed = geProtocol(Buffer.from(protocolLines()), { prefixed: false });
    packed[3]! |= 4;
    const extra = Buffer.alloc(2);
    extra.writeUInt16LE(40_000);
    return [['0025,0010', 'LO', 'GEMS_SERS_01'], ['0025,101B', 'OB', Buffer.concat([packed.subarray(0, 10), extra, residue(40_000), packed.subarray(10)])]];
  }),
  object('philips-parameters-unnamed', 'A3', 'Numbers in a parameter file of Philips that no parameter has.', malformed, () => {
    const bytes = parameterFile([['EX_ACQ_scan_matrix', 'integer', Array.from(new Int32Array(residue(24_000).buffer.slice(0, 24_000)))]]);
    bytes.writeUInt32LE(2, 32 + 38);
    return blobs(blob('PDF_PREP_PARS', 'IEEE_PDF', bytes));
  }),
  object('csa-item-words', 'A3', 'Thousands of empty items in a CSA header whose numbers are something else.', malformed, () => {
    const bytes = csa({ Data: Array.from({ length: 4000 }, () => '') });
    const items = bytes.length - 4 - 4000 * 16;
    for (let item = 0; item < 4000; item += 1) for (const at of [0, 8, 12]) bytes.set(residue(4), items + item * 16 + at);
    return [['0029,0010', 'LO', 'SIEMENS CSA HEADER'], ['0029,1020', 'OB', bytes]];
  }),
  make({ name: 'meta-name-long', threat: 'B10', why: 'Six thousand characters as the name of an implementation, which has sixteen.', expected: disarmed('meta'), overAssociation: clean, elements: () => smallCT('meta-name-long'), meta: [['0002,0013', 'SH', 'x1'.repeat(3000)]] }),
  make({ name: 'pdf-early', threat: 'A6', why: 'The header of a PDF document without a version, in the first KiB, where readers look for one.', expected: held, overAssociation: { verdicts: ['clean', ...held.verdicts], disarmed: [] }, elements: () => withElements(smallCT('pdf-early'), ['0008,0070', 'LO', 'Maker %PDF-'], ['0009,0010', 'LO', 'ACME 1.1'], ['0009,1001', 'OB', Buffer.concat([Buffer.from('\n1 0 obj<</Type/Catalog>>endobj\n', 'latin1'), residue(300)])]) }),
  diskImage(),
  make({ name: 'offsets-video', threat: 'A9', why: 'An Extended Offset Table for a video, which has no frames of its own.', expected: malformed, syntax: 'jpegBaseline', transferSyntaxUID: '1.2.840.10008.1.2.4.102', elements: () => [
    ...withoutElements(withElements(secondaryCapture('offsets-video', { rows: 64, columns: 64, samples: 3, photometric: 'YBR_PARTIAL_420' }, new Uint8Array(), '1.2.840.10008.5.1.4.1.1.77.1.4.1'), ['0008,0060', 'CS', 'XC'], ['0018,1063', 'DS', '40'], ['0028,0008', 'IS', '2'], ['0028,0009', 'AT', '0018,1063'], ['7FE0,0001', 'OV', residue(3200)]), '7FE0,0010'),
    encapsulate([annexB(h264Units)]),
  ] }),
];
