/** What is written to a sender who is asked for an object again. Pure: terminal and console write the same. */
import type { LedgerEntry } from './contract.ts';

export interface ResendText {
  readonly subject: string;
  readonly body: string;
  /** Opens a mail without an addressee: whoever asks knows whom. */
  readonly mailto: string;
}

const doors: Readonly<Record<LedgerEntry['source']['door'], string>> = { association: 'by DICOM (C-STORE)', stow: 'by DICOMweb (STOW-RS)', media: 'on a medium', terminal: 'by a file import' };
/** A mail program takes some 2,000 characters in an address; UIDs and two sentences are far below. */
const wordsMax = 600;

/**
 * Names neither patient nor description: the sender's own system finds the object by its UIDs, and a mail is read by anybody on its way.
 * `why`: title and meaning of what was found, in plain words (pacs/inspection/verdict.ts).
 */
export function resendText(entry: LedgerEntry, why: readonly { readonly title: string; readonly meaning: string }[]): ResendText {
  const at = `${new Date(entry.receivedAt).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  const from = [entry.source.callingAETitle === '' ? '' : `AE Title ${entry.source.callingAETitle}`, entry.source.peer, entry.source.address].filter((text, index, all) => text !== '' && all.indexOf(text) === index).join(', ');
  const reasons = why.length === 0 ? ['Not all of it could be inspected, so nobody can say that it is harmless.'] : why.slice(0, 3).map(({ title, meaning }) => `${title}. ${meaning}`);
  const subject = `Please send a DICOM object again (${entry.modality === '' ? 'modality unknown' : entry.modality}, received ${at})`;
  const body = [
    'Hello,', '',
    `we received the following object from you ${doors[entry.source.door]} and could not take it into our image archive. Would you please export it anew from your system and send it again, the same way?`, '',
    `Sender: ${from}`, `Received: ${at}`, `Modality: ${entry.modality || 'not known'}`, `Study Instance UID: ${entry.studyInstanceUID || 'not known'}`, `SOP Instance UID: ${entry.sopInstanceUID || 'not known'}`, `SHA-256 of what arrived: ${entry.sha256}`, '',
    'Why it was held:', ...reasons.map((reason) => `- ${reason.slice(0, wordsMax)}`), '',
    ...(entry.verdict === 'malicious' ? ['Please have your IT security look at the system and the medium that it came from before you send anything else.', ''] : []),
    'Please do not attach the images to an answer to this mail.', '',
  ].map((line) => plain(line)).join('\n');
  return { subject: plain(subject), body, mailto: `mailto:?subject=${encodeURIComponent(plain(subject))}&body=${encodeURIComponent(body)}` };
}

/** What came with an object is the sender's: nothing of it may act on a terminal or turn text around. */
function plain(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '');
}
