/** One supervisor to a data directory: two keepers over the same ledger would each believe in their own truth. */
import { createServer, connect } from 'node:net';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { refused } from '@lazaret/system/failure.ts';

/**
 * Takes the lock, a Unix socket that only lives as long as its process: a crash leaves nothing that must be cleaned by hand.
 * Rejects `data-in-use` when another supervisor answers. Returns the function that gives the lock back.
 */
export async function lockDataDirectory(run: string): Promise<() => void> {
  const path = join(run, 'supervisor.sock');
  if (await answers(path)) throw refused('data-in-use', `Another Lazaret already runs on this data directory (${path} answers). Stop it first, or give this one another --data.`);
  rmSync(path, { force: true });
  const server = createServer((socket) => socket.end());
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  server.unref();
  return () => {
    server.close();
    rmSync(path, { force: true });
  };
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
