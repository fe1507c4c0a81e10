/** What a door hands over to the quarantine. The quarantine imports this; reception imports nothing of the quarantine. */

/** Random 128-bit name of one arrival, 32 hex digits. Made by the door; also the name of its file. */
export type ObjectId = string & { readonly __brand: 'ObjectId' };
/** SHA-256 in 64 lower-case hex digits. */
export type Digest = string & { readonly __brand: 'Digest' };

export function isObjectId(text: string): text is ObjectId {
  return /^[0-9a-f]{32}$/.test(text);
}
export function isDigest(text: string): text is Digest {
  return /^[0-9a-f]{64}$/.test(text);
}

/** Where an object came from, as the door saw it. Kept with the object for its whole life. */
export interface Source {
  readonly door: 'association' | 'stow' | 'media' | 'terminal';
  /** Registered asset (hospital/assets), or user or token name for `stow`. */
  readonly peer: string;
  readonly address: string;
  /** Calling and called AE Title for `association`, else "". */
  readonly callingAETitle: string;
  readonly calledAETitle: string;
  /** One id per association or request: all that came together carries the same one. */
  readonly batch: string;
}

/**
 * A whole object in the arriving area under its ObjectId, as Part 10, closed and not written to any more. It need not be durable: who admits it makes it so.
 * The UIDs are those of the command set or, for doors that have none, "": the door does not look into the object.
 */
export interface ReceivedObject {
  readonly objectId: ObjectId;
  readonly bytes: number;
  /** Of the whole file as written. */
  readonly sha256: Digest;
  readonly sopClassUID: string;
  readonly sopInstanceUID: string;
  readonly transferSyntaxUID: string;
  readonly source: Source;
  /** Milliseconds since 1970, by the door's clock. */
  readonly receivedAt: number;
}

/**
 * `admitted`: durable in quarantine, will be inspected. `duplicate`: the same bytes are already kept (in quarantine or archive)
 * under `objectId`; the new file is gone. Both are success to the sender. Anything else is an error, and the sender is told so.
 */
export interface Admission {
  readonly outcome: 'admitted' | 'duplicate';
  readonly objectId: ObjectId;
}
