/**
 * The Identifiers of the Modality Worklist Information Model (PS3.4 Table K.6-1): a question as bytes, and an order out of an answer.
 * SECURITY: `readItem` decodes what the worklist sent, so it is called in the worklist process alone (law 2).
 */
import { readIdentifier } from '@lazaret/dicom/dimse/identifier.ts';
import { encodeDataSet, type WritableElement } from '@lazaret/dicom/dataset/write.ts';
import type { Values } from '@lazaret/dicom/dataset/values.ts';
import { queryCharactersMax, type WorklistItem, type WorklistQuery } from './contract.ts';

/** Modality Worklist Information Model – FIND (PS3.4 §K.6.1.4). */
export const worklistFind = '1.2.840.10008.5.1.4.31';
export const verification = '1.2.840.10008.1.1';

const tags = {
  specificCharacterSet: 0x00080005, accessionNumber: 0x00080050, modality: 0x00080060, codeMeaning: 0x00080104, patientName: 0x00100010, patientID: 0x00100020, issuerOfPatientID: 0x00100021,
  patientBirthDate: 0x00100030, patientSex: 0x00100040, studyInstanceUID: 0x0020000d, requestedProcedureDescription: 0x00321060, requestedProcedureCodeSequence: 0x00321064,
  scheduledProcedureStepSequence: 0x00400100, scheduledStationAETitle: 0x00400001, startDate: 0x00400002, startTime: 0x00400003, performingPhysician: 0x00400006, stepDescription: 0x00400007,
  stepID: 0x00400009, requestedProcedureID: 0x00401001,
} as const;

/**
 * The Identifier of a query: matching keys as they were typed, everything that a WorklistItem needs as a return key of no value. Text beyond ASCII is UTF-8 and
 * says so (ISO_IR 192); without it the default repertoire is not named, so that old systems are not asked for a character set that they do not know.
 */
export function encodeQuery(query: WorklistQuery, transferSyntaxUID: string): Uint8Array {
  const { patientName, patientID, accessionNumber } = query;
  // oxlint-disable-next-line no-control-regex
  const plain = /^[\x00-\x7f]*$/.test(patientName + patientID + accessionNumber);
  const step: WritableElement[] = [
    key(tags.modality, 'CS'), key(tags.scheduledStationAETitle, 'AE'), key(tags.startDate, 'DA'), key(tags.startTime, 'TM'), key(tags.performingPhysician, 'PN'), key(tags.stepDescription, 'LO'), key(tags.stepID, 'SH'),
  ];
  return encodeDataSet([
    ...(plain ? [] : [key(tags.specificCharacterSet, 'CS', 'ISO_IR 192')]),
    key(tags.accessionNumber, 'SH', accessionNumber), key(tags.patientName, 'PN', patientName), key(tags.patientID, 'LO', patientID), key(tags.issuerOfPatientID, 'LO'), key(tags.patientBirthDate, 'DA'), key(tags.patientSex, 'CS'),
    key(tags.studyInstanceUID, 'UI'), key(tags.requestedProcedureDescription, 'LO'),
    { tag: tags.scheduledProcedureStepSequence, vr: 'SQ', value: [{ elements: step }] },
    key(tags.requestedProcedureID, 'SH'),
  ], transferSyntaxUID);
}

function key(tag: number, vr: string, value = ''): WritableElement {
  return { tag, vr, value: value === '' ? [] : [value] };
}

/**
 * The order in an Identifier. Null where whose it is cannot be read without loss (a character that its character sets do not define) or it names nobody: an
 * identity that was half guessed must not be offered for choosing. Throws IdentifierProblem for what is no Identifier at all.
 */
export function readItem(bytes: Uint8Array, transferSyntaxUID: string): WorklistItem | null {
  const values = readIdentifier(bytes, transferSyntaxUID);
  const sequence = values.find(tags.scheduledProcedureStepSequence);
  const inStep = (tag: number): string => (sequence < 0 ? '' : one(values, values.find(tag, sequence)));
  const top = (tag: number): string => one(values, values.find(tag));
  const identity = { patientName: nameOf(top(tags.patientName)), patientID: top(tags.patientID), issuerOfPatientID: top(tags.issuerOfPatientID) };
  const accessionNumber = top(tags.accessionNumber);
  if (Object.values(identity).some(isDamaged) || isDamaged(accessionNumber)) return null;
  if (identity.patientName === '' && identity.patientID === '') return null;
  const birthDate = top(tags.patientBirthDate);
  const date = inStep(tags.startDate);
  const sex = top(tags.patientSex);
  const codes = values.find(tags.requestedProcedureCodeSequence);
  const described = [top(tags.requestedProcedureDescription), codes < 0 ? '' : one(values, values.find(tags.codeMeaning, codes)), inStep(tags.stepDescription)].find((text) => text !== '' && !isDamaged(text)) ?? '';
  return {
    ...identity, patientBirthDate: isDate(birthDate) ? birthDate : '', patientSex: ['M', 'F', 'O'].includes(sex) ? sex : '', accessionNumber, studyDescription: described,
    requestedProcedureID: top(tags.requestedProcedureID), modality: inStep(tags.modality), scheduledDate: isDate(date) ? date : '',
  };
}

/** The first value of a row, "" where there is none. */
function one(values: Values, row: number): string {
  return row < 0 ? '' : (values.strings(row)[0] ?? '').trim();
}

/** The first component group that says something: the alphabetic one, where a name has it (PS3.5 §6.2.1). */
function nameOf(name: string): string {
  return name.split('=').map((group) => group.replace(/\^+$/, '').trim()).find((group) => group !== '') ?? '';
}

/** Holds what no person's name or number holds: undecodable bytes, control characters, more than any of these attributes may have. */
function isDamaged(text: string): boolean {
  // oxlint-disable-next-line no-control-regex
  return /[\x00-\x1f\x7f-\x9f\ufffd]/.test(text) || text.length > queryCharactersMax;
}

function isDate(text: string): boolean {
  return /^\d{8}$/.test(text);
}
