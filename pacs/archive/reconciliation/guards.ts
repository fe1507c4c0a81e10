/** Checks of what people ask, and of what an examiner answers: it decoded hostile bytes, so nothing of it is taken on trust. */
import { changedTags, identityAttributes } from '@lazaret/dicom/dataset/identity.ts';
import { transferSyntaxByUID } from '@lazaret/dicom/dataset/transfersyntaxes.ts';
import { refused } from '@lazaret/system/failure.ts';
import { checkFields, checkText } from '../../quarantine/guards.ts';
import { deflatedPatchBytesMax, patchBytesMax, patchesMax, patchTextMax } from '../../quarantine/patch.ts';
import type { ArchivedInstance } from '../admit.ts';
import { metadataLengthMax, parseDataSet, readMetadata, type JSONAttribute } from '../metadata.ts';
import type { Choice, Patch, Replacement } from './contract.ts';

/** PS3.5 §6.2: LO has 64 characters, SH 16, a component group of PN 64. */
const longMax = 64;
const shortMax = 16;
/** As many studies as a medium may have that people choose for one by one. */
const choicesMax = 1_000;

/** Text as a value of one attribute: no control character, no delimiter of values. Padding is cut off. */
function value(untrusted: unknown, name: string, max: number): string {
  const text = checkText(untrusted, name, 4 * max).trim();
  if ([...text].length > max) throw refused('value-invalid', `${name} has more than ${max} characters`);
  if (/[\p{Cc}\\]/u.test(text)) throw refused('value-invalid', `${name} has a character that DICOM does not permit there`);
  return text;
}

export function checkUID(untrusted: unknown, name: string): string {
  const text = checkText(untrusted, name, 64);
  if (!/^[0-9.]{1,64}$/.test(text)) throw refused('request-invalid', `${name} is not a UID`);
  return text;
}

export function checkReplacement(untrusted: unknown): Replacement {
  const fields = checkFields(untrusted);
  const patientName = value(fields['patientName'], 'The patient\'s name', longMax);
  if (patientName.includes('=')) throw refused('value-invalid', 'The patient\'s name is given in letters alone (one component group)');
  const patientID = value(fields['patientID'], 'The Patient ID', longMax);
  if (patientName === '' || patientID === '') throw refused('value-invalid', 'A local patient has a name and a Patient ID');
  const patientBirthDate = value(fields['patientBirthDate'], 'The birth date', 8);
  if (!/^(?:\d{8})?$/.test(patientBirthDate)) throw refused('value-invalid', 'The birth date is YYYYMMDD');
  const patientSex = value(fields['patientSex'], 'The sex', shortMax);
  if (!['', 'M', 'F', 'O'].includes(patientSex)) throw refused('value-invalid', 'The sex is M, F or O, or not given');
  return {
    patientName, patientID, issuerOfPatientID: value(fields['issuerOfPatientID'], 'The issuer of the Patient ID', longMax), patientBirthDate, patientSex,
    accessionNumber: value(fields['accessionNumber'], 'The accession number', shortMax), studyDescription: value(fields['studyDescription'], 'The study description', longMax),
  };
}

export function checkChoice(untrusted: unknown): Choice {
  const fields = checkFields(untrusted);
  return { studyInstanceUID: checkUID(fields['studyInstanceUID'], 'studyInstanceUID'), replacement: fields['replacement'] === null ? null : checkReplacement(fields['replacement']) };
}

export function checkChoices(untrusted: unknown): readonly Choice[] {
  if (!Array.isArray(untrusted) || untrusted.length === 0 || untrusted.length > choicesMax) throw refused('request-invalid', `choices is a list of 1 to ${choicesMax}`);
  const choices = untrusted.map(checkChoice);
  if (new Set(choices.map(({ studyInstanceUID }) => studyInstanceUID)).size < choices.length) throw refused('request-invalid', 'a study is chosen for twice');
  return choices;
}

export interface CheckedPatches {
  readonly patches: readonly Patch[];
  readonly metadata: string;
}

/**
 * The answer about one instance. Where it holds: patches in order, inside the Data Set, not in pixels, bounded; metadata that say exactly this identity, and in
 * every attribute that has nothing to do with it what the inspection said. Null: `text` is why it is impossible. Throws `patch-invalid` for an answer that cannot be true.
 */
