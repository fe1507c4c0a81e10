/** Encapsulated documents, and files that are no object at all. */
import { deflateSync } from 'node:zlib';
import { part10, withElements, type Element } from '../recipes/encode.ts';
import { identity } from '../recipes/objects.ts';
import { nativeBases } from './bases.ts';
import { pick, type Random } from './payloads.ts';
import type { Place } from './place.ts';

const sopClassOf: Readonly<Record<string, string>> = {
  'application/pdf': '1.2.840.10008.5.1.4.1.1.104.1', 'text/XML': '1.2.840.10008.5.1.4.1.1.104.2', 'model/stl': '1.2.840.10008.5.1.4.1.1.104.3', 'model/obj': '1.2.840.10008.5.1.4.1.1.104.4', 'model/mtl': '1.2.840.10008.5.1.4.1.1.104.5',
};

function encapsulatedDocument(name: string, mime: string, document: Uint8Array): Element[] {
  return withElements(identity(name, sopClassOf[mime] ?? sopClassOf['application/pdf']!, 'DOC'),
    ['0008,0064', 'CS', 'WSD'], ['0028,0301', 'CS', 'NO'], ['0042,0010', 'ST', 'Letter'], ['0040,A043', 'SQ', []], ['0042,0011', 'OB', document], ['0042,0012', 'LO', mime], ['0042,0015', 'UL', document.length]);
}
const inDocument = (name: string, make: (payload: Buffer, random: Random) => readonly [mime: string, document: Buffer], more: Partial<Place> = {}): Place => ({
  name, bases: nativeBases, ...more, put: (base, payload, random, object) => {
    const [mime, document] = make(payload, random);
    return { base, name: object, pixels: null, instead: encapsulatedDocument(object, mime, document) };
  },
});

/** A PDF of one page with an object that is a stream of these bytes. */
function pdfWithStream(payload: Buffer, packed: boolean): Buffer {
  const stream = packed ? deflateSync(payload) : payload;
  return Buffer.concat([
    Buffer.from(`%PDF-1.7\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n2 0 obj\n<</Type/Pages/Kids[3 0 R]/Count 1>>\nendobj\n3 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R>>\nendobj\n4 0 obj\n<</Length ${stream.length}${packed ? '/Filter/FlateDecode' : ''}>>\nstream\n`),
    stream, Buffer.from('\nendstream\nendobj\ntrailer\n<</Root 1 0 R/Size 5>>\n%%EOF\n'),
  ]);
}
const plainPDF = (): Buffer => pdfWithStream(Buffer.from('BT ET'), false);
const cda = (content: string, before = ''): Buffer => Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>\n${before}<ClinicalDocument xmlns="urn:hl7-org:v3"><title>Letter</title><component>${content}</component></ClinicalDocument>\n`, 'latin1');
const escaped = (payload: Buffer): string => payload.toString('latin1').replaceAll('&', '&amp;').replaceAll('<', '&lt;');

function stl(header: Uint8Array, facets: Uint8Array): Buffer {
  const head = Buffer.alloc(84);
  head.set(header.subarray(0, 80));
  const count = Math.ceil(facets.length / 50);
  head.writeUInt32LE(count, 80);
  return Buffer.concat([head, facets, Buffer.alloc(count * 50 - facets.length)]);
}
const lines = (payload: Buffer, mark: string): string => payload.toString('latin1').split('\n').map((line) => `${mark}${line}`).join('\n');

export const placesDocument: readonly Place[] = [
  inDocument('declared as PDF', (payload) => ['application/pdf', payload]),
  inDocument('declared as CDA', (payload) => ['text/XML', payload]),
  inDocument('declared as 3D model', (payload, random) => [pick(random, ['model/stl', 'model/obj', 'model/mtl']), payload]),
  inDocument('declared as something else', (payload, random) => [pick(random, ['application/octet-stream', 'text/html', 'image/svg+xml', 'application/zip', 'application/msword', 'text/plain', 'image/png']), payload]),
  inDocument('stream of a PDF', (payload) => ['application/pdf', pdfWithStream(payload, false)]),
  inDocument('packed stream of a PDF', (payload) => ['application/pdf', pdfWithStream(payload, true)]),
  inDocument('behind a PDF', (payload) => ['application/pdf', Buffer.concat([plainPDF(), payload])]),
  inDocument('before a PDF', (payload) => ['application/pdf', Buffer.concat([payload, plainPDF()])], { bytesMax: 900 }),
  inDocument('CDA body in base64', (payload) => ['text/XML', cda(`<nonXMLBody><text mediaType="application/pdf" representation="B64">${payload.toString('base64')}</text></nonXMLBody>`)]),
  inDocument('CDA with a script', (payload) => ['text/XML', cda(`<structuredBody><script xmlns="http://www.w3.org/1999/xhtml">${escaped(payload)}</script></structuredBody>`)]),
  inDocument('CDA with a stylesheet', (payload) => ['text/XML', cda('<structuredBody/>', `<?xml-stylesheet type="text/xsl" href="data:text/xsl;base64,${payload.toString('base64')}"?>\n`)]),
  inDocument('CDA with a document type', (payload) => ['text/XML', cda('<structuredBody/>', `<!DOCTYPE x [<!ENTITY e "${payload.toString('base64')}">]>\n`)]),
  inDocument('header of an STL', (payload) => ['model/stl', stl(payload, Buffer.alloc(100))], { bytesMax: 80 }),
  inDocument('facets of an STL', (payload) => ['model/stl', stl(Buffer.from('Lazaret'), payload)], { isInside: true }),
  inDocument('behind an STL', (payload) => ['model/stl', Buffer.concat([stl(Buffer.from('Lazaret'), Buffer.alloc(500)), payload])]),
  inDocument('comments of an OBJ', (payload) => ['model/obj', Buffer.from(`v 0 0 0\nv 1 0 0\nv 0 1 0\n${lines(payload, '# ')}\nf 1 2 3\n`, 'latin1')]),
  inDocument('comments of an MTL', (payload) => ['model/mtl', Buffer.from(`newmtl skin\n${lines(payload, '# ')}\nKd 1 1 1\n`, 'latin1')]),
  { name: 'the file itself', bases: nativeBases, put: (base, payload, _, name) => ({ base, name, whole: payload }) },
  { name: 'behind 128 bytes and DICM', bases: nativeBases, put: (base, payload, _, name) => ({ base, name, whole: Buffer.concat([Buffer.alloc(128), Buffer.from('DICM'), payload]) }) },
  { name: 'as Data Set', bases: nativeBases, put: (base, payload, _, name) => ({ base, name, whole: part10({ transferSyntaxUID: base.uid, sopClassUID: '1.2.840.10008.5.1.4.1.1.7', sopInstanceUID: '2.25.9', dataSet: payload }) }) },
];
