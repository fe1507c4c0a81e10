/** What the quarantine asks of inspection, and what it tells everyone after it. Inspection, archive and console import this. */
import type { Digest, ObjectId, Source } from '../reception/contract.ts';
import type { WithdrawnBy } from './withdrawalcontract.ts';

export const states = ['arriving', 'waiting', 'inspecting', 'cleared', 'archived', 'held', 'released', 'destroyed'] as const;
export type State = (typeof states)[number];

export const verdicts = ['clean', 'malicious', 'malformed', 'unscannable'] as const;
export type Verdict = (typeof verdicts)[number];

/** One thing that was found. The shape is that of `./lazaret inspect --json`. */
export interface Finding {
  /** Stable, `noun-problem`; each has a row in pacs/inspection/verdict.ts. */
  readonly code: string;
  readonly offset: number;
  readonly length: number;
  /** "(gggg,eeee)" or "". */
  readonly tag: string;
  /** "structure", "content", "yara-x", "clamd", "examiner". */
  readonly engine: string;
  readonly text: string;
}

/** One object to be inspected. The file is `<quarantine>/objects/<objectId>` and is only ever read. */
export interface Work {
  readonly objectId: ObjectId;
  readonly bytes: number;
  readonly sha256: Digest;
  /** UIDs the door was told ("" where it was told none): they must agree with the object's own. */
  readonly sopClassUID: string;
  readonly sopInstanceUID: string;
  readonly transferSyntaxUID: string;
  /** Who brought it, as in Source: a policy may ask for more of some. */
  readonly peer: string;
}

/** Where the first object's bytes go when the outside of the Data Set had to be neutralised. */
export interface Disarmed {
  /** What was neutralised: "preamble", "meta", "trailing", "padding". */
  readonly what: readonly string[];
  /** The new bytes before the Data Set: 128 zero bytes, DICM, File Meta Information. Base64. */
  readonly prefix: string;
  /** The Data Set in the file as received: kept byte for byte. */
  readonly dataSetOffset: number;
  readonly dataSetLength: number;
  /** SHA-256 of the Data Set before, which must equal the one after, and of the whole disarmed file. */
  readonly dataSetSha256: Digest;
  readonly sha256: Digest;
  readonly bytes: number;
}

/** The answer to one Work. Only `verdict: 'clean'` ever leads out of the quarantine. */
export interface Conclusion {
  readonly objectId: ObjectId;
  /** Digest of the bytes that were inspected; the quarantine refuses a conclusion about other bytes. */
  readonly sha256: Digest;
  readonly verdict: Verdict;
  readonly findings: readonly Finding[];
  readonly disarmed: Disarmed | null;
  /** Versions of everything that had a say, such as "yara-x 1.2 rules 1; structure 1": the signature epoch. */
  readonly epoch: string;
  readonly ms: number;
  /** Identity of the instance for the index and for people who wait; null when the object could not be read that far. */
  readonly instance: InstanceReport | null;
}

/** What everyone after inspection works from, so that nobody has to decode the object again. */
export interface InstanceReport {
  readonly sopClassUID: string;
  readonly sopInstanceUID: string;
  readonly studyInstanceUID: string;
  readonly seriesInstanceUID: string;
  readonly transferSyntaxUID: string;
  /**
   * DICOM JSON Model (PS3.18 Annex F) of the Data Set as text: every element except those of bulk VRs over 1 KiB,
   * which carry `BulkDataURI: "<offset>,<length>"` (byte range in the file as archived). Group 2 is left out (PS3.18 §10.4.1.1.2).
   */
  readonly metadata: string;
  /** Byte range of the Data Set in the file as archived. */
  readonly dataSetOffset: number;
  readonly dataSetLength: number;
  readonly frames: FrameTable | null;
  /** For objects over 8 MiB: SHA-256 of each MiB of the file as archived, so that a range can be verified without the rest. */
  readonly chunks: { readonly size: number; readonly digests: readonly string[] } | null;
}

/** Where the frames are in the file as archived. */
export type FrameTable =
  | { readonly kind: 'native'; readonly offset: number; readonly frameLength: number; readonly count: number; readonly bitsPerPixel: number }
  /** `frames[i]` is a flat list [offset, length, offset, length, …] of the fragments of frame i + 1. */
  | { readonly kind: 'encapsulated'; readonly frames: readonly (readonly number[])[] };

/** A decision that takes two people and waits for the second. */
export interface Proposal {
  readonly decision: 'release' | 'destroy';
  readonly person: string;
  readonly reason: string;
  readonly proposedAt: number;
}

/** What came from the same source under the same SOP Instance UID after it was asked for. */
export interface ResendAnswer {
  readonly objectId: ObjectId;
  readonly state: State;
  readonly at: number;
  /** Nothing was found in it but that the earlier one stands in its way. */
  readonly clean: boolean;
}
/** The sender of a held object was asked for it again. */
export interface ResendAsked {
  readonly person: string;
  readonly at: number;
  /** Newest first. */
  readonly answers: readonly ResendAnswer[];
  /** The very same bytes came again: the sender has nothing better. */
  readonly sameBytesAt: number | null;
}

/** A row of the ledger as people see it (CLI, console, STOW). */
export interface LedgerEntry {
  readonly objectId: ObjectId;
  readonly state: State;
  readonly bytes: number;
  readonly sha256: Digest;
  readonly source: Source;
  readonly receivedAt: number;
  readonly sopClassUID: string;
  readonly sopInstanceUID: string;
  readonly verdict: Verdict | null;
  readonly disarmed: readonly string[];
  readonly findings: readonly Finding[];
  readonly epoch: string;
  readonly concludedAt: number | null;
  /** For people: "" until known. */
  readonly patientName: string;
  readonly patientID: string;
  readonly studyInstanceUID: string;
  readonly studyDescription: string;
  readonly modality: string;
  /** Objects that carry the same SOP Instance UID with other bytes. */
  readonly conflicts: readonly ObjectId[];
  /** Decisions on this object that wait for a second person; absent or empty when none does. */
  readonly proposals?: readonly Proposal[];
  /** People took it out of sight: it may be clean all the same. Absent or null: they did not. */
  readonly withdrawal?: WithdrawnBy | null;
  /** Its sender was asked for it again. Absent or null: not. */
  readonly asked?: ResendAsked | null;
  /** It came after its sender was asked for this held object again. */
  readonly answerTo?: ObjectId | null;
}
