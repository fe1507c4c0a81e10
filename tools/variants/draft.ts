/** From a clean object and the changes that a place makes to it to the bytes of a file. */
import { deflateRawSync } from 'node:zlib';
import { encode, fileMeta, part10, withElements, type Element } from '../recipes/encode.ts';
import { imageElements, pixelData, type Base } from './bases.ts';
import { below, type Random } from './payloads.ts';

/** What a place says about the object that it makes. */
export interface Draft {
  readonly base: Base;
  readonly name: string;
  /** Elements of the Data Set that are put in, or put in place of others, by tag. */
  readonly elements?: readonly Element[];
  /** Instead of the image of the base: elements of another kind of object. */
  readonly instead?: readonly Element[];
  /** Bytes that stand for the element of a tag: encodings that `Element` cannot say. */
  readonly raw?: readonly (readonly [tag: string, bytes: Uint8Array])[];
  /** Pixel Data instead of the base's; null for none. */
  readonly pixels?: Uint8Array | Element | null;
  readonly preamble?: Uint8Array;
  readonly meta?: readonly Element[];
  /** After the Data Set: in a deflated one, inside the deflate stream. */
  readonly afterLast?: Uint8Array;
  /** After everything. */
  readonly trailing?: Uint8Array;
  /** Before everything. */
  readonly before?: Uint8Array;
  /** Instead of all of it. */
  readonly whole?: Buffer;
}

/** The file of a draft. */
export function fileOf(draft: Draft): Buffer {
  const { base, name } = draft;
  if (draft.whole !== undefined) return draft.whole;
  const pixels = draft.pixels === undefined ? (draft.instead === undefined ? pixelData(base) : null) : draft.pixels;
  const elements = withElements(draft.instead ?? imageElements(base, name), ...(draft.elements ?? []));
  const parts: { tag: string; bytes: Uint8Array | Element }[] = elements.map((element) => ({ tag: element[0].toUpperCase(), bytes: element }));
  for (const [tag, bytes] of draft.raw ?? []) parts.push({ tag, bytes });
  if (pixels !== null) parts.push({ tag: '7FE0,0010', bytes: pixels });
  parts.sort((one, other) => (one.tag < other.tag ? -1 : one.tag > other.tag ? 1 : 0));
  const encoded = Buffer.concat([encode(parts.map((part) => part.bytes), base.encoding), draft.afterLast ?? new Uint8Array()]);
  const text = (tag: string): string => String(elements.find((element) => element[0] === tag)?.[2] ?? '');
  const usual = { transferSyntaxUID: base.uid, sopClassUID: text('0008,0016'), sopInstanceUID: text('0008,0018') };
  const stream = base.isDeflated ? deflateRawSync(encoded) : encoded;
  const dataSet = stream.length % 2 === 0 ? stream : Buffer.concat([stream, Buffer.alloc(1)]);
  const file = part10({ ...usual, dataSet, meta: fileMeta(usual, draft.meta ?? []), ...(draft.preamble === undefined ? {} : { preamble: draft.preamble }), ...(draft.trailing === undefined ? {} : { trailing: draft.trailing }) });
  return draft.before === undefined ? file : Buffer.concat([draft.before, file]);
}

/** Harmless bytes: printable characters as vendors' records have them, in no base64 alphabet for long. */
export function filler(random: Random, length: number): Buffer {
  return Buffer.from(Uint8Array.from({ length }, (_, at) => (at % 23 === 22 ? 0x20 : 0x21 + below(random, 0x5d))));
}

/** The payload with harmless bytes around it. */
export function surrounded(bytes: Uint8Array, random: Random, before: number, after: number): Buffer {
  return Buffer.concat([filler(random, before), bytes, filler(random, after)]);
}

/** Filled up with zeros to a multiple of `unit` bytes. */
export function filledUp(bytes: Uint8Array, unit: number): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((unit - (bytes.length % unit)) % unit)]);
}

/** What must be given to the encoder as OW so that the bytes of the file are these, whatever the byte order. */
export function words(bytes: Uint8Array, base: Base): Buffer {
  const even = filledUp(bytes, 2);
  return base.encoding === 'big' ? even.swap16() : even;
}
