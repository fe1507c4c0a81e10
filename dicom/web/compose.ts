/**
 * From the DICOM JSON Model (PS3.18 Annex F) to the elements of a Data Set in Explicit VR Little Endian: the half of STOW-RS with metadata.
 * Text is UTF-8 in JSON and so it is in the Data Set (ISO_IR 192).
 */
import type { WritableElement, WritableItem, WritableValue } from '../dataset/write.ts';
import { writeDepthMax } from '../dataset/write.ts';
import { JsonNumber, type JsonObject, type JsonValue } from './strictjson.ts';

export class ComposeProblem extends Error {
  readonly code: 'attribute-invalid' | 'value-invalid' | 'bulk-missing' | 'depth-exceeded' | 'instance-invalid';
  /** Path of the attribute, such as "00081140[0].00081155". */
  readonly path: string;
  constructor(code: ComposeProblem['code'], path: string, message: string) {
    super(`${path === '' ? '' : `${path}: `}${message}`);
    this.name = 'ComposeProblem';
    this.code = code;
    this.path = path;
  }
}

export interface ComposedInstance {
  readonly elements: readonly WritableElement[];
  readonly sopClassUID: string;
  readonly sopInstanceUID: string;
  readonly studyInstanceUID: string;
}

/**
 * The bytes that a BulkDataURI names, or null. Only parts of the same message can be named: this function has no other way to get at bytes, so
 * no address in an object makes this server fetch anything (THREATS C7).
 */
export type BulkData = (uri: string) => Uint8Array | null;

type Conversion = (values: readonly JsonValue[], path: string) => WritableValue;

/** One instance. Throws ComposeProblem on what is not the DICOM JSON Model. */
export function composeInstance(json: JsonValue, bulk: BulkData): ComposedInstance {
  if (!(json instanceof Map)) throw new ComposeProblem('instance-invalid', '', 'an instance is a JSON object');
  const elements = composeItem(json, bulk, '', 0);
  const uid = (tag: number, name: string): string => {
    const found = elements.find((element) => element.tag === tag)?.value;
    const text = Array.isArray(found) && found.length === 1 ? String(found[0]) : '';
    if (!/^(?:0|[1-9]\d*)(?:\.(?:0|[1-9]\d*))*$/.test(text) || text.length > 64) throw new ComposeProblem('instance-invalid', tag.toString(16).padStart(8, '0').toUpperCase(), `${name} is missing or is no UID`);
    return text;
  };
  return { elements, sopClassUID: uid(0x00080016, 'SOP Class UID'), sopInstanceUID: uid(0x00080018, 'SOP Instance UID'), studyInstanceUID: uid(0x0020000d, 'Study Instance UID') };
}

function composeItem(item: JsonObject, bulk: BulkData, path: string, depth: number): readonly WritableElement[] {
  if (depth > writeDepthMax) throw new ComposeProblem('depth-exceeded', path, `sequences nest deeper than ${writeDepthMax}`);
  const elements: WritableElement[] = [];
  for (const [name, attribute] of item) {
    const at = path === '' ? name : `${path}.${name}`;
    // F.2.2: eight upper-case hexadecimal characters. Lower case would let one attribute be there twice.
    if (!/^[0-9A-F]{8}$/.test(name)) throw new ComposeProblem('attribute-invalid', path, `${JSON.stringify(name.slice(0, 32))} is not a tag of eight upper-case hexadecimal digits`);
    const tag = Number.parseInt(name, 16);
    // Group 2 belongs to the file, not the Data Set, and is written by whoever writes the file; group lengths are retired; items have no tags.
    if (tag >>> 16 < 0x0008 || (tag & 0xffff) === 0 || tag >>> 16 >= 0xfffe) throw new ComposeProblem('attribute-invalid', at, 'an attribute of this group or element is not part of a Data Set');
    if (tag === 0x00080005) continue;
    elements.push(composeElement(tag, attribute, bulk, at, depth));
  }
  elements.sort((a, b) => a.tag - b.tag);
  if (depth === 0) {
    const place = elements.findIndex((element) => element.tag > 0x00080005);
    elements.splice(place < 0 ? elements.length : place, 0, { tag: 0x00080005, vr: 'CS', value: ['ISO_IR 192'] });
  }
  return elements;
}

