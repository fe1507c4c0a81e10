/**
 * The archive inspected again, newest first, by examiners that have nothing else to do: after the signatures changed, or because a person asked.
 *
 * What is done is in the ledger itself (a verdict's epoch and time), so a run goes on after kill -9 where it was: it goes through the numbers again
 * and finds what is still due. The row of the run holds how far it came and what it found. Nothing here is waited for by a door or a reader.
 */
import { setImmediate as breathe } from 'node:timers/promises';
import type { AuditMessage } from '@lazaret/audit/message.ts';
import { Failure, refused } from '@lazaret/system/failure.ts';
import type { Conclusion, Work } from './contract.ts';
import { firstNumberSince } from './numbers.ts';
import type { Parts } from './parts.ts';
import { archiveWork, type Spare } from './queue.ts';
import type { RescanRequest, RescanStatus } from './requests.ts';
import { bounds, isDue, runMessage, statementsOf, type Run, type Scope } from './runs.ts';
import { covers, type Signatures } from './signatures.ts';
import type { Upkeep } from './upkeep.ts';

/** Numbers of the ledger looked through in one go: some milliseconds, in which nothing else happens here. */
const sliceNumbers = 10_000;
const slicesMax = 4;
/** Looks for idle examiners this often; a conclusion looks at once. */
const tickMs = 100;
const saveEveryMs = 1_000;
/** Without a new object for so long nobody is sending: then all examiners but one may be used, before it at most one of them. */
const quietMs = 250;
/** Verdicts that wait for their commit. */
const applyingMax = 64;
/** When an engine fails so often in a row, the others are not tried on it: again after a while, at first soon. */
const failuresMax = 3;
const backOffMsMin = 5_000;
const backOffMsMax = 300_000;
/** The rate that people see is that of the last so many seconds. */
const rateMs = 30_000;

export { checkRescan, migrations } from './runs.ts';

export class Rescan implements Spare {
  readonly #parts: Parts;
  readonly #upkeep: Upkeep;
  readonly #signatures: Signatures;
  readonly #run;
  /** The newest run that is not over; null: there is none. */
  #active: Run | null = null;
  #upcoming: string[] = [];
  /** Numbers below this were not looked at yet in this pass. */
  #cursor = 0;
  #lowest = 1;
  #finishing = false;
  readonly #inspecting = new Map<string, number>();
  readonly #applying = new Set<number>();
  #failures = 0;
  #backOffUntil = 0;
  #backOffMs = backOffMsMin;
  #problem = '';
  #remaining: { objects: number; bytes: number } | null = null;
  #counting = 0;
  #finished: { at: number; bytes: number }[] = [];
  #dirty = false;
  #savedAt = 0;
  readonly #timer: NodeJS.Timeout;

