import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodePDU } from './decode.ts';
import { encodePDU } from './encode.ts';
import { negotiate, objectionTo, type Offer } from './negotiation.ts';
import { UpperLayerProblem, describeAbort, describeRejection, pduTypes, rejections, type AssociateRQ, type PDU, type ProblemCode } from './pdu.ts';
import { PDUReader, type PDUConsumer } from './reader.ts';
import { associateAC, associateRJ, associateRQ, dataPDU, information } from './sample.ts';

const decode = (bytes: Uint8Array): PDU => decodePDU(bytes[0]!, bytes.subarray(6));

test('what is encoded is decoded', () => {
  const full: AssociateRQ = {
    ...associateRQ,
    userInformation: { ...information, roles: [{ sopClassUID: '1.2.3', scuRole: true, scpRole: false }], asynchronousOperations: { invoked: 0, performed: 5 } },
  };
  for (const pdu of [full, associateRQ, associateAC, associateRJ, { type: 'A-ABORT', source: 2, reason: 6 }, { type: 'A-RELEASE-RQ' }, { type: 'A-RELEASE-RP' }] as const) {
    assert.deepEqual(decode(encodePDU(pdu)), pdu);
  }
});

const uid = fc.stringMatching(/^[1-9][0-9]{0,5}(\.[1-9][0-9]{0,5}){1,8}$/);
test('any request of ours survives encoding and decoding', () => {
  const contexts = fc.uniqueArray(fc.record({ id: fc.integer({ min: 0, max: 127 }).map((n) => n * 2 + 1), abstractSyntax: uid, transferSyntaxes: fc.array(uid, { minLength: 1, maxLength: 4 }) }), { selector: (context) => context.id, minLength: 1, maxLength: 128 }).map((list) => list.map((context) => ({ ...context })));
  fc.assert(fc.property(contexts, fc.nat(), (presentationContexts, maximumLength) => {
    const pdu: AssociateRQ = { ...associateRQ, presentationContexts, userInformation: { ...information, maximumLength } };
    assert.deepEqual(decode(encodePDU(pdu)), pdu);
  }), { numRuns: 100 });
});

/** An A-ASSOCIATE-RQ body of hand-made items. */
function request(...items: readonly (readonly number[])[]): Uint8Array {
  const head = encodePDU(associateRQ).subarray(6, 6 + 68);
  return Uint8Array.from([...head, ...items.flat()]);
}
const item = (type: number, ...bytes: readonly number[]): number[] => [type, 0, bytes.length >> 8, bytes.length & 255, ...bytes];
const ascii = (text: string): number[] => [...text].map((character) => character.charCodeAt(0));
const application = item(0x10, ...ascii('1.2.840.10008.3.1.1.1'));
const user = item(0x50, ...item(0x51, 0, 0, 64, 0));
const context = (id: number, ...inner: readonly number[]): number[] => item(0x20, id, 0, 0, 0, ...(inner.length > 0 ? inner : [...item(0x30, ...ascii('1.2')), ...item(0x40, ...ascii('1.2'))]));

