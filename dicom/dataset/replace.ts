/**
 * The same object under a local identity, as patches of its bytes (identity.ts says of which attributes). The object is read as it is mapped and written in
 * its own encoding; nothing else in it moves or changes. Whatever comes out is read again, and compared, before it is given to anybody.
 */
import type { MappedObject } from '../filemap/contract.ts';
import { mapObject } from '../filemap/map.ts';
import { writeDicomJson } from '../web/json.ts';
import { identityAttributes, originalAttributesTag, specificCharacterSetTag, type Identity } from './identity.ts';
import { PatchedSource, type BytePatch } from './patched.ts';
import { encodeText } from './textencoding.ts';
import { Values } from './values.ts';
import { elementOf, itemOf, lengthBytes, sequenceOf, type Form } from './elementbytes.ts';
import { othersArePlain } from './plain.ts';

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
}
/** `problem` is a sentence for people: why it cannot be written so. */
export type Replacing = Replaced | { readonly problem: string };

/** What is moved into Original Attributes, in all: a few names and the items of an order. */
export const movedBytesMax = 64 * 1024;

interface Edit {
  readonly offset: number;
  readonly length: number;
  readonly bytes: Uint8Array;
  readonly tag: number;
}
interface TopElement {
  readonly row: number;
  readonly tag: number;
  /** From its header to the next element. */
  readonly start: number;
  readonly end: number;
}

class Impossible extends Error {}

/** Never throws for what an object holds. Where the identity is what the object says already, there are no patches. */
export function replaceIdentity(mapped: MappedObject, identity: Identity, provenance: Provenance): Replacing {
  try {
    if (mapped.dataSetSource !== mapped.source) throw new Impossible('The object is deflated as a whole (Deflated Explicit VR), so that single values of it cannot be served otherwise.');
    if (mapped.encoding === undefined) throw new Impossible('The object cannot be read far enough.');
    const values = new Values(mapped);
    const edits = new Editing(values, mapped.encoding).edits(identity, provenance);
    const patches = merged(edits);
    const patched = new PatchedSource(mapped.source, patches);
    return { patches, metadata: checked(mapped, values, patched, edits, identity) };
  } catch (error) {
    if (error instanceof Impossible) return { problem: error.message };
    throw error;
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

  constructor(values: Values, form: Form) {
    this.#values = values;
    this.#form = form;
    this.#end = values.mapped.dataSetOffset + values.mapped.dataSetLength;
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

  /** The character set of the new texts: the object's own, or UTF-8 where all other text of the object is the same in it. */
  #terms(wanted: readonly { readonly tag: number; readonly vr: string; readonly text: string | null }[]): readonly string[] {
    const [declared] = this.#all(specificCharacterSetTag);
    const terms = declared === undefined ? [] : this.#values.strings(declared.row);
    const missing = wanted.find(({ vr, text }) => text !== null && encodeText(text, terms, vr === 'PN' ? 'name' : 'values') === null);
    if (missing === undefined) return terms;
    const set = terms.length === 0 ? 'only the basic letters A to Z' : `the character set ${terms.map((term) => term.replaceAll(/[^\x20-\x7e]/g, '?')).join(' and ')}`;
    if (!othersArePlain(this.#values, new Set([...wanted.map(({ tag }) => tag), specificCharacterSetTag]))) {
      throw new Impossible(`"${missing.text}" cannot be written in this object: it has ${set}, and other texts in it need that set. Choose a spelling of the name that it can hold, or take it as it is.`);
    }
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
      this.#originals.push({ tag, bytes: this.#values.mapped.source.read(start, end - start).slice() });
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
    const { elements, source: object } = this.#values.mapped;
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

function topElements(values: Values, end: number): readonly TopElement[] {
  const { count, tags, depths, headerOffsets } = values.mapped.elements;
  const top: { row: number; tag: number; start: number; end: number }[] = [];
  for (let row = values.metaRows; row < count; row += 1) {
    const start = headerOffsets[row]!;
    if (depths[row] !== 0 || start >= end) continue;
    const before = top.at(-1);
    if (before !== undefined) before.end = start;
    top.push({ row, tag: tags[row]!, start, end });
  }
  return top;
}

/** Trailing delimiters of a name mean nothing (PS3.5 §6.2.1). */
function sameText(texts: readonly string[], text: string, vr: string): boolean {
  const found = texts.join('\\');
  return vr === 'PN' ? found.replace(/[\^=]+$/, '') === text.replace(/[\^=]+$/, '') : found === text;
}

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0) & 0x7f);
}

/** Sorted; what touches becomes one. */
function merged(edits: readonly Edit[]): BytePatch[] {
  const patches: { offset: number; length: number; bytes: Uint8Array }[] = [];
  for (const edit of edits.toSorted((one, other) => one.offset - other.offset || one.tag - other.tag || one.length - other.length)) {
    const last = patches.at(-1);
    if (last === undefined || last.offset + last.length !== edit.offset) {
      patches.push({ offset: edit.offset, length: edit.length, bytes: edit.bytes });
      continue;
    }
    const bytes = new Uint8Array(last.bytes.length + edit.bytes.length);
    bytes.set(last.bytes);
    bytes.set(edit.bytes, last.bytes.length);
    last.bytes = bytes;
    last.length += edit.length;
  }
  return patches;
}

/** Reads the patched object as anybody would. Its DICOM JSON, where it says what it should and all else is as it was. */
function checked(mapped: MappedObject, values: Values, source: PatchedSource, edits: readonly Edit[], identity: Identity): string {
  const wrong = (): never => {
    throw new Impossible('The object is encoded so that its values cannot be replaced without others being read differently.');
  };
  const patched = mapObject(source, { inflateRaw: wrong });
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
  return writeDicomJson(patched).replaceAll(/,"BulkDataURI":"(\d+),(\d+)"/g, (_, offset: string, length: string) => {
    const stored = source.storedRange(Number(offset), Number(length));
    // A long value that was moved: it is in the object that is served, and has no range in the one that is stored.
    return stored === null ? '' : `,"BulkDataURI":"${stored},${length}"`;
  });
}

/** What must not change: every element at the top level but these, and how much is in it. */
function untouched(values: Values, touched: ReadonlySet<number>): string {
  const { elements, dataSetOffset, dataSetLength } = values.mapped;
  return topElements(values, dataSetOffset + dataSetLength).filter(({ tag }) => !touched.has(tag)).map(({ row, tag }) => `${tag} ${elements.vrs[row]} ${elements.valueLengths[row]}`).join('\n');
}
