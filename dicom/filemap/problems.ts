/**
 * What can be wrong with the encoding of an object: a closed list. The verdict table of the inspection goes by the grade:
 *
 * - note: of interest, without effect. Real, conforming or harmlessly imperfect objects have them. Also what lies outside the Data Set and is
 *   disarmed there (trailing bytes, a preamble in use).
 * - fault: the object is not encoded as the standard says, or two readers could read different things: malformed.
 * - limit: the reader stopped short of reading everything: unscannable.
 */
import { tagText } from '../dictionary/dictionary.ts';
import type { Problem } from './contract.ts';

export type ProblemGrade = 'note' | 'fault' | 'limit';

// prettier-ignore
const table = {
  // Part 10 (PS3.10 §7.1)
  'object-empty':                  ['fault', 'The object has no bytes.'],
  'not-dicom':                     ['fault', 'Neither a DICM prefix nor a Data Set can be recognised.'],
  'preamble-missing':              ['fault', 'The File Preamble and the DICM prefix are missing.'],
  'preamble-used':                 ['note',  'The File Preamble is not zero.'],
  'meta-missing':                  ['fault', 'The File Meta Information is missing.'],
  'meta-encoding':                 ['fault', 'The File Meta Information is not Explicit VR Little Endian.'],
  'meta-group-length-missing':     ['note',  'The File Meta Information has no group length; its extent follows from its tags.'],
  'meta-group-length-wrong':       ['fault', 'The group length of the File Meta Information is not the length of the group: readers differ on where the Data Set starts.'],
  'meta-tag-unknown':              ['note',  'The File Meta Information has an element that the standard does not define.'],
  'meta-element-missing':          ['note',  'The File Meta Information lacks a required element.'],
  'meta-uid-mismatch':             ['fault', 'The File Meta Information and the Data Set name different SOP Classes or SOP Instances.'],
  'transfer-syntax-missing':       ['fault', 'No Transfer Syntax is declared.'],
  'transfer-syntax-unknown':       ['limit', 'The Transfer Syntax is none of the standard.'],
  'transfer-syntax-mismatch':      ['fault', 'The Data Set is encoded otherwise than its Transfer Syntax says.'],
  // Deflate (PS3.5 A.5)
  'deflate-invalid':               ['fault', 'The deflated Data Set is not a valid deflate stream.'],
  'deflate-truncated':             ['fault', 'The deflated Data Set ends before its stream does.'],
  'deflate-limit':                 ['limit', 'The deflated Data Set inflates to more than the limit.'],
  'trailing-inflated':             ['fault', 'Bytes follow the last element inside the deflate stream, where they cannot be cut off.'],
  // Data Set (PS3.5 §7)
  'data-set-empty':                ['fault', 'The Data Set has no elements.'],
  'header-truncated':              ['fault', 'The bytes end inside the header of an element.'],
  'length-exceeds-container':      ['fault', 'The value is declared longer than what contains it.'],
  'length-odd':                    ['fault', 'The length of the value is odd.'],
  'length-undefined':              ['fault', 'The length is undefined where the standard does not permit that.'],
  'length-not-a-multiple':         ['fault', 'The length of the value is not a multiple of what one value of its VR takes.'],
  'vr-unknown':                    ['fault', 'The two bytes of the VR are no VR.'],
  'vr-mismatch':                   ['fault', 'The VR is not the dictionary\'s and holds another kind of value: readers differ on it.'],
  'vr-other':                      ['note',  'The VR is not the dictionary\'s, though of the same kind.'],
  'reserved-not-zero':             ['fault', 'The two reserved bytes after the VR are not zero.'],
  'tag-duplicate':                 ['fault', 'The tag occurs twice in one Data Set or Item.'],
  'tag-unordered':                 ['fault', 'The tag is lower than the one before it.'],
  'tag-unknown':                   ['note',  'The public tag is not in the dictionary.'],
  'group-forbidden':               ['fault', 'The group must not be used in a Data Set.'],
  'group-2-in-data-set':           ['fault', 'An element of the File Meta Information is inside the Data Set.'],
  'group-length-not-four-bytes':   ['fault', 'A group length holds something other than one number of four bytes.'],
  'private-element-reserved':      ['note',  'The private element number is in the range that the standard reserves.'],
  'private-creator-missing':       ['note',  'The private element has no Private Creator.'],
  'padding-misplaced':             ['fault', 'Data Set Trailing Padding is inside an Item.'],
  'padding-used':                  ['note',  'Data Set Trailing Padding is not zero.'],
  'trailing-bytes':                ['note',  'Bytes follow the last element of the Data Set.'],
  'uid-invalid':                   ['fault', 'A UID that identifies the object is not 1 to 64 digits and dots.'],
  // Sequences (PS3.5 §7.5)
  'item-expected':                 ['fault', 'Something other than an Item is where an Item must be.'],
  'item-stray':                    ['fault', 'An Item is outside a sequence.'],
  'delimiter-stray':               ['fault', 'A delimitation item is where none belongs.'],
  'delimiter-length':              ['fault', 'A delimitation item has a length other than zero.'],
  'item-delimiter-missing':        ['fault', 'An Item of undefined length has no Item Delimitation Item.'],
  'sequence-delimiter-missing':    ['fault', 'A sequence of undefined length has no Sequence Delimitation Item.'],
  // Pixel Data (PS3.5 §8.2, A.4)
  'pixels-not-encapsulated':       ['fault', 'Pixel Data is native where the Transfer Syntax says that it is encapsulated.'],
  'pixels-encapsulated':           ['fault', 'Pixel Data is encapsulated where the Transfer Syntax says that it is native.'],
  'fragment-malformed':            ['fault', 'The header of a fragment is malformed.'],
  'offset-table-malformed':        ['fault', 'The Basic Offset Table is not a list of 32 bit offsets.'],
  'offset-table-wrong':            ['fault', 'The Basic Offset Table does not point to the fragments that are there.'],
  // Limits
  'depth-limit':                   ['limit', 'Sequences nest deeper than the limit.'],
  'element-limit':                 ['limit', 'There are more elements than the limit.'],
  'item-limit':                    ['limit', 'There are more Items and fragments than the limit.'],
} as const satisfies Record<string, readonly [ProblemGrade, string]>;

