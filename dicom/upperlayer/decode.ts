/**
 * Decodes whole PDUs other than P-DATA-TF (PS3.8 §9.3). Every item's length is checked against the item that holds it before anything is
 * taken from it; unknown items are skipped (PS3.8 §9.3.1); nothing is allocated from a declared length.
 */
import { aeTitleBytes, implementationVersionNameBytesMax, presentationContextsMax, presentationContextsMin, uidBytesMax } from './limits.ts';
import {
  UpperLayerProblem, abortReasons, pduTypes,
  type AnsweredPresentationContext, type ContextResult, type PDU, type ProposedPresentationContext, type RoleSelection, type UserInformation,
} from './pdu.ts';

const itemTypes = { applicationContext: 0x10, proposedContext: 0x20, answeredContext: 0x21, abstractSyntax: 0x30, transferSyntax: 0x40, userInformation: 0x50 } as const;
/** Sub-items of User Information (PS3.7 Annex D, PS3.8 Annex D). */
const subItemTypes = { maximumLength: 0x51, implementationClassUID: 0x52, asynchronousOperations: 0x53, role: 0x54, implementationVersionName: 0x55, userIdentity: 0x58 } as const;

/** Bytes from the protocol version to the end of the reserved field: version, reserved, two titles, 32 reserved bytes (PS3.8 Table 9-11). */
const associateFixedBytes = 68;

/** Decodes the body (what follows the six bytes of type and length) of one PDU. Throws UpperLayerProblem. */
export function decodePDU(type: number, body: Uint8Array): PDU {
  switch (type) {
    case pduTypes['A-ASSOCIATE-RQ']:
    case pduTypes['A-ASSOCIATE-AC']:
      return decodeAssociate(type, body);
    case pduTypes['A-ASSOCIATE-RJ']:
      wantLength(body, 4, 'A-ASSOCIATE-RJ');
      return { type: 'A-ASSOCIATE-RJ', result: body[1]!, source: body[2]!, reason: body[3]! };
    case pduTypes['A-RELEASE-RQ']:
      wantLength(body, 4, 'A-RELEASE-RQ');
      return { type: 'A-RELEASE-RQ' };
    case pduTypes['A-RELEASE-RP']:
      wantLength(body, 4, 'A-RELEASE-RP');
      return { type: 'A-RELEASE-RP' };
    case pduTypes['A-ABORT']:
      wantLength(body, 4, 'A-ABORT');
      return { type: 'A-ABORT', source: body[2]!, reason: body[3]! };
    default:
      throw new UpperLayerProblem('pdu-type-unknown', `PDU type ${type} is not one of PS3.8 §9.3`, abortReasons.unrecognizedPDU);
  }
}

function wantLength(body: Uint8Array, length: number, name: string): void {
  if (body.length !== length) throw new UpperLayerProblem('pdu-length-wrong', `an ${name} PDU has ${length} bytes, this one ${body.length}`);
}

