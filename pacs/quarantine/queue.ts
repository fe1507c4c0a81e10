/**
 * Work for inspectors: first come, first served. It lives in memory over the ledger; a claim is a lease that ends with the connection
 * of the inspector that holds it, and everything under it goes back to waiting.
 */
import { randomUUID } from 'node:crypto';
import { broken, unavailable } from '@lazaret/system/failure.ts';
import type { Digest, ObjectId } from '../reception/contract.ts';
import type { CompanionConclusion } from './companion.ts';
import type { Conclusion, Work } from './contract.ts';
import type { PatchRequest } from './patch.ts';
import type { Claimed, Job, MapAnswer, RenderRequest, RenderedAnswer } from './requests.ts';
import type { Counts } from './parts.ts';

/** Above this the rest stays in the ledger until there is room: a million waiting objects must not fill the memory. */
const waitingMax = 20_000;
/** requests.ts: a claim waits up to 20 s for its first job. */
const pollMs = 20_000;
/** A person at a screen gives up after a minute, and one more of them costs an examiner. */
const urgentMs = 60_000;
const urgentMax = 256;
/** So often at most an inspector is told that pictures will be wanted; its decoder waits longer for that (rendering.ts). */
const preparedMs = 60_000;

interface Lease {
  readonly job: Job;
  readonly signal: AbortSignal;
}
interface Poll {
  readonly max: number;
  readonly signal: AbortSignal;
  readonly resolve: (jobs: Claimed[]) => void;
  readonly timer: NodeJS.Timeout;
}
/**
 * Work for an examiner that has nothing else to do (rescan.ts). It is asked only when nothing urgent and nothing new waits, so that it never stands
 * before an object that somebody has sent.
 */
export interface Spare {
  /** `inHand`: jobs that inspectors hold now, those of this source among them; `quietMs`: since the last new object was given out. */
  next(inHand: number, quietMs: number): Work | null;
  /** The work was given out (or is being inspected for somebody already). */
  taken(work: Work, conclusion: Promise<Conclusion>): void;
}
interface Urgent<Answer> {
  readonly promise: Promise<Answer>;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

export class Queue {
  #waiting: Work[] = [];
  #head = 0;
  /** Highest number in the ledger that is or was in memory; `spilled` when there may be more above it. */
  #last = 0;
  #spilled = false;
  #urgentJobs: Claimed[] = [];
  /** Files beside the images of media, oldest first: they take turns with new objects, so that neither a busy modality nor a full disc waits for the other. */
  #companionJobs: Job[] = [];
  /** What people wait for at the desk, oldest first: in turn with the others too. */
  #patchJobs: Job[] = [];
  #turn = 0;
  #polls: Poll[] = [];
  /** By object id for inspections and rechecks, by job id for maps. */
  readonly #leases = new Map<string, Lease>();
  readonly #held = new WeakMap<AbortSignal, Set<string>>();
  readonly #rechecks = new Map<string, Urgent<Conclusion>>();
  readonly #maps = new Map<string, Urgent<MapAnswer>>();
  readonly #renders = new Map<string, Urgent<RenderedAnswer>>();
  readonly #companions = new Map<string, Urgent<CompanionConclusion>>();
  /** Answers are as the inspector gave them: whoever asked checks them. */
  readonly #patches = new Map<string, Urgent<unknown>>();
  #spare: Spare | null = null;
  #preparedAt = 0;
  #liveAt = 0;
  readonly #counts: Counts;
  readonly #more: (after: number, limit: number) => { number: number; work: Work }[];

  /** `more` reads waiting objects from the ledger, in order. */
  constructor(counts: Counts, more: (after: number, limit: number) => { number: number; work: Work }[]) {
    this.#counts = counts;
    this.#more = more;
    this.#refill();
  }

  /** A newly admitted object. */
  add(number: number, work: Work): void {
    // What has an earlier number (it is inspected anew) would not be met again when there is room: refilling goes upwards. Few of those come at once.
    if (number > this.#last && (this.#spilled || this.#waiting.length - this.#head >= waitingMax)) {
      this.#spilled = true;
      return;
    }
    this.#last = Math.max(this.#last, number);
    this.#waiting.push(work);
    this.#serve();
  }

