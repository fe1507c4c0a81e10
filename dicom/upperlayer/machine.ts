/**
 * The DICOM upper layer without I/O (PS3.8 §9.2): bytes, timer and local requests go in, the actions of the state table come out as
 * calls of an UpperLayerUser. It owns no socket and no clock, so every test and simulation can drive it.
 *
 * One liberty: Evt10 takes place when the header of a P-DATA-TF PDU has come, not its last byte, so that no PDU is ever kept whole.
 */
import { encodePDU, dataHeaderBytes, writeDataHeader } from './encode.ts';
import { maximumLengthDefault, sendLengthMax } from './limits.ts';
import {
  UpperLayerProblem, abortReasons, contextResults, pduTypes, rejections,
  type Abort, type AbortReason, type AssociateAC, type AssociateRJ, type AssociateRQ, type PDU,
} from './pdu.ts';
import { PDUReader, type PDUConsumer, type Reply } from './reader.ts';
import { actions, transitions, type Action, type Event, type State } from './transitions.ts';

/** Why an association ended before its A-RELEASE. */
export type AbortIndication =
  | { readonly by: 'peer'; readonly abort: Abort }
  | { readonly by: 'transport' }
  | { readonly by: 'provider'; readonly problem: UpperLayerProblem };

/** What the machine wants done, and what it tells. */
export interface UpperLayerUser {
  /** AE-1: open the transport connection; call `connected` when it is. */
  connect(): void;
  send(bytes: Uint8Array): void;
  /** Start or restart the ARTIM timer; call `artimExpired` when it ends. */
  startARTIM(): void;
  stopARTIM(): void;
  /** Close the transport connection. */
  close(): void;
  /** AE-6: the service-provider's own objection to a request (congestion, limits), or null. */
  objection(request: AssociateRQ): AssociateRJ | null;
  /** A-ASSOCIATE indication: answer with `accept` or `reject`, now or later. */
  associateRequested(request: AssociateRQ): void;
  /** A-ASSOCIATE confirmation. */
  associateAnswered(answer: AssociateAC | AssociateRJ): void;
  /** Whether the next P-DATA-TF or A-RELEASE-RQ PDU must wait: the last message is still being worked on. */
  busy(): boolean;
  /** P-DATA indication, in pieces: a fragment's header, its bytes, its end. `hold` as in PDUConsumer. */
  fragment(contextID: number, isCommand: boolean, isLast: boolean, length: number): Reply;
  piece(bytes: Uint8Array): void;
  fragmentEnd(): void;
  releaseRequested(): void;
  released(): void;
  aborted(indication: AbortIndication): void;
  /** A PDU was wrong before there was an association (Sta2): nothing is indicated then, but somebody may want to know. */
  refusedPDU(problem: UpperLayerProblem): void;
}

export class UpperLayer implements PDUConsumer {
  readonly #side: 'acceptor' | 'requestor';
  readonly #user: UpperLayerUser;
  readonly #reader: PDUReader;
  #state: State = 'Sta1';
  #request: AssociateRQ | null = null;
  #contextIDs: ReadonlySet<number> = new Set();
  #peerMaximumLength = 0;
  /** What is wrong with the PDU at hand, and its type: an abort tells it. 0 where no PDU is the cause. */
  #problem: UpperLayerProblem | null = null;
  #pduType = 0;
  #abort: Abort | null = null;

  /** `maximumLength` is what we announce (PS3.8 §D.1). */
  constructor(side: 'acceptor' | 'requestor', user: UpperLayerUser, maximumLength: number = maximumLengthDefault) {
    this.#side = side;
    this.#user = user;
    this.#reader = new PDUReader(this, maximumLength);
  }

  get state(): State {
    return this.#state;
  }

