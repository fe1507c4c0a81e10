/** The local patient that a Patient ID means, from the archive and from the hospital's worklist where there is one. */
import { hostname, userInfo } from 'node:os';
import { refused } from '@lazaret/system/failure.ts';
import type { Channel } from '@lazaret/system/channel.ts';
import type { LocalPatient, PatientIdentity, Replacement } from '@lazaret/pacs/archive/reconciliation/contract.ts';
import type { WorklistAnswer } from '@lazaret/pacs/worklist/contract.ts';
import { printable } from './audit.ts';

const found = 20;

/** Who sits at this terminal. */
export function operator(): { readonly person: string; readonly address: string } {
  return { person: userInfo().username, address: hostname() };
}

/**
 * What is put in place of the foreign values: the patient with this ID, no accession number (a foreign one names another order here). Throws
 * `patient-unknown`, and `patient-ambiguous` where the ID is that of several patients (of several issuers, or with several birth dates).
 */
export async function localPatient(channel: Channel, patientID: string): Promise<Replacement> {
  const known = (await channel.request<LocalPatient[]>('reconcile', { do: 'patients', text: patientID, limit: found })).filter((patient) => patient.patientID === patientID);
  const patients = known.length > 0 ? known : await ofWorklist(channel, patientID);
  const [patient, ...others] = distinct(patients);
  if (patient === undefined) throw refused('patient-unknown', `No patient has the ID ${printable(patientID)} here. Look them up: ./lazaret reconcile --find NAME${known.length === 0 ? ' (or ./lazaret worklist NAME, where a worklist is configured)' : ''}.`);
  if (others.length > 0) {
    const lines = [patient, ...others].map((one) => `  ${lineOf(one)}`);
    throw refused('patient-ambiguous', `The ID ${printable(patientID)} is that of several patients:\n${lines.join('\n')}\nChoose on the import desk page, where each can be seen.`);
  }
  const { patientName, issuerOfPatientID, patientBirthDate, patientSex } = patient;
  return { patientName, patientID, issuerOfPatientID, patientBirthDate, patientSex, accessionNumber: '', studyDescription: '' };
}

/** A site without a worklist has no orders to look in; one that does not answer is said so. */
async function ofWorklist(channel: Channel, patientID: string): Promise<readonly PatientIdentity[]> {
  const answer = await channel.request<WorklistAnswer>('worklist', { patientName: '', patientID, accessionNumber: '', ...operator() });
  if (answer.outcome === 'failed') throw refused('patient-unknown', `No patient has the ID ${printable(patientID)} in the archive, and the worklist could not be asked: ${printable(answer.text)}`);
  return answer.items.filter((item) => item.patientID === patientID);
}

/** By issuer and birth date: a name may have changed, and the newest comes first. */
function distinct(patients: readonly PatientIdentity[]): PatientIdentity[] {
  const one = new Map<string, PatientIdentity>();
  for (const patient of patients) {
    const key = `${patient.issuerOfPatientID}\n${patient.patientBirthDate}`;
    if (!one.has(key)) one.set(key, patient);
  }
  return [...one.values()];
}

export function lineOf(patient: PatientIdentity): string {
  const { patientName, patientID, issuerOfPatientID, patientBirthDate, patientSex } = patient;
  return [printable(patientName) || 'no name', printable(patientID) || 'no Patient ID', issuerOfPatientID === '' ? '' : `issued by ${printable(issuerOfPatientID)}`, dateOf(patientBirthDate), patientSex].filter((text) => text !== '').join(' · ');
}

export function dateOf(date: string): string {
  return /^\d{8}$/.test(date) ? `${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6)}` : printable(date);
}
