/**
 * A sequence inside a value of VR UN and defined length: Implicit VR Little Endian, whatever surrounds it (PS3.5 §6.2.2, note 4). The reader of
 * the Data Set leaves it as one value; whoever looks into values finds those that are in it here.
 */

/** A value that holds no others. Offsets are into the bytes that were given. */
export interface Leaf {
  readonly tag: number;
  readonly offset: number;
  readonly length: number;
  /** Number of the Item that it lies in: what has the same is of one Item, as a private element and its creator are. */
  readonly item: number;
}

/** As deep as the reader of the Data Set goes (filemap/limits.ts), and as many: this is one value of it. */
const depthMax = 16;
const leavesMax = 200_000;

const itemTag = 0xfffee000;
const itemDelimitationTag = 0xfffee00d;
const sequenceDelimitationTag = 0xfffee0dd;
const undefinedLength = 0xffffffff;

interface Open {
  readonly kind: 'sequence' | 'item';
  /** Where it ends; for undefined length, where what holds it ends. */
  readonly end: number;
  readonly delimited: boolean;
  /** Of an Item. */
  readonly number: number;
}

/** Values of the sequence whose Items are `bytes`, or null where they are not Items to the last byte, or more than is read. Never throws. */
export function leavesOf(bytes: Uint8Array): readonly Leaf[] | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const leaves: Leaf[] = [];
  const open: Open[] = [{ kind: 'sequence', end: bytes.length, delimited: false, number: 0 }];
  let items = 0;
  let at = 0;
  while (open.length > 0) {
    const { kind, end, delimited, number } = open.at(-1)!;
    if (at === end) {
      // Without its delimitation item what is delimited is not whole.
      if (delimited) return null;
      open.pop();
      continue;
    }
    if (at + 8 > end || open.length > depthMax * 2) return null;
    const tag = ((view.getUint16(at, true) << 16) | view.getUint16(at + 2, true)) >>> 0;
    const length = view.getUint32(at + 4, true);
    at += 8;
    if (kind === 'sequence') {
      if (tag === sequenceDelimitationTag && length === 0 && delimited) open.pop();
      else if (tag !== itemTag || (length !== undefinedLength && length > end - at)) return null;
      else open.push({ kind: 'item', end: length === undefinedLength ? end : at + length, delimited: length === undefinedLength, number: ++items });
      continue;
    }
    if (tag === itemDelimitationTag && length === 0 && delimited) {
      open.pop();
      continue;
    }
    if (tag >>> 16 === 0xfffe) return null;
    if (length === undefinedLength) open.push({ kind: 'sequence', end, delimited: true, number: 0 });
    else if (length > end - at) return null;
    else if (isItems(view, at, length)) open.push({ kind: 'sequence', end: at + length, delimited: false, number: 0 });
    else {
      if (leaves.length >= leavesMax) return null;
      leaves.push({ tag, offset: at, length, item: number });
      at += length;
    }
  }
  return leaves;
}

/** Implicit VR does not say what is a sequence: a value that begins with an Item that fits is taken for one. */
function isItems(view: DataView, at: number, length: number): boolean {
  if (length < 8 || view.getUint32(at, true) !== 0xe000fffe) return false;
  const item = view.getUint32(at + 4, true);
  return item === undefinedLength || item <= length - 8;
}
