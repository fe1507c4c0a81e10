/** The file map for people: at most some thousands of spans with the names of what they hold, and the bytes of a window. */
import { attributeOf, tagText } from '@lazaret/dicom/dictionary/dictionary.ts';
import { spanKinds, type MappedObject } from '@lazaret/dicom/filemap/contract.ts';
import type { Finding } from '../../quarantine/contract.ts';
import type { MapAnswer, MapPart, MapSpan } from '../../quarantine/requests.ts';
import { drawnSpansMax, listedPartsMax, partNameMax, windowBytesMax } from '../assignment.ts';
import { rangeInObject } from './place.ts';
import type { Part } from './reading.ts';

/** A part that was looked at; its bytes are gone. */
export interface SeenPart extends Required<Pick<Part, 'name' | 'at' | 'tag' | 'outside' | 'depth'>> {
  readonly bytes: number;
  readonly codes: Set<string>;
}

export function describe(mapped: MappedObject, findings: readonly Finding[], parts: readonly SeenPart[], window: { readonly offset: number; readonly length: number } | null): MapAnswer {
  return {
    bytes: mapped.source.length, spans: describeSpans(mapped), findings, window: window === null ? null : bytesOf(mapped, window), parts: describeParts(mapped, parts), partCount: parts.length,
  };
}

/** In the order in which they were unpacked; where there are too many, those with findings are kept before others. */
function describeParts(mapped: MappedObject, parts: readonly SeenPart[]): MapPart[] {
  const listed = new Set(parts.toSorted((one, other) => Number(other.codes.size > 0) - Number(one.codes.size > 0)).slice(0, listedPartsMax));
  return parts.filter((part) => listed.has(part)).map((part) => ({
    name: part.name.slice(0, partNameMax), depth: part.depth, bytes: part.bytes, ...rangeInObject(mapped, part), tag: part.tag, codes: [...part.codes],
  }));
}

function bytesOf(mapped: MappedObject, window: { readonly offset: number; readonly length: number }): MapAnswer['window'] {
  const offset = Math.max(0, Math.min(mapped.source.length, Math.floor(window.offset) || 0));
  const length = Math.max(0, Math.min(mapped.source.length - offset, windowBytesMax, Math.floor(window.length) || 0));
  return { offset, base64: Buffer.from(mapped.source.read(offset, length)).toString('base64') };
}

function describeSpans(mapped: MappedObject): MapSpan[] {
  const { spans, elements } = mapped;
  const inObject = mapped.dataSetSource === mapped.source;
  // So many neighbours become one that the whole can be drawn.
  const together = Math.max(1, Math.ceil(spans.count / drawnSpansMax));
  const described: MapSpan[] = [];
  let element = 0;
  for (let row = 0; row < spans.count; row += together) {
    const last = Math.min(spans.count, row + together) - 1;
    const offset = spans.offsets[row]!;
    const tag = spans.tags[row]!;
    while (inObject && element + 1 < elements.count && elements.headerOffsets[element + 1]! <= offset) element += 1;
    const known = tag !== 0 && element < elements.count && elements.tags[element] === tag;
    described.push({
      offset,
      length: spans.offsets[last]! + spans.lengths[last]! - offset,
      kind: spanKinds[spans.kinds[row]!]!,
      tag: tag === 0 ? '' : tagText(tag),
      keyword: tag === 0 ? '' : (attributeOf(tag)?.keyword ?? ''),
      path: known ? pathOf(mapped, element) : '',
      vr: known ? String.fromCharCode(elements.vrs[element]! >> 8, elements.vrs[element]! & 0xff) : '',
    });
  }
  return described;
}

/** "(0008,1140)[0].(0008,1155)" */
function pathOf(mapped: MappedObject, element: number): string {
  const { elements } = mapped;
  let path = tagText(elements.tags[element]!);
  for (let at = element; elements.parents[at]! >= 0; at = elements.parents[at]!) path = `${tagText(elements.tags[elements.parents[at]!]!)}[${elements.items[at]}].${path}`;
  return path;
}
