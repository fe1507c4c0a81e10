/** THREATS A11, and A6 and §4E as far as documents and containers go: what is inside of what is inside. All of it inert. */
import { deflateSync, gzipSync } from 'node:zlib';
import { compoundOf, gzipOf, tarOf, zipOf } from './archives.ts';
import { withElements, type Element } from './encode.ts';
import * as inert from './inert.ts';
import { make } from './make.ts';
import { ctSlice, identity, patients } from './objects.ts';
import { ascii85, asciiHex, flate, lzw, pdfOf, report, runLength, type PDFOptions, type PDFPart } from './pdfs.ts';
import { clean, held, malicious, unscannable, type Expected, type Recipe } from './recipe.ts';

const classes = { pdf: '1.2.840.10008.5.1.4.1.1.104.1', xml: '1.2.840.10008.5.1.4.1.1.104.2', stl: '1.2.840.10008.5.1.4.1.1.104.3', obj: '1.2.840.10008.5.1.4.1.1.104.4', mtl: '1.2.840.10008.5.1.4.1.1.104.5' } as const;
const types = { pdf: 'application/pdf', xml: 'text/XML', stl: 'model/stl', obj: 'model/obj', mtl: 'model/mtl' } as const;
type DocumentKind = keyof typeof classes;

/** An encapsulated document (PS3.3 A.45, A.85, A.104 ff.). */
function documentObject(name: string, kind: DocumentKind, bytes: Uint8Array): Element[] {
  return withElements(
    identity(name, classes[kind], kind === 'pdf' || kind === 'xml' ? 'DOC' : 'M3D', patients[2], 'Documents'),
    ['0008,0064', 'CS', 'WSD'],
    ['0028,0301', 'CS', 'YES'],
    ['0040,A043', 'SQ', []],
    ['0042,0010', 'ST', 'Report'],
    ['0042,0011', 'OB', bytes],
    ['0042,0012', 'LO', types[kind]],
    ['0042,0015', 'UL', bytes.length],
  );
}

function inDocument(kind: DocumentKind, name: string, why: string, expected: Expected, bytes: () => Uint8Array): Recipe {
  return make({ name, threat: expected === clean ? 'benign' : 'A11', why, expected, elements: () => documentObject(name, kind, bytes()) });
}
const inPDF = (name: string, why: string, expected: Expected, parts: () => readonly PDFPart[], options: () => PDFOptions = () => ({})): Recipe => inDocument('pdf', `pdf-${name}`, why, expected, () => pdfOf(parts(), options()));
/** The pixels behind the value are more than the 64 KiB in which readers look for the end of a ZIP file. */
const inValue = (name: string, why: string, expected: Expected, bytes: () => Uint8Array): Recipe =>
  make({ name, threat: expected === clean ? 'benign' : 'A6', why, expected, elements: () => withElements(ctSlice({ name, index: 0, count: 1, size: 192, description: `Recipe ${name}` }), ['0029,0010', 'LO', 'ACME 1.1'], ['0029,1020', 'OB', bytes()]) });

const script = '<< /S /JavaScript /JS (app.alert\\(1\\)) >>';
const launch = '<< /Type /Action /S /Launch /F (cmd.exe) >>';
const text = (words: string): Buffer => Buffer.from(words, 'latin1');
const embedded = (bytes: Uint8Array): PDFPart[] => report({
  catalog: '/Names << /EmbeddedFiles << /Names [(setup) 6 0 R] >> >>',
  more: ['<< /Type /Filespec /F (setup.exe) /EF << /F 7 0 R >> >>', flate('/Type /EmbeddedFile', bytes)],
});

