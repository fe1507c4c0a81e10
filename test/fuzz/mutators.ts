/** Damages that know what DICOM is made of, and damages that do not. An input is a seed object and one to four of them, by a number. */
import { Random } from '@lazaret/dicom/filemap/fuzz.ts';
import { transferSyntaxes } from '@lazaret/dicom/dataset/transfersyntaxes.ts';
import { vrs } from '@lazaret/dicom/dataset/vrs.ts';
import type { SeedObject } from './seeds.ts';

/** No input grows beyond this: splicing an object into itself again and again would. */
const inputBytesMax = 64 * 1024;

/** The input of a number. */
export function inputOf(seeds: readonly SeedObject[], number: number): Buffer {
  const random = new Random(number);
  for (let skipped = 0; skipped < 6; skipped += 1) random.below(2);
  const seed = random.pick(seeds);
  let bytes = seed.bytes;
  // The place of an element is known in the seed; after a damage before it, it is somewhere near, which is as good.
  for (let left = random.pick([1, 1, 1, 2, 2, 3, 4]); left > 0 && bytes.length > 0; left -= 1) bytes = random.pick(mutators)(bytes, { seed, seeds, random });
  return bytes.length > inputBytesMax ? bytes.subarray(0, inputBytesMax) : bytes;
}

interface Context {
  readonly seed: SeedObject;
  readonly seeds: readonly SeedObject[];
  readonly random: Random;
}
type Mutator = (bytes: Buffer, context: Context) => Buffer;

interface Place {
  readonly header: number;
  readonly value: number;
  readonly length: number;
  readonly vr: number;
}

/** An element of the seed that lies in the file, as far as it is still inside the input. */
function placeIn(bytes: Buffer, { seed, random }: Context): Place | null {
  const { elements, source, dataSetSource } = seed.mapped;
  const deflated = source !== dataSetSource;
  for (let attempt = 0; attempt < 8; attempt += 1) {
    const row = random.below(Math.max(1, elements.count));
    if (row >= elements.count || (deflated && elements.tags[row]! > 0x0002ffff)) continue;
    const place = { header: elements.headerOffsets[row]!, value: elements.valueOffsets[row]!, length: elements.valueLengths[row]!, vr: elements.vrs[row]! };
    if (place.value + place.length <= bytes.length && place.value > place.header) return place;
  }
  return null;
}

const spliced = (bytes: Buffer, at: number, removed: number, more: Uint8Array): Buffer => Buffer.concat([bytes.subarray(0, at), more, bytes.subarray(at + removed)]);
const changed = (bytes: Buffer, at: number, more: Uint8Array): Buffer => (at < 0 || at >= bytes.length ? bytes : spliced(bytes, at, Math.min(more.length, bytes.length - at), more.subarray(0, bytes.length - at)));

/** Bytes that mean something where they land: delimiters, lengths, padding, headers of other things. */
const telling: readonly Uint8Array[] = [
  'feff00e0ffffffff', 'feff00e000000000', 'feff0de000000000', 'feffdde000000000', 'fffee00000000000', 'fcfffcff4f42000004000000', 'ffffffff', '00000000', 'feffffff', '00000080', 'ffff', 'e07f1000', 'e07f10004f570000',
  '0200100055490000', '0800160055490000', '4d5a', '7f454c46', '504b0304', '255044462d312e37', '1f8b0800', 'ffd8', 'ffd9', 'ffe1', 'ff4fff51', '0000000c6a502020', '1b2442', '5c', '00000001', '000001b3', '09001000', '0900011055 4e0000ffffffff'.replace(' ', ''), '2800080049530200',
].map((hex) => Buffer.from(hex, 'hex'));
const tags: readonly number[] = [0x00020000, 0x00020010, 0x00080005, 0x00080016, 0x00080018, 0x00081140, 0x00090010, 0x00091001, 0x0020000d, 0x00280002, 0x00280008, 0x00280010, 0x00280011, 0x00280100, 0x00280103, 0x0040a730, 0x00420011, 0x54000100, 0x60003000, 0x7fe00001, 0x7fe00010, 0x7fe00008, 0xfffcfffc, 0xfffee000, 0xfffee00d, 0xfffee0dd, 0xfffafffa, 0, 0xffffffff, 0x00010001, 0x00280000];
const codes: readonly string[] = [...vrs.map((vr) => vr.code), '??', '\0\0', 'ob', 'ZZ', 'S ', '  ', 'XX'];

