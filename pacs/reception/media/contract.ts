/**
 * Import of a medium: who asks what, and the shapes that pass between them.
 *
 *   ./lazaret import PATH                                       desk page (console)
 *        │ starts                                                  │ writes uploads/<upload>/…, asks the keeper for { do: 'ask', upload }
 *        ▼                                                         ▼
 *   media ▯  sandboxed: sees one medium, writes arriving/     importer ─ starts ─▶ media ▯
 *        │ frames over pipes (protocol.ts)                         │
 *        ▼                                                         ▼
 *   ImportRun (run.ts), which asks the keeper for everything that lasts:
 *
 * | request   | body | answer |
 * |-----------|------|--------|
 * | import    | { do: 'begin', medium, listing, files, person, address, upload, waits? } | Begun: the import's id, which files an earlier, interrupted run of the same medium has settled, and which stopped its readers. `waits: true`, and every upload: its clean objects stay out of sight until somebody says whose they are |
 * | admit     | ReceivedObject, as every door does | Admission |
 * | companion | { id, objectId, bytes, sha256, path } | CompanionAnswer: the file was scanned where it lay and is gone |
 * | import    | { do: 'files', id, files: FileFate[] } | null, once durable |
 * | import    | { do: 'end', id, outcome, notes, directories } | ImportStatus |
 * | import    | { do: 'status', id } | ImportStatus: to be asked for again until `state` is `settled` |
 * | import    | { do: 'receipt', id } | Receipt; kept for good once the import is settled |
 * | import    | { do: 'list', limit } | ImportStatus[], newest first |
 * | import    | { do: 'ask', upload, label, person, address } | { id }: the importer is told to read uploads/<upload> |
 * | import    | { do: 'next' } | Asked or null after 20 s: for the importer alone |
 *
 * `import` is on the sockets of web, terminal and importer (`admit`, `companion`, `begin`, `files`, `end` and `next` not for web).
 *
 * An `upload` is 32 hex digits: the folder `uploads/<upload>` that web fills. In it no name comes from the medium: `listing` says what is to come (a line of JSON `UploadHead`, then one
 * `UploadLine` for each file), and file number n of the listing lies in `n` once it is whole, in `n.part` before. `n.bad` instead says why it will not come, `cancelled` that
 * nothing more will. The import is asked for when the listing is whole; reading goes on beside sending and is broken off (`interrupted`) where nothing comes for
 * a while, to be asked for again. A single image or ZIP is asked for when it is whole. The importer removes an upload when it was read to its end.
 *
 * An import is idempotent: what is kept already is a duplicate, which is success. A medium is known again by the digest of its listing (paths, lengths,
 * times); a run that was interrupted goes on where it was.
 */
import type { Digest, ObjectId } from '../contract.ts';
import type { MediumKind } from './volume.ts';

export type { MediumKind } from './volume.ts';

/** What a medium says of itself. Texts are the medium's own, so for people only. */
export interface Medium {
  readonly kind: MediumKind;
  readonly label: string;
  readonly identifier: string;
  /** Of an image or a drive; 0 for a folder. */
  readonly bytes: number;
}

/** What became of one file. Objects get their verdict afterwards, in the ledger under `objectId`. */
export const fates = ['admitted', 'duplicate', 'left', 'infected', 'unscanned', 'directory', 'same', 'link', 'special', 'unreadable', 'unreached', 'refused'] as const;
/**
 * `admitted`, `duplicate`: an object in the quarantine or archive. `left`: a companion, scanned, nothing found. `infected`: a companion in which an engine
 * recognises malicious software. `unscanned`: a companion that no engine could look into. `directory`: a DICOMDIR. `same`: another name for the bytes of an earlier file.
 * `link`, `special`: not followed. `unreadable`: the medium does not give all its bytes, or reading it stopped the reader. `unreached`: the import was stopped or given up before it was read, so
 * nothing is known of it. `refused`: an object that the quarantine did not take.
 */
export type Fate = (typeof fates)[number];

export interface FileFate {
  /** Its place in the listing. */
  readonly index: number;
  readonly path: string;
  readonly bytes: number;
  readonly sha256: Digest | '';
  readonly fate: Fate;
  readonly objectId: ObjectId | '';
  /** What it is, for people: "Windows program", "text". */
  readonly what: string;
  /** Why, with places: "bytes 4096 to 6143: the medium is damaged there"; codes of what was found in a companion. */
  readonly text: string;
  /** How often reading it stopped the reader; nothing where that is never. */
  readonly stops?: number;
}

/** What a DICOMDIR lists and the medium holds (PS3.10 §8). It is a hint: every file is looked at whatever it says. */
export interface DirectoryReport {
  readonly path: string;
  readonly listed: number;
  /** Listed, and no file of that name is there. At most `directoryTextsMax` of each; the counts are whole. */
  readonly absent: readonly string[];
  readonly absentCount: number;
  /** Objects that it does not list. */
  readonly unlisted: readonly string[];
  readonly unlistedCount: number;
  /** The file holds another instance than the directory says. */
  readonly different: readonly string[];
  readonly differentCount: number;
  /** Why it could not be read, or "". */
  readonly problem: string;
}
export const directoryTextsMax = 50;