export function checkAnswer(untrusted: unknown, archived: Pick<ArchivedInstance, 'bytes' | 'instance'>, replacement: Replacement): CheckedPatches | { readonly problem: string } {
  const fields = checkFields(untrusted);
  if (fields['outcome'] === 'impossible') return { problem: checkText(fields['text'], 'text', patchTextMax).replaceAll(/[\p{Cc}\p{Cf}\p{Cs}]/gu, '\uFFFD') };
  if (fields['outcome'] !== 'patched') throw wrong('it has no outcome');
  const patches = checkPatches(fields['patches'], archived);
  const metadata = checkText(fields['metadata'], 'metadata', metadataLengthMax);
  readMetadata({ ...archived.instance, metadata }, archived.bytes);
  const [before, after] = [parseDataSet(archived.instance.metadata), parseDataSet(metadata)];
  for (const tag of new Set([...Object.keys(before), ...Object.keys(after)])) {
    if (!changedTags.has(tag) && JSON.stringify(before[tag]) !== JSON.stringify(after[tag])) throw wrong(`its metadata have another ${tag}`);
  }
  for (const { tag, keyword, fate } of identityAttributes) {
    const wanted = fate(replacement);
    const key = tag.toString(16).toUpperCase().padStart(8, '0');
    const is = after[key];
    const right = wanted === 'moved' ? is === undefined : wanted === 'left' ? JSON.stringify(is) === JSON.stringify(before[key]) : textOf(is) === wanted.text.replace(/\^+$/, '');
    if (!right) throw wrong(`its metadata do not have the ${keyword} that was chosen`);
  }
  return { patches, metadata };
}

function textOf(attribute: JSONAttribute | undefined): string {
  const values = attribute?.Value;
  if (!Array.isArray(values) || values.length === 0) return '';
  const [first] = values as unknown[];
  if (values.length > 1) return '\0';
  const text = typeof first === 'object' && first !== null ? (Object.keys(first).length === 1 ? (first as Record<string, unknown>)['Alphabetic'] : '\0') : first;
  return typeof text === 'string' ? text.replace(/\^+$/, '') : '\0';
}

function checkPatches(untrusted: unknown, { bytes: fileBytes, instance: { dataSetOffset, dataSetLength, frames, transferSyntaxUID } }: Pick<ArchivedInstance, 'bytes' | 'instance'>): Patch[] {
  if (!Array.isArray(untrusted) || untrusted.length > patchesMax) throw wrong(`its patches are no list of at most ${patchesMax}`);
  let pixels: readonly [from: number, to: number] = [Infinity, -Infinity];
  if (frames?.kind === 'native') pixels = [frames.offset, frames.offset + Math.ceil(frames.frameLength * frames.count)];
  if (frames?.kind === 'encapsulated') {
    let [from, to] = [Infinity, -Infinity];
    for (const frame of frames.frames) {
      for (let at = 0; at + 1 < frame.length; at += 2) [from, to] = [Math.min(from, frame[at]!), Math.max(to, frame[at]! + frame[at + 1]!)];
    }
    pixels = [from, to];
  }
  // A deflated Data Set is replaced as a whole, with the byte that pads it.
  const deflated = transferSyntaxByUID.get(transferSyntaxUID)?.deflated === true;
  const to = deflated ? fileBytes : dataSetOffset + dataSetLength;
  const bytesMax = deflated ? deflatedPatchBytesMax : patchBytesMax;
  let [end, room] = [dataSetOffset, bytesMax];
  return untrusted.map((each) => {
    const { offset, length, bytes } = checkFields(each);
    if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(length) || (length as number) < 0 || typeof bytes !== 'string' || !/^[A-Za-z0-9+/]*={0,2}$/.test(bytes)) throw wrong('a patch is not a range and bytes');
    const patch = { offset: offset as number, length: length as number, bytes };
    if (patch.offset < end || patch.offset + patch.length > to) throw wrong('its patches overlap, or are not inside the Data Set');
    end = patch.offset + patch.length;
    if (patch.offset < pixels[1] && end > pixels[0]) throw wrong('a patch is in the pixels');
    room -= Buffer.byteLength(bytes, 'base64');
    if (room < 0) throw wrong(`its patches have more than ${bytesMax} bytes`);
    return patch;
  });
}

function wrong(why: string): Error {
  return refused('patch-invalid', `what an examiner said of serving the object otherwise does not hold: ${why}`);
}
