/** Limits of the association door. Each is a default of AssociationOptions, so that tests can reach it in seconds. */
export interface AssociationLimits {
  /** Time from the opened connection to a whole A-ASSOCIATE-RQ, and for a peer to close after an ARTIM-timed PDU of ours (PS3.8 §9.1.5). A healthy peer sends it at once. */
  readonly artimTimeoutMs: number;
  /** Silence between two messages. Some modalities keep an association open from the first slice to the last of an examination. */
  readonly idleTimeoutMs: number;
  /** Within a message, each window must bring its share: a modem brings ten times that, a peer that trickles to hold a place does not. */
  readonly throughputWindowMs: number;
  readonly throughputBytesMin: number;
  /** Transport connections in all. Each costs a descriptor and some tens of KiB. */
  readonly connectionsMax: number;
  /** Connections that have not sent a whole A-ASSOCIATE-RQ. Over it the oldest goes: an honest peer is past that point within milliseconds. */
  readonly halfOpenMax: number;
  /** Established associations of one address. A CT has one to four; a gateway may have more. */
  readonly associationsPerAddressMax: number;
  /** Largest object. Whole-slide images and long ultrasound loops reach some GiB. */
  readonly objectBytesMax: number;
  /** Space that stays free for the ledger, the audit log and what was already received: below it new objects are refused. */
  readonly diskFreeBytesMin: number;
  /** Refused associations and protocol violations of one address within a minute; over it the address is refused unheard for a minute. */
  readonly offencesPerMinuteMax: number;
}

export const limitsDefault: AssociationLimits = {
  artimTimeoutMs: 10_000,
  idleTimeoutMs: 300_000,
  throughputWindowMs: 30_000,
  throughputBytesMin: 16 * 1024,
  connectionsMax: 512,
  halfOpenMax: 128,
  associationsPerAddressMax: 64,
  objectBytesMax: 8 * 1024 ** 3,
  diskFreeBytesMin: 1024 ** 3,
  offencesPerMinuteMax: 30,
};

/** A failing sender repeats itself; the record keeps the first failures of an association, and its end says how many there were. */
export const recordedFailuresMax = 20;
