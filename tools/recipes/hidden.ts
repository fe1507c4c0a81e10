/** THREATS A1 to A7 and EICAR: something that runs, or another file, hidden in an object. All of it inert. */
import { deflateRawSync } from 'node:zlib';
import { encapsulate, encode, header, itemHeader, undefinedLength, withElements, withoutElements, type Element } from './encode.ts';
import * as inert from './inert.ts';
import { make, type Ingredients } from './make.ts';
import { ctSlice, secondaryCapture, smallCT, textItem, report } from './objects.ts';
import { clean, disarmed, malicious, held, type Expected, type Recipe } from './recipe.ts';
import { rleFrame } from './rle.ts';
import { randomOf, renderSlice } from './phantom.ts';

/** The preamble is not sent over an association: what arrives there is an ordinary object. */
function inPreamble(name: string, threat: string, why: string, preamble: () => Uint8Array, expected: Expected = malicious): Recipe {
  return make({ name, threat, why, expected, overAssociation: clean, preamble, elements: () => smallCT(name) });
}
function inDataSet(name: string, threat: string, why: string, more: () => readonly Element[], also: Partial<Ingredients> = {}): Recipe {
  return make({ name, threat, why, expected: malicious, elements: () => withElements(smallCT(name), ...more()), ...also });
}
function after(name: string, threat: string, why: string, trailing: () => Uint8Array, expected: Expected = malicious): Recipe {
  return make({ name, threat, why, expected, elements: () => smallCT(name), trailing });
}

/** Bytes that look like a vendor's record up to `offset`, and then the program. */
function behind(offset: number, program: Uint8Array, length = offset + program.length + 200): Uint8Array {
  const random = randomOf(offset);
  const bytes = Buffer.from(Uint8Array.from({ length: length + (length % 2) }, () => 32 + Math.floor(random() * 64)));
  bytes.set(program, offset);
  return bytes;
}

/**
 * PEDICOM as published: MZ in the preamble, the body of the program in (0009,0000) OB directly after group 2.
 * e_lfanew is the offset of that body in the file: 132 bytes, group 2, and the twelve of the element's header.
 */
function pedicom(name: string, preamble: boolean): Recipe {
  const elements = (): (Element | Uint8Array)[] => {
    const all = smallCT(name);
    const at = all.findIndex(([tag]) => tag > '0009');
    return [...all.slice(0, at), header('0009,0000', 'OB', inert.pe().length), inert.pe(), ...all.slice(at)];
  };
  const bodyAt = (): number => {
    const bytes = make({ name, threat: 'A1', why: '', expected: malicious, elements }).bytes();
    return Buffer.from(bytes).indexOf(inert.peHeader());
  };
  return make({
    name, threat: preamble ? 'A1' : 'A2', expected: malicious, elements,
    why: preamble ? 'A Windows program that is a DICOM file: the preamble points to its body in (0009,0000) OB.' : 'The same with a preamble of zeros: the body is still there to be carved out.',
    ...(preamble ? { preamble: () => inert.dosHeader(bodyAt()) } : {}),
  });
}

/** ELF header in the preamble whose program headers lie in a private element. */
function elfdicom(): Recipe {
  const programHeaders = Buffer.alloc(56);
  programHeaders.writeUInt32LE(1, 0);
  programHeaders.writeUInt32LE(5, 4);
  const elements = (): Element[] => withElements(smallCT('elfdicom'), ['0009,0010', 'LO', 'ACME 1.1'], ['0009,1001', 'OB', programHeaders]);
  const at = (): number => Buffer.from(make({ name: '', threat: '', why: '', expected: malicious, elements }).bytes()).indexOf(programHeaders);
  return make({ name: 'elfdicom', threat: 'A4', why: 'A Linux program that is a DICOM file: 64 bytes of header fit into the preamble, the loader finds the rest.', expected: malicious, overAssociation: { verdicts: ['clean', 'malicious'], disarmed: [] }, preamble: () => inert.elf(at(), 1), elements });
}

