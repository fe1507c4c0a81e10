/** Growing columns. They double, so that no declared number ever decides how much is allocated. */
import { spanKinds, type ElementTable, type SpanKind, type SpanTable } from './contract.ts';

const rowsAtFirst = 256;

/** Number of a span kind, for the columns. */
export const kindOf = Object.fromEntries(spanKinds.map((kind, index) => [kind, index])) as Readonly<Record<SpanKind, number>>;

export class SpanColumns {
  count = 0;
  #offsets = new Float64Array(rowsAtFirst);
  #lengths = new Float64Array(rowsAtFirst);
  #kinds = new Uint8Array(rowsAtFirst);
  #tags = new Uint32Array(rowsAtFirst);
  #depths = new Uint8Array(rowsAtFirst);

  /** A span of no bytes is none. */
  add(offset: number, length: number, kind: number, tag: number, depth: number): void {
    if (length === 0) return;
    const row = this.count;
    if (row === this.#offsets.length) this.#grow();
    this.#offsets[row] = offset;
    this.#lengths[row] = length;
    this.#kinds[row] = kind;
    this.#tags[row] = tag;
    this.#depths[row] = depth;
    this.count = row + 1;
  }

  table(): SpanTable {
    const { count } = this;
    return { count, offsets: this.#offsets.subarray(0, count), lengths: this.#lengths.subarray(0, count), kinds: this.#kinds.subarray(0, count), tags: this.#tags.subarray(0, count), depths: this.#depths.subarray(0, count) };
  }

  #grow(): void {
    const rows = this.#offsets.length * 2;
    this.#offsets = grown(this.#offsets, new Float64Array(rows));
    this.#lengths = grown(this.#lengths, new Float64Array(rows));
    this.#kinds = grown(this.#kinds, new Uint8Array(rows));
    this.#tags = grown(this.#tags, new Uint32Array(rows));
    this.#depths = grown(this.#depths, new Uint8Array(rows));
  }
}

export class ElementColumns {
  count = 0;
  #tags = new Uint32Array(rowsAtFirst);
  #vrs = new Uint16Array(rowsAtFirst);
  #headerOffsets = new Float64Array(rowsAtFirst);
  #valueOffsets = new Float64Array(rowsAtFirst);
  #valueLengths = new Float64Array(rowsAtFirst);
  #depths = new Uint8Array(rowsAtFirst);
  #parents = new Int32Array(rowsAtFirst);
  #items = new Uint32Array(rowsAtFirst);

  /** Returns the index of the new element. */
  add(tag: number, vr: number, headerOffset: number, valueOffset: number, valueLength: number, depth: number, parent: number, item: number): number {
    const row = this.count;
    if (row === this.#tags.length) this.#grow();
    this.#tags[row] = tag;
    this.#vrs[row] = vr;
    this.#headerOffsets[row] = headerOffset;
    this.#valueOffsets[row] = valueOffset;
    this.#valueLengths[row] = valueLength;
    this.#depths[row] = depth;
    this.#parents[row] = parent;
    this.#items[row] = item;
    this.count = row + 1;
    return row;
  }

  tagOf(row: number): number {
    return this.#tags[row] ?? 0;
  }

  valueOffsetOf(row: number): number {
    return this.#valueOffsets[row] ?? 0;
  }

  /** For an undefined length, once it is known what it was. */
  setValueEnd(row: number, end: number): void {
    this.#valueLengths[row] = end - (this.#valueOffsets[row] ?? 0);
  }

  table(): ElementTable {
    const { count } = this;
    return {
      count,
      tags: this.#tags.subarray(0, count),
      vrs: this.#vrs.subarray(0, count),
      headerOffsets: this.#headerOffsets.subarray(0, count),
      valueOffsets: this.#valueOffsets.subarray(0, count),
      valueLengths: this.#valueLengths.subarray(0, count),
      depths: this.#depths.subarray(0, count),
      parents: this.#parents.subarray(0, count),
      items: this.#items.subarray(0, count),
    };
  }

  #grow(): void {
    const rows = this.#tags.length * 2;
    this.#tags = grown(this.#tags, new Uint32Array(rows));
    this.#vrs = grown(this.#vrs, new Uint16Array(rows));
    this.#headerOffsets = grown(this.#headerOffsets, new Float64Array(rows));
    this.#valueOffsets = grown(this.#valueOffsets, new Float64Array(rows));
    this.#valueLengths = grown(this.#valueLengths, new Float64Array(rows));
    this.#depths = grown(this.#depths, new Uint8Array(rows));
    this.#parents = grown(this.#parents, new Int32Array(rows));
    this.#items = grown(this.#items, new Uint32Array(rows));
  }
}

function grown<Column extends { set(from: Column): void }>(column: Column, larger: Column): Column {
  larger.set(column);
  return larger;
}
