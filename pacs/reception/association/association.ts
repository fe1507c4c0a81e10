/** One association as acceptor: the upper layer's actions on a socket, and the DIMSE services on top of it. */
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { CommandProblem, encodeCommandSet, errorComment, noDataSet, type CommandSet } from '@lazaret/dicom/dimse/commands.ts';
import { messageOf, missingElements, responseBit } from '@lazaret/dicom/dimse/messages.ts';
import { MessageReader, type MessageUser } from '@lazaret/dicom/dimse/reader.ts';
import { statuses } from '@lazaret/dicom/dimse/statuses.ts';
import { implementationClassUID, implementationVersionName } from '@lazaret/dicom/fileset/part10.ts';
import { UpperLayer, type AbortIndication, type UpperLayerUser } from '@lazaret/dicom/upperlayer/machine.ts';
import { negotiate, objectionTo } from '@lazaret/dicom/upperlayer/negotiation.ts';
import { UpperLayerProblem, contextResults, describeAbort, rejections, type AssociateRJ, type AssociateRQ } from '@lazaret/dicom/upperlayer/pdu.ts';
import type { Reply } from '@lazaret/dicom/upperlayer/reader.ts';
import type { AuditMessage } from '@lazaret/audit/message.ts';
import type { Asset } from '@lazaret/hospital/assets/lookup.ts';
import { giveBack } from '../chunk.ts';
import type { Source } from '../contract.ts';
import { associationRefused, associationViolated, transferFailed, type Peers } from './auditing.ts';
import { recordedFailuresMax } from './limits.ts';
import type { Door } from './door.ts';
import { permits, services, type ServiceRow } from './services.ts';
import { StoreOperation, judgeStoreRequest, type Outcome } from './storage.ts';

interface AcceptedContext {
  readonly abstractSyntax: string;
  readonly transferSyntax: string;
  readonly service: ServiceRow;
}

export class Association implements UpperLayerUser, MessageUser {
  readonly address: string;
  readonly #door: Door;
  readonly #socket: Socket;
  readonly #certificate: string | null;
  readonly #upperLayer: UpperLayer;
  readonly #messages: MessageReader;
  readonly #batch = randomBytes(16).toString('hex');
  readonly #contexts = new Map<number, AcceptedContext>();
  #request: AssociateRQ | null = null;
  #asset: Asset | null = null;
  #source: Source | null = null;
  #store: StoreOperation | null = null;
  #storeRequest: CommandSet | null = null;
  #contextID = 0;
  /** A message is being worked on and its response is not yet sent. */
  #working: Promise<void> | null = null;
  #failures = 0;
  /** Bytes that came while busy; the socket is paused as long as there are any. */
  #waiting: Uint8Array[] = [];
  #artimUntil = 0;
  #activeAt = Date.now();
  #windowFrom = Date.now();
  #windowBytes = 0;

