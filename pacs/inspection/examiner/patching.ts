/**
 * An archived object under another identity: which of its bytes are served otherwise, and its metadata as they are then. It was found clean before; here it
 * is read for this alone, and the engine looks at what would be written into it: people and worklists say that, and so it came past no inspection.
 */
import { createHash } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import type { BytePatch } from '@lazaret/dicom/dataset/patched.ts';
import { replaceIdentity, type Replaced } from '@lazaret/dicom/dataset/replace.ts';
import type { ByteSource } from '@lazaret/dicom/filemap/contract.ts';
import { mapObject } from '@lazaret/dicom/filemap/map.ts';
import type { Finding } from '../../quarantine/contract.ts';
import { patchTextMax, type PatchAnswer, type PatchRequest } from '../../quarantine/patch.ts';
import { encodeSpans, findingsMax, type Assignment, type Report } from '../assignment.ts';
import { overlapBytes, type Place, type YaraEngine } from '../engines/yara.ts';
import type { FileSource } from './filesource.ts';
import { inflateRaw } from './inflate.ts';
import { placeInDataSet, placeInObject } from './place.ts';

const pieceBytes = 1024 * 1024;
const packing = { inflateRaw, deflateRaw: (bytes: Uint8Array): Uint8Array => deflateRawSync(bytes) };

/** The report has findings where the engine met something in what would be served; whoever asked decides what that means. */
export function patchObject(assignment: Assignment, { identity, provenance }: PatchRequest, source: FileSource, engine: YaraEngine): { readonly report: Report; readonly spans: Uint8Array } {
  const sha256 = digestOf(source);
  const mapped = mapObject(source, { inflateRaw });
  const replaced = replaceIdentity(mapped, identity, provenance, packing);
  const patch: PatchAnswer = 'problem' in replaced
    ? { outcome: 'impossible', text: replaced.problem.slice(0, patchTextMax), patches: [], metadata: '' }
    : { outcome: 'patched', text: '', patches: replaced.patches.map(({ offset, length, bytes }) => ({ offset, length, bytes: Buffer.from(bytes).toString('base64') })), metadata: replaced.metadata };
  // Its offsets are those of the object as it would be served, which nobody has: only the element is told.
  const findings = 'problem' in replaced ? [] : scanned(replaced, engine).slice(0, findingsMax).map((finding) => ({ ...finding, offset: 0, length: 0 }));
  const report: Report = { id: assignment.id, sha256, bytes: source.length, findings, instance: null, disarmed: null, dataSetSha256: '', pixels: null, map: null, patch };
  return { report, spans: encodeSpans(mapped.spans) };
}

/** What is new, with as much before and after it as what belongs to one match may lie apart; of a deflated Data Set, all of it. */
function scanned({ patches, patched }: Replaced, engine: YaraEngine): Finding[] {
  if (patches.length === 0) return [];
  const { source, dataSetSource } = patched;
  const findings = stretches(patches, source.length).flatMap(([from, to]) => scan(engine, source, from, to, placeInObject(patched)));
  return dataSetSource === source ? findings : [...findings, ...scan(engine, dataSetSource, 0, dataSetSource.length, placeInDataSet(patched))];
}

function scan(engine: YaraEngine, source: ByteSource, from: number, to: number, place: (offset: number) => Place): Finding[] {
  const findings: Finding[] = [];
  for (let offset = from; offset < to; offset += pieceBytes) findings.push(...engine.scan({ bytes: source.read(offset, Math.min(pieceBytes + overlapBytes, to - offset)), offset, place }));
  return findings;
}

/** Of the patched object; those that touch are one. */
function stretches(patches: readonly BytePatch[], length: number): (readonly [from: number, to: number])[] {
  const found: [number, number][] = [];
  let moved = 0;
  for (const { offset, length: removed, bytes } of patches) {
    const start = offset + moved;
    const [from, to] = [Math.max(0, start - overlapBytes), Math.min(length, start + bytes.length + overlapBytes)];
    const last = found.at(-1);
    if (last !== undefined && from <= last[1]) last[1] = to;
    else found.push([from, to]);
    moved += bytes.length - removed;
  }
  return found;
}

/** Patches are about the very bytes that were archived. */
function digestOf(source: FileSource): string {
  const hash = createHash('sha256');
  const piece = source.bytes === null ? Buffer.allocUnsafe(pieceBytes) : null;
  if (piece === null) hash.update(source.bytes!);
  else {
    for (let offset = 0; offset < source.length; offset += pieceBytes) {
      const part = piece.subarray(0, Math.min(pieceBytes, source.length - offset));
      source.readInto(part, offset);
      hash.update(part);
    }
  }
  return hash.digest('hex');
}
