/**
 * What each process may ask the keeper, by socket. These tables are the whole of it: a request that is not in the table of the
 * socket it came through ends the connection. Bodies and answers are JSON; each handler checks its own body.
 *
 * | socket      | request        | body                                   | answer |
 * |-------------|----------------|----------------------------------------|--------|
 * | association | asset          | PeerIdentity                           | Asset or null |
 * | association, web | admit     | ReceivedObject                         | Admission, once the object, ledger and audit are durable |
 * | association, web | record    | AuditMessage                           | null, once durable |
 * | web         | concluded      | { objectId, timeoutMs }                | LedgerEntry, when concluded or when the time is over (then as it is) |
 * | web, terminal | list         | ListRequest                            | { entries: LedgerEntry[], next: string or null, counts } |
 * | web, terminal | show         | { objectId }                           | LedgerEntry |
 * | web, terminal | decide       | DecideRequest                          | DecideAnswer |
 * | web, terminal | groups       | { by: medium or study }                | GroupsAnswer: the held objects, together |
 * | web, terminal | decideGroup  | GroupDecision                          | GroupDecisionAnswer: what became of the next objects of a group |
 * | web, terminal | resend       | { objectId, person }                   | ResendAsked, once it is on the record that the sender is asked again |
 * | web         | map            | { objectId, window?, blank? }          | MapAnswer: the file map, made afresh by an examiner |
 * | web         | render         | { objectId or digest, request }        | RenderedAnswer: one frame as a picture, made by a decoder |
 * | web         | epoch          | { known, timeoutMs }                   | the signature epoch, once it is another one than `known` |
 * | web         | recheck        | { digest, waitMs? }                    | { verdict }: a stale verdict is renewed before the object is served |
 * | web         | damage         | { digest, found }                      | null: an archived file no longer has its digest: audited, out of sight |
 * | web, terminal | access       | AccessRequest (pacs/access)            | AccessAnswer |
 * | terminal    | map            | as for web                             | as for web |
 * | web, terminal | export       | ExportRequest                          | LedgerEntry, once it is on the record that the bytes leave the vault (exports.ts) |
 * | terminal    | assets         | { do: list, add or remove, asset? }       | Asset[] |
 * | terminal    | safekeeping    | SafekeepingRequest (pacs/archive/safekeeping) | backup, verification and repair: what changes the ledger or is put on the record |
 * | web, terminal | status         | null                                   | StatusAnswer |
 * | web, terminal | rescan         | RescanRequest                          | RescanStatus or null: the archive inspected again |
 * | web, terminal | trace          | TraceRequest                           | TraceAnswer: where objects came from, what came with them, who has seen them |
 * | web, terminal | withdraw       | WithdrawRequest (withdrawalcontract.ts) | what people take out of sight, and bring back |
 * | importer, terminal | admit   | as for web                             | as for web |
 * | importer, terminal | companion | reception/media/contract.ts          | CompanionAnswer: a file beside the images of a medium, scanned and gone |
 * | importer, terminal, web | import | reception/media/contract.ts         | what became of a medium |
 * | terminal    | rules          | { do: status, install or rollback, person, … } (pacs/inspection/rulepack/installed.ts) | CurrentPack or null |
 * | web, terminal | reconcile    | pacs/archive/reconciliation/contract.ts | whose imported studies are: what is served under another identity than it came with |
 * | web, terminal | look         | { do: 'open', objectId, person, address, roles, reason } | LookAnswer, once it is on the record that the glass was broken (looks.ts) |
 * | web, terminal | look         | { do: 'frame', look, objectId, person, request: RenderRequest } | RenderedAnswer: one frame of the held object, marked as held |
 * | web, terminal | look         | { do: 'close', look, objectId, person } | null |
 * | web, terminal | worklist     | WorklistRequest (pacs/worklist/contract.ts) | WorklistAnswer: orders of the hospital, once it is on the record who asked |
 * | web, terminal | echo         | null                                   | WorklistAnswer without items: whether the worklist answers |
 * | worklist    | next           | null                                   | Question or null after 20 s |
 * | worklist    | found          | { id, answer: WorklistAnswer }         | null |
 * | inspector   | claim          | { max }                                | Claimed[], waiting up to 20 s for the first |
 * | inspector   | conclude       | Conclusion                             | null, once committed |
 * | inspector   | mapped         | { jobId, map }                         | null: answer to a map job |
 * | inspector   | rendered       | { jobId, answer }                      | null: answer to a render job |
 * | inspector   | patched        | { jobId, answer: PatchAnswer or null } | null: answer to a patch job; null where the file is not what was archived |
 * | inspector   | scanned        | CompanionConclusion                    | null: answer to a companion job |
 * | inspector   | hello          | InspectorStatus                        | null: engines, versions, sandbox; repeated when they change |
 */