const pdfs: readonly Recipe[] = [
  inPDF('report', 'A report with a link, a form to be filled in by hand, an empty place for files and metadata: nothing in it acts.', clean, () => report({
    catalog: '/OpenAction [3 0 R /Fit] /AcroForm << /Fields [7 0 R] /NeedAppearances true >> /Names << /EmbeddedFiles << /Names [] >> >> /Metadata 8 0 R',
    page: '/Annots [6 0 R 7 0 R]',
    more: [
      '<< /Type /Annot /Subtype /Link /Rect [72 700 200 720] /A << /S /URI /URI (https://radiology.example/study) >> >>',
      '<< /Type /Annot /Subtype /Widget /FT /Tx /T (Remark) /V () /Rect [72 600 300 620] >>',
      { dictionary: '/Type /Metadata /Subtype /XML', data: text('<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"/><?xpacket end="w"?>') },
      flate('/Type /XObject /Subtype /Image /Width 64 /Height 64 /ColorSpace /DeviceGray /BitsPerComponent 8', Buffer.alloc(4096, 0x4d)),
    ],
  })),
  inPDF('object-streams', 'Objects in an object stream, found by a cross-reference stream with a predictor: what most writers make today.', clean, () => report(), () => ({ packed: new Map([[6, '<< /Type /Annot /Subtype /Link >>'], [7, '[1 2 3]']]) })),
  inPDF('revisions', 'A report that was changed once: the first revision is still in it.', clean, () => report(), () => ({ revision: new Map([[4, flate('', 'BT (Addendum: none.) Tj ET')]]) })),
  inPDF('length-later', 'The length of a stream is an object that follows it, as writers in one pass do.', clean, () => {
    const data = text('BT (Normal.) Tj ET');
    return report({ more: [{ dictionary: '', data, length: '7 0 R' }, String(data.length)] });
  }),
  inPDF('filters', 'All filters that are undone, one around the other.', clean, () => report({
    more: [
      { dictionary: '/Filter [/ASCII85Decode /FlateDecode]', data: ascii85(deflateSync('BT ET')) },
      { dictionary: '/Filter /LZWDecode', data: lzw(text('q Q '.repeat(400))) },
      { dictionary: '/Filter [/ASCIIHexDecode /RunLengthDecode]', data: asciiHex(runLength(text('q Q '.repeat(80)))) },
    ],
  })),

  inPDF('javascript', 'A script that runs when the report is opened.', unscannable, () => report({ catalog: `/OpenAction ${script}` })),
  inPDF('javascript-escaped', 'The same with its names written in hexadecimal.', unscannable, () => report({ catalog: '/Open#41ction << /#53 /J#61vaScr#69pt /J#53 (1) >>' })),
  inPDF('javascript-packed', 'A script in an object stream: no search of the file finds it.', unscannable, () => report({ catalog: '/OpenAction 6 0 R' }), () => ({ packed: new Map([[6, script]]) })),
  inPDF('javascript-filters', 'A script in an object stream under four filters.', unscannable, () => report({ more: [{ dictionary: '/Type /ObjStm /N 1 /First 5 /Filter [/ASCIIHexDecode /ASCII85Decode /RunLengthDecode /LZWDecode]', data: asciiHex(ascii85(runLength(lzw(text(`9 0  ${script}`))))) }] })),
  inPDF('javascript-untyped', 'An object stream that does not say that it is one.', unscannable, () => report({ more: [flate('/N 1 /First 5', `9 0  ${script}`)] })),
  inPDF('javascript-offset', 'An object stream whose list points into the middle of a string.', unscannable, () => report({ more: [flate('/Type /ObjStm /N 1 /First 5', `9 1  (${script.replaceAll(/[\\()]/g, '')})`)] })),
  inPDF('javascript-tree', 'Scripts in the name tree.', unscannable, () => report({ catalog: `/Names << /JavaScript << /Names [(a) ${script}] >> >>` })),
  inPDF('javascript-field', 'A script that a field of the form runs.', unscannable, () => report({ page: `/Annots [<< /Subtype /Widget /AA << /K ${script} >> >>]` })),
  inPDF('launch', 'Opening the report starts a program.', malicious, () => report({ catalog: `/OpenAction ${launch}` })),
  inPDF('launch-next', 'The program is started by the action after a harmless one, in an object stream.', malicious, () => report({ catalog: '/OpenAction 6 0 R' }), () => ({ packed: new Map([[6, '<< /S /GoTo /D [3 0 R /Fit] /Next 7 0 R >>'], [7, launch]]) })),
  inPDF('launch-kind', 'The kind of the action is said by another object.', malicious, () => report({ catalog: '/OpenAction << /S 6 0 R /F (cmd.exe) >>', more: ['/Launch'] })),
  inPDF('launch-misaligned', 'A brace between keys and values, which readers count in different ways.', malicious, () => report({ catalog: '/OpenAction << /X } /S /Launch /F (cmd.exe) >>' })),
  inPDF('launch-header', 'An object with a comment in its header.', unscannable, () => report(), () => ({ between: '9 %\n0 obj<</S/Launch/F(a)>>endobj\n' })),
  inPDF('launch-shadow', 'An object that no table names: readers find it when they repair the file.', malicious, () => report(), () => ({ between: `9 0 obj\n${launch}\nendobj\n` })),
  inPDF('launch-revision', 'A first revision with a harmless action, a second with another.', malicious, () => report({ catalog: '/OpenAction 6 0 R', more: ['<< /S /GoTo /D [3 0 R /Fit] >>'] }), () => ({ revision: new Map([[6, launch]]) })),
  inPDF('launch-string', 'An object inside of a string.', malicious, () => report({ more: [`(\n9 0 obj\n${launch.replaceAll(/[()]/g, '')}\nendobj\n)`] })),
  inPDF('launch-comment', 'An object inside of a comment.', malicious, () => report(), () => ({ between: `% 9 0 obj ${launch} endobj\n` })),
  inPDF('launch-stream', 'An object inside of a stream that is longer for some readers than for others.', malicious, () => report({ more: [{ dictionary: '', data: text(`x\nendstream\nendobj\n9 0 obj\n${launch}\nendobj\n`) }] })),
  inPDF('embedded-program', 'A program embedded in the report.', malicious, () => embedded(inert.pe())),
  inPDF('embedded-archive', 'A program in an archive embedded in the report.', malicious, () => embedded(zipOf([{ name: 'setup.exe', data: inert.pe() }]))),
  inPDF('embedded-pdf', 'A report in the report, and in that one a launch action.', malicious, () => embedded(pdfOf(report({ catalog: `/OpenAction ${launch}` })))),
  inPDF('embedded-text', 'A harmless file embedded in the report.', unscannable, () => embedded(text('nothing'))),
  inPDF('xfa', 'A form of another kind, with scripts of its own.', unscannable, () => report({ catalog: '/AcroForm << /Fields [] /XFA 6 0 R >>', more: [flate('', '<xdp:xdp xmlns:xdp="http://ns.adobe.com/xdp/"/>')] })),
  inPDF('submit', 'A button that sends the form.', unscannable, () => report({ page: '/Annots [<< /Subtype /Widget /FT /Btn /A << /S /SubmitForm /F << /FS /URL /F (https://example.org/) >> >> >>]' })),
  inPDF('import', 'A button that fetches data.', unscannable, () => report({ page: '/Annots [<< /Subtype /Widget /A << /S /ImportData /F (\\\\\\\\host\\\\x) >> >>]' })),
  inPDF('goto-remote', 'A way to a file on another computer: opening it gives away who asks.', unscannable, () => report({ page: '/AA << /O << /S /GoToR /D [0 /Fit] /F (\\\\\\\\host\\\\x.pdf) >> >>' })),
  inPDF('goto-embedded', 'A way into an embedded file.', unscannable, () => report({ page: '/Annots [<< /Subtype /Link /A << /S /GoToE /D [0 /Fit] >> >>]' })),
  inPDF('uri-opens', 'An address that is opened without a click.', unscannable, () => report({ catalog: '/OpenAction << /S /URI /URI (https://example.org/) >>' })),
  inPDF('uri-file-elsewhere', 'The same, with the address in another object.', unscannable, () => report({ page: '/Annots [<< /Subtype /Link /A << /S /URI /URI 6 0 R >> >>]', more: ['(\\\\\\\\host\\\\x)'] })),
  inPDF('uri-file', 'A link to a file, and not to the web.', unscannable, () => report({ page: '/Annots [<< /Subtype /Link /A << /S /URI /URI (file:///C:/x.bat) >> >>]' })),
  inPDF('rich-media', 'An annotation with media and scripts.', unscannable, () => report({ page: '/Annots [<< /Subtype /RichMedia /RichMediaContent << >> >>]' })),
  inPDF('rendition', 'Media that plays.', unscannable, () => report({ page: `/Annots [<< /Subtype /Screen /A << /S /Rendition /OP 0 >> >>]` })),
  inPDF('model', 'A 3D scene, which has scripts.', unscannable, () => report({ page: '/Annots [<< /Subtype /3D /3DD 6 0 R >>]', more: [flate('/Type /3D /Subtype /U3D', 'U3D')] })),
  inPDF('elsewhere', 'A stream whose data is in another file.', unscannable, () => report({ more: [{ dictionary: '/F (C:\\\\x)', data: text('') }] })),
  inPDF('encrypted', 'An encrypted report.', unscannable, () => report(), () => ({ trailer: '/Encrypt << /Filter /Standard /V 4 /R 4 /P -1 >> /ID [<00> <00>]' })),
  inPDF('filter-unknown', 'A stream packed in a way that nobody knows.', unscannable, () => report({ more: [{ dictionary: '/Filter /SecretDecode', data: text('abc') }] })),
  inPDF('filter-crypt', 'One encrypted stream.', unscannable, () => report({ more: [{ dictionary: '/Filter /Crypt /DecodeParms << /Name /Hidden >>', data: text('abc') }] })),
  inPDF('filter-twice', 'Two keys for the filter of one stream.', unscannable, () => report({ more: [{ dictionary: '/Filter /ASCIIHexDecode /Filter /FlateDecode', data: deflateSync('abc') }] })),
  inPDF('filter-bomb', 'A stream that is deflated twice: a hundred bytes become 24 MB.', unscannable, () => report({ more: [{ dictionary: '/Filter [/FlateDecode /FlateDecode]', data: deflateSync(deflateSync(Buffer.alloc(24_000_000))) }] })),
  inPDF('eicar-filters', 'EICAR under three filters.', malicious, () => report({ more: [{ dictionary: '/Filter [/ASCII85Decode /LZWDecode /FlateDecode]', data: ascii85(lzw(deflateSync(inert.eicar()))) }] })),
  inPDF('eicar-behind', 'EICAR behind the deflated data of a stream.', malicious, () => report({ more: [{ dictionary: '/Filter /FlateDecode', data: Buffer.concat([deflateSync('q Q'), inert.eicar()]) }] })),
  inPDF('length-lie', 'A stream that is not as long as it says.', unscannable, () => report({ more: [{ dictionary: '', data: text('abc'.repeat(200)), length: '17' }] })),
  inPDF('behind', 'A ZIP file behind the end: the document is both.', held, () => report(), () => ({ after: zipOf([{ name: 'a.txt', data: text('nothing') }]) })),
  inPDF('behind-program', 'A program behind the end.', malicious, () => report(), () => ({ after: inert.pe() })),
  inPDF('before', 'A page before the header, which PDF readers look for in the first KiB.', held, () => report(), () => ({ before: `<html><script>// nothing</script>${' '.repeat(200)}</html>\n` })),
  inPDF('between', 'Bytes between the objects that nothing explains.', unscannable, () => report(), () => ({ between: Buffer.from(Array.from({ length: 400 }, (_, index) => 0x80 + (index % 100))) })),
  make({ name: 'pdf-item', threat: 'A11', why: 'The document lies in an Item, where the standard has none.', expected: malicious, elements: () => withElements(ctSlice({ name: 'pdf-item', index: 0, count: 1, size: 64 }), ['0008,1140', 'SQ', [[['0042,0011', 'OB', pdfOf(report({ catalog: `/OpenAction ${launch}` }))], ['0042,0012', 'LO', 'application/pdf']]]]) }),
  inDocument('pdf', 'pdf-is-page', 'A page that says it is a PDF.', malicious, inert.html),
  inDocument('xml', 'pdf-is-xml', 'A PDF that says it is XML.', malicious, () => pdfOf(report())),
];

