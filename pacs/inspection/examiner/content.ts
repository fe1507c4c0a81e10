/** The content rules, by region of the object. What they find is named in verdict.ts; this is their order. */
import type { Codec } from '@lazaret/dicom/dataset/transfersyntaxes.ts';
import { checkBulk } from './contentbulk.ts';
import { checkDirectory } from './contentdirectory.ts';
import { checkFrames, type FrameFragments } from './contentframes.ts';
import { checkImage, type PixelShape } from './contentimage.ts';
import { checkMagic } from './contentmagic.ts';
import { checkIdentity, checkValues, type Identity } from './contentvalues.ts';
import type { Reading } from './reading.ts';

export interface Content {
  readonly identity: Identity | null;
  readonly shape: PixelShape | null;
  readonly frames: FrameFragments | null;
}

/** Pixels of these are somewhere else, or the object is in a form that was never one for objects at rest. */
const elsewhere: Partial<Record<Codec, string>> = {
  jpip: 'The pixels are not in the object: it names a server to fetch them from (JPIP).',
  smpte: 'The pixels are not in the object: they are a live video stream.',
  mime: 'The object is wrapped in MIME, a form that was retired.',
  xml: 'The object is written as XML, a form that was retired.',
};

export function checkContent(reading: Reading): Content {
  const absent = elsewhere[reading.syntax?.codec ?? 'native'];
  if (absent !== undefined) reading.add('pixels-elsewhere', -1, absent);
  const identity = checkIdentity(reading);
  checkValues(reading);
  checkDirectory(reading);
  checkMagic(reading);
  checkBulk(reading);
  const shape = checkImage(reading);
  const frames = checkFrames(reading, shape);
  return { identity, shape, frames };
}

/** What is no DICOM object has neither identity nor pixels; whether it is harmful is asked all the same. */
export function checkUnrecognised(reading: Reading): Content {
  checkMagic(reading);
  return { identity: null, shape: null, frames: null };
}
