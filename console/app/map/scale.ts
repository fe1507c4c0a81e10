/**
 * Where a byte is drawn. A CT slice is 525,000 bytes of pixels behind 1,200 bytes of everything that can be wrong: drawn true to
 * size, the part that matters is three pixels wide. So a strip has a width for each piece: true to size, or by a root
 * of the length so that small pieces stay visible; inside a piece it is linear. Order is always that of the bytes.
 */
export interface Scale {
  readonly width: number;
  /** Left edge of each piece, and the right edge of the last. */
  readonly edges: Float64Array;
  /** Pixel position of a byte offset (which may lie anywhere; outside the pieces it is the nearest edge). */
  toX(offset: number): number;
  /** Byte offset under a pixel. */
  toOffset(x: number): number;
}

export interface Piece {
  readonly offset: number;
  readonly length: number;
}

/** Exponents of the two scales: with 0.2 a CT slice's pixels take half of the strip, and 4 bytes can still be seen. */
export const readable = 0.2;
export const trueToSize = 1;

/** Width of each piece by its length to the power of `exponent`. Each piece gets at least `widthMin` as long as all of them fit. */
export function scaleOf(pieces: readonly Piece[], width: number, exponent: number, widthMin: number): Scale {
  const least = Math.min(widthMin, pieces.length === 0 ? 0 : width / pieces.length);
  const weights = pieces.map((piece) => Math.max(piece.length, 1) ** exponent);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const share = width - least * pieces.length;
  const edges = new Float64Array(pieces.length + 1);
  weights.forEach((weight, index) => {
    edges[index + 1] = (edges[index] ?? 0) + least + (total === 0 ? 0 : (share * weight) / total);
  });
  const find = (matches: (index: number) => boolean): number => {
    let low = 0;
    let high = pieces.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (matches(middle)) low = middle;
      else high = middle - 1;
    }
    return low;
  };
  return {
    width,
    edges,
    toX(offset) {
      const index = find((each) => (pieces[each]?.offset ?? 0) <= offset);
      const piece = pieces[index];
      if (piece === undefined) return 0;
      const part = piece.length === 0 ? 0 : Math.min(Math.max((offset - piece.offset) / piece.length, 0), 1);
      return (edges[index] ?? 0) + part * ((edges[index + 1] ?? 0) - (edges[index] ?? 0));
    },
    toOffset(x) {
      const index = find((each) => (edges[each] ?? 0) <= x);
      const piece = pieces[index];
      if (piece === undefined) return 0;
      const left = edges[index] ?? 0;
      const pieceWidth = (edges[index + 1] ?? left) - left;
      const part = pieceWidth === 0 ? 0 : Math.min(Math.max((x - left) / pieceWidth, 0), 1);
      return Math.min(piece.offset + Math.floor(part * piece.length), piece.offset + Math.max(piece.length - 1, 0));
    },
  };
}

/** A mark on a strip for one finding or several that would overlap. */
export interface Pin {
  readonly x: number;
  /** Indexes of the findings, in their order. */
  readonly findings: readonly number[];
}

/** Marks at least `distanceMin` pixels apart. */
export function pinsOf(findings: readonly { readonly offset: number }[], scale: Scale, distanceMin: number): Pin[] {
  const sorted = findings.map((finding, index) => ({ x: scale.toX(finding.offset), index })).toSorted((one, other) => one.x - other.x || one.index - other.index);
  const pins: { x: number; findings: number[] }[] = [];
  for (const { x, index } of sorted) {
    const before = pins.at(-1);
    if (before !== undefined && x - before.x < distanceMin) before.findings.push(index);
    else pins.push({ x, findings: [index] });
  }
  return pins;
}

/** The cells under the lens: `count` of them from `first`. */
export interface Lens {
  readonly first: number;
  readonly count: number;
}
/** Fewer show nothing around them, more have no room for a word. */
export const lensCellsMin = 3;
export const lensCellsMax = 36;

/** A lens that fits `total` cells. */
export function fitLens(first: number, count: number, total: number): Lens {
  const fitted = Math.min(Math.max(Math.round(count), Math.min(lensCellsMin, total)), Math.min(lensCellsMax, total));
  return { first: Math.min(Math.max(Math.round(first), 0), Math.max(total - fitted, 0)), count: fitted };
}
/** The same lens, moved only as far as it must be so that `cell` is inside. */
export function lensOnto(lens: Lens, cell: number, total: number): Lens {
  if (cell < lens.first) return fitLens(cell, lens.count, total);
  if (cell >= lens.first + lens.count) return fitLens(cell - lens.count + 1, lens.count, total);
  return lens;
}
/** Magnified (`factor` below 1) or widened around `cell`. */
export function zoomLens(lens: Lens, factor: number, cell: number, total: number): Lens {
  const rounded = factor < 1 ? Math.floor(lens.count * factor) : Math.ceil(lens.count * factor);
  const count = Math.min(Math.max(rounded, lensCellsMin), lensCellsMax);
  const part = lens.count <= 1 ? 0 : (cell - lens.first) / lens.count;
  return fitLens(cell - part * count, count, total);
}
