/** Pixels, and what stands beside them in an image object: overlays, tables, icons, curves, waveforms, spectra. */
import { withElements, type Element } from '../recipes/encode.ts';
import { identity } from '../recipes/objects.ts';
import { bases, encapsulatedBases, imageElements, nativeBases, pixelData, type Base } from './bases.ts';
import { filledUp, filler, words } from './draft.ts';
import { tinyPixels } from './frames.ts';
import { below, type Random } from './payloads.ts';
import type { Place } from './place.ts';

/** A square image of 8 bits with the payload among its pixels; exactly as long as it says. */
function imageAround(base: Base, payload: Buffer, random: Random, name: string): { readonly instead: Element[]; readonly pixels: Buffer } {
  const side = Math.max(32, 2 * Math.ceil(Math.sqrt(payload.length + 64) / 2));
  const at = below(random, side * side - payload.length);
  const pixels = Buffer.alloc(side * side);
  for (let index = 0; index < pixels.length; index += 1) pixels[index] = ((index % side) * 3 + Math.floor(index / side)) % 180;
  pixels.set(payload, at);
  return { instead: withElements(imageElements(base, name), ['0028,0010', 'US', side], ['0028,0011', 'US', side]), pixels };
}

/** Bits as the lowest of 8-bit pixels, or in those above Bits Stored of 16-bit ones. */
function spread(payload: Buffer, pixels: Buffer): Buffer {
  for (let bit = 0; bit < pixels.length && bit < payload.length * 8; bit += 1) pixels[bit] = (pixels[bit]! & 0xfe) | ((payload[bit >> 3]! >> (bit & 7)) & 1);
  return pixels;
}

const beside = (name: string, put: (payload: Buffer, random: Random, base: Base) => readonly Element[], more: Partial<Place> = {}): Place => ({
  name, bases, bytesMax: 60_000, ...more, put: (base, payload, random, object) => ({ base, name: object, elements: put(payload, random, base) }),
});

/** Rows and Columns of an overlay of so many bytes. */
const overlay = (group: string, columns: number): Element[] => [[`${group},0010`, 'US', 8], [`${group},0011`, 'US', columns], [`${group},0040`, 'CS', 'G'], [`${group},0050`, 'SS', [1, 1]], [`${group},0100`, 'US', 1], [`${group},0102`, 'US', 0]];
/** Opcode and count of a discrete segment (PS3.3 C.7.9.2.1). */
const discrete = (count: number, base: Base): Buffer => Buffer.from(base.encoding === 'big' ? [0, 0, count >> 8, count & 0xff] : [0, 0, count & 0xff, count >> 8]);
const palette = (payload: Buffer, base: Base): Element[] => {
  const entries = filledUp(payload, 2).length / 2;
  return ['1', '2', '3'].flatMap((digit): Element[] => [[`0028,110${digit}`, 'US', [entries, 0, 16]], [`0028,120${digit}`, 'OW', digit === '1' ? words(payload, base) : Buffer.alloc(entries * 2, 0x40)]]);
};

