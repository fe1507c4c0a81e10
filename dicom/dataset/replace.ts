/**
 * The same object under a local identity, as patches of its bytes (identity.ts says of which attributes). The object is read as it is mapped and written in
 * its own encoding; nothing else in it moves or changes. Whatever comes out is read again, and compared, before it is given to anybody.
 */
import type { MappedObject } from '../filemap/contract.ts';
import { mapObject } from '../filemap/map.ts';
import { writeDicomJson } from '../web/json.ts';
import { changedTags, identityAttributes, originalAttributesTag, specificCharacterSetTag, type Identity } from './identity.ts';
import { PatchedSource, type BytePatch } from './patched.ts';
import { encodeText } from './textencoding.ts';
import { Values } from './values.ts';
import { elementOf, itemOf, lengthBytes, sequenceOf, type Form } from './elementbytes.ts';
import { recoded } from './recoding.ts';
import { checkDeflated, Impossible, repacked, type Packing } from './repacking.ts';
import { endOf, topElements, type TopElement } from './topelements.ts';

/** Who has replaced the values (PS3.3 C.12.1, Original Attributes Sequence). Texts are cut to what their VR holds. */
export interface Provenance {
  /** DT, with an offset from UTC. */
  readonly dateTime: string;
  readonly system: string;
  /** Where the previous values came from: the medium. */
  readonly source: string;
}

export interface Replaced {
  readonly patches: readonly BytePatch[];
  /** DICOM JSON of the patched object; the ranges of BulkDataURI are those of the object as it is stored. */
  readonly metadata: string;
  /** As it was read again, with its patches. */
  readonly patched: MappedObject;
}
/** `problem` is a sentence for people: why it cannot be written so. */
export type Replacing = Replaced | { readonly problem: string };

/** What is moved into Original Attributes, in all: a few names and the items of an order. */
export const movedBytesMax = 64 * 1024;
/** The keeper keeps the patches of each object in its database; text in another character set is in many places. */
export const patchesMax = 128;
export const patchBytesMax = 256 * 1024;
/** Patches that are nearer than this become one where there are too many. */
const gapBytesMax = 1024;

interface Edit {
  readonly offset: number;
  readonly length: number;
  readonly bytes: Uint8Array;
  readonly tag: number;
}
/** Never throws for what an object holds. Where the identity is what the object says already, there are no patches. Without `packing` a deflated one is left as it is. */
export function replaceIdentity(mapped: MappedObject, identity: Identity, provenance: Provenance, packing: Packing | null = null): Replacing {
  try {
    const deflated = mapped.dataSetSource !== mapped.source;
    if (deflated) checkDeflated(mapped, packing);
    if (mapped.encoding === undefined) throw new Impossible('The object cannot be read far enough.');
    const values = new Values(mapped);
    const editing = new Editing(values, mapped.encoding);
    const edits = editing.edits(identity, provenance);
    const inside = merged(edits);
    if (inside.length > patchesMax || inside.reduce((sum, { bytes }) => sum + bytes.length, 0) > patchBytesMax) throw new Impossible('So much of its text would have to be written in another character set that it is not replaced.');
    const patches = deflated && inside.length > 0 ? [repacked(mapped, inside, packing!)] : inside;
    const source = new PatchedSource(mapped.source, patches);
    return { patches, ...checked(mapped, values, source, edits, identity, editing.recoded, deflated ? packing : null) };
  } catch (error) {
    if (error instanceof Impossible) return { problem: error.message };
    throw error;
  }

  /** In order; what touches is one, and what is near where there are too many. */
  function merged(edits: readonly Edit[]): BytePatch[] {
    const patches = joined(edits, 0, mapped);
    return patches.length > patchesMax ? joined(edits, gapBytesMax, mapped) : patches;
  }
}

