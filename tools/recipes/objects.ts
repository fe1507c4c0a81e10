/** Whole, conforming objects of invented patients, as lists of elements: recipes take one and change what they are about. */
import { renderSlice } from './phantom.ts';
import { uidOf } from './recipe.ts';
import { withElements, type Element, type Item } from './encode.ts';

export const sopClasses = {
  ct: '1.2.840.10008.5.1.4.1.1.2',
  enhancedCT: '1.2.840.10008.5.1.4.1.1.2.1',
  secondaryCapture: '1.2.840.10008.5.1.4.1.1.7',
  multiframeBit: '1.2.840.10008.5.1.4.1.1.7.1',
  multiframeByte: '1.2.840.10008.5.1.4.1.1.7.2',
  multiframeWord: '1.2.840.10008.5.1.4.1.1.7.3',
  multiframeColour: '1.2.840.10008.5.1.4.1.1.7.4',
  ultrasound: '1.2.840.10008.5.1.4.1.1.6.1',
  basicTextSR: '1.2.840.10008.5.1.4.1.1.88.11',
  comprehensiveSR: '1.2.840.10008.5.1.4.1.1.88.33',
  encapsulatedPDF: '1.2.840.10008.5.1.4.1.1.104.1',
  mediaStorageDirectory: '1.2.840.10008.1.3.10',
} as const;

export interface Patient {
  readonly name: string;
  readonly id: string;
  readonly birthDate: string;
  readonly sex: 'F' | 'M' | 'O';
}

/** Invented, every one. */
export const patients: readonly Patient[] = [
  { name: 'Quarantotti^Marina', id: 'LZ-0001', birthDate: '19580312', sex: 'F' },
  { name: 'Brigantin^Tomaso', id: 'LZ-0002', birthDate: '19710923', sex: 'M' },
  { name: 'Ankerson^Signe', id: 'LZ-0003', birthDate: '19840607', sex: 'F' },
  { name: 'Feluca^Dario', id: 'LZ-0004', birthDate: '19930118', sex: 'M' },
];

/** Patient, General Study and SOP Common: what every object says of itself. `name` makes the UIDs. */
export function identity(name: string, sopClassUID: string, modality: string, patient: Patient = patients[0]!, description = 'Head without contrast'): Element[] {
  return [
    ['0008,0016', 'UI', sopClassUID],
    ['0008,0018', 'UI', uidOf(name)],
    ['0008,0020', 'DA', '20260311'],
    ['0008,0023', 'DA', '20260311'],
    ['0008,0030', 'TM', '091500'],
    ['0008,0033', 'TM', '091742'],
    ['0008,0050', 'SH', `A${patient.id.slice(-4)}`],
    ['0008,0060', 'CS', modality],
    ['0008,0070', 'LO', 'Lazaret recipes'],
    ['0008,0090', 'PN', 'Referente^Livia'],
    ['0008,1030', 'LO', description],
    ['0008,1090', 'LO', 'Phantom'],
    ['0010,0010', 'PN', patient.name],
    ['0010,0020', 'LO', patient.id],
    ['0010,0030', 'DA', patient.birthDate],
    ['0010,0040', 'CS', patient.sex],
    ['0018,1000', 'LO', '0'],
    ['0018,1020', 'LO', '1'],
    ['0020,000D', 'UI', uidOf(`${patient.id} ${description} study`)],
    ['0020,000E', 'UI', uidOf(`${patient.id} ${description} ${modality} series`)],
    ['0020,0010', 'SH', '1'],
    ['0020,0011', 'IS', '1'],
    ['0020,0013', 'IS', '1'],
  ];
}

export interface CTOptions {
  /** Makes the UIDs; the same name and index is the same object. */
  readonly name: string;
  readonly index: number;
  readonly count: number;
  /** Rows and Columns: 512 is 525 KB. */
  readonly size?: number;
  readonly patient?: Patient;
  readonly description?: string;
  /** Pixel values instead of a rendered head. */
  readonly pixels?: Uint8Array;
}

/** One slice of a CT series of an invented head. */
export function ctSlice({ name, index, count, size = 512, patient = patients[0]!, description = 'Head without contrast', pixels }: CTOptions): Element[] {
  const height = count === 1 ? 0.08 : 0.75 - (1.35 * index) / (count - 1);
  const thickness = 162 / Math.max(1, count - 1);
  const z = (-index * thickness).toFixed(3);
  const spacing = (260 / size).toFixed(6);
  return withElements(
    identity(`${name} ${index}`, sopClasses.ct, 'CT', patient, description),
    ['0008,0005', 'CS', 'ISO_IR 100'],
    ['0008,0008', 'CS', ['ORIGINAL', 'PRIMARY', 'AXIAL']],
    ['0008,0022', 'DA', '20260311'],
    ['0008,0032', 'TM', '091622'],
    ['0008,103E', 'LO', 'Axial'],
    ['0018,0015', 'CS', 'HEAD'],
    ['0018,0050', 'DS', thickness.toFixed(3)],
    ['0018,0060', 'DS', '120'],
    ['0018,1030', 'LO', 'Phantom head'],
    ['0018,1151', 'IS', '280'],
    ['0018,1150', 'IS', '1000'],
    ['0018,1210', 'SH', 'STANDARD'],
    ['0018,5100', 'CS', 'HFS'],
    ['0020,000D', 'UI', uidOf(`${name} study`)],
    ['0020,000E', 'UI', uidOf(`${name} series`)],
    ['0020,0012', 'IS', '1'],
    ['0020,0013', 'IS', String(index + 1)],
    ['0020,0032', 'DS', ['-130', '-130', z]],
    ['0020,0037', 'DS', ['1', '0', '0', '0', '1', '0']],
    ['0020,0052', 'UI', uidOf(`${name} frame of reference`)],
    ['0020,1040', 'LO', ''],
    ['0020,1041', 'DS', z],
    ...grey16(size, size),
    ['0028,0030', 'DS', [spacing, spacing]],
    ['0028,1050', 'DS', ['40', '400']],
    ['0028,1051', 'DS', ['90', '1800']],
    ['0028,1052', 'DS', '0'],
    ['0028,1053', 'DS', '1'],
    ['0028,1054', 'LO', 'HU'],
    ['0028,1055', 'LO', ['BRAIN', 'BONE']],
    ['7FE0,0010', 'OW', pixels ?? renderSlice({ rows: size, columns: size, height, seed: index + 1 })],
  );
}

