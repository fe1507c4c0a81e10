/** A user that writes down what the machine asks of it, and PDUs to drive it with. For tests. */
import { encodePDU } from './encode.ts';
import { UpperLayer, type AbortIndication, type UpperLayerUser } from './machine.ts';
import { applicationContextName, type AssociateAC, type AssociateRJ, type AssociateRQ, type UserInformation } from './pdu.ts';
import type { Reply } from './reader.ts';
import type { State } from './transitions.ts';

export const information: UserInformation = {
  maximumLength: 16384, implementationClassUID: '2.25.1', implementationVersionName: 'TEST', roles: [], asynchronousOperations: null, userIdentityType: null,
};
export const associateRQ: AssociateRQ = {
  type: 'A-ASSOCIATE-RQ', protocolVersion: 1, calledAETitle: 'LAZARET', callingAETitle: 'CT2', applicationContextName,
  presentationContexts: [
    { id: 1, abstractSyntax: '1.2.840.10008.1.1', transferSyntaxes: ['1.2.840.10008.1.2'] },
    { id: 3, abstractSyntax: '1.2.840.10008.5.1.4.1.1.2', transferSyntaxes: ['1.2.840.10008.1.2.1', '1.2.840.10008.1.2'] },
  ],
  userInformation: information,
};
export const associateAC: AssociateAC = {
  type: 'A-ASSOCIATE-AC', protocolVersion: 1, calledAETitle: 'LAZARET', callingAETitle: 'CT2', applicationContextName,
  presentationContexts: [{ id: 1, result: 0, transferSyntax: '1.2.840.10008.1.2' }, { id: 3, result: 0, transferSyntax: '1.2.840.10008.1.2.1' }],
  userInformation: information,
};
export const associateRJ: AssociateRJ = { type: 'A-ASSOCIATE-RJ', result: 1, source: 1, reason: 1 };

/** A P-DATA-TF PDU of the given PDVs. */
export function dataPDU(...pdvs: readonly { readonly contextID?: number; readonly control?: number; readonly bytes?: readonly number[] }[]): Uint8Array {
  const body = pdvs.flatMap(({ contextID = 1, control = 3, bytes = [1, 2] }) => [0, 0, 0, bytes.length + 2, contextID, control, ...bytes]);
  return Uint8Array.from([4, 0, 0, 0, body.length >> 8, body.length & 255, ...body]);
}

const pduNames = ['', 'A-ASSOCIATE-RQ', 'A-ASSOCIATE-AC', 'A-ASSOCIATE-RJ', 'P-DATA-TF', 'A-RELEASE-RQ', 'A-RELEASE-RP', 'A-ABORT'];

export class Recorder implements UpperLayerUser {
  effects: string[] = [];
  readonly sent: Uint8Array[] = [];
  isBusy = false;
  objects: AssociateRJ | null = null;
  problems: Error[] = [];
  connect(): void {
    this.effects.push('connect');
  }
  send(bytes: Uint8Array): void {
    this.sent.push(bytes);
    const source = bytes[0] === 7 ? ` ${bytes[8]}` : '';
    this.effects.push(`send ${pduNames[bytes[0]!]}${source}`);
  }
  startARTIM(): void {
    this.effects.push('start ARTIM');
  }
  stopARTIM(): void {
    this.effects.push('stop ARTIM');
  }
  close(): void {
    this.effects.push('close');
  }
  objection(): AssociateRJ | null {
    return this.objects;
  }
  associateRequested(): void {
    this.effects.push('A-ASSOCIATE indication');
  }
  associateAnswered(answer: AssociateAC | AssociateRJ): void {
    this.effects.push(`A-ASSOCIATE confirmation ${answer.type}`);
  }
  busy(): boolean {
    return this.isBusy;
  }
  fragment(contextID: number, isCommand: boolean, isLast: boolean, length: number): Reply {
    this.effects.push(`fragment ${contextID} ${isCommand ? 'command' : 'data'}${isLast ? ' last' : ''} ${length}`);
    return 'take';
  }
  piece(bytes: Uint8Array): void {
    this.effects.push(`piece ${[...bytes].join(' ')}`);
  }
  fragmentEnd(): void {
    this.effects.push('end');
  }
  releaseRequested(): void {
    this.effects.push('A-RELEASE indication');
  }
  released(): void {
    this.effects.push('A-RELEASE confirmation');
  }
  aborted(indication: AbortIndication): void {
    if (indication.by === 'provider') this.problems.push(indication.problem);
    this.effects.push(`abort by ${indication.by}`);
  }
  refusedPDU(problem: Error): void {
    this.problems.push(problem);
  }
}

export const releaseRQ = encodePDU({ type: 'A-RELEASE-RQ' });
export const releaseRP = encodePDU({ type: 'A-RELEASE-RP' });

/** A machine of one side, brought into a state the way the standard does; null where that side never is in it. */
export function machineIn(state: State, side: 'acceptor' | 'requestor'): { readonly machine: UpperLayer; readonly user: Recorder } | null {
  const user = new Recorder();
  const machine = new UpperLayer(side, user, 16384);
  const established = (): void => {
    if (side === 'acceptor') {
      machine.connected();
      machine.receive(encodePDU(associateRQ));
      machine.accept(associateAC);
    } else {
      machine.associate(associateRQ);
      machine.connected();
      machine.receive(encodePDU(associateAC));
    }
  };
  const ways: Partial<Record<State, () => void>> = {
    Sta1: () => {},
    Sta6: established,
    Sta7: () => (established(), machine.release()),
    Sta8: () => (established(), machine.receive(releaseRQ)),
    Sta13: () => (established(), machine.abort()),
    ...(side === 'acceptor'
      ? {
          Sta2: () => machine.connected(),
          Sta3: () => (machine.connected(), machine.receive(encodePDU(associateRQ))),
          Sta10: () => (established(), machine.release(), machine.receive(releaseRQ)),
          Sta12: () => (established(), machine.release(), machine.receive(releaseRQ), machine.receive(releaseRP)),
        }
      : {
          Sta4: () => machine.associate(associateRQ),
          Sta5: () => (machine.associate(associateRQ), machine.connected()),
          Sta9: () => (established(), machine.release(), machine.receive(releaseRQ)),
          Sta11: () => (established(), machine.release(), machine.receive(releaseRQ), machine.answerRelease()),
        }),
  };
  const way = ways[state];
  if (way === undefined) return null;
  way();
  user.effects = [];
  user.problems = [];
  return { machine, user };
}
