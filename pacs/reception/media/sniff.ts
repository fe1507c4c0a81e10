/** What a file is by its first bytes: an object of DICOM, or a companion, and which. Names say nothing, except to people. */
import { vrByCode } from '@lazaret/dicom/dataset/vrs.ts';

/** Enough for the preamble, the prefix and the first elements. */
export const sniffBytes = 512;

const longVRs = new Set(['OB', 'OD', 'OF', 'OL', 'OV', 'OW', 'SQ', 'SV', 'UC', 'UN', 'UR', 'UT', 'UV']);

/** PS3.10 §7.1: DICM after 128 bytes. Older writers left both out: then the first element is one of group 2 or 8 with a length that such an element has. */
export function isObject(start: Uint8Array): boolean {
  const bytes = Buffer.from(start.buffer, start.byteOffset, start.length);
  if (bytes.length >= 132 && bytes.toString('latin1', 128, 132) === 'DICM') return true;
  return beginsAsDataSet(bytes, true) || beginsAsDataSet(bytes, false);
}

/** Three elements in a row, ascending, whose lengths stay inside what such elements have: no text and no program begins like this. */
function beginsAsDataSet(bytes: Buffer, littleEndian: boolean): boolean {
  let at = 0;
  let before = -1;
  for (let seen = 0; seen < 3; seen += 1) {
    if (at + 12 > bytes.length) return seen >= 1 && at === bytes.length;
    const group = littleEndian ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at);
    const element = littleEndian ? bytes.readUInt16LE(at + 2) : bytes.readUInt16BE(at + 2);
    const tag = group * 65_536 + element;
    if (tag <= before || (seen === 0 && group !== 2 && group !== 8)) return false;
    before = tag;
    const vr = bytes.toString('latin1', at + 4, at + 6);
    let length: number;
    if (vrByCode.has(vr)) {
      const long = longVRs.has(vr);
      length = long ? (littleEndian ? bytes.readUInt32LE(at + 8) : bytes.readUInt32BE(at + 8)) : littleEndian ? bytes.readUInt16LE(at + 6) : bytes.readUInt16BE(at + 6);
      at += long ? 12 : 8;
    } else {
      if (!littleEndian) return false;
      length = bytes.readUInt32LE(at + 4);
      at += 8;
    }
    // The first elements are UIDs, dates and short texts; a sequence among them has an unknown end.
    if (length === 0xffffffff) return seen >= 1;
    if (length > 1024) return false;
    at += length;
    if (at > bytes.length) return seen >= 1;
  }
  return true;
}

/** PS3.10 §8.6: the name of a DICOMDIR; its SOP Class says it, too. */
export function isDirectory(path: string, start: Uint8Array): boolean {
  const bytes = Buffer.from(start.buffer, start.byteOffset, start.length);
  if (bytes.length < 132 || bytes.toString('latin1', 128, 132) !== 'DICM') return false;
  return /(^|\/)dicomdir\.?(;1)?$/i.test(path) || bytes.includes('1.2.840.10008.1.3.10\0', 132, 'latin1');
}

/** Kinds by content, then by the end of the name. For people; nothing depends on it. */
const contents: readonly (readonly [at: number, magic: string, what: string])[] = [
  [0, 'MZ', 'Windows program'], [0, '\x7fELF', 'Linux program'], [0, '\xcf\xfa\xed\xfe', 'macOS program'], [0, '\xce\xfa\xed\xfe', 'macOS program'], [0, '\xca\xfe\xba\xbe', 'Java or macOS program'],
  [0, 'L\0\0\0\x01\x14\x02\0', 'Windows shortcut'], [0, 'PK\x03\x04', 'ZIP or Java archive'], [0, 'MSCF', 'Windows cabinet'], [0, 'Rar!', 'RAR archive'], [0, '7z\xbc\xaf\x27\x1c', '7z archive'],
  [0, '\x1f\x8b', 'gzip archive'], [0, '%PDF', 'PDF document'], [0, '\xd0\xcf\x11\xe0', 'Office document or Windows installer'], [0, '\x89PNG', 'picture'], [0, '\xff\xd8\xff', 'picture'], [0, 'GIF8', 'picture'],
  [0, 'BM', 'picture'], [0, '\0\0\x01\0', 'icon'], [0, '#!', 'script'], [32_769, 'CD001', 'disc image'],
];
const endings: Readonly<Record<string, string>> = {
  inf: 'autorun or setup text', ini: 'settings', bat: 'script', cmd: 'script', vbs: 'script', js: 'script', ps1: 'script', sh: 'script', hta: 'script', jse: 'script', wsf: 'script', scr: 'Windows program', lnk: 'Windows shortcut',
  url: 'shortcut', htm: 'web page', html: 'web page', xml: 'XML', css: 'web page', txt: 'text', rtf: 'document', dll: 'Windows program', exe: 'Windows program', jar: 'Java program', class: 'Java program', app: 'macOS program',
};

export function whatIs(path: string, start: Uint8Array): string {
  const bytes = Buffer.from(start.buffer, start.byteOffset, start.length);
  if (bytes.length === 0) return 'empty file';
  const found = contents.find(([at, magic]) => bytes.length >= at + magic.length && bytes.toString('latin1', at, at + magic.length) === magic);
  if (found !== undefined) return found[2];
  if (/(^|\/)autorun\.inf(;1)?$/i.test(path)) return 'autorun file';
  const ending = /\.([a-z0-9]{1,5})(;1)?$/i.exec(path)?.[1]?.toLowerCase() ?? '';
  if (Object.hasOwn(endings, ending)) return endings[ending]!;
  if (/^\s*<(!doctype html|html|script)/i.test(bytes.toString('latin1', 0, 200))) return 'web page';
  return bytes.every((byte) => byte >= 0x20 || byte === 9 || byte === 10 || byte === 13) ? 'text' : 'other data';
}
