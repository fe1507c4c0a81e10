import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { coatFor, newEncryption, type Coat } from './sealing.ts';

const passphrase = 'long enough to be one';
const made = newEncryption(passphrase);

async function collect(source: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of source) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}
async function* inPieces(bytes: Buffer, length: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
}
const open = (coat: Coat, name: string, bytes: Buffer): Promise<Buffer> => collect(coat.open(name, inPieces(bytes, 10_007)));

test('what is sealed comes out as it went in, with the length that was foretold', async () => {
  const { coat, encryption } = await made;
  const again = await coatFor(JSON.parse(JSON.stringify(encryption)), passphrase);
  for (const length of [0, 1, 15, 65_535, 65_536, 65_537, 131_072, 200_000]) {
    const bytes = randomBytes(length);
    const sealed = await collect(coat.seal('name', inPieces(bytes, 7_001)));
    assert.equal(sealed.length, coat.lengthOf(length));
    assert.ok((await open(again, 'name', sealed)).equals(bytes), `${length} bytes`);
  }
  assert.equal(coat.nameOf('a'), again.nameOf('a'));
});

test('no byte can be changed, no piece left out, moved or taken from another file', async () => {
  const { coat } = await made;
  const sealed = await collect(coat.seal('name', inPieces(randomBytes(200_000), 65_536)));
  const piece = 65_536 + 16;
  const refuse = (bytes: Buffer, name = 'name'): Promise<void> => assert.rejects(open(coat, name, bytes), { code: 'backup-damaged' });
  for (const at of [0, 7, 8, 39, 40, 41, 40 + piece - 1, 40 + piece, sealed.length - 1]) {
    const changed = Buffer.from(sealed);
    changed[at] = changed[at]! ^ 1;
    await refuse(changed);
  }
  for (const length of [0, 39, 40, 40 + piece, 40 + 2 * piece, sealed.length - 1]) await refuse(sealed.subarray(0, length));
  await refuse(Buffer.concat([sealed.subarray(0, 40), sealed.subarray(40 + piece, 40 + 2 * piece), sealed.subarray(40, 40 + piece), sealed.subarray(40 + 2 * piece)]));
  await refuse(Buffer.concat([sealed.subarray(0, 40), sealed.subarray(40 + piece)]));
  await refuse(Buffer.concat([sealed, Buffer.from([0])]));
  await refuse(sealed, 'another name');
});

test('a wrong passphrase is told from damage, a weak one is not taken, and a marker cannot ask for more than there is', async () => {
  const { encryption } = await made;
  await assert.rejects(coatFor(encryption, 'not the one that it was'), { code: 'passphrase-wrong' });
  await assert.rejects(newEncryption('short'), { code: 'passphrase-weak' });
  for (const change of [{ memory: 2 ** 31 }, { passes: 1e9 }, { parallelism: 0 }, { memory: 1 }, { salt: '' }, { kdf: 'none' }, { check: 4 }]) {
    await assert.rejects(coatFor({ ...encryption, ...change }, passphrase), { code: 'backup-damaged' });
  }
  for (const value of [null, 4, 'x', []]) await assert.rejects(coatFor(value, passphrase), { code: 'backup-damaged' });
});
