/**
 * Which bytes of an object say whose it is: for an export to a supplier or laboratory, which overwrites them at equal length so that the offsets of the
 * evidence stay true. No element goes; what PS3.15 Table E.1-1 wants removed (X) is empty, as what it wants empty (Z) is.
 *
 * Two rules, of which the stricter one holds. By the table (Basic Profile, dictionary/confidentiality.ts), at every depth: sequences that it removes or replaces
 * lose all values in them; UIDs become others, the same for the same; of private attributes no value stays. And by VR and group, so that an attribute that nobody
 * knows, or that a later edition adds, is covered: every name, free text, short text, date, time, age, AE Title and address; all of groups 0010 and 0016;
 * overlays, curves, icons, signatures and certificates. Kept: codes of VR CS, numbers and Pixel Data that neither names, and the few texts in `kept`, which a
 * supplier needs to know its own device.
 */
import { confidentialityAction } from '@lazaret/dicom/dictionary/confidentiality.ts';
import { attributeOf } from '@lazaret/dicom/dictionary/dictionary.ts';
import { Values } from '@lazaret/dicom/dataset/values.ts';
import { vrCode } from '@lazaret/dicom/dataset/vrs.ts';
import { spanKinds, type MappedObject } from '@lazaret/dicom/filemap/contract.ts';
import { problemKinds } from '@lazaret/dicom/filemap/problems.ts';
import { fillNumber, uidBytesMax, type Fill } from '../../quarantine/overwriting.ts';
import type { Blanking } from '../../quarantine/requests.ts';
import { blankRangesMax } from '../assignment.ts';
import { statementOf } from './statement.ts';
import { unpackedOf } from './unpacking.ts';

/** Identifying values that are also looked for where values have no type: in private binary, bulk data, preamble, trailing bytes. */
const wantedMax = 400;
/** Shorter ones are found everywhere by chance, longer ones are prose. */
const wantedBytesMin = 4;
const wantedBytesMax = 128;
/** Bytes that are searched for them; Pixel Data is not. */
const searchedBytesMax = 64 * 1024 * 1024;
const pieceBytes = 1024 * 1024;

const specificCharacterSet = 0x00080005;
/** Texts of the equipment that Table E.1-1 of PS3.15 lets stand, and what describes an encoding. */
export const kept: ReadonlySet<number> = new Set([
  0x00080005, 0x00080070, 0x00081090, 0x00181020, 0x00181210, 0x00020013, 0x00280a02, // character set, Manufacturer, its model, software versions, kernel, implementation version
]);
/** Always text that people wrote, or that says who, when or where. */
const identifyingVRs = new Set(['PN', 'LO', 'SH', 'LT', 'ST', 'UT', 'UC', 'UR', 'DA', 'DT', 'TM', 'AS', 'AE']);
const encapsulatedDocument = 0x00420011;

interface Range {
  readonly offset: number;
  readonly length: number;
  readonly fill: Fill;
}
/** What becomes of a sequence's values: all empty, all dummies, or each by its own attribute. */
type Inside = 'empty' | 'dummies' | null;

const impossible = (text: string): Blanking => ({ outcome: 'impossible', text, ranges: [], patches: [], elements: 0 });

/** The ranges, or why they cannot be known: then the object leaves whole or not at all. */
export function blanksOf(mapped: MappedObject): Blanking {
  if (mapped.dataSetSource === mapped.source) return blanksIn(mapped);
  const unpacked = unpackedOf(mapped);
  if (typeof unpacked === 'string') return impossible(unpacked);
  const blanking = blanksIn(unpacked.mapped);
  return blanking.outcome === 'impossible' ? blanking : { ...blanking, unpacked: unpacked.patches.map(({ offset, length, bytes }) => ({ offset, length, bytes: Buffer.from(bytes).toString('base64') })) };
}

