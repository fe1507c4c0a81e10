/** Encodes PDUs (PS3.8 §9.3). What we encode is our own, so a value that does not fit is our bug and throws RangeError. */
import { aeTitleBytes, associatePDUBytesMax, uidBytesMax } from './limits.ts';
import { pduTypes, type AssociateAC, type AssociateRQ, type PDU, type UserInformation } from './pdu.ts';

const ascii = new TextEncoder();

/** One whole PDU that is not a P-DATA-TF. */
export function encodePDU(pdu: PDU): Uint8Array {
  switch (pdu.type) {
    case 'A-ASSOCIATE-RQ':
    case 'A-ASSOCIATE-AC':
      return encodeAssociate(pdu);
    case 'A-ASSOCIATE-RJ':
      return fixed(pdu.type, 0, pdu.result, pdu.source, pdu.reason);
    case 'A-ABORT':
      return fixed(pdu.type, 0, 0, pdu.source, pdu.reason);
    case 'A-RELEASE-RQ':
    case 'A-RELEASE-RP':
      return fixed(pdu.type, 0, 0, 0, 0);
  }
}

/** Bytes before a fragment in a P-DATA-TF PDU that holds it alone: PDU type, reserved, length; PDV length, context, message control header. */
export const dataHeaderBytes = 12;

/** Writes the header of a P-DATA-TF PDU with one PDV of `length` bytes (PS3.8 §9.3.5, Annex E.2) into `target` at `at`. */
export function writeDataHeader(target: Uint8Array, at: number, contextID: number, isCommand: boolean, isLast: boolean, length: number): void {
  target[at] = pduTypes['P-DATA-TF'];
  target[at + 1] = 0;
  writeU32(target, at + 2, length + 6);
  writeU32(target, at + 6, length + 2);
  target[at + 10] = contextID;
  target[at + 11] = (isCommand ? 1 : 0) | (isLast ? 2 : 0);
}

function fixed(type: keyof typeof pduTypes, ...body: readonly number[]): Uint8Array {
  return Uint8Array.from([pduTypes[type], 0, 0, 0, 0, body.length, ...body]);
}

function encodeAssociate(pdu: AssociateRQ | AssociateAC): Uint8Array {
  const parts: Uint8Array[] = [item(0x10, [uid(pdu.applicationContextName)])];
  if (pdu.type === 'A-ASSOCIATE-RQ') {
    for (const context of pdu.presentationContexts) {
      parts.push(item(0x20, [Uint8Array.of(context.id, 0, 0, 0), item(0x30, [uid(context.abstractSyntax)]), ...context.transferSyntaxes.map((syntax) => item(0x40, [uid(syntax)]))]));
    }
  } else {
    // A context that is not accepted still carries one transfer syntax item, of no meaning (PS3.8 §9.3.3.2).
    for (const context of pdu.presentationContexts) parts.push(item(0x21, [Uint8Array.of(context.id, 0, context.result, 0), item(0x40, [uid(context.transferSyntax)])]));
  }
  parts.push(item(0x50, encodeUserInformation(pdu.userInformation)));
  const body = concat([Uint8Array.of(pdu.protocolVersion >> 8, pdu.protocolVersion & 0xff, 0, 0), aeTitle(pdu.calledAETitle), aeTitle(pdu.callingAETitle), new Uint8Array(32), ...parts]);
  if (body.length > associatePDUBytesMax) throw new RangeError(`an A-ASSOCIATE PDU of ${body.length} bytes; at most ${associatePDUBytesMax} are sent`);
  const head = new Uint8Array(6);
  head[0] = pduTypes[pdu.type];
  writeU32(head, 2, body.length);
  return concat([head, body]);
}

function encodeUserInformation(information: UserInformation): Uint8Array[] {
  const length = new Uint8Array(4);
  writeU32(length, 0, information.maximumLength);
  const parts = [item(0x51, [length]), item(0x52, [uid(information.implementationClassUID)])];
  if (information.asynchronousOperations !== null) {
    const { invoked, performed } = information.asynchronousOperations;
    parts.push(item(0x53, [Uint8Array.of(invoked >> 8, invoked & 0xff, performed >> 8, performed & 0xff)]));
  }
  for (const role of information.roles) {
    const name = uid(role.sopClassUID);
    parts.push(item(0x54, [Uint8Array.of(name.length >> 8, name.length & 0xff), name, Uint8Array.of(role.scuRole ? 1 : 0, role.scpRole ? 1 : 0)]));
  }
  if (information.implementationVersionName !== '') parts.push(item(0x55, [ascii.encode(information.implementationVersionName)]));
  return parts;
}

function item(type: number, parts: readonly Uint8Array[]): Uint8Array {
  const body = concat(parts);
  if (body.length > 0xffff) throw new RangeError(`an item of ${body.length} bytes does not fit its length field`);
  return concat([Uint8Array.of(type, 0, body.length >> 8, body.length & 0xff), body]);
}

function uid(text: string): Uint8Array {
  if (text.length > uidBytesMax) throw new RangeError(`a UID of ${text.length} characters`);
  return ascii.encode(text);
}

function aeTitle(text: string): Uint8Array {
  if (text.length > aeTitleBytes) throw new RangeError(`an AE title of ${text.length} characters`);
  return ascii.encode(text.padEnd(aeTitleBytes, ' '));
}

function writeU32(target: Uint8Array, at: number, value: number): void {
  target[at] = value >>> 24;
  target[at + 1] = (value >>> 16) & 0xff;
  target[at + 2] = (value >>> 8) & 0xff;
  target[at + 3] = value & 0xff;
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
