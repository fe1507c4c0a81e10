/** The containers that are open while a Data Set is read, innermost last: the Data Set, then sequences and Items in turn. */
import { tagText } from '../dictionary/dictionary.ts';
import type { ElementColumns } from './columns.ts';

export const frameKinds = { dataSet: 0, sequence: 1, item: 2, fragments: 3 } as const;

/** What of the outer containers has to be kept, as columns of a fixed size. The innermost one's are fields, which the reader asks for at each element. */
export class Frames {
  kind: number = frameKinds.dataSet;
  /** First offset that does not belong to it; for undefined length, that of what contains it. */
  end: number;
  isUndefined = false;
  explicitVR: boolean;
  littleEndian: boolean;
  /** -1 before the first element. */
  previousTag = -1;
  /** Depth of the elements in it; of a sequence, that of its own element. */
  depth = 0;
  /** The element that it is the value of (for an Item: of its sequence), or -1. */
  element = -1;
  /** Parent of the elements in it, or -1. */
  parent = -1;
  /** Item index of the elements in it; of a sequence, the number of Items so far. */
  item = 0;
  open = true;

  #count = 0;
  readonly #kinds: Uint8Array;
  readonly #ends: Float64Array;
  readonly #undefineds: Uint8Array;
  readonly #explicits: Uint8Array;
  readonly #littles: Uint8Array;
  readonly #previousTags: Float64Array;
  readonly #depths: Uint8Array;
  readonly #elements: Int32Array;
  readonly #parents: Int32Array;
  readonly #items: Uint32Array;
  /** Private group whose creators are known, for each frame, and a bit for each block 00 to FF. */
  readonly #creatorGroups: Int32Array;
  readonly #creators: Uint8Array;

  constructor(depthMax: number, end: number, encoding: { readonly explicitVR: boolean; readonly littleEndian: boolean }) {
    // A sequence and an Item for each level, fragments within the deepest, and the Data Set itself.
    const frames = 2 * depthMax + 3;
    this.end = end;
    this.explicitVR = encoding.explicitVR;
    this.littleEndian = encoding.littleEndian;
    this.#kinds = new Uint8Array(frames);
    this.#ends = new Float64Array(frames);
    this.#undefineds = new Uint8Array(frames);
    this.#explicits = new Uint8Array(frames);
    this.#littles = new Uint8Array(frames);
    this.#previousTags = new Float64Array(frames);
    this.#depths = new Uint8Array(frames);
    this.#elements = new Int32Array(frames);
    this.#parents = new Int32Array(frames);
    this.#items = new Uint32Array(frames);
    this.#creatorGroups = new Int32Array(frames);
    this.#creators = new Uint8Array(frames * 32);
  }

  push(kind: number, end: number, isUndefined: boolean, element: number, depth: number, explicitVR: boolean, littleEndian: boolean): void {
    this.#save();
    this.kind = kind;
    this.end = end;
    this.isUndefined = isUndefined;
    this.explicitVR = explicitVR;
    this.littleEndian = littleEndian;
    this.previousTag = -1;
    this.depth = depth;
    this.element = element;
    this.item = 0;
  }

  /** Opens the next Item of the sequence that is innermost. */
  pushItem(end: number, isUndefined: boolean): void {
    const index = this.item;
    this.item = index + 1;
    this.#save();
    this.kind = frameKinds.item;
    this.end = end;
    this.isUndefined = isUndefined;
    this.previousTag = -1;
    this.depth += 1;
    this.parent = this.element;
    this.item = index;
    this.#creatorGroups[this.#count] = 0;
  }

  /** Counts an Item that is not opened (a fragment) and returns its index. */
  nextItem(): number {
    this.item += 1;
    return this.item - 1;
  }

  pop(): void {
    if (this.#count === 0) {
      this.open = false;
      return;
    }
    this.#count -= 1;
    const row = this.#count;
    this.kind = this.#kinds[row]!;
    this.end = this.#ends[row]!;
    this.isUndefined = this.#undefineds[row] === 1;
    this.explicitVR = this.#explicits[row] === 1;
    this.littleEndian = this.#littles[row] === 1;
    this.previousTag = this.#previousTags[row]!;
    this.depth = this.#depths[row]!;
    this.element = this.#elements[row]!;
    this.parent = this.#parents[row]!;
    this.item = this.#items[row]!;
  }

  /** A Private Creator reserves a block of its group (PS3.5 §7.8.1). Elements come in order, so only one group at a time is of interest. */
  reserve(group: number, block: number): void {
    const row = this.#count;
    if (this.#creatorGroups[row] !== group) {
      this.#creatorGroups[row] = group;
      this.#creators.fill(0, row * 32, row * 32 + 32);
    }
    const byte = row * 32 + (block >>> 3);
    this.#creators[byte] = this.#creators[byte]! | (1 << (block & 7));
  }

  isReserved(group: number, block: number): boolean {
    const row = this.#count;
    return this.#creatorGroups[row] === group && ((this.#creators[row * 32 + (block >>> 3)]! >>> (block & 7)) & 1) === 1;
  }

  /** "(0008,1140)[0].(0008,1155)": the containers, then the tag, if any. */
  path(elements: ElementColumns, tag: number | null): string {
    let text = '';
    for (let row = 1; row <= this.#count; row += 1) {
      const last = row === this.#count;
      const kind = last ? this.kind : this.#kinds[row];
      if (kind !== frameKinds.item) continue;
      const element = last ? this.element : this.#elements[row]!;
      const item = last ? this.item : this.#items[row]!;
      text += `${text === '' ? '' : '.'}${tagText(elements.tagOf(element))}[${item}]`;
    }
    if (tag === null) return text;
    return `${text === '' ? '' : `${text}.`}${tagText(tag)}`;
  }

  #save(): void {
    const row = this.#count;
    this.#kinds[row] = this.kind;
    this.#ends[row] = this.end;
    this.#undefineds[row] = this.isUndefined ? 1 : 0;
    this.#explicits[row] = this.explicitVR ? 1 : 0;
    this.#littles[row] = this.littleEndian ? 1 : 0;
    this.#previousTags[row] = this.previousTag;
    this.#depths[row] = this.depth;
    this.#elements[row] = this.element;
    this.#parents[row] = this.parent;
    this.#items[row] = this.item;
    this.#count = row + 1;
  }
}
