/** `token` and `user` against a real keeper. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { after, before, test } from 'node:test';
import { layoutOf } from '@lazaret/system/layout.ts';
import type { Running } from '@lazaret/system/process.ts';
import { startKeeper } from '@lazaret/processes/keeper/keeper.ts';
import type { Run } from './command.ts';
import { run as token } from './token.ts';
import { run as user } from './user.ts';

const data = mkdtempSync(join(tmpdir(), 'lazaret-cli-'));
let keeper: Running;
before(async () => { keeper = await startKeeper(layoutOf(data), (error) => { throw error; }); });
after(async () => {
  await keeper.stop();
  rmSync(data, { recursive: true });
});

async function call(run: Run, ...words: string[]): Promise<{ code: number; out: string; err: string }> {
  const written = { out: '', err: '' };
  const into = (where: 'out' | 'err'): Writable => new Writable({ write(chunk, _encoding, done) { written[where] += String(chunk); done(); } });
  const code = await run(words, { stdout: into('out'), stderr: into('err'), data });
  return { code, ...written };
}

test('a token is printed once and alone, listed without it, removed', async () => {
  const added = await call(token, 'add', 'ct-1', '--role', 'sender');
  assert.equal(added.code, 0);
  assert.match(added.out, /^lzr_[\w-]{43}\n$/);
  const list = await call(token, 'list');
  assert.match(list.out, /ct-1 +sender/);
  assert.ok(!list.out.includes('lzr_'));
  assert.deepEqual(JSON.parse((await call(token, 'list', '--json')).out).map((row: { name: string }) => row.name), ['ct-1']);
  assert.match((await call(token, 'add', 'ct-1', '--role', 'sender')).err, /already a token/);
  assert.equal((await call(token, 'remove', 'ct-1')).code, 0);
  assert.equal((await call(token, 'remove', 'ct-1')).code, 1);
});

test('a user gets a password that is printed where none can be typed', async () => {
  const added = await call(user, 'add', 'eva', '--role', 'viewer', '--role', 'reviewer', '--json');
  assert.equal(added.code, 0, added.err);
  assert.deepEqual(JSON.parse(added.out).roles, ['viewer', 'reviewer']);
  assert.match(JSON.parse(added.out).password, /^[0-9a-z]{5}(-[0-9a-z]{5}){3}$/);
  assert.match((await call(user, 'list')).out, /eva +viewer reviewer/);
  assert.equal((await call(user, 'remove', 'eva')).code, 0);
});

test('wrong use is exit 2 and says what is right; nothing running is exit 1', async () => {
  for (const [run, ...words] of [[token], [token, 'add'], [token, 'add', 'x'], [token, 'add', 'x', '--role', 'god'], [token, 'frobnicate'], [token, 'list', 'x'], [user, 'add', 'x'], [user, 'add', 'x', '--role', 'god'], [user, '--what']] as [Run, ...string[]][]) {
    const { code, err } = await call(run, ...words);
    assert.equal(code, 2, words.join(' '));
    assert.notEqual(err, '');
  }
  assert.equal((await call(token, 'add', '../x', '--role', 'viewer')).code, 1);
});
