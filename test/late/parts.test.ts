/** The whole system with a real clamd: what it alone knows is found in each way of packing it, harmless objects in the same ways are archived. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stow } from '../conformance/web.ts';
import { entriesOf, settled } from '../ledger.ts';
import { startSystem } from '../system.ts';
import { marker, startClamd } from './clamd.ts';
import { harmless, wrapped } from './wrapped.ts';

test('what clamd alone knows does not come in packed; while clamd is gone, nothing comes in', { timeout: 240_000 }, async (t) => {
  const clamd = await startClamd(t);
  if (clamd === null) return;
  const system = await startSystem(t, { arguments: ['--config', clamd.configuration] });
  const clean = Object.values(harmless());
  assert.equal((await stow(system, clean)).status, 200);
  await settled(system);
  assert.deepEqual((await entriesOf(system)).map(({ state, findings }) => [state, findings]), clean.map(() => ['archived', []]));

  for (const [how, [object, part]] of Object.entries(wrapped)) {
    await stow(system, [object(how, marker)]);
    await settled(system);
    const entry = (await entriesOf(system))[0]!;
    assert.deepEqual([entry.state, entry.verdict], ['held', 'malicious'], how);
    assert.ok(entry.findings.some(({ engine, code, text }) => engine === 'clamd' && code === 'malware-signature' && part.test(text)), `${how}: ${JSON.stringify(entry.findings)}`);
    assert.match((await system.lazaret('quarantine', 'show', entry.objectId)).stdout, /clamd recognises Lazaret\.Inert\.Late/, how);
  }

  clamd.kill();
  await stow(system, [wrapped['a gzip stream in a value']![0]('while clamd is gone', 'harmless words')]);
  await settled(system);
  const last = (await entriesOf(system))[0]!;
  assert.deepEqual([last.state, last.verdict], ['held', 'unscannable']);
});
