/** The bytes that are served of a reconciled instance: those of the stored file, checked by who reads it, with its patches. */
import { applyPatches as applyBytePatches } from '@lazaret/dicom/dataset/patched.ts';
import type { Patch } from './contract.ts';

/** How many bytes are served of a file of so many. */
export function servedBytes(bytes: number, patches: readonly Patch[] | null): number {
  return patches === null ? bytes : patches.reduce((sum, patch) => sum + Buffer.byteLength(patch.bytes, 'base64') - patch.length, bytes);
}

/** `stored`: all bytes of the file in order. Copies nothing but the patches. */
export function applyPatches(stored: AsyncIterable<Uint8Array>, patches: readonly Patch[]): AsyncGenerator<Uint8Array> {
  return applyBytePatches(stored, patches.map(({ offset, length, bytes }) => ({ offset, length, bytes: Buffer.from(bytes, 'base64') })));
}
