/** An association as requestor and Storage SCU: the upper layer on a socket, one C-STORE at a time. */
import { readSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { encodeCommandSet, withDataSet, type CommandSet } from '@lazaret/dicom/dimse/commands.ts';
import { messageOf } from '@lazaret/dicom/dimse/messages.ts';
import { MessageReader } from '@lazaret/dicom/dimse/reader.ts';
import { implementationClassUID, implementationVersionName } from '@lazaret/dicom/fileset/part10.ts';
import { UpperLayer, type AbortIndication, type UpperLayerUser } from '@lazaret/dicom/upperlayer/machine.ts';
import {
  applicationContextName, contextResults, describeAbort, describeRejection,
  type AnsweredPresentationContext, type AssociateAC, type AssociateRJ, type ProposedPresentationContext,
} from '@lazaret/dicom/upperlayer/pdu.ts';
import type { Reply } from '@lazaret/dicom/upperlayer/reader.ts';
import { refused, unavailable, type Failure } from '@lazaret/system/failure.ts';

/** A host that does not answer within this is not there. */
const connectTimeoutMs = 10_000;
/** A PACS may take its time with a large object, but not this long. */
const answerTimeoutMs = 120_000;
/** After our A-RELEASE-RQ or A-ABORT the other side closes. */
const artimTimeoutMs = 5_000;
/** What we announce: we receive responses only. */
const maximumLength = 16 * 1024;

export interface RequestorOptions {
  readonly host: string;
  readonly port: number;
  readonly calledAETitle: string;
  readonly callingAETitle: string;
  readonly presentationContexts: readonly ProposedPresentationContext[];
}

/** One object to send: a range of an open file. */
export interface StoreRequest {
  readonly contextID: number;
  readonly sopClassUID: string;
  readonly sopInstanceUID: string;
  readonly descriptor: number;
  readonly offset: number;
  readonly length: number;
}
export interface StoreAnswer {
  readonly status: number;
  readonly comment: string;
}

interface Waiting<Answer> {
  resolve(answer: Answer): void;
  reject(failure: Failure): void;
}

export class Requestor implements UpperLayerUser {
  readonly #options: RequestorOptions;
  readonly #upperLayer: UpperLayer;
  readonly #messages: MessageReader;
  readonly #socket: Socket;
  #opening: Waiting<readonly AnsweredPresentationContext[]> | null = null;
  #answer: Waiting<CommandSet> | null = null;
  #ended: Failure | null = null;
  #closed: (() => void) | null = null;
  #drained: (() => void) | null = null;
  #artim: NodeJS.Timeout | null = null;
  #messageID = 0;

  constructor(options: RequestorOptions) {
    this.#options = options;
    this.#upperLayer = new UpperLayer('requestor', this, maximumLength);
    this.#messages = new MessageReader({
      command: (_contextID, command, hasDataSet) => this.#respond(command, hasDataSet),
      dataSetPiece: () => {},
      dataSetEnd: () => {},
    });
    this.#socket = connect({ host: options.host, port: options.port, noDelay: true });
  }

  /** Opens the association. Rejects with `peer-unreachable`, `association-rejected` or `association-aborted`. Resolves with the contexts' results. */
  open(): Promise<readonly AnsweredPresentationContext[]> {
    return new Promise((resolve, reject) => {
      this.#opening = { resolve, reject };
      this.#upperLayer.associate({
        type: 'A-ASSOCIATE-RQ', protocolVersion: 1, calledAETitle: this.#options.calledAETitle, callingAETitle: this.#options.callingAETitle, applicationContextName,
        presentationContexts: this.#options.presentationContexts,
        userInformation: { maximumLength, implementationClassUID, implementationVersionName, roles: [], asynchronousOperations: null, userIdentityType: null },
      });
    });
  }

  /** Sends one object and waits for its response. Rejects when the association ends first. */
  async store(request: StoreRequest): Promise<StoreAnswer> {
    this.#messageID = (this.#messageID % 0xffff) + 1;
    const answered = new Promise<CommandSet>((resolve, reject) => (this.#answer = { resolve, reject }));
    // The answer may be an abort while data are still being sent; then it is looked at below.
    answered.catch(() => {});
    this.#requireAssociation();
    this.#upperLayer.sendCommand(request.contextID, encodeCommandSet({
      AffectedSOPClassUID: request.sopClassUID, CommandField: 0x0001, MessageID: this.#messageID, Priority: 0, CommandDataSetType: withDataSet, AffectedSOPInstanceUID: request.sopInstanceUID,
    }));
    const max = this.#upperLayer.fragmentBytesMax;
    for (let sent = 0; sent < request.length; ) {
      const bytes = Buffer.allocUnsafe(Math.min(max, request.length - sent));
      const read = readSync(request.descriptor, bytes, 0, bytes.length, request.offset + sent);
      if (read === 0) throw refused('file-changed', 'the file became shorter while it was sent');
      sent += read;
      this.#requireAssociation();
      this.#socket.cork();
      this.#upperLayer.sendData(request.contextID, sent === request.length, bytes.subarray(0, read));
      this.#socket.uncork();
      if (this.#socket.writableNeedDrain) await new Promise<void>((resolve) => (this.#drained = resolve));
    }
    const timer = setTimeout(() => this.#end(unavailable('peer-silent', `no response within ${answerTimeoutMs / 1000} s`)), answerTimeoutMs);
    try {
      const command = await answered;
      return { status: command.Status!, comment: command.ErrorComment ?? '' };
    } finally {
      clearTimeout(timer);
    }
  }

  /** A-RELEASE; resolves when the connection is closed. */
  async release(): Promise<void> {
    if (!this.#upperLayer.can('Evt11')) {
      this.#socket.destroy();
      return;
    }
    await new Promise<void>((resolve) => {
      this.#closed = resolve;
      this.#upperLayer.release();
      this.startARTIM();
    });
  }

  #requireAssociation(): void {
    if (this.#ended !== null) throw this.#ended;
    if (!this.#upperLayer.can('Evt9')) throw unavailable('association-aborted', 'the association is no longer there');
  }

  #respond(command: CommandSet, hasDataSet: boolean): void {
    const isAnswer = messageOf(command)?.name === 'C-STORE-RSP' && command.MessageIDBeingRespondedTo === this.#messageID && command.Status !== undefined;
    if (!isAnswer || hasDataSet) return this.#end(unavailable('response-invalid', 'the other side answered something else than was asked'));
    this.#answer?.resolve(command);
    this.#answer = null;
  }

  /** Ends everything with a failure: whoever waits is told. */
  #end(failure: Failure): void {
    this.#ended ??= failure;
    if (this.#upperLayer.can('Evt15')) this.#upperLayer.abort();
    this.#opening?.reject(this.#ended);
    this.#answer?.reject(this.#ended);
    this.#opening = this.#answer = null;
    this.#drained?.();
  }

  // UpperLayerUser

  connect(): void {
    const { host, port } = this.#options;
    const socket = this.#socket;
    const timer = setTimeout(() => socket.destroy(new Error('no answer')), connectTimeoutMs);
    socket.on('connect', () => {
      clearTimeout(timer);
      this.#upperLayer.connected();
      this.#artim = setTimeout(() => this.#end(unavailable('peer-silent', `${host}:${port} accepts connections but does not answer an association request`)), connectTimeoutMs);
    });
    socket.on('data', (chunk) => void this.#upperLayer.receive(chunk as Buffer));
    socket.on('drain', () => {
      this.#drained?.();
      this.#drained = null;
    });
    socket.on('error', (error) => {
      this.#ended ??= unavailable('peer-unreachable', `${host}:${port}: ${(error as NodeJS.ErrnoException).code ?? error.message}`, error);
    });
    socket.on('close', () => {
      clearTimeout(timer);
      this.stopARTIM();
      this.#upperLayer.closed();
      this.#end(this.#ended ?? unavailable('association-aborted', 'the connection was lost'));
      this.#closed?.();
    });
  }
  send(bytes: Uint8Array): void {
    if (this.#socket.writable) this.#socket.write(bytes);
  }
  startARTIM(): void {
    this.stopARTIM();
    this.#artim = setTimeout(() => {
      this.#upperLayer.artimExpired();
      this.#socket.destroy();
    }, artimTimeoutMs);
  }
  stopARTIM(): void {
    if (this.#artim !== null) clearTimeout(this.#artim);
    this.#artim = null;
  }
  close(): void {
    this.#socket.destroySoon();
  }
  objection(): null {
    return null;
  }
  associateRequested(): void {}
  associateAnswered(answer: AssociateAC | AssociateRJ): void {
    this.stopARTIM();
    if (answer.type === 'A-ASSOCIATE-RJ') {
      this.#end(refused('association-rejected', describeRejection(answer)));
      return;
    }
    this.#opening?.resolve(answer.presentationContexts.filter((context) => context.result === contextResults.acceptance));
    this.#opening = null;
  }
  busy(): boolean {
    return false;
  }
  fragment(contextID: number, isCommand: boolean, isLast: boolean, length: number): Reply {
    this.#guarded(() => this.#messages.fragment(contextID, isCommand, isLast, length));
    return 'take';
  }
  piece(bytes: Uint8Array): void {
    this.#messages.piece(bytes);
  }
  fragmentEnd(): void {
    this.#guarded(() => this.#messages.fragmentEnd());
  }
  releaseRequested(): void {
    // Releasing is the requestor's (PS3.8 §7.2); one that comes from the other side is granted, and what waits is told.
    if (this.#upperLayer.can('Evt14')) this.#upperLayer.answerRelease();
    this.#end(unavailable('association-aborted', 'the other side released the association'));
  }
  released(): void {}
  aborted(indication: AbortIndication): void {
    const why = indication.by === 'peer' ? describeAbort(indication.abort) : indication.by === 'transport' ? 'the connection was lost' : indication.problem.message;
    this.#end(this.#ended ?? unavailable('association-aborted', why));
  }
  refusedPDU(): void {}

  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#end(unavailable('response-invalid', (error as Error).message, error));
    }
  }
}