const cda = (body: string, { head = '<?xml version="1.0" encoding="UTF-8"?>', attributes = '' } = {}): string => `${head}\n<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" ${attributes}>\n<title>Report &amp; findings</title>\n<component>${body}</component>\n</ClinicalDocument>\n`;
const packed = (bytes: Uint8Array, type: string, more = ''): string => `<nonXMLBody><text mediaType="${type}" representation="B64" ${more}>${Buffer.from(bytes).toString('base64').replaceAll(/.{76}/g, '$&\n')}</text></nonXMLBody>`;
const structured = '<structuredBody><component><section><text>No fracture. See <linkHtml href="https://radiology.example/x">images</linkHtml>.<br/></text></section></component></structuredBody>';
const inCDA = (name: string, why: string, expected: Expected, words: () => string | Uint8Array): Recipe => inDocument('xml', `cda-${name}`, why, expected, () => {
  const content = words();
  return typeof content === 'string' ? Buffer.from(content, 'utf8') : content;
});

const clinical: readonly Recipe[] = [
  inCDA('report', 'A report as HL7 writes it.', clean, () => cda(structured)),
  inCDA('wide', 'The same in UTF-16 with its mark.', clean, () => Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(cda(structured, { head: '<?xml version="1.0" encoding="UTF-16"?>' }), 'utf16le')])),
  inCDA('pdf', 'A report whose body is a PDF.', clean, () => cda(packed(pdfOf(report()), 'application/pdf'))),
  inCDA('doctype', 'Definitions, with an entity that reads a file.', unscannable, () => cda('<x>&e;</x>', { head: '<?xml version="1.0"?><!DOCTYPE c [<!ENTITY e SYSTEM "file:///etc/passwd">]>' })),
  inCDA('entities', 'An entity that is defined nowhere in the document.', unscannable, () => cda('<x>&nbsp;</x>')),
  inCDA('stylesheet', 'A style sheet that is fetched and run by whoever shows the document.', unscannable, () => cda(structured, { head: '<?xml version="1.0"?><?xml-stylesheet type="text/xsl" href="x.xsl"?>' })),
  inCDA('include', 'XInclude under another prefix.', unscannable, () => cda('<a:include href="x"/>', { attributes: 'xmlns:a="http://www.w3.org/2001/XInclude"' })),
  inCDA('script', 'A script element of XHTML.', unscannable, () => cda('<h:script xmlns:h="http://www.w3.org/1999/xhtml">1</h:script>')),
  inCDA('link', 'A link that is a script, written with a reference and a tab in it.', unscannable, () => cda('<linkHtml href="java&#9;script:1">x</linkHtml>')),
  inCDA('handler', 'An attribute that answers to the mouse.', unscannable, () => cda('<paragraph onmouseover="x">1</paragraph>')),
  inCDA('utf7', 'UTF-7, in which markup is written as something else.', unscannable, () => cda('+ADw-script+AD4-', { head: '<?xml version="1.0" encoding="UTF-7"?>' })),
  inCDA('ebcdic', 'EBCDIC.', unscannable, () => cda(structured, { head: '<?xml version="1.0" encoding="IBM037"?>' })),
  inCDA('wide-unsaid', 'UTF-16 that does not say so.', held, () => Buffer.from(cda(structured), 'utf16le')),
  inCDA('broken', 'Elements that do not lie in each other.', unscannable, () => cda('<a><b></a></b>')),
  inCDA('program', 'A program as base64.', malicious, () => cda(packed(inert.pe(), 'application/octet-stream'))),
  inCDA('program-deflated', 'A program, deflated, as base64, and said to be text.', malicious, () => cda(packed(gzipSync(inert.pe()), 'text/plain', 'compression="GZ"'))),
  inCDA('disguised', 'A PDF that is said to be a picture.', malicious, () => cda(packed(pdfOf(report()), 'image/jpeg'))),
  inCDA('pdf-launch', 'A body that is a PDF which starts a program.', malicious, () => cda(packed(pdfOf(report({ catalog: `/OpenAction ${launch}` })), 'application/pdf'))),
];

