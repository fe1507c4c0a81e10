/** The audit log as it was when it had so many entries: which files, and how much of each. The log only grows, so that is its beginning. */
import { createReadStream, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { checkpointsPath, frameLength, framingBytes, keyPath, leafBytes, publicKeyPath, segmentsOf } from '@lazaret/audit/files.ts';
import { unavailable } from '@lazaret/system/failure.ts';

export interface Cut {
  readonly source: string;
  /** From the data directory on. */
  readonly path: string;
  readonly bytes: number;
}

/** There must be a checkpoint of exactly `entries`. Throws `audit-damaged`. */
export async function cutAudit(folder: string, entries: number): Promise<Cut[]> {
  const cuts: Cut[] = [];
  const add = (source: string, bytes: number): void => void cuts.push({ source, path: `audit/${basename(source)}`, bytes });
  const segments = segmentsOf(folder).filter((segment) => segment.first <= entries);
  for (const [index, segment] of segments.entries()) {
    const next = segments[index + 1];
    const count = (next?.first ?? entries) - segment.first;
    add(segment.entries, next === undefined ? await offsetOf(segment.entries, count) : statSync(segment.entries).size);
    add(segment.leaves, count * leafBytes);
  }
  add(checkpointsPath(folder), checkpointEnd(checkpointsPath(folder), entries));
  for (const path of [keyPath(folder), publicKeyPath(folder)]) add(path, statSync(path).size);
  for (const name of readdirSync(folder)) if (/^torn-\d{1,15}-\d{1,15}\.bin$/.test(name) && existsSync(join(folder, name))) add(join(folder, name), statSync(join(folder, name)).size);
  return cuts;
}

/** Where entry number `count` of a segment begins. */
async function offsetOf(path: string, count: number): Promise<number> {
  if (count === 0) return 0;
  let offset = 0;
  let seen = 0;
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 })) {
    rest = rest.length === 0 ? (chunk as Buffer) : Buffer.concat([rest, chunk as Buffer]);
    let at = 0;
    while (rest.length - at >= 9) {
      const length = frameLength(rest, at);
      if (length === null) throw damaged(`entry ${seen} of ${path} cannot be read`);
      if (rest.length - at < length + framingBytes) break;
      at += length + framingBytes;
      seen += 1;
      if (seen === count) return offset + at;
    }
    offset += at;
    rest = rest.subarray(at);
  }
  throw damaged(`${path} ends after ${seen} of ${count} entries`);
}

function checkpointEnd(path: string, entries: number): number {
  const bytes = readFileSync(path);
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf(0x0a, at);
    if (end < 0) break;
    if (bytes.toString('latin1', at, end).startsWith(`{"size":${entries},`)) return end + 1;
    at = end + 1;
  }
  throw damaged(`there is no signed checkpoint of ${entries} entries`);
}

function damaged(what: string): Error {
  return unavailable('audit-damaged', `The audit log cannot be backed up: ${what}. \`./lazaret audit verify\` says more.`);
}