  constructor(parts: Parts, upkeep: Upkeep, signatures: Signatures) {
    this.#parts = parts;
    this.#upkeep = upkeep;
    this.#signatures = signatures;
    this.#run = statementsOf(parts.database);
    this.#activate();
    parts.queue.spareFrom(this);
    signatures.onChange(() => void this.#follow());
    this.#timer = setInterval(() => this.#tick(), tickMs).unref();
  }

  /** Gives out nothing more and keeps how far it came. Resolves once that is committed. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    const active = this.#active;
    this.#active = null;
    await this.#parts.commits.idle();
    await breathe();
    if (active !== null && this.#dirty) await this.#save(active);
  }

  /** What people ask. Resolves once durable. Throws `rescan-absent` for what there is not. */
  async handle(request: RescanRequest): Promise<RescanStatus | null> {
    if (request.do === 'start') await this.#start('person', request.person, request.since, request.study);
    else if (request.do !== 'status') await this.#steer(request.do, request.person);
    return this.status();
  }

  /** The run that is under way, or else the last one. */
  status(): RescanStatus | null {
    const run = this.#active ?? (this.#run.last.get() as unknown as Run | undefined) ?? null;
    if (run === null) return null;
    const since = Date.now() - rateMs;
    this.#finished = this.#finished.filter(({ at }) => at >= since);
    const span = this.#finished.length === 0 ? 0 : Math.max(1_000, Date.now() - this.#finished[0]!.at);
    const open = run === this.#active;
    return {
      run: run.run, reason: run.reason, person: run.person, state: run.state, epoch: run.epoch, since: run.since, study: run.study, startedAt: run.started_at, finishedAt: run.finished_at,
      objects: run.objects, bytes: run.bytes, withdrawn: run.withdrawn, postponed: run.postponed, remaining: open ? this.#remaining : { objects: 0, bytes: 0 },
      objectsPerSecond: span === 0 ? 0 : (this.#finished.length * 1_000) / span, bytesPerSecond: span === 0 ? 0 : (this.#finished.reduce((sum, { bytes }) => sum + bytes, 0) * 1_000) / span,
      problem: open ? this.#problem : '',
    };
  }

  /** One archived object, if an examiner can be spared for it. */
  next(inHand: number, quietForMs: number): Work | null {
    const active = this.#active;
    if (active === null || active.state !== 'running' || Date.now() < this.#backOffUntil || this.#applying.size >= applyingMax) return null;
    const live = inHand - this.#inspecting.size;
    const examiners = this.#signatures.examiners;
    // One examiner stays free for what is sent now, where there are several.
    const quiet = quietForMs >= quietMs && live === 0;
    const most = quiet ? Math.max(1, examiners - 1) : Math.min(1, examiners - 1 - live);
    if (this.#inspecting.size >= most) return null;
    for (let slices = 0; slices < slicesMax;) {
      const objectId = this.#upcoming.shift();
      if (objectId === undefined) {
        if (this.#cursor <= this.#lowest) return null;
        this.#look(active);
        slices += 1;
        continue;
      }
      const row = this.#parts.ledger.row(objectId);
      if (row !== null && isDue(active, row)) return archiveWork(row);
    }
    return null;
  }

  taken(work: Work, conclusion: Promise<Conclusion>): void {
    const active = this.#active!;
    const { number } = this.#parts.ledger.rowOf(work.objectId);
    this.#inspecting.set(work.objectId, number);
    this.#applying.add(number);
    conclusion.then(
      (said) => {
        this.#inspecting.delete(work.objectId);
        this.#parts.queue.offer();
        return this.#apply(active, work, said);
      },
      (error: unknown) => {
        this.#inspecting.delete(work.objectId);
        throw error;
      },
    ).catch((error: unknown) => this.#postpone(active, error)).finally(() => {
      this.#applying.delete(number);
      this.#parts.queue.offer();
    }).catch(() => {});
  }

  async #apply(active: Run, work: Work, conclusion: Conclusion): Promise<void> {
    const row = this.#parts.ledger.row(work.objectId);
    // Withdrawn or replaced meanwhile: that was looked at by somebody else.
    if (row === null || row.state !== 'archived' || row.archived_sha256 !== work.sha256) return;
    const { outcome } = await this.#upkeep.apply(row, conclusion, 'soon');
    this.#failures = 0;
    this.#backOffMs = backOffMsMin;
    this.#problem = '';
    active.objects += 1;
    active.bytes += work.bytes;
    if (outcome === 'withdrawn' || outcome === 'damaged') active.withdrawn += 1;
    if (this.#remaining !== null) this.#remaining = { objects: Math.max(0, this.#remaining.objects - 1), bytes: Math.max(0, this.#remaining.bytes - work.bytes) };
    this.#finished.push({ at: Date.now(), bytes: work.bytes });
    this.#dirty = true;
  }

  /** It stays due, and is met again in the next pass. */
  #postpone(active: Run, error: unknown): void {
    if (!(error instanceof Failure)) throw error;
    active.postponed += 1;
    this.#dirty = true;
    this.#problem = error.message;
    this.#failures += 1;
    if (this.#failures >= failuresMax) this.#backOff();
  }

  #backOff(): void {
    this.#failures = 0;
    this.#backOffUntil = Date.now() + this.#backOffMs;
    this.#backOffMs = Math.min(backOffMsMax, this.#backOffMs * 2);
  }

  /** The next slice of numbers, downwards. */
  #look(active: Run): void {
    const before = this.#cursor;
    const from = Math.max(this.#lowest, before - sliceNumbers);
    const rows = this.#run.slice.all(from, this.#cursor, ...bounds(active)) as { object_id: string }[];
    this.#cursor = from;
    this.#upcoming = rows.map((row) => row.object_id);
    active.below = Math.min(active.below, Math.max(before, ...[...this.#applying].map((number) => number + 1)));
    this.#dirty = true;
  }

  #tick(): void {
    const active = this.#active;
    if (active === null) return;
    if (this.#dirty && Date.now() - this.#savedAt >= saveEveryMs) void this.#save(active);
    if (active.state !== 'running' || Date.now() < this.#backOffUntil) return;
    this.#parts.queue.offer();
    // Where no inspector asks, nothing is taken, and what is not due must be gone through all the same.
    if (this.#upcoming.length > 0 || this.#applying.size > 0) return;
    if (this.#cursor > this.#lowest) this.#look(active);
    else if (!this.#finishing) void this.#finish(active).finally(() => { this.#finishing = false; });
  }

  /** Through all numbers. What was postponed is still due: once more from the top, after a while. */
  async #finish(active: Run): Promise<void> {
    this.#finishing = true;
    const left = await this.#count(active);
    if (left === null || this.#active !== active || active.state !== 'running') return;
    if (left.objects > 0) {
      this.#remaining = left;
      this.#backOff();
      this.#cursor = this.#top();
      return;
    }
    this.#active = null;
    await this.#change(active, { state: 'done', finished_at: Date.now() }, `The archive was inspected again: ${active.objects} objects, ${active.withdrawn} taken out of sight.`, '');
    this.#activate();
  }

  /** The signatures changed: whatever they make stale is due. */
  async #follow(): Promise<void> {
    const { epoch } = this.#signatures;
    const open = this.#run.open.all() as unknown as Run[];
    const earlier = open.find((run) => run.reason === 'signatures');
    if (earlier !== undefined && covers(earlier.epoch, epoch)) return;
    const left = await this.#count({ reason: 'signatures', epoch, since: 0, study: '', started_at: 0 });
    if (left === null || left.objects === 0 || this.#signatures.epoch !== epoch) return;
    if (earlier === undefined) {
      await this.#start('signatures', '', 0, '');
      return;
    }
    const run = this.#active?.run === earlier.run ? this.#active : earlier;
    run.epoch = epoch;
    run.below = this.#top();
    await this.#save(run);
    if (this.#active?.run === run.run) this.#restart();
  }

  async #start(reason: Run['reason'], person: string, since: number, study: string): Promise<void> {
    const of = study === '' ? (since === 0 ? 'the whole archive' : `what came since ${new Date(since).toISOString()}`) : `Study ${study}`;
    await this.#parts.commits.submit((group) => {
      this.#run.add.run(reason, person, this.#signatures.epoch, since, study, group.time, this.#top());
      group.record.message(runMessage(group.time, person, `${reason === 'signatures' ? 'The signatures changed' : 'Asked for by a person'}: ${of} is inspected again, by ${this.#signatures.epoch || 'what the inspector will say'}.`));
    });
    this.#activate();
  }

  async #steer(what: 'pause' | 'resume' | 'stop', person: string): Promise<void> {
    const active = this.#active;
    if (active === null) throw refused('rescan-absent', 'the archive is not being inspected again');
    if (what === 'stop') this.#active = null;
    await this.#change(active, what === 'stop' ? { state: 'stopped', finished_at: Date.now() } : { state: what === 'pause' ? 'paused' : 'running' }, `The inspection of the archive was ${what === 'pause' ? 'paused' : what === 'resume' ? 'resumed' : 'stopped'}.`, person);
    if (what === 'stop') this.#activate();
    if (what === 'resume') this.#restart();
  }

  async #change(run: Run, change: Partial<Run>, text: string, person: string): Promise<void> {
    Object.assign(run, change);
    await this.#save(run, (time) => runMessage(time, person, text));
  }

  async #save(run: Run, record?: (time: number) => AuditMessage): Promise<void> {
    this.#dirty = false;
    this.#savedAt = Date.now();
    await this.#parts.commits.submit((group) => {
      this.#run.save.run(run.epoch, run.state, run.finished_at, run.below, run.objects, run.bytes, run.withdrawn, run.postponed, run.run);
      if (record !== undefined) group.record.message(record(group.time));
    }, record === undefined ? 'soon' : 'now');
  }

  #top(): number {
    return (this.#run.top.get() as { top: number }).top + 1;
  }

  #activate(): void {
    const [run] = this.#run.open.all() as unknown as Run[];
    // Each comes as an object without a prototype and is ours from here on.
    this.#active = run === undefined ? null : { ...run };
    this.#restart();
  }

  #restart(): void {
    this.#upcoming = [];
    this.#remaining = null;
    this.#problem = '';
    this.#failures = 0;
    this.#backOffUntil = 0;
    this.#backOffMs = backOffMsMin;
    const active = this.#active;
    if (active === null) return;
    this.#lowest = active.since === 0 ? 1 : firstNumberSince(this.#parts.database, active.since);
    this.#cursor = Math.min(active.below, this.#top());
    const counting = ++this.#counting;
    void (async () => {
      const left = await this.#count(active);
      if (counting === this.#counting && this.#active === active) this.#remaining = left;
    })();
    this.#parts.queue.offer();
  }

  /** How much is due, counted in slices so that nothing else waits for it. Null when the keeper stops meanwhile. */
  async #count(run: Scope): Promise<{ objects: number; bytes: number } | null> {
    const lowest = run.since === 0 ? 1 : firstNumberSince(this.#parts.database, run.since);
    let [objects, bytes] = [0, 0];
    for (let top = this.#top(); top > lowest; top -= sliceNumbers) {
      await breathe();
      if (!this.#parts.database.isOpen) return null;
      const groups = this.#run.count.all(Math.max(lowest, top - sliceNumbers), top, ...bounds(run), run.since) as { epoch: string; objects: number; bytes: number }[];
      for (const group of groups) {
        if (run.reason === 'signatures' && covers(group.epoch, run.epoch)) continue;
        objects += group.objects;
        bytes += group.bytes;
      }
    }
    return { objects, bytes };
  }
}
