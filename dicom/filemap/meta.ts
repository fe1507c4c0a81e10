/** The File Preamble, the DICM prefix and the File Meta Information (PS3.10 §7.1). */
import { vrSetIndex, vrSets } from '../dictionary/dictionary.ts';
import { vrIndexByNumber, vrNumber, vrs } from '../dataset/vrs.ts';
import { fileMetaOffset, preambleBytes } from '../fileset/part10.ts';
import { kindOf, type ElementColumns, type SpanColumns } from './columns.ts';
import type { FileMeta } from './contract.ts';
import type { ProblemList } from './problems.ts';
import type { Window } from './window.ts';

/** PS3.10 Table 7.1-1 has 22 elements, each at most once. */
const metaElementsMax = 64;
/** No value that is taken from here is longer: a UID has 64 characters, an AE Title 16. */
const metaTextBytesMax = 256;

const required = [0x00020001, 0x00020002, 0x00020003, 0x00020010, 0x00020012];

export interface PreambleAndMeta {
  readonly hasPreamble: boolean;
  readonly meta: FileMeta | null;
  /** Where the Data Set starts; -1 where the meta could not be read to its end, and then `end` is where it stopped. */
  readonly end: number;
  readonly stopped: boolean;
}

export function readPreambleAndMeta(window: Window, spans: SpanColumns, elements: ElementColumns, problems: ProblemList): PreambleAndMeta {
  const { length } = window.source;
  const hasPreamble = length >= fileMetaOffset && isPrefix(window);
  let start = 0;
  if (hasPreamble) {
    const used = window.firstNonZero(0, preambleBytes);
    if (used < preambleBytes) problems.add('preamble-used', used, preambleBytes - used, null, '');
    spans.add(0, preambleBytes, kindOf.preamble, 0, 0);
    spans.add(preambleBytes, 4, kindOf.prefix, 0, 0);
    start = fileMetaOffset;
  } else problems.add('preamble-missing', 0, 0, null, '');
  const reader = new MetaReader(window, start, spans, elements, problems);
  reader.run();
  return { hasPreamble, meta: reader.meta(), end: reader.position, stopped: reader.stopped };
}

function isPrefix(window: Window): boolean {
  const index = window.at(preambleBytes, 4);
  const { bytes } = window;
  return bytes[index] === 0x44 && bytes[index + 1] === 0x49 && bytes[index + 2] === 0x43 && bytes[index + 3] === 0x4d;
}

class MetaReader {
  position: number;
  stopped = false;
  readonly #window: Window;
  readonly #start: number;
  readonly #spans: SpanColumns;
  readonly #elements: ElementColumns;
  readonly #problems: ProblemList;
  readonly #texts = new Map<number, string>();
  readonly #seen = new Set<number>();
  #groupLengthEnd = -1;

  constructor(window: Window, start: number, spans: SpanColumns, elements: ElementColumns, problems: ProblemList) {
    this.#window = window;
    this.#start = start;
    this.position = start;
    this.#spans = spans;
    this.#elements = elements;
    this.#problems = problems;
  }

