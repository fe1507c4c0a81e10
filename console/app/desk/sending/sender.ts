/**
 * Sends one disc: announces it, lists its files, sends what the server does not have, in parallel and with patience. What breaks off is sent again; a file that the
 * drive does not give is told of and left out.
 */
import type { UploadState } from '../../../server/deskanswers.ts';
import { frameBytes } from '../../../server/desk/limits.ts';
import { RequestFailure } from '../../api.ts';
import { bytesOf, keyOf, type Disc } from './disc.ts';
import { pieceOf, planOf, sentOf, type Batch, type Job, type Large } from './plan.ts';
import { bytesBody, passes, post, wire } from './wire.ts';

/** A browser opens six connections to a server; the page needs some for itself. */
const parallel = 3;
/** So long one request at a time is sent: what came first is scanned and shown before the rest takes the server's time. */
const aloneMs = 1_500;
const linesAtOnce = 500;
const waitsMs = [500, 1_000, 2_000, 4_000, 8_000, 15_000] as const;
/** A file that no request gets through with although the server answers is read here, to see whether the drive gives it. */
const failuresUntilRead = 2;
const readBytes = 1024 ** 2;

export type Phase = 'preparing' | 'sending' | 'waiting' | 'sent' | 'cancelled' | 'failed';
export interface Sending {
  readonly number: number;
  readonly name: string;
  readonly phase: Phase;
  readonly files: number;
  readonly bytes: number;
  readonly sentFiles: number;
  readonly sentBytes: number;
  /** Of what was sent lately; 0 where it is not known. */
  readonly bytesPerSecond: number;
  readonly unreadable: readonly { readonly path: string; readonly text: string }[];
  readonly upload: string;
  readonly import: string;
  /** Why it waits or failed, or "". */
  readonly problem: string;
  readonly signedOut: boolean;
}

let count = 0;

export class Sender {
  readonly #disc: Disc;
  readonly #changed: () => void;
  readonly #end = new AbortController();
  readonly #lengths: readonly number[];
  readonly #wakes = new Set<() => void>();
  #marks: { at: number; bytes: number }[] = [];
  state: Sending;

  /** `changed`: `state` is another one. */
  constructor(disc: Disc, changed: () => void) {
    this.#disc = disc;
    this.#changed = changed;
    this.#lengths = disc.files.map(({ file }) => file.size);
    this.state = {
      number: (count += 1), name: disc.name, phase: 'preparing', files: disc.files.length, bytes: bytesOf(disc), sentFiles: 0, sentBytes: 0, bytesPerSecond: 0, unreadable: [], upload: '', import: '', problem: '', signedOut: false,
    };
  }

