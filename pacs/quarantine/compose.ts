/**
 * The disarmed file of an object: new bytes before the Data Set, and the Data Set as it was received, byte for byte (promise 3).
 * Nothing is decoded: a prefix and a byte range, and both digests must come out as the report says.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { NewFile } from '@lazaret/system/durable.ts';
import type { Disarmed } from './contract.ts';

const chunkBytes = 1024 * 1024;
const prefixStart = Buffer.concat([Buffer.alloc(128), Buffer.from('DICM')]);

/** SHA-256 of a file, streamed. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: chunkBytes })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** Writes the disarmed file durably. Returns null, or why the report cannot be true; then there is no file. */
export async function composeDisarmed(original: string, originalBytes: number, disarmed: Disarmed, target: string): Promise<string | null> {
  const prefix = Buffer.from(disarmed.prefix, 'base64');
  // PS3.10 §7.1: an unused preamble is zeros.
  if (!prefix.subarray(0, prefixStart.length).equals(prefixStart)) return 'its new beginning is not an empty preamble and DICM';
  const end = disarmed.dataSetOffset + disarmed.dataSetLength;
  if (disarmed.dataSetLength === 0 || end > originalBytes) return 'its Data Set is not inside the object';
  await rm(target, { force: true });
  const file = await NewFile.create(target);
  const dataSet = createHash('sha256');
  try {
    await file.write([prefix]);
    for await (const chunk of createReadStream(original, { start: disarmed.dataSetOffset, end: end - 1, highWaterMark: chunkBytes })) {
      dataSet.update(chunk as Buffer);
      await file.write([chunk as Buffer]);
    }
    if (dataSet.digest('hex') !== disarmed.dataSetSha256) {
      await file.discard();
      return 'the digest of its Data Set is another one than reported';
    }
    const written = await file.finish();
    if (written.sha256 === disarmed.sha256 && written.bytes === disarmed.bytes) return null;
    await rm(target, { force: true });
    return 'the disarmed file has another digest than reported';
  } catch (error) {
    await file.discard();
    throw error;
  }
}