  isInspecting(objectId: string): boolean {
    const lease = this.#leases.get(objectId);
    return lease?.job.kind === 'inspect' && lease.job.area === 'quarantine';
  }

  /** Jobs for the inspector behind `signal`; waits for the first one. */
  claim(max: number, signal: AbortSignal): Promise<Claimed[]> {
    const jobs = this.#take(max, signal);
    if (jobs.length > 0 || signal.aborted) return Promise.resolve(jobs);
    return new Promise((resolve) => {
      const poll: Poll = { max, signal, resolve, timer: setTimeout(() => this.#endPoll(poll, []), pollMs) };
      this.#polls.push(poll);
      this.#watch(signal);
    });
  }

  /** The lease on an object, or null: only who holds it may conclude. */
  leaseOf(objectId: string, signal: AbortSignal): (Job & { kind: 'inspect' }) | null {
    const lease = this.#leases.get(objectId);
    return lease !== undefined && lease.signal === signal && lease.job.kind === 'inspect' ? lease.job : null;
  }

  /** An inspection is over and the object has left `waiting`: its lease is gone. The caller moves the counts on from `inspecting`. */
  finish(objectId: string): void {
    this.#drop(objectId);
  }

  /** Inspects an archived object again, ahead of what waits. Whoever asks bounds their own waiting; rejects where the inspector is lost. */
  recheck(work: Work): Promise<Conclusion> {
    const running = this.#rechecks.get(work.objectId);
    if (running !== undefined) return running.promise;
    return this.#ask(this.#rechecks, work.objectId, { kind: 'inspect', work, area: 'archive' });
  }
  /** From here on idle inspectors get work of this source. `offer` tells them that it has some. */
  spareFrom(source: Spare): void {
    this.#spare = source;
  }
  offer(): void {
    this.#serve();
  }
  rechecked(objectId: ObjectId, conclusion: Conclusion): void {
    this.#drop(objectId);
    this.#rechecks.get(objectId)?.resolve(conclusion);
  }

  /** Has the engines look at a file beside the images of a medium. Rejects where the inspector is lost meanwhile. */
  companion(work: Work): Promise<CompanionConclusion> {
    const { promise, resolve, reject } = Promise.withResolvers<CompanionConclusion>();
    this.#companions.set(work.objectId, { promise, resolve, reject });
    const end = (): void => {
      this.#companions.delete(work.objectId);
      this.#companionJobs = this.#companionJobs.filter((job) => job.kind !== 'companion' || job.work !== work);
    };
    promise.then(end, end);
    this.#companionJobs.push({ kind: 'companion', work });
    this.#serve();
    return promise;
  }
  scanned(conclusion: CompanionConclusion, signal: AbortSignal): void {
    if (this.#leases.get(conclusion.objectId)?.signal !== signal) return;
    this.#drop(conclusion.objectId);
    this.#companions.get(conclusion.objectId)?.resolve(conclusion);
  }

  /** What of an archived object is to be served otherwise. Rejects with `digest-mismatch` where its file is not what was archived, and where the inspector is lost. */
  patch(work: Work, request: PatchRequest): Promise<unknown> {
    const jobId = randomUUID();
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#patches.set(jobId, { promise, resolve, reject });
    const end = (): void => void this.#patches.delete(jobId);
    promise.then(end, end);
    this.#patchJobs.push({ kind: 'patch', jobId, work, area: 'archive', request });
    this.#serve();
    return promise;
  }
  patched(jobId: string, signal: AbortSignal, untrusted: unknown): void {
    if (this.#leases.get(jobId)?.signal !== signal) return;
    this.#drop(jobId);
    if (untrusted === null) this.#patches.get(jobId)?.reject(unavailable('digest-mismatch', 'the file is not what was archived, or cannot be read'));
    else this.#patches.get(jobId)?.resolve(untrusted);
  }

  map(work: Work, area: 'quarantine' | 'archive', window: { offset: number; length: number } | null, blank = false): Promise<MapAnswer> {
    const jobId = randomUUID();
    return this.#ask(this.#maps, jobId, { kind: 'map', jobId, work, area, window, ...(blank ? { blank } : {}) }, urgentMs);
  }
  mapped(jobId: string, signal: AbortSignal, map: MapAnswer): void {
    if (this.#leases.get(jobId)?.signal !== signal) return;
    this.#drop(jobId);
    this.#maps.get(jobId)?.resolve(map);
  }

  /** Somebody will soon want pictures: the decoder that makes them takes half a second to start, and longer beside a disc that is being read. */
  prepare(): void {
    if (Date.now() - this.#preparedAt < preparedMs) return;
    this.#preparedAt = Date.now();
    this.#urgentJobs.unshift({ kind: 'prepare' });
    this.#serve();
  }

  /** One frame as a picture. Rejects where the inspector is lost meanwhile: it may be what ended it. */
  render(work: Work, area: 'quarantine' | 'archive', request: RenderRequest): Promise<RenderedAnswer> {
    const jobId = randomUUID();
    return this.#ask(this.#renders, jobId, { kind: 'render', jobId, work, area, request }, urgentMs);
  }
  rendered(jobId: string, signal: AbortSignal, answer: RenderedAnswer): void {
    if (this.#leases.get(jobId)?.signal !== signal) return;
    this.#drop(jobId);
    this.#renders.get(jobId)?.resolve(answer);
  }
  /** The object could not be read as it was kept. */
  renderFailed(jobId: string, signal: AbortSignal, failure: Error): void {
    if (this.#leases.get(jobId)?.signal !== signal) return;
    this.#drop(jobId);
    this.#renders.get(jobId)?.reject(failure);
  }

  #ask<Answer>(table: Map<string, Urgent<Answer>>, key: string, job: Job, timeoutMs: number | null = null): Promise<Answer> {
    if (table.size >= urgentMax) return Promise.reject(unavailable('inspection-busy', 'too many objects are being looked into at once; try again in a minute'));
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    table.set(key, { promise, resolve, reject });
    const timer = timeoutMs === null ? null : setTimeout(() => reject(unavailable('inspection-timeout', 'the inspection did not answer in time')), timeoutMs);
    const end = (): void => {
      if (timer !== null) clearTimeout(timer);
      table.delete(key);
      this.#urgentJobs = this.#urgentJobs.filter((other) => other !== job);
    };
    promise.then(end, end);
    this.#urgentJobs.push(job);
    this.#serve();
    return promise;
  }

  #take(max: number, signal: AbortSignal): Claimed[] {
    const jobs: Claimed[] = [];
    while (jobs.length < max) {
      const job = this.#urgentJobs.shift() ?? this.#nextInTurn() ?? this.#nextSpare();
      if (job === null) break;
      jobs.push(job);
      // Nothing is answered to it, so nobody waits for it.
      if (job.kind === 'prepare') continue;
      const key = keyOf(job);
      if (this.#leases.has(key)) throw broken('lease-twice', `${key} is claimed twice`);
      this.#leases.set(key, { job, signal });
      this.#watch(signal).add(key);
      if (job.kind === 'inspect' && job.area === 'quarantine') this.#counts.move('waiting', 'inspecting');
    }
    return jobs;
  }

  /** New objects, companions and patches take turns, so that none waits for all of another. */
  #nextInTurn(): Job | null {
    for (let tried = 0; tried < 3; tried += 1) {
      this.#turn = (this.#turn + 1) % 3;
      const job = this.#turn === 0 ? this.#nextInspection() : ((this.#turn === 1 ? this.#companionJobs : this.#patchJobs).shift() ?? null);
      if (job !== null) return job;
    }
    return null;
  }

  #nextInspection(): Job | null {
    if (this.#head === this.#waiting.length && this.#spilled) this.#refill();
    const work = this.#waiting[this.#head];
    if (work === undefined) return null;
    this.#head += 1;
    // Dropped from the front in blocks: an array shifted one by one costs its length each time.
    if (this.#head > 1_024) {
      this.#waiting.splice(0, this.#head);
      this.#head = 0;
    }
    this.#liveAt = Date.now();
    return { kind: 'inspect', work, area: 'quarantine' };
  }

  #nextSpare(): Job | null {
    for (;;) {
      const work = this.#spare?.next(this.#leases.size, Date.now() - this.#liveAt) ?? null;
      if (work === null) return null;
      const running = this.#rechecks.get(work.objectId);
      if (running !== undefined) {
        this.#spare!.taken(work, running.promise);
        continue;
      }
      const { promise, resolve, reject } = Promise.withResolvers<Conclusion>();
      this.#rechecks.set(work.objectId, { promise, resolve, reject });
      const end = (): void => void this.#rechecks.delete(work.objectId);
      promise.then(end, end);
      this.#spare!.taken(work, promise);
      return { kind: 'inspect', work, area: 'archive' };
    }
  }

  #refill(): void {
    const more = this.#more(this.#last, waitingMax);
    this.#spilled = more.length === waitingMax;
    for (const { number, work } of more) {
      this.#last = number;
      this.#waiting.push(work);
    }
  }

  /** Gives jobs to inspectors that wait, one each in turn so that all of them work. */
  #serve(): void {
    while (this.#polls.length > 0) {
      const poll = this.#polls[0]!;
      const jobs = this.#take(poll.max, poll.signal);
      if (jobs.length === 0) return;
      this.#endPoll(poll, jobs);
    }
  }
  #endPoll(poll: Poll, jobs: Claimed[]): void {
    clearTimeout(poll.timer);
    this.#polls = this.#polls.filter((other) => other !== poll);
    poll.resolve(jobs);
  }

  #watch(signal: AbortSignal): Set<string> {
    let held = this.#held.get(signal);
    if (held === undefined) {
      held = new Set();
      this.#held.set(signal, held);
      signal.addEventListener('abort', () => this.#lost(signal), { once: true });
    }
    return held;
  }

  /** An inspector is gone. Its work goes to the back: if one object is what ends inspectors, the others still get their turn. */
  #lost(signal: AbortSignal): void {
    for (const poll of this.#polls.filter((each) => each.signal === signal)) this.#endPoll(poll, []);
    for (const key of this.#held.get(signal) ?? []) {
      const lease = this.#leases.get(key);
      this.#leases.delete(key);
      if (lease === undefined) continue;
      if (lease.job.kind === 'inspect' && lease.job.area === 'quarantine') {
        this.#counts.move('inspecting', 'waiting');
        this.#waiting.push(lease.job.work);
      } else if (lease.job.kind === 'companion') {
        // It may be what ends inspectors: it is not given out again, and stays behind unscanned.
        this.#companions.get(key)?.reject(unavailable('inspection-interrupted', 'the scan ended before it had an answer'));
      } else if (lease.job.kind === 'patch') {
        this.#patches.get(key)?.reject(unavailable('inspection-interrupted', 'the object was being read when the inspector ended'));
      } else if (lease.job.kind === 'render') {
        this.#renders.get(key)?.reject(unavailable('inspection-interrupted', 'the picture could not be made; try again'));
      } else if (this.#maps.has(key)) {
        this.#urgentJobs.push(lease.job);
      } else {
        // Not given out again by itself: if it is what ends inspectors, it must not do so ahead of all else. Who asked may ask again.
        this.#rechecks.get(key)?.reject(unavailable('inspection-interrupted', 'the inspection ended before it had an answer; try again'));
      }
    }
    this.#held.delete(signal);
    this.#serve();
  }

  #drop(key: string): void {
    const lease = this.#leases.get(key);
    this.#leases.delete(key);
    if (lease !== undefined) this.#held.get(lease.signal)?.delete(key);
  }

  /** Ends all polls, so that inspectors do not wait for a keeper that stops. */
  close(): void {
    for (const poll of this.#polls) this.#endPoll(poll, []);
  }
}

function keyOf(job: Job): string {
  return job.kind === 'map' || job.kind === 'render' || job.kind === 'patch' ? job.jobId : job.work.objectId;
}

/** The work of inspecting a file of the archive. */
export function archiveWork(row: { object_id: ObjectId; archived_sha256: Digest | null; archived_bytes: number | null; sop_class_uid: string; sop_instance_uid: string; peer: string }): Work {
  if (row.archived_sha256 === null || row.archived_bytes === null) throw broken('archive-work', `${row.object_id} is not archived`);
  // The transfer syntax a door was told is not kept apart from that of the file; "" means: not told.
  return { objectId: row.object_id, bytes: row.archived_bytes, sha256: row.archived_sha256, sopClassUID: row.sop_class_uid, sopInstanceUID: row.sop_instance_uid, transferSyntaxUID: '', peer: row.peer };
}
