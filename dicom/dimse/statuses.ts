/** Status (0000,0900): PS3.7 Annex C and the Storage Service Class (PS3.4 Table B.2-1). */

export type StatusType = 'success' | 'warning' | 'failure' | 'cancel' | 'pending';

/** The statuses that Lazaret gives, by name. */
export const statuses = {
  success: 0x0000,
  /** PS3.4 B.2-1: Refused: Out of Resources (A7xx). */
  refusedOutOfResources: 0xa700,
  /** PS3.4 B.2-1: Error: Data Set does not match SOP Class (A9xx). */
  dataSetDoesNotMatchSOPClass: 0xa900,
  /** PS3.4 B.2-1: Error: Cannot understand (Cxxx). */
  cannotUnderstand: 0xc000,
  invalidAttributeValue: 0x0106,
  processingFailure: 0x0110,
  duplicateSOPInstance: 0x0111,
  invalidSOPInstance: 0x0117,
  missingAttribute: 0x0120,
  sopClassNotSupported: 0x0122,
  notAuthorized: 0x0124,
  duplicateInvocation: 0x0210,
  unrecognizedOperation: 0x0211,
  mistypedArgument: 0x0212,
  resourceLimitation: 0x0213,
} as const;
export type StatusName = keyof typeof statuses;

/** Type of any status (PS3.7 §C.1 to C.5). Unknown ones are failures: nothing that is not understood counts as stored. */
export function statusType(status: number): StatusType {
  if (status === 0x0000) return 'success';
  if (status === 0xff00 || status === 0xff01) return 'pending';
  if (status === 0xfe00) return 'cancel';
  if (status === 0x0001 || status === 0x0107 || status === 0x0116 || (status & 0xf000) === 0xb000) return 'warning';
  return 'failure';
}

const texts: Readonly<Record<number, string>> = {
  0x0000: 'Success', 0x0105: 'No such attribute', 0x0106: 'Invalid attribute value', 0x0107: 'Attribute list error', 0x0110: 'Processing failure', 0x0111: 'Duplicate SOP Instance',
  0x0112: 'No such SOP Instance', 0x0113: 'No such event type', 0x0114: 'No such argument', 0x0115: 'Invalid argument value', 0x0116: 'Attribute value out of range',
  0x0117: 'Invalid SOP Instance', 0x0118: 'No such SOP Class', 0x0119: 'Class-instance conflict', 0x0120: 'Missing attribute', 0x0121: 'Missing attribute value',
  0x0122: 'SOP Class not supported', 0x0123: 'No such action type', 0x0124: 'Not authorized', 0x0210: 'Duplicate invocation', 0x0211: 'Unrecognized operation',
  0x0212: 'Mistyped argument', 0x0213: 'Resource limitation', 0xfe00: 'Cancel',
};

/** A status in words. */
export function describeStatus(status: number): string {
  const hex = `0x${status.toString(16).padStart(4, '0').toUpperCase()}`;
  const text = texts[status];
  if (text !== undefined) return `${text} (${hex})`;
  if ((status & 0xff00) === 0xa700) return `Refused: Out of Resources (${hex})`;
  if ((status & 0xff00) === 0xa900) return `Error: Data Set does not match SOP Class (${hex})`;
  if ((status & 0xf000) === 0xc000) return `Error: Cannot understand (${hex})`;
  if ((status & 0xf000) === 0xb000) return `Warning (${hex})`;
  return `Failure (${hex})`;
}