/** Image Pixel Module of signed 16-bit grey values. */
export function grey16(rows: number, columns: number): Element[] {
  return [
    ['0028,0002', 'US', 1],
    ['0028,0004', 'CS', 'MONOCHROME2'],
    ['0028,0010', 'US', rows],
    ['0028,0011', 'US', columns],
    ['0028,0100', 'US', 16],
    ['0028,0101', 'US', 16],
    ['0028,0102', 'US', 15],
    ['0028,0103', 'US', 1],
  ];
}

export interface ByteImage {
  readonly rows: number;
  readonly columns: number;
  readonly samples?: 1 | 3;
  readonly photometric?: string;
  readonly bits?: 1 | 8;
}

/** A Secondary Capture of 8-bit (or 1-bit) values. */
export function secondaryCapture(name: string, { rows, columns, samples = 1, photometric = 'MONOCHROME2', bits = 8 }: ByteImage, pixels: Uint8Array, sopClassUID: string = sopClasses.secondaryCapture): Element[] {
  return withElements(
    identity(name, sopClassUID, 'OT', patients[1]!, 'Screen captures'),
    ['0008,0064', 'CS', 'WSD'],
    ['0020,0020', 'CS', ''],
    ['0028,0002', 'US', samples],
    ['0028,0004', 'CS', photometric],
    ...(samples === 3 ? [['0028,0006', 'US', 0] as Element] : []),
    ['0028,0010', 'US', rows],
    ['0028,0011', 'US', columns],
    ['0028,0100', 'US', bits],
    ['0028,0101', 'US', bits],
    ['0028,0102', 'US', bits - 1],
    ['0028,0103', 'US', 0],
    ['7FE0,0010', 'OB', pixels],
  );
}

/** A small CT slice (64 × 64): for recipes that are not about pixels. */
export function smallCT(name: string): Element[] {
  return ctSlice({ name, index: 0, count: 1, size: 64, description: `Recipe ${name}`.slice(0, 64) });
}

const code = (value: string, scheme: string, meaning: string): Item[] => [[['0008,0100', 'SH', value], ['0008,0102', 'SH', scheme], ['0008,0104', 'LO', meaning]]];

/** A text content item. */
export function textItem(concept: string, text: string, relationship = 'CONTAINS'): Item {
  return [
    ['0040,A010', 'CS', relationship],
    ['0040,A040', 'CS', 'TEXT'],
    ['0040,A043', 'SQ', code('121071', 'DCM', concept)],
    ['0040,A160', 'UT', text],
  ];
}

/** A container content item. */
export function containerItem(concept: string, content: readonly Item[]): Item {
  return [
    ['0040,A010', 'CS', 'CONTAINS'],
    ['0040,A040', 'CS', 'CONTAINER'],
    ['0040,A043', 'SQ', code('121070', 'DCM', concept)],
    ['0040,A050', 'CS', 'SEPARATE'],
    ['0040,A730', 'SQ', content],
  ];
}

/** A structured report with the given content items. */
export function report(name: string, content: readonly Item[], sopClassUID: string = sopClasses.comprehensiveSR, patient: Patient = patients[2]!): Element[] {
  return withElements(
    identity(name, sopClassUID, 'SR', patient, 'Structured reports'),
    ['0008,1111', 'SQ', []],
    ['0040,A040', 'CS', 'CONTAINER'],
    ['0040,A043', 'SQ', code('126000', 'DCM', 'Imaging Measurement Report')],
    ['0040,A050', 'CS', 'SEPARATE'],
    ['0040,A372', 'SQ', []],
    ['0040,A491', 'CS', 'COMPLETE'],
    ['0040,A493', 'CS', 'UNVERIFIED'],
    ['0040,A730', 'SQ', content],
  );
}

const findings = [
  'No acute intracranial haemorrhage beyond the known focus in the left occipital lobe.',
  'Ventricles and sulci appropriate for age; no midline shift; basal cisterns are open.',
  'Calcification of the pineal gland, without significance.',
  'Paranasal sinuses and mastoid air cells are clear; no fracture of the calvaria.',
];

/** A report of some 4 KB, as a workstation writes it after a reading. */
export function smallReport(name: string, patient?: Patient): Element[] {
  const items = Array.from({ length: 14 }, (_, index) => containerItem(`Finding ${index + 1}`, [textItem('Finding', findings[index % findings.length]!)]));
  return report(name, items, sopClasses.comprehensiveSR, patient);
}
