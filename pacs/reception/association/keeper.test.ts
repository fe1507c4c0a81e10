import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import type { Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { serveChannel } from '@lazaret/system/channel.ts';
import { Failure } from '@lazaret/system/failure.ts';
import { KeeperLink } from './keeper.ts';
import { anyone } from './sample.ts';

const peer = { callingAETitle: 'CT2', address: '127.0.0.1', certificate: null };

/** A keeper that can be ended as a crash ends one: its connections go with it. */
async function startKeeper(path: string, answer: () => unknown): Promise<() => Promise<void>> {
  const server: Server = await serveChannel(path, { asset: answer });
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => sockets.add(socket));
  return () => new Promise((resolve) => {
    for (const socket of sockets) socket.destroy();
    server.close(() => resolve());
  });
}

test('a keeper that is restarted is found again; what was under way fails and is not asked twice', { timeout: 30_000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'lazaret-keeper-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'keeper.sock');
  let asked = 0;
  const end = await startKeeper(path, () => {
    asked++;
    return asked === 1 ? anyone : new Promise(() => {});
  });
  const link = new KeeperLink(path);
  await link.open(5_000);
  assert.deepEqual(await link.asset(peer), anyone);
  const underWay = link.asset(peer);
  const failed = assert.rejects(underWay, (error) => error instanceof Failure && error.code === 'channel-closed');
  while (asked < 2) await new Promise((resolve) => setTimeout(resolve, 5));
  await end();
  await failed;
  const endAgain = await startKeeper(path, () => anyone);
  assert.deepEqual(await link.asset(peer), anyone);
  assert.equal(asked, 2);
  await link.close();
  await endAgain();
});