function decodeAssociate(type: number, body: Uint8Array): PDU {
  const isRequest = type === pduTypes['A-ASSOCIATE-RQ'];
  if (body.length < associateFixedBytes) throw new UpperLayerProblem('pdu-length-wrong', `an A-ASSOCIATE PDU of ${body.length} bytes ends before its items`);
  const protocolVersion = (body[0]! << 8) | body[1]!;
  // The titles of an A-ASSOCIATE-AC are not tested when received (PS3.8 Table 9-17), so strange ones there are no error.
  const calledAETitle = readAETitle(body.subarray(4, 4 + aeTitleBytes), isRequest);
  const callingAETitle = readAETitle(body.subarray(20, 20 + aeTitleBytes), isRequest);
  let applicationContext: string | null = null;
  let userInformation: UserInformation | null = null;
  const proposed: ProposedPresentationContext[] = [];
  const answered: AnsweredPresentationContext[] = [];
  const ids = new Set<number>();
  for (const item of items(body, associateFixedBytes)) {
    if (item.type === itemTypes.applicationContext) {
      if (applicationContext !== null) throw duplicate('Application Context');
      applicationContext = readUID(item.bytes);
    } else if (item.type === (isRequest ? itemTypes.proposedContext : itemTypes.answeredContext)) {
      if (ids.size >= presentationContextsMax) throw new UpperLayerProblem('context-count-exceeded', `more than ${presentationContextsMax} presentation contexts`);
      const context = isRequest ? readProposed(item.bytes) : readAnswered(item.bytes);
      if (context.id % 2 === 0) throw new UpperLayerProblem('context-id-invalid', `presentation context ID ${context.id} is not odd`);
      if (ids.has(context.id)) throw new UpperLayerProblem('context-id-invalid', `presentation context ID ${context.id} is used twice`);
      ids.add(context.id);
      if ('abstractSyntax' in context) proposed.push(context);
      else answered.push(context);
    } else if (item.type === itemTypes.userInformation) {
      if (userInformation !== null) throw duplicate('User Information');
      userInformation = readUserInformation(item.bytes);
    }
  }
  if (applicationContext === null) throw missing('Application Context');
  if (userInformation === null) throw missing('User Information');
  if (ids.size < presentationContextsMin) throw missing('Presentation Context');
  const common = { protocolVersion, calledAETitle, callingAETitle, applicationContextName: applicationContext, userInformation };
  return isRequest ? { type: 'A-ASSOCIATE-RQ', ...common, presentationContexts: proposed } : { type: 'A-ASSOCIATE-AC', ...common, presentationContexts: answered };
}

interface Item {
  readonly type: number;
  readonly bytes: Uint8Array;
}

/** Items: type, reserved, two bytes of length, contents. They must end exactly where their parent does. */
function* items(parent: Uint8Array, start: number): Generator<Item> {
  let at = start;
  while (at < parent.length) {
    if (parent.length - at < 4) throw new UpperLayerProblem('item-length-wrong', `${parent.length - at} bytes are left where an item begins; its header alone has 4`);
    const length = (parent[at + 2]! << 8) | parent[at + 3]!;
    const end = at + 4 + length;
    if (end > parent.length) {
      throw new UpperLayerProblem('item-length-wrong', `an item of type ${hex(parent[at]!)} declares ${length} bytes where ${parent.length - at - 4} are left`);
    }
    yield { type: parent[at]!, bytes: parent.subarray(at + 4, end) };
    at = end;
  }
}

function readProposed(bytes: Uint8Array): ProposedPresentationContext {
  if (bytes.length < 4) throw new UpperLayerProblem('item-length-wrong', `a presentation context of ${bytes.length} bytes`);
  let abstractSyntax: string | null = null;
  const transferSyntaxes: string[] = [];
  for (const item of items(bytes, 4)) {
    if (item.type === itemTypes.abstractSyntax) {
      if (abstractSyntax !== null) throw duplicate('Abstract Syntax');
      abstractSyntax = readUID(item.bytes);
    } else if (item.type === itemTypes.transferSyntax) transferSyntaxes.push(readUID(item.bytes));
  }
  if (abstractSyntax === null) throw missing('Abstract Syntax');
  if (transferSyntaxes.length === 0) throw missing('Transfer Syntax');
  return { id: bytes[0]!, abstractSyntax, transferSyntaxes };
}

function readAnswered(bytes: Uint8Array): AnsweredPresentationContext {
  if (bytes.length < 4) throw new UpperLayerProblem('item-length-wrong', `a presentation context of ${bytes.length} bytes`);
  const result = bytes[2]!;
  if (result > 4) throw new UpperLayerProblem('context-id-invalid', `presentation context result ${result} is not in PS3.8 Table 9-18`);
  let transferSyntax = '';
  for (const item of items(bytes, 4)) if (item.type === itemTypes.transferSyntax) transferSyntax = readUID(item.bytes);
  if (result === 0 && transferSyntax === '') throw missing('Transfer Syntax');
  return { id: bytes[0]!, result: result as ContextResult, transferSyntax };
}

