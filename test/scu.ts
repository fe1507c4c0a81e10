/**
 * A Storage SCU that sends what it is given: Data Sets that no toolkit would encode, commands that say something else than the Data Set,
 * and associations that end in the middle. Written by hand from PS3.7 and PS3.8 and sharing nothing with dicom/, for the same reason as the recipes.
 */
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';

export interface StoreRequest {
  readonly sopClassUID: string;
  readonly sopInstanceUID: string;
  readonly transferSyntaxUID: string;
  readonly dataSet: Uint8Array;
}

export interface AssociationOptions {
  readonly host: string;
  readonly port: number;
  readonly calledAETitle?: string;
  readonly callingAETitle?: string;
  /** Presentation contexts: SOP Class UID and Transfer Syntax UID. */
  readonly contexts: readonly (readonly [sopClassUID: string, transferSyntaxUID: string])[];
}

export const pduTypes = { associateRequest: 1, associateAccept: 2, associateReject: 3, data: 4, releaseRequest: 5, releaseResponse: 6, abort: 7 } as const;
/** Longest silence of the peer that is waited for. */
const silenceMsMax = 30_000;
const pduLengthDefault = 16_384;

export function pdu(type: number, body: Uint8Array): Buffer {
  const head = Buffer.alloc(6);
  head[0] = type;
  head.writeUInt32BE(body.length, 2);
  return Buffer.concat([head, body]);
}
function item(type: number, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  const head = Buffer.alloc(4);
  head[0] = type;
  head.writeUInt16BE(body.length, 2);
  return Buffer.concat([head, body]);
}
const text = (value: string): Buffer => Buffer.from(value, 'latin1');

/** A-ASSOCIATE-RQ (PS3.8 §9.3.2). */
export function associateRequest({ calledAETitle = 'LAZARET', callingAETitle = 'TEST-SCU', contexts }: Pick<AssociationOptions, 'calledAETitle' | 'callingAETitle' | 'contexts'>): Buffer {
  const head = Buffer.alloc(68);
  head.writeUInt16BE(1, 0);
  head.write(calledAETitle.padEnd(16), 4, 'latin1');
  head.write(callingAETitle.padEnd(16), 20, 'latin1');
  const length = Buffer.alloc(4);
  length.writeUInt32BE(pduLengthDefault, 0);
  return pdu(pduTypes.associateRequest, Buffer.concat([
    head,
    item(0x10, text('1.2.840.10008.3.1.1.1')),
    ...contexts.map(([sopClassUID, transferSyntaxUID], index) => item(0x20, Buffer.from([index * 2 + 1, 0, 0, 0]), item(0x30, text(sopClassUID)), item(0x40, text(transferSyntaxUID)))),
    item(0x50, item(0x51, length), item(0x52, text('2.25.160394372158923146402139046234978921')), item(0x55, text('TEST-SCU'))),
  ]));
}

/** Command elements are Implicit VR Little Endian (PS3.7 §6.3.1). */
function command(elements: readonly (readonly [element: number, value: string | number, long?: boolean])[]): Buffer {
  const parts = elements.map(([element, value]) => {
    let bytes: Buffer;
    if (typeof value === 'number') {
      bytes = Buffer.alloc(2);
      bytes.writeUInt16LE(value);
    } else bytes = text(value.length % 2 === 0 ? value : `${value}\0`);
    const head = Buffer.alloc(8);
    head.writeUInt16LE(element, 2);
    head.writeUInt32LE(bytes.length, 4);
    return Buffer.concat([head, bytes]);
  });
  const body = Buffer.concat(parts);
  const length = Buffer.alloc(12);
  length.writeUInt32LE(4, 4);
  length.writeUInt32LE(body.length, 8);
  return Buffer.concat([length, body]);
}

export class Association {
  readonly #socket: Socket;
  readonly #accepted: ReadonlyMap<number, number>;
  readonly #contexts: AssociationOptions['contexts'];
  readonly #pduLengthMax: number;
  #messageID = 1;
  #read: () => Promise<{ type: number; body: Buffer }>;

  private constructor(socket: Socket, read: Association['nextPDU'], accepted: ReadonlyMap<number, number>, contexts: AssociationOptions['contexts'], pduLengthMax: number) {
    this.#socket = socket;
    this.#read = read;
    this.#accepted = accepted;
    this.#contexts = contexts;
    this.#pduLengthMax = pduLengthMax;
  }

  /** Opens an association. Rejects with the PDU that came instead of A-ASSOCIATE-AC. */
  static async open(options: AssociationOptions): Promise<Association> {
    const socket = connect({ host: options.host, port: options.port, noDelay: true });
    await once(socket, 'connect');
    const read = pduReader(socket);
    socket.write(associateRequest(options));
    const answer = await read();
    if (answer.type !== pduTypes.associateAccept) {
      socket.destroy();
      throw new Error(`A-ASSOCIATE was answered by a PDU of type ${answer.type}: ${answer.body.toString('hex')}`);
    }
    const accepted = new Map<number, number>();
    let pduLengthMax = pduLengthDefault;
    for (let at = 68; at + 4 <= answer.body.length; at += 4 + answer.body.readUInt16BE(at + 2)) {
      if (answer.body[at] === 0x21) accepted.set(answer.body[at + 4]!, answer.body[at + 6]!);
      if (answer.body[at] === 0x50 && answer.body[at + 4] === 0x51) pduLengthMax = answer.body.readUInt32BE(at + 8) || pduLengthDefault;
    }
    return new Association(socket, read, accepted, options.contexts, pduLengthMax);
  }

