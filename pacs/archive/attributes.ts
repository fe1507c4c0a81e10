/**
 * Which attributes the index keeps at which level, and what QIDO-RS returns of them. Tables 10.6.1-5 and 10.6.3-3 to 10.6.3-5 of
 * PS3.18 are the code here.
 */

export const levels = ['study', 'series', 'instance'] as const;
export type Level = (typeof levels)[number];

export interface IndexedAttribute {
  /** Eight hex digits, as in the DICOM JSON Model. */
  readonly tag: string;
  readonly keyword: string;
  readonly vr: string;
  readonly level: Level;
  /** Column that is matched, or null where the attribute is only returned. */
  readonly column: string | null;
  /** Returned without being asked for (`includefield`). */
  readonly returned: boolean;
  /** Required matching key of its level. */
  readonly required: boolean;
  /** Not kept from the object: counted or composed by the server. */
  readonly computed: boolean;
}

type Row = readonly [tag: string, keyword: string, vr: string, column: string | null, flags: string];

// Flags: r returned by default, k required matching key, c computed.
const studyRows: readonly Row[] = [
  ['00080005', 'SpecificCharacterSet', 'CS', null, 'rc'],
  ['00080020', 'StudyDate', 'DA', 'studyDate', 'rk'],
  ['00080030', 'StudyTime', 'TM', 'studyTime', 'rk'],
  ['00080050', 'AccessionNumber', 'SH', 'accessionNumber', 'rk'],
  ['00080061', 'ModalitiesInStudy', 'CS', 'modalitiesInStudy', 'rkc'],
  ['00080056', 'InstanceAvailability', 'CS', null, 'rc'],
  ['00080090', 'ReferringPhysicianName', 'PN', 'referringPhysicianName', 'rk'],
  ['00080201', 'TimezoneOffsetFromUTC', 'SH', null, 'r'],
  ['00081030', 'StudyDescription', 'LO', 'studyDescription', 'r'],
  ['00081032', 'ProcedureCodeSequence', 'SQ', null, ''],
  ['00081048', 'PhysiciansOfRecord', 'PN', null, ''],
  ['00081060', 'NameOfPhysiciansReadingStudy', 'PN', null, ''],
  ['00081080', 'AdmittingDiagnosesDescription', 'LO', null, ''],
  ['00081190', 'RetrieveURL', 'UR', null, 'rc'],
  ['00100010', 'PatientName', 'PN', 'patientName', 'rk'],
  ['00100020', 'PatientID', 'LO', 'patientID', 'rk'],
  ['00100021', 'IssuerOfPatientID', 'LO', null, ''],
  ['00100030', 'PatientBirthDate', 'DA', 'patientBirthDate', 'r'],
  ['00100032', 'PatientBirthTime', 'TM', null, ''],
  ['00100040', 'PatientSex', 'CS', 'patientSex', 'r'],
  ['00101001', 'OtherPatientNames', 'PN', null, ''],
  ['00101010', 'PatientAge', 'AS', null, ''],
  ['00101020', 'PatientSize', 'DS', null, ''],
  ['00101030', 'PatientWeight', 'DS', null, ''],
  ['00102160', 'EthnicGroup', 'SH', null, ''],
  ['00104000', 'PatientComments', 'LT', null, ''],
  ['0020000D', 'StudyInstanceUID', 'UI', 'studyInstanceUID', 'rk'],
  ['00200010', 'StudyID', 'SH', 'studyID', 'rk'],
  ['00201206', 'NumberOfStudyRelatedSeries', 'IS', null, 'rc'],
  ['00201208', 'NumberOfStudyRelatedInstances', 'IS', null, 'rc'],
];

const seriesRows: readonly Row[] = [
  ['00080021', 'SeriesDate', 'DA', null, ''],
  ['00080031', 'SeriesTime', 'TM', null, ''],
  ['00080060', 'Modality', 'CS', 'modality', 'rk'],
  ['00080070', 'Manufacturer', 'LO', null, ''],
  ['00080080', 'InstitutionName', 'LO', null, ''],
  ['00081010', 'StationName', 'SH', null, ''],
  ['0008103E', 'SeriesDescription', 'LO', 'seriesDescription', 'r'],
  ['00081040', 'InstitutionalDepartmentName', 'LO', null, ''],
  ['00081050', 'PerformingPhysicianName', 'PN', null, ''],
  ['00081090', 'ManufacturerModelName', 'LO', null, ''],
  ['00180015', 'BodyPartExamined', 'CS', 'bodyPartExamined', ''],
  ['00181030', 'ProtocolName', 'LO', null, ''],
  ['00185100', 'PatientPosition', 'CS', null, ''],
  ['0020000E', 'SeriesInstanceUID', 'UI', 'seriesInstanceUID', 'rk'],
  ['00200011', 'SeriesNumber', 'IS', 'seriesNumber', 'rk'],
  ['00200060', 'Laterality', 'CS', null, ''],
  ['00201209', 'NumberOfSeriesRelatedInstances', 'IS', null, 'rc'],
  ['00400244', 'PerformedProcedureStepStartDate', 'DA', 'performedProcedureStepStartDate', 'rk'],
  ['00400245', 'PerformedProcedureStepStartTime', 'TM', 'performedProcedureStepStartTime', 'rk'],
  ['00400275', 'RequestAttributesSequence', 'SQ', null, 'r'],
];

const instanceRows: readonly Row[] = [
  ['00080016', 'SOPClassUID', 'UI', 'sopClassUID', 'rkc'],
  ['00080018', 'SOPInstanceUID', 'UI', 'sopInstanceUID', 'rkc'],
  ['00083002', 'AvailableTransferSyntaxUID', 'UI', 'transferSyntaxUID', 'rc'],
  ['00200013', 'InstanceNumber', 'IS', 'instanceNumber', 'rkc'],
  ['00280008', 'NumberOfFrames', 'IS', 'numberOfFrames', 'rc'],
  ['00280010', 'Rows', 'US', 'rows', 'rc'],
  ['00280011', 'Columns', 'US', 'columns', 'rc'],
  ['00280100', 'BitsAllocated', 'US', 'bitsAllocated', 'rc'],
];

function attribute(level: Level, [tag, keyword, vr, column, flags]: Row): IndexedAttribute {
  return { tag, keyword, vr, level, column, returned: flags.includes('r'), required: flags.includes('k'), computed: flags.includes('c') };
}

export const indexedAttributes: readonly IndexedAttribute[] = [
  ...studyRows.map((row) => attribute('study', row)),
  ...seriesRows.map((row) => attribute('series', row)),
  ...instanceRows.map((row) => attribute('instance', row)),
];

/** Matching keys inside the Request Attributes Sequence (required at Series level). */
export const requestAttributeKeys = [
  { tag: '00400009', keyword: 'ScheduledProcedureStepID', vr: 'SH', column: 'scheduledProcedureStepID' },
  { tag: '00401001', keyword: 'RequestedProcedureID', vr: 'SH', column: 'requestedProcedureID' },
] as const;

/** Tags kept of the objects in the `attributes` column, for each level that has one. */
export const keptTags: { readonly study: readonly string[]; readonly series: readonly string[] } = {
  study: indexedAttributes.filter((one) => one.level === 'study' && !one.computed).map((one) => one.tag),
  series: indexedAttributes.filter((one) => one.level === 'series' && !one.computed).map((one) => one.tag),
};
