/**
 * Private elements of creators whose records can be read: they are read to their end, and what no rule of the record explains is said. A value of
 * any other creator, or one that the grammar does not fit, is opaque: all of it is searched (contentbulk.ts), and being unknown holds nothing.
 */
import { tagText } from '@lazaret/dicom/dictionary/dictionary.ts';
import { privateElementOf, type PrivateForm } from '@lazaret/dicom/private/creators.ts';
import { readCSARecord } from '@lazaret/dicom/private/csa.ts';
import type { Leaf } from '@lazaret/dicom/private/nested.ts';
import type { Range } from '@lazaret/dicom/private/record.ts';
import { readVolume } from '@lazaret/dicom/private/volume.ts';
import { checkBlob } from './contentprivateblob.ts';
import { checkProtocol } from './contentprivateprotocol.ts';
import { checkTimes } from './contentprivatetimes.ts';
import { PrivateValue, besideBytesMax, textOf, type Beside, type ValuePlace } from './contentprivatevalue.ts';
import { readBytesMax } from './filesource.ts';
import { LimitReached, slackBytesMax, type Budget } from './inside/contract.ts';
import type { Reading } from './reading.ts';

/** Real CSA headers end with four zero bytes; a page more would be a version that nobody described. */
const residueBytesMax = 4096;
/** Smaller ones are names and numbers. */
const recordBytesMin = 128;

/** Reads a value and says what is wrong with it. Gives the values that are in it: something could begin where they do. */
type Check = (value: PrivateValue) => readonly Range[];

const checks: Readonly<Record<Exclude<PrivateForm, 'opaque'>, Check>> = {
  csa: (value) => value.readAs(readCSARecord, residueBytesMax),
  volume: (value) => value.readAs(readVolume, slackBytesMax),
  protocol: checkProtocol,
  blob: checkBlob,
  times: checkTimes,
};

export function isPrivate(tag: number): boolean {
  return ((tag >>> 16) & 1) === 1;
}

/**
 * One private value, by its creator, element and size. Gives the values that are in it, as ranges of it. `budget`: what the records of the object may
 * take in all; where it is used up, that is said.
 */
export function checkPrivateValue(reading: Reading, place: ValuePlace, beside: Beside, budget: Budget): readonly Range[] {
  const { tag, offset, length } = place;
  if (length < recordBytesMin) return [];
  const element = privateElementOf(textOf(beside.valueOf(creatorTag(tag))), tag);
  if (element === null) return [];
  if (length > element.bytesMax) {
    reading.addAt('private-oversized', offset, length, tagText(tag), `A value (${element.name}) of ${length} bytes; what its vendor writes there is smaller than ${element.bytesMax}.`, true);
    return [];
  }
  if (element.form === 'opaque' || length > readBytesMax) return [];
  try {
    return checks[element.form](new PrivateValue(reading, place, beside, budget));
  } catch (error) {
    if (!(error instanceof LimitReached)) throw error;
    reading.addAt('part-limit', offset, length, tagText(tag), 'The records of vendors in this object take more to read than an object may.', true);
    return [];
  }
}

/** The Private Creator that reserved the block (PS3.5 §7.8.1). */
function creatorTag(tag: number): number {
  return ((tag & 0xffff0000) | ((tag >>> 8) & 0xff)) >>> 0;
}

/** What stands beside an element that the reader of the Data Set found. */
export function besideElement(reading: Reading, index: number): Beside {
  return {
    littleEndian: reading.syntax?.littleEndian !== false,
    valueOf(tag) {
      const found = reading.siblings(index)(tag);
      return found < 0 || reading.length(found) > besideBytesMax ? null : reading.bytes(found);
    },
  };
}

/** What stands beside a value in a sequence that was declared as one value of VR UN (dicom/private/nested.ts). `offset`: where that value begins. */
export function besideLeaf(reading: Reading, offset: number, ofItem: ReadonlyMap<number, Leaf>): Beside {
  return {
    littleEndian: true,
    valueOf(tag) {
      const found = ofItem.get(tag);
      return found === undefined || found.length > besideBytesMax ? null : reading.mapped.dataSetSource.read(offset + found.offset, found.length);
    },
  };
}
