/** Invented objects and inspections for the tests of the keeper. No patient of these exists. */
import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { NewFile } from '@lazaret/system/durable.ts';
import type { Layout } from '@lazaret/system/layout.ts';
import type { Digest, ObjectId, ReceivedObject } from '@lazaret/pacs/reception/contract.ts';
import type { Conclusion, Work } from '@lazaret/pacs/quarantine/contract.ts';

export const ctImageStorage = '1.2.840.10008.5.1.4.1.1.2';
const explicitLittleEndian = '1.2.840.10008.1.2.1';
/** Where the Data Set of these objects begins: preamble, DICM, and a meta information of nothing. */
export const dataSetOffset = 132;

/** Bytes that look like an object to who does not look inside, different for each `text`. */
export function sampleBytes(text: string, preamble = 0): Buffer {
  return Buffer.concat([Buffer.alloc(128, preamble), Buffer.from('DICM'), Buffer.from(`Data Set of ${text}`)]);
}

export function digestOf(bytes: Uint8Array): Digest {
  return createHash('sha256').update(bytes).digest('hex') as Digest;
}

/** Writes an object into the arriving area as a door does. */
export async function arrive(layout: Layout, bytes: Buffer, more: { sopInstanceUID?: string; batch?: string } = {}): Promise<ReceivedObject> {
  const objectId = randomBytes(16).toString('hex') as ObjectId;
  const file = await NewFile.create(join(layout.arriving, objectId));
  await file.write([bytes]);
  const written = await file.finish();
  return {
    objectId, bytes: written.bytes, sha256: written.sha256 as Digest, sopClassUID: ctImageStorage, sopInstanceUID: more.sopInstanceUID ?? `2.25.${BigInt(`0x${objectId}`)}`,
    transferSyntaxUID: explicitLittleEndian,
    source: { door: 'association', peer: 'ct-1', address: '127.0.0.1', callingAETitle: 'CT1', calledAETitle: 'LAZARET', batch: more.batch ?? 'association-1' }, receivedAt: Date.now(),
  };
}

/** What an inspector says of a clean object. */
export function cleanConclusion(work: Work, sopInstanceUID = work.sopInstanceUID): Conclusion {
  const metadata = {
    '00080016': { vr: 'UI', Value: [ctImageStorage] }, '00080018': { vr: 'UI', Value: [sopInstanceUID] }, '00080060': { vr: 'CS', Value: ['CT'] },
    '00100010': { vr: 'PN', Value: [{ Alphabetic: 'Muster^Maria' }] }, '00100020': { vr: 'LO', Value: ['P1'] }, '0020000D': { vr: 'UI', Value: ['2.25.1'] }, '0020000E': { vr: 'UI', Value: ['2.25.2'] },
  };
  return {
    objectId: work.objectId, sha256: work.sha256, verdict: 'clean', findings: [], disarmed: null, epoch: 'test 1', ms: 1,
    instance: {
      sopClassUID: ctImageStorage, sopInstanceUID, studyInstanceUID: '2.25.1', seriesInstanceUID: '2.25.2', transferSyntaxUID: explicitLittleEndian, metadata: JSON.stringify(metadata),
      dataSetOffset, dataSetLength: work.bytes - dataSetOffset, frames: null, chunks: null,
    },
  };
}
