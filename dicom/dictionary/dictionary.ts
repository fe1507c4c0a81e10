/**
 * The data dictionary of PS3.6: tag to attribute and back. Each lookup is total: what the standard does not define is undefined or 0.
 */
import { vrIndexByNumber, vrNumber, vrs } from '../dataset/vrs.ts';
import { dictionaryTable } from './generated.ts';
export { dictionaryEdition } from './generated.ts';

export interface Attribute {
  /** (group << 16 | element) >>> 0; of a repeating group the first tag, such as 60000010 for (60xx,0010). */
  readonly tag: number;
  readonly keyword: string;
  readonly name: string;
  /** One or more; the first is taken for Implicit VR, see `impliedVR`. */
  readonly vrs: readonly string[];
  readonly vm: string;
  readonly retired: boolean;
}

interface RepeatingAttribute extends Attribute {
  readonly mask: number;
}

/** Names are asked for by few programs, and 5,000 objects take longer to make than an examiner needs for a small object: they are made when one is asked for first. */
interface Names {
  readonly attributes: ReadonlyMap<number, Attribute>;
  readonly repeating: readonly RepeatingAttribute[];
  readonly tagsByKeyword: ReadonlyMap<string, number>;
}

let known: Names | null = null;

function names(): Names {
  known ??= readNames();
  return known;
}

function readNames(): Names {
  const attributes = new Map<number, Attribute>();
  const repeating: RepeatingAttribute[] = [];
  const tagsByKeyword = new Map<string, number>();
  for (const line of dictionaryTable.split('\n')) {
    const [pattern = '', vrList = '', vm = '', keyword = '', retired = '', name = ''] = line.split('|');
    const tag = tagOfPattern(pattern);
    const attribute = { tag, keyword, name, vrs: vrList.split('/'), vm, retired: retired === 'R' };
    if (pattern.includes('x')) repeating.push({ ...attribute, mask: maskOfPattern(pattern) });
    else attributes.set(tag, attribute);
    if (keyword !== '') tagsByKeyword.set(keyword, tag);
  }
  return { attributes, repeating, tagsByKeyword };
}

function tagOfPattern(pattern: string): number {
  return Number.parseInt(pattern.replaceAll('x', '0'), 16);
}

function maskOfPattern(pattern: string): number {
  return Number.parseInt(pattern.replaceAll(/[^x]/g, 'F').replaceAll('x', '0'), 16);
}

/** The attribute of a public tag, or undefined. Of repeating groups only even ones belong (PS3.5 §7.6). */
export function attributeOf(tag: number): Attribute | undefined {
  const { attributes, repeating: all } = names();
  const attribute = attributes.get(tag);
  if (attribute !== undefined) return attribute;
  if (((tag >>> 16) & 1) === 1) return undefined;
  return all.find((repeating) => (tag & repeating.mask) >>> 0 === repeating.tag);
}

/** Tag of a keyword such as "PatientName", or undefined; of a repeating group its first tag. */
export function tagOf(keyword: string): number | undefined {
  return names().tagsByKeyword.get(keyword);
}

/** "(0010,0010)" */
export function tagText(tag: number): string {
  const digits = tag.toString(16).toUpperCase().padStart(8, '0');
  return `(${digits.slice(0, 4)},${digits.slice(4)})`;
}

/*
 * The reader asks for each element. A Map with 32 bit keys boxes them, so here is an open hash over columns, built once:
 * tag to a row of `vrSets`, each of which says which VRs (by 1 + index in vrs) the dictionary permits.
 */
const slotBits = 14;
const slotKeys = new Uint32Array(1 << slotBits);
const slotSets = new Uint8Array(1 << slotBits);

/** Row 0 is "not in the dictionary". Column 0 of each row is the VR that Implicit VR implies. */
const vrSetList: Uint8Array[] = [new Uint8Array(vrs.length + 1)];
const vrSetByText = new Map<string, number>();

function vrSetOfText(text: string): number {
  const found = vrSetByText.get(text);
  if (found !== undefined) return found;
  const list = text.split('/');
  const set = new Uint8Array(vrs.length + 1);
  for (const code of list) set[vrIndexByNumber[vrNumber(code)] ?? 0] = 1;
  set[0] = vrIndexByNumber[vrNumber(impliedVR(list))] ?? 0;
  vrSetList.push(set);
  vrSetByText.set(text, vrSetList.length - 1);
  return vrSetList.length - 1;
}

/**
 * The VR that Implicit VR implies where the dictionary has several (PS3.5 Annex A.1): OW where a word is possible for bulk data;
 * US for "US or SS", whose sign only Pixel Representation tells.
 */
export function impliedVR(list: readonly string[]): string {
  if (list.includes('OW') && !list.includes('SS')) return 'OW';
  return list[0] ?? 'UN';
}

function slotOf(tag: number): number {
  return Math.imul(tag, 0x9e3779b1) >>> (32 - slotBits);
}

/** Of repeating groups: what is compared of a tag, with what, and the row. */
const repeatingMasks: number[] = [];
const repeatingTags: number[] = [];
const repeatingSets: number[] = [];

/** One pass over the table, of which only the first two columns are read: eight digits and VRs. */
for (let start = 0; start < dictionaryTable.length;) {
  const lineEnd = dictionaryTable.indexOf('\n', start);
  const end = lineEnd < 0 ? dictionaryTable.length : lineEnd;
  const pattern = dictionaryTable.slice(start, start + 8);
  const set = vrSetOfText(dictionaryTable.slice(start + 9, dictionaryTable.indexOf('|', start + 9)));
  if (pattern.includes('x')) {
    repeatingMasks.push(maskOfPattern(pattern));
    repeatingTags.push(tagOfPattern(pattern));
    repeatingSets.push(set);
  } else {
    const tag = Number.parseInt(pattern, 16);
    let slot = slotOf(tag);
    while (slotSets[slot] !== 0) slot = (slot + 1) & ((1 << slotBits) - 1);
    slotKeys[slot] = tag;
    slotSets[slot] = set;
  }
  start = end + 1;
}

/** The rows themselves. A dictionary tag's row has a 1 at 1 + index of each VR that it may have, and at 0 the implied one's number. */
export const vrSets: readonly Uint8Array[] = vrSetList;

/** Row in `vrSets` of a tag; 0 where the dictionary does not have it. */
export function vrSetIndex(tag: number): number {
  let slot = slotOf(tag);
  for (;;) {
    const set = slotSets[slot] ?? 0;
    if (set === 0) break;
    if (slotKeys[slot] === tag) return set;
    slot = (slot + 1) & ((1 << slotBits) - 1);
  }
  const group = tag >>> 16;
  if ((group & 1) === 1) return 0;
  // (gggg,0000), retired but legal: a group length.
  if ((tag & 0xffff) === 0) return groupLengthSet;
  if (group !== 0x0020 && group !== 0x0028 && group !== 0x1000 && group !== 0x1010 && (group & 0xff00) !== 0x5000 && (group & 0xff00) !== 0x6000 && (group & 0xff00) !== 0x7f00) return 0;
  for (let index = 0; index < repeatingSets.length; index += 1) if ((tag & repeatingMasks[index]!) >>> 0 === repeatingTags[index]) return repeatingSets[index]!;
  return 0;
}

const groupLengthSet = vrSetOfText('UL');
