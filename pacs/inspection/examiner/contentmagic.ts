/**
 * What begins like a program, a container or a page where it could be used as one: at the start of the file (PS3.10 §7.5, CVE-2019-11687), at the
 * start of a value, and in what nothing accounts for. Where the position does not matter contentbulk.ts and the rule pack look.
 *
 * Two byte signatures are followed to what they point at; they occur in pixels constantly, so pixels are never searched for them.
 */
import type { MappedObject } from '@lazaret/dicom/filemap/contract.ts';
import { spanKinds, type SpanKind } from '@lazaret/dicom/filemap/contract.ts';
import { tagText } from '@lazaret/dicom/dictionary/dictionary.ts';
import { unpackInside, unpackPart, unpackStart } from './contentbulkpacked.ts';
import { isDOSProgram, programsIn } from './contentbulkprogram.ts';
import { placeInObject } from './place.ts';
import { Reading, vrCode, type Part } from './reading.ts';

/** Of what follows the Data Set: more than trailingBytesMax (disarm.ts) is held for its length, and the rule pack looks at all of it. */
const unaccountedBytesMax = 1024 * 1024;
/** PS3.10 fixes nothing about these: where other readers look for the start (PDF), the end (ZIP) or a fixed place (ISO 9660, tar). */
const pdfSearchBytes = 1024;
const pageSearchBytes = 512;
const zipSearchBytes = 64 * 1024 + 22;
const zipEnd = Buffer.from([0x50, 0x4b, 5, 6]);