  /** Ends when all is sent, or with what went wrong in `state`. */
  async run(): Promise<void> {
    try {
      const key = await keyOf(this.#disc);
      const begin = { name: this.#disc.name, kind: this.#disc.kind, key, files: this.#lengths.length, bytes: this.state.bytes };
      let answer = await this.#patiently(() => wire('', post(begin), this.#end.signal));
      this.#put({ upload: answer.upload, import: answer.import });
      answer = await this.#list(answer);
      this.#put({ phase: 'sending', import: answer.import, ...this.#sent(answer) });
      const jobs = planOf(this.#lengths, answer);
      const first = this.#work(jobs);
      await Promise.all([first, ...Array.from({ length: parallel - 1 }, async () => {
        await Promise.race([first, this.#pause(aloneMs)]);
        this.#end.signal.throwIfAborted();
        await this.#work(jobs);
      })]);
      this.#put({ phase: 'sent', problem: '' });
    } catch (error) {
      if (this.state.phase === 'cancelled') return;
      this.#end.abort();
      this.#put({ phase: 'failed', problem: error instanceof RequestFailure ? error.message : 'Something in this page went wrong. Give the disc again.' });
    }
  }

  /** Somebody says that the connection is back. */
  hurry(): void {
    for (const wake of this.#wakes) wake();
    this.#wakes.clear();
  }

  async cancel(): Promise<void> {
    const { upload } = this.state;
    this.#put({ phase: 'cancelled', problem: '' });
    this.#end.abort();
    this.hurry();
    if (upload === '') return;
    // The server knows what of the request that was just broken off had come.
    const answer = await wire(`/${upload}`, { method: 'DELETE' }, new AbortController().signal).catch(() => null);
    if (answer !== null) this.#put({ phase: 'cancelled', import: answer.import, ...this.#sent(answer) });
  }

  async #list(answer: UploadState): Promise<UploadState> {
    let known = answer;
    while (known.listed < this.#lengths.length) {
      const lines = this.#disc.files.slice(known.listed, known.listed + linesAtOnce).map(({ path, file }) => [path, file.size, file.lastModified]);
      const from = known.listed;
      known = await this.#patiently(() => wire(`/${known.upload}/listing`, post({ from, lines }), this.#end.signal));
    }
    return known;
  }

  async #work(jobs: Job[]): Promise<void> {
    for (let job = jobs.shift(); job !== undefined && !this.#end.signal.aborted; job = jobs.shift()) {
      if (job.kind === 'large') await this.#large(job);
      else await this.#batch(job, jobs);
    }
    this.#end.signal.throwIfAborted();
  }

  async #batch(batch: Batch, jobs: Job[]): Promise<void> {
    const { numbers, bytes } = batch;
    const parts: BlobPart[] = [];
    for (const number of numbers) {
      const frame = new DataView(new ArrayBuffer(frameBytes));
      frame.setUint32(0, number);
      frame.setUint32(4, this.#lengths[number]!);
      parts.push(frame.buffer, this.#disc.files[number]!.file);
    }
    const answer = await this.#patiently(() => wire(`/${this.state.upload}/batch`, bytesBody('POST', new Blob(parts)), this.#end.signal), async (failures) => {
      // One of them may be the trouble: each on its own then says which.
      if (failures < failuresUntilRead || !(await this.#answers())) return false;
      jobs.unshift(...numbers.map((number): Large => ({ kind: 'large', number, bytes: this.#lengths[number]!, offset: 0 })));
      return true;
    });
    if (answer !== null) this.#advance(answer, numbers.length, bytes);
  }

  async #large(large: Large): Promise<void> {
    const { number, bytes } = large;
    const { file, path } = this.#disc.files[number]!;
    let offset = large.offset;
    while (offset < bytes) {
      const [from, to] = pieceOf(large, offset);
      let answer: UploadState | null;
      try {
        answer = await this.#patiently(() => wire(`/${this.state.upload}/files/${number}?offset=${from}`, bytesBody('PUT', file.slice(from, to)), this.#end.signal), async (failures) => {
          if (failures < failuresUntilRead || !(await this.#answers())) return false;
          return (await unreadableAt(file, from, to)) !== null;
        });
      } catch (error) {
        if (!(error instanceof RequestFailure) || error.code !== 'offset-wrong') throw error;
        // A piece that broke off came in part.
        const state = await this.#patiently(() => wire(`/${this.state.upload}`, {}, this.#end.signal));
        offset = new Map(state.parts).get(number) ?? (state.have.some(([first, last]) => number >= first && number <= last) ? bytes : 0);
        continue;
      }
      if (answer === null) {
        const text = (await unreadableAt(file, from, to)) ?? 'it cannot be read from the medium';
        await this.#patiently(() => wire(`/${this.state.upload}/files/${number}/unreadable`, post({ text }), this.#end.signal));
        this.#put({ unreadable: [...this.state.unreadable, { path, text }], sentFiles: this.state.sentFiles + 1 });
        return;
      }
      offset = to;
      this.#advance(answer, offset === bytes ? 1 : 0, to - from);
    }
  }

  /** Tries until it goes through. `giveUp` is asked after each failure that may pass; then the answer is null. */
  async #patiently(work: () => Promise<UploadState>): Promise<UploadState>;
  async #patiently(work: () => Promise<UploadState>, giveUp: (failures: number) => Promise<boolean>): Promise<UploadState | null>;
  async #patiently(work: () => Promise<UploadState>, giveUp?: (failures: number) => Promise<boolean>): Promise<UploadState | null> {
    for (let failures = 1; ; failures += 1) {
      try {
        const answer = await work();
        if (this.state.phase === 'waiting') this.#put({ phase: 'sending', problem: '', signedOut: false });
        return answer;
      } catch (error) {
        this.#end.signal.throwIfAborted();
        if (!passes(error)) throw error;
        if (giveUp !== undefined && (await giveUp(failures))) return null;
        const { message, status } = error as RequestFailure;
        this.#put({ phase: 'waiting', problem: message, signedOut: status === 401 });
        await this.#pause(waitsMs[Math.min(failures, waitsMs.length) - 1]!);
        this.#end.signal.throwIfAborted();
      }
    }
  }

  async #pause(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wakes.add(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  async #answers(): Promise<boolean> {
    return wire(`/${this.state.upload}`, {}, this.#end.signal).then(() => true, () => false);
  }

  #sent(answer: UploadState): Pick<Sending, 'sentFiles' | 'sentBytes'> {
    const { files, bytes } = sentOf(this.#lengths, answer);
    return { sentFiles: files, sentBytes: bytes };
  }

  #advance(answer: UploadState, files: number, bytes: number): void {
    const now = performance.now();
    const sentBytes = this.state.sentBytes + bytes;
    this.#marks = [...this.#marks.filter(({ at }) => now - at < 10_000), { at: now, bytes: sentBytes }];
    const first = this.#marks[0]!;
    const bytesPerSecond = now - first.at > 500 ? ((sentBytes - first.bytes) * 1_000) / (now - first.at) : this.state.bytesPerSecond;
    this.#put({ sentFiles: this.state.sentFiles + files, sentBytes, bytesPerSecond, ...(answer.import === '' ? {} : { import: answer.import }) });
  }

  #put(change: Partial<Sending>): void {
    if (this.state.phase === 'cancelled' && change.phase !== 'cancelled') return;
    this.state = { ...this.state, ...change };
    this.#changed();
  }
}

/** Where a file cannot be read, in words; null: it can. */
async function unreadableAt(file: File, from: number, to: number): Promise<string | null> {
  for (let at = from; at < to; at += readBytes) {
    try {
      await file.slice(at, Math.min(at + readBytes, to)).arrayBuffer();
    } catch {
      return `the drive of this computer cannot read it${at === 0 ? '' : ` from byte ${at} on`}`;
    }
  }
  return null;
}
