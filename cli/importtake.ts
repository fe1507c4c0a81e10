/** `./lazaret import PATH --patient ID`: all that waits of one import is put under one local patient, if it is of one patient. */
import type { Channel } from '@lazaret/system/channel.ts';
import type { IncomingStudy, Replacement } from '@lazaret/pacs/archive/reconciliation/contract.ts';
import { printable } from './audit.ts';
import type { ImportProgress } from './importprogress.ts';
import { dateOf, lineOf, operator } from './patient.ts';

const pollMs = 200;
const shownMax = 20;

/** Resolves with null once all of it is in sight, or with what to tell people: then nothing came into sight that was not before. */
export async function takeAll(channel: Channel, importId: string, patient: Replacement, progress: ImportProgress): Promise<string | null> {
  const ask = (): Promise<IncomingStudy[]> => channel.request('reconcile', { do: 'incoming', import: importId });
  const waiting = (await ask()).filter(({ state }) => state === 'waiting' || state === 'impossible');
  if (waiting.length === 0) return null;
  const patients = Map.groupBy(waiting, ({ received }) => (received.patientID === '' ? `${received.patientName}\n${received.patientBirthDate}` : `${received.patientID}\n${received.issuerOfPatientID}`));
  if (patients.size > 1) return severalOf([...patients.values()]);
  await channel.request('reconcile', { do: 'take', import: importId, choices: waiting.map(({ studyInstanceUID }) => ({ studyInstanceUID, replacement: patient })), ...operator() });
  const all = waiting.reduce((sum, { instances }) => sum + instances, 0);
  const chosen = new Set(waiting.map(({ studyInstanceUID }) => studyInstanceUID));
  for (;;) {
    const studies = (await ask()).filter(({ studyInstanceUID }) => chosen.has(studyInstanceUID));
    const left = studies.filter(({ state }) => state === 'taking');
    progress.taking(all - left.reduce((sum, { instances }) => sum + instances, 0), all);
    if (left.length === 0) return problemsOf(studies);
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

function severalOf(patients: readonly (readonly IncomingStudy[])[]): string {
  const lines = patients.flatMap((studies) => studies.map((study) => `  ${study.studyInstanceUID}  ${lineOf(study.received)} · ${printable(study.received.studyDescription)} ${dateOf(study.received.studyDate)}`));
  const more = lines.length > shownMax ? [`  … and ${lines.length - shownMax} more`] : [];
  return [
    `This medium holds studies of ${patients.length} patients, and --patient puts all of it under one. Nothing of it is in sight. Say of each study whose it is, on the import desk page or here:`,
    '  ./lazaret reconcile STUDY --patient ID --reason TEXT      or, under the identity that it came with:  ./lazaret reconcile STUDY --back --reason TEXT',
    ...lines.slice(0, shownMax), ...more,
  ].join('\n');
}

function problemsOf(studies: readonly IncomingStudy[]): string | null {
  const wrong = studies.filter(({ state }) => state === 'impossible');
  if (wrong.length === 0) return null;
  return [
    'It came in, and cannot be shown under this patient:', ...wrong.slice(0, shownMax).map(({ studyInstanceUID, problem }) => `  ${studyInstanceUID}: ${printable(problem)}`),
    'It stays out of sight until somebody chooses otherwise: ./lazaret reconcile STUDY --back --reason TEXT takes it as it is.',
  ].join('\n');
}
