/** Readers of containers against what writers write: every entry comes out as it went in, and each strictness has its refusal. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { compoundOf, gzipOf, tarOf, zipOf } from '../../../../tools/recipes/archives.ts';
import { openCompound } from './compound.ts';
import { Budget, LimitReached, type Inner, type Opener } from './contract.ts';
import { openGzip } from './gzip.ts';
import { recognise } from './kinds.ts';
import { openGIF, openJPEG, openPNG } from './pictures.ts';
import { openTar } from './tar.ts';
import { openZip } from './zip.ts';

function open(opener: Opener, bytes: Buffer): { readonly inners: readonly Inner[]; readonly said: readonly string[] } {
  const said: string[] = [];
  const inners = [...opener({ bytes, budget: new Budget(), say: (code, text) => said.push(`${code}: ${text}`) })];
  return { inners, said };
}

const names = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,12}\.txt$/), { minLength: 1, maxLength: 12 });
const entries = names.chain((list) => fc.tuple(...list.map((name) => fc.record({ name: fc.constant(name), data: fc.uint8Array({ minLength: 1, maxLength: 3000 }), stored: fc.boolean() }))));

test('ZIP: entries come out as they went in, in the order in which they lie', () => {
  fc.assert(fc.property(entries, (list) => {
    const { inners, said } = open(openZip, zipOf(list));
    assert.deepEqual(said, []);
    assert.deepEqual(inners.map(({ name, bytes }) => [name, bytes.toString('hex')]), list.map(({ name, data }) => [`part ${name}`, Buffer.from(data).toString('hex')]));
  }), { numRuns: 100, seed: 7 });
});

test('tar: the same', () => {
  fc.assert(fc.property(entries, (list) => {
    const { inners, said } = open(openTar, tarOf(list));
    assert.deepEqual(said, []);
    assert.deepEqual(inners.map(({ name, bytes }) => [name, bytes.toString('hex')]), list.map(({ name, data }) => [`part ${name}`, Buffer.from(data).toString('hex')]));
  }), { numRuns: 100, seed: 7 });
});

test('OLE: streams come out as they went in', () => {
  const data = Buffer.from(Array.from({ length: 5000 }, (_, index) => index & 0xff));
  const { inners, said } = open(openCompound, compoundOf([{ name: 'WordDocument', data }, { name: 'Other', data: Buffer.alloc(4096, 7) }]));
  assert.deepEqual(said, []);
  assert.deepEqual(inners.map(({ name }) => name), ['stream WordDocument', 'stream Other']);
  assert.equal(inners[0]!.bytes.equals(data), true);
});

test('OLE: what no stream holds is a part', () => {
  const { inners } = open(openCompound, Buffer.concat([compoundOf([{ name: 'A', data: Buffer.alloc(4096, 1) }]), Buffer.alloc(512, 0x41)]));
  assert.equal(inners.at(-1)!.name, 'what no stream holds');
  assert.equal(inners.at(-1)!.bytes.includes('AAAA'), true);
});

test('ZIP: what readers could differ about is refused', () => {
  const file = { name: 'a.txt', data: Buffer.from('nothing') };
  const good = zipOf([file]);
  const wrong: readonly (readonly [bytes: Buffer, said: RegExp])[] = [
    [Buffer.concat([Buffer.from('x'), good]), /bytes before it/],
    [Buffer.concat([good, Buffer.from('xy')]), /no list of its entries|more than one end/],
    [zipOf([file], { comment: good }), /more than one end/],
    [zipOf([file, file]), /two entries of one name/],
    [zipOf([file, { ...file, name: 'A.TXT' }]), /two entries of one name/],
    [zipOf([{ ...file, name: 'C:\\a.txt' }]), /put elsewhere/],
    [zipOf([{ ...file, name: '/a.txt' }]), /put elsewhere/],
    [zipOf([{ ...file, mode: 0o060600 }]), /link or a device/],
    [zipOf([{ ...file, flags: 0x40 }]), /encrypted/],
    [zipOf([{ ...file, behind: Buffer.alloc(100, 0x41) }]), /list does not name/],
    [zipOf([{ ...file, unlisted: true }, { ...file, name: 'b.txt' }]), /list does not name/],
    [Buffer.from(good.toString('latin1').replace('PK\x03\x04\x14', 'PK\x03\x05\x14'), 'latin1'), /not where the list says/],
  ];
  for (const [bytes, said] of wrong) assert.match(open(openZip, bytes).said.join('\n'), said);
});

test('gzip: members, fields, checksum and what follows', () => {
  const member = gzipOf(Buffer.from('one'), 'one.txt');
  assert.deepEqual(open(openGzip, Buffer.concat([member, gzipSync('two'), Buffer.alloc(9)])).inners.map(({ name, bytes }) => [name, bytes.toString()]), [['part one.txt', 'one'], ['member 2', 'two']]);
  const broken = Buffer.from(member);
  broken.writeUInt8(broken.readUInt8(broken.length - 5) ^ 1, broken.length - 5);
  assert.match(open(openGzip, broken).said.join(), /checksum/);
  assert.match(open(openGzip, Buffer.concat([member, Buffer.alloc(100, 0x41)])).said.join(), /followed by 100 bytes/);
  assert.match(open(openGzip, member.subarray(0, -10)).said.join(), /too early|cannot be unpacked/);
});

test('tar: links, devices, damaged headers and what follows', () => {
  assert.match(open(openTar, tarOf([{ name: 'a', type: '1', link: 'b' }])).said.join(), /is a link/);
  assert.match(open(openTar, tarOf([{ name: 'a', type: '3' }])).said.join(), /is no file/);
  assert.match(open(openTar, tarOf([{ name: '../a', data: Buffer.from('x') }])).said.join(), /put elsewhere/);
  const damaged = tarOf([{ name: 'a', data: Buffer.from('x') }]);
  damaged[0] = 0x62;
  assert.match(open(openTar, damaged).said.join(), /damaged/);
  assert.match(open(openTar, Buffer.concat([tarOf([{ name: 'a', data: Buffer.from('x') }]), Buffer.from('more')])).said.join(), /followed by/);
  const long = tarOf([{ name: '././@LongLink', type: 'L', data: Buffer.from(`${'d/'.repeat(80)}x.exe\0`) }, { name: 'cut', data: Buffer.from('x') }]);
  assert.match(open(openTar, long).inners[0]!.name, /x\.exe$/);
});

test('pictures: what follows their end is a part', () => {
  const tail = Buffer.from('PK\x03\x04 and so on', 'latin1');
  const jpeg = Buffer.from('ffd8ffe000104a46494600010100000100010000ffda0008010100003f00aaff00bbffd012ffd9', 'hex');
  const gif = Buffer.from('47494638396101000100800000000000ffffff2c00000000010001000002024401003b', 'hex');
  const png = Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), Buffer.from('0000000049454e44ae426082', 'hex')]);
  for (const [opener, bytes] of [[openJPEG, jpeg], [openGIF, gif], [openPNG, png]] as const) {
    assert.deepEqual(open(opener, Buffer.concat([bytes, Buffer.alloc(3)])).inners, []);
    assert.equal(open(opener, Buffer.concat([bytes, tail])).inners.at(-1)!.bytes.equals(tail), true);
  }
  const text = Buffer.concat([Buffer.from('Comment\0\0'), deflateSync('hidden text')]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(text.length);
  const chunk = Buffer.concat([length, Buffer.from('zTXt'), text, Buffer.alloc(4)]);
  assert.equal(open(openPNG, Buffer.concat([png.subarray(0, 8), chunk, png.subarray(8)])).inners[0]!.bytes.toString(), 'hidden text');
});

test('kinds are told by their first bytes', () => {
  const kinds: readonly (readonly [string, string])[] = [
    ['PK\x03\x04', 'zip'], ['\x1f\x8b\x08', 'gzip'], ['\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1', 'compound'], ['{\\rtf1', 'rtf'], ['Rar!\x1a\x07', 'sealed'], ['BZh51AY&SY', 'sealed'], ['xx%PDF-1.4', 'pdf'], ['  <html>', 'page'], ['<svg ', 'page'],
  ];
  for (const [start, kind] of kinds) assert.equal(recognise(Buffer.concat([Buffer.from(start, 'latin1'), Buffer.alloc(600)]))?.kind, kind, start);
  assert.equal(recognise(Buffer.alloc(4096, 0x41)), null);
});

test('steps end what would take too long', () => {
  const many = zipOf(Array.from({ length: 200 }, (_, index) => ({ name: `${index}`, data: Buffer.from('x') })));
  assert.throws(() => [...openZip({ bytes: many, budget: new Budget({ steps: 50 }), say: () => {} })], LimitReached);
});
