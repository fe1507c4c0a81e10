/**
 * Which bytes of an object say whose it is: for an export to a supplier or laboratory, which overwrites them at equal length so that every offset of the
 * evidence stays true. Nothing is removed or moved.
 *
 * By VR and by group rather than by a list of attributes, so that what the next edition of PS3.15 Annex E adds is covered and an attribute that nobody knows
 * is, too: every name, free text, short text, date, time, age, AE Title and address; all of group 0010 (the patient) and 0016 (where and with what a picture
 * was taken); overlays, curves, icons, signatures and certificates; private text. Kept: UIDs (they tie the export to the record), codes of VR CS, numbers,
 * Pixel Data, and the few texts in `kept`, which a supplier needs to know its own device.
 */
import { attributeOf } from '@lazaret/dicom/dictionary/dictionary.ts';
import { Values } from '@lazaret/dicom/dataset/values.ts';
import { vrCode } from '@lazaret/dicom/dataset/vrs.ts';
import { spanKinds, type MappedObject } from '@lazaret/dicom/filemap/contract.ts';
import { problemKinds } from '@lazaret/dicom/filemap/problems.ts';
import type { Blanking } from '../../quarantine/requests.ts';
import { blankRangesMax } from '../assignment.ts';

/** Identifying values that are also looked for where values have no type: in private binary, bulk data, preamble, trailing bytes. */
const wantedMax = 400;
/** Shorter ones are found everywhere by chance, longer ones are prose. */
const wantedBytesMin = 4;
const wantedBytesMax = 128;
/** Bytes that are searched for them; Pixel Data is not. */
const searchedBytesMax = 64 * 1024 * 1024;
const pieceBytes = 1024 * 1024;

const space = 0x20;
const nul = 0x00;

/** Texts of the equipment that Table E.1-1 of PS3.15 lets stand, and what describes an encoding. */
const kept = new Set([
  0x00080005, 0x00080070, 0x00081090, 0x00181020, 0x00181210, 0x00020013, 0x00280a02, // character set, Manufacturer, its model, software versions, kernel, implementation version
]);
/** Always text that people wrote, or that says who, when or where. */
const identifyingVRs = new Set(['PN', 'LO', 'SH', 'LT', 'ST', 'UT', 'UC', 'UR', 'DA', 'DT', 'TM', 'AS', 'AE']);
const encapsulatedDocument = 0x00420011;

interface Range {
  readonly offset: number;
  readonly length: number;
  readonly fill: number;
}

/** The ranges, or why they cannot be known: then the object leaves whole or not at all. */
export function blanksOf(mapped: MappedObject): Blanking {
  const { spans, elements } = mapped;
  const impossible = (text: string): Blanking => ({ outcome: 'impossible', text, ranges: [], elements: 0 });
  if (mapped.dataSetSource !== mapped.source) return impossible('Its Data Set is deflated: nothing in it can be overwritten in place.');
  for (let row = 0; row < spans.count; row += 1) if (spanKinds[spans.kinds[row]!] === 'unexplained') return impossible('Not every byte of it is accounted for: what stands in the rest cannot be known.');
  const limit = mapped.problems.find(({ code }) => problemKinds.get(code)?.grade === 'limit');
  if (limit !== undefined) return impossible(`It could not be read to its end: ${limit.text}`);
  const values = new Values(mapped);
  const ranges: Range[] = [];
  const wanted = new Map<string, Uint8Array>();
  let blanked = 0;
  for (let row = 0; row < elements.count; row += 1) {
    const tag = elements.tags[row]!;
    const length = elements.valueLengths[row]!;
    if (tag === encapsulatedDocument && length > 0) return impossible('It holds a whole document, in which no text can be overwritten in place.');
    const fill = length === 0 ? null : fillOf(mapped, values, row, tag);
    if (fill === null) continue;
    blanked += 1;
    ranges.push({ offset: elements.valueOffsets[row]!, length, fill });
    if (fill === space) addWanted(wanted, values.bytes(row, wantedBytesMax * 4));
  }
  // Pictures in pictures: icons. The image's own is said to stay.
  for (let row = 0; row < spans.count; row += 1) {
    const kind = spanKinds[spans.kinds[row]!]!;
    if (spans.depths[row]! > 0 && (kind === 'pixels' || kind === 'fragment')) ranges.push({ offset: spans.offsets[row]!, length: spans.lengths[row]!, fill: nul });
  }
  const found = searched(mapped, [...wanted.values()], ranges);
  if (found === null) return impossible('Too much of it is neither Pixel Data nor an element of known type to be searched for names.');
  const merged = mergedOf([...ranges, ...found]);
  if (merged.length > blankRangesMax) return impossible(`It has more than ${blankRangesMax} values to overwrite.`);
  return { outcome: 'blanked', text: '', ranges: merged.flatMap(({ offset, length, fill }) => [offset, length, fill]), elements: blanked };
}

