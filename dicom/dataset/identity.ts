/**
 * Which attributes say whose an object is and which order it belongs to, and what becomes of each where it is served under a local identity
 * (IHE RAD TF-2 §4.61 Imported Objects Stored; PS3.3 C.2.2, C.2.3, C.7.1.1, C.7.2.1). UIDs are none of them: they stay, as IHE wants it.
 *
 * What is replaced or moved stays readable in Original Attributes Sequence (0400,0561).
 */

/** What takes the place of the foreign values. The archive's contract calls it Replacement. */
export interface Identity {
  readonly patientName: string;
  readonly patientID: string;
  readonly issuerOfPatientID: string;
  readonly patientBirthDate: string;
  readonly patientSex: string;
  readonly accessionNumber: string;
  readonly studyDescription: string;
}

/** A text: the value from now on. `moved`: it is not in the object any more but in its Original Attributes. `left`: as it is. */
export type Fate = { readonly text: string } | 'moved' | 'left';

export interface IdentityAttribute {
  /** (group << 16 | element) >>> 0 */
  readonly tag: number;
  readonly vr: string;
  readonly keyword: string;
  fate(identity: Identity): Fate;
}

const replaced = (tag: number, vr: string, keyword: string, of: (identity: Identity) => string): IdentityAttribute => ({ tag, vr, keyword, fate: (identity) => ({ text: of(identity) }) });
const moved = (tag: number, vr: string, keyword: string): IdentityAttribute => ({ tag, vr, keyword, fate: () => 'moved' });

/** In ascending order of their tags. */
// prettier-ignore
export const identityAttributes: readonly IdentityAttribute[] = [
  replaced(0x00080050, 'SH', 'AccessionNumber', ({ accessionNumber }) => accessionNumber),
  // It says whose the accession number was.
  moved(0x00080051, 'SQ', 'IssuerOfAccessionNumberSequence'),
  { tag: 0x00081030, vr: 'LO', keyword: 'StudyDescription', fate: ({ studyDescription }) => (studyDescription === '' ? 'left' : { text: studyDescription }) },
  moved(0x00081120, 'SQ', 'ReferencedPatientSequence'),
  replaced(0x00100010, 'PN', 'PatientName', ({ patientName }) => patientName),
  replaced(0x00100020, 'LO', 'PatientID', ({ patientID }) => patientID),
  { tag: 0x00100021, vr: 'LO', keyword: 'IssuerOfPatientID', fate: ({ issuerOfPatientID }) => (issuerOfPatientID === '' ? 'moved' : { text: issuerOfPatientID }) },
  moved(0x00100022, 'CS', 'TypeOfPatientID'),
  moved(0x00100024, 'SQ', 'IssuerOfPatientIDQualifiersSequence'),
  replaced(0x00100030, 'DA', 'PatientBirthDate', ({ patientBirthDate }) => patientBirthDate),
  moved(0x00100032, 'TM', 'PatientBirthTime'),
  moved(0x00100033, 'LO', 'PatientBirthDateInAlternativeCalendar'),
  moved(0x00100034, 'LO', 'PatientDeathDateInAlternativeCalendar'),
  moved(0x00100035, 'CS', 'PatientAlternativeCalendar'),
  replaced(0x00100040, 'CS', 'PatientSex', ({ patientSex }) => patientSex),
  // Numbers of another house may be those of other people here, and systems match by them.
  moved(0x00101000, 'LO', 'OtherPatientIDs'),
  moved(0x00101001, 'PN', 'OtherPatientNames'),
  moved(0x00101002, 'SQ', 'OtherPatientIDsSequence'),
  moved(0x00101005, 'PN', 'PatientBirthName'),
  moved(0x00101060, 'PN', 'PatientMotherBirthName'),
  // The foreign visit.
  moved(0x00380010, 'LO', 'AdmissionID'),
  moved(0x00380011, 'LO', 'IssuerOfAdmissionID'),
  moved(0x00380014, 'SQ', 'IssuerOfAdmissionIDSequence'),
  moved(0x00380060, 'LO', 'ServiceEpisodeID'),
  moved(0x00380061, 'LO', 'IssuerOfServiceEpisodeID'),
  moved(0x00380064, 'SQ', 'IssuerOfServiceEpisodeIDSequence'),
  // The foreign order: its numbers name other orders here.
  moved(0x00400275, 'SQ', 'RequestAttributesSequence'),
  moved(0x00401001, 'SH', 'RequestedProcedureID'),
  moved(0x00402016, 'LO', 'PlacerOrderNumberImagingServiceRequest'),
  moved(0x00402017, 'LO', 'FillerOrderNumberImagingServiceRequest'),
  moved(0x0040a370, 'SQ', 'ReferencedRequestSequence'),
];

export const specificCharacterSetTag = 0x00080005;
export const originalAttributesTag = 0x04000561;

/** Eight hex digits, as in DICOM JSON: every attribute that serving an object under a local identity may change. */
export const changedTags: ReadonlySet<string> = new Set([specificCharacterSetTag, originalAttributesTag, ...identityAttributes.map(({ tag }) => tag)].map((tag) => tag.toString(16).toUpperCase().padStart(8, '0')));
