/** The bytes that are served of a reconciled instance: those of the stored file, checked by who reads it, with its patches. */
import type { Patch } from './contract.ts';

/** How many bytes are served of a file of so many. */
export function servedBytes(bytes: number, patches: readonly Patch[] | null): number {
  return patches === null ? bytes : patches.reduce((sum, patch) => sum + Buffer.byteLength(patch.bytes, 'base64') - patch.length, bytes);
}

/** `stored`: all bytes of the file in order. Copies nothing but the patches. */
export async function* applyPatches(stored: AsyncIterable<Uint8Array>, patches: readonly Patch[]): AsyncGenerator<Uint8Array> {
  let position = 0;
  let next = 0;
  /** Stored bytes up to here are not served. */
  let skipTo = 0;
  for await (const piece of stored) {
    const end = position + piece.length;
    let at = position;
    // One that begins where this piece ends belongs to the next, or to the end of all.
    while (next < patches.length && patches[next]!.offset < end) {
      const { offset, length, bytes } = patches[next]!;
      const from = Math.max(at, skipTo);
      if (offset > from) yield piece.subarray(from - position, offset - position);
      if (bytes !== '') yield Buffer.from(bytes, 'base64');
      skipTo = offset + length;
      at = offset;
      next += 1;
    }
    const from = Math.max(at, skipTo);
    if (from < end) yield piece.subarray(from - position);
    position = end;
  }
  for (; next < patches.length; next += 1) if (patches[next]!.bytes !== '') yield Buffer.from(patches[next]!.bytes, 'base64');
}
