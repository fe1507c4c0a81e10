/**
 * What says in a de-identified object that it is one: Patient Identity Removed (0012,0062) and De-identification Method (0012,0063), PS3.3 C.7.1.1. They are the
 * only bytes that an export adds. Room is made before them by shortening values that are emptied anyway, so that in most objects only what lies between has another
 * offset.
 *
 * The method is told as text and not as a code of (0012,0064): attributes that the Basic Profile removes are empty, not gone.
 */
import { confidentialityEdition } from '@lazaret/dicom/dictionary/confidentiality.ts';
import { elementOf } from '@lazaret/dicom/dataset/elementbytes.ts';
import { vrByCode, vrCode } from '@lazaret/dicom/dataset/vrs.ts';
import type { MappedObject } from '@lazaret/dicom/filemap/contract.ts';
import type { Blanking } from '../../quarantine/requests.ts';

const patientIdentityRemoved = 0x00120062;
const deIdentificationMethod = 0x00120063;
const deIdentificationMethodCodeSequence = 0x00120064;
/** Short: what needs no room moves nothing. The manifest says more. */
export const method = `PS3.15 ${confidentialityEdition} Basic Profile\\Pixels not cleaned`;

/** In order and without overlap. `emptied`: values that are overwritten with nothing, length by offset; some of them become shorter. */
export function statementOf({ elements, encoding, dataSetOffset, dataSetLength, source }: MappedObject, emptied: ReadonlyMap<number, number>): Blanking['patches'] {
  if (encoding === undefined) return [];
  const text = (value: string): Uint8Array => Buffer.from(value, 'latin1');
  const statement = Buffer.concat([elementOf(encoding, patientIdentityRemoved, 'CS', text('YES')), elementOf(encoding, deIdentificationMethod, 'LO', text(method))]);
  const top: number[] = [];
  const grouped = new Set<number>();
  for (let row = 0; row < elements.count; row += 1) {
    const tag = elements.tags[row]!;
    // Group 2 is not in the Data Set; what follows its end is outside of it, too.
    if (elements.depths[row] !== 0 || elements.headerOffsets[row]! < dataSetOffset || elements.headerOffsets[row]! >= dataSetOffset + dataSetLength) continue;
    top.push(row);
    if ((tag & 0xffff) === 0) grouped.add(tag >>> 16);
  }
  const startOf = (index: number): number => (index < top.length ? elements.headerOffsets[top[index]!]! : dataSetOffset + dataSetLength);
  const foundAt = top.findIndex((row) => elements.tags[row]! > deIdentificationMethodCodeSequence);
  const place = foundAt < 0 ? top.length : foundAt;
  const patches: { offset: number; length: number; bytes: Uint8Array }[] = [{ offset: startOf(place), length: 0, bytes: statement }];
  let need = statement.length;
  for (const [index, row] of top.entries()) {
    const tag = elements.tags[row]!;
    // What was said of it before; and a group length, retired, that would be wrong now.
    if ((tag >= patientIdentityRemoved && tag <= deIdentificationMethodCodeSequence) || tag === 0x00120000) {
      patches.push({ offset: startOf(index), length: startOf(index + 1) - startOf(index), bytes: new Uint8Array(0) });
      need -= startOf(index + 1) - startOf(index);
    }
  }
  for (let index = place - 1; index >= 0 && need > 1; index -= 1) {
    const row = top[index]!;
    const group = elements.tags[row]! >>> 16;
    const [offset, length] = [elements.valueOffsets[row]!, elements.valueLengths[row]!];
    const vr = vrByCode.get(vrCode(elements.vrs[row]!));
    const short = encoding.explicitVR && vr?.longLength === false;
    if (group < 0x0008 || grouped.has(group) || emptied.get(offset) !== length) continue;
    // Numbers go all or not at all.
    const taken = (vr?.unitBytes ?? 0) > 0 && length > need ? 0 : Math.min(length, need) & ~1;
    if (taken <= 0) continue;
    const field = short ? 2 : 4;
    // A length that is not written as one is that of something else.
    if (readLength(source.read(offset - field, field), encoding.littleEndian) !== length) continue;
    patches.push({ offset: offset - field, length: field + taken, bytes: lengthOf(length - taken, field, encoding.littleEndian) });
    need -= taken;
  }
  return patches.toSorted((one, other) => one.offset - other.offset || one.length - other.length).map(({ offset, length, bytes }) => ({ offset, length, bytes: Buffer.from(bytes).toString('base64') }));
}

function readLength(bytes: Uint8Array, littleEndian: boolean): number {
  const buffer = Buffer.from(bytes);
  return littleEndian ? buffer.readUIntLE(0, buffer.length) : buffer.readUIntBE(0, buffer.length);
}

function lengthOf(length: number, field: number, littleEndian: boolean): Uint8Array {
  const bytes = Buffer.alloc(field);
  if (littleEndian) bytes.writeUIntLE(length, 0, field);
  else bytes.writeUIntBE(length, 0, field);
  return bytes;
}