  /** The tags say where the group ends; the group length is only compared. */
  run(): void {
    const { length } = this.#window.source;
    const explicitVR = this.#isExplicit();
    let previousTag = -1;
    while (!this.stopped && this.position < length) {
      const remaining = length - this.position;
      if (remaining < 8) break;
      const view = this.#view(this.position, Math.min(12, remaining));
      if (view.getUint16(0, true) !== 0x0002) break;
      const tag = 0x00020000 + view.getUint16(2, true);
      if (this.#seen.size >= metaElementsMax) return this.#stop('element-limit', tag, `more than ${metaElementsMax} in the File Meta Information`);
      if (tag <= previousTag) this.#problems.add(this.#seen.has(tag) ? 'tag-duplicate' : 'tag-unordered', this.position, 8, tag, '');
      previousTag = tag;
      this.#readElement(view, tag, explicitVR, remaining);
    }
    this.#checkWhole();
  }

  meta(): FileMeta | null {
    if (this.#seen.size === 0) return null;
    const text = (tag: number): string => this.#texts.get(tag) ?? '';
    return {
      mediaStorageSOPClassUID: text(0x00020002),
      mediaStorageSOPInstanceUID: text(0x00020003),
      transferSyntaxUID: text(0x00020010),
      implementationClassUID: text(0x00020012),
      sourceApplicationEntityTitle: text(0x00020016),
    };
  }

  #readElement(view: DataView, tag: number, explicitVR: boolean, remaining: number): void {
    const position = this.position;
    const set = vrSets[vrSetIndex(tag)]!;
    let vr = set[0]!;
    let header = 8;
    let length: number;
    if (explicitVR) {
      vr = vrIndexByNumber[view.getUint16(4, false)]!;
      if (vr === 0) return this.#stop('vr-unknown', tag);
      if (vrs[vr - 1]!.longLength) {
        header = 12;
        if (remaining < 12) return this.#stop('header-truncated', tag);
        if (view.getUint16(6, true) !== 0) this.#problems.add('reserved-not-zero', position, 12, tag, '');
        length = view.getUint32(8, true);
      } else length = view.getUint16(6, true);
      if (vrSetIndex(tag) === 0) this.#problems.add('meta-tag-unknown', position, header, tag, '');
      else if (set[vr] !== 1) this.#problems.add('vr-mismatch', position, header, tag, '', `${vrs[vr - 1]!.code} instead of ${vrs[set[0]! - 1]?.code ?? 'none'}`);
    } else length = view.getUint32(4, true);
    if (length > remaining - header) return this.#stop('length-exceeds-container', tag, `${length} bytes are declared, ${remaining - header} are there`);
    if ((length & 1) === 1) this.#problems.add('length-odd', position, header, tag, '', `${length} bytes`);
    const valueOffset = position + header;
    this.#spans.add(position, header + length, kindOf.meta, tag, 0);
    this.#elements.add(tag, vr === 0 ? vrNumber('UN') : vrNumber(vrs[vr - 1]!.code), position, valueOffset, length, 0, -1, 0);
    this.#seen.add(tag);
    if (tag === 0x00020000) {
      if (length === 4) this.#groupLengthEnd = valueOffset + 4 + this.#view(valueOffset, 4).getUint32(0, true);
      else this.#problems.add('group-length-not-four-bytes', position, header, tag, '', `${length} bytes`);
    } else if (length <= metaTextBytesMax) this.#texts.set(tag, this.#text(valueOffset, length));
    this.position = valueOffset + length;
  }

  #checkWhole(): void {
    if (this.#seen.size === 0) return void this.#problems.add('meta-missing', this.#start, 0, null, '');
    if (!this.#seen.has(0x00020000)) this.#problems.add('meta-group-length-missing', this.#start, 0, 0x00020000, '');
    else if (this.#groupLengthEnd >= 0 && this.#groupLengthEnd !== this.position) {
      this.#problems.add('meta-group-length-wrong', this.#start, 12, 0x00020000, '', `it says that the group ends at ${this.#groupLengthEnd}, it ends at ${this.position}`);
    }
    for (const tag of required) if (!this.#seen.has(tag)) this.#problems.add('meta-element-missing', this.#start, 0, tag, '');
  }

  /** Only Explicit VR is permitted, but Implicit VR exists. */
  #isExplicit(): boolean {
    if (this.#window.source.length - this.#start < 8) return true;
    const view = this.#view(this.#start, 8);
    if (view.getUint16(0, true) !== 0x0002 || vrIndexByNumber[view.getUint16(4, false)] !== 0) return true;
    if (view.getUint32(4, true) > metaTextBytesMax) return true;
    this.#problems.add('meta-encoding', this.#start, 8, null, '');
    return false;
  }

  #stop(code: 'vr-unknown' | 'header-truncated' | 'length-exceeds-container' | 'element-limit', tag: number, detail = ''): void {
    this.#problems.add(code, this.position, 8, tag, '', detail);
    this.stopped = true;
  }

  #view(offset: number, length: number): DataView {
    const index = this.#window.at(offset, length);
    const { bytes } = this.#window;
    return new DataView(bytes.buffer, bytes.byteOffset + index, length);
  }

  /** Characters of the default repertoire; others become U+FFFD. */
  #text(offset: number, length: number): string {
    const view = this.#view(offset, length);
    let text = '';
    for (let index = 0; index < length; index += 1) {
      const byte = view.getUint8(index);
      text += byte < 0x80 ? String.fromCharCode(byte) : '\uFFFD';
    }
    let end = text.length;
    while (end > 0 && (text[end - 1] === '\0' || text[end - 1] === ' ')) end -= 1;
    return text.slice(0, end).trimStart();
  }
}
