/** From the spans of a MapAnswer to what is drawn: regions for the whole object, cells for the part under the lens. */
import type { MapSpan } from '@lazaret/pacs/quarantine/requests.ts';

/** What a region looks like. Several kinds of span share one: a reader tells nine patterns apart, not fifteen. */
export const families = ['preamble', 'meta', 'elements', 'private', 'bulk', 'pixels', 'padding', 'trailing', 'unexplained'] as const;
export type Family = (typeof families)[number];

const familyOfKind: Readonly<Record<string, Family>> = {
  preamble: 'preamble', prefix: 'meta', meta: 'meta', header: 'elements', value: 'elements', item: 'elements', private: 'private', bulk: 'bulk', deflated: 'bulk',
  pixels: 'pixels', 'offset-table': 'pixels', fragment: 'pixels', padding: 'padding', trailing: 'trailing',
};

/** Group number of "(gggg,eeee)", or -1. */
export function groupOf(tag: string): number {
  const group = /^\(([0-9a-f]{4}),[0-9a-f]{4}\)$/i.exec(tag)?.[1];
  return group === undefined ? -1 : Number.parseInt(group, 16);
}

/** Family of one span; a kind that this console does not know is shown as unexplained, never left out. */
export function familyOf(span: MapSpan): Family {
  if ((span.kind === 'header' || span.kind === 'value') && groupOf(span.tag) % 2 === 1) return 'private';
  if (span.kind === 'item' && /^\(7fe0,/i.test(span.path)) return 'pixels';
  return familyOfKind[span.kind] ?? 'unexplained';
}

/** A run of neighbouring spans of one family. */
export interface Region {
  readonly family: Family;
  readonly offset: number;
  readonly length: number;
  /** Spans [first, last] of the answer. */
  readonly first: number;
  readonly last: number;
  /** Other families inside, where small neighbours were drawn together. */
  readonly mixed: boolean;
}

/** More than this cannot be told apart across a strip of some 1,300 pixels. */
export const regionsMax = 90;

/**
 * Regions in the order of their bytes. Where there would be more than `most`, the smallest runs are drawn together with their
 * neighbours (as the family with the most bytes); the preamble, trailing and unexplained bytes always stay on their own.
 */
export function regionsOf(spans: readonly MapSpan[], most = regionsMax): Region[] {
  let regions: Region[] = [];
  spans.forEach((span, index) => {
    const family = familyOf(span);
    const before = regions.at(-1);
    if (before?.family === family) regions[regions.length - 1] = { ...before, length: before.length + span.length, last: index };
    else regions.push({ family, offset: span.offset, length: span.length, first: index, last: index, mixed: false });
  });
  for (let lengthMin = 64; regions.length > most && lengthMin < 2 ** 53; lengthMin *= 4) regions = joinSmall(regions, lengthMin);
  return regions;
}

const alone: ReadonlySet<Family> = new Set(['preamble', 'trailing', 'unexplained']);

function joinSmall(regions: readonly Region[], lengthMin: number): Region[] {
  const joined: Region[] = [];
  for (const region of regions) {
    const before = joined.at(-1);
    const joins = before !== undefined && !alone.has(region.family) && !alone.has(before.family)
      && (before.family === region.family || region.length < lengthMin || before.length < lengthMin);
    if (!joins) {
      joined.push(region);
      continue;
    }
    const family = region.length > before.length ? region.family : before.family;
    joined[joined.length - 1] = { family, offset: before.offset, length: before.length + region.length, first: before.first, last: region.last, mixed: before.mixed || region.mixed || before.family !== region.family };
  }
  return joined;
}

/** What the lens shows as one piece: an element with its header and value, or a span that belongs to none. */
export interface Cell {
  readonly family: Family;
  readonly offset: number;
  readonly length: number;
  /** Bytes of tag, VR and length before the value; 0 where the piece has none. */
  readonly headerLength: number;
  /** The span that says most: the value, or the header of an empty element. */
  readonly span: MapSpan;
}

/** Cells in the order of their bytes. They cover exactly what the spans cover. */
export function cellsOf(spans: readonly MapSpan[]): Cell[] {
  const cells: Cell[] = [];
  for (const span of spans) {
    const before = cells.at(-1);
    const family = familyOf(span);
    const isValue = before?.span.kind === 'header' && span.kind !== 'header' && span.kind !== 'item' && span.tag === before.span.tag && span.tag !== '' && before.offset + before.length === span.offset;
    if (before !== undefined && isValue) cells[cells.length - 1] = { family, offset: before.offset, length: before.length + span.length, headerLength: before.length, span };
    else cells.push({ family, offset: span.offset, length: span.length, headerLength: span.kind === 'header' ? span.length : 0, span });
  }
  return cells;
}

/** Index of the piece that holds the byte at `offset`; the last one for offsets past the end, -1 when there is none. */
export function indexAt(pieces: readonly { readonly offset: number; readonly length: number }[], offset: number): number {
  let low = 0;
  let high = pieces.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if ((pieces[middle]?.offset ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return pieces.length === 0 ? -1 : low;
}
