/** The reading end: entries of the log in order, for `audit show` and for who exports them. Reads while the keeper writes. */
import { createReadStream } from 'node:fs';
import { refused } from '@lazaret/system/failure.ts';
import { entryBytesMax, frameLength, framingBytes, segmentsOf } from './files.ts';

export interface Entry {
  readonly number: number;
  readonly xml: string;
}

/** Entries from number `from` on. Stops before an entry that is still being written. Throws `audit-damaged` where the framing is broken. */
export async function* readEntries(folder: string, from = 0): AsyncGenerator<Entry> {
  const segments = segmentsOf(folder);
  for (const [index, segment] of segments.entries()) {
    if ((segments[index + 1]?.first ?? Infinity) <= from) continue;
    let number = segment.first;
    let rest: Buffer = Buffer.alloc(0);
    for await (const chunk of createReadStream(segment.entries, { highWaterMark: 256 * 1024 })) {
      rest = rest.length === 0 ? (chunk as Buffer) : Buffer.concat([rest, chunk as Buffer]);
      let offset = 0;
      while (rest.length - offset >= 9) {
        const length = frameLength(rest, offset);
        if (length === null || length > entryBytesMax) throw refused('audit-damaged', `entry ${number} in ${segment.entries} cannot be read; \`audit verify\` says more`);
        if (rest.length - offset < length + framingBytes) break;
        if (number >= from) yield { number, xml: rest.toString('utf8', offset + 9, offset + 9 + length) };
        offset += length + framingBytes;
        number += 1;
      }
      rest = rest.subarray(offset);
    }
  }
}

/** What `audit show` prints of an entry: the parts that a person scans, from the XML that encode.ts writes. */
export interface Summary {
  readonly time: string;
  readonly event: string;
  readonly types: readonly string[];
  readonly outcome: string;
  readonly description: string;
  readonly who: readonly string[];
  readonly what: readonly string[];
}

export function summarize(xml: string): Summary {
  const all = (pattern: RegExp): string[] => [...xml.matchAll(pattern)].map((match) => decodeReferences(match[1]!));
  return {
    time: all(/EventDateTime="([^"]*)"/g)[0] ?? '',
    event: all(/<EventID [^>]*originalText="([^"]*)"/g)[0] ?? '',
    types: all(/<EventTypeCode [^>]*originalText="([^"]*)"/g),
    outcome: all(/EventOutcomeIndicator="([^"]*)"/g)[0] ?? '',
    description: all(/<EventOutcomeDescription>([^<]*)</g)[0] ?? '',
    who: all(/<ActiveParticipant UserID="([^"]*)"/g),
    what: [...xml.matchAll(/<ParticipantObjectDetail type="([^"]*)" value="([^"]*)"/g)].map((match) => `${decodeReferences(match[1]!)}: ${Buffer.from(match[2]!, 'base64').toString('utf8')}`),
  };
}

/** Character references as encode.ts writes them. */
export function decodeReferences(text: string): string {
  return text.replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)));
}
