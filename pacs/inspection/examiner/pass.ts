/** One pass over all bytes of an object: its digests, and every byte before the engine. A large object goes by in windows. */
import { createHash, hash } from 'node:crypto';
import type { Finding } from '../../quarantine/contract.ts';
import { overlapBytes, type Place, type YaraEngine } from '../engines/yara.ts';
import type { FileSource } from './filesource.ts';

const windowBytes = 8 * 1024 * 1024;
/** A range of a large object is verified without reading all of it. */
export const chunkBytes = 1024 * 1024;
export const chunkedBytesMin = 8 * 1024 * 1024;

export interface PassOptions {
  /** Hash of the Data Set alone, and of a file that begins with `prefix` instead. */
  readonly dataSet: { readonly offset: number; readonly length: number; readonly prefix: Uint8Array | null } | null;
  place(offset: number): Place;
}

export interface PassResult {
  readonly sha256: string;
  readonly dataSetSha256: string;
  /** Of the disarmed file; "" where nothing is disarmed. */
  readonly disarmedSha256: string;
  /** Of each MiB of the file as it will be archived; empty for small ones. */
  readonly chunks: readonly string[];
  readonly findings: readonly Finding[];
}

export function passOver(source: FileSource, engine: YaraEngine, options: PassOptions): PassResult {
  const { dataSet } = options;
  const prefix = dataSet?.prefix ?? null;
  if (source.bytes !== null && dataSet === null && source.length <= chunkedBytesMin) {
    return { sha256: hash('sha256', source.bytes, 'hex'), dataSetSha256: '', disarmedSha256: '', chunks: [], findings: engine.scan({ bytes: source.bytes, offset: 0, place: options.place }) };
  }
  const whole = createHash('sha256');
  const part = dataSet === null ? null : createHash('sha256');
  const disarmed = prefix === null ? null : createHash('sha256').update(prefix);
  const archivedLength = prefix === null ? source.length : prefix.length + dataSet!.length;
  const chunks = archivedLength > chunkedBytesMin ? new ChunkHashes() : null;
  if (prefix !== null) chunks?.update(prefix);
  const findings: Finding[] = [];
  const known = new Set<string>();
  const size = Math.min(windowBytes + overlapBytes, source.length);
  const room = source.bytes === null ? Buffer.allocUnsafeSlow(size) : null;
  const step = source.bytes === null ? windowBytes : Math.max(1, source.length);
  for (let offset = 0; offset < source.length; offset += step) {
    const length = Math.min(step, source.length - offset);
    // The windows that the engine sees overlap, those that are hashed do not.
    const seen = room === null ? source.bytes! : room.subarray(0, Math.min(length + overlapBytes, source.length - offset));
    if (room !== null) source.readInto(seen, offset);
    const window = seen.subarray(0, length);
    whole.update(window);
    if (dataSet !== null) {
      const inside = window.subarray(Math.max(0, dataSet.offset - offset), Math.max(0, Math.min(length, dataSet.offset + dataSet.length - offset)));
      part!.update(inside);
      disarmed?.update(inside);
      if (prefix !== null) chunks?.update(inside);
    }
    if (prefix === null) chunks?.update(window);
    for (const finding of engine.scan({ bytes: seen, offset, place: options.place })) {
      const key = `${finding.code} ${finding.offset}`;
      if (known.has(key)) continue;
      known.add(key);
      findings.push(finding);
    }
  }
  return { sha256: whole.digest('hex'), dataSetSha256: part?.digest('hex') ?? '', disarmedSha256: disarmed?.digest('hex') ?? '', chunks: chunks?.end() ?? [], findings };
}

class ChunkHashes {
  readonly #digests: string[] = [];
  #hash = createHash('sha256');
  #filled = 0;

  update(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      const taken = Math.min(chunkBytes - this.#filled, bytes.length - at);
      this.#hash.update(bytes.subarray(at, at + taken));
      this.#filled += taken;
      at += taken;
      if (this.#filled === chunkBytes) this.#next();
    }
  }

  end(): string[] {
    if (this.#filled > 0) this.#next();
    return this.#digests;
  }

  #next(): void {
    this.#digests.push(this.#hash.digest('hex'));
    this.#hash = createHash('sha256');
    this.#filled = 0;
  }
}
