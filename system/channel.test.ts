import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { connectChannel, serveChannel } from './channel.ts';
import { refused } from './failure.ts';

const folder = mkdtempSync(join(tmpdir(), 'lazaret-channel-'));
const path = join(folder, 'socket');
const told: unknown[] = [];
let gate = Promise.withResolvers<void>();
let heard = Promise.withResolvers<void>();
const server = await serveChannel(path, {
  echo: (body) => body,
  tell: (body) => { told.push(body); heard.resolve(); },
  wait: async (body) => { await gate.promise; return body; },
  refuse: () => { throw refused('test-refused', 'no'); },
});
after(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

test('requests of one turn are all answered, each with its own answer, also those that wait for the same thing', async () => {
  const channel = await connectChannel(path);
  assert.deepEqual(await Promise.all(Array.from({ length: 200 }, (_, index) => channel.request('echo', { index }))), Array.from({ length: 200 }, (_, index) => ({ index })));
  const waiting = Promise.all(Array.from({ length: 50 }, (_, index) => channel.request('wait', index)));
  assert.equal(await channel.request('echo', 'meanwhile'), 'meanwhile');
  gate.resolve();
  assert.deepEqual(await waiting, Array.from({ length: 50 }, (_, index) => index));
  channel.close();
});

test('what was asked before the channel is closed arrives, and is rejected here', { timeout: 30_000 }, async () => {
  heard = Promise.withResolvers<void>();
  const channel = await connectChannel(path);
  const asked = channel.request('tell', 'the last word');
  channel.close();
  await assert.rejects(asked, { code: 'channel-closed' });
  await heard.promise;
  assert.deepEqual(told, ['the last word']);
  await assert.rejects(channel.request('echo', 1), { code: 'channel-closed' });
});

test('a failure comes back as it was thrown; a request that is not in the table ends the connection', async () => {
  const channel = await connectChannel(path);
  await assert.rejects(channel.request('refuse', null), { code: 'test-refused', severity: 'refused' });
  gate = Promise.withResolvers<void>();
  const waiting = channel.request('wait', 1);
  const unknown = channel.request('toString', null);
  await assert.rejects(unknown, { code: 'channel-closed' });
  await assert.rejects(waiting, { code: 'channel-closed' });
  gate.resolve();
});