import type { ObjectId } from '../reception/contract.ts';
import type { Role } from '../access/actions.ts';
import type { LedgerEntry, State, Work } from './contract.ts';
import type { PatchRequest } from './patch.ts';

/** What a claim gives: jobs, and word that pictures will be wanted soon, which has no answer. */
export type Claimed = Job | { readonly kind: 'prepare' };

export type Job =
  | { readonly kind: 'inspect'; readonly work: Work; readonly area: 'quarantine' | 'archive' }
  /** A file beside the images of a medium, in `companionsFolder` (companion.ts). */
  | { readonly kind: 'companion'; readonly work: Work }
  | { readonly kind: 'map'; readonly jobId: string; readonly work: Work; readonly area: 'quarantine' | 'archive'; readonly window: { readonly offset: number; readonly length: number } | null; readonly blank?: boolean }
  | { readonly kind: 'patch'; readonly jobId: string; readonly work: Work; readonly area: 'archive'; readonly request: PatchRequest }
  | { readonly kind: 'render'; readonly jobId: string; readonly work: Work; readonly area: 'quarantine' | 'archive'; readonly request: RenderRequest };

export interface ListRequest {
  /** Empty: all states. */
  readonly states: readonly State[];
  /** Free text over patient, UIDs, source and codes; "" for all. */
  readonly text: string;
  /** At most 200. */
  readonly limit: number;
  /** From an earlier answer, or null for the newest. */
  readonly after: string | null;
  /** Only those of one group (GroupsAnswer). */
  readonly group?: { readonly by: GroupBy; readonly key: string };
}
export interface ListAnswer {
  readonly entries: readonly LedgerEntry[];
  readonly next: string | null;
  readonly counts: Readonly<Record<State, number>>;
}

/**
 * What people do to a held object. Releasing what is `malformed` or `unscannable` (or a conflict) takes one reviewer with a reason.
 * Releasing what is `malicious` and destroying anything takes two people: the first request is kept as a proposal, the second, by
 * somebody else with the same decision, carries it out; for `malicious` one of the two has the role `security`.
 */
export interface DecideRequest {
  readonly objectId: ObjectId;
  readonly decision: 'release' | 'destroy';
  readonly person: string;
  readonly roles: readonly Role[];
  readonly reason: string;
}
export interface DecideAnswer {
  readonly outcome: 'proposed' | 'done';
  readonly entry: LedgerEntry;
}

/** `medium`: one medium, association or request; `study`: one Study, "" where it is not known. */
export type GroupBy = 'medium' | 'study';
export interface HeldGroup {
  readonly key: string;
  readonly objects: number;
  readonly malicious: number;
  readonly malformed: number;
  readonly unscannable: number;
  /** Clean, and taken out of sight by people. */
  readonly withdrawn: number;
  readonly patients: number;
  readonly studies: number;
  readonly first: number;
  readonly last: number;
  /** Of one of its objects. */
  readonly patientName: string;
  readonly patientID: string;
  readonly description: string;
  readonly modality: string;
  readonly source: LedgerEntry['source'];
  /** What was found first in them. */
  readonly codes: readonly string[];
}
export interface GroupsAnswer {
  readonly by: GroupBy;
  /** Those with something malicious in them first, then the newest. */
  readonly groups: readonly HeldGroup[];
  readonly more: boolean;
  readonly held: number;
}
/**
 * One decision for a group, by the rules of DecideRequest for each object by itself. Malicious objects are released only where they are named.
 * Some objects are decided on at a time: ask again with `next` as `after` until it is null.
 */
