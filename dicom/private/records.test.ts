/** Records of GE and Philips: as devices write them, damaged at each byte, and at random. The same checks must find readers with a bug in them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { geProtocol, kretzVolume, parameterFile, protocolLines } from '../../tools/recipes/records.ts';
import { readCSARecord } from './csa.ts';
import { readParameters } from './parameters.ts';
import { linesBesideProtocol, readProtocolBlock } from './protocol.ts';
import { rangesBeside, type VendorRecord } from './record.ts';
import { readVolume } from './volume.ts';

type Reader = (bytes: Uint8Array) => VendorRecord | null;

const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
const parameters = (): Buffer => parameterFile([['NAMES', 'text', ['head', 'feet']], ['ANGLE', 'float', [8, 12.5]], ['MATRIX', 'integer', [256, 192, 1]], ['PLANE', 'choice', [2]]]);
const whole: readonly (readonly [name: string, read: Reader, bytes: Buffer])[] = [['parameters', readParameters, parameters()], ['volume', readVolume, kretzVolume()]];

/** What holds of a record whatever the bytes were: all of it lies inside of them, and what is a value is not unexplained. Null where it holds. */
function broken(read: Reader, bytes: Uint8Array): string | null {
  let record: VendorRecord | null;
  try {
    record = read(bytes);
  } catch (error) {
    return `threw ${String(error)}`;
  }
  if (record === null) return null;
  const ranges = [...record.values, ...record.unexplained];
  if (ranges.some(({ offset, length }) => offset < 0 || length <= 0 || offset + length > bytes.length)) return 'a range lies outside';
  const overlapping = record.unexplained.some((one) => record.values.some((other) => one.offset < other.offset + other.length && other.offset < one.offset + one.length));
  return overlapping ? 'a value is unexplained' : null;
}

/** The first fault that the reader shows over each byte of a good record changed, cut and lengthened. */
function firstBroken(read: Reader, good: Uint8Array): string | null {
  for (let at = 0; at < good.length; at += 1) {
    for (const value of [0, 1, 0x7f, 0x80, 0xff]) {
      const changed = Uint8Array.from(good);
      changed[at] = value;
      const fault = broken(read, changed) ?? broken(read, changed.subarray(0, at)) ?? broken(read, Uint8Array.from([...changed.subarray(0, at), value, value, ...changed.subarray(at)]));
      if (fault !== null) return `byte ${at} = ${value}: ${fault}`;
    }
  }
  return null;
}

for (const [name, read, bytes] of whole) {
  test(`${name}: whole, nothing of it is unexplained; what follows is, exactly`, () => {
    const found = read(bytes);
    assert.deepEqual(found?.unexplained, []);
    assert.ok(found.values.length >= 4);
    assert.deepEqual(read(Buffer.concat([bytes, Buffer.alloc(900, 7)]))?.unexplained, [{ offset: bytes.length, length: 900 }]);
  });

  test(`${name}: no byte of it can make reading throw or end outside`, () => {
    assert.equal(firstBroken(read, bytes), null);
  });

  test(`${name}: random bytes behind a good beginning`, () => {
    fc.assert(fc.property(fc.nat(bytes.length), fc.uint8Array({ maxLength: 400 }), (length, tail) => broken(read, Buffer.concat([bytes.subarray(0, length), tail])) === null), { numRuns: 2000 });
  });
}

const canaries: Readonly<Record<string, Reader>> = {
  'a length is believed': (bytes) => (bytes.length < 32 ? null : { values: [{ offset: 32, length: new DataView(bytes.buffer, bytes.byteOffset).getUint32(28, true) }], unexplained: [] }),
  'what is read is unexplained as well': (bytes) => {
    const record = readParameters(bytes);
    return record === null ? null : { ...record, unexplained: [...record.unexplained, ...record.values.slice(0, 1)] };
  },
  'the end is not looked at': (bytes) => ({ values: [], unexplained: [{ offset: new DataView(bytes.buffer, bytes.byteOffset).getUint8(20), length: 1 }] }),
};
for (const [bug, read] of Object.entries(canaries)) test(`canary: ${bug}`, () => assert.notEqual(firstBroken(read, parameters()), null));

