/**
 * The one table from findings to verdicts. Every code that anything can report has a row; a code without one is `unscannable`, because
 * only `clean` is clean (promise 2). People read the same rows: what it is, what it means for the patient, what to do.
 */
import { problemKinds, type ProblemGrade } from '@lazaret/dicom/filemap/problems.ts';
import type { Finding, Verdict } from '../quarantine/contract.ts';

export interface VerdictRow {
  readonly verdict: Verdict;
  readonly title: string;
  /** For people, and for patient care. */
  readonly meaning: string;
  readonly advice: string;
}

const security = 'Do not release it. Tell the IT security officer which source it came from and look at what else came with it; ask the sender for a clean copy.';
const resend = 'Ask the sender to send it again, or to export it anew. If it is urgent, have a reviewer look at it in the quarantine and release it with a reason.';
const administrator = 'This is not about the image. Have the administrator mend the cause (see lazaret doctor); the object can then be inspected again.';
const review = 'Have a reviewer look at it in the quarantine: release it with a reason when it is what it should be, or ask the sender for it in another form.';

const hidden = 'There is something in the object that no image or report needs, and that could harm the computers it reaches. Whether the image itself is usable is not the question: it must not get in.';
const damaged = 'The object is damaged or was written wrongly: programs could show it differently or not at all, so a diagnosis must not rest on it unseen.';
const unseen = 'Not all of the object could be looked into, so nobody can say that it is harmless. The image may be perfectly good.';

type Row = readonly [verdict: Verdict, title: string, meaning: string, advice: string];

