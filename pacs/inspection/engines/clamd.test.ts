/** A real clamd with a signature of our own, and a listener that answers whatever a broken or lying one could. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { after, test, type TestContext } from 'node:test';
import { peer } from '@lazaret/test/peers.ts';
import { clamdEngine, clamdOptions, streamsMax, type ClamdOptions } from './clamd.ts';

const folder = mkdtempSync(join(tmpdir(), 'lazaret-clamd-'));
const running: ChildProcess[] = [];
const servers: Server[] = [];
after(() => {
  for (const child of running) child.kill('SIGKILL');
  for (const server of servers) server.close();
  rmSync(folder, { recursive: true, force: true });
});

function fileOf(name: string, bytes: Buffer): { readonly path: string; readonly bytes: number } {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return { path, bytes: bytes.length };
}
const marker = Buffer.from('lazaret inert marker for a signature of its own');
const clean = (): ReturnType<typeof fileOf> => fileOf('clean', Buffer.alloc(200_000, 7));

/** Starts clamd with `lines` in its configuration; resolves once it listens. */
async function clamd(t: TestContext, name: string, lines: readonly string[]): Promise<{ readonly socket: string } | null> {
  const program = peer(t, 'clamd');
  if (program === null) return null;
  const own = join(folder, name);
  const signatures = join(own, 'signatures');
  mkdirSync(signatures, { recursive: true });
  writeFileSync(join(signatures, 'own.ndb'), `Lazaret.Inert.Marker:0:*:${marker.toString('hex')}\n`);
  const socket = join(own, 'clamd.sock');
  const configuration = join(own, 'clamd.conf');
  writeFileSync(configuration, ['Foreground yes', `LocalSocket ${socket}`, `DatabaseDirectory ${signatures}`, 'User root', 'SelfCheck 3600', ...lines].filter((line) => line !== 'User root' || process.getuid?.() === 0).join('\n') + '\n');
  const child = spawn(program, ['--config-file', configuration], { stdio: 'ignore' });
  running.push(child);
  for (let attempt = 0; attempt < 300; attempt += 1) {
    if ((await clamdEngine({ socket }).version()).state !== 'missing') return { socket };
    await new Promise((resolve) => { setTimeout(resolve, 100); });
  }
  throw new Error('clamd did not start');
}

/** What each limit of clamd leaves unseen, none of it called clean: the one switch that the probe proves is behind all of these. */
const limited: Readonly<Record<string, () => Buffer>> = {
  'MaxScanSize 100K': () => Buffer.alloc(200_000, 7),
  'MaxRecursion 2': () => gzipSync(gzipSync(gzipSync(gzipSync(Buffer.from('packed often'))))),
  'MaxFileSize 100K': () => gzipSync(Buffer.alloc(200_000, 7)),
};
for (const [limit, bytes] of Object.entries(limited)) {
  test(`what is over ${limit} of clamd is not clean`, async (t) => {
    const address = await clamd(t, limit.replace(' ', '-'), ['AlertExceedsMax yes', limit]);
    if (address === null) return;
    const codes = (await clamdEngine(address).scan(fileOf('limited', bytes()))).map(({ code }) => code);
    assert.equal(codes.length, 1);
    assert.match(codes[0]!, /^engine-(limit|failed)$/);
  });
}

/** Answers each command with what `answers` says. */
async function listener(answers: Readonly<Record<string, string | null>>, told: (isOpen: boolean) => void = () => {}): Promise<{ readonly host: string; readonly port: number }> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    told(true);
    socket.on('close', () => told(false));
    let asked = '';
    let length = 0;
    socket.on('data', (chunk: Buffer) => {
      if (asked === '') asked = chunk.toString('latin1').split('\0')[0]!;
      length += chunk.length;
      // The probe is told from an object by its size: some KiB.
      const done = asked === 'zVERSION' || chunk.subarray(-4).equals(Buffer.alloc(4));
      if (!done) return;
      const key = asked === 'zVERSION' ? 'version' : length < 20_000 ? 'probe' : 'object';
      const answer = answers[key];
      if (answer === null) return;
      if (answer === undefined) socket.destroy();
      else socket.end(`${answer}\0`);
    });
  });
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => { server.once('listening', resolve); });
  return { host: '127.0.0.1', port: (server.address() as { port: number }).port };
}

