import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BytesSource } from '../dataset/bytes.ts';
import { checkSpans } from './check.ts';
import { brokenInvariant, fuzz, fuzzTools, Random, seedObject, type Mapper } from './fuzz.ts';
import { mapObject } from './map.ts';

test('no mutation of a sound object breaks an invariant', () => {
  assert.equal(fuzz(mapObject, 1, 4000), null);
});

test('the seeds themselves are sound', () => {
  for (let seed = 1; seed <= 100; seed += 1) {
    const bytes = seedObject(new Random(seed));
    const { problems } = mapObject(new BytesSource(bytes), fuzzTools);
    assert.deepEqual(problems.filter(({ code }) => code !== 'private-creator-missing'), [], `seed ${seed}`);
  }
});

/** Canaries: readers with one bug each, which the same checks must catch. */
const canaries: Readonly<Record<string, Mapper>> = {
  'the last span of an object with a fault is one byte short': (source, tools, limits) => {
    const mapped = mapObject(source, tools, limits);
    if (!mapped.problems.some(({ code }) => code === 'length-exceeds-container')) return mapped;
    const lengths = mapped.spans.lengths.slice();
    lengths[lengths.length - 1]! -= 1;
    return { ...mapped, spans: { ...mapped.spans, lengths } };
  },
  'a declared length is believed': (source, tools, limits) => {
    const mapped = mapObject(source, tools, limits);
    if (mapped.problems.some(({ code }) => code === 'length-exceeds-container')) source.read(source.length, 16);
    return mapped;
  },
  'a stop goes unsaid': (source, tools, limits) => {
    const mapped = mapObject(source, tools, limits);
    return { ...mapped, problems: mapped.problems.filter(({ code }) => code !== 'vr-unknown') };
  },
};

for (const [bug, mapper] of Object.entries(canaries)) {
  test(`canary: ${bug}`, () => {
    assert.notEqual(fuzz(mapper, 1, 4000), null);
  });
}

test('random bytes have a map too', () => {
  const prefix = new Uint8Array(132);
  prefix.set([0x44, 0x49, 0x43, 0x4d], 128);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), fc.boolean(), (tail, withPrefix) => {
      const bytes = withPrefix ? Uint8Array.from([...prefix, ...tail]) : tail;
      assert.equal(brokenInvariant(bytes, mapObject), null);
    }),
    { numRuns: 1000 },
  );
});

test('random elements, any tag, VR and length, have a map', () => {
  const prefix = [...new Uint8Array(128), 0x44, 0x49, 0x43, 0x4d];
  const element = fc.record({
    group: fc.constantFrom(0x0002, 0x0008, 0x0009, 0x0010, 0x7fe0, 0xfffe, 0xfffc, 0x0000, 0xffff),
    number: fc.constantFrom(0x0000, 0x0010, 0x1001, 0xe000, 0xe00d, 0xe0dd, 0xfffc, 0x0016),
    vr: fc.constantFrom('UI', 'SQ', 'UN', 'OB', 'OW', 'PN', 'US', '??', '\0\0'),
    length: fc.constantFrom(0, 1, 2, 4, 8, 0xfffe, 0xffffffff),
    value: fc.uint8Array({ maxLength: 8 }),
  });
  fc.assert(
    fc.property(fc.array(element, { maxLength: 30 }), fc.boolean(), (elements, long) => {
      const bytes = [...prefix];
      for (const { group, number, vr, length, value } of elements) {
        bytes.push(group & 0xff, group >>> 8, number & 0xff, number >>> 8, vr.charCodeAt(0), vr.charCodeAt(1));
        if (long) bytes.push(0, 0, length & 0xff, (length >>> 8) & 0xff, (length >>> 16) & 0xff, length >>> 24);
        else bytes.push(length & 0xff, (length >>> 8) & 0xff);
        bytes.push(...value);
      }
      const source = new BytesSource(Uint8Array.from(bytes));
      assert.equal(checkSpans(mapObject(source, fuzzTools).spans, source.length), null);
      assert.equal(brokenInvariant(Uint8Array.from(bytes), mapObject), null);
    }),
    { numRuns: 2000 },
  );
});
