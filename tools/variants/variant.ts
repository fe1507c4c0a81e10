/**
 * A variant: one payload, in one wrapping, at one place of an object in one Transfer Syntax. A seed makes all of it, and the same seed the same bytes.
 */
import { randomOf } from '../recipes/phantom.ts';
import type { Base } from './bases.ts';
import { fileOf, filler } from './draft.ts';
import { payloads, pick, type Payload, type Random } from './payloads.ts';
import { places } from './places.ts';
import type { Place } from './place.ts';
import { wrappingFor, wrappings, type Wrapping } from './wrappings.ts';

/**
 * - attack: must not come out clean with the payload in it.
 * - characters: a script as characters of a text attribute, which people read: no program looks for one there (THREATS C4). It is shown escaped.
 * - beyond: no inspection can see it; counted, and not promised.
 */
export type Aim = 'attack' | 'characters' | 'beyond';

export interface Variant {
  readonly seed: number;
  readonly place: Place;
  readonly payload: Payload;
  readonly wrapping: Wrapping;
  readonly base: Base;
  readonly aim: Aim;
  /** What stands in the file, wrapped and, where little room is, cut. */
  readonly placed: Buffer;
  readonly bytes: Buffer;
}

export interface Wanted {
  readonly place?: string;
  readonly payload?: string;
  readonly wrapping?: string;
  readonly syntax?: string;
}

/** Less room than this is no room for a wrapped payload: the beginning of a plain one stands there. */
const wrappedBytesMin = 1000;
const attempts = 200;

/** The variant of a seed; `wanted` fixes what it names, for replaying and looking closer. Throws where nothing matches. */
export function variantOf(seed: number, wanted: Wanted = {}): Variant {
  const random = randomOf(seed);
  // The first numbers of neighbouring seeds are alike.
  for (let skipped = 0; skipped < 8; skipped += 1) random();
  const place = pick(random, places.filter((one) => wanted.place === undefined || one.name === wanted.place));
  const base = pick(random, place.bases.filter((one) => wanted.syntax === undefined || one.name === wanted.syntax));
  const { payload, wrapping, placed } = packed(place, random, wanted);
  const aim = place.beyond === true || wrapping.beyond === true || (wrapping.headerless === true && place.isInside === true) || (wrapping.besidePixels === true && place.isPixels === true) ? 'beyond' : place.isText === true && isCharacters(payload, wrapping) ? 'characters' : 'attack';
  return { seed, place, payload, wrapping, base, aim, placed, bytes: fileOf(place.put(base, placed, random, `variant ${seed}`)) };
}

function packed(place: Place, random: Random, wanted: Wanted): { readonly payload: Payload; readonly wrapping: Wrapping; readonly placed: Buffer } {
  const max = place.bytesMax ?? Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const payload = pick(random, payloads.filter((one) => wanted.payload === undefined || one.name === wanted.payload));
    const drawn = wrappingFor(payload, random);
    const wrapping = max < wrappedBytesMin ? wrappings[0]! : wanted.wrapping === undefined ? drawn : wrappings.find((one) => one.name === wanted.wrapping)!;
    if (wrapping.textOnly === true && !payload.isText) continue;
    const wrapped = wrapping.wrap(payload.bytes(random), payload, random);
    if (wrapped.length <= max) return { payload, wrapping, placed: wrapped };
    // A program or container is known by its beginning; half a script does nothing.
    if (max < wrappedBytesMin && attempt > attempts / 10 && !payload.isText && payload.name !== 'tar') return { payload, wrapping, placed: wrapped.subarray(0, max) };
  }
  throw new Error(`nothing fits into ${place.name}`);
}

/** EICAR is not excused: it stands for what engines know by its bytes. */
function isCharacters(payload: Payload, wrapping: Wrapping): boolean {
  return payload.isText && payload.kind !== 'signature' && (wrapping.name === 'plain' || wrapping.textOnly === true);
}

/** The same object with harmless bytes of the same length at the same place: what is held all the same is held for the place. */
export function controlOf(variant: Variant): Buffer {
  const random = randomOf(variant.seed);
  return fileOf(variant.place.put(variant.base, filler(random, variant.placed.length), random, `variant ${variant.seed}`));
}
