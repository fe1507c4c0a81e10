/** Outside the Data Set, and around the object. */
import { encode } from '../recipes/encode.ts';
import { bases, nativeBases } from './bases.ts';
import { below } from './payloads.ts';
import { filler } from './draft.ts';
import type { Place } from './place.ts';

const explicitBases = bases.filter((base) => base.encoding === 'explicit' && !base.isDeflated);

export const placesOutside: readonly Place[] = [
  { name: 'preamble', bases, isOutside: true, bytesMax: 128, put: (base, payload, _, name) => ({ base, name, preamble: payload }) },
  { name: 'preamble, later', bases, isOutside: true, bytesMax: 96, put: (base, payload, random, name) => ({ base, name, preamble: Buffer.concat([filler(random, 1 + below(random, 32)), payload]) }) },
  { name: 'group 2, private information', bases, isOutside: true, put: (base, payload, _, name) => ({ base, name, meta: [['0002,0100', 'UI', '2.25.7'], ['0002,0102', 'OB', payload]] }) },
  { name: 'group 2, unknown element', bases, isOutside: true, put: (base, payload, _, name) => ({ base, name, meta: [['0002,0099', 'UN', payload]] }) },
  { name: 'group 2, known element', bases, isOutside: true, bytesMax: 60_000, put: (base, payload, random, name) => ({ base, name, meta: [random() < 0.5 ? ['0002,0013', 'SH', payload] : ['0002,0016', 'AE', payload]] }) },
  { name: 'trailing padding', bases: explicitBases, isOutside: true, put: (base, payload, _, name) => ({ base, name, trailing: encode([['FFFC,FFFC', 'OB', payload]]) }) },
  { name: 'trailing padding, later', bases: explicitBases, isOutside: true, put: (base, payload, random, name) => ({ base, name, trailing: encode([['FFFC,FFFC', 'OB', Buffer.concat([Buffer.alloc(1 + below(random, 9000)), payload])]]) }) },
  { name: 'after the Data Set', bases, isOutside: true, put: (base, payload, _, name) => ({ base, name, trailing: payload }) },
  { name: 'after the Data Set, later', bases, isOutside: true, put: (base, payload, random, name) => ({ base, name, trailing: Buffer.concat([Buffer.alloc(2 * below(random, 3000)), payload]) }) },
  { name: 'after the last element, inflated', bases: nativeBases.filter((base) => base.isDeflated), put: (base, payload, _, name) => ({ base, name, afterLast: payload }) },
  { name: 'before the object', bases, put: (base, payload, _, name) => ({ base, name, before: payload }) },
];
