/**
 * Values that are numbers, dates, times or UIDs hold only the characters that such values have (PS3.5 §6.2): they can never contain markup,
 * a path or a command. Text can, and is never held for its characters; whoever shows it escapes it. Private values follow their vendor's rules.
 */
import { mediaStorageDirectoryStorage } from '@lazaret/dicom/dictionary/sopclasses.ts';
import { Reading, vrCode } from './reading.ts';

function characters(allowed: string): Uint8Array {
  const table = new Uint8Array(256);
  for (const character of allowed) table[character.charCodeAt(0)] = 1;
  return table;
}

const digits = '0123456789';
/** Backslash separates values. Space and NUL are padding; many writers pad UIDs with a space and numbers with NUL. */
const padding = ' \0\\';
const grammars: ReadonlyMap<number, Uint8Array> = new Map([
  [vrCode('UI'), characters(`${digits}.${padding}`)],
  [vrCode('DS'), characters(`${digits}+-.eE${padding}`)],
  [vrCode('IS'), characters(`${digits}+-${padding}`)],
  // PS3.5 lets a reader accept the older 1997.01.31 and 10:15:00; a hyphen makes a range.
  [vrCode('DA'), characters(`${digits}.-${padding}`)],
  [vrCode('TM'), characters(`${digits}.:-${padding}`)],
  [vrCode('DT'), characters(`${digits}.+-${padding}`)],
  [vrCode('AS'), characters(`${digits}DWMY${padding}`)],
]);

/** Longest value of these VRs that is looked at: 100,000 numbers of a structure set are real, 64 MiB are a file in disguise. */
const valueBytesMax = 16 * 1024 * 1024;

export function checkValues(reading: Reading): void {
  const { elements, dataSetSource } = reading.mapped;
  const whole = dataSetSource.bytes ?? null;
  for (let index = 0; index < elements.count; index += 1) {
    const grammar = grammars.get(elements.vrs[index]!);
    const tag = elements.tags[index]!;
    if (elements.valueLengths[index]! > nameBytesMax) checkName(reading, index);
    if (tag === specificCharacterSet) checkCharacterSet(reading, index);
    else if (tag === encryptedContent && elements.valueLengths[index]! > 0) reading.add('container-unscannable', index, 'Attributes are encrypted in it (PS3.15 E.1.1): nobody without the key can look into them.');
    if (grammar === undefined || tag < 0x00030000 || ((tag >>> 16) & 1) === 1) continue;
    const length = elements.valueLengths[index]!;
    if (length === 0) continue;
    if (length > valueBytesMax) {
      reading.add('value-invalid', index, `A value of ${length} bytes is no number, date, time or UID.`);
      continue;
    }
    // No view of each value where all are in memory: there may be 100,000.
    const bytes = whole ?? reading.bytes(index);
    const start = whole === null ? 0 : elements.valueOffsets[index]!;
    if (length > shortCharactersMax && shortVRs.has(elements.vrs[index]!) && isTooLong(bytes, start, length, shortCharactersMax)) reading.add('value-invalid', index, `A date, time or UID has more than ${shortCharactersMax} characters.`);
    for (let at = start; at < start + length; at += 1) {
      if (grammar[bytes[at]!] === 0) {
        reading.add('value-invalid', index, `A ${String.fromCharCode(elements.vrs[index]! >> 8, elements.vrs[index]! & 0xff)} value holds a character that such values cannot have (code ${bytes[at]}).`);
        break;
      }
    }
  }
}

const specificCharacterSet = 0x00080005;
const encryptedContent = 0x04000520;

/** A UID has 64 characters, a range of dates and times 54: lists of them have a backslash before so many. */
const shortCharactersMax = 128;
const shortVRs: ReadonlySet<number> = new Set(['UI', 'DA', 'TM', 'DT', 'AS'].map(vrCode));

/** One value among those that backslashes part is longer than `most`. */
function isTooLong(bytes: Uint8Array, start: number, length: number, most: number): boolean {
  for (let from = start; start + length - from > most;) {
    const next = bytes.indexOf(0x5c, from);
    if (next < 0 || next - from > most) return true;
    from = next + 1;
  }
  return false;
}

/**
 * Codes and titles have 16 characters, short strings 16 and long ones 64, names three times 64 (PS3.5 Table 6.2-1). Writers go beyond that, and characters of four bytes with their
 * escape sequences take more; none is as long as this.
 */
