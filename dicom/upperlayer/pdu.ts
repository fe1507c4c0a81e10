/** The PDUs of PS3.8 §9.3 as values. */

/** PDU types (PS3.8 §9.3.1). */
export const pduTypes = {
  'A-ASSOCIATE-RQ': 0x01,
  'A-ASSOCIATE-AC': 0x02,
  'A-ASSOCIATE-RJ': 0x03,
  'P-DATA-TF': 0x04,
  'A-RELEASE-RQ': 0x05,
  'A-RELEASE-RP': 0x06,
  'A-ABORT': 0x07,
} as const;

/** The DICOM Application Context Name (PS3.7 §A.2.1): the only one there is. */
export const applicationContextName = '1.2.840.10008.3.1.1.1';

export interface ProposedPresentationContext {
  /** Odd, 1 to 255. */
  readonly id: number;
  readonly abstractSyntax: string;
  readonly transferSyntaxes: readonly string[];
}

/** Result of a proposed Presentation Context (PS3.8 Table 9-18). */
export const contextResults = {
  acceptance: 0,
  userRejection: 1,
  noReason: 2,
  abstractSyntaxNotSupported: 3,
  transferSyntaxesNotSupported: 4,
} as const;
export type ContextResult = 0 | 1 | 2 | 3 | 4;

export interface AnsweredPresentationContext {
  readonly id: number;
  readonly result: ContextResult;
  /** Of no meaning unless the result is acceptance. */
  readonly transferSyntax: string;
}

/** SCP/SCU Role Selection (PS3.7 §D.3.3.4). */
export interface RoleSelection {
  readonly sopClassUID: string;
  readonly scuRole: boolean;
  readonly scpRole: boolean;
}

/** User Information (PS3.8 §9.3.2.3 with PS3.7 Annex D). Extended negotiation and what else is not listed here is skipped. */
export interface UserInformation {
  /** 0: no limit. */
  readonly maximumLength: number;
  readonly implementationClassUID: string;
  readonly implementationVersionName: string;
  readonly roles: readonly RoleSelection[];
  /** Asynchronous Operations Window, or null where it was not proposed. We never answer it, so the window is 1 and 1. */
  readonly asynchronousOperations: { readonly invoked: number; readonly performed: number } | null;
  /** Type of a User Identity item (PS3.7 §D.3.3.7), or null. Its contents are a secret of somebody's and are not kept. */
  readonly userIdentityType: number | null;
}

export interface AssociateRQ {
  readonly type: 'A-ASSOCIATE-RQ';
  readonly protocolVersion: number;
  readonly calledAETitle: string;
  readonly callingAETitle: string;
  readonly applicationContextName: string;
  readonly presentationContexts: readonly ProposedPresentationContext[];
  readonly userInformation: UserInformation;
}

export interface AssociateAC {
  readonly type: 'A-ASSOCIATE-AC';
  readonly protocolVersion: number;
  /** Echo of the request's titles; not to be tested by the receiver (PS3.8 Table 9-17). */
  readonly calledAETitle: string;
  readonly callingAETitle: string;
  readonly applicationContextName: string;
  readonly presentationContexts: readonly AnsweredPresentationContext[];
  readonly userInformation: UserInformation;
}

/** PS3.8 Table 9-21: result 1 permanent, 2 transient; source 1 service-user, 2 ACSE, 3 presentation. */
export interface AssociateRJ {
  readonly type: 'A-ASSOCIATE-RJ';
  readonly result: number;
  readonly source: number;
  readonly reason: number;
}

/** PS3.8 Table 9-26: source 0 service-user, 2 service-provider. */
export interface Abort {
  readonly type: 'A-ABORT';
  readonly source: number;
  readonly reason: number;
}

export type PDU = AssociateRQ | AssociateAC | AssociateRJ | Abort | { readonly type: 'A-RELEASE-RQ' } | { readonly type: 'A-RELEASE-RP' };

/** The rejections that we give (PS3.8 Table 9-21), by name. */
export const rejections = {
  noReason: { type: 'A-ASSOCIATE-RJ', result: 1, source: 1, reason: 1 },
  applicationContextNotSupported: { type: 'A-ASSOCIATE-RJ', result: 1, source: 1, reason: 2 },
  callingAETitleNotRecognized: { type: 'A-ASSOCIATE-RJ', result: 1, source: 1, reason: 3 },
  calledAETitleNotRecognized: { type: 'A-ASSOCIATE-RJ', result: 1, source: 1, reason: 7 },
  protocolVersionNotSupported: { type: 'A-ASSOCIATE-RJ', result: 1, source: 2, reason: 2 },
  temporaryCongestion: { type: 'A-ASSOCIATE-RJ', result: 2, source: 3, reason: 1 },
  localLimitExceeded: { type: 'A-ASSOCIATE-RJ', result: 2, source: 3, reason: 2 },
} as const satisfies Record<string, AssociateRJ>;

/** Reasons of an A-ABORT whose source is the service-provider (PS3.8 Table 9-26). */
export const abortReasons = {
  notSpecified: 0,
  unrecognizedPDU: 1,
  unexpectedPDU: 2,
  unrecognizedPDUParameter: 4,
  unexpectedPDUParameter: 5,
  invalidPDUParameterValue: 6,
} as const;
export type AbortReason = (typeof abortReasons)[keyof typeof abortReasons];

const rejectionTexts: Readonly<Record<string, string>> = {
  '1.1': 'no reason given',
  '1.2': 'application context name not supported',
  '1.3': 'calling AE title not recognized',
  '1.7': 'called AE title not recognized',
  '2.1': 'no reason given',
  '2.2': 'protocol version not supported',
  '3.1': 'temporary congestion',
  '3.2': 'local limit exceeded',
};

/** A rejection in words. */
export function describeRejection(rejection: AssociateRJ): string {
  const kind = rejection.result === 2 ? 'for now' : 'permanently';
  return `rejected ${kind}: ${rejectionTexts[`${rejection.source}.${rejection.reason}`] ?? `source ${rejection.source}, reason ${rejection.reason}`}`;
}

const abortTexts: Readonly<Record<number, string>> = {
  0: 'no reason given', 1: 'unrecognized PDU', 2: 'unexpected PDU', 4: 'unrecognized PDU parameter', 5: 'unexpected PDU parameter', 6: 'invalid PDU parameter value',
};

/** An A-ABORT in words. */
export function describeAbort(abort: Abort): string {
  return abort.source === 0 ? 'aborted by the other side' : `aborted by the other side's upper layer: ${abortTexts[abort.reason] ?? `reason ${abort.reason}`}`;
}

/** Why bytes are not a PDU that we take, or why something cannot be done in this state. `code` is from the closed list. */
export type ProblemCode =
  | 'pdu-type-unknown' | 'pdu-length-exceeded' | 'pdu-length-wrong' | 'item-length-wrong' | 'item-missing' | 'item-duplicate' | 'uid-invalid' | 'ae-title-invalid'
  | 'context-id-invalid' | 'context-count-exceeded' | 'context-unknown' | 'pdv-length-wrong' | 'event-unexpected' | 'maximum-length-too-small';

export class UpperLayerProblem extends Error {
  readonly code: ProblemCode;
  readonly reason: AbortReason;
  constructor(code: ProblemCode, message: string, reason: AbortReason = abortReasons.invalidPDUParameterValue) {
    super(message);
    this.name = 'UpperLayerProblem';
    this.code = code;
    this.reason = reason;
  }
}
