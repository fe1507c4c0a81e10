/** Who of those known here may be the patient on the disc, best first; and in what they differ. People choose, nothing here does. */
import type { IncomingStudy, LocalPatient, PatientIdentity, Replacement } from '@lazaret/pacs/archive/reconciliation/contract.ts';
import type { WorklistItem } from '@lazaret/pacs/worklist/contract.ts';
import { dateOf, nameOf, sexOf } from './words.ts';

export interface Candidate {
  readonly key: string;
  readonly from: 'archive' | 'worklist';
  readonly identity: Replacement;
  readonly studies: number;
  readonly lastStudyDate: string;
  /** Of an order: "CT, planned for 3 Feb 2026". */
  readonly order: string;
  readonly score: number;
}

/** Letters as people compare them: no case, no accents, no difference between a space, a hyphen and a caret. */
function bare(text: string): string {
  return text.split('=')[0]!.normalize('NFD').replaceAll(/\p{M}/gu, '').toLowerCase().replaceAll(/[^\p{L}\p{N}]+/gu, ' ').trim();
}
const family = (name: string): string => bare(name.split('^')[0]!);
const words = (name: string): string => bare(name).split(' ').toSorted().join(' ');

/** How well two identities fit: 0 nothing in common; from 7 on name and birth date agree. */
export function fit(one: PatientIdentity, other: PatientIdentity): number {
  let score = 0;
  if (words(one.patientName) !== '' && words(one.patientName) === words(other.patientName)) score += 4;
  else if (family(one.patientName) !== '' && family(one.patientName) === family(other.patientName)) score += 2;
  if (one.patientBirthDate !== '' && other.patientBirthDate !== '') score += one.patientBirthDate === other.patientBirthDate ? 3 : -2;
  // A number of another hospital may be anybody's here.
  if (one.patientID !== '' && one.patientID === other.patientID) score += 2;
  if (one.patientSex !== '' && other.patientSex !== '' && one.patientSex !== other.patientSex) score -= 1;
  return score;
}

export function candidatesOf(received: PatientIdentity, patients: readonly LocalPatient[], orders: readonly WorklistItem[]): Candidate[] {
  const found = new Map<string, Candidate>();
  for (const patient of patients) {
    const { studies, lastStudyDate, ...identity } = patient;
    const key = `a\n${patient.patientID}\n${patient.issuerOfPatientID}\n${patient.patientName}`;
    found.set(key, { key, from: 'archive', identity: { ...only(identity), accessionNumber: '', studyDescription: '' }, studies, lastStudyDate, order: '', score: fit(received, patient) });
  }
  for (const item of orders) {
    const key = `w\n${item.patientID}\n${item.accessionNumber}\n${item.requestedProcedureID}`;
    const order = [item.studyDescription || item.modality, item.scheduledDate === '' ? '' : `planned for ${dateOf(item.scheduledDate)}`, item.accessionNumber === '' ? '' : `order ${item.accessionNumber}`].filter((text) => text !== '').join(', ');
    found.set(key, { key, from: 'worklist', identity: { ...only(item), accessionNumber: item.accessionNumber, studyDescription: item.studyDescription }, studies: 0, lastStudyDate: '', order, score: fit(received, item) });
  }
  return [...found.values()].toSorted((one, other) => other.score - one.score || other.studies - one.studies || one.key.localeCompare(other.key));
}

function only({ patientName, patientID, issuerOfPatientID, patientBirthDate, patientSex }: PatientIdentity): PatientIdentity {
  return { patientName, patientID, issuerOfPatientID, patientBirthDate, patientSex };
}

export interface Difference {
  readonly what: 'Name' | 'Born' | 'Sex' | 'Number';
  readonly there: string;
  readonly here: string;
  readonly verdict: 'same' | 'written differently' | 'different' | 'not on the disc' | 'not known here';
}

/** Line by line, disc and here. */
export function differencesOf(received: PatientIdentity, here: PatientIdentity): Difference[] {
  const line = (what: Difference['what'], one: string, other: string, alike: boolean): Difference => ({
    what, there: one, here: other, verdict: one === other ? 'same' : one === '' ? 'not on the disc' : other === '' ? 'not known here' : alike ? 'written differently' : 'different',
  });
  return [
    line('Name', received.patientName && nameOf(received.patientName), here.patientName && nameOf(here.patientName), words(received.patientName) === words(here.patientName)),
    line('Born', dateOf(received.patientBirthDate) || received.patientBirthDate, dateOf(here.patientBirthDate) || here.patientBirthDate, false),
    line('Sex', sexOf(received.patientSex), sexOf(here.patientSex), false),
    line('Number', received.patientID, here.patientID, false),
  ];
}

/** Words of `text` with whether `other` lacks them: what is to be marked. */
export function marked(text: string, other: string): { readonly text: string; readonly differs: boolean }[] {
  const has = new Set(other.split(/[\s,]+/).map(bare));
  return text.split(/([\s,]+)/).filter((part) => part !== '').map((part) => ({ text: part, differs: /[^\s,]/.test(part) && !has.has(bare(part)) }));
}

/** What would make somebody look twice. A number nearly always differs: it is the other hospital's. */
export function warnings(received: PatientIdentity, here: PatientIdentity): string[] {
  return differencesOf(received, here).filter(({ what, verdict }) => verdict === 'different' && what !== 'Number').map(({ what }) => ({ Name: 'the name', Born: 'the date of birth', Sex: 'the sex', Number: '' })[what]);
}

export interface DiscPatient {
  readonly key: string;
  readonly received: PatientIdentity;
  readonly studies: readonly IncomingStudy[];
}
/** Studies by who is written on them. */
export function patientsOf(studies: readonly IncomingStudy[]): DiscPatient[] {
  const patients = new Map<string, { key: string; received: PatientIdentity; studies: IncomingStudy[] }>();
  for (const study of studies) {
    const { patientName, patientID, issuerOfPatientID, patientBirthDate } = study.received;
    const key = [words(patientName), patientID, issuerOfPatientID, patientBirthDate].join('\n');
    const known = patients.get(key);
    if (known === undefined) patients.set(key, { key, received: study.received, studies: [study] });
    else known.studies.push(study);
  }
  return [...patients.values()];
}

/** What to look for: the family name finds most. */
export function searchesOf({ patientName, patientID, patientBirthDate }: PatientIdentity): { readonly name: string; readonly birthDate: string; readonly id: string } {
  return { name: patientName.split('=')[0]!.split('^')[0]!.trim(), birthDate: /^\d{8}$/.test(patientBirthDate) ? patientBirthDate : '', id: patientID.trim() };
}
