/** The memory of what a socket or an HTTP request gave. */

/**
 * Gives the memory of a chunk back at once, when all of it was taken; nobody may look at it after this. Left to the garbage collector, it comes back
 * by 64 MB at a time, each time by a collection of the whole heap, and no chunk finds memory that the processor's cache still has. What is only a
 * view into a larger buffer is left alone.
 */
export function giveBack(chunk: Uint8Array): void {
  if (chunk.length > 0 && chunk.buffer instanceof ArrayBuffer && chunk.buffer.byteLength === chunk.length) chunk.buffer.transfer(0);
}