/** Of an object that is not deflated. */
function blanksIn(mapped: MappedObject): Blanking {
  const { spans, elements } = mapped;
  for (let row = 0; row < spans.count; row += 1) if (spanKinds[spans.kinds[row]!] === 'unexplained') return impossible('Not every byte of it is accounted for: what stands in the rest cannot be known.');
  const limit = mapped.problems.find(({ code }) => problemKinds.get(code)?.grade === 'limit');
  if (limit !== undefined) return impossible(`It could not be read to its end: ${limit.text}`);
  const values = new Values(mapped);
  const ranges: Range[] = [];
  const wanted = new Map<string, Uint8Array>();
  let blanked = 0;
  const inside: Inside[] = [];
  const holders = new Set(elements.parents.subarray(0, elements.count));
  for (let row = 0; row < elements.count; row += 1) {
    const tag = elements.tags[row]!;
    const length = elements.valueLengths[row]!;
    if (tag === encapsulatedDocument && length > 0) return impossible('It holds a whole document, in which no text can be overwritten in place.');
    const around = inside[elements.parents[row]!] ?? null;
    // Its structure stays: Items under whatever VR, fragments of an icon.
    if (vrCode(elements.vrs[row]!) === 'SQ' || holders.has(row) || isOfUndefinedLength(mapped, row)) {
      inside[row] = insideOf(tag, around);
      continue;
    }
    const fill = length === 0 ? null : fillOf(values, row, tag, around);
    if (fill === null) continue;
    blanked += 1;
    const offset = elements.valueOffsets[row]!;
    if (fill === 'uid') ranges.push(...uidRanges(offset, values.bytes(row, uidsBytesMax), length));
    else ranges.push({ offset, length, fill });
    if (fill !== 'zeros') addWanted(wanted, values.bytes(row, wantedBytesMin * 4));
  }
  // Pictures in pictures: icons. The image's own is said to stay.
  for (let row = 0; row < spans.count; row += 1) {
    const kind = spanKinds[spans.kinds[row]!]!;
    if (spans.depths[row]! > 0 && (kind === 'pixels' || kind === 'fragment')) ranges.push({ offset: spans.offsets[row]!, length: spans.lengths[row]!, fill: 'zeros' });
  }
  // Data Set Trailing Padding is no row of the elements; its header stays.
  for (let row = 0; row < spans.count; row += 1) {
    const header = spans.tags[row] === 0xfffcfffc && spanKinds[spans.kinds[row]!] === 'padding' ? (mapped.encoding?.explicitVR === true ? 12 : 8) : Infinity;
    if (spans.lengths[row]! > header) ranges.push({ offset: spans.offsets[row]! + header, length: spans.lengths[row]! - header, fill: 'zeros' });
  }
  const found = searched(mapped, [...wanted.values()], ranges);
  if (found === null) return impossible('Too much of it is neither Pixel Data nor an element of known type to be searched for names.');
  const merged = mergedOf([...ranges, ...found]);
  if (merged.length > blankRangesMax) return impossible(`It has more than ${blankRangesMax} values to overwrite.`);
  const emptied = merged.filter(({ fill }) => fill === 'spaces' || fill === 'zeros');
  const patches = statementOf(mapped, new Map(emptied.map(({ offset, length }) => [offset, length])));
  return { outcome: 'blanked', text: '', ranges: merged.flatMap(({ offset, length, fill }) => [offset, length, fillNumber[fill]]), patches, elements: blanked };
}

/** What ends it is a delimitation item (PS3.5 §7.5), for which its VR and length leave room only as the last four bytes before the value. */
function isOfUndefinedLength({ source, elements }: MappedObject, row: number): boolean {
  const field = source.read(elements.valueOffsets[row]! - 4, 4);
  return elements.valueLengths[row]! > 0 && field.every((byte) => byte === 0xff);
}

function insideOf(tag: number, around: Inside): Inside {
  const action = confidentialityAction(tag);
  // X/Z/U*: the UIDs inside become others, as anywhere.
  if (around === 'empty' || action === null || action === 'X/Z/U*') return around;
  return action.includes('D') ? 'dummies' : 'empty';
}

