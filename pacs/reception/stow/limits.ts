/** Limits of the STOW-RS door. */
export interface StowLimits {
  /** Messages taken in at the same time. Each holds one open file and some windows of TLS. */
  readonly messagesMax: number;
  /** A whole message: a study of whole-slide images. */
  readonly messageBytesMax: number;
  /** One object, as at the association door. */
  readonly objectBytesMax: number;
  /** Objects of one message that are being made durable and admitted while the next ones come in: the keeper groups them into one commit. */
  readonly underWayMax: number;
  /** Each window must bring its share: a modem brings ten times that, a user agent that trickles to hold a place does not. */
  readonly throughputWindowMs: number;
  readonly throughputBytesMin: number;
  /** How long the answer waits for inspection after the last object was admitted. User agents commonly give up after 60 s. */
  readonly concludeTimeoutMs: number;
  /** Space that stays free, as at the association door. */
  readonly diskFreeBytesMin: number;
  /** Composing needs the values in memory, unlike `application/dicom`; who sends more sends that. */
  readonly metadataBytesMax: number;
  readonly bulkBytesMax: number;
  /** Messages in DICOM JSON at the same time, for the same reason. */
  readonly composingMax: number;
}

export const stowLimits: StowLimits = {
  messagesMax: 64,
  messageBytesMax: 64 * 1024 ** 3,
  objectBytesMax: 8 * 1024 ** 3,
  underWayMax: 32,
  throughputWindowMs: 30_000,
  throughputBytesMin: 16 * 1024,
  concludeTimeoutMs: 30_000,
  diskFreeBytesMin: 1024 ** 3,
  metadataBytesMax: 16 * 1024 ** 2,
  bulkBytesMax: 64 * 1024 ** 2,
  composingMax: 2,
};
