/**
 * An object as a list of its elements, in a form that every reader can be asked for: path, VR, length and a checksum of the value. "--" is the VR where
 * the encoding does not say it; of a sequence there is no length, since readers tell a declared and an undefined one apart no longer.
 */
import { crc32 } from 'node:zlib';
import { BytesSource } from '@lazaret/dicom/dataset/bytes.ts';
import { mapObject } from '@lazaret/dicom/filemap/map.ts';
import { inflateRaw } from '@lazaret/pacs/inspection/examiner/inflate.ts';

/** pydicom keeps of it what it makes of it, not what is there. */
const specificCharacterSet = 0x00080005;
const SQ = (0x53 << 8) | 0x51;
const UN = (0x55 << 8) | 0x4e;

/** The Transfer Syntax, then a line an element, in the order of their bytes. */
export function listingOf(bytes: Buffer, mapper: typeof mapObject = mapObject): string[] {
  const mapped = mapper(new BytesSource(bytes), { inflateRaw });
  const { elements, dataSetSource, encoding } = mapped;
  const lines = [mapped.transferSyntaxUID];
  const paths: string[] = [];
  const implicit: boolean[] = [];
  for (let row = 0; row < elements.count; row += 1) {
    const tag = elements.tags[row]!;
    paths.push('');
    implicit.push(encoding?.explicitVR === false);
    if (tag <= 0x0002ffff && elements.depths[row] === 0 && elements.valueOffsets[row]! <= mapped.dataSetOffset && (dataSetSource !== mapped.source || elements.headerOffsets[row]! < mapped.dataSetOffset)) continue;
    const parent = elements.parents[row]!;
    // Inside UN of undefined length everything is Implicit VR (PS3.5 §6.2.2, CP-246).
    if (parent >= 0) implicit[row] = implicit[parent]! || elements.vrs[parent] === UN;
    paths[row] = `${parent < 0 ? '' : `${paths[parent]}[${elements.items[row]}].`}${tag.toString(16).padStart(8, '0')}`;
    const [offset, length] = [elements.valueOffsets[row]!, elements.valueLengths[row]!];
    const vr = elements.vrs[row]!;
    const isUndefined = vr === UN && dataSetSource.read(offset - 4, 4).every((byte) => byte === 0xff);
    if (tag === specificCharacterSet) lines.push(paths[row]!);
    else if (vr === SQ || isUndefined) lines.push(`${paths[row]} SQ`);
    else lines.push(`${paths[row]} ${implicit[row] === true ? '--' : String.fromCharCode(vr >> 8, vr & 0xff)} ${length} ${crc32(dataSetSource.read(offset, length)).toString(16)}`);
  }
  return lines;
}

/** The first line in which two listings are not the same, as "ours | theirs"; null where there is none. */
export function differenceOf(ours: readonly string[], theirs: readonly string[]): string | null {
  for (let at = 0; at < Math.max(ours.length, theirs.length); at += 1) if (ours[at] !== theirs[at]) return `${ours[at] ?? '(ends)'} | ${theirs[at] ?? '(ends)'}`;
  return null;
}
