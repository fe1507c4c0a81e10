/**
 * The keeper's side of the worklist: questions wait here for the worklist process and answers for whoever asked. Decodes nothing; who asked for whom is on
 * the record before an answer is given (PS3.15 §A.5.3.9 Query).
 */
import { randomUUID } from 'node:crypto';
import { eventIDs, roleIDs } from '@lazaret/audit/codes.ts';
import type { AuditMessage } from '@lazaret/audit/message.ts';
import type { Call } from '@lazaret/system/channel.ts';
import type { WorklistPeer } from '@lazaret/system/process.ts';
import { unavailable } from '@lazaret/system/failure.ts';
import type { Question, WorklistAnswer, WorklistRequest } from './contract.ts';
import { checkAnswer, checkRequest } from './guards.ts';

/** contract.ts: `next` waits so long. */
const pollMs = 20_000;
/** The worklist process gives up before this (limits.ts): then it is the process that is gone. */
const answerMs = 25_000;
/** Some desks asking at once; each question is one association of the hospital's RIS. */
const questionsMax = 32;

interface Waiting {
  readonly question: Question;
  taken: AbortSignal | null;
  settle(answer: WorklistAnswer): void;
}

export class Questions {
  readonly #peer: WorklistPeer | null;
  readonly #record: (message: Omit<AuditMessage, 'time'>) => Promise<unknown>;
  readonly #waiting = new Map<string, Waiting>();
  readonly #polls = new Set<() => void>();

  /** `record` puts a message on the record and resolves once it is durable. */
  constructor(peer: WorklistPeer | null, record: (message: Omit<AuditMessage, 'time'>) => Promise<unknown>) {
    this.#peer = peer;
    this.#record = record;
  }

  /** `worklist` of web and terminal. */
  async ask(untrusted: unknown): Promise<WorklistAnswer> {
    const request = checkRequest(untrusted);
    if (this.#peer === null) return unconfigured;
    const { patientName, patientID, accessionNumber } = request;
    const answer = await this.#put({ id: randomUUID(), query: { patientName, patientID, accessionNumber } });
    await this.#record(queryMessage(this.#peer, request, answer));
    return answer;
  }

  /** `echo` of web and terminal. */
  async echo(): Promise<WorklistAnswer> {
    return this.#peer === null ? unconfigured : this.#put({ id: randomUUID(), query: null });
  }

  /** `next` of the worklist process. */
  next(call: Call): Promise<Question | null> {
    const next = [...this.#waiting.values()].find((waiting) => waiting.taken === null);
    if (next !== undefined) {
      next.taken = call.signal;
      call.signal.addEventListener('abort', () => next.settle(gone), { once: true });
      return Promise.resolve(next.question);
    }
    if (call.signal.aborted) return Promise.resolve(null);
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#polls.delete(end);
        resolve(this.#hasNext() && !call.signal.aborted ? this.next(call) : null);
      };
      const timer = setTimeout(end, pollMs);
      this.#polls.add(end);
      call.signal.addEventListener('abort', end, { once: true });
    });
  }

  /** `found` of the worklist process. An answer to nothing that was asked is dropped: who asked may have given up. */
  found(untrusted: unknown, call: Call): null {
    const { id, answer } = (untrusted ?? {}) as { id?: unknown; answer?: unknown };
    const waiting = this.#waiting.get(String(id));
    if (waiting === undefined || waiting.taken !== call.signal) return null;
    try {
      waiting.settle(checkAnswer(answer));
    } catch (error) {
      waiting.settle(failed('The worklist sent orders that cannot be shown.'));
      throw error;
    }
    return null;
  }

  close(): void {
    for (const end of this.#polls) end();
    for (const waiting of this.#waiting.values()) waiting.settle(failed('Lazaret is being stopped.'));
  }

  #hasNext(): boolean {
    return [...this.#waiting.values()].some((waiting) => waiting.taken === null);
  }

  #put(question: Question): Promise<WorklistAnswer> {
    if (this.#waiting.size >= questionsMax) throw unavailable('worklist-busy', 'Too many questions to the worklist at once. Try again in a moment.');
    return new Promise((resolve) => {
      const settle = (answer: WorklistAnswer): void => {
        clearTimeout(timer);
        this.#waiting.delete(question.id);
        resolve(answer);
      };
      const timer = setTimeout(() => settle(gone), answerMs);
      this.#waiting.set(question.id, { question, taken: null, settle });
      const [poll] = this.#polls;
      poll?.();
    });
  }
}

const unconfigured: WorklistAnswer = { outcome: 'unconfigured', text: 'No worklist is configured here. The configuration file names one by "worklist".', items: [], cut: false };
const gone = failed('The process that asks the worklist gave no answer. It is started again by itself; ask once more.');

function failed(text: string): WorklistAnswer {
  return { outcome: 'failed', text, items: [], cut: false };
}

/** PS3.15 §A.5.3.9: the query as text in the participant object, since it has no encoding of its own here. */
function queryMessage(peer: WorklistPeer, request: Required<WorklistRequest>, answer: WorklistAnswer): Omit<AuditMessage, 'time'> {
  const asked = (['patientName', 'patientID', 'accessionNumber'] as const).filter((name) => request[name] !== '').map((name): [string, string] => [name, request[name]]);
  return {
    eventID: eventIDs.query, eventTypes: [], action: 'E', outcome: answer.outcome === 'found' ? 0 : 4,
    outcomeDescription: answer.outcome === 'found' ? `${answer.items.length} orders${answer.cut ? ', and there are more' : ''}` : answer.text,
    participants: [
      ...(request.person === '' ? [] : [{ userID: request.person, userIsRequestor: true, ...(request.address === '' ? {} : { networkAccessPoint: request.address }) }]),
      { userID: 'lazaret/worklist', userIsRequestor: request.person === '', roleIDCodes: [roleIDs.source] },
      { userID: peer.calledAETitle, userIsRequestor: false, roleIDCodes: [roleIDs.destination], networkAccessPoint: peer.host },
    ],
    objects: [{ typeCode: 2, role: 3, idType: { value: '110181', scheme: 'DCM', meaning: 'SOP Class UID' }, id: '1.2.840.10008.5.1.4.31', details: asked }],
  };
}