export interface GroupDecision extends Omit<DecideRequest, 'objectId'> {
  readonly by: GroupBy;
  readonly key: string;
  readonly named: readonly ObjectId[];
  readonly after: number;
}
export interface GroupDecisionAnswer {
  readonly done: number;
  readonly proposed: number;
  /** Those that nothing was decided for, and why. */
  readonly left: readonly { readonly objectId: ObjectId; readonly code: string; readonly text: string }[];
  readonly next: number | null;
}

/** `plain` is for the terminal alone. */
export const exportForms = ['plain', 'encrypted', 'de-identified'] as const;
export interface ExportRequest {
  readonly objectId: ObjectId;
  readonly person: string;
  readonly address: string;
  readonly roles: readonly Role[];
  readonly reason: string;
  readonly form: (typeof exportForms)[number];
  /** Who gets it and how, in words. */
  readonly destination: string;
}

export const pictureTypes = ['image/png', 'image/jpeg'] as const;
export type PictureType = (typeof pictureTypes)[number];

/** One frame as a picture for people: windowed, at most so large. */
export interface RenderRequest {
  /** From 1; 0: the one in the middle. */
  readonly frame: number;
  /** The picture fits into this; 0: as large as the frame is. Never enlarged. */
  readonly widthMax: number;
  readonly heightMax: number;
  /** Center and width of the window (PS3.3 C.11.2.1.2), in units after rescaling; null: what the object says, or what its values span. */
  readonly window: { readonly center: number; readonly width: number } | null;
  readonly type: PictureType;
  /** 1 to 100, for JPEG. */
  readonly quality: number;
  /** Set by the keeper for a look at a held object: the picture says in its pixels that it is one. */
  readonly mark?: 'held';
}

/** A look that was opened: what to show for each frame, and until when (milliseconds since 1970). */
export interface LookAnswer {
  readonly look: string;
  readonly until: number;
  /** The same as a length of time, for clocks that differ. */
  readonly forMs: number;
}

/** A picture, or what keeps the object from being shown. */
export interface RenderedAnswer {
  readonly outcome: 'rendered' | 'impossible';
  /** For people, where it is impossible. */
  readonly text: string;
  readonly type: PictureType;
  readonly width: number;
  readonly height: number;
  readonly frames: number;
  readonly base64: string;
}

