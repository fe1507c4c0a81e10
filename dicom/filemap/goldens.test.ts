/**
 * Goldens: goldens/NAME.hex (an object as hexadecimal digits with comments) and goldens/NAME.map (its file map as text).
 * After a change that is meant: UPDATE_GOLDENS=1 node --test dicom/filemap/goldens.test.ts, and read the difference.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { BytesSource } from '../dataset/bytes.ts';
import { fuzzTools } from './fuzz.ts';
import { mapObject } from './map.ts';
import { mapText } from './text.ts';

const folder = new URL('goldens/', import.meta.url);

/** Digits in any grouping; "#" begins a comment; "'text'" stands for its bytes; "128*00" repeats a byte. */
function bytesOf(text: string): Uint8Array {
  const out: number[] = [];
  for (const line of text.split('\n')) {
    for (const [, quoted, times, repeated, hex] of line.replace(/#.*$/, '').matchAll(/'([^']*)'|(\d+)\*([0-9a-f]{2})|([0-9a-f]{2})/g)) {
      if (quoted !== undefined) out.push(...[...quoted].map((letter) => letter.charCodeAt(0)));
      else if (times !== undefined) for (let left = Number(times); left > 0; left -= 1) out.push(Number.parseInt(repeated!, 16));
      else out.push(Number.parseInt(hex!, 16));
    }
  }
  return Uint8Array.from(out);
}

const names = readdirSync(folder).filter((name) => name.endsWith('.hex'));

test('there are goldens', () => {
  assert.ok(names.length >= 8);
});

for (const name of names) {
  test(name, () => {
    const text = mapText(mapObject(new BytesSource(bytesOf(readFileSync(new URL(name, folder), 'utf8'))), fuzzTools));
    const golden = new URL(name.replace('.hex', '.map'), folder);
    if (process.env['UPDATE_GOLDENS'] === '1') writeFileSync(golden, text);
    assert.ok(existsSync(golden), 'the other half of the pair');
    assert.equal(text, readFileSync(golden, 'utf8'));
  });
}