function stl(triangles: number, attribute: (index: number) => number = () => 0): Buffer {
  const bytes = Buffer.alloc(84 + 50 * triangles);
  bytes.write('solid of numbers, in spite of its name', 'latin1');
  bytes.writeUInt32LE(triangles, 80);
  for (let index = 0; index < triangles; index++) {
    for (let number = 0; number < 12; number++) bytes.writeFloatLE(Math.sin(index + number), 84 + index * 50 + number * 4);
    bytes.writeUInt16LE(attribute(index), 84 + index * 50 + 48);
  }
  return bytes;
}
const facet = 'facet normal 0 0 1\n outer loop\n  vertex 0 0 0\n  vertex 1.5e0 0 0\n  vertex 0 -1 0\n endloop\nendfacet\n';
const model = '# written by a workstation\nmtllib heart.mtl\no heart\nv 0.0 0.0 0.0\nv 1 0 0\nv 0 1 0\nvn 0 0 1\nusemtl tissue\nf 1//1 2//1 3//1\n';

const models: readonly Recipe[] = [
  inDocument('stl', 'stl-binary', 'A model of exactly its triangles, with colours.', clean, () => stl(20, (index) => 0x8000 | index)),
  inDocument('stl', 'stl-text', 'A model as text.', clean, () => text(`solid heart\n${facet.repeat(4)}endsolid heart\n`)),
  inDocument('obj', 'obj-model', 'A model that names its materials.', clean, () => text(model)),
  inDocument('mtl', 'mtl-materials', 'Materials with a texture beside them.', clean, () => text('newmtl tissue\nKa 0.1 0.1 0.1\nKd 0.8 0.2 0.2\nd 1.0\nillum 2\nmap_Kd tissue.png\n')),
  inDocument('stl', 'stl-longer', 'More bytes than triangles.', malicious, () => Buffer.concat([stl(4), Buffer.alloc(70, 0x41)])),
  inDocument('stl', 'stl-attributes', 'A program in the two bytes that each triangle has for its colour.', malicious, () => {
    const program = inert.pe();
    return stl(program.length / 2, (index) => program.readUInt16LE(index * 2));
  }),
  inDocument('stl', 'stl-grammar', 'Text that begins as a solid and goes on as something else.', malicious, () => text(`solid x\n${facet}echo off\nendsolid\n`)),
  inDocument('obj', 'obj-command', 'The line that runs a command.', malicious, () => text(`${model}csh del x\n`)),
  inDocument('obj', 'obj-call', 'The line that reads another file.', unscannable, () => text(`${model}call other.obj\n`)),
  inDocument('obj', 'obj-share', 'Materials on another computer.', unscannable, () => text(model.replace('heart.mtl', '\\\\host\\share\\heart.mtl'))),
  inDocument('mtl', 'mtl-address', 'A texture that is an address.', unscannable, () => text('newmtl a\nmap_Kd https://example.org/a.png\n')),
  inDocument('obj', 'obj-binary', 'A program that says it is a model.', malicious, inert.pe),
];