test('each limit and each lie is refused with its code', () => {
  const cases: readonly [string, ProblemCode, Uint8Array][] = [
    ['ends before its items', 'pdu-length-wrong', request().subarray(0, 60)],
    ['no application context', 'item-missing', request(context(1), user)],
    ['two application contexts', 'item-duplicate', request(application, application, context(1), user)],
    ['no user information', 'item-missing', request(application, context(1))],
    ['two user information items', 'item-duplicate', request(application, context(1), user, user)],
    ['no presentation context', 'item-missing', request(application, user)],
    ['even context ID', 'context-id-invalid', request(application, context(2), user)],
    ['context ID twice', 'context-id-invalid', request(application, context(1), context(1), user)],
    ['129 contexts', 'context-count-exceeded', request(application, ...Array.from({ length: 129 }, (_, index) => context(((index * 2) % 256) + 1)), user)],
    ['item longer than its PDU', 'item-length-wrong', request(application, [0x20, 0, 0xff, 0xff, 1, 0, 0, 0])],
    ['item header cut', 'item-length-wrong', request(application, [0x20, 0])],
    ['context of two bytes', 'item-length-wrong', request(application, item(0x20, 1, 0), user)],
    ['sub-item longer than its item', 'item-length-wrong', request(application, context(1, 0x30, 0, 0x7f, 0xff, 0x31), user)],
    ['no abstract syntax', 'item-missing', request(application, context(1, ...item(0x40, 0x31)), user)],
    ['two abstract syntaxes', 'item-duplicate', request(application, context(1, ...item(0x30, 0x31), ...item(0x30, 0x31), ...item(0x40, 0x31)), user)],
    ['no transfer syntax', 'item-missing', request(application, context(1, ...item(0x30, 0x31)), user)],
    ['UID of 65 bytes', 'uid-invalid', request(application, context(1, ...item(0x30, ...ascii('1'.repeat(65))), ...item(0x40, 0x31)), user)],
    ['UID of no bytes', 'uid-invalid', request(item(0x10), context(1), user)],
    ['Maximum Length of two bytes', 'item-length-wrong', request(application, context(1), item(0x50, ...item(0x51, 1, 2)))],
    ['async window of three bytes', 'item-length-wrong', request(application, context(1), item(0x50, ...item(0x53, 1, 2, 3)))],
    ['role whose UID is longer than it', 'item-length-wrong', request(application, context(1), item(0x50, ...item(0x54, 0xff, 0xff, 0x31, 1, 1)))],
    ['role of value 2', 'item-length-wrong', request(application, context(1), item(0x50, ...item(0x54, 0, 1, 0x31, 2, 1)))],
    ['user identity of one byte', 'item-length-wrong', request(application, context(1), item(0x50, ...item(0x58, 1)))],
  ];
  for (const [name, code, body] of cases) {
    assert.throws(() => decodePDU(pduTypes['A-ASSOCIATE-RQ'], body), (error) => error instanceof UpperLayerProblem && error.code === code, name);
  }
  assert.throws(() => decodePDU(pduTypes['A-ABORT'], new Uint8Array(3)), UpperLayerProblem);
  assert.throws(() => decodePDU(9, new Uint8Array(4)), UpperLayerProblem);
});

test('128 contexts are taken; unknown items and sub-items are skipped; user identity leaves no trace of its contents', () => {
  const contexts = Array.from({ length: 128 }, (_, index) => context(index * 2 + 1));
  const identity = item(0x58, 2, 1, 0, 4, ...ascii('name'), 0, 6, ...ascii('secret'));
  const extended = item(0x56, 0, 3, ...ascii('1.2'), 1, 2, 3);
  const pdu = decodePDU(1, request(application, item(0x77, 1, 2, 3), ...contexts, item(0x50, ...item(0x51, 0, 0, 64, 0), ...identity, ...extended, ...item(0x7f))));
  assert.equal(pdu.type, 'A-ASSOCIATE-RQ');
  assert.equal((pdu as AssociateRQ).presentationContexts.length, 128);
  assert.equal((pdu as AssociateRQ).userInformation.userIdentityType, 2);
  assert.ok(!JSON.stringify(pdu).includes('secret'));
});

const withTitle = (title: string): Uint8Array => {
  const bytes = encodePDU(associateRQ).slice(6);
  bytes.set(ascii(title.padEnd(16, ' ')), 20);
  return bytes;
};
test('AE titles: padding is not significant; control characters, backslash and emptiness are refused', () => {
  assert.equal((decodePDU(1, withTitle('  CT 2  ')) as AssociateRQ).callingAETitle, 'CT 2');
  for (const bad of ['A\\B', 'A\u001b[31m', '', 'A\0']) assert.throws(() => decodePDU(1, withTitle(bad)), (error) => error instanceof UpperLayerProblem && error.code === 'ae-title-invalid', bad);
});

test('a request cut anywhere is refused, never misread', () => {
  const whole = encodePDU({ ...associateRQ, userInformation: { ...information, roles: [{ sopClassUID: '1.2.3', scuRole: true, scpRole: true }] } }).subarray(6);
  for (let length = 0; length < whole.length; length++) {
    try {
      decodePDU(1, whole.subarray(0, length));
      // Only whole sub-items may be missing at the end, and their parent's length would then be wrong: nothing may pass.
      assert.fail(`${length} of ${whole.length} bytes were taken for a request`);
    } catch (error) {
      assert.ok(error instanceof UpperLayerProblem, String(error));
    }
  }
});

