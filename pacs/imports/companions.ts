/**
 * What lies beside the images on a medium: scanned, and gone. A companion is never admitted; it waits for its scan in a folder of its own that is emptied at
 * each start, and nothing of it is kept but name, length, digest and what was found.
 */
import { constants, lstatSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Failure, refused } from '@lazaret/system/failure.ts';
import { companionsFolder } from '../quarantine/companion.ts';
import type { Parts } from '../quarantine/parts.ts';
import type { Digest, ObjectId } from '../reception/contract.ts';
import type { CompanionAnswer } from '../reception/media/contract.ts';

export interface CompanionFile {
  readonly objectId: ObjectId;
  readonly bytes: number;
  readonly sha256: string;
  readonly path: string;
}

export class Companions {
  readonly #parts: Parts;
  readonly #folder: string;

  /** Empties the folder: what a crash left there belongs to nobody. */
  constructor(parts: Parts) {
    this.#parts = parts;
    this.#folder = companionsFolder(parts.layout.quarantine);
    rmSync(this.#folder, { recursive: true, force: true });
    mkdirSync(this.#folder, { mode: 0o700 });
  }

  /** Rejects `object-missing` where it is not in the arriving area as told. Whatever comes of it, the file is gone afterwards. */
  async scan(file: CompanionFile): Promise<CompanionAnswer> {
    const arriving = join(this.#parts.layout.arriving, file.objectId);
    const place = join(this.#folder, file.objectId);
    const stat = lstatSync(arriving, { throwIfNoEntry: false });
    if (stat === undefined || !stat.isFile() || stat.size !== file.bytes || (stat.mode & constants.S_IFMT) !== constants.S_IFREG) throw refused('object-missing', 'the file is not in the arriving area as it was announced');
    try {
      if (file.bytes === 0) return { verdict: 'clean', text: '' };
      renameSync(arriving, place);
      const conclusion = await this.#parts.queue.companion({ objectId: file.objectId, bytes: file.bytes, sha256: file.sha256 as Digest, sopClassUID: '', sopInstanceUID: '', transferSyntaxUID: '', peer: '' });
      const text = conclusion.findings.map((finding) => `${finding.engine}: ${finding.text}`).join('; ').slice(0, 1_500);
      if (conclusion.verdict === 'clean') return conclusion.sha256 === file.sha256 ? { verdict: 'clean', text: '' } : { verdict: 'unscannable', text: 'the bytes that were scanned are not those that were read from the medium' };
      return { verdict: conclusion.verdict === 'malicious' ? 'infected' : 'unscannable', text };
    } catch (error) {
      if (!(error instanceof Failure) || error.severity === 'broken') throw error;
      return { verdict: 'unscannable', text: error.message };
    } finally {
      rmSync(arriving, { force: true });
      rmSync(place, { force: true });
    }
  }
}
