/** What happens at the desk in words that need no training. */
import type { IncomingStudy, PatientIdentity } from '@lazaret/pacs/archive/reconciliation/contract.ts';
import type { ImportStatus } from '@lazaret/pacs/reception/media/contract.ts';
import { counted, whole } from '../words/amounts.ts';
import { personName, plain } from '../words/plain.ts';
import type { Sending } from './sending/sender.ts';

const kinds: Readonly<Record<string, string>> = {
  CT: 'CT', MR: 'MRI', US: 'Ultrasound', CR: 'X-ray', DX: 'X-ray', DR: 'X-ray', RG: 'X-ray', MG: 'Mammography', PT: 'PET', NM: 'Nuclear medicine', XA: 'Angiography', RF: 'Fluoroscopy', ES: 'Endoscopy', XC: 'Photographs', OP: 'Eye photographs', OT: 'Other images',
  SR: 'Report', DOC: 'Document', PR: 'Display settings', KO: 'Marked images', SEG: 'Segmentation', RTSTRUCT: 'Therapy plan', RTPLAN: 'Therapy plan', RTDOSE: 'Therapy plan', ECG: 'ECG', SM: 'Microscopy', IO: 'Dental X-ray', PX: 'Dental X-ray', BMD: 'Bone density',
};
/** What kind of images: "CT", "X-ray". */
export function kindOf(modality: string): string {
  return kinds[modality.toUpperCase()] ?? (plain(modality, 16) || 'Images');
}

/** 20091231 as "31 Dec 2009"; "" where it is no date. */
export function dateOf(date: string): string {
  const [, year = '', month = '', day = ''] = /^(\d{4})(\d{2})(\d{2})$/.exec(date) ?? [];
  const name = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'][Number(month) - 1];
  return name === undefined ? '' : `${Number(day)} ${name} ${year}`;
}
export const sexOf = (sex: string): string => ({ M: 'male', F: 'female', O: 'other' })[sex] ?? '';
export const nameOf = (patientName: string): string => personName(patientName) || 'No name';

/** "born 3 Feb 1961 · female · number 4711", as far as it is known. */
export function detailsOf({ patientBirthDate, patientSex, patientID }: PatientIdentity): string {
  return [patientBirthDate === '' ? '' : `born ${dateOf(patientBirthDate) || plain(patientBirthDate, 16)}`, sexOf(patientSex), patientID === '' ? '' : `number ${plain(patientID, 64)}`].filter((text) => text !== '').join(' · ') || 'nothing else is known';
}
export function titleOf({ received, series }: Pick<IncomingStudy, 'received' | 'series'>): string {
  const kind = [...new Set(series.map(({ modality }) => kindOf(modality)))].join(', ');
  return [kind, plain(received.studyDescription, 120)].filter((text) => text !== '').join(' · ') || 'Examination';
}

export const mediumName = (status: Pick<ImportStatus, 'medium'>): string => plain(status.medium.label, 80) || 'Disc without a name';

/** Files that were looked at to the end. */
export function scannedOf({ done, waiting }: ImportStatus): number {
  return Math.max(0, done - waiting);
}

/** "about 20 s", "about 3 min": what people need to know, not more. */
export function remaining(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) return '';
  if (seconds < 10) return 'a few seconds left';
  if (seconds < 90) return `about ${Math.ceil(seconds / 10) * 10} s left`;
  if (seconds < 5_400) return `about ${Math.ceil(seconds / 60)} min left`;
  return `about ${Math.round(seconds / 3_600)} h left`;
}

export function stateOf(status: ImportStatus): string {
  switch (status.state) {
    case 'asked': return 'Waiting for its turn';
    case 'reading': return 'Being read and scanned';
    case 'inspecting': return 'Being scanned';
    case 'settled': return (status.fates.unreached ?? 0) > 0 ? 'Not read to its end' : status.archived + status.held + status.waiting === 0 ? 'No images found' : 'Scanned';
    case 'interrupted': return 'Stopped: the rest has not been sent';
    case 'failed': return 'Could not be read';
  }
}

/** "6 images came in, 1 is held back, 4 other files stay on the disc" */
export function summaryOf(status: ImportStatus): string {
  const left = (status.fates.left ?? 0) + (status.fates.directory ?? 0) + (status.fates.unscanned ?? 0);
  const bad = (status.fates.unreadable ?? 0) + (status.fates.refused ?? 0);
  const unreached = status.fates.unreached ?? 0;
  const parts = [status.archived + status.held === 0 ? (unreached > 0 ? 'No image came in' : 'No images on it') : `${counted(status.archived, 'clean image')}${beforeWords(status)}`];
  if (status.held > 0) parts.push(`${status.held} held back`);
  if ((status.fates.infected ?? 0) > 0) parts.push(`${counted(status.fates.infected ?? 0, 'infected file')} kept out`);
  if (bad > 0) parts.push(`${counted(bad, 'file')} could not be read`);
  if (unreached > 0) parts.push(`${counted(unreached, 'file')} not read: the import was stopped`);
  if (left > 0) parts.push(`${counted(left, 'other file')} ${left === 1 ? 'stays' : 'stay'} on the disc`);
  return parts.join(' · ');
}

/** Of a disc that is given again. What was here is not always archived. */
function beforeWords({ archived, fates }: ImportStatus): string {
  const before = fates.duplicate ?? 0;
  return before === 0 || archived === 0 ? '' : before >= archived ? ', here before' : `, ${whole(before)} of them here before`;
}

/** What is packed on a disc stays packed. */
export const isPacked = ({ path, what }: { readonly path: string; readonly what: string }): boolean => /\.zip$/i.test(path) && what.startsWith('ZIP');
export const packedWords = 'A ZIP file is on it: images inside do not come in with the disc. Press “Choose file” at the desk and give that file by itself.';

/** Files that were not reached: nothing is wrong with the disc. */
export const unreachedWords = 'The import was stopped before these files were read. Import the disc again to bring them in; what is here already is known then.';

/** What becomes of what had been sent before somebody stopped it. Without an import nothing reads it, and the server removes it. */
export function cancelledWords(sending: Pick<Sending, 'import' | 'sentFiles' | 'files'>): string {
  if (sending.import === '') return 'Cancelled. Nothing of it is kept.';
  // The server may not have answered how much it was.
  if (sending.sentFiles === 0) return 'Cancelled. What had been sent is scanned, and stays out of sight.';
  return `Cancelled. ${whole(sending.sentFiles)} of ${whole(sending.files)} files had been sent; they are scanned, and stay out of sight.`;
}
