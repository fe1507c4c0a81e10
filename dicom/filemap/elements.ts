/**
 * The reader of a Data Set: one loop, no recursion. Each step either moves forward by at least one header or closes a container,
 * so it ends; each length is checked against the container it is in before it is used; nothing is allocated from one.
 */
import { attributeOf, vrSetIndex, vrSets } from '../dictionary/dictionary.ts';
import { vrByCode, vrIndexByNumber, vrNumber, vrs } from '../dataset/vrs.ts';
import { kindOf, type ElementColumns, type SpanColumns } from './columns.ts';
import type { ByteSource } from './contract.ts';
import { Frames, frameKinds } from './frames.ts';
import type { ReaderLimits } from './limits.ts';
import type { ProblemCode, ProblemList } from './problems.ts';
import { Window } from './window.ts';

/** How the elements of a Data Set are encoded. */
export interface Encoding {
  readonly explicitVR: boolean;
  readonly littleEndian: boolean;
}

/** Fragments of top-level Pixel Data as found. */
export interface FoundFragments {
  readonly offsets: number[];
  readonly lengths: number[];
  basicOffsetTable: readonly [offset: number, length: number];
}

const undefinedLength = 0xffffffff;
const itemTag = 0xfffee000;
const itemDelimitationTag = 0xfffee00d;
const sequenceDelimitationTag = 0xfffee0dd;
const paddingTag = 0xfffcfffc;
const pixelDataTag = 0x7fe00010;
/** From here on it is cheaper to fetch the next header by itself than everything up to it. */
const longFragmentBytes = 4096;

/** Columns of the VR table by 1 + index, for the hot path. */
const vrNumbers = new Uint16Array([vrNumber('UN'), ...vrs.map((vr) => vrNumber(vr.code))]);
const vrLongLengths = new Uint8Array([0, ...vrs.map((vr) => (vr.longLength ? 1 : 0))]);
const vrUnits = new Uint8Array([0, ...vrs.map((vr) => vr.unitBytes)]);
const vrBytesKind = new Uint8Array([0, ...vrs.map((vr) => (vr.kind === 'bytes' ? 1 : 0))]);
const SQ = vrIndexByNumber[vrNumber('SQ')] ?? 0;
const UN = vrIndexByNumber[vrNumber('UN')] ?? 0;
const LO = vrIndexByNumber[vrNumber('LO')] ?? 0;
const UL = vrIndexByNumber[vrNumber('UL')] ?? 0;
const US = vrIndexByNumber[vrNumber('US')] ?? 0;
const SS = vrIndexByNumber[vrNumber('SS')] ?? 0;

export class ElementReader {
  readonly #window: Window;
  readonly #spans: SpanColumns;
  readonly #elements: ElementColumns;
  readonly #problems: ProblemList;
  readonly #limits: ReaderLimits;
  /** What the Transfer Syntax says of Pixel Data; null where none is known. */
  readonly #encapsulated: boolean | null;
  readonly #frames: Frames;
  readonly #length: number;
  #position: number;
  #items = 0;
  #nonZeroAt = -1;
  /** Length of the last fragment. */
  #fragmentLength = 0;
  /** Pixel Representation (0028,0103) says signed: what "US or SS" is in Implicit VR. */
  #signed = false;
  #stopped = false;
  /** First byte after the last element: Data Set Trailing Padding and what follows is not part of the Data Set. */
  dataSetEnd: number;
  fragments: FoundFragments | null = null;
  pixelData = -1;

  constructor(source: ByteSource, start: number, encoding: Encoding, encapsulated: boolean | null, spans: SpanColumns, elements: ElementColumns, problems: ProblemList, limits: ReaderLimits) {
    this.#window = new Window(source);
    this.#length = source.length;
    this.#position = start;
    this.dataSetEnd = start;
    this.#encapsulated = encapsulated;
    this.#spans = spans;
    this.#elements = elements;
    this.#problems = problems;
    this.#limits = limits;
    this.#frames = new Frames(limits.depthMax, source.length, encoding);
  }