function composeElement(tag: number, attribute: JsonValue, bulk: BulkData, path: string, depth: number): WritableElement {
  if (!(attribute instanceof Map)) throw new ComposeProblem('attribute-invalid', path, 'an attribute is a JSON object');
  const vr = attribute.get('vr');
  if (typeof vr !== 'string' || !(vr === 'SQ' || binary.has(vr) || conversions.has(vr))) throw new ComposeProblem('attribute-invalid', path, 'no Value Representation of the standard');
  const members = [...attribute.keys()].filter((name) => name !== 'vr');
  if (members.length > 1 || (members[0] !== undefined && !['Value', 'InlineBinary', 'BulkDataURI'].includes(members[0]))) throw new ComposeProblem('attribute-invalid', path, 'an attribute has one of Value, InlineBinary and BulkDataURI');
  const member = members[0];
  const content = member === undefined ? null : attribute.get(member)!;
  if (member === undefined) return { tag, vr, value: [] };
  if (member === 'Value') {
    if (!Array.isArray(content)) throw new ComposeProblem('value-invalid', path, 'Value is a list');
    if (vr === 'SQ') return { tag, vr, value: composeItems(content as readonly JsonValue[], bulk, path, depth) };
    const convert = conversions.get(vr);
    if (convert === undefined) throw new ComposeProblem('value-invalid', path, `${vr} has InlineBinary or BulkDataURI, not Value`);
    return { tag, vr, value: convert(content as readonly JsonValue[], path) };
  }
  if (!binary.has(vr) || typeof content !== 'string') throw new ComposeProblem('value-invalid', path, `${vr} has no ${member}`);
  const bytes = member === 'InlineBinary' ? decodeBase64(content, path) : bulk(content);
  if (bytes === null) throw new ComposeProblem('bulk-missing', path, 'its BulkDataURI names no part of this message; other addresses are never fetched');
  const unit = binary.get(vr)!;
  if (bytes.length % unit !== 0) throw new ComposeProblem('value-invalid', path, `${bytes.length} bytes are not a multiple of the ${unit} of ${vr}`);
  return { tag, vr, value: bytes };
}

function composeItems(values: readonly JsonValue[], bulk: BulkData, path: string, depth: number): readonly WritableItem[] {
  return values.map((value, index) => {
    // F.2.5: an empty item is an empty object or null.
    if (value === null) return { elements: [] };
    if (!(value instanceof Map)) throw new ComposeProblem('value-invalid', `${path}[${index}]`, 'an item is a JSON object');
    return { elements: composeItem(value, bulk, `${path}[${index}]`, depth + 1) };
  });
}

/** VRs with binary values, and the bytes of their units (PS3.5 §6.2). */
const binary: ReadonlyMap<string, number> = new Map([['OB', 1], ['OD', 8], ['OF', 4], ['OL', 4], ['OV', 8], ['OW', 2], ['UN', 1]]);

/** Longest value in characters where the VR has one (PS3.5 Table 6.2-1). Longer ones would be held by the inspection; here the sender is told which. */
const lengthsMax: Readonly<Record<string, number>> = { AE: 16, AS: 4, CS: 16, DA: 8, DS: 16, DT: 26, IS: 12, LO: 64, LT: 10_240, PN: 324, SH: 16, ST: 1024, TM: 14, UI: 64 };

function textOf(vr: string, value: JsonValue, path: string): string {
  if (value === null) return '';
  let text: string;
  if (vr === 'PN') text = personName(value, path);
  else if ((vr === 'DS' || vr === 'IS') && value instanceof JsonNumber) text = decimal(vr, value.text, path);
  else if (typeof value === 'string') text = value;
  else throw new ComposeProblem('value-invalid', path, `a value of ${vr} is text`);
  if (text.length > (lengthsMax[vr] ?? Infinity)) throw new ComposeProblem('value-invalid', path, `a value of ${vr} has at most ${lengthsMax[vr]} characters`);
  return text;
}

/** VRs whose value is one text in which a backslash is a character like any other. */
const single = new Set(['LT', 'ST', 'UR', 'UT']);
/** Line ends and tabulators belong into texts, and nowhere else; ESC nowhere, since the text is UTF-8 (PS3.5 §6.1.3). */
const controls = /\p{Cc}/u;
const controlsOfTexts = /[^\P{Cc}\t\n\f\r]/u;

function texts(vr: string): Conversion {
  return (values, path) => {
    if (single.has(vr) && values.length > 1) throw new ComposeProblem('value-invalid', path, `${vr} has one value`);
    return values.map((value) => {
      const text = textOf(vr, value, path);
      if (!single.has(vr) && text.includes('\\')) throw new ComposeProblem('value-invalid', path, `a value of ${vr} holds no backslash`);
      if ((single.has(vr) ? controlsOfTexts : controls).test(text)) throw new ComposeProblem('value-invalid', path, 'a control character that has no place in text');
      if (/\p{Surrogate}/u.test(text)) throw new ComposeProblem('value-invalid', path, 'half a character');
      return text;
    });
  };
}