// prettier-ignore
const rows: Readonly<Record<string, Row>> = {
  // Content rules and engines: harmful
  'malware-signature':           ['malicious', 'Known malicious software', 'An engine recognises malicious software in it.', security],
  'executable-start':            ['malicious', 'The file is also a program', `The file begins as a program does and could be started. ${hidden}`, security],
  'executable-content':          ['malicious', 'A program is inside', hidden, security],
  'script-content':              ['malicious', 'A script is inside', hidden, security],
  'shortcut-content':            ['malicious', 'A shortcut or autorun instruction is inside', hidden, security],
  'polyglot-content':            ['malicious', 'The file is also something else', `Other programs would take the file for a page, a document or a container. ${hidden}`, security],
  'document-launches':           ['malicious', 'The document starts a program', 'Opening the document could start a program on the reader\'s computer.', security],
  'document-disguised':          ['malicious', 'The document is not what it says', 'The document is of another kind than declared: what opens it may be misled.', security],
  // Content rules: damaged
  'object-unrecognised':         ['malformed', 'Not a DICOM object', 'This is no DICOM object at all: it has no place in an image archive.', 'Nothing to do if it lies beside the images on a medium. Otherwise ask the sender what it is.'],
  'pixels-too-short':            ['malformed', 'Pixels are missing', 'The image has fewer pixels than it says: part of it may be cut off.', resend],
  'pixels-too-long':             ['malformed', 'More pixels than the image shows', 'There is room behind the image that no viewer shows. It may be a writer\'s mistake.', resend],
  'pixel-attributes-missing':    ['malformed', 'The image does not say how large it is', damaged, resend],
  'pixel-attributes-invalid':    ['malformed', 'The description of the pixels is wrong', damaged, resend],
  'table-length-wrong':          ['malformed', 'A colour or lookup table is wrong', 'Colours or grey levels may be shown wrongly.', resend],
  'overlay-length-wrong':        ['malformed', 'An overlay is wrong', 'Graphics over the image may be shown wrongly.', resend],
  'profile-invalid':             ['malformed', 'A colour profile is wrong', 'Colours may be shown wrongly.', resend],
  'signal-length-wrong':         ['malformed', 'A waveform, spectrum or curve is wrong', 'A waveform, spectrum or curve may be shown wrongly or cut off.', resend],
  'extended-offset-table-wrong': ['malformed', 'The table of frames is wrong', 'Frames may be shown in the wrong order or not at all.', resend],
  'fragments-unaccounted':       ['malformed', 'Frames cannot be told apart', 'Frames may be shown in the wrong order or not at all.', resend],
  'codestream-invalid':          ['malformed', 'Compressed pixels are not what they say', damaged, resend],
  'codestream-extra':            ['malformed', 'Compressed pixels hold more than pixels', 'Within or behind the compressed pixels there is room that no viewer shows, more than any writer of images needs. It may be a peculiarity of the writer, or a hiding place.', review],
  'value-invalid':               ['malformed', 'A number, date, time or UID is none', damaged, resend],
  'directory-invalid':           ['malformed', 'The directory of the medium is wrong', 'The directory (DICOMDIR) points to places where nothing of the medium is. Lazaret never follows it; other programs might.', 'Import the images of the medium without its directory.'],
  'private-residue':             ['malformed', 'A vendor\'s record holds more than it says', `A private record has bytes that nothing in it explains. ${damaged}`, review],
  'private-invalid':             ['malformed', 'A vendor\'s record contradicts itself', `Lengths, checksums or the text of a private record do not agree with each other. ${damaged}`, review],
  'identity-missing':            ['malformed', 'The object does not say what it is', 'Without its UIDs it cannot be filed with the right study.', resend],
  'identity-disagreement':       ['malformed', 'Two names for one object', 'The object, its envelope or the sender name different objects: it could be filed under the wrong one.', resend],
  'trailing-excess':             ['malformed', 'Much follows the Data Set', 'More bytes follow the image than any writer leaves by accident.', review],
  'meta-excess':                 ['malformed', 'Much stands before the Data Set', 'More bytes stand before the image than any writer puts there.', review],
  'digest-mismatch':             ['malformed', 'The bytes changed while they were kept', 'What is on disk is not what was received. The image may be damaged.', 'Ask the sender to send it again, and have the administrator look at the disk.'],
  'instance-conflict':           ['malformed', 'Another object with the same name is archived', 'The archive holds an object with the same SOP Instance UID and other bytes. One of them may be a correction, or an attempt to replace an image.', 'Compare both, ask the sender which one is right, then release or destroy this one with a reason.'],
  // Not everything could be seen
  'container-content':           ['unscannable', 'A container is inside', `It holds a container (ZIP, RAR, …) with files in it. ${unseen}`, review],
  'document-content':            ['unscannable', 'A document is inside', `It holds an office or PDF document where none belongs. ${unseen}`, review],
  'document-active':             ['unscannable', 'The document has active parts', 'The document contains scripts, forms that send data, or files within it. The text may be perfectly good.', 'Ask the sender for the document without active parts, or have a reviewer read it in the quarantine.'],
  'document-unscannable':        ['unscannable', 'The document cannot be looked through', unseen, review],
  'private-oversized':           ['unscannable', 'A vendor\'s record is larger than any', `A private record is far larger than its vendor writes it. ${unseen}`, review],
  'container-unscannable':       ['unscannable', 'A container cannot be looked through', `It is damaged, encrypted, or written so that programs unpack it in different ways. ${unseen}`, review],
  'part-unaccounted':            ['unscannable', 'Bytes inside belong to nothing', `A document or container in it holds bytes that none of its rules explains: a place to hide something. ${unseen}`, review],
  'part-limit':                  ['unscannable', 'More is packed into it than is looked at', unseen, review],
  'codestream-unwalked':         ['unscannable', 'Compressed pixels cannot be followed', `The compressed pixels are in a form that is not followed to its end here. ${unseen}`, review],
  'pixels-elsewhere':            ['unscannable', 'The pixels are not in the object', 'The object names a place to fetch the pixels from. Lazaret never fetches; the image cannot be inspected.', 'Ask the sender for the object with its pixels.'],
  'engine-missing':              ['unscannable', 'An engine is missing', unseen, administrator],
  'engine-failed':               ['unscannable', 'An engine failed', unseen, administrator],
  'engine-timed-out':            ['unscannable', 'An engine took too long', unseen, administrator],
  'engine-limit':                ['unscannable', 'Too large for an engine', unseen, administrator],
  'engine-outdated':             ['unscannable', 'Signatures are too old', unseen, administrator],
  'frame-undecodable':           ['malformed', 'A frame cannot be decoded', damaged, resend],
  'decoder-crashed':             ['unscannable', 'Decoding ended unexpectedly', `The process that decoded a frame ended. ${unseen}`, review],
  'decoder-timed-out':           ['unscannable', 'Decoding took too long', `Decoding a frame took longer than one of its size should. ${unseen}`, review],
  'decoder-memory':              ['unscannable', 'Decoding took too much memory', `Decoding a frame took more memory than it should. ${unseen}`, review],
  'decoder-limit':               ['unscannable', 'A frame is too large to decode', unseen, review],
  'examiner-crashed':            ['unscannable', 'The inspection ended unexpectedly', `The process that read the object ended. ${unseen}`, review],
  'examiner-timed-out':          ['unscannable', 'The inspection took too long', `Reading the object took longer than an object of its size should. ${unseen}`, review],
  'examiner-memory':             ['unscannable', 'The inspection took too much memory', `Reading the object took more memory than it should. ${unseen}`, review],
  'examiner-report':             ['unscannable', 'The inspection gave a wrong answer', `The report about the object did not hold when it was checked. ${unseen}`, review],
  'conclusion-invalid':          ['unscannable', 'The inspection gave a wrong answer', `What was said about the object could not be taken. ${unseen}`, administrator],
  'instance-missing':            ['unscannable', 'The inspection did not name the object', `The inspection found nothing wrong, but not which instance this is, so it cannot be filed. ${unseen}`, review],
  'index-failed':                ['unscannable', 'The archive could not file it', 'The inspection is done, but the object could not be entered in the archive\'s index. The image may be perfectly good.', administrator],
  'metadata-invalid':            ['unscannable', 'The archive could not file it', 'What was read of the object is not what the archive\'s index can take. The image may be perfectly good.', review],
  'file-missing':                ['unscannable', 'The file is gone from the disk', 'The object was received but its file is not where it was kept. It cannot be shown.', 'Ask the sender to send it again, and have the administrator look at the disk.'],
  'object-unreadable':           ['unscannable', 'The file cannot be read', unseen, administrator],
};

