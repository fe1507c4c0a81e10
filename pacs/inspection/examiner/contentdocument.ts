/**
 * Encapsulated documents (PS3.3 A.45): is the document of the declared kind, and could it act when somebody opens it? What cannot be seen
 * through (encryption, unknown kinds) is not clean; a document without active parts is.
 */
import { inflateSync, constants } from 'node:zlib';
import { Reading } from './reading.ts';

/** A scanned letter is a few MiB. */
const documentBytesMax = 64 * 1024 * 1024;
/** All object streams of one PDF together, inflated. */
const streamBytesMax = 64 * 1024 * 1024;

const encapsulatedDocument = 0x00420011;

export function checkDocument(reading: Reading): void {
  const index = reading.top(encapsulatedDocument);
  if (index < 0) return;
  const length = reading.length(index);
  if (length > documentBytesMax) {
    reading.add('document-unscannable', index, `An encapsulated document of ${length} bytes is more than is looked through (${documentBytesMax}).`);
    return;
  }
  const declared = reading.text(reading.top(0x00420012)).toLowerCase();
  const view = reading.bytes(index);
  const text = Buffer.from(view.buffer, view.byteOffset, view.length).toString('latin1');
  const isPDF = text.slice(0, 1024).includes('%PDF-');
  const found = isPDF ? 'application/pdf' : declared;
  if (isPDF !== (declared === 'application/pdf')) {
    reading.add('document-disguised', index, isPDF ? 'The document is declared as something else and is a PDF.' : 'The document is declared as PDF and is none.');
    return;
  }
  switch (found) {
    case 'application/pdf':
      checkPDF(reading, index, text);
      return;
    case 'text/xml':
    case 'application/hl7-cda':
    case 'application/xml':
      checkXML(reading, index, text);
      return;
    case 'model/stl':
    case 'application/sla':
      checkSTL(reading, index, text);
      return;
    case 'model/obj':
    case 'model/mtl':
      checkOBJ(reading, index, text);
      return;
    default:
      reading.add('document-unscannable', index, 'An encapsulated document of a kind that cannot be looked through.');
  }
}

/** Names that make a PDF do something (ISO 32000-2 §12.6.4, §12.7.8, §7.11.4); links and plain forms do not. */
const activeNames = ['JavaScript', 'JS', 'EmbeddedFile', 'EmbeddedFiles', 'RichMedia', 'XFA', 'SubmitForm', 'ImportData', 'Rendition', 'GoToE', '3D'];

function checkPDF(reading: Reading, index: number, text: string): void {
  const names = new Set<string>();
  collectNames(text, names);
  if (names.has('Encrypt')) {
    reading.add('document-unscannable', index, 'The PDF is encrypted.');
    return;
  }
  if (names.has('ObjStm') && !collectFromObjectStreams(text, names)) {
    reading.add('document-unscannable', index, 'Objects of the PDF are packed in a way that cannot be looked through.');
    return;
  }
  if (names.has('Launch')) reading.add('document-launches', index, 'The PDF starts a program when it is opened or clicked (Launch).');
  const active = activeNames.filter((name) => names.has(name));
  if (active.length > 0) reading.add('document-active', index, `The PDF has active parts: ${active.join(', ')}.`);
}

/** Names after a slash, with their #41 escapes resolved; inside pixels of images they occur by chance, but not whole words of this kind. */
function collectNames(text: string, names: Set<string>): void {
  for (const match of text.matchAll(/\/((?:[A-Za-z0-9]|#[0-9A-Fa-f]{2}){2,40})(?=[\s/<>[\]()%]|$)/g)) {
    names.add(match[1]!.replaceAll(/#([0-9A-Fa-f]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16))));
  }
}

/** False where an object stream is not plain deflate: then something is in it that was not seen. */
function collectFromObjectStreams(text: string, names: Set<string>): boolean {
  let room = streamBytesMax;
  for (const match of text.matchAll(/\bobj\b((?:(?!\bstream\b)[\s\S]){0,4096}?)\bstream\r?\n/g)) {
    const dictionary = match[1]!;
    const own = new Set<string>();
    collectNames(dictionary, own);
    if (!own.has('ObjStm')) continue;
    const start = match.index + match[0].length;
    const end = text.indexOf('endstream', start);
    const bytes = Buffer.from(text.slice(start, end < 0 ? undefined : end), 'latin1');
    if (!own.has('Filter')) {
      collectNames(bytes.toString('latin1'), names);
      continue;
    }
    if (!own.has('FlateDecode') || own.has('Crypt') || own.has('DecodeParms') || [...own].some((name) => name.endsWith('Decode') && name !== 'FlateDecode')) return false;
    try {
      const inflated = inflateSync(bytes, { maxOutputLength: room, finishFlush: constants.Z_SYNC_FLUSH });
      room -= inflated.length;
      collectNames(inflated.toString('latin1'), names);
    } catch {
      return false;
    }
  }
  return true;
}

/** CDA (HL7): XML that names no other document, defines no entity and holds no script. */
function checkXML(reading: Reading, index: number, text: string): void {
  // UTF-16 has a zero in every second byte; the words that matter are ASCII.
  const plain = text.replaceAll('\0', '').replace(/^(?:\u00ef\u00bb\u00bf|\u00ff\u00fe|\u00fe\u00ff)/, '');
  if (!/^\s*</.test(plain)) {
    reading.add('document-disguised', index, 'The document is declared as XML and is none.');
    return;
  }
  const active = /<!DOCTYPE|<!ENTITY|<\?xml-stylesheet|<script|javascript:|<xi:include|<(?:x[a-z]*:)?stylesheet/i.exec(plain);
  if (active !== null) reading.add('document-active', index, `The XML document has an active part: ${active[0].replaceAll(/[^A-Za-z:-]/g, '')}.`);
}

/** STL: 80 bytes, a count, and 50 bytes a triangle; or text that begins with solid. */
function checkSTL(reading: Reading, index: number, text: string): void {
  const bytes = Buffer.from(text, 'latin1');
  if (/^\s*solid[\s]/.test(text) && /^[\x09\x0a\x0d\x20-\x7e]*\0?$/.test(text)) return;
  const expected = bytes.length >= 84 ? 84 + bytes.readUInt32LE(80) * 50 : -1;
  if (bytes.length === expected || bytes.length === expected + (expected % 2)) return;
  reading.add('document-disguised', index, 'The document is declared as STL and its length is not that of its triangles.');
}

/** OBJ and MTL are lines of text; what they name must be a plain name, not a path or an address. */
function checkOBJ(reading: Reading, index: number, text: string): void {
  if (!/^[\x09\x0a\x0d\x20-\x7e\x80-\xff]*\0?$/.test(text)) {
    reading.add('document-disguised', index, 'The document is declared as text and holds other bytes.');
    return;
  }
  const reference = /^\s*(?:mtllib|map_\w+|bump|disp|decal|refl)\b.*[/\\:]/m.exec(text);
  if (reference !== null) reading.add('document-active', index, 'The model refers to a file by a path or an address.');
}
