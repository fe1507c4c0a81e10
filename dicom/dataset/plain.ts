/** Whether the texts of an object are the same bytes in any character set: then another one may be declared for it. */
import { specificCharacterSetTag } from './identity.ts';
import type { Values } from './values.ts';

/** Longer text is not looked through. */
const textBytesMax = 16 * 1024 * 1024;

/**
 * True where every text that the object's Specific Character Set (0008,0005) is for has bytes of the default repertoire only, but for those of the top-level
 * elements `except`. Items with a Specific Character Set of their own do not depend on it (PS3.5 §6.1.2.4), nor do values whose VR holds no text.
 */
export function othersArePlain(values: Values, except: ReadonlySet<number>): boolean {
  const { count, tags, depths, parents, items, valueLengths } = values.mapped.elements;
  const own = new Set<string>();
  for (let row = values.metaRows; row < count; row += 1) if (depths[row]! > 0 && tags[row] === specificCharacterSetTag) own.add(`${parents[row]} ${items[row]}`);
  let top = 0;
  for (let row = values.metaRows; row < count; row += 1) {
    if (depths[row] === 0) top = tags[row]!;
    if (except.has(top) || valueLengths[row] === 0 || values.vr(row)?.characterSet !== true) continue;
    if (isPlain(values, row) || hasOwn(row)) continue;
    return false;
  }
  return true;

  function hasOwn(row: number): boolean {
    for (let at = row; depths[at]! > 0; at = parents[at]!) if (own.has(`${parents[at]} ${items[at]}`)) return true;
    return false;
  }
}

/** No byte of 80 or more and no escape sequence. */
function isPlain(values: Values, row: number): boolean {
  const length = values.mapped.elements.valueLengths[row]!;
  return length <= textBytesMax && values.bytes(row, length).every((byte) => byte < 0x80 && byte !== 0x1b);
}
