/** How fast searches, and the import desk's look-up of patients, are in an index of many invented studies. `node pacs/archive/search.bench.ts 1000000 [FILE]` or `benchSearch` from elsewhere. */
import { mkdtempSync, existsSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { parseQuery } from '@lazaret/dicom/web/query.ts';
import { lookupAttribute } from './lookup.ts';
import { beginningsOf, foldName } from './names.ts';
import { Patients } from './reconciliation/patients.ts';
import { makeIndex } from './sample.ts';
import { searchIn } from './search.ts';

const familyNames = ['Smith', 'Müller', 'Garcia', 'Nguyen', 'Kowalski', 'Rossi', 'Ivanova', 'Hansen', 'Okafor', 'Yilmaz', 'Silva', 'Dubois', 'Novak', 'Andersson', 'Khan'];
const givenNames = ['Anna', 'Peter', 'Maria', 'John', 'Fatima', 'Jürgen', 'Linh', 'Olga', 'Pedro', 'Chidi', 'Emma', 'Noah', 'Zoe', 'Ahmed'];
const syllables = ['ba', 'ke', 'lo', 'mi', 'nu', 'ra', 'se', 'to', 'vi', 'wu', 'ya', 'ze', 'dor', 'gan', 'hel'];
const descriptions = ['Head routine', 'Thorax a.p.', 'Abdomen with contrast', 'Knee left', 'Spine lumbar', 'Mammography screening', 'Follow-up lung', 'Angiography'];
const modalities = ['CT', 'CT', 'CT', 'CR', 'CR', 'DX', 'DX', 'MR', 'MR', 'US', 'US', 'MG', 'XA', 'PT', 'NM'];

/** A small generator with a seed: the same index each time. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const two = (value: number): string => String(value).padStart(2, '0');

/** Fills an index. Past the writer of the archive: one statement a row, no objects. A third of the names is common, the others are rare. */
export function fillIndex(database: DatabaseSync, studies: number): void {
  const random = generator(7);
  const study = database.prepare(`INSERT INTO studies (studyKey, studyInstanceUID, studyDate, studyTime, accessionNumber, referringPhysicianName, patientName, patientID, patientBirthDate, patientSex, studyID, studyDescription,
    modalitiesInStudy, numberOfSeries, numberOfInstances, archivedAt) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, 1, 0)`);
  const shown = database.prepare('INSERT INTO studyAttributes VALUES (?, ?)');
  const names = database.prepare('INSERT INTO studyNames (nameKind, name, studyKey) VALUES (?, ?, ?)');
  const texts = database.prepare('INSERT INTO studyTexts (rowid, patientName, patientID, accessionNumber, referringPhysicianName, studyID, studyDescription) VALUES (?, ?, ?, ?, ?, ?, ?)');
  const modality = database.prepare('INSERT INTO studyModalities (modality, studyDate, studyKey, numberOfSeries) VALUES (?, ?, ?, 1)');
  const series = database.prepare(`INSERT INTO series (seriesKey, studyKey, seriesInstanceUID, modality, seriesNumber, seriesDescription, bodyPartExamined, performedProcedureStepStartDate, performedProcedureStepStartTime, numberOfInstances, attributes, archivedAt)
    VALUES (?, ?, ?, ?, 1, '', '', ?, ?, 1, '{}', 0)`);
  const instance = database.prepare(`INSERT INTO instances (instanceKey, seriesKey, sopInstanceUID, sopClassUID, transferSyntaxUID, objectId, digest, bytes, epochKey, disarmed, archivedAt) VALUES (?, ?, ?, '1.2.840.10008.5.1.4.1.1.2', '1.2.840.10008.1.2.1', '', ?, 1, 1, 0, 0)`);
  const pick = <Value>(from: readonly Value[]): Value => from[random(from.length)]!;
  const rare = (): string => `${pick(syllables)}${pick(syllables)}${pick(syllables)}${pick(syllables)}`;
  database.exec('BEGIN');
  database.exec("INSERT INTO epochs VALUES (1, 'bench')");
  for (let key = 1; key <= studies; key += 1) {
    const patient = random(Math.ceil(studies / 3));
    const inPatient = generator(patient);
    const family = inPatient(3) === 0 ? familyNames[inPatient(familyNames.length)]! : rare();
    const name = `${family}^${givenNames[inPatient(givenNames.length)]!}`;
    const date = `${2006 + random(20)}${two(1 + random(12))}${two(1 + random(28))}`;
    const time = `${two(7 + random(12))}${two(random(60))}${two(random(60))}.000000`;
    const birth = `${1930 + inPatient(90)}${two(1 + inPatient(12))}${two(1 + inPatient(28))}`;
    const referrer = `${familyNames[random(familyNames.length)]!}^${pick(givenNames)}`;
    const [accession, id, description, kind] = [`A${String(key * 7).padStart(10, '0')}`, `PID${String(patient).padStart(7, '0')}`, pick(descriptions), pick(modalities)];
    const attributes = JSON.stringify({ '00080020': { vr: 'DA', Value: [date] }, '00080030': { vr: 'TM', Value: [time] }, '00080050': { vr: 'SH', Value: [accession] }, '00080090': { vr: 'PN', Value: [{ Alphabetic: referrer }] }, '00081030': { vr: 'LO', Value: [description] }, '00100010': { vr: 'PN', Value: [{ Alphabetic: name }] }, '00100020': { vr: 'LO', Value: [id] }, '00100030': { vr: 'DA', Value: [birth] }, '00100040': { vr: 'CS', Value: ['F'] }, '00200010': { vr: 'SH', Value: [String(key)] } });
    study.run(key, `2.25.1000.${key}`, date, time, accession, foldName([referrer]), foldName([name]), id, birth, inPatient(2) === 0 ? 'F' : 'M', String(key), description, `\\${kind}\\`);
    shown.run(key, attributes);
    for (const beginning of beginningsOf(foldName([name]))) names.run(1, beginning, key);
    for (const beginning of beginningsOf(foldName([referrer]))) names.run(2, beginning, key);
    texts.run(key, foldName([name]), id, accession, foldName([referrer]), String(key), description);
    modality.run(kind, date, key);
    series.run(key, key, `2.25.2000.${key}`, kind, date, time);
    instance.run(key, key, `2.25.3000.${key}`, String(key));
  }
  database.exec('COMMIT');
}

export interface BenchRow { readonly search: string; readonly results: number; readonly p50Ms: number; readonly p95Ms: number; readonly cpuMs: number }

/** Times searches of each supported key, each several times with other values. On a busy machine the mean CPU time tells more. */
export function benchSearch(database: DatabaseSync, studies: number, rounds = 25): BenchRow[] {
  const { search } = searchIn(database);
  const random = generator(99);
  const pick = <Value>(from: readonly Value[]): Value => from[random(from.length)]!;
  const key = (): number => 1 + random(studies);
  const day = (): string => `${2006 + random(20)}${String(1 + random(12)).padStart(2, '0')}${String(1 + random(28)).padStart(2, '0')}`;
  const kinds: Readonly<Record<string, () => string>> = {
    'no key': () => 'limit=100', 'offset 1000': () => 'limit=100&offset=1000',
    'StudyInstanceUID': () => `StudyInstanceUID=2.25.1000.${key()}`, 'AccessionNumber': () => `AccessionNumber=A${String(key() * 7).padStart(10, '0')}`, 'AccessionNumber *part*': () => `AccessionNumber=*${String(key() * 7).padStart(7, '0')}*`,
    'PatientID': () => `PatientID=PID${String(random(studies / 3)).padStart(7, '0')}`, 'PatientID prefix*': () => `PatientID=PID${String(random(studies / 3)).padStart(7, '0').slice(0, 5)}*`, 'StudyID': () => `StudyID=${key()}`,
    'PatientName common': () => `PatientName=${pick(familyNames)}*&limit=100`, 'PatientName *common*': () => `PatientName=*${pick(givenNames)}*&limit=100`, 'PatientName whole': () => `PatientName=${pick(familyNames)}^${pick(givenNames)}&limit=100`,
    'PatientName rare': () => `PatientName=*${pick(syllables)}${pick(syllables)}${pick(syllables)}${pick(syllables)}*&limit=100`, 'PatientName fuzzy': () => `PatientName=${pick(givenNames).slice(0, 3)} ${pick(familyNames).slice(0, 4)}&fuzzymatching=true&limit=100`,
    'PatientName nobody': () => 'PatientName=*xqzwv*', 'PatientName *ab*': () => `PatientName=*${pick(syllables)}*&limit=100`,
    'PatientName and day': () => `PatientName=*${pick(familyNames)}*&StudyDate=${day()}`, 'PatientName, modality, year': () => `PatientName=${pick(familyNames)}*&ModalitiesInStudy=NM&StudyDate=20200101-20201231&limit=100`,
    'ReferringPhysicianName': () => `ReferringPhysicianName=${pick(familyNames)}^${pick(givenNames)}&limit=100`, 'StudyDescription *part*': () => `StudyDescription=*${pick(['lung', 'Knee', 'contrast'])}*&limit=100`,
    'StudyDate day': () => `StudyDate=${day()}&limit=100`, 'StudyDate range': () => `StudyDate=20100101-20151231&limit=100`, 'StudyTime': () => `StudyTime=1015-1016&limit=100`, 'StudyTime and modality': () => 'StudyTime=1000-1100&ModalitiesInStudy=PT&limit=100',
    'ModalitiesInStudy': () => `ModalitiesInStudy=${pick(modalities)}&limit=100`, 'ModalitiesInStudy list': () => 'ModalitiesInStudy=NM,PT,XA&limit=100', 'ModalitiesInStudy nobody': () => 'ModalitiesInStudy=ES&limit=100',
    'PatientBirthDate': () => `PatientBirthDate=${1930 + random(90)}0315`, 'PatientSex and modality': () => 'PatientSex=F&ModalitiesInStudy=MG&limit=100',
  };
  return timed(kinds, rounds, (text) => {
    const { query, problems } = parseQuery(new URLSearchParams(text), lookupAttribute);
    if (query === null) throw new Error(JSON.stringify(problems));
    return search('study', {}, query).results.length;
  });
}

/** Times what is looked up at the import desk: the patients of this archive, as people ask for them. */
export function benchPatients(database: DatabaseSync, studies: number, rounds = 25): BenchRow[] {
  const patients = new Patients(database);
  const random = generator(17);
  const pick = <Value>(from: readonly Value[]): Value => from[random(from.length)]!;
  const id = (): string => `PID${String(random(Math.ceil(studies / 3))).padStart(7, '0')}`;
  const kinds: Readonly<Record<string, () => string>> = {
    'common family name': () => pick(familyNames), 'common given name': () => pick(givenNames), 'family and given': () => `${pick(familyNames)} ${pick(givenNames)}`, 'given and family': () => `${pick(givenNames)}, ${pick(familyNames)}`,
    'beginning of a name': () => pick(familyNames).slice(0, 3), 'two letters': () => pick(syllables).slice(0, 2), 'rare name': () => `${pick(syllables)}${pick(syllables)}${pick(syllables)}${pick(syllables)}`, 'nobody': () => 'xqzwv',
    'Patient ID': id, 'Patient ID beginning': () => id().slice(0, 6), 'accession number': () => `A${String((1 + random(studies)) * 7).padStart(10, '0')}`, 'birth date': () => `${1 + random(28)}.${1 + random(12)}.${1930 + random(90)}`,
  };
  return timed(kinds, rounds, (text) => patients.find(text, deskPatients).length);
}
/** As many as the desk page asks for. */
const deskPatients = 20;

function timed(kinds: Readonly<Record<string, () => string>>, rounds: number, run: (text: string) => number): BenchRow[] {
  return Object.entries(kinds).map(([name, make]) => {
    let results = 0;
    let cpuMs = 0;
    const times: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const text = make();
      const start = performance.now();
      const cpuStart = process.cpuUsage();
      results += run(text);
      times.push(performance.now() - start);
      const cpu = process.cpuUsage(cpuStart);
      cpuMs += (cpu.user + cpu.system) / 1000 / rounds;
    }
    times.sort((a, b) => a - b);
    const at = (share: number): number => Math.round(times[Math.min(times.length - 1, Math.floor(times.length * share))]! * 100) / 100;
    return { search: name, results: Math.round(results / rounds), p50Ms: at(0.5), p95Ms: at(0.95), cpuMs: Math.round(cpuMs * 100) / 100 };
  });
}

if (import.meta.main) {
  const studies = Number(process.argv[2] ?? 100_000);
  const folder = mkdtempSync(join(tmpdir(), 'lazaret-bench-'));
  const path = process.argv[3] ?? join(folder, 'index.sqlite');
  if (!existsSync(path)) {
    const start = performance.now();
    const writer = makeIndex(path);
    writer.exec('PRAGMA synchronous = OFF; PRAGMA cache_size = -262144');
    fillIndex(writer, studies);
    writer.close();
    process.stdout.write(`${studies} studies in ${Math.round((performance.now() - start) / 1000)} s\n`);
  }
  const reader = new DatabaseSync(path, { readOnly: true });
  for (const row of [...benchSearch(reader, studies), ...benchPatients(reader, studies).map((each) => ({ ...each, search: `patients: ${each.search}` }))]) process.stdout.write(`${row.search.padEnd(30)} ${String(row.results).padStart(6)} results  p50 ${String(row.p50Ms).padStart(8)} ms  p95 ${String(row.p95Ms).padStart(8)} ms  cpu ${String(row.cpuMs).padStart(8)} ms\n`);
  reader.close();
  rmSync(folder, { recursive: true });
}