/** The file map for people: spans merged to at most 4,000 for drawing, elements near them, and the bytes of one window for the hex view. */
export interface MapAnswer {
  readonly bytes: number;
  readonly spans: readonly MapSpan[];
  readonly findings: LedgerEntry['findings'];
  /** Up to 4 KiB of the object as base64, from `offset`. */
  readonly window: { readonly offset: number; readonly base64: string } | null;
  /** What was unpacked out of the object, each directly behind what it came out of; at most some hundreds of them. */
  readonly parts: readonly MapPart[];
  /** How many there are in all. */
  readonly partCount: number;
  /** Where it was asked for: what an export without the patient overwrites. */
  readonly blank?: Blanking;
}
/** A deflated Data Set that is unpacked for an export: reports have some 100 KB, a screenshot 6 MB. It crosses as base64. */
export const unpackedBytesMax = 16 * 1024 * 1024;
/** Which bytes of an object say whose it is (inspection/examiner/blanking.ts), or `text`: why that cannot be known. */
export interface Blanking {
  readonly outcome: 'blanked' | 'impossible';
  readonly text: string;
  /** Of a deflated object: what it is unpacked by, as `patches` are. `ranges` and `patches` are about what comes out of that. */
  readonly unpacked?: Blanking['patches'];
  /** offset, length, number of what it is filled with (overwriting.ts); offset, length, … in order and without overlap. */
  readonly ranges: readonly number[];
  /** What says that it was de-identified (PS3.3 C.7.1.1), and what makes room for that: ranges with other bytes, in base64; a few. */
  readonly patches: readonly { readonly offset: number; readonly length: number; readonly bytes: string }[];
  /** How many elements have a value in them. */
  readonly elements: number;
}
/** An inflated stream, a decoded text, an entry of a container. */
export interface MapPart {
  readonly name: string;
  /** How many parts it is inside of. */
  readonly depth: number;
  /** Unpacked. */
  readonly bytes: number;
  /** What it came out of, in the object. */
  readonly offset: number;
  readonly length: number;
  readonly tag: string;
  /** Codes of what was found in it. */
  readonly codes: readonly string[];
}
export interface MapSpan {
  readonly offset: number;
  readonly length: number;
  readonly kind: string;
  readonly tag: string;
  /** Keyword of the dictionary or "". */
  readonly keyword: string;
  readonly path: string;
  readonly vr: string;
}

export interface InspectorStatus {
  readonly sandbox: { readonly strength: 'namespaces' | 'permission-model' | 'none'; readonly text: string };
  readonly engines: readonly { readonly name: string; readonly version: string; readonly signatures: string; readonly state: 'ready' | 'missing' | 'failing'; readonly text: string }[];
  readonly epoch: string;
  readonly examiners: number;
  /** The rule pack in use: its version, what people call it, and why a newer one that was chosen is not in use, or "". */
  readonly rules?: { readonly version: number; readonly text: string; readonly signer: string; readonly problem: string };
  /** `none`: the configuration says that there is to be none; `unsaid`: it says nothing about it. */
  readonly clamd?: 'configured' | 'none' | 'unsaid';
}

/** `id`: object id (or its first 8 digits or more), SOP Instance UID or SHA-256; or "" with a `source` (AE Title, asset, person, token, medium or address) or an `import` (its id, or the first 8 digits of it). */
export interface TraceRequest {
  readonly id: string;
  readonly source: string;
  readonly import?: string;
  /** Milliseconds since 1970; of a source: what was received from it in [since, until). */
  readonly since: number;
  readonly until: number;
  /** Of an object: what the same source sent so long before and after counts as having come near it. */
  readonly windowMs: number;
}
/** How an object has to do with what was asked. `message`: the same association or request; `source`: near it in time from the same source. */
export type TraceRelation = 'subject' | 'message' | 'source' | 'copy';
export interface TraceObject {
  readonly relation: TraceRelation;
  readonly objectId: ObjectId;
  readonly state: State;
  readonly verdict: LedgerEntry['verdict'];
  readonly codes: readonly string[];
  readonly sha256: LedgerEntry['sha256'];
  /** As archived, where it is or was in the archive; else "". */
  readonly archivedSha256: string;
  readonly sopInstanceUID: string;
  readonly studyInstanceUID: string;
  readonly studyDescription: string;
  readonly modality: string;
  readonly patientName: string;
  readonly patientID: string;
  readonly bytes: number;
  readonly receivedAt: number;
  readonly concludedAt: number | null;
  /** It was in the archive and was taken out of sight. */
  readonly withdrawn: boolean;
  /** By decision of people, where it was that. */
  readonly withdrawal?: LedgerEntry['withdrawal'];
  /** Index into `messages`. */
  readonly message: number;
}
export interface TraceMessage {
  readonly source: LedgerEntry['source'];
  readonly first: number;
  readonly last: number;
  readonly objects: number;
}
export interface TraceAccess {
  readonly kind: 'opened' | 'sent' | 'exported';
  readonly person: string;
  readonly address: string;
  /** Where it was sent, or "". */
  readonly destination: string;
  readonly what: string;
  readonly first: number;
  readonly last: number;
  readonly count: number;
  readonly studyInstanceUID: string;
  /** Subjects that this concerns. */
  readonly objectIds: readonly ObjectId[];
  /** The entry of the audit log that tells of the last one, or one shortly before it. */
  readonly auditEntry: number;
}
export interface TraceDecision {
  readonly objectId: ObjectId;
  readonly decision: string;
  readonly persons: readonly string[];
  readonly reason: string;
  readonly at: number;
}
/** A medium that subjects came on, or that was asked about. */
export interface TraceMedium {
  readonly import: string;
  /** As the medium says it: for people only. */
  readonly name: string;
  readonly kind: string;
  readonly person: string;
  readonly at: number;
  readonly state: string;
  /** How many of its files have which fate (reception/media/contract.ts). */
  readonly fates: Readonly<Record<string, number>>;
  /** What stayed behind and is known to be malicious; at most some tens. */
  readonly infected: readonly { readonly path: string; readonly sha256: string; readonly text: string }[];
}
export interface TraceAnswer {
  /** Subjects first, then what came with them, each by time. */
  readonly objects: readonly TraceObject[];
  readonly messages: readonly TraceMessage[];
  /** Of the subjects. Newest first. */
  readonly accesses: readonly TraceAccess[];
  readonly decisions: readonly TraceDecision[];
  /** Who sent the bytes of a subject again, when they were kept already. Oldest first. */
  readonly repeats: readonly { readonly objectId: ObjectId; readonly source: LedgerEntry['source']; readonly at: number }[];
  /** Newest first. */
  readonly media?: readonly TraceMedium[];
  /** Subjects in all, where not all of them are named. */
  readonly subjectCount?: number;
  /** Lists that hold less than there is: each is cut at a limit. */
  readonly cut: readonly ('subjects' | 'message' | 'source' | 'accesses')[];
}