class Editing {
  readonly #values: Values;
  readonly #form: Form;
  readonly #top: readonly TopElement[];
  readonly #end: number;
  readonly #edits: Edit[] = [];
  /** Bytes of the elements as they were, in the order of their tags. */
  readonly #originals: { tag: number; bytes: Uint8Array }[] = [];
  #movedBytes = 0;
  /** All texts are in UTF-8 now. */
  recoded = false;

  constructor(values: Values, form: Form) {
    this.#values = values;
    this.#form = form;
    this.#end = endOf(values.mapped);
    this.#top = topElements(values, this.#end);
  }

  edits(identity: Identity, provenance: Provenance): readonly Edit[] {
    const wanted = identityAttributes.flatMap((attribute) => {
      const fate = attribute.fate(identity);
      const [there] = this.#all(attribute.tag);
      if (fate === 'left' || (there === undefined && (fate === 'moved' || fate.text === ''))) return [];
      if (fate !== 'moved' && there !== undefined && sameText(this.#values.strings(there.row), fate.text, attribute.vr)) return [];
      return [{ ...attribute, text: fate === 'moved' ? null : fate.text }];
    });
    if (wanted.length === 0) return [];
    const terms = this.#terms(wanted.map(({ tag, vr, text }) => ({ tag, vr, text })));
    for (const { tag, vr, text } of wanted) this.#replace(tag, text === null ? null : elementOf(this.#form, tag, vr, this.#encode(text, vr, terms)));
    this.#originalAttributes(provenance, terms);
    this.#groupLengths();
    return this.#edits;
  }

  #all(tag: number): TopElement[] {
    return this.#top.filter((element) => element.tag === tag);
  }

  /** The character set of the new texts: the object's own, or UTF-8; then all other text of the object is written in that, too. */
  #terms(wanted: readonly { readonly tag: number; readonly vr: string; readonly text: string | null }[]): readonly string[] {
    const [declared] = this.#all(specificCharacterSetTag);
    const terms = declared === undefined ? [] : this.#values.strings(declared.row);
    const missing = wanted.find(({ vr, text }) => text !== null && encodeText(text, terms, vr === 'PN' ? 'name' : 'values') === null);
    if (missing === undefined) return terms;
    const set = terms.length === 0 ? 'only the basic letters A to Z' : `the character set ${terms.map((term) => term.replaceAll(/[^\x20-\x7e]/g, '?')).join(' and ')}`;
    const others = recoded(this.#values, new Set([...wanted.map(({ tag }) => tag), specificCharacterSetTag]));
    // Its lengths change already, by one Item more.
    if (others === null || others.some(({ tag }) => tag === originalAttributesTag)) {
      throw new Impossible(`"${missing.text}" cannot be written in this object: it has ${set}, and not all other texts in it can be written in UTF-8 without doubt. Choose a spelling of the name that it can hold, or take it as it is.`);
    }
    this.#edits.push(...others);
    this.recoded = others.length > 0;
    // In the Item of the previous values the set that they were written in stands before them.
    this.#replace(specificCharacterSetTag, elementOf(this.#form, specificCharacterSetTag, 'CS', ascii('ISO_IR 192')));
    if (declared === undefined) this.#originals.push({ tag: specificCharacterSetTag, bytes: elementOf(this.#form, specificCharacterSetTag, 'CS', ascii('')) });
    return ['ISO_IR 192'];
  }

  #encode(text: string, vr: string, terms: readonly string[]): Uint8Array {
    const bytes = encodeText(text, terms, vr === 'PN' ? 'name' : 'values');
    if (bytes === null) throw new Impossible(`"${text}" cannot be written in the character set of this object.`);
    return bytes;
  }

