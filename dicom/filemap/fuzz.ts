/**
 * Fuzzing of the reader: sound objects made by write.ts, damaged by a mutator on a seed, read, and the invariants checked.
 *
 * node dicom/filemap/fuzz.ts [--count N] [--seed N]    prints the seed of what it finds; any seed replays
 *
 * A canary, a reader with a bug put in, must be caught by the same checks: see fuzz.test.ts.
 */
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import { BytesSource } from '../dataset/bytes.ts';
import { deflatedExplicitVRLittleEndian, explicitVRBigEndian, explicitVRLittleEndian, implicitVRLittleEndian } from '../dataset/transfersyntaxes.ts';
import { Values } from '../dataset/values.ts';
import { encodeDataSet, type WritableElement } from '../dataset/write.ts';
import { encodeFileMeta } from '../fileset/part10.ts';
import { writeDicomJson } from '../web/json.ts';
import { checkSpans } from './check.ts';
import { spanKinds, type ByteSource, type MappedObject, type ReaderTools } from './contract.ts';
import { readerLimits, type ReaderLimits } from './limits.ts';
import { mapObject } from './map.ts';
import { problemKinds } from './problems.ts';
import { mapText } from './text.ts';

export type Mapper = (source: ByteSource, tools: ReaderTools, limits: ReaderLimits) => MappedObject;

/** Small, so that fuzzing meets them. */
const limits: ReaderLimits = { ...readerLimits, depthMax: 6, elementsMax: 400, itemsMax: 200, inflatedBytesMax: 1 << 20 };

export const fuzzTools: ReaderTools = {
  inflateRaw(source, offset, length, outputBytesMax) {
    const input = source.read(offset, length);
    const inflate = (finishFlush: number): { buffer: Uint8Array; engine: { bytesWritten: number } } => inflateRawSync(input, { maxOutputLength: outputBytesMax, info: true, finishFlush }) as never;
    for (const [flush, ended] of [[constants.Z_FINISH, 'complete'], [constants.Z_SYNC_FLUSH, 'truncated']] as const) {
      try {
        const { buffer, engine } = inflate(flush);
        return { output: new BytesSource(buffer), consumed: ended === 'complete' ? engine.bytesWritten : length, ended };
      } catch (error) {
        if ((error as { code: string }).code === 'ERR_BUFFER_TOO_LARGE') return { output: new BytesSource(new Uint8Array(0)), consumed: 0, ended: 'limit' };
      }
    }
    return { output: new BytesSource(new Uint8Array(0)), consumed: 0, ended: 'invalid' };
  },
};

/** xorshift32: small, and the same everywhere. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = (seed ^ 0x9e3779b9) >>> 0 || 1;
  }

  below(bound: number): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return (this.#state >>> 0) % bound;
  }

  pick<Value>(list: readonly Value[]): Value {
    return list[this.below(list.length)]!;
  }
}

const transferSyntaxUIDs = [explicitVRLittleEndian, implicitVRLittleEndian, explicitVRBigEndian, deflatedExplicitVRLittleEndian, '1.2.840.10008.1.2.4.50'];

/** A sound object with a bit of everything. */
export function seedObject(random: Random): Uint8Array {
  const uid = random.pick(transferSyntaxUIDs);
  const elements: WritableElement[] = [
    { tag: 0x00080005, vr: 'CS', value: [random.pick(['ISO_IR 100', 'ISO_IR 192', '\\ISO 2022 IR 87', 'GB18030'])] },
    { tag: 0x00080016, vr: 'UI', value: ['1.2.840.10008.5.1.4.1.1.7'] },
    { tag: 0x00080018, vr: 'UI', value: ['1.2.3'] },
    { tag: 0x00100010, vr: 'PN', value: ['Example^Person'] },
    { tag: 0x00191010, vr: 'UN', value: new Uint8Array(random.below(20) * 2) },
    { tag: 0x00280009, vr: 'AT', value: [0x00181063] },
    { tag: 0x00280010, vr: 'US', value: [random.below(100)] },
    sequence(random, 0),
    { tag: 0x00420011, vr: 'OB', value: new Uint8Array(random.below(200)) },
    { tag: 0x3006002c, vr: 'DS', value: ['1.5', '-2'] },
  ];
  const fragments = [new Uint8Array(random.below(40) * 2), new Uint8Array(6)];
  elements.push(uid.includes('.4.50') ? { tag: 0x7fe00010, vr: 'OB', value: { offsetTable: random.below(2) === 0 ? [] : [0], fragments } } : { tag: 0x7fe00010, vr: 'OW', value: new Uint8Array(random.below(100) * 2) });
  if (random.below(3) === 0) elements.push({ tag: 0xfffcfffc, vr: 'OB', value: new Uint8Array(random.below(8) * 2) });
  const meta = encodeFileMeta({ mediaStorageSOPClassUID: '1.2.840.10008.5.1.4.1.1.7', mediaStorageSOPInstanceUID: '1.2.3', transferSyntaxUID: uid });
  const dataSet = encodeDataSet(elements, uid, { deflateRaw: deflateRawSync });
  const bytes = new Uint8Array(meta.length + dataSet.length);
  bytes.set(meta);
  bytes.set(dataSet, meta.length);
  return bytes;
}

