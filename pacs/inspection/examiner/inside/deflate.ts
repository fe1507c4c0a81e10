/** Deflate within the budget of an object, with what was consumed: bytes behind the stream are a place to hide in. */
import { constants, inflateRawSync, inflateSync } from 'node:zlib';
import type { Budget } from './contract.ts';

export interface Inflated {
  readonly output: Buffer;
  /** Bytes of the input that the stream took. */
  readonly consumed: number;
  /** `limit`: more than one part may have; the output is empty then. */
  readonly ended: 'complete' | 'truncated' | 'invalid' | 'limit';
}

interface Result {
  readonly buffer: Buffer;
  readonly engine: { readonly bytesWritten: number };
}

const nothing = Buffer.alloc(0);

/**
 * Inflates a stream without (`raw`) or with its zlib header and checksum. `packedBytes`: what it was made out of, where it was unpacked before.
 * Throws LimitReached where the object as a whole has no room left.
 */
export function inflate(bytes: Uint8Array, format: 'raw' | 'zlib', budget: Budget, packedBytes = bytes.length): Inflated {
  const maxOutputLength = budget.roomFor(packedBytes);
  if (maxOutputLength === 0) budget.takeBytes(1);
  budget.step(1 + (bytes.length >>> 8));
  const run = format === 'raw' ? inflateRawSync : inflateSync;
  let ended: Inflated['ended'] = 'complete';
  for (const finishFlush of [constants.Z_FINISH, constants.Z_SYNC_FLUSH]) {
    try {
      // `info` gives the engine back; Node's types describe only the buffer.
      const result = run(bytes, { maxOutputLength, finishFlush, info: true }) as unknown as Result;
      budget.takeBytes(result.buffer.length);
      return { output: result.buffer, consumed: result.engine.bytesWritten, ended };
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ERR_BUFFER_TOO_LARGE') {
        // The attempt cost time and memory, so that it counts.
        budget.takeBytes(maxOutputLength);
        return { output: nothing, consumed: 0, ended: 'limit' };
      }
      if (code !== 'Z_BUF_ERROR') return { output: nothing, consumed: 0, ended: 'invalid' };
      ended = 'truncated';
    }
  }
  return { output: nothing, consumed: 0, ended: 'invalid' };
}
