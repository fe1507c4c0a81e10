/** Bytes as rows of offset, hexadecimal and ASCII, cut into runs that look alike. */
import type { MapSpan } from '@lazaret/pacs/quarantine/requests.ts';
import { familyOf, indexAt, type Family } from './regions.ts';

export const rowBytes = 16;

export interface Run {
  /** Of its first byte. */
  readonly offset: number;
  readonly hex: string;
  readonly ascii: string;
  readonly family: Family;
  /** Index of the finding that these bytes belong to, or -1. */
  readonly finding: number;
  /** Part of the piece that is selected. */
  readonly selected: boolean;
  /** The run ends after byte 8 of the row, where the gap is. */
  readonly half: boolean;
}
export interface HexRow {
  readonly offset: number;
  readonly runs: readonly Run[];
}
interface Range {
  readonly offset: number;
  readonly length: number;
}

/** The bytes of a base64 window. Throws nothing: what is not base64 gives no bytes. */
export function bytesOf(base64: string): Uint8Array {
  try {
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  } catch {
    return new Uint8Array(0);
  }
}

/** Rows of `bytes`, which stand at `offset` of the object. Rows begin at multiples of 16; the first may begin later. */
export function hexRows(bytes: Uint8Array, offset: number, spans: readonly MapSpan[], findings: readonly Range[], selected: Range | null): HexRow[] {
  const rows: HexRow[] = [];
  const end = offset + bytes.byteLength;
  for (let row = offset - (offset % rowBytes); row < end; row += rowBytes) {
    const runs: Run[] = [];
    let run: { offset: number; hex: string[]; ascii: string; family: Family; finding: number; selected: boolean; half: boolean } | null = null;
    for (let at = Math.max(row, offset); at < Math.min(row + rowBytes, end); at += 1) {
      const byte = bytes[at - offset] ?? 0;
      const span = spans[indexAt(spans, at)];
      const family = span === undefined ? 'unexplained' : familyOf(span);
      const finding = findings.findIndex((each) => inside(at, each));
      const isSelected = selected !== null && inside(at, selected);
      if (run === null || run.half || run.family !== family || run.finding !== finding || run.selected !== isSelected) {
        if (run !== null) runs.push(closed(run));
        run = { offset: at, hex: [], ascii: '', family, finding, selected: isSelected, half: false };
      }
      run.hex.push(byte.toString(16).padStart(2, '0'));
      run.ascii += byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '·';
      run.half = at % rowBytes === 7;
    }
    if (run !== null) runs.push(closed(run));
    rows.push({ offset: row, runs });
  }
  return rows;
}

function closed(run: { offset: number; hex: string[]; ascii: string; family: Family; finding: number; selected: boolean; half: boolean }): Run {
  return { ...run, hex: run.hex.join(' ') };
}
/** A finding of length 0 points at the byte where it is. */
function inside(at: number, range: Range): boolean {
  return at >= range.offset && at < range.offset + Math.max(range.length, 1);
}

/** Eight hexadecimal digits, more for objects over 4 GiB. */
export function hexOffset(offset: number): string {
  return offset.toString(16).padStart(8, '0');
}
