/**
 * The same Data Set again in another envelope: sent by DIMSE and then uploaded as a file, say, its File Meta Information differs and so does
 * the digest of the file. That is no conflict. The object is disarmed into the very file that is archived already; its bytes as
 * received stay in the vault like those of any disarmed object.
 *
 * Nothing is decoded and nobody's word is taken: the archived file's beginning, put before the received Data Set, must have the archived file's digest.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { objectPath } from '@lazaret/system/layout.ts';
import type { Digest } from '../reception/contract.ts';
import type { Conclusion, Disarmed, InstanceReport } from './contract.ts';
import type { LedgerRow } from './ledger.ts';
import type { Parts } from './parts.ts';

/** File Meta Information has eleven short elements; one that is longer than this is not worth the comparison. */
const prefixBytesMax = 64 * 1024;

export interface Repeat {
  readonly disarmed: Disarmed;
  /** As it is archived already. */
  readonly instance: InstanceReport;
}

/** How the object becomes the archived file with the same Data Set, or null where there is none. Reads files only when the SOP Instance UID is archived. */
export async function repeatOf({ ledger, layout, handover }: Parts, row: LedgerRow, conclusion: Conclusion): Promise<Repeat | null> {
  const { instance } = conclusion;
  if (conclusion.verdict !== 'clean' || instance === null) return null;
  const { dataSetOffset, dataSetLength } = conclusion.disarmed ?? instance;
  for (const other of ledger.conflicting(instance.sopInstanceUID, row.sha256, row.number)) {
    const { archived_sha256: digest, archived_bytes: bytes } = ledger.rowOf(other);
    if (digest === null || bytes === null) continue;
    const archived = handover.find(digest);
    if (archived === null || archived.dataSetLength !== dataSetLength || archived.transferSyntaxUID !== instance.transferSyntaxUID) continue;
    const prefixBytes = bytes - dataSetLength;
    if (prefixBytes !== archived.dataSetOffset || prefixBytes > prefixBytesMax) continue;
    const prefix = await beginning(objectPath(layout.archive, digest), prefixBytes);
    const whole = createHash('sha256').update(prefix);
    const dataSet = createHash('sha256');
    for await (const chunk of createReadStream(objectPath(layout.quarantine, row.object_id), { start: dataSetOffset, end: dataSetOffset + dataSetLength - 1, highWaterMark: 1024 * 1024 })) {
      whole.update(chunk as Buffer);
      dataSet.update(chunk as Buffer);
    }
    if (whole.digest('hex') !== digest) continue;
    const disarmed: Disarmed = {
      what: [...new Set([...(conclusion.disarmed?.what ?? []), 'meta'])], prefix: prefix.toString('base64'), dataSetOffset, dataSetLength,
      dataSetSha256: dataSet.digest('hex') as Digest, sha256: digest, bytes,
    };
    return { disarmed, instance: archived };
  }
  return null;
}

async function beginning(path: string, bytes: number): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    const buffer = Buffer.alloc(bytes);
    await file.read(buffer, 0, bytes, 0);
    return buffer;
  } finally {
    await file.close();
  }
}