test('clamd finds its signature inside an object, and calls another one clean', async (t) => {
  const address = await clamd(t, 'strict', ['AlertExceedsMax yes']);
  if (address === null) return;
  const engine = clamdEngine(address);
  const status = await engine.version();
  assert.equal(status.state, 'ready', status.text);
  assert.match(status.version, /^\d/);
  assert.deepEqual(await engine.scan(clean()), []);
  const [finding] = await engine.scan(fileOf('marked', Buffer.concat([Buffer.alloc(3000), marker, Buffer.alloc(3000)])));
  assert.equal(finding?.code, 'malware-signature');
  assert.match(finding!.text, /Lazaret\.Inert\.Marker/);
});

test('clamd that calls unscanned files OK is failing, and nothing is clean', async (t) => {
  const address = await clamd(t, 'lenient', []);
  if (address === null) return;
  const engine = clamdEngine(address);
  assert.match((await engine.version()).text, /AlertExceedsMax/);
  assert.deepEqual((await engine.scan(clean())).map(({ code }) => code), ['engine-failed']);
});

test('an object over a limit of clamd is not clean', async (t) => {
  const address = await clamd(t, 'small', ['AlertExceedsMax yes', 'StreamMaxLength 1M', 'MaxFileSize 100K']);
  if (address === null) return;
  const engine = clamdEngine(address);
  for (const bytes of [200_000, 3_000_000]) {
    const codes = (await engine.scan(fileOf('large', Buffer.alloc(bytes, 7)))).map(({ code }) => code);
    assert.equal(codes.length, 1, `${bytes} bytes`);
    assert.match(codes[0]!, /^engine-(limit|failed)$/);
  }
});

test('a stream that is longer than clamd takes is over a limit, also where its answer is lost with what was on its way', async (t) => {
  const address = await clamd(t, 'short', ['AlertExceedsMax yes', 'StreamMaxLength 1M']);
  if (address === null) return;
  const engine = clamdEngine(address);
  const long = fileOf('long', Buffer.alloc(12_000_000, 7));
  const parts = Array.from({ length: 24 }, (_, index) => ({ ...long, part: { name: `part ${index}`, offset: 0, length: 100, tag: '', bytes: 4_000_000 + index * 100_000, chunks: null } }));
  const found = await Promise.all([engine.scan(long), ...parts.map((part) => engine.scan(part))]);
  assert.deepEqual([...new Set(found.flat().map(({ code }) => code))], ['engine-limit'], JSON.stringify(found.flat().slice(0, 3)));
  assert.deepEqual(await engine.scan(clean()), []);
});

test('clamd that ends in the middle of a stream and does not come back has failed', async () => {
  let isFirst = true;
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', (asked: Buffer) => {
      if (asked.toString('latin1').startsWith('zVERSION')) return void socket.end(`${today}\0`);
      if (asked.toString('latin1').startsWith('zPING')) return void socket.destroy();
      if (isFirst) socket.end(`${limits}\0`);
      else socket.once('data', () => socket.destroy());
      isFirst = false;
    });
  });
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => { server.once('listening', resolve); });
  const engine = clamdEngine({ host: '127.0.0.1', port: (server.address() as { port: number }).port }, { now });
  assert.deepEqual((await engine.scan(fileOf('whole', Buffer.alloc(8_000_000, 7)))).map(({ code }) => code), ['engine-failed']);
});

