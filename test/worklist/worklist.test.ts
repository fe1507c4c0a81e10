/** The whole system asks a real worklist: by the CLI and the doctor, on the record; and what it says where there is none or it is gone. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { WorklistAnswer } from '../../pacs/worklist/contract.ts';
import { unlessInstalled } from '../peers.ts';
import { startSystem } from '../system.ts';
import { freePort, startWorklist } from './peer.ts';

function configured(t: TestContext, worklist: object): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'lazaret-configured-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'lazaret.json'), JSON.stringify({ worklist }));
  return ['--config', join(folder, 'lazaret.json')];
}

test('orders of the hospital by `./lazaret worklist`, on the record; the doctor asks whether it answers', { skip: unlessInstalled('wlmscpfs', 'dump2dcm') }, async (t) => {
  const system = await startSystem(t, { arguments: configured(t, await startWorklist(t)) });
  assert.match(system.output(), /worklist +asks 127\.0\.0\.1:\d+/);
  const asked = await system.lazaret('worklist', 'lindg', '--json');
  assert.deepEqual([asked.code, asked.stderr], [0, '']);
  const upper = JSON.parse((await system.lazaret('worklist', 'LIND', '--json')).stdout) as WorklistAnswer;
  assert.deepEqual(upper.items.map(({ patientName }) => patientName).toSorted(), ['LINDGREN^MAJA', 'LINDQVIST^ÅKE']);
  const shown = await system.lazaret('worklist', '--accession', 'A26-0001');
  assert.match(shown.stdout, /LINDGREN\^MAJA.*L-1001.*1967-11-03.*\n.*accession A26-0001 · 2026-11-24 · CT · CT chest/);
  assert.match((await system.lazaret('worklist', '--patient-id', 'NOBODY')).stdout, /No order fits/);
  for (const wrong of [[], ['a', 'b'], ['--patient', 'x']]) assert.equal((await system.lazaret('worklist', ...wrong)).code, 2, wrong.join(' '));
  const everything = await system.lazaret('worklist', '*');
  assert.deepEqual([everything.code, /Say whom to look for/.test(everything.stderr)], [1, true], everything.stderr);
  const doctor = await system.lazaret('doctor', '--json');
  const lines = (JSON.parse(doctor.stdout) as { lines: { topic: string; grade: string; text: string }[] }).lines;
  assert.deepEqual(lines.filter(({ topic }) => topic === 'worklist'), [{ topic: 'worklist', grade: 'well', text: 'It answers.' }]);
  const audit = await system.lazaret('audit', 'show');
  assert.match(audit.stdout, /Query .*lazaret\/worklist.*RIS[^]*1 orders/);
});

test('a worklist that is not there is said, by the command and by the doctor, and nothing else suffers', async (t) => {
  const system = await startSystem(t, { arguments: configured(t, { host: '127.0.0.1', port: await freePort(), calledAETitle: 'RIS', callingAETitle: 'LAZARET' }) });
  const asked = await system.lazaret('worklist', 'lindgren');
  assert.deepEqual([asked.code, /No connection to the worklist at 127\.0\.0\.1:\d+: ECONNREFUSED/.test(asked.stderr)], [1, true], asked.stderr);
  assert.match((await system.lazaret('doctor')).stdout, /! worklist +No connection/);
});

test('without a worklist nothing of it runs', async (t) => {
  const system = await startSystem(t);
  const asked = await system.lazaret('worklist', 'lindgren');
  assert.deepEqual([asked.code, asked.stderr], [1, 'No worklist is configured here. The configuration file names one by "worklist".\n']);
  assert.doesNotMatch((await system.lazaret('doctor')).stdout, /worklist/);
});
