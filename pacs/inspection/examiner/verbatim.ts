/**
 * Values that are files of their own, or may be, as they stand in the Data Set: an engine that knows files by how they begin is shown each from its beginning.
 *
 * Not among them, since it was seen among the bytes of the object and can be nothing else: pixels (native ones are as long as their attributes say, codestreams
 * are walked to their end), overlays, curves, numbers, and what is shorter than any file that does harm and begins like none.
 */
import { tagText } from '@lazaret/dicom/dictionary/dictionary.ts';
import { isPrivate } from './contentprivate.ts';
import { documentTags } from './inside/document.ts';
import { headerBytes, recognise } from './inside/kinds.ts';
import type { PartOutlet } from './outlet.ts';
import { vrCode, type Reading } from './reading.ts';

/** Shorter ones are names and numbers. 187 public objects have 34 that are as long, in 19 of them: it costs little. */
const valueBytesMin = 1024;
/** What kinds.ts looks at, but for disc images. */
const beginningBytes = 2 * headerBytes;

const mayBeFiles: ReadonlySet<number> = new Set(['OB', 'OW', 'OD', 'OF', 'OL', 'OV', 'UN', 'UT', 'UC', 'LT', 'ST', 'UR'].map(vrCode));
const sequence = vrCode('SQ');

export function giveVerbatim(reading: Reading, outlet: PartOutlet): void {
  const { elements, dataSetSource, pixelData } = reading.mapped;
  for (let index = 0; index < elements.count; index += 1) {
    const tag = elements.tags[index]!;
    const [offset, length] = [elements.valueOffsets[index]!, elements.valueLengths[index]!];
    if (length === 0 || tag < 0x00030000 || index === pixelData || elements.vrs[index] === sequence) continue;
    // A sequence, whatever VR it was declared as: its values come one by one.
    if (elements.parents[index + 1] === index && index + 1 < elements.count) continue;
    const isDocument = tag === documentTags.document;
    if (!isDocument) {
      if (isGraphic(tag) || !(isPrivate(tag) || mayBeFiles.has(elements.vrs[index]!))) continue;
      if (length < valueBytesMin && !beginsAsFile(reading, index)) continue;
    }
    const name = isDocument ? `the document in ${tagText(tag)}` : `the value of ${tagText(tag)}`;
    outlet.giveRange({ name, at: { offset, length }, tag: tagText(tag) }, dataSetSource, offset, length);
  }
}

/** Pixel Data and its kin (7FE0), overlays (60xx) and curves (50xx). */
function isGraphic(tag: number): boolean {
  const group = tag >>> 16;
  return group === 0x7fe0 || ((group & 0xff00) === 0x6000 && !isPrivate(tag)) || ((group & 0xff00) === 0x5000 && !isPrivate(tag));
}

function beginsAsFile(reading: Reading, index: number): boolean {
  const view = reading.bytes(index, 0, Math.min(beginningBytes, reading.length(index)));
  return recognise(Buffer.from(view.buffer, view.byteOffset, view.length)) !== null;
}
