/**
 * Philips' parameter files ("IEEE_PDF"): how an MR scanner was set, in the items of (2005,xx32) of Philips MR Imaging DD 002, one for each part of the scanner.
 * No published standard; described by GDCM from files. Little endian, numbers of 32 bits:
 *
 *   header       places and counts: integers; floating point numbers; texts (in bytes); parameters. A place is counted from where it stands.
 *   parameters   50 bytes each: name 33, a flag 1, type, count, 0, place of the values
 *   integers     4 bytes each, enumerations among them
 *   floats       4 bytes each
 *   texts        81 bytes each, ended by NUL
 */
import { rangesBeside, type Range, type VendorRecord } from './record.ts';

const headerBytes = 32;
const parameterBytes = 50;
const nameBytes = 33;
/** The largest files that were described have some hundred. */
const parametersMax = 20_000;
/** Where in a parameter its type, count and place stand. */
const field = { type: 34, count: 38, place: 46 } as const;
/** Type → bytes of a value: floating point number, integer, text, enumeration. 3 was seen by nobody. */
const valueBytes: ReadonlyMap<number, number> = new Map([[0, 4], [1, 4], [2, 81], [4, 4]]);

/** The file that `bytes` are, or null where they are none that can be read to its last parameter. Never throws. */
export function readParameters(bytes: Uint8Array): VendorRecord | null {
  if (bytes.length < headerBytes) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const word = (at: number): number => view.getUint32(at, true);
  const count = word(28);
  if (count === 0 || count > parametersMax || 24 + word(24) !== headerBytes || headerBytes + count * parameterBytes > bytes.length) return null;
  const parts: Range[] = [{ offset: 0, length: headerBytes + count * parameterBytes }];
  for (const [at, size] of [[0, 4], [8, 4], [16, 1]] as const) {
    const part = { offset: at + word(at), length: word(at + 4) * size };
    if (part.offset + part.length > bytes.length || (part.length > 0 && part.offset < parts[0]!.length)) return null;
    parts.push(part);
  }
  const arrays = parts.splice(1);
  const values: Range[] = [];
  for (let number = 0; number < count; number += 1) {
    const start = headerBytes + number * parameterBytes;
    const size = valueBytes.get(word(start + field.type));
    if (size === undefined || !isName(bytes, start)) return null;
    const value = { offset: start + field.place + word(start + field.place), length: word(start + field.count) * size };
    if (value.length === 0) continue;
    if (!arrays.some((part) => value.offset >= part.offset && value.offset + value.length <= part.offset + part.length)) return null;
    values.push(value);
  }
  // A place in an array that no parameter has is nobody's.
  return { values, unexplained: rangesBeside([...parts, ...values], bytes.length) };
}

/** Printable and ended by NUL within its field. */
function isName(bytes: Uint8Array, start: number): boolean {
  const end = bytes.indexOf(0, start);
  if (end <= start || end >= start + nameBytes) return false;
  for (let at = start; at < end; at += 1) if (bytes[at]! < 0x20 || bytes[at]! > 0x7e) return false;
  return true;
}
