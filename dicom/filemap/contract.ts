/**
 * The file map: every byte of an object carries exactly one label.
 *
 * This file holds only the shapes that other folders rely on. `mapObject` (map.ts) makes them.
 */

/**
 * Random access to the bytes of one object, without holding them all in memory.
 * Reads are synchronous: the reader runs in a process of its own that does nothing else.
 */
export interface ByteSource {
  /** Length of the object in bytes. */
  readonly length: number;
  /** All of them, where they are in memory anyway; valid as long as the source is. */
  readonly bytes?: Uint8Array | null;
  /**
   * The bytes `[offset, offset + length)`. The view is valid until the next call; copy what must live longer.
   * Throws RangeError when the range is not inside the object.
   */
  read(offset: number, length: number): Uint8Array;
}

/** What a byte is for. The order is the number stored in a SpanTable. */
export const spanKinds = [
  'preamble', // PS3.10 §7.1, the first 128 bytes
  'prefix', // "DICM"
  'meta', // an element of the File Meta Information: header and value
  'header', // tag, VR and length of an element of the Data Set
  'value', // value of an element of a public, non-bulk attribute
  'private', // value of a private element
  'pixels', // native Pixel Data, Float Pixel Data, Double Float Pixel Data
  'bulk', // other public values of VR OB, OW, OD, OF, OL, OV, UN
  'item', // header of an Item or of a fragment, or an Item Delimitation Item or a Sequence Delimitation Item
  'offset-table', // Basic Offset Table (its value)
  'fragment', // value of one fragment of encapsulated Pixel Data
  'padding', // Data Set Trailing Padding (FFFC,FFFC), header and value; a pad byte that belongs to no value
  'deflated', // the deflate stream of a deflated Data Set
  'trailing', // bytes after the last element
  'unexplained', // bytes that nothing accounts for, from the first problem that stops the reader to the end
] as const;
export type SpanKind = (typeof spanKinds)[number];

/**
 * The spans of an object as columns, sorted by offset; no gap, no overlap, the lengths sum to the length of the object.
 * Columns and not objects, because an element-dense object has hundreds of thousands of them.
 */
export interface SpanTable {
  readonly count: number;
  readonly offsets: Float64Array;
  readonly lengths: Float64Array;
  /** Index into `spanKinds`. */
  readonly kinds: Uint8Array;
  /** Tag of the element that the span belongs to, (group << 16 | element) >>> 0, or 0 outside elements. */
  readonly tags: Uint32Array;
  /** Nesting depth: 0 for the top level of the Data Set. */
  readonly depths: Uint8Array;
}

/** Something about the encoding that is not as the standard says. `code` is from the closed list in problems.ts. */
export interface Problem {
  readonly code: string;
  readonly offset: number;
  readonly length: number;
  /** "(gggg,eeee)" or "" outside elements. */
  readonly tag: string;
  /** Path from the top of the Data Set, such as "(0008,1140)[0].(0008,1155)"; "" outside elements. */
  readonly path: string;
  /** One sentence for a person: what was wrong, with the numbers. Never contains raw bytes of the object. */
  readonly text: string;
}

/**
 * All elements of the File Meta Information and the Data Set, in the order of their bytes, as columns.
 * Offsets are into `MappedObject.dataSetSource` for elements of the Data Set and into the object for those of group 2.
 */
export interface ElementTable {
  readonly count: number;
  /** (group << 16 | element) >>> 0 */
  readonly tags: Uint32Array;
  /** Two ASCII letters as (first << 8 | second): the VR in the object, or for Implicit VR the dictionary's ('UN' where it has none). */
  readonly vrs: Uint16Array;
  readonly headerOffsets: Float64Array;
  readonly valueOffsets: Float64Array;
  /** Length of the value in bytes; for undefined length what it turned out to be, delimitation item excluded. */
  readonly valueLengths: Float64Array;
  /** 0 for the top level. */
  readonly depths: Uint8Array;
  /** Index of the SQ element that holds this one, or -1 at the top level. */
  readonly parents: Int32Array;
  /** Index of the Item within that sequence, from 0. */
  readonly items: Uint32Array;
}

export interface FileMeta {
  readonly mediaStorageSOPClassUID: string;
  readonly mediaStorageSOPInstanceUID: string;
  readonly transferSyntaxUID: string;
  readonly implementationClassUID: string;
  readonly sourceApplicationEntityTitle: string;
}

/** Everything that reading one object yields. Also made, as far as it went, when `problems` is not empty. */
export interface MappedObject {
  /** The object itself. */
  readonly source: ByteSource;
  readonly spans: SpanTable;
  readonly elements: ElementTable;
  readonly problems: readonly Problem[];
  /** 128 bytes and DICM are there. */
  readonly hasPreamble: boolean;
  /** null when there is no File Meta Information. */
  readonly meta: FileMeta | null;
  /** "" where none is declared; the encoding is then guessed and a problem says so. */
  readonly transferSyntaxUID: string;
  /** Where the elements' offsets point: the object itself, or the inflated Data Set of a deflated one. */
  readonly dataSetSource: ByteSource;
  /** How the Data Set is really encoded, which is not what the Transfer Syntax says where a problem says so. Absent where nothing could be read. */
  readonly encoding?: { readonly explicitVR: boolean; readonly littleEndian: boolean };
  /** Byte range of the Data Set in the object: from after group 2 to the end of its last element (FFFC,FFFC and trailing bytes are outside). For deflated ones, the deflate stream. */
  readonly dataSetOffset: number;
  readonly dataSetLength: number;
  /** Spans of `dataSetSource` where that is not the object itself (an inflated Data Set): the same invariant holds for them and its length. */
  readonly dataSetSpans?: SpanTable;
  /** Encapsulated Pixel Data, or null: the fragments in order (offset and length of the value, in dataSetSource), and the Basic Offset Table's value range. */
  readonly fragments: { readonly offsets: Float64Array; readonly lengths: Float64Array; readonly basicOffsetTable: readonly [offset: number, length: number] } | null;
  /** Index in `elements` of Pixel Data (7FE0,0010), (7FE0,0008) or (7FE0,0009) at the top level, or -1. */
  readonly pixelData: number;
}

/** What a pure reader cannot do by itself. */
export interface ReaderTools {
  /**
   * Inflates raw deflate data (RFC 1951). Stops with `limit` when the output would pass `outputBytesMax`.
   * `consumed` is how many input bytes the stream took: what follows them is accounted for separately.
   */
  inflateRaw(source: ByteSource, offset: number, length: number, outputBytesMax: number): { readonly output: ByteSource; readonly consumed: number; readonly ended: 'complete' | 'truncated' | 'invalid' | 'limit' };
}