const ofGrade: Readonly<Record<ProblemGrade, Row>> = {
  note: ['clean', '', 'A peculiarity without effect.', 'Nothing.'],
  fault: ['malformed', '', damaged, resend],
  limit: ['unscannable', '', `${unseen} It is larger or deeper than objects of its kind are.`, review],
};

/** Some problems of the encoding mean more than their grade says. */
const special: Readonly<Record<string, Row>> = {
  'not-dicom': rows['object-unrecognised']!,
  'object-empty': rows['object-unrecognised']!,
  'transfer-syntax-unknown': ['unscannable', 'Unknown Transfer Syntax', `The object is written in a way that the standard does not know, perhaps a vendor's own. ${unseen}`, 'Ask the sender for the object in a Transfer Syntax of the standard.'],
};

function rowFrom([verdict, title, meaning, advice]: Row): VerdictRow {
  return { verdict, title, meaning, advice };
}

/** Every code with its row. docs and console print it. */
export const verdictTable: ReadonlyMap<string, VerdictRow> = new Map([
  ...[...problemKinds].map(([code, { grade, text }]): [string, VerdictRow] => {
    const row = rowFrom(special[code] ?? ofGrade[grade]);
    return [code, row.title === '' ? { ...row, title: text.replace(/\.$/, '') } : row];
  }),
  ...Object.entries(rows).map(([code, row]): [string, VerdictRow] => [code, rowFrom(row)]),
]);

const unknown: VerdictRow = { verdict: 'unscannable', title: 'Something unknown was found', meaning: unseen, advice: review };

/** The row of a code; for one that the table does not know, a row that holds. */
export function verdictRow(code: string): VerdictRow {
  return verdictTable.get(code) ?? unknown;
}

/** From worst to best: one malicious finding makes the object malicious, whatever else was found. */
const precedence: readonly Verdict[] = ['malicious', 'unscannable', 'malformed', 'clean'];

export function verdictOf(findings: readonly Finding[]): Verdict {
  const found = new Set(findings.map((finding) => verdictRow(finding.code).verdict));
  return precedence.find((verdict) => found.has(verdict)) ?? 'clean';
}

/** Findings by how much they matter: people read the first one first. */
export function worstFirst(findings: readonly Finding[]): Finding[] {
  const rank = (finding: Finding): number => precedence.indexOf(verdictRow(finding.code).verdict);
  return findings.toSorted((one, other) => rank(one) - rank(other));
}


/**
 * One finding for what is the same by code, place and rule: a program three containers deep would otherwise be told of once for each of them. How many more there
 * were stands in the text, so that one more of them is still something new.
 */
export function withoutRepeats(findings: readonly Finding[]): Finding[] {
  const kept = new Map<string, { readonly finding: Finding; more: number }>();
  for (const finding of findings) {
    const rule = /\(rule \w+\)/.exec(finding.text)?.[0] ?? '';
    const key = [finding.code, finding.engine, finding.tag, finding.offset, finding.length, rule].join(' ');
    const known = kept.get(key);
    if (known === undefined) kept.set(key, { finding, more: 0 });
    else known.more += 1;
  }
  return [...kept.values()].map(({ finding, more }) => (more === 0 ? finding : { ...finding, text: `${finding.text.replace(/\.$/, '')} (and ${more} more like it there).` }));
}
