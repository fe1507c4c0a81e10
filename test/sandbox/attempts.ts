/**
 * Tries to break out of a sandbox, from inside it: started in place of a row's program, with what to try in LAZARET_TARGETS. Says in one line of
 * JSON what each attempt came to: "done", or the code of the error. Harmless outside, where all of them succeed.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { DatabaseSync } from 'node:sqlite';
import type { Targets } from './targets.ts';

const targets = JSON.parse(process.env['LAZARET_TARGETS'] ?? '{}') as Targets;
const outcomes: Record<string, string> = {};

async function attempt(name: string, act: () => unknown): Promise<void> {
  try {
    const result = await act();
    outcomes[name] = result === false ? 'refused' : 'done';
  } catch (error) {
    outcomes[name] = String((error as NodeJS.ErrnoException).code ?? (error as Error).message);
  }
}

function reach(address: { readonly port: number; readonly host: string } | { readonly path: string }): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(address);
    socket.setTimeout(2000, () => reject(new Error('timeout')));
    socket.on('connect', () => {
      socket.destroy();
      resolve();
    });
    socket.on('error', reject);
  });
}

await attempt('read a file of the host', () => readFileSync('/etc/passwd'));
await attempt('read a file beside the data directory', () => readFileSync(targets.secret));
await attempt('read an area that the row has no part in', () => readFileSync(targets.otherArea));
await attempt('follow a symbolic link out of an own area', () => readFileSync(targets.link));
await attempt('open a database outside, which passes the permission model', () => {
  const database = new DatabaseSync(targets.database, { readOnly: true });
  database.prepare('SELECT * FROM secrets').all();
  database.close();
});
await attempt('write beside the data directory', () => writeFileSync(targets.written, 'x'));
await attempt('write to the temporary folder of the host', () => {
  writeFileSync(targets.temporary, 'x');
});
await attempt('write where the row may only read', () => writeFileSync(targets.readOnly, 'x'));
await attempt('change the program', () => closeSync(openSync(targets.program, 'r+')));
await attempt('start a shell', () => spawnSync('/bin/sh', ['-c', 'exit 7']).status === 7);
await attempt('start itself without flags', () => spawnSync(process.execPath, ['-e', 'process.exit(7)'], { env: {} }).status === 7);
await attempt('signal a process of the host', () => process.kill(targets.pid, 0));
await attempt('look at a process of the host', () => readFileSync(`/proc/${targets.pid}/cmdline`));
await attempt('reach a port of the host', () => reach({ port: targets.port, host: '127.0.0.1' }));
await attempt('ask through a socket of another process', () => reach({ path: targets.socket }));
await attempt('make code from a string', () => new Function('return 7')() === 7);
process.stdout.write(`${JSON.stringify(outcomes)}\n`, () => process.exit(0));