  /** Null: it goes. What was there is kept among the originals. */
  #replace(tag: number, bytes: Uint8Array | null): void {
    const there = this.#all(tag);
    for (const { start, end } of there) {
      this.#movedBytes += end - start;
      if (this.#movedBytes > movedBytesMax) throw new Impossible(`What the object says of patient and order has more than ${movedBytesMax} bytes; so much is not replaced.`);
      this.#originals.push({ tag, bytes: this.#values.mapped.dataSetSource.read(start, end - start).slice() });
    }
    const [first, ...more] = there;
    if (first === undefined) this.#edits.push({ offset: this.#placeOf(tag), length: 0, bytes: bytes!, tag });
    else this.#edits.push({ offset: first.start, length: first.end - first.start, bytes: bytes ?? new Uint8Array(0), tag });
    for (const { start, end } of more) this.#edits.push({ offset: start, length: end - start, bytes: new Uint8Array(0), tag });
  }

  /** PS3.5 §7.1: ascending order of tags. */
  #placeOf(tag: number): number {
    return this.#top.find((element) => element.tag > tag)?.start ?? this.#end;
  }

  /** One Item more (PS3.3 C.12.1): those that are there tell of earlier changes and stay as they are. */
  #originalAttributes({ dateTime, system, source }: Provenance, terms: readonly string[]): void {
    const form = this.#form;
    const text = (value: string, most: number): Uint8Array => {
      const short = [...value.replaceAll(/[\p{Cc}\\]/gu, ' ').trim()].slice(0, most).join('').trimEnd();
      return encodeText(short, terms, 'values') ?? ascii(short.replaceAll(/[^\x20-\x7e]/g, '?'));
    };
    const item = itemOf(form, [
      sequenceOf(form, 0x04000550, [itemOf(form, this.#originals.toSorted((one, other) => one.tag - other.tag).map(({ bytes }) => bytes))]),
      elementOf(form, 0x04000562, 'DT', ascii(dateTime)),
      elementOf(form, 0x04000563, 'LO', text(system, 64)),
      elementOf(form, 0x04000564, 'LO', text(source, 64)),
      elementOf(form, 0x04000565, 'CS', ascii('COERCE')),
    ]);
    const [there] = this.#all(originalAttributesTag);
    if (there === undefined) {
      this.#edits.push({ offset: this.#placeOf(originalAttributesTag), length: 0, bytes: sequenceOf(form, originalAttributesTag, [item]), tag: originalAttributesTag });
      return;
    }
    const { elements, dataSetSource: object } = this.#values.mapped;
    if (elements.vrs[there.row] !== sequenceVR) throw new Impossible('Its Original Attributes Sequence is not encoded as one.');
    const valueOffset = elements.valueOffsets[there.row]!;
    const length = elements.valueLengths[there.row]!;
    const declared = object.read(valueOffset - 4, 4).slice();
    // Of undefined length: before the Sequence Delimitation Item, and no length to correct.
    if (declared.some((byte) => byte !== 0xff)) this.#edits.push({ offset: valueOffset - 4, length: 4, bytes: lengthBytes(form, length + item.length), tag: originalAttributesTag });
    this.#edits.push({ offset: valueOffset + length, length: 0, bytes: item, tag: originalAttributesTag });
  }

  /** Group lengths (gggg,0000), retired but met: the length of what follows them in their group (PS3.5 §7.2). */
  #groupLengths(): void {
    const { elements } = this.#values.mapped;
    for (const [index, { row, tag, start, end }] of this.#top.entries()) {
      const group = tag >>> 16;
      const changes = this.#edits.filter((edit) => edit.tag >>> 16 === group);
      if ((tag & 0xffff) !== 0 || changes.length === 0) continue;
      const after = this.#top.slice(index + 1).find((element) => element.tag >>> 16 !== group)?.start ?? this.#end;
      const length = changes.reduce((sum, edit) => sum + edit.bytes.length - edit.length, after - end);
      if (length === 0) this.#edits.push({ offset: start, length: end - start, bytes: new Uint8Array(0), tag });
      else if (elements.valueLengths[row] === 4) this.#edits.push({ offset: elements.valueOffsets[row]!, length: 4, bytes: lengthBytes(this.#form, length), tag });
    }
  }
}

const sequenceVR = (0x53 << 8) | 0x51;

