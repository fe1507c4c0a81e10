/** CSA headers of both versions, whole and damaged. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readCSA } from './csa.ts';

interface Tag {
  readonly name: string;
  readonly items: readonly string[];
}

/** `excess` is what the first version adds to each length. */
function header(version: 1 | 2, tags: readonly Tag[], excess = tags[0]?.items.length ?? 0): Uint8Array {
  const bytes: number[] = [];
  const word = (value: number): unknown => bytes.push(value & 255, (value >> 8) & 255, (value >> 16) & 255, (value >> 24) & 255);
  const text = (value: string, length: number): unknown => bytes.push(...Array.from({ length }, (_, at) => (at < value.length ? value.charCodeAt(at) : 0)));
  if (version === 2) text('SV10\x04\x03\x02\x01', 8);
  word(tags.length);
  word(77);
  for (const { name, items } of tags) {
    text(`${name}\0 of the memory`, 64);
    word(1);
    text('IS', 4);
    word(6);
    word(items.length);
    word(205);
    for (const item of items) {
      if (version === 2) for (const value of [0, item.length, 77, 0]) word(value);
      else for (const value of [item.length + excess, 0, 77, 0]) word(value);
      text(item, Math.ceil(item.length / 4) * 4);
    }
  }
  return Uint8Array.from(bytes);
}

const tags: readonly Tag[] = [{ name: 'EchoTime', items: ['4.5', ''] }, { name: 'Empty', items: [] }, { name: 'MrPhoenixProtocol', items: ['<XProtocol>', 'x'] }];

for (const version of [1, 2] as const) {
  test(`version ${version}: names and values, and where it ends`, () => {
    const bytes = header(version, tags);
    const found = readCSA(Uint8Array.from([...bytes, 0, 0, 0, 0]))!;
    assert.equal(found.version, version);
    assert.equal(found.end, bytes.length);
    assert.deepEqual(found.tags.map(({ name }) => name), ['EchoTime', 'Empty', 'MrPhoenixProtocol']);
    const values = found.tags.map(({ items }) => items.map(({ offset, length }) => new TextDecoder('latin1').decode(bytes.subarray(offset, offset + length))));
    assert.deepEqual(values, [['4.5'], [], ['<XProtocol>', 'x']]);
  });

  test(`version ${version}: cut anywhere it is none, and nothing throws`, () => {
    const bytes = header(version, tags);
    for (let length = 0; length < bytes.length; length += 1) assert.equal(readCSA(bytes.subarray(0, length)), null, `${length} bytes`);
  });

  test(`version ${version}: no byte of it can make reading throw or end outside`, () => {
    const bytes = header(version, tags);
    for (let at = 0; at < bytes.length; at += 1) {
      for (const value of [0, 1, 0x7f, 0x80, 0xff]) {
        const changed = Uint8Array.from(bytes);
        changed[at] = value;
        const found = readCSA(changed);
        if (found === null) continue;
        assert.ok(found.end <= changed.length);
        for (const { items } of found.tags) for (const { offset, length } of items) assert.ok(offset >= 0 && length > 0 && offset + length <= changed.length);
      }
    }
  });
}

test('counts that no scanner writes are refused before they are gone through', () => {
  const bytes = header(2, tags);
  new DataView(bytes.buffer).setInt32(8, 1001, true);
  assert.equal(readCSA(bytes), null);
  const items = header(2, tags);
  new DataView(items.buffer).setInt32(16 + 76, 0x7fffffff, true);
  assert.equal(readCSA(items), null);
});