function readUserInformation(bytes: Uint8Array): UserInformation {
  // An absent Maximum Length means no limit (PS3.8 §D.1.1: the item is mandatory, but 0 says the same).
  let maximumLength = 0;
  let implementationClassUID = '';
  let implementationVersionName = '';
  let asynchronousOperations: UserInformation['asynchronousOperations'] = null;
  let userIdentityType: number | null = null;
  const roles: RoleSelection[] = [];
  for (const { type, bytes: value } of items(bytes, 0)) {
    if (type === subItemTypes.maximumLength) {
      if (value.length !== 4) throw new UpperLayerProblem('item-length-wrong', `Maximum Length has 4 bytes, here ${value.length}`);
      maximumLength = readU32(value, 0);
    } else if (type === subItemTypes.implementationClassUID) implementationClassUID = readUID(value);
    else if (type === subItemTypes.implementationVersionName) implementationVersionName = printable(value.subarray(0, implementationVersionNameBytesMax));
    else if (type === subItemTypes.asynchronousOperations) {
      if (value.length !== 4) throw new UpperLayerProblem('item-length-wrong', `Asynchronous Operations Window has 4 bytes, here ${value.length}`);
      asynchronousOperations = { invoked: (value[0]! << 8) | value[1]!, performed: (value[2]! << 8) | value[3]! };
    } else if (type === subItemTypes.role) roles.push(readRole(value));
    else if (type === subItemTypes.userIdentity) {
      if (value.length < 6) throw new UpperLayerProblem('item-length-wrong', `a User Identity of ${value.length} bytes`);
      userIdentityType = value[0]!;
    }
  }
  return { maximumLength, implementationClassUID, implementationVersionName, roles, asynchronousOperations, userIdentityType };
}

function readRole(value: Uint8Array): RoleSelection {
  const length = value.length >= 2 ? (value[0]! << 8) | value[1]! : -1;
  if (length < 0 || value.length !== length + 4) throw new UpperLayerProblem('item-length-wrong', `a role selection of ${value.length} bytes declares a UID of ${length}`);
  const [scu, scp] = [value[2 + length]!, value[3 + length]!];
  if (scu > 1 || scp > 1) throw new UpperLayerProblem('item-length-wrong', `role selection values ${scu} and ${scp}; 0 and 1 are allowed`);
  return { sopClassUID: readUID(value.subarray(2, 2 + length)), scuRole: scu === 1, scpRole: scp === 1 };
}

/** A UID as text. One of other characters than digits and dots is no UID that anybody supports; it is not worth ending the association for. */
function readUID(bytes: Uint8Array): string {
  if (bytes.length === 0 || bytes.length > uidBytesMax) throw new UpperLayerProblem('uid-invalid', `a UID of ${bytes.length} bytes; 1 to ${uidBytesMax} are allowed`);
  return printable(bytes);
}

/** An AE title (PS3.5 VR AE): leading and trailing spaces are not significant; control characters and backslash are not allowed. */
function readAETitle(bytes: Uint8Array, strict: boolean): string {
  let text = '';
  for (const byte of bytes) {
    if (strict && (byte < 0x20 || byte > 0x7e || byte === 0x5c)) throw new UpperLayerProblem('ae-title-invalid', `an AE title with the byte ${hex(byte)}`);
    text += byte < 0x20 || byte > 0x7e ? '?' : String.fromCharCode(byte);
  }
  text = text.trim();
  if (strict && text === '') throw new UpperLayerProblem('ae-title-invalid', 'an AE title of spaces only');
  return text;
}

/** Printable ASCII; anything else becomes "?", because these texts are shown to people and written to logs. */
function printable(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += byte < 0x20 || byte > 0x7e ? '?' : String.fromCharCode(byte);
  return text;
}

function readU32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}
function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}
function missing(name: string): UpperLayerProblem {
  return new UpperLayerProblem('item-missing', `the ${name} is missing`);
}
function duplicate(name: string): UpperLayerProblem {
  return new UpperLayerProblem('item-duplicate', `there is more than one ${name}`, abortReasons.unexpectedPDUParameter);
}