  /** Reads to the end of the source, or to the first problem that stops it; every byte from the start on has a span afterwards. */
  run(): void {
    const frames = this.#frames;
    while (!this.#stopped && frames.open) {
      if (this.#position >= frames.end) this.#closeAtEnd();
      else if (frames.kind === frameKinds.sequence) this.#readItem();
      else if (frames.kind === frameKinds.fragments) this.#readFragment();
      else this.#readElement();
    }
    if (this.#stopped) {
      // What is open ends here, whatever was declared: the rest is explained by nothing.
      while (frames.open) {
        if (frames.kind === frameKinds.sequence || frames.kind === frameKinds.fragments) this.#elements.setValueEnd(frames.element, this.#position);
        this.#close();
      }
      this.#spans.add(this.#position, this.#length - this.#position, kindOf.unexplained, 0, 0);
    }
  }

  #readElement(): void {
    const frames = this.#frames;
    const position = this.#position;
    const remaining = frames.end - position;
    if (remaining < 8) return this.#endOrStop('header-truncated', null, remaining);
    let index = this.#window.at(position, remaining < 12 ? 8 : 12);
    const bytes = this.#window.bytes;
    const tag = frames.littleEndian
      ? (((bytes[index + 1]! << 24) | (bytes[index]! << 16) | (bytes[index + 3]! << 8) | bytes[index + 2]!) >>> 0)
      : (((bytes[index]! << 24) | (bytes[index + 1]! << 16) | (bytes[index + 2]! << 8) | bytes[index + 3]!) >>> 0);
    const group = tag >>> 16;
    if (group === 0xfffe) return this.#readDelimiter(tag);

    const previousTag = frames.previousTag;
    let vr: number;
    let header = 8;
    let length: number;
    let problem = 0;
    if (frames.explicitVR) {
      vr = vrIndexByNumber[(bytes[index + 4]! << 8) | bytes[index + 5]!]!;
      if (vr === 0) {
        if (!this.#looksLikeNewVR(bytes, index, tag)) return this.#endOrStop('vr-unknown', tag, 8);
        this.#problem('vr-unknown', position, 8, tag);
        vr = UN;
        header = 12;
      } else if (vrLongLengths[vr] === 1) header = 12;
      if (header === 12) {
        if (remaining < 12) return this.#endOrStop('header-truncated', tag, remaining);
        if (bytes[index + 6] !== 0 || bytes[index + 7] !== 0) problem = 1;
        index += 8;
        length = frames.littleEndian
          ? ((bytes[index + 3]! << 24) | (bytes[index + 2]! << 16) | (bytes[index + 1]! << 8) | bytes[index]!) >>> 0
          : ((bytes[index]! << 24) | (bytes[index + 1]! << 16) | (bytes[index + 2]! << 8) | bytes[index + 3]!) >>> 0;
      } else length = frames.littleEndian ? (bytes[index + 7]! << 8) | bytes[index + 6]! : (bytes[index + 6]! << 8) | bytes[index + 7]!;
    } else {
      length = frames.littleEndian
        ? ((bytes[index + 7]! << 24) | (bytes[index + 6]! << 16) | (bytes[index + 5]! << 8) | bytes[index + 4]!) >>> 0
        : ((bytes[index + 4]! << 24) | (bytes[index + 5]! << 16) | (bytes[index + 6]! << 8) | bytes[index + 7]!) >>> 0;
      vr = this.#impliedVR(tag, group);
    }

    if (tag <= previousTag && this.#isTrailing(tag, length === undefinedLength ? 0 : length, remaining - header)) return this.#trail();
    if (length !== undefinedLength && length > remaining - header) return this.#endOrStop('length-exceeds-container', tag, header, `${length} bytes are declared, ${remaining - header} are there`);
    if (tag === paddingTag && frames.depth === 0) return this.#readPadding(header, length);
    if (this.#elements.count >= this.#limits.elementsMax) return this.#stop('element-limit', tag, header, `more than ${this.#limits.elementsMax}`);

    if (problem === 1) this.#problem('reserved-not-zero', position, header, tag);
    if (tag <= previousTag) this.#problem(tag === previousTag ? 'tag-duplicate' : 'tag-unordered', position, header, tag);
    frames.previousTag = tag;
    if ((group & 1) === 1 || group <= 0x0002 || (tag & 0xffff) === 0 || group >= 0xfffc) this.#checkUnusualTag(tag, group, vr, length, header);
    else if (frames.explicitVR && vr !== UN) {
      const set = vrSetIndex(tag);
      if (set === 0 || vrSets[set]![vr] === 0) this.#checkVR(tag, vr, set, header);
    }
    if (length === undefinedLength || vr === SQ) return this.#openContainer(tag, vr, header, length);

    if ((length & 1) === 1) this.#problem('length-odd', position, header, tag, `${length} bytes`);
    else if (vrUnits[vr]! > 2 && length % vrUnits[vr]! !== 0) this.#problem('length-not-a-multiple', position, header, tag, `${length} bytes, ${vrUnits[vr]} each`);
    const { depth } = frames;
    this.#spans.add(position, header, kindOf.header, tag, depth);
    let kind = kindOf.value;
    if ((group & 1) === 1) kind = kindOf.private;
    else if (group === 0x7fe0 && depth === 0 && isPixelTag(tag)) {
      kind = kindOf.pixels;
      this.pixelData = this.#elements.count;
      if (this.#encapsulated === true && tag === pixelDataTag) this.#problem('pixels-not-encapsulated', position, header, tag);
    } else if (vrBytesKind[vr] === 1) kind = kindOf.bulk;
    else if (tag === 0x00280103 && length === 2) this.#signed = this.#readByte(position + header + (frames.littleEndian ? 0 : 1)) === 1;
    this.#spans.add(position + header, length, kind, tag, depth);
    this.#elements.add(tag, vrNumbers[vr]!, position, position + header, length, depth, frames.parent, frames.item);
    this.#advance(position + header + length);
  }

  /** The VR that Implicit VR implies (PS3.5 A.1), as 1 + index. */
  #impliedVR(tag: number, group: number): number {
    if ((group & 1) === 1) {
      const element = tag & 0xffff;
      if (element >= 0x10 && element <= 0xff) return LO;
      return element === 0 ? UL : UN;
    }
    const set = vrSets[vrSetIndex(tag)]!;
    const vr = set[0]!;
    if (vr === US && this.#signed && set[SS] === 1) return SS;
    return vr === 0 ? UN : vr;
  }

  /** A VR that a later edition may add is two capital letters with a 32 bit length (PS3.5 §6.2, note): so the reader can go on after the fault. */
  #looksLikeNewVR(bytes: Uint8Array, index: number, tag: number): boolean {
    const remaining = this.#frames.end - this.#position;
    if (remaining < 12 || tag <= this.#frames.previousTag) return false;
    for (const letter of [bytes[index + 4]!, bytes[index + 5]!]) if (letter < 0x41 || letter > 0x5a) return false;
    if (bytes[index + 6] !== 0 || bytes[index + 7] !== 0) return false;
    const length = this.#frames.littleEndian
      ? ((bytes[index + 11]! << 24) | (bytes[index + 10]! << 16) | (bytes[index + 9]! << 8) | bytes[index + 8]!) >>> 0
      : ((bytes[index + 8]! << 24) | (bytes[index + 9]! << 16) | (bytes[index + 10]! << 8) | bytes[index + 11]!) >>> 0;
    return length <= remaining - 12;
  }

  /** Tags that are not plain public ones: private, group lengths, groups that must not be here. */
  #checkUnusualTag(tag: number, group: number, vr: number, length: number, header: number): void {
    const position = this.#position;
    const element = tag & 0xffff;
    if (element === 0) {
      if (length !== 4) this.#problem('group-length-not-four-bytes', position, header, tag, length === undefinedLength ? 'its length is undefined' : `${length} bytes`);
      if (vr !== UL && vr !== UN) this.#problem('vr-mismatch', position, header, tag, `${codeOf(vr)} instead of UL`);
    }
    // PS3.5 §7.1: groups 0001, 0003, 0005, 0007 and FFFF must not be used; group 0000 is for command sets, 0002 for the File Meta Information.
    if (group === 0x0002) return this.#problem('group-2-in-data-set', position, header, tag);
    if (group === 0x0000 || (group <= 0x0007 && (group & 1) === 1) || group === 0xffff) return this.#problem('group-forbidden', position, header, tag);
    if (tag === paddingTag) return this.#problem('padding-misplaced', position, header, tag);
    if ((group & 1) === 0) {
      const set = vrSetIndex(tag);
      if (this.#frames.explicitVR && vr !== UN && element !== 0 && (set === 0 || vrSets[set]![vr] === 0)) this.#checkVR(tag, vr, set, header);
      return;
    }
    // PS3.5 §7.8.1: (gggg,0010-00FF) are Private Creators, each of which reserves (gggg,xx00-xxFF); (gggg,0001-000F) and (gggg,0100-0FFF) are not to be used.
    if (element === 0) return;
    if (element >= 0x10 && element <= 0xff) this.#frames.reserve(group, element);
    else if (element < 0x1000) this.#problem('private-element-reserved', position, header, tag);
    else if (!this.#frames.isReserved(group, element >>> 8)) this.#problem('private-creator-missing', position, header, tag);
  }

  #checkVR(tag: number, vr: number, set: number, header: number): void {
    if (set === 0) return this.#problem('tag-unknown', this.#position, header, tag);
    const found = vrs[vr - 1]!;
    const permitted = attributeOf(tag)?.vrs ?? ['UL'];
    const sameKind = permitted.some((code) => {
      const other = vrByCode.get(code);
      return other !== undefined && other.kind === found.kind && (found.kind !== 'number' || other.unitBytes === found.unitBytes);
    });
    this.#problem(sameKind ? 'vr-other' : 'vr-mismatch', this.#position, header, tag, `${found.code} instead of ${permitted.join(' or ')}`);
  }

  /** SQ, or a length that is undefined (PS3.5 §7.5, §6.2.2 for UN, A.4 for Pixel Data). */
  #openContainer(tag: number, vr: number, header: number, length: number): void {
    const frames = this.#frames;
    const position = this.#position;
    const { depth } = frames;
    const isUndefined = length === undefinedLength;
    let fragments = false;
    if (isUndefined && vr !== SQ) {
      if (tag === pixelDataTag) {
        fragments = true;
        if (!frames.explicitVR || vrBytesKind[vr] !== 1 || vr === UN) this.#problem('length-undefined', position, header, tag);
        else if (this.#encapsulated === false) this.#problem('pixels-encapsulated', position, header, tag);
      } else if (vr !== UN) {
        this.#problem('length-undefined', position, header, tag);
        fragments = frames.explicitVR;
      }
    }
    if (!fragments && depth >= this.#limits.depthMax) return this.#stop('depth-limit', tag, header, `more than ${this.#limits.depthMax} levels`);
    this.#spans.add(position, header, kindOf.header, tag, depth);
    const element = this.#elements.add(tag, vrNumbers[vr]!, position, position + header, isUndefined ? 0 : length, depth, frames.parent, frames.item);
    const end = isUndefined ? frames.end : position + header + length;
    this.#position = position + header;
    if (depth === 0 && isPixelTag(tag)) this.pixelData = element;
    if (fragments) {
      if (depth === 0 && tag === pixelDataTag) this.fragments = { offsets: [], lengths: [], basicOffsetTable: [this.#position, 0] };
      frames.push(frameKinds.fragments, end, isUndefined, element, depth, frames.explicitVR, frames.littleEndian);
    } else {
      // CP-246: the value of UN with undefined length is Implicit VR Little Endian, whatever the rest is.
      const implicit = vr === UN || !frames.explicitVR;
      frames.push(frameKinds.sequence, end, isUndefined, element, depth, !implicit, vr === UN && frames.explicitVR ? true : frames.littleEndian);
    }
  }

  /** The header of an Item in a sequence, or the end of the sequence (PS3.5 §7.5.1). */
  #readItem(): void {
    const frames = this.#frames;
    const position = this.#position;
    const remaining = frames.end - position;
    const sequenceTag = this.#elements.tagOf(frames.element);
    if (remaining < 8) return this.#stop('header-truncated', sequenceTag, remaining);
    const tag = this.#tagAt(position);
    const length = this.#longAt(position + 4);
    if (tag === itemTag) {
      if (length !== undefinedLength && length > remaining - 8) return this.#stop('length-exceeds-container', sequenceTag, 8, `an Item of ${length} bytes is declared, ${remaining - 8} are there`);
      if (!this.#countItem(sequenceTag)) return;
      this.#spans.add(position, 8, kindOf.item, sequenceTag, frames.depth);
      this.#position = position + 8;
      const isUndefined = length === undefinedLength;
      frames.pushItem(isUndefined ? frames.end : position + 8 + length, isUndefined);
      return;
    }
    if (tag === sequenceDelimitationTag) {
      if (length !== 0) this.#problem('delimiter-length', position, 8, sequenceTag, `${length}`);
      if (!frames.isUndefined) {
        if (!this.#countItem(sequenceTag)) return;
        this.#problem('delimiter-stray', position, 8, sequenceTag);
      }
      this.#spans.add(position, 8, kindOf.item, sequenceTag, frames.depth);
      if (frames.isUndefined) this.#close();
      this.#advance(position + 8);
      return;
    }
    if (tag === itemDelimitationTag) {
      if (!this.#countItem(sequenceTag)) return;
      this.#problem('delimiter-stray', position, 8, sequenceTag);
      this.#spans.add(position, 8, kindOf.item, sequenceTag, frames.depth);
      this.#advance(position + 8);
      return;
    }
    if (!frames.isUndefined) return this.#stop('item-expected', sequenceTag, 8);
    this.#problem('sequence-delimiter-missing', position, 0, sequenceTag);
    this.#close();
  }

  /** A tag of group FFFE where an element may be (PS3.5 §7.5.2). */
  #readDelimiter(tag: number): void {
    const frames = this.#frames;
    const position = this.#position;
    const openItem = frames.kind === frameKinds.item && frames.isUndefined;
    if (openItem && (tag === itemTag || tag === sequenceDelimitationTag)) {
      this.#problem('item-delimiter-missing', position, 0, null);
      this.#close();
      return;
    }
    if (tag !== itemDelimitationTag && tag !== sequenceDelimitationTag) return this.#endOrStop(tag === itemTag ? 'item-stray' : 'item-expected', tag, 8);
    if (this.#longAt(position + 4) !== 0) this.#problem('delimiter-length', position, 8, tag);
    const ends = openItem && tag === itemDelimitationTag;
    // Stray ones count as Items do: nothing else bounds them.
    if (!ends && !this.#countItem(tag)) return;
    this.#spans.add(position, 8, kindOf.item, ends ? this.#elements.tagOf(frames.element) : tag, ends ? frames.depth - 1 : frames.depth);
    if (ends) this.#close();
    else this.#problem('delimiter-stray', position, 8, tag);
    this.#advance(position + 8);
  }

  /** The header and value of a fragment, or the end of them (PS3.5 A.4). Lengths alone say where a fragment ends, never a pattern in its bytes. */
  #readFragment(): void {
    const frames = this.#frames;
    const position = this.#position;
    const remaining = frames.end - position;
    const pixelTag = this.#elements.tagOf(frames.element);
    const { depth } = frames;
    if (remaining < 8) return this.#stop('header-truncated', pixelTag, remaining);
    // Where fragments are long, only their headers are fetched: Pixel Data is not read.
    if (this.#fragmentLength >= longFragmentBytes) this.#window.at(position, 8, 8);
    const tag = this.#tagAt(position);
    const length = this.#longAt(position + 4);
    if (tag === itemTag) {
      this.#fragmentLength = length;
      if (length === undefinedLength) return this.#stop('fragment-malformed', pixelTag, 8, 'its length is undefined');
      if (length > remaining - 8) return this.#stop('length-exceeds-container', pixelTag, 8, `a fragment of ${length} bytes is declared, ${remaining - 8} are there`);
      if (!this.#countItem(pixelTag)) return;
      if ((length & 1) === 1) this.#problem('length-odd', position, 8, pixelTag, `a fragment of ${length} bytes`);
      const isOffsetTable = frames.nextItem() === 0;
      this.#spans.add(position, 8, kindOf.item, pixelTag, depth);
      this.#spans.add(position + 8, length, isOffsetTable ? kindOf['offset-table'] : kindOf.fragment, pixelTag, depth);
      const found = this.fragments;
      if (found !== null && frames.element === this.pixelData) {
        if (isOffsetTable) found.basicOffsetTable = [position + 8, length];
        else {
          found.offsets.push(position + 8);
          found.lengths.push(length);
        }
      }
      this.#advance(position + 8 + length);
      return;
    }
    if (tag === sequenceDelimitationTag) {
      if (length !== 0) this.#problem('delimiter-length', position, 8, pixelTag, `${length}`);
      this.#spans.add(position, 8, kindOf.item, pixelTag, depth);
      this.#close();
      this.#advance(position + 8);
      return;
    }
    this.#problem('sequence-delimiter-missing', position, 0, pixelTag);
    this.#close();
  }

  /** Data Set Trailing Padding (PS3.10 §7.2), the last element; what follows it trails. */
  #readPadding(header: number, length: number): void {
    const position = this.#position;
    if (length === undefinedLength) return this.#stop('length-undefined', paddingTag, header);
    if ((length & 1) === 1) this.#problem('length-odd', position, header, paddingTag, `${length} bytes`);
    if (this.#window.firstNonZero(position + header, length) < position + header + length) this.#problem('padding-used', position + header, length, paddingTag);
    this.#spans.add(position, header + length, kindOf.padding, paddingTag, 0);
    this.#position = position + header + length;
    this.#frames.previousTag = paddingTag;
    if (this.#position < this.#length) this.#trail();
  }

  /**
   * Whether a top-level header that is not above the last tag is no element but the beginning of what someone appended.
   * Only after Pixel Data (nothing of the standard's follows it but padding and signatures) or where all the rest is zero: elsewhere it may be a
   * damaged element, and bytes of a Data Set are never taken for trailing ones, because those are cut off.
   */
  #isTrailing(tag: number, length: number, room: number): boolean {
    const frames = this.#frames;
    if (frames.depth !== 0 || frames.previousTag < 0) return false;
    if (frames.previousTag >= 0x7fe00008 && (!frames.explicitVR || length > room || tag === 0)) return true;
    return tag === 0 && this.#isZeroToTheEnd();
  }

  /** Remembers where it is not, so that asking often costs one pass. */
  #isZeroToTheEnd(): boolean {
    if (this.#position > this.#nonZeroAt) this.#nonZeroAt = this.#window.firstNonZero(this.#position, this.#length - this.#position);
    return this.#nonZeroAt >= this.#length;
  }

  /** The header cannot be read: the end of the Data Set where trailing bytes may be, otherwise a fault that stops the reader. */
  #endOrStop(code: ProblemCode, tag: number | null, length: number, detail = ''): void {
    const frames = this.#frames;
    const mayTrail = frames.depth === 0 && frames.kind === frameKinds.dataSet && frames.previousTag >= 0;
    if (mayTrail && (frames.previousTag >= 0x7fe00008 ? code !== 'length-exceeds-container' || tag! <= frames.previousTag : this.#isZeroToTheEnd())) return this.#trail();
    this.#stop(code, tag, length, detail);
  }

  #trail(): void {
    const position = this.#position;
    const length = this.#length - position;
    this.#problem('trailing-bytes', position, length, null, `${length} bytes`);
    this.#spans.add(position, length, kindOf.trailing, 0, 0);
    this.#position = this.#length;
    this.#frames.pop();
  }

  #stop(code: ProblemCode, tag: number | null, length: number, detail = ''): void {
    this.#problem(code, this.#position, length, tag, detail);
    this.#stopped = true;
  }

  /** The innermost container ends here by its own length or by that of what contains it. */
  #closeAtEnd(): void {
    const frames = this.#frames;
    if (frames.isUndefined) this.#problem(frames.kind === frameKinds.item ? 'item-delimiter-missing' : 'sequence-delimiter-missing', this.#position, 0, this.#elements.tagOf(frames.element));
    this.#close();
  }

  #close(): void {
    const frames = this.#frames;
    if (frames.isUndefined && (frames.kind === frameKinds.sequence || frames.kind === frameKinds.fragments)) this.#elements.setValueEnd(frames.element, this.#position);
    frames.pop();
    if (frames.open && frames.depth === 0 && frames.kind === frameKinds.dataSet) this.dataSetEnd = this.#position;
  }

  #countItem(tag: number): boolean {
    this.#items += 1;
    if (this.#items <= this.#limits.itemsMax) return true;
    this.#stop('item-limit', tag, 8, `more than ${this.#limits.itemsMax}`);
    return false;
  }

  #advance(position: number): void {
    this.#position = position;
    if (this.#frames.kind === frameKinds.dataSet) this.dataSetEnd = position;
  }

  #problem(code: ProblemCode, offset: number, length: number, tag: number | null, detail = ''): void {
    this.#problems.add(code, offset, length, tag, () => this.#frames.path(this.#elements, tag), detail);
  }

  #readByte(offset: number): number {
    const index = this.#window.at(offset, 1);
    return this.#window.bytes[index]!;
  }

  #tagAt(offset: number): number {
    const index = this.#window.at(offset, 4);
    const { bytes } = this.#window;
    return this.#frames.littleEndian
      ? ((bytes[index + 1]! << 24) | (bytes[index]! << 16) | (bytes[index + 3]! << 8) | bytes[index + 2]!) >>> 0
      : ((bytes[index]! << 24) | (bytes[index + 1]! << 16) | (bytes[index + 2]! << 8) | bytes[index + 3]!) >>> 0;
  }

  #longAt(offset: number): number {
    const index = this.#window.at(offset, 4);
    const { bytes } = this.#window;
    return this.#frames.littleEndian
      ? ((bytes[index + 3]! << 24) | (bytes[index + 2]! << 16) | (bytes[index + 1]! << 8) | bytes[index]!) >>> 0
      : ((bytes[index]! << 24) | (bytes[index + 1]! << 16) | (bytes[index + 2]! << 8) | bytes[index + 3]!) >>> 0;
  }
}

/** Pixel Data, Float Pixel Data, Double Float Pixel Data (PS3.3 C.7.6.3, C.7.6.24, C.7.6.25). */
function isPixelTag(tag: number): boolean {
  return tag === pixelDataTag || tag === 0x7fe00008 || tag === 0x7fe00009;
}

function codeOf(vr: number): string {
  return vrs[vr - 1]?.code ?? 'none';
}