  /** Whether `event` is in the table for the present state. */
  can(event: Event): boolean {
    return transitions[event][this.#state] !== undefined;
  }

  /** The most bytes of a fragment that fit the peer's Maximum Length in a PDU of their own. */
  get fragmentBytesMax(): number {
    const announced = this.#peerMaximumLength === 0 ? sendLengthMax : Math.min(this.#peerMaximumLength, sendLengthMax);
    return Math.max(1, announced - 6);
  }

  // What the transport tells

  /** Evt2 (requestor) or Evt5 (acceptor). */
  connected(): void {
    this.#step(this.#side === 'requestor' ? 'Evt2' : 'Evt5');
  }
  /** Evt17. */
  closed(): void {
    if (this.#state === 'Sta1') return;
    this.#reader.end();
    this.#step('Evt17');
  }
  /** Evt18. */
  artimExpired(): void {
    if (this.can('Evt18')) this.#step('Evt18');
  }
  /** Bytes of the connection. Returns how many were taken; the rest must be offered again once the user is no longer busy. */
  receive(chunk: Uint8Array): number {
    if (this.#state === 'Sta1') return chunk.length;
    return this.#reader.push(chunk);
  }

  // What the local user requests. Each throws `event-unexpected` where the table has no entry: ask `can` first where the peer may have been faster.

  /** Evt1. */
  associate(request: AssociateRQ): void {
    this.#request = request;
    this.#step('Evt1');
  }
  /** Evt7. */
  accept(answer: AssociateAC): void {
    this.#adopt(answer);
    this.#step('Evt7');
    this.#user.send(encodePDU(answer));
  }
  /** Evt8. */
  reject(rejection: AssociateRJ): void {
    this.#step('Evt8');
    this.#user.send(encodePDU(rejection));
    this.#user.startARTIM();
  }
  /** Evt9: a whole command set, in as many PDUs as the peer's Maximum Length asks for; each is one `send`. */
  sendCommand(contextID: number, command: Uint8Array): void {
    const max = this.fragmentBytesMax;
    for (let at = 0; at < command.length; at += max) {
      this.#step('Evt9');
      const part = command.subarray(at, Math.min(at + max, command.length));
      const pdu = new Uint8Array(dataHeaderBytes + part.length);
      writeDataHeader(pdu, 0, contextID, true, at + part.length === command.length, part.length);
      pdu.set(part, dataHeaderBytes);
      this.#user.send(pdu);
    }
  }
  /** Evt9: one fragment of a Data Set, at most `fragmentBytesMax` bytes. `bytes` is sent as it is, without a copy. */
  sendData(contextID: number, isLast: boolean, bytes: Uint8Array): void {
    if (bytes.length > this.fragmentBytesMax) throw new RangeError(`a fragment of ${bytes.length} bytes; the peer takes ${this.fragmentBytesMax}`);
    this.#step('Evt9');
    const header = new Uint8Array(dataHeaderBytes);
    writeDataHeader(header, 0, contextID, false, isLast, bytes.length);
    this.#user.send(header);
    this.#user.send(bytes);
  }
  /** Evt11. */
  release(): void {
    this.#step('Evt11');
  }
  /** Evt14. */
  answerRelease(): void {
    this.#step('Evt14');
  }
  /** Evt15. */
  abort(): void {
    this.#concern(0);
    this.#step('Evt15');
  }
  /** A peer's message breaks PS3.7 in a way that leaves nothing to answer: ended as by the service-provider (Evt19). */
  refuse(problem: UpperLayerProblem): void {
    this.#reader.end();
    this.invalid(problem);
  }

  // PDUConsumer

  begin(type: number): Reply {
    if (this.#state === 'Sta1') return 'skip';
    if (type === pduTypes['P-DATA-TF']) {
      if (this.#state === 'Sta6' && this.#user.busy()) return 'hold';
      this.#concern(type);
      this.#step('Evt10');
      return this.#delivers ? 'take' : 'skip';
    }
    return type === pduTypes['A-RELEASE-RQ'] && this.#state === 'Sta6' && this.#user.busy() ? 'hold' : 'take';
  }
  pdu(pdu: PDU): void {
    if (this.#state === 'Sta1') return;
    this.#concern(pduTypes[pdu.type]);
    switch (pdu.type) {
      case 'A-ASSOCIATE-RQ':
        if (this.#state === 'Sta2') this.#request = pdu;
        return this.#step('Evt6');
      case 'A-ASSOCIATE-AC':
        if (this.#state === 'Sta5') return this.#confirm(pdu);
        return this.#step('Evt3');
      case 'A-ASSOCIATE-RJ':
        if (this.#state === 'Sta5') {
          this.#step('Evt4');
          return this.#user.associateAnswered(pdu);
        }
        return this.#step('Evt4');
      case 'A-RELEASE-RQ':
        return this.#step('Evt12');
      case 'A-RELEASE-RP':
        return this.#step('Evt13');
      case 'A-ABORT':
        this.#abort = pdu;
        return this.#step('Evt16');
    }
  }
  fragment(contextID: number, isCommand: boolean, isLast: boolean, length: number): Reply {
    if (!this.#delivers) return 'skip';
    if (this.#user.busy()) return 'hold';
    if (!this.#contextIDs.has(contextID)) {
      this.refuse(new UpperLayerProblem('context-unknown', `a PDV for presentation context ${contextID}, which was not accepted`));
      return 'skip';
    }
    return this.#user.fragment(contextID, isCommand, isLast, length);
  }
  piece(bytes: Uint8Array): void {
    if (this.#delivers) this.#user.piece(bytes);
  }
  fragmentEnd(): void {
    if (this.#delivers) this.#user.fragmentEnd();
  }
  invalid(problem: UpperLayerProblem): void {
    if (this.#state === 'Sta1') return;
    this.#problem = problem;
    this.#step('Evt19');
  }

  /** P-DATA is indicated to the user in these states (DT-2, AR-6). */
  get #delivers(): boolean {
    return this.#state === 'Sta6' || this.#state === 'Sta7';
  }

  /** Which PDU the next event is about. Runs for every PDU, so the words are made only once they are needed. */
  #concern(type: number): void {
    this.#problem = null;
    this.#pduType = type;
  }
  #complaint(): UpperLayerProblem {
    return this.#problem ?? new UpperLayerProblem('event-unexpected', `a PDU of type ${this.#pduType} was not expected at this point`, abortReasons.unexpectedPDU);
  }

  #confirm(answer: AssociateAC): void {
    this.#adopt(answer);
    this.#step('Evt3');
    this.#user.associateAnswered(answer);
  }

  #adopt(answer: AssociateAC): void {
    this.#contextIDs = new Set(answer.presentationContexts.filter((context) => context.result === contextResults.acceptance).map((context) => context.id));
    const peer = this.#side === 'requestor' ? answer.userInformation : this.#request?.userInformation;
    this.#peerMaximumLength = peer?.maximumLength ?? 0;
  }

  #step(event: Event): void {
    const action = transitions[event][this.#state];
    if (action === undefined) throw new UpperLayerProblem('event-unexpected', `${event} cannot happen in ${this.#state}`, abortReasons.unexpectedPDU);
    const next: readonly State[] = actions[action].next;
    if (action === 'AE-6') return this.#receiveRequest();
    // The state is changed before anyone is told, so that whoever is told may at once request the next thing.
    this.#state = action === 'AR-8' ? (this.#side === 'requestor' ? 'Sta9' : 'Sta10') : next[0]!;
    this.#perform(action);
  }

  /** AE-6. */
  #receiveRequest(): void {
    const request = this.#request!;
    this.#user.stopARTIM();
    // PS3.8 §9.3.2: bit 0 of the protocol version says version 1.
    const objection = (request.protocolVersion & 1) === 0 ? rejections.protocolVersionNotSupported : this.#user.objection(request);
    if (objection === null) {
      this.#state = 'Sta3';
      this.#user.associateRequested(request);
      return;
    }
    this.#state = 'Sta13';
    this.#user.send(encodePDU(objection));
    this.#user.startARTIM();
  }

  #perform(action: Action): void {
    const user = this.#user;
    switch (action) {
      case 'AE-1':
        return user.connect();
      case 'AE-2':
        return user.send(encodePDU(this.#request!));
      case 'AE-5':
        return user.startARTIM();
      case 'AE-4':
        return user.close();
      case 'AR-1':
        return user.send(encodePDU({ type: 'A-RELEASE-RQ' }));
      case 'AR-2':
      case 'AR-8':
        return user.releaseRequested();
      case 'AR-3':
        user.released();
        return user.close();
      case 'AR-4':
        user.send(encodePDU({ type: 'A-RELEASE-RP' }));
        return user.startARTIM();
      case 'AR-9':
        return user.send(encodePDU({ type: 'A-RELEASE-RP' }));
      case 'AR-10':
        return user.released();
      case 'AR-5':
      case 'AA-5':
        return user.stopARTIM();
      case 'AA-1':
        // The user's own abort has no problem to tell; a wrong PDU before there is an association has (Sta2).
        this.#sendAbort(0, 0);
        if (this.#problem !== null || this.#pduType !== 0) user.refusedPDU(this.#complaint());
        return;
      case 'AA-2':
        user.stopARTIM();
        return user.close();
      case 'AA-3':
        user.aborted({ by: 'peer', abort: this.#abort! });
        return user.close();
      case 'AA-4':
        return user.aborted({ by: 'transport' });
      case 'AA-7':
        return user.send(encodePDU({ type: 'A-ABORT', source: 2, reason: this.#problem?.reason ?? abortReasons.unexpectedPDU }));
      case 'AA-8': {
        const problem = this.#complaint();
        this.#sendAbort(2, problem.reason);
        return user.aborted({ by: 'provider', problem });
      }
      default:
        // AE-3, AE-7, AE-8, DT-1, DT-2, AR-6, AR-7, AA-6: done by the caller of #step, who has the value, or nothing to do.
        return;
    }
  }

  #sendAbort(source: number, reason: AbortReason): void {
    this.#user.send(encodePDU({ type: 'A-ABORT', source, reason }));
    this.#user.startARTIM();
  }
}
