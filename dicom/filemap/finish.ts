/** Checks that need the whole of an object: who it says it is, and whether its Basic Offset Table is true. */
import type { ByteSource, ElementTable, FileMeta, MappedObject } from './contract.ts';
import type { ProblemList } from './problems.ts';
import { Window } from './window.ts';

const sopClassUIDTag = 0x00080016;
const sopInstanceUIDTag = 0x00080018;
/** SOP Class, SOP Instance, Study Instance, Series Instance. */
const identityTags = [sopClassUIDTag, sopInstanceUIDTag, 0x0020000d, 0x0020000e];
/** PS3.5 §9.1: 64 characters; twice that is read so that a long one is seen to be long. */
const uidBytesMax = 128;

/** UIDs that identify the object must be UIDs, and the File Meta Information must name the same (PS3.10 §7.1). */
export function checkIdentity(source: ByteSource, elements: ElementTable, meta: FileMeta | null, problems: ProblemList): void {
  for (let row = 0; row < elements.count; row += 1) {
    const tag = elements.tags[row]!;
    if (elements.depths[row] !== 0 || !identityTags.includes(tag)) continue;
    const offset = elements.valueOffsets[row]!;
    const length = elements.valueLengths[row]!;
    const uid = uidText(source.read(offset, Math.min(length, uidBytesMax)));
    if (length > 0 && (length > uidBytesMax || !/^[0-9.]{1,64}$/.test(uid))) problems.add('uid-invalid', offset, length, tag, '');
    const declared = tag === sopClassUIDTag ? meta?.mediaStorageSOPClassUID : tag === sopInstanceUIDTag ? meta?.mediaStorageSOPInstanceUID : undefined;
    if (declared !== undefined && declared !== '' && declared !== uid) problems.add('meta-uid-mismatch', offset, length, tag, '');
  }
}

/** Without padding; bytes outside ASCII become "?", which no UID has. */
function uidText(bytes: Uint8Array): string {
  let end = bytes.length;
  while (end > 0 && (bytes[end - 1] === 0 || bytes[end - 1] === 0x20)) end -= 1;
  let text = '';
  for (let index = 0; index < end; index += 1) text += bytes[index]! < 0x80 ? String.fromCharCode(bytes[index]!) : '?';
  return text;
}

/** Each entry must be the offset of a fragment's item header from the first of them, rising, the first 0 (PS3.5 A.4). An empty table is legal. */
export function checkOffsetTable(source: ByteSource, fragments: NonNullable<MappedObject['fragments']>, problems: ProblemList): void {
  const [offset, length] = fragments.basicOffsetTable;
  if (length === 0) return;
  const pixelDataTag = 0x7fe00010;
  if (length % 4 !== 0) return problems.add('offset-table-malformed', offset, length, pixelDataTag, '(7FE0,0010)', `${length} bytes`);
  const window = new Window(source);
  const first = (fragments.offsets[0] ?? 0) - 8;
  let fragment = 0;
  for (let entry = 0; entry < length / 4; entry += 1) {
    const index = window.at(offset + entry * 4, 4);
    const { bytes } = window;
    const target = ((bytes[index + 3]! << 24) | (bytes[index + 2]! << 16) | (bytes[index + 1]! << 8) | bytes[index]!) >>> 0;
    while (fragment < fragments.offsets.length && fragments.offsets[fragment]! - 8 - first < target) fragment += 1;
    const found = fragment < fragments.offsets.length && fragments.offsets[fragment]! - 8 - first === target;
    if (!found || (entry === 0 && target !== 0)) return problems.add('offset-table-wrong', offset + entry * 4, 4, pixelDataTag, '(7FE0,0010)', `entry ${entry} is ${target}`);
    fragment += 1;
  }
}