test('parameters: values are where they are said to be', () => {
  const bytes = parameters();
  const values = readParameters(bytes)!.values.map(({ offset, length }) => bytes.subarray(offset, offset + length));
  assert.equal(latin1(values[0]!).replaceAll(/\0+/g, ' '), 'head feet ');
  assert.deepEqual([values[1]!.readFloatLE(0), values[1]!.readFloatLE(4)], [8, 12.5]);
  assert.deepEqual([values[2]!.readInt32LE(0), values[3]!.readInt32LE(0)], [256, 2]);
});

test('parameters: a gap is unexplained; a value outside of the arrays, an unknown type and too many parameters are none', () => {
  const gap = parameterFile([['A', 'integer', [1]]], Buffer.alloc(500, 1));
  assert.deepEqual(readParameters(gap)?.unexplained, [{ offset: 82, length: 500 }]);
  const wrong = (at: number, value: number): Buffer => {
    const bytes = Buffer.from(parameters());
    bytes.writeUInt32LE(value, at);
    return bytes;
  };
  assert.equal(readParameters(wrong(32 + 46, 4)), null, 'a place in front of the arrays');
  assert.equal(readParameters(wrong(32 + 38, 1000)), null, 'more values than there are');
  assert.equal(readParameters(wrong(32 + 34, 3)), null);
  assert.equal(readParameters(wrong(28, 0x7fffffff)), null);
  assert.equal(readParameters(wrong(24, 9)), null);
  assert.equal(readParameters(new Uint8Array(32)), null);
});

test('volume: items that go beyond the end, and another magic, are none; without a last item it ends with the bytes', () => {
  const bytes = kretzVolume([[0x0150, 1, Buffer.alloc(300)]]);
  assert.equal(readVolume(bytes.subarray(0, -900)), null);
  assert.deepEqual(readVolume(bytes.subarray(0, -8))?.unexplained, []);
  assert.deepEqual(readVolume(bytes.subarray(0, -7))?.unexplained, [{ offset: bytes.length - 8, length: 1 }]);
  assert.equal(readVolume(Buffer.from(latin1(bytes).replace('1.0', '2.0'), 'latin1')), null);
});

test('protocol: where its stream begins and how long it is said to be', () => {
  const block = geProtocol(Buffer.from(protocolLines(20)));
  assert.deepEqual(readProtocolBlock(block), { streamAt: 4, declared: block.length - 4 });
  assert.deepEqual(readProtocolBlock(block.subarray(4)), { streamAt: 0, declared: null });
  assert.equal(readProtocolBlock(block.subarray(0, 20)), null);
  assert.equal(readProtocolBlock(block.subarray(1)), null);
});

test('protocol: lines of it, with and without `set`, blank lines and NULs; what is none', () => {
  const beside = (text: string): readonly string[] | null => {
    const bytes = Buffer.from(text, 'latin1');
    return linesBesideProtocol(bytes)?.map(({ offset, length }) => latin1(bytes.subarray(offset, offset + length))) ?? null;
  };
  assert.deepEqual(beside(protocolLines(10)), []);
  assert.deepEqual(beside(protocolLines(10, true)), []);
  assert.deepEqual(beside('set A "a \u00e9 "b" c"\r\n\n  \nB_2.x  "" \n\0\0'), []);
  assert.deepEqual(beside('A "1"\nnone of it\nneither\nB "2"\nC "\x01"\nD 3\nE "4'), ['none of it\nneither', 'C "\x01"\nD 3\nE "4']);
  assert.equal(beside('none of it\nA "1"'), null);
  assert.equal(beside(''), null);
  assert.deepEqual(beside(`A "1"\n${'K'.repeat(65)} "2"`)?.length, 1);
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (tail) => {
    const bytes = Buffer.concat([Buffer.from('A "1"\n'), tail]);
    return linesBesideProtocol(bytes)!.every(({ offset, length }) => offset >= 6 && length > 0 && offset + length <= bytes.length);
  }), { numRuns: 1000 });
});

test('ranges beside parts that overlap, touch and are missing', () => {
  assert.deepEqual(rangesBeside([{ offset: 4, length: 4 }, { offset: 0, length: 2 }, { offset: 6, length: 4 }], 12), [{ offset: 2, length: 2 }, { offset: 10, length: 2 }]);
  assert.deepEqual(rangesBeside([], 5), [{ offset: 0, length: 5 }]);
  assert.deepEqual(rangesBeside([{ offset: 0, length: 5 }], 5), []);
});

test('a CSA header is given as a record too', () => {
  assert.equal(readCSARecord(new Uint8Array(100)), null);
});
