/**
 * The examiners: so many at work, and one ready to take the place of any of them.
 *
 * Each object has a limit of time and each examiner a limit of memory, both watched from outside. An examiner that has met anything but a clean
 * object is ended (it might have been taken over); what waits behind that object in its pipe goes to another one. Whatever goes wrong
 * becomes a finding about the object that was being read, never a missing answer.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { broken, unavailable } from '@lazaret/system/failure.ts';
import { FrameReader, encodeFrame, type Frame } from '@lazaret/system/frames.ts';
import { residentBytes } from '@lazaret/system/memory.ts';
import type { Finding } from '../quarantine/contract.ts';
import { reportPayloadBytesMax, type Assignment, type EngineStatus, type Report } from './assignment.ts';
import { Deadline } from './deadline.ts';
import { checkHello, checkReport } from './report.ts';
import { verdictOf } from './verdict.ts';

export type Task = Omit<Assignment, 'id' | 'parts'>;

/** Who takes the parts of one object while an examiner reads it. */
export interface PartTaker {
  /** One untrusted PartFrame. A promise: the examiner waits for it, and its time does not run. A text: what is wrong with it, and the examiner is ended. */
  take(header: unknown, payload: Buffer): Promise<void> | string | null;
  /** The reading was broken off: no report will come. */
  abandon(): void;
}

export interface Outcome {
  /** Null where the examiner gave no report that holds; then findings say why. */
  readonly report: Report | null;
  readonly findings: readonly Finding[];
  readonly ms: number;
  /** Those of the examiner that read it: the others may have other rules by now. */
  readonly engines: readonly EngineStatus[];
  /** Ends the examiner that read the object: another engine found something in it. */
  retire(): void;
}

export interface CommandLine {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export interface PoolOptions {
  /** The command line of an examiner in its sandbox. */
  start(): CommandLine;
  readonly examiners: number;
  readonly memoryBytesMax: number;
  /** What examiners write to stderr: for the administrator, not for the record. */
  log?(line: string): void;
  /** For tests of the limits. */
  readonly timeoutMs?: (bytes: number) => number;
}

/** Assignments in an examiner's pipe: the next one is there when one is done. More would only have to be moved when it is ended. */
const prefetch = 4;
/** A slow machine under load reads 10 MB/s; start-up and small objects have 15 s. */
const bytesPerMs = 10_000;
const defaultTimeoutMs = (bytes: number): number => 15_000 + bytes / bytesPerMs;
/** An examiner starts in some 0.2 s; one that has not said a word after this never will. */
const helloTimeoutMs = 30_000;
/** One that is not wanted any more before it was ready has so long to end by itself. */
const settingUpMs = 10_000;
const memoryWatchMs = 200;
/** So many examiners in a row that end before their first word mean that none will start. */
const failedStartsMax = 3;

interface Waiting {
  readonly task: Task;
  readonly takesParts: (() => PartTaker) | null;
  resolve(outcome: Outcome): void;
  reject(failure: Error): void;
}
interface Given extends Waiting {
  readonly id: number;
}

export class Pool {
  #options: PoolOptions;
  readonly #waiting: Waiting[] = [];
  readonly #examiners = new Set<Examiner>();
  #failedStarts = 0;
  #closed = false;
  #engines: readonly EngineStatus[] = [];
  #next = 1;
  readonly #watch: NodeJS.Timeout;
  readonly #engineListeners: (() => void)[] = [];
  #renewing: Examiner | null = null;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#fill();
    this.#watch = setInterval(() => this.#watchMemory(), memoryWatchMs);
    this.#watch.unref();
  }

  /** The engines as the examiners report them; empty until the first one is ready. */
  get engines(): readonly EngineStatus[] {
    return this.#engines;
  }

  /** Resolves when an examiner is ready; rejects `examiner-unavailable` when none starts. */
  ready(): Promise<void> {
    if (this.#engines.length > 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const look = (): void => {
        if (this.#engines.length > 0) resolve();
        else if (this.#failedStarts >= failedStartsMax) reject(noneStarts());
        else this.#engineListeners.push(look);
      };
      look();
    });
  }