class Log implements PDUConsumer {
  readonly lines: string[] = [];
  #bytes: number[] = [];
  begin(type: number): 'take' {
    this.lines.push(`begin ${type}`);
    return 'take';
  }
  pdu(pdu: PDU): void {
    this.lines.push(JSON.stringify(pdu));
  }
  fragment(contextID: number, isCommand: boolean, isLast: boolean, length: number): 'take' {
    this.lines.push(`fragment ${contextID} ${isCommand} ${isLast} ${length}`);
    return 'take';
  }
  piece(bytes: Uint8Array): void {
    this.#bytes.push(...bytes);
  }
  fragmentEnd(): void {
    this.lines.push(`bytes ${this.#bytes.join(',')}`);
    this.#bytes = [];
  }
  invalid(problem: UpperLayerProblem): void {
    this.lines.push(problem.code);
  }
}
function read(chunks: readonly Uint8Array[], maximumLength = 16384): string[] {
  const log = new Log();
  const reader = new PDUReader(log, maximumLength);
  for (const chunk of chunks) assert.equal(reader.push(chunk), chunk.length);
  return log.lines;
}

test('how the network cuts the stream makes no difference', () => {
  const stream = Uint8Array.from([...encodePDU(associateRQ), ...dataPDU({}, { contextID: 3, control: 0, bytes: [] }, { contextID: 3, control: 2, bytes: [7, 8, 9] }), ...encodePDU({ type: 'A-RELEASE-RQ' })]);
  const expected = read([stream]);
  assert.deepEqual(expected.slice(2), ['begin 4', 'fragment 1 true true 2', 'bytes 1,2', 'fragment 3 false false 0', 'bytes ', 'fragment 3 false true 3', 'bytes 7,8,9', 'begin 5', '{"type":"A-RELEASE-RQ"}']);
  fc.assert(fc.property(fc.array(fc.nat(stream.length), { maxLength: 40 }), (cuts) => {
    const places = [0, ...cuts.toSorted((a, b) => a - b), stream.length];
    assert.deepEqual(read(places.slice(1).map((end, index) => stream.subarray(places[index], end))), expected);
  }), { numRuns: 200 });
});

test('lengths that lie end the stream, and nothing after them is read', () => {
  const after = encodePDU({ type: 'A-RELEASE-RQ' });
  const cases: readonly [string, readonly number[], ProblemCode][] = [
    ['4 GiB of P-DATA', [4, 0, 0xff, 0xff, 0xff, 0xff], 'pdu-length-exceeded'],
    ['one byte over the announced length', [4, 0, 0, 0, 0x40, 1], 'pdu-length-exceeded'],
    ['4 GiB of A-ASSOCIATE-RQ', [1, 0, 0xff, 0xff, 0xff, 0xff], 'pdu-length-exceeded'],
    ['one byte over 64 KiB of A-ASSOCIATE-AC', [2, 0, 0, 1, 0, 1], 'pdu-length-exceeded'],
    ['A-RELEASE-RQ of 5 bytes', [5, 0, 0, 0, 0, 5], 'pdu-length-wrong'],
    ['an HTTP request', ascii('GET / HTTP/1.1\r\n'), 'pdu-type-unknown'],
    ['P-DATA without PDV', [4, 0, 0, 0, 0, 0], 'pdu-length-wrong'],
    ['PDV of 1 byte', [4, 0, 0, 0, 0, 6, 0, 0, 0, 1, 1, 3], 'pdv-length-wrong'],
    ['PDV of 4 GiB', [4, 0, 0, 0, 0, 8, 0xff, 0xff, 0xff, 0xff, 1, 3, 0, 0], 'pdv-length-wrong'],
    ['PDV over its PDU by one', [4, 0, 0, 0, 0, 8, 0, 0, 0, 5, 1, 3, 0, 0], 'pdv-length-wrong'],
    ['PDV that leaves room for half a header', [4, 0, 0, 0, 0, 9, 0, 0, 0, 2, 1, 3, 0, 0, 0], 'pdv-length-wrong'],
  ];
  for (const [name, bytes, code] of cases) {
    const lines = read([Uint8Array.from([...bytes, ...after])]);
    assert.equal(lines.at(-1), code, name);
  }
});

