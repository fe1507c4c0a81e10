/** A door on a free port with a keeper that does as told, and a peer that sends any bytes. For tests. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { decodeCommandSet, encodeCommandSet, noDataSet, withDataSet, type CommandSet } from '@lazaret/dicom/dimse/commands.ts';
import { encodePDU, writeDataHeader, dataHeaderBytes } from '@lazaret/dicom/upperlayer/encode.ts';
import { applicationContextName, type AssociateRQ, type PDU, type ProposedPresentationContext } from '@lazaret/dicom/upperlayer/pdu.ts';
import { PDUReader, type PDUConsumer } from '@lazaret/dicom/upperlayer/reader.ts';
import type { AuditMessage } from '@lazaret/audit/message.ts';
import type { Asset } from '@lazaret/hospital/assets/lookup.ts';
import type { Admission, ReceivedObject } from '../contract.ts';
import { Door, doorOptions } from './door.ts';
import type { Keeper } from './keeper.ts';
import type { AssociationLimits } from './limits.ts';

export const anyone: Asset = { assetId: 'loopback', name: 'This machine', aeTitle: '*', addresses: ['127.0.0.0/8'], certificate: null, may: ['echo', 'store'] };
export const ctImageStorage = '1.2.840.10008.5.1.4.1.1.2';
export const explicitLittle = '1.2.840.10008.1.2.1';

/** Admits everything, unless a test puts something else in. */
export class RecordingKeeper implements Keeper {
  readonly admitted: ReceivedObject[] = [];
  readonly recorded: AuditMessage[] = [];
  known: Asset | null = anyone;
  onAsset: () => void = () => {};
  onAdmit: (object: ReceivedObject) => Promise<void> | void = () => {};
  asset(): Promise<Asset | null> {
    this.onAsset();
    return Promise.resolve(this.known);
  }
  async admit(object: ReceivedObject): Promise<Admission> {
    await this.onAdmit(object);
    this.admitted.push(object);
    return { outcome: 'admitted', objectId: object.objectId };
  }
  record(message: AuditMessage): Promise<void> {
    this.recorded.push(message);
    return Promise.resolve();
  }
}

export interface OpenDoor {
  readonly door: Door;
  readonly port: number;
  readonly keeper: RecordingKeeper;
  readonly arriving: string;
  /** Names of the files in the arriving area. */
  files(): string[];
}

export async function openDoor(t: TestContext, limits: Partial<AssociationLimits> = {}, privateSOPClasses: readonly string[] = []): Promise<OpenDoor> {
  const arriving = mkdtempSync(join(tmpdir(), 'lazaret-arriving-'));
  const keeper = new RecordingKeeper();
  const door = new Door(doorOptions({ host: '127.0.0.1', port: 0, tls: null, aeTitle: 'LAZARET', arriving, privateSOPClasses, keeper, limits: { diskFreeBytesMin: 0, ...limits } }));
  await door.open();
  t.after(async () => {
    await door.stop();
    rmSync(arriving, { recursive: true, force: true });
  });
  return { door, port: door.dimse!.port, keeper, arriving, files: () => readdirSync(arriving) };
}

export function requestOf(contexts: readonly ProposedPresentationContext[], callingAETitle = 'CT2', calledAETitle = 'LAZARET'): AssociateRQ {
  return {
    type: 'A-ASSOCIATE-RQ', protocolVersion: 1, calledAETitle, callingAETitle, applicationContextName, presentationContexts: contexts,
    userInformation: { maximumLength: 16384, implementationClassUID: '2.25.1', implementationVersionName: 'TEST', roles: [], asynchronousOperations: null, userIdentityType: null },
  };
}
export const usualContexts: readonly ProposedPresentationContext[] = [
  { id: 1, abstractSyntax: '1.2.840.10008.1.1', transferSyntaxes: ['1.2.840.10008.1.2'] },
  { id: 3, abstractSyntax: ctImageStorage, transferSyntaxes: [explicitLittle] },
];
export function storeCommand(sopInstanceUID: string, changes: Partial<CommandSet> = {}): CommandSet {
  return { AffectedSOPClassUID: ctImageStorage, CommandField: 1, MessageID: 1, Priority: 0, CommandDataSetType: withDataSet, AffectedSOPInstanceUID: sopInstanceUID, ...changes };
}
export const echoCommand: CommandSet = { AffectedSOPClassUID: '1.2.840.10008.1.1', CommandField: 0x30, MessageID: 1, CommandDataSetType: noDataSet };