const png = (): Buffer => Buffer.from('89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b550000000a49444154789c636000000002000148afa4710000000049454e44ae426082', 'hex');
const program = { name: 'evil.exe', data: inert.pe() };
const nested = (levels: number, inner: Buffer): Buffer => (levels === 0 ? inner : zipOf([{ name: `level${levels}.zip`, data: nested(levels - 1, inner), stored: true }]));

/** MS-OVBA: a chunk of literals only, eight to a flag byte. */
function module(source: string): Buffer {
  const pieces: Buffer[] = [];
  for (let at = 0; at < source.length; at += 8) pieces.push(Buffer.from([0]), text(source.slice(at, at + 8)));
  const chunk = Buffer.concat(pieces);
  const header = Buffer.from([1, 0, 0]);
  header.writeUInt16LE(0xb000 | (chunk.length - 1), 1);
  return Buffer.concat([header, chunk]);
}
/** What the packager of Windows makes of a file. */
function packedFile(name: string, data: Uint8Array): Buffer {
  const size = Buffer.alloc(4);
  size.writeUInt32LE(data.length);
  return Buffer.concat([Buffer.from([0, 0, 0, 0, 2, 0]), text(`${name}\0C:\\${name}\0`), Buffer.from([0, 0, 3, 0, 4, 0, 0, 0]), text('abc\0'), size, data]);
}