  nextPDU(): Promise<{ type: number; body: Buffer }> {
    return this.#read();
  }

  /** Result of a presentation context: 0 accepted. */
  resultOf(index: number): number | undefined {
    return this.#accepted.get(index * 2 + 1);
  }

  /** C-STORE; answers status and error comment. */
  async store(request: StoreRequest): Promise<{ readonly status: number; readonly comment: string }> {
    const index = this.#contexts.findIndex(([sopClass, syntax]) => sopClass === request.sopClassUID && syntax === request.transferSyntaxUID);
    if (this.resultOf(index) !== 0) throw new Error(`the presentation context of ${request.sopClassUID} with ${request.transferSyntaxUID} was not accepted (result ${this.resultOf(index)})`);
    this.#send(index * 2 + 1, this.#command(request), true);
    this.#send(index * 2 + 1, request.dataSet, false);
    const answer = await this.nextPDU();
    if (answer.type !== pduTypes.data) throw new Error(`C-STORE was answered by a PDU of type ${answer.type}: ${answer.body.toString('hex')}`);
    return statusOf(answer.body.subarray(6));
  }

  /** The command and some of the Data Set, and then nothing more. */
  storePartly(request: StoreRequest, bytes: number): void {
    const index = this.#contexts.findIndex(([sopClass]) => sopClass === request.sopClassUID);
    this.#send(index * 2 + 1, this.#command(request), true);
    this.#send(index * 2 + 1, request.dataSet.subarray(0, bytes), false, false);
  }

  async release(): Promise<void> {
    this.#socket.write(pdu(pduTypes.releaseRequest, Buffer.alloc(4)));
    await this.nextPDU();
    this.#socket.destroy();
  }

  /** A-ABORT by the service user, or, without it, the end of the connection alone. */
  abort(withPDU = true): void {
    if (withPDU) this.#socket.end(pdu(pduTypes.abort, Buffer.alloc(4)));
    else this.#socket.destroy();
  }

  #command(request: StoreRequest): Buffer {
    return command([[0x0002, request.sopClassUID], [0x0100, 0x0001], [0x0110, this.#messageID++], [0x0700, 0], [0x0800, 0x0102], [0x1000, request.sopInstanceUID]]);
  }

  #send(contextID: number, bytes: Uint8Array, isCommand: boolean, last = true): void {
    const step = Math.min(this.#pduLengthMax, 262_144) - 6;
    for (let at = 0; at < bytes.length || at === 0; at += step) {
      const part = bytes.subarray(at, at + step);
      const head = Buffer.alloc(6);
      head.writeUInt32BE(part.length + 2, 0);
      head[4] = contextID;
      head[5] = (isCommand ? 1 : 0) | (last && at + step >= bytes.length ? 2 : 0);
      this.#socket.write(pdu(pduTypes.data, Buffer.concat([head, part])));
    }
  }
}

function statusOf(bytes: Buffer): { status: number; comment: string } {
  let status = -1;
  let comment = '';
  for (let at = 0; at + 8 <= bytes.length; at += 8 + bytes.readUInt32LE(at + 4)) {
    const element = bytes.readUInt16LE(at + 2);
    if (element === 0x0900) status = bytes.readUInt16LE(at + 8);
    if (element === 0x0902) comment = bytes.toString('latin1', at + 8, at + 8 + bytes.readUInt32LE(at + 4)).trim();
  }
  return { status, comment };
}

/** Whole PDUs of a socket, one for each call. */
export function pduReader(socket: Socket): () => Promise<{ type: number; body: Buffer }> {
  let kept = Buffer.alloc(0);
  const waiting: (() => void)[] = [];
  let ended = false;
  const wake = (): void => {
    for (const go of waiting.splice(0)) go();
  };
  socket.on('data', (chunk: Buffer) => {
    kept = Buffer.concat([kept, chunk]);
    wake();
  });
  socket.on('error', () => socket.destroy());
  socket.on('close', () => {
    ended = true;
    wake();
  });
  return async () => {
    for (;;) {
      if (kept.length >= 6 && kept.length >= 6 + kept.readUInt32BE(2)) {
        const length = kept.readUInt32BE(2);
        const found = { type: kept[0]!, body: kept.subarray(6, 6 + length) };
        kept = kept.subarray(6 + length);
        return found;
      }
      if (ended) throw new Error('the connection was closed');
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`nothing came for ${silenceMsMax / 1000} s`)), silenceMsMax);
        waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  };
}

/** One association, one object. */
export async function storeOne(at: { readonly host: string; readonly port: number }, request: StoreRequest): Promise<{ readonly status: number; readonly comment: string }> {
  const association = await Association.open({ ...at, contexts: [[request.sopClassUID, request.transferSyntaxUID]] });
  try {
    const answer = await association.store(request);
    await association.release();
    return answer;
  } finally {
    association.abort(false);
  }
}