const limits = 'stream: Heuristics.Limits.Exceeded.MaxRecursion FOUND';
const today = 'ClamAV 1.4.6/27500/Mon Nov 23 09:20:11 2026';
const now = (): number => Date.parse('2026-11-24T00:00:00Z');
const lies: Readonly<Record<string, readonly [answers: Readonly<Record<string, string | null>>, code: string, options?: ClamdOptions]>> = {
  'its signatures are old': [{ version: 'ClamAV 1.4.6/27500/Mon Nov  2 09:20:11 2026', probe: limits, object: 'stream: OK' }, 'engine-outdated'],
  'its version is none': [{ version: 'hello', probe: limits, object: 'stream: OK' }, 'engine-failed'],
  'it answers with an error': [{ version: today, probe: limits, object: 'stream: Some trouble. ERROR' }, 'engine-failed'],
  'it answers with something like OK': [{ version: today, probe: limits, object: 'stream: OK, I think' }, 'engine-failed'],
  'it says that it stopped at a limit': [{ version: today, probe: limits, object: 'stream: Heuristics.Limits.Exceeded.MaxFileSize FOUND' }, 'engine-limit'],
  'the stream is too long for it': [{ version: today, probe: limits, object: 'INSTREAM size limit exceeded. ERROR' }, 'engine-limit'],
  'it does not answer': [{ version: today, probe: limits, object: null }, 'engine-timed-out', { timeoutMs: 300 }],
  'it hangs up': [{ version: today, probe: limits }, 'engine-failed'],
};
for (const [how, [answers, code, options]] of Object.entries(lies)) {
  test(`not clean when ${how}`, async () => {
    const engine = clamdEngine(await listener(answers), { now, timeoutMs: 5000, ...options });
    assert.deepEqual((await engine.scan(clean())).map((finding) => finding.code), [code]);
  });
}

test('clean is what it says about a scanned object with fresh signatures, and nothing else', async () => {
  const engine = clamdEngine(await listener({ version: today, probe: limits, object: 'stream: OK' }), { now });
  assert.deepEqual(await engine.scan(clean()), []);
  assert.deepEqual(await engine.version(), { name: 'clamd', version: '1.4.6', signatures: '27500', state: 'ready', text: '' });
});

test('only so many streams are open at a time, and those that wait are not late', async () => {
  let open = 0;
  let most = 0;
  const address = await listener({ version: today, probe: limits, object: 'stream: OK' }, (isOpen) => { most = Math.max(most, open += isOpen ? 1 : -1); });
  const engine = clamdEngine(address, { now });
  const target = clean();
  await engine.version();
  const found = await Promise.all(Array.from({ length: 5 * streamsMax }, () => engine.scan(target)));
  assert.deepEqual(found.flat(), []);
  assert.ok(most > 1 && most <= streamsMax + 1, `${most} at a time`);
});

test('a part that is a range of the file is sent as that range, and one that is not there any more is not clean', async () => {
  const engine = clamdEngine(await listener({ version: today, probe: limits, object: 'stream: OK' }), { now });
  const target = clean();
  const part = { name: 'a part', offset: 100, length: 150_000, tag: '', bytes: 150_000, chunks: null };
  assert.deepEqual(await engine.scan({ ...target, part }), []);
  const [gone] = await engine.scan({ ...target, part: { ...part, offset: 100_000 } });
  assert.deepEqual([gone?.code, gone?.offset], ['engine-failed', 100_000]);
  assert.match(gone!.text, /in a part$/);
});

test('how old signatures may be is configurable', async () => {
  const address = await listener({ version: today, probe: limits, object: 'stream: OK' });
  const later = (): number => now() + 3 * 86_400_000;
  assert.equal((await clamdEngine(address, { ...clamdOptions({}), now: later }).version()).state, 'ready');
  const strict = clamdEngine(address, { ...clamdOptions({ signatureDays: 2 }), now: later });
  assert.match((await strict.version()).text, /older than 2 days/);
  assert.deepEqual((await strict.scan(clean())).map(({ code }) => code), ['engine-outdated']);
});

test('not clean when nobody listens', async () => {
  const engine = clamdEngine({ host: '127.0.0.1', port: 1 });
  assert.deepEqual((await engine.scan(clean())).map(({ code }) => code), ['engine-missing']);
});
