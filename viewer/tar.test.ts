import assert from 'node:assert/strict';
import { test } from 'node:test';

type ReadTar = (bytes: Buffer) => Iterable<[string, Buffer]>;
const { readTar } = (await import(new URL('./tar.mjs', import.meta.url).href)) as { readTar: ReadTar };

function entry(name: string, content: string, type = '0', size = content.length): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write(size.toString(8).padStart(11, '0'), 124);
  header.write(type, 156);
  return Buffer.concat([header, Buffer.from(content.padEnd(Math.ceil(content.length / 512) * 512, '\0'))]);
}
const read = (...entries: Buffer[]): [string, string][] => [...readTar(Buffer.concat([...entries, Buffer.alloc(1024)]))].map(([name, bytes]) => [name, bytes.toString()]);

test('files by name, long names by pax, links and folders left out', () => {
  assert.deepEqual(read(entry('package/a', 'one'), entry('package/', '', '5'), entry('package/l', '', '2'), entry('x', '19 path=package/bb\n', 'x'), entry('short', 'two')), [['package/a', 'one'], ['package/bb', 'two']]);
});

test('names that leave the folder, and a size that leaves the archive, are refused', () => {
  for (const name of ['../x', '/x', 'a/../../x', 'a\\b']) assert.throws(() => read(entry(name, 'x')), /named/, name);
  assert.throws(() => [...readTar(entry('a', 'x', '0', 4096))], /damaged/);
});
