import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { memoryOfTree, proportionalBytes, residentBytes } from './memory.ts';

test('a process and what it started are counted, each once, and shared pages once in all', async () => {
  const shell = spawn('/bin/sh', ['-c', '/bin/sleep 60 & /bin/sleep 60 & echo begun; wait'], { stdio: ['ignore', 'pipe', 'ignore'], detached: true });
  await once(shell.stdout, 'data');
  try {
    const memory = memoryOfTree(shell.pid!);
    assert.equal(memory.processes, 3);
    // Two processes of one program share its pages, and all three the C library's.
    assert.ok(memory.proportionalBytes! > 0);
    assert.ok(memory.proportionalBytes! < memory.residentBytes);
  } finally {
    process.kill(-shell.pid!, 'SIGKILL');
  }
});

test('of a process that is gone there is nothing', () => {
  // Above the largest number that Linux gives to a process.
  const none = 2 ** 22 + 1;
  assert.deepEqual(memoryOfTree(none), { processes: 0, proportionalBytes: 0, residentBytes: 0 });
  assert.equal(proportionalBytes(none), 0);
  assert.equal(residentBytes(none), 0);
});
