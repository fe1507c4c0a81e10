/** The patients that this archive knows, looked up by what people have at hand. Only reads, and only what indexes give. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { prepareAll } from '../../quarantine/database.ts';
import type { JSONDataSet } from '../metadata.ts';
import { foldText, nameKinds } from '../names.ts';
import type { LocalPatient } from './contract.ts';
import { textOf } from './incoming.ts';

/** Studies looked at of each kind of match: of a common name the newest so many (some 20 ms). */
const candidatesMax = 1_000;
/** Entries of names gone through for those: of a name that is commoner, the given name beside it finds who is meant. */
const namesMax = 10_000;
/** A list that people look through. */
export const patientsMax = 100;
const wordsMax = 6;

interface Candidate {
  readonly studyKey: number;
  readonly studyDate: string;
  readonly patientID: string;
  readonly patientName: string;
  readonly patientBirthDate: string;
  readonly issuer: string;
}

/** The same Patient ID of two issuers is that of two patients. */
const issuer = `coalesce((SELECT json_extract(attributes, '$."00100021".Value[0]') FROM studyAttributes WHERE studyAttributes.studyKey = studies.studyKey), '')`;
const columns = `studies.studyKey, studyDate, patientID, patientName, patientBirthDate, ${issuer} AS issuer`;
const texts = {
  byID: `SELECT ${columns} FROM studies INDEXED BY studiesByPatientID WHERE patientID = ? ORDER BY studyDate DESC LIMIT ${candidatesMax}`,
  byIDBeginning: `SELECT ${columns} FROM studies INDEXED BY studiesByPatientID WHERE patientID > ?1 AND patientID < ?1 || char(1114111) LIMIT ${candidatesMax}`,
  byAccessionNumber: `SELECT ${columns} FROM studies INDEXED BY studiesByAccessionNumber WHERE accessionNumber = ? LIMIT ${candidatesMax}`,
  byBirthDate: `SELECT ${columns} FROM (SELECT studyKey FROM studies INDEXED BY studiesByBirthDate WHERE patientBirthDate = ? ORDER BY studyDate DESC LIMIT ${candidatesMax}) CROSS JOIN studies USING (studyKey)`,
  // The newest rows: keys rise with time.
  byName: `SELECT ${columns} FROM (SELECT DISTINCT studyKey FROM (SELECT studyKey FROM studyNames WHERE nameKind = ${nameKinds['patientName']} AND name >= ?1 AND name < ?1 || char(1114111) LIMIT ${namesMax}) ORDER BY studyKey DESC LIMIT ${candidatesMax}) CROSS JOIN studies USING (studyKey)`,
  countNames: `SELECT count(*) AS names FROM (SELECT 1 FROM studyNames WHERE nameKind = ${nameKinds['patientName']} AND name >= ?1 AND name < ?1 || char(1114111) LIMIT ${namesMax})`,
  attributes: 'SELECT attributes FROM studyAttributes WHERE studyKey = ?',
  ofPatient: `SELECT count(*) AS studies, max(studyDate) AS last FROM studies INDEXED BY studiesByPatientID WHERE patientID = ? AND ${issuer} = ?`,
} as const;

export class Patients {
  readonly #run: Readonly<Record<keyof typeof texts, StatementSync>>;

  constructor(database: DatabaseSync) {
    this.#run = prepareAll(database, texts);
  }

