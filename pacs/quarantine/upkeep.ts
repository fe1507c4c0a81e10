/** What happens to archived objects: a stale verdict is renewed before the object is served, a damaged file is taken out of sight. */
import { existsSync } from 'node:fs';
import { refused, unavailable } from '@lazaret/system/failure.ts';
import { objectPath } from '@lazaret/system/layout.ts';
import type { Digest } from '../reception/contract.ts';
import { hashFile } from './compose.ts';
import { finding, withdrawObject } from './conclusion.ts';
import type { Verdict } from './contract.ts';
import type { LedgerRow } from './ledger.ts';
import type { Parts } from './parts.ts';
import { archiveWork } from './queue.ts';

export class Upkeep {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Inspects an archived object again. Anything but clean over the same bytes takes it out of sight. Resolves once durable. */
  async recheck(digest: Digest): Promise<{ readonly verdict: Verdict }> {
    const { queue, ledger, commits, handover } = this.#parts;
    const row = this.#archived(digest);
    const conclusion = await queue.recheck(archiveWork(row));
    // The inspection answers with the digest it was asked about and says in a finding that the file has another one.
    const sameBytes = conclusion.sha256 === digest && !conclusion.findings.some((each) => each.code === 'digest-mismatch');
    return commits.submit((group) => {
      const now = ledger.rowOf(row.object_id);
      if (now.state !== 'archived') throw unavailable('object-withdrawn', 'the object was taken out of sight meanwhile');
      if (conclusion.verdict === 'clean' && sameBytes) {
        ledger.renew(row.object_id, conclusion.epoch, group.time, group.auditEntry);
        handover.renew(digest, conclusion.epoch);
        return { verdict: 'clean' as const };
      }
      const findings = sameBytes ? conclusion.findings : [damageFinding, ...conclusion.findings];
      const verdict = conclusion.verdict === 'clean' ? 'malformed' : conclusion.verdict;
      withdrawObject(this.#parts, group, now, sameBytes ? 'stale' : 'damaged', verdict, findings, conclusion.epoch);
      return { verdict };
    });
  }

  /** Somebody read other bytes than the name says. Looked at again here, since it takes an image out of sight. */
  async damage(digest: Digest): Promise<void> {
    const { layout, ledger, commits } = this.#parts;
    const row = this.#archived(digest);
    const path = objectPath(layout.archive, digest);
    if (existsSync(path) && (await hashFile(path)) === digest) throw refused('digest-matches', 'the file has its digest; what was read was another or the disk gave other bytes then');
    await commits.submit((group) => {
      const now = ledger.rowOf(row.object_id);
      if (now.state === 'archived') withdrawObject(this.#parts, group, now, 'damaged', 'malformed', [damageFinding], now.epoch);
    });
  }

  #archived(digest: Digest): LedgerRow {
    const row = this.#parts.ledger.archivedUnder(digest)[0];
    if (row === undefined) throw refused('object-unknown', 'nothing is archived under this digest');
    return row;
  }
}

const damageFinding = finding('digest-mismatch', 'The archived file no longer has the bytes that were found clean: it was changed or damaged on the disk. It is out of sight; the sender still may have the image.');