/** What overwrites a value; null: it stays. */
function fillOf(values: Values, row: number, tag: number, around: Inside): Fill | null {
  const group = tag >>> 16;
  const element = tag & 0xffff;
  const written = vrCode(values.mapped.elements.vrs[row]!);
  const vr = values.vr(row);
  const code = vr?.code ?? written;
  const empty: Fill = vr?.kind === 'text' && code !== 'UI' ? 'spaces' : written === 'UN' && isPrintable(values.bytes(row)) ? 'spaces' : 'zeros';
  if (tag === specificCharacterSet || element === 0) return null;
  const action = confidentialityAction(tag);
  if (around === 'empty' || action === 'X' || action === 'Z' || action === 'X/Z') return empty;
  // Names of the standard, such as SOP Class UIDs, are nobody's.
  if (code === 'UI' && (action !== null || around !== null || attributeOf(tag) === undefined)) return action === null && startsWith(values.bytes(row, standardRoot.length), standardRoot) ? null : 'uid';
  if (action !== null || around === 'dummies') return dummies[code] ?? (empty === 'spaces' ? 'letters' : 'zeros');
  return byKind(values, row, tag, group, element, written) ? empty : null;
}

const standardRoot = '1.2.840.10008.';
const dummies: Readonly<Record<string, Fill>> = { DA: 'date', DT: 'dateTime', TM: 'time', AS: 'age', IS: 'digits', DS: 'digits' };

/** The rule by VR and group, for what Table E.1-1 does not name. */
function byKind(values: Values, row: number, tag: number, group: number, element: number, written: string): boolean {
  const vr = values.vr(row);
  if (kept.has(tag) || vr?.code === 'UI' || tag === 0x7fe00010 || tag === 0x7fe00008 || tag === 0x7fe00009) return false;
  if (group === 0x0010 || group === 0x0016) return true;
  // Curves, overlays; certificates and signatures; flow identifiers; padding.
  if ((group & 0xff00) === 0x5000 || ((group & 0xff00) === 0x6000 && element >= 0x3000)) return true;
  if ((group === 0x0400 || group === 0x0034) && vr?.kind === 'bytes') return true;
  if (tag === 0xfffcfffc || tag === 0x00020102) return true;
  // Of unknown meaning: a tag that no edition knows, a sequence or anything else written as UN.
  if (written === 'UN' && vr?.kind !== 'number' && vr?.kind !== 'tag') return true;
  return vr?.kind === 'text' && (identifyingVRs.has(vr.code) || attributeOf(tag) === undefined);
}

/** As many UIDs as one element may hold with a length of 16 bits. */
const uidsBytesMax = 64 * 1024;

/** Each UID of an element by itself, so that the same one becomes the same wherever it stands; what is no UID is emptied. */
function uidRanges(offset: number, bytes: Uint8Array, length: number): Range[] {
  if (length > bytes.length) return [{ offset, length, fill: 'zeros' }];
  const ranges: Range[] = [];
  let at = offset;
  for (const part of Buffer.from(bytes).toString('latin1').split('\\')) {
    const uid = part.replace(/[\0 ]+$/, '');
    if (uid !== '') ranges.push({ offset: at, length: uid.length <= uidBytesMax ? uid.length : part.length, fill: uid.length <= uidBytesMax ? 'uid' : 'zeros' });
    at += part.length + 1;
  }
  return ranges;
}

function startsWith(bytes: Uint8Array, text: string): boolean {
  return Buffer.from(bytes).toString('latin1') === text;
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
function searched({ spans, source }: MappedObject, wanted: readonly Uint8Array[], blanked: readonly Range[]): Range[] | null {
  const covered = new Set(blanked.map(({ offset }) => offset));
  const found: Range[] = [];
  let total = 0;
  for (let row = 0; row < spans.count; row += 1) {
    const kind = spanKinds[spans.kinds[row]!]!;
    const start = spans.offsets[row]!;
    const length = spans.lengths[row]!;
    if (!searchedKinds.has(kind) || covered.has(start)) continue;
    total += length;
    if (total > searchedBytesMax) return null;
    for (let offset = start; offset < start + length; offset += pieceBytes) {
      // Pieces overlap, so that nothing stands across an edge unseen.
      const piece = Buffer.from(source.read(offset, Math.min(pieceBytes + wantedBytesMax * 2, start + length - offset)));
      for (const bytes of wanted) {
        for (let at = piece.indexOf(bytes); at >= 0; at = piece.indexOf(bytes, at + bytes.length)) {
          found.push({ offset: offset + at, length: bytes.length, fill: 'spaces' });
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
