/** Telling from its first bytes how a Data Set is encoded: to check what is declared, and to go on where nothing is. */
import { vrSetIndex, vrSets } from '../dictionary/dictionary.ts';
import { vrIndexByNumber, vrs } from '../dataset/vrs.ts';
import type { Encoding } from './elements.ts';
import type { Window } from './window.ts';

/**
 * The encodings that the first element permits, likeliest first; empty where it is no element.
 * An element at the start of a Data Set has a low group: its two bytes tell the byte order.
 */
export function plausibleEncodings(window: Window, offset: number): readonly Encoding[] {
  const remaining = window.source.length - offset;
  if (remaining < 8) return [];
  const have = Math.min(12, remaining);
  const index = window.at(offset, have);
  const view = new DataView(window.bytes.buffer, window.bytes.byteOffset + index, have);
  const plausible: { encoding: Encoding; score: number }[] = [];
  for (const littleEndian of [true, false]) {
    const tag = ((view.getUint16(0, littleEndian) << 16) | view.getUint16(2, littleEndian)) >>> 0;
    const group = tag >>> 16;
    if (group === 0xfffe) continue;
    const set = vrSets[vrSetIndex(tag)]!;
    const known = vrSetIndex(tag) !== 0;
    const lowGroup = group <= 0x0040 ? 1 : 0;
    const vr = vrIndexByNumber[view.getUint16(4, false)]!;
    if (vr !== 0) {
      const long = vrs[vr - 1]!.longLength;
      const length = long ? (have < 12 ? Number.NaN : view.getUint32(8, littleEndian)) : view.getUint16(6, littleEndian);
      const fits = length <= remaining - (long ? 12 : 8) || (long && length === 0xffffffff);
      if (fits && (known || lowGroup)) plausible.push({ encoding: { explicitVR: true, littleEndian }, score: 4 + lowGroup + (known ? 2 : 0) + (set[vr] === 1 ? 4 : 0) });
    }
    const length = view.getUint32(4, littleEndian);
    // Implicit VR Big Endian is no Transfer Syntax, but ACR-NEMA 2.0 had it; it is not read.
    if (littleEndian && length <= remaining - 8 && (known || (group & 1) === 1)) plausible.push({ encoding: { explicitVR: false, littleEndian }, score: 2 + lowGroup + (known ? 2 : 0) });
  }
  return plausible.toSorted((a, b) => b.score - a.score).map(({ encoding }) => encoding);
}
