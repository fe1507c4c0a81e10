/**
 * Raw deflate for the reader (ReaderTools), bounded: a stream that grows past its limit is stopped there, whatever it declares.
 * Node's zlib does the work; `maxOutputLength` bounds the memory and `bytesWritten` says how many input bytes the stream took.
 */
import { constants, inflateRawSync } from 'node:zlib';
import { BytesSource } from '@lazaret/dicom/dataset/bytes.ts';
import type { ByteSource, ReaderTools } from '@lazaret/dicom/filemap/contract.ts';
import { readBytesMax } from './filesource.ts';

/** Most bytes that one Data Set is inflated to: the examiner may use a gibibyte in all. */
export const inflatedBytesMax = 256 * 1024 * 1024;

const nothing = new BytesSource(new Uint8Array(0));

interface InflateResult {
  readonly buffer: Buffer;
  readonly engine: { readonly bytesWritten: number };
}

export const inflateRaw: ReaderTools['inflateRaw'] = (source: ByteSource, offset: number, length: number, outputBytesMax: number) => {
  if (length > readBytesMax) return { output: nothing, consumed: 0, ended: 'limit' };
  // Copied: the view is only valid until the next read.
  const input = Buffer.from(source.read(offset, length));
  const maxOutputLength = Math.min(outputBytesMax, inflatedBytesMax);
  try {
    // `info` gives the engine back; Node's types describe only the buffer.
    const result = inflateRawSync(input, { maxOutputLength, info: true }) as unknown as InflateResult;
    return { output: new BytesSource(result.buffer), consumed: result.engine.bytesWritten, ended: 'complete' };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ERR_BUFFER_TOO_LARGE') return { output: nothing, consumed: 0, ended: 'limit' };
    const ended = code === 'Z_BUF_ERROR' ? 'truncated' : 'invalid';
    return { output: partOf(input, maxOutputLength), consumed: 0, ended };
  }
};

/** What can be had of a stream that ends early: people want to see how far it goes. */
function partOf(input: Buffer, maxOutputLength: number): ByteSource {
  try {
    return new BytesSource(inflateRawSync(input, { maxOutputLength, finishFlush: constants.Z_SYNC_FLUSH }));
  } catch {
    return nothing;
  }
}