export interface RescanRequest {
  readonly do: 'status' | 'start' | 'pause' | 'resume' | 'stop';
  /** Only what was received since then (milliseconds since 1970), and only of this Study; 0 and "" for all. */
  readonly since: number;
  readonly study: string;
  /** Who asks; "" for the keeper itself. */
  readonly person: string;
}
/** The archive being inspected again, or the last time that it was. */
export interface RescanStatus {
  readonly run: number;
  readonly reason: 'signatures' | 'person';
  readonly person: string;
  readonly state: 'running' | 'paused' | 'done' | 'stopped';
  readonly epoch: string;
  readonly since: number;
  readonly study: string;
  readonly startedAt: number;
  readonly finishedAt: number | null;
  readonly objects: number;
  readonly bytes: number;
  /** Taken out of sight, since they were found to be not clean or damaged. */
  readonly withdrawn: number;
  /** Could not be inspected and will be tried again; one object may count several times. */
  readonly postponed: number;
  /** Null while it is being counted. */
  readonly remaining: { readonly objects: number; readonly bytes: number } | null;
  readonly objectsPerSecond: number;
  readonly bytesPerSecond: number;
  /** Why it does not get on, or "". */
  readonly problem: string;
}

export interface StatusAnswer {
  readonly counts: Readonly<Record<State, number>>;
  readonly inspector: InspectorStatus | null;
  /** The archive inspected again: now, or the last time; null: never. */
  readonly rescan?: RescanStatus | null;
  /** What was last done to keep it safe: backup, verification, sweep, drill. */
  readonly safekept?: readonly { readonly what: string; readonly at: number; readonly objects: number; readonly bytes: number; readonly findings: number }[];
  /** What was in the archive and is held as malicious; media of the last week with infected files, and the import of the newest of them. */
  readonly alarms?: { readonly late: number; readonly infectedMedia: number; readonly medium: string };
  readonly audit: { readonly entries: number; readonly root: string };
  readonly disk: { readonly freeBytes: number; readonly totalBytes: number };
}
