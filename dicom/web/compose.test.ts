import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeDataSet } from '../dataset/write.ts';
import { composeInstance, type BulkData } from './compose.ts';
import { JsonNumber, parseStrictJson, type JsonValue } from './strictjson.ts';

const identity = { '00080016': { vr: 'UI', Value: ['1.2.3'] }, '00080018': { vr: 'UI', Value: ['1.2.3.4'] }, '0020000D': { vr: 'UI', Value: ['1.2.3.5'] } };
const nothing: BulkData = () => null;
const compose = (attributes: object, bulk: BulkData = nothing) => composeInstance(parseStrictJson(JSON.stringify({ ...identity, ...attributes })), bulk);

test('strict JSON agrees with JSON.parse on all that has no repeated name', () => {
  const plain = (value: JsonValue): unknown => {
    if (value instanceof JsonNumber) return Number(value.text);
    if (value instanceof Map) return Object.fromEntries([...value].map(([name, member]) => [name, plain(member)]));
    return Array.isArray(value) ? value.map(plain) : value;
  };
  fc.assert(fc.property(fc.json(), (text) => {
    const parsed = JSON.parse(text) as unknown;
    fc.pre(!text.includes('__proto__'));
    assert.deepEqual(plain(parseStrictJson(text)), parsed);
  }));
});

test('what JSON.parse refuses is refused, and what it lets pass in silence', () => {
  for (const wrong of ['', '{', '[1,]', '{"a":1,}', '01', '1.', '.5', '+1', 'nul', '"\u0001"', '"\\x"', '"\\u12"', '"', '{"a" 1}', '[1 2]', '1 2', '{a:1}', "'a'", 'NaN', '[', '{"a"']) {
    assert.throws(() => parseStrictJson(wrong), { code: 'json-invalid' }, wrong);
  }
  assert.throws(() => parseStrictJson('{"a":1,"b":{"c":1,"\\u0063":2}}'), { code: 'json-name-repeated' });
  assert.throws(() => parseStrictJson('['.repeat(100)), { code: 'json-limit-exceeded' });
  assert.throws(() => parseStrictJson('[1,2,3]', { depthMax: 5, valuesMax: 3 }), { code: 'json-limit-exceeded' });
  assert.ok((parseStrictJson('{"__proto__":{"a":1}}') as Map<string, unknown>).has('__proto__'));
  assert.equal(({} as Record<string, unknown>)['a'], undefined);
});

test('each kind of value becomes the bytes of PS3.5', () => {
  const bulk: BulkData = (uri) => (uri === 'cid:pixels' ? Uint8Array.of(1, 2, 3, 4) : null);
  const { elements, sopInstanceUID, studyInstanceUID } = compose({
    '7FE00010': { vr: 'OW', BulkDataURI: 'cid:pixels' },
    '00100010': { vr: 'PN', Value: [{ Alphabetic: 'Müller^Eva', Phonetic: 'p' }, null] },
    '00280030': { vr: 'DS', Value: [0.3333333333333333, '0.5'] },
    '00200013': { vr: 'IS', Value: [7] },
    '00280010': { vr: 'US', Value: [512] },
    '00186020': { vr: 'SL', Value: [-2] },
    '00280009': { vr: 'AT', Value: ['00181063'] },
    '00081140': { vr: 'SQ', Value: [{ '00081155': { vr: 'UI', Value: ['1.2'] } }, {}] },
    '00091001': { vr: 'UN', InlineBinary: 'AQID' },
    '00104000': { vr: 'LT', Value: ['a\\b\r\n'] },
    '00080090': { vr: 'PN' },
    '00720082': { vr: 'SV', Value: ['-9223372036854775808'] },
  }, bulk);
  assert.equal(sopInstanceUID, '1.2.3.4');
  assert.equal(studyInstanceUID, '1.2.3.5');
  const of = (tag: number): unknown => elements.find((element) => element.tag === tag)?.value;
  assert.deepEqual(elements.map((element) => element.tag), elements.map((element) => element.tag).toSorted((a, b) => a - b));
  assert.deepEqual(of(0x00080005), ['ISO_IR 192']);
  assert.deepEqual(of(0x00100010), ['Müller^Eva==p', '']);
  assert.deepEqual(of(0x00280030), ['0.33333333333333', '0.5']);
  assert.deepEqual(of(0x00280009), [0x00181063]);
  assert.deepEqual(of(0x7fe00010), Uint8Array.of(1, 2, 3, 4));
  assert.deepEqual(of(0x00720082), [-(2n ** 63n)]);
  const bytes = encodeDataSet(elements, '1.2.840.10008.1.2.1');
  assert.ok(Buffer.from(bytes).includes('Müller^Eva==p\\'));
});