/** The first line of an upload's listing. */
export interface UploadHead {
  readonly person: string;
  /** What people call it: the name of the folder, drive or file. */
  readonly name: string;
  /** `image`: one file that is an image of a medium or a ZIP file. */
  readonly kind: 'files' | 'image';
  /** Known again by it: a digest that the browser made over what it was given. */
  readonly key: string;
  readonly files: number;
  readonly bytes: number;
  readonly begunAt: number;
}
/** Path as the browser had it, length, milliseconds since 1970 at which it was changed. */
export type UploadLine = readonly [path: string, bytes: number, modified: number];

/** Companions wait until the images are sent and read: names like these are hardly ever images. A hint for the order, nothing else. */
export function isLater(path: string): boolean {
  return /\.(exe|dll|msi|cab|inf|ini|bat|cmd|html?|css|js|jar|class|zip|rar|7z|pdf|png|jpe?g|gif|bmp|ico|txt|xml|lnk|so|dylib|ocx|hlp|chm|avi|mp4)(;1)?$/i.test(path);
}
/** One file of such a name is an image of a medium or a ZIP file: it can only be read as a whole. */
export function isImage(name: string): boolean {
  return /\.(iso|img|udf|ima|bin|zip)$/i.test(name);
}

export interface Begun {
  readonly id: string;
  /** Indices of files that need not be read again. */
  readonly done: readonly number[];
  /** Files that stopped the reader before, and how often. */
  readonly stops: readonly (readonly [index: number, times: number])[];
  readonly resumed: boolean;
}
export interface Asked {
  readonly id: string;
  readonly upload: string;
  readonly label: string;
  readonly person: string;
  readonly address: string;
}
export interface CompanionAnswer {
  readonly verdict: 'clean' | 'infected' | 'unscannable';
  readonly text: string;
}

/** `asked`: nobody has begun. `reading`. `inspecting`: all was read, verdicts are outstanding. `settled`. `interrupted`: can go on. `failed`: the medium could not be read at all. */
export type ImportState = 'asked' | 'reading' | 'inspecting' | 'settled' | 'interrupted' | 'failed';

export interface ImportStatus {
  readonly id: string;
  readonly state: ImportState;
  readonly medium: Medium;
  readonly person: string;
  readonly begunAt: number;
  readonly endedAt: number | null;
  /** Of the listing. */
  readonly files: number;
  readonly bytes: number;
  readonly done: number;
  readonly doneBytes: number;
  /** `unreached` holds, once reading is over, every file that is not in `done`. */
  readonly fates: Readonly<Partial<Record<Fate, number>>>;
  /** Objects by what the ledger says of them now. */
  readonly waiting: number;
  readonly archived: number;
  readonly held: number;
  /** Held since malicious software was recognised. */
  readonly malicious: number;
  /** Of the archived ones: out of sight until somebody says whose they are, or until they are ready to be shown so. */
  readonly unreconciled: number;
  /** Why it failed, or "". */
  readonly problem: string;
}

export interface ReceiptSeries {
  readonly seriesInstanceUID: string;
  readonly modality: string;
  readonly description: string;
  readonly instances: number;
}
/** Whose a study is, where that is waited for or was said (pacs/archive/reconciliation). */
export interface ReceiptIdentity {
  readonly state: 'waiting' | 'taking' | 'taken' | 'impossible';
  /** Why it cannot be written in the identity that was chosen, or "". */
  readonly problem: string;
  /** Null: as it came, or nobody has said. */
  readonly servedAs: { readonly patientName: string; readonly patientID: string; readonly issuerOfPatientID: string; readonly accessionNumber: string } | null;
  /** Who said so and when; "" and 0 while nobody has. */
  readonly person: string;
  readonly at: number;
}
export interface ReceiptStudy {
  readonly studyInstanceUID: string;
  /** Patient and description as they came. */
  readonly patientName: string;
  readonly patientID: string;
  readonly description: string;
  readonly date: string;
  readonly instances: number;
  readonly series: readonly ReceiptSeries[];
  /** Absent: it came in as it is, and nobody was asked. */
  readonly identity?: ReceiptIdentity;
}
export interface ReceiptHeld {
  readonly objectId: ObjectId;
  readonly path: string;
  readonly verdict: string;
  readonly code: string;
  /** What was found, in words; the advice is in the verdict table under `code`. */
  readonly text: string;
  readonly patientName: string;
  readonly patientID: string;
}
export interface Receipt extends ImportStatus {
  /** Milliseconds since 1970 at which it was drawn up. */
  readonly at: number;
  readonly patients: number;
  readonly studies: readonly ReceiptStudy[];
  /** Objects that were kept already, by an earlier import or another door. */
  readonly duplicates: number;
  /** Lists hold at most `receiptLinesMax` lines; the counts in `fates` are whole. */
  readonly withheld: readonly ReceiptHeld[];
  readonly left: readonly FileFate[];
  readonly infected: readonly FileFate[];
  readonly unreadable: readonly FileFate[];
  /** Of those whose names are known. */
  readonly unreached: readonly FileFate[];
  readonly directories: readonly DirectoryReport[];
  readonly notes: readonly string[];
}
export const receiptLinesMax = 2_000;
