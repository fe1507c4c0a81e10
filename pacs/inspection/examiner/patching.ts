/**
 * An archived object under another identity: which of its bytes are served otherwise, and its metadata as they are then. It was found clean before; here it
 * is read for this alone.
 */
import { createHash } from 'node:crypto';
import { replaceIdentity } from '@lazaret/dicom/dataset/replace.ts';
import { mapObject } from '@lazaret/dicom/filemap/map.ts';
import { patchTextMax, type PatchAnswer, type PatchRequest } from '../../quarantine/patch.ts';
import { encodeSpans, type Assignment, type Report } from '../assignment.ts';
import type { FileSource } from './filesource.ts';
import { inflateRaw } from './inflate.ts';

const pieceBytes = 1024 * 1024;

export function patchObject(assignment: Assignment, { identity, provenance }: PatchRequest, source: FileSource): { readonly report: Report; readonly spans: Uint8Array } {
  const sha256 = digestOf(source);
  const mapped = mapObject(source, { inflateRaw });
  const replaced = replaceIdentity(mapped, identity, provenance);
  const patch: PatchAnswer = 'problem' in replaced
    ? { outcome: 'impossible', text: replaced.problem.slice(0, patchTextMax), patches: [], metadata: '' }
    : { outcome: 'patched', text: '', patches: replaced.patches.map(({ offset, length, bytes }) => ({ offset, length, bytes: Buffer.from(bytes).toString('base64') })), metadata: replaced.metadata };
  const report: Report = { id: assignment.id, sha256, bytes: source.length, findings: [], instance: null, disarmed: null, dataSetSha256: '', pixels: null, map: null, patch };
  return { report, spans: encodeSpans(mapped.spans) };
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
