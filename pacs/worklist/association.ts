/**
 * An association with the worklist as requestor: the upper layer on a socket of our own making, one message at a time. Ends by itself when its time is over.
 * One association a question: nothing of one question is left when the next is asked, and a peer that was restarted is found again.
 */
import { connect, type Socket } from 'node:net';
import { checkServerIdentity, connect as connectTls } from 'node:tls';
import { encodeCommandSet, noDataSet, type CommandSet } from '@lazaret/dicom/dimse/commands.ts';
import { MessageReader } from '@lazaret/dicom/dimse/reader.ts';
import { implementationClassUID, implementationVersionName } from '@lazaret/dicom/fileset/part10.ts';
import { UpperLayer, type AbortIndication, type UpperLayerUser } from '@lazaret/dicom/upperlayer/machine.ts';
import {
  applicationContextName, contextResults, describeAbort, describeRejection,
  type AnsweredPresentationContext, type AssociateAC, type AssociateRJ, type ProposedPresentationContext,
} from '@lazaret/dicom/upperlayer/pdu.ts';
import type { Reply } from '@lazaret/dicom/upperlayer/reader.ts';
import { unavailable, type Failure } from '@lazaret/system/failure.ts';
import type { WorklistLimits } from './limits.ts';

export interface AssociationOptions {
  readonly host: string;
  readonly port: number;
  readonly calledAETitle: string;
  readonly callingAETitle: string;
  /** `name` is what the peer's certificate must say. */
  readonly tls: { readonly name: string; readonly authorities: string; readonly certificate: string | null; readonly key: string | null } | null;
  readonly presentationContexts: readonly ProposedPresentationContext[];
  readonly limits: WorklistLimits;
}

export interface Message {
  readonly command: CommandSet;
  readonly dataSet: Uint8Array | null;
}

interface Waiting<Answer> {
  resolve(answer: Answer): void;
  reject(failure: Failure): void;
}

export class WorklistAssociation implements UpperLayerUser {
  readonly #options: AssociationOptions;
  readonly #upperLayer: UpperLayer;
  readonly #messages: MessageReader;
  #releasing = false;
  #socket: Socket | null = null;
  #opening: Waiting<readonly AnsweredPresentationContext[]> | null = null;
  /** Whoever waits for the next message, and the messages that came before anybody asked: at most one, since `busy` holds the rest back. */
  #waiting: Waiting<Message> | null = null;
  #arrived: Message | null = null;
  #command: CommandSet | null = null;
  #dataSet: Uint8Array[] = [];
  #dataSetBytes = 0;
  #dataSetBytesMax = 0;
  /** Bytes that the upper layer has not taken: it holds while a message waits to be asked for. */
  #held: Buffer | null = null;
  #ended: Failure | null = null;
  #closed: (() => void) | null = null;
  #artim: NodeJS.Timeout | null = null;
  #deadline: NodeJS.Timeout | null = null;

  constructor(options: AssociationOptions) {
    this.#options = options;
    this.#upperLayer = new UpperLayer('requestor', this, options.limits.maximumLength);
    this.#messages = new MessageReader({
      command: (_contextID, command, hasDataSet) => {
        this.#command = command;
        this.#dataSet = [];
        this.#dataSetBytes = 0;
        if (!hasDataSet) this.#complete(null);
      },
      dataSetPiece: (bytes) => {
        this.#dataSetBytes += bytes.length;
        if (this.#dataSetBytes > this.#dataSetBytesMax) this.end(unavailable('response-invalid', `The worklist sent an answer of more than ${this.#dataSetBytesMax} bytes, which is not taken.`));
        // The view is the socket's: it is overwritten with the next bytes.
        else this.#dataSet.push(Uint8Array.from(bytes));
      },
      dataSetEnd: () => {
        if (this.#ended === null) this.#complete(Buffer.concat(this.#dataSet));
      },
    });
  }