/** F.2.2: component groups by name. */
function personName(value: JsonValue, path: string): string {
  if (!(value instanceof Map)) throw new ComposeProblem('value-invalid', path, 'a person name is an object with Alphabetic, Ideographic and Phonetic');
  const groups = ['Alphabetic', 'Ideographic', 'Phonetic'];
  if ([...value.keys()].some((name) => !groups.includes(name))) throw new ComposeProblem('value-invalid', path, 'a person name has other members than its three groups');
  const parts = groups.map((name) => {
    const part = value.get(name) ?? '';
    if (typeof part !== 'string' || part.includes('=')) throw new ComposeProblem('value-invalid', path, 'a group of a person name is text without "="');
    return part;
  });
  return parts.join('=').replace(/=+$/, '');
}

/** F.2.3.1: decimal and integer strings may be numbers in JSON. One with more digits than a DS can hold is rounded to what it can. */
function decimal(vr: string, text: string, path: string): string {
  if (vr === 'IS') {
    const number = Number(text);
    if (!Number.isInteger(number) || Math.abs(number) >= 2 ** 31) throw new ComposeProblem('value-invalid', path, 'an IS is an integer of 32 bits');
    return String(number);
  }
  if (text.length <= 16) return text;
  const number = Number(text);
  if (!Number.isFinite(number)) throw new ComposeProblem('value-invalid', path, 'a number that is too large');
  for (let digits = 16; digits > 0; digits--) {
    const shorter = String(Number(number.toPrecision(digits)));
    if (shorter.length <= 16) return shorter;
  }
  return number.toExponential(8);
}

function numbers(vr: string, least: number, most: number, whole: boolean): Conversion {
  return (values, path) => values.map((value) => {
    const number = value instanceof JsonNumber ? Number(value.text) : Number.NaN;
    if (Number.isNaN(number) || number < least || number > most || (whole && !Number.isInteger(number))) throw new ComposeProblem('value-invalid', path, `a value of ${vr} is a number that fits it`);
    return number;
  });
}

/** F.2.3.1: 64 bit integers may be numbers or text. */
function longs(vr: string, least: bigint, most: bigint): Conversion {
  return (values, path) => values.map((value) => {
    const text = value instanceof JsonNumber ? value.text : value;
    if (typeof text !== 'string' || !/^-?\d{1,20}$/.test(text) || BigInt(text) < least || BigInt(text) > most) throw new ComposeProblem('value-invalid', path, `a value of ${vr} is an integer that fits it`);
    return BigInt(text);
  });
}

const tags: Conversion = (values, path) => values.map((value) => {
  if (typeof value !== 'string' || !/^[0-9A-F]{8}$/.test(value)) throw new ComposeProblem('value-invalid', path, 'a value of AT is eight hexadecimal digits');
  return Number.parseInt(value, 16);
});

const floatMax = 3.4028234663852886e38;
const conversions: ReadonlyMap<string, Conversion> = new Map<string, Conversion>([
  ...['AE', 'AS', 'CS', 'DA', 'DS', 'DT', 'IS', 'LO', 'LT', 'PN', 'SH', 'ST', 'TM', 'UC', 'UI', 'UR', 'UT'].map((vr) => [vr, texts(vr)] as const),
  ['AT', tags],
  ['FL', numbers('FL', -floatMax, floatMax, false)],
  ['FD', numbers('FD', -Number.MAX_VALUE, Number.MAX_VALUE, false)],
  ['SL', numbers('SL', -(2 ** 31), 2 ** 31 - 1, true)],
  ['SS', numbers('SS', -(2 ** 15), 2 ** 15 - 1, true)],
  ['UL', numbers('UL', 0, 2 ** 32 - 1, true)],
  ['US', numbers('US', 0, 2 ** 16 - 1, true)],
  ['SV', longs('SV', -(2n ** 63n), 2n ** 63n - 1n)],
  ['UV', longs('UV', 0n, 2n ** 64n - 1n)],
]);

/** RFC 4648 §4, with padding, without anything else. */
function decodeBase64(text: string, path: string): Uint8Array {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) throw new ComposeProblem('value-invalid', path, 'InlineBinary is not base64');
  return Uint8Array.fromBase64(text, { lastChunkHandling: 'strict' });
}
