/** All places, in one list. */
import type { Place } from './place.ts';
import { placesCodestream } from './placescodestream.ts';
import { placesDocument } from './placesdocument.ts';
import { placesImage } from './placesimage.ts';
import { placesOutside } from './placesoutside.ts';
import { placesValues } from './placesvalues.ts';

export const places: readonly Place[] = [...placesOutside, ...placesValues, ...placesImage, ...placesCodestream, ...placesDocument];