/** `CD001` where an ISO 9660 volume has it, 0x8001, in a value long enough to hold it there. */
function iso(): Recipe {
  const volume = Buffer.concat([Buffer.from([1]), Buffer.from('CD001'), Buffer.from([1, 0])]);
  const elements = (fill: number): Element[] => withElements(smallCT('iso-inside'), ['0009,0010', 'LO', 'ACME 1.1'], ['0009,1001', 'OB', Buffer.concat([Buffer.alloc(fill), volume, Buffer.alloc(4096)])]);
  const recipe = (fill: number): Recipe => make({ name: 'iso-inside', threat: 'A6', why: 'A disc image whose volume descriptor lies at 0x8000 of the file.', expected: held, overAssociation: { verdicts: ['clean', ...held.verdicts], disarmed: [] }, elements: () => elements(fill) });
  const far = Buffer.from(recipe(0x8000).bytes()).indexOf(volume);
  return recipe(0x8000 - (far - 0x8000));
}

const eicarIn = (name: string, why: string, more: () => readonly Element[], also: Partial<Ingredients> = {}): Recipe => inDataSet(`eicar-${name}`, 'eicar', why, more, also);
const creator: Element = ['0009,0010', 'LO', 'ACME 1.1'];

/** A pixel image with text in it at a row's start. */
function pixelsWith(text: Uint8Array): Uint8Array {
  const pixels = Buffer.from(renderSlice({ rows: 64, columns: 64, height: 0, seed: 3 }));
  pixels.set(text, 64 * 2 * 20);
  return pixels;
}

