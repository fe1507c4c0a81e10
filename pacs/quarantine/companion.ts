/** Files that lie beside the images on a medium: scanned by the engines, never admitted (pacs/imports). */
import { join } from 'node:path';
import type { Digest, ObjectId } from '../reception/contract.ts';
import type { Finding, Verdict } from './contract.ts';

/** Where they wait for their scan. Inside the quarantine, which examiners may read and nobody else; emptied at each start of the keeper. */
export function companionsFolder(quarantine: string): string {
  return join(quarantine, 'companions');
}

/** What the engines say of one. `clean`: they looked at all of it and found nothing; whether it is a program or a text is not their question. */
export interface CompanionConclusion {
  readonly objectId: ObjectId;
  readonly sha256: Digest;
  readonly verdict: Verdict;
  readonly findings: readonly Finding[];
}
