import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { Decoding, mustDecode } from './decoding.ts';

const form = { codec: 'jpeg-ls', rows: 4, columns: 4, samples: 1, bitsAllocated: 8 } as const;
const twoFrames = { kind: 'encapsulated', frames: [[0, 10], [10, 10]] } as const;

/** A program in the decoder's place: what it says and does is `body`, which may answer with `say(object)`. */
function decoding(t: TestContext, body: string, options: { readonly timeoutMs?: number; readonly memoryBytesMax?: number } = {}): Decoding {
  const program = `
    const say = (header) => { const text = Buffer.from(JSON.stringify(header)); const head = Buffer.alloc(8); head.writeUInt32BE(text.length); process.stdout.write(Buffer.concat([head, text])); };
    const asked = (then) => process.stdin.on('data', (chunk) => then(JSON.parse(chunk.toString('utf8', 8))));
    process.stdin.on('end', () => process.exit(0));
    say({ ready: true });
    ${body}`;
  const one = new Decoding({
    start: () => ({ command: process.execPath, args: ['-e', program], env: {} }), memoryBytesMax: options.memoryBytesMax ?? 2 ** 30, timeoutMs: () => options.timeoutMs ?? 30_000,
  });
  t.after(() => one.close());
  return one;
}

async function codesOf(one: Decoding): Promise<string[]> {
  return (await one.decode('/nowhere', form, twoFrames, 5)).map((finding) => `${finding.code} ${finding.offset}+${finding.length}`);
}

test('frames that come out as declared are no finding', async (t) => {
  assert.deepEqual(await codesOf(decoding(t, `asked(({ id }) => say({ id, outcome: 'decoded', text: '' }));`)), []);
});

test('a frame that cannot be decoded is a finding at its place, and its decoder is not asked again', async (t) => {
  const one = decoding(t, `let asks = 0; asked(({ id }) => { asks += 1; say(asks > 1 ? { id, outcome: 'decoded', text: '' } : { id, outcome: 'wrong', text: 'the decoder refuses it' }); });`);
  // The second frame went to a new process, which counts from one again.
  assert.deepEqual(await codesOf(one), ['frame-undecodable 5+10', 'frame-undecodable 15+10']);
});

test('a decoder that hangs, dies, grows or talks nonsense is ended, and the frame is not clean', async (t) => {
  assert.deepEqual(await codesOf(decoding(t, 'asked(() => setInterval(() => {}, 1_000));', { timeoutMs: 300 })), ['decoder-timed-out 5+10']);
  assert.deepEqual(await codesOf(decoding(t, `asked(() => process.exit(3));`)), ['decoder-crashed 5+10']);
  assert.deepEqual(await codesOf(decoding(t, `asked(() => process.stdout.write('not a frame of ours'));`)), ['decoder-crashed 5+10']);
  assert.deepEqual(await codesOf(decoding(t, `asked(({ id }) => say({ id: id + 1, outcome: 'decoded', text: '' }));`)), ['decoder-crashed 5+10']);
  assert.deepEqual(await codesOf(decoding(t, `asked(({ id }) => say({ id, outcome: 'fine', text: '' }));`)), ['decoder-crashed 5+10']);
  assert.deepEqual(await codesOf(decoding(t, `globalThis.kept = []; asked(() => setInterval(() => kept.push(Buffer.alloc(2 ** 24, 1)), 5));`, { memoryBytesMax: 300 * 2 ** 20 })), ['decoder-memory 5+10']);
});

test('a frame that would need too much memory is not even tried', async (t) => {
  const one = decoding(t, `asked(() => process.exit(3));`);
  const found = await one.decode('/nowhere', { ...form, rows: 65_535, columns: 65_535 }, twoFrames, 0);
  assert.deepEqual(found.map((finding) => finding.code), ['decoder-limit']);
});

test('a form that no decoder takes is no finding: the policy asks for what can be had', async (t) => {
  assert.deepEqual(await codesOf(decoding(t, `asked(({ id }) => say({ id, outcome: 'undecoded', text: '' }));`)), []);
});

test('the policy names nobody, everybody, or peers', () => {
  assert.equal(mustDecode('never', 'ct-1'), false);
  assert.equal(mustDecode('always', 'ct-1'), true);
  assert.equal(mustDecode(['ct-1'], 'ct-1'), true);
  assert.equal(mustDecode(['ct-1'], 'ct-2'), false);
});
