/** Objects with some words packed in ways that only an examiner undoes: no scanner of the file as it is can see them, whatever signature it has. */
import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { zipOf } from '../../tools/recipes/archives.ts';
import { deflate, encapsulate, encode, part10, transferSyntaxes, withElements, withoutElements, type Element } from '../../tools/recipes/encode.ts';
import { ctSlice, identity, patients, smallCT, sopClasses } from '../../tools/recipes/objects.ts';
import { flate, pdfOf, report } from '../../tools/recipes/pdfs.ts';
import { uidOf } from '../../tools/recipes/recipe.ts';
import { rleFrame } from '../../tools/recipes/rle.ts';
import { fileOf } from '../../tools/recipes/series.ts';

const size = 16;
const creator: Element = ['0029,0010', 'LO', 'ACME 1.1'];

const slice = (name: string, ...changes: readonly Element[]): Element[] => withElements(ctSlice({ name, index: 0, count: 1, size }), ...changes);

function document(name: string, bytes: Uint8Array, type: string): Buffer {
  return fileOf(withElements(identity(name, sopClasses.encapsulatedPDF, 'DOC', patients[2], 'Documents'), ['0042,0010', 'ST', 'Report'], ['0042,0011', 'OB', bytes], ['0042,0012', 'LO', type], ['0042,0015', 'UL', bytes.length]));
}

/** One frame of 16 bit numbers, each character of `words` a byte of one. */
function framed(name: string, words: string, transferSyntaxUID: string, packed: (pixels: Buffer) => Uint8Array): Buffer {
  const pixels = Buffer.alloc(size * size * 2);
  pixels.write(words, 64, 'latin1');
  const elements = [...withoutElements(slice(name), '7FE0,0010')];
  return part10({ transferSyntaxUID, sopClassUID: sopClasses.ct, sopInstanceUID: uidOf(`${name} 0`), dataSet: encode([...elements, encapsulate([packed(pixels)])]) });
}

/** How the words are packed → the object, and what the finding about the part says of it. */
export const wrapped: Readonly<Record<string, readonly [object: (name: string, words: string) => Buffer, part: RegExp]>> = {
  'a deflated Data Set': [(name, words) => {
    const elements = withElements(smallCT(name), ['0020,4000', 'LT', words]);
    return part10({ transferSyntaxUID: transferSyntaxes.deflated, sopClassUID: sopClasses.ct, sopInstanceUID: String(elements.find(([tag]) => tag === '0008,0018')![2]), dataSet: deflate(encode(elements)) });
  }, /in the inflated Data Set$/],
  'a gzip stream in a value': [(name, words) => fileOf(slice(name, creator, ['0029,1020', 'OB', gzipSync(words.repeat(3))])), /in a gzip stream$/],
  'a zlib stream in the middle of a value': [(name, words) => fileOf(slice(name, creator, ['0029,1020', 'OB', Buffer.concat([Buffer.alloc(501, 0x13), deflateSync(words.repeat(3))])])), /in a zlib stream at byte \d+$/],
  'base64 in a text': [(name, words) => fileOf(slice(name, ['0020,4000', 'LT', `as read: ${Buffer.from(words.repeat(4)).toString('base64')}`])), /in base64 text at byte \d+$/],
  'a ZIP file as the document': [(name, words) => document(name, zipOf([{ name: 'notes.txt', data: Buffer.from(words.repeat(3)) }]), 'application/zip'), /in part notes\.txt of the ZIP file in \(0042,0011\)$/],
  'a stream of a PDF': [(name, words) => document(name, pdfOf(report({ more: [flate('', `BT (${words.repeat(3)}) Tj ET`)] })), 'application/pdf'), /of the PDF document in \(0042,0011\)$/],
  'an RLE frame': [(name, words) => framed(name, words, transferSyntaxes.rle, (pixels) => rleFrame(pixels, 1, 2, size)), /in frame 1 once it is unpacked$/],
  'a deflated frame': [(name, words) => framed(name, words, '1.2.840.10008.1.2.8.1', (pixels) => { const packed = deflateRawSync(pixels); return packed.length % 2 === 0 ? packed : Buffer.concat([packed, Buffer.alloc(1)]); }), /in frame 1 once it is unpacked$/],
};

/** The same ways with nothing in them that any engine knows, and values that are shown to clamd as they stand. */
export function harmless(): Record<string, Buffer> {
  const words = 'nothing that anybody would look for, in a sentence of some length';
  return {
    ...Object.fromEntries(Object.entries(wrapped).filter(([how]) => !how.includes('ZIP')).map(([how, [object]]) => [how, object(`harmless ${how}`, words)])),
    'a long value of a vendor': fileOf(slice('harmless vendor', creator, ['0029,1020', 'OB', Buffer.alloc(5000, 0x5a)])),
    'a slice': fileOf(slice('harmless slice')),
  };
}
