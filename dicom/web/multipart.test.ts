import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isBoundary, parseMediaType } from './mediatype.ts';
import { boundaryFrom, closeDelimiter, MultipartReader, multipartLimits, multipartType, partHead, type MultipartLimits, type PartHeaders } from './multipart.ts';

interface Part { headers: PartHeaders; body: Buffer; ended: boolean }

function read(boundary: string, chunks: readonly Uint8Array[], limits: MultipartLimits = multipartLimits): Part[] {
  const parts: Part[] = [];
  const reader = new MultipartReader(boundary, {
    partBegin: (headers) => void parts.push({ headers, body: Buffer.alloc(0), ended: false }),
    partData: (bytes) => { parts.at(-1)!.body = Buffer.concat([parts.at(-1)!.body, bytes]); },
    partEnd: () => { parts.at(-1)!.ended = true; },
  }, limits);
  for (const chunk of chunks) reader.push(chunk);
  reader.end();
  assert.ok(parts.every((part) => part.ended));
  assert.equal(reader.parts, parts.length);
  return parts;
}

function write(boundary: string, bodies: readonly Uint8Array[]): Buffer {
  return Buffer.concat([...bodies.flatMap((body, index) => [partHead(boundary, [['Content-Type', 'application/dicom'], ['Content-Location', `/b/${index}`]], index === 0), body]), closeDelimiter(boundary)]);
}

const boundaries = fc.array(fc.constantFrom(..."0123aAzZ'()+_,-./:=?"), { minLength: 1, maxLength: 70 }).map((characters) => characters.join(''));
/** Bytes that like to look like the delimiter. */
const bodies = fc.array(fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.constantFrom('\r', '\n', '\r\n', '\r\n-', '\r\n--', '-', '\r\r\n--').map((text) => Buffer.from(text))), { maxLength: 12 }).map((pieces) => Buffer.concat(pieces));

test('what was written is read, in chunks of any size', () => {
  fc.assert(fc.property(boundaries, fc.array(bodies, { minLength: 1, maxLength: 4 }), fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }), (boundary, all, sizes) => {
    fc.pre(all.every((body) => !`\r\n${body.toString('latin1')}`.includes(`\r\n--${boundary}`)));
    const message = write(boundary, all);
    const chunks: Uint8Array[] = [];
    for (let at = 0, index = 0; at < message.length; index++) {
      const size = sizes[index % sizes.length]!;
      chunks.push(message.subarray(at, at + size));
      at += size;
    }
    const parts = read(boundary, chunks);
    assert.deepEqual(parts.map((part) => part.body.toString('hex')), all.map((body) => body.toString('hex')));
    parts.forEach((part, index) => assert.equal(part.headers.get('content-location'), `/b/${index}`));
  }), { numRuns: 500 });
});

test('in long bodies every delimiter is found where it is, whatever its neighbours', () => {
  // What is searched by steps of eight delimiters must not pass one by: bodies of bytes that no delimiter has, strewn with those that it has.
  const strewn = fc.tuple(fc.array(fc.tuple(fc.integer({ min: 0, max: 400 }), fc.constantFrom('\r', '\r\n', '\r\n--', 'b', '-b', 'undary', '\r\n--b0undar')), { maxLength: 20 }), fc.integer({ min: 0, max: 900 }))
    .map(([pieces, rest]) => Buffer.concat([...pieces.flatMap(([gap, text]) => [Buffer.alloc(gap, 0x80), Buffer.from(text)]), Buffer.alloc(rest, 0x80)]));
  fc.assert(fc.property(fc.array(strewn, { minLength: 1, maxLength: 4 }), fc.integer({ min: 200, max: 20_000 }), (all, size) => {
    const message = write('b0undary', all);
    const chunks = Array.from({ length: Math.ceil(message.length / size) }, (_, index) => message.subarray(index * size, (index + 1) * size));
    assert.deepEqual(read('b0undary', chunks).map((part) => part.body.toString('hex')), all.map((body) => body.toString('hex')));
  }), { numRuns: 300 });
});

test('every near-delimiter in a body is data, whatever byte the chunk ends at', () => {
  const boundary = 'x-y';
  const body = Buffer.from('\r\n--x-\r\n--x\r\r\n--x-Y\r\n--\r\n\r\n-');
  const message = write(boundary, [body, body]);
  for (let cut = 0; cut <= message.length; cut++) {
    const parts = read(boundary, [message.subarray(0, cut), message.subarray(cut)]);
    assert.deepEqual(parts.map((part) => part.body.toString('latin1')), [body.toString('latin1'), body.toString('latin1')], `cut at ${cut}`);
  }
});

