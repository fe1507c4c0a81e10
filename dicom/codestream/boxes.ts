/** Boxes of the ISO base media family (ISO/IEC 14496-12 §4.2; T.800 Annex I; ISO/IEC 18181-2): JP2, JPEG XL and MP4. */
import type { Notes } from './contract.ts';
import type { Stream } from './stream.ts';

export interface Box {
  readonly type: string;
  /** Of the content. */
  readonly at: number;
  readonly length: number;
  readonly depth: number;
}

export interface BoxRules {
  /** At the top level, each once. */
  readonly required: readonly string[];
  /** At the top level, any number of times. */
  readonly allowed: readonly string[];
  /** Hold boxes, at any level. */
  readonly supers: readonly string[];
  /** Inside those. */
  readonly inner: readonly string[];
  /** Called for what is in no list; says true when it has dealt with the box. */
  readonly other?: (box: Box) => boolean;
}

const boxesMax = 100_000;
const depthMax = 12;

/**
 * Every box from the first byte to the last, super boxes before what they hold. What is in no list is noted as extra; a length
 * that leaves its container as invalid, and then the boxes so far are returned. Zeros after the last box are padding.
 */
export function readBoxes(stream: Stream, notes: Notes, rules: BoxRules): Box[] {
  const boxes: Box[] = [];
  const seen = new Set<string>();
  // Ends of the super boxes that are open, outermost first.
  const ends = [stream.length];
  let at = 0;
  while (at < stream.length) {
    while (ends.length > 1 && at >= ends.at(-1)!) ends.pop();
    const end = ends.at(-1)!;
    const depth = ends.length - 1;
    if (depth === 0 && end - at < 8 && stream.skip(0, at, end) === end) break;
    const box = header(stream, at, end, depth);
    if (box === null) {
      // A writer's padding is zeros, which would be a box that reaches to the end.
      if (depth === 0 && stream.skip(0, at, end) === end) break;
      notes.invalid(at, Math.min(8, stream.length - at), `the box at byte ${at} is longer than what holds it`);
      return boxes;
    }
    if (boxes.length >= boxesMax) {
      notes.unwalked(at, 8, `it has more than ${boxesMax} boxes`);
      return boxes;
    }
    boxes.push(box);
    at = box.at;
    const isSuper = rules.supers.includes(box.type);
    const isTop = depth === 0;
    if (isTop && rules.required.includes(box.type)) {
      if (seen.has(box.type)) notes.extra(box.at, box.length, `it has two boxes "${box.type}"`);
      seen.add(box.type);
    } else if (!(isTop ? rules.allowed.includes(box.type) : rules.inner.includes(box.type) || isSuper) && rules.other?.(box) !== true) {
      notes.extra(box.at, box.length, `it has a box "${box.type}" of ${box.length} bytes that no pixels come from`);
    }
    if (isSuper && depth < depthMax) ends.push(box.at + box.length);
    else if (isSuper) notes.unwalked(box.at, box.length, 'its boxes are nested too deep');
    if (!isSuper || depth >= depthMax) at = box.at + box.length;
  }
  return boxes;
}

function header(stream: Stream, at: number, end: number, depth: number): Box | null {
  const short = stream.unsigned32(at);
  if (short < 0 || at + 8 > end) return null;
  const type = stream.letters(at + 4, 4);
  const head = short === 1 ? 16 : 8;
  const length = short === 1 ? stream.unsigned64(at + 8) : short === 0 ? end - at : short;
  // Zero, to the end of the file, is for the last box of the top level only.
  if (length < head || at + length > end || (short === 0 && (depth > 0 || type === '....'))) return null;
  return { type, at: at + head, length: length - head, depth };
}
