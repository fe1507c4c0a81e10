/**
 * One message on its way in: its body is cut into parts, each `application/dicom` part goes into the arriving area as it comes, is made durable
 * and admitted while the next ones arrive.
 */
import { randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import { parseMediaType, type MediaType } from '@lazaret/dicom/web/mediatype.ts';
import { MultipartProblem, MultipartReader, type PartHeaders } from '@lazaret/dicom/web/multipart.ts';
import { Failure, refused, unavailable } from '@lazaret/system/failure.ts';
import { Arrival, type ArrivingArea } from '../arrival.ts';
import { giveBack } from '../chunk.ts';
import type { Admission, ObjectId, ReceivedObject, Source } from '../contract.ts';
import type { FailureReason } from './outcome.ts';
import type { StowLimits } from './limits.ts';

export interface IntakeParts {
  readonly area: ArrivingArea;
  readonly admit: (object: ReceivedObject) => Promise<Admission>;
  readonly limits: StowLimits;
  readonly now: () => number;
}

/** One part after it was taken in: admitted under an id, or refused with a reason. */
export type Taken =
  | { readonly objectId: ObjectId }
  | { readonly reason: FailureReason; readonly text: string; readonly sopClassUID?: string; readonly sopInstanceUID?: string };

/** Takes parts as they come. `begin` is told the header fields of a part and says what to do with its bytes. */
export interface PartTaker {
  begin(headers: PartHeaders): void;
  /** `bytes` are there for this call only: their memory is given back after it. */
  data(bytes: Uint8Array): void;
  end(): void;
  /** Resolves when there is room for more. */
  room(): Promise<void> | null;
  /** The message ended before this part did. */
  discard(): void;
}

/** Reads a message from `stream` and hands its parts to `taker`. Rejects with `refused` on a message that breaks its grammar, on one too slow or too long. */
export function readMessage(stream: Readable, type: MediaType, taker: PartTaker, limits: StowLimits): Promise<void> {
  const single = type.type !== 'multipart/related';
  return new Promise<void>((resolve, reject) => {
    let reader: MultipartReader | null = null;
    let bytes = 0;
    let windowBytes = 0;
    let waiting = false;
    let settled = false;
    const settle = (error: unknown): void => {
      if (settled) return;
      settled = true;
      clearInterval(window);
      stream.removeListener('data', onData);
      stream.removeListener('end', onEnd);
      stream.removeListener('close', onClose);
      if (error === null) return resolve();
      taker.discard();
      reject(error instanceof MultipartProblem ? refused(error.code, `${error.message} (byte ${error.offset} of the body)`) : error as Error);
    };
    const window = setInterval(() => {
      if (!waiting && windowBytes < limits.throughputBytesMin) settle(new Failure('refused', 'message-slow', `fewer than ${limits.throughputBytesMin} bytes came in ${limits.throughputWindowMs / 1000} s`));
      windowBytes = 0;
    }, limits.throughputWindowMs);
    const onData = (chunk: Buffer): void => {
      bytes += chunk.length;
      windowBytes += chunk.length;
      try {
        if (bytes > limits.messageBytesMax) throw refused('message-length-exceeded', `a message has at most ${limits.messageBytesMax} bytes`);
        if (reader === null) taker.data(chunk);
        else reader.push(chunk);
      } catch (error) {
        return settle(error);
      }
      giveBack(chunk);
      const room = taker.room();
      if (room === null || waiting) return;
      waiting = true;
      stream.pause();
      // The wait itself never rejects: each object carries its own outcome.
      void room.then(() => {
        waiting = false;
        if (!settled) stream.resume();
        return null;
      });
    };
    const onEnd = (): void => {
      try {
        if (reader === null) taker.end();
        else reader.end();
        settle(null);
      } catch (error) {
        settle(error);
      }
    };
    const onClose = (): void => settle(refused('message-truncated', 'the connection was closed before the message was over'));
    try {
      if (single) taker.begin(new Map([['content-type', type.type]]));
      else reader = new MultipartReader(type.parameters.get('boundary') ?? '', { partBegin: (headers) => taker.begin(headers), partData: (data) => taker.data(data), partEnd: () => taker.end() });
    } catch (error) {
      return settle(error);
    }
    stream.on('data', onData);
    stream.on('end', onEnd);
    stream.on('close', onClose);
    stream.on('error', onClose);
  });
}

/** Parts of type `application/dicom`: each a file of the arriving area, byte for byte as sent, preamble and File Meta Information included. */
export class DicomParts implements PartTaker {
  readonly #parts: IntakeParts;
  readonly #source: Source;
  /** In the order of the message. */
  readonly taken: Promise<Taken>[] = [];
  #arrival: Arrival | null = null;
  #refusal: Taken | null = null;
  #underWay = 0;
  #room: PromiseWithResolvers<void> | null = null;

  constructor(parts: IntakeParts, source: Source) {
    this.#parts = parts;
    this.#source = source;
  }

  begin(headers: PartHeaders): void {
    this.#refusal = null;
    const type = headers.get('content-type');
    // A part that says nothing is of the message's own type.
    if (type !== undefined && parseMediaType(type)?.type !== 'application/dicom') {
      this.#refusal = { reason: 'not-understood', text: `part ${this.taken.length + 1} is not of type application/dicom` };
      return;
    }
    const encoding = headers.get('content-transfer-encoding')?.toLowerCase();
    if (encoding !== undefined && encoding !== 'binary' && encoding !== '8bit') {
      this.#refusal = { reason: 'not-understood', text: `part ${this.taken.length + 1} has a transfer encoding; parts are sent as they are` };
      return;
    }
    try {
      this.#arrival = new Arrival(this.#parts.area, makeObjectId(), new Uint8Array());
    } catch (error) {
      this.#refusal = refusalOf(error);
    }
  }

  data(bytes: Uint8Array): void {
    const arrival = this.#arrival;
    if (arrival === null) return;
    try {
      if (arrival.bytes + bytes.length > this.#parts.limits.objectBytesMax) throw unavailable('object-length-exceeded', `an object has at most ${this.#parts.limits.objectBytesMax} bytes`);
      arrival.write(bytes);
    } catch (error) {
      arrival.discard();
      this.#arrival = null;
      this.#refusal = refusalOf(error);
    }
  }

  end(): void {
    const arrival = this.#arrival;
    this.#arrival = null;
    if (arrival === null) {
      this.taken.push(Promise.resolve(this.#refusal ?? { reason: 'processing-failure', text: 'the part was not taken' }));
      return;
    }
    this.#underWay += 1;
    this.taken.push(admitArrival(arrival, this.#parts, this.#source, '', '', '').finally(() => {
      this.#underWay -= 1;
      if (this.#underWay < this.#parts.limits.underWayMax) this.#room?.resolve();
    }));
  }

  room(): Promise<void> | null {
    if (this.#underWay < this.#parts.limits.underWayMax) return null;
    this.#room = Promise.withResolvers<void>();
    return this.#room.promise;
  }

  discard(): void {
    this.#arrival?.discard();
    this.#arrival = null;
  }
}

/** Asks the keeper to make an object durable and take it. Never rejects: what went wrong is the outcome of this one object. */
export async function admitArrival(arrival: Arrival, parts: IntakeParts, source: Source, sopClassUID: string, sopInstanceUID: string, transferSyntaxUID: string): Promise<Taken> {
  try {
    const { bytes, sha256 } = arrival.finish();
    try {
      const admission = await parts.admit({ objectId: arrival.objectId, bytes, sha256, sopClassUID, sopInstanceUID, transferSyntaxUID, source, receivedAt: parts.now() });
      return { objectId: admission.objectId };
    } catch (error) {
      // The keeper may have admitted the object and died before it could say so. Then the file is not ours to remove: its recovery decides.
      if (!(error instanceof Failure && error.code === 'channel-closed')) arrival.discard();
      throw error;
    }
  } catch (error) {
    return refusalOf(error);
  }
}

export function makeObjectId(): ObjectId {
  return randomBytes(16).toString('hex') as ObjectId;
}

export function refusalOf(error: unknown): Taken {
  if (!(error instanceof Failure)) throw error;
  return { reason: error.severity === 'unavailable' ? 'out-of-resources' : 'processing-failure', text: error.message };
}