test('negotiation: each result, the first common transfer syntax, roles, nothing promised that is not done', () => {
  const offer: Offer = { transferSyntaxes: new Set(['1.2.840.10008.1.2.1', '1.2.840.10008.1.2.4.70']), scuRole: true, scpRole: false };
  const proposal: AssociateRQ = {
    ...associateRQ,
    presentationContexts: [
      { id: 1, abstractSyntax: '1.1', transferSyntaxes: ['1.2.840.10008.1.2', '1.2.840.10008.1.2.4.70', '1.2.840.10008.1.2.1'] },
      { id: 3, abstractSyntax: '9.9', transferSyntaxes: ['1.2.840.10008.1.2.1'] },
      { id: 5, abstractSyntax: '1.1', transferSyntaxes: ['1.2.840.10008.1.2'] },
      { id: 7, abstractSyntax: '1.2', transferSyntaxes: ['1.2.840.10008.1.2.1'] },
      { id: 9, abstractSyntax: '1.3', transferSyntaxes: ['1.2.840.10008.1.2.1'] },
    ],
    userInformation: {
      ...information, asynchronousOperations: { invoked: 10, performed: 10 }, userIdentityType: 2,
      roles: [{ sopClassUID: '1.1', scuRole: true, scpRole: true }, { sopClassUID: '1.3', scuRole: false, scpRole: true }],
    },
  };
  const answer = negotiate(proposal, {
    offer: (abstractSyntax) => (abstractSyntax === '9.9' ? null : abstractSyntax === '1.2' ? 'forbidden' : offer),
    maximumLength: 65536, implementationClassUID: '2.25.2', implementationVersionName: 'X',
  });
  assert.deepEqual(answer.presentationContexts.map(({ id, result, transferSyntax }) => [id, result, result === 0 ? transferSyntax : '']), [
    [1, 0, '1.2.840.10008.1.2.4.70'], [3, 3, ''], [5, 4, ''], [7, 1, ''], [9, 1, ''],
  ]);
  assert.deepEqual(answer.userInformation.roles, [{ sopClassUID: '1.1', scuRole: true, scpRole: false }, { sopClassUID: '1.3', scuRole: false, scpRole: false }]);
  assert.equal(answer.userInformation.asynchronousOperations, null);
  assert.equal(answer.userInformation.userIdentityType, null);
  assert.equal(answer.userInformation.maximumLength, 65536);
  assert.deepEqual(decode(encodePDU(answer)), answer);
});

test('a whole request is objected to for its application context or a Maximum Length that no PDU fits', () => {
  assert.equal(objectionTo(associateRQ), null);
  assert.equal(objectionTo({ ...associateRQ, applicationContextName: '1.2.%n' }), rejections.applicationContextNotSupported);
  assert.equal(objectionTo({ ...associateRQ, userInformation: { ...information, maximumLength: 7 } }), rejections.noReason);
  assert.equal(objectionTo({ ...associateRQ, userInformation: { ...information, maximumLength: 0 } }), null);
});

test('what we encode must fit', () => {
  assert.throws(() => encodePDU({ ...associateRQ, callingAETitle: 'SEVENTEEN_LETTERS' }), RangeError);
  assert.throws(() => encodePDU({ ...associateRQ, applicationContextName: '1'.repeat(65) }), RangeError);
  const many = Array.from({ length: 128 }, (_, index) => ({ id: index * 2 + 1, abstractSyntax: '1.2', transferSyntaxes: Array.from({ length: 20 }, () => '1'.repeat(60)) }));
  assert.throws(() => encodePDU({ ...associateRQ, presentationContexts: many }), RangeError);
});

test('rejections and aborts in words', () => {
  assert.equal(describeRejection(rejections.callingAETitleNotRecognized), 'rejected permanently: calling AE title not recognized');
  assert.equal(describeRejection(rejections.localLimitExceeded), 'rejected for now: local limit exceeded');
  assert.match(describeAbort({ type: 'A-ABORT', source: 2, reason: 6 }), /invalid PDU parameter value/);
  assert.match(describeAbort({ type: 'A-ABORT', source: 0, reason: 0 }), /other side/);
});
