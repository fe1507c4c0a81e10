/**
 * Kretz volume files, (7FE1,xx01) of KRETZ_US: what an ultrasound device of GE saw, before it was made a picture of. No published standard; described by SlicerHeart
 * and others from files. Little endian:
 *
 *   "KRETZFILE 1.0   "   16 bytes
 *   for each item        group 2 bytes, element 2 bytes, length 4 bytes, the bytes; (FFFF,FFFF) is the last one
 */
import { restFrom, type Range, type VendorRecord } from './record.ts';

const magic = 'KRETZFILE 1.0   ';
const itemBytes = 8;
/** Real files have some hundred. */
const itemsMax = 100_000;

/** The file that `bytes` begin with, or null where they are none that can be read to its last item. Never throws. */
export function readVolume(bytes: Uint8Array): VendorRecord | null {
  for (let at = 0; at < magic.length; at += 1) if (bytes[at] !== magic.charCodeAt(at)) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const values: Range[] = [];
  let at = magic.length;
  for (let items = 0; items < itemsMax; items += 1) {
    // Without a last item, what is too short for another one is left.
    if (bytes.length - at < itemBytes) return { values, unexplained: restFrom(at, bytes.length) };
    const isLast = view.getUint32(at, true) === 0xffffffff;
    const length = view.getUint32(at + 4, true);
    at += itemBytes;
    if (length > bytes.length - at) return null;
    if (length > 0) values.push({ offset: at, length });
    at += length;
    if (isLast) return { values, unexplained: restFrom(at, bytes.length) };
  }
  return null;
}
