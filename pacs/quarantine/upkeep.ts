/** What happens to archived objects: a stale verdict is renewed before the object is served, what is found late or damaged is taken out of sight. */
import { existsSync } from 'node:fs';
import { Failure, refused, unavailable } from '@lazaret/system/failure.ts';
import { objectPath } from '@lazaret/system/layout.ts';
import type { Digest } from '../reception/contract.ts';
import { hashFile } from './compose.ts';
import type { Urgency } from './commits.ts';
import { finding } from './conclusion.ts';
import type { Conclusion, Finding, Verdict } from './contract.ts';
import { disarmArchived, inconclusive, judge, notArchived, withdrawAll } from './late.ts';
import type { LedgerRow } from './ledger.ts';
import type { Parts } from './parts.ts';
import { archiveWork } from './queue.ts';
import { covers, type Signatures } from './signatures.ts';

/** What is inspected within this is served within the request; who asks for more is told to come back. A person waits so long without a word. */
export const quickMs = 8_000;
/** Signatures may change while an object is inspected. */
const roundsMax = 3;

/** What a new inspection of an archived object came to. */
export interface Renewal {
  readonly outcome: 'renewed' | 'disarmed' | 'withdrawn' | 'damaged';
  readonly verdict: Verdict;
}

export class Upkeep {
  readonly #parts: Parts;
  readonly #signatures: Pick<Signatures, 'epoch'>;
  /** Objects that are being inspected again because somebody wants to open them. */
  readonly #asked = new Map<Digest, Promise<{ readonly verdict: Verdict }>>();

  constructor(parts: Parts, signatures: Pick<Signatures, 'epoch'>) {
    this.#parts = parts;
    this.#signatures = signatures;
  }

  /**
   * Inspects an archived object again. Anything but clean over the same bytes takes it out of sight. Resolves once durable. Rejects with
   * `verdict-pending` (unavailable) where that takes longer than a person waits: it goes on, and who asks again later finds it done.
   */
  async recheck(digest: Digest, waitMs = quickMs): Promise<{ readonly verdict: Verdict }> {
    let asked = this.#asked.get(digest);
    if (asked === undefined) {
      asked = this.#renewed(digest).finally(() => this.#asked.delete(digest));
      // Whoever asked may be gone by then.
      asked.catch(() => {});
      this.#asked.set(digest, asked);
    }
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(this.#pending()), waitMs);
    });
    try {
      return await Promise.race([asked, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #renewed(digest: Digest): Promise<{ readonly verdict: Verdict }> {
    for (let round = 0; round < roundsMax; round += 1) {
      const row = this.#archived(digest);
      const conclusion = await this.#parts.queue.recheck(archiveWork(row));
      const { outcome, verdict } = await this.apply(row, conclusion);
      if (outcome === 'disarmed') throw unavailable('object-replaced', 'the object was just disarmed, its Data Set unchanged; ask again');
      if (outcome !== 'renewed') return { verdict };
      if (this.#signatures.epoch === '' || covers(conclusion.epoch, this.#signatures.epoch)) return { verdict: 'clean' };
    }
    throw this.#pending();
  }

  #pending(): Failure {
    const before = this.#asked.size;
    const text = this.#signatures.epoch === '' ? 'no inspector is ready yet' : `${before} ${before === 1 ? 'object is' : 'objects are'} being inspected for people who wait`;
    return unavailable('verdict-pending', `the object is being inspected with current signatures before it is opened; ${text}. It goes on by itself: ask again`);
  }

  /**
   * Carries out what a conclusion about an archived object means. Resolves once durable. Rejects with `inspection-inconclusive` where the
   * inspection says nothing of the object: nothing is changed then. `soon`: nobody waits for a renewal, and a power failure may undo it.
   */
  async apply(row: LedgerRow, conclusion: Conclusion, urgency: Urgency = 'now'): Promise<Renewal> {
    const digest = row.archived_sha256!;
    let said = conclusion;
    let judgement = judge(row, digest, said);
    if (judgement === 'again') {
      said = await this.#parts.queue.recheck(archiveWork(row));
      judgement = judge(row, digest, said);
      // Twice is no accident: what cannot be looked into is not clean. Unless it is the file that cannot be read.
      if (judgement === 'again') judgement = (await this.#hasDigest(digest)) ? 'withdraw' : 'damaged';
    }
    if (judgement === 'later') throw inconclusive(said);
    if (judgement === 'disarm') {
      if (await disarmArchived(this.#parts, row, said)) return { outcome: 'disarmed', verdict: 'clean' };
      // What should have been neutralised is still there.
      return this.#withdraw(row, 'stale', 'unscannable', [finding('index-failed', 'It should have been disarmed by a later inspection, and that could not be done.')], said.epoch);
    }
    if (judgement === 'renew') return this.#renew(row, said, urgency);
    if (judgement === 'damaged') return this.#withdraw(row, 'damaged', said.verdict === 'clean' ? 'malformed' : said.verdict, [damageFinding, ...said.findings.filter(({ code }) => code !== damageFinding.code)], said.epoch);
    return this.#withdraw(row, 'stale', said.verdict, said.findings, said.epoch);
  }

  #renew(row: LedgerRow, { epoch }: Conclusion, urgency: Urgency): Promise<Renewal> {
    const { ledger, commits, handover } = this.#parts;
    return commits.submit((group) => {
      for (const now of stillArchived(this.#parts, row)) ledger.renew(now.object_id, epoch, group.time, group.auditEntry);
      handover.renew(row.archived_sha256!, epoch);
      return { outcome: 'renewed', verdict: 'clean' };
    }, urgency);
  }

  #withdraw(row: LedgerRow, reason: 'damaged' | 'stale', verdict: Verdict, findings: readonly Finding[], epoch: string): Promise<Renewal> {
    return this.#parts.commits.submit((group) => {
      stillArchived(this.#parts, row);
      withdrawAll(this.#parts, group, row.archived_sha256!, reason, verdict, findings, epoch);
      return { outcome: reason === 'damaged' ? 'damaged' : 'withdrawn', verdict };
    });
  }

  /** Somebody read other bytes than the name says. Looked at again here, since it takes an image out of sight. */
  async damage(digest: Digest): Promise<void> {
    const row = this.#archived(digest);
    if (await this.#hasDigest(digest)) throw refused('digest-matches', 'the file has its digest; what was read was another or the disk gave other bytes then');
    await this.#parts.commits.submit((group) => {
      if (this.#parts.ledger.archivedUnder(digest).length > 0) withdrawAll(this.#parts, group, digest, 'damaged', 'malformed', [damageFinding], row.epoch);
    });
  }

  async #hasDigest(digest: Digest): Promise<boolean> {
    const path = objectPath(this.#parts.layout.archive, digest);
    return existsSync(path) && (await hashFile(path)) === digest;
  }

  #archived(digest: Digest): LedgerRow {
    const row = this.#parts.ledger.archivedUnder(digest)[0];
    if (row === undefined) throw notArchived();
    return row;
  }
}

/** Every object that is this file, now that the inspection is over. */
function stillArchived({ ledger }: Parts, row: LedgerRow): LedgerRow[] {
  const rows = ledger.archivedUnder(row.archived_sha256!);
  if (rows.length === 0) throw unavailable('object-withdrawn', 'the object was taken out of sight meanwhile');
  return rows;
}

const damageFinding = finding('digest-mismatch', 'The archived file no longer has the bytes that were found clean: it was changed or damaged on the disk. It is out of sight; the sender still may have the image.');
