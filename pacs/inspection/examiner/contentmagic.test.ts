/** What an object may not be at the same time: by its first bytes, before and after the Data Set, and at the start of a value. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { BytesSource } from '@lazaret/dicom/dataset/bytes.ts';
import { mapObject } from '@lazaret/dicom/filemap/map.ts';
import { encode, withElements, type Element } from '../../../tools/recipes/encode.ts';
import * as inert from '../../../tools/recipes/inert.ts';
import { make, type Ingredients } from '../../../tools/recipes/make.ts';
import { smallCT } from '../../../tools/recipes/objects.ts';
import { clean } from '../../../tools/recipes/recipe.ts';
import { checkMagic, checkPart } from './contentmagic.ts';
import { inflateRaw } from './inflate.ts';
import { Reading } from './reading.ts';

const work = { objectId: '', bytes: 0, sha256: '', sopClassUID: '', sopInstanceUID: '', transferSyntaxUID: '' } as unknown as ConstructorParameters<typeof Reading>[1];

function codes(also: Partial<Ingredients>): string[] {
  const bytes = make({ name: 'magic', threat: '', why: '', expected: clean, elements: () => smallCT('magic'), ...also }).bytes();
  const reading = new Reading(mapObject(new BytesSource(bytes), { inflateRaw }), work);
  checkMagic(reading);
  for (const part of reading.parts) checkPart(reading, part);
  return [...new Set(reading.findings.map(({ code }) => code))].toSorted();
}

const text = (words: string, before = 0): (() => Uint8Array) => () => Buffer.from(`${'nothing here. '.repeat(before)}${words}`);

test('pages and scripts after the Data Set are said, however far behind it and of whatever kind', () => {
  for (const words of ['<html><body>', '<SCRIPT src=x>', '<!DOCTYPE HTML>', '<svg onload=x>', '<?php x', '<hta:application>', '<iframe src=x>', '<job id=x>', 'x javascript:x', '@echo off\r\nstart x', 'Set x = CreateObject("x")', '#!/usr/bin/env x', '#!/bin/sh']) {
    for (const before of [0, 400]) assert.deepEqual(codes({ trailing: text(words, before) }), ['polyglot-content'].concat(words.startsWith('#!') && before === 0 ? ['executable-content'] : []).toSorted(), words);
    assert.deepEqual(codes({ trailing: () => encode([['FFFC,FFFC', 'OB', Buffer.from(words)]]) }).includes('polyglot-content'), true, words);
  }
  assert.deepEqual(codes({ trailing: text('a line that a printer left behind') }), []);
  assert.deepEqual(codes({ trailing: () => Buffer.alloc(5000) }), []);
});

test('programs beside the Data Set, plain, under a key and packed', () => {
  for (const program of [inert.pe(), inert.pe().map((byte) => byte ^ 9), gzipSync(Buffer.concat([Buffer.alloc(99, 32), inert.pe()]))]) {
    assert.ok(codes({ trailing: () => program }).includes('executable-content'), 'after');
    assert.ok(codes({ trailing: () => Buffer.concat([Buffer.alloc(9000, 1), program]) }).includes('executable-content'), 'far after');
    assert.ok(codes({ meta: [['0002,0100', 'UI', '2.25.7'], ['0002,0102', 'OB', program]] }).includes('executable-content'), 'before');
  }
});

test('values that begin as something else, in elements of all kinds and in sequences', () => {
  const starts: readonly (readonly [Uint8Array, string])[] = [[inert.elf(), 'executable-content'], [inert.machO(), 'executable-content'], [inert.wasm(), 'executable-content'], [inert.lnk(), 'executable-content'], [inert.rar(), 'container-content'], [inert.sevenZip(), 'container-content'], [inert.ole(), 'document-content'], [inert.pdf(), 'document-content']];
  for (const [bytes, code] of starts) {
    for (const element of [['0009,1001', 'OB', bytes], ['0009,1001', 'UT', bytes], ['0028,2000', 'OB', bytes], ['0040,0275', 'SQ', [[['0009,0010', 'LO', 'ACME 1.1'], ['0009,1001', 'UN', bytes]]]]] as Element[]) {
      assert.ok(codes({ elements: () => withElements(smallCT('magic'), ['0009,0010', 'LO', 'ACME 1.1'], element) }).includes(code), `${element[0]} ${code}`);
    }
  }
});

test('two letters that a text was decoded to are no program; at the start of a file in a container they are', () => {
  const reading = new Reading(mapObject(new BytesSource(make({ name: 'magic', threat: '', why: '', expected: clean, elements: () => smallCT('magic') }).bytes()), { inflateRaw }), work);
  const part = { name: 'x', bytes: Buffer.from('MZ and so on, a text of no meaning at all'), at: { offset: 0, length: 0 } };
  checkPart(reading, { ...part, guessed: true });
  checkPart(reading, { ...part, numbers: true });
  assert.deepEqual(reading.findings, []);
  checkPart(reading, part);
  checkPart(reading, { ...part, guessed: true, bytes: Buffer.from('#!/bin/sh\nx') });
  assert.deepEqual(reading.findings.map(({ code }) => code), ['executable-content', 'executable-content']);
});