/** What overwrites a value: spaces where it is text, zeros where it is not; null: it stays. */
function fillOf(mapped: MappedObject, values: Values, row: number, tag: number): number | null {
  const group = tag >>> 16;
  const element = tag & 0xffff;
  const written = vrCode(mapped.elements.vrs[row]!);
  if (kept.has(tag) || written === 'SQ' || written === 'UI' || element === 0) return null;
  const vr = values.vr(row);
  const isText = vr?.kind === 'text';
  if (group % 2 === 1) {
    // Private Creators say whose elements these are (PS3.5 §7.8.1): without them the evidence cannot be read.
    if (element >= 0x0010 && element <= 0x00ff) return null;
    if (isText) return vr.code === 'UI' || vr.code === 'DS' || vr.code === 'IS' ? null : space;
    return written === 'UN' && isPrintable(values.bytes(row)) ? space : null;
  }
  if (vr?.code === 'UI' || tag === 0x7fe00010 || tag === 0x7fe00008 || tag === 0x7fe00009) return null;
  if (group === 0x0010 || group === 0x0016) return isText ? space : nul;
  // Curves, overlays; certificates and signatures; flow identifiers; padding.
  if ((group & 0xff00) === 0x5000 || ((group & 0xff00) === 0x6000 && element >= 0x3000)) return isText ? space : nul;
  if ((group === 0x0400 || group === 0x0034) && vr?.kind === 'bytes') return nul;
  if (tag === 0xfffcfffc || tag === 0x00020102) return nul;
  if (isText && identifyingVRs.has(vr.code)) return space;
  // A tag that no edition knows: what it means cannot be judged.
  return isText && attributeOf(tag) === undefined ? space : written === 'UN' && attributeOf(tag) === undefined && isPrintable(values.bytes(row)) ? space : null;
}

/** Looks like text in any of the character sets: no control characters but those of text. */
function isPrintable(bytes: Uint8Array): boolean {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end -= 1;
  for (let at = 0; at < end; at += 1) {
    const byte = bytes[at]!;
    if (byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0c && byte !== 0x0d && byte !== 0x1b) return false;
  }
  return end > 0;
}

/** Values and their components (^ and = of names, \ between values), as the bytes they are and as UTF-16, which private binary of Windows programs uses. */
function addWanted(wanted: Map<string, Uint8Array>, bytes: Uint8Array): void {
  const text = Buffer.from(bytes).toString('latin1');
  for (const part of [text, ...text.split(/[\\^=]/)]) {
    const trimmed = part.replace(/[ \0]+$/, '').trimStart();
    if (trimmed.length < wantedBytesMin || trimmed.length > wantedBytesMax || wanted.size >= wantedMax) continue;
    wanted.set(trimmed, Buffer.from(trimmed, 'latin1'));
    // oxlint-disable-next-line no-control-regex
    if (/^[\x20-\x7e]*$/.test(trimmed)) wanted.set(`${trimmed}\0`, Buffer.from(trimmed, 'utf16le'));
  }
}

const searchedKinds: ReadonlySet<string> = new Set(['preamble', 'private', 'bulk', 'padding', 'trailing']);

/** Where identifying values stand in bytes without a type. Null: there is too much of those. */
function searched({ spans, source, elements }: MappedObject, wanted: readonly Uint8Array[], blanked: readonly Range[]): Range[] | null {
  const covered = new Set(blanked.map(({ offset }) => offset));
  const creators = new Set<number>();
  for (let row = 0; row < elements.count; row += 1) if ((elements.tags[row]! >>> 16) % 2 === 1 && (elements.tags[row]! & 0xffff) <= 0xff) creators.add(elements.valueOffsets[row]!);
  const found: Range[] = [];
  let total = 0;
  for (let row = 0; row < spans.count; row += 1) {
    const kind = spanKinds[spans.kinds[row]!]!;
    const start = spans.offsets[row]!;
    const length = spans.lengths[row]!;
    if (!searchedKinds.has(kind) || covered.has(start) || creators.has(start)) continue;
    total += length;
    if (total > searchedBytesMax) return null;
    for (let offset = start; offset < start + length; offset += pieceBytes) {
      // Pieces overlap, so that nothing stands across an edge unseen.
      const piece = Buffer.from(source.read(offset, Math.min(pieceBytes + wantedBytesMax * 2, start + length - offset)));
      for (const bytes of wanted) {
        for (let at = piece.indexOf(bytes); at >= 0; at = piece.indexOf(bytes, at + bytes.length)) {
          found.push({ offset: offset + at, length: bytes.length, fill: space });
          if (found.length > blankRangesMax) return null;
        }
      }
    }
  }
  return found;
}

/** In order and without overlap; where two lie over one another, the first keeps its bytes. */
function mergedOf(ranges: readonly Range[]): Range[] {
  const merged: Range[] = [];
  let end = 0;
  for (const range of ranges.toSorted((one, other) => one.offset - other.offset || other.length - one.length)) {
    const offset = Math.max(range.offset, end);
    const length = range.offset + range.length - offset;
    if (length <= 0) continue;
    merged.push({ offset, length, fill: range.fill });
    end = offset + length;
  }
  return merged;
}