  /** Opens the association. Rejects with a sentence for people. Resolves with the contexts that were accepted. */
  open(): Promise<readonly AnsweredPresentationContext[]> {
    const { calledAETitle, callingAETitle, presentationContexts, limits } = this.#options;
    this.#deadline = setTimeout(() => this.end(unavailable('worklist-silent', `The worklist at ${this.#where} did not finish its answer within ${limits.questionMs / 1_000} s.`)), limits.questionMs);
    return new Promise((resolve, reject) => {
      this.#opening = { resolve, reject };
      this.#upperLayer.associate({
        type: 'A-ASSOCIATE-RQ', protocolVersion: 1, calledAETitle, callingAETitle, applicationContextName, presentationContexts,
        userInformation: { maximumLength: limits.maximumLength, implementationClassUID, implementationVersionName, roles: [], asynchronousOperations: null, userIdentityType: null },
      });
    });
  }

  request(contextID: number, command: CommandSet, dataSet: Uint8Array | null): void {
    if (this.#ended !== null) throw this.#ended;
    this.#upperLayer.sendCommand(contextID, encodeCommandSet(command));
    for (let at = 0, max = this.#upperLayer.fragmentBytesMax; dataSet !== null && at < dataSet.length; at += max) {
      this.#upperLayer.sendData(contextID, at + max >= dataSet.length, dataSet.subarray(at, at + max));
    }
  }

  /** C-CANCEL-RQ (PS3.7 §9.3.2.3): there is no response to it but that of the operation, which must come soon. */
  cancel(contextID: number, messageID: number): void {
    this.request(contextID, { CommandField: 0x0fff, MessageIDBeingRespondedTo: messageID, CommandDataSetType: noDataSet }, null);
    const { cancelMs } = this.#options.limits;
    if (this.#deadline !== null) clearTimeout(this.#deadline);
    this.#deadline = setTimeout(() => this.end(unavailable('worklist-endless', 'The worklist has more answers than can be shown and does not stop when it is asked to. Ask more narrowly.')), cancelMs);
  }

  /** The next message of the peer. Its Data Set may have so many bytes. Rejects when the association ends first. */
  next(dataSetBytesMax: number): Promise<Message> {
    this.#dataSetBytesMax = dataSetBytesMax;
    const arrived = this.#arrived;
    this.#arrived = null;
    if (arrived !== null) return Promise.resolve(arrived);
    if (this.#ended !== null) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      const held = this.#held;
      this.#held = null;
      if (held !== null) this.#receive(held);
      this.#socket?.resume();
    });
  }

  /** A-RELEASE; resolves when the connection is closed, at the latest when the peer's time for that is over. */
  async release(): Promise<void> {
    this.#stopDeadline();
    if (!this.#upperLayer.can('Evt11')) {
      this.#socket?.destroy();
      return;
    }
    this.#releasing = true;
    await new Promise<void>((resolve) => {
      this.#closed = resolve;
      this.#upperLayer.release();
      this.startARTIM();
      this.#socket?.resume();
    });
  }

  /** Ends everything with a failure: whoever waits is told. The first reason is the one that counts. */
  end(failure: Failure): void {
    this.#ended ??= failure;
    this.#stopDeadline();
    this.#held = null;
    if (this.#upperLayer.can('Evt15')) this.#upperLayer.abort();
    else this.#socket?.destroy();
    this.#opening?.reject(this.#ended);
    this.#waiting?.reject(this.#ended);
    this.#opening = this.#waiting = null;
  }

  get #where(): string {
    return `${this.#options.host}:${this.#options.port}`;
  }

  #complete(dataSet: Uint8Array | null): void {
    const message = { command: this.#command!, dataSet };
    this.#dataSet = [];
    const waiting = this.#waiting;
    this.#waiting = null;
    if (waiting === null) this.#arrived = message;
    else waiting.resolve(message);
  }

  #receive(bytes: Buffer): void {
    const taken = this.#upperLayer.receive(bytes);
    if (taken >= bytes.length || this.#ended !== null) return;
    this.#held = bytes.subarray(taken);
    this.#socket?.pause();
  }

  #stopDeadline(): void {
    if (this.#deadline !== null) clearTimeout(this.#deadline);
    this.#deadline = null;
  }

  // UpperLayerUser

  connect(): void {
    const { host, port, tls, limits } = this.#options;
    // BCP 195 (RFC 9325), as the DICOM TLS door has it: TLS 1.2 with forward secrecy, or 1.3.
    const socket: Socket = tls === null ? connect({ host, port, noDelay: true }) : connectTls({
      host, port, servername: /^[\d.]+$|:/.test(tls.name) ? '' : tls.name, ca: tls.authorities, minVersion: 'TLSv1.2', rejectUnauthorized: true,
      ...(tls.certificate === null || tls.key === null ? {} : { cert: tls.certificate, key: tls.key }),
      ...(tls.name === host ? {} : { checkServerIdentity: (_host, certificate) => checkServerIdentity(tls.name, certificate) }),
    });
    this.#socket = socket;
    const timer = setTimeout(() => this.end(unavailable('worklist-unreachable', `Nothing answers at ${this.#where}. Is the worklist running, and may this machine reach it?`)), limits.connectMs);
    socket.on(tls === null ? 'connect' : 'secureConnect', () => {
      clearTimeout(timer);
      this.#upperLayer.connected();
    });
    socket.on('data', (chunk) => this.#receive(this.#held === null ? (chunk as Buffer) : Buffer.concat([this.#held, chunk as Buffer])));
    socket.on('error', (error) => {
      this.#ended ??= unavailable('worklist-unreachable', `${tls === null ? 'No connection' : 'No secure connection'} to the worklist at ${this.#where}: ${(error as NodeJS.ErrnoException).code ?? error.message}.`, error);
    });
    socket.on('close', () => {
      clearTimeout(timer);
      this.stopARTIM();
      this.#upperLayer.closed();
      this.end(this.#ended ?? unavailable('association-aborted', `The worklist at ${this.#where} closed the connection.`));
      this.#closed?.();
    });
  }
  send(bytes: Uint8Array): void {
    if (this.#socket?.writable === true) this.#socket.write(bytes);
  }
  startARTIM(): void {
    this.stopARTIM();
    this.#artim = setTimeout(() => {
      this.#upperLayer.artimExpired();
      this.#socket?.destroy();
    }, this.#options.limits.artimMs);
  }
  stopARTIM(): void {
    if (this.#artim !== null) clearTimeout(this.#artim);
    this.#artim = null;
  }
  close(): void {
    if (this.#socket?.connecting === true) this.#socket.destroy();
    else this.#socket?.destroySoon();
  }
  objection(): null {
    return null;
  }
  associateRequested(): void {}
  associateAnswered(answer: AssociateAC | AssociateRJ): void {
    if (answer.type === 'A-ASSOCIATE-RJ') return this.end(unavailable('association-rejected', `The worklist at ${this.#where} turns us away: ${describeRejection(answer)}. Compare both AE Titles with its settings.`));
    const accepted = answer.presentationContexts.filter((context) => context.result === contextResults.acceptance);
    const proposed = this.#options.presentationContexts;
    if (!accepted.every(({ id, transferSyntax }) => proposed.some((each) => each.id === id && each.transferSyntaxes.includes(transferSyntax)))) {
      return this.end(unavailable('response-invalid', 'The worklist accepts something that was not proposed.'));
    }
    this.#opening?.resolve(accepted);
    this.#opening = null;
  }
  /** One message at a time: what comes before anybody asks for it stays with the network. */
  busy(): boolean {
    return this.#arrived !== null && !this.#releasing;
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
  /** Releasing is the requestor's (PS3.8 §7.2); one that comes from the other side is granted, and whoever waits is told. */
  releaseRequested(): void {
    if (this.#upperLayer.can('Evt14')) this.#upperLayer.answerRelease();
    this.end(unavailable('association-aborted', 'The worklist ended the association before it had answered.'));
  }
  released(): void {}
  aborted(indication: AbortIndication): void {
    const why = indication.by === 'peer' ? describeAbort(indication.abort) : indication.by === 'transport' ? 'the connection was lost' : indication.problem.message;
    this.end(this.#ended ?? unavailable('association-aborted', `The worklist at ${this.#where} gave no answer: ${why}.`));
  }
  refusedPDU(): void {}

  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.end(unavailable('response-invalid', `What the worklist sent is no answer: ${(error as Error).message}.`, error));
    }
  }
}
