import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { generateDictionary } from './dictionary.ts';

test('dicom/dictionary/generated.ts is what its inputs make', () => {
  assert.equal(readFileSync(new URL('../../dicom/dictionary/generated.ts', import.meta.url), 'utf8'), generateDictionary());
});
