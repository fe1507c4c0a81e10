/**
 * Import reconciliation (IHE Radiology, Import Reconciliation Workflow): what comes from elsewhere is served and found under the local patient's identity,
 * while the Data Set that was received stays as it is, byte for byte (promise 3).
 *
 * A study of an import that waits for a choice is archived and out of sight: its instances are in `withdrawnInstances` with the reason `unreconciled`.
 * Once somebody has chosen, an examiner says for each instance which bytes of the file are to be served differently (`Patches`), and the instances of
 * the study come into sight together. What is served is the stored file with its patches; Original Attributes Sequence (0400,0561) in it holds
 * the values that were replaced. Reversing takes the patches away.
 *
 * | request   | socket        | body                                              | answer |
 * |-----------|---------------|---------------------------------------------------|--------|
 * | reconcile | web, terminal | { do: 'patients', text, limit }                   | LocalPatient[]: by name, Patient ID, birth date or accession number, those with the newest studies first |
 * | reconcile | web, terminal | { do: 'incoming', import }                        | IncomingStudy[]: what this import brought, for people to say whose it is |
 * | reconcile | web, terminal | { do: 'take', import, choices, person, address }  | IncomingStudy[], once the choices are durable; the work goes on (`taking`) |
 * | reconcile | web, terminal | { do: 'change', studyInstanceUID, choice, person, address, reason } | Reconciliation, once durable; the work goes on (`taking`): another identity for a whole study, in sight or waiting; `choice.replacement: null`: back to what was received |
 * | reconcile | web, terminal | { do: 'study', studyInstanceUID }                 | StudyIdentity: as whose it came, and all choices about it |
 * | reconcile | web, terminal | { do: 'history', studyInstanceUID }               | Reconciliation[], newest first |
 */
export interface PatientIdentity {
  /** PN as DICOM JSON has its alphabetic group: "FAMILY^GIVEN". */
  readonly patientName: string;
  readonly patientID: string;
  readonly issuerOfPatientID: string;
  /** YYYYMMDD or "". */
  readonly patientBirthDate: string;
  /** M, F, O or "". */
  readonly patientSex: string;
}

/** A patient as this archive knows one. */
export interface LocalPatient extends PatientIdentity {
  readonly studies: number;
  /** Of the newest study, YYYYMMDD or "". */
  readonly lastStudyDate: string;
}

/** What takes the place of the foreign values. */
export interface Replacement extends PatientIdentity {
  /** Of the local order; "" where there is none: a foreign accession number names another order here. */
  readonly accessionNumber: string;
  /** "" leaves the description as it came. */
  readonly studyDescription: string;
}

export interface Choice {
  readonly studyInstanceUID: string;
  /** Null: as it is. */
  readonly replacement: Replacement | null;
}

/** `waiting`: nobody has said whose it is. `taking`: chosen, not all of it in sight yet. `taken`. `impossible`: `problem` says why it cannot be written in this identity; it stays out of sight until another choice. */
export type IncomingState = 'waiting' | 'taking' | 'taken' | 'impossible';

export interface IncomingSeries {
  readonly seriesInstanceUID: string;
  readonly modality: string;
  readonly description: string;
  readonly instances: number;
  /** An instance in its middle that can be shown (the keeper's `render` by object id), or "". */
  readonly picture: string;
}
export interface IncomingStudy {
  readonly studyInstanceUID: string;
  readonly state: IncomingState;
  readonly problem: string;
  /** As it came. */
  readonly received: PatientIdentity & { readonly accessionNumber: string; readonly studyDescription: string; readonly studyDate: string };
  /** As it is (to be) served; null: as it came, or not chosen yet. */
  readonly replacement: Replacement | null;
  /** Clean instances that are archived now: more may come while the medium is read. */
  readonly instances: number;
  readonly series: readonly IncomingSeries[];
}

/** A range of the file as archived that is served with other bytes. Sorted, without overlap, each inside the Data Set. */
export interface Patch {
  readonly offset: number;
  readonly length: number;
  /** Base64. */
  readonly bytes: string;
}

/** One choice about a study that is or was in force. */
export interface Reconciliation {
  readonly id: string;
  readonly studyInstanceUID: string;
  /** Of the import, or "". */
  readonly import: string;
  readonly replacement: Replacement | null;
  readonly received: IncomingStudy['received'];
  readonly person: string;
  readonly reason: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Served under it; 0 while it is being carried out. */
  readonly instances: number;
  /** `ended`: another choice took its place before it was carried out. */
  readonly state: Exclude<IncomingState, 'waiting'> | 'ended';
  /** Why it is impossible, or "". */
  readonly problem: string;
}

/** Whose a study is and was. Under the newest choice that is `taken` it is served; without one, as it was received. */
export interface StudyIdentity {
  readonly studyInstanceUID: string;
  readonly received: IncomingStudy['received'];
  /** Newest first. */
  readonly history: readonly Reconciliation[];
}