/** What browsers and script hosts take for theirs, wherever it begins; in lower case. */
const pages = /<script|<html|<!doctype html|<svg|<body|<iframe|<\?php|<hta:/;
/** Words of scripts, which stand behind no image. A text that lies beside the images of a medium may speak of them. */
const scripts = /<job\b|javascript:|vbscript:|@echo off|createobject\(|powershell|#!\/(?:usr|bin)\//;

type Kind = 'program' | 'container' | 'document';
const programs: readonly (readonly [name: string, bytes: readonly number[]])[] = [
  ['a Linux program (ELF)', [0x7f, 0x45, 0x4c, 0x46]],
  ['a macOS program (Mach-O)', [0xfe, 0xed, 0xfa, 0xce]],
  ['a macOS program (Mach-O)', [0xfe, 0xed, 0xfa, 0xcf]],
  ['a macOS program (Mach-O)', [0xce, 0xfa, 0xed, 0xfe]],
  ['a macOS program (Mach-O)', [0xcf, 0xfa, 0xed, 0xfe]],
  ['a Java class or universal macOS program', [0xca, 0xfe, 0xba, 0xbe]],
  ['an Android program (DEX)', [0x64, 0x65, 0x78, 0x0a, 0x30]],
  ['a WebAssembly module', [0x00, 0x61, 0x73, 0x6d, 0x01]],
  ['a compiled Lua program', [0x1b, 0x4c, 0x4a, 0x01]],
  ['a compiled Lua program', [0x1b, 0x4c, 0x4a, 0x02]],
  ['a Windows shortcut', [0x4c, 0x00, 0x00, 0x00, 0x01, 0x14, 0x02, 0x00]],
];
const containers: readonly (readonly [name: string, bytes: readonly number[]])[] = [
  ['a ZIP file', [0x50, 0x4b, 0x03, 0x04]],
  ['a RAR file', [0x52, 0x61, 0x72, 0x21, 0x1a, 0x07]],
  ['a 7z file', [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c]],
  ['a Windows cabinet', [0x4d, 0x53, 0x43, 0x46, 0x00, 0x00, 0x00, 0x00]],
];
const documents: readonly (readonly [name: string, bytes: readonly number[]])[] = [
  ['a PDF document', [0x25, 0x50, 0x44, 0x46, 0x2d]],
  ['an OLE document', [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]],
];

/** First byte of a signature → the signatures: most values are decided by one look. */
const byFirst = new Map<number, { kind: Kind; name: string; bytes: readonly number[] }[]>();
for (const [kind, list] of [['program', programs], ['container', containers], ['document', documents]] as const) {
  for (const [name, bytes] of list) {
    const known = byFirst.get(bytes[0]!) ?? [];
    known.push({ kind, name, bytes });
    byFirst.set(bytes[0]!, known);
  }
}
const longest = 8;
/** Whether a signature begins with a byte: asked of each value. */
const beginsOne = new Uint8Array(256);
for (const first of byFirst.keys()) beginsOne[first] = 1;

function signatureAt(bytes: Uint8Array, at = 0): { readonly kind: Kind; readonly name: string } | null {
  for (const candidate of byFirst.get(bytes[at]!) ?? []) {
    if (candidate.bytes.every((byte, index) => bytes[at + index] === byte)) return candidate;
  }
  return null;
}

const codes: Readonly<Record<Kind, string>> = { program: 'executable-content', container: 'container-content', document: 'document-content' };

export function checkMagic(reading: Reading): void {
  checkStart(reading);
  checkFixedPlaces(reading);
  checkUnaccounted(reading);
  checkValueStarts(reading);
}

/** The first bytes decide what an operating system takes the file for. */
function checkStart(reading: Reading): void {
  const { source } = reading.mapped;
  const start = source.read(0, Math.min(source.length, 128));
  const found = signatureAt(start) ?? twoByteStart(start);
  if (found !== null) reading.addAt(found.kind === 'program' ? 'executable-start' : 'polyglot-content', 0, Math.min(source.length, 128), '', `The file begins as ${found.name} does.`);
  // Other readers look further in than the first byte; the values of the Data Set that lie there are looked at as values.
  const before = Math.min(source.length, Math.max(132, reading.mapped.meta === null ? 0 : reading.mapped.dataSetOffset));
  const pdf = indexOf(source.read(0, Math.min(source.length, pdfSearchBytes)), '%PDF-');
  if (pdf > 0 && placeInObject(reading.mapped)(pdf).region !== 'document') reading.addAt('polyglot-content', pdf, 5, '', 'A PDF header lies in the first KiB of the file, where PDF readers look for one.');
  const surroundings = source.read(0, Math.min(before, unaccountedBytesMax));
  for (const program of programsIn(surroundings)) reading.addAt('executable-content', program.at, program.length, '', `Before the Data Set lies ${program.name}.`);
  unpackSurroundings(reading, surroundings, { offset: 0, length: before });
  const head = latin1(source.read(0, Math.min(before, pageSearchBytes))).toLowerCase();
  const page = head.search(pages);
  if (page >= 0) reading.addAt('polyglot-content', page, 7, '', 'A web page or script begins before the Data Set.');
}

function twoByteStart(start: Uint8Array): { readonly kind: Kind; readonly name: string } | null {
  const two = latin1(start.subarray(0, 2));
  if (two === 'MZ' || two === 'ZM') return { kind: 'program', name: 'a Windows or DOS program' };
  if (two === '#!') return { kind: 'program', name: 'a Unix script' };
  return null;
}

function checkFixedPlaces(reading: Reading): void {
  const { source } = reading.mapped;
  const at = (offset: number, text: string): boolean => source.length >= offset + text.length && latin1(source.read(offset, text.length)) === text;
  if (at(0x8001, 'CD001')) reading.addAt('polyglot-content', 0x8001, 5, '', 'A disc image (ISO 9660) has its header here.');
  if (at(0x101, 'ustar')) reading.addAt('polyglot-content', 0x101, 5, '', 'A tar file has its header here.');
  if (isDisk(source)) reading.addAt('polyglot-content', partitionsAt, 66, '', 'A disk image has its partitions here.');
  const length = Math.min(source.length, zipSearchBytes);
  const tail = Buffer.from(source.read(source.length - length, length));
  for (let found = tail.lastIndexOf(zipEnd); found >= 0; found = found === 0 ? -1 : tail.lastIndexOf(zipEnd, found - 1)) {
    if (found + 22 > tail.length || !isZipEnd(source, source.length - length + found, tail.subarray(found, found + 22))) continue;
    reading.addAt('polyglot-content', source.length - length + found, 22, '', 'The directory of a ZIP file ends here: ZIP readers start from the end.');
    return;
  }
}

const partitionsAt = 446;

/** The end of a master boot record: four partitions, of which each is empty or has a kind, a place and a size, and the mark 55 AA. */
function isDisk(source: MappedObject['source']): boolean {
  if (source.length < 512) return false;
  const record = Buffer.from(source.read(partitionsAt, 66));
  if (record.readUInt16LE(64) !== 0xaa55) return false;
  let used = 0;
  for (let at = 0; at < 64; at += 16) {
    if (record.subarray(at, at + 16).every((byte) => byte === 0)) continue;
    if ((record[at]! & 0x7f) !== 0 || record[at + 4] === 0 || record.readUInt32LE(at + 8) === 0 || record.readUInt32LE(at + 12) === 0) return false;
    used += 1;
  }
  return used > 0;
}

/** One disc, as many entries here as in all, and a directory that begins where the record says. */
function isZipEnd(source: MappedObject['source'], offset: number, record: Buffer): boolean {
  if (record.readUInt16LE(4) !== 0 || record.readUInt16LE(6) !== 0 || record.readUInt16LE(8) !== record.readUInt16LE(10)) return false;
  const size = record.readUInt32LE(12);
  if (size === 0 || size > offset) return false;
  return latin1(source.read(offset - size, 4)) === 'PK\u0001\u0002';
}

const unaccounted: readonly SpanKind[] = ['trailing', 'unexplained', 'padding'];
const isUnaccounted = Uint8Array.from(spanKinds, (kind) => (unaccounted.includes(kind) ? 1 : 0));

/** Bytes that no element holds: nothing legitimate begins there. */
function checkUnaccounted(reading: Reading): void {
  const { spans, source, hasPreamble, meta } = reading.mapped;
  for (let row = 0; row < spans.count; row += 1) {
    if (isUnaccounted[spans.kinds[row]!] === 0) continue;
    const kind = spanKinds[spans.kinds[row]!]!;
    const offset = spans.offsets[row]!;
    const head = source.read(offset, Math.min(spans.lengths[row]!, unaccountedBytesMax));
    // The span of Data Set Trailing Padding begins with the header of its element.
    for (const skip of kind === 'padding' ? [0, 8, 12] : [0]) {
      const found = signatureAt(head, skip) ?? twoByteStart(head.subarray(skip));
      if (found !== null) reading.addAt('executable-content', offset + skip, 8, '', `What follows the Data Set begins as ${found.name} does.`);
    }
    const words = latin1(head).toLowerCase();
    const page = Math.max(words.search(pages), hasPreamble || meta !== null ? words.search(scripts) : -1);
    if (page >= 0) reading.addAt('polyglot-content', offset + page, 7, '', 'A web page or script follows the Data Set.');
    unpackSurroundings(reading, head, { offset, length: spans.lengths[row]! });
    for (const program of programsIn(head)) reading.addAt('executable-content', offset + program.at, program.length, '', `What follows the Data Set holds ${program.name}.`);
  }
}

function unpackSurroundings(reading: Reading, view: Uint8Array, at: Part['at']): void {
  const place = { at, outside: true, depth: 0 };
  unpackStart(reading, view, place, true);
  unpackInside(reading, view, place);
}

const sequence = vrCode('SQ');
const encapsulatedDocument = 0x00420011;

/** What is further in is looked at by contentbulk.ts. */
function checkValueStarts(reading: Reading): void {
  const { elements, pixelData, dataSetSource } = reading.mapped;
  const whole = dataSetSource.bytes ?? null;
  for (let index = 0; index < elements.count; index += 1) {
    const length = elements.valueLengths[index]!;
    const tag = elements.tags[index]!;
    if (length < 4 || index === pixelData || elements.vrs[index] === sequence || tag === encapsulatedDocument) continue;
    if (tag < 0x00030000) continue; // Group 2 lies in the object, not in the Data Set, and holds no opaque value that is kept.
    const offset = elements.valueOffsets[index]!;
    if (whole !== null && beginsOne[whole[offset]!] === 0) continue;
    checkValueStart(reading, dataSetSource.read(offset, Math.min(length, longest)), tag, offset, length);
  }
}

/** The first bytes of a value that begins at `offset`. */
export function checkValueStart(reading: Reading, bytes: Uint8Array, tag: number, offset: number, length: number): void {
  const found = signatureAt(bytes);
  if (found !== null) reading.addAt(codes[found.kind], offset, length, tagText(tag), `The value begins as ${found.name} does.`, true);
}

/** A part that was unpacked: what it begins as, programs anywhere in it, and what is packed in it again. */
export function checkPart(reading: Reading, part: Part): void {
  const found = signatureAt(part.bytes) ?? (part.numbers === true ? null : part.guessed === true ? guessedStart(part.bytes) : twoByteStart(part.bytes));
  if (found !== null && !(part.region === 'document' && found.kind !== 'program')) reading.addAbout(part, codes[found.kind], `${capital(part.name)} begins as ${found.name} does.`);
  for (const program of programsIn(part.bytes)) {
    if (program.at > 0 || found === null) reading.addAbout(part, 'executable-content', `${capital(part.name)} holds ${program.name}.`);
  }
  unpackPart(reading, part);
}

/** Two bytes that some text was decoded to begin like a program by chance: more of them must be so. */
function guessedStart(bytes: Uint8Array): { readonly kind: Kind; readonly name: string } | null {
  if (isDOSProgram(bytes)) return { kind: 'program', name: 'a Windows or DOS program' };
  return /^#! ?\/[a-z]/.test(latin1(bytes.subarray(0, 8))) ? { kind: 'program', name: 'a Unix script' } : null;
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}
function indexOf(bytes: Uint8Array, text: string): number {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf(text, 0, 'latin1');
}