  /** `certificate`: SHA-256 of the peer's TLS certificate, or null on a plain connection. */
  constructor(door: Door, socket: Socket, address: string, certificate: string | null) {
    this.#door = door;
    this.#socket = socket;
    this.address = address;
    this.#certificate = certificate;
    this.#upperLayer = new UpperLayer('acceptor', this, door.options.maximumLength);
    this.#messages = new MessageReader(this);
    socket.setNoDelay(true);
    socket.on('data', (chunk) => this.#receive(chunk as Buffer));
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#upperLayer.closed());
    this.#upperLayer.connected();
  }

  /** Whether the peer has not yet sent a whole A-ASSOCIATE-RQ. */
  get halfOpen(): boolean {
    return this.#upperLayer.state === 'Sta2';
  }
  get established(): boolean {
    return this.#upperLayer.state === 'Sta6';
  }

  /** Ends the association where a time is over. Called a few times a second. */
  sweep(now: number): void {
    const { limits } = this.#door.options;
    if (this.#artimUntil !== 0) {
      if (now >= this.#artimUntil) this.#upperLayer.artimExpired();
      return;
    }
    if (this.#working !== null || !this.established) {
      this.#activeAt = this.#windowFrom = now;
      this.#windowBytes = 0;
      return;
    }
    if (this.#messages.inMessage) {
      if (now - this.#windowFrom < limits.throughputWindowMs) return;
      if (this.#windowBytes < limits.throughputBytesMin) return this.#end('the peer sends too slowly');
      this.#windowFrom = now;
      this.#windowBytes = 0;
    } else {
      this.#windowFrom = now;
      this.#windowBytes = 0;
      if (now - this.#activeAt >= limits.idleTimeoutMs) this.#end('the peer was silent for too long');
    }
  }

  /** Ends the association with an A-ABORT; what is being admitted is still finished. */
  async stop(): Promise<void> {
    if (this.#working !== null) await this.#working;
    this.#end('Lazaret is being stopped');
    this.#socket.destroySoon();
  }
  /** Drops the connection without a word. */
  drop(): void {
    this.#socket.destroy();
  }

  #receive(chunk: Uint8Array): void {
    this.#windowBytes += chunk.length;
    this.#activeAt = Date.now();
    if (this.#waiting.length > 0) {
      this.#waiting.push(chunk);
      return;
    }
    const taken = this.#upperLayer.receive(chunk);
    // Whoever took it has copied what is needed later: commands, PDUs and objects are gathered elsewhere.
    if (taken === chunk.length) return giveBack(chunk);
    this.#waiting.push(chunk.subarray(taken));
    this.#socket.pause();
  }

  #resume(): void {
    while (this.#waiting.length > 0 && this.#working === null) {
      const chunk = this.#waiting[0]!;
      const taken = this.#upperLayer.receive(chunk);
      if (taken === chunk.length) this.#waiting.shift();
      else this.#waiting[0] = chunk.subarray(taken);
    }
    if (this.#waiting.length === 0 && this.#socket.isPaused()) this.#socket.resume();
  }

  // UpperLayerUser

  connect(): void {
    throw new Error('an acceptor does not connect');
  }
  send(bytes: Uint8Array): void {
    if (this.#socket.writable) this.#socket.write(bytes);
  }
  startARTIM(): void {
    this.#artimUntil = Date.now() + this.#door.options.limits.artimTimeoutMs;
  }
  stopARTIM(): void {
    this.#artimUntil = 0;
  }
  close(): void {
    this.#socket.destroySoon();
  }
  objection(): AssociateRJ | null {
    return this.#door.objection(this.address);
  }
  associateRequested(request: AssociateRQ): void {
    this.#request = request;
    this.#door.heard(this);
    this.#working = this.#answerAssociate(request).finally(() => this.#done());
  }
  associateAnswered(): void {}
  busy(): boolean {
    return this.#working !== null;
  }
  fragment(contextID: number, isCommand: boolean, isLast: boolean, length: number): Reply {
    try {
      this.#messages.fragment(contextID, isCommand, isLast, length);
    } catch (error) {
      this.#misunderstood(error);
    }
    return 'take';
  }
  piece(bytes: Uint8Array): void {
    this.#messages.piece(bytes);
  }
  fragmentEnd(): void {
    try {
      this.#messages.fragmentEnd();
    } catch (error) {
      this.#misunderstood(error);
    }
  }
  releaseRequested(): void {
    this.#upperLayer.answerRelease();
  }
  released(): void {}
  aborted(indication: AbortIndication): void {
    this.#artimUntil = indication.by === 'provider' ? this.#artimUntil : 0;
    if (indication.by === 'provider') this.#violated(indication.problem);
    const why = indication.by === 'peer' ? describeAbort(indication.abort) : indication.by === 'transport' ? 'the connection was lost' : indication.problem.message;
    this.#interrupt(why);
    // Whatever waits was sent by a peer that is gone.
    this.#waiting = [];
    if (this.#socket.isPaused()) this.#socket.resume();
  }
  refusedPDU(problem: UpperLayerProblem): void {
    this.#violated(problem);
  }

  async #answerAssociate(request: AssociateRQ): Promise<void> {
    const { options } = this.#door;
    const objection = objectionTo(request);
    if (objection !== null) return this.#reject(objection, 'the application context or Maximum Length is not supported');
    let asset: Asset | null;
    try {
      asset = await options.keeper.asset({ callingAETitle: request.callingAETitle, address: this.address, certificate: this.#certificate });
    } catch {
      return this.#reject(rejections.temporaryCongestion, null);
    }
    if (asset === null) {
      const { last } = this.#door.offend(this.address, 'refusal');
      const more = last ? '; this address is now refused unheard for a minute' : '';
      return this.#reject(rejections.callingAETitleNotRecognized, `no registered asset has this AE title at this address${more}`);
    }
    // An unregistered program on this machine need not know our name; whoever is registered was told it.
    if (asset.aeTitle !== '*' && request.calledAETitle !== options.aeTitle) return this.#reject(rejections.calledAETitleNotRecognized, `this is ${options.aeTitle}, not ${request.calledAETitle}`);
    if (!this.#upperLayer.can('Evt7')) return;
    this.#asset = asset;
    this.#source = {
      door: 'association', peer: asset.assetId, address: this.address,
      callingAETitle: request.callingAETitle, calledAETitle: request.calledAETitle, batch: this.#batch,
    };
    const answer = negotiate(request, {
      offer: (abstractSyntax) => {
        const entry = this.#door.abstractSyntaxes.get(abstractSyntax);
        if (entry === undefined) return null;
        return permits(asset, this.address, entry.service) ? entry.offer : 'forbidden';
      },
      maximumLength: options.maximumLength, implementationClassUID, implementationVersionName,
    });
    answer.presentationContexts.forEach((context, index) => {
      if (context.result !== contextResults.acceptance) return;
      const { abstractSyntax } = request.presentationContexts[index]!;
      this.#contexts.set(context.id, { abstractSyntax, transferSyntax: context.transferSyntax, service: this.#door.abstractSyntaxes.get(abstractSyntax)!.service });
    });
    this.#upperLayer.accept(answer);
  }

  async #reject(rejection: AssociateRJ, why: string | null): Promise<void> {
    if (why !== null) await this.#record(associationRefused(this.#peers, Date.now(), why));
    if (this.#upperLayer.can('Evt8')) this.#upperLayer.reject(rejection);
  }

  // MessageUser

  command(contextID: number, command: CommandSet, hasDataSet: boolean): void {
    const message = messageOf(command);
    const context = this.#contexts.get(contextID)!;
    // Nothing can be answered to a response we never asked for, or to a request without a number.
    if ((command.CommandField & responseBit) !== 0) throw new CommandProblem('command-field-unknown', 'a response came that nothing was asked for');
    if (message?.name === 'C-CANCEL-RQ') return;
    if (command.MessageID === undefined) throw new CommandProblem('command-field-missing', 'a request without Message ID');
    this.#contextID = contextID;
    this.#storeRequest = command;
    const service = services.find((row) => row.commandField === command.CommandField);
    const refusal = this.#judge(command, context, service, hasDataSet, message === null ? [] : missingElements(message, command));
    if (service?.name === 'C-STORE' || hasDataSet) {
      this.#store = new StoreOperation(this.#door.options, this.#door.area, this.#source!, command, context.transferSyntax, refusal);
      if (!hasDataSet) this.dataSetEnd();
      return;
    }
    this.#respond(refusal ?? { status: statuses.success, comment: '' });
  }
  dataSetPiece(bytes: Uint8Array): void {
    if (this.#store!.piece(bytes)) return;
    this.#end('the object is far over the limit');
  }
  dataSetEnd(): void {
    this.#working = this.#finishStore(this.#store!).finally(() => this.#done());
  }

  #judge(command: CommandSet, context: AcceptedContext, service: ServiceRow | undefined, hasDataSet: boolean, missing: readonly string[]): Outcome | null {
    if (service === undefined) return { status: statuses.unrecognizedOperation, comment: 'this operation is not offered' };
    if (service !== context.service) return { status: statuses.sopClassNotSupported, comment: `${service.name} is not a service of this presentation context` };
    if (!permits(this.#asset!, this.address, service)) return { status: statuses.notAuthorized, comment: `${this.#asset!.name} may not use ${service.name}` };
    if (service.name === 'C-STORE') return judgeStoreRequest(command, context.abstractSyntax, hasDataSet, missing);
    if (missing.length > 0) return { status: statuses.mistypedArgument, comment: `${service.name} without ${missing.join(', ')}` };
    if (hasDataSet) return { status: statuses.mistypedArgument, comment: `${service.name} has no Data Set` };
    return null;
  }

  async #finishStore(store: StoreOperation): Promise<void> {
    const outcome = await store.finish();
    this.#store = null;
    // Every refusal is on the record before it is told.
    if (outcome.status !== statuses.success) await this.#recordFailure(store, outcome.comment);
    this.#respond(outcome);
  }

  #respond(outcome: Outcome): void {
    const request = this.#storeRequest!;
    if (!this.#upperLayer.can('Evt9')) return;
    this.#upperLayer.sendCommand(this.#contextID, encodeCommandSet({
      ...(request.AffectedSOPClassUID ? { AffectedSOPClassUID: request.AffectedSOPClassUID } : {}),
      CommandField: request.CommandField | responseBit,
      MessageIDBeingRespondedTo: request.MessageID!,
      CommandDataSetType: noDataSet,
      Status: outcome.status,
      ...(outcome.comment === '' ? {} : { ErrorComment: errorComment(outcome.comment) }),
      ...(request.AffectedSOPInstanceUID ? { AffectedSOPInstanceUID: request.AffectedSOPInstanceUID } : {}),
    }));
  }

  #done(): void {
    this.#working = null;
    this.#activeAt = Date.now();
    this.#resume();
  }

  /** A message that breaks PS3.7: A-ABORT by the service-user. */
  #misunderstood(error: unknown): void {
    if (!(error instanceof CommandProblem)) throw error;
    this.#violated(error);
    this.#end(error.message);
  }

  #end(why: string): void {
    if (this.#upperLayer.can('Evt15')) this.#upperLayer.abort();
    else this.#socket.destroy();
    this.#interrupt(why);
  }

  /** An object whose Data Set had begun and will not end. */
  #interrupt(why: string): void {
    const store = this.#store;
    if (store === null || this.#working !== null) return;
    this.#store = null;
    store.discard();
    void this.#recordFailure(store, `not received whole: ${why}`);
  }

  async #recordFailure(store: StoreOperation, why: string): Promise<void> {
    if (store.sopInstanceUID === '' || ++this.#failures > recordedFailuresMax) return;
    const last = this.#failures === recordedFailuresMax ? '; further failures of this association are not recorded singly' : '';
    await this.#record(transferFailed(this.#peers, Date.now(), store, why + last));
  }

  #violated(problem: Error): void {
    const { record, last } = this.#door.offend(this.address, 'violation');
    if (record) void this.#record(associationViolated(this.#peers, Date.now(), problem.message + (last ? '; more of this address within a minute are not recorded singly' : '')));
  }

  /** Where the keeper cannot record, it cannot admit either: nothing is accepted, and refusing goes on. */
  async #record(message: AuditMessage): Promise<void> {
    await this.#door.options.keeper.record(message).catch(() => {});
  }

  get #peers(): Peers {
    return { address: this.address, callingAETitle: this.#request?.callingAETitle ?? '', calledAETitle: this.#request?.calledAETitle ?? '', batch: this.#batch };
  }
}