const wrong: readonly (readonly [string, string, object])[] = [
  ['a lower-case tag', 'attribute-invalid', { '7fe00010': { vr: 'OW' } }],
  ['a keyword', 'attribute-invalid', { PatientName: { vr: 'PN' } }],
  ['group 2', 'attribute-invalid', { '00020010': { vr: 'UI', Value: ['1.2'] } }],
  ['a group length', 'attribute-invalid', { '00100000': { vr: 'UL', Value: [1] } }],
  ['an item tag', 'attribute-invalid', { FFFEE000: { vr: 'OB' } }],
  ['a VR that is none', 'attribute-invalid', { '00100010': { vr: 'XX' } }],
  ['no VR', 'attribute-invalid', { '00100010': { Value: [] } }],
  ['a VR of Object.prototype', 'attribute-invalid', { '00100010': { vr: 'constructor' } }],
  ['Value and InlineBinary', 'attribute-invalid', { '00100010': { vr: 'OB', Value: [], InlineBinary: '' } }],
  ['a foreign address', 'bulk-missing', { '7FE00010': { vr: 'OW', BulkDataURI: 'http://127.0.0.1/x' } }],
  ['a file', 'bulk-missing', { '7FE00010': { vr: 'OW', BulkDataURI: 'file:///etc/passwd' } }],
  ['half a word', 'value-invalid', { '7FE00010': { vr: 'OW', InlineBinary: 'AQID' } }],
  ['no base64', 'value-invalid', { '00420011': { vr: 'OB', InlineBinary: 'A Q==' } }],
  ['text as US', 'value-invalid', { '00280010': { vr: 'US', Value: ['512'] } }],
  ['too large a US', 'value-invalid', { '00280010': { vr: 'US', Value: [65_536] } }],
  ['a fraction as SS', 'value-invalid', { '00280106': { vr: 'SS', Value: [0.5] } }],
  ['a backslash in LO', 'value-invalid', { '00081030': { vr: 'LO', Value: ['a\\b'] } }],
  ['an escape in LO', 'value-invalid', { '00081030': { vr: 'LO', Value: ['a\u001bb'] } }],
  ['a long SH', 'value-invalid', { '00080050': { vr: 'SH', Value: ['x'.repeat(17)] } }],
  ['two values of LT', 'value-invalid', { '00104000': { vr: 'LT', Value: ['a', 'b'] } }],
  ['a name as text', 'value-invalid', { '00100010': { vr: 'PN', Value: ['Doe'] } }],
  ['a delimiter in a name', 'value-invalid', { '00100010': { vr: 'PN', Value: [{ Alphabetic: 'a=b' }] } }],
  ['a sequence of texts', 'value-invalid', { '00081140': { vr: 'SQ', Value: ['x'] } }],
  ['no SOP Instance UID', 'instance-invalid', { '00080018': { vr: 'UI' } }],
  ['a SOP Instance UID that is a path', 'instance-invalid', { '00080018': { vr: 'UI', Value: ['../../x'] } }],
];
for (const [name, code, attributes] of wrong) test(`${name}: ${code}`, () => assert.throws(() => compose(attributes), { code }));

test('deep nesting is refused before it is written', () => {
  let item: object = {};
  for (let level = 0; level < 17; level++) item = { '00081140': { vr: 'SQ', Value: [item] } };
  assert.throws(() => compose(item), { code: 'depth-exceeded' });
});
