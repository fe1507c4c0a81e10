/** multipart/related answers (PS3.18 §8.6.1.2) from verified bytes, one part after the other. */
import { randomBytes } from 'node:crypto';
import { boundaryFrom, closeDelimiter, multipartType, partHead } from '@lazaret/dicom/web/multipart.ts';
import type { RouteAnswer } from '../../access/routes.ts';

export interface Part {
  readonly contentType: string;
  /** Absolute path of the resource. */
  readonly location: string;
  readonly bytes: number;
  readonly body: AsyncIterable<Uint8Array>;
}

/** Bytes that are read before the first answer byte is asked for and while parts are sent: about the next five CT slices. */
const aheadBytesMax = 3 * 1024 * 1024;
const aheadPartsMax = 8;

/**
 * The answer, with its length. The first bytes of the first part are there (and checked) before this resolves: what fails until then is an
 * error answer. What fails later breaks the answer off short of its length, so that nobody takes a part of it for the whole.
 */
export async function answerParts(type: string, parts: readonly Part[], headers: Readonly<Record<string, string>> = {}): Promise<RouteAnswer> {
  const boundary = boundaryFrom(randomBytes(24));
  const heads = parts.map((part, index) => partHead(boundary, [['Content-Type', part.contentType], ['Content-Location', part.location], ['Content-Length', String(part.bytes)]], index === 0));
  const end = closeDelimiter(boundary);
  const bytes = parts.reduce((sum, part, index) => sum + heads[index]!.length + part.bytes, end.length);
  const body = await started(join(parts, heads, end));
  return { status: 200, headers: { ...headers, 'content-type': multipartType(type, boundary), 'content-length': bytes }, body };
}

async function* join(parts: readonly Part[], heads: readonly Uint8Array[], end: Uint8Array): AsyncGenerator<Uint8Array> {
  const opened: Opened[] = [];
  let ahead = 0;
  let next = 0;
  try {
    for (let index = 0; index < parts.length; index += 1) {
      while (next < parts.length && (next <= index || (ahead + parts[next]!.bytes <= aheadBytesMax && next - index < aheadPartsMax))) {
        opened[next] = openPart(parts[next]!);
        ahead += parts[next]!.bytes;
        next += 1;
      }
      const { iterator, first } = opened[index]!;
      let sent = 0;
      for (let step = await first; step.done !== true; step = await iterator.next()) {
        if (sent === 0) yield heads[index]!;
        sent += step.value.length;
        yield step.value;
      }
      if (parts[index]!.bytes === 0) yield heads[index]!;
      ahead -= parts[index]!.bytes;
      delete opened[index];
    }
    yield end;
  } finally {
    // The user agent is gone, or something failed: whatever was opened ahead is closed.
    await Promise.allSettled(opened.map(async (one) => one.iterator.return?.()));
  }
}

interface Opened {
  readonly iterator: AsyncIterator<Uint8Array>;
  readonly first: Promise<IteratorResult<Uint8Array>>;
}

function openPart(part: Part): Opened {
  const iterator = part.body[Symbol.asyncIterator]();
  const first = iterator.next();
  // Met when its turn comes, which may be never.
  first.catch(() => {});
  return { iterator, first };
}

/** The same bytes, with the first of them already there. */
export async function started(bytes: AsyncGenerator<Uint8Array> | AsyncIterable<Uint8Array>): Promise<AsyncIterable<Uint8Array>> {
  const iterator = bytes[Symbol.asyncIterator]();
  let first: IteratorResult<Uint8Array> | null = await iterator.next();
  return {
    [Symbol.asyncIterator]: () => ({
      next() {
        const step = first === null ? iterator.next() : Promise.resolve(first);
        first = null;
        return step;
      },
      async return() {
        await iterator.return?.();
        return { done: true, value: undefined };
      },
    }),
  };
}