test('preamble, epilogue and transport padding are taken as RFC 2046 says', () => {
  const message = Buffer.from('hello\r\nthere\r\n--b \t\r\nContent-Type: a/b\r\n\r\nbody\r\n--b\r\n\r\n\r\n--b--\r\nbye');
  for (let cut = 0; cut <= message.length; cut++) {
    const parts = read('b', [message.subarray(0, cut), message.subarray(cut)]);
    assert.deepEqual(parts.map((part) => part.body.toString()), ['body', '']);
    assert.equal(parts[1]!.headers.size, 0);
  }
});

const refusals: readonly (readonly [string, string, string])[] = [
  ['a message that just ends', 'message-truncated', '--b\r\n\r\nbody'],
  ['nothing at all', 'message-truncated', ''],
  ['one dash', 'message-truncated', '--b\r\n\r\nbody\r\n--b-'],
  ['a longer boundary', 'delimiter-invalid', '--b\r\n\r\nbody\r\n--bc\r\n'],
  ['dash and something else', 'delimiter-invalid', '--b\r\n\r\nbody\r\n--b-x'],
  ['bare line feed after the delimiter', 'delimiter-invalid', '--b\n\n'],
  ['a header without colon', 'part-header-invalid', '--b\r\nContent-Type\r\n\r\n'],
  ['a folded header', 'part-header-invalid', '--b\r\nContent-Type: a/b;\r\n c=d\r\n\r\n'],
  ['a header with a control character', 'part-header-invalid', '--b\r\nContent-Type: a\u0000b\r\n\r\n'],
  ['a header twice', 'part-header-invalid', '--b\r\nContent-Type: a/b\r\ncontent-type: c/d\r\n\r\n'],
  ['a header without end', 'part-header-exceeded', `--b\r\nX: ${'x'.repeat(5000)}`],
  ['too many header fields', 'part-header-exceeded', `--b\r\n${Array.from({ length: 17 }, (_, index) => `X${index}: 1\r\n`).join('')}\r\n`],
  ['a long preamble', 'preamble-exceeded', 'x'.repeat(1100)],
  ['too many parts', 'parts-exceeded', '--b\r\n\r\n\r\n--b\r\n\r\n\r\n--b\r\n\r\n\r\n--b\r\n\r\n\r\n--b--'],
];
for (const [name, code, text] of refusals) {
  test(`${name}: ${code}`, () => {
    const message = Buffer.from(text, 'latin1');
    const limits = { ...multipartLimits, partsMax: 3 };
    assert.throws(() => read('b', [message], limits), { code });
    assert.throws(() => read('b', Array.from(message, (byte) => Uint8Array.of(byte)), limits), { code });
  });
}

test('boundaries outside the grammar are refused', () => {
  for (const wrong of ['', ' ', 'x ', 'x'.repeat(71), 'a\r\nb', 'ä', 'a"b']) {
    assert.equal(isBoundary(wrong), false, JSON.stringify(wrong));
    assert.throws(() => new MultipartReader(wrong, { partBegin() {}, partData() {}, partEnd() {} }), { code: 'boundary-invalid' });
  }
  assert.ok(isBoundary(boundaryFrom(new Uint8Array(16))));
});

test('media types', () => {
  const parsed = parseMediaType(multipartType('application/dicom', 'a b'));
  assert.deepEqual([parsed?.type, ...parsed!.parameters], ['multipart/related', ['type', 'application/dicom'], ['boundary', 'a b']]);
  assert.equal(parseMediaType('Multipart/Related;type=application/dicom;BOUNDARY=x')?.parameters.get('boundary'), 'x');
  assert.equal(parseMediaType('a/b; x="q\\"\\\\;y=z" ; y=1;')?.parameters.get('x'), 'q"\\;y=z');
  for (const wrong of ['', 'a', 'a/', '/b', 'a/b/c', 'a/b; x', 'a/b; x=1; X=2', 'a/b; x="1', 'a/b; x=1 2', 'a/b; =1', `a/b; x=${'1'.repeat(1100)}`]) assert.equal(parseMediaType(wrong), null, wrong);
});
