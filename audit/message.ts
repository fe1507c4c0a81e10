/** The audit message of DICOM PS3.15 §A.5 as a value. encode.ts turns it into the XML that the log holds. */

export interface Code {
  readonly value: string;
  readonly scheme: string;
  readonly meaning: string;
}

/** EventOutcomeIndicator: 0 success, 4 minor failure, 8 serious failure, 12 major failure. */
export type Outcome = 0 | 4 | 8 | 12;

export interface ActiveParticipant {
  readonly userID: string;
  readonly alternativeUserID?: string;
  readonly userIsRequestor: boolean;
  readonly roleIDCodes?: readonly Code[];
  /** Host name or address. */
  readonly networkAccessPoint?: string;
  /** For a medium as source or destination (§A.5.2.3.1): its MediaType, CID 405. */
  readonly mediaType?: Code;
}

export interface ParticipantObject {
  /** 1 person, 2 system object. */
  readonly typeCode: 1 | 2;
  /** 1 patient, 3 report, 6 user, 20 job… as in PS3.15. */
  readonly role: number;
  readonly idType: Code;
  readonly id: string;
  readonly name?: string;
  /** Name and value; values are written as base64 by encode.ts. */
  readonly details?: readonly (readonly [string, string])[];
  readonly sopClasses?: readonly { readonly uid: string; readonly count: number; readonly instances: readonly string[] }[];
}

export interface AuditMessage {
  readonly eventID: Code;
  readonly eventTypes: readonly Code[];
  /** C create, R read, U update, D delete, E execute. */
  readonly action: 'C' | 'R' | 'U' | 'D' | 'E';
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly outcome: Outcome;
  readonly outcomeDescription?: string;
  readonly participants: readonly ActiveParticipant[];
  readonly objects: readonly ParticipantObject[];
}