const nameBytesMax = 1024;
const nameVRs: ReadonlySet<number> = new Set(['AE', 'CS', 'SH', 'LO', 'PN'].map(vrCode));
/** Some writers put whole remarks where a long string belongs. */
const remarkBytesMax = 10 * nameBytesMax;

/** Room that no list shows whole. Private values follow their vendor's rules. */
function checkName(reading: Reading, index: number): void {
  const { vrs, tags, valueLengths } = reading.mapped.elements;
  if (!nameVRs.has(vrs[index]!) || tags[index]! < 0x00030000 || ((tags[index]! >>> 16) & 1) === 1) return;
  const most = vrs[index] === vrCode('LO') ? remarkBytesMax : nameBytesMax;
  if (isTooLong(reading.bytes(index), 0, valueLengths[index]!, most)) reading.add('value-invalid', index, `A name, title, code or string has more than ${most} bytes.`);
}

/** A name of a character set that goes on after a NUL is another name to whoever stops there: readers then differ on every text of the object. */
function checkCharacterSet(reading: Reading, index: number): void {
  if (/[\0-\x1f]/.test(reading.text(index))) reading.add('value-invalid', index, 'Specific Character Set holds a control character.');
}

/** Objects of these classes belong to no patient, hence to no Study (PS3.4 Annex GG). */
const withoutStudy: ReadonlySet<string> = new Set([
  '1.2.840.10008.5.1.4.38.1', '1.2.840.10008.5.1.4.39.1', '1.2.840.10008.5.1.4.43.1', '1.2.840.10008.5.1.4.44.1', '1.2.840.10008.5.1.4.45.1',
  '1.2.840.10008.5.1.4.1.1.200.1', '1.2.840.10008.5.1.4.1.1.200.3', '1.2.840.10008.5.1.4.1.1.200.7', '1.2.840.10008.5.1.4.1.1.201.1',
]);

export interface Identity {
  readonly sopClassUID: string;
  readonly sopInstanceUID: string;
  readonly studyInstanceUID: string;
  readonly seriesInstanceUID: string;
}

const uidGrammar = /^[0-9.]{1,64}$/;

/** The UIDs of the Data Set; they are there, are UIDs, and the File Meta Information and the door's command set name the same. */
export function checkIdentity(reading: Reading): Identity | null {
  const { mapped, work } = reading;
  if (mapped.meta?.mediaStorageSOPClassUID === mediaStorageDirectoryStorage) return null;
  const identity = {
    sopClassUID: reading.text(reading.top(0x00080016)),
    sopInstanceUID: reading.text(reading.top(0x00080018)),
    studyInstanceUID: reading.text(reading.top(0x0020000d)),
    seriesInstanceUID: reading.text(reading.top(0x0020000e)),
  };
  const needed: readonly (readonly [string, string])[] = [
    ['SOP Class UID', identity.sopClassUID],
    ['SOP Instance UID', identity.sopInstanceUID],
    ...(withoutStudy.has(identity.sopClassUID) ? [] : ([['Study Instance UID', identity.studyInstanceUID], ['Series Instance UID', identity.seriesInstanceUID]] as const)),
  ];
  let complete = true;
  for (const [name, uid] of needed) {
    if (uidGrammar.test(uid)) continue;
    complete = false;
    reading.add('identity-missing', -1, uid === '' ? `The ${name} is missing.` : `The ${name} is no UID.`);
  }
  const meta = mapped.meta;
  const others: readonly (readonly [string, string, string])[] = [
    ['the File Meta Information', meta?.mediaStorageSOPClassUID ?? '', identity.sopClassUID],
    ['the File Meta Information', meta?.mediaStorageSOPInstanceUID ?? '', identity.sopInstanceUID],
    ['the sender', work.sopClassUID, identity.sopClassUID],
    ['the sender', work.sopInstanceUID, identity.sopInstanceUID],
    ['the sender', work.transferSyntaxUID, mapped.transferSyntaxUID],
  ];
  for (const [who, other, own] of others) {
    if (other !== '' && own !== '' && other !== own) {
      reading.add('identity-disagreement', -1, `The object says ${printable(own)}, ${who} said ${printable(other)}: readers would file it under different names.`);
    }
  }
  return complete ? identity : null;
}

/** UIDs in a sentence for people: what is no UID character is shown as ?. */
function printable(uid: string): string {
  return uid.slice(0, 64).replaceAll(/[^0-9A-Za-z.]/g, '?');
}