  /** How many objects can be taken now so that no examiner runs dry. */
  get room(): number {
    let inHand = this.#waiting.length;
    for (const examiner of this.#examiners) inHand += examiner.given.length;
    return Math.max(0, this.#options.examiners * prefetch - inHand);
  }

  /**
   * Reads one object. Rejects only when no examiner can be started at all (`examiner-unavailable`) or the pool is closed.
   * `takesParts`: asked for whoever takes its parts each time that an examiner begins with it; the last one has those that belong to the outcome.
   */
  examine(task: Task, takesParts: (() => PartTaker) | null = null): Promise<Outcome> {
    if (this.#closed) return Promise.reject(unavailable('examiner-unavailable', 'the inspection is being ended'));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ task, takesParts, resolve, reject });
      this.#fill();
      this.#deal();
    });
  }

  /**
   * Examiners that are started by another command line take the place of all that there are, one after the other: what is being read is read to
   * its end, what waits goes to the new ones. The first of them must start and have engines that `accepts` takes (a reason why not, or null); until
   * then all is as it was. Rejects `renewal-failed`, and then it stays so.
   */
  renew(start: () => CommandLine, accepts: (engines: readonly EngineStatus[]) => string | null): Promise<void> {
    if (this.#closed || this.#renewing !== null) return Promise.reject(unavailable('renewal-failed', 'the examiners are being renewed or ended already'));
    const options = { ...this.#options, start };
    return new Promise((resolve, reject) => {
      let refusal: string | null = 'no examiner could be started with it';
      const first: Examiner = new Examiner(options, {
        ready: (engines) => {
          this.#renewing = null;
          refusal = accepts(engines);
          if (refusal !== null || this.#closed) {
            first.end();
            return;
          }
          this.#options = options;
          this.#failedStarts = 0;
          // A copy: an idle one ends at once, and another is started into the set.
          const former = [...this.#examiners];
          for (const each of former) this.#waiting.unshift(...each.retire());
          this.#examiners.add(first);
          this.#engines = engines;
          this.#announce();
          this.#fill();
          this.#deal();
          resolve();
        },
        done: (given, outcome) => {
          given.resolve(outcome);
          this.#deal();
        },
        gone: (wasReady, left) => {
          if (this.#examiners.has(first)) {
            this.#gone(first, wasReady, left);
            return;
          }
          this.#renewing = null;
          reject(unavailable('renewal-failed', refusal ?? 'the inspection is being ended'));
        },
      });
      this.#renewing = first;
    });
  }

  close(): void {
    this.#closed = true;
    this.#renewing?.end();
    clearInterval(this.#watch);
    for (const examiner of this.#examiners) examiner.end();
    for (const waiting of this.#waiting.splice(0)) waiting.reject(unavailable('examiner-unavailable', 'the inspection was ended before this object was read'));
  }

  /** Starts what is missing: those at work and one that is ready to take over. */
  #fill(): void {
    while (!this.#closed && this.#failedStarts < failedStartsMax && this.#staying < this.#options.examiners + 1) {
      const options = this.#options;
      const examiner: Examiner = new Examiner(options, {
        ready: (engines) => {
          this.#failedStarts = 0;
          // One that was started before a renewal and is ready after it has the rules of before.
          if (options !== this.#options) {
            examiner.end();
            return;
          }
          this.#engines = engines;
          this.#announce();
          this.#deal();
        },
        done: (given, outcome) => {
          given.resolve(outcome);
          this.#deal();
        },
        gone: (wasReady, left) => this.#gone(examiner, wasReady, left),
      });
      this.#examiners.add(examiner);
    }
  }

  get #staying(): number {
    let count = 0;
    for (const examiner of this.#examiners) if (!examiner.retired) count += 1;
    return count;
  }

  #gone(examiner: Examiner, wasReady: boolean, left: readonly Given[]): void {
    this.#examiners.delete(examiner);
    this.#waiting.unshift(...left);
    if (this.#closed) {
      for (const waiting of this.#waiting.splice(0)) waiting.reject(unavailable('examiner-unavailable', 'the inspection was ended before this object was read'));
      return;
    }
    if (!wasReady && !examiner.retired) this.#failedStarts += 1;
    if (this.#failedStarts >= failedStartsMax && this.#examiners.size === 0) {
      this.#announce();
      for (const waiting of this.#waiting.splice(0)) waiting.reject(noneStarts());
      // The next object tries anew.
      this.#failedStarts = 0;
      return;
    }
    this.#fill();
    this.#deal();
  }

  #announce(): void {
    for (const look of this.#engineListeners.splice(0)) look();
  }

  /** Gives what waits to the examiners that have least in hand; the one kept ready is not counted among those at work. */
  #deal(): void {
    const able = [...this.#examiners].filter((examiner) => examiner.ready && !examiner.retired).slice(0, this.#options.examiners);
    while (this.#waiting.length > 0) {
      const [free] = able.filter((examiner) => examiner.ready && examiner.given.length < prefetch).toSorted((one, other) => one.given.length - other.given.length);
      if (free === undefined) return;
      free.give({ ...this.#waiting.shift()!, id: this.#next++ });
    }
  }

  #watchMemory(): void {
    const renewing = this.#renewing?.pid;
    if (renewing !== undefined && residentBytes(renewing) > this.#options.memoryBytesMax) this.#renewing?.end();
    for (const examiner of this.#examiners) {
      if (examiner.given.length > 0 && examiner.pid !== undefined && residentBytes(examiner.pid) > this.#options.memoryBytesMax) examiner.overMemory(this.#options.memoryBytesMax);
    }
  }
}

function noneStarts(): Error {
  return unavailable('examiner-unavailable', 'no examiner can be started: see lazaret doctor for what its sandbox needs');
}

interface Reactions {
  ready(engines: readonly EngineStatus[]): void;
  done(given: Given, outcome: Outcome): void;
  /** `left`: what it was given and has not read. */
  gone(wasReady: boolean, left: readonly Given[]): void;
}

/** One examiner process and what it has in hand, oldest first. */
class Examiner {
  readonly given: Given[] = [];
  #ready = false;
  #retired = false;
  #engines: readonly EngineStatus[] = [];
  #ended = false;
  readonly #child: ChildProcess;
  readonly #options: PoolOptions;
  readonly #reactions: Reactions;
  readonly #helloTimer: NodeJS.Timeout;
  readonly #deadline: Deadline;
  #limitMs = 0;
  #startedAt = 0;
  #parts: PartTaker | null = null;
  #holds = 0;

  constructor(options: PoolOptions, reactions: Reactions) {
    this.#options = options;
    this.#reactions = reactions;
    this.#deadline = new Deadline(() => this.#fail('examiner-timed-out', `Reading the object took longer than ${Math.round(this.#limitMs / 1000)} s.`));
    const { command, args, env } = options.start();
    this.#child = spawn(command, [...args], { env: { ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
    const reader = new FrameReader({ payloadBytesMax: reportPayloadBytesMax });
    this.#child.stdout!.on('data', (chunk: Buffer) => {
      if (this.#ended) return;
      let frames: Frame[];
      try {
        frames = reader.push(chunk);
      } catch {
        this.#fail('examiner-report', 'The examiner answered with something that is no report.');
        return;
      }
      for (const frame of frames) this.#hear(frame);
    });
    // What it says there may quote the object: shown to the administrator without control characters, kept nowhere.
    this.#child.stderr!.on('data', (chunk: Buffer) => options.log?.(chunk.toString('latin1').slice(0, 2000).replaceAll(/[^\x20-\x7e\n]/g, '?')));
    this.#child.stdin!.on('error', () => {});
    this.#child.on('error', () => this.#lost('could not be started'));
    this.#child.on('exit', (code, signal) => this.#lost(signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`));
    this.#helloTimer = setTimeout(() => this.#lost('did not start in time'), helloTimeoutMs);
    this.#helloTimer.unref();
  }

  get ready(): boolean {
    return this.#ready && !this.#ended;
  }
  get retired(): boolean {
    return this.#retired;
  }
  get pid(): number | undefined {
    return this.#child.pid;
  }

  give(given: Given): void {
    this.given.push(given);
    this.#child.stdin!.write(encodeFrame({ ...given.task, id: given.id, ...(given.takesParts === null ? {} : { parts: true }) } satisfies Assignment));
    if (this.given.length === 1) this.#begin();
  }

  overMemory(bytesMax: number): void {
    this.#fail('examiner-memory', `Reading the object took more than ${Math.round(bytesMax / 1024 / 1024)} MiB of memory.`);
  }

  /** It reads what it is reading to the end and then ends; gives back what waits behind that. */
  retire(): Given[] {
    this.#retired = true;
    const left = this.given.splice(1);
    if (this.given.length === 0) this.end();
    return left;
  }

  /** Ends it; what it has not read is handed back. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#helloTimer);
    this.#deadline.stop();
    this.#parts?.abandon();
    this.#parts = null;
    if (this.#ready) {
      // Its sandbox dies with it (bwrap --die-with-parent).
      this.#child.kill('SIGKILL');
    } else {
      // bwrap killed while it sets up leaves a half that waits for ever; an examiner that starts and hears nothing ends by itself.
      this.#child.stdin!.end();
      setTimeout(() => this.#child.kill('SIGKILL'), settingUpMs).unref();
    }
    this.#reactions.gone(this.#ready, this.given.splice(0));
  }

  #begin(): void {
    this.#startedAt = performance.now();
    const given = this.given[0]!;
    this.#limitMs = (this.#options.timeoutMs ?? defaultTimeoutMs)(given.task.work.bytes);
    this.#parts = given.takesParts?.() ?? null;
    this.#deadline.start(this.#limitMs);
  }

  /** Nothing more is read of what it says until `wait` is over: its pipe fills, and it stands still. */
  #hold(wait: Promise<void>): void {
    const release = this.#deadline.hold();
    this.#child.stdout!.pause();
    this.#holds += 1;
    void wait.finally(() => {
      this.#holds -= 1;
      if (this.#ended) return;
      release();
      if (this.#holds === 0) this.#child.stdout!.resume();
    });
  }

  #hear(frame: Frame): void {
    if (this.#ended) return;
    if (!this.#ready) {
      const hello = checkHello(frame.header);
      if (hello === null) {
        this.#lost('did not introduce itself');
        return;
      }
      clearTimeout(this.#helloTimer);
      this.#ready = true;
      this.#engines = hello.engines;
      this.#reactions.ready(hello.engines);
      return;
    }
    const given = this.given[0];
    if (given === undefined) {
      this.end();
      return;
    }
    if (isPart(frame.header)) {
      const wait = this.#parts === null ? 'nobody asked for it' : this.#parts.take(frame.header, frame.payload);
      // As much time as for so many bytes of an object.
      this.#deadline.extend(frame.payload.length / bytesPerMs);
      if (typeof wait === 'string') this.#fail('examiner-report', `What was unpacked from the object does not hold: ${wait}.`);
      else if (wait !== null) this.#hold(wait);
      return;
    }
    const checked = checkReport(frame.header, frame.payload, given.id, given.task.work);
    if ('problem' in checked) this.#fail('examiner-report', `The report about the object does not hold: ${checked.problem}.`);
    else this.#finish({ report: checked.report, findings: checked.report.findings });
  }

  /** Something happened to the object that is being read; without one, only the examiner is gone. */
  #fail(code: string, text: string): void {
    if (this.given.length === 0) this.end();
    else this.#finish({ report: null, findings: [{ code, offset: 0, length: 0, tag: '', engine: 'examiner', text }] });
  }

  #lost(how: string): void {
    if (this.#ended) return;
    this.#options.log?.(`an examiner ${how}\n`);
    if (this.#ready) this.#fail('examiner-crashed', `The examiner ${how} while it read the object.`);
    else this.end();
  }

  #finish(result: Pick<Outcome, 'report' | 'findings'>): void {
    this.#deadline.stop();
    if (result.report === null) this.#parts?.abandon();
    this.#parts = null;
    const given = this.given.shift();
    if (given === undefined) throw broken('examiner-idle', 'an examiner finished an object that it was not given');
    const outcome: Outcome = { ...result, ms: Math.round((performance.now() - this.#startedAt) * 10) / 10, engines: this.#engines, retire: () => this.end() };
    // A missing engine says nothing about the object, so nothing about the examiner.
    if (verdictOf(result.findings.filter((finding) => finding.code !== 'engine-missing')) !== 'clean' || this.#retired) this.end();
    else if (this.given.length > 0) this.#begin();
    this.#reactions.done(given, outcome);
  }
}

function isPart(untrusted: unknown): boolean {
  return typeof untrusted === 'object' && untrusted !== null && 'part' in untrusted;
}