function tagBytes(tag: number): Buffer {
  return Buffer.from([(tag >>> 16) & 0xff, tag >>> 24, tag & 0xff, (tag >>> 8) & 0xff]);
}

/** A length that is wrong in a way that readers have got wrong. */
function wrongLength(random: Random, right: number, room: number): number {
  return random.pick([0, 1, right + 1, right - 1, right + 2, right - 2, right * 2, right + 8, right - 8, 0xffffffff, 0xfffffffe, 0x7fffffff, 0x80000000, 0xffff, room, room + 1, room - 8, random.below(64)]) >>> 0;
}

const mutators: readonly Mutator[] = [
  // Length
  (bytes, context) => {
    const place = placeIn(bytes, context);
    if (place === null) return bytes;
    const length = wrongLength(context.random, place.length, bytes.length - place.value);
    const field = Buffer.alloc(4);
    field.writeUInt32LE(length);
    const short = place.value - place.header === 8 && context.random.below(2) === 0;
    return changed(bytes, place.value - (short ? 2 : 4), short ? field.subarray(0, 2) : field);
  },
  // VR
  (bytes, context) => {
    const place = placeIn(bytes, context);
    return place === null ? bytes : changed(bytes, place.header + 4, Buffer.from(context.random.pick(codes), 'latin1'));
  },
  // VR and the form of the header that belongs to it: 16 bits to 32 and back
  (bytes, context) => {
    const place = placeIn(bytes, context);
    if (place === null) return bytes;
    const code = context.random.pick(['UN', 'OB', 'SQ', 'UT', 'US', 'LO', 'DS']);
    const long = !['US', 'LO', 'DS'].includes(code);
    const head = Buffer.alloc(long ? 12 : 8);
    bytes.copy(head, 0, place.header, place.header + 4);
    head.write(code, 4, 'latin1');
    if (long) head.writeUInt32LE(place.length, 8);
    else head.writeUInt16LE(place.length & 0xffff, 6);
    return spliced(bytes, place.header, place.value - place.header, head);
  },
  // Reserved bytes
  (bytes, context) => {
    const place = placeIn(bytes, context);
    return place === null ? bytes : changed(bytes, place.header + 6, Buffer.from([context.random.below(256), context.random.below(3)]));
  },
  // Tag
  (bytes, context) => {
    const place = placeIn(bytes, context);
    if (place === null) return bytes;
    const tag = tagBytes(context.random.pick(tags));
    return changed(bytes, place.header + (context.random.below(4) === 0 ? 2 : 0), context.random.below(4) === 0 ? tag.swap16() : tag);
  },
  // Something telling at the border of an element
  (bytes, context) => {
    const place = placeIn(bytes, context);
    if (place === null) return bytes;
    const at = context.random.pick([place.header, place.value, place.value + place.length, place.value - 4]);
    const more = context.random.pick(telling);
    return context.random.below(2) === 0 ? spliced(bytes, at, 0, more) : changed(bytes, at, more);
  },
  // Cut at or near the border of an element
  (bytes, context) => {
    const place = placeIn(bytes, context);
    if (place === null || context.random.below(2) === 0) return bytes.subarray(0, context.random.below(bytes.length + 1));
    return bytes.subarray(0, Math.max(0, context.random.pick([place.header, place.value, place.value + place.length]) + context.random.below(5) - 2));
  },
  // An element of another object
  (bytes, context) => {
    const other = context.random.pick(context.seeds);
    const [from, to] = [placeIn(other.bytes, { ...context, seed: other }), placeIn(bytes, context)];
    if (from === null || to === null) return bytes;
    return spliced(bytes, context.random.pick([to.header, to.value + to.length]), 0, other.bytes.subarray(from.header, from.value + from.length));
  },
  // An element twice, moved or taken out
  (bytes, context) => {
    const [from, to] = [placeIn(bytes, context), placeIn(bytes, context)];
    if (from === null || to === null) return bytes;
    const whole = Buffer.from(bytes.subarray(from.header, from.value + from.length));
    switch (context.random.below(3)) {
      case 0: return spliced(bytes, from.header, 0, whole);
      case 1: return spliced(bytes, from.header, whole.length, new Uint8Array());
      default: return spliced(spliced(bytes, from.header, whole.length, new Uint8Array()), Math.min(bytes.length - whole.length, to.header), 0, whole);
    }
  },
  // Group 2: another Transfer Syntax, a wrong group length
  (bytes, context) => {
    const { random } = context;
    const at = bytes.indexOf(Buffer.from('020010005549', 'hex'));
    if (at < 0 || random.below(3) === 0) return changed(bytes, 140, Buffer.from([random.below(256), random.below(2)]));
    const uid = random.pick(transferSyntaxes).uid;
    const value = Buffer.from(uid.length % 2 === 0 ? uid : `${uid}\0`, 'latin1');
    const length = bytes.readUInt16LE(Math.min(at + 6, bytes.length - 2));
    const head = Buffer.from([value.length, 0]);
    const moved = spliced(bytes, at + 6, 2 + Math.min(length, bytes.length - at - 8), Buffer.concat([head, value]));
    // The group length with it, mostly: otherwise nothing but that is tried.
    if (random.below(4) > 0 && moved.length > 144) moved.writeUInt32LE((moved.readUInt32LE(140) + value.length - length) >>> 0, 140);
    return moved;
  },
  // A number or a text in a value
  (bytes, context) => {
    const place = placeIn(bytes, context);
    if (place === null || place.length === 0) return bytes;
    const { random } = context;
    const at = place.value + random.below(place.length);
    return random.below(2) === 0 ? changed(bytes, at, Buffer.from([random.below(256)])) : changed(bytes, place.value, random.pick([Buffer.from([0, 0]), Buffer.from([0xff, 0xff]), Buffer.from([1, 0]), Buffer.from('-1 '), Buffer.from('99999999'), Buffer.alloc(4, 0x20)]).subarray(0, place.length));
  },
  // A value longer or shorter, with its length, so that what follows stays readable
  (bytes, context) => {
    const place = placeIn(bytes, context);
    if (place === null) return bytes;
    const { random } = context;
    const more = random.below(2) === 0 ? Buffer.alloc(2 * (1 + random.below(40)), random.pick([0, 0x20, 0x41, 0xff])) : Buffer.concat([random.pick(telling), random.pick(telling)]);
    const even = more.length % 2 === 0 ? more : more.subarray(1);
    const longer = spliced(bytes, place.value + place.length, 0, even);
    const length = place.length + even.length;
    if (place.value - place.header === 12) longer.writeUInt32LE(length, place.value - 4);
    else longer.writeUInt16LE(length & 0xffff, place.value - 2);
    return longer;
  },
  // Blind
  (bytes, { random }) => changed(bytes, random.below(bytes.length), Buffer.from([random.below(256)])),
  (bytes, { random }) => {
    const at = random.below(bytes.length);
    return changed(bytes, at, Buffer.from([bytes[at]! ^ (1 << random.below(8))]));
  },
  (bytes, { random }) => spliced(bytes, random.below(bytes.length + 1), random.below(12), random.pick(telling)),
  (bytes, { random }) => changed(bytes, random.below(bytes.length), random.pick(telling)),
  (bytes, { random }) => Buffer.concat([bytes, random.below(2) === 0 ? random.pick(telling) : Buffer.alloc(random.below(300))]),
  (bytes, { random, seeds }) => {
    const other = random.pick(seeds).bytes;
    return Buffer.concat([bytes.subarray(0, random.below(bytes.length + 1)), other.subarray(random.below(other.length + 1))]);
  },
];