export const hidden: readonly Recipe[] = [
  inPreamble('preamble-pe', 'A1', 'MZ at offset 0; the PE header it points to lies outside the file.', () => inert.dosHeader(0x7ffffff0)),
  inPreamble('preamble-elf', 'A1', 'An ELF header in the preamble.', () => inert.elf()),
  inPreamble('preamble-macho', 'A1', 'A Mach-O header in the preamble.', inert.machO),
  inPreamble('preamble-macho-fat', 'A1', 'A universal Mach-O header (or a Java class) in the preamble.', inert.machOFat),
  inPreamble('preamble-dex', 'A1', 'An Android program in the preamble.', inert.dex),
  inPreamble('preamble-wasm', 'A1', 'A WebAssembly module in the preamble.', inert.wasm),
  inPreamble('preamble-shebang', 'A1', 'A script in the preamble: any Unix would run it up to the first byte that it does not understand.', inert.shebang),
  inPreamble('preamble-zm', 'A1', 'ZM is MZ to old loaders.', inert.zm),
  pedicom('pedicom', true),
  pedicom('pedicom-body', false),
  inDataSet('private-elf', 'A2', 'An ELF file as private value under a preamble of zeros.', () => [creator, ['0009,1001', 'OB', Buffer.concat([inert.elf(), Buffer.alloc(400)])]]),
  inDataSet('unknown-pe', 'A2', 'A PE file as value of VR UN.', () => [creator, ['0009,1001', 'UN', inert.pe()]]),
  inDataSet('public-bulk-pe', 'A2', 'A PE file as an ICC profile: a public element of VR OB.', () => [['0028,2000', 'OB', inert.pe()]]),
  inDataSet('group-length-oversized', 'A2', 'A Group Length of 600 bytes: the shape in which bodies are hidden.', () => [['0009,0000', 'OB', behind(88, inert.pe())]], { expected: held }),
  inDataSet('vendor-offset', 'A3', 'A program 3,000 bytes inside a value of a vendor that everyone lets through.', () => [['0009,0010', 'LO', 'GEMS_IDEN_01'], ['0009,1027', 'OB', behind(3000, inert.pe())]]),
  inDataSet('vendor-deep', 'A3', 'A program 40 KB inside a protocol record.', () => [['0029,0010', 'LO', 'SIEMENS CSA HEADER'], ['0029,1020', 'OB', behind(40_960, inert.pe(), 90_000)]]),
  elfdicom(),
  inPreamble('preamble-json', 'A5', 'A configuration of another program in the preamble, left open to swallow what follows.', () => Buffer.from('{"HttpPort":8042,"RemoteAccessAllowed":true,"LuaScripts":["/*'), { verdicts: ['clean', 'malicious'], disarmed: ['preamble'] }),
  inPreamble('preamble-lua', 'A5', 'Lua in the preamble, the rest commented out.', () => Buffer.from('os=os --[==['), { verdicts: ['clean', 'malicious'], disarmed: ['preamble'] }),
  inPreamble('preamble-ini', 'A5', 'A desktop entry or unit file in the preamble.', () => Buffer.from('[Service]\nExecStart=/bin/true\n#'), { verdicts: ['clean', 'malicious'], disarmed: ['preamble'] }),
  after('zip-appended', 'A6', 'A ZIP archive after the Data Set: ZIP is read from the end.', inert.zip),
  after('rar-appended', 'A6', 'A RAR archive after the Data Set.', inert.rar),
  after('7z-appended', 'A6', 'A 7z archive after the Data Set.', inert.sevenZip),
  after('pdf-appended', 'A6', 'A PDF after the Data Set.', inert.pdf),
  after('html-appended', 'A6', 'A page with a script after the Data Set: cut off, or held for the script.', inert.html, { verdicts: ['malicious', 'clean'], disarmed: ['trailing'] }),
  inPreamble('zip-preamble', 'A6', 'A ZIP archive that begins in the preamble.', () => inert.zip().subarray(0, 128)),
  inPreamble('pdf-preamble', 'A6', 'A PDF header in the preamble: readers look for it in the first KiB.', inert.pdf),
  inPreamble('html-preamble', 'A6', 'A page with a script in the preamble: what a browser that guesses types would run.', inert.html),
  make({ name: 'pdf-meta', threat: 'A6', why: 'A PDF header in the private information of group 2, still within the first KiB.', expected: malicious, overAssociation: clean, elements: () => smallCT('pdf-meta'), meta: [['0002,0100', 'UI', '2.25.7'], ['0002,0102', 'OB', inert.pdf()]] }),
  inDataSet('zip-private', 'A6', 'A ZIP archive as private value.', () => [creator, ['0009,1001', 'OB', inert.zip()]], { expected: held }),
  iso(),
  after('trailing-pe', 'A7', 'A program after the last element.', inert.pe),
  after('trailing-large', 'A7', 'More than 64 KiB of nothing in particular after the last element.', () => Buffer.from(behind(0, Buffer.from('....'), 70_000)), held),
  after('trailing-zeros', 'A7', 'A run of zero bytes after the last element, as some writers leave it: cut off.', () => Buffer.alloc(512), disarmed('trailing')),
  after('padding-pe', 'A7', 'A program as Data Set Trailing Padding.', () => encode([['FFFC,FFFC', 'OB', inert.pe()]])),
  inDataSet('private-script', 'A2', 'A shell script as private value.', () => [creator, ['0009,1001', 'OB', Buffer.concat([inert.shebang(), Buffer.alloc(200, 0x20)])]]),
  inDataSet('private-lnk', 'A2', 'A Windows shortcut as private value.', () => [creator, ['0009,1001', 'OB', inert.lnk()]]),
  inDataSet('private-ole', 'A2', 'An old Office document, which may hold macros, as private value.', () => [creator, ['0009,1001', 'OB', inert.ole()]], { expected: held }),

  eicarIn('private', 'EICAR in a private OB.', () => [creator, ['0009,1001', 'OB', inert.eicar()]]),
  eicarIn('unknown', 'EICAR in a value of VR UN.', () => [creator, ['0009,1001', 'UN', inert.eicar()]]),
  eicarIn('text', 'EICAR in a comment of VR LT.', () => [['0020,4000', 'LT', inert.eicar()]]),
  eicarIn('pixels', 'EICAR among native pixels.', () => [['7FE0,0010', 'OW', pixelsWith(inert.eicar())]]),
  make({ name: 'eicar-big-endian', threat: 'eicar', why: 'EICAR in a private OB of a big endian object.', syntax: 'big', expected: malicious, elements: () => withElements(smallCT('eicar-big-endian'), creator, ['0009,1001', 'OB', inert.eicar()]) }),
  after('eicar-trailing', 'eicar', 'EICAR after the last element.', inert.eicar),
  after('eicar-padding', 'eicar', 'EICAR as trailing padding.', () => encode([['FFFC,FFFC', 'OB', inert.eicar()]])),
  inPreamble('eicar-preamble', 'eicar', 'EICAR in the preamble.', inert.eicar),
  make({ name: 'eicar-meta', threat: 'eicar', why: 'EICAR in the private information of group 2.', expected: malicious, overAssociation: clean, elements: () => smallCT('eicar-meta'), meta: [['0002,0100', 'UI', '2.25.7'], ['0002,0102', 'OB', inert.eicar()]] }),
  make({ name: 'eicar-deflated', threat: 'eicar', why: 'EICAR in a deflated Data Set: no scanner of the file as it is can see it.', syntax: 'deflated', expected: malicious, elements: () => withElements(smallCT('eicar-deflated'), creator, ['0009,1001', 'OB', Buffer.concat([Buffer.alloc(300, 0x41), inert.eicar()])]), dataSet: (encoded) => padded(deflateRawSync(encoded)) }),
  make({
    name: 'eicar-fragment', threat: 'eicar', why: 'EICAR as a fragment of encapsulated Pixel Data.', syntax: 'rle', expected: malicious,
    elements: () => [...withoutElements(ctSlice({ name: 'eicar-fragment', index: 0, count: 1, size: 64 }), '7FE0,0010'), encapsulate([rleFrame(renderSlice({ rows: 64, columns: 64, height: 0, seed: 3 }), 1, 2, 64), inert.eicar()])],
  }),
  make({ name: 'eicar-nested', threat: 'eicar', why: 'EICAR in a report, six levels down.', expected: malicious, elements: () => report('eicar-nested', [nest(textItem('Finding', inert.eicar().toString('latin1')), 6)]) }),
  make({ name: 'eicar-colour', threat: 'eicar', why: 'EICAR in a colour image of 8-bit samples.', expected: malicious, elements: () => secondaryCapture('eicar-colour', { rows: 16, columns: 16, samples: 3, photometric: 'RGB' }, Buffer.concat([Buffer.alloc(99, 7), inert.eicar(), Buffer.alloc(768 - 99 - 68, 9)])) }),
  make({ name: 'eicar-sequence-unknown', threat: 'eicar', why: 'EICAR in a sequence that hides behind UN of undefined length.', expected: malicious, elements: () => withElements(smallCT('eicar-sequence-unknown'), creator).flatMap((element): (Element | Uint8Array)[] => (element === creator
    ? [element, header('0009,1001', 'UN', undefinedLength), itemHeader('FFFE,E000', undefinedLength), encode([['0009,0010', 'LO', 'ACME 1.1'], ['0009,1002', 'OB', inert.eicar()]], 'implicit'), itemHeader('FFFE,E00D', 0), itemHeader('FFFE,E0DD', 0)]
    : [element])) }),
];

function nest(item: ReturnType<typeof textItem>, levels: number): ReturnType<typeof textItem> {
  return levels === 0 ? item : nest([['0040,A010', 'CS', 'CONTAINS'], ['0040,A040', 'CS', 'CONTAINER'], ['0040,A050', 'CS', 'SEPARATE'], ['0040,A730', 'SQ', [item]]], levels - 1);
}
function padded(bytes: Buffer): Buffer {
  return bytes.length % 2 === 0 ? bytes : Buffer.concat([bytes, Buffer.alloc(1)]);
}
