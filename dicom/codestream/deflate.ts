/** Frames that are not coded: deflated (PS3.5 A.4.13) or as they are (A.4.11). */
import { BytesSource } from '../dataset/bytes.ts';
import type { ReaderTools } from '../filemap/contract.ts';
import { Notes, type Expected, type Walk, type Walker } from './contract.ts';
import type { Stream } from './stream.ts';

/** A deflated frame is in memory while it is inflated, and what it inflates to as well. */
const deflatedBytesMax = 64 * 1024 * 1024;

/** The bytes of one native frame: one-bit pixels are packed over the whole frame (PS3.5 §8.2). */
function frameBytes(expected: Expected): number {
  return Math.ceil((expected.rows * expected.columns * expected.samples * expected.bitsAllocated) / 8);
}

/** One raw deflate stream that inflates to exactly one frame, or that and the byte that makes it even, and nothing after it but one pad byte. */
export function walkDeflate(tools: ReaderTools): Walker {
  return (stream, expected) => {
    const notes = new Notes();
    if (stream.fragments !== 1) {
      notes.invalid(0, stream.length, `a deflated frame is one fragment, this one has ${stream.fragments}`);
      return notes.done(0);
    }
    if (stream.length > deflatedBytesMax) {
      notes.unwalked(0, stream.length, `its ${stream.length} deflated bytes are more than are inflated here`);
      return notes.done(0);
    }
    const most = expected === null ? deflatedBytesMax : frameBytes(expected) + (frameBytes(expected) % 2);
    const { output, consumed, ended } = tools.inflateRaw(new BytesSource(stream.copy(0, stream.length)), 0, stream.length, most);
    if (ended !== 'complete') {
      notes.invalid(0, stream.length, ended === 'limit' ? `it inflates to more than the ${most} bytes of a frame` : ended === 'truncated' ? 'its deflate stream is cut off' : 'it is no deflate stream');
      return notes.done(consumed);
    }
    if (expected !== null && output.length < frameBytes(expected)) notes.invalid(0, stream.length, `it inflates to ${output.length} bytes where ${frameBytes(expected)} are expected`);
    const left = stream.length - consumed;
    if (left > 1) notes.extra(consumed, left, `${left} bytes follow its deflate stream`);
    return notes.done(consumed);
  };
}

/** A frame as it is, made even. */
export function walkUncompressed(stream: Stream, expected: Expected | null): Walk {
  const notes = new Notes();
  if (stream.fragments !== 1) notes.invalid(0, stream.length, `an uncompressed frame is one fragment, this one has ${stream.fragments}`);
  const bytes = expected === null ? stream.length : frameBytes(expected);
  if (stream.length < bytes) notes.invalid(0, stream.length, `it has ${stream.length} bytes where ${bytes} are expected`);
  else if (stream.length > bytes + (bytes % 2)) notes.extra(bytes, stream.length - bytes, `it has ${stream.length} bytes where ${bytes} are expected`);
  return notes.done(Math.min(bytes, stream.length));
}