export const placesImage: readonly Place[] = [
  { name: 'among native pixels', isInside: true, isPixels: true, bases: nativeBases, put: (base, payload, random, name) => {
    const { instead, pixels } = imageAround(base, payload, random, name);
    return { base, name, instead, pixels: ['7FE0,0010', 'OB', pixels] };
  } },
  { name: 'behind native pixels', bases: nativeBases, put: (base, payload, _, name) => ({ base, name, pixels: ['7FE0,0010', 'OB', Buffer.concat([tinyPixels(), payload])] }) },
  { name: 'among encapsulated uncompressed pixels', isInside: true, isPixels: true, bases: encapsulatedBases.filter((base) => base.frame === 'native'), put: (base, payload, random, name) => {
    const { instead, pixels } = imageAround(base, payload, random, name);
    return { base, name, instead, pixels: pixelData(base, [pixels]) };
  } },
  { name: 'float pixels', isPixels: true, bases: nativeBases, put: (base, payload, _, name) => {
    const pixels = filledUp(payload, 4);
    const side = pixels.length / 4;
    return { base, name, instead: withElements(imageElements(base, name), ['0028,0010', 'US', 1], ['0028,0011', 'US', side], ['0028,0100', 'US', 32]), elements: [['7FE0,0008', 'OF', pixels]], pixels: null };
  }, bytesMax: 60_000 },
  { name: 'lowest bits of pixels', bases: nativeBases, beyond: true, put: (base, payload, random, name) => {
    const { instead, pixels } = imageAround(base, filler(random, payload.length * 8), random, name);
    return { base, name, instead, pixels: ['7FE0,0010', 'OB', spread(payload, pixels)] };
  } },
  { name: 'bits above Bits Stored', bases: nativeBases, beyond: true, put: (base, payload, _, name) => {
    const side = Math.max(32, Math.ceil(Math.sqrt(payload.length * 2)));
    const pixels = Buffer.alloc(side * side * 2);
    for (let index = 0; index < payload.length; index += 1) for (const half of [0, 1]) pixels[index * 4 + half * 2 + (base.encoding === 'big' ? 0 : 1)] = ((payload[index]! >> (half * 4)) & 15) << 4;
    const instead = withElements(imageElements(base, name), ['0028,0010', 'US', side], ['0028,0011', 'US', side], ['0028,0100', 'US', 16], ['0028,0101', 'US', 12], ['0028,0102', 'US', 11]);
    return { base, name, instead, pixels: ['7FE0,0010', 'OB', pixels] };
  } },
  beside('overlay', (payload) => [...overlay('6000', filledUp(payload, 2).length), ['6000,3000', 'OB', payload]]),
  beside('behind an overlay', (payload) => [...overlay('6002', 32), ['6002,3000', 'OB', Buffer.concat([Buffer.alloc(32, 0x55), payload])]]),
  beside('curve', (payload) => [['5000,0005', 'US', 1], ['5000,0010', 'US', Math.floor(payload.length / 2)], ['5000,0020', 'CS', 'POLY'], ['5000,0103', 'US', 0], ['5000,3000', 'OB', payload]]),
  beside('audio', (payload) => [['5000,2000', 'US', 1], ['5000,2002', 'US', 1], ['5000,2004', 'US', 1], ['5000,2006', 'UL', payload.length], ['5000,2008', 'UL', 8000], ['5000,200C', 'OB', payload]]),
  beside('icon', (payload) => [['0088,0200', 'SQ', [[['0028,0002', 'US', 1], ['0028,0004', 'CS', 'MONOCHROME2'], ['0028,0010', 'US', 1], ['0028,0011', 'US', filledUp(payload, 2).length], ['0028,0100', 'US', 8], ['0028,0101', 'US', 8], ['0028,0102', 'US', 7], ['0028,0103', 'US', 0], ['7FE0,0010', 'OB', payload]]]]]),
  beside('modality lookup table', (payload, _, base) => [['0028,3000', 'SQ', [[['0028,3002', 'US', [filledUp(payload, 2).length / 2, 0, 16]], ['0028,3004', 'LO', 'US'], ['0028,3006', 'OW', words(payload, base)]]]]]),
  beside('VOI lookup table', (payload, _, base) => [['0028,3010', 'SQ', [[['0028,3002', 'US', [filledUp(payload, 2).length / 2, 0, 16]], ['0028,3006', 'OW', words(payload, base)]]]]]),
  { name: 'palette', bases: nativeBases, bytesMax: 60_000, put: (base, payload, _, name) => ({ base, name, elements: [['0028,0004', 'CS', 'PALETTE COLOR'], ...palette(payload, base)] }) },
  { name: 'segmented palette', isInside: true, bases: nativeBases, bytesMax: 60_000, put: (base, payload, _, name) => {
    const even = filledUp(payload, 2);
    const table = (colours: Uint8Array): Buffer => words(Buffer.concat([discrete(even.length / 2, base), colours]), base);
    return { base, name, elements: [['0028,0004', 'CS', 'PALETTE COLOR'], ...['1', '2', '3'].flatMap((digit): Element[] => [[`0028,110${digit}`, 'US', [even.length / 2, 0, 16]], [`0028,122${digit}`, 'OW', table(digit === '1' ? even : Buffer.alloc(even.length, 0x40))]])] };
  } },
  { name: 'waveform', bases: nativeBases, put: (base, payload, _, name) => ({ base, name, pixels: null, instead: withElements(identity(name, '1.2.840.10008.5.1.4.1.1.9.1.2', 'ECG'), ['5400,0100', 'SQ', [[
    ['003A,0004', 'CS', 'ORIGINAL'], ['003A,0005', 'US', 1], ['003A,0010', 'UL', filledUp(payload, 2).length], ['003A,001A', 'DS', '500'], ['003A,0200', 'SQ', [[['003A,0208', 'SQ', []]]]], ['5400,1004', 'US', 8], ['5400,1006', 'CS', 'SB'], ['5400,1010', 'OB', payload]]]]) }) },
  { name: 'spectrum', bases: nativeBases, put: (base, payload, _, name) => {
    const points = filledUp(payload, 8);
    return { base, name, pixels: null, instead: withElements(identity(name, '1.2.840.10008.5.1.4.1.1.4.2', 'MR'), ['0028,0008', 'IS', '1'], ['0028,0010', 'US', 1], ['0028,0011', 'US', 1], ['0028,9001', 'UL', 1], ['0028,9002', 'UL', points.length / 8], ['0028,9003', 'CS', 'FREQUENCY'], ['0028,9108', 'CS', 'COMPLEX'], ['5600,0020', 'OF', points]) };
  } },
  { name: 'raw data', isInside: true, bases: nativeBases, put: (base, payload, random, name) => ({ base, name, pixels: null, instead: withElements(identity(name, '1.2.840.10008.5.1.4.1.1.66', 'MR'), ['0020,9123', 'SQ', []], ['0029,0010', 'LO', 'ACME RAW'], ['0029,1001', 'OB', Buffer.concat([filler(random, below(random, 8000)), payload])]) }) },
];
