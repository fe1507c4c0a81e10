/** Limits of the worklist's association. Whoever waits is a person at a desk; whoever answers may be slow, broken or hostile. */
export interface WorklistLimits {
  /** A host that does not take the connection (and the TLS handshake) within this is not there. */
  readonly connectMs: number;
  /** From the first byte to the last answer. A person tries something else by then. */
  readonly questionMs: number;
  /** After A-RELEASE-RQ or A-ABORT the other side closes. */
  readonly artimMs: number;
  /** After C-CANCEL-RQ the answers must end (PS3.7 §9.3.2.3); then the association is aborted. */
  readonly cancelMs: number;
  /** Answers that are read, those included that cannot be shown: a peer that sends empty ones for ever is ended by this. */
  readonly answersMax: number;
  /** What we announce (PS3.8 §D.1): answers are small, and no PDU is kept whole anyhow. */
  readonly maximumLength: number;
}

export const limitsDefault: WorklistLimits = { connectMs: 5_000, questionMs: 15_000, artimMs: 3_000, cancelMs: 3_000, answersMax: 1_000, maximumLength: 64 * 1024 };