function sequence(random: Random, depth: number): WritableElement {
  const items = Array.from({ length: random.below(4) }, () => ({
    undefinedLength: random.below(2) === 0,
    elements: depth < 4 && random.below(2) === 0 ? [{ tag: 0x00081155, vr: 'UI', value: ['1.2'] }, sequence(random, depth + 1)] : [{ tag: 0x00080100, vr: 'SH', value: ['121071'] }],
  }));
  return { tag: 0x0040a730, vr: 'SQ', value: items, undefinedLength: random.below(2) === 0 };
}

/** Bytes that mean something where they land. */
const telling: readonly (readonly number[])[] = [
  [0xff, 0xff, 0xff, 0xff], [0xfe, 0xff, 0x00, 0xe0], [0xfe, 0xff, 0x0d, 0xe0, 0, 0, 0, 0], [0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0], [0xfc, 0xff, 0xfc, 0xff], [0, 0, 0, 0], [0xff, 0x7f], [0x53, 0x51], [0x55, 0x4e], [0x4f, 0x42],
  [0xe0, 0x7f, 0x10, 0x00], [0x02, 0x00, 0x10, 0x00], [0x09, 0x00, 0x00, 0x00], [0x4d, 0x5a, 0x90, 0x00], [0xfe, 0xff, 0x00, 0xe0, 0xff, 0xff, 0xff, 0xff], [0x1b, 0x24, 0x42],
];

/** One to five damages: a changed byte, telling bytes over or between others, a cut, a doubled or a moved piece. */
export function mutated(object: Uint8Array, random: Random): Uint8Array {
  let bytes = [...object];
  for (let left = 1 + random.below(5); left > 0; left -= 1) {
    // The first 128 bytes are the preamble, where little can go wrong.
    const at = Math.min(bytes.length, random.below(8) === 0 ? random.below(bytes.length + 1) : 128 + random.below(Math.max(1, bytes.length - 128)));
    switch (random.below(6)) {
      case 0:
        if (at < bytes.length) bytes[at] = random.below(256);
        break;
      case 1:
        for (const [index, byte] of random.pick(telling).entries()) if (at + index < bytes.length) bytes[at + index] = byte;
        break;
      case 2:
        bytes.splice(at, 0, ...random.pick(telling));
        break;
      case 3:
        bytes.splice(at, random.below(12));
        break;
      case 4:
        bytes = random.below(4) === 0 ? bytes.slice(0, at) : [...bytes.slice(0, at), ...bytes.slice(Math.max(0, at - random.below(40)))];
        break;
      default:
        bytes.push(...random.pick(telling));
    }
  }
  return Uint8Array.from(bytes);
}

/** What must hold for the map of any bytes; null, or what does not. */
export function brokenInvariant(bytes: Uint8Array, mapper: Mapper): string | null {
  let mapped: MappedObject;
  try {
    mapped = mapper(new BytesSource(bytes), fuzzTools, limits);
  } catch (error) {
    return `threw ${String(error)}`;
  }
  const spans = checkSpans(mapped.spans, bytes.length) ?? (mapped.dataSetSpans === undefined ? null : checkSpans(mapped.dataSetSpans, mapped.dataSetSource.length));
  if (spans !== null) return spans;
  const { elements } = mapped;
  if (elements.count > limits.elementsMax + 64) return `${elements.count} elements`;
  for (let row = 0; row < elements.count; row += 1) {
    if (elements.depths[row]! > limits.depthMax) return `element ${row} has depth ${elements.depths[row]}`;
    const parent = elements.parents[row]!;
    if (parent >= row || (parent < 0) !== (elements.depths[row] === 0)) return `element ${row} has parent ${parent}`;
    if (elements.valueOffsets[row]! + elements.valueLengths[row]! > Math.max(bytes.length, mapped.dataSetSource.length)) return `element ${row} ends past the object`;
    if (parent >= 0 && elements.valueOffsets[row]! + elements.valueLengths[row]! > elements.valueOffsets[parent]! + elements.valueLengths[parent]!) return `element ${row} ends past its sequence`;
  }
  for (const problem of mapped.problems) if (!problemKinds.has(problem.code)) return `problem ${problem.code} is not in the list`;
  // What is left unexplained has a fault or a limit that says why.
  const unexplained = mapped.spans.kinds.includes(spanKinds.indexOf('unexplained'));
  if (unexplained && !mapped.problems.some(({ code }) => problemKinds.get(code)?.grade !== 'note')) return 'bytes are unexplained without a fault';
  try {
    const values = new Values(mapped);
    for (let row = 0; row < elements.count; row += 1) {
      values.strings(row);
      values.numbers(row);
    }
    JSON.parse(writeDicomJson(mapped));
    mapText(mapped);
  } catch (error) {
    return `values threw ${String(error)}`;
  }
  return null;
}

/** The first broken invariant of `count` mutations from `seed` on, or null. */
export function fuzz(mapper: Mapper, seed: number, count: number): { readonly seed: number; readonly broken: string } | null {
  for (let at = seed; at < seed + count; at += 1) {
    const broken = brokenInvariant(objectOf(at), mapper);
    if (broken !== null) return { seed: at, broken };
  }
  return null;
}

/** The object of a seed. */
export function objectOf(seed: number): Uint8Array {
  const random = new Random(seed);
  return mutated(seedObject(random), random);
}

function option(name: string, otherwise: number): number {
  const at = process.argv.indexOf(name);
  return at < 0 ? otherwise : Number(process.argv[at + 1]);
}

if (import.meta.main) {
  const found = fuzz(mapObject, option('--seed', 1), option('--count', 20_000));
  console.log(found === null ? 'nothing found' : `seed ${found.seed}: ${found.broken}`);
  process.exitCode = found === null ? 0 : 1;
}
