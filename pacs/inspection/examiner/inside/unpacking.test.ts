/** What is inside of what is inside is found, named and bounded; what conforms says nothing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BytesSource } from '@lazaret/dicom/dataset/bytes.ts';
import { mapObject } from '@lazaret/dicom/filemap/map.ts';
import { verdictTable } from '../../verdict.ts';
import { zipOf } from '../../../../tools/recipes/archives.ts';
import { benignDocuments, documents } from '../../../../tools/recipes/documents.ts';
import { withElements } from '../../../../tools/recipes/encode.ts';
import { pe } from '../../../../tools/recipes/inert.ts';
import { make } from '../../../../tools/recipes/make.ts';
import { smallCT } from '../../../../tools/recipes/objects.ts';
import { clean, type Recipe } from '../../../../tools/recipes/recipe.ts';
import type { Work } from '../../../quarantine/contract.ts';
import { checkContent } from '../content.ts';
import { concealedParts } from '../contentconcealed.ts';
import { checkPart } from '../contentmagic.ts';
import { inflateRaw } from '../inflate.ts';
import { Reading } from '../reading.ts';
import { Budget } from './contract.ts';
import { partsOf } from './unpacking.ts';

const work = { objectId: '', bytes: 0, sha256: '', sopClassUID: '', sopInstanceUID: '', transferSyntaxUID: '', peer: null } as unknown as Work;

/** The rules without an engine, and the names of all parts. */
function unpack(bytes: Uint8Array, budget = new Budget()): { readonly findings: readonly string[]; readonly parts: readonly string[] } {
  const reading = new Reading(mapObject(new BytesSource(bytes), { inflateRaw }), work);
  checkContent(reading);
  for (const part of concealedParts(reading)) checkPart(reading, part);
  const parts: string[] = [];
  for (const part of partsOf(reading, budget)) {
    parts.push(part.name);
    checkPart(reading, part);
  }
  for (const finding of reading.findings) assert.ok(verdictTable.has(finding.code), finding.code);
  return { findings: reading.findings.map((finding) => `${finding.code}: ${finding.text}`), parts };
}

const named = (name: string): Recipe => [...documents, ...benignDocuments].find((recipe) => recipe.name === name)!;

test('documents that conform say nothing', () => {
  for (const recipe of benignDocuments) assert.deepEqual(unpack(recipe.bytes()).findings, [], recipe.name);
});

test('everything else says something, before any engine has looked', () => {
  for (const recipe of documents.filter((each) => !each.name.startsWith('pdf-eicar'))) assert.notDeepEqual(unpack(recipe.bytes()).findings, [], recipe.name);
});

test('a finding names the way to the part', () => {
  const wanted: readonly (readonly [recipe: string, text: string])[] = [
    ['zip-program', 'executable-content: Part evil.exe of the ZIP file in (0029,1020) begins as a Windows or DOS program does.'],
    ['zip-nested', 'executable-content: Part evil.exe of the ZIP file in part level1.zip of the ZIP file in part level2.zip of the ZIP file in (0029,1020) begins as a Windows or DOS program does.'],
    ['zip-hidden', 'executable-content: Part evil.exe of the ZIP file in (0029,1020) begins as a Windows or DOS program does.'],
    ['tar-program', 'executable-content: Part evil.exe of the tar file in (0029,1020) begins as a Windows or DOS program does.'],
    ['picture-archive', 'executable-content: Part evil.exe of the ZIP file in what follows of the PNG picture in (0029,1020) begins as a Windows or DOS program does.'],
    ['pdf-embedded-program', 'executable-content: Embedded file 7 of the PDF document in (0042,0011) begins as a Windows or DOS program does.'],
    ['pdf-embedded-pdf', 'document-launches: The PDF document in embedded file 7 of the PDF document in (0042,0011) starts a program when it is opened or clicked (Launch).'],
    ['pdf-javascript-packed', 'document-active: The PDF document in (0042,0011) has active parts: a script (JavaScript).'],
    ['cda-pdf-launch', 'document-launches: The PDF document in content 1 (text) of the XML document in (0042,0011) starts a program when it is opened or clicked (Launch).'],
    ['ole-packed', 'executable-content: Part evil.exe packed in Ole10Native of the OLE document in (0029,1020) begins as a Windows or DOS program does.'],
    ['stl-attributes', 'executable-content: The attribute bytes of the STL model in (0042,0011) begins as a Windows or DOS program does.'],
  ];
  for (const [recipe, text] of wanted) assert.ok(unpack(named(recipe).bytes()).findings.includes(text), `${recipe}: ${unpack(named(recipe).bytes()).findings.join('\n')}`);
});

test('a script is given as it runs, and macros as they were written', () => {
  assert.ok(unpack(named('pdf-javascript').bytes()).parts.includes('script 1 of the PDF document in (0042,0011)'));
  assert.ok(unpack(named('ole-macros').bytes()).parts.includes('macros in Module1 of the OLE document in (0029,1020)'));
});

const inValue = (bytes: Uint8Array): Uint8Array => make({ name: 'unpacking', threat: '', why: '', expected: clean, elements: () => withElements(smallCT('unpacking'), ['0029,0010', 'LO', 'ACME 1.1'], ['0029,1020', 'OB', bytes]) }).bytes();

test('depth ends, and is told', () => {
  let archive: Buffer = zipOf([{ name: 'evil.exe', data: pe() }]);
  for (let level = 0; level < 40; level += 1) archive = zipOf([{ name: 'a.zip', data: archive }]);
  const { findings, parts } = unpack(inValue(archive));
  assert.ok(findings.some((text) => text.startsWith('part-limit')), findings.join('\n'));
  assert.ok(parts.length <= 8, parts.join('\n'));
});

test('an object has one limit, however many containers it is spread over', () => {
  const big = zipOf([{ name: 'a', data: Buffer.alloc(600_000) }]);
  const { findings, parts } = unpack(inValue(zipOf(Array.from({ length: 20 }, (_, index) => ({ name: `${index}.zip`, data: big })))), new Budget({ bytes: 4_000_000 }));
  assert.match(findings.join('\n'), /part-limit: .* unpacks to more than/);
  assert.ok(parts.filter((name) => name.includes('ZIP file')).length < 16);
});

test('names of parts cannot write on other lines, and are not longer than a line', () => {
  const { parts } = unpack(inValue(zipOf([{ name: `a\n\u001b[2J${'b'.repeat(5000)}.txt`, data: Buffer.from('nothing at all') }])));
  assert.match(parts[0]!, /^part a\?\?\[2Jb+….{19} of the ZIP file in \(0029,1020\)$/);
});

test('values that begin as nothing are not taken for anything', () => {
  for (const start of ['', 'PK', '%PDX-', '\xd0\xcf\x11', 'BM', 'GIF', '\x89PN', '{\\r', '<htm']) {
    assert.deepEqual(unpack(inValue(Buffer.concat([Buffer.from(start, 'latin1'), Buffer.alloc(500, 0x20)]))).parts, [], start);
  }
});
