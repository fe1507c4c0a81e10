/** The times of the frames of GE's ultrasound movies, (7FE1,xx43) of GEMS_Ultrasound_MovieGroup_001: one floating point number for each frame (7FE1,xx37). */
import { restFrom, type Range } from '@lazaret/dicom/private/record.ts';
import type { PrivateValue } from './contentprivatevalue.ts';
import { slackBytesMax } from './inside/contract.ts';

const framesElement = 0x37;
const timeBytes = 8;

export function checkTimes(value: PrivateValue): readonly Range[] {
  const frames = value.number(framesElement);
  if (frames === null) return [];
  const length = frames * timeBytes;
  if (length > value.bytes.length) value.say('private-invalid', `There are times of ${Math.floor(value.bytes.length / timeBytes)} frames, and ${frames} frames.`);
  else value.sayUnexplained(restFrom(length, value.bytes.length), slackBytesMax);
  return [];
}