/** One PDV in a PDU of its own. */
export function dataPDU(contextID: number, isCommand: boolean, isLast: boolean, bytes: Uint8Array): Uint8Array {
  const pdu = new Uint8Array(dataHeaderBytes + bytes.length);
  writeDataHeader(pdu, 0, contextID, isCommand, isLast, bytes.length);
  pdu.set(bytes, dataHeaderBytes);
  return pdu;
}

type Received = PDU | { readonly type: 'command'; readonly command: CommandSet } | { readonly type: 'closed' };

/** A peer that says what the test wants it to say and keeps what comes back. */
export class RawPeer implements PDUConsumer {
  readonly socket: Socket;
  readonly #received: Received[] = [];
  #wake: (() => void) | null = null;
  #bytes: Uint8Array[] = [];

  constructor(socket: Socket) {
    this.socket = socket;
    const reader = new PDUReader(this, 1024 * 1024);
    socket.on('data', (chunk) => void reader.push(chunk as Buffer));
    socket.on('error', () => {});
    socket.on('close', () => this.#put({ type: 'closed' }));
  }
  static connect(port: number, localAddress = '127.0.0.1'): RawPeer {
    return new RawPeer(connect({ host: '127.0.0.1', port, localAddress, noDelay: true }));
  }
  /** Opens an association; returns what the other side answered. */
  async associate(request: AssociateRQ = requestOf(usualContexts)): Promise<Received> {
    this.send(encodePDU(request));
    return this.next();
  }
  send(bytes: Uint8Array): void {
    this.socket.write(bytes);
  }
  command(contextID: number, command: CommandSet): void {
    this.send(dataPDU(contextID, true, true, encodeCommandSet(command)));
  }
  /** A whole C-STORE; returns the response. */
  async store(command: CommandSet, dataSet: Uint8Array, contextID = 3): Promise<CommandSet> {
    this.command(contextID, command);
    this.dataSet(contextID, dataSet);
    return this.response();
  }
  /** A Data Set in PDVs of at most 100,000 bytes. */
  dataSet(contextID: number, bytes: Uint8Array): void {
    let at = 0;
    do {
      const end = Math.min(at + 100_000, bytes.length);
      this.send(dataPDU(contextID, false, end === bytes.length, bytes.subarray(at, end)));
      at = end;
    } while (at < bytes.length);
  }
  /** The next thing that the other side said. */
  async next(): Promise<Received> {
    while (this.#received.length === 0) await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.#received.shift()!;
  }
  async response(): Promise<CommandSet> {
    const next = await this.next();
    if (next.type !== 'command') throw new Error(`a response was expected, ${JSON.stringify(next)} came`);
    return next.command;
  }

  #put(received: Received): void {
    this.#received.push(received);
    this.#wake?.();
  }
  begin(): 'take' {
    return 'take';
  }
  pdu(pdu: PDU): void {
    this.#put(pdu);
  }
  fragment(): 'take' {
    this.#bytes = [];
    return 'take';
  }
  piece(bytes: Uint8Array): void {
    this.#bytes.push(bytes);
  }
  fragmentEnd(): void {
    this.#put({ type: 'command', command: decodeCommandSet(Buffer.concat(this.#bytes)) });
  }
  invalid(problem: Error): void {
    throw problem;
  }
}

/** Waits until something holds; the test's own time limit ends it. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 10));
}