const containers: readonly Recipe[] = [
  inValue('gzip-value', 'A record that its vendor compresses: not a container of files.', clean, () => gzipOf(text('SliceThickness=5\n'.repeat(40)))),
  inValue('picture-value', 'A small picture as private value.', clean, png),
  inValue('zip-program', 'A program in an archive, which is named.', malicious, () => zipOf([{ name: 'readme.txt', data: text('nothing') }, program])),
  inValue('zip-nested', 'A program in an archive in an archive in an archive.', malicious, () => nested(2, zipOf([program]))),
  inValue('zip-deep', 'An archive deeper than is looked at.', unscannable, () => nested(8, zipOf([{ name: 'a.txt', data: text('nothing') }]))),
  inValue('zip-hidden', 'A program that the list at the end does not name.', malicious, () => zipOf([{ name: 'a.txt', data: text('nothing') }, { ...program, unlisted: true }])),
  inValue('zip-behind', 'A program behind the data of an entry.', malicious, () => zipOf([{ name: 'a.txt', data: text('nothing'), behind: inert.pe() }])),
  inValue('zip-unlisted', 'An archive without the list at its end.', malicious, () => zipOf([program]).subarray(0, -90)),
  inValue('zip-prefixed', 'Something before the first entry.', unscannable, () => Buffer.concat([zipOf([{ name: 'a.txt', data: text('nothing') }]), zipOf([{ name: 'b.txt', data: text('nothing') }])])),
  inValue('zip-names', 'One entry, two names.', unscannable, () => zipOf([{ name: 'a.txt', listedName: 'b.exe', data: text('nothing') }])),
  inValue('zip-slip', 'An entry that would be put elsewhere.', unscannable, () => zipOf([{ name: '../../startup/a.txt', data: text('nothing') }])),
  inValue('zip-link', 'An entry that is a symbolic link.', unscannable, () => zipOf([{ name: 'a', data: text('/etc/passwd'), mode: 0o120777 }])),
  inValue('zip-encrypted', 'An encrypted entry.', unscannable, () => zipOf([{ name: 'a.txt', data: text('nothing'), flags: 1 }])),
  inValue('zip-bomb', 'An archive that becomes a thousand times as much.', unscannable, () => zipOf([{ name: 'a', data: Buffer.alloc(120_000_000) }])),
  inValue('zip-macros', 'An office document with macros.', held, () => zipOf([{ name: '[Content_Types].xml', data: text('<Types/>') }, { name: 'word/vbaProject.bin', data: compoundOf([{ name: 'dir', data: text('x') }], { storages: ['VBA'] }) }])),
  inValue('tar-program', 'A program in a tar file.', malicious, () => tarOf([{ name: 'a.txt', data: text('nothing') }, { name: 'evil.exe', data: inert.pe() }])),
  inValue('tar-link', 'A tar file with a link out of itself.', unscannable, () => tarOf([{ name: 'a', type: '2', link: '/etc/passwd' }])),
  inValue('gzip-tar-program', 'A program in a compressed tar file.', malicious, () => gzipOf(tarOf([{ name: 'evil.exe', data: inert.pe() }]), 'a.tar')),
  inValue('gzip-member', 'A program in the second member of a gzip stream.', malicious, () => Buffer.concat([gzipOf(text('nothing')), gzipOf(inert.pe())])),
  inValue('ole-macros', 'An old office document with macros that start a program.', malicious, () => compoundOf([{ name: 'Module1', data: module('Attribute VB_Name = "Module1"\r\nSub AutoOpen()\r\nCreateObject("WScript.Shell").Run "x"\r\nEnd Sub\r\n') }], { storages: ['VBA'] })),
  inValue('ole-packed', 'A program packed into an old office document.', malicious, () => compoundOf([{ name: '\u0001Ole10Native', data: packedFile('evil.exe', inert.pe()) }])),
  inValue('ole-circle', 'A document whose streams run in circles.', unscannable, () => compoundOf([{ name: 'WordDocument', data: text('x') }], { loop: true })),
  inValue('rtf-object', 'A program packed into an RTF document.', malicious, () => text(`{\\rtf1 Report {\\object\\objemb{\\*\\objdata 01050000${compoundOf([{ name: '\u0001Ole10Native', data: packedFile('evil.exe', inert.pe()) }]).toString('hex')}}}}`)),
  inValue('picture-archive', 'A picture that an archive with a program follows.', malicious, () => Buffer.concat([png(), zipOf([program])])),
  inValue('xz-value', 'A container that nobody here opens.', unscannable, () => Buffer.concat([Buffer.from('fd377a585a000004e6d6b446', 'hex'), Buffer.alloc(60, 7)])),
];

const all = [...pdfs, ...clinical, ...models, ...containers];
export const benignDocuments: readonly Recipe[] = all.filter((recipe) => recipe.threat === 'benign');
export const documents: readonly Recipe[] = all.filter((recipe) => recipe.threat !== 'benign');
