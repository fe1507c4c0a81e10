/** Growing columns. What they hold and what was read decides how much is allocated, never a declared number. */
import { spanKinds, type ElementTable, type SpanKind, type SpanTable } from './contract.ts';

const rowsAtFirst = 256;
/** Memory of so many rows is kept for the next object: some 9 and 8 MB, enough for 4 MB of nothing but short elements. */
const spanRowsKept = 400_000;
const elementRowsKept = 200_000;

/** Number of a span kind, for the columns. */
export const kindOf = Object.fromEntries(spanKinds.map((kind, index) => [kind, index])) as Readonly<Record<SpanKind, number>>;

/**
 * How many rows the next columns have. Objects are dense evenly, mostly, so what the bytes read so far took says what the rest will: one growth then
 * suffices instead of a dozen. It is bounded on both sides, so that a dense beginning before a gibibyte of pixels asks for little, and many
 * small steps never add up: between a quarter more and eight times as many.
 */
function rowsNext(rows: number, bytesRead: number, bytesInAll: number): number {
  const likely = bytesRead > 0 && bytesInAll > bytesRead ? Math.ceil((rows * bytesInAll * rowsMargin) / bytesRead) : rows * 2;
  return 8 * Math.ceil(Math.min(rows * 8, Math.max(rows * 1.25, likely)) / 8);
}

/** Over what even density would take. */
const rowsMargin = 1.08;

/** Bytes that one row takes in the columns below: all columns of one table lie in one buffer, widest first so that each is aligned. */
const spanRowBytes = 8 + 8 + 4 + 1 + 1;
const elementRowBytes = 8 + 8 + 8 + 4 + 4 + 4 + 2 + 1;

export class SpanColumns {
  count = 0;
  /** Length of what the offsets point into. */
  #bytesInAll: number;
  #rows = 0;
  #offsets = new Float64Array(0);
  #lengths = new Float64Array(0);
  #tags = new Uint32Array(0);
  #kinds = new Uint8Array(0);
  #depths = new Uint8Array(0);

  constructor(bytesInAll = 0) {
    this.#bytesInAll = bytesInAll;
    this.#resize(rowsAtFirst);
  }

  /** Empty again, for an object of this length. Tables made before hold what comes now. */
  begin(bytesInAll: number): void {
    this.count = 0;
    this.#bytesInAll = bytesInAll;
    if (this.#rows > spanRowsKept) this.#resize(rowsAtFirst);
  }

  /** A span of no bytes is none. */
  add(offset: number, length: number, kind: number, tag: number, depth: number): void {
    if (length === 0) return;
    const row = this.count;
    if (row === this.#rows) this.#resize(rowsNext(row, offset, this.#bytesInAll));
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

  #resize(rows: number): void {
    const buffer = new ArrayBuffer(rows * spanRowBytes);
    this.#offsets = moved(this.count, this.#offsets, new Float64Array(buffer, 0, rows));
    this.#lengths = moved(this.count, this.#lengths, new Float64Array(buffer, rows * 8, rows));
    this.#tags = moved(this.count, this.#tags, new Uint32Array(buffer, rows * 16, rows));
    this.#kinds = moved(this.count, this.#kinds, new Uint8Array(buffer, rows * 20, rows));
    this.#depths = moved(this.count, this.#depths, new Uint8Array(buffer, rows * 21, rows));
    this.#rows = rows;
  }
}

export class ElementColumns {
  count = 0;
  #bytesInAll: number;
  #rows = 0;
  #headerOffsets = new Float64Array(0);
  #valueOffsets = new Float64Array(0);
  #valueLengths = new Float64Array(0);
  #tags = new Uint32Array(0);
  #parents = new Int32Array(0);
  #items = new Uint32Array(0);
  #vrs = new Uint16Array(0);
  #depths = new Uint8Array(0);

  constructor(bytesInAll = 0) {
    this.#bytesInAll = bytesInAll;
    this.#resize(rowsAtFirst);
  }

  /** Empty again, for an object of this length. Tables made before hold what comes now. */
  begin(bytesInAll: number): void {
    this.count = 0;
    this.#bytesInAll = bytesInAll;
    if (this.#rows > elementRowsKept) this.#resize(rowsAtFirst);
  }

  /** From here on, offsets point into something of this length: an inflated Data Set. */
  expect(bytesInAll: number): void {
    this.#bytesInAll = bytesInAll;
  }

  /** Returns the index of the new element. */
  add(tag: number, vr: number, headerOffset: number, valueOffset: number, valueLength: number, depth: number, parent: number, item: number): number {
    const row = this.count;
    if (row === this.#rows) this.#resize(rowsNext(row, headerOffset, this.#bytesInAll));
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

  #resize(rows: number): void {
    const buffer = new ArrayBuffer(rows * elementRowBytes);
    this.#headerOffsets = moved(this.count, this.#headerOffsets, new Float64Array(buffer, 0, rows));
    this.#valueOffsets = moved(this.count, this.#valueOffsets, new Float64Array(buffer, rows * 8, rows));
    this.#valueLengths = moved(this.count, this.#valueLengths, new Float64Array(buffer, rows * 16, rows));
    this.#tags = moved(this.count, this.#tags, new Uint32Array(buffer, rows * 24, rows));
    this.#parents = moved(this.count, this.#parents, new Int32Array(buffer, rows * 28, rows));
    this.#items = moved(this.count, this.#items, new Uint32Array(buffer, rows * 32, rows));
    this.#vrs = moved(this.count, this.#vrs, new Uint16Array(buffer, rows * 36, rows));
    this.#depths = moved(this.count, this.#depths, new Uint8Array(buffer, rows * 38, rows));
    this.#rows = rows;
  }
}

function moved<Column extends { set(from: Column): void; subarray(from: number, to: number): Column }>(count: number, column: Column, larger: Column): Column {
  if (count > 0) larger.set(column.subarray(0, count));
  return larger;
}

/**
 * Memory for the tables of one object after the other: asking the system for new pages and filling them with zeros takes as long as reading an object that is
 * dense with elements. The tables of one object hold until the next one is read into the same room.
 */
export class MapRoom {
  readonly spans = new SpanColumns();
  readonly elements = new ElementColumns();

  begin(bytesInAll: number): void {
    this.spans.begin(bytesInAll);
    this.elements.begin(bytesInAll);
  }
}
