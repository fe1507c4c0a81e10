/** A few thousand damaged documents and containers: nothing throws but the limit, nothing runs on, and no part is larger than parts may be. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compoundOf, gzipOf, tarOf, zipOf } from '../../../../tools/recipes/archives.ts';
import { randomOf } from '../../../../tools/recipes/phantom.ts';
import { ascii85, asciiHex, flate, lzw, pdfOf, report } from '../../../../tools/recipes/pdfs.ts';
import { openXML } from './cda.ts';
import { openCompound } from './compound.ts';
import { Budget, LimitReached, partBytesMax, type Opener } from './contract.ts';
import { openGzip } from './gzip.ts';
import { openMTL, openOBJ, openSTL } from './models.ts';
import { openPDF } from './pdf/pdf.ts';
import { openBMP, openGIF, openJPEG, openPNG } from './pictures.ts';
import { openPage, openRTF } from './richtext.ts';
import { openTar } from './tar.ts';
import { openZip } from './zip.ts';

const text = (content: string): Buffer => Buffer.from(content, 'latin1');
const file = { name: 'a.txt', data: text('nothing of interest '.repeat(20)) };

const seeds: readonly (readonly [name: string, opener: Opener, bytes: Buffer])[] = [
  ['pdf', openPDF, pdfOf(report({ catalog: '/OpenAction 6 0 R /Names << /JavaScript 7 0 R >>', more: ['<< /S /GoTo /D [3 0 R /Fit] /Next 6 0 R >>', flate('/Type /EmbeddedFile', 'abc')] }))],
  ['pdf packed', openPDF, pdfOf(report({ more: [{ dictionary: '/Filter [/ASCII85Decode /LZWDecode]', data: ascii85(lzw(text('q Q '.repeat(99)))) }, { dictionary: '/Filter /ASCIIHexDecode', data: asciiHex(text('BT ET')) }] }), { packed: new Map([[9, '<< /A [1 2 << /B (x) >>] >>'], [10, '[4 0 R]']]) })],
  ['zip', openZip, zipOf([file, { ...file, name: 'b.txt', stored: true }])],
  ['tar', openTar, tarOf([file, { name: 'x', type: 'x', data: text('20 path=some/name\n') }, { ...file, name: 'b.txt' }])],
  ['gzip', openGzip, Buffer.concat([gzipOf(file.data, 'a'), gzipOf(file.data)])],
  ['ole', openCompound, compoundOf([{ name: 'WordDocument', data: file.data }, { name: '\u0001Ole10Native', data: file.data }], { storages: ['VBA'] })],
  ['xml', openXML, text('<?xml version="1.0" encoding="UTF-8"?>\n<a xmlns="urn:hl7-org:v3"><b c="d">e &amp; f</b><!-- g --><text representation="B64" compression="DF">SyxKzkxWBgA=</text><![CDATA[h]]></a>')],
  ['stl', openSTL, text('solid a\nfacet normal 0 0 1\nouter loop\nvertex 0 0 0\nvertex 1 0 0\nvertex 0 1 0\nendloop\nendfacet\nendsolid a\n')],
  ['obj', openOBJ, text('mtllib a.mtl\nv 0 0 0\nv 1 0 0\nf 1 2 \\\n 3\n')],
  ['mtl', openMTL, text('newmtl a\nKd 1 1 1\nmap_Kd a.png\n')],
  ['rtf', openRTF, text(`{\\rtf1 a {\\object\\objemb{\\*\\objdata ${'01050000'.repeat(30)}}}{\\field{\\*\\fldinst{HYPERLINK x}}}}`)],
  ['page', openPage, text(`<html><body><img src="data:image/png;base64,${'QUJD'.repeat(40)}"><p onclick=x>1</p></body></html>`)],
  ['jpeg', openJPEG, Buffer.from(`ffd8ffe10050${'41'.repeat(78)}ffda0008010100003f00aaff00bbffd012ffd9`, 'hex')],
  ['png', openPNG, Buffer.from('89504e470d0a1a0a0000000b7a54587441000078daabaa0200016b00f4000000000000000049454e44ae426082', 'hex')],
  ['gif', openGIF, Buffer.from('47494638396101000100800000000000ffffff21fe03414243002c00000000010001000002024401003b', 'hex')],
  ['bmp', openBMP, Buffer.concat([text('BM'), Buffer.from([70, 0, 0, 0]), Buffer.alloc(80)])],
];

/** What a hostile writer does: other bytes, other lengths, cuts, repetitions, and words of the format in the wrong place. */
const fragments = ['<<', '>>', '[', ']', '(', ')', 'stream', 'endstream', 'endobj', '9 0 obj', '/Length 4294967295', '6 0 R', '%', '#', '<!--', ']]>', '<![CDATA[', '&#x41;', 'PK\x03\x04', 'PK\x01\x02', 'PK\x05\x06', '\xff\xff\xff\xff', '\0\0\0\0', '\\bin', '{', '}', '-1', '1e99', '\n'];

function mutate(bytes: Buffer, random: () => number): Buffer {
  let out = Buffer.from(bytes);
  const at = (): number => Math.floor(random() * out.length);
  for (let count = 1 + Math.floor(random() * 4); count > 0; count -= 1) {
    const [from, to] = [at(), at()].toSorted((one, other) => one - other) as [number, number];
    switch (Math.floor(random() * 6)) {
      case 0: out[from] = Math.floor(random() * 256); break;
      case 1: out[from]! ^= 1 << Math.floor(random() * 8); break;
      case 2: out = out.subarray(0, to); break;
      case 3: out = Buffer.concat([out.subarray(0, from), out.subarray(from, to), out.subarray(from)]); break;
      case 4: out = Buffer.concat([out.subarray(0, from), out.subarray(to)]); break;
      default: out = Buffer.concat([out.subarray(0, from), text(fragments[Math.floor(random() * fragments.length)]!), out.subarray(from)]);
    }
    if (out.length === 0) out = Buffer.from(bytes);
  }
  return out;
}

/** Enough for any of the seeds a hundred times over; a loop without end takes more. */
const stepsMax = 2_000_000;
const runs = 250;

for (const [name, opener, seed] of seeds) {
  test(`${name}: ${runs} mutations`, () => {
    const random = randomOf(name.length * 7919 + seed.length);
    for (let run = 0; run < runs; run += 1) {
      const bytes = mutate(seed, random);
      let parts = 0;
      try {
        for (const inner of opener({ bytes, budget: new Budget({ steps: stepsMax }), say: (_, predicate) => assert.ok(predicate.length < 400, predicate) })) {
          parts += 1;
          assert.ok(inner.bytes.length <= partBytesMax && inner.name.length < 200, inner.name);
          assert.doesNotMatch(inner.name, /[\u0000-\u001f\u007f]/);
        }
      } catch (error) {
        if (error instanceof LimitReached) assert.fail(`run ${run} of ${name} reached a limit: ${error.message}`);
        throw new Error(`run ${run} of ${name}: ${(error as Error).stack}\n${bytes.toString('hex').slice(0, 2000)}`, { cause: error });
      }
      assert.ok(parts < 1000, `run ${run} of ${name}: ${parts} parts`);
    }
  });
}
