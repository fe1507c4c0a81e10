/**
 * Carries out what people chose: has an examiner say of each instance what of it is served otherwise, checks that, and shows the study, all of it together.
 *
 * Everything that was chosen is in the database, and so is each answer; after kill -9 at any point it goes on with what is missing. An instance that comes
 * later (another slice of the same study of the same import) follows by itself.
 */
import type { StatementSync } from 'node:sqlite';
import { setImmediate as breathe, setTimeout as wait } from 'node:timers/promises';
import { Failure } from '@lazaret/system/failure.ts';
import { prepareAll } from '../../quarantine/database.ts';
import { finding, withdrawObject } from '../../quarantine/conclusion.ts';
import type { Group } from '../../quarantine/commits.ts';
import type { PatchRequest } from '../../quarantine/patch.ts';
import type { Parts } from '../../quarantine/parts.ts';
import { archiveWork } from '../../quarantine/queue.ts';
import type { Digest } from '../../reception/contract.ts';
import { readArchived, type ArchivedInstance } from '../admit.ts';
import type { Replacement } from './contract.ts';
import { checkAnswer } from './guards.ts';
import { impossibleMessage, takenMessage } from './record.ts';
import type { ChoiceRow, Sight } from './sight.ts';

/** Jobs with inspectors at a time: each examiner has some before it (pool.ts). */
const parallel = 16;
/** Instances that come into sight in one transaction: some 0.2 s in which the keeper does nothing else. */
const shownMax = 500;
/** An object whose examiner ends over it so often is the reason for it. */
const attemptsMax = 3;
const pauseMs = 1_000;
const system = 'Lazaret';

/** Tells that a file is not what was archived (upkeep.ts). */
export type Damage = (digest: Digest) => Promise<void>;

interface Target {
  readonly digest: Digest;
  readonly waiting: boolean;
}

const texts = {
  open: `SELECT * FROM reconciliations WHERE state = 'taking' ORDER BY number`,
  now: 'SELECT * FROM reconciliations WHERE number = ?',
  waiting: `SELECT digest, waitsFor FROM withdrawnInstances WHERE studyInstanceUID = ? AND reason = 'unreconciled'`,
  seen: 'SELECT digest FROM studies CROSS JOIN series USING (studyKey) CROSS JOIN instances USING (seriesKey) WHERE studyInstanceUID = ?',
  withdrawn: `SELECT archived FROM withdrawnInstances WHERE digest = ? AND reason = 'unreconciled'`,
  chosenFor: `SELECT DISTINCT studyInstanceUID FROM withdrawnInstances JOIN reconciliations USING (studyInstanceUID) WHERE withdrawnInstances.reason = 'unreconciled'`,
  taken: `UPDATE reconciliations SET state = 'taken', instances = instances + ?, problem = '' WHERE number = ?`,
  impossible: `UPDATE reconciliations SET state = 'impossible', problem = ? WHERE number = ?`,
} as const;

export class Carrying {
  readonly #parts: Parts;
  readonly #sight: Sight;
  readonly #damage: Damage;
  readonly #changed: () => void;
  readonly #run: Readonly<Record<keyof typeof texts, StatementSync>>;
  readonly #attempts = new Map<Digest, number>();
  /** Studies in which something waits and was chosen for. */
  readonly #later = new Set<string>();
  readonly #closing = new AbortController();
  #running: Promise<void> | null = null;
  #again = false;

  constructor(parts: Parts, sight: Sight, damage: Damage, changed: () => void) {
    this.#parts = parts;
    this.#sight = sight;
    this.#damage = damage;
    this.#changed = changed;
    this.#run = prepareAll(parts.database, texts);
  }