  /**
   * By name (beginnings of its words, folded like searches do), Patient ID (or its beginning), accession number or birth date. Who has the newest study comes
   * first, an exact Patient ID before all. Patients without a Patient ID are none that something could be put under.
   */
  find(text: string, limit: number): LocalPatient[] {
    const wanted = text.trim();
    if (wanted === '') return [];
    const newest = new Map<string, Candidate>();
    for (const candidate of this.#candidates(wanted)) {
      if (candidate.patientID === '') continue;
      const key = JSON.stringify([candidate.patientID, candidate.patientName, candidate.patientBirthDate, candidate.issuer]);
      const known = newest.get(key);
      if (known === undefined || candidate.studyDate > known.studyDate || (candidate.studyDate === known.studyDate && candidate.studyKey > known.studyKey)) newest.set(key, candidate);
    }
    const exact = (candidate: Candidate): number => (candidate.patientID === wanted ? 0 : 1);
    const sorted = [...newest.values()].toSorted((one, other) => exact(one) - exact(other) || (other.studyDate < one.studyDate ? -1 : other.studyDate > one.studyDate ? 1 : other.studyKey - one.studyKey));
    const found = new Map<string, LocalPatient>();
    for (const candidate of sorted) {
      if (found.size >= Math.min(limit, patientsMax)) break;
      const patient = this.#patientOf(candidate);
      // The same patient under an earlier name is the same patient; without a birth date on both it might not be.
      const key = patient.patientBirthDate === '' ? JSON.stringify(patient) : JSON.stringify([patient.patientID, patient.issuerOfPatientID, patient.patientBirthDate]);
      if (!found.has(key)) found.set(key, patient);
    }
    return [...found.values()];
  }

  #candidates(text: string): Candidate[] {
    const found = [...this.#all('byID', text), ...this.#all('byAccessionNumber', text)];
    if (text.length >= 2) found.push(...this.#all('byIDBeginning', text));
    const date = birthDateOf(text);
    if (date !== null) found.push(...this.#all('byBirthDate', date));
    const words = foldText(text.replaceAll(/[,*?=^]/g, ' ')).split(' ').filter((word) => word !== '').slice(0, wordsMax);
    if (words.length > 0 && date === null) {
      const fits = ({ patientName }: Candidate): boolean => words.every((word) => patientName.includes(`=${word}`) || patientName.includes(` ${word}`));
      // As it is kept ("family given"), and else through the word that the fewest have.
      found.push(...this.#all('byName', words.join(' ')).filter(fits));
      if (words.length > 1) {
        const counted = words.map((word) => ({ word, names: (this.#run.countNames.get(word) as { names: number }).names }));
        found.push(...this.#all('byName', counted.toSorted((one, other) => one.names - other.names)[0]!.word).filter(fits));
      }
    }
    return found;
  }

  #all(query: 'byID' | 'byIDBeginning' | 'byAccessionNumber' | 'byBirthDate' | 'byName', text: string): Candidate[] {
    return this.#run[query].all(text) as unknown as Candidate[];
  }

  #patientOf({ studyKey, patientID, issuer: ofIssuer }: Candidate): LocalPatient {
    const dataSet = JSON.parse((this.#run.attributes.get(studyKey) as { attributes: string }).attributes) as JSONDataSet;
    const { studies, last } = this.#run.ofPatient.get(patientID, ofIssuer) as { studies: number; last: string };
    return {
      patientName: textOf(dataSet, '00100010'), patientID: textOf(dataSet, '00100020'), issuerOfPatientID: textOf(dataSet, '00100021'), patientBirthDate: /^\d{8}$/.test(textOf(dataSet, '00100030')) ? textOf(dataSet, '00100030') : '',
      patientSex: /^[MFO]$/.test(textOf(dataSet, '00100040')) ? textOf(dataSet, '00100040') : '', studies, lastStudyDate: last,
    };
  }
}

/** A day as people write it: 19700131, 1970-01-31, 31.01.1970, 31/1/1970. Null for what is none. */
function birthDateOf(text: string): string | null {
  const whole = /^(\d{4})[-./]?(\d{2})[-./]?(\d{2})$/.exec(text);
  if (whole !== null && Number(whole[2]) >= 1 && Number(whole[2]) <= 12 && Number(whole[3]) <= 31) return `${whole[1]}${whole[2]}${whole[3]}`;
  const european = /^(\d{1,2})[./-](\d{1,2})[./-](\d{4})$/.exec(text);
  return european === null ? null : `${european[3]}${european[2]!.padStart(2, '0')}${european[1]!.padStart(2, '0')}`;
}
