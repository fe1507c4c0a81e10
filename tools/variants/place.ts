/** What a place is: somewhere in a DICOM object where bytes can be put that no image needs. */
import type { Base } from './bases.ts';
import type { Draft } from './draft.ts';
import type { Random } from './payloads.ts';

export interface Place {
  readonly name: string;
  readonly bases: readonly Base[];
  /** Bytes here are not in the archived file: the object may be clean when they are gone from it. */
  readonly isOutside?: true;
  /** A value that the standard makes text and people read: characters that look like a script are no program there (THREATS C4), they are shown, escaped. */
  readonly isText?: true;
  /** Only part of the payload fits: so many bytes at most. */
  readonly bytesMax?: number;
  /** The payload stands among other bytes, or where no value begins: a stream without a header is then not to be told from them (Wrapping.headerless). */
  readonly isInside?: true;
  /** The payload stands among pixels or the code of pixels (Wrapping.besidePixels). */
  readonly isPixels?: true;
  /** Takes the payload apart, so that only who knows how can put it together again: beyond inspection, see Wrapping.beyond. */
  readonly beyond?: true;
  put(base: Base, payload: Buffer, random: Random, name: string): Draft;
}