  start(): void {
    for (const { studyInstanceUID } of this.#run.chosenFor.all() as { studyInstanceUID: string }[]) this.#later.add(studyInstanceUID);
    this.wake();
  }

  followUp(studyInstanceUID: string): void {
    this.#later.add(studyInstanceUID);
    this.wake();
  }

  wake(): void {
    this.#again = true;
    if (this.#closing.signal.aborted) return;
    this.#running ??= this.#work().finally(() => {
      this.#running = null;
      if (this.#again && !this.#closing.signal.aborted) this.wake();
    });
  }

  /** Gives up what is under way; it goes on at the next start. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
  }

  async #work(): Promise<void> {
    // What woke us may still be inside its transaction.
    await breathe();
    this.#again = false;
    const studies = [...this.#later];
    this.#later.clear();
    const waitsFor = (studyInstanceUID: string): ChoiceRow[] => {
      const rows = this.#run.waiting.all(studyInstanceUID) as unknown as { digest: Digest; waitsFor: string }[];
      const choices = new Map(rows.map(({ digest, waitsFor: importId }) => this.#sight.choiceFor(digest, studyInstanceUID, importId)).filter((choice) => choice !== null && choice.state === 'taken').map((choice) => [choice!.number, choice!]));
      return [...choices.values()];
    };
    for (const choice of [...(this.#run.open.all() as unknown as ChoiceRow[]), ...studies.flatMap(waitsFor)]) {
      if (this.#closing.signal.aborted) return;
      try {
        await this.#carryOut(choice);
      } catch (error) {
        if (this.#closing.signal.aborted) return;
        if (!(error instanceof Failure)) {
          // A bug of ours must not end the keeper again and again.
          process.emitWarning(`a study cannot be reconciled: ${String(error)}`);
          await this.#giveUp(choice, 'An error inside Lazaret kept it from being shown so; the log of the keeper says more.').catch(() => {});
          continue;
        }
        // An inspector that is away, a disk that is full: again, after a while.
        this.#later.add(choice.studyInstanceUID);
        this.#again = true;
        await this.#pause();
      }
    }
  }

  async #pause(): Promise<void> {
    await wait(pauseMs, undefined, { signal: this.#closing.signal, ref: false }).catch(() => {});
  }

  async #carryOut(choice: ChoiceRow): Promise<void> {
    if (choice.replacement !== null) {
      const problem = await this.#patchAll(choice, JSON.parse(choice.replacement) as Replacement);
      if (this.#closing.signal.aborted || !this.#stands(choice)) return;
      if (problem !== null) {
        await this.#giveUp(choice, problem);
        return;
      }
    }
    await this.#show(choice);
    this.#changed();
  }

  async #giveUp(choice: ChoiceRow, problem: string): Promise<void> {
    await this.#parts.commits.submit((group) => {
      if (!this.#stands(choice)) return;
      this.#run.impossible.run(problem, choice.number);
      this.#sight.forget(choice.number);
      group.record.message(impossibleMessage(choice, problem, group.time));
    });
    this.#changed();
  }

  /** Nobody has chosen otherwise meanwhile. */
  #stands(choice: ChoiceRow): boolean {
    return (this.#run.now.get(choice.number) as unknown as ChoiceRow).state === choice.state;
  }

  /** What a choice is about: what waits for it and, where it is about a whole study, what is in sight of that. */
  #targets(choice: ChoiceRow): Target[] {
    const waiting = (this.#run.waiting.all(choice.studyInstanceUID) as unknown as { digest: Digest; waitsFor: string }[])
      .filter(({ digest, waitsFor }) => this.#sight.choiceFor(digest, choice.studyInstanceUID, waitsFor)?.number === choice.number).map(({ digest }) => ({ digest, waiting: true }));
    const seen = choice.import === '' && choice.state === 'taking' ? (this.#run.seen.all(choice.studyInstanceUID) as { digest: Digest }[]).map(({ digest }) => ({ digest, waiting: false })) : [];
    return [...seen, ...waiting];
  }

  /** Resolves with what makes it impossible, or null once every instance there is has its patches. */
  async #patchAll(choice: ChoiceRow, replacement: Replacement): Promise<string | null> {
    const request: PatchRequest = { identity: replacement, provenance: { dateTime: dateTimeOf(choice.at), system, source: choice.source } };
    let problem: string | null = null;
    for (;;) {
      const missing = this.#targets(choice).filter(({ digest }) => this.#sight.served(digest, choice.number) === null);
      if (missing.length === 0 || problem !== null || this.#closing.signal.aborted || !this.#stands(choice)) return problem;
      let next = 0;
      let failure: unknown = null;
      const work = async (): Promise<void> => {
        for (let target = missing[next++]; target !== undefined && problem === null && failure === null && !this.#closing.signal.aborted; target = missing[next++]) {
          try {
            problem = (await this.#patch(choice, target.digest, replacement, request)) ?? problem;
          } catch (error) {
            failure ??= error;
          }
        }
      };
      await Promise.all(Array.from({ length: parallel }, work));
      if (failure !== null && problem === null) throw failure as Error;
    }
  }

  async #patch(choice: ChoiceRow, digest: Digest, replacement: Replacement, request: PatchRequest): Promise<string | null> {
    const archived = this.#archived(digest);
    const row = this.#parts.ledger.archivedUnder(digest)[0];
    if (archived === null || row === undefined) return null;
    try {
      const answer = checkAnswer(await this.#untilClosed(this.#parts.queue.patch(archiveWork(row), request)), archived, replacement);
      if ('problem' in answer) return answer.problem;
      await this.#parts.commits.submit(() => this.#sight.keep(digest, choice.number, JSON.stringify(answer.patches), answer.metadata), 'soon');
      this.#attempts.delete(digest);
      return null;
    } catch (error) {
      if (!(error instanceof Failure) || this.#closing.signal.aborted) throw error;
      // Out of sight as damaged it is nothing to wait for.
      if (error.code === 'digest-mismatch') await this.#damage(digest).catch(() => {});
      const attempts = (this.#attempts.get(digest) ?? 0) + 1;
      this.#attempts.set(digest, attempts);
      if (this.#attempts.size > 10_000) this.#attempts.clear();
      if (attempts < attemptsMax) throw error;
      this.#attempts.delete(digest);
      return `One of its objects (${row.object_id.slice(0, 8)}) could not be read for it: ${error.message}. Choose again to try once more, or take it as it is.`;
    }
  }

  #untilClosed(answer: Promise<unknown>): Promise<unknown> {
    const { signal } = this.#closing;
    return new Promise((resolve, reject) => {
      const end = (): void => reject(signal.reason as Error);
      signal.addEventListener('abort', end, { once: true });
      answer.then(resolve, reject).finally(() => signal.removeEventListener('abort', end));
    });
  }

  #archived(digest: Digest): ArchivedInstance | null {
    const waiting = this.#run.withdrawn.get(digest) as { archived: string } | undefined;
    return waiting === undefined ? readArchived(this.#parts.database, digest) : JSON.parse(waiting.archived) as ArchivedInstance;
  }

  /**
   * Into sight, or under its other identity. One transaction, of a large study the first `shownMax` of what waited; the rest follows in further ones, which a
   * choice that is taken calls for by itself.
   */
  async #show(choice: ChoiceRow): Promise<void> {
    for (;;) {
      const left = await this.#parts.commits.submit((group) => {
        if (!this.#stands(choice)) return 0;
        const targets = this.#targets(choice);
        // One more came while the others were read.
        if (choice.replacement !== null && targets.some(({ digest }) => this.#sight.served(digest, choice.number) === null)) return -1;
        const waiting = targets.filter((target) => target.waiting);
        const now = waiting.slice(0, shownMax);
        const seen = targets.length - waiting.length;
        if (targets.length === 0 && choice.state === 'taken') return 0;
        this.#run.taken.run(seen + now.length, choice.number);
        if (seen > 0) this.#sight.reidentify(choice);
        for (const { digest } of now) this.#restore(group, digest);
        if (now.length === waiting.length) this.#sight.forgetEarlier(choice);
        group.record.message(takenMessage(choice, seen + now.length, group.time));
        return waiting.length - now.length;
      });
      if (left === 0) return;
      if (left < 0) {
        this.followUp(choice.studyInstanceUID);
        return;
      }
      choice = { ...choice, state: 'taken' };
      await breathe();
    }
  }

  #restore(group: Group, digest: Digest): void {
    const { ledger, database } = this.#parts;
    const row = ledger.archivedUnder(digest)[0];
    if (row === undefined) return;
    const shown = this.#sight.restore(digest, row.epoch);
    if (shown === null || shown.outcome !== 'superseded') return;
    // It was released although another object of its name was in sight: that one is held, as a release does it.
    const { archived } = database.prepare('SELECT archived FROM withdrawnInstances WHERE digest = ?').get(shown.superseded!) as { archived: string };
    const text = `The object ${row.object_id} with the same SOP Instance UID and other bytes was released and is seen instead of this one. Both are kept.`;
    for (const other of ledger.archivedUnder(shown.superseded!)) {
      withdrawObject(this.#parts, group, other, 'superseded', 'malformed', [finding('instance-conflict', text)], other.epoch);
      ledger.keepReport(other.object_id, { instance: (JSON.parse(archived) as ArchivedInstance).instance, disarmed: null });
    }
  }
}

/** DT with its offset from UTC (PS3.5 §6.2). */
function dateTimeOf(time: number): string {
  const [date, clock] = new Date(time).toISOString().split('T') as [string, string];
  return `${date.replaceAll('-', '')}${clock.replaceAll(':', '').replace('Z', '')}000+0000`;
}
