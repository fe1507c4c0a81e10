/** A deflated Data Set (PS3.5 A.5) with other bytes inside: unpacked it is patched, and packed again as a whole. */
import type { MappedObject, ReaderTools } from '../filemap/contract.ts';
import { PatchedSource, type BytePatch } from './patched.ts';

/** Why something cannot be written otherwise, as a sentence for people. */
export class Impossible extends Error {}

/** What a deflated Data Set needs: all of it is unpacked, patched and packed again. */
export interface Packing extends ReaderTools {
  /** Raw deflate (RFC 1951). */
  deflateRaw(bytes: Uint8Array): Uint8Array;
}

/** Of a deflated Data Set the one patch is all of it: such objects are small, and one that is not stays as it is. */
export const deflatedBytesMax = 1024 * 1024;
/** What is written anew grows by what is moved, and deflate of another maker packs a little less. */
export const deflatedPatchBytesMax = deflatedBytesMax + 256 * 1024;
const inflatedBytesMax = 64 * 1024 * 1024;

/** Throws Impossible, also where there is nothing to pack with. */
export function checkDeflated(mapped: MappedObject, packing: Packing | null): void {
  if (packing === null) throw new Impossible('The object is deflated as a whole (Deflated Explicit VR), so that single values of it cannot be served otherwise.');
  if (mapped.dataSetLength > deflatedBytesMax || mapped.dataSetSource.length > inflatedBytesMax) {
    throw new Impossible(`The object is deflated as a whole (Deflated Explicit VR) and has ${mapped.dataSetLength} bytes so, ${mapped.dataSetSource.length} unpacked; it is served otherwise only up to ${deflatedBytesMax} and ${inflatedBytesMax}.`);
  }
}

/** All of the deflate stream, and the byte that pads it to an even length (PS3.5 A.5). Where other bytes follow, those stay as they are. */
export function repacked(mapped: MappedObject, inside: readonly BytePatch[], packing: Packing): BytePatch {
  const patched = new PatchedSource(mapped.dataSetSource, inside);
  const packed = packing.deflateRaw(patched.read(0, patched.length));
  const after = mapped.source.length - mapped.dataSetOffset - mapped.dataSetLength;
  const bytes = new Uint8Array(packed.length + (after > 1 ? 0 : packed.length % 2));
  bytes.set(packed);
  if (bytes.length > deflatedPatchBytesMax) throw new Impossible(`Deflated again it has more than ${deflatedPatchBytesMax} bytes.`);
  return { offset: mapped.dataSetOffset, length: mapped.dataSetLength + (after > 1 ? 0 : after), bytes };
}