/** Trailing delimiters of a name mean nothing (PS3.5 §6.2.1). */
function sameText(texts: readonly string[], text: string, vr: string): boolean {
  const found = texts.join('\\');
  return vr === 'PN' ? found.replace(/[\^=]+$/, '') === text.replace(/[\^=]+$/, '') : found === text;
}

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0) & 0x7f);
}

/** Sorted; what is at most `gap` bytes apart becomes one, with what is between. */
function joined(edits: readonly Edit[], gap: number, { dataSetSource }: MappedObject): BytePatch[] {
  const patches: { offset: number; length: number; bytes: Uint8Array }[] = [];
  for (const edit of edits.toSorted((one, other) => one.offset - other.offset || one.tag - other.tag || one.length - other.length)) {
    const last = patches.at(-1);
    const between = last === undefined ? Infinity : edit.offset - last.offset - last.length;
    if (last === undefined || between > gap) {
      patches.push({ offset: edit.offset, length: edit.length, bytes: edit.bytes });
      continue;
    }
    const bytes = new Uint8Array(last.bytes.length + between + edit.bytes.length);
    bytes.set(last.bytes);
    bytes.set(dataSetSource.read(last.offset + last.length, between), last.bytes.length);
    bytes.set(edit.bytes, last.bytes.length + between);
    last.bytes = bytes;
    last.length += between + edit.length;
  }
  return patches;
}

/** Reads the patched object as anybody would. Its DICOM JSON, where it says what it should and all else is as it was. */
function checked(mapped: MappedObject, values: Values, source: PatchedSource, edits: readonly Edit[], identity: Identity, isRecoded: boolean, packing: Packing | null): Pick<Replaced, 'metadata' | 'patched'> {
  const wrong = (): never => {
    throw new Impossible('The object is encoded so that its values cannot be replaced without others being read differently.');
  };
  const patched = mapObject(source, { inflateRaw: packing === null ? wrong : packing.inflateRaw });
  const read = new Values(patched);
  const touched = new Set(edits.map(({ tag }) => tag));
  const known = new Set(mapped.problems.map(({ code }) => code));
  if (patched.problems.some(({ code }) => !known.has(code)) || patched.dataSetOffset !== mapped.dataSetOffset) wrong();
  if (untouched(values, touched) !== untouched(read, touched)) wrong();
  for (const { tag, vr, fate } of identityAttributes) {
    if (!touched.has(tag)) continue;
    const wanted = fate(identity);
    const row = read.find(tag);
    if (wanted === 'left' || (wanted === 'moved' ? row >= 0 : row < 0 || !sameText(read.strings(row), wanted.text, vr))) wrong();
  }
  const metadata = writeDicomJson(patched).replaceAll(/,"BulkDataURI":"(\d+),(\d+)"/g, (_, offset: string, length: string) => {
    const stored = source.storedRange(Number(offset), Number(length));
    // A long value that was moved: it is in the object that is served, and has no range in the one that is stored.
    return stored === null ? '' : `,"BulkDataURI":"${stored},${length}"`;
  });
  if (isRecoded && !saysTheSame(writeDicomJson(mapped), metadata)) wrong();
  return { metadata, patched };
}

/** DICOM JSON is text, whatever set that was written in. */
function saysTheSame(before: string, after: string): boolean {
  const [one, other] = [before, after].map((text) => JSON.parse(text) as Record<string, unknown>) as [Record<string, unknown>, Record<string, unknown>];
  return [...new Set([...Object.keys(one), ...Object.keys(other)])].every((tag) => changedTags.has(tag) || JSON.stringify(one[tag]) === JSON.stringify(other[tag]));
}

/** What must not change: every element at the top level but these, and how much is in it. */
function untouched(values: Values, touched: ReadonlySet<number>): string {
  const { elements } = values.mapped;
  return topElements(values, endOf(values.mapped)).filter(({ tag }) => !touched.has(tag)).map(({ row, tag }) => `${tag} ${elements.vrs[row]} ${elements.valueLengths[row]}`).join('\n');
}