export type ProblemCode = keyof typeof table;

/** Grade and sentence of each code. */
export const problemKinds: ReadonlyMap<string, { readonly grade: ProblemGrade; readonly text: string }> = new Map(Object.entries(table).map(([code, [grade, text]]) => [code, { grade, text }]));

export function isProblemCode(code: string): code is ProblemCode {
  return problemKinds.has(code);
}

/** Of each code so many are kept: enough to show where, too few to be a way of filling memory. */
export const problemsOfOneCodeMax = 32;

/** Collects problems; `path` is asked for only where the problem is kept. */
export class ProblemList {
  readonly problems: Problem[] = [];
  readonly #counts = new Map<ProblemCode, number>();

  add(code: ProblemCode, offset: number, length: number, tag: number | null, path: string | (() => string), detail = ''): void {
    const count = this.#counts.get(code) ?? 0;
    this.#counts.set(code, count + 1);
    if (count >= problemsOfOneCodeMax) return;
    const text = table[code][1];
    const found = typeof path === 'string' ? path : path();
    this.problems.push({
      code,
      offset,
      length,
      tag: tag === null ? '' : tagText(tag),
      // At the top level the path is the tag.
      path: found === '' && tag !== null ? tagText(tag) : found,
      text: detail === '' ? text : `${text.slice(0, -1)}: ${detail}.`,
    });
  }

  /** Problems from this one on were found in an inflated Data Set: their place in the object is all of the deflate stream. */
  moveFrom(index: number, offset: number, length: number): void {
    for (let at = index; at < this.problems.length; at += 1) {
      const problem = this.problems[at]!;
      this.problems[at] = { ...problem, offset, length, text: `${problem.text.slice(0, -1)} (byte ${problem.offset} of the inflated Data Set).` };
    }
  }
}
