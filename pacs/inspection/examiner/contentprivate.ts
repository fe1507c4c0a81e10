/**
 * Private elements of creators whose records can be read: they are read to their end, and what no rule of the record explains is said. A value of
 * any other creator, or one that the grammar does not fit, is opaque: all of it is searched (contentbulk.ts), and being unknown holds nothing.
 */
import { privateElementOf } from '@lazaret/dicom/private/creators.ts';
import { readCSA } from '@lazaret/dicom/private/csa.ts';
import { tagText } from '@lazaret/dicom/dictionary/dictionary.ts';
import { readBytesMax } from './filesource.ts';
import type { Reading } from './reading.ts';

/** Real CSA headers end with four zero bytes; a page more would be a version that nobody described. */
const residueBytesMax = 4096;
/** Smaller ones are names and numbers. */
const recordBytesMin = 512;

export function isPrivate(tag: number): boolean {
  return ((tag >>> 16) & 1) === 1;
}

/** One private value, by its creator, element and size. */
export function checkPrivateValue(reading: Reading, index: number): void {
  const { elements } = reading.mapped;
  const length = elements.valueLengths[index]!;
  if (length < recordBytesMin) return;
  const element = privateElementOf(creatorOf(reading, index), elements.tags[index]!);
  if (element === null) return;
  if (length > element.bytesMax) {
    reading.add('private-oversized', index, `A value (${element.name}) of ${length} bytes; what its vendor writes there is smaller than ${element.bytesMax}.`);
    return;
  }
  if (element.form === 'csa' && length <= readBytesMax) checkCSA(reading, index);
}

/** The text of the Private Creator that reserved the block (PS3.5 §7.8.1); "" where none did. */
function creatorOf(reading: Reading, index: number): string {
  const { elements } = reading.mapped;
  const tag = elements.tags[index]!;
  const creator = ((tag & 0xffff0000) | ((tag >>> 8) & 0xff)) >>> 0;
  return reading.text(reading.siblings(index)(creator)).trim();
}

function checkCSA(reading: Reading, index: number): void {
  const bytes = reading.bytes(index);
  const header = readCSA(bytes);
  if (header === null) return;
  const rest = bytes.subarray(header.end);
  if (rest.length > residueBytesMax && rest.some((byte) => byte !== 0)) {
    const { elements } = reading.mapped;
    reading.addAt('private-residue', elements.valueOffsets[index]! + header.end, rest.length, tagText(elements.tags[index]!), `${rest.length} bytes follow the last entry of the vendor's record, and nothing in it says what they are.`, true);
  }
}
